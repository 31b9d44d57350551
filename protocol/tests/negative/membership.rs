//! R6: invites that were damaged on the way, and roster entries that the unit they name did not sign.

use crate::federation::{Federation, NAME, TITLE};
use crate::mutation::mutants;
use crate::stored::{blob, bytes, run, settle};
use protocol::invite::{Invite, NotAnInvite};
use protocol::message::{Head, RosterEntry, Standing};
use protocol::roster::{Roster, join_entry};
use protocol::{Bytes, codec, label};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PREFIX: &str = "sutura-invite-1-";

/// The text of any encoding, with the right check at its end.
fn checked(encoded: &[u8]) -> String {
    let check = Sha256::new().chain_update(label::INVITE).chain_update([0]).chain_update(encoded).finalize();
    format!("{PREFIX}{}{}", hex::encode(encoded), hex::encode(&check[..4]))
}

#[test]
fn invites() {
    let outcome = |_: &Value, case: &Value| {
        let read = case["text"].as_str().unwrap().parse::<Invite>();
        read.map_or_else(|error: NotAnInvite| error.code().into(), |_| Value::Null)
    };
    let invite = Invite {
        federation: NAME.to_owned(),
        broker: Bytes([0xb0; 32]),
        address: "broker.example:7443".to_owned(),
        authority: Bytes([0xca; 32]),
        unit: "GM".parse().unwrap(),
        token: Bytes([0x70; 32]),
    };
    let (text, encoded) = (invite.to_string(), codec::encode(&invite));
    assert_eq!(text, checked(&encoded));
    let digits = &text[PREFIX.len()..];
    let case = |name: &str, text: String| json!({"name": name, "control": "invite", "text": text, "refused": "invite-malformed"});
    let accepted = |name: &str, text: String| json!({"name": name, "control": name, "text": text, "refused": null});
    let at = |place: usize, with: &str| {
        let mut changed = text.clone();
        changed.replace_range(place..=place, with);
        changed
    };
    let changed = |hex: &str, place: usize| {
        let found = text.find(hex).unwrap() + place;
        at(found, if &text[found..=found] == "0" { "1" } else { "0" })
    };
    let exchanged = |place: usize| {
        let (one, two) = (&text[place..=place], &text[place + 1..place + 2]);
        assert_ne!(one, two);
        format!("{}{two}{one}{}", &text[..place], &text[place + 2..])
    };
    let mut cases = vec![
        accepted("invite", text.clone()),
        accepted("invite_between_spaces_and_line_ends", format!("  {text}\r\n")),
        accepted("invite_in_capital_digits", format!("{PREFIX}{}", digits.to_uppercase())),
        case("no_text", String::new()),
        case("prefix_alone", PREFIX.to_owned()),
        case("prefix_missing", digits.to_owned()),
        case("prefix_of_another_version", text.replace("invite-1-", "invite-2-")),
        case("prefix_in_capitals", text.replace("sutura", "SUTURA")),
        case("prefix_twice", format!("{PREFIX}{text}")),
        case("last_digit_missing", text[..text.len() - 1].to_owned()),
        case("last_byte_missing", text[..text.len() - 2].to_owned()),
        case("check_missing", text[..text.len() - 8].to_owned()),
        case("first_byte_missing", format!("{PREFIX}{}", &digits[2..])),
        case("second_half_missing", text[..text.len() / 2].to_owned()),
        case("digit_more", format!("{text}0")),
        case("byte_more", format!("{text}00")),
        case("said_twice", format!("{text}{text}")),
        case("space_within", format!("{} {}", &text[..100], &text[100..])),
        case("line_broken", format!("{}\n{}", &text[..100], &text[100..])),
        case("digit_that_is_a_letter_o", at(text.find("b0b0").unwrap() + 1, "o")),
        case("digits_exchanged", exchanged(text.find("b0b0").unwrap())),
        case("digit_of_the_federation_changed", changed(&hex::encode(NAME), 3)),
        case("digit_of_the_brokers_key_changed", changed("b0b0", 5)),
        case("digit_of_the_address_changed", changed(&hex::encode("broker.example"), 1)),
        case("digit_of_the_authority_changed", changed("caca", 0)),
        case("digit_of_the_unit_changed", changed(&hex::encode("GM"), 1)),
        case("digit_of_the_token_changed", changed("7070", 2)),
        case("digit_of_the_check_changed", at(text.len() - 1, if text.ends_with('0') { "1" } else { "0" })),
        case("too_long", format!("{text}{}", "00".repeat(2048))),
        case("digits_of_another_alphabet", format!("{PREFIX}{}", "zz".repeat(40))),
    ];
    let fields = ["federation", "broker", "address", "authority", "unit", "token"];
    for mutant in mutants(&encoded, &fields) {
        cases.push(case(&format!("encoding_{}", mutant.name), checked(&mutant.bytes)));
    }
    for (name, unit) in [("reserved", "@all"), ("empty", ""), ("too_long", &"x".repeat(33)), ("with_a_space", "G M")] {
        let parts = crate::mutation::items(&encoded);
        let unit = codec::encode(&unit);
        let encoded = crate::mutation::array(&[parts[0], parts[1], parts[2], parts[3], &unit, parts[5]]);
        cases.push(case(&format!("unit_{name}"), checked(&encoded)));
    }
    let made = json!({
        "what": "Invites, as text. Those whose name begins with encoding_ or unit_ have the right check at their end. For \
                 the form see wire/membership.json.",
        "rule": "R6", "source": "protocol/src/invite.rs", "cases": cases,
    });
    run(&settle("negative", "invite.json", &made), 60, &["invite-malformed"], outcome);
}

