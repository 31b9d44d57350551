//! What follows a match tells a seized broker nothing either: after every outcome of the manual was played, no word,
//! field, file's name, purpose, reason, officer's name or content of a parcel is in its folder (R2, R31).
//!
//! The manual is part of the accord, which the broker has in clear: the words that stand there (codes of reasons, names of
//! fields) are searched for in everything but the accord.

use super::{Needles, byte_strings, each_needle_is_found_where_it_is_planted, encodings, search};
use exercise::broker_view::{execute, open};
use exercise::federation::{Served, Unit, accord, agree, settle, verify_all};
use exercise::handover::{FILE_NAME, NOTE, THREAT, purpose};
use exercise::officers::Staff;
use exercise::outcomes::{Ending, handle_of};
use exercise::played::acts_of;
use exercise::talks::{Talks, field};
use protocol::package::ContentKind;
use sqlx::Row;
use std::path::Path;
use std::time::Duration;

/// Invented persons who are near to each other in nothing: neither by sound nor by the digits of a date.
const PERSONS: [(&str, &str, &str); 7] = [
    ("Vorundasecret", "Khelimosecret", "1951-03-14"),
    ("Bajitekusecret", "Nofrasecret", "1968-11-27"),
    ("Gwelomasecret", "Tizabusecret", "1979-06-05"),
    ("Pirraksecret", "Oudalensecret", "1984-09-19"),
    ("Zemfolinsecret", "Yakubresecret", "1993-12-08"),
    ("Hadronvisecret", "Milpesosecret", "1946-07-30"),
    ("Luqestarsecret", "Ebbiwasecret", "2002-04-21"),
];

/// One person for each outcome, in both registers.
fn register(unit: &str) -> String {
    let person = |(at, (surname, given, born)): (usize, &(&str, &str, &str))| {
        format!("{unit}-REF-{at},+22177123450{at},{surname},{given},{born}\n")
    };
    assert_eq!(PERSONS.len(), Ending::ALL.len());
    "record,phone,surname,given_names,birth_date\n".to_owned()
        + &PERSONS.iter().enumerate().map(person).collect::<String>()
}

/// Everything in the broker's database but the accord: what acts and parcels left there.
async fn all_but_the_accord(broker: &Path) -> Vec<u8> {
    let pool = open(broker, None).await.unwrap();
    let mut all = Vec::new();
    for query in [
        "SELECT bytes, head, coalesce(rows, x'') FROM envelope WHERE kind <> 'accord-proposal'",
        "SELECT handle, state, accord FROM case_file",
        "SELECT certificate, key, key FROM officer",
        "SELECT f.bytes, f.hash, f.hash FROM frame f JOIN envelope e ON e.body = f.body WHERE e.kind <> 'accord-proposal'",
    ] {
        for row in sqlx::query(query).fetch_all(&pool).await.unwrap() {
            for column in 0..3 {
                all.extend(row.try_get::<Vec<u8>, _>(column).unwrap());
            }
        }
    }
    pool.close().await;
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seized_broker_tells_nothing_of_what_followed_a_match() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let served = Served::start(&folder.join("broker"), "Cases", None).await.unwrap();
    let mut units = Vec::new();
    for name in ["GM", "SN"] {
        let unit = Unit::admitted(&folder.join(name), name, name, &served).await.unwrap();
        let file = folder.join(format!("{name}.csv"));
        std::fs::write(&file, register(name)).unwrap();
        unit.import(&file, None).await.unwrap();
        units.push(unit);
    }
    verify_all(&mut units).await.unwrap();
    agree(&mut units, &accord()).await.unwrap();
    let mut units = settle(units, Duration::from_secs(120), &mut |_, _| {}).await.unwrap();
    let staffs = Staff::appoint_all(&mut units).await.unwrap();

    let mut words = Vec::new();
    for (at, ending) in Ending::ALL.into_iter().enumerate() {
        let handle = handle_of(&units[0], &units[1], &format!("GM-REF-{at}")).await.unwrap();
        let [gm, sn] = units.get_disjoint_mut([0, 1]).unwrap();
        let mut talks = Talks::new(handle, [gm, sn], [&staffs[0], &staffs[1]]);
        assert!(ending.play(&mut talks, &folder.join("attachments")).await.unwrap(), "{ending:?}");
        let said = acts_of(&mut talks).await.unwrap();
        words.extend(said.iter().flat_map(|act| act.said.split(" · ")).map(str::to_owned));
    }
    let line = field("photograph", ContentKind::File);
    let purpose = purpose();
    words.extend(
        [NOTE, THREAT, FILE_NAME, &line.name, &line.necessity, &purpose.text, &purpose.offence].map(str::to_owned),
    );
    words.extend([purpose.legal_basis, purpose.reference.unwrap()]);
    words.extend(staffs.iter().flat_map(Staff::iter).map(|officer| officer.name().name.clone()));
    words.extend(register("GM").lines().skip(1).flat_map(|row| row.split(',')).map(str::to_owned));
    words.sort();
    words.dedup();
    words.retain(|word| word.len() >= 5);
    let manual = accord();
    let (public, words): (Vec<String>, Vec<String>) = words.into_iter().partition(|word| manual.contains(word));
    assert!(words.len() > 30 && !public.is_empty(), "{words:?} {public:?}");

    let plain = encodings(&words);
    let mut needles = plain.clone();
    secrets_of_cases(&units, &staffs, &mut needles).await;
    for file in std::fs::read_dir(folder.join("attachments")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 64] {
            needles.insert(format!("file, from byte {at} of {}", bytes.len()), bytes[at..at + 64].to_vec());
        }
    }
    served.stop().await.unwrap();
    let broker = folder.join("broker");
    assert_eq!(search(&broker, &needles), [""; 0], "the broker holds something of a case");
    for unit in &units {
        assert_eq!(search(&unit.folder, &plain), [""; 0], "a vault holds something in plain");
    }
    let beside = folder.join("beside");
    std::fs::create_dir(&beside).unwrap();
    std::fs::write(beside.join("all"), all_but_the_accord(&broker).await).unwrap();
    let public = encodings(&public);
    assert_eq!(search(&beside, &public), [""; 0], "a code or a field's name is said in clear");

    each_needle_is_found_where_it_is_planted(&folder.join("control"), &needles);
    assert!(!search(&broker, &public).is_empty(), "the accord itself is there in clear: the search finds it");
    let pool = open(&broker, None).await.unwrap();
    execute(&pool, format!("INSERT INTO setting (name, value) VALUES ('note', '{}')", FILE_NAME)).await.unwrap();
    pool.close().await;
    assert!(!search(&broker, &needles).is_empty());
}

/// Keys of cases, and of officers.
async fn secrets_of_cases(units: &[Unit], staffs: &[Staff], needles: &mut Needles) {
    for unit in units {
        for (key, value) in unit.vault.list("case/").await.unwrap() {
            let secret = byte_strings(&value)[1].clone();
            assert_ne!(secret, [0; 32], "no case has ended: its key is there");
            needles.insert(format!("{} {key}", unit.name), secret);
        }
    }
    for (unit, staff) in units.iter().zip(staffs) {
        for officer in staff.iter() {
            let name = format!("{} key of officer {}", unit.name, officer.number());
            needles.insert(name, officer.key().expose_secret().to_vec());
        }
    }
}
