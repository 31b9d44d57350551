//! The root of a message's body: an RFC 6962 tree over its parts (R23).
//!
//! Called by `protocol` for the body root in an envelope, by whoever receives a body in frames and checks it as it
//! comes, and by whoever opens one part of a body as evidence (R15, R17). It is not the log, and it adds no nonce:
//! parts that must stay hidden behind their neighbours' paths carry one of their own.

use crate::frontier::{Frontier, LogFull};
use crate::hash::{Hash, MAX_SIZE, leaf_hash};
use crate::plan::inclusion_proof;
use crate::proof::{InclusionProof, ProofError};

/// Why a part of a body could not be counted or found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// More parts than [`MAX_SIZE`].
    #[error("body: too many parts")]
    TooManyParts,
    /// The part asked for is not in the body.
    #[error("body: no part {index} among {parts}")]
    NoSuchPart {
        /// The part asked for, from 0.
        index: u64,
        /// The number of parts.
        parts: u64,
    },
}

/// Builds the root of a body part by part, in memory that grows with the logarithm of the number of parts.
#[derive(Clone, Debug, Default)]
pub struct RootBuilder(Frontier);

impl RootBuilder {
    /// A body without parts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of parts so far.
    pub fn parts(&self) -> u64 {
        self.0.size()
    }

    /// Adds the next part by its bytes.
    ///
    /// # Errors
    /// [`BodyError::TooManyParts`].
    pub fn push(&mut self, part: &[u8]) -> Result<(), BodyError> {
        self.push_leaf_hash(leaf_hash(part))
    }

    /// Adds the next part by its [`leaf_hash`].
    ///
    /// # Errors
    /// [`BodyError::TooManyParts`].
    pub fn push_leaf_hash(&mut self, leaf: Hash) -> Result<(), BodyError> {
        self.0.push(leaf, |_| ()).map_err(|LogFull| BodyError::TooManyParts)
    }

    /// The root over all parts; that of a body without parts is [`crate::empty_root`].
    pub fn finish(self) -> Hash {
        self.0.root()
    }

    /// The right edge so far, to store a half-received body and go on later (R24).
    pub fn frontier(&self) -> &Frontier {
        &self.0
    }

    /// Goes on from a stored right edge.
    pub fn resume(frontier: Frontier) -> Self {
        Self(frontier)
    }
}

/// The root over all parts of a body.
pub fn body_root<Part: AsRef<[u8]>>(parts: impl IntoIterator<Item = Part>) -> Hash {
    let mut builder = RootBuilder::new();
    for part in parts {
        // 2^62 parts do not come out of any iterator: the loop would outlast us all
        let _ = builder.push(part.as_ref());
    }
    builder.finish()
}

/// The path of part `index` (from 0) to the root, made from all parts' leaf hashes.
///
/// Hashes the whole body once more; the caller holds 32 bytes a part, not the parts.
///
/// # Errors
/// [`BodyError::NoSuchPart`].
pub fn body_path(leaf_hashes: &[Hash], index: u64) -> Result<InclusionProof, BodyError> {
    let parts = leaf_hashes.len() as u64;
    let no_such_part = BodyError::NoSuchPart { index, parts };
    if parts > MAX_SIZE {
        return Err(BodyError::TooManyParts);
    }
    let subtree = |start: u64, end: u64| {
        let mut builder = RootBuilder::new();
        for leaf in leaf_hashes.get(start as usize..end as usize)? {
            builder.push_leaf_hash(*leaf).ok()?;
        }
        Some(builder.finish())
    };
    inclusion_proof(parts, index, |place| {
        subtree(place.index << place.level, (place.index + 1) << place.level) // places are complete: both ends are inside
    })
    .map_err(|_| no_such_part)
}

/// Checks that `part` is part `index` (from 0) of the body with that number of parts and that root.
///
/// # Errors
/// As [`InclusionProof::verify`].
pub fn verify_part(path: &InclusionProof, parts: u64, root: &Hash, index: u64, part: &[u8]) -> Result<(), ProofError> {
    path.verify_leaf(parts, root, index, part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::vectors::*;
    use crate::{UnverifiedFrontier, empty_root};

    #[test]
    fn body_roots_are_those_of_rfc_6962() {
        let leaves = leaves();
        for (n, root) in ROOTS.iter().enumerate() {
            assert_eq!(body_root(&leaves[..n]), hash(root));
        }
        assert_eq!(RootBuilder::new().finish(), empty_root());
    }

    #[test]
    fn every_path_of_bodies_to_70_parts_verifies_and_no_other_part_does() {
        for n in 1..=70u64 {
            let parts: Vec<_> = (0..n).map(|i| vec![i as u8; i as usize % 50]).collect();
            let (root, leaves) = (body_root(&parts), parts.iter().map(|part| leaf_hash(part)).collect::<Vec<_>>());
            for index in 0..n {
                let (path, part) = (body_path(&leaves, index).unwrap(), &parts[index as usize]);
                assert_eq!(verify_part(&path, n, &root, index, part), Ok(()));
                assert!(verify_part(&path, n, &root, index, b"another part").is_err());
                assert!(verify_part(&path, n, &root, (index + 1) % n, part).is_err() || n == 1);
            }
            assert_eq!(body_path(&leaves, n), Err(BodyError::NoSuchPart { index: n, parts: n }));
        }
        assert_eq!(body_path(&[], 0), Err(BodyError::NoSuchPart { index: 0, parts: 0 }));
    }

    #[test]
    fn a_cut_body_goes_on_from_its_stored_edge() {
        let parts: Vec<[u8; 3]> = (0..100u8).map(|n| [n; 3]).collect();
        let whole = body_root(&parts);
        for cut in 0..=100 {
            let mut first = RootBuilder::new();
            parts[..cut].iter().for_each(|part| first.push(part).unwrap());
            let (bytes, root) = (first.frontier().to_bytes(), first.frontier().root());
            let edge = UnverifiedFrontier::decode(&bytes).unwrap().verify(cut as u64, &root).unwrap();
            let mut rest = RootBuilder::resume(edge);
            parts[cut..].iter().for_each(|part| rest.push(part).unwrap());
            assert_eq!((rest.parts(), rest.finish()), (100, whole));
        }
    }
}
