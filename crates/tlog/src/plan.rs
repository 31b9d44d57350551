//! Making proofs from stored nodes: first *which* nodes, then the proof.
//!
//! Called by the broker, whose nodes stand in a database, and by a unit for the part of the tree that it keeps. A plan
//! names the rows to read, all at once; [`InclusionPlan::prove`] takes their hashes. For nodes in memory,
//! [`inclusion_proof`] and [`consistency_proof`] do both. Nothing here checks that stored nodes are right: whoever
//! relies on a proof verifies it.
//!
//! `ct-merkle` says which nodes of its array tree (that of RFC 9420, appendix C) a proof needs. Node n of that array
//! has the level k = trailing ones of n, and stands over the leaves (n >> (k+1))·2^k and following. Where these are
//! fewer than 2^k, at the right edge, no complete subtree is stored: its hash is folded from those that it falls into.

use crate::frontier::{Place, fold, subtrees};
use crate::hash::{Hash, MAX_SIZE};
use crate::proof::{ConsistencyProof, InclusionProof};
use std::ops::Range;

/// Why a proof cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProveError {
    /// The tree is empty or too large, the leaf is not in it, or the older tree is the larger one.
    #[error("no proof exists for {what} in a log of {size} entries")]
    OutOfRange {
        /// The leaf's index, or the older size, that was asked for.
        what: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A node that the proof needs is not stored.
    #[error("the node {} at level {} is missing", .0.index, .0.level)]
    Missing(Place),
    /// The plan names another number of nodes than the hashes given.
    #[error("the plan needs {needed} hashes, not {given}")]
    WrongCount {
        /// The number of places of the plan.
        needed: usize,
        /// The number of hashes given.
        given: usize,
    },
}

/// The stored nodes that an inclusion proof is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InclusionPlan(Plan);

/// The stored nodes that a consistency proof is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsistencyPlan(Plan);

impl InclusionPlan {
    /// The plan for leaf `index` (from 0) in the tree of the first `size` leaves, which may be older than the tree that
    /// is stored.
    ///
    /// # Errors
    /// [`ProveError::OutOfRange`].
    pub fn new(size: u64, index: u64) -> Result<Self, ProveError> {
        if size > MAX_SIZE || index >= size {
            return Err(ProveError::OutOfRange { what: index, size });
        }
        Ok(Self(Plan::new(size, ct_merkle::indices_for_inclusion_proof(size, index))))
    }

    /// The nodes to read, in this order: at most two for each bit of the size.
    pub fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// The proof, from the hashes of [`InclusionPlan::places`], in that order.
    ///
    /// # Errors
    /// [`ProveError::WrongCount`].
    pub fn prove(&self, hashes: &[Hash]) -> Result<InclusionProof, ProveError> {
        self.0.fold(hashes).map(InclusionProof::from_hashes)
    }
}

impl ConsistencyPlan {
    /// The plan for the proof that the first `old` leaves are the beginning of the first `new`.
    ///
    /// # Errors
    /// [`ProveError::OutOfRange`].
    pub fn new(old: u64, new: u64) -> Result<Self, ProveError> {
        if new > MAX_SIZE || old > new {
            return Err(ProveError::OutOfRange { what: old, size: new });
        }
        let indices = if old == 0 { Vec::new() } else { ct_merkle::indices_for_consistency_proof(old, new - old) };
        Ok(Self(Plan::new(new, indices)))
    }

    /// The nodes to read, in this order.
    pub fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// The proof, from the hashes of [`ConsistencyPlan::places`], in that order.
    ///
    /// # Errors
    /// [`ProveError::WrongCount`].
    pub fn prove(&self, hashes: &[Hash]) -> Result<ConsistencyProof, ProveError> {
        self.0.fold(hashes).map(ConsistencyProof::from_hashes)
    }
}

/// The proof that leaf `index` stands in the tree of the first `size` leaves, with a reader of stored nodes.
///
/// # Errors
/// [`ProveError::OutOfRange`]; [`ProveError::Missing`] where `read` finds nothing.
pub fn inclusion_proof(
    size: u64,
    index: u64,
    read: impl FnMut(Place) -> Option<Hash>,
) -> Result<InclusionProof, ProveError> {
    let plan = InclusionPlan::new(size, index)?;
    plan.prove(&read_all(plan.places(), read)?)
}

