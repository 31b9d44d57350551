//! What a unit holds: its live tokens, and which records hold each.
//!
//! Built from the register by the shell, record by record; kept in memory only. Callers: the other rooms of the agent.
//! *Not here:* what a token stands for. Kind and tier are carried as the numbers the register gave them.

use super::rows::Rows;
use super::store::{Reader, Writer};
use hashbrown::HashTable;
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
    /// Its name: the same after an edit.
    pub serial: u64,
    /// Where the register has it now: its serial there.
    pub kept_at: u64,
    /// Whether its acknowledgement is withheld until officers release it (R17).
    pub restricted: bool,
    /// Its tokens, each once.
    pub tokens: Vec<HeldToken>,
}

struct Token {
    digest: Digest,
    at: Place,
    len: u16,
    worth: Worth,
    /// The first of the records that hold it; [`NOBODY`] if none does.
    holder: u32,
}

struct Record {
    name: u64,
    /// Its serial: a register sees no 2^32 changes.
    kept_at: u32,
    /// Its tokens: so many from this place of [`Holdings::held`].
    start: u32,
    len: u16,
    restricted: bool,
    gone: bool,
}

/// In place of a record's place.
const NOBODY: u32 = u32::MAX;

/// All live tokens and records.
///
/// There are as many as a register has rows, so each takes few bytes. What is removed is forgotten when the process ends.
#[derive(Default)]
pub struct Holdings {
    tokens: Rows<Token>,
    text: Text,
    by_digest: HashTable<TokenIndex>,
    /// Further holders of tokens that several records hold.
    others: HashMap<TokenIndex, Vec<u32>>,
    records: Rows<Record>,
    held: Rows<TokenIndex>,
    by_name: HashTable<u32>,
    live: usize,
}

/// Where a token's bytes lie: block, and offset in it.
type Place = u32;

/// The bytes of all tokens, one after the other. Wiped when dropped.
#[derive(Default)]
struct Text {
    blocks: Vec<Zeroizing<Vec<u8>>>,
}

impl Text {
    /// Bytes of one block: 2^20, so that 2^12 of them have a place.
    const BLOCK: usize = 1 << 20;

    /// `None` if there is no room: above 65,535 bytes, or 4 GiB in all.
    fn keep(&mut self, bytes: &[u8]) -> Option<(Place, u16)> {
        let len = u16::try_from(bytes.len()).ok()?;
        if self.blocks.last().is_none_or(|last| last.len() + bytes.len() > Self::BLOCK) {
            if self.blocks.len() == 1 << 12 {
                return None;
            }
            self.blocks.push(Zeroizing::new(Vec::with_capacity(Self::BLOCK)));
        }
        let block = self.blocks.len() - 1;
        let last = &mut self.blocks[block];
        let at = (block << 20 | last.len()) as Place;
        last.extend_from_slice(bytes);
        Some((at, len))
    }

    fn get(&self, at: Place, len: u16) -> &[u8] {
        let (block, start) = (at as usize >> 20, at as usize & (Self::BLOCK - 1));
        &self.blocks[block][start..start + usize::from(len)]
    }
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
    /// Applies added and removed records. A name that is there already is left alone.
    pub fn apply(&mut self, added: Vec<HeldRecord>, removed: &[u64]) -> Difference {
        let mut difference = Difference::default();
        for name in removed {
            let Some(place) = self.take_out(*name) else { continue };
            for index in self.tokens_at(place) {
                self.let_go(index, place);
                if !self.is_live(index) {
                    difference.died.push(index);
                }
            }
        }
        for HeldRecord { serial, kept_at, restricted, tokens } in added {
            if self.place_of(serial).is_some() {
                continue;
            }
            let (place, start) = (self.records.len() as u32, self.held.len() as u32);
            for token in tokens.into_iter().take(usize::from(u16::MAX)) {
                let Some(index) = self.index_of(&token) else { continue };
                match self.hold(index, place) {
                    Hold::First => difference.born.push(index),
                    Hold::Further => difference.joined.push((index, serial)),
                    Hold::Already => continue,
                }
                self.held.push(index);
            }
            let len = (self.held.len() as u32 - start) as u16;
            let kept_at = u32::try_from(kept_at).unwrap_or(u32::MAX);
            self.records.push(Record { name: serial, kept_at, start, len, restricted, gone: false });
            let records = &self.records;
            self.by_name.insert_unique(serial, place, |place| records[*place].name);
        }
        // A record that changed is removed and added in one go: what is held again did not die.
        let died = std::mem::take(&mut difference.died);
        let (back, gone): (Vec<TokenIndex>, Vec<TokenIndex>) = died.into_iter().partition(|index| self.is_live(*index));
        difference.died = gone;
        if !back.is_empty() {
            let again: std::collections::HashSet<TokenIndex> = back.iter().copied().collect();
            difference.born.retain(|index| !again.contains(index));
            for index in back {
                difference.joined.extend(self.holders(index).map(|name| (index, name)));
            }
        }
        difference
    }

    /// Takes a record out of the table; its place.
    fn take_out(&mut self, name: u64) -> Option<u32> {
        let records = &self.records;
        let found = self.by_name.find_entry(name, |place| records[*place].name == name).ok()?;
        let (place, _) = found.remove();
        self.records[place].gone = true;
        Some(place)
    }

    fn place_of(&self, name: u64) -> Option<u32> {
        self.by_name.find(name, |place| self.records[*place].name == name).copied()
    }

