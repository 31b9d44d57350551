//! Fetching what others sent, in order after a position, with whole bodies (R24, R28).
//!
//! Long rows come in frames. Their number is bounded by what the envelope claims, and by `body::MAX_ROWS`; when all are
//! there, the body must hash to the root in the envelope. A transfer that is cut goes on with the frames that are
//! missing when the same client fetches again. Caller: the agent, which verifies each envelope and checks its body
//! against the verified header. *Not here:* receipts, and what an envelope means.

use super::BrokerClient;
use super::claim::Claim;
use super::error::BrokerError;
use super::exchange::{Call, Exchange};
use super::pace::{self, Pace};
use protocol::body::{Body, FRAME, MAX_HEAD, frame_count, frames_len, part_hash, root_of_hashes};
use protocol::codec::Hash;
use protocol::envelope::MAX_ENVELOPE;
use protocol::mailbox::{Delivered, Delivery, MAX_BATCH, MAX_INLINE, MAX_WAIT_MS};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A full batch and one envelope more, with what CBOR adds.
const MAX_DELIVERY: usize = MAX_BATCH + MAX_BATCH / 8 + MAX_INLINE + MAX_HEAD + MAX_ENVELOPE;
/// Bytes of bodies after which one fetch hands over what it has, and leaves the rest for the next.
const ENOUGH: u64 = 8 << 20;
/// The status that a frame has whose epoch is closed.
const GONE: u16 = 410;

/// One envelope from the unit's mailbox, with its body. Its signature was not checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Its position in the mailbox: what the next fetch goes on after.
    pub position: u64,
    /// The index of its entry in the log, as the broker says.
    pub entry: u64,
    /// The signed bytes, which decode as an envelope.
    pub envelope: Vec<u8>,
    /// The body, which has the length and the root that the envelope claims; only the head, if it was destroyed.
    pub body: Body,
    /// The broker says that it destroyed the rows when the envelope's epoch closed, or its case ended. Whether that is so,
    /// the caller knows; the body is not the one that was signed.
    pub destroyed: bool,
    /// Of destroyed rows, the hashes of their frames, if the broker gave them: with the head they have the root that the
    /// envelope claims.
    pub frames: Vec<Hash>,
}

/// Rows that are being fetched.
pub(super) struct Partial {
    envelope: Hash,
    rows: Vec<u8>,
    have: Vec<bool>,
}

type Flying = JoinSet<Result<(u64, Vec<u8>, Duration), BrokerError>>;

impl BrokerClient {
    /// What stands in the mailbox after position `after`, in order and without gaps; waits up to `wait` (at most 55
    /// seconds) until something is there. It may be only a part: fetch again, until nothing comes.
    ///
    /// If an envelope in the middle is malformed, those before it are handed over; the next call meets it first, and
    /// fails.
    pub async fn fetch(&self, after: u64, wait: Duration) -> Result<Vec<Received>, BrokerError> {
        let wait = wait.min(Duration::from_millis(MAX_WAIT_MS));
        let path = format!("/v1/envelopes?after={after}&wait_ms={}", wait.as_millis());
        let call = Call { wait, ..Call::get(path, ("delivery", MAX_DELIVERY)) };
        let Delivery { items } = self.exchange.call(&call).await?.decode()?;
        let mut whole = Vec::new();
        let mut bytes = 0;
        let mut last = after;
        for item in items {
            match self.complete(last, item).await {
                Ok(received) => {
                    last = received.position;
                    bytes += received.body.len();
                    whole.push(received);
                }
                Err(error) if whole.is_empty() => return Err(error),
                Err(_) => break,
            }
            if bytes >= ENOUGH {
                break;
            }
        }
        Ok(whole)
    }

