//! How well the key of a name brings its spellings together, and keeps other names apart.
//!
//! `cargo run --release -p identifier --example names -- GROUPS.txt... [--json] [--off RULE]... [--show]`
//!
//! Each line of a file is one name in several spellings, divided by commas. Recall: of all two spellings of a line, the share
//! with one key. Precision: of all two spellings with one key, the share that stand on one line. A spelling that stands on two
//! lines of a file belongs to both. `--show` prints what was missed and what was wrong.

use std::{collections::BTreeSet, error::Error, fs, process::ExitCode};

use identifier::{Rule, Rules, name_key};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("names: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let (mut files, mut as_json, mut show, mut rules) = (Vec::new(), false, false, Rules::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => as_json = true,
            "--show" => show = true,
            "--off" => {
                let name = arguments.next().ok_or("--off needs a rule")?;
                rules.off.insert(Rule::ALL.into_iter().find(|rule| rule.name() == name).ok_or("no such rule")?);
            }
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        return Err("usage: names GROUPS.txt... [--json] [--off RULE]... [--show]".into());
    }
    let mut rows = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let (recall, precision, count) = measure(&text, &rules, show);
        if !as_json {
            println!("{file}: {count} groups, recall {recall:.4}, precision {precision:.4}");
        }
        rows.push(serde_json::json!({"file": file, "groups": count, "recall": recall, "precision": precision}));
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    Ok(())
}

fn measure(text: &str, rules: &Rules, show: bool) -> (f64, f64, usize) {
    let mut spellings: Vec<(String, BTreeSet<usize>, String)> = Vec::new();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let mut groups = 0;
    for (group, line) in lines.enumerate() {
        groups += 1;
        for spelling in line.split(',').map(str::trim).filter(|spelling| !spelling.is_empty()) {
            match spellings.iter_mut().find(|(known, ..)| known == spelling) {
                Some((_, groups, _)) => {
                    groups.insert(group);
                }
                None => {
                    let key = name_key(spelling, rules).map(|key| key.to_string()).unwrap_or_default();
                    spellings.push((spelling.to_owned(), BTreeSet::from([group]), key));
                }
            }
        }
    }
    let (mut same, mut met, mut right) = (0usize, 0usize, 0usize);
    for (place, (one, groups, key)) in spellings.iter().enumerate() {
        for (other, other_groups, other_key) in &spellings[place + 1..] {
            let is_same = !groups.is_disjoint(other_groups);
            let has_met = key == other_key && !key.is_empty();
            same += usize::from(is_same);
            met += usize::from(has_met);
            right += usize::from(is_same && has_met);
            if show && is_same != has_met {
                println!("{} {one} ({key}), {other} ({other_key})", if is_same { "missed" } else { "wrong " });
            }
        }
    }
    let share = |part: usize, whole: usize| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
    (share(right, same), share(right, met), groups)
}
