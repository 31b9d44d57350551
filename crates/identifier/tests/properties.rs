//! Properties over random input: nothing panics, the canonical form of a canonical form is itself, noise of format changes
//! nothing, and different numbers stay different.

use identifier::{Category, Column, Country, Defaults, Record, Rules, Subject, Token, tokens};
use proptest::prelude::*;

fn made(column: Column, text: &str, country: &str) -> Vec<String> {
    let defaults = Defaults { country: Country::read(country), ..Defaults::default() };
    let record = Record::from_cells(&[(column, text), (Column::DocumentType, "passport")], &defaults);
    let found = tokens(&record, &Rules::default());
    found.tokens.iter().map(|token| String::from_utf8_lossy(token.expose_secret()).into_owned()).collect()
}

fn column() -> impl Strategy<Value = Column> {
    proptest::sample::select(Column::ALL)
}

/// Text like that of registers: digits, punctuation, labels, other scripts, marks that nobody sees.
fn wild() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9+() .\\-/|<;:@#]{0,40}",
        "(tel:|N° |IMO |mailto:|P<|00|\\+|0x|bc1|https://)?[\\p{L}\\p{N}\\p{M}<@.|/ ]{0,60}",
        "[\u{200b}\u{202e}\u{feff}\u{fdfa}|０-９٠-٩]{0,50}",
    ]
}

/// A number's digits in groups of any size, between any punctuation.
fn punctuated(digits: &str, marks: &[usize]) -> String {
    const MARKS: [&str; 8] = ["", " ", "-", ".", "\u{a0}", "  ", "_", "\u{2013}"];
    digits
        .chars()
        .zip(marks.iter().cycle())
        .flat_map(|(digit, mark)| [digit.to_string(), MARKS[mark % 8].to_owned()])
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(cells in proptest::collection::vec((column(), wild()), 0..8), country in "[A-Z]{2}") {
        let cells: Vec<(Column, &str)> = cells.iter().map(|(column, text)| (*column, text.as_str())).collect();
        let defaults = Defaults { country: Country::read(&country), ..Defaults::default() };
        let record = Record::from_cells(&cells, &defaults);
        for refusal in tokens(&record, &Rules::default()).refused {
            prop_assert!(!refusal.to_string().is_empty());
            let _ = record.value(refusal.column, refusal.index);
        }
        for (_, text) in &cells {
            let _ = (Country::read(text), Column::by_name(text), Subject::read(text), Category::read(text));
        }
    }

    #[test]
    fn canonical_of_canonical_is_the_same(column in proptest::sample::select(vec![
        Column::Phone, Column::Email, Column::DocumentNumber, Column::Plate, Column::Iban, Column::Imei, Column::Vin,
        Column::Imo, Column::Mmsi, Column::Wallet, Column::OrganisationName, Column::VesselName, Column::RegistrationNumber,
    ]), text in wild()) {
        for token in made(column, &text, "SN") {
            let form = token.rsplit(Token::SEPARATOR).next().unwrap_or_default();
            // Forms that forgive an error are no forms of the number itself.
            if column == Column::DocumentNumber && (text.contains('<') || token.contains("\u{1f}near\u{1f}")) {
                continue;
            }
            prop_assert!(made(column, form, "SN").contains(&token), "{} again: {:?}", token, made(column, form, "SN"));
        }
    }

    #[test]
    fn phones_keep_their_identity_in_any_format(
        (code, country, length) in proptest::sample::select(vec![
            ("221", "SN", 9), ("222", "MR", 8), ("220", "GM", 7), ("227", "NE", 8), ("223", "ML", 8), ("225", "CI", 10),
            ("224", "GN", 9), ("33", "FR", 9), ("212", "MA", 9), ("34", "ES", 9),
        ]),
        digits in "[1-9][0-9]{9}",
        marks in proptest::collection::vec(0usize..8, 1..12),
    ) {
        let national = &digits[..length];
        let whole = format!("phone\u{1f}+{code}{national}");
        let trunk = if matches!(country, "FR" | "MA") { "0" } else { "" };
        let plus = made(Column::Phone, &format!("+{code}{national}"), "");
        // Fillers are refused in each form.
        prop_assume!(!plus.is_empty());
        prop_assert_eq!(&plus, &[whole]);
        for text in [
            format!("+{}", punctuated(&format!("{code}{national}"), &marks)),
            format!("00{}", punctuated(&format!("{code}{national}"), &marks)),
            format!("tel:+{code}-{national}"),
            format!("(+{code}) {}", punctuated(national, &marks)),
            format!("{trunk}{}", punctuated(national, &marks)),
        ] {
            prop_assert_eq!(made(Column::Phone, &text, country), plus.clone(), "{}", text);
        }
        // The same national number of another country is another number.
        let other = if country == "SN" { "+223" } else { "+221" };
        prop_assert_ne!(made(Column::Phone, &format!("{other}{national}"), ""), plus);
    }

    #[test]
    fn different_whole_numbers_stay_different(a in "(221|222|220|227|223|224|33|212|34|39)[0-9]{7,9}", b in "(221|222|220|227|223|224|33|212|34|39)[0-9]{7,9}") {
        prop_assume!(a != b);
        let (one, other) = (made(Column::Phone, &format!("+{a}"), ""), made(Column::Phone, &format!("00{b}"), ""));
        // After France's and Morocco's codes a zero in front of a whole number is a trunk zero.
        let without_zero = |n: &str| n.replacen("330", "33", 1).replacen("2120", "212", 1);
        prop_assume!(without_zero(&a) != without_zero(&b));
        prop_assert!(one.is_empty() || one != other, "{} {}", a, b);
    }

    #[test]
    fn documents_and_plates_in_any_format(text in "[A-Z]{1,3}[0-9]{5,9}[A-Z]{0,2}", marks in proptest::collection::vec(0usize..8, 1..12)) {
        for column in [Column::DocumentNumber, Column::Plate] {
            let plain = made(column, &text, "SN");
            prop_assert_eq!(made(column, &punctuated(&text, &marks).to_lowercase(), "SN"), plain.clone());
            prop_assert_eq!(made(column, &format!(" {text} "), "SN"), plain.clone());
            if !plain.is_empty() {
                prop_assert_ne!(made(column, &text, "GM"), plain);
            }
        }
    }

    #[test]
    fn emails_in_any_format(name in "[a-z][a-z0-9._+]{2,12}[a-z0-9]", domain in "[a-z][a-z0-9]{2,10}\\.(sn|com|org)") {
        let plain = made(Column::Email, &format!("{name}@{domain}"), "");
        prop_assert_eq!(plain.len(), 1);
        for text in [
            format!("{name}@{domain}").to_uppercase(),
            format!(" mailto:{name}@{domain} "),
            format!("<{name}@{domain}>"),
            format!("A Name <{name}@{domain}>"),
            format!("{name} @ {domain}."),
        ] {
            prop_assert_eq!(made(Column::Email, &text, ""), plain.clone(), "{}", text);
        }
    }
}
