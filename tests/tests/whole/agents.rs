//! Federations of real agents in one thread: what they find, and what they refuse.

use client::agent::Event;
use protocol::envelope::Kind;
use protocol::message::{self, DisputeReason, Head, RefusalReason};
use tests::simulation::{Federation, resigned};

/// Two units with three records each; two records overlap.
fn two() -> Federation {
    let mut f = Federation::founded(&["GM", "SN"], 1);
    f.record("SN", 1, &["phone a", "phone b"]);
    f.record("SN", 2, &["phone c"]);
    f.record("SN", 3, &["phone d"]);
    f.record("GM", 1, &["phone x"]);
    f.record("GM", 2, &["phone b", "phone y"]);
    f.record("GM", 3, &["phone d"]);
    f
}

#[test]
fn overlaps_are_found_on_both_sides_and_nothing_else() {
    let mut f = two();
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("SN", "GM"), [(1, 2), (3, 3)]);
    assert_eq!(f.overlaps("GM", "SN"), [(2, 1), (3, 3)]);
    for unit in f.units.values() {
        assert_eq!(unit.not_taken, []);
        assert!(unit.events.iter().all(|e| !matches!(e, Event::Disputed(..))), "{:?}", unit.events);
    }
}

#[test]
fn three_units_find_pairs_and_triples() {
    let mut f = Federation::founded(&["GM", "ML", "SN"], 2);
    f.record("SN", 1, &["a", "b"]);
    f.record("GM", 1, &["a"]);
    f.record("ML", 1, &["b"]);
    f.record("ML", 2, &["a"]);
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("SN", "GM"), [(1, 1)]);
    assert_eq!(f.overlaps("SN", "ML"), [(1, 1), (1, 2)]);
    assert_eq!(f.overlaps("GM", "ML"), [(1, 2)]);
}

#[test]
fn later_records_are_found_one_by_one_and_in_bulk() {
    let mut f = two();
    f.settle(30).expect("settles");
    f.record("SN", 4, &["phone x"]);
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("GM", "SN"), [(1, 4), (2, 1), (3, 3)]);
    // A second record that takes a token that was matched already (R18).
    f.record("GM", 4, &["phone d"]);
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("SN", "GM"), [(1, 2), (3, 3), (3, 4), (4, 1)]);
    for serial in 100..200 {
        f.record("SN", serial, &[&format!("bulk {serial}")]);
        f.record("GM", serial, &[&format!("bulk {}", serial + 50)]);
    }
    f.settle(60).expect("settles");
    assert_eq!(f.overlaps("SN", "GM").len(), 4 + 50);
}

#[test]
fn a_removed_record_is_not_matched_later_and_its_leaf_goes() {
    let mut f = two();
    f.settle(30).expect("settles");
    f.drop_record("SN", 2);
    f.run(5);
    f.record("GM", 5, &["phone c"]);
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("GM", "SN"), [(2, 1), (3, 3)]);
    assert!(f.units.values().all(|unit| unit.not_taken.is_empty()));
}

#[test]
fn a_new_epoch_rekeys_and_keeps_overlaps_and_destroys_old_keys() {
    let mut f = two();
    f.settle(30).expect("settles");
    let before = f.overlaps("SN", "GM");
    f.run(85);
    assert_eq!(f.overlaps("SN", "GM"), before);
    let unit = f.unit("SN");
    assert!(unit.vault.keys().all(|key| !key.contains("/GM/1/") && !key.ends_with("GM.1")), "old keys are gone");
    assert!(unit.vault.keys().any(|key| key.contains("/GM/2/")));
    f.record("GM", 9, &["phone a"]);
    f.settle(30).expect("settles");
    assert!(f.overlaps("SN", "GM").contains(&(1, 9)));
}

#[test]
fn killing_and_restarting_units_at_every_tick_changes_nothing() {
    let mut f = two();
    for tick in 0..25 {
        f.run(1);
        f.restart(if tick % 2 == 0 { "SN" } else { "GM" });
        if tick == 8 {
            f.record("SN", 4, &["phone x", "phone y"]);
        }
        if tick == 20 {
            // A second record of a token that was matched: the change must survive the restart that follows at once.
            f.record("SN", 5, &["phone d"]);
            f.pump();
            f.restart("SN");
        }
    }
    f.settle(30).expect("settles");
    let all = [(1, 2), (3, 3), (4, 1), (4, 2), (5, 3)];
    assert_eq!(f.overlaps("SN", "GM"), all);
    assert_eq!(f.overlaps("GM", "SN").len(), all.len());
    for name in ["SN", "GM"] {
        f.restart(name);
        assert!(f.unit(name).agent.is_settled(), "{name}: a unit that starts again finds nothing left to do");
    }
    assert!(f.units.values().all(|unit| unit.not_taken.is_empty()));
}

