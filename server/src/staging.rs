//! Uploads: frames of a body that its envelope will name (R24).
//!
//! A frame is durable once it is answered; a cut transfer asks what is missing and goes on there. Nothing is believed of
//! a frame until the root of the whole body is checked, when the envelope comes ([`crate::accept`]).
//!
//! Callers: the routes under `/v1/bodies`, and [`crate::accept`]. *Not here:* what rows mean.

use crate::broker::Broker;
use crate::store::{Arg, Order, Result, StoreError, Tx};
use protocol::body::{FRAME, MAX_ROWS, frame_count, frames_len, part_hash, root_of_hashes};
use protocol::codec::Hash;
use protocol::mailbox::{MAX_FRAMES, Staged};
use protocol::name::UnitName;

/// Most bodies that a unit may have under way.
const MAX_BODIES: u64 = 256;
/// Most bytes that a unit may have under way.
const MAX_STAGED: u64 = 1 << 30;
/// Most missing indices in one answer.
const MAX_MISSING: usize = 4_096;
/// An upload that nobody touched for so long is dropped.
const STALE_MS: u64 = 14 * 86_400_000;

macro_rules! add {
    ($frames:literal) => {
        concat!(
            "INSERT INTO frame (body, idx, bytes, hash)
             SELECT b.id, f.idx, f.bytes, f.hash FROM body b CROSS JOIN (",
            $frames,
            ") AS f WHERE b.owner = $1 AND b.root = $2 AND b.accepted = 0 AND b.rows_len = $3
             ON CONFLICT (body, idx) DO UPDATE SET bytes = excluded.bytes, hash = excluded.hash"
        )
    };
}

/// Adds one to four frames to an upload that was begun: owner, root, length of the rows; then index, bytes and hash of each.
const ADD: [&str; MAX_FRAMES] = [
    add!("SELECT $4 AS idx, $5 AS bytes, $6 AS hash"),
    add!("SELECT $4 AS idx, $5 AS bytes, $6 AS hash UNION ALL SELECT $7, $8, $9"),
    add!("SELECT $4 AS idx, $5 AS bytes, $6 AS hash UNION ALL SELECT $7, $8, $9 UNION ALL SELECT $10, $11, $12"),
    add!(
        "SELECT $4 AS idx, $5 AS bytes, $6 AS hash UNION ALL SELECT $7, $8, $9 UNION ALL SELECT $10, $11, $12
         UNION ALL SELECT $13, $14, $15"
    ),
];

/// Why a frame is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum StagingRefused {
    /// No frame of rows of this length has this index and size.
    #[error("no frame of such rows has this index and length")]
    Frame,
    /// The rows are longer than any may be, or too short to need frames.
    #[error("rows of this length do not travel in frames")]
    Rows,
    /// The same root was begun with another length.
    #[error("an upload of this root was begun with another length")]
    OtherLength,
    /// Too much is under way.
    #[error("too much is under way: send the envelopes of finished uploads first")]
    Full,
}

impl StagingRefused {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            StagingRefused::Frame => "frame-length",
            StagingRefused::Rows => "rows-length",
            StagingRefused::OtherLength => "staging-other-length",
            StagingRefused::Full => "staging-full",
        }
    }
}

impl Broker {
    /// Which frames of `unit`'s upload are still missing.
    pub async fn staged(&self, unit: &UnitName, root: &Hash, rows_len: u64) -> Result<Result<Staged, StagingRefused>> {
        if rows_len == 0 || rows_len > MAX_ROWS as u64 {
            return Ok(Err(StagingRefused::Rows));
        }
        const THERE: &str = "SELECT f.idx FROM frame f JOIN body b ON b.id = f.body
            WHERE b.owner = $1 AND b.root = $2 AND b.accepted = 0 AND b.rows_len = $3 ORDER BY f.idx";
        let rows = self.store().all(THERE, &[unit.as_str().into(), root.into(), rows_len.into()]).await?;
        let there = rows.into_iter().map(|mut row| row.int(0)).collect::<Result<std::collections::BTreeSet<_>>>()?;
        let missing = (0..frame_count(rows_len)).filter(|index| !there.contains(index)).take(MAX_MISSING);
        Ok(Ok(Staged { missing: missing.map(|index| index as u32).collect() }))
    }

