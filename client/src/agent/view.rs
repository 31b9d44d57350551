//! What commands may see of an agent: read-only, already in words of the protocol.
//!
//! Callers: the commands and the exercise. *Not here:* anything secret.

use super::Agent;
use super::holdings::Worth;
use super::overlaps::Overlap;
use protocol::accord::Accord;
use protocol::codec::Hash;
use protocol::identity::verification_code;
use protocol::message::Standing;
use protocol::name::UnitName;
use protocol::overlap::Handle;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A peer, as officers see it.
#[derive(Clone, Debug)]
pub struct PeerView {
    /// Its name.
    pub name: UnitName,
    /// Its full title.
    pub title: String,
    /// Its place in the federation.
    pub standing: Standing,
    /// Whether officers verified its present keys (R7).
    pub verified: bool,
    /// The verification code to compare over another channel.
    pub code: String,
    /// Why evaluation for it is stopped, if it is (R18).
    pub stopped: Option<String>,
    /// Whether it is party to the accord in force.
    pub party: bool,
    /// The tick up to which matches with it are told; `None`: nothing was compared in this epoch (R20).
    pub covered: Option<u64>,
    /// Our tokens that this peer evaluated in this epoch, and those that wait.
    pub compared: u64,
    /// Our tokens that wait to be compared.
    pub waiting: u64,
    /// Points evaluated for it in this epoch, and the quota.
    pub evaluated: u64,
    /// The quota of this epoch; 0 before the first accord.
    pub quota: u64,
    /// Overlaps with it, whatever their strength.
    pub overlaps: u64,
}

/// A proposed accord, as officers see it.
#[derive(Clone, Debug)]
pub struct ProposalView {
    /// The accord.
    pub accord: Arc<Accord>,
    /// Who must sign.
    pub needed: BTreeSet<UnitName>,
    /// Who has signed.
    pub signed: BTreeSet<UnitName>,
    /// Whether all have.
    pub complete: bool,
    /// Whether it is the accord in force now.
    pub in_force: bool,
}

/// The whole of it.
#[derive(Clone, Debug)]
pub struct View {
    /// Our own name.
    pub unit: UnitName,
    /// The federation.
    pub federation: Hash,
    /// The epoch, once an accord is in force.
    pub epoch: Option<u32>,
    /// The tick.
    pub tick: u64,
    /// All peers.
    pub peers: Vec<PeerView>,
    /// All proposals, in order.
    pub proposals: Vec<ProposalView>,
    /// Size of the log at the last checkpoint that we cosigned.
    pub log_size: u64,
    /// Its root.
    pub log_root: Hash,
    /// Entries whose inclusion is not proven yet.
    pub unproven: usize,
    /// Envelopes that the broker has not accepted.
    pub unsent: usize,
    /// Envelopes kept until their recipient confirms them.
    pub kept: usize,
    /// Whether two histories of the log were seen.
    pub split_view: bool,
    /// Live tokens.
    pub tokens: usize,
    /// Live records.
    pub records: usize,
    /// Points sent in requests in the live epochs, to all peers.
    pub points_sent: u64,
    /// Points evaluated in the live epochs, for all peers.
    pub points_evaluated: u64,
}

impl Agent {
    /// How things stand.
    pub fn view(&self) -> View {
        let epoch = self.current_epoch();
        let in_force = self.accords.in_force().map(|accord| accord.hash());
        let proposals = self.accords.all().map(|(accord, proposal, complete)| ProposalView {
            accord: accord.clone(),
            needed: proposal.needed.clone(),
            signed: proposal.signed.clone(),
            complete,
            in_force: in_force == Some(accord.hash()),
        });
        let (tokens, records) = self.holdings.counts();
        let pairs = || self.links.values().flat_map(|link| link.epochs.values());
        View {
            unit: self.desk.me.clone(),
            federation: self.desk.federation,
            epoch,
            tick: self.desk.tick,
            peers: self.peers(epoch),
            proposals: proposals.collect(),
            log_size: self.desk.chain.log_size,
            log_root: self.desk.chain.log_root,
            unproven: self.desk.chain.unproven.len(),
            unsent: self.desk.outbox.values().filter(|sent| !sent.accepted).count(),
            kept: self.desk.outbox.len(),
            split_view: self.witness.split,
            tokens,
            records,
            points_sent: pairs().map(|pair| pair.points_sent).sum(),
            points_evaluated: pairs().map(|pair| pair.evaluated.total()).sum(),
        }
    }

    fn peers(&self, epoch: Option<u32>) -> Vec<PeerView> {
        let own = self.desk.keys.public();
        let accord = self.accords.in_force();
        let view = |(name, member): (&UnitName, &protocol::roster::Member)| {
            let link = self.links.get(name)?;
            let pair = epoch.and_then(|epoch| link.epochs.get(&epoch));
            Some(PeerView {
                name: name.clone(),
                title: member.title.clone(),
                standing: member.standing,
                verified: link.is_verified(&member.keys),
                code: verification_code(&self.desk.federation, (&self.desk.me, &own), (name, &member.keys)),
                stopped: link.stopped.clone(),
                party: accord.is_some_and(|accord| self.accords.is_party(&accord.hash(), name)),
                covered: pair.and_then(|pair| pair.covered),
                compared: pair.map_or(0, |pair| pair.leaves.sent() as u64),
                waiting: pair
                    .map_or(0, |pair| (pair.wanted.len() + pair.leaves.waiting_tokens() + pair.leaves.asked()) as u64),
                evaluated: pair.map_or(0, |pair| pair.evaluated.total()),
                quota: accord.map_or(0, |accord| accord.terms().quota()),
                overlaps: link.overlaps.len() as u64,
            })
        };
        self.roster.members().filter(|(name, _)| **name != self.desk.me).filter_map(view).collect()
    }

    /// Every overlap with every peer, whatever its strength.
    pub fn overlaps(&self) -> impl Iterator<Item = (&UnitName, Overlap)> {
        self.links.iter().flat_map(|(peer, link)| link.overlaps.all().map(move |overlap| (peer, overlap)))
    }

    /// How many overlaps there are.
    pub fn overlap_count(&self) -> usize {
        self.links.values().map(|link| link.overlaps.len()).sum()
    }

    /// The overlap with this handle, and with whom.
    pub fn overlap(&self, handle: &Handle) -> Option<(&UnitName, Overlap)> {
        self.links.iter().find_map(|(peer, link)| Some((peer, link.overlaps.find(handle)?)))
    }

    /// Kind and tier of every token that met in an overlap.
    pub fn worths(overlap: &Overlap) -> Vec<Worth> {
        overlap.met.values().copied().collect()
    }

    /// The number of our own record for a peer, if it was ever told: the other side knows the record by it.
    pub fn own_number(&self, peer: &UnitName, serial: u64) -> Option<u32> {
        self.links.get(peer)?.known_number(serial).map(|number| number.0)
    }

    /// Whether everything that is held was compared with every verified, admitted peer, acknowledged on both sides,
    /// and accepted by the broker: nothing more is to be expected before something changes.
    pub fn is_settled(&self) -> bool {
        let Some(epoch) = self.current_epoch() else { return false };
        let Some(accord) = self.accords.for_epoch(epoch) else { return false };
        self.links.iter().all(|(peer, link)| {
            let Some(member) = self.roster.get(peer) else { return true };
            let counts = self.roster.is_admitted(peer)
                && link.is_verified(&member.keys)
                && self.accords.is_party(&accord.hash(), peer);
            if !counts {
                return true;
            }
            link.epochs.get(&epoch).is_some_and(|pair| pair.is_settled(&self.holdings))
        })
    }
}
