//! Parcels on their way: parts go out one after the other once the sealing act is in the log, and come in likewise; what is
//! recalled or overdue is destroyed (R31, R32).
//!
//! The bytes of parts lie in the vault: `out/PEER/HANDLE/PACKAGE/INDEX` until they are sent, `in/…` from when they come
//! until the package is recalled or the case is purged. Callers: the agent, the session. *Not here:* sealing and opening
//! ([`protocol::parcel`], [`crate::handover`]).

use super::casefile::{CaseFile, Copy, Sending};
use super::casework::{CaseworkError, content};
use super::desk::Desk;
use super::event::Event;
use super::{Agent, Incoming, NotTaken};
use protocol::Hash;
use protocol::act::{Content, VerifiedAct};
use protocol::body::{self, Body};
use protocol::consent::{ConsentGiven, OpeningGiven};
use protocol::envelope::Kind;
use protocol::matter::CopyReceipt;
use protocol::message::{self, Head};
use protocol::name::{Party, UnitName};
use protocol::overlap::{CaseKey, Handle};
use protocol::parcel::MAX_SEALED_PART;
use zeroize::Zeroizing;

/// A part that is due to be sent, and the name of its bytes in the vault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuePart {
    /// To whom.
    pub peer: UnitName,
    /// The overlap.
    pub handle: Handle,
    /// The package.
    pub package: Hash,
    /// Which part.
    pub index: u32,
}

impl DuePart {
    /// The name of its bytes in the vault.
    pub fn key(&self) -> String {
        part_key("out", &self.peer, &self.handle, &self.package, self.index)
    }
}

/// The name of a part's bytes in the vault.
pub fn part_key(way: &str, peer: &UnitName, handle: &Handle, package: &Hash, index: u32) -> String {
    format!("{way}/{peer}/{handle}/{package}/{index:06}")
}

/// What the act that was just folded begins: our own sealed parcel is sent from now on.
pub(super) fn follow(file: &mut CaseFile, act: &VerifiedAct<'_>, desk: &Desk) {
    if let Content::Parcel(head) = content(act)
        && act.statement().unit == desk.me
    {
        file.sending.insert(head.package, Sending { next: 0, parts: head.parts, sent: 0 });
        file.touch();
    }
}

/// Destroys what was recalled: parts that came, and parts that were not sent.
pub(super) fn destroy_recalled(file: &mut CaseFile, peer: &UnitName, desk: &mut Desk) {
    let recalled: Vec<Hash> =
        file.case.ledger().parcels().iter().filter(|parcel| parcel.recalled).map(|parcel| parcel.package).collect();
    for package in recalled {
        destroy(file, peer, &package, desk);
    }
}

/// Destroys urgent content whose validation is missing past its time, whatever the broker says of the hour (R30).
pub(super) fn destroy_overdue(file: &mut CaseFile, peer: &UnitName, now_ms: u64, desk: &mut Desk) {
    let overdue: Vec<Hash> = file
        .case
        .ledger()
        .parcels()
        .iter()
        .filter(|parcel| parcel.recipient == desk.me && parcel.is_overdue(now_ms))
        .map(|parcel| parcel.package)
        .collect();
    for package in overdue {
        destroy(file, peer, &package, desk);
    }
}

/// Destroys all content of a case that has ended.
pub(super) fn destroy_all(file: &mut CaseFile, peer: &UnitName, desk: &mut Desk) {
    let all: Vec<Hash> = file.case.ledger().parcels().iter().map(|parcel| parcel.package).collect();
    for package in all {
        destroy(file, peer, &package, desk);
    }
}

fn destroy(file: &mut CaseFile, peer: &UnitName, package: &Hash, desk: &mut Desk) {
    let handle = *file.case.handle();
    if let Some(parts) = file.coming.remove(package) {
        for index in 0..parts.len() as u32 {
            desk.delete(part_key("in", peer, &handle, package, index));
        }
        desk.tell(Event::ContentDestroyed(peer.clone(), handle));
        file.touch();
    }
    if let Some(sending) = file.sending.remove(package) {
        for index in sending.next..sending.parts {
            desk.delete(part_key("out", peer, &handle, package, index));
        }
        file.touch();
    }
}

/// A receipt for each copy of everything that was recalled, if no copy outside the vault is left; `None`: nothing to sign.
pub(super) fn receipts(file: &CaseFile, me: &UnitName, now_ms: u64) -> Option<Vec<CopyReceipt>> {
    let mut out = Vec::new();
    for parcel in file.case.ledger().parcels() {
        if parcel.recipient != *me || !parcel.recalled || parcel.deleted || file.coming.contains_key(&parcel.package) {
            continue;
        }
        out.push(CopyReceipt { package: parcel.package, copy: 0, at_ms: now_ms });
        for copy in file.copies.iter().filter(|copy| copy.package == parcel.package) {
            out.push(CopyReceipt { package: parcel.package, copy: copy.number, at_ms: copy.deleted_ms? });
        }
    }
    (!out.is_empty()).then_some(out)
}

