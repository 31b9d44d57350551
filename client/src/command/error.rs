//! Why a command failed, for people and as an exit code.
//!
//! Made by commands; shown by command.rs. *Not here:* the words (language files).

use super::context::OFFICER_PASSPHRASE_FILE;
use super::{Exit, overlap};
use crate::broker::BrokerError;
use crate::home::{HomeError, PassphraseError};
use crate::import::{Cause, ImportError};
use crate::language::Messages;
use crate::mapping::MappingError;
use crate::membership::MembershipError;
use crate::officers::OfficerError;
use crate::register::RegisterError;
use crate::say;
use crate::session::{HandoverError, SessionError};
use crate::vault::VaultError;

/// Why a command failed: whose fault first.
#[derive(Debug)]
pub enum CommandError {
    /// The vault.
    Vault(VaultError),
    /// The register.
    Register(RegisterError),
    /// The file to import.
    Import(ImportError),
    /// The mapping.
    Mapping(MappingError),
    /// The home.
    Home(HomeError),
    /// The passphrase file.
    Passphrase(PassphraseError),
    /// Neither a passphrase file nor someone to ask.
    NoPassphrase {
        /// The variable that may name a file.
        variable: &'static str,
    },
    /// Who the unit is, or its place in a federation.
    Membership(MembershipError),
    /// The unit at work: vault, broker, log.
    Session(SessionError),
    /// An officer, or the officer's key.
    Officer(OfficerError),
    /// Manual, kernel, package or parcel.
    Handover(HandoverError),
    /// The accord's identifier rules.
    Rules(identifier::RulesError),
    /// A message of the command's own: its key, and the exit code.
    Told {
        /// Key in the language files.
        key: &'static str,
        /// Its variables.
        variables: Vec<(&'static str, String)>,
        /// How the command ends.
        exit: Exit,
    },
}

impl CommandError {
    /// A message of the command's own.
    pub fn told(exit: Exit, key: &'static str, variables: &[(&'static str, &str)]) -> CommandError {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        CommandError::Told { key, variables, exit }
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        match self {
            CommandError::Vault(VaultError::Locked)
            | CommandError::Register(RegisterError::Vault(VaultError::Locked))
            | CommandError::Membership(MembershipError::Vault(VaultError::Locked))
            | CommandError::Officer(OfficerError::Locked | OfficerError::Vault(VaultError::Locked))
            | CommandError::Passphrase(_)
            | CommandError::NoPassphrase { .. } => Exit::Locked,
            CommandError::Mapping(_) | CommandError::Home(HomeError::Nowhere) => Exit::Usage,
            CommandError::Membership(MembershipError::Broker(error)) => broker_exit(error),
            CommandError::Session(error) => session_exit(error),
            CommandError::Officer(OfficerError::Name) => Exit::Usage,
            CommandError::Handover(HandoverError::Session(error)) => session_exit(error),
            CommandError::Handover(error) => overlap::words::exit(error),
            CommandError::Rules(_) => Exit::VerificationFailed,
            CommandError::Told { exit, .. } => *exit,
            _ => Exit::Refused,
        }
    }

    /// The fact, and what to do next.
    pub fn tell(&self, messages: &Messages) -> String {
        match self {
            CommandError::Vault(error) | CommandError::Register(RegisterError::Vault(error)) => vault(error, messages),
            CommandError::Register(error) => say!(messages, "error-vault-damaged", what = error.to_string()),
            CommandError::Import(error) => import(error, messages),
            CommandError::Mapping(error) => say!(messages, "error-mapping", why = error.to_string()),
            CommandError::Home(HomeError::Nowhere) => messages.text("error-home-nowhere"),
            CommandError::Home(HomeError::InUse(path)) => {
                say!(messages, "error-home-in-use", path = path.display().to_string())
            }
            CommandError::Home(HomeError::File { path, error }) => {
                say!(messages, "error-file", path = path.display().to_string(), why = error.to_string())
            }
            CommandError::Passphrase(PassphraseError::WorldReadable(path)) => {
                say!(messages, "error-passphrase-world", path = path.display().to_string())
            }
            CommandError::Passphrase(PassphraseError::Empty(path)) => {
                say!(messages, "error-passphrase-empty", path = path.display().to_string())
            }
            CommandError::Passphrase(PassphraseError::File { path, error }) => {
                say!(messages, "error-file", path = path.display().to_string(), why = error.to_string())
            }
            CommandError::NoPassphrase { variable } if *variable == OFFICER_PASSPHRASE_FILE => {
                say!(messages, "error-no-officer-passphrase", variable = *variable)
            }
            CommandError::NoPassphrase { variable } => say!(messages, "error-no-passphrase", variable = *variable),
            CommandError::Membership(MembershipError::Vault(error)) => vault(error, messages),
            CommandError::Membership(MembershipError::Damaged(_)) => messages.text("error-no-unit"),
            CommandError::Membership(MembershipError::Broker(error)) => broker(error, messages),
            CommandError::Session(error) => session(error, messages),
            CommandError::Officer(error) => officer(error, messages),
            CommandError::Handover(HandoverError::Session(error)) => session(error, messages),
            CommandError::Handover(error) => overlap::words::refusal(error, messages).unwrap_or_default(),
            CommandError::Membership(error) => say!(messages, "error-membership", why = error.to_string()),
            CommandError::Rules(error) => say!(messages, "error-rules", why = error.to_string()),
            CommandError::Told { key, variables, .. } => {
                let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
                messages.say(key, &variables)
            }
        }
    }
}

