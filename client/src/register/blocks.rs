//! The blocks of a register as one transaction changes them: new entries go to the last block, edits of older ones wait
//! until there are many, so that a block is rewritten once for all of them.
//!
//! Called by writing.rs. *Not here:* which record is to be written or removed (writing.rs), the form of a block (block.rs).

use super::RegisterError;
use super::block::{self, Block, Entry};
use super::record;
use super::state::State;
use crate::vault::{Change, Transaction};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What is about to be written is handed to the vault when it is larger than this.
const WRITTEN: usize = 4 << 20;
/// What waits to be edited is done when it takes more memory than this.
const WAITING: usize = 24 << 20;
/// Blocks read and rewritten at a time.
const STRIDE: usize = 16;
const DAMAGED: RegisterError = RegisterError::Damaged("a record that its reference names");

/// An edit of a record that was written before.
enum Edit {
    Remove,
    /// What the agent sees, and the rest.
    Replace(Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>),
}

/// The blocks.
pub(super) struct Blocks {
    /// The last block, from which none of the later serials is in the vault. None: not read yet.
    open: Option<Block>,
    open_changed: bool,
    edits: BTreeMap<u64, Vec<(u64, Edit)>>,
    waiting: usize,
    changes: Changes,
}

/// What is about to be written.
#[derive(Default)]
struct Changes {
    all: Vec<Change>,
    bytes: usize,
}

impl Changes {
    fn put(&mut self, key: String, value: Zeroizing<Vec<u8>>) {
        self.bytes += value.len() + key.len();
        self.all.push(Change::Put { key, value });
    }

    fn delete(&mut self, key: String) {
        self.bytes += key.len();
        self.all.push(Change::Delete { key });
    }

    fn block(&mut self, block: &Block) {
        let key = block::key(block.number);
        match block.finish() {
            Some(value) => self.put(key, value),
            None => self.delete(key),
        }
    }

    /// A record in its block; a long rest under a key of its own.
    fn record(&mut self, block: &mut Block, serial: u64, seen: &[u8], rest: &[u8]) {
        if rest.len() > block::LONG {
            self.put(block::rest_key(serial), Zeroizing::new(rest.to_vec()));
            block.push(serial, &Entry::Record(seen, None));
        } else {
            block.push(serial, &Entry::Record(seen, Some(rest)));
        }
    }

    async fn write(&mut self, transaction: &mut Transaction) -> Result<(), RegisterError> {
        transaction.apply(&self.all).await?;
        self.all.clear();
        self.bytes = 0;
        Ok(())
    }
}

impl Blocks {
    pub(super) fn new() -> Blocks {
        let (edits, changes) = (BTreeMap::new(), Changes::default());
        Blocks { open: None, open_changed: false, edits, waiting: 0, changes }
    }

    /// Reads the last block. Before anything is appended; `last` is the last serial that was given.
    pub(super) async fn prepare(&mut self, transaction: &mut Transaction, last: u64) -> Result<(), RegisterError> {
        if self.open.is_none() {
            let number = block::number(last.max(1));
            let stored = transaction.get_many(&[block::key(number)]).await?.pop().flatten();
            self.open = Some(match stored {
                Some(value) => Block::resume(number, &value)?,
                None => Block::new(number),
            });
        }
        Ok(())
    }

    /// Appends a record.
    pub(super) fn append(&mut self, serial: u64, seen: &[u8], rest: &[u8]) {
        let block = Self::at(&mut self.open, &mut self.changes, serial);
        self.changes.record(block, serial, seen, rest);
        self.open_changed = true;
    }

    /// Appends the note that the record of another serial was removed.
    pub(super) fn append_removed(&mut self, serial: u64, removed: u64) {
        Self::at(&mut self.open, &mut self.changes, serial).push(serial, &Entry::Removed(removed));
        self.open_changed = true;
    }

    /// Takes a record out of its block, and of the counts: at the next [`flush`](Self::flush).
    pub(super) fn remove(&mut self, serial: u64) {
        self.edit(serial, Edit::Remove, 0);
    }

    /// Writes a record anew in its place.
    pub(super) fn replace(&mut self, serial: u64, seen: &[u8], rest: &[u8]) {
        let edit = Edit::Replace(Zeroizing::new(seen.to_vec()), Zeroizing::new(rest.to_vec()));
        self.edit(serial, edit, seen.len() + rest.len());
    }

