//! Mailboxes: what was accepted, in order, for each unit; and waiting for it (R24, R28).
//!
//! Callers: [`crate::accept`] and `speak` put envelopes in; the routes take them out. *Not here:* whether an
//! envelope is welcome.

use crate::broker::Broker;
use crate::log::Writing;
use crate::store::{Arg, Result, Row, StoreError};
use protocol::body::{FRAME, part_hash};
use protocol::codec::Hash;
use protocol::envelope::{Envelope, Kind};
use protocol::mailbox::{Delivered, Delivery, MAX_BATCH, MAX_SUBMISSION, State};
use protocol::name::{Party, UnitName};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Who waits for mail, and how far each unit has it, as this process has seen.
#[derive(Default)]
pub(crate) struct Mail {
    bells: Mutex<HashMap<UnitName, Arc<Notify>>>,
    taken: Mutex<HashMap<UnitName, u64>>,
}

impl Mail {
    fn bell(&self, unit: &UnitName) -> Arc<Notify> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner).entry(unit.clone()).or_default().clone()
    }

    /// A unit asks for what follows this position: up to it, it has everything.
    fn asked(&self, unit: &UnitName, after: u64) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let known = taken.entry(unit.clone()).or_default();
        *known = after.max(*known);
    }

    /// Up to which position a unit has said that it has everything; 0 until it asks again after a start of this process.
    pub(crate) fn taken(&self, unit: &UnitName) -> u64 {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(unit).copied().unwrap_or(0)
    }

    pub(crate) fn woken(&self, units: &BTreeSet<UnitName>) {
        for unit in units {
            self.bell(unit).notify_waiters();
        }
    }

    /// Wakes everybody: another process may have delivered something.
    pub(crate) fn wake_all(&self) {
        for bell in self.bells.lock().unwrap_or_else(PoisonError::into_inner).values() {
            bell.notify_waiters();
        }
    }
}

/// Where the rows of an envelope are.
pub(crate) enum Rows<'a> {
    /// Here.
    Inline(&'a [u8]),
    /// In the frames of this body.
    Frames(u64),
}

/// Why a frame is not given.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum FrameRefused {
    /// Not in this unit's mailbox, or no such frame.
    #[error("no such envelope in this mailbox, or no such frame of it")]
    Unknown,
    /// The epoch is closed, or the parcel was recalled or is at the end of its time: the bodies are destroyed.
    #[error("the body was destroyed: its epoch closed, or its parcel was recalled or is at the end of its time")]
    Destroyed,
}

impl FrameRefused {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            FrameRefused::Unknown => "frame-unknown",
            FrameRefused::Destroyed => "body-destroyed",
        }
    }
}

impl Writing {
    /// Logs and keeps an envelope, and moves its sender's chain on; its entry.
    pub(crate) async fn keep(&mut self, envelope: &Envelope, head: &[u8], rows: Rows<'_>) -> Result<u64> {
        let (header, hash) = (envelope.header(), envelope.hash());
        let entry = self.append(&hash)?;
        let (inline, body) = match rows {
            Rows::Inline(bytes) => (Some(bytes), None),
            Rows::Frames(body) => (None, Some(body)),
        };
        const KEEP: &str = "INSERT INTO envelope
            (entry, hash, sender, sequence, receiver, kind, epoch, bytes, head, rows, rows_len, body)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let args = [
            entry.into(),
            (&hash).into(),
            header.sender.as_str().into(),
            header.sequence.into(),
            header.receiver.as_str().into(),
            kind_name(header.kind).into(),
            header.epoch.into(),
            envelope.as_bytes().into(),
            head.into(),
            inline.into(),
            header.body_len.saturating_sub(head.len() as u64).into(),
            body.into(),
        ];
        self.tx.run(KEEP, &args).await?;
        const CHAIN: &str = "INSERT INTO chain (party, sequence, previous) VALUES ($1, $2, $3)
            ON CONFLICT (party) DO UPDATE SET sequence = excluded.sequence, previous = excluded.previous";
        self.tx.run(CHAIN, &[header.sender.as_str().into(), header.sequence.into(), (&hash).into()]).await?;
        Ok(entry)
    }

