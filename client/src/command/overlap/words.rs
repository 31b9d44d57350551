//! Ids of manuals, moments, and refusals, in the reader's words.
//!
//! A manual is data: an id that the language files know is shown in words, any other as it stands, made harmless for the
//! terminal. Every refusal of manual, kernel, matter, package and parcel has a text `refused-CODE`: the rule, then what to
//! do. *Not here:* the words (language files).

use super::super::Exit;
use crate::agent::CaseworkError;
use crate::language::Messages;
use crate::say;
use crate::session::HandoverError;
use crate::terminal::printable;
use fluent_bundle::FluentValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use protocol::case::CaseRefused;
use protocol::matter::MatterRefused;
use protocol::officer::OfficerRole;
use protocol::package::PackageError;
use protocol::parcel::ParcelError;

/// The words for an id: the text `GROUP-ID`, or the id itself.
pub fn word(group: &str, id: &str, messages: &Messages) -> String {
    let key = format!("{group}-{id}");
    if messages.has(&key) { messages.text(&key) } else { printable(id) }
}

/// A state of a manual.
pub fn state(id: &str, messages: &Messages) -> String {
    word("state", id, messages)
}

/// A role.
pub fn role(role: OfficerRole, messages: &Messages) -> String {
    messages.text(&format!("role-{role}"))
}

/// A rule that a refusal names by an English phrase: its translation stands under the phrase itself.
pub fn rule(phrase: &str, messages: &Messages) -> String {
    let key: String =
        phrase.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let key = format!("rule-{}", key.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"));
    if messages.has(&key) { messages.text(&key) } else { phrase.to_owned() }
}

/// A moment: local time, and UTC where it is another.
pub fn moment(ms: u64) -> String {
    let Some(at) = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return ms.to_string();
    };
    let local = at.to_zoned_datetime(TimeZone::system());
    let utc = at.to_zoned_datetime(TimeZone::UTC);
    let (here, utc) = (local.strftime("%Y-%m-%d %H:%M").to_string(), utc.strftime("%Y-%m-%d %H:%M").to_string());
    if here == utc { format!("{utc} UTC") } else { format!("{here} ({utc} UTC)") }
}

/// How long it is from `now_ms` to `then_ms`, roughly.
pub fn span(now_ms: u64, then_ms: u64, messages: &Messages) -> String {
    let minutes = then_ms.saturating_sub(now_ms) / 60_000;
    let (days, hours) = (minutes / 1440, minutes / 60 % 24);
    match (days, hours) {
        _ if then_ms <= now_ms => messages.text("span-over"),
        (0, 0) => say!(messages, "span-minutes", minutes = minutes),
        (0, _) => say!(messages, "span-hours", hours = hours, minutes = minutes % 60),
        _ => say!(messages, "span-days", days = days, hours = hours),
    }
}

/// How a command ends that was refused.
pub fn exit(error: &HandoverError) -> Exit {
    match error {
        HandoverError::Case(CaseworkError::NotVerified) => Exit::NotVerified,
        HandoverError::Case(CaseworkError::NoOverlap | CaseworkError::Pending) | HandoverError::None => Exit::Refused,
        HandoverError::Case(_) => Exit::Forbidden,
        HandoverError::Parcel(_) => Exit::VerificationFailed,
        HandoverError::Package(_) | HandoverError::File { .. } | HandoverError::Session(_) => Exit::Refused,
    }
}

