//! What this build makes of the cases in vector files: the same files, with `tokens` and `refused` as they are now.
//!
//! `cargo run --release -p identifier --example vectors -- FILE.json...`
//!
//! For whoever adds cases: write the cells, run this, and read what changed before it is committed. The test in tests/vectors.rs
//! is what holds the files to the code.

use std::{error::Error, fs, process::ExitCode};

use identifier::{Column, Country, Defaults, Record, Rules, Token, tokens};
use serde_json::{Map, Value};

fn main() -> ExitCode {
    for file in std::env::args().skip(1) {
        if let Err(error) = fill(&file) {
            eprintln!("vectors: {file}: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn fill(file: &str) -> Result<(), Box<dyn Error>> {
    let cases: Vec<Map<String, Value>> = serde_json::from_str(&fs::read_to_string(file)?)?;
    let mut lines = Vec::new();
    for mut case in cases {
        let cells = case.get("cells").and_then(Value::as_object).ok_or("a case without cells")?;
        let cells: Option<Vec<(Column, &str)>> =
            cells.iter().map(|(name, text)| Some((Column::by_name(name)?, text.as_str()?))).collect();
        let country = case.get("country").and_then(Value::as_str).and_then(Country::read);
        let rules: Rules = match case.get("rules") {
            Some(rules) => serde_json::from_value(rules.clone())?,
            None => Rules::default(),
        };
        let record =
            Record::from_cells(&cells.ok_or("an unknown column")?, &Defaults { country, ..Defaults::default() });
        let found = tokens(&record, &rules);
        let mut made: Vec<String> = found
            .tokens
            .iter()
            .map(|token| String::from_utf8_lossy(token.expose_secret()).replace(Token::SEPARATOR, "|"))
            .collect();
        made.sort();
        let refused: Vec<String> =
            found.refused.iter().map(|r| format!("{} {} {}", r.column, r.index, r.reason.name())).collect();
        case.insert("tokens".into(), made.into());
        case.remove("refused");
        if !refused.is_empty() {
            case.insert("refused".into(), refused.into());
        }
        let mut fields = Vec::new();
        for name in ["name", "cells", "tokens", "refused", "country", "rules"] {
            if let Some(value) = case.get(name) {
                fields.push(format!("\"{name}\": {value}"));
            }
        }
        lines.push(format!("  {{{}}}", fields.join(", ")));
    }
    fs::write(file, format!("[\n{}\n]\n", lines.join(",\n")))?;
    Ok(())
}
