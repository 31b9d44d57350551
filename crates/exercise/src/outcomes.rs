//! What follows a match: each outcome of the manual played once, on an overlap that was planted for it.
//!
//! Everything goes through the session, the broker and the log, as officers' commands do. Callers: the story, and tests.
//! *Not here:* what must be refused ([`crate::misbehaviour`]), and how what happened is shown ([`crate::played`]).

mod endings;

use crate::federation::Unit;
use crate::officers::Staff;
use crate::played::{Played, acts_of};
use crate::registers::Invented;
use crate::talks::Talks;
use anyhow::{Context, Result, ensure};
use protocol::overlap::Handle;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;

/// An outcome that is played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// Each unit investigates for itself.
    Separate,
    /// One unit hands data over to the other.
    HandedOver,
    /// They work together, and then close.
    Joint,
    /// One unit refuses, with a code.
    Refused,
    /// Two persons shared one telephone.
    FalseMatch,
    /// Handed over, then withdrawn: the content is destroyed.
    Withdrawn,
    /// A threat to life: two officers first, the legal officer within a day.
    Urgent,
}

impl Ending {
    /// All of them.
    pub const ALL: [Ending; 7] = [
        Ending::Separate,
        Ending::HandedOver,
        Ending::Joint,
        Ending::Refused,
        Ending::FalseMatch,
        Ending::Withdrawn,
        Ending::Urgent,
    ];

    /// The two units: who asks, and who has what is asked for.
    pub fn units(self) -> [&'static str; 2] {
        match self {
            Ending::Separate => ["MR", "ML"],
            Ending::HandedOver => ["SN", "NE"],
            Ending::Joint => ["GM", "GN"],
            Ending::Refused => ["CI", "GN"],
            Ending::FalseMatch => ["ML", "CI"],
            Ending::Withdrawn => ["SN", "GN"],
            Ending::Urgent => ["GM", "NE"],
        }
    }

    /// For programs: the name of its check.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Separate => "outcome: each unit investigates for itself",
            Ending::HandedOver => "outcome: data handed over, opened equal to what was packed",
            Ending::Joint => "outcome: joint journal, written from both sides",
            Ending::Refused => "outcome: refused with a code",
            Ending::FalseMatch => "outcome: a false match on a shared phone",
            Ending::Withdrawn => "outcome: withdrawn after receipt, content destroyed and receipted",
            Ending::Urgent => "outcome: urgent disclosure, validated",
        }
    }

    /// The state in which the case is left.
    pub fn state(self) -> &'static str {
        match self {
            Ending::Separate => "separate",
            Ending::HandedOver | Ending::Urgent => "handed-over",
            Ending::Joint | Ending::Withdrawn => "closed",
            Ending::Refused => "refused",
            Ending::FalseMatch => "false-match",
        }
    }

    /// For people: what happened, in English and French.
    pub fn story(self) -> (&'static str, &'static str) {
        match self {
            Ending::Separate => (
                "MR and ML mean the same person, and agree that each goes on for itself: nothing is handed over.",
                "MR et ML visent la même personne et conviennent que chacune poursuit seule : rien n'est remis.",
            ),
            Ending::HandedOver => (
                "NE hands fields, a note and a photograph over to SN: two officers consent, SN accepts the conditions, signs, opens.",
                "NE remet à SN des champs, une note et une photographie : deux officiers consentent, SN accepte les conditions, signe, ouvre.",
            ),
            Ending::Joint => (
                "GM and GN work together: both consent to a shared sealed journal, write in it, and close.",
                "GM et GN travaillent ensemble : les deux consentent à un journal scellé commun, y écrivent, et clôturent.",
            ),
            Ending::Refused => (
                "GN refuses CI, with a code: it would jeopardise an investigation. CI reads the code, the broker does not.",
                "GN refuse à CI, avec un code : une enquête serait compromise. CI lit le code, le courtier non.",
            ),
            Ending::FalseMatch => (
                "ML and CI compare: one telephone, two persons. A false match, and nothing is handed over.",
                "ML et CI comparent : un téléphone, deux personnes. Une fausse concordance, et rien n'est remis.",
            ),
            Ending::Withdrawn => (
                "GN takes back what it handed to SN: SN's agent destroys the content and signs a receipt for each copy.",
                "GN reprend ce qu'elle a remis à SN : l'agent de SN détruit le contenu et signe un reçu pour chaque copie.",
            ),
            Ending::Urgent => (
                "A threat to life: two officers of NE disclose the least fields to GM, and the legal officer validates.",
                "Une vie menacée : deux officiers de NE communiquent à GM le strict minimum, et le juriste valide.",
            ),
        }
    }

    /// Plays it; whether all came as it should. `attachments`: where files to be attached can lie.
    pub async fn play(self, talks: &mut Talks<'_>, attachments: &Path) -> Result<bool> {
        let went_well = match self {
            Ending::Separate => endings::separate(talks).await?,
            Ending::HandedOver => endings::handed_over(talks, attachments).await?,
            Ending::Joint => endings::joint(talks).await?,
            Ending::Refused => endings::refused(talks).await?,
            Ending::FalseMatch => endings::false_match(talks).await?,
            Ending::Withdrawn => endings::withdrawn(talks, attachments).await?,
            Ending::Urgent => endings::urgent(talks).await?,
        };
        Ok(went_well && talks.state()? == self.state())
    }
}

