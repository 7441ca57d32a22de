//! The people's API: its routes are those of the functions, each asks `authorize` anew, and its functions may do what they do.

use std::collections::{BTreeMap, BTreeSet};

use api::Request;
use aws_sdk_dynamodb::types::AttributeValue;
use http::HeaderMap;
use identity::{Claims, How, Session, SessionId, Verdict};
use jiff::SignedDuration;
use serde_json::{Value, json};
use simulator::{NewAlert, Person};
use store::KeepSessions as _;
use tests::{ByHand, CLIENT_ID, CLIENT_SECRET, TENANT, queue_record, somebody};

use crate::{
    permissions::{asked, granted, needed_by_lambda},
    support::Template,
};

const CUSTOMER: &str = "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3";
const SUBSCRIPTION: &str = "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381";
/// What the simulated Microsoft calls it.
const NAME: &str = "Subscription 6c2e9a47";

/// The routes that a browser without a session takes to get one, or away from it.
const WITHOUT_AUTHORIZER: [&str; 3] = ["GET /sign-in", "GET /sign-in/callback", "POST /sign-out"];

/// The functions that answer routes, and which.
fn answered() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let of_resolve = resolve::ROUTES.iter().chain(&resolve::PAGES);
    BTreeMap::from([
        ("Dashboard", dashboard::ROUTES.into_iter().chain(dashboard::PAGES).collect()),
        ("Resolve", of_resolve.copied().collect()),
        ("SignIn", sign_in::ROUTES.into()),
    ])
}

#[test]
fn every_route_of_the_functions_is_there_once_and_leads_to_the_one_that_answers_it() {
    let template = Template::read();
    let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let routes = template.of_type("AWS::ApiGatewayV2::Route");
    for (name, route) in &routes {
        let route = &route["Properties"];
        let target = route["Target"]["!Sub"].as_str().unwrap();
        let function = target.strip_prefix("integrations/${").and_then(|rest| rest.strip_suffix("Integration}"));
        let is_new = found.entry(function.unwrap().to_owned()).or_default().insert(route["RouteKey"].as_str().unwrap());
        assert!(is_new, "{name} is there twice");
        assert_eq!(route["ApiId"], json!({ "!Ref": "PeopleApi" }), "{name}");
    }
    let expected = answered();
    assert_eq!(found.iter().map(|(name, keys)| (name.as_str(), keys.clone())).collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(routes.len(), expected.values().map(BTreeSet::len).sum::<usize>());
    for function in expected.keys() {
        let integration = template.at(&format!("/Resources/{function}Integration/Properties"));
        let whole = json!({
            "ApiId": { "!Ref": "PeopleApi" }, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
            "IntegrationUri": { "!GetAtt": format!("{function}Function.Arn") },
        });
        assert_eq!(*integration, whole, "{function}");
    }
}

#[test]
fn every_route_asks_who_it_is_but_those_to_sign_in_and_out_and_no_answer_to_that_is_kept() {
    let template = Template::read();
    for (name, route) in template.of_type("AWS::ApiGatewayV2::Route") {
        let route = &route["Properties"];
        let authorizer = route.get("AuthorizerId").cloned();
        if WITHOUT_AUTHORIZER.contains(&route["RouteKey"].as_str().unwrap()) {
            assert_eq!((route["AuthorizationType"].as_str(), authorizer), (Some("NONE"), None), "{name}");
        } else {
            let authorize = json!({ "!Ref": "PeopleAuthorizer" });
            assert_eq!((route["AuthorizationType"].as_str(), authorizer), (Some("CUSTOM"), Some(authorize)), "{name}");
        }
    }
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizeFunction.Arn}/invocations";
    let expected = json!({
        "ApiId": { "!Ref": "PeopleApi" },
        "Name": "authorize",
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": { "!Sub": uri },
        "AuthorizerPayloadFormatVersion": "2.0",
        // The form of what `authorize` answers.
        "EnableSimpleResponses": true,
        "IdentitySource": [],
        "AuthorizerResultTtlInSeconds": 0,
    });
    assert_eq!(*template.at("/Resources/PeopleAuthorizer/Properties"), expected);
    assert_eq!(template.of_type("AWS::ApiGatewayV2::Authorizer").len(), 1);
}

