//! Tag sets: the leaves a unit shows the broker for one pair (R15).
//!
//! A leaf is a tag and a confirmation, 32 bytes, both pseudorandom to everyone but the two units of the pair. Rows are
//! written by [`rows`] and read by a [`Reader`] in bounded memory. The root hides each leaf under a nonce, so that a
//! path shown as evidence opens one leaf only.
//!
//! Callers: agents write, the broker (and a second matcher) reads. *Not here:* what a leaf is made of
//! ([`crate::psi`]), and whether a tag is present ([`crate::compare`], and the broker's store).

use crate::accord::Terms;
use crate::codec::{Bytes, Hash};
use crate::message::{Size, TagSet};
use crate::{body, label};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use std::borrow::Borrow;

/// Length of a tag, in bytes.
pub const TAG_LEN: usize = 16;
/// Length of a leaf, in bytes.
pub const LEAF_LEN: usize = 32;
/// Length of the key of the nonces, at the beginning of the rows, in bytes.
pub const NONCE_KEY_LEN: usize = 32;
/// What opening and bulk sets (and requests) are padded to a multiple of.
pub const PADDING: usize = 256;

/// A tag: all that the broker compares.
pub type Tag = Bytes<TAG_LEN>;

/// One entry of a tag set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Leaf {
    /// What is compared.
    pub tag: Tag,
    /// What shows the peer that its maker evaluated the token ([`crate::psi::confirmation`]).
    pub confirmation: Bytes<16>,
}

impl Leaf {
    /// Tag, then confirmation.
    pub fn to_bytes(self) -> [u8; LEAF_LEN] {
        let mut out = [0; LEAF_LEN];
        out[..TAG_LEN].copy_from_slice(&self.tag.0);
        out[TAG_LEN..].copy_from_slice(&self.confirmation.0);
        out
    }

    /// Reads [`Leaf::to_bytes`].
    pub fn from_bytes(bytes: &[u8; LEAF_LEN]) -> Self {
        let (mut tag, mut confirmation) = ([0; TAG_LEN], [0; 16]);
        tag.copy_from_slice(&bytes[..TAG_LEN]);
        confirmation.copy_from_slice(&bytes[TAG_LEN..]);
        Leaf { tag: Bytes(tag), confirmation: Bytes(confirmation) }
    }

    /// A padding leaf: nobody can tell it from a real one.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; LEAF_LEN];
        rng.fill_bytes(&mut bytes);
        Leaf::from_bytes(&bytes)
    }
}

/// The rows of a tag set in the making: an opening set has as many leaves as a register has tokens, so they stand here once.
pub struct Rows {
    nonce_key: Bytes<NONCE_KEY_LEN>,
    bytes: Vec<u8>,
}

impl Rows {
    /// None yet, with room for so many.
    pub fn new(nonce_key: &Bytes<NONCE_KEY_LEN>, adds: usize, removals: usize) -> Self {
        let mut bytes = Vec::with_capacity(NONCE_KEY_LEN + adds * LEAF_LEN + removals * TAG_LEN);
        bytes.extend_from_slice(&nonce_key.0);
        Rows { nonce_key: *nonce_key, bytes }
    }

    /// A leaf that is added, in any order; tags must be distinct.
    pub fn add(&mut self, leaf: &Leaf) {
        self.bytes.extend_from_slice(&leaf.to_bytes());
    }

    /// The rows, sorted, with those that remove; and the root of the leaves.
    pub fn finish(mut self, removals: &mut [Tag]) -> (Vec<u8>, Hash) {
        let (leaves, _) = self.bytes[NONCE_KEY_LEN..].as_chunks_mut::<LEAF_LEN>();
        // A leaf begins with its tag: the order of the bytes is that of the tags.
        leaves.sort_unstable();
        let root = root(leaves.iter().map(Leaf::from_bytes), &self.nonce_key);
        removals.sort_unstable();
        self.bytes.extend(removals.iter().flat_map(|tag| tag.0));
        (self.bytes, root)
    }
}

/// The rows of a tag set. Both slices are sorted here; tags must be distinct.
pub fn rows(nonce_key: &Bytes<NONCE_KEY_LEN>, adds: &mut [Leaf], removals: &mut [Tag]) -> Vec<u8> {
    adds.sort_unstable();
    let mut rows = Rows::new(nonce_key, adds.len(), removals.len());
    adds.iter().for_each(|leaf| rows.add(leaf));
    rows.finish(removals).0
}

/// The nonce that hides the leaf of `tag`.
pub fn nonce(nonce_key: &Bytes<32>, tag: &Tag) -> Bytes<32> {
    Nonces::of(nonce_key).of_tag(tag)
}

/// All nonces of one key: what HMAC makes of the key is made once.
struct Nonces(Hmac<Sha256>);

impl Nonces {
    fn of(nonce_key: &Bytes<NONCE_KEY_LEN>) -> Self {
        // HMAC takes keys of any length: this cannot fail.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&nonce_key.0).unwrap_or_else(|_| unreachable!());
        mac.update(label::LEAF_NONCE.as_bytes());
        Nonces(mac)
    }

