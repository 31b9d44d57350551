//! Our leaves with one peer in one epoch, and where each token stands (R14, R15, R21).
//!
//! There is a leaf for each token, by the million: each takes 64 bytes and an entry of the table of tags. The rooms of the
//! agent name a leaf by its place, which stays while the process lives. Callers: [`super::asking`], which places leaves,
//! [`super::releasing`], [`super::confirming`]. *Not here:* how leaves are kept in the vault, and when they are released.

use super::holdings::TokenIndex;
use super::rows::{Rows, tick_of};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use protocol::message::Size;
use protocol::overlap::RecordNumber;
use protocol::psi::MatchKey;
use protocol::tagset::Tag;
use std::collections::{BTreeMap, HashMap};

/// What a point or a leaf stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Token(TokenIndex),
    Canary(u32),
    /// A token that nobody holds any more: its point was asked for, its leaf is not made, or goes.
    Gone,
}

/// The place of a leaf.
pub(super) type Place = u32;

/// Where a token stands with this peer in this epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Not asked for.
    Unknown,
    Asked,
    Leaf(Place),
}

/// A leaf of ours.
pub(super) struct OwnLeaf {
    pub tag: Tag,
    pub key: MatchKey,
    /// Before it is sent: the tick from which it may go. Afterwards: the tick in which it went. No calendar has 2^32.
    when: u32,
    /// The first of the peer's records that hold its token, if [`OwnLeaf::NAMED`] is set.
    first: RecordNumber,
    what: Packed,
    /// Above 2 bits of state and 4 of its match.
    chunk_and_marks: u32,
}

/// [`What`] in 4 bytes: 2 bits for which, 30 for its number.
#[derive(Clone, Copy)]
struct Packed(u32);

impl From<What> for Packed {
    fn from(what: What) -> Self {
        const LAST: u32 = (1 << 30) - 1;
        Packed(match what {
            // A register of 2^30 tokens fits in no memory.
            What::Token(token) => token.min(LAST) << 2,
            What::Canary(index) => index.min(LAST) << 2 | 1,
            What::Gone => 2,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting = 0,
    Sent = 1,
    /// Removed with a set, and not forgotten yet: a match of it can still be on its way.
    Retired = 2,
    /// Its room is left over: tag and key are wiped.
    Empty = 3,
}

impl OwnLeaf {
    /// What it stands for.
    pub fn what(&self) -> What {
        let number = self.what.0 >> 2;
        match self.what.0 & 3 {
            0 => What::Token(number),
            1 => What::Canary(number),
            _ => What::Gone,
        }
    }

    /// A notice told its match.
    const MATCHED: u32 = 1 << 2;
    /// The peer's leaf verified under our key.
    const OURS: u32 = 1 << 3;
    /// The peer said the same of ours.
    const THEIRS: u32 = 1 << 4;
    /// The peer named a record.
    const NAMED: u32 = 1 << 5;
    /// Bits of state and match, below the chunk's number.
    const MARKS: u32 = 6;

    fn state(&self) -> State {
        match self.chunk_and_marks & 3 {
            0 => State::Waiting,
            1 => State::Sent,
            2 => State::Retired,
            _ => State::Empty,
        }
    }

    fn set_state(&mut self, state: State) {
        self.chunk_and_marks = self.chunk_and_marks & !3 | state as u32;
    }

    fn has(&self, mark: u32) -> bool {
        self.chunk_and_marks & mark != 0
    }

    fn mark(&mut self, mark: u32) {
        self.chunk_and_marks |= mark;
    }

    fn chunk(&self) -> usize {
        (self.chunk_and_marks >> Self::MARKS) as usize
    }

    /// Whether it went out, and a notice can speak of it.
    pub fn is_sent(&self) -> bool {
        matches!(self.state(), State::Sent | State::Retired)
    }

    /// The tick of the set that it went out with, if it did.
    pub fn sent_in(&self) -> Option<u64> {
        self.is_sent().then_some(u64::from(self.when))
    }

    /// The tick from which it may go; `None` once it went.
    pub fn due(&self) -> Option<u64> {
        (self.state() == State::Waiting).then_some(u64::from(self.when))
    }
}

/// Leaves that came of one request, as they lie together in one value of the vault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chunk {
    pub request: u32,
    pub number: u32,
    pub size: Size,
    start: Place,
    end: Place,
}

/// What notices and acknowledgements said of one leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Matched {
    /// The peer's leaf verified under our key.
    pub ours: bool,
    /// The peer said the same of ours.
    pub theirs: bool,
}

/// The leaves.
#[derive(Default)]
pub(super) struct Leaves {
    rows: Rows<OwnLeaf>,
    by_tag: HashTable<Place>,
    chunks: Vec<Chunk>,
    /// By token: 0 for unknown, 1 for asked, 2 and more for the leaf's place.
    standing: Vec<u32>,
    canaries: BTreeMap<u32, Place>,
    retired: BTreeMap<Place, u64>,
    /// Numbers of the peer's records after the first.
    further: HashMap<Place, Vec<RecordNumber>>,
    asked: usize,
    waiting_tokens: usize,
    sent: usize,
    newest: u64,
}

impl Leaves {
    // ---- tokens

