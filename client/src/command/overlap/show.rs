//! `sutura overlap ID`: what met, how the case stands, and what may be done next, by whom.
//!
//! *Not here:* any value of the peer's: fields are names, parcels are hashes and counts.

use super::consent::kind_key;
use super::{Desk, choices, words};
use crate::agent::Prospect;
use crate::command::overlaps::{as_json, best, names};
use crate::command::{CommandError, Exit};
use crate::officers;
use crate::say;
use crate::session::{HandoverError, system_clock};
use crate::terminal::printable;
use protocol::act::Act;
use protocol::case::Choice;
use protocol::consent::{Held, Parcel};
use protocol::message::Head;
use protocol::name::UnitName;
use protocol::officer::OfficerRole;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Names of officers, as far as they are known here: the unit's own, and those of the peer who signed matter.
pub(super) struct Names(BTreeMap<(UnitName, u32), String>);

impl Names {
    /// Collects them. A name counts if it is the one that the officer's unit certified.
    pub async fn of(desk: &Desk<'_>) -> Result<Names, CommandError> {
        let mut known = BTreeMap::new();
        for own in officers::list(&desk.vault).await? {
            known.insert((desk.me.clone(), own.number), own.name.name);
        }
        let certified = desk.session.agent().officers();
        for entry in desk.session.history(&desk.peer, &desk.handle).await? {
            let (Ok(act), Some(matter)) = (Act::from_bytes(&entry.head), entry.matter) else { continue };
            let (Some(signed), Some(by)) = (act.officer, matter.by) else { continue };
            let unit = act.statement.unit;
            if certified.get(&unit, signed.number).is_some_and(|known| known.certificate.name == by.commitment()) {
                known.insert((unit, signed.number), by.name);
            }
        }
        Ok(Names(known))
    }

    /// An officer in words: number, name if known, role.
    pub fn tell(&self, unit: &UnitName, number: u32, role: Option<OfficerRole>, desk: &Desk<'_>) -> String {
        let role = role.or_else(|| Some(desk.session.agent().officers().get(unit, number)?.certificate.role));
        let role = role.map(|role| words::role(role, &desk.context.messages)).unwrap_or_default();
        match self.0.get(&(unit.clone(), number)) {
            Some(name) => format!("{} ({unit} {number}, {role})", printable(name)),
            None => format!("{unit} {number} ({role})"),
        }
    }

    fn name(&self, unit: &UnitName, number: u32) -> Option<&str> {
        self.0.get(&(unit.clone(), number)).map(String::as_str)
    }
}

/// Runs it.
pub async fn run(desk: &Desk<'_>) -> Result<Exit, CommandError> {
    let now = system_clock()();
    let prospect = match desk.session.prospect(&desk.handle) {
        Ok(prospect) => Ok(prospect),
        // Before an accord has a manual there is an overlap, and nothing to be done about it.
        Err(error) => Err(HandoverError::Case(error)),
    };
    let names_of = Names::of(desk).await?;
    // The peer's register is taken to be as large as the own: nobody knows how large it is.
    let records = desk.session.register().counts().await?.records;
    if desk.context.json {
        let mut value = as_json(&desk.shown);
        value["strength"] = strength(desk, records);
        match &prospect {
            Ok(prospect) => add_case(&mut value, desk, prospect, &names_of, now),
            Err(HandoverError::Case(error)) => value["no_case"] = json!(error.code()),
            Err(_) => {}
        }
        desk.context.give(&value);
        return Ok(Exit::Done);
    }
    let messages = &desk.context.messages;
    desk.context.terminal.data(&say!(
        messages,
        "overlap-one",
        handle = desk.shown.handle.as_str(),
        unit = desk.peer.as_str(),
        record = printable(&desk.shown.reference),
        kinds = names(&desk.shown.met).join(", "),
        tier = best(&desk.shown.met),
        shown = desk.context.yes_or_no(desk.shown.surfaced),
        tick = desk.shown.since
    ));
    if let Some(strength) = &desk.shown.strength {
        let card = strength.card(records, records, messages.language().into());
        desk.context.terminal.data(&card.join("\n"));
    }
    let text = match &prospect {
        Ok(prospect) => tell_case(desk, prospect, &names_of, now).join("\n"),
        Err(error) => words::refusal(error, messages).unwrap_or_default(),
    };
    desk.context.terminal.data(&text);
    Ok(Exit::Done)
}

/// The strength card, for programs.
fn strength(desk: &Desk<'_>, records: u64) -> Value {
    let Some(strength) = &desk.shown.strength else { return Value::Null };
    let kinds = strength.kinds.iter().map(|worth| {
        json!({
            "kind": worth.kind.name(), "tier": worth.tier.to_string(), "guess_bits": worth.guess_bits,
            "by_chance": worth.by_chance(records, records),
        })
    });
    json!({ "kinds": kinds.collect::<Vec<_>>(), "by_chance": strength.by_chance(records, records), "records": records })
}

