//! `sutura overlap ID [ACTION]`: one overlap, its case, and every act of officers that the manual knows.
//!
//! The manual decides which acts there are: a word that is none of `LOCAL` is looked up among the events of the case's
//! manual. | file | holds |: `show` what is to be seen, `choices` who may do what next, `act` preparing, showing and signing
//! an act, `consent` what a consent is over, `preview` what is said before a signature, `pack` and `package_file` packages
//! before they are sealed, `read` packages that came, `history` acts and journal, `words` ids and refusals in words.
//! *Not here:* whether an act is allowed ([`protocol::case`], [`protocol::consent`]), and sending, which is `sutura sync`.

mod act;
pub(super) mod choices;
mod consent;
mod history;
mod pack;
mod package_file;
mod preview;
mod read;
mod show;
pub(super) mod words;

use super::context::OFFICER_PASSPHRASE_FILE;
use super::overlaps::{Shown, open, shown};
use super::{CommandError, Context, Exit};
use crate::home::Work;
use crate::officers::{self, OwnOfficer, OwnStanding, Unlocked};
use crate::session::Session;
use crate::terminal::printable;
use crate::vault::Vault;
use protocol::name::UnitName;
use protocol::officer::OfficerRole;
use protocol::overlap::Handle;
use std::path::PathBuf;

/// Words that are no event of a manual: they work in this unit only. `journal` is one as long as no entry is given.
const LOCAL: &[&str] = &["template", "pack", "drafts", "unpack", "read", "history", "journal", "lift"];

/// `sutura overlap ID [ACTION] [FILE]`
#[derive(clap::Args)]
pub struct Args {
    /// The overlap's handle, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,
    /// An event of the manual, or a local action.
    #[arg(value_name = "ACTION")]
    action: Option<String>,
    /// The package to pack, or the draft to unpack.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

/// What is said beside the action.
#[derive(clap::Args, Default)]
struct Said {
    /// Who signs.
    #[arg(long = "as", value_name = "OFFICER")]
    officer: Option<String>,
    /// A code of the manual's reasons.
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// A short word.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// What is offered.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<protocol::act::Outcome>,
    /// Who would hand over.
    #[arg(long, value_name = "us|them")]
    provider: Option<Side>,
    /// A field that is offered or asked for.
    #[arg(long, value_name = "NAME")]
    field: Vec<String>,
    /// The threat to life.
    #[arg(long, value_name = "TEXT")]
    threat: Option<String>,
    /// How long a consent counts.
    #[arg(long, value_name = "48h|7d")]
    until: Option<Duration>,
    /// A draft, or a package.
    #[arg(long, value_name = "DRAFT|HASH")]
    package: Option<String>,
    /// What the legal officer attests.
    #[arg(long, value_name = "all|CODE")]
    attest: Vec<String>,
    /// What a journal is for.
    #[arg(long, value_name = "TEXT")]
    purpose_text: Option<String>,
    /// The offence.
    #[arg(long, value_name = "TEXT")]
    offence: Option<String>,
    /// The legal basis.
    #[arg(long, value_name = "TEXT")]
    legal_basis: Option<String>,
    /// The magistrate's reference.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// An entry of the journal.
    #[arg(long, value_name = "TEXT", conflicts_with = "entry_file")]
    entry: Option<String>,
    /// The same, from a file.
    #[arg(long, value_name = "FILE")]
    entry_file: Option<PathBuf>,
    /// No copy is left.
    #[arg(long)]
    all_copies_destroyed: bool,
    /// Why a package is read, or an objection lifted.
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    /// Where a copy of it goes.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Nobody is asked.
    #[arg(long)]
    yes: bool,
}

impl Said {
    fn has_entry(&self) -> bool {
        self.entry.is_some() || self.entry_file.is_some()
    }

