//! Joining: once, and then asking until the operator has admitted the unit (R6).

use crate::fake::{Authority, Broker, Canned, ONE_TRY, SIX_TRIES};
use client::broker::{BrokerError, Patience, TlsIdentity};
use protocol::codec::{self, Bytes};
use protocol::identity::UnitKeys;
use protocol::mailbox::{Joined, Joining};
use protocol::roster::join_entry;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::time::Duration;

fn joining() -> Joining {
    let keys = UnitKeys::generate(&mut ChaCha20Rng::seed_from_u64(1));
    let unit: protocol::name::UnitName = "SN".parse().unwrap();
    Joining {
        token: Bytes([3; 32]),
        certificate_request: TlsIdentity::generate().unwrap().certificate_request(&unit).unwrap(),
        entry: join_entry(&Bytes([1; 32]), unit, "Senegal".into(), &keys),
    }
}

#[tokio::test]
async fn a_unit_asks_and_waits_for_its_certificate() {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    let client = broker.client(&authority, ONE_TRY);
    client.join(&joining()).await.unwrap();
    assert_eq!(client.joined(&Bytes([3; 32])).await.unwrap(), None);
    let joined = Joined { certificate: vec![1, 2, 3] };
    broker.memory(|m| m.canned = Some(Canned::Answer(200, codec::encode(&joined))));
    assert_eq!(client.joined(&Bytes([3; 32])).await.unwrap(), Some(joined));
}

#[tokio::test]
async fn joining_is_not_repeated_once_it_may_have_arrived() {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    broker.memory(|m| m.canned = Some(Canned::Never));
    let client = broker.client(&authority, Patience { silence: Duration::from_millis(150), ..SIX_TRIES });
    assert!(matches!(client.join(&joining()).await, Err(BrokerError::Unreachable(_))));
    assert_eq!(broker.memory(|m| m.calls), 1);
}

#[tokio::test]
async fn joining_is_repeated_while_no_connection_was_made() {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    broker.link.down();
    let (link, address) = (broker.link.clone(), broker.address);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        link.lead_to(address);
    });
    broker.client(&authority, Patience { tries: 20, ..SIX_TRIES }).join(&joining()).await.unwrap();
    assert_eq!(broker.memory(|m| m.calls), 1);
}
