//! Changing the register: one durable transaction, fed in pieces.
//!
//! Called by imports, and by [`Register::renormalise`](super::Register::renormalise). *Not here:* reading files; how blocks
//! and the index lie in the vault (blocks.rs, index.rs).
//!
//! Dropped without a commit, it changes nothing.

use super::batch::{Batch, Ready};
use super::block::{self, Entry};
use super::blocks::Blocks;
use super::index::Index;
use super::record::{self, Content, StoredCell, StoredRecord, StoredToken};
use super::state::{self, Pointer, State};
use super::{RegisterError, rules_hash};
use crate::vault::{Change, Transaction, Vault};
use identifier::{Column, Defaults, Record, Rules};
use zeroize::Zeroizing;

/// What became of a record that was put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its reference was not known.
    Added,
    /// Its tokens changed: a new serial, and the old one is removed.
    Replaced,
    /// Only cells that are not compared changed.
    Amended,
    /// Nothing changed.
    Unchanged,
}

/// A transaction on the register.
pub struct RegisterWriter {
    transaction: Transaction,
    state: State,
    before: State,
    index: Index,
    blocks: Blocks,
    renormalised: u64,
}

/// Blocks whose records are made anew at a time.
const STRIDE: u64 = 8;

impl RegisterWriter {
    /// Begins. If the tokens in the register were made under other rules, they are made anew first (R36).
    pub async fn begin(vault: &Vault, rules: &Rules) -> Result<RegisterWriter, RegisterError> {
        let mut transaction = vault.begin().await?;
        transaction.pad_fully("record");
        transaction.pad_fully("cells");
        let state = match transaction.get_many(&[state::KEY.to_owned()]).await?.pop().flatten() {
            None => State::default(),
            Some(value) => State::decode(&value)?,
        };
        let index = Index::new(&state);
        let before = state.clone();
        let mut writer = RegisterWriter { transaction, state, before, index, blocks: Blocks::new(), renormalised: 0 };
        let hash = rules_hash(rules);
        if writer.state.rules != Some(hash) {
            writer.renormalise(rules).await?;
            writer.state.rules = Some(hash);
        }
        Ok(writer)
    }

    /// How many records got other tokens when it began.
    pub fn renormalised(&self) -> u64 {
        self.renormalised
    }

    /// Puts records; what became of each, in their order. A reference that stands twice among them: the later counts.
    pub async fn put(&mut self, contents: Vec<Content>) -> Result<Vec<Outcome>, RegisterError> {
        let mut batch = Batch::default();
        contents.iter().for_each(|content| batch.push_content(content));
        self.put_batch(&batch).await
    }

    /// The same, of records that are written already.
    pub async fn put_batch(&mut self, batch: &Batch) -> Result<Vec<Outcome>, RegisterError> {
        self.index.prepare(&mut self.transaction, batch.hashes()).await?;
        self.blocks.prepare(&mut self.transaction, self.state.last).await?;
        let outcomes = batch.records().map(|record| self.put_one(&record)).collect();
        self.index.grow(&mut self.transaction).await?;
        self.blocks.relieve(&mut self.transaction, &mut self.state).await?;
        Ok(outcomes)
    }

    fn put_one(&mut self, ready: &Ready<'_>) -> Outcome {
        let Ready { hash, matching, whole, seen, rest, .. } = *ready;
        let slot = self.index.slot(&hash);
        let outcome = match self.index.get_at(&slot) {
            Some(old) if old.whole == whole => return Outcome::Unchanged,
            Some(old) if old.matching == matching => {
                self.blocks.replace(old.serial, seen, rest);
                self.index.set_at(&slot, hash, Pointer { serial: old.serial, matching, whole });
                return Outcome::Amended;
            }
            Some(old) => {
                self.remove(old.serial);
                Outcome::Replaced
            }
            None => Outcome::Added,
        };
        let serial = self.next();
        self.blocks.append(serial, seen, rest);
        self.index.set_at(&slot, hash, Pointer { serial, matching, whole });
        self.state.add(ready.restricted, ready.kinds.iter().copied());
        outcome
    }

