//! Persons: the names, birth dates and area of a record.
//!
//! Called by tokens.rs. Here the columns are read; what two records can meet in is in person/name.rs, the words of a name and their
//! keys in person/words.rs.

mod coarse;
mod equivalents;
mod name;
mod orthography;
mod words;

use name::{Name, Route};

use super::{Canonical, Wiped, place::Where};
use crate::{BirthDate, Column, Kind, Reason, Record, Rule, Rules, plain::plain};

/// Names of a record beyond this number are not compared: aliases times dates stays small.
const MOST_NAMES: usize = 8;
/// Birth dates of a record beyond this number are not compared.
const MOST_DATES: usize = 4;
/// The key by which a name is compared: the keys of its words, sorted, with one space between; None if it has none.
/// For whoever measures or corrects the rules of spelling (the `names` example). It tells the name: not for logs.
pub fn name_key(text: &str, rules: &Rules) -> Option<Wiped> {
    let words = words::keyed_alone(words::spelled(&plain(text), rules).ok()?, rules);
    if words.is_empty() { None } else { Some(Name::new(words, 0).whole) }
}

/// All forms of the persons that a record names. `refuse` hears of each value that was not used, or with less.
pub(super) fn forms(
    record: &Record,
    at: &Where,
    rules: &Rules,
    forms: &mut Vec<Canonical>,
    refuse: &mut dyn FnMut(Column, usize, Reason),
) {
    let names = names(record, rules, refuse);
    let dates = dates(record, rules, refuse);
    let ceiling = rules.tiers.get(&Kind::Person).copied().unwrap_or(Kind::Person.tier());
    let mut put = |route: Route, fields: [&str; 2]| {
        let fields = [route.name(), fields[0], fields[1]];
        forms.push(Canonical::new(Kind::Person, route.tier().max(ceiling), &fields));
    };
    for name in &names {
        for date in &dates {
            name.with_date(date, rules, &mut put);
        }
        if rules.on(Rule::NameAndPlace) {
            at.areas().for_each(|area| name.with_area(area, &mut put));
        }
    }
}

fn names(record: &Record, rules: &Rules, refuse: &mut dyn FnMut(Column, usize, Reason)) -> Vec<Name> {
    let mut read = |column: Column, index: usize, text: &str| -> Vec<Wiped> {
        if text.trim().is_empty() {
            return Vec::new();
        }
        words::spelled(&plain(text), rules).unwrap_or_else(|reason| {
            refuse(column, index, reason);
            Vec::new()
        })
    };
    let mut names = Vec::new();
    let surnames = record.values(Column::Surname).count();
    let parts = surnames.max(record.values(Column::GivenNames).count());
    for index in 0..parts.min(MOST_NAMES) {
        // One cell of given names belongs to all surnames, and the other way round.
        let given = read(Column::GivenNames, index, record.companion(Column::GivenNames, index));
        let surname = read(Column::Surname, index, record.companion(Column::Surname, index));
        let (words, surnames) = words::keyed(given, surname, rules);
        names.extend((!words.is_empty()).then(|| Name::new(words, surnames)));
    }
    for (index, text) in record.values(Column::FullName).enumerate().take(MOST_NAMES) {
        let (words, _) = words::keyed(read(Column::FullName, index, text), Vec::new(), rules);
        names.extend((!words.is_empty()).then(|| Name::in_one_cell(words)));
    }
    names
}

fn dates(record: &Record, rules: &Rules, refuse: &mut dyn FnMut(Column, usize, Reason)) -> Vec<BirthDate> {
    let mut dates = Vec::new();
    for (index, text) in record.values(Column::BirthDate).enumerate().take(MOST_DATES) {
        if text.trim().is_empty() {
            continue;
        }
        match birth(text, record, rules) {
            Ok(date) => {
                if matches!(date, BirthDate::YearOnly(_)) {
                    refuse(Column::BirthDate, index, Reason::DateNotFull);
                }
                dates.push(date);
            }
            Err(reason) => refuse(Column::BirthDate, index, reason),
        }
    }
    dates
}

fn birth(text: &str, record: &Record, rules: &Rules) -> Result<BirthDate, Reason> {
    let text = plain(text);
    if crate::plain::is_placeholder(&text) {
        return Err(Reason::Placeholder);
    }
    BirthDate::read(&text, record.defaults.dates.as_ref(), rules.as_of)
}

