//! Who belongs: invite, join, admit, suspend (R6, R8).
//!
//! Admission by the broker is not enough for anything: officers verify each other's keys by another channel (R7). Callers:
//! the operator's commands, the two routes under `/v1/join`, and the check of each connection's certificate. *Not here:*
//! verification codes.

use crate::authority::{AuthorityError, fingerprint, read_request};
use crate::broker::Broker;
use crate::log::Writing;
use crate::officers;
use crate::speak::Moment;
use crate::store::{Order, Result, StoreError};
use protocol::codec::{self, Bytes, Hash};
use protocol::identity;
use protocol::invite::Invite;
use protocol::label;
use protocol::mailbox::{Joined, Joining};
use protocol::message::{RosterEntry, Standing};
use protocol::name::{Party, UnitName};
use protocol::roster::join_message;
use rand_core::Rng;
use sha2::{Digest, Sha256};

/// How long an invite works, in milliseconds: two weeks.
const INVITE_MS: u64 = 14 * 86_400_000;

/// Why joining, or an act of the operator's, is refused.
#[derive(Debug, thiserror::Error)]
pub enum MembershipRefused {
    /// No such token, or it is too old.
    #[error("the invite is unknown or has expired: ask the operator for another")]
    Invite,
    /// The token was used, by a request with other content.
    #[error("the invite was used already, with other keys")]
    Used,
    /// The entry names another unit than the invite.
    #[error("the invite is for another unit")]
    OtherUnit,
    /// The entry is not signed with the key in it, or is malformed.
    #[error("the entry is not signed with the key that it names")]
    Signature,
    /// The certificate request.
    #[error(transparent)]
    Request(#[from] AuthorityError),
    /// Not admitted yet, or never invited.
    #[error("the unit is not admitted yet")]
    NotYet,
    /// The unit has not asked to join, and is no member.
    #[error("the unit has not asked to join")]
    NotAsked,
    /// No such member.
    #[error("there is no such unit")]
    NoSuchUnit,
    /// It is so already.
    #[error("nothing to do: it is so already")]
    Already,
    /// Something of the store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MembershipRefused {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            MembershipRefused::Invite => "invite-unknown",
            MembershipRefused::Used => "invite-used",
            MembershipRefused::OtherUnit => "invite-other-unit",
            MembershipRefused::Signature => "join-signature",
            MembershipRefused::Request(_) => "join-certificate-request",
            MembershipRefused::NotYet => "not-admitted-yet",
            MembershipRefused::NotAsked => "not-asked",
            MembershipRefused::NoSuchUnit => "unit-unknown",
            MembershipRefused::Already => "already-so",
            MembershipRefused::Store(_) => "store-failed",
        }
    }
}

/// A unit as the operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// Its title.
    pub title: String,
    /// Its standing; `None`: it asked to join, and waits.
    pub standing: Option<Standing>,
    /// Envelopes accepted from it.
    pub sent: u64,
    /// Envelopes in its mailbox.
    pub received: u64,
}

/// A unit whose connection showed its certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its name.
    pub unit: UnitName,
    /// Its standing.
    pub standing: Standing,
}

impl Broker {
    /// A one-time invite for `unit`. `address` is where units reach the broker.
    pub async fn invite(&self, unit: &UnitName, address: &str, now_ms: u64) -> Result<Invite> {
        let mut token = [0; 32];
        crate::random().fill_bytes(&mut token);
        let token = Bytes(token);
        let mut tx = self.store().write(Order::Free).await?;
        const MAKE: &str = "INSERT INTO invite (token_hash, unit, expires_ms) VALUES ($1, $2, $3)";
        let expires = now_ms.saturating_add(INVITE_MS);
        tx.run(MAKE, &[(&token_hash(&token)).into(), unit.as_str().into(), expires.into()]).await?;
        tx.commit().await?;
        Ok(Invite {
            federation: self.settings().federation.clone(),
            broker: self.public_key(),
            address: address.to_owned(),
            authority: self.authority_fingerprint(),
            unit: unit.clone(),
            token,
        })
    }

