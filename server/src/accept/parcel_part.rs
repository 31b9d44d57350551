//! Taking in a part of a sealed parcel: only of one that an act has sealed from consent, in order, and whole (R31).
//!
//! The act names how many parts there are and the root over them; with the last part all of them are proved to be the
//! ones that were consented to be sent. Caller: [`super`]. *Not here:* how long parts are kept (`parcels`).

use super::content::Content;
use super::{Deliver, OrFail, Stop, welcome};
use crate::agreement::Agreement;
use crate::broker::Broker;
use crate::cases;
use crate::log::Writing;
use crate::parcels::{self, Part};
use crate::refusal::{PartRefused, ReceiverRefused};
use protocol::body::root_of_hashes;
use protocol::case::CaseRefused;
use protocol::envelope::Header;
use protocol::message::ParcelPart;
use protocol::name::{Pair, UnitName};

impl Broker {
    pub(super) async fn take_in_part(
        &self,
        writing: &mut Writing,
        unit: &UnitName,
        agreement: &Agreement,
        header: &Header,
        content: &Content,
        now_ms: u64,
    ) -> Result<Deliver, Stop> {
        let head: ParcelPart = content.head()?;
        let peer = header.receiver.unit().ok_or(ReceiverRefused::Kind)?;
        let pair = Pair::new(unit, peer).ok_or(ReceiverRefused::Oneself)?;
        let case = cases::load(writing, &head.handle).await.or_fail()?;
        // A stranger to the case hears the same as whoever names none.
        let case = case.filter(|case| case.units() == [pair.low(), pair.high()]).ok_or(PartRefused::NoCase)?;
        welcome::check_peer(writing, unit, peer, agreement, case.accord()).await?;
        let manual = self.manual(agreement, case.accord())?;
        if case.deadline_ms(&manual).is_some_and(|deadline| deadline <= now_ms) {
            // What the limit leads to, a recall maybe, is about to be logged.
            return Err(CaseRefused::Late.into());
        }
        // The latest, as the ledger reads it: a package that was recalled can be sealed again, from a consent of its own.
        let ours = |parcel: &&protocol::consent::Parcel| {
            parcel.package == head.package && parcel.provider == *unit && parcel.recipient == *peer
        };
        let parcel = case.ledger().parcels().iter().rev().find(ours).ok_or(PartRefused::NoParcel)?;
        let until_ms = parcels::kept_until(&case, &manual, parcel);
        if until_ms <= now_ms {
            return Err(PartRefused::Ended.into());
        }
        let next = parcels::next_index(writing, case.handle(), &parcel.consent).await.or_fail()?;
        if next >= u64::from(parcel.parts) {
            return Err(PartRefused::Complete.into());
        }
        if u64::from(head.index) != next {
            return Err(PartRefused::Order { expected: next }.into());
        }
        let hash = content.rows_root(writing).await?;
        if next + 1 == u64::from(parcel.parts) {
            let before = parcels::hashes(writing, case.handle(), &parcel.consent).await.or_fail()?;
            if root_of_hashes(before.into_iter().chain([hash])) != parcel.root {
                return Err(PartRefused::Root.into());
            }
        }
        let part = Part { handle: case.handle(), consent: &parcel.consent, index: next, hash: &hash, until_ms };
        parcels::keep(writing, &part).await.or_fail()?;
        Ok(Deliver::Now)
    }
}
