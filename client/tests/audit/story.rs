//! A history: two units, their officers, a log with two witnesses, and one case of every kind; as the recipient keeps it.

use client::agent::{log_key, witness_key};
use client::audit::{AgreedAccord, Bundle, CaseHistory, KeptCopy, KeptProof, Logged, Note, PeerNumbers};
use protocol::accord::Accord;
use protocol::act::{Act, Content, Outcome, Statement};
use protocol::body::{Body, part_hash};
use protocol::calendar::Start;
use protocol::case::Case;
use protocol::consent::{ConsentKind, ParcelHead, Terms, key_hash};
use protocol::envelope::{Header, Kind, Role, seal_envelope};
use protocol::identity::{SigningKey, UnitKeys, federation_id, witness_name};
use protocol::lifting::{Lifting, Objected};
use protocol::manual::{self, Manual};
use protocol::matter::{CopyReceipt, Matter};
use protocol::message::{AccordProposal, AccordSignature, Deadline, Head};
use protocol::name::{Pair, Party, UnitName};
use protocol::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use protocol::overlap::{CaseKey, Handle};
use protocol::package::{
    self, Category, FieldsOpening, HandlingCode, HandlingOpening, InformationCode, Item, Manifest, Nature, Openings,
    Purpose, PurposeOpening, SourceCode,
};
use protocol::reading::Reading;
use protocol::roster::join_entry;
use protocol::{Bytes, Hash, label};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::Rng;
use std::collections::{BTreeMap, HashMap};
use tlog::{Checkpoint, Entry, Frontier, KeyName, Place, UnverifiedCosignature, Witness};

pub const BEGIN: u64 = 1_790_000_000_000;
pub const HOUR: u64 = 3_600_000;
const ACCORD: &str = r#"
title = "Story"
[ticks]
tick_ms = 60000
epoch_ticks = 1000
grace_ticks = 10
[requests]
opening_max = 4096
bulk_max = 1024
small = 16
every = 2
[tag_sets]
small = 16
delay = 3
[acknowledgements]
slots = 16
patience_ticks = 20
[canaries]
count = 4
window_ticks = 8
[identifiers]
version = 1
"#;

pub struct Person {
    pub key: OfficerKey,
    pub name: NameOpening,
}

pub struct Running {
    pub case: Case,
    pub at_ms: u64,
}

pub struct Story {
    pub rng: ChaCha20Rng,
    pub broker: SigningKey,
    pub keys: [UnitKeys; 2],
    pub units: [UnitName; 2],
    pub people: BTreeMap<(usize, u32), Person>,
    pub officers: Officers,
    pub manual: Manual,
    pub federation: Hash,
    pub accord: Accord,
    /// In which everybody speaks.
    pub tick: u64,
    sequences: BTreeMap<Party, (u64, Hash)>,
    frontier: Frontier,
    nodes: HashMap<Place, [u8; 32]>,
    witnesses: Vec<Witness>,
    last: (u64, Hash),
    pub bundle: Bundle,
    proven: u64,
    pub cases: Vec<Running>,
}

pub const HEAD: u32 = 2;
pub const LEGAL: u32 = 3;
pub const SECOND_LEGAL: u32 = 4;
pub const INVESTIGATOR: u32 = 1;
/// The places of the units: the bundle is the second's, which receives.
pub const SN: usize = 0;
pub const GM: usize = 1;

impl Story {
    pub fn new() -> Story {
        let mut rng = ChaCha20Rng::seed_from_u64(2026);
        let broker = SigningKey::generate(&mut rng);
        let federation = federation_id("NET-COP", &broker.public());
        let units: [UnitName; 2] = ["SN".parse().unwrap(), "GM".parse().unwrap()];
        let keys = [UnitKeys::generate(&mut rng), UnitKeys::generate(&mut rng)];
        let text = format!("{ACCORD}\n{}", manual::DEFAULT);
        let accord = Accord::new(&text, Start { epoch: 1, tick: 0, at_ms: BEGIN }).unwrap();
        let bundle = Bundle {
            federation: "NET-COP".to_owned(),
            broker: broker.public(),
            unit: units[GM].clone(),
            made_ms: BEGIN + 40 * 24 * HOUR,
            roster: Vec::new(),
            accords: Vec::new(),
            officers: Vec::new(),
            checkpoints: Vec::new(),
            proofs: Vec::new(),
            cases: Vec::new(),
            readings: Vec::new(),
            copies: Vec::new(),
            peers: vec![PeerNumbers {
                peer: units[SN].clone(),
                verified: true,
                evaluated: 512,
                quota: 13_120,
                compared: 300,
                overlaps: 7,
            }],
            epoch: Some(1),
            log_size: 0,
            log_root: Hash::ZERO,
            liftings: Vec::new(),
        };
        let log = log_key(&federation, &broker.public()).unwrap();
        let manual = Manual::read(&accord.terms().manual).unwrap();
        let mut story = Story {
            rng,
            broker,
            keys,
            units,
            people: BTreeMap::new(),
            officers: Officers::default(),
            manual,
            federation,
            accord,
            tick: 1,
            sequences: BTreeMap::new(),
            frontier: Frontier::new(),
            nodes: HashMap::new(),
            witnesses: vec![Witness::new(log.clone()), Witness::new(log)],
            last: (0, Hash::ZERO),
            bundle,
            proven: 0,
            cases: Vec::new(),
        };
        for unit in [SN, GM] {
            story.join(unit);
        }
        story.sign_accord();
        story.certify();
        story.checkpoint();
        story
    }

