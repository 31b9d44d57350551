//! Why a call to the broker failed: whose fault first, then what (R34).
//!
//! No variant carries a body, a token or a key: only what the broker says for people, cut short and without control
//! characters. Callers match on the variant and choose the exit code: [`BrokerError::Unreachable`] is 6,
//! [`BrokerError::NotTheBroker`] is 5. *Not here:* refusals of single envelopes, which are an answer
//! ([`protocol::mailbox::Outcomes`]).

use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The network's or the machine's fault: the same call may succeed later. Nothing is lost by repeating it.
    #[error("the broker cannot be reached: {0}")]
    Unreachable(Outage),
    /// Whoever answered is not the broker of the invite. Loud: somebody may be in between.
    #[error("what answers at this address is NOT the broker of the invite: {0}")]
    NotTheBroker(TlsFault),
    /// The broker does not let this unit's certificate in: suspended, gone, or never admitted (R8).
    #[error("the broker does not accept this unit's certificate: the unit is suspended, has left, or was not admitted")]
    CertificateRefused,
    /// The broker refused the call, with a problem document (RFC 9457).
    #[error("the broker refused: {detail} ({code}, HTTP {status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The stable name of the error.
        code: String,
        /// For people.
        detail: String,
    },
    /// The broker's fault: an answer that is not what the protocol allows.
    #[error("the broker's answer is malformed: {0}")]
    Malformed(&'static str),
    /// The broker's fault: an answer above its limit. The rest of it was not read.
    #[error("the broker's answer is too large: {0}")]
    TooLarge(&'static str),
    /// Our fault: this cannot be sent.
    #[error("this cannot be sent: {0}")]
    Unsendable(&'static str),
    /// Our fault: stored rows cannot be read.
    #[error("stored rows cannot be read")]
    Rows(#[source] io::Error),
    /// Our fault: address, key or certificate cannot be used.
    #[error("no connection can be set up: {0}")]
    Setup(&'static str),
}

/// In which way the broker is out of reach.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum Outage {
    /// No connection: no such host, nobody listens, no way there.
    #[error("no connection")]
    NoConnection,
    /// What answers does not speak TLS 1.3 and HTTP/2.
    #[error("what answers does not speak TLS 1.3 and HTTP/2")]
    Handshake,
    /// The connection was cut.
    #[error("the connection was cut")]
    Cut,
    /// Nothing came within the time allowed.
    #[error("no answer in time")]
    Silence,
    /// The broker, or something before it, says that it cannot serve now.
    #[error("it cannot serve now (HTTP {0})")]
    Busy(u16),
}

/// What is wrong with the certificate that the server shows.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum TlsFault {
    /// Not certified by the authority of the invite.
    #[error("it is not certified by the authority that the invite names")]
    OtherAuthority,
    /// Certified, but for another address.
    #[error("its certificate is for another address")]
    OtherName,
    /// Expired, or not valid yet.
    #[error("its certificate is not valid today: check this machine's clock")]
    OutOfDate,
    /// Not fit for a server, revoked, or unreadable.
    #[error("its certificate cannot be used for this")]
    Unfit,
}

impl BrokerError {
    /// What an error of the HTTP client means.
    pub(super) fn from_http(error: &reqwest::Error) -> Self {
        match tls_error(error) {
            Some(TlsError::Typed(rustls::Error::InvalidCertificate(fault))) => {
                BrokerError::NotTheBroker(TlsFault::from(fault))
            }
            Some(TlsError::Typed(rustls::Error::AlertReceived(alert))) if ABOUT_OUR_CERTIFICATE.contains(alert) => {
                BrokerError::CertificateRefused
            }
            Some(TlsError::CertificateRefused) => BrokerError::CertificateRefused,
            Some(TlsError::Typed(_)) => BrokerError::Unreachable(Outage::Handshake),
            None if error.is_connect() && error.is_timeout() => BrokerError::Unreachable(Outage::Silence),
            None if error.is_connect() => BrokerError::Unreachable(Outage::NoConnection),
            None => BrokerError::Unreachable(Outage::Cut),
        }
    }
}

impl From<&CertificateError> for TlsFault {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::ApplicationVerificationFailure
            | CertificateError::UnknownIssuer
            | CertificateError::BadSignature => TlsFault::OtherAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::OtherName,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => TlsFault::OutOfDate,
            _ => TlsFault::Unfit,
        }
    }
}

/// The alerts by which a server says no to a client's certificate.
const ABOUT_OUR_CERTIFICATE: [AlertDescription; 9] = [
    AlertDescription::CertificateRequired,
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
    AlertDescription::DecryptError,
];

enum TlsError<'e> {
    Typed(&'e rustls::Error),
    CertificateRefused,
}

/// The TLS error below `error`, if there is one. An [`io::Error`] hides what it was made of from `source`.
///
/// In TLS 1.3 the server's no to our certificate comes after the handshake, when HTTP/2 already reads: the h2 crate keeps
/// of it only kind and text. So the text is compared with those that rustls writes for these alerts.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<TlsError<'e>> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(TlsError::Typed(found));
        }
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::InvalidData && tells_of_our_certificate(&io.to_string())) {
            return Some(TlsError::CertificateRefused);
        }
        next = match io.and_then(io::Error::get_ref) {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

fn tells_of_our_certificate(text: &str) -> bool {
    ABOUT_OUR_CERTIFICATE.iter().any(|alert| text == rustls::Error::AlertReceived(*alert).to_string())
}