    /// An option that was set and is none of `used`: what somebody says and nobody reads would be misunderstood.
    fn unused(&self, used: &[&str]) -> Option<&'static str> {
        let purpose = self.purpose_text.is_some() || self.offence.is_some() || self.legal_basis.is_some();
        let set = [
            ("as", self.officer.is_some()),
            ("reason", self.reason.is_some()),
            ("note", self.note.is_some()),
            ("outcome", self.outcome.is_some()),
            ("provider", self.provider.is_some()),
            ("field", !self.field.is_empty()),
            ("threat", self.threat.is_some()),
            ("until", self.until.is_some()),
            ("package", self.package.is_some()),
            ("attest", !self.attest.is_empty()),
            ("purpose-text", purpose || self.reference.is_some()),
            ("entry", self.has_entry()),
            ("all-copies-destroyed", self.all_copies_destroyed),
            ("because", self.because.is_some()),
            ("to", self.to.is_some()),
            ("yes", self.yes),
        ];
        set.into_iter().find(|(name, is_set)| *is_set && !used.contains(name)).map(|(name, _)| name)
    }
}

/// Whose side somebody means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Us,
    Them,
}

impl std::str::FromStr for Side {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "us" => Ok(Side::Us),
            "them" => Ok(Side::Them),
            _ => Err("us or them"),
        }
    }
}

/// A length of time, in milliseconds: a number with `h` or `d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Duration(u64);

impl Duration {
    const HOUR: u64 = 3_600_000;
    const DEFAULT: Duration = Duration(48 * Duration::HOUR);
}

impl std::str::FromStr for Duration {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "hours or days, as 48h or 7d";
        let unit = match text.chars().last() {
            Some('h') => Duration::HOUR,
            Some('d') => 24 * Duration::HOUR,
            _ => return Err(WRONG),
        };
        let number: u64 = text[..text.len() - 1].parse().map_err(|_| WRONG)?;
        number.checked_mul(unit).filter(|length| *length > 0).map(Duration).ok_or(WRONG)
    }
}

/// An overlap at hand, with all that the actions need.
struct Desk<'c> {
    context: &'c Context,
    session: Session,
    vault: Vault,
    peer: UnitName,
    handle: Handle,
    shown: Shown,
    me: UnitName,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let Args { id, action, file, said } = args;
    let action = action.as_deref();
    let is_journal = action == Some("journal") && !said.has_entry();
    let local = action.filter(|action| LOCAL.contains(action) && (*action != "journal" || is_journal));
    let takes_file = matches!(local, Some("pack" | "unpack"));
    if takes_file != file.is_some() {
        return Err(CommandError::told(
            Exit::Usage,
            if takes_file { "error-file-needed" } else { "error-no-file" },
            &[],
        ));
    }
    let used: Option<&[&str]> = match local {
        Some("read") => Some(&["as", "because", "to", "package", "yes"]),
        Some("lift") => Some(&["as", "because", "yes"]),
        Some(_) => Some(&[]),
        None if action.is_none() => Some(&[]),
        None => None,
    };
    if let Some(option) = used.and_then(|used| said.unused(used)) {
        return Err(CommandError::told(Exit::Usage, "error-option-unused", &[("option", option)]));
    }
    let writes = action.is_some() && !matches!(local, Some("template" | "drafts" | "history" | "journal"));
    let mut desk = Desk::open(&id, writes, context).await?;
    let _lock = if writes { desk.1.take() } else { None };
    let mut desk = desk.0;
    match (local, file) {
        (Some("template"), _) => pack::template(&desk).await,
        (Some("pack"), Some(file)) => pack::pack(&mut desk, &file).await,
        (Some("unpack"), Some(draft)) => pack::unpack(&mut desk, &draft.to_string_lossy()).await,
        (Some("drafts"), _) => pack::drafts(&desk).await,
        (Some("read"), _) => read::run(&mut desk, &said).await,
        (Some("history"), _) => history::run(&desk).await,
        (Some("journal"), _) => history::journal(&desk).await,
        (Some("lift"), _) => history::lift(&mut desk, &said).await,
        _ => match action {
            None => show::run(&desk).await,
            Some(event) => act::run(&mut desk, event, &said).await,
        },
    }
}

