//! What a report says of a history that holds.

use crate::story::{GM, HEAD, HOUR, INVESTIGATOR, LEGAL, SN, Story};
use client::audit::{Report, SignedBundle, verify};
use protocol::act::{Content, Outcome};
use protocol::consent::ConsentKind;
use protocol::lifting::Objected;
use protocol::officer::OfficerRole;

fn audited(story: &Story) -> Report {
    let file = story.bundle.clone().sign(&story.keys[GM].signing).encode();
    verify(&SignedBundle::decode(&file).unwrap())
}

fn codes(report: &Report) -> Vec<&str> {
    report.exceptions.iter().map(|exception| exception.code.as_str()).collect()
}

#[test]
fn everything_that_happened_is_told_and_verifies() {
    assert_eq!(codes(&audited(&Story::whole())), ["objection-lifted"]);
    let story = Story::calm();
    let report = audited(&story);
    assert_eq!(report.findings, [], "nothing was changed");
    assert_eq!(codes(&report), [""; 0], "{:?}", report.exceptions);
    assert!(report.verified && !report.nil);
    let kinds: Vec<(&str, &str, &str)> =
        report.disclosures.iter().map(|d| (d.kind.as_str(), d.from.as_str(), d.direction.as_str())).collect();
    let given = [
        ("parcel", "SN", "received"),
        ("urgent", "GM", "given"),
        ("parcel", "SN", "received"),
        ("journal", "SN", "received"),
        ("journal", "GM", "given"),
    ];
    assert_eq!(kinds, given);

    let handed = &report.disclosures[0];
    let fields: Vec<&str> = handed.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["phone", "full_name"]);
    assert_eq!(handed.fields[0].handling, ["H1", "H2"]);
    assert_eq!(handed.offence.as_deref(), Some("trafficking in persons"));
    assert_eq!(handed.reference.as_deref(), Some("RP 17/2026"));
    let by: Vec<_> = handed.consents.iter().map(|c| (c.by.role.as_deref(), c.by.name.as_deref())).collect();
    assert_eq!(by, [(Some("head"), Some("Officer 0 2")), (Some("legal-officer"), Some("Officer 0 3"))]);
    assert_eq!(handed.consents[1].attestations.len(), 7);
    assert_eq!(handed.receipt.as_ref().unwrap().name.as_deref(), Some("Officer 1 1"));
    assert_eq!(handed.readings[0].why, "to prepare the hearing");
    assert_eq!(handed.proof.as_ref().unwrap().witnesses, ["GM", "SN"]);
    assert!(handed.proven);
    assert_eq!(handed.chain.len(), 11);

    let urgent = &report.disclosures[1];
    assert_eq!(urgent.validation_delay_s, Some(3 * HOUR / 1000));
    assert_eq!(urgent.threat.as_deref(), Some("an armed man was seen"));

    let recalled = &report.disclosures[2];
    assert_eq!(recalled.recall.as_ref().unwrap().reason.as_deref(), Some("other"));
    assert_eq!(recalled.deletions.iter().map(|receipt| receipt.copy).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(recalled.copies.len(), 1);
    assert_eq!(report.disclosures[3].entries, Some(2));
    assert_eq!(report.coverage.peers[0].evaluated, 512);
    assert_eq!(report.keys.iter().map(|key| key.of.as_str()).collect::<Vec<_>>(), ["@broker", "GM", "SN"]);
}

#[test]
fn neither_the_bundle_nor_the_report_holds_a_value_or_a_journal_entry() {
    let story = Story::whole();
    let file = story.bundle.clone().sign(&story.keys[GM].signing).encode();
    let json = serde_json::to_string(&audited(&story)).unwrap().into_bytes();
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for secret in ["+221770000001", "Planted-Value", "Planted-Journal"] {
        assert!(!holds(&file, secret), "{secret}");
        assert!(!holds(&json, secret), "{secret}");
    }
    assert!(holds(&file, "trafficking in persons"), "the search finds what is there");
}

#[test]
fn with_nothing_disclosed_there_is_a_nil_certificate() {
    let mut story = Story::new();
    story.refusal();
    story.checkpoint();
    let report = audited(&story);
    assert!(report.verified && report.nil);
    assert_eq!(report.disclosures, []);
}

