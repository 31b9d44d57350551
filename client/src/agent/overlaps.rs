//! Overlaps with one peer: which record of ours met which of the peer's, by which tokens, and the keys (R18, R31).
//!
//! There may be as many as there are records, so each takes few bytes; the usual one met by one token. They outlive the
//! epoch in which they arose. The keys, each overlap's secret and the match keys of its confirmed tokens, are kept until
//! it ends. Callers: `confirming` puts overlaps in, `casework` takes a case's key, commands look. *Not here:* whether an
//! overlap is strong enough to be shown (the commands ask package `identifier`, R19); a case's own key, once there is one.

use super::desk::Desk;
use super::holdings::{Digest, Worth};
use super::rows::{Rows, tick_of};
use super::store::{Reader, Writer};
use hashbrown::HashTable;
use protocol::Bytes;
use protocol::name::UnitName;
use protocol::overlap::{CaseKey, Handle, OverlapSecret, RecordNumber};
use protocol::psi::MatchKey;
use protocol::tagset::Tag;
use std::collections::{BTreeMap, HashMap};

/// Most match keys kept for one overlap, those of the smallest tags: whoever opens a case takes the first.
const MAX_ANCHORS: usize = 8;
/// Overlaps in one value of the vault.
const BATCH: usize = 1024;

/// All confirmed matches between one record of ours and one of the peer's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// Our record, by its name.
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

/// The place of an overlap; stable while the process lives.
type Place = u32;

struct Row {
    record: u64,
    /// The tick: no calendar has 2^32 of them.
    since: u32,
    peer_record: RecordNumber,
    handle: Handle,
    met: (Digest, Worth),
    /// The batch of the vault in which its keys lie; [`NO_BATCH`] if they are new, several, or destroyed.
    batch: u32,
    keys: Option<Keys>,
}

struct Keys {
    secret: OverlapSecret,
    anchor: (Tag, MatchKey),
}

const NO_BATCH: u32 = u32::MAX;

/// A token that met, on its way into an overlap.
pub(super) struct Meeting<'a> {
    pub record: u64,
    pub peer_record: RecordNumber,
    pub token: (Digest, Worth),
    pub tag: Tag,
    pub key: &'a MatchKey,
    pub tick: u64,
}

/// All of one peer's.
#[derive(Default)]
pub(super) struct Overlaps {
    rows: Rows<Row>,
    by_records: HashTable<Place>,
    by_handle: HashTable<Place>,
    /// Tokens that met after the first of their overlap.
    more_met: HashMap<Place, Vec<(Digest, Worth)>>,
    /// Match keys beside the first, and the batches of keys that lie in several. Boxed: a vector that grows leaves no
    /// copy of a key behind.
    more_anchors: HashMap<Place, Vec<(Tag, Box<MatchKey>)>>,
    more_batches: HashMap<Place, Vec<u32>>,
    fresh_met: Vec<(Place, Digest, Worth)>,
    fresh_keys: Vec<Place>,
    met_batches: u32,
    key_batches: u32,
}

impl Overlaps {
    /// A token met: whether its overlap is new. The handle and the secret are made for a new one only.
    pub fn meet(&mut self, met: &Meeting<'_>, handle: impl FnOnce() -> (Handle, OverlapSecret)) -> bool {
        let Meeting { record, peer_record, token, tag, key, tick } = met;
        let copy = || MatchKey::from_secret(key.expose_secret());
        if let Some(place) = self.between(*record, *peer_record) {
            if self.joins(place, *token) {
                self.fresh_met.push((place, token.0, token.1));
                if self.anchor(place, *tag, copy) {
                    self.fresh_keys.push(place);
                }
            }
            return false;
        }
        let (handle, secret) = handle();
        let keys = Some(Keys { secret, anchor: (*tag, copy()) });
        let (record, since, peer_record) = (*record, tick_of(*tick), *peer_record);
        let place = self.add(Row { record, since, peer_record, handle, met: *token, batch: NO_BATCH, keys });
        self.fresh_met.push((place, token.0, token.1));
        self.fresh_keys.push(place);
        true
    }

    /// Makes room for so many more in the tables.
    pub fn expect(&mut self, more: usize) {
        let rows = &self.rows;
        self.by_records.reserve(more, |place| spread_records(rows[*place].record, rows[*place].peer_record));
        self.by_handle.reserve(more, |place| spread_handle(&rows[*place].handle));
    }

    fn add(&mut self, row: Row) -> Place {
        let (records, handle) = (spread_records(row.record, row.peer_record), spread_handle(&row.handle));
        let place = self.rows.push(row);
        let rows = &self.rows;
        let by_records = |place: &Place| spread_records(rows[*place].record, rows[*place].peer_record);
        self.by_records.insert_unique(records, place, by_records);
        self.by_handle.insert_unique(handle, place, |place| spread_handle(&rows[*place].handle));
        place
    }

