//! Persons: names with a birth date, in several routes that forgive different errors.
//!
//! Called by tokens.rs. The words of a record's names, whatever their order and columns, are compared two at a time, so that
//! a missing second given name does no harm; each word by its key (words.rs). Routes, each a field of the token:
//!
//! | route | made of | forgives | tier |
//! |---|---|---|---|
//! | names | all words, date | spelling, order, day and month exchanged | A |
//! | exchanged | the same of most frequent names only | it is chance too often | B |
//! | pair | two words, date; not two most frequent names of three | spelling, order, other words missing, a typing error that the table can correct | A |
//! | near | a word less a letter, another word, date | one typing error in a word that the table does not know on both sides | A |
//! | digit | three or more words, date less a digit | one wrong digit in the date | A |
//! | year | all words, year | a lost or collapsed day and month | B |
//! | day | all words, day and month | a wrong year | B |
//! | word | one word, date | any error in all other words | B |
//! | place | two words, postcode or place | a lost or wrong date | B |
//!
//! Tokens of tier B never surface an overlap by themselves, nor with each other: they are one kind.

mod equivalents;
mod orthography;
mod words;

use jiff::civil::Date;
use words::Word;

use super::{Canonical, Wiped, joined, place::Where};
use crate::{BirthDate, Column, Kind, Reason, Record, Rule, Rules, Tier, plain::plain};

/// Names of a record beyond this number are not compared: aliases times dates stays small.
const MOST_NAMES: usize = 8;
/// Birth dates of a record beyond this number are not compared.
const MOST_DATES: usize = 4;
/// Words of one name beyond this number are not paired.
const MOST_PAIRED: usize = 6;
/// A folded word of fewer letters has no neighbours: all short words would be near each other.
const SHORTEST_NEAR: usize = 4;

/// The key by which a name is compared: the keys of its words, sorted, with one space between; None if it has none.
/// For whoever measures or corrects the rules of spelling (the `names` example). It tells the name: not for logs.
pub fn name_key(text: &str, rules: &Rules) -> Option<Wiped> {
    let words = words::words(&plain(text), rules).ok()?;
    let name = Name { words, surnames: 0 };
    if name.words.is_empty() { None } else { Some(name.whole()) }
}

/// All forms of the persons that a record names. `refuse` hears of each value that was not used, or with less.
pub(super) fn forms(
    record: &Record,
    rules: &Rules,
    forms: &mut Vec<Canonical>,
    refuse: &mut dyn FnMut(Column, usize, Reason),
) {
    let names = names(record, rules, refuse);
    let dates = dates(record, rules, refuse);
    let place = if rules.on(Rule::NameAndPlace) { Where::of(record) } else { Where::default() };
    let ceiling = rules.tiers.get(&Kind::Person).copied().unwrap_or(Kind::Person.tier());
    let mut put = |route: Route, fields: [&str; 2]| {
        let text = joined([route.name(), fields[0], fields[1]]);
        forms.push(Canonical { kind: Kind::Person, tier: route.tier().max(ceiling), text });
    };
    for name in &names {
        for date in &dates {
            name.with_date(date, rules, &mut put);
        }
        for area in place.areas() {
            name.pairs(|one, other| put(Route::Place, [&sorted([&one.key, &other.key]), area]));
        }
    }
}

/// A way in which two records of one person can meet.
#[derive(Clone, Copy)]
enum Route {
    Names,
    Pair,
    Exchanged,
    Near,
    Digit,
    Year,
    Day,
    Word,
    Place,
}

impl Route {
    fn name(self) -> &'static str {
        match self {
            Route::Names => "names",
            Route::Pair => "pair",
            Route::Exchanged => "exchanged",
            Route::Near => "near",
            Route::Digit => "digit",
            Route::Year => "year",
            Route::Day => "day",
            Route::Word => "word",
            Route::Place => "place",
        }
    }

    fn tier(self) -> Tier {
        match self {
            Route::Names | Route::Pair | Route::Near | Route::Digit => Tier::A,
            Route::Exchanged | Route::Year | Route::Day | Route::Word | Route::Place => Tier::B,
        }
    }
}

/// One name of a record.
struct Name {
    /// Given names first, then surnames, where the register tells them apart.
    words: Vec<Word>,
    /// How many of the last words are surnames; 0 if that is not known.
    surnames: usize,
}

