//! What was answered survives: the broker stops at any moment, and another starts on the same store (R25, R35).

use crate::scene::{BEGIN, Scene, leaves, met, unit};
use protocol::codec::Bytes;
use protocol::envelope::Kind;
use protocol::message::{Count, Size};

on_each_store!(
    what_was_answered_is_there_after_a_restart,
    two_brokers_on_one_store_do_nothing_twice,
    a_dropped_submission_changes_nothing_or_all,
);

async fn what_was_answered_is_there_after_a_restart(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, 256);
    let mut last = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    s.accepted(&mut a, last.clone(), BEGIN).await;
    for round in 0..5u64 {
        let size = s.broker.log_size().await.unwrap();
        s.restart().await;
        assert_eq!(s.broker.log_size().await.unwrap(), size);
        let again = s.broker.accept(&a.name, vec![last.clone()], BEGIN).await.unwrap();
        assert_eq!((again.entries.len(), again.refused), (1, None), "an answer that was lost is given again");
        last = a.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total: round }, vec![]);
        s.accepted(&mut a, last.clone(), BEGIN).await;
    }
    let posted = b.tag_set("A", 0, Size::Opening, &met(&mine, 2), &[]);
    s.accepted(&mut b, posted, BEGIN).await;
    s.restart().await;
    assert_eq!(s.broker.tick(BEGIN + 1_000).await.unwrap().matches, 256);
    s.restart().await;
    assert_eq!(s.broker.tick(BEGIN + 1_000).await.unwrap().cuts, 0);
    assert_eq!(s.received(&a, Kind::Notice, &s.broker.public_key()).await.len(), 1);
    assert_eq!(s.received(&b, Kind::Count, &a.keys.signing.public()).await.len(), 5);
}

async fn two_brokers_on_one_store_do_nothing_twice(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let first = s.broker.clone();
    s.restart().await;
    let mine = leaves(1, 256);
    let posted = a.tag_set("B", 0, Size::Opening, &mine, &[]);
    let again = posted.clone();
    let (one, two) =
        tokio::join!(first.accept(&a.name, vec![posted], BEGIN), s.broker.accept(&a.name, vec![again.clone()], BEGIN));
    assert_eq!(one.unwrap(), two.unwrap(), "the same envelope through both: one entry");
    a.advance(&again);
    let posted = b.tag_set("A", 0, Size::Opening, &met(&mine, 2), &[]);
    s.accepted(&mut b, posted, BEGIN).await;
    let (one, two) = tokio::join!(first.tick(BEGIN + 1_000), s.broker.tick(BEGIN + 1_000));
    assert_eq!(one.unwrap().cuts + two.unwrap().cuts, 1);
    assert_eq!(s.received(&a, Kind::Notice, &s.broker.public_key()).await.len(), 1);
    // What one process accepts, the other delivers.
    let posted = a.say(unit("B"), 1, &Count { request: Bytes([1; 32]), total: 1 }, vec![]);
    s.accepted(&mut a, posted, BEGIN + 1_000).await;
    let mail = first.fetch(&b.name, 0, 256).await.unwrap();
    assert_eq!(mail.items.len(), s.mail(&b).await.len());
}

async fn a_dropped_submission_changes_nothing_or_all(mut s: Scene) {
    let [mut a, _] = s.agreed(["A", "B"]).await;
    for after in [1u64, 3, 5, 8, 13, 21] {
        let mut posted = a.tag_set("B", 0, Size::Opening, &leaves(after, 16_384), &[]);
        if after > 1 {
            posted = a.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total: after }, vec![]);
        } else {
            s.stage(&a, &mut posted, BEGIN).await;
        }
        let cut_off = s.broker.accept(&a.name, vec![posted.clone()], BEGIN);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(after), cut_off).await;
        let state = s.broker.state(&a.name, BEGIN).await.unwrap();
        assert!([a.sequence, a.sequence + 1].contains(&state.sequence));
        s.accepted(&mut a, posted, BEGIN).await;
    }
}