    /// The broker says to all that a unit is a member, with the keys that it has now.
    pub fn join(&mut self, unit: usize) {
        let name = self.units[unit].clone();
        let entry = join_entry(&self.federation, name.clone(), format!("Unit {name}"), &self.keys[unit]);
        let body = Body::head_only(entry.to_bytes());
        let logged = self.say(Party::Broker, Party::All, Role::Broker, Kind::Roster, &body, None);
        self.bundle.roster.push(logged);
    }

    /// SN proposes the accord of this story, and both sign it.
    pub fn sign_accord(&mut self) {
        let text = self.accord.text().to_owned();
        let head = AccordProposal { start: self.accord.start() }.to_bytes();
        let body = Body { head, rows: text.clone().into_bytes() };
        let to_all = |unit: &UnitName| (Party::Unit(unit.clone()), Party::All);
        let (from, to) = to_all(&self.units[SN]);
        let proposal = self.say(from, to, Role::Agent, Kind::AccordProposal, &body, None);
        let body = Body::head_only(AccordSignature { accord: self.accord.hash() }.to_bytes());
        let mut signatures = Vec::new();
        for unit in [SN, GM] {
            let (from, to) = to_all(&self.units[unit]);
            signatures.push(self.say(from, to, Role::Agent, Kind::AccordSignature, &body, None));
        }
        self.bundle.accords.push(AgreedAccord { text, proposal, signatures });
    }

    /// An accord that follows this story's, from its second epoch on.
    pub fn amended(&self) -> Accord {
        let start = Start { epoch: 2, tick: 1000, at_ms: BEGIN + 1000 * 60_000 };
        Accord::new(&self.accord.text().replace("slots = 16", "slots = 32"), start).unwrap()
    }

    /// A unit joins anew, with other keys: none of its officers signs any more.
    pub fn rekey(&mut self, unit: usize) {
        self.keys[unit] = UnitKeys::generate(&mut self.rng);
        self.join(unit);
        let name = self.units[unit].clone();
        self.officers.rekeyed(&name);
    }

    fn certify(&mut self) {
        let roles =
            [OfficerRole::Investigator, OfficerRole::Head, OfficerRole::LegalOfficer, OfficerRole::LegalOfficer];
        for unit in [SN, GM] {
            for (number, role) in (1..).zip(roles) {
                self.hire(unit, number, role, &format!("Officer {unit} {number}"));
            }
        }
    }

    pub fn hire(&mut self, unit: usize, number: u32, role: OfficerRole, name: &str) {
        let key = OfficerKey::generate(&mut self.rng);
        let name = NameOpening::new(name, &mut self.rng).unwrap();
        let name_of_unit = self.units[unit].clone();
        let certificate = Certificate::new(&self.federation, &name_of_unit, number, role, &name, &key);
        self.people.insert((unit, number), Person { key, name });
        self.officer_entry(unit, &OfficerEntry::Certified(certificate));
    }

    pub fn officer_entry(&mut self, unit: usize, entry: &OfficerEntry) {
        let name = self.units[unit].clone();
        self.officers.apply(&self.federation, &name, entry).unwrap();
        let body = Body::head_only(entry.to_bytes());
        let logged = self.say(Party::Unit(name), Party::All, Role::Agent, Kind::Officer, &body, None);
        self.bundle.officers.push(logged);
    }