#[test]
fn an_unverified_peer_gets_nothing_and_finds_nothing_until_verified() {
    let mut f = Federation::joined(&["GM", "SN"], 3);
    let sn = "SN".parse().unwrap();
    f.unit("GM").agent.mark_verified(&sn).unwrap();
    f.agree(tests::simulation::ACCORD);
    f.record("SN", 1, &["a"]);
    f.record("GM", 1, &["a"]);
    f.run(20);
    assert!(f.overlaps("GM", "SN").is_empty());
    assert!(f.seen.iter().all(|(_, header, _)| header.kind != Kind::Request));
    f.verify_all();
    f.settle(30).expect("settles");
    assert_eq!(f.overlaps("GM", "SN"), [(1, 1)]);
}

#[test]
fn a_wrong_evaluation_is_disputed_and_stops_the_peer() {
    let mut f = two();
    f.tamper = Some(Box::new(|from, key, sent| {
        if from.as_str() == "GM" && sent.envelope.header().kind == Kind::Evaluation {
            let mut body = sent.body.clone();
            // Two answers swapped: every point is still one of the peer's own.
            let (first, second) = body.rows.split_at_mut(32);
            first.swap_with_slice(&mut second[..32]);
            return Some(resigned(key, &sent, body));
        }
        Some(sent)
    }));
    f.run(10);
    let told = &f.unit("SN").events;
    assert!(told.contains(&Event::Disputed("GM".parse().unwrap(), DisputeReason::WrongEvaluation)), "{told:?}");
    assert!(f.overlaps("SN", "GM").is_empty());
}

#[test]
fn a_dropped_match_is_noticed_through_canaries() {
    let mut f = two();
    f.drop_matches = 100;
    f.run(40);
    for name in ["SN", "GM"] {
        let told = &f.unit(name).events;
        let missing = told.iter().any(|e| matches!(e, Event::Disputed(_, DisputeReason::MissingCanary)));
        assert!(missing, "{told:?}");
    }
}

/// Whether a unit complained of the broker or of a peer.
fn complaints(f: &mut Federation, name: &str) -> Vec<Event> {
    f.unit(name).events.iter().filter(|event| matches!(event, Event::Disputed(..))).cloned().collect()
}

#[test]
fn a_unit_that_was_busy_accuses_nobody() {
    // It makes the set with its canaries late, and only then hears of the cuts of the ticks before.
    for pause in [3, 9, 25] {
        let mut f = two();
        f.run(6);
        f.busy.insert("GM".parse().unwrap());
        f.run(pause);
        f.busy.clear();
        f.run(40);
        for name in ["SN", "GM"] {
            assert_eq!(complaints(&mut f, name), [], "{name} after {pause}");
        }
        assert_eq!(f.overlaps("SN", "GM"), [(1, 2), (3, 3)]);
    }
}

#[test]
fn a_set_that_the_broker_leaves_out_is_noticed_by_its_unit() {
    for left in [1, 2] {
        let mut f = two();
        f.settle(30).expect("settles");
        f.left_out = Some(("GM".parse().unwrap(), left));
        f.run(3);
        // one of each cut, and each cut has one
        let told = complaints(&mut f, "GM");
        assert_eq!(told, vec![Event::Disputed("SN".parse().unwrap(), DisputeReason::WrongSets); left]);
        assert_eq!(complaints(&mut f, "SN"), []);
    }
}

#[test]
fn over_quota_is_refused_and_never_one_point_over() {
    let mut f = two();
    f.settle(30).expect("settles");
    let quota = f.unit("GM").agent.view().peers[0].quota;
    for serial in 1000..9000 {
        f.record("SN", serial, &[&format!("guess {serial}")]);
    }
    // The asking agent keeps to its own accord; a dishonest one is made by asking for the same again and again.
    f.tamper = None;
    f.run(30);
    let view = f.unit("GM").agent.view();
    assert!(view.peers[0].evaluated <= quota, "{} of {quota}", view.peers[0].evaluated);
}

#[test]
fn a_request_under_another_pair_secret_is_refused_loudly() {
    let mut f = two();
    f.tamper = Some(Box::new(|from, key, sent| {
        if from.as_str() == "SN" && sent.envelope.header().kind == Kind::Request {
            let mut head = message::Request::from_bytes(&sent.body.head).unwrap();
            head.confirm.0[0] ^= 1;
            let body = protocol::body::Body { head: head.to_bytes(), rows: sent.body.rows.clone() };
            return Some(resigned(key, &sent, body));
        }
        Some(sent)
    }));
    f.run(5);
    let told = &f.unit("GM").events;
    assert!(told.contains(&Event::Refused("SN".parse().unwrap(), RefusalReason::OtherSecret)), "{told:?}");
}

#[test]
fn ticks_are_of_constant_size_whatever_happens() {
    let mut f = two();
    f.settle(30).expect("settles");
    let from = f.seen.len();
    f.run(6);
    f.record("SN", 50, &["q1", "q2", "q3"]);
    f.run(6);
    let mut sizes = std::collections::BTreeSet::new();
    for (_, header, body) in &f.seen[from..] {
        if matches!(header.kind, Kind::Request | Kind::TagSet | Kind::Evaluation) {
            sizes.insert((header.kind, body.len()));
        }
    }
    let requests = sizes.iter().filter(|(kind, _)| *kind == Kind::Request).count();
    let sets = sizes.iter().filter(|(kind, _)| *kind == Kind::TagSet).count();
    assert_eq!((requests, sets), (1, 1), "{sizes:?}");
}
