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
//! | `receiving` | who may say what, and to which room it goes (R23, R34) |
//! | `epochs` | opening and closing epochs (R9) |
//! | `opening` | commitments, contributions, pair secrets (R9, R10) |
//! | `asking` | requests and their answers (R12, R14) |
//! | `evaluating` | the peer's requests, and the quota (R13) |
//! | `releasing` | tag sets (R15, R21) |
//! | `confirming` | notices, acknowledgements, canaries (R16 to R18, R22) |
//! | `leaves` | our leaves in an epoch, where each token stands, what matched |
//! | `link`, `overlaps` | what outlives an epoch: verification, record numbers, overlaps and their keys |
//! | `casework`, `casefile` | acts of officers under the manual (R29 to R33) |
//! | `held` | acts of a peer that officers have not verified: they wait (R7) |
//! | `objections` | what this unit does not go on with, and who lets it go on (R33) |
//! | `parcels` | sealed parcels on their way, recall (R31, R32) |
//! | `officers` | who signs for a unit (R30) |
//! | `accords` | proposals, signatures, which accord is in force |
//! | `witness` | the log: consistency, inclusion, cosignatures (R27) |
//! | `desk`, `store`, `rows` | numbering, signing, the outbox; how state is written, and lies in memory |

mod accords;
mod asking;
mod casefile;
mod casework;
mod confirming;
mod desk;
mod epochs;
mod evaluating;
mod event;
mod held;
mod history;
pub mod holdings;
mod leaves;
mod link;
mod objections;
mod officers;
mod opening;
mod overlaps;
mod own_sets;
mod pair;
mod parcels;
mod receiving;
mod releasing;
pub mod restore;
mod rows;
mod store;
mod view;
mod witness;

pub use accords::kept_accord;
pub use casefile::Copy;
pub use casework::{CaseworkError, Prospect};
pub use desk::{Outgoing, Step, kept_body, part_name, read_outgoing};
pub use event::{Event, Told, dispute_code, refusal_code};
pub use history::HistoryEntry;
#[cfg(test)]
pub(crate) use officers::written_officer;
pub use officers::{KeptOfficer, kept_officer};
pub use overlaps::Overlap;
pub use parcels::{DuePart, part_key};
pub use view::{PeerView, ProposalView, View};
pub use witness::{LogClaim, WitnessError, kept_proof, log_key, witness_key};

