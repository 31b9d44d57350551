//! Cases: acts of officers, own and the peer's, folded in the order of the log (R29 to R33).
//!
//! An act of ours is checked here as the other side will check it, sealed and sent; it counts when it comes back through
//! the mailbox, after the broker has put it into the log. Whatever comes is judged by the same pure engine that the broker
//! runs; nobody's result is taken over. What breaks a guard of the parties moves the case, since the log has it, but this
//! unit objects, and gives nothing more in that case until its officers have looked.
//!
//! Callers: the agent, the commands through the session. *Not here:* parcels' bytes ([`super::parcels`]).

use super::casefile::CaseFile;
use super::event::Event;
use super::history::HistoryEntry;
use super::link::Link;
use super::{Agent, Incoming, NotTaken, held};
use protocol::act::ActRefused;
use protocol::act::{Act, Content, VerifiedAct};
use protocol::body::Body;
use protocol::case::{Case, CaseRefused, Choice, MAX_AHEAD_MS};
use protocol::consent::ConsentRefused;
use protocol::envelope::{Envelope, Kind, Role};
use protocol::lifting::Objected;
use protocol::manual::{Actor, Carries, Manual};
use protocol::matter::{self, CopyReceipt, Matter, MatterRefused};
use protocol::message::{self, Head};
use protocol::name::{Pair, Party, UnitName};
use protocol::officer::Officers;
use protocol::overlap::{CaseKey, Handle};
use rand_core::CryptoRng;
use std::sync::Arc;

/// Why an act is not done here.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum CaseworkError {
    /// No overlap of this handle.
    #[error("there is no such overlap")]
    NoOverlap,
    /// The record is restricted, so that the peer does not know of the overlap.
    #[error("the record is restricted: release it first")]
    Restricted,
    /// The peer is not verified, or not admitted.
    #[error("the peer is not verified")]
    NotVerified,
    /// The accord in force has no manual, or none that can be used.
    #[error("the accord has no manual")]
    NoManual,
    /// The unit's last act in this case is still on its way.
    #[error("the last act in this case is on its way: sync first")]
    Pending,
    /// The unit objects to what the other side said.
    #[error("this unit objects to what the other side said ({0})")]
    Objection(String),
    /// Not over exactly what this unit objects to now, or not signed by an officer who may lift it.
    #[error("the lifting is not of what this unit objects to, or not signed by a head or legal officer")]
    Lifting,
    /// The act's form.
    #[error(transparent)]
    Act(#[from] ActRefused),
    /// The manual or the kernel.
    #[error(transparent)]
    Case(#[from] CaseRefused),
    /// The sealed matter.
    #[error(transparent)]
    Matter(#[from] MatterRefused),
}

impl CaseworkError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            CaseworkError::NoOverlap => "no-overlap",
            CaseworkError::Restricted => "restricted",
            CaseworkError::NotVerified => "not-verified",
            CaseworkError::NoManual => "no-manual",
            CaseworkError::Pending => "act-pending",
            CaseworkError::Objection(_) => "objection",
            CaseworkError::Lifting => "lifting",
            CaseworkError::Act(e) => e.code(),
            CaseworkError::Case(e) => e.code(),
            CaseworkError::Matter(e) => e.code(),
        }
    }
}

/// A case as officers find it: before its first act, one that could be opened now.
pub struct Prospect {
    /// The other unit.
    pub peer: UnitName,
    /// The case.
    pub case: Case,
    /// Its manual.
    pub manual: Arc<Manual>,
    /// Whether it has had an act.
    pub is_open: bool,
    /// What this unit objects to, in the order of the log: then it does not go on.
    pub objections: Vec<Objected>,
    /// Whether an act of ours is on its way.
    pub pending: bool,
}

impl Prospect {
    /// What this unit may do now.
    pub fn choices(&self, unit: &UnitName) -> Vec<Choice<'_>> {
        self.case.choices(&self.manual, unit)
    }
}

/// When an act is taken in: as it comes, or later than it came.
#[derive(Clone, Copy)]
pub(super) enum Moment<'o> {
    /// With the officers of now.
    Now,
    /// With the officers who were in standing at its place in the log.
    Past(&'o Officers),
}

