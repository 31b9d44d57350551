use super::*;
use crate::register::Register;
use crate::vault::{Hashing, Passphrase};
use identifier::{Kind, Reason};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use std::path::PathBuf;

struct Fixture {
    folder: tempfile::TempDir,
    vault: Vault,
}

impl Fixture {
    async fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::from("right".to_owned());
        let path = folder.path().join("vault.sqlite");
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let vault = Vault::create(&path, &passphrase, Hashing::WEAK_FOR_EXERCISES, &mut rng).await.unwrap();
        Fixture { folder, vault }
    }

    fn file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join("register.csv");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    async fn import(&self, bytes: impl AsRef<[u8]>, options: ImportOptions) -> Result<ImportReport, ImportError> {
        import_file(&self.vault, &self.file(bytes), &options, &mut |_| {}).await
    }

    async fn plain(&self, bytes: impl AsRef<[u8]>) -> ImportReport {
        self.import(bytes, ImportOptions::default()).await.unwrap()
    }

    fn register(&self) -> Register {
        Register::new(self.vault.clone())
    }

    async fn tokens(&self, reference: &str) -> Vec<String> {
        let record = self.register().by_reference(reference).await.unwrap().unwrap().record;
        record.tokens.iter().map(|token| format!("{} {}", token.kind, *token.expose_canonical())).collect()
    }
}

fn options(mapping: &str) -> ImportOptions {
    ImportOptions { mapping: Mapping::read(mapping).unwrap(), ..ImportOptions::default() }
}

fn places(report: &ImportReport) -> Vec<(u64, &str, Option<usize>, usize, &str)> {
    let place = |fault: &Fault| (fault.line, fault.place, fault.value, fault.reason.name());
    let faults = report.faults.iter();
    faults
        .map(|fault| (place(fault).0, fault.column.as_str(), place(fault).1, place(fault).2, place(fault).3))
        .collect()
}

#[tokio::test]
async fn faults_have_exact_places_and_lose_only_themselves() {
    let fixture = Fixture::new().await;
    let text = "record,phone,email,note\n\
                A,+221771234567|12,a@example.sn,\"two\nlines\"\n\
                B,n/a,not an address,x\n\
                ,+221771234568,,\n\
                C,,,only a note\n\
                D,+221771234569,,,too many\n";
    let report = fixture.plain(text).await;
    assert_eq!((report.rows, report.added, report.fallen), (5, 2, 3));
    assert_eq!(report.unknown_columns, ["note"]);
    assert_eq!(
        places(&report),
        [
            (2, "phone", Some(2), 2, "country_missing"),
            (4, "phone", Some(2), 1, "placeholder"),
            (4, "email", Some(3), 1, "not_an_email"),
            (4, "record", Some(1), 1, "nothing_usable"),
            (5, "record", Some(1), 1, "no_reference"),
            (6, "record", Some(1), 1, "nothing_usable"),
            (7, "5", Some(5), 1, "no_header"),
        ]
    );
    assert_eq!(fixture.tokens("A").await, ["email a@example.sn", "phone +221771234567"]);
    assert_eq!(report.tokens, [(Kind::Phone, 2), (Kind::Email, 1)].into());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["faults"][0]["reason"], "country_missing");
    assert_eq!(json["tokens"]["phone"], 2);
}

#[tokio::test]
async fn marks_encodings_and_headers() {
    for (bytes, read_as) in [
        (b"\xef\xbb\xbfrecord;phone;place\nA;+221771234567;Thi\xc3\xa8s, S\xc3\xa9n\xc3\xa9gal\n".to_vec(), 0),
        (b"record;phone;place\r\nA;+221771234567;Thi\xe8s, S\xe9n\xe9gal\r\n".to_vec(), 1),
        (b"sep=;\r\nrecord;phone;place\r\nA;+221771234567;Thi\xe8s, S\xe9n\xe9gal\r\n".to_vec(), 1),
        (b"Record\tPHONE\tPlace\nA\t+221771234567\tThi\xc3\xa8s, S\xc3\xa9n\xc3\xa9gal\n".to_vec(), 0),
    ] {
        let fixture = Fixture::new().await;
        let report = fixture.plain(&bytes).await;
        assert_eq!((report.added, report.windows_1252), (1, read_as));
        let full = fixture.register().by_reference("A").await.unwrap().unwrap();
        assert_eq!(full.cells[2].text.as_str(), "Thiès, Sénégal");
    }
}

