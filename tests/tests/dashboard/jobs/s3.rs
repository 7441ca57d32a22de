//! A server that keeps objects as S3 documents it, as far as exports ask it to: conditional writes, multipart uploads, errors by their codes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Query, Request, State},
};
use http::{HeaderMap, Method, Response, StatusCode, header};
use regex::Regex;
use tokio::{net::TcpListener, task::JoinSet};

#[derive(Default)]
struct Inner {
    objects: HashMap<String, (String, Bytes)>,
    uploads: HashMap<String, BTreeMap<String, (String, Bytes)>>,
    written: usize,
    /// Method, path and query of each request.
    asked: Vec<String>,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Inner>>);

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

/// The server; it ends with this.
pub(super) struct S3 {
    pub(super) url: String,
    shared: Shared,
    _server: JoinSet<()>,
}

impl S3 {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared::default();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, _server: server }
    }

    /// The keys of what is kept, with the bucket before each.
    pub(super) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.shared.inner().objects.keys().cloned().collect();
        keys.sort();
        keys
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.inner().asked)
    }
}

async fn answer(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let key = parts.uri.path().trim_start_matches('/').to_owned();
    let mut inner = shared.inner();
    inner.asked.push(format!("{} {}", parts.method, parts.uri));
    let upload = query.get("uploadId");
    match (parts.method, upload) {
        (Method::POST, None) => {
            let id = inner.next();
            inner.uploads.insert(id.clone(), BTreeMap::new());
            text(format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
        }
        (Method::POST, Some(upload)) => inner.join(&key, upload, &String::from_utf8(body.to_vec()).unwrap()),
        (Method::PUT, Some(upload)) => {
            let tag = format!("\"{}\"", inner.next());
            let Some(parts) = inner.uploads.get_mut(upload) else { return refused("NoSuchUpload", 404) };
            parts.insert(query["partNumber"].clone(), (tag.clone(), body));
            tagged(&tag, Bytes::new())
        }
        (Method::PUT, None) => inner.put(key, &parts.headers, body),
        (method, _) => match inner.objects.get(&key) {
            Some((tag, bytes)) => {
                let mut found = tagged(tag, if method == Method::HEAD { Bytes::new() } else { bytes.clone() });
                if let Some(disposition) = query.get("response-content-disposition") {
                    found.headers_mut().insert(header::CONTENT_DISPOSITION, disposition.parse().unwrap());
                }
                found
            }
            None => refused("NoSuchKey", 404),
        },
    }
}

impl Inner {
    fn next(&mut self) -> String {
        self.written += 1;
        self.written.to_string()
    }

    fn put(&mut self, key: String, headers: &HeaderMap, body: Bytes) -> Response<Body> {
        let there = self.objects.get(&key).map(|(tag, _)| tag.clone());
        let condition = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        if let Some(wanted) = condition(header::IF_MATCH) {
            match there {
                None => return refused("NoSuchKey", 404),
                Some(tag) if tag != wanted => return refused("PreconditionFailed", 412),
                Some(_) => {}
            }
        } else if condition(header::IF_NONE_MATCH).is_some() && there.is_some() {
            return refused("PreconditionFailed", 412);
        }
        let tag = format!("\"{}\"", self.next());
        self.objects.insert(key, (tag.clone(), body));
        tagged(&tag, Bytes::new())
    }

    fn join(&mut self, key: &str, upload: &str, body: &str) -> Response<Body> {
        let Some(parts) = self.uploads.get(upload) else { return refused("NoSuchUpload", 404) };
        let mut whole = Vec::new();
        for part in body.split("<Part>").skip(1) {
            let of = |name: &str| {
                let found =
                    Regex::new(&format!("<{name}>(.*?)</{name}>")).unwrap().captures(part).unwrap()[1].to_owned();
                found.replace("&quot;", "\"")
            };
            match parts.get(&of("PartNumber")) {
                Some((tag, bytes)) if *tag == of("ETag") => whole.extend_from_slice(bytes),
                _ => return refused("InvalidPart", 400),
            }
        }
        self.uploads.remove(upload);
        let tag = format!("\"{}\"", self.next());
        self.objects.insert(key.to_owned(), (tag, whole.into()));
        text("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>".to_owned())
    }
}

fn text(text: String) -> Response<Body> {
    Response::new(text.into())
}

fn tagged(tag: &str, bytes: Bytes) -> Response<Body> {
    let mut answer = Response::new(bytes.into());
    answer.headers_mut().insert(header::ETAG, tag.parse().unwrap());
    answer
}

fn refused(code: &str, status: u16) -> Response<Body> {
    let mut answer = text(format!("<Error><Code>{code}</Code><Message>no</Message></Error>"));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}
