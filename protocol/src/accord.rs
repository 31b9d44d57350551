//! The accord: the parameters that all units agreed on together, as a text that people can read and sign.
//!
//! A proposal carries a TOML text and a [`Start`]; the hash covers both, byte for byte, and every signed message is
//! bound to that hash (R23). It is in force when every unit admitted at the time of the proposal has signed it, at the
//! start of the epoch it names. A unit that joins later signs the accord in force, and is then party to it.
//!
//! Callers: agents and the broker. *Not here:* what the identifier rules and the manual mean. To this package they are
//! opaque tables; only the client reads the former, and the manual engine the latter.

use crate::calendar::{Calendar, Start};
use crate::codec::{self, Bytes, Hash};
use crate::label;
use crate::name::UnitName;
use crate::psi::MAX_POINTS;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The longest accord text, in bytes.
pub const MAX_TEXT: usize = 262_144;

/// The terms of an accord, as its text states them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What the accord is called by people.
    pub title: String,
    /// Ticks and epochs.
    pub ticks: Ticks,
    /// How many points may be asked for.
    pub requests: Requests,
    /// Sizes and delays of tag sets.
    pub tag_sets: TagSets,
    /// Acknowledgements.
    pub acknowledgements: Acknowledgements,
    /// Canaries.
    pub canaries: Canaries,
    /// Which identifiers are compared, and how they are written. Opaque here.
    pub identifiers: Identifiers,
    /// The coordination manual. Opaque here.
    #[serde(default)]
    pub manual: toml::Table,
}

/// Ticks and epochs ([`Calendar`]).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticks {
    /// Length of a tick, in milliseconds.
    pub tick_ms: u64,
    /// Length of an epoch, in ticks.
    pub epoch_ticks: u64,
    /// How long an epoch outlives its end, in ticks.
    pub grace_ticks: u64,
}

/// Requests (R12). The quota of R13 is exactly what they allow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// Most points of the opening requests of an epoch, for each peer.
    pub opening_max: u64,
    /// Most points of announced bulk loads in an epoch, for each peer.
    pub bulk_max: u64,
    /// Points of every later request, full or not.
    pub small: u32,
    /// Such a request goes at every so many ticks.
    pub every: u64,
}

/// Tag sets (R15).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagSets {
    /// Leaves added, and leaves removed, in every tick but an opening or bulk one.
    pub small: u32,
    /// A leaf is released after 0 to so many ticks, drawn for each pair.
    pub delay: u64,
}

/// Acknowledgements (R18).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgements {
    /// Slots are padded to a multiple of this.
    pub slots: u32,
    /// Ticks after which a missing acknowledgement is shown and stops evaluation for that peer.
    pub patience_ticks: u64,
}

/// Canaries (R22).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canaries {
    /// Canary tokens for each pair and epoch.
    pub count: u32,
    /// They are released within so many ticks of the epoch's opening for the pair.
    pub window_ticks: u64,
}

/// Identifiers: opaque to this package but for the version of their normalisation (R36).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifiers {
    /// Version of the normalisation.
    pub version: u32,
    /// The rules, as package `identifier` reads them.
    #[serde(default)]
    pub rules: toml::Table,
}

/// Why a text is no accord.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum AccordError {
    /// Longer than [`MAX_TEXT`].
    #[error("the accord is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// Not TOML, or a term that is unknown, missing or of another type.
    #[error("the accord's text is not readable: {0}")]
    Text(String),
    /// A term outside what the protocol allows.
    #[error("the accord's term {term} must be {must}")]
    Term {
        /// Its name in the text.
        term: &'static str,
        /// What it must be.
        must: &'static str,
    },
    /// Epoch 0, which is none; or an amendment that does not begin where an epoch of the accord in force begins.
    #[error("the accord does not begin at the start of an epoch")]
    Start,
}

impl AccordError {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            AccordError::TooLong => "accord-too-long",
            AccordError::Text(_) => "accord-unreadable",
            AccordError::Term { .. } => "accord-term",
            AccordError::Start => "accord-start",
        }
    }
}

