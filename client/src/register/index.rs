//! The index from references to records, as one transaction sees and changes it.
//!
//! Called by writing.rs; register.rs uses [`keys`] and [`find`] to look one reference up. *Not here:* the records.
//!
//! References lie in buckets by their hashes, in two levels. A few new references would touch nearly as many buckets of a
//! large register, all over the file: they go into the fresh level, which has few and large buckets. When it is full, all
//! of it goes into the main level, in the same transaction; what comes after goes there at once, so that a first import
//! or a large one writes the main level only. A reference stands in one level, and changes where it stands.
//!
//! That a reference is not in the main level is mostly known from the marks of its buckets (marks.rs), which are a
//! twentieth of them. A small register has the main level only, and no marks; so has one that the version before wrote,
//! until something is imported.
//!
//! Sizes and number of buckets must not tell how many references there are. The number of those in the main level is one
//! that the vault shows anyway ([`vault::shown`]); that of the fresh ones (none while that level is empty), and of the rows
//! of marks, follows from it. Each is padded to a size that depends on these numbers only, above what chance puts into it.

mod bucket;
mod level;
mod marks;

pub(super) use bucket::find;

use super::RegisterError;
use super::state::{Pointer, State};
use crate::vault::{self, Change, Transaction};
use bucket::{Entry, mark};
use level::Level;

/// References in a bucket of the main level: with what chance adds, a row of 4 KiB.
const TARGET: u64 = 42;
/// References in a full bucket of the fresh level, at most: most of its buckets are touched by most imports, and few large
/// rows cost less than many small ones. Rows of 24 to 48 KiB.
const TARGET_FRESH: u64 = 680;
/// The fresh level holds this share of what the main level has room for: an eighth. The larger, the more rarely it is full,
/// and the more an import touches of it.
const SHARE: u64 = 8;
/// A register with fewer buckets has no fresh level. In tests, all but the smallest have one.
const LEAST: u64 = if cfg!(test) { 32 } else { 512 };
/// Groups of marks read or written at a time.
const STRIDE: usize = 128;
/// References held in memory: beyond that, buckets are written and forgotten. A register of two million fits.
const HELD: usize = if cfg!(test) { 2_000 } else { 2_500_000 };
const MAIN: &str = "reference/";
const FRESH: &str = "reference/fresh/";
const DAMAGED: RegisterError = RegisterError::Damaged("a bucket of references");

/// Where a reference may stand.
pub(super) fn keys(hash: &[u8; 16], state: &State) -> Vec<String> {
    let place = |prefix: &str, buckets: u64| format!("{prefix}{}", level::address(hash, buckets));
    let fresh = state.fresh.map(|_| place(FRESH, fresh_buckets(state.buckets)));
    [Some(place(MAIN, state.buckets)), fresh].into_iter().flatten().collect()
}

/// References that the fresh level takes beside so many buckets of the main one; 0: it has no fresh level.
fn limit(buckets: u64) -> u64 {
    if buckets < LEAST { 0 } else { buckets * TARGET / SHARE }
}

/// Buckets of the fresh level beside so many of the main one: a power of two, so that all are alike.
fn fresh_buckets(buckets: u64) -> u64 {
    match limit(buckets) {
        0 => 0,
        limit => vault::shown(limit.div_ceil(TARGET_FRESH).next_power_of_two()),
    }
}

/// The fresh level beside so many buckets of the main one.
fn fresh_level(buckets: u64, count: u64) -> Level {
    let number = fresh_buckets(buckets);
    Level::new(FRESH, limit(buckets).div_ceil(number.max(1)), number, count)
}

/// A place of the index.
pub(super) struct Slot {
    /// In the fresh level.
    fresh: bool,
    bucket: usize,
    /// Its entry, if it has one.
    at: Option<usize>,
}

/// The index.
pub(super) struct Index {
    main: Level,
    fresh: Level,
    /// Buckets of the main level whose marks lie in the vault; 0: there are no marks, and no fresh level.
    marked: u64,
    /// Rows of the fresh level in the vault. While it is empty there are none: a first import need not write them.
    fresh_rows: u64,
    /// New references go into the main level: there is no fresh one, or this transaction has emptied it.
    direct: bool,
}

