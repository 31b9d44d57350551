//! The secret of a pair and epoch, from one contribution of each side (R9).
//!
//! Callers: the agent, once it opened the peer's sealed contribution ([`crate::seal`]); then [`super::hash_to_group`],
//! [`super::tag`], [`super::canary`] and whatever takes a [`Subkey`]. *Not here:* sealing, and refusing a second
//! contribution of the same pair and epoch.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Context;
use super::framed;
use crate::label;
use crate::name::UnitName;

/// 32 random bytes of one side for one pair and epoch: half of what makes the pair secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Contribution([u8; 32]);

impl Contribution {
    /// A fresh one.
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Contribution(bytes)
    }

    /// From what the vault kept, or what the peer sealed.
    pub fn from_secret(bytes: &[u8; 32]) -> Self {
        Contribution(*bytes)
    }

    /// The bytes, for sealing and for the vault.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The two names that came with the contributions are not the two units of the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the contributions are not from the two units of this pair")]
pub struct NotThePair;

/// K: 64 bytes that only the two units of a pair know, for one epoch. Lives in the vault, destroyed at the close.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PairSecret([u8; 64]);

impl PairSecret {
    /// HKDF-SHA-512 over both contributions in the order of the units' names; info: label, federation, context (in
    /// it: version, suite, pair, epoch, accord). Both sides reach the same, whichever they name first.
    ///
    /// # Errors
    /// [`NotThePair`] if the names are not exactly the context's two.
    pub fn derive(
        context: &Context,
        federation: &[u8; 32],
        one: (&UnitName, &Contribution),
        other: (&UnitName, &Contribution),
    ) -> Result<Self, NotThePair> {
        let (low, high) = if one.0 < other.0 { (one, other) } else { (other, one) };
        if low.0 != context.pair().low() || high.0 != context.pair().high() {
            return Err(NotThePair);
        }
        let both = Zeroizing::new(framed::bytes(label::PAIR_SECRET, &[&low.1.0, &high.1.0]));
        let info = framed::bytes(
            label::PAIR_SECRET,
            &[
                federation,
                context.accord(),
                low.0.as_str().as_bytes(),
                high.0.as_str().as_bytes(),
                &context.epoch().to_be_bytes(),
                &context.hash(),
            ],
        );
        let mut secret = PairSecret([0; 64]);
        expand(&Hkdf::new(Some(federation), &both), &info, &mut secret.0);
        Ok(secret)
    }

    /// From what the vault kept.
    pub fn from_secret(bytes: &[u8; 64]) -> Self {
        PairSecret(*bytes)
    }

    /// The bytes, for the vault.
    pub fn expose_secret(&self) -> &[u8; 64] {
        &self.0
    }

    /// A key of its own for one use, named by a label of [`crate::label`]: HKDF-Expand under K.
    pub fn subkey(&self, label: &'static str) -> Subkey {
        self.bound_subkey(label, &[])
    }

    /// A subkey that is bound to more than its label.
    pub(super) fn bound_subkey(&self, label: &'static str, to: &[&[u8]]) -> Subkey {
        let mut key = Subkey([0; 32]);
        if let Ok(hkdf) = Hkdf::from_prk(&self.0) {
            expand(&hkdf, &framed::bytes(label, to), &mut key.0);
        }
        key
    }

    /// The AEAD key of acknowledgements (R18).
    pub fn acknowledgement_key(&self) -> Subkey {
        self.subkey(label::ACKNOWLEDGEMENT)
    }

    /// The key from which overlaps' handles are drawn (R18).
    pub fn handle_key(&self) -> Subkey {
        self.subkey(label::HANDLE)
    }

    /// What each request of `sender` carries, so that two different K are an error that both see (R9, section 8):
    /// the first half of HMAC-SHA-512 under a subkey, over label and sender. Public.
    pub fn confirmation_of(&self, sender: &UnitName) -> [u8; 32] {
        let mut half = [0; 32];
        half.copy_from_slice(&self.confirm_mac(sender)[..32]);
        half
    }

