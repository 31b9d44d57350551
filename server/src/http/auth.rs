//! Who is there: the unit whose client certificate the connection showed (R8).
//!
//! Every request looks at the unit's standing in the store, so that suspension takes effect at once, whatever connections
//! are open. Callers: all handlers but joining and health. *Not here:* the handshake, which has checked that the
//! certificate is one of this broker's authority.

use super::Served;
use super::problem::Problem;
use crate::connections::Connection;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_server::tls::TlsInfo;
use protocol::message::Standing;
use protocol::name::UnitName;
use std::sync::Arc;
use std::time::Duration;

/// An admitted unit that speaks over its own connection.
pub(super) struct AuthenticatedUnit(pub(super) UnitName);

impl FromRequestParts<Served> for AuthenticatedUnit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Problem> {
        let refused = |status, code, detail: &str| Err(Problem::new(status, code, detail));
        let certificate = parts.extensions.get::<Arc<TlsInfo>>().and_then(|tls| tls.peer_certificates.first());
        let Some(certificate) = certificate else {
            let detail = "this route needs the client certificate that joining gave";
            return refused(StatusCode::UNAUTHORIZED, "certificate-missing", detail);
        };
        let Some(known) = served.broker.known(certificate).await? else {
            let detail = "the certificate belongs to no unit now: it was replaced, or never admitted";
            return refused(StatusCode::FORBIDDEN, "certificate-unknown", detail);
        };
        let connection = parts.extensions.get::<Arc<Connection>>().cloned();
        if known.standing != Standing::Admitted {
            close_soon(connection);
            return refused(StatusCode::FORBIDDEN, "unit-not-admitted", "the unit is suspended, or has left");
        }
        if let Some(connection) = connection
            && !served.connections.belongs(&connection, &known.unit)
        {
            close_soon(Some(connection));
            let detail = "the unit has too many connections open";
            return refused(StatusCode::TOO_MANY_REQUESTS, "too-many-connections", detail);
        }
        Ok(AuthenticatedUnit(known.unit))
    }
}

/// Leaves the refusal time to arrive.
fn close_soon(connection: Option<Arc<Connection>>) {
    if let Some(connection) = connection {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            connection.close();
        });
    }
}