    fn tokens_at(&self, place: u32) -> Vec<TokenIndex> {
        let Record { start, len, .. } = self.records[place];
        (start..start + u32::from(len)).map(|at| self.held[at]).collect()
    }

    fn index_of(&mut self, held: &HeldToken) -> Option<TokenIndex> {
        let digest = digest_of(&held.bytes);
        if let Some(index) = self.find(&digest) {
            return Some(index);
        }
        let (at, len) = self.text.keep(&held.bytes)?;
        let index = self.tokens.push(Token { digest, at, len, worth: held.worth, holder: NOBODY });
        let tokens = &self.tokens;
        self.by_digest.insert_unique(spread(&digest), index, |index| spread(&tokens[*index].digest));
        Some(index)
    }

    fn hold(&mut self, index: TokenIndex, record: u32) -> Hold {
        let token = &mut self.tokens[index];
        if token.holder == NOBODY {
            token.holder = record;
            self.live += 1;
            return Hold::First;
        }
        if token.holder == record {
            return Hold::Already;
        }
        let others = self.others.entry(index).or_default();
        if others.contains(&record) {
            return Hold::Already;
        }
        others.push(record);
        Hold::Further
    }

    fn let_go(&mut self, index: TokenIndex, record: u32) {
        let others = self.others.get_mut(&index);
        if self.tokens[index].holder == record {
            let next = others.filter(|others| !others.is_empty()).map(|others| others.remove(0));
            self.live -= usize::from(next.is_none());
            self.tokens[index].holder = next.unwrap_or(NOBODY);
        } else if let Some(others) = others {
            others.retain(|other| *other != record);
        }
    }

    /// The token of a digest, if it is or was held since the process began.
    pub fn find(&self, digest: &Digest) -> Option<TokenIndex> {
        self.by_digest.find(spread(digest), |index| self.tokens[*index].digest == *digest).copied()
    }

    /// Every token that a record holds.
    pub fn live(&self) -> impl Iterator<Item = TokenIndex> + '_ {
        (0..self.tokens.len() as TokenIndex).filter(|index| self.is_live(*index))
    }

    /// Whether a record holds the token.
    pub fn is_live(&self, index: TokenIndex) -> bool {
        self.tokens[index].holder != NOBODY
    }

    /// The token's bytes.
    pub fn bytes(&self, index: TokenIndex) -> &[u8] {
        let Token { at, len, .. } = self.tokens[index];
        self.text.get(at, len)
    }

    /// The token's name on this machine.
    pub fn digest(&self, index: TokenIndex) -> Digest {
        self.tokens[index].digest
    }

    /// The token's kind and tier.
    pub fn worth(&self, index: TokenIndex) -> Worth {
        self.tokens[index].worth
    }

    /// Names of the records that hold the token.
    pub fn holders(&self, index: TokenIndex) -> impl Iterator<Item = u64> + '_ {
        self.records_of(index).map(|record| record.name)
    }

    /// Names of the records that hold the token and are not restricted.
    pub fn open_holders(&self, index: TokenIndex) -> impl Iterator<Item = u64> + '_ {
        self.records_of(index).filter(|record| !record.restricted).map(|record| record.name)
    }

    fn records_of(&self, index: TokenIndex) -> impl Iterator<Item = &Record> + '_ {
        let others = self.others.get(&index).map_or(&[][..], Vec::as_slice);
        let places = std::iter::once(self.tokens[index].holder).chain(others.iter().copied());
        places.filter(|place| *place != NOBODY).map(|place| &self.records[place])
    }

    /// How many records hold the token.
    pub fn holder_count(&self, index: TokenIndex) -> usize {
        usize::from(self.is_live(index)) + self.others.get(&index).map_or(0, Vec::len)
    }

    /// Where the register has a record, by its name.
    pub fn kept_at(&self, name: u64) -> Option<u64> {
        self.place_of(name).map(|place| u64::from(self.records[place].kept_at))
    }

    /// The names of the records that the register has at these serials. Looks at every record.
    pub fn names_at(&self, kept_at: &std::collections::HashSet<u64>) -> Vec<u64> {
        if kept_at.is_empty() {
            return Vec::new();
        }
        let there = |record: &&Record| !record.gone && kept_at.contains(&u64::from(record.kept_at));
        self.records.iter().filter(there).map(|record| record.name).collect()
    }

    /// Whether the record is restricted.
    pub fn is_restricted(&self, name: u64) -> bool {
        self.place_of(name).is_some_and(|place| self.records[place].restricted)
    }

    /// Lifts a record's restriction; its tokens.
    pub fn release(&mut self, name: u64) -> Vec<TokenIndex> {
        match self.place_of(name) {
            Some(place) if self.records[place].restricted => {
                self.records[place].restricted = false;
                self.tokens_at(place)
            }
            _ => Vec::new(),
        }
    }

    /// Number of live tokens, and of records.
    pub fn counts(&self) -> (usize, usize) {
        (self.live, self.by_name.len())
    }
}

/// What it was to hold a token.
enum Hold {
    First,
    Further,
    Already,
}

/// The beginning of a digest, which is as good as random: what the table needs.
fn spread(digest: &Digest) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
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
        HeldRecord { serial, kept_at: serial, restricted: false, tokens }
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
        assert!(h.holders(h.find(&digest_of(b"a")).unwrap()).eq([2]));
    }
}
