//! The leaves of a side against a plain model, over random sets and cuts; and that the comparison finds planted faults.

use super::{Change, Place, destroy, matches, number};
use crate::store::{Order, Row, Store, Tx};
use protocol::codec::Bytes;
use protocol::compare::{Comparison, Side};
use protocol::tagset::{self, LEAF_LEN, Leaf, Tag, TagSetError};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;

const SIDES: [Side; 2] = [Side::Low, Side::High];

/// What goes wrong in the database behind the matcher's back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    LostBlock,
    OtherConfirmation,
    NewAsCompared,
    ComparedAsNew,
    WrongFirst,
}

/// The store and the model, side by side.
struct Twins {
    store: Store,
    dice: ChaCha20Rng,
    world: Vec<Tag>,
    model: Comparison,
    held: [BTreeMap<Tag, Leaf>; 2],
    entry: u64,
    cut: u64,
}

impl Twins {
    async fn new(store: Store, seed: u64) -> Twins {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        let mut tx = store.write(Order::Free).await.unwrap();
        tx.run("INSERT INTO pair_epoch (low, high, epoch) VALUES ('A', 'B', 1)", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let world = (0..9_000).map(|_| Leaf::random(&mut dice).tag).collect();
        Twins { store, dice, world, model: Comparison::default(), held: Default::default(), entry: 5, cut: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.dice.next_u32() as usize % n.max(1)
    }

    fn any(&mut self) -> Tag {
        let at = self.below(self.world.len());
        self.world[at]
    }

    /// A set of up to so many leaves; now and then one that adds what stands or removes what does not.
    fn set(&mut self, side: usize, adds: usize, removals: usize) -> (Vec<Leaf>, Vec<Tag>) {
        let faulty = self.below(8) == 0;
        let mut leaves = BTreeMap::new();
        for _ in 0..adds {
            let tag = self.any();
            if faulty || !self.held[side].contains_key(&tag) {
                leaves.insert(tag, Leaf { tag, ..Leaf::random(&mut self.dice) });
            }
        }
        let standing: Vec<Tag> = self.held[side].keys().copied().collect();
        let mut gone = Vec::new();
        for _ in 0..removals.min(standing.len()) {
            let at = self.below(standing.len());
            gone.push(standing[at]);
        }
        if faulty && self.below(2) == 0 {
            gone.push(self.any());
        }
        gone.sort_unstable();
        gone.dedup();
        (leaves.into_values().collect(), gone)
    }

    /// Gives one set to both, in pieces; what both say of it.
    async fn apply(&mut self, side: usize, adds: &[Leaf], gone: &[Tag]) -> [Result<(), TagSetError>; 2] {
        let rows: Vec<tagset::Row> = (adds.iter().map(|leaf| tagset::Row::Add(*leaf)))
            .chain(gone.iter().map(|tag| tagset::Row::Remove(*tag)))
            .collect();
        let expected = self.model.apply(SIDES[side], &rows);
        let place = Place { pair_epoch: 1, side: SIDES[side], cut: self.cut };
        let piece = 1 + self.below(700);
        let mut tx = self.store.write(Order::Free).await.unwrap();
        let said = change(&mut tx, &place, self.entry, adds, gone, piece).await;
        if said.is_ok() {
            tx.commit().await.unwrap();
            self.held[side].extend(adds.iter().map(|leaf| (leaf.tag, *leaf)));
            self.held[side].retain(|tag, _| gone.binary_search(tag).is_err());
        }
        self.entry += 1 + self.below(3) as u64;
        [said, expected]
    }

    /// Cuts both: whether they agree. Matches are never read twice.
    async fn cut(&mut self) -> bool {
        let mut tx = self.store.write(Order::Free).await.unwrap();
        let found = matches(&mut tx, 1, self.cut).await;
        self.cut = self.entry;
        found.is_ok_and(|found| found == self.model.cut())
    }

    /// Whether what is stored is what the model holds, in blocks as they must be.
    async fn agree(&self) -> bool {
        for (side, held) in SIDES.iter().zip(&self.held) {
            const RUNS: &str = "SELECT id, leaves FROM leaf_run WHERE pair_epoch = 1 AND side = $1";
            let runs = self.store.all(RUNS, &[number(*side).into()]).await.unwrap();
            assert!(runs.len() <= 10, "{} runs of {} leaves", runs.len(), held.len());
            let mut stored = BTreeMap::new();
            for mut run in runs {
                const BLOCKS: &str = "SELECT first, leaves FROM leaf_block WHERE run = $1 ORDER BY first";
                let (id, count) = (run.int(0).unwrap(), run.int(1).unwrap());
                let blocks = self.store.all(BLOCKS, &[id.into()]).await.unwrap();
                let leaves: Vec<Leaf> = blocks.into_iter().flat_map(block).collect();
                if leaves.len() as u64 != count || !leaves.is_sorted() {
                    return false;
                }
                stored.extend(leaves.into_iter().map(|leaf| (leaf.tag, leaf)));
            }
            if stored != *held {
                return false;
            }
        }
        true
    }

    /// Random sets and cuts; `false` as soon as the two differ.
    async fn go(&mut self, steps: usize, fault: Option<Fault>) -> bool {
        for step in 0..steps {
            for side in 0..2 {
                let size = self.below(3);
                let most = if step == 0 { 6_000 } else { [6, 60, 600][size] };
                let adds = 1 + most / 2 + self.below(most / 2);
                let (adds, gone) = self.set(side, adds, most / 6);
                let [said, expected] = self.apply(side, &adds, &gone).await;
                if said != expected {
                    return false;
                }
            }
            if let Some(fault) = fault.filter(|_| step == steps / 2) {
                plant(&self.store, fault).await;
            }
            if self.below(3) > 0 && !self.cut().await {
                return false;
            }
            if fault.is_none() && !self.agree().await {
                return false;
            }
        }
        true
    }
}

async fn change(
    tx: &mut Tx,
    place: &Place,
    entry: u64,
    adds: &[Leaf],
    gone: &[Tag],
    piece: usize,
) -> Result<(), TagSetError> {
    let mut change = Change::begin(tx, place, entry).await.unwrap();
    let bytes: Vec<[u8; LEAF_LEN]> = adds.iter().map(|leaf| leaf.to_bytes()).collect();
    for piece in bytes.chunks(piece) {
        change.add(tx, piece).await.unwrap();
    }
    for piece in gone.chunks(piece) {
        change.remove(tx, piece).await.unwrap()?;
    }
    change.finish(tx).await.unwrap()
}

fn block(mut row: Row) -> Vec<Leaf> {
    let (first, bytes) = (row.blob(0).unwrap(), row.blob(1).unwrap());
    assert!(bytes.len().is_multiple_of(LEAF_LEN) && (1..=120).contains(&(bytes.len() / LEAF_LEN)));
    assert!(bytes.starts_with(&first) && first.len() == 16);
    bytes.as_chunks().0.iter().map(Leaf::from_bytes).collect()
}

async fn plant(store: &Store, fault: Fault) {
    const LARGEST: &str = "SELECT b.run, b.first, b.leaves FROM leaf_block b JOIN leaf_run r ON r.id = b.run
        ORDER BY r.leaves DESC, b.first LIMIT 1";
    let mut row = store.first(LARGEST, &[]).await.unwrap().unwrap();
    let (run, first, mut leaves) = (row.int(0).unwrap(), row.blob(1).unwrap(), row.blob(2).unwrap());
    leaves.iter_mut().skip(16).step_by(32).for_each(|byte| *byte ^= 1);
    let mut tx = store.write(Order::Free).await.unwrap();
    let block = [run.into(), first.as_slice().into()];
    let sql = match fault {
        Fault::LostBlock => "DELETE FROM leaf_block WHERE run = $1 AND first = $2",
        Fault::OtherConfirmation => "UPDATE leaf_block SET leaves = $3 WHERE run = $1 AND first = $2",
        Fault::WrongFirst => "UPDATE leaf_block SET first = $3 WHERE run = $1 AND first = $2",
        Fault::NewAsCompared => "UPDATE leaf_run SET added = 0",
        Fault::ComparedAsNew => "UPDATE leaf_run SET added = 1000000",
    };
    match fault {
        Fault::LostBlock => tx.run(sql, &block).await.unwrap(),
        Fault::OtherConfirmation => tx.run(sql, &[block[0], block[1], leaves.as_slice().into()]).await.unwrap(),
        Fault::WrongFirst => tx.run(sql, &[block[0], block[1], (&Bytes([255u8; 16])).into()]).await.unwrap(),
        Fault::NewAsCompared | Fault::ComparedAsNew => tx.run(sql, &[]).await.unwrap(),
    };
    tx.commit().await.unwrap();
}

async fn sqlite(folder: &tempfile::TempDir, name: &str) -> Store {
    Store::open_sqlite(&folder.path().join(name)).await.unwrap()
}

async fn postgres(name: &str) -> Option<Store> {
    let (_, url) = postgres_pool(name).await?;
    Some(Store::open_postgres(&url).await.unwrap())
}

/// A new database and its URL.
async fn postgres_pool(name: &str) -> Option<(sqlx::PgPool, String)> {
    let Ok(url) = std::env::var("SUTURA_TEST_POSTGRES") else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "SUTURA_TEST_POSTGRES must be set in CI");
        eprintln!("SKIPPED on PostgreSQL: SUTURA_TEST_POSTGRES is not set");
        return None;
    };
    let base = sqlx::PgPool::connect(&url).await.unwrap();
    let database = format!("sutura_leaves_{}_{name}", std::process::id());
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&base).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/{database}");
    Some((sqlx::PgPool::connect(&url).await.unwrap(), url))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_sets_and_cuts_are_those_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..6 {
        let mut twins = Twins::new(sqlite(&folder, &seed.to_string()).await, seed).await;
        assert!(twins.go(40, None).await, "seed {seed}");
    }
    if let Some(store) = postgres("model").await {
        assert!(Twins::new(store, 77).await.go(40, None).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_comparison_with_the_model_finds_planted_faults() {
    let folder = tempfile::tempdir().unwrap();
    let faults =
        [Fault::LostBlock, Fault::OtherConfirmation, Fault::NewAsCompared, Fault::ComparedAsNew, Fault::WrongFirst];
    for fault in faults {
        let mut twins = Twins::new(sqlite(&folder, &format!("{fault:?}")).await, 3).await;
        assert!(!twins.go(80, Some(fault)).await, "{fault:?} is not found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let mut stores = vec![sqlite(&folder, "end").await];
    stores.extend(postgres("end").await);
    for store in stores {
        let mut twins = Twins::new(store, 1).await;
        assert!(twins.go(3, None).await);
        let mut tx = twins.store.write(Order::Free).await.unwrap();
        destroy(&mut tx, 2).await.unwrap();
        const LEFT: &str = "SELECT count(*) FROM leaf_run UNION ALL SELECT count(*) FROM leaf_block";
        assert!(tx.all(LEFT, &[]).await.unwrap().iter_mut().all(|row| row.int(0).unwrap() > 0), "another epoch");
        destroy(&mut tx, 1).await.unwrap();
        assert!(tx.all(LEFT, &[]).await.unwrap().iter_mut().all(|row| row.int(0).unwrap() == 0));
    }
}

/// Leaves as they lay before there were runs: 300 of each side, the last 100 since the cut.
fn one_by_one() -> Vec<String> {
    let mut sql = vec![
        "INSERT INTO pair_epoch (low, high, epoch, low_tick, high_tick, cut, pending) VALUES ('A', 'B', 1, 3, 3, 50, 1)"
            .to_owned(),
    ];
    for i in 0..300 {
        for side in 0..2 {
            let (tag, confirmation) = (format!("{:032x}", i * 7 + side * (i % 2)), format!("{:032x}", i));
            let added = if i < 200 { 20 + i % 3 } else { 50 + i % 3 };
            sql.push(format!(
                "INSERT INTO leaf (pair_epoch, tag, side, confirmation, added) VALUES (1, decode('{tag}', 'hex'), {side}, \
                 decode('{confirmation}', 'hex'), {added})"
            ));
        }
    }
    sql
}

/// After the migration: all leaves stand, and the hundred new ones are compared, of which fifty meet.
async fn carried_over(store: Store) {
    let mut tx = store.write(Order::Free).await.unwrap();
    let found = matches(&mut tx, 1, 50).await.unwrap();
    let expected: Vec<String> = (200..300).step_by(2).map(|i| format!("{:032x}", i * 7)).collect();
    assert_eq!(found.iter().map(|found| found.tag.to_string()).collect::<Vec<_>>(), expected);
    assert_eq!(matches(&mut tx, 1, 0).await.unwrap().len(), 150);
    const BLOCKS: &str = "SELECT b.first, b.leaves FROM leaf_block b JOIN leaf_run r ON r.id = b.run WHERE r.side = 1";
    let leaves: Vec<Leaf> = tx.all(BLOCKS, &[]).await.unwrap().into_iter().flat_map(block).collect();
    assert!(leaves.len() == 300 && leaves.iter().any(|leaf| leaf.confirmation.0[14..] == [1, 43]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_of_an_older_broker_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    before(sqlx::migrate!("migrations/sqlite")).run(&pool).await.unwrap();
    for sql in one_by_one() {
        let sql = sql.replace("decode('", "x'").replace(", 'hex')", "");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool.close().await;
    carried_over(Store::open_sqlite(&file).await.unwrap()).await;

    if let Some((pool, url)) = postgres_pool("old").await {
        before(sqlx::migrate!("migrations/postgres")).run(&pool).await.unwrap();
        for sql in one_by_one() {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        }
        pool.close().await;
        carried_over(Store::open_postgres(&url).await.unwrap()).await;
    }
}

/// The migrations before the one that made runs.
fn before(mut all: sqlx::migrate::Migrator) -> sqlx::migrate::Migrator {
    all.migrations = all.migrations.iter().filter(|migration| migration.version < 4).cloned().collect();
    all
}
