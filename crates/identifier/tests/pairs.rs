//! Pairs of records as two clerks write them (tests/data/pairs.txt): those that investigators would match, and others.

use identifier::{Column, Country, Defaults, Kind, Record, Rules, Tier, surfaces, tokens};

const PAIRS: &str = include_str!("data/pairs.txt");

/// What meets of two records: kinds with their tiers.
fn met(one: [&str; 2], other: [&str; 2]) -> Vec<(Kind, Tier)> {
    let rules = Rules::default();
    let made = |[country, cells]: [&str; 2]| {
        let cells: Vec<(Column, &str)> = cells
            .split(" ;; ")
            .map(|cell| {
                let (column, text) = cell.split_once('=').unwrap_or_else(|| panic!("{cell} is no cell"));
                (Column::by_name(column).unwrap_or_else(|| panic!("{column} is no column")), text)
            })
            .collect();
        let defaults = Defaults { country: Country::read(country), ..Defaults::default() };
        tokens(&Record::from_cells(&cells, &defaults), &rules).tokens
    };
    let others = made(other);
    let is_met = |bytes: &[u8]| others.iter().any(|token| token.expose_secret() == bytes);
    made(one).iter().filter(|token| is_met(token.expose_secret())).map(|token| (token.kind, token.tier)).collect()
}

#[test]
fn pairs_meet_as_investigators_would_match_them() {
    let (mut count, mut faults) = (0, Vec::new());
    for line in PAIRS.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.splitn(5, " | ").map(str::trim).collect();
        let [verdict, country, cells, other_country, other_cells] = fields[..] else { panic!("{line}") };
        let met = met([country, cells], [other_country, other_cells]);
        let found = match surfaces(&met, &Rules::default()) {
            Some(_) => "A",
            None if met.is_empty() => "-",
            None => "B",
        };
        count += 1;
        if found != verdict {
            faults.push(format!("{found}, not {line}"));
        }
    }
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
    assert!(count >= 150, "only {count} pairs");
}
