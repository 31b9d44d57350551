//! A unit that answers with another scalar than it committed to (R13, R14): it edits its own vault.

use super::Small;
use anyhow::{Context, Result};
use client::agent::Event;
use client::vault::Change;
use minicbor::data::Type;
use protocol::message::DisputeReason;
use std::path::Path;
use std::time::Duration;

/// GM replaces its scalar after the commitment went out.
pub(super) async fn answer_wrongly(folder: &Path) -> Result<bool> {
    let mut small = Small::agreed(folder).await?;
    // Commitments and contributions first; GM is stopped before SN's request can reach it.
    for _ in 0..40 {
        small.sn.round(Duration::from_millis(5)).await?;
        small.gm.round(Duration::from_millis(5)).await?;
        if small.gm.vault.get("pair/SN.1").await?.is_some() {
            break;
        }
    }
    let key = "pair/SN.1";
    let kept = small.gm.vault.get(key).await?.context("GM has opened the epoch with SN")?;
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let other = protocol::psi::EpochKey::random(&mut rng).expose_secret();
    small.gm.vault.apply(&[Change::put(key, replace_second_bytes(&kept, other.as_ref())?)]).await?;
    small.gm.restart().await?;
    let seen = small
        .until(|_, sn| sn.iter().any(|event| matches!(event, Event::Disputed(_, DisputeReason::WrongEvaluation))))
        .await?;
    let nothing = small.sn.session.agent().overlaps().count() == 0;
    small.served.stop().await?;
    Ok(seen && nothing)
}

/// The state of a pair begins with the accord's hash and the scalar: the second byte string is replaced.
fn replace_second_bytes(kept: &[u8], other: &[u8]) -> Result<Vec<u8>> {
    let mut decoder = minicbor::Decoder::new(kept);
    anyhow::ensure!(decoder.datatype()? == Type::Bytes, "a pair begins with its accord");
    decoder.bytes()?;
    let old = decoder.bytes()?.len();
    anyhow::ensure!(old == other.len(), "a scalar follows");
    let after = decoder.position();
    Ok([&kept[..after - old], other, &kept[after..]].concat())
}
