//! The page at the end: who met whom, what followed, what the broker saw of it, and the log's proof. One file, no network needed.
//!
//! Caller: the story. *Not here:* any figure; all come from the results and from the broker's own database.

use crate::broker_view::{BrokerView, CaseSeen, EventSeen};
use crate::played::Played;
use crate::results::{Check, LogResult, Overlap};
use askama::Template;
use std::collections::BTreeMap;

/// Half the side of the drawing.
const HALF: f64 = 230.0;
const RADIUS: f64 = 170.0;

struct Node {
    name: String,
    x: f64,
    y: f64,
    records: u64,
}

struct Edge {
    from: (f64, f64),
    to: (f64, f64),
    middle: (f64, f64),
    surfaced: usize,
    width: f64,
}

struct Row {
    units: String,
    records: String,
    kinds: String,
    tier: String,
    surfaced: bool,
    state: String,
}

/// One act: what both units have of it, and what the broker has.
struct ActRow {
    who: String,
    event: String,
    said: String,
    seen: String,
}

struct Case {
    title: (&'static str, &'static str),
    records: String,
    state: String,
    handle: String,
    acts: Vec<ActRow>,
    parts: usize,
    part_bytes: i64,
    parts_kept: usize,
}

struct PairRow {
    units: String,
    leaves: String,
    matches: i64,
    surfaced: usize,
}

/// What the page shows.
#[derive(Template)]
#[template(path = "page.html")]
pub struct Page<'a> {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    rows: Vec<Row>,
    more: usize,
    cases: Vec<Case>,
    pairs: Vec<PairRow>,
    broker: &'a BrokerView,
    log: &'a LogResult,
    checks: &'a [Check],
    seconds: String,
}

/// Rows of the table of overlaps; further ones are counted.
const MOST_ROWS: usize = 200;

impl<'a> Page<'a> {
    /// Lays the page out. `units`: name and number of records, in order.
    pub fn new(
        units: &[(String, u64)],
        overlaps: &[Overlap],
        played: &[Played],
        broker: &'a BrokerView,
        log: &'a LogResult,
        checks: &'a [Check],
        seconds: f64,
    ) -> Page<'a> {
        let place = |at: usize| {
            let angle = std::f64::consts::TAU * at as f64 / units.len().max(1) as f64 - std::f64::consts::FRAC_PI_2;
            (HALF + RADIUS * angle.cos(), HALF + RADIUS * angle.sin())
        };
        let node = |(at, (name, records)): (usize, &(String, u64))| {
            let (x, y) = place(at);
            Node { name: name.clone(), x, y, records: *records }
        };
        let mut met: BTreeMap<[String; 2], usize> = BTreeMap::new();
        for overlap in overlaps.iter().filter(|overlap| overlap.surfaced) {
            *met.entry(overlap.units.clone()).or_default() += 1;
        }
        let position = |name: &str| units.iter().position(|(unit, _)| unit == name).unwrap_or(0);
        let edge = |([a, b], count): (&[String; 2], &usize)| {
            let (from, to) = (place(position(a)), place(position(b)));
            // A little off the middle, so that labels of crossing lines do not cover each other.
            let middle = (from.0 * 0.62 + to.0 * 0.38, from.1 * 0.62 + to.1 * 0.38);
            Edge { from, to, middle, surfaced: *count, width: 1.0 + (*count as f64).ln_1p() }
        };
        let row = |overlap: &Overlap| Row {
            units: overlap.units.join(" · "),
            records: overlap.records.join(" · "),
            kinds: overlap.kinds.join(", "),
            tier: overlap.tier.clone(),
            surfaced: overlap.surfaced,
            state: overlap.state.clone(),
        };
        let pair = |pair: &crate::broker_view::PairSeen| PairRow {
            units: pair.units.join(" · "),
            leaves: format!("{} · {}", pair.leaves[0], pair.leaves[1]),
            matches: pair.matches,
            surfaced: met.get(&pair.units).copied().unwrap_or(0),
        };
        Page {
            nodes: units.iter().enumerate().map(node).collect(),
            edges: met.iter().map(edge).collect(),
            rows: overlaps.iter().take(MOST_ROWS).map(row).collect(),
            more: overlaps.len().saturating_sub(MOST_ROWS),
            cases: played.iter().map(|one| case(one, broker)).collect(),
            pairs: broker.pairs.iter().map(pair).collect(),
            broker,
            log,
            checks,
            seconds: format!("{seconds:.1}"),
        }
    }
}

fn case(played: &Played, broker: &BrokerView) -> Case {
    let nothing = CaseSeen::default();
    let seen = broker.cases.get(&played.handle).unwrap_or(&nothing);
    let mut events = seen.events.iter();
    let acts = played.acts.iter().map(|act| ActRow {
        who: [act.unit.as_str(), act.role.as_str()].join(" "),
        event: act.event.clone(),
        said: act.said.clone(),
        seen: events.next().map(words).unwrap_or_default(),
    });
    let [(one, first), (other, second)] = {
        let [one, other] = played.ending.units();
        [(one, &played.records[0]), (other, &played.records[1])]
    };
    Case {
        title: played.ending.story(),
        records: format!("{one} {first} · {other} {second}"),
        state: played.state.clone(),
        handle: played.handle.clone(),
        acts: acts.collect(),
        parts: seen.parts,
        part_bytes: seen.part_bytes,
        parts_kept: seen.parts_kept,
    }
}

/// What the broker has of an act.
fn words(event: &EventSeen) -> String {
    let EventSeen { unit, officer, event, bytes } = event;
    match officer {
        Some(number) => format!("{unit}, officer {number}: {event}, {bytes} bytes sealed"),
        None if unit.is_empty() => event.clone(),
        None => format!("{unit}, agent: {event}, {bytes} bytes sealed"),
    }
}
