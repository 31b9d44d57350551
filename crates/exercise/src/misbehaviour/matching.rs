//! A broker that lies about matches: invents one, or hides some (R16, R18, R22).

use super::Small;
use crate::broker_view::{execute, open};
use anyhow::{Context, Result};
use client::agent::Event;
use protocol::message::DisputeReason;
use protocol::tagset::{Leaf, Tag};
use sqlx::{AnyPool, Row};
use std::collections::BTreeSet;
use std::path::Path;

/// The operator puts a leaf of his own under one of SN's tags, on GM's side, and lets the broker's own code find it.
pub(super) async fn invent(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    small.settled().await?;
    let pool = open(&small.served.folder, None).await?;
    let (pair, tag) = alone(&pool).await?.context("SN has leaves that GM has not")?;
    let size: i64 = sqlx::query("SELECT size FROM log_head").fetch_one(&pool).await?.try_get(0)?;
    execute(
        &pool,
        format!(
            "INSERT INTO leaf_run (pair_epoch, side, added, leaves) VALUES ({pair}, 0, {size}, 1);
            INSERT INTO leaf_block (run, first, leaves) SELECT max(id), x'{tag}', x'{tag}00112233445566778899aabbccddeeff'
                FROM leaf_run;
            UPDATE pair_epoch SET pending = 1 WHERE id = {pair}"
        ),
    )
    .await?;
    pool.close().await;
    let caught = |events: &[Event]| {
        events.iter().any(|event| {
            matches!(event, Event::Disputed(_, DisputeReason::UnknownTag | DisputeReason::WrongConfirmation))
        })
    };
    let seen = small.until(|gm, sn| caught(gm) && caught(sn)).await?;
    small.served.stop().await?;
    Ok(seen)
}

/// A tag of the second side that the first has not, and its pair.
async fn alone(pool: &AnyPool) -> Result<Option<(i64, Tag)>> {
    const ALL: &str = "SELECT r.pair_epoch, r.side, b.leaves FROM leaf_run r JOIN leaf_block b ON b.run = r.id";
    let (mut first, mut second) = (BTreeSet::new(), BTreeSet::new());
    for row in sqlx::query(ALL).fetch_all(pool).await? {
        let (pair, side, leaves): (i64, i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let tags = leaves.as_chunks().0.iter().map(|leaf| (pair, Leaf::from_bytes(leaf).tag));
        if side == 0 { first.extend(tags) } else { second.extend(tags) }
    }
    Ok(second.difference(&first).next().copied())
}

/// The operator makes the broker blind to what lies in a block that begins in the lower half of all tags, half of a large
/// set: it looks as if it had been compared before.
pub(super) async fn drop_some(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    let pool = open(&small.served.folder, None).await?;
    execute(
        &pool,
        "CREATE TRIGGER hide AFTER INSERT ON leaf_block
        WHEN substr(hex(NEW.first), 1, 1) < '8' AND EXISTS (SELECT 1 FROM leaf_run r
            JOIN pair_epoch p ON p.id = r.pair_epoch WHERE r.id = NEW.run AND r.added >= p.cut)
        BEGIN
            INSERT INTO leaf_run (pair_epoch, side, added, leaves)
                SELECT pair_epoch, side, -1, length(NEW.leaves) / 32 FROM leaf_run WHERE id = NEW.run;
            UPDATE leaf_block SET run = (SELECT max(id) FROM leaf_run) WHERE run = NEW.run AND first = NEW.first;
        END"
        .to_owned(),
    )
    .await?;
    pool.close().await;
    let missing =
        |events: &[Event]| events.iter().any(|event| matches!(event, Event::Disputed(_, DisputeReason::MissingCanary)));
    let seen = small.until(|gm, sn| missing(gm) && missing(sn)).await?;
    small.served.stop().await?;
    Ok(seen)
}
