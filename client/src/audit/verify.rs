//! The audit itself: a pure function of a bundle. No vault, no network, no clock.
//!
//! Callers: `sutura audit`, the exercise, an auditor's own program. *Not here:* the steps, each in a file of its own.

use super::bundle::SignedBundle;
use super::log::Log;
use super::members::Members;
use super::report::{Coverage, Finding, Findings, Moment, Report, Unit};
use super::{disclosures, exceptions, fold, objections};

/// Verifies everything that the bundle holds, and says what was disclosed.
pub fn verify(signed: &SignedBundle) -> Report {
    let bundle = signed.unverified();
    let mut findings = Findings::default();
    let members = Members::check(bundle, &mut findings);
    let own = members.keys_now(&bundle.unit);
    if !own.is_some_and(|keys| signed.is_signed_by(&keys.signing)) {
        findings.add("bundle-signature", bundle.unit.as_str());
    }
    let mut log = Log::check(bundle, &members, &mut findings);
    let folded = fold::fold(bundle, &members, &mut log, &mut findings);
    let (without_proof, checkpoints) = log.finish(&mut findings);
    let disclosures = disclosures::all(bundle, &folded, &mut findings);
    let objections = objections::all(bundle, &folded, &mut findings);
    let exceptions = exceptions::all(bundle, &folded, &disclosures, &objections, &without_proof);
    let findings = once_each(findings);
    let peers = bundle.peers.iter().map(|peer| Unit {
        unit: peer.peer.to_string(),
        verified: peer.verified,
        evaluated: peer.evaluated,
        quota: peer.quota,
        compared: peer.compared,
        overlaps: peer.overlaps,
    });
    Report {
        federation: bundle.federation.clone(),
        unit: bundle.unit.to_string(),
        made: Moment(bundle.made_ms),
        verified: findings.is_empty(),
        nil: disclosures.is_empty(),
        exceptions,
        coverage: Coverage {
            log_size: bundle.log_size,
            checkpoints,
            cases: bundle.cases.len(),
            acts: bundle.cases.iter().map(|case| case.acts.len()).sum(),
            officer_entries: bundle.officers.len(),
            without_proof,
            epoch: bundle.epoch,
            peers: peers.collect(),
        },
        disclosures,
        objections,
        findings,
        keys: members.fingerprints(),
    }
}

fn once_each(findings: Findings) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::with_capacity(findings.0.len());
    for finding in findings.0 {
        if !out.contains(&finding) {
            out.push(finding);
        }
    }
    out
}
