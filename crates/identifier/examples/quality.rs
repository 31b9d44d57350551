//! How well two registers meet: recall, precision and tokens per record, for each kind alone and with each rule off.
//!
//! `cargo run --release -p identifier --example quality -- A.csv B.csv TRUTH.csv [--json] [--country XX] [--country-b YY] [--rules FILE] [--quick] [--show]`
//!
//! Registers have the columns of the documentation; the truth has one `reference,reference` a line (a header line that names no
//! record is skipped). The surfacing rule is the accord's; there is no network. As in the protocol, a token that more than
//! eight records of a register hold is not met. `--quick` leaves out the runs without a rule; `--show` prints the references of
//! what was missed and what was wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    fs,
    process::ExitCode,
};

use identifier::{Column, Country, Defaults, Kind, Record, Rule, Rules, Tier, Token, surfaces, tokens};
use serde_json::{Value, json};

/// Above this number of records in one register a token says too little to be acknowledged (R18).
const MOST_RECORDS: usize = 8;

struct Register {
    references: Vec<String>,
    records: Vec<Record>,
}

struct Measured {
    recall: f64,
    precision: f64,
    found: usize,
    true_found: usize,
}

/// Pairs of records with what met in them.
type Met = BTreeMap<(usize, usize), Vec<(Kind, Tier, String)>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quality: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (mut files, mut as_json, mut quick, mut show, mut country, mut country_b, mut rules) =
        (Vec::new(), false, false, false, None, None, Rules::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => as_json = true,
            "--quick" => quick = true,
            "--show" => show = true,
            "--country" => country = Some(arguments.next().ok_or("--country needs a code")?.parse::<Country>()?),
            "--country-b" => country_b = Some(arguments.next().ok_or("--country-b needs a code")?.parse::<Country>()?),
            "--rules" => {
                rules = Rules::from_toml(&fs::read_to_string(arguments.next().ok_or("--rules needs a file")?)?)?;
            }
            _ => files.push(argument),
        }
    }
    let [a, b, truth] = files.as_slice() else {
        return Err(
            "usage: quality A.csv B.csv TRUTH.csv [--json] [--country XX] [--country-b YY] [--rules FILE] [--quick] [--show]"
                .into(),
        );
    };
    let (a, b) = (read_register(a, country)?, read_register(b, country_b.or(country))?);
    let truth = read_truth(truth, &a, &b)?;

    let met = meetings(&a, &b, &rules);
    let whole = measure(&met, &truth, &rules, |_| true);
    let began = std::time::Instant::now();
    let (median, largest, refused) = token_counts(&[&a, &b], &rules);
    let pace = (a.records.len() + b.records.len()) as f64 / began.elapsed().as_secs_f64().max(1e-9);
    if show {
        print_errors(&met, &truth, &rules, &a, &b);
    }
    let present: BTreeSet<Kind> = met.values().flatten().map(|(kind, ..)| *kind).collect();
    // A route by itself: pairs that meet in it at all, whatever its tier.
    let names: BTreeSet<&String> = met.values().flatten().map(|(_, _, route)| route).collect();
    let routes: Vec<(String, Measured)> = names
        .into_iter()
        .map(|name| {
            let found =
                met.iter().filter(|(_, met)| met.iter().any(|(_, _, route)| route == name)).map(|(pair, _)| *pair);
            (name.clone(), compare(found, &truth))
        })
        .collect();
    let mut without: Vec<(String, Measured)> = Vec::new();
    for rule in Rule::ALL {
        if quick {
            break;
        }
        let mut fewer = rules.clone();
        if fewer.off.insert(rule) {
            without.push((rule.name().into(), measure(&meetings(&a, &b, &fewer), &truth, &fewer, |_| true)));
        }
    }
    for kind in &present {
        without.push((format!("kind {kind}"), measure(&met, &truth, &rules, |known| known != *kind)));
    }

    if as_json {
        let rows = |rows: Vec<(String, Measured)>| -> Vec<Value> {
            rows.into_iter().map(|(name, m)| json!({"name": name, "recall": m.recall, "precision": m.precision, "found": m.found, "true": m.true_found})).collect()
        };
        let records = json!([a.records.len(), b.records.len()]);
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({
                "records": records, "truth": truth.len(), "recall": whole.recall, "precision": whole.precision,
                "found": whole.found, "true": whole.true_found,
                "false_per_1000_records": false_per_thousand(&whole, &a, &b),
                "tokens": {"median": median, "largest": largest}, "refused": refused, "records_per_second": pace.round(),
                "routes": rows(routes), "without": rows(without),
            }))?
        );
    } else {
        println!("{} and {} records, {} true pairs", a.records.len(), b.records.len(), truth.len());
        println!("tokens per record: median {median}, largest {largest}; values refused: {refused}");
        println!("made at {pace:.0} records a second on one core\n");
        println!("{:<28} {:>8} {:>10} {:>8} {:>8}", "", "recall", "precision", "found", "true");
        let line = |name: &str, m: &Measured| {
            println!("{name:<28} {:>8.4} {:>10.4} {:>8} {:>8}", m.recall, m.precision, m.found, m.true_found);
        };
        line("surfaced", &whole);
        println!("false surfaced per 1000 records: {:.2}", false_per_thousand(&whole, &a, &b));
        println!("\nby route");
        routes.iter().for_each(|(name, m)| line(name, m));
        println!("\nwithout");
        without.iter().for_each(|(name, m)| line(name, m));
    }
    Ok(())
}

