//! The oracle: rules R29, R30 and R32 written down a second time, over the sequence of accepted acts and nothing else.
//!
//! It keeps a plain history and judges each act that the engine accepted. It never asks a `Ledger` or a `Case`.

use protocol::Hash;
use protocol::act::{Content, Statement};
use protocol::consent::{ConsentKind, Terms};
use protocol::name::UnitName;
use protocol::officer::OfficerRole;
use std::rc::Rc;

const DAY_MS: u64 = 24 * 3_600_000;

/// A consent of which at least one signature was accepted.
#[derive(Clone)]
struct Consent {
    id: Hash,
    terms: Rc<Terms>,
    /// Officers of the unit that acted, in order.
    signed: Vec<(UnitName, u32, OfficerRole)>,
    taken_back: bool,
}

/// A disclosure.
#[derive(Clone)]
struct Disclosure {
    consent: usize,
    at_ms: u64,
    conditions: bool,
    receipt: bool,
    validated: bool,
    recalled: bool,
    deleted: bool,
}

/// What was seen so far.
#[derive(Clone, Default)]
pub struct Observer {
    consents: Vec<Consent>,
    disclosures: Vec<Disclosure>,
    revoked: Vec<(UnitName, u32)>,
}

/// The rule that was broken.
pub type Verdict = Result<(), &'static str>;

impl Observer {
    /// An officer's revocation is in the log.
    pub fn revoked(&mut self, unit: &UnitName, number: u32) {
        self.revoked.push((unit.clone(), number));
    }

    /// The case entered a state of which the manual says that no earlier consent counts, that all is recalled, or all that
    /// nobody has received.
    pub fn entered(&mut self, ends_consents: bool, recalls: bool, recalls_unreceived: bool) {
        for consent in self.consents.iter_mut().filter(|_| ends_consents) {
            consent.taken_back = true;
        }
        for disclosure in &mut self.disclosures {
            disclosure.recalled |= recalls || (recalls_unreceived && !disclosure.receipt);
        }
    }

    /// The engine accepted an act, signed by this officer (`None`: by the agent).
    pub fn accepted(&mut self, said: &Statement, signer: Option<(u32, OfficerRole)>) -> Verdict {
        if let Some((number, _)) = signer
            && self.is_revoked(&said.unit, number)
        {
            return Err("a revoked officer's act was accepted");
        }
        match &said.content {
            Content::Nothing | Content::Offer(..) => Ok(()),
            Content::Consent(terms) => self.consent(said, terms, signer),
            Content::Parcel(head) => self.parcel(said, &head.consent, &head.package, signer.is_some()),
            Content::Conditions(package) => self.conditions(said, package, signer),
            Content::Receipt(package) => self.receipt(said, package, signer.is_some()),
            Content::Validation(package) => self.validation(said, package, signer),
            Content::Recall => {
                for consent in self.consents.iter_mut().filter(|c| c.terms.provider == said.unit) {
                    consent.taken_back = true;
                }
                for disclosure in &mut self.disclosures {
                    disclosure.recalled = true;
                }
                if signer.is_none() { Err("an agent recalled by itself") } else { Ok(()) }
            }
            Content::Deletion => {
                let mut any = false;
                for one in self.disclosures.iter_mut().filter(|one| one.recalled) {
                    if self.consents[one.consent].terms.recipient == said.unit {
                        (one.deleted, any) = (true, true);
                    }
                }
                if any { Ok(()) } else { Err("a deletion of nothing that was recalled") }
            }
            Content::Journal => self.journal(said, signer.is_some()),
        }
    }

    fn is_revoked(&self, unit: &UnitName, number: u32) -> bool {
        self.revoked.iter().any(|(of, one)| of == unit && *one == number)
    }

