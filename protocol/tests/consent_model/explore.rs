//! Breadth-first exploration of all cases that a scenario's letters and bounds allow, on the real engine.
//!
//! States are merged when they cannot be told apart from now on. What is left out of a state's key, and why that is
//! honest:
//!
//! * round, act numbers, chain head: the engine compares them with the act's for equality and puts them nowhere else, so
//!   the explorer sets them back to zero (in the case's own bytes) and signs for zero. That earlier acts are refused is
//!   tried on the full, concrete log ([`Explorer::refold`]), which must also end in the very state that was merged.
//! * absolute time: the key holds what is left until the state's limit, each expiry and each urgent parcel's limit.
//!   Acts happen at once, or at the next moment at which any of these passes: nothing changes in between.
//! * a consent's random nonce, and signatures: their officers' numbers stay.

use crate::observer::Observer;
use crate::world::{Revoked, START_MS, World, bit};
use minicbor::{Decode, Encode};
use protocol::act::{Act, Content, Outcome, Statement, VerifiedAct};
use protocol::case::{Case, CaseRefused, Offer, carries};
use protocol::consent::{ConsentKind, Held, Parcel, ParcelHead, Terms, URGENT_VALIDATION_MS};
use protocol::manual::{Actor, Carries, Gate, Manual};
use protocol::name::UnitName;
use protocol::overlap::Handle;
use protocol::{Bytes, Hash, codec};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A consent that officers may give: what it is over, and for how long.
#[derive(Clone, Copy)]
pub struct Letter {
    pub unit: usize,
    pub kind: ConsentKind,
    pub package: u8,
    pub life_ms: u64,
}

/// What is explored.
pub struct Scenario {
    pub name: &'static str,
    pub manual: Manual,
    pub roles: [Vec<protocol::officer::OfficerRole>; 2],
    pub letters: Vec<Letter>,
    pub offers: Vec<(Outcome, Option<usize>)>,
    /// Acts before the exploration: unit, officer, event, content.
    pub prefix: Vec<(u8, u8, &'static str, What)>,
    /// Most moves after the prefix.
    pub depth: u32,
    /// Most moments of time, revocations, and consents of one letter.
    pub ticks: u8,
    pub revocations: u8,
    pub again: usize,
    /// Whether the manual was checked: then time alone ends every case, and leads to no disclosing state.
    pub checked: bool,
}

/// The content of an act, by places in the scenario and the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Nothing,
    Offer(u8),
    /// A new consent of this letter.
    New(u8),
    /// A signature under the consent at this place; 255: under none that exists.
    Again(u8),
    /// From the consent at this place, this package.
    Seal(u8, u8),
    Conditions(u8),
    Receipt(u8),
    Validation(u8),
    Recall,
    Deletion,
    Journal,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Act { unit: u8, officer: u8, event: u16, what: What },
    Time,
    Revoke(u8, u8),
}

/// A case and all that matters beside it.
#[derive(Clone)]
struct Node {
    case: Case,
    seen: Observer,
    now_ms: u64,
    revoked: Revoked,
    ticks: u8,
}

/// What was found.
#[derive(Default, Debug)]
pub struct Tally {
    pub states: usize,
    pub transitions: u64,
    pub attempts: u64,
    pub refolds: u64,
    pub opened: u64,
    pub complete: bool,
    pub accepted: BTreeMap<&'static str, u64>,
    pub refused: BTreeMap<&'static str, u64>,
    /// Steps of the manual that were taken, by place.
    pub steps: BTreeSet<usize>,
}

/// The case's own encoding, field by field: what the explorer may set back.
#[derive(Encode, Decode)]
#[cbor(array)]
struct View {
    #[n(0)]
    federation: Hash,
    #[n(1)]
    accord: Hash,
    #[n(2)]
    handle: Handle,
    #[n(3)]
    low: UnitName,
    #[n(4)]
    high: UnitName,
    #[n(5)]
    state: u16,
    #[n(6)]
    round: u32,
    #[n(7)]
    since_ms: u64,
    #[n(8)]
    last_ms: u64,
    #[n(9)]
    offer: Option<Offer>,
    #[n(10)]
    counters: u32,
    #[n(11)]
    done: Vec<(String, String)>,
    #[n(12)]
    numbers: (u32, u32),
    #[n(13)]
    ledger: (Vec<Held>, Vec<Parcel>),
    #[n(14)]
    head: Hash,
}

/// The package of a letter; 0: none.
pub fn package(letter: u8) -> Hash {
    if letter == 0 { Hash::ZERO } else { Bytes([letter; 32]) }
}

