//! Why a value was not used, in words that a clerk can act on.
//!
//! Made by canonical/ and tokens.rs; shown by the client beside file, line and column. A refusal names a place and a
//! reason, never the value.

use std::fmt;

use crate::Column;

/// The language of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

macro_rules! reasons {
    ($($variant:ident $name:literal $doc:literal $en:literal $fr:literal),* $(,)?) => {
        /// Why a value was not used. Displays as the English explanation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $doc] #[error($en)] $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant),*];

            /// The stable name, for programs.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name),* }
            }

            /// The fact and an advice, in that language.
            pub const fn explain(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Reason::$variant, Language::En) => $en, (Reason::$variant, Language::Fr) => $fr,)*
                }
            }
        }
    };
}

reasons! {
    Placeholder "placeholder" "Stands for nothing: zeros, 123456789, `n/a`."
        "this stands for nothing known; leave the cell empty"
        "cette valeur ne désigne rien de connu ; laissez la cellule vide",
    TooShort "too_short" "Shorter than any identifier of its kind."
        "too short for an identifier of this kind; check for lost digits"
        "trop court pour ce type d'identifiant ; vérifiez qu'aucun chiffre ne manque",
    TooLong "too_long" "Longer than any identifier of its kind."
        "too long for an identifier of this kind; separate several values with |"
        "trop long pour ce type d'identifiant ; séparez plusieurs valeurs par |",
    CellTooLong "cell_too_long" "The cell is longer than MAX_CELL_BYTES."
        "the cell is far too long for an identifier; it was not read"
        "la cellule est bien trop longue pour un identifiant ; elle n'a pas été lue",
    TooManyValues "too_many_values" "Values of a cell beyond MAX_VALUES."
        "too many values in one cell; only the first were used"
        "trop de valeurs dans une cellule ; seules les premières ont été utilisées",
    WrongCharacters "wrong_characters" "Letters or signs that its kind does not have."
        "has characters that this kind of identifier cannot have; check the column"
        "contient des caractères impossibles pour ce type d'identifiant ; vérifiez la colonne",
    WrongLength "wrong_length" "Not the number of characters that its kind has."
        "does not have the number of characters of this kind of identifier; check for lost or added digits"
        "n'a pas le nombre de caractères de ce type d'identifiant ; vérifiez les chiffres perdus ou ajoutés",
    CheckDigit "check_digit" "Its check digit is wrong."
        "the check digit is wrong; compare with the document, a digit was probably mistyped"
        "la clé de contrôle est fausse ; comparez avec l'original, un chiffre a sans doute été mal saisi",
    CountryMissing "country_missing" "A national number without a country."
        "a national number without a country; write it with + and the country code, or set a default country"
        "numéro national sans pays ; écrivez-le avec + et l'indicatif, ou indiquez un pays par défaut",
    CountryUnknown "country_unknown" "A country's name that the table does not have; compared as it is written."
        "country not recognised; use its two-letter code (SN, GM, ...), else only the same spelling will meet"
        "pays non reconnu ; utilisez son code à deux lettres (SN, GM, ...), sinon seule la même graphie sera rapprochée",
    CallingCode "calling_code" "An international number whose country code begins with 0."
        "no country code begins with 0; check the digits after + or 00"
        "aucun indicatif de pays ne commence par 0 ; vérifiez les chiffres après + ou 00",
    NotAnEmail "not_an_email" "No address of the form name@domain."
        "not an e-mail address; it needs one @ and a domain"
        "ce n'est pas une adresse électronique ; il faut un seul @ et un domaine",
    DateUnreadable "date_unreadable" "No form of date that is known."
        "date not understood; write YYYY-MM-DD or DD/MM/YYYY, or name the form in the mapping"
        "date non comprise ; écrivez AAAA-MM-JJ ou JJ/MM/AAAA, ou indiquez le format dans la correspondance",
    DateImpossible "date_impossible" "Not in the calendar, or not a birth date of this time."
        "no such birth date; check day, month and year"
        "date de naissance impossible ; vérifiez le jour, le mois et l'année",
    DateNotFull "date_not_full" "A year only, or 1 January: the name only supports."
        "day of birth not known (a year, or 1 January): name and year only support another match; add the day if you know it"
        "jour de naissance inconnu (année seule ou 1er janvier) : nom et année ne font qu'appuyer une autre concordance ; ajoutez le jour s'il est connu",
    OtherScript "other_script" "A name in a script that is not compared yet."
        "a name in this script is not compared; add the Latin spelling of the passport"
        "un nom dans cette écriture n'est pas comparé ; ajoutez la graphie latine du passeport",
    TooCommon "too_common" "On the accord's list of values that mean nothing."
        "on the accord's list of values too common to mean anything (hotline, agency, test number)"
        "figure dans la liste de l'accord des valeurs trop communes (numéro d'urgence, agence, numéro de test)",
    Protected "protected" "The record is of a victim, minor or witness, by its category or birth date: never matched by default."
        "victims, minors (also by their birth date) and witnesses are never matched: nothing of this record leaves"
        "les victimes, les mineurs (aussi d'après la date de naissance) et les témoins ne sont jamais rapprochés : rien de cette fiche ne sort",
    UnknownWord "unknown_word" "A word that a closed column does not have; read as unknown."
        "word not known in this column; it was read as unknown"
        "mot inconnu dans cette colonne ; il a été lu comme « inconnu »",
}

impl Reason {
    /// Whether the cell needs no correction: it is reported for completeness, not as a fault of the register.
    pub const fn is_notice(self) -> bool {
        matches!(self, Reason::Placeholder | Reason::DateNotFull | Reason::TooCommon | Reason::Protected)
    }
}

/// One value that was not used (or, for [`Reason::CountryUnknown`] and [`Reason::UnknownWord`], used with less).
/// To show the value itself, ask the record for it: [`Record::value`](crate::Record::value).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// The column it stands in.
    pub column: Column,
    /// Its place among the values of the cell, from 0.
    pub index: usize,
    /// Why.
    pub reason: Reason,
}

impl Refusal {
    /// Place and reason, in that language, without the value.
    pub fn explain(&self, language: Language) -> String {
        let value = match language {
            Language::En => "value",
            Language::Fr => "valeur",
        };
        format!("{}, {value} {}: {}", self.column, self.index + 1, self.reason.explain(language))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain(Language::En))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_languages_for_each_reason() {
        for reason in Reason::ALL {
            assert_ne!(reason.explain(Language::En), reason.explain(Language::Fr));
            assert_eq!(reason.to_string(), reason.explain(Language::En));
            assert!(reason.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    #[test]
    fn a_refusal_names_its_place() {
        let refusal = Refusal { column: Column::Phone, index: 1, reason: Reason::TooShort };
        assert!(refusal.to_string().starts_with("phone, value 2: too short"));
        assert!(
            refusal.explain(Language::Fr).starts_with("phone, valeur 2 : ")
                || refusal.explain(Language::Fr).contains("valeur 2")
        );
    }
}
