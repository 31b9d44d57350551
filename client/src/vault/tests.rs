use super::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

struct Fixture {
    folder: tempfile::TempDir,
    rng: ChaCha20Rng,
}

impl Fixture {
    fn new() -> Self {
        Fixture { folder: tempfile::tempdir().unwrap(), rng: ChaCha20Rng::seed_from_u64(1) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("vault.sqlite")
    }

    async fn create(&mut self) -> Vault {
        let path = self.path();
        Vault::create(&path, &passphrase("right"), Hashing::WEAK_FOR_EXERCISES, &mut self.rng).await.unwrap()
    }

    async fn open(&self, text: &str) -> Result<Vault, VaultError> {
        Vault::open(&self.path(), &passphrase(text)).await
    }

    /// A connection of an intruder's, who has the file and no passphrase.
    async fn raw(&self) -> SqliteConnection {
        database::open(&self.path()).await.unwrap().0
    }
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::from(text.to_owned())
}

async fn text(vault: &Vault, key: &str) -> Option<String> {
    vault.get(key).await.unwrap().map(|value| String::from_utf8(value.to_vec()).unwrap())
}

#[tokio::test]
async fn what_was_put_is_there_after_reopening() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one"), Change::put("a/2", "two"), Change::put("b/x/1", "three")]).await.unwrap();
    vault.apply(&[Change::put("a/1", "uno"), Change::delete("a/2"), Change::delete("a/9")]).await.unwrap();
    drop(vault);
    let vault = fixture.open("right").await.unwrap();
    assert_eq!(text(&vault, "a/1").await.as_deref(), Some("uno"));
    assert_eq!(text(&vault, "a/2").await, None);
    let listed = |prefix: &'static str| {
        let vault = vault.clone();
        async move { vault.list(prefix).await.unwrap().into_iter().map(|(key, _)| key).collect::<Vec<_>>() }
    };
    assert_eq!(listed("a/").await, ["a/1"]);
    assert_eq!(listed("b/").await, ["b/x/1"]);
    assert_eq!(listed("b/x/1").await, ["b/x/1"]);
    assert_eq!(listed("").await, ["a/1", "b/x/1"]);
    assert_eq!(listed("c/").await, [""; 0]);
    assert_eq!((vault.count("a").await.unwrap(), vault.count("none").await.unwrap()), (1, 0));
    assert_eq!(vault.verify().await.unwrap(), 2);
}

#[tokio::test]
async fn of_two_changes_of_one_key_the_later_counts() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "x"), Change::delete("a/1"), Change::put("a/1", "y")]).await.unwrap();
    assert_eq!(text(&vault, "a/1").await.as_deref(), Some("y"));
    vault.apply(&[Change::put("a/1", "x"), Change::delete("a/1")]).await.unwrap();
    assert_eq!(text(&vault, "a/1").await, None);
    assert_eq!(vault.verify().await.unwrap(), 0);
}

#[tokio::test]
async fn a_wrong_passphrase_opens_nothing() {
    let mut fixture = Fixture::new();
    drop(fixture.create().await);
    assert!(matches!(fixture.open("wrong").await, Err(VaultError::Locked)));
    assert!(fixture.open("right").await.is_ok());
}

#[tokio::test]
async fn lowered_parameters_and_a_changed_head_open_nothing() {
    let mut fixture = Fixture::new();
    drop(fixture.create().await);
    let mut raw = fixture.raw().await;
    sqlx::query("UPDATE head SET passes = 2").execute(&mut raw).await.unwrap();
    assert!(matches!(fixture.open("right").await, Err(VaultError::Locked)));
    sqlx::query("UPDATE head SET memory_kib = 2000000000").execute(&mut raw).await.unwrap();
    assert!(matches!(fixture.open("right").await, Err(VaultError::Damaged(_))));
    sqlx::query("UPDATE head SET memory_kib = 64, format = 99").execute(&mut raw).await.unwrap();
    assert!(matches!(fixture.open("right").await, Err(VaultError::Format { found: 99 })));
}

#[tokio::test]
async fn a_vault_of_the_first_format_is_carried_over() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one"), Change::put("a/2", vec![7; 5000])]).await.unwrap();
    drop(vault);
    let mut raw = fixture.raw().await;
    let back = "CREATE TABLE old (namespace BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                                  PRIMARY KEY (namespace, key)) WITHOUT ROWID;
                INSERT INTO old SELECT namespace, key, value FROM sealed;
                DROP TABLE sealed;
                ALTER TABLE old RENAME TO sealed;
                UPDATE head SET format = 1;";
    sqlx::raw_sql(back).execute(&mut raw).await.unwrap();
    assert!(matches!(fixture.open("wrong").await, Err(VaultError::Locked)));
    for _ in 0..2 {
        let vault = fixture.open("right").await.unwrap();
        assert_eq!(text(&vault, "a/1").await.as_deref(), Some("one"));
        assert_eq!(vault.verify().await.unwrap(), 2);
        vault.apply(&[Change::put("a/2", vec![8; 6000])]).await.unwrap();
    }
}

