//! One name with a birth date or an area: the routes by which it can meet another spelling of itself.
//!
//! Called by person.rs. Words are compared by their keys (words.rs), whatever their order. Each route is a field of the token:
//!
//! | route | made of | forgives | tier |
//! |---|---|---|---|
//! | names | all words, date | spelling, order, day and month exchanged; a typing error that the table can correct; a pet form | A |
//! | exchanged | the same of most frequent names only | it is chance too often | B |
//! | pair | two words, date; of three words and more, two that are not too frequent | other words missing | A |
//! | near | all words, one of them less a letter, date | one typing error in a word that the table does not know on both sides | A |
//! | digit | three or more words, not too frequent, date less a digit | one wrong digit in the date | A |
//! | year | all words, year | a lost or collapsed day and month | B |
//! | day | all words, day and month | a wrong year | B |
//! | word | one word, date | any error in all other words | B |
//! | place | two words, postcode or place | a lost or wrong date | B |
//!
//! Tokens of tier B never surface an overlap by themselves, nor with each other: they are one kind.
//!
//! **Bits.** What a route may forgive depends on what is left: the words that meet are worth some bits each, by how frequent they are
//! ([`Rarity::bits`](super::equivalents::Rarity::bits)), and each route wants a sum. Both sides know the sum from their own record
//! alone, because it is a function of what stands in the token. The sums were chosen on invented registers (docs/IDENTIFIERS.md).

use jiff::civil::Date;

use super::{equivalents, words::Word};
use crate::{BirthDate, Rule, Rules, Tier, canonical::Wiped};

/// Words of one name beyond this number are not paired.
const MOST_PAIRED: usize = 6;
/// Words of one name beyond this number are not forgiven a typing error.
const MOST_NEAR: usize = 3;
/// A folded word of fewer letters has no neighbours: all short words would be near each other.
const SHORTEST_NEAR: usize = 4;

/// What all words must be worth together where day and month may be exchanged: more than two most frequent names.
const EXCHANGED_BITS: u32 = 12;
/// What two words of three must be worth: not a most frequent name beside a frequent one.
const PART_BITS: u32 = 15;
/// What all words must be worth where one of them is another group's by correction or kin.
const OTHER_GROUP_BITS: u32 = 13;
/// What all words must be worth where a digit of the date may be wrong.
const DIGIT_BITS: u32 = 24;

/// A way in which two records of one person can meet.
#[derive(Clone, Copy)]
pub(super) enum Route {
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
    pub(super) fn name(self) -> &'static str {
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

    pub(super) fn tier(self) -> Tier {
        match self {
            Route::Names | Route::Pair | Route::Near | Route::Digit => Tier::A,
            Route::Exchanged | Route::Year | Route::Day | Route::Word | Route::Place => Tier::B,
        }
    }
}

/// One name of a record; it has at least one word.
pub(super) struct Name {
    /// Given names first, then surnames, where that is known.
    words: Vec<Word>,
    /// How many of the last words are surnames; 0 if that is not known.
    surnames: usize,
    /// All keys but titles, sorted, each once, with a space between.
    pub(super) whole: Wiped,
    /// How many keys are in it.
    parts: usize,
    /// What they are worth together.
    bits: u32,
}

impl Name {
    /// A name of columns that tell surnames apart, which stand last; or of none, with no surnames.
    pub(super) fn new(words: Vec<Word>, surnames: usize) -> Name {
        let named = words.iter().filter(|word| !word.is_soft).count();
        let mut counted: Vec<&Word> = words.iter().filter(|word| named < 2 || !word.is_soft).collect();
        counted.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        counted.dedup_by(|one, other| one.key == other.key);
        let whole = all_of(counted.iter().map(|word| word.key.as_str()));
        let (parts, bits) = (counted.len(), counted.iter().map(|word| word.bits).sum());
        Name { words, surnames, whole, parts, bits }
    }

    /// A name in one cell. Of three words and more, the first or last is the surname if it is the only one that the table has among
    /// the surnames, and all others are given names there.
    pub(super) fn in_one_cell(mut words: Vec<Word>) -> Name {
        let is_surname = |word: &Word| word.is_surname == Some(true);
        let all_known = words.iter().all(|word| word.is_surname.is_some());
        let mut surnames = 0;
        if words.len() > 2 && all_known && words.iter().filter(|word| is_surname(word)).count() == 1 {
            if words.first().is_some_and(is_surname) {
                words.rotate_left(1);
            }
            surnames = usize::from(words.last().is_some_and(is_surname));
        }
        Name::new(words, surnames)
    }

