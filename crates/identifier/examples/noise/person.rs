//! An invented person, and how a clerk writes one down.

use crate::{
    number::Numbers,
    random::{Random, Spread},
};

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

/// What the people of a register are like.
pub struct People {
    /// How many of a thousand have a second given name.
    pub second_names: usize,
    /// How many of a thousand have a birth date on which dates heap: years 0 and 5, the 1st and the 15th, 1 January.
    pub heaped: usize,
    /// How much more often the first names of a list are drawn than the others.
    pub spread: Spread,
}

/// A person as nobody wrote them down yet.
pub struct Person {
    surname: usize,
    given: Vec<usize>,
    birth: Date,
    numbers: Numbers,
}

impl Person {
    /// Draws one; the serial keeps numbers apart.
    pub fn draw(serial: &mut u64, names: &Names, people: &People, random: &mut Random) -> Person {
        *serial += 1;
        let count = if random.happens(people.second_names) { 2 } else { 1 };
        let mut birth = (1950 + random.below(55), 1 + random.below(12), 1 + random.below(28));
        if random.happens(people.heaped) {
            match random.below(4) {
                0 => birth.0 = birth.0 / 5 * 5,
                1 => birth.2 = 1,
                2 => birth.2 = 15,
                _ => (birth.1, birth.2) = (1, 1),
            }
        }
        Person {
            surname: random.ranked(names.surnames.len(), people.spread),
            given: (0..count).map(|_| random.ranked(names.given.len(), people.spread)).collect(),
            birth,
            numbers: Numbers::draw(*serial, random),
        }
    }
}

/// Year, month and day.
type Date = (usize, usize, usize);

/// What a clerk wrote.
pub struct Row {
    /// The cells, without the reference.
    pub cells: Vec<String>,
    /// What the names that were written stand for, with the date that was, day and month in either order: what a key of names
    /// without any error would compare. Empty without a full date.
    pub key: String,
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

    /// As these two, but with few faults: nine dates of ten are right, or right with day and month exchanged, and no name is left out.
    pub fn mild(self) -> Clerk {
        let few = |rate: usize| rate / 2;
        Clerk {
            shortened: 0,
            shifted: few(self.shifted),
            collapsed: few(self.collapsed),
            wrong_digit: 0,
            no_date: few(self.no_date),
            ..self
        }
    }

    /// Always another spelling than the usual one, where there is one.
    pub fn by_ear(self) -> Clerk {
        Clerk { spelling: 1000, ..self }
    }

    /// One row, without the reference.
    pub fn row(
        &self,
        person: &Person,
        names: &Names,
        with_names: bool,
        with_numbers: bool,
        random: &mut Random,
    ) -> Row {
        let mut row = vec![String::new(); COLUMNS.len() - 1];
        let mut key = String::new();
        row[0] = "person".to_owned();
        if with_names {
            let mut given: Vec<String> =
                person.given.iter().map(|name| self.spell(&names.given[*name], random)).collect();
            let mut surname = self.spell(&names.surnames[person.surname], random);
            let mut written = person.given.clone();
            if given.len() > 1 && random.happens(self.shortened) {
                let gone = random.below(given.len());
                given.remove(gone);
                written.remove(gone);
            }
            written.sort_unstable();
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
            let date;
            (row[4], date) = self.date(person.birth, random);
            key = date.map_or(key, |(year, month, day)| {
                let (low, high) = (month.min(day), month.max(day));
                format!("{} {written:?} {year} {low} {high}", person.surname)
            });
        }
        if with_numbers {
            person.numbers.write(&mut row[5..], self.formats, random);
        }
        Row { cells: row, key }
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

    fn date(&self, birth: Date, random: &mut Random) -> (String, Option<Date>) {
        let (mut year, mut month, mut day) = birth;
        if random.happens(self.no_date) {
            return (String::new(), None);
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
        let text = match random.below(3) {
            0 if self.formats => format!("{day:02}/{month:02}/{year}"),
            1 if self.formats => format!("{day:02}-{month:02}-{year}"),
            _ => format!("{year}-{month:02}-{day:02}"),
        };
        // 1 January says that nobody knows the day: no key has it.
        (text, if (month, day) == (1, 1) { None } else { Some((year, month, day)) })
    }
}
