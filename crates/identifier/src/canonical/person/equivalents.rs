//! The curated table of spellings of one name (equivalents.txt).
//!
//! Called by words.rs. Three questions: which group a spelling belongs to, which group a folded word belongs to, and which
//! groups are one typing error away from a word that the table does not know. Built once, at the first name.
//!
//! Not here: the general rules of spelling (orthography.rs).

use std::{collections::HashMap, sync::OnceLock};

use super::orthography::{coarse, folded};

const TABLE: &str = include_str!("equivalents.txt");

/// Words of fewer letters have too many neighbours for one letter to be called an error.
const SHORTEST_CORRECTED: usize = 4;

/// A group of the table, by its first spelling.
pub(super) type Group = &'static str;

/// Groups whose spellings are within one typing error, at most so many.
pub(super) const MOST_CORRECTIONS: usize = 3;

struct Table {
    spellings: HashMap<&'static str, Group>,
    folds: HashMap<String, Group>,
    /// None: several groups.
    coarse: HashMap<String, Option<Group>>,
    /// Folded spellings, and each with one letter left out.
    near: HashMap<String, Vec<Group>>,
}

/// The groups of the table with their spellings, in their order.
pub(super) fn groups() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
    lines.map(|line| line.split(' ').collect())
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table =
            Table { spellings: HashMap::new(), folds: HashMap::new(), coarse: HashMap::new(), near: HashMap::new() };
        for group in groups() {
            let Some(key) = group.first().copied() else { continue };
            for spelling in group {
                table.spellings.entry(spelling).or_insert(key);
                let fold = folded(spelling).to_string();
                if fold.len() >= SHORTEST_CORRECTED {
                    for near in [fold.clone()].into_iter().chain(with_one_letter_less(&fold)) {
                        let known = table.near.entry(near).or_default();
                        if !known.contains(&key) {
                            known.push(key);
                        }
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

/// Groups that one lost, added, wrong or exchanged letter would make of a folded word which no group has.
pub(super) fn corrections(fold: &str) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    if fold.len() < SHORTEST_CORRECTED {
        return found;
    }
    let near = &table().near;
    let variants = std::iter::once(fold.to_owned()).chain(with_one_letter_less(fold)).map(zeroize::Zeroizing::new);
    for variant in variants {
        for group in near.get(variant.as_str()).into_iter().flatten() {
            if found.len() < MOST_CORRECTIONS && !found.contains(group) {
                found.push(group);
            }
        }
    }
    found
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
        assert!(corrections(&folded("coulbaly")).contains(&"coulibaly"));
        assert!(corrections(&folded("mamdou")).contains(&"mohamed"));
        assert!(corrections("so").is_empty());
    }
}
