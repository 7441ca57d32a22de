//! What is kept of a secret when it is changed, and that nothing is written before it is proven.

use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Person, RetryAfter, Target};
use tests::{
    CLIENT_ID, CLIENT_SECRET, TENANT,
    secrets::{APPLICATION_CERTIFICATE, APPLICATION_KEY},
};

use crate::support::{Here, refusal};

/// The seed tenant's.
pub(crate) const SECRET: &str = "partner-alerts/read/local";
const OTHER_CLIENT: &str = "22222222-2222-4333-8444-555555555555";
const OTHER_CERTIFICATE: &str =
    include_str!("../../../shared/partner-center/tests/data/test-only-other-certificate.pem");
const EXPIRED_CERTIFICATE: &str =
    include_str!("../../../shared/partner-center/tests/data/test-only-expired-certificate.pem");

/// A change of the seed tenant's secret: a client secret from standard input.
pub(crate) fn rotation(client_id: &str) -> Vec<&str> {
    vec!["tenants", "set", TENANT, "--client-id", client_id, "--client-secret-file", "-"]
}

impl Here {
    fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.test.system.parts().aws)
    }

    pub(crate) async fn put(&self, text: &str) {
        self.secrets().put_secret_value().secret_id(SECRET).secret_string(text).send().await.unwrap();
    }

    /// A system whose tenant acts for a person, and the secret.
    pub(crate) async fn for_a_person() -> (Self, Value) {
        let here = Self::new().await;
        let token = here.simulator().refresh_token_of(TENANT, Person::admin_agent(TENANT)).unwrap();
        let secret = json!({
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": token,
            "refresh_token_obtained": "2026-03-02T09:00:00Z", "owner": "soc@example.com",
        });
        here.put(&secret.to_string()).await;
        (here, secret)
    }

    async fn previous(&self) -> Value {
        let get =
            self.secrets().get_secret_value().secret_id(SECRET).version_stage("AWSPREVIOUS").send().await.unwrap();
        serde_json::from_str(get.secret_string().unwrap()).unwrap()
    }
}

