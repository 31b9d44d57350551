//! An act of the manual: prepared from what was said, shown in words, agreed to, then signed and queued.
//!
//! Nothing is signed without a yes: on a terminal, or by `--yes`. What the kernel or the manual refuses ends with exit code
//! 4 and the rule in words. The act goes out with `sutura sync`, and counts once it is in the log. *Not here:* what people
//! are shown (`preview`), and what a consent is over (`consent`).

use super::consent::{self, Prepared as PreparedConsent};
use super::{Desk, Said, Side, choices, preview, words};
use crate::agent::{CaseworkError, Prospect};
use crate::command::{CommandError, Exit};
use crate::officers::OwnOfficer;
use crate::say;
use crate::session::{ConsentShown, HandoverError, Signatory, system_clock};
use crate::terminal::printable;
use protocol::Hash;
use protocol::act::{Act, Content, Outcome};
use protocol::consent::Parcel;
use protocol::manual::{Asks, Carries, Transition};
use protocol::matter::{MAX_ENTRY, MAX_NOTE, Matter};
use protocol::message::Head;
use protocol::officer::OfficerRole;
use protocol::package::{
    Category, ContentKind, FieldLine, HandlingCode, InformationCode, MAX_FIELD_NAME, Nature, SourceCode,
};
use serde_json::json;

/// What is to be signed; some of it can be made only after the officer has agreed.
pub enum Plan {
    /// The content as it is.
    Say(Box<Content>),
    /// Seal the package of this consent first.
    Seal(Hash),
    /// Note first that every copy is destroyed.
    Delete,
    /// Put an entry into the journal, which takes verified consent.
    Journal(String),
}

impl Plan {
    fn say(content: Content) -> Plan {
        Plan::Say(Box::new(content))
    }

    /// The content, if it is known before the officer has agreed.
    pub fn content(&self) -> Option<&Content> {
        match self {
            Plan::Say(content) => Some(content),
            _ => None,
        }
    }
}

/// An act before it is agreed to.
pub struct Prepared {
    /// What is signed.
    pub plan: Plan,
    /// What the peer's officers will read.
    pub matter: Matter,
    /// The consent that it carries.
    pub consent: Option<PreparedConsent>,
    /// What the parcel that it is about was consented to as.
    pub parcel: Option<ConsentShown>,
}

/// Runs it.
pub async fn run(desk: &mut Desk<'_>, event: &str, said: &Said) -> Result<Exit, CommandError> {
    let prospect = desk.session.prospect(&desk.handle).map_err(HandoverError::from)?;
    let step = allowed(desk, &prospect, event)?.clone();
    if let Some(option) = said.unused(&used(&step)) {
        return Err(CommandError::told(Exit::Usage, "error-option-unused", &[("option", option)]));
    }
    let officer = desk.officer(said, &choices::roles_now(&prospect.case, &step, &desk.me)).await?;
    let prepared = prepare(desk, said, &prospect, &step, &officer).await?;
    preview::show(desk, &officer, &prospect, &step, &prepared);
    desk.agree(said, choices::gives(step.carries) && step.carries != Carries::Offer)?;
    let unlocked = desk.unlock(&officer).await?;
    let Prepared { plan, mut matter, consent, .. } = prepared;
    let content = match plan {
        Plan::Say(content) => *content,
        Plan::Seal(consent) => Content::Parcel(Box::new(desk.session.seal(&desk.handle, &consent).await?)),
        Plan::Delete => {
            let handle = desk.handle;
            let receipts = desk.session.act(|agent, now| {
                agent.copies_destroyed(&handle, now)?;
                Ok::<_, CaseworkError>(agent.deletion_receipts(&handle, now))
            });
            let receipts = receipts.await?.map_err(HandoverError::from)?;
            matter.copies =
                receipts.ok_or_else(|| CommandError::told(Exit::Refused, "error-nothing-to-delete", &[]))?;
            Content::Deletion
        }
        Plan::Journal(entry) => {
            let given = desk.session.agent().journal_given(&desk.handle, system_clock()());
            let given = given.map_err(HandoverError::from)?;
            matter.write_entry(&given, entry).map_err(|error| HandoverError::Case(error.into()))?;
            Content::Journal
        }
    };
    let by = Signatory { number: unlocked.number, key: &unlocked.key, name: &unlocked.name };
    desk.session.sign_act(by, &desk.handle, event, content, matter).await?;
    let consent = consent.map(|consent| consent.shown.terms.id().to_string());
    if desk.context.json {
        desk.context.give(&json!({
            "overlap": desk.handle.to_string(), "event": event, "officer": officer.number,
            "role": officer.role.name(), "consent": consent,
        }));
    } else {
        let act = words::word("act", event, &desk.context.messages);
        desk.context.terminal.data(&say!(desk.context.messages, "act-signed", act = act, overlap = desk.short()));
    }
    Ok(Exit::Done)
}