/// The proof that the first `old` leaves are the beginning of the first `new`, with a reader of stored nodes.
///
/// # Errors
/// [`ProveError::OutOfRange`]; [`ProveError::Missing`] where `read` finds nothing.
pub fn consistency_proof(
    old: u64,
    new: u64,
    read: impl FnMut(Place) -> Option<Hash>,
) -> Result<ConsistencyProof, ProveError> {
    let plan = ConsistencyPlan::new(old, new)?;
    plan.prove(&read_all(plan.places(), read)?)
}

fn read_all(places: &[Place], mut read: impl FnMut(Place) -> Option<Hash>) -> Result<Vec<Hash>, ProveError> {
    places.iter().map(|&place| read(place).ok_or(ProveError::Missing(place))).collect()
}

/// All places of a proof in one list, and for each hash of the proof the part of that list that it is folded from.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Plan {
    places: Vec<Place>,
    parts: Vec<Range<usize>>,
}

impl Plan {
    fn new(size: u64, indices: Vec<u64>) -> Self {
        let (mut places, mut parts) = (Vec::new(), Vec::with_capacity(indices.len()));
        for node in indices {
            let from = places.len();
            places.extend(complete_subtrees(node, size));
            parts.push(from..places.len());
        }
        Self { places, parts }
    }

    fn fold(&self, hashes: &[Hash]) -> Result<Vec<Hash>, ProveError> {
        let wrong = ProveError::WrongCount { needed: self.places.len(), given: hashes.len() };
        if hashes.len() != self.places.len() {
            return Err(wrong);
        }
        let folded = self.parts.iter().map(|part| fold(hashes.get(part.clone())?.iter().copied()));
        folded.collect::<Option<_>>().ok_or(wrong)
    }
}

