//! Each check of the broker has a test here, named by the refusal that it must give; none changes anything (R34).

use crate::scene::{BEGIN, Scene, leaves, name, unit};
use protocol::codec::{self, Bytes, Hash};
use protocol::envelope::{Header, Kind, Role};
use protocol::message::{Acknowledgement, Count, Head, Notice, Refusal, RefusalReason, Request, Size};
use protocol::name::Party;
use protocol::tagset::Leaf;

on_each_store!(envelopes, senders, chains, receivers, moments, bodies, tag_sets, acknowledgements, uploads,);

fn count() -> Count {
    Count { request: Bytes([1; 32]), total: 5 }
}

async fn envelopes(mut s: Scene) {
    let [a, _] = s.agreed(["A", "B"]).await;
    let good = || a.say(unit("B"), 0, &count(), vec![]);
    let mut posted = good();
    posted.envelope = vec![0xff];
    s.refused(&a, posted, BEGIN, "envelope-malformed").await;
    let mut posted = good();
    posted.envelope.push(0);
    s.refused(&a, posted, BEGIN, "envelope-not-canonical").await;
    let mut posted = good();
    posted.envelope = vec![0; 1025];
    s.refused(&a, posted, BEGIN, "envelope-too-large").await;
    let header = Header { version: 2, ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "envelope-version").await;
    let header = Header { federation: Bytes([7; 32]), ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "envelope-federation").await;
    let mut posted = good();
    *posted.envelope.last_mut().unwrap() ^= 1;
    s.refused(&a, posted, BEGIN, "envelope-signature").await;
    let mut posted = good();
    posted.head[5] ^= 1;
    s.refused(&a, posted, BEGIN, "envelope-body").await;
    let mut posted = good();
    posted.rows = Some(vec![1]);
    s.refused(&a, posted, BEGIN, "envelope-body").await;
    let mut posted = good();
    posted.head = vec![0; 16_385];
    s.refused(&a, posted, BEGIN, "envelope-too-large").await;
}

async fn senders(mut s: Scene) {
    let [a, b, c] = s.agreed(["A", "B", "C"]).await;
    s.refused(&a, b.say(unit("A"), 0, &count(), vec![]), BEGIN, "sender-other").await;
    let header = Header { sender: Party::Broker, ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "sender-other").await;
    let header = Header { role: Role::Officer, ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "sender-role").await;
    for kind in [Kind::Roster, Kind::Notice, Kind::EpochClosed] {
        s.refused(&a, a.seal(a.header(kind, unit("B"), 0), vec![], vec![]), BEGIN, "sender-kind").await;
    }
    let stranger = s.actor("Z");
    s.refused(&stranger, stranger.say(unit("B"), 0, &count(), vec![]), BEGIN, "sender-not-admitted").await;
    s.broker.suspend(&c.name, BEGIN).await.unwrap();
    s.refused(&c, c.say(unit("B"), 0, &count(), vec![]), BEGIN, "sender-not-admitted").await;
    s.refused(&a, a.say(unit("C"), 0, &count(), vec![]), BEGIN, "receiver-not-admitted").await;
}

async fn chains(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    let expected = format!("number {}", a.sequence + 1);
    let header = Header { sequence: a.sequence + 2, ..a.header(Kind::Count, unit("B"), 0) };
    let gap = a.seal(header, count().to_bytes(), vec![]);
    let outcomes = s.broker.accept(&a.name, vec![gap.clone()], BEGIN).await.unwrap();
    assert!(outcomes.refused.unwrap().detail.contains(&expected));
    s.refused(&a, gap, BEGIN, "sequence-gap").await;
    let header = Header { sequence: 0, ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "sequence-gap").await;
    let header = Header { previous: Bytes([3; 32]), ..a.header(Kind::Count, unit("B"), 0) };
    s.refused(&a, a.seal(header, count().to_bytes(), vec![]), BEGIN, "sequence-previous").await;
    let header = Header { expires: BEGIN, ..a.header(Kind::Count, unit("B"), 0) };
    let expiring = a.seal(header, count().to_bytes(), vec![]);
    s.refused(&a, expiring.clone(), BEGIN + 1, "envelope-expired").await;
    let other = a.say(unit("B"), 0, &Count { total: 6, ..count() }, vec![]);
    let entry = s.accepted(&mut a, expiring.clone(), BEGIN).await;
    // The same bytes get the same answer, even when they have expired since.
    let again = s.broker.accept(&a.name, vec![expiring], BEGIN + 5).await.unwrap();
    assert_eq!((again.entries, again.refused), (vec![entry], None));
    s.refused(&a, other, BEGIN, "sequence-conflict").await;
}

