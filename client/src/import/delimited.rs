//! Rows of a CSV file: divided by `,`, `;` or tab, in UTF-8 or in Windows-1252.
//!
//! Called by rows.rs. *Not here:* what the columns mean.

use super::ImportError;
use super::rows::{MAX_COLUMNS, Row};
use csv::{ByteRecord, ReaderBuilder};
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

/// A row longer than this is no row: a quotation mark was opened and never closed.
const MAX_ROW_BYTES: u64 = 4 << 20;

/// A CSV file being read.
pub(super) struct Delimited {
    reader: csv::Reader<Bounded>,
    since_row: Rc<Cell<u64>>,
    record: ByteRecord,
    first_line: u64,
    /// Cells that were not UTF-8 and were read as Windows-1252.
    pub(super) windows_1252: u64,
}

impl Delimited {
    /// Opens it: the mark that divides cells is the one under which the header names most columns.
    pub(super) fn open(mut file: File, knows: &dyn Fn(&str) -> bool) -> Result<Delimited, ImportError> {
        let mut start = Vec::with_capacity(65_536);
        file.by_ref().take(65_536).read_to_end(&mut start).map_err(ImportError::Read)?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(ImportError::Utf16);
        }
        if start.contains(&0) {
            return Err(ImportError::NotATable);
        }
        let mut skip = if start.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let mut first_line = 1;
        // Excel's way to name the mark in a first line of its own.
        let named = start[skip..].strip_prefix(b"sep=").and_then(|rest| match rest {
            [mark, b'\r', b'\n', ..] => Some((*mark, 7)),
            [mark, b'\n', ..] => Some((*mark, 6)),
            _ => None,
        });
        let mark = match named {
            Some((mark, length)) => {
                skip += length;
                first_line = 2;
                mark
            }
            None => dividing_mark(&start[skip..], knows),
        };
        file.seek(SeekFrom::Start(skip as u64)).map_err(ImportError::Read)?;
        let since_row = Rc::new(Cell::new(0));
        let bounded = Bounded { file, since_row: Rc::clone(&since_row) };
        let reader = ReaderBuilder::new()
            .delimiter(mark)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(bounded);
        Ok(Delimited { reader, since_row, record: ByteRecord::new(), first_line, windows_1252: 0 })
    }

    /// The next row that is not empty; false at the end.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        self.since_row.set(0);
        let line_before = self.reader.position().line() + self.first_line - 1;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => {
                let too_long = self.since_row.get() > MAX_ROW_BYTES;
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(_) if too_long => ImportError::RowTooLong { line: line_before },
                    csv::ErrorKind::Io(error) => ImportError::Read(error),
                    _ => ImportError::NotATable,
                });
            }
        }
        let line = self.record.position().map_or(line_before, |at| at.line() + self.first_line - 1);
        if self.record.len() > MAX_COLUMNS {
            return Err(ImportError::TooManyColumns { line });
        }
        row.line = line;
        row.clear();
        for cell in &self.record {
            match std::str::from_utf8(cell) {
                Ok(text) => row.push(text),
                Err(_) => {
                    self.windows_1252 += 1;
                    row.push_chars(cell.iter().map(|byte| windows_1252(*byte)));
                }
            }
        }
        Ok(true)
    }

    /// How far the reading has come, in bytes.
    pub(super) fn position(&self) -> u64 {
        self.reader.position().byte()
    }
}

/// Counts what is read for one row, and stops a row without end before it fills the memory.
struct Bounded {
    file: File,
    since_row: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_row.get() > MAX_ROW_BYTES {
            return Err(std::io::Error::other("a row without end"));
        }
        let read = self.file.read(buffer)?;
        self.since_row.set(self.since_row.get() + read as u64);
        Ok(read)
    }
}

fn dividing_mark(start: &[u8], knows: &dyn Fn(&str) -> bool) -> u8 {
    let score = |mark: u8| {
        let mut reader = ReaderBuilder::new().delimiter(mark).has_headers(false).flexible(true).from_reader(start);
        let mut record = ByteRecord::new();
        let _ = reader.read_byte_record(&mut record);
        let known = record.iter().filter(|cell| knows(&String::from_utf8_lossy(cell))).count();
        (known, record.len())
    };
    // Of equals the last is taken: the usual mark stands last.
    [b'\t', b';', b','].into_iter().max_by_key(|mark| score(*mark)).unwrap_or(b',')
}

/// One character of Windows-1252, of which Latin-1 is a part but for the rarely meant controls.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
