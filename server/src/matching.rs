//! Comparing: the cut of a pair, and its two notices in the same transaction (R16, R17).
//!
//! A match is a tag that both sides hold now, of which one side's leaf came since the last cut. [`crate::leaves`] finds
//! them from the leaves that came since: the cost does not grow with what is stored. The second matcher is
//! [`protocol::compare`]; both reach the same digest.
//!
//! Caller: [`crate::closing`]. *Not here:* what a tag stands for. Nobody here could tell.

use crate::broker::Broker;
use crate::leaves;
use crate::log::Writing;
use crate::speak::Moment;
use crate::store::{Result, StoreError};
use protocol::codec::{Bytes, Hash};
use protocol::compare::{Cut, Match, digest};
use protocol::message::Notice;
use protocol::name::{Pair, Party};
use protocol::tagset::{LEAF_LEN, TAG_LEN};

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
        let matches = leaves::matches(&mut writing.tx, pending.id, pending.position).await?;
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
