//! What the broker counts, for Prometheus: acceptances by kind, refusals by name (R34), ticks, connections.
//!
//! Callers: the core and the routes count; the local listener shows. No label names a unit, a pair or anything of a
//! case. *Not here:* log lines.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: String,
}

/// All counters.
pub struct Metrics {
    registry: Registry,
    accepted: Family<ByKind, Counter>,
    refused: Family<ByCode, Counter>,
    ticks: Counter,
    cuts: Counter,
    matches: Counter,
    tick_seconds: Histogram,
    connections: Gauge,
    failed_handshakes: Counter,
    comparing_us: AtomicU64,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::default(),
            accepted: Family::default(),
            refused: Family::default(),
            ticks: Counter::default(),
            cuts: Counter::default(),
            matches: Counter::default(),
            tick_seconds: Histogram::new(exponential_buckets(0.001, 4.0, 10)),
            connections: Gauge::default(),
            failed_handshakes: Counter::default(),
            comparing_us: AtomicU64::new(0),
        };
        let mut registry = Registry::with_prefix("sutura");
        let m = &metrics;
        registry.register("envelopes_accepted", "Envelopes accepted, by kind", m.accepted.clone());
        registry.register("refusals", "Requests and envelopes refused, by the name of the error", m.refused.clone());
        registry.register("ticks_closed", "Ticks closed", m.ticks.clone());
        registry.register("cuts", "Pairs compared at the end of a tick", m.cuts.clone());
        registry.register("matches", "Equal tags found", m.matches.clone());
        registry.register("tick_seconds", "Time to close a tick", m.tick_seconds.clone());
        registry.register("connections", "Open connections", m.connections.clone());
        registry.register("handshakes_failed", "TLS handshakes that failed", m.failed_handshakes.clone());
        metrics.registry = registry;
        metrics
    }

    pub(crate) fn accepted(&self, kind: &'static str) {
        self.accepted.get_or_create(&ByKind { kind }).inc();
    }

    pub(crate) fn refused(&self, code: &str) {
        self.refused.get_or_create(&ByCode { code: code.to_owned() }).inc();
    }

    pub(crate) fn tick_closed(&self, cuts: u64, matches: u64, took: Duration) {
        self.ticks.inc();
        self.cuts.inc_by(cuts);
        self.matches.inc_by(matches);
        self.tick_seconds.observe(took.as_secs_f64());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.comparing_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Time spent on closing ticks so far, in seconds: comparing, notices, checkpoints.
    pub fn seconds_comparing(&self) -> f64 {
        self.comparing_us.load(Ordering::Relaxed) as f64 / 1e6
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(crate) fn handshake_failed(&self) {
        self.failed_handshakes.inc();
    }

    /// How often requests and envelopes were refused under `code`.
    pub fn refusals(&self, code: &str) -> u64 {
        self.refused.get_or_create(&ByCode { code: code.to_owned() }).get()
    }

    /// The counters in the text format of OpenMetrics.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        // Writing into a String has no error.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