    fn of_tag(&self, tag: &Tag) -> Bytes<32> {
        let mut mac = self.0.clone();
        mac.update(&tag.0);
        Bytes(mac.finalize().into_bytes().into())
    }
}

/// A leaf as it stands below the root: hidden under its nonce.
pub fn hidden(leaf: &Leaf, nonce: &Bytes<32>) -> Hash {
    let mut h = Sha256::new();
    h.update(label::LEAF.as_bytes());
    h.update([0]);
    h.update(nonce.0);
    h.update(leaf.to_bytes());
    body::part_hash(&h.finalize())
}

/// The root over the hidden leaves, which must be in ascending order of tags.
pub fn root(adds: impl Iterator<Item = impl Borrow<Leaf>>, nonce_key: &Bytes<32>) -> Hash {
    let nonces = Nonces::of(nonce_key);
    body::root_of_hashes(adds.map(|leaf| hidden(leaf.borrow(), &nonces.of_tag(&leaf.borrow().tag))))
}

/// Why a tag set is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum TagSetError {
    /// The rows are not as long as the head says.
    #[error("the tag set's rows are not as long as its head says")]
    Length,
    /// Adds and removals of a size that the accord does not allow here.
    #[error("the tag set's size is not one that the accord allows")]
    Size,
    /// Tags not strictly ascending: out of order, or one of them twice.
    #[error("the tag set's tags are not strictly ascending")]
    Order,
    /// The root is not that of the leaves.
    #[error("the tag set's root is not that of its leaves")]
    Root,
    /// A tag is added that is present.
    #[error("a tag is added that is present already")]
    Present,
    /// A tag is removed that is absent.
    #[error("a tag is removed that is absent")]
    Absent,
    /// An opening set after the first.
    #[error("the epoch is open for this pair already")]
    OpenAlready,
    /// A set before the opening one.
    #[error("the epoch is not open for this pair yet")]
    NotOpen,
    /// A second set in one tick.
    #[error("a tag set for this pair and tick is there already")]
    SameTick,
}

impl TagSetError {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            TagSetError::Length => "tagset-length",
            TagSetError::Size => "tagset-size",
            TagSetError::Order => "tagset-order",
            TagSetError::Root => "tagset-root",
            TagSetError::Present => "tagset-tag-present",
            TagSetError::Absent => "tagset-tag-absent",
            TagSetError::OpenAlready => "tagset-open-already",
            TagSetError::NotOpen => "tagset-not-open",
            TagSetError::SameTick => "tagset-same-tick",
        }
    }
}

/// Checks the sizes that a head names against the accord: constant in ordinary ticks, a multiple of 256 otherwise.
///
/// An opening set removes nothing; a bulk set removes as many tags as an ordinary one.
pub fn check_size(head: &TagSet, terms: &Terms) -> Result<(), TagSetError> {
    let small = terms.tag_sets.small;
    let padded = head.adds > 0 && (head.adds as usize).is_multiple_of(PADDING);
    let most = terms.requests.opening_max.saturating_add(terms.requests.bulk_max).saturating_add(512);
    let fits = match head.size {
        Size::Opening => padded && head.removals == 0,
        Size::Bulk => padded && head.removals == small,
        Size::Small => head.adds == small && head.removals == small,
    };
    if fits && u64::from(head.adds) <= most { Ok(()) } else { Err(TagSetError::Size) }
}

/// One row of a tag set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// A leaf is added.
    Add(Leaf),
    /// The leaf of this tag is removed.
    Remove(Tag),
}

/// Reads the rows of a tag set piece by piece, in memory that does not grow with the set.
pub struct Reader {
    adds_left: u32,
    removals_left: u32,
    last: Option<Tag>,
    carry: Vec<u8>,
    nonces: Option<Nonces>,
    root: Hash,
    builder: tlog::RootBuilder,
}

impl Reader {
    /// Begins with a head and the length of its rows, in bytes.
    pub fn new(head: &TagSet, rows_len: u64) -> Result<Reader, TagSetError> {
        let expected =
            NONCE_KEY_LEN as u64 + u64::from(head.adds) * LEAF_LEN as u64 + u64::from(head.removals) * TAG_LEN as u64;
        if rows_len != expected {
            return Err(TagSetError::Length);
        }
        Ok(Reader {
            adds_left: head.adds,
            removals_left: head.removals,
            last: None,
            carry: Vec::new(),
            nonces: None,
            root: head.root,
            builder: tlog::RootBuilder::new(),
        })
    }

