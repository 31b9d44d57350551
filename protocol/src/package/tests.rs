//! Limits, hashes and openings of a package.

use super::*;
use crate::codec;

/// A package of one text and no file, which everybody accepts.
pub(crate) fn package() -> Manifest {
    Manifest {
        salt: Bytes([1; 32]),
        federation: Bytes([2; 32]),
        handle: Bytes([3; 16]),
        provider: "SN".parse().unwrap(),
        recipient: "GM".parse().unwrap(),
        purpose: Purpose {
            text: "To identify the buyer.".into(),
            offence: "Trafficking in protected species".into(),
            legal_basis: "Accord, article 4".into(),
            reference: None,
        },
        items: vec![text("phone", "+221 77 000 00 00")],
    }
}

pub(crate) fn text(name: &str, value: &str) -> Item {
    item(name, Content::Text(value.into()))
}

pub(crate) fn file(name: &str, bytes: &[u8]) -> Item {
    let mut root = FileRoot::new();
    root.update(bytes);
    let (length, root) = root.finish();
    item(name, Content::File { name: format!("{name}.pdf"), length, root })
}

fn item(name: &str, content: Content) -> Item {
    Item {
        name: name.into(),
        category: Category::Suspect,
        handling: vec![HandlingCode::H1, HandlingCode::H2],
        restriction: None,
        source: SourceCode::A,
        information: InformationCode::Two,
        nature: Nature::Fact,
        necessity: "To compare with the seizure of May.".into(),
        content,
    }
}

/// One change, and what is said of it.
type Change = (fn(&mut Manifest), PackageError);

#[test]
fn what_is_out_of_its_limits_is_named() {
    assert_eq!(package().check(), Ok(()));
    let changes: &[Change] = &[
        (|m| m.recipient = m.provider.clone(), PackageError::Parties),
        (|m| m.items.clear(), PackageError::Items),
        (|m| m.items = (0..=MAX_ITEMS).map(|_| text("a", "")).collect(), PackageError::Items),
        (|m| m.items[0].name.clear(), PackageError::FieldName(0)),
        (|m| m.items[0].name = "x".repeat(MAX_FIELD_NAME + 1), PackageError::FieldName(0)),
        (|m| m.items[0].name = "a\nb".into(), PackageError::FieldName(0)),
        (|m| m.items[0].name = "a\u{202e}b".into(), PackageError::FieldName(0)),
        (|m| m.items[0].handling.clear(), PackageError::Handling(0)),
        (|m| m.items[0].handling.reverse(), PackageError::Handling(0)),
        (|m| m.items[0].handling = vec![HandlingCode::H1; 2], PackageError::Handling(0)),
        (|m| m.items[0].handling = vec![HandlingCode::H3], PackageError::Restriction(0)),
        (|m| m.items[0].restriction = Some("ask".into()), PackageError::Restriction(0)),
        (|m| m.items[0].necessity.clear(), PackageError::Necessity(0)),
        (|m| m.items[0].necessity = "x".repeat(MAX_NECESSITY + 1), PackageError::Necessity(0)),
        (|m| m.items.push(text("b", "\u{1b}[2J")), PackageError::Text(1)),
        (|m| m.items.push(text("b", &"x".repeat(MAX_TEXT + 1))), PackageError::Text(1)),
        (|m| m.items.push(file("../b", b"")), PackageError::FileName(1)),
        (|m| m.items.push(file("..\\b", b"")), PackageError::FileName(1)),
        (|m| m.purpose.text.clear(), PackageError::Purpose),
        (|m| m.purpose.offence = "x".repeat(MAX_PURPOSE_LINE + 1), PackageError::Purpose),
        (|m| m.purpose.reference = Some(String::new()), PackageError::Purpose),
        (|m| m.items = (0..80).map(|_| text("a", &"x".repeat(MAX_TEXT))).collect(), PackageError::TooLarge),
        (|m| m.items.push(long(parcel::MAX_PLAIN)), PackageError::TooLarge),
        (|m| m.items.extend([long(u64::MAX), long(u64::MAX)]), PackageError::TooLarge),
    ];
    for (number, (change, error)) in changes.iter().enumerate() {
        let mut manifest = package();
        change(&mut manifest);
        assert_eq!(manifest.check(), Err(*error), "change {number}");
        assert_eq!(Manifest::decode(&manifest.encode()).err(), Some(*error), "change {number}");
    }
    for name in [".", ".."] {
        let mut manifest = package();
        manifest.items[0].content = Content::File { name: name.into(), length: 0, root: Bytes::ZERO };
        assert_eq!(manifest.check(), Err(PackageError::FileName(0)));
    }
    let fits: &[fn(&mut Manifest)] = &[
        |m| m.items = (0..MAX_ITEMS).map(|_| text("a", "")).collect(),
        |m| m.items[0].name = "é".repeat(MAX_FIELD_NAME / 2),
        |m| m.items.push(text("b", &"x\n".repeat(MAX_TEXT / 2))),
        |m| m.items.push(long(parcel::MAX_PLAIN - 100_000)),
        |m| m.purpose.reference = Some("RP 12/2026".into()),
        |m| {
            m.items[0].handling.push(HandlingCode::H3);
            m.items[0].restriction = Some("Ask before any arrest.".into());
        },
    ];
    for change in fits {
        let mut manifest = package();
        change(&mut manifest);
        assert_eq!(manifest.check(), Ok(()));
        let bytes = manifest.encode();
        assert_eq!(bytes.len(), manifest.encoded_len());
        let again = Manifest::decode(&bytes).ok().unwrap();
        assert!(again.encode() == bytes && again.package_hash() == manifest.package_hash());
        assert_eq!(hash_of_encoded(&bytes), manifest.package_hash());
    }
    let mut long = package().encode().to_vec();
    long.push(0);
    assert_eq!(Manifest::decode(&long).err(), Some(PackageError::Malformed));
    assert_eq!(Manifest::decode(&long[..9]).err(), Some(PackageError::Malformed));
}

