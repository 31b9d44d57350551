//! A handover from end to end, as two units do it: pack, consent, seal, accept the conditions, receive, open (R30 to R32).
//!
//! Callers: what follows a match ([`crate::outcomes`]), the misbehaviours, and tests. *Not here:* what led to it.

use crate::talks::{Side, Talks, field};
use anyhow::{Context, Result, ensure};
use client::session::{ConsentShown, Draft, DraftContent, DraftItem, system_clock};
use protocol::Hash;
use protocol::act::Content;
use protocol::consent::ConsentKind;
use protocol::matter::Matter;
use protocol::officer::OfficerRole;
use protocol::package::{self, ContentKind, Purpose};
use protocol::parcel::Piece;
use rand_core::Rng;
use std::path::Path;

/// Bytes of an attached file: more than one part of a parcel, and no multiple of one.
pub const ATTACHED: usize = 3 << 19;

/// The name under which the recipient sees an attached file.
pub const FILE_NAME: &str = "photographie-entrepot.jpg";
/// A free text of the exercise's packages.
pub const NOTE: &str = "Seen twice at the depot in Rosso; travels with a second person, unknown to us.";
/// What an urgent statement says.
pub const THREAT: &str = "Eleven people are locked in a lorry without air; the driver has fled.";

/// Name and value of each field.
pub type Texts = Vec<(String, String)>;

/// What is in a package: to compare what was packed with what was opened.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// The fields.
    pub texts: Texts,
    /// Name and bytes of each file.
    pub files: Vec<(String, Vec<u8>)>,
}

/// A package that was packed.
pub struct Packed {
    /// The draft in the provider's vault.
    pub draft: Draft,
    /// What is in it.
    pub contents: Contents,
}

/// The purpose of the exercise's handovers.
pub fn purpose() -> Purpose {
    Purpose {
        text: "Identify the organiser of the transports through Rosso".to_owned(),
        offence: "Smuggling of persons".to_owned(),
        legal_basis: "Convention on mutual legal assistance, article 7".to_owned(),
        reference: Some("2026/114".to_owned()),
    }
}

/// When a consent of the exercise ends.
pub fn until_ms() -> u64 {
    system_clock()() + 24 * 3_600_000
}

/// The fields of the provider's own record that a package takes over.
const FIELDS: [&str; 6] = ["surname", "given_names", "birth_date", "phone", "organisation_name", "plate"];

/// Puts a package together: fields of the record, a free text, and a file of random bytes, if `attached` names a place
/// where it can lie.
pub async fn pack(talks: &mut Talks<'_>, from: Side, note: &str, attached: Option<&Path>) -> Result<Packed> {
    pack_only(talks, from, note, attached, &FIELDS.map(str::to_owned)).await
}

/// Puts a package together as [`pack`] does, with no other field of the record than these.
pub async fn pack_only(
    talks: &mut Talks<'_>,
    from: Side,
    note: &str,
    attached: Option<&Path>,
    fields: &[String],
) -> Result<Packed> {
    let (handle, prospect) = (talks.handle, talks.prospect(from)?);
    let session = &mut talks.unit(from).session;
    let (_, overlap) = session.agent().overlap(&handle).context("the overlap is known")?;
    let record = session.record_of(&overlap).await?.context("the record is in the register")?;
    let mut contents = Contents::default();
    for cell in record.cells.iter().filter(|cell| fields.contains(&cell.column) && !cell.text.is_empty()) {
        contents.texts.push((cell.column.clone(), cell.text.to_string()));
    }
    contents.texts.push(("note".to_owned(), note.to_owned()));
    let text = |(name, value): &(String, String)| DraftItem {
        line: field(name, ContentKind::Text),
        content: DraftContent::Text(value.clone()),
    };
    let mut items: Vec<DraftItem> = contents.texts.iter().map(text).collect();
    if let Some(folder) = attached {
        let mut bytes = vec![0; ATTACHED];
        rand_core::UnwrapErr(getrandom::SysRng).fill_bytes(&mut bytes);
        let path = folder.join(format!("{handle}.jpg"));
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, &bytes)?;
        contents.files.push((FILE_NAME.to_owned(), bytes));
        let content = DraftContent::File(path, FILE_NAME.to_owned());
        items.push(DraftItem { line: field("photograph", ContentKind::File), content });
    }
    let draft = session.draft(&prospect, purpose(), items).await?;
    Ok(Packed { draft, contents })
}

