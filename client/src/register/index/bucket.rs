//! A bucket of references: in memory, and as it is written.
//!
//! Called by the index and its levels; register.rs looks one reference up by [`find`]. *Not here:* which reference belongs
//! into which bucket (level.rs).
//!
//! Form of a bucket: count (4) ‖ for each reference, sorted: hash (16) ‖ serial (8) ‖ two digests (12, 12) ‖ zeros.

use super::DAMAGED;
use crate::register::RegisterError;
use crate::register::state::{DIGEST, Pointer};
use zeroize::Zeroizing;

pub(super) const ENTRY: usize = 16 + 8 + 2 * DIGEST;

/// Looks a reference up in its bucket's value.
pub(in crate::register) fn find(value: &[u8], hash: &[u8; 16]) -> Result<Option<Pointer>, RegisterError> {
    let entries = decode(value)?;
    Ok(entries.binary_search_by(|entry| entry.hash.cmp(hash)).ok().map(|at| entries[at].pointer))
}

#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) hash: [u8; 16],
    pub(super) pointer: Pointer,
}

/// Two bytes of a hash, beside those that choose the bucket.
pub(super) fn mark(hash: &[u8; 16]) -> u16 {
    u16::from_be_bytes([hash[8], hash[9]])
}

/// A bucket in memory. An import looks every reference up among millions, so that what counts is how many lines of memory
/// a look touches: marks lie together and are gone through; entries are in any order until the bucket is written.
pub(super) struct Bucket {
    /// Of each entry, some bytes of its hash.
    pub(super) marks: Vec<u16>,
    pub(super) entries: Vec<Entry>,
    /// It is not what lies in the vault.
    pub(super) changed: bool,
    /// Nor are its marks.
    pub(super) moved: bool,
}

impl Bucket {
    /// As it lies in the vault.
    pub(super) fn stored(entries: Vec<Entry>) -> Bucket {
        Bucket { marks: marks(&entries), entries, changed: false, moved: false }
    }

    /// As it does not lie in the vault yet.
    pub(super) fn new(entries: Vec<Entry>) -> Bucket {
        Bucket { marks: marks(&entries), entries, changed: true, moved: true }
    }

    pub(super) fn find(&self, hash: &[u8; 16]) -> Option<usize> {
        let wanted = mark(hash);
        let alike = self.marks.iter().enumerate().filter(|(_, mark)| **mark == wanted);
        alike.map(|(at, _)| at).find(|at| self.entries[*at].hash == *hash)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.marks.push(mark(&entry.hash));
        self.entries.push(entry);
        (self.changed, self.moved) = (true, true);
    }

    /// Takes out what `goes`.
    pub(super) fn take(&mut self, goes: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (gone, stay): (Vec<Entry>, Vec<Entry>) = self.entries.iter().copied().partition(goes);
        if !gone.is_empty() {
            *self = Bucket::new(stay);
        }
        gone
    }

    /// What is written of it, with room for so many references.
    pub(super) fn encode(&mut self, room: usize) -> Zeroizing<Vec<u8>> {
        if !self.entries.is_sorted_by_key(|entry| entry.hash) {
            self.entries.sort_unstable_by_key(|entry| entry.hash);
            self.marks.clear();
            self.marks.extend(self.entries.iter().map(|entry| mark(&entry.hash)));
        }
        encode(&self.entries, room)
    }
}

fn marks(entries: &[Entry]) -> Vec<u16> {
    entries.iter().map(|entry| mark(&entry.hash)).collect()
}

fn encode(entries: &[Entry], room: usize) -> Zeroizing<Vec<u8>> {
    let length = 4 + room.max(entries.len()) * ENTRY;
    let mut out = Zeroizing::new(Vec::with_capacity(length));
    out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    for Entry { hash, pointer } in entries {
        out.extend_from_slice(hash);
        out.extend_from_slice(&pointer.serial.to_be_bytes());
        out.extend_from_slice(&pointer.matching);
        out.extend_from_slice(&pointer.whole);
    }
    out.resize(length, 0);
    out
}

pub(super) fn decode(value: &[u8]) -> Result<Vec<Entry>, RegisterError> {
    let read = || {
        let (count, rest) = value.split_first_chunk::<4>()?;
        let entries = rest.get(..(u32::from_be_bytes(*count) as usize).checked_mul(ENTRY)?)?;
        let entry = |bytes: &[u8]| {
            let (hash, rest) = bytes.split_first_chunk()?;
            let (serial, rest) = rest.split_first_chunk()?;
            let (matching, rest) = rest.split_first_chunk()?;
            let pointer =
                Pointer { serial: u64::from_be_bytes(*serial), matching: *matching, whole: rest.try_into().ok()? };
            Some(Entry { hash: *hash, pointer })
        };
        entries.chunks_exact(ENTRY).map(entry).collect::<Option<Vec<Entry>>>()
    };
    read().ok_or(DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{hash, pointer};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bucket = Bucket::new((0..9).map(|i| Entry { hash: hash(i), pointer: pointer(i) }).collect());
        let value = bucket.encode(20);
        assert_eq!(value.len(), 4 + 20 * ENTRY);
        assert!((0..9).all(|i| bucket.find(&hash(i)).map(|at| bucket.entries[at].pointer) == Some(pointer(i))));
        assert!(find(&value, &hash(4)).unwrap() == Some(pointer(4)));
        assert!(find(&value, &hash(10)).unwrap().is_none());
        assert!(find(&value[..100], &hash(4)).is_err());
        assert!(find(&[], &hash(4)).is_err());
    }
}