/// The manual's step, if this unit may take it at all.
fn allowed<'p>(desk: &Desk<'_>, prospect: &'p Prospect, event: &str) -> Result<&'p Transition, CommandError> {
    let refuse = |error: CaseworkError| CommandError::from(HandoverError::Case(error));
    let peers = desk.session.agent().view().peers;
    if !peers.iter().any(|peer| peer.name == prospect.peer && peer.verified) {
        return Err(refuse(CaseworkError::NotVerified));
    }
    if prospect.pending {
        return Err(refuse(CaseworkError::Pending));
    }
    let step = prospect.case.find_step(&prospect.manual, &desk.me, event).map_err(|error| refuse(error.into()))?;
    let gives = choices::gives(step.carries);
    // What does not surface by the accord's rules is nobody's business yet (R19). Of a case that is open all the same,
    // this unit may still answer, take back and delete.
    if !desk.shown.surfaced && (gives || !prospect.is_open) {
        return Err(CommandError::told(Exit::Forbidden, "error-below-threshold", &[]));
    }
    match prospect.objections.first() {
        Some(objected) if gives && step.carries != Carries::Offer => {
            Err(refuse(CaseworkError::Objection(objected.code.clone())))
        }
        _ => Ok(step),
    }
}

/// The options that mean something for a step.
fn used(step: &Transition) -> Vec<&'static str> {
    let mut used = vec!["as", "yes", "note", "reason"];
    match step.carries {
        Carries::Offer => used.extend(["outcome", "provider", "field"]),
        Carries::Consent => used.extend(["package", "until", "purpose-text"]),
        Carries::UrgentConsent => used.extend(["package", "until"]),
        Carries::Parcel | Carries::Conditions | Carries::Receipt | Carries::Validation => used.push("package"),
        Carries::Deletion => used.push("all-copies-destroyed"),
        Carries::Journal => used.push("entry"),
        Carries::Nothing | Carries::Recall => {}
    }
    for ask in &step.asks {
        used.push(match ask {
            Asks::Reason => "reason",
            Asks::Threat => "threat",
            Asks::Fields => "field",
            Asks::Purpose => "purpose-text",
            Asks::Attestations => "attest",
        });
    }
    used
}

async fn prepare(
    desk: &mut Desk<'_>,
    said: &Said,
    prospect: &Prospect,
    step: &Transition,
    officer: &OwnOfficer,
) -> Result<Prepared, CommandError> {
    let mut matter = desk.session.matter();
    let (mut consent, mut parcel) = (None, None);
    let now = system_clock()();
    let plan = match step.carries {
        Carries::Nothing => Plan::say(Content::Nothing),
        Carries::Offer => Plan::say(offer(desk, said)?),
        Carries::Consent | Carries::UrgentConsent => {
            let is_urgent = step.carries == Carries::UrgentConsent;
            let made = consent::prepare(desk, said, prospect, is_urgent, officer.number).await?;
            matter.openings = Some(made.shown.openings.clone());
            Plan::say(Content::Consent(consent.insert(made).shown.terms.clone()))
        }
        Carries::Parcel => {
            let mut held = choices::sealable(&prospect.case, &desk.me, now);
            held.retain(|held| is_named(said, &held.terms.package));
            let [only] = &held[..] else { return Err(which(held.len(), "error-no-consent")) };
            let id = only.terms.id();
            parcel = desk.session.consent_shown(&desk.peer, &desk.handle, &id).await?;
            Plan::Seal(id)
        }
        Carries::Conditions | Carries::Receipt | Carries::Validation => {
            let found = pick(desk, said, prospect, step.carries)?;
            let package = found.package;
            parcel = desk.session.consent_shown(&desk.peer, &desk.handle, &found.consent).await?;
            if step.carries == Carries::Receipt && !desk.session.agent().has_come(&desk.handle, &package) {
                return Err(CommandError::told(Exit::Refused, "error-still-coming", &[]));
            }
            Plan::say(match step.carries {
                Carries::Conditions => Content::Conditions(package),
                Carries::Receipt => Content::Receipt(package),
                _ => Content::Validation(package),
            })
        }
        Carries::Recall => Plan::say(Content::Recall),
        Carries::Deletion => {
            destroyed(desk, said)?;
            Plan::Delete
        }
        Carries::Journal => Plan::Journal(entry(said)?),
    };
    matter.note = said.note.clone().map(short).transpose()?;
    matter.reason = reason(desk, said, prospect, step)?;
    for ask in &step.asks {
        match ask {
            Asks::Reason => {}
            Asks::Threat => matter.threat = Some(threat(desk, said).await?),
            Asks::Fields => matter.fields = fields(said, &plan)?,
            Asks::Purpose => matter.purpose = Some(consent::purpose(said)?),
            Asks::Attestations => matter.attestations = attestations(desk, said, prospect, officer)?,
        }
    }
    Ok(Prepared { plan, matter, consent, parcel })
}

