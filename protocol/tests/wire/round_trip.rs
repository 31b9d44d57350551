//! Whatever value a type can have: decoding what was encoded gives the same value, and sealing and opening too.

use crate::federation::Federation;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use protocol::acknowledgement::{Context, Slot, Verdict, open, seal, sealed_len};
use protocol::act::{ActSignature, Content, Outcome, Statement};
use protocol::body::Body;
use protocol::calendar::Start;
use protocol::codec::{decode, encode};
use protocol::consent::{ConsentKind, ParcelHead, Terms};
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::identity::PublicKeys;
use protocol::invite::Invite;
use protocol::mailbox::*;
use protocol::message::*;
use protocol::name::{Party, UnitName};
use protocol::officer::{Certificate, OfficerEntry, OfficerRole};
use protocol::overlap::RecordNumber;
use protocol::seal::PUBLIC_LEN;
use protocol::tagset::{Leaf, Reader, Row, Tag, root, rows};
use protocol::{Bytes, Hash};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

fn fixed<const N: usize>() -> impl Strategy<Value = Bytes<N>> {
    any::<u64>().prop_map(|seed| {
        let mut out = [0; N];
        ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut out);
        Bytes(out)
    })
}

fn hash() -> impl Strategy<Value = Hash> {
    fixed::<32>()
}

fn unit() -> impl Strategy<Value = UnitName> {
    "[A-Za-z0-9][A-Za-z0-9-]{0,31}".prop_map(|name| name.parse().unwrap())
}

fn sender() -> impl Strategy<Value = Party> {
    prop_oneof![unit().prop_map(Party::Unit), Just(Party::Broker)]
}

fn receiver() -> impl Strategy<Value = Party> {
    prop_oneof![sender(), Just(Party::All)]
}

/// Numbers near the borders of CBOR's lengths, and any others.
fn long() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (0u32..64, 0u64..4).prop_map(|(bit, more)| (1u64 << bit).wrapping_add(more).wrapping_sub(2)),
        22u64..26,
    ]
}

fn short() -> impl Strategy<Value = u32> {
    long().prop_map(|n| n as u32)
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Agent, Role::Broker, Role::Officer])
}

fn kind() -> impl Strategy<Value = Kind> {
    use Kind::*;
    prop::sample::select(vec![
        Roster,
        AccordProposal,
        AccordSignature,
        Commitment,
        Contribution,
        Request,
        Count,
        Evaluation,
        Refusal,
        TagSet,
        Notice,
        Acknowledgement,
        Dispute,
        EpochClosed,
        Officer,
        Act,
        ParcelPart,
        Deadline,
    ])
}

fn size() -> impl Strategy<Value = Size> {
    prop::sample::select(vec![Size::Opening, Size::Bulk, Size::Small])
}

fn refusal_reason() -> impl Strategy<Value = RefusalReason> {
    use RefusalReason::*;
    prop::sample::select(vec![OverQuota, OtherSecret, BadPoint, Restored, Stopped, Size, IdentifierVersion])
}

fn dispute_reason() -> impl Strategy<Value = DisputeReason> {
    use DisputeReason::*;
    prop::sample::select(vec![
        UnknownTag,
        WrongConfirmation,
        WrongEvaluation,
        MissingCanary,
        WrongDigest,
        BadCommitment,
        WrongSets,
    ])
}

prop_compose! {
    fn header()(
        (federation, accord, previous, log_root) in (hash(), hash(), hash(), hash()),
        (epoch, tick, sequence, expires, log_size) in (short(), long(), long(), long(), long()),
        (sender, receiver, role, kind) in (sender(), receiver(), role(), kind()),
    ) -> Header {
        Header {
            version: protocol::label::VERSION, federation, accord, epoch, tick, sender, receiver, role, sequence,
            previous, kind, expires, log_size, log_root, body_len: 0, body_root: Bytes::ZERO,
        }
    }
}

prop_compose! {
    fn entry()(
        (unit, title, signing, sealing) in (unit(), ".{0,60}", hash(), fixed::<PUBLIC_LEN>()),
        standing in prop::sample::select(vec![Standing::Admitted, Standing::Suspended, Standing::Left]),
        joined in fixed::<64>(),
    ) -> RosterEntry {
        RosterEntry { unit, title, keys: PublicKeys { signing, sealing }, standing, joined }
    }
}

prop_compose! {
    fn terms()(
        kind in prop::sample::select(vec![ConsentKind::Parcel, ConsentKind::Urgent, ConsentKind::Journal]),
        (federation, accord, handle, provider, recipient) in (hash(), hash(), fixed(), unit(), unit()),
        (recipient_key, package, fields, purpose, handling) in (hash(), hash(), hash(), hash(), hash()),
        (until_ms, nonce) in (long(), fixed()),
    ) -> Terms {
        Terms {
            kind, federation, accord, handle, provider, recipient, recipient_key, package, fields, purpose, handling,
            until_ms, nonce,
        }
    }
}

