//! Sealing to a unit: HPKE (RFC 9180) with X-Wing, and the contribution to a pair secret (R5, R9).
//!
//! Callers: the client's agent. *Not here:* parcels, which are sealed from a consent only ([`crate::parcel`]).

use crate::codec::{Bytes, Hash};
use crate::label;
use crate::name::{Pair, UnitName};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Length of an X-Wing public key, in bytes.
pub const PUBLIC_LEN: usize = 1216;
/// Length of an X-Wing encapsulation, in bytes.
pub const ENCAPSULATION_LEN: usize = 1120;
/// Length of a sealed contribution: encapsulation, 32 bytes, tag.
pub const SEALED_CONTRIBUTION_LEN: usize = ENCAPSULATION_LEN + 32 + 16;

/// A secret X-Wing key. It zeroizes itself; [`SealingKey::expose_secret`] is for the vault.
pub struct SealingKey(pub(crate) <XWing as Kem>::PrivateKey);

/// Why something sealed did not open, or could not be sealed.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum SealError {
    /// The recipient's public key is none.
    #[error("the sealing key is malformed")]
    BadKey,
    /// Not sealed to this key, or not in this context, or changed on the way.
    #[error("what was sealed does not open")]
    DoesNotOpen,
}

impl SealingKey {
    /// A fresh key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        SealingKey(XWing::gen_keypair_with_rng(rng).0)
    }

    /// The key that was kept as `bytes`.
    pub fn from_secret(bytes: &[u8; 32]) -> Result<Self, SealError> {
        <XWing as Kem>::PrivateKey::from_bytes(bytes).map(SealingKey).map_err(|_| SealError::BadKey)
    }

    /// The 32 secret bytes, for the vault and nothing else.
    pub fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        self.0.write_exact(out.as_mut());
        out
    }

    /// The public half.
    pub fn public(&self) -> Bytes<PUBLIC_LEN> {
        let mut out = [0; PUBLIC_LEN];
        XWing::sk_to_pk(&self.0).write_exact(&mut out);
        Bytes(out)
    }
}

/// What a contribution is bound to: nothing that is sealed in one context opens in another.
pub struct ContributionContext<'a> {
    /// Hash of the accord in force when the epoch opened.
    pub accord: &'a Hash,
    /// The pair.
    pub pair: &'a Pair,
    /// The epoch.
    pub epoch: u32,
    /// Who contributes.
    pub sender: &'a UnitName,
    /// To whom.
    pub receiver: &'a UnitName,
}

impl ContributionContext<'_> {
    fn info(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(label::CONTRIBUTION.as_bytes());
        out.push(0);
        out.extend_from_slice(&self.accord.0);
        out.extend_from_slice(&self.epoch.to_be_bytes());
        for name in [self.pair.low(), self.pair.high(), self.sender, self.receiver] {
            out.push(name.as_str().len() as u8);
            out.extend_from_slice(name.as_str().as_bytes());
        }
        out.extend_from_slice(b"pair secret");
        out
    }
}

/// Seals 32 secret bytes to the receiver's key of this pair and epoch.
pub fn seal_contribution(
    to: &Bytes<PUBLIC_LEN>,
    context: &ContributionContext<'_>,
    contribution: &[u8; 32],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, SealError> {
    let to = <XWing as Kem>::PublicKey::from_bytes(&to.0).map_err(|_| SealError::BadKey)?;
    let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &to,
        &context.info(),
        contribution,
        b"",
        rng,
    )
    .map_err(|_| SealError::BadKey)?;
    let mut out = vec![0; ENCAPSULATION_LEN];
    encapsulated.write_exact(&mut out);
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal_contribution`] sealed, in the same context only.
pub fn open_contribution(
    key: &SealingKey,
    context: &ContributionContext<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<[u8; 32]>, SealError> {
    if sealed.len() != SEALED_CONTRIBUTION_LEN {
        return Err(SealError::DoesNotOpen);
    }
    let (encapsulated, sealed) = sealed.split_at(ENCAPSULATION_LEN);
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(encapsulated).map_err(|_| SealError::DoesNotOpen)?;
    let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &key.0,
        &encapsulated,
        &context.info(),
        sealed,
        b"",
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::DoesNotOpen)?;
    let mut out = Zeroizing::new([0; 32]);
    if opened.len() != out.len() {
        return Err(SealError::DoesNotOpen);
    }
    out.copy_from_slice(&opened);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_contribution_opens_in_its_own_context_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let key = SealingKey::generate(&mut rng);
        let kept = SealingKey::from_secret(&key.expose_secret()).unwrap();
        assert_eq!(kept.public(), key.public());
        let (a, b): (UnitName, UnitName) = ("A".parse().unwrap(), "B".parse().unwrap());
        let pair = Pair::new(&a, &b).unwrap();
        let accord = Bytes([9; 32]);
        let context = ContributionContext { accord: &accord, pair: &pair, epoch: 4, sender: &a, receiver: &b };
        let sealed = seal_contribution(&key.public(), &context, &[5; 32], &mut rng).unwrap();
        assert_eq!(sealed.len(), SEALED_CONTRIBUTION_LEN);
        assert_eq!(*open_contribution(&kept, &context, &sealed).unwrap(), [5; 32]);

        let reflected = ContributionContext { sender: &b, receiver: &a, ..context };
        assert_eq!(open_contribution(&kept, &reflected, &sealed), Err(SealError::DoesNotOpen));
        let context = ContributionContext { accord: &accord, pair: &pair, epoch: 5, sender: &a, receiver: &b };
        assert_eq!(open_contribution(&kept, &context, &sealed), Err(SealError::DoesNotOpen));
        for at in [0, ENCAPSULATION_LEN, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let context = ContributionContext { epoch: 4, ..context };
            assert_eq!(open_contribution(&kept, &context, &changed), Err(SealError::DoesNotOpen));
        }
    }
}
