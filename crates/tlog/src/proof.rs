//! The two proofs of RFC 6962, section 2.1, and their verification.
//!
//! Called by units and auditors, on what a broker sent. The mathematics is that of `ct-merkle`; this file keeps every
//! size and index inside the range in which that crate is defined. Proofs are *made* in [`crate::InclusionPlan`] and
//! [`crate::ConsistencyPlan`].

use crate::hash::{Entry, Hash, MAX_SIZE, empty_root};
use ct_merkle::{ConsistencyVerifError, InclusionVerifError, RootHash};
use sha2::Sha256;

/// No proof of a tree of [`MAX_SIZE`] leaves holds more hashes than this.
pub const MAX_PROOF_HASHES: usize = 64;

/// Why a proof proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
    /// Its bytes are not whole hashes, or more than [`MAX_PROOF_HASHES`].
    #[error("proof: {0} bytes are not a list of hashes")]
    Malformed(usize),
    /// A tree size is above [`MAX_SIZE`].
    #[error("proof: the size {0} is above the limit")]
    TooLarge(u64),
    /// The index is not that of a leaf of this tree.
    #[error("proof: no leaf {index} in a tree of {size}")]
    NoSuchLeaf {
        /// The leaf asked for, from 0.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The tree that should be the older one is the larger one.
    #[error("proof: a log of {new} entries cannot extend one of {old}")]
    Shrunk {
        /// The size that should be the smaller.
        old: u64,
        /// The size that should be the larger.
        new: u64,
    },
    /// It holds another number of hashes than a proof for these sizes.
    #[error("proof: it holds {0} hashes, which is not the number for these sizes")]
    WrongLength(usize),
    /// Its hashes do not lead to the roots.
    #[error("proof: its hashes do not lead to the root")]
    WrongHash,
}

/// A proof that a leaf stands at an index of a tree: an audit path, RFC 6962, section 2.1.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InclusionProof(Vec<Hash>);

/// A proof that a tree is the beginning of another: RFC 6962, section 2.1.2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsistencyProof(Vec<Hash>);

