//! Who may do what next, and whether a case waits for a unit.
//!
//! Callers: `show`, `act`, and `sutura status`. The engine says what the manual's public guards allow; here what the kernel
//! would refuse anyway is left out, so that nobody is shown a way that leads nowhere. *Not here:* any permission: the
//! engine and the kernel decide again when somebody acts.

use crate::language::Messages;
use crate::terminal::printable;
use protocol::act::Outcome;
use protocol::case::{Case, Choice};
use protocol::consent::{Held, Parcel};
use protocol::manual::{Asks, Carries, Gate, Guard, Manual, Transition};
use protocol::name::UnitName;
use protocol::officer::OfficerRole;

/// A state with a shorter limit than this wants an answer; longer ones are for looking back.
const WANTS_AN_ANSWER_MS: u64 = 30 * 24 * 3_600_000;

/// The roles that may take a step.
pub fn roles(step: &Transition) -> Vec<OfficerRole> {
    OfficerRole::ALL.into_iter().filter(|role| step.is_for(*role)).collect()
}

/// The roles that may take a step in this case: of a parcel's conditions the kernel leaves only an urgent one's to a head.
pub fn roles_now(case: &Case, step: &Transition, unit: &UnitName) -> Vec<OfficerRole> {
    let mut roles = roles(step);
    let is_urgent = |parcel: &&Parcel| parcel.kind == protocol::consent::ConsentKind::Urgent;
    if step.carries == Carries::Conditions && !parcels(case, step.carries, unit).iter().any(is_urgent) {
        roles.retain(|role| *role == OfficerRole::LegalOfficer);
    }
    roles
}

/// Whether a step gives, promises or asks for something.
pub fn gives(carries: Carries) -> bool {
    use Carries::{Consent, Journal, Offer, Parcel, UrgentConsent};
    matches!(carries, Offer | Consent | UrgentConsent | Parcel | Journal)
}

/// The unit's own consents that a parcel could be sealed from now.
pub fn sealable<'c>(case: &'c Case, unit: &UnitName, now_ms: u64) -> Vec<&'c Held> {
    let consents = case.ledger().consents().iter();
    let is = |held: &&Held| {
        let over_a_package = held.terms.kind != protocol::consent::ConsentKind::Journal;
        held.terms.provider == *unit
            && over_a_package
            && held.is_complete()
            && !held.used
            && !held.withdrawn
            && held.terms.until_ms > now_ms
    };
    consents.filter(is).collect()
}

/// The parcels that an act about a parcel can be about.
pub fn parcels<'c>(case: &'c Case, carries: Carries, unit: &UnitName) -> Vec<&'c Parcel> {
    let is = |parcel: &&Parcel| {
        let (to_us, from_us) = (parcel.recipient == *unit, parcel.provider == *unit);
        match carries {
            Carries::Conditions => to_us && !parcel.recalled && parcel.accepted_by.is_none(),
            Carries::Receipt => {
                to_us && !parcel.recalled && parcel.accepted_by.is_some() && parcel.received_by.is_none()
            }
            Carries::Validation => {
                let urgent = parcel.kind == protocol::consent::ConsentKind::Urgent;
                from_us && urgent && !parcel.recalled && parcel.validated_by.is_none()
            }
            Carries::Deletion => to_us && parcel.recalled && !parcel.deleted,
            _ => false,
        }
    };
    case.ledger().parcels().iter().filter(is).collect()
}

/// Whether the unit gives something under the offer that stands.
fn is_provider(case: &Case, unit: &UnitName) -> bool {
    case.offer().and_then(|offer| offer.provider.as_ref()).is_none_or(|provider| provider == unit)
}

fn is_feasible(case: &Case, step: &Transition, unit: &UnitName, now_ms: u64) -> bool {
    match step.carries {
        Carries::Consent if step.gate == Gate::ConsentsComplete => is_provider(case, unit),
        Carries::Parcel => !sealable(case, unit, now_ms).is_empty(),
        Carries::Conditions | Carries::Receipt | Carries::Validation | Carries::Deletion => {
            !parcels(case, step.carries, unit).is_empty()
        }
        Carries::Recall => {
            let ledger = case.ledger();
            let takes_back = ledger.consents().iter().any(|held| !held.used && !held.withdrawn);
            takes_back || ledger.parcels().iter().any(|parcel| !parcel.recalled)
        }
        _ => true,
    }
}

/// What officers of a unit may do now, each event once.
pub fn of_unit<'m>(case: &Case, manual: &'m Manual, unit: &UnitName, now_ms: u64) -> Vec<Choice<'m>> {
    if case.deadline_ms(manual).is_some_and(|deadline| now_ms >= deadline) {
        return Vec::new();
    }
    let mut choices = case.choices(manual, unit);
    choices.retain(|choice| !roles(choice.step).is_empty() && is_feasible(case, choice.step, unit, now_ms));
    choices
}

