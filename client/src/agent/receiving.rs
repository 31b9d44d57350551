//! Taking envelopes in: who may say what, and to which room it goes (R23, R34).
//!
//! Caller: [`Agent::receive`]. *Not here:* what each kind changes: that is the room's part.

use super::casework::Moment;
use super::desk::Desk;
use super::evaluating::Standstill;
use super::event::Event;
use super::history::HistoryEntry;
use super::holdings::Holdings;
use super::link::Link;
use super::pair::PairEpoch;
use super::{Agent, Incoming, NotTaken, asking, confirming, evaluating, opening};
use protocol::envelope::{Envelope, Kind, UnverifiedEnvelope};
use protocol::message::{self, Head};
use protocol::name::{Party, UnitName};
use protocol::roster::Change as RosterChange;
use rand_core::CryptoRng;

impl Agent {
    pub(super) fn verify(&self, incoming: &Incoming<'_>) -> Result<Envelope, NotTaken> {
        let unverified = UnverifiedEnvelope::decode(incoming.envelope)?;
        let key = match unverified.unverified_sender() {
            Party::Broker => self.desk.broker,
            Party::Unit(unit) if *unit == self.desk.me => self.desk.keys.signing.public(),
            Party::Unit(unit) => self.roster.get(unit).ok_or(NotTaken::UnknownSender)?.keys.signing,
            Party::All => return Err(NotTaken::UnknownSender),
        };
        let envelope = unverified.verify(&self.desk.federation, &key)?;
        let header = envelope.header();
        // The matter of an act is destroyed once its case has ended; the act is still to be folded.
        match (header.kind, incoming.frames) {
            (Kind::Act, frames @ [_, ..]) => envelope.check_head(&incoming.body.head, frames)?,
            _ => envelope.check_body(incoming.body)?,
        }
        // Acts and limits come to both units of a case: our own acts come back once they are in the log.
        let both = match header.kind {
            Kind::Act => header.sender.unit() == Some(&self.desk.me),
            Kind::Deadline => true,
            _ => false,
        };
        let for_us = match &header.receiver {
            Party::All => true,
            Party::Unit(unit) => *unit == self.desk.me || both,
            Party::Broker => false,
        };
        if for_us { Ok(envelope) } else { Err(NotTaken::NotForUs) }
    }

