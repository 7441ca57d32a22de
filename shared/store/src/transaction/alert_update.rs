//! One update of an alert item: each attribute is set once, under one version.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Update};

use crate::{AlertWrite, StoreError, TableRole, items::Item, lease::number};

/// What becomes of an attribute.
enum Change {
    Removed,
    Set(AttributeValue),
    /// Where there is none yet.
    SetOnce(AttributeValue),
}

/// An update of an alert item, on condition of its version, which it moves on by one.
pub(crate) struct AlertUpdate {
    table: String,
    key: Item,
    previous: Option<u64>,
    changes: BTreeMap<&'static str, Change>,
}

impl AlertUpdate {
    /// Of an alert that is new, or was read at this version.
    pub(crate) fn new(table: &str, key: Item, previous: Option<u64>) -> Self {
        let version = Change::Set(number(AlertWrite::version(previous)));
        Self { table: table.to_owned(), key, previous, changes: BTreeMap::from([("version", version)]) }
    }

    /// Sets an attribute, whatever was to become of it before.
    pub(crate) fn set(&mut self, name: &'static str, value: AttributeValue) {
        self.changes.insert(name, Change::Set(value));
    }

    /// Sets an attribute where there is none yet.
    pub(crate) fn set_once(&mut self, name: &'static str, value: AttributeValue) {
        self.changes.insert(name, Change::SetOnce(value));
    }

    /// Removes an attribute.
    pub(crate) fn remove(&mut self, name: &'static str) {
        self.changes.insert(name, Change::Removed);
    }

    /// The item that it makes where there is none.
    pub(crate) fn into_item(self) -> Item {
        let mut item = self.key;
        for (name, change) in self.changes {
            match change {
                Change::Removed => {}
                Change::Set(value) | Change::SetOnce(value) => drop(item.insert(name.to_owned(), value)),
            }
        }
        item
    }

    /// The update.
    pub(crate) fn build(self) -> Result<Update, StoreError> {
        let mut update = Update::builder().table_name(self.table).set_key(Some(self.key));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (name, change) in self.changes {
            update = update.expression_attribute_names(format!("#{name}"), name);
            let value = match change {
                Change::Removed => {
                    remove.push(format!("#{name}"));
                    continue;
                }
                Change::Set(value) => {
                    set.push(format!("#{name} = :{name}"));
                    value
                }
                Change::SetOnce(value) => {
                    set.push(format!("#{name} = if_not_exists(#{name}, :{name})"));
                    value
                }
            };
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        let removed = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let update = match self.previous {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(version) => update
                .condition_expression("#version = :previous")
                .expression_attribute_values(":previous", number(version)),
        };
        let update = update.update_expression(format!("SET {}{removed}", set.join(", "))).build();
        update.map_err(|error| StoreError::unwritable(TableRole::Alerts, error))
    }
}
