//! Lambda, for one process: starts a function's binary as the service does, and answers it as the Runtime API.
//!
//! It keeps to what <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> says: `next` waits until there is an
//! invocation, an environment has one invocation at a time, and an answer to any other is refused. The process gets the
//! variables that Lambda sets, those of the function, and nothing of this machine's. What Lambda would do after a failure
//! (start another environment, try an event again) is left to whoever calls.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has to fail loudly")]

use std::{
    collections::VecDeque,
    fmt,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_credential_types::provider::ProvideCredentials as _;
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path as Segment, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt as _,
};
use bytes::Bytes;
use runtime::{Clock as _, LOG_LEVEL, OutgoingTls, Parts, SystemClock, Variable};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex as AsyncMutex, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::{PATIENCE, secrets::assert_no_secret};

/// Most lines that are kept of each output; older ones make room.
const KEPT_LINES: usize = 2_000;
/// The largest answer of a function, in bytes.
const ANSWER_BYTES: usize = 6 << 20;
/// What Lambda sets for every function with a runtime of its own.
const SET_BY_LAMBDA: [(&str, &str); 14] = [
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function"),
    ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/03/02/[$LATEST]0123456789abcdef0123456789abcdef"),
    ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
    ("LAMBDA_TASK_ROOT", "/var/task"),
    ("LANG", "en_US.UTF-8"),
    ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ("TZ", ":UTC"),
    ("_HANDLER", "bootstrap"),
];

/// Variables of a process.
pub type Environment = Vec<(String, String)>;

/// An execution environment of Lambda. Dropped, it takes its process with it.
#[derive(Debug)]
pub struct Lambda {
    process: Child,
    spawned: Instant,
    asked: watch::Receiver<Option<Instant>>,
    invocations: mpsc::UnboundedSender<Invocation>,
    invoked: u64,
    api: Arc<Api>,
    outputs: Option<[JoinHandle<Vec<String>>; 2]>,
    _server: JoinSet<()>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The process ended.
    #[error("the process ended: {0}")]
    Ended(Box<Ended>),
    /// The function reported an error.
    #[error("{0}")]
    Function(FunctionError),
    /// Neither an answer nor an end came.
    #[error("waited in vain")]
    TimedOut,
}

/// What a function reports to Lambda when it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// Of which type.
    pub kind: String,
    /// In words.
    pub message: String,
}

/// A process that ended, and the lines that it left.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it told Lambda before, if it could not start.
    pub init_error: Option<FunctionError>,
    /// Standard output, where logs go.
    pub stdout: Vec<String>,
    /// Standard error.
    pub stderr: Vec<String>,
}

