//! Cases between agents in one thread, under a mock clock: the procedure from match to recall, with restarts at every
//! step, and with a broker that lets everything pass (R29 to R33).

use client::agent::NotTaken;
use protocol::act::{Act, Content, Outcome};
use protocol::consent::{ConsentKind, ParcelHead};
use protocol::identity::UnitKeys;
use protocol::lifting::{Lifting, Objected};
use protocol::matter::Matter;
use protocol::name::UnitName;
use protocol::officer::{Certificate, NameOpening, OfficerKey, OfficerRole};
use protocol::overlap::Handle;
use protocol::package::{
    Category, Content as Value, HandlingCode, InformationCode, Item, Manifest, Nature, Purpose, SourceCode,
};
use protocol::parcel::{Opener, Piece, Sealer, Step};
use protocol::roster::join_entry;
use protocol::{Bytes, Hash};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use tests::simulation::{ACCORD, Federation};

const HOUR: u64 = 3_600_000;

struct Officer {
    number: u32,
    key: OfficerKey,
    name: NameOpening,
}

/// Two units with officers and one overlap.
struct Scene {
    f: Federation,
    handle: Handle,
    officers: BTreeMap<(&'static str, &'static str), Officer>,
    rng: ChaCha20Rng,
    /// Restart a unit after each step of this number, if any.
    kill: Option<(usize, &'static str)>,
    steps: usize,
}

fn value(manifest: &Manifest) -> &str {
    match &manifest.items[0].content {
        Value::Text(text) => text,
        Value::File { .. } => panic!("a text"),
    }
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let accord = format!("{ACCORD}{}", protocol::manual::DEFAULT);
        let mut f = Federation::joined(&["GM", "SN"], seed);
        f.verify_all();
        f.agree(&accord);
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut officers = BTreeMap::new();
        for unit in ["GM", "SN"] {
            let roles = [
                ("head", OfficerRole::Head),
                ("legal", OfficerRole::LegalOfficer),
                ("legal2", OfficerRole::LegalOfficer),
                ("investigator", OfficerRole::Investigator),
            ];
            for (at, (who, role)) in roles.into_iter().enumerate() {
                let (key, number) = (OfficerKey::generate(&mut rng), at as u32 + 1);
                let name = NameOpening::new(&format!("{who} of {unit}"), &mut rng).unwrap();
                let certificate = Certificate::new(&f.id(), &unit.parse().unwrap(), number, role, &name, &key);
                let now = f.now_ms;
                f.unit(unit).agent.certify(certificate, now).unwrap();
                officers.insert((unit, who), Officer { number, key, name });
            }
        }
        f.record("GM", 1, &["phone"]);
        f.record("SN", 7, &["phone"]);
        f.settle(40).expect("settled");
        let handle = f.unit("GM").agent.overlaps().next().expect("an overlap").1.handle;
        Scene { f, handle, officers, rng, kill: None, steps: 0 }
    }

    /// One more officer, in the place of who had the name.
    fn certify(&mut self, unit: &'static str, who: &'static str, number: u32, role: OfficerRole) {
        let key = OfficerKey::generate(&mut self.rng);
        let name = NameOpening::new(&format!("{who} {number} of {unit}"), &mut self.rng).unwrap();
        let certificate = Certificate::new(&self.f.id(), &unit.parse().unwrap(), number, role, &name, &key);
        let now = self.f.now_ms;
        self.f.unit(unit).agent.certify(certificate, now).unwrap();
        self.officers.insert((unit, who), Officer { number, key, name });
        self.f.pump();
    }

