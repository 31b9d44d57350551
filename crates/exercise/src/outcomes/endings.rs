//! The outcomes, act by act. In each, the first side asks and the other one has what is asked for.
//!
//! Caller: [`super::Ending::play`]. Each says whether all came as it should; the state is checked there.

use crate::handover::{NOTE, THREAT, consent, hand_over, open, pack, purpose, receive, seal, until_ms};
use crate::talks::{Side, Talks};
use anyhow::{Context, Result};
use client::agent::Event;
use protocol::Hash;
use protocol::act::{Content, Outcome};
use protocol::consent::ConsentKind;
use protocol::officer::OfficerRole::{Head, Investigator, LegalOfficer};
use std::path::Path;

const ASKED: [&str; 4] = ["surname", "given_names", "phone", "photograph"];

pub(super) async fn separate(talks: &mut Talks<'_>) -> Result<bool> {
    talks.begin().await?;
    talks.agree(Side::One, Outcome::Separate, None, &[]).await?;
    nothing_was_handed_over(talks)
}

pub(super) async fn handed_over(talks: &mut Talks<'_>, attachments: &Path) -> Result<bool> {
    talks.begin().await?;
    talks.agree(Side::One, Outcome::Handover, Some(Side::Other), &ASKED).await?;
    let packed = pack(talks, Side::Other, NOTE, Some(attachments)).await?;
    let package = hand_over(talks, Side::Other, &packed).await?;
    let handle = talks.handle;
    let sealed = talks.unit(Side::One).session.agent().opening_given(&handle, &package, until_ms()).is_err();
    receive(talks, Side::One, &package).await?;
    Ok(sealed && open(talks, Side::One, &package).await? == packed.contents)
}

pub(super) async fn joint(talks: &mut Talks<'_>) -> Result<bool> {
    talks.begin().await?;
    talks.agree(Side::One, Outcome::Joint, None, &[]).await?;
    for side in Side::BOTH {
        let prospect = talks.prospect(side)?;
        let shown = talks.unit(side).session.journal_terms(&prospect, purpose(), until_ms())?;
        consent(talks, side, shown).await?;
    }
    let joined = talks.state()? == "joint";
    let entries = [
        (Side::One, "Our source places the second vehicle at the ferry on Thursdays."),
        (Side::Other, "Seen there on the 12th; the driver's telephone is the one we share."),
    ];
    for (side, entry) in entries {
        write_entry(talks, side, entry).await?;
    }
    let (handle, one) = (talks.handle, talks.unit(Side::One).name.clone());
    let history = talks.unit(Side::Other).session.history(&one, &handle).await?;
    let read: Vec<String> =
        history.iter().filter_map(|entry| Some(entry.matter.as_ref()?.entry()?.to_owned())).collect();
    talks.both(Head, "close").await?;
    Ok(joined && read == entries.map(|(_, entry)| entry))
}

pub(super) async fn refused(talks: &mut Talks<'_>) -> Result<bool> {
    talks.begin().await?;
    let offer = Content::Offer(Outcome::Handover, Some(talks.unit(Side::Other).name.clone()));
    let fields = ASKED.map(|name| crate::talks::field(name, protocol::package::ContentKind::Text)).to_vec();
    talks.act(Side::One, Investigator, "propose", offer, |matter| matter.fields = fields).await?;
    let why = ("jeopardises-investigation", "Not before the arrests; ask again in the spring.");
    talks.because(Side::Other, Head, "refuse", Content::Nothing, why).await?;
    let (handle, other) = (talks.handle, talks.unit(Side::Other).name.clone());
    let history = talks.unit(Side::One).session.history(&other, &handle).await?;
    let matter = history.last().and_then(|entry| entry.matter.as_ref());
    Ok(matter.is_some_and(|matter| matter.reason.as_deref() == Some(why.0)) && nothing_was_handed_over(talks)?)
}

pub(super) async fn false_match(talks: &mut Talks<'_>) -> Result<bool> {
    talks.both(Investigator, "acknowledge").await?;
    let why = ("suspected-false-match", "Same telephone, other name, other year of birth: a shop's telephone.");
    talks.because(Side::One, Investigator, "different", Content::Nothing, why).await?;
    nothing_was_handed_over(talks)
}

