//! The model checker of the consent kernel and the manual engine, on the real engine (R29, R30, R32, R33).
//!
//! It explores, breadth first, the cases of two units with two to three officers each: proposals of each outcome,
//! counter-offers, refusals, consents of every officer over different packages with different expiries, parcels of each
//! package from each consent, conditions, receipts, validation, journal, withdrawal and recall, deletion, revocation of
//! officers, passing time, replay, acts in another order and acts lost in a crash. After every accepted act an
//! [`observer`], which is written from the rules and sees the sequence of accepted acts only, says whether a rule is
//! broken. The same is done under manuals that permit everything to everybody.
//!
//! Each test prints what it explored and asserts a minimum, so that it cannot become empty unseen.
//!
//! To see that it catches faults: [`observer_controls`] breaks each rule by hand, and `consent_model/MUTANTS.md`
//! lists the faults that were planted in the engine, one at a time, and what caught each.

#[path = "consent_model/explore.rs"]
mod explore;
#[path = "consent_model/observer.rs"]
mod observer;
#[path = "consent_model/observer_controls.rs"]
mod observer_controls;
#[path = "consent_model/world.rs"]
mod world;

use explore::{Explorer, Letter, Scenario, Tally, What};
use protocol::act::Outcome;
use protocol::consent::ConsentKind::{self, Journal, Parcel, Urgent};
use protocol::manual::{DEFAULT, Manual};
use protocol::officer::OfficerRole::{self, Head, Investigator, LegalOfficer, Mentor};
use std::collections::BTreeSet;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const A: u8 = 0;
const B: u8 = 1;
/// Officers' numbers, by their place in [`three`] and [`two`].
const HEAD: u8 = 1;
const LEGAL: u8 = 2;

fn three() -> Vec<OfficerRole> {
    vec![Head, LegalOfficer, LegalOfficer]
}

fn two() -> Vec<OfficerRole> {
    vec![Head, LegalOfficer]
}

fn letter(unit: u8, kind: ConsentKind, package: u8, life_ms: u64) -> Letter {
    Letter { unit: usize::from(unit), kind, package, life_ms }
}

fn default_manual() -> Manual {
    let table: toml::Table = toml::from_str(DEFAULT).unwrap();
    Manual::read(table["manual"].as_table().unwrap()).unwrap()
}

fn hostile(text: &str) -> Manual {
    let table: toml::Table = toml::from_str(text).unwrap();
    Manual::hazmat_read_unchecked(table["manual"].as_table().unwrap()).unwrap()
}

