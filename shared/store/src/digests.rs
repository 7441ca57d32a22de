//! A hint of what is already known, so that a run that finds nothing new reads a few kilobytes and no alert.
//!
//! For each alert that Microsoft lists 8 bytes of a hash of its id and 16 bytes of a hash of its contents, in up to 256 items by
//! the first byte of the former: 24 kB for 1,000 alerts, room for four million within DynamoDB's 400 kB an item, and a change
//! rewrites one small item. It is only a hint: where it differs, the alert itself is read; it is written after the alerts, so that
//! it never runs ahead of them; and it is believed only after a complete run, and for a day ([`crate::Grant::trusts_hint`]).
//!
//! Beside it lie marks of the alerts that somebody decided about and Microsoft has not shown so yet: what is known of those is
//! compared whatever the hint says.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    primitives::Blob,
    types::AttributeValue,
};
use models::{AlertId, TenantId};
use sha2::{Digest as _, Sha256};

use crate::{
    AlertFingerprint, Grant, Store, StoreError, TableRole,
    fingerprint::CONTENT_BYTES,
    items::Item,
    lease::{number, while_held},
};

const TABLE: TableRole = TableRole::Tenants;
const PREFIX: &str = "digest#";
/// What the mark of a pending decision begins with: one query reads these, too.
const DECISION: &str = "decision#";
/// The attribute of a mark that tells it from one that takes its place.
const VERSION: &str = "version";
/// Behind every item of both kinds, and before any other.
const END: &str = "digest#~";
const ID_BYTES: usize = 8;

type IdHash = [u8; ID_BYTES];

/// What is known of a tenant's alerts.
#[derive(Clone, Debug, Default)]
pub struct KnownAlerts {
    fingerprints: HashMap<IdHash, AlertFingerprint>,
    changed: BTreeSet<u8>,
    /// Those that the walk at hand has met.
    listed: HashSet<IdHash>,
    /// With the version of the alert that the mark is of, which those of a former release lack.
    decided: BTreeMap<AlertId, Option<u64>>,
}

impl KnownAlerts {
    /// Whether this alert was known with this fingerprint.
    #[must_use]
    pub fn knows(&self, id: &AlertId, fingerprint: AlertFingerprint) -> bool {
        self.fingerprints.get(&hash(id)) == Some(&fingerprint)
    }

    /// Whether this alert was last known as one that can't be read. Of the others one in four billion looks like one, too.
    #[must_use]
    pub fn was_unreadable(&self, id: &AlertId) -> bool {
        self.fingerprints.get(&hash(id)).is_some_and(AlertFingerprint::is_of_unreadable)
    }

    /// Whether anything is known of this alert.
    #[must_use]
    pub fn knows_of(&self, id: &AlertId) -> bool {
        self.fingerprints.contains_key(&hash(id))
    }

    /// Whether somebody decided about this alert, which Microsoft has not shown yet.
    #[must_use]
    pub fn is_decided(&self, id: &AlertId) -> bool {
        self.decided.contains_key(id)
    }

    /// Notes that nothing is waited for any more of an alert that somebody decided about.
    pub fn settle(&mut self, id: &AlertId) {
        self.decided.remove(id);
    }

    /// The alerts that somebody decided about.
    pub fn decided(&self) -> impl Iterator<Item = &AlertId> {
        self.decided.keys()
    }

    /// Notes that the walk at hand met this alert. Says whether it did for the first time.
    pub fn meet(&mut self, id: &AlertId) -> bool {
        self.listed.insert(hash(id))
    }

    /// Whether the walk at hand has met this alert.
    #[must_use]
    pub fn has_met(&self, id: &AlertId) -> bool {
        self.listed.contains(&hash(id))
    }

    /// How many alerts the walk at hand has met.
    #[must_use]
    pub fn met(&self) -> usize {
        self.listed.len()
    }

    /// Whether the walk at hand has met everything that is known.
    #[must_use]
    pub fn has_met_all(&self) -> bool {
        self.fingerprints.keys().all(|id| self.listed.contains(id))
    }

