//! The tables of the template are those of the store.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::schema::{self, Projected, Table};

use crate::support::Template;

/// A table as CloudFormation is to describe it.
fn properties(table: &Table) -> Value {
    let schema = |names: &[&str]| -> Value {
        let kinds = ["HASH", "RANGE"];
        names.iter().zip(kinds).map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind })).collect()
    };
    let keys: &[&str] = if table.sorted { &["pk", "sk"] } else { &["pk"] };
    let mut attributes: BTreeSet<&str> = keys.iter().copied().collect();
    attributes.extend(table.indexes.iter().flat_map(|index| [index.partition, index.sort]));
    let attributes = attributes.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let mut properties = json!({
        "AttributeDefinitions": attributes.collect::<Value>(),
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": true,
        "KeySchema": schema(keys),
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true },
    });
    if !table.indexes.is_empty() {
        let indexes = table.indexes.iter().map(|index| {
            let projection = match index.projected {
                Projected::All => json!({ "ProjectionType": "ALL" }),
                Projected::Include(names) => json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names }),
                Projected::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
            };
            let keys = schema(&[index.partition, index.sort]);
            json!({ "IndexName": index.name, "KeySchema": keys, "Projection": projection })
        });
        properties["GlobalSecondaryIndexes"] = indexes.collect();
    }
    if let Some(view) = table.stream {
        properties["StreamSpecification"] = json!({ "StreamViewType": view });
    }
    if let Some(attribute) = table.ttl {
        properties["TimeToLiveSpecification"] = json!({ "AttributeName": attribute, "Enabled": true });
    }
    properties
}

/// `AlertsTable` for the role `alerts`.
fn logical_name(table: &Table) -> String {
    let (first, rest) = table.role.split_at(1);
    format!("{}{rest}Table", first.to_uppercase())
}

#[test]
fn the_tables_are_those_of_the_store_and_protected_in_every_way() {
    let template = Template::read();
    let named: BTreeSet<_> = template.of_type("AWS::DynamoDB::Table").into_keys().map(str::to_owned).collect();
    assert_eq!(named, schema::TABLES.iter().map(logical_name).collect());
    for table in &schema::TABLES {
        let name = logical_name(table);
        let declared = template.at(&format!("/Resources/{name}"));
        let expected = json!({
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties(table),
        });
        assert_eq!(*declared, expected, "{name}");
    }
}
