//! Document numbers: issuing country, class and the number's letters and digits.
//!
//! Two documents meet when country, class and number are equal. A document whose class the register does not say has one form
//! for each class, so that it meets a document of any; a passport never meets a driving licence of the same number.

use super::{Wiped, mrz};
use crate::{
    Reason, Rule, Rules,
    plain::{is_filler, latin_letters_and_digits, letters_and_digits, look_alike},
};

/// Stands in place of the country in forms that forgive an error.
pub(super) const NEAR: &str = "near";
/// The fewest characters of a number.
const SHORTEST: usize = 4;
/// Shorter numbers have too many neighbours.
const SHORTEST_NEAR: usize = 6;
/// Longer ones would make too many tokens.
const LONGEST_NEAR: usize = 16;

/// Passports and other travel documents.
const PASSPORT: &str = "passport";
/// Identity, voter's and consular cards.
const IDENTITY: &str = "identity";
/// Permits of residence and cards of refugees.
const RESIDENCE: &str = "residence";
/// Driving licences.
const DRIVER: &str = "driver";

/// A document as one cell gives it.
pub(super) struct Document {
    pub(super) number: Wiped,
    /// The issuing country, if the value itself says it.
    pub(super) country: Option<Wiped>,
    class: Option<&'static str>,
}

impl Document {
    /// Calls with the number, and with it less each of its characters: two numbers that are one typing error apart share one of
    /// these. Of tier B: documents are numbered in series, and the next number is somebody else's. Short numbers have none.
    pub(super) fn neighbours(&self, mut call: impl FnMut(&str)) {
        if !(SHORTEST_NEAR..=LONGEST_NEAR).contains(&self.number.len()) || !self.number.is_ascii() {
            return;
        }
        call(&self.number);
        let mut before = None;
        for (at, c) in self.number.char_indices() {
            // Of 1223 the same is left without the first 2 and without the second.
            if before != Some(c) {
                call(&Wiped::new([&self.number[..at], &self.number[at + 1..]].concat()));
            }
            before = Some(c);
        }
    }

    /// The classes of the forms.
    pub(super) fn classes(&self, rules: &Rules) -> &'static [&'static str] {
        match self.class {
            _ if !rules.on(Rule::DocumentClass) => &["any"],
            None => &[PASSPORT, IDENTITY, RESIDENCE, DRIVER],
            Some(PASSPORT) => &[PASSPORT],
            Some(IDENTITY) => &[IDENTITY],
            Some(RESIDENCE) => &[RESIDENCE],
            Some(_) => &[DRIVER],
        }
    }
}

/// Reads a number cell, or a machine-readable line in it, beside its class cell.
pub(super) fn read(text: &str, class: &str, rules: &Rules) -> Result<Document, Reason> {
    let class = class_of(class);
    if text.contains('<') {
        let zone = mrz::read(text)?;
        let class = class.or(if zone.is_passport { Some(PASSPORT) } else { None });
        return checked(zone.number, zone.country, class, rules);
    }
    let (label, number) = without_labels(text);
    checked(letters_and_digits(number), None, class.or(label), rules)
}

fn checked(
    number: Wiped,
    country: Option<Wiped>,
    class: Option<&'static str>,
    rules: &Rules,
) -> Result<Document, Reason> {
    let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
    let zeros = digits.len() >= 4 && digits.iter().all(|digit| *digit == b'0');
    let number = if rules.on(Rule::ReadingErrors) && !digits.is_empty() { as_read(&number) } else { number };
    let length = number.chars().count();
    if zeros || is_filler(number.as_bytes()) {
        Err(Reason::Placeholder)
    } else if length < SHORTEST {
        Err(Reason::TooShort)
    } else if length > 40 {
        Err(Reason::TooLong)
    } else if digits.is_empty() {
        Err(Reason::WrongCharacters)
    } else {
        Ok(Document { number, country, class })
    }
}

/// The number as a tired eye or a machine reads it: letters that look like digits as those digits, and without the leading zeros
/// that spreadsheets drop from a number. Within one country and class no two documents differ by that alone.
fn as_read(number: &str) -> Wiped {
    let mut read = Wiped::new(String::with_capacity(number.len()));
    read.extend(number.chars().map(look_alike));
    let bare = read.trim_start_matches('0').len();
    if bare >= SHORTEST && read.bytes().all(|b| b.is_ascii_digit()) {
        let zeros = read.len() - bare;
        return Wiped::new(read[zeros..].to_owned());
    }
    read
}