#[test]
fn exceptions_are_told() {
    let mut story = Story::new();
    // Sealed, and never opened.
    let case = story.meet();
    story.agree(case, Outcome::Handover, SN);
    story.seal(case, SN);
    // Read without a reason, copied without a note, recalled, and not deleted in time.
    let (case, package) = story.handover();
    story.read(case, package, " ", Some(1));
    story.bundle.copies.clear();
    story.with_reason(case, SN, HEAD, "withdraw", Content::Recall);
    story.read(case, package, "once more", None);
    story.expire(case);
    // Urgent, and not validated in time.
    let (case, _) = story.urgent();
    story.expire(case);
    let entry = story.bundle.cases[0].acts[0].entry;
    let objected = Objected { entry, code: "matter-openings".to_owned() };
    story.bundle.cases[0].objections.push(objected);
    story.checkpoint();
    // After the last checkpoint.
    let case = story.open();
    story.simply(case, GM, INVESTIGATOR, "acknowledge");
    let report = audited(&story);
    assert_eq!(report.findings, []);
    let told = [
        "deletion-overdue",
        "deletion-overdue",
        "urgent-without-validation",
        "reading-unjustified",
        "reading-out-of-time",
        "copy-not-noted",
        "objection",
        "receipt-missing",
        "without-proof",
    ];
    assert_eq!(codes(&report), told, "{:#?}", report.exceptions);
}

/// SN's head accepts a mutual handover in a way that breaks a guard of the parties; GM objects, lifts, and gives.
fn objected(lift: impl FnOnce(&mut Story, usize, Vec<Objected>)) -> Story {
    let mut story = Story::new();
    let case = story.meet();
    let mut matter = story.matter();
    matter.fields = story.manifest(case, GM).field_lines();
    story.act(case, GM, INVESTIGATOR, "propose", Content::Offer(Outcome::Mutual, None), matter);
    let mut matter = story.matter();
    matter.reason = Some("no-code-of-the-manual".to_owned());
    story.act(case, SN, HEAD, "accept", Content::Nothing, matter);
    let entry = story.bundle.cases[case].acts.last().unwrap().entry;
    lift(&mut story, case, vec![Objected { entry, code: "matter-asks".to_owned() }]);
    let (terms, openings) = story.terms(case, GM, ConsentKind::Parcel);
    let matter = story.attested(openings);
    story.act(case, GM, HEAD, "consent", Content::Consent(terms), matter);
    story.checkpoint();
    story
}

#[test]
fn a_lifted_objection_is_told_with_who_when_and_why() {
    let told = |report: &Report| -> Vec<String> { report.findings.iter().map(|one| one.code.clone()).collect() };
    let why = "a slip of the pen; they confirmed it by telephone";
    let report = audited(&objected(|story, case, stood| story.lift(case, LEGAL, stood, why)));
    assert_eq!(told(&report), ["matter-asks"], "the act itself stays what it is");
    assert_eq!(codes(&report), ["objection-lifted"]);
    let [objection] = &report.objections[..] else { panic!("{:?}", report.objections) };
    let lifted = objection.lifted.as_ref().unwrap();
    assert_eq!((objection.code.as_str(), lifted.why.as_str()), ("matter-asks", why));
    assert_eq!(
        (lifted.by.unit.as_str(), lifted.by.officer, lifted.by.role.as_deref()),
        ("GM", Some(3), Some("legal-officer"))
    );

    let standing = audited(&objected(|story, case, stood| story.bundle.cases[case].objections = stood));
    assert_eq!(codes(&standing), ["given-under-objection", "objection"], "it gave all the same");
    let late = objected(|story, case, stood| {
        story.lift(case, LEGAL, stood, why);
        story.cases[case].at_ms -= 3 * HOUR;
        story.cases[case].at_ms = story.cases[case].at_ms.max(story.cases[case].case.last_ms());
        let lifting = story.bundle.liftings.pop().unwrap().lifting;
        let lifting = protocol::lifting::Lifting { at_ms: lifting.at_ms + 9 * HOUR, ..lifting };
        story.bundle.liftings.push(lifting.sign(&story.people[&(GM, LEGAL)].key));
    });
    assert_eq!(codes(&audited(&late)), ["given-under-objection", "objection-lifted"]);
}

#[test]
fn an_objection_is_neither_left_out_nor_lifted_by_anybody() {
    let found = |story: &Story, code: &str| {
        let report = audited(story);
        assert!(report.findings.iter().any(|finding| finding.code == code), "{code}: {:?}", report.findings);
    };
    found(&objected(|_, _, _| {}), "objection-missing");
    found(&objected(|story, case, stood| story.lift(case, INVESTIGATOR, stood, "x")), "lifting-signature");
    found(&objected(|story, case, stood| story.lift(case, LEGAL, stood, " ")), "lifting-place");
    let both = objected(|story, case, stood| {
        story.bundle.cases[case].objections = stood.clone();
        story.lift(case, LEGAL, stood, "x");
    });
    found(&both, "objection-twice");
    let own = objected(|story, case, mut stood| {
        stood.push(Objected { entry: story.bundle.cases[case].acts[1].entry, code: "matter-asks".to_owned() });
        story.bundle.cases[case].objections = stood;
    });
    found(&own, "objection-place");
    let mut changed = objected(|story, case, stood| story.lift(case, LEGAL, stood, "x"));
    changed.bundle.liftings[0].lifting.why = "y".to_owned();
    found(&changed, "lifting-signature");
}

