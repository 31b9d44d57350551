//! A case: what became of an overlap, folded from signed acts in the order of the log (R33).
//!
//! `apply(manual, case, act, officers)` and `expire(manual, case, time)` give the next state, or a refusal that names the
//! rule. The same code runs in both units and in the broker; none trusts another's result. The consent kernel
//! ([`crate::consent`]) is asked first, and apart from the manual.
//!
//! Time is what acts say, never before the act before; an act after its state's limit is refused, and the limit's own
//! moment is the only one at which time can move a case. Whoever receives an act checks its time against the own clock
//! ([`Case::check_moment`]).
//!
//! Callers: agents, the broker as referee, the audit, the model checker. *Not here:* sealed matter ([`crate::matter`]).

use crate::act::{Content, Outcome, VerifiedAct};
use crate::codec::Hash;
use crate::consent::{ConsentKind, ConsentRefused, Held, Ledger, Place};
use crate::manual::check::{TIMEOUT, is_data};
use crate::manual::{Actor, Carries, Gate, Guard, Manual, StateId, Transition};
use crate::name::UnitName;
use crate::officer::Officers;
use crate::overlap::Handle;
use minicbor::{Decode, Encode};

/// How far an act's time may lie ahead of the receiver's clock, in milliseconds.
pub const MAX_AHEAD_MS: u64 = 120_000;

/// What was offered last.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Offer {
    /// By whom.
    #[n(0)]
    pub by: UnitName,
    /// What it would lead to.
    #[n(1)]
    pub outcome: Outcome,
    /// Who would hand over, for a handover.
    #[n(2)]
    pub provider: Option<UnitName>,
}

/// Somebody did something in this round, and it waits for a gate.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
struct Done {
    #[n(0)]
    unit: UnitName,
    #[n(1)]
    event: String,
}

/// A case.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Case {
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
    done: Vec<Done>,
    #[n(12)]
    numbers: (u32, u32),
    #[n(13)]
    ledger: Ledger,
    #[n(14)]
    head: Hash,
}

/// Why an act changes nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum CaseRefused {
    /// Of another case.
    #[error("the act is about another case")]
    Place,
    /// Opened under another accord than the one in force.
    #[error("a case is opened under the accord in force")]
    Accord,
    /// Signed in another state of the case than it is in now: read it, and sign again.
    #[error("the case has moved on since this was signed")]
    Round,
    /// Not the unit's next act: one that was there before, or one that is missing.
    #[error("this is not the unit's next act in this case")]
    Number,
    /// Before the case's last act.
    #[error("the act's time lies before the case's last act")]
    TimeBack,
    /// Ahead of the receiver's clock.
    #[error("the act's time is still to come: look at the clock")]
    TimeAhead,
    /// The state's limit has passed.
    #[error("the time for this has passed")]
    Late,
    /// The state's limit has not passed.
    #[error("the limit of this state has not passed")]
    Early,
    /// Not an event of this state.
    #[error("the manual has no {event} in state {state}")]
    NoStep {
        /// The state.
        state: String,
        /// The event.
        event: String,
    },
    /// Not this role's.
    #[error("the manual gives this to other roles")]
    Role,
    /// A public guard does not hold.
    #[error("the manual forbids this: {0}")]
    Guard(&'static str),
    /// It carries something else than the manual's step.
    #[error("the act carries something else than the manual's step")]
    Carries,
    /// The unit has done this in this round.
    #[error("the unit has done this in this round")]
    Repeated,
    /// The consent kernel refuses.
    #[error(transparent)]
    Consent(#[from] ConsentRefused),
}

impl CaseRefused {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            CaseRefused::Place => "case-place",
            CaseRefused::Accord => "case-accord",
            CaseRefused::Round => "case-round",
            CaseRefused::Number => "case-number",
            CaseRefused::TimeBack => "case-time-back",
            CaseRefused::TimeAhead => "case-time-ahead",
            CaseRefused::Late => "case-late",
            CaseRefused::Early => "case-early",
            CaseRefused::NoStep { .. } => "manual-no-step",
            CaseRefused::Role => "manual-role",
            CaseRefused::Guard(_) => "manual-guard",
            CaseRefused::Carries => "manual-carries",
            CaseRefused::Repeated => "manual-repeated",
            CaseRefused::Consent(refused) => refused.code(),
        }
    }
}

