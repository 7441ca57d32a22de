//! The deployments, made once and shared by the tests: each of those has a tenant and queues of its own.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use models::{EventId, PathKey, ReconcileCause, ReconcileRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{Alert, NewAlert, SignedCallback, Simulator};
use tests::{
    CLIENT_ID, CLIENT_SECRET, Item, PATH_KEY,
    account::{Account, Queue, RAW},
    addresses, binaries, queue_record, text,
};
use tokio::runtime::Runtime;

/// A partner tenant for each test.
pub(crate) const ACTED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000010";
pub(crate) const CALLED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000001";
pub(crate) const FORGED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000002";
pub(crate) const GUARDED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000003";
pub(crate) const NAMED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000009";
pub(crate) const OPERATED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000008";
pub(crate) const REPEATED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000004";
pub(crate) const SCHEDULED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000005";
pub(crate) const SWEPT: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000006";
pub(crate) const RENEWED: &str = "9f1c7f3e-2f0a-4f7b-8a34-000000000007";
const TENANTS: [&str; 10] = [ACTED, CALLED, FORGED, GUARDED, NAMED, OPERATED, REPEATED, SCHEDULED, SWEPT, RENEWED];

/// Where people are, as they would say. The emulator is somewhere else.
pub(crate) const PEOPLE: &str = "https://people.example";
/// The stack of the template as it is.
const WHOLE: &str = "whole";
/// Begins as the template's `ReadSecretPrefix` says.
const SECRET: &str = "partner-alerts/read/contoso";

/// Everything: an account with the stacks, and Microsoft.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) account: Account,
    pub(crate) microsoft: Simulator,
    pub(crate) whole: Stack,
    /// Where Microsoft is, as the functions have it.
    variables: BTreeMap<&'static str, String>,
    lacking: BTreeMap<String, Stack>,
}

/// A stack: what it puts out, and the names of its resources.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Stack {
    name: String,
    outputs: BTreeMap<String, String>,
    resources: BTreeMap<String, String>,
}

/// What a function answered through Lambda's API.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) error: Option<String>,
    pub(crate) payload: Value,
}

