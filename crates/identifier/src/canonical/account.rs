//! Accounts: banks and social platforms. Crypto-currencies are in wallet.rs.

use iban::{BaseIban, IbanLike};
use zeroize::Zeroizing;

use super::Wiped;
use crate::{
    Reason,
    plain::{latin_letters_and_digits, letters_and_digits},
};

/// The electronic form of an IBAN whose mod-97 check holds (ISO 13616). The national structure is not checked: the registry's
/// list misses countries of the region.
pub(super) fn iban(text: &str) -> Result<Wiped, Reason> {
    // The bank's name in parentheses behind it.
    let bare = text.split_once('(').map(|(front, _)| front).filter(|front| !front.trim().is_empty()).unwrap_or(text);
    let number = letters_and_digits(bare);
    let number = number.strip_prefix("IBAN").unwrap_or(&number);
    // The shortest of the registry has 15 characters (Norway), the standard allows 34.
    match number.len() {
        0..=14 => return Err(Reason::TooShort),
        35.. => return Err(Reason::TooLong),
        _ => {}
    }
    // O and I are read for 0 and 1, where the checksum says so: no other reading would hold.
    let read_again = || -> Option<Wiped> {
        let (front, rest) = number.split_at_checked(4)?;
        let digits = |text: &str| Wiped::new(text.replace('O', "0").replace('I', "1"));
        let both = Wiped::new([&front[..2], &digits(&front[2..]), &digits(rest)].concat());
        both.parse::<BaseIban>().ok().map(|read| Zeroizing::new(read.electronic_str().to_owned()))
    };
    match number.parse::<BaseIban>() {
        Ok(read) => Ok(Zeroizing::new(read.electronic_str().to_owned())),
        Err(reason) if number.is_ascii() && number.contains(['O', 'I']) => read_again().ok_or(match reason {
            iban::ParseBaseIbanError::InvalidChecksum => Reason::CheckDigit,
            iban::ParseBaseIbanError::InvalidFormat => Reason::WrongCharacters,
        }),
        Err(iban::ParseBaseIbanError::InvalidChecksum) => Err(Reason::CheckDigit),
        Err(iban::ParseBaseIbanError::InvalidFormat) => Err(Reason::WrongCharacters),
    }
}

/// A social account.
pub(super) struct Social {
    /// The platform's name; `?` if it is not said.
    pub(super) platform: &'static str,
    pub(super) handle: Wiped,
}

const PLATFORMS: [(&str, &[&str]); 12] = [
    ("facebook", &["facebook", "fb", "fbcom", "mfacebook", "webfacebook", "facebookcom"]),
    ("instagram", &["instagram", "ig", "insta"]),
    ("tiktok", &["tiktok", "tt"]),
    ("telegram", &["telegram", "tg", "tme"]),
    ("x", &["x", "twitter"]),
    ("snapchat", &["snapchat", "snap"]),
    ("youtube", &["youtube", "yt"]),
    ("linkedin", &["linkedin"]),
    ("signal", &["signal"]),
    ("whatsapp", &["whatsapp", "wa", "wame"]),
    ("imo", &["imo"]),
    ("messenger", &["messenger", "mme"]),
];

/// `platform:handle`, `platform @handle`, an address on the web, or a bare `@handle`.
pub(super) fn social(text: &str) -> Result<Social, Reason> {
    let mut lower = Wiped::new(String::with_capacity(text.len()));
    lower.extend(text.chars().flat_map(char::to_lowercase));
    let bare = lower.strip_prefix("https://").or(lower.strip_prefix("http://")).unwrap_or(&lower);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let (platform, handle) = match bare.split_once('/') {
        Some((host, path)) if host.contains('.') => (platform_of_host(host), handle_of_path(path)),
        _ => match bare.split_once([':', ' ', '=', '/']) {
            Some((word, handle)) => match platform(word) {
                Some(known) => (Some(known), handle),
                None => return Err(Reason::WrongCharacters),
            },
            None => (None, bare),
        },
    };
    let handle = if platform.is_some() { handle.trim_start_matches(['-', '–', ' ']) } else { handle };
    let number = if platform == Some("whatsapp") { telephone(handle) } else { None };
    let handle = number.as_ref().map_or(handle, |digits| digits.as_str());
    let handle = handle.trim_matches(|c: char| c.is_whitespace() || "@:/\"'<>".contains(c));
    if handle.contains(char::is_whitespace) || !handle.chars().all(|c| c.is_alphanumeric() || "._-+".contains(c)) {
        return Err(Reason::WrongCharacters);
    }
    match handle.chars().count() {
        0..=1 => Err(Reason::TooShort),
        101.. => Err(Reason::TooLong),
        _ if crate::plain::is_placeholder(handle) => Err(Reason::Placeholder),
        _ => {
            // Facebook reads awa.sow and awasow as one name.
            let dots = if platform == Some("facebook") { "" } else { "." };
            Ok(Social { platform: platform.unwrap_or("?"), handle: Wiped::new(handle.replace('.', dots)) })
        }
    }
}

