//! One peer in one epoch: the secrets, what was asked and evaluated, the leaves, the matches (R9 to R22).
//!
//! This room holds the small state and how it is kept ([`super::leaves`] has what there is one of for each token); what happens to it stands in [`super::opening`], [`super::asking`],
//! [`super::evaluating`], [`super::releasing`] and [`super::confirming`]. *Not here:* what outlives an epoch
//! ([`super::link`]).

use super::desk::Desk;
use super::holdings::{Holdings, TokenIndex};
use super::leaves::{Leaves, Place};
use super::own_sets::OwnSets;
use super::store::{Reader, Writer};
use protocol::accord::Accord;
use protocol::acknowledgement::MAX_RECORDS;
use protocol::calendar::OpenEpoch;
use protocol::codec::{Bytes, Hash};
use protocol::message::Size;
use protocol::name::{Pair, UnitName};
use protocol::overlap::RecordNumber;
use protocol::psi::{Canary, Commitment, Context, Contribution, EpochKey, PairSecret, canaries};
use protocol::quota::Evaluated;
use protocol::seal::{PUBLIC_LEN, SealingKey};
use protocol::tagset::Tag;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// A request that is not answered yet.
pub(super) struct Outstanding {
    pub hash: Hash,
    pub size: Size,
    /// Its tokens, in the order in which they are kept with their blinds; `None` for a canary. Empty after a restart: then
    /// they are looked up.
    pub tokens: Vec<Option<TokenIndex>>,
}

/// A notice that we acknowledged and the peer has not, as far as we know.
pub(super) struct OpenNotice {
    pub tick: u64,
    pub matches: Vec<Tag>,
    /// Our acknowledgement carried changes: the peer has them once its own comes (both are delivered together).
    pub changes: bool,
}

/// One peer in one epoch.
pub(super) struct PairEpoch {
    pub peer: UnitName,
    pub context: Context,
    pub accord: Arc<Accord>,
    pub open: OpenEpoch,

    // opening (R9, R10)
    pub key: EpochKey,
    pub sealing: SealingKey,
    pub contribution: Contribution,
    pub peer_commitment: Option<Commitment>,
    pub peer_sealing: Option<Bytes<PUBLIC_LEN>>,
    pub contribution_sent: bool,
    pub peer_contribution: Option<Contribution>,
    pub secret: Option<PairSecret>,
    pub canaries: Vec<Canary>,

    // asking (R12)
    pub next_request: u32,
    pub opening_points: u64,
    pub bulk_points: u64,
    pub opening_asked: bool,
    pub last_request: Option<u64>,
    pub outstanding: BTreeMap<u32, Outstanding>,
    pub points_sent: u64,
    pub wanted: Vec<TokenIndex>,
    /// The peer evaluates nothing more in this epoch.
    pub barren: bool,

    // evaluating (R13)
    pub evaluated: Evaluated,
    /// Counted requests whose answer waits for the count's entry in the log: the count's sequence number, the request.
    pub counted: BTreeMap<u64, Hash>,

    // releasing (R15)
    pub delay: u64,
    pub opened: Option<u64>,
    pub last_set: Option<u64>,
    pub leaves: Leaves,
    pub queue: VecDeque<Place>,
    pub removals: VecDeque<Place>,
    pub lifetimes: Vec<u64>,
    pub padding: Vec<(Tag, u64)>,
    /// Bulk requests that are answered and wait for their set: request, due tick.
    pub bulk_due: Vec<(u32, u64)>,

    // confirming (R16 to R18, R22)
    /// Leaves whose match both sides confirmed, and which are not in overlaps yet.
    pub meeting: VecDeque<Place>,
    /// Overlaps that came of them since officers were told.
    pub fresh_overlaps: u64,
    pub open_notices: HashMap<Hash, OpenNotice>,
    pub changes: VecDeque<(Tag, Vec<RecordNumber>)>,
    pub peer_sets: u64,
    /// Our sets that no cut has had yet.
    pub own_sets: OwnSets,
    pub covered: Option<u64>,
    pub accused: bool,