/// An accord: text, start and hash, with the terms read from the text.
#[derive(Clone, PartialEq, Debug)]
pub struct Accord {
    text: String,
    start: Start,
    terms: Terms,
    hash: Hash,
}

impl Accord {
    /// Reads and checks a text.
    pub fn new(text: &str, start: Start) -> Result<Accord, AccordError> {
        if text.len() > MAX_TEXT {
            return Err(AccordError::TooLong);
        }
        if start.epoch == 0 {
            return Err(AccordError::Start);
        }
        let terms: Terms = toml::from_str(text).map_err(|e| AccordError::Text(e.message().to_owned()))?;
        terms.check()?;
        let mut h = Sha256::new();
        h.update(label::ACCORD.as_bytes());
        h.update([0]);
        h.update(codec::encode(&start));
        h.update((text.len() as u64).to_be_bytes());
        h.update(text.as_bytes());
        Ok(Accord { text: text.to_owned(), start, terms, hash: Bytes(h.finalize().into()) })
    }

    /// The text, byte for byte as it was proposed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// From where it counts.
    pub fn start(&self) -> Start {
        self.start
    }

    /// What it says.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What every message under it is bound to.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Its ticks and epochs.
    pub fn calendar(&self) -> Calendar {
        let Ticks { tick_ms, epoch_ticks, grace_ticks } = self.terms.ticks;
        Calendar { start: self.start, tick_ms, epoch_ticks, grace_ticks }
    }

    /// Checks that this accord can follow `before`: it begins where an epoch of `before` begins.
    pub fn check_follows(&self, before: &Accord) -> Result<(), AccordError> {
        let calendar = before.calendar();
        let first = calendar.first_tick(self.start.epoch).ok_or(AccordError::Start)?;
        let follows = self.start.epoch > before.start.epoch
            && self.start.tick == first
            && self.start.at_ms == calendar.begins_ms(first);
        if follows { Ok(()) } else { Err(AccordError::Start) }
    }
}

impl Terms {
    /// Most points that a unit evaluates for one peer in one epoch (R12, R13): opening, bulk, and every small request.
    /// This is the guess budget.
    pub fn quota(&self) -> u64 {
        let small = self.ticks.epoch_ticks.div_ceil(self.requests.every.max(1));
        let small = small.saturating_mul(u64::from(self.requests.small));
        self.requests.opening_max.saturating_add(self.requests.bulk_max).saturating_add(small)
    }

    fn check(&self) -> Result<(), AccordError> {
        let rule = |holds: bool, term, must| if holds { Ok(()) } else { Err(AccordError::Term { term, must }) };
        rule((1..=200).contains(&self.title.len()), "title", "1 to 200 bytes")?;
        let Ticks { tick_ms, epoch_ticks, grace_ticks } = self.ticks;
        rule((10..=604_800_000).contains(&tick_ms), "ticks.tick_ms", "10 to 604800000")?;
        rule((4..=10_000_000).contains(&epoch_ticks), "ticks.epoch_ticks", "4 to 10000000")?;
        rule((1..epoch_ticks).contains(&grace_ticks), "ticks.grace_ticks", "from 1, and less than epoch_ticks")?;
        let Requests { opening_max, bulk_max, small, every } = self.requests;
        rule((256..=1 << 26).contains(&opening_max), "requests.opening_max", "256 to 67108864")?;
        rule(bulk_max <= 1 << 26, "requests.bulk_max", "at most 67108864")?;
        rule((1..=MAX_POINTS as u32).contains(&small), "requests.small", "1 to 65536")?;
        rule((1..=epoch_ticks).contains(&every), "requests.every", "from 1 to epoch_ticks")?;
        rule((1..=65_536).contains(&self.tag_sets.small), "tag_sets.small", "1 to 65536")?;
        rule(self.tag_sets.delay < epoch_ticks, "tag_sets.delay", "less than epoch_ticks")?;
        rule((1..=4096).contains(&self.acknowledgements.slots), "acknowledgements.slots", "1 to 4096")?;
        let patience = self.acknowledgements.patience_ticks;
        rule((2..=10_000_000).contains(&patience), "acknowledgements.patience_ticks", "2 to 10000000")?;
        rule(self.canaries.count <= 256, "canaries.count", "at most 256")?;
        let window = self.canaries.window_ticks;
        rule((1..=epoch_ticks).contains(&window), "canaries.window_ticks", "from 1 to epoch_ticks")
    }
}

