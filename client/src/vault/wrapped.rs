//! A secret of 32 bytes under a passphrase of its own, apart from the vault's: an officer's key (R30).
//!
//! Called by officers.rs. The wrapped form is itself a value of the vault: whoever opens the vault, but does not know the
//! officer's passphrase, cannot sign as the officer. *Not here:* whose secret it is; the caller says it in `context`, so
//! that a wrapped key that was put in another officer's place does not open.
//!
//! Form: memory (4) ‖ passes (4) ‖ salt (16) ‖ nonce (24) ‖ sealed secret (32) ‖ tag (16). The first three stand in the
//! associated data.

use super::VaultError;
use super::key::{self, NONCE, TAG};
use super::passphrase::{Hashing, Passphrase};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const LABEL: &[u8] = b"sutura/1 wrapped secret";
const HEAD: usize = 4 + 4 + 16;
const LENGTH: usize = HEAD + NONCE + 32 + TAG;

/// Wraps a secret.
pub async fn wrap(
    secret: &[u8; 32],
    context: &[u8],
    passphrase: &Passphrase,
    hashing: Hashing,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, VaultError> {
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let mut head = Vec::with_capacity(LENGTH);
    head.extend_from_slice(&hashing.memory_kib.to_be_bytes());
    head.extend_from_slice(&hashing.passes.to_be_bytes());
    head.extend_from_slice(&salt);
    let wrapping = hashing.derive(passphrase, salt).await?;
    let mut sealed = vec![0; NONCE];
    rng.fill_bytes(&mut sealed);
    key::seal(&key::cipher(&wrapping), &associated(&head, context), secret, &mut sealed)?;
    head.extend_from_slice(&sealed);
    Ok(head)
}

/// Opens what [`wrap`] made in the same context. A wrong passphrase and a changed value look alike: both are
/// [`VaultError::Locked`].
pub async fn unwrap(
    wrapped: &[u8],
    context: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    const DAMAGED: VaultError = VaultError::Damaged("a wrapped secret");
    let (head, sealed) = wrapped.split_at_checked(HEAD).ok_or(DAMAGED)?;
    let (memory, rest) = head.split_first_chunk::<4>().ok_or(DAMAGED)?;
    let (passes, salt) = rest.split_first_chunk::<4>().ok_or(DAMAGED)?;
    let hashing = Hashing::stored(u32::from_be_bytes(*memory).into(), u32::from_be_bytes(*passes).into())?;
    let wrapping = hashing.derive(passphrase, salt.try_into().map_err(|_| DAMAGED)?).await?;
    let secret = key::open(&key::cipher(&wrapping), &associated(head, context), sealed).ok_or(VaultError::Locked)?;
    secret.as_slice().try_into().map(Zeroizing::new).map_err(|_| DAMAGED)
}

/// The label and the head have fixed lengths, so nothing moves between head and context.
fn associated(head: &[u8], context: &[u8]) -> Vec<u8> {
    [LABEL, head, context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_opens_under_its_own_passphrase_and_context_only() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (right, wrong) = (Passphrase::from("four unusual words".to_owned()), Passphrase::from("other".to_owned()));
        let mut wrapped = wrap(&[7; 32], b"SN 1", &right, Hashing::WEAK_FOR_EXERCISES, &mut rng).await.unwrap();
        assert_eq!(wrapped.len(), LENGTH);
        assert_eq!(*unwrap(&wrapped, b"SN 1", &right).await.unwrap(), [7; 32]);
        assert!(matches!(unwrap(&wrapped, b"SN 1", &wrong).await, Err(VaultError::Locked)));
        assert!(matches!(unwrap(&wrapped, b"SN 2", &right).await, Err(VaultError::Locked)));
        assert!(matches!(unwrap(&wrapped[..20], b"SN 1", &right).await, Err(VaultError::Damaged(_))));
        wrapped[7] += 1; // another number of passes
        assert!(matches!(unwrap(&wrapped, b"SN 1", &right).await, Err(VaultError::Locked)));
        wrapped[0] = 0xff; // more memory than there is
        assert!(matches!(unwrap(&wrapped, b"SN 1", &right).await, Err(VaultError::Damaged(_))));
    }
}
