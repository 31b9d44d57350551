mod model;

use super::*;
use crate::vault::{Hashing, Passphrase};
use identifier::{Column, Record};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use zeroize::Zeroizing;

pub(super) async fn vault(folder: &tempfile::TempDir) -> Vault {
    let passphrase = Passphrase::from("right".to_owned());
    let path = folder.path().join("vault.sqlite");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    Vault::create(&path, &passphrase, Hashing::WEAK_FOR_EXERCISES, &mut rng).await.unwrap()
}

fn content(reference: &str, phone: &str, place: &str, rules: &Rules) -> Content {
    let cell = |column: &str, text: &str| StoredCell { column: column.into(), text: Zeroizing::new(text.to_owned()) };
    let cells = vec![cell("record", reference), cell("phone", phone), cell("place", place)];
    let defaults = Defaults::default();
    let record = Record::from_cells(&[(Column::Record, reference), (Column::Phone, phone)], &defaults);
    let tokens = identifier::tokens(&record, rules).tokens.iter().map(StoredToken::from).collect();
    Content { reference: Zeroizing::new(reference.into()), restricted: false, tokens, cells, defaults }
}

async fn put(vault: &Vault, rows: &[(&str, &str, &str)]) -> Vec<Outcome> {
    let rules = Rules::default();
    let mut writer = RegisterWriter::begin(vault, &rules).await.unwrap();
    let contents = rows.iter().map(|(reference, phone, place)| content(reference, phone, place, &rules)).collect();
    let outcomes = writer.put(contents).await.unwrap();
    writer.commit().await.unwrap();
    outcomes
}

fn serials(change: &RegisterChange) -> (Vec<u64>, Vec<u64>, u64) {
    (change.added.iter().map(|record| record.serial).collect(), change.removed.clone(), change.last)
}

#[tokio::test]
async fn whoever_remembers_a_serial_gets_only_what_came_after() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let register = Register::new(vault.clone());
    assert_eq!(serials(&register.load_after(0).await.unwrap()), (vec![], vec![], 0));
    let rows = [("A", "+221771234567", "Dakar"), ("B", "+221771234568", "Thies")];
    assert_eq!(put(&vault, &rows).await, [Outcome::Added, Outcome::Added]);
    assert_eq!(put(&vault, &rows).await, [Outcome::Unchanged, Outcome::Unchanged]);
    assert_eq!(serials(&register.load_after(0).await.unwrap()), (vec![1, 2], vec![], 2));

    assert_eq!(put(&vault, &[("A", "+221771234567", "Mbour")]).await, [Outcome::Amended]);
    assert_eq!(serials(&register.load_after(2).await.unwrap()), (vec![], vec![], 2));
    let full = register.by_reference(" A ").await.unwrap().unwrap();
    assert_eq!((full.record.serial, full.cells[2].text.as_str()), (1, "Mbour"));

    assert_eq!(
        put(&vault, &[("A", "+221779999999", "Mbour"), ("C", "+2207654321", "")]).await,
        [Outcome::Replaced, Outcome::Added]
    );
    let change = register.load_after(2).await.unwrap();
    assert_eq!(serials(&change), (vec![4, 5], vec![1], 5));
    assert_eq!(change.added[0].tokens[0].expose_canonical().as_str(), "+221779999999");
    assert_eq!(serials(&register.load_after(0).await.unwrap()), (vec![2, 4, 5], vec![1], 5));
    assert!(register.get(1).await.unwrap().is_none());
    let counts = register.counts().await.unwrap();
    assert_eq!((counts.records, counts.all_tokens(), counts.last), (3, 3, 5));

    let page = register.load_some_after(0, 1).await.unwrap();
    assert!(!page.more, "five serials are one page");
}

#[tokio::test]
async fn a_record_may_change_twice_in_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let rows = [("A", "+221771234567", ""), ("A", "+221771234568", ""), ("A", "+221771234568", "x")];
    assert_eq!(put(&vault, &rows).await, [Outcome::Added, Outcome::Replaced, Outcome::Amended]);
    let register = Register::new(vault);
    assert_eq!(serials(&register.load_after(0).await.unwrap()), (vec![3], vec![1], 3));
    let counts = register.counts().await.unwrap();
    assert_eq!((counts.records, counts.all_tokens()), (1, 1));
}

