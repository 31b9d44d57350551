//! One durable transaction of the vault.
//!
//! Made by [`Vault::begin`](super::Vault::begin); used by [`Vault::apply`](super::Vault::apply), and directly by imports,
//! whose changes do not fit in memory. Dropped without a commit, it changes nothing.
//!
//! Names are turned into indices, values are sealed, rows are written many at a time in the order of the table; at the
//! commit the padding rows of each namespace are brought to their number.

use super::change::Change;
use super::sealed::{self, Opened, Place};
use super::{Inner, VaultError, Writer, database, padding};
use crate::vault::key::NONCE;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

/// Rows of one statement.
const CHUNKS: [usize; 4] = [1024, 64, 8, 1];

/// A transaction that is being written.
pub struct Transaction {
    inner: Arc<Inner>,
    /// None once it is committed or rolled back.
    writer: Option<OwnedMutexGuard<Writer>>,
    folders: BTreeMap<String, Folder>,
    nonces: Nonces,
}

/// Where a walk over a namespace stands.
pub struct Mark(Vec<u8>);

/// Keys and values.
pub type Page = Vec<(String, Zeroizing<Vec<u8>>)>;

/// A namespace that this transaction touches.
struct Folder {
    before: u64,
    now: u64,
    /// The size of padding rows: that of one of the rows written here.
    bucket: usize,
}

impl Transaction {
    pub(super) async fn begin(inner: Arc<Inner>) -> Result<Transaction, VaultError> {
        let mut writer = Arc::clone(&inner.writer).lock_owned().await;
        if writer.open {
            rollback(&mut writer).await;
        }
        // Before it begins: whoever drops this future meanwhile leaves a transaction that the next one must end.
        writer.open = true;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writer.connection).await?;
        Ok(Transaction { inner, writer: Some(writer), folders: BTreeMap::new(), nonces: Nonces::default() })
    }

    /// Writes changes into the transaction. Of two changes of one key the later counts. After an error the transaction
    /// can only be dropped.
    pub async fn apply(&mut self, changes: &[Change]) -> Result<(), VaultError> {
        let inner = Arc::clone(&self.inner);
        let mut sorted = Vec::with_capacity(changes.len());
        for (order, change) in changes.iter().enumerate() {
            let namespace = sealed::namespace(change.key())?;
            sorted.push((sealed::place(&inner.keys, namespace, change.key()), order, namespace, change));
        }
        sorted.sort_unstable_by_key(|(place, order, ..)| (*place, std::cmp::Reverse(*order)));
        sorted.dedup_by_key(|(place, ..)| *place);
        for run in sorted.chunk_by(|a, b| a.0.namespace == b.0.namespace) {
            let Some((first, _, namespace, _)) = run.first() else { continue };
            self.load(namespace).await?;
            let places: Vec<[u8; 16]> = run.iter().map(|(place, ..)| place.key).collect();
            let existed = self.delete(&first.namespace, namespace, &places).await?;
            let puts: Vec<(Place, &str, &[u8])> = run
                .iter()
                .filter_map(|(place, _, _, change)| match change {
                    Change::Put { key, value } => Some((*place, key.as_str(), value.as_slice())),
                    Change::Delete { .. } => None,
                })
                .collect();
            if let Some(folder) = self.folders.get_mut(*namespace) {
                folder.now = folder.now.saturating_sub(existed) + puts.len() as u64;
                if let Some((_, key, value)) = puts.get(puts.len() / 2) {
                    folder.bucket = sealed::bucket(key, value.len()).min(padding::LARGEST);
                }
            }
            self.insert(true, &puts).await?;
        }
        Ok(())
    }

    /// Reads values as this transaction sees them, in the order of `keys`.
    pub async fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, VaultError> {
        let inner = Arc::clone(&self.inner);
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        super::get_many(&mut writer.connection, &inner.keys, keys).await
    }

    /// Some values of a namespace, in no order that means anything, and where to go on: None at the end.
    pub async fn page(&mut self, namespace: &str, after: Option<Mark>) -> Result<(Page, Option<Mark>), VaultError> {
        let inner = Arc::clone(&self.inner);
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        let after = after.map(|mark| mark.0).unwrap_or_default();
        let (rows, last) = super::page(&mut writer.connection, &inner.keys, namespace, &after).await?;
        let real = rows.into_iter().filter_map(|row| match row {
            Opened::Real { key, value } => Some((key, value)),
            Opened::Padding => None,
        });
        Ok((real.collect(), last.map(Mark)))
    }

    /// Makes all of it durable, or ends the process (R35).
    pub async fn commit(mut self) -> Result<(), VaultError> {
        let folders = std::mem::take(&mut self.folders);
        for (namespace, folder) in &folders {
            self.pad(namespace, folder).await?;
        }
        let Some(mut writer) = self.writer.take() else { return Err(VaultError::Ended) };
        if let Err(error) = sqlx::raw_sql("COMMIT").execute(&mut writer.connection).await {
            database::end_process(&error);
        }
        writer.open = false;
        database::checkpoint(&mut writer.connection, &self.inner.path, false).await;
        Ok(())
    }

    /// Reads the folder of a namespace, once.
    async fn load(&mut self, namespace: &str) -> Result<(), VaultError> {
        if self.folders.contains_key(namespace) {
            return Ok(());
        }
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        let before = super::folder_count(&mut writer.connection, &self.inner.keys, namespace).await?;
        self.folders.insert(namespace.to_owned(), Folder { before, now: before, bucket: 256 });
        Ok(())
    }

    /// Deletes what stands at these places; how many stood there.
    async fn delete(&mut self, index: &[u8; 16], namespace: &str, keys: &[[u8; 16]]) -> Result<u64, VaultError> {
        let empty = self.folders.get(namespace).is_some_and(|folder| folder.now == 0 && folder.before == 0);
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        let mut gone = 0;
        if empty {
            return Ok(0);
        }
        for chunk in chunks(keys) {
            let sql = format!("DELETE FROM sealed WHERE namespace = ? AND key IN ({})", repeated("?", chunk.len()));
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(index.to_vec());
            for key in chunk {
                query = query.bind(key.to_vec());
            }
            gone += query.execute(&mut writer.connection).await?.rows_affected();
        }
        Ok(gone)
    }

    /// Seals and inserts rows that are not there.
    async fn insert(&mut self, real: bool, rows: &[(Place, &str, &[u8])]) -> Result<(), VaultError> {
        let keys = &self.inner.keys;
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        for chunk in chunks(rows) {
            let rows = repeated("(?,?,?)", chunk.len());
            let sql = format!("INSERT INTO sealed (namespace, key, value) VALUES {rows}");
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (place, key, value) in chunk {
                let bucket = if real { sealed::bucket(key, value.len()) } else { value.len() };
                let value = if real { *value } else { &[] };
                let sealed = sealed::seal(keys, place, real, key, value, bucket, self.nonces.next()?)?;
                query = query.bind(place.namespace.to_vec()).bind(place.key.to_vec()).bind(sealed);
            }
            query.execute(&mut writer.connection).await?;
        }
        Ok(())
    }

    /// Brings the padding of a namespace to its number, and writes its folder.
    async fn pad(&mut self, namespace: &str, folder: &Folder) -> Result<(), VaultError> {
        if folder.before == folder.now {
            return Ok(());
        }
        let (had, needs) = (padding::rows(folder.before), padding::rows(folder.now));
        let numbered = |numbers: std::ops::Range<u64>| {
            let mut rows: Vec<(Place, String)> = numbers
                .map(|number| {
                    let name = padding::name(namespace, number);
                    (sealed::place(&self.inner.keys, namespace, &name), name)
                })
                .collect();
            rows.sort_unstable_by_key(|(place, _)| *place);
            rows
        };
        let (surplus, missing) = (numbered(needs.min(had)..had), numbered(had.min(needs)..needs));
        let index = sealed::namespace_index(&self.inner.keys, namespace);
        let places: Vec<[u8; 16]> = surplus.iter().map(|(place, _)| place.key).collect();
        // The delete below must not take the namespace for an empty one.
        self.folders.remove(namespace);
        if self.delete(&index, namespace, &places).await? != places.len() as u64 {
            return Err(VaultError::Damaged("the number of its rows"));
        }
        let blank = vec![0; folder.bucket];
        let rows: Vec<(Place, &str, &[u8])> =
            missing.iter().map(|(place, name)| (*place, name.as_str(), blank.as_slice())).collect();
        self.insert(false, &rows).await?;

        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        if folder.now == 0 {
            let query = sqlx::query("DELETE FROM folder WHERE namespace = $1").bind(index.to_vec());
            query.execute(&mut writer.connection).await?;
            return Ok(());
        }
        let place = super::folder_place(&self.inner.keys, namespace);
        let count = folder.now.to_be_bytes();
        let bucket = sealed::bucket(namespace, count.len());
        let value = sealed::seal(&self.inner.keys, &place, true, namespace, &count, bucket, self.nonces.next()?)?;
        sqlx::query(
            "INSERT INTO folder (namespace, value) VALUES ($1, $2)
             ON CONFLICT (namespace) DO UPDATE SET value = excluded.value",
        )
        .bind(index.to_vec())
        .bind(value)
        .execute(&mut writer.connection)
        .await?;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        // Frees the file for other processes at once. Without a runtime, the next transaction does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { rollback(&mut writer).await });
        }
    }
}

