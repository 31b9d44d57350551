//! The history of a case, as the vault keeps it: every act and limit with what an audit needs to verify it.
//!
//! Under `act/PEER/HANDLE/NUMBER`, in the order of the log. Callers: `casework` writes, commands and the audit read.
//! *Not here:* what the history leads to: whoever wants that folds it ([`protocol::case`]).

use super::Incoming;
use super::store::{Reader, Writer};
use protocol::body::{part_hash, root_of_hashes};
use protocol::envelope::Envelope;
use protocol::matter::Matter;
use protocol::{Bytes, Hash};
use zeroize::Zeroizing;

/// An act or a limit.
pub struct HistoryEntry {
    /// The index of its entry in the log.
    pub entry: u64,
    /// The signed envelope.
    pub envelope: Vec<u8>,
    /// The head: the act, or the limit.
    pub head: Vec<u8>,
    /// Hashes of the frames of its rows, so that the envelope's root can be recomputed without them.
    pub frames: Vec<Hash>,
    /// The matter, if it opened.
    pub matter: Option<Matter>,
}

impl HistoryEntry {
    pub(super) fn new(envelope: &Envelope, incoming: &Incoming<'_>, matter: Option<Matter>) -> Self {
        HistoryEntry {
            entry: incoming.entry,
            envelope: envelope.as_bytes().to_vec(),
            head: incoming.body.head.clone(),
            frames: match incoming.frames {
                [] => incoming.body.frames().map(part_hash).collect(),
                destroyed => destroyed.to_vec(),
            },
            matter,
        }
    }

    /// The root of the body that the envelope must name.
    pub fn body_root(&self) -> Hash {
        root_of_hashes(std::iter::once(part_hash(&self.head)).chain(self.frames.iter().copied()))
    }

    /// For the vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.u64(self.entry);
        w.bytes(&self.envelope);
        w.bytes(&self.head);
        w.u64(self.frames.len() as u64);
        self.frames.iter().for_each(|hash| w.bytes(&hash.0));
        let matter = self.matter.as_ref().map(Matter::to_bytes);
        w.maybe(matter.as_ref().map(|matter| matter.as_slice()));
        w.finish()
    }

    /// What the vault kept.
    pub fn from_bytes(bytes: &[u8]) -> Option<HistoryEntry> {
        let mut r = Reader::new(bytes);
        let (entry, envelope, head) = (r.u64()?, r.bytes()?.to_vec(), r.bytes()?.to_vec());
        let mut frames = Vec::new();
        for _ in 0..r.u64()? {
            frames.push(Bytes(r.array()?));
        }
        let matter = match r.maybe()? {
            Some(bytes) => Some(Matter::from_bytes(bytes).ok()?),
            None => None,
        };
        r.at_end().then_some(HistoryEntry { entry, envelope, head, frames, matter })
    }
}
