//! Invented registers, from a seed, and what must be found in them.
//!
//! Persons, organisations and vehicles of seven units; some subjects stand in two or three registers, written in each as
//! that unit would write them. Caller: the story. *Not* the noise generator that measures identifiers: the differences
//! here are those of punctuation, case and prefix.

use crate::outcomes::Ending;
use anyhow::{Context, Result};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The seven units, with country code and title.
pub const UNITS: [(&str, &str, &str); 7] = [
    ("SN", "221", "Sénégal"),
    ("MR", "222", "Mauritanie"),
    ("GM", "220", "The Gambia"),
    ("NE", "227", "Niger"),
    ("ML", "223", "Mali"),
    ("CI", "225", "Côte d'Ivoire"),
    ("GN", "224", "Guinée"),
];

const SURNAMES: [&str; 14] = [
    "Diallo",
    "Ndiaye",
    "Traoré",
    "Camara",
    "Touré",
    "Ba",
    "Sow",
    "Keïta",
    "Coulibaly",
    "Barry",
    "Jallow",
    "Ceesay",
    "Ould Ahmed",
    "Issoufou",
];
const GIVEN: [&str; 12] = [
    "Amadou", "Fatou", "Ousmane", "Aminata", "Ibrahima", "Mariama", "Moussa", "Awa", "Cheikh", "Kadiatou", "Modou",
    "Salif",
];

/// A pair of records that must be found: unit and reference of each side, the units in order.
pub type Expected = BTreeSet<((String, String), (String, String))>;

/// What was invented.
pub struct Invented {
    /// Pairs of records that must surface.
    pub surfaced: Expected,
    /// Pairs that must be confirmed, and stay below the threshold. In large registers chance adds others.
    pub below: Expected,
    /// Of every two units: the references of the subject that these two alone share, in order of the units' names.
    pairs: BTreeMap<[String; 2], [String; 2]>,
    /// Two persons who share one telephone.
    shared_phone: [String; 2],
}

impl Invented {
    /// The records whose overlap was planted for an outcome, in the order of [`Ending::units`].
    pub fn planted(&self, ending: Ending) -> Option<[String; 2]> {
        if ending == Ending::FalseMatch {
            return Some(self.shared_phone.clone());
        }
        let [one, other] = ending.units().map(str::to_owned);
        let turned = one > other;
        let names = if turned { [other, one] } else { [one, other] };
        let [low, high] = self.pairs.get(&names)?.clone();
        Some(if turned { [high, low] } else { [low, high] })
    }
}

struct Row {
    reference: String,
    subject: &'static str,
    surname: String,
    given_names: String,
    birth_date: String,
    document_type: &'static str,
    document_number: String,
    phone: String,
    email: String,
    plate: String,
    plate_country: String,
    organisation_name: String,
}

