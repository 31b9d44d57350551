//! A record as the register keeps it, and how it is written.
//!
//! Made by imports; read by the agent's shell (tokens only) and by officers' commands (cells). *Not here:* where records
//! lie and how they are numbered (block.rs); what a token means (package `identifier`).
//!
//! A record is written in two parts: what the agent sees (reference, restriction, tokens), and the rest (the mapping's
//! defaults and the cells), so that the first is read without the second.

use super::wiped::Wiped;
use identifier::{Country, DateFormat, Defaults, Kind, Subject, Tier, Token};
use minicbor::{Decoder, Encoder};
use std::convert::Infallible;
use std::fmt;
use zeroize::Zeroizing;

/// A token as the register keeps it. Wiped when dropped; it prints its kind and tier only.
pub struct StoredToken {
    /// What it names.
    pub kind: Kind,
    /// What one meeting of it is worth.
    pub tier: Tier,
    /// The canonical bytes, with the kind inside.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl From<&Token> for StoredToken {
    fn from(token: &Token) -> Self {
        StoredToken { kind: token.kind, tier: token.tier, bytes: Zeroizing::new(token.expose_secret().to_vec()) }
    }
}

impl StoredToken {
    /// The canonical form for the unit's own screen: without the kind, the fields divided by a middle dot.
    pub fn expose_canonical(&self) -> Zeroizing<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let form = text.split_once(Token::SEPARATOR).map_or("", |(_, form)| form);
        Zeroizing::new(form.replace(Token::SEPARATOR, " · "))
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredToken({}, {})", self.kind, self.tier)
    }
}

/// One cell of the file a record came from: for the unit's own officers, never compared and never sent.
pub struct StoredCell {
    /// The column's name as Sutura knows it, else the file's own header.
    pub column: String,
    /// The text as it was written.
    pub text: Zeroizing<String>,
}

/// What the agent needs of a record.
pub struct StoredRecord {
    /// Its number in this register: it never means another record.
    pub serial: u64,
    /// The unit's own reference.
    pub reference: Zeroizing<String>,
    /// Its acknowledgement is withheld until officers release it (R17).
    pub restricted: bool,
    /// Its tokens, each once.
    pub tokens: Vec<StoredToken>,
}

/// A record whole, before it has a number.
pub struct Content {
    /// The unit's own reference.
    pub reference: Zeroizing<String>,
    /// Its acknowledgement is withheld until officers release it (R17).
    pub restricted: bool,
    /// Its tokens, each once, sorted.
    pub tokens: Vec<StoredToken>,
    /// The cells of its rows.
    pub cells: Vec<StoredCell>,
    /// What the mapping said when it was imported: needed to read the cells anew under other rules.
    pub defaults: Defaults,
}

impl Content {
    /// Adds another row of the same reference: all of both counts.
    pub fn merge(&mut self, other: Content) {
        self.restricted |= other.restricted;
        self.cells.extend(other.cells);
        self.tokens.extend(other.tokens);
        self.tokens.sort_by(|a, b| a.bytes.as_slice().cmp(&b.bytes));
        self.tokens.dedup_by(|b, a| a.bytes == b.bytes);
    }
}

/// A record about to be written, borrowed from wherever its parts are.
pub struct Parts<'a> {
    /// The unit's own reference.
    pub reference: &'a str,
    /// Its acknowledgement is withheld until officers release it (R17).
    pub restricted: bool,
    /// Its tokens, each once, sorted.
    pub tokens: &'a [(Kind, Tier, &'a [u8])],
    /// Names of columns, and what stands in them.
    pub cells: &'a [(&'a str, &'a str)],
    /// What the mapping said.
    pub defaults: &'a Defaults,
}

/// Writes what the agent sees. Same content, same bytes: it is the input of a digest.
pub(super) fn encode_seen(parts: &Parts<'_>, out: &mut Wiped) {
    let mut encoder = Encoder::new(out);
    // Writing into memory has no error.
    let _ = (|| {
        encoder.str(parts.reference)?.bool(parts.restricted)?.array(parts.tokens.len() as u64)?;
        for (_, tier, bytes) in parts.tokens {
            encoder.u8(tier_number(*tier))?.bytes(bytes)?;
        }
        Ok::<_, minicbor::encode::Error<Infallible>>(())
    })();
}

/// Writes the rest.
pub(super) fn encode_rest(parts: &Parts<'_>, out: &mut Wiped) {
    let mut encoder = Encoder::new(out);
    // As above.
    let _ = (|| {
        let Defaults { country, subject, dates } = parts.defaults;
        encoder.str(country.map_or("", Country::code))?;
        encoder.str(subject.map_or("", subject_word))?;
        encoder.str(dates.as_ref().map_or("", DateFormat::as_str))?;
        encoder.array(parts.cells.len() as u64)?;
        for (column, text) in parts.cells {
            encoder.str(column)?.str(text)?;
        }
        Ok::<_, minicbor::encode::Error<Infallible>>(())
    })();
}

