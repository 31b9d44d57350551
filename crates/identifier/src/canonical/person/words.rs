//! The words of a name: titles and particles set aside, divided names joined, each word with its key.
//!
//! Called by person.rs and by the crate's `name_key`. A word's key is the group of the curated table that it belongs to, or its
//! folded spelling after `~`. Not here: which words are compared together (person.rs).

use zeroize::Zeroizing;

use super::{
    coarse::coarse,
    equivalents::{self, Rarity},
    orthography,
};
use crate::{Reason, Rule, Rules, canonical::Wiped, plain::latin_words};

/// Titles, and particles of filiation and of marriage: never part of a key if two other words remain. Sorted.
const PARTICLES: [&str; 66] = [
    "ag", "al", "alias", "bani", "ben", "bin", "bint", "bnt", "cdt", "col", "cpt", "da", "das", "de", "del", "di",
    "dit", "dite", "do", "dos", "dr", "du", "e", "ebn", "el", "ep", "epouse", "epse", "et", "gen", "general", "ibn",
    "imam", "jr", "la", "le", "lt", "madame", "maitre", "mint", "miss", "mle", "mlle", "mme", "monsieur", "mr", "mrs",
    "ms", "nee", "oualet", "oul", "ould", "oustaz", "pr", "prof", "sir", "sr", "sra", "ul", "uld", "ustaz", "vve",
    "walet", "weld", "wold", "wuld",
];

/// Of these, what only ever says whose child one is, or is an article: gone as soon as one other word remains where names stand
/// by themselves ([`keyed_alone`]). Sorted.
const FILIATION: [&str; 27] = [
    "ag", "al", "bani", "ben", "bin", "bint", "bnt", "da", "das", "de", "del", "di", "do", "dos", "du", "ebn", "el",
    "ibn", "mint", "oualet", "oul", "ould", "uld", "walet", "weld", "wold", "wuld",
];

/// Compounds that are joined though both parts are names of their own.
const COMPOUNDS: [&str; 4] = ["sidahmed", "saidykhan", "djedje", "bintourassoul"];

/// Titles that are given names too (El Hadj Malick Sy, Cheikh Diop): they may be missing on the other side.
const SOFT: [&str; 4] = ["elhadji", "adja", "cheikh", "serigne"];

/// Shorter compounds are joined only if the table has their very letters.
const SHORTEST_COMPOUND: usize = 7;

/// A shorter rest of a word is no name behind an article: Alima is not Ima.
const SHORTEST_AFTER_ARTICLE: usize = 5;

/// More words than any name has.
const MOST_WORDS: usize = 16;

/// One word of a name.
pub(super) struct Word {
    /// What it is compared by.
    pub(super) key: Wiped,
    /// How many bits a meeting of it is worth.
    pub(super) bits: u32,
    /// Whether it is a surname; None for words that the table does not have.
    pub(super) is_surname: Option<bool>,
    /// Whether it is a title that may be missing on the other side.
    pub(super) is_soft: bool,
    /// Of a word of which the table has neither the spelling nor the sounds: it may be a typing error.
    pub(super) unknown: Option<Unknown>,
}

/// A word as it was before it had a key.
pub(super) struct Unknown {
    /// Its folded spelling.
    pub(super) fold: Wiped,
    /// As it is written; None where the table is not asked.
    pub(super) spelled: Option<Wiped>,
}

/// The spelled words of one text, in their order, what some registers divide joined again.
///
/// # Errors
/// [`Reason::Placeholder`] for `inconnu` and the like, [`Reason::OtherScript`], [`Reason::TooLong`] for more than sixteen words.
pub(super) fn spelled(text: &str, rules: &Rules) -> Result<Vec<Wiped>, Reason> {
    if is_unknown(text) {
        return Err(Reason::Placeholder);
    }
    let mut spelled = latin_words(text).ok_or(Reason::OtherScript)?;
    for word in &mut spelled {
        word.retain(|c| c.is_ascii_lowercase());
    }
    spelled.retain(|word| !word.is_empty());
    if spelled.len() > MOST_WORDS {
        return Err(Reason::TooLong);
    }
    Ok(if rules.on(Rule::NameParticles) { joined(spelled) } else { spelled })
}

