//! The agent: one unit's side of the protocol, without any I/O.
//!
//! It is told what happened (an envelope came, one was accepted, time passed, the register changed, officers verified a
//! peer) and answers with a [`Step`]: changes to be made durable, then envelopes to be sent. Time and randomness are
//! arguments, so that a simulation can run whole federations of agents in one thread.
//!
//! Callers: [`crate::session`] drives it over the vault and the broker; tests drive it directly. *Not here:* the vault,
//! the network, and what an identifier is.
//!
//! | room | what happens there |
//! |---|---|
//! | [`holdings`] | tokens and which records hold them |
//! | `opening` | commitments, contributions, pair secrets (R9, R10) |
//! | `asking` | requests and their answers (R12, R14) |
//! | `evaluating` | the peer's requests, and the quota (R13) |
//! | `releasing` | tag sets (R15, R21) |
//! | `confirming` | notices, acknowledgements, canaries (R16 to R18, R22) |
//! | `link` | what outlives an epoch: verification, record numbers, overlaps |
//! | `accords` | proposals, signatures, which accord is in force |
//! | `witness` | the log: consistency, inclusion, cosignatures (R27) |
//! | `desk`, `store` | numbering, signing, the outbox; how state is written |

mod accords;
mod asking;
mod confirming;
mod desk;
mod evaluating;
mod event;
pub mod holdings;
mod link;
mod opening;
mod pair;
mod releasing;
pub mod restore;
mod store;
mod view;
mod witness;

pub use desk::{Outgoing, Step, read_outgoing};
pub use event::{Event, Told, dispute_code, refusal_code};
pub use link::Overlap;
pub use view::{PeerView, ProposalView, View};
pub use witness::{LogClaim, WitnessError};

use accords::Accords;
use desk::Desk;
use evaluating::Standstill;
use holdings::{HeldRecord, Holdings};
use link::Link;
use pair::{PairEpoch, Standing};
use protocol::body::Body;
use protocol::envelope::{Envelope, EnvelopeError, Kind, UnverifiedEnvelope};
use protocol::identity::UnitKeys;
use protocol::message::{self, DisputeReason, Head};
use protocol::name::{Party, UnitName};
use protocol::quota::Evaluated;
use protocol::roster::{Change as RosterChange, Roster};
use protocol::{Bytes, Hash};
use rand_core::CryptoRng;
use std::collections::BTreeMap;

/// Why an envelope was not taken in. It changed nothing but the position in the mailbox (R34).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum NotTaken {
    /// Malformed, wrongly signed, of another federation or version.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The head is not one of its kind.
    #[error("the head of the message is malformed")]
    Head,
    /// From somebody who is no member.
    #[error("the sender is not on the roster")]
    UnknownSender,
    /// Not for us.
    #[error("the envelope is for somebody else")]
    NotForUs,
    /// Its sequence number was seen already, or a later one was.
    #[error("the envelope is a replay, or out of order")]
    Replayed,
    /// From a peer that officers have not verified, or whose keys changed (R7).
    #[error("the sender is not verified")]
    NotVerified,
    /// Of an epoch that is not live here, or under another accord than that epoch's.
    #[error("the envelope is of an epoch or accord that is not live")]
    Epoch,
    /// Nothing of this kind is due from this sender now.
    #[error("nothing of this kind was expected")]
    NotExpected,
    /// A commitment that is refused (R10).
    #[error("the commitment is refused")]
    Commitment,
    /// A contribution that does not open (R9).
    #[error("the contribution does not open")]
    Contribution,
    /// An evaluation that is wrong (R14).
    #[error("the evaluation is wrong")]
    Evaluation,
    /// A notice that does not hold together (R17, R18).
    #[error("the notice is wrong")]
    Notice,
    /// An acknowledgement that does not open (R18).
    #[error("the acknowledgement does not open")]
    Acknowledgement,
    /// A roster entry or accord that is refused.
    #[error("the roster entry or accord is refused")]
    Refused,
    /// What our own vault holds of it is missing or damaged.
    #[error("the unit's own state of this exchange is missing")]
    OwnState,
}

