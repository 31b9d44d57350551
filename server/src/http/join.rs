//! Joining (R6): the only calls without a client certificate.

use super::Served;
use super::cbor::Cbor;
use super::problem::Problem;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use protocol::codec::Hash;
use protocol::mailbox::{Joined, Joining};

/// Asks to join with an invite.
#[utoipa::path(post, path = "/v1/join", tag = "join",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "Joining"),
    responses(
        (status = 202, description = "Taken; the operator admits"),
        (status = 400, description = "Malformed, or not signed with its own key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The invite is unknown, used, or another unit's", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn join(State(served): State<Served>, Cbor(joining): Cbor<Joining>) -> Result<StatusCode, Problem> {
    served.broker.join(&joining, (served.clock)()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The certificate, once the operator has admitted the unit.
#[utoipa::path(get, path = "/v1/join/{token_hash}", tag = "join",
    params(("token_hash" = String, Path, description = "SHA-256 of the invite's token, in hexadecimal")),
    responses(
        (status = 200, description = "Joined", content_type = "application/cbor", body = Vec<u8>),
        (status = 404, description = "Not admitted yet", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn joined(
    State(served): State<Served>,
    Path(token_hash): Path<String>,
) -> Result<Cbor<Joined>, Problem> {
    let hash: Hash = token_hash.parse().map_err(|_| Problem::malformed())?;
    Ok(Cbor(served.broker.joined(&hash).await?))
}
