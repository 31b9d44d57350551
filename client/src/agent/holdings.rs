//! What a unit holds: its live tokens, and which records hold each.
//!
//! Built from the register by the shell, record by record; kept in memory only. Callers: the other rooms of the agent.
//! *Not here:* what a token stands for. Kind and tier are carried as the numbers the register gave them.

use super::store::{Reader, Writer};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use zeroize::Zeroizing;

/// A short name of a token on this machine: it never leaves it.
pub type Digest = [u8; 16];

/// The place of a token in [`Holdings`]; stable while the process lives.
pub type TokenIndex = u32;

/// A token as the register gives it.
pub struct HeldToken {
    /// Canonical bytes, with the kind inside.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The kind and tier, for people.
    pub worth: Worth,
}

/// What kind of identifier a token is, and of which tier: numbers of package `identifier`, opaque here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct Worth {
    /// The kind.
    pub kind: u16,
    /// The tier.
    pub tier: u8,
}

/// A record as the register gives it.
pub struct HeldRecord {
    /// Its serial in the register.
    pub serial: u64,
    /// Whether its acknowledgement is withheld until officers release it (R17).
    pub restricted: bool,
    /// Its tokens, each once.
    pub tokens: Vec<HeldToken>,
}

struct Token {
    digest: Digest,
    bytes: Zeroizing<Box<[u8]>>,
    worth: Worth,
    holders: Vec<u64>,
}

struct Record {
    restricted: bool,
    tokens: Box<[TokenIndex]>,
}

/// All live tokens and records.
#[derive(Default)]
pub struct Holdings {
    tokens: Vec<Token>,
    by_digest: HashMap<Digest, TokenIndex>,
    records: HashMap<u64, Record>,
}

/// What a change of the register did to the tokens.
#[derive(Default)]
pub struct Difference {
    /// Tokens that a record holds now and none did before.
    pub born: Vec<TokenIndex>,
    /// Tokens that no record holds any more.
    pub died: Vec<TokenIndex>,
    /// Tokens that were held before and have one more record: (token, record).
    pub joined: Vec<(TokenIndex, u64)>,
}

impl Holdings {
    /// Applies added and removed records. A serial that is there already is left alone.
    pub fn apply(&mut self, added: Vec<HeldRecord>, removed: &[u64]) -> Difference {
        let mut difference = Difference::default();
        for serial in removed {
            let Some(record) = self.records.remove(serial) else { continue };
            for index in record.tokens {
                let token = &mut self.tokens[index as usize];
                token.holders.retain(|holder| holder != serial);
                if token.holders.is_empty() {
                    difference.died.push(index);
                }
            }
        }
        for HeldRecord { serial, restricted, tokens } in added {
            if self.records.contains_key(&serial) {
                continue;
            }
            let mut indices = Vec::with_capacity(tokens.len());
            for held in tokens {
                let index = self.index_of(held);
                let holders = &mut self.tokens[index as usize].holders;
                if holders.contains(&serial) {
                    continue;
                }
                if holders.is_empty() {
                    difference.born.push(index);
                } else {
                    difference.joined.push((index, serial));
                }
                holders.push(serial);
                indices.push(index);
            }
            self.records.insert(serial, Record { restricted, tokens: indices.into() });
        }
        // A record that changed is removed and added in one go: what is held again did not die.
        let alive = |tokens: &[Token], index: TokenIndex| !tokens[index as usize].holders.is_empty();
        let gone: Vec<TokenIndex> = difference.died.iter().copied().filter(|i| !alive(&self.tokens, *i)).collect();
        let back: Vec<TokenIndex> = difference.died.iter().copied().filter(|i| alive(&self.tokens, *i)).collect();
        difference.born.retain(|index| !back.contains(index));
        for index in back {
            difference.joined.extend(self.tokens[index as usize].holders.iter().map(|serial| (index, *serial)));
        }
        difference.died = gone;
        difference
    }

