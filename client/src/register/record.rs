//! A record as the register keeps it, and how it is written into a value of the vault.
//!
//! Made by imports; read by the agent's shell (tokens only) and by officers' commands (cells). *Not here:* where records
//! lie and how they are numbered (register.rs); what a token means (package `identifier`).

use identifier::{Country, DateFormat, Defaults, Kind, Subject, Tier, Token};
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
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

    /// What the agent sees: if it is the same, nothing changed for anyone else.
    pub(super) fn matching_digest(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update([u8::from(self.restricted)]);
        for token in &self.tokens {
            hash.update([tier_number(token.tier)]);
            hash.update((token.bytes.len() as u64).to_be_bytes());
            hash.update(&token.bytes);
        }
        short(hash)
    }
}

/// What stands under `record/<serial>`.
pub(super) enum Stored {
    Record(StoredRecord, Vec<StoredCell>, Defaults),
    /// The record of that serial is no more.
    Removed(u64),
}

/// Writes a record. Also the input of its digest: same content, same bytes.
pub(super) fn encode(content: &Content) -> Zeroizing<Vec<u8>> {
    let room = 96
        + content.reference.len()
        + content.tokens.iter().map(|token| token.bytes.len() + 8).sum::<usize>()
        + content.cells.iter().map(|cell| cell.column.len() + cell.text.len() + 12).sum::<usize>();
    // Room for all at once: a buffer that grows leaves copies behind.
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    let mut encoder = Encoder::new(&mut *out);
    // Writing into a Vec has no error.
    let _ = (|| {
        encoder.u8(1)?.str(&content.reference)?.bool(content.restricted)?;
        let defaults = &content.defaults;
        encoder.str(defaults.country.map_or("", Country::code))?;
        encoder.str(defaults.subject.map_or("", subject_word))?;
        encoder.str(defaults.dates.as_ref().map_or("", DateFormat::as_str))?;
        encoder.array(content.tokens.len() as u64)?;
        for token in &content.tokens {
            encoder.u8(tier_number(token.tier))?.bytes(&token.bytes)?;
        }
        encoder.array(content.cells.len() as u64)?;
        for cell in &content.cells {
            encoder.str(&cell.column)?.str(&cell.text)?;
        }
        Ok::<_, minicbor::encode::Error<std::convert::Infallible>>(())
    })();
    out
}

pub(super) fn encode_removed(serial: u64) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(16));
    // As above.
    let _ = Encoder::new(&mut *out).u8(2).and_then(|encoder| encoder.u64(serial).map(drop));
    out
}

pub(super) fn digest(encoded: &[u8]) -> [u8; 16] {
    short(Sha256::new().chain_update(encoded))
}

/// Reads what stands under `record/<serial>`; the cells only when they are asked for. None for anything unexpected.
pub(super) fn decode(serial: u64, bytes: &[u8], with_cells: bool) -> Option<Stored> {
    let mut d = Decoder::new(bytes);
    if d.u8().ok()? == 2 {
        return Some(Stored::Removed(d.u64().ok()?));
    }
    let reference = Zeroizing::new(d.str().ok()?.to_owned());
    let restricted = d.bool().ok()?;
    let country = Country::read(d.str().ok()?);
    let subject = Subject::read(d.str().ok()?);
    let dates = DateFormat::new(d.str().ok()?).ok();
    let mut tokens = Vec::new();
    for _ in 0..d.array().ok()?? {
        let tier = tier(d.u8().ok()?)?;
        let bytes = d.bytes().ok()?;
        let end = bytes.iter().position(|b| char::from(*b) == Token::SEPARATOR)?;
        let kind = Kind::by_name(std::str::from_utf8(&bytes[..end]).ok()?)?;
        tokens.push(StoredToken { kind, tier, bytes: Zeroizing::new(bytes.to_vec()) });
    }
    let mut cells = Vec::new();
    if with_cells {
        for _ in 0..d.array().ok()?? {
            let column = d.str().ok()?.to_owned();
            cells.push(StoredCell { column, text: Zeroizing::new(d.str().ok()?.to_owned()) });
        }
    }
    let record = StoredRecord { serial, reference, restricted, tokens };
    Some(Stored::Record(record, cells, Defaults { country, subject, dates }))
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

fn short(hash: Sha256) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finalize()[..16]);
    out
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
        let bytes = encode(&content);
        let Some(Stored::Record(record, cells, defaults)) = decode(7, &bytes, true) else { panic!("not a record") };
        assert_eq!((record.serial, record.reference.as_str(), record.restricted), (7, "SN-1", true));
        assert_eq!(record.tokens[0].expose_canonical().as_str(), "+221771234567");
        assert_eq!((record.tokens[0].kind, record.tokens[0].tier), (Kind::Phone, Tier::A));
        assert_eq!((cells[0].column.as_str(), cells[0].text.as_str()), ("phone", "77 123 45 67"));
        assert_eq!(defaults, content.defaults);
        assert!(matches!(decode(8, &encode_removed(7), true), Some(Stored::Removed(7))));
        for cut in 0..bytes.len() {
            assert!(decode(7, &bytes[..cut], true).is_none(), "{cut}");
        }
    }
}