    /// Forgets what the walk at hand has not met, but these.
    pub fn keep_met_and<'a>(&mut self, others: impl IntoIterator<Item = &'a AlertId>) {
        let others: HashSet<IdHash> = others.into_iter().map(hash).collect();
        let Self { fingerprints, changed, listed, .. } = self;
        fingerprints.retain(|id, _| {
            let kept = listed.contains(id) || others.contains(id);
            if !kept {
                changed.insert(chunk_of(*id));
            }
            kept
        });
    }

    /// Notes an alert's fingerprint.
    pub fn note(&mut self, id: &AlertId, fingerprint: AlertFingerprint) {
        let hash = hash(id);
        if self.fingerprints.insert(hash, fingerprint) != Some(fingerprint) {
            self.changed.insert(chunk_of(hash));
        }
    }

    fn read_chunk(&mut self, bytes: &[u8]) {
        for entry in bytes.chunks_exact(ID_BYTES + CONTENT_BYTES) {
            let (id, content) = entry.split_at(ID_BYTES);
            self.fingerprints.insert(first_bytes(id), AlertFingerprint(first_bytes(content)));
        }
    }

    fn chunk(&self, chunk: u8) -> Vec<u8> {
        let mut entries: Vec<_> = self.fingerprints.iter().filter(|(id, _)| chunk_of(**id) == chunk).collect();
        entries.sort_unstable_by_key(|(id, _)| **id);
        entries.into_iter().flat_map(|(id, fingerprint)| id.iter().chain(&fingerprint.0)).copied().collect()
    }
}

impl Store {
    pub(crate) async fn read_known(&self, tenant: &TenantId) -> Result<KnownAlerts, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.tenants)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :end")
            .expression_attribute_values(":pk", AttributeValue::S(tenant.to_string()))
            .expression_attribute_values(":first", AttributeValue::S(DECISION.into()))
            .expression_attribute_values(":end", AttributeValue::S(END.into()))
            .into_paginator()
            .send();
        let mut known = KnownAlerts::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| StoreError::failed("Query (digests)", TABLE, error))?;
            for item in page.items() {
                if let Some(AttributeValue::B(entries)) = item.get("entries") {
                    known.read_chunk(entries.as_ref());
                }
                let sort = item.get("sk").and_then(|key| key.as_s().ok());
                let id = sort.and_then(|sort| sort.strip_prefix(DECISION)).and_then(|id| id.parse().ok());
                let version = item.get(VERSION).and_then(|version| version.as_n().ok()?.parse().ok());
                known.decided.extend(id.map(|id| (id, version)));
            }
        }
        Ok(known)
    }

    pub(crate) async fn delete_mark(
        &self,
        tenant: &TenantId,
        known: &mut KnownAlerts,
        id: &AlertId,
    ) -> Result<(), StoreError> {
        let Some(version) = known.decided.get(id) else { return Ok(()) };
        let request = self
            .client
            .delete_item()
            .table_name(&self.tables.tenants)
            .set_key(Some(decision_key(tenant, id)))
            .expression_attribute_names("#version", VERSION);
        let request = match version {
            None => request.condition_expression("attribute_not_exists(#version)"),
            Some(version) => request
                .condition_expression("#version = :version")
                .expression_attribute_values(":version", number(*version)),
        };
        if let Err(error) = while_held(|| request.clone().send()).await
            && !matches!(error.as_service_error(), Some(DeleteItemError::ConditionalCheckFailedException(_)))
        {
            return Err(StoreError::failed("DeleteItem (mark of a decision)", TABLE, error));
        }
        known.settle(id);
        Ok(())
    }

    pub(crate) async fn write_known(&self, grant: &Grant, known: &mut KnownAlerts) -> Result<(), StoreError> {
        while let Some(chunk) = known.changed.first().copied() {
            let request = self
                .client
                .put_item()
                .table_name(&self.tables.tenants)
                .item("pk", AttributeValue::S(grant.tenant.to_string()))
                .item("sk", AttributeValue::S(format!("{PREFIX}{chunk:02x}")))
                .item("fence", number(grant.fence))
                .item("entries", AttributeValue::B(Blob::new(known.chunk(chunk))))
                .condition_expression("attribute_not_exists(fence) OR fence <= :fence")
                .expression_attribute_values(":fence", number(grant.fence));
            if let Err(error) = request.send().await
                && !matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_)))
            {
                return Err(StoreError::failed("PutItem (digests)", TABLE, error));
            }
            known.changed.remove(&chunk);
        }
        Ok(())
    }
}

/// The item that marks a pending decision: of the alert as it is from this version on.
pub(crate) fn decision_mark(tenant: &TenantId, id: &AlertId, version: u64) -> Item {
    let mut mark = decision_key(tenant, id);
    mark.insert(VERSION.to_owned(), number(version));
    mark
}

pub(crate) fn decision_key(tenant: &TenantId, id: &AlertId) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(tenant.to_string())),
        ("sk".to_owned(), AttributeValue::S(format!("{DECISION}{id}"))),
    ])
}

fn hash(id: &AlertId) -> IdHash {
    first_bytes(&Sha256::digest(id.as_str()))
}

fn chunk_of(hash: IdHash) -> u8 {
    hash[0]
}

/// The first `N` bytes, padded with zeros where there are fewer.
pub(crate) fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}
