//! R23, R29, R30: acts written otherwise than in the one allowed way, and acts that are refused for their form.

use crate::examples::{statement, terms};
use crate::federation::Federation;
use crate::mutation::{array, items, mutants};
use crate::plain::{decoded_again, fields_of};
use crate::stored::{blob, bytes, run, settle};
use protocol::Bytes;
use protocol::act::{Act, Content, Statement};
use protocol::consent::ConsentKind;
use protocol::message::Head;
use protocol::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use serde_json::{Value, json};

const MALFORMED: &str = "malformed";
const NOT_CANONICAL: &str = "not-canonical";

fn key(byte: u8) -> OfficerKey {
    OfficerKey::from_secret(&[byte; 32])
}

#[test]
fn r23_acts() {
    let outcome = |_: &Value, case: &Value| {
        let bytes = blob(&case["bytes"]);
        match decoded_again("Act", &bytes) {
            Ok(again) => {
                assert_eq!(again, bytes, "{} was accepted in another form", case["name"]);
                Value::Null
            }
            Err(error) => error.code().into(),
        }
    };
    let federation = Federation::new();
    let act = Act::sign(statement(&federation, "acknowledge", Content::Nothing), 1, &key(0x91)).to_bytes();
    let parts = items(&act);
    let (said, signed) = (parts[0], parts[1]);
    let case = |name: &str, bytes: &[u8], refused: Value| json!({"name": name, "control": "act", "bytes": hex::encode(bytes), "refused": refused});
    let mut cases = vec![case("act", &act, Value::Null)];
    // Faults that only the whole shows: what is cut or doubled inside takes its neighbours with it.
    // And a choice in an array of indefinite length is malformed: it stands among the contents below.
    let elsewhere = ["no_bytes", "cut_by_one_byte", "trailing_byte", "said_twice", "content_of_indefinite_length"];
    let inside = |name: &str| !elsewhere.contains(&name);
    for mutant in mutants(said, fields_of("Statement")).into_iter().filter(|mutant| inside(&mutant.name)) {
        let name = format!("statement_{}", mutant.name);
        cases.push(case(&name, &array(&[&mutant.bytes, signed]), mutant.refused.into()));
    }
    for mutant in mutants(signed, fields_of("ActSignature")).into_iter().filter(|mutant| inside(&mutant.name)) {
        let name = format!("signature_{}", mutant.name);
        cases.push(case(&name, &array(&[said, &mutant.bytes]), mutant.refused.into()));
    }
    let at = fields_of("Statement").iter().position(|field| *field == "content").unwrap();
    assert_eq!(items(said)[at], [0x82, 0, 0x80]);
    let hash = [&[0x58, 32][..], &[7; 32]].concat();
    for (name, content, refused) in [
        ("empty_array", vec![0x80], MALFORMED),
        ("choice_alone", vec![0x81, 0], MALFORMED),
        ("choice_unknown", vec![0x82, 10, 0x80], MALFORMED),
        ("choice_negative", vec![0x82, 0x20, 0x80], MALFORMED),
        ("choice_not_in_shortest_form", vec![0x82, 0x18, 0, 0x80], NOT_CANONICAL),
        ("nothing_with_something", vec![0x82, 0, 0x81, 0], NOT_CANONICAL),
        ("array_of_indefinite_length", vec![0x9f, 0, 0x80, 0xff], MALFORMED),
        ("outcome_unknown", vec![0x82, 1, 0x81, 4], MALFORMED),
        ("outcome_missing", vec![0x82, 1, 0x80], MALFORMED),
        ("offer_with_null_for_nobody", vec![0x82, 1, 0x82, 0, 0xf6], NOT_CANONICAL),
        ("offer_of_no_name", vec![0x82, 1, 0x82, 1, 0x60], MALFORMED),
        ("consent_without_terms", vec![0x82, 2, 0x80], MALFORMED),
        ("parcel_without_head", vec![0x82, 3, 0x80], MALFORMED),
        ("receipt_of_a_short_hash", vec![0x82, 5, 0x81, 0x41, 7], MALFORMED),
        ("receipt_of_two", [&[0x82, 5, 0x82][..], &hash, &hash].concat(), NOT_CANONICAL),
    ] {
        let mut fields = items(said);
        fields[at] = &content;
        let name = format!("content_{name}");
        cases.push(case(&name, &array(&[&array(&fields), signed]), refused.into()));
    }
    let made = json!({
        "what": "Acts in another form than the one allowed. What an act carries is an array of the choice's number and an \
                 array of what it is about.",
        "rule": "R23", "source": "protocol/src/act.rs, protocol/src/codec.rs",
        "codes": "malformed and not-canonical; a refused head is head-malformed or head-not-canonical to its sender",
        "cases": cases,
    });
    run(&settle("negative", "r23_acts.json", &made), 80, &[MALFORMED, NOT_CANONICAL], outcome);
}

/// Verifies an act for its sender, with the officers of the file.
fn verified(file: &Value, case: &Value) -> Value {
    let federation = bytes(&file["federation"]);
    let mut officers = Officers::default();
    for entry in file["officers"].as_array().unwrap() {
        let unit = entry["unit"].as_str().unwrap().parse().unwrap();
        officers.apply(&federation, &unit, &OfficerEntry::from_bytes(&blob(&entry["entry"])).unwrap()).unwrap();
    }
    let act = Act::from_bytes(&blob(&case["act"])).unwrap();
    let sender = case["sender"].as_str().unwrap().parse().unwrap();
    let outcome = act.verify(&federation, &sender, &officers);
    outcome.map_or_else(|refused| refused.code().into(), |_| Value::Null)
}