#[tokio::test]
async fn a_vault_is_never_made_over_another() {
    let mut fixture = Fixture::new();
    drop(fixture.create().await);
    let path = fixture.path();
    let again = Vault::create(&path, &passphrase("x"), Hashing::WEAK_FOR_EXERCISES, &mut fixture.rng).await;
    assert!(matches!(again, Err(VaultError::Exists(_))));
    let missing = Vault::open(&path.with_file_name("none"), &passphrase("x")).await;
    assert!(matches!(missing, Err(VaultError::Missing(_))));
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one")]).await.unwrap();
    let mut raw = fixture.raw().await;
    let rows = sqlx::query("SELECT key, value FROM sealed").fetch_all(&mut raw).await.unwrap();
    for row in rows {
        let (key, mut value): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        value[50] ^= 1;
        let update = sqlx::query("UPDATE sealed SET value = $1 WHERE key = $2");
        update.bind(value).bind(key).execute(&mut raw).await.unwrap();
    }
    assert!(matches!(vault.get("a/1").await, Err(VaultError::Damaged(_))));
    assert!(matches!(vault.list("a/").await, Err(VaultError::Damaged(_))));
    assert!(matches!(vault.verify().await, Err(VaultError::Damaged(_))));
}

#[tokio::test]
async fn exchanged_rows_are_found() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one"), Change::put("a/2", "two")]).await.unwrap();
    let mut raw = fixture.raw().await;
    let rows = sqlx::query("SELECT key, value FROM sealed").fetch_all(&mut raw).await.unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    // Each takes the next one's value: in one statement, some row could get its own back.
    for ((key, value), (_, next)) in rows.iter().zip(rows.iter().cycle().skip(1)) {
        assert_eq!(value.len(), next.len(), "rows of one bucket");
        let update = sqlx::query("UPDATE sealed SET value = $1 WHERE key = $2").bind(next).bind(key);
        update.execute(&mut raw).await.unwrap();
    }
    assert!(matches!(vault.get("a/1").await, Err(VaultError::Damaged(_))));
}

#[tokio::test]
async fn a_row_that_was_taken_away_is_found() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    let changes: Vec<Change> = (0..16).map(|i| Change::put(format!("a/{i}"), "x")).collect();
    vault.apply(&changes).await.unwrap();
    let mut raw = fixture.raw().await;
    sqlx::query("DELETE FROM sealed WHERE key = (SELECT min(key) FROM sealed)").execute(&mut raw).await.unwrap();
    assert!(matches!(vault.list("a/").await, Err(VaultError::Damaged(_))));
    assert!(matches!(vault.verify().await, Err(VaultError::Damaged(_))));
}

#[tokio::test]
async fn neither_counts_nor_sizes_tell() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    let mut raw = fixture.raw().await;
    for (count, shown) in [(3, 16), (5, 16), (40, 48), (20, 32)] {
        let old: Vec<Change> = (count..64).map(|i| Change::delete(format!("a/{i}"))).collect();
        let changes: Vec<Change> =
            (0..count).map(|i| Change::put(format!("a/{i}"), "x".repeat(i + 1))).chain(old).collect();
        vault.apply(&changes).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sealed").fetch_one(&mut raw).await.unwrap();
        assert_eq!(rows, shown);
        let sizes = sqlx::query_scalar("SELECT count(DISTINCT length(value)) FROM sealed");
        let sizes: i64 = sizes.fetch_one(&mut raw).await.unwrap();
        assert_eq!(sizes, 1, "padding rows look like the others");
    }
    vault.apply(&(0..20).map(|i| Change::delete(format!("a/{i}"))).collect::<Vec<_>>()).await.unwrap();
    for table in ["sealed", "folder"] {
        let query = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(query).fetch_one(&mut raw).await.unwrap();
        assert_eq!(rows, 0);
    }
}

