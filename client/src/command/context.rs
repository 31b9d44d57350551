//! What every command is given: home, language, terminal, and the way to the vault.
//!
//! Made once by command.rs. *Not here:* what a command does.

use super::CommandError;
use crate::home::{self, Home, HomeError, Lock, Work};
use crate::language::Messages;
use crate::say;
use crate::terminal::Terminal;
use crate::vault::{Passphrase, Vault};
use fluent_bundle::FluentValue;
use std::path::PathBuf;

/// Names the file with the passphrase of the vault.
pub const PASSPHRASE_FILE: &str = "SUTURA_PASSPHRASE_FILE";
/// Names the file with the passphrase of the officer who acts.
pub const OFFICER_PASSPHRASE_FILE: &str = "SUTURA_OFFICER_PASSPHRASE_FILE";

/// The surroundings of one command.
pub struct Context {
    /// The unit's folder.
    pub home: Home,
    /// The words.
    pub messages: Messages,
    /// Results for programs.
    pub json: bool,
    /// Where people look.
    pub terminal: Terminal,
    /// The environment, so that tests have their own.
    pub environment: fn(&str) -> Option<String>,
}

impl Context {
    /// Opens the vault with the passphrase from its file or from a prompt.
    pub async fn open_vault(&self) -> Result<Vault, CommandError> {
        let path = self.home.vault();
        if !path.exists() {
            return Err(crate::vault::VaultError::Missing(path).into());
        }
        let passphrase = self.passphrase(PASSPHRASE_FILE, &self.messages.text("passphrase-prompt"))?;
        Ok(Vault::open(&path, &passphrase).await?)
    }

    /// A passphrase: from the file that `variable` names, else from a prompt; a clear error if neither is there.
    pub fn passphrase(&self, variable: &'static str, prompt: &str) -> Result<Passphrase, CommandError> {
        if let Some(path) = (self.environment)(variable).filter(|path| !path.is_empty()) {
            return Ok(home::from_file(&PathBuf::from(path))?);
        }
        let text = self.terminal.ask_passphrase(prompt);
        text.map(Passphrase::new).ok_or(CommandError::NoPassphrase { variable })
    }

    /// A new passphrase: from the file that `variable` names, else typed twice. `prompt` is the key of
    /// what is asked.
    pub fn new_passphrase(&self, variable: &'static str, prompt: &str) -> Result<Passphrase, CommandError> {
        if let Some(path) = (self.environment)(variable).filter(|path| !path.is_empty()) {
            return Ok(home::from_file(&PathBuf::from(path))?);
        }
        let text = self.terminal.ask_new_passphrase(&self.messages, prompt);
        text.map(Passphrase::new).ok_or(CommandError::NoPassphrase { variable })
    }

    /// Takes the right to some work in this home.
    pub fn lock(&self, work: Work) -> Result<Lock, HomeError> {
        self.home.lock(work)
    }

    /// Tells people something, on standard error.
    pub fn tell(&self, key: &str, variables: &[(&'static str, FluentValue<'_>)]) {
        self.terminal.message(&self.messages.say(key, variables));
    }

    /// Gives data to programs, on standard output.
    pub fn give(&self, value: &impl serde::Serialize) {
        // Our own types have no map with keys that are no text, and no other cause to fail.
        if let Ok(text) = serde_json::to_string_pretty(value) {
            self.terminal.data(&text);
        }
    }

    /// A table on standard output, under translated headers (their keys).
    pub fn show_table(&self, headers: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let headers: Vec<String> = headers.iter().map(|key| self.messages.text(key)).collect();
        self.terminal.data(&self.terminal.table(&headers, rows));
    }

    /// Yes or no, in words.
    pub fn yes_or_no(&self, yes: bool) -> String {
        say!(self.messages, if yes { "yes" } else { "no" })
    }
}
