//! The document of the API is made from the code, says what is routed, and every answer is of the shape that it says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use jsonschema::Validator;
use models::{
    AlertResult, Asked, MicrosoftRefusal, OperationState, Standing, Status, SubscriptionStage, SubscriptionWish,
};
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

/// The names that a shape of the document knows: its own, or those of the member `kind` of its forms.
fn names(shape: &str) -> BTreeSet<String> {
    fn collect(schema: &Value, found: &mut BTreeSet<String>) {
        let values = schema.get("enum").or_else(|| schema.pointer("/properties/kind/enum"));
        let values = values.and_then(Value::as_array).into_iter().flatten();
        found.extend(values.map(|value| value.as_str().unwrap().to_owned()));
        for forms in ["oneOf", "allOf"].into_iter().filter_map(|member| schema[member].as_array()) {
            for form in forms {
                collect(form, found);
            }
        }
    }
    let document: Value = serde_json::from_str(&made()).unwrap();
    let mut found = BTreeSet::new();
    collect(&document["components"]["schemas"][shape], &mut found);
    found
}

/// The names under which the code keeps these.
fn kept<T: serde::Serialize>(all: &[T]) -> BTreeSet<String> {
    let name = |one: &T| {
        let written = serde_json::to_value(one).unwrap();
        written.get("kind").unwrap_or(&written).as_str().unwrap().to_owned()
    };
    all.iter().map(name).collect()
}

#[test]
fn the_document_knows_every_name_that_an_operation_may_be_shown_with() {
    use SubscriptionStage as Stage;
    let now = Standing::new(&Status::Resolved, None);
    let refusal = MicrosoftRefusal::new("900307", None, None);
    let results = [
        AlertResult::AlreadySo,
        AlertResult::Done { version: 2 },
        AlertResult::NotFound,
        AlertResult::Overlapped { now: now.clone() },
        AlertResult::Refused(refusal.clone()),
        AlertResult::Superseded { now: now.clone() },
        AlertResult::Unknown,
    ];
    let states = [
        OperationState::Asked,
        OperationState::Done,
        OperationState::InProgress,
        OperationState::Lapsed,
        OperationState::Refused { refusal, description: String::new() },
        OperationState::Stuck { since: jiff::Timestamp::UNIX_EPOCH },
        OperationState::Unknown,
    ];
    let all_stages = [
        Stage::Asked,
        Stage::EntitlementFound,
        Stage::Telling,
        Stage::Posted,
        Stage::Following,
        Stage::Reached,
        Stage::AlertsResolved,
        Stage::Done,
        Stage::Unknown,
    ];
    let asked = [
        Asked::Status { alerts: vec![], to: now, note: None },
        Asked::Subscription {
            wish: SubscriptionWish::Cancel,
            customer: "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3".parse().unwrap(),
            subscription: "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381".parse().unwrap(),
            note: None,
        },
        Asked::View { view: "9f1c7f3e-2f0a-4f7b-8a34-0c5d1b7e6a10".parse().unwrap() },
        Asked::Work { alert: "alert-1".parse().unwrap() },
        Asked::Unknown,
    ];
    assert_eq!(names("ResultShown"), kept(&results));
    assert_eq!(names("StateShown"), kept(&states));
    assert_eq!(names("StateName"), kept(&states));
    assert_eq!(names("StageName"), kept(&all_stages));
    assert_eq!(names("AskedShown"), kept(&asked));
    assert_eq!(names("WishName"), kept(&[SubscriptionWish::Cancel, SubscriptionWish::Reactivate]));
    let page = fs::read_to_string(file().with_file_name("api.md")).unwrap();
    for name in kept(&states).into_iter().chain(kept(&results)) {
        assert!(page.contains(&format!("\n| `{name}` | ")), "{name} has no row in docs/api.md");
    }
    let document: Value = serde_json::from_str(&made()).unwrap();
    let types = &document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"];
    assert_eq!(*types, json!(api::Kind::ALL.map(api::Kind::uri)));
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
