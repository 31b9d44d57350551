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

use super::{
    coarse::{coarse, skeleton},
    orthography::folded,
};

const TABLE: &str = include_str!("equivalents.txt");
const SURNAMES: &str = "[surnames]";
const KIN: &str = "[kin]";
const APART: &str = "[apart]";

/// Words of fewer letters have too many neighbours for one letter to be called an error.
const SHORTEST_CORRECTED: usize = 4;

/// A group of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Its first spelling.
    pub(super) key: &'static str,
    /// How much a meeting of it says.
    pub(super) rarity: Rarity,
    /// Whether it stands among the surnames; many names are both.
    pub(super) is_surname: bool,
}

/// How rare a name is in the region, by general knowledge: marked in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rarity {
    /// `**`: one person in a hundred or more has it.
    MostFrequent,
    /// `*`: one in some hundreds.
    Frequent,
    /// Any other name of the table.
    Known,
    /// A name that the table does not have.
    Unknown,
}

impl Rarity {
    /// Roughly how many bits it takes to say which name it is: what a meeting of it is worth. Two of the most frequent names of one
    /// town are met by chance in one pair of records of a thousand (ten bits); an exact birth date is worth some fourteen.
    pub(super) const fn bits(self) -> u32 {
        match self {
            Rarity::MostFrequent => 5,
            Rarity::Frequent => 8,
            Rarity::Known => 10,
            Rarity::Unknown => 7,
        }
    }
}

/// A word that a group has only by its coarse key is so many letters longer or shorter at most.
const LENGTHS_APART: usize = 2;

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
    /// Each with the consonants and the length of a fold that has the key.
    coarse: Map<String, Vec<(Zeroizing<String>, usize, Group)>>,
    /// Spellings, and each with one letter left out: which spellings of which group they may be an error for.
    near: Map<String, Vec<(&'static str, Group)>>,
    /// Keys of groups that are also put for the group of another key.
    kin: Map<&'static str, Group>,
}

/// The lines of the table that are no comment, each with its section.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .scan("", |section, line| {
            let title = line.starts_with('[');
            if title {
                *section = line;
            }
            Some((*section, if title { "" } else { line }))
        })
        .filter(|(_, line)| !line.is_empty())
}

/// The groups of the table with their spellings, in their order.
pub(super) fn groups() -> impl Iterator<Item = (Group, Vec<&'static str>)> {
    lines().filter(|(section, _)| ![KIN, APART].contains(section)).filter_map(|(section, line)| {
        let (rarity, line) = match (line.strip_prefix("** "), line.strip_prefix("* ")) {
            (Some(rest), _) => (Rarity::MostFrequent, rest),
            (_, Some(rest)) => (Rarity::Frequent, rest),
            _ => (Rarity::Known, line),
        };
        let spellings: Vec<&str> = line.split(' ').collect();
        Some((Group { key: spellings.first()?, rarity, is_surname: section == SURNAMES }, spellings))
    })
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table::default();
        for (group, spellings) in groups() {
            for spelling in spellings {
                table.spellings.entry(spelling).or_insert(group);
                let fold = folded(spelling).to_string();
                if spelling.len() >= SHORTEST_CORRECTED {
                    let mut add = |near: &str| table.near.entry(near.to_owned()).or_default().push((spelling, group));
                    add(spelling);
                    with_one_letter_less(spelling, add);
                }
                let form = (skeleton(&fold), fold.len(), group);
                let rough = table.coarse.entry(coarse(&fold).to_string()).or_default();
                if !rough.contains(&form) {
                    rough.push(form);
                }
                // The first group of the table that folds so: more usual names stand first in their lines.
                table.folds.entry(fold).or_insert(group);
            }
        }
        for (_, line) in lines().filter(|(section, _)| *section == KIN) {
            let mut keys = line.split(' ');
            let Some(head) = keys.next().and_then(|key| table.spellings.get(key).copied()) else { continue };
            table.kin.extend(keys.map(|key| (key, head)));
        }
        table
    })
}

/// The group of a spelling, exactly as it stands in the table.
pub(super) fn of_spelling(word: &str) -> Option<Group> {
    table().spellings.get(word).copied()
}

/// The group of a folded word.
pub(super) fn of_fold(fold: &str) -> Option<Group> {
    table().folds.get(fold).copied()
}

/// The group that a folded word is taken for by its coarse key. That lets go of much: Manseray and Massira share it. So the
/// consonants must be the same too, nasals among them, and the lengths near; and only one group may be such.
pub(super) fn of_coarse(rough: &str, fold: &str) -> Option<Group> {
    let bones = skeleton(fold);
    let forms = table().coarse.get(rough)?;
    let close =
        |form: &&(Zeroizing<String>, usize, Group)| form.0 == bones && form.1.abs_diff(fold.len()) <= LENGTHS_APART;
    let mut groups = forms.iter().filter(close).map(|(_, _, group)| *group);
    let first = groups.next()?;
    groups.all(|group| group == first).then_some(first)
}

/// The group that this one's name is also put for: Modou, who is Mamadou elsewhere.
pub(super) fn kin(group: &str) -> Option<Group> {
    table().kin.get(group).copied()
}

