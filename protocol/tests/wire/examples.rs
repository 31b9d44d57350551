//! One example or more of each record of the wire: every enumerator, every optional field, with and without, and
//! numbers on both sides of each length that CBOR gives them.
#![allow(dead_code, reason = "each test uses its own part")]

use crate::federation::{ACCORD, Federation, TITLE, rng, start};
use crate::plain::Plain;
use protocol::act::{Act, Content, Outcome, Statement};
use protocol::consent::{ConsentKind, ParcelHead, Terms};
use protocol::mailbox::*;
use protocol::message::*;
use protocol::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole};
use protocol::roster::join_entry;
use protocol::tagset::{self, Leaf};
use protocol::{Bytes, Hash, codec};
use rand_core::Rng;
use serde_json::Value;

/// A record as fields and as bytes.
pub(crate) struct Example {
    pub(crate) name: String,
    pub(crate) record: &'static str,
    pub(crate) what: String,
    pub(crate) rule: &'static str,
    pub(crate) fields: Value,
    pub(crate) encoded: Vec<u8>,
}

fn example<T: minicbor::Encode<()> + Plain>(name: &str, rule: &'static str, what: &str, value: &T) -> Example {
    let path = std::any::type_name::<T>();
    let record = path.rsplit("::").next().unwrap_or(path);
    let (fields, encoded) = (value.plain(), codec::encode(value));
    Example { name: name.to_owned(), record, what: what.to_owned(), rule, fields, encoded }
}

fn hash(byte: u8) -> Hash {
    Bytes([byte; 32])
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    rng(seed).fill_bytes(&mut out);
    out
}