    /// Names of everything in the vault that goes with this epoch.
    keys: BTreeSet<String>,
    dirty: bool,
}

/// Tokens of one chunk of leaves in the vault.
pub(super) const CHUNK: usize = 1024;

impl PairEpoch {
    /// A fresh one: new secrets, nothing asked.
    pub fn fresh(
        me: &UnitName,
        peer: &UnitName,
        accord: &Arc<Accord>,
        epoch: u32,
        holdings: &Holdings,
        rng: &mut impl rand_core::CryptoRng,
    ) -> Option<Self> {
        let secrets = (EpochKey::random(rng), SealingKey::generate(rng), Contribution::random(rng));
        let delay = u64::from(rng.next_u32()) % (accord.terms().tag_sets.delay + 1);
        let mut pair = Self::with(me, peer, accord, epoch, secrets, delay)?;
        pair.wanted = holdings.live().collect();
        super::asking::shuffle(&mut pair.wanted, rng);
        pair.dirty = true;
        Some(pair)
    }

    fn with(
        me: &UnitName,
        peer: &UnitName,
        accord: &Arc<Accord>,
        epoch: u32,
        (key, sealing, contribution): (EpochKey, SealingKey, Contribution),
        delay: u64,
    ) -> Option<Self> {
        let pair = Pair::new(me, peer)?;
        Some(PairEpoch {
            peer: peer.clone(),
            context: Context::new(pair, u64::from(epoch), accord.hash().0),
            accord: accord.clone(),
            open: OpenEpoch { epoch, accord: accord.hash() },
            key,
            sealing,
            contribution,
            peer_commitment: None,
            peer_sealing: None,
            contribution_sent: false,
            peer_contribution: None,
            secret: None,
            canaries: Vec::new(),
            next_request: 0,
            opening_points: 0,
            bulk_points: 0,
            opening_asked: false,
            last_request: None,
            outstanding: BTreeMap::new(),
            points_sent: 0,
            wanted: Vec::new(),
            barren: false,
            evaluated: Evaluated::default(),
            counted: BTreeMap::new(),
            delay,
            opened: None,
            last_set: None,
            leaves: Leaves::default(),
            queue: VecDeque::new(),
            removals: VecDeque::new(),
            lifetimes: Vec::new(),
            padding: Vec::new(),
            bulk_due: Vec::new(),
            meeting: VecDeque::new(),
            fresh_overlaps: 0,
            open_notices: HashMap::new(),
            changes: VecDeque::new(),
            peer_sets: 0,
            own_sets: OwnSets::default(),
            covered: None,
            accused: false,
            keys: BTreeSet::new(),
            dirty: false,
        })
    }

    /// The name of the small state: all of them stand in one namespace, so that they are found at start.
    fn own_name(&self) -> String {
        format!("pair/{}.{}", self.peer, self.open.epoch)
    }

    /// `namespace/PEER/EPOCH/rest`: the name of a value that goes with this epoch. `rest` has no slash.
    pub fn name(&self, namespace: &str, rest: impl std::fmt::Display) -> String {
        format!("{namespace}/{}/{}/{rest}", self.peer, self.open.epoch)
    }

    /// Writes a value that goes with this epoch.
    pub fn put(&mut self, desk: &mut Desk, key: String, value: zeroize::Zeroizing<Vec<u8>>) {
        self.keys.insert(key.clone());
        desk.put(key, value);
    }

    /// Destroys one of them.
    pub fn drop_key(&mut self, desk: &mut Desk, key: String) {
        self.keys.remove(&key);
        desk.delete(key);
    }

    /// Notes a name found at start.
    pub fn adopt_key(&mut self, key: String) {
        self.keys.insert(key);
    }

