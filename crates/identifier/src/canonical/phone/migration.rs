//! Dated migrations of numbering plans: the only place where two different numbers become one.
//!
//! Called by phone.rs and plan.rs. A migration applies when the accord's date is on or after its day, so that numbers stored
//! before and after it meet. Numbers in ranges that no published table moves stay as they are.
//!
//! Sources: Côte d'Ivoire, ARTCI, plan of 31 January 2021 (prefixes by operator), with the operators' ranges as collected in
//! google/libphonenumber#1909; Bénin, ARCEP, plan of 30 November 2024 (01 before every number).

use jiff::civil::{Date, date};

use crate::{Rule, Rules};

struct Migration {
    code: u16,
    from: Date,
    old_length: usize,
    /// What stands before the old national number from that day; None for numbers that did not move.
    prefix: fn(&[u8]) -> Option<&'static str>,
}

const MIGRATIONS: [Migration; 2] = [
    Migration { code: 225, from: date(2021, 1, 31), old_length: 8, prefix: cote_d_ivoire },
    Migration { code: 229, from: date(2024, 11, 30), old_length: 8, prefix: benin },
];

/// The digits that a migration puts before an old national number.
pub(super) fn prefix(code: u16, national: &[u8], rules: &Rules) -> Option<&'static str> {
    let found =
        MIGRATIONS.iter().find(|m| m.code == code && m.old_length == national.len() && m.from <= rules.as_of)?;
    if rules.on(Rule::NumberMigration) { (found.prefix)(national) } else { None }
}

/// Whether this is a national number of an old plan. Its length is possible whatever the rules say: it was written once.
pub(super) fn is_old(code: u16, national: &[u8]) -> bool {
    MIGRATIONS.iter().any(|m| m.code == code && m.old_length == national.len())
}

/// Mobile numbers AB…: B names the operator (1–3 Moov, 4–6 MTN, 7–9 Orange; 40, 50 and 70 Moov). Fixed numbers 2XY…, 3XY…:
/// Y does (0 MTN, 8 of Abidjan Moov, others Orange). 80 and 90 are services, which did not move.
fn cote_d_ivoire(national: &[u8]) -> Option<&'static str> {
    match *national {
        [b'2', _, b'8', ..] => Some("21"),
        [b'2' | b'3', _, b'0', ..] => Some("25"),
        [b'2' | b'3', ..] => Some("27"),
        [b'1', ..] => None,
        [b'4' | b'5' | b'7', b'0', ..] | [_, b'1'..=b'3', ..] => Some("01"),
        [_, b'4'..=b'6', ..] => Some("05"),
        [_, b'7'..=b'9', ..] => Some("07"),
        _ => None,
    }
}

/// Every subscriber; 8… are services, which did not move.
fn benin(national: &[u8]) -> Option<&'static str> {
    if national.starts_with(b"8") { None } else { Some("01") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cote_d_ivoire_by_operator() {
        let rules = Rules::default();
        for (old, expect) in [
            ("01020304", Some("01")),
            ("40123456", Some("01")),
            ("53123456", Some("01")),
            ("71123456", Some("01")),
            ("04123456", Some("05")),
            ("55123456", Some("05")),
            ("66123456", Some("05")),
            ("86123456", Some("05")),
            ("07123456", Some("07")),
            ("48123456", Some("07")),
            ("59123456", Some("07")),
            ("77123456", Some("07")),
            ("20212223", Some("27")),
            ("22412223", Some("27")),
            ("21012223", Some("25")),
            ("20812223", Some("21")),
            ("31612223", Some("27")),
            ("80012345", None),
            ("90512345", None),
            ("0707123456", None),
        ] {
            assert_eq!(prefix(225, old.as_bytes(), &rules), expect, "{old}");
        }
    }

    #[test]
    fn migrations_have_a_day_and_a_switch() {
        let mut rules = Rules::default();
        rules.as_of = date(2024, 11, 29);
        assert_eq!(prefix(229, b"97123456", &rules), None);
        assert_eq!(prefix(225, b"07123456", &rules), Some("07"));
        rules.as_of = date(2024, 11, 30);
        assert_eq!(prefix(229, b"97123456", &rules), Some("01"));
        rules.off.insert(Rule::NumberMigration);
        assert_eq!(prefix(229, b"97123456", &rules), None);
    }
}
