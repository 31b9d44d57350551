//! Who the members are: federation, invite, joining, verification code, names in the log.

use crate::federation::{Federation, NAME, TITLE};
use crate::stored::{blob, bytes, parsed, settle};
use protocol::identity::{federation_id, log_origin, verification_code, verify, witness_name};
use protocol::invite::Invite;
use protocol::message::RosterEntry;
use protocol::roster::{join_entry, join_message};
use protocol::{Bytes, codec, label};
use serde_json::json;

#[test]
fn members() {
    let federation = Federation::new();
    let entry = join_entry(&federation.id, federation.gm.clone(), TITLE.to_owned(), &federation.gm_keys);
    let invite = Invite {
        federation: NAME.to_owned(),
        broker: federation.broker.public(),
        address: "broker.example:7443".to_owned(),
        authority: Bytes([0xca; 32]),
        unit: federation.gm.clone(),
        token: Bytes([0x70; 32]),
    };
    let (gm, sn) = (federation.gm_keys.public(), federation.sn_keys.public());
    let made = json!({
        "what": "Hashes are SHA-256 of label, a zero byte and the parts; lengths are 8 bytes, big-endian.",
        "source": "protocol/src/identity.rs, protocol/src/invite.rs, protocol/src/roster.rs",
        "federation": federation.plain(),
        "federation_id": {
            "what": "hash over the length of the name, the name, and the broker's signing key",
            "rule": "R23", "label": label::FEDERATION, "name": NAME,
            "broker": federation.broker.public().to_string(), "id": federation.id.to_string(),
        },
        "log": {
            "what": "the log's origin and a witness's name: the federation's first 8 bytes in hexadecimal",
            "rule": "R26", "federation": federation.id.to_string(), "origin": log_origin(&federation.id),
            "unit": "GM", "witness": witness_name(&federation.id, &federation.gm),
        },
        "invite": {
            "what": "a prefix; then, in hexadecimal, a CBOR array of the fields in the order federation, broker, \
                     address, authority, unit, token, and the first 4 bytes of the hash over that array",
            "rule": "R6", "label": label::INVITE, "encoded": hex::encode(codec::encode(&invite)),
            "fields": {
                "federation": NAME, "broker": invite.broker.to_string(), "address": invite.address,
                "authority": invite.authority.to_string(), "unit": "GM", "token": invite.token.to_string(),
            },
            "text": invite.to_string(),
        },
        "joining": {
            "what": "what a unit signs when it joins: federation; length and bytes of its name; the same of its title; \
                     signing key; sealing key. The signature is over label, a zero byte and this",
            "rule": "R6", "label": label::JOIN, "unit": "GM", "title": TITLE,
            "message": hex::encode(join_message(&federation.id, &entry)),
            "signature": entry.joined.to_string(), "entry": hex::encode(codec::encode(&entry)),
        },
        "verification_code": {
            "what": "SHA-512 of label, a zero byte, federation, and for each unit in the order of names: length of the \
                     name (1 byte), name, signing key, sealing key. Each 5 of the first 60 bytes, as a big-endian \
                     number modulo 100,000, are a group of 5 digits",
            "rule": "R7", "label": label::VERIFICATION_CODE, "units": ["GM", "SN"],
            "code": verification_code(&federation.id, (&federation.gm, &gm), (&federation.sn, &sn)),
        },
    });
    let stored = settle("wire", "membership.json", &made);

    let id = &stored["federation_id"];
    assert_eq!(federation_id(id["name"].as_str().unwrap(), &bytes(&id["broker"])).to_string(), id["id"]);
    let read: Invite = parsed(&stored["invite"]["text"]);
    assert_eq!(hex::encode(codec::encode(&read)), stored["invite"]["encoded"]);
    let joining = &stored["joining"];
    let entry: RosterEntry = codec::decode(&blob(&joining["entry"])).unwrap();
    assert_eq!(hex::encode(join_message(&federation.id, &entry)), joining["message"]);
    assert!(verify(&entry.keys.signing, label::JOIN, &blob(&joining["message"]), &bytes(&joining["signature"])));
    let other_way = verification_code(&federation.id, (&federation.sn, &sn), (&federation.gm, &gm));
    assert_eq!(stored["verification_code"]["code"], other_way);
    assert!(tlog::KeyName::new(&log_origin(&federation.id)).is_ok());
    assert!(tlog::KeyName::new(&witness_name(&federation.id, &federation.gm)).is_ok());
}
