//! The roster: who the members are, folded from the broker's logged entries (R6 to R8).
//!
//! Callers: agents and the broker. A key is pinned at its first entry: an entry that changes one blocks the unit
//! loudly until officers have verified it anew. *Not here:* whether officers have verified a peer (client's vault).

use crate::identity::{self, PublicKeys};
use crate::message::{RosterEntry, Standing};
use crate::name::UnitName;
use crate::{codec, label};
use std::collections::BTreeMap;

/// A member as the roster shows it now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its full title.
    pub title: String,
    /// Its public keys.
    pub keys: PublicKeys,
    /// Admitted, suspended, or gone.
    pub standing: Standing,
}

/// What an entry changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A new member.
    Joined,
    /// A member whose keys are not those seen before: to be blocked until verified anew.
    KeysChanged,
    /// Another standing.
    Standing(Standing),
    /// Nothing that matters.
    None,
}

/// Why an entry is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum RosterError {
    /// The unit's own signature over its keys is wrong: the entry was made up.
    #[error("the roster entry is not signed by the unit it names")]
    NotSignedByUnit,
    /// The title is too long, or holds control characters.
    #[error("the roster entry is malformed")]
    Malformed,
}

impl RosterError {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            RosterError::NotSignedByUnit => "roster-not-signed-by-unit",
            RosterError::Malformed => "roster-malformed",
        }
    }
}

/// Who the members are.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Roster {
    members: BTreeMap<UnitName, Member>,
}

impl Roster {
    /// All who ever were members.
    pub fn members(&self) -> impl Iterator<Item = (&UnitName, &Member)> {
        self.members.iter()
    }

    /// One of them.
    pub fn get(&self, unit: &UnitName) -> Option<&Member> {
        self.members.get(unit)
    }

    /// Whether `unit` is admitted now.
    pub fn is_admitted(&self, unit: &UnitName) -> bool {
        self.get(unit).is_some_and(|member| member.standing == Standing::Admitted)
    }

    /// All who are admitted now.
    pub fn admitted(&self) -> impl Iterator<Item = &UnitName> {
        self.members.iter().filter(|(_, m)| m.standing == Standing::Admitted).map(|(name, _)| name)
    }

    /// Applies an entry of the broker's.
    pub fn apply(&mut self, federation: &codec::Hash, entry: &RosterEntry) -> Result<Change, RosterError> {
        if entry.title.len() > 200 || entry.title.chars().any(char::is_control) {
            return Err(RosterError::Malformed);
        }
        if !identity::verify(&entry.keys.signing, label::JOIN, &join_message(federation, entry), &entry.joined) {
            return Err(RosterError::NotSignedByUnit);
        }
        let member = Member { title: entry.title.clone(), keys: entry.keys.clone(), standing: entry.standing };
        let change = match self.members.get(&entry.unit) {
            None => Change::Joined,
            Some(before) if before.keys != member.keys => Change::KeysChanged,
            Some(before) if before.standing != member.standing => Change::Standing(member.standing),
            Some(_) => Change::None,
        };
        self.members.insert(entry.unit.clone(), member);
        Ok(change)
    }
}

/// What a unit signs with its new key when it joins: federation, name, title and keys.
pub fn join_message(federation: &codec::Hash, entry: &RosterEntry) -> Vec<u8> {
    let mut out = federation.0.to_vec();
    for text in [entry.unit.as_str(), &entry.title] {
        out.extend_from_slice(&(text.len() as u64).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(&entry.keys.signing.0);
    out.extend_from_slice(&entry.keys.sealing.0);
    out
}

/// Makes the entry by which a unit asks to join; the broker adds the standing when it admits.
pub fn join_entry(federation: &codec::Hash, unit: UnitName, title: String, keys: &identity::UnitKeys) -> RosterEntry {
    let mut entry =
        RosterEntry { unit, title, keys: keys.public(), standing: Standing::Admitted, joined: codec::Bytes::ZERO };
    entry.joined = keys.signing.sign(label::JOIN, &join_message(federation, &entry));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Bytes;
    use crate::identity::UnitKeys;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn keys_are_pinned_and_a_change_is_told() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let federation = Bytes([1; 32]);
        let name: UnitName = "SN".parse().unwrap();
        let entry = join_entry(&federation, name.clone(), "Senegal".into(), &UnitKeys::generate(&mut rng));
        let mut roster = Roster::default();
        assert_eq!(roster.apply(&federation, &entry), Ok(Change::Joined));
        assert_eq!(roster.apply(&federation, &entry), Ok(Change::None));
        let suspended = RosterEntry { standing: Standing::Suspended, ..entry.clone() };
        assert_eq!(roster.apply(&federation, &suspended), Ok(Change::Standing(Standing::Suspended)));
        assert!(!roster.is_admitted(&name));
        let substituted = join_entry(&federation, name, "Senegal".into(), &UnitKeys::generate(&mut rng));
        assert_eq!(roster.apply(&federation, &substituted), Ok(Change::KeysChanged));
        let forged = RosterEntry { keys: substituted.keys, ..entry.clone() };
        assert_eq!(roster.apply(&federation, &forged), Err(RosterError::NotSignedByUnit));
        assert_eq!(roster.apply(&Bytes([2; 32]), &entry), Err(RosterError::NotSignedByUnit));
    }
}
