//! Entra ID as an OpenID provider: what it publishes, what it signs, and the page for a person at a browser.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{Fault, FaultKind, Person, Target};

use crate::support::{FIRST, World, credentials, json};

const BACK: &str = "http://127.0.0.1:4711/back";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-in-all";

async fn get(world: &World, path: &str) -> (u16, Value) {
    let answer = world.client.get(world.simulator.microsoft_url() + path).send().await.unwrap();
    (answer.status().as_u16(), json(answer).await)
}

async fn keys(world: &World) -> Vec<Value> {
    get(world, &format!("/{FIRST}/discovery/v2.0/keys")).await.1["keys"].as_array().unwrap().clone()
}

/// Header and claims of a token, if one of the published keys has signed it. By ring, which has no part in signing.
async fn verified(world: &World, token: &str) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    let key = keys(world).await.into_iter().find(|key| key["kid"] == header["kid"])?;
    let [n, e] = ["n", "e"].map(|name| decoded(key[name].as_str().unwrap()));
    let public = RsaPublicKeyComponents { n, e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decoded(signature)).ok()?;
    Some((header, serde_json::from_slice(&decoded(claims)).unwrap()))
}

fn authorize_url(world: &World) -> Url {
    let client = format!("client-of-{FIRST}");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = [
        ("client_id", &*client),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", "openid profile"),
        ("state", "a\"><script>"),
        ("nonce", "a-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&format!("{}/{FIRST}/oauth2/v2.0/authorize", world.simulator.microsoft_url()), query)
        .unwrap()
}

async fn redeemed(world: &World, code: &str) -> Value {
    let mut form = credentials(FIRST, "openid profile").to_vec();
    form[0].1 = "authorization_code";
    form.extend([("code", code), ("redirect_uri", BACK), ("code_verifier", VERIFIER)]);
    json(world.ask_for_token(FIRST, &form).await).await
}

async fn signed_in(world: &World, person: Person) -> Value {
    world.simulator.approve_next(FIRST, person).unwrap();
    let answer = world.client.get(authorize_url(world)).send().await.unwrap();
    let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    redeemed(world, &back.query_pairs().find(|(name, _)| name == "code").unwrap().1).await
}

#[tokio::test]
async fn it_says_of_itself_where_its_endpoints_and_keys_are() {
    let world = World::start().await;
    let base = format!("{}/{FIRST}", world.simulator.microsoft_url());
    let (status, found) = get(&world, &format!("/{FIRST}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!((status, &found["issuer"]), (200, &json!(format!("{base}/v2.0"))));
    for (name, path) in [
        ("authorization_endpoint", "oauth2/v2.0/authorize"),
        ("token_endpoint", "oauth2/v2.0/token"),
        ("jwks_uri", "discovery/v2.0/keys"),
    ] {
        assert_eq!(found[name], format!("{base}/{path}"));
    }
    assert_eq!(keys(&world).await.len(), 1);
    for path in ["/nobody/v2.0/.well-known/openid-configuration", "/nobody/discovery/v2.0/keys"] {
        assert_eq!(get(&world, path).await.0, 400, "{path}");
    }
    assert_eq!((world.simulator.requests().discovery, world.simulator.requests().keys), (2, 2));
}

#[tokio::test]
async fn an_id_token_is_signed_and_says_who_and_with_which_roles() {
    let world = World::start().await;
    for (person, roles, wids) in [
        (Person::admin_agent(FIRST), json!(["AdminAgent"]), 1),
        (Person::global_administrator(FIRST), json!(["AdminAgent"]), 2),
        (Person::reader(FIRST), json!([]), 1),
    ] {
        let body = signed_in(&world, person.clone()).await;
        let (header, claims) = verified(&world, body["id_token"].as_str().unwrap()).await.unwrap();
        assert_eq!(header["alg"], "RS256");
        assert_eq!((&claims["roles"], claims["wids"].as_array().unwrap().len()), (&roles, wids));
        assert_eq!(
            (&claims["nonce"], &claims["tid"], &claims["ver"]),
            (&json!("a-nonce"), &json!(FIRST), &json!("2.0"))
        );
        assert_eq!(claims["preferred_username"], person.name);
        assert!(body.get("refresh_token").is_none(), "nobody asked for one");
    }
    let again = signed_in(&world, Person::reader(FIRST)).await;
    let [one, two] = [again, signed_in(&world, Person::reader(FIRST)).await]
        .map(|body| body["id_token"].as_str().unwrap().to_owned());
    let oid = |claims: Option<(Value, Value)>| claims.unwrap().1["oid"].clone();
    assert_eq!(oid(verified(&world, &one).await), oid(verified(&world, &two).await), "the same person is the same id");
}

#[tokio::test]
async fn the_application_is_called_by_a_token_of_a_persons_or_its_own() {
    let world = World::start().await;
    let token = world.simulator.access_token(FIRST, &Person::admin_agent(FIRST)).unwrap();
    let (_, claims) = verified(&world, &token).await.unwrap();
    assert_eq!((&claims["scp"], &claims["aud"]), (&json!("access_as_user"), &json!(format!("client-of-{FIRST}"))));
    let scope = format!("api://client-of-{FIRST}/.default");
    let body = json(world.ask_for_token(FIRST, &credentials(FIRST, &scope)).await).await;
    let (_, claims) = verified(&world, body["access_token"].as_str().unwrap()).await.unwrap();
    assert_eq!((&claims["idtyp"], &claims["roles"], claims.get("scp")), (&json!("app"), &json!([]), None));
}

#[tokio::test]
async fn a_new_key_is_published_beside_the_old_one_which_may_be_withdrawn() {
    let world = World::start().await;
    let old = world.simulator.access_token(FIRST, &Person::admin_agent(FIRST)).unwrap();
    assert_eq!(world.control("POST", "/token-keys/rotate", "").await.status(), 204);
    let new = world.simulator.access_token(FIRST, &Person::admin_agent(FIRST)).unwrap();
    assert_eq!(keys(&world).await.len(), 2);
    assert!(verified(&world, &old).await.is_some() && verified(&world, &new).await.is_some());
    world.simulator.rotate_token_keys(true).unwrap();
    assert_eq!(keys(&world).await.len(), 1);
    assert!(verified(&world, &old).await.is_none() && verified(&world, &new).await.is_none());
}

#[tokio::test]
async fn a_browser_gets_a_form_that_signs_in_whoever_is_chosen() {
    let world = World::start().await;
    let url = authorize_url(&world);
    let browser = || world.client.get(url.clone()).header("accept", "text/html,application/xhtml+xml;q=0.9");
    let page = browser().send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("<form method=\"post\">") && !page.contains("<script"), "{page}");
    assert!(page.contains("value=\"a&quot;&gt;&lt;script&gt;\""));
    let choose = async |choice: &str| {
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("simulated_choice".to_owned(), choice.to_owned()));
        let mut action = url.clone();
        action.set_query(None);
        world.client.post(action).form(&form).send().await.unwrap()
    };
    let answer = choose("global-administrator").await;
    assert_eq!(answer.status(), 302);
    let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    let query: std::collections::HashMap<_, _> = back.query_pairs().into_owned().collect();
    assert_eq!(query["state"], "a\"><script>");
    let body = redeemed(&world, &query["code"]).await;
    let (_, claims) = verified(&world, body["id_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(claims["preferred_username"], Person::global_administrator(FIRST).name);
    assert!(choose("deny").await.headers()["location"].to_str().unwrap().contains("error=access_denied"));
    assert_eq!(choose("somebody-else").await.status(), 200, "the page again");
    // What was decided ahead needs no page.
    world.simulator.approve_next(FIRST, Person::reader(FIRST)).unwrap();
    assert_eq!(browser().send().await.unwrap().status(), 302);
}

#[tokio::test]
async fn discovery_and_tokens_misbehave_on_demand() {
    let world = World::start().await;
    let discovery = format!("/{FIRST}/v2.0/.well-known/openid-configuration");
    let set = |target, kind| world.simulator.set_fault(Fault::new(target, kind).times(1)).unwrap();
    set(Target::Discovery, FaultKind::WrongIssuer);
    assert!(get(&world, &discovery).await.1["issuer"].as_str().unwrap().contains("ffffffff"));
    set(Target::Discovery, FaultKind::ForeignEndpoints);
    assert!(get(&world, &discovery).await.1["token_endpoint"].as_str().unwrap().contains("elsewhere.example"));
    set(Target::Keys, FaultKind::Fail { status: 503 });
    let keys = world.client.get(format!("{}/{FIRST}/discovery/v2.0/keys", world.simulator.microsoft_url()));
    assert_eq!(keys.send().await.unwrap().status(), 503);
    set(Target::Token, FaultKind::WrongIssuer);
    let body = signed_in(&world, Person::admin_agent(FIRST)).await;
    let (_, claims) = verified(&world, body["id_token"].as_str().unwrap()).await.unwrap();
    assert!(claims["iss"].as_str().unwrap().contains("ffffffff"));
    set(Target::Token, FaultKind::WrongNonce);
    let body = signed_in(&world, Person::admin_agent(FIRST)).await;
    let (_, claims) = verified(&world, body["id_token"].as_str().unwrap()).await.unwrap();
    assert_ne!(claims["nonce"], "a-nonce");
    assert!(world.simulator.set_fault(Fault::new(Target::List, FaultKind::WrongIssuer)).is_err());
}
