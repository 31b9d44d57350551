//! The consent kernel: nothing is disclosed but by two officers' consent over exactly that, whatever a manual says
//! (R29, R30, R32).
//!
//! A [`Ledger`] is what a case has of consents and parcels. It is folded from signed acts by [`crate::case`], before and
//! apart from the manual: a manual can forbid more, and allow nothing that the ledger refuses. No timeout, and nobody
//! outside the providing unit, can put a consent into it. [`ConsentGiven`] has no other maker than
//! [`Ledger::consent_given`], which verifies both signatures again; sealing consumes it ([`crate::parcel`]).
//! [`OpeningGiven`] is its like on the other side: only [`Ledger::opening_given`] makes it, and opening consumes it.
//!
//! | rule | here |
//! |---|---|
//! | two different officers of the providing unit, one a legal officer | [`Ledger::give`] |
//! | urgent: the duty head and a second officer; validated by a legal officer who took no part, or recalled | [`Ledger::give`], [`Ledger::validate`], [`Parcel::is_overdue`] |
//! | over exactly the package, fields, recipient, purpose, handling codes and expiry | [`Terms`] |
//! | at most one disclosure for each consent | [`Ledger::seal`] |
//! | conditions accepted by the recipient's legal officer, and a receipt, before opening | [`Ledger::may_open`] |
//!
//! Callers: [`crate::case`], agents, the audit. *Not here:* who may act when (the manual), and what a package holds.

use crate::codec::{self, Bytes, Hash};
use crate::identity;
use crate::label;
use crate::name::UnitName;
use crate::officer::{OfficerKey, OfficerRole};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

mod ledger;

pub use ledger::{Given, Held, Ledger, Parcel, ParcelHead, Place};

/// The longest that a consent can count, in milliseconds: 30 days.
pub const MAX_CONSENT_MS: u64 = 30 * 24 * 3_600_000;
/// Within this time of an urgent parcel's sealing a legal officer validates it, or it is recalled: 24 hours (R30).
pub const URGENT_VALIDATION_MS: u64 = 24 * 3_600_000;
/// Most consents, and most parcels, of one case.
pub const MAX_HELD: usize = 256;

/// What is consented to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum ConsentKind {
    /// One parcel.
    #[n(0)]
    Parcel,
    /// One parcel, where a life is threatened: a type of its own, under a label of its own.
    #[n(1)]
    Urgent,
    /// The providing unit's own entries in the journal of a joint investigation.
    #[n(2)]
    Journal,
}

impl ConsentKind {
    fn label(self) -> &'static str {
        match self {
            ConsentKind::Parcel => label::CONSENT,
            ConsentKind::Urgent => label::URGENT_CONSENT,
            ConsentKind::Journal => label::JOURNAL_CONSENT,
        }
    }
}

/// Exactly what is consented to. The hashes are salted ([`crate::package::Manifest`]): they tell the broker nothing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Terms {
    /// What for.
    #[n(0)]
    pub kind: ConsentKind,
    /// The federation.
    #[n(1)]
    pub federation: Hash,
    /// The accord whose manual rules the case.
    #[n(2)]
    pub accord: Hash,
    /// The overlap.
    #[n(3)]
    pub handle: Handle,
    /// Who discloses.
    #[n(4)]
    pub provider: UnitName,
    /// To whom.
    #[n(5)]
    pub recipient: UnitName,
    /// SHA-256 of the sealing key to which it is sealed.
    #[n(6)]
    pub recipient_key: Hash,
    /// The package, values and files included; zero for a journal.
    #[n(7)]
    pub package: Hash,
    /// The list of fields, without values; an empty one for a journal.
    #[n(8)]
    pub fields: Hash,
    /// The purpose.
    #[n(9)]
    pub purpose: Hash,
    /// The handling codes.
    #[n(10)]
    pub handling: Hash,
    /// It counts until then, in milliseconds since the Unix epoch.
    #[n(11)]
    pub until_ms: u64,
    /// Random: two consents over the same package are two.
    #[n(12)]
    pub nonce: Bytes<16>,
}

impl Terms {
    /// What names this consent.
    pub fn id(&self) -> Hash {
        let mut h = Sha256::new();
        h.update(label::CONSENT_ID.as_bytes());
        h.update([0]);
        h.update(codec::encode(self));
        Bytes(h.finalize().into())
    }

    /// An officer's signature over these terms, under the label of their kind.
    pub fn sign(&self, key: &OfficerKey) -> Bytes<64> {
        key.sign(self.kind.label(), &codec::encode(self))
    }

    fn is_signed_by(&self, key: &Bytes<32>, signature: &Bytes<64>) -> bool {
        identity::verify(key, self.kind.label(), &codec::encode(self), signature)
    }
}

/// Hash of a sealing key, as [`Terms::recipient_key`] names it.
pub fn key_hash(sealing: &[u8]) -> Hash {
    Bytes(Sha256::digest(sealing).into())
}

/// An officer who signed an act: made by [`crate::act`] alone, once the signature was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signer {
    pub(crate) unit: UnitName,
    pub(crate) number: u32,
    pub(crate) role: OfficerRole,
}

