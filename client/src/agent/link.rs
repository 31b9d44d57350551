//! A peer over all epochs: whether officers verified it, record numbers, overlaps (R7, R18).
//!
//! Caller: the agent. *Not here:* anything of an epoch ([`super::pair`]), and whether an overlap is strong enough to be
//! shown (the commands ask package `identifier`, R19).

use super::casefile::CaseFile;
use super::desk::Desk;
use super::holdings::{Digest, Worth};
use super::overlap_keys::OverlapKeys;
use super::pair::PairEpoch;
use super::store::{Reader, Writer};
use protocol::Bytes;
use protocol::identity::PublicKeys;
use protocol::name::UnitName;
use protocol::overlap::{Handle, RecordNumber};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// All confirmed matches between one record of ours and one of the peer's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// Our record's serial in the register.
    pub record: u64,
    /// The peer's record, by its number of this pair.
    pub peer_record: RecordNumber,
    /// All that the broker will ever see of it.
    pub handle: Handle,
    /// The tokens that met, by their local names, with kind and tier.
    pub met: BTreeMap<Digest, Worth>,
    /// The tick in which it arose.
    pub since: u64,
}

/// One peer.
#[derive(Default)]
pub(super) struct Link {
    /// Hash of the keys that officers verified.
    pub verified: Option<[u8; 32]>,
    /// Evaluation is stopped until officers lift it, and why.
    pub stopped: Option<String>,
    pub epochs: BTreeMap<u32, PairEpoch>,
    /// Points evaluated for the peer in epochs whose pair is gone: an epoch never has a second quota (R13).
    pub spent: BTreeMap<u32, u64>,
    pub overlaps: BTreeMap<(u64, RecordNumber), Overlap>,
    /// Commitments that came before the pair could open: envelope and head, by epoch.
    pub parked: BTreeMap<u32, (Vec<u8>, Vec<u8>)>,
    /// Keys of overlaps, until they end (R31).
    pub keys: OverlapKeys,
    /// What became of overlaps under the manual.
    pub cases: BTreeMap<Handle, CaseFile>,
    /// Overlaps whose first act, one of ours, is on its way. After a restart it is known again when it comes back.
    pub opening: BTreeSet<Handle>,
    numbers: HashMap<u64, RecordNumber>,
    taken: HashSet<RecordNumber>,
    fresh_numbers: Vec<(u64, RecordNumber)>,
    fresh_met: Vec<(u64, RecordNumber, Digest)>,
    number_batches: u64,
    met_batches: u64,
}

/// What identifies a peer's keys in our own notes.
pub(super) fn keys_hash(keys: &PublicKeys) -> [u8; 32] {
    Sha256::new().chain_update(keys.signing.0).chain_update(keys.sealing.0).finalize().into()
}

impl Link {
    /// Whether officers verified exactly these keys.
    pub fn is_verified(&self, keys: &PublicKeys) -> bool {
        self.verified == Some(keys_hash(keys))
    }

    /// The number of a record of ours for this peer, drawn at first use.
    pub fn number(&mut self, record: u64, rng: &mut impl CryptoRng) -> RecordNumber {
        if let Some(number) = self.numbers.get(&record) {
            return *number;
        }
        let number = RecordNumber::draw(rng, |number| self.taken.contains(&number));
        self.numbers.insert(record, number);
        self.taken.insert(number);
        self.fresh_numbers.push((record, number));
        number
    }

    /// The number of a record of ours, if one was drawn.
    pub fn known_number(&self, record: u64) -> Option<RecordNumber> {
        self.numbers.get(&record).copied()
    }

    /// Notes that a token of `record` met one of the peer's record: whether the overlap is new, and its handle if the
    /// token had not met in it before.
    pub fn meet(
        &mut self,
        record: u64,
        peer_record: RecordNumber,
        token: (Digest, Worth),
        handle: impl FnOnce() -> Handle,
        tick: u64,
    ) -> (bool, Option<Handle>) {
        let key = (record, peer_record);
        let fresh = !self.overlaps.contains_key(&key);
        let overlap = self.overlaps.entry(key).or_insert_with(|| Overlap {
            record,
            peer_record,
            handle: handle(),
            met: BTreeMap::new(),
            since: tick,
        });
        let joined = overlap.met.insert(token.0, token.1).is_none().then_some(overlap.handle);
        if joined.is_some() {
            self.fresh_met.push((record, peer_record, token.0));
        }
        (fresh, joined)
    }