impl Agent {
    /// Parts that are due: the next one of each parcel whose last part the broker has.
    pub fn due_parts(&self) -> Vec<DuePart> {
        let accepted = self.desk.chain.accepted;
        let mut due = Vec::new();
        for (peer, link) in &self.links {
            for (handle, file) in &link.cases {
                for (package, sending) in &file.sending {
                    if sending.next < sending.parts && sending.sent <= accepted {
                        let (peer, handle, package) = (peer.clone(), *handle, *package);
                        due.push(DuePart { peer, handle, package, index: sending.next });
                    }
                }
            }
        }
        due
    }

    /// Sends a part; its bytes leave the vault with the same step.
    ///
    /// # Errors
    /// [`CaseworkError::NoOverlap`]: it is not due any more.
    pub fn send_part(&mut self, due: &DuePart, rows: Vec<u8>, now_ms: u64) -> Result<(), CaseworkError> {
        self.at(now_ms);
        let link = self.links.get_mut(&due.peer).ok_or(CaseworkError::NoOverlap)?;
        let file = link.cases.get_mut(&due.handle).ok_or(CaseworkError::NoOverlap)?;
        let sending = file.sending.get_mut(&due.package).filter(|sending| sending.next == due.index);
        let sending = sending.ok_or(CaseworkError::NoOverlap)?;
        let head = message::ParcelPart { handle: due.handle, package: due.package, index: due.index };
        let body = Body { head: head.to_bytes(), rows };
        let (sequence, _) = self.desk.send(Party::Unit(due.peer.clone()), Kind::ParcelPart, None, body);
        sending.next += 1;
        sending.sent = sequence;
        if sending.next == sending.parts {
            file.sending.remove(&due.package);
        }
        file.touch();
        self.desk.delete(due.key());
        Ok(())
    }

    /// Envelopes were numbered anew after a refusal.
    pub(super) fn parts_renumbered(&mut self, old: u64, new: u64) {
        for file in self.links.values_mut().flat_map(|link| link.cases.values_mut()) {
            for sending in file.sending.values_mut().filter(|sending| sending.sent == old) {
                sending.sent = new;
            }
            file.touch();
        }
    }

    /// A part came.
    pub(super) fn part_came(&mut self, peer: &UnitName, incoming: &Incoming<'_>) -> Result<(), NotTaken> {
        let head = message::ParcelPart::from_bytes(&incoming.body.head).map_err(|_| NotTaken::Head)?;
        let Agent { desk, links, .. } = self;
        let file = links.get_mut(peer).and_then(|link| link.cases.get_mut(&head.handle));
        let file = file.ok_or(NotTaken::NotExpected)?;
        let parcel = file.case.ledger().parcel(&head.package).filter(|p| p.provider == *peer && p.recipient == desk.me);
        let parcel = parcel.ok_or(NotTaken::Casework("parcel-none"))?;
        let (parts, root, gone) = (parcel.parts, parcel.root, parcel.recalled || parcel.is_overdue(desk.now_ms));
        let rows = &incoming.body.rows;
        let come = file.coming.get(&head.package).map_or(0, Vec::len);
        if gone || head.index >= parts || head.index as usize != come || rows.len() > MAX_SEALED_PART {
            return Err(NotTaken::Casework("parcel-part"));
        }
        let hashes = file.coming.entry(head.package).or_default();
        hashes.push(body::rows_root(rows));
        let is_last = hashes.len() == parts as usize;
        if is_last && body::root_of_hashes(hashes.iter().copied()) != root {
            destroy(file, peer, &head.package, desk);
            super::objections::object(file, peer, incoming.entry, "parcel-root", desk);
            return Err(NotTaken::Casework("parcel-root"));
        }
        let key = part_key("in", peer, &head.handle, &head.package, head.index);
        desk.put(key, Zeroizing::new(rows.clone()));
        if is_last {
            desk.tell(Event::ParcelCame(peer.clone(), head.handle));
        }
        file.touch();
        Ok(())
    }

    /// Whether all parts of a package are here.
    pub fn has_come(&self, handle: &Handle, package: &Hash) -> bool {
        let file = self.links.values().find_map(|link| link.cases.get(handle));
        file.is_some_and(|file| {
            let parts = file.case.ledger().parcel(package).map(|parcel| parcel.parts as usize);
            parts.is_some() && file.coming.get(package).map(Vec::len) == parts
        })
    }