    pub(super) fn take_in(
        &mut self,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTaken> {
        match (&envelope.header().sender, envelope.header().kind) {
            (Party::Broker, Kind::Roster) => {
                self.roster_entry(&incoming.body.head, incoming.entry, envelope.header().tick)?;
                // Whole, for audits: whose keys, from when on.
                let whole = HistoryEntry::new(envelope, incoming, None).to_bytes();
                self.desk.put(format!("rosterlog/{:020}", incoming.entry), whole);
                self.desk.want_proof(incoming.entry);
                Ok(())
            }
            (Party::Broker, Kind::EpochClosed) => {
                let head: message::EpochClosed = head_of(incoming)?;
                // The broker's word does not close an epoch that runs by the accord's calendar: a new one in its place
                // would have a new quota.
                let runs = |accord: std::sync::Arc<protocol::accord::Accord>| {
                    accord.calendar().is_live(head.closed, self.desk.tick)
                };
                if self.accords.for_epoch(head.closed).is_none_or(runs) {
                    return Err(NotTaken::Epoch);
                }
                self.close_epoch(head.closed);
                Ok(())
            }
            (Party::Broker, Kind::Notice) => {
                let head: message::Notice = head_of(incoming)?;
                let peer = head.peer.clone();
                self.with_pair(&peer, envelope, |link, pair, desk, holdings| {
                    confirming::noticed(link, pair, desk, holdings, envelope, &head, &incoming.body.rows, rng)
                })
            }
            (Party::Broker, Kind::Deadline) => self.deadline_came(envelope, incoming),
            (Party::Unit(_), Kind::Act) => {
                // The act may be about an overlap that a large acknowledgement left to be made.
                let now_ms = self.desk.now_ms;
                while self.go_on(now_ms, rng) {}
                self.act_came(envelope, incoming, Moment::Now)
            }
            (Party::Unit(_), Kind::AccordProposal | Kind::AccordSignature) => {
                let in_force = self.accords.in_force().map(|accord| accord.hash());
                let admitted: Vec<UnitName> = self.roster.admitted().cloned().collect();
                let roster = &self.roster;
                let accord = self
                    .accords
                    .take_in(envelope, incoming.body, admitted, |unit| roster.is_admitted(unit), &mut self.desk)
                    .ok_or(NotTaken::Refused)?;
                if self.accords.in_force().map(|accord| accord.hash()) != in_force {
                    self.desk.tell(Event::AccordInForce);
                }
                // Whole but for the text, for audits: who signed what, and when all had.
                let whole = HistoryEntry::new(envelope, incoming, None).to_bytes();
                self.desk.put(format!("accordlog/{accord}/{:020}", incoming.entry), whole);
                self.desk.want_proof(incoming.entry);
                Ok(())
            }
            (Party::Unit(unit), Kind::Officer) => {
                let unit = unit.clone();
                self.certified.take_in(&unit, &head_of(incoming)?, incoming.entry, &mut self.desk)?;
                // Whole, for audits: the unit's own signature certifies the officer.
                let whole = HistoryEntry::new(envelope, incoming, None).to_bytes();
                self.desk.put(format!("officerlog/{unit}/{:020}", incoming.entry), whole);
                self.desk.want_proof(incoming.entry);
                Ok(())
            }
            (Party::Unit(peer), kind) if *peer != self.desk.me => {
                let peer = peer.clone();
                self.take_from_peer(&peer, kind, envelope, incoming, rng)
            }
            _ => Err(NotTaken::NotExpected),
        }
    }

    pub(super) fn take_from_peer(
        &mut self,
        peer: &UnitName,
        kind: Kind,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTaken> {
        let verified = self.is_verified(peer);
        if kind == Kind::Commitment && (!verified || !self.has_pair(peer, envelope.header().epoch)) {
            // It may come before our officers verified the peer, or before our own clock opened the epoch.
            return self.park(peer, envelope, incoming, verified, rng);
        }
        if !verified {
            return Err(NotTaken::NotVerified);
        }
        if kind == Kind::ParcelPart {
            return self.part_came(peer, incoming);
        }
        let still = self.standstill(peer, envelope.header().epoch);
        let rows = &incoming.body.rows;
        self.with_pair(peer, envelope, |link, pair, desk, holdings| match kind {
            Kind::Commitment => opening::committed(pair, desk, envelope, head_of(incoming)?, rng),
            Kind::Contribution => opening::contributed(pair, desk, &head_of(incoming)?),
            Kind::Request => evaluating::asked(pair, desk, envelope, &head_of(incoming)?, rows, still),
            // The count is for the log and the auditors; the peer whose requests are counted needs nothing of it.
            Kind::Count => head_of::<message::Count>(incoming).map(|_| ()),
            Kind::Evaluation => {
                asking::answered(pair, desk, holdings, envelope, &head_of(incoming)?, rows, incoming.kept, rng)
            }
            Kind::Refusal => asking::refused(pair, desk, holdings, &head_of(incoming)?, incoming.kept),
            Kind::Acknowledgement => {
                confirming::acknowledged(link, pair, desk, holdings, &head_of(incoming)?, rows, rng)
            }
            Kind::Dispute => {
                let head: message::Dispute = head_of(incoming)?;
                desk.tell(Event::DisputedByPeer(pair.peer.clone(), head.reason));
                Ok(())
            }
            _ => Err(NotTaken::NotExpected),
        })
    }

    /// Runs `act` on the pair of `peer` in the envelope's epoch, if that is live here under the same accord.
    pub(super) fn with_pair(
        &mut self,
        peer: &UnitName,
        envelope: &Envelope,
        act: impl FnOnce(&mut Link, &mut PairEpoch, &mut Desk, &Holdings) -> Result<(), NotTaken>,
    ) -> Result<(), NotTaken> {
        let header = envelope.header();
        let link = self.links.get_mut(peer).ok_or(NotTaken::NotVerified)?;
        let mut pair = link.epochs.remove(&header.epoch).ok_or(NotTaken::Epoch)?;
        let stopped = link.stopped.clone();
        let result = if pair.open.accord == header.accord {
            act(link, &mut pair, &mut self.desk, &self.holdings)
        } else {
            Err(NotTaken::Epoch)
        };
        if pair.barren && result.is_err() && link.stopped.is_none() {
            link.stopped = Some("wrong-answer".to_owned());
        }
        if link.stopped != stopped {
            link.save_trust(peer, &mut self.desk);
        }
        link.epochs.insert(header.epoch, pair);
        result
    }

    /// Keeps a commitment until the pair can open: one for each peer and epoch.
    pub(super) fn park(
        &mut self,
        peer: &UnitName,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
        verified: bool,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTaken> {
        let epoch = envelope.header().epoch;
        let link = self.links.entry(peer.clone()).or_default();
        // At most the two epochs that can be live: more would let a stranger fill the vault.
        if link.parked.len() >= 2 && !link.parked.contains_key(&epoch) {
            link.parked.retain(|parked, _| *parked + 1 >= epoch);
        }
        if link.parked.len() >= 2 || link.parked.contains_key(&epoch) {
            return Err(NotTaken::NotExpected);
        }
        link.park(peer, epoch, incoming.envelope, &incoming.body.head, &mut self.desk);
        if verified {
            self.open_pairs(rng);
        }
        Ok(())
    }

    pub(super) fn standstill(&self, peer: &UnitName, epoch: u32) -> Standstill {
        let other_version = self
            .accords
            .for_epoch(epoch)
            .is_some_and(|accord| accord.terms().identifiers.version != self.identifier_version);
        Standstill {
            restored: self.desk.chain.restored_epoch.is_some_and(|restored| epoch <= restored),
            stopped: self.links.get(peer).is_some_and(|link| link.stopped.is_some()),
            other_version,
        }
    }

    pub(super) fn roster_entry(&mut self, head: &[u8], at: u64, tick: u64) -> Result<(), NotTaken> {
        let entry = message::RosterEntry::from_bytes(head).map_err(|_| NotTaken::Head)?;
        let change = self.roster.apply(&self.desk.federation, &entry).map_err(|_| NotTaken::Refused)?;
        let key = format!("roster/{}", entry.unit);
        self.desk.put(key, zeroize::Zeroizing::new(head.to_vec()));
        if change == RosterChange::KeysChanged {
            self.certified.rekeyed(&entry.unit, at, &mut self.desk);
        }
        if entry.unit == self.desk.me {
            return Ok(());
        }
        match change {
            RosterChange::Joined => {
                self.links.entry(entry.unit.clone()).or_default();
                self.desk.tell(Event::Joined(entry.unit));
            }
            RosterChange::KeysChanged => {
                // Nothing that was begun with the old keys goes on: blocked until verified anew.
                let link = self.links.entry(entry.unit.clone()).or_default();
                link.verified = None;
                for (epoch, pair) in std::mem::take(&mut link.epochs) {
                    link.spent.insert(epoch, pair.evaluated.total());
                    pair.destroy(&mut self.desk);
                }
                link.save_trust(&entry.unit, &mut self.desk);
                self.desk.tell(Event::KeysChanged(entry.unit));
            }
            RosterChange::Standing(message::Standing::Admitted) => self.desk.tell(Event::Joined(entry.unit)),
            RosterChange::Standing(_) => {
                self.desk.tell(Event::Suspended(entry.unit));
                // Whoever is gone need not sign.
                let roster = &self.roster;
                if self.accords.recheck(tick, |unit| roster.is_admitted(unit), &mut self.desk) {
                    self.desk.tell(Event::AccordInForce);
                }
            }
            RosterChange::None => {}
        }
        Ok(())
    }
}

fn head_of<H: Head>(incoming: &Incoming<'_>) -> Result<H, NotTaken> {
    H::from_bytes(&incoming.body.head).map_err(|_| NotTaken::Head)
}
