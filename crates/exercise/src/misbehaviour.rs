//! One attempt of each misbehaviour against a small federation of real parts, and whether it was caught.
//!
//! The broker's operator acts with full access to the broker's database and keys; a dishonest unit with full access to
//! its own vault. Nothing in the product has a switch for any of this. Caller: the story; tests run each alone.
//!
//! *Not* a proof: docs/THREATS.md says what each check rests on.

mod consents;
mod dishonest;
mod fishing;
mod log_rewriting;
mod matching;
mod substitution;
mod table;
mod turns;
mod wrong_evaluation;

use crate::federation::{Served, Unit, accord, agree, verify_all};
use anyhow::Result;
use client::agent::Event;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// A misbehaviour that is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misbehaviour {
    /// The broker makes up a match.
    InventedMatch,
    /// The broker hides matches.
    DroppedMatches,
    /// Somebody joins under another unit's name.
    SubstitutedKey,
    /// A unit asks for more than its quota.
    Fishing,
    /// A unit answers with another scalar than it committed to.
    WrongEvaluation,
    /// The broker changes an entry of the log, and signs it anew.
    RewrittenLog,
    /// A unit seals a parcel without consent.
    NoConsent,
    /// A unit seals another package than the one consented to.
    OtherPackage,
    /// One officer signs both signatures of a consent.
    SameOfficer,
    /// A unit acts when it is the other's turn.
    OutOfTurn,
    /// An officer signs a consent that has expired.
    LateConsent,
    /// A unit seals twice from one consent.
    ReplayedConsent,
    /// The operator moves a case.
    OperatorAdvances,
}

/// All of them.
pub const ALL: [Misbehaviour; 13] = [
    Misbehaviour::InventedMatch,
    Misbehaviour::DroppedMatches,
    Misbehaviour::SubstitutedKey,
    Misbehaviour::Fishing,
    Misbehaviour::WrongEvaluation,
    Misbehaviour::RewrittenLog,
    Misbehaviour::NoConsent,
    Misbehaviour::OtherPackage,
    Misbehaviour::SameOfficer,
    Misbehaviour::OutOfTurn,
    Misbehaviour::LateConsent,
    Misbehaviour::ReplayedConsent,
    Misbehaviour::OperatorAdvances,
];

impl Misbehaviour {
    /// For programs.
    pub fn name(self) -> &'static str {
        match self {
            Misbehaviour::InventedMatch => "caught: a broker that invents a match",
            Misbehaviour::DroppedMatches => "caught: a broker that drops matches",
            Misbehaviour::SubstitutedKey => "caught: a substituted unit key",
            Misbehaviour::Fishing => "caught: a fishing unit over its quota",
            Misbehaviour::WrongEvaluation => "caught: a wrong evaluation",
            Misbehaviour::RewrittenLog => "caught: a rewritten log",
            Misbehaviour::NoConsent => "caught: a parcel without consent",
            Misbehaviour::OtherPackage => "caught: a consent over another package",
            Misbehaviour::SameOfficer => "caught: one officer signing twice",
            Misbehaviour::OutOfTurn => "caught: an act out of turn",
            Misbehaviour::LateConsent => "caught: a late consent",
            Misbehaviour::ReplayedConsent => "caught: a replayed consent",
            Misbehaviour::OperatorAdvances => "caught: an operator who advances a state",
        }
    }

    /// For people: what was tried and how it was seen, in English and French.
    pub fn story(self) -> (&'static str, &'static str) {
        match self {
            Misbehaviour::InventedMatch => (
                "The broker puts a leaf of its own under a tag of SN's: GM and SN both see that nobody evaluated it.",
                "Le courtier place une feuille à lui sous une étiquette de SN : GM et SN voient que personne ne l'a évaluée.",
            ),
            Misbehaviour::DroppedMatches => (
                "The broker hides half of the matches: canaries that both units planted are missing.",
                "Le courtier cache la moitié des concordances : des témoins piégés que les deux unités ont placés manquent.",
            ),
            Misbehaviour::SubstitutedKey => (
                "Somebody joins under the name of GM: the verification codes differ, and nothing is exchanged.",
                "Quelqu'un s'inscrit sous le nom de GM : les codes de vérification diffèrent, rien n'est échangé.",
            ),
            Misbehaviour::Fishing => (
                "SN asks for more points than the accord allows: GM refuses, signed, and its officers are told.",
                "SN demande plus de points que l'accord ne permet : GM refuse, avec signature, et ses officiers le savent.",
            ),
            Misbehaviour::WrongEvaluation => (
                "GM answers with another scalar than it committed to: the proof does not hold.",
                "GM répond avec un autre scalaire que celui engagé : la preuve ne tient pas.",
            ),
            Misbehaviour::RewrittenLog => (
                "The broker changes an old entry of the log and signs again: no consistency proof leads there.",
                "Le courtier change une ancienne entrée du journal et signe de nouveau : aucune preuve n'y mène.",
            ),
            Misbehaviour::NoConsent => (
                "SN seals a parcel without consent: the broker refuses; where the operator lets it pass, GM refuses.",
                "SN scelle un colis sans consentement : le courtier refuse ; si l'opérateur le laisse passer, GM refuse.",
            ),
            Misbehaviour::OtherPackage => (
                "SN's officers consented to one package, and it seals another: the broker refuses, and so does GM.",
                "Les officiers de SN ont consenti à un lot, elle en scelle un autre : le courtier refuse, GM aussi.",
            ),
            Misbehaviour::SameOfficer => (
                "SN's head signs a consent twice, in the legal officer's place: the broker refuses, and so does GM.",
                "Le chef de SN signe deux fois, à la place du juriste : le courtier refuse, GM aussi.",
            ),
            Misbehaviour::OutOfTurn => (
                "SN accepts its own offer: the broker refuses, and so does GM.",
                "SN accepte sa propre offre : le courtier refuse, GM aussi.",
            ),
            Misbehaviour::LateConsent => (
                "SN's legal officer signs after the consent has expired: the broker refuses, and so does GM.",
                "Le juriste de SN signe après l'expiration du consentement : le courtier refuse, GM aussi.",
            ),
            Misbehaviour::ReplayedConsent => (
                "SN uses a consent a second time: the broker refuses, and so does GM.",
                "SN se sert deux fois d'un consentement : le courtier refuse, GM aussi.",
            ),
            Misbehaviour::OperatorAdvances => (
                "The operator ages a case, so that its limit seems past: both units see that it is early, and refuse.",
                "L'opérateur vieillit un dossier pour que son délai semble échu : les deux unités le voient et refusent.",
            ),
        }
    }

    /// Tries it in a fresh federation below `folder`; whether it was caught.
    pub async fn attempt(self, folder: &Path) -> Result<bool> {
        // On the heap: attempts are deep, and a worker's stack is small.
        let attempt: Pin<Box<dyn Future<Output = Result<bool>> + Send + '_>> = match self {
            Misbehaviour::InventedMatch => Box::pin(matching::invent(folder)),
            Misbehaviour::DroppedMatches => Box::pin(matching::drop_some(folder)),
            Misbehaviour::SubstitutedKey => Box::pin(substitution::substitute(folder)),
            Misbehaviour::Fishing => Box::pin(fishing::fish(folder)),
            Misbehaviour::WrongEvaluation => Box::pin(wrong_evaluation::answer_wrongly(folder)),
            Misbehaviour::RewrittenLog => Box::pin(log_rewriting::rewrite(folder)),
            Misbehaviour::NoConsent => Box::pin(consents::no_consent(folder)),
            Misbehaviour::OtherPackage => Box::pin(consents::other_package(folder)),
            Misbehaviour::SameOfficer => Box::pin(consents::same_officer(folder)),
            Misbehaviour::OutOfTurn => Box::pin(turns::out_of_turn(folder)),
            Misbehaviour::LateConsent => Box::pin(consents::late(folder)),
            Misbehaviour::ReplayedConsent => Box::pin(consents::replayed(folder)),
            Misbehaviour::OperatorAdvances => Box::pin(turns::operator_advances(folder)),
        };
        attempt.await
    }
}

