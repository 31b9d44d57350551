//! The right edge of a growing tree: all that is needed to append and to know the root.
//!
//! Called by the broker for each accepted envelope, by a unit that follows the log, and by [`RootBuilder`]. It is not
//! the tree: nodes left of the edge are stored by the caller, as [`Frontier::append`] hands them out.
//!
//! # Storage
//!
//! A [`Node`] is the root of a complete subtree: at level l and index i it stands over the leaves i·2^l to
//! (i+1)·2^l − 1, and never changes once it exists. Appending leaf n (from 0) completes one node at level 0, and one
//! more for each trailing one bit of n: two nodes a leaf on average. A table with the key (level, index) and a value of
//! 32 bytes holds the whole tree; [`InclusionPlan`] and [`ConsistencyPlan`] name the rows that a proof needs.
//!
//! [`RootBuilder`]: crate::RootBuilder
//! [`InclusionPlan`]: crate::InclusionPlan
//! [`ConsistencyPlan`]: crate::ConsistencyPlan

use crate::hash::{Entry, Hash, MAX_SIZE, empty_root, node_hash};

/// Where a complete subtree stands: over the leaves index·2^level to (index+1)·2^level − 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The subtree's height: 0 for a leaf; at most 62.
    pub level: u8,
    /// Its number among the subtrees of that height, from 0 at the left; below 2^62.
    pub index: u64,
}

/// A complete subtree's root hash, with its place: what the caller stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// Its RFC 6962 hash.
    pub hash: Hash,
}

/// The right edge of a tree: its size and the roots of the complete subtrees that it falls into, largest first, one for
/// each one bit of the size. At most 62 hashes, whatever the size.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// The tree holds [`MAX_SIZE`] leaves: nothing can be appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the log is full")]
pub struct LogFull;

/// Why bytes are not the frontier that they are said to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrontierError {
    /// Not eight bytes of size and 32 for each subtree.
    #[error("frontier: {0} bytes do not hold a size and hashes")]
    Malformed(usize),
    /// Not one hash for each one bit of the size.
    #[error("frontier: the size {size} does not fall into {hashes} subtrees")]
    WrongCount {
        /// The size stated.
        size: u64,
        /// The number of hashes given.
        hashes: usize,
    },
    /// The size is above [`MAX_SIZE`].
    #[error("frontier: the size {0} is above the limit")]
    TooLarge(u64),
    /// The frontier has another size than the root that it is checked against.
    #[error("frontier: it has size {found}, not {expected}")]
    OtherSize {
        /// The size that the checkpoint states.
        expected: u64,
        /// The size that the frontier states.
        found: u64,
    },
    /// The subtrees do not hash to the root.
    #[error("frontier: its subtrees do not hash to the root")]
    OtherRoot,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The Merkle tree hash of all leaves so far, RFC 6962, section 2.1.
    pub fn root(&self) -> Hash {
        match fold(self.peaks.iter().copied()) {
            Some(root) => root,
            None => empty_root(),
        }
    }

    /// Appends an entry, and returns the nodes that it completes, lowest first: the leaf itself, then the subtrees
    /// that end with it. Store them all, in the transaction that accepts the envelope (R25).
    ///
    /// # Errors
    /// [`LogFull`] at [`MAX_SIZE`] leaves; nothing changes then.
    pub fn append(&mut self, entry: &Entry) -> Result<Vec<Node>, LogFull> {
        let mut nodes = Vec::with_capacity(2);
        self.push(entry.leaf_hash(), |node| nodes.push(node))?;
        Ok(nodes)
    }

    /// As [`Frontier::append`], for a leaf whose hash is already known; `completed` gets each node.
    pub(crate) fn push(&mut self, leaf: Hash, mut completed: impl FnMut(Node)) -> Result<(), LogFull> {
        if self.size >= MAX_SIZE {
            return Err(LogFull);
        }
        let (mut hash, mut place) = (leaf, Place { level: 0, index: self.size });
        completed(Node { place, hash });
        // each trailing one bit of the old size is a subtree of the height reached, which this one completes
        while place.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            place = Place { level: place.level + 1, index: place.index >> 1 };
            completed(Node { place, hash });
        }
        self.peaks.push(hash);
        self.size += 1;
        Ok(())
    }

    /// The places of the nodes that the frontier of a tree of `size` leaves is made of, largest first: to read them
    /// from the store, of now or of an older checkpoint, for [`UnverifiedFrontier::from_hashes`]. A size above
    /// [`MAX_SIZE`] is taken for that.
    pub fn places(size: u64) -> Vec<Place> {
        subtrees(0, size.min(MAX_SIZE)).collect()
    }

    /// Eight bytes of size, big-endian, then the subtrees' hashes, largest subtree first: at most 1,992 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.peaks.iter().flatten());
        bytes
    }
}

