//! The header of a file: which of its columns is what.
//!
//! Called by reading.rs with the first row. *Not here:* the rows below.

use super::ImportError;
use super::rows::Row;
use crate::mapping::{Mapping, Target};
use identifier::Column;

/// What each column of a file is.
pub(super) struct Header {
    /// The file's own words.
    pub(super) names: Vec<String>,
    /// What they are to us; None: kept for the unit's officers, not compared.
    pub(super) targets: Vec<Option<Target>>,
    /// Under which name each is kept: ours, or the file's own, marked so that it never looks like one of ours.
    pub(super) kept: Vec<String>,
}

impl Header {
    /// Reads the first row. A header that the mapping names is what the mapping says; one that bears our own name is that
    /// column, unless the mapping found it under another header.
    pub(super) fn read(row: &Row, mapping: &Mapping) -> Result<Header, ImportError> {
        let names: Vec<String> = row.cells().map(|cell| cell.trim().chars().take(200).collect()).collect();
        let mapped: Vec<Option<Target>> = names.iter().map(|name| mapping.target(name)).collect();
        let targets: Vec<Option<Target>> = names
            .iter()
            .zip(&mapped)
            .map(|(name, target)| target.or_else(|| Target::by_name(name).filter(|own| !mapped.contains(&Some(*own)))))
            .collect();
        if !targets.contains(&Some(Target::Known(Column::Record))) {
            return Err(ImportError::NoRecordColumn { found: names });
        }
        let kept = names.iter().zip(&targets).map(|(name, target)| match target {
            Some(target) => target.name().to_owned(),
            None => format!("·{name}"),
        });
        Ok(Header { kept: kept.collect(), names, targets })
    }

    /// Headers that mean nothing to us.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown =
            self.names.iter().zip(&self.targets).filter(|(name, target)| target.is_none() && !name.is_empty());
        unknown.map(|(name, _)| name.clone()).collect()
    }

    /// The file's own name for a column, for places of faults.
    pub(super) fn name_of(&self, target: Target) -> String {
        let place = self.targets.iter().position(|known| *known == Some(target));
        place.map_or_else(|| target.name().to_owned(), |place| self.names[place].clone())
    }

    /// The place of a column in the file, from 1.
    pub(super) fn place_of(&self, target: Target) -> Option<usize> {
        self.targets.iter().position(|known| *known == Some(target)).map(|place| place + 1)
    }
}
