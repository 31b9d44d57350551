//! A level of the index: buckets that divide references among them by their hashes.
//!
//! Called by the index only. *Not here:* which references stand in which level.
//!
//! The buckets' number grows by linear hashing: a new bucket takes its share from one other bucket, so that growing costs
//! what is added.

use super::bucket::{self, Bucket, Entry};
use super::{DAMAGED, marks};
use crate::register::RegisterError;
use crate::vault::{self, Change, Transaction};
use std::collections::BTreeSet;
use std::ops::Range;

/// References, or room for them, that are read or written at a time: some hundreds of KiB.
const STRIDE: u64 = 5_400;

/// What is known of a bucket.
pub(super) enum Held {
    /// Nothing: it is as it lies in the vault.
    Nothing,
    /// The marks of its references; the rest is as it lies in the vault.
    Marks(Vec<u16>),
    /// All of it.
    Whole(Bucket),
}

/// A level.
pub(super) struct Level {
    /// What its keys begin with.
    prefix: &'static str,
    /// References in a bucket when all buckets are alike and full.
    target: u64,
    buckets: Vec<Held>,
    /// All references.
    pub(super) count: u64,
    /// References in memory.
    pub(super) held: usize,
    /// Groups of buckets whose marks changed.
    pub(super) moved: BTreeSet<u64>,
}

impl Level {
    pub(super) fn new(prefix: &'static str, target: u64, buckets: u64, count: u64) -> Level {
        let buckets = (0..buckets).map(|_| Held::Nothing).collect();
        Level { prefix, target, buckets, count, held: 0, moved: BTreeSet::new() }
    }

    /// Empties it, and gives it so many buckets.
    pub(super) fn clear(&mut self, buckets: u64) {
        self.buckets = (0..buckets).map(|_| Held::Whole(Bucket::new(Vec::new()))).collect();
        (self.count, self.held) = (0, 0);
    }

    /// How many buckets there are.
    pub(super) fn buckets(&self) -> u64 {
        self.buckets.len() as u64
    }

    /// Buckets of so many references.
    pub(super) fn number(&self, count: u64) -> u64 {
        number(count, self.target)
    }

    /// Buckets that are read or written at a time: a multiple of eight, for which the vault needs few statements.
    pub(super) fn stride(&self) -> usize {
        ((STRIDE / self.target.max(1)).clamp(8, 128) & !7) as usize
    }

    /// Where a bucket stands.
    pub(super) fn key(&self, address: u64) -> String {
        format!("{}{address}", self.prefix)
    }

    pub(super) fn address(&self, hash: &[u8; 16]) -> usize {
        address(hash, self.buckets()) as usize
    }

    /// Whether nothing is known of a bucket.
    pub(super) fn is_unknown(&self, at: usize) -> bool {
        matches!(self.buckets[at], Held::Nothing)
    }

    /// The marks of a bucket, if they are known.
    pub(super) fn marks(&self, at: usize) -> Option<&[u16]> {
        match &self.buckets[at] {
            Held::Nothing => None,
            Held::Marks(marks) => Some(marks),
            Held::Whole(bucket) => Some(&bucket.marks),
        }
    }

    /// Notes the marks of a bucket of which nothing is known.
    pub(super) fn note_marks(&mut self, at: usize, marks: Vec<u16>) {
        if let Some(held @ Held::Nothing) = self.buckets.get_mut(at) {
            *held = Held::Marks(marks);
        }
    }

    /// A bucket in memory.
    pub(super) fn whole(&self, at: usize) -> Option<&Bucket> {
        match &self.buckets[at] {
            Held::Whole(bucket) => Some(bucket),
            _ => None,
        }
    }

    pub(super) fn whole_mut(&mut self, at: usize) -> Option<&mut Bucket> {
        match self.buckets.get_mut(at) {
            Some(Held::Whole(bucket)) => Some(bucket),
            _ => None,
        }
    }

    /// Puts a reference that is not there into a bucket in memory.
    pub(super) fn push(&mut self, at: usize, entry: Entry) {
        let Some(bucket) = self.whole_mut(at) else { return };
        bucket.push(entry);
        self.count += 1;
        self.held += 1;
    }