/// Something that a unit may do now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice<'m> {
    /// The manual's step.
    pub step: &'m Transition,
    /// Whether this unit has done it in this round, and waits for the other.
    pub waits: bool,
}

impl Case {
    /// The case of an overlap before its first act, which `at_ms` is the time of.
    pub fn open(
        manual: &Manual,
        federation: Hash,
        accord: Hash,
        handle: Handle,
        pair: &crate::name::Pair,
        at_ms: u64,
    ) -> Case {
        Case {
            federation,
            accord,
            handle,
            low: pair.low().clone(),
            high: pair.high().clone(),
            state: manual.first().0,
            round: 0,
            since_ms: at_ms,
            last_ms: at_ms,
            offer: None,
            counters: 0,
            done: Vec::new(),
            numbers: (0, 0),
            ledger: Ledger::default(),
            head: Hash::ZERO,
        }
    }

    /// The state.
    pub fn state(&self) -> StateId {
        StateId(self.state)
    }
    /// How often the state has changed.
    pub fn round(&self) -> u32 {
        self.round
    }
    /// The federation.
    pub fn federation(&self) -> &Hash {
        &self.federation
    }
    /// The accord whose manual rules the case.
    pub fn accord(&self) -> &Hash {
        &self.accord
    }
    /// The overlap.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
    /// The two units.
    pub fn units(&self) -> [&UnitName; 2] {
        [&self.low, &self.high]
    }
    /// The other unit.
    pub fn other(&self, unit: &UnitName) -> &UnitName {
        if *unit == self.low { &self.high } else { &self.low }
    }
    /// The offer that stands, or that was agreed on.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }
    /// Consents and parcels.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    /// The chain of all acts so far.
    pub fn head(&self) -> &Hash {
        &self.head
    }
    /// When the state began, in milliseconds.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }
    /// The time of the last act, in milliseconds: the next one is not before it.
    pub fn last_ms(&self) -> u64 {
        self.last_ms
    }
    /// How many acts there were, of both units.
    pub fn acts(&self) -> u32 {
        self.numbers.0.saturating_add(self.numbers.1)
    }
    /// The number of `unit`'s next act.
    pub fn next_number(&self, unit: &UnitName) -> u32 {
        let last = if *unit == self.low { self.numbers.0 } else { self.numbers.1 };
        last.saturating_add(1)
    }
    /// When the state's limit passes, in milliseconds; `None`: the case is at an end.
    pub fn deadline_ms(&self, manual: &Manual) -> Option<u64> {
        Some(self.since_ms.saturating_add(manual.state(self.state()).limit_ms?))
    }
    /// Whether the case is at an end.
    pub fn is_over(&self, manual: &Manual) -> bool {
        manual.state(self.state()).limit_ms.is_none()
    }

