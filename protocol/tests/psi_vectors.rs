//! Byte-exact vectors of matching, in JSON that any language reads: one whole exchange, and a negative vector for each
//! check of R10, R13 and R14, named after its fault.
//!
//! Each file is made again and compared with what is stored (`SUTURA_BLESS=1` writes it); then the stored negatives
//! are run from their JSON alone.

#[path = "psi_pair.rs"]
mod psi_pair;

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::PathBuf;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::scalar::Scalar;
use lanes::Point;
use protocol::name::{Pair, UnitName};
use protocol::psi::hash_to_group::{DomainTag, hash_to_group};
use protocol::psi::{
    Blinded, Commitment, CommitmentError, Confirmation, Context, EpochKey, Evaluation, MAX_POINTS, Possession, Proof,
    Statement, Verified, canaries, evaluate,
};
use psi_pair::{Exchange, TwoUnits, rng, root, tokens};
use serde_json::{Value, json};

/// The group's order l, as 32 bytes little-endian: the first number that is no canonical scalar.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
/// RFC 9496, appendix A.2: a negative field element.
const NEGATIVE: &str = "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20";

// Reading and writing

/// Compares a file with what was made, or writes it when SUTURA_BLESS is set.
fn settle(name: &str, made: &Value) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", "psi", name].iter().collect();
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("SUTURA_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "{name} is not what this code makes; SUTURA_BLESS=1 writes it anew");
    serde_json::from_str(&stored).unwrap()
}