impl<'c> Desk<'c> {
    async fn open(
        id: &str,
        writes: bool,
        context: &'c Context,
    ) -> Result<(Desk<'c>, Option<crate::home::Lock>), CommandError> {
        let vault = context.open_vault().await?;
        let lock = if writes { Some(context.lock(Work::Agent)?) } else { None };
        let (session, rules) = open(vault.clone()).await?;
        let wanted = id.to_ascii_lowercase();
        let is_wanted = |handle: &Handle| wanted.len() >= 4 && handle.to_string().starts_with(&wanted);
        let agent = session.agent();
        let overlaps = agent.overlaps().filter(|(_, overlap)| is_wanted(&overlap.handle));
        let overlaps: Vec<_> = overlaps.map(|(peer, overlap)| (peer.clone(), overlap)).collect();
        let named: Vec<(UnitName, Handle)> = overlaps.iter().map(|(peer, o)| (peer.clone(), o.handle)).collect();
        let shown = shown(&session, &rules, overlaps).await?;
        let mut found: Vec<(UnitName, Handle, Shown)> =
            named.into_iter().zip(shown).map(|((peer, handle), shown)| (peer, handle, shown)).collect();
        // A case outlives its overlap: the record may have left the register.
        for (peer, case) in agent.cases().filter(|(_, case)| is_wanted(case.handle())) {
            if !found.iter().any(|(_, handle, _)| handle == case.handle()) {
                found.push((peer.clone(), *case.handle(), Shown::gone(case.handle(), peer)));
            }
        }
        let me = agent.view().unit;
        let mut found = found.into_iter();
        let (Some((peer, handle, shown)), None) = (found.next(), found.next()) else {
            return Err(CommandError::told(Exit::Refused, "error-no-overlap", &[("id", &printable(id))]));
        };
        Ok((Desk { context, session, vault, peer, handle, shown, me }, lock))
    }

    /// The beginning of the handle, as commands take it.
    fn short(&self) -> String {
        self.handle.to_string().chars().take(12).collect()
    }

    /// The officer whom `--as` names, if one of these roles: before any passphrase is asked for.
    async fn officer(&self, said: &Said, roles: &[OfficerRole]) -> Result<OwnOfficer, CommandError> {
        let messages = &self.context.messages;
        let listed: Vec<String> = roles.iter().map(|role| words::role(*role, messages)).collect();
        let listed = listed.join(", ");
        let Some(who) = &said.officer else {
            return Err(CommandError::told(Exit::Usage, "error-as", &[("roles", &listed)]));
        };
        let officer = officers::find(&self.vault, who).await?;
        let name = printable(&officer.name.name);
        match officer.standing {
            OwnStanding::InStanding => {}
            OwnStanding::Revoked => return Err(officers::OfficerError::Revoked.into()),
            OwnStanding::Waiting => {
                return Err(CommandError::told(Exit::Refused, "error-officer-waiting", &[("officer", &name)]));
            }
        }
        if !roles.contains(&officer.role) {
            let role = words::role(officer.role, messages);
            let variables = [("officer", name.as_str()), ("role", &role), ("roles", &listed)];
            return Err(CommandError::told(Exit::Forbidden, "error-role", &variables));
        }
        Ok(officer)
    }

    /// The officer's key, with the officer's own passphrase.
    async fn unlock(&self, officer: &OwnOfficer) -> Result<Unlocked, CommandError> {
        let name = printable(&officer.name.name);
        let prompt = crate::say!(self.context.messages, "passphrase-officer", officer = name);
        let passphrase = self.context.passphrase(OFFICER_PASSPHRASE_FILE, &prompt)?;
        Ok(officers::unlock(&self.vault, &officer.number.to_string(), &passphrase).await?)
    }

