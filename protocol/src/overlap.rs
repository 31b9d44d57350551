//! Overlaps: what binds a record of one unit to a record of another (R18).
//!
//! Record numbers are random, drawn for each record and pair, and persist over epochs; they group the matches of the
//! same two records. The handle is all that the broker ever sees of an overlap. Callers: agents. *Not here:* when an
//! overlap is shown to officers (`identifier::surfaces`, by the accord's rule, R19).

use crate::codec::Bytes;
use crate::label;
use crate::name::{Pair, UnitName};
use crate::psi::MatchKey;
use crate::psi::{PairSecret, Subkey};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A record's number for one pair. The peer learns it; it says nothing but "the same record".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordNumber(pub u32);

impl RecordNumber {
    /// A fresh number that `taken` does not hold.
    pub fn draw(rng: &mut impl CryptoRng, taken: impl Fn(RecordNumber) -> bool) -> RecordNumber {
        loop {
            let number = RecordNumber(rng.next_u32());
            if !taken(number) {
                return number;
            }
        }
    }
}

/// An overlap's handle: pseudorandom to everyone but the pair.
pub type Handle = Bytes<16>;

/// What makes the overlaps of one pair and epoch: its key is derived once.
pub struct Handles {
    key: Subkey,
    handle_mac: Hmac<Sha256>,
    owner_is_low: bool,
}

impl Handles {
    /// Those of the overlaps that `owner` sees, from the secret of the epoch in which they arise.
    pub fn new(secret: &PairSecret, pair: &Pair, owner: &UnitName) -> Self {
        let key = secret.handle_key();
        // HMAC takes keys of any length: this cannot fail.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose_secret()).unwrap_or_else(|_| unreachable!());
        mac.update(label::HANDLE.as_bytes());
        Handles { key, handle_mac: mac, owner_is_low: owner == pair.low() }
    }

    /// The handle of the overlap of two records: the same on both sides.
    pub fn handle(&self, own: RecordNumber, peers: RecordNumber) -> Handle {
        let (low, high) = if self.owner_is_low { (own, peers) } else { (peers, own) };
        let mut mac = self.handle_mac.clone();
        mac.update(&low.0.to_be_bytes());
        mac.update(&high.0.to_be_bytes());
        let code: [u8; 32] = mac.finalize().into_bytes().into();
        let mut out = [0; 16];
        out.copy_from_slice(&code[..16]);
        Bytes(out)
    }

    /// The secret of the overlap with this handle.
    pub fn secret(&self, handle: &Handle) -> OverlapSecret {
        OverlapSecret(expand(self.key.expose_secret(), label::OVERLAP_SECRET, &handle.0))
    }
}

/// The handle of one overlap: [`Handles`] makes many.
pub fn handle(secret: &PairSecret, pair: &Pair, owner: &UnitName, own: RecordNumber, peers: RecordNumber) -> Handle {
    Handles::new(secret, pair, owner).handle(own, peers)
}

/// What the two units of an overlap share of it: derived when it arises, kept until it ends.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OverlapSecret([u8; 32]);

impl OverlapSecret {
    /// Of the overlap with this handle, from the secret of the epoch in which it arose.
    pub fn derive(secret: &PairSecret, handle: &Handle) -> Self {
        OverlapSecret(expand(secret.handle_key().expose_secret(), label::OVERLAP_SECRET, &handle.0))
    }

    /// As it was kept.
    pub fn from_secret(bytes: &[u8; 32]) -> Self {
        OverlapSecret(*bytes)
    }

    /// For the vault and nothing else.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The key of a case: bound to the overlap and to a match key, so that only the two units that hold the token and went
/// through the evaluation have it (R31).
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct CaseKey([u8; 32]);

impl CaseKey {
    /// From the overlap's secret and the match key of one of its confirmed tokens: the one that whoever opens the case
    /// takes. The other side finds it by trying (a few keys).
    pub fn derive(secret: &OverlapSecret, match_key: &MatchKey) -> Self {
        let mut both = Zeroizing::new([0; 64]);
        both[..32].copy_from_slice(&secret.0);
        both[32..].copy_from_slice(match_key.expose_secret());
        CaseKey(expand(both.as_ref(), label::CASE_KEY, &[]))
    }

    /// As it was kept.
    pub fn from_secret(bytes: &[u8; 32]) -> Self {
        CaseKey(*bytes)
    }

    /// For the vault and nothing else.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// A key of its own for each use.
    pub(crate) fn subkey(&self, label: &str, context: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(expand(&self.0, label, context))
    }
}

fn expand(key: &[u8], label: &str, context: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // 32 bytes are within what HKDF-SHA-256 gives.
    let _ = Hkdf::<Sha256>::new(None, key).expand_multi_info(&[label.as_bytes(), &[0], context], &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_reach_the_same_handle() {
        let secret = PairSecret::from_secret(&[7; 64]);
        let (sn, gm): (UnitName, UnitName) = ("SN".parse().unwrap(), "GM".parse().unwrap());
        let pair = Pair::new(&sn, &gm).unwrap();
        let (a, b) = (RecordNumber(1), RecordNumber(2));
        assert_eq!(handle(&secret, &pair, &sn, a, b), handle(&secret, &pair, &gm, b, a));
        assert_ne!(handle(&secret, &pair, &sn, a, b), handle(&secret, &pair, &sn, b, a));
    }
}