async fn receivers(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    s.refused(&a, a.say(Party::All, 0, &count(), vec![]), BEGIN, "receiver-kind").await;
    s.refused(&a, a.say(Party::Broker, 0, &count(), vec![]), BEGIN, "receiver-kind").await;
    s.refused(&a, a.say(unit("A"), 0, &count(), vec![]), BEGIN, "receiver-oneself").await;
    s.refused(&a, a.say(unit("Z"), 0, &count(), vec![]), BEGIN, "receiver-not-admitted").await;
    let late = s.admitted("L").await;
    s.refused(&a, a.say(unit("L"), 0, &count(), vec![]), BEGIN, "not-party").await;
    s.refused(&late, late.say(unit("A"), 0, &count(), vec![]), BEGIN, "not-party").await;
    let set = a.tag_set("L", 0, Size::Opening, &leaves(1, 256), &[]);
    s.refused(&a, set, BEGIN, "not-party").await;
    let mut late = late;
    let signature = late.sign_accord(&s.accord);
    s.accepted(&mut late, signature, BEGIN).await;
    let posted = a.say(unit("L"), 0, &count(), vec![]);
    s.accepted(&mut a, posted, BEGIN).await;
    let mut header = a.header(Kind::TagSet, unit("B"), 0);
    s.refused(&a, a.seal(header.clone(), vec![], vec![]), BEGIN, "receiver-kind").await;
    (header.kind, header.epoch, header.accord) = (Kind::AccordSignature, 0, Hash::ZERO);
    s.refused(&a, a.seal(header, vec![], vec![]), BEGIN, "receiver-kind").await;
}

async fn moments(mut s: Scene) {
    let [a, _] = s.agreed(["A", "B"]).await;
    let sealed = |header: Header| a.seal(header, count().to_bytes(), vec![]);
    let header = |tick| a.header(Kind::Count, unit("B"), tick);
    s.refused(&a, sealed(Header { epoch: 0, ..header(0) }), BEGIN, "epoch-kind").await;
    s.refused(&a, sealed(Header { accord: Bytes([1; 32]), ..header(0) }), BEGIN, "accord-mismatch").await;
    s.refused(&a, sealed(Header { epoch: 2, ..header(0) }), BEGIN, "epoch-not-begun").await;
    s.refused(&a, sealed(header(2)), BEGIN, "tick-ahead").await;
    s.refused(&a, sealed(header(u64::MAX)), BEGIN, "tick-ahead").await;
    s.refused(&a, sealed(Header { epoch: 2, ..header(99) }), BEGIN + 99_000, "tick-outside-epoch").await;
    s.refused(&a, sealed(header(110)), BEGIN + 109_000, "tick-outside-epoch").await;
    s.refused(&a, sealed(header(100)), BEGIN + 110_000, "epoch-closed").await;
    s.refused(&a, sealed(header(0)), BEGIN - 1, "epoch-not-begun").await;
    s.broker.tick(BEGIN + 110_000).await.unwrap();
    // A clock that goes back reopens nothing.
    s.refused(&a, sealed(header(0)), BEGIN, "epoch-closed").await;
    let proclaimed = a.header(Kind::AccordSignature, Party::All, 0);
    s.refused(&a, sealed(proclaimed), BEGIN, "epoch-kind").await;
}

