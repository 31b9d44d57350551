//! Cases in the store, and the manuals by which they are refereed (R31, R33).
//!
//! Of a case the broker keeps what the engine folded from the public part of acts, under the overlap's handle: nothing
//! that it was not told in clear (R1). Callers: [`crate::accept`], `deadlines`. *Not here:* the engine itself
//! ([`protocol::case`]), and any word of a case: matter and parcels are sealed.

use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::log::Writing;
use crate::refusal::ManualRefused;
use crate::store::{Result, StoreError};
use protocol::accord::Accord;
use protocol::case::Case;
use protocol::codec::{self, Hash};
use protocol::manual::Manual;
use protocol::overlap::Handle;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Manuals that were read and checked, by the hash of their accord: a hash stands for one text, so none is ever stale.
#[derive(Default)]
pub(crate) struct Manuals(Mutex<BTreeMap<Hash, Arc<Manual>>>);

impl Manuals {
    fn of(&self, accord: &Accord) -> Result<Arc<Manual>, ManualRefused> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&accord.hash()).cloned();
        if let Some(manual) = kept {
            return Ok(manual);
        }
        let read = Manual::read(&accord.terms().manual).map_err(|_| ManualRefused::NoManual)?;
        let manual = Arc::new(read);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(accord.hash(), manual.clone());
        Ok(manual)
    }
}

impl Broker {
    /// The manual of a complete accord.
    pub(crate) fn manual(&self, agreement: &Agreement, accord: &Hash) -> Result<Arc<Manual>, ManualRefused> {
        self.manuals().of(agreement.complete(accord).ok_or(ManualRefused::NoAccord)?)
    }
}

/// The case of an overlap, if an officer has acted on it.
pub(crate) async fn load(writing: &mut Writing, handle: &Handle) -> Result<Option<Case>> {
    let row = writing.tx.first("SELECT state FROM case_file WHERE handle = $1", &[handle.into()]).await?;
    row.map(|mut row| codec::decode(&row.blob(0)?).map_err(|_| StoreError::Corrupt("a case"))).transpose()
}

/// Keeps a case as it stands now.
pub(crate) async fn store(writing: &mut Writing, case: &Case, manual: &Manual) -> Result<()> {
    const KEEP: &str = "INSERT INTO case_file (handle, low, high, accord, state, round, deadline_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (handle) DO UPDATE
        SET state = excluded.state, round = excluded.round, deadline_ms = excluded.deadline_ms";
    let ([low, high], state) = (case.units(), codec::encode(case));
    let args = [
        case.handle().into(),
        low.as_str().into(),
        high.as_str().into(),
        case.accord().into(),
        state.as_slice().into(),
        case.round().into(),
        case.deadline_ms(manual).into(),
    ];
    writing.tx.run(KEEP, &args).await.map(drop)
}
