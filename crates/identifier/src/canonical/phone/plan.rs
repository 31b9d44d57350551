//! The numbering plans of the crate `phonenumber`, by calling code.
//!
//! Called by phone.rs only. Built once, at the first number.

use std::sync::OnceLock;

use phonenumber::{Metadata, metadata::DATABASE};

use super::migration;

/// What is known of the national numbers of one calling code, over all countries that share it.
pub(super) struct Plan {
    /// The calling code.
    pub(super) code: u16,
    /// The national (trunk) prefix of the code's main country; empty if it has none.
    pub(super) trunk: &'static str,
    /// Bit n: national numbers of n digits are possible.
    lengths: u32,
    countries: Vec<&'static Metadata>,
}

impl Plan {
    /// Whether the number of digits is one that the plan has, or had before a migration that is known here.
    pub(super) fn is_possible(&self, national: &[u8]) -> bool {
        u32::try_from(national.len()).is_ok_and(|length| length < 32 && self.lengths >> length & 1 == 1)
            || migration::is_old(self.code, national)
    }

    /// Whether the digits match the pattern of a country of this code, or are an old number that is moved.
    pub(super) fn is_valid(&self, national: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(national) else { return false };
        national.len() <= 15 && self.countries.iter().any(|country| country.descriptors().general().is_match(text))
            || migration::is_old(self.code, national)
    }

    /// The calling code's digits.
    pub(super) fn code_digits(&self) -> Vec<u8> {
        self.code.to_string().into_bytes()
    }
}

/// The plan of a calling code.
pub(super) fn of_code(code: u16) -> Option<&'static Plan> {
    plans().get(usize::from(code))?.as_ref()
}

/// The plan of a country by its ISO code.
pub(super) fn of_country(code: &str) -> Option<&'static Plan> {
    of_code(DATABASE.by_id(code)?.country_code())
}

fn plans() -> &'static [Option<Plan>] {
    static PLANS: OnceLock<Vec<Option<Plan>>> = OnceLock::new();
    PLANS.get_or_init(|| {
        let mut plans: Vec<Option<Plan>> = (0..1000).map(|_| None).collect();
        for country in DATABASE.iter() {
            let code = country.country_code();
            let Some(place) = plans.get_mut(usize::from(code)) else { continue };
            let plan = place.get_or_insert_with(|| Plan { code, trunk: "", lengths: 0, countries: Vec::new() });
            let kinds = country.descriptors();
            let all = [
                Some(kinds.general()),
                kinds.fixed_line(),
                kinds.mobile(),
                kinds.toll_free(),
                kinds.premium_rate(),
                kinds.shared_cost(),
                kinds.personal_number(),
                kinds.voip(),
                kinds.pager(),
                kinds.uan(),
            ];
            for length in all.into_iter().flatten().flat_map(|kind| kind.possible_length()).filter(|n| **n < 32) {
                plan.lengths |= 1 << length;
            }
            plan.countries.push(country);
        }
        for plan in plans.iter_mut().flatten() {
            // DATABASE has no order: the same plan must come out of it every time.
            plan.countries.sort_by(|a, b| a.id().cmp(b.id()));
            let main =
                plan.countries.iter().find(|country| country.is_main_country_for_code()).or(plan.countries.first());
            plan.trunk = main.and_then(|country| country.national_prefix()).unwrap_or_default();
        }
        plans
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_the_region() {
        for (country, code, trunk, length) in [
            ("SN", 221, "", 9),
            ("MR", 222, "", 8),
            ("GM", 220, "", 7),
            ("NE", 227, "", 8),
            ("ML", 223, "", 8),
            ("CI", 225, "", 10),
            ("GN", 224, "", 9),
            ("BJ", 229, "", 10),
            ("FR", 33, "0", 9),
            ("MA", 212, "0", 9),
            ("ES", 34, "", 9),
            ("NG", 234, "0", 10),
            ("IT", 39, "", 10),
            ("US", 1, "1", 10),
            ("GB", 44, "0", 10),
        ] {
            let plan = of_country(country).expect(country);
            assert_eq!((plan.code, plan.trunk), (code, trunk), "{country}");
            assert!(plan.is_possible(&vec![b'7'; length]), "{country}");
            assert!(!plan.is_possible(&[b'7'; 4]), "{country}");
        }
        assert!(of_code(999).is_none() && of_code(0).is_none() && of_code(2000).is_none());
    }
}
