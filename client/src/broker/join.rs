//! Joining, and where the unit stands with the broker (R6, R24).
//!
//! Callers: the command that joins; the agent, which compares [`State`] with its own outbox before it sends.

use super::BrokerClient;
use super::error::BrokerError;
use super::exchange::{Call, Media};
use protocol::codec::{self, Bytes};
use protocol::mailbox::{Joined, Joining, State};
use sha2::{Digest, Sha256};

const MAX_JOINED: usize = 16_384;
const MAX_RECEIPT: usize = 4_096;
const MAX_STATE: usize = 256;
const NOT_ADMITTED: u16 = 404;

impl BrokerClient {
    /// Asks to join. The only call that is not repeated once it may have arrived: the token works once.
    pub async fn join(&self, joining: &Joining) -> Result<(), BrokerError> {
        let call = Call::post("/v1/join", codec::encode(joining), Media::Cbor, ("join", MAX_RECEIPT));
        self.exchange.call(&Call { repeatable: false, ..call }).await.map(|_| ())
    }

    /// The unit's certificate, once the operator has admitted the unit that joined with `token`.
    pub async fn joined(&self, token: &Bytes<32>) -> Result<Option<Joined>, BrokerError> {
        let path = format!("/v1/join/{}", hex::encode(Sha256::digest(token.0)));
        match self.exchange.call(&Call::get(path, ("joined", MAX_JOINED))).await {
            Ok(answer) => answer.decode().map(Some),
            Err(BrokerError::Refused { status: NOT_ADMITTED, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the broker has accepted from this unit, and what it holds for it.
    pub async fn state(&self) -> Result<State, BrokerError> {
        self.exchange.call(&Call::get("/v1/state".to_owned(), ("state", MAX_STATE))).await?.decode()
    }
}
