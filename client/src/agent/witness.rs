//! The agent as a witness of the log (R27).
//!
//! Each new checkpoint is accepted only if it extends the last one, if every envelope that we sent or received is in
//! it, and if every checkpoint that a peer named in an envelope lies on the same history; then it is cosigned. Caller:
//! the agent; the shell fetches the proofs that a [`LogClaim`] names. *Not here:* the proof maths (package `tlog`).

use super::Agent;
use super::event::Event;
use super::store::{Reader, Writer};
use protocol::codec::{Bytes, Hash};
use protocol::identity::{log_origin, witness_name};
use protocol::name::UnitName;
use std::collections::BTreeMap;
use tlog::{
    ConsistencyProof, Entry, InclusionProof, KeyName, SignatureType, SignedCheckpoint, UnverifiedCheckpoint,
    UnverifiedCosignature, VerifierKey, Witness,
};
use zeroize::Zeroizing;

/// Where the last accepted checkpoint is kept.
pub(super) const LAST: &str = "chain/checkpoint";
/// Where it is kept that two histories were seen, until officers lift it.
pub(super) const SPLIT: &str = "chain/split";

/// Recently accepted checkpoints that are remembered: a peer that named one of them needs no proof.
const REMEMBERED: usize = 256;
/// Entries whose inclusion is asked for at once.
const MOST_PROOFS: usize = 1024;

/// What a checkpoint needs to be proven before it is accepted.
pub struct LogClaim {
    checkpoint: SignedCheckpoint,
    /// The consistency proof needed, from the first size to the second; none if they are equal or the first is 0.
    pub from: u64,
    /// The checkpoint's size.
    pub to: u64,
    /// Entries whose inclusion in a tree of `to` is to be proven.
    pub entries: Vec<u64>,
    /// Sizes that peers named: for each, the consistency proof to `to`.
    pub claims: Vec<u64>,
}

/// Why a checkpoint is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum WitnessError {
    /// Not a checkpoint of this log, signed by its broker.
    #[error("this is no checkpoint of the federation's log")]
    NotACheckpoint,
    /// The log does not extend what was accepted, or does not hold what it should: two histories.
    #[error("the broker shows another history of the log than before, or one without what was sent")]
    SplitView,
}

/// What is remembered of the log.
pub(super) struct LogWitness {
    witness: Witness,
    claims: BTreeMap<(u64, Hash), UnitName>,
    remembered: BTreeMap<u64, Hash>,
    pub split: bool,
}

impl LogWitness {
    pub fn new(federation_name: &str, broker: &Bytes<32>) -> Option<Self> {
        let federation = protocol::identity::federation_id(federation_name, broker);
        let witness = Witness::new(log_key(&federation, broker)?);
        Some(LogWitness { witness, claims: BTreeMap::new(), remembered: BTreeMap::new(), split: false })
    }

    /// Goes on from the checkpoint that was kept.
    pub fn resume(&mut self, note: &[u8]) -> Option<()> {
        let log = self.witness.log().clone();
        let last = UnverifiedCheckpoint::parse(note).ok()?.verify(&log).ok()?;
        self.remembered.insert(last.size(), Bytes(*last.root()));
        self.witness = Witness::resume(log, last).ok()?;
        Some(())
    }

    /// A verified peer named a checkpoint that it accepted.
    pub fn claimed(&mut self, peer: &UnitName, size: u64, root: Hash) {
        // Bounded: what is still to be proven is looked at with every checkpoint.
        let known = size == 0 || self.remembered.get(&size) == Some(&root);
        if !known && self.claims.len() < REMEMBERED {
            self.claims.entry((size, root)).or_insert_with(|| peer.clone());
        }
    }
}

impl Agent {
    /// Reads a checkpoint, and says what must be proven of it. `None`: nothing new.
    pub fn examine(&self, note: &str) -> Result<Option<LogClaim>, WitnessError> {
        let checkpoint = UnverifiedCheckpoint::parse(note.as_bytes())
            .and_then(|unverified| unverified.verify(self.witness.witness.log()))
            .map_err(|_| WitnessError::NotACheckpoint)?;
        let (from, to) = (self.desk.chain.log_size, checkpoint.size());
        let named: Vec<u64> =
            self.witness.claims.keys().map(|(size, _)| *size).take_while(|size| *size <= to).collect();
        let entries = self.desk.chain.unproven.iter().map(|(entry, _)| *entry).filter(|entry| *entry < to);
        let entries: Vec<u64> = entries.take(MOST_PROOFS).collect();
        // What came after its checkpoint was accepted is proven under the same one: the log may not grow for long.
        if to == from && named.is_empty() && entries.is_empty() && *checkpoint.root() == self.desk.chain.log_root.0 {
            return Ok(None);
        }
        Ok(Some(LogClaim { checkpoint, from, to, entries, claims: named }))
    }

