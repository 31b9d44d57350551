//! Answers that are too large, malformed, refusing, late or absent (R34).

use crate::fake::{Authority, Broker, Canned, ONE_TRY, SIX_TRIES};
use client::broker::{BrokerError, Outage, Patience};
use protocol::body::part_hash;
use protocol::codec::{self, Bytes, Hash};
use protocol::mailbox::{Delivered, Delivery, Outcomes, Proof, Proofs, Staged};
use std::time::Duration;

async fn broker(canned: Canned) -> (Authority, Broker) {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    broker.memory(|m| m.canned = Some(canned));
    (authority, broker)
}

#[tokio::test]
async fn an_answer_above_its_limit_is_refused_before_it_is_read() {
    let (authority, broker) = broker(Canned::Answer(200, vec![0; 1_000_000])).await;
    let client = broker.client(&authority, SIX_TRIES);
    assert!(matches!(client.state().await, Err(BrokerError::TooLarge("state"))));
    assert!(matches!(client.checkpoint().await, Err(BrokerError::TooLarge("checkpoint"))));
    assert!(matches!(client.frontier(1).await, Err(BrokerError::TooLarge("frontier"))));
    assert_eq!(client.traffic().received, 0);
    assert_eq!(broker.memory(|m| m.calls), 3, "not repeated");
}

#[tokio::test]
async fn an_answer_without_end_is_refused_where_its_limit_is() {
    let (authority, broker) = broker(Canned::Endless).await;
    let client = broker.client(&authority, SIX_TRIES);
    assert!(matches!(client.state().await, Err(BrokerError::TooLarge("state"))));
    assert!(client.traffic().received <= 65_536);
    let delivery = client.fetch(0, Duration::ZERO).await;
    assert!(matches!(delivery, Err(BrokerError::TooLarge("delivery"))));
    assert!(client.traffic().received < 6 << 20);
}

#[tokio::test]
async fn a_problem_document_becomes_a_refusal() {
    let problem = br#"{"type":"about:blank","code":"log-range","title":"no","detail":"beyond the log","status":400}"#;
    let (authority, broker) = broker(Canned::Answer(400, problem.to_vec())).await;
    let client = broker.client(&authority, SIX_TRIES);
    match client.consistency(5, 9).await.unwrap_err() {
        BrokerError::Refused { status, code, detail } => {
            assert_eq!((status, code.as_str(), detail.as_str()), (400, "log-range", "beyond the log"));
        }
        other => panic!("{other}"),
    }
    assert_eq!(broker.memory(|m| m.calls), 1, "a refusal is not repeated");
}

#[tokio::test]
async fn a_problem_without_end_is_not_read() {
    let (authority, broker) = broker(Canned::Answer(500, vec![b'x'; 100_000])).await;
    assert!(matches!(broker.client(&authority, ONE_TRY).state().await, Err(BrokerError::TooLarge("problem"))));
}

#[tokio::test]
async fn a_busy_broker_is_asked_again_and_then_called_unreachable() {
    let (authority, broker) = broker(Canned::Answer(503, vec![])).await;
    let error = broker.client(&authority, Patience { tries: 3, ..ONE_TRY }).state().await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable(Outage::Busy(503))), "{error}");
    assert_eq!(broker.memory(|m| m.calls), 3);
}

#[tokio::test]
async fn silence_ends() {
    let (authority, broker) = broker(Canned::Never).await;
    let patience = Patience { silence: Duration::from_millis(150), tries: 2, ..ONE_TRY };
    let error = broker.client(&authority, patience).state().await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable(Outage::Silence)), "{error}");
    assert_eq!(broker.memory(|m| m.calls), 2);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_malformed() {
    let not_shortest = vec![0x84, 0x18, 0x05, 0x00, 0x40, 0x00];
    for bytes in [vec![], vec![0xff; 20], not_shortest, b"<html>".to_vec()] {
        let (authority, broker) = broker(Canned::Answer(200, bytes)).await;
        let client = broker.client(&authority, SIX_TRIES);
        assert!(matches!(client.state().await, Err(BrokerError::Malformed("state"))));
        assert_eq!(broker.memory(|m| m.calls), 1, "not repeated");
    }
    let (authority, broker) = broker(Canned::Answer(200, vec![0xc3, 0x28])).await;
    assert!(matches!(broker.client(&authority, ONE_TRY).checkpoint().await, Err(BrokerError::Malformed(_))));
}