fn offer(desk: &Desk<'_>, said: &Said) -> Result<Content, CommandError> {
    let usage = |key| CommandError::told(Exit::Usage, key, &[]);
    let outcome = said.outcome.ok_or_else(|| usage("error-outcome"))?;
    let provider = match (outcome, said.provider) {
        (Outcome::Handover, Some(Side::Us)) => Some(desk.me.clone()),
        (Outcome::Handover, Some(Side::Them)) => Some(desk.peer.clone()),
        (Outcome::Handover, None) => return Err(usage("error-provider")),
        (_, Some(_)) => return Err(usage("error-provider-unused")),
        (_, None) => None,
    };
    Ok(Content::Offer(outcome, provider))
}

/// The fields of an offer. What is not known yet is said so: unknown category, not before a court and not passed on (H1,
/// H2), source that cannot be assessed (X), not corroborated (4). The package itself says it exactly.
fn fields(said: &Said, plan: &Plan) -> Result<Vec<FieldLine>, CommandError> {
    let names_data = !matches!(plan.content(), Some(Content::Offer(Outcome::Separate | Outcome::Joint, _)));
    if said.field.is_empty() && names_data {
        return Err(CommandError::told(Exit::Usage, "error-fields", &[]));
    }
    let line = |name: &String| {
        let name = name.trim();
        if name.is_empty() || name.len() > MAX_FIELD_NAME || printable(name) != name {
            return Err(CommandError::told(Exit::Usage, "error-field-name", &[("name", &printable(name))]));
        }
        Ok(FieldLine {
            name: name.to_owned(),
            category: Category::Unknown,
            handling: vec![HandlingCode::H1, HandlingCode::H2],
            restriction: None,
            source: SourceCode::X,
            information: InformationCode::Four,
            nature: Nature::Fact,
            necessity: said.note.clone().unwrap_or_default(),
            kind: ContentKind::Text,
        })
    };
    said.field.iter().map(line).collect()
}

fn reason(
    desk: &Desk<'_>,
    said: &Said,
    prospect: &Prospect,
    step: &Transition,
) -> Result<Option<String>, CommandError> {
    let known = prospect.manual.reasons();
    match &said.reason {
        None if !step.asks.contains(&Asks::Reason) => Ok(None),
        Some(code) if known.contains(code) => Ok(Some(code.clone())),
        _ => Err(codes("error-reason", "reason", known, desk)),
    }
}

/// A complaint that lists all codes with their words.
fn codes(key: &'static str, group: &str, known: &[String], desk: &Desk<'_>) -> CommandError {
    let messages = &desk.context.messages;
    let listed: Vec<String> =
        known.iter().map(|code| format!("\n  {} – {}", printable(code), words::word(group, code, messages))).collect();
    CommandError::told(Exit::Usage, key, &[("codes", &listed.concat())])
}

