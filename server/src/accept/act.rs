//! Taking in an act: the broker referees it with the same engine as the two units (R29, R30, R33).
//!
//! What is checked is what is public: whose act it is, the officer's signature, the case's round, the manual's public
//! guards, and the consent kernel. The act goes to *both* mailboxes, so that both units fold the same acts in the order
//! of the log.
//!
//! Caller: [`super`]. *Not here:* sealed matter, whose guards the two units check; of it the broker sees the length.

use super::content::Content;
use super::{Deliver, OrFail, Stop, welcome};
use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::cases;
use crate::log::Writing;
use crate::matter;
use crate::officers::officers_of;
use crate::parcels;
use crate::refusal::{ParcelRefused, ReceiverRefused, SenderRefused};
use protocol::accord::Accord;
use protocol::act::{Act, ActRefused};
use protocol::case::{Case, CaseRefused};
use protocol::envelope::{Header, Role};
use protocol::name::{Pair, UnitName};

impl Broker {
    pub(super) async fn take_in_act(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        agreement: &Agreement,
        header: &Header,
        content: &Content,
        now_ms: u64,
    ) -> Result<Deliver, Stop> {
        let act: Act = content.head()?;
        if (header.role == Role::Officer) != act.officer.is_some() {
            return Err(SenderRefused::Role.into());
        }
        let said = &act.statement;
        let peer = header.receiver.unit().ok_or(ReceiverRefused::Kind)?;
        let pair = Pair::new(unit, peer).ok_or(ReceiverRefused::Oneself)?;
        if (&said.low, &said.high) != (pair.low(), pair.high()) {
            return Err(ActRefused::Place.into());
        }
        welcome::check_peer(writing, unit, peer, agreement, &said.accord).await?;
        let manual = self.manual(agreement, &said.accord)?;
        let officers = officers_of(&mut writing.tx, &[pair.low(), pair.high()]).await.or_fail()?;
        let verified = act.verify(self.federation(), unit, &officers)?;

        let rules = |accord: Option<&Accord>| accord.is_some_and(|accord| accord.hash() == said.accord);
        let case = match cases::load(writing, &said.handle).await.or_fail()? {
            Some(case) => case,
            // Of this broker's clock and of the header's tick both: units know the second only.
            None if !rules(agreement.ruling_at(now_ms)) || !rules(agreement.ruling_in(header.tick)) => {
                return Err(CaseRefused::Accord.into());
            }
            None => Case::open(&manual, *self.federation(), said.accord, said.handle, &pair, said.at_ms),
        };
        // Before any clock is asked: the manual at hand is that of the act's accord.
        if *case.accord() != said.accord || case.units() != [pair.low(), pair.high()] {
            return Err(CaseRefused::Place.into());
        }
        case.check_moment(&manual, &verified, now_ms)?;
        let next = case.apply(&manual, &verified, &officers)?;
        if let protocol::act::Content::Parcel(head) = &said.content
            && !parcels::check_room(writing, &next, head.parts, now_ms).await.or_fail()?
        {
            return Err(ParcelRefused::Storage.into());
        }
        cases::store(writing, &next, &manual).await.or_fail()?;
        parcels::settle(writing, &next, &manual, now_ms).await.or_fail()?;
        matter::note(writing, &said.handle).await.or_fail()?;
        Ok(Deliver::Both)
    }
}
