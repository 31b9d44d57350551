//! `sutura officers`: the persons who sign for this unit, and those of the others (R30).
//!
//! *Not here:* their keys ([`crate::officers`]), what a role may do (the manual), and sending, which is `sutura sync`.

use super::context::OFFICER_PASSPHRASE_FILE;
use super::init::SHORTEST;
use super::{CommandError, Context, Exit};
use crate::home::Work;
use crate::officers::{self, OwnOfficer, OwnStanding};
use crate::say;
use crate::session::{Session, system_clock};
use crate::terminal::printable;
use crate::vault::{Hashing, Vault};
use getrandom::SysRng;
use protocol::name::UnitName;
use protocol::officer::{OfficerRefused, OfficerRole};
use rand_core::UnwrapErr;
use serde_json::json;

/// `sutura officers add|list|revoke`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What is done about officers.
#[derive(clap::Subcommand)]
enum Action {
    /// A new officer of this unit.
    Add {
        /// The officer's name.
        #[arg(value_name = "NAME")]
        name: String,
        /// The role.
        #[arg(long, value_name = "ROLE")]
        role: OfficerRole,
        /// For exercises: a passphrase that costs nothing to guess.
        #[arg(long)]
        weak_passphrase_hashing: bool,
    },
    /// All officers.
    List,
    /// An officer signs nothing more.
    Revoke {
        /// Name or number.
        #[arg(value_name = "NAME|NUMBER")]
        officer: String,
    },
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let _lock = match args.action {
        Action::Add { .. } | Action::Revoke { .. } => Some(context.lock(Work::Agent)?),
        Action::List => None,
    };
    let mut session = Session::open(vault.clone(), system_clock()).await?;
    match args.action {
        Action::Add { name, role, weak_passphrase_hashing } => {
            add(&vault, &mut session, &name, role, weak_passphrase_hashing, context).await
        }
        Action::List => list(&vault, &session, context).await,
        Action::Revoke { officer } => revoke(&vault, &mut session, &officer, context).await,
    }
}

async fn add(
    vault: &Vault,
    session: &mut Session,
    name: &str,
    role: OfficerRole,
    weak: bool,
    context: &Context,
) -> Result<Exit, CommandError> {
    let passphrase = context.new_passphrase(OFFICER_PASSPHRASE_FILE, "passphrase-new-officer")?;
    if passphrase.expose_secret().chars().count() < SHORTEST {
        return Err(CommandError::told(Exit::Usage, "error-init-short", &[("shortest", &SHORTEST.to_string())]));
    }
    let hashing = if weak { Hashing::WEAK_FOR_EXERCISES } else { Hashing::STRONG };
    if weak {
        context.tell("officers-weak", &[]);
    }
    // The key first: a certificate whose key is lost could only be revoked.
    let certificate = officers::create(vault, name, role, &passphrase, hashing, &mut UnwrapErr(SysRng)).await?;
    let number = certificate.number;
    if let Err(refused) = session.act(|agent, now| agent.certify(certificate, now)).await? {
        officers::forget(vault, number).await?;
        return Err(not_taken(&refused));
    }
    if context.json {
        context.give(&json!({ "number": number, "name": name, "role": role.name() }));
    } else {
        let text =
            say!(context.messages, "officers-added", number = number, name = name, role = role_word(role, context));
        context.terminal.data(&text);
    }
    Ok(Exit::Done)
}