impl Signer {
    /// The unit.
    pub fn unit(&self) -> &UnitName {
        &self.unit
    }
    /// The officer's number.
    pub fn number(&self) -> u32 {
        self.number
    }
    /// The role.
    pub fn role(&self) -> OfficerRole {
        self.role
    }
}

/// Why the kernel refuses.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ConsentRefused {
    /// Of another federation, accord, overlap or recipient.
    #[error("the consent is for another case")]
    OtherCase,
    /// Signed by an officer of another unit than the one that discloses.
    #[error("only officers of the providing unit consent")]
    NotProvider,
    /// Not signed by this officer's key, or by one who is revoked.
    #[error("the consent is not signed by an officer in standing")]
    Signature,
    /// The same officer twice.
    #[error("one officer does not consent twice")]
    SameOfficer,
    /// No legal officer among the two; or no head, for an urgent one; or a mentor.
    #[error("two officers consent, one of them a legal officer (urgent: the duty head)")]
    Roles,
    /// Signatures are missing.
    #[error("the consent has not both signatures")]
    Incomplete,
    /// It has both signatures already.
    #[error("the consent is complete")]
    Complete,
    /// Past its expiry, or one that lies too far off.
    #[error("the consent has expired, or its expiry lies too far off")]
    Expired,
    /// Taken back.
    #[error("the consent was withdrawn")]
    Withdrawn,
    /// A parcel was sealed from it.
    #[error("a parcel was sealed from this consent: one consent, one disclosure")]
    Used,
    /// No such consent, or none of this kind.
    #[error("there is no such consent")]
    None,
    /// Over another package than this one.
    #[error("the consent is over another package")]
    OtherPackage,
    /// No such parcel, or not to or from this unit.
    #[error("there is no such parcel for this unit")]
    NoParcel,
    /// The parcel's state does not allow it: conditions not accepted, recalled, done already.
    #[error("the parcel's conditions are not accepted, or it was recalled")]
    Parcel,
    /// A legal officer who took part.
    #[error("a legal officer who took no part validates")]
    TookPart,
    /// Too many consents or parcels.
    #[error("the case holds too many consents or parcels")]
    TooMany,
}

impl ConsentRefused {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            ConsentRefused::OtherCase => "consent-other-case",
            ConsentRefused::NotProvider => "consent-not-provider",
            ConsentRefused::Signature => "consent-signature",
            ConsentRefused::SameOfficer => "consent-same-officer",
            ConsentRefused::Roles => "consent-roles",
            ConsentRefused::Incomplete => "consent-incomplete",
            ConsentRefused::Complete => "consent-complete",
            ConsentRefused::Expired => "consent-expired",
            ConsentRefused::Withdrawn => "consent-withdrawn",
            ConsentRefused::Used => "consent-used",
            ConsentRefused::None => "consent-none",
            ConsentRefused::OtherPackage => "consent-other-package",
            ConsentRefused::NoParcel => "parcel-none",
            ConsentRefused::Parcel => "parcel-not-open",
            ConsentRefused::TookPart => "validation-took-part",
            ConsentRefused::TooMany => "consent-too-many",
        }
    }
}

/// Verified consent over exactly these terms, now. Sealing consumes it; it cannot be copied, kept or made otherwise.
///
/// It is read:
/// ```
/// fn read(given: &protocol::consent::ConsentGiven) -> &protocol::consent::Terms {
///     given.terms()
/// }
/// ```
/// It is not made outside this module:
/// ```compile_fail
/// fn forge(terms: protocol::consent::Terms) -> protocol::consent::ConsentGiven {
///     protocol::consent::ConsentGiven { terms }
/// }
/// ```
/// And it is not copied:
/// ```compile_fail
/// fn copy(given: &protocol::consent::ConsentGiven) -> protocol::consent::ConsentGiven {
///     given.clone()
/// }
/// ```
pub struct ConsentGiven {
    terms: Terms,
}

impl ConsentGiven {
    /// What was consented to.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }
}

/// Permission to open one parcel, now: its conditions are accepted, its receipt is signed, it is not recalled (R30, R32).
/// Opening consumes it; it cannot be copied, kept or made otherwise.
///
/// It is read:
/// ```
/// fn read(given: &protocol::consent::OpeningGiven) -> &protocol::consent::Terms {
///     given.terms()
/// }
/// ```
/// It is not made outside this module:
/// ```compile_fail
/// fn forge(terms: protocol::consent::Terms) -> protocol::consent::OpeningGiven {
///     protocol::consent::OpeningGiven { terms, parts: 1, root: protocol::Bytes([0; 32]) }
/// }
/// ```
/// And it is not copied:
/// ```compile_fail
/// fn copy(given: &protocol::consent::OpeningGiven) -> protocol::consent::OpeningGiven {
///     given.clone()
/// }
/// ```
pub struct OpeningGiven {
    terms: Terms,
    parts: u32,
    root: Hash,
}

impl OpeningGiven {
    /// What was consented to.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether `head` is that of the parcel that may be opened.
    pub(crate) fn is_for(&self, head: &ParcelHead) -> bool {
        head.consent == self.terms.id()
            && head.package == self.terms.package
            && head.parts == self.parts
            && head.root == self.root
    }
}

#[cfg(test)]
mod tests;