    /// The envelope that follows position `last`, with its whole body.
    async fn complete(&self, last: u64, item: Delivered) -> Result<Received, BrokerError> {
        let Delivered { position, entry, envelope, head, rows, frames } = item;
        if last.checked_add(1) != Some(position) {
            return Err(BrokerError::Malformed("a gap in the mailbox"));
        }
        let claim = Claim::read(&envelope).ok_or(BrokerError::Malformed("not an envelope"))?;
        let rows_len = claim.rows_len(head.len()).ok_or(BrokerError::Malformed("a head longer than its body"))?;
        if let (None, Some(frames)) = (&rows, frames) {
            let parts = std::iter::once(part_hash(&head)).chain(frames.iter().copied());
            if frames.len() as u64 != frame_count(rows_len) || root_of_hashes(parts) != claim.body_root {
                return Err(BrokerError::Malformed("hashes that do not belong to their envelope"));
            }
            let body = Body::head_only(head);
            return Ok(Received { position, entry, envelope, body, destroyed: true, frames });
        }
        let rows = match rows {
            Some(rows) if rows.len() > MAX_INLINE => return Err(BrokerError::TooLarge("rows inside a delivery")),
            Some(rows) => rows,
            None => match self.download(&claim, rows_len).await? {
                Some(rows) => rows,
                None => {
                    let body = Body::head_only(head);
                    return Ok(Received { position, entry, envelope, body, destroyed: true, frames: Vec::new() });
                }
            },
        };
        let body = Body { head, rows };
        if body.len() != claim.body_len || body.root() != claim.body_root {
            return Err(BrokerError::Malformed("a body that does not belong to its envelope"));
        }
        Ok(Received { position, entry, envelope, body, destroyed: false, frames: Vec::new() })
    }

    /// The rows of a long body: what was fetched before a cut is not fetched again. `None`: destroyed.
    async fn download(&self, claim: &Claim, rows_len: u64) -> Result<Option<Vec<u8>>, BrokerError> {
        let mut kept = self.partial.lock().await;
        let partial = match &mut *kept {
            Some(partial) if partial.envelope == claim.hash && partial.rows.len() as u64 == rows_len => partial,
            other => other.insert(Partial::new(claim.hash, rows_len)),
        };
        match self.download_frames(partial).await {
            Ok(()) => Ok(kept.take().map(|partial| partial.rows)),
            Err(BrokerError::Refused { status: GONE, .. }) => {
                *kept = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn download_frames(&self, partial: &mut Partial) -> Result<(), BrokerError> {
        let mut pace = Pace::on(&self.download);
        let mut flying = Flying::new();
        let missing = partial.missing();
        let mut missing = missing.as_slice();
        while let Some((first, count)) = pace::run(missing, pace.next().max(1)) {
            if pace.next() == 0 {
                landed(&mut flying, &mut pace, partial).await?;
                continue;
            }
            let length = frames_len(partial.rows.len() as u64, first, count).unwrap_or(0);
            let mut path = format!("/v1/envelopes/{}/{first}", partial.envelope);
            if count > 1 {
                path.push_str(&format!("?frames={count}"));
            }
            let exchange = self.exchange.clone();
            pace.started(count);
            flying.spawn(async move { get(&exchange, path, first, length).await });
            missing = &missing[count..];
        }
        while !flying.is_empty() {
            landed(&mut flying, &mut pace, partial).await?;
        }
        Ok(())
    }
}

impl Partial {
    fn new(envelope: Hash, rows_len: u64) -> Self {
        // Zeroed pages cost nothing until a frame fills them: a large claim alone takes no memory.
        Partial { envelope, rows: vec![0; rows_len as usize], have: vec![false; frame_count(rows_len) as usize] }
    }

    fn missing(&self) -> Vec<u64> {
        (0..).zip(&self.have).filter(|(_, have)| !**have).map(|(index, _)| index).collect()
    }

    /// Takes in frames that follow each other from `index` on; how many.
    fn fill(&mut self, index: u64, frames: &[u8]) -> usize {
        let mut filled = 0;
        let places = self.rows.chunks_mut(FRAME).zip(&mut self.have).skip(index as usize);
        for ((place, have), frame) in places.zip(frames.chunks(FRAME)) {
            if place.len() == frame.len() {
                place.copy_from_slice(frame);
                *have = true;
            }
            filled += 1;
        }
        filled
    }
}

async fn get(
    exchange: &Exchange,
    path: String,
    index: u64,
    length: usize,
) -> Result<(u64, Vec<u8>, Duration), BrokerError> {
    let begun = Instant::now();
    let frames = exchange.call(&Call::get(path, ("frame", length))).await?.bytes;
    if frames.len() != length {
        return Err(BrokerError::Malformed("a frame that is too short"));
    }
    Ok((index, frames, begun.elapsed()))
}

async fn landed(flying: &mut Flying, pace: &mut Pace<'_>, partial: &mut Partial) -> Result<(), BrokerError> {
    match flying.join_next().await {
        Some(Ok(result)) => {
            let (index, frames, time) = result.inspect_err(|_| pace.lost())?;
            let count = partial.fill(index, &frames);
            pace.took(count, time);
        }
        Some(Err(_)) => return Err(BrokerError::Unreachable(super::error::Outage::Cut)),
        None => (),
    }
    Ok(())
}