/// The heads of all kinds of envelope.
pub(crate) fn heads() -> Vec<Example> {
    let federation = Federation::new();
    let (gm, sn) = (federation.gm.clone(), federation.sn.clone());
    let entry = join_entry(&federation.id, gm.clone(), TITLE.to_owned(), &federation.gm_keys);
    let mut out = Vec::new();

    for (name, standing, what) in [
        ("roster_admitted", Standing::Admitted, "a member from here on"),
        ("roster_suspended", Standing::Suspended, "out for now; the unit's signature stays the same"),
        ("roster_left", Standing::Left, "gone"),
    ] {
        out.push(example(name, "R6", what, &RosterEntry { standing, ..entry.clone() }));
    }
    out.push(example("accord_proposal", "R23", "its text stands in the rows", &AccordProposal { start: start() }));
    let accord = federation.accord.hash();
    out.push(example("accord_signature", "R23", "agreement to the accord's hash", &AccordSignature { accord }));
    let commitment =
        Commitment { point: hash(0x21), possession: Bytes([0x22; 64]), sealing: federation.gm_keys.sealing.public() };
    out.push(example("commitment", "R10", "point and proof are placeholders: see psi/", &commitment));
    let sealed = Contribution { sealed: noise(51, protocol::seal::SEALED_CONTRIBUTION_LEN) };
    out.push(example("contribution", "R9", "what is sealed is a placeholder: see contribution.json", &sealed));
    for (name, size, number) in [
        ("request_opening", Size::Opening, 0),
        ("request_bulk", Size::Bulk, 23),
        ("request_small", Size::Small, 24),
        ("request_of_the_highest_number", Size::Small, u32::MAX),
    ] {
        out.push(example(name, "R12", "rows: points", &Request { confirm: hash(0x31), size, number }));
    }
    for (name, total) in [("count_one_byte", 255), ("count_two_bytes", 256), ("count_eight_bytes", 1 << 32)] {
        out.push(example(name, "R13", "logged before the answer", &Count { request: hash(0x41), total }));
    }
    let evaluation = Evaluation { request: hash(0x41), proof: Bytes([0x51; 64]) };
    out.push(example("evaluation", "R13", "rows: points in the request's order", &evaluation));
    for (name, reason) in [
        ("refusal_over_quota", RefusalReason::OverQuota),
        ("refusal_other_secret", RefusalReason::OtherSecret),
        ("refusal_bad_point", RefusalReason::BadPoint),
        ("refusal_restored", RefusalReason::Restored),
        ("refusal_stopped", RefusalReason::Stopped),
        ("refusal_size", RefusalReason::Size),
        ("refusal_identifier_version", RefusalReason::IdentifierVersion),
    ] {
        out.push(example(name, "R13", "a request that is not evaluated", &Refusal { request: hash(0x41), reason }));
    }
    for (name, size, adds, removals) in [
        ("tag_set_opening", Size::Opening, 256, 0),
        ("tag_set_bulk", Size::Bulk, 65_536, 4),
        ("tag_set_small", Size::Small, 4, 4),
    ] {
        let head = TagSet { peer: sn.clone(), size, adds, removals, root: hash(0x61) };
        out.push(example(name, "R15", "rows: key of the nonces, leaves, removals", &head));
    }
    let empty = Notice {
        peer: sn.clone(),
        position: 65_535,
        low_sets: vec![],
        high_sets: vec![hash(0x72)],
        matches: 0,
        digest: hash(0x73),
    };
    out.push(example("notice_without_matches", "R17", "a cut that found nothing", &empty));
    let found = Notice { position: 65_536, low_sets: vec![hash(0x70), hash(0x71)], matches: 24, ..empty };
    out.push(example("notice", "R17", "rows: tag and the other side's confirmation", &found));
    let acknowledgement = Acknowledgement { digest: hash(0x73), received: u64::from(u32::MAX) };
    out.push(example("acknowledgement", "R18", "rows: one ciphertext", &acknowledgement));
    for (name, reason, leaf) in [
        ("dispute_unknown_tag", DisputeReason::UnknownTag, Some(hash(0x82))),
        ("dispute_wrong_confirmation", DisputeReason::WrongConfirmation, Some(hash(0x83))),
        ("dispute_wrong_evaluation", DisputeReason::WrongEvaluation, None),
        ("dispute_missing_canary", DisputeReason::MissingCanary, Some(hash(0x84))),
        ("dispute_wrong_digest", DisputeReason::WrongDigest, None),
        ("dispute_bad_commitment", DisputeReason::BadCommitment, None),
        ("dispute_wrong_sets", DisputeReason::WrongSets, None),
    ] {
        let what = "the array ends before a leaf that is absent";
        out.push(example(name, "R18", what, &Dispute { about: hash(0x81), reason, leaf }));
    }
    for (at, role) in OfficerRole::ALL.into_iter().enumerate() {
        let key = OfficerKey::from_secret(&[0x91 + at as u8; 32]);
        let name = NameOpening { name: format!("Officer {at}"), salt: hash(0xa1) };
        // numbers on both sides of CBOR's lengths
        let number = [1, 23, 24, 255, 256, 10_000][at];
        let certificate = Certificate::new(&federation.id, &gm, number, role, &name, &key);
        let what = "of GM; the signature is the officer's own, the unit's is the envelope's";
        out.push(example(
            &format!("officer_{role}").replace('-', "_"),
            "R30",
            what,
            &OfficerEntry::Certified(certificate),
        ));
    }
    out.push(example("officer_revoked", "R30", "this number signs nothing more", &OfficerEntry::Revoked(24)));
    for (name, act, what) in acts(&federation) {
        out.push(example(name, "R33", what, &act));
    }
    let part = |index| ParcelPart { handle: Bytes([0xc1; 16]), package: hash(0xc2), index };
    out.push(example("parcel_part_first", "R31", "rows: the part", &part(0)));
    out.push(example("parcel_part_of_two_bytes", "R31", "rows: the part", &part(4095)));
    let (low, high) = (gm, sn);
    let deadline = Deadline { handle: Bytes([0xc1; 16]), low, high, round: 24, at_ms: 1_790_000_086_400 };
    out.push(example("deadline", "R29", "the limit's own moment, not the broker's", &deadline));
    out.push(example("epoch_closed", "R23", "the envelope's own epoch is 0", &EpochClosed { closed: 1 }));
    out
}