    fn index_of(&mut self, held: HeldToken) -> TokenIndex {
        let digest = digest_of(&held.bytes);
        *self.by_digest.entry(digest).or_insert_with(|| {
            let bytes = Zeroizing::new(held.bytes.as_slice().into());
            self.tokens.push(Token { digest, bytes, worth: held.worth, holders: Vec::new() });
            (self.tokens.len() - 1) as TokenIndex
        })
    }

    /// The token of a digest, if it is or was held since the process began.
    pub fn find(&self, digest: &Digest) -> Option<TokenIndex> {
        self.by_digest.get(digest).copied()
    }

    /// Every token that a record holds.
    pub fn live(&self) -> impl Iterator<Item = TokenIndex> + '_ {
        (0..self.tokens.len() as TokenIndex).filter(|index| self.is_live(*index))
    }

    /// Whether a record holds the token.
    pub fn is_live(&self, index: TokenIndex) -> bool {
        !self.tokens[index as usize].holders.is_empty()
    }

    /// The token's bytes.
    pub fn bytes(&self, index: TokenIndex) -> &[u8] {
        &self.tokens[index as usize].bytes
    }

    /// The token's name on this machine.
    pub fn digest(&self, index: TokenIndex) -> Digest {
        self.tokens[index as usize].digest
    }

    /// The token's kind and tier.
    pub fn worth(&self, index: TokenIndex) -> Worth {
        self.tokens[index as usize].worth
    }

    /// Serials of the records that hold the token.
    pub fn holders(&self, index: TokenIndex) -> &[u64] {
        &self.tokens[index as usize].holders
    }

    /// Whether the record is restricted.
    pub fn is_restricted(&self, serial: u64) -> bool {
        self.records.get(&serial).is_some_and(|record| record.restricted)
    }

    /// Lifts a record's restriction; its tokens.
    pub fn release(&mut self, serial: u64) -> Vec<TokenIndex> {
        match self.records.get_mut(&serial) {
            Some(record) if record.restricted => {
                record.restricted = false;
                record.tokens.to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Number of live tokens, and of records.
    pub fn counts(&self) -> (usize, usize) {
        (self.live().count(), self.records.len())
    }
}

/// The short name of a token.
pub fn digest_of(bytes: &[u8]) -> Digest {
    let hash = Sha256::new().chain_update(b"sutura/1 local token").chain_update(bytes).finalize();
    let mut out = [0; 16];
    out.copy_from_slice(&hash[..16]);
    out
}

impl Worth {
    pub(super) fn write(self, w: &mut Writer) {
        w.u64(u64::from(self.kind));
        w.u64(u64::from(self.tier));
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        Some(Worth { kind: r.u64()?.try_into().ok()?, tier: r.u64()?.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(serial: u64, tokens: &[&str]) -> HeldRecord {
        let tokens = tokens
            .iter()
            .map(|t| HeldToken { bytes: Zeroizing::new(t.as_bytes().to_vec()), worth: Worth { kind: 1, tier: 1 } })
            .collect();
        HeldRecord { serial, restricted: false, tokens }
    }

    #[test]
    fn tokens_are_born_joined_and_die() {
        let mut h = Holdings::default();
        let d = h.apply(vec![record(1, &["a", "b", "a"]), record(2, &["b"])], &[]);
        assert_eq!((d.born.len(), d.joined.len(), d.died.len()), (2, 1, 0));
        let d = h.apply(vec![], &[1]);
        assert_eq!((d.born.len(), d.joined.len(), d.died.len()), (0, 0, 1));
        assert_eq!(h.counts(), (1, 1));
    }

    #[test]
    fn a_record_that_changes_keeps_its_tokens_alive() {
        let mut h = Holdings::default();
        h.apply(vec![record(1, &["a", "b"])], &[]);
        let d = h.apply(vec![record(2, &["a", "c"])], &[1]);
        assert_eq!((d.born.len(), d.died.len()), (1, 1));
        assert_eq!(d.joined.len(), 1);
        assert_eq!(h.holders(h.find(&digest_of(b"a")).unwrap()), &[2]);
    }
}
