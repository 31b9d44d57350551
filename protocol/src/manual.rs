//! The manual: the coordination procedure as data, read from the accord (R29, R33).
//!
//! States, who may do what in each, public guards, what the parties must say in sealed matter, and time limits. The
//! engine that runs it is [`crate::case`]; the consent kernel ([`crate::consent`]) stands below it and holds whatever a
//! manual says. [`check`] proves the invariants of a manual before it is used.
//!
//! Callers: agents, the broker as referee, the audit. *Not here:* any clock, and any word of a case.

pub mod check;
mod text;

use crate::act::Outcome;
use crate::officer::OfficerRole;

pub use check::ManualError;

/// The manual that ships with Sutura: text to be put at the end of an accord's.
pub const DEFAULT: &str = include_str!("manual/default.toml");

/// A state's place in its manual.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StateId(pub u16);

/// Who may take a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// An officer of this role.
    Officer(OfficerRole),
    /// A unit's agent, by itself.
    Agent,
    /// Time: the state's limit has passed.
    Clock,
}

/// A public guard: the broker checks it too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// The unit is not the one that made the offer.
    OtherUnit,
    /// The unit made the offer.
    SameUnit,
    /// Counter-offers are left.
    CountersLeft,
    /// The offer leads to this.
    Outcome(Outcome),
    /// The offer leads to data being handed over.
    OutcomeData,
    /// The case has a parcel.
    HasParcel,
}

/// What an act must carry ([`crate::act::Content`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carries {
    /// Nothing.
    Nothing,
    /// An offer.
    Offer,
    /// A consent over a parcel or a journal.
    Consent,
    /// An urgent consent.
    UrgentConsent,
    /// A parcel.
    Parcel,
    /// Acceptance of conditions.
    Conditions,
    /// A receipt.
    Receipt,
    /// A validation.
    Validation,
    /// A recall.
    Recall,
    /// Deletion receipts.
    Deletion,
    /// An entry in the journal.
    Journal,
}

/// What the sealed matter of an act must hold: a guard of the parties, which both units check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asks {
    /// A code of the manual's reasons.
    Reason,
    /// A statement of the threat to life.
    Threat,
    /// The fields that are offered or asked for.
    Fields,
    /// The purpose, offence and legal basis.
    Purpose,
    /// Every attestation of the manual.
    Attestations,
}

/// What must have been done before a step moves the case; until then the act is noted and the state stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// Nothing more.
    Open,
    /// Both units have done this in this round.
    BothUnits,
    /// Every unit that the agreed outcome has give something has complete consents.
    ConsentsComplete,
    /// Every unit that the agreed outcome has hand something over has sealed its parcel.
    AllSealed,
    /// Every parcel that was not recalled is received.
    AllReceived,
    /// Every parcel that was recalled is deleted.
    AllDeleted,
}

/// A state of the procedure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Its name.
    pub id: String,
    /// How long it lasts at most, in milliseconds; `None`: it is an end.
    pub limit_ms: Option<u64>,
    /// Whether content has been disclosed in it.
    pub discloses: bool,
    /// Whether entering it recalls every parcel (time, or an invalidation).
    pub recalls: bool,
    /// Whether entering it recalls every parcel that nobody has received: what an agreement left on its way when it fell.
    pub recalls_unreceived: bool,
    /// Whether entering it takes back all consents that were not used.
    pub ends_consents: bool,
}

/// A step from one state to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transition {
    /// From where.
    pub from: StateId,
    /// What is done; `timeout` for the clock's.
    pub event: String,
    /// By whom.
    pub by: Vec<Actor>,
    /// Public guards, all of which must hold.
    pub guards: Vec<Guard>,
    /// What the act must carry.
    pub carries: Carries,
    /// What the sealed matter must hold.
    pub asks: Vec<Asks>,
    /// What must have been done before it moves the case.
    pub gate: Gate,
    /// To where; `None`: the state stays, and so do its round and its time.
    pub to: Option<StateId>,
}

impl Transition {
    /// Whether an officer of this role may take it.
    pub fn is_for(&self, role: OfficerRole) -> bool {
        self.by.contains(&Actor::Officer(role))
    }
}

/// A manual that was read and checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manual {
    version: String,
    states: Vec<State>,
    transitions: Vec<Transition>,
    first: StateId,
    max_counters: u32,
    reasons: Vec<String>,
    attestations: Vec<String>,
    urgent_fields: Vec<String>,
}

impl Manual {
    /// Reads and checks the manual of an accord ([`crate::accord::Terms::manual`]).
    ///
    /// # Errors
    /// [`ManualError`] names the first thing that is wrong.
    pub fn read(table: &toml::Table) -> Result<Manual, ManualError> {
        let manual = text::read(table)?;
        check::check(&manual)?;
        Ok(manual)
    }

    /// Reads a manual without proving its invariants: for showing that the kernel holds under a hostile one.
    ///
    /// # Errors
    /// [`ManualError`], if it cannot be read at all.
    pub fn hazmat_read_unchecked(table: &toml::Table) -> Result<Manual, ManualError> {
        text::read(table)
    }

    /// Its version, for people.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The state in which a case begins.
    pub fn first(&self) -> StateId {
        self.first
    }

    /// A state; the first one for a place that is none.
    pub fn state(&self, id: StateId) -> &State {
        self.states.get(usize::from(id.0)).unwrap_or(&self.states[usize::from(self.first.0)])
    }

    /// All states, in order of their places.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The place of a state's name.
    pub fn find(&self, id: &str) -> Option<StateId> {
        let at = self.states.iter().position(|state| state.id == id)?;
        Some(StateId(at as u16))
    }

    /// All steps.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// The steps that begin in a state.
    pub fn from(&self, state: StateId) -> impl Iterator<Item = &Transition> {
        self.transitions.iter().filter(move |step| step.from == state)
    }

    /// What time does in a state.
    pub fn timeout(&self, state: StateId) -> Option<&Transition> {
        self.from(state).find(|step| step.by == [Actor::Clock])
    }

    /// Most counter-offers.
    pub fn max_counters(&self) -> u32 {
        self.max_counters
    }

    /// Codes of reasons, for refusals and the like.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// What a legal officer attests with each consent.
    pub fn attestations(&self) -> &[String] {
        &self.attestations
    }

    /// The fields that an urgent parcel may hold: the least.
    pub fn urgent_fields(&self) -> &[String] {
        &self.urgent_fields
    }
}
