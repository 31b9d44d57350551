//! The leaves that stand: what each side of a pair added and did not remove, where the matcher finds it (R15, R16).
//!
//! An accepted tag set becomes a *run*: its leaves in ascending order, cut into blocks of a hundred and some. A block is
//! one row of the table `leaf_block`, so that a million leaves are some thousand rows, which two sides are compared by
//! reading once; and a single tag is found by reading one block of each run. Runs of like size are merged, so that a side
//! has few of them: a leaf is written anew some times while its side grows, and not once for each set.
//!
//! A run remembers the latest tag set in it. Runs that came before the last cut, and runs that came since, are never
//! merged with each other: that is how the matcher knows what is new.
//!
//! Callers: `accept::tag_set` changes a side, [`crate::matching`] compares two. *Not here:* what a tag stands for, and the
//! signed sets themselves, which lie in `envelope` and `frame` until their epoch closes.

mod run;

use crate::store::{Result, StoreError, Tx};
use protocol::compare::{Match, Side};
use protocol::tagset::{LEAF_LEN, Leaf, Tag, TagSetError};
use run::{Run, Writer, join, merge, remove};

/// Runs up to this many leaves are merged whatever their sizes: they cost less than keeping them apart.
const SMALL: u64 = 1_024;
/// A run is merged with all smaller ones as soon as they have this part of its leaves.
const PART: u64 = 4;

/// What changing a side says: a refusal is no failure.
pub(crate) type Answer = Result<std::result::Result<(), TagSetError>>;

/// One side of a pair in an epoch.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) pair_epoch: u64,
    pub(crate) side: Side,
    /// Size of the log at the pair's last cut.
    pub(crate) cut: u64,
}

/// The runs of a side: those that were compared, and those that came since.
#[derive(Default)]
struct Runs {
    compared: Vec<Run>,
    new: Vec<Run>,
}

impl Runs {
    async fn of(tx: &mut Tx, place: &Place) -> Result<Runs> {
        const RUNS: &str = "SELECT id, leaves, CASE WHEN added >= $3 THEN 1 ELSE 0 END FROM leaf_run
            WHERE pair_epoch = $1 AND side = $2";
        let mut runs = Runs::default();
        for mut row in tx.all(RUNS, &[place.pair_epoch.into(), number(place.side).into(), place.cut.into()]).await? {
            let run = Run { id: row.int(0)?, leaves: row.int(1)? };
            if row.int(2)? == 1 { runs.new.push(run) } else { runs.compared.push(run) }
        }
        Ok(runs)
    }

    fn all(&self) -> impl Iterator<Item = &Run> {
        self.compared.iter().chain(&self.new)
    }
}

/// How a side stands in the store.
pub(crate) fn number(side: Side) -> u64 {
    match side {
        Side::Low => 0,
        Side::High => 1,
    }
}

/// A tag set on its way in: first all that it adds, then all that it removes, each in ascending order.
///
/// Whoever gets a refusal undoes the transaction: what was written by then stays in it.
pub(crate) struct Change {
    before: Runs,
    adds: Adds,
}

enum Adds {
    Coming(Writer),
    Complete(Run),
}

impl Change {
    /// Begins with what the tag set at `entry` adds to a side.
    pub(crate) async fn begin(tx: &mut Tx, place: &Place, entry: u64) -> Result<Change> {
        const RUN: &str = "INSERT INTO leaf_run (pair_epoch, side, added, leaves) VALUES ($1, $2, $3, 0) RETURNING id";
        let before = Runs::of(tx, place).await?;
        let row = tx.first(RUN, &[place.pair_epoch.into(), number(place.side).into(), entry.into()]).await?;
        let run = row.ok_or(StoreError::Corrupt("no run was made"))?.int(0)?;
        Ok(Change { before, adds: Adds::Coming(Writer::of(run)) })
    }

    /// Adds leaves, which ascend within the set.
    pub(crate) async fn add(&mut self, tx: &mut Tx, leaves: &[[u8; LEAF_LEN]]) -> Result<()> {
        match &mut self.adds {
            Adds::Coming(writer) => writer.push(tx, leaves).await,
            Adds::Complete(_) => Err(StoreError::Corrupt("a leaf is added after one was removed")),
        }
    }

