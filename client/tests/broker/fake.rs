//! A small broker: its own authority, TLS 1.3, and the calls of the mailbox over memory.

use crate::link::Link;
use axum::Router;
use axum::body::{Body as HttpBody, Bytes as Raw};
use axum::extract::{Path, Query, Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use client::broker::{BrokerClient, BrokerError, Patience, TlsIdentity};
use hyper::body::Frame;
use protocol::body::{Body, FRAME, frame_count};
use protocol::codec::{self, Bytes, Hash};
use protocol::envelope::{Envelope, Header, Kind, Role, seal_envelope};
use protocol::identity::SigningKey;
use protocol::label;
use protocol::mailbox::{Delivered, Delivery, MAX_INLINE, Outcomes, Staged, State, Submission};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;

/// A patience that tests can bear.
pub const ONE_TRY: Patience = Patience {
    connecting: Duration::from_secs(5),
    silence: Duration::from_secs(5),
    tries: 1,
    pause: Duration::from_millis(20),
};
pub const SIX_TRIES: Patience = Patience { tries: 6, ..ONE_TRY };

/// A certificate authority, and what it certifies.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: CertificateDer<'static>,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "the broker's authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    pub fn fingerprint(&self) -> Hash {
        Bytes(Sha256::digest(&self.certificate).into())
    }

    /// A server's certificate, for `name`; `change` spoils it.
    pub fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Shown {
            chain: vec![certificate, self.certificate.clone()],
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }

    pub fn good_server(&self) -> Shown {
        self.server("127.0.0.1", |_| ())
    }

    /// A unit's certificate, from its request.
    pub fn unit(&self, request: &[u8]) -> Vec<u8> {
        let mut request = CertificateSigningRequestParams::from_der(&request.into()).unwrap();
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

/// What a server shows of itself.
pub struct Shown {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// What is answered to every call, whatever it is.
#[derive(Clone)]
pub enum Canned {
    Answer(u16, Vec<u8>),
    /// An answer that does not end, and does not say how long it is.
    Endless,
    Never,
}

#[derive(Default)]
pub struct Memory {
    pub canned: Option<Canned>,
    /// Calls that were begun.
    pub calls: usize,
    /// Frames that arrived whole, by root.
    pub staged: HashSet<(String, u32)>,
    /// Frames that came in, and frames that were asked for, in order.
    pub puts: Vec<u32>,
    pub gets: Vec<u32>,
    /// Takes the link down when that many frames have passed.
    pub down_after: Option<usize>,
    /// Cuts the link once when that many frames have passed.
    pub cut_after: Option<usize>,
    pub batches: Vec<usize>,
    pub accepted: Vec<Vec<u8>>,
    /// Refuses the envelope with this index.
    pub refuse_at: Option<usize>,
    pub mailbox: Vec<(Envelope, Body)>,
    /// Rows are destroyed, as at the close of their epoch.
    pub destroyed: bool,
    /// Spoils each frame that is fetched.
    pub spoil: bool,
}

pub struct Fake {
    pub memory: Mutex<Memory>,
    pub news: Notify,
    link: Mutex<Option<Link>>,
}

/// A broker that serves, behind a link.
pub struct Broker {
    pub fake: Arc<Fake>,
    pub link: Link,
    pub address: SocketAddr,
    handle: Handle<SocketAddr>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

impl Broker {
    pub async fn serve(shown: Shown) -> Broker {
        Self::serve_with(shown, None, &rustls::version::TLS13).await
    }

    /// `units`: the authority whose client certificates are required.
    pub async fn serve_with(
        shown: Shown,
        units: Option<&Authority>,
        version: &'static SupportedProtocolVersion,
    ) -> Broker {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[version]).unwrap();
        let builder = match units {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut tls = builder.with_single_cert(shown.chain, shown.key).unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec()];

        let fake = Arc::new(Fake { memory: Mutex::default(), news: Notify::new(), link: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls))).unwrap();
        tokio::spawn(server.handle(handle.clone()).serve(router(fake.clone()).into_make_service()));
        let link = Link::to(address).await;
        *fake.link.lock().unwrap() = Some(link.clone());
        Broker { fake, link, address, handle }
    }

    pub fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.fake.memory.lock().unwrap())
    }

    /// A client of this broker that trusts `authority`.
    pub fn client(&self, authority: &Authority, patience: Patience) -> BrokerClient {
        self.client_with(authority, None, patience).unwrap()
    }

    pub fn client_with(
        &self,
        authority: &Authority,
        identity: Option<(&TlsIdentity, &[u8])>,
        patience: Patience,
    ) -> Result<BrokerClient, BrokerError> {
        BrokerClient::connect(&self.link.address.to_string(), &authority.fingerprint(), identity, patience)
    }
}

fn router(fake: Arc<Fake>) -> Router {
    Router::new()
        .route("/v1/join", post(|| async { StatusCode::ACCEPTED }))
        .route("/v1/state", get(state))
        .route("/v1/bodies/{root}", get(staged))
        .route("/v1/bodies/{root}/{index}", put(frame_in))
        .route("/v1/envelopes", post(submission).get(delivery))
        .route("/v1/envelopes/{hash}/{index}", get(frame_out))
        .layer(middleware::from_fn_with_state(fake.clone(), canned))
        .with_state(fake)
}