    /// Accepts a checkpoint whose proofs all hold, and gives the cosignature line to send. Otherwise officers are told,
    /// and nothing of it is accepted.
    pub fn witness(
        &mut self,
        claim: &LogClaim,
        consistency: Option<ConsistencyProof>,
        inclusions: &[InclusionProof],
        claims: &[ConsistencyProof],
        now_ms: u64,
    ) -> Result<String, WitnessError> {
        self.desk.now_ms = now_ms;
        match self.check(claim, consistency, inclusions, claims) {
            Some(line) => Ok(line),
            None => {
                if !std::mem::replace(&mut self.witness.split, true) {
                    self.desk.put(SPLIT.to_owned(), Zeroizing::default());
                    self.desk.tell(Event::SplitView);
                }
                Err(WitnessError::SplitView)
            }
        }
    }

    fn check(
        &mut self,
        claim: &LogClaim,
        consistency: Option<ConsistencyProof>,
        inclusions: &[InclusionProof],
        claims: &[ConsistencyProof],
    ) -> Option<String> {
        let checkpoint = &claim.checkpoint;
        let (size, root) = (checkpoint.size(), *checkpoint.root());
        let chain = &self.desk.chain;
        if self.witness.split {
            return None;
        }
        if inclusions.len() != claim.entries.len() || claims.len() != claim.claims.len() {
            return None;
        }
        for (entry, proof) in claim.entries.iter().zip(inclusions) {
            let hash = chain.unproven.iter().find(|(index, _)| index == entry).map(|(_, hash)| Entry(hash.0))?;
            checkpoint.verify_inclusion(*entry, &hash, proof).ok()?;
        }
        let named: Vec<((u64, Hash), UnitName)> =
            self.witness.claims.iter().map(|(claim, peer)| (*claim, peer.clone())).take(claims.len()).collect();
        let other = |((size_named, theirs), _): &((u64, Hash), UnitName), proof: &ConsistencyProof| match *size_named {
            same if same == size => theirs.0 != root,
            older => proof.verify((older, &theirs.0), (size, &root)).is_err(),
        };
        let strange: Vec<UnitName> =
            named.iter().zip(claims).filter(|(n, proof)| other(n, proof)).map(|((_, peer), _)| peer.clone()).collect();
        let cosigner = KeyName::new(&witness_name(&self.desk.federation, &self.desk.me)).ok()?;
        let proof = consistency.unwrap_or_else(ConsistencyProof::empty);
        let accepted = self.witness.witness.advance(checkpoint.clone(), &proof).ok()?;
        let cosignature = accepted.cosign(&cosigner, self.desk.keys.signing.hazmat(), self.desk.now_ms / 1000).ok()?;

        named.iter().for_each(|(claim, _)| {
            self.witness.claims.remove(claim);
        });
        // A peer on another history than ours: nothing more is evaluated for it, and officers of both are told.
        for peer in strange {
            if let Some(link) = self.links.get_mut(&peer) {
                link.stopped = Some("other-history".to_owned());
                link.save_trust(&peer, &mut self.desk);
            }
            self.desk.tell(Event::OtherHistory(peer));
        }
        self.keep_proofs(claim, inclusions, &cosignature.line());
        self.witness.remembered.insert(size, Bytes(root));
        while self.witness.remembered.len() > REMEMBERED {
            self.witness.remembered.pop_first();
        }
        let chain = &mut self.desk.chain;
        chain.unproven.retain(|(entry, _)| !claim.entries.contains(entry));
        chain.log_size = size;
        chain.log_root = Bytes(root);
        self.desk.touch();
        self.desk.put(LAST.to_owned(), Zeroizing::new(checkpoint.to_note().into_bytes()));
        Some(cosignature.line())
    }

    /// Keeps what an audit without the broker needs: the proof of each entry that matters to a case, and the checkpoint it
    /// leads to, with our own cosignature under it.
    fn keep_proofs(&mut self, claim: &LogClaim, inclusions: &[InclusionProof], cosignature: &str) {
        let size = claim.checkpoint.size();
        let mut any = false;
        for (entry, proof) in claim.entries.iter().zip(inclusions) {
            if self.desk.wanted.remove(entry) {
                let mut w = Writer::new();
                w.u64(size);
                w.bytes(&proof.to_bytes());
                self.desk.put(format!("proof/{entry:020}"), w.finish());
                self.desk.delete(format!("wanted/{entry}"));
                any = true;
            }
        }
        if any && let Some(note) = self.keepable(&claim.checkpoint, cosignature) {
            self.desk.put(format!("checkpoint/{size:020}"), Zeroizing::new(note.into_bytes()));
        }
    }

