//! Handsets and SIM subscriptions.

use super::Wiped;
use crate::{
    Reason,
    plain::{is_filler, letters_and_digits},
};

/// The first 14 digits of an IMEI (3GPP TS 23.003, 6.2), which identify the handset: the check digit and the software version
/// say nothing more. 14 digits, 15 with a Luhn digit or with the 0 that networks send in its place, or 16 (IMEISV).
pub(super) fn imei(text: &str) -> Result<Wiped, Reason> {
    let digits = digits(text, "IMEI")?;
    if !(14..=16).contains(&digits.len()) {
        return Err(Reason::WrongLength);
    }
    let (handset, rest) = digits.split_at(14);
    if is_filler(handset.as_bytes()) {
        return Err(Reason::Placeholder);
    }
    if rest.len() == 1 && rest != "0" && rest != luhn(handset.as_bytes()).to_string() {
        return Err(Reason::CheckDigit);
    }
    Ok(Wiped::new(handset.to_owned()))
}

/// 14 or 15 digits (ITU-T E.212). The first three are a mobile country code, 2 to 7 or 9 at their front.
pub(super) fn imsi(text: &str) -> Result<Wiped, Reason> {
    let digits = digits(text, "IMSI")?;
    if is_filler(digits.as_bytes()) {
        Err(Reason::Placeholder)
    } else if !(14..=15).contains(&digits.len()) {
        Err(Reason::WrongLength)
    } else if digits.starts_with(['0', '1', '8']) {
        Err(Reason::WrongCharacters)
    } else {
        Ok(digits)
    }
}

fn digits(text: &str, label: &str) -> Result<Wiped, Reason> {
    // Handsets with two of them call them IMEI1 and IMEI 2.
    let unmarked = text.trim_start();
    let after = unmarked.get(label.len()..).filter(|_| unmarked[..label.len()].eq_ignore_ascii_case(label));
    let after = after.map(|rest| {
        let place =
            rest.trim_start().strip_prefix(['1', '2']).filter(|rest| rest.trim_start().starts_with([':', '=', ')']));
        place.unwrap_or(rest)
    });
    let number = letters_and_digits(after.unwrap_or(text));
    // There are no letters in it: O can only be 0.
    let digits = Wiped::new(number.replace('O', "0").replace('I', "1"));
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reason::WrongCharacters);
    }
    Ok(digits)
}

/// The digit that Luhn's sum wants after these.
fn luhn(digits: &[u8]) -> u32 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, b)| match (u32::from(b.wrapping_sub(b'0')), place % 2) {
            (digit, 0) => digit * 2 / 10 + digit * 2 % 10,
            (digit, _) => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<Wiped, Reason>) -> Result<String, Reason> {
        result.map(|text| text.to_string())
    }

    #[test]
    fn handsets() {
        for text in [
            "IMEI1: 490154203237518",
            "IMEI 2 : 490154203237518",
            "490154203237518",
            "49-015420-323751-8",
            "IMEI: 49015420323751",
            "4901542032375100",
            "490154203237510",
        ] {
            assert_eq!(told(imei(text)).as_deref(), Ok("49015420323751"), "{text}");
        }
        for (text, reason) in [
            ("490154203237517", Reason::CheckDigit),
            ("4901542032375", Reason::WrongLength),
            ("49015420323751x", Reason::WrongCharacters),
            ("000000000000000", Reason::Placeholder),
        ] {
            assert_eq!(told(imei(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn subscriptions() {
        for text in ["608 01 0123456789", "6O801O123456789"] {
            assert_eq!(told(imsi(text)).as_deref(), Ok("608010123456789"));
        }
        for (text, reason) in [
            ("6080101234", Reason::WrongLength),
            ("108010123456789", Reason::WrongCharacters),
            ("999999999999999", Reason::Placeholder),
            ("60801X123456789", Reason::WrongCharacters),
        ] {
            assert_eq!(told(imsi(text)), Err(reason), "{text}");
        }
    }
}