    /// Destroys everything of this epoch: scalars, blinds, pair secret, match keys (R9).
    pub fn destroy(self, desk: &mut Desk) {
        for key in self.keys {
            desk.delete(key);
        }
    }

    /// Notes that the small state changed.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// An envelope of ours was numbered and signed anew: what refers to it follows.
    pub fn renumbered(&mut self, old: &(u64, Hash), new: &(u64, Hash)) {
        for outstanding in self.outstanding.values_mut().filter(|o| o.hash == old.1) {
            outstanding.hash = new.1;
            self.dirty = true;
        }
        if let Some(request) = self.counted.remove(&old.0) {
            self.counted.insert(new.0, request);
            self.dirty = true;
        }
        self.dirty |= self.own_sets.renumbered(&old.1, &new.1);
    }

    /// The broker accepted an envelope of ours.
    pub fn accepted(&mut self, hash: &Hash, entry: u64) {
        self.dirty |= self.own_sets.accepted(hash, entry);
    }

    /// Whether every token that may be asked for is compared, and every notice with matches acknowledged by both.
    pub fn is_settled(&self, holdings: &Holdings) -> bool {
        let may_wait = |token: &TokenIndex| holdings.is_live(*token) && holdings.holder_count(*token) <= MAX_RECORDS;
        self.opened.is_some_and(|opened| self.covered.is_some_and(|covered| covered >= opened))
            && self.peer_sets > 0
            && !self.wanted.iter().any(may_wait)
            && self.leaves.asked() == 0
            && self.meeting.is_empty()
            && self.bulk_due.is_empty()
            && self.queue.is_empty()
            && self.changes.is_empty()
            && self.leaves.waiting_tokens() == 0
            && self.covered.is_some_and(|covered| covered >= self.leaves.newest())
            && self.open_notices.values().all(|notice| notice.matches.is_empty() && !notice.changes)
    }

    /// The pair.
    pub fn units(&self) -> &Pair {
        self.context.pair()
    }

    /// Sets the pair secret, and the canaries that follow from it.
    pub fn set_secret(&mut self, secret: PairSecret) {
        let terms = &self.accord.terms().canaries;
        self.canaries = canaries(&secret, terms.count, terms.window_ticks);
        self.secret = Some(secret);
    }

