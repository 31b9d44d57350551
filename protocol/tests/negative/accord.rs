//! Accords that are none: each term out of its range on either side, texts that cannot be read, starts that do not
//! follow.

use crate::federation::{ACCORD, start};
use crate::plain::Plain;
use crate::stored::{number, run, settle};
use protocol::accord::{Accord, AccordError, MAX_TEXT};
use protocol::calendar::Start;
use serde_json::{Value, json};

fn start_of(value: &Value) -> Start {
    Start { epoch: number(&value["epoch"]), tick: number(&value["tick"]), at_ms: number(&value["at_ms"]) }
}

/// The text, with its padding of spaces if it names some.
fn text_of(case: &Value) -> String {
    let spaces = case["spaces"].as_u64().unwrap_or(0) as usize;
    format!("{}{}", case["text"].as_str().unwrap(), " ".repeat(spaces))
}

fn read(file: &Value, case: &Value) -> Result<(), AccordError> {
    let accord = Accord::new(&text_of(case), start_of(&case["start"]))?;
    if case["follows"].is_null() {
        return Ok(());
    }
    let before = Accord::new(file["accord"].as_str().unwrap(), start_of(&case["follows"])).unwrap();
    accord.check_follows(&before)
}

fn outcome(file: &Value, case: &Value) -> Value {
    match read(file, case) {
        Ok(()) => Value::Null,
        Err(error) => {
            if let AccordError::Term { term, .. } = &error {
                assert_eq!(*term, case["term"], "{}", case["name"]);
            }
            error.code().into()
        }
    }
}

/// A term, its table, the values that are allowed at its borders, and those beyond.
const TERMS: &[(&str, &str, &[i64], &[i64])] = &[
    ("ticks", "tick_ms", &[10, 604_800_000], &[9, 0, 604_800_001]),
    ("ticks", "epoch_ticks", &[21, 10_000_000], &[3, 0, 10_000_001]),
    ("ticks", "grace_ticks", &[1, 999], &[0, 1000, i64::MAX]),
    ("requests", "opening_max", &[256, 1 << 26], &[255, 0, (1 << 26) + 1]),
    ("requests", "bulk_max", &[0, 1 << 26], &[(1 << 26) + 1, i64::MAX]),
    ("requests", "small", &[1, 65_536], &[0, 65_537]),
    ("requests", "every", &[1, 1000], &[0, 1001]),
    ("tag_sets", "small", &[1, 65_536], &[0, 65_537]),
    ("tag_sets", "delay", &[0, 999], &[1000, i64::MAX]),
    ("acknowledgements", "slots", &[1, 4096], &[0, 4097]),
    ("acknowledgements", "patience_ticks", &[2, 10_000_000], &[1, 0, 10_000_001, i64::MAX]),
    ("canaries", "count", &[0, 256], &[257]),
    ("canaries", "window_ticks", &[1, 1000], &[0, 1001]),
];

/// The accord with one term changed.
fn with_term(table: &str, term: &str, value: &str) -> String {
    let (head, rest) = ACCORD.split_once(&format!("[{table}]\n")).unwrap();
    let (before, after) = rest.split_once(&format!("{term} = ")).unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    let text = format!("{head}[{table}]\n{before}{term} = {value}\n{after}");
    // where a term bounds others, these come along
    if term == "epoch_ticks" && value == "21" {
        return text.replace("grace_ticks = 20", "grace_ticks = 19");
    }
    text
}

