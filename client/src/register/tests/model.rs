//! The register beside a plain model of it, through random imports, edits, removals, other rules and reopenings.
//!
//! The model is a map from references to records, and the list of all removals. *Not here:* files (import/tests.rs).

use super::*;
use rand_chacha::rand_core::Rng;
use std::collections::BTreeMap;

/// What a test says of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    phone: String,
    place: String,
    restricted: bool,
}

/// A live record of the model.
#[derive(Clone, Debug)]
struct Live {
    serial: u64,
    said: Said,
    tokens: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Model {
    live: BTreeMap<String, Live>,
    /// Serial of the note, and of the removed record.
    removed: Vec<(u64, u64)>,
    last: u64,
}

impl Model {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn remove(&mut self, serial: u64) {
        let note = self.next();
        self.removed.push((note, serial));
    }

    fn put(&mut self, reference: &str, said: Said, rules: &Rules) -> Outcome {
        let tokens: Vec<Vec<u8>> =
            record(reference, &said, rules).tokens.iter().map(|token| token.bytes.to_vec()).collect();
        let outcome = match self.live.get(reference).cloned() {
            None => Outcome::Added,
            Some(old) if old.said == said && old.tokens == tokens => return Outcome::Unchanged,
            Some(old) if old.tokens == tokens && old.said.restricted == said.restricted => {
                self.live.insert(reference.to_owned(), Live { serial: old.serial, said, tokens });
                return Outcome::Amended;
            }
            Some(old) => {
                self.remove(old.serial);
                Outcome::Replaced
            }
        };
        let serial = self.next();
        self.live.insert(reference.to_owned(), Live { serial, said, tokens });
        outcome
    }