#[test]
fn requests_are_throttled_all_together_and_api_gateway_alone_invokes_what_answers_them() {
    let template = Template::read();
    let stage = template.at("/Resources/PeopleStage/Properties");
    let limits =
        json!({ "ThrottlingBurstLimit": { "!Ref": "PeopleBurst" }, "ThrottlingRateLimit": { "!Ref": "PeopleRate" } });
    assert_eq!(stage["DefaultRouteSettings"], limits);
    assert!(stage.get("RouteSettings").is_none(), "no route is let off");
    assert_eq!((&stage["StageName"], &stage["AutoDeploy"]), (&json!("$default"), &json!(true)));
    let permissions = template.of_type("AWS::Lambda::Permission");
    let from = |place: &str| {
        format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{PeopleApi}}/{place}")
    };
    let functions =
        answered().into_keys().map(|name| (name, "*")).chain([("Authorize", "authorizers/${PeopleAuthorizer}")]);
    let expected: BTreeMap<_, _> = functions
        .map(|(function, place)| {
            let properties = json!({
                "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
                "FunctionName": { "!Ref": format!("{function}Function") }, "SourceArn": { "!Sub": from(place) },
            });
            (format!("{function}Permission"), properties)
        })
        .collect();
    let found = permissions.iter().map(|(name, permission)| ((*name).to_owned(), permission["Properties"].clone()));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
}

/// Without people there is no address for them, and nothing behind it that could be invoked.
#[test]
fn the_api_and_its_functions_are_there_only_where_it_is_said_who_signs_in() {
    let template = Template::read();
    let is_set = |parameter: &str| json!({ "!Not": [{ "!Equals": [{ "!Ref": parameter }, ""] }] });
    assert_eq!(*template.at("/Conditions/PeopleSignIn"), is_set("SignInClientId"));
    assert_eq!(*template.at("/Conditions/HasPublicUrl"), is_set("PublicUrl"));
    let of_people = ["AuthorizeFunction", "DashboardFunction", "ResolveFunction", "SignInFunction"];
    for (name, resource) in template.at("/Resources").as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let is_for_people = kind.starts_with("AWS::ApiGatewayV2::")
            || kind == "AWS::Lambda::Permission"
            || of_people.contains(&name.as_str())
            // An alarm about one of them.
            || resource["Properties"]["Dimensions"][0]["Value"]["!Ref"].as_str().is_some_and(|of| of_people.contains(&of))
            // About several things of AWS's: `watched` holds that they are there under the alarm's own condition.
            || (resource["Properties"].get("Metrics").is_some() && resource.get("Condition").is_some());
        let condition = resource.get("Condition").and_then(Value::as_str);
        assert_eq!(condition, is_for_people.then_some("PeopleSignIn"), "{name}");
    }
    let is = |parameter: &str| json!({ "!Equals": [{ "!Ref": parameter }, ""] });
    let (none, both) = (
        json!({ "!And": [is("SignInClientId"), is("SignInTenants")] }),
        json!({ "!And": [{ "!Not": [is("SignInClientId")] }, { "!Not": [is("SignInTenants")] }] }),
    );
    assert_eq!(template.at("/Rules/SignInIsWhole/Assertions/0")["Assert"], json!({ "!Or": [none, both] }));
}