/// One officer's signature under a consent, with what it is over; a legal officer attests.
pub async fn sign_consent(talks: &mut Talks<'_>, from: Side, role: OfficerRole, shown: &ConsentShown) -> Result<()> {
    let attestations = talks.manual()?.attestations().to_vec();
    let urgent = shown.terms.kind == ConsentKind::Urgent;
    let fill = |matter: &mut Matter| {
        matter.openings = Some(shown.openings.clone());
        if role == OfficerRole::LegalOfficer {
            matter.attestations = attestations;
        }
        if urgent {
            matter.threat = Some(THREAT.to_owned());
        }
    };
    let event = if urgent { "urgent-consent" } else { "consent" };
    talks.act(from, role, event, Content::Consent(shown.terms.clone()), fill).await
}

/// Two officers of `from` consent; the consent's name.
pub async fn consent(talks: &mut Talks<'_>, from: Side, shown: ConsentShown) -> Result<Hash> {
    let roles = match shown.terms.kind {
        ConsentKind::Urgent => [OfficerRole::Head, OfficerRole::Investigator],
        _ => [OfficerRole::Head, OfficerRole::LegalOfficer],
    };
    let id = shown.terms.id();
    sign_consent(talks, from, roles[0], &shown).await?;
    // The second officer signs what the log has of the first one's act, not what the first one handed round.
    let prospect = talks.prospect(from)?;
    let waiting = talks.unit(from).session.waiting_consent(&prospect).await?.context("the consent waits")?;
    ensure!(waiting.terms == shown.terms && waiting.openings == shown.openings, "it is the same consent");
    sign_consent(talks, from, roles[1], &waiting).await?;
    Ok(id)
}

/// Seals the package of a complete consent, and sends all its parts; the package's hash.
pub async fn seal(talks: &mut Talks<'_>, from: Side, role: OfficerRole, consent: &Hash) -> Result<Hash> {
    let handle = talks.handle;
    let head = talks.unit(from).session.seal(&handle, consent).await?;
    let package = head.package;
    talks.act(from, role, "seal", Content::Parcel(Box::new(head)), |_| {}).await?;
    // The parts follow once the act has come back through the log.
    talks.carry(from).await?;
    ensure!(!talks.unit(from).session.agent().is_sending(&handle), "all parts are sent");
    ensure!(talks.unit(from.peer()).session.agent().has_come(&handle, &package), "all parts came");
    Ok(package)
}

/// Packs, consents, seals and sends.
pub async fn hand_over(talks: &mut Talks<'_>, from: Side, packed: &Packed) -> Result<Hash> {
    let prospect = talks.prospect(from)?;
    let session = &mut talks.unit(from).session;
    let shown = session.terms_of(&prospect, &packed.draft, ConsentKind::Parcel, until_ms())?;
    let id = consent(talks, from, shown).await?;
    seal(talks, from, OfficerRole::Investigator, &id).await
}

/// The recipient's legal officer accepts the conditions, and an investigator signs the receipt.
pub async fn receive(talks: &mut Talks<'_>, to: Side, package: &Hash) -> Result<()> {
    talks.act(to, OfficerRole::LegalOfficer, "conditions", Content::Conditions(*package), |_| {}).await?;
    talks.act(to, OfficerRole::Investigator, "receive", Content::Receipt(*package), |_| {}).await
}

/// Opens a package that was received.
pub async fn open(talks: &mut Talks<'_>, to: Side, package: &Hash) -> Result<Contents> {
    let handle = talks.handle;
    let mut contents = Contents::default();
    let mut names = Vec::new();
    let mut sink = |piece: Piece| {
        match piece {
            Piece::Manifest(manifest) => {
                for item in &manifest.items {
                    match &item.content {
                        package::Content::Text(text) => contents.texts.push((item.name.clone(), text.clone())),
                        package::Content::File { name, .. } => names.push(name.clone()),
                    }
                }
            }
            Piece::File { offset, bytes, .. } => {
                if offset == 0 {
                    let name = names.get(contents.files.len()).cloned().unwrap_or_default();
                    contents.files.push((name, Vec::new()));
                }
                if let Some((_, file)) = contents.files.last_mut() {
                    file.extend_from_slice(&bytes);
                }
            }
        }
        Ok(())
    };
    talks.unit(to).session.open_package(&handle, package, &mut sink).await?;
    Ok(contents)
}
