//! A federation for tests: a broker in a folder of its own, and units that can sign.

use protocol::body::Body;
use protocol::calendar::Start;
use protocol::codec::{Bytes, Hash};
use protocol::envelope::{Envelope, Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::identity::UnitKeys;
use protocol::mailbox::{Delivered, Joining, Posted};
use protocol::message::{AccordProposal, AccordSignature, Head, Size, TagSet};
use protocol::name::{Party, UnitName};
use protocol::tagset::{self, Leaf, Tag};
use protocol::{accord::Accord, label, roster};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use server::{Broker, Home, Settings};
use std::sync::atomic::{AtomicU64, Ordering};

/// When the first accord begins.
pub const BEGIN: u64 = 1_800_000_000_000;

/// An accord with ticks of a second and epochs of a hundred ticks.
pub const ACCORD: &str = r#"
title = "Example"
[ticks]
tick_ms = 1000
epoch_ticks = 100
grace_ticks = 10
[requests]
opening_max = 4194304
bulk_max = 4096
small = 16
every = 2
[tag_sets]
small = 4
delay = 3
[acknowledgements]
slots = 16
patience_ticks = 20
[canaries]
count = 4
window_ticks = 8
[identifiers]
version = 1
"#;

pub struct Scene {
    pub broker: Broker,
    pub folder: tempfile::TempDir,
    pub accord: Hash,
}

/// A unit that speaks.
pub struct Actor {
    pub name: UnitName,
    pub keys: UnitKeys,
    pub sequence: u64,
    pub previous: Hash,
    pub federation: Hash,
    pub accord: Hash,
}

pub fn name(text: &str) -> UnitName {
    text.parse().unwrap()
}

pub fn unit(text: &str) -> Party {
    Party::Unit(name(text))
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

impl Scene {
    pub async fn on_sqlite() -> Scene {
        Scene::with_database(None).await
    }

    pub async fn on_postgres() -> Option<Scene> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Ok(url) = std::env::var("SUTURA_TEST_POSTGRES") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "SUTURA_TEST_POSTGRES must be set in CI");
            eprintln!("SKIPPED on PostgreSQL: SUTURA_TEST_POSTGRES is not set");
            return None;
        };
        let base = sqlx::PgPool::connect(&url).await.unwrap();
        let database = format!("sutura_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let make = sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"));
        sqlx::query(make).execute(&base).await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        Some(Scene::with_database(Some(format!("{server}/{database}"))).await)
    }

    async fn with_database(database: Option<String>) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { federation: "test".into(), database, hosts: vec![] };
        let home = Home::found(&folder.path().join("broker"), settings, BEGIN).unwrap();
        Scene { broker: Broker::open(home).await.unwrap(), folder, accord: Hash::ZERO }
    }

    /// The broker stops and starts again, as after a kill: nothing is told to the old one.
    pub async fn restart(&mut self) {
        let home = Home::open(&self.folder.path().join("broker")).unwrap();
        self.broker = Broker::open(home).await.unwrap();
    }

    pub fn joining(&self, actor: &Actor, token: Bytes<32>) -> Joining {
        let entry = roster::join_entry(self.broker.federation(), actor.name.clone(), "A unit".into(), &actor.keys);
        let key = rcgen::KeyPair::generate().unwrap();
        let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap();
        Joining { token, entry, certificate_request: request.der().to_vec() }
    }

    /// A unit that is invited, joins and is admitted.
    pub async fn admitted(&self, text: &str) -> Actor {
        let actor = self.actor(text);
        let invite = self.broker.invite(&actor.name, "localhost:1", BEGIN).await.unwrap();
        self.broker.join(&self.joining(&actor, invite.token), BEGIN).await.unwrap();
        self.broker.admit(&actor.name, BEGIN).await.unwrap();
        actor
    }

    pub fn actor(&self, text: &str) -> Actor {
        let seed = text.bytes().fold(7, |n: u64, b| n.wrapping_mul(31).wrapping_add(b.into()));
        Actor {
            name: name(text),
            keys: UnitKeys::generate(&mut rng(seed)),
            sequence: 0,
            previous: Hash::ZERO,
            federation: *self.broker.federation(),
            accord: self.accord,
        }
    }

    /// Units that have agreed on [`ACCORD`], which begins at [`BEGIN`].
    pub async fn agreed<const N: usize>(&mut self, names: [&str; N]) -> [Actor; N] {
        self.agreed_on(ACCORD, names).await
    }

    /// Units that have agreed on an accord with this text, which begins at [`BEGIN`].
    pub async fn agreed_on<const N: usize>(&mut self, text: &str, names: [&str; N]) -> [Actor; N] {
        let mut actors = Vec::new();
        for name in names {
            actors.push(self.admitted(name).await);
        }
        let start = Start { epoch: 1, tick: 0, at_ms: BEGIN };
        let accord = Accord::new(text, start).unwrap();
        let proposal = actors[0].propose(text, start);
        self.accepted(&mut actors[0], proposal, BEGIN).await;
        for actor in &mut actors {
            let signature = actor.sign_accord(&accord.hash());
            self.accepted(actor, signature, BEGIN).await;
            actor.accord = accord.hash();
        }
        self.accord = accord.hash();
        actors.try_into().ok().unwrap()
    }

    /// Sends what must be accepted; its entry.
    pub async fn accepted(&self, actor: &mut Actor, posted: Posted, now_ms: u64) -> u64 {
        let outcomes = self.broker.accept(&actor.name, vec![posted.clone()], now_ms).await.unwrap();
        assert_eq!(outcomes.refused, None);
        actor.advance(&posted);
        outcomes.entries[0]
    }

    /// Sends what must be refused under `code`, and checks that nothing changed.
    #[track_caller]
    pub fn refused<'a>(
        &'a self,
        actor: &'a Actor,
        posted: Posted,
        now_ms: u64,
        code: &'static str,
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let before = self.traces().await;
            let outcomes = self.broker.accept(&actor.name, vec![posted], now_ms).await.unwrap();
            let refused = outcomes.refused.unwrap_or_else(|| panic!("accepted instead of {code}, at {caller}"));
            assert_eq!(refused.code, code, "at {caller}: {}", refused.detail);
            let after = self.traces().await;
            assert!(before == after, "a refusal changed something, at {caller}");
            assert!(self.broker.metrics().refusals(code) > 0);
        }
    }

    /// What must be the same after a refusal: the log, who sent and got how much, and how many cases there are.
    async fn traces(&self) -> (u64, Vec<server::membership::Unit>, u64) {
        let cases = self.broker.status(BEGIN).await.unwrap().cases;
        (self.broker.log_size().await.unwrap(), self.broker.units().await.unwrap(), cases)
    }

    /// The whole mailbox of a unit.
    pub async fn mail(&self, of: &Actor) -> Vec<Delivered> {
        let (mut items, mut after) = (Vec::new(), 0);
        loop {
            let delivery = self.broker.fetch(&of.name, after, 256).await.unwrap();
            let Some(last) = delivery.items.last() else { return items };
            after = last.position;
            items.extend(delivery.items);
        }
    }

    /// All envelopes of one kind in a mailbox, verified, with their bodies.
    pub async fn received(&self, of: &Actor, kind: Kind, sender: &Bytes<32>) -> Vec<(Envelope, Body)> {
        let mut found = Vec::new();
        for item in self.mail(of).await {
            let unverified = UnverifiedEnvelope::decode(&item.envelope).unwrap();
            let Ok(envelope) = unverified.verify(self.broker.federation(), sender) else { continue };
            if envelope.header().kind != kind {
                continue;
            }
            let rows = match item.rows {
                Some(rows) => rows,
                None => {
                    let rows_len = envelope.header().body_len - item.head.len() as u64;
                    let mut rows = Vec::new();
                    for index in 0..protocol::body::frame_count(rows_len) {
                        rows.extend(self.broker.frames(&of.name, &envelope.hash(), index, 1).await.unwrap().unwrap());
                    }
                    rows
                }
            };
            let body = Body { head: item.head, rows };
            envelope.check_body(&body).unwrap();
            found.push((envelope, body));
        }
        found
    }

    /// Stages the rows of a posted envelope in frames.
    pub async fn stage(&self, actor: &Actor, posted: &mut Posted, now_ms: u64) {
        let rows = posted.rows.take().unwrap();
        let root = Body { head: posted.head.clone(), rows: rows.clone() }.root();
        for (index, frame) in rows.chunks(protocol::body::FRAME).enumerate() {
            let len = rows.len() as u64;
            self.broker.stage(&actor.name, &root, len, index as u64, frame, now_ms).await.unwrap().unwrap();
        }
    }
}