    /// Signs an envelope and appends it to the log, after some of others'.
    fn say(
        &mut self,
        sender: Party,
        receiver: Party,
        role: Role,
        kind: Kind,
        body: &Body,
        matter: Option<Matter>,
    ) -> Logged {
        for _ in 0..self.rng.next_u32() % 3 {
            let mut other = [0; 32];
            self.rng.fill_bytes(&mut other);
            self.append(Entry(other));
        }
        let (sequence, previous) = self.sequences.get(&sender).copied().unwrap_or((0, Hash::ZERO));
        let header = Header {
            version: label::VERSION,
            federation: self.federation,
            accord: Hash::ZERO,
            epoch: 0,
            tick: self.tick,
            sender: sender.clone(),
            receiver,
            role,
            sequence: sequence + 1,
            previous,
            kind,
            expires: 0,
            log_size: self.last.0,
            log_root: self.last.1,
            body_len: 0,
            body_root: Hash::ZERO,
        };
        let key = match &sender {
            Party::Broker => &self.broker,
            Party::Unit(unit) => &self.keys[usize::from(*unit == self.units[GM])].signing,
            Party::All => unreachable!(),
        };
        let envelope = seal_envelope(header, body, key);
        self.sequences.insert(sender, (sequence + 1, envelope.hash()));
        let entry = self.append(Entry(envelope.hash().0));
        Logged {
            entry,
            envelope: envelope.as_bytes().to_vec(),
            head: body.head.clone(),
            frames: body.frames().map(part_hash).collect(),
            matter,
        }
    }

    fn append(&mut self, entry: Entry) -> u64 {
        for node in self.frontier.append(&entry).unwrap() {
            self.nodes.insert(node.place, node.hash);
        }
        self.frontier.size() - 1
    }

    /// The log signs a checkpoint, both units check and cosign it, and the proofs of all that is new are kept.
    pub fn checkpoint(&mut self) {
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let log = log_key(&self.federation, &self.broker.public()).unwrap();
        let signed = Checkpoint::new(log.name().clone(), size, root).unwrap().sign(self.broker.hazmat()).unwrap();
        let mut noted = signed.clone();
        for (at, witness) in self.witnesses.iter_mut().enumerate() {
            let proof = match witness.size() {
                0 => tlog::ConsistencyProof::empty(),
                before => tlog::consistency_proof(before, size, |place| self.nodes.get(&place).copied()).unwrap(),
            };
            let accepted = witness.advance(signed.clone(), &proof).unwrap();
            let name = KeyName::new(&witness_name(&self.federation, &self.units[at])).unwrap();
            let line = accepted.cosign(&name, self.keys[at].signing.hazmat(), BEGIN / 1000).unwrap().line();
            let key = witness_key(&self.federation, &self.units[at], &self.keys[at].signing.public()).unwrap();
            noted.add_cosignature(UnverifiedCosignature::parse(&line).unwrap(), &key).unwrap();
        }
        self.bundle.checkpoints.push(Note { size, text: noted.to_note() });
        let acts = self.bundle.cases.iter().flat_map(|case| &case.acts);
        let agreed = self.bundle.accords.iter().flat_map(|agreed| agreed.signatures.iter().chain([&agreed.proposal]));
        let acts = acts.chain(&self.bundle.officers).chain(&self.bundle.roster).chain(agreed);
        let mut entries: Vec<u64> = acts.map(|logged| logged.entry).filter(|entry| *entry >= self.proven).collect();
        entries.sort_unstable();
        for entry in entries {
            let path = tlog::inclusion_proof(size, entry, |place| self.nodes.get(&place).copied()).unwrap();
            self.bundle.proofs.push(KeptProof { entry, size, path: path.to_bytes() });
        }
        self.proven = size;
        self.last = (size, Bytes(root));
        self.bundle.log_size = size;
        self.bundle.log_root = Bytes(root);
    }

    pub fn open(&mut self) -> usize {
        let mut handle = [0; 16];
        self.rng.fill_bytes(&mut handle);
        let (handle, at_ms): (Handle, u64) = (Bytes(handle), BEGIN + HOUR);
        let pair = Pair::new(&self.units[SN], &self.units[GM]).unwrap();
        let case = Case::open(&self.manual, self.federation, self.accord.hash(), handle, &pair, at_ms);
        self.cases.push(Running { case, at_ms });
        let peer = self.units[SN].clone();
        self.bundle.cases.push(CaseHistory { peer, handle, acts: Vec::new(), objections: Vec::new() });
        self.cases.len() - 1
    }

