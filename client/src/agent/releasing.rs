//! Releasing leaves: the tag set of each tick, padded to a constant size (R15, R21).
//!
//! Caller: the agent, once a tick for each pair. The opening set holds everything that the opening requests gave; after
//! it each tick adds and removes the same number of leaves, real ones first. *Not here:* where leaves come from
//! ([`super::asking`]).

use super::asking::write_chunk;
use super::desk::Desk;
use super::holdings::Holdings;
use super::leaves::{Chunk, Place, What};
use super::pair::{CHUNK, PairEpoch};
use super::store::{Reader, Writer};
use protocol::Bytes;
use protocol::body::Body;
use protocol::envelope::Kind;
use protocol::message::{Head, Size, TagSet};
use protocol::name::{Party, UnitName};
use protocol::psi::Confirmation;
use protocol::tagset::{self, Leaf, PADDING, Tag, padded};
use rand_core::CryptoRng;
use rayon::prelude::*;

/// Real lifetimes to have seen before padding imitates them.
const LIFETIMES: usize = 8;

/// Sends the tag set of this tick, if one is due.
pub(super) fn release(pair: &mut PairEpoch, desk: &mut Desk, rng: &mut impl CryptoRng) {
    let tick = desk.tick;
    let small = pair.accord.terms().tag_sets.small as usize;
    if pair.secret.is_none() || pair.last_set.is_some_and(|last| last >= tick) {
        return;
    }
    let Some(_) = pair.opened else {
        open(pair, desk, rng);
        return;
    };
    let due = pair.bulk_due.iter().position(|(_, due)| *due <= tick);
    let mut real = Vec::new();
    let (size, count) = if let Some(at) = due {
        let (request, _) = pair.bulk_due.remove(at);
        real.extend(unsent(pair, |chunk| chunk.request == request));
        real.extend(
            canaries_due(pair, tick).into_iter().filter(|place| pair.leaves.chunk_of(*place).request != request),
        );
        (Size::Bulk, padded(real.len()))
    } else {
        real.extend(small_due(pair, tick, small));
        // Real leaves stay and padding leaves go: when few of the latter are left, a larger set brings new ones.
        let short = pair.padding.len() < small + real.len();
        if short { (Size::Bulk, padded(real.len() + PADDING)) } else { (Size::Small, small) }
    };
    let removals = removals(pair, tick, small);
    send(pair, desk, size, &real, count, removals, rng);
}

/// The opening set: when every opening request is answered, and the delay drawn for this pair is over.
fn open(pair: &mut PairEpoch, desk: &mut Desk, rng: &mut impl CryptoRng) {
    let asked = pair.opening_asked && pair.outstanding.values().all(|o| o.size != Size::Opening);
    let waited = pair.last_request.is_some_and(|asked| asked + pair.delay <= desk.tick);
    if !asked || !waited {
        return;
    }
    let mut real = unsent(pair, |chunk| chunk.size == Size::Opening);
    real.retain(|place| matches!(pair.leaves.at(*place).what(), What::Token(_)));
    // One block more than needed: the padding that later sets remove comes from here.
    let count = padded(real.len() + PADDING);
    pair.opened = Some(desk.tick);
    send(pair, desk, Size::Opening, &real, count, Vec::new(), rng);
}

fn unsent(pair: &PairEpoch, which: impl Fn(&Chunk) -> bool) -> Vec<Place> {
    let chunks = pair.leaves.chunks().iter().filter(|chunk| which(chunk));
    chunks.flat_map(|chunk| pair.leaves.of_chunk(*chunk)).filter(|place| !pair.leaves.at(*place).is_sent()).collect()
}

/// Canaries whose tick has come (R22).
fn canaries_due(pair: &PairEpoch, tick: u64) -> Vec<Place> {
    let opened = pair.opened.unwrap_or(tick);
    let planted = |index: u32| pair.canaries.get(index as usize).is_some_and(|canary| opened + canary.tick <= tick);
    let waiting = |place: &Place| !pair.leaves.at(*place).is_sent();
    pair.leaves.canaries().filter(|(index, place)| planted(*index) && waiting(place)).map(|(_, place)| place).collect()
}

/// Up to `most` leaves for an ordinary set: canaries whose tick has come, then tokens whose delay is over.
fn small_due(pair: &mut PairEpoch, tick: u64, most: usize) -> Vec<Place> {
    let mut real = canaries_due(pair, tick);
    real.truncate(most);
    let mut later = Vec::new();
    while real.len() < most {
        let Some(place) = pair.queue.pop_front() else { break };
        let leaf = pair.leaves.at(place);
        match leaf.due() {
            _ if leaf.what() == What::Gone => {}
            Some(due) if due > tick => later.push(place),
            Some(_) => real.push(place),
            None => {}
        }
    }
    later.into_iter().rev().for_each(|place| pair.queue.push_front(place));
    real
}

/// Exactly `count` removals: of real leaves whose token is gone, then of padding, in the order of its drawn ends.
fn removals(pair: &mut PairEpoch, tick: u64, count: usize) -> Vec<Tag> {
    let mut out = Vec::with_capacity(count);
    while out.len() < count {
        let Some(place) = pair.removals.pop_front() else { break };
        let Some(since) = pair.leaves.retire(place, tick) else { continue };
        pair.lifetimes.push(tick.saturating_sub(since));
        out.push(pair.leaves.at(place).tag);
    }
    pair.padding.sort_by_key(|(_, end)| std::cmp::Reverse(*end));
    while out.len() < count {
        let Some((tag, _)) = pair.padding.pop() else { break };
        out.push(tag);
    }
    out
}

