//! What roles allow: the default, and whatever a partner makes of it.

use identity::{Claims, Kind, Permission, RoleMap, UnverifiedPerson};

use crate::support::{OTHER_TENANT, PERSON, TENANT, of, person, tenant};

const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

fn allowed_by(map: &RoleMap, claims: &Claims) -> Vec<(Permission, bool, bool)> {
    let access = map.access(claims);
    let may = |permission| {
        (permission, access.may(permission, &tenant(TENANT)), access.may(permission, &tenant(OTHER_TENANT)))
    };
    [Permission::See, Permission::Resolve, Permission::Cancel].map(may).to_vec()
}

fn allowed(map: &str, claims: &Claims) -> Vec<(Permission, bool, bool)> {
    allowed_by(&RoleMap::read(Some(map), 1).unwrap(), claims)
}

#[test]
fn the_default_follows_microsoft_and_reaches_further_than_the_own_tenant_only_where_there_is_one_to_sign_in_to() {
    use Permission::{Cancel, Resolve, See};
    let nothing = [(See, false, false), (Resolve, false, false), (Cancel, false, false)];
    for (roles, of_one, of_several) in [
        (&[][..], nothing, nothing),
        (
            &["AdminAgent"],
            [(See, true, true), (Resolve, true, true), (Cancel, false, false)],
            [(See, true, false), (Resolve, true, false), (Cancel, false, false)],
        ),
        (&["GlobalAdministrator"], nothing, nothing),
        (
            &["AdminAgent", "GlobalAdministrator"],
            [(See, true, true), (Resolve, true, true), (Cancel, true, false)],
            [(See, true, false), (Resolve, true, false), (Cancel, true, false)],
        ),
        (&["adminagent", "HelpdeskAgent", "Owner"], nothing, nothing),
    ] {
        let person = person(TENANT, roles);
        assert_eq!(allowed_by(&RoleMap::read(None, 1).unwrap(), &person), of_one, "{roles:?}");
        assert_eq!(allowed_by(&RoleMap::read(None, 2).unwrap(), &person), of_several, "{roles:?}");
    }
}

