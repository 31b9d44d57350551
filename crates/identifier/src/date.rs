//! Birth dates as registers write them.
//!
//! Used by canonical/person.rs. A date is full only when the day is known: a year alone, or 1 January of any year, which
//! offices write when nobody knows the day, is not. No clock here: the accord's date is an argument.

use std::fmt;

use jiff::civil::Date;

use zeroize::Zeroizing;

use crate::{Reason, plain::latin_letters_and_digits};

/// A form of dates that a mapping names, in strptime's words (`%Y%m%d`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat(String);

impl DateFormat {
    /// Accepts a strptime form of at most 64 bytes that can write a day, a month and a year and read them again.
    ///
    /// # Errors
    /// [`DateFormatError`] if it cannot.
    pub fn new(form: &str) -> Result<DateFormat, DateFormatError> {
        // A day above 12 in a two-digit month, so that a form without day or month does not come back the same.
        let sample = jiff::civil::date(1987, 11, 26);
        let written = if form.len() <= 64 { jiff::fmt::strtime::format(form, sample).ok() } else { None };
        match written.and_then(|text| Date::strptime(form, text).ok()) {
            Some(read) if read == sample => Ok(DateFormat(form.to_owned())),
            _ => Err(DateFormatError),
        }
    }

    /// The form, as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A form of dates that cannot be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a form of dates with day, month and year (such as %Y%m%d)")]
pub struct DateFormatError;

/// What is known of a birth date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BirthDate {
    /// Day, month and year.
    Full(Date),
    /// The year alone, or 1 January of it.
    YearOnly(i16),
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BirthDate::Full(_) => "Full(..)",
            BirthDate::YearOnly(_) => "YearOnly(..)",
        })
    }
}

/// The oldest birth year that is believed.
const OLDEST: i16 = 1890;

impl BirthDate {
    /// Reads plain text: the mapping's form first if it names one, then ISO (a time after it is ignored), DD/MM/YYYY (also
    /// with `-`, `.` or spaces) and a year alone. `today` is the accord's date: later ones are impossible.
    ///
    /// # Errors
    /// [`Reason::DateUnreadable`], or [`Reason::DateImpossible`] for days that are not in the calendar, before 1890
    /// or after `today`.
    pub fn read(text: &str, form: Option<&DateFormat>, today: Date) -> Result<BirthDate, Reason> {
        let text = text.trim();
        let date = match form.and_then(|form| Date::strptime(&form.0, text).ok()) {
            Some(date) => Ok(date),
            None => match numbers(text).or_else(|| words(text)).ok_or(Reason::DateUnreadable)? {
                Numbers::Year(year) if (OLDEST..=today.year()).contains(&year) => return Ok(BirthDate::YearOnly(year)),
                Numbers::Year(_) => Err(Reason::DateImpossible),
                // Some registers write an unknown day or month as 00.
                Numbers::Date(year, 0, _) | Numbers::Date(year, _, 0) if (OLDEST..=today.year()).contains(&year) => {
                    return Ok(BirthDate::YearOnly(year));
                }
                Numbers::Date(year, month, day) => Date::new(year, month, day).map_err(|_| Reason::DateImpossible),
            },
        }?;
        if date.year() < OLDEST || date > today {
            Err(Reason::DateImpossible)
        } else if (date.month(), date.day()) == (1, 1) {
            Ok(BirthDate::YearOnly(date.year()))
        } else {
            Ok(BirthDate::Full(date))
        }
    }
}

enum Numbers {
    Year(i16),
    Date(i16, i8, i8),
}

fn numbers(text: &str) -> Option<Numbers> {
    let iso_day = match text.as_bytes() {
        // A spreadsheet's date-time: the time says nothing about a birth.
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', _, _, b'-', _, _, b'T' | b' ', ..] => {
            text.get(..10)?
        }
        _ => text,
    };
    let mut parts = iso_day.split(['-', '/', '.', ' ']);
    let (first, second, third) = (parts.next()?, parts.next(), parts.next());
    if parts.next().is_some() || !iso_day.bytes().all(|b| b.is_ascii_digit() || b"-/. ".contains(&b)) {
        return None;
    }
    match (first, second, third) {
        // 19870325, or 25032087: never both, because no month is above 12 and no year below 1890.
        (digits, None, None) if digits.len() == 8 => {
            let part = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i16>().ok());
            let small = |from: usize| part(from, from + 2).and_then(|part| i8::try_from(part).ok());
            let front = part(0, 4)?;
            if front >= OLDEST && small(4)? <= 12 {
                Some(Numbers::Date(front, small(4)?, small(6)?))
            } else {
                Some(Numbers::Date(part(4, 8)?, small(2)?, small(0)?))
            }
        }
        (year, None, None) if year.len() == 4 => Some(Numbers::Year(year.parse().ok()?)),
        (year, Some(month), Some(day)) if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            Some(Numbers::Date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        (day, Some(month), Some(year)) if year.len() == 4 && month.len() <= 2 && day.len() <= 2 => {
            Some(Numbers::Date(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?))
        }
        _ => None,
    }
}

