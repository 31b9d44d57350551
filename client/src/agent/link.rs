//! A peer over all epochs: whether officers verified it, record numbers, cases (R7, R18).
//!
//! Caller: the agent. *Not here:* anything of an epoch ([`super::pair`]); overlaps and their keys ([`super::overlaps`]).

use super::casefile::CaseFile;
use super::desk::Desk;
use super::held::Held;
use super::overlaps::Overlaps;
use super::pair::PairEpoch;
use super::rows::Spreading;
use super::store::{Reader, Writer};
use protocol::identity::PublicKeys;
use protocol::name::UnitName;
use protocol::overlap::{Handle, RecordNumber};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Record numbers in one value of the vault.
const BATCH: usize = 4096;

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
    /// Overlaps, and their keys until they end (R18, R31).
    pub overlaps: Overlaps,
    /// Commitments that came before the pair could open: envelope and head, by epoch.
    pub parked: BTreeMap<u32, (Vec<u8>, Vec<u8>)>,
    /// What became of overlaps under the manual.
    pub cases: BTreeMap<Handle, CaseFile>,
    /// Overlaps whose first act, one of ours, is on its way. After a restart it is known again when it comes back.
    pub opening: BTreeSet<Handle>,
    /// Acts and limits that wait until officers have verified the peer, in the order of the log.
    pub held: Vec<Held>,
    numbers: HashMap<u64, RecordNumber, Spreading>,
    taken: HashSet<RecordNumber, Spreading>,
    fresh_numbers: Vec<(u64, RecordNumber)>,
    number_batches: u64,
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

    /// Makes room for so many matches more: the tables do not grow step by step while they are taken in.
    pub fn expect(&mut self, more: usize) {
        self.numbers.reserve(more);
        self.taken.reserve(more);
        self.overlaps.expect(more);
    }

    /// The number of a record of ours, if one was drawn.
    pub fn known_number(&self, record: u64) -> Option<RecordNumber> {
        self.numbers.get(&record).copied()
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
        for part in std::mem::take(&mut self.fresh_numbers).chunks(BATCH) {
            let mut w = Writer::with_room(16 + 14 * part.len());
            w.u64(part.len() as u64);
            for (record, number) in part {
                w.u64(*record);
                w.u64(u64::from(number.0));
            }
            desk.put(format!("number/{peer}/{}", self.number_batches), w.finish());
            self.number_batches += 1;
        }
        self.overlaps.save(peer, desk);
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
}