/// The words of a name with their keys: given names and surnames, as far as they are told apart. Particles go by the name as a
/// whole (Imam Fatou in one column, Sow in the other), and of each part those that are left are counted.
pub(super) fn keyed(given: Vec<Wiped>, surnames: Vec<Wiped>, rules: &Rules) -> (Vec<Word>, usize) {
    let all = || given.iter().chain(&surnames);
    let named = all().filter(|word| is_name(word)).count();
    // A person called Ben Ali keeps both words.
    let bare = rules.on(Rule::NameParticles) && (named >= 2 || named == 1 && all().count() > 2);
    let read = |words: &[Wiped]| -> Vec<Word> {
        let kept = words.iter().filter(|word| !bare || is_name(word));
        kept.map(|word| read(word, rules)).filter(|word| !word.key.is_empty()).collect()
    };
    let (mut words, mut last) = (read(&given), read(&surnames));
    let count = last.len();
    words.append(&mut last);
    (words, count)
}

/// The words of a name that stands by itself, a surname or a given name (Ould Daddah, El Kounti), with their keys: another
/// register writes it without its particle.
pub(super) fn keyed_alone(mut words: Vec<Wiped>, rules: &Rules) -> Vec<Word> {
    if rules.on(Rule::NameParticles) && words.iter().any(|word| is_name(word)) {
        // In front of its name only: one called Da or Ben stays.
        let last = words.iter().rposition(|word| is_name(word)).unwrap_or(0);
        let mut place = 0;
        words.retain(|word| {
            place += 1;
            place > last || FILIATION.binary_search(&word.as_str()).is_err()
        });
    }
    keyed(words, Vec::new(), rules).0
}

fn is_name(word: &str) -> bool {
    // A letter alone is an initial.
    word.len() > 1 && PARTICLES.binary_search(&word).is_err()
}

/// A word with its key under the rules.
fn read(word: &str, rules: &Rules) -> Word {
    let unknown = |key: Wiped, fold: Wiped, spelled: Option<Wiped>| Word {
        key,
        bits: Rarity::Unknown.bits(),
        is_surname: None,
        is_soft: false,
        unknown: Some(Unknown { fold, spelled }),
    };
    let own = || Zeroizing::new(word.to_owned());
    if !rules.on(Rule::NameOrthography) {
        return unknown(own(), own(), None);
    }
    let known = rules.on(Rule::NameEquivalents);
    if known && let Some(group) = equivalents::of_spelling(word) {
        return of_group(group);
    }
    let fold = orthography::folded(word);
    if known && let Some(group) = equivalents::of_fold(&fold) {
        return of_group(group);
    }
    if known && let Some(group) = without_article(word) {
        return of_group(group);
    }
    let rough = coarse(&fold);
    let spelled = known.then(own);
    // The coarse key may be a group's by chance: the word has its key, and is still open to typing errors.
    if known && let Some(group) = equivalents::of_coarse(&rough, &fold) {
        return Word { unknown: Some(Unknown { fold, spelled }), ..of_group(group) };
    }
    let mut key = Zeroizing::new(String::with_capacity(rough.len() + 1));
    if !rough.is_empty() {
        key.push('~');
        key.push_str(&rough);
    }
    unknown(key, fold, spelled)
}

/// The group of a word that is written together with its article or particle: ElGhazouani, OuldDaddah.
fn without_article(word: &str) -> Option<equivalents::Group> {
    let rest = ["ould", "weld", "el", "al"].into_iter().find_map(|article| word.strip_prefix(article))?;
    if rest.len() < SHORTEST_AFTER_ARTICLE { None } else { equivalents::of_spelling(rest) }
}

fn of_group(group: equivalents::Group) -> Word {
    Word {
        key: Zeroizing::new(group.key.to_owned()),
        bits: group.rarity.bits(),
        is_surname: Some(group.is_surname),
        is_soft: SOFT.contains(&group.key),
        unknown: None,
    }
}

/// Joins what some registers divide: Abdoul Aziz, El Hadj, Al Amin, N Diaye.
fn joined(words: Vec<Wiped>) -> Vec<Wiped> {
    let mut out: Vec<Wiped> = Vec::with_capacity(words.len());
    let mut rest = words.into_iter().peekable();
    while let Some(word) = rest.next() {
        let Some(next) = rest.peek() else {
            out.push(word);
            continue;
        };
        let both = Zeroizing::new([word.as_str(), next.as_str()].concat());
        // Abd el Kader: three words.
        if word.as_str() == "abd" && matches!(next.as_str(), "el" | "al" | "ul" | "ou") {
            rest.next();
            let last = rest.next();
            let name = last.as_ref().map_or("", |last| last.as_str());
            out.push(Zeroizing::new(["abdel", name].concat()));
        } else if serves(&word, next) || is_compound(&both, &word, next) {
            rest.next();
            out.push(both);
        } else {
            out.push(word);
        }
    }
    out
}

