//! Opening an epoch with a peer: commitment, contribution, pair secret (R9, R10).
//!
//! Caller: the agent. Each side commits first; only then are contributions sealed, to the fresh key that came with the
//! peer's commitment. *Not here:* the mathematics ([`protocol::psi`]).

use super::desk::Desk;
use super::pair::PairEpoch;
use super::{NotTaken, dispute};
use protocol::Bytes;
use protocol::body::Body;
use protocol::envelope::{Envelope, Kind};
use protocol::message::{self, DisputeReason, Head};
use protocol::name::{Party, UnitName};
use protocol::psi::{Commitment, Contribution, PairSecret, Possession};
use protocol::seal::{ContributionContext, open_contribution, seal_contribution};
use rand_core::CryptoRng;

/// Sends our commitment, with its proof of possession and a fresh sealing key (R10).
pub(super) fn commit(pair: &mut PairEpoch, desk: &mut Desk, rng: &mut impl CryptoRng) {
    let possession = pair.key.prove_possession(&desk.me, &pair.context, rng);
    let head = message::Commitment {
        point: Bytes(*pair.key.commitment().as_bytes()),
        possession: Bytes(possession.0),
        sealing: pair.sealing.public(),
    };
    desk.send(Party::Unit(pair.peer.clone()), Kind::Commitment, Some(pair.open), Body::head_only(head.to_bytes()));
    pair.touch();
}

/// Takes the peer's commitment, and answers with our contribution.
pub(super) fn committed(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    envelope: &Envelope,
    head: message::Commitment,
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    if pair.peer_commitment.is_some() {
        return Err(NotTaken::NotExpected);
    }
    let checked = Commitment::check(&head.point.0, &Possession(head.possession.0), &pair.peer, &pair.context)
        .and_then(|commitment| pair.key.commitment().check_apart(&commitment).map(|()| commitment));
    let Ok(commitment) = checked else {
        dispute(pair, desk, envelope.hash(), DisputeReason::BadCommitment, None);
        pair.barren = true;
        pair.touch();
        return Err(NotTaken::Commitment);
    };
    let context = from_to(pair, &desk.me, &pair.peer);
    let sealed = seal_contribution(&head.sealing, &context, pair.contribution.expose_secret(), rng)
        .map_err(|_| NotTaken::Commitment)?;
    pair.peer_commitment = Some(commitment);
    pair.peer_sealing = Some(head.sealing);
    pair.contribution_sent = true;
    pair.touch();
    let head = message::Contribution { sealed };
    desk.send(Party::Unit(pair.peer.clone()), Kind::Contribution, Some(pair.open), Body::head_only(head.to_bytes()));
    Ok(())
}

/// Takes the peer's contribution: from here on both hold the pair secret. A second one is refused.
pub(super) fn contributed(pair: &mut PairEpoch, desk: &mut Desk, head: &message::Contribution) -> Result<(), NotTaken> {
    if pair.peer_contribution.is_some() || pair.peer_commitment.is_none() {
        return Err(NotTaken::NotExpected);
    }
    let context = from_to(pair, &pair.peer, &desk.me);
    let opened = open_contribution(&pair.sealing, &context, &head.sealed).map_err(|_| NotTaken::Contribution)?;
    let theirs = Contribution::from_secret(&opened);
    let secret =
        PairSecret::derive(&pair.context, &desk.federation.0, (&desk.me, &pair.contribution), (&pair.peer, &theirs))
            .map_err(|_| NotTaken::Contribution)?;
    pair.peer_contribution = Some(theirs);
    pair.set_secret(secret);
    pair.touch();
    Ok(())
}

/// What a contribution of `sender` to `receiver` is bound to.
fn from_to<'a>(pair: &'a PairEpoch, sender: &'a UnitName, receiver: &'a UnitName) -> ContributionContext<'a> {
    let (accord, epoch) = (&pair.open.accord, pair.open.epoch);
    ContributionContext { accord, pair: pair.context.pair(), epoch, sender, receiver }
}
