//! The OpenAPI document of what is served: made from the handlers themselves.

use super::{join, local, log, mailbox, uploads};
use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sutura broker",
        description = "Everything under /v1/ but joining needs a unit's client certificate. \
        Bodies are canonical CBOR as docs/PROTOCOL.md describes them; errors are problem documents."
    ),
    paths(
        local::health,
        local::metrics,
        openapi,
        join::join,
        join::joined,
        mailbox::state,
        mailbox::submit,
        mailbox::fetch,
        mailbox::frame,
        mailbox::evidence,
        uploads::staged,
        uploads::stage,
        log::checkpoint,
        log::consistency,
        log::inclusion,
        log::frontier,
        log::cosignature
    )
)]
struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "local",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")))]
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
