//! Organisations: names and registration numbers.

use super::Wiped;
use crate::{
    Reason, Rule, Rules,
    plain::{is_filler, is_placeholder, latin_letters_and_digits, latin_words, letters_and_digits},
};

/// Words that say what an organisation is in law, in English, French, Portuguese and Spanish; sorted.
const LEGAL_FORMS: [&str; 81] = [
    "actions",
    "ag",
    "anonima",
    "anonyme",
    "asbl",
    "association",
    "bv",
    "cc",
    "cia",
    "cie",
    "co",
    "compagnie",
    "companhia",
    "compania",
    "company",
    "corp",
    "corporation",
    "eirl",
    "empresa",
    "enterprise",
    "enterprises",
    "entreprise",
    "entreprises",
    "epe",
    "epic",
    "etablissement",
    "etablissements",
    "ets",
    "eurl",
    "firma",
    "firme",
    "gie",
    "gmbh",
    "group",
    "groupe",
    "holding",
    "inc",
    "incorporated",
    "kg",
    "lda",
    "limitada",
    "limited",
    "limitee",
    "llc",
    "llp",
    "ltd",
    "ltda",
    "ltee",
    "ngo",
    "ong",
    "par",
    "plc",
    "proprietary",
    "pty",
    "pvt",
    "responsabilidad",
    "responsabilidade",
    "responsabilite",
    "sa",
    "sarl",
    "sarlau",
    "sarlu",
    "sas",
    "sasu",
    "sci",
    "scp",
    "scs",
    "simplifiee",
    "sl",
    "snc",
    "sociedad",
    "sociedade",
    "societe",
    "spa",
    "srl",
    "ste",
    "suarl",
    "surl",
    "unipersonal",
    "unipersonnelle",
    "unipessoal",
];

/// Words that carry no meaning in a name.
const SMALL_WORDS: [&str; 20] = [
    "a", "and", "au", "aux", "d", "da", "de", "del", "des", "do", "dos", "du", "e", "et", "l", "la", "le", "les", "of",
    "the",
];

/// Words that are written short, and what they stand for.
const ABBREVIATIONS: [(&str, &str); 12] = [
    ("intl", "international"),
    ("int", "international"),
    ("internationale", "international"),
    ("gen", "general"),
    ("gle", "general"),
    ("generale", "general"),
    ("bros", "freres"),
    ("brothers", "freres"),
    ("serv", "services"),
    ("service", "services"),
    ("transports", "transport"),
    ("trspt", "transport"),
];

/// The name's letters and digits without spaces, without the words of legal form at its ends and without small words. If nothing
/// else is in it, they are the name.
pub(super) fn name(text: &str, rules: &Rules) -> Result<Wiped, Reason> {
    if is_placeholder(text) {
        return Err(Reason::Placeholder);
    }
    let words = latin_words(text).ok_or(Reason::OtherScript)?;
    let mut words = letters_joined(words);
    for word in &mut words {
        if let Some((_, whole)) = ABBREVIATIONS.iter().find(|(short, _)| *short == word.as_str()) {
            *word = Wiped::new((*whole).to_owned());
        }
    }
    let mut kept: &[Wiped] = &words;
    if rules.on(Rule::LegalForms) {
        let is_form = |word: &Wiped| LEGAL_FORMS.contains(&word.as_str());
        while let [rest @ .., last] = kept
            && (is_form(last) || SMALL_WORDS.contains(&last.as_str()))
        {
            kept = rest;
        }
        while let [first, rest @ ..] = kept
            && (is_form(first) || SMALL_WORDS.contains(&first.as_str()))
        {
            kept = rest;
        }
    }
    let mut joined = Wiped::new(String::with_capacity(text.len()));
    for word in kept.iter().filter(|word| !SMALL_WORDS.contains(&word.as_str())) {
        joined.push_str(word);
    }
    if joined.is_empty() {
        words.iter().for_each(|word| joined.push_str(word));
    }
    match joined.len() {
        0..=2 => Err(Reason::TooShort),
        3..=120 => Ok(joined),
        _ => Err(Reason::TooLong),
    }
}

/// `S.A.R.L.` is one word: letters that stand alone beside each other are joined.
fn letters_joined(words: Vec<Wiped>) -> Vec<Wiped> {
    let mut joined: Vec<Wiped> = Vec::with_capacity(words.len());
    let mut after_letter = false;
    for word in words {
        let is_letter = word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase());
        match joined.last_mut() {
            Some(last) if is_letter && after_letter => {
                *last = Wiped::new([last.as_str(), word.as_str()].concat());
            }
            _ => joined.push(word),
        }
        after_letter = is_letter;
    }
    joined
}

/// Takes the register's name off the front, where it is divided from the number.
fn without_label(text: &str) -> &str {
    const REGISTERS: [&str; 8] = ["ifu", "nif", "ninea", "nipc", "rccm", "registration", "tin", "vat"];
    let bare = text.trim_start();
    let end = bare.find(|c: char| !c.is_alphabetic()).unwrap_or(bare.len());
    let (word, after) = bare.split_at(end);
    let divided = after.starts_with([':', ' ', '.', '°']);
    let rest = after.trim_start_matches(|c: char| !c.is_alphanumeric());
    if divided && !rest.is_empty() && REGISTERS.contains(&latin_letters_and_digits(word).as_str()) {
        rest
    } else {
        text
    }
}

/// The letters and digits of a registration number; the country is put beside it by the caller.
pub(super) fn registration(text: &str) -> Result<Wiped, Reason> {
    let number = letters_and_digits(without_label(text));
    match number.chars().count() {
        _ if is_filler(number.as_bytes()) => Err(Reason::Placeholder),
        0..=2 => Err(Reason::TooShort),
        41.. => Err(Reason::TooLong),
        _ if !number.bytes().any(|b| b.is_ascii_digit()) => Err(Reason::WrongCharacters),
        _ => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Reason> {
        name(text, &Rules::default()).map(|text| text.to_string())
    }

    #[test]
    fn names_without_their_legal_form() {
        for text in [
            "Sahel Transit SARL",
            "SAHEL-TRANSIT S.A.R.L.",
            "Société Sahel Transit",
            "Ets. Sahel Transit & Cie",
            "Sahel Transit Ltd",
            "GIE Sahél Transit",
            "The Sahel Transit Company Limited",
            "Sahel Transit, Lda.",
            "SAHELTRANSIT",
            "Sociedade Sahel Transit Unipessoal, Lda",
            "Sahel Transit, société à responsabilité limitée",
        ] {
            assert_eq!(read(text).as_deref(), Ok("saheltransit"), "{text}");
        }
        assert_ne!(read("Sahel Transit"), read("Sahel Transport"));
        assert_eq!(read("Société Limited").as_deref(), Ok("societelimited"));
        let mut rules = Rules::default();
        rules.off.insert(Rule::LegalForms);
        assert_eq!(name("Sahel SARL", &rules).map(|t| t.to_string()).as_deref(), Ok("sahelsarl"));
    }

    #[test]
    fn no_names_and_no_numbers() {
        assert_eq!(read("n/a"), Err(Reason::Placeholder));
        assert_eq!(read("ab"), Err(Reason::TooShort));
        assert_eq!(read("شركة"), Err(Reason::OtherScript));
        assert_eq!(read(&"abc ".repeat(100)), Err(Reason::TooLong));
        assert_eq!(registration("SN-DKR-2010-B-1234").map(|t| t.to_string()).as_deref(), Ok("SNDKR2010B1234"));
        assert_eq!(registration("ABC").err(), Some(Reason::WrongCharacters));
    }
}
