//! How parts become one string of bytes, so that no two lists of parts become the same: label first, each with its
//! length before it (4 bytes, big-endian).
//!
//! Callers: every hash, MAC and key derivation of matching. *Not* the wire format, which is [`crate::codec`].

use sha2::digest::Update;
use sha2::{Digest, Sha512};

/// Feeds the label and the parts, each with its length, to a hash or MAC.
pub(crate) fn absorb(into: &mut impl Update, label: &str, parts: &[&[u8]]) {
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        into.update(&(part.len() as u32).to_be_bytes());
        into.update(part);
    }
}

/// SHA-512 of the label and the parts.
pub(crate) fn hash(label: &str, parts: &[&[u8]]) -> [u8; 64] {
    let mut state = Sha512::default();
    absorb(&mut state, label, parts);
    state.finalize().into()
}

/// The label and the parts as bytes, for key derivations.
pub(crate) fn bytes(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    /// Collects what a hash would have been fed.
    struct Collected(Vec<u8>);
    impl Update for Collected {
        fn update(&mut self, data: &[u8]) {
            self.0.extend_from_slice(data);
        }
    }
    let length = 4 + label.len() + parts.iter().map(|part| 4 + part.len()).sum::<usize>();
    // all of it at once: no copy of a secret part is left behind by a growing vector
    let mut collected = Collected(Vec::with_capacity(length));
    absorb(&mut collected, label, parts);
    collected.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted() {
        assert_eq!(bytes("l", &[b"ab", b""]), b"\0\0\0\x01l\0\0\0\x02ab\0\0\0\0");
        assert_ne!(bytes("l", &[b"ab", b"c"]), bytes("l", &[b"a", b"bc"]));
        assert_ne!(bytes("l", &[b"ab"]), bytes("la", &[b"b"]));
        assert_eq!(hash("l", &[b"ab"])[..], Sha512::digest(bytes("l", &[b"ab"]))[..]);
    }
}
