//! The document of the API is made from the code, says what is routed, and every answer is of the shape that it says.

use std::{collections::BTreeMap, fs, path::PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::support::Answered;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/openapi.json")
}

/// What each function says of its routes.
fn parts() -> [OpenApi; 3] {
    [dashboard::document::document(), resolve::openapi(), resolve::subscriptions::openapi()]
}

/// The document as the code makes it.
fn made() -> String {
    api::document::merged(parts()).to_pretty_json().unwrap() + "\n"
}

/// The shapes of the document, to hold answers to.
pub(crate) struct Shapes {
    document: Value,
}

impl Shapes {
    pub(crate) fn of_document() -> Self {
        Self { document: serde_json::from_str(&made()).unwrap() }
    }

    /// Holds an answer to what the document says of its route.
    pub(crate) fn hold(&self, path: &str, answered: &Answered) {
        let path = format!("/api/v1/{}", path.split('?').next().unwrap());
        let paths = self.document["paths"].as_object().unwrap();
        let (_, route) = paths.iter().find(|(route, _)| is_of(route, &path)).unwrap_or_else(|| panic!("{path}"));
        let response = &route["get"]["responses"][answered.status.to_string()];
        assert!(!response.is_null(), "{path}: the document knows no status {}", answered.status);
        let (kind, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        assert_eq!(answered.headers["content-type"], kind.as_str(), "{path}");
        let mut schema = content["schema"].clone();
        schema["components"] = self.document["components"].clone();
        let validator: Validator = jsonschema::options().build(&schema).unwrap();
        let wrong: Vec<_> = validator.iter_errors(&answered.body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?} in {}", answered.body);
    }
}

/// Whether a path is of this route.
fn is_of(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len()
        && route.iter().zip(path).all(|(route, path)| *route == path || (route.starts_with('{') && !path.is_empty()))
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let committed = fs::read_to_string(file()).unwrap();
    assert!(
        committed == made(),
        "docs/openapi.json is not what the code says: write it anew with \
         `cargo test -p tests --test dashboard -- --ignored write_the_document`, and look at what changed"
    );
}

#[test]
fn no_name_stands_for_two_shapes() {
    let mut known: BTreeMap<String, (usize, Value)> = BTreeMap::new();
    for (place, part) in parts().into_iter().enumerate() {
        let part = serde_json::to_value(part).unwrap();
        for (name, shape) in part["components"]["schemas"].as_object().unwrap() {
            let (first, found) = known.entry(name.clone()).or_insert_with(|| (place, shape.clone()));
            assert_eq!(found, shape, "{name} is one shape of part {first} and another of part {place}");
        }
    }
    assert!(known.len() > 50, "these are not all shapes: {}", known.len());
}

#[test]
#[ignore = "it writes the document, where that is wanted"]
fn write_the_document() {
    fs::write(file(), made()).unwrap();
}

#[test]
fn the_document_says_what_is_routed_and_nothing_else() {
    let document: Value = serde_json::from_str(&made()).unwrap();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let mut described: Vec<_> = described.collect();
    described.sort();
    let mut routed: Vec<_> = dashboard::ROUTES.into_iter().chain(resolve::ROUTES).collect();
    routed.sort_unstable();
    assert_eq!(described, routed);
    assert_eq!(document["security"], json!([{ "session": [] }, { "token": [] }]));
}
