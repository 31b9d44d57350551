//! A whole federation in one thread: real agents, a mock clock, seeded randomness, and a post office that does what
//! the broker does, in memory, with the second matcher ([`protocol::compare`]).
//!
//! A simulation is a list of operations on [`Federation`]; faults are operations too (a restart, a lost answer, a
//! tampered envelope). *Not* the broker: that one is tested over sockets, and compared with this one.

mod referee;

use client::agent::holdings::{HeldRecord, HeldToken, Worth};
use client::agent::{Agent, Event, Incoming, NotTaken, Outgoing, kept_body, part_name, read_outgoing, restore};
use client::vault::Change;
use protocol::acknowledgement::{sealed_len, slot_count};
use protocol::act::Act;
use protocol::body::{Body, part_hash};
use protocol::calendar::OpenEpoch;
use protocol::case::Case;
use protocol::compare::{Comparison, Cut, Match, Side, digest};
use protocol::envelope::{Envelope, Header, Kind, Role, UnverifiedEnvelope, seal_envelope};
use protocol::identity::{PublicKeys, SigningKey, UnitKeys, federation_id};
use protocol::manual::Manual;
use protocol::message::{self, Head};
use protocol::name::{Pair, Party, UnitName};
use protocol::officer::{OfficerEntry, Officers};
use protocol::overlap::Handle;
use protocol::roster::join_entry;
use protocol::tagset::Reader;
use protocol::{Bytes, Hash, label};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use zeroize::Zeroizing;

/// The name of every simulated federation.
pub const NAME: &str = "simulated";
/// Version of the normalisation that simulated units have.
pub const VERSION: u32 = 1;

/// An accord for simulations: short ticks, small sizes.
pub const ACCORD: &str = r#"
title = "Simulation"
[ticks]
tick_ms = 1000
epoch_ticks = 60
grace_ticks = 10
[requests]
opening_max = 4096
bulk_max = 4096
small = 8
every = 2
[tag_sets]
small = 8
delay = 2
[acknowledgements]
slots = 8
patience_ticks = 20
[canaries]
count = 4
window_ticks = 8
[identifiers]
version = 1
"#;

/// One envelope in a mailbox.
#[derive(Clone)]
pub struct Letter {
    /// The index of its entry.
    pub entry: u64,
    /// The signed envelope.
    pub envelope: Vec<u8>,
    /// Its body.
    pub body: Body,
    /// The hashes of the frames of its rows, if these were destroyed.
    pub frames: Vec<Hash>,
}

/// One simulated unit: its agent, and what its vault holds.
pub struct Unit {
    /// The agent.
    pub agent: Agent,
    /// The vault: everything that was made durable.
    pub vault: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Its register: serial, tokens.
    pub records: BTreeMap<u64, Vec<String>>,
    /// What officers were told.
    pub events: Vec<Event>,
    /// What was not taken in.
    pub not_taken: Vec<NotTaken>,
    secret: (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>),
    mailbox: Vec<Letter>,
    outgoing: Vec<Outgoing>,
    sequence: u64,
}

/// A hook that may change or drop what a sender hands in: `None` drops it.
pub type Tamper = Box<dyn FnMut(&UnitName, &SigningKey, Outgoing) -> Option<Outgoing>>;

struct PairState {
    comparison: Comparison,
    sets: [Vec<Hash>; 2],
    notices: HashMap<Hash, usize>,
    held: HashMap<Hash, (UnitName, Letter)>,
    tick: u64,
}

/// The federation.
pub struct Federation {
    /// Now, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The units.
    pub units: BTreeMap<UnitName, Unit>,
    /// Randomness of everything.
    pub rng: ChaCha20Rng,
    /// What happens to envelopes on their way in.
    pub tamper: Option<Tamper>,
    /// Units that are too busy for their agents: nothing is made, sent or taken in, and time passes.
    pub busy: BTreeSet<UnitName>,
    /// The broker leaves the next sets of this unit, so many, out of what it says that it compared.
    pub left_out: Option<(UnitName, usize)>,
    /// Drops this share of matches, in percent: a broker that lies by silence.
    pub drop_matches: u64,
    /// The broker lets every act pass: what units refuse by themselves.
    pub lenient: bool,
    /// The referee's cases.
    pub cases: BTreeMap<Handle, Case>,
    officers: Officers,
    keys: BTreeMap<UnitName, PublicKeys>,
    manual: Option<Manual>,
    /// Envelopes that went through, by kind, with the bytes of their bodies.
    pub seen: Vec<(UnitName, Header, Body)>,
    broker: SigningKey,
    federation: Hash,
    entries: u64,
    sequence: u64,
    previous: Hash,
    pairs: BTreeMap<(Pair, u32), PairState>,
    accord: Hash,
    slots: usize,
    to_all: Vec<Letter>,
    late: Vec<(UnitName, Letter)>,
}

