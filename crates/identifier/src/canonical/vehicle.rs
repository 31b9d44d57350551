//! Vehicles: registration plates and vehicle identification numbers.

use super::Wiped;
use crate::{
    Reason, Rule, Rules,
    plain::{is_filler, latin_letters_and_digits, letters_and_digits, look_alike},
};

/// The letters and digits of a plate; its country is put beside it by the caller. Letters of other scripts stay.
pub(super) fn plate(text: &str, rules: &Rules) -> Result<Wiped, Reason> {
    let written = letters_and_digits(without_labels(text));
    let number = match rules.on(Rule::ReadingErrors) {
        true => Wiped::new(written.chars().map(look_alike).collect()),
        false => written.clone(),
    };
    match number.chars().count() {
        _ if is_filler(number.as_bytes()) => Err(Reason::Placeholder),
        0..=2 => Err(Reason::TooShort),
        15.. => Err(Reason::TooLong),
        _ if !written.chars().any(char::is_numeric) => Err(Reason::WrongCharacters),
        _ => Ok(number),
    }
}

/// Takes `N°`, `Immatriculation` and the like off the front. Series of letters that belong to the plate stay.
fn without_labels(text: &str) -> &str {
    const LABELS: [&str; 12] = [
        "immat",
        "immatriculation",
        "immatricule",
        "immatriculee",
        "licence",
        "matricula",
        "matricule",
        "numero",
        "plaque",
        "plate",
        "registration",
        "vehicule",
    ];
    let mut rest = text;
    for _ in 0..3 {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let folded = latin_letters_and_digits(word);
        let is_number_mark = matches!(folded.as_str(), "n" | "no") && after.starts_with('°');
        if !(is_number_mark || after.starts_with(|c: char| !c.is_alphanumeric()) && LABELS.contains(&folded.as_str())) {
            break;
        }
        rest = after;
    }
    rest
}

/// Seventeen letters and digits without I, O and Q (ISO 3779). The check digit is required where the law requires it: in
/// numbers of the United States and Canada (49 CFR 565), which begin with 1, 2, 4 or 5.
pub(super) fn vin(text: &str, rules: &Rules) -> Result<Wiped, Reason> {
    const LABELS: [&str; 8] = ["VIN", "VINNO", "CHASSIS", "CHASSISNO", "NCHASSIS", "NDECHASSIS", "SERIE", "NDESERIE"];
    let labelled = letters_and_digits(text);
    let bare = LABELS.iter().find_map(|label| labelled.strip_prefix(label).filter(|rest| rest.len() == 17));
    let number = bare.map(|rest| Wiped::new(rest.to_owned())).unwrap_or(labelled);
    // The standard has no I, O and Q, so that they can only be digits.
    let number = match rules.on(Rule::ReadingErrors) {
        true => Wiped::new(number.replace(['O', 'Q'], "0").replace('I', "1")),
        false => number,
    };
    let bytes = number.as_bytes();
    if bytes.iter().any(|b| !b.is_ascii_alphanumeric() || b"IOQ".contains(b)) {
        return Err(Reason::WrongCharacters);
    }
    if bytes.len() != 17 {
        return Err(Reason::WrongLength);
    }
    if bytes.iter().all(|b| Some(b) == bytes.first()) {
        return Err(Reason::Placeholder);
    }
    if matches!(bytes.first(), Some(b'1' | b'2' | b'4' | b'5')) && vin_check(bytes) != bytes.get(8).copied() {
        return Err(Reason::CheckDigit);
    }
    Ok(number)
}

/// The check digit of 49 CFR 565.15(c): `X` stands for 10.
fn vin_check(number: &[u8]) -> Option<u8> {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let mut sum = 0;
    for (b, weight) in number.iter().zip(WEIGHTS) {
        let value = match b {
            b'0'..=b'9' => b - b'0',
            b'A'..=b'H' => b - b'A' + 1,
            b'J'..=b'R' => b - b'J' + 1,
            b'S'..=b'Z' => b - b'S' + 2,
            _ => return None,
        };
        sum += u32::from(value) * weight;
    }
    match sum % 11 {
        10 => Some(b'X'),
        digit => u8::try_from(digit).ok().map(|digit| b'0' + digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<Wiped, Reason>) -> Result<String, Reason> {
        result.map(|text| text.to_string())
    }

    fn plate_of(text: &str) -> Result<Wiped, Reason> {
        plate(text, &Rules::default())
    }

    fn vin_of(text: &str) -> Result<Wiped, Reason> {
        vin(text, &Rules::default())
    }

    #[test]
    fn plates() {
        for text in [
            "N° DK 1234 AB",
            "Immat. DK-1234-AB",
            "DK-1234-AB",
            "dk 1234 ab",
            "DK1234AB",
            "[DK·1234·AB]",
            "ＤＫ 1234 ab",
        ] {
            assert_eq!(told(plate_of(text)).as_deref(), Ok("DK1234A8"), "{text}");
        }
        assert_ne!(told(plate_of("DK 0123 A")), told(plate_of("DK 123 A")));
        assert!(plate_of("12345 أ 6").is_ok());
        for (text, reason) in [
            ("A", Reason::TooShort),
            ("0000", Reason::Placeholder),
            ("SANS", Reason::WrongCharacters),
            ("DK 1234 AB / DK 2345 AB", Reason::TooLong),
        ] {
            assert_eq!(told(plate_of(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn vins() {
        assert_eq!(told(vin_of("1m8gdm9axkp042788")).as_deref(), Ok("1M8GDM9AXKP042788"));
        assert_eq!(told(vin_of("VIN: VF1-BM0R0H-12345678")).as_deref(), Ok("VF1BM0R0H12345678"));
        assert_eq!(told(vin_of("1M8GDM9A1KP042788")), Err(Reason::CheckDigit));
        assert_eq!(told(vin_of("VF1BM0R0H1234567")), Err(Reason::WrongLength));
        assert_eq!(told(vin_of("VF1BMOR0H12345678")).as_deref(), Ok("VF1BM0R0H12345678"));
        assert_eq!(told(vin_of("11111111111111111")), Err(Reason::Placeholder));
    }
}
