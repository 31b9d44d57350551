//! How many bytes a unit sent and received: what a call costs on a poor link.
//!
//! Bodies of requests and answers are counted, without TLS, HTTP/2 and their headers. A request's body counts each time
//! that it is handed to a connection, whether it arrives or not; an answer's as it comes. Callers: the exchange with the
//! broker counts, the agent reads and keeps the sums. *Not* a measure of what the broker learns.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes sent and received since the client was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Bytes of requests' bodies.
    pub sent: u64,
    /// Bytes of answers' bodies.
    pub received: u64,
}

/// The running count.
#[derive(Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Traffic {
        Traffic { sent: self.sent.load(Ordering::Relaxed), received: self.received.load(Ordering::Relaxed) }
    }
}
