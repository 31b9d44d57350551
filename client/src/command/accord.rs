//! `sutura accord`: shows, proposes, compares and signs the parameters that all units agree on together; a template of one.
//!
//! *Not here:* what the terms mean ([`protocol::accord`]); sending, which is `sutura sync`.

use super::{CommandError, Context, Exit};
use crate::agent::ProposalView;
use crate::home::Work;
use crate::say;
use crate::session::{Session, system_clock};
use protocol::accord::Accord;
use protocol::calendar::Start;
use protocol::manual::{self, Manual, ManualError};
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
    /// A text to begin with.
    Template,
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
    if matches!(args.action, Action::Template) {
        context.terminal.data(&template());
        return Ok(Exit::Done);
    }
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
            check_manual(&text, context)?;
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
        Action::Template => Ok(Exit::Done),
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

/// An accord of ordinary size, ready to be amended: its numbers, then the manual that ships with Sutura.
fn template() -> String {
    format!("{}\n{}", include_str!("accord/template.toml"), manual::DEFAULT)
}

/// Refuses an accord whose manual would rule nothing: everybody would sign it, and no case could ever be opened.
fn check_manual(text: &str, context: &Context) -> Result<(), CommandError> {
    let start = Start { epoch: 1, tick: 0, at_ms: 0 };
    // What is no accord at all is refused where it is proposed, with its reason.
    let Ok(accord) = Accord::new(text, start) else { return Ok(()) };
    let table = &accord.terms().manual;
    if table.is_empty() {
        context.tell("accord-no-manual", &[]);
        return Ok(());
    }
    Manual::read(table).map(drop).map_err(|error| {
        let why = match &error {
            ManualError::Broken { at, rule } => {
                let rule = super::overlap::words::rule(rule, &context.messages);
                say!(context.messages, "accord-manual-broken", at = crate::terminal::printable(at), rule = rule)
            }
            other => crate::terminal::printable(&other.to_string()),
        };
        CommandError::told(Exit::Forbidden, "error-accord-manual", &[("why", &why)])
    })
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
    fn the_template_is_an_accord_with_a_manual_that_reads() {
        let text = template();
        let accord = Accord::new(&text, Start { epoch: 1, tick: 0, at_ms: 0 }).unwrap();
        assert!(Manual::read(&accord.terms().manual).is_ok());
        assert_eq!(accord.terms().identifiers.version, identifier::VERSION);
        assert!(crate::command::rules_of(&accord.terms().identifiers).is_ok());
        // A day, a month: in words that people plan by.
        let ticks = &accord.terms().ticks;
        assert_eq!((ticks.tick_ms, ticks.tick_ms * ticks.epoch_ticks), (900_000, 30 * 24 * 3_600_000));
    }

    #[test]
    fn a_changed_term_shows_its_old_and_new_line() {
        assert_eq!(differences("a = 1\nb = 2", "a = 1\nb = 3"), [('-', "b = 2"), ('+', "b = 3")]);
        assert!(differences("a", "a").is_empty());
    }
}
