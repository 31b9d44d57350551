//! Asking a peer: requests, and what their answers become (R12, R14).
//!
//! Caller: the agent. The opening request of an epoch takes everything that is held; later tokens go in the fixed small
//! requests, or in announced bulk loads. *Not here:* the release of leaves ([`super::releasing`]).

use super::desk::Desk;
use super::event::Event;
use super::holdings::{Holdings, TokenIndex};
use super::leaves::{Chunk, What};
use super::pair::{CHUNK, Outstanding, PairEpoch, size_code, size_from};
use super::store::{Reader, Writer};
use super::{NotTaken, dispute};
use protocol::acknowledgement::MAX_RECORDS;
use protocol::body::{self, Body};
use protocol::envelope::{Envelope, Kind};
use protocol::message::{self, DisputeReason, Head, RefusalReason, Size};
use protocol::name::Party;
use protocol::psi::unblind::{AnswerRefused, Verified};
use protocol::psi::{Blind, Blinded, MAX_POINTS, MatchKey, Proof, Statement, blind};
use protocol::tagset::{PADDING, Tag, padded};
use protocol::{Bytes, Hash};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Points of one of the requests that open an epoch: what is in memory of one while it is made or
/// checked is some 600 bytes a point. A proof for more points costs no less.
const PART: usize = 16_384;
const _: () = assert!(PART <= MAX_POINTS);
/// Unanswered small requests after which no more are sent to a peer that is away.
const MOST_OUTSTANDING: usize = 8;
/// So many times the small size must wait before a bulk load is announced.
const BULK_FROM: usize = 4;

/// Sends what is due to be asked in this tick: of the large requests, which open an epoch or follow a large import, one at
/// most, and whether to ask again at once.
pub(super) fn ask(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, rng: &mut impl CryptoRng) -> bool {
    if pair.secret.is_none() || pair.barren {
        return false;
    }
    let accord = pair.accord.clone();
    let requests = &accord.terms().requests;
    let small = requests.small as usize;
    if !pair.opening_asked {
        ask_opening(pair, desk, holdings, rng);
        return !pair.opening_asked;
    }
    if pair.opened.is_none() {
        return false;
    }
    if pair.wanted.len() > BULK_FROM * small {
        let budget = requests.bulk_max.saturating_sub(pair.bulk_points) as usize / PADDING * PADDING;
        let tokens = take_wanted(pair, holdings, budget.min(MAX_POINTS));
        if !tokens.is_empty() {
            let points = padded(tokens.len());
            pair.bulk_points += points as u64;
            let items: Vec<Item> = tokens.into_iter().map(Item::Token).collect();
            request(pair, desk, holdings, &items, Size::Bulk, points, rng);
            return true;
        }
    }
    let waiting = pair.outstanding.values().filter(|o| o.size == Size::Small).count();
    let due = desk.tick.is_multiple_of(requests.every) && pair.last_request.is_none_or(|last| last < desk.tick);
    if due && waiting < MOST_OUTSTANDING {
        let items: Vec<Item> = take_wanted(pair, holdings, small).into_iter().map(Item::Token).collect();
        request(pair, desk, holdings, &items, Size::Small, small, rng);
        pair.last_request = Some(desk.tick);
        pair.touch();
    }
    false
}

/// One of the requests that open the epoch: everything that is held goes in them, as far as the accord lets it. One for
/// each call, so that none waits in memory for the others. The first has the canaries too.
fn ask_opening(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, rng: &mut impl CryptoRng) {
    // One block less than allowed: the opening set has one block of padding more than these requests.
    let most = (pair.accord.terms().requests.opening_max / PADDING as u64).saturating_sub(1) * PADDING as u64;
    let room = usize::try_from(most.saturating_sub(pair.opening_points)).unwrap_or(usize::MAX).min(PART);
    let is_first = pair.next_request == 0;
    let mut items = Vec::new();
    if is_first {
        pair.leaves.expect(pair.wanted.len() + pair.canaries.len());
        items.extend((0..pair.canaries.len() as u32).map(Item::Canary));
    }
    items.extend(take_wanted(pair, holdings, room.saturating_sub(items.len())).into_iter().map(Item::Token));
    if is_first || !items.is_empty() {
        shuffle(&mut items, rng);
        let points = padded(items.len());
        pair.opening_points += points as u64;
        request(pair, desk, holdings, &items, Size::Opening, points, rng);
    }
    let is_full = pair.opening_points >= most;
    pair.opening_asked = pair.wanted.is_empty() || is_full || items.is_empty();
    if pair.opening_asked {
        pair.wanted.shrink_to_fit();
    }
    pair.last_request = Some(desk.tick);
    pair.touch();
}

