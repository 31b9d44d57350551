//! R23: each way in which an envelope or its body is refused.

use crate::federation::{Federation, rng};
use crate::forgery::{header_encoding, resigned, sealed_by_small_order_key, small_order_r, unreduced};
use crate::mutation::{array, items, mutants};
use crate::plain::fields_of;
use crate::stored::{blob, bytes, run, settle};
use protocol::body::{Body, FRAME, MAX_HEAD, MAX_ROWS};
use protocol::envelope::{Header, Kind, MAX_ENVELOPE, Role, UnverifiedEnvelope, seal_envelope};
use protocol::identity::SigningKey;
use protocol::{Bytes, label};
use serde_json::{Value, json};

/// Decodes, verifies, and checks the body if there is one: null or the stable name of the error.
fn outcome(_: &Value, case: &Value) -> Value {
    let envelope = UnverifiedEnvelope::decode(&blob(&case["envelope"]))
        .and_then(|envelope| envelope.verify(&bytes(&case["federation"]), &bytes(&case["key"])));
    let checked = envelope.and_then(|envelope| match &case["body"] {
        Value::Null => Ok(()),
        body => envelope.check_body(&Body { head: blob(&body["head"]), rows: blob(&body["rows"]) }),
    });
    checked.map_or_else(|error| error.code().into(), |()| Value::Null)
}

fn header(federation: &Federation) -> Header {
    Header {
        version: label::VERSION,
        federation: federation.id,
        accord: federation.accord.hash(),
        epoch: 3,
        tick: 400,
        sender: "GM".parse().unwrap(),
        receiver: "SN".parse().unwrap(),
        role: Role::Agent,
        sequence: 25,
        previous: Bytes([6; 32]),
        kind: Kind::Request,
        expires: 1_790_000_000_000,
        log_size: 70_000,
        log_root: Bytes([8; 32]),
        body_len: 0,
        body_root: Bytes::ZERO,
    }
}

struct Cases<'a> {
    federation: &'a Federation,
    list: Vec<Value>,
}

impl Cases<'_> {
    fn push(&mut self, name: &str, control: &str, envelope: &[u8], key: &Bytes<32>, refused: Value) -> &mut Value {
        self.list.push(json!({
            "name": name, "control": control, "federation": self.federation.id.to_string(), "key": key.to_string(),
            "envelope": hex::encode(envelope), "refused": refused,
        }));
        self.list.last_mut().unwrap()
    }
}

#[test]
fn r23_envelopes() {
    let federation = Federation::new();
    let mut cases = Cases { federation: &federation, list: Vec::new() };
    encodings(&mut cases);
    headers(&mut cases);
    signatures(&mut cases);
    bodies(&mut cases);
    let made = json!({
        "what": "Envelopes (R23): decoded, verified for `federation` with `key`, and compared with `body` if there is \
                 one. Encodings are signed rightly, whatever they are: only the encoding is wrong.",
        "rule": "R23", "source": "protocol/src/envelope.rs", "cases": cases.list,
    });
    run(
        &settle("negative", "r23_envelopes.json", &made),
        180,
        &[
            "envelope-malformed",
            "envelope-not-canonical",
            "envelope-too-large",
            "envelope-version",
            "envelope-sender",
            "envelope-federation",
            "envelope-signature",
            "envelope-body",
        ],
        outcome,
    );
}

