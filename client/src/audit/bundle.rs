//! The bundle: what a unit hands to an auditor, as one signed file.
//!
//! It holds signed envelopes with their heads, proofs, checkpoints, the texts of accords, and of the sealed matter what
//! officers said about the procedure: names of officers, reasons, names of fields. It holds no value, no file, no key that
//! is secret, and no entry of a joint journal. Officers' notes are free text that both units have read; they are here
//! because the act's commitment is over the whole matter, and no report prints them.
//!
//! Callers: `gather` makes one, `verify` reads one. *Not here:* whether anything in it is true.

use minicbor::{Decode, Encode};
use protocol::codec;
use protocol::identity::{self, SigningKey};
use protocol::lifting::{Objected, SignedLifting};
use protocol::matter::Matter;
use protocol::name::UnitName;
use protocol::overlap::Handle;
use protocol::reading::SignedReading;
use protocol::{Bytes, Hash, label};

/// The first words of the file; another format has others.
const FORMAT: &str = "sutura audit bundle 4";
/// The longest file that is read, in bytes.
pub const MAX_FILE: u64 = 1 << 30;

/// Everything that verification needs.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Bundle {
    /// The federation's name.
    #[n(0)]
    pub federation: String,
    /// The broker's signing key: with the name, it is the federation's identity.
    #[n(1)]
    pub broker: Bytes<32>,
    /// The unit that exports.
    #[n(2)]
    pub unit: UnitName,
    /// When, by its clock, in milliseconds since the Unix epoch.
    #[n(3)]
    pub made_ms: u64,
    /// What the broker said of members, in the order of the log: each one's keys as it signed them itself, and its standing.
    #[n(4)]
    pub roster: Vec<Logged>,
    /// The accords that were ever in force, and who signed them.
    #[n(5)]
    pub accords: Vec<AgreedAccord>,
    /// Certificates and revocations of officers of all units, in the order of the log.
    #[n(6)]
    pub officers: Vec<Logged>,
    /// Checkpoints with their cosignatures, by size.
    #[n(7)]
    pub checkpoints: Vec<Note>,
    /// A proof of inclusion for each entry that has one, by entry.
    #[n(8)]
    pub proofs: Vec<KeptProof>,
    /// The cases.
    #[n(9)]
    pub cases: Vec<CaseHistory>,
    /// Who opened what, when and why, in this unit.
    #[n(10)]
    pub readings: Vec<SignedReading>,
    /// Copies outside the vault, in this unit.
    #[n(11)]
    pub copies: Vec<KeptCopy>,
    /// Numbers of matching, with each peer, in the present epoch.
    #[n(12)]
    pub peers: Vec<PeerNumbers>,
    /// The present epoch; `None` before the first accord.
    #[n(13)]
    pub epoch: Option<u32>,
    /// Size of the log at the last checkpoint that the unit accepted.
    #[n(14)]
    pub log_size: u64,
    /// Its root.
    #[n(15)]
    pub log_root: Hash,
    /// Who lifted what this unit had objected to, when and why.
    #[n(16)]
    pub liftings: Vec<SignedLifting>,
}

/// An accord that all have signed. Its hash, which every act names, covers text and start.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct AgreedAccord {
    /// The text: the rows of the proposal.
    #[n(0)]
    pub text: String,
    /// Who proposed it, and from where it counts.
    #[n(1)]
    pub proposal: Logged,
    /// Who signed it, in the order of the log.
    #[n(2)]
    pub signatures: Vec<Logged>,
}

/// An envelope of the log, with what its verification needs.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Logged {
    /// The index of its entry.
    #[n(0)]
    pub entry: u64,
    /// The signed envelope.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    /// The head of its body.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub head: Vec<u8>,
    /// Hashes of the frames of its rows.
    #[n(3)]
    pub frames: Vec<Hash>,
    /// The matter of an act that is no journal entry, if it opened.
    #[n(4)]
    pub matter: Option<Matter>,
}

/// A checkpoint: a signed note (C2SP), with the log's signature and cosignatures.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Note {
    /// The size that it states.
    #[n(0)]
    pub size: u64,
    /// The note.
    #[n(1)]
    pub text: String,
}

