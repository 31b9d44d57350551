//! Officers: persons of a unit who sign acts, each with one role and a key of their own (R29, R30).
//!
//! A unit certifies its officers by an envelope to all: the envelope's signature is the certificate's. To the broker and
//! the peers an officer is a number, a role and a key; the name stands under a commitment that is opened inside sealed
//! matter only. An officer who is revoked signs nothing from that entry of the log on; a number is never used again.
//!
//! Callers: agents, the broker as referee, the audit. *Not here:* what a role may do (the manual, and the consent
//! kernel), and where an officer's key lies (client's vault, under the officer's own passphrase).

use crate::codec::{self, Bytes, Hash};
use crate::identity::{self, SigningKey};
use crate::label;
use crate::name::UnitName;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The longest name of an officer, in bytes.
pub const MAX_NAME: usize = 100;
/// Most officers that a unit ever certifies.
pub const MAX_OFFICERS: u32 = 10_000;

/// What an officer is in the unit. One role for each officer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum OfficerRole {
    /// Works on the case.
    #[n(0)]
    Investigator,
    /// The unit's point of contact: receives.
    #[n(1)]
    Contact,
    /// Heads the unit, or is on duty for the head.
    #[n(2)]
    Head,
    /// Answers for the law.
    #[n(3)]
    LegalOfficer,
    /// A magistrate seised of the case.
    #[n(4)]
    Magistrate,
    /// Mediates between units; sees no content and has no vote.
    #[n(5)]
    Mentor,
}

impl OfficerRole {
    /// All roles.
    pub const ALL: [OfficerRole; 6] = [
        OfficerRole::Investigator,
        OfficerRole::Contact,
        OfficerRole::Head,
        OfficerRole::LegalOfficer,
        OfficerRole::Magistrate,
        OfficerRole::Mentor,
    ];

    /// The stable name, as manuals and commands write it.
    pub fn name(self) -> &'static str {
        match self {
            OfficerRole::Investigator => "investigator",
            OfficerRole::Contact => "contact",
            OfficerRole::Head => "head",
            OfficerRole::LegalOfficer => "legal-officer",
            OfficerRole::Magistrate => "magistrate",
            OfficerRole::Mentor => "mentor",
        }
    }
}

impl fmt::Display for OfficerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no role.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("no such role: investigator, contact, head, legal-officer, magistrate or mentor")]
pub struct NoSuchRole;

impl FromStr for OfficerRole {
    type Err = NoSuchRole;

    fn from_str(text: &str) -> Result<Self, NoSuchRole> {
        OfficerRole::ALL.into_iter().find(|role| role.name() == text).ok_or(NoSuchRole)
    }
}

/// An officer's signing key. It zeroizes itself; [`OfficerKey::expose_secret`] is for the vault.
pub struct OfficerKey(SigningKey);

impl OfficerKey {
    /// A fresh key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        OfficerKey(SigningKey::generate(rng))
    }

    /// The key that was kept as `seed`.
    pub fn from_secret(seed: &[u8; 32]) -> Self {
        OfficerKey(SigningKey::from_secret(seed))
    }

    /// The seed, to be sealed under the officer's passphrase.
    pub fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        self.0.expose_secret()
    }

    /// The public half.
    pub fn public(&self) -> Bytes<32> {
        self.0.public()
    }

    pub(crate) fn sign(&self, label: &str, message: &[u8]) -> Bytes<64> {
        self.0.sign(label, message)
    }
}

/// A name under its commitment: what is opened inside sealed matter, and in an audit.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
#[cbor(array)]
pub struct NameOpening {
    /// The name, at most [`MAX_NAME`] bytes without control characters.
    #[n(0)]
    pub name: String,
    /// 32 random bytes, so that a name cannot be guessed from the commitment.
    #[n(1)]
    pub salt: Bytes<32>,
}

impl NameOpening {
    /// A name with a fresh salt; `None` if it is empty, too long, or holds control characters.
    pub fn new(name: &str, rng: &mut impl CryptoRng) -> Option<Self> {
        let fits = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        fits.then(|| NameOpening { name: name.to_owned(), salt: Bytes(salt) })
    }

    /// What the certificate carries.
    pub fn commitment(&self) -> Hash {
        let mut h = Sha256::new();
        h.update(label::OFFICER_NAME.as_bytes());
        h.update([0]);
        h.update(self.salt.0);
        h.update(self.name.as_bytes());
        Bytes(h.finalize().into())
    }
}

