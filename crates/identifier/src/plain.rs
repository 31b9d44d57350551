//! Plain text: what is left of a cell when compatibility forms, other scripts' digits and invisible marks are gone,
//! and the foldings that several kinds share.
//!
//! Used by canonical/ and country.rs. Not here: what is particular to one kind, and the orthographies of names
//! (canonical/person.rs).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use zeroize::Zeroizing;

/// Trimmed text in NFKC, decimal digits of all scripts of the region as ASCII, invisible characters removed, controls
/// and unusual spaces as one space character, dashes as `-`. `º` and `№` become `°` and `N°`, which NFKC would turn
/// into letters of the number.
pub(crate) fn plain(text: &str) -> Zeroizing<String> {
    // What nothing here would change: printable ASCII, and letters of Latin-1 and its first extension, which stay themselves in NFKC.
    if text.chars().all(|c| matches!(c, ' '..='_' | 'a'..='~' | '\u{C0}'..='\u{131}')) {
        return Zeroizing::new(text.trim().to_owned());
    }
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 8));
    if text.is_ascii() {
        out.extend(text.chars().map(|c| if c.is_ascii_control() { ' ' } else { c }));
    } else {
        let marked = text.chars().flat_map(|c| match c {
            'º' => ['°', '\0'],
            '№' => ['N', '°'],
            other => [other, '\0'],
        });
        for c in marked.filter(|c| *c != '\0').nfkc() {
            match c {
                c if is_invisible(c) => {}
                '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' => out.push('-'),
                '\u{2018}' | '\u{2019}' | '\u{02BC}' | '\u{02B9}' | '`' | '´' => out.push('\''),
                c if c.is_whitespace() || c.is_control() => out.push(' '),
                c => out.push(ascii_digit(c).unwrap_or(c)),
            }
        }
    }
    let kept = out.trim();
    if kept.len() != out.len() {
        out = Zeroizing::new(kept.to_owned());
    }
    out
}

/// Soft hyphens, joiners, direction marks, byte-order marks: what copying from a screen brings along.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// The ASCII digit of a decimal digit of another script (Arabic, Persian, N'Ko, Adlam and some more).
fn ascii_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 16] = [
        0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50, 0x0ED0,
        0xFF10, 0x1E950,
    ];
    let code = u32::from(c);
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// Letters and digits only, upper case, without accents: the form of numbers on documents and plates.
/// Other scripts' letters stay as they are.
pub(crate) fn letters_and_digits(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 8));
    if text.is_ascii() {
        out.extend(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()));
    } else {
        let letters = text.nfkd().filter(|c| !is_combining_mark(*c));
        for c in letters.flat_map(char::to_uppercase).filter(|c| c.is_alphanumeric()) {
            out.push(ascii_digit(c).unwrap_or(c));
        }
    }
    out
}

/// The digit that a capital letter is read for, and the letter itself if it is none of these.
pub(crate) fn look_alike(c: char) -> char {
    match c {
        'O' | 'Q' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    }
}

/// Lower-case ASCII letters and digits only, Latin letters of all kinds reduced to them: a key for words of a list.
pub(crate) fn latin_letters_and_digits(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    push_latin(text, |c| out.push(c));
    out
}

/// Calls `push` with each lower-case ASCII letter or digit of the text. Letters that are not Latin are skipped.
fn push_latin(text: &str, mut push: impl FnMut(char)) {
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            push(c.to_ascii_lowercase());
        } else if !c.is_ascii() && is_latin(c) {
            // any_ascii is used for Latin letters only (ɓ, ŋ, ß, é): for Arabic it drops the vowels and would make
            // different names equal.
            for a in any_ascii::any_ascii_char(c).chars().filter(char::is_ascii_alphanumeric) {
                push(a.to_ascii_lowercase());
            }
        }
    }
}

/// Words in lower-case ASCII. Apostrophes join (`N'Diaye` is one word), all else that is no letter or digit divides.
/// None if a letter of another script is in it: those are not compared by transliteration.
pub(crate) fn latin_words(text: &str) -> Option<Vec<Zeroizing<String>>> {
    let mut words = Vec::new();
    for piece in text.split(|c: char| !c.is_alphanumeric() && c != '\'' && !is_combining_mark(c)) {
        if piece.chars().any(|c| c.is_alphabetic() && !is_latin(c)) {
            return None;
        }
        let word = latin_letters_and_digits(piece);
        if !word.is_empty() {
            words.push(word);
        }
    }
    Some(words)
}

