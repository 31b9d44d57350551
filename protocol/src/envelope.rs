//! Envelopes: how everything is said (R23).
//!
//! What arrives decodes into an [`UnverifiedEnvelope`], which shows only what is needed to find the sender's key;
//! [`UnverifiedEnvelope::verify`] consumes it and gives an [`Envelope`]. What is sent is made by [`seal_envelope`],
//! which signs: only a signed type encodes. A body ([`crate::body`]) is bound by length and root, and checked apart,
//! because bulk bodies travel in frames.
//!
//! Callers: agents and the broker. *Not here:* whether an envelope is welcome now (sequence, epoch, quota): that is
//! each receiver's state.

use crate::body::{self, Body, frame_count, part_hash, root_of_hashes};
use crate::codec::{self, Bytes, CodecError, Hash};
use crate::identity::{self, SigningKey};
use crate::label;
use crate::name::Party;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The longest signed envelope (without its body), in bytes.
pub const MAX_ENVELOPE: usize = 1024;

/// In which capacity the sender speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// A unit's agent: the machine.
    #[n(0)]
    Agent,
    /// The broker: the machine.
    #[n(1)]
    Broker,
    /// A unit's officer; the act itself carries the officer's own signature.
    #[n(2)]
    Officer,
}

/// What an envelope says. The numbers are those of the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Broker to all: a unit was admitted, suspended, or left ([`crate::message::RosterEntry`]).
    #[n(1)]
    Roster,
    /// Unit to all: a proposed accord; rows: its text ([`crate::message::AccordProposal`]).
    #[n(2)]
    AccordProposal,
    /// Unit to all: agreement to a proposed accord ([`crate::message::AccordSignature`]).
    #[n(3)]
    AccordSignature,
    /// Unit to unit: commitment to the epoch's scalar, and a fresh sealing key (R10).
    #[n(4)]
    Commitment,
    /// Unit to unit: a sealed contribution to the pair secret (R9).
    #[n(5)]
    Contribution,
    /// Unit to unit: blinded points (R12).
    #[n(6)]
    Request,
    /// Unit to unit: the quota's new count, logged before the answer (R13).
    #[n(7)]
    Count,
    /// Unit to unit: the evaluated points and their proof (R13).
    #[n(8)]
    Evaluation,
    /// Unit to unit: a request that is not evaluated, and why (R13).
    #[n(9)]
    Refusal,
    /// Unit to broker: adds and removals of leaves for one pair (R15).
    #[n(10)]
    TagSet,
    /// Broker to unit: the matches of one pair and tick (R17).
    #[n(11)]
    Notice,
    /// Unit to unit, delivered when both are there: what a unit says of the matches of a notice (R18).
    #[n(12)]
    Acknowledgement,
    /// Unit to unit: a leaf or an answer that is wrong, with what shows it (R18).
    #[n(13)]
    Dispute,
    /// Broker to all: an epoch's last tick; every envelope of that epoch is refused from here on.
    #[n(14)]
    EpochClosed,
    /// Unit to all: an officer is certified or revoked ([`crate::officer::OfficerEntry`]; R30).
    #[n(15)]
    Officer,
    /// Unit to unit: an act of an officer, or of the agent, about an overlap; rows: its sealed matter ([`crate::act`]).
    /// Both units get it, in the order of the log.
    #[n(16)]
    Act,
    /// Unit to unit: a part of a sealed parcel; rows: the part ([`crate::message::ParcelPart`]).
    #[n(17)]
    ParcelPart,
    /// Broker to both units of a case: the limit of its state has passed ([`crate::message::Deadline`]).
    #[n(18)]
    Deadline,
}

