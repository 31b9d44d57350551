//! The root of a file, computed while it streams past.
//!
//! Callers: the client when a file is attached, [`crate::parcel`] when it is sealed and opened. *Not here:* reading.

use crate::body::FRAME;
use crate::codec::{Bytes, Hash};
use sha2::{Digest, Sha256};

/// Merkle root (RFC 6962) over the 64 KiB chunks of a file: the same as [`crate::body::rows_root`] of the whole.
///
/// It holds one hash for each level of the tree and none of the file's bytes.
pub struct FileRoot {
    chunks: tlog::RootBuilder,
    chunk: Sha256,
    /// Bytes of the current chunk that are hashed.
    filled: usize,
    length: u64,
}

impl Default for FileRoot {
    fn default() -> Self {
        FileRoot::new()
    }
}

impl FileRoot {
    /// Of an empty file so far.
    pub fn new() -> Self {
        FileRoot { chunks: tlog::RootBuilder::new(), chunk: leaf(), filled: 0, length: 0 }
    }

    /// The next bytes of the file, however many.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(FRAME - self.filled));
            self.chunk.update(now);
            self.filled += now.len();
            bytes = rest;
            if self.filled == FRAME {
                self.end_chunk();
            }
        }
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Length and root of the whole file.
    pub fn finish(mut self) -> (u64, Hash) {
        if self.filled > 0 {
            self.end_chunk();
        }
        (self.length, Bytes(self.chunks.finish()))
    }

    fn end_chunk(&mut self) {
        let hash = std::mem::replace(&mut self.chunk, leaf()).finalize();
        // The only error is a tree of 2^63 chunks: no file is that long.
        let _ = self.chunks.push_leaf_hash(hash.into());
        self.filled = 0;
    }
}

/// A leaf's hash before its bytes, as `tlog::leaf_hash` begins it (the test holds both together).
fn leaf() -> Sha256 {
    Sha256::new().chain_update([0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::rows_root;

    #[test]
    fn a_streamed_root_is_that_of_the_whole_however_it_is_cut() {
        for length in [0, 1, FRAME - 1, FRAME, FRAME + 1, 5 * FRAME + 7] {
            let file: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            for cut in [1 + length / 3, 1000, FRAME, 2 * FRAME + 1] {
                let mut root = FileRoot::new();
                file.chunks(cut).for_each(|bytes| root.update(bytes));
                assert_eq!(root.finish(), (length as u64, rows_root(&file)), "{length} cut at {cut}");
            }
        }
        assert_ne!(rows_root(b"a"), rows_root(b"b"));
    }
}
