//! The body of an envelope that is being taken in: inline or staged in frames, and checked against its root (R23, R24).
//!
//! Caller: [`super`]. Rows in frames are in memory some at a time. *Not here:* what tag sets, acknowledgements and acts
//! mean.

use super::{Aftermath, OrFail, Stop};
use crate::log::Writing;
use crate::refusal::BodyRefused;
use crate::staging::{self, Upload};
use crate::store::StoreError;
use protocol::act::Act;
use protocol::body::{Body, MAX_HEAD, MAX_ROWS, root_of_hashes, rows_root};
use protocol::codec::{CodecError, Hash};
use protocol::envelope::{Envelope, EnvelopeError, Kind};
use protocol::mailbox::{MAX_INLINE, Posted};
use protocol::matter::is_sealed_len;
use protocol::message::{
    AccordProposal, AccordSignature, Acknowledgement, Commitment, Contribution, Count, Dispute, Evaluation, Head,
    ParcelPart, Refusal, Request, TagSet,
};
use protocol::name::UnitName;
use protocol::officer::OfficerEntry;

const POINT_LEN: u64 = 32;
const MAX_POINTS: u64 = 65_536;
/// The longest part of a sealed parcel: 1 MiB and the tag of its encryption.
const MAX_PART: u64 = protocol::parcel::MAX_SEALED_PART as u64;
/// Frames that are in memory together: a MiB.
const TOGETHER: u64 = 16;

/// Where the rows are.
pub(super) enum Rows {
    Inline(Vec<u8>),
    Frames { body: u64, frames: u64 },
}

/// A body that is the one that was signed.
pub(super) struct Content {
    pub(super) head: Vec<u8>,
    pub(super) rows: Rows,
    pub(super) rows_len: u64,
}

impl Content {
    /// The head as a message.
    pub(super) fn head<H: Head>(&self) -> Result<H, BodyRefused> {
        H::from_bytes(&self.head).map_err(|error| match error {
            CodecError::Malformed => BodyRefused::Head,
            CodecError::NotCanonical => BodyRefused::HeadNotCanonical,
        })
    }

    /// The next pieces of the rows, of 65,536 bytes at most each, after so many; none at the end.
    pub(super) async fn pieces(&self, writing: &mut Writing, after: usize) -> Result<Vec<Vec<u8>>, Stop> {
        match &self.rows {
            Rows::Inline(bytes) if after == 0 => Ok(vec![bytes.clone()]),
            Rows::Inline(_) => Ok(Vec::new()),
            Rows::Frames { body, frames } => {
                let after = after as u64;
                let count = frames.saturating_sub(after).min(TOGETHER);
                if count == 0 {
                    return Ok(Vec::new());
                }
                const FRAMES: &str = "SELECT bytes FROM frame WHERE body = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
                let args = [(*body).into(), after.into(), (after + count).into()];
                let rows = writing.tx.all(FRAMES, &args).await.or_fail()?;
                if rows.len() as u64 != count {
                    return Err(Stop::Failed(StoreError::Corrupt("a frame is missing")));
                }
                rows.into_iter().map(|mut row| row.blob(0)).collect::<Result<_, _>>().or_fail()
            }
        }
    }

    /// The root over the rows alone ([`rows_root`]). Of frames: from the hashes that were kept as they came.
    pub(super) async fn rows_root(&self, writing: &mut Writing) -> Result<Hash, Stop> {
        match &self.rows {
            Rows::Inline(bytes) => Ok(rows_root(bytes)),
            Rows::Frames { body, .. } => {
                const HASHES: &str = "SELECT hash FROM frame WHERE body = $1 ORDER BY idx";
                let rows = writing.tx.all(HASHES, &[(*body).into()]).await.or_fail()?;
                let hashes = rows.into_iter().map(|mut row| row.bytes(0)).collect::<Result<Vec<Hash>, _>>();
                Ok(root_of_hashes(hashes.or_fail()?.into_iter()))
            }
        }
    }

    /// All rows at once, for kinds whose rows are short; `None` if they are longer than `most`.
    pub(super) async fn whole_rows(&self, writing: &mut Writing, most: usize) -> Result<Option<Vec<u8>>, Stop> {
        if self.rows_len > most as u64 {
            return Ok(None);
        }
        let mut rows = Vec::with_capacity(self.rows_len as usize);
        let mut taken = 0;
        loop {
            let pieces = self.pieces(writing, taken).await?;
            if pieces.is_empty() {
                return Ok(Some(rows));
            }
            taken += pieces.len();
            rows.extend(pieces.into_iter().flatten());
        }
    }
}