    /// Removes every record whose reference is not among `kept` (by [`reference_hash`](super::reference_hash), sorted): how
    /// many.
    pub async fn keep_only(&mut self, kept: &[[u8; 16]]) -> Result<u64, RegisterError> {
        self.blocks.prepare(&mut self.transaction, self.state.last).await?;
        let (mut removed, mut next) = (0, 0);
        while let Some(gone) = self.index.retain_some(&mut self.transaction, &mut next, kept).await? {
            removed += gone.len() as u64;
            gone.into_iter().for_each(|serial| self.remove(serial));
            self.blocks.relieve(&mut self.transaction, &mut self.state).await?;
        }
        Ok(removed)
    }

    /// Makes it durable.
    pub async fn commit(mut self) -> Result<(), RegisterError> {
        self.blocks.flush(&mut self.transaction, &mut self.state).await?;
        self.index.settle(&mut self.transaction).await?;
        (self.state.buckets, self.state.fresh) = (self.index.buckets(), self.index.fresh());
        if self.state != self.before {
            let value = Zeroizing::new(self.state.encode());
            self.transaction.apply(&[Change::Put { key: state::KEY.to_owned(), value }]).await?;
        }
        Ok(self.transaction.commit().await?)
    }

    fn next(&mut self) -> u64 {
        self.state.last += 1;
        self.state.last
    }

    /// Removes a record, and notes it for whoever asks what changed.
    fn remove(&mut self, serial: u64) {
        self.blocks.remove(serial);
        let note = self.next();
        self.blocks.append_removed(note, serial);
    }

    async fn renormalise(&mut self, rules: &Rules) -> Result<(), RegisterError> {
        let end = self.state.last;
        let mut first = 0;
        while first <= block::number(end) && self.state.records > 0 {
            let next = first + STRIDE;
            // Blocks as they lie in the transaction: what waits to be edited was made anew already.
            let mut batch = Batch::default();
            for content in self.contents(first..next, end, rules).await? {
                batch.push_content(&content);
            }
            let outcomes = self.put_batch(&batch).await?;
            self.renormalised += outcomes.iter().filter(|outcome| **outcome == Outcome::Replaced).count() as u64;
            first = next;
        }
        Ok(())
    }

    /// The records of some blocks, up to a serial, with their tokens under other rules.
    async fn contents(
        &mut self,
        numbers: std::ops::Range<u64>,
        end: u64,
        rules: &Rules,
    ) -> Result<Vec<Content>, RegisterError> {
        let keys: Vec<String> = numbers.clone().map(block::key).collect();
        let values = self.transaction.get_many(&keys).await?;
        let mut contents = Vec::new();
        for (number, value) in numbers.zip(values).filter_map(|(number, value)| Some((number, value?))) {
            for entry in block::entries(number, &value) {
                let (serial, Entry::Record(seen, rest)) = entry? else { continue };
                if serial > end {
                    break;
                }
                let apart = match rest {
                    Some(_) => None,
                    None => self.transaction.get_many(&[block::rest_key(serial)]).await?.pop().flatten(),
                };
                let rest = rest.or(apart.as_ref().map(|rest| rest.as_slice()));
                let decoded = record::decode_seen(serial, seen).zip(rest.and_then(record::decode_rest));
                let (record, (cells, defaults)) = decoded.ok_or(RegisterError::Damaged("a record"))?;
                let tokens = tokens_of(&cells, &defaults, rules);
                let StoredRecord { reference, restricted, .. } = record;
                contents.push(Content { reference, restricted, tokens, cells, defaults });
            }
        }
        Ok(contents)
    }
}

/// The tokens of stored cells under some rules. Cells of several rows stand one after the other; each row begins with its
/// reference.
pub(super) fn tokens_of(cells: &[StoredCell], defaults: &Defaults, rules: &Rules) -> Vec<StoredToken> {
    let mut tokens: Vec<StoredToken> = Vec::new();
    let mut row: Vec<(Column, &str)> = Vec::new();
    let mut flush = |row: &mut Vec<(Column, &str)>| {
        let found = identifier::tokens(&Record::from_cells(row, defaults), rules);
        tokens.extend(found.tokens.iter().map(StoredToken::from));
        row.clear();
    };
    for cell in cells {
        // Exactly our own name: a header of the file's own is not compared, however similar.
        let Some(column) = Column::ALL.iter().copied().find(|column| column.name() == cell.column) else { continue };
        if column == Column::Record && !row.is_empty() {
            flush(&mut row);
        }
        row.push((column, cell.text.as_str()));
    }
    flush(&mut row);
    tokens.sort_by(|a, b| a.bytes.as_slice().cmp(&b.bytes));
    tokens.dedup_by(|b, a| a.bytes == b.bytes);
    tokens
}
