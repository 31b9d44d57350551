//! The invariants that a manual must keep to be used: each is proved over the whole procedure, or the manual is refused.
//!
//! Caller: [`Manual::read`]. The kernel holds without any of them; they keep a manual from leading people into a state
//! that nobody can leave, or from promising what the kernel will refuse.

use super::{Actor, Carries, Gate, Guard, Manual, State, StateId, Transition};
use crate::act::Outcome;
use crate::officer::OfficerRole;
use std::collections::BTreeSet;

/// The clock's event.
pub const TIMEOUT: &str = "timeout";

/// Why a manual is not used.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ManualError {
    /// Not the tables of a manual, or a key that is unknown or missing.
    #[error("the manual is not readable: {0}")]
    Text(String),
    /// Too many states or steps, or none.
    #[error("the manual has no states, or too many states or steps")]
    Size,
    /// A word that means nothing here.
    #[error("the manual's word \"{0}\" means nothing here")]
    UnknownWord(String),
    /// A state that is not described.
    #[error("the manual names a state \"{0}\" that it does not describe")]
    UnknownState(String),
    /// A rule that the procedure breaks, with the state or step that does.
    #[error("the manual breaks a rule at {at}: {rule}")]
    Broken {
        /// Where.
        at: String,
        /// Which.
        rule: &'static str,
    },
}

/// Proves the invariants.
///
/// # Errors
/// [`ManualError::Broken`] with the first that fails.
pub fn check(manual: &Manual) -> Result<(), ManualError> {
    let mut seen = BTreeSet::new();
    for (at, state) in manual.states.iter().enumerate() {
        if !seen.insert(&state.id) {
            return Err(broken(&state.id, "a state is described once"));
        }
        check_state(manual, StateId(at as u16), state)?;
    }
    for step in &manual.transitions {
        check_step(manual, step)
            .map_err(|rule| broken(&format!("{}/{}", name(manual, step.from), step.event), rule))?;
    }
    check_paths(manual)
}

fn broken(at: &str, rule: &'static str) -> ManualError {
    ManualError::Broken { at: at.to_owned(), rule }
}

fn name(manual: &Manual, state: StateId) -> &str {
    &manual.state(state).id
}

fn check_state(manual: &Manual, id: StateId, state: &State) -> Result<(), ManualError> {
    let fail = |rule| Err(broken(&state.id, rule));
    let clocks = manual.from(id).filter(|step| step.by.contains(&Actor::Clock)).count();
    match state.limit_ms {
        None if manual.from(id).next().is_some() => return fail("an end has no step that leads out of it"),
        Some(_) if clocks != 1 => return fail("a state that waits has a limit, and one step for when it has passed"),
        _ => {}
    }
    let recallable = manual.from(id).any(|step| step.carries == Carries::Recall);
    if state.discloses && !recallable {
        return fail("whatever was disclosed can be recalled");
    }
    let recalls = state.recalls || state.recalls_unreceived;
    if recalls && !manual.from(id).any(|step| step.carries == Carries::Deletion) {
        return fail("where something is recalled, its recipient can say that it is deleted");
    }
    let steps: Vec<&Transition> = manual.from(id).collect();
    for (at, step) in steps.iter().enumerate() {
        for other in &steps[at + 1..] {
            if step.event == other.event && !exclude(step, other) {
                return fail("an event leads to one place");
            }
        }
    }
    Ok(())
}

/// Whether no case can satisfy the outcome guards of both.
fn exclude(a: &Transition, b: &Transition) -> bool {
    let allows = |step: &Transition, outcome| {
        step.guards.iter().all(|guard| match guard {
            Guard::Outcome(one) => *one == outcome,
            Guard::OutcomeData => is_data(outcome),
            _ => true,
        })
    };
    let is_guarded =
        |step: &Transition| step.guards.iter().any(|guard| matches!(guard, Guard::Outcome(_) | Guard::OutcomeData));
    is_guarded(a) && is_guarded(b) && Outcome::ALL.iter().all(|outcome| !(allows(a, *outcome) && allows(b, *outcome)))
}