fn read_register(path: &str, country: Option<Country>) -> Result<Register, Box<dyn Error>> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(|error| format!("{path}: {error}"))?;
    let columns: Vec<Option<Column>> = reader.headers()?.iter().map(Column::by_name).collect();
    let defaults = Defaults { country, ..Defaults::default() };
    let (mut references, mut records) = (Vec::new(), Vec::new());
    for row in reader.records() {
        let row = row.map_err(|error| format!("{path}: {error}"))?;
        let cells: Vec<(Column, &str)> =
            columns.iter().zip(row.iter()).filter_map(|(column, text)| Some(((*column)?, text))).collect();
        let record = Record::from_cells(&cells, &defaults);
        let Some(reference) = record.reference().map(str::to_owned) else { continue };
        references.push(reference);
        records.push(record);
    }
    Ok(Register { references, records })
}

fn read_truth(path: &str, a: &Register, b: &Register) -> Result<BTreeSet<(usize, usize)>, Box<dyn Error>> {
    let places = |register: &Register| -> HashMap<String, usize> {
        register.references.iter().enumerate().map(|(place, reference)| (reference.clone(), place)).collect()
    };
    let (in_a, in_b) = (places(a), places(b));
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_path(path)?;
    let mut truth = BTreeSet::new();
    for (line, row) in reader.records().enumerate() {
        let row = row?;
        let (Some(one), Some(other)) = (row.get(0), row.get(1)) else { continue };
        match (in_a.get(one), in_b.get(other)) {
            (Some(one), Some(other)) => {
                truth.insert((*one, *other));
            }
            _ if line == 0 => {}
            _ => return Err(format!("{path}, line {}: no such records", line + 1).into()),
        }
    }
    Ok(truth)
}

/// The records that hold a token, with its kind and tier.
type Holders = HashMap<Vec<u8>, (Kind, Tier, Vec<usize>)>;

fn holders(register: &Register, rules: &Rules) -> Holders {
    let mut holders = Holders::new();
    for (place, record) in register.records.iter().enumerate() {
        for token in tokens(record, rules).tokens {
            let entry = holders.entry(token.expose_secret().to_vec());
            entry.or_insert_with(|| (token.kind, token.tier, Vec::new())).2.push(place);
        }
    }
    holders
}