#[tokio::test]
async fn proofs_are_as_many_as_were_asked_for_and_as_long_as_a_tree_is_high() {
    let one = Proofs { proofs: vec![Proof { path: vec![Bytes([7; 32]); 20] }] };
    let (authority, broker) = broker(Canned::Answer(200, codec::encode(&one))).await;
    let client = broker.client(&authority, ONE_TRY);
    assert_eq!(client.inclusion(30, &[4]).await.unwrap(), one.proofs);
    assert!(matches!(client.inclusion(30, &[4, 5]).await, Err(BrokerError::Malformed(_))));
    assert!(client.inclusion(30, &[]).await.unwrap().is_empty());
    let long = Proof { path: vec![Bytes([7; 32]); 65] };
    broker.memory(|m| m.canned = Some(Canned::Answer(200, codec::encode(&long))));
    assert!(client.consistency(1, 2).await.is_err());
}

#[tokio::test]
async fn a_mailbox_with_a_gap_or_with_other_things_than_envelopes_is_malformed() {
    let item =
        |position, envelope| Delivered { position, entry: 1, envelope, head: vec![], rows: Some(vec![]), frames: None };
    let destroyed = |frames: &[Hash]| {
        let body = protocol::body::Body { head: vec![3], rows: vec![7; 100] };
        let envelope = crate::fake::envelope(1, &body).as_bytes().to_vec();
        let frames = Some(frames.to_vec());
        Delivered { position: 1, entry: 1, envelope, head: body.head, rows: None, frames }
    };
    let good = crate::fake::envelope(1, &protocol::body::Body::default()).as_bytes().to_vec();
    for (items, count) in [
        (vec![item(1, good.clone())], Ok(1)),
        (vec![item(1, good.clone()), item(2, vec![1])], Ok(1)),
        (vec![item(2, good.clone())], Err(())),
        (vec![item(0, good.clone())], Err(())),
        (vec![item(1, vec![1, 2, 3])], Err(())),
        // Rows that were destroyed, with hashes of their frames: those that the envelope was signed over, and others.
        (vec![destroyed(&[part_hash(&[7; 100])])], Ok(1)),
        (vec![destroyed(&[part_hash(&[8; 100])])], Err(())),
        (vec![destroyed(&[])], Err(())),
        (vec![destroyed(&[part_hash(&[7; 100]); 2])], Err(())),
        (vec![Delivered { head: vec![1], ..item(1, good.clone()) }], Err(())),
        (vec![Delivered { rows: Some(vec![1]), ..item(1, good.clone()) }], Err(())),
    ] {
        let (authority, broker) = broker(Canned::Answer(200, codec::encode(&Delivery { items }))).await;
        let got = broker.client(&authority, ONE_TRY).fetch(0, Duration::ZERO).await;
        match got {
            Ok(received) => assert_eq!(Ok(received.len()), count),
            Err(error) => assert!(matches!(error, BrokerError::Malformed(_)) && count.is_err(), "{error}"),
        }
    }
}

#[tokio::test]
async fn outcomes_and_missing_frames_that_cannot_be_are_malformed() {
    let body = crate::fake::long_body(2);
    let sent = crate::fake::envelope(1, &body);
    let outgoing = [client::broker::Outgoing::new(sent.as_bytes(), &body)];
    for missing in [vec![3], vec![1, 0], vec![0, 0], vec![u32::MAX]] {
        let (authority, broker) = broker(Canned::Answer(200, codec::encode(&Staged { missing }))).await;
        let error = broker.client(&authority, ONE_TRY).submit(&outgoing).await.unwrap_err();
        assert!(matches!(error, BrokerError::Malformed(_)), "{error}");
    }
    let short = protocol::body::Body::default();
    let sent = crate::fake::envelope(1, &short);
    let outgoing = [client::broker::Outgoing::new(sent.as_bytes(), &short)];
    for entries in [vec![], vec![1, 2]] {
        let (authority, broker) =
            broker(Canned::Answer(200, codec::encode(&Outcomes { entries, refused: None }))).await;
        let error = broker.client(&authority, ONE_TRY).submit(&outgoing).await.unwrap_err();
        assert!(matches!(error, BrokerError::Malformed(_)), "{error}");
    }
}
