//! One durable transaction of the vault.
//!
//! Made by [`Vault::begin`](super::Vault::begin); used by [`Vault::apply`](super::Vault::apply), and directly by imports,
//! whose changes do not fit in memory. Dropped without a commit, it changes nothing.
//!
//! Names are turned into indices, values are sealed, rows are written many at a time in the order of the table; at the
//! commit the padding rows of each namespace are brought to their number.

use super::change::Change;
use super::sealed::{self, Place};
use super::{Inner, VaultError, Writer, database, padding};
use crate::vault::key::NONCE;
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

/// Rows of one statement, and what they hold together at most (but for a single larger one): memory stays bounded.
const CHUNKS: [usize; 4] = [1024, 64, 8, 1];
const CHUNK_BYTES: usize = 4 << 20;

/// A namespace that hides the sizes of its padding too has it written anew while it shows at most so many rows.
const FEW: u64 = 64;

/// A transaction that is being written.
pub struct Transaction {
    inner: Arc<Inner>,
    /// None once it is committed or rolled back.
    writer: Option<OwnedMutexGuard<Writer>>,
    folders: BTreeMap<String, Folder>,
    /// Namespaces whose padding is as large as their values.
    full: BTreeSet<String>,
    nonces: Nonces,
}

/// A namespace that this transaction touches.
struct Folder {
    before: u64,
    now: u64,
    /// Sizes of padding rows, in turn: those of some rows written here.
    sizes: Vec<usize>,
    /// The largest row that was written since the namespace is in use, if its padding is to be as large.
    largest: Option<usize>,
    grown: bool,
}

