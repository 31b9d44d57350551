//! The unit's TLS client key, and the request for its certificate (R5, R8).
//!
//! Callers: the command that joins makes one; the vault keeps its secret; [`super::BrokerClient`] shows it to the broker.
//! *Not* a key that proves anything: envelopes are signed by [`protocol::identity::SigningKey`].

use protocol::name::UnitName;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ED25519};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use std::sync::Arc;
use zeroize::Zeroizing;

/// An Ed25519 key for TLS. Zeroized, and shown to nobody but through [`TlsIdentity::expose_secret`].
pub struct TlsIdentity {
    pkcs8: Zeroizing<Vec<u8>>,
}

/// Bytes that are no TLS key, or a key that cannot be used. Says nothing about them.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("the TLS key cannot be made or read")]
pub struct NotATlsKey;

impl TlsIdentity {
    /// A fresh key, from the operating system's random source.
    pub fn generate() -> Result<Self, NotATlsKey> {
        let key = Zeroizing::new(KeyPair::generate_for(&PKCS_ED25519).map_err(|_| NotATlsKey)?);
        Ok(TlsIdentity { pkcs8: Zeroizing::new(key.serialized_der().to_vec()) })
    }

    /// The key that was kept as `pkcs8` (DER).
    pub fn from_secret(pkcs8: &[u8]) -> Result<Self, NotATlsKey> {
        let identity = TlsIdentity { pkcs8: Zeroizing::new(pkcs8.to_vec()) };
        identity.key_pair()?;
        Ok(identity)
    }

    /// The key as PKCS #8 (DER), for the vault and nothing else.
    pub fn expose_secret(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }

    /// A PKCS #10 request (DER) for a certificate in the name of `unit`.
    pub fn certificate_request(&self, unit: &UnitName) -> Result<Vec<u8>, NotATlsKey> {
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, unit.as_str());
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        let request = params.serialize_request(&*self.key_pair()?).map_err(|_| NotATlsKey)?;
        Ok(request.der().to_vec())
    }

    /// The key as rustls signs with it.
    pub(super) fn signer(&self) -> Result<Arc<dyn SigningKey>, NotATlsKey> {
        let borrowed = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.pkcs8.as_slice()));
        any_supported_type(&borrowed).map_err(|_| NotATlsKey)
    }

    fn key_pair(&self) -> Result<Zeroizing<KeyPair>, NotATlsKey> {
        let borrowed = PrivatePkcs8KeyDer::from(self.pkcs8.as_slice());
        KeyPair::from_pkcs8_der_and_sign_algo(&borrowed, &PKCS_ED25519).map(Zeroizing::new).map_err(|_| NotATlsKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateSigningRequestParams, PublicKeyData};

    #[test]
    fn a_key_survives_being_kept_and_asks_for_a_certificate_in_the_units_name() {
        let made = TlsIdentity::generate().unwrap();
        let kept = TlsIdentity::from_secret(made.expose_secret()).unwrap();
        assert_eq!(kept.expose_secret(), made.expose_secret());
        let request = kept.certificate_request(&"SN".parse().unwrap()).unwrap();
        let read = CertificateSigningRequestParams::from_der(&request.as_slice().into()).unwrap();
        assert_eq!(read.params.distinguished_name.get(&DnType::CommonName), Some(&"SN".into()));
        assert_eq!(read.public_key.der_bytes(), made.key_pair().unwrap().der_bytes());
    }

    #[test]
    fn other_bytes_are_no_key() {
        let secret = TlsIdentity::generate().unwrap().expose_secret().to_vec();
        for bad in [&[][..], &[0x30, 0], &secret[..secret.len() - 1]] {
            assert_eq!(TlsIdentity::from_secret(bad).err(), Some(NotATlsKey));
        }
    }
}
