//! What travels over HTTP between a unit and the broker's mailbox and log (R24 to R28).
//!
//! Bodies are canonical CBOR ([`crate::codec`]) of the types here; errors are problem documents (RFC 9457). Callers:
//! packages `client` and `server`. *Not here:* HTTP itself, and what envelopes mean.
//!
//! | call | answer |
//! |---|---|
//! | `POST /v1/join` [`Joining`] | 202; the certificate comes with [`Joined`] |
//! | `GET /v1/join/{SHA-256 of the token, hex}` | [`Joined`]; 404 until admitted |
//! | `GET /v1/state` | [`State`] |
//! | `GET /v1/bodies/{root}?rows_len=N` | [`Staged`]: frames of one's own upload that are there |
//! | `PUT /v1/bodies/{root}/{index}?rows_len=N` raw frame | 204; repeating it is harmless |
//! | `POST /v1/envelopes` [`Submission`] | [`Outcomes`] |
//! | `GET /v1/envelopes?after=P&wait_ms=M` | [`Delivery`]; waits until something is there or time is up |
//! | `GET /v1/envelopes/{envelope hash}/{index}` | raw frame of a received envelope |
//! | `GET /v1/log/checkpoint` | signed note with cosignatures (C2SP tlog-checkpoint), text |
//! | `GET /v1/log/consistency?from=A&to=B` | [`Proof`] |
//! | `POST /v1/log/inclusion` [`InclusionQuery`] | [`Proofs`] |
//! | `GET /v1/log/frontier?size=N` | the right edge of the tree, as package `tlog` writes it |
//! | `POST /v1/log/cosignature` a note's signature line, text | 204 |
//! | `GET /v1/evidence/{entry}/{tag}` | [`LeafEvidence`] |

use crate::codec::{Bytes, Hash};
use crate::message::RosterEntry;
use minicbor::{Decode, Encode};

pub use crate::identity::{log_origin, witness_name};

/// Most envelopes in one submission.
pub const MAX_SUBMISSION: usize = 256;
/// Most bytes of envelopes, heads and inline rows in one submission or delivery (one envelope always fits).
pub const MAX_BATCH: usize = 4 << 20;
/// Rows up to this length travel inline; longer ones in frames.
pub const MAX_INLINE: usize = crate::body::FRAME;
/// Frames of rows that one call may carry, one after the other. On a poor link a call carries one.
pub const MAX_FRAMES: usize = 4;
/// Longest wait of a long poll, in milliseconds.
pub const MAX_WAIT_MS: u64 = 55_000;

/// Most entries in one [`InclusionQuery`].
pub const MAX_INCLUSION: usize = 1024;

/// A unit asks to join (R6).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Joining {
    /// The invite's token.
    #[n(0)]
    pub token: Bytes<32>,
    /// Name, title and keys, signed by the unit.
    #[n(1)]
    pub entry: RosterEntry,
    /// A PKCS #10 request (DER) for the unit's TLS client certificate.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub certificate_request: Vec<u8>,
}

/// The answer once the operator has admitted the unit.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Joined {
    /// The unit's client certificate (DER).
    #[cbor(n(0), with = "minicbor::bytes")]
    pub certificate: Vec<u8>,
}

/// Where a unit stands with the broker.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct State {
    /// The broker's clock, in milliseconds since the Unix epoch. A hint, never trusted.
    #[n(0)]
    pub now_ms: u64,
    /// Sequence number of the last envelope accepted from this unit; 0: none.
    #[n(1)]
    pub sequence: u64,
    /// Its hash; zero: none.
    #[n(2)]
    pub previous: Hash,
    /// Position of the last envelope in the unit's mailbox; 0: none.
    #[n(3)]
    pub mailbox: u64,
}

/// Which frames of an upload are there.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Staged {
    /// Indices that are missing, ascending; at most 4,096 of them.
    #[n(0)]
    pub missing: Vec<u32>,
}

/// Envelopes of one unit, in sequence. They are taken one after the other; the first refusal ends it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Submission {
    /// At most [`MAX_SUBMISSION`].
    #[n(0)]
    pub items: Vec<Posted>,
}

/// One envelope with its body.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Posted {
    /// The signed envelope.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// The head.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub head: Vec<u8>,
    /// The rows, up to [`MAX_INLINE`]; `None`: staged in frames under the body's root.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub rows: Option<Vec<u8>>,
}

/// What became of a submission.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Outcomes {
    /// For each accepted envelope, in order, the index of its entry in the log.
    #[n(0)]
    pub entries: Vec<u64>,
    /// Why the next one was refused, if one was.
    #[n(1)]
    pub refused: Option<Refused>,
}

/// A refusal: changes nothing, and says what to do.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Refused {
    /// The stable name of the error, as docs/PROTOCOL.md lists it.
    #[n(0)]
    pub code: String,
    /// For people.
    #[n(1)]
    pub detail: String,
}

/// Envelopes for a unit, in the order of its mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Delivery {
    /// In order, without gaps after the position asked for.
    #[n(0)]
    pub items: Vec<Delivered>,
}

/// One envelope in a mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Delivered {
    /// Its position in the unit's mailbox, from 1.
    #[n(0)]
    pub position: u64,
    /// The index of its entry in the log.
    #[n(1)]
    pub entry: u64,
    /// The signed envelope.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// The head.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub head: Vec<u8>,
    /// The rows, up to [`MAX_INLINE`]; `None`: to be fetched in frames, or destroyed.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub rows: Option<Vec<u8>>,
    /// Of rows that were destroyed, where the envelope is still to be verified: the hashes of their frames, in order.
    #[n(5)]
    pub frames: Option<Vec<Hash>>,
}

/// A Merkle proof: the hashes of its path, as package `tlog` orders them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Proof {
    /// The path.
    #[n(0)]
    pub path: Vec<Hash>,
}

/// Asks for inclusion proofs in a tree of `size`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct InclusionQuery {
    /// Size of the tree.
    #[n(0)]
    pub size: u64,
    /// Indices of entries; at most 1,024.
    #[n(1)]
    pub entries: Vec<u64>,
}

/// A proof for each entry asked for, in order.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Proofs {
    /// In the order of the query.
    #[n(0)]
    pub proofs: Vec<Proof>,
}

/// A leaf's place under its owner's signed root (R17): only a unit of the pair may ask, for a tag that was matched.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct LeafEvidence {
    /// The owner's signed tag set envelope.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// Its head, which states the root over the hidden leaves.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub head: Vec<u8>,
    /// Path from the head (part 0) to the body's root.
    #[n(2)]
    pub head_path: Vec<Hash>,
    /// Number of parts of the body.
    #[n(3)]
    pub parts: u64,
    /// The leaf.
    #[n(4)]
    pub leaf: Bytes<32>,
    /// Its nonce.
    #[n(5)]
    pub nonce: Bytes<32>,
    /// Its place among the leaves added.
    #[n(6)]
    pub index: u64,
    /// Path from the hidden leaf to the root.
    #[n(7)]
    pub path: Vec<Hash>,
}