impl Name {
    fn with_date(&self, date: &BirthDate, rules: &Rules, put: &mut impl FnMut(Route, [&str; 2])) {
        let date = match date {
            BirthDate::Full(date) => *date,
            BirthDate::YearOnly(year) => {
                if rules.on(Rule::PartialDates) && self.words.len() >= 2 {
                    put(Route::Year, [&self.whole(), &year.to_string()]);
                }
                return;
            }
        };
        let day = Wiped::new(written(date, rules.on(Rule::SwappedDates)));
        let exact = Wiped::new(written(date, false));
        let too_common = self.words.iter().filter(|word| word.is_common).count() >= self.distinct();
        if self.distinct() >= 2 {
            let whole = self.whole();
            if too_common && rules.on(Rule::SwappedDates) && may_be_exchanged(date) {
                put(Route::Names, [&whole, &exact]);
                put(Route::Exchanged, [&whole, &day]);
            } else {
                put(Route::Names, [&whole, &day]);
            }
        }
        let others = self.distinct() > 2;
        self.pairs(|one, other| {
            // Two of the most frequent names, with others beside them that may differ, are too often two persons.
            if others && one.is_common && other.is_common {
                return;
            }
            put(Route::Pair, [&sorted([&one.key, &other.key]), &exact]);
            if rules.on(Rule::NameErrors) {
                for (wrong, right) in [(one, other), (other, one)] {
                    wrong.corrected(|group| put(Route::Pair, [&sorted([group, &right.key]), &exact]));
                }
            }
        });
        if rules.on(Rule::NameErrors) {
            self.neighbours(&exact, put);
        }
        if rules.on(Rule::PartialDates) {
            if self.words.len() >= 2 {
                let whole = self.whole();
                put(Route::Year, [&whole, &date.year().to_string()]);
                put(Route::Day, [&whole, &day[4..]]);
            }
            for word in &self.words {
                put(Route::Word, [&word.key, &day]);
            }
        }
        if rules.on(Rule::DateErrors) && self.distinct() >= 3 {
            let whole = self.whole();
            let digits = Wiped::new(date.strftime("%Y%m%d").to_string());
            // The century is not mistyped often enough to be worth two tokens.
            for place in 2..digits.len() {
                let less = Wiped::new([&digits[..place], "-", &digits[place + 1..]].concat());
                put(Route::Digit, [&whole, &less]);
            }
        }
    }

    /// Calls with each two words that are compared together: one of the given names and one of the surnames where the
    /// register tells them apart, else any two.
    fn pairs<'w>(&'w self, mut call: impl FnMut(&'w Word, &'w Word)) {
        let words = &self.words[..self.words.len().min(MOST_PAIRED)];
        let first_surname = self.words.len() - self.surnames;
        for (place, one) in words.iter().enumerate() {
            for (further, other) in words.iter().enumerate().skip(place + 1) {
                let apart =
                    self.surnames == 0 || first_surname == 0 || place < first_surname && further >= first_surname;
                if apart && one.key != other.key {
                    call(one, other);
                }
            }
        }
    }

    /// Words with one letter left out, beside the other word of the first pair: two unknown words that are one typing error
    /// apart share one of these. Words that the table knows are no errors.
    fn neighbours(&self, day: &str, put: &mut impl FnMut(Route, [&str; 2])) {
        let mut first = None;
        self.pairs(|one, other| {
            if first.is_none() {
                first = Some((one, other));
            }
        });
        let Some((one, other)) = first else { return };
        for (word, beside) in [(one, other), (other, one)] {
            if word.is_known || word.fold.len() < SHORTEST_NEAR {
                continue;
            }
            let mut put = |variant: &str| put(Route::Near, [&Wiped::new([variant, " ", &beside.key].concat()), day]);
            put(&word.fold);
            for variant in equivalents::with_one_letter_less(&word.fold) {
                put(&Wiped::new(variant));
            }
        }
    }

    /// All keys but titles, sorted, each once.
    fn whole(&self) -> Wiped {
        let named = self.words.iter().filter(|word| !word.is_soft).count();
        let counts = |word: &&Word| named < 2 || !word.is_soft;
        let mut keys: Vec<&str> = self.words.iter().filter(counts).map(|word| word.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        Wiped::new(keys.join(" "))
    }

    /// How many different words it has, without titles.
    fn distinct(&self) -> usize {
        self.whole().split(' ').count()
    }
}