/// A proof of inclusion.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct KeptProof {
    /// Of which entry.
    #[n(0)]
    pub entry: u64,
    /// In the tree of which checkpoint.
    #[n(1)]
    pub size: u64,
    /// Hashes from the leaf upwards, 32 bytes each.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub path: Vec<u8>,
}

/// A case: every act and limit, in the order of the log.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct CaseHistory {
    /// The other unit.
    #[n(0)]
    pub peer: UnitName,
    /// The overlap.
    #[n(1)]
    pub handle: Handle,
    /// Acts and limits.
    #[n(2)]
    pub acts: Vec<Logged>,
    /// What this unit objects to, and nobody has lifted: its own word, but for acts that show it.
    #[n(3)]
    pub objections: Vec<Objected>,
}

/// A copy outside the vault.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct KeptCopy {
    /// The overlap.
    #[n(0)]
    pub handle: Handle,
    /// The package.
    #[n(1)]
    pub package: Hash,
    /// From 1.
    #[n(2)]
    pub number: u32,
    /// The officer who made it.
    #[n(3)]
    pub officer: u32,
    /// When, in milliseconds since the Unix epoch.
    #[n(4)]
    pub at_ms: u64,
    /// When an officer said that it is destroyed.
    #[n(5)]
    pub deleted_ms: Option<u64>,
}

/// Numbers of matching with one peer in the present epoch.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct PeerNumbers {
    /// The peer.
    #[n(0)]
    pub peer: UnitName,
    /// Whether officers of this unit verified its keys.
    #[n(1)]
    pub verified: bool,
    /// Points that this unit evaluated for it.
    #[n(2)]
    pub evaluated: u64,
    /// Points that this unit may evaluate for it at most.
    #[n(3)]
    pub quota: u64,
    /// Tokens of this unit that it evaluated.
    #[n(4)]
    pub compared: u64,
    /// Overlaps with it, whatever their strength.
    #[n(5)]
    pub overlaps: u64,
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum BundleError {
    /// Another format, or another version of it.
    #[error("this is no audit bundle, or one of another version")]
    Format,
    /// Not in its one canonical form: cut off, or changed.
    #[error("the bundle is malformed: it was cut off or changed")]
    Malformed,
}

impl BundleError {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            BundleError::Format => "bundle-format",
            BundleError::Malformed => "bundle-malformed",
        }
    }
}

/// The file.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Wire {
    #[n(0)]
    format: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    bundle: Vec<u8>,
    #[n(2)]
    signature: Bytes<64>,
}

/// A bundle with the exporting unit's signature over all of it, which nobody has verified yet.
pub struct SignedBundle {
    bundle: Bundle,
    bytes: Vec<u8>,
    signature: Bytes<64>,
}

impl Bundle {
    /// Signs as the unit that exports.
    pub fn sign(self, key: &SigningKey) -> SignedBundle {
        let bytes = codec::encode(&self);
        let signature = key.sign(label::AUDIT_BUNDLE, &bytes);
        SignedBundle { bundle: self, bytes, signature }
    }
}

impl SignedBundle {
    /// What it says, unverified.
    pub fn unverified(&self) -> &Bundle {
        &self.bundle
    }

    /// Whether this key signed it.
    pub(super) fn is_signed_by(&self, key: &Bytes<32>) -> bool {
        identity::verify(key, label::AUDIT_BUNDLE, &self.bytes, &self.signature)
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let (bundle, signature) = (self.bytes.clone(), self.signature);
        codec::encode(&Wire { format: FORMAT.to_owned(), bundle, signature })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn decode(file: &[u8]) -> Result<SignedBundle, BundleError> {
        let wire: Wire = codec::decode(file).map_err(|_| BundleError::Malformed)?;
        if wire.format != FORMAT {
            return Err(BundleError::Format);
        }
        let bundle = codec::decode(&wire.bundle).map_err(|_| BundleError::Malformed)?;
        Ok(SignedBundle { bundle, bytes: wire.bundle, signature: wire.signature })
    }
}
