//! DynamoDB's operations by their names, over the embedded database: JSON in, JSON out, as the wire has it.
//!
//! Promises: what DynamoDB would say, as far as the embedded database knows it. Leaves to others: who may ask, and how (`local`), and
//! trouble that the database never makes by itself (`tests`). It is a crate of its own because it is on every test's path: reading
//! JSON is compiled where it is asked for, and this is compiled with optimisation.

use dynoxide::{Database, DynoxideError, ImportOptions, Item};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The database refused it, as DynamoDB would.
    #[error(transparent)]
    Engine(#[from] DynoxideError),
    /// The request is not JSON of this operation.
    #[error("the request can't be read")]
    Request(#[source] serde_json::Error),
    /// There is no such operation here.
    #[error("{0} is not an operation of the embedded database")]
    Unknown(String),
}

/// Does an operation, of which DynamoDB's `X-Amz-Target` gives the name, and answers with its JSON.
///
/// # Errors
///
/// [`Refused`]; nothing was written then.
pub fn answer(database: &Database, operation: &str, body: &[u8]) -> Result<String, Refused> {
    match operation {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTable" => run(body, |request| database.update_table(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        _ => Err(Refused::Unknown(operation.to_owned())),
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, Refused> {
    let request = serde_json::from_slice(body).map_err(Refused::Request)?;
    serde_json::to_string(&operation(request)?).map_err(Refused::Request)
}

/// One item as the wire has it, by the keys `pk` and `sk`.
///
/// # Errors
///
/// [`Refused`]: there is no such table, or its keys have other names.
pub fn item(database: &Database, table: &str, pk: &str, sk: &str) -> Result<Option<Value>, Refused> {
    let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let mut answer = value(database, "GetItem", &json!({ "TableName": table, "Key": key, "ConsistentRead": true }))?;
    Ok(answer.get_mut("Item").map(Value::take))
}

/// Every item of a table as the wire has it.
///
/// # Errors
///
/// [`Refused`]: there is no such table.
pub fn items(database: &Database, table: &str) -> Result<Vec<Value>, Refused> {
    let mut request = json!({ "TableName": table });
    let mut items = Vec::new();
    loop {
        let mut answer = value(database, "Scan", &request)?;
        if let Value::Array(page) = answer["Items"].take() {
            items.extend(page);
        }
        match answer["LastEvaluatedKey"].take() {
            Value::Null => return Ok(items),
            key => request["ExclusiveStartKey"] = key,
        }
    }
}

/// Puts items into a table, all of them or none, with its indexes. Its stream tells of none: nobody is to be told of what is brought in so.
///
/// # Errors
///
/// [`Refused`]: there is no such table, or an item does not fit into it.
pub fn import(database: &Database, table: &str, items: &[serde_dynamo::Item]) -> Result<(), Refused> {
    let item = |item| serde_json::from_slice(&serde_json::to_vec(item)?);
    let items: Result<Vec<Item>, _> = items.iter().map(item).collect();
    database.import_items(table, items.map_err(Refused::Request)?, ImportOptions::default())?;
    Ok(())
}

/// A JSON text, read where reading is quick.
///
/// # Errors
///
/// [`Refused::Request`]: it is none.
pub fn read(text: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(text).map_err(Refused::Request)
}

fn value(database: &Database, operation: &str, request: &Value) -> Result<Value, Refused> {
    read(answer(database, operation, request.to_string().as_bytes())?.as_bytes())
}
