//! Confirming matches: notices, acknowledgements, disputes, canaries, overlaps (R16 to R18, R22).
//!
//! Caller: the agent. The broker's word is not enough: each leaf is checked under our own match key, and the digest of
//! the cut is recomputed. *Not here:* what officers see.

use super::desk::Desk;
use super::event::Event;
use super::holdings::{Holdings, TokenIndex};
use super::leaves::{Place, Standing, What};
use super::link::Link;
use super::overlaps::{Meeting, Overlaps};
use super::pair::{OpenNotice, PairEpoch};
use super::store::{Reader, Writer};
use super::{NotTaken, dispute, releasing};
use protocol::acknowledgement::{self, Context, MAX_RECORDS, Slot, SlotReader, SlotWriter, Verdict};
use protocol::body::Body;
use protocol::compare::{Cut, Match, digest};
use protocol::envelope::{Envelope, Kind};
use protocol::message::{self, DisputeReason, Head};
use protocol::name::{Party, UnitName};
use protocol::overlap::{Handles, RecordNumber};
use protocol::psi::{Confirmation, Confirming};
use protocol::tagset::{LEAF_LEN, Leaf, TAG_LEN, Tag};
use protocol::{Bytes, Hash};
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Matches that become overlaps in one go.
const MEETINGS: usize = 8192;
/// Sets of the peer after a canary's own, by which its match must have been told.
const CANARY_SLACK: u64 = 4;

/// Takes a notice in: checks every leaf and the digest, and acknowledges.
#[expect(clippy::too_many_arguments, reason = "the rooms of the agent that a notice touches")]
pub(super) fn noticed(
    link: &mut Link,
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    envelope: &Envelope,
    head: &message::Notice,
    rows: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    if pair.secret.is_none() || pair.opened.is_none() {
        return Err(NotTaken::NotExpected);
    }
    let (leaves, []) = rows.as_chunks::<LEAF_LEN>() else { return Err(NotTaken::Notice) };
    let ascending = leaves.is_sorted_by(|a, b| a[..TAG_LEN] < b[..TAG_LEN]);
    if leaves.len() != head.matches as usize || !ascending || pair.open_notices.contains_key(&head.digest) {
        return Err(NotTaken::Notice);
    }
    let tick = envelope.header().tick;
    let count = acknowledgement::slot_count(leaves.len(), pair.accord.terms().acknowledgements.slots as usize);
    let mut slots = SlotWriter::new(count);
    let mut told = Writer::with_room(16 + (TAG_LEN + 3) * leaves.len());
    told.u64(leaves.len() as u64);
    let mut wrong = None;
    link.expect(leaves.len());
    let checked = check_leaves(pair, &desk.me, leaves);
    for (row, checked) in leaves.iter().zip(&checked) {
        let leaf = Leaf::from_bytes(row);
        let Checked { own: Some(place), verified, .. } = *checked else {
            wrong.get_or_insert((DisputeReason::UnknownTag, leaf));
            slots.push(&leaf.tag, Verdict::Disputed, &[]).map_err(|_| NotTaken::OwnState)?;
            continue;
        };
        let records = match pair.leaves.at(place).what() {
            What::Token(token) if verified => numbers(link, holdings, token, rng),
            _ => Vec::new(),
        };
        if !verified {
            wrong.get_or_insert((DisputeReason::WrongConfirmation, leaf));
        }
        let verdict = if verified { Verdict::Confirmed } else { Verdict::Disputed };
        slots.push(&leaf.tag, verdict, &records).map_err(|_| NotTaken::OwnState)?;
        pair.leaves.note_ours(place, verified);
        told.bytes(&leaf.tag.0);
        told.flag(pair.leaves.matched(place).is_some_and(|matched| matched.ours));
    }
    let we_are_low = desk.me == *pair.units().low();
    let cut = Cut {
        federation: &desk.federation,
        pair: pair.context.pair(),
        epoch: pair.open.epoch,
        tick,
        position: head.position,
        low_sets: &head.low_sets,
        high_sets: &head.high_sets,
    };
    let matches = leaves.iter().zip(&checked).map(|(row, checked)| {
        let leaf = Leaf::from_bytes(row);
        let (low, high) =
            if we_are_low { (checked.ours, leaf.confirmation) } else { (leaf.confirmation, checked.ours) };
        Match { tag: leaf.tag, low, high }
    });
    if wrong.is_none() && digest(&cut, matches) != head.digest {
        dispute(pair, desk, envelope.hash(), DisputeReason::WrongDigest, None);
        link.stopped = Some("wrong-digest".to_owned());
        return Err(NotTaken::Notice);
    }
    if let Some((reason, leaf)) = wrong {
        dispute(pair, desk, envelope.hash(), reason, Some(Bytes(leaf.to_bytes())));
        link.stopped = Some(super::event::dispute_code(reason).to_owned());
    }
    let (own_sets, peers_sets) =
        if we_are_low { (&head.low_sets, &head.high_sets) } else { (&head.high_sets, &head.low_sets) };
    if desk.chain.restored_epoch.is_some_and(|restored| pair.open.epoch <= restored) {
        pair.own_sets.pass(own_sets, head.position);
    } else if pair.own_sets.take_listed(own_sets, head.position).is_err() {
        pair.own_sets.pass(own_sets, head.position);
        dispute(pair, desk, envelope.hash(), DisputeReason::WrongSets, None);
        link.stopped = Some("wrong-sets".to_owned());
        return Err(NotTaken::Notice);
    }
    pair.peer_sets += peers_sets.len() as u64;
    pair.covered = Some(tick);
    purge_retired(pair, desk, holdings, tick);
    let changes = !pair.changes.is_empty();
    acknowledge(pair, desk, head.digest, slots, count, rng)?;
    let tags: Vec<Tag> = leaves.iter().map(|row| Leaf::from_bytes(row).tag).collect();
    keep_matches(pair, desk, tick, &head.digest, &tags, told);
    pair.open_notices.insert(head.digest, OpenNotice { tick, matches: tags, changes });
    pair.touch();
    check_canaries(link, pair, desk, envelope.hash());
    Ok(())
}

