//! The SQLite file below the vault: how it is opened, what is required of it, and how it is made durable.
//!
//! Called by vault.rs and transaction.rs. *Not here:* keys and sealing: this file sees indices and sealed values only.

use super::VaultError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Row};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Below this version, SQLite's write-ahead log can corrupt a database (the WAL-reset bug, fixed in 3.51.3).
const LEAST_SQLITE: [u32; 3] = [3, 51, 3];

/// The version of this schema. It grows with each migration; a vault of a newer program is refused.
pub(super) const FORMAT: i64 = 2;

/// Everything that lies on the disk. Sizes of `value` are buckets (sealed.rs), rows of a namespace are a bucket
/// (padding.rs). The numbers of rows in `sealed` are random, and tell nothing of time.
const SCHEMA: &str = "
CREATE TABLE head (              -- one row: what is needed to try a passphrase
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    format     INTEGER NOT NULL, -- version of this schema
    memory_kib INTEGER NOT NULL, -- Argon2id
    passes     INTEGER NOT NULL, -- Argon2id
    salt       BLOB NOT NULL,
    wrapped    BLOB NOT NULL     -- the vault's key under Argon2id(passphrase)
);
CREATE TABLE folder (            -- one row for each namespace in use
    namespace  BLOB PRIMARY KEY, -- HMAC of its name
    value      BLOB NOT NULL     -- sealed: its name, and how many of its rows are real
) WITHOUT ROWID;
";

/// The table of values. Not one without row numbers: SQLite takes all columns of such a table for its key, and reads whole
/// values, pages of them, to compare them.
const SEALED: &str = "
CREATE TABLE sealed (
    id         INTEGER PRIMARY KEY, -- random: of 64 bits, two never meet
    namespace  BLOB NOT NULL,    -- HMAC of the namespace
    key        BLOB NOT NULL,    -- HMAC of the key
    value      BLOB NOT NULL     -- sealed: the key and the value, padded
);
CREATE UNIQUE INDEX place ON sealed (namespace, key);
";

/// From format 1, where `sealed` had no row numbers.
const FROM_1: (&str, &str) = (
    "ALTER TABLE sealed RENAME TO sealed_1",
    "INSERT INTO sealed SELECT random(), namespace, key, value FROM sealed_1;
     DROP TABLE sealed_1;
     UPDATE head SET format = 2;",
);

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(120))
        // What is deleted is overwritten with zeros inside the file.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        .pragma("mmap_size", "0")
        // Checkpoints are our own: SQLite's automatic ones hide a failed fsync (R35).
        .pragma("wal_autocheckpoint", "0")
        // Rows cross from SQLite's thread in bundles of this size.
        .row_buffer_size(1024)
        .disable_statement_logging()
}

/// Makes the file with its schema and head, and closes it again. The caller puts it in its place.
pub(super) async fn create(path: &Path, head: &Head) -> Result<(), VaultError> {
    make_private(path)?;
    let mut connection = options(path).connect().await?;
    check_version(&mut connection).await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
    sqlx::raw_sql(SEALED).execute(&mut connection).await?;
    sqlx::query("INSERT INTO head (id, format, memory_kib, passes, salt, wrapped) VALUES (1, $1, $2, $3, $4, $5)")
        .bind(head.format)
        .bind(head.memory_kib)
        .bind(head.passes)
        .bind(head.salt.as_slice())
        .bind(head.wrapped.as_slice())
        .execute(&mut connection)
        .await?;
    sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    sqlx::Connection::close(connection).await?;
    Ok(())
}

/// The writing connection, and a second one that reads while the first writes.
pub(super) async fn open(path: &Path) -> Result<(SqliteConnection, SqliteConnection), VaultError> {
    let mut writer = options(path).pragma("cache_size", "-8192").connect().await?;
    check_version(&mut writer).await?;
    let reader = options(path).pragma("cache_size", "-2048").pragma("query_only", "ON").connect().await?;
    Ok((writer, reader))
}

/// The row of `head`.
pub(super) struct Head {
    pub(super) format: i64,
    pub(super) memory_kib: i64,
    pub(super) passes: i64,
    pub(super) salt: Vec<u8>,
    pub(super) wrapped: Vec<u8>,
}

/// Reads the head, and refuses a format that this program does not know.
pub(super) async fn head(connection: &mut SqliteConnection) -> Result<Head, VaultError> {
    let query = sqlx::query("SELECT format, memory_kib, passes, salt, wrapped FROM head WHERE id = 1");
    let row = query.fetch_one(connection).await.map_err(|_| VaultError::Damaged("its head"))?;
    let read = || -> Result<(i64, Head), sqlx::Error> {
        Ok((
            row.try_get(0)?,
            Head {
                format: row.try_get(0)?,
                memory_kib: row.try_get(1)?,
                passes: row.try_get(2)?,
                salt: row.try_get(3)?,
                wrapped: row.try_get(4)?,
            },
        ))
    };
    match read() {
        Ok((1..=FORMAT, head)) => Ok(head), // an older one is carried over once it is open
        Ok((found, _)) => Err(VaultError::Format { found }),
        Err(_) => Err(VaultError::Damaged("its head")),
    }
}

/// Brings a file of an older format to this one: all of it, or nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), VaultError> {
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let format: i64 = sqlx::query_scalar("SELECT format FROM head").fetch_one(&mut *connection).await?;
    if format == 1 {
        for sql in [FROM_1.0, SEALED, FROM_1.1] {
            sqlx::raw_sql(sql).execute(&mut *connection).await?;
        }
    }
    if let Err(error) = sqlx::raw_sql("COMMIT").execute(connection).await {
        end_process(&error);
    }
    Ok(())
}

/// Moves the write-ahead log into the database when it has grown, or always when `whole`, and then empties it: what was
/// deleted is gone from both. A failure ends the process (R35); a reader in the way is no failure.
pub(super) async fn checkpoint(connection: &mut SqliteConnection, path: &Path, whole: bool) {
    const LARGE: u64 = 16 << 20;
    let grown = std::fs::metadata(beside(path, "-wal")).is_ok_and(|file| file.len() > LARGE);
    if !whole && !grown {
        return;
    }
    let pragma = if whole { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(RESTART)" };
    if let Err(error) = sqlx::raw_sql(pragma).execute(connection).await
        && !is_busy(&error)
    {
        end_process(&error);
    }
}

/// Whether somebody else has the file, by SQLite's primary code: the extended ones say who (`SQLITE_BUSY_RECOVERY`).
fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: i32 = 5;
    const SQLITE_LOCKED: i32 = 6;
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, SQLITE_BUSY | SQLITE_LOCKED))
}

/// R35: after a failed commit or fsync nobody knows what the disk holds. It is never tried again in this process.
pub(super) fn end_process(error: &sqlx::Error) -> ! {
    use std::io::Write;
    let line = format!(
        "sutura: the vault could not be written durably ({error}); the program ends here and can be started again\n"
    );
    // Not by the macro: in a test its words would be kept back, and end with the process.
    let _ = std::io::stderr().write_all(line.as_bytes());
    std::process::exit(74)
}

/// A file beside the database: `vault.sqlite-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), VaultError> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let parts: Vec<u32> = found.split('.').map_while(|part| part.parse().ok()).collect();
    if parts.as_slice() < LEAST_SQLITE.as_slice() { Err(VaultError::SqliteTooOld { found }) } else { Ok(()) }
}

fn make_private(path: &Path) -> Result<(), VaultError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| VaultError::File { path: path.to_owned(), error })
}
