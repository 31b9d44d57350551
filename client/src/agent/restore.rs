//! Building an agent from what the vault holds.
//!
//! Caller: [`crate::session`], one namespace after the other, so that none is in memory twice for long: the register's
//! records, the [`FIRST`] namespaces, those of [`Agent::further`], and [`Agent::restored`] at the end. *Not here:* how the
//! register becomes [`HeldRecord`]s.

use super::casefile::CaseFile;
use super::desk::Chain;
use super::held::Held;
use super::holdings::HeldRecord;
use super::leaves::{Place, What};
use super::link::Link;
use super::pair::PairEpoch;
use super::{Agent, asking, confirming, releasing, witness};
use protocol::message::{Head, RosterEntry};
use protocol::name::UnitName;
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Values of one namespace: name, value.
pub type Values = Vec<(String, Zeroizing<Vec<u8>>)>;

/// Namespaces to be read first.
pub const FIRST: &[&str] = &["chain", "posted", "roster", "link", "accord", "parked", "pair", "wanted"];

/// Namespaces of each peer, and of each peer and epoch, in the order in which they are read.
const OF_PEER: &[&str] = &["officer", "number", "met", "okey", "case", "held"];
const OF_EPOCH: &[&str] = &["leaf", "blinds", "padding", "sent", "match", "ack", "notice"];

/// What the vault holds of the agent is damaged, or was written by another version.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("the vault's value {0} cannot be read")]
pub struct Damaged(pub String);