    /// Takes references out of some buckets.
    pub(super) async fn take(
        &mut self,
        transaction: &mut Transaction,
        range: Range<usize>,
        goes: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<Entry>, RegisterError> {
        self.load(transaction, range.clone().collect()).await?;
        let mut gone = Vec::new();
        for at in range {
            gone.extend(self.whole_mut(at).ok_or(DAMAGED)?.take(&goes));
        }
        self.held -= gone.len();
        self.count = self.count.checked_sub(gone.len() as u64).ok_or(DAMAGED)?;
        Ok(gone)
    }

    /// Adds buckets until there are as many as so many references need.
    pub(super) async fn grow(&mut self, transaction: &mut Transaction, count: u64) -> Result<(), RegisterError> {
        let (now, wanted) = (self.buckets(), self.number(count));
        // No bucket at all: nothing was ever put.
        if wanted <= now || now == 0 {
            return Ok(());
        }
        let parents = (now..wanted).map(|at| parent(at) as usize).filter(|at| *at < self.buckets.len()).collect();
        self.load(transaction, parents).await?;
        for at in now..wanted {
            let parent = self.whole_mut(parent(at) as usize).ok_or(DAMAGED)?;
            let entries = parent.take(|entry| address(&entry.hash, at + 1) == at);
            // Its padding is smaller from now on, whether anything goes or not.
            (parent.changed, parent.moved) = (true, true);
            self.buckets.push(Held::Whole(Bucket::new(entries)));
        }
        Ok(())
    }

    /// Takes the last buckets away; none is left only if there is no reference.
    pub(super) async fn shrink(&mut self, transaction: &mut Transaction, wanted: u64) -> Result<(), RegisterError> {
        let now = self.buckets();
        let mut needed: Vec<usize> = (wanted..now).map(|at| at as usize).collect();
        if wanted > 0 {
            needed.extend((wanted..now).map(|at| parent(at) as usize));
        }
        self.load(transaction, needed).await?;
        let gone: Vec<Change> = (wanted..now).map(|at| Change::delete(self.key(at))).collect();
        for at in (wanted..now).rev() {
            let Some(Held::Whole(bucket)) = self.buckets.pop() else { return Err(DAMAGED) };
            // The last group may have lost some of its buckets.
            self.moved.insert(marks::group(wanted.saturating_sub(1)));
            if wanted > 0 {
                let parent = self.whole_mut(parent(at) as usize).ok_or(DAMAGED)?;
                bucket.entries.into_iter().for_each(|entry| parent.push(entry));
                (parent.changed, parent.moved) = (true, true);
            }
        }
        Ok(transaction.apply(&gone).await?)
    }

    /// Brings buckets into memory.
    pub(super) async fn load(
        &mut self,
        transaction: &mut Transaction,
        mut addresses: Vec<usize>,
    ) -> Result<(), RegisterError> {
        addresses.retain(|at| self.whole(*at).is_none());
        addresses.sort_unstable();
        addresses.dedup();
        for some in addresses.chunks(self.stride()) {
            let keys: Vec<String> = some.iter().map(|at| self.key(*at as u64)).collect();
            for (at, value) in some.iter().zip(transaction.get_many(&keys).await?) {
                let entries = bucket::decode(&value.ok_or(DAMAGED)?)?;
                self.held += entries.len();
                self.buckets[*at] = Held::Whole(Bucket::stored(entries));
            }
        }
        Ok(())
    }

    /// Writes what changed.
    pub(super) async fn write(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        let all = self.buckets();
        let changed: Vec<usize> =
            (0..self.buckets.len()).filter(|at| self.whole(*at).is_some_and(|bucket| bucket.changed)).collect();
        for some in changed.chunks(self.stride()) {
            let mut changes = Vec::with_capacity(some.len());
            for at in some {
                let (key, room) = (self.key(*at as u64), room(average(*at as u64, all, self.target)));
                let bucket = self.whole_mut(*at).ok_or(DAMAGED)?;
                changes.push(Change::Put { key, value: bucket.encode(room) });
                let moved = std::mem::take(&mut bucket.moved);
                bucket.changed = false;
                if moved {
                    self.moved.insert(marks::group(*at as u64));
                }
            }
            transaction.apply(&changes).await?;
        }
        Ok(())
    }

    /// Forgets all but the marks, once all is written.
    pub(super) fn forget(&mut self) {
        for held in &mut self.buckets {
            if let Held::Whole(bucket) = held {
                *held = Held::Marks(std::mem::take(&mut bucket.marks));
            }
        }
        self.held = 0;
    }
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

/// Buckets of so many references. One of the numbers that the vault shows anyway, so that no padding rows are needed.
pub(super) fn number(count: u64, target: u64) -> u64 {
    vault::shown(count.div_ceil(target).max(1))
}

/// The bucket from which a new one takes its share.
fn parent(address: u64) -> u64 {
    address - (1 << address.ilog2())
}

/// What a bucket holds on average when there are as many references as the number of buckets allows.
pub(super) fn average(address: u64, buckets: u64, target: u64) -> u64 {
    let level = 1 << buckets.max(1).ilog2();
    let split = address >= level || address + level < buckets;
    (target * buckets / level) >> u32::from(split)
}

/// Room for so many on average: five times the spread of chance above it. More than that is written all the same.
pub(super) fn room(average: u64) -> usize {
    (average + 5 * average.isqrt() + 8) as usize
}

#[cfg(test)]
mod tests {
    use super::super::tests::hash;
    use super::*;

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
        for (count, target) in
            [0_u64, 1, 42, 600, 672, 673, 5000, 20_000, 100_000].map(|n| [(n, 42), (n, 680)]).concat()
        {
            let buckets = number(count, target);
            assert_eq!(vault::shown(buckets), buckets, "needs no padding rows");
            let mut loads = vec![0; buckets as usize];
            (0..count).for_each(|i| loads[address(&hash(i), buckets) as usize] += 1);
            for (at, load) in loads.into_iter().enumerate() {
                assert!(load <= room(average(at as u64, buckets, target)), "{count} {buckets} {at} {load}");
            }
        }
    }
}
