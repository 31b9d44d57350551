//! A broker that rewrites its log (R26, R27): the operator changes an old leaf, rebuilds the tree, and goes on signing.

use super::Small;
use crate::broker_view::{execute, open};
use crate::federation::Served;
use anyhow::{Context, Result};
use client::session::SessionError;
use sqlx::Row;
use std::path::Path;
use std::time::{Duration, Instant};
use tlog::Frontier;

/// Entry 3 becomes another one; everything above it follows, and so does the head.
pub(super) async fn rewrite(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    small.settled().await?;
    let Small { served, mut gm, mut sn } = small;
    let broker = served.folder.clone();
    served.stop().await?;

    let pool = open(&broker, None).await?;
    let size: i64 = sqlx::query("SELECT size FROM log_head").fetch_one(&pool).await?.try_get(0)?;
    let mut entries: Vec<Option<[u8; 32]>> = vec![None; size as usize];
    for row in sqlx::query("SELECT entry, hash FROM envelope").fetch_all(&pool).await? {
        let (entry, hash): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        entries[entry as usize] = hash.try_into().ok();
    }
    // Padding entries are nobody's: new ones do as well.
    let mut frontier = Frontier::new();
    let mut statements = String::from("DELETE FROM log_node;\n");
    for (at, entry) in entries.iter().enumerate() {
        let entry = if at == 3 { [0x66; 32] } else { entry.unwrap_or([at as u8; 32]) };
        for node in frontier.append(&tlog::Entry(entry)).context("the log is not full")? {
            let (level, index, hash) = (node.place.level, node.place.index, hex::encode(node.hash));
            statements
                .push_str(&format!("INSERT INTO log_node (level, idx, hash) VALUES ({level}, {index}, x'{hash}');\n"));
        }
    }
    let (edge, root) = (hex::encode(frontier.to_bytes()), hex::encode(frontier.root()));
    statements.push_str(&format!("UPDATE log_head SET frontier = x'{edge}', root = x'{root}';"));
    execute(&pool, statements).await?;
    pool.close().await;

    let served = Served::again(&broker).await?;
    let (mut caught, began) = (false, Instant::now());
    // The units reach the broker under its new address: the same broker, by its certificate.
    for unit in [&mut gm, &mut sn] {
        unit.moved(&served.address).await?;
    }
    while !caught && began.elapsed() < Duration::from_secs(10) {
        let (first, second) = (
            is_split(gm.session.round(Duration::from_millis(50)).await)?,
            is_split(sn.session.round(Duration::from_millis(50)).await)?,
        );
        caught = first && second;
    }
    served.stop().await?;
    Ok(caught)
}

fn is_split(round: Result<client::session::Round, SessionError>) -> Result<bool> {
    match round {
        Ok(_) => Ok(false),
        Err(SessionError::SplitView) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