/// The statement of an act of GM's.
pub(crate) fn statement(federation: &Federation, event: &str, content: Content) -> Statement {
    Statement {
        federation: federation.id,
        accord: federation.accord.hash(),
        handle: Bytes([0xc1; 16]),
        low: federation.gm.clone(),
        high: federation.sn.clone(),
        unit: federation.gm.clone(),
        round: 23,
        number: 256,
        event: event.to_owned(),
        at_ms: 1_790_000_000_000,
        content,
        matter: hash(0xc3),
    }
}

/// The terms of a consent of GM's.
pub(crate) fn terms(federation: &Federation, kind: ConsentKind) -> Terms {
    Terms {
        kind,
        federation: federation.id,
        accord: federation.accord.hash(),
        handle: Bytes([0xc1; 16]),
        provider: federation.gm.clone(),
        recipient: federation.sn.clone(),
        recipient_key: hash(0xc4),
        package: hash(0xc2),
        fields: hash(0xc5),
        purpose: hash(0xc6),
        handling: hash(0xc7),
        until_ms: 1_790_000_172_800,
        nonce: Bytes([0xc8; 16]),
    }
}

/// An act with each content, and one of an agent.
fn acts(federation: &Federation) -> Vec<(&'static str, Act, &'static str)> {
    let key = OfficerKey::from_secret(&[0x91; 32]);
    let sign = |event: &str, content| Act::sign(statement(federation, event, content), 1, &key);
    let consent = |kind| sign("consent", Content::Consent(terms(federation, kind)));
    let head = ParcelHead {
        consent: terms(federation, ConsentKind::Parcel).id(),
        package: hash(0xc2),
        parts: 2,
        root: hash(0xc9),
        encapsulation: Bytes([0xca; protocol::seal::ENCAPSULATION_LEN]),
    };
    let signed = "rows: sealed matter; the signature is the officer's, the unit's is the envelope's";
    let twice = "signed twice by the officer: the statement, and the terms under the label of their kind";
    let handover = Content::Offer(Outcome::Handover, Some(federation.gm.clone()));
    vec![
        ("act", sign("acknowledge", Content::Nothing), signed),
        ("act_offer_separate", sign("propose", Content::Offer(Outcome::Separate, None)), signed),
        ("act_offer_handover", sign("propose", handover), signed),
        ("act_offer_mutual", sign("counter", Content::Offer(Outcome::Mutual, None)), signed),
        ("act_offer_joint", sign("counter", Content::Offer(Outcome::Joint, None)), signed),
        ("act_consent", consent(ConsentKind::Parcel), twice),
        ("act_consent_urgent", consent(ConsentKind::Urgent), twice),
        ("act_consent_journal", consent(ConsentKind::Journal), twice),
        ("act_parcel", sign("seal", Content::Parcel(Box::new(head))), signed),
        ("act_conditions", sign("conditions", Content::Conditions(hash(0xc2))), signed),
        ("act_receipt", sign("receive", Content::Receipt(hash(0xc2))), signed),
        ("act_validation", sign("validate", Content::Validation(hash(0xc2))), signed),
        ("act_recall", sign("withdraw", Content::Recall), signed),
        ("act_journal", sign("journal", Content::Journal), signed),
        (
            "act_of_an_agent",
            Act::of_agent(statement(federation, "deleted", Content::Deletion)),
            "the array ends before an officer's signature",
        ),
    ]
}

