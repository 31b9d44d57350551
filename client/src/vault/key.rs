//! The vault's key: wrapped under the passphrase, and the two keys derived from it.
//!
//! Called by vault.rs at creation and opening, by sealed.rs for each row, and by wrapped.rs. *Not here:* Argon2id (passphrase.rs).
//!
//! The vault key is 32 random bytes. It is stored as XChaCha20-Poly1305 under Argon2id(passphrase), with the parameters
//! in the associated data, so that nobody can lower them without notice. From it come, by HKDF-SHA-256, a sealing key and
//! an index key.

use super::VaultError;
use super::passphrase::Hashing;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

const WRAP: &[u8] = b"sutura/1 vault key";
const SEAL: &[u8] = b"sutura/1 vault seal";
const INDEX: &[u8] = b"sutura/1 vault index";

/// Length of a nonce and of a tag: what sealing adds.
pub(super) const NONCE: usize = 24;
pub(super) const TAG: usize = 16;

/// The vault's keys, in memory while the vault is open. Neither cloned nor printed.
pub(super) struct VaultKey {
    aead: XChaCha20Poly1305,
    index: Hmac<Sha256>,
}

impl VaultKey {
    /// Draws a key, and gives it with its wrapped form.
    pub(super) fn generate(
        wrapping: &[u8; 32],
        hashing: Hashing,
        salt: &[u8; 16],
        rng: &mut impl CryptoRng,
    ) -> Result<(VaultKey, Vec<u8>), VaultError> {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut());
        let mut wrapped = vec![0; NONCE];
        rng.fill_bytes(&mut wrapped);
        seal(&cipher(wrapping), &wrap_context(hashing, salt), key.as_slice(), &mut wrapped)?;
        Ok((Self::derive(&key)?, wrapped))
    }

    /// Opens the wrapped key. A wrong passphrase and a changed file look alike here: both are [`VaultError::Locked`].
    pub(super) fn unwrap(
        wrapping: &[u8; 32],
        hashing: Hashing,
        salt: &[u8; 16],
        wrapped: &[u8],
    ) -> Result<VaultKey, VaultError> {
        let key = open(&cipher(wrapping), &wrap_context(hashing, salt), wrapped).ok_or(VaultError::Locked)?;
        let key: Zeroizing<[u8; 32]> =
            Zeroizing::new(key.as_slice().try_into().map_err(|_| VaultError::Damaged("its wrapped key"))?);
        Self::derive(&key)
    }

    fn derive(key: &[u8; 32]) -> Result<VaultKey, VaultError> {
        let hkdf = Hkdf::<Sha256>::new(None, key);
        let mut out = Zeroizing::new([0; 32]);
        hkdf.expand(SEAL, out.as_mut()).map_err(|_| VaultError::Hashing)?;
        let aead = cipher(&out);
        hkdf.expand(INDEX, out.as_mut()).map_err(|_| VaultError::Hashing)?;
        let index = Hmac::<Sha256>::new_from_slice(out.as_slice()).map_err(|_| VaultError::Hashing)?;
        Ok(VaultKey { aead, index })
    }

    /// What stands in a column in place of a name: HMAC-SHA-256, cut to 16 bytes. `column` separates the columns.
    pub(super) fn index(&self, column: u8, name: &str) -> [u8; 16] {
        let mut mac = self.index.clone();
        mac.update(&[column]);
        mac.update(name.as_bytes());
        let mut out = [0; 16];
        out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        out
    }

    /// Seals in place what `out` holds after its nonce, and adds the tag.
    pub(super) fn seal(&self, context: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
        seal_in_place(&self.aead, context, out)
    }

    /// Opens what [`seal`](Self::seal) made under the same context.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        open(&self.aead, context, sealed)
    }
}

pub(super) fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    let mut key = chacha20poly1305::Key::from(*key);
    let cipher = XChaCha20Poly1305::new(&key);
    key.as_mut_slice().zeroize();
    cipher
}

fn wrap_context(hashing: Hashing, salt: &[u8; 16]) -> Vec<u8> {
    let mut out = WRAP.to_vec();
    out.extend_from_slice(&hashing.memory_kib.to_be_bytes());
    out.extend_from_slice(&hashing.passes.to_be_bytes());
    out.extend_from_slice(salt);
    out
}

/// Seals `text` after the nonce that `out` already holds.
pub(super) fn seal(aead: &XChaCha20Poly1305, context: &[u8], text: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
    // Room first: the buffer holds plain text for a moment, and must not leave a copy behind by moving.
    out.reserve_exact(text.len() + TAG);
    out.extend_from_slice(text);
    seal_in_place(aead, context, out)
}

fn seal_in_place(aead: &XChaCha20Poly1305, context: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
    let (nonce, text) = out.split_first_chunk_mut::<NONCE>().ok_or(VaultError::Hashing)?;
    let tag =
        aead.encrypt_inout_detached(&XNonce::from(*nonce), context, text.into()).map_err(|_| VaultError::TooLarge)?;
    out.extend_from_slice(tag.as_slice());
    Ok(())
}

pub(super) fn open(aead: &XChaCha20Poly1305, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_at_checked(NONCE)?;
    let (text, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let tag: [u8; TAG] = tag.try_into().ok()?;
    let mut out = Zeroizing::new(text.to_vec());
    aead.decrypt_inout_detached(&XNonce::from(nonce), context, out.as_mut_slice().into(), &Tag::from(tag)).ok()?;
    Some(out)
}