/// What a function is to be given so that it reaches this system: its own variables, and AWS as Lambda gives it.
pub async fn environment(parts: &Parts, of_function: &[Variable]) -> Environment {
    let of_all = OutgoingTls::VARIABLES.into_iter().chain([LOG_LEVEL]);
    let set = of_function.iter().copied().chain(of_all).filter_map(|variable| {
        let value = parts.variables.optional::<String>(&Variable { default: None, ..variable }).unwrap()?;
        Some((variable.name.to_owned(), value))
    });
    let credentials = parts.aws.credentials_provider().unwrap().provide_credentials().await.unwrap();
    let aws = [
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
        ("AWS_ENDPOINT_URL", parts.aws.endpoint_url().unwrap()),
        ("AWS_REGION", parts.aws.region().unwrap().as_ref()),
        ("AWS_SECRET_ACCESS_KEY", "made-up-secret-access-key"),
        ("AWS_SESSION_TOKEN", "made-up-secret-session"),
    ];
    set.chain(aws.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

impl Lambda {
    /// Starts a binary. It does not wait until the function is ready.
    pub async fn start(binary: &Path, environment: &[(String, String)]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asks, asked) = watch::channel(None);
        let (invocations, next) = mpsc::unbounded_channel();
        let api = Arc::new(Api { asks, next: AsyncMutex::new(next), told: Mutex::default() });
        let mut server = JoinSet::new();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        let router = router(Arc::clone(&api));
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });

        let mut command = Command::new(binary);
        command.env_clear().envs(SET_BY_LAMBDA).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let spawned = Instant::now();
        let mut process = command.spawn().unwrap();
        let outputs = [
            tokio::spawn(last_lines(process.stdout.take().unwrap())),
            tokio::spawn(last_lines(process.stderr.take().unwrap())),
        ];
        Self { process, spawned, asked, invocations, invoked: 0, api, outputs: Some(outputs), _server: server }
    }

    /// Waits until the function asks for its first invocation, and says how long after the start that was.
    ///
    /// # Errors
    ///
    /// [`Failed`] where it ends instead.
    pub async fn ready(&mut self) -> Result<Duration, Failed> {
        let mut asked = self.asked.clone();
        let first = self.unless_it_ends(async move { asked.wait_for(Option::is_some).await.unwrap().unwrap() }).await?;
        Ok(first - self.spawned)
    }

    /// Hands an event over and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`Failed`] where there is none.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Result<Value, Failed> {
        self.invoked += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012x}", self.invoked);
        self.invoke_as(id, event).await
    }

    /// The same under this request id.
    ///
    /// # Errors
    ///
    /// [`Failed`] where there is no answer.
    pub async fn invoke_as(&mut self, id: String, event: impl Into<Bytes>) -> Result<Value, Failed> {
        let (answers, answer) = oneshot::channel();
        self.invocations.send(Invocation { id, event: event.into(), answers }).unwrap();
        self.unless_it_ends(answer).await?.unwrap().map_err(Failed::Function)
    }

    /// The process id, while there is one.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Ends the process at once, as Lambda ends an environment without extensions, and hands over what it left.
    pub async fn kill(mut self) -> Ended {
        // One that has ended by itself is as good.
        let _ = self.process.start_kill();
        self.ended().await
    }

    /// Asks the process to end (SIGTERM), and waits until it does.
    pub async fn terminate(self) -> Ended {
        let sent = Command::new("kill").arg("-TERM").arg(self.id().to_string()).status().await.unwrap();
        assert!(sent.success(), "no signal could be sent: {sent}");
        self.ended().await
    }

    /// Waits until the process ends by itself.
    pub async fn ended(mut self) -> Ended {
        let status = timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        self.left(status).await
    }

    async fn unless_it_ends<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Failed> {
        let status = tokio::select! {
            // What was said before the end counts.
            biased;
            event = timeout(PATIENCE, event) => return event.map_err(|_| Failed::TimedOut),
            status = self.process.wait() => status.unwrap(),
        };
        Err(Failed::Ended(Box::new(self.left(status).await)))
    }

    async fn left(&mut self, status: ExitStatus) -> Ended {
        let [stdout, stderr] = self.outputs.take().unwrap();
        let (stdout, stderr) = (stdout.await.unwrap(), stderr.await.unwrap());
        // Whatever a test is about: no process of a function writes a secret.
        stdout.iter().chain(&stderr).for_each(|line| assert_no_secret(line));
        Ended { status, init_error: self.api.told().init_error.take(), stdout, stderr }
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status)?;
        self.stdout.iter().chain(&self.stderr).try_for_each(|line| write!(formatter, "\n    {line}"))
    }
}

// ---- the Runtime API -------------------------------------------------------------------------------------------------------

/// What the handlers share.
#[derive(Debug)]
struct Api {
    /// When the function first asked.
    asks: watch::Sender<Option<Instant>>,
    next: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    told: Mutex<Told>,
}

/// What was told, to the function and by it.
#[derive(Debug, Default)]
struct Told {
    under_way: Option<(String, Answers)>,
    init_error: Option<FunctionError>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Bytes,
    answers: Answers,
}

type Answers = oneshot::Sender<Result<Value, FunctionError>>;

impl Api {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes the answer to an invocation on, if it is the one that is under way.
    fn answer(&self, id: &str, answer: Result<Value, FunctionError>) -> Response {
        match self.told().under_way.take_if(|(under_way, _)| under_way == id) {
            Some((_, answers)) => {
                // Whoever asked may have stopped waiting.
                let _ = answers.send(answer);
                accepted()
            }
            None => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "no such invocation is under way"),
        }
    }
}

fn router(api: Arc<Api>) -> Router {
    let routes = Router::new()
        .route("/runtime/invocation/next", get(next))
        .route("/runtime/invocation/{id}/response", post(response))
        .route("/runtime/invocation/{id}/error", post(error))
        .route("/runtime/init/error", post(init_error));
    Router::new().nest("/2018-06-01", routes).layer(DefaultBodyLimit::max(ANSWER_BYTES)).with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    if api.told().under_way.is_some() {
        return refused(StatusCode::FORBIDDEN, "InvalidStateTransition", "an invocation is under way");
    }
    api.asks.send_if_modified(|first| first.is_none().then(|| *first = Some(Instant::now())).is_some());
    let Some(Invocation { id, event, answers }) = api.next.lock().await.recv().await else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "Shutdown", "the environment is being shut down");
    };
    let deadline = (SystemClock.now().as_millisecond() + i64::try_from(PATIENCE.as_millis()).unwrap()).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", &id),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:function"),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1;Lineage=25:a1b2c3d4:0",
        ),
    ];
    let response = (headers, Body::from(event)).into_response();
    api.told().under_way = Some((id, answers));
    response
}

