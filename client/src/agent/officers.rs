//! Officers of all units, as the log's order shows them (R30).
//!
//! Caller: the agent. Entries are taken from every unit of the roster, verified or not, so that all who read the log know
//! the same officers; whoever relies on an officer of a peer looks first whether the peer is verified (R7). Our own entries
//! come back through the mailbox, and count from then on. *Not here:* the officers' secret keys ([`crate::officers`]),
//! and what a role may do.

use super::desk::Desk;
use super::event::Event;
use super::store::{Reader, Writer};
use protocol::body::Body;
use protocol::codec;
use protocol::envelope::Kind;
use protocol::message::Head;
use protocol::name::{Party, UnitName};
use protocol::officer::{Certificate, Officer, OfficerEntry, OfficerRefused, Officers};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// An officer as the vault kept it under `officer/UNIT/NUMBER`.
pub struct KeptOfficer {
    /// Certificate and standing.
    pub officer: Officer,
    /// The entry of the log that certified the officer.
    pub certified: u64,
    /// The entry of the log from which the officer signs nothing more.
    pub revoked: Option<u64>,
}

/// Everybody whom a unit ever certified, with the entries of the log.
#[derive(Default)]
pub(super) struct Certified {
    officers: Officers,
    entries: BTreeMap<(UnitName, u32), (u64, Option<u64>)>,
}

impl Certified {
    /// The officers, to look at.
    pub fn officers(&self) -> &Officers {
        &self.officers
    }

    /// The officers as they were when the log had come to this entry: for what is folded later than it came.
    pub fn as_of(&self, entry: u64) -> Officers {
        let mut then = Officers::default();
        for ((unit, number), (certified, revoked)) in &self.entries {
            if let Some(officer) = self.officers.get(unit, *number).filter(|_| *certified < entry) {
                let revoked = revoked.is_some_and(|at| at < entry);
                then.restore(unit.clone(), Officer { certificate: officer.certificate.clone(), revoked });
            }
        }
        then
    }

    /// Where in the log an officer was certified, and revoked.
    pub fn entries(&self, unit: &UnitName, number: u32) -> Option<(u64, Option<u64>)> {
        self.entries.get(&(unit.clone(), number)).copied()
    }

    /// Says an entry to all, if it would be taken in as things stand.
    pub fn say(&self, entry: &OfficerEntry, desk: &mut Desk) -> Result<(), OfficerRefused> {
        self.officers.clone().apply(&desk.federation, &desk.me, entry)?;
        desk.send(Party::All, Kind::Officer, None, Body::head_only(entry.to_bytes()));
        Ok(())
    }

    /// Takes an entry of `unit`'s in, which the log has at `at`.
    pub fn take_in(
        &mut self,
        unit: &UnitName,
        entry: &OfficerEntry,
        at: u64,
        desk: &mut Desk,
    ) -> Result<(), OfficerRefused> {
        self.officers.apply(&desk.federation, unit, entry)?;
        match entry {
            OfficerEntry::Certified(certificate) => {
                self.entries.insert((unit.clone(), certificate.number), (at, None));
                self.save(unit, certificate.number, desk);
            }
            OfficerEntry::Revoked(number) => self.revoked(unit, *number, at, desk),
        }
        if *unit != desk.me {
            desk.tell(Event::PeerOfficer(unit.clone()));
        }
        Ok(())
    }

    /// `unit` has other keys from entry `at` of the log on ([`Officers::rekeyed`]).
    pub fn rekeyed(&mut self, unit: &UnitName, at: u64, desk: &mut Desk) {
        let standing: Vec<u32> =
            self.officers.of(unit).filter(|(_, officer)| !officer.revoked).map(|(number, _)| number).collect();
        self.officers.rekeyed(unit);
        for number in standing {
            self.revoked(unit, number, at, desk);
        }
    }

    fn revoked(&mut self, unit: &UnitName, number: u32, at: u64, desk: &mut Desk) {
        if let Some((_, revoked)) = self.entries.get_mut(&(unit.clone(), number)) {
            *revoked = Some(at);
        }
        self.save(unit, number, desk);
    }

    fn save(&self, unit: &UnitName, number: u32, desk: &mut Desk) {
        let (Some(officer), Some((certified, revoked))) = (self.officers.get(unit, number), self.entries(unit, number))
        else {
            return;
        };
        desk.put(format!("officer/{unit}/{number}"), written_officer(certified, revoked, &officer.certificate));
    }

    /// Reads one back at start.
    pub fn load(&mut self, unit: UnitName, value: &Zeroizing<Vec<u8>>) -> Option<()> {
        let kept = kept_officer(value)?;
        self.entries.insert((unit.clone(), kept.officer.certificate.number), (kept.certified, kept.revoked));
        self.officers.restore(unit, kept.officer);
        Some(())
    }
}

/// What the vault keeps under `officer/UNIT/NUMBER`.
pub(crate) fn written_officer(certified: u64, revoked: Option<u64>, certificate: &Certificate) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::new();
    w.u64(certified);
    w.maybe_u64(revoked);
    w.bytes(&codec::encode(certificate));
    w.finish()
}

/// Reads what the vault kept under `officer/UNIT/NUMBER`.
pub fn kept_officer(bytes: &[u8]) -> Option<KeptOfficer> {
    let mut r = Reader::new(bytes);
    let (certified, revoked) = (r.u64()?, r.maybe_u64()?);
    let certificate: Certificate = codec::decode(r.bytes()?).ok()?;
    let officer = Officer { certificate, revoked: revoked.is_some() };
    r.at_end().then_some(KeptOfficer { officer, certified, revoked })
}