impl InclusionProof {
    pub(crate) fn from_hashes(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Reads what [`InclusionProof::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        hashes(bytes).map(Self)
    }

    /// The hashes from the leaf upwards, 32 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// The hashes, from the leaf upwards.
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// Checks that `entry` is leaf `index` (from 0) of the tree with that size and root.
    ///
    /// # Errors
    /// All of [`ProofError`] but `Malformed` and `Shrunk`.
    pub fn verify(&self, size: u64, root: &Hash, index: u64, entry: &Entry) -> Result<(), ProofError> {
        self.verify_leaf(size, root, index, &entry.0)
    }

    /// As [`InclusionProof::verify`], for a leaf with other data than an entry's 32 bytes.
    pub(crate) fn verify_leaf(&self, size: u64, root: &Hash, index: u64, leaf: &[u8]) -> Result<(), ProofError> {
        if size > MAX_SIZE {
            return Err(ProofError::TooLarge(size));
        }
        let proof = ct_merkle::InclusionProof::<Sha256>::try_from_bytes(self.to_bytes())
            .map_err(|_| ProofError::WrongLength(self.0.len()))?;
        let root = RootHash::<Sha256>::new((*root).into(), size);
        root.verify_inclusion(&leaf, index, &proof).map_err(|error| match error {
            InclusionVerifError::MalformedProof => ProofError::WrongLength(self.0.len()),
            InclusionVerifError::IndexOutOfRange | InclusionVerifError::TreeEmpty => {
                ProofError::NoSuchLeaf { index, size }
            }
            InclusionVerifError::IncorrectHash => ProofError::WrongHash,
        })
    }
}

impl ConsistencyProof {
    pub(crate) fn from_hashes(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// The proof without hashes: between a tree and itself, and from the empty tree to any other.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// Reads what [`ConsistencyProof::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        hashes(bytes).map(Self)
    }

    /// The hashes in the order of RFC 6962, 32 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// The hashes, in the order of RFC 6962.
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// Checks that the tree with the old size and root is the beginning of the one with the new size and root. The
    /// empty tree is the beginning of every tree, by the empty proof.
    ///
    /// # Errors
    /// All of [`ProofError`] but `Malformed` and `NoSuchLeaf`.
    pub fn verify(&self, old: (u64, &Hash), new: (u64, &Hash)) -> Result<(), ProofError> {
        if new.0 > MAX_SIZE {
            return Err(ProofError::TooLarge(new.0));
        }
        if old.0 > new.0 {
            return Err(ProofError::Shrunk { old: old.0, new: new.0 });
        }
        if old.0 == 0 {
            return self.verify_from_empty(old.1, new);
        }
        let proof = ct_merkle::ConsistencyProof::<Sha256>::try_from_bytes(self.to_bytes())
            .map_err(|_| ProofError::WrongLength(self.0.len()))?;
        let old_root = RootHash::<Sha256>::new((*old.1).into(), old.0);
        let new_root = RootHash::<Sha256>::new((*new.1).into(), new.0);
        new_root.verify_consistency(&old_root, &proof).map_err(|error| match error {
            ConsistencyVerifError::MalformedProof => ProofError::WrongLength(self.0.len()),
            ConsistencyVerifError::NewTreeTooBig => ProofError::TooLarge(new.0),
            ConsistencyVerifError::OldTreeLarger => ProofError::Shrunk { old: old.0, new: new.0 },
            ConsistencyVerifError::OldTreeEmpty | ConsistencyVerifError::VerificationFailure => ProofError::WrongHash,
        })
    }

    fn verify_from_empty(&self, old_root: &Hash, new: (u64, &Hash)) -> Result<(), ProofError> {
        if !self.0.is_empty() {
            return Err(ProofError::WrongLength(self.0.len()));
        }
        let roots_hold = *old_root == empty_root() && (new.0 > 0 || new.1 == old_root);
        if roots_hold { Ok(()) } else { Err(ProofError::WrongHash) }
    }
}

fn hashes(bytes: &[u8]) -> Result<Vec<Hash>, ProofError> {
    let (hashes, remainder) = bytes.as_chunks::<32>();
    if !remainder.is_empty() || hashes.len() > MAX_PROOF_HASHES {
        return Err(ProofError::Malformed(bytes.len()));
    }
    Ok(hashes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::vectors::*;
    use proptest::prelude::*;

    #[test]
    fn reference_proofs_of_the_ct_project_verify() {
        // transparency-dev/merkle, testonly/reference_test.go, as in ct-merkle's known answers
        let path = InclusionProof(
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
            .map(hash)
            .to_vec(),
        );
        assert_eq!(path.verify_leaf(8, &hash(ROOTS[8]), 5, &leaves()[5]), Ok(()));
        assert_eq!(path.verify_leaf(8, &hash(ROOTS[8]), 4, &leaves()[5]), Err(ProofError::WrongHash));
        let extends = ConsistencyProof(
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
            .map(hash)
            .to_vec(),
        );
        assert_eq!(extends.verify((6, &hash(ROOTS[6])), (8, &hash(ROOTS[8]))), Ok(()));
        assert_eq!(extends.verify((7, &hash(ROOTS[7])), (8, &hash(ROOTS[8]))), Err(ProofError::WrongLength(3)));
    }

    #[test]
    fn the_empty_tree_is_the_beginning_of_every_tree() {
        let none = ConsistencyProof::empty();
        let (empty, other) = (empty_root(), [5; 32]);
        assert_eq!(none.verify((0, &empty), (0, &empty)), Ok(()));
        assert_eq!(none.verify((0, &empty), (9, &other)), Ok(()));
        assert_eq!(none.verify((0, &other), (9, &other)), Err(ProofError::WrongHash));
        assert_eq!(none.verify((0, &empty), (0, &other)), Err(ProofError::WrongHash));
        assert_eq!(none.verify((9, &other), (9, &other)), Ok(()));
        assert_eq!(none.verify((9, &other), (9, &empty)), Err(ProofError::WrongHash));
        let one = ConsistencyProof(vec![other]);
        assert_eq!(one.verify((0, &empty), (9, &other)), Err(ProofError::WrongLength(1)));
        assert_eq!(one.verify((9, &other), (9, &other)), Err(ProofError::WrongLength(1)));
    }

    #[test]
    fn impossible_sizes_are_named() {
        let (path, extends, root) = (InclusionProof(vec![]), ConsistencyProof::empty(), [0; 32]);
        let entry = Entry([0; 32]);
        assert_eq!(path.verify(0, &root, 0, &entry), Err(ProofError::NoSuchLeaf { index: 0, size: 0 }));
        assert_eq!(path.verify(3, &root, 3, &entry), Err(ProofError::NoSuchLeaf { index: 3, size: 3 }));
        for size in [MAX_SIZE + 1, 1 << 63, u64::MAX] {
            assert_eq!(path.verify(size, &root, 0, &entry), Err(ProofError::TooLarge(size)));
            assert_eq!(extends.verify((1, &root), (size, &root)), Err(ProofError::TooLarge(size)));
        }
        assert_eq!(extends.verify((4, &root), (3, &root)), Err(ProofError::Shrunk { old: 4, new: 3 }));
        assert_eq!(InclusionProof::from_bytes(&[0; 33]), Err(ProofError::Malformed(33)));
        assert_eq!(ConsistencyProof::from_bytes(&[0; 65 * 32]), Err(ProofError::Malformed(65 * 32)));
    }

    fn sizes() -> impl Strategy<Value = u64> {
        prop_oneof![0..200u64, MAX_SIZE - 3..=MAX_SIZE, any::<u64>(), (0..64u32).prop_map(|bit| 1 << bit)]
    }

    proptest! {
        #[test]
        fn no_proof_and_no_size_makes_verification_panic_or_pass(
            bytes in prop::collection::vec(any::<u8>(), 0..70).prop_map(|seed| seed.repeat(32)),
            size in sizes(),
            other in sizes(),
        ) {
            if let Ok(path) = InclusionProof::from_bytes(&bytes) {
                prop_assert!(path.verify(size, &[1; 32], other, &Entry([2; 32])).is_err());
                let extends = ConsistencyProof::from_bytes(&bytes).unwrap();
                prop_assert!(extends.verify((other, &[1; 32]), (size, &[2; 32])).is_err());
            }
        }
    }
}
