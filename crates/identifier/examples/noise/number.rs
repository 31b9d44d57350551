//! Numbers of an invented person, and the formats that people write them in.

use crate::random::Random;

/// One of each.
pub struct Numbers {
    has: u64,
    phone: (usize, String),
    passport: String,
    serial: u64,
    plate: String,
    iban: String,
}

/// Calling code, how mobile numbers begin, and how many digits follow.
const PLANS: [(&str, &str, usize); 7] = [
    ("221", "77", 7),
    ("223", "76", 6),
    ("220", "7", 6),
    ("224", "62", 7),
    ("225", "07", 8),
    ("222", "46", 6),
    ("227", "96", 6),
];

impl Numbers {
    /// Draws them.
    pub fn draw(serial: u64, random: &mut Random) -> Numbers {
        let plan = random.below(PLANS.len());
        let letters = |random: &mut Random, n: usize| -> String {
            (0..n).map(|_| char::from(b'A' + random.below(26) as u8)).collect()
        };
        let account = random.digits(22);
        let body = format!("SN{account}");
        Numbers {
            // Whoever has nothing else has a telephone.
            has: random.next() | if serial.is_multiple_of(2) { 4 } else { 1 },
            phone: (plan, format!("{}{}", PLANS[plan].1, at_random(serial, PLANS[plan].2))),
            passport: format!("{}{}", letters(random, 1), random.digits(8)),
            serial,
            plate: format!("{}-{}-{}", letters(random, 2), random.digits(4), letters(random, 1)),
            iban: format!("SN{:02}{body}", check(&body)),
        }
    }

    /// Fills the cells from document_type on.
    pub fn write(&self, cells: &mut [String], noisy: bool, random: &mut Random) {
        let (code, _, _) = PLANS[self.phone.0];
        let national = &self.phone.1;
        if self.has & 3 != 0 {
            cells[0] = (*random.pick(if noisy { &["Passeport", "P", "passport"] } else { &["passport"] })).to_owned();
            cells[1] = (*random.pick(if noisy { &["Sénégal", "SEN", "sn", "SENEGAL"] } else { &["SN"] })).to_owned();
            cells[2] = if noisy { numbered(&self.passport, random) } else { self.passport.clone() };
        }
        if self.has & 12 != 0 {
            cells[3] = if noisy { dialled(code, national, random) } else { format!("+{code}{national}") };
        }
        if self.has & 48 == 0 {
            let address = format!("person.{}@example.sn", self.serial);
            cells[4] = match random.below(4) {
                0 if noisy => address.to_uppercase(),
                1 if noisy => format!("<{address}>"),
                2 if noisy => format!(" mailto:{address} "),
                _ => address,
            };
        }
        if self.has & 192 == 0 {
            cells[5] =
                if noisy { spaced(&self.plate.replace('-', ""), random).to_lowercase() } else { self.plate.clone() };
        }
        if self.has & 768 == 0 {
            cells[6] = if noisy { spaced(&self.iban, random).to_lowercase() } else { self.iban.clone() };
        }
        if self.has & 3072 == 0 {
            cells[7] = if noisy { dialled(code, national, random) } else { format!("+{code}{national}") };
        }
    }
}

/// So many digits that no other serial has, and that do not count up with it.
fn at_random(serial: u64, digits: usize) -> String {
    let size = 10u64.pow(digits as u32);
    format!("{:0digits$}", (serial % size * 379_009) % size)
}

/// An international number as people write it.
fn dialled(code: &str, national: &str, random: &mut Random) -> String {
    let national = spaced(national, random);
    match random.below(6) {
        0 => format!("00{code}{national}"),
        1 => format!("+{code} {national}"),
        2 => format!("(+{code}) {national}"),
        3 => format!("tel:+{code}-{national}"),
        4 => format!("00 {code} {national}"),
        _ => format!("+{code}{national}"),
    }
}

/// A document's number as people write it; sometimes a machine or a tired eye read it.
fn numbered(number: &str, random: &mut Random) -> String {
    match random.below(6) {
        0 => format!("N° {number}"),
        1 => number.to_lowercase(),
        2 => spaced(number, random),
        3 => number[..1].to_owned() + &number[1..].replacen('0', "O", 1),
        4 => format!("passeport: {number}"),
        _ => number.to_owned(),
    }
}

/// Spaces, dots or hyphens between groups of two to four characters.
fn spaced(text: &str, random: &mut Random) -> String {
    let mark = *random.pick(&["", " ", "-", ".", "\u{a0}"]);
    let size = 2 + random.below(3);
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(size).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(mark)
}

/// The check digits of an IBAN of Senegal with this body (ISO 7064, mod 97-10).
fn check(body: &str) -> u64 {
    let digits = format!("{body}SN00").chars().fold(String::new(), |mut out, c| {
        out.push_str(&c.to_digit(36).unwrap_or(0).to_string());
        out
    });
    98 - digits.bytes().fold(0u64, |rest, b| (rest * 10 + u64::from(b - b'0')) % 97)
}