    /// Checks an act against the receiver's clock. For whoever has one: the broker, when it accepts.
    ///
    /// # Errors
    /// [`CaseRefused::TimeAhead`], [`CaseRefused::Late`], and [`CaseRefused::Consent`] for what has expired meanwhile.
    pub fn check_moment(&self, manual: &Manual, act: &VerifiedAct<'_>, now_ms: u64) -> Result<(), CaseRefused> {
        if act.statement().at_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
            return Err(CaseRefused::TimeAhead);
        }
        if self.deadline_ms(manual).is_some_and(|deadline| now_ms >= deadline) {
            return Err(CaseRefused::Late);
        }
        self.check_kernel_moment(act, now_ms).map_err(CaseRefused::from)
    }

    /// What the kernel judges by the act's own time, by the receiver's clock too: no act is dated back to before an
    /// expiry that has passed.
    fn check_kernel_moment(&self, act: &VerifiedAct<'_>, now_ms: u64) -> Result<(), ConsentRefused> {
        let said = act.statement();
        let ours = |held: &&Held| held.terms.kind == ConsentKind::Journal && held.terms.provider == said.unit;
        let counts = |held: &Held| held.is_complete() && !held.withdrawn && held.terms.until_ms > now_ms;
        let expired = match &said.content {
            Content::Consent(terms) => terms.until_ms <= now_ms,
            Content::Parcel(head) => {
                self.ledger.consent(&head.consent).is_some_and(|held| held.terms.until_ms <= now_ms)
            }
            Content::Journal => {
                let mut ours = self.ledger.consents().iter().filter(ours).peekable();
                // Where there is none at all, the kernel says so.
                ours.peek().is_some() && !ours.any(counts)
            }
            Content::Validation(package) => {
                let overdue = self.ledger.parcel(package).is_some_and(|parcel| parcel.is_overdue(now_ms));
                return if overdue { Err(ConsentRefused::Parcel) } else { Ok(()) };
            }
            _ => false,
        };
        if expired { Err(ConsentRefused::Expired) } else { Ok(()) }
    }

    /// The case after an act.
    ///
    /// # Errors
    /// [`CaseRefused`] names the rule; this case is as it was.
    pub fn apply(&self, manual: &Manual, act: &VerifiedAct<'_>, officers: &Officers) -> Result<Case, CaseRefused> {
        let said = act.statement();
        let ours = said.federation == self.federation
            && said.accord == self.accord
            && said.handle == self.handle
            && said.low == self.low
            && said.high == self.high;
        if !ours {
            return Err(CaseRefused::Place);
        }
        if said.round != self.round {
            return Err(CaseRefused::Round);
        }
        if said.number != self.next_number(&said.unit) {
            return Err(CaseRefused::Number);
        }
        if said.at_ms < self.last_ms {
            return Err(CaseRefused::TimeBack);
        }
        if self.deadline_ms(manual).is_some_and(|deadline| said.at_ms >= deadline) {
            return Err(CaseRefused::Late);
        }
        let mut next = self.clone();
        next.last_ms = said.at_ms;
        next.head = act.act().link(&self.head);
        if said.unit == self.low {
            next.numbers.0 += 1;
        } else {
            next.numbers.1 += 1;
        }
        // The kernel first: whatever the manual says, what an act carries is judged by itself.
        next.record(act, officers)?;
        // The manual's guards look at the case as it was before the act.
        let step = self.step_of(manual, act)?;
        if next.passes(step.gate, said, officers)? {
            next.enter(manual, step, said.at_ms);
        }
        Ok(next)
    }

    /// The case after its state's limit has passed at exactly `at_ms`.
    ///
    /// # Errors
    /// [`CaseRefused::Early`]; [`CaseRefused::NoStep`] at an end.
    pub fn expire(&self, manual: &Manual, at_ms: u64) -> Result<Case, CaseRefused> {
        let none = || CaseRefused::NoStep { state: manual.state(self.state()).id.clone(), event: TIMEOUT.to_owned() };
        let deadline = self.deadline_ms(manual).ok_or_else(none)?;
        if at_ms != deadline {
            return Err(CaseRefused::Early);
        }
        let step = manual.timeout(self.state()).ok_or_else(none)?;
        let mut next = self.clone();
        next.last_ms = self.last_ms.max(deadline);
        next.enter(manual, step, deadline);
        Ok(next)
    }

    /// What `unit` may do now, by the manual's public guards; whether the kernel agrees shows when it is done.
    pub fn choices<'m>(&self, manual: &'m Manual, unit: &UnitName) -> Vec<Choice<'m>> {
        manual
            .from(self.state())
            .filter(|step| !step.by.contains(&Actor::Clock))
            .filter(|step| step.guards.iter().all(|guard| self.holds(manual, *guard, unit).is_ok()))
            .map(|step| Choice { step, waits: self.has_done(unit, &step.event) && step.gate == Gate::BothUnits })
            .collect()
    }

    /// The step of the manual that an event of `unit`'s is now.
    pub fn find_step<'m>(
        &self,
        manual: &'m Manual,
        unit: &UnitName,
        event: &str,
    ) -> Result<&'m Transition, CaseRefused> {
        let mut why = None;
        for step in manual.from(self.state()).filter(|step| step.event == event) {
            match step.guards.iter().try_for_each(|guard| self.holds(manual, *guard, unit)) {
                Ok(()) => return Ok(step),
                Err(refused) => why = Some(refused),
            }
        }
        let none = || CaseRefused::NoStep { state: manual.state(self.state()).id.clone(), event: event.to_owned() };
        Err(why.unwrap_or_else(none))
    }

    fn step_of<'m>(&self, manual: &'m Manual, act: &VerifiedAct<'_>) -> Result<&'m Transition, CaseRefused> {
        let said = act.statement();
        let step = self.find_step(manual, &said.unit, &said.event)?;
        let actor = act.signer().map_or(Actor::Agent, |signer| Actor::Officer(signer.role()));
        if !step.by.contains(&actor) {
            return Err(CaseRefused::Role);
        }
        if carries(&said.content) != step.carries {
            return Err(CaseRefused::Carries);
        }
        if let Content::Offer(outcome, provider) = &said.content {
            let named = provider.as_ref().is_some_and(|unit| self.units().contains(&unit));
            if (*outcome == Outcome::Handover) != named || (*outcome != Outcome::Handover && provider.is_some()) {
                return Err(CaseRefused::Guard("a handover names the unit that hands over"));
            }
        }
        if step.gate == Gate::BothUnits && self.has_done(&said.unit, &said.event) {
            return Err(CaseRefused::Repeated);
        }
        Ok(step)
    }

    fn has_done(&self, unit: &UnitName, event: &str) -> bool {
        self.done.iter().any(|done| done.unit == *unit && done.event == event)
    }

    fn holds(&self, manual: &Manual, guard: Guard, unit: &UnitName) -> Result<(), CaseRefused> {
        let outcome = self.offer().map(|offer| offer.outcome);
        let (holds, rule) = match guard {
            Guard::OtherUnit => (self.offer.as_ref().is_some_and(|o| o.by != *unit), "the other unit answers an offer"),
            Guard::SameUnit => (self.offer.as_ref().is_some_and(|o| o.by == *unit), "the offer is the other unit's"),
            Guard::CountersLeft => (self.counters < manual.max_counters(), "no counter-offers are left"),
            Guard::Outcome(one) => (outcome == Some(one), "the offer leads elsewhere"),
            Guard::OutcomeData => (outcome.is_some_and(is_data), "the offer hands nothing over"),
            Guard::HasParcel => (!self.ledger.parcels().is_empty(), "there is no parcel"),
        };
        if holds { Ok(()) } else { Err(CaseRefused::Guard(rule)) }
    }

    /// What the act carries, into ledger and offer.
    fn record(&mut self, act: &VerifiedAct<'_>, officers: &Officers) -> Result<(), CaseRefused> {
        let said = act.statement();
        let signer = || act.signer().ok_or(CaseRefused::Role);
        match &said.content {
            Content::Nothing => {}
            Content::Offer(outcome, provider) => {
                signer()?;
                if self.offer.is_some() {
                    self.counters = self.counters.saturating_add(1);
                }
                let offer = Offer { by: said.unit.clone(), outcome: *outcome, provider: provider.clone() };
                self.offer = Some(offer);
            }
            Content::Consent(terms) => {
                let peer = self.other(&said.unit).clone();
                let place =
                    Place { federation: &self.federation, accord: &self.accord, handle: &self.handle, peer: &peer };
                let signature = act.consent_signature().ok_or(ConsentRefused::Signature)?;
                self.ledger.give(&place, terms, signer()?, signature, officers, said.at_ms)?;
            }
            Content::Parcel(head) => {
                self.ledger.seal(signer()?, head, officers, said.at_ms)?;
            }
            Content::Conditions(package) => self.ledger.accept_conditions(package, signer()?)?,
            Content::Receipt(package) => self.ledger.receive(package, signer()?)?,
            Content::Validation(package) => self.ledger.validate(package, signer()?, said.at_ms)?,
            Content::Recall => {
                signer()?;
                self.ledger.withdraw(&said.unit);
                self.ledger.recall(Some(&said.unit));
            }
            Content::Deletion => self.ledger.delete(&said.unit)?,
            Content::Journal => {
                signer()?;
                self.ledger.journal_given(&said.unit, officers, said.at_ms)?;
            }
        }
        Ok(())
    }

    /// Whether the step moves the case, now that the act is recorded; notes what waits.
    fn passes(&mut self, gate: Gate, said: &crate::act::Statement, officers: &Officers) -> Result<bool, CaseRefused> {
        Ok(match gate {
            Gate::Open => true,
            Gate::BothUnits => {
                let other = self.other(&said.unit).clone();
                let both = self.has_done(&other, &said.event);
                self.done.push(Done { unit: said.unit.clone(), event: said.event.clone() });
                both
            }
            Gate::ConsentsComplete => {
                let wanted = self.kind_agreed();
                // Complete is not enough: one of them may have expired, or its officer been revoked, since.
                let counts = |held: &Held| self.ledger.consent_given(&held.terms.id(), officers, said.at_ms).is_ok();
                self.providers().iter().all(|unit| {
                    let fits = |held: &&Held| held.terms.provider == **unit && held.terms.kind == wanted;
                    self.ledger.consents().iter().filter(fits).any(counts)
                })
            }
            Gate::AllSealed => self.providers().iter().all(|unit| {
                let sealed =
                    |p: &crate::consent::Parcel| p.provider == **unit && !p.recalled && p.sealed_ms >= self.since_ms;
                self.ledger.parcels().iter().any(sealed)
            }),
            Gate::AllReceived => self.ledger.parcels().iter().all(|p| p.recalled || p.received_by.is_some()),
            Gate::AllDeleted => self.ledger.is_all_deleted(),
        })
    }

    fn kind_agreed(&self) -> ConsentKind {
        match self.offer().map(|offer| offer.outcome) {
            Some(Outcome::Joint) => ConsentKind::Journal,
            _ => ConsentKind::Parcel,
        }
    }

    /// Who gives something under the offer that stands; both, if nobody is named.
    fn providers(&self) -> Vec<&UnitName> {
        match self.offer().and_then(|offer| offer.provider.as_ref()) {
            Some(unit) => vec![unit],
            None => vec![&self.low, &self.high],
        }
    }

    fn enter(&mut self, manual: &Manual, step: &Transition, at_ms: u64) {
        let Some(to) = step.to else { return };
        let state = manual.state(to);
        self.state = to.0;
        self.round = self.round.saturating_add(1);
        self.since_ms = at_ms;
        self.done.clear();
        if state.ends_consents {
            let units = [self.low.clone(), self.high.clone()];
            units.iter().for_each(|unit| self.ledger.withdraw(unit));
        }
        if state.recalls {
            self.ledger.recall(None);
        }
        if state.recalls_unreceived {
            self.ledger.recall_unreceived();
        }
        // An offer that is no more on the table does not count among the rounds of the next talks.
        if step.carries != Carries::Offer && state.ends_consents {
            self.offer = None;
            self.counters = 0;
        }
    }
}

/// What an act carries, in the manual's word.
pub fn carries(content: &Content) -> Carries {
    match content {
        Content::Nothing => Carries::Nothing,
        Content::Offer(..) => Carries::Offer,
        Content::Consent(terms) if terms.kind == ConsentKind::Urgent => Carries::UrgentConsent,
        Content::Consent(_) => Carries::Consent,
        Content::Parcel(_) => Carries::Parcel,
        Content::Conditions(_) => Carries::Conditions,
        Content::Receipt(_) => Carries::Receipt,
        Content::Validation(_) => Carries::Validation,
        Content::Recall => Carries::Recall,
        Content::Deletion => Carries::Deletion,
        Content::Journal => Carries::Journal,
    }
}
