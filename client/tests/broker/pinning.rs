//! Who may answer as the broker, and who may ask (R6, R8). The first test is the control of all the others.

use crate::fake::{Authority, Broker, ONE_TRY, SIX_TRIES, Shown};
use client::broker::{BrokerClient, BrokerError, Outage, Patience, TlsFault, TlsIdentity};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

async fn fault(shown: Shown, trusted: &Authority) -> TlsFault {
    let broker = Broker::serve(shown).await;
    let client = broker.client(trusted, SIX_TRIES);
    let error = client.state().await.unwrap_err();
    assert_eq!(client.authority_certificate(), None);
    assert_eq!(broker.memory(|m| m.calls), 0, "nothing was said to whoever answered");
    match error {
        BrokerError::NotTheBroker(fault) => fault,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_authority_of_the_invite_is_accepted_and_kept() {
    let authority = Authority::new();
    let broker = Broker::serve(authority.good_server()).await;
    let client = broker.client(&authority, ONE_TRY);
    assert_eq!(client.authority_certificate(), None);
    assert_eq!(client.state().await.unwrap().sequence, 0);
    assert_eq!(client.authority_certificate().as_deref(), Some(authority.certificate.as_ref()));
}

#[tokio::test]
async fn another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    assert_eq!(fault(other.good_server(), &authority).await, TlsFault::OtherAuthority);
}

#[tokio::test]
async fn the_authoritys_certificate_beside_a_strangers_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let mut shown = other.good_server();
    shown.chain.truncate(1);
    shown.chain.push(authority.certificate.clone());
    assert_eq!(fault(shown, &authority).await, TlsFault::OtherAuthority);
}

#[tokio::test]
async fn a_chain_without_the_authority_is_refused() {
    let authority = Authority::new();
    let mut shown = authority.good_server();
    shown.chain.truncate(1);
    assert_eq!(fault(shown, &authority).await, TlsFault::OtherAuthority);
}

#[tokio::test]
async fn a_certificate_for_another_address_is_refused() {
    let authority = Authority::new();
    for name in ["10.0.0.1", "broker.example", "localhost"] {
        assert_eq!(fault(authority.server(name, |_| ()), &authority).await, TlsFault::OtherName);
    }
}

#[tokio::test]
async fn a_certificate_of_another_time_is_refused() {
    let authority = Authority::new();
    let past = authority.server("127.0.0.1", |params| params.not_after = date_time_ymd(2001, 1, 1));
    assert_eq!(fault(past, &authority).await, TlsFault::OutOfDate);
    let future = authority.server("127.0.0.1", |params| params.not_before = date_time_ymd(3000, 1, 1));
    assert_eq!(fault(future, &authority).await, TlsFault::OutOfDate);
}

#[tokio::test]
async fn a_units_certificate_does_not_make_a_broker() {
    let authority = Authority::new();
    let as_client = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    assert_eq!(fault(authority.server("127.0.0.1", as_client), &authority).await, TlsFault::Unfit);
}

#[tokio::test]
async fn an_authority_that_is_swapped_later_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let broker = Broker::serve(authority.good_server()).await;
    let impostor = Broker::serve(other.good_server()).await;
    let client = broker.client(&authority, SIX_TRIES);
    client.state().await.unwrap();
    broker.link.lead_to(impostor.address);
    broker.link.cut();
    let error = client.state().await.unwrap_err();
    assert!(matches!(error, BrokerError::NotTheBroker(TlsFault::OtherAuthority)), "{error}");
    assert_eq!(impostor.memory(|m| m.calls), 0);
}

#[tokio::test]
async fn a_unit_shows_its_certificate_and_nobody_else_is_let_in() {
    let authority = Authority::new();
    let broker = Broker::serve_with(authority.good_server(), Some(&authority), &rustls::version::TLS13).await;
    let identity = TlsIdentity::generate().unwrap();
    let certificate = authority.unit(&identity.certificate_request(&"SN".parse().unwrap()).unwrap());
    let known = broker.client_with(&authority, Some((&identity, &certificate)), ONE_TRY).unwrap();
    known.state().await.unwrap();

    let nobody = broker.client(&authority, SIX_TRIES);
    assert!(matches!(nobody.state().await, Err(BrokerError::CertificateRefused)));
    let stranger = Authority::new().unit(&identity.certificate_request(&"SN".parse().unwrap()).unwrap());
    let stranger = broker.client_with(&authority, Some((&identity, &stranger)), SIX_TRIES).unwrap();
    assert!(matches!(stranger.state().await, Err(BrokerError::CertificateRefused)));
    assert_eq!(broker.memory(|m| m.calls), 1);

    let other_key = TlsIdentity::generate().unwrap();
    let mixed = broker.client_with(&authority, Some((&other_key, &certificate)), ONE_TRY);
    assert!(matches!(mixed.err(), Some(BrokerError::Setup(_))));
}

#[tokio::test]
async fn an_older_tls_is_refused() {
    let authority = Authority::new();
    let broker = Broker::serve_with(authority.good_server(), None, &rustls::version::TLS12).await;
    let error = broker.client(&authority, ONE_TRY).state().await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable(Outage::Handshake)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let authority = Authority::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let quick = Patience { connecting: Duration::from_millis(300), ..ONE_TRY };
    let client = BrokerClient::connect(&address, &authority.fingerprint(), None, quick).unwrap();
    let silent = client.state().await.unwrap_err();
    assert!(matches!(silent, BrokerError::Unreachable(Outage::Silence)), "{silent}");

    let talking = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.write_all(b"220 mail.example ESMTP\r\n").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let babble = client.state().await.unwrap_err();
    assert!(matches!(babble, BrokerError::Unreachable(Outage::Handshake)), "{babble}");
    talking.abort();
    let _ = talking.await;
    let gone = client.state().await.unwrap_err();
    assert!(matches!(gone, BrokerError::Unreachable(Outage::NoConnection)), "{gone}");
}