/// The class of a document type as registers write it. None if it is not said, or in words that are not known.
fn class_of(text: &str) -> Option<&'static str> {
    let folded = latin_letters_and_digits(text);
    let has = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    Some(match folded.as_str() {
        "" => return None,
        "p" | "pp" | "ppt" | "passport" | "passeport" | "passaporte" => PASSPORT,
        "i" | "id" | "ci" | "cni" | "cin" | "nin" | "nic" | "bi" | "cc" | "dni" | "cedeao" | "ecowas" | "nina"
        | "nni" | "cnib" | "cnip" | "cip" => IDENTITY,
        "r" | "rp" | "cs" | "ts" => RESIDENCE,
        "d" | "dl" | "pc" => DRIVER,
        _ if has(&["passep", "passp", "passap", "pasap", "laissezpasser", "traveldoc", "voyage"]) => PASSPORT,
        _ if has(&["driv", "conduire", "conduc", "condut", "licence", "license", "permisde"])
            && !has(&["sejour", "resid"]) =>
        {
            DRIVER
        }
        _ if has(&["resid", "sejour", "refug", "etranger", "permanent", "asile", "asylum"]) => RESIDENCE,
        _ if has(&[
            "ident", "national", "elect", "voter", "consul", "cedeao", "ecowas", "biometr", "idcard", "cni", "cidada",
            "cedula",
        ]) =>
        {
            IDENTITY
        }
        "permis" => DRIVER,
        _ => return None,
    })
}

/// Takes `N°`, `No.`, `Passport:` and the like off the front, and says what class they name. A series of letters that belongs
/// to the number (`NO 123456`) stays: only words that no series has are labels, and `No` only with its mark.
fn without_labels(text: &str) -> (Option<&'static str>, &str) {
    const WORDS: [&str; 16] = [
        "passport",
        "passeport",
        "pasaporte",
        "passaporte",
        "cni",
        "cnib",
        "permis",
        "numero",
        "number",
        "num",
        "carte",
        "identite",
        "identity",
        "card",
        "nationale",
        "document",
    ];
    let mut rest = text;
    let mut class = None;
    for _ in 0..6 {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let folded = latin_letters_and_digits(word);
        let divided = after.starts_with(|c: char| !c.is_alphanumeric());
        let is_number_mark = folded.as_str() == "n" && after.starts_with('°')
            || folded.as_str() == "no" && after.starts_with(['.', ':', '°']);
        if !(is_number_mark || divided && WORDS.contains(&folded.as_str())) {
            break;
        }
        class = class.or(class_of(&folded));
        rest = after;
    }
    (class, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<String, Reason> {
        read(&crate::plain::plain(text), "", &Rules::default()).map(|document| document.number.to_string())
    }

    #[test]
    fn one_number_however_written() {
        for text in [
            "A 012-345.6",
            "a0123456",
            "N° A0123456",
            "Nº A0123456",
            "No. A0123456",
            "Passport: A0123456",
            "passeport n° A 01 23 456",
            "A\u{200b}0123456",
            "Ａ０１２３４５６",
        ] {
            assert_eq!(number(text).as_deref(), Ok("A0123456"), "{text}");
        }
        assert_eq!(number("NO 123456").as_deref(), Ok("N0123456"));
        assert_eq!(number("A O123 4S6"), number("A0123456"), "letters read for digits");
        assert_eq!(number("0712345"), number("712345"), "zeros that a spreadsheet dropped");
        assert_ne!(number("A0712345"), number("A712345"));
        let mut strict = Rules::default();
        strict.off.insert(Rule::ReadingErrors);
        assert_eq!(read("NO 123456", "", &strict).map(|d| d.number.to_string()).ok().as_deref(), Some("NO123456"));
    }

    #[test]
    fn classes_in_the_words_of_registers() {
        for (text, class) in [
            ("passport", PASSPORT),
            ("Passeport biométrique", PASSPORT),
            ("PASSAPORTE", PASSPORT),
            ("P", PASSPORT),
            ("id card", IDENTITY),
            ("Carte nationale d'identité", IDENTITY),
            ("CNI", IDENTITY),
            ("national_id", IDENTITY),
            ("carte CEDEAO", IDENTITY),
            ("carte d'électeur", IDENTITY),
            ("id_card", IDENTITY),
            ("identity", IDENTITY),
            ("residence permit", RESIDENCE),
            ("Permis de séjour", RESIDENCE),
            ("carte de séjour", RESIDENCE),
            ("residence", RESIDENCE),
            ("Permis de conduire", DRIVER),
            ("driving licence", DRIVER),
            ("permis", DRIVER),
            ("driver", DRIVER),
            ("driver_licence", DRIVER),
        ] {
            assert_eq!(class_of(text), Some(class), "{text}");
        }
        assert_eq!(class_of("acte"), None);
    }

    #[test]
    fn what_is_no_number() {
        for (text, reason) in [
            ("0000000", Reason::Placeholder),
            ("A00000000", Reason::Placeholder),
            ("123456789", Reason::Placeholder),
            ("A1", Reason::TooShort),
            ("ABCDEFG", Reason::WrongCharacters),
            ("--", Reason::TooShort),
        ] {
            assert_eq!(number(text), Err(reason), "{text}");
        }
        assert_eq!(number(&"A1".repeat(30)), Err(Reason::TooLong));
    }
}
