//! Bytes that grow without leaving copies of themselves behind.
//!
//! Used by batch.rs and block.rs, whose buffers hold registers' text. *Not here:* what the bytes mean.

use std::convert::Infallible;
use std::ops::Deref;
use zeroize::Zeroizing;

/// A buffer that is wiped when it moves, and when it is dropped.
#[derive(Default)]
pub(super) struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    pub(super) fn with_capacity(capacity: usize) -> Wiped {
        Wiped(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let room = (self.0.capacity() * 2).max(self.0.len() + bytes.len());
            // The old one is wiped as it goes.
            let old = std::mem::replace(&mut self.0, Zeroizing::new(Vec::with_capacity(room)));
            self.0.extend_from_slice(&old);
        }
        self.0.extend_from_slice(bytes);
    }

    /// Zeros up to that length.
    pub(super) fn fill(&mut self, length: usize) {
        while self.0.len() < length {
            self.extend(&[0; 256][..(length - self.0.len()).min(256)]);
        }
    }

    pub(super) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl minicbor::encode::Write for &mut Wiped {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend(bytes);
        Ok(())
    }
}
