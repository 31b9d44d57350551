//! Sending envelopes with their bodies (R24).
//!
//! Long rows go first, in frames: the broker is asked which are missing, and only those are sent, so that a cut transfer
//! goes on where it stopped. Then the envelopes follow in small batches, in sequence. Everything here may be repeated:
//! the broker answers an envelope that it has accepted with the same entry again, and does not need its rows again.
//!
//! Caller: the agent, with what stands in its outbox (R25). *Not here:* what is due, and what to do after a refusal.

use super::BrokerClient;
use super::claim::Claim;
use super::error::BrokerError;
use super::exchange::{Call, Exchange, Media};
use super::pace::{self, Pace};
use super::problem;
use bytes::Bytes;
use protocol::body::{Body, FRAME, frame_count, frame_len};
use protocol::codec::{self, Hash};
use protocol::mailbox::{MAX_INLINE, MAX_SUBMISSION, Outcomes, Posted, Refused, Staged, Submission};
use reqwest::Method;
use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Bytes after which a batch is closed: what a cut can cost on a slow link. Far below `mailbox::MAX_BATCH`.
const BATCH: usize = FRAME;
const MAX_OUTCOMES: usize = 65_536;
const MAX_STAGED: usize = 32_768;
/// The list of missing frames covers any body at once; a broker that goes on asking is wrong.
const ROUNDS: u32 = 3;

/// Calls under way: how many frames each carried, and how long it took.
type Flying = JoinSet<Result<(usize, Duration), BrokerError>>;

/// One envelope to be sent, with its body.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The signed envelope.
    pub envelope: &'a [u8],
    /// The head.
    pub head: &'a [u8],
    /// The rows.
    pub rows: Rows<'a>,
}

/// The rows of a body that is sent.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
    /// In memory.
    Here(&'a [u8]),
    /// Stored elsewhere, and read frame by frame: memory does not grow with them.
    Stored {
        /// Length in bytes.
        len: u64,
        /// Reads frame `index`, from 0 ([`protocol::body::frame_len`] says how long it is).
        frame: &'a FrameReader<'a>,
    },
}

/// Reads one frame of stored rows.
pub type FrameReader<'a> = dyn Fn(u64) -> FrameFuture + Send + Sync + 'a;

/// A frame that is being read.
pub type FrameFuture = Pin<Box<dyn Future<Output = io::Result<Vec<u8>>> + Send>>;

impl<'a> Outgoing<'a> {
    /// An envelope whose body is in memory.
    pub fn new(envelope: &'a [u8], body: &'a Body) -> Self {
        Outgoing { envelope, head: &body.head, rows: Rows::Here(&body.rows) }
    }
}