fn long(length: u64) -> Item {
    item("file", Content::File { name: "a".into(), length, root: Bytes::ZERO })
}

/// Which of package, fields, purpose and handling hash differ.
fn differing(a: &Terms, b: &Terms) -> [bool; 4] {
    [a.package != b.package, a.fields != b.fields, a.purpose != b.purpose, a.handling != b.handling]
}

fn terms(manifest: &Manifest) -> Terms {
    manifest.terms(ConsentKind::Parcel, &Bytes([4; 32]), Bytes([5; 32]), 6, Bytes([7; 16]))
}

#[test]
fn each_hash_covers_its_part_and_no_other() {
    let before = terms(&package());
    assert_eq!(before, terms(&package()));
    /// One change, and which hashes it changes.
    type Differs = (fn(&mut Manifest), [bool; 4]);
    let changes: &[Differs] = &[
        (|m| m.salt = Bytes([9; 32]), [true; 4]),
        (|m| m.items[0].content = Content::Text("other".into()), [true, false, false, false]),
        (|m| m.items[0].name = "mobile".into(), [true, true, false, false]),
        (|m| m.items[0].necessity = "other".into(), [true, true, false, false]),
        (|m| m.items[0].nature = Nature::Assessment, [true, true, false, false]),
        (|m| m.items[0].handling = vec![HandlingCode::H0], [true, true, false, true]),
        (|m| m.purpose.text = "other".into(), [true, false, true, false]),
        (|m| m.items.push(text("more", "")), [true, true, false, true]),
        (|m| m.items[0].content = long(0).content, [true, true, false, false]),
    ];
    for (number, (change, differ)) in changes.iter().enumerate() {
        let mut manifest = package();
        change(&mut manifest);
        assert_eq!(differing(&before, &terms(&manifest)), *differ, "change {number}");
        assert!(!manifest.is_of(&before), "change {number}");
        assert!(manifest.is_of(&terms(&manifest)));
    }
}

#[test]
fn openings_can_be_shown_one_by_one() {
    let mut manifest = package();
    manifest.items.push(file("deposition", b"canary-value"));
    let (terms, openings) = (terms(&manifest), manifest.openings());
    assert!(openings.are_of(&terms));
    let bytes = codec::encode(&openings);
    assert_eq!(codec::decode::<Openings>(&bytes), Ok(openings.clone()));
    for hidden in ["+221 77 000 00 00", "deposition.pdf", "canary-value"] {
        assert!(!bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes()), "{hidden} is shown");
    }
    let salts = [manifest.salt, openings.fields.salt, openings.purpose.salt, openings.handling.salt];
    for (number, salt) in salts.iter().enumerate() {
        assert!(!salts[number + 1..].contains(salt), "two salts are the same");
        assert_eq!(number == 0, !bytes.windows(32).any(|window| window == salt.0), "the package's salt is shown");
    }
    let mut changed = openings.clone();
    changed.fields.lines[0].category = Category::Witness;
    assert!(!changed.are_of(&terms));
    let mut changed = openings.clone();
    changed.purpose.purpose.reference = Some("RP 1".into());
    assert!(!changed.are_of(&terms));
    let mut changed = openings;
    changed.handling.lines[1].handling = vec![HandlingCode::H0];
    assert!(!changed.are_of(&terms));
}

#[test]
fn every_word_is_read_back() {
    assert!(HandlingCode::ALL.iter().all(|one| one.name().parse() == Ok(*one)));
    assert!(Category::ALL.iter().all(|one| one.name().parse() == Ok(*one)));
    assert!(SourceCode::ALL.iter().all(|one| one.name().parse() == Ok(*one)));
    assert!(InformationCode::ALL.iter().all(|one| one.name().parse() == Ok(*one)));
    assert!(Nature::ALL.iter().all(|one| one.name().parse() == Ok(*one)));
    assert!("h0".parse::<HandlingCode>().is_err());
}
