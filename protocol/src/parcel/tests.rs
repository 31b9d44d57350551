//! Round trips, and every way in which a parcel must not be sealed or opened.

use super::*;
use crate::codec;
use crate::consent::{ConsentGiven, ConsentKind, Ledger, OpeningGiven, ParcelHead, Place, Signer, key_hash};
use crate::name::UnitName;
use crate::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use crate::package::tests::{file, package, text};
use crate::package::{Content, Manifest};
use crate::seal::SealingKey;
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};

const NOW: u64 = 1_000_000;
const ACCORD: Hash = Bytes([4; 32]);

/// Two units with officers, keys and the ledger of a case.
struct World {
    rng: ChaCha20Rng,
    officers: Officers,
    keys: Vec<OfficerKey>,
    ledger: Ledger,
    recipient: SealingKey,
    case_key: CaseKey,
}

const PROVIDER_ROLES: [OfficerRole; 3] = [OfficerRole::Investigator, OfficerRole::LegalOfficer, OfficerRole::Head];

impl World {
    fn new() -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let mut officers = Officers::default();
        let mut keys = Vec::new();
        let (federation, provider) = (package().federation, package().provider.clone());
        for (number, role) in (1..).zip(PROVIDER_ROLES) {
            let (key, name) = (OfficerKey::generate(&mut rng), NameOpening::new("N.", &mut rng).unwrap());
            let entry = Certificate::new(&federation, &provider, number, role, &name, &key);
            officers.apply(&federation, &provider, &OfficerEntry::Certified(entry)).unwrap();
            keys.push(key);
        }
        let recipient = SealingKey::generate(&mut rng);
        let case_key = CaseKey::from_secret(&[8; 32]);
        World { rng, officers, keys, ledger: Ledger::default(), recipient, case_key }
    }

    fn terms(&self, manifest: &Manifest, kind: ConsentKind, nonce: u8) -> Terms {
        manifest.terms(kind, &ACCORD, key_hash(&self.recipient.public().0), NOW + 1000, Bytes([nonce; 16]))
    }

    /// Two officers consent to `terms`.
    fn consent(&mut self, terms: &Terms) -> ConsentGiven {
        let who = if terms.kind == ConsentKind::Urgent { [0, 2] } else { [0, 1] };
        let place = Place {
            federation: &terms.federation,
            accord: &terms.accord,
            handle: &terms.handle,
            peer: &terms.recipient,
        };
        for at in who {
            let signer = Signer { unit: terms.provider.clone(), number: at as u32 + 1, role: PROVIDER_ROLES[at] };
            let signature = terms.sign(&self.keys[at]);
            self.ledger.give(&place, terms, &signer, &signature, &self.officers, NOW).unwrap();
        }
        self.ledger.consent_given(&terms.id(), &self.officers, NOW).unwrap()
    }

    fn sealer(&mut self, terms: &Terms, manifest: &Manifest) -> Result<Sealer, ParcelError> {
        let given = self.consent(terms);
        let key = self.recipient.public();
        Sealer::new(given, manifest, &key, &self.case_key, &mut self.rng)
    }

    /// Seals, and lets the recipient's officers accept and sign the receipt.
    fn sealed(&mut self, manifest: &Manifest, files: &[&[u8]], nonce: u8) -> (ParcelHead, Vec<Vec<u8>>) {
        let terms = self.terms(manifest, ConsentKind::Parcel, nonce);
        let sealer = self.sealer(&terms, manifest).ok().unwrap();
        let (head, parts) = run(sealer, manifest, files, 100_000).unwrap();
        self.received(&terms, &head);
        (head, parts)
    }

    fn received(&mut self, terms: &Terms, head: &ParcelHead) {
        let head_of_unit = Signer { unit: terms.provider.clone(), number: 1, role: PROVIDER_ROLES[0] };
        self.ledger.seal(&head_of_unit, head, &self.officers, NOW).unwrap();
        let legal = Signer { unit: terms.recipient.clone(), number: 1, role: OfficerRole::LegalOfficer };
        self.ledger.accept_conditions(&head.package, &legal).unwrap();
        self.ledger.receive(&head.package, &legal).unwrap();
    }

    fn opening(&self, head: &ParcelHead) -> OpeningGiven {
        self.ledger.opening_given(&head.package, &package().recipient, NOW).ok().unwrap()
    }

    fn open(&self, head: &ParcelHead, parts: &[Vec<u8>]) -> Result<Opened, ParcelError> {
        open(Opener::new(self.opening(head), head, &self.recipient, &self.case_key)?, parts)
    }
}