/// What our own state says of a leaf in a notice.
#[derive(Clone, Copy)]
struct Checked {
    /// Our leaf of the same tag, if we sent one.
    own: Option<Place>,
    /// Its confirmation.
    ours: Bytes<16>,
    /// Whether the peer's is right.
    verified: bool,
}

/// Checks the peer's leaves under our match keys, on all cores.
fn check_leaves(pair: &PairEpoch, me: &UnitName, leaves: &[[u8; LEAF_LEN]]) -> Vec<Checked> {
    let check = |row: &[u8; LEAF_LEN]| {
        let leaf = Leaf::from_bytes(row);
        let own = pair.leaves.find(&leaf.tag).filter(|place| pair.leaves.at(*place).is_sent());
        let Some(place) = own else { return Checked { own, ours: Bytes::ZERO, verified: false } };
        let confirming = Confirming::new(&pair.leaves.at(place).key);
        let verified = confirming.check(&Confirmation(leaf.confirmation.0), &pair.peer).is_ok();
        Checked { own, ours: Bytes(confirming.of(me).0), verified }
    };
    if leaves.len() < 64 { leaves.iter().map(check).collect() } else { leaves.par_iter().map(check).collect() }
}

/// The numbers of our records that hold a token and are not restricted: what the peer may know.
fn numbers(link: &mut Link, holdings: &Holdings, token: TokenIndex, rng: &mut impl CryptoRng) -> Vec<RecordNumber> {
    let mut holders: Vec<u64> = holdings.open_holders(token).collect();
    holders.sort_unstable();
    holders.truncate(MAX_RECORDS);
    holders.into_iter().map(|name| link.number(name, rng)).collect()
}

