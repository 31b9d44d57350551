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
    if let Some(index) = repeated(request) {
        return Err(RequestRefused::Repeated { index });
    }
    Ok(Evaluation { points: lanes::encode_multiplied(&asked, key.scalar()), asked })
}

/// The first place that holds what an earlier one holds.
///
/// Sorting the first 8 bytes tells almost always that there is none: of 65,536 different points two begin alike in one of
/// 2^33 requests, or where the peer wants it, and then the whole points are looked at.
fn repeated(points: &[[u8; 32]]) -> Option<usize> {
    let beginning = |point: &[u8; 32]| u64::from_ne_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|at: usize| point[at]));
    let mut beginnings: Vec<u64> = points.iter().map(beginning).collect();
    beginnings.sort_unstable();
    if beginnings.is_sorted_by(|one, next| one < next) {
        return None;
    }
    let mut seen = HashSet::with_capacity(points.len());
    points.iter().position(|point| !seen.insert(point))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_stands_twice_is_found_and_one_that_only_begins_alike_is_not() {
        let point = |beginning: u8, end: u8| {
            let mut point = [beginning; 32];
            point[31] = end;
            point
        };
        assert_eq!(repeated(&[]), None);
        assert_eq!(repeated(&[point(1, 1), point(2, 1), point(3, 1)]), None);
        assert_eq!(repeated(&[point(1, 1), point(1, 2), point(1, 3)]), None);
        assert_eq!(repeated(&[point(1, 1), point(2, 2), point(1, 2), point(1, 1)]), Some(3));
    }
}
