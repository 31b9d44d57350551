//! The broker over HTTP: the router on one screen. Handlers decode, call, encode.
//!
//! Under `/v1/` everything but joining needs a client certificate of an admitted unit (`auth`). Bodies are CBOR as
//! [`protocol::mailbox`] says; errors are problem documents (`problem`). Caller: [`crate::serve`]. *Not here:* TLS and
//! listeners, and any decision about an envelope.

mod auth;
mod cbor;
mod document;
mod join;
mod local;
mod log;
mod mailbox;
mod problem;
mod uploads;

pub use problem::Problem;

use crate::broker::Broker;
use crate::connections::Connections;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use protocol::body::FRAME;
use protocol::mailbox::{MAX_BATCH, MAX_FRAMES, MAX_WAIT_MS};
use protocol::name::UnitName;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Where the time comes from: milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) broker: Broker,
    pub(crate) clock: Clock,
    pub(crate) connections: Arc<Connections>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) turns: Turns,
}

/// One submission of a unit at a time: what is under way in memory is bounded by the number of units.
#[derive(Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<UnitName, Arc<Semaphore>>>>);

impl Turns {
    pub(crate) fn of(&self, unit: &UnitName) -> Arc<Semaphore> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(unit.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}

/// Joining and small queries.
const SMALL: usize = 65_536;
const USUAL: Duration = Duration::from_secs(30);
/// A submission may open an epoch with a large set; a long poll waits.
const LONG: Duration = Duration::from_millis(MAX_WAIT_MS + 65_000);

/// All routes of the TLS listener.
pub(crate) fn router(served: Served) -> Router {
    let usual = OpenApiRouter::new()
        .routes(routes!(local::health))
        .routes(routes!(join::join))
        .routes(routes!(join::joined))
        .routes(routes!(mailbox::state))
        .routes(routes!(mailbox::frame))
        .routes(routes!(mailbox::evidence))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::consistency))
        .routes(routes!(log::inclusion))
        .routes(routes!(log::frontier))
        .routes(routes!(log::cosignature))
        .layer(DefaultBodyLimit::max(SMALL))
        .layer(middleware::from_fn(|request: Request, next: Next| within(USUAL, request, next)));
    let uploads = OpenApiRouter::new()
        .routes(routes!(uploads::staged))
        .routes(routes!(uploads::stage))
        .layer(DefaultBodyLimit::max(MAX_FRAMES * FRAME))
        .layer(middleware::from_fn(|request: Request, next: Next| within(LONG, request, next)));
    let envelopes = OpenApiRouter::new()
        .routes(routes!(mailbox::submit, mailbox::fetch))
        .layer(DefaultBodyLimit::max(MAX_BATCH + SMALL))
        .layer(middleware::from_fn(|request: Request, next: Next| within(LONG, request, next)));
    let (router, _) = usual.merge(uploads).merge(envelopes).split_for_parts();
    router
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn_with_state(served.clone(), counted))
        .with_state(served)
}

/// The routes of the local listener: plain HTTP, loopback only.
pub(crate) fn local_router(served: Served) -> Router {
    let (router, _) = OpenApiRouter::new()
        .routes(routes!(local::health))
        .routes(routes!(local::metrics))
        .routes(routes!(document::openapi))
        .split_for_parts();
    router.fallback(problem::no_such_route).with_state(served)
}

async fn within(time: Duration, request: Request, next: Next) -> Result<Response, Problem> {
    tokio::time::timeout(time, next.run(request)).await.map_err(|_| Problem::timed_out())
}

/// Counts refusals by their names (R34).
async fn counted(State(served): State<Served>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(code) = response.extensions().get::<problem::Code>() {
        served.broker.metrics().refused(code.0);
    }
    response
}
