//! The vectors of tests/vectors: language-neutral, one file for each kind, each case named after its form or fault.
//!
//! A case has `cells` (column → text), optional `country` (the default of the file) and `rules` (as in the accord), and
//! expects `tokens` (kind and fields, divided by `|`, sorted) and `refused` ("column index reason").

use std::{collections::BTreeMap, fs, path::Path};

use identifier::{Column, Country, Defaults, Record, Rules, Token, tokens};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    cells: BTreeMap<String, String>,
    tokens: Vec<String>,
    #[serde(default)]
    refused: Vec<String>,
    country: Option<Country>,
    rules: Option<Rules>,
}

fn readable(token: &Token) -> String {
    String::from_utf8_lossy(token.expose_secret()).replace(Token::SEPARATOR, "|")
}

#[test]
fn every_vector_gives_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let (mut count, mut faults) = (0, Vec::new());
    for entry in fs::read_dir(folder).expect("the folder of vectors") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("readable vectors");
        let cases: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for case in cases {
            count += 1;
            let cells: Vec<(Column, &str)> = case
                .cells
                .iter()
                .map(|(name, text)| (Column::by_name(name).expect("a known column"), text.as_str()))
                .collect();
            let defaults = Defaults { country: case.country, ..Defaults::default() };
            let found = tokens(&Record::from_cells(&cells, &defaults), &case.rules.unwrap_or_default());
            let mut expected = case.tokens.clone();
            expected.sort();
            let mut made: Vec<String> = found.tokens.iter().map(readable).collect();
            made.sort();
            let refused: Vec<String> =
                found.refused.iter().map(|r| format!("{} {} {}", r.column, r.index, r.reason.name())).collect();
            if made != expected || refused != case.refused {
                faults
                    .push(format!("{file}: {}: {made:?} {refused:?}, not {expected:?} {:?}", case.name, case.refused));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 500, "only {count} vectors were found");
}
