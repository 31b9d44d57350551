//! Accords, ticks and epochs.

use crate::scene::{ACCORD, BEGIN, Scene, leaves, unit};
use protocol::accord::Accord;
use protocol::calendar::Start;
use protocol::codec::Bytes;
use protocol::envelope::{Header, Kind};
use protocol::message::{AccordSignature, Count, EpochClosed, Head, Request, Size};
use protocol::name::Party;

on_each_store!(
    an_accord_is_in_force_when_all_have_signed,
    an_amendment_takes_over_at_an_epochs_start,
    an_amendment_that_is_late_never_counts,
    a_member_who_leaves_need_not_sign,
    a_closed_epoch_leaves_nothing_but_hashes,
);

const START: Start = Start { epoch: 1, tick: 0, at_ms: BEGIN };

async fn an_accord_is_in_force_when_all_have_signed(s: Scene) {
    let (mut a, mut b) = (s.admitted("A").await, s.admitted("B").await);
    let hash = Accord::new(ACCORD, START).unwrap().hash();
    s.refused(&a, a.sign_accord(&hash), BEGIN, "accord-unknown").await;
    s.refused(&a, a.propose("x = 1", START), BEGIN, "accord-unreadable").await;
    s.refused(
        &a,
        a.proclaim(&protocol::message::AccordProposal { start: START }, vec![0xff]),
        BEGIN,
        "accord-unreadable",
    )
    .await;
    s.refused(&a, a.propose(&ACCORD.replace("slots = 16", "slots = 0"), START), BEGIN, "accord-term").await;
    s.refused(&a, a.propose(ACCORD, Start { epoch: 2, ..START }), BEGIN, "accord-start").await;
    s.refused(&a, a.propose(ACCORD, Start { tick: 1, ..START }), BEGIN, "accord-start").await;
    let long = format!("{ACCORD}\n# {}", "x".repeat(protocol::accord::MAX_TEXT));
    let mut posted = a.propose(&long, START);
    s.stage(&a, &mut posted, BEGIN).await;
    s.refused(&a, posted, BEGIN, "accord-too-long").await;
    let posted = a.propose(ACCORD, START);
    s.accepted(&mut a, posted, BEGIN).await;
    s.refused(&b, b.propose(ACCORD, START), BEGIN, "accord-repeated").await;
    let posted = a.sign_accord(&hash);
    s.accepted(&mut a, posted, BEGIN).await;
    s.refused(&a, a.sign_accord(&hash), BEGIN, "accord-signed-already").await;
    assert!(!s.broker.agreement().await.unwrap().is_founded());
    let early = a.say(unit("B"), 0, &Count { request: Bytes([0; 32]), total: 0 }, vec![]);
    s.refused(&a, early, BEGIN, "epoch-without-accord").await;
    let posted = b.sign_accord(&hash);
    s.accepted(&mut b, posted, BEGIN + 5_000).await;
    let agreement = s.broker.agreement().await.unwrap();
    assert_eq!(agreement.for_epoch(1).map(Accord::hash), Some(hash));
    assert_eq!(agreement.tick_at(BEGIN + 5_000), Some(5));
    // Every unit sees the acts in the order of the log, its own too.
    for of in [&a, &b] {
        assert_eq!(s.received(of, Kind::AccordSignature, &a.keys.signing.public()).await.len(), 1);
        assert_eq!(s.received(of, Kind::AccordSignature, &b.keys.signing.public()).await.len(), 1);
        let proposals = s.received(of, Kind::AccordProposal, &a.keys.signing.public()).await;
        assert_eq!(proposals[0].1.rows, ACCORD.as_bytes());
    }
}

async fn an_amendment_takes_over_at_an_epochs_start(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    let (old, text) = (s.accord, ACCORD.replace("tick_ms = 1000", "tick_ms = 2000"));
    let start = Start { epoch: 2, tick: 100, at_ms: BEGIN + 100_000 };
    s.refused(&a, a.propose(&text, Start { tick: 101, ..start }), BEGIN, "accord-start").await;
    s.refused(&a, a.propose(&text, START), BEGIN, "accord-start").await;
    let new = Accord::new(&text, start).unwrap().hash();
    let other_text = ACCORD.replace("slots = 16", "slots = 32");
    let other = Accord::new(&other_text, start).unwrap().hash();
    for posted in [a.propose(&text, start)] {
        s.accepted(&mut a, posted, BEGIN).await;
    }
    let posted = a.propose(&other_text, start);
    s.accepted(&mut a, posted, BEGIN).await;
    let posted = a.sign_accord(&new);
    s.accepted(&mut a, posted, BEGIN).await;
    let posted = b.sign_accord(&new);
    s.accepted(&mut b, posted, BEGIN + 99_999).await;
    s.refused(&a, a.sign_accord(&other), BEGIN + 99_999, "accord-overtaken").await;
    let agreement = s.broker.agreement().await.unwrap();
    assert_eq!(agreement.for_epoch(1).map(Accord::hash), Some(old));
    assert_eq!(agreement.for_epoch(2).map(Accord::hash), Some(new));
    assert_eq!(agreement.tick_at(BEGIN + 104_000), Some(102));
    // Both epochs are live in the grace, each under its own accord.
    let count = Count { request: Bytes([0; 32]), total: 0 };
    let header = |epoch, accord| Header { epoch, accord, ..a.header(Kind::Count, unit("B"), 102) };
    let now = BEGIN + 104_000;
    s.refused(&a, a.seal(header(2, old), count.to_bytes(), vec![]), now, "accord-mismatch").await;
    s.refused(&a, a.seal(header(1, new), count.to_bytes(), vec![]), now, "accord-mismatch").await;
    let posted = a.seal(header(1, old), count.to_bytes(), vec![]);
    s.accepted(&mut a, posted, now).await;
    let header = Header { epoch: 2, accord: new, ..a.header(Kind::Count, unit("B"), 102) };
    let posted = a.seal(header, count.to_bytes(), vec![]);
    s.accepted(&mut a, posted, now).await;
}

