//! What a witness remembers of a log, and which checkpoints it accepts (R27).
//!
//! Called by each unit's agent, once for each checkpoint that it is shown. A witness goes forward only: from the
//! checkpoint that it accepted last to one that provably extends it. It does not check that the unit's own envelopes
//! are included; its caller does, with [`SignedCheckpoint::verify_inclusion`], before it lets the cosignature out.
//!
//! Order for the caller: [`Witness::advance`], store [`Witness::last`] durably, then send what [`Accepted::cosign`]
//! gives. After a crash between the two the same checkpoint is accepted again.

use crate::checkpoint::SignedCheckpoint;
use crate::cosignature::Cosignature;
use crate::hash::{Hash, empty_root};
use crate::note::NoteError;
use crate::note::key::{KeyName, VerifierKey};
use crate::proof::{ConsistencyProof, ProofError};
use ed25519_dalek::SigningKey;

/// A witness of one log: its key, and the last checkpoint that was accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    log: VerifierKey,
    last: Option<SignedCheckpoint>,
}

/// A checkpoint that a witness accepted: made by [`Witness::advance`] only, and all that it cosigns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted(SignedCheckpoint);

/// Two checkpoints that a log signed over one size with different roots: proof to anyone, with the log's key alone,
/// that it showed two histories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitView {
    ours: SignedCheckpoint,
    theirs: SignedCheckpoint,
}

/// Two checkpoints of one log for which no sound consistency proof was shown. Not proof by itself: the log can still
/// answer with the right one. If it cannot, both notes are what an auditor asks it about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreconciled {
    /// The checkpoint that this witness accepted; none before the first.
    pub ours: Option<SignedCheckpoint>,
    /// The one that it was shown.
    pub theirs: SignedCheckpoint,
    /// What is wrong with the proof.
    pub why: ProofError,
}

/// Why a witness refuses a checkpoint. It remembers what it remembered before.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It is signed by another log, or by another key of this one.
    #[error("witness: {0} is not the key of this log")]
    OtherLog(KeyName),
    /// It is smaller than the one accepted last.
    #[error("witness: the log went back from {ours} entries to {theirs}")]
    RolledBack {
        /// The size accepted last.
        ours: u64,
        /// The size shown.
        theirs: u64,
    },
    /// The log signed two roots for one size.
    #[error("witness: the log signed two histories of {} entries", .0.ours.size())]
    SplitView(Box<SplitView>),
    /// The proof does not lead from the one accepted last to this one.
    #[error("witness: the log did not prove that it only grew: {}", .0.why)]
    Unproven(Box<Unreconciled>),
}

/// How a checkpoint that another unit saw stands to one's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// The same size and root.
    Same,
    /// Two histories: evidence.
    Split(Box<SplitView>),
    /// Different sizes: ask for the consistency proof between these, and check it with
    /// [`SignedCheckpoint::verify_extends`].
    Prove {
        /// The smaller size.
        old: u64,
        /// The larger size.
        new: u64,
    },
    /// Not a checkpoint of this log, or this witness has none yet.
    Incomparable,
}

impl Witness {
    /// A witness that has seen nothing: it accepts the first checkpoint on the log's word.
    pub fn new(log: VerifierKey) -> Self {
        Self { log, last: None }
    }

    /// Goes on from the checkpoint that was accepted last.
    ///
    /// # Errors
    /// [`Refused::OtherLog`].
    pub fn resume(log: VerifierKey, last: SignedCheckpoint) -> Result<Self, Refused> {
        if *last.log() != log {
            return Err(Refused::OtherLog(last.log().name().clone()));
        }
        Ok(Self { log, last: Some(last) })
    }

    /// The key of the log.
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The checkpoint that was accepted last.
    pub fn last(&self) -> Option<&SignedCheckpoint> {
        self.last.as_ref()
    }

    /// The size that a consistency proof must start from: that of the last checkpoint, or 0.
    pub fn size(&self) -> u64 {
        self.last.as_ref().map_or(0, SignedCheckpoint::size)
    }