    fn between(&self, record: u64, peer: RecordNumber) -> Option<Place> {
        let is_it = |place: &Place| self.rows[*place].record == record && self.rows[*place].peer_record == peer;
        self.by_records.find(spread_records(record, peer), is_it).copied()
    }

    /// Whether this token is part of the overlap between these records.
    pub fn has(&self, record: u64, peer: RecordNumber, token: &Digest) -> bool {
        self.between(record, peer).is_some_and(|place| self.is_met(place, token))
    }

    fn is_met(&self, place: Place, token: &Digest) -> bool {
        let more = self.more_met.get(&place).map_or(&[][..], Vec::as_slice);
        self.rows[place].met.0 == *token || more.iter().any(|(digest, _)| digest == token)
    }

    fn place_of(&self, handle: &Handle) -> Option<Place> {
        self.by_handle.find(spread_handle(handle), |place| self.rows[*place].handle == *handle).copied()
    }

    /// Whether the token is new to the overlap.
    fn joins(&mut self, place: Place, token: (Digest, Worth)) -> bool {
        if self.is_met(place, &token.0) {
            return false;
        }
        self.more_met.entry(place).or_default().push(token);
        true
    }

    /// Keeps the match key, if its tag is among the smallest, in whatever order they come: both units keep the same ones.
    /// Whether it is new.
    fn anchor(&mut self, place: Place, tag: Tag, key: impl FnOnce() -> MatchKey) -> bool {
        let Some(keys) = &mut self.rows[place].keys else { return false };
        if keys.anchor.0 == tag {
            return false;
        }
        let more = self.more_anchors.entry(place).or_default();
        let mut fresh = (tag, Box::new(key()));
        if tag < keys.anchor.0 {
            std::mem::swap(&mut fresh.0, &mut keys.anchor.0);
            std::mem::swap(&mut *fresh.1, &mut keys.anchor.1);
        }
        match more.binary_search_by(|(held, _)| held.cmp(&fresh.0)) {
            Err(at) if at < MAX_ANCHORS - 1 => {
                more.truncate(MAX_ANCHORS - 2);
                more.insert(at, fresh);
                true
            }
            _ => false,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// All of them, by our record and the peer's.
    pub fn all(&self) -> impl Iterator<Item = Overlap> + '_ {
        let mut places: Vec<Place> = (0..self.rows.len() as Place).collect();
        places.sort_unstable_by_key(|place| (self.rows[*place].record, self.rows[*place].peer_record));
        places.into_iter().map(|place| self.view(place))
    }

    /// The overlap with this handle.
    pub fn find(&self, handle: &Handle) -> Option<Overlap> {
        self.place_of(handle).map(|place| self.view(place))
    }

    fn view(&self, place: Place) -> Overlap {
        let Row { record, peer_record, handle, met, since, .. } = &self.rows[place];
        let more = self.more_met.get(&place).into_iter().flatten();
        let met = std::iter::once(met).chain(more).copied().collect();
        Overlap { record: *record, peer_record: *peer_record, handle: *handle, met, since: u64::from(*since) }
    }

    /// The keys that a case of this overlap can have, the one to open it with first.
    pub fn case_keys(&self, handle: &Handle) -> impl Iterator<Item = CaseKey> + '_ {
        let place = self.place_of(handle);
        let keys = place.and_then(|place| self.rows[place].keys.as_ref());
        keys.into_iter().flat_map(move |keys| {
            let more = place.and_then(|place| self.more_anchors.get(&place)).into_iter().flatten();
            let anchors = std::iter::once(&keys.anchor.1).chain(more.map(|(_, key)| &**key));
            anchors.map(|anchor| CaseKey::derive(&keys.secret, anchor))
        })
    }

    /// The overlap has ended: its keys are destroyed, and the batches they lay in are written anew.
    pub fn destroy_keys(&mut self, handle: &Handle, peer: &UnitName, desk: &mut Desk) {
        let Some(place) = self.place_of(handle) else { return };
        self.rows[place].keys = None;
        self.more_anchors.remove(&place);
        self.fresh_keys.retain(|fresh| *fresh != place);
        let mut batches = self.more_batches.remove(&place).unwrap_or_default();
        batches
            .extend(Some(std::mem::replace(&mut self.rows[place].batch, NO_BATCH)).filter(|batch| *batch != NO_BATCH));
        for batch in batches {
            let several = |place: &Place| self.more_batches.get(place).is_some_and(|batches| batches.contains(&batch));
            let lies_in = |place: &Place| self.rows[*place].batch == batch || several(place);
            let beside: Vec<Place> = (0..self.rows.len() as Place).filter(lies_in).collect();
            if beside.is_empty() {
                desk.delete(format!("okey/{peer}/{batch}"));
            } else {
                self.write_keys(peer, batch, &beside, desk);
            }
        }
    }

