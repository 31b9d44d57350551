//! Unblinding: from a peer's answer to the points that only the two units can reach (R14).
//!
//! Two steps, so that nothing of an answer can be used before all of it was checked: [`Verified::check`] alone makes
//! a [`Verified`], and only that unblinds.
//!
//! Callers: the agent that asked. *Not here:* signature, sequence and epoch of the answer's envelope. Once what is
//! returned is durable, the blinds are to be destroyed.

use curve25519_dalek::scalar::Scalar;
use lanes::{Point, Why};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::tag::Leaves;
use super::{Blinded, Commitment, Leafed, MAX_POINTS, PairSecret, Proof, SEQUENTIAL, Statement};

/// What is wrong with a peer's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefused {
    /// Not one point for each of the request.
    #[error("the answer has {answered} points, the request {asked}")]
    Count {
        /// Points of the request.
        asked: usize,
        /// Points of the answer.
        answered: usize,
    },
    /// Not the canonical encoding of a point.
    #[error("point {index} of the answer is not canonical")]
    NotCanonical {
        /// The first such place.
        index: usize,
    },
    /// The identity.
    #[error("point {index} of the answer is the identity")]
    Identity {
        /// The first such place.
        index: usize,
    },
    /// The proof does not hold for this request, answer, commitment and context.
    #[error("the proof of the answer does not hold")]
    Proof,
    /// One's own fault: the request as the vault gave it back is no request.
    #[error("the request that was kept can not be read")]
    OwnRequest,
}

/// What the vault gave back does not belong together: one's own fault, not the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kept tokens, order and blinds of a request do not fit each other")]
pub struct KeptState;

/// An answer whose every point was checked, and whose proof holds.
pub struct Verified<'a> {
    asked: &'a Blinded,
    statement: Statement<'a>,
    answered: Vec<Point>,
    peer: &'a Commitment,
}

impl<'a> Verified<'a> {
    /// Checks a whole answer: count, canonical encodings, no identity, and the proof against the peer's commitment.
    ///
    /// # Errors
    /// [`AnswerRefused`], in the order of its variants; the lowest place is named.
    pub fn check(
        asked: &'a Blinded,
        answer: &[[u8; 32]],
        proof: &Proof,
        statement: Statement<'a>,
        peer: &'a Commitment,
    ) -> Result<Self, AnswerRefused> {
        if asked.points.is_empty() || asked.points.len() > MAX_POINTS {
            return Err(AnswerRefused::OwnRequest);
        }
        if answer.len() != asked.points.len() {
            return Err(AnswerRefused::Count { asked: asked.points.len(), answered: answer.len() });
        }
        let answered = lanes::decode(answer).map_err(|invalid| match invalid.why {
            Why::NotCanonical => AnswerRefused::NotCanonical { index: invalid.index },
            Why::Identity => AnswerRefused::Identity { index: invalid.index },
        })?;
        let points = lanes::decode(&asked.points).map_err(|_| AnswerRefused::OwnRequest)?;
        proof.verify(&statement, peer, &points, &answered).map_err(|_| AnswerRefused::Proof)?;
        Ok(Verified { asked, statement, answered, peer })
    }

    /// Unblinds: `T = 2·(Q - r·K')` for each token, with the peer's commitment K', and from it tag and match key. In
    /// the tokens' order; `tokens` are those that the request was made of. T is `k·k'·H1(x)`, which the peer reaches too.
    ///
    /// # Errors
    /// [`KeptState`] if order and blinds are not those of exactly these tokens.
    pub fn unblind<T: AsRef<[u8]> + Sync>(&self, tokens: &[T], secret: &PairSecret) -> Result<Vec<Leafed>, KeptState> {
        let places = self.places(tokens.len())?;
        let answered: Vec<Point> = places.iter().map(|&place| self.answered[place]).collect();
        let blinds = Zeroizing::new(self.asked.blinds.iter().map(|blind| *blind.scalar()).collect::<Vec<Scalar>>());
        let shared = Zeroizing::new(lanes::encode_doubled_less(&answered, self.peer.base(), &blinds));
        let leaves = Leaves::new(secret, self.statement.context);
        let pairs = tokens.par_iter().with_min_len(SEQUENTIAL).zip(shared.par_iter());
        Ok(pairs.map(|(token, shared)| leaves.leaf(token.as_ref(), shared)).collect())
    }

    /// The place of each token in the answer: each exactly once.
    fn places(&self, tokens: usize) -> Result<Vec<usize>, KeptState> {
        if self.asked.blinds.len() != tokens || self.asked.order.len() != self.answered.len() {
            return Err(KeptState);
        }
        let mut places = vec![None; tokens];
        for (place, token) in self.asked.order.iter().enumerate() {
            if let Some(token) = *token {
                let slot = places.get_mut(token).ok_or(KeptState)?;
                if slot.replace(place).is_some() {
                    return Err(KeptState);
                }
            }
        }
        places.into_iter().collect::<Option<_>>().ok_or(KeptState)
    }
}
