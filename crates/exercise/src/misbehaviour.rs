//! One attempt of each misbehaviour against a small federation of real parts, and whether it was caught.
//!
//! The broker's operator acts with full access to the broker's database and keys; a dishonest unit with full access to
//! its own vault. Nothing in the product has a switch for any of this. Caller: the story; tests run each alone.
//!
//! *Not* a proof: docs/THREATS.md says what each check rests on.

mod fishing;
mod log_rewriting;
mod matching;
mod substitution;
mod wrong_evaluation;

use crate::federation::{ACCORD, Served, Unit, agree, verify_all};
use anyhow::Result;
use client::agent::Event;
use std::path::Path;
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
}

/// All of them.
pub const ALL: [Misbehaviour; 6] = [
    Misbehaviour::InventedMatch,
    Misbehaviour::DroppedMatches,
    Misbehaviour::SubstitutedKey,
    Misbehaviour::Fishing,
    Misbehaviour::WrongEvaluation,
    Misbehaviour::RewrittenLog,
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
                "Le courtier cache la moitié des correspondances : des canaris que les deux unités ont posés manquent.",
            ),
            Misbehaviour::SubstitutedKey => (
                "Somebody joins under the name of GM: the verification codes differ, and nothing is exchanged.",
                "Quelqu'un s'inscrit sous le nom de GM : les codes de vérification diffèrent, rien n'est échangé.",
            ),
            Misbehaviour::Fishing => (
                "SN asks for more points than the accord allows: GM refuses, signed, and its officers are told.",
                "SN demande plus de points que l'accord ne permet : GM refuse, avec signature, et ses agents le savent.",
            ),
            Misbehaviour::WrongEvaluation => (
                "GM answers with another scalar than it committed to: the proof does not hold.",
                "GM répond avec un autre scalaire que celui engagé : la preuve ne tient pas.",
            ),
            Misbehaviour::RewrittenLog => (
                "The broker changes an old entry of the log and signs again: no consistency proof leads there.",
                "Le courtier change une ancienne entrée du journal et signe de nouveau : aucune preuve n'y mène.",
            ),
        }
    }

    /// Tries it in a fresh federation below `folder`; whether it was caught.
    pub async fn attempt(self, folder: &Path) -> Result<bool> {
        match self {
            Misbehaviour::InventedMatch => matching::invent(folder).await,
            Misbehaviour::DroppedMatches => matching::drop_some(folder).await,
            Misbehaviour::SubstitutedKey => substitution::substitute(folder).await,
            Misbehaviour::Fishing => fishing::fish(folder).await,
            Misbehaviour::WrongEvaluation => wrong_evaluation::answer_wrongly(folder).await,
            Misbehaviour::RewrittenLog => log_rewriting::rewrite(folder).await,
        }
    }
}

/// The accord of the small federations: shorter ticks, few canaries, a small quota.
fn small_accord() -> String {
    ACCORD
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
        let mut small = Self::joined(folder).await?;
        let mut units = vec![small.gm, small.sn];
        verify_all(&mut units).await?;
        agree(&mut units, &small_accord()).await?;
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
