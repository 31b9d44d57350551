//! Accords: proposals and signatures in the order of the log, and which accord is in force when.
//!
//! Caller: the agent. Every unit sees the same envelopes in the same order and reaches the same state. *Not here:* the
//! terms themselves ([`protocol::accord`]).

use super::desk::Desk;
use super::event::Event;
use super::store::{Reader, Writer};
use protocol::accord::{Accord, AccordError, Proposal};
use protocol::body::Body;
use protocol::calendar::Start;
use protocol::codec::Hash;
use protocol::envelope::{Envelope, Kind};
use protocol::manual::Manual;
use protocol::message::{AccordProposal, AccordSignature, Head};
use protocol::name::{Party, UnitName};
use std::sync::Arc;

struct Known {
    accord: Arc<Accord>,
    proposal: Proposal,
    complete: bool,
    /// Its manual, if it has one that can be used.
    manual: Option<Arc<Manual>>,
}

fn manual_of(accord: &Accord) -> Option<Arc<Manual>> {
    Manual::read(&accord.terms().manual).ok().map(Arc::new)
}

/// All accords that were ever proposed, in order.
#[derive(Default)]
pub(super) struct Accords {
    known: Vec<Known>,
    tick: u64,
}

impl Accords {
    /// The accord of the current tick: the latest complete one that has begun.
    pub fn in_force(&self) -> Option<&Arc<Accord>> {
        self.at_tick(self.tick)
    }

    /// The accord that was in force at a tick.
    pub fn at_tick(&self, tick: u64) -> Option<&Arc<Accord>> {
        self.known
            .iter()
            .filter(|known| known.complete && known.accord.start().tick <= tick)
            .max_by_key(|known| known.accord.start().epoch)
            .map(|known| &known.accord)
    }

    /// The accord of an epoch: the latest complete one that begins with it or before it.
    pub fn for_epoch(&self, epoch: u32) -> Option<Arc<Accord>> {
        self.known
            .iter()
            .filter(|known| known.complete && known.accord.start().epoch <= epoch)
            .max_by_key(|known| known.accord.start().epoch)
            .map(|known| known.accord.clone())
    }

    /// Whether `unit` has signed the accord.
    pub fn is_party(&self, hash: &Hash, unit: &UnitName) -> bool {
        self.find(hash).is_some_and(|known| known.proposal.signed.contains(unit))
    }

    /// One accord.
    pub fn get(&self, hash: &Hash) -> Option<Arc<Accord>> {
        self.find(hash).map(|known| known.accord.clone())
    }

    /// The manual of a complete accord.
    pub fn manual(&self, hash: &Hash) -> Option<Arc<Manual>> {
        self.find(hash).filter(|known| known.complete)?.manual.clone()
    }

    /// Every proposal, with who has signed and whether it is complete.
    pub fn all(&self) -> impl Iterator<Item = (&Arc<Accord>, &Proposal, bool)> {
        self.known.iter().map(|known| (&known.accord, &known.proposal, known.complete))
    }

    /// Time passed.
    pub fn arrive(&mut self, tick: u64) {
        self.tick = self.tick.max(tick);
    }

    fn find(&self, hash: &Hash) -> Option<&Known> {
        self.known.iter().find(|known| known.accord.hash() == *hash)
    }

    /// Proposes a text: from now on if it is the first, else from the next epoch on.
    pub fn propose(&mut self, text: &str, now_ms: u64, desk: &mut Desk) -> Result<Hash, AccordError> {
        let start = match self.in_force() {
            None => Start { epoch: 1, tick: 0, at_ms: now_ms },
            Some(accord) => {
                let calendar = accord.calendar();
                let next = calendar.epoch_of(desk.tick).and_then(|epoch| epoch.checked_add(1));
                let epoch = next.ok_or(AccordError::Start)?;
                let tick = calendar.first_tick(epoch).ok_or(AccordError::Start)?;
                Start { epoch, tick, at_ms: calendar.begins_ms(tick) }
            }
        };
        let accord = Accord::new(text, start)?;
        if let Some(before) = self.in_force() {
            accord.check_follows(before)?;
        }
        let head = AccordProposal { start };
        let body = Body { head: head.to_bytes(), rows: text.as_bytes().to_vec() };
        desk.send(Party::All, Kind::AccordProposal, None, body);
        send_signature(accord.hash(), desk);
        Ok(accord.hash())
    }

    /// Signs a known proposal.
    pub fn sign(&self, hash: &Hash, desk: &mut Desk) -> Option<()> {
        self.find(hash)?;
        if !self.is_party(hash, &desk.me) {
            send_signature(*hash, desk);
        }
        Some(())
    }

