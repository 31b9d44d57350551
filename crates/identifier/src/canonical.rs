//! Raw identifier → canonical form: one file for each family of kinds.
//!
//! Called by tokens.rs, and by rules.rs for the denied values. Here the kind is chosen and what all kinds share is done
//! (placeholders, countries, tiers). Not here: dividing cells (record.rs) and the bytes of tokens (token.rs).

mod account;
mod device;
mod document;
mod email;
mod mrz;
mod organisation;
mod person;
mod phone;
mod place;
mod vehicle;
mod vessel;
mod wallet;

pub use person::name_key;

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    Column, Country, Defaults, Denied, Kind, RawIdentifier, Reason, Record, Rule, Rules, Subject, Tier, Token,
    plain::{is_placeholder, letters_and_digits, plain},
    record::Beside,
};

/// A text under construction, wiped when dropped.
pub(crate) type Wiped = Zeroizing<String>;

/// The canonical form of one identifier. Wiped when dropped, never printed.
pub struct Canonical {
    kind: Kind,
    tier: Tier,
    /// The kind's name and the fields, as the token has them: it is written once.
    written: Zeroizing<Vec<u8>>,
}

impl Canonical {
    fn new(kind: Kind, tier: Tier, fields: &[&str]) -> Canonical {
        let length = kind.name().len() + fields.iter().map(|field| field.len() + 1).sum::<usize>();
        let mut written = Zeroizing::new(Vec::with_capacity(length));
        written.extend_from_slice(kind.name().as_bytes());
        for field in fields {
            written.push(Token::SEPARATOR as u8);
            written.extend_from_slice(field.as_bytes());
        }
        Canonical { kind, tier, written }
    }

    /// What it names.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What one meeting of it is worth.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The bytes of its token.
    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.written
    }

    /// The fields, for tests.
    #[cfg(test)]
    fn text(&self) -> &str {
        let written = std::str::from_utf8(&self.written).unwrap_or_default();
        written.split_once(Token::SEPARATOR).map_or("", |(_, fields)| fields)
    }

    /// The forms of a value on the accord's list of denied ones.
    pub(crate) fn of_denied(entry: &Denied, rules: &Rules, forms: &mut Vec<Canonical>) -> Result<(), Reason> {
        let country = entry.country.map_or("", Country::code);
        let beside = match entry.kind {
            Kind::Document => Beside::Issue { country, class: "", nationality: "" },
            Kind::Plate | Kind::RegistrationNumber => Beside::Country(country),
            _ => Beside::Nothing,
        };
        let defaults = Defaults { country: entry.country, ..Defaults::default() };
        let raw = RawIdentifier { kind: entry.kind, column: Column::Record, index: 0, text: &entry.value, beside };
        raw.canonical(&defaults, rules, forms).map(|_| ())
    }
}

impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canonical").field("kind", &self.kind).field("tier", &self.tier).finish_non_exhaustive()
    }
}

