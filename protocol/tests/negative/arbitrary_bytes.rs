//! Whatever bytes arrive: no decoder panics, and what one accepts is the one way to write it (R23, R34).

use crate::examples::{Example, heads, mailbox};
use crate::federation::{ACCORD, Federation, rng, start};
use crate::forgery::{header_encoding, resigned};
use crate::plain::{RECORDS, decoded_again};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::accord::Accord;
use protocol::acknowledgement::{Context, SLOT_LEN, open, seal};
use protocol::body::Body;
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::invite::Invite;
use protocol::message::{Size, TagSet};
use protocol::name::{Party, UnitName};
use protocol::seal::{ContributionContext, SEALED_CONTRIBUTION_LEN, open_contribution};
use protocol::tagset::{Reader, Row, TagSetError, check_size};
use protocol::{Bytes, Hash, codec};
use std::sync::OnceLock;

static EXAMPLES: OnceLock<Vec<Example>> = OnceLock::new();
static FEDERATION: OnceLock<Federation> = OnceLock::new();

/// One change to some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Put(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    // the bytes by which CBOR and TOML are steered, and any others
    let byte = || {
        prop_oneof![
            any::<u8>(),
            prop::sample::select(b"\x00\x17\x18\x1b\x5f\x7f\x81\x9b\x9f\xbf\xf6\xff[]{}.=\"\n".to_vec())
        ]
    };
    prop_oneof![
        (at(), byte()).prop_map(|(at, with)| Edit::Put(at, with)),
        (at(), 0..8u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        (at(), vec(byte(), 1..12)).prop_map(|(at, more)| Edit::Insert(at, more)),
        (at(), 1..40usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        (at(), 1..40usize).prop_map(|(at, count)| Edit::Repeat(at, count)),
        at().prop_map(Edit::Cut),
    ]
}

fn edited(original: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut out = original.to_vec();
    for edit in edits {
        let length = out.len();
        if length == 0 {
            break;
        }
        match edit {
            Edit::Put(at, with) => out[at.index(length)] = *with,
            Edit::Flip(at, bit) => out[at.index(length)] ^= 1 << bit,
            Edit::Insert(at, more) => {
                let at = at.index(length);
                out.splice(at..at, more.iter().copied());
            }
            Edit::Remove(at, count) => {
                let at = at.index(length);
                out.drain(at..length.min(at + count));
            }
            Edit::Repeat(at, count) => {
                let at = at.index(length);
                out.extend_from_within(at..length.min(at + count));
            }
            Edit::Cut(at) => out.truncate(at.index(length)),
        }
    }
    out
}

fn quick(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// What a record's decoder accepts, it writes just so.
fn check_record(record: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(again) = decoded_again(record, bytes) {
        prop_assert_eq!(again, bytes, "{} accepts what it does not write", record);
    }
    Ok(())
}

fn example_header(federation: &Federation) -> Header {
    Header {
        version: protocol::label::VERSION,
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
        expires: 0,
        log_size: 70_000,
        log_root: Bytes([8; 32]),
        body_len: 0,
        body_root: Bytes::ZERO,
    }
}

proptest! {
    #![proptest_config(quick(2_000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300)) {
        for (record, _) in RECORDS {
            check_record(record, &bytes)?;
        }
        prop_assert!(UnverifiedEnvelope::decode(&bytes).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(text.parse::<Invite>().is_err());
        prop_assert!(Accord::new(&text, start()).is_err());
        let _ = (text.parse::<UnitName>(), text.parse::<Party>(), text.parse::<Bytes<32>>());
    }

    #[test]
    fn edited_records(edits in vec(edit(), 1..6), which in any::<Index>()) {
        let examples = EXAMPLES.get_or_init(|| heads().into_iter().chain(mailbox()).collect());
        let example = &examples[which.index(examples.len())];
        let changed = edited(&example.encoded, &edits);
        check_record(example.record, &changed)?;
        // and as any other record
        check_record(RECORDS[which.index(RECORDS.len())].0, &changed)?;
    }

    #[test]
    fn edited_envelopes(edits in vec(edit(), 1..5), inside in any::<bool>()) {
        let federation = FEDERATION.get_or_init(Federation::new);
        let key = &federation.gm_keys.signing;
        let sent = seal_envelope(example_header(federation), &Body::default(), key);
        // inside: the header is changed and signed anew, so that what follows the signature is reached
        let changed = if inside {
            resigned(&edited(&header_encoding(sent.as_bytes()), &edits), key)
        } else {
            edited(sent.as_bytes(), &edits)
        };
        let verified = UnverifiedEnvelope::decode(&changed)
            .and_then(|envelope| envelope.verify(&federation.id, &key.public()));
        if let Ok(envelope) = verified {
            prop_assert!(inside || changed == sent.as_bytes());
            prop_assert_eq!(envelope.as_bytes(), &changed[..]);
            prop_assert_eq!(codec::encode(envelope.header()), header_encoding(&changed));
            prop_assert!(*envelope.header().sender.as_str() != *"@all");
            let _ = envelope.check_body(&Body { head: changed.clone(), rows: changed });
        }
    }

    #[test]
    fn edited_invites(edits in vec(edit(), 1..4)) {
        let invite = Invite {
            federation: "Exercise".into(),
            broker: Bytes([1; 32]),
            address: "broker.example:7443".into(),
            authority: Bytes([2; 32]),
            unit: "GM".parse().unwrap(),
            token: Bytes([3; 32]),
        };
        let text = invite.to_string();
        let changed = edited(text.as_bytes(), &edits);
        let changed = String::from_utf8_lossy(&changed);
        if let Ok(read) = changed.parse::<Invite>() {
            // spaces around it, and the case of its digits, are all that may differ
            prop_assert_eq!(read.to_string(), text);
            prop_assert!(read == invite);
        }
    }

    #[test]
    fn edited_accords(edits in vec(edit(), 1..6)) {
        let changed = edited(ACCORD.as_bytes(), &edits);
        let changed = String::from_utf8_lossy(&changed);
        if let Ok(accord) = Accord::new(&changed, start()) {
            prop_assert_eq!(accord.text(), &*changed);
            prop_assert!(accord.terms().quota() < 1 << 40);
            let calendar = accord.calendar();
            prop_assert!(calendar.is_live(1, 0));
        }
    }

    #[test]
    fn sealed_plaintexts(
        slots in vec(vec(prop_oneof![3 => Just(0u8), 1 => 0..10u8], SLOT_LEN), 0..4),
        more in prop_oneof![9 => Just(0usize), 1 => 0..SLOT_LEN],
    ) {
        let federation = FEDERATION.get_or_init(Federation::new);
        let digest = Bytes([1; 32]);
        let plain = [slots.concat(), vec![0; more]].concat();
        let additional = [&1u32.to_be_bytes()[..], &digest.0, b"GM"].concat();
        let key = federation.secret.acknowledgement_key();
        let cipher = XChaCha20Poly1305::new(&Key::from(*key.expose_secret()));
        let nonce = [0; 24];
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: &plain, aad: &additional }).unwrap();
        let rows = [&nonce[..], &sealed].concat();
        let context = Context { sender: &federation.gm, epoch: 1, digest: &digest };
        if let Ok(read) = open(&federation.secret, &context, &rows) {
            // sealed again, it says the same
            let again = seal(&federation.secret, &context, &read, slots.len(), &mut rng(1)).unwrap();
            prop_assert_eq!(again.len(), rows.len());
            prop_assert_eq!(open(&federation.secret, &context, &again), Ok(read));
        }
        prop_assert!(open(&federation.secret, &context, &plain).is_err());
    }

    #[test]
    fn rows_in_any_pieces(
        rows in vec(any::<u8>(), 0..400),
        (adds, removals) in prop_oneof![(0..6u32, 0..6u32), (any::<u32>(), any::<u32>())],
        size in prop::sample::select(vec![Size::Opening, Size::Bulk, Size::Small]),
        (one, other) in (1..100usize, 1..100usize),
        said in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
        rooted in any::<bool>(),
    ) {
        let federation = FEDERATION.get_or_init(Federation::new);
        let fits = 32 + 32 * u64::from(adds) + 16 * u64::from(removals);
        let root = if rooted { root_of(&rows, adds) } else { Bytes([7; 32]) };
        let head = TagSet { peer: "SN".parse().unwrap(), size, adds, removals, root };
        let _ = check_size(&head, federation.accord.terms());
        let read = |piece: usize| -> Result<Vec<Row>, TagSetError> {
            let mut reader = Reader::new(&head, said.unwrap_or(fits))?;
            let mut read = Vec::new();
            for piece in rows.chunks(piece) {
                read.extend(reader.push(piece)?);
            }
            reader.finish().map(|()| read)
        };
        let (one, other) = (read(one), read(other));
        prop_assert_eq!(&one, &other);
        if let Ok(read) = one {
            prop_assert_eq!(rows.len() as u64, fits);
            prop_assert_eq!(read.len() as u64, u64::from(adds) + u64::from(removals));
        }
    }

    #[test]
    fn contributions(sealed in prop_oneof![vec(any::<u8>(), 0..200), vec(any::<u8>(), SEALED_CONTRIBUTION_LEN)]) {
        let federation = FEDERATION.get_or_init(Federation::new);
        let (accord, pair) = (federation.accord.hash(), &federation.pair);
        let (sender, receiver) = (&federation.gm, &federation.sn);
        let context = ContributionContext { accord: &accord, pair, epoch: 1, sender, receiver };
        prop_assert!(open_contribution(&federation.sn_keys.sealing, &context, &sealed).is_err());
    }
}

