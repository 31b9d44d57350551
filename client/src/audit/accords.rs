//! Accords, in the order of the log: who proposed and who signed each, when all had, and which one was in force when
//! (R29; section 5 of the protocol).
//!
//! Folded anew from the signed envelopes, by the rules that agents follow. Caller: `fold`. *Not here:* what a manual
//! leads to, and who is a member.

use super::bundle::Logged;
use super::log::Opened;
use protocol::Hash;
use protocol::accord::{Accord, Proposal};
use protocol::body::{Body, part_hash};
use protocol::envelope::{Header, Kind};
use protocol::manual::Manual;
use protocol::message::{AccordProposal, AccordSignature, Head};
use protocol::name::{Party, UnitName};
use protocol::roster::Roster;

struct Known {
    proposal: Proposal,
    complete: bool,
    manual: Option<Manual>,
}

/// All accords of a bundle.
#[derive(Default)]
pub(super) struct Accords(Vec<Known>);

impl Accords {
    /// Somebody proposes a text, and all who are admitted must sign it.
    pub fn proposed(
        &mut self,
        text: &str,
        logged: &Logged,
        opened: &Opened,
        roster: &Roster,
    ) -> Result<(), &'static str> {
        sender(opened.envelope.header(), Kind::AccordProposal, logged)?;
        let head = AccordProposal::from_bytes(&logged.head).map_err(|_| "accord-malformed")?;
        let body = Body { head: logged.head.clone(), rows: text.as_bytes().to_vec() };
        if !body.frames().map(part_hash).eq(logged.frames.iter().copied()) {
            return Err("accord-text");
        }
        let accord = Accord::new(text, head.start).map_err(|e| e.code())?;
        if self.find(&accord.hash()).is_some() {
            return Err("accord-repeated");
        }
        let manual = Manual::read(&accord.terms().manual).ok();
        self.0.push(Known { proposal: Proposal::new(accord, roster.admitted().cloned()), complete: false, manual });
        Ok(())
    }

    /// A unit signs.
    pub fn signed(&mut self, logged: &Logged, opened: &Opened, roster: &Roster) -> Result<(), &'static str> {
        let header = opened.envelope.header();
        let unit = sender(header, Kind::AccordSignature, logged)?;
        let head = AccordSignature::from_bytes(&logged.head).map_err(|_| "accord-malformed")?;
        let known = self.0.iter_mut().find(|known| known.proposal.accord.hash() == head.accord);
        known.ok_or("accord-unknown")?.proposal.signed.insert(unit.clone());
        self.recheck(header.tick, roster);
        Ok(())
    }

    /// What is complete now: after a signature, and after a member left, who need not sign.
    pub fn recheck(&mut self, tick: u64, roster: &Roster) {
        for at in 0..self.0.len() {
            let is_first = !self.0.iter().any(|known| known.complete);
            let known = &mut self.0[at];
            let in_time = is_first || tick < known.proposal.accord.start().tick;
            known.complete |= in_time && known.proposal.is_complete(|unit| roster.is_admitted(unit));
        }
    }

    /// The accord in force at a tick: the latest complete one that has begun.
    pub fn in_force(&self, tick: u64) -> Option<Hash> {
        let begun = self.0.iter().filter(|known| known.complete && known.proposal.accord.start().tick <= tick);
        begun.map(|known| &known.proposal.accord).max_by_key(|accord| accord.start().epoch).map(Accord::hash)
    }

    /// The manual of an accord that all have signed.
    pub fn manual(&self, accord: &Hash) -> Result<&Manual, &'static str> {
        let known = self.find(accord).ok_or("accord-missing")?;
        if !known.complete {
            return Err("accord-not-agreed");
        }
        known.manual.as_ref().ok_or("no-manual")
    }

    /// Who signed an accord.
    pub fn signers(&self, accord: &Hash) -> impl Iterator<Item = &UnitName> {
        self.find(accord).into_iter().flat_map(|known| &known.proposal.signed)
    }

    fn find(&self, accord: &Hash) -> Option<&Known> {
        self.0.iter().find(|known| known.proposal.accord.hash() == *accord)
    }
}

fn sender<'h>(header: &'h Header, kind: Kind, logged: &Logged) -> Result<&'h UnitName, &'static str> {
    let is_to_all = header.kind == kind && header.receiver == Party::All && logged.matter.is_none();
    header.sender.unit().filter(|_| is_to_all).ok_or("accord-place")
}
