//! Taking in envelopes: every check in its order, and all effects in one durable transaction (R23 to R25).
//!
//! A submission is one transaction; each envelope in it is kept or undone as a whole, and the first refusal ends it. What
//! was answered is durable, in the log, and in the mailboxes it belongs to.
//!
//! | check | where |
//! |---|---|
//! | form | here |
//! | sender, signature, sequence | `sender` |
//! | receiver, accord, epoch, tick | `welcome` |
//! | body and rows | `content` |
//! | tag sets, acknowledgements | `tag_set`, `acknowledgement` |
//! | acts of officers, parts of parcels | `act`, `parcel_part` |
//!
//! Callers: the route `POST /v1/envelopes`, tests, the exercise. *Not here:* the broker's own envelopes
//! (`speak`).

mod acknowledgement;
mod act;
mod content;
mod parcel_part;
mod sender;
mod tag_set;
mod welcome;

use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::log::Writing;
use crate::mail::{Rows, kind_name};
use crate::refusal::{ChainRefused, Refusal, SenderRefused};
use crate::staging;
use crate::store::{Result, StoreError};
use content::Content;
use protocol::codec::Hash;
use protocol::envelope::{Envelope, Kind, Role, UnverifiedEnvelope};
use protocol::mailbox::{MAX_SUBMISSION, Outcomes, Posted, Refused};
use protocol::message::{AccordProposal, AccordSignature};
use protocol::name::{Party, UnitName};
use sender::Sender;

/// Why an envelope goes no further: refused, or a failure of our own.
enum Stop {
    Refused(Refusal),
    Failed(StoreError),
}

impl<R: Into<Refusal>> From<R> for Stop {
    fn from(refusal: R) -> Self {
        Stop::Refused(refusal.into())
    }
}

/// Shorthand for `?` on the store's errors, which are no refusals.
trait OrFail<T> {
    fn or_fail(self) -> Result<T, Stop>;
}
impl<T> OrFail<T> for Result<T> {
    fn or_fail(self) -> Result<T, Stop> {
        self.map_err(Stop::Failed)
    }
}

/// What a refusal leaves behind, outside what it undoes.
#[derive(Default)]
struct Aftermath {
    /// Another envelope under a number that was taken (R24).
    evidence: Option<(u64, Vec<u8>)>,
    /// An upload whose root is wrong: dropped, so that it can be sent anew.
    spoilt: Option<Hash>,
}

impl Broker {
    /// Takes in envelopes of `unit`, one after the other; the first refusal ends it. What the answer says is durable.
    pub async fn accept(&self, unit: &UnitName, items: Vec<Posted>, now_ms: u64) -> Result<Outcomes> {
        let mut outcomes = Outcomes { entries: Vec::new(), refused: None };
        let mut accepted = Vec::new();
        let mut writing = self.writing().await?;
        for posted in items.into_iter().take(MAX_SUBMISSION) {
            let mut aftermath = Aftermath::default();
            // Before the first there is nothing to keep: most submissions are of one envelope.
            if !outcomes.entries.is_empty() {
                writing.mark().await?;
            }
            match self.accept_one(&mut writing, unit, posted, now_ms, &mut aftermath).await {
                Ok((entry, kind)) => {
                    writing.keep_mark().await?;
                    outcomes.entries.push(entry);
                    accepted.push(kind);
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Refused(refusal)) => {
                    writing = writing.undo_to_mark(self).await?;
                    self.settle(&mut writing, unit, aftermath, now_ms).await?;
                    outcomes.refused = Some(Refused { code: refusal.code().to_owned(), detail: refusal.to_string() });
                    break;
                }
            }
        }
        writing.commit(self).await?;
        for kind in accepted {
            self.metrics().accepted(kind_name(kind));
            tracing::debug!(%unit, kind = kind_name(kind), "accepted");
        }
        if let Some(refused) = &outcomes.refused {
            self.metrics().refused(&refused.code);
            tracing::info!(%unit, code = refused.code, "an envelope was refused");
        }
        Ok(outcomes)
    }

    async fn settle(&self, writing: &mut Writing, unit: &UnitName, aftermath: Aftermath, now_ms: u64) -> Result<()> {
        if let Some((sequence, bytes)) = aftermath.evidence {
            const KEEP: &str = "INSERT INTO evidence (unit, sequence, bytes, at_ms) VALUES ($1, $2, $3, $4)
                ON CONFLICT (unit, sequence) DO NOTHING";
            let args = [unit.as_str().into(), sequence.into(), bytes.as_slice().into(), now_ms.into()];
            writing.tx.run(KEEP, &args).await?;
        }
        if let Some(root) = aftermath.spoilt {
            staging::drop_upload(&mut writing.tx, unit, &root).await?;
        }
        Ok(())
    }

