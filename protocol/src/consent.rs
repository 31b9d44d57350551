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
use crate::officer::{OfficerKey, OfficerRole, Officers};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

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

/// One officer's signature under a consent.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Given {
    /// The officer's number in the providing unit.
    #[n(0)]
    pub number: u32,
    /// The officer's role.
    #[n(1)]
    pub role: OfficerRole,
    /// The signature.
    #[n(2)]
    pub signature: Bytes<64>,
}

/// A consent as the case has it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Held {
    /// What it is over.
    #[n(0)]
    pub terms: Terms,
    /// Who signed, at most two.
    #[n(1)]
    pub given: Vec<Given>,
    /// Whether a parcel was sealed from it.
    #[n(2)]
    pub used: bool,
    /// Whether the providing unit took it back.
    #[n(3)]
    pub withdrawn: bool,
}

impl Held {
    /// Whether both signatures are there.
    pub fn is_complete(&self) -> bool {
        self.given.len() == 2
    }
}

/// A parcel as the case has it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Parcel {
    /// The consent it was sealed from.
    #[n(0)]
    pub consent: Hash,
    /// What kind of consent that was.
    #[n(1)]
    pub kind: ConsentKind,
    /// Who discloses.
    #[n(2)]
    pub provider: UnitName,
    /// To whom.
    #[n(3)]
    pub recipient: UnitName,
    /// The package.
    #[n(4)]
    pub package: Hash,
    /// Number of its sealed parts.
    #[n(5)]
    pub parts: u32,
    /// Root over its sealed parts.
    #[n(6)]
    pub root: Hash,
    /// When it was sealed.
    #[n(7)]
    pub sealed_ms: u64,
    /// Officer of the recipient who accepted the conditions.
    #[n(8)]
    pub accepted_by: Option<u32>,
    /// Officer of the recipient who signed the receipt.
    #[n(9)]
    pub received_by: Option<u32>,
    /// Legal officer of the provider who validated an urgent parcel.
    #[n(10)]
    pub validated_by: Option<u32>,
    /// Whether it was recalled, or sent back: nobody opens it any more.
    #[n(11)]
    pub recalled: bool,
    /// Whether the recipient has signed deletion receipts for all its copies.
    #[n(12)]
    pub deleted: bool,
    /// Officer of the provider who signed the sealing.
    #[n(13)]
    pub sealed_by: u32,
}

impl Parcel {
    /// Whether an urgent parcel's validation is missing past its time (R30): it counts as recalled.
    pub fn is_overdue(&self, now_ms: u64) -> bool {
        self.kind == ConsentKind::Urgent
            && self.validated_by.is_none()
            && now_ms >= self.sealed_ms.saturating_add(URGENT_VALIDATION_MS)
    }
}

/// The public part of a sealed parcel, in the act that seals it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ParcelHead {
    /// [`Terms::id`] of the consent.
    #[n(0)]
    pub consent: Hash,
    /// The package.
    #[n(1)]
    pub package: Hash,
    /// Number of sealed parts.
    #[n(2)]
    pub parts: u32,
    /// Root over the sealed parts ([`crate::parcel::root`]).
    #[n(3)]
    pub root: Hash,
    /// The HPKE encapsulation, 1,120 bytes.
    #[n(4)]
    pub encapsulation: Bytes<{ crate::seal::ENCAPSULATION_LEN }>,
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

/// The case that a ledger belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The federation.
    pub federation: &'a Hash,
    /// The accord whose manual rules the case.
    pub accord: &'a Hash,
    /// The overlap.
    pub handle: &'a Handle,
    /// The peer of the unit that acts.
    pub peer: &'a UnitName,
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

/// All consents and parcels of a case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Ledger {
    #[n(0)]
    consents: Vec<Held>,
    #[n(1)]
    parcels: Vec<Parcel>,
}

impl Ledger {
    /// All consents, in order.
    pub fn consents(&self) -> &[Held] {
        &self.consents
    }

    /// All parcels, in order.
    pub fn parcels(&self) -> &[Parcel] {
        &self.parcels
    }

    /// A consent.
    pub fn consent(&self, id: &Hash) -> Option<&Held> {
        self.consents.iter().find(|held| held.terms.id() == *id)
    }