prop_compose! {
    fn parcel_head()(
        (consent, package, parts, root) in (hash(), hash(), short(), hash()),
        encapsulation in fixed(),
    ) -> ParcelHead {
        ParcelHead { consent, package, parts, root, encapsulation }
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Nothing),
        (prop::sample::select(Outcome::ALL.to_vec()), option::of(unit())).prop_map(|(o, p)| Content::Offer(o, p)),
        terms().prop_map(Content::Consent),
        parcel_head().prop_map(|head| Content::Parcel(Box::new(head))),
        hash().prop_map(Content::Conditions),
        hash().prop_map(Content::Receipt),
        hash().prop_map(Content::Validation),
        Just(Content::Recall),
        Just(Content::Deletion),
        Just(Content::Journal),
    ]
}

prop_compose! {
    fn statement()(
        (federation, accord, handle, matter) in (hash(), hash(), fixed(), hash()),
        (low, high, unit, event) in (unit(), unit(), unit(), "[a-z-]{1,32}"),
        (round, number, at_ms, content) in (short(), short(), long(), content()),
    ) -> Statement {
        Statement { federation, accord, handle, low, high, unit, round, number, event, at_ms, content, matter }
    }
}

fn raw() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn hashes() -> impl Strategy<Value = Vec<Hash>> {
    vec(hash(), 0..30)
}

/// Envelope, head, rows.
type PostedParts = (Vec<u8>, Vec<u8>, Option<Vec<u8>>);

