//! From nothing to connected, as somebody who sets a tenant up goes through it.

use axum::http::StatusCode;
use serde_json::json;
use simulator::Simulator;

use crate::certificates::{download, verify};
use crate::support::{FIRST, REGISTRATION, World, credentials, json, receiver_that};

#[tokio::test]
async fn from_nothing_to_connected() {
    let world = World::start().await;
    let (url, received) = receiver_that(|_| (StatusCode::OK, "")).await;
    let there = json!({ "public": "https://hooks.example", "local": url.strip_suffix("/callbacks/tenant/key") });
    let control = world.client.post(world.simulator.control_url() + "/public-addresses").json(&there);
    assert_eq!(control.send().await.unwrap().status(), 204);

    // A person consents on another device.
    let client = format!("client-of-{FIRST}");
    let partner_center = format!("{}/.default", world.simulator.partner_center_url());
    let url = format!("{}/{FIRST}/oauth2/v2.0/devicecode", world.simulator.microsoft_url());
    let form = [("client_id", &*client), ("scope", &format!("{partner_center} offline_access"))];
    let begun = json(world.client.post(url).form(&form).send().await.unwrap()).await;
    let page = world.client.get(begun["verification_uri"].as_str().unwrap()).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(&format!("{}/sign-ins", world.simulator.control_url())), "{page}");
    assert_eq!(world.control("POST", "/sign-ins", r#"{"decision":"approve"}"#).await.status(), 204);
    let offline = format!("{partner_center} offline_access");
    let mut form = credentials(FIRST, &offline).to_vec();
    form[0].1 = "urn:ietf:params:oauth:grant-type:device_code";
    form.push(("device_code", begun["device_code"].as_str().unwrap()));
    let tokens = json(world.ask_for_token(FIRST, &form).await).await;

    // What they left behind is enough to register.
    let tokens = json(world.redeem(tokens["refresh_token"].as_str().unwrap(), &partner_center).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.partner("GET", REGISTRATION, token, None).await.status(), 404);
    let wanted = json!({
        "WebhookUrl": "https://hooks.example/callbacks/tenant/key",
        "WebhookEvents": ["test-created", "azure-fraud-event-detected"],
        "SignatureTokenToMsSignatureHeader": true,
    });
    assert_eq!(world.partner("POST", REGISTRATION, token, Some(wanted)).await.status(), 200);

    // And a test event shows that callbacks arrive, signed where the registration wants it.
    let events = format!("{REGISTRATION}/validationEvents");
    let asked = json(world.partner("POST", &events, token, None).await).await;
    let id = asked["correlationId"].as_str().unwrap();
    world.simulator.test_event_over(id).await.unwrap();
    let status = json(world.partner("GET", &format!("{events}/{id}"), token, None).await).await;
    assert_eq!((&status["status"], &status["results"][0]["responseCode"]), (&json!("completed"), &json!("OK")));
    let (headers, body) = received.lock().unwrap().pop().expect("a callback");
    assert!(!headers.contains_key("authorization"));
    let certificate = format!("{}{}.cer", world.simulator.certificate_location(), Simulator::certificate_name());
    assert_eq!(headers["x-ms-certificate-url"], *certificate);
    let signature = headers["x-ms-signature"].to_str().unwrap();
    assert_eq!(verify(&download(&world).await, &body, signature), Ok(()));
}
