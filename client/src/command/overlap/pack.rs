//! Packages before they are sealed: `template`, `pack`, `drafts`, `unpack`. Nothing here leaves the machine.
//!
//! *Not here:* consent to a package (`consent`), and the text's grammar (`package_file`).

use super::package_file::{self, PackageFileError};
use super::{Desk, by_prefix, preview};
use crate::command::{CommandError, Exit};
use crate::register::FullRecord;
use crate::say;
use crate::session::{Draft, HandoverError};
use crate::terminal::printable;
use protocol::package::{Content, Item};
use serde_json::{Value, json};
use std::path::Path;

/// The record that the overlap is about, if the register still has it.
async fn record(desk: &Desk<'_>) -> Result<Option<FullRecord>, CommandError> {
    match desk.session.agent().overlap(&desk.handle) {
        Some((_, overlap)) => Ok(desk.session.record_of(&overlap).await?),
        None => Ok(None),
    }
}

/// `template`: a package's text with every cell of the own record, by its name: values stay in the register.
pub async fn template(desk: &Desk<'_>) -> Result<Exit, CommandError> {
    let messages = &desk.context.messages;
    let comment = |key: &str| -> String { messages.text(key).lines().map(|line| format!("# {line}\n")).collect() };
    let mut out = comment("template-head");
    out.push_str("[purpose]\ntext = \"\"\noffence = \"\"\nlegal_basis = \"\"\n# reference = \"\"\n\n");
    out.push_str(&comment("template-items"));
    let cells = record(desk).await?.map(|record| record.cells).unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    for cell in &cells {
        if cell.text.trim().is_empty() || !seen.insert(cell.column.as_str()) {
            continue;
        }
        let column = toml::Value::String(cell.column.clone()).to_string();
        out.push_str(&format!(
            "[[item]]\nname = {column}\ncategory = \"unknown\"\nhandling = [\"H1\", \"H2\"]\nsource = \"X\"\n\
             information = \"4\"\nnature = \"fact\"\nnecessity = \"\"\nfield = {column}\n\n"
        ));
    }
    desk.context.terminal.data(&out);
    Ok(Exit::Done)
}

/// `pack FILE`.
pub async fn pack(desk: &mut Desk<'_>, file: &Path) -> Result<Exit, CommandError> {
    let prospect = desk.session.prospect(&desk.handle).map_err(HandoverError::from)?;
    if !desk.shown.surfaced {
        return Err(CommandError::told(Exit::Forbidden, "error-below-threshold", &[]));
    }
    let cells = record(desk).await?.map(|record| record.cells).unwrap_or_default();
    let (purpose, items) = package_file::read(file, &cells).map_err(|error| {
        let why = error.tell(&desk.context.messages);
        let exit = if matches!(error, PackageFileError::Unreadable(_)) { Exit::Refused } else { Exit::Usage };
        let path = printable(&file.display().to_string());
        CommandError::told(exit, "error-package", &[("path", &path), ("why", &why)])
    })?;
    let draft = desk.session.draft(&prospect, purpose, items).await?;
    if desk.context.json {
        desk.context.give(&as_json(&draft));
    } else {
        desk.context.terminal.data(&tell(&draft, desk).join("\n"));
        desk.context.tell("pack-done", &[("draft", short(&draft).into()), ("id", desk.short().into())]);
    }
    Ok(Exit::Done)
}

/// `drafts`.
pub async fn drafts(desk: &Desk<'_>) -> Result<Exit, CommandError> {
    let drafts = desk.session.drafts(&desk.handle).await?;
    if desk.context.json {
        let listed: Vec<Value> = drafts.iter().map(as_json).collect();
        desk.context.give(&json!({ "drafts": listed }));
        return Ok(Exit::Done);
    }
    for draft in &drafts {
        desk.context.terminal.data(&tell(draft, desk).join("\n"));
    }
    if drafts.is_empty() {
        desk.context.tell("drafts-none", &[("id", desk.short().into())]);
        return Ok(Exit::Refused);
    }
    Ok(Exit::Done)
}

/// `unpack DRAFT`.
pub async fn unpack(desk: &mut Desk<'_>, which: &str) -> Result<Exit, CommandError> {
    let drafts = desk.session.drafts(&desk.handle).await?;
    let names = |draft: &Draft| vec![draft.id.clone(), draft.manifest.package_hash().to_string()];
    let draft = by_prefix(&drafts, which, names);
    let draft = draft.ok_or_else(|| CommandError::told(Exit::Refused, "error-no-draft", &[]))?;
    desk.session.forget_draft(draft).await?;
    if desk.context.json {
        desk.context.give(&json!({ "draft": draft.id, "deleted": true }));
    } else {
        desk.context.terminal.data(&say!(desk.context.messages, "unpack-done", draft = short(draft)));
    }
    Ok(Exit::Done)
}

fn short(draft: &Draft) -> String {
    draft.id.chars().take(12).collect()
}

fn tell(draft: &Draft, desk: &Desk<'_>) -> Vec<String> {
    let messages = &desk.context.messages;
    let package = draft.manifest.package_hash().to_string();
    let mut lines = vec![say!(messages, "draft-head", draft = short(draft), package = package)];
    lines.extend(preview::purpose(&draft.manifest.purpose, messages).into_iter().map(|line| format!("  {line}")));
    for (at, item) in draft.manifest.items.iter().enumerate() {
        lines.push(format!("  {}. {}", at + 1, preview::field(&item.line(), messages)));
        lines.push(format!("     {}", preview::value(&item.content, messages)));
    }
    lines
}

fn as_json(draft: &Draft) -> Value {
    let items: Vec<Value> = draft.manifest.items.iter().map(item_json).collect();
    json!({
        "draft": draft.id, "package": draft.manifest.package_hash().to_string(),
        "purpose": purpose_json(&draft.manifest.purpose), "items": items,
    })
}

/// A purpose, for programs.
pub(super) fn purpose_json(purpose: &protocol::package::Purpose) -> Value {
    json!({
        "text": purpose.text, "offence": purpose.offence, "legal_basis": purpose.legal_basis,
        "reference": purpose.reference,
    })
}

/// An item with its value, for programs of the unit that holds it.
pub(super) fn item_json(item: &Item) -> Value {
    let handling: Vec<&str> = item.handling.iter().map(|code| code.name()).collect();
    let mut value = json!({
        "name": item.name, "category": item.category.name(), "handling": handling, "restriction": item.restriction,
        "source": item.source.name(), "information": item.information.name(), "nature": item.nature.name(),
        "necessity": item.necessity,
    });
    match &item.content {
        Content::Text(text) => value["text"] = json!(text),
        Content::File { name, length, .. } => {
            value["sent_as"] = json!(name);
            value["length"] = json!(length);
        }
    }
    value
}
