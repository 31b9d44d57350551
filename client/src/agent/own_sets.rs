//! Our tag sets with one peer in one epoch, until a cut has them (R16).
//!
//! The broker compares all sets that it accepted before a cut, in the order of the log, and a notice lists them. A set
//! that it leaves out would hide matches; and whether a canary must have met is known only when the cut has the set that
//! carried ours. Callers: [`super::releasing`], which sends sets, [`super::confirming`], which hears of cuts, and
//! [`super::pair`], which keeps this. *Not here:* what is in a set.

use super::store::{Reader, Writer};
use protocol::{Bytes, Hash};
use std::collections::VecDeque;

/// A set that no notice has listed yet.
struct Waiting {
    /// Its envelope's hash.
    hash: Hash,
    /// The tick in which it was made.
    tick: u64,
    /// Its entry in the log, once the broker has accepted it.
    entry: Option<u64>,
}

/// The sets.
#[derive(Default)]
pub(super) struct OwnSets {
    waiting: VecDeque<Waiting>,
    /// The tick of the last set that was listed.
    listed: Option<u64>,
}

/// A cut lists other sets as ours than those that it had to compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOurs;

impl OwnSets {
    /// A set was made in this tick.
    pub fn made(&mut self, hash: Hash, tick: u64) {
        self.waiting.push_back(Waiting { hash, tick, entry: None });
    }

    /// The broker accepted an envelope; whether it was a set of these.
    pub fn accepted(&mut self, hash: &Hash, entry: u64) -> bool {
        let found = self.waiting.iter_mut().find(|set| set.hash == *hash);
        found.map(|set| set.entry = Some(entry)).is_some()
    }

    /// An envelope that was not accepted was signed anew; whether it was a set of these.
    pub fn renumbered(&mut self, old: &Hash, new: &Hash) -> bool {
        let found = self.waiting.iter_mut().find(|set| set.hash == *old);
        found.map(|set| set.hash = *new).is_some()
    }

    /// The broker refused an envelope for good.
    pub fn refused(&mut self, hash: &Hash) {
        self.waiting.retain(|set| set.hash != *hash);
    }

    /// A cut at this size of the log lists these sets as ours. Changes nothing unless it had to list exactly these: the
    /// next ones in their order, and among them all that were in the log before it.
    pub fn take_listed(&mut self, listed: &[Hash], position: u64) -> Result<(), NotOurs> {
        let (compared, rest) = (self.waiting.iter().take(listed.len()), self.waiting.iter().skip(listed.len()));
        let in_order = listed.len() <= self.waiting.len() && compared.map(|set| &set.hash).eq(listed);
        if !in_order || rest.filter_map(|set| set.entry).any(|entry| entry < position) {
            return Err(NotOurs);
        }
        if let Some(last) = self.waiting.drain(..listed.len()).next_back() {
            self.listed = Some(last.tick);
        }
        Ok(())
    }

    /// Goes on after such a cut, whatever it lists: where it was complained of, so that it is once, or where a vault that
    /// was restored does not know of all its sets.
    pub fn pass(&mut self, listed: &[Hash], position: u64) {
        let known = self.waiting.iter().filter(|set| listed.contains(&set.hash)).map(|set| set.tick);
        self.listed = self.listed.max(known.max());
        self.waiting.retain(|set| !listed.contains(&set.hash) && set.entry.is_none_or(|entry| entry >= position));
    }

    /// Whether a cut has had the set of this tick.
    pub fn is_listed(&self, tick: u64) -> bool {
        self.listed.is_some_and(|listed| tick <= listed)
    }

    pub fn write(&self, w: &mut Writer) {
        w.maybe_u64(self.listed);
        w.u64(self.waiting.len() as u64);
        for set in &self.waiting {
            w.bytes(&set.hash.0);
            w.u64(set.tick);
            w.maybe_u64(set.entry);
        }
    }

    pub fn read(r: &mut Reader<'_>) -> Option<Self> {
        let mut sets = OwnSets { waiting: VecDeque::new(), listed: r.maybe_u64()? };
        for _ in 0..r.u64()? {
            sets.waiting.push_back(Waiting { hash: Bytes(r.array()?), tick: r.u64()?, entry: r.maybe_u64()? });
        }
        Some(sets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> Hash {
        Bytes([n; 32])
    }

    /// Sets 1 to 4 of ticks 10 to 40; the first two accepted as entries 5 and 7.
    fn sets() -> OwnSets {
        let mut sets = OwnSets::default();
        (1..=4).for_each(|n| sets.made(hash(n), 10 * u64::from(n)));
        assert!(sets.accepted(&hash(1), 5) && sets.accepted(&hash(2), 7) && !sets.accepted(&hash(9), 8));
        sets
    }

    #[test]
    fn a_cut_has_the_next_sets_in_their_order() {
        let mut sets = sets();
        assert_eq!(sets.take_listed(&[hash(1)], 6), Ok(()));
        assert!(sets.is_listed(10) && !sets.is_listed(20));
        // the third was accepted, and the answer that said so is under way
        assert_eq!(sets.take_listed(&[hash(2), hash(3)], 9), Ok(()));
        assert!(sets.is_listed(30) && !sets.is_listed(40));
        assert_eq!(sets.take_listed(&[], 9), Ok(()), "the fourth is in no log yet");
    }

    #[test]
    fn a_set_that_is_left_out_changed_or_strange_is_found() {
        let lists: [(&[u8], u64); 6] =
            [(&[], 6), (&[1], 8), (&[2], 8), (&[2, 1], 8), (&[1, 2, 9], 9), (&[1, 2, 3, 4, 4], 9)];
        for (listed, position) in lists {
            let mut sets = sets();
            let listed: Vec<Hash> = listed.iter().copied().map(hash).collect();
            assert_eq!(sets.take_listed(&listed, position), Err(NotOurs), "{listed:?}");
            assert_eq!(sets.take_listed(&[hash(1), hash(2)], 8), Ok(()), "and nothing was changed");
        }
    }

    #[test]
    fn sets_are_signed_anew_refused_or_forgotten_by_a_backup() {
        let mut changed = sets();
        assert!(changed.renumbered(&hash(3), &hash(8)) && !changed.renumbered(&hash(3), &hash(8)));
        changed.refused(&hash(4));
        assert_eq!(changed.take_listed(&[hash(1), hash(2), hash(8)], 9), Ok(()));
        let mut restored = sets();
        restored.pass(&[hash(7), hash(2)], 8);
        assert!(restored.is_listed(20) && !restored.is_listed(30));
        assert_eq!(restored.take_listed(&[hash(3), hash(4)], 9), Ok(()));
    }

    #[test]
    fn what_is_kept_comes_back() {
        let mut sets = sets();
        sets.take_listed(&[hash(1)], 6).unwrap();
        let mut w = Writer::new();
        sets.write(&mut w);
        let kept = w.finish();
        let mut again = OwnSets::read(&mut Reader::new(&kept)).unwrap();
        assert!(again.is_listed(10) && !again.is_listed(20));
        assert_eq!(again.take_listed(&[], 8), Err(NotOurs));
        assert_eq!(again.take_listed(&[hash(2), hash(3), hash(4)], 8), Ok(()));
    }
}
