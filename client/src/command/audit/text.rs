//! The report for people: what does not verify, what must be looked at, each disclosure, the certificate.
//!
//! Everything that came from a bundle is printed without what steers a terminal. Caller: `sutura audit`. *Not here:* the
//! words (language files).

use crate::audit::{Disclosure, Report, Signed};
use crate::command::overlap::words::code;
use crate::language::Messages;
use crate::say;
use crate::terminal::printable;

/// The whole text.
pub(super) fn write(report: &Report, messages: &Messages) -> String {
    let mut out = Lines { messages, text: String::new() };
    out.plain(&say!(
        messages,
        "audit-head",
        federation = printable(&report.federation),
        unit = report.unit.as_str(),
        made = report.made.to_string()
    ));
    if !report.findings.is_empty() {
        out.title("audit-findings");
        for finding in &report.findings {
            out.plain(&format!("  {} — {}", words("finding", &finding.code, messages), printable(&finding.place)));
        }
    }
    if !report.exceptions.is_empty() {
        out.title("audit-exceptions");
        for exception in &report.exceptions {
            let detail = if exception.detail.is_empty() { String::new() } else { format!(" ({})", exception.detail) };
            let told = words("exception", &exception.code, messages);
            out.plain(&format!("  {told} — {}{}", printable(&exception.place), printable(&detail)));
        }
    }
    for (number, disclosure) in (1_usize..).zip(&report.disclosures) {
        out.disclosure(number, report.disclosures.len(), disclosure);
    }
    out.objections(report);
    out.coverage(report);
    out.certificate(report);
    out.text
}

/// What a code means: its own words, or those of its family.
fn words(kind: &str, code: &str, messages: &Messages) -> String {
    let own = format!("{kind}-{code}");
    let family = format!("{kind}-{}", code.split('-').next().unwrap_or_default());
    let key = [own, family].into_iter().find(|key| messages.has(key));
    let told = messages.text(key.as_deref().unwrap_or("finding-other"));
    format!("{told} [{}]", printable(code))
}

struct Lines<'m> {
    messages: &'m Messages,
    text: String,
}

