//! R18: acknowledgements that do not open, or that say nothing readable; and confirmations that their owner's key did
//! not make.

use crate::federation::{Federation, rng};
use crate::stored::{blob, bytes, number, parsed, run, settle};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use protocol::acknowledgement::{AcknowledgementError, Context, SLOT_LEN, Slot, Verdict, open, seal};
use protocol::name::UnitName;
use protocol::overlap::RecordNumber;
use protocol::psi::{Confirmation, MatchKey, PairSecret, Subkey};
use protocol::{Bytes, Hash};
use serde_json::{Value, json};

/// What the runner does: seal `slots` into room for `room`, or open `rows`.
fn outcome(file: &Value, case: &Value) -> Value {
    let secret = if case["pair_secret"].is_null() { &file["pair_secret"] } else { &case["pair_secret"] };
    let secret = PairSecret::from_secret(&bytes(secret).0);
    let (sender, digest): (UnitName, Hash) = (parsed(&case["sender"]), bytes(&case["digest"]));
    let context = Context { sender: &sender, epoch: number(&case["epoch"]), digest: &digest };
    let done = match case["slots"].as_array() {
        Some(slots) => {
            let slots: Vec<Slot> = slots.iter().map(slot_of).collect();
            seal(&secret, &context, &slots, number(&case["room"]), &mut rng(0)).map(drop)
        }
        None => open(&secret, &context, &blob(&case["rows"])).map(drop),
    };
    done.map_or_else(|error: AcknowledgementError| error.code().into(), |()| Value::Null)
}

fn slot_of(slot: &Value) -> Slot {
    let records = slot["records"].as_array().unwrap().iter().map(|n| RecordNumber(number(n))).collect();
    Slot { tag: bytes(&slot["tag"]), verdict: Verdict::Confirmed, records }
}

/// Seals any plaintext, as a dishonest peer could.
fn sealed(key: &Subkey, additional: &[u8], plain: &[u8]) -> Vec<u8> {
    let nonce = [0x24; 24];
    let cipher = XChaCha20Poly1305::new(&Key::from(*key.expose_secret()));
    let payload = Payload { msg: plain, aad: additional };
    [&nonce[..], &cipher.encrypt(&XNonce::from(nonce), payload).unwrap()].concat()
}

/// A slot's plaintext: tag, verdict, count, reserved bytes, numbers.
fn plain(tag: u8, verdict: u8, count: u8, reserved: [u8; 2], numbers: [u32; 8]) -> Vec<u8> {
    let head = [&[tag; 16][..], &[verdict, count], &reserved].concat();
    head.into_iter().chain(numbers.iter().flat_map(|n| n.to_be_bytes())).collect()
}

