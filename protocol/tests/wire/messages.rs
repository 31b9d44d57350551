//! Heads, and what travels over HTTP: each record as fields and as bytes.

use crate::examples::{Example, heads, mailbox};
use crate::plain::{RECORDS, decoded_again, fields_of, numbers};
use crate::stored::{blob, settle};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn settled(file: &str, what: &str, examples: &[Example]) -> BTreeSet<&'static str> {
    let records: BTreeSet<&str> = examples.iter().map(|example| example.record).collect();
    let made = json!({
        "what": what,
        "source": "protocol/src/message.rs, protocol/src/officer.rs, protocol/src/act.rs, protocol/src/mailbox.rs",
        "numbers": numbers(),
        "order": RECORDS.iter().map(|(name, fields)| ((*name).to_owned(), json!(fields))).collect::<serde_json::Map<_, _>>(),
        "vectors": examples.iter().map(|example| json!({
            "name": example.name, "record": example.record, "what": example.what, "rule": example.rule,
            "fields": example.fields, "encoded": hex::encode(&example.encoded),
        })).collect::<Vec<_>>(),
    });
    for vector in settle("wire", file, &made)["vectors"].as_array().unwrap() {
        let encoded = blob(&vector["encoded"]);
        let record = vector["record"].as_str().unwrap();
        assert_eq!(decoded_again(record, &encoded), Ok(encoded), "{}", vector["name"]);
        let fields = vector["fields"].as_object().unwrap();
        assert!(fields_of(record).iter().all(|field| fields.contains_key(*field)), "{}", vector["name"]);
    }
    records
}

const WHAT: &str = "A record is a CBOR array of its fields in the given order, in RFC 8949's deterministic encoding; an \
    optional field that is absent ends the array before it. Bytes are byte strings, names and texts are text strings, \
    enumerators are their numbers. In `fields`, bytes are hexadecimal and null is an absent field.";

#[test]
fn heads_of_every_kind() {
    let records = settled("heads.json", WHAT, &heads());
    assert_eq!(records.len(), 18);
    let kinds: Value = numbers()["Kind"].clone();
    for kind in kinds.as_object().unwrap().keys() {
        assert!(
            records.contains(kind.as_str()) || ["Roster", "Officer"].contains(&kind.as_str()),
            "{kind} has no head"
        );
    }
}

#[test]
fn mailbox_and_log() {
    let records = settled("mailbox.json", WHAT, &mailbox());
    assert_eq!(records.len(), 11, "{records:?}");
}
