//! The command line of a unit: `sutura COMMAND …`.
//!
//! Called by bin/sutura.rs, and by tests. Each command is a file below: `Args`, and `run(args, &Context)`. *Not here:* what
//! the commands work on.
//!
//! To add one: a file with `pub struct Args` (clap) and `pub async fn run(args: Args, context: &Context) ->
//! Result<Exit, CommandError>`; a variant in [`Command`] and a line in `run_command`; in both language files `help-NAME`, a
//! `help-NAME-ARGUMENT` for each argument, and `example-NAME`. The tests below name what is missing.

pub mod accord;
pub mod audit;
pub mod context;
pub mod doctor;
mod error;
pub mod explain;
mod help;
pub mod import;
pub mod init;
pub mod join;
pub mod officers;
pub mod overlap;
pub mod overlaps;
pub mod peers;
pub mod records;
pub mod release;
mod rules;
pub mod status;
pub mod sync;

pub use context::Context;
pub use error::CommandError;
pub use rules::{accord_in_force, rules_in_force, rules_of};

use crate::home::Home;
use crate::language::{Language, Messages};
use crate::say;
use crate::terminal::Terminal;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended. The numbers are part of the outside surface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done as asked.
    Done = 0,
    /// Refused, or nothing to do as asked.
    Refused = 1,
    /// The command was not understood.
    Usage = 2,
    /// The vault is locked: wrong passphrase, or none given.
    Locked = 3,
    /// The manual or the accord forbids it.
    Forbidden = 4,
    /// A verification failed.
    VerificationFailed = 5,
    /// The broker cannot be reached.
    Unreachable = 6,
    /// The peer is not verified.
    NotVerified = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The whole line.
#[derive(Parser)]
#[command(name = "sutura", disable_help_flag = true, disable_version_flag = true, disable_help_subcommand = true)]
struct Line {
    /// The unit's folder.
    #[arg(long, global = true, value_name = "DIR", env = "SUTURA_HOME", hide_env = true)]
    home: Option<PathBuf>,
    /// The language.
    #[arg(long, global = true, value_name = "en|fr")]
    lang: Option<String>,
    /// Results for programs.
    #[arg(long, global = true)]
    json: bool,
    /// Help.
    #[arg(long, short, global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// The version.
    #[arg(long, short = 'V', action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

/// All commands.
#[derive(Subcommand)]
pub enum Command {
    /// Makes the unit's home.
    Init(init::Args),
    /// Joins a federation.
    Join(join::Args),
    /// The other units.
    Peers(peers::Args),
    /// Imports a register.
    Import(import::Args),
    /// What leaves this machine.
    Explain(explain::Args),
    /// All that is due.
    Sync(sync::Args),
    /// What is in common.
    Overlaps(overlaps::Args),
    /// One overlap.
    Overlap(Box<overlap::Args>),
    /// The accord.
    Accord(accord::Args),
    /// Who signs for the unit.
    Officers(officers::Args),
    /// What was disclosed, verified.
    Audit(audit::Args),
    /// How the unit stands.
    Status(status::Args),
    /// The unit's own records.
    Records(records::Args),
    /// Lets peers know of a restricted record.
    Release(release::Args),
    /// Looks for trouble.
    Doctor(doctor::Args),
}

async fn run_command(command: Command, context: &Context) -> Result<Exit, CommandError> {
    match command {
        Command::Init(args) => init::run(args, context).await,
        Command::Import(args) => import::run(args, context).await,
        Command::Explain(args) => explain::run(args, context).await,
        Command::Join(args) => join::run(args, context).await,
        Command::Peers(args) => peers::run(args, context).await,
        Command::Sync(args) => sync::run(args, context).await,
        Command::Overlaps(args) => overlaps::run(args, context).await,
        Command::Overlap(args) => overlap::run(*args, context).await,
        Command::Accord(args) => accord::run(args, context).await,
        Command::Officers(args) => officers::run(args, context).await,
        Command::Audit(args) => audit::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Release(args) => release::run(args, context).await,
        Command::Records(args) => records::run(args, context).await,
        Command::Doctor(args) => doctor::run(args, context).await,
    }
}

/// Runs one line, from the program's name on.
pub async fn run(line: impl IntoIterator<Item = OsString>) -> Exit {
    run_on(line, Terminal::detect(), |name| std::env::var(name).ok()).await
}

/// Runs one line on a terminal and in an environment of the caller's.
pub async fn run_on(
    line: impl IntoIterator<Item = OsString>,
    terminal: Terminal,
    environment: fn(&str) -> Option<String>,
) -> Exit {
    let line: Vec<OsString> = line.into_iter().collect();
    let asked = asked_language(&line);
    let messages = Messages::new(Language::choose(asked.as_deref(), environment));
    let matches = match grammar(&messages).try_get_matches_from(&line) {
        Ok(matches) => matches,
        Err(error) => return help::tell(&error, &messages, &terminal),
    };
    let parsed = match Line::from_arg_matches(&matches) {
        Ok(parsed) => parsed,
        Err(error) => return help::tell(&error, &messages, &terminal),
    };
    let home = match Home::find(parsed.home) {
        Ok(home) => home,
        Err(error) => {
            let error = CommandError::from(error);
            terminal.error(&messages.text("error"), &error.tell(&messages));
            return error.exit();
        }
    };
    let context = Context { home, messages, json: parsed.json, terminal, environment };
    match run_command(parsed.command, &context).await {
        Ok(exit) => exit,
        Err(error) => {
            context.terminal.error(&say!(context.messages, "error"), &error.tell(&context.messages));
            error.exit()
        }
    }
}

/// The grammar of the line, with its help in a language: also for completions and manual pages.
pub fn grammar(messages: &Messages) -> clap::Command {
    help::translate(Line::command().version(env!("CARGO_PKG_VERSION")), messages)
}

/// The language has to be known before the line is read, for what is said about a line that cannot be.
fn asked_language(line: &[OsString]) -> Option<String> {
    let mut words = line.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        match word.strip_prefix("--lang") {
            Some("") => return words.next().map(str::to_owned),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_sound_in_both_languages() {
        for language in [Language::En, Language::Fr] {
            grammar(&Messages::new(language)).debug_assert();
        }
    }

    #[test]
    fn every_command_and_argument_has_help_and_an_example_in_both_languages() {
        for language in [Language::En, Language::Fr] {
            let messages = Messages::new(language);
            let missing: Vec<String> =
                help::keys(&Line::command()).into_iter().filter(|key| !messages.has(key)).collect();
            assert_eq!(missing, [""; 0], "{language:?}");
        }
    }

    #[test]
    fn the_language_is_found_before_the_line_is_read() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(asked_language(&line(&["sutura", "--lang", "fr", "x"])).as_deref(), Some("fr"));
        assert_eq!(asked_language(&line(&["sutura", "x", "--lang=fr"])).as_deref(), Some("fr"));
        assert_eq!(asked_language(&line(&["sutura", "--language", "fr"])), None);
    }

    #[test]
    fn help_speaks_the_language_throughout() {
        let messages = Messages::new(Language::Fr);
        let mut root = grammar(&messages);
        root.build();
        let import = root.find_subcommand_mut("import").unwrap();
        let help = import.render_help().to_string();
        for english in ["Usage", "Options:", "Arguments:", "Print", "Commands"] {
            assert!(!help.contains(english), "{english} in {help}");
        }
        assert!(help.contains("Exemple"), "{help}");
    }
}