/// An error says that SQLite has rolled back by itself, after a full disk for instance.
async fn rollback(writer: &mut Writer) {
    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut writer.connection).await;
    writer.open = false;
}

/// Divides into few sizes, so that few statements are prepared.
pub(super) fn chunks<T>(mut all: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= all.len())?;
        let (chunk, rest) = all.split_at(size);
        all = rest;
        Some(chunk)
    })
}

/// The same piece of SQL, so many times. Without numbers: SQLite looks numbered places up one by one.
pub(super) fn repeated(piece: &str, times: usize) -> String {
    let mut out = String::with_capacity(times * (piece.len() + 1));
    for i in 0..times {
        out.push_str(if i == 0 { "" } else { "," });
        out.push_str(piece);
    }
    out
}

/// Random nonces, drawn many at a time.
struct Nonces {
    drawn: [u8; 64 * NONCE],
    used: usize,
}

impl Default for Nonces {
    fn default() -> Self {
        Nonces { drawn: [0; 64 * NONCE], used: 64 * NONCE }
    }
}

impl Nonces {
    fn next(&mut self) -> Result<&[u8], VaultError> {
        if self.used == self.drawn.len() {
            getrandom::fill(&mut self.drawn).map_err(|_| VaultError::Random)?;
            self.used = 0;
        }
        let nonce = &self.drawn[self.used..self.used + NONCE];
        self.used += NONCE;
        Ok(nonce)
    }
}
