//! Comparing: the cut of a pair, and its two notices in the same transaction (R16, R17).
//!
//! A match is a tag that both sides hold now, of which one side's leaf came since the last cut. The database finds them
//! through the leaves that came since, each with one look-up on the other side: the cost does not grow with what is
//! stored. The second matcher is [`protocol::compare`]; both reach the same digest.
//!
//! Caller: [`crate::closing`]. *Not here:* what a tag stands for. Nobody here could tell.

use crate::broker::Broker;
use crate::log::Writing;
use crate::speak::Moment;
use crate::store::{Arg, Result, StoreError};
use protocol::codec::{Bytes, Hash};
use protocol::compare::{Cut, Match, digest};
use protocol::message::Notice;
use protocol::name::{Pair, Party};
use protocol::tagset::{LEAF_LEN, TAG_LEN};

/// Matches read at a time.
const PAGE: u64 = 4_096;

/// A pair whose tag sets wait for a cut.
pub(crate) struct Pending {
    id: u64,
    pair: Pair,
    epoch: u32,
    position: u64,
}

impl Pending {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }
}

/// The first pair after `after` that both sides have opened, with tag sets since its last cut.
pub(crate) async fn pending(writing: &mut Writing, after: u64) -> Result<Option<Pending>> {
    const PENDING: &str = "SELECT id, low, high, epoch, cut FROM pair_epoch
        WHERE id > $1 AND pending = 1 AND low_tick IS NOT NULL AND high_tick IS NOT NULL ORDER BY id LIMIT 1";
    let row = writing.tx.first(PENDING, &[after.into()]).await?;
    row.map(|mut row| {
        let pair = Pair::new(&row.parsed(1)?, &row.parsed(2)?).ok_or(StoreError::Corrupt("a pair of one"))?;
        let epoch = u32::try_from(row.int(3)?).map_err(|_| StoreError::Corrupt("an epoch"))?;
        Ok(Pending { id: row.int(0)?, pair, epoch, position: row.int(4)? })
    })
    .transpose()
}

impl Broker {
    /// Cuts one pair at the end of `tick`: finds the matches, logs both notices, delivers them together. The number of
    /// matches.
    pub(crate) async fn cut(
        &self,
        writing: &mut Writing,
        pending: &Pending,
        accord: Hash,
        tick: u64,
        now_ms: u64,
    ) -> Result<u64> {
        let position = writing.size();
        find(writing, pending, position).await?;
        let matches = read(writing, pending, position).await?;
        let low_sets = sets(writing, pending, 0).await?;
        let high_sets = sets(writing, pending, 1).await?;
        let cut = Cut {
            federation: self.federation(),
            pair: &pending.pair,
            epoch: pending.epoch,
            tick,
            position,
            low_sets: &low_sets,
            high_sets: &high_sets,
        };
        let digest = digest(&cut, matches.iter());
        let count = u32::try_from(matches.len()).map_err(|_| StoreError::Corrupt("too many matches"))?;
        let moment = Moment { accord, epoch: pending.epoch, tick, now_ms };
        let notice = |peer: &protocol::name::UnitName| Notice {
            peer: peer.clone(),
            position,
            low_sets: low_sets.clone(),
            high_sets: high_sets.clone(),
            matches: count,
            digest,
        };
        let (low, high) = (pending.pair.low(), pending.pair.high());
        let rows = rows(&matches, |found| found.high);
        let low_notice = self.say(writing, Party::Unit(low.clone()), &moment, &notice(high), rows).await?;
        let rows = self::rows(&matches, |found| found.low);
        let high_notice = self.say(writing, Party::Unit(high.clone()), &moment, &notice(low), rows).await?;

        const CUT: &str = "INSERT INTO cut (pair_epoch, position, digest, matches, low_notice, high_notice)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let args =
            [pending.id.into(), position.into(), (&digest).into(), count.into(), low_notice.into(), high_notice.into()];
        writing.tx.run(CUT, &args).await?;
        const DONE: &str = "UPDATE pair_epoch SET cut = $1, pending = 0 WHERE id = $2";
        writing.tx.run(DONE, &[position.into(), pending.id.into()]).await?;
        Ok(count.into())
    }
}