/// Runs a test in the world. If it fails, the log of the whole stack says more.
pub(crate) fn in_world(test: impl AsyncFnOnce(&'static World)) {
    static WORLD: LazyLock<World> = LazyLock::new(World::make);
    let world: &World = &WORLD;
    if let Err(failure) = catch_unwind(AssertUnwindSafe(|| world.runtime.block_on(test(world)))) {
        eprintln!("the log of the functions: {:#}", world.whole.logs());
        resume_unwind(failure);
    }
}

impl World {
    fn make() -> Self {
        let runtime = Runtime::new().unwrap();
        let (account, microsoft) = runtime.block_on(async { (Account::open().await, microsoft().await) });
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emulated");
        fs::create_dir_all(&folder).unwrap();
        let mut variables: BTreeMap<_, _> = addresses(&microsoft, &folder).into_iter().collect();
        variables.insert("CERTIFICATE_NAMES", Simulator::certificate_name().to_owned());
        // The pause between two runs of a tenant costs a test its time.
        variables.insert("RECONCILE_GAP_SECONDS", "1".to_owned());

        let mut wanted = crate::permissions::lacking();
        wanted.insert(WHOLE, Vec::new());
        let functions = [
            ("AuthorizeFunction", "authorize"),
            ("DashboardFunction", "dashboard"),
            ("NotifyFunction", "notify"),
            ("PollFunction", "poll"),
            ("RenewFunction", "renew"),
            ("ResolveFunction", "resolve"),
            ("SignInFunction", "sign-in"),
            ("WebhookFunction", "webhook"),
        ];
        let binaries = BTreeMap::from(functions.map(|(resource, name)| (resource, binaries::quick(name))));
        let parameters = json!({ "SignInClientId": CLIENT_ID, "SignInTenants": ACTED, "PublicUrl": PEOPLE });
        let made = json!({ "binaries": binaries, "variables": variables, "parameters": parameters, "stacks": wanted });
        let made = tool("deploy", &made);
        let mut stacks: BTreeMap<String, Stack> = serde_json::from_value(made).unwrap();
        let credentials =
            json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "client_secret_expires": "2999-12-31" })
                .to_string();
        tool("secret", &json!({ "name": SECRET, "value": credentials }));
        tool("secret", &json!({ "name": act_secret(ACTED), "value": credentials }));
        let client = json!({ "client_secret": CLIENT_SECRET, "client_secret_expires": "2999-12-31" });
        let sealing = STANDARD.encode([7; 32]);
        let sealing = json!({ "current": "first", "keys": { "first": sealing } });
        for (name, secret) in
            [("sign-in/client", &client), ("sign-in/sealing", &sealing), ("dashboard/sealing", &sealing)]
        {
            tool("secret", &json!({ "name": format!("partner-alerts/{name}"), "value": secret.to_string() }));
        }
        for tenant in [GUARDED, RENEWED] {
            let token = microsoft.refresh_token(tenant).unwrap();
            let for_a_person =
                json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": token });
            tool("secret", &json!({ "name": act_secret(tenant), "value": for_a_person.to_string() }));
        }

        let whole = stacks.remove(WHOLE).unwrap();
        let world = Self { runtime, account, microsoft, whole, variables, lacking: stacks };
        world.runtime.block_on(async {
            for stack in world.lacking.values().chain([&world.whole]) {
                // One refresh token is renewed, by the whole stack alone; the other one never, by those that lack something.
                let for_a_person = if stack.name == WHOLE { RENEWED } else { GUARDED };
                for tenant in TENANTS {
                    let mut item = tenant_item(tenant);
                    if tenant == for_a_person || (tenant == ACTED && stack.name == WHOLE) {
                        item.insert("act_secret".to_owned(), AttributeValue::S(act_secret(tenant)));
                    }
                    world.put(stack, "TenantsTableName", item).await;
                }
            }
        });
        // The first run of a tenant takes in what is there; what comes after it is news.
        let answer = world.whole.reconcile(&TENANTS);
        assert_eq!(answer.payload, json!({ "batchItemFailures": [] }), "{:#}", world.whole.logs());
        world
    }

    /// The stack of this name, which lacks something.
    pub(crate) fn lacking(&self, name: &str) -> &Stack {
        &self.lacking[name]
    }

    /// Runs the operators' command line over the whole stack, of which it is told the name.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = tokio::process::Command::new(binaries::command_line());
        command.env_clear().envs(&self.variables).env("GLOBAL_PARTNER_CENTER_URL", self.microsoft.partner_center_url());
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "eu-west-1")]);
        command.env("AWS_ENDPOINT_URL", &self.account.endpoint).args(["--stack", WHOLE, "--json"]);
        command.args(arguments).output().await.unwrap()
    }

    /// The address of a tenant's callbacks, which Microsoft finds at the gateway.
    pub(crate) fn callback_url(&self, tenant: &str) -> String {
        let base = &self.whole.outputs["CallbackBaseUrl"];
        let api = &self.whole.resources["CallbackApi"];
        let gateway = format!("{}/_aws/execute-api/{api}/$default", self.account.endpoint);
        self.microsoft.set_public_address(base.strip_suffix("/callbacks/").unwrap(), &gateway);
        format!("{base}{tenant}/{}", path_key(tenant))
    }

    /// An alert of high severity appears at Microsoft.
    pub(crate) fn raise(&self, tenant: &str) -> Alert {
        let high = Some("high".to_owned());
        let new = NewAlert { tenant: Some(tenant.to_owned()), severity: high, ..NewAlert::default() };
        self.microsoft.raise(new).unwrap()
    }

    /// What Microsoft sends about an alert.
    pub(crate) fn callback(&self, alert: &Alert) -> SignedCallback {
        self.microsoft.sign(&self.microsoft.fraud_callback(alert)).unwrap()
    }

    /// Posts a callback to the gateway, at a tenant's address, and gives the status of the answer.
    pub(crate) async fn post(&self, stack: &Stack, tenant: &str, callback: &SignedCallback) -> u16 {
        let api = &stack.resources["CallbackApi"];
        let (gateway, key) = (&self.account.endpoint, path_key(tenant));
        let url = format!("{gateway}/_aws/execute-api/{api}/$default/callbacks/{tenant}/{key}");
        self.microsoft.deliver(&url, callback.clone()).await.unwrap()
    }

    /// The address of the people's API of the whole stack, at the gateway.
    pub(crate) fn people(&self) -> String {
        format!("{}/_aws/execute-api/{}/$default", self.account.endpoint, self.whole.resources["PeopleApi"])
    }

    /// A queue that hears what one of the whole stack's topics tells of a tenant, as far as this filter policy lets it through.
    pub(crate) async fn hears(&self, topic: &str, tenant: &str, name: &str, mut policy: Value) -> Queue {
        policy["tenantId"] = json!([tenant]);
        let name = format!("{name}-{tenant}");
        let attributes = [RAW, ("FilterPolicy", &policy.to_string())];
        self.account.subscriber(&self.whole.outputs[topic], &name, &attributes).await
    }

    /// Puts an item into a table of a stack.
    pub(crate) async fn put(&self, stack: &Stack, table: &str, item: Item) {
        let request = self.account.dynamodb.put_item().table_name(&stack.outputs[table]);
        request.set_item(Some(item)).send().await.unwrap();
    }

    /// The items of a table of a stack that are a tenant's.
    pub(crate) async fn items(&self, stack: &Stack, table: &str, tenant: &str) -> Vec<Item> {
        let mut found = Vec::new();
        let mut pages = self.account.dynamodb.scan().table_name(&stack.outputs[table]).into_paginator().send();
        while let Some(page) = pages.next().await {
            found.extend(page.unwrap().items.unwrap_or_default());
        }
        found.retain(|item| text(item, "pk").starts_with(tenant));
        found
    }

    /// The outbox item about a tenant's one alert.
    pub(crate) async fn outbox(&self, tenant: &str) -> Item {
        let mut items = self.items(&self.whole, "AlertsTableName", tenant).await;
        items.retain(|item| text(item, "sk").starts_with("outbox#"));
        assert_eq!(items.len(), 1, "{items:?}");
        items.remove(0)
    }

    /// Leaves an outbox item behind in a stack, as a stream that came to grief would: due for the sweep, and unseen by the
    /// stream, whose filter lets new items through that are to be published, and no change.
    pub(crate) async fn leave_unpublished(&self, stack: &Stack, outbox: &Item) {
        let mut item = outbox.clone();
        item.insert("sk".to_owned(), AttributeValue::S("outbox#000000000099#opened".to_owned()));
        item.remove("outbox_shard");
        self.put(stack, "AlertsTableName", item.clone()).await;
        item.insert("outbox_shard".to_owned(), AttributeValue::S("0".to_owned()));
        item.insert("created".to_owned(), AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned()));
        self.put(stack, "AlertsTableName", item).await;
    }
}

