//! Whose keys: the members of a bundle, as they signed themselves, and the fingerprints that people compare.
//!
//! Caller: `verify`. *Not here:* whether a member is who it says: that is what the fingerprints are for (R7).

use super::bundle::Bundle;
use super::report::{Findings, Key};
use protocol::identity::{PublicKeys, federation_id, fingerprint};
use protocol::message::{RosterEntry, Standing};
use protocol::name::{Party, UnitName};
use protocol::roster::{Change, Roster};
use protocol::{Bytes, Hash, codec};
use std::collections::BTreeMap;

/// Who is who.
pub(super) struct Members {
    pub federation: Hash,
    pub broker: Bytes<32>,
    pub keys: BTreeMap<UnitName, PublicKeys>,
}

impl Members {
    /// Those whose own signature holds.
    pub fn check(bundle: &Bundle, findings: &mut Findings) -> Members {
        let federation = federation_id(&bundle.federation, &bundle.broker);
        let (mut roster, mut keys) = (Roster::default(), BTreeMap::new());
        for member in &bundle.members {
            let entry = RosterEntry {
                unit: member.unit.clone(),
                title: member.title.clone(),
                keys: member.keys.clone(),
                // Not signed by the unit, and of no weight here.
                standing: Standing::Admitted,
                joined: member.joined,
            };
            let place = || member.unit.to_string();
            match roster.apply(&federation, &entry) {
                Ok(Change::Joined) => {
                    keys.insert(member.unit.clone(), member.keys.clone());
                }
                Ok(_) => findings.add("member-twice", place()),
                Err(error) => findings.add(error.code(), place()),
            }
        }
        Members { federation, broker: bundle.broker, keys }
    }

    /// The key that signs for a party.
    pub fn signing(&self, party: &Party) -> Option<Bytes<32>> {
        match party {
            Party::Broker => Some(self.broker),
            Party::Unit(unit) => self.keys.get(unit).map(|keys| keys.signing),
            Party::All => None,
        }
    }

    /// What an auditor compares with what the operator and each unit say.
    pub fn fingerprints(&self) -> Vec<Key> {
        let of = |name: &str, keys: &[u8]| Key {
            of: name.to_owned(),
            fingerprint: fingerprint(&self.federation, name, keys),
        };
        let units = self.keys.iter().map(|(unit, keys)| of(unit.as_str(), &codec::encode(keys)));
        std::iter::once(of("@broker", &self.broker.0)).chain(units).collect()
    }
}
