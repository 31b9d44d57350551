//! What was disclosed: each parcel, and each unit's entries in a joint journal, with all that hangs on it.
//!
//! Everything here is read from acts that hold ([`super::fold`]): what became of a parcel is seen where the ledger of the
//! case changes. Readings and copies are the exporting unit's own. Caller: `verify`. *Not here:* what is wrong with it.

use super::bundle::Bundle;
use super::fold::{Folded, Folding, Said};
use super::report::{
    Consent, Copy, Deletion, Disclosure, EventLine, Fields, Findings, Manual, Moment, Reading, Recall, Signed,
};
use protocol::act::Content;
use protocol::consent::{ConsentKind, Held, Parcel};
use protocol::name::UnitName;
use protocol::package::FieldLine;
use protocol::{Bytes, Hash};

/// All of them, in the order of the log.
pub(super) fn all(bundle: &Bundle, folding: &Folding<'_>, findings: &mut Findings) -> Vec<Disclosure> {
    let mut out: Vec<(u64, Disclosure)> = Vec::new();
    for case in &folding.cases {
        let of = Of { bundle, folding, case };
        let mut journals: Vec<Hash> = Vec::new();
        let mut parcels = 0;
        for (at, said) in case.said.iter().enumerate() {
            let Some(act) = &said.act else { continue };
            let found = match &act.statement.content {
                Content::Parcel(head) => {
                    parcels += 1;
                    of.disclosure(at, &head.consent, Some(parcels - 1))
                }
                Content::Journal => match said.journal {
                    Some(id) if !journals.contains(&id) => {
                        journals.push(id);
                        of.disclosure(at, &id, None)
                    }
                    _ => None,
                },
                _ => None,
            };
            out.extend(found.map(|disclosure| (said.entry, disclosure)));
        }
    }
    check_readings(bundle, folding, findings);
    out.sort_by_key(|(entry, _)| *entry);
    out.into_iter().map(|(_, disclosure)| disclosure).collect()
}

/// A reading is signed by an officer of the exporting unit, and is of a package that the unit got.
fn check_readings(bundle: &Bundle, folding: &Folding<'_>, findings: &mut Findings) {
    let federation = protocol::identity::federation_id(&bundle.federation, &bundle.broker);
    for (number, signed) in bundle.readings.iter().enumerate() {
        let (said, place) = (&signed.reading, format!("reading {}", number + 1));
        let case = folding.cases.iter().find(|case| case.history.handle == said.handle);
        let parcel = case.and_then(|case| case.said.last()).map(|last| last.after.ledger().parcels());
        let got = |parcel: &Parcel| parcel.package == said.package && parcel.recipient == said.unit;
        if said.federation != federation || said.unit != bundle.unit || !parcel.is_some_and(|p| p.iter().any(got)) {
            findings.add("reading-package", place);
        } else if !signed.is_signed(&folding.officers) {
            findings.add("reading-signature", place);
        }
    }
}

struct Of<'a, 'b> {
    bundle: &'a Bundle,
    folding: &'a Folding<'b>,
    case: &'a Folded<'b>,
}

