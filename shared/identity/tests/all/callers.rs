//! A caller is made of one form of context alone, whatever a gateway hands over.

use identity::{Access, Caller, How, Kind, NoCaller, Permission, RoleMap, Verdict};
use models::TenantId;
use serde_json::{Map, Value, json};

use crate::support::{OTHER_TENANT, STRANGER_TENANT, TENANT, made, of, person, tenant};

fn map(text: &str) -> RoleMap {
    RoleMap::read(Some(text), 1).unwrap()
}

fn agent() -> Caller {
    let claims = person(TENANT, &["AdminAgent", "GlobalAdministrator"]);
    let access = map(RoleMap::DEFAULT).access(&claims);
    made(&claims, How::Session, access)
}

fn read(context: &Map<String, Value>) -> Result<Caller, NoCaller> {
    Caller::from_context(context.iter().map(|(name, value)| (name.as_str(), value)))
}

#[test]
fn what_authorize_says_is_what_a_handler_reads() {
    for (verdict, outcome) in [
        (Verdict::Ok(agent()), Ok(agent())),
        (Verdict::Anonymous, Err(NoCaller::Anonymous)),
        (Verdict::Expired, Err(NoCaller::Expired)),
        (Verdict::Foreign, Err(NoCaller::Foreign)),
        (Verdict::Invalid, Err(NoCaller::Invalid)),
        (Verdict::Unavailable, Err(NoCaller::Unavailable)),
    ] {
        let context = verdict.context();
        assert!(context.values().all(Value::is_string), "API Gateway hands on flat texts: {context:?}");
        assert_eq!(read(&context), outcome);
    }
}

#[test]
fn no_mistake_of_a_gateway_makes_a_caller() {
    let good = Verdict::Ok(agent()).context();
    let caller = good["caller"].as_str().unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(caller).unwrap();
        change(&mut value);
        json!({ "state": "ok", "caller": value.to_string() })
    };
    let rows = [
        ("no context", json!({})),
        ("a state alone", json!({ "state": "ok" })),
        ("a caller alone", json!({ "caller": caller })),
        ("another state", json!({ "state": "OK", "caller": caller })),
        ("no state at all", json!({ "state": "", "caller": caller })),
        ("ok and not", json!({ "state": "anonymous", "caller": caller })),
        ("the claims of a JWT authorizer beside", json!({ "state": "ok", "caller": caller, "jwt": "x" })),
        ("the claims of a JWT authorizer", json!({ "claims": { "sub": "x" }, "scopes": null })),
        ("an integration's own value", json!({ "principalId": "user", "integrationLatency": "1" })),
        ("a flag that is no text", json!({ "state": true, "caller": caller })),
        (
            "a caller that is an object",
            json!({ "state": "ok", "caller": serde_json::from_str::<Value>(caller).unwrap() }),
        ),
        ("a list", json!({ "state": ["ok"], "caller": [caller] })),
        ("no JSON", json!({ "state": "ok", "caller": "ada" })),
        ("something behind it", json!({ "state": "ok", "caller": format!("{caller} {caller}") })),
        ("a name twice", json!({ "state": "ok", "caller": caller.replacen("{\"v\":1", "{\"v\":1,\"v\":1", 1) })),
        ("too long", json!({ "state": "ok", "caller": format!("{caller}{}", " ".repeat(8_000)) })),
        ("another version", changed(&|caller| caller["v"] = json!(2))),
        ("a member more", changed(&|caller| caller["admin"] = json!(true))),
        ("another way", changed(&|caller| caller["how"] = json!("trust-me"))),
        ("another right", changed(&|caller| caller["access"][0]["may"] = json!(["everything"]))),
        ("another person", changed(&|caller| caller["oid"] = json!("ada"))),
        ("no tenant", changed(&|caller| caller["access"][0]["tenant"] = json!("all"))),
        (
            "a tenant twice",
            changed(&|caller| {
                let first = caller["access"][0].clone();
                caller["access"].as_array_mut().unwrap().push(first);
            }),
        ),
        ("a name that breaks lines", changed(&|caller| caller["name"] = json!("a\nb"))),
        ("an endless name", changed(&|caller| caller["name"] = json!("a".repeat(129)))),
    ];
    assert_eq!(read(&good), Ok(agent()));
    for (what, context) in rows {
        assert_eq!(read(context.as_object().unwrap()), Err(NoCaller::Invalid), "{what}");
    }
    let (ok, caller) = (json!("ok"), json!(caller));
    let twice = [("state", &ok), ("caller", &caller), ("state", &ok)];
    assert_eq!(Caller::from_context(twice), Err(NoCaller::Invalid), "a state twice");
}

#[test]
fn the_largest_caller_that_a_map_allows_fits_into_a_context() {
    let tenants: Vec<String> = (0..50).map(|n| format!("\"{n:08x}-1111-4222-8333-444444444444\"")).collect();
    let all = tenants.join(",");
    let map = map(&format!(
        r#"[{{"roles":["AdminAgent"],"permissions":["see","resolve"],"tenants":[{all}]}},
            {{"roles":["AdminAgent","GlobalAdministrator"],"permissions":["cancel"],"tenants":[{all}]}}]"#
    ));
    let name = "\"".repeat(identity::MOST_NAME_CHARACTERS);
    let claims = of(Kind::Person, TENANT, &name, &["AdminAgent", "GlobalAdministrator"]);
    let caller = made(&claims, How::Bearer, map.access(&claims));
    let context = Verdict::Ok(caller.clone()).context();
    assert_eq!(read(&context), Ok(caller));
    assert!(context["caller"].as_str().unwrap().len() < identity::MOST_CONTEXT_BYTES);
}

#[test]
fn a_caller_may_do_what_its_access_says_where_it_says_so() {
    let caller = agent();
    let [own, other] = [TENANT, OTHER_TENANT].map(tenant);
    let may = |permission, tenant: &TenantId| caller.access().may(permission, tenant);
    assert!(may(Permission::See, &own) && may(Permission::See, &other) && may(Permission::Resolve, &other));
    assert!(may(Permission::Cancel, &own) && !may(Permission::Cancel, &other));
    let tenants = [other.clone(), own.clone(), tenant(STRANGER_TENANT)];
    assert_eq!(caller.access().among(Permission::Cancel, &tenants), [&own]);
    assert_eq!(caller.access().among(Permission::See, &tenants).len(), 3);
    assert!(!Access::default().may(Permission::See, &own) && Access::default().is_none());
}