    /// An officer (0: the agent) does something, an hour after what was done before.
    pub fn act(&mut self, case: usize, unit: usize, officer: u32, event: &str, content: Content, matter: Matter) {
        self.cases[case].at_ms += HOUR;
        self.act_now(case, unit, officer, event, content, matter);
    }

    pub fn act_now(
        &mut self,
        case: usize,
        unit: usize,
        officer: u32,
        event: &str,
        content: Content,
        mut matter: Matter,
    ) {
        let running = &self.cases[case];
        if officer > 0 {
            matter.by = Some(self.people[&(unit, officer)].name.clone());
        }
        let statement = Statement {
            federation: self.federation,
            accord: self.accord.hash(),
            handle: *running.case.handle(),
            low: self.units[GM].clone(),
            high: self.units[SN].clone(),
            unit: self.units[unit].clone(),
            round: running.case.round(),
            number: running.case.next_number(&self.units[unit]),
            event: event.to_owned(),
            at_ms: running.at_ms,
            content,
            matter: matter.commitment(),
        };
        let journal = statement.content == Content::Journal;
        let act = match officer {
            0 => Act::of_agent(statement),
            number => Act::sign(statement, number, &self.people[&(unit, number)].key),
        };
        let next = {
            let verified = act.verify(&self.federation, &self.units[unit], &self.officers).unwrap();
            running.case.apply(&self.manual, &verified, &self.officers).unwrap_or_else(|e| panic!("{event}: {e}"))
        };
        let rows = matter.seal(&CaseKey::from_secret(&[5; 32]), &mut self.rng).unwrap();
        let body = Body { head: act.to_bytes(), rows };
        let role = if officer > 0 { Role::Officer } else { Role::Agent };
        let (from, to) = (Party::Unit(self.units[unit].clone()), Party::Unit(self.units[1 - unit].clone()));
        let logged = self.say(from, to, role, Kind::Act, &body, (!journal).then_some(matter));
        self.cases[case].case = next;
        self.bundle.cases[case].acts.push(logged);
    }

    /// The limit of the case's state passes.
    pub fn expire(&mut self, case: usize) {
        let running = &mut self.cases[case];
        let at_ms = running.case.deadline_ms(&self.manual).unwrap();
        let head = Deadline {
            handle: *running.case.handle(),
            low: self.units[GM].clone(),
            high: self.units[SN].clone(),
            round: running.case.round(),
            at_ms,
        };
        running.case = running.case.expire(&self.manual, at_ms).unwrap();
        running.at_ms = at_ms;
        let body = Body::head_only(head.to_bytes());
        let to = Party::Unit(self.units[GM].clone());
        let logged = self.say(Party::Broker, to, Role::Broker, Kind::Deadline, &body, None);
        self.bundle.cases[case].acts.push(logged);
    }

    pub fn matter(&mut self) -> Matter {
        Matter::new(&mut self.rng)
    }

    pub fn simply(&mut self, case: usize, unit: usize, officer: u32, event: &str) {
        let matter = self.matter();
        self.act(case, unit, officer, event, Content::Nothing, matter);
    }

    pub fn with_reason(&mut self, case: usize, unit: usize, officer: u32, event: &str, content: Content) {
        let mut matter = self.matter();
        matter.reason = Some("other".to_owned());
        self.act(case, unit, officer, event, content, matter);
    }

    /// Both units find that it is the same person.
    pub fn meet(&mut self) -> usize {
        let case = self.open();
        for event in ["acknowledge", "same"] {
            self.simply(case, SN, INVESTIGATOR, event);
            self.simply(case, GM, INVESTIGATOR, event);
        }
        case
    }

    pub fn manifest(&mut self, case: usize, from: usize) -> Manifest {
        let mut salt = [0; 32];
        self.rng.fill_bytes(&mut salt);
        let item = |name: &str, value: &str| Item {
            name: name.to_owned(),
            category: Category::Suspect,
            handling: vec![HandlingCode::H1, HandlingCode::H2],
            restriction: None,
            source: SourceCode::B,
            information: InformationCode::Two,
            nature: Nature::Fact,
            necessity: format!("to find the user of the {name}"),
            content: package::Content::Text(value.to_owned()),
        };
        Manifest {
            salt: Bytes(salt),
            federation: self.federation,
            handle: *self.cases[case].case.handle(),
            provider: self.units[from].clone(),
            recipient: self.units[1 - from].clone(),
            purpose: purpose(),
            items: vec![item("phone", "+221770000001"), item("full_name", "Awa Planted-Value")],
        }
    }

