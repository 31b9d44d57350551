//! `sutura accord`: shows, proposes, compares and signs the parameters that all units agree on together.
//!
//! *Not here:* what the terms mean ([`protocol::accord`]); sending, which is `sutura sync`.

use super::{CommandError, Context, Exit};
use crate::agent::ProposalView;
use crate::home::Work;
use crate::say;
use crate::session::{Session, system_clock};
use serde_json::json;
use std::path::PathBuf;

/// `sutura accord show|propose|sign|diff`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The accord in force, or a proposed one.
    Show {
        /// The beginning of its hash.
        #[arg(value_name = "HASH")]
        hash: Option<String>,
    },
    /// Proposes a text.
    Propose {
        /// The text.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Signs a proposal.
    Sign {
        /// The beginning of its hash.
        #[arg(value_name = "HASH")]
        hash: Option<String>,
    },
    /// What a proposal changes.
    Diff {
        /// The beginning of its hash.
        #[arg(value_name = "HASH")]
        hash: Option<String>,
    },
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let _lock = match args.action {
        Action::Propose { .. } | Action::Sign { .. } => Some(context.lock(Work::Agent)?),
        _ => None,
    };
    let mut session = Session::open(vault, system_clock()).await?;
    let proposals = session.agent().view().proposals;
    match args.action {
        Action::Show { hash } => {
            let shown = match &hash {
                Some(hash) => proposals.iter().find(|p| p.accord.hash().to_string().starts_with(hash.as_str())),
                None => proposals.iter().find(|p| p.in_force).or(proposals.last()),
            };
            show(shown.ok_or_else(nothing)?, context)
        }
        Action::Propose { file } => {
            let text = std::fs::read_to_string(&file).map_err(|error| {
                let (path, why) = (file.display().to_string(), error.to_string());
                CommandError::told(Exit::Refused, "error-file", &[("path", &path), ("why", &why)])
            })?;
            let proposed = session.act(|agent, now| agent.propose(&text, now)).await?;
            let hash = proposed
                .map_err(|error| CommandError::told(Exit::Refused, "error-accord", &[("why", &error.to_string())]))?;
            said("accord-proposed", &hash.to_string(), context)
        }
        Action::Sign { hash } => {
            let own = session.agent().view().unit;
            let open = |p: &&ProposalView| !p.signed.contains(&own);
            let chosen = match &hash {
                Some(hash) => proposals.iter().find(|p| p.accord.hash().to_string().starts_with(hash.as_str())),
                None => proposals.iter().rfind(open),
            };
            let hash = chosen.ok_or_else(nothing)?.accord.hash();
            let signed = session.act(|agent, now| agent.sign_accord(&hash, now)).await?;
            signed.map_err(|error| CommandError::told(Exit::Refused, "error-not-taken", &[("why", error.code())]))?;
            said("accord-signed", &hash.to_string(), context)
        }
        Action::Diff { hash } => {
            let proposed = match &hash {
                Some(hash) => proposals.iter().find(|p| p.accord.hash().to_string().starts_with(hash.as_str())),
                None => proposals.iter().rfind(|p| !p.complete),
            };
            let proposed = proposed.ok_or_else(nothing)?;
            let before = proposals.iter().find(|p| p.in_force).map_or("", |p| p.accord.text());
            for (mark, line) in differences(before, proposed.accord.text()) {
                context.terminal.data(&format!("{mark} {}", crate::terminal::printable(line)));
            }
            Ok(Exit::Done)
        }
    }
}

fn nothing() -> CommandError {
    CommandError::told(Exit::Refused, "error-no-accord", &[])
}

fn said(key: &str, hash: &str, context: &Context) -> Result<Exit, CommandError> {
    if context.json {
        context.give(&json!({ "accord": hash }));
    } else {
        context.terminal.data(&say!(context.messages, key, hash = hash));
    }
    Ok(Exit::Done)
}

fn show(proposal: &ProposalView, context: &Context) -> Result<Exit, CommandError> {
    let names = |units: &std::collections::BTreeSet<_>| {
        units.iter().map(|unit: &protocol::name::UnitName| unit.to_string()).collect::<Vec<_>>()
    };
    let (needed, signed) = (names(&proposal.needed), names(&proposal.signed));
    let hash = proposal.accord.hash().to_string();
    let quota = proposal.accord.terms().quota();
    if context.json {
        context.give(&json!({
            "accord": hash, "text": proposal.accord.text(), "needed": needed, "signed": signed,
            "complete": proposal.complete, "in_force": proposal.in_force, "quota": quota,
        }));
        return Ok(Exit::Done);
    }
    // A proposal's text comes from another unit: nothing of it steers the terminal.
    for line in proposal.accord.text().lines() {
        context.terminal.data(&crate::terminal::printable(line));
    }
    context.tell("accord-hash", &[("hash", hash.into()), ("quota", quota.into())]);
    let key = match (proposal.in_force, proposal.complete) {
        (true, _) => "accord-in-force",
        (_, true) => "accord-complete",
        _ => "accord-open",
    };
    context.tell(key, &[("signed", signed.join(", ").into()), ("needed", needed.join(", ").into())]);
    Ok(Exit::Done)
}

/// Lines that only one of two texts has, in order: a term stands on a line of its own.
fn differences<'t>(before: &'t str, after: &'t str) -> Vec<(char, &'t str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| ('-', *line));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| ('+', *line));
    gone.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_term_shows_its_old_and_new_line() {
        assert_eq!(differences("a = 1\nb = 2", "a = 1\nb = 3"), [('-', "b = 2"), ('+', "b = 3")]);
        assert!(differences("a", "a").is_empty());
    }
}