#[test]
fn accords() {
    let case = |name: &str, text: &str, refused: Value| json!({"name": name, "control": "accord", "text": text, "start": start().plain(), "refused": refused});
    let mut cases = vec![case("accord", ACCORD, Value::Null)];
    for (table, term, allowed, beyond) in TERMS {
        for value in *allowed {
            let name = format!("{table}_{term}_{value}");
            let mut case = case(&name, &with_term(table, term, &value.to_string()), Value::Null);
            case["control"] = name.into();
            cases.push(case);
        }
        for value in *beyond {
            let name = format!("{table}_{term}_{value}");
            let mut case = case(&name, &with_term(table, term, &value.to_string()), "accord-term".into());
            case["term"] = format!("{table}.{term}").into();
            cases.push(case);
        }
        for (fault, value) in [("negative", "-1"), ("text", "\"1\""), ("fraction", "1.5")] {
            let text = with_term(table, term, value);
            cases.push(case(&format!("{table}_{term}_{fault}"), &text, "accord-unreadable".into()));
        }
    }
    for (name, title) in [("title_empty", String::new()), ("title_too_long", "x".repeat(201))] {
        let text = ACCORD.replace("Exercise accord", &title);
        let mut case = case(name, &text, "accord-term".into());
        case["term"] = "title".into();
        cases.push(case);
    }
    let gone = |line: &str| ACCORD.replace(line, "");
    for (name, text) in [
        ("no_text", String::new()),
        ("no_toml", "an accord".to_owned()),
        ("cut_in_a_term", ACCORD[..60].to_owned()),
        ("term_missing", gone("every = 2\n")),
        ("table_missing", gone("[canaries]\ncount = 2\nwindow_ticks = 8\n")),
        ("title_missing", gone("title = \"Exercise accord\"\n")),
        ("identifiers_missing", gone("[identifiers]\nversion = 1\n")),
        ("unknown_term", ACCORD.replace("every = 2", "every = 2\nquota = 9")),
        ("unknown_table", format!("{ACCORD}[broker]\nmay = \"decide\"\n")),
        ("term_twice", ACCORD.replace("every = 2", "every = 2\nevery = 3")),
        ("table_twice", format!("{ACCORD}[canaries]\n")),
        ("small_above_32_bits", with_term("requests", "small", "4294967296")),
        ("manual_is_no_table", ACCORD.replace("[ticks]", "manual = 1\n[ticks]")),
        ("rules_are_no_table", format!("{ACCORD}rules = 1\n")),
        ("title_with_a_control_character", ACCORD.replace("Exercise accord", "Exercise\u{1}accord")),
    ] {
        cases.push(case(name, &text, "accord-unreadable".into()));
    }
    cases.extend(nested(&case));
    cases.extend(long(&case));
    cases.extend(starts());
    let made = json!({
        "what": "An accord's text and start; `spaces` are to be added to the text; if it `follows` `accord` from there, it \
                 must begin where an epoch of it begins. `term` names the term that is refused.",
        "rule": "R23", "source": "protocol/src/accord.rs", "accord": ACCORD, "cases": cases,
    });
    run(
        &settle("negative", "accord.json", &made),
        110,
        &["accord-too-long", "accord-unreadable", "accord-term", "accord-start"],
        outcome,
    );
}

/// Opaque tables may nest, but not without end.
fn nested(case: &impl Fn(&str, &str, Value) -> Value) -> Vec<Value> {
    let lists = |depth: usize| format!("{ACCORD}[manual]\nx = {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let keys = |depth: usize| format!("{ACCORD}[manual]\n{}x = 1\n", "x.".repeat(depth));
    let mut shallow = case("manual_of_some_depth", &lists(20), Value::Null);
    shallow["control"] = "manual_of_some_depth".into();
    let mut out = vec![shallow];
    for (name, text) in [("manual_nested_too_deep", lists(200)), ("manual_with_keys_too_deep", keys(200))] {
        out.push(case(name, &text, "accord-unreadable".into()));
    }
    out
}

fn long(case: &impl Fn(&str, &str, Value) -> Value) -> Vec<Value> {
    let spaces = MAX_TEXT - ACCORD.len();
    let mut longest = case("longest_text", ACCORD, Value::Null);
    longest["control"] = "longest_text".into();
    longest["spaces"] = spaces.into();
    let mut too_long = case("text_too_long", ACCORD, "accord-too-long".into());
    too_long["control"] = "longest_text".into();
    too_long["spaces"] = (spaces + 1).into();
    vec![longest, too_long]
}

fn starts() -> Vec<Value> {
    let first = start();
    let second = Start { epoch: 2, tick: 1000, at_ms: first.at_ms + 60_000_000 };
    let amendment = |name: &str, start: Start, refused: Value| {
        json!({
            "name": name, "control": "amendment", "text": ACCORD, "start": start.plain(), "follows": first.plain(),
            "refused": refused,
        })
    };
    let refused = || Value::from("accord-start");
    let mut out = vec![
        amendment("amendment", second, Value::Null),
        amendment("amendment_of_the_same_epoch", first, refused()),
        amendment("amendment_one_tick_late", Start { tick: 1001, ..second }, refused()),
        amendment("amendment_one_tick_early", Start { tick: 999, ..second }, refused()),
        amendment("amendment_a_millisecond_late", Start { at_ms: second.at_ms + 1, ..second }, refused()),
        amendment("amendment_a_millisecond_early", Start { at_ms: second.at_ms - 1, ..second }, refused()),
        amendment("amendment_of_another_epochs_number", Start { epoch: 3, ..second }, refused()),
        amendment("amendment_of_the_last_epoch", Start { epoch: u32::MAX, ..second }, refused()),
        amendment("amendment_of_epoch_0", Start { epoch: 0, ..second }, refused()),
    ];
    let mut none = amendment("accord_of_epoch_0", Start { epoch: 0, ..first }, refused());
    none["control"] = "accord".into();
    none.as_object_mut().unwrap().remove("follows");
    out.push(none);
    out
}