#[tokio::test]
async fn replacing_the_whole_register_removes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let rows: Vec<(String, String)> =
        (0..1500).map(|i| (format!("R{i}"), format!("+22177{:07}", 1_000_000 + i))).collect();
    let rows: Vec<(&str, &str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str(), "")).collect();
    put(&vault, &rows).await;
    let mut writer = RegisterWriter::begin(&vault, &Rules::default()).await.unwrap();
    let mut kept: Vec<[u8; 16]> = rows[..10].iter().map(|(reference, ..)| reference_hash(reference)).collect();
    kept.sort_unstable();
    assert_eq!(writer.keep_only(&kept).await.unwrap(), 1490);
    writer.commit().await.unwrap();
    let register = Register::new(vault.clone());
    let change = register.load_after(1500).await.unwrap();
    assert_eq!((change.added.len(), change.removed.len(), change.last), (0, 1490, 2990));
    assert_eq!(register.load_after(0).await.unwrap().added.len(), 10);
    assert_eq!(register.counts().await.unwrap().records, 10);
    vault.verify().await.unwrap();
}

#[tokio::test]
async fn other_rules_make_the_tokens_anew() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    put(&vault, &[("A", "+221771234567", ""), ("B", "771234568", "")]).await;
    let register = Register::new(vault.clone());
    assert_eq!(register.counts().await.unwrap().all_tokens(), 1, "a national number needs a country");
    let mut rules = Rules::default();
    rules.default_country = identifier::Country::read("SN");
    assert!(!register.is_under(&rules).await.unwrap());
    assert_eq!(register.renormalise(&rules).await.unwrap(), 1);
    assert!(register.is_under(&rules).await.unwrap());
    let change = register.load_after(2).await.unwrap();
    assert_eq!(serials(&change), (vec![4], vec![2], 4));
    assert_eq!(change.added[0].tokens[0].expose_canonical().as_str(), "+221771234568");
    assert_eq!(register.renormalise(&rules).await.unwrap(), 0);
}

#[tokio::test]
async fn a_dropped_writer_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let rules = Rules::default();
    let mut writer = RegisterWriter::begin(&vault, &rules).await.unwrap();
    writer.put(vec![content("A", "+221771234567", "", &rules)]).await.unwrap();
    drop(writer);
    assert_eq!(Register::new(vault).counts().await.unwrap(), Counts::default());
}

#[tokio::test]
async fn a_register_of_another_form_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    vault.apply(&[crate::vault::Change::put("register/state", vec![9, 9, 0, 0x40, 0x80])]).await.unwrap();
    assert!(matches!(Register::new(vault.clone()).counts().await, Err(RegisterError::Form)));
    assert!(matches!(RegisterWriter::begin(&vault, &Rules::default()).await.map(drop), Err(RegisterError::Form)));
}

#[tokio::test]
async fn a_register_of_the_version_before_opens_and_gets_its_fresh_level() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder).await;
    let names: Vec<(String, String)> =
        (0..1100).map(|i| (format!("R{i}"), format!("+22177{:07}", 1_000_000 + i))).collect();
    let rows: Vec<(&str, &str, &str)> = names.iter().map(|(a, b)| (a.as_str(), b.as_str(), "")).collect();
    put(&vault, &rows[..1000]).await;
    // As it was: no fresh level, no marks, and a state without them.
    let state = State::decode(&vault.get(state::KEY).await.unwrap().unwrap()).unwrap();
    assert_eq!(state.fresh, Some(0));
    let mut old = vec![crate::vault::Change::put(state::KEY, state::in_form_1(&state))];
    for (key, _) in vault.list("reference/").await.unwrap() {
        if key.starts_with("reference/marks/") {
            old.push(crate::vault::Change::delete(key));
        }
    }
    assert_eq!(old.len(), 1 + 1);
    vault.apply(&old).await.unwrap();

    let register = Register::new(vault.clone());
    assert_eq!(register.counts().await.unwrap().records, 1000);
    assert!(register.by_reference("R7").await.unwrap().is_some());
    assert!(register.by_reference("R1007").await.unwrap().is_none());
    let outcomes = put(&vault, &rows[900..1050]).await;
    assert_eq!(outcomes[..100], [Outcome::Unchanged; 100]);
    assert_eq!(outcomes[100..], [Outcome::Added; 50]);
    assert_eq!(register.state().await.unwrap().fresh, Some(0), "these went into the main level");
    let outcomes = put(&vault, &rows[1000..]).await;
    assert_eq!(outcomes[..50], [Outcome::Unchanged; 50]);
    assert_eq!(outcomes[50..], [Outcome::Added; 50]);
    assert_eq!(register.state().await.unwrap().fresh, Some(50));
    for (reference, ..) in &rows {
        assert!(register.by_reference(reference).await.unwrap().is_some(), "{reference}");
    }
    vault.verify().await.unwrap();
}