/// What a unit says of one of its officers.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
#[cbor(array)]
pub struct Certificate {
    /// The officer's number in the unit, from 1.
    #[n(0)]
    pub number: u32,
    /// The role.
    #[n(1)]
    pub role: OfficerRole,
    /// The key (Ed25519).
    #[n(2)]
    pub key: Bytes<32>,
    /// Commitment to the name ([`NameOpening::commitment`]).
    #[n(3)]
    pub name: Hash,
    /// The officer's own signature over federation, unit and all of the above: the key is held by somebody.
    #[n(4)]
    pub possession: Bytes<64>,
}

impl Certificate {
    /// Makes the certificate of a new officer, signed by the officer; the unit signs by sending it.
    pub fn new(
        federation: &Hash,
        unit: &UnitName,
        number: u32,
        role: OfficerRole,
        name: &NameOpening,
        key: &OfficerKey,
    ) -> Self {
        let mut certificate =
            Certificate { number, role, key: key.public(), name: name.commitment(), possession: Bytes::ZERO };
        certificate.possession = key.sign(label::OFFICER, &certificate.message(federation, unit));
        certificate
    }

    fn message(&self, federation: &Hash, unit: &UnitName) -> Vec<u8> {
        codec::encode(&(federation, unit, self.number, self.role, self.key, self.name))
    }
}

/// What is said about an officer, by the unit, to all.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
pub enum OfficerEntry {
    /// A new officer.
    #[n(0)]
    Certified(#[n(0)] Certificate),
    /// The officer of this number signs nothing more.
    #[n(1)]
    Revoked(#[n(0)] u32),
}

/// Why an entry is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum OfficerRefused {
    /// The number was used before, is 0, or above [`MAX_OFFICERS`].
    #[error("this officer's number is taken or out of range")]
    Number,
    /// Another officer of the unit has this key.
    #[error("another officer of the unit has this key")]
    Key,
    /// The officer's own signature is wrong.
    #[error("the officer did not sign the certificate")]
    Possession,
    /// Nobody of this number, or revoked before.
    #[error("no officer of this number is in standing")]
    Unknown,
}

impl OfficerRefused {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            OfficerRefused::Number => "officer-number",
            OfficerRefused::Key => "officer-key",
            OfficerRefused::Possession => "officer-possession",
            OfficerRefused::Unknown => "officer-unknown",
        }
    }
}

/// An officer as the log shows them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Officer {
    /// The certificate.
    pub certificate: Certificate,
    /// Whether a revocation was logged, or the unit has other keys than those that certified the officer.
    pub revoked: bool,
}

/// All officers of all units, folded from their entries in the order of the log.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Officers {
    known: BTreeMap<(UnitName, u32), Officer>,
}

impl Officers {
    /// Takes an entry of `unit`'s in.
    ///
    /// # Errors
    /// [`OfficerRefused`]; nothing has changed.
    pub fn apply(&mut self, federation: &Hash, unit: &UnitName, entry: &OfficerEntry) -> Result<(), OfficerRefused> {
        match entry {
            OfficerEntry::Certified(certificate) => {
                let at = (unit.clone(), certificate.number);
                if !(1..=MAX_OFFICERS).contains(&certificate.number) || self.known.contains_key(&at) {
                    return Err(OfficerRefused::Number);
                }
                if self.of(unit).any(|(_, officer)| officer.certificate.key == certificate.key) {
                    return Err(OfficerRefused::Key);
                }
                let message = certificate.message(federation, unit);
                if !identity::verify(&certificate.key, label::OFFICER, &message, &certificate.possession) {
                    return Err(OfficerRefused::Possession);
                }
                self.known.insert(at, Officer { certificate: certificate.clone(), revoked: false });
            }
            OfficerEntry::Revoked(number) => {
                let officer = self.known.get_mut(&(unit.clone(), *number)).filter(|officer| !officer.revoked);
                officer.ok_or(OfficerRefused::Unknown)?.revoked = true;
            }
        }
        Ok(())
    }

    /// Puts back what [`Officers::apply`] took in before: from one's own store, and from nowhere else.
    pub fn restore(&mut self, unit: UnitName, officer: Officer) {
        self.known.insert((unit, officer.certificate.number), officer);
    }

