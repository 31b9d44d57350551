//! The second matcher: the matches of a cut as a pure function of the signed tag sets (R16).
//!
//! Callers: auditors, tests and any second authority that recomputes what the broker did. The broker itself compares in
//! its database; both must reach the same [`digest`]. A second matcher counts as broker in R2 and R4.

use crate::codec::{Bytes, Hash};
use crate::label;
use crate::name::Pair;
use crate::tagset::{Leaf, Row, Tag, TagSetError};
use sha2::{Digest, Sha256};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// A side of a pair, by the order of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The unit whose name sorts first.
    Low,
    /// The unit whose name sorts last.
    High,
}

/// A match: one tag, and each side's confirmation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Match {
    /// The tag that both sides hold.
    pub tag: Tag,
    /// The confirmation of the side whose name sorts first.
    pub low: Bytes<16>,
    /// The confirmation of the other side.
    pub high: Bytes<16>,
}

/// All leaves of one pair in one epoch.
#[derive(Default)]
pub struct Comparison {
    low: BTreeMap<Tag, Bytes<16>>,
    high: BTreeMap<Tag, Bytes<16>>,
    fresh: BTreeSet<Tag>,
}

impl Comparison {
    /// Applies one tag set of `side`, whole or not at all.
    pub fn apply(&mut self, side: Side, rows: &[Row]) -> Result<(), TagSetError> {
        let leaves = match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        };
        for row in rows {
            match row {
                Row::Add(leaf) if leaves.contains_key(&leaf.tag) => return Err(TagSetError::Present),
                Row::Remove(tag) if !leaves.contains_key(tag) => return Err(TagSetError::Absent),
                _ => {}
            }
        }
        for row in rows {
            match row {
                Row::Add(Leaf { tag, confirmation }) => {
                    leaves.insert(*tag, *confirmation);
                    self.fresh.insert(*tag);
                }
                Row::Remove(tag) => {
                    leaves.remove(tag);
                    self.fresh.remove(tag);
                }
            }
        }
        Ok(())
    }

    /// The cut: all tags that both sides hold now and of which one side's leaf is new since the last cut, ascending.
    pub fn cut(&mut self) -> Vec<Match> {
        std::mem::take(&mut self.fresh)
            .into_iter()
            .filter_map(|tag| Some(Match { tag, low: *self.low.get(&tag)?, high: *self.high.get(&tag)? }))
            .collect()
    }
}

/// What a cut took in, and where the log stood.
pub struct Cut<'a> {
    /// The federation.
    pub federation: &'a Hash,
    /// The pair.
    pub pair: &'a Pair,
    /// The epoch.
    pub epoch: u32,
    /// The tick that was closed.
    pub tick: u64,
    /// Size of the log at the cut.
    pub position: u64,
    /// Hashes of the tag sets of the unit whose name sorts first.
    pub low_sets: &'a [Hash],
    /// The same of the other unit.
    pub high_sets: &'a [Hash],
}

/// The digest of a cut and its matches, which must be in ascending order of tags.
pub fn digest(cut: &Cut<'_>, matches: impl ExactSizeIterator<Item = impl Borrow<Match>>) -> Hash {
    let mut h = Sha256::new();
    h.update(label::MATCHES.as_bytes());
    h.update([0]);
    h.update(cut.federation.0);
    for name in [cut.pair.low(), cut.pair.high()] {
        h.update([name.as_str().len() as u8]);
        h.update(name.as_str().as_bytes());
    }
    h.update(cut.epoch.to_be_bytes());
    h.update(cut.tick.to_be_bytes());
    h.update(cut.position.to_be_bytes());
    for sets in [cut.low_sets, cut.high_sets] {
        h.update((sets.len() as u64).to_be_bytes());
        sets.iter().for_each(|set| h.update(set.0));
    }
    h.update((matches.len() as u64).to_be_bytes());
    for found in matches {
        let Match { tag, low, high } = found.borrow();
        h.update(tag.0);
        h.update(low.0);
        h.update(high.0);
    }
    Bytes(h.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(tag: u8, confirmation: u8) -> Leaf {
        Leaf { tag: Bytes([tag; 16]), confirmation: Bytes([confirmation; 16]) }
    }

    #[test]
    fn a_match_is_told_once_and_only_while_both_hold_it() {
        let mut c = Comparison::default();
        c.apply(Side::Low, &[Row::Add(leaf(1, 10)), Row::Add(leaf(2, 10))]).unwrap();
        assert!(c.cut().is_empty());
        c.apply(Side::High, &[Row::Add(leaf(1, 20)), Row::Add(leaf(3, 20))]).unwrap();
        let found = c.cut();
        assert_eq!(found, [Match { tag: Bytes([1; 16]), low: Bytes([10; 16]), high: Bytes([20; 16]) }]);
        assert!(c.cut().is_empty());
        c.apply(Side::High, &[Row::Add(leaf(2, 20))]).unwrap();
        c.apply(Side::Low, &[Row::Remove(Bytes([2; 16]))]).unwrap();
        assert!(c.cut().is_empty());
    }

    #[test]
    fn a_refused_set_changes_nothing() {
        let mut c = Comparison::default();
        c.apply(Side::Low, &[Row::Add(leaf(1, 1))]).unwrap();
        assert_eq!(c.apply(Side::Low, &[Row::Add(leaf(2, 1)), Row::Add(leaf(1, 1))]), Err(TagSetError::Present));
        assert_eq!(c.apply(Side::Low, &[Row::Add(leaf(2, 1)), Row::Remove(Bytes([9; 16]))]), Err(TagSetError::Absent));
        c.apply(Side::High, &[Row::Add(leaf(2, 1))]).unwrap();
        assert!(c.cut().is_empty());
    }
}
