//! Telephone numbers and mobile-money accounts: E.164 with a leading +.
//!
//! The numbering plans (calling codes, lengths, trunk prefixes, patterns) are those of the crate `phonenumber`. Its parser is
//! not used: it does not read 00, and it drops a national prefix even where the rest is no number, so that two different
//! numbers can become one. Here a digit is dropped only if the plan says that it is a trunk prefix, and a number is
//! refused only if it cannot be one: registers are full of numbers that no table of ranges knows.

mod dialled;
mod migration;
mod plan;

use dialled::Dialled;
use plan::Plan;

use super::Wiped;
use crate::{Country, Reason, Rule, Rules, plain::is_filler};

/// E.164 as far as it can be told: 7 to 15 digits with the country code.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// National numbers shorter than this are short codes and fragments, if their plan has none as short.
const SHORTEST_NATIONAL: usize = 6;

/// `+` and the digits. `default` is the country of numbers that do not begin with + or 00.
pub(super) fn e164(text: &str, default: Option<Country>, rules: &Rules) -> Result<Wiped, Reason> {
    let mut dialled = Dialled::read(text)?;
    if is_filler(&dialled.digits) {
        return Err(Reason::Placeholder);
    }
    let default = default.and_then(|country| plan::of_country(country.code()));
    // North America dials 011 where others dial 00.
    if !dialled.international && default.is_some_and(|plan| plan.code == 1) && dialled.digits.len() > 10 {
        dialled.strip_exit_code(b"011");
    }
    let (code, national) = if dialled.international {
        if dialled.digits.first() == Some(&b'0') {
            return Err(Reason::CallingCode);
        }
        international(&dialled)
    } else {
        domestic(&dialled, default, rules)?
    };
    if is_filler(&national) || national.is_empty() && is_filler(&code) {
        return Err(Reason::Placeholder);
    }
    let national = match code_number(&code).and_then(|code| migration::prefix(code, &national, rules)) {
        Some(prefix) => Digits::new([prefix.as_bytes(), &national].concat()),
        None => national,
    };
    match code.len() + national.len() {
        n if n < *DIGITS.start() => Err(Reason::TooShort),
        n if n > *DIGITS.end() => Err(Reason::TooLong),
        n => {
            let mut text = Wiped::new(String::with_capacity(n + 1));
            text.push('+');
            text.extend(code.iter().chain(national.iter()).map(|digit| char::from(*digit)));
            Ok(text)
        }
    }
}

type Digits = zeroize::Zeroizing<Vec<u8>>;

/// Calling code and national number of digits that begin with a calling code. Codes that no plan has stay in the number.
fn international(dialled: &Dialled) -> (Vec<u8>, Digits) {
    for length in 1..=3 {
        let Some((code, rest)) = dialled.digits.split_at_checked(length) else { break };
        if let Some(plan) = code_number(code).and_then(plan::of_code) {
            let zero = dialled.optional_zero == Some(length);
            return (code.to_vec(), without_trunk_zero(plan, rest, zero));
        }
    }
    (Vec::new(), dialled.digits.clone())
}

/// After a calling code a trunk zero has no place, but people write it: `+33 (0)6 12 34 56 78`, `+33 06 12 34 56 78`. It goes
/// if the number is possible without it and impossible with it, whatever the plan's trunk prefix: people bring the habit along; in
/// parentheses also if it is possible both ways and the plan has such a prefix.
/// Where a zero belongs to the number (Côte d'Ivoire, Italy, Congo), it stays.
fn without_trunk_zero(plan: &Plan, rest: &[u8], written_optional: bool) -> Digits {
    let with = if written_optional { [b"0", rest].concat() } else { rest.to_vec() };
    let with = Digits::new(with);
    let Some(without) = with.strip_prefix(b"0") else { return with };
    let drop = match (plan.is_possible(without), plan.is_possible(&with)) {
        (true, false) => true,
        (false, true) => false,
        _ => written_optional && plan.trunk == "0",
    };
    if drop { Digits::new(without.to_vec()) } else { with }
}