    /// `unit` has other keys from here on: nobody whom the old keys certified signs any more. Otherwise a broker that
    /// substituted a unit's keys for a while (R7) would leave officers behind whom the unit never certified.
    pub fn rekeyed(&mut self, unit: &UnitName) {
        for (_, officer) in self.known.range_mut((unit.clone(), 0)..=(unit.clone(), u32::MAX)) {
            officer.revoked = true;
        }
    }

    /// Everybody that `unit` ever certified, by number.
    pub fn of<'a>(&'a self, unit: &'a UnitName) -> impl Iterator<Item = (u32, &'a Officer)> {
        self.known.range((unit.clone(), 0)..=(unit.clone(), u32::MAX)).map(|((_, number), officer)| (*number, officer))
    }

    /// Somebody, revoked or not.
    pub fn get(&self, unit: &UnitName, number: u32) -> Option<&Officer> {
        self.known.get(&(unit.clone(), number))
    }

    /// Somebody who may sign now.
    pub fn in_standing(&self, unit: &UnitName, number: u32) -> Option<&Certificate> {
        self.get(unit, number).filter(|officer| !officer.revoked).map(|officer| &officer.certificate)
    }

    /// The next free number of `unit`.
    pub fn next_number(&self, unit: &UnitName) -> u32 {
        self.of(unit).last().map_or(1, |(number, _)| number + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn an_officer_is_certified_once_and_revoked_once() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (federation, unit): (Hash, UnitName) = (Bytes([1; 32]), "SN".parse().unwrap());
        let other: UnitName = "SN2".parse().unwrap();
        let (key, name) = (OfficerKey::generate(&mut rng), NameOpening::new("A. Diop", &mut rng).unwrap());
        let certificate = Certificate::new(&federation, &unit, 1, OfficerRole::Head, &name, &key);
        let entry = OfficerEntry::Certified(certificate.clone());
        let mut officers = Officers::default();
        assert_eq!(officers.apply(&federation, &other, &entry), Err(OfficerRefused::Possession));
        assert_eq!(officers.apply(&Bytes([2; 32]), &unit, &entry), Err(OfficerRefused::Possession));
        assert_eq!(officers.apply(&federation, &unit, &entry), Ok(()));
        assert_eq!(officers.apply(&federation, &unit, &entry), Err(OfficerRefused::Number));
        let twice = Certificate::new(&federation, &unit, 2, OfficerRole::LegalOfficer, &name, &key);
        assert_eq!(
            officers.apply(&federation, &unit, &OfficerEntry::Certified(twice)),
            Err(OfficerRefused::Key),
            "one key is one person"
        );
        assert_eq!(officers.in_standing(&unit, 1), Some(&certificate));
        assert_eq!(officers.apply(&federation, &unit, &OfficerEntry::Revoked(1)), Ok(()));
        assert_eq!(officers.in_standing(&unit, 1), None);
        assert_eq!(officers.apply(&federation, &unit, &OfficerEntry::Revoked(1)), Err(OfficerRefused::Unknown));
        assert_eq!(officers.next_number(&unit), 2);
        let mut again = Officers::default();
        for (_, officer) in officers.of(&unit) {
            again.restore(unit.clone(), officer.clone());
        }
        assert_eq!(again, officers);
        let bytes = codec::encode(&entry);
        assert_eq!(codec::decode::<OfficerEntry>(&bytes), Ok(entry));
    }

    #[test]
    fn nobody_whom_substituted_keys_certified_stays_in_standing() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let federation: Hash = Bytes([1; 32]);
        let units: [UnitName; 2] = ["SN".parse().unwrap(), "SN2".parse().unwrap()];
        let mut officers = Officers::default();
        for unit in &units {
            let (key, name) = (OfficerKey::generate(&mut rng), NameOpening::new("B. Sy", &mut rng).unwrap());
            let certificate = Certificate::new(&federation, unit, 1, OfficerRole::LegalOfficer, &name, &key);
            assert_eq!(officers.apply(&federation, unit, &OfficerEntry::Certified(certificate)), Ok(()));
        }
        officers.rekeyed(&units[0]);
        assert_eq!(officers.in_standing(&units[0], 1), None);
        assert!(officers.in_standing(&units[1], 1).is_some(), "of another unit");
        assert_eq!(officers.next_number(&units[0]), 2, "a number is never used again");
    }
}
