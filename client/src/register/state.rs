//! The register's own figures, and the index from references to serials: both are small values of the vault.
//!
//! Called by register.rs and writing.rs only. *Not here:* the records themselves.

use super::record::{StoredToken, tier, tier_number};
use identifier::{Kind, Tier};
use minicbor::{Decoder, Encoder};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Where the figures stand.
pub(super) const KEY: &str = "register/state";

/// The figures, kept with each transaction that changes the register.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct State {
    /// The last serial that was given.
    pub(super) last: u64,
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
    pub(super) fn add(&mut self, restricted: bool, tokens: &[StoredToken]) {
        self.records += 1;
        self.restricted += u64::from(restricted);
        for token in tokens {
            *self.tokens.entry((token.kind, token.tier)).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, restricted: bool, tokens: &[StoredToken]) {
        self.records = self.records.saturating_sub(1);
        self.restricted = self.restricted.saturating_sub(u64::from(restricted));
        for token in tokens {
            if let Some(count) = self.tokens.get_mut(&(token.kind, token.tier)) {
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
            encoder.u64(self.last)?.u64(self.records)?.u64(self.restricted)?;
            encoder.bytes(self.rules.as_ref().map_or(&[][..], |rules| &rules[..]))?;
            encoder.array(self.tokens.len() as u64)?;
            for ((kind, tier), count) in &self.tokens {
                encoder.str(kind.name())?.u8(tier_number(*tier))?.u64(*count)?;
            }
            Ok::<_, minicbor::encode::Error<std::convert::Infallible>>(())
        })();
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<State> {
        let mut d = Decoder::new(bytes);
        let mut state = State { last: d.u64().ok()?, records: d.u64().ok()?, ..State::default() };
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
        Some(state)
    }
}

/// What stands under `reference/<hash>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) serial: u64,
    /// Digest of what the agent sees of the record.
    pub(super) matching: [u8; 16],
    /// Digest of the whole record.
    pub(super) whole: [u8; 16],
}

impl Pointer {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(40));
        out.extend_from_slice(&self.serial.to_be_bytes());
        out.extend_from_slice(&self.matching);
        out.extend_from_slice(&self.whole);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Pointer> {
        let (serial, rest) = bytes.split_first_chunk()?;
        let (matching, rest) = rest.split_first_chunk()?;
        Some(Pointer { serial: u64::from_be_bytes(*serial), matching: *matching, whole: rest.try_into().ok()? })
    }
}

/// A reference without its text: 16 bytes of its SHA-256. Only inside the vault and in memory.
pub fn reference_hash(reference: &str) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&Sha256::digest(reference.as_bytes())[..16]);
    out
}

/// Where the pointer of a reference stands.
pub(super) fn pointer_key(hash: &[u8; 16]) -> String {
    format!("reference/{}", hex::encode(hash))
}

/// Where a record, or the note of its removal, stands.
pub(super) fn record_key(serial: u64) -> String {
    format!("record/{serial}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut state = State { last: 9, rules: Some([7; 32]), ..State::default() };
        let token = StoredToken { kind: Kind::Phone, tier: Tier::A, bytes: Zeroizing::new(vec![]) };
        state.add(true, &[token]);
        assert_eq!(State::decode(&state.encode()).as_ref(), Some(&state));
        state.remove(true, &[StoredToken { kind: Kind::Phone, tier: Tier::A, bytes: Zeroizing::new(vec![]) }]);
        assert_eq!((state.records, state.restricted, state.tokens.len()), (0, 0, 0));
        let pointer = Pointer { serial: 3, matching: [1; 16], whole: [2; 16] };
        assert!(Pointer::decode(&pointer.encode()) == Some(pointer));
    }
}
