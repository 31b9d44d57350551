//! R19: when an overlap is shown to officers, and how strong it is.
//!
//! Called by the client when confirmed tokens of an overlap change. Pure: the same meetings and rules give the same
//! answer on both sides. The chances are orders of magnitude, and not of these registers: see [`Kind::chance`].

use std::fmt;

use crate::{Kind, Language, Rules, Tier};

/// One kind that met in an overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// The kind.
    pub kind: Kind,
    /// The strongest tier in which it met.
    pub tier: Tier,
    /// How hard a value of it is to guess, in bits; see [`Kind::guess_bits`].
    pub guess_bits: u32,
}

impl Worth {
    /// How many such meetings are expected between unrelated records of registers of these sizes.
    pub fn by_chance(&self, ours: u64, theirs: u64) -> f64 {
        ours as f64 * theirs as f64 * self.kind.chance(self.tier)
    }
}

/// The strength card of a surfaced overlap: each kind once, strongest first.
///
/// Kinds, not tokens: one document can meet in several forms, and two spellings of one name are one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// What met, by tier and then by kind.
    pub kinds: Vec<Worth>,
}

impl Strength {
    /// The tier of the overlap: that of its strongest kind.
    pub fn tier(&self) -> Tier {
        self.kinds.first().map_or(Tier::C, |worth| worth.tier)
    }

    /// How many kinds met in that tier.
    pub fn count(&self, tier: Tier) -> usize {
        self.kinds.iter().filter(|worth| worth.tier == tier).count()
    }

    /// How many overlaps like this one are expected between unrelated records of registers of these sizes, if its kinds meet
    /// independently.
    pub fn by_chance(&self, ours: u64, theirs: u64) -> f64 {
        let chance: f64 = self.kinds.iter().map(|worth| worth.kind.chance(worth.tier)).product();
        ours as f64 * theirs as f64 * chance
    }

    /// The card as officers read it: a line for each kind, and one for all of them. No value stands in it.
    pub fn card(&self, ours: u64, theirs: u64, language: Language) -> Vec<String> {
        let mut lines: Vec<String> = self
            .kinds
            .iter()
            .map(|worth| {
                let (kind, tier, bits, chance) =
                    (worth.kind, worth.tier, worth.guess_bits, rounded(worth.by_chance(ours, theirs)));
                let worth = match (tier, language) {
                    (Tier::A, Language::En) => "enough by itself",
                    (Tier::A, Language::Fr) => "suffit seul",
                    (Tier::B, Language::En) => "enough with another kind of tier B",
                    (Tier::B, Language::Fr) => "suffit avec un autre genre de niveau B",
                    (Tier::C, Language::En) => "only supports",
                    (Tier::C, Language::Fr) => "ne fait qu'appuyer",
                };
                match language {
                    Language::En => {
                        format!("{kind} ({tier}): {worth}; about {bits} bits to guess; by chance {chance} times")
                    }
                    Language::Fr => {
                        format!("{kind} ({tier}) : {worth} ; environ {bits} bits à deviner ; par hasard {chance} fois")
                    }
                }
            })
            .collect();
        let chance = rounded(self.by_chance(ours, theirs));
        lines.push(match language {
            Language::En => format!(
                "all of it: by chance {chance} times between registers of {ours} and {theirs} records (an order of magnitude)"
            ),
            Language::Fr => format!(
                "le tout : par hasard {chance} fois entre des registres de {ours} et {theirs} fiches (ordre de grandeur)"
            ),
        });
        lines
    }
}

/// One digit is all that these figures deserve.
fn rounded(chance: f64) -> String {
    if chance >= 0.95 {
        format!("{chance:.0}")
    } else if chance >= 0.001 {
        let digits = if chance >= 0.095 { 1 } else { 2 + usize::from(chance < 0.0095) };
        format!("{chance:.digits$}")
    } else {
        "< 0.001".to_owned()
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, worth) in self.kinds.iter().enumerate() {
            write!(f, "{}{} ({})", if place == 0 { "" } else { ", " }, worth.kind, worth.tier)?;
        }
        Ok(())
    }
}

/// Whether confirmed tokens reach the accord's threshold (R19): one kind of tier A, or `rules.enough_b` different kinds of
/// tier B. Tier C supports and never surfaces. None below the threshold.
pub fn surfaces(met: &[(Kind, Tier)], rules: &Rules) -> Option<Strength> {
    let mut kinds: Vec<Worth> = Vec::new();
    for (kind, tier) in met {
        match kinds.iter_mut().find(|worth| worth.kind == *kind) {
            Some(worth) => worth.tier = worth.tier.min(*tier),
            None => kinds.push(Worth { kind: *kind, tier: *tier, guess_bits: kind.guess_bits() }),
        }
    }
    kinds.sort_by_key(|worth| (worth.tier, worth.kind));
    let strength = Strength { kinds };
    let enough = strength.count(Tier::A) > 0 || strength.count(Tier::B) >= usize::from(rules.enough_b.max(1));
    enough.then_some(strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_or_two_kinds_of_b() {
        let rules = Rules::default();
        let met = |met: &[(Kind, Tier)]| surfaces(met, &rules).map(|strength| strength.tier());
        assert_eq!(met(&[]), None);
        assert_eq!(met(&[(Kind::Phone, Tier::A)]), Some(Tier::A));
        assert_eq!(met(&[(Kind::Person, Tier::B)]), None);
        assert_eq!(met(&[(Kind::Person, Tier::B), (Kind::Person, Tier::B)]), None, "one kind is one fact");
        assert_eq!(met(&[(Kind::Person, Tier::B), (Kind::Organisation, Tier::B)]), Some(Tier::B));
        assert_eq!(met(&[(Kind::Person, Tier::B), (Kind::VesselName, Tier::C)]), None);
        assert_eq!(met(&[(Kind::VesselName, Tier::C); 9]), None);
    }

    #[test]
    fn the_card_has_each_kind_once_strongest_first() {
        let rules = Rules::default();
        let met =
            [(Kind::Person, Tier::B), (Kind::Document, Tier::A), (Kind::Document, Tier::A), (Kind::Phone, Tier::A)];
        let card = surfaces(&met, &rules).map(|strength| strength.to_string());
        assert_eq!(card.as_deref(), Some("phone (A), document (A), person (B)"));
    }

    #[test]
    fn the_card_says_chance_at_these_sizes() {
        let rules = Rules::default();
        let Some(names) = surfaces(&[(Kind::Person, Tier::A)], &rules) else { panic!("tier A surfaces") };
        let Some(both) = surfaces(&[(Kind::Person, Tier::B), (Kind::Address, Tier::B)], &rules) else {
            panic!("two B")
        };
        assert!((1.0..100.0).contains(&names.by_chance(20_000, 20_000)));
        assert!(both.by_chance(20_000, 20_000) < names.by_chance(20_000, 20_000));
        assert!(names.by_chance(1_000, 1_000) < names.by_chance(20_000, 20_000));
        let card = both.card(20_000, 20_000, Language::En);
        assert_eq!(card.len(), 3);
        assert!(card[0].starts_with("person (B): enough with another kind of tier B; about 22 bits"), "{}", card[0]);
        assert!(both.card(1, 1, Language::Fr)[2].starts_with("le tout"));
    }
}
