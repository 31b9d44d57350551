//! A leaf's place under its owner's signed root: what a unit shows when it disputes (R15, R17).
//!
//! Only the unit that got a notice may ask, and only for a tag of that notice; the path opens that one leaf. All of it is
//! read from what was signed: the notice, and the owner's tag sets. Caller: the route `GET /v1/evidence/{entry}/{tag}`.
//! *Not here:* judging it.

use crate::broker::Broker;
use crate::store::{Result, StoreError};
use protocol::body::{FRAME, frame_count, part_hash};
use protocol::codec::{Bytes, Hash};
use protocol::compare::Side;
use protocol::mailbox::LeafEvidence;
use protocol::message::{Head, Notice, TagSet};
use protocol::name::UnitName;
use protocol::tagset::{LEAF_LEN, NONCE_KEY_LEN, Reader, Row, TAG_LEN, Tag, hidden, nonce};

/// Why there is no evidence.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("no notice of this unit under this entry names this tag, or its epoch is closed")]
pub struct NoEvidence;

impl NoEvidence {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        "evidence-unknown"
    }
}

impl Broker {
    /// The place of the other side's leaf of `tag`, which the notice at `entry` told `unit` of.
    pub async fn evidence(&self, unit: &UnitName, entry: u64, tag: &Tag) -> Result<Result<LeafEvidence, NoEvidence>> {
        const NOTICE: &str = "SELECT 1 FROM envelope WHERE entry = $1 AND receiver = $2 AND kind = 'notice'";
        if self.store().first(NOTICE, &[entry.into(), unit.as_str().into()]).await?.is_none() {
            return Ok(Err(NoEvidence));
        }
        let Some(notice) = self.stored(entry).await? else { return Ok(Err(NoEvidence)) };
        let said = Notice::from_bytes(&notice.head).map_err(|_| StoreError::Corrupt("a notice"))?;
        if !self.holds(&notice, 0, u64::from(said.matches), tag).await? {
            return Ok(Err(NoEvidence));
        }
        const CUT: &str = "SELECT c.pair_epoch, c.position, p.low FROM cut c JOIN pair_epoch p ON p.id = c.pair_epoch
            WHERE c.digest = $1";
        let Some(mut row) = self.store().first(CUT, &[(&said.digest).into()]).await? else {
            return Ok(Err(NoEvidence));
        };
        let (pair_epoch, position) = (row.int(0)?, row.int(1)?);
        let owner = if row.text(2)? == unit.as_str() { Side::High } else { Side::Low };

        // A leaf that stood at the cut is of the latest set that added its tag.
        const SETS: &str = "SELECT entry FROM tag_set WHERE pair_epoch = $1 AND side = $2 AND entry < $3
            ORDER BY entry DESC";
        let args = [pair_epoch.into(), crate::leaves::number(owner).into(), position.into()];
        for mut row in self.store().all(SETS, &args).await? {
            let Some(set) = self.stored(row.int(0)?).await? else { return Ok(Err(NoEvidence)) };
            let head = TagSet::from_bytes(&set.head).map_err(|_| StoreError::Corrupt("a tag set's head"))?;
            if self.holds(&set, NONCE_KEY_LEN, u64::from(head.adds), tag).await? {
                return self.place(&set, &head, tag).await.map(|found| found.ok_or(NoEvidence));
            }
        }
        Ok(Err(NoEvidence))
    }

    /// The envelope at `entry`, and where its rows are.
    async fn stored(&self, entry: u64) -> Result<Option<Stored>> {
        const ENVELOPE: &str = "SELECT bytes, head, rows, rows_len, body FROM envelope WHERE entry = $1";
        let row = self.store().first(ENVELOPE, &[entry.into()]).await?;
        row.map(|mut row| {
            let rows = match (row.maybe_blob(2)?, row.maybe_int(4)?) {
                (Some(rows), _) => Rows::Inline(rows),
                (None, Some(body)) => Rows::Frames(body),
                (None, None) => Rows::Destroyed,
            };
            Ok(Stored { envelope: row.blob(0)?, head: row.blob(1)?, rows, rows_len: row.int(3)? })
        })
        .transpose()
    }