    /// Asks before something is signed. What cannot be undone wants the peer's name; the rest a yes.
    fn agree(&self, said: &Said, is_grave: bool) -> Result<(), CommandError> {
        if said.yes {
            return Ok(());
        }
        let terminal = &self.context.terminal;
        if !terminal.interactive {
            return Err(CommandError::told(Exit::Refused, "error-nobody-to-ask", &[]));
        }
        let messages = &self.context.messages;
        let word = if is_grave { self.peer.to_string() } else { messages.text("yes") };
        let prompt = crate::say!(messages, "ask-to-type", word = word.as_str());
        if terminal.ask_to_type(&prompt, &word) {
            Ok(())
        } else {
            Err(CommandError::told(Exit::Refused, "error-not-agreed", &[]))
        }
    }
}

/// How a command writes an id that people may shorten: the part of `candidates` that begins with `text`, if it is one.
fn by_prefix<'a, T>(candidates: &'a [T], text: &str, names: impl Fn(&T) -> Vec<String>) -> Option<&'a T> {
    let text = text.to_ascii_lowercase();
    let mut found = candidates
        .iter()
        .filter(|one| text.len() >= 4 && names(one).iter().any(|name| name.starts_with(text.as_str())));
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Line;
    use clap::FromArgMatches;

    fn read(line: &str) -> Result<Args, String> {
        let grammar = crate::command::grammar(&crate::language::Messages::new(Default::default()));
        let matches = grammar.try_get_matches_from(line.split_whitespace()).map_err(|error| error.to_string())?;
        let line = Line::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        match line.command {
            crate::command::Command::Overlap(args) => Ok(*args),
            _ => Err("another command".to_owned()),
        }
    }

    #[test]
    fn every_act_of_the_manual_can_be_said() {
        let args =
            read("sutura overlap 3f9a propose --as Diop --outcome handover --provider us --field phone --field place");
        let args = args.unwrap();
        assert_eq!((args.id.as_str(), args.action.as_deref()), ("3f9a", Some("propose")));
        assert_eq!(args.said.provider, Some(Side::Us));
        assert_eq!(args.said.field, ["phone", "place"]);
        let args = read("sutura overlap 3f9a consent --as 2 --package 77aa --until 7d --attest all --yes").unwrap();
        assert_eq!((args.said.until, args.said.yes), (Some(Duration(7 * 24 * 3_600_000)), true));
        let args = read("sutura overlap 3f9a pack package.toml").unwrap();
        assert_eq!(args.file, Some(PathBuf::from("package.toml")));
        assert!(read("sutura overlap 3f9a").unwrap().action.is_none());
        for wrong in [
            "sutura overlap",
            "sutura overlap 3f9a consent --until 7",
            "sutura overlap 3f9a consent --until 0d",
            "sutura overlap 3f9a consent --until 99999999999999999999d",
            "sutura overlap 3f9a propose --outcome theft",
            "sutura overlap 3f9a propose --provider me",
            "sutura overlap 3f9a journal --entry a --entry-file b",
            "sutura overlap 3f9a pack a b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_nobody_would_read_is_refused() {
        let said = read("sutura overlap 3f9a acknowledge --as Diop --outcome joint").unwrap().said;
        assert_eq!(said.unused(&["as", "yes"]), Some("outcome"));
        assert_eq!(said.unused(&["as", "outcome"]), None);
        assert_eq!(Said { yes: true, ..Said::default() }.unused(&["as"]), Some("yes"));
    }

    #[test]
    fn a_prefix_names_one_or_none() {
        let names = |name: &&str| vec![(*name).to_owned()];
        let all = ["abcd1", "abcd2", "ffff0"];
        assert_eq!(by_prefix(&all, "FFFF", names), Some(&"ffff0"));
        assert_eq!(by_prefix(&all, "abcd", names), None);
        assert_eq!(by_prefix(&all, "fff", names), None);
    }
}
