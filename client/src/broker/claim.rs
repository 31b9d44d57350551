//! What an envelope claims before anybody has verified it: its hash, its number, its body's length and root (R23, R24).
//!
//! Needed to move bodies: to name the frames, to bound their number, and to check that what came is what was announced.
//! Callers: `submit` and `fetch`. *Not* a verification: whoever takes the envelope in verifies its signature, and checks
//! the body once more against the verified header.

use protocol::body::{MAX_HEAD, MAX_ROWS};
use protocol::codec::{self, Bytes, Hash};
use protocol::envelope::{Header, UnverifiedEnvelope};
use protocol::label;
use sha2::{Digest, Sha256};

/// Claimed, not verified.
pub(super) struct Claim {
    pub hash: Hash,
    pub sequence: u64,
    pub body_len: u64,
    pub body_root: Hash,
}

impl Claim {
    /// Reads the signed bytes of an envelope; `None` if they are none, or claim a body above every limit.
    pub(super) fn read(envelope: &[u8]) -> Option<Claim> {
        UnverifiedEnvelope::decode(envelope).ok()?;
        let mut decoder = minicbor::Decoder::new(envelope);
        decoder.array().ok()?;
        let header: Header = codec::decode(decoder.bytes().ok()?).ok()?;
        if header.body_len > (MAX_HEAD + MAX_ROWS) as u64 {
            return None;
        }
        let hash = Sha256::new().chain_update(label::ENVELOPE_HASH).chain_update([0]).chain_update(envelope).finalize();
        let Header { sequence, body_len, body_root, .. } = header;
        Some(Claim { hash: Bytes(hash.into()), sequence, body_len, body_root })
    }

    /// The length of the rows beside a head of `head_len` bytes; `None` if the two do not fit the claim.
    pub(super) fn rows_len(&self, head_len: usize) -> Option<u64> {
        let rows = self.body_len.checked_sub(head_len as u64)?;
        (head_len <= MAX_HEAD && rows <= MAX_ROWS as u64).then_some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::body::Body;
    use protocol::envelope::{Kind, Role, seal_envelope};
    use protocol::identity::SigningKey;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn a_claim_is_what_verification_would_show() {
        let body = Body { head: vec![1, 2], rows: vec![3; 70_000] };
        let header = Header {
            version: label::VERSION,
            federation: Bytes::ZERO,
            accord: Bytes::ZERO,
            epoch: 1,
            tick: 1,
            sender: "SN".parse().unwrap(),
            receiver: "GM".parse().unwrap(),
            role: Role::Agent,
            sequence: 1,
            previous: Bytes::ZERO,
            kind: Kind::Request,
            expires: 0,
            log_size: 0,
            log_root: Bytes::ZERO,
            body_len: 0,
            body_root: Bytes::ZERO,
        };
        let envelope = seal_envelope(header, &body, &SigningKey::generate(&mut ChaCha20Rng::seed_from_u64(1)));
        let claim = Claim::read(envelope.as_bytes()).unwrap();
        assert_eq!((claim.hash, claim.sequence), (envelope.hash(), 1));
        assert_eq!((claim.body_len, claim.body_root), (body.len(), body.root()));
        assert_eq!(claim.rows_len(2), Some(70_000));
        assert_eq!(claim.rows_len(70_003), None);
        assert!(Claim::read(&envelope.as_bytes()[1..]).is_none());
        assert!(Claim::read(&[]).is_none());
    }
}