    /// One frame of an envelope's rows; `None` if they are destroyed.
    async fn piece(&self, of: &Stored, index: u64) -> Result<Option<Vec<u8>>> {
        match &of.rows {
            Rows::Inline(rows) => Ok(Some(rows.clone())),
            Rows::Frames(body) => {
                const PIECE: &str = "SELECT bytes FROM frame WHERE body = $1 AND idx = $2";
                let row = self.store().first(PIECE, &[(*body).into(), index.into()]).await?;
                row.ok_or(StoreError::Corrupt("a frame is missing"))?.blob(0).map(Some)
            }
            Rows::Destroyed => Ok(None),
        }
    }

    /// Whether one of the `count` leaves that stand, ascending, from byte `skip` of the rows on is that of `tag`. Leaves
    /// never straddle frames.
    async fn holds(&self, of: &Stored, skip: usize, count: u64, tag: &Tag) -> Result<bool> {
        let (mut from, mut to) = (0, frame_count(skip as u64 + count * LEAF_LEN as u64));
        while from < to {
            let middle = from + (to - from) / 2;
            let Some(piece) = self.piece(of, middle).await? else { return Ok(false) };
            let skipped = if middle == 0 { skip } else { 0 };
            let begun = (middle * FRAME as u64).saturating_sub(skip as u64) / LEAF_LEN as u64;
            let leaves = piece.get(skipped..).unwrap_or_default().as_chunks::<LEAF_LEN>().0;
            let leaves = leaves.get(..count.saturating_sub(begun) as usize).unwrap_or(leaves);
            match leaves.binary_search_by(|leaf| leaf.get(..TAG_LEN).cmp(&Some(&tag.0))) {
                Ok(_) => return Ok(true),
                Err(0) => to = middle,
                Err(at) if at == leaves.len() => from = middle + 1,
                Err(_) => return Ok(false),
            }
        }
        Ok(false)
    }

    async fn place(&self, set: &Stored, head: &TagSet, tag: &Tag) -> Result<Option<LeafEvidence>> {
        let damaged = |_| StoreError::Corrupt("a tag set's rows");
        let mut reader = Reader::new(head, set.rows_len).map_err(damaged)?;
        let (mut parts, mut leaves) = (vec![part_hash(&set.head).0], Vec::new());
        let (mut nonce_key, mut found) = (None, None);
        for index in 0..frame_count(set.rows_len) {
            let Some(piece) = self.piece(set, index).await? else { return Ok(None) };
            parts.push(part_hash(&piece).0);
            let key = *nonce_key.get_or_insert(first_bytes(&piece)?);
            for row in reader.push(&piece).map_err(damaged)? {
                let Row::Add(leaf) = row else { continue };
                if leaf.tag == *tag {
                    found = Some((leaves.len() as u64, leaf));
                }
                leaves.push(hidden(&leaf, &nonce(&key, &leaf.tag)).0);
            }
        }
        let (Some((index, leaf)), Some(key)) = (found, nonce_key) else { return Ok(None) };
        let path = |hashes: &[[u8; 32]], index| -> Result<Vec<Hash>> {
            let path = tlog::body_path(hashes, index).map_err(|_| StoreError::Corrupt("a path"))?;
            Ok(path.hashes().iter().map(|hash| Bytes(*hash)).collect())
        };
        Ok(Some(LeafEvidence {
            envelope: set.envelope.clone(),
            head: set.head.clone(),
            head_path: path(&parts, 0)?,
            parts: parts.len() as u64,
            leaf: Bytes(leaf.to_bytes()),
            nonce: nonce(&key, &leaf.tag),
            index,
            path: path(&leaves, index)?,
        }))
    }
}

/// An accepted envelope.
struct Stored {
    envelope: Vec<u8>,
    head: Vec<u8>,
    rows: Rows,
    rows_len: u64,
}

enum Rows {
    Inline(Vec<u8>),
    Frames(u64),
    Destroyed,
}

fn first_bytes(piece: &[u8]) -> Result<Bytes<NONCE_KEY_LEN>> {
    let first = piece.get(..NONCE_KEY_LEN).and_then(Bytes::from_slice);
    first.ok_or(StoreError::Corrupt("a tag set without its key"))
}
