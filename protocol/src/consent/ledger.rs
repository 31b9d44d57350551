//! The ledger of a case: its consents and its parcels, folded from signed acts apart from any manual (R29, R30, R32).
//!
//! Every change is a method that says who may make it, and refuses everything else. Callers: [`crate::case`], which folds
//! it; agents and the audit, which read it. *Not here:* what is signed ([`super::Terms`]), and when a manual lets people act.

use super::{
    ConsentGiven, ConsentKind, ConsentRefused, MAX_CONSENT_MS, MAX_HELD, OpeningGiven, Signer, Terms,
    URGENT_VALIDATION_MS,
};
use crate::codec::{Bytes, Hash};
use crate::name::UnitName;
use crate::officer::{OfficerRole, Officers};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};

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

/// All consents and parcels of a case.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub struct Ledger {
    #[n(0)]
    pub(super) consents: Vec<Held>,
    #[n(1)]
    pub(super) parcels: Vec<Parcel>,
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

    /// Parcels that nobody has received are recalled: the agreement under which they were sealed has fallen, and nobody
    /// could open them any more. What was received stays.
    pub fn recall_unreceived(&mut self) {
        for parcel in self.parcels.iter_mut().filter(|parcel| parcel.received_by.is_none()) {
            parcel.recalled = true;
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
