//! How the agent writes its state into the vault: small CBOR sequences, sealed by the vault.
//!
//! Callers: the other rooms of the agent. *Not* a wire format: nothing written here ever leaves the machine, and only
//! the same unit's agent reads it. Reading gives `None` for anything unexpected; the caller makes that an error.

use zeroize::Zeroizing;

/// Writes values one after the other. What it holds is zeroized.
#[derive(Default)]
pub struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with room for so many bytes: it does not move while they are written.
    pub fn with_room(bytes: usize) -> Self {
        Writer(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// A number.
    pub fn u64(&mut self, n: u64) {
        self.grow(9);
        // Writing into a Vec has no error.
        let _ = minicbor::Encoder::new(&mut *self.0).u64(n);
    }

    /// A flag.
    pub fn flag(&mut self, on: bool) {
        self.u64(u64::from(on));
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.grow(bytes.len() + 9);
        let _ = minicbor::Encoder::new(&mut *self.0).bytes(bytes);
    }

    /// Bytes that may be missing.
    pub fn maybe(&mut self, bytes: Option<&[u8]>) {
        self.flag(bytes.is_some());
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    /// A number that may be missing.
    pub fn maybe_u64(&mut self, n: Option<u64>) {
        self.flag(n.is_some());
        if let Some(n) = n {
            self.u64(n);
        }
    }

    /// What was written.
    pub fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// Grows by moving into a new buffer and wiping the old one: a `Vec` that reallocates leaves a copy behind.
    fn grow(&mut self, more: usize) {
        if self.0.capacity() - self.0.len() < more {
            let mut larger =
                Zeroizing::new(Vec::with_capacity((self.0.capacity() * 2).max(self.0.len() + more).max(256)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
    }
}

/// Reads what a [`Writer`] wrote.
pub struct Reader<'a>(minicbor::Decoder<'a>);

impl<'a> Reader<'a> {
    /// From the beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader(minicbor::Decoder::new(bytes))
    }

    /// A number.
    pub fn u64(&mut self) -> Option<u64> {
        self.0.u64().ok()
    }

    /// A number of 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.u64()?.try_into().ok()
    }

    /// A flag.
    pub fn flag(&mut self) -> Option<bool> {
        match self.u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        self.0.bytes().ok()
    }

    /// Bytes of a fixed length.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    /// Text.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Bytes that may be missing.
    pub fn maybe(&mut self) -> Option<Option<&'a [u8]>> {
        if self.flag()? { self.bytes().map(Some) } else { Some(None) }
    }

    /// A number that may be missing.
    pub fn maybe_u64(&mut self) -> Option<Option<u64>> {
        if self.flag()? { self.u64().map(Some) } else { Some(None) }
    }

    /// Whether everything was read.
    pub fn at_end(&self) -> bool {
        self.0.position() >= self.0.input().len()
    }
}