    /// A parcel, by its package.
    pub fn parcel(&self, package: &Hash) -> Option<&Parcel> {
        self.parcels.iter().rev().find(|parcel| parcel.package == *package)
    }

    /// An officer's signature under a consent.
    ///
    /// # Errors
    /// [`ConsentRefused`]; nothing has changed.
    pub fn give(
        &mut self,
        place: &Place<'_>,
        terms: &Terms,
        signer: &Signer,
        signature: &Bytes<64>,
        officers: &Officers,
        at_ms: u64,
    ) -> Result<(), ConsentRefused> {
        let same = terms.federation == *place.federation
            && terms.accord == *place.accord
            && terms.handle == *place.handle
            && terms.recipient == *place.peer;
        if !same {
            return Err(ConsentRefused::OtherCase);
        }
        if terms.provider != signer.unit {
            return Err(ConsentRefused::NotProvider);
        }
        if terms.until_ms <= at_ms || terms.until_ms - at_ms > MAX_CONSENT_MS {
            return Err(ConsentRefused::Expired);
        }
        let certificate = officers.in_standing(&signer.unit, signer.number).ok_or(ConsentRefused::Signature)?;
        if certificate.role != signer.role || !terms.is_signed_by(&certificate.key, signature) {
            return Err(ConsentRefused::Signature);
        }
        let given = Given { number: signer.number, role: signer.role, signature: *signature };
        let (id, full) = (terms.id(), self.consents.len() >= MAX_HELD);
        match self.consents.iter_mut().find(|held| held.terms.id() == id) {
            Some(held) if held.withdrawn => Err(ConsentRefused::Withdrawn),
            Some(held) if held.used => Err(ConsentRefused::Used),
            Some(held) if held.given.iter().any(|one| one.number == signer.number) => Err(ConsentRefused::SameOfficer),
            Some(held) if held.is_complete() => Err(ConsentRefused::Complete),
            Some(held) => {
                let first = held.given.first().ok_or(ConsentRefused::Incomplete)?.role;
                if !roles_suffice(terms.kind, &[first, given.role]) {
                    return Err(ConsentRefused::Roles);
                }
                held.given.push(given);
                Ok(())
            }
            None if full => Err(ConsentRefused::TooMany),
            None if given.role == OfficerRole::Mentor => Err(ConsentRefused::Roles),
            None => {
                let held = Held { terms: terms.clone(), given: vec![given], used: false, withdrawn: false };
                self.consents.push(held);
                Ok(())
            }
        }
    }

    /// The providing unit takes back whatever it has consented to and not yet disclosed. Its parcels that are sealed are
    /// recalled by [`Ledger::recall`].
    pub fn withdraw(&mut self, provider: &UnitName) {
        for held in self.consents.iter_mut().filter(|held| held.terms.provider == *provider && !held.used) {
            held.withdrawn = true;
        }
    }

    /// Verified consent, for sealing now: both signatures are verified again.
    ///
    /// # Errors
    /// [`ConsentRefused`] says what is missing.
    pub fn consent_given(&self, id: &Hash, officers: &Officers, now_ms: u64) -> Result<ConsentGiven, ConsentRefused> {
        let held = self.consent(id).ok_or(ConsentRefused::None)?;
        if held.withdrawn {
            return Err(ConsentRefused::Withdrawn);
        }
        if held.used {
            return Err(ConsentRefused::Used);
        }
        let [first, second] = &held.given[..] else { return Err(ConsentRefused::Incomplete) };
        if first.number == second.number {
            return Err(ConsentRefused::SameOfficer);
        }
        if !roles_suffice(held.terms.kind, &[first.role, second.role]) {
            return Err(ConsentRefused::Roles);
        }
        if held.terms.until_ms <= now_ms {
            return Err(ConsentRefused::Expired);
        }
        for given in [first, second] {
            let certificate = officers.in_standing(&held.terms.provider, given.number);
            let certificate = certificate.filter(|certificate| certificate.role == given.role);
            let key = certificate.ok_or(ConsentRefused::Signature)?.key;
            if !held.terms.is_signed_by(&key, &given.signature) {
                return Err(ConsentRefused::Signature);
            }
        }
        Ok(ConsentGiven { terms: held.terms.clone() })
    }