/// Whether a case waits for this unit: the other has done its part, something is to be answered, or the state wants an
/// answer soon.
pub fn waits_for(case: &Case, manual: &Manual, unit: &UnitName, now_ms: u64) -> bool {
    let theirs = case.choices(manual, case.other(unit));
    let is_soon = manual.state(case.state()).limit_ms.is_some_and(|limit| limit < WANTS_AN_ANSWER_MS);
    of_unit(case, manual, unit, now_ms).iter().filter(|choice| !choice.waits).any(|choice| {
        let step = choice.step;
        let other_did = || theirs.iter().any(|other| other.step.event == step.event && other.waits);
        match (step.carries, step.gate) {
            (Carries::Parcel | Carries::Conditions | Carries::Receipt, _) => true,
            (Carries::Validation | Carries::Deletion, _) => true,
            (Carries::Consent, gate) => is_soon && gate == Gate::ConsentsComplete,
            (Carries::UrgentConsent | Carries::Offer, _) => is_soon && !step.guards.contains(&Guard::CountersLeft),
            (_, Gate::BothUnits) => is_soon || other_did(),
            _ => step.guards.contains(&Guard::OtherUnit),
        }
    })
}

/// The command line of a step, ready to be completed.
pub fn line(short: &str, case: &Case, step: &Transition, messages: &Messages) -> String {
    let mut out = format!("sutura overlap {short} {} --as {}", printable(&step.event), messages.text("word-name"));
    let mut add = |text: &str| {
        out.push(' ');
        out.push_str(text);
    };
    let outcome = case.offer().map(|offer| offer.outcome);
    match step.carries {
        Carries::Offer => add("--outcome separate|handover|mutual|joint [--provider us|them]"),
        Carries::Consent if outcome == Some(Outcome::Joint) => add("--purpose-text … --offence … --legal-basis …"),
        Carries::Consent | Carries::UrgentConsent => add(&format!("--package {}", messages.text("word-draft"))),
        Carries::Journal => add("--entry …"),
        Carries::Deletion => add("--all-copies-destroyed"),
        _ => {}
    }
    for ask in &step.asks {
        add(match ask {
            Asks::Reason => "--reason CODE",
            Asks::Threat => "--threat …",
            Asks::Fields => "--field NAME …",
            Asks::Purpose => "--purpose-text … --offence … --legal-basis …",
            Asks::Attestations => "--attest all",
        });
    }
    out
}

/// The stable name of what a step carries, as manuals write it.
pub fn carries_name(carries: Carries) -> &'static str {
    match carries {
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

/// The stable name of what a step asks for, as manuals write it.
pub fn asks_name(ask: Asks) -> &'static str {
    match ask {
        Asks::Reason => "reason",
        Asks::Threat => "threat",
        Asks::Fields => "fields",
        Asks::Purpose => "purpose",
        Asks::Attestations => "attestations",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::name::Pair;
    use protocol::{Bytes, Hash};

    fn fresh() -> (Manual, Case, [UnitName; 2]) {
        let table: toml::Table = toml::from_str(protocol::manual::DEFAULT).unwrap();
        let manual = Manual::read(table["manual"].as_table().unwrap()).unwrap();
        let units: [UnitName; 2] = ["GM".parse().unwrap(), "SN".parse().unwrap()];
        let pair = Pair::new(&units[0], &units[1]).unwrap();
        let case = Case::open(&manual, Hash::ZERO, Hash::ZERO, Bytes([1; 16]), &pair, 1000);
        (manual, case, units)
    }

    #[test]
    fn a_new_case_waits_for_both_until_its_limit() {
        let (manual, case, units) = fresh();
        assert!(units.iter().all(|unit| waits_for(&case, &manual, unit, 2000)));
        let events: Vec<&str> =
            of_unit(&case, &manual, &units[0], 2000).iter().map(|choice| choice.step.event.as_str()).collect();
        assert_eq!(events, ["acknowledge", "urgent"]);
        let late = case.deadline_ms(&manual).unwrap();
        assert!(of_unit(&case, &manual, &units[0], late).is_empty(), "after the limit only the clock acts");
        assert!(!waits_for(&case, &manual, &units[0], late));
    }

    #[test]
    fn the_line_names_what_the_step_asks_for() {
        let (manual, case, _) = fresh();
        let step = manual.transitions().iter().find(|step| step.event == "propose").unwrap();
        let line = line("3f9a", &case, step, &Messages::new(crate::language::Language::En));
        assert!(line.starts_with("sutura overlap 3f9a propose --as NAME --outcome"), "{line}");
        assert!(line.ends_with("--field NAME …"), "{line}");
    }
}
