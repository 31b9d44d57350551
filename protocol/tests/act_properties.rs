//! Properties of acts and cases over arbitrary content: one canonical encoding that round-trips, an engine that never
//! panics and never half-changes a case, the receiver's clock, and the signatures under an act.

#[path = "consent_model/world.rs"]
#[allow(dead_code, reason = "shared with the model checker")]
mod world;

use proptest::prelude::*;
use protocol::act::{Act, ActRefused, ActSignature, Content, Outcome, Statement};
use protocol::case::{Case, CaseRefused, MAX_AHEAD_MS};
use protocol::consent::{ConsentKind, ConsentRefused, ParcelHead, Terms};
use protocol::manual::{DEFAULT, Manual};
use protocol::officer::OfficerRole::{Head, LegalOfficer};
use protocol::{Bytes, Hash, codec};
use world::{START_MS, World};

const HOUR: u64 = 3_600_000;

fn manual() -> Manual {
    let table: toml::Table = toml::from_str(DEFAULT).unwrap();
    Manual::read(table["manual"].as_table().unwrap()).unwrap()
}

/// One state, in which each of these words is a step for everybody.
fn open_manual() -> Manual {
    let mut text = "[manual]\nversion = 'h'\nfirst = 's'\n[[manual.state]]\nid = 's'\nlimit = '48h'\n".to_owned();
    for word in ["offer", "consent", "urgent-consent", "parcel", "conditions", "receipt", "validation", "journal"] {
        text += &format!(
            "[[manual.step]]\nfrom = ['s']\nevent = '{word}'\nby = ['head', 'legal-officer', 'agent']\ncarries = '{word}'\n"
        );
    }
    let table: toml::Table = toml::from_str(&text).unwrap();
    Manual::hazmat_read_unchecked(table["manual"].as_table().unwrap()).unwrap()
}

fn world() -> World {
    World::new([vec![Head, LegalOfficer, LegalOfficer], vec![Head, LegalOfficer]])
}

fn open(world: &World, manual: &Manual) -> Case {
    Case::open(manual, world.federation, world.accord, world.handle, &world.pair, START_MS)
}

fn hash() -> impl Strategy<Value = Hash> {
    prop_oneof![Just(Hash::ZERO), Just(Bytes([1; 32])), Just(Bytes([2; 32])), any::<[u8; 32]>().prop_map(Bytes)]
}

fn unit() -> impl Strategy<Value = protocol::name::UnitName> {
    prop_oneof![4 => Just("A"), 4 => Just("B"), 1 => Just("C")].prop_map(|name| name.parse().unwrap())
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(START_MS), START_MS..START_MS + 48 * HOUR, any::<u64>(), Just(u64::MAX)]
}

prop_compose! {
    fn terms()(
        kind in prop_oneof![Just(ConsentKind::Parcel), Just(ConsentKind::Urgent), Just(ConsentKind::Journal)],
        federation in hash(), accord in hash(), provider in unit(), recipient in unit(), package in hash(),
        until_ms in time(), nonce in any::<[u8; 16]>(), handle in prop_oneof![Just([3; 16]), any::<[u8; 16]>()],
    ) -> Terms {
        Terms {
            kind, federation, accord, handle: Bytes(handle), provider, recipient, recipient_key: Hash::ZERO, package,
            fields: Hash::ZERO, purpose: Hash::ZERO, handling: Hash::ZERO, until_ms, nonce: Bytes(nonce),
        }
    }
}

fn content() -> impl Strategy<Value = Content> {
    let outcome = (0..4usize).prop_map(|at| Outcome::ALL[at]);
    prop_oneof![
        Just(Content::Nothing),
        (outcome, proptest::option::of(unit())).prop_map(|(outcome, by)| Content::Offer(outcome, by)),
        terms().prop_map(Content::Consent),
        (hash(), hash(), any::<u32>()).prop_map(|(consent, package, parts)| {
            let head = ParcelHead { consent, package, parts, root: Hash::ZERO, encapsulation: Bytes::ZERO };
            Content::Parcel(Box::new(head))
        }),
        hash().prop_map(Content::Conditions),
        hash().prop_map(Content::Receipt),
        hash().prop_map(Content::Validation),
        Just(Content::Recall),
        Just(Content::Deletion),
        Just(Content::Journal),
    ]
}

fn event() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop_oneof![Just("acknowledge"), Just("same"), Just("propose"), Just("consent"), Just("parcel")]
            .prop_map(str::to_owned),
        1 => "[a-z-]{1,32}",
        1 => ".{0,40}",
    ]
}

