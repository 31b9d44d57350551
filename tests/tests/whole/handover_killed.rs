//! A unit or the broker ends at every step between proposal and receipt: nothing is lost, nothing happens twice (R35).
//!
//! The same handover is played calmly once, and once for every place at which something can end: a session is dropped and
//! opened again from its vault, with what it had signed and not yet sent; the broker is stopped and opened again from its
//! folder. Each time the history of acts is that of the calm run, the recipient has one parcel and opens it whole, and the
//! provider has one receipt.

use client::agent::Event;
use client::session::{ConsentShown, Session, system_clock};
use client::vault::{Passphrase, Vault};
use exercise::federation::{PASSPHRASE, Served, Unit, accord, agree, patience, settle, verify_all};
use exercise::handover::{ATTACHED, NOTE, Packed, pack, until_ms};
use exercise::officers::Staff;
use exercise::outcomes::handle_of;
use exercise::talks::{Side, Talks, field};
use protocol::act::{Act, Content, Outcome};
use protocol::consent::ConsentKind;
use protocol::matter::Matter;
use protocol::message::Head;
use protocol::officer::OfficerRole;
use protocol::package::ContentKind;
use std::path::Path;
use std::time::Duration;

/// Who or what ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ends {
    /// The acting unit, after it has signed and before anything was sent.
    Signed,
    /// The acting unit, once the broker has what it sent, before it has fetched it back.
    Sent,
    /// The unit across the table, before it has fetched.
    Across,
    /// The broker, after the act was accepted.
    Broker,
    /// The acting unit, this many milliseconds into its round: wherever that is.
    Within(u64),
}

const ALL: [Ends; 4] = [Ends::Signed, Ends::Sent, Ends::Across, Ends::Broker];
/// While the sealing act and the parts of the parcel go out.
const WITHIN: [Ends; 4] = [Ends::Within(5), Ends::Within(20), Ends::Within(60), Ends::Within(120)];
const SEAL: usize = 4;

/// The steps between proposal and receipt: who acts, in which role, what.
const STEPS: [(Side, OfficerRole, &str); 7] = [
    (Side::One, OfficerRole::Investigator, "propose"),
    (Side::Other, OfficerRole::Head, "accept"),
    (Side::Other, OfficerRole::Head, "consent"),
    (Side::Other, OfficerRole::LegalOfficer, "consent"),
    (Side::Other, OfficerRole::Investigator, "seal"),
    (Side::One, OfficerRole::LegalOfficer, "conditions"),
    (Side::One, OfficerRole::Investigator, "receive"),
];

/// Two units, their officers, and the broker.
struct Scene {
    served: Option<Served>,
    units: Vec<Unit>,
    staffs: Vec<Staff>,
}

impl Scene {
    async fn matched(folder: &Path, records: usize) -> Scene {
        let served = Served::start(&folder.join("broker"), "Killed", None).await.unwrap();
        let mut units = Vec::new();
        for name in ["GM", "SN"] {
            let unit = Unit::admitted(&folder.join(name), name, name, &served).await.unwrap();
            let file = folder.join(format!("{name}.csv"));
            let rows = (0..records).map(|row| format!("{name}-{row},+2217712{row:05}\n")).collect::<String>();
            std::fs::write(&file, format!("record,phone\n{rows}")).unwrap();
            unit.import(&file, None).await.unwrap();
            units.push(unit);
        }
        verify_all(&mut units).await.unwrap();
        let text = accord().replace("tick_ms = 500", "tick_ms = 200").replace("delay = 2", "delay = 0");
        agree(&mut units, &text.replace("window_ticks = 24", "window_ticks = 200")).await.unwrap();
        let mut units = settle(units, Duration::from_secs(120), &mut |_, _| {}).await.unwrap();
        let staffs = Staff::appoint_all(&mut units).await.unwrap();
        Scene { served: Some(served), units, staffs }
    }

