//! What an officer reads before signing: what the act does, what is signed, what the peer's officers will see, and what the
//! broker will see.
//!
//! Everything here goes to standard error, before any passphrase of the officer's is asked for. *Not here:* the question
//! itself ([`super::Desk::agree`]).

use super::act::{Plan, Prepared};
use super::consent::kind_key;
use super::{Desk, choices, words};
use crate::agent::Prospect;
use crate::language::Messages;
use crate::officers::OwnOfficer;
use crate::say;
use crate::session::ConsentShown;
use crate::terminal::printable;
use protocol::act::Content;
use protocol::consent::ConsentKind;
use protocol::manual::{Carries, Gate, Transition};
use protocol::matter::Matter;
use protocol::package::{Content as Value, FieldLine, Manifest, Purpose};

/// The longest part of a value that is shown here, in characters; `drafts` shows the whole.
const SHOWN: usize = 300;

/// Writes all of it.
pub fn show(desk: &Desk<'_>, officer: &OwnOfficer, prospect: &Prospect, step: &Transition, prepared: &Prepared) {
    let messages = &desk.context.messages;
    let mut lines = vec![say!(
        messages,
        "sign-head",
        officer = printable(&officer.name.name),
        role = words::role(officer.role, messages),
        number = officer.number,
        unit = desk.me.as_str(),
        act = words::word("act", &step.event, messages),
        event = printable(&step.event),
        overlap = desk.short(),
        peer = desk.peer.as_str()
    )];
    lines.push(heading("sign-does", messages));
    lines.extend(effect(desk, prospect, step, prepared));
    lines.push(heading("sign-signed", messages));
    lines.extend(signed(prospect, step, prepared, messages));
    lines.push(say!(messages, "sign-peer-sees", peer = desk.peer.as_str()));
    lines.extend(peer_sees(officer, step.carries, prepared, messages));
    lines.push(heading("sign-broker-sees", messages));
    lines.push(item(&say!(messages, "broker-sees-act", number = officer.number, event = printable(&step.event))));
    lines.extend(broker_sees(step.carries, prepared, messages).map(|text| item(&text)));
    lines.push(item(&messages.text("broker-sees-no-more")));
    desk.context.terminal.message(&lines.join("\n"));
}

fn heading(key: &str, messages: &Messages) -> String {
    messages.text(key)
}

fn item(text: &str) -> String {
    format!("  – {text}")
}

fn effect(desk: &Desk<'_>, prospect: &Prospect, step: &Transition, prepared: &Prepared) -> Vec<String> {
    let messages = &desk.context.messages;
    let manual = &prospect.manual;
    let now = words::state(&manual.state(prospect.case.state()).id, messages);
    let mut lines = Vec::new();
    match prepared.plan.content() {
        Some(Content::Nothing | Content::Consent(_)) => {}
        Some(Content::Offer(outcome, provider)) => {
            let outcome = words::word("outcome", outcome.name(), messages);
            lines.push(match provider {
                Some(unit) => say!(messages, "does-offer-by", outcome = outcome, unit = unit.as_str()),
                None => say!(messages, "does-offer", outcome = outcome),
            });
        }
        _ => lines.push(messages.text(&format!("does-{}", choices::carries_name(step.carries)))),
    }
    if let Some(consent) = &prepared.consent {
        let until = words::moment(consent.shown.terms.until_ms);
        let key = match (consent.shown.terms.kind, consent.is_second) {
            (ConsentKind::Journal, _) => "does-consent-journal",
            (_, true) => "does-consent-second",
            (_, false) => "does-consent-first",
        };
        lines.push(say!(messages, key, peer = desk.peer.as_str(), until = until));
    }
    lines.push(match step.to {
        None => say!(messages, "does-stay", state = now),
        Some(to) => {
            let next = words::state(&manual.state(to).id, messages);
            let key = match step.gate {
                Gate::Open => "does-move",
                Gate::BothUnits => "does-move-both-units",
                Gate::ConsentsComplete => "does-move-consents",
                Gate::AllSealed => "does-move-sealed",
                Gate::AllReceived => "does-move-received",
                Gate::AllDeleted => "does-move-deleted",
            };
            say!(messages, key, state = now, next = next)
        }
    });
    if step.to.is_some_and(|to| manual.state(to).ends_consents) {
        lines.push(messages.text("does-end-consents"));
    }
    lines.iter().map(|line| item(line)).collect()
}

fn signed(prospect: &Prospect, step: &Transition, prepared: &Prepared, messages: &Messages) -> Vec<String> {
    let mut lines = vec![item(&say!(
        messages,
        "signed-act",
        event = printable(&step.event),
        round = prospect.case.round(),
        overlap = prospect.case.handle().to_string()
    ))];
    if let Some(consent) = &prepared.consent {
        let terms = &consent.shown.terms;
        let is_journal = terms.kind == ConsentKind::Journal;
        lines.push(item(&say!(
            messages,
            if is_journal { "signed-consent-journal" } else { "signed-consent" },
            kind = messages.text(kind_key(terms.kind)),
            id = terms.id().to_string(),
            package = terms.package.to_string()
        )));
        let manifest = consent.draft.as_ref().map(|draft| &draft.manifest);
        lines.extend(package(&consent.shown, manifest, messages));
    }
    if let Some(parcel) = &prepared.parcel {
        lines.push(item(&say!(messages, "signed-package", package = parcel.terms.package.to_string())));
        lines.extend(package(parcel, None, messages));
    }
    if let Plan::Journal(entry) = &prepared.plan {
        lines.push(item(&say!(messages, "signed-entry", entry = printable(entry))));
    }
    lines
}

