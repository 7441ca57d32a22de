//! Exports that are more than one answer: whatever is cut off, comes twice or fails, the file is what one answer would have been, once, for one person.

mod s3;
mod shelf;

use dashboard::jobs::{Bucket, Exporting, Failure, Job, Jobs, KeepExports as _, Kept, Put, Settings, State, Tag};
use http::Response;
use identity::{How, Verdict};
use jiff::SignedDuration;
use made_alerts::{DETECTED, alert};
use models::{Alert, ExportId, Tenant};
use serde_json::{Value, json};
use store::{ReadTenants as _, WriteTenants as _};
use tests::{TENANT, somebody};

use self::{
    s3::S3,
    shelf::{Fault, Shelf},
};
use crate::support::{OTHER, World};

const ADA: &str = "77777777-2222-4333-8444-555555555555";
const BOB: &str = "88888888-2222-4333-8444-555555555555";
/// As long as Lambda gives a turn.
const LONG: SignedDuration = SignedDuration::from_secs(180);
/// So little that a turn ends with its first page.
const SHORT: SignedDuration = SignedDuration::from_secs(60);
/// As long as a message that failed is not given again.
const HIDDEN: SignedDuration = SignedDuration::from_mins(18);
/// More than one page of these alerts, less than all of them.
const PARTS: usize = 9_000;

type Function = Exporting<store::Store, dashboard::StoredKeys, Shelf, Shelf>;

/// Six tenants with some alerts each, and one without: as many pages of an export.
async fn world() -> World {
    let world = World::start(&[]).await;
    let store = world.system.store();
    let seed = store.tenants().await.unwrap().remove(0);
    for number in 0..5 {
        let id = format!("0a0a0a0a-1111-4222-8333-00000000000{number}");
        store.put_tenant(&Tenant { id: id.parse().unwrap(), ..seed.clone() }).await.unwrap();
        let alerts: Vec<Alert> = (0..3)
            .map(|at| Alert { detected: DETECTED + SignedDuration::from_mins(at), ..alert(&format!("{number}-{at}")) })
            .collect();
        world.keep(&id, &alerts).await;
    }
    world.keep(TENANT, &[alert("a")]).await;
    world
}

fn function(world: &World, shelf: &Shelf, part_bytes: usize) -> Function {
    let parts = &world.system.parts;
    let origin = world.system.test.system.origin().to_owned();
    let jobs = Jobs::new(
        world.system.store(),
        (shelf.clone(), shelf.clone()),
        parts.clock.clone(),
        origin,
        Settings { part_bytes },
    );
    Exporting::new(dashboard::wire_reading(parts).unwrap(), Some(jobs))
}

/// A request of a person by a route, with a form where there is one.
fn request(
    world: &World,
    (who, map): (&str, Option<&str>),
    (route, path): (&str, &str),
    id: Option<&str>,
    form: &[(&str, &str)],
) -> api::Request {
    let context =
        somebody::caller(&somebody::claims(who, "someone@contoso.example", &["AdminAgent"]), How::Session, map);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "isBase64Encoded": false, "body": body,
        "headers": { "content-type": "application/x-www-form-urlencoded", "origin": world.system.test.system.origin() },
        "pathParameters": id.map(|id| json!({ "export": id })).unwrap_or_else(|| json!({})),
        "requestContext": {
            "accountId": "000000000000", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "r", "routeKey": route,
            "http": { "method": route.split(' ').next(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "" },
            "stage": "$default", "time": "01/Jan/1970:00:00:00 +0000", "timeEpoch": 0,
            "authorizer": { "lambda": Verdict::Ok(context).context() },
        },
    });
    api::Request::read(lambda_http::request::from_str(&event.to_string()).unwrap(), "request-1", None)
}

