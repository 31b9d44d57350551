//! The log: checkpoints, proofs, cosignatures (R26, R27).

use super::Served;
use super::auth::AuthenticatedUnit;
use super::cbor::{Cbor, Raw};
use super::problem::Problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::mailbox::{InclusionQuery, Proof, Proofs};

/// The latest checkpoint with its cosignatures, as a C2SP signed note.
#[utoipa::path(get, path = "/v1/log/checkpoint", tag = "log",
    responses(
        (status = 200, description = "tlog-checkpoint", content_type = "text/plain", body = String),
        (status = 404, description = "None yet", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn checkpoint(State(served): State<Served>, _: AuthenticatedUnit) -> Result<Response, Problem> {
    let note = served.broker.checkpoint().await??;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(super) struct Between {
    /// Size of the older tree.
    from: u64,
    /// Size of the newer tree.
    to: u64,
}

/// The proof that one tree begins with another.
#[utoipa::path(get, path = "/v1/log/consistency", tag = "log", params(Between),
    responses(
        (status = 200, description = "Proof", content_type = "application/cbor", body = Vec<u8>),
        (status = 400, description = "No such sizes", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn consistency(
    State(served): State<Served>,
    _: AuthenticatedUnit,
    query: Result<Query<Between>, QueryRejection>,
) -> Result<Cbor<Proof>, Problem> {
    let Query(Between { from, to }) = query.map_err(|_| Problem::malformed())?;
    Ok(Cbor(served.broker.consistency(from, to).await??))
}

/// Proofs that entries stand in a tree.
#[utoipa::path(post, path = "/v1/log/inclusion", tag = "log",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "InclusionQuery"),
    responses(
        (status = 200, description = "Proofs", content_type = "application/cbor", body = Vec<u8>),
        (status = 400, description = "No such entries", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn inclusion(
    State(served): State<Served>,
    _: AuthenticatedUnit,
    Cbor(query): Cbor<InclusionQuery>,
) -> Result<Cbor<Proofs>, Problem> {
    Ok(Cbor(Proofs { proofs: served.broker.inclusion(query.size, &query.entries).await?? }))
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(super) struct Size {
    /// Size of the tree.
    size: u64,
}

/// The right edge of a tree: eight bytes of size, then the hashes of its complete subtrees, largest first.
#[utoipa::path(get, path = "/v1/log/frontier", tag = "log", params(Size),
    responses(
        (status = 200, description = "Frontier", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, description = "No such size", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn frontier(
    State(served): State<Served>,
    _: AuthenticatedUnit,
    query: Result<Query<Size>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(Size { size }) = query.map_err(|_| Problem::malformed())?;
    let edge = served.broker.frontier(size).await??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], edge).into_response())
}

/// A unit's cosignature of one of the latest checkpoints: one signature line of a note.
#[utoipa::path(post, path = "/v1/log/cosignature", tag = "log",
    request_body(content = String, content_type = "text/plain"),
    responses(
        (status = 204, description = "Kept"),
        (status = 422, description = "Not this unit's, or over no recent checkpoint", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn cosignature(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    Raw(bytes): Raw,
) -> Result<StatusCode, Problem> {
    let line = std::str::from_utf8(&bytes).map_err(|_| Problem::malformed())?;
    served.broker.add_cosignature(&unit, line).await??;
    Ok(StatusCode::NO_CONTENT)
}