    /// In the order of serials, as the register does.
    fn renormalise(&mut self, rules: &Rules) -> u64 {
        let mut all: Vec<(String, Live)> = self.live.clone().into_iter().collect();
        all.sort_by_key(|(_, live)| live.serial);
        let outcomes = all.into_iter().map(|(reference, live)| self.put(&reference, live.said, rules));
        outcomes.filter(|outcome| *outcome == Outcome::Replaced).count() as u64
    }
}

fn record(reference: &str, said: &Said, rules: &Rules) -> Content {
    Content { restricted: said.restricted, ..content(reference, &said.phone, &said.place, rules) }
}

struct Trial {
    folder: tempfile::TempDir,
    vault: Vault,
    model: Model,
    rules: Rules,
    rng: ChaCha20Rng,
}

impl Trial {
    async fn new(seed: u64) -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder).await;
        let rng = ChaCha20Rng::seed_from_u64(seed);
        Trial { folder, vault, model: Model::default(), rules: Rules::default(), rng }
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.rng.next_u32() % bound
    }

    fn reference(&mut self) -> String {
        format!("R{}", self.below(1500))
    }

    fn said(&mut self) -> Said {
        let number = 771_000_000 + self.below(50);
        let phone = if self.below(2) == 0 { format!("+221{number}") } else { number.to_string() };
        let place = match self.below(20) {
            0 => "long ".repeat(900 + self.below(900) as usize),
            other => format!("place {other}"),
        };
        Said { phone, place, restricted: self.below(10) == 0 }
    }

    async fn put(&mut self, rows: u32) {
        let rows: Vec<(String, Said)> = (0..rows).map(|_| (self.reference(), self.said())).collect();
        let mut writer = RegisterWriter::begin(&self.vault, &self.rules).await.unwrap();
        for rows in rows.chunks(97) {
            let contents = rows.iter().map(|(reference, said)| record(reference, said, &self.rules)).collect();
            let outcomes = writer.put(contents).await.unwrap();
            let expected = rows.iter().map(|(reference, said)| self.model.put(reference, said.clone(), &self.rules));
            assert_eq!(outcomes, expected.collect::<Vec<_>>());
        }
        writer.commit().await.unwrap();
    }

    /// Something happens.
    async fn step(&mut self) {
        match self.below(10) {
            0 => self.put(1200).await,
            1..=3 => self.put(60).await,
            4 => self.put(1).await,
            5 => {
                let all: Vec<String> = self.model.live.keys().cloned().collect();
                let share = [2, 10, 100][self.below(3) as usize];
                let gone: Vec<String> = all.into_iter().filter(|_| self.below(share) == 0).collect();
                let before = self.model.last;
                let mut serials: Vec<u64> =
                    gone.iter().filter_map(|name| self.model.live.remove(name)).map(|live| live.serial).collect();
                let mut kept: Vec<_> = self.model.live.keys().map(|reference| reference_hash(reference)).collect();
                kept.sort_unstable();
                let mut writer = RegisterWriter::begin(&self.vault, &self.rules).await.unwrap();
                assert_eq!(writer.keep_only(&kept).await.unwrap(), gone.len() as u64);
                writer.commit().await.unwrap();
                // In which order they go is the register's affair.
                let noted = Register::new(self.vault.clone()).load_after(before).await.unwrap().removed;
                noted.iter().for_each(|serial| self.model.remove(*serial));
                let mut noted = noted;
                noted.sort_unstable();
                serials.sort_unstable();
                assert_eq!(noted, serials);
            }
            6 => {
                let mut writer = RegisterWriter::begin(&self.vault, &self.rules).await.unwrap();
                let (reference, said) = (self.reference(), self.said());
                writer.put(vec![record(&reference, &said, &self.rules)]).await.unwrap();
            }
            7 => {
                self.rules.default_country = match self.rules.default_country {
                    None => identifier::Country::read("SN"),
                    Some(_) => None,
                };
                let changed = Register::new(self.vault.clone()).renormalise(&self.rules).await.unwrap();
                assert_eq!(changed, self.model.renormalise(&self.rules));
            }
            _ => {
                let passphrase = Passphrase::from("right".to_owned());
                self.vault = Vault::open(&self.folder.path().join("vault.sqlite"), &passphrase).await.unwrap();
            }
        }
    }

    /// Everything that can be asked, compared with the model.
    async fn check(&mut self) -> Result<(), String> {
        let say = |error: RegisterError| error.to_string();
        let register = Register::new(self.vault.clone());
        let counts = register.counts().await.map_err(say)?;
        let model = &self.model;
        let tokens: u64 = model.live.values().map(|live| live.tokens.len() as u64).sum();
        let restricted = model.live.values().filter(|live| live.said.restricted).count() as u64;
        let expected = (model.live.len() as u64, restricted, tokens, model.last);
        if (counts.records, counts.restricted, counts.all_tokens(), counts.last) != expected {
            return Err(format!("counts {counts:?}, not {expected:?}"));
        }
        for since in [0, u64::from(self.below(self.model.last as u32 + 1))] {
            let (mut added, mut removed, mut last) = (Vec::new(), Vec::new(), since);
            loop {
                let most = 1 + self.below(700) as usize;
                let page = register.load_some_after(last, most).await.map_err(say)?;
                added.extend(page.added.into_iter().map(|record| {
                    let tokens = record.tokens.iter().map(|token| token.bytes.to_vec()).collect::<Vec<_>>();
                    (record.serial, record.reference.to_string(), record.restricted, tokens)
                }));
                removed.extend(page.removed);
                last = page.last;
                if !page.more {
                    break;
                }
            }
            let newer = self.model.live.iter().filter(|(_, live)| live.serial > since);
            let mut live: Vec<_> = newer
                .map(|(reference, live)| (live.serial, reference.clone(), live.said.restricted, live.tokens.clone()))
                .collect();
            live.sort();
            let notes = self.model.removed.iter().filter(|(note, _)| *note > since).map(|(_, serial)| *serial);
            if added != live || removed != notes.collect::<Vec<_>>() || last != self.model.last {
                return Err(format!("what came after {since}"));
            }
        }
        for _ in 0..20 {
            let reference = self.reference();
            let found = register.by_reference(&reference).await.map_err(say)?;
            let found = found.map(|full| {
                let text = |at: usize| full.cells.get(at).map(|cell| cell.text.to_string()).unwrap_or_default();
                (full.record.serial, Said { phone: text(1), place: text(2), restricted: full.record.restricted })
            });
            let expected = self.model.live.get(&reference).map(|live| (live.serial, live.said.clone()));
            if found != expected {
                return Err(format!("{reference}: {found:?}, not {expected:?}"));
            }
        }
        self.vault.verify().await.map(drop).map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn the_register_does_what_a_plain_map_does() {
    for seed in 0..3 {
        let mut trial = Trial::new(seed).await;
        for step in 0..35 {
            trial.step().await;
            if let Err(error) = trial.check().await {
                panic!("seed {seed}, step {step}: {error}");
            }
        }
        assert!(trial.model.last > 1000 && !trial.model.removed.is_empty());
    }
}

/// The control: a value of the vault that is put back as it was before an import is found, whichever it is.
#[tokio::test]
async fn the_model_finds_a_value_that_is_put_back() {
    for key in ["record/0", "reference/3", "register/state"] {
        let mut trial = Trial::new(7).await;
        trial.put(1200).await;
        let old = trial.vault.get(key).await.unwrap().unwrap();
        trial.put(1200).await;
        trial.check().await.unwrap();
        trial.vault.apply(&[crate::vault::Change::put(key, old.to_vec())]).await.unwrap();
        let mut found = false;
        for _ in 0..20 {
            found |= trial.check().await.is_err();
        }
        assert!(found, "{key}");
    }
}

#[tokio::test]
async fn what_is_removed_stands_in_no_value_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let long = |word: &str| format!("{word} {}", "and more ".repeat(800));
    let places: Vec<String> = ["first", "second", "third", "fourth"].map(long).into();
    let rows = [
        ("KEPT", "+221771234560", "Dakar"),
        ("GONE-SHORT", "+221771234561", "Tambacounda"),
        ("GONE-LONG", "+221771234562", places[0].as_str()),
        ("CHANGED", "+221771234563", places[1].as_str()),
        ("AMENDED", "+221771234564", places[2].as_str()),
        ("AMENDED-SHORT", "+221771234565", "Ziguinchor"),
    ];
    put(&vault, &rows).await;
    let holds = |text: &'static str| {
        let vault = vault.clone();
        async move {
            let all = vault.list("").await.unwrap();
            all.iter().any(|(_, value)| value.windows(text.len()).any(|window| window == text.as_bytes()))
        }
    };
    let gone = [
        "GONE-SHORT",
        "1771234561",
        "Tambacounda",
        "GONE-LONG",
        "1771234562",
        "first",
        "1771234563",
        "second",
        "third",
        "Ziguinchor",
    ];
    for text in gone {
        assert!(holds(text).await, "{text} is found while it is there");
    }
    let amended = [
        ("CHANGED", "+221771234569", "Saint-Louis"),
        ("AMENDED", "+221771234564", "short now"),
        ("AMENDED-SHORT", "+221771234565", places[3].as_str()),
    ];
    assert_eq!(put(&vault, &amended).await, [Outcome::Replaced, Outcome::Amended, Outcome::Amended]);
    let mut writer = RegisterWriter::begin(&vault, &Rules::default()).await.unwrap();
    let mut kept = ["KEPT", "CHANGED", "AMENDED", "AMENDED-SHORT"].map(reference_hash);
    kept.sort_unstable();
    assert_eq!(writer.keep_only(&kept).await.unwrap(), 2);
    writer.commit().await.unwrap();
    for text in gone {
        assert!(!holds(text).await, "{text}");
    }
    for text in ["KEPT", "Dakar", "1771234569", "Saint-Louis", "short now", "fourth"] {
        assert!(holds(text).await, "{text}");
    }
}