/// A manifest's bytes, and each file's by item.
type Opened = (Vec<u8>, Vec<(usize, Vec<u8>)>);

/// Streams the files in, `step` bytes at a time.
fn run(
    mut sealer: Sealer,
    manifest: &Manifest,
    files: &[&[u8]],
    step: usize,
) -> Result<(ParcelHead, Vec<Vec<u8>>), ParcelError> {
    let numbers: Vec<usize> = manifest.files().map(|file| file.item).collect();
    let (announced, sealed_len) = (sealer.parts(), sealer.sealed_len());
    let mut parts = Vec::new();
    loop {
        match sealer.step()? {
            Step::Read(want) => {
                let file = files[numbers.iter().position(|number| *number == want.item).unwrap()];
                let rest = file.get(want.offset as usize..).unwrap_or_default();
                sealer.feed(&rest[..rest.len().min(want.len).min(step)])?;
            }
            Step::Part { index, sealed } => {
                assert_eq!(index as usize, parts.len());
                parts.push(sealed);
            }
            Step::Done => break,
        }
    }
    let head = sealer.finish()?;
    assert_eq!((head.parts, announced), (parts.len() as u32, head.parts));
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>() as u64, sealed_len);
    assert_eq!(head.root, root(parts.iter().map(Vec::as_slice)));
    assert!(parts.iter().all(|part| part.len() <= MAX_SEALED_PART));
    Ok((head, parts))
}

fn open(mut opener: Opener, parts: &[Vec<u8>]) -> Result<Opened, ParcelError> {
    let (mut manifest, mut files): Opened = Default::default();
    for part in parts {
        for piece in opener.part(part)? {
            match piece {
                Piece::Manifest(one) => manifest = one.encode().to_vec(),
                Piece::File { item, offset, bytes } => {
                    assert!(!manifest.is_empty(), "content before the manifest");
                    if offset == 0 {
                        files.push((item, Vec::new()));
                    }
                    let (last, gathered) = files.last_mut().unwrap();
                    assert_eq!((*last, gathered.len() as u64), (item, offset));
                    gathered.extend_from_slice(&bytes);
                }
            }
        }
    }
    opener.finish()?;
    Ok((manifest, files))
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    use rand_core::Rng;
    let mut out = vec![0; length];
    ChaCha20Rng::seed_from_u64(seed).fill_bytes(&mut out);
    out
}

/// A package with a file of 3.5 MiB between texts: 4 parts.
fn large() -> (Manifest, Vec<u8>) {
    let bytes = noise(1, 7 << 19);
    let mut manifest = package();
    manifest.items.push(file("video", &bytes));
    manifest.items.push(text("place", "Ziguinchor"));
    (manifest, bytes)
}

#[test]
fn packages_of_every_shape_come_back_whole() {
    let (with_file, video) = large();
    let mut fields = package();
    fields.items = (0..256).map(|n| text(&format!("field {n}"), "value")).collect();
    let mut long_manifest = package();
    long_manifest.items = (0..60).map(|n| text(&format!("text {n}"), &"x".repeat(65_000))).collect();
    let mut files = package();
    let (a, b) = (noise(2, 1), noise(3, 2_000_000));
    files.items.extend([file("e1", b""), file("a", &a), file("e2", b""), file("b", &b), file("e3", b"")]);
    let mut exact = package();
    let mut fill = noise(4, PART);
    let frame = {
        exact.items.push(file("fill", &fill));
        exact.plain_len().unwrap() as usize - PART
    };
    fill.truncate(PART - frame);
    exact.items[1] = file("fill", &fill);
    assert_eq!(exact.plain_len(), Some(PART as u64), "one part without padding");

    let cases: [(Manifest, Vec<&[u8]>); 6] = [
        (package(), vec![]),
        (fields, vec![]),
        (long_manifest, vec![]),
        (with_file, vec![&video]),
        (files, vec![b"", &a, b"", &b, b""]),
        (exact, vec![&fill]),
    ];
    for (number, (manifest, files)) in cases.iter().enumerate() {
        let mut world = World::new();
        let (head, parts) = world.sealed(manifest, files, 1);
        let (opened, contents) = world.open(&head, &parts).unwrap_or_else(|error| panic!("case {number}: {error}"));
        assert_eq!(opened, *manifest.encode(), "case {number}");
        let expected: Vec<(usize, Vec<u8>)> =
            manifest.files().zip(files).map(|(plan, bytes)| (plan.item, bytes.to_vec())).collect();
        assert!(contents == expected, "case {number}");
        let visible = [b"phone".as_slice(), b"Ziguinchor", b"value"];
        for part in &parts {
            assert!(!visible.iter().any(|word| part.windows(word.len()).any(|window| window == *word)));
        }
    }
}