impl RawIdentifier<'_> {
    /// Reads the value: its canonical form, or forms, go to `forms`. A notice means that it was read, with less.
    pub(crate) fn canonical(
        self,
        defaults: &Defaults,
        rules: &Rules,
        forms: &mut Vec<Canonical>,
    ) -> Result<Option<Reason>, Reason> {
        let text = plain(self.text);
        let default = defaults.country.or(rules.default_country);
        let is_name = matches!(self.kind, Kind::Organisation | Kind::VesselName);
        if !is_name && is_placeholder(&text) {
            return Err(Reason::Placeholder);
        }
        let kind = self.kind;
        let tier = rules.tiers.get(&kind).copied().unwrap_or(kind.tier());
        let mut form = |fields: &[&str], tier: Tier| forms.push(Canonical::new(kind, tier, fields));
        let mut notice = None;
        match (self.kind, self.beside) {
            (Kind::Phone, _) => form(&[&phone::e164(&text, default, rules)?], tier),
            (Kind::MobileMoney, _) => {
                let number = phone::e164(&text, default, rules)?;
                // The account is a telephone number: it meets the same number in a telephone column.
                if rules.on(Rule::MoneyIsPhone) && rules.compares(Kind::Phone) {
                    let tier = rules.tiers.get(&Kind::Phone).copied().unwrap_or(Kind::Phone.tier());
                    forms.push(Canonical::new(Kind::Phone, tier, &[&number]));
                }
                forms.push(Canonical::new(kind, tier, &[&number]));
            }
            (Kind::Email, _) => form(&[&email::address(&text, rules)?], tier),
            (Kind::Document, Beside::Issue { country, class, nationality }) => {
                let document = document::read(&text, class, rules)?;
                // A country cell says who issued the document; a machine-readable line alone may say the nationality.
                let zone = document.country.as_ref().and_then(|code| Country::read(code));
                let default = zone.or(default).or_else(|| Country::read(nationality));
                let (country, unknown) = issuer(country, default, rules)?;
                notice = unknown;
                for class in document.classes(rules) {
                    form(&[&country, class, &document.number], tier);
                }
                if rules.on(Rule::DocumentErrors) {
                    document.neighbours(|near| form(&[document::NEAR, &country, near], tier.max(Tier::B)));
                }
            }
            (Kind::Plate, Beside::Country(country)) => {
                let number = vehicle::plate(&text, rules)?;
                let (country, unknown) = issuer(country, default, rules)?;
                notice = unknown;
                form(&[&country, &number], tier);
            }
            (Kind::RegistrationNumber, Beside::Country(country)) => {
                let number = organisation::registration(&text)?;
                let (country, unknown) = issuer(country, default, rules)?;
                notice = unknown;
                form(&[&country, &number], tier);
            }
            (Kind::Iban, _) => form(&[&account::iban(&text)?], tier),
            (Kind::Social, _) => {
                let account = account::social(&text)?;
                // The same handle on two platforms is often two people, whatever tier the accord gives the kind.
                let weakest = if account.platform == "?" { Tier::B } else { Tier::A };
                form(&[account.platform, &account.handle], tier.max(weakest));
                // A WhatsApp account is a telephone number.
                let digits = account.platform == "whatsapp" && account.handle.bytes().all(|b| b.is_ascii_digit());
                if digits && rules.on(Rule::MoneyIsPhone) && rules.compares(Kind::Phone) {
                    let dialled = Wiped::new(["+", account.handle.as_str()].concat());
                    if let Ok(number) = phone::e164(&dialled, None, rules) {
                        let tier = rules.tiers.get(&Kind::Phone).copied().unwrap_or(Kind::Phone.tier());
                        forms.push(Canonical::new(Kind::Phone, tier, &[&number]));
                    }
                }
            }
            (Kind::Wallet, _) => form(&[&wallet::wallet(&text)?], tier),
            (Kind::Imei, _) => form(&[&device::imei(&text)?], tier),
            (Kind::Imsi, _) => form(&[&device::imsi(&text)?], tier),
            (Kind::Vin, _) => form(&[&vehicle::vin(&text, rules)?], tier),
            (Kind::Imo, _) => form(&[&vessel::imo(&text)?], tier),
            (Kind::Mmsi, _) => form(&[&vessel::mmsi(&text)?], tier),
            (Kind::VesselName, _) => form(&[&vessel::name(&text)?], tier),
            (Kind::Organisation, _) => form(&[&organisation::name(&text, rules)?], tier),
            // Documents, plates and registrations without what qualifies them: record.rs makes none. Persons and addresses
            // are made of several columns.
            (Kind::Document | Kind::Plate | Kind::RegistrationNumber | Kind::Person | Kind::Address, _) => {
                return Err(Reason::WrongCharacters);
            }
        }
        Ok(notice)
    }
}

/// The forms that several columns of a record make together: its persons, and its address. `refuse` hears of each value that was
/// not used, or with less.
pub(crate) fn of_record(
    record: &Record,
    about: Option<Subject>,
    rules: &Rules,
    forms: &mut Vec<Canonical>,
    refuse: &mut dyn FnMut(Column, usize, Reason),
) {
    let is_person = !matches!(about, Some(Subject::Organisation | Subject::Vessel));
    let at = place::Where::of(record);
    if is_person && rules.compares(Kind::Person) {
        person::forms(record, &at, rules, forms, refuse);
    }
    if rules.compares(Kind::Address) {
        place::forms(&at, rules, forms);
    }
}

/// Whether a birth date makes the record's subject a minor, and which.
pub(crate) fn minor(record: &Record, rules: &Rules) -> Option<usize> {
    person::minor(record, rules)
}

/// The code of a country cell; that of the default if the cell is empty; `--` if there is neither. A name that the table does
/// not have stands for itself, folded: equal spellings still meet, and never meet a country that is known.
fn issuer(cell: &str, default: Option<Country>, rules: &Rules) -> Result<(Wiped, Option<Reason>), Reason> {
    let cell = plain(cell);
    if let Some(country) = Country::read(&cell) {
        return Ok((Wiped::new(country.code().to_owned()), None));
    }
    if !is_placeholder(&cell) {
        let mut own = Wiped::new(String::with_capacity(cell.len() + 1));
        own.push('?');
        own.push_str(&letters_and_digits(&cell));
        return Ok((own, Some(Reason::CountryUnknown)));
    }
    match default {
        Some(country) => Ok((Wiped::new(country.code().to_owned()), None)),
        None if rules.on(Rule::WithoutCountry) => Ok((Wiped::new("--".to_owned()), None)),
        None => Err(Reason::CountryMissing),
    }
}
