//! The broker's own small certificate authority (R6, R8).
//!
//! Its certificate is what an invite fingerprints. It signs one server certificate at each start (the key lives in memory
//! only), and one client certificate for each unit that is admitted. A client certificate counts only while its
//! fingerprint stands with an admitted unit in the store: there is no revocation list to fall behind.
//!
//! Callers: [`crate::home`] (founding), [`crate::membership`] (client certificates), [`crate::serve`] (TLS). *Not here:*
//! signatures over envelopes: those are the units' own keys.

use protocol::codec::{Bytes, Hash};
use protocol::name::UnitName;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// 1 January 2000, in seconds since the Unix epoch.
const NOT_BEFORE: Duration = Duration::from_secs(946_684_800);
/// The end of the year 9999: "no well-defined expiration" (RFC 5280, section 4.1.2.5).
const NOT_AFTER: Duration = Duration::from_secs(253_402_300_799);
/// The same, in milliseconds.
const LATEST_MS: u64 = 253_402_300_799_000;
/// The longest certificate request that is read, in bytes.
pub(crate) const MAX_REQUEST: usize = 8_192;

/// Why a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The request of a unit is not a valid PKCS #10 request.
    #[error("the certificate request is not valid")]
    Request,
    /// The authority's own files are damaged.
    #[error("the authority's key or certificate is damaged")]
    Damaged,
    /// Certificate making failed.
    #[error("a certificate could not be made: {0}")]
    Making(#[from] rcgen::Error),
    /// TLS refused the configuration.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The authority's key and certificate.
pub(crate) struct Authority {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    /// A new authority.
    pub(crate) fn found(federation: &str, now_ms: u64) -> Result<Authority, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("Sutura authority of {federation}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        live(&mut params);
        // For people who read it; a trust anchor's dates are not checked.
        params.not_before = (SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms.min(LATEST_MS))).into();
        let certificate = params.self_signed(&key)?;
        Ok(Authority { key, certificate: certificate.der().clone(), pem: certificate.pem() })
    }

    /// The authority that was kept as PEM.
    pub(crate) fn open(key: &str, certificate: &str) -> Result<Authority, AuthorityError> {
        let key = KeyPair::from_pem(key).map_err(|_| AuthorityError::Damaged)?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| AuthorityError::Damaged)?;
        Ok(Authority { key, certificate: der, pem: certificate.to_owned() })
    }

    pub(crate) fn expose_secret_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.serialize_pem())
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the authority's certificate: what an invite states.
    pub(crate) fn fingerprint(&self) -> Hash {
        fingerprint(&self.certificate)
    }

    fn issuer(&self) -> Result<Issuer<'_, &KeyPair>, AuthorityError> {
        Issuer::from_ca_cert_der(&self.certificate, &self.key).map_err(|_| AuthorityError::Damaged)
    }

    /// A client certificate for `unit`, over the key of its request; nothing else of the request is taken over.
    pub(crate) fn admit(&self, unit: &UnitName, request: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        let mut request = read_request(request)?;
        let name = unit.as_str().try_into().map_err(|_| AuthorityError::Request)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(unit.as_str());
        params.subject_alt_names = vec![SanType::DnsName(name)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        live(&mut params);
        request.params = params;
        Ok(request.signed_by(&self.issuer()?)?.der().to_vec())
    }

    /// TLS 1.3 for the listener: a fresh server certificate for `hosts`, and client certificates of this authority
    /// wherever a client shows one (R8).
    pub(crate) fn server_config(&self, hosts: &[String]) -> Result<rustls::ServerConfig, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Sutura broker");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        for host in hosts {
            params.subject_alt_names.push(match host.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host.as_str().try_into().map_err(AuthorityError::Making)?),
            });
        }
        live(&mut params);
        let certificate = params.signed_by(&key, &self.issuer()?)?;
        // The authority's certificate travels too: a joining unit knows only its fingerprint.
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(|_| AuthorityError::Damaged)?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Every connection shows its certificate anew.
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

/// SHA-256 of a certificate.
pub(crate) fn fingerprint(certificate: &[u8]) -> Hash {
    Bytes(Sha256::digest(certificate).into())
}

/// Reads a PKCS #10 request, and checks that it is signed with the key in it.
pub(crate) fn read_request(der: &[u8]) -> Result<CertificateSigningRequestParams, AuthorityError> {
    if der.len() > MAX_REQUEST {
        return Err(AuthorityError::Request);
    }
    CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(der))
        .map_err(|_| AuthorityError::Request)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// Certificates do not expire: a machine whose clock is wrong by years still connects, and what counts is the unit's
/// standing, which the store tells at each request.
fn live(params: &mut CertificateParams) {
    params.not_before = (SystemTime::UNIX_EPOCH + NOT_BEFORE).into();
    params.not_after = (SystemTime::UNIX_EPOCH + NOT_AFTER).into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_a_certificate_in_the_units_name_only() {
        let authority = Authority::found("test", 1_700_000_000_000).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["broker.example".to_owned()]).unwrap();
        params.distinguished_name = named("somebody else");
        let request = params.serialize_request(&key).unwrap();
        let unit: UnitName = "SN".parse().unwrap();
        let certificate = authority.admit(&unit, request.der()).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
        assert_eq!(parsed.subject().to_string(), "CN=SN");
        let names = parsed.subject_alternative_name().unwrap().unwrap();
        assert_eq!(names.value.general_names.len(), 1);
        assert!(!parsed.is_ca());
        let mut broken = request.der().to_vec();
        let last = broken.len() - 1;
        broken[last] ^= 1;
        assert!(authority.admit(&unit, &broken).is_err());
    }
}