    /// Keeps a commitment until the pair can open.
    pub fn park(&mut self, peer: &UnitName, epoch: u32, envelope: &[u8], head: &[u8], desk: &mut Desk) {
        let mut w = Writer::new();
        w.bytes(envelope);
        w.bytes(head);
        desk.put(format!("parked/{peer}.{epoch}"), w.finish());
        self.parked.insert(epoch, (envelope.to_vec(), head.to_vec()));
    }

    /// Takes a parked commitment out: envelope and head.
    pub fn unpark(&mut self, peer: &UnitName, epoch: u32, desk: &mut Desk) -> Option<(Vec<u8>, Vec<u8>)> {
        let parked = self.parked.remove(&epoch)?;
        desk.delete(format!("parked/{peer}.{epoch}"));
        Some(parked)
    }

    /// Reads a parked commitment back.
    pub fn read_parked(&mut self, epoch: u32, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        self.parked.insert(epoch, (r.bytes()?.to_vec(), r.bytes()?.to_vec()));
        r.at_end().then_some(())
    }

    /// Writes what is new since the last call.
    pub fn save(&mut self, peer: &UnitName, desk: &mut Desk) {
        if !self.fresh_numbers.is_empty() {
            let mut w = Writer::new();
            w.u64(self.fresh_numbers.len() as u64);
            for (record, number) in self.fresh_numbers.drain(..) {
                w.u64(record);
                w.u64(u64::from(number.0));
            }
            desk.put(format!("number/{peer}/{}", self.number_batches), w.finish());
            self.number_batches += 1;
        }
        if !self.fresh_met.is_empty() {
            let mut w = Writer::new();
            w.u64(self.fresh_met.len() as u64);
            for (record, peer_record, digest) in self.fresh_met.drain(..) {
                let Some(overlap) = self.overlaps.get(&(record, peer_record)) else { continue };
                w.u64(record);
                w.u64(u64::from(peer_record.0));
                w.bytes(&overlap.handle.0);
                w.u64(overlap.since);
                w.bytes(&digest);
                overlap.met.get(&digest).copied().unwrap_or(Worth { kind: 0, tier: 0 }).write(&mut w);
            }
            desk.put(format!("met/{peer}/{}", self.met_batches), w.finish());
            self.met_batches += 1;
        }
        self.keys.save(peer, desk);
        self.cases.values_mut().for_each(|file| file.save(peer, desk));
    }

    /// Writes whether the peer is verified, and stopped.
    pub fn save_trust(&self, peer: &UnitName, desk: &mut Desk) {
        let mut w = Writer::new();
        w.maybe(self.verified.as_ref().map(|hash| hash.as_slice()));
        w.maybe(self.stopped.as_ref().map(|why| why.as_bytes()));
        w.u64(self.spent.len() as u64);
        for (epoch, points) in &self.spent {
            w.u64(u64::from(*epoch));
            w.u64(*points);
        }
        desk.put(format!("link/{peer}"), w.finish());
    }

    /// Reads [`Link::save_trust`] back.
    pub fn read_trust(&mut self, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        self.verified = match r.maybe()? {
            Some(hash) => Some(hash.try_into().ok()?),
            None => None,
        };
        self.stopped = match r.maybe()? {
            Some(why) => Some(std::str::from_utf8(why).ok()?.to_owned()),
            None => None,
        };
        for _ in 0..r.u64()? {
            self.spent.insert(r.u32()?, r.u64()?);
        }
        r.at_end().then_some(())
    }

    /// Reads a batch of numbers back.
    pub fn read_numbers(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (record, number) = (r.u64()?, RecordNumber(r.u32()?));
            self.numbers.insert(record, number);
            self.taken.insert(number);
        }
        self.number_batches = self.number_batches.max(batch + 1);
        r.at_end().then_some(())
    }

    /// Reads a batch of meetings back.
    pub fn read_met(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (record, peer_record) = (r.u64()?, RecordNumber(r.u32()?));
            let (handle, since): (Handle, u64) = (Bytes(r.array()?), r.u64()?);
            let (digest, worth) = (r.array()?, Worth::read(&mut r)?);
            let empty = Overlap { record, peer_record, handle, met: BTreeMap::new(), since };
            self.overlaps.entry((record, peer_record)).or_insert(empty).met.insert(digest, worth);
        }
        self.met_batches = self.met_batches.max(batch + 1);
        r.at_end().then_some(())
    }
}
