//! Canonical CBOR in requests and answers ([`protocol::codec`]).
//!
//! Callers: handlers. *Not here:* which type a route takes.

use super::problem::Problem;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::codec;

/// A body of type `T`.
pub(super) struct Cbor<T>(pub(super) T);

/// The bytes of a body, up to the route's limit.
pub(super) struct Raw(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Raw).map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = "the body is longer than this route takes";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request-too-large", detail)
            }
            _ => Problem::malformed(),
        })
    }
}

impl<S: Send + Sync, T> FromRequest<S> for Cbor<T>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        codec::decode(&bytes).map(Cbor).map_err(|_| Problem::malformed())
    }
}

impl<T: minicbor::Encode<()>> IntoResponse for Cbor<T> {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/cbor")], codec::encode(&self.0)).into_response()
    }
}
