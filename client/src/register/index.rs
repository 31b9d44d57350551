//! The index from references to records, as one transaction sees and changes it.
//!
//! Called by writing.rs; register.rs uses [`address`] and [`find`] to look one reference up. *Not here:* the records.
//!
//! References lie in buckets by their hashes. The buckets' number grows with the register by linear hashing: a new bucket
//! takes its share from one other bucket, so that growing costs what is added, and few references touch few buckets.
//!
//! Sizes and number of buckets must not tell how many references there are. The number is one of those that the vault
//! shows anyway ([`vault::shown`]), and each bucket is padded to a size that depends on the number only, above what chance
//! puts into it.
//!
//! Form of a bucket: count (4) ‖ for each reference, sorted: hash (16) ‖ serial (8) ‖ two digests (12, 12) ‖ zeros.

use super::RegisterError;
use super::state::{DIGEST, Pointer};
use crate::vault::{self, Change, Transaction};
use zeroize::Zeroizing;

/// References in a bucket when all buckets are alike and full: with what chance adds, a row of 4 KiB.
const TARGET: u64 = 42;
/// Buckets read or written at a time.
const STRIDE: usize = 128;
/// References held in memory: beyond that, buckets are written and forgotten. A register of two million fits.
const HELD: usize = 2_500_000;
const ENTRY: usize = 16 + 8 + 2 * DIGEST;
const DAMAGED: RegisterError = RegisterError::Damaged("a bucket of references");

/// Where a bucket stands.
pub(super) fn key(address: u64) -> String {
    format!("reference/{address}")
}

/// The bucket of a reference, of so many.
pub(super) fn address(hash: &[u8; 16], buckets: u64) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    let level = 1 << buckets.max(1).ilog2();
    match number & (2 * level - 1) {
        split if split < buckets => split,
        whole => whole & (level - 1),
    }
}

/// Looks a reference up in its bucket's value.
pub(super) fn find(value: &[u8], hash: &[u8; 16]) -> Result<Option<Pointer>, RegisterError> {
    let entries = decode(value)?;
    Ok(entries.binary_search_by(|entry| entry.hash.cmp(hash)).ok().map(|at| entries[at].pointer))
}

#[derive(Clone, Copy)]
struct Entry {
    hash: [u8; 16],
    pointer: Pointer,
}

/// A place of the index.
pub(super) struct Slot {
    bucket: usize,
    /// Its entry, if it has one.
    at: Option<usize>,
}

/// A bucket in memory. An import looks every reference up among millions, so that what counts is how many lines of memory
/// a look touches: marks lie together and are gone through; entries are in any order until the bucket is written.
struct Bucket {
    /// Of each entry, four bytes of its hash.
    marks: Vec<u32>,
    entries: Vec<Entry>,
    changed: bool,
}

impl Bucket {
    fn new(entries: Vec<Entry>, changed: bool) -> Bucket {
        Bucket { marks: entries.iter().map(|entry| mark(&entry.hash)).collect(), entries, changed }
    }

    fn find(&self, hash: &[u8; 16]) -> Option<usize> {
        let wanted = mark(hash);
        let alike = self.marks.iter().enumerate().filter(|(_, mark)| **mark == wanted);
        alike.map(|(at, _)| at).find(|at| self.entries[*at].hash == *hash)
    }

    fn push(&mut self, entry: Entry) {
        self.marks.push(mark(&entry.hash));
        self.entries.push(entry);
        self.changed = true;
    }

    /// Takes out what `goes`.
    fn take(&mut self, goes: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let (gone, stay): (Vec<Entry>, Vec<Entry>) = self.entries.iter().copied().partition(goes);
        if !gone.is_empty() {
            *self = Bucket::new(stay, true);
        }
        gone
    }

    /// Its entries in the order in which they are written.
    fn in_order(&mut self) -> &[Entry] {
        if !self.entries.is_sorted_by_key(|entry| entry.hash) {
            self.entries.sort_unstable_by_key(|entry| entry.hash);
            self.marks.clear();
            self.marks.extend(self.entries.iter().map(|entry| mark(&entry.hash)));
        }
        &self.entries
    }
}

/// Four bytes of a hash, beside those that choose the bucket.
fn mark(hash: &[u8; 16]) -> u32 {
    u32::from_ne_bytes([hash[8], hash[9], hash[10], hash[11]])
}

/// The index.
pub(super) struct Index {
    /// None: not in memory, as it lies in the vault.
    buckets: Vec<Option<Bucket>>,
    /// All references.
    count: u64,
    held: usize,
}

impl Index {
    pub(super) fn new(buckets: u64, count: u64) -> Index {
        Index { buckets: (0..buckets).map(|_| None).collect(), count, held: 0 }
    }