    /// An officer's act, as the commands make it; refused with a code, or on its way.
    fn act(
        &mut self,
        unit: &'static str,
        who: &'static str,
        event: &str,
        content: Content,
        fill: impl FnOnce(&mut Matter),
    ) -> Result<(), &'static str> {
        let now = self.f.now_ms;
        let officer = &self.officers[&(unit, who)];
        let agent = &mut self.f.unit(unit).agent;
        let prospect = agent.prospect(&self.handle, now).map_err(|e| e.code())?;
        let mut matter = Matter::new(&mut self.rng);
        fill(&mut matter);
        matter.by = Some(officer.name.clone());
        let statement = agent.statement(&prospect, event, content, &matter, now);
        let act = Act::sign(statement, officer.number, &officer.key);
        agent.act(&act, &matter, now, &mut self.rng).map_err(|e| e.code())
    }

    /// An act that is accepted everywhere before the next one; the unit may be killed on the way.
    fn done(
        &mut self,
        unit: &'static str,
        who: &'static str,
        event: &str,
        content: Content,
        fill: impl FnOnce(&mut Matter),
    ) {
        self.act(unit, who, event, content, fill).unwrap_or_else(|code| panic!("{unit} {event}: {code}"));
        self.calm();
    }

    fn calm(&mut self) {
        self.steps += 1;
        if let Some((at, who)) = self.kill
            && at == self.steps
        {
            // What is not durable is lost; what was acted is.
            self.f.commit(who);
            self.f.restart(who);
        }
        self.f.pump();
        self.f.run(1);
    }

    fn plain(&mut self, unit: &'static str, who: &'static str, event: &str) {
        self.done(unit, who, event, Content::Nothing, |_| {});
    }

    fn state(&mut self, unit: &str) -> String {
        let now = self.f.now_ms;
        let prospect = self.f.unit(unit).agent.prospect(&self.handle, now).unwrap();
        prospect.manual.state(prospect.case.state()).id.clone()
    }

    fn both_in(&mut self, state: &str) {
        assert_eq!((self.state("GM").as_str(), self.state("SN").as_str()), (state, state));
        let now = self.f.now_ms;
        let handle = self.handle;
        let mut case = |unit: &str| self.f.unit(unit).agent.prospect(&handle, now).unwrap().case;
        let (gm, sn) = (case("GM"), case("SN"));
        assert!(gm == sn && self.f.cases.get(&handle) == Some(&gm), "three folds, one case");
    }

    /// Whatever else was not taken in (of epochs that are over): no act and no limit.
    fn nothing_was_refused(&self) -> bool {
        let all = self.f.units.values().flat_map(|unit| &unit.not_taken);
        all.into_iter().all(|error| !matches!(error, NotTaken::Casework(_)))
    }

    fn same(&mut self) {
        for unit in ["SN", "GM"] {
            self.plain(unit, "investigator", "acknowledge");
        }
        self.both_in("assessing");
        for unit in ["GM", "SN"] {
            self.plain(unit, "investigator", "same");
        }
        self.both_in("negotiating");
    }

    fn manifest(&mut self, text: &str) -> Manifest {
        Manifest {
            salt: Bytes([7; 32]),
            federation: self.f.id(),
            handle: self.handle,
            provider: "SN".parse().unwrap(),
            recipient: "GM".parse().unwrap(),
            purpose: Purpose {
                text: "to find the driver".into(),
                offence: "smuggling of migrants".into(),
                legal_basis: "convention".into(),
                reference: None,
            },
            items: vec![Item {
                name: "phone".into(),
                category: Category::Suspect,
                handling: vec![HandlingCode::H1, HandlingCode::H2],
                restriction: None,
                source: SourceCode::B,
                information: InformationCode::Two,
                nature: Nature::Fact,
                necessity: "to ask the operator".into(),
                content: Value::Text(text.into()),
            }],
        }
    }

    /// The terms of a consent by SN over a manifest.
    fn terms(&mut self, manifest: &Manifest, kind: ConsentKind) -> protocol::consent::Terms {
        let now = self.f.now_ms;
        let accord = *self.f.unit("SN").agent.prospect(&self.handle, now).unwrap().case.accord();
        let key = self.f.unit("SN").agent.sealing_key_of(&"GM".parse().unwrap()).unwrap();
        manifest.terms(kind, &accord, protocol::consent::key_hash(&key.0), now + 48 * HOUR, Bytes([5; 16]))
    }

    fn consent(&mut self, who: &'static str, manifest: &Manifest, terms: &protocol::consent::Terms) {
        let openings = manifest.openings();
        let attested = attestations();
        self.done("SN", who, "consent", Content::Consent(terms.clone()), |matter| {
            matter.openings = Some(openings);
            matter.attestations = attested;
        });
    }

    /// Seals into SN's vault, as the session does, and acts.
    fn seal(&mut self, manifest: &Manifest, consent: &Hash) -> Result<ParcelHead, &'static str> {
        let now = self.f.now_ms;
        let peer: UnitName = "GM".parse().unwrap();
        let handle = self.handle;
        let (head, parts) = {
            let agent = &self.f.unit("SN").agent;
            let key = agent.sealing_key_of(&peer).unwrap();
            let (given, case_key) = agent.consent_given(&handle, consent, now).map_err(|e| e.code())?;
            let mut sealer = Sealer::new(given, manifest, &key, case_key, &mut self.rng).map_err(|e| e.code())?;
            let mut parts = Vec::new();
            while let Step::Part { index, sealed } = sealer.step().unwrap() {
                parts.push((index, sealed));
            }
            (sealer.finish().unwrap(), parts)
        };
        for (index, sealed) in parts {
            let key = client::agent::part_key("out", &peer, &handle, &head.package, index);
            self.f.unit("SN").vault.insert(key, sealed.into());
        }
        self.act("SN", "head", "seal", Content::Parcel(Box::new(head.clone())), |_| {})?;
        self.calm();
        Ok(head)
    }

    fn open(&mut self, head: &ParcelHead) -> Result<String, &'static str> {
        let now = self.f.now_ms;
        let handle = self.handle;
        let unit = self.f.unit("GM");
        let (given, key, sealing) = unit.agent.opening_given(&handle, &head.package, now).map_err(|e| e.code())?;
        let mut opener = Opener::new(given, head, sealing, key).map_err(|e| e.code())?;
        let mut text = String::new();
        for index in 0..head.parts {
            let name = client::agent::part_key("in", &"SN".parse().unwrap(), &handle, &head.package, index);
            let part = unit.vault.get(&name).ok_or("missing")?;
            for piece in opener.part(part).map_err(|e| e.code())? {
                if let Piece::Manifest(manifest) = piece {
                    text = value(&manifest).to_owned();
                }
            }
        }
        opener.finish().map_err(|e| e.code())?;
        Ok(text)
    }

    fn agreed_on_handover(&mut self) {
        self.same();
        let provider = Some("SN".parse().unwrap());
        let fields = self.manifest("x").field_lines();
        self.done("GM", "head", "propose", Content::Offer(Outcome::Handover, provider), |m| m.fields = fields);
        self.both_in("offered");
        self.plain("SN", "head", "accept");
        self.both_in("consenting");
    }

    /// From match to opened parcel.
    fn handed_over(&mut self) -> ParcelHead {
        self.agreed_on_handover();
        let manifest = self.manifest("+221771234567");
        let terms = self.terms(&manifest, ConsentKind::Parcel);
        self.consent("head", &manifest, &terms);
        self.both_in("consenting");
        self.consent("legal", &manifest, &terms);
        self.both_in("authorised");
        let head = self.seal(&manifest, &terms.id()).unwrap();
        self.f.run(2);
        self.both_in("sealed");
        let handle = self.handle;
        assert!(self.f.unit("GM").agent.has_come(&handle, &head.package));
        assert_eq!(self.open(&head).unwrap_err(), "parcel-not-open", "not before conditions and receipt");
        self.done("GM", "legal", "conditions", Content::Conditions(head.package), |_| {});
        assert_eq!(self.open(&head).unwrap_err(), "parcel-not-open", "not before the receipt");
        self.done("GM", "investigator", "receive", Content::Receipt(head.package), |_| {});
        self.both_in("handed-over");
        assert_eq!(self.open(&head).unwrap(), "+221771234567");
        head
    }
}

