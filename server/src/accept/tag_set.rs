//! Taking in a tag set: its leaves are added and removed in the transaction that accepts it (R15).
//!
//! Rows are read frame by frame and written leaf-wise by one statement for each frame: memory does not grow with the
//! set. A set that turns out wrong in its last frame is undone whole. Caller: [`super`]. *Not here:* comparing
//! ([`crate::matching`]).

use super::content::Content;
use super::{OrFail, Stop, welcome};
use crate::agreement::Agreement;
use crate::log::Writing;
use crate::refusal::MomentRefused;
use crate::store::{Arg, StoreError};
use protocol::compare::Side;
use protocol::envelope::Envelope;
use protocol::message::{Size, TagSet};
use protocol::name::{Pair, UnitName};
use protocol::tagset::{LEAF_LEN, Reader, Row, TagSetError, check_size};

pub(super) async fn take_in(
    writing: &mut Writing,
    unit: &UnitName,
    agreement: &Agreement,
    envelope: &Envelope,
    content: &Content,
) -> Result<(), Stop> {
    let header = envelope.header();
    let head: TagSet = content.head()?;
    welcome::check_peer(writing, unit, &head.peer, &header.accord).await?;
    let accord = agreement.for_epoch(header.epoch).ok_or(MomentRefused::NoAccord)?;
    check_size(&head, accord.terms())?;
    let mut reader = Reader::new(&head, content.rows_len)?;
    let pair = Pair::new(unit, &head.peer).ok_or(crate::refusal::ReceiverRefused::Oneself)?;
    let side = if unit == pair.low() { Side::Low } else { Side::High };
    let place = open_place(writing, &pair, header.epoch, side, &head, header.tick).await?;

    let entry = writing.size();
    let leaves = Leaves { pair_epoch: place, side: side_number(side), entry };
    for index in 0..content.pieces() {
        let piece = content.piece(writing, index).await?;
        leaves.apply(writing, &reader.push(&piece)?).await?;
    }
    reader.finish()?;

    const SET: &str = "INSERT INTO tag_set (entry, pair_epoch, side, hash) VALUES ($1, $2, $3, $4)";
    let args = [entry.into(), place.into(), side_number(side).into(), Arg::Blob(&envelope.hash().0)];
    writing.tx.run(SET, &args).await.or_fail()?;
    Ok(())
}

/// How a side stands in the store.
pub(crate) fn side_number(side: Side) -> u64 {
    match side {
        Side::Low => 0,
        Side::High => 1,
    }
}

/// The pair and epoch in the store, moved on to this set's tick: opened by the opening set, and by nothing else.
async fn open_place(
    writing: &mut Writing,
    pair: &Pair,
    epoch: u32,
    side: Side,
    head: &TagSet,
    tick: u64,
) -> Result<u64, Stop> {
    const MAKE: &str = "INSERT INTO pair_epoch (low, high, epoch) VALUES ($1, $2, $3)
        ON CONFLICT (low, high, epoch) DO NOTHING";
    const FIND: &str = "SELECT id, low_tick, high_tick FROM pair_epoch WHERE low = $1 AND high = $2 AND epoch = $3";
    let args = [pair.low().as_str().into(), pair.high().as_str().into(), epoch.into()];
    writing.tx.run(MAKE, &args).await.or_fail()?;
    let row = writing.tx.first(FIND, &args).await.or_fail()?;
    let mut row = row.ok_or(Stop::Failed(StoreError::Corrupt("no pair")))?;
    let id = row.int(0).or_fail()?;
    let last = row.maybe_int(if side == Side::Low { 1 } else { 2 }).or_fail()?;
    match (last, head.size) {
        (None, Size::Opening) => {}
        (None, _) => return Err(TagSetError::NotOpen.into()),
        (Some(_), Size::Opening) => return Err(TagSetError::OpenAlready.into()),
        (Some(last), _) if tick <= last => return Err(TagSetError::SameTick.into()),
        (Some(_), _) => {}
    }
    const LOW: &str = "UPDATE pair_epoch SET low_tick = $1, pending = 1 WHERE id = $2";
    const HIGH: &str = "UPDATE pair_epoch SET high_tick = $1, pending = 1 WHERE id = $2";
    let sql = if side == Side::Low { LOW } else { HIGH };
    writing.tx.run(sql, &[tick.into(), id.into()]).await.or_fail()?;
    Ok(id)
}

/// Where leaves go.
struct Leaves {
    pair_epoch: u64,
    side: u64,
    entry: u64,
}

impl Leaves {
    /// Adds and removes what one piece of rows says. The database splits the bytes of what is added: one statement for
    /// each piece.
    async fn apply(&self, writing: &mut Writing, rows: &[Row]) -> Result<(), Stop> {
        let mut adds = Vec::with_capacity(rows.len() * LEAF_LEN);
        for row in rows {
            if let Row::Add(leaf) = row {
                adds.extend_from_slice(&leaf.to_bytes());
            }
        }
        let count = (adds.len() / LEAF_LEN) as u64;
        if count > 0 {
            const ADD: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $4)
                INSERT INTO leaf (pair_epoch, tag, side, confirmation, added)
                SELECT $1, substr($5, 1 + i * 32, 16), $2, substr($5, 17 + i * 32, 16), $3 FROM n";
            let args = [self.pair_epoch.into(), self.side.into(), self.entry.into(), count.into(), Arg::Blob(&adds)];
            match writing.tx.run(ADD, &args).await {
                Err(error) if error.is_unique_violation() => return Err(TagSetError::Present.into()),
                done => done.or_fail()?,
            };
        }
        for row in rows {
            let Row::Remove(tag) = row else { continue };
            // Not what this very set added: a second matcher refuses that as absent.
            const REMOVE: &str = "DELETE FROM leaf WHERE pair_epoch = $1 AND tag = $2 AND side = $3 AND added < $4";
            let args = [self.pair_epoch.into(), tag.into(), self.side.into(), self.entry.into()];
            if writing.tx.run(REMOVE, &args).await.or_fail()? != 1 {
                return Err(TagSetError::Absent.into());
            }
        }
        Ok(())
    }
}