#[test]
fn r18_acknowledgements() {
    let federation = Federation::new();
    let (secret, digest): (_, Hash) = (&federation.secret, Bytes([0xd1; 32]));
    let (key, gm) = (secret.acknowledgement_key(), &federation.gm);
    let additional = [&1u32.to_be_bytes()[..], &digest.0, gm.as_str().as_bytes()].concat();
    let padding = vec![0; SLOT_LEN];
    let (one, two) = (plain(1, 1, 2, [0, 0], [7, 8, 0, 0, 0, 0, 0, 0]), plain(2, 3, 0, [0, 0], [0; 8]));
    let original = sealed(&key, &additional, &[&one[..], &two, &padding, &padding].concat());
    let context = Context { sender: gm, epoch: 1, digest: &digest };
    assert_eq!(open(secret, &context, &original).unwrap().len(), 2);

    let case = |name: &str, rows: &[u8], refused: Value| {
        json!({
            "name": name, "control": "acknowledgement", "sender": "GM", "epoch": 1, "digest": digest.to_string(),
            "rows": hex::encode(rows), "refused": refused,
        })
    };
    let mut cases = vec![case("acknowledgement", &original, Value::Null)];
    let unopened = || Value::from("acknowledgement-does-not-open");
    for (name, field, value) in [
        ("reflected", "sender", json!("SN")),
        ("of_a_third_unit", "sender", json!("NE")),
        ("replayed_for_another_cut", "digest", json!("d2".repeat(32))),
        ("replayed_for_another_epoch", "epoch", json!(2)),
        ("of_epoch_0", "epoch", json!(0)),
        ("under_another_pair_secret", "pair_secret", json!("5e".repeat(64))),
    ] {
        let mut case = case(name, &original, unopened());
        case[field] = value;
        cases.push(case);
    }
    let flipped = |at: usize| {
        let mut rows = original.clone();
        rows[at] ^= 1;
        rows
    };
    let slots = 24;
    let end = original.len() - 16;
    let swapped = [
        &original[..24],
        &original[24 + SLOT_LEN..24 + 2 * SLOT_LEN],
        &original[24..24 + SLOT_LEN],
        &original[24 + 2 * SLOT_LEN..],
    ];
    let other = sealed(&key, &additional, &[&two[..], &one, &padding, &padding].concat());
    for (name, rows) in [
        ("nonce_changed", flipped(0)),
        ("nonce_changed_at_its_end", flipped(23)),
        ("tag_of_a_slot_changed", flipped(slots)),
        ("verdict_of_a_slot_changed", flipped(slots + 16)),
        ("count_of_a_slot_changed", flipped(slots + 17)),
        ("record_of_a_slot_changed", flipped(slots + 23)),
        ("padding_slot_changed", flipped(slots + 3 * SLOT_LEN)),
        ("authentication_changed", flipped(end)),
        ("authentication_changed_at_its_end", flipped(end + 15)),
        ("slots_exchanged", swapped.concat()),
        ("slots_of_one_under_the_authentication_of_another", [&original[..end], &other[end..]].concat()),
        ("cut_by_one_byte", original[..original.len() - 1].to_vec()),
        ("cut_by_a_slot", [&original[..end - SLOT_LEN], &original[end..]].concat()),
        ("longer_by_one_byte", [&original[..], &[0]].concat()),
        ("longer_by_a_slot", [&original[..end], &padding, &original[end..]].concat()),
        ("without_nonce", original[24..].to_vec()),
        ("nonce_alone", original[..24].to_vec()),
        ("nonce_and_authentication_alone", [&original[..24], &original[end..]].concat()),
        ("shorter_than_a_nonce", original[..23].to_vec()),
        ("of_no_bytes", vec![]),
        ("of_zeros", vec![0; original.len()]),
        ("bound_to_nothing", sealed(&key, b"", &one)),
        ("bound_to_the_sender_alone", sealed(&key, gm.as_str().as_bytes(), &one)),
        ("sealed_with_the_key_of_handles", sealed(&secret.handle_key(), &additional, &one)),
    ] {
        cases.push(case(name, &rows, unopened()));
    }
    let numbers = [1, 2, 3, 4, 5, 6, 7, 8];
    for (name, plaintext) in [
        ("unknown_verdict", plain(1, 4, 1, [0, 0], [7, 0, 0, 0, 0, 0, 0, 0])),
        ("highest_verdict", plain(1, 255, 0, [0, 0], [0; 8])),
        ("no_verdict_with_a_tag", plain(1, 0, 0, [0, 0], [0; 8])),
        ("no_verdict_with_a_count", plain(0, 0, 1, [0, 0], [0; 8])),
        ("no_verdict_with_a_record", plain(0, 0, 0, [0, 0], [0, 0, 0, 0, 0, 0, 0, 1])),
        ("too_many_records", plain(1, 1, 9, [0, 0], numbers)),
        ("highest_count", plain(1, 1, 255, [0, 0], numbers)),
        ("first_reserved_byte_not_zero", plain(1, 1, 0, [1, 0], [0; 8])),
        ("second_reserved_byte_not_zero", plain(1, 1, 0, [0, 1], [0; 8])),
        ("record_without_count", plain(1, 1, 0, [0, 0], [7, 0, 0, 0, 0, 0, 0, 0])),
        ("record_after_the_last", plain(1, 1, 2, [0, 0], [7, 8, 9, 0, 0, 0, 0, 0])),
        ("record_in_the_last_place", plain(1, 1, 7, [0, 0], numbers)),
        ("padding_not_zero", [one.clone(), plain(0, 0, 0, [0, 1], [0; 8])].concat()),
        ("second_slot_unreadable", [one.clone(), plain(2, 7, 0, [0, 0], [0; 8])].concat()),
        ("half_a_slot", one[..26].to_vec()),
        ("one_byte_short_of_a_slot", one[..SLOT_LEN - 1].to_vec()),
        ("one_byte_more_than_a_slot", [&one[..], &[0]].concat()),
    ] {
        cases.push(case(name, &sealed(&key, &additional, &plaintext), "acknowledgement-malformed".into()));
    }
    cases.extend(sealing(&digest));
    let made = json!({
        "what": "Opening `rows` as the acknowledgement of `sender` for this epoch and cut under the pair secret, or, where \
                 there are `slots`, sealing them into room for so many. For the form see wire/acknowledgements.json.",
        "rule": "R18", "source": "protocol/src/acknowledgement.rs",
        "pair_secret": hex::encode(secret.expose_secret()), "cases": cases,
    });
    run(
        &settle("negative", "r18_acknowledgements.json", &made),
        50,
        &["acknowledgement-does-not-open", "acknowledgement-malformed", "acknowledgement-too-many"],
        outcome,
    );
}

