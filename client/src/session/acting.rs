//! Officers' acts through the session: what is said is built from the case as it is, signed, checked and queued (R29, R33).
//!
//! Callers: the commands and the exercise. *Not here:* the officer's passphrase, and what people are shown before they
//! sign.

use super::{Draft, HandoverError, Session, SessionError};
use crate::agent::{CaseworkError, Prospect};
use protocol::act::{Act, Content};
use protocol::consent::{ConsentKind, Terms, key_hash};
use protocol::lifting::Lifting;
use protocol::matter::Matter;
use protocol::message::Head;
use protocol::name::UnitName;
use protocol::officer::{NameOpening, OfficerKey};
use protocol::overlap::Handle;
use protocol::package::{FieldsOpening, HandlingOpening, Openings, Purpose, PurposeOpening};
use protocol::{Bytes, Hash};
use rand_core::Rng;

/// An officer who signs now.
#[derive(Clone, Copy)]
pub struct Signatory<'a> {
    /// The officer's number.
    pub number: u32,
    /// The key.
    pub key: &'a OfficerKey,
    /// The name, under the certificate's commitment.
    pub name: &'a NameOpening,
}

/// A consent in a case, with what it is over.
pub struct ConsentShown {
    /// The terms that are signed.
    pub terms: Terms,
    /// What opens their hashes.
    pub openings: Openings,
}

impl Session {
    /// The case of an overlap, by its handle.
    ///
    /// # Errors
    /// [`CaseworkError`] says why there is none.
    pub fn prospect(&self, handle: &Handle) -> Result<Prospect, CaseworkError> {
        self.agent.prospect(handle, (self.clock)())
    }

    /// Matter with a fresh salt.
    pub fn matter(&mut self) -> Matter {
        Matter::new(&mut self.rng)
    }

    /// Signs and queues an act. It goes with the next round, and counts once it is in the log.
    ///
    /// # Errors
    /// [`HandoverError`]; nothing was sent.
    pub async fn sign_act(
        &mut self,
        by: Signatory<'_>,
        handle: &Handle,
        event: &str,
        content: Content,
        mut matter: Matter,
    ) -> Result<(), HandoverError> {
        let now = (self.clock)();
        let prospect = self.agent.prospect(handle, now)?;
        matter.by = Some(by.name.clone());
        let statement = self.agent.statement(&prospect, event, content, &matter, now);
        let act = Act::sign(statement, by.number, by.key);
        self.agent.act(&act, &matter, now, &mut self.rng)?;
        self.commit().await?;
        Ok(())
    }

    /// An officer lifts all that this unit objects to in a case: signed, and kept for the audit.
    ///
    /// # Errors
    /// [`CaseworkError::Lifting`]: nothing stands, or the officer may not.
    pub async fn lift(&mut self, by: Signatory<'_>, handle: &Handle, why: String) -> Result<(), HandoverError> {
        let now = (self.clock)();
        let lifting = Lifting {
            federation: self.agent.signing_context().0,
            handle: *handle,
            unit: self.agent.view().unit,
            officer: by.number,
            at_ms: now,
            objections: self.agent.objections(handle),
            why,
        };
        self.agent.lift(&lifting.sign(by.key), now)?;
        self.commit().await?;
        Ok(())
    }

    /// The terms of a consent over a draft.
    ///
    /// # Errors
    /// [`CaseworkError::NotVerified`]: the peer has no sealing key that officers verified.
    pub fn terms_of(
        &mut self,
        prospect: &Prospect,
        draft: &Draft,
        kind: ConsentKind,
        until_ms: u64,
    ) -> Result<ConsentShown, CaseworkError> {
        let key = self.recipient_key(&prospect.peer)?;
        let terms = draft.manifest.terms(kind, prospect.case.accord(), key, until_ms, self.nonce());
        Ok(ConsentShown { terms, openings: draft.manifest.openings() })
    }

    /// The terms of a consent to one's own entries in a joint journal.
    ///
    /// # Errors
    /// [`CaseworkError::NotVerified`]: the peer has no sealing key that officers verified.
    pub fn journal_terms(
        &mut self,
        prospect: &Prospect,
        purpose: Purpose,
        until_ms: u64,
    ) -> Result<ConsentShown, CaseworkError> {
        let recipient_key = self.recipient_key(&prospect.peer)?;
        let mut salt = || {
            let mut salt = [0; 32];
            self.rng.fill_bytes(&mut salt);
            Bytes(salt)
        };
        let openings = Openings {
            fields: FieldsOpening { salt: salt(), lines: Vec::new() },
            purpose: PurposeOpening { salt: salt(), purpose },
            handling: HandlingOpening { salt: salt(), lines: Vec::new() },
        };
        let terms = Terms {
            kind: ConsentKind::Journal,
            federation: *prospect.case.federation(),
            accord: *prospect.case.accord(),
            handle: *prospect.case.handle(),
            provider: self.agent.view().unit,
            recipient: prospect.peer.clone(),
            recipient_key,
            package: Hash::ZERO,
            fields: openings.fields.hash(),
            purpose: openings.purpose.hash(),
            handling: openings.handling.hash(),
            until_ms,
            nonce: self.nonce(),
        };
        Ok(ConsentShown { terms, openings })
    }

    /// A consent of our own officers that waits for its second signature, with what it is over: the second officer signs
    /// exactly the same.
    ///
    /// # Errors
    /// The vault's.
    pub async fn waiting_consent(&self, prospect: &Prospect) -> Result<Option<ConsentShown>, SessionError> {
        let me = self.agent.view().unit;
        let waits = prospect
            .case
            .ledger()
            .consents()
            .iter()
            .rev()
            .find(|held| held.terms.provider == me && !held.is_complete() && !held.withdrawn && !held.used);
        let Some(held) = waits else { return Ok(None) };
        self.consent_shown(&prospect.peer, prospect.case.handle(), &held.terms.id()).await
    }

    /// A consent of either unit, with what it is over.
    ///
    /// # Errors
    /// The vault's.
    pub async fn consent_shown(
        &self,
        peer: &UnitName,
        handle: &Handle,
        id: &Hash,
    ) -> Result<Option<ConsentShown>, SessionError> {
        for entry in self.history(peer, handle).await? {
            let Ok(Act { statement, .. }) = Act::from_bytes(&entry.head) else { continue };
            if let Content::Consent(terms) = statement.content
                && terms.id() == *id
                && let Some(openings) = entry.matter.and_then(|matter| matter.openings)
            {
                return Ok(Some(ConsentShown { terms, openings }));
            }
        }
        Ok(None)
    }

    fn recipient_key(&self, peer: &UnitName) -> Result<Hash, CaseworkError> {
        let key = self.agent.sealing_key_of(peer).ok_or(CaseworkError::NotVerified)?;
        Ok(key_hash(&key.0))
    }

    fn nonce(&mut self) -> Bytes<16> {
        let mut nonce = [0; 16];
        self.rng.fill_bytes(&mut nonce);
        Bytes(nonce)
    }
}
