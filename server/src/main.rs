//! The command `sutura-broker`: what the people who run a broker type.
//!
//! Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 refused or nothing to do as asked, 2 usage. *Not here:*
//! anything that the library does; a command opens the broker's folder, calls it, and says what came of it.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let speech = cli::Speech::choose(cli.lang.as_deref(), |name| std::env::var(name).ok());
    match cli::run(cli, &speech) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            anstream::eprintln!("{}", problem.say(&speech));
            ExitCode::from(1)
        }
    }
}
