//! Invites: what an operator gives a unit so that it can join (R6).
//!
//! An invite is text that fits in a letter: the broker's address, the fingerprint of its certificate authority, and a
//! token that works once; hexadecimal, with four bytes of a hash at its end, so that a slip in copying is named as one. Callers: the broker makes them, the client reads them. *Not* a proof of who the unit is: that
//! is the verification code's part (R7).

use crate::codec::{self, Bytes};
use crate::label;
use crate::name::UnitName;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "sutura-invite-1-";
const CHECK_LEN: usize = 4;

/// What an invite says.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Invite {
    /// The federation's name.
    #[n(0)]
    pub federation: String,
    /// The broker's signing key.
    #[n(1)]
    pub broker: Bytes<32>,
    /// Host and port.
    #[n(2)]
    pub address: String,
    /// SHA-256 of the certificate (DER) of the broker's own authority.
    #[n(3)]
    pub authority: Bytes<32>,
    /// The unit that is invited.
    #[n(4)]
    pub unit: UnitName,
    /// Works once.
    #[n(5)]
    pub token: Bytes<32>,
}

/// Text that is no invite.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("this is no invite: it begins with {PREFIX} and must be copied whole")]
pub struct NotAnInvite;

impl NotAnInvite {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        "invite-malformed"
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = codec::encode(self);
        write!(f, "{PREFIX}{}{}", hex::encode(&encoded), hex::encode(check(&encoded)))
    }
}

/// What stands at the end of the text: the first bytes of a hash over all of it.
fn check(encoded: &[u8]) -> [u8; CHECK_LEN] {
    let mut h = Sha256::new();
    h.update(label::INVITE.as_bytes());
    h.update([0]);
    h.update(encoded);
    let whole: [u8; 32] = h.finalize().into();
    std::array::from_fn(|at| whole[at])
}

impl FromStr for Invite {
    type Err = NotAnInvite;

    fn from_str(text: &str) -> Result<Self, NotAnInvite> {
        let text = text.trim();
        if text.len() > 4096 {
            return Err(NotAnInvite);
        }
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| hex::decode(rest).ok()).ok_or(NotAnInvite)?;
        let (encoded, end) = bytes.split_last_chunk::<CHECK_LEN>().ok_or(NotAnInvite)?;
        if *end != check(encoded) {
            return Err(NotAnInvite);
        }
        codec::decode(encoded).map_err(|_| NotAnInvite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_survives_being_copied_and_nothing_else() {
        let invite = Invite {
            federation: "test".into(),
            broker: Bytes([1; 32]),
            address: "127.0.0.1:7443".into(),
            authority: Bytes([2; 32]),
            unit: "SN".parse().unwrap(),
            token: Bytes([3; 32]),
        };
        let text = invite.to_string();
        assert!(format!(" {text}\n").parse::<Invite>().unwrap() == invite);
        assert!(text[..text.len() - 2].parse::<Invite>().is_err());
        assert!(text.replacen("020202", "020302", 1).parse::<Invite>().is_err());
        assert!("".parse::<Invite>().is_err());
    }
}