/// The root that the first leaves of some rows would have, whatever their order.
fn root_of(rows: &[u8], adds: u32) -> Hash {
    use protocol::tagset::{Leaf, root};
    let Some((key, rest)) = rows.split_first_chunk::<32>() else { return Bytes::ZERO };
    let leaves: Vec<Leaf> = rest.as_chunks().0.iter().take(adds as usize).map(Leaf::from_bytes).collect();
    root(leaves.iter(), &Bytes(*key))
}

/// Nothing that nests exhausts the stack, and no count reserves memory.
#[test]
fn nested_without_end() {
    const DEEP: usize = 1 << 20;
    let counts = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff].repeat(DEEP / 9);
    for bytes in [vec![0x81; DEEP], vec![0x9f; DEEP], vec![0xa1; DEEP], vec![0xc1; DEEP], counts] {
        for (record, _) in RECORDS {
            assert!(decoded_again(record, &bytes).is_err(), "{record}");
            // the same where a field should be, and after the last field
            let array = |count: u8| [&[0x80 | count], &bytes[..]].concat();
            assert!(decoded_again(record, &array(1)).is_err(), "{record}");
            let after = [&[0x97][..], &[0; 16], &bytes].concat();
            assert!(decoded_again(record, &after).is_err(), "{record}");
        }
        assert!(UnverifiedEnvelope::decode(&bytes[..1024]).is_err());
    }
    // as the extra field of a record that is otherwise whole
    for bytes in [vec![0x81; DEEP], vec![0x9f; DEEP], vec![0xa1; DEEP]] {
        assert!(decoded_again("EpochClosed", &[&[0x82, 1], &bytes[..]].concat()).is_err());
    }
}

/// An accord comes from a peer: its text may nest as deep as it is long.
#[test]
fn accords_nested_without_end() {
    let deep = 100_000;
    let tables = (0..deep / 4).map(|_| "x.").collect::<String>();
    for more in [
        format!("[manual]\nx = {}", "[".repeat(deep)),
        format!("[manual]\nx = {}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("[manual]\nx = {}", "{x=".repeat(deep / 2)),
        format!("[manual]\n{}x = 1", "x.".repeat(deep)),
        format!("[manual.{}x]", "x.".repeat(deep)),
        format!("[identifiers.rules]\n{tables}x = 1"),
        format!("[[manual.{tables}x]]"),
    ] {
        assert!(Accord::new(&format!("{ACCORD}{more}\n"), start()).is_err(), "{}", &more[..20]);
    }
}