/// Whether an outcome has data handed over.
pub(crate) fn is_data(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Handover | Outcome::Mutual)
}

fn check_step(manual: &Manual, step: &Transition) -> Result<(), &'static str> {
    let clock = step.by.contains(&Actor::Clock);
    if step.by.is_empty() {
        return Err("a step is somebody's");
    }
    if clock != (step.event == TIMEOUT) || (clock && step.by.len() > 1) {
        return Err("the clock's event is timeout, and nobody else's");
    }
    if clock && (step.to.is_none() || step.carries != Carries::Nothing || !step.guards.is_empty()) {
        return Err("time moves a case, and carries nothing");
    }
    if clock && (step.gate != Gate::Open || !step.asks.is_empty()) {
        return Err("time waits for nobody");
    }
    if step.by.contains(&Actor::Agent) && !matches!(step.carries, Carries::Nothing | Carries::Deletion) {
        return Err("an agent by itself gives nothing, and says only what it deleted");
    }
    let gives = matches!(step.carries, Carries::Consent | Carries::UrgentConsent | Carries::Parcel);
    if gives && step.is_for(OfficerRole::Mentor) {
        return Err("a mentor has no part in a disclosure");
    }
    let discloses = |state: StateId| manual.state(state).discloses;
    if let Some(to) = step.to.filter(|to| discloses(*to) && !discloses(step.from)) {
        let by_consent = match step.carries {
            Carries::Parcel => true,
            Carries::Consent => step.gate == Gate::ConsentsComplete,
            // Content that was disclosed before the talks went on.
            _ => step.guards.contains(&Guard::HasParcel),
        };
        if clock || !by_consent || manual.state(to).recalls {
            return Err("nothing but a consent, or a parcel sealed from one, leads to a state that discloses");
        }
    }
    Ok(())
}

fn check_paths(manual: &Manual) -> Result<(), ManualError> {
    let reached = closure(manual, |found, step| found.contains(&step.from).then_some(step.to?), [manual.first]);
    let ends = (0..manual.states.len()).map(|at| StateId(at as u16)).filter(|id| manual.state(*id).limit_ms.is_none());
    let ending = closure(manual, |found, step| found.contains(&step.to?).then_some(step.from), ends);
    for (at, state) in manual.states.iter().enumerate() {
        let id = StateId(at as u16);
        if !reached.contains(&id) {
            return Err(broken(&state.id, "every state can be reached"));
        }
        if !ending.contains(&id) {
            return Err(broken(&state.id, "every state can end"));
        }
        let mut here = id;
        for _ in 0..=manual.states.len() {
            match manual.timeout(here).and_then(|step| step.to) {
                Some(next) => here = next,
                None => break,
            }
        }
        if manual.state(here).limit_ms.is_some() {
            return Err(broken(&state.id, "time alone brings every case to an end"));
        }
    }
    check_unreceived(manual)
}

/// A parcel that nobody received does not lie sealed with its recipient for ever: wherever one can be, time alone leads
/// to a state that recalls it.
fn check_unreceived(manual: &Manual) -> Result<(), ManualError> {
    let recalls = |state: StateId| manual.state(state).recalls || manual.state(state).recalls_unreceived;
    let mut sealed = Vec::new();
    for step in manual.transitions.iter().filter(|step| step.carries == Carries::Parcel) {
        sealed.extend(step.to);
        if step.to.is_none() || step.gate != Gate::Open {
            sealed.push(step.from);
        }
    }
    let lying = closure(manual, |found, step| step.to.filter(|to| found.contains(&step.from) && !recalls(*to)), sealed);
    for id in lying {
        let mut here = id;
        while !recalls(here) || here == id {
            let next = manual.timeout(here).and_then(|step| step.to);
            here = next.ok_or_else(|| broken(name(manual, id), "time alone takes back what nobody received"))?;
        }
    }
    Ok(())
}

