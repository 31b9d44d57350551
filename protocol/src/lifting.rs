//! Liftings: who let a unit go on with a case after it had objected to what the other unit said, to what, when and why.
//! Signed by the officer, kept by the unit (R33).
//!
//! Callers: the agent takes one for every objection that is lifted; the audit shows them. *Not* sent to anybody: an
//! objection is a unit's own caution, and moves no case.

use crate::codec::{self, Bytes, Hash};
use crate::identity;
use crate::label;
use crate::name::UnitName;
use crate::officer::{OfficerKey, OfficerRole, Officers};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};

/// The longest reason, in bytes.
pub const MAX_WHY: usize = 500;
/// Who lifts.
pub const LIFTERS: [OfficerRole; 2] = [OfficerRole::Head, OfficerRole::LegalOfficer];

/// Something that a unit objects to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Objected {
    /// The entry of the log that broke a guard of the parties.
    #[n(0)]
    pub entry: u64,
    /// The guard: the stable name of the rule.
    #[n(1)]
    pub code: String,
}

/// Objections that are lifted together: all that stood in the case.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Lifting {
    /// The federation.
    #[n(0)]
    pub federation: Hash,
    /// The overlap.
    #[n(1)]
    pub handle: Handle,
    /// The unit that objected.
    #[n(2)]
    pub unit: UnitName,
    /// The officer's number.
    #[n(3)]
    pub officer: u32,
    /// When, in milliseconds since the Unix epoch.
    #[n(4)]
    pub at_ms: u64,
    /// What is lifted, in the order of the log.
    #[n(5)]
    pub objections: Vec<Objected>,
    /// Why the unit goes on, in the officer's words; 1 to [`MAX_WHY`] bytes.
    #[n(6)]
    pub why: String,
}

/// A lifting with the officer's signature.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct SignedLifting {
    /// What is signed.
    #[n(0)]
    pub lifting: Lifting,
    /// By the officer.
    #[n(1)]
    pub signature: Bytes<64>,
}

impl Lifting {
    /// Signs as the officer who lifts.
    pub fn sign(self, key: &OfficerKey) -> SignedLifting {
        let signature = key.sign(label::LIFTING, &codec::encode(&self));
        SignedLifting { lifting: self, signature }
    }

    /// Whether it says what it lifts and why.
    pub fn is_whole(&self) -> bool {
        !self.objections.is_empty() && !self.why.trim().is_empty() && self.why.len() <= MAX_WHY
    }
}

impl SignedLifting {
    /// Whether an officer of the unit signed it who may lift, revoked since or not.
    pub fn is_signed(&self, officers: &Officers) -> bool {
        let officer = officers.get(&self.lifting.unit, self.lifting.officer).map(|officer| &officer.certificate);
        officer.is_some_and(|certificate| {
            LIFTERS.contains(&certificate.role)
                && identity::verify(&certificate.key, label::LIFTING, &codec::encode(&self.lifting), &self.signature)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::officer::{Certificate, NameOpening, OfficerEntry};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const FEDERATION: Hash = Bytes([1; 32]);

    fn lifting(officer: u32) -> Lifting {
        Lifting {
            federation: FEDERATION,
            handle: Bytes([2; 16]),
            unit: "SN".parse().unwrap(),
            officer,
            at_ms: 1_790_000_000_000,
            objections: vec![Objected { entry: 12, code: "matter-name".to_owned() }],
            why: "it was a slip of theirs".to_owned(),
        }
    }

    #[test]
    fn a_head_or_legal_officer_signs_exactly_this() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let unit: UnitName = "SN".parse().unwrap();
        let mut officers = Officers::default();
        let roles = [OfficerRole::Head, OfficerRole::LegalOfficer, OfficerRole::Investigator, OfficerRole::Mentor];
        let keys: Vec<OfficerKey> = roles
            .iter()
            .zip(1..)
            .map(|(role, number)| {
                let key = OfficerKey::generate(&mut rng);
                let name = NameOpening::new("N. N.", &mut rng).unwrap();
                let certificate = Certificate::new(&FEDERATION, &unit, number, *role, &name, &key);
                officers.apply(&FEDERATION, &unit, &OfficerEntry::Certified(certificate)).unwrap();
                key
            })
            .collect();
        let signs = |number: usize| lifting(number as u32).sign(&keys[number - 1]).is_signed(&officers);
        assert_eq!([1, 2, 3, 4].map(signs), [true, true, false, false]);
        assert!(!lifting(2).sign(&keys[0]).is_signed(&officers), "another officer's key");
        assert!(!lifting(9).sign(&keys[0]).is_signed(&officers), "nobody of this number");
        let signed = lifting(1).sign(&keys[0]);
        let said = &signed.lifting;
        let other = |lifting: Lifting| SignedLifting { lifting, ..signed.clone() };
        let changed = [
            Lifting { federation: Bytes([9; 32]), ..said.clone() },
            Lifting { handle: Bytes([9; 16]), ..said.clone() },
            Lifting { at_ms: 1, ..said.clone() },
            Lifting { objections: Vec::new(), ..said.clone() },
            Lifting { why: "another".to_owned(), ..said.clone() },
        ];
        assert!(changed.into_iter().all(|lifting| !other(lifting).is_signed(&officers)));
        officers.apply(&FEDERATION, &unit, &OfficerEntry::Revoked(1)).unwrap();
        assert!(signed.is_signed(&officers), "what was signed before stays signed");
    }

    #[test]
    fn nothing_is_lifted_without_saying_what_and_why() {
        let mut whole = lifting(1);
        assert!(whole.is_whole());
        whole.why = "x".repeat(MAX_WHY + 1);
        assert!(!whole.is_whole());
        assert!(!Lifting { why: " ".to_owned(), ..lifting(1) }.is_whole());
        assert!(!Lifting { objections: Vec::new(), ..lifting(1) }.is_whole());
    }
}