impl Stack {
    /// Asks Lambda for a run of `poll` for these tenants, as the queue's event source does when callbacks have rung.
    pub(crate) fn reconcile(&self, tenants: &[&str]) -> Answer {
        let records = tenants.iter().map(|tenant| {
            let cause = ReconcileCause::Callback(EventId::of_body(b"rings").into());
            let request = ReconcileRequest { tenant: tenant.parse().unwrap(), cause, trace: None };
            queue_record(tenant, &serde_json::to_string(&request).unwrap())
        });
        self.invoke("PollFunction", &json!({ "Records": records.collect::<Vec<_>>() }))
    }

    /// Asks Lambda for a look of `poll` that is long due, after a fraud event about somebody.
    pub(crate) fn look(&self, tenant: &str) -> Answer {
        let bell = json!({
            "event": EventId::of_body(b"rings"), "received": "2026-01-01T00:00:00Z",
            "subscription": "6c2e9a47-0d3b-4f58-b1e6-92a7c4d0f381",
        });
        let request = json!({ "tenant": tenant, "cause": { "callback": bell } });
        self.invoke("PollFunction", &json!({ "Records": [queue_record(tenant, &request.to_string())] }))
    }

    /// Has `poll` look after the name of a customer, past the queue.
    pub(crate) fn look_after_names(&self, tenant: &str) -> Answer {
        let wanted = json!({ "of_alerts": { "customers": [{ "id": "4a8f2d61-5b0e-4c39-9d7a-7e2c1f60b8d3" }] } });
        let request = json!({ "tenant": tenant, "cause": "again", "names": wanted });
        self.invoke("PollFunction", &json!({ "Records": [queue_record(tenant, &request.to_string())] }))
    }

