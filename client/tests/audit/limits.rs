//! What a unit that exports its own bundle can hide, or say as it likes: docs/THREATS.md, section 5, names each, and so does the
//! report.

use crate::story::{GM, Story};
use client::audit::{Bundle, verify};

fn is_found(change: impl FnOnce(&mut Bundle)) -> bool {
    let story = Story::whole();
    let mut bundle = story.bundle.clone();
    change(&mut bundle);
    !verify(&bundle.sign(&story.keys[GM].signing)).verified
}

/// If one of these is found one day, the docs say too little: correct them.
#[test]
fn what_only_the_exporting_unit_s_word_stands_for() {
    let cut = |bundle: &mut Bundle| {
        let gone = bundle.cases[0].acts.pop().unwrap().entry;
        bundle.proofs.retain(|proof| proof.entry != gone);
    };
    assert!(!is_found(cut), "the end of a case; the other unit's bundle has it");
    let one_entry = |bundle: &mut Bundle| {
        let acts = &mut bundle.cases[4].acts;
        let gone = acts.remove(acts.len() - 2).entry;
        bundle.proofs.retain(|proof| proof.entry != gone);
    };
    assert!(!is_found(one_entry), "a unit's last act in a case, if it moved nothing: the only journal entry of GM");
    let whole_case = |bundle: &mut Bundle| {
        let case = bundle.cases.remove(3);
        bundle.proofs.retain(|proof| case.acts.iter().all(|act| act.entry != proof.entry));
    };
    assert!(!is_found(whole_case), "a whole case; the other unit's bundle has it");
    assert!(!is_found(|bundle| bundle.readings.clear()), "readings that are left out");
    assert!(!is_found(|bundle| bundle.copies.clear()), "copies that are left out");
    assert!(!is_found(|bundle| bundle.liftings.clear()), "an objection that no act shows, with its lifting");
    assert!(!is_found(|bundle| bundle.peers[0].evaluated = 0), "numbers of matching");
    assert!(!is_found(|bundle| bundle.made_ms += 1), "when it was made");
    let revocation = |bundle: &mut Bundle| {
        let gone = bundle.officers.pop().unwrap().entry;
        bundle.proofs.retain(|proof| proof.entry != gone);
    };
    assert!(!is_found(revocation), "the revocation of an officer who signed nothing after");
    let witness = |bundle: &mut Bundle| {
        let text = &mut bundle.checkpoints[0].text;
        *text = text.lines().filter(|line| !line.contains("/SN ")).map(|line| format!("{line}\n")).collect();
    };
    assert!(!is_found(witness), "the cosignature of another unit");
}

/// With a case that was opened under an accord that another had replaced; only who leaves the other out can hide it.
#[test]
fn a_later_accord_can_be_left_out() {
    let mut story = Story::new();
    story.handover();
    let (first, second) = (story.accord.clone(), story.amended());
    story.accord = second;
    story.sign_accord();
    (story.accord, story.tick) = (first, 1000);
    let case = story.open();
    story.simply(case, GM, crate::story::HEAD, "acknowledge");
    story.checkpoint();
    let codes = |bundle: Bundle| -> Vec<String> {
        let report = verify(&bundle.sign(&story.keys[GM].signing));
        report.findings.into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(story.bundle.clone()), ["case-accord"]);
    let mut hidden = story.bundle.clone();
    let gone = hidden.accords.pop().unwrap();
    let gone: Vec<u64> = gone.signatures.iter().chain([&gone.proposal]).map(|logged| logged.entry).collect();
    hidden.proofs.retain(|proof| !gone.contains(&proof.entry));
    assert_eq!(codes(hidden), [""; 0], "the other unit's bundle has it");
}

#[test]
fn what_is_left_out_shows_where_something_hangs_on_it() {
    let readings = |bundle: &mut Bundle| {
        // A recalled parcel whose copies were receipted, and are not noted any more: no exception, but the receipts show.
        bundle.copies.clear();
    };
    let story = Story::whole();
    let mut bundle = story.bundle.clone();
    readings(&mut bundle);
    let report = verify(&bundle.sign(&story.keys[GM].signing));
    assert!(report.exceptions.iter().any(|exception| exception.code == "copy-not-noted"), "the reading names the copy");
}
