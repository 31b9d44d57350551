//! Who may answer as the broker: whoever the authority named in the invite has certified, and nobody else (R6, R8).
//!
//! Before the first connection a unit knows one thing: the SHA-256 of the authority's certificate. The certificate itself
//! is taken from the chain that the server shows, if it hashes to that; from then on it is kept, and is the only root.
//! The machine's own roots are never asked. Caller: [`super::BrokerClient::connect`]. *Not here:* who the unit is.

use super::error::BrokerError;
use super::tls_identity::TlsIdentity;
use protocol::codec::{Bytes, Hash};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerIncompatible, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// TLS 1.3 and HTTP/2 only; the server is held to `authority`, and sees `identity` if it asks.
pub(super) fn tls_config(
    authority: Arc<PinnedAuthority>,
    identity: Option<(&TlsIdentity, &[u8])>,
) -> Result<ClientConfig, BrokerError> {
    let builder = ClientConfig::builder_with_provider(authority.provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| BrokerError::Setup("TLS 1.3 is not available"))?
        .dangerous()
        .with_custom_certificate_verifier(authority);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((identity, certificate)) => {
            builder.with_client_cert_resolver(Arc::new(client_certificate(identity, certificate)?))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Every connection shows its certificate anew, so that a suspension cannot be slept through (R8).
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn client_certificate(identity: &TlsIdentity, certificate: &[u8]) -> Result<SingleCertAndKey, BrokerError> {
    let signer = identity.signer().map_err(|_| BrokerError::Setup("the TLS key cannot be used"))?;
    let certified = CertifiedKey::new(vec![CertificateDer::from(certificate.to_vec())], signer);
    certified.keys_match().map_err(|_| BrokerError::Setup("the certificate is not for this unit's TLS key"))?;
    Ok(SingleCertAndKey::from(certified))
}

/// The authority that the invite names.
pub(super) struct PinnedAuthority {
    fingerprint: Hash,
    provider: Arc<CryptoProvider>,
    known: OnceLock<Known>,
}

struct Known {
    certificate: CertificateDer<'static>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl PinnedAuthority {
    pub(super) fn new(fingerprint: Hash) -> Self {
        PinnedAuthority { fingerprint, provider: Arc::new(aws_lc_rs::default_provider()), known: OnceLock::new() }
    }

    /// The authority's certificate, once it was seen on a connection that was accepted.
    pub(super) fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.known.get().map(|known| &known.certificate)
    }

    /// The verifier that knows this one root: from the chain, if the authority's certificate stands in it.
    fn find_in(&self, chain: &[CertificateDer<'_>]) -> Result<Known, Error> {
        let certificate = chain
            .iter()
            .find(|certificate| Bytes(Sha256::digest(certificate).into()) == self.fingerprint)
            .ok_or(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))?
            .clone()
            .into_owned();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|_| Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))?;
        Ok(Known { certificate, verifier })
    }
}

impl fmt::Debug for PinnedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinnedAuthority({})", self.fingerprint)
    }
}

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(known) = self.known.get() {
            return known.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        }
        let seen = self.find_in(intermediates)?;
        let verified = seen.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        // If another connection was quicker, it has kept the same certificate: the fingerprint says so.
        let _ = self.known.set(seen);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
