//! `read`: a package that came is opened by an officer, for a reason that is kept with the officer's signature (R32).
//!
//! On the terminal, or as a copy in a fresh folder. A copy is noted before its first byte is written, so that a recall asks
//! for it whatever happens in between; it becomes visible only when the whole package has proved right. *Not here:*
//! whether opening is allowed (the kernel), and the receipt, which is an act of its own.

mod copy;

use super::act::which;
use super::pack::{item_json, purpose_json};
use super::{Desk, Said, preview};
use crate::command::{CommandError, Exit};
use crate::say;
use crate::session::{HandoverError, system_clock};
use crate::terminal::printable;
use protocol::consent::Parcel;
use protocol::officer::OfficerRole;
use protocol::package::{Content, Manifest};
use protocol::parcel::Piece;
use protocol::reading::{MAX_WHY, Reading};
use serde_json::{Value, json};

/// Who may read what came: whoever may sign its receipt, and a magistrate seised of the case. Never a mentor.
const READERS: [OfficerRole; 5] = [
    OfficerRole::Investigator,
    OfficerRole::Contact,
    OfficerRole::Head,
    OfficerRole::LegalOfficer,
    OfficerRole::Magistrate,
];

/// Runs it.
pub async fn run(desk: &mut Desk<'_>, said: &Said) -> Result<Exit, CommandError> {
    let because = said.because.clone().filter(|text| !text.trim().is_empty() && text.len() <= MAX_WHY);
    let Some(because) = because else {
        return Err(CommandError::told(Exit::Usage, "error-because", &[("most", &MAX_WHY.to_string())]));
    };
    let prospect = desk.session.prospect(&desk.handle).map_err(HandoverError::from)?;
    let now = system_clock()();
    let is = |parcel: &&Parcel| {
        let named = said
            .package
            .as_ref()
            .is_none_or(|text| text.len() >= 4 && parcel.package.to_string().starts_with(&text.to_ascii_lowercase()));
        let open = parcel.received_by.is_some() && !parcel.recalled && !parcel.is_overdue(now);
        parcel.recipient == desk.me && open && named
    };
    let found: Vec<&Parcel> = prospect.case.ledger().parcels().iter().filter(is).collect();
    let [parcel] = found[..] else { return Err(which(found.len(), "error-nothing-to-read")) };
    let (package, provider) = (parcel.package, parcel.provider.clone());
    let officer = desk.officer(said, &READERS).await?;
    if let Some(folder) = said.to.as_ref().filter(|folder| folder.symlink_metadata().is_ok()) {
        let path = printable(&folder.display().to_string());
        return Err(CommandError::told(Exit::Refused, "error-folder-exists", &[("path", &path)]));
    }
    let key = if said.to.is_some() { "read-ask-copy" } else { "read-ask" };
    desk.context.terminal.message(&say!(
        desk.context.messages,
        key,
        officer = printable(&officer.name.name),
        provider = provider.as_str(),
        because = printable(&because)
    ));
    desk.agree(said, false)?;
    let unlocked = desk.unlock(&officer).await?;

    let handle = desk.handle;
    let copy = match &said.to {
        None => None,
        Some(_) => {
            let noted = desk.session.act(|agent, now| agent.note_copy(&handle, &package, unlocked.number, now)).await?;
            Some(noted.map_err(HandoverError::from)?)
        }
    };
    let reading = Reading {
        federation: *prospect.case.federation(),
        handle,
        package,
        unit: desk.me.clone(),
        officer: unlocked.number,
        at_ms: now,
        why: because,
        copy,
    };
    desk.session.keep_reading(&reading.sign(&unlocked.key)).await?;

    let Some(folder) = &said.to else {
        let manifest = manifest(desk, &package).await?;
        show(desk, &manifest);
        return Ok(Exit::Done);
    };
    let mut copying = copy::Copying::begin(folder).map_err(|error| copy::failed(folder, &error))?;
    let opened = desk.session.open_package(&handle, &package, &mut |piece| copying.take(piece)).await;
    opened.map_err(|error| match error {
        HandoverError::File { why, .. } => HandoverError::File { path: folder.clone(), why },
        other => other,
    })?;
    let head = json!({
        "overlap": handle.to_string(), "package": package.to_string(), "provider": provider.as_str(), "copy": copy,
    });
    let files = copying.finish(head).map_err(|error| copy::failed(folder, &error))?;
    let path = printable(&folder.display().to_string());
    if desk.context.json {
        desk.context.give(&json!({ "folder": path, "files": files, "copy": copy }));
    } else {
        desk.context.terminal.data(&say!(desk.context.messages, "read-copied", path = path, files = files));
    }
    Ok(Exit::Done)
}

/// Opens the package and keeps nothing of its files.
async fn manifest(desk: &Desk<'_>, package: &protocol::Hash) -> Result<Manifest, CommandError> {
    let mut found: Option<Box<Manifest>> = None;
    let mut sink = |piece: Piece| {
        if let Piece::Manifest(manifest) = piece {
            found = Some(manifest);
        }
        Ok(())
    };
    desk.session.open_package(&desk.handle, package, &mut sink).await?;
    Ok(*found.ok_or(HandoverError::None)?)
}

fn show(desk: &Desk<'_>, manifest: &Manifest) {
    let messages = &desk.context.messages;
    if desk.context.json {
        let items: Vec<Value> = manifest.items.iter().map(item_json).collect();
        desk.context.give(&json!({
            "overlap": desk.handle.to_string(), "package": manifest.package_hash().to_string(),
            "provider": manifest.provider.as_str(), "purpose": purpose_json(&manifest.purpose), "items": items,
        }));
        return;
    }
    let terminal = &desk.context.terminal;
    for line in preview::purpose(&manifest.purpose, messages) {
        terminal.data(&line);
    }
    for (at, item) in manifest.items.iter().enumerate() {
        terminal.data(&format!("{}. {}", at + 1, preview::field(&item.line(), messages)));
        match &item.content {
            Content::Text(text) => text.lines().for_each(|line| terminal.data(&format!("   {}", printable(line)))),
            file => {
                terminal.data(&format!("   {} {}", preview::value(file, messages), messages.text("read-file-hint")))
            }
        }
    }
}
