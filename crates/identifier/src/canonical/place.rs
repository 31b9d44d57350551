//! Addresses, and the area that a record stands in.
//!
//! Called by tokens.rs, and by person.rs for the area beside a name. An address is compared without its holder's name: number,
//! first word of the street, place and postcode, three at a time, so that an error in one of them does no harm. It is of tier B:
//! families share addresses. A place alone is never compared: half a register lives in the capital.

use super::{Canonical, Wiped};
use crate::{
    Column, Kind, Record, Rules, Tier,
    plain::{is_placeholder, latin_words, letters_and_digits, plain},
};

/// Words that say what a way is, not which; sorted.
const WAYS: [&str; 66] = [
    "allee",
    "angle",
    "apartment",
    "appartement",
    "apt",
    "av",
    "ave",
    "avenida",
    "avenue",
    "bairro",
    "bd",
    "bloc",
    "block",
    "blvd",
    "boulevard",
    "bp",
    "carrefour",
    "cell",
    "circuit",
    "cite",
    "cl",
    "close",
    "compound",
    "court",
    "cres",
    "crescent",
    "ct",
    "de",
    "des",
    "dr",
    "drive",
    "du",
    "estate",
    "face",
    "flat",
    "grove",
    "highway",
    "immeuble",
    "la",
    "lane",
    "le",
    "les",
    "lieu",
    "lot",
    "no",
    "num",
    "numero",
    "parcelle",
    "pl",
    "place",
    "porte",
    "pres",
    "quartier",
    "rd",
    "road",
    "route",
    "rte",
    "rua",
    "rue",
    "sector",
    "st",
    "street",
    "the",
    "unit",
    "villa",
    "way",
];

/// Values of one column that are combined, at most.
const MOST: usize = 2;

/// Where a record's subject lives, in the keys of its columns.
#[derive(Default)]
pub(super) struct Where {
    numbers: Vec<Wiped>,
    streets: Vec<Wiped>,
    places: Vec<Wiped>,
    postcodes: Vec<Wiped>,
}

impl Where {
    /// Reads address, place and postcode. What cannot be read is left out: nobody corrects an address for us.
    pub(super) fn of(record: &Record) -> Where {
        let mut found = Where::default();
        for text in record.values(Column::Address) {
            found.line(text);
        }
        found.places = keys(record, Column::Place, |text| {
            latin_words(text).map_or(Wiped::default(), |words| {
                let mut place = Wiped::new(String::with_capacity(text.len()));
                words.iter().for_each(|word| place.push_str(word));
                place
            })
        });
        found.postcodes = keys(record, Column::Postcode, letters_and_digits);
        for list in [&mut found.numbers, &mut found.streets, &mut found.places, &mut found.postcodes] {
            list.retain(|key| !key.is_empty());
            list.truncate(MOST);
        }
        found
    }

    /// One line of an address: the number, and the first word that is neither a number nor a kind of way.
    fn line(&mut self, text: &str) {
        let text = plain(text);
        if is_placeholder(&text) {
            return;
        }
        let Some(words) = latin_words(&text) else { return };
        let mut street = None;
        for word in words {
            let has_digit = word.bytes().any(|b| b.is_ascii_digit());
            if has_digit && word.len() <= 8 {
                self.numbers.push(word);
            } else if !has_digit && street.is_none() && word.len() >= 3 && WAYS.binary_search(&word.as_str()).is_err() {
                street = Some(word);
            }
        }
        self.streets.extend(street);
    }

    /// Postcodes and places: what stands beside a name.
    pub(super) fn areas(&self) -> impl Iterator<Item = &str> {
        self.postcodes.iter().take(1).chain(self.places.iter().take(1)).map(|key| key.as_str())
    }
}

fn keys(record: &Record, column: Column, key: impl Fn(&str) -> Wiped) -> Vec<Wiped> {
    let values = record.values(column).map(plain).filter(|text| !is_placeholder(text));
    values.take(MOST).map(|text| key(&text)).collect()
}

/// The forms of a record's address: each three of number, street, place and postcode.
pub(super) fn forms(at: &Where, rules: &Rules, forms: &mut Vec<Canonical>) {
    let tier = rules.tiers.get(&Kind::Address).copied().unwrap_or(Kind::Address.tier());
    let mut put = |parts: [Option<&Wiped>; 4]| {
        let fields = parts.map(|part| part.map_or("", |key| key.as_str()));
        forms.push(Canonical::new(Kind::Address, tier.max(Tier::B), &fields));
    };
    let (place, postcode) = (at.places.first(), at.postcodes.first());
    let number = at.numbers.first();
    for street in &at.streets {
        if number.is_some() && postcode.is_some() {
            put([number, Some(street), None, postcode]);
        }
        if number.is_some() && place.is_some() {
            put([number, Some(street), place, None]);
        }
        if place.is_some() && postcode.is_some() {
            put([None, Some(street), place, postcode]);
        }
    }
    if number.is_some() && place.is_some() && postcode.is_some() {
        put([number, None, place, postcode]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Defaults;

    fn made(cells: &[(Column, &str)]) -> Vec<String> {
        let mut out = Vec::new();
        forms(&Where::of(&Record::from_cells(cells, &Defaults::default())), &Rules::default(), &mut out);
        out.iter().map(|form| form.text().replace('\u{1f}', "|")).collect()
    }

    #[test]
    fn three_of_four() {
        assert!(WAYS.is_sorted());
        let whole =
            [(Column::Address, "8|Stanley Street"), (Column::Place, "Winston Hills"), (Column::Postcode, "4223")];
        assert_eq!(
            made(&whole),
            ["8|stanley||4223", "8|stanley|winstonhills|", "|stanley|winstonhills|4223", "8||winstonhills|4223"]
        );
        assert_eq!(
            made(&[(Column::Address, "Villa 123, rue Félix Faure"), (Column::Place, "Dakar")]),
            ["123|felix|dakar|"]
        );
        assert!(made(&[(Column::Place, "Dakar")]).is_empty());
        assert!(made(&[(Column::Address, "Quartier Médina"), (Column::Place, "Dakar")]).is_empty());
        assert!(made(&[(Column::Address, "inconnue"), (Column::Place, "?")]).is_empty());
    }
}
