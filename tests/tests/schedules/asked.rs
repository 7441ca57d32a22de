//! A request to AWS, and what answers it where it is not done.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::{Value, json};

/// A request, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    pub(crate) body: Vec<u8>,
}

/// A status and a body.
pub(crate) type Answer = (u16, String);

impl Asked {
    pub(crate) fn read(request: &HttpRequest) -> Self {
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        // Only SNS speaks the query protocol.
        let operation = target.map_or("Publish", |(_, operation)| operation).to_owned();
        Self { operation, body }
    }

    pub(crate) fn refused(&self, status: u16, code: &str) -> Answer {
        if self.operation == "Publish" {
            return (status, format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"));
        }
        (status, json!({ "__type": code, "message": "refused by the schedule" }).to_string())
    }

    pub(crate) fn conflict(&self) -> Answer {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match self.operation.as_str() {
            "TransactWriteItems" => {
                let actions = body["TransactItems"].as_array().unwrap().len();
                let mut reasons = vec![json!({ "Code": "None" }); actions];
                reasons[actions - 1] = json!({ "Code": "TransactionConflict", "Message": "by the schedule" });
                let code = "TransactionCanceledException";
                (400, json!({ "__type": code, "message": "cancelled", "CancellationReasons": reasons }).to_string())
            }
            "PutItem" | "UpdateItem" => self.refused(400, "TransactionConflictException"),
            _ => self.refused(400, "ThrottlingException"),
        }
    }

    /// An answer to a batch that has done none of it.
    pub(crate) fn in_part(&self) -> Option<Answer> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let answer = match self.operation.as_str() {
            "BatchGetItem" => json!({ "Responses": {}, "UnprocessedKeys": body["RequestItems"] }),
            "SendMessageBatch" => {
                let refuse =
                    |entry: &Value| json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false });
                let failed: Vec<_> = body["Entries"].as_array()?.iter().map(refuse).collect();
                json!({ "Successful": [], "Failed": failed })
            }
            _ => return None,
        };
        Some((200, answer.to_string()))
    }
}
