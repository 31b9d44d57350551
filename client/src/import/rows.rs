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

/// One row, with its place in the file.
pub(super) struct Row {
    /// Line of a CSV file, row of a sheet; from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<Zeroizing<String>>,
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
    each: &mut dyn FnMut(Row, u64) -> Result<(), ImportError>,
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
            while let Some(row) = table.next()? {
                let at = table.position();
                each(row, at)?;
            }
            Ok(End { windows_1252: table.windows_1252 })
        }
    }
}
