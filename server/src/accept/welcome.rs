//! Whether an envelope is welcome now: its receiver, accord, epoch and tick (R8, R10, section 8 of the protocol).
//!
//! Caller: [`super`]. *Not here:* form and signature (before), and what it says (after).

use super::{OrFail, Stop};
use crate::agreement::Agreement;
use crate::log::Writing;
use crate::refusal::{MomentRefused, ReceiverRefused, SenderRefused};
use protocol::codec::Hash;
use protocol::envelope::{Header, Kind};
use protocol::name::{Party, UnitName};

/// Who may be written to, by kind.
pub(super) async fn check_receiver(
    writing: &mut Writing,
    unit: &UnitName,
    agreement: &Agreement,
    header: &Header,
) -> Result<(), Stop> {
    match header.kind {
        Kind::Roster | Kind::Notice | Kind::EpochClosed | Kind::Deadline => Err(SenderRefused::Kind.into()),
        Kind::AccordProposal | Kind::AccordSignature | Kind::Officer => match header.receiver {
            Party::All => Ok(()),
            _ => Err(ReceiverRefused::Kind.into()),
        },
        Kind::TagSet => match header.receiver {
            Party::Broker => Ok(()),
            _ => Err(ReceiverRefused::Kind.into()),
        },
        Kind::Commitment
        | Kind::Contribution
        | Kind::Request
        | Kind::Count
        | Kind::Evaluation
        | Kind::Refusal
        | Kind::Acknowledgement
        | Kind::Dispute => match &header.receiver {
            Party::Unit(peer) => check_peer(writing, unit, peer, agreement, &header.accord).await,
            _ => Err(ReceiverRefused::Kind.into()),
        },
        // The accord that rules a case stands in the act: both are checked against it there.
        Kind::Act | Kind::ParcelPart => match header.receiver {
            Party::Unit(_) => Ok(()),
            _ => Err(ReceiverRefused::Kind.into()),
        },
    }
}

/// Whether `peer` is another unit, admitted, and both are party to `accord`.
pub(super) async fn check_peer(
    writing: &mut Writing,
    unit: &UnitName,
    peer: &UnitName,
    agreement: &Agreement,
    accord: &Hash,
) -> Result<(), Stop> {
    if peer == unit {
        return Err(ReceiverRefused::Oneself.into());
    }
    const STANDING: &str = "SELECT standing FROM unit WHERE name = $1";
    let row = writing.tx.first(STANDING, &[peer.as_str().into()]).await.or_fail()?;
    let standing = row.map(|mut row| row.int(0)).transpose().or_fail()?;
    if standing != Some(0) {
        return Err(ReceiverRefused::NotAdmitted.into());
    }
    if !agreement.is_party(accord, unit) || !agreement.is_party(accord, peer) {
        return Err(ReceiverRefused::NotParty.into());
    }
    Ok(())
}

/// Accord, epoch and tick, by the broker's clock. A sender's clock may be one tick ahead.
pub(super) fn check_moment(agreement: &Agreement, header: &Header, now_ms: u64) -> Result<(), MomentRefused> {
    let now = agreement.tick_at(now_ms);
    if matches!(
        header.kind,
        Kind::AccordProposal | Kind::AccordSignature | Kind::Officer | Kind::Act | Kind::ParcelPart
    ) {
        return match now {
            _ if header.epoch != 0 || header.accord != Hash::ZERO => Err(MomentRefused::Kind),
            Some(now) if header.tick > now.saturating_add(1) => Err(MomentRefused::TickAhead),
            _ => Ok(()),
        };
    }
    if header.epoch == 0 {
        return Err(MomentRefused::Kind);
    }
    let accord = agreement.for_epoch(header.epoch).ok_or(MomentRefused::NoAccord)?;
    if header.accord != accord.hash() {
        return Err(MomentRefused::Accord);
    }
    if agreement.is_closed(header.epoch) {
        return Err(MomentRefused::Closed);
    }
    let calendar = accord.calendar();
    let (first, last) = match (calendar.first_tick(header.epoch), calendar.last_live_tick(header.epoch)) {
        (Some(first), Some(last)) => (first, last),
        _ => return Err(MomentRefused::NotBegun),
    };
    let now = now.ok_or(MomentRefused::NotBegun)?;
    let latest = now.saturating_add(1);
    if now > last {
        return Err(MomentRefused::Closed);
    }
    if latest < first {
        return Err(MomentRefused::NotBegun);
    }
    if header.tick > latest {
        return Err(MomentRefused::TickAhead);
    }
    if !(first..=last).contains(&header.tick) {
        return Err(MomentRefused::TickOutside);
    }
    Ok(())
}
