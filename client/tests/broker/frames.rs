//! Envelopes and their bodies over a link that is cut (R24).

use crate::fake::{Authority, Broker, ONE_TRY, SIX_TRIES, envelope, long_body};
use client::broker::{BrokerError, FrameFuture, Outgoing, Patience, Rows, Traffic};
use protocol::body::{Body, FRAME};
use protocol::envelope::Envelope;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const NOW: Duration = Duration::ZERO;
const THREE_TRIES: Patience = Patience { tries: 3, ..ONE_TRY };

async fn broker() -> (Authority, Broker) {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    (authority, broker)
}

fn small(count: u64, head: usize) -> Vec<(Envelope, Body)> {
    let body = |n: u64| Body { head: vec![n as u8; head], rows: vec![] };
    (1..=count).map(|n| (envelope(n, &body(n)), body(n))).collect()
}

fn outgoing(all: &[(Envelope, Body)]) -> Vec<Outgoing<'_>> {
    all.iter().map(|(envelope, body)| Outgoing::new(envelope.as_bytes(), body)).collect()
}

#[tokio::test]
async fn an_upload_that_was_cut_sends_only_what_is_missing() {
    let (authority, broker) = broker().await;
    let body = long_body(20);
    let sent = envelope(1, &body);
    let client = broker.client(&authority, ONE_TRY);
    broker.memory(|m| m.down_after = Some(6));
    let error = client.submit(&[Outgoing::new(sent.as_bytes(), &body)]).await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable(_)), "{error}");
    let (before, first): (Vec<u32>, usize) = broker.memory(|m| {
        m.down_after = None;
        (m.staged.iter().map(|(_, index)| *index).collect(), std::mem::take(&mut m.puts).len())
    });
    assert!((6..21).contains(&first) && broker.memory(|m| m.accepted.is_empty()));

    broker.link.lead_to(broker.address);
    // What the broker has is asked of the broker: another process of the unit goes on as well.
    let client = broker.client(&authority, ONE_TRY);
    let outcomes = client.submit(&[Outgoing::new(sent.as_bytes(), &body)]).await.unwrap();
    assert_eq!((outcomes.entries, outcomes.refused), (vec![100], None));
    let mut expected: Vec<u32> = (0..21).filter(|index| !before.contains(index)).collect();
    let mut again = broker.memory(|m| m.puts.clone());
    expected.sort();
    again.sort();
    assert_eq!(again, expected);
}

#[tokio::test]
async fn a_short_cut_is_bridged_without_the_callers_help() {
    let (authority, broker) = broker().await;
    let body = long_body(12);
    let sent = envelope(1, &body);
    broker.memory(|m| m.cut_after = Some(5));
    let client = broker.client(&authority, SIX_TRIES);
    client.submit(&[Outgoing::new(sent.as_bytes(), &body)]).await.unwrap();
    let puts = broker.memory(|m| m.puts.len());
    assert!((14..=13 + 8).contains(&puts), "{puts} frames: only those in flight are sent again");
    assert_eq!(broker.memory(|m| m.accepted.clone()), [sent.as_bytes()]);
}