    /// How many buckets there are.
    pub(super) fn buckets(&self) -> u64 {
        self.buckets.len() as u64
    }

    fn address(&self, hash: &[u8; 16]) -> usize {
        address(hash, self.buckets()) as usize
    }

    /// Brings the buckets of these references into memory. Before [`slot`](Self::slot).
    pub(super) async fn prepare(
        &mut self,
        transaction: &mut Transaction,
        hashes: impl Iterator<Item = &[u8; 16]>,
    ) -> Result<(), RegisterError> {
        if self.buckets.is_empty() {
            self.buckets = (0..number(0)).map(|_| Some(Bucket::new(Vec::new(), true))).collect();
        }
        if self.held > HELD {
            self.write(transaction).await?;
            self.buckets.iter_mut().for_each(|bucket| *bucket = None);
            self.held = 0;
        }
        let mut missing: Vec<usize> =
            hashes.map(|hash| self.address(hash)).filter(|at| self.buckets[*at].is_none()).collect();
        missing.sort_unstable();
        missing.dedup();
        self.load(transaction, &missing).await
    }

    /// Where a reference stands, or would stand: looked up once for [`get_at`](Self::get_at) and [`set_at`](Self::set_at), as
    /// long as nothing else is set between them.
    pub(super) fn slot(&self, hash: &[u8; 16]) -> Slot {
        let bucket = self.address(hash);
        Slot { bucket, at: self.buckets[bucket].as_ref().and_then(|bucket| bucket.find(hash)) }
    }

    /// What stands in a slot.
    pub(super) fn get_at(&self, slot: &Slot) -> Option<Pointer> {
        Some(self.buckets[slot.bucket].as_ref()?.entries[slot.at?].pointer)
    }

    /// Puts a reference into its slot.
    pub(super) fn set_at(&mut self, slot: &Slot, hash: [u8; 16], pointer: Pointer) {
        let Some(bucket) = &mut self.buckets[slot.bucket] else { return };
        match slot.at {
            Some(at) => {
                bucket.entries[at].pointer = pointer;
                bucket.changed = true;
            }
            None => {
                bucket.push(Entry { hash, pointer });
                self.count += 1;
                self.held += 1;
            }
        }
    }

    /// Takes out some more references, in no order that means anything: those that are not among `kept`, which is sorted.
    /// Their serials; None at the end. `next` goes from 0 on.
    pub(super) async fn retain_some(
        &mut self,
        transaction: &mut Transaction,
        next: &mut usize,
        kept: &[[u8; 16]],
    ) -> Result<Option<Vec<u64>>, RegisterError> {
        let end = (*next + STRIDE).min(self.buckets.len());
        if *next >= end {
            return Ok(None);
        }
        let missing: Vec<usize> = (*next..end).filter(|at| self.buckets[*at].is_none()).collect();
        self.load(transaction, &missing).await?;
        let mut gone = Vec::new();
        for bucket in self.buckets[*next..end].iter_mut().flatten() {
            let taken = bucket.take(|entry| kept.binary_search(&entry.hash).is_err());
            gone.extend(taken.iter().map(|entry| entry.pointer.serial));
        }
        *next = end;
        self.held -= gone.len();
        self.count -= gone.len() as u64;
        if self.held > HELD {
            self.write(transaction).await?;
            self.buckets.iter_mut().for_each(|bucket| *bucket = None);
            self.held = 0;
        }
        Ok(Some(gone))
    }

    /// Brings the buckets to their number while the register grows.
    pub(super) async fn grow(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        let (now, wanted) = (self.buckets(), number(self.count));
        if wanted <= now {
            return Ok(());
        }
        let parents: Vec<usize> = (now..wanted).map(|at| parent(at) as usize).collect();
        let missing = parents.iter().copied().filter(|at| self.buckets.get(*at).is_some_and(Option::is_none)).collect();
        self.load(transaction, &sorted(missing)).await?;
        for at in now..wanted {
            let Some(Some(parent)) = self.buckets.get_mut(parent(at) as usize) else { return Err(DAMAGED) };
            let goes = |entry: &Entry| address(&entry.hash, at + 1) == at;
            let entries = parent.take(goes);
            // Its padding is smaller from now on, whether anything goes or not.
            parent.changed = true;
            self.buckets.push(Some(Bucket::new(entries, true)));
        }
        Ok(())
    }