    /// The checkpoint with what can be verified of its signatures, each once: the log's, the members', and our own in place
    /// of one that the broker had of an earlier round.
    fn keepable(&self, checkpoint: &SignedCheckpoint, own: &str) -> Option<String> {
        let note = checkpoint.to_note();
        let (_, lines) = note.rsplit_once("\n\n")?;
        let alone = |line: &str| {
            let note = format!("{}\n{line}\n", checkpoint.text());
            UnverifiedCheckpoint::parse(note.as_bytes()).ok()?.verify(checkpoint.log()).ok()
        };
        let mut kept = lines.lines().find_map(alone)?;
        for line in lines.lines().chain([own]) {
            let Ok(line) = UnverifiedCosignature::parse(line) else { continue };
            let mut keys = self.roster.members().map(|(unit, member)| (unit, member.keys.signing));
            let signer = keys.find_map(|(unit, key)| {
                witness_key(&self.desk.federation, unit, &key).filter(|key| key.name() == line.claimed_name())
            });
            if let Some(key) = signer {
                let _ = kept.add_cosignature(line, &key);
            }
        }
        Some(kept.to_note())
    }

    /// Officers of several units have looked into it, and this one goes on. Nothing is believed for that: the next checkpoint
    /// must follow the last one that was accepted, as before. Whether there was anything to lift.
    pub fn lift_split(&mut self) -> bool {
        self.desk.delete(SPLIT.to_owned());
        std::mem::take(&mut self.witness.split)
    }

    /// Whether two histories of the log were seen.
    pub fn saw_split_view(&self) -> bool {
        self.witness.split
    }
}

/// The key of a federation's log.
pub fn log_key(federation: &Hash, broker: &Bytes<32>) -> Option<VerifierKey> {
    let name = KeyName::new(&log_origin(federation)).ok()?;
    VerifierKey::log(name, ed25519_dalek::VerifyingKey::from_bytes(&broker.0).ok()?).ok()
}

/// The key under which a unit cosigns checkpoints.
pub fn witness_key(federation: &Hash, unit: &UnitName, signing: &Bytes<32>) -> Option<VerifierKey> {
    let name = KeyName::new(&witness_name(federation, unit)).ok()?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&signing.0).ok()?;
    VerifierKey::new(name, SignatureType::Ed25519Cosignature, key).ok()
}

/// A proof as the vault kept it under `proof/`: the size of the checkpoint that it leads to, and the path.
pub fn kept_proof(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let mut r = Reader::new(bytes);
    let (size, path) = (r.u64()?, r.bytes()?.to_vec());
    r.at_end().then_some((size, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::restore::Values;
    use crate::vault::Change;
    use protocol::identity::{SigningKey, UnitKeys, federation_id};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use tlog::{Checkpoint, Frontier};

    const FEDERATION: &str = "a federation";

    fn broker() -> SigningKey {
        SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(1))
    }

    fn agent() -> Agent {
        let keys = UnitKeys::generate(&mut ChaCha20Rng::seed_from_u64(2));
        Agent::new("GM".parse().unwrap(), keys, FEDERATION, broker().public(), 1).unwrap()
    }

    /// The checkpoint of a log with these entries.
    fn note(entries: &[u8]) -> String {
        let broker = broker();
        let mut frontier = Frontier::new();
        entries.iter().for_each(|entry| drop(frontier.append(&Entry([*entry; 32])).unwrap()));
        let log = log_key(&federation_id(FEDERATION, &broker.public()), &broker.public()).unwrap();
        let checkpoint = Checkpoint::new(log.name().clone(), frontier.size(), frontier.root()).unwrap();
        checkpoint.sign(broker.hazmat()).unwrap().to_note()
    }

    fn shown(agent: &mut Agent, entries: &[u8]) -> Result<(), WitnessError> {
        let claim = agent.examine(&note(entries)).unwrap().unwrap();
        agent.witness(&claim, None, &[], &[], 1000).map(|_| ())
    }

    /// What the agent wrote, as the vault gives it back at the next start.
    fn again(agent: &mut Agent, vault: &mut BTreeMap<String, Zeroizing<Vec<u8>>>) -> Agent {
        for change in agent.take().changes {
            match change {
                Change::Put { key, value } => drop(vault.insert(key, value)),
                Change::Delete { key } => drop(vault.remove(&key)),
            }
        }
        let chain: Values =
            vault.iter().filter(|(key, _)| key.starts_with("chain/")).map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut agent = self::agent();
        agent.restore_first(BTreeMap::from([("chain".to_owned(), chain)])).unwrap();
        agent
    }

    #[test]
    fn two_histories_are_remembered_until_officers_lift_it() {
        let (mut vault, mut agent) = (BTreeMap::new(), agent());
        assert_eq!(shown(&mut agent, &[1, 2]), Ok(()));
        let mut agent = again(&mut agent, &mut vault);
        assert!(!agent.saw_split_view() && !agent.lift_split(), "nothing to lift");
        assert_eq!(shown(&mut agent, &[9, 2, 3]), Err(WitnessError::SplitView));
        let mut agent = again(&mut agent, &mut vault);
        assert!(agent.saw_split_view(), "over a restart");
        assert!(agent.lift_split());
        let mut agent = again(&mut agent, &mut vault);
        assert!(!agent.saw_split_view());
        // Nothing was believed: what does not follow is found again.
        assert_eq!(shown(&mut agent, &[9, 2, 3]), Err(WitnessError::SplitView));
    }
}
