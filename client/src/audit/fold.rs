//! What the acts led to: officers and cases, folded together in the order of the log, as both units and the broker did
//! (R33).
//!
//! A case is followed up to the first act that does not hold; what comes after it is a finding too. Caller: `verify`. *Not
//! here:* what is reported of it.

mod consents;

use super::accords::Accords;
use super::bundle::{AgreedAccord, Bundle, CaseHistory, Logged};
use super::log::{Log, Opened};
use super::members::{self, Members};
use super::report::{Findings, Moment, Proof, Signed};
use protocol::Hash;
use protocol::act::{Act, Content, VerifiedAct};
use protocol::case::{Case, CaseRefused};
use protocol::envelope::{Header, Kind, Role};
use protocol::manual::Manual;
use protocol::matter::{self, Matter};
use protocol::message::{Deadline, Head};
use protocol::name::{Pair, Party, UnitName};
use protocol::officer::{OfficerEntry, Officers};
use protocol::roster::{Change, Roster};
use std::collections::BTreeMap;

/// Something that was done in a case, and holds.
pub(super) struct Said<'b> {
    pub entry: u64,
    pub proof: Option<Proof>,
    /// The act; `None`: a limit passed.
    pub act: Option<Act>,
    pub at_ms: u64,
    pub matter: Option<&'b Matter>,
    /// The consent under which an entry of a journal is.
    pub journal: Option<Hash>,
    pub before: Case,
    pub after: Case,
}

/// A case.
pub(super) struct Folded<'b> {
    pub history: &'b CaseHistory,
    pub said: Vec<Said<'b>>,
    pub manual: Option<(Hash, Manual)>,
    /// Entries of the other unit's acts that break a guard of the parties: the unit of the bundle objects to them.
    pub broke_a_guard: Vec<u64>,
    broken: bool,
}

/// All of it.
pub(super) struct Folding<'b> {
    pub cases: Vec<Folded<'b>>,
    pub officers: Officers,
    pub accords: Accords,
    /// Names of officers, as they opened their certificates' commitments.
    pub names: BTreeMap<(UnitName, u32), String>,
}

impl Folding<'_> {
    /// An officer who signed something, as a report names them.
    pub fn officer(&self, unit: &UnitName, number: u32, at_ms: u64) -> Signed {
        let role = self.officers.get(unit, number).map(|officer| officer.certificate.role.to_string());
        let name = self.names.get(&(unit.clone(), number)).cloned();
        Signed { unit: unit.to_string(), officer: Some(number), role, name, at: Moment(at_ms) }
    }
}

