//! Two invented registers that share some subjects, each written as another clerk would write it, and the truth about them.
//!
//! `cargo run --release -p identifier --example noise -- FOLDER [--seed N] [--records N] [--shared N] [--what names|identifiers|all]
//!  [--names GIVEN.txt SURNAMES.txt] [--second-names N] [--heaped N] [--spread usual|steep|even] [--mild] [--by-ear]`
//!
//! `--second-names` and `--heaped` of a thousand have a second given name, or a birth date on which dates heap; `--spread` says how
//! much more often the first names of a list are drawn; `--mild` halves the faults of dates and leaves no name out; `--by-ear` writes
//! each name in any of its spellings.
//!
//! Writes A.csv, B.csv and TRUTH.csv into the folder, for the `quality` example and for the exercise. The same seed and options
//! always write the same files. Nobody in them exists: names are drawn from lists, everything else from the generator.
//!
//! What it is not: a model of any register. The rates of each fault stand in one table (person.rs) and are guesses.

mod number;
mod person;
mod random;

use std::{collections::HashMap, error::Error, fs, path::Path, process::ExitCode};

use person::{Clerk, Names, People, Person, Row};
use random::{Random, Spread};

struct Options {
    folder: String,
    seed: u64,
    records: usize,
    shared: usize,
    with_names: bool,
    with_numbers: bool,
    names: Names,
    people: People,
    mild: bool,
    by_ear: bool,
}

fn main() -> ExitCode {
    match options().and_then(|options| write(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("noise: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        folder: String::new(),
        seed: 1,
        records: 20_000,
        shared: 500,
        with_names: true,
        with_numbers: true,
        names: Names::held_out(),
        people: People { second_names: 300, heaped: 0, spread: Spread::Usual },
        mild: false,
        by_ear: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--seed" => options.seed = value()?.parse()?,
            "--records" => options.records = value()?.parse()?,
            "--shared" => options.shared = value()?.parse()?,
            "--what" => {
                let what = value()?;
                options.with_names = what != "identifiers";
                options.with_numbers = what != "names";
            }
            "--names" => {
                let (given, surnames) = (value()?, value()?);
                options.names = Names::read(&fs::read_to_string(given)?, &fs::read_to_string(surnames)?);
            }
            "--second-names" => options.people.second_names = value()?.parse()?,
            "--heaped" => options.people.heaped = value()?.parse()?,
            "--spread" => {
                options.people.spread = match value()?.as_str() {
                    "usual" => Spread::Usual,
                    "steep" => Spread::Steep,
                    "even" => Spread::Even,
                    other => return Err(format!("no such spread: {other}").into()),
                };
            }
            "--mild" => options.mild = true,
            "--by-ear" => options.by_ear = true,
            folder => options.folder = folder.to_owned(),
        }
    }
    if options.folder.is_empty() {
        return Err("usage: noise FOLDER [--seed N] [--records N] [--shared N] [--what names|identifiers|all] \
                    [--names GIVEN.txt SURNAMES.txt] [--second-names N] [--heaped N] [--spread usual|steep|even] [--mild] [--by-ear]"
            .into());
    }
    options.shared = options.shared.min(options.records);
    Ok(options)
}

fn write(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&options.folder);
    fs::create_dir_all(folder)?;
    let mut random = Random::new(options.seed);
    let clerks = [Clerk::careful(), Clerk::hasty()]
        .map(|clerk| if options.mild { clerk.mild() } else { clerk })
        .map(|clerk| if options.by_ear { clerk.by_ear() } else { clerk });
    let mut rows: [Vec<Row>; 2] = [Vec::new(), Vec::new()];
    let mut serial = 0;
    for place in 0..options.records {
        // The first subjects are of both registers; the others of one each.
        let mut draw = || Person::draw(&mut serial, &options.names, &options.people, &mut random);
        let shared = draw();
        let other = if place < options.shared { None } else { Some(draw()) };
        let in_b = other.as_ref().unwrap_or(&shared);
        for (side, person) in [&shared, in_b].into_iter().enumerate() {
            let row = clerks[side].row(person, &options.names, options.with_names, options.with_numbers, &mut random);
            rows[side].push(row);
        }
    }
    let mut truth = csv::Writer::from_path(folder.join("TRUTH.csv"))?;
    let mut orders = [random.shuffled(options.records), random.shuffled(options.records)];
    let references: Vec<Vec<String>> = ["A", "B"]
        .into_iter()
        .zip(&orders)
        .map(|(side, order)| order.iter().map(|place| format!("{side}{:06}", place + 1)).collect())
        .collect();
    for (in_a, in_b) in references[0].iter().zip(&references[1]).take(options.shared) {
        truth.write_record([in_a, in_b])?;
    }
    truth.flush()?;
    for (side, name) in ["A.csv", "B.csv"].into_iter().enumerate() {
        let mut file = csv::Writer::from_path(folder.join(name))?;
        file.write_record(person::COLUMNS)?;
        let mut sorted: Vec<(usize, usize)> =
            orders[side].drain(..).enumerate().map(|(row, place)| (place, row)).collect();
        sorted.sort_unstable();
        for (_, row) in sorted {
            let mut cells = vec![references[side][row].clone()];
            cells.extend(rows[side][row].cells.iter().cloned());
            file.write_record(cells)?;
        }
        file.flush()?;
    }
    println!("{}: {} records each, {} shared", options.folder, options.records, options.shared);
    if options.with_names {
        println!("{}", without_errors(&rows, options.shared));
    }
    Ok(())
}

/// What a key of names without any error would find, with the exact or exchanged date: the measure for keys that have some.
fn without_errors(rows: &[Vec<Row>; 2], shared: usize) -> String {
    let mut in_b: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, row) in rows[1].iter().enumerate().filter(|(_, row)| !row.key.is_empty()) {
        in_b.entry(&row.key).or_default().push(place);
    }
    let (mut right, mut wrong) = (0, 0);
    for (place, row) in rows[0].iter().enumerate() {
        for other in in_b.get(row.key.as_str()).into_iter().flatten() {
            if *other == place && place < shared { right += 1 } else { wrong += 1 }
        }
    }
    let (shared, records) = (shared.max(1) as f64, rows[0].len().max(1) as f64);
    let (recall, wrong) = (f64::from(right) / shared, f64::from(wrong) * 1000.0 / records);
    format!("a key without errors, dates exact or exchanged: recall {recall:.3}, false per 1000 records {wrong:.2}")
}