impl Agent {
    /// The case of an overlap, by its handle.
    ///
    /// # Errors
    /// [`CaseworkError`]: no overlap, not told to the peer, no manual.
    pub fn prospect(&self, handle: &Handle, now_ms: u64) -> Result<Prospect, CaseworkError> {
        for (peer, link) in &self.links {
            if let Some(file) = link.cases.get(handle) {
                let manual = self.accords.manual(file.case.accord()).ok_or(CaseworkError::NoManual)?;
                return Ok(Prospect {
                    peer: peer.clone(),
                    case: file.case.clone(),
                    manual,
                    is_open: true,
                    objections: file.objections.clone(),
                    pending: file.pending.is_some(),
                });
            }
            let Some(overlap) = link.overlaps.find(handle) else { continue };
            if self.holdings.is_restricted(overlap.record) {
                return Err(CaseworkError::Restricted);
            }
            let accord = self.accords.in_force().ok_or(CaseworkError::NoManual)?;
            let manual = self.accords.manual(&accord.hash()).ok_or(CaseworkError::NoManual)?;
            let pair = Pair::new(&self.desk.me, peer).ok_or(CaseworkError::NoOverlap)?;
            let case = Case::open(&manual, self.desk.federation, accord.hash(), *handle, &pair, now_ms);
            let pending = link.opening.contains(handle);
            return Ok(Prospect { peer: peer.clone(), case, manual, is_open: false, objections: Vec::new(), pending });
        }
        Err(CaseworkError::NoOverlap)
    }

    /// The case of an overlap, with its manual, once it has had an act. For lists: [`Agent::prospect`] looks further.
    pub fn case_of(&self, handle: &Handle) -> Option<(&Case, Arc<Manual>)> {
        let case = &self.links.values().find_map(|link| link.cases.get(handle))?.case;
        Some((case, self.accords.manual(case.accord())?))
    }

    /// Every case that had an act, with its peer.
    pub fn cases(&self) -> impl Iterator<Item = (&UnitName, &Case)> {
        self.links.iter().flat_map(|(peer, link)| link.cases.values().map(move |file| (peer, &file.case)))
    }

    /// An officer's act, or the agent's own: checked as the other side will check it, sealed and sent.
    ///
    /// # Errors
    /// [`CaseworkError`]; nothing was sent.
    pub fn act(
        &mut self,
        act: &Act,
        matter: &Matter,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), CaseworkError> {
        self.at(now_ms);
        let handle = act.statement.handle;
        let prospect = self.prospect(&handle, act.statement.at_ms)?;
        if !self.is_verified(&prospect.peer) || !self.roster.is_admitted(&prospect.peer) {
            return Err(CaseworkError::NotVerified);
        }
        if prospect.pending {
            return Err(CaseworkError::Pending);
        }
        let gives = matches!(act.statement.content, Content::Consent(_) | Content::Parcel(_) | Content::Journal);
        if let Some(objected) = prospect.objections.first().filter(|_| gives) {
            return Err(CaseworkError::Objection(objected.code.clone()));
        }
        let verified = act.verify(&self.desk.federation, &self.desk.me, self.certified.officers())?;
        prospect.case.check_moment(&prospect.manual, &verified, now_ms)?;
        let step = prospect.case.find_step(&prospect.manual, &self.desk.me, &act.statement.event)?;
        matter::check(&prospect.manual, step, &verified, matter, self.certified.officers())?;
        prospect.case.apply(&prospect.manual, &verified, self.certified.officers())?;

        let link = self.links.get_mut(&prospect.peer).ok_or(CaseworkError::NoOverlap)?;
        let rows = match link.cases.get_mut(&handle) {
            Some(file) => {
                let rows = matter.seal(&file.key, rng)?;
                file.pending = Some(act.statement.number);
                file.touch();
                rows
            }
            None => {
                let key = link.overlaps.case_keys(&handle).next().ok_or(CaseworkError::NoOverlap)?;
                let rows = matter.seal(&key, rng)?;
                link.opening.insert(handle);
                rows
            }
        };
        let role = if act.officer.is_some() { Role::Officer } else { Role::Agent };
        self.desk.send_as(role, Party::Unit(prospect.peer), Kind::Act, None, Body { head: act.to_bytes(), rows });
        Ok(())
    }