/// A frontier as it was read from a store or from another's message: not yet known to be that of any log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnverifiedFrontier(Frontier);

impl UnverifiedFrontier {
    /// Reads what [`Frontier::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`FrontierError::Malformed`], [`FrontierError::WrongCount`] and [`FrontierError::TooLarge`].
    pub fn decode(bytes: &[u8]) -> Result<Self, FrontierError> {
        let malformed = FrontierError::Malformed(bytes.len());
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(malformed)?;
        let (peaks, remainder) = rest.as_chunks::<32>();
        if !remainder.is_empty() {
            return Err(malformed);
        }
        Self::from_hashes(u64::from_be_bytes(*size), peaks.to_vec())
    }

    /// Takes stored nodes' hashes, in the order of [`Frontier::places`].
    ///
    /// # Errors
    /// [`FrontierError::WrongCount`] and [`FrontierError::TooLarge`].
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Result<Self, FrontierError> {
        if size > MAX_SIZE {
            return Err(FrontierError::TooLarge(size));
        }
        if hashes.len() != size.count_ones() as usize {
            return Err(FrontierError::WrongCount { size, hashes: hashes.len() });
        }
        Ok(Self(Frontier { size, peaks: hashes }))
    }

    /// Checks that this is the frontier of the tree with that size and root, as a checkpoint states them.
    ///
    /// # Errors
    /// [`FrontierError::OtherSize`] and [`FrontierError::OtherRoot`].
    pub fn verify(self, size: u64, root: &Hash) -> Result<Frontier, FrontierError> {
        if self.0.size != size {
            return Err(FrontierError::OtherSize { expected: size, found: self.0.size });
        }
        if self.0.root() != *root {
            return Err(FrontierError::OtherRoot);
        }
        Ok(self.0)
    }
}

/// The complete subtrees, largest first, that `leaves` leaves from `start` on fall into; `start` is a multiple of the
/// first one's size.
pub(crate) fn subtrees(mut start: u64, mut leaves: u64) -> impl Iterator<Item = Place> {
    std::iter::from_fn(move || {
        let level = leaves.checked_ilog2()?;
        let place = Place { level: level as u8, index: start >> level };
        start += 1 << level;
        leaves -= 1 << level;
        Some(place)
    })
}

