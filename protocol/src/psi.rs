//! Matching: two-key 2HashDH over ristretto255, unblinded by the owner (R9 to R14, R18, R22).
//!
//! Unit A holds kA, unit B holds kB, and both hold the pair secret K. For a token x, both reach the same point
//!
//! ```text
//!   T = kA·kB·H1(x)        H1(x) = hash-to-ristretto255(HMAC-SHA-512(K, x))
//! ```
//!
//! A reaches it by asking B: A sends `P = (kA/2)·H1(x) + r·G`, B answers `Q = kB·P` with one proof for the whole answer,
//! and A computes `2·(Q - r·(kB·G))`. B reaches it by asking A. From T and x each derives the tag, which the broker
//! compares, and the match key, which the broker never sees.
//!
//! | step | module | rule |
//! |---|---|---|
//! | what everything is bound to | [`context`] | R11, R36 |
//! | the secret of the pair | [`pair_secret`] | R9 |
//! | an epoch's scalar, its commitment and proof of possession | [`commitment`] | R10 |
//! | tokens to points | [`hash_to_group`] | R11 |
//! | A's request | [`request`] | R12 |
//! | B's evaluation, and its proof | [`mod@evaluate`], [`proof`] | R13 |
//! | A's unblinding | [`unblind`] | R14 |
//! | tag and match key | [`tag`] | R14 |
//! | the confirmation in a leaf | [`confirmation`] | R15, R18 |
//! | canaries | [`canary`] | R22 |
//!
//! Callers: the agent of a unit (package `client`); the arithmetic is package `lanes`. Every function is pure:
//! randomness is an argument, nothing is stored.
//!
//! *Not here:* envelopes, signatures, sequence numbers and quotas, all of which are checked before a request gets
//! here; tag sets and their padding; and storing. What must be durable before a byte leaves is said at each step.

mod challenge_response;
mod framed;

pub mod canary;
pub mod commitment;
pub mod confirmation;
pub mod context;
pub mod evaluate;
pub mod hash_to_group;
pub mod pair_secret;
pub mod proof;
pub mod request;
pub mod tag;
pub mod unblind;

pub use canary::{Canary, canaries};
pub use commitment::{Commitment, CommitmentError, EpochKey, Possession};
pub use confirmation::{Confirmation, Confirming, WrongConfirmation};
pub use context::Context;
pub use evaluate::{Evaluation, RequestRefused, evaluate};
pub use pair_secret::{Contribution, NotThePair, PairSecret, Subkey};
pub use proof::{Proof, Statement, WrongProof};
pub use request::{Blind, Blinded, MAX_POINTS, RequestError, blind};
pub use tag::{Leafed, MatchKey, Tag};
pub use unblind::{AnswerRefused, KeptState, Verified};

/// Tokens hashed in one piece by one core: waking another costs as much as hashing a few dozen.
const SEQUENTIAL: usize = 64;

/// Bytes that should be a secret scalar and are none: not below the group's order, or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical bytes of a scalar other than zero")]
pub struct BadScalar;