/// What travels between a unit and the broker's mailbox and log.
pub(crate) fn mailbox() -> Vec<Example> {
    let federation = Federation::new();
    let entry = join_entry(&federation.id, federation.gm.clone(), TITLE.to_owned(), &federation.gm_keys);
    let posted = |rows| Posted { envelope: noise(61, 40), head: noise(62, 7), rows };
    let delivered = |position, rows, frames| Delivered {
        position,
        entry: position + 99,
        envelope: noise(63, 40),
        head: vec![0x80],
        rows,
        frames,
    };
    let refused = Refused { code: "sequence-gap".to_owned(), detail: "the next envelope has number 24".to_owned() };
    let joining = Joining { token: hash(0x91), entry, certificate_request: noise(64, 90) };
    let evidence = LeafEvidence {
        envelope: noise(65, 41),
        head: noise(66, 25),
        head_path: vec![hash(0xa1)],
        parts: 2,
        leaf: hash(0xa2),
        nonce: hash(0xa3),
        index: 3,
        path: vec![hash(0xa4), hash(0xa5)],
    };
    let state = |now_ms, sequence| State { now_ms, sequence, previous: hash(0x92), mailbox: sequence + 1 };
    let new = State { previous: Bytes::ZERO, mailbox: 0, ..state(1_790_000_000_000, 0) };
    vec![
        example("joining", "R6", "a unit asks to join", &joining),
        example("joined", "R6", "the unit's client certificate", &Joined { certificate: noise(67, 80) }),
        example("state_of_a_new_unit", "R24", "nothing accepted yet", &new),
        example("state", "R24", "the chain's last envelope", &state(1_790_000_060_000, 23)),
        example("staged_whole", "R24", "no frame is missing", &Staged { missing: vec![] }),
        example("staged_in_part", "R24", "two frames are missing", &Staged { missing: vec![1, 4095] }),
        example("submission_empty", "R24", "no envelope", &Submission { items: vec![] }),
        example("submission_with_rows", "R24", "rows inline", &Submission { items: vec![posted(Some(noise(68, 9)))] }),
        example(
            "submission_with_no_rows",
            "R24",
            "rows inline, of no bytes",
            &Submission { items: vec![posted(Some(vec![]))] },
        ),
        example(
            "submission_with_staged_rows",
            "R24",
            "rows staged: the array ends before them",
            &Submission { items: vec![posted(None), posted(Some(vec![1]))] },
        ),
        example("outcomes_accepted", "R25", "all were accepted", &Outcomes { entries: vec![23, 24], refused: None }),
        example(
            "outcomes_refused",
            "R25",
            "the first was refused",
            &Outcomes { entries: vec![], refused: Some(refused) },
        ),
        example("delivery_empty", "R24", "nothing there", &Delivery { items: vec![] }),
        example(
            "delivery",
            "R24",
            "one with rows, one whose rows are fetched in frames",
            &Delivery { items: vec![delivered(1, Some(noise(69, 9)), None), delivered(2, None, None)] },
        ),
        example(
            "delivery_of_destroyed_rows",
            "R31",
            "of the rows, the hashes of their frames",
            &Delivery { items: vec![delivered(3, None, Some(vec![hash(0xa6), hash(0xa7)]))] },
        ),
        example("proof", "R26", "a path", &Proof { path: vec![hash(0xb1), hash(0xb2)] }),
        example("proof_empty", "R26", "a tree of one leaf", &Proof { path: vec![] }),
        example("inclusion_query", "R26", "indices", &InclusionQuery { size: 70_000, entries: vec![0, 255, 65_536] }),
        example(
            "proofs",
            "R26",
            "one for each entry",
            &Proofs { proofs: vec![Proof { path: vec![] }, Proof { path: vec![hash(0xb3)] }] },
        ),
        example("leaf_evidence", "R17", "a leaf's place; hashes are placeholders", &evidence),
    ]
}

/// Rows for the head that an envelope of each kind has in the vectors.
pub(crate) fn rows_for(head: &str) -> Vec<u8> {
    match head {
        "accord_proposal" => ACCORD.as_bytes().to_vec(),
        "request_small" | "evaluation" => noise(71, 64),
        "tag_set_small" => {
            let mut rng = rng(72);
            let mut adds: Vec<Leaf> = (0..4).map(|_| Leaf::random(&mut rng)).collect();
            let mut removals: Vec<tagset::Tag> = (0..4).map(|_| Leaf::random(&mut rng).tag).collect();
            tagset::rows(&hash(0x62), &mut adds, &mut removals)
        }
        "notice" => noise(73, 24 * 32),
        name if name.starts_with("act") => noise(75, 2088),
        "parcel_part_first" => noise(76, 48),
        "acknowledgement" => noise(74, protocol::acknowledgement::sealed_len(4)),
        _ => Vec::new(),
    }
}