/// The hash over neighbouring complete subtrees, given from the left and from large to small: RFC 6962 splits a tree at
/// the largest power of two, so the smallest are joined first. None for no subtree.
pub(crate) fn fold(peaks: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    peaks.rev().reduce(|right, left| node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::vectors::*;
    use crate::leaf_hash;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;

    #[test]
    fn rfc_6962_roots_of_the_reference_leaves() {
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root(), hash(ROOTS[0]));
        for (leaf, root) in leaves().iter().zip(&ROOTS[1..]) {
            frontier.push(leaf_hash(leaf), |_| ()).unwrap();
            assert_eq!(frontier.root(), hash(root));
        }
    }

    #[test]
    fn roots_agree_with_ct_merkle_up_to_600_leaves() {
        let (mut frontier, mut oracle) = (Frontier::new(), MemoryBackedTree::<Sha256, [u8; 32]>::new());
        for n in 0..600u32 {
            assert_eq!(frontier.root()[..], oracle.root().as_bytes()[..]);
            let entry = Entry(leaf_hash(&n.to_be_bytes()));
            frontier.append(&entry).unwrap();
            oracle.push(entry.0);
        }
    }

    #[test]
    fn a_leaf_completes_one_node_and_one_more_for_each_trailing_one_bit() {
        let mut frontier = Frontier::new();
        for n in 0..1000u64 {
            let nodes = frontier.append(&Entry([0; 32])).unwrap();
            let expected: Vec<_> =
                (0..=n.trailing_ones()).map(|level| Place { level: level as u8, index: n >> level }).collect();
            assert_eq!(nodes.iter().map(|node| node.place).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_full_log_refuses_and_stays_as_it_is() {
        let mut frontier = Frontier { size: MAX_SIZE, peaks: vec![[1; 32]] };
        let before = frontier.clone();
        assert_eq!(frontier.append(&Entry([0; 32])), Err(LogFull));
        assert_eq!(frontier, before);
    }

    #[test]
    fn a_frontier_goes_through_bytes_only_with_its_own_size_and_root() {
        let mut frontier = Frontier::new();
        for n in 0..70u8 {
            let bytes = frontier.to_bytes();
            let read = || UnverifiedFrontier::decode(&bytes).unwrap();
            let (size, root) = (frontier.size(), frontier.root());
            assert_eq!(read().verify(size, &root), Ok(frontier.clone()));
            let other_size = FrontierError::OtherSize { expected: size + 1, found: size };
            assert_eq!(read().verify(size + 1, &root), Err(other_size));
            assert_eq!(read().verify(size, &[9; 32]), Err(FrontierError::OtherRoot));
            for place in 8..bytes.len() {
                let mut tampered = bytes.clone();
                tampered[place] ^= 1;
                let tampered = UnverifiedFrontier::decode(&tampered).unwrap();
                assert_eq!(tampered.verify(size, &root), Err(FrontierError::OtherRoot));
            }
            frontier.append(&Entry([n; 32])).unwrap();
        }
    }

    #[test]
    fn the_frontier_of_any_older_size_comes_back_from_the_stored_nodes() {
        let (mut frontier, mut stored) = (Frontier::new(), std::collections::HashMap::new());
        for n in 0..130u8 {
            let hashes = Frontier::places(frontier.size()).iter().map(|place| stored[place]).collect();
            let read = UnverifiedFrontier::from_hashes(frontier.size(), hashes).unwrap();
            assert_eq!(read.verify(frontier.size(), &frontier.root()), Ok(frontier.clone()));
            stored.extend(frontier.append(&Entry([n; 32])).unwrap().iter().map(|node| (node.place, node.hash)));
        }
        assert_eq!(Frontier::places(u64::MAX), [Place { level: 62, index: 0 }]);
        let wrong = FrontierError::WrongCount { size: 3, hashes: 1 };
        assert_eq!(UnverifiedFrontier::from_hashes(3, vec![[0; 32]]), Err(wrong));
    }

    #[test]
    fn sizes_above_the_limit_are_refused() {
        let bytes = |size: u64| [&size.to_be_bytes()[..], &[0; 32]].concat();
        assert!(UnverifiedFrontier::decode(&bytes(MAX_SIZE)).is_ok());
        let above = MAX_SIZE << 1;
        assert_eq!(UnverifiedFrontier::decode(&bytes(above)), Err(FrontierError::TooLarge(above)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), small: bool) {
            let mut bytes = bytes;
            if small {
                bytes.iter_mut().take(7).for_each(|byte| *byte = 0);
            }
            if let Ok(read) = UnverifiedFrontier::decode(&bytes) {
                prop_assert_eq!(read.0.to_bytes(), bytes);
                let _ = read.verify(5, &[0; 32]);
            }
        }
    }
}