/// A proposed accord and who has signed it, as the log's order shows it. Pure bookkeeping, the same for all.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    /// What is proposed.
    pub accord: Accord,
    /// Who was a member when it was proposed: all of these must sign.
    pub needed: BTreeSet<UnitName>,
    /// Who has signed.
    pub signed: BTreeSet<UnitName>,
}

impl Proposal {
    /// A proposal made when `members` were the roster.
    pub fn new(accord: Accord, members: impl IntoIterator<Item = UnitName>) -> Self {
        Proposal { accord, needed: members.into_iter().collect(), signed: BTreeSet::new() }
    }

    /// Whether all who must sign, and are still members, have signed. Two units at least make a federation.
    pub fn is_complete(&self, still_member: impl Fn(&UnitName) -> bool) -> bool {
        self.signed.len() >= 2
            && self.needed.iter().filter(|unit| still_member(unit)).all(|unit| self.signed.contains(unit))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const EXAMPLE: &str = r#"
title = "Example"
[ticks]
tick_ms = 1000
epoch_ticks = 100
grace_ticks = 10
[requests]
opening_max = 4096
bulk_max = 1024
small = 16
every = 2
[tag_sets]
small = 16
delay = 3
[acknowledgements]
slots = 16
patience_ticks = 20
[canaries]
count = 4
window_ticks = 8
[identifiers]
version = 1
"#;

    #[test]
    fn the_hash_binds_text_and_start() {
        let start = Start { epoch: 1, tick: 0, at_ms: 5 };
        let accord = Accord::new(EXAMPLE, start).unwrap();
        assert_eq!(accord.terms().quota(), 4096 + 1024 + 50 * 16);
        assert_ne!(accord.hash(), Accord::new(&format!("{EXAMPLE} "), start).unwrap().hash());
        assert_ne!(accord.hash(), Accord::new(EXAMPLE, Start { at_ms: 6, ..start }).unwrap().hash());
    }

    #[test]
    fn an_amendment_begins_where_an_epoch_begins() {
        let first = Accord::new(EXAMPLE, Start { epoch: 1, tick: 0, at_ms: 0 }).unwrap();
        let at = |epoch, tick, at_ms| Accord::new(EXAMPLE, Start { epoch, tick, at_ms }).unwrap().check_follows(&first);
        assert_eq!(at(2, 100, 100_000), Ok(()));
        assert_eq!(at(2, 101, 100_000), Err(AccordError::Start));
        assert_eq!(at(2, 100, 100_001), Err(AccordError::Start));
        assert_eq!(at(1, 0, 0), Err(AccordError::Start));
    }

    #[test]
    fn unknown_terms_and_wild_terms_are_refused() {
        let start = Start { epoch: 1, tick: 0, at_ms: 0 };
        assert!(matches!(Accord::new("x = 1", start), Err(AccordError::Text(_))));
        let wild = EXAMPLE.replace("grace_ticks = 10", "grace_ticks = 100");
        assert!(matches!(Accord::new(&wild, start), Err(AccordError::Term { term: "ticks.grace_ticks", .. })));
    }

    #[test]
    fn all_members_of_the_time_must_sign() {
        let accord = Accord::new(EXAMPLE, Start { epoch: 1, tick: 0, at_ms: 0 }).unwrap();
        let names: Vec<UnitName> = ["A", "B", "C"].iter().map(|n| n.parse().unwrap()).collect();
        let mut proposal = Proposal::new(accord, names.clone());
        proposal.signed.extend(names[..2].iter().cloned());
        assert!(!proposal.is_complete(|_| true));
        assert!(proposal.is_complete(|unit| *unit != names[2]));
    }
}