pub struct Explorer {
    scenario: Scenario,
    world: World,
    events: Vec<String>,
    packages: BTreeSet<u8>,
    /// Parent and move of every state, for telling how it was reached.
    log: Vec<(u32, Move)>,
    /// The key of every state.
    keys: Vec<u128>,
    prefix: Vec<Move>,
    pub tally: Tally,
}

impl Explorer {
    pub fn new(scenario: Scenario) -> Explorer {
        let events: BTreeSet<String> = scenario.manual.transitions().iter().map(|step| step.event.clone()).collect();
        let mut explorer = Explorer {
            world: World::new(scenario.roles.clone()),
            events: events.into_iter().collect(),
            packages: scenario.letters.iter().map(|letter| letter.package).filter(|p| *p > 0).collect(),
            log: Vec::new(),
            keys: Vec::new(),
            prefix: Vec::new(),
            tally: Tally { complete: true, ..Tally::default() },
            scenario,
        };
        let prefix = explorer.scenario.prefix.clone();
        for (unit, officer, event, what) in prefix {
            let event = explorer.event(event);
            explorer.prefix.push(Move::Act { unit, officer, event, what });
        }
        explorer
    }

    fn event(&self, name: &str) -> u16 {
        self.events.iter().position(|event| event == name).expect("an event of the manual") as u16
    }

    fn first(&self) -> Node {
        let world = &self.world;
        let case =
            Case::open(&self.scenario.manual, world.federation, world.accord, world.handle, &world.pair, START_MS);
        Node { case, seen: Observer::default(), now_ms: START_MS, revoked: 0, ticks: 0 }
    }

    /// Explores everything within the bounds, or up to `most` states.
    pub fn run(&mut self, most: usize, refolds: usize) {
        let mut root = self.first();
        for step in self.prefix.clone() {
            root = self.step(&root, step).unwrap_or_else(|| panic!("the prefix is refused at {step:?}"));
            root.case = set_back(&root.case);
        }
        let key = self.key(&root);
        let mut known = HashSet::from([key]);
        self.log.push((0, Move::Time));
        self.keys.push(key);
        let mut level = vec![(0u32, root)];
        for _ in 0..self.scenario.depth {
            let mut next_level = Vec::new();
            for (id, node) in std::mem::take(&mut level) {
                for step in self.moves(&node) {
                    self.tally.attempts += 1;
                    let Some(mut next) = self.step(&node, step) else { continue };
                    self.tally.transitions += 1;
                    next.case = set_back(&next.case);
                    if known.len() >= most {
                        self.tally.complete = false;
                        continue;
                    }
                    let key = self.key(&next);
                    if known.insert(key) {
                        let new = self.log.len() as u32;
                        self.log.push((id, step));
                        self.keys.push(key);
                        self.judge_state(&next, new);
                        next_level.push((new, next));
                    }
                }
                if id % 97 == 0 {
                    self.probe(&node, id);
                }
            }
            level = next_level;
            if level.is_empty() {
                break;
            }
        }
        self.tally.states = known.len();
        let every = (self.log.len() / refolds.max(1)).max(1);
        for at in (0..self.log.len()).rev().step_by(every) {
            self.refold(at as u32);
        }
    }

    // --- Moves -----------------------------------------------------------------------------------------------------

    fn moves(&mut self, node: &Node) -> Vec<Move> {
        let mut out = Vec::new();
        if node.ticks < self.scenario.ticks && self.next_moment(node).is_some() {
            out.push(Move::Time);
        }
        for unit in 0..2u8 {
            let name = self.world.units[usize::from(unit)].clone();
            let officers = self.world.roles[usize::from(unit)].len() as u8;
            if node.revoked.count_ones() < u32::from(self.scenario.revocations) {
                let standing = (1..=officers).filter(|number| node.revoked & bit(usize::from(unit), *number) == 0);
                out.extend(standing.map(|number| Move::Revoke(unit, number)));
            }
            for (at, event) in self.events.iter().enumerate() {
                let Ok(step) = node.case.find_step(&self.scenario.manual, &name, event) else { continue };
                let whats = self.whats(node, usize::from(unit), step.carries);
                for officer in 0..=officers {
                    let actor = self.world.role(usize::from(unit), officer);
                    if step.by.contains(&actor.map_or(Actor::Agent, |(_, role)| Actor::Officer(role))) {
                        let act = |what: &What| Move::Act { unit, officer, event: at as u16, what: *what };
                        out.extend(whats.iter().map(act));
                    }
                }
            }
        }
        out
    }

