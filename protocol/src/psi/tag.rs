//! What a shared point becomes: the tag, which the broker compares, and the match key, which it never sees (R14).
//!
//! HKDF-SHA-256 over token and T, each with its length. Its salt is a key that K gives once for the pair and epoch, by
//! HKDF-Expand with label, both units, epoch and context as info: so that what is the same for all tokens is hashed once,
//! and a token costs nine blocks. T makes it depend on both units' epoch keys, K keeps it closed to whoever can take
//! discrete logarithms, the token binds it to its own text.
//!
//! Callers: [`super::unblind`]; a [`MatchKey`] goes on to [`super::confirmation`]. *Not here:* leaves of a tag set.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Context, PairSecret, framed};
use crate::label;

/// A 16-byte pseudorandom value of a token, that only the two units of a pair can compute together. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; 16]);

/// The key of one token for one pair and epoch: only who holds the token and went through the evaluation has it.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MatchKey([u8; 32]);

impl MatchKey {
    /// From what the vault kept.
    pub fn from_secret(bytes: &[u8; 32]) -> Self {
        MatchKey(*bytes)
    }

    /// The bytes, for the vault.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What one token's evaluation gives: all that a leaf of the tag set is made from.
pub struct Leafed {
    /// What the broker compares.
    pub tag: Tag,
    /// What the confirmation is made with.
    pub key: MatchKey,
}

/// Derives leaves of one pair and epoch.
pub(super) struct Leaves {
    /// HMAC under the salt: what HKDF-Extract would set up anew for each token.
    extract: Hmac<Sha256>,
}

impl Leaves {
    pub(super) fn new(secret: &PairSecret, context: &Context) -> Self {
        let salt = secret.bound_subkey(
            label::TAG,
            &[
                context.pair().low().as_str().as_bytes(),
                context.pair().high().as_str().as_bytes(),
                &context.epoch().to_be_bytes(),
                &context.hash(),
            ],
        );
        Leaves { extract: Hmac::new_from_slice(salt.expose_secret()).expect("HMAC takes keys of any length") }
    }

    /// Tag (the first 16 bytes) and match key (the next 32) of a token and its shared point's encoding.
    pub(super) fn leaf(&self, token: &[u8], shared: &[u8; 32]) -> Leafed {
        let mut extract = self.extract.clone();
        framed::absorb(&mut extract, label::TAG, &[token, shared]);
        let mut key = extract.finalize().into_bytes();
        let mut output = Zeroizing::new([0; 48]);
        let hkdf = Hkdf::<Sha256>::from_prk(&key).expect("a key of HKDF-SHA-256 is what its HMAC gives");
        hkdf.expand(&[], output.as_mut()).expect("HKDF-SHA-256 gives up to 8,160 bytes");
        key.zeroize();
        let mut leafed = Leafed { tag: Tag([0; 16]), key: MatchKey([0; 32]) };
        leafed.tag.0.copy_from_slice(&output[..16]);
        leafed.key.0.copy_from_slice(&output[16..]);
        leafed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;

    #[test]
    fn everything_counts() {
        let pair = |a: &str, b: &str| Pair::new(&a.parse().unwrap(), &b.parse().unwrap()).unwrap();
        let context = Context::new(pair("GM", "SN"), 1, [0; 32]);
        let leaf = |secret: u8, context: &Context, token: &str, shared: u8| {
            Leaves::new(&PairSecret::from_secret(&[secret; 64]), context).leaf(token.as_bytes(), &[shared; 32])
        };
        let usual = leaf(1, &context, "token", 1);
        let others = [
            leaf(2, &context, "token", 1),
            leaf(1, &Context::new(pair("GM", "NE"), 1, [0; 32]), "token", 1),
            leaf(1, &Context::new(pair("GM", "SN"), 2, [0; 32]), "token", 1),
            leaf(1, &Context::new(pair("GM", "SN"), 1, [1; 32]), "token", 1),
            leaf(1, &context, "tokem", 1),
            leaf(1, &context, "token", 2),
        ];
        for other in others {
            assert_ne!(usual.tag, other.tag);
            assert_ne!(usual.key.0, other.key.0);
        }
        assert_ne!(usual.tag.0, usual.key.0[..16]);
    }
}