async fn bodies(mut s: Scene) {
    let [a, _] = s.agreed(["A", "B"]).await;
    let header = |kind| a.header(kind, unit("B"), 0);
    s.refused(&a, a.seal(header(Kind::Count), vec![0xff], vec![]), BEGIN, "head-malformed").await;
    let mut head = count().to_bytes();
    head.push(0);
    s.refused(&a, a.seal(header(Kind::Count), head, vec![]), BEGIN, "head-not-canonical").await;
    s.refused(&a, a.say(unit("B"), 0, &count(), vec![1]), BEGIN, "rows-unexpected").await;
    let refusal = Refusal { request: Hash::ZERO, reason: RefusalReason::Size };
    s.refused(&a, a.say(unit("B"), 0, &refusal, vec![0; 32]), BEGIN, "rows-unexpected").await;
    let request = Request { confirm: Bytes([0; 32]), size: Size::Small, number: 0 };
    for rows in [0, 31, 33] {
        s.refused(&a, a.say(unit("B"), 0, &request, vec![0; rows]), BEGIN, "points-malformed").await;
    }
    s.refused(&a, a.say(unit("B"), 0, &request, vec![0; 65_536 + 32]), BEGIN, "body-not-inline").await;
    let mut posted = a.say(unit("B"), 0, &request, vec![0; 65_536 + 32]);
    posted.rows = None;
    s.refused(&a, posted, BEGIN, "body-incomplete").await;
    let mut too_many = a.say(unit("B"), 0, &request, vec![0; 65_537 * 32]);
    s.stage(&a, &mut too_many, BEGIN).await;
    s.refused(&a, too_many, BEGIN, "points-malformed").await;
    let mut endless = a.header(Kind::TagSet, Party::Broker, 0);
    endless.epoch = 1;
    let notice =
        Notice { peer: name("B"), position: 0, low_sets: vec![], high_sets: vec![], matches: 0, digest: Hash::ZERO };
    s.refused(&a, a.seal(endless, notice.to_bytes(), vec![]), BEGIN, "head-malformed").await;
}

async fn tag_sets(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, 256);
    let small: Vec<Leaf> = leaves(2, 4);
    let tags = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.tag).collect::<Vec<_>>();
    let gone = tags(&mine[..4]);
    s.refused(&a, a.tag_set("B", 0, Size::Small, &small, &gone), BEGIN, "tagset-not-open").await;
    s.refused(&a, a.tag_set("B", 0, Size::Opening, &mine[..255], &[]), BEGIN, "tagset-size").await;
    let mut twice = mine.clone();
    twice[1] = twice[0];
    s.refused(&a, a.tag_set("B", 0, Size::Opening, &twice, &[]), BEGIN, "tagset-order").await;
    let opening = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    let mut head: protocol::message::TagSet = codec::decode(&opening.head).unwrap();
    head.root = Bytes([1; 32]);
    let rows = opening.rows.clone().unwrap();
    s.refused(&a, a.say(Party::Broker, 0, &head, rows.clone()), BEGIN, "tagset-root").await;
    head.adds = 512;
    s.refused(&a, a.say(Party::Broker, 0, &head, rows), BEGIN, "tagset-length").await;
    s.refused(&a, a.tag_set("A", 0, Size::Opening, &mine, &[]), BEGIN, "receiver-oneself").await;

    s.accepted(&mut a, opening, BEGIN).await;
    s.refused(&a, a.tag_set("B", 1, Size::Opening, &leaves(3, 256), &[]), BEGIN, "tagset-open-already").await;
    s.refused(&a, a.tag_set("B", 0, Size::Small, &small, &gone), BEGIN, "tagset-same-tick").await;
    let present = [vec![mine[9]], small[1..].to_vec()].concat();
    s.refused(&a, a.tag_set("B", 1, Size::Small, &present, &gone), BEGIN, "tagset-tag-present").await;
    let absent = [gone[..3].to_vec(), vec![Bytes([5; 16])]].concat();
    s.refused(&a, a.tag_set("B", 1, Size::Small, &small, &absent), BEGIN, "tagset-tag-absent").await;
    // What this very set adds is absent, too; and what it removes is present until it is done.
    let just_added = [gone[..3].to_vec(), tags(&small[..1])].concat();
    s.refused(&a, a.tag_set("B", 1, Size::Small, &small, &just_added), BEGIN, "tagset-tag-absent").await;
    let just_removed = [small[..3].to_vec(), vec![mine[0]]].concat();
    s.refused(&a, a.tag_set("B", 1, Size::Small, &just_removed, &gone), BEGIN, "tagset-tag-present").await;
    let next = a.tag_set("B", 1, Size::Small, &small, &gone);
    s.accepted(&mut a, next, BEGIN).await;
}