/// The first letters of the months in English, French, Portuguese and Spanish, none the beginning of another month's.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene"],
    &["feb", "fev"],
    &["mar"],
    &["apr", "avr", "abr"],
    &["may", "mai", "mayo"],
    &["jun", "juin"],
    &["jul", "juil"],
    &["aug", "aou", "ago"],
    &["sep", "set"],
    &["oct", "out"],
    &["nov"],
    &["dec", "dez", "dic"],
];

/// Words that stand in dates and say nothing.
const SMALL_WORDS: [&str; 8] = ["ne", "nee", "le", "de", "of", "the", "born", "on"];

/// A date with its month in letters, or with words before it: `25 mars 1987`, `March 25, 1987`, `née le 25/03/1987`.
fn words(text: &str) -> Option<Numbers> {
    if text.len() > 48 {
        return None;
    }
    let folded =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(latin_letters_and_digits);
    let (mut numbers, mut month) = (Vec::new(), None);
    for word in folded {
        if word.bytes().all(|b| b.is_ascii_digit()) {
            numbers.push(word);
        } else if let Some(day) = ["er", "st", "nd", "rd", "th"]
            .iter()
            .find_map(|end| word.strip_suffix(end))
            .filter(|d| d.len() <= 2 && d.bytes().all(|b| b.is_ascii_digit()))
        {
            numbers.push(Zeroizing::new(day.to_owned()));
        } else if !SMALL_WORDS.contains(&word.as_str()) {
            let found = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
            // Two months are no date.
            if month.replace(i8::try_from(found + 1).ok()?).is_some() {
                return None;
            }
        }
    }
    let number = |text: &str| text.parse::<i16>().ok();
    match (numbers.as_slice(), month) {
        ([day, year], Some(month)) if day.len() <= 2 && year.len() == 4 => {
            Some(Numbers::Date(number(year)?, month, day.parse().ok()?))
        }
        ([year, day], Some(month)) if day.len() <= 2 && year.len() == 4 => {
            Some(Numbers::Date(number(year)?, month, day.parse().ok()?))
        }
        ([year], Some(_)) if year.len() == 4 => Some(Numbers::Year(number(year)?)),
        ([day, month, year], None) if day.len() <= 2 && month.len() <= 2 && year.len() == 4 => {
            Some(Numbers::Date(number(year)?, month.parse().ok()?, day.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn read(text: &str) -> Result<BirthDate, Reason> {
        BirthDate::read(text, None, date(2026, 1, 1))
    }

    #[test]
    fn iso_and_day_first() {
        for text in [
            "1987-03-05",
            "05/03/1987",
            "5/3/1987",
            "05-03-1987",
            "05.03.1987",
            "1987-03-05T00:00:00",
            "19870305",
            "05031987",
            "5 mars 1987",
            "5-MAR-1987",
            "March 5th, 1987",
            "5 de março de 1987",
            "née le 5 mars 1987",
            "Né le 05/03/1987",
        ] {
            assert!(read(text) == Ok(BirthDate::Full(date(1987, 3, 5))), "{text}");
        }
    }

    #[test]
    fn first_of_january_and_years_are_not_full() {
        for text in ["1987", "1987-01-01", "01/01/1987", "00/00/1987", "1987-00-00", "mars 1987", "1er janvier 1987"] {
            assert!(read(text) == Ok(BirthDate::YearOnly(1987)), "{text}");
        }
    }

    #[test]
    fn impossible_and_unreadable() {
        for text in ["31/02/1987", "13/13/1987", "19871301", "1750", "2150-03-04", "2026-01-02"] {
            assert!(read(text) == Err(Reason::DateImpossible), "{text}");
        }
        for text in ["", "about 1987", "87", "05/03/87", "1/2/3/1987", "5/3", "99999", "-", "5 mars avril 1987", "mars"]
        {
            assert!(read(text) == Err(Reason::DateUnreadable), "{text}");
        }
    }

    #[test]
    fn a_mapping_names_another_form() {
        let Ok(form) = DateFormat::new("%Y%m%d") else { panic!("a usual form") };
        assert!(BirthDate::read("19870305", Some(&form), date(2026, 1, 1)) == Ok(BirthDate::Full(date(1987, 3, 5))));
        assert!(BirthDate::read("1987-03-05", Some(&form), date(2026, 1, 1)) == Ok(BirthDate::Full(date(1987, 3, 5))));
        for wrong in ["", "%Y", "%d", "%Q%Q", "%Y-%m", "%"] {
            assert!(DateFormat::new(wrong).is_err(), "{wrong}");
        }
    }
}
