//! What a legal officer must look at, although it verifies: it stands first in the report.
//!
//! | code | what |
//! |---|---|
//! | `receipt-missing` | a parcel that was neither opened nor recalled |
//! | `deletion-overdue`, `deletion-late` | a recalled parcel without deletion receipts in time |
//! | `copy-without-receipt` | a copy that the recipient noted, without a deletion receipt after a recall |
//! | `copy-not-noted` | a reading that made a copy which the unit did not note |
//! | `reading-unjustified`, `reading-out-of-time` | an opening without a reason, before the receipt, or after the recall |
//! | `urgent-without-validation` | an urgent parcel that no legal officer validated |
//! | `role-conflict` | one person under two numbers in one disclosure, or one key for two officers |
//! | `objection` | the unit objects to what the other side said |
//! | `given-under-objection` | the unit gave something before an objection of its own was lifted |
//! | `objection-lifted` | a head or legal officer let the unit go on |
//! | `without-proof` | an entry that is newer than the last checkpoint |
//!
//! Caller: `verify`. *Not here:* what does not verify: those are findings.

use super::bundle::Bundle;
use super::fold::Folding;
use super::objections;
use super::report::{Disclosure, Exception, Moment, Objection, Signed};
use protocol::name::UnitName;
use std::collections::BTreeSet;

/// All of them: the gravest kinds first, each in the order of the log.
pub(super) fn all(
    bundle: &Bundle,
    folding: &Folding<'_>,
    disclosures: &[Disclosure],
    objections: &[Objection],
    without_proof: &[u64],
) -> Vec<Exception> {
    let mut out = Vec::new();
    for disclosure in disclosures {
        if disclosure.package.is_some() {
            parcel(disclosure, bundle.made_ms, &mut out);
        }
        roles(disclosure, &mut out);
    }
    shared_keys(folding, &mut out);
    for objection in objections {
        let place = || format!("{}, entry {}", objection.overlap, objection.entry);
        match &objection.lifted {
            None => add(&mut out, "objection", place(), objection.code.clone()),
            Some(lifted) => {
                let detail = format!("{}; {}: {}", objection.code, told(&lifted.by), lifted.why);
                add(&mut out, "objection-lifted", place(), detail);
            }
        }
        for entry in objections::given_under(objection, bundle, folding) {
            add(&mut out, "given-under-objection", place(), format!("entry {entry}"));
        }
    }
    for entry in without_proof {
        add(&mut out, "without-proof", format!("entry {entry}"), String::new());
    }
    out.sort_by_key(|exception| rank(&exception.code));
    out
}

/// The codes, the gravest first.
pub const EXCEPTIONS: [&str; 13] = [
    "deletion-overdue",
    "copy-without-receipt",
    "urgent-without-validation",
    "reading-unjustified",
    "reading-out-of-time",
    "copy-not-noted",
    "role-conflict",
    "given-under-objection",
    "objection",
    "objection-lifted",
    "receipt-missing",
    "deletion-late",
    "without-proof",
];

fn rank(code: &str) -> usize {
    EXCEPTIONS.iter().position(|known| *known == code).unwrap_or(EXCEPTIONS.len())
}

fn add(out: &mut Vec<Exception>, code: &str, place: String, detail: impl Into<String>) {
    out.push(Exception { code: code.to_owned(), place, detail: detail.into() });
}

/// Where a disclosure is: its overlap and package, shortened as everywhere for people.
fn place(disclosure: &Disclosure) -> String {
    let short = |hex: &str| hex.get(..12).unwrap_or(hex).to_owned();
    let package = disclosure.package.as_deref().unwrap_or(&disclosure.consent);
    format!("{} → {}, {}, {}", disclosure.from, disclosure.to, short(&disclosure.overlap), short(package))
}

fn parcel(disclosure: &Disclosure, now_ms: u64, out: &mut Vec<Exception>) {
    let here = || place(disclosure);
    if disclosure.receipt.is_none() && disclosure.recall.is_none() {
        add(out, "receipt-missing", here(), disclosure.sealed.at.to_string());
    }
    if disclosure.kind == "urgent" && disclosure.validation.is_none() {
        let recalled = disclosure.recall.as_ref().map(|recall| recall.by.at.to_string());
        add(out, "urgent-without-validation", here(), recalled.unwrap_or_default());
    }
    if let Some(recall) = &disclosure.recall {
        match (disclosure.deletions.first(), recall.due) {
            (None, Some(due)) if now_ms >= due.0 => add(out, "deletion-overdue", here(), due.to_string()),
            (None, None) => add(out, "deletion-overdue", here(), recall.by.at.to_string()),
            (Some(receipt), Some(due)) if receipt.by.at >= due => {
                add(out, "deletion-late", here(), receipt.by.at.to_string());
            }
            _ => {}
        }
        if !disclosure.deletions.is_empty() {
            let receipted: BTreeSet<u32> = disclosure.deletions.iter().map(|receipt| receipt.copy).collect();
            let copies = disclosure.copies.iter().map(|copy| copy.number);
            for copy in std::iter::once(0).chain(copies).filter(|copy| !receipted.contains(copy)) {
                add(out, "copy-without-receipt", here(), copy.to_string());
            }
        }
    }
    readings(disclosure, out);
}

fn readings(disclosure: &Disclosure, out: &mut Vec<Exception>) {
    let noted: BTreeSet<u32> = disclosure.copies.iter().map(|copy| copy.number).collect();
    for reading in &disclosure.readings {
        let who = || told(&reading.by);
        if reading.why.trim().is_empty() {
            add(out, "reading-unjustified", place(disclosure), who());
        }
        let after = |signed: &Option<Moment>| signed.is_some_and(|at| reading.by.at >= at);
        let received = after(&disclosure.receipt.as_ref().map(|signed| signed.at));
        let recalled = after(&disclosure.recall.as_ref().map(|recall| recall.by.at));
        if !received || recalled {
            add(out, "reading-out-of-time", place(disclosure), who());
        }
        if reading.copy.is_some_and(|copy| !noted.contains(&copy)) {
            add(out, "copy-not-noted", place(disclosure), who());
        }
    }
}

/// Two signatures of one disclosure that the rules want from two persons, under one name.
fn roles(disclosure: &Disclosure, out: &mut Vec<Exception>) {
    let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
    let consenting = disclosure.consents.iter().map(|consent| &consent.by);
    for signed in consenting.chain(&disclosure.validation) {
        let Some(name) = &signed.name else { continue };
        let same = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if !seen.insert((&signed.unit, same)) {
            add(out, "role-conflict", place(disclosure), told(signed));
        }
    }
}

fn shared_keys(folding: &Folding<'_>, out: &mut Vec<Exception>) {
    let ends = folding.cases.iter().filter_map(|case| case.said.last());
    let units: BTreeSet<UnitName> = ends.flat_map(|said| said.after.units()).cloned().collect();
    let mut seen = BTreeSet::new();
    for unit in &units {
        for (number, officer) in folding.officers.of(unit) {
            if !seen.insert(officer.certificate.key) {
                add(out, "role-conflict", format!("{unit} {number}"), String::new());
            }
        }
    }
}

fn told(signed: &Signed) -> String {
    let number = signed.officer.map(|number| number.to_string()).unwrap_or_default();
    format!("{} {number} {}, {}", signed.unit, signed.name.as_deref().unwrap_or_default(), signed.at)
}
