//! Changing the register: one durable transaction, fed in pieces.
//!
//! Called by imports, and by [`Register::renormalise`](super::Register::renormalise). *Not here:* reading files.
//!
//! Dropped without a commit, it changes nothing.

use super::record::{self, Content, Stored, StoredCell, StoredRecord, StoredToken};
use super::state::{self, Pointer, State, pointer_key, record_key, reference_hash};
use super::{PAGE, RegisterError, rules_hash};
use crate::vault::{Change, Transaction, Vault};
use identifier::{Column, Defaults, Record, Rules};
use std::collections::{HashMap, HashSet};
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
    renormalised: u64,
}

impl RegisterWriter {
    /// Begins. If the tokens in the register were made under other rules, they are made anew first (R36).
    pub async fn begin(vault: &Vault, rules: &Rules) -> Result<RegisterWriter, RegisterError> {
        let mut transaction = vault.begin().await?;
        let state = match transaction.get_many(&[state::KEY.to_owned()]).await?.pop().flatten() {
            None => State::default(),
            Some(value) => State::decode(&value).ok_or(RegisterError::Damaged("its counts"))?,
        };
        let mut writer = RegisterWriter { transaction, before: state.clone(), state, renormalised: 0 };
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
        let hashes: Vec<[u8; 16]> = contents.iter().map(|content| reference_hash(&content.reference)).collect();
        let mut known = self.pointers(&hashes).await?;
        let mut outcomes = Vec::with_capacity(contents.len());
        let mut changes = Vec::with_capacity(contents.len() * 2);
        let mut replaced = Vec::new();
        // Serials given in this very call are not in the transaction yet.
        let mut fresh: HashMap<u64, (bool, Vec<StoredToken>)> = HashMap::new();
        for (content, hash) in contents.into_iter().zip(hashes) {
            let value = record::encode(&content);
            let (matching, whole) = (content.matching_digest(), record::digest(&value));
            let (outcome, serial) = match known.get(&hash).copied() {
                Some(old) if old.whole == whole => {
                    outcomes.push(Outcome::Unchanged);
                    continue;
                }
                Some(old) if old.matching == matching => (Outcome::Amended, old.serial),
                Some(old) => {
                    match fresh.remove(&old.serial) {
                        Some((restricted, tokens)) => self.state.remove(restricted, &tokens),
                        None => replaced.push(old.serial),
                    }
                    changes.push(Change::Delete { key: record_key(old.serial) });
                    changes
                        .push(Change::Put { key: record_key(self.next()), value: record::encode_removed(old.serial) });
                    (Outcome::Replaced, self.next())
                }
                None => (Outcome::Added, self.next()),
            };
            let pointer = Pointer { serial, matching, whole };
            known.insert(hash, pointer);
            changes.push(Change::Put { key: pointer_key(&hash), value: pointer.encode() });
            changes.push(Change::Put { key: record_key(serial), value });
            if outcome != Outcome::Amended {
                self.state.add(content.restricted, &content.tokens);
                fresh.insert(serial, (content.restricted, content.tokens));
            }
            outcomes.push(outcome);
        }
        self.uncount(&replaced).await?;
        self.transaction.apply(&changes).await?;
        Ok(outcomes)
    }

    /// Removes every record whose reference is not among `kept` (by [`reference_hash`]): how many.
    pub async fn keep_only(&mut self, kept: &HashSet<[u8; 16]>) -> Result<u64, RegisterError> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let (page, last) = self.transaction.page("reference", after).await?;
            let mut serials = Vec::new();
            let mut changes = Vec::new();
            for (key, value) in page {
                let pointer = Pointer::decode(&value).ok_or(RegisterError::Damaged("a reference"))?;
                let mut hash = [0; 16];
                let text = key.rsplit('/').next().unwrap_or_default();
                hex::decode_to_slice(text, &mut hash).map_err(|_| RegisterError::Damaged("a reference"))?;
                if kept.contains(&hash) {
                    continue;
                }
                removed += 1;
                serials.push(pointer.serial);
                changes.push(Change::Delete { key });
                changes.push(Change::Delete { key: record_key(pointer.serial) });
                let note = record::encode_removed(pointer.serial);
                changes.push(Change::Put { key: record_key(self.next()), value: note });
            }
            self.uncount(&serials).await?;
            self.transaction.apply(&changes).await?;
            match last {
                Some(last) => after = Some(last),
                None => return Ok(removed),
            }
        }
    }

    /// Makes it durable.
    pub async fn commit(mut self) -> Result<(), RegisterError> {
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

    async fn pointers(&mut self, hashes: &[[u8; 16]]) -> Result<HashMap<[u8; 16], Pointer>, RegisterError> {
        let mut known = HashMap::new();
        if self.state.records == 0 {
            return Ok(known);
        }
        let keys: Vec<String> = hashes.iter().map(pointer_key).collect();
        for (hash, value) in hashes.iter().zip(self.transaction.get_many(&keys).await?) {
            if let Some(value) = value {
                known.insert(*hash, Pointer::decode(&value).ok_or(RegisterError::Damaged("a reference"))?);
            }
        }
        Ok(known)
    }

    /// Takes records that are about to go out of the counts.
    async fn uncount(&mut self, serials: &[u64]) -> Result<(), RegisterError> {
        for (record, ..) in self.records(serials, false).await? {
            self.state.remove(record.restricted, &record.tokens);
        }
        Ok(())
    }

    async fn records(
        &mut self,
        serials: &[u64],
        with_cells: bool,
    ) -> Result<Vec<(StoredRecord, Vec<StoredCell>, Defaults)>, RegisterError> {
        let keys: Vec<String> = serials.iter().map(|serial| record_key(*serial)).collect();
        let mut out = Vec::with_capacity(serials.len());
        for (serial, value) in serials.iter().zip(self.transaction.get_many(&keys).await?) {
            match value.map(|value| record::decode(*serial, &value, with_cells)) {
                Some(Some(Stored::Record(record, cells, defaults))) => out.push((record, cells, defaults)),
                None | Some(Some(Stored::Removed(_))) => {}
                Some(None) => return Err(RegisterError::Damaged("a record")),
            }
        }
        Ok(out)
    }

    async fn renormalise(&mut self, rules: &Rules) -> Result<(), RegisterError> {
        let end = self.state.last;
        let mut last = 0;
        while last < end && self.state.records > 0 {
            let page: Vec<u64> = (last + 1..=end.min(last + PAGE)).collect();
            let mut contents = Vec::new();
            for (record, cells, defaults) in self.records(&page, true).await? {
                let tokens = tokens_of(&cells, &defaults, rules);
                let StoredRecord { reference, restricted, .. } = record;
                contents.push(Content { reference, restricted, tokens, cells, defaults });
            }
            let outcomes = self.put(contents).await?;
            self.renormalised += outcomes.iter().filter(|outcome| **outcome == Outcome::Replaced).count() as u64;
            last = page.last().copied().unwrap_or(end);
        }
        Ok(())
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
