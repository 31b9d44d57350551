//! Errors over HTTP: problem documents (RFC 9457), with the stable name of the error in them (R34).
//!
//! Callers: all handlers. The detail is the error's own text, which holds no value of anybody's. *Not here:* refusals of
//! single envelopes, which travel inside the answer to a submission.

use crate::evidence::NoEvidence;
use crate::log::LogRefused;
use crate::mail::FrameRefused;
use crate::membership::MembershipRefused;
use crate::staging::StagingRefused;
use crate::store::StoreError;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The stable name of an error, kept with the response for the counters.
#[derive(Clone, Copy)]
pub(crate) struct Code(pub(crate) &'static str);

/// A problem document.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:sutura:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What happened, for people.
    detail: String,
    /// The stable name of the error.
    #[schema(value_type = String)]
    code: &'static str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:sutura:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code,
        }
    }

    pub(crate) fn timed_out() -> Problem {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", "the request took too long")
    }

    pub(crate) fn malformed() -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "request-malformed", "the request is not what this route takes")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&self).unwrap_or_default();
        let code = Code(self.code);
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response();
        response.extensions_mut().insert(code);
        response
    }
}

pub(super) async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "route-unknown", "there is nothing under this path")
}

pub(super) async fn no_such_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this path does not take this method")
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-failed", "the broker's store failed; try again later")
    }
}

impl From<LogRefused> for Problem {
    fn from(refused: LogRefused) -> Self {
        let status = match refused {
            LogRefused::NoCheckpoint => StatusCode::NOT_FOUND,
            LogRefused::Cosignature => StatusCode::UNPROCESSABLE_ENTITY,
            LogRefused::Range | LogRefused::TooMany => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, refused.code(), refused.to_string())
    }
}

impl From<FrameRefused> for Problem {
    fn from(refused: FrameRefused) -> Self {
        let status = match refused {
            FrameRefused::Unknown => StatusCode::NOT_FOUND,
            FrameRefused::Destroyed => StatusCode::GONE,
        };
        Problem::new(status, refused.code(), refused.to_string())
    }
}

impl From<StagingRefused> for Problem {
    fn from(refused: StagingRefused) -> Self {
        let status = match refused {
            StagingRefused::Full => StatusCode::INSUFFICIENT_STORAGE,
            StagingRefused::OtherLength => StatusCode::CONFLICT,
            StagingRefused::Frame | StagingRefused::Rows => StatusCode::BAD_REQUEST,
        };
        Problem::new(status, refused.code(), refused.to_string())
    }
}

impl From<NoEvidence> for Problem {
    fn from(refused: NoEvidence) -> Self {
        Problem::new(StatusCode::NOT_FOUND, refused.code(), refused.to_string())
    }
}

impl From<MembershipRefused> for Problem {
    fn from(refused: MembershipRefused) -> Self {
        let status = match refused {
            MembershipRefused::Store(error) => return error.into(),
            MembershipRefused::Invite | MembershipRefused::Used | MembershipRefused::OtherUnit => StatusCode::FORBIDDEN,
            MembershipRefused::Signature | MembershipRefused::Request(_) => StatusCode::BAD_REQUEST,
            MembershipRefused::NotYet | MembershipRefused::NotAsked | MembershipRefused::NoSuchUnit => {
                StatusCode::NOT_FOUND
            }
            MembershipRefused::Already => StatusCode::CONFLICT,
        };
        Problem::new(status, refused.code(), refused.to_string())
    }
}