fn attestations() -> Vec<String> {
    let table: toml::Table = toml::from_str(protocol::manual::DEFAULT).unwrap();
    protocol::manual::Manual::read(table["manual"].as_table().unwrap()).unwrap().attestations().to_vec()
}

#[test]
fn a_handover_is_consented_sealed_received_and_recalled() {
    let mut s = Scene::new(1);
    let head = s.handed_over();
    s.done("SN", "head", "withdraw", Content::Recall, |m| m.reason = Some("jeopardises-investigation".into()));
    // GM's agent has destroyed its copy and signed the deletion receipt by itself.
    s.f.run(2);
    s.both_in("closed");
    assert_eq!(s.open(&head).unwrap_err(), "parcel-not-open");
    assert!(s.f.unit("GM").vault.keys().all(|key| !key.starts_with("in/")), "no part is left");
    let now = s.f.now_ms;
    let handle = s.handle;
    let case = s.f.unit("SN").agent.prospect(&handle, now).unwrap().case;
    assert!(case.ledger().parcels()[0].deleted && case.ledger().is_all_deleted());
    // And the keys go when the case ends.
    assert!(s.f.unit("SN").vault.keys().any(|key| key.starts_with("okey/")));
    s.f.wait(31 * 24 * HOUR);
    s.f.run(2);
    s.both_in("ended");
    for unit in ["GM", "SN"] {
        assert!(s.f.unit(unit).vault.keys().all(|key| !key.starts_with("okey/")), "{unit} keeps keys of an ended case");
    }
}

