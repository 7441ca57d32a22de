//! Saved views on the page of alerts: what is there is shown, and what its forms hold does what they say.

use serde_json::{Value, json};
use simulator::Person;
use tests::TENANT;

use crate::support::{OTHER, World};

fn agent() -> Person {
    Person::admin_agent(TENANT)
}

/// A page, as an admin agent sees it.
async fn page(world: &World, path: &str) -> String {
    page_of(world, &agent(), path).await
}

async fn page_of(world: &World, person: &Person, path: &str) -> String {
    let answer = world.asks(person, ("GET", path), None).await;
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, 200, "{path}: {text}");
    text
}

/// Saves a view as a program of the same person would.
async fn save(world: &World, view: &Value) {
    let path = format!("/api/v1/tenants/{TENANT}/views");
    let answer = world.asks(&agent(), ("POST", &path), Some(("application/json", view.to_string()))).await;
    assert_eq!(answer.status(), 201, "{view}");
}

/// Sends what a form of a page holds, with what a person chose in it.
async fn send(world: &World, page: &str, action: &str, chosen: &[(&str, &str)]) {
    let form = page.split("<form ").find(|form| form.contains(&format!("action=\"{action}\""))).unwrap();
    let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        (name, unescaped(rest.split('"').next().unwrap()))
    });
    let chosen = chosen.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(hidden.chain(chosen)).finish();
    let answer = world.asks(&agent(), ("POST", action), Some(("application/x-www-form-urlencoded", body))).await;
    let status = answer.status();
    assert_eq!(status, 303, "{action}: {}", answer.text().await.unwrap());
}

fn unescaped(text: &str) -> String {
    text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

#[tokio::test]
async fn what_is_shown_is_saved_found_again_changed_and_removed_by_forms() {
    let world = World::start(&[]).await;
    let address = format!("/?severity=high%2Cmedium&state=all&tenant={TENANT}");
    let views = format!("/api/v1/tenants/{TENANT}/views");
    let shown = page(&world, &address).await;
    assert!(!shown.contains("aria-label=\"Saved views\""), "{shown}");
    assert!(!shown.contains(&format!("/api/v1/tenants/{OTHER}/views")), "one tenant is chosen: {shown}");
    send(&world, &shown, &views, &[("name", "Bad ones"), ("shared", "")]).await;

    let shown = page(&world, &address).await;
    let href = address.replace('&', "&amp;");
    let link = |current: &str| format!("<a class=\"button\" href=\"{href}\"{current}><bdi>Bad ones</bdi></a>");
    assert!(shown.contains(&link(" aria-current=\"page\"")), "{shown}");
    let first = page(&world, "/").await;
    assert!(first.contains(&link("")), "from everywhere, it leads there: {first}");
    assert!(first.contains(&format!("formaction=\"/api/v1/tenants/{OTHER}/views\"")), "either may keep it: {first}");

    // Changed to what is shown elsewhere, then called otherwise.
    let id = world.found(&format!("tenants/{TENANT}/views")).await.body["views"][0]["id"].as_str().unwrap().to_owned();
    let place = format!("{views}/{id}");
    assert_eq!(
        first.matches("name=\"query\" value=\"state=open\"").count(),
        2,
        "what names nothing is kept so: {first}"
    );
    send(&world, &first, &place, &[("name", "Bad ones"), ("shared", "true"), ("query", "state=open")]).await;
    let shown = page(&world, "/").await;
    assert!(shown.contains("href=\"/?state=open\""), "{shown}");
    send(&world, &shown, &place, &[("name", "Open"), ("shared", ""), ("query", "state=open")]).await;
    let view = &world.found(&format!("tenants/{TENANT}/views")).await.body["views"][0];
    assert_eq!((&view["name"], &view["is_shared"], &view["revision"]), (&json!("Open"), &json!(false), &json!(3)));
    let shown = page(&world, "/").await;
    send(&world, &shown, &format!("{place}/remove"), &[]).await;
    assert!(!page(&world, "/").await.contains("Open</bdi>"));
}

#[tokio::test]
async fn what_somebody_saved_is_read_and_never_an_address_or_markup() {
    let world = World::start(&[]).await;
    let hostile = "</a><script>alert(1)</script>\"x=\u{202e}";
    for (name, query) in [
        (hostile, "q=%22%3E%3Cscript%3Ealert(2)%3C%2Fscript%3E&cursor=abc"),
        ("Elsewhere", "//evil.example/?state=open"),
        ("Script", "javascript:alert(3)"),
        ("Of another release", "state=open&phase=moon"),
    ] {
        save(&world, &json!({ "name": name, "query": query })).await;
    }
    let shown = page(&world, "/").await;
    assert_eq!(shown.matches("<script").count(), 1, "ours alone: {shown}");
    let nav = shown.split("aria-label=\"Saved views\">").nth(1).unwrap().split("</nav>").next().unwrap();
    assert_eq!(nav.matches("href=").count(), 1, "what is no view leads nowhere: {nav}");
    assert!(nav.contains("href=\"/?q=%22%3E%3Cscript%3Ealert%282%29%3C%2Fscript%3E\""), "{nav}");
    assert_eq!(nav.matches("(can't be shown here)").count(), 3, "{nav}");
    assert!(nav.contains("&lt;script&gt;alert(1)") && !nav.contains('\u{202e}'), "{nav}");
}

#[tokio::test]
async fn a_view_is_shown_to_whom_it_is_for_and_changed_by_whom_it_is_of() {
    let world = World::start(&[]).await;
    for (name, shared) in [("Mine", false), ("Ours", true)] {
        save(&world, &json!({ "name": name, "query": "state=all", "shared": shared })).await;
    }
    let own = page(&world, "/").await;
    assert_eq!((own.matches("<summary>Change ").count(), own.contains("<bdi>Mine</bdi>")), (2, true), "{own}");
    let somebody = Person { name: "bob@contoso.example".to_owned(), ..agent() };
    let others = page_of(&world, &somebody, "/").await;
    assert!(others.contains("<bdi>Ours</bdi>") && !others.contains("Mine"), "{others}");
    assert!(!others.contains("<summary>Change ") && others.contains("Name for this view"), "{others}");
}

#[tokio::test]
async fn who_may_only_see_has_no_form() {
    let sees = ("ROLE_MAP", r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"*"}]"#);
    let world = World::start(&[sees]).await;
    let shown = page(&world, "/").await;
    assert!(!shown.contains("/views") && !shown.contains("Save this view"), "{shown}");
}
