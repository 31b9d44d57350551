//! A broker that lies about matches: invents one, or hides some (R16, R18, R22).

use super::Small;
use crate::broker_view::{execute, open};
use anyhow::{Context, Result};
use client::agent::Event;
use protocol::message::DisputeReason;
use sqlx::Row;
use std::path::Path;

/// The operator puts a leaf of his own under one of SN's tags, on GM's side, and lets the broker's own code find it.
pub(super) async fn invent(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    small.settled().await?;
    let pool = open(&small.served.folder, None).await?;
    const ALONE: &str = "SELECT l.tag, l.pair_epoch FROM leaf l WHERE l.side = 1 AND NOT EXISTS
        (SELECT 1 FROM leaf o WHERE o.pair_epoch = l.pair_epoch AND o.tag = l.tag AND o.side = 0) LIMIT 1";
    let row = sqlx::query(ALONE).fetch_one(&pool).await.context("SN has leaves that GM has not")?;
    let (tag, pair): (Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?);
    let size: i64 = sqlx::query("SELECT size FROM log_head").fetch_one(&pool).await?.try_get(0)?;
    let tag = hex::encode(tag);
    execute(
        &pool,
        format!(
            "INSERT INTO leaf (pair_epoch, tag, side, confirmation, added)
                VALUES ({pair}, x'{tag}', 0, x'00112233445566778899aabbccddeeff', {size});
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

/// The operator makes the broker blind to half of all tags: their leaves look as if they had been compared before.
pub(super) async fn drop_some(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    let pool = open(&small.served.folder, None).await?;
    execute(
        &pool,
        "CREATE TRIGGER hide AFTER INSERT ON leaf WHEN substr(hex(NEW.tag), 1, 1) < '8' BEGIN
            UPDATE leaf SET added = -1
                WHERE pair_epoch = NEW.pair_epoch AND tag = NEW.tag AND side = NEW.side;
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
