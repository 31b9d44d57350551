//! The confirmation in a leaf: proof, for the other side, that the leaf's owner computed the token's key itself
//! (R15, R18).
//!
//! HMAC-SHA-256 under the match key over the side, which is the owner's name, cut to 16 bytes. The broker has no
//! match key: it can neither make one for a match that it invents, nor reflect one side's as the other's.
//!
//! Callers: the agent, for its own leaves and for the other leaf in a notice. *Not* a MAC over the token, which a
//! guess could be tested against.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{MatchKey, framed};
use crate::label;
use crate::name::UnitName;

/// A leaf's 16 bytes of confirmation. Public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confirmation(pub [u8; 16]);

/// A confirmation that its owner's key did not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the confirmation is not from a unit that holds the token")]
pub struct WrongConfirmation;

/// Makes the confirmations of both owners of a matched token: the key is set up once.
pub struct Confirming(Hmac<Sha256>);

impl Confirming {
    /// Under one match key.
    pub fn new(key: &MatchKey) -> Self {
        Confirming(Hmac::new_from_slice(key.expose_secret()).expect("HMAC takes keys of any length"))
    }

    /// The confirmation of `owner`'s leaf.
    pub fn of(&self, owner: &UnitName) -> Confirmation {
        let mut mac = self.0.clone();
        framed::absorb(&mut mac, label::CONFIRMATION, &[owner.as_str().as_bytes()]);
        let code = mac.finalize().into_bytes();
        let mut cut = [0; 16];
        cut.copy_from_slice(&code[..16]);
        Confirmation(cut)
    }

    /// As [`Confirmation::check`].
    ///
    /// # Errors
    /// [`WrongConfirmation`]: the match is disputed.
    pub fn check(&self, said: &Confirmation, owner: &UnitName) -> Result<(), WrongConfirmation> {
        if bool::from(self.of(owner).0.ct_eq(&said.0)) { Ok(()) } else { Err(WrongConfirmation) }
    }
}

impl Confirmation {
    /// The confirmation of `owner`'s leaf.
    pub fn new(key: &MatchKey, owner: &UnitName) -> Self {
        Confirming::new(key).of(owner)
    }

    /// Checks that this stands in `owner`'s leaf rightly, with one's own match key of the same tag. In constant time.
    ///
    /// # Errors
    /// [`WrongConfirmation`]: the match is disputed.
    pub fn check(&self, key: &MatchKey, owner: &UnitName) -> Result<(), WrongConfirmation> {
        Confirming::new(key).check(self, owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owners_own_confirmation_holds() {
        let (sn, gm): (UnitName, UnitName) = ("SN".parse().unwrap(), "GM".parse().unwrap());
        let (key, other) = (MatchKey::from_secret(&[1; 32]), MatchKey::from_secret(&[2; 32]));
        let confirmation = Confirmation::new(&key, &sn);
        assert_eq!(confirmation.check(&key, &sn), Ok(()));
        assert_eq!(confirmation.check(&key, &gm), Err(WrongConfirmation), "reflected");
        assert_eq!(confirmation.check(&other, &sn), Err(WrongConfirmation), "another key");
        for bit in 0..128 {
            let mut flipped = confirmation;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(flipped.check(&key, &sn), Err(WrongConfirmation), "bit {bit}");
        }
    }
}
