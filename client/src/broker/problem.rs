//! Problem documents (RFC 9457): how the broker says no.
//!
//! The stable name of an error stands in the member `code`; without it, the last part of `type` is taken. Both it and
//! the text for people come from the network and end on a terminal: they are cut short, and control characters are
//! dropped. Caller: the exchange with the broker.

use super::error::BrokerError;
use serde::Deserialize;

/// The longest problem document that is read, in bytes.
pub(super) const MAX_PROBLEM: usize = 16_384;
const MAX_CODE: usize = 64;
const MAX_DETAIL: usize = 400;

#[derive(Deserialize, Default)]
struct Document {
    code: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
}

/// The refusal that an answer with an error status states.
pub(super) fn refusal(status: u16, body: &[u8]) -> BrokerError {
    let document: Document = serde_json::from_slice(body).unwrap_or_default();
    let last_of_type = document.kind.as_deref().and_then(|kind| kind.rsplit(['/', ':', '#']).next());
    let code = document.code.as_deref().or(last_of_type).filter(|code| is_code(code)).unwrap_or("unnamed");
    let detail = document.detail.or(document.title).unwrap_or_else(|| "no reason given".to_owned());
    BrokerError::Refused { status, code: code.to_owned(), detail: for_people(&detail) }
}

/// `text` as it may be shown: no control characters, not long.
pub(super) fn for_people(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_invisible(*c)).take(MAX_DETAIL).collect()
}

/// Whether `code` looks like the name of an error.
pub(super) fn is_code(code: &str) -> bool {
    (1..=MAX_CODE).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Marks that turn the direction of writing, or show nothing at all.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (String, String) {
        match refusal(409, body.as_bytes()) {
            BrokerError::Refused { status: 409, code, detail } => (code, detail),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_problem_names_its_code_and_reason() {
        let both = r#"{"type":"urn:sutura:other","code":"envelope-sequence","title":"t","detail":"d","status":409}"#;
        assert_eq!(read(both), ("envelope-sequence".into(), "d".into()));
        assert_eq!(read(r#"{"type":"https://x/y#join-token","title":"t"}"#), ("join-token".into(), "t".into()));
        assert_eq!(read("<html>"), ("unnamed".into(), "no reason given".into()));
    }

    #[test]
    fn nothing_in_it_reaches_the_terminal_as_a_command() {
        let (code, detail) = read(r#"{"code":"\u001b[2J","detail":"a\u001b[31m\u202eb\n"}"#);
        assert_eq!((code.as_str(), detail.as_str()), ("unnamed", "a[31mb"));
        let long = format!(r#"{{"detail":"{}"}}"#, "x".repeat(5000));
        assert_eq!(read(&long).1.len(), MAX_DETAIL);
    }
}
