//! What the units agreed on, as the log's order shows it: accords, who signed them, and which epochs are closed.
//!
//! The chain of accords begins with the first that became complete; each further one begins where an epoch of the one
//! before it begins. An accord becomes complete with the signature of the last member who must sign, or when that member
//! is no longer one; an amendment only before its first tick. So every unit that folds the log reaches the same chain.
//!
//! Callers: [`crate::accept`], [`crate::closing`], [`crate::membership`]. *Not here:* what terms mean.

use crate::broker::Broker;
use crate::log::Writing;
use crate::store::{Ask, Result, StoreError};
use protocol::accord::{Accord, AccordError, Proposal};
use protocol::calendar::Start;
use protocol::codec::Hash;
use protocol::name::UnitName;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

/// All accords, and what became of epochs. A snapshot: it is read anew when the log changed it.
#[derive(Default, Debug)]
pub struct Agreement {
    version: u64,
    chain: Vec<Arc<Accord>>,
    proposals: BTreeMap<Hash, Proposal>,
    closed: BTreeSet<u32>,
}

/// Why an act about an accord is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum AccordRefused {
    /// The text or its start.
    #[error(transparent)]
    Text(#[from] AccordError),
    /// The text is not UTF-8.
    #[error("the accord's text is not UTF-8")]
    NotText,
    /// The first accord begins with epoch 1 and tick 0.
    #[error("the first accord begins with epoch 1 and tick 0")]
    First,
    /// The very same is proposed already.
    #[error("this accord is proposed already")]
    Repeated,
    /// A signature under an accord that nobody proposed.
    #[error("nobody proposed this accord")]
    Unknown,
    /// A second signature of the same unit.
    #[error("this unit has signed this accord already")]
    SignedAlready,
    /// Its first tick has begun, and it was not complete.
    #[error("the accord was not complete when its first tick began: propose it for a later epoch")]
    Late,
    /// Another accord took its place.
    #[error("another accord became complete before this one: propose it anew")]
    Overtaken,
}

impl AccordRefused {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            AccordRefused::Text(AccordError::TooLong) => "accord-too-long",
            AccordRefused::Text(AccordError::Text(_)) => "accord-unreadable",
            AccordRefused::Text(AccordError::Term { .. }) => "accord-term",
            AccordRefused::Text(AccordError::Start) | AccordRefused::First => "accord-start",
            AccordRefused::NotText => "accord-unreadable",
            AccordRefused::Repeated => "accord-repeated",
            AccordRefused::Unknown => "accord-unknown",
            AccordRefused::SignedAlready => "accord-signed-already",
            AccordRefused::Late => "accord-late",
            AccordRefused::Overtaken => "accord-overtaken",
        }
    }
}

impl Agreement {
    /// The accord that rules `epoch`.
    pub fn for_epoch(&self, epoch: u32) -> Option<&Accord> {
        self.chain.iter().rev().find(|accord| accord.start().epoch <= epoch).map(|accord| &**accord)
    }

    /// The accord that rules at `now_ms`: none before the first has begun.
    pub fn ruling_at(&self, now_ms: u64) -> Option<&Accord> {
        self.chain.iter().rev().find(|accord| accord.start().at_ms <= now_ms).map(|accord| &**accord)
    }

    /// The accord that rules in a tick, as units reckon it by the ticks of headers.
    pub fn ruling_in(&self, tick: u64) -> Option<&Accord> {
        self.chain.iter().rev().find(|accord| accord.start().tick <= tick).map(|accord| &**accord)
    }

    /// The tick at `now_ms`.
    pub fn tick_at(&self, now_ms: u64) -> Option<u64> {
        self.ruling_at(now_ms)?.calendar().tick_at(now_ms)
    }

    /// Whether any accord is complete.
    pub fn is_founded(&self) -> bool {
        !self.chain.is_empty()
    }

    /// The last accord of the chain: the one that an amendment must follow.
    pub fn last(&self) -> Option<&Accord> {
        self.chain.last().map(|accord| &**accord)
    }

    /// Whether `unit` has signed `accord`.
    pub fn is_party(&self, accord: &Hash, unit: &UnitName) -> bool {
        self.proposals.get(accord).is_some_and(|proposal| proposal.signed.contains(unit))
    }

    /// Whether `epoch` was closed.
    pub fn is_closed(&self, epoch: u32) -> bool {
        self.closed.contains(&epoch)
    }

