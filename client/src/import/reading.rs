//! From rows to records: on a thread of its own, so that reading and writing overlap.
//!
//! Called by import.rs. The file is read twice: first for its references, so that rows which share one are joined whatever
//! their distance, then for everything. Memory holds one batch, the hashes of the references, and the rows to be joined.
//! *Not here:* the vault.

use super::header::Header;
use super::report::{Cause, Fault, ImportReport};
use super::rows::{self, Row};
use super::{ImportError, ImportOptions};
use crate::mapping::Target;
use crate::register::{Content, StoredCell, StoredToken, reference_hash};
use identifier::{Column, MAX_CELL_BYTES, Reason, Record, Refusal};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

/// Records handed over at a time.
const BATCH: usize = 2048;
/// More rows than this are not read: a mistake, or an attack.
const MAX_ROWS: u64 = 10_000_000;
/// Rows that share a reference with another row are held until the end: at most so many.
const MAX_JOINED: u64 = 200_000;
/// The longest reference, in bytes.
const MAX_REFERENCE: usize = 200;
/// The longest cell that is kept for the unit's own officers: what a spreadsheet allows.
const MAX_KEPT_BYTES: usize = 32_767;

/// Some records of the file, and how far the reading has come.
pub(super) struct Batch {
    pub(super) contents: Vec<Content>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What the reading found.
pub(super) struct Reading {
    pub(super) report: ImportReport,
    /// All references of the file, by their hashes, also of rows that fell.
    pub(super) references: HashSet<[u8; 16]>,
}

/// Reads the whole file; hands over its records.
pub(super) fn read(path: &Path, options: &ImportOptions, batches: &Sender<Batch>) -> Result<Reading, ImportError> {
    let sheet = options.sheet.as_deref();
    let knows = |name: &str| options.mapping.target(name).or_else(|| Target::by_name(name)).is_some();
    let (references, shared) = references(path, sheet, &knows, options)?;
    let mut reader = Reader {
        options,
        shared,
        header: None,
        joined: HashMap::new(),
        report: ImportReport { dry_run: options.dry_run, ..ImportReport::default() },
        batch: Vec::with_capacity(BATCH),
        batches,
    };
    let mut at = 0;
    let end = rows::each(path, sheet, &knows, &mut |row, bytes| {
        at = bytes;
        reader.row(row, bytes)
    })?;
    if reader.header.is_none() {
        return Err(ImportError::Empty);
    }
    let mut joined: Vec<(u64, Content)> = std::mem::take(&mut reader.joined).into_values().collect();
    joined.sort_by_key(|(line, _)| *line);
    for (_, content) in joined {
        reader.give(content, at)?;
    }
    reader.flush(at)?;
    reader.report.windows_1252 = end.windows_1252;
    Ok(Reading { report: reader.report, references })
}

/// First reading: the hashes of all references, and of those that stand more than once.
#[expect(clippy::type_complexity, reason = "two sets of the same hashes, used once")]
fn references(
    path: &Path,
    sheet: Option<&str>,
    knows: &dyn Fn(&str) -> bool,
    options: &ImportOptions,
) -> Result<(HashSet<[u8; 16]>, HashSet<[u8; 16]>), ImportError> {
    let (mut all, mut shared) = (HashSet::new(), HashSet::new());
    let mut place = None;
    let mut rows = 0;
    rows::each(path, sheet, knows, &mut |row, _| {
        let Some(place) = place else {
            let header = Header::read(&row.cells, &options.mapping)?;
            place = header.place_of(Target::Known(Column::Record));
            return Ok(());
        };
        rows += 1;
        if rows > MAX_ROWS {
            return Err(ImportError::TooManyRows);
        }
        let reference = row.cells.get(place - 1).map_or("", |cell| cell.trim());
        if !reference.is_empty() {
            let hash = reference_hash(reference);
            if !all.insert(hash) {
                shared.insert(hash);
            }
        }
        Ok(())
    })?;
    Ok((all, shared))
}

struct Reader<'a> {
    options: &'a ImportOptions,
    shared: HashSet<[u8; 16]>,
    header: Option<Header>,
    /// Records of several rows, with the line of the first.
    joined: HashMap<[u8; 16], (u64, Content)>,
    report: ImportReport,
    batch: Vec<Content>,
    batches: &'a Sender<Batch>,
}