#[test]
fn killed_between_any_two_steps_everything_ends_the_same() {
    let calm = {
        let mut s = Scene::new(2);
        s.handed_over();
        s.steps
    };
    assert!(calm > 8);
    for unit in ["GM", "SN"] {
        for at in 1..=calm {
            let mut s = Scene::new(2);
            s.kill = Some((at, unit));
            s.handed_over();
            let now = s.f.now_ms;
            let handle = s.handle;
            let case = s.f.unit("GM").agent.prospect(&handle, now).unwrap().case;
            assert_eq!(case.ledger().parcels().len(), 1, "{unit} killed at {at}");
            assert!(s.f.unit("GM").not_taken.is_empty() && s.f.unit("SN").not_taken.is_empty(), "{unit} at {at}");
        }
    }
}

#[test]
fn two_acts_at_the_same_moment_are_one_after_the_other() {
    let mut s = Scene::new(3);
    // Both acknowledge before either knows of the other: both count.
    for unit in ["GM", "SN"] {
        s.act(unit, "investigator", "acknowledge", Content::Nothing, |_| {}).unwrap();
    }
    s.calm();
    s.both_in("assessing");
    // One says the same, the other that it is somebody else: the log has an order, and both follow it.
    s.act("GM", "investigator", "same", Content::Nothing, |_| {}).unwrap();
    s.act("SN", "investigator", "different", Content::Nothing, |m| m.reason = Some("suspected-false-match".into()))
        .unwrap();
    s.calm();
    s.both_in("false-match");
}

#[test]
fn what_the_manual_or_the_kernel_forbids_does_not_leave_the_unit() {
    let mut s = Scene::new(4);
    let nothing = |_: &mut Matter| {};
    assert_eq!(s.act("SN", "legal", "acknowledge", Content::Nothing, nothing), Err("manual-role"));
    assert_eq!(s.act("SN", "head", "accept", Content::Nothing, nothing), Err("manual-no-step"));
    s.same();
    assert_eq!(s.act("SN", "head", "refuse", Content::Nothing, nothing), Err("matter-asks"));
    let bad = |m: &mut Matter| m.reason = Some("because".into());
    assert_eq!(s.act("SN", "head", "refuse", Content::Nothing, bad), Err("matter-asks"));
    let fields = s.manifest("x").field_lines();
    let provider = Some("SN".parse().unwrap());
    s.done("GM", "head", "propose", Content::Offer(Outcome::Handover, provider), |m| m.fields = fields);
    assert_eq!(s.act("GM", "head", "accept", Content::Nothing, nothing), Err("manual-guard"), "one's own offer");
    s.plain("SN", "head", "accept");
    let manifest = s.manifest("+221771234567");
    let terms = s.terms(&manifest, ConsentKind::Parcel);
    s.consent("head", &manifest, &terms);
    let openings = manifest.openings();
    let again =
        s.act("SN", "head", "consent", Content::Consent(terms.clone()), |m| m.openings = Some(openings.clone()));
    assert_eq!(again, Err("consent-same-officer"));
    let unattested =
        s.act("SN", "legal", "consent", Content::Consent(terms.clone()), |m| m.openings = Some(openings.clone()));
    assert_eq!(unattested, Err("matter-asks"));
    let unshown = s.act("SN", "legal", "consent", Content::Consent(terms.clone()), |m| m.attestations = attestations());
    assert_eq!(unshown, Err("matter-openings"));
    assert_eq!(s.seal(&manifest, &terms.id()).unwrap_err(), "consent-incomplete");
    s.consent("legal", &manifest, &terms);
    let other = s.manifest("+221770000000");
    assert_eq!(s.seal(&other, &terms.id()).unwrap_err(), "parcel-other-package");
    s.f.now_ms += 47 * HOUR;
    s.seal(&manifest, &terms.id()).unwrap();
    assert_eq!(s.seal(&manifest, &terms.id()).unwrap_err(), "consent-used");
}