    fn consent(&mut self, said: &Statement, terms: &Terms, signer: Option<(u32, OfficerRole)>) -> Verdict {
        let Some((number, role)) = signer else { return Err("an agent consented") };
        if role == OfficerRole::Mentor {
            return Err("a mentor consented");
        }
        if terms.provider != said.unit {
            return Err("a unit consented for another");
        }
        let id = terms.id();
        let by = (said.unit.clone(), number, role);
        match self.consents.iter_mut().find(|consent| consent.id == id) {
            Some(consent) if *consent.terms != *terms => return Err("two terms have one id"),
            Some(consent) => consent.signed.push(by),
            None => {
                let terms = Rc::new(terms.clone());
                self.consents.push(Consent { id, terms, signed: vec![by], taken_back: false });
            }
        }
        Ok(())
    }

    /// Whether a consent counts at this moment: two officers of the provider, the right roles, nobody revoked.
    fn counts(&self, consent: &Consent, said: &Statement) -> Verdict {
        let terms = &consent.terms;
        let other = if said.unit == said.low { &said.high } else { &said.low };
        if terms.provider != said.unit || terms.recipient != *other {
            return Err("the consent is not from this unit to its peer");
        }
        if terms.federation != said.federation || terms.accord != said.accord || terms.handle != said.handle {
            return Err("the consent is for another case");
        }
        if consent.taken_back {
            return Err("the consent was taken back");
        }
        if said.at_ms >= terms.until_ms {
            return Err("the consent has expired");
        }
        let needed = if terms.kind == ConsentKind::Urgent { OfficerRole::Head } else { OfficerRole::LegalOfficer };
        let stand = |by: &&(UnitName, u32, OfficerRole)| by.0 == said.unit && !self.is_revoked(&by.0, by.1);
        let standing: Vec<_> = consent.signed.iter().filter(stand).collect();
        let pair = standing.iter().any(|a| a.2 == needed && standing.iter().any(|b| b.1 != a.1));
        if pair { Ok(()) } else { Err("no two officers in standing, with the right roles, have consented") }
    }

    /// Whether this unit has a consent of this kind that counts at the moment of `said`.
    pub fn has_consent(&self, unit: &UnitName, kind: ConsentKind, said: &Statement) -> bool {
        let said = Statement { unit: unit.clone(), ..said.clone() };
        self.consents.iter().any(|consent| consent.terms.kind == kind && self.counts(consent, &said).is_ok())
    }

    /// Whether something was disclosed that nobody has received, and that was not taken back.
    pub fn leaves_unreceived(&self) -> bool {
        self.disclosures.iter().any(|one| !one.receipt && !one.recalled)
    }

    /// Whether something was recalled of which a deletion receipt is missing.
    pub fn owes_deletion(&self) -> bool {
        self.disclosures.iter().any(|one| one.recalled && !one.deleted)
    }

    fn parcel(&mut self, said: &Statement, consent: &Hash, package: &Hash, officer: bool) -> Verdict {
        if !officer {
            return Err("an agent disclosed by itself");
        }
        let at = self.consents.iter().position(|one| one.id == *consent).ok_or("a parcel without any consent")?;
        let found = &self.consents[at];
        self.counts(found, said)?;
        if found.terms.kind == ConsentKind::Journal {
            return Err("a parcel from a consent to a journal");
        }
        if found.terms.package != *package {
            return Err("a parcel of another package than the consent's");
        }
        if self.disclosures.iter().any(|one| one.consent == at) {
            return Err("two parcels from one consent");
        }
        self.disclosures.push(Disclosure {
            consent: at,
            at_ms: said.at_ms,
            conditions: false,
            receipt: false,
            validated: false,
            recalled: false,
            deleted: false,
        });
        Ok(())
    }

