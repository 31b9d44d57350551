//! What a consent is over: one of the unit's drafts, or its entries in a joint journal; the second officer signs exactly
//! what the first one signed.
//!
//! Caller: `act`. *Not here:* whether two signatures suffice ([`protocol::consent`]).

use super::{Desk, Duration, Said, by_prefix};
use crate::agent::Prospect;
use crate::command::{CommandError, Exit};
use crate::session::{ConsentShown, Draft, HandoverError, system_clock};
use protocol::act::Outcome;
use protocol::consent::{ConsentKind, ConsentRefused};
use protocol::package::Purpose;

/// The key of a kind's words.
pub fn kind_key(kind: ConsentKind) -> &'static str {
    match kind {
        ConsentKind::Parcel => "consent-parcel",
        ConsentKind::Urgent => "consent-urgent",
        ConsentKind::Journal => "consent-journal",
    }
}

/// A consent that is about to be signed.
pub struct Prepared {
    /// The terms, and what opens them.
    pub shown: ConsentShown,
    /// The package, values included, for the unit's own officers; none for a journal.
    pub draft: Option<Draft>,
    /// Whether another officer has signed it.
    pub is_second: bool,
}

/// Finds what this officer is to consent to.
pub async fn prepare(
    desk: &mut Desk<'_>,
    said: &Said,
    prospect: &Prospect,
    is_urgent: bool,
    officer: u32,
) -> Result<Prepared, CommandError> {
    let mut drafts = desk.session.drafts(&desk.handle).await?;
    let chosen = match &said.package {
        Some(text) => {
            let names = |draft: &Draft| vec![draft.id.clone(), draft.manifest.package_hash().to_string()];
            let found = by_prefix(&drafts, text, names).map(|draft| draft.id.clone());
            Some(found.ok_or_else(|| CommandError::told(Exit::Refused, "error-no-draft", &[]))?)
        }
        None => None,
    };
    let take = |drafts: &mut Vec<Draft>, id: &str| {
        let at = drafts.iter().position(|draft| draft.id == id)?;
        Some(drafts.swap_remove(at))
    };
    let now = system_clock()();
    let waiting = desk.session.waiting_consent(prospect).await?.filter(|shown| {
        let package = chosen.as_ref().and_then(|id| drafts.iter().find(|draft| draft.id == *id));
        let is_chosen = package.is_none_or(|draft| draft.manifest.package_hash() == shown.terms.package);
        let is_kind = (shown.terms.kind == ConsentKind::Urgent) == is_urgent;
        shown.terms.until_ms > now && is_chosen && is_kind
    });
    if let Some(shown) = waiting {
        let held = prospect.case.ledger().consent(&shown.terms.id());
        if held.is_some_and(|held| held.given.iter().any(|given| given.number == officer)) {
            return Err(HandoverError::Case(ConsentRefused::SameOfficer.into()).into());
        }
        let draft = drafts.iter().position(|draft| draft.manifest.is_of(&shown.terms)).map(|at| drafts.swap_remove(at));
        if draft.is_none() && shown.terms.kind != ConsentKind::Journal {
            // Nobody consents to values that cannot be shown.
            return Err(CommandError::told(Exit::Refused, "error-no-draft", &[]));
        }
        return Ok(Prepared { shown, draft, is_second: true });
    }
    let until_ms = now.saturating_add(said.until.unwrap_or(Duration::DEFAULT).0);
    let is_joint = prospect.case.offer().is_some_and(|offer| offer.outcome == Outcome::Joint);
    let wants_journal =
        !is_urgent && chosen.is_none() && (said.purpose_text.is_some() || (is_joint && drafts.is_empty()));
    if wants_journal {
        let purpose = purpose(said)?;
        let shown = desk.session.journal_terms(prospect, purpose, until_ms).map_err(HandoverError::from)?;
        return Ok(Prepared { shown, draft: None, is_second: false });
    }
    let id = match (chosen, &drafts[..]) {
        (Some(id), _) => id,
        (None, [only]) if !is_joint => only.id.clone(),
        _ => return Err(CommandError::told(Exit::Refused, "error-which-draft", &[])),
    };
    let draft = take(&mut drafts, &id).ok_or_else(|| CommandError::told(Exit::Refused, "error-no-draft", &[]))?;
    let kind = if is_urgent { ConsentKind::Urgent } else { ConsentKind::Parcel };
    let shown = desk.session.terms_of(prospect, &draft, kind, until_ms).map_err(HandoverError::from)?;
    Ok(Prepared { shown, draft: Some(draft), is_second: false })
}

/// The purpose that the options state.
pub fn purpose(said: &Said) -> Result<Purpose, CommandError> {
    let (Some(text), Some(offence), Some(legal_basis)) = (&said.purpose_text, &said.offence, &said.legal_basis) else {
        return Err(CommandError::told(Exit::Usage, "error-purpose", &[]));
    };
    let (text, offence, legal_basis) = (text.clone(), offence.clone(), legal_basis.clone());
    let purpose = Purpose { text, offence, legal_basis, reference: said.reference.clone() };
    purpose.check().map_err(HandoverError::from)?;
    Ok(purpose)
}