    /// Epochs that are over at `tick` and not closed yet, ascending.
    pub fn overdue(&self, tick: u64) -> Vec<u32> {
        let first = self.closed.last().map_or(1, |last| last.saturating_add(1));
        let is_over = |epoch: &u32| {
            let end = self.for_epoch(*epoch).and_then(|accord| accord.calendar().last_live_tick(*epoch));
            end.is_some_and(|end| end < tick)
        };
        (first..u32::MAX).take_while(is_over).collect()
    }

    /// The accord of this hash, if it is complete.
    pub fn complete(&self, accord: &Hash) -> Option<&Accord> {
        self.chain.iter().find(|complete| complete.hash() == *accord).map(|accord| &**accord)
    }

    fn is_complete(&self, accord: &Hash) -> bool {
        self.complete(accord).is_some()
    }

    fn check_start(&self, accord: &Accord) -> Result<(), AccordRefused> {
        match self.last() {
            Some(last) => accord.check_follows(last).map_err(AccordRefused::Text),
            None if accord.start().epoch == 1 && accord.start().tick == 0 => Ok(()),
            None => Err(AccordRefused::First),
        }
    }

    async fn load(version: u64, from: &mut impl Ask) -> Result<Agreement> {
        let damaged = |_| StoreError::Corrupt("an accord is damaged");
        let mut agreement = Agreement { version, ..Agreement::default() };
        let mut complete = Vec::new();
        const ACCORDS: &str = "SELECT start_epoch, start_tick, start_ms, text, needed, complete FROM accord";
        for mut row in from.ask(ACCORDS, &[]).await? {
            let epoch = u32::try_from(row.int(0)?).map_err(|_| StoreError::Corrupt("an epoch"))?;
            let start = Start { epoch, tick: row.int(1)?, at_ms: row.int(2)? };
            let accord = Accord::new(&row.text(3)?, start).map_err(damaged)?;
            let needed = row.text(4)?;
            let needed = needed.split_whitespace().map(|name| name.parse::<UnitName>());
            let needed = needed.collect::<Result<Vec<_>, _>>().map_err(|_| StoreError::Corrupt("a name"))?;
            if let Some(at) = row.maybe_int(5)? {
                complete.push((at, Arc::new(accord.clone())));
            }
            agreement.proposals.insert(accord.hash(), Proposal::new(accord, needed));
        }
        complete.sort_by_key(|(at, accord)| (accord.start().epoch, *at));
        agreement.chain = complete.into_iter().map(|(_, accord)| accord).collect();
        for mut row in from.ask("SELECT accord, unit FROM accord_signature", &[]).await? {
            let (accord, unit) = (row.bytes::<32>(0)?, row.parsed::<UnitName>(1)?);
            if let Some(proposal) = agreement.proposals.get_mut(&accord) {
                proposal.signed.insert(unit);
            }
        }
        for mut row in from.ask("SELECT epoch FROM closed_epoch", &[]).await? {
            agreement.closed.insert(u32::try_from(row.int(0)?).map_err(|_| StoreError::Corrupt("an epoch"))?);
        }
        Ok(agreement)
    }
}

impl Broker {
    /// What the units agreed on, as it stands now.
    pub async fn agreement(&self) -> Result<Arc<Agreement>> {
        let row = self.store().first("SELECT value FROM counter WHERE name = 'accord'", &[]).await?;
        let version = row.ok_or(StoreError::Corrupt("a counter is missing"))?.int(0)?;
        self.agreement_at(version).await
    }

    /// As [`Broker::agreement`], for whoever has just read its version from the store.
    pub(crate) async fn agreement_at(&self, version: u64) -> Result<Arc<Agreement>> {
        match self.kept_agreement(version) {
            Some(kept) => Ok(kept),
            None => Ok(self.keep_agreement(Agreement::load(version, &mut self.store()).await?)),
        }
    }

    /// As [`Broker::agreement`], seen from inside an act.
    pub(crate) async fn agreement_in(&self, writing: &mut Writing) -> Result<Arc<Agreement>> {
        let (version, is_new) = writing.accords();
        if let Some(kept) = self.kept_agreement(version) {
            return Ok(kept);
        }
        let read = Agreement::load(version, &mut writing.tx).await?;
        // An act that is undone leaves a version that the next one reaches with other content: only what is committed is
        // kept.
        Ok(if is_new { Arc::new(read) } else { self.keep_agreement(read) })
    }

