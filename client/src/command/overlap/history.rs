//! `history`, `journal` and `lift`: what was done in a case, what was written together, and going on after an objection.
//!
//! *Not here:* the proof of any of it, which is the audit's.

use super::show::Names;
use super::{Desk, Said, words};
use crate::command::{CommandError, Exit};
use crate::say;
use crate::session::{HandoverError, Signatory};
use crate::terminal::printable;
use protocol::act::{Act, Content};
use protocol::lifting::{LIFTERS, MAX_WHY};
use protocol::message::{Deadline, Head};
use serde_json::{Value, json};

/// `history`: every act and limit, in the order of the log.
pub async fn run(desk: &Desk<'_>) -> Result<Exit, CommandError> {
    let messages = &desk.context.messages;
    let names = Names::of(desk).await?;
    let history = desk.session.history(&desk.peer, &desk.handle).await?;
    let (mut rows, mut values): (Vec<Vec<String>>, Vec<Value>) = (Vec::new(), Vec::new());
    for entry in &history {
        let matter = entry.matter.as_ref();
        let reason = matter.and_then(|matter| matter.reason.as_deref());
        let note = matter.and_then(|matter| matter.note.as_deref().or(matter.threat.as_deref()));
        if let Ok(act) = Act::from_bytes(&entry.head) {
            let (said, number) = (&act.statement, act.officer.as_ref().map(|signed| signed.number));
            let by = match number {
                Some(number) => names.tell(&said.unit, number, None, desk),
                None => format!("{} ({})", said.unit, messages.text("by-agent")),
            };
            let because = [reason.map(|code| words::word("reason", code, messages)), note.map(str::to_owned)];
            let because: Vec<String> = because.into_iter().flatten().collect();
            let (moment, event) = (words::moment(said.at_ms), words::word("act", &said.event, messages));
            rows.push(vec![moment, by, event, because.join(" – ")]);
            values.push(json!({
                "entry": entry.entry, "at_ms": said.at_ms, "unit": said.unit.as_str(), "officer": number,
                "event": said.event, "round": said.round, "reason": reason, "note": note,
                "opened": matter.is_some(),
            }));
        } else if let Ok(limit) = Deadline::from_bytes(&entry.head) {
            let clock = messages.text("by-clock");
            rows.push(vec![words::moment(limit.at_ms), clock, words::word("act", "timeout", messages), String::new()]);
            let (at, round) = (limit.at_ms, limit.round);
            values.push(json!({ "entry": entry.entry, "at_ms": at, "event": "timeout", "round": round }));
        }
    }
    if desk.context.json {
        desk.context.give(&json!({ "overlap": desk.handle.to_string(), "acts": values }));
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        desk.context.tell("history-none", &[]);
        return Ok(Exit::Refused);
    }
    desk.context.show_table(&["column-when", "column-by", "column-act", "column-because"], rows);
    Ok(Exit::Done)
}

/// `journal`: the entries of both units.
pub async fn journal(desk: &Desk<'_>) -> Result<Exit, CommandError> {
    let names = Names::of(desk).await?;
    let mut values = Vec::new();
    for entry in desk.session.history(&desk.peer, &desk.handle).await? {
        let (Ok(act), Some(matter)) = (Act::from_bytes(&entry.head), entry.matter) else { continue };
        let (Content::Journal, Some(text)) = (&act.statement.content, matter.entry()) else { continue };
        let said = &act.statement;
        let number = act.officer.as_ref().map(|signed| signed.number);
        if desk.context.json {
            let unit = said.unit.as_str();
            values.push(json!({ "at_ms": said.at_ms, "unit": unit, "officer": number, "entry": text }));
            continue;
        }
        let by = number.map_or(said.unit.to_string(), |number| names.tell(&said.unit, number, None, desk));
        desk.context.terminal.data(&format!("{} – {by}", words::moment(said.at_ms)));
        for line in text.lines() {
            desk.context.terminal.data(&format!("  {}", printable(line)));
        }
        values.push(Value::Null);
    }
    if desk.context.json {
        desk.context.give(&json!({ "overlap": desk.handle.to_string(), "entries": values }));
        return Ok(Exit::Done);
    }
    if values.is_empty() {
        desk.context.tell("journal-none", &[]);
        return Ok(Exit::Refused);
    }
    Ok(Exit::Done)
}

/// `lift`: a head or legal officer has looked at what this unit objected to, and signs that it goes on, and why.
pub async fn lift(desk: &mut Desk<'_>, said: &Said) -> Result<Exit, CommandError> {
    let messages = &desk.context.messages;
    let prospect = desk.session.prospect(&desk.handle).map_err(HandoverError::from)?;
    if prospect.objections.is_empty() {
        return Err(CommandError::told(Exit::Refused, "error-no-objection", &[]));
    }
    let because = said.because.clone().filter(|text| !text.trim().is_empty() && text.len() <= MAX_WHY);
    let Some(because) = because else {
        return Err(CommandError::told(Exit::Usage, "error-because-lift", &[("most", &MAX_WHY.to_string())]));
    };
    let officer = desk.officer(said, &LIFTERS).await?;
    for objected in &prospect.objections {
        let why = words::code(&objected.code, messages);
        desk.context.terminal.message(&say!(messages, "lift-ask", why = why));
    }
    let because_shown = printable(&because);
    desk.context.terminal.message(&say!(messages, "lift-ask-signed", because = because_shown));
    desk.agree(said, false)?;
    let unlocked = desk.unlock(&officer).await?;
    let by = Signatory { number: unlocked.number, key: &unlocked.key, name: &unlocked.name };
    desk.session.lift(by, &desk.handle, because).await?;
    if desk.context.json {
        let lifted: Vec<Value> =
            prospect.objections.iter().map(|one| json!({ "code": one.code, "entry": one.entry })).collect();
        let (overlap, officer) = (desk.handle.to_string(), officer.number);
        desk.context.give(&json!({ "overlap": overlap, "lifted": lifted, "officer": officer }));
    } else {
        desk.context.terminal.data(&desk.context.messages.text("lift-done"));
    }
    Ok(Exit::Done)
}