/// The digits of a handle that is an international telephone number.
fn telephone(handle: &str) -> Option<Wiped> {
    if !handle.chars().all(|c| c.is_ascii_digit() || "+()-. ".contains(c)) {
        return None;
    }
    let digits = Wiped::new(handle.chars().filter(char::is_ascii_digit).collect::<String>());
    let bare = digits.strip_prefix("00").unwrap_or(&digits);
    (bare.len() >= 8).then(|| Wiped::new(bare.to_owned()))
}

fn platform(word: &str) -> Option<&'static str> {
    let folded = latin_letters_and_digits(word);
    PLATFORMS.iter().find(|(_, names)| names.contains(&folded.as_str())).map(|(name, _)| *name)
}

fn platform_of_host(host: &str) -> Option<&'static str> {
    let mut parts = host.rsplit('.');
    let (top, name) = (parts.next()?, parts.next()?);
    // t.me, wa.me and m.me are names by themselves.
    platform(name).or_else(|| platform(&[name, top].concat()))
}

fn handle_of_path(path: &str) -> &str {
    if let Some(number) = path.strip_prefix("profile.php?id=") {
        return number.split('&').next().unwrap_or(number);
    }
    let path = path.split(['?', '#']).next().unwrap_or(path);
    // people/Awa-Sow/1000123: the number is the account.
    if let Some(number) = path.strip_prefix("people/").and_then(|rest| rest.split('/').nth(1)).filter(|n| !n.is_empty())
    {
        return number;
    }
    let mut parts =
        path.split('/').filter(|part| !matches!(*part, "" | "in" | "user" | "c" | "add" | "people" | "channel"));
    parts.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(result: Result<Wiped, Reason>) -> Result<String, Reason> {
        result.map(|text| text.to_string())
    }

    #[test]
    fn ibans() {
        for text in [
            "SN08 SN01 0015 2000 0485 0000 3035",
            "iban: sn08sn010015200004850000 3035",
            "SN08-SN01-00152000048500003035",
        ] {
            assert_eq!(told(iban(text)).as_deref(), Ok("SN08SN0100152000048500003035"), "{text}");
        }
        for (text, reason) in [
            ("SN08SN0100152000048500003036", Reason::CheckDigit),
            ("SN08", Reason::TooShort),
            ("12345678901234567890", Reason::WrongCharacters),
            ("SN08SN01001520000485000030350000000000000", Reason::TooLong),
        ] {
            assert_eq!(told(iban(text)), Err(reason), "{text}");
        }
    }

    #[test]
    fn social_accounts() {
        let read = |text: &str| social(text).map(|account| format!("{} {}", account.platform, account.handle.as_str()));
        for text in [
            "facebook:Awa.Sow",
            "fb: awa.sow",
            "https://www.facebook.com/awa.sow?ref=1",
            "m.facebook.com/Awa.Sow/",
            "FB @awa.sow",
        ] {
            assert_eq!(read(text).as_deref(), Ok("facebook awasow"), "{text}");
        }
        assert_eq!(read("https://facebook.com/profile.php?id=1000123").as_deref(), Ok("facebook 1000123"));
        assert_eq!(read("https://www.facebook.com/people/Awa-Sow/1000123/").as_deref(), Ok("facebook 1000123"));
        assert_eq!(read("Facebook - awa.sow").as_deref(), Ok("facebook awasow"));
        assert_eq!(read("WhatsApp: +221 77 123 45 67").as_deref(), Ok("whatsapp 221771234567"));
        assert_eq!(read("https://wa.me/221771234567").as_deref(), Ok("whatsapp 221771234567"));
        assert_eq!(read("t.me/passeur_dk").as_deref(), Ok("telegram passeur_dk"));
        assert_eq!(read("@passeur_dk").as_deref(), Ok("? passeur_dk"));
        assert_eq!(read("Awa Sow"), Err(Reason::WrongCharacters));
        assert_eq!(read("tiktok:"), Err(Reason::TooShort));
    }
}