    /// All routes that have a date.
    pub(super) fn with_date(&self, date: &BirthDate, rules: &Rules, put: &mut impl FnMut(Route, [&str; 2])) {
        let date = match date {
            BirthDate::Full(date) => *date,
            BirthDate::YearOnly(year) => {
                if rules.on(Rule::PartialDates) && self.words.len() >= 2 {
                    put(Route::Year, [&self.whole, &year.to_string()]);
                }
                return;
            }
        };
        let at = Day::of(date, rules);
        if self.parts >= 2 {
            at.whole(&self.whole, self.bits, put);
            if rules.on(Rule::NameErrors) {
                self.others(|whole, bits| at.whole(whole, bits, put));
                self.neighbours(&at.exact, put);
            }
        }
        self.pairs(|one, other| {
            if self.parts == 2 || one.bits + other.bits >= PART_BITS {
                put(Route::Pair, [&sorted([&one.key, &other.key]), &at.exact]);
            }
        });
        if rules.on(Rule::PartialDates) {
            if self.words.len() >= 2 {
                put(Route::Year, [&self.whole, &date.year().to_string()]);
                put(Route::Day, [&self.whole, &at.either[4..]]);
            }
            for word in &self.words {
                put(Route::Word, [&word.key, &at.either]);
            }
        }
        if rules.on(Rule::DateErrors) && self.parts >= 3 && self.bits >= DIGIT_BITS {
            let digits = Wiped::new(date.strftime("%Y%m%d").to_string());
            // The century is not mistyped often enough to be worth two tokens.
            for place in 2..digits.len() {
                let less = Wiped::new([&digits[..place], "-", &digits[place + 1..]].concat());
                put(Route::Digit, [&self.whole, &less]);
            }
        }
    }

    /// The route that has an area and no date.
    pub(super) fn with_area(&self, area: &str, put: &mut impl FnMut(Route, [&str; 2])) {
        self.pairs(|one, other| put(Route::Place, [&sorted([&one.key, &other.key]), area]));
    }

    /// Calls with each two words that are compared together: one of the given names and one of the surnames where they are told
    /// apart, else any two.
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

    /// Calls with the whole name, one of its words put in another group: the group that a typing error hides, or that the word is
    /// also put for.
    fn others(&self, mut call: impl FnMut(&str, u32)) {
        for word in &self.words {
            let (corrected, kin) = match &word.unknown {
                Some(unknown) => (unknown.spelled.as_ref().map(|word| equivalents::corrections(word)), None),
                None => (None, equivalents::kin(&word.key)),
            };
            for group in corrected.into_iter().flatten().chain(kin).filter(|group| group.key != word.key.as_str()) {
                let bits = (self.bits + group.rarity.bits()).saturating_sub(word.bits);
                if bits >= OTHER_GROUP_BITS {
                    call(&self.with(word, group.key), bits);
                }
            }
        }
    }

    /// Calls with the whole name, one of its words less a letter: two unknown words that are one typing error apart share one of
    /// these. Words that the table knows are no errors.
    fn neighbours(&self, day: &str, put: &mut impl FnMut(Route, [&str; 2])) {
        let open = self.words.iter().filter_map(|word| Some((word, &word.unknown.as_ref()?.fold)));
        for (word, fold) in open.filter(|(_, fold)| fold.len() >= SHORTEST_NEAR).take(MOST_NEAR) {
            let rest = self.with(word, "");
            let mut beside = Wiped::new(String::with_capacity(fold.len() + 1 + rest.len()));
            let mut put = |variant: &str| {
                beside.clear();
                beside.extend([variant, " ", &rest]);
                put(Route::Near, [&beside, day]);
            };
            put(fold);
            equivalents::with_one_letter_less(fold, put);
        }
    }

    /// The whole with another key in place of a word's, in order, each once; with none if the key is empty.
    fn with(&self, word: &Word, key: &str) -> Wiped {
        let rest = self.whole.split(' ').filter(|part| *part != word.key.as_str());
        let mut keys: Vec<&str> = rest.chain((!key.is_empty()).then_some(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        all_of(keys.into_iter())
    }
}

/// A full date as it stands in tokens.
struct Day {
    exact: Wiped,
    /// With day and month in either order, if the accord forgives that.
    either: Wiped,
    may_be_exchanged: bool,
}

impl Day {
    fn of(date: Date, rules: &Rules) -> Day {
        let (day, month) = (date.day(), date.month());
        let written = |day: i8, month: i8| Wiped::new(format!("{:04}-{month:02}-{day:02}", date.year()));
        let exact = written(day, month);
        // Both orders have the one form in which the month is not above the day.
        let exchanged = rules.on(Rule::SwappedDates) && day < month;
        let either = if exchanged { written(month, day) } else { exact.clone() };
        let may_be_exchanged = rules.on(Rule::SwappedDates) && day <= 12 && day != month;
        Day { exact, either, may_be_exchanged }
    }

    /// The whole name with the date; names that are too frequent with the exact one only.
    fn whole(&self, whole: &str, bits: u32, put: &mut impl FnMut(Route, [&str; 2])) {
        if bits >= EXCHANGED_BITS || !self.may_be_exchanged {
            put(Route::Names, [whole, &self.either]);
        } else {
            put(Route::Names, [whole, &self.exact]);
            put(Route::Exchanged, [whole, &self.either]);
        }
    }
}

/// Keys with one space between.
fn all_of<'k>(keys: impl Iterator<Item = &'k str>) -> Wiped {
    let mut all = Wiped::new(String::with_capacity(48));
    for key in keys {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(key);
    }
    all
}

/// Two keys in order, with a space between.
fn sorted(keys: [&str; 2]) -> Wiped {
    let [one, other] = keys;
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    Wiped::new([first, " ", second].concat())
}