/// Groups that one lost, added, wrong or exchanged letter would make of a word that no group has. Long words may also be a
/// spelling that is one error away from the sound of a group.
pub(super) fn corrections(word: &str) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    if word.len() < SHORTEST_CORRECTED - 1 || word.len() > LONGEST_CORRECTED {
        return found;
    }
    let near = &table().near;
    let mut look = |variant: &str| {
        for (spelling, group) in near.get(variant).into_iter().flatten() {
            if !found.contains(group) && is_one_error(word, spelling) {
                found.push(*group);
            }
        }
    };
    look(word);
    with_one_letter_less(word, look);
    // The more frequent a name, the likelier that it was meant.
    found.sort_by_key(|group| (group.rarity.bits(), group.key));
    found.truncate(MOST_CORRECTIONS);
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

/// Calls with the word without each of its letters: two words that are one typing error apart share one of these, or one is among
/// the other's. Words are ASCII.
pub(super) fn with_one_letter_less(word: &str, mut call: impl FnMut(&str)) {
    let letters = word.as_bytes();
    let Some((_, rest)) = letters.split_first() else { return };
    let mut variant = Zeroizing::new(rest.to_vec());
    for (place, letter) in letters.iter().enumerate() {
        if let Ok(text) = std::str::from_utf8(&variant) {
            call(text);
        }
        // The next one lacks the next letter, and has this one.
        if let Some(next) = variant.get_mut(place) {
            *next = *letter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        let mut known: HashMap<&str, &str> = HashMap::new();
        let mut count = 0;
        for (group, spellings) in groups() {
            count += 1;
            for spelling in &spellings {
                assert!(spelling.len() >= 2 && spelling.bytes().all(|b| b.is_ascii_lowercase()), "{spelling}");
                assert_eq!(known.insert(spelling, group.key), None, "{spelling} stands twice");
            }
        }
        assert!(count >= 2000, "{count} groups");
        let is_key = |key: &str| known.get(key) == Some(&key);
        let mut kin: Vec<&str> = Vec::new();
        for (_, line) in lines().filter(|(section, _)| *section == KIN) {
            assert!(line.split(' ').all(is_key), "{line}");
            kin.extend(line.split(' '));
        }
        let count = kin.len();
        kin.sort_unstable();
        kin.dedup();
        assert_eq!(kin.len(), count, "a group has one kin");
    }

    /// Groups that sound alike are one name, unless the table says that they are several: else which of them a new spelling
    /// belongs to hangs on the order of lines.
    #[test]
    fn the_table_does_not_contradict_itself() {
        let mut apart: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, (_, line)) in lines().filter(|(section, _)| *section == APART).enumerate() {
            line.split(' ').for_each(|key| apart.entry(key).or_default().push(number));
        }
        let mut sounds: std::collections::BTreeMap<String, Vec<&str>> = std::collections::BTreeMap::new();
        for (group, spellings) in groups() {
            for spelling in spellings {
                let fold = folded(spelling);
                for sound in [coarse(&fold).to_string(), ["fold ", &fold].concat()] {
                    let keys = sounds.entry(sound).or_default();
                    if !keys.contains(&group.key) {
                        keys.push(group.key);
                    }
                }
            }
        }
        let told = |one: &str, other: &str| match (apart.get(one), apart.get(other)) {
            (Some(lines), Some(others)) => lines.iter().any(|line| others.contains(line)),
            _ => false,
        };
        let alike = |keys: &Vec<&str>| {
            keys.iter().enumerate().any(|(place, one)| keys[place + 1..].iter().any(|other| !told(one, other)))
        };
        let clashes: Vec<_> = sounds.into_iter().filter(|(_, keys)| alike(keys)).collect();
        assert!(clashes.is_empty(), "merge these, or say that they are apart: {clashes:#?}");
        let groups: Vec<&str> = groups().map(|(group, _)| group.key).collect();
        for key in apart.keys() {
            assert!(groups.contains(key), "{key} is no key");
        }
    }

    #[test]
    fn spellings_folds_and_errors() {
        assert_eq!(of_spelling("jallow").map(|group| group.key), Some("diallo"));
        assert_eq!(of_fold(&folded("djaalow")).map(|group| group.key), Some("diallo"));
        assert_eq!(of_spelling("neumann"), None);
        for (word, group) in [
            ("coulbaly", "coulibaly"),
            ("mamdu", "mamadou"),
            ("siop", "diop"),
            ("tambaou", "tambadou"),
            ("dipo", "diop"),
        ] {
            assert!(corrections(word).iter().any(|found| found.key == group), "{word}");
        }
        assert!(corrections("so").is_empty());
        let rarity = |word: &str| of_spelling(word).map(|group| (group.rarity, group.is_surname));
        assert_eq!(rarity("jallow"), Some((Rarity::MostFrequent, true)));
        assert_eq!(rarity("binta"), Some((Rarity::Frequent, false)));
        assert_eq!(rarity("diamanka"), Some((Rarity::Known, true)));
        assert_eq!(kin("modou").map(|group| group.key), Some("mamadou"));
        assert_eq!(kin("mamadou"), None);
    }
}
