//! Building an agent from what the vault holds.
//!
//! Caller: [`crate::session`]: it reads the [`FIRST`] namespaces, asks [`further`] for more, and hands everything to
//! [`Agent::restore`]. *Not here:* the register, which the shell turns into [`HeldRecord`]s.

use super::casefile::CaseFile;
use super::desk::Chain;
use super::holdings::HeldRecord;
use super::pair::{PairEpoch, What};
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
const OF_PEER: &[&str] = &["officer", "number", "met", "okey", "case"];
const OF_EPOCH: &[&str] = &["leaf", "blinds", "padding", "sent", "match", "ack", "notice"];

/// What the vault holds of the agent is damaged, or was written by another version.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("the vault's value {0} cannot be read")]
pub struct Damaged(pub String);

/// Further namespaces to be read, given the first.
pub fn further(first: &BTreeMap<String, Values>) -> Vec<String> {
    let mut out = Vec::new();
    for (name, _) in first.get("roster").into_iter().flatten() {
        let unit = rest(name);
        out.extend(OF_PEER.iter().map(|namespace| format!("{namespace}/{unit}")));
    }
    for (name, _) in first.get("pair").into_iter().flatten() {
        if let Some((peer, epoch)) = rest(name).split_once('.') {
            out.extend(OF_EPOCH.iter().map(|namespace| format!("{namespace}/{peer}/{epoch}")));
        }
    }
    out
}

fn rest(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Agent {
    /// Reads everything back. `records` is the register as it was when the agent last saw it, or newer.
    pub fn restore(
        &mut self,
        mut values: BTreeMap<String, Values>,
        records: Vec<HeldRecord>,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Damaged> {
        self.holdings.apply(records, &[]);
        let mut take = |namespace: &str| -> Values {
            let mut found = values.remove(namespace).unwrap_or_default();
            found.sort_by(|a, b| a.0.cmp(&b.0));
            found
        };
        for (name, value) in take("chain") {
            if name == witness::LAST {
                self.witness.resume(&value).ok_or(Damaged(name))?;
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
        let units: Vec<UnitName> = self.roster.members().map(|(unit, _)| unit.clone()).collect();
        for unit in units {
            for (name, value) in take(&format!("officer/{unit}")) {
                self.certified.load(unit.clone(), &value).ok_or(Damaged(name))?;
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
        let peers: Vec<UnitName> = self.links.keys().cloned().collect();
        for peer in peers {
            let link = self.links.entry(peer.clone()).or_default();
            for (name, value) in take(&format!("number/{peer}")) {
                read_batch(&name, |batch| link.read_numbers(batch, &value))?;
            }
            for (name, value) in take(&format!("met/{peer}")) {
                read_batch(&name, |batch| link.read_met(batch, &value))?;
            }
            for (name, value) in take(&format!("okey/{peer}")) {
                read_batch(&name, |batch| link.keys.read(batch, &value))?;
            }
            for (name, value) in take(&format!("case/{peer}")) {
                let file = CaseFile::load(&value).ok_or(Damaged(name))?;
                link.cases.insert(*file.case.handle(), file);
            }
        }
        for (name, value) in take("pair") {
            let (peer, epoch) = peer_and_epoch(&name).ok_or_else(|| Damaged(name.clone()))?;
            let accords = &self.accords;
            let pair = PairEpoch::load(&self.desk.me, &peer, epoch, &value, |hash| accords.get(hash));
            let mut pair = pair.ok_or(Damaged(name))?;
            self.restore_pair(&mut pair, &mut take, rng)?;
            self.links.entry(peer).or_default().epochs.insert(epoch, pair);
        }
        Ok(())
    }

    fn restore_pair(
        &mut self,
        pair: &mut PairEpoch,
        take: &mut impl FnMut(&str) -> Values,
        rng: &mut impl CryptoRng,
    ) -> Result<(), Damaged> {
        let of_epoch = |namespace: &str| format!("{namespace}/{}/{}", pair.peer, pair.open.epoch);
        let [leaves, blinds, padding, sent, matches, acks, notices] = [
            of_epoch("leaf"),
            of_epoch("blinds"),
            of_epoch("padding"),
            of_epoch("sent"),
            of_epoch("match"),
            of_epoch("ack"),
            of_epoch("notice"),
        ]
        .map(|namespace| take(&namespace));
        for (name, value) in leaves {
            let (request, chunk) = rest(&name).split_once('.').unwrap_or_default();
            let place = request.parse().ok().zip(chunk.parse().ok());
            let read = place.and_then(|(r, c)| asking::read_chunk(pair, &self.holdings, r, c, &value));
            read.ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in blinds {
            asking::read_asked(pair, &self.holdings, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in padding {
            releasing::read_padding(pair, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in sent {
            let tick = rest(&name).parse().map_err(|_| Damaged(name.clone()))?;
            releasing::read_sent(pair, tick, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in matches {
            confirming::read_matches(pair, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in acks {
            confirming::read_slots(pair, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        for (name, value) in notices {
            let digest = rest(&name).parse().map_err(|_| Damaged(name.clone()))?;
            confirming::read_notice(pair, digest, &value).ok_or_else(|| Damaged(name.clone()))?;
            pair.adopt_key(name);
        }
        // Tokens that died while the agent was away.
        let gone: Vec<_> =
            pair.leaves.iter().filter(|(_, leaf)| leaf.what == What::Gone).map(|(tag, _)| *tag).collect();
        for tag in gone {
            releasing::withdraw(pair, &mut self.desk, &self.holdings, tag);
        }
        // Tokens that are held and were never asked for, in an order of their own.
        pair.wanted = self.holdings.live().filter(|token| !pair.standing.contains_key(token)).collect();
        asking::shuffle(&mut pair.wanted, rng);
        Ok(())
    }
}

fn read_batch(name: &str, read: impl FnOnce(u64) -> Option<()>) -> Result<(), Damaged> {
    rest(name).parse().ok().and_then(read).ok_or_else(|| Damaged(name.to_owned()))
}

fn peer_and_epoch(name: &str) -> Option<(UnitName, u32)> {
    let (peer, epoch) = rest(name).split_once('.')?;
    Some((peer.parse().ok()?, epoch.parse().ok()?))
}
