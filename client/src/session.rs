//! A unit at work: drives the agent over the vault, the register and the broker.
//!
//! Callers: the commands, and the exercise. One round is: take in what changed in the register, let time pass, make it
//! durable, send, fetch, answer, witness. Every step of the agent is made durable before anything of it is sent (R25).
//! This is the one file where the register's tokens (package `identifier`) meet the agent (package `protocol`).
//!
//! *Not here:* any decision of the protocol.

mod acting;
mod handover;
mod sending;

pub use acting::{ConsentShown, Signatory};
pub use handover::{Draft, DraftContent, DraftItem, HandoverError};

use crate::agent::holdings::{HeldRecord, HeldToken, Worth};
use crate::agent::{Agent, Event, Incoming, NotTaken, Outgoing, Overlap, kept_body, read_outgoing, restore};
use crate::broker::{BrokerClient, BrokerError, Patience, Traffic};
use crate::membership::{Membership, MembershipError};
use crate::register::{FullRecord, Register, RegisterChange, RegisterError, StoredRecord, reference_hash};
use crate::vault::{Vault, VaultError};
use identifier::{Kind, Tier};
use protocol::message::{self, Head};
use protocol::name::UnitName;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Milliseconds since the Unix epoch: a parameter, so that tests can set it.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Why a unit cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The register says no.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The broker says no, or says nothing.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The unit is not let in.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// What the vault holds of the agent cannot be read.
    #[error(transparent)]
    Damaged(#[from] restore::Damaged),
    /// The log does not hold together: nothing more is exchanged (R27).
    #[error("the broker shows two histories of the log: nothing more is exchanged; tell the other units")]
    SplitView,
    /// The broker refuses an envelope that can be sent again later as it is.
    #[error("the broker does not take envelopes now: {detail} ({code})")]
    NotNow {
        /// The stable name of the refusal.
        code: String,
        /// For people.
        detail: String,
    },
}

/// Time spent on each kind of work, in seconds of the wall clock.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Timings {
    /// Making requests, tag sets and everything else that time brings.
    pub blind: f64,
    /// Multiplying the points of peers.
    pub evaluate: f64,
    /// Checking answers and unblinding them.
    pub unblind: f64,
    /// Notices and acknowledgements.
    pub confirm: f64,
}

/// What one round did.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Round {
    /// Envelopes that the broker accepted.
    pub sent: u64,
    /// Envelopes taken from the mailbox.
    pub received: u64,
    /// Requests answered.
    pub answered: u64,
}

impl Round {
    /// Whether nothing moved.
    pub fn is_idle(&self) -> bool {
        *self == Round::default()
    }
}

/// A unit at work.
pub struct Session {
    vault: Vault,
    register: Register,
    agent: Agent,
    client: Option<BrokerClient>,
    clock: Clock,
    rng: rand_core::UnwrapErr<getrandom::SysRng>,
    serial: u64,
    queue: VecDeque<Outgoing>,
    events: Vec<Event>,
    not_taken: BTreeMap<&'static str, u64>,
    timings: Timings,
    reconciled: bool,
}

impl Session {
    /// Opens a unit from its vault, without touching the network.
    pub async fn open(vault: Vault, clock: Clock) -> Result<Session, SessionError> {
        let mut agent = Membership::load(&vault).await?.into_agent()?;
        let register = Register::new(vault.clone());
        let mut serial = 0;
        loop {
            let change = register.load_some_after(serial, PAGE).await?;
            let (more, last) = (change.more, change.last);
            let (added, removed) = follow(&agent, change);
            agent.hold(added, &removed);
            serial = last;
            if !more {
                break;
            }
        }
        let mut values = BTreeMap::new();
        for namespace in restore::FIRST {
            values.insert((*namespace).to_owned(), vault.list(&format!("{namespace}/")).await?);
        }
        agent.restore_first(values)?;
        for namespace in agent.further() {
            agent.restore_more(&namespace, vault.list(&format!("{namespace}/")).await?)?;
        }
        agent.restored(&mut randomness());
        let mut queue = VecDeque::new();
        let (federation, own) = agent.signing_context();
        for sequence in agent.unsent() {
            let damaged = || restore::Damaged(format!("posted/{sequence}"));
            let posted = vault.get(&format!("posted/{sequence}")).await?.ok_or_else(damaged)?;
            let names = kept_body(sequence, &posted).ok_or_else(damaged)?;
            let body: Option<Vec<_>> = vault.get_many(&names).await?.into_iter().collect();
            let outgoing = body.and_then(|body| read_outgoing(&federation, &own, &posted, &body));
            queue.push_back(outgoing.ok_or_else(damaged)?);
        }
        Ok(Session {
            vault,
            register,
            agent,
            client: None,
            clock,
            rng: rand_core::UnwrapErr(getrandom::SysRng),
            serial,
            queue,
            events: Vec::new(),
            not_taken: BTreeMap::new(),
            timings: Timings::default(),
            reconciled: false,
        })
    }