    /// Takes the next bytes, and gives the rows that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Row>, TagSetError> {
        let mut carry = std::mem::take(&mut self.carry);
        carry.extend_from_slice(bytes);
        let mut rows = Vec::with_capacity(carry.len() / TAG_LEN);
        let mut at = 0;
        loop {
            let rest = &carry[at..];
            if self.nonces.is_none() {
                let Some(key) = rest.first_chunk::<NONCE_KEY_LEN>() else { break };
                self.nonces = Some(Nonces::of(&Bytes(*key)));
                at += NONCE_KEY_LEN;
                continue;
            }
            if self.adds_left > 0 {
                let Some(leaf) = rest.first_chunk::<LEAF_LEN>() else { break };
                let leaf = Leaf::from_bytes(leaf);
                self.ascend(leaf.tag)?;
                let Some(nonces) = &self.nonces else { break };
                let hidden = hidden(&leaf, &nonces.of_tag(&leaf.tag));
                self.builder.push_leaf_hash(hidden.0).map_err(|_| TagSetError::Length)?;
                rows.push(Row::Add(leaf));
                at += LEAF_LEN;
                self.adds_left -= 1;
                if self.adds_left == 0 {
                    self.last = None;
                }
            } else if self.removals_left > 0 {
                let Some(tag) = rest.first_chunk::<TAG_LEN>() else { break };
                self.ascend(Bytes(*tag))?;
                rows.push(Row::Remove(Bytes(*tag)));
                at += TAG_LEN;
                self.removals_left -= 1;
            } else if rest.is_empty() {
                break;
            } else {
                return Err(TagSetError::Length);
            }
        }
        carry.drain(..at);
        self.carry = carry;
        Ok(rows)
    }

    /// Ends: everything has come, and the root is that of the leaves.
    pub fn finish(self) -> Result<(), TagSetError> {
        if self.nonces.is_none() || self.adds_left > 0 || self.removals_left > 0 || !self.carry.is_empty() {
            return Err(TagSetError::Length);
        }
        if Bytes(self.builder.finish()) == self.root { Ok(()) } else { Err(TagSetError::Root) }
    }

    fn ascend(&mut self, tag: Tag) -> Result<(), TagSetError> {
        if self.last.is_some_and(|last| last >= tag) {
            return Err(TagSetError::Order);
        }
        self.last = Some(tag);
        Ok(())
    }
}

/// Rounds `count` up to a multiple of [`PADDING`], at least one.
pub fn padded(count: usize) -> usize {
    count.max(1).next_multiple_of(PADDING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn example() -> (TagSet, Vec<u8>) {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let mut adds: Vec<Leaf> = (0..256).map(|_| Leaf::random(&mut rng)).collect();
        let mut removals: Vec<Tag> = (0..16).map(|_| Leaf::random(&mut rng).tag).collect();
        let nonce_key = Bytes([3; 32]);
        let rows = rows(&nonce_key, &mut adds, &mut removals);
        let root = root(adds.iter(), &nonce_key);
        let head = TagSet { peer: "GM".parse().unwrap(), size: Size::Bulk, adds: 256, removals: 16, root };
        (head, rows)
    }

    fn read(head: &TagSet, rows: &[u8], piece: usize) -> Result<usize, TagSetError> {
        let mut reader = Reader::new(head, rows.len() as u64)?;
        let mut count = 0;
        for bytes in rows.chunks(piece) {
            count += reader.push(bytes)?.len();
        }
        reader.finish().map(|()| count)
    }

    #[test]
    fn rows_are_read_in_pieces_of_any_size() {
        let (head, rows) = example();
        for piece in [1, 15, 16, 31, 32, 33, 1000, rows.len()] {
            assert_eq!(read(&head, &rows, piece), Ok(272), "{piece}");
        }
    }

    #[test]
    fn each_fault_has_its_error() {
        let (head, rows) = example();
        assert_eq!(read(&head, &rows[..rows.len() - 1], 64), Err(TagSetError::Length));
        let mut swapped = rows.clone();
        swapped.copy_within(32..64, 64);
        assert_eq!(read(&head, &swapped, 64), Err(TagSetError::Order));
        let mut other = rows.clone();
        other[32 + 20] ^= 1;
        assert_eq!(read(&head, &other, 64), Err(TagSetError::Root));
        let removals = 32 + 256 * 32;
        let mut twice = rows.clone();
        twice.copy_within(removals..removals + 16, removals + 16);
        assert_eq!(read(&head, &twice, 64), Err(TagSetError::Order));
    }

    #[test]
    fn sizes_are_those_of_the_accord() {
        let terms: Terms = toml::from_str(crate::accord::tests::EXAMPLE).unwrap();
        let (bulk, _) = example();
        assert_eq!(check_size(&bulk, &terms), Ok(()));
        for bad in [
            TagSet { size: Size::Small, ..bulk.clone() },
            TagSet { size: Size::Opening, ..bulk.clone() },
            TagSet { adds: 255, ..bulk.clone() },
            TagSet { adds: 0, ..bulk.clone() },
            TagSet { adds: 1 << 20, ..bulk.clone() },
        ] {
            assert_eq!(check_size(&bad, &terms), Err(TagSetError::Size));
        }
    }
}