/// Calling code and national number of digits that begin with neither + nor 00.
fn domestic(dialled: &Dialled, default: Option<&Plan>, rules: &Rules) -> Result<(Vec<u8>, Digits), Reason> {
    let digits = dialled.with_optional_zero();
    if let Some(plan) = default {
        let code = plan.code_digits();
        if let Some(national) = national(plan, &digits) {
            return Ok((code, national));
        }
        // 221771234567 in a Senegalese register: the calling code without its +.
        if let Some(rest) = dialled.digits.strip_prefix(code.as_slice()) {
            let zero = dialled.optional_zero == Some(code.len());
            let rest = without_trunk_zero(plan, rest, zero);
            if plan.is_possible(&rest) {
                return Ok((code, rest));
            }
        }
    }
    // 33612345678 in a Senegalese register: no number there, one elsewhere; shorter ones must match a pattern.
    if rules.on(Rule::BareInternational) && digits.len() >= 10 && digits.first() != Some(&b'0') {
        let (code, national) = international(dialled);
        let is_number = |plan: &Plan| plan.is_valid(&national) || digits.len() >= 11 && plan.is_possible(&national);
        if code_number(&code).and_then(plan::of_code).is_some_and(is_number) {
            return Ok((code, national));
        }
    }
    let plan = default.ok_or(Reason::CountryMissing)?;
    let rest = match digits.strip_prefix(b"0") {
        Some(rest) if plan.trunk == "0" => rest,
        _ => &digits[..],
    };
    if rest.len() < SHORTEST_NATIONAL {
        return Err(Reason::TooShort);
    }
    Ok((plan.code_digits(), Digits::new(rest.to_vec())))
}

/// The national number, if the digits are possible as one with or without the plan's trunk prefix.
fn national(plan: &Plan, digits: &[u8]) -> Option<Digits> {
    let as_written = plan.is_possible(digits).then_some(digits);
    let stripped = match plan.trunk {
        // A habit from elsewhere: no number of such a plan is as long.
        "" if as_written.is_none() => digits.strip_prefix(b"0").filter(|rest| plan.is_possible(rest)),
        "" => None,
        trunk => digits.strip_prefix(trunk.as_bytes()).filter(|rest| plan.is_possible(rest)),
    };
    let chosen = match (as_written, stripped) {
        (Some(written), Some(stripped)) if plan.is_valid(written) && !plan.is_valid(stripped) => written,
        (_, Some(stripped)) => stripped,
        (written, None) => written?,
    };
    Some(Digits::new(chosen.to_vec()))
}