impl Federation {
    /// A federation of `names`, all admitted, all verified, with [`ACCORD`] signed by all.
    pub fn founded(names: &[&str], seed: u64) -> Federation {
        let mut f = Self::joined(names, seed);
        f.verify_all();
        f.agree(ACCORD);
        f
    }

    /// A federation of `names`, all admitted, nobody verified, without an accord.
    pub fn joined(names: &[&str], seed: u64) -> Federation {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let broker = SigningKey::generate(&mut rng);
        let federation = federation_id(NAME, &broker.public());
        let mut f = Federation {
            now_ms: 1_000_000,
            units: BTreeMap::new(),
            rng,
            tamper: None,
            busy: BTreeSet::new(),
            left_out: None,
            drop_matches: 0,
            lenient: false,
            cases: BTreeMap::new(),
            officers: Officers::default(),
            keys: BTreeMap::new(),
            manual: None,
            seen: Vec::new(),
            broker,
            federation,
            entries: 0,
            sequence: 0,
            previous: Bytes::ZERO,
            pairs: BTreeMap::new(),
            accord: Bytes::ZERO,
            slots: 8,
            to_all: Vec::new(),
            late: Vec::new(),
        };
        for name in names {
            f.join(name);
        }
        f
    }

    /// One more unit joins.
    pub fn join(&mut self, name: &str) {
        let name: UnitName = name.parse().expect("a name");
        let keys = UnitKeys::generate(&mut self.rng);
        let entry = join_entry(&self.federation, name.clone(), format!("Unit {name}"), &keys);
        let secret = (keys.signing.expose_secret(), keys.sealing.expose_secret());
        let agent = Agent::new(name.clone(), keys, NAME, self.broker.public(), VERSION).expect("an agent");
        let unit = Unit {
            agent,
            vault: BTreeMap::new(),
            records: BTreeMap::new(),
            events: Vec::new(),
            not_taken: Vec::new(),
            secret,
            mailbox: self.to_all.clone(),
            outgoing: Vec::new(),
            sequence: 0,
        };
        self.units.insert(name, unit);
        self.roster(entry);
        self.pump();
    }

    /// The broker states a roster entry; none of the officers of replaced keys signs any more.
    pub fn roster(&mut self, entry: message::RosterEntry) {
        let before = self.keys.insert(entry.unit.clone(), entry.keys.clone());
        if before.is_some_and(|keys| keys != entry.keys) {
            self.officers.rekeyed(&entry.unit);
        }
        self.say(Party::All, Kind::Roster, None, 0, Body::head_only(entry.to_bytes()));
    }

    /// The entry of a unit as it signed it itself.
    pub fn entry_of(&mut self, name: &str) -> message::RosterEntry {
        let (federation, unit) = (self.federation, self.unit(name));
        let keys = UnitKeys {
            signing: SigningKey::from_secret(&unit.secret.0),
            sealing: protocol::seal::SealingKey::from_secret(&unit.secret.1).expect("a key"),
        };
        join_entry(&federation, name.parse().expect("a name"), format!("Unit {name}"), &keys)
    }

    /// The federation's identity.
    pub fn id(&self) -> Hash {
        self.federation
    }

    /// Officers of all units verify each other.
    pub fn verify_all(&mut self) {
        let names: Vec<UnitName> = self.units.keys().cloned().collect();
        for unit in self.units.values_mut() {
            for peer in &names {
                if *peer != unit.agent.view().unit {
                    unit.agent.mark_verified(peer).expect("on the roster");
                }
            }
        }
        self.pump();
    }