fn is_latin(c: char) -> bool {
    const BLOCKS: [(char, char); 8] = [
        ('\u{00AA}', '\u{00BA}'),
        ('\u{00C0}', '\u{024F}'),
        ('\u{0250}', '\u{02AF}'),
        ('\u{1E00}', '\u{1EFF}'),
        ('\u{2C60}', '\u{2C7F}'),
        ('\u{A720}', '\u{A7FF}'),
        ('\u{FF21}', '\u{FF3A}'),
        ('\u{FF41}', '\u{FF5A}'),
    ];
    c.is_ascii_alphabetic() || c.is_alphabetic() && BLOCKS.into_iter().any(|(first, last)| (first..=last).contains(&c))
}

/// Words for "nothing is known", folded and sorted.
const PLACEHOLDERS: [&str; 44] = [
    "aucun",
    "aucune",
    "desconhecida",
    "desconhecido",
    "desconocido",
    "empty",
    "inconnu",
    "inconnue",
    "na",
    "nan",
    "nc",
    "nd",
    "neant",
    "nenhum",
    "nil",
    "ninguno",
    "nonapplicable",
    "noncommunique",
    "nondisponible",
    "none",
    "nonidentifie",
    "nonprecise",
    "nonrenseigne",
    "notapplicable",
    "notavailable",
    "notknown",
    "nr",
    "ns",
    "null",
    "ras",
    "sans",
    "sansnom",
    "sansobjet",
    "sn",
    "so",
    "tba",
    "tbd",
    "unk",
    "unknown",
    "unnamed",
    "vide",
    "x",
    "xx",
    "xxx",
];

/// Whether the text stands for "nothing is known": `n/a`, `inconnu`, `-`, `???`, in four languages.
pub(crate) fn is_placeholder(text: &str) -> bool {
    // No word for nothing has a digit.
    if text.len() > 64 || text.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    let folded = latin_letters_and_digits(text);
    if folded.is_empty() {
        // Only punctuation; a name or plate in another script is not empty.
        return !text.chars().any(char::is_alphanumeric);
    }
    folded.len() > 3 && folded.bytes().all(|b| b == b'x') || PLACEHOLDERS.binary_search(&folded.as_str()).is_ok()
}

/// Whether digits are what clerks type to fill a field: one digit repeated (at least four), or counting up from 0 or 1
/// or down from 9 (at least six).
pub(crate) fn is_filler(digits: &[u8]) -> bool {
    let Some(first) = digits.first() else { return false };
    let follows =
        |step: u8| digits.windows(2).all(|w| (w[0].wrapping_sub(b'0') + step) % 10 == w[1].wrapping_sub(b'0'));
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    digits.len() >= 4 && follows(0)
        || digits.len() >= 6 && matches!(first, b'0' | b'1') && follows(1)
        || digits.len() >= 6 && *first == b'9' && follows(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_unicode_tolerant() {
        assert_eq!(plain("  ＋２２１ ７７\u{200e} ").as_str(), "+221 77");
        assert_eq!(plain("٠٧ ۱۲").as_str(), "07 12");
        assert_eq!(plain("Nº 12 № 3").as_str(), "N° 12 N° 3");
        assert_eq!(plain("a\u{2013}b\u{00a0}c\td").as_str(), "a-b c d");
        assert_eq!(plain("N’Diaye").as_str(), "N'Diaye");
    }

    #[test]
    fn placeholders_in_four_languages() {
        assert!(PLACEHOLDERS.is_sorted());
        for text in ["n/a", "N.A.", "Inconnu", "unknown", "-", "???", "néant", "XXXXXX", "non renseigné", "S/N", "."]
        {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["A123", "Diallo", "أحمد", "0", "x1"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn fillers_are_repeats_and_counts() {
        for digits in ["0000", "7777777", "123456789", "0123456", "1234567890", "987654321", "9876543210"] {
            assert!(is_filler(digits.as_bytes()), "{digits}");
        }
        for digits in ["", "000", "12345", "2345678", "771234567", "00001"] {
            assert!(!is_filler(digits.as_bytes()), "{digits}");
        }
    }

    #[test]
    fn words_join_apostrophes_and_refuse_other_scripts() {
        let words = latin_words("N'Diaye-Ba, É. Ɓah").map(|w| w.iter().map(|w| w.to_string()).collect::<Vec<_>>());
        assert_eq!(words.as_deref(), Some(&["ndiaye", "ba", "e", "bah"].map(String::from)[..]));
        assert!(latin_words("محمد").is_none());
    }
}
