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
use crate::register::{Batch, Content, Parts, StoredCell, StoredToken, reference_hash};
use identifier::{Column, MAX_CELL_BYTES, Reason, Record, Refusal, Tokens};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

/// Records handed over at a time; fewer, if they are as large as this.
const BATCH: usize = 2048;
const BATCH_BYTES: usize = 1 << 20;
/// More rows than this are not read: a mistake, or an attack.
const MAX_ROWS: u64 = 10_000_000;
/// Rows that share a reference with another row are held until the end: at most so many.
const MAX_JOINED: u64 = 200_000;
/// The longest reference, in bytes.
const MAX_REFERENCE: usize = 200;
/// The longest cell that is kept for the unit's own officers: what a spreadsheet allows.
const MAX_KEPT_BYTES: usize = 32_767;

/// Some records of the file, and how far the reading has come.
pub(super) struct Handed {
    pub(super) batch: Batch,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// What the reading found.
pub(super) struct Reading {
    pub(super) report: ImportReport,
    /// All references of the file, by their hashes, sorted, also of rows that fell; only if the file is the whole register.
    pub(super) references: Vec<[u8; 16]>,
}

/// Reads the whole file; hands over its records.
pub(super) fn read(path: &Path, options: &ImportOptions, batches: &Sender<Handed>) -> Result<Reading, ImportError> {
    let sheet = options.sheet.as_deref();
    let knows = |name: &str| options.mapping.target(name).or_else(|| Target::by_name(name)).is_some();
    let References { all, shared } = references(path, sheet, &knows, options)?;
    let mut reader = Reader {
        options,
        shared,
        header: None,
        joined: HashMap::new(),
        report: ImportReport { dry_run: options.dry_run, ..ImportReport::default() },
        batch: Batch::with_capacity(BATCH_BYTES),
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
        reader.batch.push_content(&content);
        reader.flush_full(at)?;
    }
    reader.flush(at)?;
    reader.report.windows_1252 = end.windows_1252;
    Ok(Reading { report: reader.report, references: all })
}

/// What the first reading finds.
#[derive(Default)]
struct References {
    /// The hashes of all references, sorted, if the file is the whole register.
    all: Vec<[u8; 16]>,
    /// The beginnings of hashes that stand more than once. By chance a reference may be among them that stands once: it is
    /// then only held longer.
    shared: HashSet<u64>,
}

/// First reading: which references stand more than once.
fn references(
    path: &Path,
    sheet: Option<&str>,
    knows: &dyn Fn(&str) -> bool,
    options: &ImportOptions,
) -> Result<References, ImportError> {
    let mut found = References::default();
    let mut beginnings = Vec::new();
    let mut place = None;
    let mut rows = 0;
    rows::each(path, sheet, knows, &mut |row, _| {
        let Some(place) = place else {
            let header = Header::read(row, &options.mapping)?;
            place = header.place_of(Target::Known(Column::Record));
            return Ok(());
        };
        rows += 1;
        if rows > MAX_ROWS {
            return Err(ImportError::TooManyRows);
        }
        let reference = row.get(place - 1).unwrap_or_default().trim();
        if !reference.is_empty() {
            let hash = reference_hash(reference);
            if options.replace { found.all.push(hash) } else { beginnings.push(beginning(&hash)) }
        }
        Ok(())
    })?;
    beginnings.sort_unstable();
    found.all.sort_unstable();
    let pairs = beginnings.windows(2).map(|pair| (pair[0], pair[1]));
    let of_all = found.all.windows(2).map(|pair| (beginning(&pair[0]), beginning(&pair[1])));
    found.shared = pairs.chain(of_all).filter(|(a, b)| a == b).map(|(a, _)| a).collect();
    Ok(found)
}

fn beginning(hash: &[u8; 16]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

struct Reader<'a> {
    options: &'a ImportOptions,
    shared: HashSet<u64>,
    header: Option<Header>,
    /// Records of several rows, with the line of the first.
    joined: HashMap<[u8; 16], (u64, Content)>,
    report: ImportReport,
    batch: Batch,
    batches: &'a Sender<Handed>,
}

impl Reader<'_> {
    fn row(&mut self, row: &Row, bytes: u64) -> Result<(), ImportError> {
        let Some(header) = self.header.take() else {
            let header = Header::read(row, &self.options.mapping)?;
            self.report.unknown_columns = header.unknown();
            self.header = Some(header);
            return Ok(());
        };
        let read = self.record(&header, row);
        self.header = Some(header);
        read?;
        self.flush_full(bytes)
    }