#[derive(Clone, Copy)]
enum Item {
    Token(TokenIndex),
    Canary(u32),
}

/// Takes up to `most` tokens that may be asked for: live, not asked yet, and not too common (R18).
fn take_wanted(pair: &mut PairEpoch, holdings: &Holdings, most: usize) -> Vec<TokenIndex> {
    let mut taken = Vec::with_capacity(most.min(pair.wanted.len()));
    while taken.len() < most {
        let Some(token) = pair.wanted.pop() else { break };
        let common = holdings.holder_count(token) > MAX_RECORDS;
        if holdings.is_live(token) && !common && !pair.leaves.is_known(token) {
            pair.leaves.ask(token);
            taken.push(token);
        }
    }
    taken
}

fn request(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    items: &[Item],
    size: Size,
    points: usize,
    rng: &mut impl CryptoRng,
) {
    let Some(secret) = &pair.secret else { return };
    let tokens: Vec<&[u8]> = items
        .iter()
        .map(|item| match item {
            Item::Token(token) => holdings.bytes(*token),
            Item::Canary(index) => pair.canaries[*index as usize].token.as_slice(),
        })
        .collect();
    // The tokens are distinct and as many as fit; a request that cannot be made is not sent.
    let Ok(blinded) = blind(&tokens, points.saturating_sub(tokens.len()), &pair.key, secret, &pair.context, rng) else {
        return;
    };
    let number = pair.next_request;
    let kept = keep(&blinded, items, &tokens, size);
    let head = message::Request { confirm: Bytes(secret.confirmation_of(&desk.me)), size, number };
    let body = Body { head: head.to_bytes(), rows: blinded.points.as_flattened().to_vec() };
    let key = pair.name("blinds", number);
    pair.put(desk, key, kept);
    let (_, hash) = desk.send(Party::Unit(pair.peer.clone()), Kind::Request, Some(pair.open), body);
    let tokens = items.iter().map(|item| if let Item::Token(token) = item { Some(*token) } else { None }).collect();
    pair.outstanding.insert(number, Outstanding { hash, size, tokens });
    pair.next_request += 1;
    pair.points_sent += points as u64;
    pair.touch();
}

/// The key of what was kept of a request, for the shell to fetch before the answer is taken in.
pub(super) fn kept_key(pair: &PairEpoch, request: &Hash) -> Option<String> {
    let number = pair.outstanding.iter().find(|(_, o)| o.hash == *request)?.0;
    Some(pair.name("blinds", number))
}

/// Takes an answer in: checks all of it, then turns it into leaves (R14).
#[expect(clippy::too_many_arguments, reason = "the rooms of the agent that an answer touches")]
pub(super) fn answered(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    envelope: &Envelope,
    head: &message::Evaluation,
    rows: &[u8],
    kept: Option<&[u8]>,
    rng: &mut impl CryptoRng,
) -> Result<(), NotTaken> {
    let number = *pair.outstanding.iter().find(|(_, o)| o.hash == head.request).ok_or(NotTaken::NotExpected)?.0;
    let kept = kept.and_then(Kept::read).ok_or(NotTaken::OwnState)?;
    let (answer, []) = rows.as_chunks::<32>() else { return Err(NotTaken::Evaluation) };
    let (Some(peer), Some(secret)) = (&pair.peer_commitment, &pair.secret) else { return Err(NotTaken::NotExpected) };
    let context = pair.context.clone();
    let root = body::rows_root(rows);
    let statement = Statement { context: &context, request: &head.request.0, answer: &root.0 };
    let verified = match Verified::check(&kept.blinded, answer, &Proof(head.proof.0), statement, peer) {
        Ok(verified) => verified,
        Err(AnswerRefused::OwnRequest) => return Err(NotTaken::OwnState),
        Err(_) => {
            dispute(pair, desk, envelope.hash(), DisputeReason::WrongEvaluation, None);
            pair.barren = true;
            pair.touch();
            return Err(NotTaken::Evaluation);
        }
    };
    let leafed = verified.unblind(&kept.tokens, secret).map_err(|_| NotTaken::OwnState)?;

    let due = desk.tick + u64::from(rng.next_u32()) % (pair.accord.terms().tag_sets.delay + 1);
    let outstanding = pair.outstanding.remove(&number);
    let known = outstanding.map(|outstanding| outstanding.tokens).unwrap_or_default();
    let chunks = leafed.len().div_ceil(CHUNK) as u32;
    let mut leaves = leafed.into_iter().enumerate();
    for chunk in 0..chunks {
        pair.leaves.begin(number, chunk, kept.size);
        for (at, leaf) in leaves.by_ref().take(CHUNK) {
            let what = match kept.canaries[at] {
                Some(index) => What::Canary(index),
                None => match kept.token(at, &known, holdings).filter(|token| holdings.is_live(*token)) {
                    Some(token) => What::Token(token),
                    None => continue,
                },
            };
            let delay = u64::from(rng.next_u32()) % (pair.accord.terms().tag_sets.delay + 1);
            place(pair, Bytes(leaf.tag.0), what, leaf.key, desk.tick + delay);
        }
        if let Some(chunk) = pair.leaves.chunks().last().copied() {
            write_chunk(pair, desk, holdings, chunk);
        }
    }
    if kept.size == Size::Bulk {
        pair.bulk_due.push((number, due));
    }
    let key = pair.name("blinds", number);
    pair.drop_key(desk, key);
    pair.touch();
    Ok(())
}

