//! The end of a tick: cuts, notices, padding, a checkpoint; the end of an epoch; limits of cases (R15 to R17, R26, R29).
//!
//! [`Broker::tick`] does all that is due at a moment, and may be called at any time, by several processes at once: what
//! is done is not done again. Callers: [`crate::serve`], tests and simulations. *Not here:* a clock.

mod due;

use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::leaves;
use crate::log::Writing;
use crate::matching;
use crate::speak::Moment;
use crate::staging;
use crate::store::{Result, StoreError};
use due::Due;
use protocol::codec::{Bytes, Hash};
use protocol::message::EpochClosed;
use protocol::name::Party;
use rand_core::Rng;

/// The log grows in multiples of this, so that its size does not show others' overlaps (R26).
const PADDING: u64 = 64;
/// Between ticks, a checkpoint follows an entry within this time, in milliseconds, at the latest.
const CHECKPOINT_MS: u64 = 60_000;
/// And not sooner than this.
const CHECKPOINT_AT_MOST_EVERY_MS: u64 = 1_000;

/// What a call of [`Broker::tick`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ticked {
    /// The tick that was closed, if one was.
    pub closed: Option<u64>,
    /// Pairs that were cut.
    pub cuts: u64,
    /// Matches found.
    pub matches: u64,
    /// Epochs that were closed.
    pub epochs: u64,
    /// Limits of cases that passed.
    pub deadlines: u64,
    /// Size of the log in a checkpoint that was signed, if one was.
    pub checkpoint: Option<u64>,
    /// When the present tick ends, in milliseconds: nothing is due before it but checkpoints and limits of cases.
    pub next_ms: Option<u64>,
}

/// Cuts of one transaction at most, and matches after which it ends.
const CUTS_TOGETHER: u64 = 64;
const MATCHES_TOGETHER: u64 = 4096;

impl Broker {
    /// Does all that is due at `now_ms`: closes the ticks that are over, the epochs that are over, passes the limits of
    /// cases, and signs the log.
    pub async fn tick(&self, now_ms: u64) -> Result<Ticked> {
        let mut due = self.look(now_ms).await?;
        let agreement = self.agreement_at(due.accords).await?;
        let mut done = Ticked::default();
        let mut speaks = due.deadlines;
        if let (Some(accord), Some(now)) = (agreement.ruling_at(now_ms), agreement.tick_at(now_ms)) {
            done.next_ms = Some(accord.calendar().begins_ms(now.saturating_add(1)));
            if due.open_tick < now {
                speaks = true;
                self.close_ticks(&agreement, now, now_ms, &mut done).await?;
            }
        }
        // A case that cannot go on stops no tick and no checkpoint: the failure is told when these are done.
        let deadlines = if due.deadlines { self.pass_deadlines(now_ms).await } else { Ok(0) };
        if speaks {
            // What this has said is in the log, and what a limit has ended is to be destroyed.
            due = self.look(now_ms).await?;
        }
        let destroyed = if due.parts { self.destroy_parts(now_ms).await } else { Ok(()) };
        let matter = if due.matter { self.destroy_matter().await } else { Ok(0) };
        if is_checkpoint_due(&due, &agreement, &done, now_ms) {
            let mut writing = self.writing().await?;
            if agreement.is_founded() {
                pad(&mut writing)?;
            }
            done.checkpoint = Some(self.sign_checkpoint(&mut writing, now_ms).await?);
            writing.commit(self).await?;
        }
        done.deadlines = deadlines?;
        destroyed?;
        matter?;
        Ok(done)
    }

