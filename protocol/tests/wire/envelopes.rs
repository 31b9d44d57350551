//! A signed envelope of each kind, in the chains of their three senders.

use crate::examples::{heads, rows_for};
use crate::federation::Federation;
use crate::plain::Plain;
use crate::stored::{blob, bytes, settle};
use protocol::body::{Body, part_hash};
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::name::Party;
use protocol::{Bytes, Hash, label};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Kind, head, sender, receiver; in the order in which they are said.
const SAID: &[(Kind, &str, &str, &str)] = &[
    (Kind::Roster, "roster_admitted", "@broker", "@all"),
    (Kind::AccordProposal, "accord_proposal", "GM", "@all"),
    (Kind::AccordSignature, "accord_signature", "GM", "@all"),
    (Kind::AccordSignature, "accord_signature", "SN", "@all"),
    (Kind::Commitment, "commitment", "GM", "SN"),
    (Kind::Contribution, "contribution", "GM", "SN"),
    (Kind::Request, "request_small", "GM", "SN"),
    (Kind::Count, "count_two_bytes", "SN", "GM"),
    (Kind::Evaluation, "evaluation", "SN", "GM"),
    (Kind::Refusal, "refusal_over_quota", "SN", "GM"),
    (Kind::TagSet, "tag_set_small", "GM", "@broker"),
    (Kind::Notice, "notice", "@broker", "GM"),
    (Kind::Acknowledgement, "acknowledgement", "GM", "SN"),
    (Kind::Dispute, "dispute_wrong_confirmation", "SN", "GM"),
    (Kind::EpochClosed, "epoch_closed", "@broker", "@all"),
    (Kind::Officer, "officer_head", "GM", "@all"),
    (Kind::Act, "act_parcel", "GM", "SN"),
    (Kind::ParcelPart, "parcel_part_first", "GM", "SN"),
    (Kind::Act, "act_of_an_agent", "GM", "SN"),
    (Kind::Deadline, "deadline", "@broker", "GM"),
];

fn header(federation: &Federation, index: usize, kind: Kind, head: &str, sender: Party, receiver: Party) -> Header {
    let outside = matches!(
        kind,
        Kind::Roster
            | Kind::AccordProposal
            | Kind::AccordSignature
            | Kind::EpochClosed
            | Kind::Officer
            | Kind::Act
            | Kind::ParcelPart
            | Kind::Deadline
    );
    Header {
        version: label::VERSION,
        federation: federation.id,
        accord: if outside { Bytes::ZERO } else { federation.accord.hash() },
        epoch: if outside { 0 } else { 1 },
        tick: index as u64 * 20,
        role: match kind {
            _ if sender == Party::Broker => Role::Broker,
            Kind::Act if head != "act_of_an_agent" => Role::Officer,
            _ => Role::Agent,
        },
        sender,
        receiver,
        sequence: 0,
        previous: Bytes::ZERO,
        kind,
        expires: if index.is_multiple_of(2) { 0 } else { 1_790_000_000_000 },
        log_size: index as u64,
        log_root: if index == 0 { Bytes::ZERO } else { Bytes([index as u8; 32]) },
        body_len: 0,
        body_root: Bytes::ZERO,
    }
}

#[test]
fn an_envelope_of_each_kind() {
    let federation = Federation::new();
    let heads: BTreeMap<String, Vec<u8>> = heads().into_iter().map(|head| (head.name, head.encoded)).collect();
    let mut chains: BTreeMap<Party, (u64, Hash)> = BTreeMap::new();
    let mut vectors = Vec::new();
    // the last one has rows of three frames
    let long = (Kind::Request, "request_opening", "SN", "GM");
    for (index, (kind, head, sender, receiver)) in SAID.iter().copied().chain([long]).enumerate() {
        let (sender, receiver): (Party, Party) = (sender.parse().unwrap(), receiver.parse().unwrap());
        let key = match sender.as_str() {
            "GM" => &federation.gm_keys.signing,
            "SN" => &federation.sn_keys.signing,
            _ => &federation.broker,
        };
        let rows = if head == long.1 {
            json!({"repeat": "5a", "count": 2 * 65_536 + 32})
        } else {
            json!(hex::encode(rows_for(head)))
        };
        let body = Body { head: heads[head].clone(), rows: blob(&rows) };
        let (sequence, previous) = chains.entry(sender.clone()).or_insert((0, Bytes::ZERO));
        *sequence += 1;
        let mut header = header(&federation, index, kind, head, sender, receiver);
        (header.sequence, header.previous) = (*sequence, *previous);
        let envelope = seal_envelope(header, &body, key);
        *previous = envelope.hash();
        let parts = std::iter::once(&body.head[..]).chain(body.frames());
        vectors.push(json!({
            "name": format!("{}_from_{}", head, envelope.header().sender).replace('@', "the_"),
            "what": format!("{:?}, head {head} of heads.json", envelope.header().kind),
            "rule": "R23",
            "key": key.public().to_string(),
            "header_fields": envelope.header().plain(),
            "head": hex::encode(&body.head),
            "rows": rows,
            "part_hashes": parts.map(|part| part_hash(part).to_string()).collect::<Vec<_>>(),
            "body_root": body.root().to_string(),
            "header": hex::encode(protocol::codec::encode(envelope.header())),
            "envelope": hex::encode(envelope.as_bytes()),
            "hash": envelope.hash().to_string(),
        }));
    }
    let made = json!({
        "what": "Signed envelopes: header, then a CBOR array of the header as a byte string and the Ed25519 signature \
                 over label, a zero byte and the header. A part is the head or a frame of 65,536 bytes of the rows (the \
                 last one shorter); its hash and the root over all parts are those of RFC 6962. The hash is SHA-256 of \
                 label, a zero byte and the envelope; it is the next envelope's `previous`.",
        "source": "protocol/src/envelope.rs, protocol/src/body.rs",
        "signature_label": label::ENVELOPE_SIGNATURE,
        "hash_label": label::ENVELOPE_HASH,
        "federation": federation.plain(),
        "vectors": vectors,
    });
    let stored = settle("wire", "envelopes.json", &made);
    let vectors = stored["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), SAID.len() + 1);
    let mut chains: BTreeMap<String, String> = BTreeMap::new();
    for vector in vectors {
        check(&bytes(&stored["federation"]["id"]), vector);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fields = &vector["header_fields"];
        let before = chains.insert(text(&fields["sender"]), text(&vector["hash"]));
        assert_eq!(text(&fields["previous"]), before.unwrap_or(Hash::ZERO.to_string()), "{}", vector["name"]);
    }
}

/// From the JSON alone: the envelope verifies, is of this body, and has this hash.
fn check(federation: &Hash, vector: &Value) {
    let envelope = UnverifiedEnvelope::decode(&blob(&vector["envelope"])).unwrap();
    assert_eq!(envelope.unverified_sender().as_str(), vector["header_fields"]["sender"]);
    let envelope = envelope.verify(federation, &bytes(&vector["key"])).unwrap();
    let body = Body { head: blob(&vector["head"]), rows: blob(&vector["rows"]) };
    assert_eq!(envelope.check_body(&body), Ok(()), "{}", vector["name"]);
    assert_eq!(envelope.hash().to_string(), vector["hash"]);
    assert_eq!(envelope.header().plain(), vector["header_fields"]);
}