/// The property, for each record.
macro_rules! survives {
    ($($name:ident: $strategy:expr => $make:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]
            $(#[test]
            fn $name(parts in $strategy) {
                let value = $make(parts);
                let bytes = encode(&value);
                let again = decode(&bytes);
                prop_assert!(again.as_ref() == Ok(&value));
            })*
        }
    };
}
survives! {
    roster_entry: entry() => std::convert::identity::<RosterEntry>;
    accord_proposal: (short(), long(), long())
        => |(epoch, tick, at_ms)| AccordProposal { start: Start { epoch, tick, at_ms } };
    accord_signature: hash() => |accord| AccordSignature { accord };
    commitment: (hash(), fixed(), fixed()) => |(point, possession, sealing)| Commitment { point, possession, sealing };
    contribution: raw() => |sealed| Contribution { sealed };
    request: (hash(), size(), short()) => |(confirm, size, number)| Request { confirm, size, number };
    count: (hash(), long()) => |(request, total)| Count { request, total };
    evaluation: (hash(), fixed()) => |(request, proof)| Evaluation { request, proof };
    refusal: (hash(), refusal_reason()) => |(request, reason)| Refusal { request, reason };
    tag_set: (unit(), size(), short(), short(), hash())
        => |(peer, size, adds, removals, root)| TagSet { peer, size, adds, removals, root };
    notice: (unit(), long(), hashes(), hashes(), short(), hash())
        => |(peer, position, low_sets, high_sets, matches, digest)|
            Notice { peer, position, low_sets, high_sets, matches, digest };
    acknowledgement: (hash(), long()) => |(digest, received)| Acknowledgement { digest, received };
    dispute: (hash(), dispute_reason(), option::of(hash())) => |(about, reason, leaf)| Dispute { about, reason, leaf };
    epoch_closed: short() => |closed| EpochClosed { closed };
    officer_certified: (short(), prop::sample::select(OfficerRole::ALL.to_vec()), hash(), hash(), fixed())
        => |(number, role, key, name, possession)|
            OfficerEntry::Certified(Certificate { number, role, key, name, possession });
    officer_revoked: short() => OfficerEntry::Revoked;
    act: (statement(), option::of((short(), fixed(), option::of(fixed()))))
        => |(statement, officer): (_, Option<_>)| {
            let signature = |(number, signature, consent)| ActSignature { number, signature, consent };
            protocol::act::Act { statement, officer: officer.map(signature) }
        };
    parcel_part: (fixed(), hash(), short()) => |(handle, package, index)| ParcelPart { handle, package, index };
    deadline: (fixed(), unit(), unit(), short(), long())
        => |(handle, low, high, round, at_ms)| Deadline { handle, low, high, round, at_ms };
    joining: (hash(), entry(), raw())
        => |(token, entry, certificate_request)| Joining { token, entry, certificate_request };
    joined: raw() => |certificate| Joined { certificate };
    state: (long(), long(), hash(), long())
        => |(now_ms, sequence, previous, mailbox)| State { now_ms, sequence, previous, mailbox };
    staged: vec(short(), 0..40) => |missing| Staged { missing };
    submission: vec((raw(), raw(), option::of(raw())), 0..5) => |items: Vec<PostedParts>| {
        let posted = |(envelope, head, rows)| Posted { envelope, head, rows };
        Submission { items: items.into_iter().map(posted).collect() }
    };
    outcomes: (vec(long(), 0..9), option::of((".{0,9}", ".{0,30}"))) => |(entries, refused): (_, Option<_>)| {
        Outcomes { entries, refused: refused.map(|(code, detail)| Refused { code, detail }) }
    };
    delivery: vec((long(), long(), (raw(), raw(), option::of(raw())), option::of(hashes())), 0..5)
        => |items: Vec<(u64, u64, PostedParts, Option<Vec<Hash>>)>| {
            let delivered = |(position, entry, (envelope, head, rows), frames)| {
                Delivered { position, entry, envelope, head, rows, frames }
            };
            Delivery { items: items.into_iter().map(delivered).collect() }
        };
    proof: hashes() => |path| Proof { path };
    proofs: vec(hashes(), 0..5)
        => |paths: Vec<Vec<Hash>>| Proofs { proofs: paths.into_iter().map(|path| Proof { path }).collect() };
    inclusion_query: (long(), vec(long(), 0..9)) => |(size, entries)| InclusionQuery { size, entries };
    leaf_evidence: ((raw(), raw(), hashes(), long()), (hash(), hash(), long(), hashes()))
        => |((envelope, head, head_path, parts), (leaf, nonce, index, path))|
            LeafEvidence { envelope, head, head_path, parts, leaf, nonce, index, path };
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn envelope(header in header(), head in raw(), rows in raw()) {
        let federation = Federation::new();
        let (key, body) = (&federation.gm_keys.signing, Body { head, rows });
        let id = header.federation;
        let sent = seal_envelope(header, &body, key);
        prop_assert!(sent.as_bytes().len() <= protocol::envelope::MAX_ENVELOPE);
        let got = UnverifiedEnvelope::decode(sent.as_bytes()).and_then(|e| e.verify(&id, &key.public()));
        prop_assert_eq!(got.as_ref(), Ok(&sent));
        prop_assert_eq!(sent.check_body(&body), Ok(()));
    }

    #[test]
    fn invite(
        (federation, address) in (".{0,40}", "[a-z.]{1,40}:[0-9]{1,5}"),
        (broker, authority, token) in (hash(), hash(), hash()),
        unit in unit(),
    ) {
        let invite = Invite { federation, broker, address, authority, unit, token };
        prop_assert!(invite.to_string().parse::<Invite>().is_ok_and(|read| read == invite));
    }

    #[test]
    fn sealed_slots(
        slots in vec((fixed::<16>(), 0..3usize, vec(any::<u32>(), 0..=8)), 0..20),
        more in 0..5usize,
        seed in any::<u64>(),
    ) {
        let slots: Vec<Slot> = slots
            .into_iter()
            .map(|(tag, verdict, records)| {
                let verdict = [Verdict::Confirmed, Verdict::Disputed, Verdict::Change][verdict];
                Slot { tag, verdict, records: records.into_iter().map(RecordNumber).collect() }
            })
            .collect();
        let federation = Federation::new();
        let digest = Bytes([1; 32]);
        let context = Context { sender: &federation.gm, epoch: 1, digest: &digest };
        let count = slots.len() + more;
        let sealed = seal(&federation.secret, &context, &slots, count, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
        prop_assert_eq!(sealed.len(), sealed_len(count));
        prop_assert_eq!(open(&federation.secret, &context, &sealed), Ok(slots));
    }

    #[test]
    fn rows_of_a_tag_set(
        adds in prop::collection::btree_map(fixed::<16>(), fixed::<16>(), 0..40),
        removals in prop::collection::btree_set(fixed::<16>(), 0..40),
        nonce_key in hash(),
        piece in 1..200usize,
    ) {
        let (adds, removals): (BTreeMap<Tag, Bytes<16>>, BTreeSet<Tag>) = (adds, removals);
        let mut leaves: Vec<Leaf> =
            adds.into_iter().rev().map(|(tag, confirmation)| Leaf { tag, confirmation }).collect();
        let mut gone: Vec<Tag> = removals.into_iter().rev().collect();
        let rows = rows(&nonce_key, &mut leaves, &mut gone);
        let root = root(leaves.iter(), &nonce_key);
        let (adds, removals) = (leaves.len() as u32, gone.len() as u32);
        let head = TagSet { peer: "SN".parse().unwrap(), size: Size::Small, adds, removals, root };
        let mut reader = Reader::new(&head, rows.len() as u64).unwrap();
        let mut read = Vec::new();
        for piece in rows.chunks(piece) {
            read.extend(reader.push(piece).unwrap());
        }
        prop_assert_eq!(reader.finish(), Ok(()));
        let expected: Vec<Row> = leaves.into_iter().map(Row::Add).chain(gone.into_iter().map(Row::Remove)).collect();
        prop_assert_eq!(read, expected);
    }
}