    fn conditions(&mut self, said: &Statement, package: &Hash, signer: Option<(u32, OfficerRole)>) -> Verdict {
        let Some((_, role)) = signer else { return Err("an agent accepted conditions") };
        let mut any = false;
        for disclosure in self.disclosures.iter_mut().filter(|one| !one.recalled) {
            let terms = &self.consents[disclosure.consent].terms;
            let head = terms.kind == ConsentKind::Urgent && role == OfficerRole::Head;
            let right = role == OfficerRole::LegalOfficer || head;
            if terms.package == *package && terms.recipient == said.unit && right {
                disclosure.conditions = true;
                any = true;
            }
        }
        if any { Ok(()) } else { Err("conditions of nothing, or by the wrong role") }
    }

    fn receipt(&mut self, said: &Statement, package: &Hash, officer: bool) -> Verdict {
        if !officer {
            return Err("an agent signed a receipt");
        }
        let mut any = false;
        for disclosure in self.disclosures.iter_mut().filter(|one| !one.recalled && one.conditions) {
            let terms = &self.consents[disclosure.consent].terms;
            if terms.package == *package && terms.recipient == said.unit {
                disclosure.receipt = true;
                any = true;
            }
        }
        if any { Ok(()) } else { Err("a receipt without conditions accepted by the right role") }
    }

    fn validation(&mut self, said: &Statement, package: &Hash, signer: Option<(u32, OfficerRole)>) -> Verdict {
        let Some((number, OfficerRole::LegalOfficer)) = signer else {
            return Err("validated by somebody who is no legal officer");
        };
        let mut any = false;
        for disclosure in self.disclosures.iter_mut().filter(|one| !one.recalled && !one.validated) {
            let consent = &self.consents[disclosure.consent];
            let ours = consent.terms.package == *package && consent.terms.provider == said.unit;
            let took_part = consent.signed.iter().any(|by| by.1 == number);
            let late = said.at_ms >= disclosure.at_ms + DAY_MS;
            if ours && consent.terms.kind == ConsentKind::Urgent && !took_part && !late {
                disclosure.validated = true;
                any = true;
            }
        }
        if any { Ok(()) } else { Err("a validation by one who took part, or too late, or of nothing urgent") }
    }

    fn journal(&self, said: &Statement, officer: bool) -> Verdict {
        if !officer {
            return Err("an agent wrote in the journal");
        }
        let ours = |c: &&Consent| c.terms.kind == ConsentKind::Journal && c.terms.provider == said.unit;
        let any = self.consents.iter().filter(ours).any(|consent| self.counts(consent, said).is_ok());
        if any { Ok(()) } else { Err("an entry in the journal without the unit's consent to it") }
    }

    /// Whether the rules allow that this unit reads this package at this time.
    pub fn may_open(&self, package: &Hash, unit: &UnitName, at_ms: u64) -> bool {
        self.disclosures.iter().any(|one| {
            let terms = &self.consents[one.consent].terms;
            let overdue = terms.kind == ConsentKind::Urgent && !one.validated && at_ms >= one.at_ms + DAY_MS;
            let right = terms.package == *package && terms.recipient == *unit;
            right && one.conditions && one.receipt && !one.recalled && !overdue
        })
    }

    /// What of the history still matters, for merging states that are the same.
    pub fn key(&self, now_ms: u64, out: &mut Vec<u8>) {
        for consent in &self.consents {
            out.push(u8::from(consent.taken_back) << 1 | u8::from(consent.terms.until_ms > now_ms));
            out.extend(consent.signed.iter().map(|by| by.1 as u8));
            out.push(0xff);
        }
        for one in &self.disclosures {
            let flags = [one.conditions, one.receipt, one.validated, one.recalled, one.deleted];
            out.push(flags.iter().fold(one.consent as u8, |sum, flag| sum << 1 | u8::from(*flag)));
        }
        let mut revoked: Vec<_> = self.revoked.iter().map(|(unit, number)| (unit.as_str(), *number)).collect();
        revoked.sort_unstable();
        out.extend(revoked.iter().flat_map(|(unit, number)| [unit.as_bytes()[0], *number as u8]));
    }
}