    /// Whether `sender` holds the same K, from what its request carries; in constant time.
    pub fn confirms(&self, sender: &UnitName, carried: &[u8; 32]) -> bool {
        self.confirmation_of(sender).ct_eq(carried).into()
    }

    fn confirm_mac(&self, sender: &UnitName) -> [u8; 64] {
        let key = self.subkey(label::CONFIRM_SECRET);
        let mut mac = keyed(&key.0);
        framed::absorb(&mut mac, label::CONFIRM_SECRET, &[sender.as_str().as_bytes()]);
        mac.finalize().into_bytes().into()
    }

    /// HMAC-SHA-512 keyed with K, ready to be cloned for each token (R11).
    pub(super) fn token_mac(&self) -> Hmac<Sha512> {
        keyed(&self.0)
    }
}

/// A key for one use, derived from the pair secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Subkey([u8; 32]);

impl Subkey {
    /// The bytes, for the cipher or MAC that the label names.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// HMAC-SHA-512 under a key of any length.
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha512> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// HKDF-Expand of at most 64 bytes.
pub(super) fn expand(hkdf: &Hkdf<Sha512>, info: &[u8], out: &mut [u8]) {
    hkdf.expand(info, out).expect("HKDF-SHA-512 gives up to 16,320 bytes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;

    fn unit(name: &str) -> UnitName {
        name.parse().unwrap()
    }

    fn context(epoch: u64, accord: u8) -> Context {
        Context::new(Pair::new(&unit("GM"), &unit("SN")).unwrap(), epoch, [accord; 32])
    }

    fn derive(context: &Context, federation: u8, gm: u8, sn: u8) -> PairSecret {
        let (gm, sn) = (Contribution([gm; 32]), Contribution([sn; 32]));
        PairSecret::derive(context, &[federation; 32], (&unit("GM"), &gm), (&unit("SN"), &sn)).unwrap()
    }

    #[test]
    fn both_sides_reach_the_same_secret() {
        let context = context(1, 1);
        let (gm, sn) = (Contribution([1; 32]), Contribution([2; 32]));
        let other_way = PairSecret::derive(&context, &[3; 32], (&unit("SN"), &sn), (&unit("GM"), &gm)).unwrap();
        assert_eq!(derive(&context, 3, 1, 2).0, other_way.0);
    }

    #[test]
    fn everything_counts() {
        let secret = derive(&context(1, 1), 3, 1, 2);
        let others = [
            derive(&context(2, 1), 3, 1, 2),
            derive(&context(1, 2), 3, 1, 2),
            derive(&context(1, 1), 4, 1, 2),
            derive(&context(1, 1), 3, 9, 2),
            derive(&context(1, 1), 3, 1, 9),
            derive(&context(1, 1), 3, 2, 1),
        ];
        for other in others {
            assert_ne!(secret.0, other.0);
            assert!(!secret.confirms(&unit("SN"), &other.confirmation_of(&unit("SN"))));
        }
        assert!(secret.confirms(&unit("SN"), &secret.confirmation_of(&unit("SN"))));
        assert!(!secret.confirms(&unit("SN"), &secret.confirmation_of(&unit("GM"))));
        assert_ne!(secret.acknowledgement_key().0, secret.handle_key().0);
    }

    #[test]
    fn contributions_of_others_are_refused() {
        let (one, other) = (Contribution([1; 32]), Contribution([2; 32]));
        for (a, b) in [("SN", "SN"), ("GM", "GM"), ("GM", "NE"), ("NE", "SN")] {
            let refused = PairSecret::derive(&context(1, 1), &[3; 32], (&unit(a), &one), (&unit(b), &other));
            assert_eq!(refused.err(), Some(NotThePair), "{a} {b}");
        }
    }
}
