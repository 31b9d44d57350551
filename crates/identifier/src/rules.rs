//! The part of the accord that this crate obeys.
//!
//! Read from and written to the accord's TOML by the client; the accord's hash covers that text, so both units of a pair
//! use the same rules (R36). Not here: what belongs to one unit's file, such as its own default country and date form
//! ([`Defaults`](crate::Defaults)).

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Canonical, Country, Kind, Reason, Tier, Token, VERSION};

/// A rule that the accord can switch off, and that the `quality` example measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// Old telephone numbers are moved to the plan in force at [`Rules::as_of`].
    NumberMigration,
    /// A long number without + is read as international if it is valid there and impossible in its own country.
    BareInternational,
    /// Documents of different classes are different; a document without a class meets each class. Off: the class is ignored.
    DocumentClass,
    /// Documents and plates without any country are used (and meet only each other). Off: they are refused.
    WithoutCountry,
    /// Internationalised domains meet their ASCII form.
    DomainAscii,
    /// Words of legal form are removed from organisations' names.
    LegalForms,
    /// Names of persons are folded over the region's orthographies. Off: accents and case only.
    NameOrthography,
    /// Titles and particles (El Hadj, Ould, Ben) are removed from names of persons.
    NameParticles,
    /// Names of the curated table of equivalents meet (Mamadou, Momodou).
    NameEquivalents,
    /// A typing error in one word of a name is forgiven.
    NameErrors,
    /// A birth date meets itself with day and month exchanged.
    SwappedDates,
    /// Names of three and more words meet over one wrong digit in the date.
    DateErrors,
    /// Names support an overlap by year, by day, and word by word.
    PartialDates,
    /// Names support an overlap by postcode or place.
    NameAndPlace,
    /// Documents support an overlap over one wrong character.
    DocumentErrors,
    /// Letters that are read for digits are digits in documents, plates and VINs (O and 0, I and 1); leading zeros of documents go.
    ReadingErrors,
    /// Dots and +tags that a mail provider reads over are read over.
    Mailboxes,
    /// A mobile-money or WhatsApp account also meets the same number in a telephone column.
    MoneyIsPhone,
    /// Victims, minors and witnesses give no token. On in every accord that is not a test.
    ProtectCategories,
    /// Who is younger than eighteen by the birth date is a minor, whatever the category says.
    ProtectByAge,
}

impl Rule {
    /// All rules.
    pub const ALL: [Rule; 20] = [
        Rule::NumberMigration,
        Rule::BareInternational,
        Rule::DocumentClass,
        Rule::WithoutCountry,
        Rule::DomainAscii,
        Rule::LegalForms,
        Rule::NameOrthography,
        Rule::NameParticles,
        Rule::NameEquivalents,
        Rule::NameErrors,
        Rule::SwappedDates,
        Rule::DateErrors,
        Rule::PartialDates,
        Rule::NameAndPlace,
        Rule::DocumentErrors,
        Rule::ReadingErrors,
        Rule::Mailboxes,
        Rule::MoneyIsPhone,
        Rule::ProtectCategories,
        Rule::ProtectByAge,
    ];

    /// The stable name, as in the accord.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::NumberMigration => "number_migration",
            Rule::BareInternational => "bare_international",
            Rule::DocumentClass => "document_class",
            Rule::WithoutCountry => "without_country",
            Rule::DomainAscii => "domain_ascii",
            Rule::LegalForms => "legal_forms",
            Rule::NameOrthography => "name_orthography",
            Rule::NameParticles => "name_particles",
            Rule::NameEquivalents => "name_equivalents",
            Rule::NameErrors => "name_errors",
            Rule::SwappedDates => "swapped_dates",
            Rule::DateErrors => "date_errors",
            Rule::PartialDates => "partial_dates",
            Rule::NameAndPlace => "name_and_place",
            Rule::DocumentErrors => "document_errors",
            Rule::ReadingErrors => "reading_errors",
            Rule::Mailboxes => "mailboxes",
            Rule::MoneyIsPhone => "money_is_phone",
            Rule::ProtectCategories => "protect_categories",
            Rule::ProtectByAge => "protect_by_age",
        }
    }
}

/// A value too common to mean anything: a hotline, an agency's mailbox, a test document. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denied {
    /// Its kind.
    pub kind: Kind,
    /// The value, in any form that the kind reads.
    pub value: String,
    /// The country of a national number, document, plate or registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
}