/// Takes the body that was posted or staged with `envelope`, and checks it against the signed length and root, the head
/// against its kind, and the length of the rows against what the kind allows.
pub(super) async fn take(
    writing: &mut Writing,
    unit: &UnitName,
    envelope: &Envelope,
    posted: Posted,
    aftermath: &mut Aftermath,
) -> Result<Content, Stop> {
    let header = envelope.header();
    if posted.head.len() > MAX_HEAD {
        return Err(EnvelopeError::TooLarge.into());
    }
    let rows_len = header.body_len.checked_sub(posted.head.len() as u64).ok_or(EnvelopeError::Body)?;
    if rows_len > MAX_ROWS as u64 {
        return Err(EnvelopeError::TooLarge.into());
    }
    let content = match posted.rows {
        Some(rows) if rows.len() > MAX_INLINE => return Err(BodyRefused::NotInline.into()),
        Some(rows) => {
            let body = Body { head: posted.head, rows };
            envelope.check_body(&body)?;
            Content { head: body.head, rows: Rows::Inline(body.rows), rows_len }
        }
        None => {
            let root = &header.body_root;
            match staging::take(&mut writing.tx, unit, root, &posted.head, rows_len).await.or_fail()? {
                Upload::Whole(body) => {
                    let frames = protocol::body::frame_count(rows_len);
                    Content { head: posted.head, rows: Rows::Frames { body, frames }, rows_len }
                }
                Upload::Incomplete => return Err(BodyRefused::Incomplete.into()),
                Upload::Wrong => {
                    aftermath.spoilt = Some(*root);
                    return Err(EnvelopeError::Body.into());
                }
            }
        }
    };
    check_head(header.kind, &content)?;
    check_rows(header.kind, rows_len)?;
    Ok(content)
}

fn check_head(kind: Kind, content: &Content) -> Result<(), BodyRefused> {
    match kind {
        Kind::AccordProposal => content.head::<AccordProposal>().map(drop),
        Kind::AccordSignature => content.head::<AccordSignature>().map(drop),
        Kind::Commitment => content.head::<Commitment>().map(drop),
        Kind::Contribution => content.head::<Contribution>().map(drop),
        Kind::Request => content.head::<Request>().map(drop),
        Kind::Count => content.head::<Count>().map(drop),
        Kind::Evaluation => content.head::<Evaluation>().map(drop),
        Kind::Refusal => content.head::<Refusal>().map(drop),
        Kind::TagSet => content.head::<TagSet>().map(drop),
        Kind::Acknowledgement => content.head::<Acknowledgement>().map(drop),
        Kind::Dispute => content.head::<Dispute>().map(drop),
        Kind::Officer => content.head::<OfficerEntry>().map(drop),
        Kind::Act => content.head::<Act>().map(drop),
        Kind::ParcelPart => content.head::<ParcelPart>().map(drop),
        Kind::Roster | Kind::Notice | Kind::EpochClosed | Kind::Deadline => Err(BodyRefused::Head),
    }
}

fn check_rows(kind: Kind, rows_len: u64) -> Result<(), BodyRefused> {
    match kind {
        Kind::Request | Kind::Evaluation => {
            let whole = rows_len.is_multiple_of(POINT_LEN);
            let points = rows_len / POINT_LEN;
            if whole && (1..=MAX_POINTS).contains(&points) { Ok(()) } else { Err(BodyRefused::Points) }
        }
        Kind::Act => {
            let is_matter = is_sealed_len(rows_len);
            if is_matter { Ok(()) } else { Err(BodyRefused::Matter) }
        }
        Kind::ParcelPart => {
            let is_part = (1..=MAX_PART).contains(&rows_len);
            if is_part { Ok(()) } else { Err(BodyRefused::Part) }
        }
        Kind::AccordProposal | Kind::TagSet | Kind::Acknowledgement => Ok(()),
        _ if rows_len == 0 => Ok(()),
        _ => Err(BodyRefused::UnexpectedRows),
    }
}