#[test]
fn r6_roster() {
    let outcome = |_: &Value, case: &Value| {
        let entry = RosterEntry::from_bytes(&blob(&case["entry"])).unwrap();
        let applied = Roster::default().apply(&bytes(&case["federation"]), &entry);
        applied.map_or_else(|error| error.code().into(), |_| Value::Null)
    };
    let federation = Federation::new();
    let (keys, other) = (&federation.gm_keys, &federation.sn_keys);
    let entry = join_entry(&federation.id, federation.gm.clone(), TITLE.to_owned(), keys);
    let case = |name: &str, entry: &RosterEntry, refused: Value| {
        json!({
            "name": name, "control": "entry", "federation": federation.id.to_string(),
            "entry": hex::encode(entry.to_bytes()), "refused": refused,
        })
    };
    let by = |change: &dyn Fn(&mut RosterEntry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        entry
    };
    let titled = |title: &str| join_entry(&federation.id, federation.gm.clone(), title.to_owned(), keys);
    let mut suspended = case("entry_suspended", &by(&|e| e.standing = Standing::Suspended), Value::Null);
    suspended["control"] = "entry_suspended".into();
    let mut longest = case("longest_title", &titled(&"x".repeat(200)), Value::Null);
    longest["control"] = "longest_title".into();
    let mut cases = vec![case("entry", &entry, Value::Null), suspended, longest];
    for (name, forged) in [
        ("another_name", by(&|e| e.unit = "SN".parse().unwrap())),
        ("another_title", by(&|e| e.title.push('.'))),
        (
            "title_moved_into_the_name",
            by(&|e| {
                e.unit = "GMT".parse().unwrap();
                e.title.remove(0);
            }),
        ),
        ("signing_key_substituted", by(&|e| e.keys.signing = other.signing.public())),
        ("sealing_key_substituted", by(&|e| e.keys.sealing = other.sealing.public())),
        ("both_keys_substituted", by(&|e| e.keys = other.public())),
        ("signature_changed", by(&|e| e.joined.0[40] ^= 1)),
        ("signature_of_zeros", by(&|e| e.joined = Bytes([0; 64]))),
        (
            "signature_of_another_unit",
            by(&|e| {
                e.joined = other.signing.sign(label::JOIN, &protocol::roster::join_message(&federation.id, e));
            }),
        ),
        (
            "signature_under_another_label",
            by(&|e| {
                e.joined = keys.signing.sign(label::ACCORD, &protocol::roster::join_message(&federation.id, e));
            }),
        ),
        ("signed_for_another_federation", join_entry(&Bytes([1; 32]), federation.gm.clone(), TITLE.to_owned(), keys)),
    ] {
        cases.push(case(name, &forged, "roster-not-signed-by-unit".into()));
    }
    for (name, title) in [
        ("title_too_long", "x".repeat(201)),
        ("title_with_a_line_end", "The\nGambia".to_owned()),
        ("title_with_an_escape", "\u{1b}[2JThe Gambia".to_owned()),
    ] {
        cases.push(case(name, &titled(&title), "roster-malformed".into()));
    }
    let made = json!({
        "what": "A roster entry as a unit reads it: signed by the unit it names, whatever the broker says.",
        "rule": "R6", "source": "protocol/src/roster.rs", "cases": cases,
    });
    run(&settle("negative", "r6_roster.json", &made), 16, &["roster-not-signed-by-unit", "roster-malformed"], outcome);
}