#[tokio::test]
async fn a_mapping_names_columns_country_and_dates() {
    let fixture = Fixture::new().await;
    let mapping = "[columns]\nrecord = \"N°\"\nphone = [\"Tél 1\", \"Tél 2\"]\nsurname = \"Nom\"\n\
                   given_names = \"Prénom\"\nbirth_date = \"Né le\"\n[defaults]\ncountry = \"SN\"\n\
                   [dates]\nformat = \"%Y%m%d\"";
    let text = "N°;Nom;Prénom;Né le;Tél 1;Tél 2;phone\n7;SOW;Awa;19870412;77 123 45 67;78x;79\n";
    let report = fixture.import(text, options(mapping)).await.unwrap();
    assert_eq!(report.added, 1);
    assert_eq!(places(&report)[0].1, "Tél 2", "the cell that holds the value, not the first of its kind");
    assert_eq!(report.unknown_columns, ["phone"], "the mapping says what is a phone here");
    let tokens = fixture.tokens("7").await;
    assert!(tokens.contains(&"person names · awa sow · 1987-04-12".to_owned()), "{tokens:?}");
    assert!(tokens.contains(&"phone +221771234567".to_owned()), "{tokens:?}");
    assert!(tokens.iter().all(|token| token.starts_with("person") || token.starts_with("phone")), "{tokens:?}");
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_and_a_new_one_only_what_it_says() {
    let fixture = Fixture::new().await;
    let first = "record,phone,place\nA,+221771234567,x\nB,+221771234568,x\nC,+221771234569,x\n";
    assert_eq!(fixture.plain(first).await.added, 3);
    let again = fixture.plain(first).await;
    assert_eq!((again.unchanged, again.added, again.replaced, again.amended), (3, 0, 0, 0));
    let second = "record,phone,place\nA,+221771234567,y\nB,+221770000001,x\n";
    let report = fixture.plain(second).await;
    assert_eq!((report.amended, report.replaced, report.removed), (1, 1, 0));
    assert_eq!(fixture.register().counts().await.unwrap().records, 3);
    let whole = ImportOptions { replace: true, ..ImportOptions::default() };
    assert_eq!(fixture.import(second, whole).await.unwrap().removed, 1);
    assert_eq!(fixture.register().counts().await.unwrap().records, 2);
    assert_eq!(fixture.vault.verify().await.unwrap(), 1 + 16 + 1, "a block, the least number of buckets, counts");
}

#[tokio::test]
async fn rows_of_one_reference_are_one_record() {
    let fixture = Fixture::new().await;
    let text = "record,phone\nA,+221771234567\nB,+221771234568\nA,+221771234569\nA,n/a\n";
    let report = fixture.plain(text).await;
    assert_eq!((report.rows, report.added, report.joined, report.fallen), (4, 2, 1, 1));
    assert_eq!(fixture.tokens("A").await.len(), 2);
    assert_eq!(fixture.plain(text).await.unchanged, 2);
    let mut rules = Rules::default();
    rules.default_country = identifier::Country::read("SN");
    assert_eq!(fixture.register().renormalise(&rules).await.unwrap(), 0, "the rows are divided again");
    assert_eq!(fixture.tokens("A").await.len(), 2);
}

#[tokio::test]
async fn dry_runs_and_strict_runs_change_nothing() {
    let fixture = Fixture::new().await;
    let text = "record,phone\nA,+221771234567\nB,12\n";
    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let report = fixture.import(text, dry).await.unwrap();
    assert_eq!((report.added, report.fallen, report.dry_run), (1, 1, true));
    let strict = ImportOptions { strict: true, ..ImportOptions::default() };
    match fixture.import(text, strict).await {
        Err(ImportError::Strict(fault)) => {
            assert_eq!((fault.line, fault.reason), (3, Cause::Value(Reason::CountryMissing)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fixture.register().counts().await.unwrap().records, 0);
}

#[tokio::test]
async fn victims_are_kept_and_never_compared() {
    let fixture = Fixture::new().await;
    fixture.plain("record,category,phone\nA,suspect,+221771234567\n").await;
    let report = fixture.plain("record,category,phone\nA,victim,+221771234567\n").await;
    assert_eq!((report.protected, report.replaced, report.fallen), (1, 1, 0));
    assert!(!report.has_faults());
    assert!(fixture.tokens("A").await.is_empty());
    assert_eq!(fixture.register().load_after(1).await.unwrap().removed, [1], "what it gave before is taken back");
}

#[tokio::test]
async fn restricted_records() {
    let fixture = Fixture::new().await;
    let text = "record,phone,restricted\nA,+221771234567,oui\nB,+221771234568,no\nC,+221771234569,perhaps\n";
    let report = fixture.plain(text).await;
    assert_eq!(report.restricted, 2, "the doubt is in favour of caution");
    assert_eq!(places(&report), [(4, "restricted", Some(3), 1, "not_yes_or_no")]);
    let records = fixture.register().load_after(0).await.unwrap().added;
    assert_eq!(records.iter().map(|record| record.restricted).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn hostile_files_change_nothing_and_say_why() {
    let fixture = Fixture::new().await;
    let endless = [b"record,phone\nA,\"".as_slice(), &vec![b'x'; 6 << 20]].concat();
    let wide = format!("record{}\nA\n", ",x".repeat(2000));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "empty"),
        (b"\xff\xfer\x00e\x00".to_vec(), "UTF-16"),
        (b"\x00\x01\x02\x03".to_vec(), "neither"),
        (b"\xd0\xcf\x11\xe0rest".to_vec(), "old XLS"),
        (b"PK\x03\x04 not a workbook".to_vec(), "workbook cannot be read"),
        (b"reference,phone\nA,1\n".to_vec(), "no column"),
        (endless, "does not end"),
        (wide.into_bytes(), "too many columns"),
    ];
    for (bytes, word) in cases {
        let error = fixture.import(&bytes, ImportOptions::default()).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    let long = format!("record,phone\nA,{}\nB,+221771234567\n", "1".repeat(100_000));
    let report = fixture.plain(long).await;
    assert_eq!((report.added, places(&report)[0].4), (1, "cell_too_long"));
    assert!(matches!(fixture.import("", ImportOptions::default()).await, Err(ImportError::Empty)));
    let missing = import_file(&fixture.vault, "none.csv".as_ref(), &ImportOptions::default(), &mut |_| {}).await;
    assert!(matches!(missing, Err(ImportError::Read(_))));
    assert_eq!(fixture.register().counts().await.unwrap().records, 1);
}

#[tokio::test]
async fn a_workbook() {
    let fixture = Fixture::new().await;
    let sheet = r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>record</t></is></c><c r="B1" t="inlineStr"><is><t>phone</t></is></c><c r="D1" t="inlineStr"><is><t>email</t></is></c></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>A</t></is></c><c r="B3"><v>221771234567</v></c></row>
<row r="4"><c r="A4"><v>12</v></c><c r="D4" t="inlineStr"><is><t>nothing</t></is></c></row>
</sheetData></worksheet>"#;
    let mut options = options("[defaults]\ncountry = \"SN\"");
    let report = fixture.import(workbook(sheet), options.clone()).await.unwrap();
    assert_eq!((report.rows, report.added, report.fallen), (2, 1, 1));
    assert_eq!(places(&report)[0], (4, "email", Some(4), 1, "not_an_email"));
    assert_eq!(fixture.tokens("A").await, ["phone +221771234567"]);
    options.sheet = Some("Other".into());
    let error = fixture.import(workbook(sheet), options).await.unwrap_err();
    assert!(matches!(error, ImportError::NoSheet { sheets, .. } if sheets == ["Register"]));
    let cut = workbook(&sheet[..sheet.len() / 2]);
    assert!(fixture.import(cut, ImportOptions::default()).await.is_err());
    assert_eq!(fixture.register().counts().await.unwrap().records, 1);
}

/// R2, for a vault at rest: no identifier in plain, in any usual encoding. The control finds what was planted.
#[tokio::test]
async fn nothing_lies_in_plain_in_the_vault() {
    let fixture = Fixture::new().await;
    let text =
        "record,full_name,birth_date,phone,place\nSN-SECRET-1,Aminata Diallo,1987-04-12,+221771234567,Tambacounda\n";
    fixture.plain(text).await;
    std::fs::remove_file(fixture.folder.path().join("register.csv")).unwrap();
    let secrets =
        ["SN-SECRET-1", "Aminata Diallo", "aminata", "1987-04-12", "+221771234567", "771234567", "Tambacounda"];
    let needles: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
    let hits = |folder: &Path| {
        let mut hits = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            hits +=
                needles.iter().filter(|needle| bytes.windows(needle.len()).any(|window| window == **needle)).count();
        }
        hits
    };
    assert_eq!(hits(fixture.folder.path()), 0);
    fixture.vault.scrub().await.unwrap();
    assert_eq!(hits(fixture.folder.path()), 0);
    for needle in &needles {
        let plant = fixture.folder.path().join("plant");
        std::fs::write(&plant, [b"before".as_slice(), needle, b"after"].concat()).unwrap();
        assert!(hits(fixture.folder.path()) >= 1, "the search finds what is there");
    }
}

fn encodings(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use sha2::Digest as _;
    let utf16 = |swap: bool| -> Vec<u8> {
        let bytes = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    vec![
        text.as_bytes().to_vec(),
        text.to_lowercase().into_bytes(),
        text.to_uppercase().into_bytes(),
        text.bytes().rev().collect(),
        hex::encode(text).into_bytes(),
        hex::encode_upper(text).into_bytes(),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(text).into_bytes(),
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text).into_bytes(),
        utf16(false),
        utf16(true),
        sha2::Sha256::digest(text).to_vec(),
        hex::encode(sha2::Sha256::digest(text)).into_bytes(),
    ]
}

/// The smallest workbook that spreadsheets write, unpacked.
fn workbook(sheet: &str) -> Vec<u8> {
    let types = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
    let relations = |target: &str, kind: &str| {
        format!(
            r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    let book = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Register" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    stored_zip(&[
        ("[Content_Types].xml", types),
        ("_rels/.rels", &relations("xl/workbook.xml", "officeDocument")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", &relations("worksheets/sheet1.xml", "worksheet")),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

fn stored_zip(files: &[(&str, &str)]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    };
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let mut shared = Vec::new();
        for number in [20_u16, 0, 0, 0, 0x21] {
            shared.extend_from_slice(&number.to_le_bytes());
        }
        for number in [crc(text.as_bytes()), text.len() as u32, text.len() as u32] {
            shared.extend_from_slice(&number.to_le_bytes());
        }
        shared.extend_from_slice(&(name.len() as u16).to_le_bytes());
        shared.extend_from_slice(&[0, 0]);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&shared);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&(out.len() as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&shared);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    let start = out.len() as u32;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for number in [files.len() as u16; 2] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}