    /// One row as a record; a row that falls is none.
    fn record(&mut self, header: &Header, row: &Row) -> Result<(), ImportError> {
        let Some(Usable { reference, restricted, found }) = self.usable(header, row)? else { return Ok(()) };
        let hash = reference_hash(reference);
        let cells = kept_cells(header, row, reference);
        let defaults = &self.options.mapping.defaults;
        if !self.shared.contains(&beginning(&hash)) {
            let tokens: Vec<_> =
                found.tokens.iter().map(|token| (token.kind, token.tier, token.expose_secret())).collect();
            self.batch.push(&Parts { reference, restricted, tokens: &tokens, cells: &cells, defaults });
            return Ok(());
        }
        let own = |text: &str| Zeroizing::new(text.to_owned());
        let cell = |(column, text): (&str, &str)| StoredCell { column: column.to_owned(), text: own(text) };
        let content = Content {
            reference: own(reference),
            restricted,
            tokens: found.tokens.iter().map(StoredToken::from).collect(),
            cells: cells.into_iter().map(cell).collect(),
            defaults: defaults.clone(),
        };
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

    /// What a row has to say; None if it falls. Notes its faults and counts it.
    fn usable<'r>(&mut self, header: &Header, row: &'r Row) -> Result<Option<Usable<'r>>, ImportError> {
        if row.is_blank() {
            return Ok(None);
        }
        self.report.rows += 1;
        let line = row.line;
        let mut compared: Vec<(Column, &str)> = Vec::with_capacity(row.len());
        let mut reference = "";
        let mut restricted = false;
        let mut doubt = None;
        for (place, text) in row.cells().enumerate() {
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
        if let Some(place) = row.cells().skip(header.names.len()).position(|cell| !cell.trim().is_empty()) {
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
        for token in &found.tokens {
            *self.report.tokens.entry(token.kind).or_default() += 1;
        }
        Ok(Some(Usable { reference, restricted, found }))
    }

    fn fault(&mut self, fault: Fault) -> Result<(), ImportError> {
        if self.options.strict && !fault.reason.is_notice() {
            return Err(ImportError::Strict(Box::new(fault)));
        }
        self.report.fallen += u64::from(fault.row_falls);
        self.report.fault(fault);
        Ok(())
    }

    fn flush_full(&mut self, bytes: u64) -> Result<(), ImportError> {
        if self.batch.len() >= BATCH || self.batch.bytes() >= BATCH_BYTES { self.flush(bytes) } else { Ok(()) }
    }

    fn flush(&mut self, bytes: u64) -> Result<(), ImportError> {
        let batch = std::mem::replace(&mut self.batch, Batch::with_capacity(BATCH_BYTES / 4));
        let handed = Handed { batch, rows: self.report.rows, bytes };
        // Whoever listened has failed, and says why itself.
        self.batches.blocking_send(handed).map_err(|_| ImportError::Stopped)
    }
}

/// What a row has to say.
struct Usable<'r> {
    reference: &'r str,
    restricted: bool,
    found: Tokens,
}

/// The place of a refused value: the cell of the file that holds it, where several columns are the same to us.
fn value_fault(header: &Header, row: &Row, refusal: &Refusal) -> Fault {
    let target = Target::Known(refusal.column);
    let mut index = refusal.index;
    let mut place = header.place_of(target);
    // Values of columns that are the same to us are counted through: find the cell.
    let places = header.targets.iter().enumerate().filter(|(_, known)| **known == Some(target)).map(|(at, _)| at);
    for at in places {
        let Some(text) = row.get(at).filter(|cell| !cell.trim().is_empty()) else { continue };
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
fn kept_cells<'a>(header: &'a Header, row: &'a Row, reference: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut cells = Vec::with_capacity(row.len() + 1);
    cells.push((Column::Record.name(), reference));
    for (place, text) in row.cells().enumerate() {
        let target = header.targets.get(place).copied().flatten();
        if text.trim().is_empty() || text.len() > MAX_KEPT_BYTES || target == Some(Target::Known(Column::Record)) {
            continue;
        }
        // Beyond the header: a column without a name.
        cells.push((header.kept.get(place).map_or("·", String::as_str), text));
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
