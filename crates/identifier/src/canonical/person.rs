//! Persons: folded names with a full birth date.
//!
//! The names of a record are taken as one bag of words, so that order and the border between surname and given names do not
//! matter. Each word is folded over the spellings of the region by a few general rules. This is the first version: tables of
//! equivalents, several keys and typing errors come with the next one (docs/IDENTIFIERS.md).

mod orthography;

use super::Wiped;
use crate::{BirthDate, DateFormat, Reason, Rule, Rules, plain::latin_words};

/// Titles and particles that come and go before a name. Sorted.
const PARTICLES: [&str; 25] = [
    "adja", "al", "alhaji", "alhajj", "ben", "bin", "bint", "dr", "el", "eladji", "elhadj", "elhadji", "elhaj", "hadj",
    "hadja", "hadji", "haji", "mint", "mlle", "mme", "mr", "mrs", "ms", "ould", "wuld",
];

/// The folded words of all parts, sorted, with one space between. Needs two words: one alone is no name to compare.
pub(super) fn names(parts: &[&str], rules: &Rules) -> Result<Wiped, Reason> {
    if parts.iter().any(|part| is_unknown(part)) {
        return Err(Reason::Placeholder);
    }
    let mut words = Vec::new();
    for part in parts {
        words.extend(latin_words(part).ok_or(Reason::OtherScript)?);
    }
    if words.len() > MOST_WORDS {
        return Err(Reason::TooLong);
    }
    if rules.on(Rule::NameParticles) {
        let named = words.iter().filter(|word| !PARTICLES.contains(&word.as_str())).count();
        // A person called Ben Ali keeps both words.
        if named >= 2 {
            words.retain(|word| !PARTICLES.contains(&word.as_str()));
        }
    }
    if rules.on(Rule::NameOrthography) {
        for word in &mut words {
            *word = orthography::folded(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    words.dedup_by(|a, b| a.as_str() == b.as_str());
    if words.len() < 2 {
        return Err(Reason::TooShort);
    }
    let mut joined = Wiped::new(String::with_capacity(words.iter().map(|word| word.len() + 1).sum()));
    for (place, word) in words.iter().enumerate() {
        if place > 0 {
            joined.push(' ');
        }
        joined.push_str(word);
    }
    Ok(joined)
}

/// More words than any name has.
const MOST_WORDS: usize = 16;

/// The ISO form of a full birth date.
pub(super) fn birth(date: &str, form: Option<&DateFormat>, rules: &Rules) -> Result<Wiped, Reason> {
    if crate::plain::is_placeholder(date) {
        return Err(Reason::Placeholder);
    }
    match BirthDate::read(date, form, rules.as_of)? {
        BirthDate::Full(date) => Ok(Wiped::new(date.to_string())),
        BirthDate::YearOnly(_) => Err(Reason::DateNotFull),
    }
}

/// Words for an unknown name. Not the general list of placeholders: So, Na and Sans are names.
fn is_unknown(text: &str) -> bool {
    let folded = crate::plain::latin_letters_and_digits(text);
    matches!(
        folded.as_str(),
        "inconnu"
            | "inconnue"
            | "unknown"
            | "unk"
            | "desconhecido"
            | "desconocido"
            | "nonidentifie"
            | "nonrenseigne"
            | "neant"
            | "x"
            | "xx"
            | "xxx"
    ) || matches!(text.to_ascii_lowercase().as_str(), "n/a" | "n/d" | "null" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&str]) -> Result<String, Reason> {
        names(parts, &Rules::default()).map(|text| text.to_string())
    }

    #[test]
    fn order_borders_accents_and_particles_do_not_matter() {
        let name = read(&["DIALLO", "Aminata Binta"]);
        assert!(name.is_ok());
        for parts in [
            &["Diallo", "Aminata Binta"][..],
            &["Aminata Binta Diallo", ""],
            &["Aminata-Binta DIALLO"],
            &["Mme Diallo, Aminata Binta"],
            &["Jallow", "Aminata Binta"],
            &["Diálló", "Binta Aminata"],
        ] {
            assert_eq!(read(parts), name, "{parts:?}");
        }
        assert_ne!(read(&["Diallo", "Aminata"]), name);
        assert_eq!(read(&["Ahmed Ould Sidi"]), read(&["Sidi", "Ahmed"]));
    }

    #[test]
    fn what_is_not_compared() {
        for (parts, reason) in [
            (&["Diallo", ""][..], Reason::TooShort),
            (&["inconnu", "Awa"], Reason::Placeholder),
            (&["محمد", "ولد"], Reason::OtherScript),
            (&["Diallo Diallo"], Reason::TooShort),
        ] {
            assert_eq!(read(parts), Err(reason), "{parts:?}");
        }
        assert_eq!(read(&[&"a b ".repeat(20)]), Err(Reason::TooLong));
        assert_eq!(read(&["So", "Na"]).as_deref(), Ok("na so"));
    }

    #[test]
    fn only_full_dates() {
        let rules = Rules::default();
        assert_eq!(birth("05/03/1987", None, &rules).map(|t| t.to_string()).as_deref(), Ok("1987-03-05"));
        assert_eq!(birth("01/01/1987", None, &rules).err(), Some(Reason::DateNotFull));
        assert_eq!(birth("1987", None, &rules).err(), Some(Reason::DateNotFull));
        assert_eq!(birth("?", None, &rules).err(), Some(Reason::Placeholder));
    }
}