type Steps = Vec<(u8, u8, &'static str, What)>;

/// Both know, both think it is the same, A makes the first offer and B accepts: two officers consent next.
fn agreed() -> Steps {
    vec![
        (A, HEAD, "acknowledge", What::Nothing),
        (B, HEAD, "acknowledge", What::Nothing),
        (A, HEAD, "same", What::Nothing),
        (B, HEAD, "same", What::Nothing),
        (A, HEAD, "propose", What::Offer(0)),
        (B, HEAD, "accept", What::Nothing),
    ]
}

const SEPARATE: (Outcome, Option<usize>) = (Outcome::Separate, None);
const HANDOVER: (Outcome, Option<usize>) = (Outcome::Handover, Some(0));
const HANDOVER_BACK: (Outcome, Option<usize>) = (Outcome::Handover, Some(1));
const MUTUAL: (Outcome, Option<usize>) = (Outcome::Mutual, None);
const JOINT: (Outcome, Option<usize>) = (Outcome::Joint, None);

/// Under the default manual, with the offers that these tests use.
fn scenario(name: &'static str, offers: &[(Outcome, Option<usize>)], letters: &[Letter], prefix: Steps) -> Scenario {
    Scenario {
        name,
        manual: default_manual(),
        roles: [two(), two()],
        letters: letters.to_vec(),
        offers: offers.to_vec(),
        prefix,
        depth: 6,
        ticks: 2,
        revocations: 1,
        again: 2,
        checked: true,
    }
}

fn run(mut scenario: Scenario, least: usize) -> Tally {
    scenario.depth = scenario.depth.saturating_add_signed(deeper());
    let (name, depth) = (scenario.name, scenario.depth);
    let begun = std::time::Instant::now();
    let mut explorer = Explorer::new(scenario);
    explorer.run(2_000_000, 50);
    let tally = explorer.tally;
    println!(
        "{name}: {} states, {} transitions of {} attempts, {} logs folded again, to depth {depth}{}, {:?}",
        tally.states,
        tally.transitions,
        tally.attempts,
        tally.refolds,
        if tally.complete { "" } else { " (cut)" },
        begun.elapsed()
    );
    println!("  accepted {:?}; refused {:?}; opens {}", tally.accepted, tally.refused, tally.opened);
    assert!(tally.complete, "{name}: bounds that are too wide");
    assert!(tally.states >= least || deeper() < 0, "{name}: only {} states", tally.states);
    tally
}

/// More moves than usual: `SUTURA_MODEL_DEEPER=2 cargo test --release -p protocol --test consent_model`. Fewer (-1), when
/// faults are planted in the engine: then no minimum is asserted.
fn deeper() -> i32 {
    std::env::var("SUTURA_MODEL_DEEPER").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn saw(tally: &Tally, words: &[&str]) {
    for word in words {
        assert!(tally.accepted.contains_key(word) || deeper() < 0, "no {word} was ever accepted");
    }
}

fn tried(tally: &Tally, codes: &[&str]) {
    for code in codes {
        assert!(tally.refused.contains_key(code) || deeper() < 0, "nothing was ever refused as {code}");
    }
}

fn opens(tally: &Tally) {
    assert!(tally.opened > 0 || deeper() < 0, "nothing was ever opened");
}

fn x() -> Letter {
    letter(A, Parcel, 1, HOUR)
}

fn y() -> Letter {
    letter(A, Parcel, 2, 20 * DAY)
}

fn z() -> Letter {
    letter(B, Parcel, 3, 20 * DAY)
}

/// A handover of `y` after [`agreed`], up to the receipt.
fn handed_over() -> Steps {
    let more = [
        (A, HEAD, "consent", What::New(0)),
        (A, LEGAL, "consent", What::Again(0)),
        (A, HEAD, "seal", What::Seal(0, 2)),
        (B, LEGAL, "conditions", What::Conditions(2)),
        (B, HEAD, "receive", What::Receipt(2)),
    ];
    [agreed(), more.to_vec()].concat()
}

/// [`agreed`], then head and legal officer of these units consent to these letters.
fn consents(letters: &[(u8, u8)]) -> Steps {
    let mut out = agreed();
    for (at, (unit, letter)) in letters.iter().enumerate() {
        out.push((*unit, HEAD, "consent", What::New(*letter)));
        out.push((*unit, LEGAL, "consent", What::Again(at as u8)));
    }
    out
}

#[test]
fn talks_of_every_kind() {
    let all = [SEPARATE, HANDOVER, HANDOVER_BACK, MUTUAL, JOINT];
    let tally = run(Scenario { depth: 10, ticks: 3, revocations: 0, ..scenario("talks", &all, &[y()], vec![]) }, 2_000);
    saw(&tally, &["nothing", "offer", "consent", "parcel"]);
}

#[test]
fn three_officers_two_packages_two_expiries() {
    let x_long = Letter { life_ms: 20 * DAY, ..x() };
    let scenario = scenario("handover", &[HANDOVER], &[x(), x_long, y()], agreed());
    let tally = run(Scenario { roles: [three(), two()], depth: 5, ..scenario }, 10_000);
    saw(&tally, &["consent", "parcel", "conditions", "recall"]);
    tried(&tally, &["consent-expired", "consent-other-package", "consent-incomplete", "consent-withdrawn"]);
    tried(&tally, &["consent-used", "consent-same-officer"]);
}

#[test]
fn a_parcel_to_its_end() {
    let mut prefix = agreed();
    prefix.extend([(A, HEAD, "consent", What::New(0)), (A, LEGAL, "consent", What::Again(0))]);
    let tally = run(Scenario { depth: 8, ..scenario("authorised", &[HANDOVER], &[y(), x()], prefix) }, 5_000);
    saw(&tally, &["parcel", "conditions", "receipt", "recall", "deletion"]);
    opens(&tally);
}

#[test]
fn each_hands_over() {
    let tally = run(Scenario { depth: 7, ..scenario("mutual", &[MUTUAL], &[y(), z()], agreed()) }, 5_000);
    saw(&tally, &["consent", "parcel"]);
}

/// A mutual handover of which one parcel is sealed.
fn half_sealed() -> Steps {
    [consents(&[(A, 0), (B, 1)]), vec![(A, HEAD, "seal", What::Seal(0, 2))]].concat()
}

/// The same, and then one unit gives it up: the parcel is taken back, and its receipt is outstanding.
fn taken_back() -> Steps {
    [half_sealed(), vec![(B, LEGAL, "cancel", What::Nothing)]].concat()
}

#[test]
fn a_mutual_handover_that_falls_after_one_seal_leaves_nothing_sealed() {
    // What holds of every state (`judge_state`): time alone takes back whatever nobody received.
    let tally =
        run(Scenario { depth: 6, ticks: 3, ..scenario("half sealed", &[MUTUAL], &[y(), z()], half_sealed()) }, 2_000);
    saw(&tally, &["parcel", "conditions", "recall", "deletion"]);
    let again = [MUTUAL, HANDOVER, HANDOVER_BACK];
    let tally = run(Scenario { depth: 6, ..scenario("taken back", &again, &[y(), z()], taken_back()) }, 1_000);
    saw(&tally, &["offer", "consent", "deletion"]);
    // Nobody opens what was taken back.
    tried(&tally, &["parcel-not-open"]);
}

#[test]
fn talks_after_a_handover() {
    let tally = run(scenario("handed-over", &[HANDOVER, HANDOVER_BACK], &[y(), z()], handed_over()), 2_000);
    saw(&tally, &["offer", "consent", "recall", "deletion"]);
    opens(&tally);
}

#[test]
fn they_work_together() {
    let journals = [letter(A, Journal, 0, 10 * DAY), letter(B, Journal, 0, HOUR), y()];
    let prefix = consents(&[(A, 0), (B, 1)]);
    let tally = run(scenario("joint", &[JOINT], &journals, prefix), 5_000);
    saw(&tally, &["consent", "journal", "parcel", "conditions", "receipt", "recall", "deletion"]);
    tried(&tally, &["consent-expired"]);
    let begun = run(Scenario { depth: 5, ..scenario("joint consents", &[JOINT], &journals, agreed()) }, 1_000);
    saw(&begun, &["consent", "journal"]);
}

#[test]
fn a_threat_to_life() {
    let urgent = [letter(A, Urgent, 1, HOUR), letter(A, Urgent, 2, 20 * DAY)];
    let prefix = vec![(A, HEAD, "urgent", What::Nothing)];
    let scenario = scenario("urgent", &[HANDOVER], &urgent, prefix);
    let tally = run(Scenario { roles: [three(), two()], depth: 6, ..scenario }, 5_000);
    saw(&tally, &["urgent-consent", "parcel", "conditions", "receipt", "validation", "recall"]);
    tried(&tally, &["validation-took-part"]);
    opens(&tally);
}

#[test]
fn no_consent_is_left_over_from_an_earlier_agreement() {
    // Two consents of A's, one of which is used; then new talks.
    let mut mutual = consents(&[(A, 0), (A, 1), (B, 2)]);
    mutual.extend([
        (A, HEAD, "seal", What::Seal(0, 2)),
        (B, HEAD, "seal", What::Seal(2, 3)),
        (A, LEGAL, "conditions", What::Conditions(3)),
        (B, LEGAL, "conditions", What::Conditions(2)),
        (A, HEAD, "receive", What::Receipt(3)),
        (B, HEAD, "receive", What::Receipt(2)),
    ]);
    let x_long = Letter { life_ms: 20 * DAY, ..x() };
    run(Scenario { depth: 3, ..scenario("left over", &[MUTUAL], &[y(), x_long, z()], mutual) }, 50);
    // Two urgent consents, one of which is used; the other would be a way around the legal officer.
    let urgent = [letter(A, Urgent, 1, 20 * DAY), letter(A, Urgent, 2, 20 * DAY), z()];
    let prefix = vec![
        (A, HEAD, "urgent", What::Nothing),
        (A, HEAD, "urgent-consent", What::New(0)),
        (A, LEGAL, "urgent-consent", What::Again(0)),
        (A, HEAD, "urgent-consent", What::New(1)),
        (A, LEGAL, "urgent-consent", What::Again(1)),
        (A, HEAD, "seal", What::Seal(0, 1)),
        (A, 3, "validate", What::Validation(1)),
        (A, HEAD, "propose", What::Offer(0)),
        (B, HEAD, "accept", What::Nothing),
        (B, HEAD, "consent", What::New(2)),
        (B, LEGAL, "consent", What::Again(2)),
    ];
    let scenario = scenario("left over, urgent", &[HANDOVER_BACK], &urgent, prefix);
    run(Scenario { roles: [three(), two()], depth: 2, ..scenario }, 20);
}

// --- Hostile manuals -------------------------------------------------------------------------------------------------

const ALL: &str = "'agent', 'investigator', 'contact', 'head', 'legal-officer', 'magistrate', 'mentor'";
const ONE_STATE: &str = "[manual]\nversion = 'h'\nfirst = 's'\n[[manual.state]]\nid = 's'\n";
const WORDS: [&str; 11] = [
    "nothing",
    "offer",
    "consent",
    "urgent-consent",
    "parcel",
    "conditions",
    "receipt",
    "validation",
    "recall",
    "deletion",
    "journal",
];

/// A step for each thing that an act can carry, without any guard.
fn everything(from: &str, by: &str, to: &str) -> String {
    let mut text = String::new();
    for word in WORDS {
        let carries = if word == "nothing" { String::new() } else { format!("carries = '{word}'\n") };
        text += &format!("[[manual.step]]\nfrom = [{from}]\nevent = '{word}'\nby = [{by}]\n{carries}{to}\n");
    }
    text
}

fn hostile_scenario(name: &'static str, text: &str, last: OfficerRole) -> Scenario {
    let letters = [x(), y(), letter(A, Urgent, 1, 20 * DAY), letter(A, Journal, 0, HOUR)];
    Scenario {
        manual: hostile(text),
        roles: [vec![Head, LegalOfficer, last], two()],
        depth: 4,
        again: 1,
        checked: false,
        ..scenario(name, &[MUTUAL], &letters, vec![])
    }
}

#[test]
fn a_manual_that_permits_everything_to_everybody() {
    let text = format!("{ONE_STATE}{}", everything("'s'", ALL, ""));
    let tally = run(hostile_scenario("all to all", &text, Mentor), 2_000);
    saw(&tally, &["consent", "urgent-consent", "parcel", "conditions", "journal", "recall"]);
    let prefix = vec![(A, HEAD, "urgent-consent", What::New(0)), (A, LEGAL, "urgent-consent", What::Again(0))];
    let urgent = Scenario {
        roles: [three(), two()],
        letters: vec![letter(A, Urgent, 1, 3 * DAY), y()],
        prefix,
        depth: 5,
        ..hostile_scenario("all to all, urgent", &text, LegalOfficer)
    };
    let tally = run(urgent, 2_000);
    saw(&tally, &["parcel", "conditions", "receipt", "validation", "recall", "deletion"]);
    opens(&tally);
}

#[test]
fn a_manual_whose_limits_disclose() {
    let text = format!(
        "{ONE_STATE}limit = '1h'\n[[manual.state]]\nid = 'd'\nlimit = '1h'\ndiscloses = true\n\
         [[manual.step]]\nfrom = ['s']\nevent = 'timeout'\nby = ['clock']\nto = 'd'\n\
         [[manual.step]]\nfrom = ['d']\nevent = 'timeout'\nby = ['clock']\nto = 's'\n{}",
        everything("'s', 'd'", ALL, "")
    );
    let tally = run(Scenario { ticks: 3, ..hostile_scenario("limits disclose", &text, Mentor) }, 2_000);
    saw(&tally, &["consent", "parcel"]);
}

#[test]
fn a_manual_whose_mentor_and_agent_disclose() {
    let text = format!("{ONE_STATE}{}", everything("'s'", "'mentor', 'agent'", ""));
    let tally = run(Scenario { depth: 6, ..hostile_scenario("mentor and agent", &text, Mentor) }, 2);
    assert!(!tally.accepted.contains_key("consent") && !tally.accepted.contains_key("parcel"));
    tried(&tally, &["consent-roles"]);
}

#[test]
fn a_manual_whose_acknowledgement_carries_a_parcel() {
    let text = format!(
        "{ONE_STATE}limit = '9h'\n[[manual.state]]\nid = 'd'\nlimit = '9h'\ndiscloses = true\n\
         [[manual.step]]\nfrom = ['s', 'd']\nevent = 'acknowledge'\nby = [{ALL}]\ncarries = 'parcel'\nto = 'd'\n\
         [[manual.step]]\nfrom = ['s', 'd']\nevent = 'same'\nby = [{ALL}]\ncarries = 'parcel'\nwhen = 'both-units'\nto = 's'\n\
         [[manual.state]]\nid = 'r'\nlimit = '9h'\nrecalls = true\n\
         [[manual.step]]\nfrom = ['s', 'd']\nevent = 'resume'\nby = [{ALL}]\nto = 'r'\n\
         [[manual.step]]\nfrom = ['s', 'd', 'r']\nevent = 'timeout'\nby = ['clock']\nto = 'd'\n{}",
        everything("'s', 'd', 'r'", ALL, "to = 'd'")
    );
    let letters = vec![y(), z()];
    let tally = run(Scenario { letters, ..hostile_scenario("acknowledged", &text, Investigator) }, 2_000);
    saw(&tally, &["consent", "parcel"]);
    let prefix = vec![
        (A, HEAD, "consent", What::New(0)),
        (A, LEGAL, "consent", What::Again(0)),
        (A, HEAD, "acknowledge", What::Seal(0, 2)),
        (B, LEGAL, "conditions", What::Conditions(2)),
        (B, HEAD, "receipt", What::Receipt(2)),
    ];
    let letters = vec![y()];
    let opened = run(Scenario { letters, prefix, depth: 2, ..hostile_scenario("recalled", &text, Investigator) }, 20);
    opens(&opened);
}

/// [`taken_back`], and then on to every state in which the receipt can come.
fn deletions_wherever_the_case_is() -> Vec<Scenario> {
    let offers = [MUTUAL, SEPARATE, HANDOVER, JOINT];
    let journals = [letter(A, Journal, 0, 20 * DAY), letter(B, Journal, 0, 20 * DAY)];
    let letters = [vec![y(), z()], journals.to_vec(), vec![letter(A, Urgent, 4, 9 * DAY)]].concat();
    let on = |more: &[(u8, u8, &'static str, What)]| [taken_back(), more.to_vec()].concat();
    let agreed = |offer| [(A, HEAD, "propose", What::Offer(offer)), (B, HEAD, "accept", What::Nothing)];
    let both = |at: u8, unit: u8, letter: u8| {
        [(unit, HEAD, "consent", What::New(letter)), (unit, LEGAL, "consent", What::Again(at))]
    };
    let handover = [&agreed(2)[..], &both(2, A, 0)].concat();
    let sealed = [&handover[..], &[(A, HEAD, "seal", What::Seal(2, 2))]].concat();
    let received =
        [&sealed[..], &[(B, LEGAL, "conditions", What::Conditions(2)), (B, HEAD, "receive", What::Receipt(2))]]
            .concat();
    let joint = [&agreed(3)[..], &both(2, A, 2), &both(3, B, 3)].concat();
    let urgent = vec![
        (A, HEAD, "urgent", What::Nothing),
        (A, HEAD, "urgent-consent", What::New(4)),
        (A, LEGAL, "urgent-consent", What::Again(2)),
        (A, HEAD, "seal", What::Seal(2, 4)),
    ];
    let paths: Vec<(&'static str, Steps, u32)> = vec![
        ("steps: negotiating, offered, mediation", on(&[]), 3),
        ("steps: separate, closed", on(&agreed(1)), 3),
        ("steps: refused", on(&[(A, HEAD, "refuse", What::Nothing)]), 1),
        ("steps: consenting", on(&agreed(2)), 1),
        ("steps: authorised", on(&handover), 1),
        ("steps: sealed", on(&sealed), 1),
        ("steps: handed-over, review", on(&received), 2),
        ("steps: joint, joint-review", on(&joint), 4),
        ("steps: urgent", on(&urgent[..1]), 1),
        ("steps: urgent-sealed", on(&urgent), 1),
    ];
    let scenario = |(name, prefix, depth)| Scenario { depth, ..scenario(name, &offers, &letters, prefix) };
    paths.into_iter().map(scenario).collect()
}

/// All steps of the default manual are taken by some log of acts that these scenarios begin with: a step that the
/// kernel never lets pass would be a promise that the manual cannot keep.
#[test]
fn every_step_of_the_default_manual_can_be_taken() {
    let manual = default_manual();
    let journals = [letter(A, Journal, 0, 10 * DAY), letter(B, Journal, 0, 10 * DAY), y()];
    let joint = consents(&[(A, 0), (B, 1)]);
    let urgent = vec![
        (A, HEAD, "urgent", What::Nothing),
        (A, HEAD, "urgent-consent", What::New(0)),
        (A, LEGAL, "urgent-consent", What::Again(0)),
    ];
    let quick = |scenario: Scenario| Scenario { revocations: 0, again: 1, ticks: 4, ..scenario };
    let runs = [
        Scenario { depth: 7, ..scenario("steps: talks", &[SEPARATE, HANDOVER], &[y()], vec![]) },
        Scenario { depth: 6, ..scenario("steps: agreed", &[HANDOVER, SEPARATE], &[y()], agreed()) },
        Scenario { depth: 6, ..scenario("steps: handed over", &[HANDOVER, SEPARATE], &[y()], handed_over()) },
        Scenario { depth: 5, ..scenario("steps: joint", &[JOINT], &journals, joint) },
        Scenario {
            roles: [three(), two()],
            depth: 5,
            ..scenario("steps: urgent", &[JOINT], &[letter(A, Urgent, 1, 9 * DAY)], urgent)
        },
    ];
    let mutual = Scenario { depth: 2, ..scenario("steps: mutual", &[MUTUAL], &[y(), z()], half_sealed()) };
    let mut taken: BTreeSet<usize> = run(quick(mutual), 4).steps;
    for one in deletions_wherever_the_case_is() {
        taken.extend(run(quick(one), 4).steps);
    }
    for one in runs {
        taken.extend(run(quick(one), 100).steps);
    }
    let never: Vec<String> = (0..manual.transitions().len())
        .filter(|at| !taken.contains(at))
        .map(|at| &manual.transitions()[at])
        .map(|step| format!("{}/{}", manual.state(step.from).id, step.event))
        .collect();
    assert!(never.is_empty() || deeper() < 0, "never taken: {never:?}");
}
