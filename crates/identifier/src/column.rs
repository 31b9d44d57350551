//! The columns that a register can have, and the few words that its closed columns take.
//!
//! Called by the client, which reads files and mappings, and by record.rs. Not here: CSV, XLSX, mapping files.

use std::fmt;

use crate::plain;

macro_rules! columns {
    ($($variant:ident $name:literal $doc:literal),* $(,)?) => {
        /// A column of a register, known by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column {
            $(#[doc = $doc] $variant,)*
        }

        impl Column {
            /// All columns, in the order of the documentation.
            pub const ALL: &'static [Column] = &[$(Column::$variant),*];

            /// The name in a register's header.
            pub const fn name(self) -> &'static str {
                match self { $(Column::$variant => $name),* }
            }
        }
    };
}

columns! {
    Record "record" "The unit's own reference; required.",
    Investigation "investigation" "The investigation that the record belongs to.",
    Subject "subject" "What the record is about; see [`Subject`].",
    Category "category" "The subject's part in the case; see [`Category`].",
    Surname "surname" "Family names.",
    GivenNames "given_names" "Given names.",
    FullName "full_name" "All names in one cell.",
    BirthDate "birth_date" "ISO, DD/MM/YYYY, year only, or the mapping's form.",
    Sex "sex" "Not compared.",
    Nationality "nationality" "A country; of boats and organisations, the flag.",
    DocumentType "document_type" "Passport, identity card, residence permit, driving licence.",
    DocumentNumber "document_number" "The number, or a machine-readable line.",
    DocumentCountry "document_country" "The country that issued the document.",
    Phone "phone" "Telephone numbers.",
    Email "email" "E-mail addresses.",
    Social "social" "Social accounts: `platform:handle`, or an address on the web.",
    Iban "iban" "Bank accounts.",
    MobileMoney "mobile_money" "Mobile-money accounts, by their telephone numbers.",
    Imei "imei" "Handsets.",
    Imsi "imsi" "SIM subscriptions.",
    Plate "plate" "Registration plates of vehicles.",
    PlateCountry "plate_country" "The country of the plate.",
    Vin "vin" "Vehicle identification numbers.",
    VesselName "vessel_name" "Names of vessels.",
    Imo "imo" "IMO numbers of ships.",
    Mmsi "mmsi" "Numbers of ships' radio stations.",
    Wallet "wallet" "Crypto-currency addresses.",
    OrganisationName "organisation_name" "Names of organisations.",
    RegistrationNumber "registration_number" "Registration numbers of organisations and boats.",
    Place "place" "Where the subject lives; beside a name or an address.",
    Address "address" "Number and street.",
    Postcode "postcode" "Of the address.",
}

impl Column {
    /// The column of that name; case, spaces and hyphens in a header do not matter (`Document-Number`).
    pub fn by_name(name: &str) -> Option<Column> {
        let folded = plain::latin_letters_and_digits(name);
        Column::ALL.iter().copied().find(|column| {
            let plain_name = column.name().bytes().filter(|b| *b != b'_');
            plain_name.eq(folded.bytes())
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A natural person.
    Person,
    /// A company, association or group.
    Organisation,
    /// A vehicle on land.
    Vehicle,
    /// A ship or boat.
    Vessel,
    /// An account, without its holder.
    Account,
}

impl Subject {
    /// Reads the English, French or Portuguese word.
    pub fn read(text: &str) -> Option<Subject> {
        Some(match plain::latin_letters_and_digits(text).as_str() {
            "person" | "personne" | "pessoa" | "individual" | "individu" | "personnephysique" => Subject::Person,
            "organisation" | "organization" | "organizacao" | "organizacion" | "company" | "societe" | "entreprise"
            | "personnemorale" | "legalperson" => Subject::Organisation,
            "vehicle" | "vehicule" | "veiculo" | "car" | "voiture" => Subject::Vehicle,
            "vessel" | "ship" | "boat" | "navire" | "bateau" | "pirogue" | "embarcation" | "embarcacao" | "navio" => {
                Subject::Vessel
            }
            "account" | "compte" | "conta" => Subject::Account,
            _ => return None,
        })
    }
}

/// The subject's part in the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Category {
    /// Suspected.
    Suspect,
    /// Convicted.
    Convicted,
    /// In contact with another subject.
    Contact,
    /// A witness: protected.
    Witness,
    /// A victim: protected.
    Victim,
    /// A minor: protected.
    Minor,
    /// Not said.
    #[default]
    Unknown,
}

impl Category {
    /// Reads the word in English, French, Portuguese or Spanish. Any text in which a word for victim, minor or witness
    /// stands is that category, whatever else is written: the doubt is in favour of the person. None for other words.
    pub fn read(text: &str) -> Option<Category> {
        const VICTIM: [&str; 3] = ["victim", "vitima", "survivor"];
        const MINOR: [&str; 8] = ["minor", "mineur", "menor", "enfant", "child", "crianca", "nino", "nina"];
        const WITNESS: [&str; 4] = ["witness", "temoin", "testemunha", "testigo"];
        let folded = plain::latin_letters_and_digits(text);
        for (stems, category) in
            [(&VICTIM[..], Category::Victim), (&MINOR[..], Category::Minor), (&WITNESS[..], Category::Witness)]
        {
            if stems.iter().any(|stem| folded.contains(stem)) {
                return Some(category);
            }
        }
        Some(match folded.as_str() {
            "suspect" | "suspecte" | "suspected" | "suspeito" | "sospechoso" | "misencause" | "accused" | "prevenu" => {
                Category::Suspect
            }
            "convicted" | "condamne" | "condamnee" | "condenado" => Category::Convicted,
            "contact" | "contacto" | "contato" | "associate" | "relation" => Category::Contact,
            "" | "unknown" | "inconnu" | "inconnue" | "na" | "desconhecido" | "desconocido" => Category::Unknown,
            _ => return None,
        })
    }

    /// Whether this category is never matched by default.
    pub fn is_protected(self) -> bool {
        matches!(self, Category::Witness | Category::Victim | Category::Minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_name() {
        for column in Column::ALL {
            assert_eq!(Column::by_name(column.name()), Some(*column));
        }
        assert_eq!(Column::by_name(" Document-Number "), Some(Column::DocumentNumber));
        assert_eq!(Column::by_name("\u{feff}record"), Some(Column::Record));
        assert_eq!(Column::by_name("telephone"), None);
        assert_eq!(Column::by_name(""), None);
    }

    #[test]
    fn protected_words_win() {
        for text in ["victim", "Victime présumée", "mineur(e)", "TÉMOIN", "suspect / victime", "child", "menor"] {
            assert_eq!(Category::read(text).map(Category::is_protected), Some(true), "{text}");
        }
        for text in ["suspect", "Condamné", "contact", "", "inconnu"] {
            assert_eq!(Category::read(text).map(Category::is_protected), Some(false), "{text}");
        }
        assert_eq!(Category::read("smuggler"), None);
    }
}