    fn edit(&mut self, serial: u64, edit: Edit, bytes: usize) {
        self.edits.entry(block::number(serial)).or_default().push((serial, edit));
        self.waiting += bytes + 96;
    }

    /// The block of a new serial: the open one, or the next.
    fn at<'a>(open: &'a mut Option<Block>, changes: &mut Changes, serial: u64) -> &'a mut Block {
        let number = block::number(serial);
        if let Some(full) = open.take_if(|block| block.number != number) {
            changes.block(&full);
        }
        open.get_or_insert_with(|| Block::new(number))
    }

    /// Writes what has gathered, if it is much.
    pub(super) async fn relieve(
        &mut self,
        transaction: &mut Transaction,
        state: &mut State,
    ) -> Result<(), RegisterError> {
        if self.waiting > WAITING {
            self.edit_all(transaction, state).await?;
        }
        if self.changes.bytes > WRITTEN { self.changes.write(transaction).await } else { Ok(()) }
    }

    /// Writes everything.
    pub(super) async fn flush(
        &mut self,
        transaction: &mut Transaction,
        state: &mut State,
    ) -> Result<(), RegisterError> {
        self.edit_all(transaction, state).await?;
        if let Some(block) = self.open.as_ref().filter(|_| self.open_changed) {
            self.changes.block(block);
            self.open_changed = false;
        }
        self.changes.write(transaction).await
    }

    async fn edit_all(&mut self, transaction: &mut Transaction, state: &mut State) -> Result<(), RegisterError> {
        // Blocks that this transaction filled are edited where they then are.
        self.changes.write(transaction).await?;
        let mut edits: Vec<(u64, Vec<(u64, Edit)>)> = std::mem::take(&mut self.edits).into_iter().collect();
        self.waiting = 0;
        for some in edits.chunks_mut(STRIDE) {
            let keys: Vec<String> = some.iter().map(|(number, _)| block::key(*number)).collect();
            for ((number, edits), stored) in some.iter_mut().zip(transaction.get_many(&keys).await?) {
                // Stable: of two edits of one record the later counts.
                edits.sort_by_key(|(serial, _)| *serial);
                match self.open.take_if(|block| block.number == *number) {
                    Some(block) => {
                        self.open = Some(edited(*number, block.entries(), edits, state, &mut self.changes)?);
                        self.open_changed = true;
                    }
                    None => {
                        let stored = stored.ok_or(DAMAGED)?;
                        let entries = block::entries(*number, &stored);
                        let block = edited(*number, entries, edits, state, &mut self.changes)?;
                        self.changes.block(&block);
                    }
                }
            }
            if self.changes.bytes > WRITTEN {
                self.changes.write(transaction).await?;
            }
        }
        self.changes.write(transaction).await
    }
}

/// A block after its edits, which are sorted by their serials.
fn edited(
    number: u64,
    entries: block::Entries<'_>,
    edits: &[(u64, Edit)],
    state: &mut State,
    changes: &mut Changes,
) -> Result<Block, RegisterError> {
    let mut block = Block::new(number);
    let mut edits = edits.chunk_by(|a, b| a.0 == b.0).peekable();
    for entry in entries {
        let (serial, entry) = entry?;
        let Some(edits) = edits.next_if(|edits| edits[0].0 == serial) else {
            block.push(serial, &entry);
            continue;
        };
        let Entry::Record(mut seen, rest) = entry else { return Err(DAMAGED) };
        let mut replaced = None;
        let mut removed = false;
        for (_, edit) in edits {
            match edit {
                Edit::Replace(new, rest) => {
                    seen = new;
                    replaced = Some(rest);
                }
                Edit::Remove => removed = true,
            }
        }
        if rest.is_none() {
            // A new long rest takes its place: of two changes of one key the later counts.
            changes.delete(block::rest_key(serial));
        }
        if removed {
            let record = record::decode_seen(serial, seen).ok_or(RegisterError::Damaged("a record"))?;
            state.remove(record.restricted, record.tokens.iter().map(|token| (token.kind, token.tier)));
        } else if let Some(rest) = replaced {
            changes.record(&mut block, serial, seen, rest);
        }
    }
    if edits.peek().is_some() { Err(DAMAGED) } else { Ok(block) }
}