    /// The talks about one record of both.
    async fn talks(&mut self, record: usize) -> Talks<'_> {
        let handle = handle_of(&self.units[0], &self.units[1], &format!("GM-{record}")).await.unwrap();
        let [gm, sn] = self.units.get_disjoint_mut([0, 1]).unwrap();
        Talks::new(handle, [gm, sn], [&self.staffs[0], &self.staffs[1]])
    }

    /// A unit ends in the middle of what it does, its vault's file with it, and is opened again from disk.
    async fn killed(&mut self, at: usize) {
        let Unit { name, folder, vault, session, mut events } = self.units.remove(at);
        let path = vault.path().to_owned();
        let mut session = session;
        events.extend(session.take_events());
        drop((session, vault));
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        // The old connections close by themselves: until then the file is not free.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let vault = Vault::open(&path, &passphrase).await.unwrap();
        let mut session = Session::open(vault.clone(), system_clock()).await.unwrap();
        session.connect(patience()).await.unwrap();
        self.units.insert(at, Unit { name, folder, vault, session, events });
    }

    /// The broker ends, and comes back from its folder under another address.
    async fn broker_again(&mut self) {
        let served = self.served.take().unwrap();
        let folder = served.folder.clone();
        served.stop().await.unwrap();
        let served = Served::again(&folder).await.unwrap();
        for unit in &mut self.units {
            unit.moved(&served.address).await.unwrap();
        }
        self.served = Some(served);
    }
}

/// A session as after a crash: what was in memory only is gone.
async fn again(unit: &mut Unit) {
    unit.events.extend(unit.session.take_events());
    let mut session = Session::open(unit.vault.clone(), system_clock()).await.unwrap();
    session.connect(patience()).await.unwrap();
    unit.session = session;
}

/// What a handover has come to.
#[derive(PartialEq, Eq, Debug)]
struct Came {
    acts: Vec<(String, u32, String)>,
    state: String,
    parcels: usize,
    receipts: usize,
    parts: usize,
    opened: bool,
}

/// Plays the handover about one record. `end`: at which step something ends, and what.
async fn play(scene: &mut Scene, record: usize, folder: &Path, end: Option<(usize, Ends)>) -> Came {
    scene.talks(record).await.begin().await.unwrap();
    let mut packed: Option<Packed> = None;
    let mut shown: Option<ConsentShown> = None;
    for (at, (side, role, event)) in STEPS.into_iter().enumerate() {
        let mut talks = scene.talks(record).await;
        if event == "consent" && packed.is_none() {
            packed = Some(pack(&mut talks, Side::Other, NOTE, Some(folder)).await.unwrap());
        }
        let (content, matter) = say(&mut talks, side, role, event, packed.as_ref(), &mut shown).await;
        let officer = talks.staff(side).of(role).unwrap();
        let handle = talks.handle;
        let unit = talks.unit(side);
        unit.session.sign_act(officer.signatory(), &handle, event, content, matter).await.unwrap();
        let ends = end.filter(|(step, _)| *step == at).map(|(_, ends)| ends);
        if ends == Some(Ends::Signed) {
            again(unit).await;
        }
        // One round sends it; what came back in it may be lost again.
        match ends {
            Some(Ends::Within(ms)) => {
                let whole = tokio::time::timeout(Duration::from_millis(ms), unit.round(Duration::ZERO)).await;
                whole.map_or(Ok(()), |round| round).unwrap();
            }
            _ => unit.round(Duration::ZERO).await.unwrap(),
        }
        match ends {
            Some(Ends::Sent) => again(unit).await,
            Some(Ends::Across) => again(talks.unit(side.peer())).await,
            Some(Ends::Broker) => scene.broker_again().await,
            Some(Ends::Within(_)) => scene.killed(if side == Side::One { 0 } else { 1 }).await,
            Some(Ends::Signed) | None => {}
        }
        let mut talks = scene.talks(record).await;
        talks.carry(side).await.unwrap();
        if event == "seal" {
            // What ended at the seal lets the parts go only after it is back.
            talks.carry(side).await.unwrap();
        }
    }

    let mut talks = scene.talks(record).await;
    let packed = packed.unwrap();
    let package = packed.draft.manifest.package_hash();
    let opened = exercise::handover::open(&mut talks, Side::One, &package).await.unwrap();
    assert_eq!(opened.files[0].1.len(), ATTACHED);
    let (handle, gm, sn) = (talks.handle, talks.unit(Side::One).name.clone(), talks.unit(Side::Other).name.clone());
    let kept = [(Side::One, sn.clone()), (Side::Other, gm)];
    let mut histories = Vec::new();
    for (side, peer) in kept {
        let history = talks.unit(side).session.history(&peer, &handle).await.unwrap();
        let acts = history.iter().map(|entry| Act::from_bytes(&entry.head).unwrap().statement);
        histories.push(acts.map(|said| (said.unit.to_string(), said.number, said.event)).collect::<Vec<_>>());
    }
    assert_eq!(histories[0], histories[1], "both sides have the same acts");
    let case = talks.prospect(Side::Other).unwrap().case;
    let parts = talks.unit(Side::One).vault.list(&format!("in/{sn}/{handle}/")).await.unwrap();
    Came {
        acts: histories.swap_remove(0),
        state: talks.state().unwrap(),
        parcels: case.ledger().parcels().len(),
        receipts: case.ledger().parcels().iter().filter(|parcel| parcel.received_by.is_some()).count(),
        parts: parts.len(),
        opened: opened == packed.contents,
    }
}

