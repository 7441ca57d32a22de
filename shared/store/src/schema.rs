//! Every table with its keys, indexes, stream and TTL, laid out for good: a table takes one index change an update, and a
//! change of key replaces it.
//!
//! `template.yaml` declares the same; a test holds the two together. The local system and the tests make their tables from
//! here.

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
    },
};

use crate::{StoreError, TableRole};

/// Index of activity by tenant and time: what an auditor asks for.
pub const ACTIVITY_BY_TIME: &str = "by-time";
/// Index of events by tenant and time of arrival.
pub const EVENTS_BY_RECEIVED: &str = "by-received";
/// Index of alerts by tenant and state, and last observation.
pub const ALERTS_BY_LAST_OBSERVED: &str = "by-last-observed";
/// Index of alerts by tenant and state, and first observation.
pub const ALERTS_BY_FIRST_OBSERVED: &str = "by-first-observed";
/// Index of alerts by tenant and subscription, and last observation.
pub const ALERTS_BY_SUBSCRIPTION: &str = "by-subscription";
/// Index of alerts by tenant and customer, and last observation.
pub const ALERTS_BY_CUSTOMER: &str = "by-customer";
/// Index of alerts by tenant, and moment of detection with id: immutable, for exports.
pub const ALERTS_BY_DETECTED: &str = "by-detected";
/// Sparse index of outbox items that are not published yet.
pub const OUTBOX_UNPUBLISHED: &str = "unpublished";

/// What an index holds beside its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projected {
    /// Everything.
    All,
    /// These attributes. `summary` and `work` are maps, so that what a list shows can grow without a new index.
    Include(&'static [&'static str]),
    /// Keys only.
    KeysOnly,
}

/// An index.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key.
    pub partition: &'static str,
    /// Its sort key.
    pub sort: &'static str,
    /// What it holds.
    pub projected: Projected,
}

/// A table. Every key is text.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its role, which is its logical name.
    pub role: &'static str,
    /// Whether there is a sort key (`sk`) beside the partition key (`pk`).
    pub sorted: bool,
    /// Its indexes.
    pub indexes: &'static [Index],
    /// What its stream holds, as CloudFormation names it.
    pub stream: Option<&'static str>,
    /// The TTL attribute, in seconds since 1970.
    pub ttl: Option<&'static str>,
}

const LISTED: Projected = Projected::Include(&["summary", "version", "work"]);

/// All tables.
pub const TABLES: [Table; 5] = [
    Table {
        role: "activity",
        sorted: true,
        indexes: &[Index { name: ACTIVITY_BY_TIME, partition: "tenant", sort: "time_id", projected: Projected::All }],
        stream: None,
        ttl: None,
    },
    Table {
        role: "alerts",
        sorted: true,
        indexes: &[
            Index {
                name: ALERTS_BY_LAST_OBSERVED,
                partition: "tenant_state",
                sort: "last_observed",
                projected: LISTED,
            },
            Index {
                name: ALERTS_BY_FIRST_OBSERVED,
                partition: "tenant_state",
                sort: "first_observed",
                projected: LISTED,
            },
            Index {
                name: ALERTS_BY_SUBSCRIPTION,
                partition: "tenant_subscription",
                sort: "last_observed",
                projected: LISTED,
            },
            Index { name: ALERTS_BY_CUSTOMER, partition: "tenant_customer", sort: "last_observed", projected: LISTED },
            Index { name: ALERTS_BY_DETECTED, partition: "tenant", sort: "detected_id", projected: Projected::All },
            Index { name: OUTBOX_UNPUBLISHED, partition: "outbox_shard", sort: "created", projected: Projected::All },
        ],
        stream: Some("NEW_AND_OLD_IMAGES"),
        ttl: Some("expires_at"),
    },
    Table {
        role: "events",
        sorted: false,
        indexes: &[Index {
            name: EVENTS_BY_RECEIVED,
            partition: "tenant",
            sort: "received",
            projected: Projected::KeysOnly,
        }],
        stream: Some("NEW_IMAGE"),
        ttl: Some("expires_at"),
    },
    Table { role: "sessions", sorted: false, indexes: &[], stream: None, ttl: Some("expires_at") },
    Table { role: "tenants", sorted: true, indexes: &[], stream: None, ttl: None },
];

/// Makes a table under this name if there is none yet, with its TTL.
///
/// For the local system and for tests; in an account the template makes the tables.
///
/// # Errors
///
/// Where DynamoDB refuses.
pub async fn create(client: &Client, table: &Table, name: &str) -> Result<(), StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Failed {
        action: "CreateTable",
        table: TableRole::Tenants,
        code: table.role.to_owned(),
        source: error,
    };
    let request = table_request(client, table, name).map_err(|error| failed(Box::new(error)))?;
    match request.send().await {
        Ok(_) => {}
        Err(error) if matches!(error.as_service_error(), Some(CreateTableError::ResourceInUseException(_))) => {
            return Ok(());
        }
        Err(error) => return Err(failed(Box::new(error))),
    }
    if let Some(attribute) = table.ttl {
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build();
        let ttl = ttl.map_err(|error| failed(Box::new(error)))?;
        let updated = client.update_time_to_live().table_name(name).time_to_live_specification(ttl).send().await;
        updated.map_err(|error| failed(Box::new(error)))?;
    }
    Ok(())
}

type BuildError = aws_sdk_dynamodb::error::BuildError;
type CreateTable = aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;

fn table_request(client: &Client, table: &Table, name: &str) -> Result<CreateTable, BuildError> {
    let mut keys = vec!["pk"];
    if table.sorted {
        keys.push("sk");
    }
    let mut attributes = keys.clone();
    attributes.extend(table.indexes.iter().flat_map(|index| [index.partition, index.sort]));
    attributes.sort_unstable();
    attributes.dedup();

    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    request = request.deletion_protection_enabled(true);
    for attribute in attributes {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        request = request.attribute_definitions(definition.attribute_type(ScalarAttributeType::S).build()?);
    }
    for element in key_schema(&keys)? {
        request = request.key_schema(element);
    }
    for index in table.indexes {
        let built = GlobalSecondaryIndex::builder()
            .index_name(index.name)
            .set_key_schema(Some(key_schema(&[index.partition, index.sort])?))
            .projection(projection(index.projected))
            .build()?;
        request = request.global_secondary_indexes(built);
    }
    if let Some(view) = table.stream {
        let stream = StreamSpecification::builder().stream_enabled(true);
        request = request.stream_specification(stream.stream_view_type(StreamViewType::from(view)).build()?);
    }
    Ok(request)
}

fn key_schema(names: &[&str]) -> Result<Vec<KeySchemaElement>, BuildError> {
    let kinds = [KeyType::Hash, KeyType::Range];
    names
        .iter()
        .zip(kinds)
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(*name).key_type(kind).build())
        .collect()
}

fn projection(projected: Projected) -> Projection {
    match projected {
        Projected::All => Projection::builder().projection_type(ProjectionType::All).build(),
        Projected::KeysOnly => Projection::builder().projection_type(ProjectionType::KeysOnly).build(),
        Projected::Include(attributes) => Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(attributes.iter().map(ToString::to_string).collect()))
            .build(),
    }
}
