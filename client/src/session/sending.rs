//! Sending what is queued, in order; long rows frame by frame from the vault.
//!
//! Caller: the rounds of [`super::Session`]. *Not here:* the transfer itself (broker/submit.rs).

use super::{Session, SessionError};
use crate::agent::{Outgoing, part_name, restore};
use crate::broker::{FrameFuture, Outgoing as Posting, Rows};
use crate::membership::MembershipError;
use crate::vault::Vault;
use protocol::envelope::Kind as EnvelopeKind;

impl Session {
    /// Sends what is queued, in order.
    pub(super) async fn send(&mut self) -> Result<u64, SessionError> {
        let mut sent = 0;
        while !self.queue.is_empty() {
            let first: Vec<&Outgoing> = self.queue.iter().take(protocol::mailbox::MAX_SUBMISSION).collect();
            let readers: Vec<_> = first.iter().map(|outgoing| frames(&self.vault, outgoing)).collect();
            let mut batch: Vec<Posting<'_>> = Vec::with_capacity(first.len());
            for (outgoing, frame) in first.iter().zip(&readers) {
                let Outgoing { envelope, body, rows_len } = *outgoing;
                let is_stored = outgoing.is_stored();
                let rows = if is_stored { Rows::Stored { len: *rows_len, frame } } else { Rows::Here(&body.rows) };
                batch.push(Posting { envelope: envelope.as_bytes(), head: &body.head, rows });
            }
            let client = self.client.as_ref().ok_or(MembershipError::NotJoined)?;
            let outcomes = client.submit(&batch).await?;
            drop(batch);
            drop(readers);
            for entry in outcomes.entries {
                let Some(outgoing) = self.queue.pop_front() else { break };
                self.agent.accepted(outgoing.envelope.header().sequence, &outgoing.envelope, entry);
                sent += 1;
            }
            if let Some(refused) = outcomes.refused {
                let kind = self.queue.front().map(|outgoing| outgoing.envelope.header().kind);
                if is_passing(&refused.code) || (refused.code == "case-late" && kind == Some(EnvelopeKind::ParcelPart))
                {
                    self.commit().await?;
                    return Err(SessionError::NotNow { code: refused.code, detail: refused.detail });
                }
                let mut unsent: Vec<Outgoing> = self.queue.drain(..).collect();
                for outgoing in &mut unsent {
                    for frame in 0..if outgoing.is_stored() { outgoing.frames() } else { 0 } {
                        let name = part_name(outgoing.envelope.header().sequence, frame);
                        let part = self.vault.get(&name).await?.ok_or(restore::Damaged(name))?;
                        outgoing.body.rows.extend_from_slice(&part);
                    }
                }
                self.agent.rejected(&refused.code, unsent, (self.clock)());
            }
            self.commit().await?;
        }
        Ok(sent)
    }
}

/// Reads the frames of rows that lie in the vault.
fn frames(vault: &Vault, outgoing: &Outgoing) -> impl Fn(u64) -> FrameFuture + Send + Sync + use<> {
    let (vault, sequence) = (vault.clone(), outgoing.envelope.header().sequence);
    move |index| {
        let vault = vault.clone();
        Box::pin(async move {
            let name = part_name(sequence, u32::try_from(index).unwrap_or(u32::MAX));
            let part = vault.get(&name).await.map_err(std::io::Error::other)?;
            part.map(|part| part.to_vec()).ok_or_else(|| std::io::ErrorKind::NotFound.into())
        })
    }
}

/// Refusals that pass by themselves: the same envelope can be accepted later. (So can a part of a parcel that came while
/// the limit of its case's state was about to be logged; an act cannot.)
fn is_passing(code: &str) -> bool {
    matches!(code, "tick-ahead" | "epoch-not-begun" | "body-incomplete" | "sender-not-admitted")
}