    /// All contents that a step with this word can carry now: also those that the kernel must refuse.
    fn whats(&self, node: &Node, unit: usize, word: Carries) -> Vec<What> {
        let consents = node.case.ledger().consents();
        let name = &self.world.units[unit];
        let ours = |held: &Held| held.terms.provider == *name;
        match word {
            Carries::Nothing => vec![What::Nothing],
            Carries::Offer => (0..self.scenario.offers.len() as u8).map(What::Offer).collect(),
            Carries::Consent | Carries::UrgentConsent => {
                let is_kind = |kind| (kind == ConsentKind::Urgent) == (word == Carries::UrgentConsent);
                let again = consents.iter().enumerate().filter(|(_, h)| ours(h) && is_kind(h.terms.kind));
                let mut out: Vec<What> = again.map(|(at, _)| What::Again(at as u8)).collect();
                for (at, letter) in self.scenario.letters.iter().enumerate() {
                    if letter.unit != unit || !is_kind(letter.kind) {
                        continue;
                    }
                    let same: Vec<&Held> = consents.iter().filter(|h| h.terms.fields.0[0] == at as u8).collect();
                    let live = |h: &&Held| !h.used && !h.withdrawn && h.terms.until_ms > node.now_ms;
                    if same.len() < self.scenario.again && !same.iter().any(live) {
                        out.push(What::New(at as u8));
                    }
                }
                out
            }
            Carries::Parcel => {
                let mut out = Vec::new();
                for (at, held) in consents.iter().enumerate().filter(|(_, held)| ours(held)) {
                    // A journal's consent names the package of no bytes: it must not seal that one either.
                    let none = (held.terms.kind == ConsentKind::Journal).then_some(0);
                    out.extend(self.packages.iter().copied().chain(none).map(|p| What::Seal(at as u8, p)));
                }
                out
            }
            Carries::Conditions => self.packages.iter().map(|p| What::Conditions(*p)).collect(),
            Carries::Receipt => self.packages.iter().map(|p| What::Receipt(*p)).collect(),
            Carries::Validation => self.packages.iter().map(|p| What::Validation(*p)).collect(),
            Carries::Recall => vec![What::Recall],
            Carries::Deletion => vec![What::Deletion],
            Carries::Journal => vec![What::Journal],
        }
    }

    /// The next moment at which anything can change by time alone.
    fn next_moment(&self, node: &Node) -> Option<u64> {
        let ledger = node.case.ledger();
        let expiries = ledger.consents().iter().filter(|h| !h.used && !h.withdrawn).map(|h| h.terms.until_ms);
        let overdue = ledger.parcels().iter().filter(|p| is_urgent(p)).map(|p| p.sealed_ms + URGENT_VALIDATION_MS);
        let limit = node.case.deadline_ms(&self.scenario.manual);
        expiries.chain(overdue).chain(limit).filter(|at| *at > node.now_ms).min()
    }

    fn content(&self, case: &Case, unit: usize, what: What, now_ms: u64) -> Content {
        let world = &self.world;
        let consents = case.ledger().consents();
        match what {
            What::Nothing => Content::Nothing,
            What::Offer(at) => {
                let (outcome, provider) = self.scenario.offers[usize::from(at)];
                Content::Offer(outcome, provider.map(|unit| world.units[unit].clone()))
            }
            What::New(at) => {
                let letter = self.scenario.letters[usize::from(at)];
                Content::Consent(Terms {
                    kind: letter.kind,
                    federation: world.federation,
                    accord: world.accord,
                    handle: world.handle,
                    provider: world.units[unit].clone(),
                    recipient: world.units[1 - unit].clone(),
                    recipient_key: Bytes([7; 32]),
                    package: package(letter.package),
                    fields: Bytes([at; 32]),
                    purpose: Bytes([8; 32]),
                    handling: Bytes([9; 32]),
                    until_ms: now_ms + letter.life_ms,
                    nonce: Bytes([consents.len() as u8; 16]),
                })
            }
            What::Again(at) => Content::Consent(consents[usize::from(at)].terms.clone()),
            What::Seal(at, letter) => {
                let consent = consents.get(usize::from(at)).map_or(Bytes([0xee; 32]), |held| held.terms.id());
                Content::Parcel(Box::new(ParcelHead {
                    consent,
                    package: package(letter),
                    parts: 1,
                    root: Bytes([6; 32]),
                    encapsulation: Bytes::ZERO,
                }))
            }
            What::Conditions(letter) => Content::Conditions(package(letter)),
            What::Receipt(letter) => Content::Receipt(package(letter)),
            What::Validation(letter) => Content::Validation(package(letter)),
            What::Recall => Content::Recall,
            What::Deletion => Content::Deletion,
            What::Journal => Content::Journal,
        }
    }

