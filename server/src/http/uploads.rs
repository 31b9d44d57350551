//! Bodies in frames, before their envelope (R24).

use super::Served;
use super::auth::AuthenticatedUnit;
use super::cbor::{Cbor, Raw};
use super::problem::Problem;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use protocol::codec::Hash;
use protocol::mailbox::Staged;

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(super) struct Length {
    /// Length of all rows, in bytes.
    rows_len: u64,
}

/// Which frames of an upload are missing.
#[utoipa::path(get, path = "/v1/bodies/{root}", tag = "bodies",
    params(("root" = String, Path, description = "Root of the body, in hexadecimal"), Length),
    responses(
        (status = 200, description = "Staged", content_type = "application/cbor", body = Vec<u8>),
        (status = 400, description = "No such rows", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn staged(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    Path(root): Path<String>,
    length: Result<Query<Length>, axum::extract::rejection::QueryRejection>,
) -> Result<Cbor<Staged>, Problem> {
    let root: Hash = root.parse().map_err(|_| Problem::malformed())?;
    let Query(Length { rows_len }) = length.map_err(|_| Problem::malformed())?;
    Ok(Cbor(served.broker.staged(&unit, &root, rows_len).await??))
}

/// One frame of an upload, or some that follow each other. Repeating it is harmless.
#[utoipa::path(put, path = "/v1/bodies/{root}/{index}", tag = "bodies",
    params(
        ("root" = String, Path, description = "Root of the body, in hexadecimal"),
        ("index" = u64, Path, description = "Index of the first frame, from 0"),
        Length),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "One to four frames of 65,536 bytes; the last of all is shorter"),
    responses(
        (status = 204, description = "Durable"),
        (status = 400, description = "Not a frame of such rows", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "Too much under way", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn stage(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    path: Result<Path<(String, u64)>, axum::extract::rejection::PathRejection>,
    length: Result<Query<Length>, axum::extract::rejection::QueryRejection>,
    Raw(bytes): Raw,
) -> Result<StatusCode, Problem> {
    let Path((root, index)) = path.map_err(|_| Problem::malformed())?;
    let root: Hash = root.parse().map_err(|_| Problem::malformed())?;
    let Query(Length { rows_len }) = length.map_err(|_| Problem::malformed())?;
    served.broker.stage(&unit, &root, rows_len, index, &bytes, (served.clock)()).await??;
    Ok(StatusCode::NO_CONTENT)
}