#[test]
fn a_broker_that_lets_everything_pass_gains_nothing() {
    let mut s = Scene::new(5);
    s.agreed_on_handover();
    let manifest = s.manifest("+221771234567");
    let terms = s.terms(&manifest, ConsentKind::Parcel);
    s.consent("head", &manifest, &terms);
    // SN is dishonest now, and the broker with it: a parcel on one signature.
    s.f.lenient = true;
    let head = ParcelHead {
        consent: terms.id(),
        package: terms.package,
        parts: 1,
        root: Bytes([1; 32]),
        encapsulation: Bytes([2; 1120]),
    };
    let now = s.f.now_ms;
    let officer = &s.officers[&("SN", "head")];
    let mut matter = Matter::new(&mut s.rng);
    matter.by = Some(officer.name.clone());
    let agent = &s.f.unit("SN").agent;
    let prospect = agent.prospect(&s.handle, now).unwrap();
    let statement = agent.statement(&prospect, "seal", Content::Parcel(Box::new(head)), &matter, now);
    let act = Act::sign(statement, officer.number, &officer.key);
    s.f.inject("SN", "GM", &act, vec![0; 2048 + 40]);
    s.f.pump();
    let told = |s: &mut Scene, unit: &str, code: &str| {
        s.f.unit(unit).events.iter().any(|event| event.code() == "act-refused" && event.detail().contains(code))
    };
    assert!(told(&mut s, "GM", "consent-incomplete"));
    s.both_in("consenting");
    // An operator who moves a case by a limit that has not passed: the moment is wrong, or officers are told.
    let case = s.f.cases[&s.handle].clone();
    s.f.limit_passed(&case, case.last_ms() + 1);
    s.f.pump();
    assert!(told(&mut s, "GM", "case-early") && told(&mut s, "SN", "case-early"));
    assert_eq!(s.state("GM"), "consenting");
    let early = case.deadline_ms(&prospect.manual).unwrap();
    s.f.limit_passed(&case, early);
    s.f.pump();
    assert!(s.f.unit("GM").events.iter().any(|event| event.code() == "clock-ahead"));
    assert_eq!(s.state("GM"), "mediation", "time escalates, and discloses nothing");
}

