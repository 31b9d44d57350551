//! The broker's database: SQLite or PostgreSQL, one SQL text for both.
//!
//! A query is one `&'static str` with `$n` placeholders, over integers, texts and blobs. Whatever is written goes through
//! a [`Tx`]. On SQLite there is one writing connection, `BEGIN IMMEDIATE`, WAL and `synchronous=FULL`; on PostgreSQL the
//! transactions that touch the log are put in order by a lock on its head, and correctness rests on unique keys and
//! compare-and-swap, never on the isolation level. A write that the disk refuses ends the process (R35).
//!
//! Callers: every module of the core. *Not here:* what the tables mean (see `migrations/`), and any query.

mod value;

pub(crate) use value::{Arg, Row};

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Postgres, Sqlite, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// SQLite below this version can corrupt a database in WAL mode.
const OLDEST_SQLITE: [u32; 3] = [3, 51, 3];
const WAIT: Duration = Duration::from_secs(30);
/// Rows of a result that SQLite's thread gets ready before it waits: all of nearly every result, for one change of thread.
const ROWS: usize = 256;

/// What went wrong in the store. The message names no value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or is not reachable.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The linked SQLite is one that can lose data.
    #[error("SQLite {0} can corrupt a database in WAL mode; 3.51.3 or newer is needed")]
    OldSqlite(String),
    /// What is stored is not what this program stores.
    #[error("the database holds something that this program did not write: {0}")]
    Corrupt(&'static str),
}

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A database.
pub(crate) enum Store {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// A transaction that writes. Dropped without [`Tx::commit`], it is undone.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Whether a transaction appends to the log. Such transactions come one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Log,
    Free,
}