    /// A unit asks to join. Asking again with the same content is harmless.
    pub async fn join(&self, joining: &Joining, now_ms: u64) -> Result<(), MembershipRefused> {
        let entry = &joining.entry;
        let message = join_message(self.federation(), entry);
        if entry.title.len() > 200
            || entry.title.chars().any(char::is_control)
            || !identity::verify(&entry.keys.signing, label::JOIN, &message, &entry.joined)
        {
            return Err(MembershipRefused::Signature);
        }
        read_request(&joining.certificate_request)?;
        let hash = token_hash(&joining.token);
        let mut tx = self.store().write(Order::Log).await?;
        const FIND: &str = "SELECT unit, expires_ms FROM invite WHERE token_hash = $1";
        let row = tx.first(FIND, &[(&hash).into()]).await?;
        let mut row = row.ok_or(MembershipRefused::Invite)?;
        if row.text(0)? != entry.unit.as_str() {
            return Err(MembershipRefused::OtherUnit);
        }
        let encoded = codec::encode(entry);
        const ASKED: &str = "SELECT entry, request FROM joining WHERE token_hash = $1";
        if let Some(mut asked) = tx.first(ASKED, &[(&hash).into()]).await? {
            let same = asked.blob(0)? == encoded && asked.blob(1)? == joining.certificate_request;
            return if same { Ok(()) } else { Err(MembershipRefused::Used) };
        }
        if row.int(1)? < now_ms {
            return Err(MembershipRefused::Invite);
        }
        const KEEP: &str = "INSERT INTO joining (token_hash, unit, entry, request) VALUES ($1, $2, $3, $4)";
        let request = joining.certificate_request.as_slice();
        tx.run(KEEP, &[(&hash).into(), entry.unit.as_str().into(), encoded.as_slice().into(), request.into()]).await?;
        tx.commit().await?;
        tracing::info!(unit = %entry.unit, "a unit asks to join");
        Ok(())
    }

    /// The answer to a unit that asked to join: its certificate, once it is admitted.
    pub async fn joined(&self, token_hash: &Hash) -> Result<Joined, MembershipRefused> {
        const FIND: &str = "SELECT certificate FROM joining WHERE token_hash = $1";
        let row = self.store().first(FIND, &[token_hash.into()]).await?;
        let certificate = row.map(|mut row| row.maybe_blob(0)).transpose()?.flatten();
        certificate.map(|certificate| Joined { certificate }).ok_or(MembershipRefused::NotYet)
    }

    /// Admits a unit that asked to join, or one that was suspended. A unit that joined anew gets its new keys, which
    /// blocks it at every peer until officers have verified it again (R7), and none of its officers.
    pub async fn admit(&self, unit: &UnitName, now_ms: u64) -> Result<(), MembershipRefused> {
        let mut writing = self.writing().await?;
        const ASKED: &str = "SELECT token_hash, entry, request FROM joining WHERE unit = $1 AND certificate IS NULL";
        let asked = writing.tx.all(ASKED, &[unit.as_str().into()]).await?;
        let entry = match asked.into_iter().next_back() {
            Some(mut row) => {
                let (hash, entry, request) = (row.bytes::<32>(0)?, row.blob(1)?, row.blob(2)?);
                let certificate = self.authority().admit(unit, &request)?;
                const GIVE: &str = "UPDATE joining SET certificate = $1 WHERE token_hash = $2";
                writing.tx.run(GIVE, &[certificate.as_slice().into(), (&hash).into()]).await?;
                let entry = read_entry(&entry)?;
                let before = entry_of(&mut writing, unit).await?;
                if before.is_some_and(|before| before.keys != entry.keys) {
                    officers::rekeyed(&mut writing, unit).await?;
                }
                const KEEP: &str = "INSERT INTO unit (name, entry, signing, standing, certificate)
                    VALUES ($1, $2, $3, 0, $4)
                    ON CONFLICT (name) DO UPDATE SET signing = excluded.signing, certificate = excluded.certificate";
                let shown = codec::encode(&entry);
                let print = fingerprint(&certificate);
                let args =
                    [unit.as_str().into(), shown.as_slice().into(), (&entry.keys.signing).into(), (&print).into()];
                writing.tx.run(KEEP, &args).await?;
                entry
            }
            None => match entry_of(&mut writing, unit).await? {
                Some(entry) if entry.standing == Standing::Suspended => entry,
                Some(_) => return Err(MembershipRefused::Already),
                None => return Err(MembershipRefused::NotAsked),
            },
        };
        let missed = missed(&mut writing, unit).await?;
        for envelope in missed {
            writing.deliver_to(envelope, unit).await?;
        }
        self.state_standing(&mut writing, RosterEntry { standing: Standing::Admitted, ..entry }, now_ms).await?;
        writing.commit(self).await?;
        tracing::info!(%unit, "admitted");
        Ok(())
    }

    /// Suspends a unit: its envelopes are refused from now on, its connections are closed, and all see it in the log.
    pub async fn suspend(&self, unit: &UnitName, now_ms: u64) -> Result<(), MembershipRefused> {
        self.end_standing(unit, Standing::Suspended, now_ms).await
    }

    /// A unit leaves for good: as suspending, but only joining anew brings it back.
    pub async fn leave(&self, unit: &UnitName, now_ms: u64) -> Result<(), MembershipRefused> {
        self.end_standing(unit, Standing::Left, now_ms).await
    }

