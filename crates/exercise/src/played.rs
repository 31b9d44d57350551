//! What happened in a case, as both units can show it: acts, who signed them, and what the sealed matter said.
//!
//! Callers: the story's page and terminal. *Not here:* what the broker has of it ([`crate::broker_view`]).

use crate::outcomes::Ending;
use crate::talks::{Side, Talks};
use anyhow::{Result, ensure};
use protocol::act::Act;
use protocol::matter::Matter;
use protocol::message::{Deadline, Head};

/// An act of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActPlayed {
    /// Whose officers acted; nobody's, for a limit.
    pub unit: String,
    /// In which role.
    pub role: String,
    /// What was done.
    pub event: String,
    /// What both units read beside it, and the broker does not.
    pub said: String,
}

/// An outcome that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// Which one.
    pub ending: Ending,
    /// The overlap's handle.
    pub handle: String,
    /// The two records, in the order of [`Ending::units`].
    pub records: [String; 2],
    /// Where the procedure stands.
    pub state: String,
    /// All acts, in the order of the log.
    pub acts: Vec<ActPlayed>,
    /// Whether all came as it should.
    pub ok: bool,
}

/// All acts of a case. Both sides must have kept the same ones.
pub async fn acts_of(talks: &mut Talks<'_>) -> Result<Vec<ActPlayed>> {
    let [one, other] = [acts_seen_by(talks, Side::One).await?, acts_seen_by(talks, Side::Other).await?];
    ensure!(one == other, "both sides read the same");
    Ok(one)
}

async fn acts_seen_by(talks: &mut Talks<'_>, side: Side) -> Result<Vec<ActPlayed>> {
    let (handle, peer) = (talks.handle, talks.unit(side.peer()).name.clone());
    let mut acts = Vec::new();
    for entry in talks.unit(side).session.history(&peer, &handle).await? {
        if Deadline::from_bytes(&entry.head).is_ok() {
            let (unit, role) = (String::new(), "clock".to_owned());
            acts.push(ActPlayed { unit, role, event: "timeout".to_owned(), said: String::new() });
            continue;
        }
        let Act { statement, officer } = Act::from_bytes(&entry.head)?;
        let officers = talks.unit(side).session.agent().officers();
        let officer = officer.and_then(|signed| officers.get(&statement.unit, signed.number));
        acts.push(ActPlayed {
            unit: statement.unit.to_string(),
            role: officer.map_or("agent".to_owned(), |officer| officer.certificate.role.to_string()),
            event: statement.event,
            said: entry.matter.as_ref().map(words).unwrap_or_default(),
        });
    }
    Ok(acts)
}

/// What the sealed matter of an act says.
fn words(matter: &Matter) -> String {
    let mut out = Vec::new();
    out.extend(matter.by.as_ref().map(|by| by.name.clone()));
    out.extend(matter.reason.clone());
    out.extend(matter.note.clone());
    out.extend(matter.threat.clone());
    let lines = matter.openings.as_ref().map_or(&matter.fields, |openings| &openings.fields.lines);
    if !lines.is_empty() {
        out.push(lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>().join(", "));
    }
    out.extend(matter.openings.as_ref().map(|openings| openings.purpose.purpose.text.clone()));
    out.extend(matter.entry().map(str::to_owned));
    if !matter.copies.is_empty() {
        out.push(format!("{} copy destroyed", matter.copies.len()));
    }
    out.join(" · ")
}
