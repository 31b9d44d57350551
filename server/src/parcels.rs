//! Parts of sealed parcels: which are there, how long they are kept, how many a pair may have, and their end (R31, R32, R34).
//!
//! The broker keeps a part until its parcel is recalled, deleted, or at the end of its time; not only until it was
//! fetched, because a recipient that lost its disk fetches again. What is destroyed is the bytes: the signed envelope,
//! its hash and its place in the log stay.
//!
//! Callers: `accept::parcel_part`, `accept::act`, `deadlines`. *Not here:* what a part holds; nobody here could tell.

use crate::log::Writing;
use crate::store::{Result, StoreError};
use protocol::case::Case;
use protocol::codec::Hash;
use protocol::consent::{ConsentKind, Parcel, URGENT_VALIDATION_MS};
use protocol::manual::Manual;
use protocol::overlap::Handle;
use protocol::parcel::MAX_PARTS;
use std::collections::BTreeMap;

/// Parts are kept no longer than this after their parcel was sealed, in milliseconds: 30 days.
const KEPT_MS: u64 = 30 * 24 * 3_600_000;
/// Parts of all the parcels of a pair that are kept at one time at most, come or still to come: four of the largest parcels,
/// 16 GiB.
pub(crate) const PAIR_PARTS: u64 = 4 * MAX_PARTS as u64;
/// Parts whose bytes are destroyed in one transaction at most: 64 MiB.
pub(crate) const DESTROYED_TOGETHER: u64 = 64;

/// Until when the parts of a parcel are kept, in milliseconds; 0: they are destroyed now.
pub(crate) fn kept_until(case: &Case, manual: &Manual, parcel: &Parcel) -> u64 {
    if parcel.recalled || parcel.deleted || case.is_over(manual) {
        return 0;
    }
    // An urgent parcel that nobody has validated counts as recalled from then on (R30).
    let waits = parcel.kind == ConsentKind::Urgent && parcel.validated_by.is_none();
    parcel.sealed_ms.saturating_add(if waits { URGENT_VALIDATION_MS } else { KEPT_MS })
}

/// Number of parts of a parcel that were accepted: the index of the next one.
pub(crate) async fn next_index(writing: &mut Writing, handle: &Handle, consent: &Hash) -> Result<u64> {
    const COUNT: &str = "SELECT count(*) FROM parcel_part WHERE handle = $1 AND consent = $2";
    let row = writing.tx.first(COUNT, &[handle.into(), consent.into()]).await?;
    row.ok_or(StoreError::Corrupt("a count without a row"))?.int(0)
}

/// The hashes of the parts that were accepted, in order.
pub(crate) async fn hashes(writing: &mut Writing, handle: &Handle, consent: &Hash) -> Result<Vec<Hash>> {
    const HASHES: &str = "SELECT hash FROM parcel_part WHERE handle = $1 AND consent = $2 ORDER BY idx";
    let rows = writing.tx.all(HASHES, &[handle.into(), consent.into()]).await?;
    rows.into_iter().map(|mut row| row.bytes(0)).collect()
}

/// A part that is about to be kept under the log's next entry.
pub(crate) struct Part<'a> {
    pub(crate) handle: &'a Handle,
    pub(crate) consent: &'a Hash,
    pub(crate) index: u64,
    pub(crate) hash: &'a Hash,
    pub(crate) until_ms: u64,
}

/// Notes a part.
pub(crate) async fn keep(writing: &mut Writing, part: &Part<'_>) -> Result<()> {
    const KEEP: &str = "INSERT INTO parcel_part (handle, consent, idx, hash, entry, until_ms)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let entry = writing.size();
    let args = [
        part.handle.into(),
        part.consent.into(),
        part.index.into(),
        part.hash.into(),
        entry.into(),
        part.until_ms.into(),
    ];
    writing.tx.run(KEEP, &args).await.map(drop)
}

/// Whether a pair may seal a parcel of so many parts: those that it has are kept for a while, come or not (R34). Asked when
/// the parcel is sealed, not when a part comes: by then the consent is used up.
pub(crate) async fn check_room(writing: &mut Writing, case: &Case, parts: u32, now_ms: u64) -> Result<bool> {
    const KEPT: &str = "SELECT CAST(coalesce(sum(parts), 0) AS BIGINT) FROM parcel
        WHERE low = $1 AND high = $2 AND until_ms > $3";
    let [low, high] = case.units();
    let row = writing.tx.first(KEPT, &[low.as_str().into(), high.as_str().into(), now_ms.into()]).await?;
    let kept = row.ok_or(StoreError::Corrupt("a sum without a row"))?.int(0)?;
    Ok(kept.saturating_add(u64::from(parts)) <= PAIR_PARTS)
}

/// After a case has changed: until when each of its parcels, and each of their parts, is kept now; what is recalled is
/// destroyed.
pub(crate) async fn settle(writing: &mut Writing, case: &Case, manual: &Manual, now_ms: u64) -> Result<()> {
    const HELD: &str = "SELECT consent, until_ms FROM parcel WHERE handle = $1";
    let mut held: BTreeMap<Hash, u64> = BTreeMap::new();
    for mut row in writing.tx.all(HELD, &[case.handle().into()]).await? {
        held.insert(row.bytes(0)?, row.int(1)?);
    }
    let mut changed = false;
    for parcel in case.ledger().parcels() {
        let until = kept_until(case, manual, parcel);
        if held.get(&parcel.consent) == Some(&until) {
            continue;
        }
        changed = true;
        const KEPT: &str = "INSERT INTO parcel (handle, consent, low, high, parts, until_ms)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (handle, consent) DO UPDATE SET until_ms = excluded.until_ms";
        let ([low, high], parts) = (case.units(), u64::from(parcel.parts));
        let args = [
            case.handle().into(),
            (&parcel.consent).into(),
            low.as_str().into(),
            high.as_str().into(),
            parts.into(),
            until.into(),
        ];
        writing.tx.run(KEPT, &args).await?;
        const UNTIL: &str = "UPDATE parcel_part SET until_ms = $1
            WHERE handle = $2 AND consent = $3 AND until_ms IS NOT NULL AND until_ms <> $1";
        writing.tx.run(UNTIL, &[until.into(), case.handle().into(), (&parcel.consent).into()]).await?;
    }
    // A very large parcel's last bytes go with the next ticks: no transaction takes minutes.
    if changed { destroy_due(writing, now_ms).await.map(drop) } else { Ok(()) }
}

/// Destroys bytes of parts that are at the end of their time, [`DESTROYED_TOGETHER`] at most; how many there were.
pub(crate) async fn destroy_due(writing: &mut Writing, now_ms: u64) -> Result<u64> {
    const DUE: &str = "SELECT entry FROM parcel_part WHERE until_ms <= $1 ORDER BY until_ms LIMIT $2";
    let due = writing.tx.all(DUE, &[now_ms.into(), DESTROYED_TOGETHER.into()]).await?;
    let count = due.len() as u64;
    for mut row in due {
        let entry = row.int(0)?;
        for sql in [
            "DELETE FROM body WHERE id = (SELECT body FROM envelope WHERE entry = $1)",
            "UPDATE envelope SET rows = NULL, body = NULL WHERE entry = $1",
            "UPDATE parcel_part SET until_ms = NULL WHERE entry = $1",
        ] {
            writing.tx.run(sql, &[entry.into()]).await?;
        }
    }
    Ok(count)
}
