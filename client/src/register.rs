//! The unit's own register, as it lies in the vault: records with their tokens and cells.
//!
//! Filled by imports; read by the agent's shell ([`Register::load_after`]) and by officers' commands. *Not here:* files
//! and columns (import.rs), matching (the agent).
//!
//! | key in the vault | value |
//! |---|---|
//! | `record/<block>` | what happened under 128 consecutive serials: records, and notes that the record of another serial was removed (block.rs) |
//! | `cells/<serial>` | the cells of a record that are too long for its block |
//! | `reference/<bucket>` | some references: the serial of each, with digests of its record (index.rs) |
//! | `reference/fresh/<bucket>` | the same, of references that were added of late |
//! | `reference/marks/<group>` | for some buckets, two bytes of each of their references |
//! | `register/state` | the last serial, and counts |
//!
//! Serials only grow, and number changes, not records: a new record takes one, and so does each removal. Whoever remembers
//! the last serial it saw asks for what came after it, at a cost that does not depend on what is stored. A record
//! whose tokens change is a new record, and its old serial is removed; one of which only other cells change keeps its serial.
//!
//! What is removed is written nowhere any more: its block is written anew without it, and the vault overwrites the old one.

mod batch;
mod block;
mod blocks;
mod index;
mod record;
mod state;
mod wiped;
mod writing;

pub use batch::Batch;
pub use record::{Content, Parts, StoredCell, StoredRecord, StoredToken};
pub use state::reference_hash;
pub use writing::{Outcome, RegisterWriter};

use crate::vault::{Vault, VaultError};
use block::Entry;
use identifier::{Defaults, Kind, Rules, Tier};
use sha2::{Digest, Sha256};
use state::State;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Why the register did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A value of the register is not what this program writes.
    #[error("the register is damaged: {0}")]
    Damaged(&'static str),
    /// The register lies in the vault in another form.
    #[error("the register was written by another version of this program; import it into a new vault")]
    Form,
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

/// Blocks read at a time, at most.
const STRIDE: u64 = 32;

impl Register {
    /// The register of that vault; empty until something is imported.
    pub fn new(vault: Vault) -> Register {
        Register { vault }
    }

    /// All that changed after `serial` (0: everything there is).
    pub async fn load_after(&self, serial: u64) -> Result<RegisterChange, RegisterError> {
        self.load_some_after(serial, usize::MAX).await
    }

    /// What changed after `serial`, at most about `most` changes: for large registers. Ask again while `more`. Pages of a
    /// thousand or more are read at full speed; memory holds one page.
    pub async fn load_some_after(&self, serial: u64, most: usize) -> Result<RegisterChange, RegisterError> {
        let end = self.state().await?.last;
        let mut change = RegisterChange { last: serial.min(end), ..RegisterChange::default() };
        while change.last < end && change.added.len() + change.removed.len() < most {
            let missing = most - change.added.len() - change.removed.len();
            let first = block::number(change.last + 1);
            let next = (first + (missing as u64).div_ceil(block::SERIALS).min(STRIDE)).min(block::number(end) + 1);
            let keys: Vec<String> = (first..next).map(block::key).collect();
            // No block: all of it was removed since.
            for (number, value) in (first..next).zip(self.vault.get_many(&keys).await?) {
                for entry in value.iter().flat_map(|value| block::entries(number, value)) {
                    let (at, entry) = entry?;
                    if at <= serial || at > end {
                        continue; // seen before, or newer than what was there at the beginning
                    }
                    match entry {
                        Entry::Record(seen, _) => {
                            let record = record::decode_seen(at, seen);
                            change.added.push(record.ok_or(RegisterError::Damaged("a record"))?);
                        }
                        Entry::Removed(serial) => change.removed.push(serial),
                    }
                }
            }
            change.last = (next * block::SERIALS).min(end);
        }
        change.more = change.last < end;
        Ok(change)
    }

    /// One live record, whole.
    pub async fn get(&self, serial: u64) -> Result<Option<FullRecord>, RegisterError> {
        const DAMAGED: RegisterError = RegisterError::Damaged("a record");
        let number = block::number(serial);
        // Twice: between the two readings an import may take the long cells of a record away.
        for last in [false, true] {
            let Some(value) = self.vault.get(&block::key(number)).await? else { return Ok(None) };
            let found = block::entries(number, &value).find(|entry| !matches!(entry, Ok((at, _)) if *at != serial));
            let Some((_, Entry::Record(seen, rest))) = found.transpose()? else { return Ok(None) };
            let record = record::decode_seen(serial, seen).ok_or(DAMAGED)?;
            let apart = match rest {
                Some(_) => None,
                None => self.vault.get(&block::rest_key(serial)).await?,
            };
            match rest.or(apart.as_ref().map(|rest| rest.as_slice())) {
                Some(rest) => {
                    let (cells, defaults) = record::decode_rest(rest).ok_or(DAMAGED)?;
                    return Ok(Some(FullRecord { record, cells, defaults }));
                }
                None if last => return Err(DAMAGED),
                None => {}
            }
        }
        Ok(None)
    }

    /// The references of live records, in the order of `serials`; each block is read once. For long lists.
    pub async fn references(&self, serials: &[u64]) -> Result<Vec<Option<Zeroizing<String>>>, RegisterError> {
        let mut wanted: Vec<(u64, usize)> = serials.iter().copied().zip(0..).collect();
        wanted.sort_unstable();
        let mut found: Vec<Option<Zeroizing<String>>> = serials.iter().map(|_| None).collect();
        let blocks: Vec<&[(u64, usize)]> = wanted.chunk_by(|a, b| block::number(a.0) == block::number(b.0)).collect();
        for some in blocks.chunks(STRIDE as usize) {
            let numbers: Vec<u64> = some.iter().map(|block| block::number(block[0].0)).collect();
            let keys: Vec<String> = numbers.iter().map(|number| block::key(*number)).collect();
            for ((number, block), value) in numbers.iter().zip(some).zip(self.vault.get_many(&keys).await?) {
                for entry in value.iter().flat_map(|value| block::entries(*number, value)) {
                    let (at, Entry::Record(seen, _)) = entry? else { continue };
                    let first = block.partition_point(|(serial, _)| *serial < at);
                    for (_, place) in block[first..].iter().take_while(|(serial, _)| *serial == at) {
                        let record = record::decode_seen(at, seen).ok_or(RegisterError::Damaged("a record"))?;
                        found[*place] = Some(record.reference);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The live record of the unit's own reference.
    pub async fn by_reference(&self, reference: &str) -> Result<Option<FullRecord>, RegisterError> {
        let hash = reference_hash(reference.trim());
        loop {
            let state = self.state().await?;
            for value in self.vault.get_many(&index::keys(&hash, &state)).await?.into_iter().flatten() {
                if let Some(pointer) = index::find(&value, &hash)? {
                    return self.get(pointer.serial).await;
                }
            }
            if self.state().await? == state {
                return Ok(None);
            }
            // An import may have moved it meanwhile.
        }
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
            Some(value) => State::decode(&value),
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
