//! An AWS account within the process: the embedded database, the queue, the topics and the secrets, below the SDK's clients.
//!
//! Nothing goes over a socket, so that thousands of schedules fit. Each run has a [`Script`](crate::script::Script), which says at which of its requests
//! there is trouble and where it is held up; requests without one (the test's own) go through.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use dynoxide::Database;
use engine::Refused;
use runtime::Clock as _;
use serde_json::{Value, json};

use crate::{
    asked::{Answer, Asked},
    history::History,
    plan::TroubleKind,
    script::SCRIPT,
    stage::Told,
};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Inner {
    database: Database,
    queue: Vec<String>,
    published: Vec<Value>,
    secrets: BTreeMap<String, String>,
    late: Vec<Asked>,
    history: History,
    clock: Arc<Told>,
}

/// The account. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Account(Arc<Mutex<Inner>>);

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").finish_non_exhaustive()
    }
}

impl Account {
    pub(crate) fn new(secrets: BTreeMap<String, String>, clock: Arc<Told>) -> Self {
        let inner = Inner {
            database: Database::memory().unwrap(),
            queue: Vec::new(),
            published: Vec::new(),
            secrets,
            late: Vec::new(),
            history: History::default(),
            clock,
        };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// The bodies of the queue's messages, which is empty from now on.
    pub(crate) fn take_queue(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0).queue)
    }

    /// What was published so far: the JSON form of each message.
    pub(crate) fn published(&self) -> Vec<Value> {
        lock(&self.0).published.clone()
    }

    /// Does what was late.
    pub(crate) fn settle(&self) {
        let mut inner = lock(&self.0);
        for asked in std::mem::take(&mut inner.late) {
            inner.perform(&asked);
        }
    }

    /// What was written so far.
    pub(crate) fn history<T>(&self, look: impl FnOnce(&mut History) -> T) -> T {
        look(&mut lock(&self.0).history)
    }

    /// Every item of a table, as DynamoDB writes it.
    pub(crate) fn items(&self, table: &str) -> Vec<Value> {
        engine::items(&lock(&self.0).database, table).unwrap()
    }

    /// One item.
    pub(crate) fn item(&self, table: &str, pk: &str, sk: &str) -> Option<Value> {
        engine::item(&lock(&self.0).database, table, pk, sk).unwrap()
    }
}

impl HttpClient for Account {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Account {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked::read(&request);
        let Ok(script) = SCRIPT.try_with(Arc::clone) else {
            return HttpConnectorFuture::ready(Ok(response(lock(&self.0).perform(&asked))));
        };
        let at = script.next();
        let trouble = script.trouble(at);
        let account = self.clone();
        match script.stops_at(at, &asked.operation) {
            Some(done) => HttpConnectorFuture::new(async move {
                let answer = done.then(|| account.answer(&asked, trouble));
                script.hold_up().await;
                answer.unwrap_or_else(|| account.answer(&asked, trouble))
            }),
            None => HttpConnectorFuture::ready(account.answer(&asked, trouble)),
        }
    }
}

impl Account {
    fn answer(&self, asked: &Asked, trouble: Option<TroubleKind>) -> Result<HttpResponse, ConnectorError> {
        let mut inner = lock(&self.0);
        let cut = || ConnectorError::io("the connection was lost".into());
        match trouble {
            None => Ok(response(inner.perform(asked))),
            Some(TroubleKind::Conflict) => Ok(response(asked.conflict())),
            Some(TroubleKind::Late) => {
                inner.late.push(asked.clone());
                Err(cut())
            }
            Some(TroubleKind::Lost) => {
                inner.perform(asked);
                Err(cut())
            }
            Some(TroubleKind::Partial) => Ok(response(asked.in_part().unwrap_or_else(|| inner.perform(asked)))),
            Some(TroubleKind::Refused) => Ok(response(asked.refused(500, "InternalServerError"))),
            Some(TroubleKind::Throttled) => Ok(response(asked.refused(400, "ThrottlingException"))),
            Some(TroubleKind::Twice) => {
                inner.perform(asked);
                Ok(response(inner.perform(asked)))
            }
            Some(TroubleKind::Unreached) => Err(cut()),
        }
    }
}

fn response((status, body): Answer) -> HttpResponse {
    HttpResponse::new(http::StatusCode::from_u16(status).unwrap().into(), body.into())
}

impl Inner {
    fn perform(&mut self, asked: &Asked) -> Answer {
        let json = || engine::read(&asked.body).unwrap();
        match asked.operation.as_str() {
            "GetSecretValue" => match self.secrets.get(json()["SecretId"].as_str().unwrap()) {
                Some(secret) => (200, json!({ "SecretString": secret, "VersionId": "v" }).to_string()),
                None => asked.refused(400, "ResourceNotFoundException"),
            },
            "Publish" => self.publish(&asked.body),
            "SendMessage" => {
                self.send(&json());
                (200, json!({ "MessageId": "m" }).to_string())
            }
            "SendMessageBatch" => {
                let body = json();
                let entries = body["Entries"].as_array().unwrap();
                for entry in entries {
                    self.send(entry);
                }
                let sent: Vec<_> = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m" })).collect();
                (200, json!({ "Successful": sent, "Failed": [] }).to_string())
            }
            operation => {
                let answer = self.dynamodb(operation, &asked.body);
                if answer.0 == 200 {
                    self.note(operation, &asked.body);
                }
                answer
            }
        }
    }

    fn send(&mut self, message: &Value) {
        self.queue.push(message["MessageBody"].as_str().unwrap().to_owned());
    }

    fn publish(&mut self, body: &[u8]) -> Answer {
        let message = form_urlencoded::parse(body).find(|(name, _)| name == "Message").unwrap().1;
        let forms: Value = engine::read(message.as_bytes()).unwrap();
        self.published.push(engine::read(forms["default"].as_str().unwrap().as_bytes()).unwrap());
        let id = "<PublishResult><MessageId>m</MessageId></PublishResult>";
        (200, format!("<PublishResponse>{id}</PublishResponse>"))
    }

    /// Shows the history each item that was written and that it keeps.
    fn note(&mut self, operation: &str, body: &[u8]) {
        if !matches!(operation, "PutItem" | "TransactWriteItems" | "UpdateItem") {
            return;
        }
        let body = engine::read(body).unwrap();
        let of_transaction = body["TransactItems"].as_array().into_iter().flatten();
        let actions: Vec<&Value> = match operation {
            "TransactWriteItems" => of_transaction.filter_map(|item| item.get("Put").or(item.get("Update"))).collect(),
            _ => vec![&body],
        };
        for action in actions {
            let key = action.get("Item").or(action.get("Key")).unwrap();
            let text = |name: &str| key[name]["S"].as_str().unwrap_or_default();
            let (table, pk, sk) = (action["TableName"].as_str().unwrap(), text("pk"), text("sk"));
            if !History::keeps(sk) {
                continue;
            }
            if let Some(item) = engine::item(&self.database, table, pk, sk).unwrap() {
                self.history.note(pk, sk, &item, self.clock.now());
            }
        }
    }

    fn dynamodb(&self, operation: &str, body: &[u8]) -> Answer {
        match engine::answer(&self.database, operation, body) {
            Ok(answer) => (200, answer),
            Err(Refused::Engine(error)) => (error.status_code(), error.to_json()),
            Err(refused) => panic!("what no schedule knows: {refused}"),
        }
    }
}
