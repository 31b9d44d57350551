//! An epoch's secret scalar, the commitment to it, and the proof that its owner holds it (R10).
//!
//! The proof is Schnorr's over ristretto255, in Fiat and Shamir's form: for a nonce t,
//!
//! ```text
//!   c = SHA-512(label, context, owner, k·G, t·G) mod l        s = t - c·k        proof = c ‖ s
//! ```
//!
//! and it holds if c is the hash over `s·G + c·(k·G)`. The context names pair, epoch and accord, so that a proof
//! can't be replayed into another of them, nor by the peer.
//!
//! Callers: the agent when an epoch opens; [`mod@super::evaluate`] and [`super::unblind`] with the key. *Not here:*
//! signing and logging the commitment, which must be done before any request of the epoch.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use lanes::{FixedBase, Why};
use rand_core::CryptoRng;
use std::sync::Arc;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::challenge_response::{ChallengeResponse, challenge, hedged_nonce};
use super::{BadScalar, Context, framed};
use crate::label;
use crate::name::UnitName;

/// k: a unit's secret scalar for one pair and epoch. Drawn at random, never derived; lives in the vault, destroyed at
/// the close.
#[derive(ZeroizeOnDrop)]
pub struct EpochKey {
    scalar: Scalar,
    #[zeroize(skip)]
    commitment: Commitment,
}

impl EpochKey {
    /// A fresh one, uniform over 1 to l - 1: 64 random bytes reduced modulo l.
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        loop {
            if let Some(key) = Self::from_scalar(Scalar::random(rng)) {
                return key;
            }
        }
    }

    /// From what the vault kept: 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`BadScalar`] if they are not below the group's order, or zero.
    pub fn from_secret(bytes: &[u8; 32]) -> Result<Self, BadScalar> {
        Option::from(Scalar::from_canonical_bytes(*bytes)).and_then(Self::from_scalar).ok_or(BadScalar)
    }

    /// The scalar's 32 bytes, little-endian, for the vault.
    pub fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// k·G.
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The proof that `owner`, one of the context's two units, holds this key.
    pub fn prove_possession(
        &self,
        owner: &UnitName,
        context: &Context,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Possession {
        let statement = statement(&self.commitment.encoded, owner, context);
        let nonce = hedged_nonce(label::POSSESSION_NONCE, &self.scalar, &statement, rng);
        let nonce_commitment = RistrettoPoint::mul_base(&nonce).compress();
        let challenge = challenge(label::POSSESSION, &[&statement, nonce_commitment.as_bytes()]);
        let response = *nonce - challenge * self.scalar;
        Possession(ChallengeResponse { challenge, response }.to_bytes())
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    fn from_scalar(scalar: Scalar) -> Option<Self> {
        let point = RistrettoPoint::mul_base(&scalar);
        let commitment = Commitment { encoded: point.compress().to_bytes(), base: Arc::new(FixedBase::new(point)) };
        (scalar != Scalar::ZERO).then_some(EpochKey { scalar, commitment })
    }
}

/// The proof of possession on the wire: challenge ‖ response, 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Possession(pub [u8; 64]);

/// k·G of one unit for one pair and epoch: a canonical point other than the identity. Made from one's own key, or by
/// checking a peer's.
#[derive(Clone, Debug)]
pub struct Commitment {
    encoded: [u8; 32],
    /// The point, with the multiples of it that answers are unblinded by; made when the first answer is.
    base: Arc<FixedBase>,
}

impl PartialEq for Commitment {
    fn eq(&self, other: &Self) -> bool {
        self.encoded == other.encoded // encodings are canonical
    }
}

impl Eq for Commitment {}

/// Why a commitment is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// Its owner is none of the context's two units.
    #[error("the commitment's owner is not of this pair")]
    NotOfPair,
    /// Not the canonical encoding of a point.
    #[error("the commitment is no canonical point")]
    NotCanonical,
    /// The identity: everything would evaluate to the same.
    #[error("the commitment is the identity")]
    Identity,
    /// The proof of possession does not hold for this owner, pair, epoch, accord and commitment.
    #[error("the proof of possession does not hold")]
    Possession,
    /// The peer's commitment is one's own.
    #[error("the commitments of both sides are equal")]
    Equal,
    /// The peer's commitment is one's own, negated.
    #[error("the commitments of both sides are negatives of each other")]
    Negated,
}

