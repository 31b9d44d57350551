//! The two levels beside a plain map.

use super::*;
use crate::register::state::DIGEST;
use crate::vault::Vault;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

pub(super) fn hash(number: u64) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&Sha256::digest(number.to_be_bytes())[..16]);
    out
}

pub(super) fn pointer(serial: u64) -> Pointer {
    Pointer { serial, matching: [1; DIGEST], whole: [2; DIGEST] }
}

/// An index in a vault, and what should be in it.
struct Trial {
    _folder: tempfile::TempDir,
    vault: Vault,
    state: State,
    map: BTreeMap<u64, u64>,
    rng: ChaCha20Rng,
    next: u64,
}

impl Trial {
    async fn new(seed: u64) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let vault = crate::register::tests::vault(&folder).await;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Trial { _folder: folder, vault, state: State::default(), map: BTreeMap::new(), rng, next: 0 }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    /// Some numbers that were never there.
    fn unused(&mut self, count: u64) -> Vec<u64> {
        self.next += count;
        (self.next - count..self.next).collect()
    }

    /// One transaction that puts these with other serials than before.
    async fn put(&mut self, numbers: &[u64], commit: bool) {
        let mut transaction = self.vault.begin().await.unwrap();
        let mut index = Index::new(&self.state);
        let mut map = self.map.clone();
        for some in numbers.chunks(100) {
            let hashes: Vec<[u8; 16]> = some.iter().map(|number| hash(*number)).collect();
            index.prepare(&mut transaction, hashes.iter()).await.unwrap();
            for (number, hash) in some.iter().zip(hashes) {
                let slot = index.slot(&hash);
                assert_eq!(index.get_at(&slot), map.get(number).copied().map(pointer), "{number}");
                let serial = self.rng.next_u64();
                index.set_at(&slot, hash, pointer(serial));
                map.insert(*number, serial);
            }
            index.grow(&mut transaction).await.unwrap();
        }
        index.settle(&mut transaction).await.unwrap();
        if commit {
            transaction.commit().await.unwrap();
            (self.map, self.state) = (map, after(&index));
        }
    }

    /// One transaction that keeps these only, and puts some new ones before.
    async fn keep(&mut self, kept: &[u64], new: &[u64]) {
        let mut transaction = self.vault.begin().await.unwrap();
        let mut index = Index::new(&self.state);
        let hashes: Vec<[u8; 16]> = new.iter().map(|number| hash(*number)).collect();
        index.prepare(&mut transaction, hashes.iter()).await.unwrap();
        for (number, hash) in new.iter().zip(hashes) {
            let slot = index.slot(&hash);
            index.set_at(&slot, hash, pointer(*number));
            self.map.insert(*number, *number);
        }
        index.grow(&mut transaction).await.unwrap();
        let mut hashes: Vec<[u8; 16]> = kept.iter().map(|number| hash(*number)).collect();
        hashes.sort_unstable();
        let (mut next, mut gone) = (0, Vec::new());
        while let Some(some) = index.retain_some(&mut transaction, &mut next, &hashes).await.unwrap() {
            gone.extend(some);
        }
        index.settle(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let kept: BTreeSet<u64> = kept.iter().copied().collect();
        let mut expected: Vec<u64> =
            self.map.iter().filter(|(number, _)| !kept.contains(number)).map(|(_, serial)| *serial).collect();
        expected.sort_unstable();
        gone.sort_unstable();
        assert_eq!(gone, expected);
        self.map.retain(|number, _| kept.contains(number));
        self.state = after(&index);
    }

    async fn rows(&self, prefix: &str) -> Vec<(u64, Vec<u8>)> {
        within(&self.vault.list("reference/").await.unwrap(), prefix)
    }

    /// Everything that is in the vault, compared with the map, and with what may be seen of it.
    async fn check(&self) {
        let (buckets, has_fresh) = (self.state.buckets, self.state.fresh.is_some());
        let rows = self.vault.list("reference/").await.unwrap();
        let [main, fresh, marks] = [MAIN, FRESH, "reference/marks/"].map(|prefix| within(&rows, prefix));
        let mut found = BTreeMap::new();
        let mut counted = [0, 0];
        let fresh_rows = if self.state.fresh.unwrap_or(0) > 0 { fresh_buckets(buckets) } else { 0 };
        let levels = [(&main, buckets), (&fresh, fresh_rows)];
        for ((rows, buckets), counted) in levels.into_iter().zip(&mut counted) {
            assert_eq!(rows.len() as u64, buckets);
            for (at, value) in rows {
                let entries = bucket::decode(value).unwrap();
                *counted += entries.len() as u64;
                for entry in entries {
                    assert_eq!(level::address(&entry.hash, buckets), *at);
                    assert!(found.insert(entry.hash, entry.pointer).is_none(), "it stands in one place only");
                }
            }
        }
        // All of one size, which follows from the number of buckets.
        let room = level::room(limit(buckets).div_ceil(fresh_buckets(buckets).max(1)));
        assert!(fresh.iter().all(|(_, value)| value.len() == 4 + room * bucket::ENTRY));
        assert_eq!(found.len(), self.map.len());
        assert!(self.map.iter().all(|(number, serial)| found.get(&hash(*number)) == Some(&pointer(*serial))));
        assert_eq!(counted, [self.state.records - self.state.fresh.unwrap_or(0), self.state.fresh.unwrap_or(0)]);
        assert_eq!(has_fresh, buckets >= LEAST);
        assert!(self.map.is_empty() || buckets >= level::number(counted[0], TARGET));
        assert!(counted[1] <= limit(buckets));

        let main: BTreeMap<u64, Vec<u8>> = main.into_iter().collect();
        assert_eq!(marks.len() as u64, if has_fresh { marks::groups(buckets) } else { 0 });
        for (group, value) in marks {
            let members = marks::members(group, buckets);
            let average: u64 = members.clone().map(|at| level::average(at as u64, buckets, TARGET)).sum();
            assert_eq!(value.len(), 2 * (members.len() + level::room(average)));
            for (at, mut marks) in members.clone().zip(marks::decode(&value, members.len()).unwrap()) {
                let entries = bucket::decode(&main[&(at as u64)]).unwrap();
                let mut expected: Vec<u16> = entries.iter().map(|entry| mark(&entry.hash)).collect();
                expected.sort_unstable();
                marks.sort_unstable();
                assert_eq!(marks, expected);
            }
        }
        for number in self.next..self.next + 20 {
            for value in self.vault.get_many(&keys(&hash(number), &self.state)).await.unwrap().into_iter().flatten() {
                assert!(find(&value, &hash(number)).unwrap().is_none());
            }
        }
        for (number, serial) in self.map.iter().take(20) {
            let values = self.vault.get_many(&keys(&hash(*number), &self.state)).await.unwrap();
            let mut pointers = values.iter().flatten().filter_map(|value| find(value, &hash(*number)).unwrap());
            assert_eq!(pointers.next(), Some(pointer(*serial)));
        }
    }

    async fn step(&mut self) {
        let some: Vec<u64> = self.map.keys().copied().collect();
        let one_in = |trial: &mut Trial, share: u64| -> Vec<u64> {
            some.iter().copied().filter(|_| trial.below(share) == 0).collect()
        };
        match self.below(12) {
            0 => {
                // More than are held, among them some that are there.
                let mut numbers = self.unused(2500);
                numbers.extend(one_in(self, 5));
                self.put(&numbers, true).await;
            }
            1..=4 => {
                let mut numbers = self.unused(40);
                numbers.extend(one_in(self, 50));
                self.put(&numbers, true).await;
            }
            5 => {
                let numbers = self.unused(1);
                self.put(&numbers, true).await;
            }
            6 => {
                let numbers = one_in(self, 3);
                self.put(&numbers, true).await;
            }
            7 => {
                let numbers = self.unused(300);
                self.put(&numbers, true).await;
            }
            8 => {
                let mut kept = one_in(self, 2);
                let new = self.unused(30);
                kept.extend(&new[..20]);
                self.keep(&kept, &new).await;
            }
            9 => {
                let kept: BTreeSet<u64> = one_in(self, 40).into_iter().collect();
                let kept: Vec<u64> = some.iter().copied().filter(|number| !kept.contains(number)).collect();
                self.keep(&kept, &[]).await;
            }
            10 if self.below(3) == 0 => {
                let kept = one_in(self, 100);
                let kept = if self.below(2) == 0 { kept } else { Vec::new() };
                self.keep(&kept, &[]).await;
            }
            _ => {
                let numbers = self.unused(200);
                self.put(&numbers, false).await;
                self.next -= 200;
            }
        }
    }
}

/// The numbered values directly below a prefix.
fn within(rows: &[(String, Zeroizing<Vec<u8>>)], prefix: &str) -> Vec<(u64, Vec<u8>)> {
    rows.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.parse().ok()?, value.to_vec()))).collect()
}