pub(super) async fn withdrawn(talks: &mut Talks<'_>, attachments: &Path) -> Result<bool> {
    talks.begin().await?;
    talks.agree(Side::One, Outcome::Handover, Some(Side::Other), &ASKED).await?;
    let packed = pack(talks, Side::Other, NOTE, Some(attachments)).await?;
    let package = hand_over(talks, Side::Other, &packed).await?;
    receive(talks, Side::One, &package).await?;
    let opened = open(talks, Side::One, &package).await? == packed.contents;
    let why = ("magistrate-denied", "The magistrate has quashed the search that the photograph is from.");
    talks.because(Side::Other, LegalOfficer, "withdraw", Content::Recall, why).await?;
    // The recipient's agent destroys and signs by itself; its receipts come back with the next rounds.
    talks.carry(Side::One).await?;

    let handle = talks.handle;
    let closed_to_readers = open(talks, Side::One, &package).await.is_err();
    let unit = talks.unit(Side::One);
    let told = unit.events.iter().any(|event| matches!(event, Event::ContentDestroyed(_, of) if *of == handle));
    let parts = format!("in/{}/{handle}/", talks.unit(Side::Other).name);
    let gone = talks.unit(Side::One).vault.list(&parts).await?.is_empty();
    Ok(opened && closed_to_readers && told && gone && receipts(talks, &package).await? == 1)
}

/// A threat to life, stated before anything else is agreed.
pub(super) async fn urgent(talks: &mut Talks<'_>) -> Result<bool> {
    talks.both(Investigator, "acknowledge").await?;
    let threat = |matter: &mut protocol::matter::Matter| matter.threat = Some(THREAT.to_owned());
    talks.act(Side::One, Investigator, "urgent", Content::Nothing, threat).await?;
    let packed = pack_least(talks).await?;
    let prospect = talks.prospect(Side::Other)?;
    let session = &mut talks.unit(Side::Other).session;
    let shown = session.terms_of(&prospect, &packed.draft, ConsentKind::Urgent, until_ms())?;
    let id = consent(talks, Side::Other, shown).await?;
    let package = seal(talks, Side::Other, Head, &id).await?;
    // The recipient's head accepts an urgent package's conditions: nobody waits for a legal officer.
    talks.act(Side::One, Head, "conditions", Content::Conditions(package), |_| {}).await?;
    talks.act(Side::One, Investigator, "receive", Content::Receipt(package), |_| {}).await?;
    let opened = open(talks, Side::One, &package).await? == packed.contents;
    let attestations = talks.manual()?.attestations().to_vec();
    let attest = |matter: &mut protocol::matter::Matter| matter.attestations = attestations;
    talks.act(Side::Other, LegalOfficer, "validate", Content::Validation(package), attest).await?;
    let case = talks.prospect(Side::One)?.case;
    let validated = case.ledger().parcel(&package).is_some_and(|parcel| parcel.validated_by.is_some());
    Ok(opened && validated)
}

/// The manual's least fields only: no date of birth, no file.
async fn pack_least(talks: &mut Talks<'_>) -> Result<crate::handover::Packed> {
    let least = talks.manual()?.urgent_fields().to_vec();
    let packed = crate::handover::pack_only(talks, Side::Other, NOTE, None, &least).await?;
    anyhow::ensure!(!packed.contents.texts.is_empty(), "something is handed over");
    Ok(packed)
}

async fn write_entry(talks: &mut Talks<'_>, side: Side, entry: &str) -> Result<()> {
    let handle = talks.handle;
    let given = talks.unit(side).session.agent().journal_given(&handle, client::session::system_clock()())?;
    let mut refused = None;
    let fill = |matter: &mut protocol::matter::Matter| refused = matter.write_entry(&given, entry.to_owned()).err();
    talks.act(side, Investigator, "journal", Content::Journal, fill).await?;
    refused.map_or(Ok(()), |error| Err(error).context("an entry of the journal"))
}

fn nothing_was_handed_over(talks: &Talks<'_>) -> Result<bool> {
    let ledger = talks.prospect(Side::One)?.case.ledger().clone();
    Ok(ledger.parcels().is_empty() && ledger.consents().is_empty())
}

/// Deletion receipts for a package that the provider has read.
async fn receipts(talks: &mut Talks<'_>, package: &Hash) -> Result<usize> {
    let (handle, one) = (talks.handle, talks.unit(Side::One).name.clone());
    let history = talks.unit(Side::Other).session.history(&one, &handle).await?;
    let copies = history.iter().filter_map(|entry| entry.matter.as_ref()).flat_map(|matter| &matter.copies);
    Ok(copies.filter(|copy| copy.package == *package).count())
}