/// The rule in words, and what to do next. `None`: an error of vault or broker, which has words of its own.
pub fn refusal(error: &HandoverError, messages: &Messages) -> Option<String> {
    let (code, variables): (&str, Vec<(&'static str, String)>) = match error {
        HandoverError::Session(_) => return None,
        HandoverError::File { path, why } => {
            let path = printable(&path.display().to_string());
            return Some(say!(messages, "error-file", path = path, why = why.to_string()));
        }
        HandoverError::None => ("no-package", Vec::new()),
        HandoverError::Package(error) | HandoverError::Parcel(ParcelError::Package(error)) => {
            (error.code(), vec![("item", item_of(error).to_string())])
        }
        HandoverError::Parcel(ParcelError::File(item)) => ("parcel-file", vec![("item", (item + 1).to_string())]),
        HandoverError::Parcel(error) => (error.code(), Vec::new()),
        HandoverError::Case(error) => (error.code(), of_case(error, messages)),
    };
    let variables: Vec<(&'static str, FluentValue<'_>)> =
        variables.into_iter().map(|(name, value)| (name, value.into())).collect();
    let why = messages.say(&format!("why-{code}"), &variables);
    Some(say!(messages, "refused", why = why, next = messages.text(next(code))))
}

/// What to do about a refusal: the key of an advice.
fn next(code: &str) -> &'static str {
    match code {
        "no-overlap" | "no-package" | "parcel-none" | "consent-none" => "next-list",
        "restricted" => "next-release",
        "not-verified" | "parcel-recipient-key" => "next-verify",
        "no-manual" => "next-accord",
        "act-pending" | "case-number" | "case-round" | "case-place" | "case-accord" | "parcel-unfinished" => {
            "next-sync"
        }
        "act-signature" => "next-officers",
        "case-time-back" | "case-time-ahead" => "next-clock",
        "objection" | "lifting" => "next-lift",
        "consent-same-officer" | "consent-roles" | "validation-took-part" | "manual-role" => "next-other-officer",
        "consent-expired" | "consent-withdrawn" | "consent-used" | "consent-other-package" | "consent-other-case" => {
            "next-new-consent"
        }
        "consent-incomplete" => "next-second-officer",
        "matter-urgent-fields" => "next-pack",
        code if code.starts_with("package-") => "next-pack",
        code if code.starts_with("parcel-") && code != "parcel-not-open" => "next-call-peer",
        _ => "next-show",
    }
}

/// A code alone, as events and objections carry it: the rule in words, if it is one of these.
pub fn code(code: &str, messages: &Messages) -> String {
    let key = format!("why-{code}");
    if !messages.has(&key) {
        return printable(code);
    }
    let unnamed = messages.text("rule-unnamed");
    say!(messages, &key, rule = unnamed, state = "…", event = "…", why = "…", item = "…")
}

/// The detail of an event of the agent, in words: cases are told with a handle and an id of the manual.
pub fn detail(event: &str, detail: &str, messages: &Messages) -> String {
    let (first, rest) = detail.split_once(' ').unwrap_or((detail, ""));
    let shown = match event {
        "act" => word("act", rest, messages),
        "case-moved" => state(rest, messages),
        "objection" => code(rest, messages),
        "act-refused" => {
            let act = word("act", first.trim_end_matches(':'), messages);
            return format!("{act}: {}", code(rest, messages));
        }
        _ => return printable(detail),
    };
    format!("{}: {shown}", printable(first))
}

/// The item that a package is refused for: its number from 1, as people count; 0: none.
fn item_of(error: &PackageError) -> usize {
    match error {
        PackageError::FieldName(item)
        | PackageError::Handling(item)
        | PackageError::Restriction(item)
        | PackageError::Necessity(item)
        | PackageError::Text(item)
        | PackageError::FileName(item) => item + 1,
        _ => 0,
    }
}