/// Places a leaf into the chunk that was begun last. One of an ordinary request waits in the queue.
fn place(pair: &mut PairEpoch, tag: Tag, what: What, key: MatchKey, due: u64) {
    let is_queued = match (pair.leaves.place(tag, what, key, due), what) {
        // A token that died and came back between two requests has its leaf already.
        (Err(place), What::Token(token)) => {
            pair.removals.retain(|other| *other != place);
            pair.leaves.revive(place, token, due).then_some(place)
        }
        (Err(_), _) => None,
        (Ok(place), _) => {
            let small = pair.leaves.chunks().last().is_some_and(|chunk| chunk.size == Size::Small);
            (small && matches!(what, What::Token(_))).then_some(place)
        }
    };
    pair.queue.extend(is_queued);
}

/// Writes one chunk of leaves, without those that are gone: their keys are destroyed with the old one.
pub(super) fn write_chunk(pair: &mut PairEpoch, desk: &mut Desk, holdings: &Holdings, chunk: Chunk) {
    let mut w = Writer::with_room(CHUNK * 80);
    w.u64(pair.leaves.of_chunk(chunk).count() as u64);
    for place in pair.leaves.of_chunk(chunk) {
        let leaf = pair.leaves.at(place);
        match leaf.what() {
            What::Token(token) => w.bytes(&holdings.digest(token)),
            What::Canary(index) => w.bytes(&index.to_be_bytes()),
            What::Gone => w.bytes(&[]),
        }
        w.bytes(&leaf.tag.0);
        w.bytes(leaf.key.expose_secret());
        w.u64(size_code(chunk.size));
        w.u64(leaf.due().unwrap_or(0));
    }
    let key = pair.name("leaf", format_args!("{}.{}", chunk.request, chunk.number));
    pair.put(desk, key, w.finish());
}

/// Reads a chunk back at start. A token that is not held any more becomes a leaf to be removed.
pub(super) fn read_chunk(
    pair: &mut PairEpoch,
    holdings: &Holdings,
    (request, number): (u32, u32),
    bytes: &[u8],
) -> Option<()> {
    let mut r = Reader::new(bytes);
    for at in 0..r.u64()? {
        let what = match r.bytes()? {
            [] => What::Gone,
            name if name.len() == 4 => What::Canary(u32::from_be_bytes(name.try_into().ok()?)),
            name => match holdings.find(name.try_into().ok()?) {
                Some(token) => What::Token(token),
                None => What::Gone,
            },
        };
        let (tag, key) = (Bytes(r.array()?), MatchKey::from_secret(&r.array()?));
        let (size, due) = (size_from(r.u64()?)?, r.u64()?);
        if at == 0 {
            pair.leaves.begin(request, number, size);
        }
        // One that is gone may have been released: the removal queue finds out once the sent sets are read.
        place(pair, tag, what, key, due);
    }
    r.at_end().then_some(())
}

