//! Two units with officers and a case between them: acts are signed, sent and folded here as units do it.

use crate::scene::{ACCORD, Actor, BEGIN, Scene, rng};
use protocol::accord::Accord;
use protocol::act::{Act, Content, Outcome, Statement};
use protocol::calendar::Start;
use protocol::case::Case;
use protocol::codec::{Bytes, Hash};
use protocol::consent::{ConsentKind, ParcelHead, Terms};
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope};
use protocol::mailbox::Posted;
use protocol::manual::Manual;
use protocol::message::{Deadline, Head, ParcelPart};
use protocol::name::{Pair, Party, UnitName};
use protocol::officer::{Certificate, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};
use protocol::overlap::Handle;

pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
/// As long as the shortest sealed matter; the broker cannot see that it is none.
pub const MATTER: usize = 2048 + 24 + 16;
/// As long as the longest.
pub const LONGEST_MATTER: usize = 131_072 + 24 + 16;
/// The units of a desk.
pub const A: usize = 0;
pub const B: usize = 1;
/// Officers of each unit, by number.
pub const INVESTIGATOR: u32 = 1;
pub const HEAD: u32 = 2;
pub const LEGAL: u32 = 3;
pub const MENTOR: u32 = 4;
pub const SECOND_LEGAL: u32 = 5;
const ROLES: [OfficerRole; 5] = [
    OfficerRole::Investigator,
    OfficerRole::Head,
    OfficerRole::LegalOfficer,
    OfficerRole::Mentor,
    OfficerRole::LegalOfficer,
];

/// The scene's accord with ticks of an hour, and the manual that ships with Sutura.
pub fn accord_text() -> String {
    let hourly = ACCORD.replace("tick_ms = 1000", "tick_ms = 3600000");
    format!("{hourly}\n{}", protocol::manual::DEFAULT)
}

/// The keys of a unit's officers.
pub fn officer_key(unit: &UnitName, number: u32) -> OfficerKey {
    let seed = unit.as_str().bytes().fold(u64::from(number), |n, b| n.wrapping_mul(257).wrapping_add(b.into()));
    OfficerKey::generate(&mut rng(seed))
}

/// Certifies a unit's officers, and folds them as every unit does.
pub async fn certify(scene: &Scene, actor: &mut Actor, officers: &mut Officers) {
    for (at, role) in ROLES.into_iter().enumerate() {
        let number = at as u32 + 1;
        let name = NameOpening::new("An Officer", &mut rng(5)).unwrap();
        let key = officer_key(&actor.name, number);
        let certificate = Certificate::new(&actor.federation, &actor.name, number, role, &name, &key);
        let entry = OfficerEntry::Certified(certificate);
        officers.apply(&actor.federation, &actor.name, &entry).unwrap();
        let posted = actor.proclaim(&entry, vec![]);
        scene.accepted(actor, posted, BEGIN).await;
    }
}

/// An envelope around an act.
pub fn posted(actor: &Actor, receiver: &UnitName, act: &Act, rows: Vec<u8>) -> Posted {
    posted_in(0, actor, receiver, act, rows)
}

/// The same, said in a tick.
pub fn posted_in(tick: u64, actor: &Actor, receiver: &UnitName, act: &Act, rows: Vec<u8>) -> Posted {
    let role = if act.officer.is_some() { Role::Officer } else { Role::Agent };
    let receiver = Party::Unit(receiver.clone());
    let header = Header { epoch: 0, accord: Hash::ZERO, role, ..actor.header(Kind::Act, receiver, tick) };
    actor.seal(header, act.to_bytes(), rows)
}

pub struct Desk {
    pub s: Scene,
    pub units: [Actor; 2],
    pub handle: Handle,
    pub officers: Officers,
    pub manual: Manual,
    /// The case as the units fold it; `None` before the first act.
    pub case: Option<Case>,
}

impl Desk {
    pub async fn new(scene: Scene) -> Desk {
        Desk::under(scene, &accord_text()).await
    }

    pub async fn under(mut s: Scene, text: &str) -> Desk {
        let mut units = s.agreed_on(text, ["A", "B"]).await;
        let mut officers = Officers::default();
        for actor in &mut units {
            certify(&s, actor, &mut officers).await;
        }
        let accord = Accord::new(text, Start { epoch: 1, tick: 0, at_ms: BEGIN }).unwrap();
        let manual = Manual::read(&accord.terms().manual).unwrap();
        Desk { s, units, handle: Bytes([0x77; 16]), officers, manual, case: None }
    }

    pub fn other(&self, who: usize) -> &UnitName {
        &self.units[1 - who].name
    }