#[test]
fn an_urgent_parcel_is_sealed_from_an_urgent_consent_and_a_journal_never() {
    let (mut world, manifest) = (World::new(), package());
    let terms = world.terms(&manifest, ConsentKind::Urgent, 1);
    assert!(world.sealer(&terms, &manifest).is_ok());
    let terms = world.terms(&manifest, ConsentKind::Journal, 2);
    assert_eq!(world.sealer(&terms, &manifest).err(), Some(ParcelError::Kind));
}

#[test]
fn another_key_case_or_consent_does_not_open() {
    let (mut world, (manifest, video)) = (World::new(), large());
    let (head, parts) = world.sealed(&manifest, &[&video], 1);
    assert!(world.open(&head, &parts).is_ok());

    let other_case = CaseKey::from_secret(&[9; 32]);
    let opener = Opener::new(world.opening(&head), &head, &world.recipient, &other_case).ok().unwrap();
    assert_eq!(open(opener, &parts), Err(ParcelError::DoesNotOpen));

    let other_key = SealingKey::generate(&mut world.rng);
    let refused = Opener::new(world.opening(&head), &head, &other_key, &world.case_key);
    assert_eq!(refused.err(), Some(ParcelError::RecipientKey));

    // The same package from a second consent: neither head fits the other's parts, nor the other's permission.
    let (second, second_parts) = world.sealed(&manifest, &[&video], 2);
    assert!(world.open(&second, &second_parts).is_ok());
    assert_eq!(world.open(&second, &parts), Err(ParcelError::DoesNotOpen));
    assert_eq!(world.open(&head, &parts), Err(ParcelError::OtherParcel));

    let mut crossed = second.clone();
    crossed.encapsulation = head.encapsulation;
    assert_eq!(world.open(&crossed, &second_parts), Err(ParcelError::DoesNotOpen));
    assert_eq!(world.open(&crossed, &parts), Err(ParcelError::DoesNotOpen));
}