    /// An act came out of the mailbox: the peer's, or our own once it is in the log; or it waited, and the peer is verified.
    pub(super) fn act_came(
        &mut self,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
        moment: Moment<'_>,
    ) -> Result<(), NotTaken> {
        let header = envelope.header();
        let act = Act::from_bytes(&incoming.body.head).map_err(|_| NotTaken::Head)?;
        let (Some(sender), Some(receiver)) = (header.sender.unit(), header.receiver.unit()) else {
            return Err(NotTaken::NotExpected);
        };
        let ours = *sender == self.desk.me;
        let peer = if ours { receiver.clone() } else { sender.clone() };
        let verified = ours || self.is_verified(&peer);
        let waits = |link: &Link| held::is_waiting(link, &act.statement.handle);
        if matches!(moment, Moment::Now) && (!verified || self.links.get(&peer).is_some_and(waits)) {
            let link = self.links.get_mut(&peer).ok_or(NotTaken::UnknownSender)?;
            return held::hold(link, &peer, act.statement.handle, incoming, &mut self.desk);
        }
        if (header.role == Role::Officer) != act.officer.is_some() {
            return Err(NotTaken::Casework("act-signature"));
        }
        let said = &act.statement;
        if said.low != *sender.min(receiver) || said.high != *sender.max(receiver) {
            return Err(NotTaken::Casework("act-place"));
        }
        let result = self.fold_act(&peer, &act, sender, envelope, (incoming, moment));
        if let Err(code) = result {
            self.desk.tell(Event::ActRefused(peer, said.event.clone(), code));
            return Err(NotTaken::Casework(code));
        }
        Ok(())
    }

