//! Two invented registers that share some subjects, each written as another clerk would write it, and the truth about them.
//!
//! `cargo run --release -p identifier --example noise -- FOLDER [--seed N] [--records N] [--shared N] [--what names|identifiers|all]
//!  [--names GIVEN.txt SURNAMES.txt]`
//!
//! Writes A.csv, B.csv and TRUTH.csv into the folder, for the `quality` example and for the exercise. The same seed and options
//! always write the same files. Nobody in them exists: names are drawn from lists, everything else from the generator.
//!
//! What it is not: a model of any register. The rates of each fault stand in one table (person.rs) and are guesses.

mod number;
mod person;
mod random;

use std::{error::Error, fs, path::Path, process::ExitCode};

use person::{Clerk, Names, Person};
use random::Random;

struct Options {
    folder: String,
    seed: u64,
    records: usize,
    shared: usize,
    with_names: bool,
    with_numbers: bool,
    names: Names,
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
            folder => options.folder = folder.to_owned(),
        }
    }
    if options.folder.is_empty() {
        return Err("usage: noise FOLDER [--seed N] [--records N] [--shared N] [--what names|identifiers|all] \
                    [--names GIVEN.txt SURNAMES.txt]"
            .into());
    }
    options.shared = options.shared.min(options.records);
    Ok(options)
}

fn write(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&options.folder);
    fs::create_dir_all(folder)?;
    let mut random = Random::new(options.seed);
    let clerks = [Clerk::careful(), Clerk::hasty()];
    let mut rows: [Vec<Vec<String>>; 2] = [Vec::new(), Vec::new()];
    let mut serial = 0;
    for place in 0..options.records {
        // The first subjects are of both registers; the others of one each.
        let shared = Person::draw(&mut serial, &options.names, &mut random);
        let other =
            if place < options.shared { None } else { Some(Person::draw(&mut serial, &options.names, &mut random)) };
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
            cells.extend(rows[side][row].iter().cloned());
            file.write_record(cells)?;
        }
        file.flush()?;
    }
    println!("{}: {} records each, {} shared", options.folder, options.records, options.shared);
    Ok(())
}