/// Written otherwise, but signed over just these bytes.
fn encodings(cases: &mut Cases<'_>) {
    let key = &cases.federation.gm_keys.signing;
    let public = key.public();
    let sent = seal_envelope(header(cases.federation), &Body::default(), key);
    let encoded = header_encoding(sent.as_bytes());
    cases.push("envelope", "envelope", sent.as_bytes(), &public, Value::Null);
    for mutant in mutants(&encoded, fields_of("Header")) {
        let name = format!("header_{}", mutant.name);
        let refused = format!("envelope-{}", mutant.refused);
        cases.push(&name, "envelope", &resigned(&mutant.bytes, key), &public, refused.into());
    }
    for mutant in mutants(sent.as_bytes(), &["header", "signature"]) {
        let refused = format!("envelope-{}", mutant.refused);
        cases.push(&format!("envelope_{}", mutant.name), "envelope", &mutant.bytes, &public, refused.into());
    }
    let mut put = |name: &str, field: &str, with: &[u8], refused: &str| {
        let at = fields_of("Header").iter().position(|name| *name == field).unwrap();
        let mut fields = items(&encoded);
        fields[at] = with;
        cases.push(name, "envelope", &resigned(&array(&fields), key), &public, refused.into());
    };
    let text = |text: &str| protocol::codec::encode(&text);
    for (what, name) in [
        ("empty", ""),
        ("of_33_letters", &"x".repeat(33)),
        ("with_a_space", "G M"),
        ("with_a_leading_hyphen", "-GM"),
        ("with_a_zero_byte", "GM\0"),
        ("with_an_accent", "GÉ"),
        ("with_a_slash", "G/M"),
        ("reserved_and_unknown", "@nobody"),
        ("reserved_in_capitals", "@BROKER"),
        ("reserved_mark_alone", "@"),
        ("reserved_with_a_space", "@broker "),
    ] {
        for party in ["sender", "receiver"] {
            put(&format!("{party}_{what}"), party, &text(name), "envelope-malformed");
        }
    }
    put("sender_is_all", "sender", &text("@all"), "envelope-sender");
    put("version_0", "version", &[0], "envelope-version");
    put("version_2", "version", &[2], "envelope-version");
    put("version_255", "version", &[0x18, 255], "envelope-version");
    put("version_256", "version", &[0x19, 1, 0], "envelope-malformed");
    put("epoch_above_32_bits", "epoch", &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0], "envelope-malformed");
    put("kind_0", "kind", &[0], "envelope-malformed");
    put("kind_23", "kind", &[23], "envelope-malformed");
    put("role_3", "role", &[3], "envelope-malformed");
    let other_shape = array(&[&[2], &text("another shape")]);
    cases.push(
        "version_2_in_another_shape",
        "envelope",
        &resigned(&other_shape, key),
        &public,
        "envelope-version".into(),
    );
    cases.push("header_of_noise", "envelope", &resigned(&[0xff; 40], key), &public, "envelope-malformed".into());
    let mut padded = sent.as_bytes().to_vec();
    padded.resize(MAX_ENVELOPE, 0);
    cases.push("padded_to_the_longest", "envelope", &padded, &public, "envelope-not-canonical".into());
    padded.push(0);
    cases.push("one_byte_too_long", "envelope", &padded, &public, "envelope-too-large".into());
    cases.push("nested_without_end", "envelope", &[0x81; 1024], &public, "envelope-malformed".into());
    let all =
        seal_envelope(Header { receiver: "@all".parse().unwrap(), ..header(cases.federation) }, &Body::default(), key);
    cases.push("receiver_is_all", "receiver_is_all", all.as_bytes(), &public, Value::Null);
}

/// Another header under the signature of this one: every field is signed.
fn headers(cases: &mut Cases<'_>) {
    let key = &cases.federation.gm_keys.signing;
    let h = header(cases.federation);
    let sent = seal_envelope(h.clone(), &Body::default(), key);
    let signature = items(sent.as_bytes())[1].to_vec();
    let signed = Header { body_root: Body::default().root(), ..h };
    let one = Bytes([1; 32]);
    for (field, changed) in [
        ("accord", Header { accord: one, ..signed.clone() }),
        ("epoch", Header { epoch: 4, ..signed.clone() }),
        ("tick", Header { tick: 401, ..signed.clone() }),
        ("sender", Header { sender: "NE".parse().unwrap(), ..signed.clone() }),
        ("receiver", Header { receiver: "NE".parse().unwrap(), ..signed.clone() }),
        ("role", Header { role: Role::Officer, ..signed.clone() }),
        ("sequence", Header { sequence: 26, ..signed.clone() }),
        ("previous", Header { previous: one, ..signed.clone() }),
        ("kind", Header { kind: Kind::Evaluation, ..signed.clone() }),
        ("expiry", Header { expires: 0, ..signed.clone() }),
        ("log_size", Header { log_size: 70_001, ..signed.clone() }),
        ("log_root", Header { log_root: one, ..signed.clone() }),
        ("body_length", Header { body_len: 1, ..signed.clone() }),
        ("body_root", Header { body_root: one, ..signed.clone() }),
    ] {
        let encoded = protocol::codec::encode(&minicbor::bytes::ByteVec::from(protocol::codec::encode(&changed)));
        let name = format!("another_{field}_under_the_same_signature");
        cases.push(&name, "envelope", &array(&[&encoded, &signature]), &key.public(), "envelope-signature".into());
    }
    let elsewhere = Header { federation: one, ..signed };
    let elsewhere = seal_envelope(elsewhere, &Body::default(), key);
    let refused = || Value::from("envelope-federation");
    cases.push("of_another_federation", "envelope", elsewhere.as_bytes(), &key.public(), refused());
    let case = cases.push("shown_to_another_federation", "envelope", sent.as_bytes(), &key.public(), refused());
    case["federation"] = one.to_string().into();
}