    /// Writes the small state, if it changed.
    pub fn save(&mut self, desk: &mut Desk) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let mut w = Writer::new();
        w.bytes(&self.open.accord.0);
        w.bytes(self.key.expose_secret().as_ref());
        w.bytes(self.sealing.expose_secret().as_ref());
        w.bytes(self.contribution.expose_secret());
        w.maybe(self.peer_commitment.as_ref().map(|c| c.as_bytes().as_slice()));
        w.maybe(self.peer_sealing.as_ref().map(|key| key.0.as_slice()));
        w.flag(self.contribution_sent);
        w.maybe(self.peer_contribution.as_ref().map(|c| c.expose_secret().as_slice()));
        w.maybe(self.secret.as_ref().map(|secret| secret.expose_secret().as_slice()));
        for n in [u64::from(self.next_request), self.points_sent, self.opening_points, self.bulk_points] {
            w.u64(n);
        }
        w.flag(self.opening_asked);
        w.maybe_u64(self.last_request);
        w.flag(self.barren);
        w.u64(self.evaluated.total());
        w.u64(self.delay);
        w.maybe_u64(self.opened);
        w.maybe_u64(self.last_set);
        w.u64(self.peer_sets);
        self.own_sets.write(&mut w);
        w.maybe_u64(self.covered);
        w.flag(self.accused);
        w.u64(self.outstanding.len() as u64);
        for (number, outstanding) in &self.outstanding {
            w.u64(u64::from(*number));
            w.bytes(&outstanding.hash.0);
            w.u64(size_code(outstanding.size));
        }
        w.u64(self.counted.len() as u64);
        for (sequence, request) in &self.counted {
            w.u64(*sequence);
            w.bytes(&request.0);
        }
        w.u64(self.bulk_due.len() as u64);
        for (request, due) in &self.bulk_due {
            w.u64(u64::from(*request));
            w.u64(*due);
        }
        w.u64(self.changes.len() as u64);
        for (tag, records) in &self.changes {
            w.bytes(&tag.0);
            w.u64(records.len() as u64);
            records.iter().for_each(|number| w.u64(u64::from(number.0)));
        }
        let (key, value) = (self.own_name(), w.finish());
        self.put(desk, key, value);
    }

    /// Reads the small state back.
    pub fn load(
        me: &UnitName,
        peer: &UnitName,
        epoch: u32,
        bytes: &[u8],
        accord: impl Fn(&Hash) -> Option<Arc<Accord>>,
    ) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let accord = accord(&Bytes(r.array()?))?;
        let key = EpochKey::from_secret(&r.array()?).ok()?;
        let sealing = SealingKey::from_secret(&r.array()?).ok()?;
        let contribution = Contribution::from_secret(&r.array()?);
        let mut pair = Self::with(me, peer, &accord, epoch, (key, sealing, contribution), 0)?;
        if let Some(bytes) = r.maybe()? {
            pair.peer_commitment = Some(Commitment::reopen(bytes.try_into().ok()?).ok()?);
        }
        if let Some(bytes) = r.maybe()? {
            pair.peer_sealing = Some(Bytes::from_slice(bytes)?);
        }
        pair.contribution_sent = r.flag()?;
        if let Some(bytes) = r.maybe()? {
            pair.peer_contribution = Some(Contribution::from_secret(bytes.try_into().ok()?));
        }
        if let Some(bytes) = r.maybe()? {
            pair.set_secret(PairSecret::from_secret(bytes.try_into().ok()?));
        }
        pair.next_request = r.u32()?;
        pair.points_sent = r.u64()?;
        pair.opening_points = r.u64()?;
        pair.bulk_points = r.u64()?;
        pair.opening_asked = r.flag()?;
        pair.last_request = r.maybe_u64()?;
        pair.barren = r.flag()?;
        pair.evaluated = Evaluated::from_total(r.u64()?);
        pair.delay = r.u64()?;
        pair.opened = r.maybe_u64()?;
        pair.last_set = r.maybe_u64()?;
        pair.peer_sets = r.u64()?;
        pair.own_sets = OwnSets::read(&mut r)?;
        pair.covered = r.maybe_u64()?;
        pair.accused = r.flag()?;
        for _ in 0..r.u64()? {
            let (number, hash) = (r.u32()?, Bytes(r.array()?));
            pair.outstanding.insert(number, Outstanding { hash, size: size_from(r.u64()?)?, tokens: Vec::new() });
        }
        for _ in 0..r.u64()? {
            pair.counted.insert(r.u64()?, Bytes(r.array()?));
        }
        for _ in 0..r.u64()? {
            pair.bulk_due.push((r.u32()?, r.u64()?));
        }
        for _ in 0..r.u64()? {
            let (tag, mut records) = (Bytes(r.array()?), Vec::new());
            for _ in 0..r.u64()? {
                records.push(RecordNumber(r.u32()?));
            }
            pair.changes.push_back((tag, records));
        }
        let own = [pair.own_name()].into_iter();
        let blinds = pair.outstanding.keys().map(|number| pair.name("blinds", number));
        let asked = pair.counted.values().map(|request| pair.name("asked", request));
        pair.keys = own.chain(blinds).chain(asked).collect();
        r.at_end().then_some(pair)
    }
}

pub(super) fn size_code(size: Size) -> u64 {
    match size {
        Size::Opening => 0,
        Size::Bulk => 1,
        Size::Small => 2,
    }
}

pub(super) fn size_from(code: u64) -> Option<Size> {
    match code {
        0 => Some(Size::Opening),
        1 => Some(Size::Bulk),
        2 => Some(Size::Small),
        _ => None,
    }
}
