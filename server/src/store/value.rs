//! Arguments and rows: integers, texts and blobs, the same for both engines.
//!
//! Caller: [`super`]. *Not* a mapper of types: each query reads its own columns by their place.

use super::{Result, StoreError};
use protocol::codec::Bytes;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Column, Postgres, Row as _, Sqlite, TypeInfo, ValueRef};

/// An argument of a query.
#[derive(Clone, Copy)]
pub(crate) enum Arg<'a> {
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    NoInt,
    NoBlob,
}

impl From<u64> for Arg<'_> {
    /// Numbers above 2^63 are none of ours: they compare as larger than all.
    fn from(n: u64) -> Self {
        Arg::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}
impl From<u32> for Arg<'_> {
    fn from(n: u32) -> Self {
        Arg::Int(n.into())
    }
}
impl From<i64> for Arg<'_> {
    fn from(n: i64) -> Self {
        Arg::Int(n)
    }
}
impl From<Option<u64>> for Arg<'_> {
    fn from(n: Option<u64>) -> Self {
        n.map_or(Arg::NoInt, Arg::from)
    }
}
impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(text)
    }
}
impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Arg::Blob(bytes)
    }
}
impl<'a> From<Option<&'a [u8]>> for Arg<'a> {
    fn from(bytes: Option<&'a [u8]>) -> Self {
        bytes.map_or(Arg::NoBlob, Arg::Blob)
    }
}
impl<'a, const N: usize> From<&'a Bytes<N>> for Arg<'a> {
    fn from(bytes: &'a Bytes<N>) -> Self {
        Arg::Blob(&bytes.0)
    }
}

enum Cell {
    None,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A row of a result.
pub(crate) struct Row(Vec<Cell>);

impl Row {
    fn cell(&mut self, at: usize) -> Cell {
        self.0.get_mut(at).map_or(Cell::None, |cell| std::mem::replace(cell, Cell::None))
    }

    /// The number in a column, which the row gives away.
    pub(crate) fn int(&mut self, at: usize) -> Result<u64> {
        self.maybe_int(at)?.ok_or(StoreError::Corrupt("no number where one must be"))
    }

    pub(crate) fn maybe_int(&mut self, at: usize) -> Result<Option<u64>> {
        match self.cell(at) {
            Cell::None => Ok(None),
            Cell::Int(n) => u64::try_from(n).map(Some).map_err(|_| StoreError::Corrupt("a negative number")),
            _ => Err(StoreError::Corrupt("no number where one must be")),
        }
    }

    pub(crate) fn text(&mut self, at: usize) -> Result<String> {
        match self.cell(at) {
            Cell::Text(text) => Ok(text),
            _ => Err(StoreError::Corrupt("no text where one must be")),
        }
    }

    pub(crate) fn blob(&mut self, at: usize) -> Result<Vec<u8>> {
        self.maybe_blob(at)?.ok_or(StoreError::Corrupt("no bytes where some must be"))
    }

    pub(crate) fn maybe_blob(&mut self, at: usize) -> Result<Option<Vec<u8>>> {
        match self.cell(at) {
            Cell::None => Ok(None),
            Cell::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(StoreError::Corrupt("no bytes where some must be")),
        }
    }

    pub(crate) fn bytes<const N: usize>(&mut self, at: usize) -> Result<Bytes<N>> {
        Bytes::from_slice(&self.blob(at)?).ok_or(StoreError::Corrupt("bytes of another length"))
    }

    /// A text that stands for something: a name.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self, at: usize) -> Result<T> {
        self.text(at)?.parse().map_err(|_| StoreError::Corrupt("a text that cannot be read"))
    }
}

pub(super) fn sqlite<'q>(sql: &'static str, args: &[Arg<'_>]) -> Query<'q, Sqlite, SqliteArguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Int(n) => query.bind(*n),
        Arg::Text(text) => query.bind(*text),
        Arg::Blob(bytes) => query.bind(*bytes),
        Arg::NoInt => query.bind(None::<i64>),
        Arg::NoBlob => query.bind(None::<Vec<u8>>),
    })
}

pub(super) fn postgres<'q>(sql: &'static str, args: &[Arg<'_>]) -> Query<'q, Postgres, PgArguments> {
    args.iter().fold(sqlx::query(sql), |query, arg| match arg {
        Arg::Int(n) => query.bind(*n),
        Arg::Text(text) => query.bind(*text),
        Arg::Blob(bytes) => query.bind(*bytes),
        Arg::NoInt => query.bind(None::<i64>),
        Arg::NoBlob => query.bind(None::<Vec<u8>>),
    })
}

macro_rules! cell_of {
    ($row:expr, $at:expr) => {{
        let raw = $row.try_get_raw($at)?;
        if raw.is_null() {
            Ok(Cell::None)
        } else {
            let name = raw.type_info().name().to_owned();
            Ok(match name.as_str() {
                "INTEGER" | "INT8" => Cell::Int($row.try_get($at)?),
                "INT4" => Cell::Int(i64::from($row.try_get::<i32, _>($at)?)),
                "TEXT" | "VARCHAR" => Cell::Text($row.try_get($at)?),
                "BLOB" | "BYTEA" => Cell::Blob($row.try_get($at)?),
                _ => return Err(StoreError::Corrupt("a column of another type")),
            })
        }
    }};
}
macro_rules! rows {
    ($name:ident, $row:ty) => {
        pub(super) fn $name(rows: Vec<$row>) -> Result<Vec<Row>> {
            rows.into_iter()
                .map(|row| {
                    row.columns().iter().map(|column| cell_of!(row, column.ordinal())).collect::<Result<_>>().map(Row)
                })
                .collect()
        }
    };
}
rows!(sqlite_rows, SqliteRow);
rows!(postgres_rows, PgRow);
