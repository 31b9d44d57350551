//! Rows of an XLSX workbook: one sheet, cell by cell.
//!
//! Called by rows.rs, on the thread of an import: a panic of the reader below is caught there. *Not here:* what the
//! columns mean; the old XLS format, which is refused.

use super::ImportError;
use super::rows::{MAX_COLUMNS, Row};
use calamine::{DataRef, Reader, Xlsx};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use zeroize::Zeroizing;

/// A workbook is a packed file: what it says it unpacks to must stay below this.
const MAX_UNPACKED: u64 = 1 << 30;

/// A workbook being read. The sheet is streamed; its strings are in memory.
pub(super) struct Workbook {
    book: Xlsx<BufReader<File>>,
    sheet: String,
}

impl Workbook {
    /// Opens it; without a name, the first sheet counts.
    pub(super) fn open(mut file: File, sheet: Option<&str>) -> Result<Workbook, ImportError> {
        check_unpacked_size(&mut file)?;
        file.seek(SeekFrom::Start(0)).map_err(ImportError::Read)?;
        let book = Xlsx::new(BufReader::new(file)).map_err(|error| ImportError::Workbook(error.to_string()))?;
        let names = book.sheet_names();
        let sheet = match sheet {
            None => names.first().cloned().ok_or(ImportError::NotATable)?,
            Some(name) if names.iter().any(|known| known == name) => name.to_owned(),
            Some(name) => return Err(ImportError::NoSheet { name: name.to_owned(), sheets: names }),
        };
        Ok(Workbook { book, sheet })
    }

    /// Calls `each` with every row that is not empty, until it says stop or fails.
    pub(super) fn each(&mut self, each: &mut dyn FnMut(&Row) -> Result<(), ImportError>) -> Result<(), ImportError> {
        let fail = |error: calamine::XlsxError| ImportError::Workbook(error.to_string());
        let mut reader = self.book.worksheet_cells_reader(&self.sheet).map_err(fail)?;
        // Cells of a row may come in any order.
        let (mut line, mut cells) = (0, Vec::<Zeroizing<String>>::new());
        let mut row = Row::default();
        let mut give = |line: u64, cells: &mut Vec<Zeroizing<String>>| {
            row.clear();
            row.line = line;
            cells.drain(..).for_each(|cell| row.push(&cell));
            if row.len() > 0 { each(&row) } else { Ok(()) }
        };
        while let Some(cell) = reader.next_cell().map_err(fail)? {
            let (at, column) = cell.get_position();
            let (at, column) = (u64::from(at) + 1, column as usize);
            if column >= MAX_COLUMNS {
                return Err(ImportError::TooManyColumns { line: at });
            }
            let text = text(cell.get_value());
            if text.is_empty() {
                continue;
            }
            if at < line {
                return Err(ImportError::Workbook("its rows are out of order".into()));
            }
            if at > line {
                give(line, &mut cells)?;
                line = at;
            }
            if cells.len() <= column {
                cells.resize_with(column + 1, || Zeroizing::new(String::new()));
            }
            cells[column] = text;
        }
        give(line, &mut cells)
    }
}

/// A cell as a clerk sees it: whole numbers without a fraction, dates as ISO dates.
fn text(cell: &DataRef<'_>) -> Zeroizing<String> {
    Zeroizing::new(match cell {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        DataRef::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(_) | DataRef::Empty => String::new(),
    })
}

/// Adds up what the archive's directory says its parts unpack to.
fn check_unpacked_size(file: &mut File) -> Result<(), ImportError> {
    let length = file.seek(SeekFrom::End(0)).map_err(ImportError::Read)?;
    // The directory is at the end, before a comment of at most 65,535 bytes; a workbook's has no need of more than this.
    let take = length.min(4 << 20);
    file.seek(SeekFrom::Start(length - take)).map_err(ImportError::Read)?;
    let mut end = Vec::new();
    file.by_ref().take(take).read_to_end(&mut end).map_err(ImportError::Read)?;
    const ENTRY: &[u8] = b"PK\x01\x02";
    let mut unpacked = 0_u64;
    for at in 0..end.len().saturating_sub(46) {
        if end[at..].starts_with(ENTRY) {
            let size: [u8; 4] = end[at + 24..at + 28].try_into().map_err(|_| ImportError::NotATable)?;
            // The mark of a larger, 64-bit size counts as what it is: too large.
            unpacked += u64::from(u32::from_le_bytes(size));
        }
    }
    if unpacked > MAX_UNPACKED { Err(ImportError::WorkbookTooLarge) } else { Ok(()) }
}
