//! Files of vectors: making them again, comparing, and reading them back. Bytes are hexadecimal; what is long and dull
//! is `{"repeat": hex, "count": n}`, and a list stands for its parts one after the other.
#![allow(dead_code, reason = "each test uses its own part")]

use protocol::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Compares a file with what was made, or writes it when SUTURA_BLESS is set; gives what is stored.
pub(crate) fn settle(folder: &str, name: &str, made: &Value) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", folder, name].iter().collect();
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("SUTURA_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{name} is not what this code makes; SUTURA_BLESS=1 writes it anew");
    serde_json::from_str(&stored).unwrap()
}

/// The bytes that a value stands for.
pub(crate) fn blob(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => hex::decode(text).unwrap(),
        Value::Array(parts) => parts.iter().flat_map(blob).collect(),
        other => {
            let (part, count) = (blob(&other["repeat"]), other["count"].as_u64().unwrap() as usize);
            // one byte by another way: 256 MiB of zeros cost nothing
            if let [byte] = part[..] { vec![byte; count] } else { part.repeat(count) }
        }
    }
}

/// Exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(value: &Value) -> Bytes<N> {
    Bytes::from_slice(&blob(value)).unwrap_or_else(|| panic!("not {N} bytes: {value}"))
}

/// A text that is a name, or anything else that reads itself from text.
pub(crate) fn parsed<T: std::str::FromStr>(value: &Value) -> T {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not readable: {value}"))
}

/// A number.
pub(crate) fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value.as_u64().and_then(|n| n.try_into().ok()).unwrap_or_else(|| panic!("no such number: {value}"))
}

/// Runs every stored case: `outcome` gives null or the stable name of the error, from the file and the case alone.
///
/// Each case has a name of its own, and names its *control*: the untouched original, which must be accepted and must
/// differ from it. A case that is its own control is an original. Each of `codes` occurs, and no other.
pub(crate) fn run(stored: &Value, at_least: usize, codes: &[&str], outcome: impl Fn(&Value, &Value) -> Value) {
    let cases = stored["cases"].as_array().unwrap();
    let named: BTreeMap<&str, &Value> = cases.iter().map(|case| (case["name"].as_str().unwrap(), case)).collect();
    assert!(named.len() == cases.len(), "two cases of one name");
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let outcomes: BTreeMap<&str, Value> = named.iter().map(|(name, case)| (*name, outcome(stored, case))).collect();
    let occurring: BTreeSet<&str> = cases.iter().filter_map(|case| case["refused"].as_str()).collect();
    assert_eq!(occurring, codes.iter().copied().collect());
    for (name, case) in &named {
        assert_eq!(outcomes[name], case["refused"], "{name}");
        let control = case["control"].as_str().unwrap();
        assert!(outcomes[control].is_null(), "{control} is the control of {name}, and refused");
        assert!(without_name(case) != without_name(named[control]) || *name == control, "{name} is its control");
        assert!(case["refused"].is_string() || case["refused"].is_null(), "{name}");
    }
}

fn without_name(case: &Value) -> Value {
    let mut case = case.clone();
    for field in ["name", "refused", "control"] {
        case.as_object_mut().unwrap().remove(field);
    }
    case
}