/// Which outcomes are played at once: no unit sits at two tables.
const WAVES: [&[Ending]; 3] = [
    &[Ending::Separate, Ending::HandedOver, Ending::Joint],
    &[Ending::Refused, Ending::Urgent],
    &[Ending::FalseMatch, Ending::Withdrawn],
];

/// How long those who sit at no table wait between their rounds.
const BREATH: Duration = Duration::from_millis(250);

/// A unit with its officers; at a table, somebody else has it.
type Seat = Option<(Unit, Staff)>;

/// Plays every outcome once. `attachments`: where files to be attached can lie, outside the broker's folder.
pub async fn play_all(
    mut units: Vec<Unit>,
    invented: &Invented,
    attachments: &Path,
) -> Result<(Vec<Unit>, Vec<Played>)> {
    let staffs = Staff::appoint_all(&mut units).await?;
    let mut seats: Vec<Seat> = units.into_iter().zip(staffs).map(Some).collect();
    let mut played = Vec::with_capacity(Ending::ALL.len());
    for wave in WAVES {
        let mut tables = JoinSet::new();
        for ending in wave {
            let [one, other] = ending.units().map(|name| leave(&mut seats, name));
            let references = invented.planted(*ending).context("an overlap was planted")?;
            tables.spawn(play_one(*ending, [one?, other?], references, attachments.to_owned()));
        }
        while !tables.is_empty() {
            if let Ok(Some(done)) = tokio::time::timeout(BREATH, tables.join_next()).await {
                let (both, one) = done??;
                played.push(one);
                for (free, seat) in both.into_iter().zip(seats.iter_mut().filter(|seat| seat.is_none())) {
                    *seat = Some(free);
                }
            }
            // Whoever sits at no table works on: a unit that is silent for long looks like one that hides canaries (R22).
            for (unit, _) in seats.iter_mut().flatten() {
                unit.sync().await?;
            }
        }
    }
    played.sort_by_key(|one| one.ending);
    let mut units: Vec<Unit> = seats.into_iter().flatten().map(|(unit, _)| unit).collect();
    units.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((units, played))
}

fn leave(seats: &mut [Seat], name: &str) -> Result<(Unit, Staff)> {
    let is_it = |seat: &&mut Seat| seat.as_ref().is_some_and(|(unit, _)| unit.name.as_str() == name);
    seats.iter_mut().find(is_it).and_then(Option::take).with_context(|| format!("{name} is free"))
}

async fn play_one(
    ending: Ending,
    mut seats: [(Unit, Staff); 2],
    references: [String; 2],
    attachments: PathBuf,
) -> Result<([(Unit, Staff); 2], Played)> {
    let [(one, one_staff), (other, other_staff)] = &mut seats;
    let handle = handle_of(one, other, &references[0]).await?;
    let mut talks = Talks::new(handle, [one, other], [one_staff, other_staff]);
    let ok = ending.play(&mut talks, &attachments).await.with_context(|| ending.name())?;
    let state = talks.state()?;
    let acts = acts_of(&mut talks).await?;
    let played = Played { ending, handle: handle.to_string(), records: references, state, acts, ok };
    Ok((seats, played))
}

/// The handle of the overlap of a record of `one`'s with `other`.
pub async fn handle_of(one: &Unit, other: &Unit, reference: &str) -> Result<Handle> {
    let mut found = Vec::new();
    for (peer, overlap) in one.session.agent().overlaps().filter(|(peer, _)| **peer == other.name) {
        let record = one.session.record_of(&overlap).await?;
        if record.is_some_and(|full| full.record.reference.as_str() == reference) {
            found.push((peer, overlap.handle));
        }
    }
    ensure!(found.len() == 1, "{}'s record {reference} overlaps once with {}: {found:?}", one.name, other.name);
    Ok(found[0].1)
}
