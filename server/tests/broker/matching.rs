//! Cuts and notices: the same as the second matcher's, on random sets; and acknowledgements, held until both are there.

use crate::scene::{BEGIN, Scene, leaves, met, rng, unit};
use protocol::acknowledgement::{sealed_len, slot_count};
use protocol::codec::Bytes;
use protocol::compare::{Comparison, Cut, Match, Side, digest};
use protocol::envelope::Kind;
use protocol::message::{Acknowledgement, Head, Notice, Size};
use protocol::name::Pair;
use protocol::tagset::{Leaf, Row, Tag};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeMap;

on_each_store!(
    notices_are_those_of_the_second_matcher,
    acknowledgements_travel_together,
    nothing_is_cut_before_both_have_opened,
    evidence_opens_one_leaf_to_one_unit,
    evidence_is_of_the_set_that_added_the_leaf,
);

async fn notices_are_those_of_the_second_matcher(mut s: Scene) {
    let [a, b] = s.agreed(["A", "B"]).await;
    let pair = Pair::new(&a.name, &b.name).unwrap();
    let (mut sides, mut held) = ([a, b], [BTreeMap::<Tag, Leaf>::new(), BTreeMap::new()]);
    let (mut second, mut dice, mut expected) = (Comparison::default(), rng(99), Vec::new());
    // A small world of tags, so that leaves meet, go and come again.
    let world = leaves(5, 700);
    for tick in 0..14u64 {
        let now = BEGIN + tick * 1_000;
        let mut sets = [Vec::new(), Vec::new()];
        for side in 0..2 {
            if tick > 0 && dice.next_u32() % 4 == 0 {
                continue; // a unit that misses a tick
            }
            let free: Vec<Leaf> = world.iter().filter(|leaf| !held[side].contains_key(&leaf.tag)).copied().collect();
            let (count, size) = if tick == 0 { (256, Size::Opening) } else { (4, Size::Small) };
            let at = dice.next_u32() as usize % (free.len() - count);
            let adds = met(&free[at..at + count], dice.next_u64());
            let gone = if tick == 0 { 0 } else { 4 };
            let skip = dice.next_u32() as usize % (held[side].len().max(5) - 4);
            let removals: Vec<Tag> = held[side].keys().skip(skip).take(gone).copied().collect();
            let peer = sides[1 - side].name.to_string();
            let posted = sides[side].tag_set(&peer, tick, size, &adds, &removals);
            s.accepted(&mut sides[side], posted, now).await;
            sets[side].push(sides[side].previous);
            let rows: Vec<Row> =
                adds.iter().map(|leaf| Row::Add(*leaf)).chain(removals.iter().map(|tag| Row::Remove(*tag))).collect();
            second.apply([Side::Low, Side::High][side], &rows).unwrap();
            held[side].retain(|tag, _| !removals.contains(tag));
            held[side].extend(adds.iter().map(|leaf| (leaf.tag, *leaf)));
        }
        let done = s.broker.tick(now + 1_000).await.unwrap();
        assert_eq!(done.closed, Some(tick));
        assert_eq!(s.broker.tick(now + 1_000).await.unwrap().cuts, 0, "what is done is not done again");
        let matches = second.cut();
        if sets.iter().all(Vec::is_empty) {
            assert_eq!(done.cuts, 0);
            continue;
        }
        assert_eq!((done.cuts, done.matches), (1, matches.len() as u64));
        expected.push((tick, sets, matches));
    }
    assert!(expected.iter().skip(1).any(|(_, _, matches)| !matches.is_empty()), "later leaves meet, too");
    for (side, of) in sides.iter().enumerate() {
        let notices = s.received(of, Kind::Notice, &s.broker.public_key()).await;
        assert_eq!(notices.len(), expected.len());
        for ((envelope, body), (tick, sets, matches)) in notices.iter().zip(&expected) {
            let notice = Notice::from_bytes(&body.head).unwrap();
            let (low_sets, high_sets) = (&sets[0], &sets[1]);
            let (federation, position) = (s.broker.federation(), notice.position);
            let cut = Cut { federation, pair: &pair, epoch: 1, tick: *tick, position, low_sets, high_sets };
            assert_eq!(envelope.header().tick, *tick);
            assert_eq!(notice.digest, digest(&cut, matches.iter()));
            let other = |found: &Match| if side == 0 { found.high } else { found.low };
            let rows: Vec<u8> = matches.iter().flat_map(|found| [found.tag.0, other(found).0].concat()).collect();
            assert_eq!(body.rows, rows, "each side gets the other's confirmations");
        }
    }
}

async fn acknowledgements_travel_together(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, 256);
    let posted = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    s.accepted(&mut a, posted, BEGIN).await;
    let posted = b.tag_set("A", 0, Size::Opening, &met(&mine, 2), &[]);
    s.accepted(&mut b, posted, BEGIN).await;
    s.broker.tick(BEGIN + 1_000).await.unwrap();
    let digest =
        Notice::from_bytes(&s.received(&a, Kind::Notice, &s.broker.public_key()).await[0].1.head).unwrap().digest;
    let head = Acknowledgement { digest, received: 1 };
    let rows = vec![5; sealed_len(slot_count(256, 16))];
    let (key_a, key_b) = (a.keys.signing.public(), b.keys.signing.public());
    let posted = a.say(unit("B"), 1, &head, rows.clone());
    s.accepted(&mut a, posted, BEGIN + 1_000).await;
    assert!(s.received(&b, Kind::Acknowledgement, &key_a).await.is_empty(), "held: neither side is first");
    let posted = b.say(unit("A"), 1, &head, rows);
    s.accepted(&mut b, posted, BEGIN + 1_500).await;
    assert_eq!(s.received(&b, Kind::Acknowledgement, &key_a).await.len(), 1);
    assert_eq!(s.received(&a, Kind::Acknowledgement, &key_b).await.len(), 1);
}

