//! Wild input for every column: values that are nearly right, mutated until they are not. Nothing panics, and no record costs more
//! than a bounded number of forms.
//!
//! Work is counted, not timed: what a record may cost is its forms before the accord's limit, so that limit is taken away here. The
//! seeds are values of each kind, so that the mutants pass the first checks of their kind and reach the last.

use identifier::{Column, Country, DateFormat, Defaults, MAX_CELL_BYTES, Record, Rule, Rules, tokens};
use proptest::prelude::*;

/// Values to begin with: for each column, what its kind reads.
fn seeds(column: Column) -> &'static [&'static str] {
    match column {
        Column::Phone | Column::MobileMoney => &[
            "+221 77 123 45 67",
            "00225 07 12 34 56",
            "+33 (0)6 12 34 56 78",
            "https://wa.me/221771234567?text=x",
            "771234567@s.whatsapp.net",
            "77 l23 45 O7 ext 12",
            "771234567 ou 781234567 / 33 821 00 71",
        ],
        Column::Email => {
            &["Awa Sow <awa.sow+x@gmail.com>", "a(at)b.sn", "a@xn--mnchen-3ya.de", "a@b,sn / 77", "a@b.sn;c@d.sn"]
        }
        Column::Social => &[
            "https://www.facebook.com/people/Awa-Sow/100012345/",
            "facebook.com/profile.php?id=1&x",
            "fb: awa.sow",
            "t.me/x_y",
            "whatsapp: +221 77 123 45 67",
            "@a",
        ],
        Column::DocumentNumber => &[
            "P<SENDIOP<<MOUSSA<<<<<<<<<<<<<<<<<<<<<<<<<<<A012345678SEN7408122M3012316<<<<<<<<<<<<<<02",
            "A012345678SEN7408122M3012316<<<<<<<<<<<<<<02",
            "I<SEN0A23456781<<<<<<<<<<<<<<<",
            "AB2134<<<5",
            "Passeport n° A 01 234.567",
            "CNI 1 751 1990 01234",
        ],
        Column::Iban => &["SN08 SN01 0015 2000 0485 0000 3035", "iban: CI93CI0080111301134291200589 (BICIS)"],
        Column::Imei | Column::Imsi => {
            &["IMEI1: 356938035643809", "35-693803-564380-9/860012031234564", "608010123456789"]
        }
        Column::Plate => &["N° DK-1234-AB", "immat. 1234 AA 00", "12345 أ 6"],
        Column::Vin => &["VIN: 1M8GDM9AXKP042788", "châssis VF1BMOR0H12345678"],
        Column::Imo | Column::Mmsi => &["IMO n° 9074729", "MMSI 663 123 456"],
        Column::Wallet => &[
            "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=1",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "ETH 0x52908400098527886E0F7030069857D2E4169EE7",
        ],
        Column::OrganisationName => {
            &["Ets. Sahel Transit & Cie S.A.R.L.", "Société à responsabilité limitée", "G.I.E. Teranga"]
        }
        Column::RegistrationNumber => &["RCCM: SN-DKR-2010-B-1234", "DAK 1234 P"],
        Column::VesselName => &["La pirogue Étoile de Mer II", "M/V X"],
        Column::BirthDate => &[
            "25/03/1987",
            "1987-03-25T00:00:00",
            "19870325",
            "née le 1er mars 1987",
            "March 25th, 1987",
            "00/00/1987",
            "1987",
        ],
        Column::Address => &["Villa 123, rue Félix Faure", "8|Stanley Street"],
        Column::Category => &["suspect|contact", "témoin"],
        Column::Subject => &["person", "organisation", "navire"],
        Column::Nationality | Column::DocumentCountry | Column::PlateCountry => {
            &["Sénégal", "SEN", "Republic of Guinea", "N/A", "ivoirienne"]
        }
        Column::DocumentType => &["Passeport", "CNI", "permis de conduire"],
        _ => &[
            "El Hadj Abdoul Aziz N'Diaye Ould Cheikh",
            "Mme DIALLO-Ba, Coumba Binta épouse Sow",
            "Mbxllo Qwrtz Nfpmara Kyiambdz",
            "abd el Kader|Sow",
            "inconnu",
        ],
    }
}

