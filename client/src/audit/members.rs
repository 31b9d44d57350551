//! Whose keys, and from when on: the members of a bundle as the log's roster shows them, and the fingerprints that people
//! compare.
//!
//! The broker says who is a member; each member signed its own keys (R6). Keys hold from their entry of the log to the next
//! one of the same unit (R7). Caller: `verify`. *Not here:* whether a member is who it says: that is what the fingerprints
//! are for; and what a change of keys does to officers (`fold`).

use super::bundle::{Bundle, Logged};
use super::log::verified;
use super::report::{Findings, Key};
use protocol::envelope::Kind;
use protocol::identity::{PublicKeys, federation_id, fingerprint};
use protocol::message::{Head, RosterEntry};
use protocol::name::{Party, UnitName};
use protocol::roster::{Change, Roster};
use protocol::{Bytes, Hash, codec};
use std::collections::BTreeMap;

/// Who is who.
pub(super) struct Members {
    pub federation: Hash,
    pub broker: Bytes<32>,
    /// Each unit's keys, by the entry from which they hold.
    keys: BTreeMap<UnitName, Vec<(u64, PublicKeys)>>,
}

impl Members {
    /// Those whose own signature holds, in entries that the broker signed.
    pub fn check(bundle: &Bundle, findings: &mut Findings) -> Members {
        let federation = federation_id(&bundle.federation, &bundle.broker);
        let mut members = Members { federation, broker: bundle.broker, keys: BTreeMap::new() };
        let mut roster = Roster::default();
        for logged in &bundle.roster {
            let changed = entry_of(&members, logged)
                .and_then(|entry| Ok((roster.apply(&federation, &entry).map_err(|e| e.code())?, entry)));
            match changed {
                Ok((Change::Joined | Change::KeysChanged, entry)) => {
                    members.keys.entry(entry.unit).or_default().push((logged.entry, entry.keys));
                }
                Ok(_) => {}
                Err(code) => findings.add(code, place(logged.entry)),
            }
        }
        members
    }

    /// All units.
    pub fn units(&self) -> impl Iterator<Item = &UnitName> {
        self.keys.keys()
    }

    /// A unit's keys when the log had `size` entries.
    pub fn keys_at(&self, unit: &UnitName, size: u64) -> Option<&PublicKeys> {
        self.keys.get(unit)?.iter().rev().find(|(from, _)| *from < size).map(|(_, keys)| keys)
    }

    /// A unit's keys now.
    pub fn keys_now(&self, unit: &UnitName) -> Option<&PublicKeys> {
        self.keys_at(unit, u64::MAX)
    }

    /// The keys with which a unit can have cosigned a checkpoint of this size: a unit that has just got other keys may cosign
    /// one from before.
    pub fn witnessing(&self, unit: &UnitName, size: u64) -> impl Iterator<Item = &PublicKeys> {
        let next = self.keys.get(unit).into_iter().flatten().find(|(from, _)| *from >= size).map(|(_, keys)| keys);
        self.keys_at(unit, size).into_iter().chain(next)
    }

    /// The key that signs for a party in an entry of the log.
    pub fn signing(&self, party: &Party, entry: u64) -> Option<Bytes<32>> {
        match party {
            Party::Broker => Some(self.broker),
            Party::Unit(unit) => self.keys_at(unit, entry).map(|keys| keys.signing),
            Party::All => None,
        }
    }

    /// What an auditor compares with what the operator and each unit say: of keys that were replaced, too.
    pub fn fingerprints(&self) -> Vec<Key> {
        let of = |name: &str, keys: &[u8], until: Option<u64>| Key {
            of: name.to_owned(),
            fingerprint: fingerprint(&self.federation, name, keys),
            until,
        };
        let mut out = vec![of("@broker", &self.broker.0, None)];
        for (unit, all) in &self.keys {
            let until = all.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
            for ((_, keys), until) in all.iter().zip(until) {
                out.push(of(unit.as_str(), &codec::encode(keys), until));
            }
        }
        out
    }
}

/// Where an entry of the roster stands.
pub(super) fn place(entry: u64) -> String {
    format!("roster, entry {entry}")
}

/// What the broker said of a member, if it said so to all.
pub(super) fn entry_of(members: &Members, logged: &Logged) -> Result<RosterEntry, &'static str> {
    let envelope = verified(members, logged)?;
    let header = envelope.header();
    let is_roster = header.kind == Kind::Roster && header.sender == Party::Broker && header.receiver == Party::All;
    if !is_roster || logged.matter.is_some() {
        return Err("roster-place");
    }
    RosterEntry::from_bytes(&logged.head).map_err(|_| "roster-malformed")
}
