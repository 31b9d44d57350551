//! `sutura doctor`: looks for trouble in this home, before it costs anything.
//!
//! It changes nothing. *Not here:* the federation (`sutura status`).

use super::{CommandError, Context, Exit, rules_in_force};
use crate::home::{HomeError, Work};
use crate::membership::Membership;
use crate::register::Register;
use crate::say;
use crate::vault::VaultError;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// `sutura doctor`
#[derive(clap::Args)]
pub struct Args {}

/// What a look found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Good,
    /// To be looked at; nothing is broken.
    Note,
    Bad,
}

struct Look {
    name: &'static str,
    finding: Finding,
    text: String,
}

/// Runs it.
pub async fn run(_: Args, context: &Context) -> Result<Exit, CommandError> {
    let mut looks = Vec::new();
    folder(context, &mut looks);
    clock(context, &mut looks);
    locks(context, &mut looks);
    let vault = match context.open_vault().await {
        Ok(vault) => Some(vault),
        Err(error) if error.exit() == Exit::Locked => return Err(error),
        Err(error) => {
            looks.push(Look { name: "vault", finding: Finding::Bad, text: error.tell(&context.messages) });
            None
        }
    };
    if let Some(vault) = vault {
        match vault.verify().await {
            Ok(values) => add(context, &mut looks, "vault", Finding::Good, "doctor-vault", &[("values", values)]),
            Err(error) => {
                let text = CommandError::from(error).tell(&context.messages);
                looks.push(Look { name: "vault", finding: Finding::Bad, text });
            }
        }
        if vault.hashing_is_weak() {
            add(context, &mut looks, "passphrase", Finding::Note, "doctor-weak", &[]);
        } else {
            add(context, &mut looks, "passphrase", Finding::Good, "doctor-strong", &[]);
        }
        match Membership::load(&vault).await {
            Ok(unit) => {
                let text = say!(context.messages, "doctor-unit", unit = unit.name.as_str(), title = unit.title);
                looks.push(Look { name: "unit", finding: Finding::Good, text });
            }
            Err(_) => add(context, &mut looks, "unit", Finding::Bad, "error-no-unit", &[]),
        }
        register(context, vault, &mut looks).await?;
    }
    let bad = looks.iter().any(|look| look.finding == Finding::Bad);
    show(context, &looks, bad);
    Ok(if bad { Exit::Refused } else { Exit::Done })
}

async fn register(context: &Context, vault: crate::vault::Vault, looks: &mut Vec<Look>) -> Result<(), CommandError> {
    match rules_in_force(&vault).await {
        Err(error @ CommandError::Rules(_)) => {
            looks.push(Look { name: "accord", finding: Finding::Bad, text: error.tell(&context.messages) });
        }
        Err(CommandError::Vault(VaultError::Damaged(_))) => {}
        Err(error) => return Err(error),
        Ok(rules) => {
            let register = Register::new(vault);
            let (Ok(counts), Ok(current)) = (register.counts().await, register.is_under(&rules).await) else {
                return Ok(());
            };
            let numbers = [("records", counts.records), ("tokens", counts.all_tokens())];
            add(context, looks, "register", Finding::Good, "doctor-register", &numbers);
            if !current {
                add(context, looks, "register", Finding::Note, "doctor-other-rules", &[]);
            }
        }
    }
    Ok(())
}

fn folder(context: &Context, looks: &mut Vec<Look>) {
    let path = context.home.path().display().to_string();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).map(|file| file.permissions().mode());
        let open = |path: &std::path::Path| mode(path).is_ok_and(|mode| mode & 0o077 != 0);
        if open(context.home.path()) || open(&context.home.vault()) {
            let text = say!(context.messages, "doctor-folder-open", path = path);
            looks.push(Look { name: "home", finding: Finding::Note, text });
            return;
        }
    }
    let text = say!(context.messages, "doctor-folder", path = path);
    looks.push(Look { name: "home", finding: Finding::Good, text });
}

/// Safety never depends on a clock; ticks do, so a wild one is worth a word.
fn clock(context: &Context, looks: &mut Vec<Look>) {
    // Days since 1970, then the civil date; a clock before 1970 counts as 1970.
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let days = jiff::Span::new().try_days(i64::try_from(days).unwrap_or(i64::MAX));
    let date = days.and_then(|days| jiff::civil::date(1970, 1, 1).checked_add(days));
    let year = date.map_or(9999, |date| date.year());
    let finding = if (2026..2100).contains(&year) { Finding::Good } else { Finding::Note };
    let key = if finding == Finding::Good { "doctor-clock" } else { "doctor-clock-wild" };
    let text = say!(context.messages, key, year = year.to_string());
    looks.push(Look { name: "clock", finding, text });
}

fn locks(context: &Context, looks: &mut Vec<Look>) {
    let busy = |work| matches!(context.lock(work), Err(HomeError::InUse(_)));
    let key = if !context.home.path().exists() {
        return;
    } else if busy(Work::Agent) {
        "doctor-agent-runs"
    } else {
        "doctor-agent-rests"
    };
    add(context, looks, "agent", Finding::Good, key, &[]);
}

fn add(
    context: &Context,
    looks: &mut Vec<Look>,
    name: &'static str,
    finding: Finding,
    key: &str,
    numbers: &[(&'static str, u64)],
) {
    let numbers: Vec<_> = numbers.iter().map(|(name, number)| (*name, (*number).into())).collect();
    looks.push(Look { name, finding, text: context.messages.say(key, &numbers) });
}

fn show(context: &Context, looks: &[Look], bad: bool) {
    let word = |finding| match finding {
        Finding::Good => "good",
        Finding::Note => "note",
        Finding::Bad => "bad",
    };
    if context.json {
        let checks: Vec<Value> = looks
            .iter()
            .map(|look| json!({ "name": look.name, "finding": word(look.finding), "text": look.text }))
            .collect();
        context.give(&json!({ "ok": !bad, "checks": checks }));
        return;
    }
    let rows = looks.iter().map(|look| {
        vec![look.name.to_owned(), context.messages.text(&format!("doctor-{}", word(look.finding))), look.text.clone()]
    });
    context.show_table(&["column-check", "column-finding", "column-text"], rows);
}