/// R33: what breaks a guard of the parties is objected to, and only a head or legal officer lets the unit go on: signed, and
/// over exactly what stands.
#[test]
fn an_objection_is_lifted_by_a_signature_that_stays() {
    let mut s = Scene::new(8);
    let now = s.f.now_ms;
    // SN says what does not open.
    let garbled = |s: &mut Scene| {
        let officer = &s.officers[&("SN", "head")];
        let mut matter = Matter::new(&mut s.rng);
        matter.by = Some(officer.name.clone());
        let agent = &s.f.unit("SN").agent;
        let prospect = agent.prospect(&s.handle, now).unwrap();
        let statement = agent.statement(&prospect, "acknowledge", Content::Nothing, &matter, now);
        Act::sign(statement, officer.number, &officer.key)
    };
    s.plain("GM", "head", "acknowledge");
    let act = garbled(&mut s);
    s.f.inject("SN", "GM", &act, vec![0; 2048 + 40]);
    s.f.pump();
    let handle = s.handle;
    let stands = s.f.unit("GM").agent.objections(&handle);
    assert_eq!(stands.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["matter-does-not-open"]);
    let manifest = s.manifest("x");
    let terms = s.terms(&manifest, ConsentKind::Parcel);
    let gives = |s: &mut Scene| s.act("GM", "head", "consent", Content::Consent(terms.clone()), |_| {}).unwrap_err();
    assert_eq!(gives(&mut s), "objection");
    s.f.restart("GM");
    assert_eq!(s.f.unit("GM").agent.objections(&handle), stands, "it stands over a restart");

    let lifting = Lifting {
        federation: s.f.id(),
        handle,
        unit: "GM".parse().unwrap(),
        officer: 2,
        at_ms: now,
        objections: stands.clone(),
        why: "they sent it again by telephone".to_owned(),
    };
    let lift = |s: &mut Scene, lifting: Lifting, who: &'static str| {
        let signed = lifting.sign(&s.officers[&("GM", who)].key);
        s.f.unit("GM").agent.lift(&signed, now).map_err(|e| e.code())
    };
    let other = Objected { entry: stands[0].entry + 1, code: stands[0].code.clone() };
    let refused = [
        lift(&mut s, Lifting { officer: 4, ..lifting.clone() }, "investigator"),
        lift(&mut s, lifting.clone(), "head"),
        lift(&mut s, Lifting { unit: "SN".parse().unwrap(), ..lifting.clone() }, "legal"),
        lift(&mut s, Lifting { federation: Hash::ZERO, ..lifting.clone() }, "legal"),
        lift(&mut s, Lifting { objections: vec![other], ..lifting.clone() }, "legal"),
        lift(&mut s, Lifting { why: String::new(), ..lifting.clone() }, "legal"),
    ];
    assert_eq!(refused, [Err("lifting"); 6]);
    assert_eq!(gives(&mut s), "objection");
    lift(&mut s, lifting.clone(), "legal").unwrap();
    assert_ne!(gives(&mut s), "objection");
    s.f.commit("GM");
    let kept: Vec<&String> = s.f.unit("GM").vault.keys().filter(|key| key.starts_with("lifting/")).collect();
    assert_eq!(kept, [&format!("lifting/{handle}/{:020}", stands[0].entry)]);
    s.f.restart("GM");
    assert_eq!(s.f.unit("GM").agent.objections(&handle), []);
    assert_eq!(lift(&mut s, lifting, "legal"), Err("lifting"), "nothing stands any more");
}

/// R29: both agreed to give, one sealed, the other let the time pass. What was sealed is taken back, and talks go on.
#[test]
fn a_mutual_handover_that_runs_out_after_one_seal_is_taken_back() {
    let mut s = Scene::new(9);
    s.same();
    let fields = s.manifest("x").field_lines();
    s.done("GM", "head", "propose", Content::Offer(Outcome::Mutual, None), |m| m.fields = fields);
    s.plain("SN", "head", "accept");
    let ours = s.manifest("+221771234567");
    let theirs =
        Manifest { provider: "GM".parse().unwrap(), recipient: "SN".parse().unwrap(), ..s.manifest("+2207654321") };
    let terms = s.terms(&ours, ConsentKind::Parcel);
    let (now, handle) = (s.f.now_ms, s.handle);
    let agent = &s.f.unit("GM").agent;
    let key = agent.sealing_key_of(&"SN".parse().unwrap()).unwrap();
    let key = protocol::consent::key_hash(&key.0);
    let accord = *agent.prospect(&handle, now).unwrap().case.accord();
    let back = theirs.terms(ConsentKind::Parcel, &accord, key, now + 48 * HOUR, Bytes([6; 16]));
    for who in ["head", "legal"] {
        s.consent(who, &ours, &terms);
        let (openings, attested) = (theirs.openings(), attestations());
        s.done("GM", who, "consent", Content::Consent(back.clone()), |matter| {
            matter.openings = Some(openings);
            matter.attestations = attested;
        });
    }
    s.both_in("authorised");
    let head = s.seal(&ours, &terms.id()).unwrap();
    s.f.run(2);
    s.both_in("authorised");
    assert!(s.f.unit("GM").agent.has_come(&handle, &head.package), "it lies sealed with GM");
    assert_eq!(s.open(&head).unwrap_err(), "parcel-not-open");
    s.f.wait(49 * HOUR);
    s.f.run(2);
    s.both_in("negotiating");
    assert!(s.f.unit("GM").vault.keys().all(|key| !key.starts_with("in/")), "no part is left");
    let now = s.f.now_ms;
    let parcel = s.f.unit("SN").agent.prospect(&handle, now).unwrap().case.ledger().parcels()[0].clone();
    assert!(parcel.recalled && parcel.deleted, "GM's agent has signed the receipt by itself: {parcel:?}");
    assert_eq!(s.open(&head).unwrap_err(), "parcel-not-open");
    assert_eq!(s.seal(&ours, &terms.id()).unwrap_err(), "consent-used");
    // And the talks go on.
    let fields = s.manifest("x").field_lines();
    let provider = Some("SN".parse().unwrap());
    s.done("GM", "head", "propose", Content::Offer(Outcome::Handover, provider), |m| m.fields = fields);
    s.both_in("offered");
    assert!(s.nothing_was_refused());
}

