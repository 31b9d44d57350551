//! The vault: everything that a unit keeps, in one file, sealed under the passphrase.
//!
//! Called by the register, by the shell of the agent (its core only emits [`Change`]s) and by commands. *Not here:* what
//! is kept, and what the keys mean; where the passphrase comes from (home.rs).
//!
//! A vault is a map from keys (`namespace/rest`) to values. Each value is sealed by XChaCha20-Poly1305 under a random key,
//! which is itself sealed under Argon2id(passphrase); in place of names stand HMACs. A changed, moved or exchanged row
//! does not open; a row that was taken away is found when its namespace is listed.
//!
//! Who holds the file without the passphrase sees: the size of the file; how many namespaces are in use; for each of
//! them a number of rows, which is a bucket (at most an eighth, and at least some, above the truth); the size of each
//! row, which is a bucket too. Values above 1 KiB are few and not padded in number, but where it is asked for
//! ([`Transaction::pad_fully`]: the register, whose values hold many records each). Who holds several copies of different
//! days sees which rows changed. Putting a whole older file back is not noticed here, but by the agent (R35).
//!
//! What is deleted is overwritten in the file; [`Vault::scrub`] also empties the write-ahead log. What a disk keeps of
//! overwritten blocks is beyond any program: docs/OPERATING.md asks for an encrypted disk.

mod change;
mod database;
mod key;
mod padding;
mod passphrase;
mod sealed;
mod transaction;
mod wrapped;

pub use change::Change;
pub(crate) use padding::shown;
pub use passphrase::{Hashing, Passphrase};
pub use transaction::Transaction;
pub(crate) use wrapped::{unwrap, wrap};

use key::VaultKey;
use rand_core::CryptoRng;
use sealed::{Opened, Place};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// Why the vault did not do what was asked. No variant carries a key or a value.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The passphrase is wrong (or the file's head was changed, which looks alike).
    #[error("the passphrase does not open the vault")]
    Locked,
    /// There is no vault.
    #[error("there is no vault at {}", .0.display())]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a vault at {} already", .0.display())]
    Exists(PathBuf),
    /// Something in the file is not as it was written.
    #[error("the vault is damaged: {0}")]
    Damaged(&'static str),
    /// Made by a newer program.
    #[error("the vault has format {found}, which this program does not know")]
    Format {
        /// The format of the file.
        found: i64,
    },
    /// This program was built with an SQLite that can corrupt its files.
    #[error("SQLite {found} is too old: 3.51.3 or later is needed")]
    SqliteTooOld {
        /// The version that is linked.
        found: String,
    },
    /// A key without a namespace, or too long.
    #[error("not a key of the vault")]
    Key,
    /// A value above 512 MiB.
    #[error("too large a value for the vault")]
    TooLarge,
    /// The passphrase could not be hashed, for want of memory.
    #[error("the passphrase could not be hashed")]
    Hashing,
    /// The system gives no randomness.
    #[error("the system gives no random numbers")]
    Random,
    /// Used after its end.
    #[error("the transaction has ended")]
    Ended,
    /// The file cannot be made or moved.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// SQLite says no: disk full, file locked by another process, no access.
    #[error("the vault's file: {0}")]
    Database(#[from] sqlx::Error),
}

/// A handle on an open vault. Clones share it.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    hashing: Hashing,
    keys: VaultKey,
    writer: Arc<Mutex<Writer>>,
    reader: Mutex<SqliteConnection>,
}

struct Writer {
    connection: SqliteConnection,
    /// A transaction was begun and not ended.
    open: bool,
}