/// The complete subtrees, largest first, that a node of the array tree falls into, in a tree of `size` leaves.
fn complete_subtrees(node: u64, size: u64) -> impl Iterator<Item = Place> {
    let level = node.trailing_ones();
    let start = (node >> (level + 1)) << level;
    subtrees(start, size.saturating_sub(start).min(1 << level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, Frontier, ProofError, leaf_hash};
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use sha2::Sha256;
    use std::collections::HashMap;

    /// A whole tree in memory, as a broker stores it: what each append handed out.
    struct Stored {
        nodes: HashMap<Place, Hash>,
        entries: Vec<Entry>,
        roots: Vec<Hash>,
    }

    impl Stored {
        fn of(size: u64) -> Self {
            let mut frontier = Frontier::new();
            let (mut nodes, mut entries, mut roots) = (HashMap::new(), Vec::new(), vec![frontier.root()]);
            for n in 0..size {
                let entry = Entry(leaf_hash(&n.to_be_bytes()));
                for node in frontier.append(&entry).unwrap() {
                    assert_eq!(nodes.insert(node.place, node.hash), None, "a node never changes");
                }
                entries.push(entry);
                roots.push(frontier.root());
            }
            Self { nodes, entries, roots }
        }

        fn included(&self, size: u64, index: u64) -> InclusionProof {
            inclusion_proof(size, index, |place| self.nodes.get(&place).copied()).unwrap()
        }

        fn consistent(&self, old: u64, new: u64) -> ConsistencyProof {
            consistency_proof(old, new, |place| self.nodes.get(&place).copied()).unwrap()
        }
    }

    #[test]
    fn every_proof_of_every_size_to_200_is_that_of_ct_merkle_and_verifies() {
        let stored = Stored::of(200);
        let mut oracle = MemoryBackedTree::<Sha256, [u8; 32]>::new();
        for size in 1..=200u64 {
            oracle.push(stored.entries[size as usize - 1].0);
            let root = &stored.roots[size as usize];
            for index in 0..size {
                let proof = stored.included(size, index);
                assert_eq!(proof.to_bytes(), oracle.prove_inclusion(index as usize).as_bytes());
                assert_eq!(proof.verify(size, root, index, &stored.entries[index as usize]), Ok(()));
            }
            for old in 0..=size {
                let proof = stored.consistent(old, size);
                if old > 0 {
                    assert_eq!(proof.to_bytes(), oracle.prove_consistency((size - old) as usize).as_bytes());
                }
                assert_eq!(proof.verify((old, &stored.roots[old as usize]), (size, root)), Ok(()));
            }
        }
    }

    #[test]
    fn random_tampers_of_a_long_log_are_all_found() {
        let stored = Stored::of(3000);
        let mut random = ChaCha8Rng::seed_from_u64(6962);
        let mut below = |n: u64| random.next_u64() % n;
        for _ in 0..4000 {
            let size = 2 + below(2999);
            let index = below(size);
            let (root, entry) = (stored.roots[size as usize], stored.entries[index as usize]);
            let proof = stored.included(size, index);
            assert_eq!(proof.verify(size, &root, index, &entry), Ok(()), "the control is accepted");
            let (mut root2, mut entry2, mut index2, mut bytes) = (root, entry, index, proof.to_bytes());
            match below(6) {
                0 => root2[below(32) as usize] ^= 1 << below(8),
                1 => entry2.0[below(32) as usize] ^= 1 << below(8),
                2 => index2 = (index + 1 + below(size - 1)) % size,
                3 => {
                    let place = below(bytes.len() as u64) as usize;
                    bytes[place] ^= 1 << below(8);
                }
                4 => bytes.truncate(bytes.len() - 32),
                _ => bytes.extend([0; 32]),
            }
            let proof = InclusionProof::from_bytes(&bytes).unwrap();
            assert!(proof.verify(size, &root2, index2, &entry2).is_err());

            let old = 1 + below(size - 1);
            let (old_root, proof) = (stored.roots[old as usize], stored.consistent(old, size));
            assert_eq!(proof.verify((old, &old_root), (size, &root)), Ok(()), "the control is accepted");
            let (mut old_root2, mut root2, mut bytes) = (old_root, root, proof.to_bytes());
            match below(5) {
                0 => old_root2[below(32) as usize] ^= 1 << below(8),
                1 => root2[below(32) as usize] ^= 1 << below(8),
                2 => {
                    let place = below(bytes.len() as u64) as usize;
                    bytes[place] ^= 1 << below(8);
                }
                3 => bytes.truncate(bytes.len() - 32),
                _ => bytes.extend([0; 32]),
            }
            let proof = ConsistencyProof::from_bytes(&bytes).unwrap();
            assert!(proof.verify((old, &old_root2), (size, &root2)).is_err());
        }
    }

    #[test]
    fn a_rewritten_entry_cannot_be_bridged() {
        let honest = Stored::of(40);
        let mut rewritten = Frontier::new();
        for (n, entry) in honest.entries.iter().enumerate() {
            let entry = if n == 11 { Entry([0xee; 32]) } else { *entry };
            rewritten.append(&entry).unwrap();
        }
        let proof = honest.consistent(20, 40);
        assert_eq!(proof.verify((20, &honest.roots[20]), (40, &honest.roots[40])), Ok(()));
        assert_eq!(proof.verify((20, &honest.roots[20]), (40, &rewritten.root())), Err(ProofError::WrongHash));
    }

    #[test]
    fn what_no_proof_exists_for_is_refused() {
        let none = |_| None;
        for (size, index) in [(0, 0), (5, 5), (5, u64::MAX), (MAX_SIZE + 1, 0), (u64::MAX, 3)] {
            assert_eq!(inclusion_proof(size, index, none), Err(ProveError::OutOfRange { what: index, size }));
        }
        for (old, new) in [(6, 5), (0, MAX_SIZE + 1), (u64::MAX, u64::MAX)] {
            assert_eq!(consistency_proof(old, new, none), Err(ProveError::OutOfRange { what: old, size: new }));
        }
        let missing = ProveError::Missing(Place { level: 0, index: 1 });
        assert_eq!(inclusion_proof(2, 0, none), Err(missing));
        let plan = InclusionPlan::new(4, 1).unwrap();
        assert_eq!(plan.prove(&[[0; 32]]), Err(ProveError::WrongCount { needed: 2, given: 1 }));
        assert_eq!(inclusion_proof(1, 0, none), Ok(InclusionProof::from_hashes(vec![])));
        assert_eq!(consistency_proof(7, 7, none), Ok(ConsistencyProof::empty()));
        assert_eq!(consistency_proof(0, 7, none), Ok(ConsistencyProof::empty()));
    }

    proptest! {
        #[test]
        fn plans_stay_small_and_inside_the_tree_at_any_size(
            bits in 0..=62u32, low in any::<u64>(), pick in any::<u64>(),
        ) {
            let size = ((1 << bits) | (low & ((1 << bits) - 1))).min(MAX_SIZE);
            let inside = |place: &Place| (place.index + 1) << place.level <= size;
            let plan = InclusionPlan::new(size, pick % size).unwrap();
            prop_assert!(plan.places().iter().all(inside) && plan.places().len() <= 130);
            let plan = ConsistencyPlan::new(pick % (size + 1), size).unwrap();
            prop_assert!(plan.places().iter().all(inside) && plan.places().len() <= 130);
        }
    }
}
