//! The evaluation: the peer's multiplication of a request by its epoch key (R13).
//!
//! Callers: the agent that is asked, after it checked the envelope, the peer, epoch and sequence, and counted the
//! points against the quota, durably. *Not here:* the proof itself, which is [`super::proof`].
//!
//! **Asked again for the same request, the unit returns the same bytes.** Points are the same by nature, a proof is
//! not (its nonce is fresh): so the caller stores the answer before it sends it, and never makes a second.

use std::collections::HashSet;

use lanes::{Point, Why};
use rand_core::CryptoRng;

use super::{EpochKey, MAX_POINTS, Proof, Statement};

/// What is wrong with a peer's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefused {
    /// No points.
    #[error("the request is empty")]
    Empty,
    /// More points than [`MAX_POINTS`].
    #[error("the request's {count} points are more than {MAX_POINTS}")]
    TooMany {
        /// How many it has.
        count: usize,
    },
    /// Not the canonical encoding of a point.
    #[error("point {index} of the request is not canonical")]
    NotCanonical {
        /// The first such place.
        index: usize,
    },
    /// The identity.
    #[error("point {index} of the request is the identity")]
    Identity {
        /// The first such place.
        index: usize,
    },
    /// A point that stands in the request before.
    #[error("point {index} of the request stands in it before")]
    Repeated {
        /// The place of the first repetition.
        index: usize,
    },
}

/// An evaluated request: the answer's points, and what its proof needs.
pub struct Evaluation {
    points: Vec<[u8; 32]>,
    asked: Vec<Point>,
}

/// Checks a request and multiplies each of its points by the key: `Q = k·P`, in the request's order.
///
/// # Errors
/// [`RequestRefused`]: the count is looked at first, then encodings, then repetitions; the lowest place is named.
pub fn evaluate(request: &[[u8; 32]], key: &EpochKey) -> Result<Evaluation, RequestRefused> {
    if request.is_empty() {
        return Err(RequestRefused::Empty);
    }
    if request.len() > MAX_POINTS {
        return Err(RequestRefused::TooMany { count: request.len() });
    }
    let asked = lanes::decode(request).map_err(|invalid| match invalid.why {
        Why::NotCanonical => RequestRefused::NotCanonical { index: invalid.index },
        Why::Identity => RequestRefused::Identity { index: invalid.index },
    })?;
    // encodings are canonical by now, so that equal points are equal bytes
    let mut seen = HashSet::with_capacity(request.len());
    if let Some(index) = request.iter().position(|point| !seen.insert(point)) {
        return Err(RequestRefused::Repeated { index });
    }
    Ok(Evaluation { points: lanes::encode_multiplied(&asked, key.scalar()), asked })
}

impl Evaluation {
    /// The answer's points, in the request's order.
    pub fn points(&self) -> &[[u8; 32]] {
        &self.points
    }

    /// The proof that all points were multiplied by the scalar of this key's commitment. `key` must be the one that
    /// evaluated; under another the proof does not verify.
    pub fn prove(&self, key: &EpochKey, statement: &Statement, rng: &mut (impl CryptoRng + ?Sized)) -> Proof {
        Proof::make(statement, key, &self.asked, rng)
    }
}
