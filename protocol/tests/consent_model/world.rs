//! Two units, their officers and their keys; every distinct statement is signed and verified once.

use protocol::act::{Act, Statement, VerifiedAct};
use protocol::codec;
use protocol::name::{Pair, UnitName};
use protocol::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use protocol::overlap::Handle;
use protocol::{Bytes, Hash};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::collections::HashMap;

/// When every case begins: any time will do.
pub const START_MS: u64 = 1_700_000_000_000;

/// Which officers are revoked: a bit for each.
pub type Revoked = u16;

/// The bit of an officer.
pub fn bit(unit: usize, number: u8) -> Revoked {
    1 << (unit * 8 + usize::from(number) - 1)
}

/// Everything that does not change while states are explored.
pub struct World {
    pub federation: Hash,
    pub accord: Hash,
    pub handle: Handle,
    pub pair: Pair,
    pub units: [UnitName; 2],
    pub roles: [Vec<OfficerRole>; 2],
    keys: [Vec<OfficerKey>; 2],
    certificates: Vec<(usize, Certificate)>,
    officers: HashMap<Revoked, &'static Officers>,
    verified: HashMap<(Vec<u8>, u8, Revoked), Option<VerifiedAct<'static>>>,
}

impl World {
    pub fn new(roles: [Vec<OfficerRole>; 2]) -> World {
        let mut rng = ChaCha20Rng::seed_from_u64(30);
        let units: [UnitName; 2] = ["A", "B"].map(|name| name.parse().unwrap());
        let federation = Bytes([1; 32]);
        let mut keys = [Vec::new(), Vec::new()];
        let mut certificates = Vec::new();
        for unit in 0..2 {
            for (at, role) in roles[unit].iter().enumerate() {
                let key = OfficerKey::generate(&mut rng);
                let name = NameOpening::new("N. N.", &mut rng).unwrap();
                let number = at as u32 + 1;
                certificates.push((unit, Certificate::new(&federation, &units[unit], number, *role, &name, &key)));
                keys[unit].push(key);
            }
        }
        World {
            federation,
            accord: Bytes([2; 32]),
            handle: Bytes([3; 16]),
            pair: Pair::new(&units[0], &units[1]).unwrap(),
            units,
            roles,
            keys,
            certificates,
            officers: HashMap::new(),
            verified: HashMap::new(),
        }
    }

    /// The officers, after these revocations.
    pub fn officers(&mut self, revoked: Revoked) -> &'static Officers {
        let (federation, units, certificates) = (&self.federation, &self.units, &self.certificates);
        self.officers.entry(revoked).or_insert_with(|| {
            let mut officers = Officers::default();
            for (unit, certificate) in certificates {
                let entry = OfficerEntry::Certified(certificate.clone());
                officers.apply(federation, &units[*unit], &entry).unwrap();
            }
            for (unit, certificate) in certificates {
                if revoked & bit(*unit, certificate.number as u8) != 0 {
                    let entry = OfficerEntry::Revoked(certificate.number);
                    officers.apply(federation, &units[*unit], &entry).unwrap();
                }
            }
            Box::leak(Box::new(officers))
        })
    }

    /// The statement's unit, as a place in `units`.
    pub fn place(&self, unit: &UnitName) -> usize {
        usize::from(*unit == self.units[1])
    }

    /// Signs as this officer; 0: the agent.
    pub fn sign(&self, said: &Statement, officer: u8) -> Act {
        if officer == 0 {
            return Act::of_agent(said.clone());
        }
        let key = &self.keys[self.place(&said.unit)][usize::from(officer) - 1];
        Act::sign(said.clone(), u32::from(officer), key)
    }

    /// The act as the receivers have it: signed, encoded, decoded, verified. `None`: it was refused there.
    pub fn verified(&mut self, said: &Statement, officer: u8, revoked: Revoked) -> Option<VerifiedAct<'static>> {
        let key = (codec::encode(said), officer, revoked);
        if let Some(known) = self.verified.get(&key) {
            return known.clone();
        }
        let act: &'static Act = Box::leak(Box::new(self.sign(said, officer)));
        let officers = self.officers(revoked);
        let verified = act.verify(&self.federation, &said.unit, officers).ok();
        self.verified.insert(key, verified.clone());
        verified
    }

    /// The number and role of an officer, as the roster has them; `None`: the agent.
    pub fn role(&self, unit: usize, officer: u8) -> Option<(u32, OfficerRole)> {
        let role = self.roles[unit].get(usize::from(officer).checked_sub(1)?)?;
        Some((u32::from(officer), *role))
    }
}