fn closure(
    manual: &Manual,
    next: impl Fn(&BTreeSet<StateId>, &Transition) -> Option<StateId>,
    first: impl IntoIterator<Item = StateId>,
) -> BTreeSet<StateId> {
    let mut found: BTreeSet<StateId> = first.into_iter().collect();
    loop {
        let more: Vec<StateId> = manual.transitions.iter().filter_map(|step| next(&found, step)).collect();
        let before = found.len();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manual::DEFAULT;

    fn read(text: &str) -> Result<Manual, ManualError> {
        let table: toml::Table = toml::from_str(text).unwrap();
        Manual::read(table["manual"].as_table().unwrap())
    }

    #[test]
    fn the_default_manual_keeps_every_invariant() {
        let manual = read(DEFAULT).unwrap();
        assert!(manual.states().len() > 15 && manual.transitions().len() > 60);
    }

    #[test]
    fn every_fault_in_a_manual_is_named() {
        let cases = [
            (
                "a limit that discloses",
                "from = [\"authorised\"]\nevent = \"timeout\"\nby = [\"clock\"]\nto = \"negotiating\"",
                "from = [\"authorised\"]\nevent = \"timeout\"\nby = [\"clock\"]\nto = \"sealed\"",
            ),
            (
                "a mentor who consents",
                "by = [\"head\", \"legal-officer\"]\nif = [\"outcome-data\"]\ncarries = \"consent\"",
                "by = [\"mentor\"]\nif = [\"outcome-data\"]\ncarries = \"consent\"",
            ),
            (
                "a disclosure without consent",
                "event = \"unsure\"\nby = [\"investigator\", \"head\"]\nto = \"unsure\"",
                "event = \"unsure\"\nby = [\"investigator\", \"head\"]\nto = \"sealed\"",
            ),
            (
                "a joint that waits for nobody's consent",
                "asks = [\"attestations\"]\nwhen = \"consents-complete\"\nto = \"joint\"",
                "asks = [\"attestations\"]\nto = \"joint\"",
            ),
            (
                "an agent that consents",
                "event = \"urgent-consent\"\nby = [\"head\",",
                "event = \"urgent-consent\"\nby = [\"agent\", \"head\",",
            ),
            ("a state without a limit", "id = \"offered\"\nlimit = \"72h\"", "id = \"offered\""),
            ("two places for one event", "event = \"unsure\"", "event = \"same\""),
            (
                "a limit that runs in circles",
                "from = [\"closed\"]\nevent = \"timeout\"\nby = [\"clock\"]\nto = \"ended\"",
                "from = [\"closed\"]\nevent = \"timeout\"\nby = [\"clock\"]\nto = \"separate\"",
            ),
        ];
        for (name, from, to) in cases {
            assert!(DEFAULT.contains(from), "{name}: the text to change is gone");
            let result = read(&DEFAULT.replacen(from, to, 1));
            assert!(result.is_err(), "{name}: {result:?}");
        }
        let lying = DEFAULT.replace("recalls_unreceived = true\n", "");
        assert_eq!(read(&lying).unwrap_err(), broken("negotiating", "time alone takes back what nobody received"));
        let silent = DEFAULT.replace(
            "event = \"deleted\"\nby = [\"agent\", \"legal-officer\"]\ncarries = \"deletion\"",
            "event = \"deleted\"\nby = [\"legal-officer\"]",
        );
        assert!(matches!(
            read(&silent),
            Err(ManualError::Broken {
                rule: "where something is recalled, its recipient can say that it is deleted",
                ..
            })
        ));
        let unreachable = DEFAULT.replace("to = \"unsure\"", "to = \"closed\"");
        assert_eq!(read(&unreachable).unwrap_err(), broken("unsure", "every state can be reached"));
        let kept = DEFAULT.replace("carries = \"recall\"", "");
        assert!(matches!(read(&kept), Err(ManualError::Broken { rule: "whatever was disclosed can be recalled", .. })));
        assert!(matches!(read(&DEFAULT.replace("\"24h\"", "\"soon\"")), Err(ManualError::UnknownWord(_))));
        assert!(matches!(
            read(&DEFAULT.replace("to = \"closed\"", "to = \"lost\"")),
            Err(ManualError::UnknownState(_))
        ));
    }
}