/// Opens with the receiver's terms changed: what HPKE's info and key are bound to.
#[test]
fn every_term_binds() {
    let (mut world, manifest) = (World::new(), package());
    let (head, parts) = world.sealed(&manifest, &[], 1);
    let opened = |key: &SealingKey, change: fn(&mut Opener)| {
        let mut opener = Opener::new(world.opening(&head), &head, &world.recipient, &world.case_key).ok().unwrap();
        change(&mut opener);
        let context = {
            let encapsulated = hpke::Deserializable::from_bytes(&head.encapsulation.0).unwrap();
            let shared = shared_key(&world.case_key, opener.terms());
            let bundle = hpke::PskBundle::new(shared.as_ref(), &opener.terms().handle.0).unwrap();
            let info = info(opener.terms()).unwrap();
            hpke::setup_receiver(&hpke::OpModeR::Psk(bundle), &key.0, &encapsulated, &info).unwrap()
        };
        opener.replace_context(context);
        open(opener, &parts).map(|_| ())
    };
    assert_eq!(opened(&world.recipient, |_| ()), Ok(()));
    let other_key = SealingKey::from_secret(&[1; 32]).unwrap();
    assert_eq!(opened(&other_key, |_| ()), Err(ParcelError::DoesNotOpen), "HPKE refuses too");
    let changes: &[fn(&mut Opener)] = &[
        |o| o.terms_mut().federation = Bytes([0; 32]),
        |o| o.terms_mut().accord = Bytes([0; 32]),
        |o| o.terms_mut().handle = Bytes([0; 16]),
        |o| o.terms_mut().nonce = Bytes([0; 16]),
        |o| o.terms_mut().package = Bytes([0; 32]),
        |o| o.terms_mut().purpose = Bytes([0; 32]),
        |o| o.terms_mut().until_ms += 1,
        |o| o.terms_mut().kind = ConsentKind::Urgent,
        |o| {
            let terms = o.terms_mut();
            std::mem::swap(&mut terms.provider, &mut terms.recipient);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(opened(&world.recipient, *change), Err(ParcelError::DoesNotOpen), "change {number}");
    }
}

#[test]
fn parts_that_are_changed_swapped_or_missing_are_refused() {
    let (mut world, (manifest, video)) = (World::new(), large());
    let (head, parts) = world.sealed(&manifest, &[&video], 1);
    assert!(world.open(&head, &parts).is_ok());
    assert_eq!(parts.len(), 4);

    for at in 0..parts.len() {
        for byte in [0, parts[at].len() / 2, parts[at].len() - 1] {
            let mut changed = parts.clone();
            changed[at][byte] ^= 1;
            assert_eq!(world.open(&head, &changed), Err(ParcelError::DoesNotOpen), "part {at}, byte {byte}");
        }
    }
    let mut swapped = parts.clone();
    swapped.swap(1, 2);
    assert_eq!(world.open(&head, &swapped), Err(ParcelError::DoesNotOpen));
    let twice = [&parts[..1], &parts[..]].concat();
    assert_eq!(world.open(&head, &twice), Err(ParcelError::DoesNotOpen));
    assert_eq!(world.open(&head, &parts[..3]), Err(ParcelError::Unfinished));
    assert_eq!(world.open(&head, &parts[1..]), Err(ParcelError::DoesNotOpen));
    let more = [&parts[..], &parts[3..]].concat();
    assert_eq!(world.open(&head, &more), Err(ParcelError::Length));
    let mut shorter = parts.clone();
    shorter[3].truncate(TAG_LEN);
    assert_eq!(world.open(&head, &shorter), Err(ParcelError::Length));
    assert_eq!(world.open(&head, &[Vec::new()]), Err(ParcelError::Length));

    // A head that is cut to three parts is not that of the permission; were it, part 2 is not sealed as the last.
    let cut = ParcelHead { parts: 3, root: root(parts[..3].iter().map(Vec::as_slice)), ..head.clone() };
    let refused = Opener::new(world.opening(&head), &cut, &world.recipient, &world.case_key);
    assert_eq!(refused.err(), Some(ParcelError::OtherParcel));
    let mut opener = Opener::new(world.opening(&head), &head, &world.recipient, &world.case_key).ok().unwrap();
    opener.expect_parts(3);
    assert_eq!(open(opener, &parts[..3]), Err(ParcelError::Length), "the manifest says how many parts there are");
}

/// With a manifest that ends in the last part only the flag "last" tells that the third part of four is not the last.
#[test]
fn a_part_that_is_not_the_last_does_not_open_as_the_last() {
    let (mut world, mut manifest) = (World::new(), package());
    manifest.items = (0..60).map(|n| text(&format!("text {n}"), &"x".repeat(65_000))).collect();
    let (head, parts) = world.sealed(&manifest, &[], 1);
    assert_eq!(parts.len(), 4);
    let opened = |parts: &[Vec<u8>], expected: u32| {
        let mut opener = Opener::new(world.opening(&head), &head, &world.recipient, &world.case_key).ok().unwrap();
        opener.expect_parts(expected);
        open(opener, parts).map(|_| ())
    };
    assert_eq!(opened(&parts, 4), Ok(()));
    assert_eq!(opened(&parts[..3], 4), Err(ParcelError::Unfinished));
    assert_eq!(opened(&parts[..3], 3), Err(ParcelError::DoesNotOpen));
}

#[test]
fn an_error_voids_the_opener() {
    let (mut world, manifest) = (World::new(), package());
    let (head, parts) = world.sealed(&manifest, &[], 1);
    let mut opener = Opener::new(world.opening(&head), &head, &world.recipient, &world.case_key).ok().unwrap();
    assert_eq!(opener.part(&[]).err(), Some(ParcelError::Length));
    assert_eq!(opener.part(&parts[0]).err(), Some(ParcelError::Void));
    assert_eq!(opener.finish(), Err(ParcelError::Void));
}

#[test]
fn nothing_opens_without_conditions_and_receipt_or_after_a_recall() {
    let (mut world, manifest) = (World::new(), package());
    let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
    let sealer = world.sealer(&terms, &manifest).ok().unwrap();
    let (head, _) = run(sealer, &manifest, &[], 1).unwrap();
    let given = |world: &World, unit: &UnitName| {
        world.ledger.opening_given(&head.package, unit, NOW).map(|_| ()).map_err(|refused| refused.code())
    };
    assert_eq!(given(&world, &terms.recipient), Err("parcel-none"));
    let head_of_unit = Signer { unit: terms.provider.clone(), number: 1, role: PROVIDER_ROLES[0] };
    world.ledger.seal(&head_of_unit, &head, &world.officers, NOW).unwrap();
    assert_eq!(given(&world, &terms.recipient), Err("parcel-not-open"));
    let legal = Signer { unit: terms.recipient.clone(), number: 1, role: OfficerRole::LegalOfficer };
    world.ledger.accept_conditions(&head.package, &legal).unwrap();
    assert_eq!(given(&world, &terms.recipient), Err("parcel-not-open"));
    world.ledger.receive(&head.package, &legal).unwrap();
    assert_eq!(given(&world, &terms.recipient), Ok(()));
    assert_eq!(given(&world, &terms.provider), Err("parcel-none"));
    world.ledger.recall(Some(&terms.provider));
    assert_eq!(given(&world, &terms.recipient), Err("parcel-not-open"));
}

#[test]
fn an_urgent_parcel_opens_until_its_validation_is_overdue() {
    let (mut world, manifest) = (World::new(), package());
    let terms = world.terms(&manifest, ConsentKind::Urgent, 1);
    let sealer = world.sealer(&terms, &manifest).ok().unwrap();
    let (head, _) = run(sealer, &manifest, &[], 1).unwrap();
    world.received(&terms, &head);
    let given = |now_ms| world.ledger.opening_given(&head.package, &terms.recipient, now_ms).is_ok();
    assert!(given(NOW + crate::consent::URGENT_VALIDATION_MS - 1));
    assert!(!given(NOW + crate::consent::URGENT_VALIDATION_MS));
}

#[test]
fn a_consent_over_anything_else_seals_nothing() {
    /// One change of package or terms, and what is said of it.
    type Change = (fn(&mut Manifest), fn(&mut Terms), ParcelError);
    let changes: &[Change] = &[
        (|m| m.items[0].content = Content::Text("x".into()), |_| (), ParcelError::OtherPackage),
        (|m| m.salt = Bytes([0; 32]), |_| (), ParcelError::OtherPackage),
        (|m| m.items.push(text("one more", "")), |_| (), ParcelError::OtherPackage),
        (|_| (), |t| t.fields = Bytes([0; 32]), ParcelError::OtherPackage),
        (|_| (), |t| t.purpose = Bytes([0; 32]), ParcelError::OtherPackage),
        (|_| (), |t| t.handling = Bytes([0; 32]), ParcelError::OtherPackage),
        (|_| (), |t| t.handle = Bytes([0; 16]), ParcelError::OtherCase),
        (|_| (), |t| t.federation = Bytes([0; 32]), ParcelError::OtherCase),
        (|_| (), |t| t.recipient = "ML".parse().unwrap(), ParcelError::OtherCase),
        (|_| (), |t| t.recipient_key = Bytes([0; 32]), ParcelError::RecipientKey),
    ];
    for (number, (manifest_change, terms_change, error)) in changes.iter().enumerate() {
        let mut world = World::new();
        let mut manifest = package();
        let mut terms = world.terms(&manifest, ConsentKind::Parcel, 1);
        assert!(world.sealer(&terms, &manifest).is_ok());
        terms.nonce = Bytes([2; 16]);
        manifest_change(&mut manifest);
        terms_change(&mut terms);
        assert_eq!(world.sealer(&terms, &manifest).err(), Some(*error), "change {number}");
    }
    let (mut world, mut broken) = (World::new(), package());
    broken.items[0].necessity.clear();
    let terms = world.terms(&broken, ConsentKind::Parcel, 1);
    assert_eq!(world.sealer(&terms, &broken).err(), Some(PackageError::Necessity(0).into()));
    let manifest = package();
    let terms = world.terms(&manifest, ConsentKind::Parcel, 2);
    let (given, other) = (world.consent(&terms), SealingKey::generate(&mut world.rng).public());
    let refused = Sealer::new(given, &manifest, &other, &world.case_key, &mut world.rng);
    assert_eq!(refused.err(), Some(ParcelError::RecipientKey));
}

#[test]
fn a_file_that_is_not_the_one_consented_to_gives_no_head() {
    let (manifest, video) = large();
    let attempt = |bytes: &[u8]| {
        let mut world = World::new();
        let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
        let sealer = world.sealer(&terms, &manifest).ok().unwrap();
        run(sealer, &manifest, &[bytes], PART).map(|_| ())
    };
    assert_eq!(attempt(&video), Ok(()));
    let mut changed = video.clone();
    changed[3_000_000] ^= 1;
    assert_eq!(attempt(&changed), Err(ParcelError::File(1)));
    assert_eq!(attempt(&video[..video.len() - 1]), Err(ParcelError::File(1)));
    assert_eq!(attempt(&[]), Err(ParcelError::File(1)));

    let mut empty = package();
    empty.items.push(file("empty", b""));
    let (mut world, Content::File { root, .. }) = (World::new(), &mut empty.items[1].content) else { unreachable!() };
    *root = Bytes::ZERO;
    let terms = world.terms(&empty, ConsentKind::Parcel, 1);
    assert_eq!(world.sealer(&terms, &empty).err(), Some(ParcelError::File(1)));
}

#[test]
fn a_sealer_takes_no_more_than_it_asked_for_and_ends_once() {
    let (manifest, video) = large();
    let mut world = World::new();
    let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
    let mut sealer = world.sealer(&terms, &manifest).ok().unwrap();
    let Ok(Step::Read(want)) = sealer.step() else { panic!("it wants the file") };
    assert_eq!(sealer.step(), Ok(Step::Read(want)), "it asks again");
    assert_eq!(sealer.feed(&video[..want.len + 1]), Err(ParcelError::Unasked));
    assert_eq!(sealer.step(), Err(ParcelError::Void));
    assert_eq!(sealer.feed(&video[..1]), Err(ParcelError::Void));
    assert_eq!(sealer.finish().err(), Some(ParcelError::Void));

    let terms = world.terms(&manifest, ConsentKind::Parcel, 2);
    let mut sealer = world.sealer(&terms, &manifest).ok().unwrap();
    assert!(sealer.step().is_ok());
    assert_eq!(sealer.finish().err(), Some(ParcelError::Unfinished));

    let terms = world.terms(&manifest, ConsentKind::Parcel, 3);
    let mut sealer = world.sealer(&terms, &manifest).ok().unwrap();
    assert_eq!(sealer.feed(&video[..1]), Err(ParcelError::Unasked), "before it was asked");
}

/// A provider's own programme can seal anything under a consent; the opener does not take it.
#[test]
fn a_hostile_provider_does_not_pass_the_opener() {
    let (manifest, video) = large();
    /// What the hostile sealer does to its own state, and what the opener says.
    type Hostile = (fn(&mut Sealer), ParcelError);
    let cases: &[Hostile] = &[
        (|s| s.tamper_manifest(|bytes| *bytes.last_mut().unwrap() ^= 1), ParcelError::OtherPackage),
        (|s| s.tamper_manifest(|bytes| bytes[3] -= 1), ParcelError::OtherPackage),
        (|s| s.tamper_manifest(|bytes| bytes[0] = 1), ParcelError::Package(PackageError::TooLarge)),
        (|s| s.tamper_manifest(|bytes| bytes[..4].fill(0)), ParcelError::Package(PackageError::TooLarge)),
        (|s| s.tamper_padded(PART as u64), ParcelError::Length),
        (|s| s.tamper_padded(4096), ParcelError::Length),
    ];
    for (number, (tamper, error)) in cases.iter().enumerate() {
        let mut world = World::new();
        let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
        let mut sealer = world.sealer(&terms, &manifest).ok().unwrap();
        tamper(&mut sealer);
        let (head, parts) = run(sealer, &manifest, &[&video], PART).unwrap();
        world.received(&terms, &head);
        assert_eq!(world.open(&head, &parts), Err(*error), "case {number}");
    }
    // A head whose root is not that of the parts, which only the end can tell.
    let mut world = World::new();
    let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
    let sealer = world.sealer(&terms, &manifest).ok().unwrap();
    let (mut head, parts) = run(sealer, &manifest, &[&video], PART).unwrap();
    head.root = Bytes([0; 32]);
    world.received(&terms, &head);
    assert_eq!(world.open(&head, &parts), Err(ParcelError::OtherParcel));
    // Another file of the same length, and words in the padding.
    let small = b"the file";
    let mut manifest = package();
    manifest.items.push(file("small", small));
    for (bytes, padding, error) in [
        (small, &b""[..], None),
        (b"the fake", b"", Some(ParcelError::File(1))),
        (small, b"words", Some(ParcelError::Padding)),
    ] {
        let mut world = World::new();
        let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
        let mut sealer = world.sealer(&terms, &manifest).ok().unwrap();
        sealer.tamper_contents(&[bytes, padding].concat());
        let (head, parts) = run(sealer, &manifest, &[], PART).unwrap();
        world.received(&terms, &head);
        assert_eq!(world.open(&head, &parts).err(), error);
    }
}

#[test]
fn packages_of_one_bucket_are_as_long_as_each_other() {
    let sealed_len = |value: &str| {
        let (mut world, mut manifest) = (World::new(), package());
        manifest.items.push(text("note", value));
        let (_, parts) = world.sealed(&manifest, &[], 1);
        parts.iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(sealed_len(""), sealed_len(&"x".repeat(15_000)));
    assert_eq!(sealed_len(""), [MIN_PLAIN as usize + TAG_LEN]);
    assert_eq!(sealed_len(&"x".repeat(40_000)), sealed_len(&"x".repeat(40_100)));
    assert_ne!(sealed_len(&"x".repeat(40_000)), sealed_len(&"x".repeat(60_000)));
}

/// The bytes of version 1: what is hashed into a consent and what is sealed from it never change by accident.
#[test]
fn the_bytes_of_a_parcel_are_these() {
    let (mut world, (manifest, video)) = (World::new(), large());
    let (head, _) = world.sealed(&manifest, &[&video], 1);
    let terms = world.terms(&manifest, ConsentKind::Parcel, 1);
    let head_hash = Bytes::<32>(Sha256::digest(codec::encode(&head)).into());
    let hashes = [terms.package, terms.fields, terms.purpose, terms.handling, head.root, head_hash];
    let expected = [
        "f9c7f4896b5bd9c9360f1b315bf13452fffa322e0377374e4b50e7c78c3f9585",
        "2ea4f59e18e3b6804237d857eb0e341991af8d581802cbbdd3831a362574a80a",
        "82fbc0313b7f75d47dd4eb8d2af1218032ab38428acd5077f8477a359276a962",
        "1d085b1835dc5c86db08aaddd84e61f50a61876728d4bc3e4da8fcfb0c546ec6",
        "62ee2f924e8ab40a4329484d129c49cd7d2b2e66469561f475d05c180292b509",
        "78c73124ccaa52bca83cbf71c5a80d5f3d28022a7a5542158dfbd8d0b9cb4ce7",
    ];
    assert_eq!(hashes.map(|hash| hash.to_string()), expected);
}

#[test]
fn buckets_of_the_paper() {
    // L = 9 needs E = 3, S = 2: the paper's own example, below the smallest bucket here; above it, by hand.
    assert_eq!(padded(0), MIN_PLAIN);
    assert_eq!(padded(MIN_PLAIN), MIN_PLAIN);
    assert_eq!(padded(MIN_PLAIN + 1), MIN_PLAIN + 1024);
    assert_eq!(padded(1_000_000), 1_015_808);
    assert_eq!(padded(MAX_PLAIN), MAX_PLAIN);
    assert_eq!(padded(MAX_PLAIN - 1), MAX_PLAIN);
    assert_eq!(part_count(MAX_PLAIN), Some(MAX_PARTS));
    assert_eq!(part_count(MAX_PLAIN + 1), None);
}

proptest! {
    #[test]
    fn padding_is_monotone_stable_and_below_12_percent(a in 0..=MAX_PLAIN, b in 0..=MAX_PLAIN, near in 0u64..5000) {
        for (a, b) in [(a, b), (a, a.saturating_add(near).min(MAX_PLAIN)), (near * 20, near * 20 + 1)] {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(padded(low) <= padded(high));
            for length in [low, high] {
                prop_assert!(padded(length) >= length);
                prop_assert_eq!(padded(padded(length)), padded(length));
                prop_assert!(length < MIN_PLAIN || (padded(length) - length) * 100 <= length * 12);
            }
        }
        prop_assert!(padded(u64::MAX) >= padded(u64::MAX - 1));
    }
}

/// The client seals and opens on other threads.
#[test]
fn sealer_and_opener_can_be_sent() {
    fn sends<T: Send>() {}
    sends::<Sealer>();
    sends::<Opener>();
    sends::<Piece>();
}
