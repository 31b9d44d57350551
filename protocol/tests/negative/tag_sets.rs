//! R15: each way in which the pure code refuses a tag set. What only the broker's state tells (a second opening set, a
//! set before it, a second one in a tick) is tested where that state is.

use crate::federation::{ACCORD, rng, start};
use crate::stored::{blob, bytes, number, run, settle};
use protocol::accord::Accord;
use protocol::compare::{Comparison, Side};
use protocol::message::{Head, Size, TagSet};
use protocol::tagset::{LEAF_LEN, Leaf, NONCE_KEY_LEN, Reader, Row, TAG_LEN, Tag, TagSetError, check_size, root, rows};
use protocol::{Bytes, Hash};
use serde_json::{Value, json};

/// Reads a set as the broker does: sizes by the accord, rows piece by piece, then the leaves that are there already.
fn read(file: &Value, case: &Value, leaves: &mut Comparison) -> Result<(), TagSetError> {
    let accord = Accord::new(file["accord"].as_str().unwrap(), start()).unwrap();
    let head = TagSet::from_bytes(&blob(&case["head"])).unwrap();
    check_size(&head, accord.terms())?;
    let rows = blob(&case["rows"]);
    let length = if case["rows_len"].is_null() { rows.len() as u64 } else { number(&case["rows_len"]) };
    let mut reader = Reader::new(&head, length)?;
    let mut read = Vec::new();
    for piece in rows.chunks(number(&case["pieces"])) {
        read.extend(reader.push(piece)?);
    }
    reader.finish()?;
    leaves.apply(Side::Low, &read)
}

fn outcome(file: &Value, case: &Value) -> Value {
    let mut leaves = Comparison::default();
    let present = case["present"].as_array().unwrap().iter();
    let present: Vec<Row> =
        present.map(|tag| Row::Add(Leaf { tag: bytes(tag), confirmation: Bytes([0; 16]) })).collect();
    leaves.apply(Side::Low, &present).unwrap();
    let outcome = read(file, case, &mut leaves);
    if outcome.is_err() {
        // what was refused changed nothing: the original is still taken
        let control = file["cases"].as_array().unwrap().iter().find(|other| other["name"] == case["control"]).unwrap();
        if control["present"] == case["present"] {
            assert_eq!(read(file, control, &mut leaves), Ok(()), "{}", case["name"]);
        }
    }
    outcome.map_or_else(|error| error.code().into(), |()| Value::Null)
}

/// A set with all that it needs to be accepted.
#[derive(Clone)]
struct Set {
    size: Size,
    nonce_key: Hash,
    adds: Vec<Leaf>,
    removals: Vec<Tag>,
    root: Hash,
}

impl Set {
    fn new(seed: u64, size: Size, adds: usize, removals: usize) -> Set {
        let mut rng = rng(seed);
        let mut adds: Vec<Leaf> = (0..adds).map(|_| Leaf::random(&mut rng)).collect();
        let mut removals: Vec<Tag> = (0..removals).map(|_| Leaf::random(&mut rng).tag).collect();
        let nonce_key = Bytes([0x6e; 32]);
        let _ = rows(&nonce_key, &mut adds, &mut removals);
        Set { size, nonce_key, root: root(adds.iter(), &nonce_key), adds, removals }
    }

    /// With another content, and the root of it.
    fn rooted(mut self, change: impl Fn(&mut Set)) -> Set {
        change(&mut self);
        self.root = root(self.adds.iter(), &self.nonce_key);
        self
    }

    /// With another content, and the root as it was.
    fn with(mut self, change: impl Fn(&mut Set)) -> Set {
        change(&mut self);
        self
    }

    fn head(&self) -> TagSet {
        let (adds, removals) = (self.adds.len() as u32, self.removals.len() as u32);
        TagSet { peer: "SN".parse().unwrap(), size: self.size, adds, removals, root: self.root }
    }

    /// In the order in which they stand here, right or not.
    fn rows(&self) -> Vec<u8> {
        let leaves = self.adds.iter().flat_map(|leaf| leaf.to_bytes());
        self.nonce_key.0.into_iter().chain(leaves).chain(self.removals.iter().flat_map(|tag| tag.0)).collect()
    }

    fn case(&self, name: &str, control: &str, present: &[Tag], refused: Value) -> Value {
        json!({
            "name": name, "control": control, "head": hex::encode(self.head().to_bytes()),
            "rows": hex::encode(self.rows()), "pieces": 65_536,
            "present": present.iter().map(Tag::to_string).collect::<Vec<_>>(), "refused": refused,
        })
    }
}

