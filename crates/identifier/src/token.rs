//! Tokens: the canonical bytes that leave this crate.
//!
//! Made by tokens.rs only; consumed by the client, which hands their bytes to the protocol. Not a hash and not a tag:
//! who reads these bytes knows the identifier.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Canonical, Kind, Tier};

/// The canonical form of one identifier, with its kind in the bytes.
///
/// The bytes are `kind name, 0x1F, canonical form` in UTF-8; fields of the form are divided by 0x1F too, which no
/// form contains. Wiped when dropped, never cloned, printed or serialised: [`expose_secret`](Self::expose_secret) opens it.
pub struct Token {
    /// What it names.
    pub kind: Kind,
    /// What one meeting of it is worth.
    pub tier: Tier,
    bytes: Zeroizing<Vec<u8>>,
}

impl Token {
    /// Divides the kind and the fields.
    pub const SEPARATOR: char = '\u{1f}';

    pub(crate) fn new(canonical: Canonical) -> Token {
        Token { kind: canonical.kind(), tier: canonical.tier(), bytes: canonical.into_bytes() }
    }

    /// The bytes that the matching protocol hashes. They name the subject: they stay in memory, or sealed in the vault.
    pub fn expose_secret(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("kind", &self.kind).field("tier", &self.tier).finish_non_exhaustive()
    }
}
