//! What the broker itself says: its own envelopes, in its own sequence (R23).
//!
//! Callers: [`crate::membership`] (roster), [`crate::matching`] (notices), [`crate::closing`] (closed epochs),
//! `deadlines` (limits of cases). *Not here:* units' envelopes.

use crate::broker::Broker;
use crate::log::Writing;
use crate::mail::Rows;
use crate::store::{Result, StoreError};
use protocol::body::Body;
use protocol::codec::Hash;
use protocol::envelope::{Header, Role, seal_envelope};
use protocol::label;
use protocol::mailbox::MAX_INLINE;
use protocol::message::Head;
use protocol::name::Party;

/// When and under which accord the broker speaks.
pub(crate) struct Moment {
    /// The accord of the epoch; zero with epoch 0.
    pub(crate) accord: Hash,
    /// The epoch; 0 for what belongs to none.
    pub(crate) epoch: u32,
    /// The tick.
    pub(crate) tick: u64,
    /// The clock, for bookkeeping only.
    pub(crate) now_ms: u64,
}

impl Broker {
    /// Signs, logs and delivers an envelope of the broker's; its entry.
    pub(crate) async fn say<H: Head>(
        &self,
        writing: &mut Writing,
        receiver: Party,
        moment: &Moment,
        head: &H,
        rows: Vec<u8>,
    ) -> Result<u64> {
        const CHAIN: &str = "SELECT sequence, previous FROM chain WHERE party = '@broker'";
        let (sequence, previous) = match writing.tx.first(CHAIN, &[]).await? {
            Some(mut row) => (row.int(0)?, row.bytes(1)?),
            None => (0, Hash::ZERO),
        };
        const CHECKPOINT: &str = "SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1";
        let (log_size, log_root) = match writing.tx.first(CHECKPOINT, &[]).await? {
            Some(mut row) => (row.int(0)?, row.bytes(1)?),
            None => (0, Hash::ZERO),
        };
        let header = Header {
            version: label::VERSION,
            federation: *self.federation(),
            accord: moment.accord,
            epoch: moment.epoch,
            tick: moment.tick,
            sender: Party::Broker,
            receiver: receiver.clone(),
            role: Role::Broker,
            sequence: sequence.checked_add(1).ok_or(StoreError::Corrupt("the broker's sequence"))?,
            previous,
            kind: H::KIND,
            expires: 0,
            log_size,
            log_root,
            body_len: 0,
            body_root: Hash::ZERO,
        };
        let body = Body { head: head.to_bytes(), rows };
        let envelope = seal_envelope(header, &body, self.signing());
        let entry = if body.rows.len() > MAX_INLINE {
            let root = envelope.header().body_root;
            let frames = writing.keep_frames(&Party::Broker, &root, &body.rows, moment.now_ms).await?;
            writing.keep(&envelope, &body.head, Rows::Frames(frames)).await?
        } else {
            writing.keep(&envelope, &body.head, Rows::Inline(&body.rows)).await?
        };
        writing.deliver(entry, &receiver).await?;
        Ok(entry)
    }
}
