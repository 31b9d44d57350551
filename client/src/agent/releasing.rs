//! Releasing leaves: the tag set of each tick, padded to a constant size (R15, R21).
//!
//! Caller: the agent, once a tick for each pair. The opening set holds everything that the opening requests gave; after
//! it each tick adds and removes the same number of leaves, real ones first. *Not here:* where leaves come from
//! ([`super::asking`]).

use super::asking::write_chunk;
use super::desk::Desk;
use super::holdings::Holdings;
use super::pair::{PairEpoch, What};
use super::store::{Reader, Writer};
use protocol::Bytes;
use protocol::body::Body;
use protocol::envelope::Kind;
use protocol::message::{Head, Size, TagSet};
use protocol::name::Party;
use protocol::psi::Confirmation;
use protocol::tagset::{self, Leaf, PADDING, Tag, padded};
use rand_core::CryptoRng;

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
        real.extend(unsent(pair, |leaf| leaf.request == request));
        real.extend(canaries_due(pair, tick));
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
    let real = unsent(pair, |leaf| leaf.size == Size::Opening && matches!(leaf.what, What::Token(_)));
    // One block more than needed: the padding that later sets remove comes from here.
    let count = padded(real.len() + PADDING);
    pair.opened = Some(desk.tick);
    send(pair, desk, Size::Opening, &real, count, Vec::new(), rng);
}

fn unsent(pair: &PairEpoch, which: impl Fn(&super::pair::OwnLeaf) -> bool) -> Vec<Tag> {
    pair.leaves.iter().filter(|(_, leaf)| !leaf.sent && which(leaf)).map(|(tag, _)| *tag).collect()
}

/// Canaries whose tick has come (R22).
fn canaries_due(pair: &PairEpoch, tick: u64) -> Vec<Tag> {
    let opened = pair.opened.unwrap_or(tick);
    let planted = |index: &u32| pair.canaries.get(*index as usize).is_some_and(|canary| opened + canary.tick <= tick);
    let waiting = |tag: &Tag| pair.leaves.get(tag).is_some_and(|leaf| !leaf.sent);
    pair.canary_tags.iter().filter(|(index, tag)| planted(index) && waiting(tag)).map(|(_, tag)| *tag).collect()
}

/// Up to `most` leaves for an ordinary set: canaries whose tick has come, then tokens whose delay is over.
fn small_due(pair: &mut PairEpoch, tick: u64, most: usize) -> Vec<Tag> {
    let mut real = canaries_due(pair, tick);
    real.truncate(most);
    let mut later = Vec::new();
    while real.len() < most {
        let Some(tag) = pair.queue.pop_front() else { break };
        match pair.leaves.get(&tag) {
            Some(leaf) if leaf.sent || leaf.what == What::Gone => {}
            Some(leaf) if leaf.due > tick => later.push(tag),
            Some(_) => real.push(tag),
            None => {}
        }
    }
    later.into_iter().rev().for_each(|tag| pair.queue.push_front(tag));
    real
}

/// Exactly `count` removals: of real leaves whose token is gone, then of padding, in the order of its drawn ends.
fn removals(pair: &mut PairEpoch, tick: u64, count: usize) -> Vec<Tag> {
    let mut out = Vec::with_capacity(count);
    while out.len() < count {
        let Some(tag) = pair.removals.pop_front() else { break };
        let Some(leaf) = pair.leaves.get_mut(&tag).filter(|leaf| leaf.sent && leaf.retired.is_none()) else { continue };
        leaf.retired = Some(tick);
        pair.retired.push(tag);
        pair.lifetimes.push(tick.saturating_sub(leaf.since));
        out.push(tag);
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
    real: &[Tag],
    count: usize,
    mut removals: Vec<Tag>,
    rng: &mut impl CryptoRng,
) {
    let tick = desk.tick;
    let mut sent = Writer::new();
    sent.u64(super::pair::size_code(size));
    sent.u64(real.len() as u64);
    let mut adds = Vec::with_capacity(count);
    for tag in real {
        let Some(leaf) = pair.leaves.get_mut(tag) else { continue };
        leaf.sent = true;
        leaf.since = tick;
        sent.bytes(&tag.0);
        adds.push(Leaf { tag: *tag, confirmation: Bytes(Confirmation::new(&leaf.key, &desk.me).0) });
    }
    while adds.len() < count {
        let leaf = Leaf::random(rng);
        pair.padding.push((leaf.tag, tick.saturating_add(lifetime(pair, tick, rng))));
        adds.push(leaf);
    }
    let gone: Vec<Tag> = removals.iter().filter(|tag| pair.leaves.contains_key(*tag)).copied().collect();
    sent.u64(gone.len() as u64);
    gone.iter().for_each(|tag| sent.bytes(&tag.0));

    let mut nonce_key = Bytes([0; tagset::NONCE_KEY_LEN]);
    rng.fill_bytes(&mut nonce_key.0);
    let rows = tagset::rows(&nonce_key, &mut adds, &mut removals);
    let head = TagSet {
        peer: pair.peer.clone(),
        size,
        adds: adds.len() as u32,
        removals: removals.len() as u32,
        root: tagset::root(adds.iter(), &nonce_key),
    };
    desk.send(Party::Broker, Kind::TagSet, Some(pair.open), Body { head: head.to_bytes(), rows });
    pair.last_set = Some(tick);
    if !real.is_empty() || !gone.is_empty() {
        let key = pair.name("sent", tick);
        pair.put(desk, key, sent.finish());
    }
    write_padding(pair, desk);
    pair.touch();
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
        if let Some(leaf) = pair.leaves.get_mut(&Bytes(r.array()?)) {
            leaf.sent = true;
            leaf.since = tick;
        }
    }
    for _ in 0..r.u64()? {
        let tag = Bytes(r.array()?);
        if let Some(leaf) = pair.leaves.get_mut(&tag) {
            leaf.retired = Some(tick);
            pair.retired.push(tag);
        }
    }
    r.at_end().then_some(())
}

/// A token is held by no record any more: its leaf goes with the next set, or is forgotten if it never went out.
pub(super) fn withdraw(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, tag: Tag) {
    let Some(leaf) = pair.leaves.get(&tag) else { return };
    if leaf.sent {
        if leaf.retired.is_none() && !pair.removals.contains(&tag) {
            pair.removals.push_back(tag);
        }
    } else {
        forget(pair, desk, holdings, &[tag]);
    }
}

/// Forgets leaves for good: tag and match key leave memory and vault (R21).
pub(super) fn forget(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, tags: &[Tag]) {
    let mut touched = std::collections::BTreeSet::new();
    for tag in tags {
        if let Some(leaf) = pair.leaves.remove(tag) {
            touched.insert((leaf.request, leaf.chunk));
        }
    }
    for (request, chunk) in touched {
        if let Some(tags) = pair.chunks.get_mut(&(request, chunk)) {
            tags.retain(|tag| pair.leaves.contains_key(tag));
        }
        write_chunk(pair, desk, holdings, request, chunk);
    }
}