impl Index {
    pub(super) fn new(state: &State) -> Index {
        let (buckets, fresh) = (state.buckets, state.fresh.unwrap_or(0));
        let layered = state.fresh.is_some() && limit(buckets) > 0;
        let marked = if layered { buckets } else { 0 };
        let mut level = fresh_level(marked, fresh);
        let fresh_rows = if fresh > 0 { level.buckets() } else { 0 };
        if fresh == 0 {
            level.clear(level.buckets());
        }
        Index {
            main: Level::new(MAIN, TARGET, buckets, state.records - fresh.min(state.records)),
            fresh: level,
            marked,
            fresh_rows,
            direct: !layered,
        }
    }

    /// How many buckets there are in the main level.
    pub(super) fn buckets(&self) -> u64 {
        self.main.buckets()
    }

    /// References in the fresh level, if there is one. After [`settle`](Self::settle).
    pub(super) fn fresh(&self) -> Option<u64> {
        (self.marked > 0).then_some(self.fresh.count)
    }

    /// Brings what must be known of these references into memory. Before [`slot`](Self::slot).
    pub(super) async fn prepare(
        &mut self,
        transaction: &mut Transaction,
        hashes: impl Iterator<Item = &[u8; 16]>,
    ) -> Result<(), RegisterError> {
        if self.main.buckets() == 0 {
            self.main.clear(self.main.number(0));
        }
        self.relieve(transaction).await?;
        if self.direct {
            let needed = hashes.map(|hash| self.main.address(hash)).collect();
            return self.main.load(transaction, needed).await;
        }
        let hashes: Vec<&[u8; 16]> = hashes.collect();
        let groups = hashes.iter().map(|hash| marks::group(self.main.address(hash) as u64)).collect();
        self.know(transaction, groups).await?;
        self.fresh.load(transaction, hashes.iter().map(|hash| self.fresh.address(hash)).collect()).await?;
        let marked = |at: &usize, hash: &[u8; 16]| self.main.marks(*at).is_none_or(|all| all.contains(&mark(hash)));
        let addresses = hashes.iter().map(|hash| (self.main.address(hash), hash));
        let needed = addresses.filter(|(at, hash)| marked(at, hash)).map(|(at, _)| at).collect();
        self.main.load(transaction, needed).await
    }

    /// Where a reference stands, or would stand: looked up once for [`get_at`](Self::get_at) and [`set_at`](Self::set_at), as
    /// long as nothing else is set between them.
    pub(super) fn slot(&self, hash: &[u8; 16]) -> Slot {
        let find = |level: &Level, fresh: bool| {
            let bucket = level.address(hash);
            Slot { fresh, bucket, at: level.whole(bucket).and_then(|bucket| bucket.find(hash)) }
        };
        let main = find(&self.main, false);
        if self.direct || main.at.is_some() { main } else { find(&self.fresh, true) }
    }

    /// What stands in a slot.
    pub(super) fn get_at(&self, slot: &Slot) -> Option<Pointer> {
        let level = if slot.fresh { &self.fresh } else { &self.main };
        Some(level.whole(slot.bucket)?.entries[slot.at?].pointer)
    }

