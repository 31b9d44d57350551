//! One run: writing it, reading it from end to end, looking tags up in it; and two of them together.
//!
//! Caller: [`super`]. *Not here:* which runs there are, and when they are merged.

use crate::store::{Arg, Result, StoreError, Tx};
use protocol::tagset::{LEAF_LEN, TAG_LEN, Tag};
use std::cmp::Ordering;
use std::collections::BTreeMap;

type LeafBytes = [u8; LEAF_LEN];
type TagBytes = [u8; TAG_LEN];

/// Leaves in a block: as many as fit into a page of either database beside the row's key.
pub(super) const BLOCK: usize = 120;
const BLOCK_LEN: usize = BLOCK * LEAF_LEN;
/// Blocks written by one statement, or read by one query: a MiB, of which a merge has some in memory. Few in tests, so that
/// they go through a run in many strides.
const TOGETHER: usize = if cfg!(test) { 8 } else { 256 };
/// A look-up costs as much as reading so many blocks in a row.
const LOOK_UP: u64 = 3;

/// A run, and how many leaves it has: what follows from the number is only how it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) leaves: u64,
}

/// Writes a run in ascending order.
pub(super) struct Writer {
    run: u64,
    leaves: u64,
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn of(run: u64) -> Writer {
        Writer { run, leaves: 0, bytes: Vec::new() }
    }

    pub(super) async fn push(&mut self, tx: &mut Tx, mut leaves: &[LeafBytes]) -> Result<()> {
        while !leaves.is_empty() {
            let room = TOGETHER * BLOCK - self.bytes.len() / LEAF_LEN;
            let (now, later) = leaves.split_at(room.min(leaves.len()));
            self.bytes.extend_from_slice(now.as_flattened());
            if now.len() == room {
                self.write(tx).await?;
            }
            leaves = later;
        }
        Ok(())
    }

    pub(super) async fn finish(&mut self, tx: &mut Tx) -> Result<Run> {
        self.write(tx).await?;
        tx.run("UPDATE leaf_run SET leaves = $2 WHERE id = $1", &[self.run.into(), self.leaves.into()]).await?;
        Ok(Run { id: self.run, leaves: self.leaves })
    }

    /// The database cuts the bytes into blocks: one statement for many of them.
    async fn write(&mut self, tx: &mut Tx) -> Result<()> {
        const _: () = assert!(BLOCK_LEN == 3_840 && TAG_LEN == 16, "the numbers below");
        const WRITE: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2)
            INSERT INTO leaf_block (run, first, leaves)
            SELECT $1, substr($3, 1 + i * 3840, 16), substr($3, 1 + i * 3840, 3840) FROM n";
        if !self.bytes.is_empty() {
            let blocks = self.bytes.len().div_ceil(BLOCK_LEN) as u64;
            tx.run(WRITE, &[self.run.into(), blocks.into(), Arg::Blob(&self.bytes)]).await?;
            self.leaves += (self.bytes.len() / LEAF_LEN) as u64;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// Reads a run in ascending order, some blocks at a time.
struct Scan {
    run: u64,
    last: Vec<u8>,
    bytes: Vec<u8>,
    at: usize,
    is_read: bool,
}

impl Scan {
    fn of(run: &Run) -> Scan {
        Scan { run: run.id, last: Vec::new(), bytes: Vec::new(), at: 0, is_read: false }
    }

    /// Reads on if all was taken; `false` at the end.
    async fn fill(&mut self, tx: &mut Tx) -> Result<bool> {
        const NEXT: &str = "SELECT leaves FROM leaf_block WHERE run = $1 AND first > $2 ORDER BY first LIMIT $3";
        if self.rest().is_empty() && !self.is_read {
            let args = [self.run.into(), self.last.as_slice().into(), (TOGETHER as u64).into()];
            let blocks = tx.all(NEXT, &args).await?;
            self.is_read = blocks.len() < TOGETHER;
            (self.bytes, self.at) = (Vec::with_capacity(blocks.len() * BLOCK_LEN), 0);
            for mut row in blocks {
                let block = whole(row.blob(0)?)?;
                self.last = block.get(..TAG_LEN).unwrap_or_default().to_vec();
                self.bytes.extend_from_slice(&block);
            }
        }
        Ok(!self.rest().is_empty())
    }

    /// What was read and not taken.
    fn rest(&self) -> &[LeafBytes] {
        self.bytes.as_chunks().0.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) {
        self.at += count;
    }
}

/// A block as it is stored is never empty, and holds whole leaves.
fn whole(block: Vec<u8>) -> Result<Vec<u8>> {
    let is_whole = !block.is_empty() && block.len().is_multiple_of(LEAF_LEN);
    if is_whole { Ok(block) } else { Err(StoreError::Corrupt("a block of leaves")) }
}

/// The blocks of a run in which these tags stand if they do, by their first tags.
async fn look_up(tx: &mut Tx, run: &Run, tags: &[u8]) -> Result<BTreeMap<TagBytes, Vec<u8>>> {
    // A look-up written as a look-up: no planner, whatever its statistics, can turn it round.
    const FIND: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2)
        SELECT (SELECT leaves FROM leaf_block WHERE run = $1 AND first <= substr($3, 1 + i * 16, 16)
            ORDER BY first DESC LIMIT 1) FROM n";
    let count = (tags.len() / TAG_LEN) as u64;
    let mut blocks = BTreeMap::new();
    for mut row in tx.all(FIND, &[run.id.into(), count.into(), tags.into()]).await? {
        let Some(block) = row.maybe_blob(0)? else { continue };
        let block = whole(block)?;
        if let Some(first) = block.first_chunk() {
            blocks.insert(*first, block);
        }
    }
    Ok(blocks)
}

/// Tells `met` of each tag that both runs hold, with the leaf of `a` and the leaf of `b`.
pub(super) async fn join(tx: &mut Tx, a: &Run, b: &Run, mut met: impl FnMut(&LeafBytes, &LeafBytes)) -> Result<()> {
    if a.leaves > b.leaves { drive(tx, b, a, |b, a| met(a, b)).await } else { drive(tx, a, b, met).await }
}

/// [`join`], led by the run that is not the larger one: with few leaves each is looked up, with many both runs are read.
async fn drive(tx: &mut Tx, few: &Run, many: &Run, mut met: impl FnMut(&LeafBytes, &LeafBytes)) -> Result<()> {
    let mut leaves = Scan::of(few);
    let blocks = many.leaves / BLOCK as u64;
    if few.leaves.saturating_mul(LOOK_UP) < blocks {
        while leaves.fill(tx).await? {
            for part in leaves.rest().chunks(TOGETHER) {
                let tags: Vec<u8> = part.iter().flat_map(tag).copied().collect();
                let found = look_up(tx, many, &tags).await?.into_values().flatten().collect::<Vec<u8>>();
                intersect(part, found.as_chunks().0, &mut met);
            }
            leaves.take(leaves.rest().len());
        }
        return Ok(());
    }
    let mut others = Scan::of(many);
    while leaves.fill(tx).await? && others.fill(tx).await? {
        let (taken, others_taken) = intersect(leaves.rest(), others.rest(), &mut met);
        leaves.take(taken);
        others.take(others_taken);
    }
    Ok(())
}

/// Walks through both until one is at its end; how far it came in each.
fn intersect(a: &[LeafBytes], b: &[LeafBytes], mut met: impl FnMut(&LeafBytes, &LeafBytes)) -> (usize, usize) {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let order = tag(x).cmp(tag(y));
        if order.is_eq() {
            met(x, y);
        }
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
    }
    (i, j)
}

