//! R2: every byte under the broker's folder is searched for what units hold, in many encodings, and for the secrets that
//! they derived; a unit's own folder is searched for its identifiers in plain. Planted leaks are the positive control.

mod cases;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use exercise::federation::{Served, Unit, accord, agree, settle, verify_all};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What is searched for: a name for the report, and the bytes.
type Needles = BTreeMap<String, Vec<u8>>;

const REGISTER_SN: &str = "record,phone,email,document_type,document_number,document_country,plate,plate_country,\
surname,given_names,birth_date\n\
SN-REF-77,+221771234567,awa.diop@exemple-secret.org,passport,A01234567,SN,DK 1234 AB,SN,Diopsecret,Awaprenom,1987-03-14\n\
SN-REF-78,+221779999001,,,,,,,,,\n";
const REGISTER_GM: &str = "record,phone,email,plate,plate_country\n\
GM-REF-12,00221 77 123 45 67,AWA.DIOP@exemple-secret.org,DK-1234-AB,SN\n\
GM-REF-13,+2207654321,,,\n";

/// The words of both registers.
fn words() -> Vec<String> {
    let mut words: Vec<String> = REGISTER_SN
        .lines()
        .chain(REGISTER_GM.lines())
        .filter(|line| !line.starts_with("record"))
        .flat_map(|line| line.split(','))
        .filter(|cell| cell.len() >= 5 && *cell != "passport")
        .map(str::to_owned)
        .collect();
    words.extend(["221771234567", "771234567", "DK1234AB", "A01234567", "2207654321", "19870314"].map(str::to_owned));
    words
}

/// Each word in every usual encoding.
fn encodings(words: &[String]) -> Needles {
    let mut needles = Needles::new();
    for word in words {
        for (case, text) in [("as is", word.clone()), ("lower", word.to_lowercase()), ("upper", word.to_uppercase())] {
            let bytes = text.as_bytes();
            let mut add = |how: &str, bytes: Vec<u8>| {
                needles.insert(format!("{word} ({case}, {how})"), bytes);
            };
            add("text", bytes.to_vec());
            add("backwards", bytes.iter().rev().copied().collect());
            add("hexadecimal", hex::encode(bytes).into_bytes());
            add("HEXADECIMAL", hex::encode_upper(bytes).into_bytes());
            add("UTF-16 LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            add("UTF-16 BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect());
            add("XOR 0xff", bytes.iter().map(|b| b ^ 0xff).collect());
            add("rot13", bytes.iter().map(|b| rot13(*b)).collect());
            // In the middle of other text, Base64 has three alignments; the inner characters are always the same.
            for shift in 0..3 {
                let padded = [&b"\0\0\0"[..shift], bytes].concat();
                for (name, encoded) in
                    [("base64", STANDARD_NO_PAD.encode(&padded)), ("base64url", URL_SAFE_NO_PAD.encode(&padded))]
                {
                    let inner = &encoded.as_bytes()[if shift == 0 { 0 } else { shift + 1 }..encoded.len() - 2];
                    if inner.len() >= 6 {
                        add(&format!("{name} {shift}"), inner.to_vec());
                    }
                }
            }
            let digits: Vec<u8> = bytes.iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0').collect();
            if digits.len() >= 7 {
                let number = digits.iter().fold(0u64, |n, d| n.wrapping_mul(10).wrapping_add(u64::from(*d)));
                add("number LE", number.to_le_bytes()[..5].to_vec());
                add("number BE", number.to_be_bytes()[3..].to_vec());
                let bcd = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0xf));
                add("BCD", bcd.collect());
            }
        }
    }
    needles
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

/// Secrets that a unit derived: scalars, contributions, pair secrets, blinds, tokens, match keys, and its long-lived keys.
async fn secrets(unit: &Unit) -> Needles {
    let mut needles = Needles::new();
    let mut keep = |name: String, bytes: &[u8]| {
        if bytes.len() >= 16 {
            needles.insert(format!("{} {name} (whole)", unit.name), bytes.to_vec());
            needles.insert(format!("{} {name} (first half)", unit.name), bytes[..bytes.len() / 2].to_vec());
            needles.insert(format!("{} {name} (hexadecimal)", unit.name), hex::encode(bytes).into_bytes());
        }
    };
    for (key, value) in unit.vault.list("pair/").await.unwrap() {
        // Accord, scalar, sealing key, contribution; the commitment and keys of the peer are public; the last long byte
        // string is the pair secret.
        let items = byte_strings(&value);
        for (what, at) in [("scalar", 1), ("sealing key", 2), ("contribution", 3)] {
            keep(format!("{key} {what}"), &items[at]);
        }
        let secret = items.iter().find(|item| item.len() == 64).expect("a pair secret");
        keep(format!("{key} pair secret"), secret);
    }
    for (key, value) in unit.vault.list("leaf/").await.unwrap() {
        for (at, item) in byte_strings(&value).chunks(3).enumerate() {
            // Local name, tag (public), match key.
            keep(format!("{key} {at} match key"), &item[2]);
            if item[0].len() == 16 {
                keep(format!("{key} {at} local name"), &item[0]);
            }
        }
    }
    for key in ["unit/signing-key", "unit/sealing-key", "unit/tls-key"] {
        keep(key.to_owned(), &unit.vault.get(key).await.unwrap().unwrap());
    }
    for record in unit.session.register().load_after(0).await.unwrap().added {
        for token in &record.tokens {
            needles.insert(format!("{} token", unit.name), token.bytes.to_vec());
        }
    }
    needles
}

