//! A record as its register has it, and the raw identifiers in it.
//!
//! Built by the client from the cells of one row; read by tokens.rs. Here cells are divided into values and put beside the
//! cells that qualify them. Not here: what a value means (canonical/).

use std::fmt;

use zeroize::Zeroizing;

use crate::{Column, Country, DateFormat, Kind, MAX_CELL_BYTES, MAX_VALUES, Reason, Refusal, Subject};

/// What a mapping says about a whole file of one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The country of national numbers, documents and plates that name none.
    pub country: Option<Country>,
    /// What records are about that do not say it.
    pub subject: Option<Subject>,
    /// Another form of dates, tried before the usual ones.
    pub dates: Option<DateFormat>,
}

/// One row of a register. Its cells are wiped when dropped, and never printed.
pub struct Record {
    cells: Vec<(Column, Zeroizing<String>)>,
    faults: Vec<Refusal>,
    pub(crate) defaults: Defaults,
}

impl Record {
    /// Takes the cells of one row. Of a column given twice, all cells count. Cells above [`MAX_CELL_BYTES`] are left out, and
    /// values of a cell above [`MAX_VALUES`]; [`tokens`](crate::tokens) reports both.
    pub fn from_cells(cells: &[(Column, &str)], defaults: &Defaults) -> Record {
        let mut record =
            Record { cells: Vec::with_capacity(cells.len()), faults: Vec::new(), defaults: defaults.clone() };
        for (column, text) in cells {
            if text.len() > MAX_CELL_BYTES {
                record.faults.push(Refusal { column: *column, index: 0, reason: Reason::CellTooLong });
                continue;
            }
            if text.trim().is_empty() {
                continue;
            }
            match record.cells.iter_mut().find(|(known, _)| known == column) {
                Some((_, cell)) if cell.len() + text.len() < MAX_CELL_BYTES => {
                    // A new string, so that growing leaves no copy behind.
                    let mut joined = Zeroizing::new(String::with_capacity(cell.len() + 1 + text.len()));
                    joined.push_str(cell);
                    joined.push('|');
                    joined.push_str(text);
                    *cell = joined;
                }
                Some(_) => record.faults.push(Refusal { column: *column, index: 0, reason: Reason::CellTooLong }),
                None => record.cells.push((*column, Zeroizing::new((*text).to_owned()))),
            }
        }
        for (column, cell) in &record.cells {
            // A value and its mark take a byte at least.
            if cell.len() >= MAX_VALUES && split(*column, cell).nth(MAX_VALUES).is_some() {
                record.faults.push(Refusal { column: *column, index: MAX_VALUES, reason: Reason::TooManyValues });
            }
        }
        record
    }

    /// The unit's own reference, if the row has one.
    pub fn reference(&self) -> Option<&str> {
        self.cell(Column::Record).map(str::trim).filter(|reference| !reference.is_empty())
    }

    /// One value of a cell, as it was written: what a [`Refusal`] points at, for those who ask to see it.
    pub fn value(&self, column: Column, index: usize) -> Option<&str> {
        self.values(column).nth(index)
    }

    /// The values of a cell in their order, empty ones included.
    pub fn values(&self, column: Column) -> impl Iterator<Item = &str> {
        self.cell(column).into_iter().flat_map(move |cell| split(column, cell)).take(MAX_VALUES)
    }

