//! Limits of cases: each passes once, at its own moment, for both units (R29).

use crate::desk::{A, B, DAY, Desk, HEAD, HOUR, INVESTIGATOR, LEGAL};
use crate::scene::{BEGIN, Scene};
use protocol::act::Content;
use protocol::codec::Bytes;
use protocol::consent::ConsentKind;
use protocol::envelope::Kind;
use protocol::message::{Deadline, Head};
use server::Broker;

on_each_store!(
    a_limit_passes_once_at_its_moment,
    limits_that_were_slept_through_pass_in_their_order,
    a_late_consent_is_refused,
    many_limits_pass_at_once_and_two_processes_pass_each_once,
);

/// What the broker said to a unit about limits.
async fn said(d: &Desk, who: usize) -> Vec<Deadline> {
    let said = d.s.received(&d.units[who], Kind::Deadline, &d.s.broker.public_key()).await;
    said.iter().map(|(_, body)| Deadline::from_bytes(&body.head).unwrap()).collect()
}

async fn a_limit_passes_once_at_its_moment(s: Scene) {
    let mut d = Desk::new(s).await;
    let since = BEGIN + 12_345;
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, since).await;
    let limit = since + DAY;
    assert_eq!(d.s.broker.tick(limit - 1).await.unwrap().deadlines, 0);
    d.s.restart().await;
    // Whoever comes with the limit itself comes too late, whether the broker has said so or not.
    let late = d.act(B, INVESTIGATOR, "acknowledge", Content::Nothing, limit - 1);
    d.refuses(B, &late, limit, "case-late").await;
    assert_eq!(d.s.broker.tick(limit + 7).await.unwrap().deadlines, 1);
    d.refuses(B, &late, limit + 7, "case-round").await;
    assert_eq!(d.s.broker.tick(limit + 8).await.unwrap().deadlines, 0);
    d.s.restart().await;
    assert_eq!(d.s.broker.tick(limit + HOUR).await.unwrap().deadlines, 0);
    for who in [A, B] {
        let [one] = &said(&d, who).await[..] else { panic!("once") };
        assert_eq!((one.handle, one.round, one.at_ms), (d.handle, 0, limit), "at its own moment");
        assert_eq!((&one.low, &one.high), (&d.units[A].name, &d.units[B].name));
    }
    d.case = Some(d.agree_in_both_mailboxes().await);
    assert_eq!(d.state(), "mediation");
    // And both go on from there, not before the limit.
    let before = d.act(A, HEAD, "resume", Content::Nothing, limit - 1);
    d.refuses(A, &before, limit + HOUR, "case-time-back").await;
    d.does(A, HEAD, "resume", Content::Nothing, limit + HOUR).await;
    d.does(B, HEAD, "resume", Content::Nothing, limit + HOUR).await;
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
    assert_eq!(d.state(), "negotiating");
}

async fn limits_that_were_slept_through_pass_in_their_order(s: Scene) {
    let mut d = Desk::new(s).await;
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;
    // notified, mediation, separate, closed: the last limit leads to the end.
    let limits = [DAY, 8 * DAY, 98 * DAY, 128 * DAY].map(|after| BEGIN + after);
    let end = BEGIN + 130 * DAY;
    assert_eq!(d.s.broker.status(end).await.unwrap().cases, 1);
    assert_eq!(d.s.broker.tick(end).await.unwrap().deadlines, 4);
    for who in [A, B] {
        let said: Vec<(u32, u64)> = said(&d, who).await.iter().map(|one| (one.round, one.at_ms)).collect();
        assert_eq!(said, (0..).zip(limits).collect::<Vec<_>>());
    }
    d.case = Some(d.agree_in_both_mailboxes().await);
    assert_eq!(d.state(), "ended");
    assert_eq!(d.s.broker.status(end).await.unwrap().cases, 0);
    assert_eq!(d.s.broker.tick(end + 500 * HOUR).await.unwrap().deadlines, 0);
    d.may_not(B, INVESTIGATOR, "acknowledge", Content::Nothing, end, "manual-no-step").await;
}

async fn a_late_consent_is_refused(s: Scene) {
    let mut d = Desk::new(s).await;
    d.agree_on_handover(BEGIN).await;
    let terms = d.terms(ConsentKind::Parcel, 9, BEGIN + 20 * DAY);
    d.does(A, HEAD, "consent", Content::Consent(terms.clone()), BEGIN).await;
    let second = d.act(A, LEGAL, "consent", Content::Consent(terms), BEGIN + 1);
    let limit = BEGIN + 3 * DAY;
    d.refuses(A, &second, limit, "case-late").await;
    assert_eq!(d.s.broker.tick(limit).await.unwrap().deadlines, 1);
    d.refuses(A, &second, limit, "case-round").await;
    d.case = Some(d.agree_in_both_mailboxes().await);
    assert_eq!(d.state(), "mediation", "silence discloses nothing");
    assert!(d.case.as_ref().unwrap().ledger().consents().iter().all(|held| held.withdrawn));
}

async fn many_limits_pass_at_once_and_two_processes_pass_each_once(s: Scene) {
    let mut d = Desk::new(s).await;
    const CASES: u64 = 70;
    for number in 0..CASES {
        (d.handle, d.case) = (Bytes([number as u8; 16]), None);
        d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN + number).await;
    }
    assert_eq!(d.s.broker.status(BEGIN).await.unwrap().cases, CASES);
    let second = server::Home::open(&d.s.folder.path().join("broker")).unwrap();
    let second = Broker::open(second).await.unwrap();
    let now = BEGIN + DAY + CASES;
    let (one, two) = tokio::join!(d.s.broker.tick(now), second.tick(now));
    assert_eq!(one.unwrap().deadlines + two.unwrap().deadlines, CASES);
    for who in [A, B] {
        let said = said(&d, who).await;
        assert!(said.iter().map(|one| one.handle.0[0]).eq(0..CASES as u8), "each once, in the order of the moments");
    }
}