fn byte_strings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(value);
    let mut out = Vec::new();
    while let Ok(kind) = decoder.datatype() {
        match kind {
            minicbor::data::Type::Bytes => out.push(decoder.bytes().unwrap().to_vec()),
            _ => decoder.skip().unwrap(),
        }
    }
    out
}

/// Which needles stand anywhere below `folder`.
fn search(folder: &Path, needles: &Needles) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    // All needles at once: an index of their first four bytes.
    let mut index: BTreeMap<[u8; 4], Vec<(&str, &[u8])>> = BTreeMap::new();
    for (name, bytes) in needles.iter().filter(|(_, bytes)| bytes.len() >= 5) {
        index.entry(bytes[..4].try_into().unwrap()).or_default().push((name, bytes));
    }
    let mut found = Vec::new();
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for (at, window) in bytes.windows(4).enumerate() {
            for (name, needle) in index.get(window).into_iter().flatten() {
                if bytes[at..].starts_with(needle) {
                    found.push(format!("{name} in {}", file.display()));
                }
            }
        }
    }
    found
}

/// The control: each needle, planted alone, is found.
fn each_needle_is_found_where_it_is_planted(control: &Path, needles: &Needles) {
    std::fs::create_dir(control).unwrap();
    let all: Vec<u8> = needles.values().flat_map(|bytes| [b"....".as_slice(), bytes].concat()).collect();
    std::fs::write(control.join("leaks"), all).unwrap();
    let found = search(control, needles);
    for (name, bytes) in needles.iter().filter(|(_, bytes)| bytes.len() >= 5) {
        assert!(found.iter().any(|f| f.starts_with(name.as_str())), "the search misses {name}: {bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seized_broker_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let served = Served::start(&folder.join("broker"), "Privacy", None).await.unwrap();
    let mut units = Vec::new();
    for (name, text) in [("GM", REGISTER_GM), ("SN", REGISTER_SN)] {
        let unit = Unit::admitted(&folder.join(name), name, name, &served).await.unwrap();
        let file = folder.join(format!("{name}.csv"));
        std::fs::write(&file, text).unwrap();
        unit.import(&file, None).await.unwrap();
        units.push(unit);
    }
    verify_all(&mut units).await.unwrap();
    agree(&mut units, &accord()).await.unwrap();
    let units = settle(units, Duration::from_secs(120), &mut |_, _| {}).await.unwrap();
    assert_eq!(units[0].session.agent().overlaps().count(), 1, "the federation did its work");
    for unit in &units {
        assert!(unit.session.not_taken().is_empty(), "{:?}", unit.session.not_taken());
        let alarm = unit.events.iter().find(|event| matches!(event.code(), "disputed" | "rejected" | "split-view"));
        assert_eq!(alarm, None);
    }

    let plain = encodings(&words());
    let mut needles = plain.clone();
    for unit in &units {
        needles.append(&mut secrets(unit).await);
    }
    assert!(needles.len() > 1000, "{}", needles.len());
    served.stop().await.unwrap();
    let broker = folder.join("broker");
    assert_eq!(search(&broker, &needles), [""; 0], "the broker holds something of a unit");
    for unit in &units {
        assert_eq!(search(&unit.folder, &plain), [""; 0], "a vault holds something in plain");
    }

    each_needle_is_found_where_it_is_planted(&folder.join("control"), &needles);
    // And planted in the broker's own database, as a careless column would hold it.
    let pool = exercise::broker_view::open(&broker, None).await.unwrap();
    let note = "INSERT INTO setting (name, value) VALUES ('note', 'seen: +221771234567')".to_owned();
    exercise::broker_view::execute(&pool, note).await.unwrap();
    pool.close().await;
    assert!(!search(&broker, &needles).is_empty());
}