    /// The raw identifiers that stand in one cell each, beside the cells that qualify them. What the record is about decides
    /// what its full name names. Not here: persons and addresses, which several columns make together.
    pub fn raw_identifiers(&self, about: Option<Subject>) -> impl Iterator<Item = RawIdentifier<'_>> {
        self.cells.iter().filter_map(move |(column, _)| Some((*column, kind_of(*column, about)?))).flat_map(
            move |(column, kind)| {
                self.values(column).enumerate().filter(|(_, text)| !text.trim().is_empty()).map(move |(index, text)| {
                    RawIdentifier { kind, column, index, text, beside: self.beside(kind, index) }
                })
            },
        )
    }

    pub(crate) fn faults(&self) -> &[Refusal] {
        &self.faults
    }

    pub(crate) fn cell(&self, column: Column) -> Option<&str> {
        self.cells.iter().find(|(known, _)| *known == column).map(|(_, cell)| cell.as_str())
    }

    /// The value of a qualifying cell that belongs to the value at `index`: the one at the same place, or the only one.
    pub(crate) fn companion(&self, column: Column, index: usize) -> &str {
        let mut values = self.values(column);
        let first = values.next().unwrap_or_default();
        match (index, values.next()) {
            (0, _) | (_, None) => first,
            (1, Some(second)) => second,
            _ => values.nth(index - 2).unwrap_or_default(),
        }
    }

    /// What qualifies a value.
    fn beside(&self, kind: Kind, index: usize) -> Beside<'_> {
        match kind {
            Kind::Document => Beside::Issue {
                country: self.companion(Column::DocumentCountry, index),
                class: self.companion(Column::DocumentType, index),
                nationality: self.companion(Column::Nationality, 0),
            },
            Kind::Plate => Beside::Country(self.companion(Column::PlateCountry, index)),
            Kind::RegistrationNumber => Beside::Country(self.companion(Column::Nationality, 0)),
            _ => Beside::Nothing,
        }
    }
}

/// One value of a record that may name its subject, not yet read.
#[derive(Clone, Copy)]
pub struct RawIdentifier<'r> {
    /// What its column names.
    pub kind: Kind,
    /// Where it stands.
    pub column: Column,
    /// Its place among the values of the cell, from 0.
    pub index: usize,
    pub(crate) text: &'r str,
    pub(crate) beside: Beside<'r>,
}

impl fmt::Debug for RawIdentifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawIdentifier({}, {}, value {})", self.kind, self.column, self.index + 1)
    }
}

