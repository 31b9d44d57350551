//! A unit's connection to its broker: HTTP/2 over TLS 1.3, pinned to the authority that the invite names.
//!
//! The calls are those of [`protocol::mailbox`]: joining (R6), sending and fetching envelopes with their bodies (R24,
//! R28), and asking the log for its proofs (R26, R27). Callers: the unit's agent and the command that joins.
//!
//! What comes back is bounded in size, canonical, and for the rest only *claimed*: signatures, the meaning of envelopes
//! and the log's proofs are checked by the caller. *Not here:* when to call, what to keep, and what an answer means.
//!
//! | question | file |
//! |---|---|
//! | who are we on this connection? | [`TlsIdentity`] |
//! | who may answer? | `authority` |
//! | what if the link is cut, or nobody answers? | `exchange` ([`Patience`]) |
//! | how many frames at once? | `pace` |
//! | joining | `join` |
//! | sending | `submit` |
//! | fetching | `fetch`, and what an envelope claims before it is verified: `claim` |
//! | the log | `log` |

mod authority;
mod claim;
mod error;
mod exchange;
mod fetch;
mod join;
mod log;
mod pace;
mod problem;
mod submit;
mod tls_identity;
mod traffic;

pub use error::{BrokerError, Outage, TlsFault};
pub use exchange::Patience;
pub use fetch::Received;
pub use submit::{FrameFuture, FrameReader, Outgoing, Rows};
pub use tls_identity::{NotATlsKey, TlsIdentity};
pub use traffic::Traffic;

use authority::PinnedAuthority;
use exchange::Exchange;
use pace::Link;
use protocol::codec::Hash;
use std::sync::Arc;

/// A unit's connection to its broker.
///
/// Making one opens nothing: the first call connects, and later calls share its connection or make a new one. Methods
/// may be called at the same time from several tasks, and may be dropped at any point.
pub struct BrokerClient {
    exchange: Arc<Exchange>,
    authority: Arc<PinnedAuthority>,
    /// Rows of one large body that were cut off while they were fetched (R24).
    partial: tokio::sync::Mutex<Option<fetch::Partial>>,
    upload: Link,
    download: Link,
}

impl BrokerClient {
    /// A client for the broker at `address` (host and port) whose authority's certificate has the fingerprint
    /// `authority`.
    ///
    /// `identity` is the unit's TLS key with the certificate (DER) that the broker issued for it; `None` before joining.
    pub fn connect(
        address: &str,
        authority: &Hash,
        identity: Option<(&TlsIdentity, &[u8])>,
        patience: Patience,
    ) -> Result<Self, BrokerError> {
        let authority = Arc::new(PinnedAuthority::new(*authority));
        let tls = authority::tls_config(authority.clone(), identity)?;
        let exchange = Arc::new(Exchange::new(address, tls, patience)?);
        let partial = tokio::sync::Mutex::new(None);
        Ok(BrokerClient { exchange, authority, partial, upload: Link::new(), download: Link::new() })
    }

    /// The authority's certificate (DER), once the broker has shown it on a connection that was accepted.
    pub fn authority_certificate(&self) -> Option<Vec<u8>> {
        self.authority.certificate().map(|certificate| certificate.to_vec())
    }

    /// What this client has sent and received so far.
    pub fn traffic(&self) -> Traffic {
        self.exchange.traffic()
    }
}