impl World {
    /// What one answer has: what the file is held to.
    async fn in_one(&self, format: &str, query: &str) -> String {
        let (route, path) = (format!("GET /alerts.{format}"), format!("/alerts.{format}?{query}"));
        let reads = dashboard::wire_reading(&self.system.parts).unwrap();
        let answer = reads.answer(&request(self, (ADA, None), (&route, &path), None, &[])).await;
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    async fn begin(&self, function: &Function, form: &[(&str, &str)]) -> Response<String> {
        function.answer(&request(self, (ADA, None), ("POST /exports", "/exports"), None, form)).await
    }

    /// Begins an export, and gives its id.
    async fn begun(&self, function: &Function, query: &str, format: &str) -> ExportId {
        let form = [("query", query), ("format", format), ("idempotency-key", "k")];
        let answer = self.begin(function, &form).await;
        assert_eq!(answer.status(), 303, "{}", answer.body());
        let to = answer.headers()["location"].to_str().unwrap();
        to.strip_prefix("/exports/").unwrap().parse().unwrap()
    }

    async fn look(&self, function: &Function, who: (&str, Option<&str>), id: &ExportId, of: &str) -> Response<String> {
        let (route, path) = (format!("GET /exports/{{export}}{of}"), format!("/exports/{id}{of}"));
        function.answer(&request(self, who, (&route, &path), Some(id.as_str()), &[])).await
    }

    /// Hands messages over as SQS and Lambda do, until none is left: three times at most each, and `times` where they come doubled.
    async fn run(&self, function: &Function, shelf: &Shelf, time: SignedDuration, times: usize) {
        let mut invocations = 0..200;
        while let Some(message) = shelf.message() {
            for _ in 0..times {
                let mut attempts = 0..3;
                loop {
                    assert!(attempts.next().is_some(), "given up");
                    let invocation = format!("invocation-{}", invocations.next().expect("it ends"));
                    let record = json!({ "messageId": "m", "body": serde_json::to_string(&message).unwrap() });
                    let event = serde_json::from_value(json!({ "Records": [record] })).unwrap();
                    let ends = self.system.now() + time;
                    if function.carry_on(event, &invocation, ends).await.batch_item_failures.is_empty() {
                        break;
                    }
                    shelf.restart();
                    self.system.clock.advance(HIDDEN);
                }
            }
        }
    }
}

fn state(shelf: &Shelf, id: &ExportId) -> State {
    shelf.kept(id).unwrap().job.state
}

#[tokio::test]
async fn a_file_of_many_parts_and_turns_is_byte_for_byte_what_one_answer_would_be() {
    let world = world().await;
    for (format, query) in
        [("csv", "state=all"), ("json", "state=all"), ("csv", "test=true"), ("json", "q=2-1"), ("csv", "q=nothing")]
    {
        let expected = world.in_one(format, query).await;
        for (part_bytes, time, parts) in [
            (1, LONG, 2..=8),
            (PARTS, LONG, 1..=4),
            (PARTS, SHORT, 1..=4),
            (1, SHORT, 2..=8),
            (usize::MAX, SHORT, 1..=1),
        ] {
            let (shelf, case) = (Shelf::default(), format!("{format} {query} {part_bytes} {time:?}"));
            let function = function(&world, &shelf, part_bytes);
            let id = world.begun(&function, query, format).await;
            world.run(&function, &shelf, time, 1).await;
            assert_eq!(shelf.file(&id).as_deref(), Some(expected.as_str()), "{case}");
            let Kept { job, .. } = shelf.kept(&id).unwrap();
            assert_eq!((job.state, job.removed, job.claim), (State::Done, 0, None), "{case}");
            assert_eq!(
                job.place.rows,
                if format == "csv" {
                    expected.matches("\r\n").count() - 1
                } else {
                    expected.matches("\"version\":").count()
                },
                "{case}"
            );
            if query == "state=all" {
                assert!(parts.contains(&job.parts.len()), "{case}: {}", job.parts.len());
                assert_eq!(job.turns > 1, time == SHORT, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn killed_before_or_behind_any_effect_it_goes_on_and_the_file_is_the_same() {
    let world = world().await;
    let expected = world.in_one("csv", "state=all").await;
    for (part_bytes, time) in [(1, LONG), (PARTS, SHORT)] {
        for has_effect in [false, true] {
            for is_once in [false, true] {
                let mut cut_off = 0;
                for at in 0.. {
                    let shelf = Shelf::default();
                    let function = function(&world, &shelf, part_bytes);
                    let id = world.begun(&function, "state=all", "csv").await;
                    shelf.fail(Fault { at, has_effect, is_once });
                    world.run(&function, &shelf, time, 1).await;
                    let case = format!("{part_bytes} {has_effect} {is_once} {at}");
                    assert_eq!(shelf.file(&id).as_deref(), Some(expected.as_str()), "{case}");
                    assert_eq!(state(&shelf, &id), State::Done, "{case}");
                    if !shelf.has_failed() {
                        break;
                    }
                    cut_off += 1;
                }
                assert!(cut_off > 10, "{cut_off} effects are not all");
            }
        }
    }
}

#[tokio::test]
async fn a_message_that_comes_twice_changes_nothing_one_after_the_other_or_at_once() {
    let world = world().await;
    let expected = world.in_one("csv", "state=all").await;
    for part_bytes in [1, PARTS] {
        let shelf = Shelf::default();
        let function = function(&world, &shelf, part_bytes);
        let id = world.begun(&function, "state=all", "csv").await;
        world.run(&function, &shelf, SHORT, 2).await;
        assert_eq!((state(&shelf, &id), shelf.file(&id).as_deref()), (State::Done, Some(expected.as_str())));
    }
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    let message = serde_json::to_string(&shelf.message().unwrap()).unwrap();
    let ends = world.system.now() + LONG;
    let give = |invocation: &'static str| {
        let event = serde_json::from_value(json!({ "Records": [{ "messageId": "m", "body": message }] })).unwrap();
        function.carry_on(event, invocation, ends)
    };
    let (one, other) = tokio::join!(give("one"), give("other"));
    assert_eq!((one.batch_item_failures, other.batch_item_failures), (vec![], vec![]));
    assert_eq!((state(&shelf, &id), shelf.file(&id).as_deref()), (State::Done, Some(expected.as_str())));
    assert_eq!(shelf.kept(&id).unwrap().job.turns, 1, "one of them had it");
    assert_eq!(shelf.message(), None);
}

#[tokio::test]
async fn an_export_that_fails_again_and_again_or_takes_too_long_is_given_up_and_says_so() {
    let world = world().await;
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    shelf.refuse("part");
    world.run(&function, &shelf, LONG, 1).await;
    assert_eq!(state(&shelf, &id), State::Failed(Failure::Trouble));
    let page = world.look(&function, (ADA, None), &id, "").await;
    assert!(page.body().contains("It failed several times"), "{}", page.body());
    assert!(!page.headers().contains_key("refresh"));

    let shelf = Shelf::default();
    let function = self::function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    shelf.change(&id, |job| job.turns = dashboard::jobs::MOST_TURNS);
    world.run(&function, &shelf, LONG, 1).await;
    assert_eq!(state(&shelf, &id), State::Failed(Failure::TooMuch));
    assert!(world.look(&function, (ADA, None), &id, "").await.body().contains("narrow the view"));
    assert_eq!(shelf.file(&id), None);
}

#[tokio::test]
async fn alerts_of_a_tenant_that_is_removed_meanwhile_are_left_out_and_the_page_says_so() {
    let world = world().await;
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    let first = shelf.kept(&id).unwrap().job.place.left;
    let message = serde_json::to_string(&shelf.message().unwrap()).unwrap();
    let event = serde_json::from_value(json!({ "Records": [{ "messageId": "m", "body": message }] })).unwrap();
    function.carry_on(event, "one", world.system.now() + SHORT).await;
    let left = shelf.kept(&id).unwrap().job.place.left;
    assert_eq!(left, first[1..], "one of them is written");
    let store = world.system.store();
    for gone in store.tenants().await.unwrap().iter().filter(|it| [&left[0], &left[2]].contains(&&it.id)) {
        store.remove_tenant(gone).await.unwrap();
    }
    world.run(&function, &shelf, LONG, 1).await;
    let file = shelf.file(&id).unwrap();
    for tenant in &first {
        let rows = file.lines().filter(|line| line.starts_with(tenant.as_str())).count();
        assert_eq!(rows > 0, tenant.as_str() != OTHER && *tenant != left[0] && *tenant != left[2], "{tenant}");
    }
    let page = world.look(&function, (ADA, None), &id, "").await;
    assert!(page.body().contains("2 partner tenants were removed"), "{}", page.body());
}

#[tokio::test]
async fn an_export_is_there_for_the_one_who_asked_for_it_alone_while_they_may_see_all_of_it_and_for_a_day() {
    let world = world().await;
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    let running = world.look(&function, (ADA, None), &id, "").await;
    assert_eq!((running.status().as_u16(), &running.headers()["refresh"]), (200, &"4".parse().unwrap()));
    let early = world.look(&function, (ADA, None), &id, "/file").await;
    assert_eq!(
        (early.status().as_u16(), early.headers()["location"].to_str().unwrap()),
        (303, format!("/exports/{id}").as_str())
    );
    world.run(&function, &shelf, LONG, 1).await;

    let done = world.look(&function, (ADA, None), &id, "").await;
    assert!(done.body().contains(&format!("href=\"/exports/{id}/file\"")), "{}", done.body());
    assert!(done.body().contains("16 alerts") && !done.headers().contains_key("refresh"), "{}", done.body());
    let file = world.look(&function, (ADA, None), &id, "/file").await;
    assert_eq!(
        (file.status().as_u16(), file.headers()["location"].to_str().unwrap()),
        (303, format!("https://bucket.example/{id}").as_str())
    );

    let own = r#"[{"roles":["AdminAgent"],"permissions":["see"],"tenants":"own"}]"#;
    let unknown: ExportId = "0".repeat(64).parse().unwrap();
    for of in ["", "/file"] {
        for (what, who, id) in [
            ("another person's", (BOB, None), &id),
            ("tenants that are theirs no more", (ADA, Some(own)), &id),
            ("none", (ADA, None), &unknown),
        ] {
            assert_eq!(world.look(&function, who, id, of).await.status(), 404, "{what} {of}");
        }
    }
    let (route, path) = ("GET /exports/{export}", "/exports/x");
    assert_eq!(function.answer(&request(&world, (ADA, None), (route, path), Some("x"), &[])).await.status(), 404);
    world.system.clock.advance(SignedDuration::from_hours(24));
    for of in ["", "/file"] {
        assert_eq!(world.look(&function, (ADA, None), &id, of).await.status(), 404, "its day is over {of}");
    }
    // A message about one that S3 has removed is about nothing.
    shelf.forget(&id);
    shelf.ask(&id);
    world.run(&function, &shelf, LONG, 1).await;
    assert_eq!(shelf.kept(&id), None);
}

#[tokio::test]
async fn the_same_form_is_one_export_and_what_is_no_view_is_none() {
    let world = world().await;
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    assert_eq!(world.begun(&function, "state=all", "csv").await, id);
    let messages: Vec<_> = std::iter::from_fn(|| shelf.message()).collect();
    assert_eq!(messages.len(), 2, "the first may be lost");
    shelf.ask(&id);
    world.run(&function, &shelf, LONG, 1).await;
    assert_eq!(world.begun(&function, "state=all", "csv").await, id);
    assert_eq!(shelf.message(), None, "it is written");
    for (form, status) in [
        (&[("query", "state=open"), ("format", "csv"), ("idempotency-key", "k")][..], 422),
        (&[("query", "state=all"), ("format", "json"), ("idempotency-key", "k")], 422),
        (&[("query", "evil=1"), ("format", "csv")], 400),
        (&[("query", "state=all"), ("format", "xml")], 400),
        (&[("query", "state=all")], 400),
        (&[("format", "csv"), ("bucket", "x")], 400),
        (&[("query", "tenant=x"), ("format", "csv")], 404),
    ] {
        assert_eq!(world.begin(&function, form).await.status(), status, "{form:?}");
    }
    assert_eq!(world.begin(&function, &[("format", "csv")]).await.status(), 303, "the first view, without a key");
}

#[tokio::test]
async fn a_view_that_is_too_large_offers_the_form_where_there_is_a_bucket_and_none_where_there_is_not() {
    let world = world().await;
    // More bytes than an answer has.
    let large = Alert { description: Some("\"".repeat(60_000)), ..alert("x") };
    let many: Vec<Alert> =
        (0..20).map(|at| Alert { id: format!("x-{at}").parse().unwrap(), ..large.clone() }).collect();
    for some in many.chunks(2) {
        world.keep(TENANT, some).await;
    }
    let shelf = Shelf::default();
    let asked = request(&world, (ADA, None), ("GET /alerts.csv", "/alerts.csv?state=all&columns=name"), None, &[]);
    let answer = function(&world, &shelf, 1).answer(&asked).await;
    assert_eq!(answer.status(), 422);
    for words in [
        "action=\"/exports\"",
        "name=\"query\" value=\"columns=name&amp;state=all\"",
        "name=\"format\" value=\"csv\"",
        "name=\"idempotency-key\" value=\"request-1-export\"",
    ] {
        assert!(answer.body().contains(words), "{words}: {}", answer.body());
    }
    let without = dashboard::wire(&world.system.parts).unwrap();
    let answer = without.answer(&asked).await;
    assert!(answer.status() == 422 && !answer.body().contains("action=\"/exports\""), "{}", answer.body());
    let form = [("query", "state=all"), ("format", "csv")];
    let answer = without.answer(&request(&world, (ADA, None), ("POST /exports", "/exports"), None, &form)).await;
    assert_eq!(answer.status(), 404);
}

/// A turn may take longer than API Gateway waits, and a request may not.
#[tokio::test]
async fn a_request_ends_itself_before_api_gateway_gives_it_up() {
    let world = world().await;
    let shelf = Shelf::default();
    let function = function(&world, &shelf, 1);
    let id = world.begun(&function, "state=all", "csv").await;
    shelf.hang();
    tokio::time::pause();
    let (began, answer) = (tokio::time::Instant::now(), world.look(&function, (ADA, None), &id, "").await);
    assert!(began.elapsed() < std::time::Duration::from_secs(30));
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (503, &"text/html; charset=utf-8".parse().unwrap())
    );
}

/// Messages that are none go back to the queue, and from there among the dead letters.
#[tokio::test]
async fn what_is_no_message_is_given_back() {
    let world = world().await;
    let shelf = Shelf::default();
    let event = serde_json::from_value::<aws_lambda_events::sqs::SqsEvent>(
        json!({ "Records": [{ "messageId": "m", "body": Value::String("{}".to_owned()) }] }),
    );
    let response = function(&world, &shelf, 1).carry_on(event.unwrap(), "one", world.system.now() + LONG).await;
    assert_eq!(response.batch_item_failures[0].item_identifier, "m");
}

/// The bucket as it is deployed, over the protocol that the SDK speaks.
#[tokio::test]
async fn a_bucket_of_s3_keeps_what_is_known_on_condition_and_joins_the_parts_of_a_file() {
    let world = world().await;
    let s3 = S3::start().await;
    let aws = world.system.parts.aws.clone().into_builder().endpoint_url(&s3.url).build();
    let bucket = Bucket::new(&aws, "bucket".to_owned());
    let shelf = Shelf::default();
    let id = world.begun(&function(&world, &shelf, 1), "state=all", "csv").await;
    let job = shelf.kept(&id).unwrap().job;

    assert_eq!(bucket.job(&id).await.unwrap(), None);
    assert_eq!(bucket.put_job(&job, Some(&Tag("\"0\"".to_owned()))).await.unwrap(), Put::Other, "nothing is there");
    let Put::Done(first) = bucket.put_job(&job, None).await.unwrap() else { panic!("nothing is in the way") };
    assert_eq!(bucket.put_job(&job, None).await.unwrap(), Put::Other, "one is there");
    let newer = Job { turns: 1, ..job.clone() };
    let Put::Done(second) = bucket.put_job(&newer, Some(&first)).await.unwrap() else { panic!("it is as it was") };
    assert_eq!(bucket.put_job(&job, Some(&first)).await.unwrap(), Put::Other, "somebody was quicker");
    assert_eq!(bucket.job(&id).await.unwrap(), Some(Kept { job: newer.clone(), tag: second }));

    bucket.leave(&id, 3, b"rest".to_vec()).await.unwrap();
    assert_eq!(bucket.left(&id, 3).await.unwrap(), b"rest");
    assert!(bucket.left(&id, 4).await.is_err());

    let upload = bucket.begin(&id, newer.format).await.unwrap();
    assert!(bucket.finish(&newer, "none").await.is_err(), "no upload and no file");
    let mut parts = Vec::new();
    for (number, text) in [(1, "one,"), (2, "lost"), (2, "two")] {
        parts.push(bucket.part(&newer, &upload, number, text.as_bytes().to_vec()).await.unwrap());
    }
    let of = |parts: [&String; 2]| Job { parts: parts.map(Clone::clone).to_vec(), ..newer.clone() };
    assert!(bucket.finish(&of([&parts[0], &parts[1]]), &upload).await.is_err(), "another part has taken its place");
    let whole = of([&parts[0], &parts[2]]);
    for _ in 0..2 {
        bucket.finish(&whole, &upload).await.unwrap();
    }
    assert_eq!(s3.keys(), ["alerts.csv", "job.json", "rest-3"].map(|name| format!("bucket/exports/{id}/{name}")));

    let _ = s3.asked();
    let link = bucket.link(&whole).await.unwrap();
    assert!(link.starts_with(&s3.url) && link.contains("X-Amz-Expires=60"), "{link}");
    assert_eq!(s3.asked(), Vec::<String>::new(), "a link asks nobody");
    #[expect(clippy::disallowed_methods, reason = "a person's browser")]
    let file = reqwest::Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap();
    assert_eq!(file.headers()["content-disposition"], "attachment; filename=\"partner-alerts.csv\"");
    assert_eq!(file.text().await.unwrap(), "one,two");
}

/// An export outlives the release that began it: what is kept keeps its names, and what is added later may be missing.
#[test]
fn what_is_kept_of_an_export_is_read_by_the_names_that_it_was_written_with() {
    let kept = json!({
        "id": "e".repeat(64), "owner": { "tenant": TENANT, "id": ADA }, "request": "f".repeat(64), "tenants": [TENANT, OTHER],
        "what": { "of": {
            "of": { "state": "open" }, "by": "last_observed", "newest_first": true, "since": "2026-03-02T09:00:00Z", "until": null,
            "filter": {
                "assignee": { "person": ADA }, "reasons": ["fraud"], "severities": ["high"], "snoozed": [false, "2026-03-02T09:00:00Z"],
                "state": null, "statuses": ["active"], "test": false, "types": ["CryptoMining"],
            },
        } },
        "format": "csv", "began": "2026-03-02T09:00:00Z", "changed": "2026-03-02T09:01:00Z", "turns": 2, "troubles": 1,
        "claim": { "by": "x", "until": "2026-03-02T09:03:00Z" }, "upload": "u", "parts": ["\"1\""], "rest": 1,
        "place": {
            "left": [OTHER], "rows": 5, "unreadable": 1, "read": 9, "is_over": false,
            "from": { "detected": "d", "partition": "p" }, "written": { "has_begun": true, "has_rows": false },
        },
        "removed": 0, "state": "running",
    });
    let job: Job = serde_json::from_value(kept.clone()).unwrap();
    assert_eq!(serde_json::to_value(&job).unwrap(), kept);
    let mut less = kept;
    for later in ["turns", "troubles", "claim", "upload", "parts", "rest", "removed"] {
        less.as_object_mut().unwrap().remove(later);
    }
    less["state"] = json!({ "failed": "too_much" });
    let job: Job = serde_json::from_value(less).unwrap();
    assert_eq!((job.turns, job.state), (0, State::Failed(Failure::TooMuch)));
}
