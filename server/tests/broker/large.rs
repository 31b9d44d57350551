//! Large sets: the cost of a new leaf does not grow with what is stored (R16).

use crate::scene::{BEGIN, Scene, leaves, met};
use protocol::message::Size;
use std::time::Instant;

on_each_store!(a_later_leaf_costs_what_a_leaf_costs);

/// `SUTURA_TEST_LEAVES` makes it larger, to measure: alone, in a release build, with `--nocapture`.
async fn a_later_leaf_costs_what_a_leaf_costs(mut s: Scene) {
    let count = std::env::var("SUTURA_TEST_LEAVES").ok().and_then(|n| n.parse().ok()).unwrap_or(16_384);
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let mine = leaves(1, count);
    let theirs = [met(&mine[..count / 2], 2), leaves(3, count / 2)].concat();
    for (actor, peer, set) in [(&mut a, "B", &mine), (&mut b, "A", &theirs)] {
        let mut posted = actor.tag_set(peer, 0, Size::Opening, set, &[]);
        let began = Began::now();
        s.stage(actor, &mut posted, BEGIN).await;
        began.tell(count, "staged");
        let began = Began::now();
        s.accepted(actor, posted, BEGIN).await;
        began.tell(count, "accepted");
    }
    let began = Began::now();
    let done = s.broker.tick(BEGIN + 1_000).await.unwrap();
    let first = began.tell(2 * count, "compared");
    assert_eq!(done.matches, (count / 2) as u64);

    let gone: Vec<_> = mine[..4].iter().map(|leaf| leaf.tag).collect();
    let posted = a.tag_set("B", 1, Size::Small, &met(&theirs[count - 4..], 7), &gone);
    let began = Began::now();
    s.accepted(&mut a, posted, BEGIN + 1_000).await;
    assert_eq!(s.broker.tick(BEGIN + 2_000).await.unwrap().matches, 4);
    let few = began.tell(4, "accepted and compared");
    assert!(few < first.max(std::time::Duration::from_millis(300)), "cost grows with the store");

    // One in a hundred more, as an announced load.
    let more = (count / 100).next_multiple_of(256);
    let fresh = leaves(4, more);
    let (mine, theirs) = (&mine[4..8], &theirs[..4]);
    let began = Began::now();
    for (actor, peer, set, gone) in [(&mut a, "B", &fresh, mine), (&mut b, "A", &met(&fresh, 5), theirs)] {
        let gone: Vec<_> = gone.iter().map(|leaf| leaf.tag).collect();
        let mut posted = actor.tag_set(peer, 2, Size::Bulk, set, &gone);
        s.stage(actor, &mut posted, BEGIN + 2_000).await;
        s.accepted(actor, posted, BEGIN + 2_000).await;
    }
    assert_eq!(s.broker.tick(BEGIN + 3_000).await.unwrap().matches, more as u64);
    began.tell(2 * more, "more: made, staged, accepted and compared");
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}

struct Began(Instant, f64);

impl Began {
    fn now() -> Began {
        Began(Instant::now(), processor())
    }

    fn tell(&self, leaves: usize, what: &str) -> std::time::Duration {
        let (took, spent) = (self.0.elapsed(), processor() - self.1);
        println!(
            "{leaves} leaves {what}: {took:?}; processor {spent:.2} s, {:.2} µs a leaf",
            spent * 1e6 / leaves as f64
        );
        took
    }
}

/// Seconds that this process has spent on processors, where the system says it.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