impl Actor {
    /// The header of this unit's next envelope, in epoch 1 at `tick`.
    pub fn header(&self, kind: Kind, receiver: Party, tick: u64) -> Header {
        Header {
            version: label::VERSION,
            federation: self.federation,
            accord: self.accord,
            epoch: 1,
            tick,
            sender: Party::Unit(self.name.clone()),
            receiver,
            role: Role::Agent,
            sequence: self.sequence + 1,
            previous: self.previous,
            kind,
            expires: 0,
            log_size: 0,
            log_root: Hash::ZERO,
            body_len: 0,
            body_root: Hash::ZERO,
        }
    }

    pub fn seal(&self, header: Header, head: Vec<u8>, rows: Vec<u8>) -> Posted {
        let body = Body { head, rows };
        let envelope = seal_envelope(header, &body, &self.keys.signing);
        Posted { envelope: envelope.as_bytes().to_vec(), head: body.head, rows: Some(body.rows) }
    }

    pub fn say<H: Head>(&self, receiver: Party, tick: u64, head: &H, rows: Vec<u8>) -> Posted {
        self.seal(self.header(H::KIND, receiver, tick), head.to_bytes(), rows)
    }

    /// An envelope that belongs to no epoch.
    pub fn proclaim<H: Head>(&self, head: &H, rows: Vec<u8>) -> Posted {
        let header = Header { epoch: 0, accord: Hash::ZERO, ..self.header(H::KIND, Party::All, 0) };
        self.seal(header, head.to_bytes(), rows)
    }