/// Writes down the matches of this cut. The leaves that came since the last one drive both halves.
async fn find(writing: &mut Writing, pending: &Pending, position: u64) -> Result<()> {
    // Look-ups written as look-ups: no planner, whatever its statistics, can turn them round.
    const LOW_IS_NEW: &str = "INSERT INTO cut_match (pair_epoch, position, tag, low, high, low_added, high_added)
        SELECT $1, $2, tag, low, high, low_added, high_added FROM (
            SELECT l.tag AS tag, l.confirmation AS low, l.added AS low_added,
                (SELECT confirmation FROM leaf h WHERE h.pair_epoch = $1 AND h.tag = l.tag AND h.side = 1) AS high,
                (SELECT added FROM leaf h WHERE h.pair_epoch = $1 AND h.tag = l.tag AND h.side = 1) AS high_added
            FROM leaf l WHERE l.pair_epoch * 2 + l.side = $4 AND l.added >= $3) AS new
        WHERE high_added IS NOT NULL";
    const ONLY_HIGH_IS_NEW: &str = "INSERT INTO cut_match (pair_epoch, position, tag, low, high, low_added, high_added)
        SELECT $1, $2, tag, low, high, low_added, high_added FROM (
            SELECT h.tag AS tag, h.confirmation AS high, h.added AS high_added,
                (SELECT confirmation FROM leaf l WHERE l.pair_epoch = $1 AND l.tag = h.tag AND l.side = 0) AS low,
                (SELECT added FROM leaf l WHERE l.pair_epoch = $1 AND l.tag = h.tag AND l.side = 0) AS low_added
            FROM leaf h WHERE h.pair_epoch * 2 + h.side = $4 AND h.added >= $3) AS new
        WHERE low_added < $3";
    let args =
        |side: u64| [pending.id.into(), position.into(), pending.position.into(), Arg::from(pending.id * 2 + side)];
    writing.tx.run(LOW_IS_NEW, &args(0)).await?;
    writing.tx.run(ONLY_HIGH_IS_NEW, &args(1)).await?;
    Ok(())
}

async fn read(writing: &mut Writing, pending: &Pending, position: u64) -> Result<Vec<Match>> {
    const NEXT: &str = "SELECT tag, low, high FROM cut_match
        WHERE pair_epoch = $1 AND position = $2 AND tag > $3 ORDER BY tag LIMIT $4";
    let mut matches: Vec<Match> = Vec::new();
    let mut last = Vec::new();
    loop {
        let args = [pending.id.into(), position.into(), last.as_slice().into(), PAGE.into()];
        let page = writing.tx.all(NEXT, &args).await?;
        let is_last = (page.len() as u64) < PAGE;
        for mut row in page {
            matches.push(Match { tag: row.bytes(0)?, low: row.bytes(1)?, high: row.bytes(2)? });
        }
        match matches.last() {
            Some(found) if !is_last => last = found.tag.0.to_vec(),
            _ => return Ok(matches),
        }
    }
}

async fn sets(writing: &mut Writing, pending: &Pending, side: u64) -> Result<Vec<Hash>> {
    const SETS: &str = "SELECT hash FROM tag_set WHERE pair_epoch = $1 AND entry >= $2 AND side = $3 ORDER BY entry";
    let rows = writing.tx.all(SETS, &[pending.id.into(), pending.position.into(), side.into()]).await?;
    rows.into_iter().map(|mut row| row.bytes(0)).collect()
}

fn rows(matches: &[Match], other: impl Fn(&Match) -> Bytes<16>) -> Vec<u8> {
    let mut out = Vec::with_capacity(matches.len() * LEAF_LEN);
    for found in matches {
        out.extend_from_slice(&found.tag.0);
        out.extend_from_slice(&other(found).0);
    }
    debug_assert!(out.len() == matches.len() * (TAG_LEN + 16));
    out
}