/// The signed header of an envelope. Encoded as a CBOR array in this order.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// [`label::VERSION`].
    #[n(0)]
    pub version: u8,
    /// The federation ([`identity::federation_id`]).
    #[n(1)]
    pub federation: Hash,
    /// Hash of the accord in force when the epoch opened; zero before the first.
    #[n(2)]
    pub accord: Hash,
    /// The epoch, from 1; 0 for what belongs to none (roster, accord, officers).
    #[n(3)]
    pub epoch: u32,
    /// The tick in which the sender speaks.
    #[n(4)]
    pub tick: u64,
    /// Who speaks.
    #[n(5)]
    pub sender: Party,
    /// To whom.
    #[n(6)]
    pub receiver: Party,
    /// In which capacity.
    #[n(7)]
    pub role: Role,
    /// The sender's sequence number, from 1, without gaps, over all receivers.
    #[n(8)]
    pub sequence: u64,
    /// Hash of the sender's envelope before this one; zero for the first.
    #[n(9)]
    pub previous: Hash,
    /// What is said.
    #[n(10)]
    pub kind: Kind,
    /// Milliseconds since the Unix epoch after which the envelope is refused if not yet accepted; 0: never.
    #[n(11)]
    pub expires: u64,
    /// Size of the log at the last checkpoint the sender accepted.
    #[n(12)]
    pub log_size: u64,
    /// Root of the log at that checkpoint; zero if none.
    #[n(13)]
    pub log_root: Hash,
    /// Length of head and rows together, in bytes.
    #[n(14)]
    pub body_len: u64,
    /// Root over head and frames ([`body::root`]).
    #[n(15)]
    pub body_root: Hash,
}

/// Why an envelope is refused before its meaning is looked at.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum EnvelopeError {
    /// Too long, or not the canonical encoding of an envelope.
    #[error("the envelope is malformed: {0}")]
    Codec(#[from] CodecError),
    /// Longer than [`MAX_ENVELOPE`], or a head or rows past their limit.
    #[error("the envelope is too large")]
    TooLarge,
    /// Another protocol version.
    #[error("the envelope is of another protocol version")]
    Version,
    /// A sender that nobody is: [`Party::All`].
    #[error("nobody speaks as all")]
    Sender,
    /// Another federation.
    #[error("the envelope is of another federation")]
    Federation,
    /// The sender's key did not make this signature.
    #[error("the envelope's signature is wrong")]
    Signature,
    /// The body is not the one that was signed.
    #[error("the body does not belong to the envelope")]
    Body,
}

impl EnvelopeError {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            EnvelopeError::Codec(CodecError::Malformed) => "envelope-malformed",
            EnvelopeError::Codec(CodecError::NotCanonical) => "envelope-not-canonical",
            EnvelopeError::TooLarge => "envelope-too-large",
            EnvelopeError::Version => "envelope-version",
            EnvelopeError::Sender => "envelope-sender",
            EnvelopeError::Federation => "envelope-federation",
            EnvelopeError::Signature => "envelope-signature",
            EnvelopeError::Body => "envelope-body",
        }
    }
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Wire {
    #[cbor(n(0), with = "minicbor::bytes")]
    header: Vec<u8>,
    #[n(1)]
    signature: Bytes<64>,
}

/// An envelope that nobody has verified. It tells who claims to have sent it, and nothing else.
pub struct UnverifiedEnvelope {
    header: Header,
    wire: Wire,
    bytes: Vec<u8>,
}

/// An envelope whose signature was made by its sender. Its body is checked by [`Envelope::check_body`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    header: Header,
    bytes: Vec<u8>,
    hash: Hash,
}

impl UnverifiedEnvelope {
    /// Decodes the signed bytes of an envelope.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLarge);
        }
        let wire: Wire = codec::decode(bytes)?;
        // The version stands first, so that another version is named as such and not as malformed.
        if version_of(&wire.header).is_some_and(|version| version != label::VERSION) {
            return Err(EnvelopeError::Version);
        }
        let header: Header = codec::decode(&wire.header)?;
        if header.sender == Party::All {
            return Err(EnvelopeError::Sender);
        }
        Ok(UnverifiedEnvelope { header, wire, bytes: bytes.to_vec() })
    }

    /// Who claims to have sent it: for finding the key, and for nothing else.
    pub fn unverified_sender(&self) -> &Party {
        &self.header.sender
    }

    /// Verifies federation and signature; consumes what was unverified.
    pub fn verify(self, federation: &Hash, sender_key: &Bytes<32>) -> Result<Envelope, EnvelopeError> {
        if self.header.federation != *federation {
            return Err(EnvelopeError::Federation);
        }
        if !identity::verify(sender_key, label::ENVELOPE_SIGNATURE, &self.wire.header, &self.wire.signature) {
            return Err(EnvelopeError::Signature);
        }
        let hash = hash_of(&self.bytes);
        Ok(Envelope { header: self.header, bytes: self.bytes, hash })
    }
}