    /// Connects to the broker; fetches the certificate first, if the operator has admitted the unit meanwhile.
    pub async fn connect(&mut self, patience: Patience) -> Result<(), SessionError> {
        let mut membership = Membership::load(&self.vault).await?;
        membership.complete(&self.vault, patience).await?;
        self.client = Some(membership.client(patience)?);
        self.reconciled = false;
        Ok(())
    }

    /// The agent, to look at.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The register.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// How far the register is taken in: the last serial.
    pub fn register_serial(&self) -> u64 {
        self.serial
    }

    /// The record that an overlap of the agent's is about, if it is still in the register.
    pub async fn record_of(&self, overlap: &Overlap) -> Result<Option<FullRecord>, SessionError> {
        match self.agent.kept_at(overlap.record) {
            Some(serial) => Ok(self.register.get(serial).await?),
            None => Ok(None),
        }
    }

    /// The unit's own references of the records that overlaps are about, in their order; empty for one that is gone.
    pub async fn references_of(&self, overlaps: &[(UnitName, Overlap)]) -> Result<Vec<String>, SessionError> {
        let kept_at = |(_, overlap): &(UnitName, Overlap)| self.agent.kept_at(overlap.record).unwrap_or(0);
        let serials: Vec<u64> = overlaps.iter().map(kept_at).collect();
        let found = self.register.references(&serials).await?;
        Ok(found.into_iter().map(|found| found.map(|reference| reference.to_string()).unwrap_or_default()).collect())
    }

    /// The agent's name of a record, by its reference.
    pub fn name_of(&self, reference: &str) -> Option<u64> {
        Some(name_of(reference)).filter(|name| self.agent.kept_at(*name).is_some())
    }

    /// Lets officers act: what the agent leaves is made durable, and sent with the next round.
    pub async fn act<T>(&mut self, act: impl FnOnce(&mut Agent, u64) -> T) -> Result<T, SessionError> {
        let now = (self.clock)();
        let result = act(&mut self.agent, now);
        self.commit().await?;
        Ok(result)
    }