/// Abd, Abdoul, and with the article as it is said before the next word: Abdus Salam, Abder Rahmane, Abdoun Nasser.
fn serves(word: &str, next: &str) -> bool {
    let Some(article) = word.strip_prefix("abd") else { return false };
    let consonant = article.trim_start_matches(['a', 'e', 'i', 'o', 'u']);
    let vowels = article.len() - consonant.len();
    let is_article = consonant == "l" || consonant.len() == 1 && next.starts_with(consonant);
    article.is_empty() || (1..=2).contains(&vowels) && is_article
}

/// Whether two words together are a name of the table that some registers divide, by its letters or its sounds.
fn is_compound(both: &str, word: &str, next: &str) -> bool {
    let group = equivalents::of_spelling(both).or_else(|| {
        let is_long = both.len() >= SHORTEST_COMPOUND && is_name(word);
        if is_long { equivalents::of_fold(&orthography::folded(both)) } else { None }
    });
    group.is_some_and(|group| divided(word, next) || COMPOUNDS.contains(&group.key))
}

/// Whether two words that make a known name together are more likely its parts than two names.
fn divided(word: &str, next: &str) -> bool {
    let is_known = |word: &str| word.len() > 2 && equivalents::of_spelling(word).is_some();
    !(is_known(word) && is_known(next)) || word == "abdou"
}

/// Words for an unknown name. Not the general list of placeholders: So, Na and Sans are names.
fn is_unknown(text: &str) -> bool {
    let folded = crate::plain::latin_letters_and_digits(text);
    matches!(
        folded.as_str(),
        "inconnu"
            | "inconnue"
            | "unknown"
            | "unk"
            | "desconhecido"
            | "desconocido"
            | "nonidentifie"
            | "nonrenseigne"
            | "neant"
            | "x"
            | "xx"
            | "xxx"
            | "nfn"
            | "fnu"
            | "lnu"
            | "snu"
    ) || matches!(text.to_ascii_lowercase().as_str(), "n/a" | "n/d" | "null" | "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let rules = Rules::default();
        let Ok(spelled) = spelled(text, &rules) else { return Vec::new() };
        keyed(spelled, Vec::new(), &rules).0.iter().map(|w| w.key.to_string()).collect()
    }

    #[test]
    fn particles_go_and_divided_names_are_joined() {
        assert!(PARTICLES.is_sorted());
        assert_eq!(keys("Ahmed Ould Sidi"), ["ahmed", "sidi"]);
        assert_eq!(keys("El Hadj Malick SY"), keys("Elhadji Malick Sy"));
        assert_eq!(keys("Abdoul Aziz Sow"), keys("Abdulaziz Sow"));
        assert_eq!(keys("Abd el Kader Ba"), keys("Abdoulkader Ba"));
        assert_eq!(keys("N Diaye"), keys("N'Diaye"));
        assert_eq!(keys("Mme Fatou Diop"), ["fatou", "diop"]);
        assert_eq!(keys("Al Amin"), keys("Lamine"));
        assert_eq!(keys("Ben Issa"), ["~bin", "issa"]);
        assert_eq!(keys("Demba Ba"), ["demba", "ba"]);
    }

    #[test]
    fn particles_go_by_the_whole_name() {
        let rules = Rules::default();
        let read = |given: &str, surname: &str| {
            let (Ok(given), Ok(surname)) = (spelled(given, &rules), spelled(surname, &rules)) else {
                return String::new();
            };
            let (words, surnames) = keyed(given, surname, &rules);
            format!("{:?} {surnames}", words.iter().map(|word| word.key.as_str()).collect::<Vec<_>>())
        };
        assert_eq!(read("Imam Fatou", "Sow"), r#"["fatou", "sow"] 1"#);
        assert_eq!(read("Ahmed", "Ould Sidi"), r#"["ahmed", "sidi"] 1"#);
        assert_eq!(read("Ahmed Ould", "Sidi"), r#"["ahmed", "sidi"] 1"#);
        assert_eq!(read("Ben", "Issa"), r#"["~bin", "issa"] 1"#);
    }

    #[test]
    fn what_is_no_name() {
        let refused = |text: &str| spelled(text, &Rules::default()).err();
        assert_eq!(refused("inconnu"), Some(Reason::Placeholder));
        assert_eq!(refused("محمد"), Some(Reason::OtherScript));
        assert_eq!(refused(&"a b ".repeat(20)), Some(Reason::TooLong));
    }
}