/// Two files that a command is to read.
fn pem_files(certificate: &str) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::TempDir::new().unwrap();
    let [certified, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&certified, certificate).unwrap();
    std::fs::write(&key, APPLICATION_KEY).unwrap();
    let [certified, key] = [certified, key].map(|path| path.display().to_string());
    (folder, vec!["--certificate-file".to_owned(), certified, "--private-key-file".to_owned(), key])
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_secret_leaves_the_refresh_token_and_what_people_wrote() {
    let (here, before) = Here::for_a_person().await;
    let day = ["--client-secret-expires", "2126-05-01"];
    let set = [&rotation(CLIENT_ID)[..], &day].concat();
    let done = here.run_with(&set, CLIENT_SECRET).await;
    assert!(done.status.success(), "{done:?}");
    let mut expected = before.clone();
    expected["client_secret_expires"] = "2126-05-01T00:00:00Z".into();
    assert_eq!(here.secret(SECRET).await.unwrap(), expected);
    assert_eq!(here.previous().await, before);

    // A certificate in its place. The stand-in knows none of this application's, so it is not taken before it is meant.
    let (_folder, files) = pem_files(APPLICATION_CERTIFICATE);
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let set = [&["tenants", "set", TENANT, "--client-id", CLIENT_ID], &files[..]].concat();
    let refused = here.refused(&set).await;
    assert!(refused.contains("certificate-refused"), "{refused}");
    assert_eq!(here.secret(SECRET).await.unwrap(), expected);
    here.told(&[&set[..], &["--anyway"]].concat()).await;
    let mut certified = before.clone();
    certified.as_object_mut().unwrap().remove("client_secret");
    certified["certificate"] = APPLICATION_CERTIFICATE.into();
    certified["private_key"] = APPLICATION_KEY.into();
    assert_eq!(here.secret(SECRET).await.unwrap(), certified);
    assert_eq!(here.previous().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_dropped_only_where_that_is_said() {
    let (here, before) = Here::for_a_person().await;
    let refused = refusal(&here.run_with(&rotation(OTHER_CLIENT), "another").await);
    assert!(refused.contains("is another application's") && refused.contains("--app-only"), "{refused}");
    let anyway = [&rotation(OTHER_CLIENT)[..], &["--anyway"]].concat();
    let refused = refusal(&here.run_with(&anyway, "another").await);
    assert!(refused.contains("is another application's"), "{refused}");
    assert_eq!(here.secret(SECRET).await.unwrap(), before);

    let set = here.told(&["tenants", "set", TENANT, "--app-only"]).await;
    assert!(set.contains("a client secret, for the application alone (app-only)"), "{set}");
    let expected = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "owner": "soc@example.com" });
    assert_eq!(here.secret(SECRET).await.unwrap(), expected);
    assert_eq!(here.previous().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_sign_in_is_written_only_where_it_is_meant() {
    let (here, before) = Here::for_a_person().await;
    let refused = refusal(&here.run_with(&rotation(CLIENT_ID), "wrong").await);
    assert!(refused.contains("nothing was written: the sign-in does not work; --anyway"), "{refused}");
    assert!(refused.contains("problem  sign-in to Graph") && refused.contains("client-secret-wrong"), "{refused}");
    assert!(refused.contains("problem  sign-in to Partner Center") && !refused.contains('\u{1b}'), "{refused}");
    assert_eq!(here.secret(SECRET).await.unwrap(), before);

    let anyway = [&rotation(CLIENT_ID)[..], &["--anyway"]].concat();
    let done = here.run_with(&anyway, "wrong").await;
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && said.contains("problem  sign-in to Graph"), "{said}");
    assert_eq!(here.secret(SECRET).await.unwrap()["client_secret"], "wrong");
    // From a bad one nothing gets worse.
    assert!(here.run_with(&rotation(CLIENT_ID), CLIENT_SECRET).await.status.success());
    assert_eq!(here.secret(SECRET).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_can_do_less_than_the_one_before_is_thrown_away() {
    let (here, before) = Here::for_a_person().await;
    let mut asking = here.begin(&["tenants", "set", TENANT, "--consent", "browser", "--redirect-port", "0"]).await;
    let without_a_second_factor = Person { mfa: false, ..Person::admin_agent(TENANT) };
    here.simulator().approve_next(TENANT, without_a_second_factor).unwrap();
    here.browse(&here.sent_from(&asking.url().await).await).await;
    let refused = refusal(&asking.end().await);
    assert!(refused.contains("with what is kept there was no problem (alerts)"), "{refused}");
    assert!(refused.contains("mfa-missing"), "{refused}");
    assert_eq!(here.secret(SECRET).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_microsofts_side_writes_nothing_and_says_to_try_again() {
    for (target, kind) in [
        (Target::Token, FaultKind::Throttle { retry_after: RetryAfter::Seconds(3_600) }),
        (Target::List, FaultKind::Fail { status: 503 }),
        (Target::RegistrationGet, FaultKind::Fail { status: 503 }),
    ] {
        let (here, before) = Here::for_a_person().await;
        here.simulator().set_fault(Fault::new(target, kind)).unwrap();
        let refused = refusal(&here.run_with(&rotation(CLIENT_ID), CLIENT_SECRET).await);
        assert!(refused.contains("so try again; --anyway") && refused.contains("unknown"), "{target:?}: {refused}");
        assert_eq!(here.secret(SECRET).await.unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_secret_does_not_sign_in_is_not_added() {
    let here = Here::without_tenant().await;
    let by_secret = ["tenants", "add", TENANT, "--name", "x", "--client-id", CLIENT_ID, "--client-secret-file", "-"];
    let refused = refusal(&here.run_with(&by_secret, "wrong").await);
    assert!(refused.contains("the sign-in does not work"), "{refused}");
    assert_eq!(here.secret(&format!("partner-alerts/read/{TENANT}")).await, None);

    let kept = ["tenants", "add", TENANT, "--name", "x", "--read-secret"];
    let refused = here.refused(&[&kept[..], &["partner-alerts/read/none"]].concat()).await;
    assert!(refused.contains("Secrets Manager has no such secret"), "{refused}");
    let act = [SECRET, "--act-secret", "partner-alerts/act/none"];
    let refused = here.refused(&[&kept[..], &act].concat()).await;
    assert!(refused.contains("ok       sign-in to Graph") && refused.contains("problem  act secret"), "{refused}");
    assert_eq!(here.json(&["tenants", "list"]).await, json!([]));

    here.told(&[&kept[..], &act, &["--anyway"]].concat()).await;
    assert_eq!(here.json(&["tenants", "list"]).await[0]["act_secret"], "partner-alerts/act/none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_read_is_mended_and_of_what_can_the_rest_is_kept() {
    let here = Here::new().await;
    here.put("marker {").await;
    let refused = here.refused(&["tenants", "set", TENANT, "--consent", "device-code"]).await;
    assert!(refused.contains("it is not JSON") && refused.contains("What to do: replace it"), "{refused}");
    assert!(!refused.contains("marker"), "{refused}");
    let done = here.run_with(&rotation(CLIENT_ID), CLIENT_SECRET).await;
    assert!(done.status.success(), "{done:?}");
    let expected = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
    assert_eq!(here.secret(SECRET).await.unwrap(), expected);

    // Two proofs are one too many.
    let (here, mut both) = Here::for_a_person().await;
    let good = both.clone();
    both["private_key"] = "x".into();
    here.put(&both.to_string()).await;
    assert!(here.run_with(&rotation(CLIENT_ID), CLIENT_SECRET).await.status.success());
    assert_eq!(here.secret(SECRET).await.unwrap(), good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_without_a_value_is_given_one() {
    let here = Here::without_tenant().await;
    let made = here.secrets().create_secret().name("partner-alerts/read/empty").send().await.unwrap();
    let arn = here.secrets().create_secret().name("partner-alerts/read/by-arn").send().await.unwrap().arn.unwrap();
    for name in [made.name.unwrap(), arn] {
        let add = ["tenants", "add", TENANT, "--name", "x", "--read-secret", &name];
        let missing = here.refused(&[&add[..], &["--consent", "browser"]].concat()).await;
        assert!(missing.contains(&format!("there is no secret {name} yet")), "{missing}");
        let client = ["--client-id", CLIENT_ID, "--client-secret-file", "-"];
        let done = here.run_with(&[&add[..], &client].concat(), CLIENT_SECRET).await;
        assert!(done.status.success(), "{done:?}");
        assert_eq!(here.secret(&name).await.unwrap()["client_id"], CLIENT_ID);
        here.told(&["tenants", "remove", TENANT]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_expired_or_is_another_keys_is_refused() {
    let here = Here::new().await;
    for (certificate, words) in
        [(EXPIRED_CERTIFICATE, "the certificate has expired"), (OTHER_CERTIFICATE, "do not belong together")]
    {
        let (_folder, files) = pem_files(certificate);
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        let set = [&["tenants", "set", TENANT, "--client-id", CLIENT_ID, "--anyway"], &files[..]].concat();
        let refused = here.refused(&set).await;
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!(here.secret(SECRET).await.unwrap()["client_secret"], CLIENT_SECRET);
}
