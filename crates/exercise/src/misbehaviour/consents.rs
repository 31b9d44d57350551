//! A unit that discloses without consent, or with one that does not count (R29, R30).
//!
//! Each is refused by the broker, and by the other unit where a broker lets it pass; and the honest act, sent the same
//! way, passes.

use super::dishonest::Dishonest;
use super::table::{SN, Table};
use crate::handover::{NOTE, consent, pack, sign_consent, until_ms};
use anyhow::Result;
use client::session::{ConsentShown, system_clock};
use protocol::Bytes;
use protocol::act::{Act, Content};
use protocol::consent::{ConsentKind, ParcelHead};
use protocol::matter::Matter;
use protocol::officer::OfficerRole::{Head, Investigator, LegalOfficer};
use std::path::Path;
use std::time::Duration;

/// A table at which SN's consent over a package is complete: its name, and the head of the sealed parcel.
async fn sealed(folder: &Path) -> Result<(Table, ParcelHead)> {
    let mut table = Box::pin(Table::agreed_to_hand_over(folder)).await?;
    let mut talks = table.talks();
    let packed = pack(&mut talks, SN, NOTE, None).await?;
    let prospect = talks.prospect(SN)?;
    let shown = talks.unit(SN).session.terms_of(&prospect, &packed.draft, ConsentKind::Parcel, until_ms())?;
    let id = consent(&mut talks, SN, shown).await?;
    let handle = talks.handle;
    let head = talks.unit(SN).session.seal(&handle, &id).await?;
    Ok((table, head))
}

fn seal_act(table: &mut Table, sn: &Dishonest, head: &ParcelHead) -> Result<(Act, Matter)> {
    let (handle, officer) = (table.handle, table.sn.of(Investigator)?);
    sn.act(&mut table.small.sn, &handle, officer, "seal", Content::Parcel(Box::new(head.clone())), |_| {})
}

/// SN seals from a consent that nobody gave.
pub(super) async fn no_consent(folder: &Path) -> Result<bool> {
    let (mut table, head) = Box::pin(sealed(folder)).await?;
    let sn = Dishonest::unit(&table).await?;
    let invented = ParcelHead { consent: Bytes([7; 32]), ..head.clone() };
    let faulty = seal_act(&mut table, &sn, &invented)?;
    let honest = seal_act(&mut table, &sn, &head)?;
    let caught = sn.is_refused_twice(&mut table, &faulty, "consent-none").await?;
    let calm = sn.passes(&mut table, &honest).await?;
    table.small.served.stop().await?;
    Ok(caught && calm)
}

/// SN's officers consented to one package, and it seals another one.
pub(super) async fn other_package(folder: &Path) -> Result<bool> {
    let (mut table, head) = Box::pin(sealed(folder)).await?;
    let sn = Dishonest::unit(&table).await?;
    let mut talks = table.talks();
    let other = pack(&mut talks, SN, "Another note, that nobody consented to.", None).await?;
    let exchanged = ParcelHead { package: other.draft.manifest.package_hash(), ..head.clone() };
    let faulty = seal_act(&mut table, &sn, &exchanged)?;
    let honest = seal_act(&mut table, &sn, &head)?;
    let caught = sn.is_refused_twice(&mut table, &faulty, "consent-other-package").await?;
    let calm = sn.passes(&mut table, &honest).await?;
    table.small.served.stop().await?;
    Ok(caught && calm)
}

/// SN seals a second time from a consent that it has used.
pub(super) async fn replayed(folder: &Path) -> Result<bool> {
    let (mut table, head) = Box::pin(sealed(folder)).await?;
    let sn = Dishonest::unit(&table).await?;
    let honest = seal_act(&mut table, &sn, &head)?;
    let calm = sn.passes(&mut table, &honest).await?;
    // The recorded act again, as it was: its number in the case is taken.
    let recorded = sn.submit(&honest).await?.is_some_and(|code| code == "case-round" || code == "case-number");
    // Its own agent takes the first one in: the vault of a dishonest unit is up to date, too.
    table.small.sn.restart().await?;
    table.small.sn.sync().await?;
    let again = seal_act(&mut table, &sn, &head)?;
    let caught = sn.is_refused_twice(&mut table, &again, "consent-used").await?;
    table.small.served.stop().await?;
    Ok(calm && recorded && caught)
}

