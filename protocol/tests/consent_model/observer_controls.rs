//! Positive controls: hand-made sequences that break each rule, every one of which the observer must flag; and the
//! sequence that breaks none.

use crate::observer::Observer;
use crate::world::START_MS;
use protocol::act::{Content, Statement};
use protocol::consent::{ConsentKind, ParcelHead, Terms};
use protocol::officer::OfficerRole::{self, Contact, Head, Investigator, LegalOfficer, Mentor};
use protocol::{Bytes, Hash};

const HOUR: u64 = 3_600_000;

#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "written by hand, and read once")]
enum Event {
    Act(&'static str, Option<(u32, OfficerRole)>, u64, Content),
    Revoked(&'static str, u32),
    EndsConsents,
    RecallsUnreceived,
}
use Event::{Act, EndsConsents, RecallsUnreceived, Revoked};

fn terms(kind: ConsentKind, package: u8) -> Terms {
    Terms {
        kind,
        federation: Bytes([1; 32]),
        accord: Bytes([2; 32]),
        handle: Bytes([3; 16]),
        provider: "A".parse().unwrap(),
        recipient: "B".parse().unwrap(),
        recipient_key: Hash::ZERO,
        package: Bytes([package; 32]),
        fields: Hash::ZERO,
        purpose: Hash::ZERO,
        handling: Hash::ZERO,
        until_ms: START_MS + 10 * HOUR,
        nonce: Bytes::ZERO,
    }
}

fn consent(by: (u32, OfficerRole), terms: &Terms) -> Event {
    Act("A", Some(by), 0, Content::Consent(terms.clone()))
}

fn seal(terms: &Terms, package: u8, at: u64) -> Event {
    let head = ParcelHead {
        consent: terms.id(),
        package: Bytes([package; 32]),
        parts: 1,
        root: Hash::ZERO,
        encapsulation: Bytes::ZERO,
    };
    Act("A", Some((1, Head)), at, Content::Parcel(Box::new(head)))
}

fn of_b(by: (u32, OfficerRole), content: Content) -> Event {
    Act("B", Some(by), 2, content)
}

/// What the observer says of a sequence, and who may open package 5 at its end.
fn judge(events: &[Event]) -> (Result<(), &'static str>, bool) {
    let mut seen = Observer::default();
    for event in events {
        match event {
            Revoked(unit, number) => seen.revoked(&unit.parse().unwrap(), *number),
            EndsConsents => seen.entered(true, false, false),
            RecallsUnreceived => seen.entered(false, false, true),
            Act(unit, by, at, content) => {
                let said = Statement {
                    federation: Bytes([1; 32]),
                    accord: Bytes([2; 32]),
                    handle: Bytes([3; 16]),
                    low: "A".parse().unwrap(),
                    high: "B".parse().unwrap(),
                    unit: unit.parse().unwrap(),
                    round: 0,
                    number: 1,
                    event: "e".to_owned(),
                    at_ms: START_MS + at * HOUR,
                    content: content.clone(),
                    matter: Hash::ZERO,
                };
                if let Err(rule) = seen.accepted(&said, *by) {
                    return (Err(rule), false);
                }
            }
        }
    }
    (Ok(()), seen.may_open(&Bytes([5; 32]), &"B".parse().unwrap(), START_MS + 3 * HOUR))
}

#[test]
fn every_broken_rule_is_flagged() {
    let t = terms(ConsentKind::Parcel, 5);
    let u = terms(ConsentKind::Urgent, 5);
    let j = terms(ConsentKind::Journal, 5);
    let (head, legal, third) = ((1, Head), (2, LegalOfficer), (3, Investigator));
    let both = [consent(head, &t), consent(legal, &t)];
    let urgent = [consent(head, &u), consent(third, &u)];
    let sealed = [&both[..], &[seal(&t, 5, 1)]].concat();
    let urgent_sealed = [&urgent[..], &[seal(&u, 5, 1)]].concat();
    let package: Hash = Bytes([5; 32]);
    let conditions = |by| of_b(by, Content::Conditions(package));
    let receipt = of_b((1, Contact), Content::Receipt(package));
    let recall = |unit| Act(unit, Some((1, Head)), 2, Content::Recall);
    let journal = |by, at| Act("A", by, at, Content::Journal);
    let validate = |by, at| Act("A", Some(by), at, Content::Validation(package));
    let with = |first: &[Event], more: &[Event]| [first, more].concat();
    let other = |terms: Terms| vec![consent(head, &terms), consent(legal, &terms), seal(&terms, 5, 1)];
    let bad: Vec<(&str, Vec<Event>)> = vec![
        ("no consent", vec![seal(&t, 5, 1)]),
        ("one signature", vec![consent(legal, &t), seal(&t, 5, 1)]),
        ("one officer twice", vec![consent(legal, &t), consent(legal, &t), seal(&t, 5, 1)]),
        ("no legal officer", vec![consent(head, &t), consent(third, &t), seal(&t, 5, 1)]),
        ("urgent without the head", vec![consent(legal, &u), consent(third, &u), seal(&u, 5, 1)]),
        ("a mentor", vec![consent((4, Mentor), &t)]),
        ("an agent's consent", vec![Act("A", None, 0, Content::Consent(t.clone()))]),
        ("the recipient's consent", vec![Act("B", Some(legal), 0, Content::Consent(t.clone()))]),
        ("another package", with(&both, &[seal(&t, 6, 1)])),
        ("expired", with(&both, &[seal(&t, 5, 10)])),
        ("revoked", with(&both, &[Revoked("A", 2), seal(&t, 5, 1)])),
        ("a revoked officer's act", vec![Revoked("A", 1), consent(head, &t)]),
        ("taken back", with(&both, &[recall("A"), seal(&t, 5, 1)])),
        ("ended by the manual", with(&both, &[EndsConsents, seal(&t, 5, 1)])),
        ("twice", with(&sealed, &[seal(&t, 5, 1)])),
        ("a journal's consent", vec![consent(head, &j), consent(legal, &j), seal(&j, 5, 1)]),
        ("another recipient", other(Terms { recipient: "C".parse().unwrap(), ..t.clone() })),
        ("another overlap", other(Terms { handle: Bytes([9; 16]), ..t.clone() })),
        ("another accord", other(Terms { accord: Bytes([9; 32]), ..t.clone() })),
        ("an agent's parcel", with(&both, &[Act("A", None, 1, parcel_content(&t))])),
        ("a receipt without conditions", with(&sealed, std::slice::from_ref(&receipt))),
        ("conditions by a head", with(&sealed, &[conditions(head)])),
        ("conditions of nothing", with(&both, &[conditions(legal)])),
        ("conditions after recall", with(&sealed, &[recall("A"), conditions(legal)])),
        ("conditions after it was taken back", with(&sealed, &[RecallsUnreceived, conditions(legal)])),
        ("a receipt after it was taken back", with(&sealed, &[conditions(legal), RecallsUnreceived, receipt.clone()])),
        ("a receipt after recall", with(&sealed, &[conditions(legal), recall("B"), receipt.clone()])),
        ("a journal without consent", vec![journal(Some(head), 1)]),
        ("a journal on another's", with(&[consent(head, &j), consent(legal, &j)], &[of_b(head, Content::Journal)])),
        ("a journal that expired", vec![consent(head, &j), consent(legal, &j), journal(Some(head), 10)]),
        ("a journal by an agent", vec![consent(head, &j), consent(legal, &j), journal(None, 1)]),
        ("validated by a head", with(&urgent_sealed, &[validate((5, Head), 2)])),
        ("validated too late", with(&urgent_sealed, &[validate((5, LegalOfficer), 25)])),
        ("nothing urgent", with(&sealed, &[validate((5, LegalOfficer), 2)])),
        ("deleted before recall", with(&sealed, &[of_b(head, Content::Deletion)])),
    ];
    for (name, events) in bad {
        assert!(judge(&events).0.is_err(), "{name} was not flagged");
    }
    let took_part = [consent(head, &u), consent(legal, &u), seal(&u, 5, 1), validate(legal, 2)];
    assert!(judge(&took_part).0.is_err(), "validated by one who took part");
    let whole = with(&sealed, &[conditions(legal), receipt.clone()]);
    assert_eq!(judge(&whole), (Ok(()), true));
    assert_eq!(judge(&with(&sealed, &[conditions(legal)])), (Ok(()), false));
    assert_eq!(judge(&with(&whole, &[RecallsUnreceived])), (Ok(()), true), "what was received stays");
    assert_eq!(judge(&with(&whole, &[recall("A")])), (Ok(()), false));
    assert_eq!(judge(&with(&whole, &[recall("B")])), (Ok(()), false));
    let urgent_whole = with(&urgent_sealed, &[conditions(head), receipt, validate((5, LegalOfficer), 2)]);
    assert_eq!(judge(&urgent_whole), (Ok(()), true));
    let entries = [consent(head, &j), consent(legal, &j), journal(Some(third), 9)];
    assert_eq!(judge(&entries), (Ok(()), false));
}

fn parcel_content(terms: &Terms) -> Content {
    let Act(_, _, _, content) = seal(terms, 5, 1) else { unreachable!("a parcel is an act") };
    content
}