/// R7, R33: acts of a unit whose keys are not verified wait, with all that follows in their case, and lead to the same case
/// as everywhere once they are.
#[test]
fn a_case_comes_together_when_the_peer_is_verified_again() {
    let mut s = Scene::new(10);
    s.same();
    // The broker puts other keys in the place of SN's for a while: GM's officers must compare codes anew.
    let honest = s.f.entry_of("SN");
    let other = UnitKeys::generate(&mut s.rng);
    let other = join_entry(&s.f.id(), "SN".parse().unwrap(), "Unit SN".to_owned(), &other);
    s.f.roster(other);
    s.f.roster(honest);
    s.f.pump();
    for (number, who, role) in [(11, "head", OfficerRole::Head), (12, "legal", OfficerRole::LegalOfficer)] {
        s.certify("SN", who, number, role);
    }
    let provider = Some("SN".parse().unwrap());
    let fields = s.manifest("x").field_lines();
    s.done("SN", "head", "propose", Content::Offer(Outcome::Handover, provider), |m| m.fields = fields);
    assert_eq!((s.state("SN").as_str(), s.state("GM").as_str()), ("offered", "negotiating"));
    let told = |s: &mut Scene, code: &str| s.f.unit("GM").events.iter().filter(|event| event.code() == code).count();
    assert_eq!((told(&mut s, "act-held"), told(&mut s, "act-refused")), (1, 0));
    s.plain("SN", "head", "take-back");
    // The head who signed is revoked; the limit of the state passes: none of it may be lost, or judged by what came later.
    let now = s.f.now_ms;
    s.f.unit("SN").agent.revoke_officer(11, now).unwrap();
    s.f.pump();
    s.f.wait(8 * 24 * HOUR);
    assert_eq!((s.state("SN").as_str(), s.state("GM").as_str()), ("mediation", "negotiating"));
    assert_eq!(s.act("GM", "head", "refuse", Content::Nothing, |_| {}), Err("not-verified"));
    s.f.restart("GM");
    s.f.unit("GM").agent.mark_verified(&"SN".parse().unwrap()).unwrap();
    s.f.pump();
    s.both_in("mediation");
    assert_eq!(told(&mut s, "act-refused"), 0);
    assert!(s.f.unit("GM").vault.keys().all(|key| !key.starts_with("held/")), "nothing waits any more");
    assert!(s.nothing_was_refused());
    // And both go on with it.
    for unit in ["GM", "SN"] {
        if unit == "SN" {
            s.certify("SN", "head", 13, OfficerRole::Head);
        }
        s.plain(unit, "head", "resume");
    }
    s.both_in("negotiating");
}

/// What waits for a peer that nobody verifies is bounded, and what somebody else signed in its name is not taken in later.
#[test]
fn what_an_impostor_signed_meanwhile_is_not_taken_in() {
    let mut s = Scene::new(11);
    s.same();
    let honest = s.f.entry_of("SN");
    let other = UnitKeys::generate(&mut s.rng);
    let entry = join_entry(&s.f.id(), "SN".parse().unwrap(), "Unit SN".to_owned(), &other);
    s.f.roster(entry);
    s.f.pump();
    let officer = &s.officers[&("SN", "head")];
    let now = s.f.now_ms;
    let agent = &s.f.unit("SN").agent;
    let prospect = agent.prospect(&s.handle, now).unwrap();
    let mut matter = Matter::new(&mut s.rng);
    matter.by = Some(officer.name.clone());
    let offer = Content::Offer(Outcome::Separate, None);
    let statement = agent.statement(&prospect, "propose", offer, &matter, now);
    let act = Act::sign(statement, officer.number, &officer.key);
    for _ in 0..300 {
        s.f.inject_as(&other.signing, "SN", "GM", &act, vec![0; 2048 + 40]);
    }
    s.f.pump();
    let held = |s: &mut Scene| s.f.unit("GM").vault.keys().filter(|key| key.starts_with("held/")).count();
    assert_eq!(held(&mut s), 256);
    s.f.roster(honest);
    s.f.pump();
    s.f.unit("GM").agent.mark_verified(&"SN".parse().unwrap()).unwrap();
    s.f.pump();
    assert_eq!(held(&mut s), 0);
    assert_eq!(s.state("GM"), "negotiating");
    let refused = s.f.unit("GM").events.iter().filter(|event| event.code() == "act-refused").count();
    assert_eq!(refused, 256, "each is told");
}