    /// An officer of the provider sealed a parcel: uses up its consent.
    ///
    /// # Errors
    /// [`ConsentRefused`]; nothing has changed.
    pub fn seal(
        &mut self,
        signer: &Signer,
        head: &ParcelHead,
        officers: &Officers,
        at_ms: u64,
    ) -> Result<(), ConsentRefused> {
        let given = self.consent_given(&head.consent, officers, at_ms)?;
        let terms = given.terms();
        if terms.provider != signer.unit {
            return Err(ConsentRefused::NotProvider);
        }
        if terms.kind == ConsentKind::Journal {
            return Err(ConsentRefused::None);
        }
        if terms.package != head.package {
            return Err(ConsentRefused::OtherPackage);
        }
        if self.parcels.len() >= MAX_HELD || head.parts == 0 || head.parts > crate::parcel::MAX_PARTS {
            return Err(ConsentRefused::TooMany);
        }
        let parcel = Parcel {
            consent: head.consent,
            kind: terms.kind,
            provider: terms.provider.clone(),
            recipient: terms.recipient.clone(),
            package: head.package,
            parts: head.parts,
            root: head.root,
            sealed_ms: at_ms,
            accepted_by: None,
            received_by: None,
            validated_by: None,
            recalled: false,
            deleted: false,
            sealed_by: signer.number,
        };
        self.parcels.push(parcel);
        for held in self.consents.iter_mut().filter(|held| held.terms.id() == head.consent) {
            held.used = true;
        }
        Ok(())
    }

    /// The recipient's legal officer (urgent: also the head) accepts the conditions.
    ///
    /// # Errors
    /// [`ConsentRefused`]; nothing has changed.
    pub fn accept_conditions(&mut self, package: &Hash, signer: &Signer) -> Result<(), ConsentRefused> {
        let parcel = self.parcel_for(package, &signer.unit)?;
        let may = signer.role == OfficerRole::LegalOfficer
            || (parcel.kind == ConsentKind::Urgent && signer.role == OfficerRole::Head);
        if !may {
            return Err(ConsentRefused::Roles);
        }
        if parcel.recalled || parcel.accepted_by.is_some() {
            return Err(ConsentRefused::Parcel);
        }
        parcel.accepted_by = Some(signer.number);
        Ok(())
    }

    /// The recipient signs that it opens the parcel.
    ///
    /// # Errors
    /// [`ConsentRefused`]; nothing has changed.
    pub fn receive(&mut self, package: &Hash, signer: &Signer) -> Result<(), ConsentRefused> {
        let parcel = self.parcel_for(package, &signer.unit)?;
        if parcel.recalled || parcel.accepted_by.is_none() || parcel.received_by.is_some() {
            return Err(ConsentRefused::Parcel);
        }
        parcel.received_by = Some(signer.number);
        Ok(())
    }

    /// A legal officer of the provider, who took no part in it, validates an urgent parcel.
    ///
    /// # Errors
    /// [`ConsentRefused`]; nothing has changed.
    pub fn validate(&mut self, package: &Hash, signer: &Signer, at_ms: u64) -> Result<(), ConsentRefused> {
        let found = self.parcels.iter().rposition(|p| p.package == *package && p.provider == signer.unit);
        let at = found.ok_or(ConsentRefused::NoParcel)?;
        let consented = self
            .consent(&self.parcels[at].consent)
            .is_none_or(|held| held.given.iter().any(|given| given.number == signer.number));
        let took_part = consented || self.parcels[at].sealed_by == signer.number;
        if signer.role != OfficerRole::LegalOfficer {
            return Err(ConsentRefused::Roles);
        }
        if took_part {
            return Err(ConsentRefused::TookPart);
        }
        let parcel = &mut self.parcels[at];
        let open = parcel.kind == ConsentKind::Urgent && parcel.validated_by.is_none();
        if !open || parcel.recalled || parcel.is_overdue(at_ms) {
            return Err(ConsentRefused::Parcel);
        }
        parcel.validated_by = Some(signer.number);
        Ok(())
    }

