//! What each unit found, joined into pairs of records, and the results for programs.
//!
//! Callers: both kinds of federation fill a [`Found`] for each unit; the story joins and checks them. *Not here:* how
//! anything is found.

use client::session::{Session, kind_and_tier};
use identifier::{Rules, surfaces};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One overlap as one unit sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FoundOverlap {
    /// The other unit.
    pub peer: String,
    /// Our own record's reference.
    pub reference: String,
    /// The handle: the same on both sides.
    pub handle: String,
    /// The best tier that met.
    pub tier: String,
    /// The kinds that met, each once.
    pub kinds: Vec<String>,
    /// Whether officers see it (R19).
    pub surfaced: bool,
    /// The state of its case, once an officer has acted.
    pub state: Option<String>,
}

/// What one unit found, and what it cost.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Records in its register.
    pub records: u64,
    /// Live tokens.
    pub tokens: u64,
    /// Points sent in requests.
    pub points_sent: u64,
    /// Points evaluated for peers.
    pub points_evaluated: u64,
    /// CPU time, in seconds.
    pub seconds_cpu: f64,
    /// Peak memory, in MiB.
    pub peak_rss_mib: f64,
    /// Overlaps.
    pub overlaps: Vec<FoundOverlap>,
    /// Seconds of each phase.
    pub phases: BTreeMap<String, f64>,
    /// Bytes sent and received.
    pub traffic: (u64, u64),
    /// What officers were told, by name.
    pub events: Vec<String>,
    /// Envelopes that were not taken in, by name.
    pub not_taken: BTreeMap<String, u64>,
    /// The log at the last checkpoint it cosigned.
    pub log: (u64, String),
}

/// The overlaps of an open session.
pub async fn overlaps_of(session: &Session, rules: &Rules) -> anyhow::Result<Vec<FoundOverlap>> {
    let overlaps: Vec<_> = session.agent().overlaps().map(|(peer, overlap)| (peer.clone(), overlap)).collect();
    let references = session.references_of(&overlaps).await?;
    let mut out = Vec::with_capacity(overlaps.len());
    for ((peer, overlap), reference) in overlaps.iter().zip(references) {
        let met: Vec<_> = overlap.met.values().filter_map(|worth| kind_and_tier(*worth)).collect();
        let kinds: BTreeSet<String> = met.iter().map(|(kind, _)| kind.name().to_owned()).collect();
        let tier = met.iter().map(|(_, tier)| *tier).min().map(|tier| tier.to_string()).unwrap_or_default();
        out.push(FoundOverlap {
            peer: peer.to_string(),
            reference,
            handle: overlap.handle.to_string(),
            tier,
            kinds: kinds.into_iter().collect(),
            surfaced: surfaces(&met, rules).is_some(),
            state: state_of(session, overlap),
        });
    }
    Ok(out)
}

fn state_of(session: &Session, overlap: &client::agent::Overlap) -> Option<String> {
    let (case, manual) = session.agent().case_of(&overlap.handle)?;
    Some(manual.state(case.state()).id.clone())
}

/// One confirmed pair of records.
#[derive(Clone, Debug, Serialize)]
pub struct Overlap {
    /// The two units, in order of their names.
    pub units: [String; 2],
    /// Each one's own reference.
    pub records: [String; 2],
    /// The best tier that met.
    pub tier: String,
    /// The kinds that met.
    pub kinds: Vec<String>,
    /// Whether officers of both see it.
    pub surfaced: bool,
    /// Where the procedure stands: the manual's state, or "confirmed" as long as no officer has acted.
    pub state: String,
}

/// Who holds an overlap, and how each sees it.
type Sides<'f> = Vec<(String, &'f FoundOverlap)>;

/// Joins what all units found by the handles. `Err` names the first overlap that one side alone holds.
pub fn join(found: &[Found]) -> Result<Vec<Overlap>, String> {
    let mut sides: BTreeMap<(String, String, String), Sides<'_>> = BTreeMap::new();
    for unit in found {
        for overlap in &unit.overlaps {
            let mut pair = [unit.name.clone(), overlap.peer.clone()];
            pair.sort();
            let [low, high] = pair;
            sides.entry((low, high, overlap.handle.clone())).or_default().push((unit.name.clone(), overlap));
        }
    }
    let mut out = Vec::with_capacity(sides.len());
    for ((low, high, handle), mut both) in sides {
        both.sort_by(|a, b| a.0.cmp(&b.0));
        let [(_, first), (_, second)] = &both[..] else {
            return Err(format!("{low} and {high} do not both hold overlap {handle}"));
        };
        if first.surfaced != second.surfaced || first.kinds != second.kinds || first.state != second.state {
            return Err(format!("{low} and {high} see overlap {handle} differently"));
        }
        out.push(Overlap {
            units: [low, high],
            records: [first.reference.clone(), second.reference.clone()],
            tier: first.tier.clone(),
            kinds: first.kinds.clone(),
            surfaced: first.surfaced,
            state: first.state.clone().unwrap_or_else(|| "confirmed".to_owned()),
        });
    }
    out.sort_by(|a, b| (&a.units, &a.records).cmp(&(&b.units, &b.records)));
    Ok(out)
}

/// A unit, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct UnitResult {
    /// Its name.
    pub name: String,
    /// Records in its register.
    pub records: u64,
    /// Live tokens.
    pub tokens: u64,
    /// Points sent in requests.
    pub points_sent: u64,
    /// Points evaluated for peers.
    pub points_evaluated: u64,
    /// CPU time, in seconds (in one process: time spent on its protocol work).
    pub seconds_cpu: f64,
    /// Peak memory, in MiB (in one process: of the whole).
    pub peak_rss_mib: f64,
}

/// The broker, for programs: with --processes only.
#[derive(Clone, Debug, Serialize)]
pub struct BrokerResult {
    /// CPU time, in seconds.
    pub seconds_cpu: f64,
    /// Peak memory, in MiB.
    pub peak_rss_mib: f64,
}

/// A phase and its seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Seconds, summed over units.
    pub seconds: f64,
}

/// Bytes that units sent and received.
#[derive(Clone, Debug, Serialize, Default)]
pub struct BytesResult {
    /// Sent by all units.
    pub units_sent: u64,
    /// Received by all units.
    pub units_received: u64,
}

/// The log at the end.
#[derive(Clone, Debug, Serialize, Default)]
pub struct LogResult {
    /// Entries.
    pub size: u64,
    /// Root, in hexadecimal.
    pub root: String,
    /// Units that cosigned that checkpoint, or a later one.
    pub witnesses: u64,
}

/// Something that should happen, and whether it did.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether.
    pub ok: bool,
}

/// All of it, for programs.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The units.
    pub units: Vec<UnitResult>,
    /// The broker, with --processes.
    pub broker: Option<BrokerResult>,
    /// Every confirmed pair of records, once.
    pub overlaps: Vec<Overlap>,
    /// Where time went.
    pub phases: Vec<Phase>,
    /// From start to end.
    pub wall_seconds: f64,
    /// What went over the wire.
    pub bytes: BytesResult,
    /// The log.
    pub log: LogResult,
    /// What should happen.
    pub checks: Vec<Check>,
}