/// Purpose and fields of a consent; with the values, for officers of the unit that gives them.
pub fn package(shown: &ConsentShown, manifest: Option<&Manifest>, messages: &Messages) -> Vec<String> {
    let mut lines: Vec<String> =
        purpose(&shown.openings.purpose.purpose, messages).into_iter().map(|line| item(&line)).collect();
    for (at, line) in shown.openings.fields.lines.iter().enumerate() {
        lines.push(format!("    {}. {}", at + 1, field(line, messages)));
        if let Some(content) = manifest.and_then(|manifest| manifest.items.get(at)).map(|item| &item.content) {
            lines.push(format!("       {}", value(content, messages)));
        }
    }
    lines
}

/// A purpose, line by line.
pub fn purpose(purpose: &Purpose, messages: &Messages) -> Vec<String> {
    let mut lines = vec![
        say!(messages, "package-purpose", text = printable(&purpose.text)),
        say!(messages, "package-offence", text = printable(&purpose.offence)),
        say!(messages, "package-legal-basis", text = printable(&purpose.legal_basis)),
    ];
    if let Some(reference) = &purpose.reference {
        lines.push(say!(messages, "package-reference", text = printable(reference)));
    }
    lines
}

/// One line of a package, without its value.
pub fn field(line: &FieldLine, messages: &Messages) -> String {
    let handling: Vec<String> = line
        .handling
        .iter()
        .map(|code| format!("{code} {}", messages.text(&format!("handling-{}", code.name().to_ascii_lowercase()))))
        .collect();
    let restriction = line.restriction.as_deref().unwrap_or_default();
    let restriction = match restriction {
        "" => String::new(),
        text => say!(messages, "package-restriction", text = printable(text)),
    };
    say!(
        messages,
        "package-field",
        name = printable(&line.name),
        category = messages.text(&format!("category-{}", line.category)),
        handling = format!("{}{restriction}", handling.join(", ")),
        grade = format!("{}{}", line.source, line.information),
        nature = messages.text(&format!("nature-{}", line.nature)),
        necessity = printable(&line.necessity)
    )
}

/// A value, for officers of the unit that has it.
pub fn value(content: &Value, messages: &Messages) -> String {
    match content {
        Value::Text(text) => {
            let whole = printable(text);
            let length = whole.chars().count();
            if length <= SHOWN {
                return format!("= {whole}");
            }
            let begin: String = whole.chars().take(SHOWN).collect();
            say!(messages, "package-value-long", text = begin, length = length)
        }
        Value::File { name, length, .. } => say!(messages, "package-file", name = printable(name), length = *length),
    }
}

fn peer_sees(officer: &OwnOfficer, carries: Carries, prepared: &Prepared, messages: &Messages) -> Vec<String> {
    let Matter { reason, note, fields, purpose: asked, threat, attestations, .. } = &prepared.matter;
    let mut lines = vec![say!(messages, "peer-sees-officer", officer = printable(&officer.name.name))];
    if let Some(reason) = reason {
        lines.push(say!(messages, "peer-sees-reason", reason = words::word("reason", reason, messages)));
    }
    if let Some(note) = note {
        lines.push(say!(messages, "peer-sees-note", note = printable(note)));
    }
    if let Some(threat) = threat {
        lines.push(say!(messages, "peer-sees-threat", threat = printable(threat)));
    }
    let names = |fields: &[FieldLine]| fields.iter().map(|line| printable(&line.name)).collect::<Vec<_>>().join(", ");
    if !fields.is_empty() {
        lines.push(say!(messages, "peer-sees-fields", fields = names(fields)));
    }
    if let Some(asked) = asked {
        lines.extend(purpose(asked, messages));
    }
    if let Some(consent) = &prepared.consent {
        let openings = &consent.shown.openings;
        lines.push(match openings.fields.lines.is_empty() {
            true => messages.text("peer-sees-purpose"),
            false => say!(messages, "peer-sees-consent", fields = names(&openings.fields.lines)),
        });
    }
    match carries {
        Carries::Parcel => lines.push(messages.text("peer-sees-parcel")),
        Carries::Deletion => lines.push(messages.text("peer-sees-copies")),
        _ => {}
    }
    if matches!(prepared.plan, Plan::Journal(_)) {
        lines.push(messages.text("peer-sees-entry"));
    }
    if !attestations.is_empty() {
        let attested: Vec<String> =
            attestations.iter().map(|code| words::word("attestation", code, messages)).collect();
        lines.push(say!(messages, "peer-sees-attested", attested = attested.join("; ")));
    }
    lines.iter().map(|line| item(line)).collect()
}

fn broker_sees(carries: Carries, prepared: &Prepared, messages: &Messages) -> Option<String> {
    match (prepared.plan.content(), carries) {
        (Some(Content::Offer(outcome, _)), _) => {
            Some(say!(messages, "broker-sees-offer", outcome = words::word("outcome", outcome.name(), messages)))
        }
        (_, Carries::Consent | Carries::UrgentConsent) => Some(messages.text("broker-sees-consent")),
        (_, Carries::Parcel) => Some(messages.text("broker-sees-parcel")),
        (_, Carries::Conditions | Carries::Receipt | Carries::Validation) => Some(messages.text("broker-sees-hash")),
        _ => None,
    }
}