/// A peer did not evaluate a request: its tokens can be asked for again, in another request, if the peer still answers.
pub(super) fn refused(
    pair: &mut PairEpoch,
    desk: &mut Desk,
    holdings: &Holdings,
    head: &message::Refusal,
    kept: Option<&[u8]>,
) -> Result<(), NotTaken> {
    let number = *pair.outstanding.iter().find(|(_, o)| o.hash == head.request).ok_or(NotTaken::NotExpected)?.0;
    let known = pair.outstanding.remove(&number).map(|outstanding| outstanding.tokens).unwrap_or_default();
    for token in kept.and_then(Kept::read).iter().flat_map(|kept| kept.held(&known, holdings)) {
        pair.leaves.unknow(token);
        pair.wanted.push(token);
    }
    pair.barren |= !matches!(head.reason, RefusalReason::Size | RefusalReason::BadPoint);
    let key = pair.name("blinds", number);
    pair.drop_key(desk, key);
    pair.touch();
    desk.tell(Event::NotEvaluated(pair.peer.clone(), head.reason));
    Ok(())
}

/// What was kept of a request, until it is answered.
struct Kept<'a> {
    size: Size,
    blinded: Blinded,
    /// For each item: which canary it is, if it is one.
    canaries: Vec<Option<u32>>,
    tokens: Vec<&'a [u8]>,
}

/// What must be durable before the first byte of a request leaves (R12).
fn keep(blinded: &Blinded, items: &[Item], tokens: &[&[u8]], size: Size) -> Zeroizing<Vec<u8>> {
    // For each point 32 bytes and its place; for each item its token and blind, and some bytes of lengths.
    let text: usize = tokens.iter().map(|token| token.len()).sum();
    let mut w = Writer::with_room(64 + 36 * blinded.points.len() + text + 56 * items.len());
    w.u64(size_code(size));
    w.bytes(blinded.points.as_flattened());
    let order = blinded.order.iter().flat_map(|at| at.map_or(u32::MAX, |at| at as u32).to_be_bytes());
    w.bytes(&Zeroizing::new(order.collect::<Vec<u8>>()));
    w.u64(items.len() as u64);
    for ((item, token), blind) in items.iter().zip(tokens).zip(&blinded.blinds) {
        w.flag(matches!(item, Item::Canary(_)));
        w.u64(match item {
            Item::Canary(index) => u64::from(*index),
            Item::Token(_) => 0,
        });
        w.bytes(token);
        w.bytes(blind.expose_secret().as_ref());
    }
    w.finish()
}

impl<'a> Kept<'a> {
    /// Reads what [`keep`] wrote.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let size = size_from(r.u64()?)?;
        let (points, []) = r.bytes()?.as_chunks::<32>() else { return None };
        let (order, []) = r.bytes()?.as_chunks::<4>() else { return None };
        let order = order.iter().map(|at| u32::from_be_bytes(*at)).map(|at| (at != u32::MAX).then_some(at as usize));
        let order: Vec<Option<usize>> = order.collect();
        let count = usize::try_from(r.u64()?).ok().filter(|count| *count <= order.len())?;
        let mut kept = Kept {
            size,
            blinded: Blinded { points: points.to_vec(), order, blinds: Vec::with_capacity(count) },
            canaries: Vec::with_capacity(count),
            tokens: Vec::with_capacity(count),
        };
        for _ in 0..count {
            let (canary, index) = (r.flag()?, r.u32()?);
            kept.canaries.push(canary.then_some(index));
            kept.tokens.push(r.bytes()?);
            kept.blinded.blinds.push(Blind::from_secret(&r.array()?).ok()?);
        }
        r.at_end().then_some(kept)
    }

    /// The token of an item, if it is or was held: as it is known since the request was made, or looked up.
    fn token(&self, at: usize, known: &[Option<TokenIndex>], holdings: &Holdings) -> Option<TokenIndex> {
        match known.get(at) {
            Some(token) => *token,
            None => holdings.find(&super::holdings::digest_of(self.tokens[at])),
        }
    }

    /// All tokens, without canaries, that are or were held.
    fn held(&self, known: &[Option<TokenIndex>], holdings: &Holdings) -> impl Iterator<Item = TokenIndex> {
        let items = (0..self.tokens.len()).filter(|at| self.canaries[*at].is_none());
        items.filter_map(|at| self.token(at, known, holdings))
    }
}

/// Marks the tokens of an unanswered request at start.
pub(super) fn read_asked(pair: &mut PairEpoch, holdings: &Holdings, bytes: &[u8]) -> Option<()> {
    let kept = Kept::read(bytes)?;
    kept.held(&[], holdings).for_each(|token| pair.leaves.ask(token));
    Some(())
}

/// Draws an order anew (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], rng: &mut impl CryptoRng) {
    for last in (1..items.len()).rev() {
        // 64 random bits for at most 2^32 places: the bias is below 2^-32.
        items.swap(last, (rng.next_u64() % (last as u64 + 1)) as usize);
    }
}