async fn list(vault: &Vault, session: &Session, context: &Context) -> Result<Exit, CommandError> {
    let own = officers::list(vault).await?;
    let (agent, me) = (session.agent(), session.agent().view().unit);
    // Officers of ours whose keys this vault does not have stand among the others'.
    let here: Vec<u32> = own.iter().map(|officer| officer.number).collect();
    let roster = agent.view().peers.into_iter().map(|peer| peer.name);
    let units: Vec<UnitName> = std::iter::once(me.clone()).chain(roster).collect();
    let others: Vec<_> = units
        .iter()
        .flat_map(|unit| agent.officers().of(unit).map(move |(number, officer)| (unit, number, officer)))
        .filter(|(unit, number, _)| **unit != me || !here.contains(number))
        .collect();
    if context.json {
        let own: Vec<_> = own.iter().map(own_json).collect();
        let others: Vec<_> = others
            .iter()
            .map(|(unit, number, officer)| {
                let role = officer.certificate.role.name();
                json!({ "unit": unit.as_str(), "number": number, "role": role, "revoked": officer.revoked })
            })
            .collect();
        context.give(&json!({ "own": own, "others": others }));
        return Ok(Exit::Done);
    }
    if own.is_empty() && others.is_empty() {
        context.tell("officers-none", &[]);
        return Ok(Exit::Refused);
    }
    let own_rows = own.iter().map(|officer| {
        vec![
            me.to_string(),
            officer.number.to_string(),
            printable(&officer.name.name),
            role_word(officer.role, context),
            context.messages.text(standing_key(officer.standing)),
        ]
    });
    let other_rows = others.iter().map(|(unit, number, officer)| {
        let standing = if officer.revoked { OwnStanding::Revoked } else { OwnStanding::InStanding };
        vec![
            unit.to_string(),
            number.to_string(),
            String::new(),
            role_word(officer.certificate.role, context),
            context.messages.text(standing_key(standing)),
        ]
    });
    let headers = ["column-unit", "column-number", "column-name", "column-role", "column-standing"];
    context.show_table(&headers, own_rows.chain(other_rows));
    if own.iter().any(|officer| officer.standing == OwnStanding::Waiting) {
        context.tell("officers-waiting", &[]);
    }
    Ok(Exit::Done)
}

async fn revoke(vault: &Vault, session: &mut Session, who: &str, context: &Context) -> Result<Exit, CommandError> {
    let number = match (officers::find(vault, who).await, who.parse::<u32>()) {
        (Ok(own), _) if own.standing == OwnStanding::Waiting => return forget(vault, session, &own, context).await,
        (Ok(own), _) => own.number,
        // An officer whose key was lost can still be revoked, by number.
        (Err(officers::OfficerError::Unknown), Ok(number)) => number,
        (Err(error), _) => return Err(error.into()),
    };
    let revoked = session.act(|agent, now| agent.revoke_officer(number, now)).await?;
    revoked.map_err(|refused| not_taken(&refused))?;
    done("officers-revoked", number, who, context)
}

/// The log does not know this officer. As long as something waits to be sent it can still come to know them.
async fn forget(vault: &Vault, session: &Session, own: &OwnOfficer, context: &Context) -> Result<Exit, CommandError> {
    if session.agent().view().unsent > 0 {
        return Err(CommandError::told(Exit::Refused, "error-officer-waiting", &[("officer", &own.name.name)]));
    }
    officers::forget(vault, own.number).await?;
    done("officers-forgotten", own.number, &own.name.name, context)
}

fn done(key: &str, number: u32, who: &str, context: &Context) -> Result<Exit, CommandError> {
    if context.json {
        context.give(&json!({ "number": number, "revoked": true }));
    } else {
        context.terminal.data(&say!(context.messages, key, number = number, officer = printable(who)));
    }
    Ok(Exit::Done)
}

fn not_taken(refused: &OfficerRefused) -> CommandError {
    CommandError::told(Exit::Refused, "error-not-taken", &[("why", refused.code())])
}

fn role_word(role: OfficerRole, context: &Context) -> String {
    context.messages.text(&format!("role-{role}"))
}

/// The key of a standing's word.
fn standing_key(standing: OwnStanding) -> &'static str {
    match standing {
        OwnStanding::Waiting => "officer-waiting",
        OwnStanding::InStanding => "officer-in-standing",
        OwnStanding::Revoked => "officer-revoked",
    }
}

fn own_json(officer: &OwnOfficer) -> serde_json::Value {
    json!({
        "number": officer.number,
        "name": officer.name.name,
        "role": officer.role.name(),
        "standing": standing_key(officer.standing).trim_start_matches("officer-"),
        "accepted": officer.standing != OwnStanding::Waiting,
    })
}
