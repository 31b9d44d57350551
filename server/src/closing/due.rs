//! One look at the store for all that may be due: nearly always nothing is, and asking costs more than the answer.
//!
//! Outside a transaction, so that nobody has to wait. Whoever then acts asks again behind the log's lock: another process
//! may have done it meanwhile. Caller: [`super`]. *Not here:* doing it, and whether a checkpoint is due.

use crate::broker::Broker;
use crate::store::{Result, StoreError};

/// What the store says.
pub(super) struct Due {
    /// The version of what was agreed on.
    pub(super) accords: u64,
    /// The first tick that is not closed.
    pub(super) open_tick: u64,
    /// Limits of cases have passed.
    pub(super) deadlines: bool,
    /// Parts of parcels are at the end of their time.
    pub(super) parts: bool,
    /// Cases have ended whose matter is still here.
    pub(super) matter: bool,
    /// Number of entries in the log.
    pub(super) log_size: u64,
    /// The size of the latest checkpoint, and when it was signed.
    pub(super) checkpoint: Option<(u64, u64)>,
}

impl Broker {
    pub(super) async fn look(&self, now_ms: u64) -> Result<Due> {
        const LOOK: &str = "SELECT a.value, t.value, h.size, k.size, k.at_ms,
                CASE WHEN EXISTS (SELECT 1 FROM case_file WHERE deadline_ms <= $1) THEN 1 ELSE 0 END,
                CASE WHEN EXISTS (SELECT 1 FROM parcel_part WHERE until_ms <= $1) THEN 1 ELSE 0 END,
                CASE WHEN EXISTS (SELECT 1 FROM case_act m JOIN case_file c ON c.handle = m.handle
                    WHERE c.deadline_ms IS NULL) THEN 1 ELSE 0 END
            FROM log_head h JOIN counter a ON a.name = 'accord' JOIN counter t ON t.name = 'open-tick'
                LEFT JOIN checkpoint k ON k.size = (SELECT max(size) FROM checkpoint)
            WHERE h.id = 1";
        let row = self.store().first(LOOK, &[now_ms.into()]).await?;
        let mut row = row.ok_or(StoreError::Corrupt("the log has no head"))?;
        Ok(Due {
            accords: row.int(0)?,
            open_tick: row.int(1)?,
            log_size: row.int(2)?,
            checkpoint: row.maybe_int(3)?.zip(row.maybe_int(4)?),
            deadlines: row.int(5)? == 1,
            parts: row.int(6)? == 1,
            matter: row.int(7)? == 1,
        })
    }
}