    /// Closes every tick before `now`: one cut for each pair, at the latest of them.
    async fn close_ticks(&self, agreement: &Agreement, now: u64, now_ms: u64, done: &mut Ticked) -> Result<()> {
        let tick = now.saturating_sub(1);
        let began = std::time::Instant::now();
        let mut after = 0;
        loop {
            // Small pairs together, for one commit; a large one alone, so that others are served in between. Each pair
            // once: what comes meanwhile is of the next tick.
            let mut writing = self.writing().await?;
            let (mut cuts, mut matches) = (0, 0);
            while cuts < CUTS_TOGETHER && matches < MATCHES_TOGETHER {
                let Some(pending) = matching::pending(&mut writing, after).await? else { break };
                after = pending.id();
                let accord =
                    agreement.for_epoch(pending.epoch()).ok_or(StoreError::Corrupt("an epoch without accord"))?;
                matches += self.cut(&mut writing, &pending, accord.hash(), tick, now_ms).await?;
                cuts += 1;
            }
            if cuts == 0 {
                break;
            }
            writing.commit(self).await?;
            done.cuts += cuts;
            done.matches += matches;
        }
        for epoch in agreement.overdue(now) {
            self.close_epoch(epoch, tick, now_ms).await?;
            done.epochs += 1;
        }
        let mut writing = self.writing().await?;
        const OPEN: &str = "UPDATE counter SET value = $1 WHERE name = 'open-tick' AND value < $1";
        if writing.tx.run(OPEN, &[now.into()]).await? > 0 {
            staging::drop_stale(&mut writing.tx, now_ms).await?;
            writing.commit(self).await?;
            done.closed = Some(tick);
            self.metrics().tick_closed(done.cuts, done.matches, began.elapsed());
            tracing::debug!(tick, cuts = done.cuts, "tick closed");
        }
        Ok(())
    }

    /// Closes an epoch: the logged last word, and the end of everything that was stored under it (R9).
    async fn close_epoch(&self, epoch: u32, tick: u64, now_ms: u64) -> Result<()> {
        let mut writing = self.writing().await?;
        const CLOSED: &str = "SELECT entry FROM closed_epoch WHERE epoch = $1";
        if writing.tx.first(CLOSED, &[epoch.into()]).await?.is_some() {
            return Ok(());
        }
        let moment = Moment { accord: Hash::ZERO, epoch: 0, tick, now_ms };
        let entry = self.say(&mut writing, Party::All, &moment, &EpochClosed { closed: epoch }, Vec::new()).await?;
        const CLOSE: &str = "INSERT INTO closed_epoch (epoch, entry) VALUES ($1, $2)";
        writing.tx.run(CLOSE, &[epoch.into(), entry.into()]).await?;
        writing.accords_changed().await?;
        leaves::destroy(&mut writing.tx, epoch).await?;
        for sql in [
            "DELETE FROM cut WHERE pair_epoch IN (SELECT id FROM pair_epoch WHERE epoch = $1)",
            "DELETE FROM tag_set WHERE pair_epoch IN (SELECT id FROM pair_epoch WHERE epoch = $1)",
            "DELETE FROM pair_epoch WHERE epoch = $1",
            "DELETE FROM body WHERE id IN (SELECT body FROM envelope WHERE epoch = $1 AND epoch > 0 AND body IS NOT NULL)",
            "UPDATE envelope SET rows = NULL, body = NULL WHERE epoch = $1 AND epoch > 0 AND rows_len > 0",
        ] {
            writing.tx.run(sql, &[epoch.into()]).await?;
        }
        writing.commit(self).await?;
        tracing::info!(epoch, "epoch closed");
        Ok(())
    }
}

fn is_checkpoint_due(due: &Due, agreement: &Agreement, done: &Ticked, now_ms: u64) -> bool {
    let Some((size, at_ms)) = due.checkpoint else { return true };
    if due.log_size == size {
        return false;
    }
    let wait = match agreement.ruling_at(now_ms) {
        Some(accord) => (accord.calendar().tick_ms / 4).clamp(CHECKPOINT_AT_MOST_EVERY_MS, CHECKPOINT_MS),
        None => 0,
    };
    done.closed.is_some() || now_ms.saturating_sub(at_ms) >= wait || at_ms > now_ms
}

/// Fills the log up with random entries: nobody can tell them from real ones.
fn pad(writing: &mut Writing) -> Result<()> {
    while !writing.size().is_multiple_of(PADDING) {
        let mut hash = [0; 32];
        crate::random().fill_bytes(&mut hash);
        writing.append(&Bytes(hash))?;
    }
    Ok(())
}