    /// Takes a proposal or signature in, as the log's order shows it (our own come back too); which accord it is about.
    pub fn take_in(
        &mut self,
        envelope: &Envelope,
        body: &Body,
        admitted: Vec<UnitName>,
        still_member: impl Fn(&UnitName) -> bool,
        desk: &mut Desk,
    ) -> Option<Hash> {
        let sender = envelope.header().sender.unit()?;
        if envelope.header().kind == Kind::AccordProposal {
            let head = AccordProposal::from_bytes(&body.head).ok()?;
            let accord = Accord::new(std::str::from_utf8(&body.rows).ok()?, head.start).ok()?;
            match self.in_force() {
                Some(before) => accord.check_follows(before).ok()?,
                None if head.start.epoch != 1 || head.start.tick != 0 => return None,
                None => {}
            }
            let hash = accord.hash();
            if self.find(&hash).is_some() {
                return None;
            }
            let proposal = Proposal::new(accord.clone(), admitted);
            let manual = manual_of(&accord);
            self.known.push(Known { accord: Arc::new(accord), proposal, complete: false, manual });
            self.save(self.known.len() - 1, desk);
            if *sender != desk.me {
                desk.tell(Event::AccordProposed);
            }
            return Some(hash);
        }
        let head = AccordSignature::from_bytes(&body.head).ok()?;
        let first = self.in_force().is_none();
        let at = self.known.iter().position(|known| known.accord.hash() == head.accord)?;
        let known = &mut self.known[at];
        known.proposal.signed.insert(sender.clone());
        let in_time = first || envelope.header().tick < known.accord.start().tick;
        known.complete |= in_time && known.proposal.is_complete(still_member);
        self.save(at, desk);
        Some(head.accord)
    }

    /// Members left: proposals that wait for nobody else are complete; whether one came into force.
    /// It was so at this tick, however late this unit learns of it.
    pub fn recheck(&mut self, tick: u64, still_member: impl Fn(&UnitName) -> bool, desk: &mut Desk) -> bool {
        let before = self.in_force().map(|accord| accord.hash());
        for at in 0..self.known.len() {
            let first = !self.known.iter().any(|known| known.complete);
            let known = &mut self.known[at];
            let in_time = first || tick < known.accord.start().tick;
            if !known.complete && in_time && known.proposal.is_complete(&still_member) {
                known.complete = true;
                self.save(at, desk);
            }
        }
        self.in_force().map(|accord| accord.hash()) != before
    }

    fn save(&self, at: usize, desk: &mut Desk) {
        let known = &self.known[at];
        let start = known.accord.start();
        let mut w = Writer::new();
        w.u64(u64::from(start.epoch));
        w.u64(start.tick);
        w.u64(start.at_ms);
        w.bytes(known.accord.text().as_bytes());
        w.flag(known.complete);
        for units in [&known.proposal.needed, &known.proposal.signed] {
            w.u64(units.len() as u64);
            units.iter().for_each(|unit| w.bytes(unit.as_str().as_bytes()));
        }
        desk.put(format!("accord/{at:06}"), w.finish());
    }

    /// Reads one back at start, in order.
    pub fn load(&mut self, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        let (accord, complete) = read_accord(&mut r)?;
        let mut proposal = Proposal::new(accord.clone(), []);
        for _ in 0..r.u64()? {
            proposal.needed.insert(r.text()?.parse().ok()?);
        }
        for _ in 0..r.u64()? {
            proposal.signed.insert(r.text()?.parse().ok()?);
        }
        let manual = manual_of(&accord);
        self.known.push(Known { accord: Arc::new(accord), proposal, complete, manual });
        r.at_end().then_some(())
    }
}

fn read_accord(r: &mut Reader<'_>) -> Option<(Accord, bool)> {
    let start = Start { epoch: r.u32()?, tick: r.u64()?, at_ms: r.u64()? };
    let accord = Accord::new(r.text()?, start).ok()?;
    Some((accord, r.flag()?))
}

/// An accord as the vault kept it under `accord/`, and whether all have signed it.
pub fn kept_accord(bytes: &[u8]) -> Option<(Accord, bool)> {
    read_accord(&mut Reader::new(bytes))
}

fn send_signature(accord: Hash, desk: &mut Desk) {
    let body = Body::head_only(AccordSignature { accord }.to_bytes());
    desk.send(Party::All, Kind::AccordSignature, None, body);
}
