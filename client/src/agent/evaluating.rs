//! Evaluating a peer's requests, within its quota (R13, R35).
//!
//! Caller: the agent. Two steps: first the new count becomes durable and goes into the log; when the broker has
//! accepted it, and only then, the points are multiplied and the answer goes. *Not here:* the proof ([`protocol::psi`]).

use super::NotTaken;
use super::desk::Desk;
use super::event::Event;
use super::pair::PairEpoch;
use super::store::{Reader, Writer};
use protocol::body::{self, Body};
use protocol::envelope::{Envelope, Kind};
use protocol::message::{self, Head, RefusalReason, Size};
use protocol::name::Party;
use protocol::psi::{MAX_POINTS, Statement, evaluate};
use protocol::tagset::PADDING;
use protocol::{Bytes, Hash};
use rand_core::CryptoRng;

/// Reasons of the unit's own not to evaluate for a peer now.
#[derive(Clone, Copy)]
pub(super) struct Standstill {
    pub restored: bool,
    pub stopped: bool,
    pub other_version: bool,
}

/// Takes a request in: refuses it, or counts it and waits for the count to be logged.
pub(super) fn asked(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    envelope: &Envelope,
    head: &message::Request,
    rows: &[u8],
    still: Standstill,
) -> Result<(), NotTaken> {
    let Some(secret) = &pair.secret else { return Err(NotTaken::NotExpected) };
    let terms = pair.accord.terms();
    let (points, rest) = rows.as_chunks::<32>();
    let fits = rest.is_empty()
        && (1..=MAX_POINTS).contains(&points.len())
        && match head.size {
            Size::Small => points.len() == terms.requests.small as usize,
            Size::Opening | Size::Bulk => points.len().is_multiple_of(PADDING),
        };
    let count = pair.evaluated.after(points.len() as u64, terms.quota());
    let reason = match count {
        _ if still.other_version => Err(RefusalReason::IdentifierVersion),
        _ if still.restored => Err(RefusalReason::Restored),
        _ if still.stopped => Err(RefusalReason::Stopped),
        _ if !secret.confirms(&pair.peer, &head.confirm.0) => Err(RefusalReason::OtherSecret),
        _ if !fits => Err(RefusalReason::Size),
        Err(_) => Err(RefusalReason::OverQuota),
        Ok(count) => Ok(count),
    };
    let request = envelope.hash();
    let count = match reason {
        Ok(count) => count,
        Err(reason) => {
            refuse(pair, desk, request, reason);
            return Ok(());
        }
    };
    pair.evaluated = count;
    let mut kept = Writer::with_room(rows.len() + 16);
    kept.bytes(rows);
    let key = pair.name("asked", request);
    pair.put(desk, key, kept.finish());
    let head = message::Count { request, total: count.total() };
    let to = Party::Unit(pair.peer.clone());
    let (sequence, _) = desk.send(to, Kind::Count, Some(pair.open), Body::head_only(head.to_bytes()));
    pair.counted.insert(sequence, request);
    pair.touch();
    Ok(())
}

/// Answers a request whose count is in the log. `kept` is what [`asked`] wrote.
pub(super) fn answer(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    count: u64,
    kept: Option<&[u8]>,
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    let request = *pair.counted.get(&count).ok_or(NotTaken::NotExpected)?;
    let rows = kept.and_then(|kept| Reader::new(kept).bytes());
    let Some((points, [])) = rows.map(|rows| rows.as_chunks::<32>()) else {
        // What is lost cannot be answered; the count stands, and the peer's request stays unanswered in this epoch.
        pair.counted.remove(&count);
        pair.touch();
        return Err(NotTaken::OwnState);
    };
    match evaluate(points, &pair.key) {
        Err(_) => refuse(pair, desk, request, RefusalReason::BadPoint),
        Ok(evaluation) => {
            let rows = evaluation.points().as_flattened().to_vec();
            let root = body::rows_root(&rows);
            let statement = Statement { context: &pair.context, request: &request.0, answer: &root.0 };
            let proof = evaluation.prove(&pair.key, &statement, rng);
            let head = message::Evaluation { request, proof: Bytes(proof.0) };
            let body = Body { head: head.to_bytes(), rows };
            desk.send(Party::Unit(pair.peer.clone()), Kind::Evaluation, Some(pair.open), body);
        }
    }
    pair.counted.remove(&count);
    let key = pair.name("asked", request);
    pair.drop_key(desk, key);
    pair.touch();
    Ok(())
}

fn refuse(pair: &mut PairEpoch, desk: &mut Desk, request: Hash, reason: RefusalReason) {
    let head = message::Refusal { request, reason };
    desk.send(Party::Unit(pair.peer.clone()), Kind::Refusal, Some(pair.open), Body::head_only(head.to_bytes()));
    desk.tell(match reason {
        RefusalReason::OverQuota => Event::OverQuota(pair.peer.clone()),
        _ => Event::Refused(pair.peer.clone(), reason),
    });
}