    /// Writes what is new with this step.
    pub fn save(&mut self, peer: &UnitName, desk: &mut Desk) {
        for part in std::mem::take(&mut self.fresh_met).chunks(BATCH) {
            let mut w = Writer::with_room(16 + 80 * part.len());
            w.u64(part.len() as u64);
            for (place, digest, worth) in part {
                let row = &self.rows[*place];
                w.u64(row.record);
                w.u64(u64::from(row.peer_record.0));
                w.bytes(&row.handle.0);
                w.u64(u64::from(row.since));
                w.bytes(digest);
                worth.write(&mut w);
            }
            desk.put(format!("met/{peer}/{}", self.met_batches), w.finish());
            self.met_batches += 1;
        }
        let mut fresh = std::mem::take(&mut self.fresh_keys);
        fresh.sort_unstable();
        fresh.dedup();
        for part in fresh.chunks(BATCH) {
            let batch = self.key_batches;
            self.key_batches += 1;
            part.iter().for_each(|place| self.lies_in(*place, batch));
            // Keys that lie in an older batch too are added up when they are read.
            self.write_keys(peer, batch, part, desk);
        }
    }

    /// Notes that the keys of an overlap lie in one more batch.
    fn lies_in(&mut self, place: Place, batch: u32) {
        match self.rows[place].batch {
            NO_BATCH => self.rows[place].batch = batch,
            _ => self.more_batches.entry(place).or_default().push(batch),
        }
    }

    fn write_keys(&self, peer: &UnitName, batch: u32, places: &[Place], desk: &mut Desk) {
        let kept: Vec<(Place, &Keys)> =
            places.iter().filter_map(|p| Some((*p, self.rows[*p].keys.as_ref()?))).collect();
        let mut w = Writer::with_room(16 + 112 * kept.len());
        w.u64(kept.len() as u64);
        for (place, keys) in kept {
            let more = self.more_anchors.get(&place).map_or(&[][..], Vec::as_slice);
            w.bytes(&self.rows[place].handle.0);
            w.bytes(keys.secret.expose_secret());
            w.u64(1 + more.len() as u64);
            let anchors = std::iter::once((&keys.anchor.0, &keys.anchor.1)).chain(more.iter().map(|(t, k)| (t, &**k)));
            for (tag, key) in anchors {
                w.bytes(&tag.0);
                w.bytes(key.expose_secret());
            }
        }
        desk.put(format!("okey/{peer}/{batch}"), w.finish());
    }

    /// Reads a batch of meetings back at start, before any keys.
    pub fn read_met(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (record, peer_record) = (r.u64()?, RecordNumber(r.u32()?));
            let (handle, since): (Handle, u32) = (Bytes(r.array()?), tick_of(r.u64()?));
            let met = (r.array()?, Worth::read(&mut r)?);
            match self.between(record, peer_record) {
                Some(place) => drop(self.joins(place, met)),
                None => drop(self.add(Row { record, since, peer_record, handle, met, batch: NO_BATCH, keys: None })),
            }
        }
        self.met_batches = self.met_batches.max(u32::try_from(batch).ok()?.checked_add(1)?);
        r.at_end().then_some(())
    }

    /// Reads a batch of keys back at start.
    pub fn read_keys(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let batch: u32 = batch.try_into().ok()?;
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (handle, secret): (Handle, [u8; 32]) = (Bytes(r.array()?), r.array()?);
            let place = self.place_of(&handle)?;
            for _ in 0..r.u64()? {
                let (tag, key): (Tag, [u8; 32]) = (Bytes(r.array()?), r.array()?);
                if self.rows[place].keys.is_none() {
                    let secret = OverlapSecret::from_secret(&secret);
                    self.rows[place].keys = Some(Keys { secret, anchor: (tag, MatchKey::from_secret(&key)) });
                } else {
                    self.anchor(place, tag, || MatchKey::from_secret(&key));
                }
            }
            self.lies_in(place, batch);
        }
        self.key_batches = self.key_batches.max(batch.checked_add(1)?);
        r.at_end().then_some(())
    }
}

/// Names and numbers are as good as random: what the tables need.
fn spread_records(record: u64, peer: RecordNumber) -> u64 {
    record ^ u64::from(peer.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn spread_handle(handle: &Handle) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&handle.0[..8]);
    u64::from_le_bytes(first)
}