    pub fn to(&self, who: usize) -> Party {
        Party::Unit(self.units[who].name.clone())
    }

    pub fn state(&self) -> &str {
        self.case.as_ref().map_or("", |case| &self.manual.state(case.state()).id)
    }

    /// The next statement of a unit, in the case's present round.
    pub fn statement(&self, who: usize, event: &str, content: Content, at_ms: u64) -> Statement {
        let unit = self.units[who].name.clone();
        Statement {
            federation: *self.s.broker.federation(),
            accord: self.s.accord,
            handle: self.handle,
            low: self.units[A].name.clone(),
            high: self.units[B].name.clone(),
            round: self.case.as_ref().map_or(0, Case::round),
            number: self.case.as_ref().map_or(1, |case| case.next_number(&unit)),
            unit,
            event: event.to_owned(),
            at_ms,
            content,
            matter: Bytes([3; 32]),
        }
    }

    pub fn act(&self, who: usize, officer: u32, event: &str, content: Content, at_ms: u64) -> Act {
        let key = officer_key(&self.units[who].name, officer);
        Act::sign(self.statement(who, event, content, at_ms), officer, &key)
    }

    /// Sends an act that must be accepted, and folds it.
    pub async fn send(&mut self, who: usize, act: &Act, now_ms: u64) -> u64 {
        let posted = posted(&self.units[who], self.other(who), act, vec![0; MATTER]);
        let entry = self.s.accepted(&mut self.units[who], posted, now_ms).await;
        self.case = Some(self.folded(self.case.as_ref(), act, &self.units[who].name));
        entry
    }

    fn folded(&self, case: Option<&Case>, act: &Act, sender: &UnitName) -> Case {
        let verified = act.verify(self.s.broker.federation(), sender, &self.officers).unwrap();
        let pair = Pair::new(&self.units[A].name, &self.units[B].name).unwrap();
        let (federation, at_ms) = (*self.s.broker.federation(), act.statement.at_ms);
        let open = || Case::open(&self.manual, federation, self.s.accord, self.handle, &pair, at_ms);
        case.cloned().unwrap_or_else(open).apply(&self.manual, &verified, &self.officers).unwrap()
    }

    /// An officer does something that must be accepted.
    pub async fn does(&mut self, who: usize, officer: u32, event: &str, content: Content, now_ms: u64) -> u64 {
        let act = self.act(who, officer, event, content, now_ms);
        self.send(who, &act, now_ms).await
    }