    /// Invokes a function through Lambda's API.
    pub(crate) fn invoke(&self, function: &str, payload: &Value) -> Answer {
        let request = json!({ "function": self.resources[function], "payload": payload });
        serde_json::from_value(tool("invoke", &request)).unwrap()
    }

    /// Has the emulator's scheduler fire one of the schedules, at its next tick.
    pub(crate) fn fire(&self, schedule: &str) {
        tool("fire", &json!({ "schedule": self.resources[schedule] }));
    }

    /// A function has logged a line with this text.
    pub(crate) fn assert_logged(&self, function: &str, text: &str) {
        let log = function.replace("Function", "Log");
        // What the emulator hasn't read when a function answers, it puts into the log with the next answer.
        for _ in 0..5 {
            if self.logs()[&log].to_string().contains(text) {
                return;
            }
            self.invoke(function, &json!({}));
        }
        panic!("{function} has not logged \"{text}\":\n{:#}", self.logs());
    }

    /// What the functions have logged.
    pub(crate) fn logs(&self) -> Value {
        tool("logs", &json!({ "stack": self.name }))
    }
}

/// Has deploy.py do something.
fn tool(command: &str, request: &Value) -> Value {
    const HERE: &str = env!("CARGO_MANIFEST_DIR");
    let mut python = Command::new(format!("{HERE}/../.tools/venv-ministack/bin/python"));
    python.arg(format!("{HERE}/emulated/deploy.py")).arg(command);
    let mut running = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    let ended = running.wait_with_output().unwrap();
    assert!(ended.status.success(), "deploy.py {command}: {}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

async fn microsoft() -> Simulator {
    let tenant = |id: &str| simulator::Tenant {
        id: id.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned(),
        callback_url: None,
        ..simulator::Tenant::default()
    };
    let options = simulator::Options { tenants: TENANTS.map(tenant).into(), ..simulator::Options::default() };
    Simulator::start(options).await.unwrap()
}

/// Begins as the template's `ActSecretPrefix` says.
pub(crate) fn act_secret(tenant: &str) -> String {
    format!("partner-alerts/act/{tenant}")
}

/// Each tenant has a path key of its own.
fn path_key(tenant: &str) -> String {
    let own = &tenant[tenant.len() - 12..];
    format!("{}{own}", &PATH_KEY[own.len()..])
}

/// The configuration of a tenant, as docs/configuration.md has it.
fn tenant_item(id: &str) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let hash = path_key(id).parse::<PathKey>().unwrap().hash();
    HashMap::from([
        ("pk", text("tenants")),
        ("sk", text(id)),
        ("id", text(id)),
        ("display_name", text("Contoso")),
        ("cloud", text("global")),
        ("alert_source", text("graph")),
        ("active", AttributeValue::Bool(true)),
        ("path_key_hashes", AttributeValue::L(vec![text(&hash.to_string())])),
        ("read_secret", text(SECRET)),
    ])
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
