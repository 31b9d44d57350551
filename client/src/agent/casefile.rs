//! What a unit keeps of a case: its state, its key, what is on the way, and the copies it made (R30 to R33).
//!
//! Callers: `casework`, `parcels`. The history of acts lies in the vault under `act/`, for the audit and for officers; it is
//! not in memory. *Not here:* any rule of the procedure ([`protocol::case`]).

use super::desk::Desk;
use super::store::{Reader, Writer};
use protocol::case::Case;
use protocol::codec;
use protocol::lifting::Objected;
use protocol::name::UnitName;
use protocol::overlap::CaseKey;
use protocol::{Bytes, Hash};
use std::collections::BTreeMap;

/// A copy of a package outside the vault, as its reader said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copy {
    /// The package.
    pub package: Hash,
    /// From 1; 0 is the vault's own.
    pub number: u32,
    /// The officer who made it.
    pub officer: u32,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// When an officer said that it is destroyed.
    pub deleted_ms: Option<u64>,
}

/// A parcel on its way out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sending {
    /// The next part to send.
    pub next: u32,
    /// Number of parts.
    pub parts: u32,
    /// Sequence number of the part that was sent last; 0: none.
    pub sent: u64,
}

/// A case of this unit's.
pub(super) struct CaseFile {
    pub case: Case,
    pub key: CaseKey,
    /// What this unit objects to, in the order of the log: it gives nothing until officers have lifted it.
    pub objections: Vec<Objected>,
    /// The number of the own act that the broker has not confirmed yet.
    pub pending: Option<u32>,
    /// Acts and deadlines in the history.
    pub history: u32,
    pub sending: BTreeMap<Hash, Sending>,
    /// Hashes of the parts that came, by package.
    pub coming: BTreeMap<Hash, Vec<Hash>>,
    pub copies: Vec<Copy>,
    /// The case has ended, and the shell has destroyed what it kept of it: drafts, and packages that were given.
    pub swept: bool,
    dirty: bool,
}

impl CaseFile {
    pub fn new(case: Case, key: CaseKey) -> Self {
        CaseFile {
            case,
            key,
            objections: Vec::new(),
            pending: None,
            history: 0,
            sending: BTreeMap::new(),
            coming: BTreeMap::new(),
            copies: Vec::new(),
            swept: false,
            dirty: true,
        }
    }

    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Writes it with this step, if it changed.
    pub fn save(&mut self, peer: &UnitName, desk: &mut Desk) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let mut w = Writer::new();
        w.bytes(&codec::encode(&self.case));
        w.bytes(self.key.expose_secret());
        w.u64(self.objections.len() as u64);
        for objected in &self.objections {
            w.u64(objected.entry);
            w.bytes(objected.code.as_bytes());
        }
        w.maybe_u64(self.pending.map(u64::from));
        w.u64(u64::from(self.history));
        w.u64(self.sending.len() as u64);
        for (package, sending) in &self.sending {
            w.bytes(&package.0);
            w.u64(u64::from(sending.next));
            w.u64(u64::from(sending.parts));
            w.u64(sending.sent);
        }
        w.u64(self.coming.len() as u64);
        for (package, parts) in &self.coming {
            w.bytes(&package.0);
            w.u64(parts.len() as u64);
            parts.iter().for_each(|hash| w.bytes(&hash.0));
        }
        w.u64(self.copies.len() as u64);
        for copy in &self.copies {
            w.bytes(&copy.package.0);
            w.u64(u64::from(copy.number));
            w.u64(u64::from(copy.officer));
            w.u64(copy.at_ms);
            w.maybe_u64(copy.deleted_ms);
        }
        w.flag(self.swept);
        desk.put(format!("case/{peer}/{}", self.case.handle()), w.finish());
    }

    /// Reads one back at start.
    pub fn load(bytes: &[u8]) -> Option<CaseFile> {
        let mut r = Reader::new(bytes);
        let case: Case = codec::decode(r.bytes()?).ok()?;
        let mut file = CaseFile::new(case, CaseKey::from_secret(&r.array()?));
        file.dirty = false;
        for _ in 0..r.u64()? {
            file.objections.push(Objected { entry: r.u64()?, code: r.text()?.to_owned() });
        }
        file.pending = match r.maybe_u64()? {
            Some(number) => Some(number.try_into().ok()?),
            None => None,
        };
        file.history = r.u32()?;
        for _ in 0..r.u64()? {
            let package = Bytes(r.array()?);
            file.sending.insert(package, Sending { next: r.u32()?, parts: r.u32()?, sent: r.u64()? });
        }
        for _ in 0..r.u64()? {
            let (package, count) = (Bytes(r.array()?), r.u64()?);
            let mut parts = Vec::new();
            for _ in 0..count {
                parts.push(Bytes(r.array()?));
            }
            file.coming.insert(package, parts);
        }
        for _ in 0..r.u64()? {
            file.copies.push(Copy {
                package: Bytes(r.array()?),
                number: r.u32()?,
                officer: r.u32()?,
                at_ms: r.u64()?,
                deleted_ms: r.maybe_u64()?,
            });
        }
        file.swept = r.flag()?;
        r.at_end().then_some(file)
    }
}