    /// An act must be refused under `code`; nothing changes.
    #[track_caller]
    pub fn refuses<'a>(
        &'a self,
        who: usize,
        act: &Act,
        now_ms: u64,
        code: &'static str,
    ) -> impl Future<Output = ()> + use<'a> {
        let posted = posted(&self.units[who], self.other(who), act, vec![0; MATTER]);
        self.s.refused(&self.units[who], posted, now_ms, code)
    }

    /// An officer does something that must be refused under `code`.
    #[track_caller]
    pub fn may_not<'a>(
        &'a self,
        who: usize,
        officer: u32,
        event: &str,
        content: Content,
        now_ms: u64,
        code: &'static str,
    ) -> impl Future<Output = ()> + use<'a> {
        self.refuses(who, &self.act(who, officer, event, content, now_ms), now_ms, code)
    }

    /// From nothing to an accepted offer that A hands over.
    pub async fn agree_on_handover(&mut self, now_ms: u64) {
        for who in [A, B] {
            self.does(who, INVESTIGATOR, "acknowledge", Content::Nothing, now_ms).await;
        }
        for who in [A, B] {
            self.does(who, INVESTIGATOR, "same", Content::Nothing, now_ms).await;
        }
        let offer = Content::Offer(Outcome::Handover, Some(self.units[A].name.clone()));
        self.does(B, INVESTIGATOR, "propose", offer, now_ms).await;
        self.does(A, HEAD, "accept", Content::Nothing, now_ms).await;
        assert_eq!(self.state(), "consenting");
    }

    /// Terms over which A's officers consent.
    pub fn terms(&self, kind: ConsentKind, package: u8, until_ms: u64) -> Terms {
        Terms {
            kind,
            federation: *self.s.broker.federation(),
            accord: self.s.accord,
            handle: self.handle,
            provider: self.units[A].name.clone(),
            recipient: self.units[B].name.clone(),
            recipient_key: Bytes([1; 32]),
            package: Bytes([package; 32]),
            fields: Bytes([2; 32]),
            purpose: Bytes([4; 32]),
            handling: Bytes([5; 32]),
            until_ms,
            nonce: Bytes([package; 16]),
        }
    }

    /// Both consents over a package; the terms.
    pub async fn consent(&mut self, package: u8, now_ms: u64) -> Terms {
        let terms = self.terms(ConsentKind::Parcel, package, now_ms + 2 * DAY);
        self.does(A, HEAD, "consent", Content::Consent(terms.clone()), now_ms).await;
        self.does(A, LEGAL, "consent", Content::Consent(terms.clone()), now_ms).await;
        terms
    }

    /// From nothing to a sealed parcel of these parts; its package.
    pub async fn seal(&mut self, parts: &[Vec<u8>], now_ms: u64) -> Hash {
        self.agree_on_handover(now_ms).await;
        let terms = self.consent(9, now_ms).await;
        self.does(A, HEAD, "seal", parcel(&terms, parts), now_ms).await;
        assert_eq!(self.state(), "sealed");
        terms.package
    }

    /// One part of a parcel of A's, rows inline.
    pub fn part(&self, package: Hash, index: u32, bytes: &[u8]) -> Posted {
        part_from(&self.units[A], &self.units[B].name, ParcelPart { handle: self.handle, package, index }, bytes)
    }

    /// Sends a part that must be accepted.
    pub async fn send_part(&mut self, package: Hash, index: u32, bytes: &[u8], now_ms: u64) -> u64 {
        let mut posted = self.part(package, index, bytes);
        if bytes.len() > protocol::mailbox::MAX_INLINE {
            self.s.stage(&self.units[A], &mut posted, now_ms).await;
        }
        self.s.accepted(&mut self.units[A], posted, now_ms).await
    }

    /// Acts and limits in a unit's mailbox, in its order: entry and hash of each; and the case that they fold to.
    pub async fn folded_by(&self, who: usize) -> (Vec<(u64, Hash)>, Option<Case>) {
        let (mut order, mut case) = (Vec::new(), None::<Case>);
        for item in self.s.mail(&self.units[who]).await {
            let unverified = UnverifiedEnvelope::decode(&item.envelope).unwrap();
            let sender = unverified.unverified_sender().clone();
            let keys = self.units.iter().find(|actor| sender.unit() == Some(&actor.name));
            let key = keys.map_or(self.s.broker.public_key(), |actor| actor.keys.signing.public());
            // Another unit's: of its officers, or of a case of its own.
            let Ok(envelope) = unverified.verify(self.s.broker.federation(), &key) else { continue };
            case = match envelope.header().kind {
                Kind::Act => {
                    let act = Act::from_bytes(&item.head).unwrap();
                    Some(self.folded(case.as_ref(), &act, sender.unit().unwrap()))
                }
                Kind::Deadline => {
                    let said = Deadline::from_bytes(&item.head).unwrap();
                    let before = case.unwrap();
                    assert_eq!((said.handle, said.round), (self.handle, before.round()));
                    assert_eq!((envelope.header().epoch, envelope.header().accord), (0, Hash::ZERO));
                    Some(before.expire(&self.manual, said.at_ms).unwrap())
                }
                _ => continue,
            };
            order.push((item.entry, envelope.hash()));
        }
        (order, case)
    }

    /// Both units have the same acts and limits in the order of the log, and fold them to the same case.
    pub async fn agree_in_both_mailboxes(&self) -> Case {
        let (of_a, of_b) = (self.folded_by(A).await, self.folded_by(B).await);
        assert!(!of_a.0.is_empty() && of_a.0.is_sorted_by(|one, next| one.0 < next.0), "the order of the log");
        assert!(of_a == of_b, "the two mailboxes differ");
        of_a.1.unwrap()
    }
}

/// The act's content that seals these parts.
pub fn parcel(terms: &Terms, parts: &[Vec<u8>]) -> Content {
    let hashes = parts.iter().map(|part| protocol::body::rows_root(part));
    Content::Parcel(Box::new(ParcelHead {
        consent: terms.id(),
        package: terms.package,
        parts: parts.len() as u32,
        root: protocol::body::root_of_hashes(hashes),
        encapsulation: Bytes([6; protocol::seal::ENCAPSULATION_LEN]),
    }))
}

/// A part, from whomever.
pub fn part_from(actor: &Actor, receiver: &UnitName, head: ParcelPart, bytes: &[u8]) -> Posted {
    let receiver = Party::Unit(receiver.clone());
    let header = Header { epoch: 0, accord: Hash::ZERO, ..actor.header(Kind::ParcelPart, receiver, 0) };
    actor.seal(header, head.to_bytes(), bytes.to_vec())
}
