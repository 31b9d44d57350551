//! R30: what a unit says of its officers, written otherwise than in the one allowed way, and entries that are refused.

use crate::federation::Federation;
use crate::mutation::{array, mutants};
use crate::plain::{decoded_again, fields_of};
use crate::stored::{blob, bytes, parsed, run, settle};
use protocol::message::Head;
use protocol::officer::{Certificate, MAX_OFFICERS, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use protocol::{Bytes, codec};
use serde_json::{Value, json};

const MALFORMED: &str = "malformed";
const NOT_CANONICAL: &str = "not-canonical";

fn key(byte: u8) -> OfficerKey {
    OfficerKey::from_secret(&[byte; 32])
}

fn certificate(federation: &Federation, number: u32, role: OfficerRole, key: &OfficerKey) -> Certificate {
    let name = NameOpening { name: "A. Officer".to_owned(), salt: Bytes([0xa1; 32]) };
    Certificate::new(&federation.id, &federation.gm, number, role, &name, key)
}

#[test]
fn r23_officers() {
    let outcome = |_: &Value, case: &Value| {
        let bytes = blob(&case["bytes"]);
        match decoded_again("OfficerEntry", &bytes) {
            Ok(again) => {
                assert_eq!(again, bytes, "{} was accepted in another form", case["name"]);
                Value::Null
            }
            Err(error) => error.code().into(),
        }
    };
    let federation = Federation::new();
    let certificate = certificate(&federation, 24, OfficerRole::Head, &key(0x91));
    let encoded = codec::encode(&certificate);
    let certified = |certificate: &[u8]| array(&[&[0], &array(&[certificate])]);
    let case = |name: &str, control: &str, bytes: &[u8], refused: Value| json!({"name": name, "control": control, "bytes": hex::encode(bytes), "refused": refused});
    let whole = certified(&encoded);
    assert_eq!(whole, OfficerEntry::Certified(certificate).to_bytes());
    let mut cases = vec![
        case("certified", "certified", &whole, Value::Null),
        case("revoked", "revoked", &OfficerEntry::Revoked(1).to_bytes(), Value::Null),
    ];
    for mutant in mutants(&encoded, fields_of("Certificate")) {
        let name = format!("certificate_{}", mutant.name);
        cases.push(case(&name, "certified", &certified(&mutant.bytes), mutant.refused.into()));
    }
    for (name, bytes, refused) in [
        ("no_bytes", vec![], MALFORMED),
        ("empty_array", vec![0x80], MALFORMED),
        ("choice_alone", vec![0x81, 1], MALFORMED),
        ("choice_unknown", vec![0x82, 2, 0x81, 1], MALFORMED),
        ("choice_negative", vec![0x82, 0x20, 0x81, 1], MALFORMED),
        ("choice_not_in_shortest_form", vec![0x82, 0x18, 1, 0x81, 1], NOT_CANONICAL),
        ("choice_of_another_type", vec![0x82, 0xa0, 0x81, 1], MALFORMED),
        ("third_item", vec![0x83, 1, 0x81, 1, 0], MALFORMED),
        ("array_of_indefinite_length", vec![0x9f, 1, 0x81, 1, 0xff], MALFORMED),
        ("number_not_in_an_array", vec![0x82, 1, 1], MALFORMED),
        ("number_missing", vec![0x82, 1, 0x80], MALFORMED),
        ("number_twice", vec![0x82, 1, 0x82, 1, 1], NOT_CANONICAL),
        ("number_in_an_array_of_indefinite_length", vec![0x82, 1, 0x9f, 1, 0xff], NOT_CANONICAL),
        ("number_not_in_shortest_form", vec![0x82, 1, 0x81, 0x18, 1], NOT_CANONICAL),
        ("number_above_32_bits", vec![0x82, 1, 0x81, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0], MALFORMED),
        ("number_for_certificate", vec![0x82, 0, 0x81, 1], MALFORMED),
        ("trailing_byte", vec![0x82, 1, 0x81, 1, 0], NOT_CANONICAL),
        ("map_for_array", vec![0xa1, 1, 0x81, 1], MALFORMED),
    ] {
        cases.push(case(name, "revoked", &bytes, refused.into()));
    }
    let made = json!({
        "what": "Entries about officers in another form than the one allowed: an array of the choice's number and an array \
                 of what it is about.",
        "rule": "R23", "source": "protocol/src/officer.rs, protocol/src/codec.rs",
        "codes": "malformed and not-canonical; a refused head is head-malformed or head-not-canonical to its sender",
        "cases": cases,
    });
    run(&settle("negative", "r23_officers.json", &made), 40, &[MALFORMED, NOT_CANONICAL], outcome);
}

#[test]
fn r30_officers() {
    // The entries of a case are applied in order; all but the last are accepted.
    let outcome = |file: &Value, case: &Value| {
        let (federation, unit) = (bytes(&file["federation"]), parsed(&case["unit"]));
        let mut officers = Officers::default();
        let mut last = Ok(());
        for entry in case["entries"].as_array().unwrap() {
            assert_eq!(last, Ok(()), "{}: refused before its last entry", case["name"]);
            last = officers.apply(&federation, &unit, &OfficerEntry::from_bytes(&blob(entry)).unwrap());
        }
        last.map_or_else(|error| error.code().into(), |()| Value::Null)
    };
    let federation = Federation::new();
    let made_by = |number, role, key: &OfficerKey| certificate(&federation, number, role, key);
    let head = made_by(1, OfficerRole::Head, &key(0x91));
    let legal = made_by(2, OfficerRole::LegalOfficer, &key(0x92));
    let by = |change: &dyn Fn(&mut Certificate)| {
        let mut certificate = head.clone();
        change(&mut certificate);
        OfficerEntry::Certified(certificate)
    };
    let (one, two, gone) =
        (OfficerEntry::Certified(head.clone()), OfficerEntry::Certified(legal), OfficerEntry::Revoked(1));
    let certified = |number, seed| OfficerEntry::Certified(made_by(number, OfficerRole::Head, &key(seed)));
    let elsewhere = |federation: &Bytes<32>, unit: &str| {
        let name = NameOpening { name: "A. Officer".to_owned(), salt: Bytes([0xa1; 32]) };
        let unit = unit.parse().unwrap();
        OfficerEntry::Certified(Certificate::new(federation, &unit, 1, OfficerRole::Head, &name, &key(0x91)))
    };
    let possession = |name: &'static str, entry: OfficerEntry| (name, "certified", vec![entry], "officer-possession");
    let accepted = [
        ("certified", vec![one.clone()]),
        ("two", vec![one.clone(), two.clone()]),
        ("highest_number", vec![certified(MAX_OFFICERS, 0x91)]),
        ("revoked", vec![one.clone(), gone.clone()]),
    ];
    let refused = [
        ("number_of_another", "two", vec![one.clone(), certified(1, 0x92)], "officer-number"),
        ("certified_twice", "two", vec![one.clone(), one.clone()], "officer-number"),
        ("number_of_one_revoked", "two", vec![one.clone(), gone.clone(), certified(1, 0x92)], "officer-number"),
        ("number_zero", "certified", vec![certified(0, 0x91)], "officer-number"),
        ("number_too_high", "highest_number", vec![certified(MAX_OFFICERS + 1, 0x91)], "officer-number"),
        ("key_of_another", "two", vec![one.clone(), certified(2, 0x91)], "officer-key"),
        ("key_of_one_revoked", "two", vec![one.clone(), gone.clone(), certified(2, 0x91)], "officer-key"),
        possession("role_changed", by(&|c| c.role = OfficerRole::LegalOfficer)),
        possession("number_changed", by(&|c| c.number = 2)),
        possession("key_substituted", by(&|c| c.key = key(0x92).public())),
        possession("name_substituted", by(&|c| c.name = Bytes([0xee; 32]))),
        possession("signature_of_zeros", by(&|c| c.possession = Bytes([0; 64]))),
        possession("signature_changed", by(&|c| c.possession.0[40] ^= 1)),
        possession("signed_for_another_unit", elsewhere(&federation.id, "SN")),
        possession("signed_for_another_federation", elsewhere(&Bytes([1; 32]), "GM")),
        ("unknown_revoked", "revoked", vec![one.clone(), OfficerEntry::Revoked(2)], "officer-unknown"),
        ("revoked_before_certified", "revoked", vec![gone.clone()], "officer-unknown"),
        ("revoked_twice", "revoked", vec![one.clone(), gone.clone(), gone.clone()], "officer-unknown"),
    ];
    let case = |name: &str, control: &str, entries: &[OfficerEntry], refused: Value| {
        let entries: Vec<String> = entries.iter().map(|entry| hex::encode(entry.to_bytes())).collect();
        json!({"name": name, "control": control, "unit": "GM", "entries": entries, "refused": refused})
    };
    let mut cases: Vec<Value> = accepted.iter().map(|(name, entries)| case(name, name, entries, Value::Null)).collect();
    cases.extend(refused.iter().map(|(name, control, entries, code)| case(name, control, entries, (*code).into())));
    let made = json!({
        "what": "Entries of one unit about its officers, applied in order: the last is refused, those before it are not.",
        "rule": "R30", "source": "protocol/src/officer.rs", "federation": federation.id.to_string(), "cases": cases,
    });
    let codes = ["officer-number", "officer-key", "officer-possession", "officer-unknown"];
    run(&settle("negative", "r30_officers.json", &made), 20, &codes, outcome);
}
