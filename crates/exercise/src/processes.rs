//! A federation of the released binaries: the broker and each unit a process of its own.
//!
//! Caller: the story, with --processes. Everything goes through the commands that an operator and officers use. *Not
//! here:* anything that a command cannot do.

use crate::options::Options;
use crate::story::{Input, Outcome, Teller};
use anyhow::{Result, bail};
use std::path::Path;

/// Runs it.
pub async fn run(_options: &Options, _folder: &Path, _input: &Input, _teller: &Teller) -> Result<Outcome> {
    bail!("--processes")
}