/// One acknowledgement for all of a cut, with changes of earlier matches in the room that is left (R18).
fn acknowledge(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    digest: Hash,
    mut slots: SlotWriter,
    count: usize,
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    while slots.len() < count {
        let Some((tag, records)) = pair.changes.pop_front() else { break };
        slots.push(&tag, Verdict::Change, &records).map_err(|_| NotTaken::OwnState)?;
    }
    let Some(secret) = &pair.secret else { return Err(NotTaken::NotExpected) };
    let context = Context { sender: &desk.me, epoch: pair.open.epoch, digest: &digest };
    let rows = slots.seal(secret, &context, count, rng).map_err(|_| NotTaken::OwnState)?;
    let received = desk.chain.last_from.get(pair.peer.as_str()).copied().unwrap_or(0);
    let head = message::Acknowledgement { digest, received };
    let to = Party::Unit(pair.peer.clone());
    desk.send(to, Kind::Acknowledgement, Some(pair.open), Body { head: head.to_bytes(), rows });
    Ok(())
}

/// Takes the peer's acknowledgement in. What both sides confirmed becomes overlaps.
pub(super) fn acknowledged(
    link: &mut Link,
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    head: &message::Acknowledgement,
    rows: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    let Some(secret) = &pair.secret else { return Err(NotTaken::NotExpected) };
    if !pair.open_notices.contains_key(&head.digest) {
        return Err(NotTaken::NotExpected);
    }
    let context = Context { sender: &pair.peer, epoch: pair.open.epoch, digest: &head.digest };
    let opened = SlotReader::open(secret, &context, rows.to_vec()).map_err(|_| NotTaken::Acknowledgement)?;
    let expected = pair.open_notices.remove(&head.digest).map(|notice| notice.matches).unwrap_or_default();
    let key = pair.name("notice", head.digest);
    pair.drop_key(desk, key);
    keep_slots(pair, desk, &head.digest, &opened);
    let mut said = Vec::with_capacity(expected.len());
    let mut disputed = false;
    for slot in opened.slots() {
        disputed |= slot.verdict == Verdict::Disputed;
        if slot.verdict != Verdict::Change {
            said.push(slot.tag);
        }
        take_slot(pair, &slot);
    }
    said.sort_unstable();
    // A match that is left out is a match that the peer keeps silent about (R18).
    if expected.iter().any(|tag| said.binary_search(tag).is_err()) {
        link.stopped.get_or_insert_with(|| "unacknowledged".to_owned());
        desk.tell(Event::Unacknowledged(pair.peer.clone()));
    }
    if disputed {
        desk.tell(Event::MatchDisputed(pair.peer.clone()));
        link.stopped.get_or_insert_with(|| "match-disputed".to_owned());
    }
    go_on(link, pair, desk, holdings, rng);
    desk.received_by(&pair.peer, head.received);
    pair.touch();
    Ok(())
}

/// Notes what the peer says of one match. One that both sides confirmed waits to become overlaps.
fn take_slot(pair: &mut PairEpoch, slot: &Slot) {
    let Some(place) = pair.leaves.find(&slot.tag) else { return };
    let Some(matched) = pair.leaves.matched(place) else { return };
    if slot.verdict == Verdict::Disputed || (slot.verdict == Verdict::Change && !matched.theirs) {
        return;
    }
    // Changes add to what was said; a peer that names more than it may is cut short.
    pair.leaves.note_theirs(place, true, &slot.records, 4 * MAX_RECORDS);
    if matched.ours {
        pair.meeting.push_back(place);
    }
}

