//! Asking the log: checkpoints, proofs, cosignatures, evidence (R17, R26, R27).
//!
//! Nothing that comes back is believed here: package `tlog` verifies it for the agent, which is a witness.

use super::BrokerClient;
use super::error::BrokerError;
use super::exchange::{Call, Media};
use protocol::codec;
use protocol::mailbox::{InclusionQuery, LeafEvidence, MAX_INCLUSION, Proof, Proofs};
use protocol::tagset::Tag;

/// Bytes of a hash with its CBOR head.
const HASH: usize = 34;
const MAX_PROOF: usize = 8 + tlog::MAX_PROOF_HASHES * HASH;
const MAX_FRONTIER: usize = 8 + (tlog::MAX_PROOF_HASHES + 1) * HASH;
const MAX_EVIDENCE: usize = 65_536;

impl BrokerClient {
    /// The log's newest checkpoint: a signed note with the cosignatures that the broker has.
    pub async fn checkpoint(&self) -> Result<String, BrokerError> {
        self.exchange.call(&Call::get("/v1/log/checkpoint".to_owned(), ("checkpoint", tlog::MAX_NOTE))).await?.text()
    }

    /// The proof that the log of size `to` continues the log of size `from`.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Proof, BrokerError> {
        let call = Call::get(format!("/v1/log/consistency?from={from}&to={to}"), ("consistency proof", MAX_PROOF));
        let proof: Proof = self.exchange.call(&call).await?.decode()?;
        bounded(proof)
    }

    /// The proofs that `entries` stand in the log of `size`, one for each, in order.
    pub async fn inclusion(&self, size: u64, entries: &[u64]) -> Result<Vec<Proof>, BrokerError> {
        let mut all = Vec::with_capacity(entries.len());
        for part in entries.chunks(MAX_INCLUSION) {
            let query = codec::encode(&InclusionQuery { size, entries: part.to_vec() });
            let answer = ("inclusion proofs", 8 + part.len() * MAX_PROOF);
            let call = Call::post("/v1/log/inclusion", query, Media::Cbor, answer);
            let Proofs { proofs } = self.exchange.call(&call).await?.decode()?;
            if proofs.len() != part.len() {
                return Err(BrokerError::Malformed("inclusion proofs"));
            }
            for proof in proofs {
                all.push(bounded(proof)?);
            }
        }
        Ok(all)
    }

    /// The right edge of the tree of `size`, as package `tlog` writes it.
    pub async fn frontier(&self, size: u64) -> Result<Vec<u8>, BrokerError> {
        let call = Call::get(format!("/v1/log/frontier?size={size}"), ("frontier", MAX_FRONTIER));
        self.exchange.call(&call).await.map(|answer| answer.bytes)
    }

    /// Hands in the unit's cosignature of a checkpoint: one signature line of a note.
    pub async fn cosign(&self, line: &str) -> Result<(), BrokerError> {
        let call = Call::post("/v1/log/cosignature", line.as_bytes().to_vec(), Media::Text, ("cosignature", 0));
        self.exchange.call(&call).await.map(|_| ())
    }

    /// A matched leaf's place under its owner's signed root; `entry` is the log's entry of the owner's tag set.
    pub async fn evidence(&self, entry: u64, tag: &Tag) -> Result<LeafEvidence, BrokerError> {
        let call = Call::get(format!("/v1/evidence/{entry}/{tag}"), ("evidence", MAX_EVIDENCE));
        self.exchange.call(&call).await?.decode()
    }
}

fn bounded(proof: Proof) -> Result<Proof, BrokerError> {
    if proof.path.len() > tlog::MAX_PROOF_HASHES {
        return Err(BrokerError::Malformed("a proof longer than any tree is high"));
    }
    Ok(proof)
}