#[test]
fn people_are_sent_back_to_the_paths_that_the_functions_answer_at_the_address_that_these_are_told() {
    let template = Template::read();
    let url = json!({ "!If": ["HasPublicUrl", { "!Ref": "PublicUrl" }, { "!GetAtt": "PeopleApi.ApiEndpoint" }] });
    assert_eq!(*template.at("/Outputs/PeopleUrl/Value"), url);
    for (output, path) in
        [("SignInRedirectUrl", "/sign-in/callback"), ("StepUpRedirectUrl", "/sign-in/step-up/callback")]
    {
        let value = json!({ "!Sub": [format!("${{Url}}{path}"), { "Url": url }] });
        assert_eq!(*template.at(&format!("/Outputs/{output}/Value")), value);
        assert!(answered().values().any(|routes| routes.contains(format!("GET {path}").as_str())), "{path}");
    }
    for function in ["Authorize", "Dashboard", "Resolve", "SignIn"] {
        let variables = template.at(&format!("/Resources/{function}Function/Properties/Environment/Variables"));
        assert_eq!(variables["PUBLIC_URL"], url, "{function}");
    }
}

/// Who signs in. The id is the one that the simulated Entra ID has for this name.
const ADA: &str = "d58c0651-ef97-4786-9cbe-71e08cf7231a";

fn claims() -> Claims {
    somebody::claims(ADA, "ada@contoso.example", &["AdminAgent", "GlobalAdministrator"])
}

/// A request of somebody who may do everything, by this route.
fn request(system: &ByHand, route: &str, path: &Value, query: &str, body: &Value) -> Request {
    let caller = somebody::caller(&claims(), How::Session, None);
    let method = route.split(' ').next().unwrap();
    let mut parameters = json!({ "tenant": TENANT });
    parameters.as_object_mut().unwrap().extend(path.as_object().unwrap().clone());
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/", "rawQueryString": query,
        "headers": { "content-type": "application/json", "origin": system.test.system.origin(), "idempotency-key": route.replace(' ', "-"), "sec-fetch-site": "same-origin" },
        "pathParameters": parameters, "isBase64Encoded": false, "body": body.to_string(),
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "r",
            "http": { "method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "routeKey": route, "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            "authorizer": { "lambda": Verdict::Ok(caller).context() },
        },
    });
    Request::read(lambda_http::request::from_str(&event.to_string()).unwrap(), "request-1", None)
}

/// A system with two alerts of a subscription that are wholly known, and a tap that has heard nothing.
async fn system() -> ByHand {
    let system = ByHand::start().await;
    system.for_people().await;
    for id in ["one", "two"] {
        system.raise_as(NewAlert {
            id: Some(id.to_owned()),
            customer_tenant_id: Some(CUSTOMER.to_owned()),
            subscription_id: Some(SUBSCRIPTION.to_owned()),
            ..NewAlert::default()
        });
    }
    system.complete(2, 2).await;
    let _ = system.tap.take();
    system
}

/// What was asked of AWS since the last time is what the role gives.
fn check(system: &ByHand, function: &str) {
    let template = Template::read();
    let mut needed = asked(system);
    needed.extend(needed_by_lambda(&template, function));
    assert_eq!(granted(&template, function), needed, "{function}: granted and needed");
}

#[tokio::test]
async fn authorize_and_sign_in_may_do_what_they_do_and_nothing_else() {
    let system = system().await;
    let authorize = authorize::wire(&system.parts).unwrap();
    let id = SessionId::from_random([7; 32]);
    system.store().put_session(&id.key(), &Session::begin(claims(), system.now())).await.unwrap();
    let cookie = id.set_cookie().split(';').next().unwrap().to_owned();
    // Long enough for its use to be written.
    system.clock.advance(SignedDuration::from_mins(10));
    let question = json!({
        "version": "2.0", "type": "REQUEST", "headers": {}, "cookies": [cookie], "requestContext": { "http": { "method": "GET" } },
    });
    assert_eq!(authorize.answer(&question.to_string()).await.context["state"], "ok");
    check(&system, "AuthorizeFunction");

    let sign_in = sign_in::wire(&system.parts).unwrap();
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        sign_in.answer(request.body(bytes::Bytes::new()).unwrap()).await
    };
    let text = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
    let begun = send("GET", "/sign-in", &[]).await;
    let trip = text(begun.headers(), "set-cookie").split(';').next().unwrap().to_owned();
    let back = came_back(&system, &text(begun.headers(), "location")).await;
    let query = back.split_once('?').unwrap().1.to_owned();
    let both = format!("{trip}; {cookie}");
    let finished = send("GET", &format!("/sign-in/callback?{query}"), &[("cookie", &both)]).await;
    assert_eq!(finished.status(), 303, "{}", finished.body());
    check(&system, "SignInFunction");
}