fn tell_case(desk: &Desk<'_>, prospect: &Prospect, names: &Names, now: u64) -> Vec<String> {
    let messages = &desk.context.messages;
    let (case, manual) = (&prospect.case, &prospect.manual);
    let state = words::state(&manual.state(case.state()).id, messages);
    let mut lines = vec![match prospect.is_open {
        true => say!(messages, "case-state", state = state, since = words::moment(case.since_ms())),
        false => say!(messages, "case-not-open", state = state),
    }];
    if let Some(deadline) = case.deadline_ms(manual).filter(|_| prospect.is_open) {
        let next = manual.timeout(case.state()).and_then(|step| step.to);
        let next = next.map(|to| words::state(&manual.state(to).id, messages)).unwrap_or_default();
        let left = words::span(now, deadline, messages);
        lines.push(say!(messages, "case-clock", deadline = words::moment(deadline), left = left, next = next));
    }
    if let Some(offer) = case.offer() {
        let outcome = words::word("outcome", offer.outcome.name(), messages);
        lines.push(match &offer.provider {
            Some(unit) => {
                say!(messages, "case-offer-by", by = offer.by.as_str(), outcome = outcome, provider = unit.as_str())
            }
            None => say!(messages, "case-offer", by = offer.by.as_str(), outcome = outcome),
        });
    }
    lines.extend(case.ledger().consents().iter().map(|held| tell_consent(desk, held, names, now)));
    lines.extend(case.ledger().parcels().iter().map(|parcel| tell_parcel(desk, parcel, names)));
    for objected in &prospect.objections {
        let why = words::code(&objected.code, messages);
        lines.push(say!(messages, "case-objection", why = why, id = desk.short()));
    }
    if prospect.pending {
        lines.push(messages.text("case-pending"));
    }
    lines.extend(tell_choices(desk, prospect, now));
    lines
}

fn tell_consent(desk: &Desk<'_>, held: &Held, names: &Names, now: u64) -> String {
    let messages = &desk.context.messages;
    let unit = &held.terms.provider;
    let signed: Vec<String> =
        held.given.iter().map(|given| names.tell(unit, given.number, Some(given.role), desk)).collect();
    say!(
        messages,
        "case-consent",
        unit = unit.as_str(),
        kind = messages.text(kind_key(held.terms.kind)),
        signed = signed.join(", "),
        until = words::moment(held.terms.until_ms),
        standing = messages.text(&format!("consent-{}", standing(held, now)))
    )
}

/// Where a consent stands: a word for programs, and the end of a key.
fn standing(held: &Held, now: u64) -> &'static str {
    match held {
        _ if held.withdrawn => "withdrawn",
        _ if held.used => "used",
        _ if held.terms.until_ms <= now => "expired",
        _ if held.is_complete() => "complete",
        _ => "incomplete",
    }
}

fn tell_parcel(desk: &Desk<'_>, parcel: &Parcel, names: &Names) -> String {
    let messages = &desk.context.messages;
    let agent = desk.session.agent();
    let ours = parcel.provider == desk.me;
    let mut parts = vec![say!(
        messages,
        if ours { "case-parcel-out" } else { "case-parcel-in" },
        package = parcel.package.to_string().chars().take(12).collect::<String>(),
        sealed = words::moment(parcel.sealed_ms),
        parts = parcel.parts
    )];
    let travels = if ours { agent.is_sending(&desk.handle) } else { !agent.has_come(&desk.handle, &parcel.package) };
    if travels && !parcel.recalled {
        parts.push(messages.text(if ours { "parcel-sending" } else { "parcel-coming" }));
    }
    let mut by = |key: &str, unit: &UnitName, number: Option<u32>| {
        if let Some(number) = number {
            parts.push(say!(messages, key, officer = names.tell(unit, number, None, desk)));
        }
    };
    by("parcel-accepted", &parcel.recipient, parcel.accepted_by);
    by("parcel-received", &parcel.recipient, parcel.received_by);
    by("parcel-validated", &parcel.provider, parcel.validated_by);
    if parcel.recalled {
        parts.push(messages.text(if parcel.deleted { "parcel-deleted" } else { "parcel-recalled" }));
    }
    parts.join(" ")
}

