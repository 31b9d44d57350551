//! E-mail addresses: the whole address in lower case, the domain in its ASCII form.
//!
//! Dots and +tags are read over for the providers that do so themselves, and for no other.

use super::Wiped;
use crate::{Reason, Rule, Rules};

/// `name@domain`; or, if the text as a whole is none, the only piece of it that is one (`awa@example.sn / 77 123 45 67`).
pub(super) fn address(text: &str, rules: &Rules) -> Result<Wiped, Reason> {
    whole(text, rules).or_else(|reason| {
        let mut pieces =
            text.split(|c: char| c.is_whitespace() || "/;|".contains(c)).filter(|piece| piece.contains('@'));
        match (pieces.next(), pieces.next()) {
            (Some(piece), None) if piece.len() < text.len() => whole(piece, rules).map_err(|_| reason),
            _ => Err(reason),
        }
    })
}

fn whole(text: &str, rules: &Rules) -> Result<Wiped, Reason> {
    // "Awa Sow <awa@example.sn>": what stands in the last angle brackets.
    let inner = match (text.rfind('<'), text.rfind('>')) {
        (Some(open), Some(close)) if open < close => &text[open + 1..close],
        _ => text,
    };
    let mut address = Wiped::new(String::with_capacity(inner.len() + 8));
    address.extend(inner.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase));
    // Written out against robots.
    for mark in ["(at)", "[at]", "{at}", "(arobase)"] {
        if address.contains(mark) {
            address = Wiped::new(address.replacen(mark, "@", 1));
        }
    }
    let mut bare = address.as_str();
    for label in ["mailto:", "e-mail:", "email:", "mail:", "courriel:"] {
        bare = bare.strip_prefix(label).unwrap_or(bare);
    }
    let bare = bare.split('?').next().unwrap_or(bare);
    let bare = bare.trim_matches(|c: char| "<>()[]{}\"',;:.".contains(c));
    let (name, domain) = bare.split_once('@').ok_or(Reason::NotAnEmail)?;
    // A comma is no dot, but it stands beside it on keyboards, and no domain has one.
    let corrected = Wiped::new(if domain.contains('.') { String::new() } else { domain.replacen(',', ".", 1) });
    let domain = if corrected.is_empty() { domain } else { &corrected };
    if name.len() > 64 || domain.len() > 253 {
        return Err(Reason::TooLong);
    }
    let bad_name = |c: char| c.is_control() || "@<>()[],;:\\\"|".contains(c);
    let bad_domain =
        |c: char| !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) || ".-_".contains(c));
    if name.is_empty() || name.contains(bad_name) || domain.contains(bad_domain) {
        return Err(Reason::NotAnEmail);
    }
    let labels = domain.split('.');
    if labels.clone().count() < 2 || labels.clone().any(|label| label.is_empty() || label.len() > 63) {
        return Err(Reason::NotAnEmail);
    }
    // none@none.com, na@na.sn: fields that had to be filled.
    if labels.clone().next() == Some(name) && crate::plain::is_placeholder(name) {
        return Err(Reason::Placeholder);
    }
    let (name, domain) = match rules.on(Rule::Mailboxes) {
        true => one_mailbox(name, domain),
        false => (Wiped::new(name.to_owned()), domain),
    };
    let mut text = Wiped::new(String::with_capacity(bare.len() + 16));
    text.push_str(&name);
    text.push('@');
    let internationalised = !domain.is_ascii() || domain.contains("xn--");
    match internationalised.then(|| idna::domain_to_ascii(domain)) {
        Some(Ok(ascii)) if rules.on(Rule::DomainAscii) && !ascii.is_empty() => text.push_str(&ascii),
        _ => text.push_str(domain),
    }
    Ok(text)
}

/// Names that these providers deliver to one mailbox, as they document it: what stands after + is a tag; Gmail also reads over dots.
fn one_mailbox<'d>(name: &str, domain: &'d str) -> (Wiped, &'d str) {
    const TAGGED: [&str; 12] = [
        "fastmail.com",
        "gmail.com",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "live.com",
        "live.fr",
        "me.com",
        "outlook.com",
        "outlook.fr",
        "proton.me",
        "protonmail.com",
    ];
    let domain = if domain == "googlemail.com" { "gmail.com" } else { domain };
    let mut name = name;
    if TAGGED.contains(&domain)
        && let Some((mailbox, _)) = name.split_once('+')
        && !mailbox.is_empty()
    {
        name = mailbox;
    }
    let without_dots = if domain == "gmail.com" { name.replace('.', "") } else { name.to_owned() };
    (Wiped::new(if without_dots.is_empty() { name.to_owned() } else { without_dots }), domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Reason> {
        address(&crate::plain::plain(text), &Rules::default()).map(|text| text.to_string())
    }

    #[test]
    fn one_address_however_written() {
        for text in [
            "awa.sow@example.sn",
            " AWA.SOW@EXAMPLE.SN ",
            "mailto:Awa.Sow@example.sn",
            "<awa.sow@example.sn>",
            "Awa Sow <awa.sow@example.sn>",
            "awa.sow@example.sn.",
            "awa.sow @ example.sn",
            "ａｗａ.sow@example.sn",
            "mailto:awa.sow@example.sn?subject=x",
            "E-mail: awa.sow@example.sn;",
            "awa.sow(at)example.sn",
            "awa.sow [at] example.sn",
            "awa.sow@example,sn",
            "awa.sow@example.sn / 77 123 45 67",
        ] {
            assert_eq!(read(text).as_deref(), Ok("awa.sow@example.sn"), "{text}");
        }
        assert_eq!(read("a@München.DE"), read("a@xn--mnchen-3ya.de"));
        assert_ne!(read("awa.sow@example.sn"), read("awasow@example.sn"));
        assert_ne!(read("awa+x@example.sn"), read("awa@example.sn"));
        assert_eq!(read("Awa.Sow+dakar@googlemail.com").as_deref(), Ok("awasow@gmail.com"));
        assert_eq!(read("awa.sow+x@outlook.com").as_deref(), Ok("awa.sow@outlook.com"));
        assert_eq!(read("+x@gmail.com").as_deref(), Ok("+x@gmail.com"));
    }

    #[test]
    fn what_is_no_address() {
        for text in
            ["awa.example.sn", "@example.sn", "awa@", "awa@localhost", "a@b@c.sn", "a@b..sn", "a@-", "a@b c|.sn"]
        {
            assert_eq!(read(text), Err(Reason::NotAnEmail), "{text}");
        }
        assert_eq!(read("none@none.com"), Err(Reason::Placeholder));
        assert_eq!(read(&format!("{}@b.sn", "a".repeat(65))), Err(Reason::TooLong));
    }
}
