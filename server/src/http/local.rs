//! Health and metrics, for the people who run the broker.

use super::Served;
use super::problem::Problem;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Whether the broker and its store answer.
#[utoipa::path(get, path = "/health", tag = "local",
    responses((status = 200, description = "Well"), (status = 503, description = "The store does not answer",
        body = Problem, content_type = "application/problem+json")))]
pub(super) async fn health(State(served): State<Served>) -> Result<&'static str, Problem> {
    if served.broker.is_healthy().await {
        Ok("ok\n")
    } else {
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-failed", "the broker's store does not answer"))
    }
}

/// Counters, in the text format of OpenMetrics.
#[utoipa::path(get, path = "/metrics", tag = "local",
    responses((status = 200, description = "OpenMetrics", content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(served): State<Served>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], served.broker.metrics().to_text()).into_response()
}
