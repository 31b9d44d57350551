//! The unit's own register, as it lies in the vault: records with their tokens and cells.
//!
//! Filled by imports; read by the agent's shell ([`Register::load_after`]) and by officers' commands. *Not here:* files
//! and columns (import.rs), matching (the agent).
//!
//! | key in the vault | value |
//! |---|---|
//! | `record/<serial>` | a record; or the note that the record of another serial was removed |
//! | `reference/<hash>` | the serial of a reference, with digests of the record |
//! | `register/state` | the last serial, and counts |
//!
//! Serials only grow, and number changes, not records: a new record takes one, and so does each removal. Whoever remembers
//! the last serial it saw asks for what came after it, at a cost that does not depend on what is stored. A record
//! whose tokens change is a new record, and its old serial is removed; one of which only other cells change keeps its serial.

mod record;
mod state;
mod writing;

pub use record::{Content, StoredCell, StoredRecord, StoredToken};
pub use state::reference_hash;
pub use writing::{Outcome, RegisterWriter};

use crate::vault::{Vault, VaultError};
use identifier::{Defaults, Kind, Rules, Tier};
use record::Stored;
use sha2::{Digest, Sha256};
use state::{Pointer, State, pointer_key, record_key};
use std::collections::BTreeMap;

/// Why the register did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A value of the register is not what this program writes.
    #[error("the register is damaged: {0}")]
    Damaged(&'static str),
}

/// What changed after a serial.
#[derive(Default)]
pub struct RegisterChange {
    /// Records that are new and still live, in the order of their serials.
    pub added: Vec<StoredRecord>,
    /// Serials that are no more: of records that were given out before, or never.
    pub removed: Vec<u64>,
    /// Up to which serial this goes: what to ask for next.
    pub last: u64,
    /// There is more after `last`.
    pub more: bool,
}

/// Figures for people, and for padding.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Live records.
    pub records: u64,
    /// Live records that are restricted (R17).
    pub restricted: u64,
    /// Live tokens of each kind and tier; one that two records hold counts twice.
    pub tokens: BTreeMap<(Kind, Tier), u64>,
    /// The last serial that was given.
    pub last: u64,
}

impl Counts {
    /// All tokens.
    pub fn all_tokens(&self) -> u64 {
        self.tokens.values().sum()
    }
}

/// A record with everything that is kept of it: for the unit's own screen.
pub struct FullRecord {
    /// What the agent sees.
    pub record: StoredRecord,
    /// The cells as they were written.
    pub cells: Vec<StoredCell>,
    /// The mapping's defaults under which they were read.
    pub defaults: Defaults,
}

/// The register in a vault.
#[derive(Clone)]
pub struct Register {
    vault: Vault,
}

/// Keys read in one statement's worth.
const PAGE: u64 = 1024;

impl Register {
    /// The register of that vault; empty until something is imported.
    pub fn new(vault: Vault) -> Register {
        Register { vault }
    }

    /// All that changed after `serial` (0: everything there is).
    pub async fn load_after(&self, serial: u64) -> Result<RegisterChange, RegisterError> {
        self.load_some_after(serial, usize::MAX).await
    }

    /// What changed after `serial`, at most about `most` changes: for large registers. Ask again while `more`.
    pub async fn load_some_after(&self, serial: u64, most: usize) -> Result<RegisterChange, RegisterError> {
        let end = self.state().await?.last;
        let mut change = RegisterChange { last: serial.min(end), ..RegisterChange::default() };
        while change.last < end && change.added.len() + change.removed.len() < most {
            let page: Vec<u64> = (change.last + 1..=end.min(change.last + PAGE)).collect();
            let keys: Vec<String> = page.iter().map(|serial| record_key(*serial)).collect();
            for (serial, value) in page.iter().zip(self.vault.get_many(&keys).await?) {
                match value.map(|value| record::decode(*serial, &value, false)) {
                    None => {} // removed since
                    Some(Some(Stored::Record(record, ..))) => change.added.push(record),
                    Some(Some(Stored::Removed(serial))) => change.removed.push(serial),
                    Some(None) => return Err(RegisterError::Damaged("a record")),
                }
            }
            change.last = page.last().copied().unwrap_or(end);
        }
        change.more = change.last < end;
        Ok(change)
    }

    /// One live record, whole.
    pub async fn get(&self, serial: u64) -> Result<Option<FullRecord>, RegisterError> {
        let Some(value) = self.vault.get(&record_key(serial)).await? else { return Ok(None) };
        match record::decode(serial, &value, true) {
            Some(Stored::Record(record, cells, defaults)) => Ok(Some(FullRecord { record, cells, defaults })),
            Some(Stored::Removed(_)) => Ok(None),
            None => Err(RegisterError::Damaged("a record")),
        }
    }

    /// The live record of the unit's own reference.
    pub async fn by_reference(&self, reference: &str) -> Result<Option<FullRecord>, RegisterError> {
        let key = pointer_key(&reference_hash(reference.trim()));
        let Some(value) = self.vault.get(&key).await? else { return Ok(None) };
        let pointer = Pointer::decode(&value).ok_or(RegisterError::Damaged("a reference"))?;
        self.get(pointer.serial).await
    }

    /// Figures. Cost the same whatever the register's size.
    pub async fn counts(&self) -> Result<Counts, RegisterError> {
        let State { last, records, restricted, tokens, .. } = self.state().await?;
        Ok(Counts { records, restricted, tokens, last })
    }

    /// Whether all tokens were made under these rules. If not, [`RegisterWriter::begin`] makes them anew.
    pub async fn is_under(&self, rules: &Rules) -> Result<bool, RegisterError> {
        let state = self.state().await?;
        Ok(state.records == 0 || state.rules == Some(rules_hash(rules)))
    }

    /// Makes all tokens anew if they were made under other rules: after an accord came into force. How many records got
    /// other tokens; the agent finds them by [`load_after`](Self::load_after).
    pub async fn renormalise(&self, rules: &Rules) -> Result<u64, RegisterError> {
        if self.is_under(rules).await? {
            return Ok(0);
        }
        let writer = RegisterWriter::begin(&self.vault, rules).await?;
        let changed = writer.renormalised();
        writer.commit().await?;
        Ok(changed)
    }

    async fn state(&self) -> Result<State, RegisterError> {
        match self.vault.get(state::KEY).await? {
            None => Ok(State::default()),
            Some(value) => State::decode(&value).ok_or(RegisterError::Damaged("its counts")),
        }
    }
}

/// What stands for the rules in [`State`]: any other text of rules may give other tokens. The version is inside.
fn rules_hash(rules: &Rules) -> [u8; 32] {
    // No value of that type fails to be written; if one did, its tokens would be made anew each time, and be right.
    let text = rules.to_toml().unwrap_or_default();
    Sha256::digest(format!("{}\n{text}", identifier::VERSION)).into()
}

#[cfg(test)]
mod tests;
