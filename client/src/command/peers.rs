//! `sutura peers`: who the other units are, and whom this unit trusts (R7, R18).
//!
//! *Not here:* what is exchanged with them.

use super::{CommandError, Context, Exit};
use crate::agent::PeerView;
use crate::home::Work;
use crate::say;
use crate::session::{Session, system_clock};
use protocol::identity::same_code;
use protocol::message::Standing;
use protocol::name::{Party, UnitName};
use serde_json::json;

/// `sutura peers [verify|lift]`
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

/// What is done about a peer.
#[derive(clap::Subcommand)]
enum Action {
    /// The verification code.
    Verify {
        /// The peer.
        #[arg(value_name = "UNIT")]
        unit: UnitName,
        /// The code that the peer's officers read out.
        #[arg(value_name = "CODE", num_args = 0..)]
        code: Vec<String>,
    },
    /// Evaluates for a peer again; or exchanges again, after two histories of the log were looked into.
    Lift {
        /// The peer, or the broker.
        #[arg(value_name = "UNIT|@broker")]
        unit: Party,
    },
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let _lock = match args.action {
        Some(_) => Some(context.lock(Work::Agent)?),
        None => None,
    };
    let mut session = Session::open(vault, system_clock()).await?;
    match args.action {
        None => list(&session, context),
        Some(Action::Verify { unit, code }) => verify(&mut session, &unit, &code.join(" "), context).await,
        Some(Action::Lift { unit: Party::Broker }) => {
            if !session.act(|agent, _| agent.lift_split()).await? {
                return Err(CommandError::told(Exit::Refused, "error-no-split-view", &[]));
            }
            context.terminal.data(&context.messages.text("peers-lifted-broker"));
            Ok(Exit::Done)
        }
        Some(Action::Lift { unit: party }) => {
            let unit = party
                .unit()
                .cloned()
                .ok_or_else(|| CommandError::told(Exit::Refused, "error-no-peer", &[("unit", party.as_str())]))?;
            known(&session, &unit)?;
            let lifted = session.act(|agent, _| agent.lift_stop(&unit)).await?;
            lifted.map_err(|error| CommandError::told(Exit::Refused, "error-not-taken", &[("why", error.code())]))?;
            context.terminal.data(&say!(context.messages, "peers-lifted", unit = unit.as_str()));
            Ok(Exit::Done)
        }
    }
}

fn list(session: &Session, context: &Context) -> Result<Exit, CommandError> {
    let peers = session.agent().view().peers;
    if context.json {
        let listed: Vec<_> = peers.iter().map(peer_json).collect();
        context.give(&json!({ "peers": listed }));
        return Ok(Exit::Done);
    }
    if peers.is_empty() {
        context.tell("peers-none", &[]);
        return Ok(Exit::Refused);
    }
    let rows = peers.iter().map(|peer| {
        vec![
            peer.name.to_string(),
            crate::terminal::printable(&peer.title),
            context.messages.text(standing(peer.standing)),
            context.yes_or_no(peer.verified),
            peer.stopped.clone().unwrap_or_default(),
        ]
    });
    context.show_table(&["column-unit", "column-title", "column-standing", "column-verified", "column-stopped"], rows);
    if peers.iter().any(|peer| !peer.verified && peer.standing == Standing::Admitted) {
        context.tell("peers-unverified", &[]);
    }
    Ok(Exit::Done)
}

async fn verify(session: &mut Session, unit: &UnitName, typed: &str, context: &Context) -> Result<Exit, CommandError> {
    let peer = known(session, unit)?;
    if typed.trim().is_empty() {
        if context.json {
            context.give(&peer_json(&peer));
        } else {
            context.terminal.data(&peer.code);
            context.tell("verify-compare", &[("unit", unit.as_str().into())]);
        }
        return Ok(if peer.verified { Exit::Done } else { Exit::NotVerified });
    }
    if !same_code(typed, &peer.code) {
        return Err(CommandError::told(Exit::NotVerified, "error-code-differs", &[("unit", unit.as_str())]));
    }
    let verified = session.act(|agent, _| agent.mark_verified(unit)).await?;
    verified.map_err(|error| CommandError::told(Exit::Refused, "error-not-taken", &[("why", error.code())]))?;
    if context.json {
        context.give(&json!({ "unit": unit.as_str(), "verified": true }));
    } else {
        context.terminal.data(&say!(context.messages, "verify-done", unit = unit.as_str()));
    }
    Ok(Exit::Done)
}

fn known(session: &Session, unit: &UnitName) -> Result<PeerView, CommandError> {
    let found = session.agent().view().peers.into_iter().find(|peer| peer.name == *unit);
    found.ok_or_else(|| CommandError::told(Exit::Refused, "error-no-peer", &[("unit", unit.as_str())]))
}

/// The key of a standing's word.
pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Admitted => "standing-admitted",
        Standing::Suspended => "standing-suspended",
        Standing::Left => "standing-left",
    }
}

/// A peer, for programs.
pub(super) fn peer_json(peer: &PeerView) -> serde_json::Value {
    json!({
        "unit": peer.name.as_str(),
        "title": peer.title,
        "standing": standing(peer.standing).trim_start_matches("standing-"),
        "verified": peer.verified,
        "code": peer.code,
        "stopped": peer.stopped,
        "party": peer.party,
        "covered_tick": peer.covered,
        "compared": peer.compared,
        "waiting": peer.waiting,
        "evaluated": peer.evaluated,
        "quota": peer.quota,
        "overlaps": peer.overlaps,
    })
}
