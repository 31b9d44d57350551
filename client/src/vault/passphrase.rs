//! The passphrase of a vault, and how expensive a guess at it is.
//!
//! Made by home.rs from a prompt or a file; consumed by [`Vault::create`](super::Vault::create) and
//! [`Vault::open`](super::Vault::open). *Not here:* where a passphrase is read from.

use super::VaultError;
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// A passphrase. Wiped when dropped; never printed, cloned or serialised.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text as it was typed.
    pub fn new(text: Zeroizing<String>) -> Self {
        Passphrase(text)
    }

    /// The text, for key derivation and nothing else.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Passphrase(Zeroizing::new(text))
    }
}

/// What a guess at the passphrase costs: the parameters of Argon2id, stored beside the wrapped key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashing {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
}

impl Hashing {
    /// For every real vault: below five guesses a second and core (docs/THREATS.md), and 64 MiB for each guess.
    pub const STRONG: Hashing = Hashing { memory_kib: 65_536, passes: 6 };

    /// A guess costs next to nothing. For exercises and tests, whose registers are invented.
    pub const WEAK_FOR_EXERCISES: Hashing = Hashing { memory_kib: 64, passes: 1 };

    /// What a vault says of itself: bounded, so that a damaged or planted file cannot take all memory.
    pub(super) fn stored(memory_kib: i64, passes: i64) -> Result<Hashing, VaultError> {
        match (u32::try_from(memory_kib), u32::try_from(passes)) {
            (Ok(memory_kib @ 8..=1_048_576), Ok(passes @ 1..=64)) => Ok(Hashing { memory_kib, passes }),
            _ => Err(VaultError::Damaged("the parameters of its passphrase")),
        }
    }

    /// Derives the key that wraps the vault's key. Slow: runs on a thread of its own.
    pub(super) async fn derive(
        self,
        passphrase: &Passphrase,
        salt: [u8; 16],
    ) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let text = Zeroizing::new(passphrase.0.as_bytes().to_vec());
        let work = move || {
            let params = Params::new(self.memory_kib, self.passes, 1, Some(32)).map_err(|_| VaultError::Hashing)?;
            let mut key = Zeroizing::new([0; 32]);
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(&text, &salt, key.as_mut())
                .map_err(|_| VaultError::Hashing)?;
            Ok(key)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| VaultError::Hashing)?
    }
}
