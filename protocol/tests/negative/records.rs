//! R23, R34: heads, and what travels over HTTP, written otherwise than in the one allowed way.

use crate::examples::{Example, heads, mailbox};
use crate::mutation::mutants;
use crate::plain::{decoded_again, fields_of};
use crate::stored::{blob, run, settle};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One example of each record: its shortest, so that the files stay small.
fn shortest(examples: Vec<Example>) -> Vec<Example> {
    let mut out: BTreeMap<&str, Example> = BTreeMap::new();
    for example in examples {
        // A choice has encodings of its own kind of wrong: see officers.rs.
        if example.record == "OfficerEntry" {
            continue;
        }
        let shorter = out.get(example.record).is_none_or(|kept| example.encoded.len() < kept.encoded.len());
        if shorter {
            out.insert(example.record, example);
        }
    }
    out.into_values().collect()
}

fn outcome(_: &Value, case: &Value) -> Value {
    let bytes = blob(&case["bytes"]);
    match decoded_again(case["record"].as_str().unwrap(), &bytes) {
        Ok(again) => {
            assert_eq!(again, bytes, "{} was accepted in another form", case["name"]);
            Value::Null
        }
        Err(error) => error.code().into(),
    }
}

fn settled(file: &str, what: &str, rule: &str, examples: Vec<Example>, at_least: usize) {
    let mut cases = Vec::new();
    for example in shortest(examples) {
        let case = |name: &str, bytes: &[u8], refused: Value| {
            json!({
                "name": name, "control": example.name, "record": example.record,
                "bytes": hex::encode(bytes), "refused": refused,
            })
        };
        cases.push(case(&example.name, &example.encoded, Value::Null));
        for mutant in mutants(&example.encoded, fields_of(example.record)) {
            let name = format!("{}_{}", example.name, mutant.name);
            cases.push(case(&name, &mutant.bytes, mutant.refused.into()));
        }
    }
    let made = json!({
        "what": what, "rule": rule, "source": "protocol/src/codec.rs",
        "codes": "malformed and not-canonical; a refused head is head-malformed or head-not-canonical to its sender",
        "cases": cases,
    });
    run(&settle("negative", file, &made), at_least, &["malformed", "not-canonical"], outcome);
}

#[test]
fn r23_heads() {
    settled("r23_heads.json", "Heads in another form than the one allowed.", "R23", heads(), 250);
}

#[test]
fn r34_mailbox() {
    settled("r34_mailbox.json", "Bodies of HTTP in another form than the one allowed.", "R34", mailbox(), 200);
}