impl Vault {
    /// Makes a vault where none is. It appears whole, or not at all.
    pub async fn create(
        path: &Path,
        passphrase: &Passphrase,
        hashing: Hashing,
        rng: &mut impl CryptoRng,
    ) -> Result<Vault, VaultError> {
        if path.exists() {
            return Err(VaultError::Exists(path.to_owned()));
        }
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let wrapping = hashing.derive(passphrase, salt).await?;
        let (keys, wrapped) = VaultKey::generate(&wrapping, hashing, &salt, rng)?;
        let head = database::Head {
            format: database::FORMAT,
            memory_kib: hashing.memory_kib.into(),
            passes: hashing.passes.into(),
            salt: salt.to_vec(),
            wrapped,
        };
        // Under another name first: a half-made file is never taken for a vault.
        let fresh = database::beside(path, ".new");
        for leftover in [fresh.clone(), database::beside(&fresh, "-wal"), database::beside(&fresh, "-shm")] {
            let _ = std::fs::remove_file(leftover);
        }
        database::create(&fresh, &head).await?;
        let moved = std::fs::hard_link(&fresh, path).or_else(|_| std::fs::rename(&fresh, path));
        moved.map_err(|error| VaultError::File { path: path.to_owned(), error })?;
        let _ = std::fs::remove_file(&fresh);
        if let Some(Ok(folder)) = path.parent().map(std::fs::File::open) {
            let _ = folder.sync_all();
        }
        Self::with_keys(path, hashing, keys).await
    }

    /// Opens a vault. [`VaultError::Locked`] if the passphrase is not its own.
    pub async fn open(path: &Path, passphrase: &Passphrase) -> Result<Vault, VaultError> {
        if !path.exists() {
            return Err(VaultError::Missing(path.to_owned()));
        }
        let (mut writer, reader) = database::open(path).await?;
        let head = database::head(&mut writer).await?;
        let hashing = Hashing::stored(head.memory_kib, head.passes)?;
        let salt: [u8; 16] =
            head.salt.as_slice().try_into().map_err(|_| VaultError::Damaged("the salt of its passphrase"))?;
        let wrapping = hashing.derive(passphrase, salt).await?;
        let keys = VaultKey::unwrap(&wrapping, hashing, &salt, &head.wrapped)?;
        if head.format < database::FORMAT {
            database::migrate(&mut writer).await?;
        }
        Ok(Self::assemble(path, hashing, keys, (writer, reader)))
    }

    async fn with_keys(path: &Path, hashing: Hashing, keys: VaultKey) -> Result<Vault, VaultError> {
        Ok(Self::assemble(path, hashing, keys, database::open(path).await?))
    }

    fn assemble(
        path: &Path,
        hashing: Hashing,
        keys: VaultKey,
        connections: (SqliteConnection, SqliteConnection),
    ) -> Vault {
        let (connection, reader) = connections;
        let writer = Arc::new(Mutex::new(Writer { connection, open: false }));
        let (path, reader) = (path.to_owned(), Mutex::new(reader));
        Vault { inner: Arc::new(Inner { path, hashing, keys, writer, reader }) }
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        Ok(self.get_many(&[key.to_owned()]).await?.pop().flatten())
    }

    /// The values of several keys, in their order. For thousands of keys: one statement reads hundreds.
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, VaultError> {
        let mut reader = self.inner.reader.lock().await;
        get_many(&mut reader, &self.inner.keys, keys).await
    }

    /// All keys that begin with `prefix`, in order, with their values: one consistent view.
    /// `"record/"` lists a namespace; `"pair/"` lists `pair/SN/…` and `pair/GM/…` as well.
    pub async fn list(&self, prefix: &str) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>, VaultError> {
        let mut reader = self.inner.reader.lock().await;
        begin_view(&mut reader).await?;
        let listed = list(&mut reader, &self.inner.keys, prefix).await;
        sqlx::raw_sql("COMMIT").execute(&mut *reader).await?;
        listed
    }

    /// How many values a namespace holds. Costs the same whatever their number.
    pub async fn count(&self, namespace: &str) -> Result<u64, VaultError> {
        let mut reader = self.inner.reader.lock().await;
        Ok(folder(&mut reader, &self.inner.keys, namespace).await?.count)
    }