/// The cells that qualify a value; empty text where the register says nothing.
#[derive(Clone, Copy)]
pub(crate) enum Beside<'r> {
    Nothing,
    Country(&'r str),
    Issue { country: &'r str, class: &'r str, nationality: &'r str },
}

fn kind_of(column: Column, about: Option<Subject>) -> Option<Kind> {
    Some(match column {
        Column::FullName if about == Some(Subject::Organisation) => Kind::Organisation,
        Column::FullName if about == Some(Subject::Vessel) => Kind::VesselName,
        Column::DocumentNumber => Kind::Document,
        Column::Phone => Kind::Phone,
        Column::Email => Kind::Email,
        Column::Social => Kind::Social,
        Column::Iban => Kind::Iban,
        Column::MobileMoney => Kind::MobileMoney,
        Column::Imei => Kind::Imei,
        Column::Imsi => Kind::Imsi,
        Column::Plate => Kind::Plate,
        Column::Vin => Kind::Vin,
        Column::VesselName => Kind::VesselName,
        Column::Imo => Kind::Imo,
        Column::Mmsi => Kind::Mmsi,
        Column::Wallet => Kind::Wallet,
        Column::OrganisationName => Kind::Organisation,
        Column::RegistrationNumber => Kind::RegistrationNumber,
        _ => return None,
    })
}

/// Divides a cell at `|`; and, because clerks do, phones and handsets at `/`, `;`, `,` and line ends where each piece is long enough
/// to be a number (phones also at `ou`, `et` and the like), and e-mails where each piece has an @.
fn split(column: Column, cell: &str) -> impl Iterator<Item = &str> {
    cell.split('|').flat_map(move |value| {
        let pieces: Option<Box<dyn Iterator<Item = &str>>> = match column {
            Column::Phone | Column::MobileMoney => {
                const MARKS: [char; 4] = ['/', ';', ',', '\n'];
                let is_number = |piece: &str| piece.chars().filter(|c| c.is_numeric()).count() >= 7;
                const WORDS: [&str; 6] = [" ou ", " et ", " or ", " and ", " e ", "&"];
                let word = || WORDS.into_iter().find(|word| value.contains(word) && value.split(word).all(is_number));
                if value.contains(MARKS) && value.split(MARKS).all(is_number) {
                    Some(Box::new(value.split(MARKS)))
                } else {
                    word().map(|word| Box::new(value.split(word)) as _)
                }
            }
            // Handsets with two SIMs have two.
            Column::Imei | Column::Imsi => {
                const MARKS: [char; 4] = ['/', ';', ',', '\n'];
                let is_number = |piece: &str| piece.chars().filter(|c| c.is_numeric()).count() >= 14;
                let divides = value.contains(MARKS) && value.split(MARKS).all(is_number);
                divides.then(|| Box::new(value.split(MARKS)) as _)
            }
            Column::Email => {
                const MARKS: [char; 5] = [';', ',', '/', '\n', ' '];
                let divides =
                    |marks: &[char]| value.contains(marks) && value.split(marks).all(|piece| piece.contains('@'));
                // A space divides addresses, but not "Awa Sow <awa@example.sn>".
                [&MARKS[..4], &MARKS[..]]
                    .into_iter()
                    .find(|marks| divides(marks))
                    .map(|marks| Box::new(value.split(move |c| marks.contains(&c))) as _)
            }
            _ => None,
        };
        pieces.unwrap_or_else(|| Box::new(std::iter::once(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &[(Column, &str)]) -> Record {
        Record::from_cells(cells, &Defaults::default())
    }

    fn values(column: Column, cell: &str) -> Vec<String> {
        record(&[(column, cell)]).values(column).map(str::to_owned).collect()
    }

    #[test]
    fn cells_divide_into_values() {
        assert_eq!(values(Column::Plate, "A|B||C"), ["A", "B", "", "C"]);
        assert_eq!(values(Column::Phone, "+221771234567/+221781234567"), ["+221771234567", "+221781234567"]);
        assert_eq!(values(Column::Phone, "77/123/45/67"), ["77/123/45/67"]);
        assert_eq!(values(Column::Phone, "771234567 ou 781234567"), ["771234567", "781234567"]);
        assert_eq!(values(Column::Email, "a@b.sn;c@d.sn"), ["a@b.sn", "c@d.sn"]);
        assert_eq!(values(Column::Email, "A B, C <a@b.sn>"), ["A B, C <a@b.sn>"]);
        assert_eq!(values(Column::Email, "a@b.sn c@d.sn"), ["a@b.sn", "c@d.sn"]);
        assert_eq!(values(Column::Email, "A <a@b.sn>, C <c@d.sn>").len(), 2);
    }

    #[test]
    fn companions_stand_at_the_same_place_or_alone() {
        let record = record(&[
            (Column::DocumentNumber, "A1|B2|C3"),
            (Column::DocumentCountry, "SN|GM"),
            (Column::DocumentType, "passport"),
        ]);
        let seen: Vec<_> = record
            .raw_identifiers(None)
            .map(|raw| match raw.beside {
                Beside::Issue { country, class, .. } => (raw.index, country.to_owned(), class.to_owned()),
                _ => (raw.index, String::new(), String::new()),
            })
            .collect();
        let expect = [(0, "SN"), (1, "GM"), (2, "")].map(|(i, country)| (i, country.to_owned(), "passport".to_owned()));
        assert_eq!(seen, expect);
    }

    #[test]
    fn too_long_and_too_many_are_bounded_and_reported() {
        let long = "1".repeat(MAX_CELL_BYTES + 1);
        let many = "1|".repeat(MAX_VALUES + 5);
        let record = record(&[(Column::Phone, &long), (Column::Plate, &many)]);
        assert_eq!(record.values(Column::Plate).count(), MAX_VALUES);
        let reasons: Vec<_> = record.faults().iter().map(|fault| (fault.column, fault.reason)).collect();
        assert_eq!(reasons, [(Column::Phone, Reason::CellTooLong), (Column::Plate, Reason::TooManyValues)]);
    }

    #[test]
    fn the_reference_is_trimmed() {
        assert_eq!(record(&[(Column::Record, " SN-1 ")]).reference(), Some("SN-1"));
        assert_eq!(record(&[(Column::Record, "  ")]).reference(), None);
    }
}