async fn acknowledgements(mut s: Scene) {
    let [mut a, mut b, c] = s.agreed(["A", "B", "C"]).await;
    let head = Acknowledgement { digest: Bytes([1; 32]), received: 0 };
    s.refused(&a, a.say(unit("B"), 0, &head, vec![]), BEGIN, "acknowledgement-unknown-cut").await;
    let set = a.tag_set("B", 0, Size::Opening, &leaves(1, 256), &[]);
    s.accepted(&mut a, set, BEGIN).await;
    let set = b.tag_set("A", 0, Size::Opening, &leaves(1, 256), &[]);
    s.accepted(&mut b, set, BEGIN).await;
    s.broker.tick(BEGIN + 1_000).await.unwrap();
    let notices = s.received(&a, Kind::Notice, &s.broker.public_key()).await;
    let notice = Notice::from_bytes(&notices[0].1.head).unwrap();
    let head = Acknowledgement { digest: notice.digest, received: 0 };
    let len = protocol::acknowledgement::sealed_len(protocol::acknowledgement::slot_count(256, 16));
    for wrong in [0, len - 1, len + 1] {
        s.refused(&a, a.say(unit("B"), 1, &head, vec![0; wrong]), BEGIN + 1_000, "acknowledgement-length").await;
    }
    s.refused(&a, a.say(unit("C"), 1, &head, vec![0; len]), BEGIN + 1_000, "acknowledgement-unknown-cut").await;
    s.refused(&c, c.say(unit("A"), 1, &head, vec![0; len]), BEGIN + 1_000, "acknowledgement-unknown-cut").await;
    let good = a.say(unit("B"), 1, &head, vec![0; len]);
    s.accepted(&mut a, good, BEGIN + 1_000).await;
    s.refused(&a, a.say(unit("B"), 1, &head, vec![0; len]), BEGIN + 1_000, "acknowledgement-repeated").await;
}

async fn uploads(mut s: Scene) {
    use server::staging::StagingRefused::{Frame, OtherLength, Rows};
    let [mut a, b] = s.agreed(["A", "B"]).await;
    let request = Request { confirm: Bytes([0; 32]), size: Size::Opening, number: 0 };
    let rows: Vec<u8> = (0..65_536 * 2 + 32).map(|n| n as u8).collect();
    let mut posted = a.say(unit("B"), 0, &request, rows.clone());
    let root = protocol::body::Body { head: posted.head.clone(), rows: rows.clone() }.root();
    posted.rows = None;
    let len = rows.len() as u64;
    let put = async |index: u64, bytes: &[u8], len| s.broker.stage(&a.name, &root, len, index, bytes, 0).await.unwrap();
    assert_eq!(put(0, &rows[..10], len).await, Err(Frame));
    assert_eq!(put(3, &rows[..1], len).await, Err(Frame));
    assert_eq!(put(0, &rows[..65_537], len).await, Err(Frame), "the second of two frames is cut short");
    assert_eq!(put(0, &[0; 5 * 65_536], 1 << 20).await, Err(Frame), "five at once");
    assert_eq!(put(0, &[], len).await, Err(Frame));
    assert_eq!(put(0, &rows[..1], 0).await, Err(Rows));
    assert_eq!(put(1, &rows[65_536..131_072], len).await, Ok(()));
    assert_eq!(put(1, &rows[65_536..131_072], len).await, Ok(()), "repeating is harmless");
    assert_eq!(put(0, &rows[..1], 1).await, Err(OtherLength));
    assert_eq!(s.broker.staged(&a.name, &root, len).await.unwrap().unwrap().missing, [0, 2]);
    // Another unit's upload of the same root is its own.
    assert_eq!(s.broker.staged(&b.name, &root, len).await.unwrap().unwrap().missing, [0, 1, 2]);
    s.refused(&a, posted.clone(), BEGIN, "body-incomplete").await;
    assert_eq!(put(0, &rows[..65_536], len).await, Ok(()));
    assert_eq!(put(2, &[0xee; 32], len).await, Ok(()), "nothing is believed of a frame");
    s.refused(&a, posted.clone(), BEGIN, "envelope-body").await;
    // What was spoilt is dropped, so that it can be sent anew.
    assert_eq!(s.broker.staged(&a.name, &root, len).await.unwrap().unwrap().missing, [0, 1, 2]);
    // All of it in one call; then two frames of what was begun, again.
    assert_eq!(put(0, &rows, len).await, Ok(()));
    assert_eq!(put(1, &rows[65_536..], len).await, Ok(()));
    s.accepted(&mut a, posted, BEGIN).await;
    let got = s.received(&b, Kind::Request, &a.keys.signing.public()).await;
    assert!(got.len() == 1 && got[0].1.rows == rows);
    let hash = got[0].0.hash();
    let frames = async |index, count| s.broker.frames(&b.name, &hash, index, count).await.unwrap();
    assert!(frames(0, 4).await.unwrap() == rows, "as many as there are");
    assert!(frames(1, 1).await.unwrap() == rows[65_536..131_072]);
    assert!(frames(1, 2).await.unwrap() == rows[65_536..]);
    assert!(frames(3, 4).await.is_err() && frames(u64::MAX, 4).await.is_err());
}