impl Of<'_, '_> {
    fn disclosure(&self, at: usize, consent: &Hash, parcel: Option<usize>) -> Option<Disclosure> {
        let said = &self.case.said[at];
        let last = self.case.said.last()?;
        let held = last.after.ledger().consent(consent)?;
        let terms = &held.terms;
        let mine = terms.provider == self.bundle.unit;
        let consents = self.consents(held);
        let openings = self.of_consent(held).find_map(|said| said.matter?.openings.as_ref());
        let purpose = openings.map(|openings| &openings.purpose.purpose);
        let fields = openings.map(|openings| openings.fields.lines.iter().map(field).collect());
        let kind = match terms.kind {
            ConsentKind::Parcel => "parcel",
            ConsentKind::Urgent => "urgent",
            ConsentKind::Journal => "journal",
        };
        let entries: Vec<&Said<'_>> = self.case.said.iter().filter(|s| s.journal == Some(*consent)).collect();
        let fate = parcel.map(|parcel| self.fate(parcel)).unwrap_or_default();
        let package = parcel.map(|_| terms.package);
        let sealed = self.signed(said);
        let validation_delay_s =
            fate.validation.as_ref().map(|signed: &Signed| signed.at.0.saturating_sub(said.at_ms) / 1000);
        let hangs_on = |s: &&Said<'_>| s.entry <= said.entry || fate.entries.contains(&s.entry);
        let proven = self.case.said.iter().filter(hangs_on).all(|said| said.proof.is_some())
            && entries.iter().all(|said| said.proof.is_some());
        Some(Disclosure {
            overlap: self.case.history.handle.to_string(),
            kind: kind.to_owned(),
            from: terms.provider.to_string(),
            to: terms.recipient.to_string(),
            direction: if mine { "given" } else { "received" }.to_owned(),
            package: package.map(|package| package.to_string()),
            consent: consent.to_string(),
            consents,
            entries: parcel.is_none().then_some(entries.len() as u64),
            last_entry: entries.last().filter(|_| parcel.is_none()).map(|said| Moment(said.at_ms)),
            conditions: fate.conditions,
            receipt: fate.receipt,
            purpose: purpose.map(|purpose| purpose.text.clone()),
            offence: purpose.map(|purpose| purpose.offence.clone()),
            legal_basis: purpose.map(|purpose| purpose.legal_basis.clone()),
            reference: purpose.and_then(|purpose| purpose.reference.clone()),
            threat: self.of_consent(held).find_map(|said| said.matter?.threat.clone()),
            fields: fields.unwrap_or_default(),
            readings: package.map(|package| self.readings(&package)).unwrap_or_default(),
            copies: package.map(|package| self.copies(&package)).unwrap_or_default(),
            recall: fate.recall,
            deletions: fate.deletions,
            validation: fate.validation,
            validation_delay_s,
            manual: self.manual(),
            chain: self.case.said.iter().map(|said| self.line(said)).collect(),
            proof: said.proof.clone(),
            proven,
            sealed,
        })
    }

