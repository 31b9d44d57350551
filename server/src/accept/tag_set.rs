//! Taking in a tag set: its leaves are added and removed in the transaction that accepts it (R15).
//!
//! Rows are read some frames at a time: memory does not grow with the set. A set that turns out wrong in its last frame
//! is undone whole. Caller: [`super`]. *Not here:* how leaves are kept ([`crate::leaves`]), and comparing
//! ([`crate::matching`]).

use super::content::Content;
use super::{OrFail, Stop, welcome};
use crate::agreement::Agreement;
use crate::leaves::{self, Change, Place};
use crate::log::Writing;
use crate::refusal::MomentRefused;
use crate::store::{Arg, StoreError};
use protocol::compare::Side;
use protocol::envelope::Envelope;
use protocol::message::{Size, TagSet};
use protocol::name::{Pair, UnitName};
use protocol::tagset::{Reader, Row, TagSetError, check_size};

pub(super) async fn take_in(
    writing: &mut Writing,
    unit: &UnitName,
    agreement: &Agreement,
    envelope: &Envelope,
    content: &Content,
) -> Result<(), Stop> {
    let header = envelope.header();
    let head: TagSet = content.head()?;
    welcome::check_peer(writing, unit, &head.peer, agreement, &header.accord).await?;
    let accord = agreement.for_epoch(header.epoch).ok_or(MomentRefused::NoAccord)?;
    check_size(&head, accord.terms())?;
    let mut reader = Reader::new(&head, content.rows_len)?;
    let pair = Pair::new(unit, &head.peer).ok_or(crate::refusal::ReceiverRefused::Oneself)?;
    let side = if unit == pair.low() { Side::Low } else { Side::High };
    let place = open_place(writing, &pair, header.epoch, side, &head, header.tick).await?;

    let entry = writing.size();
    let mut change = Change::begin(&mut writing.tx, &place, entry).await.or_fail()?;
    let mut taken = 0;
    loop {
        let pieces = content.pieces(writing, taken).await?;
        if pieces.is_empty() {
            break;
        }
        taken += pieces.len();
        for piece in &pieces {
            let rows = reader.push(piece)?;
            let (mut adds, mut removals) = (Vec::with_capacity(rows.len()), Vec::new());
            for row in rows {
                match row {
                    Row::Add(leaf) => adds.push(leaf.to_bytes()),
                    Row::Remove(tag) => removals.push(tag),
                }
            }
            change.add(&mut writing.tx, &adds).await.or_fail()?;
            if !removals.is_empty() {
                change.remove(&mut writing.tx, &removals).await.or_fail()??;
            }
        }
    }
    reader.finish()?;
    change.finish(&mut writing.tx).await.or_fail()??;

    const SET: &str = "INSERT INTO tag_set (entry, pair_epoch, side, hash) VALUES ($1, $2, $3, $4)";
    let args = [entry.into(), place.pair_epoch.into(), leaves::number(side).into(), Arg::Blob(&envelope.hash().0)];
    writing.tx.run(SET, &args).await.or_fail()?;
    Ok(())
}

/// The pair and epoch in the store, moved on to this set's tick: opened by the opening set, and by nothing else.
async fn open_place(
    writing: &mut Writing,
    pair: &Pair,
    epoch: u32,
    side: Side,
    head: &TagSet,
    tick: u64,
) -> Result<Place, Stop> {
    const MAKE: &str = "INSERT INTO pair_epoch (low, high, epoch) VALUES ($1, $2, $3)
        ON CONFLICT (low, high, epoch) DO NOTHING";
    const FIND: &str =
        "SELECT id, low_tick, high_tick, cut FROM pair_epoch WHERE low = $1 AND high = $2 AND epoch = $3";
    let args = [pair.low().as_str().into(), pair.high().as_str().into(), epoch.into()];
    writing.tx.run(MAKE, &args).await.or_fail()?;
    let row = writing.tx.first(FIND, &args).await.or_fail()?;
    let mut row = row.ok_or(Stop::Failed(StoreError::Corrupt("no pair")))?;
    let place = Place { pair_epoch: row.int(0).or_fail()?, side, cut: row.int(3).or_fail()? };
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
    writing.tx.run(sql, &[tick.into(), place.pair_epoch.into()]).await.or_fail()?;
    Ok(place)
}