impl Lines<'_> {
    fn plain(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn title(&mut self, key: &str) {
        let title = self.messages.text(key);
        self.plain("");
        self.plain(&title);
    }

    fn line(&mut self, key: &str, value: &str) {
        let label = self.messages.text(&format!("audit-{key}"));
        self.plain(&format!("  {label}: {}", printable(value)));
    }

    fn maybe(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    fn signed(&self, signed: &Signed) -> String {
        let who = match (signed.officer, signed.unit.as_str()) {
            (None, "@time") => self.messages.text("audit-by-time"),
            (None, unit) => say!(self.messages, "audit-by-agent", unit = unit),
            (Some(number), unit) => {
                let name = signed.name.as_deref().unwrap_or_default();
                let role = signed.role.as_deref().unwrap_or("?");
                format!("{unit} {number} {name} ({role})")
            }
        };
        format!("{who}, {}", signed.at)
    }

    fn disclosure(&mut self, number: usize, count: usize, disclosure: &Disclosure) {
        self.plain("");
        self.plain(&say!(
            self.messages,
            "audit-disclosure",
            number = number,
            count = count,
            from = disclosure.from.as_str(),
            to = disclosure.to.as_str(),
            kind = self.messages.text(&format!("audit-kind-{}", disclosure.kind)),
            way = self.messages.text(&format!("audit-way-{}", disclosure.direction))
        ));
        self.line("overlap", &disclosure.overlap);
        self.maybe("package", disclosure.package.as_deref());
        for consent in &disclosure.consents {
            let attested = consent.attestations.join(", ");
            let attested = if attested.is_empty() { attested } else { format!("; {attested}") };
            self.line("consent", &format!("{}{attested}", self.signed(&consent.by)));
        }
        self.line("sealed", &self.signed(&disclosure.sealed));
        if let Some(entries) = disclosure.entries {
            self.line("entries", &entries.to_string());
        }
        self.validation(disclosure);
        if disclosure.package.is_some() {
            let none = self.messages.text("audit-none");
            let told = |signed: &Option<Signed>| signed.as_ref().map_or(none.clone(), |signed| self.signed(signed));
            let (conditions, receipt) = (told(&disclosure.conditions), told(&disclosure.receipt));
            self.line("conditions", &conditions);
            self.line("receipt", &receipt);
        }
        self.maybe("purpose", disclosure.purpose.as_deref());
        self.maybe("offence", disclosure.offence.as_deref());
        self.maybe("legal-basis", disclosure.legal_basis.as_deref());
        self.maybe("reference", disclosure.reference.as_deref());
        self.maybe("threat", disclosure.threat.as_deref());
        for field in &disclosure.fields {
            let mut handling = field.handling.join(" ");
            if let Some(restriction) = &field.restriction {
                handling = format!("{handling} ({restriction})");
            }
            let codes = format!("{}{}", field.source, field.information);
            let what =
                [&field.name, &field.category, &handling, &codes, &field.nature, &field.kind].map(String::as_str);
            self.line("field", &format!("{}; {}", what.join(", "), field.necessity));
        }
        for reading in &disclosure.readings {
            let copy = reading.copy.map(|copy| format!("; {}", say!(self.messages, "audit-copy-number", copy = copy)));
            let told = format!("{}: {}{}", self.signed(&reading.by), reading.why, copy.unwrap_or_default());
            self.line("reading", &told);
        }
        for copy in &disclosure.copies {
            let gone = copy.deleted.map(|at| format!(" → {at}")).unwrap_or_default();
            self.line("copy", &format!("{}, {}{gone}", copy.number, copy.at));
        }
        if let Some(recall) = &disclosure.recall {
            let reason = recall.reason.as_deref().map(|reason| format!("; {reason}")).unwrap_or_default();
            self.line("recall", &format!("{}{reason}", self.signed(&recall.by)));
        }
        for receipt in &disclosure.deletions {
            let copy = say!(self.messages, "audit-copy-number", copy = receipt.copy);
            self.line("deletion", &format!("{copy}, {}; {}", receipt.deleted, self.signed(&receipt.by)));
        }
        let signed = say!(self.messages, "audit-accord-signed", units = disclosure.manual.signed.join(", "));
        self.line("manual", &format!("{}, {}; {signed}", disclosure.manual.version, disclosure.manual.accord));
        for event in &disclosure.chain {
            let more = [event.offer.as_deref(), event.reason.as_deref()].into_iter().flatten();
            let more: String = more.map(|word| format!("; {word}")).collect();
            self.line("step", &format!("{}: {}{more} → {}", event.event, self.signed(&event.by), event.state));
        }
        match &disclosure.proof {
            Some(proof) if disclosure.proven => {
                let (entry, size) = (proof.entry, proof.checkpoint);
                let told =
                    say!(self.messages, "audit-proven", entry = entry, size = size, units = proof.witnesses.join(", "));
                self.line("proof", &told);
            }
            _ => self.line("proof", &self.messages.text("audit-not-proven")),
        }
    }

    fn validation(&mut self, disclosure: &Disclosure) {
        if disclosure.kind != "urgent" {
            return;
        }
        let told = match &disclosure.validation {
            Some(signed) => {
                let minutes = disclosure.validation_delay_s.unwrap_or_default() / 60;
                format!("{}; {}", self.signed(signed), say!(self.messages, "audit-delay", minutes = minutes))
            }
            None => self.messages.text("audit-none"),
        };
        self.line("validation", &told);
    }

    fn objections(&mut self, report: &Report) {
        if report.objections.is_empty() {
            return;
        }
        self.title("audit-objections");
        for objection in &report.objections {
            let told = match &objection.lifted {
                None => self.messages.text("audit-objection-stands"),
                Some(lifted) => {
                    let by = self.signed(&lifted.by);
                    say!(self.messages, "audit-objection-lifted", by = by, why = lifted.why.as_str())
                }
            };
            let rule = code(&objection.code, self.messages);
            let line = format!("  {}, {}: {rule} [{}] — {told}", objection.overlap, objection.entry, objection.code);
            self.plain(&printable(&line));
        }
    }

    fn coverage(&mut self, report: &Report) {
        let coverage = &report.coverage;
        self.title("audit-coverage");
        self.plain(&say!(
            self.messages,
            "audit-log",
            size = coverage.log_size,
            checkpoints = coverage.checkpoints,
            cases = coverage.cases,
            acts = coverage.acts,
            officers = coverage.officer_entries,
            unproven = coverage.without_proof.len()
        ));
        for peer in &coverage.peers {
            self.plain(&say!(
                self.messages,
                "audit-peer",
                unit = peer.unit.as_str(),
                evaluated = peer.evaluated,
                quota = peer.quota,
                compared = peer.compared,
                overlaps = peer.overlaps,
                epoch = coverage.epoch.unwrap_or_default()
            ));
        }
        self.title("audit-compare");
        for key in &report.keys {
            let until = key.until.map(|entry| say!(self.messages, "audit-key-until", entry = entry));
            let until = until.map(|until| format!("  ({until})")).unwrap_or_default();
            self.plain(&format!("  {:<10} {}{until}", printable(&key.of), key.fingerprint));
        }
        let limits = self.messages.text("audit-limits");
        self.plain(&limits);
    }

    fn certificate(&mut self, report: &Report) {
        let key = match (report.verified, report.nil, report.exceptions.is_empty()) {
            (false, _, _) => "audit-failed",
            (true, true, _) => "audit-nil",
            (true, false, true) => "audit-good",
            (true, false, false) => "audit-good-but",
        };
        self.plain("");
        self.plain(&say!(
            self.messages,
            key,
            unit = report.unit.as_str(),
            disclosures = report.disclosures.len(),
            exceptions = report.exceptions.len(),
            findings = report.findings.len()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    /// Every code that the audit's files write themselves, and every family of codes of package `protocol`.
    #[test]
    fn every_code_has_words_in_both_languages() {
        let sources = [
            include_str!("../../audit/members.rs"),
            include_str!("../../audit/accords.rs"),
            include_str!("../../audit/log.rs"),
            include_str!("../../audit/fold.rs"),
            include_str!("../../audit/fold/consents.rs"),
            include_str!("../../audit/disclosures.rs"),
            include_str!("../../audit/objections.rs"),
            include_str!("../../audit/verify.rs"),
        ];
        let quoted = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
        let is_code = |text: &&str| text.contains('-') && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let mut codes: Vec<&str> = quoted.filter(is_code).collect();
        assert!(codes.len() > 30, "{codes:?}");
        codes.extend(["envelope-body", "act-place", "case-round", "manual-role", "consent-roles", "parcel-none"]);
        codes.extend(["validation-took-part", "matter-name", "officer-key", "roster-malformed", "accord-term"]);
        codes.extend(["bundle-signature", "key-not-trusted"]);
        for language in [Language::En, Language::Fr] {
            let messages = Messages::new(language);
            let other = messages.text("finding-other");
            for code in &codes {
                assert!(!words("finding", code, &messages).starts_with(&other), "{code}");
            }
            for code in crate::audit::EXCEPTIONS {
                assert!(messages.has(&format!("exception-{code}")), "{code}");
            }
        }
    }
}