/// What is said at a step, from the case as the acting unit has it now.
async fn say(
    talks: &mut Talks<'_>,
    side: Side,
    role: OfficerRole,
    event: &str,
    packed: Option<&Packed>,
    shown: &mut Option<ConsentShown>,
) -> (Content, Matter) {
    let handle = talks.handle;
    let provider = talks.unit(Side::Other).name.clone();
    let prospect = talks.prospect(side).unwrap();
    let attestations = prospect.manual.attestations().to_vec();
    let session = &mut talks.unit(side).session;
    let mut matter = session.matter();
    let package = packed.map(|packed| packed.draft.manifest.package_hash());
    let content = match event {
        "propose" => {
            matter.fields = vec![field("phone", ContentKind::Text)];
            Content::Offer(Outcome::Handover, Some(provider))
        }
        "consent" => {
            let consent = match session.waiting_consent(&prospect).await.unwrap() {
                Some(waiting) => waiting,
                None => {
                    let draft = &packed.unwrap().draft;
                    session.terms_of(&prospect, draft, ConsentKind::Parcel, until_ms()).unwrap()
                }
            };
            matter.openings = Some(consent.openings.clone());
            if role == OfficerRole::LegalOfficer {
                matter.attestations = attestations;
            }
            let terms = consent.terms.clone();
            *shown = Some(consent);
            Content::Consent(terms)
        }
        "seal" => {
            let id = shown.as_ref().unwrap().terms.id();
            Content::Parcel(Box::new(session.seal(&handle, &id).await.unwrap()))
        }
        "conditions" => Content::Conditions(package.unwrap()),
        "receive" => Content::Receipt(package.unwrap()),
        _ => Content::Nothing,
    };
    (content, matter)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_between_proposal_and_receipt_nothing_is_lost_and_nothing_happens_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let places: Vec<(usize, Ends)> =
        (0..STEPS.len()).flat_map(|step| ALL.map(|ends| (step, ends))).chain(WITHIN.map(|ends| (SEAL, ends))).collect();
    let count = 1 + places.len();
    let mut scene = Scene::matched(folder, count).await;
    let attachments = folder.join("attachments");
    let calm = play(&mut scene, 0, &attachments, None).await;
    assert_eq!((calm.state.as_str(), calm.parcels, calm.receipts, calm.parts), ("handed-over", 1, 1, 2));
    assert!(calm.opened);
    for (at, place) in places.into_iter().enumerate() {
        let came = play(&mut scene, 1 + at, &attachments, Some(place)).await;
        assert_eq!(came, calm, "{place:?}");
    }
    for unit in &scene.units {
        let alarm = unit.events.iter().find(|event| {
            matches!(
                event,
                Event::ActRefused(..) | Event::Objection(..) | Event::Rejected(..) | Event::SplitView | Event::Restored
            )
        });
        assert_eq!(alarm, None, "{}", unit.name);
        let came = unit.events.iter().filter(|event| matches!(event, Event::ParcelCame(..))).count();
        assert_eq!(came, if unit.name.as_str() == "GM" { count } else { 0 });
    }
    scene.served.take().unwrap().stop().await.unwrap();
}
