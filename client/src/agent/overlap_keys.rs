//! The keys of overlaps: each one's secret and the match keys of its confirmed tokens, kept until the overlap ends (R31).
//!
//! They outlive the epoch in which they arose. There may be as many as there are matches, so each is kept small. Callers:
//! `confirming` puts them in, `casework` takes a case's key from them. *Not here:* the case's own key, once there is one.

use super::desk::Desk;
use super::store::{Reader, Writer};
use protocol::Bytes;
use protocol::name::UnitName;
use protocol::overlap::{CaseKey, Handle, OverlapSecret};
use protocol::psi::MatchKey;
use protocol::tagset::Tag;
use std::collections::HashMap;

/// Most match keys kept for one overlap, those of the smallest tags: whoever opens a case takes the first.
const MAX_ANCHORS: usize = 8;

struct Keys {
    secret: OverlapSecret,
    /// Ascending by tag. Boxed: a vector that grows leaves no copy of a key behind.
    anchors: Vec<(Tag, Box<MatchKey>)>,
    /// Batches of the vault in which these keys lie: one, or few.
    batches: Vec<u32>,
}

/// All of one peer's.
#[derive(Default)]
pub(super) struct OverlapKeys {
    kept: HashMap<Handle, Keys>,
    fresh: Vec<Handle>,
    next_batch: u32,
}

impl Keys {
    fn new(secret: OverlapSecret) -> Self {
        Keys { secret, anchors: Vec::new(), batches: Vec::new() }
    }

    /// Whether the anchor is new.
    fn add(&mut self, tag: Tag, key: Box<MatchKey>) -> bool {
        let place = self.anchors.binary_search_by(|(held, _)| held.cmp(&tag));
        match place {
            // The smallest tags, in whatever order they come: both units keep the same ones.
            Err(at) if at < MAX_ANCHORS => {
                self.anchors.truncate(MAX_ANCHORS - 1);
                self.anchors.reserve_exact(1);
                self.anchors.insert(at, (tag, key));
                true
            }
            _ => false,
        }
    }
}

impl OverlapKeys {
    /// A token of the overlap was confirmed on both sides.
    pub fn keep(&mut self, handle: Handle, secret: impl FnOnce() -> OverlapSecret, tag: Tag, key: &MatchKey) {
        let keys = self.kept.entry(handle).or_insert_with(|| Keys::new(secret()));
        if keys.add(tag, Box::new(MatchKey::from_secret(key.expose_secret()))) && self.fresh.last() != Some(&handle) {
            self.fresh.push(handle);
        }
    }

    /// The keys that a case of this overlap can have, the one to open it with first.
    pub fn case_keys(&self, handle: &Handle) -> impl Iterator<Item = CaseKey> + '_ {
        let keys = self.kept.get(handle);
        keys.into_iter().flat_map(|keys| keys.anchors.iter().map(|(_, anchor)| CaseKey::derive(&keys.secret, anchor)))
    }

    /// The overlap has ended: its keys are destroyed, and the batches they lay in are written anew.
    pub fn destroy(&mut self, handle: &Handle, peer: &UnitName, desk: &mut Desk) {
        self.fresh.retain(|fresh| fresh != handle);
        let Some(gone) = self.kept.remove(handle) else { return };
        for batch in gone.batches {
            let beside = self.kept.iter().filter(|(_, keys)| keys.batches.contains(&batch));
            let rest: Vec<Handle> = beside.map(|(handle, _)| *handle).collect();
            if rest.is_empty() {
                desk.delete(format!("okey/{peer}/{batch}"));
            } else {
                self.write(peer, batch, &rest, desk);
            }
        }
    }

    /// Writes what is new with this step.
    pub fn save(&mut self, peer: &UnitName, desk: &mut Desk) {
        if self.fresh.is_empty() {
            return;
        }
        let (batch, mut fresh) = (self.next_batch, std::mem::take(&mut self.fresh));
        self.next_batch += 1;
        fresh.sort_unstable();
        fresh.dedup();
        for handle in &fresh {
            if let Some(keys) = self.kept.get_mut(handle) {
                keys.batches.reserve_exact(1);
                keys.batches.push(batch);
            }
        }
        // Keys that lie in an older batch too are added up when they are read.
        self.write(peer, batch, &fresh, desk);
    }

    fn write(&self, peer: &UnitName, batch: u32, handles: &[Handle], desk: &mut Desk) {
        let kept: Vec<(&Handle, &Keys)> = handles.iter().filter_map(|h| Some((h, self.kept.get(h)?))).collect();
        let mut w = Writer::new();
        w.u64(kept.len() as u64);
        for (handle, keys) in kept {
            w.bytes(&handle.0);
            w.bytes(keys.secret.expose_secret());
            w.u64(keys.anchors.len() as u64);
            for (tag, key) in &keys.anchors {
                w.bytes(&tag.0);
                w.bytes(key.expose_secret());
            }
        }
        desk.put(format!("okey/{peer}/{batch}"), w.finish());
    }

    /// Reads a batch back at start.
    pub fn read(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let batch: u32 = batch.try_into().ok()?;
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (handle, secret): (Handle, [u8; 32]) = (Bytes(r.array()?), r.array()?);
            let keys = self.kept.entry(handle).or_insert_with(|| Keys::new(OverlapSecret::from_secret(&secret)));
            for _ in 0..r.u64()? {
                let (tag, key) = (Bytes(r.array()?), r.array()?);
                keys.add(tag, Box::new(MatchKey::from_secret(&key)));
            }
            keys.batches.reserve_exact(1);
            keys.batches.push(batch);
        }
        self.next_batch = self.next_batch.max(batch.checked_add(1)?);
        r.at_end().then_some(())
    }
}
