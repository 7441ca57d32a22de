//! What AWS's refusals say about what was looked at: nothing, mostly.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::finding::{Finding, Subject};

/// What the services call a lack of permission.
const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
];

/// Whether what was asked for is not there, by one of these codes.
pub(super) fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, codes: &[&str]) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.is_some_and(|code| codes.iter().any(|absent| code.ends_with(absent)))
}

/// What a failure of this action, such as `sns:GetTopicAttributes`, leaves us to say.
pub(super) fn unseen<E: ProvideErrorMetadata, R>(subject: &Subject, action: &str, error: &SdkError<E, R>) -> Finding {
    let code = match error {
        SdkError::ServiceError(refused) => refused.err().code().unwrap_or("a refusal without a code"),
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "not reached",
        SdkError::ResponseError(_) => "an answer that can't be read",
        _ => "a request that can't be made",
    };
    unseen_for(subject, action, code)
}

/// The same by AWS's code, or what stands for one.
pub(super) fn unseen_for(subject: &Subject, action: &str, code: &str) -> Finding {
    if DENIED.contains(&code) {
        let advice = format!("give yourself the permission {action}, or ask somebody who has it");
        return subject.unknown(format!("AWS does not let you look ({action})"), advice);
    }
    let advice =
        "`aws sts get-caller-identity` shows whether credentials and region are right, and whether AWS can be reached";
    subject.unknown(format!("AWS did not say ({action}: {code})"), advice)
}