/// What the register would keep of it.
fn after(index: &Index) -> State {
    let records = index.main.count + index.fresh.count;
    State { buckets: index.buckets(), fresh: index.fresh(), records, ..State::default() }
}

#[tokio::test]
async fn two_levels_do_what_a_plain_map_does() {
    let (mut fresh, mut emptied) = (0, 0);
    for seed in 0..2 {
        let mut trial = Trial::new(seed).await;
        for _ in 0..25 {
            let before = trial.state.fresh.unwrap_or(0);
            trial.step().await;
            trial.check().await;
            fresh += u32::from(trial.state.fresh.unwrap_or(0) > before);
            emptied += u32::from(trial.state.fresh == Some(0) && before > 0);
        }
        trial.vault.verify().await.unwrap();
    }
    assert!(fresh > 10 && emptied > 2, "{fresh} {emptied}");
}

#[tokio::test]
async fn new_references_change_no_bucket_of_the_main_level_until_the_fresh_one_is_full() {
    let mut trial = Trial::new(1).await;
    let numbers = trial.unused(3000);
    trial.put(&numbers, true).await;
    assert_eq!((trial.state.buckets, trial.state.fresh), (80, Some(0)));
    let before = (trial.rows(MAIN).await, trial.rows("reference/marks/").await);
    let numbers = trial.unused(limit(80));
    for some in numbers.chunks(33) {
        trial.put(some, true).await;
        trial.check().await;
        assert!((trial.rows(MAIN).await, trial.rows("reference/marks/").await) == before);
    }
    assert_eq!((trial.state.buckets, trial.state.fresh), (80, Some(limit(80))));
    let numbers = trial.unused(1);
    trial.put(&numbers, true).await;
    trial.check().await;
    assert_eq!((trial.state.buckets, trial.state.fresh), (96, Some(0)));
    assert!(trial.rows(FRESH).await.is_empty());
}

#[tokio::test]
async fn a_changed_reference_changes_where_it_stands() {
    let mut trial = Trial::new(2).await;
    let old = trial.unused(3000);
    trial.put(&old, true).await;
    let new = trial.unused(50);
    trial.put(&new, true).await;
    let before = trial.rows(MAIN).await;
    trial.put(&new, true).await;
    trial.check().await;
    assert!(trial.rows(MAIN).await == before);
    let fresh = trial.rows(FRESH).await;
    trial.put(&old[..50], true).await;
    trial.check().await;
    assert!(trial.rows(MAIN).await != before && trial.rows(FRESH).await == fresh);
    assert_eq!(trial.state.fresh, Some(50));
}