/// Makes overlaps of matches that both sides confirmed: some thousands at a time, so that what is to be written stays
/// small. Whether there was anything to do.
pub(super) fn go_on(
    link: &mut Link,
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    rng: &mut impl CryptoRng,
) -> bool {
    let Some(secret) = pair.secret.as_ref().filter(|_| !pair.meeting.is_empty()) else { return false };
    let handles = Handles::new(secret, pair.context.pair(), &desk.me);
    let mut some: Vec<Place> = Vec::with_capacity(pair.meeting.len().min(MEETINGS));
    some.extend(pair.meeting.drain(..pair.meeting.len().min(MEETINGS)));
    for place in some {
        pair.fresh_overlaps += meet(link, pair, desk, holdings, &handles, place, rng);
    }
    if pair.meeting.is_empty() {
        pair.meeting.shrink_to_fit();
    }
    if pair.meeting.is_empty() && pair.fresh_overlaps > 0 {
        desk.tell(Event::Overlaps(pair.peer.clone(), std::mem::take(&mut pair.fresh_overlaps)));
    }
    true
}

/// Groups a match into overlaps, if both sides confirmed it; the number of new ones.
fn meet(
    link: &mut Link,
    pair: &PairEpoch,
    desk: &Desk,
    holdings: &Holdings,
    handles: &Handles,
    place: Place,
    rng: &mut impl CryptoRng,
) -> u64 {
    let leaf = pair.leaves.at(place);
    let What::Token(token) = leaf.what() else { return 0 };
    if !pair.leaves.matched(place).is_some_and(|matched| matched.ours && matched.theirs) {
        return 0;
    }
    let mut fresh = 0;
    for record in holdings.holders(token) {
        let own = link.number(record, rng);
        for peer_record in pair.leaves.peer_records(place) {
            let met = Meeting {
                record,
                peer_record,
                token: (holdings.digest(token), holdings.worth(token)),
                tag: leaf.tag,
                key: &leaf.key,
                tick: desk.tick,
            };
            fresh += u64::from(link.overlaps.meet(&met, || {
                let handle = handles.handle(own, peer_record);
                (handle, handles.secret(&handle))
            }));
        }
    }
    fresh
}

/// Whether a match that both sides confirmed is still to become overlaps, or part of them.
pub(super) fn is_due(pair: &PairEpoch, overlaps: &Overlaps, holdings: &Holdings, place: Place) -> bool {
    let What::Token(token) = pair.leaves.at(place).what() else { return false };
    let digest = holdings.digest(token);
    holdings
        .holders(token)
        .any(|record| pair.leaves.peer_records(place).any(|peer| !overlaps.has(record, peer, &digest)))
}

/// A record took a token that was held before: a match of it, if there is one, has one more record.
pub(super) fn joined(
    link: &mut Link,
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    token: TokenIndex,
    record: u64,
    rng: &mut impl CryptoRng,
) {
    let Standing::Leaf(place) = pair.leaves.standing(token) else { return };
    if pair.leaves.matched(place).is_none() {
        return;
    }
    if !holdings.is_restricted(record) && holdings.holder_count(token) <= MAX_RECORDS {
        let number = link.number(record, rng);
        pair.changes.push_back((pair.leaves.at(place).tag, vec![number]));
        pair.touch();
    }
    pair.meeting.push_back(place);
    go_on(link, pair, desk, holdings, rng);
}

/// Both sides plant the same canaries: one that both must have shown and that was not matched accuses the broker (R22).
fn check_canaries(link: &mut Link, pair: &mut PairEpoch, desk: &mut Desk, about: Hash) {
    if pair.accused {
        return;
    }
    let missing = pair.leaves.canaries().any(|(index, place)| {
        let Some(canary) = pair.canaries.get(index as usize) else { return false };
        // Made is not enough: on a busy machine cuts of ticks before it are told after it.
        let ours = pair.leaves.at(place).sent_in().is_some_and(|tick| pair.own_sets.is_listed(tick));
        // The peer sends one set a tick, and a set cannot hold a canary before its tick: after so many sets of the
        // peer's since its opening, its leaf is out.
        let theirs = pair.peer_sets > canary.tick + CANARY_SLACK;
        ours && theirs && pair.leaves.matched(place).is_none()
    });
    if missing {
        pair.accused = true;
        link.stopped.get_or_insert_with(|| "missing-canary".to_owned());
        dispute(pair, desk, about, DisputeReason::MissingCanary, None);
    }
}