    /// Where a token stands.
    pub fn standing(&self, token: TokenIndex) -> Standing {
        match self.standing.get(token as usize) {
            None | Some(0) => Standing::Unknown,
            Some(1) => Standing::Asked,
            Some(place) => Standing::Leaf(place - 2),
        }
    }

    /// Whether a token was asked for, or has its leaf.
    pub fn is_known(&self, token: TokenIndex) -> bool {
        self.standing(token) != Standing::Unknown
    }

    /// A token is asked for.
    pub fn ask(&mut self, token: TokenIndex) {
        self.stand(token, 1);
    }

    /// A token is not asked for any more, and has no leaf: where it stood.
    pub fn unknow(&mut self, token: TokenIndex) -> Standing {
        let before = self.standing(token);
        self.stand(token, 0);
        before
    }

    fn stand(&mut self, token: TokenIndex, as_what: u32) {
        let token = token as usize;
        if self.standing.len() <= token {
            if as_what == 0 {
                return;
            }
            // By whole pages, not by doubling: the first tokens asked for are spread over all there are.
            let pages = (token + 1).next_multiple_of(1 << 15);
            self.standing.reserve_exact(pages - self.standing.len());
            self.standing.resize(token + 1, 0);
        }
        let before = std::mem::replace(&mut self.standing[token], as_what);
        self.asked -= usize::from(before == 1);
        self.asked += usize::from(as_what == 1);
    }

    /// Tokens whose request is not answered yet.
    pub fn asked(&self) -> usize {
        self.asked
    }

    // ---- leaves

    /// Begins the next chunk of a request: what is placed from now on lies in it.
    pub fn begin(&mut self, request: u32, number: u32, size: Size) {
        let at = self.rows.len() as Place;
        self.chunks.push(Chunk { request, number, size, start: at, end: at });
    }

    /// Places a leaf into the last chunk that was begun (callers begin one first); its place. `Err` if the tag has a leaf
    /// already, with that one's place: a token that died and came back between two requests.
    pub fn place(&mut self, tag: Tag, what: What, key: MatchKey, due: u64) -> Result<Place, Place> {
        if self.chunks.is_empty() {
            self.begin(0, 0, Size::Opening);
        }
        let chunk = self.chunks.len() - 1;
        let rows = &self.rows;
        let vacant =
            match self.by_tag.entry(spread(&tag), |place| rows[*place].tag == tag, |place| spread(&rows[*place].tag)) {
                Entry::Occupied(there) => return Err(*there.get()),
                Entry::Vacant(vacant) => vacant,
            };
        let place = rows.len() as Place;
        vacant.insert(place);
        let chunk_and_marks = (chunk as u32) << OwnLeaf::MARKS;
        self.rows.push(OwnLeaf {
            tag,
            key,
            when: tick_of(due),
            first: RecordNumber(0),
            what: what.into(),
            chunk_and_marks,
        });
        self.chunks[chunk].end = place + 1;
        match what {
            What::Token(token) => {
                self.stand(token, place + 2);
                self.waiting_tokens += 1;
            }
            What::Canary(index) => {
                self.canaries.insert(index, place);
            }
            What::Gone => {}
        }
        Ok(place)
    }

    /// Makes room for so many leaves more in the table of tags: it does not grow step by step while they are placed.
    pub fn expect(&mut self, more: usize) {
        let rows = &self.rows;
        self.by_tag.reserve(more, |place| spread(&rows[*place].tag));
    }

    /// The place of a tag's leaf.
    pub fn find(&self, tag: &Tag) -> Option<Place> {
        self.by_tag.find(spread(tag), |place| self.rows[*place].tag == *tag).copied()
    }

    /// The leaf at a place that was found.
    pub fn at(&self, place: Place) -> &OwnLeaf {
        &self.rows[place]
    }

    /// All leaves, in the order in which they were placed.
    pub fn all(&self) -> impl Iterator<Item = Place> + '_ {
        (0..self.rows.len() as Place).filter(|place| self.rows[*place].state() != State::Empty)
    }

