//! Verdicts on encodings: what a peer sent is a point, or is refused with its place and the reason.

use thiserror::Error;

/// Why an encoding is no acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not the canonical encoding of any element (RFC 9496, section 4.3.1).
    NotCanonical,
    /// The canonical encoding of the identity (32 zero bytes): a group element, but none that a peer may send.
    Identity,
}

/// The first encoding of a batch that is no acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("encoding {index} is {}", match .why { Why::NotCanonical => "not canonical", Why::Identity => "the identity" })]
pub struct Invalid {
    /// Its place in the batch, from 0: always the lowest bad one.
    pub index: usize,
    /// What is wrong with it.
    pub why: Why,
}
