//! `sutura overlaps` and `sutura overlap ID`: what this unit and its peers have in common, each beside the own record.
//!
//! Overlaps below the accord's threshold are counted, not shown (R19); "none" is always shown with what it covers (R20).
//! *Not here:* the officers' acts under the manual.

use super::{CommandError, Context, Exit, rules_in_force};
use crate::agent::Overlap;
use crate::say;
use crate::session::{Session, kind_and_tier, system_clock};
use crate::terminal::printable;
use identifier::{Kind, Rules, Tier, surfaces};
use protocol::name::UnitName;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// `sutura overlaps`
#[derive(clap::Args)]
pub struct Args {
    /// With one peer only.
    #[arg(long, value_name = "UNIT")]
    peer: Option<UnitName>,
    /// Also those below the threshold.
    #[arg(long)]
    all: bool,
}

/// `sutura overlap ID`
#[derive(clap::Args)]
pub struct OneArgs {
    /// The overlap's handle, or the beginning of it.
    #[arg(value_name = "ID")]
    id: String,
}

struct Shown {
    handle: String,
    peer: String,
    reference: String,
    met: Vec<(Kind, Tier)>,
    surfaced: bool,
    since: u64,
}

/// Runs `sutura overlaps`.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let (session, rules) = open(context).await?;
    let mut all = Vec::new();
    for (peer, overlap) in session.agent().overlaps() {
        if args.peer.as_ref().is_none_or(|wanted| wanted == peer) {
            all.push(shown(&session, &rules, peer, overlap).await?);
        }
    }
    let below = all.iter().filter(|overlap| !overlap.surfaced).count();
    if !args.all {
        all.retain(|overlap| overlap.surfaced);
    }
    let view = session.agent().view();
    if context.json {
        let listed: Vec<_> = all.iter().map(as_json).collect();
        let coverage: BTreeMap<_, _> = view.peers.iter().map(|peer| (peer.name.as_str(), peer.covered)).collect();
        context.give(&json!({ "overlaps": listed, "below_threshold": below, "covered_ticks": coverage }));
        return Ok(Exit::Done);
    }
    if !all.is_empty() {
        let rows = all.iter().map(|overlap| {
            vec![
                overlap.handle[..12].to_owned(),
                overlap.peer.clone(),
                printable(&overlap.reference),
                names(&overlap.met).join(", "),
                best(&overlap.met),
            ]
        });
        context.show_table(&["column-overlap", "column-unit", "column-record", "column-kind", "column-tier"], rows);
    }
    context.tell("overlaps-count", &[("shown", all.len().into()), ("below", below.into())]);
    for peer in view.peers {
        let (unit, waiting) = (peer.name.to_string(), peer.waiting);
        match peer.covered {
            Some(tick) => context
                .tell("overlaps-covered", &[("unit", unit.into()), ("tick", tick.into()), ("waiting", waiting.into())]),
            None => context.tell("overlaps-not-covered", &[("unit", unit.into())]),
        }
    }
    Ok(if all.is_empty() { Exit::Refused } else { Exit::Done })
}

/// Runs `sutura overlap`.
pub async fn run_one(args: OneArgs, context: &Context) -> Result<Exit, CommandError> {
    let (session, rules) = open(context).await?;
    let wanted = args.id.to_ascii_lowercase();
    let mut found = Vec::new();
    for (peer, overlap) in session.agent().overlaps() {
        if wanted.len() >= 4 && overlap.handle.to_string().starts_with(&wanted) {
            found.push(shown(&session, &rules, peer, overlap).await?);
        }
    }
    let [overlap] = &found[..] else {
        return Err(CommandError::told(Exit::Refused, "error-no-overlap", &[("id", &printable(&args.id))]));
    };
    if context.json {
        context.give(&as_json(overlap));
        return Ok(Exit::Done);
    }
    let (met, shown) = (names(&overlap.met).join(", "), context.yes_or_no(overlap.surfaced));
    context.terminal.data(&say!(
        context.messages,
        "overlap-one",
        handle = overlap.handle.as_str(),
        unit = overlap.peer.as_str(),
        record = printable(&overlap.reference),
        kinds = met,
        tier = best(&overlap.met),
        shown = shown,
        tick = overlap.since
    ));
    Ok(Exit::Done)
}

async fn open(context: &Context) -> Result<(Session, Rules), CommandError> {
    let vault = context.open_vault().await?;
    let rules = rules_in_force(&vault).await?;
    Ok((Session::open(vault, system_clock()).await?, rules))
}

async fn shown(session: &Session, rules: &Rules, peer: &UnitName, overlap: &Overlap) -> Result<Shown, CommandError> {
    let met: Vec<(Kind, Tier)> = overlap.met.values().filter_map(|worth| kind_and_tier(*worth)).collect();
    let record = session.record_of(overlap).await?;
    Ok(Shown {
        handle: overlap.handle.to_string(),
        peer: peer.to_string(),
        reference: record.map(|full| full.record.reference.to_string()).unwrap_or_default(),
        surfaced: surfaces(&met, rules).is_some(),
        met,
        since: overlap.since,
    })
}

fn names(met: &[(Kind, Tier)]) -> Vec<&'static str> {
    met.iter().map(|(kind, _)| kind.name()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn best(met: &[(Kind, Tier)]) -> String {
    met.iter().map(|(_, tier)| *tier).min().map(|tier| tier.to_string()).unwrap_or_default()
}

fn as_json(overlap: &Shown) -> serde_json::Value {
    json!({
        "overlap": overlap.handle, "peer": overlap.peer, "record": overlap.reference,
        "kinds": names(&overlap.met), "tier": best(&overlap.met), "surfaced": overlap.surfaced,
        "since_tick": overlap.since, "state": "confirmed",
    })
}