    /// All chunks.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The chunk in which a leaf lies.
    pub fn chunk_of(&self, place: Place) -> Chunk {
        self.chunks[self.rows[place].chunk()]
    }

    /// The leaves of a chunk that are not forgotten.
    pub fn of_chunk(&self, chunk: Chunk) -> impl Iterator<Item = Place> + '_ {
        (chunk.start..chunk.end).filter(|place| self.rows[*place].state() != State::Empty)
    }

    /// Leaves of canaries, by the canaries' index.
    pub fn canaries(&self) -> impl Iterator<Item = (u32, Place)> + '_ {
        self.canaries.iter().map(|(index, place)| (*index, *place))
    }

    /// A leaf went out with the set of this tick.
    pub fn mark_sent(&mut self, place: Place, tick: u64) {
        let leaf = &mut self.rows[place];
        if leaf.state() == State::Waiting {
            leaf.set_state(State::Sent);
            self.sent += 1;
            self.waiting_tokens -= usize::from(matches!(leaf.what(), What::Token(_)));
        }
        leaf.when = tick_of(tick);
        self.newest = self.newest.max(tick);
    }

    /// A leaf that is out went again with the set of this tick: the tick in which it came; `None` if it is not out.
    pub fn retire(&mut self, place: Place, tick: u64) -> Option<u64> {
        let leaf = &mut self.rows[place];
        if leaf.state() != State::Sent {
            return None;
        }
        leaf.set_state(State::Retired);
        self.retired.insert(place, tick);
        Some(u64::from(leaf.when))
    }

    /// Whether a leaf was removed by a set, or is none any more.
    pub fn is_retired(&self, place: Place) -> bool {
        matches!(self.rows[place].state(), State::Retired | State::Empty)
    }

    /// Leaves that were removed at or before this tick.
    pub fn retired_until(&self, tick: u64) -> Vec<Place> {
        self.retired.iter().filter(|(_, at)| **at <= tick).map(|(place, _)| *place).collect()
    }

    /// Forgets a leaf: its tag and match key are wiped. The chunk in which it lay.
    pub fn forget(&mut self, place: Place) -> Option<Chunk> {
        if self.rows[place].state() == State::Empty {
            return None;
        }
        let rows = &self.rows;
        if let Ok(entry) = self.by_tag.find_entry(spread(&rows[place].tag), |other| *other == place) {
            entry.remove();
        }
        let leaf = &mut self.rows[place];
        self.waiting_tokens -= usize::from(leaf.state() == State::Waiting && matches!(leaf.what(), What::Token(_)));
        self.sent -= usize::from(leaf.is_sent());
        if let What::Token(token) = leaf.what()
            && self.standing.get(token as usize) == Some(&(place + 2))
        {
            self.standing[token as usize] = 0;
        }
        leaf.set_state(State::Empty);
        leaf.tag = protocol::Bytes::ZERO;
        leaf.key = MatchKey::from_secret(&[0; 32]);
        leaf.what = What::Gone.into();
        leaf.chunk_and_marks &= !(OwnLeaf::MATCHED | OwnLeaf::OURS | OwnLeaf::THEIRS | OwnLeaf::NAMED);
        leaf.first = RecordNumber(0);
        let chunk = self.chunks[leaf.chunk()];
        self.retired.remove(&place);
        self.further.remove(&place);
        self.canaries.retain(|_, at| *at != place);
        Some(chunk)
    }

    /// A token that nobody held is held again, and its leaf is still there: it is the token's again. Whether it must go
    /// out once more, since a set had removed it.
    pub fn revive(&mut self, place: Place, token: TokenIndex, due: u64) -> bool {
        self.stand(token, place + 2);
        let leaf = &mut self.rows[place];
        leaf.what = What::Token(token).into();
        if leaf.state() != State::Retired {
            return false;
        }
        leaf.set_state(State::Waiting);
        leaf.when = tick_of(due);
        self.sent -= 1;
        self.waiting_tokens += 1;
        self.retired.remove(&place);
        true
    }

    /// Leaves that are out, removed ones among them until they are forgotten.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// Leaves of tokens that wait for a set.
    pub fn waiting_tokens(&self) -> usize {
        self.waiting_tokens
    }

    /// The last tick in which a leaf went out.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    // ---- matches

    /// What was said of a leaf's match, if there is one.
    pub fn matched(&self, place: Place) -> Option<Matched> {
        let leaf = &self.rows[place];
        leaf.has(OwnLeaf::MATCHED).then(|| Matched { ours: leaf.has(OwnLeaf::OURS), theirs: leaf.has(OwnLeaf::THEIRS) })
    }

    /// A notice told the match of a leaf; whether the peer's leaf verified.
    pub fn note_ours(&mut self, place: Place, verified: bool) {
        let leaf = &mut self.rows[place];
        leaf.mark(OwnLeaf::MATCHED | if verified { OwnLeaf::OURS } else { 0 });
    }

    /// The peer confirmed the match of a leaf, and named records of its own; not more than `most` are kept.
    pub fn note_theirs(&mut self, place: Place, confirmed: bool, records: &[RecordNumber], most: usize) {
        let leaf = &mut self.rows[place];
        if !leaf.has(OwnLeaf::MATCHED) {
            return;
        }
        leaf.mark(if confirmed { OwnLeaf::THEIRS } else { 0 });
        for number in records {
            if !leaf.has(OwnLeaf::NAMED) {
                leaf.mark(OwnLeaf::NAMED);
                leaf.first = *number;
            } else if leaf.first != *number {
                let further = self.further.entry(place).or_default();
                if !further.contains(number) && further.len() + 1 < most {
                    further.push(*number);
                }
            }
        }
    }

    /// The peer's records that hold the token of a leaf, as far as it said.
    pub fn peer_records(&self, place: Place) -> impl Iterator<Item = RecordNumber> + '_ {
        let leaf = &self.rows[place];
        let first = leaf.has(OwnLeaf::NAMED).then_some(leaf.first);
        first.into_iter().chain(self.further.get(&place).into_iter().flatten().copied())
    }

    /// Leaves whose match both sides confirmed, in the order of their places. Looks at every leaf.
    pub fn met(&self) -> Vec<Place> {
        const BOTH: u32 = OwnLeaf::OURS | OwnLeaf::THEIRS;
        let places = 0..self.rows.len() as Place;
        places.filter(|place| self.rows[*place].chunk_and_marks & BOTH == BOTH).collect()
    }
}