    /// The first unit proposes a text, all others sign.
    pub fn agree(&mut self, text: &str) -> Hash {
        let (now, first) = (self.now_ms, self.units.keys().next().expect("a unit").clone());
        let hash = self.unit(first.as_str()).agent.propose(text, now).expect("an accord");
        self.pump();
        let names: Vec<UnitName> = self.units.keys().cloned().collect();
        for name in names.iter().skip(1) {
            self.unit(name.as_str()).agent.sign_accord(&hash, now).expect("a proposal");
        }
        self.pump();
        self.accord = hash;
        let table: toml::Table = toml::from_str(text).expect("a table");
        self.manual = table.get("manual").and_then(|manual| Manual::read(manual.as_table()?).ok());
        hash
    }

    /// One unit.
    pub fn unit(&mut self, name: &str) -> &mut Unit {
        self.units.get_mut(&name.parse::<UnitName>().expect("a name")).expect("a unit")
    }

    /// A unit's register gets a record.
    pub fn record(&mut self, name: &str, serial: u64, tokens: &[&str]) {
        let (now, mut rng) = (self.now_ms, self.fork());
        let unit = self.unit(name);
        let tokens: Vec<String> = tokens.iter().map(|t| (*t).to_owned()).collect();
        unit.agent.register(vec![held(serial, &tokens)], &[], now, &mut rng);
        unit.records.insert(serial, tokens);
    }

    /// A record leaves a unit's register.
    pub fn drop_record(&mut self, name: &str, serial: u64) {
        let (now, mut rng) = (self.now_ms, self.fork());
        let unit = self.unit(name);
        unit.records.remove(&serial);
        unit.agent.register(Vec::new(), &[serial], now, &mut rng);
    }

    /// A unit is killed and starts again from its vault; what it had not made durable is lost.
    pub fn restart(&mut self, name: &str) {
        let (broker, mut rng) = (self.broker.public(), self.fork());
        let unit = self.unit(name);
        let keys = UnitKeys {
            signing: SigningKey::from_secret(&unit.secret.0),
            sealing: protocol::seal::SealingKey::from_secret(&unit.secret.1).expect("a key"),
        };
        let me: UnitName = name.parse().expect("a name");
        let mut agent = Agent::new(me, keys, NAME, broker, VERSION).expect("an agent");
        let mut values: BTreeMap<String, restore::Values> = BTreeMap::new();
        for (key, value) in &unit.vault {
            let namespace = key.rsplit_once('/').expect("a namespace").0;
            values.entry(namespace.to_owned()).or_default().push((key.clone(), value.clone()));
        }
        let records = unit.records.iter().map(|(serial, tokens)| held(*serial, tokens)).collect();
        agent.restore(values, records, &mut rng).expect("a sound vault");
        let (federation, own) = agent.signing_context();
        unit.outgoing = agent
            .unsent()
            .iter()
            .map(|n| {
                let posted = &unit.vault[&format!("posted/{n}")];
                let names = kept_body(*n, posted).expect("an outbox");
                let body: Vec<_> = names.iter().map(|name| unit.vault[name].clone()).collect();
                read_outgoing(&federation, &own, posted, &body).expect("an outbox")
            })
            .collect();
        unit.agent = agent;
    }

    /// A unit starts again from an older vault, as from a backup, and learns so from the broker (R35).
    pub fn restore_from(&mut self, name: &str, vault: BTreeMap<String, Zeroizing<Vec<u8>>>) {
        self.unit(name).vault = vault;
        self.restart(name);
        let now = self.now_ms;
        let unit = self.unit(name);
        let sequence = unit.sequence;
        assert!(unit.agent.reconcile(sequence, Bytes::ZERO, now), "an older vault");
        unit.outgoing.clear();
    }

    /// The broker has destroyed the matter of every act, as when its case has ended.
    pub fn destroy_matter(&mut self) {
        for letter in self.units.values_mut().flat_map(|unit| &mut unit.mailbox) {
            if Act::from_bytes(&letter.body.head).is_ok() && !letter.body.rows.is_empty() {
                letter.frames = letter.body.frames().map(part_hash).collect();
                letter.body.rows.clear();
            }
        }
    }

    /// Lets `ticks` ticks pass, everything being delivered in each.
    pub fn run(&mut self, ticks: u64) {
        for _ in 0..ticks {
            self.now_ms += 1000;
            let (now, names) = (self.now_ms, self.units.keys().cloned().collect::<Vec<_>>());
            for name in names {
                if self.busy.contains(&name) {
                    continue;
                }
                let mut rng = self.fork();
                let unit = self.unit(name.as_str());
                while unit.agent.advance(now, &mut rng) {
                    unit.commit();
                }
            }
            self.pump();
            self.cut();
            self.expire();
            self.pump();
        }
    }

