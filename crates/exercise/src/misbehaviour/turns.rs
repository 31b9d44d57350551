//! A unit that acts when it is not its turn, and an operator who moves a case himself (R29, R33).

use super::dishonest::Dishonest;
use super::table::{GM, SN, Table};
use crate::broker_view::{execute, open};
use crate::handover::THREAT;
use crate::talks::{Talks, field};
use anyhow::{Context, Result};
use client::agent::Event;
use protocol::act::{Content, Outcome};
use protocol::matter::Matter;
use protocol::officer::OfficerRole::{Head, Investigator};
use protocol::overlap::Handle;
use protocol::package::ContentKind;
use sqlx::Row;
use std::path::Path;
use std::time::{Duration, Instant};

/// SN accepts its own offer.
pub(super) async fn out_of_turn(folder: &Path) -> Result<bool> {
    let mut table = Box::pin(Table::set(folder, &[])).await?;
    let mut talks = table.talks();
    talks.begin().await?;
    let offer = Content::Offer(Outcome::Handover, Some(talks.unit(GM).name.clone()));
    let lines = vec![field("phone", ContentKind::Text)];
    talks.act(SN, Investigator, "propose", offer, |matter| matter.fields = lines).await?;
    let sn = Dishonest::unit(&table).await?;
    let (handle, head) = (table.handle, table.sn.of(Head)?);
    let faulty = sn.act(&mut table.small.sn, &handle, head, "accept", Content::Nothing, |_| {})?;
    let honest = sn.act(&mut table.small.sn, &handle, head, "take-back", Content::Nothing, |_| {})?;
    let caught = sn.is_refused_twice(&mut table, &faulty, "manual-guard").await?;
    let calm = sn.passes(&mut table, &honest).await?;
    table.small.served.stop().await?;
    Ok(caught && calm)
}

/// The operator ages a case in the broker's database, so that the broker's own code says its limit has passed. Both units
/// refuse; and the next act shows that the broker's case is not theirs.
pub(super) async fn operator_advances(folder: &Path) -> Result<bool> {
    const REAL: (&str, &str) = ("limit = \"8h\"", "limit = \"1s\"");
    let mut table = Box::pin(Table::set(folder, &[REAL])).await?;

    // The control: a limit that has passed moves the other case on both sides, and nobody is alarmed.
    let mut talks = table.other_talks();
    let threat = |matter: &mut Matter| matter.threat = Some(THREAT.to_owned());
    talks.act(GM, Investigator, "urgent", Content::Nothing, threat).await?;
    let moved = until(&mut talks, |talks| talks.state().is_ok_and(|state| state == "mediation")).await?;
    let calm =
        moved && !refuses(&mut talks, GM, "timeout", "case-early") && !refuses(&mut talks, SN, "timeout", "case-early");

    let mut talks = table.talks();
    talks.both(Investigator, "acknowledge").await?;
    let handle = talks.handle;
    age(&table.small.served.folder, &handle).await?;
    let mut talks = table.talks();
    let early = |talks: &mut Talks<'_>| [GM, SN].into_iter().all(|side| refuses(talks, side, "timeout", "case-early"));
    let caught = until(&mut talks, early).await? && talks.state()? == "assessing";
    // Whoever acts now hears from the broker that it has another case.
    talks.plain(GM, Investigator, "same").await?;
    let told = |event: &Event| matches!(event, Event::Rejected(_, code) if code.starts_with("case-"));
    let alarmed = talks.unit(GM).events.iter().any(told);
    table.small.served.stop().await?;
    Ok(calm && caught && alarmed)
}

fn refuses(talks: &mut Talks<'_>, side: crate::talks::Side, event: &str, code: &str) -> bool {
    let told = |told: &Event| matches!(told, Event::ActRefused(_, what, why) if what == event && *why == code);
    talks.unit(side).events.iter().any(told)
}

async fn until(talks: &mut Talks<'_>, mut enough: impl FnMut(&mut Talks<'_>) -> bool) -> Result<bool> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for side in [GM, SN] {
            talks.unit(side).round(Duration::from_millis(20)).await?;
        }
        if enough(talks) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sets the moment at which the case's state began 30 days back.
async fn age(broker: &Path, handle: &Handle) -> Result<()> {
    const BACK_MS: u64 = 30 * 24 * 3_600_000;
    let pool = open(broker, None).await?;
    const CASES: &str = "SELECT handle, state, deadline_ms FROM case_file WHERE deadline_ms IS NOT NULL";
    for row in sqlx::query(CASES).fetch_all(&pool).await? {
        let (of, state, deadline): (Vec<u8>, Vec<u8>, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if of != handle.0 {
            continue;
        }
        let aged = hex::encode(with_earlier_beginning(&state, BACK_MS)?);
        let (of, deadline) = (hex::encode(of), deadline - BACK_MS as i64);
        let set = format!("UPDATE case_file SET state = x'{aged}', deadline_ms = {deadline} WHERE handle = x'{of}'");
        execute(&pool, set).await?;
    }
    pool.close().await;
    Ok(())
}

/// A case is an array; its eighth item is when its state began.
fn with_earlier_beginning(case: &[u8], back_ms: u64) -> Result<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(case);
    decoder.array()?.context("a case is an array")?;
    for _ in 0..7 {
        decoder.skip()?;
    }
    let from = decoder.position();
    let since = decoder.u64()?;
    let to = decoder.position();
    Ok([&case[..from], &minicbor::to_vec(since - back_ms)?, &case[to..]].concat())
}