    async fn accept_one(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        posted: Posted,
        now_ms: u64,
        aftermath: &mut Aftermath,
    ) -> Result<(u64, Kind), Stop> {
        // Form, sender, standing, federation, signature: in this order, and nothing is looked at before them.
        let unverified = UnverifiedEnvelope::decode(&posted.envelope)?;
        if unverified.unverified_sender().unit() != Some(unit) {
            return Err(SenderRefused::Other.into());
        }
        let sender = Sender::of(writing, unit).await?;
        let envelope = sender.verify(unverified, self.federation())?;
        let header = envelope.header();
        if let Some(entry) = sender.check_chain(writing, unit, &envelope, aftermath).await? {
            return Ok((entry, header.kind));
        }
        if header.expires != 0 && now_ms > header.expires {
            return Err(ChainRefused::Expired.into());
        }
        // Whether an act is an officer's shows when its head is read.
        if header.role != Role::Agent && (header.role, header.kind) != (Role::Officer, Kind::Act) {
            return Err(SenderRefused::Role.into());
        }
        let agreement = self.agreement_in(writing).await.or_fail()?;
        welcome::check_moment(&agreement, header, now_ms)?;
        welcome::check_receiver(writing, unit, &agreement, header).await?;
        let content = content::take(writing, unit, &envelope, posted, aftermath).await?;
        let delivery = self.take_effect(writing, unit, &agreement, &envelope, &content, now_ms).await?;
        let rows = match &content.rows {
            content::Rows::Inline(bytes) => Rows::Inline(bytes),
            content::Rows::Frames { body, .. } => Rows::Frames(*body),
        };
        let entry = writing.keep(&envelope, &content.head, rows).await.or_fail()?;
        match delivery {
            Deliver::Now => writing.deliver(entry, &header.receiver).await.or_fail()?,
            Deliver::With(peer_entry) => {
                let peer = Party::Unit(unit.clone());
                writing.deliver(peer_entry, &peer).await.or_fail()?;
                writing.deliver(entry, &header.receiver).await.or_fail()?;
            }
            Deliver::Both => {
                writing.deliver(entry, &header.receiver).await.or_fail()?;
                writing.deliver_to(entry, unit).await.or_fail()?;
            }
            Deliver::Held => {}
        }
        Ok((entry, header.kind))
    }

    /// What an envelope changes besides being kept.
    async fn take_effect(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        agreement: &Agreement,
        envelope: &Envelope,
        content: &Content,
        now_ms: u64,
    ) -> Result<Deliver, Stop> {
        let header = envelope.header();
        match header.kind {
            Kind::AccordProposal => {
                let head: AccordProposal = content.head()?;
                let text = content.whole_rows(writing, protocol::accord::MAX_TEXT).await?;
                let text = text
                    .ok_or(protocol::accord::AccordError::TooLong)
                    .map_err(crate::agreement::AccordRefused::from)?;
                self.propose(writing, head.start, &text).await.or_fail()??;
            }
            Kind::AccordSignature => {
                let head: AccordSignature = content.head()?;
                self.sign_accord(writing, unit, &head.accord, (header.tick, now_ms)).await.or_fail()??;
            }
            Kind::Officer => self.officer_entry(writing, unit, &content.head()?).await.or_fail()??,
            Kind::TagSet => tag_set::take_in(writing, unit, agreement, envelope, content).await?,
            Kind::Acknowledgement => {
                return acknowledgement::take_in(writing, unit, agreement, envelope, content).await;
            }
            Kind::Act => return self.take_in_act(writing, unit, agreement, header, content, now_ms).await,
            Kind::ParcelPart => return self.take_in_part(writing, unit, agreement, header, content, now_ms).await,
            _ => {}
        }
        Ok(Deliver::Now)
    }
}

/// When an envelope goes to its receiver.
enum Deliver {
    /// At once.
    Now,
    /// When the other side's acknowledgement is there (R18).
    Held,
    /// Now, and the held one with it.
    With(u64),
    /// At once, and to its sender too: both units fold the same acts in the order of the log (R33).
    Both,
}
