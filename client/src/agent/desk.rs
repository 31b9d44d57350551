//! The agent's desk: where everything it says is numbered, signed and put into the outbox, and everything it must
//! remember is written down (R23, R25).
//!
//! Callers: every room of the agent. What lies on the desk is one [`Step`]: the shell makes its changes durable in one
//! transaction, and only then sends its envelopes. *Not here:* sending, and the vault.

use super::event::Event;
use super::store::{Reader, Writer};
use crate::vault::Change;
use protocol::body::{Body, FRAME};
use protocol::calendar::OpenEpoch;
use protocol::envelope::{Envelope, Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::identity::UnitKeys;
use protocol::name::{Party, UnitName};
use protocol::{Bytes, Hash, label};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// An envelope on its way, with its body.
pub struct Outgoing {
    /// The signed envelope.
    pub envelope: Envelope,
    /// Its body. Rows of more than one frame are not here: they lie in the vault under [`part_name`], frame by frame.
    pub body: Body,
    /// Length of the rows, wherever they are.
    pub rows_len: u64,
}

impl Outgoing {
    /// Whether the rows lie in the vault only.
    pub fn is_stored(&self) -> bool {
        self.rows_len > FRAME as u64 && self.body.rows.is_empty()
    }

    /// The number of frames of the rows.
    pub fn frames(&self) -> u32 {
        protocol::body::frame_count(self.rows_len) as u32
    }
}

/// What one call of the agent leaves to be done, in this order: write, then send.
#[derive(Default)]
pub struct Step {
    /// To be made durable in one transaction.
    pub changes: Vec<Change>,
    /// To be sent, once that is done.
    pub outgoing: Vec<Outgoing>,
    /// To be told to officers.
    pub events: Vec<Event>,
}

/// An envelope of ours that is not yet done with.
pub(super) struct Sent {
    pub receiver: Party,
    pub epoch: u32,
    pub accepted: bool,
    /// Values of the vault in which the rows of its body lie.
    pub parts: u32,
}

/// Cuts long rows into the frames in which they are stored and sent. From their end, so that they are not in memory twice.
fn cut(mut rows: Vec<u8>) -> Vec<Zeroizing<Vec<u8>>> {
    let mut parts = Vec::with_capacity(rows.len().div_ceil(FRAME));
    for start in (0..rows.len()).step_by(FRAME).rev() {
        parts.push(Zeroizing::new(rows.split_off(start)));
        if parts.len() % 64 == 0 {
            rows.shrink_to_fit();
        }
    }
    parts.reverse();
    parts
}

/// The name of a frame of the rows of an envelope's body.
pub fn part_name(sequence: u64, part: u32) -> String {
    format!("rows/{sequence}.{part}")
}

/// The desk.
pub(super) struct Desk {
    pub me: UnitName,
    pub keys: UnitKeys,
    pub federation: Hash,
    pub broker: Bytes<32>,
    /// The moment of the current call, in milliseconds.
    pub now_ms: u64,
    /// The tick of the current call; 0 before the first accord.
    pub tick: u64,
    pub chain: Chain,
    pub outbox: BTreeMap<u64, Sent>,
    pub step: Step,
    /// Entries whose proof of inclusion is to be kept.
    pub wanted: BTreeSet<u64>,
    dirty: bool,
}

/// Where the unit stands in its own chain, its mailbox, and the log.
#[derive(Default)]
pub(super) struct Chain {
    pub sequence: u64,
    pub previous: Hash,
    /// Highest own sequence number that the broker accepted.
    pub accepted: u64,
    /// Position in the mailbox up to which everything is taken in.
    pub position: u64,
    pub log_size: u64,
    pub log_root: Hash,
    /// Evaluates nothing in this epoch: the vault was restored (R35).
    pub restored_epoch: Option<u32>,
    pub next_event: u64,
    /// Entries sent or received whose inclusion in the log is not checked yet: index, hash (R27).
    pub unproven: Vec<(u64, Hash)>,
    /// Sequence number of the last envelope taken from each sender.
    pub last_from: BTreeMap<String, u64>,
}

impl Desk {
    pub fn new(me: UnitName, keys: UnitKeys, federation: Hash, broker: Bytes<32>) -> Self {
        Desk {
            me,
            keys,
            federation,
            broker,
            now_ms: 0,
            tick: 0,
            chain: Chain::default(),
            outbox: BTreeMap::new(),
            step: Step::default(),
            wanted: BTreeSet::new(),
            dirty: false,
        }
    }

    /// Signs and queues an envelope of the agent's; its sequence number and hash.
    pub fn send(&mut self, to: Party, kind: Kind, open: Option<OpenEpoch>, body: Body) -> (u64, Hash) {
        self.send_as(Role::Agent, to, kind, open, body)
    }

    /// Signs and queues an envelope; its sequence number and hash.
    pub fn send_as(&mut self, role: Role, to: Party, kind: Kind, open: Option<OpenEpoch>, body: Body) -> (u64, Hash) {
        let sequence = self.chain.sequence + 1;
        let header = Header {
            version: label::VERSION,
            federation: self.federation,
            accord: open.map_or(Bytes::ZERO, |open| open.accord),
            epoch: open.map_or(0, |open| open.epoch),
            tick: self.tick,
            sender: Party::Unit(self.me.clone()),
            receiver: to.clone(),
            role,
            sequence,
            previous: self.chain.previous,
            kind,
            expires: 0,
            log_size: self.chain.log_size,
            log_root: self.chain.log_root,
            body_len: 0,
            body_root: Bytes::ZERO,
        };
        let envelope = seal_envelope(header, &body, &self.keys.signing);
        let rows_len = body.rows.len() as u64;
        let hash = envelope.hash();
        self.chain.sequence = sequence;
        self.chain.previous = hash;
        self.dirty = true;

        let mut kept = Writer::new();
        kept.bytes(&body.head);
        self.put(format!("body/{sequence}"), kept.finish());
        let Body { head, rows } = body;
        let (rows, parts) = if rows.len() > FRAME {
            let parts = cut(rows);
            let count = parts.len() as u32;
            for (number, part) in parts.into_iter().enumerate() {
                self.put(part_name(sequence, number as u32), part);
            }
            (Vec::new(), count)
        } else if rows.is_empty() {
            (rows, 0)
        } else {
            self.put(part_name(sequence, 0), Zeroizing::new(rows.clone()));
            (rows, 1)
        };
        let body = Body { head, rows };
        self.put_posted(sequence, envelope.as_bytes(), false, parts);
        let epoch = envelope.header().epoch;
        self.outbox.insert(sequence, Sent { receiver: to, epoch, accepted: false, parts });
        self.step.outgoing.push(Outgoing { envelope, body, rows_len });
        (sequence, hash)
    }

    /// The proof that this entry is in the log is to be kept, for audits that have no broker at hand.
    pub fn want_proof(&mut self, entry: u64) {
        self.wanted.insert(entry);
        self.put(format!("wanted/{entry}"), Zeroizing::default());
    }

    /// Writes a value into the vault with this step.
    pub fn put(&mut self, key: String, value: Zeroizing<Vec<u8>>) {
        self.step.changes.push(Change::Put { key, value });
    }

    /// Destroys a value in the vault with this step.
    pub fn delete(&mut self, key: String) {
        self.step.changes.push(Change::Delete { key });
    }

    /// Tells officers something.
    pub fn tell(&mut self, event: Event) {
        let at = self.chain.next_event;
        self.chain.next_event += 1;
        self.dirty = true;
        self.put(format!("event/{at:012}"), event.to_bytes(self.now_ms));
        self.step.events.push(event);
    }

    /// Notes that the chain changed and must be written with this step.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// The broker accepted our envelope `sequence` as entry `entry` of the log.
    pub fn accepted(&mut self, sequence: u64, envelope: &Envelope, entry: u64) {
        self.chain.accepted = self.chain.accepted.max(sequence);
        self.chain.unproven.push((entry, envelope.hash()));
        self.dirty = true;
        let Some(sent) = self.outbox.get_mut(&sequence) else { return };
        sent.accepted = true;
        let parts = sent.parts;
        // What goes to all comes back through the own mailbox: nothing to keep it for.
        if sent.receiver == Party::All {
            self.forget(sequence);
        } else {
            self.put_posted(sequence, envelope.as_bytes(), true, parts);
        }
    }

    /// Takes the first of `unsent` out of the chain, and numbers and signs the others anew: (old, new) number and hash.
    /// Their rows must be there.
    pub fn renumber(&mut self, unsent: Vec<Outgoing>) -> Vec<((u64, Hash), (u64, Hash))> {
        let mut unsent = unsent.into_iter();
        let Some(first) = unsent.next() else { return Vec::new() };
        let rest: Vec<Outgoing> = unsent.collect();
        for outgoing in std::iter::once(&first).chain(&rest) {
            self.forget(outgoing.envelope.header().sequence);
        }
        self.chain.sequence = first.envelope.header().sequence.saturating_sub(1);
        self.chain.previous = first.envelope.header().previous;
        let mut numbers = Vec::with_capacity(rest.len());
        for Outgoing { envelope, body, .. } in rest {
            let old = (envelope.header().sequence, envelope.hash());
            let Header { receiver, kind, epoch, accord, role, .. } = envelope.header().clone();
            let open = (epoch > 0).then_some(OpenEpoch { epoch, accord });
            let new = self.send_as(role, receiver, kind, open, body);
            numbers.push((old, new));
        }
        numbers
    }

    /// Forgets an envelope of the outbox: its recipient has it, or its epoch is over.
    pub fn forget(&mut self, sequence: u64) {
        let parts = self.outbox.remove(&sequence).map_or(0, |sent| sent.parts);
        (0..parts).for_each(|part| self.delete(part_name(sequence, part)));
        self.delete(format!("body/{sequence}"));
        self.delete(format!("posted/{sequence}"));
    }

    /// Forgets what a peer has confirmed to have received (R25).
    pub fn received_by(&mut self, peer: &UnitName, up_to: u64) {
        let done: Vec<u64> = self
            .outbox
            .range(..=up_to)
            .filter(|(_, sent)| sent.accepted && sent.receiver.unit() == Some(peer))
            .map(|(sequence, _)| *sequence)
            .collect();
        done.into_iter().for_each(|sequence| self.forget(sequence));
    }

    /// Forgets everything of an epoch that is over.
    pub fn forget_epoch(&mut self, epoch: u32) {
        let over: Vec<u64> =
            self.outbox.iter().filter(|(_, sent)| sent.epoch == epoch).map(|(sequence, _)| *sequence).collect();
        // What was never accepted is refused from now on: only the chain's numbers go on. It cannot be left out of
        // the chain, so it stays until the broker has said so.
        for sequence in over {
            if self.outbox.get(&sequence).is_some_and(|sent| sent.accepted) {
                self.forget(sequence);
            }
        }
    }

    /// Takes what lies on the desk, with the chain if it changed.
    pub fn take(&mut self) -> Step {
        if std::mem::take(&mut self.dirty) {
            let bytes = self.chain.to_bytes();
            self.put("chain/0".to_owned(), bytes);
        }
        std::mem::take(&mut self.step)
    }

    /// Reads back an outbox entry at start.
    pub fn load_posted(&mut self, sequence: u64, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        let (accepted, parts) = (r.flag()?, r.u32()?);
        let envelope = UnverifiedEnvelope::decode(r.bytes()?).ok()?;
        let envelope = envelope.verify(&self.federation, &self.keys.signing.public()).ok()?;
        let header = envelope.header();
        let sent = Sent { receiver: header.receiver.clone(), epoch: header.epoch, accepted, parts };
        self.outbox.insert(sequence, sent);
        Some(())
    }

    fn put_posted(&mut self, sequence: u64, envelope: &[u8], accepted: bool, parts: u32) {
        let mut w = Writer::new();
        w.flag(accepted);
        w.u64(u64::from(parts));
        w.bytes(envelope);
        self.put(format!("posted/{sequence}"), w.finish());
    }
}

/// The names of the values that [`read_outgoing`] takes, from `posted/N`: the head, and the rows if they are short.
pub fn kept_body(sequence: u64, posted: &[u8]) -> Option<Vec<String>> {
    let mut r = Reader::new(posted);
    let (_, parts) = (r.flag()?, r.u32()?);
    Some(std::iter::once(format!("body/{sequence}")).chain((parts == 1).then(|| part_name(sequence, 0))).collect())
}

/// Reads an outbox entry: the signed envelope, from `posted/N`, and the values that [`kept_body`] names.
pub fn read_outgoing(
    federation: &Hash,
    own_key: &Bytes<32>,
    posted: &[u8],
    body: &[Zeroizing<Vec<u8>>],
) -> Option<Outgoing> {
    let mut r = Reader::new(posted);
    let _ = (r.flag()?, r.u32()?);
    let envelope = UnverifiedEnvelope::decode(r.bytes()?).ok()?.verify(federation, own_key).ok()?;
    let (head, rows) = body.split_first()?;
    let head = Reader::new(head).bytes()?.to_vec();
    let rows = rows.first().map(|rows| rows.to_vec()).unwrap_or_default();
    let rows_len = envelope.header().body_len.checked_sub(head.len() as u64)?;
    Some(Outgoing { envelope, body: Body { head, rows }, rows_len })
}

impl Chain {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.u64(self.sequence);
        w.bytes(&self.previous.0);
        w.u64(self.accepted);
        w.u64(self.position);
        w.u64(self.log_size);
        w.bytes(&self.log_root.0);
        w.maybe_u64(self.restored_epoch.map(u64::from));
        w.u64(self.next_event);
        w.u64(self.unproven.len() as u64);
        for (entry, hash) in &self.unproven {
            w.u64(*entry);
            w.bytes(&hash.0);
        }
        w.u64(self.last_from.len() as u64);
        for (sender, sequence) in &self.last_from {
            w.bytes(sender.as_bytes());
            w.u64(*sequence);
        }
        w.finish()
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let mut chain = Chain {
            sequence: r.u64()?,
            previous: Bytes(r.array()?),
            accepted: r.u64()?,
            position: r.u64()?,
            log_size: r.u64()?,
            log_root: Bytes(r.array()?),
            restored_epoch: match r.maybe_u64()? {
                Some(epoch) => Some(epoch.try_into().ok()?),
                None => None,
            },
            next_event: r.u64()?,
            unproven: Vec::new(),
            last_from: BTreeMap::new(),
        };
        for _ in 0..r.u64()? {
            chain.unproven.push((r.u64()?, Bytes(r.array()?)));
        }
        for _ in 0..r.u64()? {
            chain.last_from.insert(r.text()?.to_owned(), r.u64()?);
        }
        r.at_end().then_some(chain)
    }
}
