//! What is asked of the bucket that exports lie in.

use std::future::Future;

use exports::Format;
use models::ExportId;

use super::Job;

/// What was kept of an export, and the tag by which it is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The export.
    pub job: Job,
    /// Its tag.
    pub tag: Tag,
}

/// The entity tag of what is kept: another one where that is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// What came of a conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there, by this tag.
    Done(Tag),
    /// Something else was there than the condition says.
    Other,
}

/// The bucket failed.
#[derive(Debug, thiserror::Error)]
#[error("the bucket of exports failed ({action})")]
pub struct NotKept {
    /// What was asked.
    pub action: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Keeps exports: what is known of each, and its file.
pub trait KeepExports {
    /// What is known of an export. None where it never was, or its day is over.
    fn job(&self, id: &ExportId) -> impl Future<Output = Result<Option<Kept>, NotKept>> + Send;

    /// Writes down what is known of an export: over what has this tag, or, without one, where nothing is yet.
    fn put_job(&self, job: &Job, over: Option<&Tag>) -> impl Future<Output = Result<Put, NotKept>> + Send;

    /// Begins to upload a file, and says how the upload is called.
    fn begin(&self, id: &ExportId, format: Format) -> impl Future<Output = Result<String, NotKept>> + Send;

    /// Sends a part, the first of them number 1, in place of one that was sent under the number before. Gives its entity tag.
    fn part(
        &self,
        job: &Job,
        upload: &str,
        number: usize,
        text: Vec<u8>,
    ) -> impl Future<Output = Result<String, NotKept>> + Send;

    /// Makes the file of an upload of all of these parts. The same again changes nothing.
    fn finish(&self, job: &Job, upload: &str) -> impl Future<Output = Result<(), NotKept>> + Send;

    /// Lays aside what is not enough for a part, under the turn that leaves it.
    fn leave(&self, id: &ExportId, turn: u32, text: Vec<u8>) -> impl Future<Output = Result<(), NotKept>> + Send;

    /// What a turn has left.
    fn left(&self, id: &ExportId, turn: u32) -> impl Future<Output = Result<Vec<u8>, NotKept>> + Send;

    /// A link to a file that anybody can follow, for a minute.
    fn link(&self, job: &Job) -> impl Future<Output = Result<String, NotKept>> + Send;
}