impl NotTaken {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            NotTaken::Envelope(error) => error.code(),
            NotTaken::Head => "head-malformed",
            NotTaken::UnknownSender => "unknown-sender",
            NotTaken::NotForUs => "not-for-us",
            NotTaken::Replayed => "replayed",
            NotTaken::NotVerified => "not-verified",
            NotTaken::Epoch => "epoch-not-live",
            NotTaken::NotExpected => "not-expected",
            NotTaken::Commitment => "commitment-refused",
            NotTaken::Contribution => "contribution-refused",
            NotTaken::Evaluation => "evaluation-refused",
            NotTaken::Notice => "notice-refused",
            NotTaken::Acknowledgement => "acknowledgement-refused",
            NotTaken::Refused => "roster-or-accord-refused",
            NotTaken::OwnState => "own-state-missing",
        }
    }
}

/// What came out of the mailbox.
pub struct Incoming<'a> {
    /// Its position in the mailbox.
    pub position: u64,
    /// The index of its entry in the log.
    pub entry: u64,
    /// The signed envelope.
    pub envelope: &'a [u8],
    /// Its body.
    pub body: &'a Body,
    /// What [`Agent::needs`] named, fetched from the vault.
    pub kept: Option<&'a [u8]>,
}

/// One unit's side of the protocol.
pub struct Agent {
    desk: Desk,
    roster: Roster,
    accords: Accords,
    holdings: Holdings,
    links: BTreeMap<UnitName, Link>,
    witness: witness::LogWitness,
    /// The version of the normalisation this build makes (R36).
    identifier_version: u32,
    told_version: bool,
}

impl Agent {
    /// An agent that has seen nothing yet.
    ///
    /// `federation_name` is the name the invite gave; with the broker's key it is the federation's identity.
    pub fn new(
        me: UnitName,
        keys: UnitKeys,
        federation_name: &str,
        broker: Bytes<32>,
        identifier_version: u32,
    ) -> Option<Self> {
        let federation = protocol::identity::federation_id(federation_name, &broker);
        Some(Agent {
            witness: witness::LogWitness::new(federation_name, &broker)?,
            desk: Desk::new(me, keys, federation, broker),
            roster: Roster::default(),
            accords: Accords::default(),
            holdings: Holdings::default(),
            links: BTreeMap::new(),
            identifier_version,
            told_version: false,
        })
    }

    /// What is to be written and sent since the last call.
    pub fn take(&mut self) -> Step {
        for (peer, link) in &mut self.links {
            for pair in link.epochs.values_mut() {
                pair.save(&mut self.desk);
            }
            link.save(peer, &mut self.desk);
        }
        self.desk.take()
    }

    /// The register changed.
    pub fn register(&mut self, added: Vec<HeldRecord>, removed: &[u64], now_ms: u64, rng: &mut impl CryptoRng) {
        self.at(now_ms);
        let difference = self.holdings.apply(added, removed);
        let Agent { desk, holdings, links, .. } = self;
        for link in links.values_mut() {
            let mut epochs = std::mem::take(&mut link.epochs);
            for pair in epochs.values_mut() {
                pair.wanted.extend(difference.born.iter().filter(|token| !pair.standing.contains_key(token)));
                for token in &difference.died {
                    if let Some(Standing::Leaf(tag)) = pair.standing.remove(token) {
                        releasing::withdraw(pair, desk, holdings, tag);
                    }
                }
                for (token, record) in &difference.joined {
                    confirming::joined(link, pair, desk, holdings, *token, *record, rng);
                }
            }
            link.epochs = epochs;
        }
    }

    /// Officers release a restricted record: its matches are acknowledged with the next change (R17).
    pub fn release_record(&mut self, serial: u64, now_ms: u64, rng: &mut impl CryptoRng) {
        self.at(now_ms);
        let tokens = self.holdings.release(serial);
        let Agent { desk, holdings, links, .. } = self;
        for link in links.values_mut() {
            let mut epochs = std::mem::take(&mut link.epochs);
            for pair in epochs.values_mut() {
                for token in &tokens {
                    confirming::joined(link, pair, desk, holdings, *token, serial, rng);
                }
            }
            link.epochs = epochs;
        }
    }

