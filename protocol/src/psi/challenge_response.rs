//! What the two proofs of matching share: a challenge and a response in 64 bytes, and a nonce that survives a bad
//! random source.
//!
//! Callers: [`super::commitment`] (possession, R10) and [`super::proof`] (evaluation, R13), which hold the equations.

use curve25519_dalek::scalar::Scalar;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::framed;

/// A challenge c and a response s = t - c·k, for a nonce t and a key k.
pub(super) struct ChallengeResponse {
    pub(super) challenge: Scalar,
    pub(super) response: Scalar,
}

impl ChallengeResponse {
    /// c ‖ s, 32 bytes each, little-endian.
    pub(super) fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(self.challenge.as_bytes());
        bytes[32..].copy_from_slice(self.response.as_bytes());
        bytes
    }

    /// From c ‖ s; `None` if one of them is not below the group's order.
    pub(super) fn from_bytes(bytes: &[u8; 64]) -> Option<Self> {
        let half = |bytes: &[u8]| Option::from(Scalar::from_canonical_bytes(bytes.try_into().ok()?));
        Some(ChallengeResponse { challenge: half(&bytes[..32])?, response: half(&bytes[32..])? })
    }
}

/// A hash as a scalar: 64 uniform bytes reduced modulo the group's order.
pub(super) fn challenge(label: &str, parts: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&framed::hash(label, parts))
}

/// A nonce from the key, the statement and fresh randomness together: a repeated random stream (a restored snapshot)
/// repeats a nonce for the same statement only, where nothing is lost, and a leaked one says nothing without the key.
pub(super) fn hedged_nonce(
    label: &str,
    key: &Scalar,
    statement: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Zeroizing<Scalar> {
    let mut fresh = Zeroizing::new([0; 64]);
    rng.fill_bytes(fresh.as_mut());
    let mut wide = framed::hash(label, &[key.as_bytes(), statement, fresh.as_ref()]);
    let nonce = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
    wide.zeroize();
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn only_canonical_scalars_are_read() {
        let proof = ChallengeResponse { challenge: Scalar::from(7u8), response: -Scalar::ONE };
        let bytes = proof.to_bytes();
        let read = ChallengeResponse::from_bytes(&bytes).unwrap();
        assert_eq!((read.challenge, read.response), (proof.challenge, proof.response));
        for place in [31, 63] {
            let mut bad = bytes;
            bad[place] = 0xff;
            assert!(ChallengeResponse::from_bytes(&bad).is_none());
        }
    }

    #[test]
    fn a_repeated_random_stream_repeats_no_nonce_over_two_statements() {
        let stream = || ChaCha20Rng::seed_from_u64(1);
        let key = Scalar::from(5u8);
        let first = hedged_nonce("label", &key, b"one", &mut stream());
        assert_ne!(*first, *hedged_nonce("label", &key, b"two", &mut stream()));
        assert_ne!(*first, *hedged_nonce("label", &Scalar::from(6u8), b"one", &mut stream()));
        assert_ne!(*first, *hedged_nonce("label", &key, b"one", &mut ChaCha20Rng::seed_from_u64(2)));
    }
}