    /// Parcels are recalled: those that `by` provided, those that it received (it sends them back), or all (time).
    pub fn recall(&mut self, by: Option<&UnitName>) {
        for parcel in &mut self.parcels {
            parcel.recalled |= by.is_none_or(|unit| parcel.provider == *unit || parcel.recipient == *unit);
        }
    }

    /// The recipient has signed a deletion receipt for each copy of what was recalled.
    ///
    /// # Errors
    /// [`ConsentRefused::NoParcel`]: nothing of this unit's is recalled and not yet deleted.
    pub fn delete(&mut self, recipient: &UnitName) -> Result<(), ConsentRefused> {
        let mut any = false;
        for parcel in &mut self.parcels {
            if parcel.recipient == *recipient && parcel.recalled && !parcel.deleted {
                parcel.deleted = true;
                any = true;
            }
        }
        if any { Ok(()) } else { Err(ConsentRefused::NoParcel) }
    }

    /// Whether everything that was recalled is deleted.
    pub fn is_all_deleted(&self) -> bool {
        self.parcels.iter().all(|parcel| !parcel.recalled || parcel.deleted)
    }

    /// Whether `recipient` may open (or read again) a parcel now: conditions accepted, receipt signed, not recalled.
    pub fn may_open(&self, package: &Hash, recipient: &UnitName, now_ms: u64) -> bool {
        self.openable(package, recipient, now_ms).is_some()
    }

    /// Permission to open (or read again) a parcel, under the conditions of [`Ledger::may_open`].
    ///
    /// # Errors
    /// [`ConsentRefused::NoParcel`], or [`ConsentRefused::Parcel`]: conditions not accepted, no receipt, or recalled.
    pub fn opening_given(
        &self,
        package: &Hash,
        recipient: &UnitName,
        now_ms: u64,
    ) -> Result<OpeningGiven, ConsentRefused> {
        if !self.parcels.iter().any(|parcel| parcel.package == *package && parcel.recipient == *recipient) {
            return Err(ConsentRefused::NoParcel);
        }
        let parcel = self.openable(package, recipient, now_ms).ok_or(ConsentRefused::Parcel)?;
        let held = self.consent(&parcel.consent).ok_or(ConsentRefused::None)?;
        if held.terms.package != parcel.package || held.terms.recipient != parcel.recipient {
            return Err(ConsentRefused::OtherPackage);
        }
        Ok(OpeningGiven { terms: held.terms.clone(), parts: parcel.parts, root: parcel.root })
    }

    /// The latest parcel that may be opened. One package can be sealed twice, from two consents.
    fn openable(&self, package: &Hash, recipient: &UnitName, now_ms: u64) -> Option<&Parcel> {
        self.parcels.iter().rev().find(|parcel| {
            parcel.package == *package
                && parcel.recipient == *recipient
                && parcel.accepted_by.is_some()
                && parcel.received_by.is_some()
                && !parcel.recalled
                && !parcel.is_overdue(now_ms)
        })
    }

    /// Verified consent of `unit` to its own entries in a joint journal, now.
    ///
    /// # Errors
    /// [`ConsentRefused::None`], or why the latest one does not count.
    pub fn journal_given(
        &self,
        unit: &UnitName,
        officers: &Officers,
        now_ms: u64,
    ) -> Result<ConsentGiven, ConsentRefused> {
        let ours = |held: &&Held| held.terms.kind == ConsentKind::Journal && held.terms.provider == *unit;
        let mut why = ConsentRefused::None;
        for held in self.consents.iter().rev().filter(ours) {
            match self.consent_given(&held.terms.id(), officers, now_ms) {
                Ok(given) => return Ok(given),
                Err(refused) => why = refused,
            }
        }
        Err(why)
    }

    fn parcel_for(&mut self, package: &Hash, unit: &UnitName) -> Result<&mut Parcel, ConsentRefused> {
        let found = self.parcels.iter_mut().rev().find(|p| p.package == *package && p.recipient == *unit);
        found.ok_or(ConsentRefused::NoParcel)
    }
}

