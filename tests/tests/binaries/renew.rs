//! `renew`: from the event of the schedule to a new refresh token.

use aws_sdk_secretsmanager::Client;
use serde_json::{Value, json};
use tests::{CLIENT_ID, CLIENT_SECRET, TENANT, lambda::Failed, text};

use crate::support::{Here, invoke, log, metrics};

const SECRET: &str = "partner-alerts/read/local";

async fn secret(client: &Client) -> Value {
    let read = client.get_secret_value().secret_id(SECRET).send().await.unwrap();
    serde_json::from_str(read.secret_string().unwrap()).unwrap()
}

#[tokio::test]
async fn the_schedule_proves_a_credential_and_keeps_the_new_refresh_token() {
    let here = Here::new().await;
    let client = Client::new(&here.test.system.parts().aws);
    let token = here.simulator().refresh_token(TENANT).unwrap();
    let kept = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": token });
    client.put_secret_value().secret_id(SECRET).secret_string(kept.to_string()).send().await.unwrap();
    let mut renew = here.start("renew").await;

    assert_eq!(invoke(&mut renew, &json!({ "task": "renew" })).await, Value::Null);

    let renewed = secret(&client).await;
    assert_ne!(renewed["refresh_token"], kept["refresh_token"]);
    assert!(renewed["refresh_token_obtained"].is_string());
    let noted = here.credential("read").await;
    assert_eq!(text(&noted, "outcome"), "ok");

    // A warm instance goes on, and finds that there is nothing to do.
    assert_eq!(invoke(&mut renew, &json!({ "task": "renew" })).await, Value::Null);
    assert_eq!(secret(&client).await, renewed);
    let ended = renew.kill().await;
    let said: Vec<_> = log(&ended).iter().map(|line| (line["message"].clone(), line["renewed"].clone())).collect();
    assert_eq!(said, [(json!("credential works"), json!(true)), (json!("credential works"), json!(false))]);
    let counted: Vec<_> = metrics(&ended).iter().map(|line| line["RefreshTokensRenewed"].clone()).collect();
    assert_eq!(counted, [1, 0]);
}

#[tokio::test]
async fn an_event_of_another_kind_fails_and_the_next_one_is_served() {
    let here = Here::new().await;
    let mut renew = here.start("renew").await;
    for event in [json!({ "task": "sweep" }), json!([]), json!({})] {
        let failed = renew.invoke(event.to_string()).await;
        assert!(matches!(failed, Err(Failed::Function(_))), "{event}: {failed:?}");
    }
    assert_eq!(invoke(&mut renew, &json!({ "task": "renew" })).await, Value::Null);
}
