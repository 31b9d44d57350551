//! The body of an envelope: a *head* (a small typed message) and *rows* (raw bytes of a bulk kind), in frames (R23, R24).
//!
//! Part 0 is the head; the rows follow in frames of [`FRAME`] bytes, the last one shorter. The body's root is the
//! RFC 6962 Merkle root over these parts, so that a receiver checks each frame as it comes, a cut transfer goes on at
//! the first frame that is missing, and a head can be shown under a signed header without its rows (evidence, R17).
//!
//! Callers: whoever makes or receives an envelope. *Not here:* what heads and rows mean ([`crate::message`]).

use crate::codec::{Bytes, Hash};

/// Bytes of rows in one frame.
pub const FRAME: usize = 65_536;
/// The longest head, in bytes.
pub const MAX_HEAD: usize = 16_384;
/// The longest rows, in bytes (2^22 leaves or acknowledgement slots; far above what one message needs).
pub const MAX_ROWS: usize = 1 << 28;

/// A whole body in memory: what a unit sends, and what it has received and checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// The encoded head.
    pub head: Vec<u8>,
    /// The rows; empty for most kinds.
    pub rows: Vec<u8>,
}

impl Body {
    /// A body without rows.
    pub fn head_only(head: Vec<u8>) -> Self {
        Body { head, rows: Vec::new() }
    }

    /// Head and rows together, in bytes: the header's `body_len`.
    pub fn len(&self) -> u64 {
        (self.head.len() + self.rows.len()) as u64
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.rows.is_empty()
    }

    /// The frames of the rows, in order.
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.chunks(FRAME)
    }

    /// The root over head and frames: the header's `body_root`.
    pub fn root(&self) -> Hash {
        root(&self.head, self.frames())
    }
}

/// Number of frames that rows of `rows_len` bytes take.
pub fn frame_count(rows_len: u64) -> u64 {
    rows_len.div_ceil(FRAME as u64)
}

/// Length of frame `index` (from 0) of rows of `rows_len` bytes; `None` past the end.
pub fn frame_len(rows_len: u64, index: u64) -> Option<usize> {
    frames_len(rows_len, index, 1)
}

/// Length of up to `count` frames together, from frame `index` on; `None` past the end.
pub fn frames_len(rows_len: u64, index: u64, count: usize) -> Option<usize> {
    let start = index.checked_mul(FRAME as u64)?;
    let rest = rows_len.checked_sub(start).filter(|rest| *rest > 0)?;
    Some(rest.min((count * FRAME) as u64) as usize)
}

/// The root over a head and the frames of its rows.
pub fn root<'a>(head: &[u8], frames: impl Iterator<Item = &'a [u8]>) -> Hash {
    root_of_hashes(std::iter::once(part_hash(head)).chain(frames.map(part_hash)))
}

/// The root over the frames of `rows` alone: what the proof of an evaluation binds (R13).
pub fn rows_root(rows: &[u8]) -> Hash {
    root_of_hashes(rows.chunks(FRAME).map(part_hash))
}

/// The hash of one part: what is kept of a frame that was received, so that the root needs no second reading.
pub fn part_hash(part: &[u8]) -> Hash {
    Bytes(tlog::leaf_hash(part))
}

/// The root over the hashes of all parts, the head's first.
pub fn root_of_hashes(hashes: impl Iterator<Item = Hash>) -> Hash {
    let mut builder = tlog::RootBuilder::new();
    for hash in hashes {
        // The only error is a tree of 2^63 parts: no iterator of ours is that long.
        if builder.push_leaf_hash(hash.0).is_err() {
            break;
        }
    }
    Bytes(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_binds_every_part_and_their_number() {
        let body = Body { head: vec![1], rows: vec![7; FRAME + 1] };
        assert_eq!(body.frames().count() as u64, frame_count(body.rows.len() as u64));
        assert_eq!(frame_len(FRAME as u64 + 1, 1), Some(1));
        assert_eq!(frame_len(FRAME as u64 + 1, 2), None);
        assert_eq!(frame_len(0, 0), None);
        assert_eq!(frames_len(FRAME as u64 + 1, 0, 4), Some(FRAME + 1));
        assert_eq!(frames_len(9 * FRAME as u64, 2, 4), Some(4 * FRAME));
        assert_eq!(frames_len(9 * FRAME as u64, u64::MAX, 4), None);
        let root = body.root();
        for change in [
            Body { head: vec![2], ..body.clone() },
            Body { rows: vec![7; FRAME], ..body.clone() },
            Body { rows: [vec![8], vec![7; FRAME]].concat(), ..body.clone() },
        ] {
            assert_ne!(change.root(), root);
        }
    }
}