    async fn end_standing(&self, unit: &UnitName, standing: Standing, now_ms: u64) -> Result<(), MembershipRefused> {
        let mut writing = self.writing().await?;
        let entry = entry_of(&mut writing, unit).await?.ok_or(MembershipRefused::NoSuchUnit)?;
        if entry.standing == standing || entry.standing == Standing::Left {
            return Err(MembershipRefused::Already);
        }
        self.state_standing(&mut writing, RosterEntry { standing, ..entry }, now_ms).await?;
        writing.commit(self).await?;
        self.mail().wake_all();
        tracing::info!(%unit, ?standing, "standing changed");
        Ok(())
    }

    /// Writes a standing, says it to all, and looks whether an accord became complete by it.
    async fn state_standing(&self, writing: &mut Writing, entry: RosterEntry, now_ms: u64) -> Result<()> {
        const SET: &str = "UPDATE unit SET entry = $1, standing = $2 WHERE name = $3";
        let args = [codec::encode(&entry)];
        writing
            .tx
            .run(SET, &[args[0].as_slice().into(), standing_number(entry.standing).into(), entry.unit.as_str().into()])
            .await?;
        writing.tx.run("UPDATE counter SET value = value + 1 WHERE name = 'roster'", &[]).await?;
        let tick = self.agreement_in(writing).await?.tick_at(now_ms).unwrap_or(0);
        let moment = Moment { accord: Hash::ZERO, epoch: 0, tick, now_ms };
        self.say(writing, Party::All, &moment, &entry, Vec::new()).await?;
        self.complete_accords(writing, now_ms).await
    }

    /// Which unit a client certificate belongs to.
    pub async fn known(&self, certificate: &[u8]) -> Result<Option<Known>> {
        const FIND: &str = "SELECT name, standing FROM unit WHERE certificate = $1";
        let row = self.store().first(FIND, &[(&fingerprint(certificate)).into()]).await?;
        row.map(|mut row| Ok(Known { unit: row.parsed(0)?, standing: standing(row.int(1)?)? })).transpose()
    }

    /// Whether `unit` is admitted now.
    pub async fn is_admitted(&self, unit: &UnitName) -> Result<bool> {
        let row = self.store().first("SELECT standing FROM unit WHERE name = $1", &[unit.as_str().into()]).await?;
        Ok(row.map(|mut row| row.int(0)).transpose()? == Some(0))
    }

    /// All units, and those that wait to be admitted.
    pub async fn units(&self) -> Result<Vec<Unit>> {
        const MEMBERS: &str = "SELECT u.name, u.entry, u.standing, coalesce(c.sequence, 0), u.mailbox
            FROM unit u LEFT JOIN chain c ON c.party = u.name ORDER BY u.name";
        let mut units = Vec::new();
        for mut row in self.store().all(MEMBERS, &[]).await? {
            units.push(Unit {
                name: row.parsed(0)?,
                title: read_entry(&row.blob(1)?)?.title,
                standing: Some(standing(row.int(2)?)?),
                sent: row.int(3)?,
                received: row.int(4)?,
            });
        }
        const WAITING: &str = "SELECT unit, entry FROM joining WHERE certificate IS NULL ORDER BY unit";
        for mut row in self.store().all(WAITING, &[]).await? {
            let (name, title) = (row.parsed(0)?, read_entry(&row.blob(1)?)?.title);
            units.push(Unit { name, title, standing: None, sent: 0, received: 0 });
        }
        Ok(units)
    }
}

/// What was said to all, and is not in this unit's mailbox yet.
async fn missed(writing: &mut Writing, unit: &UnitName) -> Result<Vec<u64>> {
    const MISSED: &str = "SELECT e.entry FROM envelope e WHERE e.receiver = '@all'
        AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.unit = $1 AND m.entry = e.entry) ORDER BY e.entry";
    let rows = writing.tx.all(MISSED, &[unit.as_str().into()]).await?;
    rows.into_iter().map(|mut row| row.int(0)).collect()
}

async fn entry_of(writing: &mut Writing, unit: &UnitName) -> Result<Option<RosterEntry>> {
    let row = writing.tx.first("SELECT entry FROM unit WHERE name = $1", &[unit.as_str().into()]).await?;
    row.map(|mut row| read_entry(&row.blob(0)?)).transpose()
}

fn read_entry(bytes: &[u8]) -> Result<RosterEntry> {
    codec::decode(bytes).map_err(|_| StoreError::Corrupt("a roster entry"))
}

fn standing_number(standing: Standing) -> u64 {
    match standing {
        Standing::Admitted => 0,
        Standing::Suspended => 1,
        Standing::Left => 2,
    }
}

fn standing(number: u64) -> Result<Standing> {
    match number {
        0 => Ok(Standing::Admitted),
        1 => Ok(Standing::Suspended),
        2 => Ok(Standing::Left),
        _ => Err(StoreError::Corrupt("a standing")),
    }
}

/// What the store keeps of an invite's token.
pub fn token_hash(token: &Bytes<32>) -> Hash {
    Bytes(Sha256::digest(token.0).into())
}