fn code_number(code: &[u8]) -> Option<u16> {
    std::str::from_utf8(code).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, country: &str) -> Result<String, Reason> {
        e164(&crate::plain::plain(text), Country::read(country), &Rules::default()).map(|text| text.to_string())
    }

    #[test]
    fn one_number_however_written() {
        for text in [
            "+221 77 123 45 67",
            "00221771234567",
            "77 123 45 67",
            "tel:+221-77-123-4567",
            "(+221) 77.123.45.67",
            "+221(0)771234567",
            "221771234567",
            "00 221 77/123/45/67",
            "Tél : 77 123 45 67",
            "＋２２１７７１２３４５６７",
            "٠٠٢٢١٧٧١٢٣٤٥٦٧",
            "WhatsApp +221 771234567",
            "+221 77 123 45 67 ext. 12",
            "77 123 45 67 (mobile)",
            "tel:+221771234567;ext=12",
            "221771234567@s.whatsapp.net",
            "https://wa.me/221771234567?text=x",
            "077 123 45 67",
            "+221 077 123 45 67",
            "OO221 77 I23 45 67",
            "+00221771234567",
            "\u{202a}+221 77 123 45 67\u{202c}",
        ] {
            assert_eq!(read(text, "SN").as_deref(), Ok("+221771234567"), "{text}");
        }
    }

    #[test]
    fn trunk_zeros_go_and_other_zeros_stay() {
        for (text, country, expect) in [
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("612345678", "FR", "+33612345678"),
            ("+33 (0)6 12 34 56 78", "", "+33612345678"),
            ("+33 06 12 34 56 78", "", "+33612345678"),
            ("0033 (0) 612345678", "SN", "+33612345678"),
            ("0661 23 45 67", "MA", "+212661234567"),
            ("+33071234567", "", "+33071234567"),
            ("+3371234567", "", "+3371234567"),
            ("06 698 12345", "IT", "+390669812345"),
            ("+225 07 07 12 34 56", "", "+2250707123456"),
            ("0707123456", "CI", "+2250707123456"),
            ("+242 06 612 34 56", "", "+242066123456"),
            ("020 7946 0958", "GB", "+442079460958"),
            ("(212) 555-0123", "US", "+12125550123"),
            ("1 212 555 0123", "US", "+12125550123"),
            ("011 221 77 123 45 67", "US", "+221771234567"),
        ] {
            assert_eq!(read(text, country).as_deref(), Ok(expect), "{text} in {country}");
        }
    }

    #[test]
    fn plausible_numbers_outside_the_tables_are_kept() {
        for text in ["+22100000012", "+999123456789", "+2209999991", "+22390000001", "+1000000001"] {
            assert_eq!(read(text, "").as_deref(), Ok(text), "{text}");
        }
        assert_eq!(read("11 22 33 44 5", "SN").as_deref(), Ok("+221112233445"));
    }

    #[test]
    fn another_country_without_plus() {
        assert_eq!(read("33612345678", "SN").as_deref(), Ok("+33612345678"));
        assert_eq!(read("220 7712345", "SN").as_deref(), Ok("+2207712345"));
        assert_eq!(read("221771234567", "").as_deref(), Ok("+221771234567"));
        assert_eq!(read("771234567", ""), Err(Reason::CountryMissing));
    }

    #[test]
    fn migrations() {
        assert_eq!(read("07 12 34 56", "CI").as_deref(), Ok("+2250707123456"));
        assert_eq!(read("+225 05123456", "").as_deref(), Ok("+2250505123456"));
        assert_eq!(read("22520212223", "CI").as_deref(), Ok("+2252720212223"));
        assert_eq!(read("97 12 34 56", "BJ").as_deref(), Ok("+2290197123456"));
        let mut before = Rules::default();
        before.as_of = jiff::civil::date(2020, 6, 1);
        assert_eq!(e164("+22507123456", None, &before).map(|t| t.to_string()).as_deref(), Ok("+22507123456"));
    }

    #[test]
    fn impossible_numbers_say_why() {
        for (text, country, reason) in [
            ("0000000", "SN", Reason::Placeholder),
            ("123456789", "SN", Reason::Placeholder),
            ("+221 000000000", "", Reason::Placeholder),
            ("+33 11 11 11 11 1", "", Reason::Placeholder),
            ("117", "SN", Reason::TooShort),
            ("+22177", "", Reason::TooShort),
            ("+", "SN", Reason::TooShort),
            ("+2217712345678901", "", Reason::TooLong),
            ("77123456789012345", "SN", Reason::TooLong),
            ("+0771234567", "SN", Reason::CallingCode),
            ("77 S23 45 67", "SN", Reason::WrongCharacters),
            ("77 123 45 67 l", "SN", Reason::WrongCharacters),
            ("a@b.sn", "SN", Reason::WrongCharacters),
            ("771234567@gmail.com", "SN", Reason::WrongCharacters),
            ("*144#", "SN", Reason::WrongCharacters),
            ("77+1234567", "SN", Reason::WrongCharacters),
        ] {
            assert_eq!(read(text, country), Err(reason), "{text}");
        }
    }
}