/// The beginning of a tag, which is as good as random: what the table needs. A peer cannot choose it.
fn spread(tag: &Tag) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&tag.0[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Bytes;

    fn placed(leaves: &mut Leaves, n: u8) -> Place {
        leaves.place(Bytes([n; 16]), What::Token(u32::from(n)), MatchKey::from_secret(&[n; 32]), 5).expect("a new tag")
    }

    #[test]
    fn a_leaf_takes_few_bytes() {
        assert!(size_of::<OwnLeaf>() <= 64, "{}", size_of::<OwnLeaf>());
    }

    #[test]
    fn a_leaf_lives_and_is_forgotten() {
        let mut leaves = Leaves::default();
        leaves.begin(0, 0, Size::Opening);
        leaves.ask(1);
        assert_eq!((leaves.asked(), leaves.standing(1), leaves.standing(9)), (1, Standing::Asked, Standing::Unknown));
        let (one, two) = (placed(&mut leaves, 1), placed(&mut leaves, 2));
        assert_eq!((leaves.asked(), leaves.standing(1)), (0, Standing::Leaf(one)));
        assert_eq!(leaves.place(Bytes([2; 16]), What::Gone, MatchKey::from_secret(&[0; 32]), 0), Err(two));
        assert_eq!((leaves.waiting_tokens(), leaves.sent(), leaves.at(one).due()), (2, 0, Some(5)));
        assert_eq!(leaves.retire(one, 6), None, "it is not out");
        leaves.mark_sent(one, 7);
        assert_eq!((leaves.waiting_tokens(), leaves.sent(), leaves.newest()), (1, 1, 7));
        leaves.note_ours(one, true);
        leaves.note_theirs(one, true, &[RecordNumber(1), RecordNumber(2), RecordNumber(1), RecordNumber(3)], 2);
        assert!(leaves.peer_records(one).eq([RecordNumber(1), RecordNumber(2)]));
        assert_eq!(leaves.met(), [one]);
        assert_eq!(leaves.retire(one, 9), Some(7));
        assert_eq!((leaves.retired_until(8), leaves.retired_until(9)), (vec![], vec![one]));
        let chunk = leaves.forget(one).expect("it was there");
        assert!(leaves.of_chunk(chunk).eq([two]));
        assert_eq!((leaves.find(&Bytes([1; 16])), leaves.find(&Bytes([2; 16]))), (None, Some(two)));
        assert_eq!((leaves.forget(one), leaves.matched(one), leaves.standing(1)), (None, None, Standing::Unknown));
        assert_eq!(leaves.at(one).key.expose_secret(), &[0; 32], "the match key is wiped");
    }
}