    /// Makes all changes durable in one transaction, or none. Of two changes of one key the later counts. A commit that
    /// fails ends the process (R35).
    pub async fn apply(&self, changes: &[Change]) -> Result<(), VaultError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        transaction.apply(changes).await?;
        transaction.commit().await
    }

    /// Begins a transaction for changes that do not fit in memory. Others wait until it ends.
    pub async fn begin(&self) -> Result<Transaction, VaultError> {
        Transaction::begin(Arc::clone(&self.inner)).await
    }

    /// Empties the write-ahead log, where deleted values still lie (sealed) after they were deleted: for the destruction
    /// of an epoch's secrets (R9), and before the program ends.
    pub async fn scrub(&self) -> Result<(), VaultError> {
        let mut writer = self.inner.writer.lock().await;
        if writer.open {
            // An abandoned transaction, not rolled back yet.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut writer.connection).await;
            writer.open = false;
        }
        database::checkpoint(&mut writer.connection, &self.inner.path, true).await;
        Ok(())
    }

    /// Opens every row and counts them: for `sutura doctor`. How many values there are.
    pub async fn verify(&self) -> Result<u64, VaultError> {
        let mut reader = self.inner.reader.lock().await;
        let check: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *reader).await?;
        if check != "ok" {
            return Err(VaultError::Damaged("its file"));
        }
        begin_view(&mut reader).await?;
        let verified = verify(&mut reader, &self.inner.keys).await;
        sqlx::raw_sql("COMMIT").execute(&mut *reader).await?;
        verified
    }

    /// Whether a guess at the passphrase costs less than it should: right for exercises only.
    pub fn hashing_is_weak(&self) -> bool {
        let (own, strong) = (self.inner.hashing, Hashing::STRONG);
        own.memory_kib < strong.memory_kib || own.passes < strong.passes
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }
}

async fn get_many(
    connection: &mut SqliteConnection,
    keys: &VaultKey,
    names: &[String],
) -> Result<Vec<Option<Zeroizing<Vec<u8>>>>, VaultError> {
    let mut places = Vec::with_capacity(names.len());
    for (order, name) in names.iter().enumerate() {
        places.push((sealed::place(keys, sealed::namespace(name)?, name), order));
    }
    places.sort_unstable();
    let mut found: Vec<Option<Zeroizing<Vec<u8>>>> = names.iter().map(|_| None).collect();
    for run in places.chunk_by(|a, b| a.0.namespace == b.0.namespace) {
        for chunk in transaction::chunks(run) {
            let Some((first, _)) = chunk.first() else { continue };
            let keys_of = transaction::repeated("?", chunk.len());
            let sql = format!("SELECT key, value FROM sealed WHERE namespace = ? AND key IN ({keys_of})");
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(first.namespace.to_vec());
            for (place, _) in chunk {
                query = query.bind(place.key.to_vec());
            }
            for row in query.fetch_all(&mut *connection).await? {
                let key: &[u8] = row.try_get(0)?;
                let start = chunk.partition_point(|(place, _)| place.key.as_slice() < key);
                for (place, order) in chunk[start..].iter().take_while(|(place, _)| place.key == key) {
                    match sealed::open(keys, place, row.try_get(1)?) {
                        Some(Opened::Real { key, value }) if key == names[*order] => found[*order] = Some(value),
                        _ => return Err(VaultError::Damaged("a row does not open")),
                    }
                }
            }
        }
    }
    Ok(found)
}