/// One change of a value.
#[derive(Clone, Debug)]
enum Change {
    Put(usize, String),
    Take(usize),
    Double,
    Exchange(usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![
        "[0-9A-Za-z<|/:;,.@+()°' -]",
        "[\\p{L}\\p{M}\\p{N}\\p{S}]",
        Just("\u{200f}".to_owned()),
        Just("\u{0301}".to_owned()),
        Just("ﷺ".to_owned()),
        Just("00".to_owned()),
        Just(" ;; ".to_owned()),
    ];
    prop_oneof![
        4 => (any::<usize>(), piece).prop_map(|(at, piece)| Change::Put(at, piece)),
        2 => any::<usize>().prop_map(Change::Take),
        1 => Just(Change::Double),
        1 => any::<usize>().prop_map(Change::Exchange),
        1 => any::<usize>().prop_map(Change::Cut),
    ]
}

fn changed(seed: &str, changes: &[Change]) -> String {
    let mut letters: Vec<char> = seed.chars().collect();
    for change in changes {
        let at = |place: &usize| place % letters.len().max(1);
        match change {
            Change::Put(place, piece) => {
                let at = at(place).min(letters.len());
                letters.splice(at..at, piece.chars());
            }
            Change::Take(place) if !letters.is_empty() => {
                letters.remove(at(place));
            }
            Change::Exchange(place) if letters.len() > 1 => {
                let at = place % (letters.len() - 1);
                letters.swap(at, at + 1);
            }
            // Twice as long, up to what a cell may be.
            Change::Double if letters.len() < MAX_CELL_BYTES => letters.extend_from_within(..),
            Change::Cut(place) => letters.truncate(at(place)),
            _ => {}
        }
    }
    letters.into_iter().collect()
}

/// A cell of any column: one of its seeds, or of another column's, and some changes.
fn cell() -> impl Strategy<Value = (Column, String)> {
    let column = || proptest::sample::select(Column::ALL);
    (column(), column(), any::<bool>(), any::<usize>(), proptest::collection::vec(change(), 0..9)).prop_map(
        |(column, other, own, pick, changes)| {
            let seeds = seeds(if own { column } else { other });
            (column, changed(seeds[pick % seeds.len()], &changes))
        },
    )
}

/// The most forms of one record: eight names and four dates of some two hundred routes each, and at most sixty-four values of some
/// twenty forms in each column of numbers.
const MOST_FORMS: usize = 8 * 4 * 256 + 16 * 64 * 20;

/// The tokens of a record under rules that leave none out, in the order they come.
fn made(cells: &[(Column, String)], off: Option<Rule>, defaults: &Defaults) -> Vec<Vec<u8>> {
    let mut rules = Rules::default();
    rules.most_tokens = u16::MAX;
    rules.off.extend(off);
    rules.off.extend([Rule::ProtectCategories, Rule::ProtectByAge]);
    let cells: Vec<(Column, &str)> = cells.iter().map(|(column, text)| (*column, text.as_str())).collect();
    let record = Record::from_cells(&cells, defaults);
    let found = tokens(&record, &rules);
    for refusal in &found.refused {
        assert!(!refusal.to_string().is_empty());
    }
    found.tokens.iter().map(|token| token.expose_secret().to_vec()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_record_panics_or_costs_without_bound(
        cells in proptest::collection::vec(cell(), 1..10),
        country in proptest::sample::select(vec!["", "SN", "CI", "FR", "US", "IT", "BJ"]),
        off in proptest::option::of(proptest::sample::select(Rule::ALL.to_vec())),
    ) {
        let dates = DateFormat::new("%Y%m%d").ok();
        let defaults = Defaults { country: Country::read(country), dates, ..Defaults::default() };
        let once = made(&cells, off, &defaults);
        prop_assert!(once.len() <= MOST_FORMS, "{} forms", once.len());
        prop_assert!(once.iter().all(|bytes| bytes.len() <= 2 * MAX_CELL_BYTES));
        prop_assert!(once.is_sorted());
        prop_assert_eq!(once, made(&cells, off, &defaults));
    }

    #[test]
    fn a_value_alone_costs_what_its_kind_costs(column in proptest::sample::select(Column::ALL), pick in any::<usize>(), changes in proptest::collection::vec(change(), 0..6)) {
        let seeds = seeds(column);
        let text = changed(seeds[pick % seeds.len()], &changes).replace('|', "");
        let defaults = Defaults { country: Country::read("SN"), ..Defaults::default() };
        let date = (Column::BirthDate, "1987-03-25".to_owned());
        let forms = made(&[(column, text), date], None, &defaults).len();
        // A name of sixteen words has most: its pairs, its words, its wholes and their neighbours.
        let most = match column {
            Column::Surname | Column::GivenNames | Column::FullName | Column::BirthDate => 256,
            // Clerks put several numbers in one cell; see the documentation.
            Column::Phone | Column::MobileMoney | Column::Email | Column::Imei | Column::Imsi => 2 * 64,
            _ => 21,
        };
        prop_assert!(forms <= most, "{forms} forms of a value in {column}");
    }
}

#[test]
fn the_longest_cells_are_read_in_bounded_forms() {
    let defaults = Defaults { country: Country::read("SN"), ..Defaults::default() };
    for column in Column::ALL {
        for seed in seeds(*column) {
            let mut value = String::new();
            while value.len() + seed.len() < MAX_CELL_BYTES {
                value.push_str(seed);
                value.push('|');
            }
            let date = (Column::BirthDate, "1987-03-25|1988-04-26|1989-05-27|1990-06-28|1991-07-29".to_owned());
            let forms = made(&[(*column, value), date], None, &defaults).len();
            assert!(forms <= MOST_FORMS, "{forms} forms in {column}");
        }
    }
    let names = ["Qwrtz Mbxllo Nfpmara Kyiambd Zzxaq Brrtu Klmno Pqrst"; 40].join("|");
    let dates = "1987-03-25|1988-04-26|1989-05-27|1990-06-28";
    let forms = made(&[(Column::FullName, names), (Column::BirthDate, dates.to_owned())], None, &defaults).len();
    assert!((100..=8 * 4 * 256).contains(&forms), "{forms}");
}