impl Reader<'_> {
    fn row(&mut self, row: Row, bytes: u64) -> Result<(), ImportError> {
        let Some(header) = self.header.take() else {
            let header = Header::read(&row.cells, &self.options.mapping)?;
            self.report.unknown_columns = header.unknown();
            self.header = Some(header);
            return Ok(());
        };
        let read = self.content(&header, &row);
        self.header = Some(header);
        let Some(content) = read? else { return Ok(()) };
        let hash = reference_hash(&content.reference);
        if !self.shared.contains(&hash) {
            return self.give(content, bytes);
        }
        match self.joined.get_mut(&hash) {
            Some((_, first)) => {
                self.report.joined += 1;
                if self.report.joined > MAX_JOINED {
                    return Err(ImportError::TooManyJoined);
                }
                first.merge(content);
            }
            None => {
                if self.joined.len() as u64 >= MAX_JOINED {
                    return Err(ImportError::TooManyJoined);
                }
                self.joined.insert(hash, (row.line, content));
            }
        }
        Ok(())
    }

    /// One row as a record; None if it falls.
    fn content(&mut self, header: &Header, row: &Row) -> Result<Option<Content>, ImportError> {
        if row.cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        self.report.rows += 1;
        let line = row.line;
        let mut compared: Vec<(Column, &str)> = Vec::with_capacity(row.cells.len());
        let mut reference = "";
        let mut restricted = false;
        let mut doubt = None;
        for (place, text) in row.cells.iter().enumerate() {
            match header.targets.get(place).copied().flatten() {
                Some(Target::Known(Column::Record)) if reference.is_empty() => reference = text.trim(),
                Some(Target::Known(Column::Record)) | None => {}
                Some(Target::Known(column)) => compared.push((column, text)),
                Some(Target::Restricted) => match yes_or_no(text) {
                    Some(yes) => restricted |= yes,
                    None => {
                        restricted = true;
                        doubt = Some(place);
                    }
                },
            }
        }
        let record_column = Target::Known(Column::Record);
        let row_fault = |reason| Fault {
            line,
            column: header.name_of(record_column),
            place: header.place_of(record_column),
            value: 1,
            reason,
            row_falls: true,
        };
        if reference.is_empty() {
            self.fault(row_fault(Cause::NoReference))?;
            return Ok(None);
        }
        if reference.len() > MAX_REFERENCE {
            self.fault(row_fault(Cause::LongReference))?;
            return Ok(None);
        }
        let found =
            identifier::tokens(&Record::from_cells(&compared, &self.options.mapping.defaults), &self.options.rules);
        let protected = found.refused.iter().any(|refusal| refusal.reason == Reason::Protected);
        let falls = found.tokens.is_empty() && !protected;
        for refusal in &found.refused {
            self.fault(value_fault(header, row, refusal))?;
        }
        if let Some(place) = doubt {
            let (column, place) = (header.names[place].clone(), Some(place + 1));
            self.fault(Fault { line, column, place, value: 1, reason: Cause::NotYesOrNo, row_falls: false })?;
        }
        if let Some(place) = row.cells.iter().skip(header.names.len()).position(|cell| !cell.trim().is_empty()) {
            let place = header.names.len() + place + 1;
            let (column, place) = (place.to_string(), Some(place));
            self.fault(Fault { line, column, place, value: 1, reason: Cause::NoHeader, row_falls: false })?;
        }
        if falls {
            self.fault(row_fault(Cause::NothingUsable))?;
            return Ok(None);
        }
        self.report.protected += u64::from(protected);
        self.report.restricted += u64::from(restricted);
        let tokens: Vec<StoredToken> = found.tokens.iter().map(StoredToken::from).collect();
        for token in &tokens {
            *self.report.tokens.entry(token.kind).or_default() += 1;
        }
        Ok(Some(Content {
            reference: Zeroizing::new(reference.to_owned()),
            restricted,
            tokens,
            cells: kept_cells(header, row, reference),
            defaults: self.options.mapping.defaults.clone(),
        }))
    }

    fn fault(&mut self, fault: Fault) -> Result<(), ImportError> {
        if self.options.strict && !fault.reason.is_notice() {
            return Err(ImportError::Strict(Box::new(fault)));
        }
        self.report.fallen += u64::from(fault.row_falls);
        self.report.fault(fault);
        Ok(())
    }

    fn give(&mut self, content: Content, bytes: u64) -> Result<(), ImportError> {
        self.batch.push(content);
        if self.batch.len() >= BATCH { self.flush(bytes) } else { Ok(()) }
    }

    fn flush(&mut self, bytes: u64) -> Result<(), ImportError> {
        let contents = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        let batch = Batch { contents, rows: self.report.rows, bytes };
        // Whoever listened has failed, and says why itself.
        self.batches.blocking_send(batch).map_err(|_| ImportError::Stopped)
    }
}

/// The place of a refused value: the cell of the file that holds it, where several columns are the same to us.
fn value_fault(header: &Header, row: &Row, refusal: &Refusal) -> Fault {
    let target = Target::Known(refusal.column);
    let mut index = refusal.index;
    let mut place = header.place_of(target);
    // Values of columns that are the same to us are counted through: find the cell.
    let places = header.targets.iter().enumerate().filter(|(_, known)| **known == Some(target)).map(|(at, _)| at);
    for at in places {
        let Some(text) = row.cells.get(at).filter(|cell| !cell.trim().is_empty()) else { continue };
        let alone = Record::from_cells(&[(refusal.column, text)], &Default::default());
        let values = alone.values(refusal.column).count();
        place = Some(at + 1);
        if index < values || text.len() > MAX_CELL_BYTES {
            break;
        }
        index -= values;
    }
    let column = place.map_or_else(|| refusal.column.name().to_owned(), |place| header.names[place - 1].clone());
    let reason = Cause::Value(refusal.reason);
    Fault { line: row.line, column, place, value: index + 1, reason, row_falls: false }
}

/// The cells as they were written, the reference first: a record of several rows is divided at it.
fn kept_cells(header: &Header, row: &Row, reference: &str) -> Vec<StoredCell> {
    let own = |text: &str| Zeroizing::new(text.to_owned());
    let mut cells = vec![StoredCell { column: Column::Record.name().to_owned(), text: own(reference) }];
    for (place, text) in row.cells.iter().enumerate() {
        let target = header.targets.get(place).copied().flatten();
        if text.trim().is_empty() || text.len() > MAX_KEPT_BYTES || target == Some(Target::Known(Column::Record)) {
            continue;
        }
        let column = match target {
            Some(target) => target.name().to_owned(),
            // A foreign header never looks like one of ours.
            None => format!("·{}", header.names.get(place).map_or("", String::as_str)),
        };
        cells.push(StoredCell { column, text: own(text) });
    }
    cells
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "y" | "oui" | "o" | "true" | "vrai" | "1" | "x" | "sim" => Some(true),
        "" | "no" | "n" | "non" | "false" | "faux" | "0" | "não" | "nao" => Some(false),
        _ => None,
    }
}
