//! `sutura status`: how the unit stands: peers with coverage, the accord, the log, what waits, what happened (R20).
//!
//! *Not here:* asking the broker: what is shown is what the vault knows.

use super::overlap::{choices, words};
use super::peers::peer_json;
use super::{CommandError, Context, Exit, rules_in_force};
use crate::agent::Told;
use crate::say;
use crate::session::{Session, kind_and_tier, system_clock};
use crate::terminal::printable;
use identifier::surfaces;
use serde_json::json;

/// Events that are shown.
const SHOWN: usize = 20;
/// A limit within this time is told, in milliseconds.
const SOON_MS: u64 = 24 * 3_600_000;

/// `sutura status`
#[derive(clap::Args)]
pub struct Args {}

/// Runs it.
pub async fn run(_args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let session = Session::open(vault.clone(), system_clock()).await?;
    let view = session.agent().view();
    let mut told: Vec<Told> =
        vault.list("event/").await?.iter().filter_map(|(_, bytes)| Told::from_bytes(bytes)).collect();
    let cases = Cases::count(&session, &rules_in_force(&vault).await?);
    let accord = view.proposals.iter().find(|proposal| proposal.in_force).map(|p| p.accord.hash().to_string());
    if context.json {
        let peers: Vec<_> = view.peers.iter().map(peer_json).collect();
        let events: Vec<_> = told
            .iter()
            .map(|t| json!({ "at_ms": t.at_ms, "event": t.code, "peer": t.peer, "detail": t.detail }))
            .collect();
        context.give(&json!({
            "unit": view.unit.as_str(), "federation": view.federation.to_string(),
            "epoch": view.epoch, "tick": view.tick, "accord": accord,
            "records": view.records, "tokens": view.tokens,
            "settled": session.agent().is_settled(),
            "log": { "size": view.log_size, "root": view.log_root.to_string(), "unproven": view.unproven },
            "outbox": { "unsent": view.unsent, "unconfirmed": view.kept },
            "cases": {
                "new": cases.new, "open": cases.open, "waiting_for_us": cases.waiting, "due_within_24h": cases.due,
            },
            "peers": peers, "events": events,
        }));
        return Ok(Exit::Done);
    }
    let key = if accord.is_some() { "status-unit" } else { "status-no-accord" };
    context.terminal.data(&say!(
        context.messages,
        key,
        unit = view.unit.as_str(),
        records = view.records,
        tokens = view.tokens,
        epoch = view.epoch.unwrap_or(0),
        tick = view.tick
    ));
    let rows = view.peers.iter().map(|peer| {
        vec![
            peer.name.to_string(),
            context.yes_or_no(peer.verified),
            peer.covered.map(|tick| tick.to_string()).unwrap_or_default(),
            peer.compared.to_string(),
            peer.waiting.to_string(),
            format!("{} / {}", peer.evaluated, peer.quota),
            peer.overlaps.to_string(),
        ]
    });
    context.show_table(
        &[
            "column-unit",
            "column-verified",
            "column-covered",
            "column-compared",
            "column-waiting",
            "column-evaluated",
            "column-overlaps",
        ],
        rows,
    );
    context.tell("status-log", &[("size", view.log_size.into()), ("unproven", view.unproven.into())]);
    context.tell("status-outbox", &[("unsent", view.unsent.into()), ("kept", view.kept.into())]);
    let counts = [("new", cases.new), ("open", cases.open), ("waiting", cases.waiting), ("due", cases.due)];
    context.tell("status-cases", &counts.map(|(name, count)| (name, count.into())));
    let from = told.len().saturating_sub(SHOWN);
    for event in told.drain(from..) {
        let peer = printable(&event.peer);
        let detail = words::detail(&event.code, &event.detail, &context.messages);
        let text = say!(context.messages, &format!("event-{}", event.code), peer = peer, detail = detail);
        context.terminal.message(&text);
    }
    Ok(Exit::Done)
}

/// How many cases there are, and how many want something.
#[derive(Default)]
struct Cases {
    /// Overlaps that surfaced, without an act so far.
    new: u64,
    open: u64,
    waiting: u64,
    due: u64,
}

impl Cases {
    fn count(session: &Session, rules: &identifier::Rules) -> Cases {
        let (now, me) = (system_clock()(), session.agent().view().unit);
        let mut cases = Cases::default();
        let agent = session.agent();
        for (_, overlap) in agent.overlaps().filter(|(_, overlap)| agent.case_of(&overlap.handle).is_none()) {
            let met: Vec<_> = overlap.met.values().filter_map(|worth| kind_and_tier(*worth)).collect();
            cases.new += u64::from(surfaces(&met, rules).is_some());
        }
        for (_, case) in session.agent().cases() {
            let Ok(found) = session.prospect(case.handle()) else { continue };
            if case.is_over(&found.manual) {
                continue;
            }
            cases.open += 1;
            cases.waiting += u64::from(!found.pending && choices::waits_for(case, &found.manual, &me, now));
            let deadline = case.deadline_ms(&found.manual);
            cases.due += u64::from(deadline.is_some_and(|at| at > now && at - now <= SOON_MS));
        }
        cases
    }
}
