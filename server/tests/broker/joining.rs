//! Invite, join, admit, suspend: over real sockets and TLS (R6, R8).

use crate::scene::{ACCORD, Actor, BEGIN, Scene, unit};
use protocol::calendar::Start;
use protocol::codec::{self, Bytes};
use protocol::mailbox::{Delivery, Joined, Joining, MAX_BATCH, Outcomes, State, Submission};
use protocol::message::Count;
use protocol::roster;
use reqwest::{Client, Method, Response, StatusCode};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use server::membership::token_hash;
use server::serve::{Options, serve_with};
use sha2::{Digest, Sha256};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

on_each_store!(
    a_unit_joins_is_admitted_speaks_and_is_suspended,
    who_has_no_certificate_gets_nothing,
    odd_requests_get_problem_documents,
    health_metrics_and_the_document_are_local,
    stopping_ends_long_polls,
);

pub struct Listening {
    address: SocketAddr,
    local: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<()>,
}

pub fn listen(s: &Scene) -> Listening {
    let (listener, local) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (address, at) = (listener.local_addr().unwrap(), local.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let broker = s.broker.clone();
    let done = tokio::spawn(async move {
        let options = Options { local: Some(local), ..Options::default() };
        let shutdown = async { drop(stopped.await) };
        serve_with(broker, listener, Arc::new(server::now_ms), options, shutdown).await.unwrap();
    });
    Listening { address, local: at, stop: Some(stop), done }
}

/// What a unit of its own would be: keys, a certificate, a connection that is pinned to the authority.
pub struct Remote {
    pub actor: Actor,
    key: rcgen::KeyPair,
    pub client: Client,
    pub base: String,
}

fn tls(authority: Vec<u8>, identity: Option<(&rcgen::KeyPair, &[u8])>) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(authority)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some((key, certificate)) => {
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder.with_client_auth_cert(vec![CertificateDer::from(certificate.to_vec())], key).unwrap()
        }
    };
    Client::builder().tls_backend_preconfigured(config).build().unwrap()
}

fn authority(s: &Scene) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject;
    let pem = std::fs::read(s.folder.path().join("broker/authority.pem")).unwrap();
    CertificateDer::from_pem_slice(&pem).unwrap().to_vec()
}

impl Remote {
    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Response {
        self.client.request(method, format!("{}{path}", self.base)).body(body).send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path, vec![]).await
    }

    pub async fn join(s: &Scene, listening: &Listening, name: &str) -> Remote {
        let invite = s.broker.invite(&name.parse().unwrap(), &listening.address.to_string(), BEGIN).await.unwrap();
        assert_eq!(invite.authority.0, <[u8; 32]>::from(Sha256::digest(authority(s))));
        let actor = s.actor(name);
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        let entry = roster::join_entry(s.broker.federation(), actor.name.clone(), name.into(), &actor.keys);
        let joining = Joining { token: invite.token, entry, certificate_request: request.der().to_vec() };
        let (client, base) = (tls(authority(s), None), format!("https://{}", listening.address));
        let mut remote = Remote { actor, key, client, base };
        let path = format!("/v1/join/{}", token_hash(&joining.token));
        assert_eq!(remote.get(&path).await.status(), StatusCode::NOT_FOUND);
        for _ in 0..2 {
            let taken = remote.call(Method::POST, "/v1/join", codec::encode(&joining)).await;
            assert_eq!(taken.status(), StatusCode::ACCEPTED, "repeating it is harmless");
        }
        let mut other = joining.clone();
        other.entry.title = "another".into();
        let refused = remote.call(Method::POST, "/v1/join", codec::encode(&other)).await;
        assert_eq!(code(refused).await, (400, "join-signature".into()));
        other.entry =
            roster::join_entry(s.broker.federation(), remote.actor.name.clone(), "x".into(), &remote.actor.keys);
        let refused = remote.call(Method::POST, "/v1/join", codec::encode(&other)).await;
        assert_eq!(code(refused).await, (403, "invite-used".into()));
        other.token = Bytes([1; 32]);
        let refused = remote.call(Method::POST, "/v1/join", codec::encode(&other)).await;
        assert_eq!(code(refused).await, (403, "invite-unknown".into()));
        assert_eq!(remote.get(&path).await.status(), StatusCode::NOT_FOUND);
        s.broker.admit(&remote.actor.name, BEGIN).await.unwrap();
        let joined: Joined = codec::decode(&remote.get(&path).await.bytes().await.unwrap()).unwrap();
        remote.client = tls(authority(s), Some((&remote.key, &joined.certificate)));
        remote
    }

    async fn send(&mut self, items: Vec<protocol::mailbox::Posted>) -> Outcomes {
        let submission = codec::encode(&Submission { items: items.clone() });
        let answer = self.call(Method::POST, "/v1/envelopes", submission).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let outcomes: Outcomes = codec::decode(&answer.bytes().await.unwrap()).unwrap();
        items[..outcomes.entries.len()].iter().for_each(|posted| self.actor.advance(posted));
        outcomes
    }
}

