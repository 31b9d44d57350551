//! A file as rows of text, whatever its format.
//!
//! Called by reading.rs. *Not here:* the formats themselves (delimited.rs, workbook.rs), and what a column means.

use super::ImportError;
use super::delimited::Delimited;
use super::workbook::Workbook;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use zeroize::Zeroizing;

/// More columns than this is no register.
pub(super) const MAX_COLUMNS: usize = 1024;
/// The largest CSV file.
const MAX_BYTES: u64 = 8 << 30;
/// The largest workbook: its strings are held in memory.
const MAX_WORKBOOK_BYTES: u64 = 128 << 20;

/// One row, with its place in the file. Its text is wiped when it is dropped or grows; a reader fills the same one again
/// and again.
#[derive(Default)]
pub(super) struct Row {
    /// Line of a CSV file, row of a sheet; from 1.
    pub(super) line: u64,
    text: Zeroizing<String>,
    ends: Vec<usize>,
}

impl Row {
    /// Forgets its cells.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Makes room for that many bytes more, without leaving a copy behind.
    fn reserve(&mut self, more: usize) {
        if self.text.capacity() - self.text.len() < more {
            let room = (self.text.capacity() * 2).max(self.text.len() + more);
            let old = std::mem::replace(&mut self.text, Zeroizing::new(String::with_capacity(room)));
            self.text.push_str(&old);
        }
    }

    /// Adds a cell.
    pub(super) fn push(&mut self, cell: &str) {
        self.reserve(cell.len());
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Adds a cell, character by character.
    pub(super) fn push_chars(&mut self, cell: impl Iterator<Item = char>) {
        for c in cell {
            self.reserve(c.len_utf8());
            self.text.push(c);
        }
        self.ends.push(self.text.len());
    }

    /// How many cells it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// One cell.
    pub(super) fn get(&self, place: usize) -> Option<&str> {
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// All cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| &self.text[std::mem::replace(&mut start, *end)..*end])
    }

    /// Nothing stands in it.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// What is known at the end of a reading.
#[derive(Default)]
pub(super) struct End {
    pub(super) windows_1252: u64,
}

/// Reads all rows of a file; `each` is given each row, and how many of the file's bytes were read.
pub(super) fn each(
    path: &Path,
    sheet: Option<&str>,
    knows: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(&Row, u64) -> Result<(), ImportError>,
) -> Result<End, ImportError> {
    let mut file = File::open(path).map_err(ImportError::Read)?;
    let metadata = file.metadata().map_err(ImportError::Read)?;
    if !metadata.is_file() {
        return Err(ImportError::NotATable);
    }
    let mut magic = [0; 4];
    let length = file.read(&mut magic).map_err(ImportError::Read)?;
    file.rewind().map_err(ImportError::Read)?;
    match &magic[..length] {
        b"PK\x03\x04" => {
            if metadata.len() > MAX_WORKBOOK_BYTES {
                return Err(ImportError::WorkbookTooLarge);
            }
            Workbook::open(file, sheet)?.each(&mut |row| each(row, 0))?;
            Ok(End::default())
        }
        [0xd0, 0xcf, 0x11, 0xe0] => Err(ImportError::OldWorkbook),
        _ => {
            if metadata.len() > MAX_BYTES {
                return Err(ImportError::TooLarge);
            }
            let mut table = Delimited::open(file, knows)?;
            let mut row = Row::default();
            while table.next(&mut row)? {
                each(&row, table.position())?;
            }
            Ok(End { windows_1252: table.windows_1252 })
        }
    }
}
