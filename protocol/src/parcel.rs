//! Parcels: a package, sealed to its recipient from a consent, and opened after a receipt (R30, R31, R32).
//!
//! The plaintext is one stream: length of the manifest (u32, big endian), manifest, contents of the files in the order
//! of the items, zeros up to a bucket ([`padded`]). It is cut into parts of [`PART`] bytes, the last one shorter. Each
//! part is one message of one HPKE context (RFC 9180: X-Wing, HKDF-SHA-256, ChaCha20-Poly1305), with its number and
//! whether it is the last as associated data: parts that are left out, swapped or cut off do not open.
//!
//! | bound to | by |
//! |---|---|
//! | the recipient's sealing key | the encapsulation, and the consent's terms |
//! | the overlap's match key | mode PSK, with a key from the [`CaseKey`] |
//! | federation, accord, pair, direction, handle, consent, package | HPKE's info |
//! | exactly the package consented to | [`Sealer`] and [`Opener`] hash it again |
//!
//! Neither side holds more than the manifest and one part. Callers: the client. *Not here:* where parts are stored and
//! how they travel (envelopes), who consents and who may open ([`crate::consent`]), and what a package holds
//! ([`crate::package`]).

mod opener;
mod sealer;

pub use opener::{Opener, Piece};
pub use sealer::{Sealer, Step, Want};

use crate::body;
use crate::codec::{Bytes, Hash};
use crate::consent::Terms;
use crate::label;
use crate::name::Pair;
use crate::overlap::CaseKey;
use crate::package::PackageError;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use zeroize::Zeroizing;

/// Bytes of plaintext in one part.
pub const PART: usize = 1 << 20;
/// Most parts.
pub const MAX_PARTS: u32 = 4096;
/// The longest plaintext, in bytes: 4 GiB. It is a bucket of its own, so padding never leads above it.
pub const MAX_PLAIN: u64 = MAX_PARTS as u64 * PART as u64;
/// The smallest bucket, in bytes of plaintext.
pub const MIN_PLAIN: u64 = 16 << 10;
/// Bytes that sealing adds to a part.
pub const TAG_LEN: usize = 16;
/// The longest sealed part, in bytes.
pub const MAX_SEALED_PART: usize = PART + TAG_LEN;

/// Why a parcel is not sealed, or does not open. Nothing of its content is in an error.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ParcelError {
    /// The consent is for a journal, which has no parcels.
    #[error("the consent is for no parcel")]
    Kind,
    /// The package is of another federation, overlap, provider or recipient than the consent.
    #[error("the package is of another case than the consent")]
    OtherCase,
    /// The package, or one of its lists, is not what was consented to.
    #[error("the package is not the one consented to")]
    OtherPackage,
    /// The sealing key is none, or not the one consented to.
    #[error("the recipient's sealing key is not the one consented to")]
    RecipientKey,
    /// The head is not that of the parcel that may be opened.
    #[error("the parcel is not the one that may be opened")]
    OtherParcel,
    /// The package is out of its limits.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A part is too long or too short, or there are more or fewer parts than announced.
    #[error("the parcel's parts have wrong lengths")]
    Length,
    /// Not sealed to this key, in this case, from this consent, in this order; or changed on the way.
    #[error("the parcel does not open")]
    DoesNotOpen,
    /// The file of this item (from 0) is not the one in the manifest.
    #[error("item {0}: the file is not the one in the manifest")]
    File(usize),
    /// Bytes came that nobody had asked for, or more than were asked for.
    #[error("bytes came that were not asked for")]
    Unasked,
    /// What stands after the last file is not zero.
    #[error("the padding is wrong")]
    Padding,
    /// Parts or contents are missing.
    #[error("the parcel is not complete")]
    Unfinished,
    /// An error came before: nothing of this parcel counts.
    #[error("the parcel is void after an error")]
    Void,
}

impl ParcelError {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            ParcelError::Kind => "parcel-kind",
            ParcelError::OtherCase => "parcel-other-case",
            ParcelError::OtherPackage => "parcel-other-package",
            ParcelError::RecipientKey => "parcel-recipient-key",
            ParcelError::OtherParcel => "parcel-other-parcel",
            ParcelError::Package(error) => error.code(),
            ParcelError::Length => "parcel-length",
            ParcelError::DoesNotOpen => "parcel-does-not-open",
            ParcelError::File(_) => "parcel-file",
            ParcelError::Unasked => "parcel-unasked",
            ParcelError::Padding => "parcel-padding",
            ParcelError::Unfinished => "parcel-unfinished",
            ParcelError::Void => "parcel-void",
        }
    }
}