    /// Takes a frame of an upload, or up to [`MAX_FRAMES`] that follow each other from `index` on. Repeating it is harmless.
    pub async fn stage(
        &self,
        unit: &UnitName,
        root: &Hash,
        rows_len: u64,
        index: u64,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<Result<(), StagingRefused>> {
        if rows_len == 0 || rows_len > MAX_ROWS as u64 {
            return Ok(Err(StagingRefused::Rows));
        }
        let count = bytes.len().div_ceil(FRAME);
        if !(1..=MAX_FRAMES).contains(&count) || frames_len(rows_len, index, count) != Some(bytes.len()) {
            return Ok(Err(StagingRefused::Frame));
        }
        let hashes: Vec<Hash> = bytes.chunks(FRAME).map(part_hash).collect();
        let head: [Arg<'_>; 3] = [unit.as_str().into(), root.into(), rows_len.into()];
        let values = (index..).zip(bytes.chunks(FRAME)).zip(&hashes);
        let values = values.flat_map(|((index, bytes), hash)| [index.into(), bytes.into(), Arg::Blob(&hash.0)]);
        let args: Vec<Arg<'_>> = head.into_iter().chain(values).collect();
        let add = ADD[count - 1];
        // All calls but the first of an upload find it begun: then one statement does it, which is a transaction of its own.
        // Each further one would be two changes of thread, and cost more than the bytes.
        if index > 0 && self.store().run(add, &args).await? > 0 {
            return Ok(Ok(()));
        }
        let mut tx = self.store().write(Order::Free).await?;
        const HELD: &str = "SELECT count(*), CAST(coalesce(sum(rows_len), 0) AS BIGINT),
            max(CASE WHEN root = $2 THEN rows_len END) FROM body WHERE owner = $1 AND accepted = 0";
        let held = tx.first(HELD, &[unit.as_str().into(), root.into()]).await?;
        let mut held = held.ok_or(StoreError::Corrupt("a count without a row"))?;
        if held.maybe_int(2)?.is_none() {
            if held.int(0)? >= MAX_BODIES || held.int(1)?.saturating_add(rows_len) > MAX_STAGED {
                return Ok(Err(StagingRefused::Full));
            }
            const BEGIN: &str = "INSERT INTO body (owner, root, rows_len, touched_ms) VALUES ($1, $2, $3, $4)
                ON CONFLICT (owner, root) WHERE accepted = 0 DO UPDATE SET touched_ms = excluded.touched_ms";
            tx.run(BEGIN, &[unit.as_str().into(), root.into(), rows_len.into(), now_ms.into()]).await?;
        }
        if tx.run(add, &args).await? == 0 {
            return Ok(Err(StagingRefused::OtherLength));
        }
        tx.commit().await?;
        Ok(Ok(()))
    }
}

/// What a finished upload turned out to be.
pub(crate) enum Upload {
    /// All frames are there, and the root is right: the body is the envelope's from now on.
    Whole(u64),
    /// Frames are missing.
    Incomplete,
    /// All frames are there, but they are not what the root says.
    Wrong,
}

/// Looks whether the upload under `root` is whole, with `head` as its first part, and takes it over.
pub(crate) async fn take(tx: &mut Tx, owner: &UnitName, root: &Hash, head: &[u8], rows_len: u64) -> Result<Upload> {
    const UPLOAD: &str = "SELECT b.id, b.rows_len, f.hash FROM body b LEFT JOIN frame f ON f.body = b.id
        WHERE b.owner = $1 AND b.root = $2 AND b.accepted = 0 ORDER BY f.idx";
    let mut rows = tx.all(UPLOAD, &[owner.as_str().into(), root.into()]).await?;
    let Some(first) = rows.first_mut() else { return Ok(Upload::Incomplete) };
    let body = first.int(0)?;
    if first.int(1)? != rows_len {
        return Ok(Upload::Wrong);
    }
    let mut hashes = vec![part_hash(head)];
    for mut row in rows {
        if let Some(hash) = row.maybe_blob(2)? {
            hashes.push(Hash::from_slice(&hash).ok_or(StoreError::Corrupt("bytes of another length"))?);
        }
    }
    if hashes.len() as u64 - 1 != frame_count(rows_len) {
        return Ok(Upload::Incomplete);
    }
    if root_of_hashes(hashes.into_iter()) != *root {
        return Ok(Upload::Wrong);
    }
    tx.run("UPDATE body SET accepted = 1 WHERE id = $1", &[body.into()]).await?;
    Ok(Upload::Whole(body))
}

/// Drops an upload, so that it can be sent anew.
pub(crate) async fn drop_upload(tx: &mut Tx, owner: &UnitName, root: &Hash) -> Result<()> {
    const DROP: &str = "DELETE FROM body WHERE owner = $1 AND root = $2 AND accepted = 0";
    tx.run(DROP, &[owner.as_str().into(), root.into()]).await.map(drop)
}

/// Drops uploads that nobody goes on with.
pub(crate) async fn drop_stale(tx: &mut Tx, now_ms: u64) -> Result<()> {
    const DROP: &str = "DELETE FROM body WHERE accepted = 0 AND touched_ms < $1";
    tx.run(DROP, &[now_ms.saturating_sub(STALE_MS).into()]).await.map(drop)
}