    fn statement(&self, node: &Node, unit: u8, event: &str, what: What) -> Statement {
        let world = &self.world;
        let name = &world.units[usize::from(unit)];
        Statement {
            federation: world.federation,
            accord: world.accord,
            handle: world.handle,
            low: world.pair.low().clone(),
            high: world.pair.high().clone(),
            unit: name.clone(),
            round: node.case.round(),
            number: node.case.next_number(name),
            event: event.to_owned(),
            at_ms: node.now_ms,
            content: self.content(&node.case, usize::from(unit), what, node.now_ms),
            matter: Hash::ZERO,
        }
    }

    // --- One step, and what must hold of it ------------------------------------------------------------------------

    fn step(&mut self, node: &Node, step: Move) -> Option<Node> {
        match step {
            Move::Revoke(unit, number) => {
                let mut next = node.clone();
                next.revoked |= bit(usize::from(unit), number);
                next.seen.revoked(&self.world.units[usize::from(unit)], u32::from(number));
                Some(next)
            }
            Move::Time => self.pass_time(node),
            Move::Act { unit, officer, event, what } => {
                let event = self.events[usize::from(event)].clone();
                let said = self.statement(node, unit, &event, what);
                let Some(act) = self.world.verified(&said, officer, node.revoked) else {
                    *self.tally.refused.entry("act").or_default() += 1;
                    return None;
                };
                self.apply(node, &act, officer)
            }
        }
    }

    fn apply(&mut self, node: &Node, act: &VerifiedAct<'_>, officer: u8) -> Option<Node> {
        let officers = self.world.officers(node.revoked);
        let said = act.statement();
        let case = match node.case.apply(&self.scenario.manual, act, officers) {
            Ok(case) => case,
            Err(refused) => {
                *self.tally.refused.entry(refused.code()).or_default() += 1;
                return None;
            }
        };
        *self.tally.accepted.entry(word(&said.content)).or_default() += 1;
        let step =
            node.case.find_step(&self.scenario.manual, &said.unit, &said.event).expect("the step that was taken");
        let place = self.scenario.manual.transitions().iter().position(|one| std::ptr::eq(one, step));
        self.tally.steps.extend(place);
        let mut next = Node { case, ..node.clone() };
        let unit = self.world.place(&said.unit);
        if let Err(rule) = next.seen.accepted(said, self.world.role(unit, officer)) {
            panic!("{}: {rule}, at {said:?} after {:?}", self.scenario.name, node.case);
        }
        if next.case.round() != node.case.round() {
            let state = self.scenario.manual.state(next.case.state());
            next.seen.entered(state.ends_consents, state.recalls, state.recalls_unreceived);
        }
        if self.scenario.checked {
            self.judge_checked(node, &next, said);
            let waited = step.gate == Gate::AllDeleted && next.case.round() != node.case.round();
            assert!(!waited || !next.seen.owes_deletion(), "{}: closed, and a copy is left", self.scenario.name);
        }
        let given = |case: &Case| case.ledger().consents().iter().map(|held| held.given.len()).sum::<usize>();
        let more = given(&next.case) - given(&node.case);
        assert_eq!(more, usize::from(matches!(said.content, Content::Consent(_))), "a signature from nowhere");
        let more = next.case.ledger().parcels().len() - node.case.ledger().parcels().len();
        assert_eq!(more, usize::from(matches!(said.content, Content::Parcel(_))), "a parcel from nowhere");
        assert_eq!(next.case.next_number(&said.unit), said.number + 1, "an act counts once");
        Some(next)
    }

    /// What a manual that was checked promises beyond the kernel.
    fn judge_checked(&self, node: &Node, next: &Node, said: &Statement) {
        let manual = &self.scenario.manual;
        let consents = next.case.ledger().consents();
        match &said.content {
            Content::Offer(..) => {
                let left = consents.iter().any(|held| !held.used && !held.withdrawn);
                assert!(!left, "{}: a consent to something else is left in new talks", self.scenario.name);
            }
            Content::Parcel(head) => {
                let is_urgent =
                    |held: &&Held| held.terms.id() == head.consent && held.terms.kind == ConsentKind::Urgent;
                let validated = manual.from(next.case.state()).any(|step| step.carries == Carries::Validation);
                let urgent = consents.iter().any(|held| is_urgent(&held));
                assert!(!urgent || validated, "{}: an urgent parcel that nobody validates", self.scenario.name);
            }
            Content::Consent(terms) if next.case.round() != node.case.round() => {
                let named = next.case.offer().and_then(|offer| offer.provider.clone());
                for unit in self.world.units.iter().filter(|unit| named.as_ref().is_none_or(|one| one == *unit)) {
                    let counts = next.seen.has_consent(unit, terms.kind, said);
                    assert!(counts, "{}: moved on without a consent of {unit}'s that counts", self.scenario.name);
                }
            }
            _ => {}
        }
    }

