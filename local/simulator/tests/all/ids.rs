//! The ids by which calls and answers are named, as Microsoft's services have them.

use reqwest::Response;
use simulator::{Fault, FaultKind, Target};

use crate::support::{ALERTS, FIRST, World, credentials, json};

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
}

#[tokio::test]
async fn graph_names_each_answer_and_repeats_what_the_caller_calls_it() {
    let world = World::start().await;
    let token = world.token(FIRST).await;
    let ask = async |token: &str, path: &str| {
        let url = world.simulator.microsoft_url() + path;
        world.client.get(url).bearer_auth(token).header("client-request-id", "ours").send().await.unwrap()
    };
    for path in [ALERTS, "/beta/nothing/here"] {
        let answer = ask(&token, path).await;
        assert_eq!(header(&answer, "client-request-id"), "ours");
        assert_eq!(header(&answer, "request-id").len(), 36);
    }
    let refused = ask("no token", ALERTS).await;
    let id = header(&refused, "request-id").to_owned();
    assert_ne!(id, header(&ask("no token", ALERTS).await, "request-id"));
    let inner = &json(refused).await["error"]["innerError"];
    assert_eq!((&inner["request-id"], &inner["client-request-id"]), (&id.into(), &"ours".into()));

    // Who brings no name is told Graph's own.
    let answer = world.get(ALERTS, &token).await;
    assert_eq!(header(&answer, "client-request-id"), header(&answer, "request-id"));
    world.simulator.set_fault(Fault::new(Target::List, FaultKind::MissingMfa)).unwrap();
    assert_eq!(header(&ask(&token, ALERTS).await, "request-id").len(), 36);
}

#[tokio::test]
async fn entra_id_names_its_errors_by_their_trace_id() {
    let world = World::start().await;
    let scope = "https://graph.microsoft.com/.default";
    let answer = world.ask_for_token(FIRST, &credentials(FIRST, scope)).await;
    assert_eq!(header(&answer, "x-ms-request-id").len(), 36);
    let refused = world.ask_for_token(FIRST, &[("client_id", "unknown")]).await;
    let id = header(&refused, "x-ms-request-id").to_owned();
    assert_eq!(json(refused).await["trace_id"], id);
}

#[tokio::test]
async fn what_was_asked_is_recorded_with_its_ids_and_without_its_query() {
    let world = World::start().await;
    let token = world.partner_token(FIRST).await;
    let url = world.simulator.partner_center_url() + "/webhooks/v1/registration?key=secret";
    let ask = world.client.get(url).bearer_auth(&token).header("MS-RequestId", "r").header("MS-CorrelationId", "c");
    ask.send().await.unwrap();

    let recorded = world.simulator.recorded();
    assert_eq!(recorded.len(), 2, "{recorded:?}");
    assert_eq!(recorded[0].path, format!("/{FIRST}/oauth2/v2.0/token"));
    assert_eq!((recorded[0].method.as_str(), &recorded[0].request_id), ("POST", &None));
    assert_eq!((recorded[1].method.as_str(), recorded[1].path.as_str()), ("GET", "/webhooks/v1/registration"));
    assert_eq!((recorded[1].request_id.as_deref(), recorded[1].correlation_id.as_deref()), (Some("r"), Some("c")));
    assert!(!format!("{recorded:?}").contains("secret") && !format!("{recorded:?}").contains(&token));
}
