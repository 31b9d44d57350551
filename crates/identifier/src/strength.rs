//! R19: when an overlap is shown to officers, and how strong it is.
//!
//! Called by the client when confirmed tokens of an overlap change. Pure: the same meetings and rules give the same
//! answer on both sides. The chance of a meeting at the size of the registers is not estimated yet.

use std::fmt;

use crate::{Kind, Rules, Tier};

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
}