fn session(error: &SessionError, messages: &Messages) -> String {
    match error {
        SessionError::Vault(error) | SessionError::Register(RegisterError::Vault(error)) => vault(error, messages),
        SessionError::Membership(MembershipError::Vault(error)) => vault(error, messages),
        SessionError::Broker(error) | SessionError::Membership(MembershipError::Broker(error)) => {
            broker(error, messages)
        }
        SessionError::Membership(MembershipError::NotJoined) => messages.text("error-not-joined"),
        SessionError::Membership(MembershipError::NotAdmitted) => messages.text("error-not-admitted"),
        SessionError::SplitView => messages.text("error-split-view"),
        SessionError::NotNow { code, .. } => say!(messages, "error-not-now", code = code.as_str()),
        other => say!(messages, "error-session", why = other.to_string()),
    }
}

fn officer(error: &OfficerError, messages: &Messages) -> String {
    let key = match error {
        OfficerError::Locked => "error-officer-locked",
        OfficerError::Name => "error-officer-name",
        OfficerError::Taken => "error-officer-taken",
        OfficerError::Unknown => "error-officer-unknown",
        OfficerError::Revoked => "error-officer-revoked",
        OfficerError::TooMany => "error-officer-too-many",
        OfficerError::Vault(error) | OfficerError::Membership(MembershipError::Vault(error)) => {
            return vault(error, messages);
        }
        OfficerError::Membership(MembershipError::NotJoined) => "error-not-joined",
        OfficerError::Membership(error) => return say!(messages, "error-membership", why = error.to_string()),
    };
    messages.text(key)
}

fn session_exit(error: &SessionError) -> Exit {
    match error {
        SessionError::Vault(VaultError::Locked) => Exit::Locked,
        SessionError::Broker(error) | SessionError::Membership(MembershipError::Broker(error)) => broker_exit(error),
        SessionError::SplitView => Exit::VerificationFailed,
        _ => Exit::Refused,
    }
}

fn broker(error: &BrokerError, messages: &Messages) -> String {
    let key = match error {
        BrokerError::Unreachable(_) => "error-broker-unreachable",
        BrokerError::NotTheBroker(_) => "error-broker-other",
        BrokerError::CertificateRefused => "error-broker-certificate",
        _ => "error-broker",
    };
    say!(messages, key, why = error.to_string())
}

/// How a command ends that the broker did not serve.
pub(super) fn broker_exit(error: &BrokerError) -> Exit {
    match error {
        BrokerError::Unreachable(_) => Exit::Unreachable,
        BrokerError::NotTheBroker(_) | BrokerError::Malformed(_) | BrokerError::TooLarge(_) => Exit::VerificationFailed,
        _ => Exit::Refused,
    }
}

fn vault(error: &VaultError, messages: &Messages) -> String {
    match error {
        VaultError::Locked => messages.text("error-vault-locked"),
        VaultError::Missing(path) => say!(messages, "error-vault-missing", path = path.display().to_string()),
        VaultError::Exists(path) => say!(messages, "error-vault-exists", path = path.display().to_string()),
        VaultError::Damaged(what) => say!(messages, "error-vault-damaged", what = *what),
        VaultError::Format { .. } => messages.text("error-vault-format"),
        VaultError::SqliteTooOld { found } => say!(messages, "error-sqlite", found = found.as_str()),
        VaultError::File { path, error } => {
            say!(messages, "error-file", path = path.display().to_string(), why = error.to_string())
        }
        other => say!(messages, "error-vault-other", why = other.to_string()),
    }
}

fn import(error: &ImportError, messages: &Messages) -> String {
    match error {
        ImportError::Read(error) => say!(messages, "error-import-read", why = error.to_string()),
        ImportError::NotATable => messages.text("error-import-not-a-table"),
        ImportError::Utf16 => messages.text("error-import-utf16"),
        ImportError::OldWorkbook => messages.text("error-import-old-workbook"),
        ImportError::Workbook(why) => say!(messages, "error-import-workbook", why = why.as_str()),
        ImportError::NoSheet { name, sheets } => {
            say!(messages, "error-import-no-sheet", name = name.as_str(), sheets = sheets.join(", "))
        }
        ImportError::WorkbookTooLarge
        | ImportError::TooLarge
        | ImportError::TooManyRows
        | ImportError::TooManyJoined => messages.text("error-import-too-large"),
        ImportError::Empty => messages.text("error-import-empty"),
        ImportError::NoRecordColumn { found } => {
            say!(messages, "error-import-no-record", found = found.join(", "))
        }
        ImportError::TooManyColumns { line } => say!(messages, "error-import-too-many-columns", line = *line),
        ImportError::RowTooLong { line } => say!(messages, "error-import-row-too-long", line = *line),
        ImportError::Strict(fault) => say!(
            messages,
            "error-import-strict",
            line = fault.line,
            column = fault.column.as_str(),
            value = fault.value,
            why = cause(fault.reason, messages)
        ),
        ImportError::Register(RegisterError::Vault(error)) => vault(error, messages),
        ImportError::Register(error) => say!(messages, "error-vault-damaged", what = error.to_string()),
        ImportError::Stopped | ImportError::Failed => messages.text("error-import-failed"),
    }
}

/// Why a value was not used, in words.
pub(super) fn cause(cause: Cause, messages: &Messages) -> String {
    match cause.explain(messages.language().into()) {
        Some(text) => text.to_owned(),
        None => messages.text(&format!("cause-{}", cause.name().replace('_', "-"))),
    }
}

macro_rules! from {
    ($($source:ty => $variant:ident),*) => {$(
        impl From<$source> for CommandError {
            fn from(error: $source) -> Self {
                CommandError::$variant(error)
            }
        }
    )*};
}
from!(VaultError => Vault, RegisterError => Register, ImportError => Import, MappingError => Mapping,
      HomeError => Home, PassphraseError => Passphrase, identifier::RulesError => Rules, MembershipError => Membership,
      SessionError => Session, OfficerError => Officer,
      HandoverError => Handover);