use accords::Accords;
use desk::Desk;
use holdings::{HeldRecord, Holdings};
use leaves::Standing;
use link::Link;
use officers::Certified;
use pair::PairEpoch;
use protocol::body::Body;
use protocol::envelope::{Envelope, EnvelopeError, Kind, UnverifiedEnvelope};
use protocol::identity::UnitKeys;
use protocol::message::{self, DisputeReason, Head};
use protocol::name::{Party, UnitName};
use protocol::officer::{Certificate, OfficerEntry, OfficerRefused, Officers};
use protocol::roster::Roster;
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
    /// An act, a limit or a part of a parcel that the manual or the kernel refuses; with the rule's stable name.
    #[error("what came in a case is refused: {0}")]
    Casework(&'static str),
    /// What a unit says of an officer is refused (R30).
    #[error(transparent)]
    Officer(#[from] OfficerRefused),
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
            NotTaken::Casework(code) => code,
            NotTaken::Officer(error) => error.code(),
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
    /// The hashes of the frames of its rows, if the rows were destroyed: then the body is only the head.
    pub frames: &'a [Hash],
    /// What [`Agent::needs`] named, fetched from the vault.
    pub kept: Option<&'a [u8]>,
}

/// One unit's side of the protocol.
pub struct Agent {
    desk: Desk,
    roster: Roster,
    accords: Accords,
    certified: Certified,
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
            certified: Certified::default(),
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
                pair.wanted.extend(difference.born.iter().filter(|token| !pair.leaves.is_known(**token)));
                for token in &difference.died {
                    if let Standing::Leaf(place) = pair.leaves.unknow(*token) {
                        releasing::withdraw(pair, desk, holdings, place);
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

    /// Goes on with what a large message left to be done, a bounded part of it: whether there was anything. The shell makes
    /// each part durable before the next; what is left when the process ends is found again at the next start.
    pub fn go_on(&mut self, now_ms: u64, rng: &mut impl CryptoRng) -> bool {
        self.at(now_ms);
        let Agent { desk, holdings, links, .. } = self;
        let mut went_on = false;
        for link in links.values_mut() {
            let mut epochs = std::mem::take(&mut link.epochs);
            went_on |= epochs.values_mut().any(|pair| confirming::go_on(link, pair, desk, holdings, rng));
            link.epochs = epochs;
        }
        went_on
    }

    /// Where the register has a record, by its name.
    pub fn kept_at(&self, name: u64) -> Option<u64> {
        self.holdings.kept_at(name)
    }

    /// The names of the records that the register has at these serials.
    pub fn names_at(&self, serials: &[u64]) -> Vec<u64> {
        self.holdings.names_at(&serials.iter().copied().collect())
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

    fn is_verified(&self, peer: &UnitName) -> bool {
        let keys = self.roster.get(peer).map(|member| &member.keys);
        keys.is_some_and(|keys| self.links.get(peer).is_some_and(|link| link.is_verified(keys)))
    }

    fn has_pair(&self, peer: &UnitName, epoch: u32) -> bool {
        self.links.get(peer).is_some_and(|link| link.epochs.contains_key(&epoch))
    }

    /// The broker accepted an envelope of ours.
    pub fn accepted(&mut self, sequence: u64, envelope: &Envelope, entry: u64) {
        self.desk.accepted(sequence, envelope, entry);
        if envelope.header().kind == Kind::TagSet {
            let hash = envelope.hash();
            let epoch = envelope.header().epoch;
            let pairs = self.links.values_mut().filter_map(|link| link.epochs.get_mut(&epoch));
            pairs.for_each(|pair| pair.accepted(&hash, entry));
        }
    }

    /// The broker refused the first of `unsent` for good: it leaves the chain, and the others are numbered and signed
    /// anew. `unsent` is everything that was not accepted, in order, with its rows.
    pub fn rejected(&mut self, code: &str, unsent: Vec<Outgoing>, now_ms: u64) {
        self.at(now_ms);
        let Some(first) = unsent.first() else { return };
        let epoch = first.envelope.header().epoch;
        let kind = first.envelope.header().kind;
        self.case_rejected(kind, &first.body.head);
        let set_for = message::TagSet::from_bytes(&first.body.head).ok().map(|head| head.peer);
        let peer = first.envelope.header().receiver.unit().cloned().or(set_for);
        // What was begun with it cannot go on in this epoch.
        for (name, link) in &mut self.links {
            if peer.as_ref().is_none_or(|peer| peer == name)
                && epoch > 0
                && let Some(pair) = link.epochs.get_mut(&epoch)
            {
                pair.barren = true;
                pair.own_sets.refused(&first.envelope.hash());
                pair.touch();
            }
        }
        for (old, new) in self.desk.renumber(unsent) {
            self.parts_renumbered(old.0, new.0);
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

    /// Time passed: opens and closes epochs, asks, releases. To be called at least once a tick while the unit is up. Whether
    /// there is more to be asked at once: the opening requests of an epoch are made one by one.
    pub fn advance(&mut self, now_ms: u64, rng: &mut impl CryptoRng) -> bool {
        self.at(now_ms);
        self.close_past_epochs();
        self.open_pairs(rng);
        self.tend_cases(rng);
        let Some(epoch) = self.current_epoch() else { return false };
        let Agent { desk, holdings, links, roster, .. } = self;
        let mut more = false;
        for (_, link) in links.iter_mut().filter(|(peer, _)| roster.is_admitted(peer)) {
            let mut epochs = std::mem::take(&mut link.epochs);
            for (number, pair) in &mut epochs {
                if *number == epoch {
                    more |= asking::ask(pair, desk, holdings, rng);
                    releasing::release(pair, desk, rng);
                }
                confirming::check_patience(link, pair, desk);
            }
            link.epochs = epochs;
        }
        more
    }

    /// Officers compared the verification code with those of `peer`, and it is right (R7).
    pub fn mark_verified(&mut self, peer: &UnitName) -> Result<(), NotTaken> {
        let member = self.roster.get(peer).ok_or(NotTaken::UnknownSender)?;
        let link = self.links.entry(peer.clone()).or_default();
        link.verified = Some(link::keys_hash(&member.keys));
        link.save_trust(peer, &mut self.desk);
        self.fold_held(peer);
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

    /// Everybody whom a unit ever certified, as the log shows them. A peer's officers count only while the peer is
    /// verified (R7).
    pub fn officers(&self) -> &Officers {
        self.certified.officers()
    }

    /// The entries of the log that certified an officer, and that revoked them.
    pub fn officer_entries(&self, unit: &UnitName, number: u32) -> Option<(u64, Option<u64>)> {
        self.certified.entries(unit, number)
    }

    /// Says to all that the unit has a new officer. They sign from the moment it comes back through the mailbox.
    pub fn certify(&mut self, certificate: Certificate, now_ms: u64) -> Result<(), OfficerRefused> {
        self.at(now_ms);
        self.certified.say(&OfficerEntry::Certified(certificate), &mut self.desk)
    }

    /// Says to all that an officer of ours signs nothing more.
    pub fn revoke_officer(&mut self, number: u32, now_ms: u64) -> Result<(), OfficerRefused> {
        self.at(now_ms);
        self.certified.say(&OfficerEntry::Revoked(number), &mut self.desk)
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
        for link in self.links.values_mut() {
            link.opening.clear();
            link.cases.values_mut().for_each(|file| {
                file.pending = None;
                file.touch();
            });
        }
        self.desk.tell(Event::Restored);
        true
    }

    /// The sealing key of a verified, admitted peer.
    pub fn sealing_key_of(&self, peer: &UnitName) -> Option<Bytes<{ protocol::seal::PUBLIC_LEN }>> {
        let usable = self.is_verified(peer) && self.roster.is_admitted(peer);
        self.roster.get(peer).filter(|_| usable).map(|member| member.keys.sealing)
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

/// Sends a signed complaint to the peer, tells officers, and stops evaluating for it.
fn dispute(pair: &mut PairEpoch, desk: &mut Desk, about: Hash, reason: DisputeReason, leaf: Option<Bytes<32>>) {
    let head = message::Dispute { about, reason, leaf };
    desk.send(Party::Unit(pair.peer.clone()), Kind::Dispute, Some(pair.open), Body::head_only(head.to_bytes()));
    desk.tell(Event::Disputed(pair.peer.clone(), reason));
}
