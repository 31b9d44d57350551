//! Submissions, mailboxes and waiting.

use crate::scene::{BEGIN, Scene, leaves, unit};
use protocol::codec::Bytes;
use protocol::envelope::Kind;
use protocol::message::{Count, Size};
use protocol::tagset::Leaf;
use std::time::Duration;

on_each_store!(
    a_refusal_ends_a_submission_and_keeps_what_came_before,
    what_a_refused_envelope_did_is_undone_alone_or_behind_another,
    mail_comes_in_order_and_without_gaps,
    who_waits_is_woken,
    whoever_is_admitted_later_gets_all_that_was_said_to_all,
    the_log_proves_what_it_holds,
);

async fn a_refusal_ends_a_submission_and_keeps_what_came_before(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    let mut items = Vec::new();
    for total in 0..4 {
        let posted = a.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total }, vec![]);
        a.advance(&posted);
        items.push(posted);
    }
    items[2].head.push(0);
    let outcomes = s.broker.accept(&a.name, items.clone(), BEGIN).await.unwrap();
    assert_eq!((outcomes.entries.len(), outcomes.refused.unwrap().code.as_str()), (2, "envelope-body"));
    items[2].head.pop();
    let outcomes = s.broker.accept(&a.name, items, BEGIN).await.unwrap();
    assert_eq!((outcomes.entries.len(), outcomes.refused), (4, None));
    assert!(outcomes.entries.is_sorted());
    assert_eq!(s.broker.state(&a.name, BEGIN).await.unwrap().previous, a.previous);
}

/// A set that removes what does not stand is refused last of all: by then its leaves are written, and its tick is taken.
async fn what_a_refused_envelope_did_is_undone_alone_or_behind_another(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    let standing = leaves(1, 256);
    let opened = a.tag_set("B", 0, Size::Opening, &standing, &[]);
    s.accepted(&mut a, opened, BEGIN).await;
    let tags = |of: &[Leaf]| of.iter().map(|leaf| leaf.tag).collect::<Vec<_>>();
    let (adds, gone) = (leaves(2, 4), tags(&standing[..4]));
    let absent = [&gone[1..], &tags(&leaves(3, 1))].concat();
    let now = BEGIN + 1_000;
    s.refused(&a, a.tag_set("B", 1, Size::Small, &adds, &absent), now, "tagset-tag-absent").await;

    let size = s.broker.log_size().await.unwrap();
    let first = a.say(unit("B"), 1, &Count { request: Bytes([1; 32]), total: 1 }, vec![]);
    a.advance(&first);
    let second = a.tag_set("B", 1, Size::Small, &adds, &absent);
    let outcomes = s.broker.accept(&a.name, vec![first, second], now).await.unwrap();
    assert_eq!((outcomes.entries, outcomes.refused.unwrap().code.as_str()), (vec![size], "tagset-tag-absent"));
    assert_eq!(s.broker.log_size().await.unwrap(), size + 1);

    let posted = a.tag_set("B", 1, Size::Small, &adds, &gone);
    s.accepted(&mut a, posted, now).await;
    s.broker.tick(now).await.unwrap();
    let size = s.broker.log_size().await.unwrap();
    let all: Vec<u64> = (0..size).collect();
    assert_eq!(s.broker.inclusion(size, &all).await.unwrap().unwrap().len() as u64, size, "no node is missing");
}

async fn mail_comes_in_order_and_without_gaps(mut s: Scene) {
    let [mut a, b] = s.agreed(["A", "B"]).await;
    for total in 0..40 {
        let posted = a.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total }, vec![]);
        s.accepted(&mut a, posted, BEGIN).await;
    }
    let mail = s.mail(&b).await;
    let positions: Vec<u64> = mail.iter().map(|item| item.position).collect();
    assert_eq!(positions, (1..=mail.len() as u64).collect::<Vec<_>>());
    assert_eq!(s.received(&b, Kind::Count, &a.keys.signing.public()).await.len(), 40);
    assert_eq!(s.broker.fetch(&b.name, 3, 2).await.unwrap().items.len(), 2);
    assert_eq!(s.broker.state(&b.name, BEGIN).await.unwrap().mailbox, mail.len() as u64);
}

async fn who_waits_is_woken(mut s: Scene) {
    let [mut a, b] = s.agreed(["A", "B"]).await;
    let after = s.mail(&b).await.len() as u64;
    let quick = s.broker.fetch_waiting(&b.name, after, 10, Duration::from_millis(50)).await.unwrap();
    assert!(quick.items.is_empty());
    let (broker, name) = (s.broker.clone(), b.name.clone());
    let waiting =
        tokio::spawn(async move { broker.fetch_waiting(&name, after, 10, Duration::from_secs(20)).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    let posted = a.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total: 1 }, vec![]);
    s.accepted(&mut a, posted, BEGIN).await;
    assert_eq!(waiting.await.unwrap().items.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5));
}

