//! Taking in an acknowledgement: it waits for the other side's, and both are delivered together (R18).
//!
//! Caller: [`super`]. The broker sees its length, and nothing of what it says. *Not here:* slots and verdicts.

use super::content::Content;
use super::{Deliver, OrFail, Stop};
use crate::agreement::Agreement;
use crate::log::Writing;
use crate::refusal::{AcknowledgementRefused, MomentRefused, ReceiverRefused};
use protocol::acknowledgement::{sealed_len, slot_count};
use protocol::envelope::Envelope;
use protocol::message::Acknowledgement;
use protocol::name::{Pair, UnitName};

pub(super) async fn take_in(
    writing: &mut Writing,
    unit: &UnitName,
    agreement: &Agreement,
    envelope: &Envelope,
    content: &Content,
) -> Result<Deliver, Stop> {
    let header = envelope.header();
    let head: Acknowledgement = content.head()?;
    let accord = agreement.for_epoch(header.epoch).ok_or(MomentRefused::NoAccord)?;
    let peer = header.receiver.unit().ok_or(ReceiverRefused::Kind)?;
    let pair = Pair::new(unit, peer).ok_or(ReceiverRefused::Oneself)?;

    const CUT: &str = "SELECT c.id, c.matches, c.low_acknowledgement, c.high_acknowledgement
        FROM cut c JOIN pair_epoch p ON p.id = c.pair_epoch
        WHERE c.digest = $1 AND p.low = $2 AND p.high = $3 AND p.epoch = $4";
    let digest = (&head.digest).into();
    let args = [digest, pair.low().as_str().into(), pair.high().as_str().into(), header.epoch.into()];
    let row = writing.tx.first(CUT, &args).await.or_fail()?;
    let mut row = row.ok_or(AcknowledgementRefused::UnknownCut)?;
    let (cut, matches) = (row.int(0).or_fail()?, row.int(1).or_fail()?);
    let (low, high) = (row.maybe_int(2).or_fail()?, row.maybe_int(3).or_fail()?);
    let is_low = unit == pair.low();
    let (mine, theirs) = if is_low { (low, high) } else { (high, low) };
    if mine.is_some() {
        return Err(AcknowledgementRefused::Repeated.into());
    }
    let slots = slot_count(matches as usize, accord.terms().acknowledgements.slots as usize);
    if content.rows_len != sealed_len(slots) as u64 {
        return Err(AcknowledgementRefused::Length.into());
    }
    const LOW: &str = "UPDATE cut SET low_acknowledgement = $1 WHERE id = $2";
    const HIGH: &str = "UPDATE cut SET high_acknowledgement = $1 WHERE id = $2";
    let entry = writing.size();
    writing.tx.run(if is_low { LOW } else { HIGH }, &[entry.into(), cut.into()]).await.or_fail()?;
    Ok(theirs.map_or(Deliver::Held, Deliver::With))
}