    /// What officers should know, since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Envelopes that were not taken in, by the stable name of the reason (R34).
    pub fn not_taken(&self) -> &BTreeMap<&'static str, u64> {
        &self.not_taken
    }

    /// Time spent so far.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// Bytes sent and received so far.
    pub fn traffic(&self) -> Traffic {
        self.client.as_ref().map(BrokerClient::traffic).unwrap_or_default()
    }

    /// Milliseconds until the next tick; a second before the first accord.
    pub fn until_next_tick(&self) -> Duration {
        let now = (self.clock)();
        let next = self.agent.next_tick_ms(now).unwrap_or(now + 1000);
        Duration::from_millis(next.saturating_sub(now).max(1))
    }

    /// One round, waiting for the mailbox at most `wait`.
    pub async fn round(&mut self, wait: Duration) -> Result<Round, SessionError> {
        if self.agent.saw_split_view() {
            return Err(SessionError::SplitView);
        }
        self.reconcile().await?;
        self.take_in_register().await?;
        self.go_on().await?;
        let mut round = Round::default();
        loop {
            let now = (self.clock)();
            let began = Instant::now();
            let more = tokio::task::block_in_place(|| self.agent.advance(now, &mut randomness()));
            self.timings.blind += began.elapsed().as_secs_f64();
            self.commit().await?;
            round.sent += self.send().await?;
            // One request after the other: none waits in memory until the last is made.
            if !more {
                break;
            }
        }
        round.answered = self.answer().await?;
        let idle = round.is_idle();
        round.received = self.fetch(if idle { wait } else { Duration::ZERO }).await?;
        round.answered += self.answer().await?;
        round.sent += self.send().await?;
        round.sent += self.send_parts().await?;
        self.sweep().await?;
        self.witness().await?;
        Ok(round)
    }

    /// Rounds until nothing moves any more: all that is due now.
    pub async fn sync(&mut self) -> Result<Round, SessionError> {
        let mut total = Round::default();
        loop {
            let round = self.round(Duration::ZERO).await?;
            if round.is_idle() {
                return Ok(total);
            }
            total.sent += round.sent;
            total.received += round.received;
            total.answered += round.answered;
        }
    }

    /// The first thing of a connection: does the broker know more of us than our own vault does (R35)?
    async fn reconcile(&mut self) -> Result<(), SessionError> {
        if std::mem::replace(&mut self.reconciled, true) {
            return Ok(());
        }
        let state = match self.broker()?.state().await {
            Ok(state) => state,
            Err(error) => {
                self.reconciled = false;
                return Err(error.into());
            }
        };
        let now = (self.clock)();
        if self.agent.reconcile(state.sequence, state.previous, now) {
            self.queue.clear();
        }
        self.commit().await
    }

    /// What imports changed since the last round. Costs what changed, not what is stored.
    async fn take_in_register(&mut self) -> Result<(), SessionError> {
        loop {
            let change = self.register.load_some_after(self.serial, PAGE).await?;
            if change.last == self.serial {
                return Ok(());
            }
            self.serial = change.last;
            let (added, removed) = follow(&self.agent, change);
            let now = (self.clock)();
            self.agent.register(added, &removed, now, &mut randomness());
            self.commit().await?;
        }
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        let step = self.agent.take();
        self.vault.apply(&step.changes).await?;
        if step.events.iter().any(|event| matches!(event, Event::ContentDestroyed(..))) {
            // What was recalled does not lie on in the write-ahead log either (R32).
            self.vault.scrub().await?;
        }
        self.queue.extend(step.outgoing);
        self.events.extend(step.events);
        Ok(())
    }

    /// Answers the requests whose count is in the log.
    async fn answer(&mut self) -> Result<u64, SessionError> {
        let mut answered = 0;
        for (peer, epoch, count, key) in self.agent.due_answers() {
            let kept = self.vault.get(&key).await?;
            let now = (self.clock)();
            let began = Instant::now();
            let result = tokio::task::block_in_place(|| {
                let kept = kept.as_ref().map(|kept| kept.as_slice());
                self.agent.answer((&peer, epoch, count), kept, now, &mut randomness())
            });
            self.timings.evaluate += began.elapsed().as_secs_f64();
            if let Err(error) = result {
                self.count(error);
            }
            self.commit().await?;
            self.send().await?;
            answered += 1;
        }
        Ok(answered)
    }

    /// Takes in what lies in the mailbox.
    async fn fetch(&mut self, wait: Duration) -> Result<u64, SessionError> {
        let received = self.broker()?.fetch(self.agent.position(), wait).await?;
        let mut count = 0;
        for mut item in received {
            let kept = match self.agent.needs(&item.envelope, &item.body) {
                Some(key) => self.vault.get(&key).await?,
                None => None,
            };
            let incoming = Incoming {
                position: item.position,
                entry: item.entry,
                envelope: &item.envelope,
                body: &item.body,
                frames: &item.frames,
                kept: kept.as_ref().map(|kept| kept.as_slice()),
            };
            let now = (self.clock)();
            let began = Instant::now();
            let result = tokio::task::block_in_place(|| self.agent.receive(&incoming, now, &mut randomness()));
            let spent = began.elapsed().as_secs_f64();
            match message::Evaluation::from_bytes(&item.body.head) {
                Ok(_) => self.timings.unblind += spent,
                Err(_) => self.timings.confirm += spent,
            }
            if let Err(error) = result {
                self.count(error);
            }
            count += 1;
            // Large steps at once, small ones together: the vault's commit is the slowest part of a small one.
            let is_large = item.body.rows.len() >= protocol::body::FRAME;
            item.body.rows = Vec::new();
            if is_large {
                self.commit().await?;
                self.go_on().await?;
            }
        }
        self.commit().await?;
        self.go_on().await?;
        Ok(count)
    }

    /// Does what a large message left to be done, part by part.
    async fn go_on(&mut self) -> Result<(), SessionError> {
        loop {
            let began = Instant::now();
            let now = (self.clock)();
            let went_on = tokio::task::block_in_place(|| self.agent.go_on(now, &mut randomness()));
            self.timings.confirm += began.elapsed().as_secs_f64();
            if !went_on {
                return Ok(());
            }
            self.commit().await?;
        }
    }

    /// Checks the newest checkpoint and cosigns it (R27).
    async fn witness(&mut self) -> Result<(), SessionError> {
        let client = self.client.as_ref().ok_or(MembershipError::NotJoined)?;
        let note = match client.checkpoint().await {
            Ok(note) => note,
            // Before the first checkpoint there is none.
            Err(BrokerError::Refused { status: 404, .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let claim = match self.agent.examine(&note) {
            Ok(Some(claim)) => claim,
            Ok(None) => return Ok(()),
            Err(_) => return Err(BrokerError::Malformed("checkpoint").into()),
        };
        let consistency = match claim.from {
            from if from > 0 && from < claim.to => Some(consistency(client, from, claim.to).await?),
            _ => None,
        };
        let mut inclusions = Vec::with_capacity(claim.entries.len());
        for proof in client.inclusion(claim.to, &claim.entries).await? {
            let bytes: Vec<u8> = proof.path.iter().flat_map(|hash| hash.0).collect();
            inclusions.push(tlog::InclusionProof::from_bytes(&bytes).map_err(|_| BrokerError::Malformed("proof"))?);
        }
        let mut claims = Vec::with_capacity(claim.claims.len());
        for size in &claim.claims {
            claims.push(match *size {
                size if size < claim.to => consistency_or_empty(client, size, claim.to).await,
                _ => tlog::ConsistencyProof::empty(),
            });
        }
        let now = (self.clock)();
        let witnessed = self.agent.witness(&claim, consistency, &inclusions, &claims, now);
        self.commit().await?;
        match witnessed {
            Ok(line) => Ok(self.broker()?.cosign(&line).await?),
            Err(_) => Err(SessionError::SplitView),
        }
    }

    fn broker(&self) -> Result<&BrokerClient, SessionError> {
        Ok(self.client.as_ref().ok_or(MembershipError::NotJoined)?)
    }

    fn count(&mut self, error: NotTaken) {
        tracing::warn!(code = error.code(), "an envelope was not taken in");
        *self.not_taken.entry(error.code()).or_default() += 1;
    }
}

async fn consistency(client: &BrokerClient, from: u64, to: u64) -> Result<tlog::ConsistencyProof, BrokerError> {
    let proof = client.consistency(from, to).await?;
    let bytes: Vec<u8> = proof.path.iter().flat_map(|hash| hash.0).collect();
    tlog::ConsistencyProof::from_bytes(&bytes).map_err(|_| BrokerError::Malformed("proof"))
}

/// A proof that the broker cannot give is no proof: the empty one does not verify.
async fn consistency_or_empty(client: &BrokerClient, from: u64, to: u64) -> tlog::ConsistencyProof {
    consistency(client, from, to).await.unwrap_or_else(|_| tlog::ConsistencyProof::empty())
}

/// Randomness for one call of the agent: a large one draws for each token, and a system call for each would cost more
/// than its arithmetic. Seeded anew every time, wiped afterwards.
fn randomness() -> chacha20::ChaCha20Rng {
    chacha20::ChaCha20Rng::from_rng(&mut rand_core::UnwrapErr(getrandom::SysRng))
}

/// Changes of the register taken in at a time.
const PAGE: usize = 16_384;

/// What a change of the register is to the agent: records that are new or edited, and names that are gone.
///
/// An edit gives a record a new serial in the register; to the agent, and to the peers, it stays the same record: it is
/// known by its reference.
fn follow(agent: &Agent, change: RegisterChange) -> (Vec<HeldRecord>, Vec<u64>) {
    let mut gone = agent.names_at(&change.removed);
    let mut held = Vec::with_capacity(change.added.len());
    for record in change.added {
        let name = name_of(&record.reference);
        if agent.kept_at(name).is_some() {
            gone.push(name);
        }
        held.push(to_agent(name, record));
    }
    (held, gone)
}

/// The agent's name of a record: the beginning of its reference's hash.
fn name_of(reference: &str) -> u64 {
    let hash = reference_hash(reference);
    hash[..8].iter().fold(0, |name, byte| name << 8 | u64::from(*byte))
}

/// A record of the register, as the agent holds it: here identifiers end and tokens begin.
fn to_agent(name: u64, record: StoredRecord) -> HeldRecord {
    let tokens = record
        .tokens
        .into_iter()
        .map(|token| HeldToken { worth: worth(token.kind, token.tier), bytes: token.bytes })
        .collect();
    HeldRecord { serial: name, kept_at: record.serial, restricted: record.restricted, tokens }
}

fn worth(kind: Kind, tier: Tier) -> Worth {
    let place = Kind::ALL.iter().position(|known| *known == kind).unwrap_or(usize::from(u16::MAX));
    let tier = match tier {
        Tier::A => 1,
        Tier::B => 2,
        Tier::C => 3,
    };
    Worth { kind: place as u16, tier }
}

/// The kind and tier that a [`Worth`] stands for.
pub fn kind_and_tier(worth: Worth) -> Option<(Kind, Tier)> {
    let kind = *Kind::ALL.get(usize::from(worth.kind))?;
    let tier = match worth.tier {
        1 => Tier::A,
        2 => Tier::B,
        3 => Tier::C,
        _ => return None,
    };
    Some((kind, tier))
}
