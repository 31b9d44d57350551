//! Countries: two-letter codes, and what registers write instead of them.
//!
//! Used for issuing countries, plates and the default country of phones. The table (country/table.tsv) holds ISO 3166-1
//! alpha-2, alpha-3 and folded names in English, French, Portuguese and Spanish, derived from Unicode CLDR 47
//! (Unicode-3.0 licence) with names added by hand. Not here: calling codes, which come with the numbering plans.

use std::{collections::HashMap, fmt, str::FromStr, sync::OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::plain;

const TABLE: &str = include_str!("country/table.tsv");

/// A country by its ISO 3166-1 alpha-2 code (and XK for Kosovo).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Reads a country as registers write it: `SN`, `sen`, `Sénégal`, `SENEGAL`. None if the table has no such name.
    pub fn read(text: &str) -> Option<Country> {
        static NAMES: OnceLock<HashMap<&'static str, Country>> = OnceLock::new();
        let names = NAMES.get_or_init(|| {
            let mut names = HashMap::new();
            for line in TABLE.lines() {
                let mut parts = line.split('\t');
                let (Some(two), Some(three), Some(others)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                for name in [two, three].into_iter().chain(others.split(' ')).filter(|name| !name.is_empty()) {
                    names.entry(name).or_insert(Country(two));
                }
            }
            names
        });
        let folded = plain::latin_letters_and_digits(text);
        // Codes stand alone: N/A is not Namibia.
        if folded.len() <= 3
            && text.trim().chars().all(char::is_alphabetic)
            && let Some(found) = names.get(folded.to_ascii_uppercase().as_str())
        {
            return Some(*found);
        }
        names.get(folded.as_str()).copied()
    }

    /// The two letters, upper case.
    pub fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The text names no country that the table knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a country code or name that is known here")]
pub struct NotACountry;

impl FromStr for Country {
    type Err = NotACountry;
    fn from_str(text: &str) -> Result<Country, NotACountry> {
        Country::read(text).ok_or(NotACountry)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Country, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_names() {
        for (text, code) in [
            ("SN", "SN"),
            (" sn ", "SN"),
            ("SEN", "SN"),
            ("Sénégal", "SN"),
            ("SENEGAL", "SN"),
            ("Côte d’Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Guinée", "GN"),
            ("Guinea-Bissau", "GW"),
            ("Guinée équatoriale", "GQ"),
            ("The Gambia", "GM"),
            ("Mauritanie", "MR"),
            ("Mali", "ML"),
            ("Niger", "NE"),
            ("Nigeria", "NG"),
            ("États-Unis", "US"),
            ("USA", "US"),
            ("uk", "GB"),
            ("RDC", "CD"),
            ("Cabo Verde", "CV"),
        ] {
            assert_eq!(Country::read(text).map(Country::code), Some(code), "{text}");
        }
        for text in ["", "Atlantis", "ZZ", "12", "N/A", "n.a."] {
            assert_eq!(Country::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_is_whole() {
        assert_eq!(TABLE.lines().count(), 250);
        for line in TABLE.lines() {
            let code = line.split('\t').next().unwrap_or_default();
            assert_eq!(Country::read(code).map(Country::code), Some(code));
        }
    }
}
