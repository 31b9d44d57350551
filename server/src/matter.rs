//! Sealed matter of acts: kept until its case has ended and both units have it, then destroyed (R31).
//!
//! Nobody here can open it. It goes all the same: a key of a case that somebody kept should find nothing. What stays is the
//! signed envelope, the act, and the hashes of the frames, so that whoever fetches the act later (from a backup, say) still
//! verifies and folds it.
//!
//! Callers: `accept::act`, `closing`. *Not here:* parcels ([`crate::parcels`]).

use crate::broker::Broker;
use crate::log::Writing;
use crate::store::{Result, StoreError};
use protocol::body::{FRAME, part_hash};
use protocol::name::UnitName;
use protocol::overlap::Handle;

/// Acts whose matter is destroyed in one transaction at most.
const TOGETHER: u64 = 64;

/// Notes that the log's next entry is an act of this case, with its matter.
pub(crate) async fn note(writing: &mut Writing, handle: &Handle) -> Result<()> {
    const NOTE: &str = "INSERT INTO case_act (entry, handle) VALUES ($1, $2)";
    let entry = writing.size();
    writing.tx.run(NOTE, &[entry.into(), handle.into()]).await.map(drop)
}

impl Broker {
    /// Destroys the matter of all cases that have ended and whose acts both units have taken in; of how many acts.
    pub(crate) async fn destroy_matter(&self) -> Result<u64> {
        const ENDED: &str = "SELECT DISTINCT c.handle, c.low, c.high FROM case_file c
            JOIN case_act a ON a.handle = c.handle WHERE c.deadline_ms IS NULL";
        let mut destroyed = 0;
        for mut row in self.store().all(ENDED, &[]).await? {
            let handle: Handle = row.bytes(0)?;
            let units: [UnitName; 2] = [row.parsed(1)?, row.parsed(2)?];
            if !self.have_taken(&handle, &units).await? {
                continue;
            }
            loop {
                let mut writing = self.writing().await?;
                let some = destroy_some(&mut writing, &handle).await?;
                writing.commit(self).await?;
                destroyed += some;
                if some < TOGETHER {
                    break;
                }
            }
        }
        Ok(destroyed)
    }

    /// Whether each unit has asked for what follows the last act of this case, so that it has all of them; a unit that has
    /// left for good is not waited for.
    async fn have_taken(&self, handle: &Handle, units: &[UnitName; 2]) -> Result<bool> {
        for unit in units {
            const LAST: &str = "SELECT u.standing, max(m.position) FROM unit u JOIN mailbox m ON m.unit = u.name
                JOIN case_act a ON a.entry = m.entry WHERE u.name = $1 AND a.handle = $2 GROUP BY u.standing";
            let Some(mut row) = self.store().first(LAST, &[unit.as_str().into(), handle.into()]).await? else {
                continue;
            };
            let (standing, last) = (row.int(0)?, row.int(1)?);
            if standing != 2 && self.mail().taken(unit) < last {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn destroy_some(writing: &mut Writing, handle: &Handle) -> Result<u64> {
    const SOME: &str = "SELECT a.entry, e.rows, e.body FROM case_act a JOIN envelope e ON e.entry = a.entry
        WHERE a.handle = $1 ORDER BY a.entry LIMIT $2";
    let some = writing.tx.all(SOME, &[handle.into(), TOGETHER.into()]).await?;
    let count = some.len() as u64;
    for mut row in some {
        let (entry, rows, body) = (row.int(0)?, row.maybe_blob(1)?, row.maybe_int(2)?);
        let mut hashes = Vec::new();
        match (rows, body) {
            (Some(rows), _) => rows.chunks(FRAME).for_each(|frame| hashes.extend(part_hash(frame).0)),
            (None, Some(body)) => {
                const FRAMES: &str = "SELECT hash FROM frame WHERE body = $1 ORDER BY idx";
                for mut frame in writing.tx.all(FRAMES, &[body.into()]).await? {
                    hashes.extend(frame.bytes::<32>(0)?.0);
                }
                writing.tx.run("DELETE FROM body WHERE id = $1", &[body.into()]).await?;
            }
            (None, None) => return Err(StoreError::Corrupt("an act without its matter")),
        }
        const KEEP: &str = "UPDATE envelope SET rows = NULL, body = NULL, frames = $1 WHERE entry = $2";
        writing.tx.run(KEEP, &[hashes.as_slice().into(), entry.into()]).await?;
        writing.tx.run("DELETE FROM case_act WHERE entry = $1", &[entry.into()]).await?;
    }
    Ok(count)
}
