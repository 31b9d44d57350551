//! mapping.toml: how a file that was not written for Sutura names its columns, and what it leaves unsaid.
//!
//! Read by `sutura import` and the exercise; used by import/header.rs. *Not here:* the columns themselves (package
//! `identifier`).
//!
//! ```toml
//! [columns]
//! record = "N° dossier"
//! phone = ["Tél. 1", "Tél. 2"]
//! [defaults]
//! country = "SN"
//! subject = "person"
//! [dates]
//! format = "%Y%m%d"
//! ```

use identifier::{Column, Country, DateFormat, Defaults, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest mapping, in bytes.
const MAX_TEXT: u64 = 65_536;

/// What a column of a file is to us.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// A column that Sutura knows.
    Known(Column),
    /// Whether the record is restricted (R17): yes or no.
    Restricted,
}

impl Target {
    /// The column of that name in a header.
    pub fn by_name(name: &str) -> Option<Target> {
        if matches!(fold(name).as_str(), "restricted" | "restreint") {
            return Some(Target::Restricted);
        }
        Column::by_name(name).map(Target::Known)
    }

    /// Our name of it.
    pub fn name(self) -> &'static str {
        match self {
            Target::Known(column) => column.name(),
            Target::Restricted => "restricted",
        }
    }
}

/// A mapping, read and checked.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// Folded headers of the file, and what they are to us.
    headers: BTreeMap<String, Target>,
    /// What the file leaves unsaid.
    pub defaults: Defaults,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Too long for a mapping.
    #[error("longer than {MAX_TEXT} bytes")]
    TooLong,
    /// Not TOML of this shape.
    #[error("{0}")]
    Text(String),
    /// A name that is none of our columns.
    #[error("[columns] {0}: not a column that Sutura knows")]
    UnknownColumn(String),
    /// Two of our columns claim one header.
    #[error("[columns] the header {0:?} stands twice")]
    Twice(String),
    /// `defaults.country` is no country.
    #[error("[defaults] country: not a country")]
    Country,
    /// `defaults.subject` is no subject.
    #[error("[defaults] subject: not person, organisation, vehicle, vessel or account")]
    Subject,
    /// `dates.format` cannot be read back.
    #[error("[dates] format: {0}")]
    Dates(identifier::DateFormatError),
}

impl Mapping {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Mapping, MappingError> {
        let fail = |error| MappingError::File { path: path.to_owned(), error };
        if std::fs::metadata(path).map_err(fail)?.len() > MAX_TEXT {
            return Err(MappingError::TooLong);
        }
        Mapping::read(&std::fs::read_to_string(path).map_err(fail)?)
    }

    /// Reads a text.
    pub fn read(text: &str) -> Result<Mapping, MappingError> {
        let text: Text = toml::from_str(text).map_err(|error| MappingError::Text(error.to_string()))?;
        let mut mapping = Mapping::default();
        for (ours, theirs) in text.columns {
            let target = Target::by_name(&ours).ok_or(MappingError::UnknownColumn(ours))?;
            for header in theirs.into_vec() {
                if mapping.headers.insert(fold(&header), target).is_some() {
                    return Err(MappingError::Twice(header));
                }
            }
        }
        if let Some(country) = text.defaults.country {
            mapping.defaults.country = Some(Country::read(&country).ok_or(MappingError::Country)?);
        }
        if let Some(subject) = text.defaults.subject {
            mapping.defaults.subject = Some(Subject::read(&subject).ok_or(MappingError::Subject)?);
        }
        if let Some(format) = text.dates.format {
            mapping.defaults.dates = Some(DateFormat::new(&format).map_err(MappingError::Dates)?);
        }
        Ok(mapping)
    }

    /// What a header of the file is, if the mapping names it.
    pub fn target(&self, header: &str) -> Option<Target> {
        self.headers.get(&fold(header)).copied()
    }
}

/// Case, surrounding space and marks of order do not matter in a header.
fn fold(header: &str) -> String {
    header.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_lowercase()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    columns: BTreeMap<String, Headers>,
    #[serde(default)]
    defaults: DefaultsText,
    #[serde(default)]
    dates: DatesText,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    One(String),
    Several(Vec<String>),
}

impl Headers {
    fn into_vec(self) -> Vec<String> {
        match self {
            Headers::One(header) => vec![header],
            Headers::Several(headers) => headers,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DefaultsText {
    country: Option<String>,
    subject: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DatesText {
    format: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_mapping() {
        let text = "[columns]\nrecord = \"N° dossier\"\nphone = [\"Tél 1\", \"Tél 2\"]\nrestricted = \"secret\"\n\
                    [defaults]\ncountry = \"Sénégal\"\nsubject = \"personne\"\n[dates]\nformat = \"%Y%m%d\"";
        let mapping = Mapping::read(text).unwrap();
        assert_eq!(mapping.target(" n° DOSSIER"), Some(Target::Known(Column::Record)));
        assert_eq!(mapping.target("tél 2"), Some(Target::Known(Column::Phone)));
        assert_eq!(mapping.target("Secret"), Some(Target::Restricted));
        assert_eq!(mapping.target("phone"), None);
        assert_eq!(mapping.defaults.country.map(Country::code), Some("SN"));
        assert!(Mapping::read("").is_ok());
    }

    #[test]
    fn refused_mappings() {
        let refused = |text| Mapping::read(text).map(drop).unwrap_err();
        assert!(matches!(refused("columns = 3"), MappingError::Text(_)));
        assert!(matches!(refused("[other]"), MappingError::Text(_)));
        assert!(matches!(refused("[columns]\nhair = \"x\""), MappingError::UnknownColumn(name) if name == "hair"));
        assert!(matches!(refused("[columns]\nphone = \"x\"\nemail = \"X \""), MappingError::Twice(_)));
        assert!(matches!(refused("[defaults]\ncountry = \"Atlantis\""), MappingError::Country));
        assert!(matches!(refused("[defaults]\nsubject = \"cat\""), MappingError::Subject));
        assert!(matches!(refused("[dates]\nformat = \"%Y\""), MappingError::Dates(_)));
    }
}