impl BrokerClient {
    /// Sends envelopes in the order given, which is that of their sequence numbers.
    ///
    /// The first refusal ends it: `entries` then tells how many were accepted, and nothing after the refused one was
    /// sent. After an error, nothing is known of the rest: the same envelopes are sent again.
    pub async fn submit(&self, outgoing: &[Outgoing<'_>]) -> Result<Outcomes, BrokerError> {
        let mut all = Outcomes { entries: Vec::with_capacity(outgoing.len()), refused: None };
        let mut rest = outgoing;
        while !rest.is_empty() && all.refused.is_none() {
            let mut batch = Vec::new();
            let mut bytes = 0;
            for next in rest.iter().take(MAX_SUBMISSION) {
                let inline = next.rows.len().min(MAX_INLINE as u64) as usize;
                bytes += next.envelope.len() + next.head.len() + inline;
                if !batch.is_empty() && bytes > BATCH {
                    break;
                }
                batch.push(self.posted(next).await?);
            }
            rest = &rest[batch.len()..];
            let outcomes = self.post(batch).await?;
            all.entries.extend(outcomes.entries);
            all.refused = outcomes.refused;
        }
        Ok(all)
    }

    /// What is posted of one envelope; its long rows are with the broker afterwards.
    async fn posted(&self, outgoing: &Outgoing<'_>) -> Result<Posted, BrokerError> {
        let claim = Claim::read(outgoing.envelope).ok_or(BrokerError::Unsendable("not an envelope"))?;
        if claim.rows_len(outgoing.head.len()) != Some(outgoing.rows.len()) {
            return Err(BrokerError::Unsendable("the body is not as long as its envelope says"));
        }
        let rows = match outgoing.rows {
            Rows::Here(rows) if rows.len() <= MAX_INLINE => Some(rows.to_vec()),
            Rows::Stored { len: 0, .. } => Some(Vec::new()),
            rows if rows.len() <= MAX_INLINE as u64 => Some(rows.frame(0).await?),
            rows => {
                // An accepted body is staged no more: after a lost answer, the number tells that nothing is missing.
                if claim.sequence > self.state().await?.sequence {
                    self.upload(&claim.body_root, &rows).await?;
                }
                None
            }
        };
        Ok(Posted { envelope: outgoing.envelope.to_vec(), head: outgoing.head.to_vec(), rows })
    }

    /// Brings to the broker what it misses of `rows`.
    async fn upload(&self, root: &Hash, rows: &Rows<'_>) -> Result<(), BrokerError> {
        for _ in 0..ROUNDS {
            let missing = self.missing(root, rows.len()).await?;
            if missing.is_empty() {
                return Ok(());
            }
            self.upload_frames(root, rows, &missing).await?;
        }
        Err(BrokerError::Malformed("frames that were sent are still said to be missing"))
    }

    async fn missing(&self, root: &Hash, rows_len: u64) -> Result<Vec<u32>, BrokerError> {
        let call = Call::get(format!("/v1/bodies/{root}?rows_len={rows_len}"), ("staged frames", MAX_STAGED));
        let Staged { missing } = self.exchange.call(&call).await?.decode()?;
        let ascending = missing.windows(2).all(|two| two[0] < two[1]);
        if !ascending || missing.last().is_some_and(|last| u64::from(*last) >= frame_count(rows_len)) {
            return Err(BrokerError::Malformed("staged frames"));
        }
        Ok(missing)
    }

    async fn upload_frames(&self, root: &Hash, rows: &Rows<'_>, missing: &[u32]) -> Result<(), BrokerError> {
        let mut pace = Pace::on(&self.upload);
        let mut flying = Flying::new();
        let mut missing = missing;
        while let Some((first, count)) = pace::run(missing, pace.next().max(1)) {
            if pace.next() == 0 {
                landed(&mut flying, &mut pace).await?;
                continue;
            }
            let mut frames = rows.frame(first).await?;
            for index in first + 1..first + count as u64 {
                frames.extend_from_slice(&rows.frame(index).await?);
            }
            let path = format!("/v1/bodies/{root}/{first}?rows_len={}", rows.len());
            let exchange = self.exchange.clone();
            pace.started(count);
            flying.spawn(async move { put(&exchange, path, Bytes::from(frames), count).await });
            missing = &missing[count..];
        }
        while !flying.is_empty() {
            landed(&mut flying, &mut pace).await?;
        }
        Ok(())
    }

    async fn post(&self, items: Vec<Posted>) -> Result<Outcomes, BrokerError> {
        let sent = items.len();
        let body = codec::encode(&Submission { items });
        let call = Call::post("/v1/envelopes", body, Media::Cbor, ("outcomes", MAX_OUTCOMES));
        let Outcomes { entries, refused } = self.exchange.call(&call).await?.decode()?;
        let complete = if refused.is_some() { entries.len() < sent } else { entries.len() == sent };
        if !complete {
            return Err(BrokerError::Malformed("outcomes of other envelopes than were sent"));
        }
        Ok(Outcomes { entries, refused: refused.map(readable) })
    }
}

impl Rows<'_> {
    /// Length in bytes.
    fn len(&self) -> u64 {
        match self {
            Rows::Here(rows) => rows.len() as u64,
            Rows::Stored { len, .. } => *len,
        }
    }

    async fn frame(&self, index: u64) -> Result<Vec<u8>, BrokerError> {
        let frame = match self {
            Rows::Here(rows) => rows.chunks(FRAME).nth(index as usize).unwrap_or_default().to_vec(),
            Rows::Stored { frame, .. } => frame(index).await.map_err(BrokerError::Rows)?,
        };
        if Some(frame.len()) != frame_len(self.len(), index) {
            return Err(BrokerError::Unsendable("a frame of another length than it must have"));
        }
        Ok(frame)
    }
}

/// Sends some frames; their number and how long it took.
async fn put(exchange: &Exchange, path: String, frames: Bytes, count: usize) -> Result<(usize, Duration), BrokerError> {
    let begun = Instant::now();
    let body = Some((frames, Media::Frame));
    let call = Call { method: Method::PUT, body, ..Call::get(path, ("frame", 0)) };
    exchange.call(&call).await?;
    Ok((count, begun.elapsed()))
}

async fn landed(flying: &mut Flying, pace: &mut Pace<'_>) -> Result<(), BrokerError> {
    match flying.join_next().await {
        Some(Ok(result)) => {
            let (count, time) = result.inspect_err(|_| pace.lost())?;
            pace.took(count, time);
        }
        Some(Err(_)) => return Err(BrokerError::Unsendable("the transfer was stopped")),
        None => (),
    }
    Ok(())
}

/// A refusal as it may be shown: it comes from the network.
fn readable(refused: Refused) -> Refused {
    let code = if problem::is_code(&refused.code) { refused.code } else { "unnamed".to_owned() };
    Refused { code, detail: problem::for_people(&refused.detail) }
}