    fn pass_time(&mut self, node: &Node) -> Option<Node> {
        let manual = &self.scenario.manual;
        let now_ms = self.next_moment(node)?;
        let mut next = Node { now_ms, ticks: node.ticks + 1, ..node.clone() };
        if node.case.deadline_ms(manual) != Some(now_ms) {
            assert_eq!(node.case.expire(manual, now_ms).err(), node.case.expire(manual, now_ms + 1).err());
            return Some(next);
        }
        assert_eq!(node.case.expire(manual, now_ms - 1), Err(CaseRefused::Early));
        assert_eq!(node.case.expire(manual, now_ms + 1), Err(CaseRefused::Early));
        next.case = node.case.expire(manual, now_ms).ok()?;
        let place = manual.transitions().iter().position(|one| Some(one) == manual.timeout(node.case.state()));
        self.tally.steps.extend(place);
        let state = manual.state(next.case.state());
        next.seen.entered(state.ends_consents, state.recalls, state.recalls_unreceived);
        let (before, after) = (node.case.ledger(), next.case.ledger());
        if self.scenario.checked {
            let was = manual.state(node.case.state()).discloses;
            assert!(was || !state.discloses, "{}: time led to a disclosing state", self.scenario.name);
        }
        assert_eq!(before.parcels().len(), after.parcels().len(), "time sealed a parcel");
        assert_eq!(before.consents().len(), after.consents().len(), "time consented");
        for (was, is) in before.consents().iter().zip(after.consents()) {
            assert!(was.given == is.given && was.used == is.used && was.withdrawn <= is.withdrawn);
        }
        for (was, is) in before.parcels().iter().zip(after.parcels()) {
            let same = was.accepted_by == is.accepted_by && was.received_by == is.received_by;
            assert!(same && was.validated_by == is.validated_by && was.recalled <= is.recalled);
        }
        Some(next)
    }

    /// What must hold in every state.
    fn judge_state(&mut self, node: &Node, id: u32) {
        for unit in &self.world.units.clone() {
            for letter in &self.packages {
                for at_ms in [node.now_ms, node.now_ms + URGENT_VALIDATION_MS, u64::MAX] {
                    let opens = node.case.ledger().may_open(&package(*letter), unit, at_ms);
                    let may = node.seen.may_open(&package(*letter), unit, at_ms);
                    self.tally.opened += u64::from(opens);
                    if opens != may {
                        let path = self.path(id);
                        panic!("{}: opens {opens}, the rules say {may}, after {path:?}", self.scenario.name);
                    }
                }
            }
        }
        if self.scenario.checked {
            let (mut case, mut seen) = (node.case.clone(), node.seen.clone());
            let manual = &self.scenario.manual;
            for _ in 0..=manual.states().len() {
                let Some(deadline) = case.deadline_ms(manual) else { break };
                case = case.expire(manual, deadline).expect("time has a way on");
                let state = manual.state(case.state());
                seen.entered(state.ends_consents, state.recalls, state.recalls_unreceived);
            }
            assert!(case.is_over(manual), "time alone ends every case");
            if seen.leaves_unreceived() {
                panic!("{}: a parcel lies sealed for ever, after {:?}", self.scenario.name, self.path(id));
            }
        }
    }