/// Matches that the peer left unacknowledged for longer than the accord allows (R18).
pub(super) fn check_patience(link: &mut Link, pair: &PairEpoch, desk: &mut Desk) {
    let patience = pair.accord.terms().acknowledgements.patience_ticks;
    let late = pair.open_notices.values().any(|n| !n.matches.is_empty() && n.tick.saturating_add(patience) < desk.tick);
    if late && link.stopped.is_none() {
        link.stopped = Some("unacknowledged".to_owned());
        link.save_trust(&pair.peer, desk);
        desk.tell(Event::Unacknowledged(pair.peer.clone()));
    }
}

/// Forgets leaves that were removed before this cut: no notice of them can be on its way any more (R21).
fn purge_retired(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, covered: u64) {
    let over = pair.leaves.retired_until(covered);
    if !over.is_empty() {
        releasing::forget(pair, desk, holdings, &over);
    }
}

/// `told` is what [`read_matches`] reads.
fn keep_matches(pair: &mut PairEpoch, desk: &mut Desk, tick: u64, digest: &Hash, tags: &[Tag], told: Writer) {
    let mut w = Writer::with_room(32 + (TAG_LEN + 1) * tags.len());
    w.u64(tick);
    w.u64(tags.len() as u64);
    for tag in tags {
        w.bytes(&tag.0);
    }
    // What is open goes once the peer has acknowledged; what was matched stays for the epoch.
    let key = pair.name("notice", digest);
    pair.put(desk, key, w.finish());
    if !tags.is_empty() {
        let key = pair.name("match", digest);
        pair.put(desk, key, told.finish());
    }
}

/// Reads an open notice back at start.
pub(super) fn read_notice(pair: &mut PairEpoch, digest: Hash, bytes: &[u8]) -> Option<()> {
    let mut r = Reader::new(bytes);
    let mut notice = OpenNotice { tick: r.u64()?, matches: Vec::new(), changes: false };
    for _ in 0..r.u64()? {
        notice.matches.push(Bytes(r.array()?));
    }
    pair.open_notices.insert(digest, notice);
    r.at_end().then_some(())
}

/// Reads matches back at start.
pub(super) fn read_matches(pair: &mut PairEpoch, bytes: &[u8]) -> Option<()> {
    let mut r = Reader::new(bytes);
    for _ in 0..r.u64()? {
        let (tag, ours) = (Bytes(r.array()?), r.flag()?);
        // A leaf that is forgotten has no match any more.
        if let Some(place) = pair.leaves.find(&tag) {
            pair.leaves.note_ours(place, ours);
        }
    }
    r.at_end().then_some(())
}

fn keep_slots(pair: &mut PairEpoch, desk: &mut Desk, digest: &Hash, opened: &SlotReader) {
    let count = opened.slots().count();
    if count == 0 {
        return;
    }
    let mut w = Writer::with_room(16 + (TAG_LEN + 8) * count);
    w.u64(count as u64);
    for slot in opened.slots() {
        w.bytes(&slot.tag.0);
        w.flag(slot.verdict != Verdict::Disputed);
        w.u64(slot.records.len() as u64);
        slot.records.iter().for_each(|number| w.u64(u64::from(number.0)));
    }
    let key = pair.name("ack", digest);
    pair.put(desk, key, w.finish());
}

/// Reads the peer's slots back at start, after the matches.
pub(super) fn read_slots(pair: &mut PairEpoch, bytes: &[u8]) -> Option<()> {
    let mut r = Reader::new(bytes);
    for _ in 0..r.u64()? {
        let (tag, theirs): (Tag, bool) = (Bytes(r.array()?), r.flag()?);
        let mut records = Vec::new();
        for _ in 0..r.u64()? {
            records.push(RecordNumber(r.u32()?));
        }
        if let Some(place) = pair.leaves.find(&tag) {
            pair.leaves.note_theirs(place, theirs, &records, 4 * MAX_RECORDS);
        }
    }
    r.at_end().then_some(())
}