async fn whoever_is_admitted_later_gets_all_that_was_said_to_all(mut s: Scene) {
    let [a, b] = s.agreed(["A", "B"]).await;
    s.broker.suspend(&b.name, BEGIN).await.unwrap();
    let late = s.admitted("L").await;
    let entries = |mail: Vec<protocol::mailbox::Delivered>| mail.iter().map(|item| item.entry).collect::<Vec<_>>();
    let (of_a, of_late) = (entries(s.mail(&a).await), entries(s.mail(&late).await));
    assert_eq!(of_a, of_late, "the same log order for all");
    s.broker.admit(&b.name, BEGIN).await.unwrap();
    assert_eq!(entries(s.mail(&a).await), entries(s.mail(&b).await), "what was missed is made good");
}

async fn the_log_proves_what_it_holds(mut s: Scene) {
    use tlog::{
        ConsistencyProof, Entry, InclusionProof, KeyName, UnverifiedCheckpoint, UnverifiedFrontier, VerifierKey,
    };
    let [a, mut b] = s.agreed(["A", "B"]).await;
    assert!(s.broker.checkpoint().await.unwrap().is_err());
    s.broker.tick(BEGIN).await.unwrap();
    let note =
        |text: String, key: VerifierKey| UnverifiedCheckpoint::parse(text.as_bytes()).unwrap().verify(&key).unwrap();
    let key = s.broker.log_key().unwrap();
    let first = note(s.broker.checkpoint().await.unwrap().unwrap(), key.clone());
    assert!(first.size().is_multiple_of(64), "padded");
    let posted = b.say(unit("A"), 0, &Count { request: Bytes([1; 32]), total: 1 }, vec![]);
    let entry = s.accepted(&mut b, posted, BEGIN).await;
    s.broker.tick(BEGIN + 1_000).await.unwrap();
    let second = note(s.broker.checkpoint().await.unwrap().unwrap(), key.clone());
    assert_eq!(second.size(), first.size() + 64);

    let flat = |path: Vec<protocol::Hash>| path.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>();
    let proof = s.broker.consistency(first.size(), second.size()).await.unwrap().unwrap();
    second.verify_extends(&first, &ConsistencyProof::from_bytes(&flat(proof.path)).unwrap()).unwrap();
    let proof = s.broker.inclusion(second.size(), &[entry]).await.unwrap().unwrap().remove(0);
    let included = InclusionProof::from_bytes(&flat(proof.path)).unwrap();
    second.verify_inclusion(entry, &Entry(b.previous.0), &included).unwrap();
    assert!(second.verify_inclusion(entry + 1, &Entry(b.previous.0), &included).is_err());
    // More nodes than one look at the store brings.
    let all: Vec<u64> = (0..second.size()).collect();
    let proofs = s.broker.inclusion(second.size(), &all).await.unwrap().unwrap();
    assert_eq!(flat(proofs[entry as usize].path.clone()), included.to_bytes());
    for at in all {
        let alone = s.broker.inclusion(second.size(), &[at]).await.unwrap().unwrap().remove(0);
        assert_eq!(alone.path, proofs[at as usize].path);
    }
    for size in [1, 5, first.size(), second.size()] {
        let edge = s.broker.frontier(size).await.unwrap().unwrap();
        let edge = UnverifiedFrontier::decode(&edge).unwrap();
        if size == second.size() {
            edge.verify(size, second.root()).unwrap();
        }
    }
    for (from, to) in [(2, 1), (0, second.size() + 1)] {
        assert!(s.broker.consistency(from, to).await.unwrap().is_err());
    }
    assert!(s.broker.inclusion(second.size(), &[second.size()]).await.unwrap().is_err());
    assert!(s.broker.inclusion(second.size(), &[0; 1025]).await.unwrap().is_err());
    assert!(s.broker.frontier(second.size() + 1).await.unwrap().is_err());

    // A witness's line is taken from that witness only.
    let witness_name = protocol::mailbox::witness_name(s.broker.federation(), &a.name);
    let witness_key =
        VerifierKey::witness(KeyName::new(&witness_name).unwrap(), a.keys.signing.hazmat().verifying_key()).unwrap();
    let line = cosignature(&second, &a);
    assert!(s.broker.add_cosignature(&b.name, &line).await.unwrap().is_err());
    assert!(s.broker.add_cosignature(&a.name, "— A AAAA").await.unwrap().is_err());
    s.broker.add_cosignature(&a.name, &line).await.unwrap().unwrap();
    let signed = note(s.broker.checkpoint().await.unwrap().unwrap(), key);
    assert_eq!(signed.cosigned_by(&[witness_key]).unwrap().len(), 1);
}

/// The line by which a unit cosigns.
fn cosignature(checkpoint: &tlog::SignedCheckpoint, actor: &crate::scene::Actor) -> String {
    let mut witness = tlog::Witness::new(checkpoint.log().clone());
    let accepted = witness.advance(checkpoint.clone(), &tlog::ConsistencyProof::empty()).unwrap();
    let name = tlog::KeyName::new(&protocol::mailbox::witness_name(&actor.federation, &actor.name)).unwrap();
    accepted.cosign(&name, actor.keys.signing.hazmat(), BEGIN / 1_000).unwrap().line()
}