fn tag(leaf: &LeafBytes) -> &[u8] {
    leaf.get(..TAG_LEN).unwrap_or_default()
}

/// Makes one run of two, which go. It is as new as the newer of them.
pub(super) async fn merge(tx: &mut Tx, a: &Run, b: &Run) -> Result<Run> {
    const RUN: &str = "INSERT INTO leaf_run (pair_epoch, side, added, leaves)
        SELECT pair_epoch, side, added, 0 FROM leaf_run WHERE id IN ($1, $2) ORDER BY added DESC LIMIT 1 RETURNING id";
    let row = tx.first(RUN, &[a.id.into(), b.id.into()]).await?;
    let mut writer = Writer::of(row.ok_or(StoreError::Corrupt("no run was made"))?.int(0)?);
    let (mut left, mut right) = (Scan::of(a), Scan::of(b));
    loop {
        let merged = match (left.fill(tx).await?, right.fill(tx).await?) {
            (false, false) => break,
            (true, false) => (left.rest().to_vec(), left.rest().len(), 0),
            (false, true) => (right.rest().to_vec(), 0, right.rest().len()),
            (true, true) => interleave(left.rest(), right.rest()),
        };
        let (leaves, from_left, from_right) = merged;
        writer.push(tx, &leaves).await?;
        left.take(from_left);
        right.take(from_right);
    }
    let run = writer.finish(tx).await?;
    for old in [a, b] {
        tx.run("DELETE FROM leaf_block WHERE run = $1", &[old.id.into()]).await?;
        tx.run("DELETE FROM leaf_run WHERE id = $1", &[old.id.into()]).await?;
    }
    Ok(run)
}

/// Both in one order, until one is at its end; how much was taken of each.
fn interleave(a: &[LeafBytes], b: &[LeafBytes]) -> (Vec<LeafBytes>, usize, usize) {
    let (mut i, mut j) = (0, 0);
    let mut merged = Vec::with_capacity(a.len() + b.len());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if tag(x).cmp(tag(y)) == Ordering::Less {
            merged.push(*x);
            i += 1;
        } else {
            merged.push(*y);
            j += 1;
        }
    }
    (merged, i, j)
}

/// Takes tags, which ascend, out of a run; how many of them stood in it.
pub(super) async fn remove(tx: &mut Tx, run: &mut Run, tags: &[Tag]) -> Result<u64> {
    let mut removed = 0;
    for part in tags.chunks(TOGETHER) {
        let bytes: Vec<u8> = part.iter().flat_map(|tag| tag.0).collect();
        for (first, block) in look_up(tx, run, &bytes).await? {
            let stays = |leaf: &&LeafBytes| part.binary_search_by(|gone| gone.0.as_slice().cmp(tag(leaf))).is_err();
            let kept: Vec<u8> = block.as_chunks().0.iter().filter(stays).flatten().copied().collect();
            if kept.len() == block.len() {
                continue;
            }
            removed += ((block.len() - kept.len()) / LEAF_LEN) as u64;
            const GONE: &str = "DELETE FROM leaf_block WHERE run = $1 AND first = $2";
            const LESS: &str = "UPDATE leaf_block SET first = $3, leaves = $4 WHERE run = $1 AND first = $2";
            let (run, old_first) = (Arg::from(run.id), Arg::Blob(&first));
            match kept.first_chunk::<TAG_LEN>() {
                Some(first) => tx.run(LESS, &[run, old_first, Arg::Blob(first), Arg::Blob(&kept)]).await?,
                None => tx.run(GONE, &[run, old_first]).await?,
            };
        }
    }
    if removed > 0 {
        run.leaves = run.leaves.saturating_sub(removed);
        tx.run("UPDATE leaf_run SET leaves = leaves - $2 WHERE id = $1", &[run.id.into(), removed.into()]).await?;
    }
    Ok(removed)
}