/// A table at which SN's head has consented, until `until_ms`, and the second officer's signature is missing.
async fn half_consented(folder: &Path, until_ms: impl FnOnce() -> u64) -> Result<(Table, ConsentShown)> {
    let mut table = Box::pin(Table::agreed_to_hand_over(folder)).await?;
    let shown = head_consents(&mut table, until_ms()).await?;
    Ok((table, shown))
}

async fn head_consents(table: &mut Table, until_ms: u64) -> Result<ConsentShown> {
    let mut talks = table.talks();
    let packed = pack(&mut talks, SN, NOTE, None).await?;
    let prospect = talks.prospect(SN)?;
    let shown = talks.unit(SN).session.terms_of(&prospect, &packed.draft, ConsentKind::Parcel, until_ms)?;
    sign_consent(&mut talks, SN, Head, &shown).await?;
    Ok(shown)
}

/// An officer of SN's signs under `shown`.
fn consent_act(
    table: &mut Table,
    sn: &Dishonest,
    role: protocol::officer::OfficerRole,
    shown: &ConsentShown,
) -> Result<(Act, Matter)> {
    let attestations = table.talks().manual()?.attestations().to_vec();
    let (handle, officer) = (table.handle, table.sn.of(role)?);
    let fill = |matter: &mut Matter| {
        matter.openings = Some(shown.openings.clone());
        matter.attestations = attestations;
    };
    sn.act(&mut table.small.sn, &handle, officer, "consent", Content::Consent(shown.terms.clone()), fill)
}

/// SN's head signs a second time, in the legal officer's place.
pub(super) async fn same_officer(folder: &Path) -> Result<bool> {
    let (mut table, shown) = Box::pin(half_consented(folder, until_ms)).await?;
    let sn = Dishonest::unit(&table).await?;
    let faulty = consent_act(&mut table, &sn, Head, &shown)?;
    let honest = consent_act(&mut table, &sn, LegalOfficer, &shown)?;
    let caught = sn.is_refused_twice(&mut table, &faulty, "consent-same-officer").await?;
    let calm = sn.passes(&mut table, &honest).await?;
    table.small.served.stop().await?;
    Ok(caught && calm)
}

/// SN's legal officer signs after the consent has expired; and dates the signature back.
pub(super) async fn late(folder: &Path) -> Result<bool> {
    const COUNTS_MS: u64 = 1500;
    let until = || system_clock()() + COUNTS_MS;
    let (mut table, shown) = Box::pin(half_consented(folder, until)).await?;
    let sn = Dishonest::unit(&table).await?;
    // Signed in time, but sent late: the broker goes by its own clock.
    let dated_back = consent_act(&mut table, &sn, LegalOfficer, &shown)?;
    anyhow::ensure!(dated_back.0.statement.at_ms < shown.terms.until_ms, "it was signed in time");
    let left = shown.terms.until_ms.saturating_sub(system_clock()()) + 50;
    tokio::time::sleep(Duration::from_millis(left)).await;
    let caught_back = sn.submit(&dated_back).await?.as_deref() == Some("consent-expired");
    let faulty = consent_act(&mut table, &sn, LegalOfficer, &shown)?;
    let caught = sn.is_refused_twice(&mut table, &faulty, "consent-expired").await?;

    // Both officers in time, over terms that count.
    let in_time = ConsentShown {
        terms: protocol::consent::Terms { until_ms: until_ms(), ..shown.terms.clone() },
        openings: shown.openings.clone(),
    };
    let first = consent_act(&mut table, &sn, Head, &in_time)?;
    let calm = sn.passes(&mut table, &first).await?;
    table.small.served.stop().await?;
    Ok(caught_back && caught && calm)
}
