//! Makes a bundle from what a unit's vault holds.
//!
//! It takes what the agent kept as it came, and judges nothing: `verify` does. Caller: `sutura audit`. *Not here:* the
//! passphrase.

use super::bundle::{AgreedAccord, Bundle, CaseHistory, KeptCopy, KeptProof, Logged, Note, PeerNumbers, SignedBundle};
use crate::agent::{Agent, HistoryEntry, kept_proof, restore::Damaged};
use crate::membership::Membership;
use crate::membership::MembershipError;
use crate::session::{Session, SessionError};
use crate::vault::Vault;
use protocol::act::{Act, Content};
use protocol::codec;
use protocol::message::Head;
use protocol::name::UnitName;
use protocol::overlap::Handle;
use std::collections::BTreeSet;

/// Everything of this unit, or one overlap of it, signed by the unit.
///
/// # Errors
/// The vault's; a unit that has joined no federation.
pub async fn gather(
    vault: &Vault,
    session: &Session,
    only: Option<&Handle>,
    now_ms: u64,
) -> Result<SignedBundle, SessionError> {
    let membership = Membership::load(vault).await?;
    let invite = membership.invite.clone().ok_or(MembershipError::NotJoined)?;
    let (agent, view) = (session.agent(), session.agent().view());
    let mut cases = Vec::new();
    let mut open: Vec<(UnitName, Handle)> = agent.cases().map(|(peer, case)| (peer.clone(), *case.handle())).collect();
    open.retain(|(_, handle)| only.is_none_or(|only| only == handle));
    for (peer, handle) in open {
        let acts = session.history(&peer, &handle).await?.into_iter().map(logged).collect();
        let objections = agent.objections(&handle);
        cases.push(CaseHistory { peer, handle, acts, objections });
    }
    let (officers, roster) = (kept(vault, "officerlog/").await?, kept(vault, "rosterlog/").await?);
    let accords = accords(vault, agent).await?;
    let agreed = accords.iter().flat_map(|agreed| agreed.signatures.iter().chain([&agreed.proposal]));
    let acts = cases.iter().flat_map(|case| &case.acts);
    let all = officers.iter().chain(&roster).chain(agreed).chain(acts);
    let entries: BTreeSet<u64> = all.map(|logged| logged.entry).collect();
    let (proofs, checkpoints) = proofs(vault, &entries).await?;
    let handles: BTreeSet<Handle> = cases.iter().map(|case| case.handle).collect();
    let bundle = Bundle {
        federation: invite.federation,
        broker: invite.broker,
        unit: view.unit.clone(),
        made_ms: now_ms,
        roster,
        accords,
        officers,
        checkpoints,
        proofs,
        readings: signed_by_officers(vault, "reading", &handles).await?,
        copies: handles.iter().flat_map(|handle| copies(agent, handle)).collect(),
        cases,
        peers: view
            .peers
            .iter()
            .map(|peer| PeerNumbers {
                peer: peer.name.clone(),
                verified: peer.verified,
                evaluated: peer.evaluated,
                quota: peer.quota,
                compared: peer.compared,
                overlaps: peer.overlaps,
            })
            .collect(),
        epoch: view.epoch,
        log_size: view.log_size,
        log_root: view.log_root,
        liftings: signed_by_officers(vault, "lifting", &handles).await?,
    };
    Ok(bundle.sign(&membership.into_keys().signing))
}

/// An entry of the vault, without the matter of a journal's entry: that is content.
fn logged(entry: HistoryEntry) -> Logged {
    let journal = Act::from_bytes(&entry.head).is_ok_and(|act| act.statement.content == Content::Journal);
    Logged {
        entry: entry.entry,
        envelope: entry.envelope,
        head: entry.head,
        frames: entry.frames,
        matter: entry.matter.filter(|_| !journal),
    }
}

/// Envelopes to all that the agent kept whole, in the order of the log.
async fn kept(vault: &Vault, prefix: &str) -> Result<Vec<Logged>, SessionError> {
    let mut out = Vec::new();
    for (key, value) in vault.list(prefix).await? {
        out.push(logged(HistoryEntry::from_bytes(&value).ok_or(Damaged(key))?));
    }
    out.sort_by_key(|logged| logged.entry);
    Ok(out)
}

/// The accords that all have signed, in the order in which they begin.
async fn accords(vault: &Vault, agent: &Agent) -> Result<Vec<AgreedAccord>, SessionError> {
    let mut out = Vec::new();
    for proposal in agent.view().proposals.into_iter().filter(|proposal| proposal.complete) {
        let hash = proposal.accord.hash();
        // The proposal is the first that the log has of an accord.
        let mut kept = kept(vault, &format!("accordlog/{hash}/")).await?.into_iter();
        let first = kept.next().ok_or_else(|| Damaged(format!("accordlog/{hash}")))?;
        let text = proposal.accord.text().to_owned();
        out.push(AgreedAccord { text, proposal: first, signatures: kept.collect() });
    }
    Ok(out)
}

async fn proofs(vault: &Vault, entries: &BTreeSet<u64>) -> Result<(Vec<KeptProof>, Vec<Note>), SessionError> {
    let number = |key: &str| key.rsplit('/').next().and_then(|text| text.parse::<u64>().ok());
    let (mut proofs, mut sizes) = (Vec::new(), BTreeSet::new());
    for (key, value) in vault.list("proof/").await? {
        let Some((entry, (size, path))) = number(&key).zip(kept_proof(&value)) else {
            return Err(Damaged(key).into());
        };
        if entries.contains(&entry) {
            sizes.insert(size);
            proofs.push(KeptProof { entry, size, path });
        }
    }
    let mut notes = Vec::new();
    for (key, value) in vault.list("checkpoint/").await? {
        let Some((size, text)) = number(&key).zip(String::from_utf8(value.to_vec()).ok()) else {
            return Err(Damaged(key).into());
        };
        if sizes.contains(&size) {
            notes.push(Note { size, text });
        }
    }
    Ok((proofs, notes))
}

/// Readings, or liftings: what officers signed about a case, for nobody but an audit.
async fn signed_by_officers<T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>>(
    vault: &Vault,
    kind: &str,
    handles: &BTreeSet<Handle>,
) -> Result<Vec<T>, SessionError> {
    let mut out = Vec::new();
    for handle in handles {
        for (key, value) in vault.list(&format!("{kind}/{handle}/")).await? {
            out.push(codec::decode(&value).map_err(|_| Damaged(key))?);
        }
    }
    Ok(out)
}

fn copies(agent: &Agent, handle: &Handle) -> Vec<KeptCopy> {
    let kept = agent.copies(handle).into_iter();
    kept.map(|copy| KeptCopy {
        handle: *handle,
        package: copy.package,
        number: copy.number,
        officer: copy.officer,
        at_ms: copy.at_ms,
        deleted_ms: copy.deleted_ms,
    })
    .collect()
}
