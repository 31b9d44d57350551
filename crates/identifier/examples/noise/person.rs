//! An invented person, and how a clerk writes one down.

use crate::{number::Numbers, random::Random};

/// The columns of both registers.
pub const COLUMNS: [&str; 14] = [
    "record",
    "subject",
    "surname",
    "given_names",
    "full_name",
    "birth_date",
    "document_type",
    "document_country",
    "document_number",
    "phone",
    "email",
    "plate",
    "iban",
    "mobile_money",
];

/// Names in groups of spellings.
pub struct Names {
    given: Vec<Vec<String>>,
    surnames: Vec<Vec<String>>,
}

impl Names {
    /// The groups that no rule was tuned on.
    pub fn held_out() -> Names {
        Names::read(
            include_str!("../../tests/data/names-held-out-given.txt"),
            include_str!("../../tests/data/names-held-out-surnames.txt"),
        )
    }

    /// Two texts with a group a line, its spellings divided by commas.
    pub fn read(given: &str, surnames: &str) -> Names {
        let groups = |text: &str| -> Vec<Vec<String>> {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| line.split(',').map(|name| name.trim().to_owned()).collect()).collect()
        };
        Names { given: groups(given), surnames: groups(surnames) }
    }
}

/// A person as nobody wrote them down yet.
pub struct Person {
    surname: usize,
    given: Vec<usize>,
    birth: (usize, usize, usize),
    numbers: Numbers,
}

impl Person {
    /// Draws one; the serial keeps numbers apart.
    pub fn draw(serial: &mut u64, names: &Names, random: &mut Random) -> Person {
        *serial += 1;
        let count = if random.happens(300) { 2 } else { 1 };
        let birth = (1950 + random.below(55), 1 + random.below(12), 1 + random.below(28));
        Person {
            surname: random.ranked(names.surnames.len()),
            given: (0..count).map(|_| random.ranked(names.given.len())).collect(),
            birth,
            numbers: Numbers::draw(*serial, random),
        }
    }
}

/// How a clerk works: how often, of a thousand records, each fault is made.
pub struct Clerk {
    /// Another spelling of a word.
    spelling: usize,
    /// All names in one cell, in either order.
    one_cell: usize,
    /// A title before the name.
    title: usize,
    /// A second given name left out.
    shortened: usize,
    /// A letter lost.
    lost_letter: usize,
    /// A letter typed for another.
    wrong_letter: usize,
    /// Day and month exchanged.
    swapped: usize,
    /// Day, month or year next to the right one.
    shifted: usize,
    /// Only the year, written as 1 January.
    collapsed: usize,
    /// A digit of the date typed wrong.
    wrong_digit: usize,
    /// The date left out.
    no_date: usize,
    /// Numbers in other formats.
    pub formats: bool,
}

impl Clerk {
    /// Writes as the identity card has it.
    pub fn careful() -> Clerk {
        Clerk {
            spelling: 300,
            one_cell: 0,
            title: 20,
            shortened: 50,
            lost_letter: 10,
            wrong_letter: 5,
            swapped: 5,
            shifted: 5,
            collapsed: 30,
            wrong_digit: 5,
            no_date: 5,
            formats: false,
        }
    }

    /// Writes by ear, in another country.
    pub fn hasty() -> Clerk {
        Clerk {
            spelling: 700,
            one_cell: 500,
            title: 80,
            shortened: 250,
            lost_letter: 60,
            wrong_letter: 20,
            swapped: 40,
            shifted: 40,
            collapsed: 50,
            wrong_digit: 15,
            no_date: 10,
            formats: true,
        }
    }

    /// One row, without the reference.
    pub fn row(
        &self,
        person: &Person,
        names: &Names,
        with_names: bool,
        with_numbers: bool,
        random: &mut Random,
    ) -> Vec<String> {
        let mut row = vec![String::new(); COLUMNS.len() - 1];
        row[0] = "person".to_owned();
        if with_names {
            let mut given: Vec<String> =
                person.given.iter().map(|name| self.spell(&names.given[*name], random)).collect();
            let mut surname = self.spell(&names.surnames[person.surname], random);
            if given.len() > 1 && random.happens(self.shortened) {
                let gone = random.below(given.len());
                given.remove(gone);
            }
            let place = random.below(given.len() + 1);
            self.mistype(given.get_mut(place).unwrap_or(&mut surname), random);
            if random.happens(self.title) {
                let title = random.pick(&["El Hadj", "Mme", "Mr", "Hadja", "Imam"]);
                given.insert(0, (*title).to_owned());
            }
            if random.happens(500) {
                surname = surname.to_uppercase();
            }
            if random.happens(self.one_cell) {
                let given = given.join(" ");
                row[3] = if random.happens(500) { format!("{given} {surname}") } else { format!("{surname} {given}") };
            } else {
                row[1] = surname;
                row[2] = given.join(" ");
            }
            row[4] = self.date(person.birth, random);
        }
        if with_numbers {
            person.numbers.write(&mut row[5..], self.formats, random);
        }
        row
    }

    fn spell(&self, group: &[String], random: &mut Random) -> String {
        if random.happens(self.spelling) { random.pick(group).clone() } else { group[0].clone() }
    }

    fn mistype(&self, name: &mut String, random: &mut Random) {
        let mut letters: Vec<char> = name.chars().collect();
        if letters.len() < 3 {
            return;
        }
        let place = random.below(letters.len());
        if random.happens(self.lost_letter) {
            letters.remove(place);
        } else if random.happens(self.wrong_letter) {
            letters[place] = char::from(b'a' + random.below(26) as u8);
        }
        *name = letters.into_iter().collect();
    }

    fn date(&self, (mut year, mut month, mut day): (usize, usize, usize), random: &mut Random) -> String {
        if random.happens(self.no_date) {
            return String::new();
        }
        if random.happens(self.collapsed) {
            (month, day) = (1, 1);
        } else if random.happens(self.swapped) && day <= 12 {
            (month, day) = (day, month);
        } else if random.happens(self.shifted) {
            match random.below(4) {
                0 => day = day % 28 + 1,
                1 => day = (day + 25) % 28 + 1,
                2 => month = month % 12 + 1,
                _ => year += 1,
            }
        } else if random.happens(self.wrong_digit) {
            match random.below(3) {
                0 => year = year / 10 * 10 + random.below(10),
                1 => day = day / 10 * 10 + 1 + random.below(8),
                _ => year = 1900 + (50 + random.below(5) * 10) + year % 10,
            }
        }
        match random.below(3) {
            0 if self.formats => format!("{day:02}/{month:02}/{year}"),
            1 if self.formats => format!("{day:02}-{month:02}-{year}"),
            _ => format!("{year}-{month:02}-{day:02}"),
        }
    }
}