    pub fn propose(&self, text: &str, start: Start) -> Posted {
        self.proclaim(&AccordProposal { start }, text.as_bytes().to_vec())
    }

    pub fn sign_accord(&self, accord: &Hash) -> Posted {
        self.proclaim(&AccordSignature { accord: *accord }, vec![])
    }

    /// The unit goes on after an envelope that was accepted.
    pub fn advance(&mut self, posted: &Posted) {
        let unverified = UnverifiedEnvelope::decode(&posted.envelope).unwrap();
        let envelope = unverified.verify(&self.federation, &self.keys.signing.public()).unwrap();
        self.sequence = envelope.header().sequence;
        self.previous = envelope.hash();
    }

    pub fn tag_set(&self, peer: &str, tick: u64, size: Size, adds: &[Leaf], removals: &[Tag]) -> Posted {
        let (mut adds, mut removals) = (adds.to_vec(), removals.to_vec());
        let key = Bytes([9; 32]);
        let rows = tagset::rows(&key, &mut adds, &mut removals);
        let root = tagset::root(adds.iter(), &key);
        let (count, gone) = (adds.len() as u32, removals.len() as u32);
        let head = TagSet { peer: name(peer), size, adds: count, removals: gone, root };
        self.say(Party::Broker, tick, &head, rows)
    }
}

/// Leaves with random tags.
pub fn leaves(seed: u64, count: usize) -> Vec<Leaf> {
    let mut rng = rng(seed);
    (0..count).map(|_| Leaf::random(&mut rng)).collect()
}

/// The same tags with other confirmations: what the peer would send.
pub fn met(leaves: &[Leaf], seed: u64) -> Vec<Leaf> {
    let mut rng = rng(seed);
    leaves.iter().map(|leaf| Leaf { confirmation: Leaf::random(&mut rng).confirmation, ..*leaf }).collect()
}
