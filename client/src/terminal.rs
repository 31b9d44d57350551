//! The terminal: data on standard output, messages, prompts and progress on standard error.
//!
//! Called by commands. *Not here:* words (language.rs). Off a terminal nothing moves and nothing is coloured; NO_COLOR and
//! TERM=dumb are obeyed.

use crate::language::Messages;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use zeroize::Zeroizing;

/// What is known of the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Someone is there to be asked.
    pub interactive: bool,
    /// Standard error may move and show colours.
    pub lively: bool,
    /// Standard output is a terminal: tables are fitted to it.
    pub screen: bool,
}

impl Terminal {
    /// The terminal of this process.
    pub fn detect() -> Terminal {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let error = std::io::stderr().is_terminal();
        Terminal {
            interactive: std::io::stdin().is_terminal() && error,
            lively: error && !dumb,
            screen: std::io::stdout().is_terminal(),
        }
    }

    /// No one is there: for programs and tests.
    pub fn none() -> Terminal {
        Terminal { interactive: false, lively: false, screen: false }
    }

    /// Writes data on standard output. A reader who has gone is not an error.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out
            .write_all(text.as_bytes())
            .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") });
        let _ = out.flush();
    }

    /// Writes a message on standard error.
    pub fn message(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// Writes an error on standard error; its first word is red where colours are shown.
    pub fn error(&self, word: &str, text: &str) {
        let _ = writeln!(anstream::stderr(), "\u{1b}[1;31m{word}\u{1b}[0m {text}");
    }

    /// A table as text: lines between the columns on a screen, plain columns elsewhere.
    pub fn table(&self, header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_style(if self.screen { presets::UTF8_HORIZONTAL_ONLY } else { presets::NOTHING });
        if self.screen {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(header);
        for row in rows {
            // What a file says is data: nothing of it may move the cursor.
            table.add_row(row.into_iter().map(|cell| printable(&cell)));
        }
        table.trim_fmt()
    }

    /// A bar for long work; invisible off a terminal.
    pub fn progress(&self, total: u64, label: &str) -> Progress {
        let target = if self.lively { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %  {eta}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_owned());
        Progress { bar }
    }

    /// Asks for a passphrase; None if no one is there.
    pub fn ask_passphrase(&self, prompt: &str) -> Option<Zeroizing<String>> {
        if !self.interactive {
            return None;
        }
        dialoguer::Password::new().with_prompt(prompt).interact().ok().map(Zeroizing::new)
    }

    /// Asks for a new passphrase (`prompt` is the key of the question), twice, until both are the same; None if no one is there.
    pub fn ask_new_passphrase(&self, messages: &Messages, prompt: &str) -> Option<Zeroizing<String>> {
        if !self.interactive {
            return None;
        }
        let again = (messages.text("passphrase-again"), messages.text("passphrase-differs"));
        let prompt = dialoguer::Password::new().with_prompt(messages.text(prompt));
        prompt.with_confirmation(again.0, again.1).interact().ok().map(Zeroizing::new)
    }

    /// Asks for a word to be typed, such as a partner's name before what cannot be undone. False if it was another, or if
    /// no one is there.
    pub fn ask_to_type(&self, prompt: &str, word: &str) -> bool {
        if !self.interactive {
            return false;
        }
        let typed = dialoguer::Input::<String>::new().with_prompt(prompt).allow_empty(true).interact_text();
        typed.is_ok_and(|typed| typed.trim() == word)
    }
}

/// A bar being drawn. Gone when dropped.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// So much is done.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// The whole turned out to be another.
    pub fn set_total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// What is being done now.
    pub fn say(&self, label: &str) {
        self.bar.set_message(label.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Text without control characters and without marks that turn its direction.
pub fn printable(text: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if matches!(c, '\n' | '\t' | '\r') { ' ' } else { c }).filter(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_off_a_screen_are_plain() {
        let table = Terminal::none().table(&["a".into(), "b".into()], [vec!["1\u{1b}[31m".into(), "2\n3".into()]]);
        assert_eq!(table, " a      b\n 1[31m  2 3");
    }

    #[test]
    fn no_one_is_asked_off_a_terminal() {
        assert!(Terminal::none().ask_passphrase("?").is_none());
        assert!(!Terminal::none().ask_to_type("?", ""));
    }
}