    /// Lets time pass at once: the limits of cases are long.
    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.expire();
        self.pump();
        self.run(1);
    }

    /// Runs until every unit is settled; the ticks it took, or `None` after `most`.
    pub fn settle(&mut self, most: u64) -> Option<u64> {
        (1..=most).find(|_| {
            self.run(1);
            self.units.values().all(|unit| unit.agent.is_settled())
        })
    }

    /// All overlaps of `name` with `peer`, as (own serial, peer's serial), the latter found by its record number.
    pub fn overlaps(&self, name: &str, peer: &str) -> Vec<(u64, u64)> {
        let (name, peer): (UnitName, UnitName) = (name.parse().expect("a name"), peer.parse().expect("a name"));
        let (unit, other) = (&self.units[&name], &self.units[&peer]);
        let mut out: Vec<(u64, u64)> = unit
            .agent
            .overlaps()
            .filter(|(with, _)| **with == peer)
            .map(|(_, overlap)| {
                let number = |serial: &u64| other.agent.own_number(&name, *serial) == Some(overlap.peer_record.0);
                (overlap.record, other.records.keys().copied().find(number).unwrap_or(u64::MAX))
            })
            .collect();
        out.sort_unstable();
        out
    }

    fn fork(&mut self) -> ChaCha20Rng {
        ChaCha20Rng::from_rng(&mut self.rng)
    }

    /// Makes durable what lies on a unit's desk, and sends nothing.
    pub fn commit(&mut self, name: &str) {
        self.unit(name).commit();
    }

    /// Makes durable, sends, delivers and answers until nothing moves.
    pub fn pump(&mut self) {
        let names: Vec<UnitName> = self.units.keys().cloned().collect();
        loop {
            let mut moved = false;
            for name in &names {
                moved |= self.pump_one(name);
            }
            if !moved {
                return;
            }
        }
    }

    fn pump_one(&mut self, name: &UnitName) -> bool {
        if self.busy.contains(name) {
            return false;
        }
        let (now, mut rng) = (self.now_ms, self.fork());
        let unit = self.unit(name.as_str());
        unit.commit();
        while unit.agent.go_on(now, &mut rng) {
            unit.commit();
        }
        let mut outgoing = std::mem::take(&mut unit.outgoing);
        for long in outgoing.iter_mut().filter(|outgoing| outgoing.is_stored()) {
            let names = (0..long.frames()).map(|frame| part_name(long.envelope.header().sequence, frame));
            long.body.rows = names.flat_map(|name| unit.vault[&name].to_vec()).collect();
        }
        let key = SigningKey::from_secret(&unit.secret.0);
        let mut moved = !outgoing.is_empty();
        let mut outgoing: VecDeque<Outgoing> = outgoing.into();
        while let Some(sent) = outgoing.pop_front() {
            if let Some(code) = self.referee(&sent) {
                let unsent = std::iter::once(sent).chain(outgoing.drain(..)).collect();
                let unit = self.unit(name.as_str());
                unit.agent.rejected(code, unsent, now);
                unit.commit();
                break;
            }
            let untouched = sent.envelope.clone();
            let sent = match self.tamper.as_mut() {
                Some(tamper) => tamper(name, &key, sent),
                None => Some(sent),
            };
            let entry = sent.map_or(self.entries, |sent| self.post(name, sent));
            self.unit(name.as_str()).agent.accepted(untouched.header().sequence, &untouched, entry);
        }
        let unit = self.unit(name.as_str());
        for (peer, epoch, count, key) in unit.agent.due_answers() {
            let kept = unit.vault.get(&key).cloned();
            let answered = unit.agent.answer((&peer, epoch, count), kept.as_ref().map(|k| k.as_slice()), now, &mut rng);
            answered.expect("an answer");
            unit.commit();
            moved = true;
        }
        for part in unit.agent.due_parts() {
            let rows = unit.vault[&part.key()].to_vec();
            unit.agent.send_part(&part, rows, now).expect("a part that is due");
            unit.commit();
            moved = true;
        }
        while let Some(letter) = unit.mailbox.get(unit.agent.position() as usize).cloned() {
            let kept = unit.agent.needs(&letter.envelope, &letter.body).and_then(|key| unit.vault.get(&key).cloned());
            let incoming = Incoming {
                position: unit.agent.position() + 1,
                entry: letter.entry,
                envelope: &letter.envelope,
                body: &letter.body,
                frames: &letter.frames,
                kept: kept.as_ref().map(|k| k.as_slice()),
            };
            if let Err(error) = unit.agent.receive(&incoming, now, &mut rng) {
                unit.not_taken.push(error);
            }
            unit.commit();
            moved = true;
        }
        moved
    }

    /// The post office takes an envelope: what the broker does, without its checks of hostile senders.
    fn post(&mut self, from: &UnitName, sent: Outgoing) -> u64 {
        let entry = self.entries;
        self.entries += 1;
        let header = sent.envelope.header().clone();
        self.seen.push((from.clone(), header.clone(), sent.body.clone()));
        let letter = Letter { entry, envelope: sent.envelope.as_bytes().to_vec(), body: sent.body, frames: Vec::new() };
        let unit = self.unit(from.as_str());
        assert!(header.sequence > unit.sequence, "sequence numbers ascend");
        unit.sequence = header.sequence;
        match (&header.receiver, header.kind) {
            (Party::All, kind) => {
                if kind == Kind::Officer {
                    let entry = OfficerEntry::from_bytes(&letter.body.head).expect("an officer");
                    self.officers.apply(&self.federation, from, &entry).expect("a sound entry");
                }
                self.to_all.push(letter.clone());
                self.units.values_mut().for_each(|unit| unit.mailbox.push(letter.clone()));
            }
            (Party::Broker, Kind::TagSet) => self.tag_set(from, &header, &letter, sent.envelope.hash()),
            (Party::Unit(to), Kind::Acknowledgement) => self.hold(from, to, &header, letter),
            (Party::Unit(to), Kind::Act) => {
                self.refereed(&letter);
                self.unit(from.as_str()).mailbox.push(letter.clone());
                self.unit(to.as_str()).mailbox.push(letter);
            }
            (Party::Unit(to), _) => self.unit(to.as_str()).mailbox.push(letter),
            (Party::Broker, kind) => panic!("{kind:?} is not for the broker"),
        }
        entry
    }

    fn tag_set(&mut self, from: &UnitName, header: &Header, letter: &Letter, hash: Hash) {
        let head = message::TagSet::from_bytes(&letter.body.head).expect("a head");
        let pair = Pair::new(from, &head.peer).expect("a pair");
        let side = if from == pair.low() { Side::Low } else { Side::High };
        let mut reader = Reader::new(&head, letter.body.rows.len() as u64).expect("rows");
        let rows = reader.push(&letter.body.rows).expect("rows");
        reader.finish().expect("a root");
        let state = self.pairs.entry((pair, header.epoch)).or_insert_with(|| PairState {
            comparison: Comparison::default(),
            sets: [Vec::new(), Vec::new()],
            notices: HashMap::new(),
            held: HashMap::new(),
            tick: 0,
        });
        state.comparison.apply(side, &rows).expect("a sound set");
        state.sets[usize::from(side == Side::High)].push(hash);
        state.tick = header.tick;
    }

    fn hold(&mut self, from: &UnitName, to: &UnitName, header: &Header, letter: Letter) {
        let head = message::Acknowledgement::from_bytes(&letter.body.head).expect("a head");
        let key = (Pair::new(from, to).expect("a pair"), header.epoch);
        let slots = self.slots;
        let state = self.pairs.get_mut(&key).expect("a pair that was cut");
        let matches = *state.notices.get(&head.digest).expect("a known digest");
        assert_eq!(letter.body.rows.len(), sealed_len(slot_count(matches, slots)));
        match state.held.remove(&head.digest) {
            None => {
                state.held.insert(head.digest, (to.clone(), letter));
            }
            Some((first_to, first)) => {
                // As with the real broker, what the same sender said later can arrive earlier.
                self.late.extend([(first_to, first), (to.clone(), letter)]);
            }
        }
    }

    /// The end of a tick: matches and notices of every pair that sent something.
    fn cut(&mut self) {
        for (to, letter) in std::mem::take(&mut self.late) {
            self.unit(to.as_str()).mailbox.push(letter);
        }
        let keys: Vec<(Pair, u32)> = self.pairs.keys().cloned().collect();
        for (pair, epoch) in keys {
            let (position, federation, accord) = (self.entries, self.federation, self.accord);
            let dropped = self.drop_matches;
            let mut rng = self.fork();
            let state = self.pairs.get_mut(&(pair.clone(), epoch)).expect("a pair");
            let [mut low_sets, mut high_sets] = std::mem::take(&mut state.sets);
            if let Some((unit, left)) = &mut self.left_out {
                let sets = if unit == pair.low() { &mut low_sets } else { &mut high_sets };
                let gone = sets.len().min(*left);
                sets.drain(..gone);
                *left -= gone;
            }
            if low_sets.is_empty() && high_sets.is_empty() {
                continue;
            }
            let mut matches = state.comparison.cut();
            use rand_chacha::rand_core::Rng;
            matches.retain(|_| u64::from(rng.next_u32()) % 100 >= dropped);
            let tick = state.tick;
            let cut = Cut {
                federation: &federation,
                pair: &pair,
                epoch,
                tick,
                position,
                low_sets: &low_sets,
                high_sets: &high_sets,
            };
            let digest = digest(&cut, matches.iter());
            state.notices.insert(digest, matches.len());
            for (to, peer) in [(pair.low(), pair.high()), (pair.high(), pair.low())] {
                let confirmation = |m: &Match| if to == pair.low() { m.high } else { m.low };
                let rows = matches.iter().flat_map(|m| [m.tag.0, confirmation(m).0].concat()).collect();
                let head = message::Notice {
                    peer: peer.clone(),
                    position,
                    low_sets: low_sets.clone(),
                    high_sets: high_sets.clone(),
                    matches: matches.len() as u32,
                    digest,
                };
                let open = OpenEpoch { epoch, accord };
                let body = Body { head: head.to_bytes(), rows };
                self.say(Party::Unit(to.clone()), Kind::Notice, Some(open), tick, body);
            }
        }
    }

    /// The broker says something.
    pub fn say(&mut self, to: Party, kind: Kind, open: Option<OpenEpoch>, tick: u64, body: Body) {
        self.sequence += 1;
        let header = Header {
            version: label::VERSION,
            federation: self.federation,
            accord: open.map_or(Bytes::ZERO, |open| open.accord),
            epoch: open.map_or(0, |open| open.epoch),
            tick,
            sender: Party::Broker,
            receiver: to.clone(),
            role: Role::Broker,
            sequence: self.sequence,
            previous: self.previous,
            kind,
            expires: 0,
            log_size: 0,
            log_root: Bytes::ZERO,
            body_len: 0,
            body_root: Bytes::ZERO,
        };
        let envelope = seal_envelope(header, &body, &self.broker);
        self.previous = envelope.hash();
        let letter = Letter { entry: self.entries, envelope: envelope.as_bytes().to_vec(), body, frames: Vec::new() };
        self.entries += 1;
        match to {
            Party::All => {
                self.to_all.push(letter.clone());
                self.units.values_mut().for_each(|unit| unit.mailbox.push(letter.clone()));
            }
            Party::Unit(to) => self.unit(to.as_str()).mailbox.push(letter),
            Party::Broker => {}
        }
    }
}