    /// Brings the buckets to their number, and writes what changed.
    pub(super) async fn settle(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        self.grow(transaction).await?;
        let (now, wanted) = (self.buckets(), if self.count == 0 { 0 } else { number(self.count) });
        if wanted < now {
            let mut needed: Vec<usize> = (wanted..now).map(|at| at as usize).collect();
            if wanted > 0 {
                needed.extend((wanted..now).map(|at| parent(at) as usize));
            }
            needed.retain(|at| self.buckets[*at].is_none());
            self.load(transaction, &sorted(needed)).await?;
            let gone: Vec<Change> = (wanted..now).map(|at| Change::delete(key(at))).collect();
            for at in (wanted..now).rev() {
                let Some(Some(bucket)) = self.buckets.pop() else { return Err(DAMAGED) };
                if wanted == 0 {
                    continue;
                }
                let Some(Some(parent)) = self.buckets.get_mut(parent(at) as usize) else { return Err(DAMAGED) };
                bucket.entries.into_iter().for_each(|entry| parent.push(entry));
                parent.changed = true;
            }
            transaction.apply(&gone).await?;
        }
        self.write(transaction).await
    }

    async fn load(&mut self, transaction: &mut Transaction, addresses: &[usize]) -> Result<(), RegisterError> {
        for some in addresses.chunks(STRIDE) {
            let keys: Vec<String> = some.iter().map(|at| key(*at as u64)).collect();
            for (at, value) in some.iter().zip(transaction.get_many(&keys).await?) {
                let entries = decode(&value.ok_or(DAMAGED)?)?;
                self.held += entries.len();
                self.buckets[*at] = Some(Bucket::new(entries, false));
            }
        }
        Ok(())
    }

    async fn write(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        let all = self.buckets();
        let changed: Vec<u64> =
            (0..all).filter(|at| self.buckets[*at as usize].as_ref().is_some_and(|bucket| bucket.changed)).collect();
        for some in changed.chunks(STRIDE) {
            let mut changes = Vec::with_capacity(some.len());
            for at in some {
                if let Some(bucket) = &mut self.buckets[*at as usize] {
                    let value = encode(bucket.in_order(), capacity(*at, all));
                    changes.push(Change::Put { key: key(*at), value });
                    bucket.changed = false;
                }
            }
            transaction.apply(&changes).await?;
        }
        Ok(())
    }
}

/// Buckets of so many references.
fn number(count: u64) -> u64 {
    vault::shown(count.div_ceil(TARGET).max(1))
}

/// The bucket from which a new one takes its share.
fn parent(address: u64) -> u64 {
    address - (1 << address.ilog2())
}

/// Room in a bucket: what it holds on average when the register is as large as its number of buckets allows, and five
/// times the spread of chance above it. More than that is written all the same.
fn capacity(address: u64, buckets: u64) -> usize {
    let level = 1 << buckets.max(1).ilog2();
    let split = address >= level || address + level < buckets;
    let average = (TARGET * buckets / level) >> u32::from(split);
    (average + 5 * average.isqrt() + 8) as usize
}

fn sorted(mut addresses: Vec<usize>) -> Vec<usize> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn encode(entries: &[Entry], capacity: usize) -> Zeroizing<Vec<u8>> {
    let length = 4 + capacity.max(entries.len()) * ENTRY;
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

fn decode(value: &[u8]) -> Result<Vec<Entry>, RegisterError> {
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
    use super::*;
    use sha2::{Digest, Sha256};

    fn hash(number: u64) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&Sha256::digest(number.to_be_bytes())[..16]);
        out
    }

    #[test]
    fn a_new_bucket_takes_from_its_parent_only() {
        for buckets in 16..300 {
            for hash in (0..500).map(hash) {
                let (before, after) = (address(&hash, buckets), address(&hash, buckets + 1));
                assert!(before < buckets);
                assert!(after == before || after == buckets && before == parent(buckets), "{buckets}");
            }
        }
    }

    #[test]
    fn number_and_sizes_of_buckets_follow_from_each_other() {
        for count in [0_u64, 1, 42, 600, 672, 673, 5000, 20_000, 100_000] {
            let buckets = number(count);
            assert_eq!(vault::shown(buckets), buckets, "needs no padding rows");
            let mut loads = vec![0; buckets as usize];
            (0..count).for_each(|i| loads[address(&hash(i), buckets) as usize] += 1);
            for (at, load) in loads.into_iter().enumerate() {
                assert!(load <= capacity(at as u64, buckets), "{count} {buckets} {at} {load}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let pointer = |serial| Pointer { serial, matching: [1; DIGEST], whole: [2; DIGEST] };
        let mut entries: Vec<Entry> =
            (0..9).map(|serial| Entry { hash: hash(serial), pointer: pointer(serial) }).collect();
        entries.sort_unstable_by_key(|entry| entry.hash);
        let value = encode(&entries, 20);
        assert_eq!(value.len(), 4 + 20 * ENTRY);
        assert!(find(&value, &hash(4)).unwrap() == Some(pointer(4)));
        assert!(find(&value, &hash(10)).unwrap().is_none());
        assert!(find(&value[..100], &hash(4)).is_err());
        assert!(find(&[], &hash(4)).is_err());
    }
}