/// Writes a register for each of the seven units into `folder`, and says what must be found.
pub fn invent(folder: &Path, seed: u64, records: usize) -> Result<Invented> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut rows: Vec<Vec<Row>> = (0..UNITS.len()).map(|_| Vec::new()).collect();
    let mut invented = Invented {
        surfaced: Expected::new(),
        below: Expected::new(),
        pairs: BTreeMap::new(),
        shared_phone: [String::new(), String::new()],
    };
    let mut subject = 0u32;
    let mut share = |rows: &mut Vec<Vec<Row>>, among: &[usize], weak: bool, rng: &mut ChaCha20Rng| {
        subject += 1;
        let shared = Subject::draw(subject, among[0], rng);
        let mut held: Vec<(String, String)> = Vec::new();
        for (turn, unit) in among.iter().enumerate() {
            let reference = format!("{}-{:04}", UNITS[*unit].0, rows[*unit].len() + 1);
            rows[*unit].push(shared.row(reference.clone(), turn, weak));
            held.push((UNITS[*unit].0.to_owned(), reference));
        }
        held.sort();
        if let ([(low, low_ref), (high, high_ref)], false) = (&held[..], weak) {
            let (names, references) = ([low.clone(), high.clone()], [low_ref.clone(), high_ref.clone()]);
            invented.pairs.insert(names, references);
        }
        let found = if weak { &mut invented.below } else { &mut invented.surfaced };
        for (i, first) in held.iter().enumerate() {
            found.extend(held[i + 1..].iter().map(|second| (first.clone(), second.clone())));
        }
    };
    for first in 0..UNITS.len() {
        for second in first + 1..UNITS.len() {
            share(&mut rows, &[first, second], false, &mut rng);
        }
    }
    for start in 0..4 {
        share(&mut rows, &[start, (start + 2) % 7, (start + 5) % 7], false, &mut rng);
    }
    for start in 0..3 {
        share(&mut rows, &[start, start + 3], true, &mut rng);
    }
    share_phone(&mut rows, &mut subject, &mut invented, &mut rng)?;
    for (unit, own) in rows.iter_mut().enumerate() {
        while own.len() < records {
            subject += 1;
            let alone = Subject::draw(subject, unit, &mut rng);
            own.push(alone.row(format!("{}-{:04}", UNITS[unit].0, own.len() + 1), 0, false));
        }
    }
    for (unit, own) in rows.iter().enumerate() {
        write(&folder.join(format!("{}.csv", UNITS[unit].0)), own)?;
    }
    Ok(invented)
}

/// Two persons, unknown to each other, with the telephone of one shop: an overlap that officers see, and that is none.
fn share_phone(rows: &mut [Vec<Row>], subject: &mut u32, invented: &mut Invented, rng: &mut ChaCha20Rng) -> Result<()> {
    let mut held = Vec::new();
    let mut shop: Option<Subject> = None;
    for (turn, name) in Ending::FalseMatch.units().into_iter().enumerate() {
        let unit = UNITS.iter().position(|(own, ..)| *own == name).context("a unit of the exercise")?;
        // Numbers that 3 divides are persons.
        *subject = (*subject / 3 + 1) * 3;
        let mut person = Subject::draw(*subject, unit, rng);
        if let Some(shop) = &shop {
            (person.home, person.phone) = (shop.home, shop.phone.clone());
        }
        let reference = format!("{name}-{:04}", rows[unit].len() + 1);
        rows[unit].push(person.row(reference.clone(), turn, false));
        held.push((name.to_owned(), reference.clone()));
        invented.shared_phone[turn] = reference;
        shop = Some(person);
    }
    held.sort();
    let [low, high] = <[(String, String); 2]>::try_from(held).ok().context("two units")?;
    invented.surfaced.insert((low, high));
    Ok(())
}

struct Subject {
    number: u32,
    home: usize,
    surname: &'static str,
    given: &'static str,
    birth: (u32, u32, u32),
    phone: String,
}

impl Subject {
    fn draw(number: u32, home: usize, rng: &mut ChaCha20Rng) -> Subject {
        let pick = |n: usize, rng: &mut ChaCha20Rng| rng.next_u32() as usize % n;
        // The number keeps subjects apart: no two ever share a phone or a document by chance.
        let phone = format!("{}{:05}", ["77", "22", "30", "90", "76", "070", "62"][home], 10_000 + number);
        let width = [9, 8, 7, 8, 8, 10, 9][home];
        let phone = format!("{phone}{}", "4".repeat(width - phone.len()));
        Subject {
            number,
            home,
            surname: SURNAMES[pick(SURNAMES.len(), rng)],
            given: GIVEN[pick(GIVEN.len(), rng)],
            birth: birth_date(number),
            phone,
        }
    }