impl Unit {
    /// Makes what lies on the agent's desk durable, and queues what is to be sent.
    pub fn commit(&mut self) {
        let step = self.agent.take();
        for change in step.changes {
            match change {
                Change::Put { key, value } => {
                    self.vault.insert(key, value);
                }
                Change::Delete { key } => {
                    self.vault.remove(&key);
                }
            }
        }
        self.outgoing.extend(step.outgoing);
        self.events.extend(step.events);
    }
}

fn held(serial: u64, tokens: &[String]) -> HeldRecord {
    let tokens = tokens
        .iter()
        .map(|t| HeldToken { bytes: Zeroizing::new(t.as_bytes().to_vec()), worth: Worth { kind: 1, tier: 1 } })
        .collect();
    HeldRecord { serial, kept_at: serial, restricted: false, tokens }
}

/// Signs an envelope again after its body was changed: what a dishonest sender does.
pub fn resigned(key: &SigningKey, sent: &Outgoing, body: Body) -> Outgoing {
    Outgoing {
        envelope: seal_envelope(sent.envelope.header().clone(), &body, key),
        rows_len: body.rows.len() as u64,
        body,
    }
}

/// Decodes and verifies, for looking at what was sent.
pub fn verified(bytes: &[u8], federation: &Hash, key: &Bytes<32>) -> Option<Envelope> {
    UnverifiedEnvelope::decode(bytes).ok()?.verify(federation, key).ok()
}