#[derive(Clone, Copy)]
enum Source<'b> {
    Roster(&'b Logged),
    Proposal(&'b AgreedAccord, &'b Logged),
    Signature(&'b Logged),
    Officer(&'b Logged),
    Case(usize, &'b Logged),
}

/// Folds everything.
pub(super) fn fold<'b>(
    bundle: &'b Bundle,
    members: &Members,
    log: &mut Log<'_>,
    findings: &mut Findings,
) -> Folding<'b> {
    let mut order: Vec<(u64, Source<'b>)> = Vec::new();
    check_order(&bundle.roster, "roster", findings);
    order.extend(bundle.roster.iter().map(|logged| (logged.entry, Source::Roster(logged))));
    for agreed in &bundle.accords {
        check_order(&agreed.signatures, "accord", findings);
        order.push((agreed.proposal.entry, Source::Proposal(agreed, &agreed.proposal)));
        order.extend(agreed.signatures.iter().map(|logged| (logged.entry, Source::Signature(logged))));
    }
    check_order(&bundle.officers, "officers", findings);
    order.extend(bundle.officers.iter().map(|logged| (logged.entry, Source::Officer(logged))));
    let mut cases: Vec<Folded<'b>> = Vec::new();
    for history in &bundle.cases {
        check_order(&history.acts, &format!("case {}", history.handle), findings);
        if cases.iter().any(|folded| folded.history.handle == history.handle) {
            findings.add("case-twice", history.handle.to_string());
        }
        order.extend(history.acts.iter().map(|logged| (logged.entry, Source::Case(cases.len(), logged))));
        cases.push(Folded { history, said: Vec::new(), manual: None, broke_a_guard: Vec::new(), broken: false });
    }
    order.sort_by_key(|(entry, _)| *entry);
    let (officers, accords, names) = (Officers::default(), Accords::default(), BTreeMap::new());
    let mut folding = Folding { cases, officers, accords, names };
    let mut roster = Roster::default();
    let step = Step { bundle, members };
    for (entry, source) in order {
        match source {
            Source::Roster(logged) => {
                let opened = log.open(members, logged, &members::place(entry), findings);
                // What does not hold is a finding of `members` already.
                let Some(opened) = opened else { continue };
                let Ok(said) = members::entry_of(members, logged) else { continue };
                if roster.apply(&members.federation, &said) == Ok(Change::KeysChanged) {
                    // Nobody whom the old keys certified signs any more (R7).
                    folding.officers.rekeyed(&said.unit);
                }
                folding.accords.recheck(opened.envelope.header().tick, &roster);
            }
            Source::Proposal(agreed, logged) => {
                let place = format!("accord, entry {entry}");
                let Some(opened) = log.open(members, logged, &place, findings) else { continue };
                if let Err(code) = folding.accords.proposed(&agreed.text, logged, &opened, &roster) {
                    findings.add(code, place);
                }
            }
            Source::Signature(logged) => {
                let place = format!("accord, entry {entry}");
                let Some(opened) = log.open(members, logged, &place, findings) else { continue };
                if let Err(code) = folding.accords.signed(logged, &opened, &roster) {
                    findings.add(code, place);
                }
            }
            Source::Officer(logged) => {
                let place = format!("officers, entry {entry}");
                let Some(opened) = log.open(members, logged, &place, findings) else { continue };
                if let Err(code) = officer(&mut folding.officers, members, logged, &opened) {
                    findings.add(code, place);
                }
            }
            Source::Case(at, logged) => {
                let place = format!("case {}, entry {entry}", bundle.cases[at].handle);
                let opened = log.open(members, logged, &place, findings);
                if folding.cases[at].broken {
                    findings.add("case-not-followed", place);
                    continue;
                }
                let held = opened.ok_or("").and_then(|opened| match opened.envelope.header().kind {
                    Kind::Act => step.act(&mut folding, at, logged, opened, &place, findings),
                    Kind::Deadline => step.limit(&mut folding, at, logged, opened),
                    _ => Err("kind-other"),
                });
                if let Err(code) = held {
                    folding.cases[at].broken = true;
                    // An envelope that did not open is a finding already.
                    if !code.is_empty() {
                        findings.add(code, place);
                    }
                }
            }
        }
    }
    folding
}

struct Step<'a, 'b> {
    bundle: &'b Bundle,
    members: &'a Members,
}

impl<'b> Step<'_, 'b> {
    fn act(
        &self,
        folding: &mut Folding<'b>,
        at: usize,
        logged: &'b Logged,
        opened: Opened,
        place: &str,
        findings: &mut Findings,
    ) -> Result<(), &'static str> {
        let Folding { cases, officers, accords, names } = folding;
        let folded = &mut cases[at];
        let act = Act::from_bytes(&logged.head).map_err(|_| "act-malformed")?;
        let sender = self.place_of(&act, folded.history, opened.envelope.header())?;
        let verified = act.verify(&self.members.federation, sender, officers).map_err(|e| e.code())?;
        let said = verified.statement();
        let manual = accords.manual(&said.accord)?;
        let before = match folded.said.last() {
            Some(last) => last.after.clone(),
            None => {
                // The case keeps to its end the accord under which it was opened: that must be the one in force.
                if accords.in_force(opened.envelope.header().tick) != Some(said.accord) {
                    return Err(CaseRefused::Accord.code());
                }
                let pair = Pair::new(&said.low, &said.high).ok_or("act-place")?;
                Case::open(manual, self.members.federation, said.accord, said.handle, &pair, said.at_ms)
            }
        };
        let after = before.apply(manual, &verified, officers).map_err(|e| e.code())?;
        let journal = match &said.content {
            Content::Journal => {
                let given = before.ledger().journal_given(sender, officers, said.at_ms).map_err(|e| e.code())?;
                Some(given.terms().id())
            }
            _ => None,
        };
        // The kernel has looked at the consents when the case was folded; here they are looked at without it.
        let consent = match &said.content {
            Content::Parcel(head) => Some((head.consent, Some(head.package))),
            _ => journal.map(|id| (id, None)),
        };
        if let Some((id, package)) = consent {
            consents::check(self.members, officers, &folded.said, &id, package, (said, logged.entry))?;
        }
        // What the parties ask of each other does not stop a case: it is in the log, and both units have seen it.
        if let Err(code) = check_matter(manual, &before, &verified, logged.matter.as_ref(), officers) {
            findings.add(code, place);
            if *sender != self.bundle.unit {
                folded.broke_a_guard.push(logged.entry);
            }
        } else if let (Some(by), Some(signer)) = (logged.matter.as_ref().and_then(|m| m.by.as_ref()), verified.signer())
        {
            names.insert((signer.unit().clone(), signer.number()), by.name.clone());
        }
        let at_ms = said.at_ms;
        folded.manual.get_or_insert_with(|| (said.accord, manual.clone()));
        let Opened { entry, proof, .. } = opened;
        let matter = logged.matter.as_ref();
        folded.said.push(Said { entry, proof, at_ms, matter, journal, before, after, act: Some(act) });
        Ok(())
    }

    /// Whether the envelope says of the act what the act says of itself, and both are of this case. The sender.
    fn place_of<'h>(&self, act: &Act, history: &CaseHistory, header: &'h Header) -> Result<&'h UnitName, &'static str> {
        let (sender, receiver) = (header.sender.unit().ok_or("act-place")?, header.receiver.unit().ok_or("act-place")?);
        let pair = Pair::new(&self.bundle.unit, &history.peer).ok_or("act-place")?;
        let said = &act.statement;
        let fits = said.handle == history.handle
            && said.low == *pair.low()
            && said.high == *pair.high()
            && pair.other(sender) == Some(receiver);
        if !fits {
            return Err("act-place");
        }
        if (header.role == Role::Officer) != act.officer.is_some() || header.role == Role::Broker {
            return Err("act-signature");
        }
        Ok(sender)
    }

    fn limit(
        &self,
        folding: &mut Folding<'b>,
        at: usize,
        logged: &'b Logged,
        opened: Opened,
    ) -> Result<(), &'static str> {
        let folded = &mut folding.cases[at];
        let head = Deadline::from_bytes(&logged.head).map_err(|_| "deadline-malformed")?;
        let pair = Pair::new(&self.bundle.unit, &folded.history.peer).ok_or("deadline-place")?;
        let (_, manual) = folded.manual.as_ref().ok_or("deadline-place")?;
        let before = folded.said.last().map(|last| last.after.clone()).ok_or("deadline-place")?;
        let fits = opened.envelope.header().sender == Party::Broker
            && head.handle == folded.history.handle
            && head.low == *pair.low()
            && head.high == *pair.high()
            && head.round == before.round();
        if !fits {
            return Err("deadline-place");
        }
        if logged.matter.is_some() {
            return Err("matter-commitment");
        }
        let after = before.expire(manual, head.at_ms).map_err(|e| e.code())?;
        let Opened { entry, proof, .. } = opened;
        let said = Said { entry, proof, act: None, at_ms: head.at_ms, matter: None, journal: None, before, after };
        folded.said.push(said);
        Ok(())
    }
}

