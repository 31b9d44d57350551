//! The two signatures under a disclosure, looked at once more, from the acts that gave them and without the kernel's ledger
//! (R30).
//!
//! If the kernel were wrong, in this program or in the one that sealed, this would show it. Caller: `fold`. *Not here:* the
//! manual.

use super::{Members, Said};
use protocol::act::{Content, Statement};
use protocol::codec;
use protocol::consent::{ConsentKind, MAX_CONSENT_MS, Terms, key_hash};
use protocol::identity;
use protocol::name::UnitName;
use protocol::officer::{Certificate, OfficerRole, Officers};
use protocol::{Bytes, Hash, label};

/// Whether two officers of the unit that discloses have consented to exactly this, in time.
pub(super) fn check(
    members: &Members,
    officers: &Officers,
    history: &[Said<'_>],
    consent: &Hash,
    package: Option<Hash>,
    (discloses, entry): (&Statement, u64),
) -> Result<(), &'static str> {
    let given: Vec<(&Terms, u32, &Bytes<64>, u64)> =
        history.iter().filter_map(|said| signature_of(said, consent, &discloses.unit)).collect();
    let [(terms, one, first, since), (_, two, second, _)] = given[..] else { return Err("disclosure-consents") };
    let other = if discloses.unit == discloses.low { &discloses.high } else { &discloses.low };
    let exactly = terms.federation == members.federation
        && terms.accord == discloses.accord
        && terms.handle == discloses.handle
        && terms.provider == discloses.unit
        && terms.recipient == *other
        && package.is_none_or(|package| package == terms.package)
        && package.is_some() == (terms.kind != ConsentKind::Journal);
    if !exactly {
        return Err("disclosure-terms");
    }
    // The recipient's key when it was consented to, or when it was sealed: its keys may have changed between the two.
    let keys = [since, entry].into_iter().filter_map(|entry| members.keys_at(other, entry));
    if !keys.map(|keys| key_hash(&keys.sealing.0)).any(|key| key == terms.recipient_key) {
        return Err("disclosure-recipient-key");
    }
    if terms.until_ms <= discloses.at_ms || terms.until_ms > discloses.at_ms.saturating_add(MAX_CONSENT_MS) {
        return Err("disclosure-late");
    }
    let standing = |number| officers.in_standing(&discloses.unit, number).ok_or("disclosure-officers");
    let (a, b) = (standing(one)?, standing(two)?);
    let needed = if terms.kind == ConsentKind::Urgent { OfficerRole::Head } else { OfficerRole::LegalOfficer };
    if one == two || a.key == b.key || ![a.role, b.role].contains(&needed) {
        return Err("disclosure-officers");
    }
    if signed(terms, a, first) && signed(terms, b, second) { Ok(()) } else { Err("disclosure-signature") }
}

fn signature_of<'s>(
    said: &'s Said<'_>,
    consent: &Hash,
    provider: &UnitName,
) -> Option<(&'s Terms, u32, &'s Bytes<64>, u64)> {
    let act = said.act.as_ref()?;
    let Content::Consent(terms) = &act.statement.content else { return None };
    let officer = act.officer.as_ref()?;
    let fits = terms.id() == *consent && act.statement.unit == *provider;
    fits.then_some((terms, officer.number, officer.consent.as_ref()?, said.entry))
}

fn signed(terms: &Terms, officer: &Certificate, signature: &Bytes<64>) -> bool {
    let label = match terms.kind {
        ConsentKind::Parcel => label::CONSENT,
        ConsentKind::Urgent => label::URGENT_CONSENT,
        ConsentKind::Journal => label::JOURNAL_CONSENT,
    };
    identity::verify(&officer.key, label, &codec::encode(terms), signature)
}
