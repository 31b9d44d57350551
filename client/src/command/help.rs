//! Help and complaints about the command line, in the language of the reader.
//!
//! Called by command.rs. clap makes the grammar; this file gives it its words: `help-COMMAND`, `help-COMMAND-ARGUMENT`,
//! `example-COMMAND` in the language files. *Not here:* the words.

use super::Exit;
use crate::language::Messages;
use crate::say;
use crate::terminal::Terminal;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// Gives every command and argument its words.
pub(super) fn translate(command: Command, messages: &Messages) -> Command {
    words(command, "help", messages)
}

/// The keys that [`translate`] needs.
#[cfg(test)]
pub(super) fn keys(command: &Command) -> Vec<String> {
    let mut keys = Vec::new();
    collect(command, "help", &mut keys);
    keys
}

#[cfg(test)]
fn collect(command: &Command, key: &str, keys: &mut Vec<String>) {
    keys.push(key.to_owned());
    keys.extend(command.get_arguments().map(|arg| argument_key(key, arg)));
    let mut leaf = true;
    for sub in command.get_subcommands() {
        leaf = false;
        collect(sub, &format!("{key}-{}", sub.get_name()), keys);
    }
    if leaf {
        keys.push(example_key(key));
    }
}

fn words(command: Command, key: &str, messages: &Messages) -> Command {
    let heading =
        |arg: &Arg| messages.text(if arg.is_positional() { "help-heading-arguments" } else { "help-heading-options" });
    let mut command = command.about(messages.text(key)).mut_args(|arg| {
        let (help, heading) = (messages.text(&argument_key(key, &arg)), heading(&arg));
        let takes_value = arg.get_action().takes_values();
        let arg = arg.help(help).help_heading(heading);
        if takes_value { arg.hide_possible_values(true).hide_default_value(true) } else { arg }
    });
    let usage = messages.text("help-heading-usage");
    command = command
        .subcommand_help_heading(messages.text("help-heading-commands"))
        .subcommand_value_name(messages.text("help-command-name"))
        .help_template(format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}"));
    if command.has_subcommands() {
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in names {
            let key = format!("{key}-{name}");
            command = command.mut_subcommand(name, |sub| words(sub, &key, messages));
        }
        command
    } else {
        let example = messages.text(&example_key(key));
        command.after_help(format!("{}\n  {example}", messages.text("help-heading-example")))
    }
}

fn argument_key(key: &str, arg: &Arg) -> String {
    format!("{key}-{}", arg.get_id().as_str().replace('_', "-"))
}

fn example_key(key: &str) -> String {
    format!("example{}", key.strip_prefix("help").unwrap_or(key))
}

/// Shows what clap has to say: help as data, a complaint as a message with what to do next.
pub(super) fn tell(error: &clap::Error, messages: &Messages, terminal: &Terminal) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            terminal.data(&error.render().to_string());
            return Exit::Done;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            terminal.message(&error.render().to_string());
            return Exit::Usage;
        }
        _ => {}
    }
    let context = |kind: ContextKind| -> String {
        match error.get(kind) {
            Some(ContextValue::String(text)) => text.clone(),
            Some(ContextValue::Strings(texts)) => texts.join(", "),
            _ => String::new(),
        }
    };
    let argument = context(ContextKind::InvalidArg);
    let text = match error.kind() {
        ErrorKind::UnknownArgument => say!(messages, "usage-unknown-argument", argument = argument),
        ErrorKind::MissingRequiredArgument => say!(messages, "usage-missing-argument", argument = argument),
        ErrorKind::InvalidSubcommand => {
            say!(messages, "usage-unknown-command", command = context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingSubcommand => messages.text("usage-missing-command"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = context(ContextKind::InvalidValue);
            say!(messages, "usage-invalid-value", argument = argument, value = value)
        }
        ErrorKind::ArgumentConflict => say!(messages, "usage-conflict", argument = argument),
        _ => messages.text("usage-other"),
    };
    terminal.error(&messages.text("error"), &text);
    Exit::Usage
}