/// Signatures that are none, or that only a lenient verification would accept.
fn signatures(cases: &mut Cases<'_>) {
    let (gm, sn) = (&cases.federation.gm_keys.signing, &cases.federation.sn_keys.signing);
    let public = gm.public();
    let refused = || Value::from("envelope-signature");
    let sent = seal_envelope(header(cases.federation), &Body::default(), gm);
    let encoded = header_encoding(sent.as_bytes());
    let signature: Bytes<64> = gm.sign(label::ENVELOPE_SIGNATURE, &encoded);
    let wire = |signature: Bytes<64>| {
        let header = protocol::codec::encode(&minicbor::bytes::ByteVec::from(encoded.clone()));
        array(&[&header, &protocol::codec::encode(&signature)])
    };
    assert_eq!(wire(signature), sent.as_bytes());
    let mut put = |name: &str, signature: Bytes<64>| {
        cases.push(name, "envelope", &wire(signature), &public, refused());
    };
    let flipped = |bit: usize| {
        let mut changed = signature;
        changed.0[bit / 8] ^= 1 << (bit % 8);
        changed
    };
    for bit in [0, 100, 255, 256, 400, 511] {
        put(&format!("signature_with_bit_{bit}_flipped"), flipped(bit));
    }
    let halves = |first: &[u8], second: &[u8]| Bytes::from_slice(&[first, second].concat()).unwrap();
    put("signature_of_zeros", Bytes([0; 64]));
    put("signature_with_halves_exchanged", halves(&signature.0[32..], &signature.0[..32]));
    put("signature_with_unreduced_s", unreduced(&signature));
    put("signature_with_small_order_r", small_order_r(gm, &encoded));
    put("signature_with_r_of_another", halves(&sn.sign("", &encoded).0[..32], &signature.0[32..]));
    put("signature_by_another_unit", sn.sign(label::ENVELOPE_SIGNATURE, &encoded));
    put("signature_under_the_label_of_joining", gm.sign(label::JOIN, &encoded));
    put("signature_under_no_label", gm.sign("", &encoded));
    put(
        "signature_over_the_header_without_its_last_byte",
        gm.sign(label::ENVELOPE_SIGNATURE, &encoded[..encoded.len() - 1]),
    );
    let unlabelled = ed25519_dalek::Signer::sign(gm.hazmat(), &encoded).to_bytes();
    put("signature_over_the_bare_header", Bytes(unlabelled));
    for (name, key) in [
        ("key_of_another_unit", sn.public()),
        ("key_of_the_broker", cases.federation.broker.public()),
        ("key_that_is_no_point", Bytes([0xff; 32])),
        ("key_of_zeros", Bytes::ZERO),
        ("key_negated", Bytes(std::array::from_fn(|at| public.0[at] ^ if at == 31 { 0x80 } else { 0 }))),
    ] {
        cases.push(name, "envelope", sent.as_bytes(), &key, refused());
    }
    for (order, (key, signature)) in sealed_by_small_order_key(&encoded).into_iter().enumerate() {
        cases.push(&format!("key_of_small_order_{order}"), "envelope", &wire(signature), &key, refused());
    }
}

