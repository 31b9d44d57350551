//! Vessels: IMO numbers, radio stations, names.

use super::Wiped;
use crate::{
    Reason,
    plain::{is_filler, is_placeholder, latin_words, letters_and_digits},
};

/// Seven digits, of which the last checks the others (IMO Resolution A.1117(30)), with or without `IMO` before them.
pub(super) fn imo(text: &str) -> Result<Wiped, Reason> {
    let number = letters_and_digits(text);
    let digits = Wiped::new(
        number.strip_prefix("IMO").unwrap_or(&number).trim_start_matches('N').trim_start_matches('O').replace('O', "0"),
    );
    let bytes = digits.as_bytes();
    if !bytes.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongCharacters);
    }
    if bytes.len() != 7 {
        return Err(Reason::WrongLength);
    }
    if is_filler(bytes) {
        return Err(Reason::Placeholder);
    }
    let sum: u32 = bytes.iter().zip((2..=7).rev()).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    if bytes.last().map(|b| u32::from(b - b'0')) != Some(sum % 10) {
        return Err(Reason::CheckDigit);
    }
    Ok(digits)
}

/// Nine digits that begin as a ship's or a hand-held station's do (ITU-R M.585): coast stations and groups (0), aircraft (1) and
/// devices (9) are no vessels.
pub(super) fn mmsi(text: &str) -> Result<Wiped, Reason> {
    let number = letters_and_digits(text);
    let digits = Wiped::new(number.strip_prefix("MMSI").unwrap_or(&number).replace('O', "0"));
    let bytes = digits.as_bytes();
    if !bytes.iter().all(u8::is_ascii_digit) {
        return Err(Reason::WrongCharacters);
    }
    if bytes.len() != 9 {
        return Err(Reason::WrongLength);
    }
    if is_filler(bytes) {
        return Err(Reason::Placeholder);
    }
    match bytes.first() {
        Some(b'2'..=b'8') => Ok(digits),
        _ => Err(Reason::WrongCharacters),
    }
}

/// The name's letters and digits, without the words for the sort of vessel.
pub(super) fn name(text: &str) -> Result<Wiped, Reason> {
    if is_placeholder(text) {
        return Err(Reason::Placeholder);
    }
    const SORTS: [&str; 10] = ["mv", "ms", "mt", "fv", "sv", "my", "pirogue", "navire", "bateau", "vessel"];
    // M/V and F/V are one word.
    let whole = text.replace(['/', '.'], "");
    let words = latin_words(&whole).ok_or(Reason::OtherScript)?;
    const ARTICLES: [&str; 4] = ["la", "le", "the", "o"];
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
    // La pirogue Mame Diarra; but La Marie keeps its article.
    let words = match words.as_slice() {
        [article, sort, _, ..] if ARTICLES.contains(article) && SORTS.contains(sort) => &words[1..],
        all => all,
    };
    let mut kept: Vec<&str> = words.iter().copied().skip_while(|word| SORTS.contains(word)).collect();
    // Sea Star II, Sea Star 2
    if let [_, .., last] = kept.as_mut_slice() {
        *last = match *last {
            "ii" => "2",
            "iii" => "3",
            "iv" => "4",
            "vi" => "6",
            "vii" => "7",
            "viii" => "8",
            "ix" => "9",
            other => other,
        };
    }
    let joined = Wiped::new(kept.concat());
    match joined.len() {
        0..=2 => Err(Reason::TooShort),
        3..=60 => Ok(joined),
        _ => Err(Reason::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<Wiped, Reason>) -> Result<String, Reason> {
        result.map(|text| text.to_string())
    }

    #[test]
    fn imo_numbers() {
        for text in ["9074729", "IMO 9074729", "imo9074729", "IMO No. 9074729", "IMO n° 9074729", "907 4729"] {
            assert_eq!(told(imo(text)).as_deref(), Ok("9074729"), "{text}");
        }
        for (text, reason) in [
            ("9074720", Reason::CheckDigit),
            ("907472", Reason::WrongLength),
            ("IMO90747X9", Reason::WrongCharacters),
            ("0000000", Reason::Placeholder),
        ] {
            assert_eq!(told(imo(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn radio_stations() {
        assert_eq!(told(mmsi("MMSI 663 123 456")).as_deref(), Ok("663123456"));
        for (text, reason) in [
            ("66312345", Reason::WrongLength),
            ("006631234", Reason::WrongCharacters),
            ("111663123", Reason::WrongCharacters),
            ("222222222", Reason::Placeholder),
        ] {
            assert_eq!(told(mmsi(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn names() {
        for text in [
            "M/V Étoile de Mer",
            "ETOILE DE MER",
            "mv etoile-de-mer",
            "Pirogue Étoile de mer",
            "La pirogue Étoile de mer",
        ] {
            assert_eq!(told(name(text)).as_deref(), Ok("etoiledemer"), "{text}");
        }
        assert_eq!(told(name("inconnu")), Err(Reason::Placeholder));
        assert_eq!(told(name("M/V")), Err(Reason::TooShort));
        assert_eq!(told(name("سفينة")), Err(Reason::OtherScript));
    }
}
