//! The curated table of spellings of one name (equivalents.txt).
//!
//! Called by words.rs. Three questions: which group a spelling belongs to, which group a folded word belongs to, and which
//! groups are one typing error away from a word that the table does not know. Built once, at the first name.
//!
//! Not here: the general rules of spelling (orthography.rs).

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::OnceLock,
};

use zeroize::Zeroizing;

use super::orthography::{coarse, folded};

const TABLE: &str = include_str!("equivalents.txt");

/// Words of fewer letters have too many neighbours for one letter to be called an error.
const SHORTEST_CORRECTED: usize = 4;

/// Names so frequent in the region that two of them and a date are no rare meeting; sorted. By general knowledge.
const COMMON: [&str; 41] = [
    "abdoulaye",
    "abubakar",
    "ahmed",
    "aissatou",
    "alassane",
    "ali",
    "alioune",
    "aminata",
    "awa",
    "ba",
    "balde",
    "barry",
    "camara",
    "cheikh",
    "cisse",
    "coulibaly",
    "diallo",
    "diop",
    "diouf",
    "fall",
    "fatima",
    "fofana",
    "ibrahim",
    "kadiatou",
    "keita",
    "kone",
    "lamine",
    "mariama",
    "mohamed",
    "moussa",
    "ndiaye",
    "ndour",
    "oumar",
    "ousmane",
    "sarr",
    "sow",
    "sy",
    "sylla",
    "toure",
    "traore",
    "youssouf",
];

/// A group of the table, by its first spelling.
pub(super) type Group = &'static str;

/// Groups whose spellings are within one typing error, at most so many.
const MOST_CORRECTIONS: usize = 4;

/// Longer words are no names.
const LONGEST_CORRECTED: usize = 32;

/// FNV-1a, 64 bits: a word that the table does not know is looked up some twenty times. The keys are the table's own: nobody
/// outside chooses what collides in it.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

#[derive(Default)]
struct Table {
    spellings: Map<&'static str, Group>,
    folds: Map<String, Group>,
    /// None: several groups.
    coarse: Map<String, Option<Group>>,
    /// Spellings, and each with one letter left out: which spellings of which group they may be an error for.
    near: Map<String, Vec<(&'static str, Group)>>,
}

/// The groups of the table with their spellings, in their order.
pub(super) fn groups() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
    lines.map(|line| line.split(' ').collect())
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        for group in groups() {
            let Some(key) = group.first().copied() else { continue };
            for spelling in group {
                table.spellings.entry(spelling).or_insert(key);
                let fold = folded(spelling).to_string();
                if spelling.len() >= SHORTEST_CORRECTED {
                    for near in [spelling.to_owned()].into_iter().chain(with_one_letter_less(spelling)) {
                        table.near.entry(near).or_default().push((spelling, key));
                    }
                }
                let rough = table.coarse.entry(coarse(&fold).to_string()).or_insert(Some(key));
                if *rough != Some(key) {
                    *rough = None;
                }
                // The first group of the table that folds so: more usual names stand first in their lines.
                table.folds.entry(fold).or_insert(key);
            }
        }
        table
    })
}

/// The group of a spelling, exactly as it stands in the table.
pub(super) fn of_spelling(word: &str) -> Option<Group> {
    table().spellings.get(word).copied()
}

/// The group of a folded word; or the only group whose coarse key it has.
pub(super) fn of_fold(fold: &str, rough: &str) -> Option<Group> {
    let table = table();
    table.folds.get(fold).copied().or_else(|| table.coarse.get(rough).copied().flatten())
}

/// Whether a group is among the most frequent names.
pub(super) fn is_common(group: &str) -> bool {
    COMMON.binary_search(&group).is_ok()
}

/// Groups that one lost, added, wrong or exchanged letter would make of a word that no group has. Long words may also be a
/// spelling that is one error away from the sound of a group.
pub(super) fn corrections(word: &str) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    if word.len() < SHORTEST_CORRECTED || word.len() > LONGEST_CORRECTED {
        return found;
    }
    let near = &table().near;
    let variants = std::iter::once(word.to_owned()).chain(with_one_letter_less(word)).map(Zeroizing::new);
    for variant in variants {
        for (spelling, group) in near.get(variant.as_str()).into_iter().flatten() {
            if found.len() < MOST_CORRECTIONS && !found.contains(group) && is_one_error(word, spelling) {
                found.push(group);
            }
        }
    }
    found
}

/// Whether one letter lost, added, wrong, or two neighbours exchanged, make one word of the other.
fn is_one_error(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (rest, other_rest) = (&one[same..], &other[same..]);
    match (rest, other_rest) {
        ([], []) => false,
        ([_, tail @ ..], rest) if tail == rest => true,
        (rest, [_, tail @ ..]) if tail == rest => true,
        ([_, tail @ ..], [_, other_tail @ ..]) if tail == other_tail => true,
        ([a, b, tail @ ..], [c, d, other_tail @ ..]) => a == d && b == c && tail == other_tail,
        _ => false,
    }
}

/// The word without each of its letters: two words that are one typing error apart share one of these, or one is among the
/// other's.
pub(super) fn with_one_letter_less(word: &str) -> impl Iterator<Item = String> {
    word.char_indices().map(|(at, c)| [&word[..at], &word[at + c.len_utf8()..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        let mut known: HashMap<&str, &str> = HashMap::new();
        let mut count = 0;
        for group in groups() {
            count += 1;
            for spelling in &group {
                assert!(spelling.len() >= 2 && spelling.bytes().all(|b| b.is_ascii_lowercase()), "{spelling}");
                assert_eq!(known.insert(spelling, group[0]), None, "{spelling} stands twice");
            }
        }
        assert!(count >= 500, "{count} groups");
    }

    #[test]
    fn spellings_folds_and_errors() {
        assert_eq!(of_spelling("jallow"), Some("diallo"));
        assert_eq!(of_fold(&folded("djaalow"), ""), Some("diallo"));
        assert_eq!(of_spelling("neumann"), None);
        for (word, group) in [
            ("coulbaly", "coulibaly"),
            ("mamdou", "mohamed"),
            ("siop", "diop"),
            ("tambaou", "tambadou"),
            ("dipo", "diop"),
        ] {
            assert!(corrections(word).contains(&group), "{word}");
        }
        assert!(corrections("so").is_empty());
        assert!(COMMON.is_sorted() && is_common("diallo") && !is_common("diamanka"));
    }
}