/// Bodies that are not the one that was signed.
fn bodies(cases: &mut Cases<'_>) {
    let key = SigningKey::generate(&mut rng(231));
    let public = key.public();
    let part = |byte: &str, count: usize| json!({"repeat": byte, "count": count});
    let (a, b, c) = (part("aa", FRAME), part("bb", FRAME), part("cc", 100));
    let head = "8201020304";
    let body = |head: Value, rows: Value| json!({"head": head, "rows": rows});
    let read = |body: &Value| Body { head: blob(&body["head"]), rows: blob(&body["rows"]) };
    let (federation, none) = (cases.federation, json!(""));
    let seal = |body: &Value| seal_envelope(header(federation), &read(body), &key).as_bytes().to_vec();

    let three = body(json!(head), json!([a, b, c]));
    let large = seal(&three);
    let mut put = |name: &str, control: &str, envelope: &[u8], body: Value, refused: Value| {
        cases.push(name, control, envelope, &public, refused)["body"] = body;
    };
    let wrong = || Value::from("envelope-body");
    put("body_of_three_frames", "body_of_three_frames", &large, three, Value::Null);
    for (name, rows) in [
        ("body_one_byte_short", json!([a, b, part("cc", 99)])),
        ("body_one_byte_long", json!([a, b, part("cc", 101)])),
        ("body_without_rows", none.clone()),
        ("body_with_a_frame_missing", json!([a, b])),
        ("body_with_the_first_frame_missing", json!([b, c])),
        ("body_with_a_frame_twice", json!([a, a, c])),
        ("body_with_frames_swapped", json!([b, a, c])),
        ("body_with_rows_reversed", json!([c, b, a])),
        ("body_with_a_row_changed", json!([a, b, part("cc", 99), "cd"])),
        ("body_with_the_first_row_changed", json!(["ab", part("aa", FRAME - 1), b, c])),
        ("body_with_a_row_moved_over_a_frame", json!([part("aa", FRAME - 1), "bb", "aa", part("bb", FRAME - 1), c])),
    ] {
        put(name, "body_of_three_frames", &large, body(json!(head), rows), wrong());
    }
    for (name, head) in [
        ("body_with_another_head", "8201020305"),
        ("body_with_a_longer_head", "820102030400"),
        ("body_with_a_shorter_head", "82010203"),
        ("body_without_head", ""),
    ] {
        put(name, "body_of_three_frames", &large, body(json!(head), json!([a, b, c])), wrong());
    }
    let small_body = body(json!(head), json!("0a0b0c0d0e"));
    let small = seal(&small_body);
    put("small_body", "small_body", &small, small_body.clone(), Value::Null);
    for (name, head, rows) in [
        ("head_swapped_for_rows", "0a0b0c0d0e", head),
        ("head_with_the_first_row", "82010203040a", "0b0c0d0e"),
        ("rows_with_the_last_of_the_head", "82010203", "040a0b0c0d0e"),
        ("all_of_it_as_head", "82010203040a0b0c0d0e", ""),
        ("all_of_it_as_rows", "", "82010203040a0b0c0d0e"),
    ] {
        put(name, "small_body", &small, body(json!(head), json!(rows)), wrong());
    }
    // signed so by a sender who miscounts
    let (length, root) = (read(&small_body).len(), read(&small_body).root());
    for (name, body_len, body_root) in [
        ("length_signed_one_too_low", length - 1, root),
        ("length_signed_one_too_high", length + 1, root),
        ("length_signed_as_nothing", 0, root),
        ("root_signed_of_another_body", length, Body::default().root()),
        ("root_signed_of_the_rows_alone", length, protocol::body::rows_root(&read(&small_body).rows)),
    ] {
        let signed = Header { body_len, body_root, ..header(federation) };
        let envelope = resigned(&protocol::codec::encode(&signed), &key);
        put(name, "small_body", &envelope, small_body.clone(), wrong());
    }
    let empty = body(none.clone(), none.clone());
    let nothing = seal(&empty);
    put("empty_body", "empty_body", &nothing, empty, Value::Null);
    put("one_byte_of_head_for_nothing", "empty_body", &nothing, body(json!("00"), none.clone()), wrong());
    put("one_byte_of_rows_for_nothing", "empty_body", &nothing, body(none.clone(), json!("00")), wrong());
    let longest = body(part("07", MAX_HEAD), none.clone());
    let sealed = seal(&longest);
    put("longest_head", "longest_head", &sealed, longest, Value::Null);
    let too_long = body(part("07", MAX_HEAD + 1), none);
    put("head_too_long", "longest_head", &seal(&too_long), too_long, "envelope-too-large".into());
    let too_many = body(json!(head), part("00", MAX_ROWS + 1));
    put("rows_too_long", "small_body", &small, too_many, "envelope-too-large".into());
}

/// Not in the file: every single bit of an envelope.
#[test]
fn every_flipped_bit_is_refused() {
    let federation = Federation::new();
    let key = &federation.gm_keys.signing;
    let sent = seal_envelope(header(&federation), &Body::default(), key);
    let accepted = |bytes: &[u8]| {
        UnverifiedEnvelope::decode(bytes).and_then(|envelope| envelope.verify(&federation.id, &key.public())).is_ok()
    };
    assert!(accepted(sent.as_bytes()));
    for bit in 0..sent.as_bytes().len() * 8 {
        let mut bytes = sent.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepted(&bytes), "bit {bit}");
    }
}