/// R31, R35: a unit that comes back from an old backup after the case has ended finds acts without their matter. It folds
/// them all the same, and destroys what the backup held.
#[test]
fn an_old_backup_follows_a_case_whose_matter_is_destroyed() {
    let mut s = Scene::new(12);
    let head = s.handed_over();
    let backup = s.f.unit("GM").vault.clone();
    assert!(backup.keys().any(|key| key.starts_with("in/")), "with the parcel in it");
    s.done("SN", "head", "withdraw", Content::Recall, |m| m.reason = Some("jeopardises-investigation".into()));
    s.f.run(2);
    s.both_in("closed");
    s.f.wait(31 * 24 * HOUR);
    s.f.run(2);
    s.both_in("ended");
    s.f.destroy_matter();
    s.f.restore_from("GM", backup);
    assert_eq!(s.state("GM"), "handed-over", "as it was then");
    s.f.pump();
    s.f.run(1);
    s.both_in("ended");
    assert_eq!(s.open(&head).unwrap_err(), "parcel-not-open");
    let left: Vec<&String> =
        s.f.unit("GM").vault.keys().filter(|key| ["in/", "okey/"].iter().any(|p| key.starts_with(p))).collect();
    assert_eq!(left, [""; 0]);
    // What it could not read it objects to: a broker that destroys too early makes no unit give anything.
    let handle = s.handle;
    let objections = s.f.unit("GM").agent.objections(&handle);
    assert_eq!(objections.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["matter-destroyed"]);
}

#[test]
fn limits_escalate_and_never_disclose() {
    let mut s = Scene::new(6);
    s.agreed_on_handover();
    s.f.wait(73 * HOUR);
    s.both_in("mediation");
    let late = s.act("SN", "head", "accept", Content::Nothing, |_| {});
    assert_eq!(late, Err("manual-no-step"));
    s.f.wait(8 * 24 * HOUR);
    s.both_in("separate");
    let now = s.f.now_ms;
    let handle = s.handle;
    let case = s.f.unit("GM").agent.prospect(&handle, now).unwrap().case;
    assert!(case.ledger().parcels().is_empty() && case.ledger().consents().is_empty());
}

#[test]
fn urgent_content_that_nobody_validates_is_destroyed_by_the_recipients_own_clock() {
    let mut s = Scene::new(7);
    s.same();
    s.done("GM", "head", "urgent", Content::Nothing, |m| m.threat = Some("a boat is lost".into()));
    let manifest = s.manifest("+221771234567");
    let terms = s.terms(&manifest, ConsentKind::Urgent);
    let openings = manifest.openings();
    for who in ["head", "investigator"] {
        let openings = openings.clone();
        s.done("SN", who, "urgent-consent", Content::Consent(terms.clone()), |m| {
            m.openings = Some(openings);
            m.threat = Some("a boat is lost".into());
        });
    }
    let head = s.seal(&manifest, &terms.id()).unwrap();
    s.f.run(2);
    s.done("GM", "head", "conditions", Content::Conditions(head.package), |_| {});
    s.done("GM", "head", "receive", Content::Receipt(head.package), |_| {});
    assert_eq!(s.open(&head).unwrap(), "+221771234567");
    // The broker says nothing of the time any more.
    s.f.cases.clear();
    s.f.now_ms += 25 * HOUR;
    s.f.run(1);
    assert_eq!(s.open(&head).unwrap_err(), "parcel-not-open");
    assert!(s.f.unit("GM").vault.keys().all(|key| !key.starts_with("in/")), "no part is left");
}