    fn fold_act(
        &mut self,
        peer: &UnitName,
        act: &Act,
        sender: &UnitName,
        envelope: &Envelope,
        (incoming, moment): (&Incoming<'_>, Moment<'_>),
    ) -> Result<(), &'static str> {
        let Agent { desk, links, accords, certified, .. } = self;
        let officers = match moment {
            Moment::Now => certified.officers(),
            Moment::Past(officers) => officers,
        };
        let said = &act.statement;
        let verified = act.verify(&desk.federation, sender, officers).map_err(|e| e.code())?;
        let manual = accords.manual(&said.accord).ok_or("no-manual")?;
        let link = links.get_mut(peer).ok_or("unknown-sender")?;
        let rows = &incoming.body.rows;
        // Somebody may have destroyed it too early: this unit objects to it like to matter that does not open.
        let missing = if incoming.frames.is_empty() { MatterRefused::DoesNotOpen } else { MatterRefused::Destroyed };
        let (before, found) = match link.cases.get(&said.handle) {
            // Both units may have opened the case at once, each with a key of its choice: any of the overlap's will do.
            Some(file) => {
                let keys = std::iter::once(CaseKey::from_secret(file.key.expose_secret()));
                let mut keys = keys.chain(link.overlaps.case_keys(&said.handle));
                let found = keys.find_map(|key| Matter::open(&key, &said.matter, rows).ok());
                (file.case.clone(), found.ok_or(missing))
            }
            None => {
                // A handle that is no overlap of ours with this peer has no keys: it is nobody's case.
                let keys = || link.overlaps.case_keys(&said.handle);
                let (key, found) = keys()
                    .find_map(|key| Some((Matter::open(&key, &said.matter, rows).ok()?, key)))
                    .map(|(matter, key)| (Some(key), Ok(matter)))
                    .unwrap_or((keys().next(), Err(missing)));
                let key = key.ok_or("no-overlap")?;
                let in_force = accords.at_tick(envelope.header().tick).map(|accord| accord.hash());
                if in_force != Some(said.accord) {
                    return Err(CaseRefused::Accord.code());
                }
                let pair = Pair::new(&desk.me, peer).ok_or("act-place")?;
                let case = Case::open(&manual, desk.federation, said.accord, said.handle, &pair, said.at_ms);
                link.cases.insert(said.handle, CaseFile::new(case.clone(), key));
                (case, found)
            }
        };
        let applied = before.apply(&manual, &verified, officers).map_err(|e| e.code());
        let Some(file) = link.cases.get_mut(&said.handle) else { return Err("no-overlap") };
        let after = match applied {
            Ok(after) => after,
            Err(code) => {
                if file.history == 0 {
                    link.cases.remove(&said.handle);
                }
                return Err(code);
            }
        };
        let objection = match &found {
            Err(refused) => Some(refused.code()),
            Ok(matter) => {
                let step = before.find_step(&manual, &said.unit, &said.event).map_err(|e| e.code())?;
                matter::check(&manual, step, &verified, matter, officers).err().map(|e| e.code())
            }
        };
        if *sender == desk.me {
            file.pending = None;
            link.opening.remove(&said.handle);
        } else if let Some(code) = objection {
            super::objections::object(file, peer, incoming.entry, code, desk);
        }
        let moved = after.state() != before.state();
        file.case = after;
        keep(file, peer, &HistoryEntry::new(envelope, incoming, found.ok()), desk);
        if *sender != desk.me {
            if said.at_ms > desk.now_ms.saturating_add(MAX_AHEAD_MS) {
                desk.tell(Event::ClockAhead(peer.clone(), said.handle));
            }
            desk.tell(Event::Act(peer.clone(), said.handle, said.event.clone()));
        }
        let state = manual.state(file.case.state()).id.clone();
        if moved {
            desk.tell(Event::CaseMoved(peer.clone(), said.handle, state));
        }
        super::parcels::follow(file, &verified, desk);
        super::parcels::destroy_recalled(file, peer, desk);
        Ok(())
    }

    /// The broker says that the limit of a case's state has passed. Both units check the moment themselves.
    pub(super) fn deadline_came(&mut self, envelope: &Envelope, incoming: &Incoming<'_>) -> Result<(), NotTaken> {
        let head = message::Deadline::from_bytes(&incoming.body.head).map_err(|_| NotTaken::Head)?;
        let Agent { desk, links, accords, .. } = self;
        let pair = Pair::new(&head.low, &head.high).ok_or(NotTaken::NotForUs)?;
        let peer = pair.other(&desk.me).ok_or(NotTaken::NotForUs)?.clone();
        let link = links.get_mut(&peer).ok_or(NotTaken::NotExpected)?;
        if held::is_waiting(link, &head.handle) {
            return held::hold(link, &peer, head.handle, incoming, desk);
        }
        let file = link.cases.get_mut(&head.handle).ok_or(NotTaken::NotExpected)?;
        let manual = accords.manual(file.case.accord()).ok_or(NotTaken::OwnState)?;
        let expired = if file.case.round() == head.round {
            file.case.expire(&manual, head.at_ms).map_err(|e| e.code())
        } else {
            Err("case-round")
        };
        let after = match expired {
            Ok(after) => after,
            Err(code) => {
                desk.tell(Event::ActRefused(peer, "timeout".to_owned(), code));
                return Err(NotTaken::Casework(code));
            }
        };
        // Time never discloses, so that a broker that runs ahead gains nothing; but officers know.
        if head.at_ms > desk.now_ms.saturating_add(MAX_AHEAD_MS) {
            desk.tell(Event::ClockAhead(peer.clone(), head.handle));
        }
        file.case = after;
        file.pending = None;
        keep(file, &peer, &HistoryEntry::new(envelope, incoming, None), desk);
        desk.tell(Event::CaseMoved(peer.clone(), head.handle, manual.state(file.case.state()).id.clone()));
        super::parcels::destroy_recalled(file, &peer, desk);
        Ok(())
    }

    /// What the agent does in cases by itself as time passes: destroys what is overdue, and signs deletion receipts where
    /// no copy is outside the vault (R32).
    pub(super) fn tend_cases(&mut self, rng: &mut impl CryptoRng) {
        let now_ms = self.desk.now_ms;
        let mut receipts = Vec::new();
        let Agent { desk, links, accords, .. } = self;
        for (peer, link) in links.iter_mut() {
            let mut over = Vec::new();
            for (handle, file) in &mut link.cases {
                let Some(manual) = accords.manual(file.case.accord()) else { continue };
                super::parcels::destroy_overdue(file, peer, now_ms, desk);
                if file.case.is_over(&manual) {
                    over.push(*handle);
                    continue;
                }
                if file.pending.is_some() || !may_by_itself(&file.case, &manual, &desk.me) {
                    continue;
                }
                if let Some(copies) = super::parcels::receipts(file, &desk.me, now_ms) {
                    receipts.push((*handle, copies));
                }
            }
            for handle in over {
                // R31: the keys go when the overlap's case ends.
                link.overlaps.destroy_keys(&handle, peer, desk);
                if let Some(file) = link.cases.get_mut(&handle).filter(|file| *file.key.expose_secret() != [0; 32]) {
                    file.key = CaseKey::from_secret(&[0; 32]);
                    file.touch();
                    super::parcels::destroy_all(file, peer, desk);
                }
            }
        }
        for (handle, copies) in receipts {
            // What does not go now goes with the next call.
            let _ = self.sign_deletion(&handle, copies, now_ms, rng);
        }
    }

    fn sign_deletion(
        &mut self,
        handle: &Handle,
        copies: Vec<CopyReceipt>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), CaseworkError> {
        let prospect = self.prospect(handle, now_ms)?;
        let mut matter = Matter::new(rng);
        matter.copies = copies;
        let event = deletion_event(&prospect).ok_or(CaseworkError::NoOverlap)?;
        let statement = self.statement(&prospect, &event, Content::Deletion, &matter, now_ms);
        self.act(&Act::of_agent(statement), &matter, now_ms, rng)
    }

    /// The public part of this unit's next act in a case.
    pub fn statement(
        &self,
        prospect: &Prospect,
        event: &str,
        content: Content,
        matter: &Matter,
        now_ms: u64,
    ) -> protocol::act::Statement {
        let case = &prospect.case;
        let [low, high] = case.units();
        protocol::act::Statement {
            federation: *case.federation(),
            accord: *case.accord(),
            handle: *case.handle(),
            low: low.clone(),
            high: high.clone(),
            unit: self.desk.me.clone(),
            round: case.round(),
            number: case.next_number(&self.desk.me),
            event: event.to_owned(),
            at_ms: now_ms.max(case.last_ms()),
            content,
            matter: matter.commitment(),
        }
    }

    /// The broker refused an act, or a part of a parcel: the case goes on without it.
    pub(super) fn case_rejected(&mut self, kind: Kind, head: &[u8]) {
        let handle = match kind {
            Kind::Act => Act::from_bytes(head).ok().map(|act| act.statement.handle),
            Kind::ParcelPart => message::ParcelPart::from_bytes(head).ok().map(|part| part.handle),
            _ => None,
        };
        let Some(handle) = handle else { return };
        for link in self.links.values_mut() {
            if kind == Kind::Act {
                link.opening.remove(&handle);
            }
            if let Some(file) = link.cases.get_mut(&handle) {
                match kind {
                    Kind::Act => file.pending = None,
                    _ => file.sending.clear(),
                }
                file.touch();
            }
        }
    }
}

fn may_by_itself(case: &Case, manual: &Manual, me: &UnitName) -> bool {
    case.choices(manual, me)
        .iter()
        .any(|choice| choice.step.carries == Carries::Deletion && choice.step.by.contains(&Actor::Agent))
}

fn deletion_event(prospect: &Prospect) -> Option<String> {
    let steps = prospect.manual.from(prospect.case.state());
    steps.filter(|step| step.carries == Carries::Deletion).map(|step| step.event.clone()).next()
}

/// Writes what came into the case's history: all that an audit needs of it.
fn keep(file: &mut CaseFile, peer: &UnitName, entry: &HistoryEntry, desk: &mut super::desk::Desk) {
    desk.put(format!("act/{peer}/{}/{:06}", file.case.handle(), file.history), entry.to_bytes());
    desk.want_proof(entry.entry);
    file.history += 1;
    file.touch();
}

impl From<ConsentRefused> for CaseworkError {
    fn from(refused: ConsentRefused) -> Self {
        CaseworkError::Case(refused.into())
    }
}

/// What a verified act carries, for [`super::parcels`].
pub(super) fn content<'a>(act: &'a VerifiedAct<'_>) -> &'a Content {
    &act.statement().content
}