    /// The name of a value that the shell must fetch from the vault before this envelope is taken in.
    pub fn needs(&self, envelope: &[u8], body: &Body) -> Option<String> {
        // Nothing is believed yet: a wrong guess costs one look into the own vault.
        let request = message::Evaluation::from_bytes(&body.head)
            .map(|head| head.request)
            .or_else(|_| message::Refusal::from_bytes(&body.head).map(|head| head.request))
            .ok()?;
        let sender = UnverifiedEnvelope::decode(envelope).ok()?.unverified_sender().unit()?.clone();
        self.links.get(&sender)?.epochs.values().find_map(|pair| asking::kept_key(pair, &request))
    }

    /// Takes one envelope from the mailbox. Whatever it is, the position moves on.
    pub fn receive(&mut self, incoming: &Incoming<'_>, now_ms: u64, rng: &mut impl CryptoRng) -> Result<(), NotTaken> {
        self.at(now_ms);
        if incoming.position <= self.desk.chain.position {
            return Err(NotTaken::Replayed);
        }
        self.desk.chain.position = incoming.position;
        self.desk.touch();
        let envelope = self.verify(incoming)?;
        let header = envelope.header();
        let sender = header.sender.as_str().to_owned();
        // The broker holds an acknowledgement back until it has both, so later envelopes overtake it: the digest that it
        // answers, which is taken once, is its guard against replay.
        let last = self.desk.chain.last_from.get(&sender).copied().unwrap_or(0);
        if last >= header.sequence && header.kind != Kind::Acknowledgement {
            return Err(NotTaken::Replayed);
        }
        self.desk.chain.last_from.insert(sender, last.max(header.sequence));
        self.desk.chain.unproven.push((incoming.entry, envelope.hash()));
        if let Some(peer) = header.sender.unit().filter(|unit| **unit != self.desk.me)
            && self.is_verified(peer)
        {
            self.witness.claimed(peer, header.log_size, header.log_root);
        }
        let result = self.take_in(&envelope, incoming, rng);
        self.advance_tick();
        result
    }

    fn verify(&self, incoming: &Incoming<'_>) -> Result<Envelope, NotTaken> {
        let unverified = UnverifiedEnvelope::decode(incoming.envelope)?;
        let key = match unverified.unverified_sender() {
            Party::Broker => self.desk.broker,
            Party::Unit(unit) if *unit == self.desk.me => self.desk.keys.signing.public(),
            Party::Unit(unit) => self.roster.get(unit).ok_or(NotTaken::UnknownSender)?.keys.signing,
            Party::All => return Err(NotTaken::UnknownSender),
        };
        let envelope = unverified.verify(&self.desk.federation, &key)?;
        envelope.check_body(incoming.body)?;
        let for_us = match &envelope.header().receiver {
            Party::All => true,
            Party::Unit(unit) => *unit == self.desk.me,
            Party::Broker => false,
        };
        if for_us { Ok(envelope) } else { Err(NotTaken::NotForUs) }
    }