    /// Accepts a checkpoint that extends the last one, by a proof from [`Witness::size`] to its size. The last one
    /// shown again is accepted with the empty proof; so is the first of all.
    ///
    /// # Errors
    /// All of [`Refused`]; nothing changes then.
    pub fn advance(&mut self, next: SignedCheckpoint, proof: &ConsistencyProof) -> Result<Accepted, Refused> {
        if *next.log() != self.log {
            return Err(Refused::OtherLog(next.log().name().clone()));
        }
        if next.size() < self.size() {
            return Err(Refused::RolledBack { ours: self.size(), theirs: next.size() });
        }
        if let Some(split) = self.last.as_ref().and_then(|ours| SplitView::between(ours, &next)) {
            return Err(Refused::SplitView(Box::new(split)));
        }
        if let Err(why) = proof.verify((self.size(), &self.root()), (next.size(), next.root())) {
            let ours = self.last.clone();
            return Err(Refused::Unproven(Box::new(Unreconciled { ours, theirs: next, why })));
        }
        self.last = Some(next.clone());
        Ok(Accepted(next))
    }

    /// Compares one's own checkpoint with one that another unit accepted, as it stands in that unit's envelopes.
    pub fn compare(&self, theirs: &SignedCheckpoint) -> Comparison {
        let Some(ours) = self.last.as_ref().filter(|ours| ours.log() == theirs.log()) else {
            return Comparison::Incomparable;
        };
        if let Some(split) = SplitView::between(ours, theirs) {
            return Comparison::Split(Box::new(split));
        }
        let (old, new) = (ours.size().min(theirs.size()), ours.size().max(theirs.size()));
        if old == new { Comparison::Same } else { Comparison::Prove { old, new } }
    }

    fn root(&self) -> Hash {
        self.last.as_ref().map_or_else(empty_root, |last| *last.root())
    }
}

impl Accepted {
    /// The checkpoint.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.0
    }

    /// Cosigns it under the witness's name, at a time in seconds since 1970. Store the witness's state first.
    ///
    /// # Errors
    /// [`NoteError::TimeOutOfRange`].
    pub fn cosign(&self, name: &KeyName, key: &SigningKey, time: u64) -> Result<Cosignature, NoteError> {
        Cosignature::sign(self.0.text(), name, key, time)
    }
}

impl SplitView {
    /// The evidence, if the two are one log's word on one size with two roots.
    pub fn between(ours: &SignedCheckpoint, theirs: &SignedCheckpoint) -> Option<Self> {
        let split = ours.log() == theirs.log() && ours.size() == theirs.size() && ours.root() != theirs.root();
        split.then(|| Self { ours: ours.clone(), theirs: theirs.clone() })
    }

    /// The checkpoint on one's own side.
    pub fn ours(&self) -> &SignedCheckpoint {
        &self.ours
    }

    /// The checkpoint on the other side.
    pub fn theirs(&self) -> &SignedCheckpoint {
        &self.theirs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, Entry, Frontier, Place, UnverifiedCheckpoint, UnverifiedCosignature, consistency_proof};
    use std::collections::HashMap;

    /// A log in memory, as a broker runs it.
    struct Log {
        key: SigningKey,
        frontier: Frontier,
        nodes: HashMap<Place, Hash>,
    }

    impl Log {
        fn new() -> Self {
            Self { key: SigningKey::from_bytes(&[7; 32]), frontier: Frontier::new(), nodes: HashMap::new() }
        }

        fn append(&mut self, entry: u8) {
            let nodes = self.frontier.append(&Entry([entry; 32])).unwrap();
            self.nodes.extend(nodes.iter().map(|node| (node.place, node.hash)));
        }

        fn checkpoint(&self) -> SignedCheckpoint {
            let origin = KeyName::new("log").unwrap();
            Checkpoint::new(origin, self.frontier.size(), self.frontier.root()).unwrap().sign(&self.key).unwrap()
        }

        fn proof_from(&self, old: u64) -> ConsistencyProof {
            consistency_proof(old, self.frontier.size(), |place| self.nodes.get(&place).copied()).unwrap()
        }

        fn verifier(&self) -> VerifierKey {
            VerifierKey::log(KeyName::new("log").unwrap(), self.key.verifying_key()).unwrap()
        }
    }