/// Reads what the agent sees. None for anything unexpected.
pub(super) fn decode_seen(serial: u64, bytes: &[u8]) -> Option<StoredRecord> {
    let mut d = Decoder::new(bytes);
    let reference = Zeroizing::new(d.str().ok()?.to_owned());
    let restricted = d.bool().ok()?;
    let length = d.array().ok()??;
    let mut tokens = Vec::with_capacity(length.min(64) as usize);
    for _ in 0..length {
        let tier = tier(d.u8().ok()?)?;
        let bytes = d.bytes().ok()?;
        let end = bytes.iter().position(|b| char::from(*b) == Token::SEPARATOR)?;
        let kind = Kind::by_name(std::str::from_utf8(&bytes[..end]).ok()?)?;
        tokens.push(StoredToken { kind, tier, bytes: Zeroizing::new(bytes.to_vec()) });
    }
    Some(StoredRecord { serial, reference, restricted, tokens })
}

/// Reads the rest. None for anything unexpected.
pub(super) fn decode_rest(bytes: &[u8]) -> Option<(Vec<StoredCell>, Defaults)> {
    let mut d = Decoder::new(bytes);
    let country = Country::read(d.str().ok()?);
    let subject = Subject::read(d.str().ok()?);
    let dates = DateFormat::new(d.str().ok()?).ok();
    let mut cells = Vec::new();
    for _ in 0..d.array().ok()?? {
        let column = d.str().ok()?.to_owned();
        cells.push(StoredCell { column, text: Zeroizing::new(d.str().ok()?.to_owned()) });
    }
    Some((cells, Defaults { country, subject, dates }))
}

/// The tier as a number, in the vault.
pub(super) fn tier_number(tier: Tier) -> u8 {
    match tier {
        Tier::A => 1,
        Tier::B => 2,
        Tier::C => 3,
    }
}

/// The tier of that number.
pub(super) fn tier(number: u8) -> Option<Tier> {
    Some(match number {
        1 => Tier::A,
        2 => Tier::B,
        3 => Tier::C,
        _ => return None,
    })
}

fn subject_word(subject: Subject) -> &'static str {
    match subject {
        Subject::Person => "person",
        Subject::Organisation => "organisation",
        Subject::Vehicle => "vehicle",
        Subject::Vessel => "vessel",
        Subject::Account => "account",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let content = Content {
            reference: Zeroizing::new("SN-1".into()),
            restricted: true,
            tokens: vec![StoredToken {
                kind: Kind::Phone,
                tier: Tier::A,
                bytes: Zeroizing::new(b"phone\x1f+221771234567".to_vec()),
            }],
            cells: vec![StoredCell { column: "phone".into(), text: Zeroizing::new("77 123 45 67".into()) }],
            defaults: Defaults {
                country: Country::read("SN"),
                subject: Some(Subject::Vessel),
                dates: DateFormat::new("%Y%m%d").ok(),
            },
        };
        let tokens: Vec<_> = content.tokens.iter().map(|t| (t.kind, t.tier, t.bytes.as_slice())).collect();
        let cells: Vec<_> = content.cells.iter().map(|c| (c.column.as_str(), c.text.as_str())).collect();
        let Content { reference, restricted, defaults, .. } = &content;
        let parts = Parts { reference, restricted: *restricted, tokens: &tokens, cells: &cells, defaults };
        let (mut seen, mut rest) = (Wiped::default(), Wiped::default());
        encode_seen(&parts, &mut seen);
        encode_rest(&parts, &mut rest);
        let record = decode_seen(7, &seen).unwrap();
        assert_eq!((record.serial, record.reference.as_str(), record.restricted), (7, "SN-1", true));
        assert_eq!(record.tokens[0].expose_canonical().as_str(), "+221771234567");
        assert_eq!((record.tokens[0].kind, record.tokens[0].tier), (Kind::Phone, Tier::A));
        let (cells, defaults) = decode_rest(&rest).unwrap();
        assert_eq!((cells[0].column.as_str(), cells[0].text.as_str()), ("phone", "77 123 45 67"));
        assert_eq!(defaults, content.defaults);
        for cut in 0..seen.len() {
            assert!(decode_seen(7, &seen[..cut]).is_none(), "{cut}");
        }
        for cut in 0..rest.len() {
            assert!(decode_rest(&rest[..cut]).is_none(), "{cut}");
        }
    }
}
