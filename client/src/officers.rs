//! The unit's own officers: their secret keys, each under the officer's own passphrase (R30).
//!
//! Callers: the command `officers`, every command that signs as an officer, and the exercise. A key lies in the vault
//! under `officer-key/NUMBER`, sealed a second time under Argon2id of the officer's passphrase, with the opening of the
//! officer's name. Whoever opens the vault cannot sign as an officer without that officer's passphrase. *Not here:* the
//! officers as the log shows them (the agent keeps those under `officer/UNIT/NUMBER`), and what a role may do.

use crate::agent::kept_officer;
use crate::membership::{Membership, MembershipError};
use crate::vault::{self, Change, Hashing, Passphrase, Vault, VaultError};
use minicbor::{Decode, Encode};
use protocol::codec;
use protocol::identity::federation_id;
use protocol::officer::{Certificate, MAX_OFFICERS, NameOpening, OfficerKey, OfficerRole};
use rand_core::CryptoRng;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const NAMESPACE: &str = "officer-key";
const DAMAGED: OfficerError = OfficerError::Vault(VaultError::Damaged("an officer's key"));

/// Why nothing was done with an officer's key.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// The officer's passphrase is wrong.
    #[error("the passphrase is not this officer's")]
    Locked,
    /// A name that is empty, too long, holds control characters, or could be taken for a number.
    #[error("this cannot be an officer's name")]
    Name,
    /// An officer of this name is in standing, or waits for the broker.
    #[error("an officer of this unit has this name already")]
    Taken,
    /// Nobody of this name or number has a key here.
    #[error("this unit keeps no key of such an officer")]
    Unknown,
    /// The officer signs nothing more.
    #[error("this officer was revoked")]
    Revoked,
    /// All numbers are used.
    #[error("this unit has had as many officers as a unit can have")]
    TooMany,
    /// The vault says no.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The unit has joined no federation, or its vault is damaged.
    #[error(transparent)]
    Membership(#[from] MembershipError),
}

impl OfficerError {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            OfficerError::Locked => "officer-locked",
            OfficerError::Name => "officer-name",
            OfficerError::Taken => "officer-name-taken",
            OfficerError::Unknown => "officer-key-unknown",
            OfficerError::Revoked => "officer-revoked",
            OfficerError::TooMany => "officer-too-many",
            OfficerError::Vault(_) => "officer-vault",
            OfficerError::Membership(_) => "officer-membership",
        }
    }
}

/// Where an officer of ours stands, as the log shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnStanding {
    /// The broker has not accepted the certificate, or it has not come back through the mailbox yet.
    Waiting,
    /// May sign.
    InStanding,
    /// Signs nothing more.
    Revoked,
}

/// One of the unit's own officers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnOfficer {
    /// The number.
    pub number: u32,
    /// The role.
    pub role: OfficerRole,
    /// The name, with its salt: for sealed matter only.
    pub name: NameOpening,
    /// Where they stand.
    pub standing: OwnStanding,
}

/// An officer whose passphrase was right.
pub struct Unlocked {
    /// The key, to sign one act with.
    pub key: OfficerKey,
    /// The number.
    pub number: u32,
    /// The role.
    pub role: OfficerRole,
    /// The name, with its salt: for sealed matter only.
    pub name: NameOpening,
}

/// What the vault keeps.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Kept {
    #[n(0)]
    number: u32,
    #[n(1)]
    role: OfficerRole,
    #[n(2)]
    name: NameOpening,
    #[cbor(n(3), with = "minicbor::bytes")]
    wrapped: Vec<u8>,
}

impl Kept {
    fn key(number: u32) -> String {
        format!("{NAMESPACE}/{number}")
    }

    /// A key that was put in another officer's place, or given another role, does not open.
    fn context(number: u32, role: OfficerRole, name: &NameOpening) -> Vec<u8> {
        codec::encode(&(number, role, name))
    }
}