    fn take_in(
        &mut self,
        envelope: &Envelope,
        incoming: &Incoming<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTaken> {
        match (&envelope.header().sender, envelope.header().kind) {
            (Party::Broker, Kind::Roster) => self.roster_entry(&incoming.body.head),
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
            (Party::Unit(_), Kind::AccordProposal | Kind::AccordSignature) => {
                let in_force = self.accords.in_force().map(|accord| accord.hash());
                let admitted: Vec<UnitName> = self.roster.admitted().cloned().collect();
                let roster = &self.roster;
                self.accords
                    .take_in(envelope, incoming.body, admitted, |unit| roster.is_admitted(unit), &mut self.desk)
                    .ok_or(NotTaken::Refused)?;
                if self.accords.in_force().map(|accord| accord.hash()) != in_force {
                    self.desk.tell(Event::AccordInForce);
                }
                Ok(())
            }
            (Party::Unit(peer), kind) if *peer != self.desk.me => {
                let peer = peer.clone();
                self.take_from_peer(&peer, kind, envelope, incoming, rng)
            }
            _ => Err(NotTaken::NotExpected),
        }
    }

    fn take_from_peer(
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
    fn with_pair(
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

    fn is_verified(&self, peer: &UnitName) -> bool {
        let keys = self.roster.get(peer).map(|member| &member.keys);
        keys.is_some_and(|keys| self.links.get(peer).is_some_and(|link| link.is_verified(keys)))
    }

    fn has_pair(&self, peer: &UnitName, epoch: u32) -> bool {
        self.links.get(peer).is_some_and(|link| link.epochs.contains_key(&epoch))
    }

    /// Keeps a commitment until the pair can open: one for each peer and epoch.
    fn park(
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

    fn standstill(&self, peer: &UnitName, epoch: u32) -> Standstill {
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

    fn roster_entry(&mut self, head: &[u8]) -> Result<(), NotTaken> {
        let entry = message::RosterEntry::from_bytes(head).map_err(|_| NotTaken::Head)?;
        let change = self.roster.apply(&self.desk.federation, &entry).map_err(|_| NotTaken::Refused)?;
        let key = format!("roster/{}", entry.unit);
        self.desk.put(key, zeroize::Zeroizing::new(head.to_vec()));
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
                link.save_trust(&entry.unit, &mut self.desk);
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
                if self.accords.recheck(|unit| roster.is_admitted(unit), &mut self.desk) {
                    self.desk.tell(Event::AccordInForce);
                }
            }
            RosterChange::None => {}
        }
        Ok(())
    }

    /// The broker accepted an envelope of ours.
    pub fn accepted(&mut self, sequence: u64, envelope: &Envelope, entry: u64) {
        self.desk.accepted(sequence, envelope, entry);
    }

    /// The broker refused the first of `unsent` for good: it leaves the chain, and the others are numbered and signed
    /// anew. `unsent` is everything that was not accepted, in order.
    pub fn rejected(&mut self, code: &str, unsent: Vec<Outgoing>, now_ms: u64) {
        self.at(now_ms);
        let Some(first) = unsent.first() else { return };
        let epoch = first.envelope.header().epoch;
        let kind = first.envelope.header().kind;
        let set_for = message::TagSet::from_bytes(&first.body.head).ok().map(|head| head.peer);
        let peer = first.envelope.header().receiver.unit().cloned().or(set_for);
        // What was begun with it cannot go on in this epoch.
        for (name, link) in &mut self.links {
            if peer.as_ref().is_none_or(|peer| peer == name)
                && epoch > 0
                && let Some(pair) = link.epochs.get_mut(&epoch)
            {
                pair.barren = true;
                pair.touch();
            }
        }
        for (old, new) in self.desk.renumber(unsent) {
            for pair in self.links.values_mut().flat_map(|link| link.epochs.values_mut()) {
                pair.renumbered(&old, &new);
            }
        }
        self.desk.tell(Event::Rejected(kind, code.to_owned()));
    }

    /// Requests whose count is in the log and whose answer is due: the count's sequence number and the name of what
    /// was kept of the request.
    pub fn due_answers(&self) -> Vec<(UnitName, u32, u64, String)> {
        let accepted = self.desk.chain.accepted;
        let mut due = Vec::new();
        for (peer, link) in &self.links {
            for (epoch, pair) in &link.epochs {
                for (count, request) in pair.counted.range(..=accepted) {
                    due.push((peer.clone(), *epoch, *count, pair.name("asked", request)));
                }
            }
        }
        due
    }

    /// Evaluates one of [`Agent::due_answers`]; `kept` is what the vault holds of it.
    pub fn answer(
        &mut self,
        (peer, epoch, count): (&UnitName, u32, u64),
        kept: Option<&[u8]>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), NotTaken> {
        self.at(now_ms);
        let pair = self.links.get_mut(peer).and_then(|link| link.epochs.get_mut(&epoch)).ok_or(NotTaken::Epoch)?;
        evaluating::answer(pair, &mut self.desk, count, kept, rng)
    }

    /// Time passed: opens and closes epochs, asks, releases. To be called at least once a tick while the unit is up.
    pub fn advance(&mut self, now_ms: u64, rng: &mut impl CryptoRng) {
        self.at(now_ms);
        self.close_past_epochs();
        self.open_pairs(rng);
        let Some(epoch) = self.current_epoch() else { return };
        let Agent { desk, holdings, links, roster, .. } = self;
        for (peer, link) in links.iter_mut().filter(|(peer, _)| roster.is_admitted(peer)) {
            let mut epochs = std::mem::take(&mut link.epochs);
            for (number, pair) in &mut epochs {
                if *number == epoch {
                    asking::ask(pair, desk, holdings, rng);
                    releasing::release(pair, desk, rng);
                }
                confirming::check_patience(link, pair, desk);
            }
            link.epochs = epochs;
            let _ = peer;
        }
    }

    /// Opens the current epoch with every verified peer that is party to its accord.
    fn open_pairs(&mut self, rng: &mut impl CryptoRng) {
        let Some(epoch) = self.current_epoch() else { return };
        let Some(accord) = self.accords.for_epoch(epoch) else { return };
        if !self.accords.is_party(&accord.hash(), &self.desk.me) {
            return;
        }
        if accord.terms().identifiers.version != self.identifier_version {
            if !std::mem::replace(&mut self.told_version, true) {
                self.desk.tell(Event::IdentifierVersion);
            }
            return;
        }
        let Agent { desk, holdings, links, roster, accords, .. } = self;
        for (peer, link) in links.iter_mut() {
            let Some(member) = roster.get(peer) else { continue };
            let ready = roster.is_admitted(peer)
                && link.is_verified(&member.keys)
                && accords.is_party(&accord.hash(), peer)
                && !link.epochs.contains_key(&epoch);
            if !ready {
                continue;
            }
            let Some(mut pair) = PairEpoch::fresh(&desk.me, peer, &accord, epoch, holdings, rng) else { continue };
            opening::commit(&mut pair, desk, rng);
            pair.evaluated = Evaluated::from_total(link.spent.get(&epoch).copied().unwrap_or(0));
            if let Some((envelope, head)) = link.unpark(peer, epoch, desk) {
                let commitment = UnverifiedEnvelope::decode(&envelope)
                    .and_then(|unverified| unverified.verify(&desk.federation, &member.keys.signing));
                if let (Ok(envelope), Ok(head)) = (commitment, message::Commitment::from_bytes(&head)) {
                    // Refused or not, the epoch goes on: a dispute is already on the desk.
                    let _ = opening::committed(&mut pair, desk, &envelope, head, rng);
                }
            }
            link.epochs.insert(epoch, pair);
        }
    }

    fn close_past_epochs(&mut self) {
        let tick = self.desk.tick;
        let over: Vec<u32> = self
            .links
            .values()
            .flat_map(|link| link.epochs.iter())
            .filter(|(epoch, pair)| !pair.accord.calendar().is_live(**epoch, tick))
            .map(|(epoch, _)| *epoch)
            .collect();
        over.into_iter().for_each(|epoch| self.close_epoch(epoch));
    }

    /// Destroys all that an epoch held (R9).
    fn close_epoch(&mut self, epoch: u32) {
        for (peer, link) in &mut self.links {
            if let Some(pair) = link.epochs.remove(&epoch) {
                // The count outlives the pair: an epoch that was closed never gets a second quota.
                link.spent.insert(epoch, pair.evaluated.total());
                link.spent.retain(|spent, _| spent + 8 > epoch);
                link.save_trust(peer, &mut self.desk);
                pair.destroy(&mut self.desk);
            }
        }
        self.desk.forget_epoch(epoch);
        self.desk.touch();
    }

    /// Officers compared the verification code with those of `peer`, and it is right (R7).
    pub fn mark_verified(&mut self, peer: &UnitName) -> Result<(), NotTaken> {
        let member = self.roster.get(peer).ok_or(NotTaken::UnknownSender)?;
        let link = self.links.entry(peer.clone()).or_default();
        link.verified = Some(link::keys_hash(&member.keys));
        link.save_trust(peer, &mut self.desk);
        Ok(())
    }

    /// Officers lift what stopped evaluation for `peer` (R18).
    pub fn lift_stop(&mut self, peer: &UnitName) -> Result<(), NotTaken> {
        let link = self.links.get_mut(peer).ok_or(NotTaken::UnknownSender)?;
        link.stopped = None;
        link.save_trust(peer, &mut self.desk);
        Ok(())
    }

    /// Proposes an accord to all; the own signature goes with it. Returns its hash.
    pub fn propose(&mut self, text: &str, now_ms: u64) -> Result<Hash, protocol::accord::AccordError> {
        self.at(now_ms);
        self.accords.propose(text, now_ms, &mut self.desk)
    }

    /// Signs a proposed accord.
    pub fn sign_accord(&mut self, hash: &Hash, now_ms: u64) -> Result<(), NotTaken> {
        self.at(now_ms);
        self.accords.sign(hash, &mut self.desk).ok_or(NotTaken::Refused)
    }

    /// Compares with what the broker says of our chain, once at the start of each session (R35).
    ///
    /// A broker that knows later envelopes of ours than the vault does has seen a newer vault: this one was restored.
    /// It goes on from the broker's numbers, and evaluates nothing in this epoch.
    pub fn reconcile(&mut self, sequence: u64, previous: Hash, now_ms: u64) -> bool {
        self.at(now_ms);
        if sequence <= self.desk.chain.sequence {
            return false;
        }
        let queued: Vec<u64> = self.desk.outbox.keys().copied().collect();
        queued.into_iter().for_each(|sequence| self.desk.forget(sequence));
        self.desk.chain.sequence = sequence;
        self.desk.chain.previous = previous;
        self.desk.chain.accepted = sequence;
        self.desk.chain.restored_epoch = self.current_epoch();
        for link in self.links.values_mut() {
            for pair in link.epochs.values_mut() {
                pair.barren = true;
                pair.touch();
            }
        }
        self.desk.tell(Event::Restored);
        true
    }

    /// The position in the mailbox up to which everything is taken in.
    pub fn position(&self) -> u64 {
        self.desk.chain.position
    }

    /// Sequence numbers of the outbox that the broker has not accepted, in order.
    pub fn unsent(&self) -> Vec<u64> {
        self.desk.outbox.iter().filter(|(_, sent)| !sent.accepted).map(|(sequence, _)| *sequence).collect()
    }

    /// The federation's identity and our own signing key, for [`read_outgoing`].
    pub fn signing_context(&self) -> (Hash, Bytes<32>) {
        (self.desk.federation, self.desk.keys.signing.public())
    }

    /// When the next tick begins, in milliseconds since the Unix epoch; `None` before the first accord.
    pub fn next_tick_ms(&self, now_ms: u64) -> Option<u64> {
        let calendar = self.accords.in_force()?.calendar();
        Some(calendar.begins_ms(calendar.tick_at(now_ms)?.saturating_add(1)))
    }

    fn current_epoch(&self) -> Option<u32> {
        self.accords.in_force()?.calendar().epoch_of(self.desk.tick)
    }

    fn at(&mut self, now_ms: u64) {
        self.desk.now_ms = now_ms;
        self.advance_tick();
    }

    /// The tick never goes back, whatever the clock does.
    fn advance_tick(&mut self) {
        let tick = self.accords.in_force().and_then(|accord| accord.calendar().tick_at(self.desk.now_ms));
        self.desk.tick = self.desk.tick.max(tick.unwrap_or(0));
        let tick = self.desk.tick;
        self.accords.arrive(tick);
    }
}

fn head_of<H: Head>(incoming: &Incoming<'_>) -> Result<H, NotTaken> {
    H::from_bytes(&incoming.body.head).map_err(|_| NotTaken::Head)
}

/// Sends a signed complaint to the peer, tells officers, and stops evaluating for it.
fn dispute(pair: &mut PairEpoch, desk: &mut Desk, about: Hash, reason: DisputeReason, leaf: Option<Bytes<32>>) {
    let head = message::Dispute { about, reason, leaf };
    desk.send(Party::Unit(pair.peer.clone()), Kind::Dispute, Some(pair.open), Body::head_only(head.to_bytes()));
    desk.tell(Event::Disputed(pair.peer.clone(), reason));
}
