//! A hint of what is already known, so that a run that finds nothing new reads a few kilobytes and no alert.
//!
//! For each alert that Microsoft lists 8 bytes of a hash of its id and 16 bytes of a hash of its contents, in up to 256 items by
//! the first byte of the former: 24 kB for 1,000 alerts, room for four million within DynamoDB's 400 kB an item, and a change
//! rewrites one small item. It is only a hint: where it differs, the alert itself is read; it is written after the alerts, so that
//! it never runs ahead of them; and it is believed only after a complete run, and for a day ([`crate::Grant::trusts_hint`]).
//!
//! Beside it lie marks of the alerts that somebody decided about and Microsoft has not shown so yet: what is known of those is
//! compared whatever the hint says.

use std::collections::{BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::{operation::put_item::PutItemError, primitives::Blob, types::AttributeValue};
use models::{Alert, AlertId, TenantId};
use sha2::{Digest as _, Sha256};

use crate::{Grant, Store, StoreError, TableRole, lease::number};

const TABLE: TableRole = TableRole::Tenants;
const PREFIX: &str = "digest#";
/// What the mark of a pending decision begins with: one query reads these, too.
pub(crate) const DECISION: &str = "decision#";
/// Behind every item of both kinds, and before any other.
const END: &str = "digest#~";
const ID_BYTES: usize = 8;
const CONTENT_BYTES: usize = 16;

/// What the fingerprint of an alert that can't be read begins with.
const UNREADABLE: [u8; 4] = *b"raw:";

type IdHash = [u8; ID_BYTES];

/// A hash of what Microsoft says of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertFingerprint([u8; CONTENT_BYTES]);

impl AlertFingerprint {
    /// That of an alert which no list has shown: it differs from every other.
    pub const UNLISTED: Self = Self([0; CONTENT_BYTES]);

    /// The fingerprint of an alert.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unwritable`] where the alert can't be written as JSON, which none of its fields allows to happen.
    pub fn of(alert: &Alert) -> Result<Self, StoreError> {
        let json = serde_json::to_vec(alert).map_err(|error| StoreError::unwritable(TABLE, error))?;
        Ok(Self(first_bytes(&Sha256::digest(json))))
    }

    /// The fingerprint of an alert that can't be read, by its bytes. It says so itself: what is known thereby tells who is to be
    /// looked for among those that are kept aside once they can be read.
    #[must_use]
    pub fn of_unreadable(body: &[u8]) -> Self {
        let mut bytes = first_bytes(&Sha256::digest(body));
        bytes[..UNREADABLE.len()].copy_from_slice(&UNREADABLE);
        Self(bytes)
    }
}

/// What is known of a tenant's alerts.
#[derive(Clone, Debug, Default)]
pub struct KnownAlerts {
    fingerprints: HashMap<IdHash, AlertFingerprint>,
    changed: BTreeSet<u8>,
    /// Those that the walk at hand has met.
    listed: HashSet<IdHash>,
    decided: BTreeSet<AlertId>,
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
        self.fingerprints.get(&hash(id)).is_some_and(|print| print.0.starts_with(&UNREADABLE))
    }

    /// Whether anything is known of this alert.
    #[must_use]
    pub fn knows_of(&self, id: &AlertId) -> bool {
        self.fingerprints.contains_key(&hash(id))
    }

    /// Whether somebody decided about this alert, which Microsoft has not shown yet.
    #[must_use]
    pub fn is_decided(&self, id: &AlertId) -> bool {
        self.decided.contains(id)
    }

    /// The alerts that somebody decided about.
    pub fn decided(&self) -> impl Iterator<Item = &AlertId> {
        self.decided.iter()
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
                known.decided.extend(id);
            }
        }
        Ok(known)
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

fn hash(id: &AlertId) -> IdHash {
    first_bytes(&Sha256::digest(id.as_str()))
}

fn chunk_of(hash: IdHash) -> u8 {
    hash[0]
}

/// The first `N` bytes, padded with zeros where there are fewer.
fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}