prop_compose! {
    fn statement()(
        federation in hash(), accord in hash(), unit in unit(), ends in (unit(), unit()), place in any::<bool>(),
        round in prop_oneof![Just(0), any::<u32>()], number in prop_oneof![Just(1), any::<u32>()],
        event in event(), at_ms in time(), content in content(), matter in hash(),
    ) -> Statement {
        let (low, high) = if place { ("A".parse().unwrap(), "B".parse().unwrap()) } else { ends };
        let (federation, accord) = if place { (Bytes([1; 32]), Bytes([2; 32])) } else { (federation, accord) };
        Statement {
            federation, accord, handle: Bytes([3; 16]), low, high, unit, round, number, event, at_ms, content, matter,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn an_act_has_one_encoding(
        statement in statement(), number in any::<u32>(), signed in any::<Option<bool>>(), byte in any::<u8>(),
    ) {
        let bytes = codec::encode(&statement);
        prop_assert_eq!(codec::decode::<Statement>(&bytes), Ok(statement.clone()));
        let consent = signed.and_then(|both| both.then_some(Bytes([byte; 64])));
        let officer = signed.map(|_| ActSignature { number, signature: Bytes([byte; 64]), consent });
        let act = Act { statement, officer };
        let bytes = codec::encode(&act);
        prop_assert_eq!(codec::decode::<Act>(&bytes), Ok(act.clone()));
        let longer = [&bytes[..], &[0]].concat();
        prop_assert!(codec::decode::<Act>(&longer).is_err());
        prop_assert!(codec::decode::<Act>(&bytes[..bytes.len() - 1]).is_err());
        let other = act.link(&Bytes([byte; 32]));
        prop_assert!(byte == 0 || other != act.link(&Hash::ZERO));
    }

    #[test]
    fn bytes_that_are_no_act_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(act) = codec::decode::<Act>(&bytes) {
            prop_assert_eq!(codec::encode(&act), bytes);
        }
    }

    #[test]
    fn the_engine_never_panics(acts in proptest::collection::vec((statement(), 0..4u8), 1..6), open_for_all in any::<bool>()) {
        let manual = if open_for_all { open_manual() } else { manual() };
        let mut world = world();
        let officers = world.officers(0);
        let mut case = open(&world, &manual);
        for (mut statement, officer) in acts {
            // Bring half of them on course, so that some are accepted.
            if statement.round == 0 {
                statement.round = case.round();
                statement.number = case.next_number(&statement.unit);
            }
            if statement.unit.as_str() == "C" || (statement.unit.as_str() == "B" && officer == 3) {
                continue;
            }
            let act = world.sign(&statement, officer);
            let Ok(verified) = act.verify(&world.federation, &statement.unit, officers) else { continue };
            let before = codec::encode(&case);
            let _ = case.check_moment(&manual, &verified, statement.at_ms);
            let result = case.apply(&manual, &verified, officers);
            prop_assert_eq!(&codec::encode(&case), &before);
            let Ok(next) = result else { continue };
            prop_assert_eq!(next.next_number(&statement.unit), statement.number + 1);
            prop_assert_eq!(next.last_ms(), statement.at_ms);
            prop_assert_eq!(*next.head(), act.link(case.head()));
            let bytes = codec::encode(&next);
            prop_assert_eq!(codec::decode::<Case>(&bytes), Ok(next.clone()));
            case = next;
        }
        prop_assert!(case.expire(&manual, 0).is_err());
    }

    #[test]
    fn an_act_is_not_ahead_of_the_clock_nor_after_the_limit(at in 0..72 * HOUR, now in 0..72 * HOUR) {
        let (manual, mut world) = (manual(), world());
        let officers = world.officers(0);
        let case = open(&world, &manual);
        let act = world.sign(&plain(&world, &case, "acknowledge", START_MS + at, Content::Nothing), 1);
        let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
        let expected = if at > now + MAX_AHEAD_MS {
            Err(CaseRefused::TimeAhead)
        } else if now >= 24 * HOUR {
            Err(CaseRefused::Late)
        } else {
            Ok(())
        };
        prop_assert_eq!(case.check_moment(&manual, &act, START_MS + now), expected);
        let applied = case.apply(&manual, &act, officers);
        prop_assert_eq!(applied.err(), (at >= 24 * HOUR).then_some(CaseRefused::Late));
    }
}

fn plain(world: &World, case: &Case, event: &str, at_ms: u64, content: Content) -> Statement {
    Statement {
        federation: world.federation,
        accord: world.accord,
        handle: world.handle,
        low: world.pair.low().clone(),
        high: world.pair.high().clone(),
        unit: world.units[0].clone(),
        round: case.round(),
        number: case.next_number(&world.units[0]),
        event: event.to_owned(),
        at_ms,
        content,
        matter: Hash::ZERO,
    }
}

fn consent_to(world: &World, kind: ConsentKind, until_ms: u64) -> Terms {
    Terms {
        kind,
        federation: world.federation,
        accord: world.accord,
        handle: world.handle,
        provider: world.units[0].clone(),
        recipient: world.units[1].clone(),
        recipient_key: Hash::ZERO,
        package: Bytes([5; 32]),
        fields: Hash::ZERO,
        purpose: Hash::ZERO,
        handling: Hash::ZERO,
        until_ms,
        nonce: Bytes::ZERO,
    }
}

/// An act that is dated back to when a consent still counted, or an urgent parcel could still be validated, is refused
/// by whoever has a clock.
#[test]
fn what_has_expired_is_not_signed_for_an_earlier_moment() {
    let (manual, mut world) = (open_manual(), world());
    let officers = world.officers(0);
    let mut case = open(&world, &manual);
    let terms = |kind, hours| consent_to(&world, kind, START_MS + hours * HOUR);
    let parcel = |terms: &Terms| {
        let (consent, package) = (terms.id(), terms.package);
        let head = ParcelHead { consent, package, parts: 1, root: Hash::ZERO, encapsulation: Bytes::ZERO };
        Content::Parcel(Box::new(head))
    };
    let (ordinary, journal) = (terms(ConsentKind::Parcel, 2), terms(ConsentKind::Journal, 2));
    let urgent = terms(ConsentKind::Urgent, 2);
    let moment = |case: &Case, event: &str, officer, content, now| {
        let act = world.sign(&plain(&world, case, event, START_MS + HOUR, content), officer);
        let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
        case.check_moment(&manual, &act, now)
    };
    let consents = Content::Consent(ordinary.clone());
    let expired = Err(CaseRefused::Consent(ConsentRefused::Expired));
    let until = START_MS + 2 * HOUR;
    assert_eq!(moment(&case, "consent", 1, consents.clone(), until - 1), Ok(()));
    assert_eq!(moment(&case, "consent", 1, consents, until), expired);
    for (event, terms) in [("consent", &ordinary), ("consent", &journal), ("urgent-consent", &urgent)] {
        for officer in [1, 2] {
            let said = plain(&world, &case, event, START_MS, Content::Consent(terms.clone()));
            let act = world.sign(&said, officer);
            let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
            case = case.apply(&manual, &act, officers).unwrap();
        }
    }
    assert_eq!(moment(&case, "parcel", 1, parcel(&ordinary), until - 1), Ok(()));
    assert_eq!(moment(&case, "parcel", 1, parcel(&ordinary), until), expired);
    assert_eq!(moment(&case, "journal", 1, Content::Journal, until - 1), Ok(()));
    assert_eq!(moment(&case, "journal", 1, Content::Journal, until), expired);
    let act = world.sign(&plain(&world, &case, "parcel", START_MS, parcel(&urgent)), 1);
    let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
    let case = case.apply(&manual, &act, officers).unwrap();
    let validation = || Content::Validation(Bytes([5; 32]));
    assert_eq!(moment(&case, "validation", 3, validation(), START_MS + 24 * HOUR - 1), Ok(()));
    let late = Err(CaseRefused::Consent(ConsentRefused::Parcel));
    assert_eq!(moment(&case, "validation", 3, validation(), START_MS + 24 * HOUR), late);
}

#[test]
fn an_act_is_signed_by_an_officer_in_standing_of_the_unit_that_sends_it() {
    let (manual, mut world) = (manual(), world());
    let (officers, revoked) = (world.officers(0), world.officers(world::bit(0, 1)));
    let case = open(&world, &manual);
    let said = plain(&world, &case, "acknowledge", START_MS, Content::Nothing);
    let [a, b] = world.units.clone();
    let federation = world.federation;
    let check = |act: &Act, sender, officers| act.verify(&federation, sender, officers).map(|_| ());
    let good = world.sign(&said, 1);
    assert_eq!(check(&good, &a, officers), Ok(()));
    assert_eq!(check(&good, &b, officers), Err(ActRefused::Place), "another unit's act");
    assert_eq!(check(&good, &a, revoked), Err(ActRefused::Signature), "revoked");
    assert_eq!(good.verify(&Hash::ZERO, &a, officers).err(), Some(ActRefused::Place));
    let other = Act { statement: Statement { at_ms: said.at_ms + 1, ..said.clone() }, ..good.clone() };
    assert_eq!(check(&other, &a, officers), Err(ActRefused::Signature), "another statement");
    let mut another = good.clone();
    another.officer.as_mut().unwrap().number = 2;
    assert_eq!(check(&another, &a, officers), Err(ActRefused::Signature), "another officer");
    another.officer.as_mut().unwrap().number = 9;
    assert_eq!(check(&another, &a, officers), Err(ActRefused::Signature), "nobody");
    let mut more = good.clone();
    more.officer.as_mut().unwrap().consent = Some(Bytes::ZERO);
    assert_eq!(check(&more, &a, officers), Err(ActRefused::Consent), "a signature without a consent");
    let terms = consent_to(&world, ConsentKind::Parcel, START_MS + HOUR);
    let consent = Statement { content: Content::Consent(terms), ..said.clone() };
    let mut less = world.sign(&consent, 1);
    assert_eq!(check(&less, &a, officers), Ok(()));
    less.officer.as_mut().unwrap().consent = None;
    assert_eq!(check(&less, &a, officers), Err(ActRefused::Consent), "a consent without a signature");
    assert_eq!(check(&world.sign(&consent, 0), &a, officers), Err(ActRefused::Consent), "an agent's consent");
    assert_eq!(check(&world.sign(&said, 0), &a, officers), Ok(()));
    for event in ["", "Acknowledge", "a b", &"x".repeat(33)] {
        let said = Statement { event: event.to_owned(), ..said.clone() };
        assert_eq!(check(&world.sign(&said, 1), &a, officers), Err(ActRefused::Event), "{event}");
    }
    let swapped = Statement { low: b.clone(), high: a.clone(), ..said.clone() };
    assert_eq!(check(&world.sign(&swapped, 1), &a, officers), Err(ActRefused::Place));
    let third = Statement { low: "0".parse().unwrap(), high: b.clone(), ..said };
    assert_eq!(check(&world.sign(&third, 1), &a, officers), Err(ActRefused::Place), "of two other units");
}

/// An act that was verified before its officer was revoked gives no consent after.
#[test]
fn a_consent_that_was_verified_before_a_revocation_is_refused_after() {
    let (manual, mut world) = (open_manual(), world());
    let (officers, revoked) = (world.officers(0), world.officers(world::bit(0, 1)));
    let case = open(&world, &manual);
    let terms = consent_to(&world, ConsentKind::Parcel, START_MS + HOUR);
    let act = world.sign(&plain(&world, &case, "consent", START_MS, Content::Consent(terms)), 1);
    let verified = act.verify(&world.federation, &world.units[0], officers).unwrap();
    assert!(case.apply(&manual, &verified, officers).is_ok());
    assert_eq!(case.apply(&manual, &verified, revoked).err(), Some(ConsentRefused::Signature.into()));
}

#[test]
fn a_unit_says_a_thing_once_in_a_round() {
    let (manual, mut world) = (manual(), world());
    let officers = world.officers(0);
    let case = open(&world, &manual);
    let say = |case: &Case| {
        let act = world.sign(&plain(&world, case, "acknowledge", START_MS, Content::Nothing), 1);
        let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
        case.apply(&manual, &act, officers)
    };
    let once = say(&case).unwrap();
    assert!(once.choices(&manual, &world.units[0]).iter().any(|choice| choice.waits));
    assert!(once.choices(&manual, &world.units[1]).iter().all(|choice| !choice.waits));
    assert_eq!(say(&once), Err(CaseRefused::Repeated));
    assert_eq!(once.state(), manual.first());
}

#[test]
fn a_handover_names_one_of_the_two_units_and_nothing_else_does() {
    let (manual, mut world) = (open_manual(), world());
    let officers = world.officers(0);
    let case = open(&world, &manual);
    let [a, b] = world.units.clone();
    let offer = |outcome, provider| {
        let act = world.sign(&plain(&world, &case, "offer", START_MS, Content::Offer(outcome, provider)), 1);
        let act = act.verify(&world.federation, &world.units[0], officers).unwrap();
        case.apply(&manual, &act, officers).is_ok()
    };
    assert!(offer(Outcome::Handover, Some(a.clone())) && offer(Outcome::Handover, Some(b)));
    assert!(!offer(Outcome::Handover, None) && !offer(Outcome::Handover, Some("C".parse().unwrap())));
    for outcome in [Outcome::Separate, Outcome::Mutual, Outcome::Joint] {
        assert!(offer(outcome, None) && !offer(outcome, Some(a.clone())));
        assert!(!offer(outcome, Some("C".parse().unwrap())));
    }
}
