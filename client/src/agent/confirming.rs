//! Confirming matches: notices, acknowledgements, disputes, canaries, overlaps (R16 to R18, R22).
//!
//! Caller: the agent. The broker's word is not enough: each leaf is checked under our own match key, and the digest of
//! the cut is recomputed. *Not here:* what officers see.

use super::desk::Desk;
use super::event::Event;
use super::holdings::{Holdings, TokenIndex};
use super::link::Link;
use super::pair::{Matched, OpenNotice, PairEpoch, Standing, What};
use super::store::{Reader, Writer};
use super::{NotTaken, dispute, releasing};
use protocol::acknowledgement::{self, Context, MAX_RECORDS, Slot, Verdict};
use protocol::body::Body;
use protocol::compare::{Cut, Match, digest};
use protocol::envelope::{Envelope, Kind};
use protocol::message::{self, DisputeReason, Head};
use protocol::name::Party;
use protocol::overlap::{OverlapSecret, RecordNumber, handle};
use protocol::psi::Confirmation;
use protocol::tagset::{LEAF_LEN, Leaf, Tag};
use protocol::{Bytes, Hash};
use rand_core::CryptoRng;
use std::collections::HashSet;

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
    let theirs: Vec<Leaf> = leaves.iter().map(Leaf::from_bytes).collect();
    let ascending = theirs.is_sorted_by(|a, b| a.tag < b.tag);
    if theirs.len() != head.matches as usize || !ascending || pair.open_notices.contains_key(&head.digest) {
        return Err(NotTaken::Notice);
    }
    let tick = envelope.header().tick;
    let mut slots = Vec::with_capacity(theirs.len());
    let mut matches = Vec::with_capacity(theirs.len());
    let we_are_low = desk.me == *pair.units().low();
    let mut wrong = None;
    for leaf in &theirs {
        let Some(own) = pair.leaves.get(&leaf.tag).filter(|own| own.sent) else {
            wrong.get_or_insert((DisputeReason::UnknownTag, *leaf));
            slots.push(Slot { tag: leaf.tag, verdict: Verdict::Disputed, records: Vec::new() });
            continue;
        };
        let ours = Bytes(Confirmation::new(&own.key, &desk.me).0);
        let (low, high) = if we_are_low { (ours, leaf.confirmation) } else { (leaf.confirmation, ours) };
        matches.push(Match { tag: leaf.tag, low, high });
        let verified = Confirmation(leaf.confirmation.0).check(&own.key, &pair.peer).is_ok();
        let records = match own.what {
            What::Token(token) if verified => numbers(link, holdings, token, rng),
            _ => Vec::new(),
        };
        if !verified {
            wrong.get_or_insert((DisputeReason::WrongConfirmation, *leaf));
        }
        let verdict = if verified { Verdict::Confirmed } else { Verdict::Disputed };
        slots.push(Slot { tag: leaf.tag, verdict, records });
        let fresh = Matched { ours: verified, theirs: false, peer_records: Vec::new() };
        pair.matches.entry(leaf.tag).or_insert(fresh).ours |= verified;
    }
    let cut = Cut {
        federation: &desk.federation,
        pair: pair.context.pair(),
        epoch: pair.open.epoch,
        tick,
        position: head.position,
        low_sets: &head.low_sets,
        high_sets: &head.high_sets,
    };
    if wrong.is_none() && digest(&cut, matches.iter()) != head.digest {
        dispute(pair, desk, envelope.hash(), DisputeReason::WrongDigest, None);
        link.stopped = Some("wrong-digest".to_owned());
        return Err(NotTaken::Notice);
    }
    if let Some((reason, leaf)) = wrong {
        dispute(pair, desk, envelope.hash(), reason, Some(Bytes(leaf.to_bytes())));
        link.stopped = Some(super::event::dispute_code(reason).to_owned());
    }
    let peers_sets = if we_are_low { &head.high_sets } else { &head.low_sets };
    pair.peer_sets += peers_sets.len() as u64;
    pair.covered = Some(tick);
    purge_retired(pair, desk, holdings, tick);
    let changes = !pair.changes.is_empty();
    acknowledge(pair, desk, head.digest, slots, rng)?;
    let tags: Vec<Tag> = theirs.iter().map(|leaf| leaf.tag).collect();
    keep_matches(pair, desk, tick, &head.digest, &tags);
    pair.open_notices.insert(head.digest, OpenNotice { tick, matches: tags, changes });
    pair.touch();
    check_canaries(link, pair, desk, envelope.hash());
    Ok(())
}

