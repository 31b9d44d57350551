//! Who sends: standing and key of a unit, and its chain of envelopes, in one look (R23, R24).
//!
//! Caller: [`super`], for every envelope before anything of it is believed. *Not here:* whom it writes to (`welcome`).

use super::{Aftermath, OrFail, Stop};
use crate::log::Writing;
use crate::refusal::{ChainRefused, SenderRefused};
use crate::store::StoreError;
use protocol::codec::{Bytes, Hash};
use protocol::envelope::{Envelope, UnverifiedEnvelope};
use protocol::name::UnitName;

/// What the store has of an admitted unit.
pub(super) struct Sender {
    key: Bytes<32>,
    /// Sequence and hash of its last envelope; zero before the first.
    sequence: u64,
    previous: Hash,
}

impl Sender {
    /// The unit, if it may speak.
    pub(super) async fn of(writing: &mut Writing, unit: &UnitName) -> Result<Sender, Stop> {
        const SENDER: &str = "SELECT u.signing, u.standing, c.sequence, c.previous
            FROM unit u LEFT JOIN chain c ON c.party = u.name WHERE u.name = $1";
        let row = writing.tx.first(SENDER, &[unit.as_str().into()]).await.or_fail()?;
        let Some(mut row) = row else { return Err(SenderRefused::NotAdmitted.into()) };
        if row.int(1).or_fail()? != 0 {
            return Err(SenderRefused::NotAdmitted.into());
        }
        let key = row.bytes(0).or_fail()?;
        let (sequence, previous) = match row.maybe_int(2).or_fail()? {
            Some(sequence) => (sequence, row.bytes(3).or_fail()?),
            None => (0, Hash::ZERO),
        };
        Ok(Sender { key, sequence, previous })
    }

    /// The envelope, if it is this unit's.
    pub(super) fn verify(&self, unverified: UnverifiedEnvelope, federation: &Hash) -> Result<Envelope, Stop> {
        Ok(unverified.verify(federation, &self.key)?)
    }

    /// The place in the chain: `Some(entry)` if exactly this envelope was accepted before (R24).
    pub(super) async fn check_chain(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        envelope: &Envelope,
        aftermath: &mut Aftermath,
    ) -> Result<Option<u64>, Stop> {
        let header = envelope.header();
        if header.sequence > self.sequence || header.sequence == 0 {
            let expected = self.sequence + 1;
            if header.sequence != expected {
                return Err(ChainRefused::Gap { expected }.into());
            }
            return if header.previous == self.previous { Ok(None) } else { Err(ChainRefused::Previous.into()) };
        }
        const TAKEN: &str = "SELECT entry, hash FROM envelope WHERE sender = $1 AND sequence = $2";
        let row = writing.tx.first(TAKEN, &[unit.as_str().into(), header.sequence.into()]).await.or_fail()?;
        let mut row = row.ok_or(Stop::Failed(StoreError::Corrupt("an accepted envelope is missing")))?;
        if row.bytes::<32>(1).or_fail()? == envelope.hash() {
            return Ok(Some(row.int(0).or_fail()?));
        }
        aftermath.evidence = Some((header.sequence, envelope.as_bytes().to_vec()));
        Err(ChainRefused::Conflict.into())
    }
}