fn rest(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Agent {
    /// Reads everything back at once: for vaults that are a map in memory. `records` is the register as it was when the
    /// agent last saw it, or newer.
    pub fn restore(
        &mut self,
        mut values: BTreeMap<String, Values>,
        records: Vec<HeldRecord>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Damaged> {
        self.hold(records, &[]);
        let mut first = BTreeMap::new();
        for namespace in FIRST {
            first.extend(values.remove_entry(*namespace));
        }
        self.restore_first(first)?;
        for namespace in self.further() {
            let found = values.remove(&namespace).unwrap_or_default();
            self.restore_more(&namespace, found)?;
        }
        self.restored(rng);
        Ok(())
    }

    /// Takes in what the register holds, before anything else is read: it may come in parts.
    pub fn hold(&mut self, added: Vec<HeldRecord>, removed: &[u64]) {
        self.holdings.apply(added, removed);
    }

    /// Reads the [`FIRST`] namespaces back.
    pub fn restore_first(&mut self, mut values: BTreeMap<String, Values>) -> Result<(), Damaged> {
        let mut take = |namespace: &str| in_order(values.remove(namespace).unwrap_or_default());
        for (name, value) in take("chain") {
            if name == witness::LAST {
                self.witness.resume(&value).ok_or(Damaged(name))?;
            } else if name == witness::SPLIT {
                self.witness.split = true;
            } else {
                self.desk.chain = Chain::from_bytes(&value).ok_or(Damaged(name))?;
            }
        }
        for (name, value) in take("roster") {
            let entry = RosterEntry::from_bytes(&value).map_err(|_| Damaged(name.clone()))?;
            let unit = entry.unit.clone();
            self.roster.apply(&self.desk.federation, &entry).map_err(|_| Damaged(name))?;
            if unit != self.desk.me {
                self.links.entry(unit).or_default();
            }
        }
        for (name, value) in take("accord") {
            self.accords.load(&value).ok_or(Damaged(name))?;
        }
        for (name, _) in take("wanted") {
            self.desk.wanted.insert(rest(&name).parse().map_err(|_| Damaged(name.clone()))?);
        }
        for (name, value) in take("posted") {
            let sequence = rest(&name).parse().map_err(|_| Damaged(name.clone()))?;
            self.desk.load_posted(sequence, &value).ok_or(Damaged(name))?;
        }
        for (name, value) in take("link") {
            let peer: UnitName = rest(&name).parse().map_err(|_| Damaged(name.clone()))?;
            self.links.entry(peer).or_default().read_trust(&value).ok_or(Damaged(name))?;
        }
        for (name, value) in take("parked") {
            let (peer, epoch) = peer_and_epoch(&name).ok_or_else(|| Damaged(name.clone()))?;
            self.links.entry(peer).or_default().read_parked(epoch, &value).ok_or(Damaged(name))?;
        }
        for (name, value) in take("pair") {
            let (peer, epoch) = peer_and_epoch(&name).ok_or_else(|| Damaged(name.clone()))?;
            let accords = &self.accords;
            let pair = PairEpoch::load(&self.desk.me, &peer, epoch, &value, |hash| accords.get(hash));
            self.links.entry(peer).or_default().epochs.insert(epoch, pair.ok_or(Damaged(name))?);
        }
        Ok(())
    }

    /// Further namespaces to be read, in this order.
    pub fn further(&self) -> Vec<String> {
        let units = self.roster.members().map(|(unit, _)| unit);
        let of_peer = units.flat_map(|unit| OF_PEER.iter().map(move |namespace| format!("{namespace}/{unit}")));
        let pairs = self.links.iter().flat_map(|(peer, link)| link.epochs.keys().map(move |epoch| (peer, epoch)));
        let of_epoch =
            pairs.flat_map(|(peer, epoch)| OF_EPOCH.iter().map(move |namespace| format!("{namespace}/{peer}/{epoch}")));
        of_peer.chain(of_epoch).collect()
    }

    /// Reads one of the [`further`](Agent::further) namespaces back.
    pub fn restore_more(&mut self, namespace: &str, values: Values) -> Result<(), Damaged> {
        let damaged = || Damaged(namespace.to_owned());
        let mut parts = namespace.split('/');
        let what = parts.next().unwrap_or_default();
        let peer: UnitName = parts.next().and_then(|peer| peer.parse().ok()).ok_or_else(damaged)?;
        let Some(epoch) = parts.next() else { return self.restore_of_peer(what, &peer, in_order(values)) };
        let epoch: u32 = epoch.parse().map_err(|_| damaged())?;
        let Agent { links, holdings, .. } = self;
        let pair = links.get_mut(&peer).and_then(|link| link.epochs.get_mut(&epoch)).ok_or_else(damaged)?;
        for (name, value) in in_order(values) {
            let last = rest(&name);
            let read = match what {
                "leaf" => {
                    let (request, chunk) = last.split_once('.').unwrap_or_default();
                    let place = request.parse().ok().zip(chunk.parse().ok());
                    place.and_then(|place| asking::read_chunk(pair, holdings, place, &value))
                }
                "blinds" => asking::read_asked(pair, holdings, &value),
                "padding" => releasing::read_padding(pair, &value),
                "sent" => last.parse().ok().and_then(|tick| releasing::read_sent(pair, tick, &value)),
                "match" => confirming::read_matches(pair, &value),
                "ack" => confirming::read_slots(pair, &value),
                "notice" => last.parse().ok().and_then(|digest| confirming::read_notice(pair, digest, &value)),
                _ => None,
            };
            read.ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        Ok(())
    }

    fn restore_of_peer(&mut self, what: &str, peer: &UnitName, values: Values) -> Result<(), Damaged> {
        for (name, value) in values {
            let batch = || rest(&name).parse::<u64>().ok();
            let read = if what == "officer" {
                self.certified.load(peer.clone(), &value)
            } else {
                // What is of a peer stands under no other name than a peer's: of ourselves there are officers only.
                let link = self.links.get_mut(peer).ok_or_else(|| Damaged(name.clone()))?;
                match what {
                    "number" => batch().and_then(|batch| link.read_numbers(batch, &value)),
                    "met" => batch().and_then(|batch| link.overlaps.read_met(batch, &value)),
                    "okey" => batch().and_then(|batch| link.overlaps.read_keys(batch, &value)),
                    "held" => Held::from_bytes(&value).map(|held| link.held.push(held)),
                    "case" => CaseFile::load(&value).map(|file| drop(link.cases.insert(*file.case.handle(), file))),
                    _ => None,
                }
            };
            read.ok_or_else(|| Damaged(name.clone()))?;
        }
        Ok(())
    }

    /// All is read: draws the conclusions.
    pub fn restored(&mut self, rng: &mut impl CryptoRng) {
        let Agent { links, desk, holdings, .. } = self;
        for Link { epochs, overlaps, .. } in links.values_mut() {
            for pair in epochs.values_mut() {
                // Tokens that died while the agent was away.
                let is_gone = |place: &Place| pair.leaves.at(*place).what() == What::Gone;
                let gone: Vec<Place> = pair.leaves.all().filter(is_gone).collect();
                for place in gone {
                    releasing::withdraw(pair, desk, holdings, place);
                }
                // What waits for a set: the sets were read after the leaves.
                let PairEpoch { queue, leaves, .. } = pair;
                queue.retain(|place| leaves.at(*place).due().is_some());
                // Matches that were about to become overlaps when the process ended.
                let mut met = pair.leaves.met();
                met.retain(|place| confirming::is_due(pair, overlaps, holdings, *place));
                pair.meeting = met.into();
                // Tokens that are held and were never asked for, in an order of their own.
                pair.wanted = holdings.live().filter(|token| !pair.leaves.is_known(*token)).collect();
                asking::shuffle(&mut pair.wanted, rng);
            }
        }
    }
}

/// By name, numbers in their order: a shorter number is a smaller one.
fn in_order(mut values: Values) -> Values {
    values.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
    values
}

fn peer_and_epoch(name: &str) -> Option<(UnitName, u32)> {
    let (peer, epoch) = rest(name).split_once('.')?;
    Some((peer.parse().ok()?, epoch.parse().ok()?))
}