/// What the legal officer attests: each of the manual's codes, said or agreed to one by one. Others need not.
fn attestations(
    desk: &Desk<'_>,
    said: &Said,
    prospect: &Prospect,
    officer: &OwnOfficer,
) -> Result<Vec<String>, CommandError> {
    let known = prospect.manual.attestations();
    let all = said.attest.iter().any(|code| code == "all");
    let attested: Vec<String> = known.iter().filter(|code| all || said.attest.contains(code)).cloned().collect();
    let is_known = |code: &String| code == "all" || known.contains(code);
    let is_short = officer.role == OfficerRole::LegalOfficer && attested.len() < known.len();
    if !said.attest.iter().all(is_known) || (is_short && !(said.attest.is_empty() && desk.context.terminal.interactive))
    {
        return Err(codes("error-attest", "attestation", known, desk));
    }
    if !is_short {
        return Ok(attested);
    }
    let (messages, terminal) = (&desk.context.messages, &desk.context.terminal);
    let word = messages.text("yes");
    for code in known {
        let attestation = words::word("attestation", code, messages);
        let prompt = say!(messages, "ask-attest", attestation = attestation, word = word.as_str());
        if !terminal.ask_to_type(&prompt, &word) {
            return Err(CommandError::told(Exit::Refused, "error-not-agreed", &[]));
        }
    }
    Ok(known.to_vec())
}

/// The threat, as said; for the second officer of the unit, as the last act of this case stated it.
async fn threat(desk: &Desk<'_>, said: &Said) -> Result<String, CommandError> {
    if let Some(text) = &said.threat {
        return short(text.clone());
    }
    let history = desk.session.history(&desk.peer, &desk.handle).await?;
    let stated = history.into_iter().rev().find_map(|entry| {
        let ours = Act::from_bytes(&entry.head).is_ok_and(|act| act.statement.unit == desk.me);
        entry.matter.filter(|_| ours).and_then(|matter| matter.threat)
    });
    stated.ok_or_else(|| CommandError::told(Exit::Usage, "error-threat", &[]))
}

fn short(text: String) -> Result<String, CommandError> {
    if text.trim().is_empty() || text.len() > MAX_NOTE {
        return Err(CommandError::told(Exit::Usage, "error-text-length", &[("most", &MAX_NOTE.to_string())]));
    }
    Ok(text)
}

fn entry(said: &Said) -> Result<String, CommandError> {
    let text = match (&said.entry, &said.entry_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            let unreadable = |why: String| {
                let path = printable(&path.display().to_string());
                CommandError::told(Exit::Refused, "error-file", &[("path", &path), ("why", &why)])
            };
            let length = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
            match length <= MAX_ENTRY as u64 {
                true => std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?,
                false => String::new(),
            }
        }
        (None, None) => String::new(),
    };
    if text.trim().is_empty() || text.len() > MAX_ENTRY {
        return Err(CommandError::told(Exit::Usage, "error-entry", &[("most", &MAX_ENTRY.to_string())]));
    }
    Ok(text)
}

fn destroyed(desk: &Desk<'_>, said: &Said) -> Result<(), CommandError> {
    if said.all_copies_destroyed {
        return Ok(());
    }
    let (messages, terminal) = (&desk.context.messages, &desk.context.terminal);
    let copies = desk.session.agent().copies(&desk.handle).iter().filter(|copy| copy.deleted_ms.is_none()).count();
    let word = messages.text("yes");
    let prompt = say!(messages, "ask-destroyed", copies = copies, word = word.as_str());
    if terminal.ask_to_type(&prompt, &word) {
        Ok(())
    } else {
        Err(CommandError::told(Exit::Refused, "error-destroyed", &[]))
    }
}

/// The one parcel that an act can be about.
pub(super) fn pick<'p>(
    desk: &Desk<'_>,
    said: &Said,
    prospect: &'p Prospect,
    carries: Carries,
) -> Result<&'p Parcel, CommandError> {
    let mut found = choices::parcels(&prospect.case, carries, &desk.me);
    found.retain(|parcel| is_named(said, &parcel.package));
    match found[..] {
        [only] => Ok(only),
        _ => Err(which(found.len(), "error-no-parcel")),
    }
}

fn is_named(said: &Said, package: &Hash) -> bool {
    said.package.as_ref().is_none_or(|text| {
        let text = text.to_ascii_lowercase();
        text.len() >= 4 && package.to_string().starts_with(&text)
    })
}

pub(super) fn which(found: usize, none: &'static str) -> CommandError {
    match found {
        0 => CommandError::told(Exit::Forbidden, none, &[]),
        _ => CommandError::told(Exit::Usage, "error-which-package", &[]),
    }
}