    /// The acts that gave a consent.
    fn of_consent<'h>(&'h self, held: &'h Held) -> impl Iterator<Item = &'h Said<'h>> {
        let id = held.terms.id();
        self.case.said.iter().filter(move |said| {
            let content = said.act.as_ref().map(|act| &act.statement.content);
            matches!(content, Some(Content::Consent(terms)) if terms.id() == id)
        })
    }

    fn consents(&self, held: &Held) -> Vec<Consent> {
        let attested = |said: &Said<'_>| said.matter.map(|matter| matter.attestations.clone()).unwrap_or_default();
        self.of_consent(held).map(|said| Consent { by: self.signed(said), attestations: attested(said) }).collect()
    }

    /// What became of the parcel at this place of the ledger.
    fn fate(&self, parcel: usize) -> Fate {
        let mut fate = Fate::default();
        for said in &self.case.said {
            let (before, after) = (said.before.ledger().parcels(), said.after.ledger().parcels());
            let (Some(before), Some(after)) = (before.get(parcel), after.get(parcel)) else { continue };
            let changed = before != after;
            if changed {
                fate.entries.push(said.entry);
            }
            if before.accepted_by != after.accepted_by {
                fate.conditions = Some(self.signed(said));
            }
            if before.received_by != after.received_by {
                fate.receipt = Some(self.signed(said));
            }
            if before.validated_by != after.validated_by {
                fate.validation = Some(self.signed(said));
            }
            if !before.recalled && after.recalled {
                let due = self.case.manual.as_ref().and_then(|(_, manual)| said.after.deadline_ms(manual));
                fate.recall = Some(Recall {
                    by: self.signed(said),
                    reason: said.matter.and_then(|matter| matter.reason.clone()),
                    due: due.map(Moment),
                });
            }
            if !before.deleted && after.deleted {
                let receipts = said.matter.map(|matter| matter.copies.as_slice()).unwrap_or_default();
                for receipt in receipts.iter().filter(|receipt| receipt.package == after.package) {
                    let (copy, deleted) = (receipt.copy, Moment(receipt.at_ms));
                    fate.deletions.push(Deletion { by: self.signed(said), copy, deleted });
                }
            }
        }
        fate
    }

    fn readings(&self, package: &Hash) -> Vec<Reading> {
        let (bundle, handle) = (self.bundle, self.case.history.handle);
        let ours = bundle.readings.iter().map(|signed| &signed.reading);
        let ours = ours.filter(|said| said.handle == handle && said.package == *package && said.unit == bundle.unit);
        ours.map(|said| Reading {
            by: self.folding.officer(&said.unit, said.officer, said.at_ms),
            why: said.why.clone(),
            copy: said.copy,
        })
        .collect()
    }

    fn copies(&self, package: &Hash) -> Vec<Copy> {
        let handle = self.case.history.handle;
        let ours = self.bundle.copies.iter().filter(|copy| copy.handle == handle && copy.package == *package);
        ours.map(|copy| Copy {
            number: copy.number,
            officer: copy.officer,
            at: Moment(copy.at_ms),
            deleted: copy.deleted_ms.map(Moment),
        })
        .collect()
    }

    fn manual(&self) -> Manual {
        let (accord, version) = match &self.case.manual {
            Some((accord, manual)) => (*accord, manual.version().to_owned()),
            None => (Bytes::ZERO, String::new()),
        };
        let signed = self.folding.accords.signers(&accord).map(UnitName::to_string).collect();
        Manual { accord: accord.to_string(), version, signed }
    }

    fn line(&self, said: &Said<'_>) -> EventLine {
        let offer = said.act.as_ref().and_then(|act| match &act.statement.content {
            Content::Offer(outcome, Some(provider)) => Some(format!("{} by {provider}", outcome.name())),
            Content::Offer(outcome, None) => Some(outcome.name().to_owned()),
            _ => None,
        });
        let state = self.case.manual.as_ref().map(|(_, manual)| manual.state(said.after.state()).id.clone());
        EventLine {
            event: said.act.as_ref().map_or("timeout", |act| &act.statement.event).to_owned(),
            by: self.signed(said),
            offer,
            reason: said.matter.and_then(|matter| matter.reason.clone()),
            state: state.unwrap_or_default(),
            entry: said.entry,
            proven: said.proof.is_some(),
        }
    }

    /// Who said it.
    fn signed(&self, said: &Said<'_>) -> Signed {
        match &said.act {
            Some(act) => match &act.officer {
                Some(officer) => self.folding.officer(&act.statement.unit, officer.number, said.at_ms),
                None => nobody(act.statement.unit.as_str(), said.at_ms),
            },
            None => nobody("@time", said.at_ms),
        }
    }
}

fn nobody(unit: &str, at_ms: u64) -> Signed {
    Signed { unit: unit.to_owned(), officer: None, role: None, name: None, at: Moment(at_ms) }
}

#[derive(Default)]
struct Fate {
    conditions: Option<Signed>,
    receipt: Option<Signed>,
    validation: Option<Signed>,
    recall: Option<Recall>,
    deletions: Vec<Deletion>,
    entries: Vec<u64>,
}

fn field(line: &FieldLine) -> Fields {
    Fields {
        name: line.name.clone(),
        category: line.category.to_string(),
        handling: line.handling.iter().map(ToString::to_string).collect(),
        restriction: line.restriction.clone(),
        source: line.source.to_string(),
        information: line.information.to_string(),
        nature: line.nature.to_string(),
        necessity: line.necessity.clone(),
        kind: line.kind.to_string(),
    }
}
