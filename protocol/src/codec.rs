//! The one canonical encoding (R23): deterministic CBOR, re-encoded and compared on receipt.
//!
//! minicbor accepts non-shortest integers, indefinite lengths and trailing bytes; comparing with our own encoding of
//! what was decoded refuses all of them. Callers: [`crate::envelope`], [`crate::message`], [`crate::accord`].
//! *Not* a place for message types.

use minicbor::{Decode, Encode};
use std::fmt;

/// Why bytes are not a canonical encoding.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum CodecError {
    /// Not this type at all.
    #[error("the bytes are no such message")]
    Malformed,
    /// This type, but written in another way than the one that is allowed.
    #[error("the bytes are not in canonical form")]
    NotCanonical,
}

impl CodecError {
    /// The stable name of this error, as the docs write it; whoever refuses says of what it is (`head-malformed`).
    pub fn code(&self) -> &'static str {
        match self {
            CodecError::Malformed => "malformed",
            CodecError::NotCanonical => "not-canonical",
        }
    }
}

/// Encodes `value` in the one allowed way.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing into a Vec has no error, and our Encode impls return none of their own.
    let _ = minicbor::encode(value, &mut out);
    out
}

/// Decodes `bytes`, which must be exactly what [`encode`] gives for the result.
pub fn decode<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, CodecError> {
    let value: T = minicbor::decode(bytes).map_err(|_| CodecError::Malformed)?;
    if encode(&value) == bytes { Ok(value) } else { Err(CodecError::NotCanonical) }
}

/// `N` public bytes: a hash, a public key, a signature. Never a secret: it prints itself in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

/// A 32-byte hash.
pub type Hash = Bytes<32>;

impl<const N: usize> Bytes<N> {
    /// All zero: "none yet", where the text of a rule says so.
    pub const ZERO: Self = Bytes([0; N]);

    /// From a slice of exactly `N` bytes.
    pub fn from_slice(slice: &[u8]) -> Option<Self> {
        slice.try_into().ok().map(Bytes)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> Default for Bytes<N> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<const N: usize> fmt::Display for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const N: usize> fmt::Debug for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> std::str::FromStr for Bytes<N> {
    type Err = CodecError;

    fn from_str(s: &str) -> Result<Self, CodecError> {
        let mut out = [0; N];
        hex::decode_to_slice(s, &mut out).map_err(|_| CodecError::Malformed)?;
        Ok(Bytes(out))
    }
}

impl<C, const N: usize> Encode<C> for Bytes<N> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?;
        Ok(())
    }
}

impl<'b, C, const N: usize> Decode<'b, C> for Bytes<N> {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Bytes::from_slice(d.bytes()?).ok_or_else(|| minicbor::decode::Error::message("wrong length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_form_is_accepted() {
        assert_eq!(decode::<u64>(&[0x05]), Ok(5));
        assert_eq!(decode::<u64>(&[0x18, 0x05]), Err(CodecError::NotCanonical));
        assert_eq!(decode::<u64>(&[0x05, 0x00]), Err(CodecError::NotCanonical));
        assert_eq!(decode::<u64>(&[0x61]), Err(CodecError::Malformed));
    }
}