    /// The subject as the `turn`-th unit writes it. A weak one shares its name and the year of birth only.
    fn row(&self, reference: String, turn: usize, weak: bool) -> Row {
        let (code, prefix, _) = UNITS[self.home];
        let kind = if weak { 0 } else { self.number % 3 };
        let mut row = Row {
            reference,
            subject: ["person", "organisation", "vehicle"][kind as usize],
            surname: String::new(),
            given_names: String::new(),
            birth_date: String::new(),
            document_type: "",
            document_number: String::new(),
            phone: String::new(),
            email: String::new(),
            plate: String::new(),
            plate_country: String::new(),
            organisation_name: String::new(),
        };
        let number = self.number;
        let (year, month, day) = self.birth;
        let phone = match turn {
            0 => format!("+{prefix} {}", self.phone),
            1 => format!("00{prefix}-{}-{}", &self.phone[..3], &self.phone[3..]),
            _ => format!("tel:+{prefix}.{}", self.phone),
        };
        match kind {
            0 => {
                row.surname =
                    if turn.is_multiple_of(2) { self.surname.to_owned() } else { self.surname.to_uppercase() };
                row.given_names = format!("{} {}", self.given, letters(number));
                row.birth_date = match turn {
                    _ if weak => format!("{year:04}"),
                    0 => format!("{year:04}-{month:02}-{day:02}"),
                    _ => format!("{day:02}/{month:02}/{year:04}"),
                };
                if !weak {
                    row.document_type = "passport";
                    row.document_number = match turn {
                        0 => format!("{code}{:07}", passport(number)),
                        _ => format!("{} {:07}", code.to_lowercase(), passport(number)),
                    };
                    row.phone = phone;
                }
            }
            1 => {
                row.organisation_name = format!("Transports {} SARL", letters(number));
                row.phone = phone;
                row.email = match turn {
                    0 => format!("bureau{number}@exemple.org"),
                    _ => format!("Bureau{number}@Exemple.ORG"),
                };
            }
            _ => {
                row.plate_country = code.to_owned();
                row.plate = match turn {
                    0 => format!("{} {:04} {}", &letters(number)[..2], 1000 + number % 9000, &letters(number)[2..3]),
                    _ => format!("{}-{:04}-{}", &letters(number)[..2], 1000 + number % 9000, &letters(number)[2..3])
                        .to_lowercase(),
                };
            }
        }
        if weak || kind == 0 {
            // The document's country: the unit that wrote it first.
            row.plate_country = String::new();
        }
        row
    }
}

/// Year, month and day: of two subjects the same after 14,580 of them only, else one common name more would be an overlap
/// by chance.
fn birth_date(number: u32) -> (u32, u32, u32) {
    const DAYS: u32 = 45 * 12 * 27;
    let day = number % DAYS * 7_919 % DAYS;
    (1960 + day / 324, 1 + day % 324 / 27, 2 + day % 27)
}

/// A passport's seven digits: those of two subjects differ in more than one, else they would support an overlap.
fn passport(number: u32) -> u64 {
    u64::from(number) * 7_368_787 % 10_000_000
}

/// A number as letters, so that names and plates of different subjects differ.
fn letters(mut number: u32) -> String {
    let mut out = String::new();
    for _ in 0..4 {
        out.push(char::from(b'A' + (number % 26) as u8));
        number /= 26;
    }
    out
}

fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let mut file = csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_record([
        "record",
        "subject",
        "surname",
        "given_names",
        "birth_date",
        "document_type",
        "document_number",
        "document_country",
        "phone",
        "email",
        "plate",
        "plate_country",
        "organisation_name",
    ])?;
    for row in rows {
        let country =
            if row.document_number.is_empty() { String::new() } else { row.document_number[..2].to_uppercase() };
        file.write_record([
            row.reference.as_str(),
            row.subject,
            &row.surname,
            &row.given_names,
            &row.birth_date,
            row.document_type,
            &row.document_number,
            &country,
            &row.phone,
            &row.email,
            &row.plate,
            &row.plate_country,
            &row.organisation_name,
        ])?;
    }
    file.flush()?;
    Ok(())
}
