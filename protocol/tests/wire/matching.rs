//! The accord's hash, tag sets, the digest of a cut, and handles of overlaps.

use crate::federation::{ACCORD, Federation, rng, start};
use crate::plain::Plain;
use crate::stored::{blob, bytes, number, parsed, settle};
use protocol::accord::Accord;
use protocol::calendar::Start;
use protocol::compare::{Cut, Match, digest};
use protocol::message::{Size, TagSet};
use protocol::name::{Pair, UnitName};
use protocol::overlap::{RecordNumber, handle};
use protocol::psi::PairSecret;
use protocol::tagset::{Leaf, Reader, Tag, hidden, nonce, root, rows};
use protocol::{Bytes, Hash, codec, label};
use serde_json::{Value, json};

#[test]
fn accord() {
    let vector = |name: &str, text: &str, start: Start| {
        let accord = Accord::new(text, start).unwrap();
        json!({
            "name": name, "text": text, "start": start.plain(), "start_encoded": hex::encode(codec::encode(&start)),
            "hash": accord.hash().to_string(), "quota": accord.terms().quota(),
        })
    };
    let later = Start { epoch: 2, tick: 1000, at_ms: start().at_ms + 60_000_000 };
    let made = json!({
        "what": "SHA-256 of label, a zero byte, the start (a CBOR array), the length of the text (8 bytes, big-endian) \
                 and the text, byte for byte. The quota is opening_max + bulk_max + small for each every-th tick.",
        "rule": "R23", "source": "protocol/src/accord.rs", "label": label::ACCORD,
        "vectors": [
            vector("accord", ACCORD, start()),
            vector("the_same_text_at_another_start", ACCORD, later),
            vector("one_space_more", &format!("{ACCORD} "), start()),
            vector("with_rules_and_manual", &format!("{ACCORD}[identifiers.rules]\nphone = \"A\"\n[manual]\nstates = []\n"), start()),
        ],
    });
    for vector in settle("wire", "accord.json", &made)["vectors"].as_array().unwrap() {
        let start: Start = codec::decode(&blob(&vector["start_encoded"])).unwrap();
        let accord = Accord::new(vector["text"].as_str().unwrap(), start).unwrap();
        assert_eq!(accord.hash().to_string(), vector["hash"]);
    }
}

#[test]
fn tag_sets() {
    let vector = |name: &str, seed: u64, adds: usize, removals: usize| {
        let mut rng = rng(seed);
        let nonce_key: Hash = Bytes(std::array::from_fn(|at| (seed as u8) ^ at as u8));
        let mut adds: Vec<Leaf> = (0..adds).map(|_| Leaf::random(&mut rng)).collect();
        let mut removals: Vec<Tag> = (0..removals).map(|_| Leaf::random(&mut rng).tag).collect();
        let rows = rows(&nonce_key, &mut adds, &mut removals);
        let leaves: Vec<Value> = adds
            .iter()
            .map(|leaf| {
                let nonce = nonce(&nonce_key, &leaf.tag);
                let (tag, confirmation) = (leaf.tag.to_string(), leaf.confirmation.to_string());
                let hidden = hidden(leaf, &nonce).to_string();
                json!({"tag": tag, "confirmation": confirmation, "nonce": nonce.to_string(), "hidden": hidden})
            })
            .collect();
        json!({
            "name": name, "nonce_key": nonce_key.to_string(), "leaves": leaves,
            "removals": removals.iter().map(Tag::to_string).collect::<Vec<_>>(),
            "rows": hex::encode(rows), "root": root(adds.iter(), &nonce_key).to_string(),
        })
    };
    let made = json!({
        "what": "Rows: key of the nonces, leaves (tag, confirmation), tags removed; each list strictly ascending. A nonce \
                 is HMAC-SHA-256 under the key over label and tag; a hidden leaf is the RFC 6962 leaf hash of SHA-256 of \
                 label, a zero byte, nonce, tag and confirmation; the root is RFC 6962's over the hidden leaves.",
        "rule": "R15", "source": "protocol/src/tagset.rs",
        "nonce_label": label::LEAF_NONCE, "leaf_label": label::LEAF,
        "vectors": [
            vector("no_leaves", 150, 0, 2), vector("one_leaf", 151, 1, 0), vector("two_leaves", 152, 2, 1),
            vector("three_leaves", 153, 3, 3), vector("seven_leaves", 154, 7, 7),
        ],
    });
    for vector in settle("wire", "tag_sets.json", &made)["vectors"].as_array().unwrap() {
        let count = |field: &str| vector[field].as_array().unwrap().len() as u32;
        let head = TagSet {
            peer: "SN".parse().unwrap(),
            size: Size::Small,
            adds: count("leaves"),
            removals: count("removals"),
            root: bytes(&vector["root"]),
        };
        let rows = blob(&vector["rows"]);
        let mut reader = Reader::new(&head, rows.len() as u64).unwrap();
        let read: usize = rows.chunks(5).map(|piece| reader.push(piece).unwrap().len()).sum();
        assert_eq!((read as u32, reader.finish()), (head.adds + head.removals, Ok(())), "{}", vector["name"]);
    }
}