#[test]
fn a_role_that_another_tenants_administrators_gave_counts_where_the_map_believes_them() {
    let grants = [
        (r#""tenants":"*","from":["TENANT"]"#, [(true, true), (false, false)]),
        (r#""tenants":["OTHER"],"from":["TENANT"]"#, [(false, true), (false, false)]),
        (r#""tenants":"*","from":["TENANT","OTHER"]"#, [(true, true), (true, true)]),
        (r#""tenants":"own""#, [(true, false), (false, true)]),
        (r#""tenants":"own","from":["OTHER"]"#, [(false, false), (false, true)]),
    ];
    for (grant, expected) in grants {
        let map = format!(r#"[{{"roles":["AdminAgent"],"permissions":["resolve"],{grant}}}]"#);
        let map = map.replace("TENANT", TENANT).replace("OTHER", OTHER_TENANT);
        let map = RoleMap::read(Some(&map), 2).unwrap();
        let resolves = [TENANT, OTHER_TENANT].map(|signed_in_to| {
            let (_, own, other) = allowed_by(&map, &person(signed_in_to, &["AdminAgent"]))[1];
            (own, other)
        });
        assert_eq!(resolves, expected, "{grant}: whoever signs in to {TENANT}, and to {OTHER_TENANT}");
    }
    for further in [r#""tenants":"*""#.to_owned(), format!(r#""tenants":["{TENANT}"]"#)] {
        let own = r#"{"roles":["A"],"permissions":["see"],"tenants":"own"}"#;
        let map = format!(r#"[{own},{{"roles":["A"],"permissions":["see"],{further}}}]"#);
        let error = RoleMap::read(Some(&map), 2).unwrap_err().to_string();
        assert!(error.starts_with("grant 2 reaches other tenants") && error.contains("add \"from\""), "{error}");
        assert!(RoleMap::read(Some(&map), 1).is_ok(), "one tenant's administrators give all roles");
    }
}

#[test]
fn a_directory_role_is_read_from_wids_and_from_nowhere_else() {
    let agent = ["AdminAgent".to_owned()];
    let token = |roles: &[String], wids: &[String]| {
        let person = UnverifiedPerson { oid: PERSON, tid: TENANT, name: "", roles, wids };
        Claims::of_verified(&person, Kind::Person).unwrap()
    };
    let may_cancel = |claims: &Claims| allowed(RoleMap::DEFAULT, claims)[2].1;
    assert!(may_cancel(&token(&agent, &[GLOBAL_ADMINISTRATOR.to_uppercase()])));
    assert!(!may_cancel(&token(&agent, &["b79fbf4d-3ef9-4689-8143-76b194e85509".to_owned()])));
    assert!(!may_cancel(&token(&[GLOBAL_ADMINISTRATOR.to_owned(), agent[0].clone()], &[])));
    assert!(!may_cancel(&token(&[], &[GLOBAL_ADMINISTRATOR.to_owned()])));
}

#[test]
fn a_program_never_cancels() {
    let claims = of(Kind::Application, TENANT, "", &["AdminAgent", "GlobalAdministrator"]);
    assert_eq!(
        allowed(RoleMap::DEFAULT, &claims),
        [(Permission::See, true, true), (Permission::Resolve, true, true), (Permission::Cancel, false, false)]
    );
}

#[test]
fn a_partners_own_roles_reach_the_tenants_that_they_name() {
    let map = format!(
        r#"[{{"roles":["Reader"],"permissions":["see"],"tenants":["{OTHER_TENANT}"]}},
            {{"roles":["Desk"],"permissions":["see","resolve"],"tenants":"own"}}]"#
    );
    let seen = |roles: &[&str]| {
        allowed(&map, &person(TENANT, roles)).into_iter().map(|(_, own, other)| (own, other)).collect::<Vec<_>>()
    };
    assert_eq!(seen(&["Reader"]), [(false, true), (false, false), (false, false)]);
    assert_eq!(seen(&["Desk"]), [(true, false), (true, false), (false, false)]);
    assert_eq!(seen(&["AdminAgent", "GlobalAdministrator"]), [(false, false); 3]);
}

#[test]
fn a_map_that_can_not_be_meant_is_refused_with_what_to_do() {
    let tenants: Vec<String> = (0..51).map(|n| format!("\"{n:08x}-1111-4222-8333-444444444444\"")).collect();
    let many = format!(r#"[{{"roles":["A"],"permissions":["see"],"tenants":[{}]}}]"#, tenants.join(","));
    for (map, says) in [
        (r#"[{"roles":["AdminAgent"],"permissions":["cancel"],"tenants":"*"}]"#, "add them to its \"roles\""),
        (r#"[{"roles":["GlobalAdministrator"],"permissions":["cancel"],"tenants":"*"}]"#, "add them to its \"roles\""),
        (r#"[{"roles":[],"permissions":["see"],"tenants":"*"}]"#, "grant 1 has an empty list"),
        (r#"[{"roles":["A"],"permissions":[],"tenants":"*"}]"#, "grant 1 has an empty list"),
        (r#"[{"roles":["A"],"permissions":["see"],"tenants":[]}]"#, "grant 1 has an empty list"),
        (r#"[{"roles":["A"],"permissions":["see"],"tenants":"*","from":[]}]"#, "grant 1 has an empty list"),
        (r#"[{"roles":["A"],"permissions":["see"],"tenants":"*","from":["contoso"]}]"#, "it is not of the form"),
        (r#"[{"roles":["A"],"permissions":["see"],"tenants":"all"}]"#, "it is not of the form"),
        (r#"[{"roles":["A"],"permissions":["delete"],"tenants":"*"}]"#, "it is not of the form"),
        (r#"[{"roles":["A"],"permissions":["see"]}]"#, "it is not of the form"),
        (r#"[{"roles":["A"],"permissions":["see"],"tenants":"*","unless":["B"]}]"#, "it is not of the form"),
        ("{}", "it is not of the form"),
        (&many, "it names 51 tenants"),
    ] {
        let error = RoleMap::read(Some(map), 1).unwrap_err().to_string();
        assert!(error.contains(says), "{map}: {error}");
    }
    assert!(RoleMap::read(Some("[]"), 1).unwrap().access(&person(TENANT, &["AdminAgent"])).is_none());
}