async fn list(
    connection: &mut SqliteConnection,
    keys: &VaultKey,
    prefix: &str,
) -> Result<Vec<(String, Zeroizing<Vec<u8>>)>, VaultError> {
    let mut out = Vec::new();
    for (namespace, count) in folders(connection, keys).await? {
        let whole = format!("{namespace}/");
        if !(whole.starts_with(prefix) || prefix.starts_with(&whole)) {
            continue;
        }
        let mut real = 0;
        let mut after: Vec<u8> = Vec::new();
        loop {
            let (rows, last) = page(connection, keys, &namespace, &after).await?;
            for opened in rows {
                if let Opened::Real { key, value } = opened {
                    real += 1;
                    if key.starts_with(prefix) {
                        out.push((key, value));
                    }
                }
            }
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        if real != count {
            return Err(VaultError::Damaged("the number of its rows"));
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

/// Begins one consistent view. A future that was dropped in the middle of another leaves that one open: it is ended first.
async fn begin_view(reader: &mut SqliteConnection) -> Result<(), VaultError> {
    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *reader).await;
    sqlx::raw_sql("BEGIN").execute(reader).await?;
    Ok(())
}

/// Some rows of a namespace after a key's index, opened; with the last index, or None at the end.
async fn page(
    connection: &mut SqliteConnection,
    keys: &VaultKey,
    namespace: &str,
    after: &[u8],
) -> Result<(Vec<Opened>, Option<Vec<u8>>), VaultError> {
    let index = sealed::namespace_index(keys, namespace);
    let rows = sqlx::query("SELECT key, value FROM sealed WHERE namespace = $1 AND key > $2 ORDER BY key LIMIT 64")
        .bind(index.to_vec())
        .bind(after.to_vec())
        .fetch_all(connection)
        .await?;
    let mut opened = Vec::with_capacity(rows.len());
    let mut last = None;
    for row in rows {
        let key: &[u8] = row.try_get(0)?;
        let key: [u8; 16] = key.try_into().map_err(|_| VaultError::Damaged("a row's index"))?;
        last = Some(key.to_vec());
        let place = Place { namespace: index, key };
        opened.push(sealed::open(keys, &place, row.try_get(1)?).ok_or(VaultError::Damaged("a row does not open"))?);
    }
    Ok((opened, last))
}

async fn verify(connection: &mut SqliteConnection, keys: &VaultKey) -> Result<u64, VaultError> {
    let (mut values, mut shown) = (0, 0);
    for (namespace, count) in folders(connection, keys).await? {
        let mut real = 0;
        let mut after = Vec::new();
        loop {
            let (rows, last) = page(connection, keys, &namespace, &after).await?;
            shown += rows.len() as u64;
            real += rows.iter().filter(|row| matches!(row, Opened::Real { .. })).count() as u64;
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        if real != count {
            return Err(VaultError::Damaged("the number of its rows"));
        }
        values += real;
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sealed").fetch_one(connection).await?;
    if u64::try_from(rows) == Ok(shown) { Ok(values) } else { Err(VaultError::Damaged("rows of no namespace")) }
}

/// All namespaces in use, with the number of their values.
async fn folders(connection: &mut SqliteConnection, keys: &VaultKey) -> Result<BTreeMap<String, u64>, VaultError> {
    let mut out = BTreeMap::new();
    for row in sqlx::query("SELECT namespace, value FROM folder").fetch_all(connection).await? {
        let index: &[u8] = row.try_get(0)?;
        let index: [u8; 16] = index.try_into().map_err(|_| VaultError::Damaged("a folder's index"))?;
        let (name, folder) = open_folder(keys, Place { namespace: index, key: FOLDER }, row.try_get(1)?)?;
        out.insert(name, folder.count);
    }
    Ok(out)
}

/// What is kept of a namespace.
#[derive(Default)]
struct Folder {
    /// How many of its rows are real.
    count: u64,
    /// The size of its largest row so far; 0 where padding is small ([`Transaction::pad_fully`]).
    largest: usize,
}

async fn folder(connection: &mut SqliteConnection, keys: &VaultKey, namespace: &str) -> Result<Folder, VaultError> {
    let place = folder_place(keys, namespace);
    let query = sqlx::query("SELECT value FROM folder WHERE namespace = $1").bind(place.namespace.to_vec());
    match query.fetch_optional(connection).await? {
        None => Ok(Folder::default()),
        Some(row) => Ok(open_folder(keys, place, row.try_get(0)?)?.1),
    }
}

/// No key has this index but by a chance of 2^-128.
const FOLDER: [u8; 16] = [0; 16];

fn folder_place(keys: &VaultKey, namespace: &str) -> Place {
    Place { namespace: sealed::namespace_index(keys, namespace), key: FOLDER }
}

fn open_folder(keys: &VaultKey, place: Place, sealed: &[u8]) -> Result<(String, Folder), VaultError> {
    const DAMAGED: VaultError = VaultError::Damaged("a folder does not open");
    let Some(Opened::Real { key, value }) = sealed::open(keys, &place, sealed) else { return Err(DAMAGED) };
    let (count, rest) = value.split_first_chunk::<8>().ok_or(DAMAGED)?;
    let largest = match rest {
        [] => 0,
        rest => u32::from_be_bytes(rest.try_into().map_err(|_| DAMAGED)?) as usize,
    };
    Ok((key, Folder { count: u64::from_be_bytes(*count), largest }))
}

#[cfg(test)]
mod tests;