    pub fn attested(&mut self, openings: Openings) -> Matter {
        let mut matter = self.matter();
        matter.openings = Some(openings);
        matter.attestations = self.manual.attestations().to_vec();
        matter
    }

    pub fn terms(&mut self, case: usize, from: usize, kind: ConsentKind) -> (Terms, Openings) {
        let recipient = key_hash(&self.keys[1 - from].public().sealing.0);
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        let until_ms = self.cases[case].at_ms + 200 * HOUR;
        let accord = self.accord.hash();
        if kind != ConsentKind::Journal {
            let manifest = self.manifest(case, from);
            let terms = manifest.terms(kind, &accord, recipient, until_ms, Bytes(nonce));
            return (terms, manifest.openings());
        }
        let openings = Openings {
            fields: FieldsOpening { salt: Bytes([1; 32]), lines: Vec::new() },
            purpose: PurposeOpening { salt: Bytes([2; 32]), purpose: purpose() },
            handling: HandlingOpening { salt: Bytes([3; 32]), lines: Vec::new() },
        };
        let terms = Terms {
            kind,
            federation: self.federation,
            accord,
            handle: *self.cases[case].case.handle(),
            provider: self.units[from].clone(),
            recipient: self.units[1 - from].clone(),
            recipient_key: recipient,
            package: Hash::ZERO,
            fields: openings.fields.hash(),
            purpose: openings.purpose.hash(),
            handling: openings.handling.hash(),
            until_ms,
            nonce: Bytes(nonce),
        };
        (terms, openings)
    }

    pub fn agree(&mut self, case: usize, outcome: Outcome, from: usize) {
        let mut matter = self.matter();
        let manifest = self.manifest(case, from);
        matter.fields = manifest.field_lines();
        let provider = (outcome == Outcome::Handover).then(|| self.units[from].clone());
        self.act(case, SN, INVESTIGATOR, "propose", Content::Offer(outcome, provider), matter);
        self.simply(case, GM, HEAD, "accept");
    }

    pub fn head_of(&self, terms: &Terms) -> ParcelHead {
        let (consent, package) = (terms.id(), terms.package);
        ParcelHead { consent, package, parts: 1, root: Bytes([9; 32]), encapsulation: Bytes([7; 1120]) }
    }

    pub fn seal(&mut self, case: usize, from: usize) -> Hash {
        let (terms, openings) = self.terms(case, from, ConsentKind::Parcel);
        for officer in [HEAD, LEGAL] {
            let matter = self.attested(openings.clone());
            self.act(case, from, officer, "consent", Content::Consent(terms.clone()), matter);
        }
        let (head, matter) = (self.head_of(&terms), self.matter());
        self.act(case, from, HEAD, "seal", Content::Parcel(Box::new(head)), matter);
        terms.package
    }

    pub fn receive(&mut self, case: usize, unit: usize, package: Hash) {
        let matter = self.matter();
        self.act(case, unit, LEGAL, "conditions", Content::Conditions(package), matter);
        let matter = self.matter();
        self.act(case, unit, INVESTIGATOR, "receive", Content::Receipt(package), matter);
    }

    pub fn read(&mut self, case: usize, package: Hash, why: &str, copy: Option<u32>) {
        let running = &mut self.cases[case];
        running.at_ms += HOUR;
        let (handle, at_ms) = (*running.case.handle(), running.at_ms);
        let reading = Reading {
            federation: self.federation,
            handle,
            package,
            unit: self.units[GM].clone(),
            officer: INVESTIGATOR,
            at_ms,
            why: why.to_owned(),
            copy,
        };
        self.bundle.readings.push(reading.sign(&self.people[&(GM, INVESTIGATOR)].key));
        if let Some(number) = copy {
            let copy = KeptCopy { handle, package, number, officer: INVESTIGATOR, at_ms, deleted_ms: None };
            self.bundle.copies.push(copy);
        }
    }

    /// GM's officer lifts objections of the unit in a case.
    pub fn lift(&mut self, case: usize, officer: u32, objections: Vec<Objected>, why: &str) {
        let running = &mut self.cases[case];
        running.at_ms += HOUR;
        let lifting = Lifting {
            federation: self.federation,
            handle: *running.case.handle(),
            unit: self.units[GM].clone(),
            officer,
            at_ms: running.at_ms,
            objections,
            why: why.to_owned(),
        };
        self.bundle.liftings.push(lifting.sign(&self.people[&(GM, officer)].key));
    }

