//! A leaf's place under its owner's signed root: what a unit shows when it disputes (R15, R17).
//!
//! Only the unit that got a notice may ask, and only for a tag of that notice; the path opens that one leaf. Caller: the
//! route `GET /v1/evidence/{entry}/{tag}`. *Not here:* judging it.

use crate::broker::Broker;
use crate::store::{Result, StoreError};
use protocol::body::part_hash;
use protocol::codec::{Bytes, Hash};
use protocol::mailbox::LeafEvidence;
use protocol::message::{Head, TagSet};
use protocol::name::UnitName;
use protocol::tagset::{NONCE_KEY_LEN, Reader, Row as LeafRow, Tag, hidden, nonce};

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
        const FIND: &str = "SELECT p.low, m.low_added, m.high_added FROM cut c
            JOIN pair_epoch p ON p.id = c.pair_epoch
            JOIN cut_match m ON m.pair_epoch = c.pair_epoch AND m.position = c.position AND m.tag = $2
            JOIN envelope n ON n.entry = $1
            WHERE n.receiver = $3 AND n.kind = 'notice' AND c.digest = $4";
        const NOTICE: &str = "SELECT head FROM envelope WHERE entry = $1 AND receiver = $2 AND kind = 'notice'";
        let Some(mut row) = self.store().first(NOTICE, &[entry.into(), unit.as_str().into()]).await? else {
            return Ok(Err(NoEvidence));
        };
        let head: protocol::message::Notice =
            Head::from_bytes(&row.blob(0)?).map_err(|_| StoreError::Corrupt("a notice"))?;
        let args = [entry.into(), tag.into(), unit.as_str().into(), (&head.digest).into()];
        let Some(mut row) = self.store().first(FIND, &args).await? else { return Ok(Err(NoEvidence)) };
        let is_low = row.text(0)? == unit.as_str();
        let owners_set = row.int(if is_low { 2 } else { 1 })?;
        self.place(owners_set, tag).await.map(|found| found.ok_or(NoEvidence))
    }

    async fn place(&self, set: u64, tag: &Tag) -> Result<Option<LeafEvidence>> {
        const SET: &str = "SELECT bytes, head, rows, rows_len, body FROM envelope WHERE entry = $1";
        let Some(mut row) = self.store().first(SET, &[set.into()]).await? else { return Ok(None) };
        let (envelope, head_bytes) = (row.blob(0)?, row.blob(1)?);
        let (inline, rows_len, body) = (row.maybe_blob(2)?, row.int(3)?, row.maybe_int(4)?);
        let head = TagSet::from_bytes(&head_bytes).map_err(|_| StoreError::Corrupt("a tag set's head"))?;
        let damaged = |_| StoreError::Corrupt("a tag set's rows");
        let mut reader = Reader::new(&head, rows_len).map_err(damaged)?;

        let (mut parts, mut leaves) = (vec![part_hash(&head_bytes).0], Vec::new());
        let (mut nonce_key, mut found) = (None, None);
        for index in 0..protocol::body::frame_count(rows_len) {
            let piece = match (&inline, body) {
                (Some(rows), _) => rows.clone(),
                (None, Some(body)) => {
                    const FRAME: &str = "SELECT bytes FROM frame WHERE body = $1 AND idx = $2";
                    let row = self.store().first(FRAME, &[body.into(), index.into()]).await?;
                    row.ok_or(StoreError::Corrupt("a frame is missing"))?.blob(0)?
                }
                (None, None) => return Ok(None),
            };
            parts.push(part_hash(&piece).0);
            let key = *nonce_key.get_or_insert(first_bytes(&piece)?);
            for row in reader.push(&piece).map_err(damaged)? {
                let LeafRow::Add(leaf) = row else { continue };
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
            envelope,
            head: head_bytes,
            head_path: path(&parts, 0)?,
            parts: parts.len() as u64,
            leaf: Bytes(leaf.to_bytes()),
            nonce: nonce(&key, &leaf.tag),
            index,
            path: path(&leaves, index)?,
        }))
    }
}

fn first_bytes(piece: &[u8]) -> Result<Bytes<NONCE_KEY_LEN>> {
    let first = piece.get(..NONCE_KEY_LEN).and_then(Bytes::from_slice);
    first.ok_or(StoreError::Corrupt("a tag set without its key"))
}