#[tokio::test]
async fn large_values_hide_their_number_where_it_is_asked_for() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    let mut raw = fixture.raw().await;
    for (key, length) in [("a/1", 5000), ("a/1", 5100), ("a/2", 9000), ("a/1", 20_000)] {
        let mut transaction = vault.begin().await.unwrap();
        transaction.pad_fully("a");
        transaction.apply(&[Change::put(key, vec![7; length])]).await.unwrap();
        transaction.commit().await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM sealed").fetch_one(&mut raw).await.unwrap();
        assert_eq!(rows, 16);
        let largest = "SELECT count(*) FROM sealed WHERE length(value) = (SELECT max(length(value)) FROM sealed)";
        let largest: i64 = sqlx::query_scalar(largest).fetch_one(&mut raw).await.unwrap();
        assert!(largest >= 15, "padding rows look like the largest of the others: {largest}");
    }
    assert_eq!(vault.verify().await.unwrap(), 2);
}

#[tokio::test]
async fn a_dropped_transaction_changes_nothing() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one")]).await.unwrap();
    let mut transaction = vault.begin().await.unwrap();
    transaction.apply(&[Change::put("a/1", "two"), Change::put("a/2", "new")]).await.unwrap();
    let seen = transaction.get_many(&["a/1".to_owned()]).await.unwrap();
    assert_eq!(seen[0].as_ref().map(|value| value.to_vec()), Some(b"two".to_vec()));
    assert_eq!(text(&vault, "a/1").await.as_deref(), Some("one"), "others do not see it yet");
    drop(transaction);
    assert_eq!(text(&vault, "a/1").await.as_deref(), Some("one"));
    vault.apply(&[Change::put("a/3", "three")]).await.unwrap();
    assert_eq!(vault.verify().await.unwrap(), 2);
}

#[tokio::test]
async fn a_copy_taken_in_the_middle_opens_without_the_unfinished_transaction() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one")]).await.unwrap();
    let mut transaction = vault.begin().await.unwrap();
    let large: Vec<Change> = (0..2000).map(|i| Change::put(format!("a/{i}"), vec![7; 900])).collect();
    transaction.apply(&large).await.unwrap();
    // As after kill -9: the files as they are.
    let copy = fixture.folder.path().join("copy.sqlite");
    for suffix in ["", "-wal"] {
        let from = database::beside(&fixture.path(), suffix);
        std::fs::copy(from, database::beside(&copy, suffix)).unwrap();
    }
    let reopened = Vault::open(&copy, &passphrase("right")).await.unwrap();
    assert_eq!(reopened.verify().await.unwrap(), 1);
    assert_eq!(text(&reopened, "a/1").await.as_deref(), Some("one"));
    transaction.commit().await.unwrap();
    assert_eq!(vault.verify().await.unwrap(), 2000);
}

#[tokio::test]
async fn a_blob_of_several_megabytes() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    let blob: Vec<u8> = (0..5_000_000_u32).map(|i| i as u8).collect();
    vault.apply(&[Change::put("blob/1", blob.clone()), Change::put("blob/2", "small")]).await.unwrap();
    assert!(vault.get("blob/1").await.unwrap().is_some_and(|value| *value == blob));
    vault.apply(&[Change::delete("blob/1")]).await.unwrap();
    vault.scrub().await.unwrap();
    assert_eq!(std::fs::metadata(database::beside(vault.path(), "-wal")).unwrap().len(), 0);
    assert_eq!(vault.verify().await.unwrap(), 1);
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    for bad in ["", "nameless", "a/", "/a"] {
        assert!(matches!(vault.apply(&[Change::put(bad, "x")]).await, Err(VaultError::Key)));
    }
    assert_eq!(vault.verify().await.unwrap(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", "one")]).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = std::fs::metadata(database::beside(vault.path(), suffix)).unwrap();
        assert_eq!(file.permissions().mode() & 0o077, 0, "{suffix}");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_the_vault_usable() {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    let mut fixture = Fixture::new();
    let vault = fixture.create().await;
    vault.apply(&[Change::put("a/1", b"one".to_vec())]).await.unwrap();
    // Dropped after each number of polls that it takes: between every two statements.
    for polls in 1..12 {
        let (put, list) = ([Change::put("a/2", vec![polls])], vault.list("a/"));
        let apply = vault.apply(&put);
        let (mut list, mut apply) = (Box::pin(list), Box::pin(apply));
        for _ in 0..polls {
            let mut context = Context::from_waker(Waker::noop());
            let done = matches!(list.as_mut().poll(&mut context), Poll::Ready(_));
            let done = matches!(apply.as_mut().poll(&mut context), Poll::Ready(_)) || done;
            if done {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        drop((list, apply));
        vault.apply(&[Change::put("a/3", vec![polls])]).await.unwrap();
        let listed = vault.list("a/").await.unwrap();
        assert!(listed.iter().any(|(key, value)| key == "a/3" && value[..] == [polls]), "after {polls} polls");
    }
}
