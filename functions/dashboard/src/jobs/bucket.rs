//! The bucket of exports in S3.
//!
//! Everything of an export lies under its id, and S3 removes it after a day (`template.yaml`). Nobody reads there but by this function, or by a link that it
//! has made.

use std::time::Duration;

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation},
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use exports::Format;
use models::ExportId;

use super::{Job, KeepExports, Kept, NotKept, Put, Tag};

/// How long a link is good.
const LINK: Duration = Duration::from_mins(1);
/// How long one attempt may take: a part takes longer than anything else that we ask of AWS.
const ATTEMPT: Duration = Duration::from_secs(15);
/// How long all attempts together may take.
const OPERATION: Duration = Duration::from_secs(25);

/// The bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket of this name.
    #[must_use]
    pub fn new(aws: &SdkConfig, name: String) -> Self {
        let timeouts = aws.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let timeouts = timeouts.operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION);
        let config = Builder::from(aws)
            .timeout_config(timeouts.build())
            // What arrives is held to by TLS and by the entity tag of each part; sums beside them cost time that a turn has better use for.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            // An address of one's own has no name for each bucket.
            .force_path_style(aws.endpoint_url().is_some());
        Self { client: Client::from_conf(config.build()), name }
    }

    async fn read(&self, action: &'static str, key: String) -> Result<Option<(Vec<u8>, Tag)>, NotKept> {
        let found = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(found) => found,
            Err(error) if is_one_of(&error, &["NoSuchKey"]) => return Ok(None),
            Err(error) => return Err(failed(action)(error)),
        };
        let tag = Tag(found.e_tag().unwrap_or_default().to_owned());
        let bytes = found.body.collect().await.map_err(failed(action))?;
        Ok(Some((bytes.to_vec(), tag)))
    }
}

impl KeepExports for Bucket {
    async fn job(&self, id: &ExportId) -> Result<Option<Kept>, NotKept> {
        let action = "GetObject (export)";
        let Some((bytes, tag)) = self.read(action, job_key(id)).await? else { return Ok(None) };
        let job = serde_json::from_slice(&bytes).map_err(failed(action))?;
        Ok(Some(Kept { job, tag }))
    }

    async fn put_job(&self, job: &Job, over: Option<&Tag>) -> Result<Put, NotKept> {
        let action = "PutObject (export)";
        let text = serde_json::to_vec(job).map_err(failed(action))?;
        let request = self.client.put_object().bucket(&self.name).key(job_key(&job.id)).body(ByteStream::from(text));
        let request = request.content_type("application/json");
        let request = match over {
            Some(Tag(tag)) => request.if_match(tag),
            None => request.if_none_match("*"),
        };
        match request.send().await {
            Ok(done) => Ok(Put::Done(Tag(done.e_tag().unwrap_or_default().to_owned()))),
            // Gone as well: there is nothing that it could be over.
            Err(error) if is_one_of(&error, &["PreconditionFailed", "NoSuchKey"]) => Ok(Put::Other),
            Err(error) => Err(failed(action)(error)),
        }
    }

    async fn begin(&self, id: &ExportId, format: Format) -> Result<String, NotKept> {
        let action = "CreateMultipartUpload";
        let request = self.client.create_multipart_upload().bucket(&self.name).key(file_key(id, format));
        let begun = request.content_type(format.content_type()).send().await.map_err(failed(action))?;
        begun.upload_id.ok_or_else(|| failed(action)("it has no id"))
    }

    async fn part(&self, job: &Job, upload: &str, number: usize, text: Vec<u8>) -> Result<String, NotKept> {
        let action = "UploadPart";
        let request = self.client.upload_part().bucket(&self.name).key(file_key(&job.id, job.format));
        let request = request.upload_id(upload).part_number(i32::try_from(number).map_err(failed(action))?);
        let sent = request.body(ByteStream::from(text)).send().await.map_err(failed(action))?;
        sent.e_tag.ok_or_else(|| failed(action)("it has no entity tag"))
    }

    async fn finish(&self, job: &Job, upload: &str) -> Result<(), NotKept> {
        let action = "CompleteMultipartUpload";
        let numbered = (1..).zip(&job.parts);
        let parts = numbered.map(|(number, tag)| CompletedPart::builder().part_number(number).e_tag(tag).build());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let key = file_key(&job.id, job.format);
        let request = self.client.complete_multipart_upload().bucket(&self.name).key(&key);
        match request.upload_id(upload).multipart_upload(parts).send().await {
            Ok(_) => Ok(()),
            // Made before, if the file is there: nothing else writes it.
            Err(error) if is_one_of(&error, &["NoSuchUpload"]) => {
                let there = self.client.head_object().bucket(&self.name).key(key).send().await;
                there.map(drop).map_err(|_| failed(action)(error))
            }
            Err(error) => Err(failed(action)(error)),
        }
    }

    async fn leave(&self, id: &ExportId, turn: u32, text: Vec<u8>) -> Result<(), NotKept> {
        let request = self.client.put_object().bucket(&self.name).key(rest_key(id, turn));
        request.body(ByteStream::from(text)).send().await.map(drop).map_err(failed("PutObject (rest)"))
    }

    async fn left(&self, id: &ExportId, turn: u32) -> Result<Vec<u8>, NotKept> {
        let action = "GetObject (rest)";
        let found = self.read(action, rest_key(id, turn)).await?;
        found.map(|(bytes, _)| bytes).ok_or_else(|| failed(action)("it is not there"))
    }

    async fn link(&self, job: &Job) -> Result<String, NotKept> {
        let action = "link";
        let request = self.client.get_object().bucket(&self.name).key(file_key(&job.id, job.format));
        let disposition = format!("attachment; filename=\"{}\"", job.format.file_name());
        let request = request.response_content_disposition(disposition).response_cache_control("no-store");
        let terms = PresigningConfig::expires_in(LINK).map_err(failed(action))?;
        let link = request.presigned(terms).await.map_err(failed(action))?;
        Ok(link.uri().to_owned())
    }
}

fn job_key(id: &ExportId) -> String {
    format!("exports/{id}/job.json")
}

fn file_key(id: &ExportId, format: Format) -> String {
    format!("exports/{id}/alerts.{format}")
}

fn rest_key(id: &ExportId, turn: u32) -> String {
    format!("exports/{id}/rest-{turn}")
}

fn is_one_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    error.code().is_some_and(|code| codes.contains(&code))
}

fn failed<E: Into<Box<dyn std::error::Error + Send + Sync>>>(action: &'static str) -> impl FnOnce(E) -> NotKept {
    move |error| NotKept { action, source: error.into() }
}