    /// Data handed over, with a receipt and a reading.
    pub fn handover(&mut self) -> (usize, Hash) {
        let case = self.meet();
        self.agree(case, Outcome::Handover, SN);
        let package = self.seal(case, SN);
        self.receive(case, GM, package);
        self.read(case, package, "to prepare the hearing", None);
        (case, package)
    }

    /// Handed over, copied, recalled, and deleted.
    pub fn recall(&mut self) {
        let (case, package) = self.handover();
        self.read(case, package, "for the file of the prosecutor", Some(1));
        self.with_reason(case, SN, HEAD, "withdraw", Content::Recall);
        let mut matter = self.matter();
        let at_ms = self.cases[case].at_ms;
        matter.copies = (0..2).map(|copy| CopyReceipt { package, copy, at_ms }).collect();
        if let Some(copy) = self.bundle.copies.last_mut() {
            copy.deleted_ms = Some(at_ms);
        }
        self.act(case, GM, 0, "deleted", Content::Deletion, matter);
    }

    /// A threat to life: from the bundle's own unit, up to sealing.
    pub fn urgent(&mut self) -> (usize, Hash) {
        let case = self.open();
        let mut matter = self.matter();
        matter.threat = Some("an armed man was seen".to_owned());
        self.act(case, GM, INVESTIGATOR, "urgent", Content::Nothing, matter);
        let (terms, openings) = self.terms(case, GM, ConsentKind::Urgent);
        for officer in [HEAD, INVESTIGATOR] {
            let mut matter = self.attested(openings.clone());
            matter.threat = Some("an armed man was seen".to_owned());
            self.act(case, GM, officer, "urgent-consent", Content::Consent(terms.clone()), matter);
        }
        let (head, matter) = (self.head_of(&terms), self.matter());
        self.act(case, GM, HEAD, "seal", Content::Parcel(Box::new(head)), matter);
        (case, terms.package)
    }

    pub fn validated_urgent(&mut self) {
        let (case, package) = self.urgent();
        self.receive(case, SN, package);
        let mut matter = self.matter();
        matter.attestations = self.manual.attestations().to_vec();
        self.act(case, GM, SECOND_LEGAL, "validate", Content::Validation(package), matter);
    }

    pub fn refusal(&mut self) {
        let case = self.meet();
        self.with_reason(case, GM, HEAD, "refuse", Content::Nothing);
        self.expire(case);
    }

    /// Both write into a joint journal.
    pub fn joint(&mut self) {
        let case = self.meet();
        self.agree(case, Outcome::Joint, SN);
        for unit in [SN, GM] {
            let (terms, openings) = self.terms(case, unit, ConsentKind::Journal);
            for officer in [HEAD, SECOND_LEGAL] {
                let matter = self.attested(openings.clone());
                self.act(case, unit, officer, "consent", Content::Consent(terms.clone()), matter);
            }
        }
        for unit in [SN, GM, SN] {
            let given = {
                let case = &self.cases[case];
                case.case.ledger().journal_given(&self.units[unit], &self.officers, case.at_ms).unwrap()
            };
            let mut matter = self.matter();
            matter.write_entry(&given, "Planted-Journal entry".to_owned()).unwrap();
            self.act(case, unit, INVESTIGATOR, "journal", Content::Journal, matter);
        }
    }

    /// All of it, with an objection that was lifted.
    pub fn whole() -> Story {
        Story::played(true)
    }

    /// All of it, and nothing that must be looked at.
    pub fn calm() -> Story {
        Story::played(false)
    }

    fn played(objects: bool) -> Story {
        let mut story = Story::new();
        let (case, _) = story.handover();
        if objects {
            // The parts came twice; first they were not those of the act. A part is no act, and its entry not here.
            let entry = story.append(Entry([77; 32]));
            let objected = Objected { entry, code: "parcel-root".to_owned() };
            story.lift(case, LEGAL, vec![objected], "they sent it once more");
        }
        story.validated_urgent();
        story.checkpoint();
        story.recall();
        story.refusal();
        story.joint();
        // Everybody had the same officers throughout; one leaves at the end.
        story.officer_entry(GM, &OfficerEntry::Revoked(SECOND_LEGAL));
        story.checkpoint();
        story
    }
}

fn purpose() -> Purpose {
    Purpose {
        text: "To find who supplies the group".to_owned(),
        offence: "trafficking in persons".to_owned(),
        legal_basis: "Act 2005-06, article 3".to_owned(),
        reference: Some("RP 17/2026".to_owned()),
    }
}