/// Status and stable name of a problem document.
async fn code(response: Response) -> (u16, String) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let problem: serde_json::Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let code = problem["code"].as_str().unwrap().to_owned();
    assert_eq!(problem["type"], format!("urn:sutura:problem:{code}"));
    assert_eq!(problem["status"], status);
    (status, code)
}

async fn a_unit_joins_is_admitted_speaks_and_is_suspended(s: Scene) {
    let listening = listen(&s);
    let mut a = Remote::join(&s, &listening, "A").await;
    let mut b = Remote::join(&s, &listening, "B").await;
    let start = Start { epoch: 1, tick: 0, at_ms: server::now_ms() };
    let accord = protocol::accord::Accord::new(ACCORD, start).unwrap().hash();
    let proposal = a.actor.propose(ACCORD, start);
    assert_eq!(a.send(vec![proposal]).await.refused, None);
    for remote in [&mut a, &mut b] {
        let signature = remote.actor.sign_accord(&accord);
        assert_eq!(remote.send(vec![signature]).await.refused, None);
        remote.actor.accord = accord;
    }
    let state: State = codec::decode(&b.get("/v1/state").await.bytes().await.unwrap()).unwrap();
    assert_eq!((state.sequence, state.previous), (b.actor.sequence, b.actor.previous));

    // A long poll is woken by what another sends.
    let waiting = b.client.get(format!("{}/v1/envelopes?after={}&wait_ms=20000", b.base, state.mailbox)).send();
    let waiting = tokio::spawn(waiting);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let posted = a.actor.say(unit("B"), 0, &Count { request: Bytes([1; 32]), total: 1 }, vec![]);
    assert_eq!(a.send(vec![posted]).await.refused, None);
    let got: Delivery = codec::decode(&waiting.await.unwrap().unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(got.items.len(), 1);
    assert!(began.elapsed() < Duration::from_secs(5));
    let note = a.get("/v1/log/checkpoint").await.text().await.unwrap();
    assert!(note.starts_with("sutura/"), "{note}");

    // Suspension cuts off a poll that is under way, and refuses what comes after.
    let state: State = codec::decode(&b.get("/v1/state").await.bytes().await.unwrap()).unwrap();
    let poll = b.client.get(format!("{}/v1/envelopes?after={}&wait_ms=50000", b.base, state.mailbox)).send();
    let poll = tokio::spawn(poll);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    s.broker.suspend(&b.actor.name, server::now_ms()).await.unwrap();
    assert!(poll.await.unwrap().is_err(), "the connection is closed");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(code(b.get("/v1/state").await).await, (403, "unit-not-admitted".into()));
    s.broker.admit(&b.actor.name, server::now_ms()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(b.get("/v1/state").await.status(), StatusCode::OK);

    // Joining anew replaces the certificate: the old one is nobody's.
    let again = Remote::join(&s, &listening, "B").await;
    assert_eq!(again.get("/v1/state").await.status(), StatusCode::OK);
    assert_eq!(code(b.get("/v1/state").await).await, (403, "certificate-unknown".into()));
}

async fn who_has_no_certificate_gets_nothing(s: Scene) {
    let listening = listen(&s);
    let actor = s.actor("A");
    let key = rcgen::KeyPair::generate().unwrap();
    let client = tls(authority(&s), None);
    let mut stranger = Remote { actor, key, client, base: format!("https://{}", listening.address) };
    let hash = "00".repeat(32);
    for (method, path) in [
        (Method::GET, "/v1/state".to_owned()),
        (Method::GET, "/v1/envelopes".to_owned()),
        (Method::POST, "/v1/envelopes".to_owned()),
        (Method::GET, format!("/v1/envelopes/{hash}/0")),
        (Method::GET, format!("/v1/bodies/{hash}?rows_len=1")),
        (Method::PUT, format!("/v1/bodies/{hash}/0?rows_len=1")),
        (Method::GET, "/v1/log/checkpoint".to_owned()),
        (Method::GET, "/v1/log/consistency?from=0&to=0".to_owned()),
        (Method::POST, "/v1/log/inclusion".to_owned()),
        (Method::GET, "/v1/log/frontier?size=0".to_owned()),
        (Method::POST, "/v1/log/cosignature".to_owned()),
        (Method::GET, format!("/v1/evidence/0/{}", "00".repeat(16))),
    ] {
        let response = stranger.call(method, &path, vec![]).await;
        assert_eq!(code(response).await, (401, "certificate-missing".into()), "{path}");
    }
    assert_eq!(stranger.get("/health").await.text().await.unwrap(), "ok\n");
    // A certificate of another authority does not even get through the handshake.
    let own = rcgen::CertificateParams::default().self_signed(&stranger.key).unwrap();
    stranger.client = tls(authority(&s), Some((&stranger.key, own.der())));
    assert!(stranger.client.get(format!("{}/v1/state", stranger.base)).send().await.is_err());
}

async fn odd_requests_get_problem_documents(s: Scene) {
    let listening = listen(&s);
    let a = Remote::join(&s, &listening, "A").await;
    let hash = "00".repeat(32);
    for (method, path, body, expected) in [
        (Method::GET, "/v1/nothing".to_owned(), vec![], (404, "route-unknown")),
        (Method::DELETE, "/v1/state".to_owned(), vec![], (405, "method-not-allowed")),
        (Method::POST, "/v1/envelopes".to_owned(), vec![0xff], (400, "request-malformed")),
        (Method::POST, "/v1/envelopes".to_owned(), vec![0x81, 0x80, 0], (400, "request-malformed")),
        (Method::POST, "/v1/envelopes".to_owned(), vec![0; MAX_BATCH + 65_537], (413, "request-too-large")),
        (Method::POST, "/v1/join".to_owned(), vec![0; 65_537], (413, "request-too-large")),
        (Method::GET, "/v1/envelopes?after=-1".to_owned(), vec![], (400, "request-malformed")),
        (Method::GET, "/v1/envelopes/zz/0".to_owned(), vec![], (400, "request-malformed")),
        (Method::GET, format!("/v1/envelopes/{hash}/0"), vec![], (404, "frame-unknown")),
        (Method::GET, format!("/v1/bodies/{hash}"), vec![], (400, "request-malformed")),
        (Method::PUT, format!("/v1/bodies/{hash}/0?rows_len=2"), vec![0], (400, "frame-length")),
        (Method::PUT, format!("/v1/bodies/{hash}/0?rows_len=0"), vec![], (400, "rows-length")),
        (
            Method::PUT,
            format!("/v1/bodies/{hash}/0?rows_len=999999"),
            vec![0; 4 * 65_536 + 1],
            (413, "request-too-large"),
        ),
        (Method::GET, "/v1/log/consistency?from=5&to=4".to_owned(), vec![], (400, "log-range")),
        (Method::POST, "/v1/log/cosignature".to_owned(), b"x".to_vec(), (422, "cosignature-refused")),
        (Method::GET, format!("/v1/evidence/0/{}", "00".repeat(16)), vec![], (404, "evidence-unknown")),
    ] {
        let response = a.call(method.clone(), &path, body).await;
        assert_eq!(code(response).await, (expected.0, expected.1.to_owned()), "{method} {path}");
        assert!(s.broker.metrics().refusals(expected.1) > 0, "counted: {}", expected.1);
    }
}

async fn health_metrics_and_the_document_are_local(s: Scene) {
    let listening = listen(&s);
    let base = format!("http://{}", listening.local);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let get = async |path: &str| reqwest::get(format!("{base}{path}")).await.unwrap();
    assert_eq!(get("/health").await.text().await.unwrap(), "ok\n");
    let metrics = get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("sutura_connections") && metrics.ends_with("# EOF\n"));
    let document: serde_json::Value =
        serde_json::from_slice(&get("/openapi.json").await.bytes().await.unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/v1/envelopes") && paths.len() >= 15, "{:?}", paths.keys());
    assert_eq!(get("/v1/state").await.status(), StatusCode::NOT_FOUND);
}

async fn stopping_ends_long_polls(s: Scene) {
    let mut listening = listen(&s);
    let a = Remote::join(&s, &listening, "A").await;
    let poll = tokio::spawn(a.client.get(format!("{}/v1/envelopes?after=99&wait_ms=50000", a.base)).send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    drop(listening.stop.take());
    let answer = poll.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    drop(a);
    listening.done.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(15));
}
