//! The broker of a federation: it carries envelopes, compares tags, keeps the log, and learns nothing else (R1, R2).
//!
//! [`Broker`] is the core: its store, its keys, and everything that it does, with time as an argument and without HTTP.
//! [`serve`](serve::serve) puts it behind TLS. The binary `sutura-broker` and the exercise call both.
//!
//! | what | module |
//! |---|---|
//! | the folder, the keys, the certificate authority | [`home`], `authority` |
//! | invite, join, admit, suspend | [`membership`] |
//! | taking in envelopes: every check in its order | [`accept`], [`refusal`] |
//! | accords, ticks and epochs | [`agreement`] |
//! | leaves that stand, comparing, notices | `leaves`, `matching` |
//! | cases and their limits, parts of parcels | `cases`, `deadlines`, `parcels` |
//! | what happens at a tick's end | [`closing`] |
//! | bodies in frames, mailboxes | [`staging`], [`mail`] |
//! | the log and its checkpoints | [`log`] |
//! | a leaf's place under its signed root | [`evidence`] |
//! | HTTP, TLS, metrics | [`http`], [`serve`], `connections`, [`metrics`] |
//!
//! *Not here:* what an identifier is. This package imports neither `identifier` nor `client`, and calls none of the
//! curve arithmetic in `protocol`: a broker has nothing to blind, evaluate or unblind.

pub mod accept;
pub mod agreement;
mod authority;
pub mod broker;
mod cases;
pub mod closing;
mod connections;
mod deadlines;
pub mod evidence;
pub mod home;
pub mod http;
mod leaves;
pub mod log;
pub mod mail;
mod matching;
mod matter;
pub mod membership;
pub mod metrics;
mod officers;
mod parcels;
pub mod refusal;
pub mod serve;
mod speak;
pub mod staging;
mod store;

pub use authority::AuthorityError;
pub use broker::{Broker, Status};
pub use home::{Home, HomeError, Settings};
pub use store::StoreError;

/// The system's random source.
pub(crate) fn random() -> rand_core::UnwrapErr<getrandom::SysRng> {
    rand_core::UnwrapErr(getrandom::SysRng)
}

/// The system's clock, in milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