/// A browser or a program, which trusts the simulated Microsoft and follows nothing by itself.
#[expect(clippy::disallowed_methods, reason = "the client of a test's person")]
fn client(system: &ByHand) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(system.microsoft.trust_anchors_pem().as_bytes()).unwrap();
    // One is enough for the process, whoever brings it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().tls_certs_only([root]).redirect(reqwest::redirect::Policy::none());
    client.no_proxy().build().unwrap()
}

/// Where Entra ID sends a browser that comes to this address.
async fn came_back(system: &ByHand, address: &str) -> String {
    system.microsoft.approve_next(TENANT, Person::global_administrator(TENANT)).unwrap();
    let answer = client(system).get(address).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn dashboard_may_read_what_it_shows_and_nothing_else() {
    let system = system().await;
    let raised = &system.microsoft.alerts(TENANT)[0];
    let callback = system.microsoft.sign(&system.microsoft.fraud_callback(raised)).unwrap();
    assert_eq!(system.receive(&callback).await, 200);
    let _ = system.tap.take();
    let dashboard = dashboard::wire(&system.parts).unwrap();
    let path = json!({ "alert": "one", "operation": "0".repeat(64) });
    let pages = dashboard::PAGES.into_iter().filter(|page| !dashboard::jobs::ROUTES.contains(page));
    for route in dashboard::ROUTES.into_iter().chain(pages) {
        let status = dashboard.answer(&request(&system, route, &path, "", &json!({}))).await.status();
        assert!(status == 200 || (status == 404 && route.ends_with("{operation}")), "{route}: {status}");
    }
    for query in [
        "order=first-observed&size=1".to_owned(),
        format!("customer={CUSTOMER}"),
        format!("subscription={SUBSCRIPTION}"),
    ] {
        let answer = dashboard.answer(&request(&system, "GET /api/v1/alerts", &json!({}), &query, &json!({}))).await;
        assert_eq!(answer.status(), 200, "{query}: {}", answer.body());
    }
    // What exports take of S3 and SQS, which this system has no bucket for.
    let exports = [
        ("s3:GetObject", "${ExportBucket.Arn}/exports/*"),
        ("s3:ListBucket", "ExportBucket.Arn"),
        ("s3:PutObject", "${ExportBucket.Arn}/exports/*"),
        ("sqs:SendMessage", "ExportsQueue.Arn"),
    ];
    let template = Template::read();
    let mut needed = asked(&system);
    needed.extend(exports.map(|(action, resource)| (action.to_owned(), resource.to_owned())));
    needed.extend(needed_by_lambda(&template, "DashboardFunction"));
    assert_eq!(granted(&template, "DashboardFunction"), needed, "granted and needed");
}

#[tokio::test]
async fn resolve_may_do_what_it_does_and_nothing_else() {
    let system = system().await;
    let resolve = resolve::wire(&system.parts).unwrap();
    let act = async |route: &str, path: Value, query: &str, body: Value| -> Value {
        let answer = resolve.answer(&request(&system, route, &path, query, &body)).await;
        assert!(answer.status().is_success(), "{route}: {} {}", answer.status(), answer.body());
        serde_json::from_str(answer.body()).unwrap_or_default()
    };
    let alert = json!({ "alert": "one" });
    let of_alert = |act: &str| format!("POST /api/v1/tenants/{{tenant}}/alerts/{{alert}}/{act}");
    act(&of_alert("notes"), alert.clone(), "", json!({ "note": "Seen by phone." })).await;
    act(&of_alert("investigate"), alert, "", json!({ "version": 2 })).await;
    let views = "POST /api/v1/tenants/{tenant}/views";
    let view = act(views, json!({}), "", json!({ "name": "Mine", "query": "state=open" })).await;
    let view = json!({ "view": view["id"] });
    // Where the chain of a tenant ends is lost, and found again by its last line.
    let [key, sort] = [format!("{TENANT}#activity"), "head".to_owned()].map(AttributeValue::S);
    let delete = system.dynamodb.delete_item().table_name(&system.test.system.tables().tenants);
    delete.key("pk", key).key("sk", sort).send().await.unwrap();
    let changed = json!({ "name": "Ours", "query": "state=all", "revision": 1 });
    act("POST /api/v1/tenants/{tenant}/views/{view}", view.clone(), "", changed).await;
    act("DELETE /api/v1/tenants/{tenant}/views/{view}", view, "revision=2", json!({})).await;

    let subscription = json!({ "subscription": SUBSCRIPTION });
    let of_subscription = |act: &str| format!("/api/v1/tenants/{{tenant}}/subscriptions/{{subscription}}/{act}");
    act(&format!("GET {}", of_subscription("cancellation")), subscription.clone(), "", json!({})).await;
    act("GET /subscriptions/{tenant}/{subscription}/cancel", subscription.clone(), "", json!({})).await;
    let ticked = json!({ "alerts": [format!("{TENANT}/1/one")] });
    act("POST /subscriptions/cancellation", json!({}), "", ticked).await;
    let cancel = format!("POST {}", of_subscription("cancel"));
    let wish = act(&cancel, subscription.clone(), "", json!({ "name": NAME })).await;
    let operation = wish["operation"].as_str().unwrap();
    // Off to sign in for it.
    let query = format!("tenant={TENANT}&operation={operation}");
    let page = resolve.answer(&request(&system, "GET /sign-in/step-up", &json!({}), &query, &json!({}))).await;
    assert_eq!(page.status(), 200, "{}", page.body());
    let off = resolve.answer(&request(&system, "POST /sign-in/step-up", &json!({}), &query, &json!({}))).await;
    assert_eq!(off.status(), 303, "{}", off.body());
    // Nobody does, and that is told.
    system.clock.advance(SignedDuration::from_mins(16));
    let look = json!({ "tenant": TENANT, "operation": operation, "behind": 1 }).to_string();
    let follow = async |event: Value| {
        let done = resolve.follow(serde_json::from_value(event).unwrap(), "follow-1", None).await.unwrap();
        assert!(done.batch_item_failures.is_empty());
    };
    follow(json!({ "Records": [queue_record("look", &look)] })).await;
    // Somebody does: Microsoft cancels it, and its alert is resolved.
    let token = partner_center_token(&system).await;
    act(&cancel, subscription, "", json!({ "name": NAME, "token": token })).await;
    system.clock.advance(SignedDuration::from_mins(30));
    follow(json!({ "Records": [queue_record("look", &look)] })).await;
    system.clock.advance(SignedDuration::from_mins(30));
    follow(json!({ "task": "sweep" })).await;
    check(&system, "ResolveFunction");
}

/// The access token of a global administrator for Partner Center.
async fn partner_center_token(system: &ByHand) -> String {
    let person = Person { name: claims().name().to_owned(), ..Person::global_administrator(TENANT) };
    let refresh_token = system.microsoft.refresh_token_of(TENANT, person).unwrap();
    let scope = format!("{}/.default", system.microsoft.partner_center_url());
    let form = [
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("scope", &scope),
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh_token),
    ];
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", system.microsoft.microsoft_url());
    let answer: Value = client(system).post(url).form(&form).send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}