    /// Cuts rows into frames of an accepted body; its id.
    pub(crate) async fn keep_frames(&mut self, owner: &Party, root: &Hash, rows: &[u8], now_ms: u64) -> Result<u64> {
        const BODY: &str = "INSERT INTO body (owner, root, rows_len, accepted, touched_ms) VALUES ($1, $2, $3, 1, $4)
            RETURNING id";
        let args = [owner.as_str().into(), root.into(), (rows.len() as u64).into(), now_ms.into()];
        let row = self.tx.first(BODY, &args).await?;
        let body = row.ok_or(StoreError::Corrupt("no body was made"))?.int(0)?;
        const ONE: &str = "INSERT INTO frame (body, idx, bytes, hash) VALUES ($1, $2, $3, $4)";
        for (index, frame) in rows.chunks(FRAME).enumerate() {
            let args = [body.into(), (index as u64).into(), frame.into(), Arg::Blob(&part_hash(frame).0)];
            self.tx.run(ONE, &args).await?;
        }
        Ok(body)
    }

    /// Puts a kept envelope into the mailbox of its receiver, or into those of all who are admitted.
    pub(crate) async fn deliver(&mut self, entry: u64, receiver: &Party) -> Result<()> {
        match receiver {
            Party::Broker => Ok(()),
            Party::Unit(unit) => self.deliver_to(entry, unit).await,
            Party::All => {
                let all = self.tx.all("SELECT name FROM unit WHERE standing = 0 ORDER BY name", &[]).await?;
                for mut row in all {
                    self.deliver_to(entry, &row.parsed(0)?).await?;
                }
                Ok(())
            }
        }
    }

    pub(crate) async fn deliver_to(&mut self, entry: u64, unit: &UnitName) -> Result<()> {
        const NEXT: &str = "UPDATE unit SET mailbox = mailbox + 1 WHERE name = $1 RETURNING mailbox";
        let row = self.tx.first(NEXT, &[unit.as_str().into()]).await?;
        let position = row.ok_or(StoreError::Corrupt("a unit without a mailbox"))?.int(0)?;
        const PUT: &str = "INSERT INTO mailbox (unit, position, entry) VALUES ($1, $2, $3)";
        self.tx.run(PUT, &[unit.as_str().into(), position.into(), entry.into()]).await?;
        self.wakes(unit.clone());
        Ok(())
    }
}

impl Broker {
    /// Where `unit` stands with the broker.
    pub async fn state(&self, unit: &UnitName, now_ms: u64) -> Result<State> {
        const STATE: &str = "SELECT u.mailbox, c.sequence, c.previous FROM unit u LEFT JOIN chain c ON c.party = u.name
            WHERE u.name = $1";
        let row = self.store().first(STATE, &[unit.as_str().into()]).await?;
        let mut row = row.ok_or(StoreError::Corrupt("no such unit"))?;
        let (mailbox, sequence) = (row.int(0)?, row.maybe_int(1)?.unwrap_or(0));
        let previous = if sequence > 0 { row.bytes(2)? } else { Hash::ZERO };
        Ok(State { now_ms, sequence, previous, mailbox })
    }

    /// The next envelopes of `unit`'s mailbox after position `after`: at most `max`, and at most [`MAX_BATCH`] bytes
    /// (one always fits).
    pub async fn fetch(&self, unit: &UnitName, after: u64, max: usize) -> Result<Delivery> {
        const PAGE: u64 = 16;
        const NEXT: &str = "SELECT m.position, m.entry, e.bytes, e.head, e.rows, e.frames
            FROM mailbox m JOIN envelope e ON e.entry = m.entry
            WHERE m.unit = $1 AND m.position > $2 ORDER BY m.position LIMIT $3";
        let (mut items, mut bytes, mut after) = (Vec::new(), 0, after);
        let max = max.clamp(1, MAX_SUBMISSION);
        loop {
            let rows = self.store().all(NEXT, &[unit.as_str().into(), after.into(), PAGE.into()]).await?;
            let last_page = (rows.len() as u64) < PAGE;
            for mut row in rows {
                let item = Delivered {
                    position: row.int(0)?,
                    entry: row.int(1)?,
                    envelope: row.blob(2)?,
                    head: row.blob(3)?,
                    rows: row.maybe_blob(4)?,
                    frames: row.maybe_blob(5)?.map(|hashes| hashes.chunks(32).filter_map(Hash::from_slice).collect()),
                };
                let size = item.envelope.len() + item.head.len() + item.rows.as_ref().map_or(0, Vec::len);
                if !items.is_empty() && bytes + size > MAX_BATCH {
                    return Ok(Delivery { items });
                }
                bytes += size;
                after = item.position;
                items.push(item);
                if items.len() >= max {
                    return Ok(Delivery { items });
                }
            }
            if last_page {
                return Ok(Delivery { items });
            }
        }
    }