#[test]
fn one_person_under_two_numbers_is_told() {
    let mut story = Story::new();
    story.hire(SN, 5, OfficerRole::LegalOfficer, "officer 0  2");
    let case = story.meet();
    story.agree(case, Outcome::Handover, SN);
    let (terms, openings) = story.terms(case, SN, ConsentKind::Parcel);
    for officer in [HEAD, 5] {
        let matter = story.attested(openings.clone());
        story.act(case, SN, officer, "consent", Content::Consent(terms.clone()), matter);
    }
    let (head, matter) = (story.head_of(&terms), story.matter());
    story.act(case, SN, HEAD, "seal", Content::Parcel(Box::new(head)), matter);
    story.receive(case, GM, terms.package);
    story.checkpoint();
    let report = audited(&story);
    assert_eq!(report.findings, []);
    assert_eq!(codes(&report), ["role-conflict"]);
}

/// R7: keys hold from their entry of the log to the next one, and nobody whom older keys certified signs any more.
#[test]
fn a_change_of_keys_is_folded_where_the_log_has_it() {
    for unit in [SN, GM] {
        let mut story = Story::new();
        story.handover();
        story.checkpoint();
        story.rekey(unit);
        story.hire(unit, 5, OfficerRole::Head, "A new head");
        let case = story.open();
        story.simply(case, unit, 5, "acknowledge");
        story.simply(case, 1 - unit, HEAD, "acknowledge");
        story.checkpoint();
        let report = audited(&story);
        assert_eq!(report.findings, [], "each envelope under the keys of its time");
        assert_eq!(codes(&report), [""; 0]);
        assert_eq!(report.disclosures.len(), 1);
        let keys: Vec<(&str, bool)> = report.keys.iter().map(|key| (key.of.as_str(), key.until.is_some())).collect();
        let name = story.units[unit].as_str();
        assert_eq!(keys.iter().filter(|(of, _)| *of == name).count(), 2, "both can be compared: {keys:?}");
        assert_eq!(keys.iter().filter(|(_, replaced)| *replaced).count(), 1);

        // Left out, it shows in what the new keys signed.
        let mut hidden = story.bundle.clone();
        let gone = hidden.roster.pop().unwrap().entry;
        hidden.proofs.retain(|proof| proof.entry != gone);
        assert!(!verify(&hidden.sign(&story.keys[GM].signing)).verified);
    }
}

#[test]
fn an_officer_whom_older_keys_certified_signs_nothing_more() {
    let mut story = Story::new();
    let certified_before = story.officers.clone();
    story.rekey(SN);
    // Whoever folds no change of keys takes this act.
    story.officers = certified_before;
    let case = story.open();
    story.simply(case, SN, HEAD, "acknowledge");
    story.checkpoint();
    let found: Vec<String> = audited(&story).findings.into_iter().map(|finding| finding.code).collect();
    assert_eq!(found, ["act-signature"]);
}

/// R29: a case is opened under the accord in force, which all have signed; the audit sees both from the log.
#[test]
fn the_accord_of_a_case_was_signed_by_all_and_in_force() {
    let opened = |tick: u64, under_second: bool, signed_by_both: bool| {
        let mut story = Story::new();
        story.handover();
        let (first, second) = (story.accord.clone(), story.amended());
        story.accord = second.clone();
        story.sign_accord();
        if !signed_by_both {
            story.bundle.accords[1].signatures.pop();
        }
        story.accord = if under_second { second } else { first };
        story.tick = tick;
        let case = story.open();
        story.simply(case, GM, HEAD, "acknowledge");
        story.checkpoint();
        let report = audited(&story);
        let signed: Vec<String> = report.disclosures[0].manual.signed.clone();
        assert_eq!(signed, ["GM", "SN"]);
        report.findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
    };
    assert_eq!(opened(999, false, true), [""; 0], "the second has not begun");
    assert_eq!(opened(1000, true, true), [""; 0]);
    assert_eq!(opened(1000, false, true), ["case-accord"]);
    assert_eq!(opened(999, true, true), ["case-accord"]);
    assert_eq!(opened(1000, false, false), [""; 0], "without GM's signature the first stays in force");
    assert_eq!(opened(1000, true, false), ["accord-not-agreed"]);
}
