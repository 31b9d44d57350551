//! The digits of a telephone cell, and how they were written.
//!
//! Called by phone.rs only. No numbering plan is known here.

use zeroize::Zeroizing;

use crate::{Reason, plain::latin_letters_and_digits};

/// Words that may stand before or after a number.
const LABELS: [&str; 51] = [
    "airtel",
    "africell",
    "bureau",
    "c",
    "call",
    "callto",
    "cel",
    "cell",
    "cellulaire",
    "contact",
    "domicile",
    "expresso",
    "fax",
    "fixe",
    "flooz",
    "free",
    "gsm",
    "home",
    "m",
    "maison",
    "malitel",
    "mattel",
    "mob",
    "mobile",
    "momo",
    "money",
    "moov",
    "mtn",
    "mauritel",
    "n",
    "no",
    "num",
    "number",
    "numero",
    "office",
    "om",
    "orange",
    "phone",
    "portable",
    "qcell",
    "sms",
    "t",
    "tel",
    "telegram",
    "telephone",
    "tigo",
    "tmoney",
    "viber",
    "wave",
    "whatsapp",
    "work",
];

/// Words after which an extension stands, which is not part of the number.
const EXTENSION: [&str; 6] = ["ext", "extension", "x", "poste", "p", "ramal"];

/// The digits that letters are read for, if they are few and all of them look like digits.
fn as_digits(letters: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |letter: u8| match letter {
        b'O' | b'o' => Some(b'0'),
        b'I' | b'l' => Some(b'1'),
        _ => None,
    };
    if letters.len() > 3 { None } else { letters.bytes().map(digit).collect::<Option<Vec<u8>>>().map(Zeroizing::new) }
}

/// Digits with what is known of their form.
pub(super) struct Dialled {
    /// ASCII digits, without an exit code, and without an optional zero.
    pub(super) digits: Zeroizing<Vec<u8>>,
    /// Whether they began with + or 00.
    pub(super) international: bool,
    /// How many digits stand before a `(0)`.
    pub(super) optional_zero: Option<usize>,
}

impl Dialled {
    /// Reads plain text.
    ///
    /// # Errors
    /// [`Reason::WrongCharacters`] for letters that are no label, USSD codes and a + inside; [`Reason::TooShort`] without
    /// digits.
    pub(super) fn read(text: &str) -> Result<Dialled, Reason> {
        let mut dialled = Dialled {
            digits: Zeroizing::new(Vec::with_capacity(text.len())),
            international: false,
            optional_zero: None,
        };
        let mut rest = text;
        // An address on the web that stands for an international number.
        if let Some(number) = ["wa.me/", "api.whatsapp.com/send?phone="].iter().find_map(|site| text.split_once(site)) {
            rest = number.1.split(['?', '&', '/']).next().unwrap_or_default().trim_start_matches('+');
            dialled.international = true;
        }
        let mut after_digit = false;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match c {
                '0'..='9' => {
                    dialled.digits.push(c as u8);
                    rest = after;
                    after_digit = true;
                    continue;
                }
                '+' if dialled.digits.iter().all(|digit| *digit == b'0') && dialled.digits.len() <= 2 => {
                    dialled.international = true;
                    dialled.digits.clear();
                }
                '+' | '*' | '%' => return Err(Reason::WrongCharacters),
                '(' if !dialled.digits.is_empty() && dialled.optional_zero.is_none() => {
                    let inside = after.trim_start();
                    if let Some(closed) = inside.strip_prefix('0').and_then(|end| end.trim_start().strip_prefix(')')) {
                        dialled.optional_zero = Some(dialled.digits.len());
                        rest = closed;
                        continue;
                    }
                }
                '#' if !dialled.digits.is_empty() => break,
                ';' if after.starts_with(|next: char| next.is_ascii_alphabetic()) => break,
                '@' if after.starts_with("s.whatsapp.net") || after.starts_with("c.us") => break,
                '@' => return Err(Reason::WrongCharacters),
                c if c.is_alphabetic() => {
                    let end = rest.find(|next: char| !next.is_alphabetic()).unwrap_or(rest.len());
                    let word = latin_letters_and_digits(&rest[..end]);
                    // O and l typed or read for digits, beside one.
                    let beside = after_digit || rest[end..].starts_with(|next: char| next.is_ascii_digit());
                    if beside && let Some(digits) = as_digits(&rest[..end]) {
                        dialled.digits.extend_from_slice(&digits);
                        rest = &rest[end..];
                        continue;
                    }
                    if !dialled.digits.is_empty() && EXTENSION.contains(&word.as_str()) {
                        break;
                    }
                    if !LABELS.contains(&word.as_str()) {
                        return Err(Reason::WrongCharacters);
                    }
                    rest = &rest[end..];
                    continue;
                }
                _ => {}
            }
            rest = after;
            after_digit = false;
        }
        if dialled.digits.is_empty() {
            return Err(Reason::TooShort);
        }
        if crate::plain::is_filler(&dialled.digits) {
            return Err(Reason::Placeholder);
        }
        dialled.strip_exit_code(b"00");
        if dialled.digits.is_empty() {
            return Err(Reason::TooShort);
        }
        Ok(dialled)
    }

    /// Takes an exit code off the front, if it stands there.
    pub(super) fn strip_exit_code(&mut self, exit_code: &[u8]) {
        if let Some(rest) = self.digits.strip_prefix(exit_code) {
            self.digits = Zeroizing::new(rest.to_vec());
            self.international = true;
            self.optional_zero = self.optional_zero.and_then(|place| place.checked_sub(exit_code.len()));
        }
    }

    /// The digits with the `(0)` where it was written.
    pub(super) fn with_optional_zero(&self) -> Zeroizing<Vec<u8>> {
        let mut digits = Zeroizing::new(Vec::with_capacity(self.digits.len() + 1));
        let (before, after) = self.digits.split_at(self.optional_zero.unwrap_or(0).min(self.digits.len()));
        digits.extend_from_slice(before);
        if self.optional_zero.is_some() {
            digits.push(b'0');
        }
        digits.extend_from_slice(after);
        digits
    }
}