#[test]
fn r30_acts() {
    let federation = Federation::new();
    let name = NameOpening { name: "A. Officer".to_owned(), salt: Bytes([0xa1; 32]) };
    let certify = |unit: &protocol::name::UnitName, number: u32, byte: u8| {
        let role = OfficerRole::Head;
        let entry = Certificate::new(&federation.id, unit, number, role, &name, &key(byte));
        json!({"unit": unit.as_str(), "entry": hex::encode(OfficerEntry::Certified(entry).to_bytes())})
    };
    let gone = OfficerEntry::Revoked(2).to_bytes();
    let officers = [
        certify(&federation.gm, 1, 0x91),
        certify(&federation.gm, 2, 0x92),
        certify(&federation.sn, 1, 0x93),
        json!({"unit": "GM", "entry": hex::encode(gone)}),
    ];
    let mut cases = Vec::new();
    let mut put = |name: &str, control: &str, sender: &str, act: &Act, refused: Value| {
        let act = hex::encode(act.to_bytes());
        cases.push(json!({"name": name, "control": control, "sender": sender, "act": act, "refused": refused}));
    };
    let said = || statement(&federation, "acknowledge", Content::Nothing);
    let sign = |said: Statement| Act::sign(said, 1, &key(0x91));
    let act = sign(said());
    put("act", "act", "GM", &act, Value::Null);
    let agents = Act::of_agent(statement(&federation, "deleted", Content::Deletion));
    put("act_of_an_agent", "act_of_an_agent", "GM", &agents, Value::Null);
    let consent = |kind| statement(&federation, "consent", Content::Consent(terms(&federation, kind)));
    let consented = sign(consent(ConsentKind::Parcel));
    put("consent", "consent", "GM", &consented, Value::Null);

    let place = || Value::from("act-place");
    let one = Bytes([1; 32]);
    let other = |change: &dyn Fn(&mut Statement)| {
        let mut changed = said();
        change(&mut changed);
        sign(changed)
    };
    put("sent_by_the_other_unit", "act", "SN", &act, place());
    put("sent_by_a_third_unit", "act", "NE", &act, place());
    put("of_another_federation", "act", "GM", &other(&|said| said.federation = one), place());
    put("units_exchanged", "act", "GM", &other(&|said| std::mem::swap(&mut said.low, &mut said.high)), place());
    put("with_itself", "act", "GM", &other(&|said| said.high = said.low.clone()), place());
    put("of_a_case_of_others", "act", "GM", &other(&|said| said.low = "BJ".parse().unwrap()), place());
    for (what, event) in [
        ("empty", String::new()),
        ("of_33_letters", "x".repeat(33)),
        ("in_capitals", "Acknowledge".into()),
        ("with_a_space", "take back".into()),
        ("with_an_accent", "écrire".into()),
        ("with_a_zero_byte", "same\0".into()),
    ] {
        let act = other(&|said| said.event.clone_from(&event));
        put(&format!("event_{what}"), "act", "GM", &act, "act-event".into());
    }
    let signature = || Value::from("act-signature");
    put("by_a_revoked_officer", "act", "GM", &Act::sign(said(), 2, &key(0x92)), signature());
    put("by_an_unknown_officer", "act", "GM", &Act::sign(said(), 3, &key(0x91)), signature());
    put("by_an_officer_of_the_other_unit", "act", "GM", &Act::sign(said(), 1, &key(0x93)), signature());
    put("in_anothers_name", "act", "GM", &Act::sign(said(), 1, &key(0x92)), signature());
    let mut moved = act.clone();
    moved.statement.round += 1;
    put("signature_of_another_round", "act", "GM", &moved, signature());
    let mut moved = act.clone();
    moved.statement.matter = one;
    put("signature_over_other_matter", "act", "GM", &moved, signature());
    let mut forged = act.clone();
    forged.officer.as_mut().unwrap().signature.0[0] ^= 1;
    put("signature_with_a_bit_flipped", "act", "GM", &forged, signature());

    let missing = || Value::from("act-consent");
    let mut unsigned = consented.clone();
    unsigned.officer.as_mut().unwrap().consent = None;
    put("consent_without_its_signature", "consent", "GM", &unsigned, missing());
    let mut signed = act.clone();
    signed.officer.as_mut().unwrap().consent = Some(Bytes([1; 64]));
    put("consents_signature_without_a_consent", "act", "GM", &signed, missing());
    let by_agent = Act::of_agent(consent(ConsentKind::Parcel));
    put("consent_of_an_agent", "consent", "GM", &by_agent, missing());
    let made = json!({
        "what": "Acts, verified for their sender with the federation's officers, who are certified and revoked in the order \
                 of `officers`. A case whose `refused` is null is accepted.",
        "rule": "R30", "source": "protocol/src/act.rs",
        "federation": federation.id.to_string(), "officers": officers, "cases": cases,
    });
    let codes = ["act-place", "act-event", "act-signature", "act-consent"];
    run(&settle("negative", "r30_acts.json", &made), 20, &codes, verified);
}
