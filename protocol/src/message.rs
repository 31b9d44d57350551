//! The head of each kind of envelope: the typed part of what is said. Rows (bulk) are described beside each.
//!
//! Callers: agents and the broker. *Not here:* how rows are read ([`crate::tagset`], [`crate::acknowledgement`]) and
//! what a message changes (each receiver's state).

use crate::calendar::Start;
use crate::codec::{self, Bytes, CodecError, Hash};
use crate::envelope::Kind;
use crate::identity::PublicKeys;
use crate::name::UnitName;
use crate::officer::OfficerEntry;
use crate::overlap::Handle;
use crate::seal::PUBLIC_LEN;
use minicbor::{Decode, Encode};

/// A head: what [`codec::decode`] reads from part 0 of a body, and the kind it belongs to.
pub trait Head: Encode<()> + for<'b> Decode<'b, ()> {
    /// The envelope's kind.
    const KIND: Kind;

    /// The canonical bytes.
    fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads canonical bytes.
    fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes)
    }
}

macro_rules! heads {
    ($($t:ident),*) => {$(impl Head for $t { const KIND: Kind = Kind::$t; })*};
}
impl Head for RosterEntry {
    const KIND: Kind = Kind::Roster;
}
impl Head for OfficerEntry {
    const KIND: Kind = Kind::Officer;
}
heads!(
    AccordProposal,
    AccordSignature,
    Commitment,
    Contribution,
    Request,
    Count,
    Evaluation,
    Refusal,
    TagSet,
    Notice,
    Acknowledgement,
    Dispute,
    EpochClosed,
    ParcelPart,
    Deadline
);
impl Head for crate::act::Act {
    const KIND: Kind = Kind::Act;
}

/// Where a unit stands in the federation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    /// A member.
    #[n(0)]
    Admitted,
    /// Out for now: connections are closed, envelopes refused.
    #[n(1)]
    Suspended,
    /// Gone.
    #[n(2)]
    Left,
}

/// A unit's place on the roster, as the broker states it. No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct RosterEntry {
    /// Who.
    #[n(0)]
    pub unit: UnitName,
    /// Its full title.
    #[n(1)]
    pub title: String,
    /// Its keys.
    #[n(2)]
    pub keys: PublicKeys,
    /// Its standing from here on.
    #[n(3)]
    pub standing: Standing,
    /// The unit's own signature ([`crate::roster::join_message`]).
    #[n(4)]
    pub joined: Bytes<64>,
}

/// A proposed accord. Rows: its text.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct AccordProposal {
    /// From where it counts.
    #[n(0)]
    pub start: Start,
}

/// Agreement to an accord. No rows. The proposer signs too, with an envelope of its own.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct AccordSignature {
    /// Hash of the accord.
    #[n(0)]
    pub accord: Hash,
}

/// A side's commitment to its scalar of a pair and epoch (R10). No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Commitment {
    /// k·G, encoded.
    #[n(0)]
    pub point: Bytes<32>,
    /// Proof of possession of k.
    #[n(1)]
    pub possession: Bytes<64>,
    /// A fresh X-Wing key, destroyed at the epoch's close, to which the peer seals its contribution.
    #[n(2)]
    pub sealing: Bytes<PUBLIC_LEN>,
}

/// A side's 32 bytes for the pair secret, sealed (R9). No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Contribution {
    /// Encapsulation and ciphertext ([`crate::seal::SEALED_CONTRIBUTION_LEN`]).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// How a request or a tag set was padded (R12, R15).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Size {
    /// The opening of an epoch: a multiple of 256.
    #[n(0)]
    Opening,
    /// An announced bulk load: a multiple of 256.
    #[n(1)]
    Bulk,
    /// The accord's fixed small size.
    #[n(2)]
    Small,
}

/// Blinded points (R12). Rows: points of 32 bytes each, at most 65,536.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Request {
    /// HMAC under the pair secret over the sender: both see at once if they hold different secrets.
    #[n(0)]
    pub confirm: Bytes<32>,
    /// How it was padded.
    #[n(1)]
    pub size: Size,
    /// The requests of this sender for this pair and epoch, counted from 0.
    #[n(2)]
    pub number: u32,
}

/// The evaluator's new count for the requesting unit, before the answer (R13). No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Count {
    /// The request that is about to be answered.
    #[n(0)]
    pub request: Hash,
    /// Points evaluated for this peer in this epoch, this request included.
    #[n(1)]
    pub total: u64,
}

/// Evaluated points (R13). Rows: points of 32 bytes, in the request's order.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Evaluation {
    /// Hash of the request's envelope.
    #[n(0)]
    pub request: Hash,
    /// Batched proof that every point was multiplied by the committed scalar.
    #[n(1)]
    pub proof: Bytes<64>,
}

