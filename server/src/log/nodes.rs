//! The log's nodes in the store: many by one statement, because each statement costs more than what it carries.
//!
//! A statement has a fixed text. So the places of its nodes go into it as one text of digits and their hashes as one
//! blob, and the database cuts both into pieces: any number of nodes, the same words for both engines.
//!
//! Caller: [`super`]. *Not here:* which nodes there are, and which of them a proof needs (package `tlog`).

use crate::store::{Arg, Result, Store, StoreError, Tx};
use std::fmt::Write as _;
use tlog::{Hash, Node, Place};

/// Nodes written by one statement, or read by one query: as many as the padding of the log makes, at most.
const TOGETHER: usize = 128;

/// Writes new nodes.
pub(super) async fn write(tx: &mut Tx, nodes: &[Node]) -> Result<()> {
    const WRITE: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
        INSERT INTO log_node (level, idx, hash)
        SELECT CAST(substr($2, 1 + i * 21, 2) AS BIGINT), CAST(substr($2, 3 + i * 21, 19) AS BIGINT),
            substr($3, 1 + i * 32, 32) FROM n";
    for some in nodes.chunks(TOGETHER) {
        let places = digits(some.iter().map(|node| &node.place));
        let hashes: Vec<u8> = some.iter().flat_map(|node| node.hash).collect();
        tx.run(WRITE, &[(some.len() as u64).into(), places.as_str().into(), Arg::Blob(&hashes)]).await?;
    }
    Ok(())
}

/// The hashes of stored nodes, in the order of their places.
pub(super) async fn read(store: &Store, places: &[Place]) -> Result<Vec<Hash>> {
    // A look-up written as a look-up: no planner, whatever its statistics, can turn it round.
    const READ: &str = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
        SELECT (SELECT hash FROM log_node WHERE level = CAST(substr($2, 1 + i * 21, 2) AS BIGINT)
            AND idx = CAST(substr($2, 3 + i * 21, 19) AS BIGINT)) FROM n ORDER BY i";
    let mut hashes = Vec::with_capacity(places.len());
    for some in places.chunks(TOGETHER) {
        let digits = digits(some.iter());
        for mut row in store.all(READ, &[(some.len() as u64).into(), digits.as_str().into()]).await? {
            let hash = row.maybe_blob(0)?.ok_or(StoreError::Corrupt("a node of the log is missing"))?;
            hashes.push(hash.try_into().map_err(|_| StoreError::Corrupt("a node of the log"))?);
        }
    }
    Ok(hashes)
}

/// Of each place two digits for the level, which is 62 at most, and nineteen for the index, which is below 2^62.
fn digits<'a>(places: impl Iterator<Item = &'a Place>) -> String {
    places.fold(String::new(), |mut text, Place { level, index }| {
        // Writing to a text does not fail.
        let _ = write!(text, "{level:02}{index:019}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Order;

    #[tokio::test]
    async fn nodes_are_read_where_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("log")).await.unwrap();
        let last = Place { level: 62, index: (1 << 62) - 1 };
        let places = (0..300).map(|n| Place { level: (n % 63) as u8, index: n * 0x9e37_79b9 }).chain([last]);
        let nodes: Vec<Node> = places.zip(0u16..).map(|(place, n)| Node { place, hash: hash_of(n) }).collect();
        let mut tx = store.write(Order::Log).await.unwrap();
        write(&mut tx, &nodes).await.unwrap();
        tx.commit().await.unwrap();

        const ALL: &str = "SELECT level, idx, hash FROM log_node ORDER BY hash";
        let stored: Vec<Node> = (store.all(ALL, &[]).await.unwrap().into_iter())
            .map(|mut row| {
                let place = Place { level: row.int(0).unwrap() as u8, index: row.int(1).unwrap() };
                Node { place, hash: row.bytes(2).unwrap().0 }
            })
            .collect();
        assert_eq!(stored, nodes);

        let backwards: Vec<Place> = nodes.iter().rev().map(|node| node.place).collect();
        let hashes: Vec<Hash> = nodes.iter().rev().map(|node| node.hash).collect();
        assert_eq!(read(&store, &backwards).await.unwrap(), hashes);
        assert_eq!(read(&store, &[]).await.unwrap(), Vec::<Hash>::new());
        let stranger = Place { level: 0, index: 1 };
        assert!(matches!(read(&store, &[last, stranger]).await, Err(StoreError::Corrupt(_))));
    }

    fn hash_of(n: u16) -> Hash {
        let mut hash = [7; 32];
        hash[..2].copy_from_slice(&n.to_be_bytes());
        hash
    }
}
