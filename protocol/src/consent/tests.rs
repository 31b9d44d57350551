use super::*;
use crate::officer::{Certificate, NameOpening, OfficerEntry, Officers};
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
