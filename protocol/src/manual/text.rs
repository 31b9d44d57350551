//! The text of a manual: TOML as people write it, into [`Manual`].
//!
//! Caller: [`Manual::read`]. *Not here:* whether the procedure makes sense ([`super::check`]).

use super::{Actor, Asks, Carries, Gate, Guard, Manual, ManualError, State, StateId, Transition};
use crate::act::{Outcome, is_event};
use crate::officer::OfficerRole;
use serde::Deserialize;

/// Most states, and most steps.
const MAX_STATES: usize = 256;
const MAX_STEPS: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: String,
    first: String,
    #[serde(default = "three")]
    max_counters: u32,
    #[serde(default)]
    reasons: Vec<String>,
    #[serde(default)]
    attestations: Vec<String>,
    #[serde(default)]
    urgent_fields: Vec<String>,
    state: Vec<StateText>,
    step: Vec<StepText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateText {
    id: String,
    limit: Option<String>,
    #[serde(default)]
    discloses: bool,
    #[serde(default)]
    recalls: bool,
    #[serde(default)]
    recalls_unreceived: bool,
    #[serde(default)]
    ends_consents: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    from: Vec<String>,
    event: String,
    by: Vec<String>,
    #[serde(default, rename = "if")]
    guards: Vec<String>,
    carries: Option<String>,
    #[serde(default)]
    asks: Vec<String>,
    when: Option<String>,
    to: Option<String>,
}

fn three() -> u32 {
    3
}

pub(super) fn read(table: &toml::Table) -> Result<Manual, ManualError> {
    let text: Text =
        table.clone().try_into().map_err(|e: toml::de::Error| ManualError::Text(e.message().to_owned()))?;
    if text.state.is_empty() || text.state.len() > MAX_STATES {
        return Err(ManualError::Size);
    }
    let mut states = Vec::with_capacity(text.state.len());
    for state in &text.state {
        let limit_ms = state.limit.as_deref().map(duration).transpose()?;
        states.push(State {
            id: word(&state.id)?,
            limit_ms,
            discloses: state.discloses,
            recalls: state.recalls,
            recalls_unreceived: state.recalls_unreceived,
            ends_consents: state.ends_consents,
        });
    }
    let find = |id: &str| -> Result<StateId, ManualError> {
        let at = states.iter().position(|state| state.id == id);
        at.map(|at| StateId(at as u16)).ok_or_else(|| ManualError::UnknownState(id.to_owned()))
    };
    let mut transitions = Vec::new();
    for step in &text.step {
        let by = step.by.iter().map(|word| actor(word)).collect::<Result<Vec<_>, _>>()?;
        let guards = step.guards.iter().map(|word| guard(word)).collect::<Result<Vec<_>, _>>()?;
        let asks = step.asks.iter().map(|word| ask(word)).collect::<Result<Vec<_>, _>>()?;
        let (carries, gate) = (carried(step.carries.as_deref())?, gated(step.when.as_deref())?);
        let to = step.to.as_deref().map(find).transpose()?;
        for from in &step.from {
            let (from, event) = (find(from)?, word(&step.event)?);
            let (by, guards, asks) = (by.clone(), guards.clone(), asks.clone());
            transitions.push(Transition { from, event, by, guards, carries, asks, gate, to });
        }
    }
    if transitions.len() > MAX_STEPS {
        return Err(ManualError::Size);
    }
    Ok(Manual {
        first: find(&text.first)?,
        version: text.version,
        states,
        transitions,
        max_counters: text.max_counters,
        reasons: text.reasons.iter().map(|code| word(code)).collect::<Result<_, _>>()?,
        attestations: text.attestations.iter().map(|code| word(code)).collect::<Result<_, _>>()?,
        urgent_fields: text.urgent_fields,
    })
}

fn unknown(word: &str) -> ManualError {
    ManualError::UnknownWord(word.to_owned())
}

fn word(text: &str) -> Result<String, ManualError> {
    if is_event(text) { Ok(text.to_owned()) } else { Err(unknown(text)) }
}

/// `90s`, `30m`, `24h`, `7d`.
fn duration(text: &str) -> Result<u64, ManualError> {
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(|| unknown(text))?;
    let each = match unit {
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(unknown(text)),
    };
    let number: u64 = number.parse().map_err(|_| unknown(text))?;
    // Ten years at most: past that, nobody waits.
    let limit = number.checked_mul(each).filter(|limit| (1..=315_360_000_000).contains(limit));
    limit.ok_or_else(|| unknown(text))
}

fn actor(word: &str) -> Result<Actor, ManualError> {
    match word {
        "agent" => Ok(Actor::Agent),
        "clock" => Ok(Actor::Clock),
        role => role.parse::<OfficerRole>().map(Actor::Officer).map_err(|_| unknown(word)),
    }
}

fn guard(word: &str) -> Result<Guard, ManualError> {
    match word {
        "other-unit" => Ok(Guard::OtherUnit),
        "same-unit" => Ok(Guard::SameUnit),
        "counters-left" => Ok(Guard::CountersLeft),
        "has-parcel" => Ok(Guard::HasParcel),
        "outcome-data" => Ok(Guard::OutcomeData),
        _ => {
            let outcome = word.strip_prefix("outcome-").and_then(|name| name.parse::<Outcome>().ok());
            outcome.map(Guard::Outcome).ok_or_else(|| unknown(word))
        }
    }
}

fn carried(word: Option<&str>) -> Result<Carries, ManualError> {
    Ok(match word {
        None => Carries::Nothing,
        Some("offer") => Carries::Offer,
        Some("consent") => Carries::Consent,
        Some("urgent-consent") => Carries::UrgentConsent,
        Some("parcel") => Carries::Parcel,
        Some("conditions") => Carries::Conditions,
        Some("receipt") => Carries::Receipt,
        Some("validation") => Carries::Validation,
        Some("recall") => Carries::Recall,
        Some("deletion") => Carries::Deletion,
        Some("journal") => Carries::Journal,
        Some(other) => return Err(unknown(other)),
    })
}

fn ask(word: &str) -> Result<Asks, ManualError> {
    match word {
        "reason" => Ok(Asks::Reason),
        "threat" => Ok(Asks::Threat),
        "fields" => Ok(Asks::Fields),
        "purpose" => Ok(Asks::Purpose),
        "attestations" => Ok(Asks::Attestations),
        _ => Err(unknown(word)),
    }
}

fn gated(word: Option<&str>) -> Result<Gate, ManualError> {
    Ok(match word {
        None => Gate::Open,
        Some("both-units") => Gate::BothUnits,
        Some("consents-complete") => Gate::ConsentsComplete,
        Some("all-sealed") => Gate::AllSealed,
        Some("all-received") => Gate::AllReceived,
        Some("all-deleted") => Gate::AllDeleted,
        Some(other) => return Err(unknown(other)),
    })
}
