//! Readings: who opened a package that was handed over, when and why. Signed by the officer, kept by the recipient (R32).
//!
//! Callers: the client writes one for every opening; the audit reports them, and every copy that was made. *Not* sent to
//! anybody: the receipt that the provider gets is an act ([`crate::act::Content::Receipt`]).

use crate::codec::{self, Bytes, Hash};
use crate::identity;
use crate::label;
use crate::name::UnitName;
use crate::officer::{OfficerKey, Officers};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};

/// The longest justification, in bytes.
pub const MAX_WHY: usize = 500;

/// One opening.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Reading {
    /// The federation.
    #[n(0)]
    pub federation: Hash,
    /// The overlap.
    #[n(1)]
    pub handle: Handle,
    /// The package.
    #[n(2)]
    pub package: Hash,
    /// The unit that reads.
    #[n(3)]
    pub unit: UnitName,
    /// The officer's number.
    #[n(4)]
    pub officer: u32,
    /// When, in milliseconds since the Unix epoch.
    #[n(5)]
    pub at_ms: u64,
    /// Why, in the officer's words; at most [`MAX_WHY`] bytes.
    #[n(6)]
    pub why: String,
    /// The number of the copy that was made outside the vault, if one was.
    #[n(7)]
    pub copy: Option<u32>,
}

/// A reading with the officer's signature.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SignedReading {
    /// What is signed.
    #[n(0)]
    pub reading: Reading,
    /// By the officer.
    #[n(1)]
    pub signature: Bytes<64>,
}

impl Reading {
    /// Signs as the officer who reads.
    pub fn sign(self, key: &OfficerKey) -> SignedReading {
        let signature = key.sign(label::READING, &codec::encode(&self));
        SignedReading { reading: self, signature }
    }
}

impl SignedReading {
    /// Whether an officer of the unit signed it, revoked since or not.
    pub fn is_signed(&self, officers: &Officers) -> bool {
        let officer = officers.get(&self.reading.unit, self.reading.officer);
        officer.is_some_and(|officer| {
            let message = codec::encode(&self.reading);
            identity::verify(&officer.certificate.key, label::READING, &message, &self.signature)
        })
    }
}