fn send(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    size: Size,
    real: &[Place],
    count: usize,
    mut removals: Vec<Tag>,
    rng: &mut impl CryptoRng,
) {
    let tick = desk.tick;
    let mut sent = Writer::with_room(32 + 17 * real.len());
    sent.u64(super::pair::size_code(size));
    sent.u64(real.len() as u64);
    let mut nonce_key = Bytes([0; tagset::NONCE_KEY_LEN]);
    rng.fill_bytes(&mut nonce_key.0);
    let mut rows = tagset::Rows::new(&nonce_key, count, removals.len());
    for part in real.chunks(CHUNK) {
        let confirmed = confirmations(pair, &desk.me, part);
        for (place, confirmation) in part.iter().zip(confirmed) {
            let tag = pair.leaves.at(*place).tag;
            pair.leaves.mark_sent(*place, tick);
            sent.bytes(&tag.0);
            rows.add(&Leaf { tag, confirmation });
        }
    }
    for _ in real.len()..count {
        let leaf = Leaf::random(rng);
        pair.padding.push((leaf.tag, tick.saturating_add(lifetime(pair, tick, rng))));
        rows.add(&leaf);
    }
    let gone: Vec<Tag> = removals.iter().filter(|tag| pair.leaves.find(tag).is_some()).copied().collect();
    sent.u64(gone.len() as u64);
    gone.iter().for_each(|tag| sent.bytes(&tag.0));
    let (rows, root) = rows.finish(&mut removals);
    let head = TagSet {
        peer: pair.peer.clone(),
        size,
        adds: count.max(real.len()) as u32,
        removals: removals.len() as u32,
        root,
    };
    let body = Body { head: head.to_bytes(), rows };
    let (_, hash) = desk.send(Party::Broker, Kind::TagSet, Some(pair.open), body);
    pair.own_sets.made(hash, tick);
    pair.last_set = Some(tick);
    if !real.is_empty() || !gone.is_empty() {
        let key = pair.name("sent", tick);
        pair.put(desk, key, sent.finish());
    }
    write_padding(pair, desk);
    pair.touch();
}

/// What goes beside each tag: a MAC under its match key, on all cores.
fn confirmations(pair: &PairEpoch, me: &UnitName, places: &[Place]) -> Vec<Bytes<16>> {
    let one = |place: &Place| Bytes(Confirmation::new(&pair.leaves.at(*place).key, me).0);
    if places.len() < 64 { places.iter().map(one).collect() } else { places.par_iter().map(one).collect() }
}

/// How long a padding leaf stays, in ticks: as long as a real one did, or until some tick of the rest of the epoch.
fn lifetime(pair: &PairEpoch, tick: u64, rng: &mut impl CryptoRng) -> u64 {
    if pair.lifetimes.len() >= LIFETIMES {
        return pair.lifetimes[(rng.next_u64() % pair.lifetimes.len() as u64) as usize];
    }
    let calendar = pair.accord.calendar();
    let left = calendar.last_live_tick(pair.open.epoch).unwrap_or(tick).saturating_sub(tick);
    1 + rng.next_u64() % left.max(1)
}

fn write_padding(pair: &mut PairEpoch, desk: &mut Desk) {
    let mut w = Writer::new();
    w.u64(pair.padding.len() as u64);
    for (tag, end) in &pair.padding {
        w.bytes(&tag.0);
        w.u64(*end);
    }
    let key = pair.name("padding", 0);
    pair.put(desk, key, w.finish());
}

/// Reads the padding leaves back at start.
pub(super) fn read_padding(pair: &mut PairEpoch, bytes: &[u8]) -> Option<()> {
    let mut r = Reader::new(bytes);
    for _ in 0..r.u64()? {
        pair.padding.push((Bytes(r.array()?), r.u64()?));
    }
    r.at_end().then_some(())
}

/// Reads one sent set back at start, after the leaves.
pub(super) fn read_sent(pair: &mut PairEpoch, tick: u64, bytes: &[u8]) -> Option<()> {
    let mut r = Reader::new(bytes);
    let _size = r.u64()?;
    for _ in 0..r.u64()? {
        let Some(place) = pair.leaves.find(&Bytes(r.array()?)) else { continue };
        if pair.leaves.is_retired(place)
            && let What::Token(token) = pair.leaves.at(place).what()
        {
            pair.leaves.revive(place, token, tick);
        }
        pair.leaves.mark_sent(place, tick);
    }
    for _ in 0..r.u64()? {
        if let Some(place) = pair.leaves.find(&Bytes(r.array()?)) {
            pair.leaves.retire(place, tick);
        }
    }
    r.at_end().then_some(())
}

/// A token is held by no record any more: its leaf goes with the next set, or is forgotten if it never went out.
pub(super) fn withdraw(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, place: Place) {
    if !pair.leaves.at(place).is_sent() {
        forget(pair, desk, holdings, &[place]);
    } else if !pair.leaves.is_retired(place) && !pair.removals.contains(&place) {
        pair.removals.push_back(place);
    }
}

/// Forgets leaves for good: tag and match key leave memory and vault (R21).
pub(super) fn forget(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, places: &[Place]) {
    let mut touched: Vec<Chunk> = places.iter().filter_map(|place| pair.leaves.forget(*place)).collect();
    touched.sort_unstable_by_key(|chunk| (chunk.request, chunk.number));
    touched.dedup();
    for chunk in touched {
        write_chunk(pair, desk, holdings, chunk);
    }
}