fn sealing(digest: &Hash) -> Vec<Value> {
    let slot =
        |tag: u8, records: u32| json!({"tag": hex::encode([tag; 16]), "records": (0..records).collect::<Vec<_>>()});
    let case = |name: &str, room: usize, slots: &[Value], refused: Value| {
        json!({
            "name": name, "control": "as_many_slots_as_room", "sender": "GM", "epoch": 1, "digest": digest.to_string(),
            "slots": slots, "room": room, "refused": refused,
        })
    };
    let too_many = || Value::from("acknowledgement-too-many");
    vec![
        case("as_many_slots_as_room", 2, &[slot(1, 8), slot(2, 0)], Value::Null),
        case("a_slot_more_than_room", 1, &[slot(1, 8), slot(2, 0)], too_many()),
        case("no_room", 0, &[slot(1, 1)], too_many()),
        case("nine_records_in_a_slot", 2, &[slot(1, 8), slot(2, 9)], too_many()),
        case("records_without_end_in_a_slot", 2, &[slot(1, 300), slot(2, 0)], too_many()),
    ]
}

#[test]
fn r18_confirmations() {
    let outcome = |_: &Value, case: &Value| {
        let key = MatchKey::from_secret(&bytes(&case["match_key"]).0);
        let checked = Confirmation(bytes(&case["confirmation"]).0).check(&key, &parsed(&case["owner"]));
        checked.map_or_else(|_| "confirmation-wrong".into(), |()| Value::Null)
    };
    let key = [0x4b; 32];
    let of = |owner: &str| Confirmation::new(&MatchKey::from_secret(&key), &owner.parse().unwrap()).0;
    let (sn, gm) = (of("SN"), of("GM"));
    let case = |name: &str, owner: &str, confirmation: [u8; 16], key: [u8; 32]| {
        json!({
            "name": name, "control": "confirmation", "owner": owner, "match_key": hex::encode(key),
            "confirmation": hex::encode(confirmation),
            "refused": if name == "confirmation" { Value::Null } else { "confirmation-wrong".into() },
        })
    };
    let flipped = |bit: usize| {
        let mut changed = sn;
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    };
    let made = json!({
        "what": "The confirmation in the other side's leaf, checked with one's own match key (R18): the side is the leaf's \
                 owner, so that the broker cannot reflect one's own.",
        "rule": "R18", "source": "protocol/src/psi/confirmation.rs",
        "cases": [
            case("confirmation", "SN", sn, key),
            case("own_confirmation_reflected", "SN", gm, key),
            case("confirmation_shown_as_ones_own", "GM", sn, key),
            case("confirmation_of_a_third_unit", "SN", of("NE"), key),
            case("first_bit_changed", "SN", flipped(0), key),
            case("last_bit_changed", "SN", flipped(127), key),
            case("confirmation_of_zeros", "SN", [0; 16], key),
            case("confirmation_under_another_match_key", "SN", sn, [0x4c; 32]),
        ],
    });
    run(&settle("negative", "r18_confirmations.json", &made), 8, &["confirmation-wrong"], outcome);
}