    /// Acts that no state may accept: another role's, another content's, of another case, round, number or time.
    fn probe(&mut self, node: &Node, id: u32) {
        let words = [
            Carries::Nothing,
            Carries::Offer,
            Carries::Consent,
            Carries::UrgentConsent,
            Carries::Parcel,
            Carries::Conditions,
            Carries::Receipt,
            Carries::Validation,
            Carries::Recall,
            Carries::Deletion,
            Carries::Journal,
        ];
        let manual = self.scenario.manual.clone();
        for unit in 0..2u8 {
            let name = self.world.units[usize::from(unit)].clone();
            for event in self.events.clone() {
                let step = node.case.find_step(&manual, &name, &event).ok();
                let is_here = manual.from(node.case.state()).any(|one| one.event == event);
                // Events of other states: one content is enough.
                for word in if is_here { &words[..] } else { &words[..1] } {
                    for what in self.whats(node, usize::from(unit), *word) {
                        for officer in 0..=self.world.roles[usize::from(unit)].len() as u8 {
                            let role = self.world.role(usize::from(unit), officer).map(|(_, role)| role);
                            let actor = role.map_or(Actor::Agent, Actor::Officer);
                            let fits = step.is_some_and(|one| one.by.contains(&actor) && one.carries == *word);
                            if !fits {
                                let said = self.statement(node, unit, &event, what);
                                self.must_refuse(node, &said, officer, id);
                            }
                        }
                    }
                }
                let Some(step) = step else { continue };
                // Another's consents, and none at all; another kind of parcel.
                if step.carries == Carries::Parcel {
                    let all = node.case.ledger().consents().len() as u8;
                    let others: Vec<u8> = (0..all)
                        .filter(|at| node.case.ledger().consents()[usize::from(*at)].terms.provider != name)
                        .chain([255])
                        .collect();
                    let packages = self.packages.clone();
                    for (at, letter) in others.iter().flat_map(|at| packages.iter().map(move |p| (*at, *p))) {
                        let said = self.statement(node, unit, &event, What::Seal(at, letter));
                        (1..=2).for_each(|officer| self.must_refuse(node, &said, officer, id));
                    }
                }
                let Some(what) = self.whats(node, usize::from(unit), step.carries).first().copied() else { continue };
                let said = self.statement(node, unit, &event, what);
                let mut wrong = vec![
                    Statement { round: said.round + 1, ..said.clone() },
                    Statement { round: said.round.wrapping_sub(1), ..said.clone() },
                    Statement { number: said.number + 1, ..said.clone() },
                    Statement { number: said.number - 1, ..said.clone() },
                    Statement { federation: Bytes([0x77; 32]), ..said.clone() },
                    Statement { accord: Bytes([0x77; 32]), ..said.clone() },
                    Statement { handle: Bytes([0x77; 16]), ..said.clone() },
                    Statement { high: "C".parse().unwrap(), ..said.clone() },
                    Statement { low: said.high.clone(), high: said.low.clone(), ..said.clone() },
                    Statement { at_ms: node.case.last_ms() - 1, ..said.clone() },
                ];
                if let Some(deadline) = node.case.deadline_ms(&manual) {
                    wrong.push(Statement { at_ms: deadline, ..said.clone() });
                }
                for said in wrong {
                    (1..=2).for_each(|officer| self.must_refuse(node, &said, officer, id));
                }
                if let Content::Consent(terms) = &said.content {
                    for changed in other_terms(terms, &self.world.units, node.now_ms) {
                        let said = Statement { content: Content::Consent(changed), ..said.clone() };
                        (1..=2).for_each(|officer| self.must_refuse(node, &said, officer, id));
                    }
                }
            }
        }
    }

    fn must_refuse(&mut self, node: &Node, said: &Statement, officer: u8, id: u32) {
        self.tally.attempts += 1;
        let act = self.world.sign(said, officer);
        let officers = self.world.officers(node.revoked);
        let Ok(act) = act.verify(&self.world.federation, &said.unit, officers) else { return };
        match node.case.apply(&self.scenario.manual, &act, officers) {
            Ok(_) => panic!("{}: accepted {said:?} by {officer} after {:?}", self.scenario.name, self.path(id)),
            Err(refused) => *self.tally.refused.entry(refused.code()).or_default() += 1,
        }
    }

    // --- The log ---------------------------------------------------------------------------------------------------

    fn path(&self, id: u32) -> Vec<Move> {
        let mut path = Vec::new();
        let mut at = id;
        while at != 0 {
            let (parent, step) = self.log[at as usize];
            path.push(step);
            at = parent;
        }
        path.extend(self.prefix.iter().rev());
        path.reverse();
        path
    }

