//! The audit of the exercise: each unit's bundle, verified as an auditor verifies it, without the unit and the broker.
//!
//! Callers: the story, and tests. *Not here:* how an audit is made ([`client::audit`]).

use crate::federation::Unit;
use crate::outcomes::Ending;
use crate::played::Played;
use anyhow::{Context, Result};
use client::audit::{Disclosure, Report, SignedBundle, gather, verify};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for checkpoints over what was done last.
const PROVEN_WITHIN: Duration = Duration::from_secs(20);

/// The audit of one unit.
pub struct Audited {
    /// The unit.
    pub unit: String,
    /// The file that an auditor would get.
    pub bundle: Vec<u8>,
    /// What the audit of that file says.
    pub report: Report,
}

/// Exports the bundle of each unit, and verifies it from its bytes alone, once the log has proven what was done last: a
/// checkpoint follows an entry within seconds.
pub async fn audit_all(units: &mut [Unit]) -> Result<Vec<Audited>> {
    let until = Instant::now() + PROVEN_WITHIN;
    loop {
        let mut audits = Vec::with_capacity(units.len());
        for unit in units.iter() {
            audits.push(audit(unit).await?);
        }
        let is_proven = |one: &Audited| one.report.exceptions.iter().all(|found| found.code != "without-proof");
        if audits.iter().all(is_proven) || Instant::now() > until {
            return Ok(audits);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        for unit in units.iter_mut() {
            unit.sync().await?;
        }
    }
}

async fn audit(unit: &Unit) -> Result<Audited> {
    let bundle = gather(&unit.vault, &unit.session, None, server::now_ms()).await?.encode();
    let report = verify(&SignedBundle::decode(&bundle)?);
    Ok(Audited { unit: unit.name.to_string(), bundle, report })
}

/// Writes the bundles below `folder`, as `UNIT.audit`.
pub fn keep(audits: &[Audited], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for audited in audits {
        let file = folder.join(format!("{}.audit", audited.unit));
        std::fs::write(&file, &audited.bundle).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// Whether every bundle verifies without exception, and both units of every disclosure show it, and nobody shows another.
pub fn shows(audits: &[Audited], played: &[Played]) -> bool {
    let calm = audits.iter().all(|one| one.report.verified && one.report.exceptions.is_empty());
    let mut sides: BTreeMap<(&str, &str, &str, Option<&str>), Vec<&Disclosure>> = BTreeMap::new();
    for one in audits.iter().flat_map(|audited| &audited.report.disclosures) {
        let key = (one.overlap.as_str(), one.from.as_str(), one.kind.as_str(), one.package.as_deref());
        sides.entry(key).or_default().push(one);
    }
    let expected: usize = played.iter().map(|one| disclosed(one.ending)).sum();
    calm && sides.len() == expected
        && sides.values().all(|both| both.len() == 2)
        && played.iter().all(|one| {
            let of = sides.iter().filter(|((overlap, ..), _)| *overlap == one.handle).flat_map(|(_, both)| both);
            let of: Vec<&&Disclosure> = of.collect();
            of.len() == 2 * disclosed(one.ending) && of.iter().all(|disclosure| is_told(one.ending, disclosure))
        })
}

/// How many disclosures an outcome makes: parcels, and one for each unit that writes in a journal.
fn disclosed(ending: Ending) -> usize {
    match ending {
        Ending::HandedOver | Ending::Withdrawn | Ending::Urgent => 1,
        Ending::Joint => 2,
        Ending::Separate | Ending::Refused | Ending::FalseMatch => 0,
    }
}

/// Whether a disclosure shows what the outcome was: who, why, what, and what came of it.
fn is_told(ending: Ending, one: &Disclosure) -> bool {
    let consented = one.consents.len() == 2 && one.purpose.is_some() && one.proven;
    let receipted = one.conditions.is_some() && one.receipt.is_some() && !one.fields.is_empty();
    consented
        && match ending {
            Ending::Joint => one.kind == "journal" && one.entries.is_some_and(|entries| entries > 0),
            Ending::HandedOver => one.kind == "parcel" && receipted && one.recall.is_none(),
            Ending::Withdrawn => one.kind == "parcel" && one.recall.is_some() && !one.deletions.is_empty(),
            Ending::Urgent => one.kind == "urgent" && receipted && one.validation.is_some(),
            _ => false,
        }
}
