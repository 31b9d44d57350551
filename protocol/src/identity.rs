//! A member's long-lived keys, and the code by which officers verify a peer (R5, R7).
//!
//! Callers: the client makes and keeps [`UnitKeys`]; everyone reads [`PublicKeys`]. The broker signs with a
//! [`SigningKey`] too, and has no sealing key: nothing is ever sealed to it.
//!
//! *Not here:* the TLS key (transport only: packages `client` and `server`), and officers' keys.

use crate::codec::{Bytes, Hash};
use crate::name::UnitName;
use crate::{label, seal};
use ed25519_dalek::{Signer, VerifyingKey};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

/// An Ed25519 signing key. It zeroizes itself, and shows itself to nobody but through [`SigningKey::expose_secret`].
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_secret(&seed)
    }

    /// The key that was kept as `seed`.
    pub fn from_secret(seed: &[u8; 32]) -> Self {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for the vault and nothing else.
    pub fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> Bytes<32> {
        Bytes(self.0.verifying_key().to_bytes())
    }

    /// The key as `ed25519_dalek` knows it, for the note formats of package `tlog`.
    pub fn hazmat(&self) -> &ed25519_dalek::SigningKey {
        &self.0
    }

    /// Signs `label ‖ 0 ‖ message`.
    pub fn sign(&self, label: &str, message: &[u8]) -> Bytes<64> {
        Bytes(self.0.sign(&labelled(label, message)).to_bytes())
    }
}

/// Verifies `label ‖ 0 ‖ message` strictly: no small-order keys, no malleable signatures.
pub fn verify(public: &Bytes<32>, label: &str, message: &[u8], signature: &Bytes<64>) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(&public.0)
        .is_ok_and(|key| key.verify_strict(&labelled(label, message), &signature).is_ok())
}

fn labelled(label: &str, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(label.len() + 1 + message.len());
    out.extend_from_slice(label.as_bytes());
    out.push(0);
    out.extend_from_slice(message);
    out
}

/// All long-lived secret keys of a unit (R5).
pub struct UnitKeys {
    /// Signs envelopes and cosigns checkpoints.
    pub signing: SigningKey,
    /// Opens what is sealed to the unit.
    pub sealing: seal::SealingKey,
}

impl UnitKeys {
    /// Fresh keys.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        UnitKeys { signing: SigningKey::generate(rng), sealing: seal::SealingKey::generate(rng) }
    }

    /// The public halves.
    pub fn public(&self) -> PublicKeys {
        PublicKeys { signing: self.signing.public(), sealing: self.sealing.public() }
    }
}

/// The public keys of a unit, as its roster entry shows them.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Debug)]
#[cbor(array)]
pub struct PublicKeys {
    /// Ed25519.
    #[n(0)]
    pub signing: Bytes<32>,
    /// X-Wing: ML-KEM-768 and X25519, 1,216 bytes.
    #[n(1)]
    pub sealing: Bytes<{ seal::PUBLIC_LEN }>,
}

/// Identifies a federation: its name and its broker's signing key, hashed.
pub fn federation_id(name: &str, broker: &Bytes<32>) -> Hash {
    let mut h = Sha256::new();
    h.update(label::FEDERATION.as_bytes());
    h.update([0]);
    h.update((name.len() as u64).to_be_bytes());
    h.update(name.as_bytes());
    h.update(broker.0);
    Bytes(h.finalize().into())
}

/// What people compare to know that two of them mean the same key: 160 bits of a hash, in groups of four digits.
///
/// `keys` are the encoded public keys; `name` is a unit's name or `broker`. Nobody can make another key with the same
/// fingerprint in fewer than 2^160 tries.
pub fn fingerprint(federation: &Hash, name: &str, keys: &[u8]) -> String {
    let mut h = Sha256::new();
    h.update(label::FINGERPRINT.as_bytes());
    h.update([0]);
    h.update(federation.0);
    h.update((name.len() as u64).to_be_bytes());
    h.update(name.as_bytes());
    h.update(keys);
    let digest: [u8; 32] = h.finalize().into();
    let groups: Vec<String> = digest[..20].chunks_exact(2).map(hex::encode).collect();
    groups.join(" ")
}

/// The origin of a federation's log (C2SP tlog-checkpoint): the same name for everyone, without spaces.
pub fn log_origin(federation: &Hash) -> String {
    format!("sutura/{}/log", hex::encode(&federation.0[..8]))
}

/// The name under which a unit cosigns checkpoints of a federation's log (C2SP tlog-cosignature).
pub fn witness_name(federation: &Hash, unit: &UnitName) -> String {
    format!("sutura/{}/{unit}", hex::encode(&federation.0[..8]))
}

/// The verification code of two units (R7): 60 digits in 12 groups of 5, the same on both sides.
///
/// Officers compare it over another channel than the broker. It covers the federation, both names and all public keys,
/// so a broker that substitutes a key cannot make the codes agree: 199 bits.
pub fn verification_code(federation: &Hash, a: (&UnitName, &PublicKeys), b: (&UnitName, &PublicKeys)) -> String {
    let (first, second) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    let mut h = Sha512::new();
    h.update(label::VERIFICATION_CODE.as_bytes());
    h.update([0]);
    h.update(federation.0);
    for (name, keys) in [first, second] {
        h.update([name.as_str().len() as u8]);
        h.update(name.as_str().as_bytes());
        h.update(keys.signing.0);
        h.update(keys.sealing.0);
    }
    let digest: [u8; 64] = h.finalize().into();
    let groups: Vec<String> = digest[..60]
        .chunks_exact(5)
        .map(|five| five.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte)) % 100_000)
        .map(|group| format!("{group:05}"))
        .collect();
    groups.join(" ")
}

/// Whether a code that a person typed is `code`, whatever the spacing.
pub fn same_code(typed: &str, code: &str) -> bool {
    let digits = |s: &str| s.chars().filter(char::is_ascii_digit).collect::<String>();
    digits(typed) == digits(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_substituted_key_changes_the_code() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (sn, gm): (UnitName, UnitName) = ("SN".parse().unwrap(), "GM".parse().unwrap());
        let (a, b, evil) = (
            UnitKeys::generate(&mut rng).public(),
            UnitKeys::generate(&mut rng).public(),
            UnitKeys::generate(&mut rng).public(),
        );
        let f = federation_id("test", &a.signing);
        let code = verification_code(&f, (&sn, &a), (&gm, &b));
        assert_eq!(code, verification_code(&f, (&gm, &b), (&sn, &a)));
        assert_eq!(code.split(' ').filter(|g| g.len() == 5).count(), 12);
        assert!(same_code(&code.replace(' ', "-"), &code));
        assert_ne!(code, verification_code(&f, (&sn, &a), (&gm, &evil)));
        let mixed = PublicKeys { signing: b.signing, sealing: evil.sealing };
        assert_ne!(code, verification_code(&f, (&sn, &a), (&gm, &mixed)));
    }

    #[test]
    fn a_signature_is_bound_to_its_label() {
        let key = SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(2));
        let signature = key.sign(label::JOIN, b"x");
        assert!(verify(&key.public(), label::JOIN, b"x", &signature));
        assert!(!verify(&key.public(), label::ACCORD, b"x", &signature));
        assert!(!verify(&key.public(), label::JOIN, b"y", &signature));
    }
}