#[test]
fn cuts() {
    let federation = Federation::new();
    let vector = |name: &str, low: u8, high: u8, matches: u8| {
        let sets = |first: u8, count: u8| -> Vec<Hash> { (0..count).map(|at| Bytes([first + at; 32])).collect() };
        let (low_sets, high_sets) = (sets(0x10, low), sets(0x20, high));
        let matches: Vec<Match> = (0..matches)
            .map(|at| Match { tag: Bytes([at; 16]), low: Bytes([0x40 + at; 16]), high: Bytes([0x80 + at; 16]) })
            .collect();
        let (pair, federation) = (&federation.pair, &federation.id);
        let (low_sets, high_sets) = (&low_sets[..], &high_sets[..]);
        let cut = Cut { federation, pair, epoch: 1, tick: 300, position: 70_000, low_sets, high_sets };
        let each = |sets: &[Hash]| sets.iter().map(Hash::to_string).collect::<Vec<_>>();
        json!({
            "name": name, "federation": federation.to_string(), "pair": ["GM", "SN"], "epoch": 1, "tick": 300,
            "position": 70_000, "low_sets": each(low_sets), "high_sets": each(high_sets),
            "matches": matches.iter().map(|m| json!({
                "tag": m.tag.to_string(), "low": m.low.to_string(), "high": m.high.to_string(),
            })).collect::<Vec<_>>(),
            "digest": digest(&cut, matches.iter()).to_string(),
        })
    };
    let made = json!({
        "what": "The digest of a cut: SHA-256 of label, a zero byte, federation, both names in their order (each after \
                 its length in 1 byte), epoch (4 bytes), tick, position, then number and hashes of each side's sets, \
                 number of matches, and each match: tag, low confirmation, high confirmation. Numbers are 8 bytes, \
                 big-endian.",
        "rule": "R16", "source": "protocol/src/compare.rs", "label": label::MATCHES,
        "vectors": [
            vector("nothing", 0, 0, 0), vector("sets_without_matches", 1, 0, 0), vector("the_other_side", 0, 1, 0),
            vector("one_match", 1, 1, 1), vector("three_matches", 2, 3, 3),
        ],
    });
    for vector in settle("wire", "cuts.json", &made)["vectors"].as_array().unwrap() {
        let list = |field: &str| vector[field].as_array().unwrap().clone();
        let sets = |field: &str| list(field).iter().map(bytes).collect::<Vec<Hash>>();
        let pair = Pair::new(&parsed(&vector["pair"][0]), &parsed(&vector["pair"][1])).unwrap();
        let (low_sets, high_sets) = (&sets("low_sets")[..], &sets("high_sets")[..]);
        let (epoch, tick, position) = (number(&vector["epoch"]), number(&vector["tick"]), number(&vector["position"]));
        let federation = &bytes(&vector["federation"]);
        let cut = Cut { federation, pair: &pair, epoch, tick, position, low_sets, high_sets };
        let found = |m: &Value| Match { tag: bytes(&m["tag"]), low: bytes(&m["low"]), high: bytes(&m["high"]) };
        let matches: Vec<Match> = list("matches").iter().map(found).collect();
        assert_eq!(digest(&cut, matches.iter()).to_string(), vector["digest"], "{}", vector["name"]);
    }
}

#[test]
fn handles() {
    let federation = Federation::new();
    let vector = |name: &str, owner: &UnitName, own: u32, peers: u32| {
        let handle = handle(&federation.secret, &federation.pair, owner, RecordNumber(own), RecordNumber(peers));
        json!({"name": name, "owner": owner.as_str(), "own": own, "peers": peers, "handle": handle.to_string()})
    };
    let made = json!({
        "what": "The first 16 bytes of HMAC-SHA-256 under the pair secret's handle key (see psi/exchange.json) over \
                 label and the numbers of both records, that of the unit whose name sorts first before the other: 4 \
                 bytes each, big-endian.",
        "rule": "R18", "source": "protocol/src/overlap.rs", "label": label::HANDLE, "pair": ["GM", "SN"],
        "pair_secret": hex::encode(federation.secret.expose_secret()),
        "handle_key": hex::encode(federation.secret.handle_key().expose_secret()),
        "vectors": [
            vector("of_the_first", &federation.gm, 1, 2), vector("the_same_of_the_second", &federation.sn, 2, 1),
            vector("numbers_exchanged", &federation.gm, 2, 1), vector("zeros", &federation.gm, 0, 0),
            vector("highest_numbers", &federation.sn, u32::MAX, u32::MAX - 1),
        ],
    });
    let stored = settle("wire", "overlap_handles.json", &made);
    let secret = PairSecret::from_secret(&bytes(&stored["pair_secret"]).0);
    let pair = Pair::new(&parsed(&stored["pair"][0]), &parsed(&stored["pair"][1])).unwrap();
    for vector in stored["vectors"].as_array().unwrap() {
        let (own, peers) = (RecordNumber(number(&vector["own"])), RecordNumber(number(&vector["peers"])));
        assert_eq!(handle(&secret, &pair, &parsed(&vector["owner"]), own, peers).to_string(), vector["handle"]);
    }
}