/// Makes a key and keeps it; the certificate is to be said to all (`Agent::certify`). Until then, and if that never
/// happens, the key signs nothing that anybody accepts.
pub async fn create(
    vault: &Vault,
    name: &str,
    role: OfficerRole,
    passphrase: &Passphrase,
    hashing: Hashing,
    rng: &mut impl CryptoRng,
) -> Result<Certificate, OfficerError> {
    // A name of digits could be taken for somebody's number.
    let opening = NameOpening::new(name, rng).filter(|_| name.trim() == name && name.parse::<u32>().is_err());
    let name = opening.ok_or(OfficerError::Name)?;
    let membership = Membership::load(vault).await?;
    let invite = membership.invite.as_ref().ok_or(MembershipError::NotJoined)?;
    let federation = federation_id(&invite.federation, &invite.broker);
    let logged = logged(vault, &membership).await?;
    let kept = kept(vault).await?;
    let counts = |own: &Kept| logged.get(&own.number) != Some(&true);
    if kept.values().any(|own| own.name.name == name.name && counts(own)) {
        return Err(OfficerError::Taken);
    }
    let last = logged.keys().next_back().max(kept.keys().next_back()).copied().unwrap_or(0);
    let number = last.checked_add(1).filter(|number| *number <= MAX_OFFICERS).ok_or(OfficerError::TooMany)?;
    let key = OfficerKey::generate(rng);
    let certificate = Certificate::new(&federation, &membership.name, number, role, &name, &key);
    let context = Kept::context(number, role, &name);
    let wrapped = vault::wrap(&key.expose_secret(), &context, passphrase, hashing, rng).await?;
    let value = codec::encode(&Kept { number, role, name, wrapped });
    vault.apply(&[Change::put(Kept::key(number), value)]).await?;
    Ok(certificate)
}

/// All officers whose keys this vault keeps, by number.
pub async fn list(vault: &Vault) -> Result<Vec<OwnOfficer>, OfficerError> {
    let logged = logged(vault, &Membership::load(vault).await?).await?;
    let own = |kept: Kept| OwnOfficer {
        number: kept.number,
        role: kept.role,
        name: kept.name,
        standing: match logged.get(&kept.number) {
            None => OwnStanding::Waiting,
            Some(false) => OwnStanding::InStanding,
            Some(true) => OwnStanding::Revoked,
        },
    };
    Ok(kept(vault).await?.into_values().map(own).collect())
}

/// Whom `who` names: a number, or a name; of several of one name the one who is not revoked.
pub async fn find(vault: &Vault, who: &str) -> Result<OwnOfficer, OfficerError> {
    let number = who.parse::<u32>().ok();
    let mut found: Vec<OwnOfficer> = list(vault).await?;
    found.retain(|own| number.map_or(own.name.name == who, |number| own.number == number));
    found.sort_by_key(|own| (own.standing != OwnStanding::Revoked, own.number));
    found.pop().ok_or(OfficerError::Unknown)
}

/// Opens the key of the officer whom `who` names, with the officer's own passphrase.
pub async fn unlock(vault: &Vault, who: &str, passphrase: &Passphrase) -> Result<Unlocked, OfficerError> {
    let own = find(vault, who).await?;
    if own.standing == OwnStanding::Revoked {
        return Err(OfficerError::Revoked);
    }
    let value = vault.get(&Kept::key(own.number)).await?.ok_or(OfficerError::Unknown)?;
    let Kept { number, role, name, wrapped } = codec::decode(&value).map_err(|_| DAMAGED)?;
    let secret = vault::unwrap(&wrapped, &Kept::context(number, role, &name), passphrase).await;
    let secret = secret.map_err(|error| match error {
        VaultError::Locked => OfficerError::Locked,
        other => OfficerError::Vault(other),
    })?;
    Ok(Unlocked { key: OfficerKey::from_secret(&secret), number, role, name })
}

/// Destroys a key that never came into the log: its certificate was refused, or never sent.
pub async fn forget(vault: &Vault, number: u32) -> Result<(), OfficerError> {
    Ok(vault.apply(&[Change::delete(Kept::key(number))]).await?)
}

async fn kept(vault: &Vault) -> Result<BTreeMap<u32, Kept>, OfficerError> {
    let listed = vault.list(&format!("{NAMESPACE}/")).await?;
    let read = |(_, value): &(String, Zeroizing<Vec<u8>>)| {
        let kept: Kept = codec::decode(value).map_err(|_| DAMAGED)?;
        Ok((kept.number, kept))
    };
    listed.iter().map(read).collect()
}

/// The unit's own officers as the log shows them: number, and whether revoked.
async fn logged(vault: &Vault, membership: &Membership) -> Result<BTreeMap<u32, bool>, OfficerError> {
    let listed = vault.list(&format!("officer/{}/", membership.name)).await?;
    let read = |(_, value): &(String, Zeroizing<Vec<u8>>)| {
        let kept = kept_officer(value).ok_or(OfficerError::Vault(VaultError::Damaged("an officer's certificate")))?;
        Ok((kept.officer.certificate.number, kept.officer.revoked))
    };
    listed.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
