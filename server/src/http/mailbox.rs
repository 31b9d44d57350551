//! Envelopes in and out (R24, R28).

use super::Served;
use super::auth::AuthenticatedUnit;
use super::cbor::Cbor;
use super::problem::Problem;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocol::codec::Hash;
use protocol::mailbox::{Delivery, LeafEvidence, MAX_FRAMES, MAX_SUBMISSION, MAX_WAIT_MS, Outcomes, Submission};
use protocol::tagset::Tag;
use std::time::Duration;

/// Where the unit stands with the broker.
#[utoipa::path(get, path = "/v1/state", tag = "envelopes",
    responses((status = 200, description = "State", content_type = "application/cbor", body = Vec<u8>)))]
pub(super) async fn state(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
) -> Result<Cbor<protocol::mailbox::State>, Problem> {
    Ok(Cbor(served.broker.state(&unit, (served.clock)()).await?))
}

/// Sends envelopes, one after the other; the first refusal ends it, and stands in the answer.
#[utoipa::path(post, path = "/v1/envelopes", tag = "envelopes",
    request_body(content = Vec<u8>, content_type = "application/cbor", description = "Submission"),
    responses(
        (status = 200, description = "Outcomes: durable", content_type = "application/cbor", body = Vec<u8>),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn submit(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    request: Request,
) -> Result<Cbor<Outcomes>, Problem> {
    // Before the body is read: a unit has one submission in memory at a time.
    let turn = served.turns.of(&unit);
    let _turn = turn.acquire().await.map_err(|_| Problem::timed_out())?;
    let Cbor(submission) = Cbor::<Submission>::from_request(request, &served).await?;
    if submission.items.len() > MAX_SUBMISSION {
        return Err(Problem::malformed());
    }
    Ok(Cbor(served.broker.accept(&unit, submission.items, (served.clock)()).await?))
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(super) struct After {
    /// The last position that the unit has.
    #[serde(default)]
    after: u64,
    /// How long to wait if there is nothing, in milliseconds; at most 55,000.
    #[serde(default)]
    wait_ms: u64,
    /// Most envelopes to give.
    #[serde(default)]
    max: Option<usize>,
}

/// The next envelopes of the mailbox; waits until something is there or time is up.
#[utoipa::path(get, path = "/v1/envelopes", tag = "envelopes", params(After),
    responses((status = 200, description = "Delivery", content_type = "application/cbor", body = Vec<u8>)))]
pub(super) async fn fetch(
    State(mut served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    query: Result<Query<After>, QueryRejection>,
) -> Result<Cbor<Delivery>, Problem> {
    let Query(After { after, wait_ms, max }) = query.map_err(|_| Problem::malformed())?;
    let wait = Duration::from_millis(wait_ms.min(MAX_WAIT_MS));
    let max = max.unwrap_or(MAX_SUBMISSION);
    let delivery = tokio::select! {
        delivery = served.broker.fetch_waiting(&unit, after, max, wait) => delivery?,
        _ = served.stopping.wait_for(|stopping| *stopping) => Delivery { items: Vec::new() },
    };
    Ok(Cbor(delivery))
}

#[derive(serde::Deserialize, utoipa::IntoParams)]
pub(super) struct Together {
    /// Most frames to give, one after the other: 1 to 4.
    #[serde(default)]
    frames: Option<usize>,
}

/// One frame of the rows of a received envelope, or some that follow each other.
#[utoipa::path(get, path = "/v1/envelopes/{hash}/{index}", tag = "envelopes",
    params(("hash" = String, Path, description = "Hash of the envelope, in hexadecimal"),
        ("index" = u64, Path, description = "Index of the first frame, from 0"), Together),
    responses(
        (status = 200, description = "The frames, without anything between them", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 404, description = "Not in this mailbox", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Destroyed with its epoch", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn frame(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    path: Result<Path<(String, u64)>, PathRejection>,
    query: Result<Query<Together>, QueryRejection>,
) -> Result<Response, Problem> {
    let Path((hash, index)) = path.map_err(|_| Problem::malformed())?;
    let hash: Hash = hash.parse().map_err(|_| Problem::malformed())?;
    let Query(Together { frames }) = query.map_err(|_| Problem::malformed())?;
    let count = frames.unwrap_or(1).clamp(1, MAX_FRAMES);
    let bytes = served.broker.frames(&unit, &hash, index, count).await??;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// The place of the other side's leaf under its signed root.
#[utoipa::path(get, path = "/v1/evidence/{entry}/{tag}", tag = "envelopes",
    params(("entry" = u64, Path, description = "Entry of the notice"),
        ("tag" = String, Path, description = "A tag of that notice, in hexadecimal")),
    responses(
        (status = 200, description = "LeafEvidence", content_type = "application/cbor", body = Vec<u8>),
        (status = 404, description = "No such notice of this unit", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn evidence(
    State(served): State<Served>,
    AuthenticatedUnit(unit): AuthenticatedUnit,
    path: Result<Path<(u64, String)>, PathRejection>,
) -> Result<Cbor<LeafEvidence>, Problem> {
    let Path((entry, tag)) = path.map_err(|_| Problem::malformed())?;
    let tag: Tag = tag.parse().map_err(|_| Problem::malformed())?;
    Ok(Cbor(served.broker.evidence(&unit, entry, &tag).await??))
}