/// A row to be written.
struct Row<'a> {
    place: Place,
    name: &'a str,
    /// None: padding.
    value: Option<&'a [u8]>,
    /// What it is padded to.
    size: usize,
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
        Ok(Transaction {
            inner,
            writer: Some(writer),
            folders: BTreeMap::new(),
            full: BTreeSet::new(),
            nonces: Nonces::default(),
        })
    }

    /// The number of this namespace's values is hidden although they are large: padding rows take the sizes of what is
    /// written, up to 256 KiB. Before the first change of it in each transaction.
    pub fn pad_fully(&mut self, namespace: &str) {
        self.full.insert(namespace.to_owned());
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
            let places = |puts: bool| -> Vec<[u8; 16]> {
                let of_kind = run.iter().filter(|(.., change)| matches!(change, Change::Put { .. }) == puts);
                of_kind.map(|(place, ..)| place.key).collect()
            };
            let gone = self.delete(&first.namespace, namespace, &places(false)).await?;
            let replaced = self.present(&first.namespace, namespace, &places(true)).await?;
            let puts: Vec<Row<'_>> = run
                .iter()
                .filter_map(|(place, _, _, change)| match change {
                    Change::Put { key, value } => {
                        let size = sealed::bucket(key, value.len());
                        Some(Row { place: *place, name: key, value: Some(value), size })
                    }
                    Change::Delete { .. } => None,
                })
                .collect();
            if let Some(folder) = self.folders.get_mut(*namespace) {
                folder.now = folder.now.saturating_sub(gone + replaced) + puts.len() as u64;
                folder.note_sizes(&puts);
            }
            self.write(&puts).await?;
        }
        Ok(())
    }

    /// Reads values as this transaction sees them, in the order of `keys`.
    pub async fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, VaultError> {
        let inner = Arc::clone(&self.inner);
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        super::get_many(&mut writer.connection, &inner.keys, keys).await
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
        let stored = super::folder(&mut writer.connection, &self.inner.keys, namespace).await?;
        let largest = self.full.contains(namespace).then_some(stored.largest);
        let folder = Folder { before: stored.count, now: stored.count, sizes: Vec::new(), largest, grown: false };
        self.folders.insert(namespace.to_owned(), folder);
        Ok(())
    }

    /// Deletes what stands at these places; how many stood there.
    async fn delete(&mut self, index: &[u8; 16], namespace: &str, keys: &[[u8; 16]]) -> Result<u64, VaultError> {
        let mut gone = 0;
        if self.is_empty(namespace) {
            return Ok(0);
        }
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
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

    /// How many of these places hold something.
    async fn present(&mut self, index: &[u8; 16], namespace: &str, keys: &[[u8; 16]]) -> Result<u64, VaultError> {
        let mut present = 0;
        if self.is_empty(namespace) {
            return Ok(0);
        }
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        for chunk in chunks(keys) {
            let places = repeated("?", chunk.len());
            let sql = format!("SELECT count(*) FROM sealed WHERE namespace = ? AND key IN ({places})");
            let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(index.to_vec());
            for key in chunk {
                query = query.bind(key.to_vec());
            }
            let count: i64 = query.fetch_one(&mut writer.connection).await?;
            present += count as u64;
        }
        Ok(present)
    }

    fn is_empty(&self, namespace: &str) -> bool {
        self.folders.get(namespace).is_some_and(|folder| folder.now == 0 && folder.before == 0)
    }

    /// Seals and writes rows. One that is there is overwritten where it lies: a value of the same size in the same pages.
    async fn write(&mut self, mut rows: &[Row<'_>]) -> Result<(), VaultError> {
        let keys = &self.inner.keys;
        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        while !rows.is_empty() {
            let mut bytes = 0;
            let fit = rows.iter().take_while(|row| {
                bytes += row.size;
                bytes <= CHUNK_BYTES
            });
            let fit = fit.count().max(1);
            let (chunk, rest) = rows.split_at(CHUNKS.into_iter().find(|size| *size <= fit).unwrap_or(1));
            rows = rest;
            let sql = format!(
                "INSERT INTO sealed (id, namespace, key, value) VALUES {}
                 ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value",
                repeated("(random(),?,?,?)", chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for Row { place, name, value, size } in chunk {
                let sealed = sealed::seal(keys, place, name, *value, *size, self.nonces.next()?)?;
                query = query.bind(place.namespace.to_vec()).bind(place.key.to_vec()).bind(sealed);
            }
            query.execute(&mut writer.connection).await?;
        }
        Ok(())
    }

    /// Brings the padding of a namespace to its number, and writes its folder.
    async fn pad(&mut self, namespace: &str, folder: &Folder) -> Result<(), VaultError> {
        let anew = folder.grown && padding::shown(folder.now) <= FEW;
        if folder.before == folder.now && !anew {
            return Ok(());
        }
        let (had, needs) = (padding::rows(folder.before), padding::rows(folder.now));
        let stays = if anew { 0 } else { had.min(needs) };
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
        let (surplus, missing) = (numbered(stays..had), numbered(stays..needs));
        let index = sealed::namespace_index(&self.inner.keys, namespace);
        let places: Vec<[u8; 16]> = surplus.iter().map(|(place, _)| place.key).collect();
        // The delete below must not take the namespace for an empty one.
        self.folders.remove(namespace);
        if self.delete(&index, namespace, &places).await? != places.len() as u64 {
            return Err(VaultError::Damaged("the number of its rows"));
        }
        let rows: Vec<Row<'_>> = missing
            .iter()
            .enumerate()
            .map(|(at, (place, name))| Row { place: *place, name, value: None, size: folder.size(at, anew) })
            .collect();
        self.write(&rows).await?;

        let writer = self.writer.as_mut().ok_or(VaultError::Ended)?;
        if folder.now == 0 {
            let query = sqlx::query("DELETE FROM folder WHERE namespace = $1").bind(index.to_vec());
            query.execute(&mut writer.connection).await?;
            return Ok(());
        }
        let place = super::folder_place(&self.inner.keys, namespace);
        let mut value = folder.now.to_be_bytes().to_vec();
        value.extend(folder.largest.into_iter().flat_map(|largest| (largest as u32).to_be_bytes()));
        let size = sealed::bucket(namespace, value.len());
        let value = sealed::seal(&self.inner.keys, &place, namespace, Some(&value), size, self.nonces.next()?)?;
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

impl Folder {
    /// Notes what sizes padding rows should have.
    fn note_sizes(&mut self, puts: &[Row<'_>]) {
        match &mut self.largest {
            None => {
                if let Some(row) = puts.get(puts.len() / 2) {
                    self.sizes = vec![row.size.min(padding::LARGEST)];
                }
            }
            Some(largest) => {
                // The last sixteen are a fair sample: who writes many rows writes them in the order of their HMACs.
                for row in puts.iter().rev().take(16) {
                    self.sizes.push(row.size.min(padding::LARGEST_FULL));
                }
                self.sizes.drain(..self.sizes.len().saturating_sub(16));
                let most = puts.iter().map(|row| row.size.min(padding::LARGEST_FULL)).max().unwrap_or(0);
                self.grown |= most > *largest;
                *largest = most.max(*largest);
            }
        }
    }

    fn size(&self, at: usize, anew: bool) -> usize {
        match self.largest {
            Some(largest) if anew => largest,
            _ => self.sizes.get(at % self.sizes.len().max(1)).copied().unwrap_or(256),
        }
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
