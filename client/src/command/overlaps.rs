//! `sutura overlaps`: what this unit and its peers have in common, each beside the own record, and how its case stands.
//!
//! Overlaps below the accord's threshold are counted, not shown (R19); "none" is always shown with what it covers (R20).
//! *Not here:* one overlap, and the officers' acts under the manual (overlap.rs).

use super::overlap::words;
use super::{CommandError, Context, Exit, rules_in_force};
use crate::agent::Overlap;
use crate::session::{Session, kind_and_tier, system_clock};
use crate::terminal::printable;
use crate::vault::Vault;
use identifier::{Kind, Rules, Strength, Tier, surfaces};
use protocol::name::UnitName;
use protocol::overlap::Handle;
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
    /// Only those whose case is not at its end.
    #[arg(long)]
    open: bool,
}

/// An overlap, as it is shown.
pub(super) struct Shown {
    pub handle: String,
    pub peer: String,
    pub reference: String,
    pub met: Vec<(Kind, Tier)>,
    pub surfaced: bool,
    /// The strength card; `None` below the threshold.
    pub strength: Option<Strength>,
    pub since: u64,
    /// The case's state; `None` before its first act.
    pub state: Option<String>,
    /// Whether the case has come to its end.
    pub is_over: bool,
}

impl Shown {
    /// A case whose overlap is no more: the record has left the register.
    pub fn gone(handle: &Handle, peer: &UnitName) -> Shown {
        Shown {
            handle: handle.to_string(),
            peer: peer.to_string(),
            reference: String::new(),
            met: Vec::new(),
            surfaced: false,
            strength: None,
            since: 0,
            state: None,
            is_over: false,
        }
    }
}

/// Runs `sutura overlaps`.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let (session, rules) = open(context.open_vault().await?).await?;
    let overlaps =
        session.agent().overlaps().filter(|(peer, _)| args.peer.as_ref().is_none_or(|wanted| wanted == *peer));
    let mut all = shown(&session, &rules, overlaps.map(|(peer, overlap)| (peer.clone(), overlap)).collect()).await?;
    let below = all.iter().filter(|overlap| !overlap.surfaced).count();
    if !args.all {
        all.retain(|overlap| overlap.surfaced);
    }
    if args.open {
        all.retain(|overlap| !overlap.is_over);
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
                match &overlap.state {
                    Some(id) => words::state(id, &context.messages),
                    None => context.messages.text("state-confirmed"),
                },
            ]
        });
        let headers = ["column-overlap", "column-unit", "column-record", "column-kind", "column-tier", "column-state"];
        context.show_table(&headers, rows);
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

/// A session, with the identifier rules of the accord in force.
pub(super) async fn open(vault: Vault) -> Result<(Session, Rules), CommandError> {
    let rules = rules_in_force(&vault).await?;
    Ok((Session::open(vault, system_clock()).await?, rules))
}

/// Overlaps, as they are shown.
pub(super) async fn shown(
    session: &Session,
    rules: &Rules,
    overlaps: Vec<(UnitName, Overlap)>,
) -> Result<Vec<Shown>, CommandError> {
    let references = session.references_of(&overlaps).await?;
    let each = overlaps.iter().zip(references);
    Ok(each.map(|((peer, overlap), reference)| shown_of(session, rules, peer, overlap, reference)).collect())
}

fn shown_of(session: &Session, rules: &Rules, peer: &UnitName, overlap: &Overlap, reference: String) -> Shown {
    let met: Vec<(Kind, Tier)> = overlap.met.values().filter_map(|worth| kind_and_tier(*worth)).collect();
    let case = session.agent().case_of(&overlap.handle);
    let strength = surfaces(&met, rules);
    Shown {
        handle: overlap.handle.to_string(),
        peer: peer.to_string(),
        reference,
        surfaced: strength.is_some(),
        strength,
        met,
        since: overlap.since,
        state: case.as_ref().map(|(case, manual)| manual.state(case.state()).id.clone()),
        is_over: case.is_some_and(|(case, manual)| case.is_over(&manual)),
    }
}

/// The kinds that met, each once.
pub(super) fn names(met: &[(Kind, Tier)]) -> Vec<&'static str> {
    met.iter().map(|(kind, _)| kind.name()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The best tier that met.
pub(super) fn best(met: &[(Kind, Tier)]) -> String {
    met.iter().map(|(_, tier)| *tier).min().map(|tier| tier.to_string()).unwrap_or_default()
}

/// An overlap, for programs.
pub(super) fn as_json(overlap: &Shown) -> serde_json::Value {
    json!({
        "overlap": overlap.handle, "peer": overlap.peer, "record": overlap.reference,
        "kinds": names(&overlap.met), "tier": best(&overlap.met), "surfaced": overlap.surfaced,
        "since_tick": overlap.since, "state": overlap.state.as_deref().unwrap_or("confirmed"),
    })
}