    /// Removes leaves that stood before this set, by their tags, which ascend within the set.
    pub(crate) async fn remove(&mut self, tx: &mut Tx, tags: &[Tag]) -> Answer {
        if let Err(refused) = self.complete(tx).await? {
            return Ok(Err(refused));
        }
        let mut removed = 0;
        for run in self.before.compared.iter_mut().chain(&mut self.before.new) {
            removed += remove(tx, run, tags).await?;
        }
        Ok(if removed == tags.len() as u64 { Ok(()) } else { Err(TagSetError::Absent) })
    }

    /// Ends the set, and merges runs that have become alike.
    pub(crate) async fn finish(mut self, tx: &mut Tx) -> Answer {
        let run = match self.complete(tx).await? {
            Ok(run) => run,
            Err(refused) => return Ok(Err(refused)),
        };
        self.before.new.push(run);
        settle(tx, self.before.compared).await?;
        settle(tx, self.before.new).await?;
        Ok(Ok(()))
    }

    /// The run of what was added, once all has come; refused if one of its tags stands already.
    async fn complete(&mut self, tx: &mut Tx) -> Result<std::result::Result<Run, TagSetError>> {
        let writer = match &mut self.adds {
            Adds::Complete(run) => return Ok(Ok(*run)),
            Adds::Coming(writer) => writer,
        };
        let run = writer.finish(tx).await?;
        self.adds = Adds::Complete(run);
        let mut present = false;
        for before in self.before.compared.iter().chain(&self.before.new) {
            join(tx, &run, before, |_, _| present = true).await?;
        }
        Ok(if present { Err(TagSetError::Present) } else { Ok(run) })
    }
}

/// Merges from the smallest upwards.
async fn settle(tx: &mut Tx, mut runs: Vec<Run>) -> Result<()> {
    runs.sort_unstable_by_key(|run| run.leaves);
    let mut runs = runs.into_iter();
    let Some(mut last) = runs.next() else { return Ok(()) };
    for next in runs {
        let alike = next.leaves <= SMALL || next.leaves <= last.leaves.saturating_mul(PART);
        last = if alike { merge(tx, &last, &next).await? } else { next };
    }
    Ok(())
}

/// The tags that both sides hold, of which one side's leaf came since the cut at `cut`: ascending.
pub(crate) async fn matches(tx: &mut Tx, pair_epoch: u64, cut: u64) -> Result<Vec<Match>> {
    let low = Runs::of(tx, &Place { pair_epoch, side: Side::Low, cut }).await?;
    let high = Runs::of(tx, &Place { pair_epoch, side: Side::High, cut }).await?;
    let mut pairs: Vec<(Run, Run)> = Vec::new();
    for run in &low.new {
        pairs.extend(high.all().map(|other| (*run, *other)));
    }
    for run in &low.compared {
        pairs.extend(high.new.iter().map(|other| (*run, *other)));
    }
    let mut found = Vec::new();
    for (low, high) in &pairs {
        join(tx, low, high, |low, high| {
            let (low, high) = (Leaf::from_bytes(low), Leaf::from_bytes(high));
            found.push(Match { tag: low.tag, low: low.confirmation, high: high.confirmation });
        })
        .await?;
    }
    found.sort_unstable();
    Ok(found)
}

/// Destroys all leaves of an epoch.
pub(crate) async fn destroy(tx: &mut Tx, epoch: u32) -> Result<()> {
    for sql in [
        "DELETE FROM leaf_block WHERE run IN (SELECT r.id FROM leaf_run r
            WHERE r.pair_epoch IN (SELECT p.id FROM pair_epoch p WHERE p.epoch = $1))",
        "DELETE FROM leaf_run WHERE pair_epoch IN (SELECT id FROM pair_epoch WHERE epoch = $1)",
    ] {
        tx.run(sql, &[epoch.into()]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