impl Envelope {
    /// What was signed.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The signed bytes: what is sent, stored and fetched.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The hash over the signed bytes: the log's entry, and the next envelope's `previous`.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Whether `body` is the one that was signed.
    pub fn check_body(&self, body: &Body) -> Result<(), EnvelopeError> {
        if body.head.len() > body::MAX_HEAD || body.rows.len() > body::MAX_ROWS {
            return Err(EnvelopeError::TooLarge);
        }
        if body.len() != self.header.body_len || body.root() != self.header.body_root {
            return Err(EnvelopeError::Body);
        }
        Ok(())
    }

    /// Whether a head, and rows of which only the hashes of their frames are left, are the body that was signed.
    ///
    /// # Errors
    /// [`EnvelopeError::Body`].
    pub fn check_head(&self, head: &[u8], frames: &[Hash]) -> Result<(), EnvelopeError> {
        let rows = self.header.body_len.checked_sub(head.len() as u64).ok_or(EnvelopeError::Body)?;
        let parts = std::iter::once(part_hash(head)).chain(frames.iter().copied());
        let is_it = frame_count(rows) == frames.len() as u64 && root_of_hashes(parts) == self.header.body_root;
        if is_it { Ok(()) } else { Err(EnvelopeError::Body) }
    }
}

/// Signs `header` over `body`: fills in the body's length and root, and makes the envelope.
pub fn seal_envelope(mut header: Header, body: &Body, key: &SigningKey) -> Envelope {
    header.body_len = body.len();
    header.body_root = body.root();
    let encoded = codec::encode(&header);
    let signature = key.sign(label::ENVELOPE_SIGNATURE, &encoded);
    let bytes = codec::encode(&Wire { header: encoded, signature });
    let hash = hash_of(&bytes);
    Envelope { header, bytes, hash }
}

fn hash_of(signed_bytes: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update(label::ENVELOPE_HASH.as_bytes());
    h.update([0]);
    h.update(signed_bytes);
    Bytes(h.finalize().into())
}

fn version_of(header: &[u8]) -> Option<u8> {
    let mut d = minicbor::Decoder::new(header);
    d.array().ok()?;
    d.u8().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    pub(crate) fn example_header() -> Header {
        Header {
            version: label::VERSION,
            federation: Bytes([1; 32]),
            accord: Bytes([2; 32]),
            epoch: 3,
            tick: 400,
            sender: "SN".parse().unwrap(),
            receiver: "GM".parse().unwrap(),
            role: Role::Agent,
            sequence: 5,
            previous: Bytes([6; 32]),
            kind: Kind::Request,
            expires: 0,
            log_size: 7,
            log_root: Bytes([8; 32]),
            body_len: 0,
            body_root: Bytes::ZERO,
        }
    }

    #[test]
    fn an_envelope_verifies_with_its_own_key_federation_and_body() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let (key, other) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
        let body = Body { head: vec![1, 2], rows: vec![3; 70_000] };
        let sent = seal_envelope(example_header(), &body, &key);
        let decode = |bytes: &[u8]| UnverifiedEnvelope::decode(bytes);
        let got = decode(sent.as_bytes()).unwrap().verify(&Bytes([1; 32]), &key.public()).unwrap();
        assert_eq!(got, sent);
        assert_eq!(got.check_body(&body), Ok(()));
        assert_eq!(got.check_body(&Body::default()), Err(EnvelopeError::Body));
        let wrong_key = decode(sent.as_bytes()).unwrap().verify(&Bytes([1; 32]), &other.public());
        assert_eq!(wrong_key, Err(EnvelopeError::Signature));
        let elsewhere = decode(sent.as_bytes()).unwrap().verify(&Bytes([0; 32]), &key.public());
        assert_eq!(elsewhere, Err(EnvelopeError::Federation));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let key = SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(5));
        let sent = seal_envelope(example_header(), &Body::default(), &key);
        for at in 0..sent.as_bytes().len() * 8 {
            let mut bytes = sent.as_bytes().to_vec();
            bytes[at / 8] ^= 1 << (at % 8);
            let accepted =
                UnverifiedEnvelope::decode(&bytes).and_then(|envelope| envelope.verify(&Bytes([1; 32]), &key.public()));
            assert!(accepted.is_err(), "bit {at}");
        }
    }

    #[test]
    fn another_version_is_named_as_such() {
        let key = SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(6));
        let sent = seal_envelope(Header { version: 2, ..example_header() }, &Body::default(), &key);
        assert_eq!(UnverifiedEnvelope::decode(sent.as_bytes()).err(), Some(EnvelopeError::Version));
    }
}
