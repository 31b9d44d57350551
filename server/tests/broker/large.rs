//! Large sets: the cost of a new leaf does not grow with what is stored (R16).

use crate::scene::{BEGIN, Scene, leaves, met};
use protocol::message::Size;
use std::time::Instant;

on_each_store!(a_later_leaf_costs_what_a_leaf_costs);

/// `SUTURA_TEST_LEAVES` makes it larger, to measure.
async fn a_later_leaf_costs_what_a_leaf_costs(mut s: Scene) {
    let count = std::env::var("SUTURA_TEST_LEAVES").ok().and_then(|n| n.parse().ok()).unwrap_or(16_384);
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, count);
    let theirs = [met(&mine[..count / 2], 2), leaves(3, count / 2)].concat();
    for (actor, peer, set) in [(&mut a, "B", &mine), (&mut b, "A", &theirs)] {
        let mut posted = actor.tag_set(peer, 0, Size::Opening, set, &[]);
        let began = Instant::now();
        s.stage(actor, &mut posted, BEGIN).await;
        let staged = began.elapsed();
        s.accepted(actor, posted, BEGIN).await;
        println!("{count} leaves: staged in {staged:?}, accepted in {:?}", began.elapsed() - staged);
    }
    let began = Instant::now();
    let done = s.broker.tick(BEGIN + 1_000).await.unwrap();
    let first = began.elapsed();
    println!("first cut: {} matches in {first:?}", done.matches);
    assert_eq!(done.matches, (count / 2) as u64);
    let gone: Vec<_> = mine[..4].iter().map(|leaf| leaf.tag).collect();
    let posted = a.tag_set("B", 1, Size::Small, &met(&theirs[count - 4..], 7), &gone);
    let began = Instant::now();
    s.accepted(&mut a, posted, BEGIN + 1_000).await;
    let accepted = began.elapsed();
    let began = Instant::now();
    assert_eq!(s.broker.tick(BEGIN + 2_000).await.unwrap().matches, 4);
    println!("4 more leaves: accepted in {accepted:?}, cut in {:?}", began.elapsed());
    assert!(began.elapsed() + accepted < first.max(std::time::Duration::from_millis(300)), "cost grows with the store");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}
