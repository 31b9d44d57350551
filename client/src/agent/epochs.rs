//! Opening and closing epochs (R9): with whom, when, and what is destroyed.
//!
//! Caller: the agent. *Not here:* the exchange that opens a pair ([`super::opening`]).

use super::event::Event;
use super::pair::PairEpoch;
use super::{Agent, opening};
use protocol::envelope::UnverifiedEnvelope;
use protocol::message::{self, Head};
use protocol::quota::Evaluated;
use rand_core::CryptoRng;

impl Agent {
    /// Opens the current epoch with every verified peer that is party to its accord.
    pub(super) fn open_pairs(&mut self, rng: &mut impl CryptoRng) {
        let Some(epoch) = self.current_epoch() else { return };
        let Some(accord) = self.accords.for_epoch(epoch) else { return };
        if !self.accords.is_party(&accord.hash(), &self.desk.me) {
            return;
        }
        if accord.terms().identifiers.version != self.identifier_version {
            if !std::mem::replace(&mut self.told_version, true) {
                self.desk.tell(Event::IdentifierVersion);
            }
            return;
        }
        let Agent { desk, holdings, links, roster, accords, .. } = self;
        for (peer, link) in links.iter_mut() {
            let Some(member) = roster.get(peer) else { continue };
            let ready = roster.is_admitted(peer)
                && link.is_verified(&member.keys)
                && accords.is_party(&accord.hash(), peer)
                && !link.epochs.contains_key(&epoch);
            if !ready {
                continue;
            }
            let Some(mut pair) = PairEpoch::fresh(&desk.me, peer, &accord, epoch, holdings, rng) else { continue };
            opening::commit(&mut pair, desk, rng);
            pair.evaluated = Evaluated::from_total(link.spent.get(&epoch).copied().unwrap_or(0));
            if let Some((envelope, head)) = link.unpark(peer, epoch, desk) {
                let commitment = UnverifiedEnvelope::decode(&envelope)
                    .and_then(|unverified| unverified.verify(&desk.federation, &member.keys.signing));
                if let (Ok(envelope), Ok(head)) = (commitment, message::Commitment::from_bytes(&head)) {
                    // Refused or not, the epoch goes on: a dispute is already on the desk.
                    let _ = opening::committed(&mut pair, desk, &envelope, head, rng);
                }
            }
            link.epochs.insert(epoch, pair);
        }
    }

    pub(super) fn close_past_epochs(&mut self) {
        let tick = self.desk.tick;
        let over: Vec<u32> = self
            .links
            .values()
            .flat_map(|link| link.epochs.iter())
            .filter(|(epoch, pair)| !pair.accord.calendar().is_live(**epoch, tick))
            .map(|(epoch, _)| *epoch)
            .collect();
        over.into_iter().for_each(|epoch| self.close_epoch(epoch));
    }

    /// Destroys all that an epoch held (R9).
    pub(super) fn close_epoch(&mut self, epoch: u32) {
        for (peer, link) in &mut self.links {
            if let Some(pair) = link.epochs.remove(&epoch) {
                // The count outlives the pair: an epoch that was closed never gets a second quota.
                link.spent.insert(epoch, pair.evaluated.total());
                link.spent.retain(|spent, _| spent + 8 > epoch);
                link.save_trust(peer, &mut self.desk);
                pair.destroy(&mut self.desk);
            }
        }
        self.desk.forget_epoch(epoch);
        self.desk.touch();
    }
}
