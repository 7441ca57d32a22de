//! A bucket and a queue in memory, which behave as S3 and SQS do, and fail where a test says so.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use dashboard::jobs::{Job, KeepExports, Kept, NotKept, Put, Tag};
use exports::Format;
use jiff::SignedDuration;
use messaging::{AskForExports, QueueError};
use models::{ExportId, ExportTurn};

/// The call that comes after so many others fails.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    pub(super) at: usize,
    /// Whether what it asks for is done all the same.
    pub(super) has_effect: bool,
    /// Whether those behind it go through, as where an answer was lost, or fail as well, as where the process is killed.
    pub(super) is_once: bool,
}

#[derive(Default)]
struct Inner {
    jobs: HashMap<ExportId, Kept>,
    uploads: HashMap<String, BTreeMap<usize, (String, Vec<u8>)>>,
    files: HashMap<ExportId, Vec<u8>>,
    rests: HashMap<(ExportId, u32), Vec<u8>>,
    messages: VecDeque<ExportTurn>,
    written: usize,
    calls: usize,
    fault: Option<Fault>,
    refused: Option<&'static str>,
    hangs: bool,
    has_failed: bool,
    is_dead: bool,
}

impl Inner {
    fn tag(&mut self) -> String {
        self.written += 1;
        format!("\"{}\"", self.written)
    }
}

/// Both of them. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<Inner>>);

impl Shelf {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// The next message.
    pub(super) fn message(&self) -> Option<ExportTurn> {
        self.inner().messages.pop_front()
    }

    pub(super) fn ask(&self, id: &ExportId) {
        self.inner().messages.push_back(ExportTurn { export: id.clone() });
    }

    pub(super) fn kept(&self, id: &ExportId) -> Option<Kept> {
        self.inner().jobs.get(id).cloned()
    }

    pub(super) fn change(&self, id: &ExportId, change: impl FnOnce(&mut Job)) {
        change(&mut self.inner().jobs.get_mut(id).unwrap().job);
    }

    pub(super) fn forget(&self, id: &ExportId) {
        self.inner().jobs.remove(id);
    }

    pub(super) fn file(&self, id: &ExportId) -> Option<String> {
        self.inner().files.get(id).map(|bytes| String::from_utf8(bytes.clone()).unwrap())
    }

    /// From now on.
    pub(super) fn fail(&self, fault: Fault) {
        let mut inner = self.inner();
        (inner.calls, inner.fault) = (0, Some(fault));
    }

    /// Every call of this name fails.
    pub(super) fn refuse(&self, name: &'static str) {
        self.inner().refused = Some(name);
    }

    /// No call is ever answered.
    pub(super) fn hang(&self) {
        self.inner().hangs = true;
    }

    pub(super) fn has_failed(&self) -> bool {
        self.inner().has_failed
    }

    /// Another process.
    pub(super) fn restart(&self) {
        self.inner().is_dead = false;
    }

    async fn call<T>(
        &self,
        action: &'static str,
        effect: impl FnOnce(&mut Inner) -> Result<T, &'static str>,
    ) -> Result<T, NotKept> {
        // As over a network, others have their turn meanwhile.
        tokio::task::yield_now().await;
        if self.inner().hangs {
            std::future::pending::<()>().await;
        }
        let mut inner = self.inner();
        let failed = |why: &'static str| NotKept { action, source: why.into() };
        if inner.is_dead || inner.refused == Some(action) {
            return Err(failed("nobody answers"));
        }
        let place = inner.calls;
        inner.calls += 1;
        match inner.fault {
            Some(Fault { at, has_effect, is_once }) if at == place => {
                (inner.has_failed, inner.is_dead) = (true, !is_once);
                if has_effect {
                    let _ = effect(&mut inner);
                }
                Err(failed("the answer is lost"))
            }
            _ => effect(&mut inner).map_err(failed),
        }
    }
}

impl KeepExports for Shelf {
    async fn job(&self, id: &ExportId) -> Result<Option<Kept>, NotKept> {
        self.call("job", |inner| Ok(inner.jobs.get(id).cloned())).await
    }

    async fn put_job(&self, job: &Job, over: Option<&Tag>) -> Result<Put, NotKept> {
        // As it is read back.
        let job: Job = serde_json::from_slice(&serde_json::to_vec(job).unwrap()).unwrap();
        self.call("put_job", |inner| {
            if inner.jobs.get(&job.id).map(|kept| &kept.tag) != over {
                return Ok(Put::Other);
            }
            let tag = Tag(inner.tag());
            inner.jobs.insert(job.id.clone(), Kept { job, tag: tag.clone() });
            Ok(Put::Done(tag))
        })
        .await
    }

    async fn begin(&self, _: &ExportId, _: Format) -> Result<String, NotKept> {
        self.call("begin", |inner| {
            let upload = inner.tag();
            inner.uploads.insert(upload.clone(), BTreeMap::new());
            Ok(upload)
        })
        .await
    }

    async fn part(&self, _: &Job, upload: &str, number: usize, text: Vec<u8>) -> Result<String, NotKept> {
        self.call("part", |inner| {
            let tag = inner.tag();
            let parts = inner.uploads.get_mut(upload).ok_or("NoSuchUpload")?;
            parts.insert(number, (tag.clone(), text));
            Ok(tag)
        })
        .await
    }

    async fn finish(&self, job: &Job, upload: &str) -> Result<(), NotKept> {
        self.call("finish", |inner| {
            let Some(parts) = inner.uploads.get(upload) else {
                return if inner.files.contains_key(&job.id) { Ok(()) } else { Err("NoSuchUpload") };
            };
            let mut file = Vec::new();
            for (number, tag) in (1..).zip(&job.parts) {
                let part = parts.get(&number).filter(|(sent, _)| sent == tag);
                file.extend(&part.ok_or("InvalidPart")?.1);
            }
            inner.uploads.remove(upload);
            inner.files.insert(job.id.clone(), file);
            Ok(())
        })
        .await
    }

    async fn leave(&self, id: &ExportId, turn: u32, text: Vec<u8>) -> Result<(), NotKept> {
        self.call("leave", |inner| {
            inner.rests.insert((id.clone(), turn), text);
            Ok(())
        })
        .await
    }

    async fn left(&self, id: &ExportId, turn: u32) -> Result<Vec<u8>, NotKept> {
        self.call("left", |inner| inner.rests.get(&(id.clone(), turn)).cloned().ok_or("it is not there")).await
    }

    async fn link(&self, job: &Job) -> Result<String, NotKept> {
        self.call("link", |_| Ok(format!("https://bucket.example/{}", job.id))).await
    }
}

impl AskForExports for Shelf {
    async fn ask_for_export(&self, turn: &ExportTurn, _: SignedDuration) -> Result<(), QueueError> {
        let asked = self.call("ask", |inner| {
            inner.messages.push_back(turn.clone());
            Ok(())
        });
        let failed =
            |NotKept { source, .. }| QueueError::Failed { queue: "exports", code: "not reached".to_owned(), source };
        asked.await.map_err(failed)
    }
}
