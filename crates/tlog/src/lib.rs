//! An append-only Merkle log: its tree, its proofs, its signed checkpoints and its witnesses (R23, R26, R27).
//!
//! The broker appends an [`Entry`] for every envelope that it accepts, stores the few tree nodes that
//! [`Frontier::append`] hands back, and signs a [`Checkpoint`]. A unit checks each new checkpoint with a [`Witness`]
//! and cosigns it. Both build and check the root of a message's body with [`RootBuilder`].
//!
//! | stage | type | made by |
//! |---|---|---|
//! | leaf | [`Entry`]: the hash of an envelope with its signature | the broker, for every envelope it accepts |
//! | right edge of the tree | [`Frontier`] | appending, or [`UnverifiedFrontier::verify`] |
//! | proof | [`InclusionProof`], [`ConsistencyProof`] | [`InclusionPlan`], [`ConsistencyPlan`] over stored nodes |
//! | size and root, signed | [`SignedCheckpoint`] | [`Checkpoint::sign`], or [`UnverifiedCheckpoint::verify`] |
//! | checked by a witness | [`Accepted`], then [`Cosignature`] | [`Witness::advance`] |
//!
//! Hashing is that of RFC 6962 with SHA-256; texts are those of C2SP: signed-note, tlog-checkpoint, tlog-cosignature.
//! Proofs are verified by the crate `ct-merkle`; this crate guards its inputs and finds the stored nodes.
//!
//! What it is *not*: it reads no disk, no network and no clock (times are arguments), draws no randomness, knows no
//! envelope, and imports nothing of this workspace. Nothing that it decodes can make it panic.

#![forbid(unsafe_code)]

mod body;
mod checkpoint;
mod cosignature;
mod frontier;
mod hash;
mod note;
mod plan;
mod proof;
mod witness;

pub use body::{BodyError, RootBuilder, body_path, body_root, verify_part};
pub use checkpoint::{Checkpoint, CheckpointError, MAX_CHECKPOINT_TEXT, SignedCheckpoint, UnverifiedCheckpoint};
pub use cosignature::{Cosignature, Cosigned, UnverifiedCosignature};
pub use frontier::{Frontier, FrontierError, LogFull, Node, Place, UnverifiedFrontier};
pub use hash::{Entry, Hash, MAX_SIZE, empty_root, leaf_hash};
pub use note::key::{KeyError, KeyName, SignatureType, VerifierKey};
pub use note::{MAX_NOTE, MAX_SIGNATURES, NoteError, UnverifiedNote, VerifiedNote, sign_note};
pub use plan::{ConsistencyPlan, InclusionPlan, ProveError, consistency_proof, inclusion_proof};
pub use proof::{ConsistencyProof, InclusionProof, MAX_PROOF_HASHES, ProofError};
pub use witness::{Accepted, Comparison, Refused, SplitView, Unreconciled, Witness};