impl Store {
    /// Opens the SQLite database in `file`, and creates it if it is not there.
    pub(crate) async fn open_sqlite(file: &Path) -> Result<Store> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT)
            .row_buffer_size(ROWS)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-16000");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(&writer).await?;
        if !is_new_enough(&version) {
            return Err(StoreError::OldSqlite(version));
        }
        SQLITE.run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(WAIT)
            .connect_with(options.pragma("cache_size", "-4000").pragma("query_only", "ON"))
            .await?;
        Ok(Store::Sqlite { writer, readers })
    }

    /// Opens a PostgreSQL database by its URL.
    pub(crate) async fn open_postgres(url: &str) -> Result<Store> {
        // Every query here is a look-up by key: plans that read whole tables would break R16.
        let plans = [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];
        let options = PgConnectOptions::from_str(url)?.options(plans);
        let pool = PgPoolOptions::new().max_connections(12).acquire_timeout(WAIT).connect_with(options).await?;
        POSTGRES.run(&pool).await?;
        Ok(Store::Postgres(pool))
    }

    /// Begins a transaction that writes.
    pub(crate) async fn write(&self, order: Order) -> Result<Tx> {
        match self {
            Store::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)),
            Store::Postgres(pool) => {
                let mut tx = Tx::Postgres(pool.begin().await?);
                if order == Order::Log {
                    tx.all("SELECT size FROM log_head WHERE id = 1 FOR UPDATE", &[]).await?;
                }
                Ok(tx)
            }
        }
    }

    /// Runs one statement as a transaction of its own, durable when this returns; the number of rows it changed. Nothing
    /// of it is in the log.
    pub(crate) async fn run(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64> {
        let changed = match self {
            Store::Sqlite { writer, .. } => {
                value::sqlite(sql, args).execute(writer).await.map(|done| done.rows_affected())
            }
            Store::Postgres(pool) => value::postgres(sql, args).execute(pool).await.map(|done| done.rows_affected()),
        };
        Ok(changed.map_err(ends_the_process_if_the_disk_failed)?)
    }

    /// All rows of a query that changes nothing.
    pub(crate) async fn all(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>> {
        match self {
            Store::Sqlite { readers, .. } => value::sqlite_rows(value::sqlite(sql, args).fetch_all(readers).await?),
            Store::Postgres(pool) => value::postgres_rows(value::postgres(sql, args).fetch_all(pool).await?),
        }
    }

    /// The first row of a query that changes nothing.
    pub(crate) async fn first(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Copies a SQLite database, whole and consistent, into a new file. `false` on PostgreSQL: `pg_dump` is its tool.
    pub(crate) async fn copy_into(&self, file: &str) -> Result<bool> {
        match self {
            Store::Sqlite { writer, .. } => {
                sqlx::query("VACUUM INTO $1").bind(file).execute(writer).await?;
                Ok(true)
            }
            Store::Postgres(_) => Ok(false),
        }
    }

    /// Waits for what is under way, and closes all connections.
    pub(crate) async fn close(&self) {
        match self {
            Store::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Store::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(crate) async fn all(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>> {
        match self {
            Tx::Sqlite(tx) => value::sqlite_rows(value::sqlite(sql, args).fetch_all(&mut **tx).await?),
            Tx::Postgres(tx) => value::postgres_rows(value::postgres(sql, args).fetch_all(&mut **tx).await?),
        }
    }

    pub(crate) async fn first(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Option<Row>> {
        Ok(self.all(sql, args).await?.into_iter().next())
    }

    /// Runs a statement; the number of rows it changed.
    pub(crate) async fn run(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<u64> {
        let changed = match self {
            Tx::Sqlite(tx) => value::sqlite(sql, args).execute(&mut **tx).await.map(|done| done.rows_affected()),
            Tx::Postgres(tx) => value::postgres(sql, args).execute(&mut **tx).await.map(|done| done.rows_affected()),
        };
        Ok(changed.map_err(ends_the_process_if_the_disk_failed)?)
    }

    /// From here on can be undone by [`Tx::undo_to_mark`], without what came before.
    pub(crate) async fn mark(&mut self) -> Result<()> {
        self.run("SAVEPOINT mark", &[]).await.map(drop)
    }

    /// Keeps what was done since [`Tx::mark`].
    pub(crate) async fn keep_mark(&mut self) -> Result<()> {
        self.run("RELEASE SAVEPOINT mark", &[]).await.map(drop)
    }

    /// Undoes what was done since [`Tx::mark`].
    pub(crate) async fn undo_to_mark(&mut self) -> Result<()> {
        self.run("ROLLBACK TO SAVEPOINT mark", &[]).await?;
        self.keep_mark().await
    }

    /// Undoes all of it.
    pub(crate) async fn undo(self) -> Result<()> {
        let done = match self {
            Tx::Sqlite(tx) => tx.rollback().await,
            Tx::Postgres(tx) => tx.rollback().await,
        };
        Ok(done.map_err(ends_the_process_if_the_disk_failed)?)
    }

    /// Makes it durable (R25).
    pub(crate) async fn commit(self) -> Result<()> {
        let done = match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => tx.commit().await,
        };
        Ok(done.map_err(ends_the_process_if_the_disk_failed)?)
    }
}

/// What can be asked: a store, or a transaction under way.
pub(crate) trait Ask: Send {
    fn ask(&mut self, sql: &'static str, args: &[Arg<'_>]) -> impl Future<Output = Result<Vec<Row>>> + Send;
}

impl Ask for &Store {
    fn ask(&mut self, sql: &'static str, args: &[Arg<'_>]) -> impl Future<Output = Result<Vec<Row>>> + Send {
        self.all(sql, args)
    }
}

impl Ask for Tx {
    fn ask(&mut self, sql: &'static str, args: &[Arg<'_>]) -> impl Future<Output = Result<Vec<Row>>> + Send {
        self.all(sql, args)
    }
}

/// After a failed fsync nobody knows what is on the disk: going on could acknowledge what is lost (R35). Starting anew
/// reads what is there.
fn ends_the_process_if_the_disk_failed(error: sqlx::Error) -> sqlx::Error {
    const SQLITE_IOERR: i32 = 10;
    const SQLITE_CORRUPT: i32 = 11;
    const EX_IOERR: i32 = 74;
    if let sqlx::Error::Database(e) = &error
        && e.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
        && let Some(code) = e.code().and_then(|code| code.parse::<i32>().ok())
        && matches!(code & 0xff, SQLITE_IOERR | SQLITE_CORRUPT)
    {
        tracing::error!(code, "the disk failed while writing; the process ends, and can be started again");
        // Where nothing listens to the log, whoever looks for the reason finds it all the same.
        let line = format!("sutura-broker: the disk failed while writing (SQLite {code}); the process ends\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        std::process::exit(EX_IOERR);
    }
    error
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = [(); 3].map(|()| parts.next().unwrap_or(0));
    version >= OLDEST_SQLITE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_new_enough("3.51.3") && is_new_enough("3.100.0") && is_new_enough("4.0.0"));
        assert!(!is_new_enough("3.51.2") && !is_new_enough("3.9.9") && !is_new_enough("what"));
    }
}
