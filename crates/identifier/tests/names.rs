//! The key of a name on groups of spellings that no rule was tuned on: what docs/IDENTIFIERS.md promises of it.

use std::collections::HashMap;

use identifier::{Rule, Rules, name_key};

const SURNAMES: &str = include_str!("data/names-held-out-surnames.txt");
const GIVEN: &str = include_str!("data/names-held-out-given.txt");

/// Of all two spellings of a line the share with one key, and of all two spellings with one key the share of one line.
fn measured(text: &str, rules: &Rules) -> (f64, f64) {
    let mut keys: HashMap<String, Vec<(usize, &str)>> = HashMap::new();
    let mut same = 0;
    for (group, line) in text.lines().enumerate() {
        let spellings: Vec<&str> = line.split(',').map(str::trim).collect();
        same += spellings.len() * (spellings.len() - 1) / 2;
        for spelling in spellings {
            let key = name_key(spelling, rules).map(|key| key.to_string()).unwrap_or_default();
            keys.entry(key).or_default().push((group, spelling));
        }
    }
    let (mut met, mut right) = (0, 0);
    for holders in keys.values() {
        for (place, (group, spelling)) in holders.iter().enumerate() {
            for (other_group, other) in &holders[place + 1..] {
                met += usize::from(spelling != other);
                right += usize::from(group == other_group);
            }
        }
    }
    (right as f64 / same as f64, right as f64 / met as f64)
}

#[test]
fn spellings_meet_and_other_names_do_not() {
    let rules = Rules::default();
    for text in [SURNAMES, GIVEN] {
        let (recall, precision) = measured(text, &rules);
        assert!(recall >= 0.90 && precision >= 0.85, "recall {recall:.3}, precision {precision:.3}");
    }
}

#[test]
fn names_that_the_table_does_not_have_meet_too() {
    let mut rules = Rules::default();
    rules.off.insert(Rule::NameEquivalents);
    for text in [SURNAMES, GIVEN] {
        let (recall, precision) = measured(text, &rules);
        assert!(recall >= 0.90 && precision >= 0.92, "recall {recall:.3}, precision {precision:.3}");
    }
}

#[test]
fn without_the_rules_of_spelling_nothing_meets() {
    let mut rules = Rules::default();
    rules.off.insert(Rule::NameOrthography);
    assert!(measured(SURNAMES, &rules).0 < 0.2);
}