fn hexes<B: AsRef<[u8]>>(parts: impl IntoIterator<Item = B>) -> Vec<String> {
    parts.into_iter().map(hex::encode).collect()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

/// A list of points; `{repeat, count}` stands for the same point many times.
fn points(value: &Value) -> Vec<[u8; 32]> {
    match value.as_array() {
        Some(points) => points.iter().map(bytes).collect(),
        None => vec![bytes(&value["repeat"]); value["count"].as_u64().unwrap() as usize],
    }
}

/// An error as a vector names it: the variant, and the place or count if it has one.
fn named(error: impl Debug) -> Value {
    let shown = format!("{error:?}");
    let (variant, rest) = shown.split_once(' ').unwrap_or((&shown, ""));
    let mut named = json!({"error": variant});
    for field in rest.trim_matches(['{', '}', ' ']).split(", ").filter_map(|field| field.split_once(": ")) {
        named[field.0] = field.1.parse::<u64>().unwrap().into();
    }
    named
}

fn context_json(context: &Context) -> Value {
    json!({
        "units": [context.pair().low().as_str(), context.pair().high().as_str()],
        "epoch": context.epoch(),
        "accord": hex::encode(context.accord()),
    })
}

fn context(value: &Value) -> Context {
    let unit = |index: usize| value["units"][index].as_str().unwrap().parse::<UnitName>().unwrap();
    Context::new(Pair::new(&unit(0), &unit(1)).unwrap(), value["epoch"].as_u64().unwrap(), bytes(&value["accord"]))
}

/// The context with one thing changed.
fn changed(context: &Context, field: &str, value: Value) -> Value {
    let mut json = context_json(context);
    json[field] = value;
    json
}

/// Every case has a name of its own, and the stored file was read back.
fn cases(stored: &Value, at_least: usize) -> Vec<Value> {
    let cases = stored["cases"].as_array().unwrap().clone();
    let names: HashSet<_> = cases.iter().map(|case| case["name"].as_str().unwrap()).collect();
    assert!(names.len() == cases.len() && cases.len() >= at_least, "{} cases", cases.len());
    cases
}

// The whole exchange

#[test]
fn exchange() {
    let mut rng = rng(2026);
    let two = TwoUnits::new(&mut rng);
    let tokens = tokens(0..3);
    let exchange = two.exchange(&tokens, 2, &two.gm.key, &two.sn.key, &mut rng);
    let leaves = two.finish(&exchange, &tokens, two.sn.key.commitment()).unwrap();
    let side = |side: &psi_pair::Side, index: usize, rng: &mut _| {
        json!({
            "name": side.name.as_str(),
            "contribution": hex::encode(two.contributions[index].expose_secret()),
            "key": hex::encode(*side.key.expose_secret()),
            "commitment": hex::encode(side.key.commitment().as_bytes()),
            "possession": hex::encode(side.key.prove_possession(&side.name, &two.context, rng).0),
            "confirms_pair_secret": hex::encode(two.secret.confirmation_of(&side.name)),
        })
    };
    let made = json!({
        "what": "One exchange, GM asks SN, from contributions to confirmations (R9 to R15, R22). Hexadecimal; scalars \
                 little-endian. root and request stand for the roots and hashes that envelopes give: here SHA-512 of \
                 all points, cut to 32 bytes.",
        "federation": hex::encode(two.federation),
        "context": context_json(&two.context),
        "context_hash": hex::encode(two.context.hash()),
        "domain_tag": hex::encode(DomainTag::of(&two.context).as_bytes()),
        "sides": [side(&two.gm, 0, &mut rng), side(&two.sn, 1, &mut rng)],
        "pair_secret": hex::encode(two.secret.expose_secret()),
        "subkeys": {
            "acknowledgement": hex::encode(two.secret.acknowledgement_key().expose_secret()),
            "handle": hex::encode(two.secret.handle_key().expose_secret()),
        },
        "tokens": hexes(&tokens),
        "hashed": hexes(lanes::encode(&hash_to_group(&tokens, &two.secret, &two.context))),
        "blinds": hexes(exchange.asked.blinds.iter().map(|blind| *blind.expose_secret())),
        "order": exchange.asked.order,
        "points": hexes(&exchange.asked.points),
        "request": hex::encode(exchange.request),
        "answer": hexes(&exchange.answer),
        "root": hex::encode(exchange.root),
        "proof": hex::encode(exchange.proof.0),
        "tags": hexes(leaves.iter().map(|leaf| leaf.tag.0)),
        "match_keys": hexes(leaves.iter().map(|leaf| leaf.key.expose_secret())),
        "confirmations_of_GM": hexes(leaves.iter().map(|leaf| Confirmation::new(&leaf.key, &two.gm.name).0)),
        "confirmations_of_SN": hexes(leaves.iter().map(|leaf| Confirmation::new(&leaf.key, &two.sn.name).0)),
        "canaries": canaries(&two.secret, 3, 100)
            .iter()
            .map(|canary| json!({"token": hex::encode(&*canary.token), "tick": canary.tick}))
            .collect::<Vec<_>>(),
    });
    let stored = settle("exchange.json", &made);
    for side in stored["sides"].as_array().unwrap() {
        let owner: UnitName = side["name"].as_str().unwrap().parse().unwrap();
        let proof = Possession(bytes(&side["possession"]));
        Commitment::check(&bytes(&side["commitment"]), &proof, &owner, &context(&stored["context"])).unwrap();
    }
}

// R10

/// Runs a case of R10 from its JSON: the check of a peer's commitment, then the comparison with one's own.
fn outcome_of_commitment(case: &Value) -> Result<(), CommitmentError> {
    let owner: UnitName = case["owner"].as_str().unwrap().parse().unwrap();
    let proof = Possession(bytes(&case["possession"]));
    let peer = Commitment::check(&bytes(&case["commitment"]), &proof, &owner, &context(&case["context"]))?;
    Commitment::reopen(&bytes(&case["own"])).unwrap().check_apart(&peer)
}

#[test]
fn r10_commitments() {
    let mut rng = rng(10);
    let two = TwoUnits::new(&mut rng);
    let (own, peer) = (two.gm.key.commitment(), &two.sn);
    let other = EpochKey::random(&mut rng);
    let proof = peer.key.prove_possession(&peer.name, &two.context, &mut rng).0;
    let good = json!({
        "name": "good", "context": context_json(&two.context), "owner": "SN", "own": hex::encode(own.as_bytes()),
        "commitment": hex::encode(peer.key.commitment().as_bytes()), "possession": hex::encode(proof),
    });
    let with = |name: &str, fields: &[(&str, Value)]| {
        let mut case = good.clone();
        case["name"] = name.into();
        fields.iter().for_each(|(field, value)| case[*field] = value.clone());
        case
    };
    let possession = |bytes: &[u8]| ("possession", json!(hex::encode(bytes)));
    let commitment = |bytes: &[u8]| ("commitment", json!(hex::encode(bytes)));
    let flipped = |place: usize| {
        let mut proof = proof;
        proof[place] ^= 1;
        proof
    };
    let order: [u8; 32] = bytes(&json!(ORDER));
    // s + l: the same response modulo l, in other bytes
    let mut unreduced = proof;
    let mut carry = 0;
    for (byte, add) in unreduced[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    let mirrored = |key: &Scalar, rng: &mut _| {
        let key = EpochKey::from_secret(key.as_bytes()).unwrap();
        let proof = key.prove_possession(&peer.name, &two.context, rng);
        [commitment(key.commitment().as_bytes()), possession(&proof.0)]
    };
    let own_scalar = Scalar::from_canonical_bytes(*two.gm.key.expose_secret()).unwrap();
    let mut cases = vec![
        good.clone(),
        with("commitment_is_the_identity", &[commitment(&[0; 32])]),
        with("commitment_is_not_canonical", &[commitment(&[0xff; 32])]),
        with("commitment_is_negative", &[("commitment", json!(NEGATIVE))]),
        with("commitment_of_another_key", &[commitment(other.commitment().as_bytes())]),
        with("proof_of_another_key", &[possession(&other.prove_possession(&peer.name, &two.context, &mut rng).0)]),
        with("proof_of_another_owner", &[("owner", json!("GM"))]),
        with("owner_outside_the_pair", &[("owner", json!("NE"))]),
        with("proof_of_another_pair", &[("context", changed(&two.context, "units", json!(["NE", "SN"])))]),
        with("proof_of_another_epoch", &[("context", changed(&two.context, "epoch", json!(8)))]),
        with("proof_of_another_accord", &[("context", changed(&two.context, "accord", json!("ad".repeat(32))))]),
        with("proof_with_changed_challenge", &[possession(&flipped(0))]),
        with("proof_with_changed_response", &[possession(&flipped(32))]),
        with("proof_with_unreduced_response", &[possession(&unreduced)]),
        with("proof_with_challenge_of_the_order", &[possession(&[&order, &proof[32..]].concat())]),
        with("proof_of_zeros", &[possession(&[0; 64])]),
        with("proof_with_halves_exchanged", &[possession(&[&proof[32..], &proof[..32]].concat())]),
        with("commitments_are_equal", &mirrored(&own_scalar, &mut rng)),
        with("commitments_are_negatives", &mirrored(&-own_scalar, &mut rng)),
    ];
    for case in &mut cases {
        case["refused"] = outcome_of_commitment(case).map_or_else(named, |()| Value::Null);
    }
    let made = json!({
        "what": "A peer's commitment and proof of possession (R10). `refused` null: accepted.", "cases": cases,
    });
    let expected = |case: &Value| match case["name"].as_str().unwrap() {
        "good" => Value::Null,
        "commitment_is_the_identity" => json!({"error": "Identity"}),
        "commitment_is_not_canonical" | "commitment_is_negative" => json!({"error": "NotCanonical"}),
        "owner_outside_the_pair" => json!({"error": "NotOfPair"}),
        "commitments_are_equal" => json!({"error": "Equal"}),
        "commitments_are_negatives" => json!({"error": "Negated"}),
        _ => json!({"error": "Possession"}),
    };
    for case in self::cases(&settle("r10_commitments.json", &made), 19) {
        assert_eq!(
            outcome_of_commitment(&case).map_or_else(named, |()| Value::Null),
            expected(&case),
            "{}",
            case["name"]
        );
        assert_eq!(case["refused"], expected(&case), "{}", case["name"]);
    }
}

// R13

fn outcome_of_request(case: &Value, key: &Value) -> Value {
    evaluate(&points(&case["points"]), &EpochKey::from_secret(&bytes(key)).unwrap()).map_or_else(named, |_| Value::Null)
}

#[test]
fn r13_requests() {
    let mut rng = rng(13);
    let two = TwoUnits::new(&mut rng);
    let asked = two.exchange(&tokens(0..6), 2, &two.gm.key, &two.sn.key, &mut rng).asked.points;
    let with = |name: &str, places: &[(usize, [u8; 32])], refused: Value| {
        let mut points = asked.clone();
        places.iter().for_each(|(place, point)| points[*place] = *point);
        json!({"name": name, "points": hexes(points), "refused": refused})
    };
    let many = json!({"repeat": hex::encode(asked[0]), "count": MAX_POINTS + 1});
    let top_bit = std::array::from_fn(|i| asked[4][i] | if i == 31 { 0x80 } else { 0 });
    let not_canonical = |index: usize| json!({"error": "NotCanonical", "index": index});
    let repeated = |index: usize| json!({"error": "Repeated", "index": index});
    let made = json!({
        "what": "A request's points (R13), before they are evaluated. `refused` null: evaluated.",
        "key": hex::encode(*two.sn.key.expose_secret()),
        "cases": [
            with("good", &[], Value::Null),
            json!({"name": "no_points", "points": [], "refused": {"error": "Empty"}}),
            json!({"name": "too_many_points", "points": many, "refused": {"error": "TooMany", "count": MAX_POINTS + 1}}),
            with("first_point_is_the_identity", &[(0, [0; 32])], json!({"error": "Identity", "index": 0})),
            with("last_point_is_the_identity", &[(7, [0; 32])], json!({"error": "Identity", "index": 7})),
            with("point_is_not_below_p", &[(3, [0xff; 32])], not_canonical(3)),
            with("point_is_negative", &[(2, bytes(&json!(NEGATIVE)))], not_canonical(2)),
            with("point_with_the_top_bit_set", &[(4, top_bit)], not_canonical(4)),
            with("the_first_of_two_faults_is_named", &[(1, [0xff; 32]), (5, [0; 32])], not_canonical(1)),
            with("the_first_of_two_faults_is_the_identity", &[(1, [0; 32]), (5, [0xff; 32])],
                json!({"error": "Identity", "index": 1})),
            with("point_stands_twice_side_by_side", &[(1, asked[0])], repeated(1)),
            with("point_stands_twice_apart", &[(7, asked[0])], repeated(7)),
            with("point_stands_three_times", &[(4, asked[2]), (6, asked[2])], repeated(4)),
            with("encodings_come_before_repetitions", &[(1, asked[0]), (7, [0xff; 32])], not_canonical(7)),
        ],
    });
    let stored = settle("r13_requests.json", &made);
    for case in cases(&stored, 14) {
        assert_eq!(outcome_of_request(&case, &stored["key"]), case["refused"], "{}", case["name"]);
    }
}

// R14

/// Runs a case of R14 from its JSON. The root of the answer is computed from the answer, as for the exchange.
fn outcome_of_answer(case: &Value) -> Value {
    let asked = points(&case["points"]);
    let asked = Blinded { order: vec![None; asked.len()], blinds: Vec::new(), points: asked };
    let answer = points(&case["answer"]);
    let (context, request, root) = (context(&case["context"]), bytes(&case["request"]), root(&answer));
    let statement = Statement { context: &context, request: &request, answer: &root };
    let peer = Commitment::reopen(&bytes(&case["commitment"])).unwrap();
    Verified::check(&asked, &answer, &Proof(bytes(&case["proof"])), statement, &peer)
        .map_or_else(named, |_| Value::Null)
}

/// The proof that the holder of `key` makes for a request and an answer, right or not.
fn proof_over(two: &TwoUnits, exchange: &Exchange, answer: &[[u8; 32]], key: &EpochKey, seed: u64) -> String {
    let evaluation: Evaluation = evaluate(&exchange.asked.points, key).unwrap();
    let root = root(answer);
    let statement = Statement { context: &two.context, request: &exchange.request, answer: &root };
    hex::encode(evaluation.prove(key, &statement, &mut rng(seed)).0)
}

#[test]
fn r14_answers() {
    let mut rng = rng(14);
    let two = TwoUnits::new(&mut rng);
    let exchange = two.exchange(&tokens(0..3), 1, &two.gm.key, &two.sn.key, &mut rng);
    let (key, answer) = (&two.sn.key, &exchange.answer);
    let other = EpochKey::random(&mut rng);
    let good = json!({
        "name": "good", "context": context_json(&two.context), "request": hex::encode(exchange.request),
        "commitment": hex::encode(key.commitment().as_bytes()), "points": hexes(&exchange.asked.points),
        "answer": hexes(answer), "proof": hex::encode(exchange.proof.0), "refused": null,
    });
    let with = |name: &str, fields: &[(&str, Value)], refused: Value| {
        let mut case = good.clone();
        case["name"] = name.into();
        fields.iter().for_each(|(field, value)| case[*field] = value.clone());
        case["refused"] = refused;
        case
    };
    let wrong = || json!({"error": "Proof"});
    // answers that are wrong, with the best proof that the evaluator can make over them
    let forged = |name: &str, answer: Vec<[u8; 32]>| {
        let proof = proof_over(&two, &exchange, &answer, key, 140);
        with(name, &[("answer", json!(hexes(answer))), ("proof", json!(proof))], wrong())
    };
    let replaced = |place: usize, point: [u8; 32]| {
        let mut answer = answer.clone();
        answer[place] = point;
        answer
    };
    let mapped = |map: &dyn Fn(Point) -> Point| {
        let decoded = lanes::decode(answer).unwrap();
        lanes::encode(&decoded.into_iter().map(map).collect::<Vec<_>>())
    };
    let shift = CompressedRistretto(*other.commitment().as_bytes()).decompress().unwrap();
    let mut cancelling: Vec<_> = lanes::decode(answer).unwrap();
    cancelling[0] = (curve25519_dalek::RistrettoPoint::from(cancelling[0]) + shift).into();
    cancelling[1] = (curve25519_dalek::RistrettoPoint::from(cancelling[1]) - shift).into();
    let by_other = evaluate(&exchange.asked.points, &other).unwrap().points().to_vec();
    let swapped = vec![answer[1], answer[0], answer[2], answer[3]];
    let proof = exchange.proof.0;
    let flipped = |place: usize| {
        let mut proof = proof;
        proof[place] ^= 1;
        json!(hex::encode(proof))
    };
    let order: [u8; 32] = bytes(&json!(ORDER));
    let made = json!({
        "what": "An answer and its proof (R14): request is the hash of the request's envelope, points are the \
                 request's; the answer's root is the first 32 bytes of SHA-512 over all its points. `refused` null: \
                 accepted.",
        "cases": [
            good.clone(),
            with("one_point_too_few", &[("answer", json!(hexes(&answer[..3])))],
                json!({"error": "Count", "asked": 4, "answered": 3})),
            with("one_point_too_many", &[("answer", json!(hexes([answer.clone(), vec![answer[0]]].concat())))],
                json!({"error": "Count", "asked": 4, "answered": 5})),
            with("no_points", &[("answer", json!([]))], json!({"error": "Count", "asked": 4, "answered": 0})),
            with("point_is_the_identity", &[("answer", json!(hexes(replaced(2, [0; 32]))))],
                json!({"error": "Identity", "index": 2})),
            with("point_is_not_below_p", &[("answer", json!(hexes(replaced(3, [0xff; 32]))))],
                json!({"error": "NotCanonical", "index": 3})),
            with("point_is_negative", &[("answer", json!(hexes(replaced(0, bytes(&json!(NEGATIVE))))))],
                json!({"error": "NotCanonical", "index": 0})),
            with("another_answer_under_this_proof", &[("answer", json!(hexes(replaced(1, by_other[1]))))], wrong()),
            forged("one_point_under_another_key", replaced(1, by_other[1])),
            forged("two_points_exchanged", swapped),
            forged("one_point_for_two", replaced(1, answer[0])),
            forged("request_sent_back", exchange.asked.points.clone()),
            forged("all_points_negated", mapped(&|point| (-curve25519_dalek::RistrettoPoint::from(point)).into())),
            forged("all_points_shifted", mapped(&|p| (curve25519_dalek::RistrettoPoint::from(p) + shift).into())),
            forged("two_errors_that_cancel_under_equal_weights", lanes::encode(&cancelling)),
            with("all_points_under_another_key", &[
                ("answer", json!(hexes(&by_other))),
                ("proof", json!(proof_over(&two, &exchange, &by_other, &other, 141))),
            ], wrong()),
            with("commitment_of_another_key",
                &[("commitment", json!(hex::encode(other.commitment().as_bytes())))], wrong()),
            with("own_commitment_reflected",
                &[("commitment", json!(hex::encode(two.gm.key.commitment().as_bytes())))], wrong()),
            with("proof_for_another_request", &[("request", json!("01".repeat(32)))], wrong()),
            with("proof_for_another_pair", &[("context", changed(&two.context, "units", json!(["GM", "NE"])))], wrong()),
            with("proof_for_another_epoch", &[("context", changed(&two.context, "epoch", json!(8)))], wrong()),
            with("proof_for_another_accord",
                &[("context", changed(&two.context, "accord", json!("ad".repeat(32))))], wrong()),
            with("proof_with_changed_challenge", &[("proof", flipped(0))], wrong()),
            with("proof_with_changed_response", &[("proof", flipped(32))], wrong()),
            with("proof_with_challenge_of_the_order",
                &[("proof", json!(hex::encode([&order, &proof[32..]].concat())))], wrong()),
            with("proof_with_response_of_the_order",
                &[("proof", json!(hex::encode([&proof[..32], &order].concat())))], wrong()),
            with("proof_of_zeros", &[("proof", json!("00".repeat(64)))], wrong()),
            with("proof_with_halves_exchanged",
                &[("proof", json!(hex::encode([&proof[32..], &proof[..32]].concat())))], wrong()),
        ],
    });
    for case in cases(&settle("r14_answers.json", &made), 28) {
        assert_eq!(outcome_of_answer(&case), case["refused"], "{}", case["name"]);
    }
}
