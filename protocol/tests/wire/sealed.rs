//! What units seal to each other: acknowledgements and contributions. Sealing is randomised: these bytes come from a
//! fixed generator; another implementation opens them, and seals its own.

use crate::federation::{Federation, rng};
use crate::stored::{blob, bytes, number, parsed, settle};
use protocol::acknowledgement::{Context, Slot, Verdict, open, seal, slot_count};
use protocol::name::{Pair, UnitName};
use protocol::overlap::RecordNumber;
use protocol::psi::PairSecret;
use protocol::seal::{ContributionContext, ENCAPSULATION_LEN, SealingKey, open_contribution, seal_contribution};
use protocol::{Bytes, Hash, label};
use serde_json::{Value, json};

fn slot_json(slot: &Slot) -> Value {
    let records: Vec<u32> = slot.records.iter().map(|record| record.0).collect();
    json!({"tag": slot.tag.to_string(), "verdict": format!("{:?}", slot.verdict), "records": records})
}

#[test]
fn acknowledgements() {
    let federation = Federation::new();
    let digest: Hash = Bytes([0xd1; 32]);
    let slot = |tag: u8, verdict, records: &[u32]| Slot {
        tag: Bytes([tag; 16]),
        verdict,
        records: records.iter().copied().map(RecordNumber).collect(),
    };
    let vector = |name: &str, sender: &UnitName, seed: u64, matches: usize, slots: &[Slot]| {
        let context = Context { sender, epoch: 1, digest: &digest };
        let count = slot_count(matches, 4);
        let rows = seal(&federation.secret, &context, slots, count, &mut rng(seed)).unwrap();
        json!({
            "name": name, "sender": sender.as_str(), "epoch": 1, "digest": digest.to_string(), "matches": matches,
            "slots_in_all": count, "slots": slots.iter().map(slot_json).collect::<Vec<_>>(),
            "nonce": hex::encode(&rows[..24]), "rows": hex::encode(rows),
        })
    };
    let full: Vec<u32> = (1..=8).collect();
    let made = json!({
        "what": "Rows: nonce (24), then XChaCha20-Poly1305 of the slots under the pair secret's acknowledgement key (see \
                 psi/exchange.json), with epoch (4 bytes, big-endian), digest and the sender's name as additional data. A \
                 slot is tag (16), verdict (1: Confirmed, 2: Disputed, 3: Change), number of records (1), two zero bytes, \
                 and eight record numbers of 4 bytes, big-endian, unused ones zero; a padding slot is all zero. Slots in \
                 all: the matches padded to a multiple of the accord's number (here 4), and as many more.",
        "rule": "R18", "source": "protocol/src/acknowledgement.rs", "accord_slots": 4,
        "pair_secret": hex::encode(federation.secret.expose_secret()),
        "acknowledgement_key": hex::encode(federation.secret.acknowledgement_key().expose_secret()),
        "vectors": [
            vector("no_matches", &federation.gm, 180, 0, &[]),
            vector("one_match", &federation.gm, 181, 1, &[slot(1, Verdict::Confirmed, &[7])]),
            vector("the_other_side", &federation.sn, 182, 1, &[slot(1, Verdict::Confirmed, &[u32::MAX, 0])]),
            vector("withheld_disputed_changed", &federation.gm, 183, 5, &[
                slot(1, Verdict::Confirmed, &full), slot(2, Verdict::Confirmed, &[]), slot(3, Verdict::Disputed, &[]),
                slot(4, Verdict::Confirmed, &[9]), slot(5, Verdict::Confirmed, &[10, 11]),
                slot(0xee, Verdict::Change, &[12]),
            ]),
        ],
    });
    let stored = settle("wire", "acknowledgements.json", &made);
    let secret = PairSecret::from_secret(&bytes(&stored["pair_secret"]).0);
    for vector in stored["vectors"].as_array().unwrap() {
        let (sender, digest) = (parsed(&vector["sender"]), bytes(&vector["digest"]));
        let context = Context { sender: &sender, epoch: number(&vector["epoch"]), digest: &digest };
        let slots = open(&secret, &context, &blob(&vector["rows"])).unwrap();
        assert_eq!(slots.iter().map(slot_json).collect::<Value>(), vector["slots"], "{}", vector["name"]);
    }
}

#[test]
fn contributions() {
    let federation = Federation::new();
    let accord = federation.accord.hash();
    let vector = |name: &str, seed: u64, epoch: u32, sender: &UnitName, receiver: &UnitName| {
        let mut rng = rng(seed);
        let key = SealingKey::generate(&mut rng);
        let contribution = [seed as u8; 32];
        let context = ContributionContext { accord: &accord, pair: &federation.pair, epoch, sender, receiver };
        let sealed = seal_contribution(&key.public(), &context, &contribution, &mut rng).unwrap();
        json!({
            "name": name, "accord": accord.to_string(), "pair": ["GM", "SN"], "epoch": epoch,
            "sender": sender.as_str(), "receiver": receiver.as_str(),
            "key_secret": hex::encode(*key.expose_secret()), "key": key.public().to_string(),
            "contribution": hex::encode(contribution),
            "encapsulation": hex::encode(&sealed[..ENCAPSULATION_LEN]), "sealed": hex::encode(sealed),
        })
    };
    let made = json!({
        "what": "HPKE (RFC 9180), base mode, X-Wing, HKDF-SHA-256, ChaCha20-Poly1305, no additional data. Info: label, a \
                 zero byte, accord, epoch (4 bytes, big-endian), then the low, high, sending and receiving names, each \
                 after its length in 1 byte, and the text \"pair secret\". Sealed: encapsulation (1,120), ciphertext (48).",
        "rule": "R9", "source": "protocol/src/seal.rs", "label": label::CONTRIBUTION,
        "vectors": [
            vector("from_the_first", 90, 1, &federation.gm, &federation.sn),
            vector("from_the_second", 91, 1, &federation.sn, &federation.gm),
            vector("of_a_later_epoch", 92, 70_000, &federation.gm, &federation.sn),
        ],
    });
    for vector in settle("wire", "contributions.json", &made)["vectors"].as_array().unwrap() {
        let unit = |field: &str| parsed::<UnitName>(&vector[field]);
        let pair = Pair::new(&parsed(&vector["pair"][0]), &parsed(&vector["pair"][1])).unwrap();
        let (accord, sender, receiver) = (bytes(&vector["accord"]), unit("sender"), unit("receiver"));
        let epoch = number(&vector["epoch"]);
        let context = ContributionContext { accord: &accord, pair: &pair, epoch, sender: &sender, receiver: &receiver };
        let key = SealingKey::from_secret(&bytes(&vector["key_secret"]).0).unwrap();
        assert_eq!(key.public().to_string(), vector["key"]);
        let opened = open_contribution(&key, &context, &blob(&vector["sealed"])).unwrap();
        assert_eq!(hex::encode(*opened), vector["contribution"], "{}", vector["name"]);
    }
}