/// Normalisation and surfacing as the units agreed on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Rules {
    /// The day whose numbering plans are in force, and after which nobody was born. It moves with the accord.
    pub as_of: Date,
    /// The country of what names none, where the record's [`Defaults`](crate::Defaults) give none either.
    pub default_country: Option<Country>,
    /// How many different kinds of tier B surface an overlap without a tier A (R19); at least 1.
    pub enough_b: u8,
    /// The most tokens of one record; at least 1.
    pub most_tokens: u16,
    /// Rules that are switched off.
    pub off: BTreeSet<Rule>,
    /// Kinds that are not compared at all.
    pub kinds_off: BTreeSet<Kind>,
    /// Tiers that differ from [`Kind::tier`]. No token of the kind is of a better one.
    pub tiers: BTreeMap<Kind, Tier>,
    denied: Vec<Denied>,
    denied_tokens: HashSet<Vec<u8>>,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            as_of: jiff::civil::date(2026, 1, 1),
            default_country: None,
            enough_b: 2,
            most_tokens: 60,
            off: BTreeSet::new(),
            kinds_off: BTreeSet::new(),
            tiers: BTreeMap::new(),
            denied: Vec::new(),
            denied_tokens: HashSet::new(),
        }
    }
}

impl Rules {
    /// Reads the accord's TOML text. Missing keys take their defaults; unknown keys are refused.
    ///
    /// # Errors
    /// [`RulesError`]: of another [`VERSION`], not TOML of this shape, or a denied value that its kind cannot read.
    pub fn from_toml(text: &str) -> Result<Rules, RulesError> {
        // The version first: the text of a newer version may have keys that this one does not know.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let found: Version = toml::from_str(text).map_err(|error| RulesError::Text(error.to_string()))?;
        if found.version != VERSION {
            return Err(RulesError::Version { found: found.version });
        }
        let text: Text = toml::from_str(text).map_err(|error| RulesError::Text(error.to_string()))?;
        text.try_into()
    }

    /// Writes the accord's TOML text: the same rules give the same bytes.
    ///
    /// # Errors
    /// [`RulesError::Text`] if TOML cannot hold them, which no value of this type causes.
    pub fn to_toml(&self) -> Result<String, RulesError> {
        toml::to_string(&Text::from(self.clone())).map_err(|error| RulesError::Text(error.to_string()))
    }

    /// The list of values too common to mean anything.
    pub fn denied(&self) -> &[Denied] {
        &self.denied
    }

    /// The same rules with another such list, read under the other fields as they are now.
    ///
    /// # Errors
    /// [`RulesError::Denied`] for a value that its kind cannot read.
    pub fn with_denied(mut self, denied: Vec<Denied>) -> Result<Rules, RulesError> {
        self.denied_tokens = HashSet::new();
        let mut compiled = HashSet::new();
        for (place, entry) in denied.iter().enumerate() {
            let mut forms = Vec::new();
            Canonical::of_denied(entry, &self, &mut forms)
                .map_err(|reason| RulesError::Denied { place: place + 1, reason })?;
            compiled.extend(forms.into_iter().map(|canonical| Token::new(canonical).expose_secret().to_vec()));
        }
        self.denied = denied;
        self.denied_tokens = compiled;
        Ok(self)
    }

    /// Whether a rule is on.
    pub fn on(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// Whether a kind is compared.
    pub fn compares(&self, kind: Kind) -> bool {
        !self.kinds_off.contains(&kind)
    }

    pub(crate) fn denies(&self, token: &Token) -> bool {
        !self.denied_tokens.is_empty() && self.denied_tokens.contains(token.expose_secret())
    }
}

/// The TOML shape of [`Rules`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    #[serde(default = "default_as_of")]
    as_of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_country: Option<Country>,
    #[serde(default = "default_enough_b")]
    enough_b: u8,
    #[serde(default = "default_most_tokens")]
    most_tokens: u16,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    off: BTreeSet<Rule>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    kinds_off: BTreeSet<Kind>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tiers: BTreeMap<Kind, Tier>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    denied: Vec<Denied>,
}

fn default_as_of() -> String {
    Rules::default().as_of.to_string()
}

fn default_enough_b() -> u8 {
    Rules::default().enough_b
}

fn default_most_tokens() -> u16 {
    Rules::default().most_tokens
}