    /// Puts a reference into its slot.
    pub(super) fn set_at(&mut self, slot: &Slot, hash: [u8; 16], pointer: Pointer) {
        let level = if slot.fresh { &mut self.fresh } else { &mut self.main };
        match slot.at {
            None => level.push(slot.bucket, Entry { hash, pointer }),
            Some(at) => {
                if let Some(bucket) = level.whole_mut(slot.bucket) {
                    bucket.entries[at].pointer = pointer;
                    bucket.changed = true;
                }
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
        let main = self.main.buckets() as usize;
        let (level, before) = if *next < main { (&mut self.main, 0) } else { (&mut self.fresh, main) };
        let start = *next - before;
        let end = (start + level.stride()).min(level.buckets() as usize);
        if start >= end {
            return Ok(None);
        }
        let goes = |entry: &Entry| kept.binary_search(&entry.hash).is_err();
        let gone = level.take(transaction, start..end, goes).await?;
        *next = before + end;
        self.relieve(transaction).await?;
        Ok(Some(gone.iter().map(|entry| entry.pointer.serial).collect()))
    }

    /// Makes room while the register grows.
    pub(super) async fn grow(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        if !self.direct && self.fresh.count > limit(self.buckets()) {
            self.merge(transaction).await?;
        }
        if self.direct { self.main.grow(transaction, self.main.count).await } else { Ok(()) }
    }

    /// Brings the buckets to their number, and writes what changed.
    pub(super) async fn settle(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        self.grow(transaction).await?;
        let wanted = match self.main.count + self.fresh.count {
            0 => 0,
            count => self.main.number(count),
        };
        if wanted < self.buckets() {
            self.merge(transaction).await?;
            self.main.shrink(transaction, wanted).await?;
        }
        self.main.write(transaction).await?;
        let before = self.marked;
        self.write_marks(transaction).await?;
        if self.marked != before {
            // The main level has other buckets than before, so that all stands there.
            self.fresh = fresh_level(self.marked, 0);
        }
        if self.fresh.count > 0 {
            return self.fresh.write(transaction).await;
        }
        let gone: Vec<Change> = (0..self.fresh_rows).map(|at| Change::delete(self.fresh.key(at))).collect();
        Ok(transaction.apply(&gone).await?)
    }

    /// Moves all of the fresh level into the main one. A bucket of the main level takes from one bucket of the fresh level:
    /// each is read and written once.
    async fn merge(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        self.direct = true;
        self.main.grow(transaction, self.main.count + self.fresh.count).await?;
        let (all, stride) = (self.fresh.buckets() as usize, self.fresh.stride());
        for start in (0..all).step_by(stride) {
            let entries = self.fresh.take(transaction, start..(start + stride).min(all), |_| true).await?;
            let needed = entries.iter().map(|entry| self.main.address(&entry.hash)).collect();
            self.main.load(transaction, needed).await?;
            for entry in entries {
                self.main.push(self.main.address(&entry.hash), entry);
            }
            self.relieve(transaction).await?;
        }
        Ok(())
    }

    /// Brings the marks of some groups of buckets into memory.
    async fn know(&mut self, transaction: &mut Transaction, mut groups: Vec<u64>) -> Result<(), RegisterError> {
        groups.sort_unstable();
        groups.dedup();
        let all = self.buckets();
        groups.retain(|group| marks::members(*group, all).any(|at| self.main.is_unknown(at)));
        for some in groups.chunks(STRIDE) {
            if self.marked == 0 {
                // From the buckets themselves.
                let members = some.iter().flat_map(|group| marks::members(*group, all));
                let unknown = members.filter(|at| self.main.is_unknown(*at)).collect();
                self.main.load(transaction, unknown).await?;
                self.relieve(transaction).await?;
                continue;
            }
            let keys: Vec<String> = some.iter().map(|group| marks::key(*group)).collect();
            for (group, value) in some.iter().zip(transaction.get_many(&keys).await?) {
                let members = marks::members(*group, self.marked);
                let marks = marks::decode(&value.ok_or(DAMAGED)?, members.len())?;
                members.zip(marks).for_each(|(at, marks)| self.main.note_marks(at, marks));
            }
        }
        Ok(())
    }

    /// Writes the marks that changed, of buckets that are written.
    async fn write_marks(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        let (all, had) = (self.buckets(), marks::groups(self.marked));
        let has = if limit(all) > 0 { marks::groups(all) } else { 0 };
        let moved = std::mem::take(&mut self.main.moved);
        let moved: Vec<u64> = (0..has).filter(|group| had == 0 || moved.contains(group)).collect();
        for some in moved.chunks(STRIDE) {
            self.know(transaction, some.to_vec()).await?;
            let row = |group: &u64| {
                let marks = marks::members(*group, all).map(|at| self.main.marks(at));
                Ok(Change::Put { key: marks::key(*group), value: marks::encode(*group, all, TARGET, marks)? })
            };
            let changes = some.iter().map(row).collect::<Result<Vec<Change>, RegisterError>>()?;
            transaction.apply(&changes).await?;
        }
        let gone: Vec<Change> = (has..had).map(|group| Change::delete(marks::key(group))).collect();
        transaction.apply(&gone).await?;
        self.marked = if has > 0 { all } else { 0 };
        Ok(())
    }

    /// Writes and forgets buckets, if there are many in memory.
    async fn relieve(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        if self.main.held + self.fresh.held > HELD {
            for level in [&mut self.main, &mut self.fresh] {
                level.write(transaction).await?;
                level.forget();
            }
            self.fresh_rows = self.fresh_rows.max(self.fresh.buckets());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