impl Commitment {
    /// A peer's commitment, if it is a point other than the identity and `owner` proves that it holds the key to it.
    ///
    /// # Errors
    /// [`CommitmentError::NotOfPair`], `NotCanonical`, `Identity` or `Possession`, looked for in this order.
    pub fn check(
        encoded: &[u8; 32],
        proof: &Possession,
        owner: &UnitName,
        context: &Context,
    ) -> Result<Self, CommitmentError> {
        if context.pair().other(owner).is_none() {
            return Err(CommitmentError::NotOfPair);
        }
        let commitment = Self::reopen(encoded)?;
        let proof = ChallengeResponse::from_bytes(&proof.0).ok_or(CommitmentError::Possession)?;
        let nonce_commitment =
            RistrettoPoint::vartime_double_scalar_mul_basepoint(&proof.challenge, commitment.point(), &proof.response);
        let statement = statement(encoded, owner, context);
        let expected = challenge(label::POSSESSION, &[&statement, nonce_commitment.compress().as_bytes()]);
        if expected == proof.challenge { Ok(commitment) } else { Err(CommitmentError::Possession) }
    }

    /// Refuses a peer's commitment that mirrors one's own: equal to it, or its negative (R10). A unit that reflected
    /// another's commitment would hold no key of its own.
    ///
    /// # Errors
    /// [`CommitmentError::Equal`] or `Negated`.
    pub fn check_apart(&self, peer: &Commitment) -> Result<(), CommitmentError> {
        if self.point() == peer.point() {
            Err(CommitmentError::Equal)
        } else if *self.point() == -peer.point() {
            Err(CommitmentError::Negated)
        } else {
            Ok(())
        }
    }

    /// From the vault: a commitment that [`Commitment::check`] accepted before it was stored.
    ///
    /// # Errors
    /// [`CommitmentError::NotCanonical`] or `Identity`.
    pub fn reopen(encoded: &[u8; 32]) -> Result<Self, CommitmentError> {
        let points = lanes::decode(&[*encoded]).map_err(|invalid| match invalid.why {
            Why::NotCanonical => CommitmentError::NotCanonical,
            Why::Identity => CommitmentError::Identity,
        })?;
        let point = points.first().copied().ok_or(CommitmentError::NotCanonical)?;
        Ok(Commitment { encoded: *encoded, base: Arc::new(FixedBase::new(point.into())) })
    }

    /// The canonical encoding.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.encoded
    }

    pub(super) fn point(&self) -> &RistrettoPoint {
        self.base.point()
    }

    pub(super) fn base(&self) -> &FixedBase {
        &self.base
    }
}

/// What a proof of possession is over, besides its nonce.
fn statement(commitment: &[u8; 32], owner: &UnitName, context: &Context) -> Vec<u8> {
    framed::bytes(
        label::POSSESSION,
        &[
            &context.hash(),
            owner.as_str().as_bytes(),
            context.pair().low().as_str().as_bytes(),
            context.pair().high().as_str().as_bytes(),
            &context.epoch().to_be_bytes(),
            context.accord(),
            commitment,
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn unit(name: &str) -> UnitName {
        name.parse().unwrap()
    }

    fn context() -> Context {
        Context::new(Pair::new(&unit("GM"), &unit("SN")).unwrap(), 3, [7; 32])
    }

    #[test]
    fn a_proof_holds_for_its_owner() {
        let mut rng = ChaCha20Rng::seed_from_u64(10);
        let key = EpochKey::random(&mut rng);
        let proof = key.prove_possession(&unit("SN"), &context(), &mut rng);
        let checked = Commitment::check(key.commitment().as_bytes(), &proof, &unit("SN"), &context()).unwrap();
        assert_eq!(checked, *key.commitment());
        let other = Commitment::check(key.commitment().as_bytes(), &proof, &unit("GM"), &context());
        assert_eq!(other, Err(CommitmentError::Possession));
    }

    #[test]
    fn the_vault_gives_back_the_same_key_and_no_other() {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        let key = EpochKey::random(&mut rng);
        let again = EpochKey::from_secret(&key.expose_secret()).unwrap();
        assert_eq!(again.commitment(), key.commitment());
        assert_eq!(EpochKey::from_secret(&[0; 32]).err(), Some(BadScalar));
        assert_eq!(EpochKey::from_secret(&[0xff; 32]).err(), Some(BadScalar));
    }

    #[test]
    fn mirrored_commitments_are_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(12);
        let own = EpochKey::random(&mut rng);
        let own = own.commitment();
        let negated = Commitment::reopen(&(-own.point()).compress().to_bytes()).unwrap();
        assert_eq!(own.check_apart(own), Err(CommitmentError::Equal));
        assert_eq!(own.check_apart(&negated), Err(CommitmentError::Negated));
        assert_eq!(own.check_apart(EpochKey::random(&mut rng).commitment()), Ok(()));
    }
}