    #[test]
    fn a_witness_follows_an_honest_log_and_its_cosignatures_verify() {
        let (mut log, key, name) = (Log::new(), SigningKey::from_bytes(&[1; 32]), KeyName::new("unit").unwrap());
        let (mut witness, public) =
            (Witness::new(log.verifier()), VerifierKey::witness(name.clone(), key.verifying_key()).unwrap());
        for step in 0..30u8 {
            for entry in 0..step % 7 {
                log.append(entry);
            }
            let mut checkpoint = log.checkpoint();
            let accepted = witness.advance(checkpoint.clone(), &log.proof_from(witness.size())).unwrap();
            let line = accepted.cosign(&name, &key, 1_700_000_000).unwrap().line();
            let received = UnverifiedCosignature::parse(&line).unwrap();
            assert_eq!(checkpoint.add_cosignature(received, &public).unwrap().witness, name);
            assert_eq!(witness.compare(&checkpoint), Comparison::Same);
            // a restart goes on from the stored note
            let note = witness.last().unwrap().to_note();
            let last = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap().verify(witness.log()).unwrap();
            assert_eq!(Witness::resume(log.verifier(), last).unwrap(), witness);
        }
    }

    /// A witness at ten entries of an honest log, and that log.
    fn at_ten() -> (Log, Witness) {
        let mut log = Log::new();
        (0..10).for_each(|entry| log.append(entry));
        let mut witness = Witness::new(log.verifier());
        witness.advance(log.checkpoint(), &ConsistencyProof::empty()).unwrap();
        (log, witness)
    }

    #[test]
    fn two_roots_of_one_size_are_evidence() {
        let (honest, mut witness) = at_ten();
        let mut other = Log::new();
        (10..20).for_each(|entry| other.append(entry));
        let before = witness.clone();
        let refused = witness.advance(other.checkpoint(), &ConsistencyProof::empty());
        let Err(Refused::SplitView(split)) = refused else { panic!("not refused: {refused:?}") };
        assert_eq!((split.ours(), split.theirs()), (&honest.checkpoint(), &other.checkpoint()));
        assert_eq!(witness, before);
        assert_eq!(witness.compare(&other.checkpoint()), Comparison::Split(split));
        // both notes convince a third party that holds the log's key
        for note in [honest.checkpoint().to_note(), other.checkpoint().to_note()] {
            assert!(UnverifiedCheckpoint::parse(note.as_bytes()).unwrap().verify(&honest.verifier()).is_ok());
        }
    }

    #[test]
    fn a_rewritten_entry_a_rollback_and_a_wrong_proof_are_refused_and_change_nothing() {
        let (mut honest, mut witness) = at_ten();
        let before = witness.clone();
        let mut rewritten = Log::new();
        (0..15).for_each(|entry| rewritten.append(if entry == 3 { 99 } else { entry }));
        let refused = witness.advance(rewritten.checkpoint(), &rewritten.proof_from(10));
        let Err(Refused::Unproven(unproven)) = refused else { panic!("not refused: {refused:?}") };
        assert_eq!((unproven.ours.as_ref(), unproven.why), (before.last(), ProofError::WrongHash));
        assert_eq!(unproven.theirs, rewritten.checkpoint());

        let mut short = Log::new();
        (0..9).for_each(|entry| short.append(entry));
        let refused = witness.advance(short.checkpoint(), &ConsistencyProof::empty());
        assert_eq!(refused, Err(Refused::RolledBack { ours: 10, theirs: 9 }));

        (10..15).for_each(|entry| honest.append(entry));
        for wrong in [ConsistencyProof::empty(), honest.proof_from(9)] {
            assert!(matches!(witness.advance(honest.checkpoint(), &wrong), Err(Refused::Unproven(_))));
        }
        assert_eq!(witness.compare(&honest.checkpoint()), Comparison::Prove { old: 10, new: 15 });
        assert_eq!(witness, before);
        assert!(witness.advance(honest.checkpoint(), &honest.proof_from(10)).is_ok(), "the control is accepted");
    }

    #[test]
    fn another_log_is_refused() {
        let (log, mut witness) = at_ten();
        let other = Log { key: SigningKey::from_bytes(&[8; 32]), ..Log::new() };
        let name = KeyName::new("log").unwrap();
        let refused = witness.advance(other.checkpoint(), &ConsistencyProof::empty());
        assert_eq!(refused, Err(Refused::OtherLog(name.clone())));
        assert_eq!(witness.compare(&other.checkpoint()), Comparison::Incomparable);
        assert_eq!(Witness::resume(log.verifier(), other.checkpoint()), Err(Refused::OtherLog(name)));
    }
}