    /// The concrete log that leads to a state: both units and the broker fold it from its bytes and reach equal cases;
    /// every earlier act, sent again, is refused; two acts in the other order are refused or give the same; and a log
    /// in which any one act is missing (a crash before it was written) breaks no rule.
    fn refold(&mut self, id: u32) {
        self.tally.refolds += 1;
        let path = self.path(id);
        let manual = self.scenario.manual.clone();
        let mut broker = self.first();
        let mut before = Vec::new();
        let mut acts: Vec<(usize, Vec<u8>, u8, Revoked)> = Vec::new();
        for (at, step) in path.iter().enumerate() {
            if let Move::Act { unit, officer, event, what } = *step {
                let event = self.events[usize::from(event)].clone();
                let act = self.world.sign(&self.statement(&broker, unit, &event, what), officer);
                let officers = self.world.officers(broker.revoked);
                let verified = act.verify(&self.world.federation, &act.statement.unit, officers).expect("a log's act");
                assert_eq!(broker.case.check_moment(&manual, &verified, broker.now_ms), Ok(()));
                acts.push((at, codec::encode(&act), officer, broker.revoked));
            }
            before.push(broker.clone());
            broker = self.step(&broker, *step).expect("a log folds again");
        }
        assert_eq!(self.key(&broker), self.keys[id as usize], "the concrete log leads to another state");
        let told = codec::encode(&set_back(&broker.case));
        let again: Case = codec::decode(&told).expect("a case round-trips");
        assert_eq!(codec::encode(&again), told);
        for _unit in 0..2 {
            let mut case = before.first().unwrap_or(&broker).case.clone();
            let mut revoked = 0;
            for (at, step) in path.iter().enumerate() {
                match step {
                    Move::Revoke(unit, number) => revoked |= bit(usize::from(*unit), *number),
                    Move::Time => {
                        let deadline = case.deadline_ms(&manual);
                        let now = before.get(at + 1).unwrap_or(&broker).now_ms;
                        if deadline == Some(now) {
                            case = case.expire(&manual, now).expect("time passes for all");
                        }
                    }
                    Move::Act { .. } => {
                        let (_, bytes, ..) = acts.iter().find(|act| act.0 == at).expect("an act of the log");
                        let act: Act = codec::decode(bytes).expect("an act decodes");
                        let officers = self.world.officers(revoked);
                        let sender = act.statement.unit.clone();
                        let act = act.verify(&self.world.federation, &sender, officers).expect("an act verifies");
                        case = case.apply(&manual, &act, officers).expect("an act is accepted by all");
                    }
                }
            }
            assert_eq!(codec::encode(&case), codec::encode(&broker.case), "one log, two cases");
        }
        // Replay.
        for (_, bytes, ..) in &acts {
            let act: Act = codec::decode(bytes).expect("an act decodes");
            let officers = self.world.officers(broker.revoked);
            if let Ok(act) = act.verify(&self.world.federation, &act.statement.unit, officers) {
                let result = broker.case.apply(&manual, &act, officers);
                assert!(result.is_err(), "{}: replayed {:?}", self.scenario.name, act.statement());
            }
        }
        // The other order, and a missing act.
        for pair in acts.windows(2).filter(|pair| pair[0].0 + 1 == pair[1].0) {
            let node = &before[pair[0].0];
            let swapped = self.fold_bytes(node, &[&pair[1], &pair[0]]);
            // Under a manual whose recall leaves the case where it is, a recall before a parcel is not one after it.
            if let ([Some(_), Some(other)], true) = (&swapped[..], self.scenario.checked) {
                let straight = before.get(pair[1].0 + 1).unwrap_or(&broker);
                assert_eq!(unordered(&straight.case), unordered(&other.case), "{}", self.scenario.name);
            }
        }
        for missing in 0..acts.len() {
            let node = before[acts[missing].0].clone();
            let rest: Vec<_> = acts[missing + 1..].iter().collect();
            self.fold_bytes(&node, &rest);
        }
    }

    /// Folds acts as they are; those that are refused change nothing.
    fn fold_bytes(&mut self, node: &Node, acts: &[&(usize, Vec<u8>, u8, Revoked)]) -> Vec<Option<Node>> {
        let mut here = node.clone();
        let mut out = Vec::new();
        for (_, bytes, officer, revoked) in acts {
            here.revoked |= *revoked;
            let act: Act = codec::decode(bytes).expect("an act decodes");
            let officers = self.world.officers(here.revoked);
            let next = match act.verify(&self.world.federation, &act.statement.unit, officers) {
                Ok(act) => self.apply(&here, &act, *officer),
                Err(_) => None,
            };
            here = next.clone().unwrap_or(here);
            out.push(next);
        }
        out
    }

    // --- When two states are one -----------------------------------------------------------------------------------