/// The accord of the small federations: shorter ticks, few canaries, a small quota.
fn small_accord() -> String {
    accord()
        .replace("tick_ms = 500", "tick_ms = 200")
        .replace("opening_max = 4194304", "opening_max = 256")
        .replace("bulk_max = 4194304", "bulk_max = 256")
        .replace("epoch_ticks = 100000", "epoch_ticks = 4000")
        .replace("window_ticks = 24", "window_ticks = 6")
        .replace("count = 40", "count = 12")
        .replace("delay = 2", "delay = 0")
}

/// Two units, GM and SN, in a federation of their own. They share two phones.
struct Small {
    served: Served,
    gm: Unit,
    sn: Unit,
}

impl Small {
    /// Founded, verified, with registers and an accord.
    async fn agreed(folder: &Path) -> Result<Small> {
        Self::agreed_on(folder, &small_accord()).await
    }

    /// On another accord.
    async fn agreed_on(folder: &Path, text: &str) -> Result<Small> {
        let mut small = Self::joined(folder).await?;
        let mut units = vec![small.gm, small.sn];
        verify_all(&mut units).await?;
        agree(&mut units, text).await?;
        let [gm, sn] = <[Unit; 2]>::try_from(units).map_err(|_| anyhow::anyhow!("two units"))?;
        small.gm = gm;
        small.sn = sn;
        Ok(small)
    }

    /// Founded and admitted, with registers.
    async fn joined(folder: &Path) -> Result<Small> {
        let served = Served::start(&folder.join("broker"), "small", None).await?;
        let gm = Unit::admitted(&folder.join("GM"), "GM", "The Gambia", &served).await?;
        let sn = Unit::admitted(&folder.join("SN"), "SN", "Sénégal", &served).await?;
        for (unit, own) in [(&gm, "+2207001003"), (&sn, "+221771001004")] {
            let file = folder.join(format!("{}.csv", unit.name));
            std::fs::write(&file, format!("record,phone\nA,+221771001001\nB,+2207001002\nC,{own}\n"))?;
            unit.import(&file, None).await?;
        }
        Ok(Small { served, gm, sn })
    }

    /// Lets both work until `enough` says so of what officers were told, or ten seconds are over.
    async fn until(&mut self, enough: impl Fn(&[Event], &[Event]) -> bool) -> Result<bool> {
        self.while_waiting(Duration::from_secs(10), |small| enough(&small.gm.events, &small.sn.events)).await
    }

    async fn while_waiting(&mut self, most: Duration, enough: impl Fn(&Small) -> bool) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < most {
            self.gm.round(Duration::from_millis(20)).await?;
            self.sn.round(Duration::from_millis(20)).await?;
            if enough(self) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets both work until everything is compared.
    async fn settled(&mut self) -> Result<()> {
        let settled = |small: &Small| small.gm.session.agent().is_settled() && small.sn.session.agent().is_settled();
        anyhow::ensure!(self.while_waiting(Duration::from_secs(20), settled).await?, "the small federation settles");
        Ok(())
    }
}