#[tokio::test]
async fn a_download_that_was_cut_goes_on_where_it_stopped() {
    let (authority, broker) = broker().await;
    let body = long_body(20);
    broker.memory(|m| {
        m.mailbox = small(2, 10);
        m.mailbox.push((envelope(3, &body), body.clone()));
        m.down_after = Some(6);
    });
    let client = broker.client(&authority, THREE_TRIES);
    // What stands before the long one is handed over, and not lost with it.
    let before = client.fetch(0, NOW).await.unwrap();
    assert_eq!(before.iter().map(|r| (r.position, r.entry)).collect::<Vec<_>>(), [(1, 100), (2, 101)]);
    let first = broker.memory(|m| {
        m.down_after = None;
        std::mem::take(&mut m.gets)
    });
    broker.link.lead_to(broker.address);
    let got = client.fetch(2, NOW).await.unwrap();
    assert_eq!(got.len(), 1);
    assert!(got[0].position == 3 && got[0].body == body);
    let second = broker.memory(|m| m.gets.clone());
    let twice = second.iter().filter(|index| first.contains(index)).count();
    assert!(first.len() >= 6 && second.len() <= 21 - 3, "{first:?}, then {second:?}");
    assert_eq!(first.len() + second.len() - twice, 21);
    assert!(client.fetch(3, NOW).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_envelope_that_was_accepted_is_not_uploaded_again() {
    let (authority, broker) = broker().await;
    let body = long_body(5);
    let sent = envelope(1, &body);
    for _ in 0..2 {
        let outcomes =
            broker.client(&authority, ONE_TRY).submit(&[Outgoing::new(sent.as_bytes(), &body)]).await.unwrap();
        assert_eq!(outcomes.entries, [100]);
        // An accepted body is staged no more.
        broker.memory(|m| m.staged.clear());
    }
    assert_eq!(broker.memory(|m| m.puts.len()), 6);
}

#[tokio::test]
async fn destroyed_rows_do_not_stop_the_mailbox() {
    let (authority, broker) = broker().await;
    let bodies = [long_body(3), Body { head: vec![1], rows: vec![2; 100] }];
    broker.memory(|m| {
        m.mailbox = (1..).zip(&bodies).map(|(n, body)| (envelope(n, body), body.clone())).collect();
        m.destroyed = true;
    });
    let got = broker.client(&authority, ONE_TRY).fetch(0, NOW).await.unwrap();
    assert_eq!(got.iter().map(|r| (r.position, r.destroyed)).collect::<Vec<_>>(), [(1, true), (2, true)]);
    assert!(got[1].body == Body::head_only(vec![1]));
}

#[tokio::test]
async fn rows_that_are_stored_are_read_frame_by_frame() {
    let (authority, broker) = broker().await;
    let body = long_body(9);
    let sent = envelope(1, &body);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&body.rows).unwrap();
    let read = AtomicUsize::new(0);
    let frame = |index: u64| -> FrameFuture {
        read.fetch_add(1, Ordering::Relaxed);
        let mut file = file.try_clone();
        Box::pin(async move {
            let file = file.as_mut().map_err(|error| std::io::Error::from(error.kind()))?;
            file.seek(SeekFrom::Start(index * FRAME as u64))?;
            let mut out = Vec::new();
            file.take(FRAME as u64).read_to_end(&mut out)?;
            Ok(out)
        })
    };
    let rows = Rows::Stored { len: body.rows.len() as u64, frame: &frame };
    let client = broker.client(&authority, ONE_TRY);
    let stored = Outgoing { envelope: sent.as_bytes(), head: &body.head, rows };
    assert_eq!(client.submit(&[stored]).await.unwrap().entries, [100]);
    assert_eq!(read.load(Ordering::Relaxed), 10);

    let short = |_: u64| -> FrameFuture { Box::pin(async { Ok(vec![0; 3]) }) };
    let other = long_body(8);
    let sent = envelope(2, &other);
    let rows = Rows::Stored { len: other.rows.len() as u64, frame: &short };
    let stored = Outgoing { envelope: sent.as_bytes(), head: &other.head, rows };
    assert!(matches!(client.submit(&[stored]).await, Err(BrokerError::Unsendable(_))));
}

#[tokio::test]
async fn envelopes_go_in_small_batches_and_their_entries_come_back_in_order() {
    let (authority, broker) = broker().await;
    let all = small(40, 10_000);
    let client = broker.client(&authority, ONE_TRY);
    let outcomes = client.submit(&outgoing(&all)).await.unwrap();
    assert_eq!(outcomes.entries, (100..140).collect::<Vec<u64>>());
    let batches = broker.memory(|m| m.batches.clone());
    assert!(batches.len() > 5 && batches.iter().all(|items| *items <= 6), "{batches:?}");
    let Traffic { sent, received } = client.traffic();
    assert!(sent > 400_000 && sent < 440_000 && received > 0 && received < 1_000, "{sent} {received}");
}

#[tokio::test]
async fn a_refusal_ends_a_submission_and_tells_what_was_accepted() {
    let (authority, broker) = broker().await;
    broker.memory(|m| m.refuse_at = Some(9));
    let outcomes = broker.client(&authority, ONE_TRY).submit(&outgoing(&small(40, 10_000))).await.unwrap();
    assert_eq!(outcomes.entries, (100..109).collect::<Vec<u64>>());
    assert_eq!(outcomes.refused.unwrap().code, "envelope-sequence");
    assert_eq!(broker.memory(|m| m.batches.len()), 2, "nothing after the refusal was sent");
}

#[tokio::test]
async fn a_body_that_is_not_the_envelopes_is_not_sent() {
    let (authority, broker) = broker().await;
    let body = long_body(2);
    let sent = envelope(1, &body);
    let client = broker.client(&authority, ONE_TRY);
    let longer = Body { head: body.head.clone(), rows: [&body.rows[..], &[1]].concat() };
    for bad in [Outgoing::new(sent.as_bytes(), &longer), Outgoing::new(&sent.as_bytes()[1..], &body)] {
        assert!(matches!(client.submit(&[bad]).await, Err(BrokerError::Unsendable(_))));
    }
    assert_eq!(broker.memory(|m| m.calls), 0);
}

#[tokio::test]
async fn frames_that_do_not_make_the_body_are_refused() {
    let (authority, broker) = broker().await;
    let body = long_body(3);
    broker.memory(|m| {
        m.mailbox.push((envelope(1, &body), body.clone()));
        m.spoil = true;
    });
    let client = broker.client(&authority, ONE_TRY);
    assert!(matches!(client.fetch(0, NOW).await, Err(BrokerError::Malformed(_))));
    broker.memory(|m| m.spoil = false);
    assert!(client.fetch(0, NOW).await.unwrap()[0].body == body, "nothing spoiled was kept");
}

#[tokio::test]
async fn a_large_mailbox_comes_in_parts() {
    let (authority, broker) = broker().await;
    let bodies: Vec<Body> = (0..4).map(|_| long_body(70)).collect();
    broker.memory(|m| m.mailbox = (1..).zip(&bodies).map(|(n, body)| (envelope(n, body), body.clone())).collect());
    let client = broker.client(&authority, ONE_TRY);
    let first = client.fetch(0, NOW).await.unwrap();
    let rest = client.fetch(first.last().unwrap().position, NOW).await.unwrap();
    assert_eq!((first.len(), rest.len()), (2, 2));
}

#[tokio::test]
async fn a_long_poll_waits_until_something_is_there() {
    let (authority, broker) = broker().await;
    let client = broker.client(&authority, ONE_TRY);
    let begun = Instant::now();
    assert!(client.fetch(0, Duration::from_millis(300)).await.unwrap().is_empty());
    assert!(begun.elapsed() >= Duration::from_millis(300));

    let fake = broker.fake.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fake.memory.lock().unwrap().mailbox = small(1, 5);
        fake.news.notify_waiters();
    });
    let begun = Instant::now();
    assert_eq!(client.fetch(0, Duration::from_secs(30)).await.unwrap().len(), 1);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(150) && waited < Duration::from_secs(5), "{waited:?}");
}
