//! The proof of an evaluation: one batched Chaum–Pedersen proof over the whole request and answer (R13).
//!
//! For points `P_i` and `Q_i`, a commitment `K = k·G` and public weights `w_i` of 128 bits,
//!
//! ```text
//!   M = Σ w_i·P_i      Z = Σ w_i·Q_i
//!   c = SHA-512(label, seed, M, Z, t·G, t·M) mod l      s = t - c·k      proof = c ‖ s
//! ```
//!
//! and it holds if c is the hash over `s·G + c·K` and `s·M + c·Z`. If some `Q_i` is not `k·P_i`, then `Z = k·M` holds
//! for at most one in 2^128 choices of the weights (the small exponents test of Bellare, Garay and Rabin, EUROCRYPT
//! 1998), as long as the weights are drawn after all points are fixed. So each weight comes from a hash of the *whole*
//! statement:
//!
//! ```text
//!   seed = SHA-512(label, context, K, hash of the request's envelope, n, root of the answer)
//!   w_i  = 16 bytes from 16·(i mod 4) of SHA-512(label, seed, i div 4), little-endian
//! ```
//!
//! A weight that hashes only its own `P_i` and `Q_i` could be drawn one by one, until the errors of many elements
//! cancel (Wagner's generalised birthday): `tests/psi_attacks.rs` does it. RFC 9497, whose weights have that form,
//! says of its batching itself that it is for few elements.
//!
//! Source: Chaum and Pedersen, CRYPTO 1992; RFC 9497, section 2.2. Callers: [`mod@super::evaluate`] (makes),
//! [`super::unblind`] (checks). The prover needs no Q: its Z is k·M.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use lanes::Point;
use rand_core::CryptoRng;

use super::challenge_response::{ChallengeResponse, challenge, hedged_nonce};
use super::{Commitment, Context, EpochKey, framed};
use crate::label;

/// What a proof is about, besides the points: both sides must hold the same.
///
/// **Both hashes are computed from the bytes at hand, never taken from a header.** The prover computes `answer` from
/// the points it made, the verifier from the points that it checks; were it a mere claim of the prover's, the weights
/// would be known before the points are.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// Version, suite, pair, epoch, accord.
    pub context: &'a Context,
    /// The hash of the request's envelope: in it are the request's length and the root of its body.
    pub request: &'a [u8; 32],
    /// The root of the answer's points, in the request's order.
    pub answer: &'a [u8; 32],
}

/// The proof on the wire: challenge ‖ response, 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof(pub [u8; 64]);

/// The proof does not hold: nothing of the answer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof of the evaluation does not hold")]
pub struct WrongProof;

impl Proof {
    /// Makes the proof for points that were multiplied by `key`.
    pub(super) fn make(
        statement: &Statement,
        key: &EpochKey,
        asked: &[Point],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let seed = seed(statement, key.commitment(), asked.len());
        let asked_sum = lanes::sum_weighted_vartime(asked, &weights(&seed, asked.len()));
        let answered_sum = asked_sum * key.scalar();
        let nonce = hedged_nonce(label::PROOF_NONCE, key.scalar(), &seed, rng);
        let challenge =
            proof_challenge(&seed, &asked_sum, &answered_sum, &RistrettoPoint::mul_base(&nonce), &(asked_sum * *nonce));
        let response = *nonce - challenge * key.scalar();
        Proof(ChallengeResponse { challenge, response }.to_bytes())
    }

    /// Checks the proof for decoded points of the same number. Time depends on public data only.
    pub(super) fn verify(
        &self,
        statement: &Statement,
        commitment: &Commitment,
        asked: &[Point],
        answered: &[Point],
    ) -> Result<(), WrongProof> {
        let proof = ChallengeResponse::from_bytes(&self.0).ok_or(WrongProof)?;
        if asked.len() != answered.len() {
            return Err(WrongProof);
        }
        let seed = seed(statement, commitment, asked.len());
        let weights = weights(&seed, asked.len());
        let asked_sum = lanes::sum_weighted_vartime(asked, &weights);
        let answered_sum = lanes::sum_weighted_vartime(answered, &weights);
        let by_generator =
            RistrettoPoint::vartime_double_scalar_mul_basepoint(&proof.challenge, commitment.point(), &proof.response);
        let by_sum =
            RistrettoPoint::vartime_multiscalar_mul([proof.response, proof.challenge], [asked_sum, answered_sum]);
        let expected = proof_challenge(&seed, &asked_sum, &answered_sum, &by_generator, &by_sum);
        if expected == proof.challenge { Ok(()) } else { Err(WrongProof) }
    }
}

/// The seed of all weights: over everything that the proof is about.
fn seed(statement: &Statement, commitment: &Commitment, points: usize) -> [u8; 64] {
    framed::hash(
        label::PROOF_SEED,
        &[
            &statement.context.hash(),
            commitment.as_bytes(),
            statement.request,
            &(points as u64).to_be_bytes(),
            statement.answer,
        ],
    )
}

/// The weight of each element, by its place.
fn weights(seed: &[u8; 64], points: usize) -> Vec<u128> {
    let four = |block: usize| {
        let hash = framed::hash(label::PROOF_WEIGHT, &[seed, &(block as u64).to_be_bytes()]);
        let (parts, _) = hash.as_chunks::<16>();
        [0, 1, 2, 3].map(|part| u128::from_le_bytes(parts[part]))
    };
    let mut weights: Vec<u128> = (0..points.div_ceil(4)).flat_map(four).collect();
    weights.truncate(points);
    weights
}

/// The challenge: over the seed, both sums and both nonce commitments.
fn proof_challenge(
    seed: &[u8; 64],
    asked_sum: &RistrettoPoint,
    answered_sum: &RistrettoPoint,
    by_generator: &RistrettoPoint,
    by_sum: &RistrettoPoint,
) -> Scalar {
    let [m, z, a, b] = [asked_sum, answered_sum, by_generator, by_sum].map(|point| point.compress().to_bytes());
    challenge(label::PROOF_CHALLENGE, &[seed, &m, &z, &a, &b])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;

    #[test]
    fn the_seed_depends_on_all_that_is_stated() {
        let pair = |a: &str, b: &str| Pair::new(&a.parse().unwrap(), &b.parse().unwrap()).unwrap();
        let (context, other_context) =
            (Context::new(pair("GM", "SN"), 1, [0; 32]), Context::new(pair("GM", "SN"), 2, [0; 32]));
        let key = |bytes| EpochKey::from_secret(&[bytes; 32]).unwrap().commitment().clone();
        let stated = Statement { context: &context, request: &[1; 32], answer: &[2; 32] };
        let usual = seed(&stated, &key(1), 5);
        let others = [
            seed(&Statement { context: &other_context, ..stated }, &key(1), 5),
            seed(&Statement { request: &[3; 32], ..stated }, &key(1), 5),
            seed(&Statement { answer: &[3; 32], ..stated }, &key(1), 5),
            seed(&stated, &key(2), 5),
            seed(&stated, &key(1), 6),
        ];
        for other in others {
            assert_ne!(usual, other);
            assert!(weights(&usual, 5).iter().zip(weights(&other, 5)).all(|(a, b)| *a != b));
        }
        assert_eq!(weights(&usual, 5)[..3], weights(&usual, 3));
    }
}
