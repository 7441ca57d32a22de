//! A secret that somebody else writes, or deletes, while a command is about to.

use std::sync::atomic::{AtomicUsize, Ordering};

use partner_center::PENDING;
use serde_json::{Value, json};
use simulator::Person;
use tests::{CLIENT_ID, CLIENT_SECRET, Scripted, TENANT};

use crate::{
    keep::{SECRET, rotation},
    support::{Here, refusal},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_outlives_a_token_that_was_renewed_meanwhile_and_stops_before_any_other_change() {
    let (here, before) = Here::for_a_person().await;
    let consent = ["tenants", "set", TENANT, "--consent", "browser", "--redirect-port", "0"];
    for (member, stops) in [("refresh_token", false), ("owner", true)] {
        let mut asking = here.begin(&consent).await;
        let url = asking.url().await;
        let mut meanwhile = before.clone();
        meanwhile[member] = "written meanwhile".into();
        here.put(&meanwhile.to_string()).await;
        here.simulator().approve_next(TENANT, Person::admin_agent(TENANT)).unwrap();
        here.browse(&here.sent_from(&url).await).await;
        let output = asking.end().await;
        let after = here.secret(SECRET).await.unwrap();
        if stops {
            assert!(
                String::from_utf8_lossy(&output.stderr).contains("somebody else wrote the read secret"),
                "{output:?}"
            );
            assert_eq!(after, meanwhile);
        } else {
            assert!(output.status.success(), "{output:?}");
            assert!(
                ![&before, &meanwhile].iter().any(|old| old["refresh_token"] == after["refresh_token"]),
                "a new one"
            );
            assert_eq!(after["owner"], before["owner"]);
            here.put(&before.to_string()).await;
        }
    }
}

/// Secrets Manager, where `renew` writes a token between look and write, `times` times. Its versions are numbers.
async fn renewing(times: usize) -> Scripted {
    let version = AtomicUsize::new(0);
    Scripted::start(move |_, asked| {
        let answer =
            |status: u16, body: Value| http::Response::builder().status(status).body(body.to_string()).unwrap();
        let now = version.load(Ordering::SeqCst);
        if asked.body.contains("SecretString") {
            assert!(asked.body.contains(PENDING), "nothing is current before it has won");
            return answer(200, json!({ "Name": SECRET, "VersionId": "ours" }));
        }
        if asked.body.contains("VersionStage") {
            if now < times {
                version.store(now + 1, Ordering::SeqCst);
                return answer(400, json!({ "__type": "InvalidParameterException", "message": "it is elsewhere" }));
            }
            assert!(asked.body.contains(&format!("\"RemoveFromVersionId\":\"{now}\"")), "{}", asked.body);
            return answer(200, json!({ "Name": SECRET }));
        }
        let secret = json!({
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": format!("made-up-secret-{now}"),
        });
        answer(200, json!({ "Name": SECRET, "VersionId": now.to_string(), "SecretString": secret.to_string() }))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_between_look_and_write_is_kept_and_it_is_tried_again_but_not_for_ever() {
    for (times, done) in [(0, true), (2, true), (3, false)] {
        let mut here = Here::new().await;
        let secrets = renewing(times).await;
        here.ask_instead(&secrets, "AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let set = [&rotation(CLIENT_ID)[..], &["--anyway"]].concat();
        let output = here.run_with(&set, "rotated").await;
        assert_eq!(output.status.success(), done, "{times}: {output:?}");
        let asked = secrets.asked();
        let written = asked.iter().rev().find(|asked| asked.body.contains("SecretString")).unwrap();
        let kept = format!("made-up-secret-{}", times.min(2));
        assert!(written.body.contains("rotated") && written.body.contains(&kept), "{times}: the newest token is kept");
        if !done {
            assert!(refusal(&output).contains("somebody else wrote the read secret"), "{output:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_about_to_be_deleted_is_told_from_any_other() {
    let mut here = Here::new().await;
    let secrets = Scripted::start(|_, _| {
        let body = json!({ "__type": "InvalidRequestException", "message": "it was marked for deletion" });
        http::Response::builder().status(400).body(body.to_string()).unwrap()
    })
    .await;
    here.ask_instead(&secrets, "AWS_ENDPOINT_URL_SECRETS_MANAGER");
    let refused = refusal(&here.run_with(&rotation(CLIENT_ID), CLIENT_SECRET).await);
    assert!(refused.contains(&format!("restore-secret --secret-id {SECRET}")), "{refused}");
    let doctor = here.run(&["doctor", "--tenant", TENANT]).await;
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("Secrets Manager is about to delete it"), "{doctor:?}");
}