#[test]
fn r15_tag_sets() {
    let small = Set::new(15, Size::Small, 4, 4);
    let mut cases = vec![small.case("small_set", "small_set", &small.removals, Value::Null)];
    let refused = |name: &str, set: &Set, code: &str| set.case(name, "small_set", &small.removals, code.into());
    cases.extend(lengths(&small));
    cases.extend(sizes());

    for (name, set) in [
        ("leaves_exchanged", small.clone().rooted(|set| set.adds.swap(1, 2))),
        ("leaves_descending", small.clone().rooted(|set| set.adds.reverse())),
        ("last_leaf_first", small.clone().rooted(|set| set.adds.rotate_right(1))),
        ("leaf_twice", small.clone().rooted(|set| set.adds[3] = set.adds[2])),
        ("tag_twice_with_other_confirmations", small.clone().rooted(|set| set.adds[1].tag = set.adds[0].tag)),
        ("removals_exchanged", small.clone().with(|set| set.removals.swap(0, 1))),
        ("removals_descending", small.clone().with(|set| set.removals.reverse())),
        ("removal_twice", small.clone().with(|set| set.removals[3] = set.removals[2])),
    ] {
        cases.push(refused(name, &set, "tagset-order"));
    }
    let mut bytewise =
        refused("leaves_exchanged_read_bytewise", &small.clone().rooted(|s| s.adds.swap(0, 1)), "tagset-order");
    bytewise["pieces"] = 1.into();
    cases.push(bytewise);

    let other = Set::new(16, Size::Small, 4, 4);
    for (name, set) in [
        ("confirmation_changed", small.clone().with(|set| set.adds[0].confirmation.0[15] ^= 1)),
        (
            "confirmations_exchanged",
            small.clone().with(|set| {
                let first = set.adds[0].confirmation;
                set.adds[0].confirmation = set.adds[1].confirmation;
                set.adds[1].confirmation = first;
            }),
        ),
        ("tag_changed", small.clone().with(|set| set.adds[2].tag.0[15] ^= 1)),
        ("nonce_key_changed", small.clone().with(|set| set.nonce_key.0[31] ^= 1)),
        ("root_changed", small.clone().with(|set| set.root.0[0] ^= 1)),
        ("root_of_zeros", small.clone().with(|set| set.root = Bytes::ZERO)),
        ("root_of_another_set", small.clone().with(|set| set.root = other.root)),
        ("leaves_of_another_set", small.clone().with(|set| set.adds.clone_from(&other.adds))),
        (
            "root_over_bare_leaves",
            small.clone().with(|set| {
                set.root =
                    protocol::body::root_of_hashes(set.adds.iter().map(|l| protocol::body::part_hash(&l.to_bytes())));
            }),
        ),
        ("root_over_fewer_leaves", small.clone().with(|set| set.root = root(set.adds[..3].iter(), &set.nonce_key))),
        ("root_of_no_leaves", small.clone().with(|set| set.root = root([].iter(), &set.nonce_key))),
    ] {
        cases.push(refused(name, &set, "tagset-root"));
    }

    let with_present = |more: &[Tag]| [&small.removals[..], more].concat();
    let tags: Vec<Tag> = small.adds.iter().map(|leaf| leaf.tag).collect();
    for (name, present) in [
        ("first_leaf_is_present", with_present(&tags[..1])),
        ("last_leaf_is_present", with_present(&tags[3..])),
        ("all_leaves_are_present", with_present(&tags)),
    ] {
        cases.push(small.case(name, "small_set", &present, "tagset-tag-present".into()));
    }
    let replaced = small.clone().with(|set| {
        set.removals[0] = set.adds[0].tag;
        set.removals.sort_unstable();
    });
    let present = with_present(&tags[..1]);
    cases.push(replaced.case("leaf_is_replaced_in_one_set", "small_set", &present, "tagset-tag-present".into()));
    for (name, present) in [
        ("first_removal_is_absent", &small.removals[1..]),
        ("last_removal_is_absent", &small.removals[..3]),
        ("all_removals_are_absent", &[][..]),
    ] {
        cases.push(small.case(name, "small_set", present, "tagset-tag-absent".into()));
    }
    cases.push(refused("leaf_is_added_and_removed_in_one_set", &replaced, "tagset-tag-absent"));

    let made = json!({
        "what": "A tag set as the broker reads it: the head's sizes by the accord (opening and bulk: 256, 512, ... up to \
                 opening_max + bulk_max + 512 leaves; small: exactly tag_sets.small), then `rows`, said to be `rows_len` \
                 bytes (if absent: as many as there are), in pieces of so many bytes, then `present`, the tags of this \
                 unit that are there already. For wire types see wire/tag_sets.json and wire/heads.json.",
        "rule": "R15", "source": "protocol/src/tagset.rs, protocol/src/compare.rs", "accord": ACCORD, "cases": cases,
    });
    run(
        &settle("negative", "r15_tag_sets.json", &made),
        60,
        &["tagset-length", "tagset-size", "tagset-order", "tagset-root", "tagset-tag-present", "tagset-tag-absent"],
        outcome,
    );
}