/// Why a request is not evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum RefusalReason {
    /// It would exceed the quota of this epoch.
    #[n(0)]
    OverQuota,
    /// Its confirmation shows another pair secret than ours.
    #[n(1)]
    OtherSecret,
    /// A point is not canonical, is the identity, or stands twice.
    #[n(2)]
    BadPoint,
    /// This vault was restored from a backup, and evaluates nothing in this epoch (R35).
    #[n(3)]
    Restored,
    /// Evaluation for this peer is stopped until officers lift it (R18).
    #[n(4)]
    Stopped,
    /// The size is not one that the accord allows here.
    #[n(5)]
    Size,
    /// The identifiers' normalisation has another version (R36).
    #[n(6)]
    IdentifierVersion,
}

/// A request that is not evaluated (R13). No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Refusal {
    /// Hash of the request's envelope.
    #[n(0)]
    pub request: Hash,
    /// Why.
    #[n(1)]
    pub reason: RefusalReason,
}

/// Adds and removals of a unit's leaves for one pair (R15). Rows: the key (32 bytes) of the nonces that hide the leaves
/// below `root`, then `adds` leaves of 32 bytes (tag, confirmation), ascending by tag, then `removals` tags of 16 bytes,
/// ascending. The nonce key stands in the rows, so that the head can be shown as evidence without opening other leaves.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct TagSet {
    /// The other unit of the pair.
    #[n(0)]
    pub peer: UnitName,
    /// How it was padded.
    #[n(1)]
    pub size: Size,
    /// Number of leaves added.
    #[n(2)]
    pub adds: u32,
    /// Number of tags removed.
    #[n(3)]
    pub removals: u32,
    /// Root over the hidden leaves added ([`crate::tagset::root`]).
    #[n(4)]
    pub root: Hash,
}

/// The matches of one pair at one cut (R16, R17), one for each side. Rows: for each match the tag (16) and the *other*
/// side's confirmation (16), ascending by tag.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Notice {
    /// The other unit of the pair.
    #[n(0)]
    pub peer: UnitName,
    /// Size of the log at the cut.
    #[n(1)]
    pub position: u64,
    /// Hashes of the tag sets of the unit whose name sorts first that this cut took in.
    #[n(2)]
    pub low_sets: Vec<Hash>,
    /// The same of the other unit.
    #[n(3)]
    pub high_sets: Vec<Hash>,
    /// Number of matches.
    #[n(4)]
    pub matches: u32,
    /// Digest of the cut and its matches ([`crate::compare::digest`]): the same in both notices.
    #[n(5)]
    pub digest: Hash,
}

/// What a unit says of the matches of a notice (R18). Rows: one ciphertext ([`crate::acknowledgement`]).
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Acknowledgement {
    /// The digest of the cut, as in the notice.
    #[n(0)]
    pub digest: Hash,
    /// Receipt: the highest sequence number of the peer's envelopes to us that we have taken in.
    #[n(1)]
    pub received: u64,
}

/// What a dispute is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum DisputeReason {
    /// A match with a tag that is not ours.
    #[n(0)]
    UnknownTag,
    /// A leaf whose confirmation does not verify under our match key: whoever made it never evaluated the token.
    #[n(1)]
    WrongConfirmation,
    /// An evaluation whose proof does not verify.
    #[n(2)]
    WrongEvaluation,
    /// A canary that both sides planted was not matched.
    #[n(3)]
    MissingCanary,
    /// The digest of a cut is not that of its matches.
    #[n(4)]
    WrongDigest,
    /// The commitment is refused.
    #[n(5)]
    BadCommitment,
    /// A notice lists other sets as ours than were accepted before the cut.
    #[n(6)]
    WrongSets,
}

/// A signed complaint, for the peer, officers and auditors (R18). No rows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Dispute {
    /// Hash of the envelope it is about.
    #[n(0)]
    pub about: Hash,
    /// Why.
    #[n(1)]
    pub reason: DisputeReason,
    /// The leaf in question, where there is one.
    #[n(2)]
    pub leaf: Option<Bytes<32>>,
}

/// The last word of an epoch. No rows. The envelope's own epoch is 0: the closed one takes nothing any more.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct EpochClosed {
    /// The epoch that closed.
    #[n(0)]
    pub closed: u32,
}

/// A part of a sealed parcel. Rows: the part. The act that sealed it names the root over all parts.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ParcelPart {
    /// The overlap.
    #[n(0)]
    pub handle: Handle,
    /// The package.
    #[n(1)]
    pub package: Hash,
    /// Which part, from 0; they are sent in order.
    #[n(2)]
    pub index: u32,
}

/// The limit of a case's state has passed (R29). No rows. Nobody is trusted for it: both units check the moment.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Deadline {
    /// The overlap.
    #[n(0)]
    pub handle: Handle,
    /// The two units: low and high.
    #[n(1)]
    pub low: UnitName,
    /// The other one.
    #[n(2)]
    pub high: UnitName,
    /// The round that ends.
    #[n(3)]
    pub round: u32,
    /// The moment of the limit, in milliseconds since the Unix epoch.
    #[n(4)]
    pub at_ms: u64,
}
