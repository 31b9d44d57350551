//! The keys of overlaps: each one's secret and the match keys of its confirmed tokens, kept until the overlap ends (R31).
//!
//! They outlive the epoch in which they arose. Callers: `confirming` puts them in, `casework` takes a case's key from them.
//! *Not here:* the case's own key, once there is one.

use super::desk::Desk;
use super::store::{Reader, Writer};
use protocol::Bytes;
use protocol::name::UnitName;
use protocol::overlap::{CaseKey, Handle, OverlapSecret};
use protocol::psi::MatchKey;
use protocol::tagset::Tag;
use std::collections::{BTreeMap, BTreeSet};

/// Most match keys kept for one overlap: whoever opens a case takes the one with the smallest tag.
const MAX_ANCHORS: usize = 8;

struct Keys {
    secret: OverlapSecret,
    anchors: BTreeMap<Tag, MatchKey>,
    dirty: bool,
}

/// All of one peer's.
#[derive(Default)]
pub(super) struct OverlapKeys {
    kept: BTreeMap<Handle, Keys>,
    fresh: Vec<Handle>,
    batches: u64,
    /// What lies in each batch of the vault.
    written: BTreeMap<u64, BTreeSet<Handle>>,
}

impl OverlapKeys {
    /// A token of the overlap was confirmed on both sides.
    pub fn keep(&mut self, handle: Handle, secret: impl FnOnce() -> OverlapSecret, tag: Tag, key: &MatchKey) {
        let keys = self.kept.entry(handle).or_insert_with(|| Keys {
            secret: secret(),
            anchors: BTreeMap::new(),
            dirty: false,
        });
        if keys.anchors.len() < MAX_ANCHORS && !keys.anchors.contains_key(&tag) {
            keys.anchors.insert(tag, MatchKey::from_secret(key.expose_secret()));
            if !std::mem::replace(&mut keys.dirty, true) {
                self.fresh.push(handle);
            }
        }
    }

    /// The keys that a case of this overlap can have, the one to open it with first.
    pub fn case_keys(&self, handle: &Handle) -> impl Iterator<Item = CaseKey> + '_ {
        let keys = self.kept.get(handle);
        keys.into_iter().flat_map(|keys| keys.anchors.values().map(|anchor| CaseKey::derive(&keys.secret, anchor)))
    }

    /// The overlap has ended: its keys are destroyed, and the batch they lay in is written anew.
    pub fn destroy(&mut self, handle: &Handle, peer: &UnitName, desk: &mut Desk) {
        self.kept.remove(handle);
        self.fresh.retain(|fresh| fresh != handle);
        let places: Vec<u64> =
            self.written.iter().filter(|(_, held)| held.contains(handle)).map(|(at, _)| *at).collect();
        for batch in places {
            let held = self.written.get_mut(&batch).map(std::mem::take).unwrap_or_default();
            let rest: BTreeSet<Handle> = held.into_iter().filter(|held| held != handle).collect();
            if rest.is_empty() {
                self.written.remove(&batch);
                desk.delete(format!("okey/{peer}/{batch}"));
            } else {
                self.write(peer, batch, rest, desk);
            }
        }
    }

    /// Writes what is new with this step.
    pub fn save(&mut self, peer: &UnitName, desk: &mut Desk) {
        if self.fresh.is_empty() {
            return;
        }
        let (batch, fresh) = (self.batches, std::mem::take(&mut self.fresh));
        self.batches += 1;
        for handle in &fresh {
            if let Some(keys) = self.kept.get_mut(handle) {
                keys.dirty = false;
            }
        }
        // Keys that lie in an older batch too are added up when they are read.
        self.write(peer, batch, fresh.into_iter().collect(), desk);
    }

    fn write(&mut self, peer: &UnitName, batch: u64, handles: BTreeSet<Handle>, desk: &mut Desk) {
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
        self.written.insert(batch, handles);
    }

    /// Reads a batch back at start.
    pub fn read(&mut self, batch: u64, bytes: &[u8]) -> Option<()> {
        let mut r = Reader::new(bytes);
        for _ in 0..r.u64()? {
            let (handle, secret): (Handle, [u8; 32]) = (Bytes(r.array()?), r.array()?);
            let keys = self.kept.entry(handle).or_insert_with(|| Keys {
                secret: OverlapSecret::from_secret(&secret),
                anchors: BTreeMap::new(),
                dirty: false,
            });
            for _ in 0..r.u64()? {
                let (tag, key) = (Bytes(r.array()?), r.array()?);
                keys.anchors.insert(tag, MatchKey::from_secret(&key));
            }
            self.written.entry(batch).or_default().insert(handle);
        }
        self.batches = self.batches.max(batch + 1);
        r.at_end().then_some(())
    }
}