fn meetings(a: &Register, b: &Register, rules: &Rules) -> Met {
    let (in_a, in_b) = (holders(a, rules), holders(b, rules));
    let mut met = Met::new();
    for (bytes, (kind, tier, ours)) in &in_a {
        let Some((_, _, theirs)) = in_b.get(bytes) else { continue };
        if ours.len() > MOST_RECORDS || theirs.len() > MOST_RECORDS {
            continue;
        }
        for one in ours {
            for other in theirs {
                met.entry((*one, *other)).or_default().push((*kind, *tier, route(*kind, *tier, bytes)));
            }
        }
    }
    met
}

/// A kind with its tier; of persons and other kinds that meet in several ways, also the way.
fn route(kind: Kind, tier: Tier, bytes: &[u8]) -> String {
    let way = bytes.split(|b| char::from(*b) == Token::SEPARATOR).nth(1).unwrap_or_default();
    match kind {
        Kind::Person => format!("{kind} {} ({tier})", String::from_utf8_lossy(way)),
        _ => format!("{kind} ({tier})"),
    }
}

fn measure(met: &Met, truth: &BTreeSet<(usize, usize)>, rules: &Rules, counts: impl Fn(Kind) -> bool) -> Measured {
    let surfaced = met.iter().filter(|(_, met)| {
        let counted: Vec<(Kind, Tier)> =
            met.iter().filter(|(kind, ..)| counts(*kind)).map(|(kind, tier, _)| (*kind, *tier)).collect();
        surfaces(&counted, rules).is_some()
    });
    compare(surfaced.map(|(pair, _)| *pair), truth)
}

/// The pairs that were missed and those that are wrong, by their references, with the routes in which they met: for invented
/// registers, where there is nobody to protect.
fn print_errors(met: &Met, truth: &BTreeSet<(usize, usize)>, rules: &Rules, a: &Register, b: &Register) {
    let empty = Vec::new();
    let surfaced = |pair: &(usize, usize)| {
        let met: Vec<(Kind, Tier)> =
            met.get(pair).unwrap_or(&empty).iter().map(|(kind, tier, _)| (*kind, *tier)).collect();
        surfaces(&met, rules).is_some()
    };
    let print = |what: &str, pair: &(usize, usize)| {
        let routes: BTreeSet<&String> = met.get(pair).unwrap_or(&empty).iter().map(|(_, _, route)| route).collect();
        println!("{what}\t{}\t{}\t{routes:?}", a.references[pair.0], b.references[pair.1]);
    };
    truth.iter().filter(|pair| !surfaced(pair)).for_each(|pair| print("missed", pair));
    met.keys().filter(|pair| !truth.contains(pair) && surfaced(pair)).for_each(|pair| print("wrong", pair));
}

fn compare(found: impl Iterator<Item = (usize, usize)>, truth: &BTreeSet<(usize, usize)>) -> Measured {
    let found: Vec<(usize, usize)> = found.collect();
    let true_found = found.iter().filter(|pair| truth.contains(pair)).count();
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    Measured {
        recall: share(true_found, truth.len()),
        precision: share(true_found, found.len()),
        found: found.len(),
        true_found,
    }
}

fn false_per_thousand(whole: &Measured, a: &Register, b: &Register) -> f64 {
    let records = (a.records.len() + b.records.len()).max(1);
    (whole.found - whole.true_found) as f64 * 1000.0 / (records as f64 / 2.0)
}

fn token_counts(registers: &[&Register], rules: &Rules) -> (usize, usize, usize) {
    let mut refused = 0;
    let mut counts: Vec<usize> = Vec::new();
    for record in registers.iter().flat_map(|register| &register.records) {
        let found = tokens(record, rules);
        refused += found.refused.len();
        counts.push(found.tokens.len());
    }
    counts.sort_unstable();
    (counts.get(counts.len() / 2).copied().unwrap_or(0), counts.last().copied().unwrap_or(0), refused)
}
