//! Records that are ready to be put: written into one buffer, with their digests.
//!
//! Made on the thread that reads a file, so that the thread that writes has little to do; consumed by
//! [`RegisterWriter::put_batch`](super::RegisterWriter::put_batch). *Not here:* numbers and blocks.

use super::record::{Content, Parts, encode_rest, encode_seen};
use super::state::{DIGEST, reference_hash};
use super::wiped::Wiped;
use identifier::{Kind, Tier};
use sha2::{Digest, Sha256};

/// Some records, in the order in which they are to be put.
#[derive(Default)]
pub struct Batch {
    bytes: Wiped,
    kinds: Vec<(Kind, Tier)>,
    ends: Vec<End>,
}

/// What is known of a record, and where it ends in the buffers.
struct End {
    hash: [u8; 16],
    matching: [u8; DIGEST],
    whole: [u8; DIGEST],
    restricted: bool,
    seen: usize,
    rest: usize,
    kinds: usize,
}

/// One record of a batch.
pub(super) struct Ready<'a> {
    pub(super) hash: [u8; 16],
    /// Digest of what the agent sees: if it is the same, nothing changed for anyone else.
    pub(super) matching: [u8; DIGEST],
    /// Digest of the whole record.
    pub(super) whole: [u8; DIGEST],
    pub(super) restricted: bool,
    pub(super) kinds: &'a [(Kind, Tier)],
    pub(super) seen: &'a [u8],
    pub(super) rest: &'a [u8],
}

impl Batch {
    /// With room for that many bytes, so that it need not move.
    pub fn with_capacity(bytes: usize) -> Batch {
        Batch { bytes: Wiped::with_capacity(bytes), ..Batch::default() }
    }

    /// Adds a record.
    pub fn push(&mut self, parts: &Parts<'_>) {
        let start = self.bytes.len();
        encode_seen(parts, &mut self.bytes);
        let seen = self.bytes.len();
        encode_rest(parts, &mut self.bytes);
        let mut hash = Sha256::new_with_prefix(&self.bytes[start..seen]);
        let matching = short(hash.clone());
        hash.update(&self.bytes[seen..]);
        self.kinds.extend(parts.tokens.iter().map(|(kind, tier, _)| (*kind, *tier)));
        self.ends.push(End {
            hash: reference_hash(parts.reference),
            matching,
            whole: short(hash),
            restricted: parts.restricted,
            seen,
            rest: self.bytes.len(),
            kinds: self.kinds.len(),
        });
    }

    /// Adds a record that has its parts for itself.
    pub fn push_content(&mut self, content: &Content) {
        let tokens: Vec<_> =
            content.tokens.iter().map(|token| (token.kind, token.tier, token.bytes.as_slice())).collect();
        let cells: Vec<_> = content.cells.iter().map(|cell| (cell.column.as_str(), cell.text.as_str())).collect();
        let Content { reference, restricted, defaults, .. } = content;
        self.push(&Parts { reference, restricted: *restricted, tokens: &tokens, cells: &cells, defaults });
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.ends.iter().map(|end| &end.hash)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = Ready<'_>> {
        let (mut start, mut first) = (0, 0);
        self.ends.iter().map(move |end| {
            let ready = Ready {
                hash: end.hash,
                matching: end.matching,
                whole: end.whole,
                restricted: end.restricted,
                kinds: &self.kinds[first..end.kinds],
                seen: &self.bytes[start..end.seen],
                rest: &self.bytes[end.seen..end.rest],
            };
            (start, first) = (end.rest, end.kinds);
            ready
        })
    }
}

fn short(hash: Sha256) -> [u8; DIGEST] {
    let mut out = [0; DIGEST];
    out.copy_from_slice(&hash.finalize()[..DIGEST]);
    out
}