    fn kept_agreement(&self, version: u64) -> Option<Arc<Agreement>> {
        let kept = self.agreement_cell().lock().unwrap_or_else(PoisonError::into_inner);
        (kept.version == version).then(|| kept.clone())
    }

    fn keep_agreement(&self, read: Agreement) -> Arc<Agreement> {
        let read = Arc::new(read);
        *self.agreement_cell().lock().unwrap_or_else(PoisonError::into_inner) = read.clone();
        read
    }

    /// A proposal, made when all who are admitted now were the roster.
    pub(crate) async fn propose(
        &self,
        writing: &mut Writing,
        start: Start,
        text: &[u8],
    ) -> Result<Result<(), AccordRefused>> {
        let agreement = self.agreement_in(writing).await?;
        let checked = std::str::from_utf8(text).map_err(|_| AccordRefused::NotText).and_then(|text| {
            let accord = Accord::new(text, start)?;
            agreement.check_start(&accord)?;
            if agreement.proposals.contains_key(&accord.hash()) { Err(AccordRefused::Repeated) } else { Ok(accord) }
        });
        let accord = match checked {
            Ok(accord) => accord,
            Err(refused) => return Ok(Err(refused)),
        };
        let members = members(&mut writing.tx).await?;
        let needed = members.iter().map(UnitName::as_str).collect::<Vec<_>>().join(" ");
        const KEEP: &str = "INSERT INTO accord (hash, start_epoch, start_tick, start_ms, text, proposed, needed)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (hash, start) = (accord.hash(), accord.start());
        let args = [
            (&hash).into(),
            start.epoch.into(),
            start.tick.into(),
            start.at_ms.into(),
            accord.text().into(),
            writing.size().into(),
            needed.as_str().into(),
        ];
        writing.tx.run(KEEP, &args).await?;
        writing.accords_changed().await?;
        Ok(Ok(()))
    }

    /// A signature of `unit` under `accord`.
    pub(crate) async fn sign_accord(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        accord: &Hash,
        (tick, now_ms): (u64, u64),
    ) -> Result<Result<(), AccordRefused>> {
        let agreement = self.agreement_in(writing).await?;
        let Some(proposal) = agreement.proposals.get(accord) else { return Ok(Err(AccordRefused::Unknown)) };
        if proposal.signed.contains(unit) {
            return Ok(Err(AccordRefused::SignedAlready));
        }
        if !agreement.is_complete(accord) {
            if agreement.check_start(&proposal.accord).is_err() {
                return Ok(Err(AccordRefused::Overtaken));
            }
            // By this broker's clock and by the header's tick both: units know the second only.
            let start = proposal.accord.start();
            if agreement.is_founded() && (now_ms >= start.at_ms || tick >= start.tick) {
                return Ok(Err(AccordRefused::Late));
            }
        }
        const KEEP: &str = "INSERT INTO accord_signature (accord, unit, entry) VALUES ($1, $2, $3)";
        writing.tx.run(KEEP, &[accord.into(), unit.as_str().into(), writing.size().into()]).await?;
        writing.accords_changed().await?;
        self.complete_accords(writing, now_ms).await?;
        Ok(Ok(()))
    }

    /// Marks what has become complete: called after each signature, and after each change of the roster.
    pub(crate) async fn complete_accords(&self, writing: &mut Writing, now_ms: u64) -> Result<()> {
        loop {
            let agreement = self.agreement_in(writing).await?;
            let members = members(&mut writing.tx).await?;
            let ready = agreement.proposals.values().find(|proposal| {
                let in_time = !agreement.is_founded() || now_ms < proposal.accord.start().at_ms;
                !agreement.is_complete(&proposal.accord.hash())
                    && in_time
                    && agreement.check_start(&proposal.accord).is_ok()
                    && proposal.is_complete(|unit| members.contains(unit))
            });
            let Some(ready) = ready else { return Ok(()) };
            const DONE: &str = "UPDATE accord SET complete = $1 WHERE hash = $2";
            writing.tx.run(DONE, &[writing.size().into(), (&ready.accord.hash()).into()]).await?;
            writing.accords_changed().await?;
        }
    }
}

/// All who are admitted.
pub(crate) async fn members(from: &mut impl Ask) -> Result<BTreeSet<UnitName>> {
    let rows = from.ask("SELECT name FROM unit WHERE standing = 0", &[]).await?;
    rows.into_iter().map(|mut row| row.parsed(0)).collect()
}
