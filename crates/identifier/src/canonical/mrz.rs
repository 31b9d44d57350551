//! Machine-readable zones of documents, ICAO Doc 9303: the number with its check digit.
//!
//! Called by document.rs for values with `<` in them. Reads TD3 (passports), TD2 and TD1 (cards), whole or the line with the number.
//! Optical reading confuses O and 0, I and 1 and others: countries are letters, check digits are digits, and in the number one such
//! character may be wrong, or all of them, if its check digit then holds. What still does not hold is refused.

use super::Wiped;
use crate::{Reason, plain::look_alike};

/// What a zone says.
pub(super) struct Zone {
    pub(super) number: Wiped,
    /// Issuing state, or the nationality if only the second line of a passport is given.
    pub(super) country: Option<Wiped>,
    pub(super) is_passport: bool,
}

/// Reads one zone or line; spaces in it do not matter.
pub(super) fn read(text: &str) -> Result<Zone, Reason> {
    let mut line = Wiped::new(String::with_capacity(text.len()));
    line.extend(text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()));
    if !line.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<') {
        return Err(Reason::WrongCharacters);
    }
    let at = |from: usize, to: usize| line.get(from..to).ok_or(Reason::WrongLength);
    let passport = line.starts_with('P');
    match line.len() {
        // TD3: two lines of 44; number and nationality are in the second.
        88 => field(at(44, 53)?, at(53, 54)?, Some(at(2, 5)?), true),
        44 if !line.starts_with("P<") => field(at(0, 9)?, at(9, 10)?, Some(at(10, 13)?), true),
        // TD2: two lines of 36.
        72 => field(at(36, 45)?, at(45, 46)?, Some(at(2, 5)?), passport),
        36 => field(at(0, 9)?, at(9, 10)?, Some(at(10, 13)?), false),
        // TD1: three lines of 30; the first has the number.
        90 | 30 => field(at(5, 14)?, at(14, 15)?, Some(at(2, 5)?), false),
        // The number's field with its check digit.
        10 => field(at(0, 9)?, at(9, 10)?, None, false),
        _ => Err(Reason::WrongLength),
    }
}

fn field(number: &str, check: &str, country: Option<&str>, is_passport: bool) -> Result<Zone, Reason> {
    let check = check.chars().next().map(look_alike).ok_or(Reason::WrongLength)?;
    let number = readings(number)
        .find(|reading| char::from_digit(check_digit(reading), 10) == Some(check))
        .ok_or(Reason::CheckDigit)?;
    let without_fillers = |text: &str| Wiped::new(text.chars().filter(|c| *c != '<').collect::<String>());
    let country = country.map(|text| text.chars().map(letter).collect::<String>());
    // Germany writes D<<.
    let country = country.map(|text| if text == "D<<" { Wiped::new("DE".to_owned()) } else { without_fillers(&text) });
    Ok(Zone { number: without_fillers(&number), country: country.filter(|text| !text.is_empty()), is_passport })
}

/// The field as it stands; with one character read for its look-alike (a letter for a digit, and 0 and 1 for O and I); with all its
/// look-alikes read as digits. More would let every second check digit hold.
fn readings(number: &str) -> impl Iterator<Item = Wiped> {
    let other = |c: char| match c {
        '0' => 'O',
        '1' => 'I',
        other => look_alike(other),
    };
    let one = number.char_indices().filter(move |(_, c)| other(*c) != *c).map(move |(at, c)| {
        let mut reading = Wiped::new(String::with_capacity(number.len()));
        reading.push_str(&number[..at]);
        reading.push(other(c));
        reading.push_str(&number[at + 1..]);
        reading
    });
    let all = Wiped::new(number.chars().map(look_alike).collect());
    std::iter::once(Wiped::new(number.to_owned())).chain(one).chain([all])
}

/// The letter that a digit is read for.
fn letter(c: char) -> char {
    match c {
        '0' => 'O',
        '1' => 'I',
        '2' => 'Z',
        '5' => 'S',
        '6' => 'G',
        '8' => 'B',
        other => other,
    }
}

/// Weights 7, 3, 1; letters count from 10; the filler counts 0 (Doc 9303-3, 4.9).
fn check_digit(field: &str) -> u32 {
    let values = field.bytes().map(|b| match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A'..=b'Z' => u32::from(b - b'A') + 10,
        _ => 0,
    });
    values.zip([7, 3, 1].into_iter().cycle()).map(|(value, weight)| value * weight).sum::<u32>() % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specimens_of_doc_9303() {
        let td3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10";
        for (text, number, passport) in [
            (td3, "L898902C3", true),
            (&td3[44..], "L898902C3", true),
            ("I<UTOD231458907<<<<<<<<<<<<<<<", "D23145890", false),
            ("D231458907UTO7408122F1204159<<<<<<<6", "D23145890", false),
            ("AB2134<<<5", "AB2134", false),
        ] {
            let zone = read(text).map_err(|reason| reason.name()).expect(text);
            assert_eq!((zone.number.as_str(), zone.is_passport), (number, passport));
        }
    }

    #[test]
    fn confused_characters() {
        let right = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
        for text in ["L8989O2C36UTO7408122F1204159ZE184226B<<<<<10", "L898902C3GUT07408122F1204159ZE184226B<<<<<10"] {
            let zone = read(text).map_err(|reason| reason.name()).expect(text);
            assert_eq!(
                (zone.number.as_str(), zone.country.as_ref().map(|text| text.as_str())),
                ("L898902C3", Some("UTO"))
            );
        }
        assert!(read(right).is_ok());
        assert_eq!(read("L899802C36UTO7408122F1204159ZE184226B<<<<<10").err(), Some(Reason::CheckDigit));
    }

    #[test]
    fn faults() {
        assert_eq!(read("L898902C37UTO7408122F1204159ZE184226B<<<<<10").err(), Some(Reason::CheckDigit));
        assert_eq!(read("L898902C3<").err(), Some(Reason::CheckDigit));
        assert_eq!(read("L8<").err(), Some(Reason::WrongLength));
        assert_eq!(read("L8989é2C3<").err(), Some(Reason::WrongCharacters));
    }
}