/// The bucket of `length` bytes: Padmé (Nikitin et al., Reducing Metadata Leakage from Encrypted Files, 2019), and at
/// least [`MIN_PLAIN`].
///
/// Of a length's binary digits, only as many are kept as its number of digits has digits: what a size tells grows with
/// the logarithm of the logarithm, and the padding is below 12 %.
pub fn padded(length: u64) -> u64 {
    if length <= MIN_PLAIN {
        return MIN_PLAIN;
    }
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1u64 << (exponent - kept)) - 1;
    length.saturating_add(mask) & !mask
}

/// Number of parts of a plaintext of `padded` bytes; `None` above [`MAX_PARTS`].
fn part_count(padded: u64) -> Option<u32> {
    u32::try_from(padded.div_ceil(PART as u64)).ok().filter(|parts| *parts <= MAX_PARTS)
}

/// Length of part `index` of a plaintext of `padded` bytes.
fn part_len(padded: u64, index: u32) -> usize {
    padded.saturating_sub(u64::from(index) * PART as u64).min(PART as u64) as usize
}

/// The root over sealed parts, computed as they come: RFC 6962 over [`body::rows_root`] of each.
///
/// The number of parts stands beside it in [`crate::consent::ParcelHead`]; both together fix every part.
#[derive(Default)]
pub struct PartsRoot(tlog::RootBuilder);

impl PartsRoot {
    /// Of no parts so far.
    pub fn new() -> Self {
        PartsRoot::default()
    }

    /// The next sealed part.
    pub fn push(&mut self, sealed: &[u8]) {
        self.push_root(&body::rows_root(sealed));
    }

    /// The next sealed part, by its [`body::rows_root`]: what a body's header lets know without reading it again.
    pub fn push_root(&mut self, rows_root: &Hash) {
        // The only error is a tree of 2^63 parts.
        let _ = self.0.push_leaf_hash(rows_root.0);
    }

    /// The root over all parts.
    pub fn finish(self) -> Hash {
        Bytes(self.0.finish())
    }
}

/// The root over the sealed parts: [`crate::consent::ParcelHead::root`].
pub fn root<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let mut root = PartsRoot::new();
    parts.into_iter().for_each(|part| root.push(part));
    root.finish()
}

type SenderContext = hpke::aead::AeadCtxS<ChaCha20Poly1305, HkdfSha256, XWing>;
type ReceiverContext = hpke::aead::AeadCtxR<ChaCha20Poly1305, HkdfSha256, XWing>;

/// HPKE's info: all that a parcel is bound to beside its keys.
fn info(terms: &Terms) -> Result<Vec<u8>, ParcelError> {
    let pair = Pair::new(&terms.provider, &terms.recipient).ok_or(PackageError::Parties)?;
    let mut out = Vec::new();
    out.extend_from_slice(label::PARCEL.as_bytes());
    out.push(0);
    out.extend_from_slice(&terms.federation.0);
    out.extend_from_slice(&terms.accord.0);
    for name in [pair.low(), pair.high(), &terms.provider, &terms.recipient] {
        out.push(name.as_str().len() as u8);
        out.extend_from_slice(name.as_str().as_bytes());
    }
    out.extend_from_slice(&terms.handle.0);
    out.extend_from_slice(&terms.id().0);
    out.extend_from_slice(&terms.package.0);
    out.extend_from_slice(b"parcel");
    Ok(out)
}

/// HPKE's pre-shared key: only who has the case's key can seal or open (R31).
fn shared_key(case_key: &CaseKey, terms: &Terms) -> Zeroizing<[u8; 32]> {
    case_key.subkey(label::PARCEL_KEY, &terms.handle.0)
}

/// A part's associated data: its number, and whether it is the last.
fn associated(index: u32, parts: u32) -> [u8; 5] {
    let [a, b, c, d] = index.to_be_bytes();
    [a, b, c, d, u8::from(index + 1 == parts)]
}

#[cfg(test)]
mod tests;