    /// As [`Broker::fetch`], but waits until something is there or `wait` is over.
    pub async fn fetch_waiting(&self, unit: &UnitName, after: u64, max: usize, wait: Duration) -> Result<Delivery> {
        self.mail().asked(unit, after);
        let bell = self.mail().bell(unit);
        let end = tokio::time::Instant::now() + wait;
        loop {
            let rung = bell.notified();
            tokio::pin!(rung);
            // From here on no ring is missed.
            rung.as_mut().enable();
            let delivery = self.fetch(unit, after, max).await?;
            if !delivery.items.is_empty() || tokio::time::timeout_at(end, rung).await.is_err() {
                return Ok(delivery);
            }
        }
    }

    /// Up to `count` frames of an envelope in `unit`'s mailbox, from `index` on, one after the other.
    pub async fn frames(
        &self,
        unit: &UnitName,
        envelope: &Hash,
        index: u64,
        count: usize,
    ) -> Result<Result<Vec<u8>, FrameRefused>> {
        // One look: each further one is two changes of thread, for what travels in a moment.
        const FRAMES: &str = "SELECT e.rows, e.rows_len, e.body, f.bytes, f.idx FROM envelope e
            JOIN mailbox m ON m.unit = $1 AND m.entry = e.entry
            LEFT JOIN frame f ON f.body = e.body AND f.idx >= $3 AND f.idx < $4 WHERE e.hash = $2 ORDER BY f.idx";
        let end = index.saturating_add(count as u64);
        let args = [unit.as_str().into(), envelope.into(), index.into(), end.into()];
        let mut rows = self.store().all(FRAMES, &args).await?;
        let Some(first) = rows.first_mut() else { return Ok(Err(FrameRefused::Unknown)) };
        let frames = match (first.maybe_blob(0)?, first.maybe_int(2)?) {
            (Some(rows), _) => (index == 0 && !rows.is_empty()).then_some(rows),
            (None, Some(_)) => together(rows, index)?,
            (None, None) if first.int(1)? > 0 => return Ok(Err(FrameRefused::Destroyed)),
            (None, None) => None,
        };
        Ok(frames.ok_or(FrameRefused::Unknown))
    }
}

/// The bytes of frames that follow each other from `index` on; `None` if the first of them is not there.
fn together(rows: Vec<Row>, index: u64) -> Result<Option<Vec<u8>>> {
    let mut bytes = None;
    for (ahead, mut row) in rows.into_iter().enumerate() {
        let place = row.maybe_int(4)?;
        if place.is_none() || place != index.checked_add(ahead as u64) {
            break;
        }
        let frame = row.blob(3)?;
        match &mut bytes {
            None => bytes = Some(frame),
            Some(bytes) => bytes.extend_from_slice(&frame),
        }
    }
    Ok(bytes)
}

/// The name under which a kind stands in the store, in metrics and in log lines.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Roster => "roster",
        Kind::AccordProposal => "accord-proposal",
        Kind::AccordSignature => "accord-signature",
        Kind::Commitment => "commitment",
        Kind::Contribution => "contribution",
        Kind::Request => "request",
        Kind::Count => "count",
        Kind::Evaluation => "evaluation",
        Kind::Refusal => "refusal",
        Kind::TagSet => "tag-set",
        Kind::Notice => "notice",
        Kind::Acknowledgement => "acknowledgement",
        Kind::Dispute => "dispute",
        Kind::Act => "act",
        Kind::ParcelPart => "parcel-part",
        Kind::Deadline => "deadline",
        Kind::EpochClosed => "epoch-closed",
        Kind::Officer => "officer",
    }
}