async fn canned(Shared(fake): Shared<Arc<Fake>>, request: Request, next: Next) -> Response {
    let canned = {
        let mut memory = fake.memory.lock().unwrap();
        memory.calls += 1;
        memory.canned.clone()
    };
    match canned {
        None => next.run(request).await,
        Some(Canned::Answer(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Canned::Endless) => Response::new(HttpBody::new(Endless)),
        Some(Canned::Never) => std::future::pending().await,
    }
}

async fn state(Shared(fake): Shared<Arc<Fake>>) -> Vec<u8> {
    let memory = fake.memory.lock().unwrap();
    let sequence = memory.accepted.len() as u64;
    codec::encode(&State { now_ms: 0, sequence, previous: Bytes::ZERO, mailbox: memory.mailbox.len() as u64 })
}

type Numbers = Query<HashMap<String, u64>>;

async fn staged(Shared(fake): Shared<Arc<Fake>>, Path(root): Path<String>, Query(query): Numbers) -> Vec<u8> {
    let memory = fake.memory.lock().unwrap();
    let all = 0..frame_count(query["rows_len"]) as u32;
    codec::encode(&Staged { missing: all.filter(|index| !memory.staged.contains(&(root.clone(), *index))).collect() })
}

async fn frame_in(Shared(fake): Shared<Arc<Fake>>, Path((root, index)): Path<(String, u32)>, body: Raw) -> Response {
    let cut = {
        let mut memory = fake.memory.lock().unwrap();
        for index in index..index + body.len().div_ceil(FRAME) as u32 {
            memory.puts.push(index);
            memory.staged.insert((root.clone(), index));
        }
        let passed = memory.puts.len();
        fake.cut_if_due(&mut memory, passed)
    };
    if cut {
        std::future::pending::<()>().await;
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn frame_out(
    Shared(fake): Shared<Arc<Fake>>,
    Path((hash, index)): Path<(String, u32)>,
    Query(query): Numbers,
) -> Response {
    let (frame, cut) = {
        let mut memory = fake.memory.lock().unwrap();
        let count = query.get("frames").map_or(1, |frames| *frames as usize);
        memory.gets.extend(index..index + count as u32);
        if memory.destroyed {
            return StatusCode::GONE.into_response();
        }
        let found = memory.mailbox.iter().find(|(envelope, _)| envelope.hash().to_string() == hash);
        let frames = found.map(|(_, body)| body.frames().skip(index as usize).take(count).collect::<Vec<_>>().concat());
        let Some(mut frame) = frames.filter(|frames| !frames.is_empty()) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        if memory.spoil {
            frame[0] ^= 1;
        }
        let passed = memory.gets.len();
        (frame, fake.cut_if_due(&mut memory, passed))
    };
    if cut {
        std::future::pending::<()>().await;
    }
    frame.into_response()
}

impl Fake {
    fn cut_if_due(&self, memory: &mut Memory, passed: usize) -> bool {
        let link = self.link.lock().unwrap();
        let Some(link) = link.as_ref() else { return false };
        if memory.down_after.is_some_and(|after| passed >= after) {
            link.down();
            return true;
        }
        let cut = memory.cut_after.take_if(|after| passed >= *after).is_some();
        if cut {
            link.cut();
        }
        cut
    }
}

async fn submission(Shared(fake): Shared<Arc<Fake>>, body: Raw) -> Vec<u8> {
    let submission: Submission = codec::decode(&body).unwrap();
    let mut memory = fake.memory.lock().unwrap();
    memory.batches.push(submission.items.len());
    let mut outcomes = Outcomes { entries: Vec::new(), refused: None };
    for item in submission.items {
        if let Some(entry) = memory.accepted.iter().position(|accepted| *accepted == item.envelope) {
            outcomes.entries.push(entry as u64 + 100);
            continue;
        }
        if memory.refuse_at == Some(memory.accepted.len()) {
            let refused = protocol::mailbox::Refused { code: "envelope-sequence".into(), detail: "a gap".into() };
            outcomes.refused = Some(refused);
            break;
        }
        outcomes.entries.push(memory.accepted.len() as u64 + 100);
        memory.accepted.push(item.envelope);
    }
    codec::encode(&outcomes)
}

async fn delivery(Shared(fake): Shared<Arc<Fake>>, Query(query): Numbers) -> Vec<u8> {
    let after = query["after"] as usize;
    let news = fake.news.notified();
    if fake.memory.lock().unwrap().mailbox.len() <= after {
        let _ = tokio::time::timeout(Duration::from_millis(query["wait_ms"]), news).await;
    }
    let memory = fake.memory.lock().unwrap();
    let items = memory.mailbox.iter().enumerate().skip(after).map(|(index, (envelope, body))| Delivered {
        position: index as u64 + 1,
        entry: index as u64 + 100,
        envelope: envelope.as_bytes().to_vec(),
        head: body.head.clone(),
        rows: (body.rows.len() <= MAX_INLINE && !memory.destroyed).then(|| body.rows.clone()),
        frames: None,
    });
    codec::encode(&Delivery { items: items.collect() })
}

struct Endless;

impl hyper::body::Body for Endless {
    type Data = Raw;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Raw>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Raw::from_static(&[0; FRAME])))))
    }
}

/// A signed envelope with a body.
pub fn envelope(sequence: u64, body: &Body) -> Envelope {
    let header = Header {
        version: label::VERSION,
        federation: Bytes([1; 32]),
        accord: Bytes::ZERO,
        epoch: 1,
        tick: 1,
        sender: "SN".parse().unwrap(),
        receiver: "GM".parse().unwrap(),
        role: Role::Agent,
        sequence,
        previous: Bytes::ZERO,
        kind: Kind::TagSet,
        expires: 0,
        log_size: 0,
        log_root: Bytes::ZERO,
        body_len: 0,
        body_root: Bytes::ZERO,
    };
    seal_envelope(header, body, &SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(sequence)))
}

/// A body of `frames` whole frames and a bit, each frame different.
pub fn long_body(frames: usize) -> Body {
    let rows = (0..frames * FRAME + 5).map(|at| (at / 7 + at / FRAME) as u8).collect();
    Body { head: vec![9; 40], rows }
}