/// The numbers of our records that hold a token and are not restricted: what the peer may know.
fn numbers(link: &mut Link, holdings: &Holdings, token: TokenIndex, rng: &mut impl CryptoRng) -> Vec<RecordNumber> {
    let mut holders: Vec<u64> =
        holdings.holders(token).iter().copied().filter(|serial| !holdings.is_restricted(*serial)).collect();
    holders.sort_unstable();
    holders.truncate(MAX_RECORDS);
    holders.into_iter().map(|serial| link.number(serial, rng)).collect()
}

/// One acknowledgement for all of a cut, with changes of earlier matches in the room that is left (R18).
fn acknowledge(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    digest: Hash,
    mut slots: Vec<Slot>,
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    let unit = pair.accord.terms().acknowledgements.slots as usize;
    let count = acknowledgement::slot_count(slots.len(), unit);
    while slots.len() < count {
        let Some((tag, records)) = pair.changes.pop_front() else { break };
        slots.push(Slot { tag, verdict: Verdict::Change, records });
    }
    let Some(secret) = &pair.secret else { return Err(NotTaken::NotExpected) };
    let context = Context { sender: &desk.me, epoch: pair.open.epoch, digest: &digest };
    let rows = acknowledgement::seal(secret, &context, &slots, count, rng).map_err(|_| NotTaken::OwnState)?;
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
    let slots = acknowledgement::open(secret, &context, rows).map_err(|_| NotTaken::Acknowledgement)?;
    let expected = pair.open_notices.remove(&head.digest).map(|notice| notice.matches).unwrap_or_default();
    let key = pair.name("notice", head.digest);
    pair.drop_key(desk, key);
    keep_slots(pair, desk, &head.digest, &slots);
    let mut fresh = 0;
    for slot in &slots {
        fresh += apply_slot(link, pair, desk, holdings, slot, rng);
    }
    // A match that is left out is a match that the peer keeps silent about (R18).
    let said: HashSet<Tag> = slots.iter().filter(|s| s.verdict != Verdict::Change).map(|slot| slot.tag).collect();
    if expected.iter().any(|tag| !said.contains(tag)) {
        link.stopped.get_or_insert_with(|| "unacknowledged".to_owned());
        desk.tell(Event::Unacknowledged(pair.peer.clone()));
    }
    if slots.iter().any(|slot| slot.verdict == Verdict::Disputed) {
        desk.tell(Event::MatchDisputed(pair.peer.clone()));
        link.stopped.get_or_insert_with(|| "match-disputed".to_owned());
    }
    if fresh > 0 {
        desk.tell(Event::Overlaps(pair.peer.clone(), fresh));
    }
    desk.received_by(&pair.peer, head.received);
    pair.touch();
    Ok(())
}

fn apply_slot(
    link: &mut Link,
    pair: &mut PairEpoch,
    desk: &Desk,
    holdings: &Holdings,
    slot: &Slot,
    rng: &mut impl CryptoRng,
) -> u64 {
    let Some(matched) = pair.matches.get_mut(&slot.tag) else { return 0 };
    match slot.verdict {
        Verdict::Disputed => return 0,
        Verdict::Change if !matched.theirs => return 0,
        Verdict::Change | Verdict::Confirmed => matched.theirs = true,
    }
    for number in &slot.records {
        // Changes add to what was said; a peer that names more than it may is cut short.
        if !matched.peer_records.contains(number) && matched.peer_records.len() < 4 * MAX_RECORDS {
            matched.peer_records.push(*number);
        }
    }
    meet(link, pair, desk, holdings, slot.tag, rng)
}

