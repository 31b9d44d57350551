//! What an import did, or would do: for people and for programs.
//!
//! Made by import.rs; shown by `sutura import`. *Not here:* words (language.rs). A report names places and reasons, never
//! values.

use identifier::{Kind, Language, Reason};
use serde::Serialize;
use std::collections::BTreeMap;

/// Faults that are kept with their places; beyond that they are only counted.
pub const MAX_FAULTS: usize = 10_000;

/// Why a cell was not used, or a row fell.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// A value that is no identifier, or is not compared.
    Value(Reason),
    /// The row has no record reference: it falls.
    NoReference,
    /// The record reference is longer than 200 bytes: the row falls.
    LongReference,
    /// No identifier is left in the row: it falls.
    NothingUsable,
    /// Not a yes or no: read as yes.
    NotYesOrNo,
    /// The row has more cells than the header.
    NoHeader,
}

impl Cause {
    /// The stable name, for programs and language files.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Value(reason) => reason.name(),
            Cause::NoReference => "no_reference",
            Cause::LongReference => "long_reference",
            Cause::NothingUsable => "nothing_usable",
            Cause::NotYesOrNo => "not_yes_or_no",
            Cause::NoHeader => "no_header",
        }
    }

    /// Nothing in the file needs correction.
    pub fn is_notice(self) -> bool {
        matches!(self, Cause::Value(reason) if reason.is_notice())
    }

    /// The explanation that package `identifier` has, for its own reasons.
    pub fn explain(self, language: Language) -> Option<&'static str> {
        match self {
            Cause::Value(reason) => Some(reason.explain(language)),
            _ => None,
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One value that was not used, by its exact place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fault {
    /// Line of a CSV file, row of a sheet; from 1.
    pub line: u64,
    /// The column by the file's own header.
    pub column: String,
    /// Its place in the file, from 1, if it is a column of the file.
    pub place: Option<usize>,
    /// Which value of the cell, from 1.
    pub value: usize,
    /// Why.
    pub reason: Cause,
    /// Whether the whole row fell.
    pub row_falls: bool,
}

/// What an import did; of a dry run, what it would do.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct ImportReport {
    /// The file, as it was named.
    pub file: String,
    /// Nothing was changed.
    pub dry_run: bool,
    /// Rows below the header that are not empty.
    pub rows: u64,
    /// Rows that fell.
    pub fallen: u64,
    /// Rows that share the reference of an earlier one, and were joined to it.
    pub joined: u64,
    /// Records whose reference is new.
    pub added: u64,
    /// Records whose identifiers changed.
    pub replaced: u64,
    /// Records of which only cells that are not compared changed.
    pub amended: u64,
    /// Records that are as they were.
    pub unchanged: u64,
    /// Records that are in the register no more (only when the file is the whole register).
    pub removed: u64,
    /// Records of victims, minors and witnesses: kept, never compared.
    pub protected: u64,
    /// Records whose acknowledgement is withheld (R17).
    pub restricted: u64,
    /// Records whose tokens were made anew because the rules of the accord changed.
    pub renormalised: u64,
    /// Tokens of the file's records, by kind.
    #[serde(serialize_with = "by_name")]
    pub tokens: BTreeMap<Kind, u64>,
    /// Cells that were not UTF-8 and were read as Windows-1252.
    pub windows_1252: u64,
    /// Headers that mean nothing here: kept, not compared.
    pub unknown_columns: Vec<String>,
    /// How many faults there are of each reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Faults by their places, the first [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How long it took.
    pub seconds: f64,
}

impl ImportReport {
    /// Whether something in the file should be corrected.
    pub fn has_faults(&self) -> bool {
        self.faults.iter().any(|fault| !fault.reason.is_notice())
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        *self.reasons.entry(fault.reason.name()).or_default() += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
    }
}

fn by_name<S: serde::Serializer>(tokens: &BTreeMap<Kind, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tokens.iter().map(|(kind, count)| (kind.name(), count)))
}