/// Whether a birth date of the record makes its subject younger than eighteen at the accord's date; the doubt of a year alone is
/// in favour of the person.
pub(super) fn minor(record: &Record, rules: &Rules) -> Option<usize> {
    let young = |date: BirthDate| match date {
        BirthDate::Full(date) => {
            let age = rules.as_of.year() - date.year();
            age < 18 || age == 18 && (rules.as_of.month(), rules.as_of.day()) < (date.month(), date.day())
        }
        BirthDate::YearOnly(year) => rules.as_of.year() - year <= 18,
    };
    let values = record.values(Column::BirthDate).enumerate();
    values
        .filter_map(|(index, text)| Some((index, birth(text, record, rules).ok()?)))
        .find(|(_, date)| young(*date))
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Defaults;

    fn made(cells: &[(Column, &str)]) -> Vec<String> {
        let mut out = Vec::new();
        let record = Record::from_cells(cells, &Defaults::default());
        forms(&record, &Where::of(&record), &Rules::default(), &mut out, &mut |_, _, _| {});
        out.iter().map(|form| form.text().replace('\u{1f}', "|")).collect()
    }

    fn full(name: &str, date: &str) -> Vec<String> {
        made(&[(Column::FullName, name), (Column::BirthDate, date)])
    }

    /// Whether two names with the same date meet in tier A.
    fn meet(one: (&str, &str), other: (&str, &str)) -> bool {
        let strong = |made: Vec<String>| -> Vec<String> {
            made.into_iter()
                .filter(|form| ["names|", "pair|", "near|", "digit|"].iter().any(|r| form.starts_with(r)))
                .collect()
        };
        let other = strong(full(other.0, other.1));
        strong(full(one.0, one.1)).iter().any(|form| other.contains(form))
    }

    #[test]
    fn one_person_however_written() {
        let date = "05/03/1987";
        for other in [
            "MBALLO Coumba Binta",
            "Coumba Mballo",
            "Embaló, Kumba",
            "Mme Mballo Coumba-Binta",
            "Binta Mballo",
            "Comba Binta MBALLO",
        ] {
            assert!(meet(("Coumba Binta Mballo", date), (other, date)), "{other}");
        }
        assert!(meet(("Yankuba Sonko", "05/03/1987"), ("Yankuba Sonko", "03/05/1987")), "day and month exchanged");
        assert!(!meet(("Fatou Diop", date), ("Fatou Binta Diop", date)), "two most frequent names of three");
        assert!(!meet(("Fatou Mballo", date), ("Fatou Binta Mballo", date)), "a most frequent name and a frequent one");
        assert!(
            meet(("Modou Mballo", date), ("Mamadou Mballo", date)),
            "a pet form beside a name that is not most frequent"
        );
        assert!(!meet(("Modou Diop", date), ("Mamadou Diop", date)), "a pet form beside a most frequent name");
        assert!(meet(("Imam Yankuba Sonko", date), ("Yankuba Sonko", date)), "a title");
        assert!(!meet(("Fatou Diop", "05/03/1987"), ("Fatou Diop", "03/05/1987")), "the most frequent names");
        assert!(meet(("Michaela Neumann", date), ("Michala Neumann", date)), "a letter lost");
        assert!(meet(("Michaela Neumann", date), ("Michaela Neuwann", date)), "a letter wrong");
        assert!(meet(("Mamdou Diallo", date), ("Mamadou Diallo", date)), "a letter lost in a known name");
        assert!(meet(("Nyima Binta Mballo", date), ("Nyima Binta Mballo", "06/03/1987")), "three words, a digit");
        assert!(!meet(("Awa Binta Diallo", date), ("Awa Binta Diallo", "06/03/1987")), "three frequent words, a digit");
        assert!(!meet(("Awa Diallo", "05/03/1987"), ("Awa Diallo", "06/03/1987")), "two words are too common for that");
        assert!(!meet(("Awa Diallo", date), ("Awa Diop", date)));
        assert!(!meet(("Awa Diallo", date), ("Awa Diallo", "05/03/1988")));
    }

    #[test]
    fn columns_tell_given_names_from_surnames() {
        let made = made(&[
            (Column::Surname, "Diallo"),
            (Column::GivenNames, "Coumba Nyima"),
            (Column::BirthDate, "1987-03-25"),
        ]);
        let names = |made: &[String]| -> Vec<String> {
            made.iter().filter(|form| form.starts_with("pair|")).cloned().collect()
        };
        assert_eq!(names(&made), ["pair|diallo gnima|1987-03-25"], "Coumba and Diallo are too frequent");
        assert_eq!(names(&full("Camara Coumba Nyima", "1987-03-25")), ["pair|camara gnima|1987-03-25"]);
    }

    #[test]
    fn a_year_alone_only_supports() {
        assert_eq!(full("Awa Diallo", "01/01/1987"), ["year|awa diallo|1987"]);
        assert_eq!(full("Awa Diallo", "1987"), ["year|awa diallo|1987"]);
        assert!(full("Awa Diallo", "?").is_empty());
    }

    #[test]
    fn minors_by_their_birth_date() {
        let rules = Rules::default();
        let young = |date: &str| {
            minor(&Record::from_cells(&[(Column::BirthDate, date)], &Defaults::default()), &rules).is_some()
        };
        for (date, expect) in [
            ("2008-01-02", true),
            ("2007-12-31", false),
            ("2008-01-01", true),
            ("2008", true),
            ("2007", false),
            ("1990|2015-05-05", true),
            ("?", false),
        ] {
            assert_eq!(young(date), expect, "{date}");
        }
    }
}