/// Groups a match into overlaps, if both sides confirmed it; the number of new ones.
fn meet(
    link: &mut Link,
    pair: &PairEpoch,
    desk: &Desk,
    holdings: &Holdings,
    tag: Tag,
    rng: &mut impl CryptoRng,
) -> u64 {
    let (Some(matched), Some(leaf), Some(secret)) = (pair.matches.get(&tag), pair.leaves.get(&tag), &pair.secret)
    else {
        return 0;
    };
    let What::Token(token) = leaf.what else { return 0 };
    if !matched.ours || !matched.theirs {
        return 0;
    }
    let named = (holdings.digest(token), holdings.worth(token));
    let mut fresh = 0;
    for serial in holdings.holders(token) {
        let own = link.number(*serial, rng);
        for theirs in &matched.peer_records {
            let handle = || handle(secret, pair.context.pair(), &desk.me, own, *theirs);
            let (is_new, joined) = link.meet(*serial, *theirs, named, handle, desk.tick);
            fresh += u64::from(is_new);
            if let Some(handle) = joined {
                link.keys.keep(handle, || OverlapSecret::derive(secret, &handle), tag, &leaf.key);
            }
        }
    }
    fresh
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
    let Some(Standing::Leaf(tag)) = pair.standing.get(&token).copied() else { return };
    if !pair.matches.contains_key(&tag) {
        return;
    }
    if !holdings.is_restricted(record) && holdings.holders(token).len() <= MAX_RECORDS {
        let number = link.number(record, rng);
        pair.changes.push_back((tag, vec![number]));
        pair.touch();
    }
    let fresh = meet(link, pair, desk, holdings, tag, rng);
    if fresh > 0 {
        desk.tell(Event::Overlaps(pair.peer.clone(), fresh));
    }
}

/// Both sides plant the same canaries: one that both must have shown and that was not matched accuses the broker (R22).
fn check_canaries(link: &mut Link, pair: &mut PairEpoch, desk: &mut Desk, about: Hash) {
    if pair.accused {
        return;
    }
    let Some(opened) = pair.opened else { return };
    let missing = pair.canary_tags.iter().any(|(index, tag)| {
        let Some(canary) = pair.canaries.get(*index as usize) else { return false };
        let ours = pair.leaves.get(tag).is_some_and(|leaf| leaf.sent)
            && pair.covered.is_some_and(|covered| covered >= opened + canary.tick + CANARY_SLACK);
        // The peer sends one set a tick, and a set cannot hold a canary before its tick: after so many sets of the
        // peer's since its opening, its leaf is out.
        let theirs = pair.peer_sets > canary.tick + CANARY_SLACK;
        ours && theirs && !pair.matches.contains_key(tag)
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
    let is_over = |tag: &Tag| pair.leaves.get(tag).is_none_or(|leaf| leaf.retired.is_some_and(|tick| tick <= covered));
    let (over, waiting): (Vec<Tag>, Vec<Tag>) = std::mem::take(&mut pair.retired).into_iter().partition(is_over);
    pair.retired = waiting;
    if !over.is_empty() {
        releasing::forget(pair, desk, holdings, &over);
    }
}

fn keep_matches(pair: &mut PairEpoch, desk: &mut Desk, tick: u64, digest: &Hash, tags: &[Tag]) {
    let mut w = Writer::new();
    w.u64(tick);
    w.u64(tags.len() as u64);
    for tag in tags {
        w.bytes(&tag.0);
    }
    // What is open goes once the peer has acknowledged; what was matched stays for the epoch.
    let key = pair.name("notice", digest);
    pair.put(desk, key, w.finish());
    if !tags.is_empty() {
        let mut w = Writer::new();
        w.u64(tags.len() as u64);
        for tag in tags {
            w.bytes(&tag.0);
            w.flag(pair.matches.get(tag).is_some_and(|matched| matched.ours));
        }
        let key = pair.name("match", digest);
        pair.put(desk, key, w.finish());
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
        pair.matches.insert(tag, Matched { ours, theirs: false, peer_records: Vec::new() });
    }
    r.at_end().then_some(())
}

fn keep_slots(pair: &mut PairEpoch, desk: &mut Desk, digest: &Hash, slots: &[Slot]) {
    if slots.is_empty() {
        return;
    }
    let mut w = Writer::new();
    w.u64(slots.len() as u64);
    for slot in slots {
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
        if let Some(matched) = pair.matches.get_mut(&tag) {
            matched.theirs |= theirs;
            for number in records {
                if !matched.peer_records.contains(&number) {
                    matched.peer_records.push(number);
                }
            }
        }
    }
    r.at_end().then_some(())
}