/// The guards of the parties. An entry of a journal is content, and its matter is not in a bundle.
fn check_matter(
    manual: &Manual,
    before: &Case,
    act: &VerifiedAct<'_>,
    matter: Option<&Matter>,
    officers: &Officers,
) -> Result<(), &'static str> {
    let said = act.statement();
    match matter {
        None if said.content == Content::Journal => Ok(()),
        None => Err("matter-missing"),
        Some(_) if said.content == Content::Journal => Err("matter-of-a-journal"),
        Some(matter) => {
            let step = before.find_step(manual, &said.unit, &said.event).map_err(|e| e.code())?;
            matter::check(manual, step, act, matter, officers).map_err(|e| e.code())
        }
    }
}

fn officer(officers: &mut Officers, members: &Members, logged: &Logged, opened: &Opened) -> Result<(), &'static str> {
    let header = opened.envelope.header();
    let unit = header.sender.unit().ok_or("officer-place")?;
    if header.kind != Kind::Officer || header.receiver != Party::All || logged.matter.is_some() {
        return Err("officer-place");
    }
    let entry = OfficerEntry::from_bytes(&logged.head).map_err(|_| "officer-malformed")?;
    officers.apply(&members.federation, unit, &entry).map_err(|e| e.code())
}

fn check_order(logged: &[Logged], place: &str, findings: &mut Findings) {
    if !logged.is_sorted_by(|a, b| a.entry < b.entry) {
        findings.add("entries-out-of-order", place);
    }
}