    fn key(&self, node: &Node) -> u128 {
        let view: View = codec::decode(&codec::encode(&node.case)).expect("a case is what the explorer thinks it is");
        let now = node.now_ms;
        let mut out = Vec::with_capacity(256);
        let left = |at: u64| at.saturating_sub(now).to_be_bytes();
        out.extend(view.state.to_be_bytes());
        let deadline = node.case.deadline_ms(&self.scenario.manual).unwrap_or(0);
        out.extend(left(deadline));
        if let Some(offer) = &view.offer {
            let by = offer.by.as_str().as_bytes()[0];
            let provider = offer.provider.as_ref().map_or(0, |unit| unit.as_str().as_bytes()[0]);
            out.extend([by, offer.outcome as u8, provider]);
        }
        out.extend([0xfe, view.counters as u8]);
        for (unit, event) in &view.done {
            out.extend(unit.as_bytes());
            out.extend(event.as_bytes());
            out.push(0xfe);
        }
        out.push(0xfd);
        for held in &view.ledger.0 {
            let flags = u8::from(held.used) << 1 | u8::from(held.withdrawn);
            out.extend([held.terms.fields.0[0], flags]);
            if flags == 0 {
                out.extend(left(held.terms.until_ms));
            }
            out.extend(held.given.iter().map(|one| one.number as u8));
            out.push(0xfe);
        }
        out.push(0xfd);
        let ids: Vec<Hash> = view.ledger.0.iter().map(|held| held.terms.id()).collect();
        for parcel in &view.ledger.1 {
            let consent = ids.iter().position(|id| *id == parcel.consent).map_or(0xff, |at| at as u8);
            let by = [parcel.accepted_by, parcel.received_by, parcel.validated_by].map(|one| one.unwrap_or(0) as u8);
            let flags = [parcel.recalled, parcel.deleted, parcel.sealed_ms >= view.since_ms];
            out.push(consent);
            out.extend(by);
            out.extend(flags.map(u8::from));
            if is_urgent(parcel) {
                out.extend(left(parcel.sealed_ms + URGENT_VALIDATION_MS));
            }
        }
        out.push(node.ticks);
        out.extend(node.revoked.to_be_bytes());
        node.seen.key(now, &mut out);
        let hash: [u8; 32] = Sha256::digest(&out).into();
        u128::from_be_bytes(hash[..16].try_into().expect("16 bytes"))
    }
}

/// Not validated, and not recalled: its time runs.
fn is_urgent(parcel: &Parcel) -> bool {
    parcel.kind == ConsentKind::Urgent && parcel.validated_by.is_none() && !parcel.recalled
}

/// The case with round, numbers and head set back: the same to everything but earlier acts.
fn set_back(case: &Case) -> Case {
    let mut view: View = codec::decode(&codec::encode(case)).expect("a case is what the explorer thinks it is");
    view.round = 0;
    view.numbers = (0, 0);
    view.head = Hash::ZERO;
    codec::decode(&codec::encode(&view)).expect("a case is what the explorer thinks it is")
}

/// What a case has, whatever the order in which it came.
fn unordered(case: &Case) -> (u16, u32, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut consents: Vec<Vec<u8>> = Vec::new();
    for held in case.ledger().consents() {
        let mut held = held.clone();
        held.given.sort_by_key(|one| one.number);
        consents.push(codec::encode(&held));
    }
    let mut parcels: Vec<Vec<u8>> = case.ledger().parcels().iter().map(codec::encode).collect();
    consents.sort();
    parcels.sort();
    (case.state().0, case.round(), consents, parcels)
}

/// The same terms with one thing changed that the kernel must not take.
fn other_terms(terms: &Terms, units: &[UnitName; 2], now_ms: u64) -> Vec<Terms> {
    let nonce = Bytes([0x99; 16]);
    let terms = &Terms { nonce, ..terms.clone() };
    vec![
        Terms { federation: Bytes([0x77; 32]), ..terms.clone() },
        Terms { accord: Bytes([0x77; 32]), ..terms.clone() },
        Terms { handle: Bytes([0x77; 16]), ..terms.clone() },
        Terms { recipient: terms.provider.clone(), ..terms.clone() },
        Terms { recipient: "C".parse().unwrap(), ..terms.clone() },
        Terms { provider: "C".parse().unwrap(), ..terms.clone() },
        Terms { provider: units[1].clone(), recipient: units[1].clone(), ..terms.clone() },
        Terms { provider: terms.recipient.clone(), recipient: terms.provider.clone(), ..terms.clone() },
        Terms { until_ms: now_ms, ..terms.clone() },
        Terms { until_ms: now_ms + protocol::consent::MAX_CONSENT_MS + 1, ..terms.clone() },
    ]
}

fn word(content: &Content) -> &'static str {
    match carries(content) {
        Carries::Nothing => "nothing",
        Carries::Offer => "offer",
        Carries::Consent => "consent",
        Carries::UrgentConsent => "urgent-consent",
        Carries::Parcel => "parcel",
        Carries::Conditions => "conditions",
        Carries::Receipt => "receipt",
        Carries::Validation => "validation",
        Carries::Recall => "recall",
        Carries::Deletion => "deletion",
        Carries::Journal => "journal",
    }
}