fn roles_suffice(kind: ConsentKind, roles: &[OfficerRole; 2]) -> bool {
    let needed = match kind {
        ConsentKind::Parcel | ConsentKind::Journal => OfficerRole::LegalOfficer,
        ConsentKind::Urgent => OfficerRole::Head,
    };
    roles.contains(&needed) && !roles.contains(&OfficerRole::Mentor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::officer::{Certificate, NameOpening, OfficerEntry};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const NOW: u64 = 1_700_000_000_000;
    const FEDERATION: Hash = Bytes([1; 32]);
    const ACCORD: Hash = Bytes([2; 32]);
    const HANDLE: Handle = Bytes([3; 16]);

    struct Fixture {
        officers: Officers,
        keys: Vec<OfficerKey>,
        provider: UnitName,
        recipient: UnitName,
    }

    /// Officers of A: 1 a head, 2 and 3 legal officers, 4 a mentor, 5 an investigator. The same of B.
    const ROLES: [OfficerRole; 5] = [
        OfficerRole::Head,
        OfficerRole::LegalOfficer,
        OfficerRole::LegalOfficer,
        OfficerRole::Mentor,
        OfficerRole::Investigator,
    ];

    impl Fixture {
        fn new() -> Fixture {
            let mut rng = ChaCha20Rng::seed_from_u64(7);
            let (provider, recipient): (UnitName, UnitName) = ("A".parse().unwrap(), "B".parse().unwrap());
            let mut officers = Officers::default();
            let keys: Vec<OfficerKey> = ROLES.iter().map(|_| OfficerKey::generate(&mut rng)).collect();
            for unit in [&provider, &recipient] {
                for (number, (role, key)) in (1..).zip(ROLES.into_iter().zip(&keys)) {
                    let name = NameOpening::new("N. N.", &mut rng).unwrap();
                    let certificate = Certificate::new(&FEDERATION, unit, number, role, &name, key);
                    officers.apply(&FEDERATION, unit, &OfficerEntry::Certified(certificate)).unwrap();
                }
            }
            Fixture { officers, keys, provider, recipient }
        }

        fn signer(&self, number: u32) -> Signer {
            Signer { unit: self.provider.clone(), number, role: ROLES[number as usize - 1] }
        }

        fn receiver(&self, number: u32) -> Signer {
            Signer { unit: self.recipient.clone(), ..self.signer(number) }
        }

        fn terms(&self, kind: ConsentKind) -> Terms {
            Terms {
                kind,
                federation: FEDERATION,
                accord: ACCORD,
                handle: HANDLE,
                provider: self.provider.clone(),
                recipient: self.recipient.clone(),
                recipient_key: Hash::ZERO,
                package: Bytes([5; 32]),
                fields: Hash::ZERO,
                purpose: Hash::ZERO,
                handling: Hash::ZERO,
                until_ms: NOW + 1000,
                nonce: Bytes::ZERO,
            }
        }

        fn give(&self, ledger: &mut Ledger, terms: &Terms, number: u32) -> Result<(), ConsentRefused> {
            let signature = terms.sign(&self.keys[number as usize - 1]);
            self.give_signed(ledger, terms, number, &signature)
        }

        fn give_signed(
            &self,
            ledger: &mut Ledger,
            terms: &Terms,
            number: u32,
            signature: &Bytes<64>,
        ) -> Result<(), ConsentRefused> {
            let place = Place { federation: &FEDERATION, accord: &ACCORD, handle: &HANDLE, peer: &self.recipient };
            ledger.give(&place, terms, &self.signer(number), signature, &self.officers, NOW)
        }

        fn both(&self, terms: &Terms) -> Ledger {
            let mut ledger = Ledger::default();
            self.give(&mut ledger, terms, 1).unwrap();
            self.give(&mut ledger, terms, 2).unwrap();
            ledger
        }

        fn seal(&self, ledger: &mut Ledger, head: &ParcelHead) -> Result<(), ConsentRefused> {
            ledger.seal(&self.signer(1), head, &self.officers, NOW)
        }
    }

    fn head(terms: &Terms) -> ParcelHead {
        let (consent, package) = (terms.id(), terms.package);
        ParcelHead { consent, package, parts: 1, root: Hash::ZERO, encapsulation: Bytes::ZERO }
    }

    #[test]
    fn a_consent_is_two_officers_signatures_over_exactly_it() {
        let fixture = Fixture::new();
        let terms = fixture.terms(ConsentKind::Parcel);
        let mut ledger = Ledger::default();
        for forged in [
            fixture.terms(ConsentKind::Urgent).sign(&fixture.keys[0]),
            Terms { package: Bytes([6; 32]), ..terms.clone() }.sign(&fixture.keys[0]),
            terms.sign(&fixture.keys[1]),
            fixture.keys[0].sign(label::URGENT_CONSENT, &codec::encode(&terms)),
        ] {
            assert_eq!(fixture.give_signed(&mut ledger, &terms, 1, &forged), Err(ConsentRefused::Signature));
        }
        assert_eq!(fixture.give(&mut ledger, &terms, 4), Err(ConsentRefused::Roles));
        assert_eq!(ledger, Ledger::default());
        assert_eq!(fixture.give(&mut ledger, &terms, 1), Ok(()));
        assert_eq!(fixture.give(&mut ledger, &terms, 1), Err(ConsentRefused::SameOfficer));
        assert_eq!(fixture.give(&mut ledger, &terms, 4), Err(ConsentRefused::Roles));
        assert_eq!(fixture.give(&mut ledger, &terms, 5), Err(ConsentRefused::Roles));
        assert_eq!(fixture.seal(&mut ledger, &head(&terms)), Err(ConsentRefused::Incomplete));
        assert_eq!(fixture.give(&mut ledger, &terms, 2), Ok(()));
        assert_eq!(fixture.give(&mut ledger, &terms, 3), Err(ConsentRefused::Complete));
        assert!(ledger.consents()[0].is_complete());
        let mut alone = Ledger::default();
        assert_eq!(fixture.give(&mut alone, &terms, 2), Ok(()));
        assert_eq!(fixture.give(&mut alone, &terms, 2), Err(ConsentRefused::SameOfficer));
        assert_eq!(fixture.seal(&mut ledger, &head(&terms)), Ok(()));
        assert_eq!(fixture.seal(&mut ledger, &head(&terms)), Err(ConsentRefused::Used));
        assert_eq!(fixture.give(&mut ledger, &terms, 3), Err(ConsentRefused::Used));
    }

    #[test]
    fn sealing_verifies_again_whatever_the_ledger_says() {
        let fixture = Fixture::new();
        let terms = fixture.terms(ConsentKind::Parcel);
        let good = fixture.both(&terms);
        let given = |ledger: &Ledger| ledger.consent_given(&terms.id(), &fixture.officers, NOW).map(|_| ());
        assert_eq!(given(&good), Ok(()));
        assert_eq!(good.consent_given(&terms.id(), &fixture.officers, NOW + 1000).err(), Some(ConsentRefused::Expired));
        let mut twice = good.clone();
        twice.consents[0].given[0] = good.consents[0].given[1].clone();
        assert_eq!(given(&twice), Err(ConsentRefused::SameOfficer));
        let mut forged = good.clone();
        forged.consents[0].given[1].signature.0[0] ^= 1;
        assert_eq!(given(&forged), Err(ConsentRefused::Signature));
        let mut role = good.clone();
        role.consents[0].given[0].role = OfficerRole::LegalOfficer;
        assert_eq!(given(&role), Err(ConsentRefused::Signature));
        let mut roles = good.clone();
        roles.consents[0].given[1].role = OfficerRole::Head;
        assert_eq!(given(&roles), Err(ConsentRefused::Roles));
        let mut three = good.clone();
        three.consents[0].given.push(good.consents[0].given[0].clone());
        assert_eq!(given(&three), Err(ConsentRefused::Incomplete));
        let mut revoked = fixture.officers.clone();
        revoked.apply(&FEDERATION, &fixture.provider, &OfficerEntry::Revoked(2)).unwrap();
        assert_eq!(good.consent_given(&terms.id(), &revoked, NOW).err(), Some(ConsentRefused::Signature));
    }

    #[test]
    fn a_ledger_does_not_grow_without_end() {
        let fixture = Fixture::new();
        let terms = fixture.terms(ConsentKind::Parcel);
        let mut ledger = fixture.both(&terms);
        for parts in [0, crate::parcel::MAX_PARTS + 1] {
            let wrong = ParcelHead { parts, ..head(&terms) };
            assert_eq!(fixture.seal(&mut ledger, &wrong), Err(ConsentRefused::TooMany));
        }
        let parcels = ledger.consents.clone();
        assert_eq!(fixture.seal(&mut ledger, &ParcelHead { parts: crate::parcel::MAX_PARTS, ..head(&terms) }), Ok(()));
        ledger.consents = vec![parcels[0].clone(); MAX_HELD];
        let other = Terms { nonce: Bytes([1; 16]), ..terms.clone() };
        assert_eq!(fixture.give(&mut ledger, &other, 1), Err(ConsentRefused::TooMany));
        ledger.consents.pop();
        assert_eq!(fixture.give(&mut ledger, &other, 1), Ok(()));
        ledger.parcels = vec![ledger.parcels[0].clone(); MAX_HELD];
        assert_eq!(fixture.seal(&mut ledger, &head(&terms)), Err(ConsentRefused::TooMany));
    }

    #[test]
    fn an_expiry_lies_ahead_and_not_too_far() {
        let fixture = Fixture::new();
        let terms = fixture.terms(ConsentKind::Parcel);
        for (until_ms, result) in [
            (0, Err(ConsentRefused::Expired)),
            (NOW, Err(ConsentRefused::Expired)),
            (NOW + 1, Ok(())),
            (NOW + MAX_CONSENT_MS, Ok(())),
            (NOW + MAX_CONSENT_MS + 1, Err(ConsentRefused::Expired)),
            (u64::MAX, Err(ConsentRefused::Expired)),
        ] {
            let terms = Terms { until_ms, ..terms.clone() };
            assert_eq!(fixture.give(&mut Ledger::default(), &terms, 1), result, "{until_ms}");
        }
    }

    #[test]
    fn an_urgent_parcel_is_validated_within_a_day_or_closed() {
        let fixture = Fixture::new();
        let terms = fixture.terms(ConsentKind::Urgent);
        let mut ledger = fixture.both(&terms);
        fixture.seal(&mut ledger, &head(&terms)).unwrap();
        let (package, day) = (terms.package, URGENT_VALIDATION_MS);
        assert_eq!(ledger.receive(&package, &fixture.receiver(1)), Err(ConsentRefused::Parcel));
        assert_eq!(ledger.accept_conditions(&package, &fixture.receiver(5)), Err(ConsentRefused::Roles));
        assert_eq!(ledger.accept_conditions(&package, &fixture.receiver(1)), Ok(()));
        assert_eq!(ledger.accept_conditions(&package, &fixture.receiver(2)), Err(ConsentRefused::Parcel));
        assert_eq!(ledger.receive(&package, &fixture.receiver(5)), Ok(()));
        assert!(ledger.may_open(&package, &fixture.recipient, NOW + day - 1));
        assert!(!ledger.may_open(&package, &fixture.recipient, NOW + day));
        assert!(!ledger.may_open(&package, &fixture.provider, NOW));
        assert_eq!(ledger.validate(&package, &fixture.signer(2), NOW), Err(ConsentRefused::TookPart));
        assert_eq!(ledger.validate(&package, &fixture.receiver(3), NOW), Err(ConsentRefused::NoParcel));
        assert_eq!(ledger.validate(&package, &fixture.signer(5), NOW), Err(ConsentRefused::Roles));
        assert_eq!(ledger.validate(&package, &fixture.signer(3), NOW + day), Err(ConsentRefused::Parcel));
        assert_eq!(ledger.validate(&package, &fixture.signer(3), NOW + day - 1), Ok(()));
        assert_eq!(ledger.validate(&package, &fixture.signer(3), NOW), Err(ConsentRefused::Parcel));
        assert!(ledger.may_open(&package, &fixture.recipient, u64::MAX));
        assert!(ledger.is_all_deleted());
        assert_eq!(ledger.delete(&fixture.recipient), Err(ConsentRefused::NoParcel));
        ledger.recall(Some(&fixture.recipient));
        assert!(!ledger.may_open(&package, &fixture.recipient, NOW) && !ledger.is_all_deleted());
        assert_eq!(ledger.delete(&fixture.provider), Err(ConsentRefused::NoParcel));
        assert_eq!(ledger.delete(&fixture.recipient), Ok(()));
        assert!(ledger.is_all_deleted());
    }
}
