//! Limits of cases that have passed: the broker says so to both units, and nothing more (R29).
//!
//! A limit moves a case at its own moment, whenever the broker gets to it: after a night's rest every limit passes in
//! the order of the moments, each once. Silence discloses nothing; what a limit leads to stands in the manual, and both
//! units work it out for themselves.
//!
//! Caller: [`crate::closing`]. *Not here:* a clock, and what an act does ([`crate::accept`]).

use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::cases;
use crate::log::Writing;
use crate::parcels;
use crate::speak::Moment;
use crate::store::{Result, StoreError};
use protocol::codec::Hash;
use protocol::message::Deadline;
use protocol::name::Party;
use protocol::overlap::Handle;

/// Limits that pass in one transaction at most.
const TOGETHER: u64 = 64;

impl Broker {
    /// Passes every limit that lies at or before `now_ms`; how many there were.
    pub(crate) async fn pass_deadlines(&self, now_ms: u64) -> Result<u64> {
        let mut passed = 0;
        // Looked for outside a transaction: there may be none any more, and one that passed may lead to the next.
        const ANY: &str = "SELECT round FROM case_file WHERE deadline_ms <= $1 LIMIT 1";
        while self.store().first(ANY, &[now_ms.into()]).await?.is_some() {
            let mut writing = self.writing().await?;
            // Asked again behind the log's lock: another process may have passed them meanwhile.
            const DUE: &str = "SELECT handle FROM case_file WHERE deadline_ms <= $1
                ORDER BY deadline_ms, handle LIMIT $2";
            let due = writing.tx.all(DUE, &[now_ms.into(), TOGETHER.into()]).await?;
            let agreement = self.agreement_in(&mut writing).await?;
            for mut row in due {
                self.pass_deadline(&mut writing, &agreement, &row.bytes(0)?, now_ms).await?;
                passed += 1;
            }
            writing.commit(self).await?;
        }
        Ok(passed)
    }

    async fn pass_deadline(
        &self,
        writing: &mut Writing,
        agreement: &Agreement,
        handle: &Handle,
        now_ms: u64,
    ) -> Result<()> {
        let case = cases::load(writing, handle).await?.ok_or(StoreError::Corrupt("a case is missing"))?;
        let manual = self.manual(agreement, case.accord()).map_err(|_| StoreError::Corrupt("a case without manual"))?;
        let at_ms = case.deadline_ms(&manual).filter(|at_ms| *at_ms <= now_ms);
        let at_ms = at_ms.ok_or(StoreError::Corrupt("a case whose limit is another"))?;
        let next = case.expire(&manual, at_ms).map_err(|_| StoreError::Corrupt("a limit that leads nowhere"))?;
        cases::store(writing, &next, &manual).await?;
        parcels::settle(writing, &next, &manual, now_ms).await?;

        let [low, high] = case.units();
        let said = Deadline { handle: *handle, low: low.clone(), high: high.clone(), round: case.round(), at_ms };
        let moment = Moment { accord: Hash::ZERO, epoch: 0, tick: agreement.tick_at(now_ms).unwrap_or(0), now_ms };
        let entry = self.say(writing, Party::Unit(low.clone()), &moment, &said, Vec::new()).await?;
        writing.deliver_to(entry, high).await
    }

    /// Destroys the bytes of all parts that are at the end of their time.
    pub(crate) async fn destroy_parts(&self, now_ms: u64) -> Result<()> {
        const ANY: &str = "SELECT entry FROM parcel_part WHERE until_ms <= $1 LIMIT 1";
        while self.store().first(ANY, &[now_ms.into()]).await?.is_some() {
            let mut writing = self.writing().await?;
            parcels::destroy_due(&mut writing, now_ms).await?;
            writing.commit(self).await?;
        }
        Ok(())
    }
}