async fn response(State(api): State<Arc<Api>>, Segment(id): Segment<String>, body: Bytes) -> Response {
    // Lambda refuses what is no JSON, and says so to whoever invoked.
    let answer = serde_json::from_slice(&body)
        .map_err(|error| FunctionError { kind: "Runtime.InvalidResponse".to_owned(), message: error.to_string() });
    api.answer(&id, answer)
}

async fn error(State(api): State<Arc<Api>>, Segment(id): Segment<String>, body: Bytes) -> Response {
    api.answer(&id, Err(FunctionError::read(&body)))
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> Response {
    api.told().init_error = Some(FunctionError::read(&body));
    accepted()
}

impl FunctionError {
    fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Self { kind: text("errorType"), message: text("errorMessage") }
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, axum::Json(json!({ "errorType": kind, "errorMessage": message }))).into_response()
}

async fn last_lines(output: impl AsyncRead + Unpin) -> Vec<String> {
    let mut lines = BufReader::new(output).split(b'\n');
    let mut kept = VecDeque::with_capacity(KEPT_LINES);
    while let Ok(Some(line)) = lines.next_segment().await {
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).into_owned());
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> (Arc<Api>, mpsc::UnboundedSender<Invocation>) {
        let (asks, _) = watch::channel(None);
        let (invocations, next) = mpsc::unbounded_channel();
        (Arc::new(Api { asks, next: AsyncMutex::new(next), told: Mutex::default() }), invocations)
    }

    fn invocation(id: &str) -> (Invocation, oneshot::Receiver<Result<Value, FunctionError>>) {
        let (answers, answer) = oneshot::channel();
        (Invocation { id: id.to_owned(), event: Bytes::from("{}"), answers }, answer)
    }

    async fn answered(api: &Arc<Api>, id: &str, body: &'static str) -> StatusCode {
        response(State(Arc::clone(api)), Segment(id.to_owned()), Bytes::from(body)).await.status()
    }

    #[tokio::test]
    async fn next_waits_until_there_is_an_invocation() {
        let (api, invocations) = api();
        let mut waiting = tokio::spawn(next(State(Arc::clone(&api))));
        api.asks.subscribe().wait_for(Option::is_some).await.unwrap();
        assert!(!waiting.is_finished());
        let (invocation, _) = invocation("one");
        invocations.send(invocation).unwrap();
        let given = (&mut waiting).await.unwrap();
        assert_eq!(given.headers()["lambda-runtime-aws-request-id"], "one");
    }

    #[tokio::test]
    async fn only_the_invocation_that_is_under_way_can_be_answered_and_only_once() {
        let (api, invocations) = api();
        let (invocation, mut answer) = invocation("one");
        assert_eq!(answered(&api, "one", "1").await, StatusCode::BAD_REQUEST, "it was not handed over yet");
        invocations.send(invocation).unwrap();
        assert_eq!(next(State(Arc::clone(&api))).await.status(), StatusCode::OK);
        assert_eq!(next(State(Arc::clone(&api))).await.status(), StatusCode::FORBIDDEN, "one at a time");
        assert_eq!(answered(&api, "other", "1").await, StatusCode::BAD_REQUEST);
        assert!(answer.try_recv().is_err());
        assert_eq!(answered(&api, "one", "1").await, StatusCode::ACCEPTED);
        assert_eq!(answer.await.unwrap(), Ok(json!(1)));
        assert_eq!(answered(&api, "one", "1").await, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn a_process_that_ends_is_an_error_at_once() {
        for (program, succeeds) in [("/bin/true", true), ("/bin/false", false)] {
            let mut lambda = Lambda::start(Path::new(program), &[]).await;
            let Err(Failed::Ended(ended)) = lambda.ready().await else { panic!("{program} asks for nothing") };
            assert_eq!(ended.status.success(), succeeds);
        }
    }

    #[tokio::test]
    async fn the_last_lines_are_kept() {
        let written: Vec<_> = (0..KEPT_LINES + 2).map(|line| format!("{line}\n")).collect();
        let kept = last_lines(written.concat().as_bytes()).await;
        assert_eq!((kept.len(), kept[0].as_str()), (KEPT_LINES, "2"));
    }
}