impl Word {
    /// Calls with each group of the table that one typing error would make of this word.
    fn corrected(&self, mut call: impl FnMut(&str)) {
        if !self.is_known {
            equivalents::corrections(&self.spelled).into_iter().for_each(&mut call);
        }
    }
}

/// Two keys in order, with a space between.
fn sorted(keys: [&str; 2]) -> Wiped {
    let [one, other] = keys;
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    Wiped::new([first, " ", second].concat())
}

/// Whether the date with day and month exchanged is another date.
fn may_be_exchanged(date: Date) -> bool {
    date.day() <= 12 && date.day() != date.month()
}

/// The date, or the one of it and its exchange of day and month in which the month is not above the day: both have one form.
fn written(date: Date, exchanged: bool) -> String {
    let (day, month) = (date.day(), date.month());
    let (day, month) = if exchanged && day <= 12 && day < month { (month, day) } else { (day, month) };
    format!("{:04}-{month:02}-{day:02}", date.year())
}

fn names(record: &Record, rules: &Rules, refuse: &mut dyn FnMut(Column, usize, Reason)) -> Vec<Name> {
    let mut read = |column: Column, index: usize, text: &str| -> Vec<Word> {
        if text.trim().is_empty() {
            return Vec::new();
        }
        words::words(&plain(text), rules).unwrap_or_else(|reason| {
            refuse(column, index, reason);
            Vec::new()
        })
    };
    let mut names = Vec::new();
    let surnames = record.values(Column::Surname).count();
    let parts = surnames.max(record.values(Column::GivenNames).count());
    for index in 0..parts.min(MOST_NAMES) {
        // One cell of given names belongs to all surnames, and the other way round.
        let given = record.companion(Column::GivenNames, index);
        let mut words = read(Column::GivenNames, index, given);
        let given_count = words.len();
        words.append(&mut read(Column::Surname, index, record.companion(Column::Surname, index)));
        let surnames = words.len() - given_count;
        names.push(Name { words, surnames });
    }
    for (index, text) in record.values(Column::FullName).enumerate().take(MOST_NAMES) {
        names.push(Name { words: read(Column::FullName, index, text), surnames: 0 });
    }
    names.retain(|name| !name.words.is_empty());
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
        forms(&record, &Rules::default(), &mut out, &mut |_, _, _| {});
        out.iter().map(|form| form.text.replace('\u{1f}', "|")).collect()
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
            "DIALLO Coumba Binta",
            "Coumba Diallo",
            "Jallow, Kumba",
            "Mme Diallo Coumba-Binta",
            "Binta Jallow",
            "Comba Binta DIALLO",
        ] {
            assert!(meet(("Coumba Binta Diallo", date), (other, date)), "{other}");
        }
        assert!(meet(("Yankuba Sonko", "05/03/1987"), ("Yankuba Sonko", "03/05/1987")), "day and month exchanged");
        assert!(!meet(("Fatou Diop", date), ("Fatou Binta Diop", date)), "two most frequent names of three");
        assert!(!meet(("Fatou Diop", "05/03/1987"), ("Fatou Diop", "03/05/1987")), "the most frequent names");
        assert!(meet(("Michaela Neumann", date), ("Michala Neumann", date)), "a letter lost");
        assert!(meet(("Michaela Neumann", date), ("Michaela Neuwann", date)), "a letter wrong");
        assert!(meet(("Mamdou Diallo", date), ("Mamadou Diallo", date)), "a letter lost in a known name");
        assert!(meet(("Awa Binta Diallo", "05/03/1987"), ("Awa Binta Diallo", "06/03/1987")), "three words, a digit");
        assert!(!meet(("Awa Diallo", "05/03/1987"), ("Awa Diallo", "06/03/1987")), "two words are too common for that");
        assert!(!meet(("Awa Diallo", date), ("Awa Diop", date)));
        assert!(!meet(("Awa Diallo", date), ("Awa Diallo", "05/03/1988")));
    }

    #[test]
    fn columns_tell_given_names_from_surnames() {
        let made = made(&[
            (Column::Surname, "Diallo"),
            (Column::GivenNames, "Coumba Binta"),
            (Column::BirthDate, "1987-03-25"),
        ]);
        let names: Vec<_> = made.iter().filter(|form| form.starts_with("pair|")).collect();
        assert_eq!(names, ["pair|coumba diallo|1987-03-25", "pair|binta diallo|1987-03-25"]);
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
