//! How a unit is founded, joins a federation, and is let in (R5, R6).
//!
//! Callers: the commands `init`, `join` and `sync`, and the exercise. Everything is kept in the vault under `unit/`.
//! *Not here:* whom officers trust (the agent), and the folder the vault lies in.

use crate::agent::Agent;
use crate::broker::{BrokerClient, BrokerError, NotATlsKey, Patience, TlsIdentity};
use crate::vault::{Change, Vault, VaultError};
use protocol::codec::{self, CodecError, Hash};
use protocol::identity::{SigningKey, UnitKeys, federation_id, verification_code};
use protocol::invite::Invite;
use protocol::mailbox::Joining;
use protocol::name::UnitName;
use protocol::roster::join_entry;
use protocol::seal::SealingKey;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

const NAME: &str = "unit/name";
const TITLE: &str = "unit/title";
const SIGNING: &str = "unit/signing-key";
const SEALING: &str = "unit/sealing-key";
const TLS: &str = "unit/tls-key";
const INVITE: &str = "unit/invite";
const CERTIFICATE: &str = "unit/certificate";

/// Why a unit cannot do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The broker says no, or says nothing.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A value of the vault is missing or damaged.
    #[error("the vault's value {0} is missing or damaged")]
    Damaged(&'static str),
    /// No TLS key can be made.
    #[error(transparent)]
    Tls(#[from] NotATlsKey),
    /// The invite names another unit.
    #[error("the invite is for {invited}, and this unit is {own}")]
    OtherUnit {
        /// Whom the invite names.
        invited: UnitName,
        /// Who this is.
        own: UnitName,
    },
    /// The unit joined already.
    #[error("this unit has joined a federation already")]
    JoinedAlready,
    /// The unit has not joined.
    #[error("this unit has joined no federation yet: ask the operator for an invite, then run sutura join")]
    NotJoined,
    /// The operator has not admitted the unit yet.
    #[error("the operator has not admitted this unit yet")]
    NotAdmitted,
}

impl From<CodecError> for MembershipError {
    fn from(_: CodecError) -> Self {
        MembershipError::Damaged(INVITE)
    }
}

/// A unit as its vault knows it.
pub struct Membership {
    /// Its name.
    pub name: UnitName,
    /// Its full title.
    pub title: String,
    /// The invite it joined with, if it joined.
    pub invite: Option<Invite>,
    /// Its client certificate (DER), once it is admitted.
    pub certificate: Option<Vec<u8>>,
    keys: UnitKeys,
    tls: TlsIdentity,
}

/// Makes a unit's keys, on its own machine, and keeps them (R5).
pub async fn found(
    vault: &Vault,
    name: &UnitName,
    title: &str,
    rng: &mut impl CryptoRng,
) -> Result<(), MembershipError> {
    let keys = UnitKeys::generate(rng);
    let tls = TlsIdentity::generate()?;
    vault
        .apply(&[
            Change::put(NAME, name.as_str()),
            Change::put(TITLE, title),
            Change::put(SIGNING, keys.signing.expose_secret().to_vec()),
            Change::put(SEALING, keys.sealing.expose_secret().to_vec()),
            Change::put(TLS, tls.expose_secret().to_vec()),
        ])
        .await?;
    Ok(())
}

impl Membership {
    /// Reads what the vault holds.
    pub async fn load(vault: &Vault) -> Result<Membership, MembershipError> {
        let get = async |key: &'static str| -> Result<Zeroizing<Vec<u8>>, MembershipError> {
            vault.get(key).await?.ok_or(MembershipError::Damaged(key))
        };
        let text = |bytes: &[u8], key| String::from_utf8(bytes.to_vec()).map_err(|_| MembershipError::Damaged(key));
        let seed = |bytes: &[u8], key| -> Result<Zeroizing<[u8; 32]>, MembershipError> {
            bytes.try_into().map(Zeroizing::new).map_err(|_| MembershipError::Damaged(key))
        };
        let name = text(&get(NAME).await?, NAME)?.parse().map_err(|_| MembershipError::Damaged(NAME))?;
        let signing = SigningKey::from_secret(&*seed(&get(SIGNING).await?, SIGNING)?);
        let sealing = SealingKey::from_secret(&*seed(&get(SEALING).await?, SEALING)?)
            .map_err(|_| MembershipError::Damaged(SEALING))?;
        let invite = match vault.get(INVITE).await? {
            Some(bytes) => Some(codec::decode(&bytes)?),
            None => None,
        };
        Ok(Membership {
            name,
            title: text(&get(TITLE).await?, TITLE)?,
            invite,
            certificate: vault.get(CERTIFICATE).await?.map(|bytes| bytes.to_vec()),
            keys: UnitKeys { signing, sealing },
            tls: TlsIdentity::from_secret(&get(TLS).await?)?,
        })
    }

    /// Asks the broker of the invite to let this unit in. Repeating it with the same invite is harmless.
    pub async fn join(&mut self, vault: &Vault, invite: Invite, patience: Patience) -> Result<(), MembershipError> {
        if invite.unit != self.name {
            return Err(MembershipError::OtherUnit { invited: invite.unit, own: self.name.clone() });
        }
        if self.certificate.is_some() {
            return Err(MembershipError::JoinedAlready);
        }
        let client = BrokerClient::connect(&invite.address, &invite.authority, None, patience)?;
        let federation = federation_id(&invite.federation, &invite.broker);
        let joining = Joining {
            token: invite.token,
            entry: join_entry(&federation, self.name.clone(), self.title.clone(), &self.keys),
            certificate_request: self.tls.certificate_request(&self.name)?,
        };
        // The invite first: an answer that is lost can then be asked for again.
        vault.apply(&[Change::put(INVITE, codec::encode(&invite))]).await?;
        client.join(&joining).await?;
        self.invite = Some(invite);
        Ok(())
    }

    /// Fetches the certificate, if the operator has admitted the unit meanwhile.
    pub async fn complete(&mut self, vault: &Vault, patience: Patience) -> Result<(), MembershipError> {
        if self.certificate.is_some() {
            return Ok(());
        }
        let invite = self.invite.as_ref().ok_or(MembershipError::NotJoined)?;
        let client = BrokerClient::connect(&invite.address, &invite.authority, None, patience)?;
        let joined = client.joined(&invite.token).await?.ok_or(MembershipError::NotAdmitted)?;
        vault.apply(&[Change::put(CERTIFICATE, joined.certificate.clone())]).await?;
        self.certificate = Some(joined.certificate);
        Ok(())
    }

    /// A connection with the unit's certificate.
    pub fn client(&self, patience: Patience) -> Result<BrokerClient, MembershipError> {
        let invite = self.invite.as_ref().ok_or(MembershipError::NotJoined)?;
        let certificate = self.certificate.as_ref().ok_or(MembershipError::NotAdmitted)?;
        Ok(BrokerClient::connect(&invite.address, &invite.authority, Some((&self.tls, certificate)), patience)?)
    }

    /// The broker has moved: units reach it under another address. Its certificate must still be of the same authority.
    pub async fn broker_moved(&mut self, vault: &Vault, address: &str) -> Result<(), MembershipError> {
        let invite = self.invite.as_mut().ok_or(MembershipError::NotJoined)?;
        invite.address = address.to_owned();
        vault.apply(&[Change::put(INVITE, codec::encode(invite))]).await?;
        Ok(())
    }

    /// The verification code that this unit's officers read out to those of `peer` (R7).
    pub fn code_with(&self, federation: &Hash, peer: &UnitName, keys: &UnitKeys) -> String {
        verification_code(federation, (&self.name, &self.keys.public()), (peer, &keys.public()))
    }

    /// The unit's keys, for whoever holds its vault and passphrase.
    pub fn into_keys(self) -> UnitKeys {
        self.keys
    }

    /// An agent that has seen nothing yet, with the unit's keys.
    pub(crate) fn into_agent(self) -> Result<Agent, MembershipError> {
        let invite = self.invite.ok_or(MembershipError::NotJoined)?;
        Agent::new(self.name, self.keys, &invite.federation, invite.broker, identifier::VERSION)
            .ok_or(MembershipError::Damaged(INVITE))
    }
}