impl From<Rules> for Text {
    fn from(rules: Rules) -> Text {
        Text {
            version: VERSION,
            as_of: rules.as_of.to_string(),
            default_country: rules.default_country,
            enough_b: rules.enough_b,
            most_tokens: rules.most_tokens,
            off: rules.off,
            kinds_off: rules.kinds_off,
            tiers: rules.tiers,
            denied: rules.denied,
        }
    }
}

impl TryFrom<Text> for Rules {
    type Error = RulesError;
    fn try_from(text: Text) -> Result<Rules, RulesError> {
        if text.version != VERSION {
            return Err(RulesError::Version { found: text.version });
        }
        if text.enough_b == 0 || text.most_tokens == 0 {
            return Err(RulesError::Threshold);
        }
        Rules {
            as_of: text.as_of.parse().map_err(|_| RulesError::AsOf)?,
            default_country: text.default_country,
            enough_b: text.enough_b,
            most_tokens: text.most_tokens,
            off: text.off,
            kinds_off: text.kinds_off,
            tiers: text.tiers,
            ..Rules::default()
        }
        .with_denied(text.denied)
    }
}

/// Rules that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// Made for another normalisation version (R36).
    #[error(
        "the accord uses normalisation version {found}, this program has version {VERSION}: update the older of the two"
    )]
    Version {
        /// The version that the text names.
        found: u32,
    },
    /// Not the TOML of rules.
    #[error("not the rules of an accord: {0}")]
    Text(String),
    /// `as_of` is no ISO date.
    #[error("as_of is not a date of the form YYYY-MM-DD")]
    AsOf,
    /// `enough_b` is 0, which would surface everything, or `most_tokens`, which would compare nothing.
    #[error("enough_b and most_tokens must be at least 1")]
    Threshold,
    /// A denied value that its kind cannot read.
    #[error("entry {place} of the denied values: {reason}")]
    Denied {
        /// Its place in the list, from 1.
        place: usize,
        /// Why.
        reason: Reason,
    },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_round_trip_is_stable() {
        let text = r#"
version = 3
as_of = "2026-06-30"
default_country = "Sénégal"
enough_b = 3
off = ["legal_forms", "bare_international"]
kinds_off = ["vessel_name"]

[tiers]
social = "B"

[[denied]]
kind = "phone"
value = "800 00 11 22"
country = "SN"

[[denied]]
kind = "email"
value = "Contact@Example.org"
"#;
        let rules = Rules::from_toml(text).map_err(|error| error.to_string()).expect("readable rules");
        assert_eq!(rules.default_country.map(Country::code), Some("SN"));
        assert_eq!(rules.denied().len(), 2);
        assert!(!rules.on(Rule::LegalForms) && rules.on(Rule::NameParticles));
        assert!(!rules.compares(Kind::VesselName));
        let written = rules.to_toml().expect("writable rules");
        assert_eq!(Rules::from_toml(&written), Ok(rules.clone()));
        assert_eq!(Rules::from_toml(&written).and_then(|rules| rules.to_toml()), Ok(written));
        let json = serde_json::to_string(&rules).expect("serialisable");
        assert_eq!(serde_json::from_str::<Rules>(&json).ok(), Some(rules));
    }

    #[test]
    fn the_smallest_text_is_the_default() {
        assert_eq!(Rules::from_toml("version = 3"), Ok(Rules::default()));
    }

    #[test]
    fn r36_another_version_is_an_error() {
        assert_eq!(Rules::from_toml("version = 1\nnew_key = true"), Err(RulesError::Version { found: 1 }));
    }

    #[test]
    fn refused_texts() {
        assert!(matches!(Rules::from_toml(""), Err(RulesError::Text(_))));
        assert!(matches!(Rules::from_toml("version = 3\nunknown = 1"), Err(RulesError::Text(_))));
        assert_eq!(Rules::from_toml("version = 3\nas_of = \"soon\""), Err(RulesError::AsOf));
        assert_eq!(Rules::from_toml("version = 3\nenough_b = 0"), Err(RulesError::Threshold));
        let denied = "version = 3\n[[denied]]\nkind = \"phone\"\nvalue = \"12\"";
        assert!(matches!(Rules::from_toml(denied), Err(RulesError::Denied { place: 1, .. })));
    }

    #[test]
    fn rule_names_are_those_of_the_accord() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).ok(), Some(serde_json::Value::from(rule.name())));
        }
    }
}
