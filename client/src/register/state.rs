//! The register's own figures, and what the index keeps of a reference.
//!
//! Called within the register only. *Not here:* the records themselves.

use super::RegisterError;
use super::record::{tier, tier_number};
use identifier::{Kind, Tier};
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where the figures stand.
pub(super) const KEY: &str = "register/state";

/// The form of the whole register. What begins otherwise was written by another version of the program.
const FORM: &str = "register in blocks, 2";
/// The form before: the same, with an index of one level.
const FORM_1: &str = "register in blocks, 1";

/// The figures, kept with each transaction that changes the register.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// The last serial that was given.
    pub(super) last: u64,
    /// Buckets of the index, in its main level.
    pub(super) buckets: u64,
    /// References in the fresh level of the index; None if it has but one.
    pub(super) fresh: Option<u64>,
    /// Live records.
    pub(super) records: u64,
    /// Live records that are restricted.
    pub(super) restricted: u64,
    /// Live tokens of each kind and tier; one that two records hold counts twice.
    pub(super) tokens: BTreeMap<(Kind, Tier), u64>,
    /// Hash of the identifier rules under which all tokens were made.
    pub(super) rules: Option<[u8; 32]>,
}

impl State {
    pub(super) fn add(&mut self, restricted: bool, tokens: impl IntoIterator<Item = (Kind, Tier)>) {
        self.records += 1;
        self.restricted += u64::from(restricted);
        for token in tokens {
            *self.tokens.entry(token).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, restricted: bool, tokens: impl IntoIterator<Item = (Kind, Tier)>) {
        self.records = self.records.saturating_sub(1);
        self.restricted = self.restricted.saturating_sub(u64::from(restricted));
        for token in tokens {
            if let Some(count) = self.tokens.get_mut(&token) {
                *count = count.saturating_sub(1);
            }
        }
        self.tokens.retain(|_, count| *count > 0);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out);
        // Writing into a Vec has no error.
        let _ = (|| {
            encoder.str(FORM)?.u64(self.last)?.u64(self.buckets)?.u64(self.records)?.u64(self.restricted)?;
            encoder.bytes(self.rules.as_ref().map_or(&[][..], |rules| &rules[..]))?;
            encoder.array(self.tokens.len() as u64)?;
            for ((kind, tier), count) in &self.tokens {
                encoder.str(kind.name())?.u8(tier_number(*tier))?.u64(*count)?;
            }
            match self.fresh {
                None => encoder.null()?,
                Some(fresh) => encoder.u64(fresh)?,
            };
            Ok::<_, minicbor::encode::Error<std::convert::Infallible>>(())
        })();
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<State, RegisterError> {
        let levels = match Decoder::new(bytes).str() {
            Ok(FORM) => true,
            Ok(FORM_1) => false,
            _ => return Err(RegisterError::Form),
        };
        Self::read(bytes, levels).ok_or(RegisterError::Damaged("its counts"))
    }

    fn read(bytes: &[u8], levels: bool) -> Option<State> {
        let mut d = Decoder::new(bytes);
        d.str().ok()?;
        let mut state = State { last: d.u64().ok()?, buckets: d.u64().ok()?, ..State::default() };
        state.records = d.u64().ok()?;
        state.restricted = d.u64().ok()?;
        state.rules = match d.bytes().ok()? {
            [] => None,
            rules => Some(rules.try_into().ok()?),
        };
        for _ in 0..d.array().ok()?? {
            let kind = Kind::by_name(d.str().ok()?)?;
            let tier = tier(d.u8().ok()?)?;
            state.tokens.insert((kind, tier), d.u64().ok()?);
        }
        if levels {
            state.fresh = d.decode().ok()?;
        }
        // More in the fresh level than there are at all: not what this program writes.
        (state.fresh.unwrap_or(0) <= state.records).then_some(state)
    }
}

/// Length of a digest of a record. It tells the unit's own edits apart, for the unit itself: 96 bits are ample.
pub(super) const DIGEST: usize = 12;

/// What the index keeps of a reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pointer {
    pub(super) serial: u64,
    /// Digest of what the agent sees of the record.
    pub(super) matching: [u8; DIGEST],
    /// Digest of the whole record.
    pub(super) whole: [u8; DIGEST],
}

/// A reference without its text: 16 bytes of its SHA-256. Only inside the vault and in memory.
pub fn reference_hash(reference: &str) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&Sha256::digest(reference.as_bytes())[..16]);
    out
}

/// As the version before wrote it.
#[cfg(test)]
pub(super) fn in_form_1(state: &State) -> Vec<u8> {
    let mut bytes = State { fresh: None, ..state.clone() }.encode();
    bytes.pop();
    bytes[FORM.len()] = b'1';
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut state = State { last: 9, buckets: 16, rules: Some([7; 32]), ..State::default() };
        state.add(true, [(Kind::Phone, Tier::A)]);
        assert_eq!(State::decode(&state.encode()).unwrap(), state);
        state.fresh = Some(1);
        assert_eq!(State::decode(&state.encode()).unwrap(), state);
        state.remove(true, [(Kind::Phone, Tier::A)]);
        assert!(State::decode(&state.encode()).is_err(), "more are fresh than there are");
        assert_eq!((state.records, state.restricted, state.tokens.len()), (0, 0, 0));
    }

    #[test]
    fn the_form_before_has_one_level() {
        let mut state = State { last: 9, buckets: 16, rules: Some([7; 32]), ..State::default() };
        state.add(false, [(Kind::Phone, Tier::A)]);
        assert_eq!(State::decode(&in_form_1(&state)).unwrap(), state);
    }

    #[test]
    fn another_form_is_refused() {
        // As before there were blocks: last serial, records, restricted, rules, tokens.
        assert!(matches!(State::decode(&[9, 9, 0, 0x40, 0x80]), Err(RegisterError::Form)));
        let bytes = State::default().encode();
        assert!(matches!(State::decode(&bytes[..bytes.len() - 1]), Err(RegisterError::Damaged(_))));
    }
}