fn of_case(error: &CaseworkError, messages: &Messages) -> Vec<(&'static str, String)> {
    match error {
        CaseworkError::Objection(why) => vec![("why", code(why, messages))],
        CaseworkError::Case(CaseRefused::NoStep { state: id, event }) => {
            vec![("state", state(id, messages)), ("event", word("act", event, messages))]
        }
        CaseworkError::Case(CaseRefused::Guard(phrase)) | CaseworkError::Matter(MatterRefused::Asks(phrase)) => {
            vec![("rule", rule(phrase, messages))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Event;
    use crate::language::Language;
    use protocol::act::{ActRefused, Outcome};
    use protocol::consent::{ConsentKind, ConsentRefused as C};
    use protocol::manual::{DEFAULT, Manual};
    use protocol::package::{Category, HandlingCode};

    fn default_manual() -> Manual {
        let table: toml::Table = toml::from_str(DEFAULT).unwrap();
        Manual::read(table["manual"].as_table().unwrap()).unwrap()
    }

    fn both(check: impl Fn(&Messages)) {
        for language in [Language::En, Language::Fr] {
            check(&Messages::new(language));
        }
    }

    #[test]
    fn everything_in_the_default_manual_has_words_in_both_languages() {
        let manual = default_manual();
        let mut keys: Vec<String> = Vec::new();
        keys.extend(manual.states().iter().map(|state| format!("state-{}", state.id)));
        keys.extend(manual.transitions().iter().map(|step| format!("act-{}", step.event)));
        keys.extend(manual.reasons().iter().map(|reason| format!("reason-{reason}")));
        keys.extend(manual.attestations().iter().map(|code| format!("attestation-{code}")));
        keys.extend(OfficerRole::ALL.iter().map(|role| format!("role-{role}")));
        keys.extend(Outcome::ALL.iter().map(|outcome| format!("outcome-{}", outcome.name())));
        keys.extend(Category::ALL.iter().map(|category| format!("category-{category}")));
        keys.extend(HandlingCode::ALL.iter().map(|code| format!("handling-{}", code.name().to_ascii_lowercase())));
        for kind in [ConsentKind::Parcel, ConsentKind::Urgent, ConsentKind::Journal] {
            keys.push(super::super::consent::kind_key(kind).to_owned());
        }
        both(|messages| {
            let missing: Vec<_> = keys.iter().filter(|key| !messages.has(key)).collect();
            assert!(missing.is_empty(), "{missing:?}");
        });
    }

    fn casework() -> Vec<CaseworkError> {
        let mut all = vec![
            CaseworkError::NoOverlap,
            CaseworkError::Restricted,
            CaseworkError::NotVerified,
            CaseworkError::NoManual,
            CaseworkError::Pending,
            CaseworkError::Objection("matter-name".to_owned()),
            CaseworkError::Lifting,
        ];
        all.extend([ActRefused::Place, ActRefused::Event, ActRefused::Signature, ActRefused::Consent].map(Into::into));
        let cases = [
            CaseRefused::Place,
            CaseRefused::Accord,
            CaseRefused::Round,
            CaseRefused::Number,
            CaseRefused::TimeBack,
            CaseRefused::TimeAhead,
            CaseRefused::Late,
            CaseRefused::Early,
            CaseRefused::NoStep { state: "offered".to_owned(), event: "accept".to_owned() },
            CaseRefused::Role,
            CaseRefused::Guard("there is no parcel"),
            CaseRefused::Carries,
            CaseRefused::Repeated,
        ];
        all.extend(cases.map(Into::into));
        let consents = [
            C::OtherCase,
            C::NotProvider,
            C::Signature,
            C::SameOfficer,
            C::Roles,
            C::Incomplete,
            C::Complete,
            C::Expired,
            C::Withdrawn,
            C::Used,
            C::None,
            C::OtherPackage,
            C::NoParcel,
            C::Parcel,
            C::TookPart,
            C::TooMany,
        ];
        all.extend(consents.map(Into::into));
        let matters = [
            MatterRefused::DoesNotOpen,
            MatterRefused::Destroyed,
            MatterRefused::Malformed,
            MatterRefused::Commitment,
            MatterRefused::Name,
            MatterRefused::Asks("the purpose"),
            MatterRefused::Openings,
            MatterRefused::UrgentFields,
            MatterRefused::TooLong,
            MatterRefused::Consent,
        ];
        all.extend(matters.map(Into::into));
        all
    }

    #[test]
    fn every_refusal_has_words_in_both_languages() {
        let mut all: Vec<HandoverError> = casework().into_iter().map(Into::into).collect();
        let packages = [
            PackageError::Items,
            PackageError::FieldName(0),
            PackageError::Handling(1),
            PackageError::Restriction(2),
            PackageError::Necessity(3),
            PackageError::Text(4),
            PackageError::FileName(5),
            PackageError::Purpose,
            PackageError::Parties,
            PackageError::TooLarge,
            PackageError::Malformed,
        ];
        all.extend(packages.map(HandoverError::from));
        let parcels = [
            ParcelError::Kind,
            ParcelError::OtherCase,
            ParcelError::OtherPackage,
            ParcelError::RecipientKey,
            ParcelError::OtherParcel,
            ParcelError::Package(PackageError::Items),
            ParcelError::Length,
            ParcelError::DoesNotOpen,
            ParcelError::File(3),
            ParcelError::Unasked,
            ParcelError::Padding,
            ParcelError::Unfinished,
            ParcelError::Void,
        ];
        all.extend(parcels.map(HandoverError::from));
        all.push(HandoverError::None);
        both(|messages| {
            for error in &all {
                let text = refusal(error, messages).unwrap();
                assert!(!text.contains('[') && !text.contains("{$"), "{error:?}: {text}");
            }
        });
    }

    /// Whatever an objection or an event names as its reason.
    #[test]
    fn every_code_that_an_event_carries_has_words() {
        let codes: Vec<&str> = casework().iter().map(|error| error.code()).collect::<Vec<_>>();
        let more = ["parcel-root", "parcel-part", "unknown-sender"];
        both(|messages| {
            for code in codes.iter().chain(&more).filter(|code| **code != "objection") {
                assert!(messages.has(&format!("why-{code}")), "why-{code}");
            }
        });
    }

    #[test]
    fn every_rule_of_the_engine_has_words() {
        let phrases = [
            "the other unit answers an offer",
            "the offer is the other unit's",
            "no counter-offers are left",
            "the offer leads elsewhere",
            "the offer hands nothing over",
            "there is no parcel",
            "a handover names the unit that hands over",
            "a reason by its code",
            "the threat to life",
            "the list of fields",
            "the purpose",
            "every attestation, from the legal officer",
            "a receipt for each copy",
            "an entry in the journal, and there only",
        ];
        let french = Messages::new(Language::Fr);
        for phrase in phrases {
            assert_ne!(rule(phrase, &french), phrase);
        }
        both(|messages| assert!(!rule("the purpose", messages).starts_with('[')));
    }

    #[test]
    fn every_event_of_the_agent_in_cases_has_words() {
        let (unit, handle) = ("GM".parse::<protocol::name::UnitName>().unwrap(), protocol::Bytes([7; 16]));
        let events = [
            Event::Act(unit.clone(), handle, "propose".to_owned()),
            Event::CaseMoved(unit.clone(), handle, "offered".to_owned()),
            Event::ActRefused(unit.clone(), "seal".to_owned(), "consent-none"),
            Event::Objection(unit.clone(), handle, "matter-name"),
            Event::ActHeld(unit.clone(), handle),
            Event::ClockAhead(unit.clone(), handle),
            Event::ParcelCame(unit.clone(), handle),
            Event::ContentDestroyed(unit, handle),
        ];
        both(|messages| {
            for event in &events {
                assert!(messages.has(&format!("event-{}", event.code())), "{}", event.code());
            }
        });
    }

    #[test]
    fn moments_and_spans_are_read_by_people() {
        assert!(moment(1_767_225_600_000).contains("2026-01-01 00:00 UTC"), "{}", moment(1_767_225_600_000));
        assert_eq!(moment(u64::MAX), u64::MAX.to_string());
        let english = Messages::new(Language::En);
        assert_eq!(span(0, 90 * 60_000, &english), "1 h 30 min");
        assert_eq!(span(0, 50 * 3_600_000, &english), "2 d 2 h");
        assert_eq!(span(5, 5, &english), english.text("span-over"));
    }

    #[test]
    fn an_id_that_nobody_translated_is_shown_harmless() {
        let english = Messages::new(Language::En);
        assert_eq!(word("state", "x\u{1b}[2Jy", &english), "x[2Jy");
    }
}