fn tell_choices(desk: &Desk<'_>, prospect: &Prospect, now: u64) -> Vec<String> {
    let messages = &desk.context.messages;
    let (case, manual) = (&prospect.case, &prospect.manual);
    let roles = |choice: &Choice<'_>, unit: &UnitName| {
        let roles: Vec<String> =
            choices::roles_now(case, choice.step, unit).into_iter().map(|role| words::role(role, messages)).collect();
        roles.join(", ")
    };
    let act = |choice: &Choice<'_>| words::word("act", &choice.step.event, messages);
    let mut lines = vec![messages.text("case-next-us")];
    let ours = choices::of_unit(case, manual, &desk.me, now);
    for choice in &ours {
        let (act, roles) = (act(choice), roles(choice, &desk.me));
        if choice.waits {
            lines.push(say!(messages, "case-next-waits", act = act, peer = desk.peer.as_str()));
        } else {
            let line = choices::line(&desk.short(), case, choice.step, messages);
            lines.push(say!(messages, "case-next-line", act = act, roles = roles, line = line));
        }
    }
    if ours.is_empty() {
        lines.push(messages.text("case-next-nothing"));
    }
    let theirs = choices::of_unit(case, manual, &desk.peer, now);
    lines.push(say!(messages, "case-next-them", peer = desk.peer.as_str()));
    for choice in &theirs {
        let (act, roles) = (act(choice), roles(choice, &desk.peer));
        lines.push(match choice.waits {
            true => say!(messages, "case-next-waits", act = act, peer = desk.me.as_str()),
            false => say!(messages, "case-next-other", act = act, roles = roles),
        });
    }
    if theirs.is_empty() {
        lines.push(messages.text("case-next-nothing"));
    }
    lines
}

fn add_case(value: &mut Value, desk: &Desk<'_>, prospect: &Prospect, names: &Names, now: u64) {
    let (case, manual) = (&prospect.case, &prospect.manual);
    let officer = |unit: &UnitName, number: Option<u32>| match number {
        Some(number) => json!({ "number": number, "name": names.name(unit, number) }),
        None => Value::Null,
    };
    let consents: Vec<Value> = case
        .ledger()
        .consents()
        .iter()
        .map(|held| {
            let unit = &held.terms.provider;
            let given: Vec<Value> = held
                .given
                .iter()
                .map(|one| json!({ "number": one.number, "role": one.role.name(), "name": names.name(unit, one.number) }))
                .collect();
            json!({
                "consent": held.terms.id().to_string(), "kind": kind_key(held.terms.kind).trim_start_matches("consent-"),
                "provider": unit.as_str(), "package": held.terms.package.to_string(),
                "until_ms": held.terms.until_ms, "signed": given, "standing": standing(held, now),
            })
        })
        .collect();
    let parcels: Vec<Value> = case
        .ledger()
        .parcels()
        .iter()
        .map(|parcel| {
            json!({
                "package": parcel.package.to_string(), "consent": parcel.consent.to_string(),
                "kind": kind_key(parcel.kind).trim_start_matches("consent-"),
                "provider": parcel.provider.as_str(), "recipient": parcel.recipient.as_str(),
                "parts": parcel.parts, "sealed_ms": parcel.sealed_ms,
                "given": parcel.provider == desk.me,
                "come": desk.session.agent().has_come(&desk.handle, &parcel.package),
                "accepted_by": officer(&parcel.recipient, parcel.accepted_by),
                "received_by": officer(&parcel.recipient, parcel.received_by),
                "validated_by": officer(&parcel.provider, parcel.validated_by),
                "recalled": parcel.recalled, "deleted": parcel.deleted,
            })
        })
        .collect();
    let choices: Vec<Value> = [&desk.me, &desk.peer]
        .into_iter()
        .flat_map(|unit| choices::of_unit(case, manual, unit, now).into_iter().map(move |choice| (unit, choice)))
        .map(|(unit, choice)| {
            let step = choice.step;
            let roles: Vec<&str> = choices::roles_now(case, step, unit).into_iter().map(OfficerRole::name).collect();
            let asks: Vec<&str> = step.asks.iter().map(|ask| choices::asks_name(*ask)).collect();
            json!({
                "unit": unit.as_str(), "event": step.event, "roles": roles,
                "carries": choices::carries_name(step.carries), "asks": asks, "waits": choice.waits,
                "to": step.to.map(|to| manual.state(to).id.clone()),
            })
        })
        .collect();
    let offer = case.offer().map(|offer| {
        let provider = offer.provider.as_ref().map(UnitName::as_str);
        json!({ "by": offer.by.as_str(), "outcome": offer.outcome.name(), "provider": provider })
    });
    let objections: Vec<Value> =
        prospect.objections.iter().map(|one| json!({ "code": one.code, "entry": one.entry })).collect();
    let case_value = json!({
        "open": prospect.is_open, "round": case.round(), "acts": case.acts(),
        "since_ms": prospect.is_open.then_some(case.since_ms()),
        "deadline_ms": case.deadline_ms(manual).filter(|_| prospect.is_open),
        "offer": offer, "consents": consents, "parcels": parcels, "choices": choices,
        "waits_for_us": choices::waits_for(case, manual, &desk.me, now),
        "objections": objections, "pending": prospect.pending,
    });
    if let (Some(all), Value::Object(more)) = (value.as_object_mut(), case_value) {
        all.extend(more);
        if prospect.is_open {
            all.insert("state".to_owned(), json!(manual.state(case.state()).id));
        }
    }
}