fn lengths(small: &Set) -> Vec<Value> {
    let rows = small.rows();
    let (whole, removals) = (rows.len(), NONCE_KEY_LEN + 4 * LEAF_LEN);
    let case = |name: &str, rows: Vec<u8>, said: Option<usize>| {
        let mut case = small.case(name, "small_set", &small.removals, "tagset-length".into());
        case["rows"] = hex::encode(rows).into();
        if let Some(said) = said {
            case["rows_len"] = said.into();
        }
        case
    };
    vec![
        case("rows_one_byte_short", rows[..whole - 1].to_vec(), None),
        case("rows_one_byte_long", [&rows[..], &[0]].concat(), None),
        case("no_rows", vec![], None),
        case("rows_without_nonce_key", rows[NONCE_KEY_LEN..].to_vec(), None),
        case("rows_one_leaf_short", [&rows[..removals - LEAF_LEN], &rows[removals..]].concat(), None),
        case("rows_one_leaf_long", [&rows[..removals], &[0xff; LEAF_LEN], &rows[removals..]].concat(), None),
        case("rows_one_removal_short", rows[..whole - TAG_LEN].to_vec(), None),
        case("rows_one_removal_long", [&rows[..], &[0xff; TAG_LEN]].concat(), None),
        case("rows_without_removals", rows[..removals].to_vec(), None),
        case("transfer_of_nothing", vec![], Some(whole)),
        case("transfer_ends_in_the_nonce_key", rows[..31].to_vec(), Some(whole)),
        case("transfer_ends_in_a_leaf", rows[..100].to_vec(), Some(whole)),
        case("transfer_ends_between_leaves", rows[..removals].to_vec(), Some(whole)),
        case("transfer_ends_before_the_last_byte", rows[..whole - 1].to_vec(), Some(whole)),
        case("transfer_goes_on_for_a_byte", [&rows[..], &[0]].concat(), Some(whole)),
        case("transfer_goes_on_for_a_leaf", [&rows[..], &[0xff; LEAF_LEN]].concat(), Some(whole)),
        case("length_said_one_too_high", rows.clone(), Some(whole + 1)),
        case("length_said_without_end", rows, Some(u64::MAX as usize)),
    ]
}

fn sizes() -> Vec<Value> {
    let opening = Set::new(17, Size::Opening, 256, 0);
    let bulk = Set::new(18, Size::Bulk, 256, 4);
    let present = bulk.removals.clone();
    let mut cases = vec![
        opening.case("opening_set", "opening_set", &[], Value::Null),
        bulk.case("bulk_set", "bulk_set", &present, Value::Null),
    ];
    for (name, size, adds, removals) in [
        ("small_set_with_a_leaf_too_few", Size::Small, 3, 4),
        ("small_set_with_a_leaf_too_many", Size::Small, 5, 4),
        ("small_set_with_a_removal_too_few", Size::Small, 4, 3),
        ("small_set_with_a_removal_too_many", Size::Small, 4, 5),
        ("small_set_without_leaves", Size::Small, 0, 4),
        ("small_set_without_removals", Size::Small, 4, 0),
        ("small_set_of_nothing", Size::Small, 0, 0),
        ("small_set_as_large_as_an_opening", Size::Small, 256, 4),
        ("opening_set_with_a_removal", Size::Opening, 256, 1),
        ("opening_set_with_a_small_sets_removals", Size::Opening, 256, 4),
        ("opening_set_one_short_of_padding", Size::Opening, 255, 0),
        ("opening_set_one_past_padding", Size::Opening, 257, 0),
        ("opening_set_without_leaves", Size::Opening, 0, 0),
        ("opening_set_as_small_as_a_small_one", Size::Opening, 4, 0),
        ("opening_set_above_the_quota", Size::Opening, 1536, 0),
        ("opening_set_of_the_highest_number", Size::Opening, 0xffff_ff00, 0),
        ("bulk_set_one_short_of_padding", Size::Bulk, 255, 4),
        ("bulk_set_without_leaves", Size::Bulk, 0, 4),
        ("bulk_set_without_removals", Size::Bulk, 256, 0),
        ("bulk_set_with_a_removal_too_many", Size::Bulk, 256, 5),
        ("bulk_set_above_the_quota", Size::Bulk, 1536, 4),
    ] {
        let head = TagSet { peer: "SN".parse().unwrap(), size, adds, removals, root: bulk.root };
        // refused by the head alone: rows of the right length would be
        let length = 32 + 32 * u64::from(adds) + 16 * u64::from(removals);
        let control = match size {
            Size::Small => "small_set",
            Size::Opening => "opening_set",
            Size::Bulk => "bulk_set",
        };
        cases.push(json!({
            "name": name, "control": control, "head": hex::encode(head.to_bytes()), "rows": "", "rows_len": length,
            "pieces": 65_536, "present": [], "refused": "tagset-size",
        }));
    }
    let as_opening = bulk.clone().with(|set| set.size = Size::Opening);
    let as_small = bulk.clone().with(|set| set.size = Size::Small);
    cases.push(as_opening.case("bulk_set_called_an_opening", "bulk_set", &present, "tagset-size".into()));
    cases.push(as_small.case("bulk_set_called_small", "bulk_set", &present, "tagset-size".into()));
    cases
}