async fn an_amendment_that_is_late_never_counts(mut s: Scene) {
    let [mut a, b] = s.agreed(["A", "B"]).await;
    let start = Start { epoch: 2, tick: 100, at_ms: BEGIN + 100_000 };
    let text = ACCORD.replace("slots = 16", "slots = 32");
    let posted = a.propose(&text, start);
    s.accepted(&mut a, posted, BEGIN).await;
    let hash = Accord::new(&text, start).unwrap().hash();
    let posted = a.sign_accord(&hash);
    s.accepted(&mut a, posted, BEGIN).await;
    s.refused(&b, b.sign_accord(&hash), BEGIN + 100_000, "accord-late").await;
    // In time by the broker's clock, and too late by the sender's, which is what the units go by.
    let header = Header { epoch: 0, accord: Bytes([0; 32]), ..b.header(Kind::AccordSignature, Party::All, 100) };
    let ahead = b.seal(header, AccordSignature { accord: hash }.to_bytes(), vec![]);
    s.refused(&b, ahead, BEGIN + 99_999, "accord-late").await;
    s.broker.suspend(&b.name, BEGIN + 100_000).await.unwrap();
    assert_eq!(s.broker.agreement().await.unwrap().for_epoch(2).map(Accord::hash), Some(s.accord));
}

async fn a_member_who_leaves_need_not_sign(s: Scene) {
    let (mut a, mut b, c) = (s.admitted("A").await, s.admitted("B").await, s.admitted("C").await);
    let hash = Accord::new(ACCORD, START).unwrap().hash();
    let posted = a.propose(ACCORD, START);
    s.accepted(&mut a, posted, BEGIN).await;
    let posted = a.sign_accord(&hash);
    s.accepted(&mut a, posted, BEGIN).await;
    let posted = b.sign_accord(&hash);
    s.accepted(&mut b, posted, BEGIN).await;
    assert!(!s.broker.agreement().await.unwrap().is_founded());
    s.broker.leave(&c.name, BEGIN).await.unwrap();
    assert!(s.broker.agreement().await.unwrap().is_founded());
}

async fn a_closed_epoch_leaves_nothing_but_hashes(mut s: Scene) {
    let [mut a, mut b] = s.agreed(["A", "B"]).await;
    for (actor, peer) in [(&mut a, "B"), (&mut b, "A")] {
        let mut posted = actor.tag_set(peer, 0, Size::Opening, &leaves(1, 4096), &[]);
        s.stage(actor, &mut posted, BEGIN).await;
        s.accepted(actor, posted, BEGIN).await;
    }
    let request = Request { confirm: Bytes([0; 32]), size: Size::Opening, number: 0 };
    let posted = a.say(unit("B"), 0, &request, vec![7; 320]);
    s.accepted(&mut a, posted, BEGIN).await;
    s.broker.tick(BEGIN + 1_000).await.unwrap();
    let notices = s.received(&a, Kind::Notice, &s.broker.public_key()).await;
    assert_eq!(notices[0].1.rows.len(), 4096 * 32);
    let done = s.broker.tick(BEGIN + 110_000).await.unwrap();
    assert_eq!(done.epochs, 1);
    assert_eq!(s.broker.tick(BEGIN + 110_500).await.unwrap().epochs, 0);
    for of in [&a, &b] {
        let closed = s.received(of, Kind::EpochClosed, &s.broker.public_key()).await;
        assert_eq!(EpochClosed::from_bytes(&closed[0].1.head).unwrap().closed, 1);
    }
    // Signed envelopes stay; their rows are gone.
    let mail = s.mail(&b).await;
    let of_request = mail.iter().find(|item| item.head == request.to_bytes()).unwrap();
    assert_eq!(of_request.rows, None);
    let hash = protocol::envelope::UnverifiedEnvelope::decode(&of_request.envelope)
        .unwrap()
        .verify(s.broker.federation(), &a.keys.signing.public())
        .unwrap()
        .hash();
    let gone = s.broker.frames(&b.name, &hash, 0, 1).await.unwrap();
    assert_eq!(gone, Err(server::mail::FrameRefused::Destroyed));
    // After a long sleep, every epoch that is over is closed, in order.
    assert_eq!(s.broker.tick(BEGIN + 310_000).await.unwrap().epochs, 2);
}