    /// Whether a parcel of ours is still being sent.
    pub fn is_sending(&self, handle: &Handle) -> bool {
        self.links.values().filter_map(|link| link.cases.get(handle)).any(|file| !file.sending.is_empty())
    }

    /// Verified consent, with the key of the case: what sealing takes.
    ///
    /// # Errors
    /// [`CaseworkError`] says what is missing.
    pub fn consent_given(
        &self,
        handle: &Handle,
        consent: &Hash,
        now_ms: u64,
    ) -> Result<(ConsentGiven, &CaseKey), CaseworkError> {
        let file = self.file(handle)?;
        if let Some(objected) = file.objections.first() {
            return Err(CaseworkError::Objection(objected.code.clone()));
        }
        Ok((file.case.ledger().consent_given(consent, self.certified.officers(), now_ms)?, &file.key))
    }

    /// Verified consent of ours to entries of a joint journal.
    ///
    /// # Errors
    /// [`CaseworkError`] says what is missing.
    pub fn journal_given(&self, handle: &Handle, now_ms: u64) -> Result<ConsentGiven, CaseworkError> {
        Ok(self.file(handle)?.case.ledger().journal_given(&self.desk.me, self.certified.officers(), now_ms)?)
    }

    /// What opening a package takes: accepted conditions and a receipt in the log, and the keys.
    ///
    /// # Errors
    /// [`CaseworkError`] says what is missing.
    pub fn opening_given(
        &self,
        handle: &Handle,
        package: &Hash,
        now_ms: u64,
    ) -> Result<(OpeningGiven, &CaseKey, &protocol::seal::SealingKey), CaseworkError> {
        let file = self.file(handle)?;
        let given = file.case.ledger().opening_given(package, &self.desk.me, now_ms)?;
        Ok((given, &file.key, &self.desk.keys.sealing))
    }

    /// Cases that have ended and whose drafts and given packages still lie in the vault.
    pub fn ended(&self) -> Vec<Handle> {
        let files = self.links.values().flat_map(|link| link.cases.iter());
        let ended = files.filter(|(_, file)| {
            let manual = self.accords.manual(file.case.accord());
            !file.swept && manual.is_some_and(|manual| file.case.is_over(&manual))
        });
        ended.map(|(handle, _)| *handle).collect()
    }

    /// Nothing of an ended case's content lies in the vault any more.
    pub fn swept(&mut self, handle: &Handle) {
        if let Ok(file) = self.file_mut(handle) {
            file.swept = true;
            file.touch();
        }
    }

    /// Copies of packages that officers made outside the vault.
    pub fn copies(&self, handle: &Handle) -> Vec<Copy> {
        self.file(handle).map(|file| file.copies.clone()).unwrap_or_default()
    }

    /// Notes that an officer makes a copy of a package outside the vault; its number.
    ///
    /// # Errors
    /// [`CaseworkError::NoOverlap`].
    pub fn note_copy(
        &mut self,
        handle: &Handle,
        package: &Hash,
        officer: u32,
        now_ms: u64,
    ) -> Result<u32, CaseworkError> {
        let file = self.file_mut(handle)?;
        let number = file.copies.iter().filter(|copy| copy.package == *package).count() as u32 + 1;
        file.copies.push(Copy { package: *package, number, officer, at_ms: now_ms, deleted_ms: None });
        file.touch();
        Ok(number)
    }

    /// An officer says that all copies of this case outside the vault are destroyed; how many there were.
    ///
    /// # Errors
    /// [`CaseworkError::NoOverlap`].
    pub fn copies_destroyed(&mut self, handle: &Handle, now_ms: u64) -> Result<u32, CaseworkError> {
        let file = self.file_mut(handle)?;
        let mut count = 0;
        for copy in file.copies.iter_mut().filter(|copy| copy.deleted_ms.is_none()) {
            copy.deleted_ms = Some(now_ms);
            count += 1;
        }
        file.touch();
        Ok(count)
    }

    /// The receipts that an officer would sign now for what was recalled.
    pub fn deletion_receipts(&self, handle: &Handle, now_ms: u64) -> Option<Vec<CopyReceipt>> {
        receipts(self.file(handle).ok()?, &self.desk.me, now_ms)
    }

    pub(super) fn file(&self, handle: &Handle) -> Result<&CaseFile, CaseworkError> {
        self.links.values().find_map(|link| link.cases.get(handle)).ok_or(CaseworkError::NoOverlap)
    }

    pub(super) fn file_mut(&mut self, handle: &Handle) -> Result<&mut CaseFile, CaseworkError> {
        self.links.values_mut().find_map(|link| link.cases.get_mut(handle)).ok_or(CaseworkError::NoOverlap)
    }
}
