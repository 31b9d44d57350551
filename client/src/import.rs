//! Importing a register from a file, in one transaction.
//!
//! Called by `sutura import` and by the exercise, in process. *Not here:* the words of the report (command/import.rs).
//!
//! The path of data, first half: file → row → record → tokens → the register in the vault. A bad cell loses its value, a row
//! falls only when it has no reference or nothing usable is left, and an error of the file changes nothing at all.
//! A record that the file names again takes the place of the one before; records that the file does not name stay,
//! unless the file is said to be the whole register.

mod delimited;
mod header;
mod reading;
mod report;
mod rows;
mod workbook;

pub use report::{Cause, Fault, ImportReport, MAX_FAULTS};

use crate::mapping::Mapping;
use crate::register::{Outcome, RegisterError, RegisterWriter};
use crate::vault::Vault;
use identifier::Rules;
use std::path::Path;
use std::time::Instant;

/// How a file is imported.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Headers, and what the file leaves unsaid.
    pub mapping: Mapping,
    /// The identifier rules of the accord in force, or the default ones.
    pub rules: Rules,
    /// Read and report everything, change nothing.
    pub dry_run: bool,
    /// Stop at the first value that should be corrected.
    pub strict: bool,
    /// The file is the whole register: what it does not name is removed.
    pub replace: bool,
    /// The sheet of a workbook; the first one if none is named.
    pub sheet: Option<String>,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Rows read and written.
    pub rows: u64,
    /// Bytes of the file that were read; 0 for workbooks.
    pub bytes: u64,
    /// Bytes of the file.
    pub of_bytes: u64,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(std::io::Error),
    /// Neither CSV nor XLSX.
    #[error("the file is neither CSV nor XLSX")]
    NotATable,
    /// A text in UTF-16.
    #[error("the file is in UTF-16")]
    Utf16,
    /// The XLS format of before 2007.
    #[error("the file is an old XLS workbook")]
    OldWorkbook,
    /// A workbook that cannot be read.
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    /// A workbook that is, or unpacks to, more than is reasonable.
    #[error("the workbook is too large")]
    WorkbookTooLarge,
    /// The workbook has no such sheet.
    #[error("the workbook has no sheet {name:?}")]
    NoSheet {
        /// What was asked for.
        name: String,
        /// What there is.
        sheets: Vec<String>,
    },
    /// A file above 8 GiB.
    #[error("the file is too large")]
    TooLarge,
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No column bears the unit's own reference.
    #[error("no column is the record reference")]
    NoRecordColumn {
        /// The file's headers.
        found: Vec<String>,
    },
    /// More columns than any register has.
    #[error("line {line} has too many columns")]
    TooManyColumns {
        /// Where.
        line: u64,
    },
    /// A row that does not end: an open quotation mark, usually.
    #[error("the row at line {line} does not end")]
    RowTooLong {
        /// Where it begins.
        line: u64,
    },
    /// More rows than any register has.
    #[error("too many rows")]
    TooManyRows,
    /// Too many rows share a reference.
    #[error("too many rows share a record reference")]
    TooManyJoined,
    /// The first value that should be corrected, where that was asked for.
    #[error("line {}, {}: {}", .0.line, .0.column, .0.reason.name())]
    Strict(Box<Fault>),
    /// The register or its vault says no.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The reading was given up.
    #[error("the reading was stopped")]
    Stopped,
    /// The reading failed in a way that should not be.
    #[error("the file could not be read to its end")]
    Failed,
}

/// Imports a file into the register of a vault: all of it in one durable transaction, or nothing.
pub async fn import_file(
    vault: &Vault,
    path: &Path,
    options: &ImportOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<ImportReport, ImportError> {
    let began = Instant::now();
    let of_bytes = std::fs::metadata(path).map_err(ImportError::Read)?.len();
    // Two batches ahead: what is read waits for what is written, and memory stays small.
    let (sender, mut batches) = tokio::sync::mpsc::channel(2);
    let reading = {
        let (path, options) = (path.to_owned(), options.clone());
        tokio::task::spawn_blocking(move || reading::read(&path, &options, &sender))
    };
    let mut writer = None;
    let mut tally = ImportReport::default();
    while let Some(reading::Handed { batch, rows, bytes }) = batches.recv().await {
        if writer.is_none() {
            writer = Some(RegisterWriter::begin(vault, &options.rules).await?);
        }
        let Some(writer) = &mut writer else { break };
        for outcome in writer.put_batch(&batch).await? {
            match outcome {
                Outcome::Added => tally.added += 1,
                Outcome::Replaced => tally.replaced += 1,
                Outcome::Amended => tally.amended += 1,
                Outcome::Unchanged => tally.unchanged += 1,
            }
        }
        progress(Progress { rows, bytes, of_bytes });
    }
    // A panic of a reader below is an unreadable file, and not more.
    let reading::Reading { report, references } = reading.await.map_err(|_| ImportError::Failed)??;
    if let Some(mut writer) = writer {
        if options.replace {
            tally.removed = writer.keep_only(&references).await?;
        }
        tally.renormalised = writer.renormalised();
        if !options.dry_run {
            writer.commit().await?;
            if tally.replaced + tally.amended + tally.removed > 0 {
                vault.scrub().await.map_err(RegisterError::from)?;
            }
        }
    }
    let ImportReport { added, replaced, amended, unchanged, removed, renormalised, .. } = tally;
    let file = path.display().to_string();
    let seconds = began.elapsed().as_secs_f64();
    Ok(ImportReport { file, added, replaced, amended, unchanged, removed, renormalised, seconds, ..report })
}

#[cfg(test)]
mod tests;