async fn nothing_is_cut_before_both_have_opened(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, 256);
    let posted = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    s.accepted(&mut a, posted, BEGIN).await;
    assert_eq!(s.broker.tick(BEGIN + 1_000).await.unwrap().cuts, 0);
    let posted = b.tag_set("A", 7, Size::Opening, &met(&mine, 2), &[]);
    s.accepted(&mut b, posted, BEGIN + 7_000).await;
    // Ticks were missed: one cut, at the latest of them.
    let done = s.broker.tick(BEGIN + 20_000).await.unwrap();
    assert_eq!((done.cuts, done.matches, done.closed), (1, 256, Some(19)));
    let notices = s.received(&b, Kind::Notice, &s.broker.public_key()).await;
    assert_eq!(Notice::from_bytes(&notices[0].1.head).unwrap().low_sets.len(), 1);
}

async fn evidence_opens_one_leaf_to_one_unit(mut s: Scene) {
    let [mut a, mut b, c] = s.agreed(["A", "B", "C"]).await;
    let mine = leaves(1, 4096);
    let theirs = met(&mine, 2);
    for (actor, peer, set) in [(&mut a, "B", &mine), (&mut b, "A", &theirs)] {
        let mut posted = actor.tag_set(peer, 0, Size::Opening, set, &[]);
        s.stage(actor, &mut posted, BEGIN).await;
        s.accepted(actor, posted, BEGIN).await;
    }
    s.broker.tick(BEGIN + 1_000).await.unwrap();
    let mail = s.mail(&a).await;
    let notice = mail.iter().find(|item| Notice::from_bytes(&item.head).is_ok()).unwrap();
    let leaf = theirs[77];
    let proof = s.broker.evidence(&a.name, notice.entry, &leaf.tag).await.unwrap().unwrap();
    assert_eq!(Leaf::from_bytes(&proof.leaf.0), leaf);
    let path = |hashes: &[protocol::Hash]| {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        tlog::InclusionProof::from_bytes(&bytes).unwrap()
    };
    let envelope = protocol::envelope::UnverifiedEnvelope::decode(&proof.envelope)
        .unwrap()
        .verify(s.broker.federation(), &b.keys.signing.public())
        .unwrap();
    let root = &envelope.header().body_root.0;
    tlog::verify_part(&path(&proof.head_path), proof.parts, root, 0, &proof.head).unwrap();
    let head = protocol::message::TagSet::from_bytes(&proof.head).unwrap();
    assert_eq!(proof.nonce, protocol::tagset::nonce(&Bytes([9; 32]), &leaf.tag));
    assert_eq!(proof.path.len(), 12);
    assert_eq!(head.adds, 4096);
    for (who, entry, tag) in [(&c, notice.entry, leaf.tag), (&b, notice.entry, leaf.tag), (&a, 0, leaf.tag)] {
        assert!(s.broker.evidence(&who.name, entry, &tag).await.unwrap().is_err());
    }
    for tag in [[0; 16], [1; 16], [255; 16]] {
        assert!(s.broker.evidence(&a.name, notice.entry, &Bytes(tag)).await.unwrap().is_err());
    }
    // The first and the last of each frame, and some between.
    let mut sorted = theirs.clone();
    sorted.sort_unstable();
    for at in [0, 1, 700, 2_046, 2_047, 2_048, 2_049, 3_000, 4_094, 4_095] {
        let found = s.broker.evidence(&a.name, notice.entry, &sorted[at].tag).await.unwrap().unwrap();
        assert_eq!((found.index, found.leaf), (at as u64, Bytes(sorted[at].to_bytes())));
    }
}

async fn evidence_is_of_the_set_that_added_the_leaf(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, 256);
    let (first, other) = (met(&mine, 2), leaves(9, 8));
    let gone: Vec<Tag> = first[..4].iter().map(|leaf| leaf.tag).collect();
    let again = met(&mine[..4], 3);
    let later: Vec<Tag> = first[4..8].iter().map(|leaf| leaf.tag).collect();
    let posted = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    s.accepted(&mut a, posted, BEGIN).await;
    // B's leaves of four tags go, and come back as others.
    for (tick, size, adds, removals) in [
        (0, Size::Opening, &first[..], &[][..]),
        (1, Size::Small, &other[..4], &gone),
        (2, Size::Small, &again[..], &later),
    ] {
        let posted = b.tag_set("A", tick, size, adds, removals);
        s.accepted(&mut b, posted, BEGIN + tick * 1_000).await;
        s.broker.tick(BEGIN + (tick + 1) * 1_000).await.unwrap();
    }
    let mail = s.mail(&a).await;
    let notices: Vec<_> = mail.iter().filter(|item| Notice::from_bytes(&item.head).is_ok()).collect();
    assert_eq!(notices.len(), 3);
    for (notice, leaf) in [(0, Some(first[0])), (1, None), (2, Some(again[0]))] {
        let found = s.broker.evidence(&a.name, notices[notice].entry, &mine[0].tag).await.unwrap();
        assert_eq!(found.ok().map(|found| Leaf::from_bytes(&found.leaf.0)), leaf);
    }
    // Every leaf of a notice has its place, the first and the last, and no other tag has one.
    for leaf in &first {
        let found = s.broker.evidence(&a.name, notices[0].entry, &leaf.tag).await.unwrap();
        assert_eq!(found.map(|found| found.leaf), Ok(Bytes(leaf.to_bytes())));
    }
    for leaf in &other {
        assert!(s.broker.evidence(&a.name, notices[0].entry, &leaf.tag).await.unwrap().is_err());
    }
}
