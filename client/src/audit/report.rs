//! What an audit says: for people through the command, for programs as JSON.
//!
//! Times are given twice: in milliseconds since the Unix epoch, and as UTC text. Codes are stable names. Callers: `verify`
//! and its steps make it, `sutura audit` shows it. *Not here:* words, and values: fields have names only.

use serde::Serialize;

/// A moment: milliseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub u64);

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match moment {
            Some(moment) => write!(f, "{}", moment.strftime("%Y-%m-%d %H:%M:%S UTC")),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Moment", 2)?;
        out.serialize_field("ms", &self.0)?;
        out.serialize_field("utc", &self.to_string())?;
        out.end()
    }
}

/// All of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// The federation's name.
    pub federation: String,
    /// The unit whose bundle it is.
    pub unit: String,
    /// When the bundle was made, by the unit's clock.
    pub made: Moment,
    /// Whether everything verifies: no finding.
    pub verified: bool,
    /// Whether nothing was disclosed.
    pub nil: bool,
    /// What does not verify.
    pub findings: Vec<Finding>,
    /// What a legal officer must look at.
    pub exceptions: Vec<Exception>,
    /// What was disclosed, in the order of the log.
    pub disclosures: Vec<Disclosure>,
    /// What the unit objected to, in the order of the log.
    pub objections: Vec<Objection>,
    /// What the audit saw, and did not see.
    pub coverage: Coverage,
    /// Fingerprints, for comparing over another channel.
    pub keys: Vec<Key>,
}

/// Something that does not verify.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The rule.
    pub code: String,
    /// Where.
    #[serde(rename = "where")]
    pub place: String,
}

/// Findings as they are made.
#[derive(Default)]
pub(super) struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn add(&mut self, code: &str, place: impl Into<String>) {
        self.0.push(Finding { code: code.to_owned(), place: place.into() });
    }
}

/// Something to look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Exception {
    /// What it is.
    pub code: String,
    /// Where.
    #[serde(rename = "where")]
    pub place: String,
    /// More of it: a time, an officer, a code.
    pub detail: String,
}

/// An officer who signed something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Signed {
    /// The unit.
    pub unit: String,
    /// The officer's number; `None`: the unit's agent, or time.
    pub officer: Option<u32>,
    /// The role.
    pub role: Option<String>,
    /// The name, as the officer gave it under the certificate's commitment.
    pub name: Option<String>,
    /// When.
    pub at: Moment,
}

/// One of the two signatures under a disclosure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Consent {
    /// Who.
    #[serde(flatten)]
    pub by: Signed,
    /// What the officer attested, by the manual's codes.
    pub attestations: Vec<String>,
}

/// A field that was handed over, without its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fields {
    /// Its name.
    pub name: String,
    /// Whom it is about.
    pub category: String,
    /// The handling codes.
    pub handling: Vec<String>,
    /// The restriction of code H3.
    pub restriction: Option<String>,
    /// How reliable the source is.
    pub source: String,
    /// How far it is confirmed.
    pub information: String,
    /// Fact or assessment.
    pub nature: String,
    /// Why the recipient needs it.
    pub necessity: String,
    /// Text or file.
    pub kind: String,
}

/// An opening by an officer of the unit whose bundle it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reading {
    /// Who.
    #[serde(flatten)]
    pub by: Signed,
    /// Why, in the officer's words.
    pub why: String,
    /// The number of the copy that was made, if one was.
    pub copy: Option<u32>,
}

/// A copy outside the vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Copy {
    /// From 1.
    pub number: u32,
    /// The officer who made it.
    pub officer: u32,
    /// When.
    pub at: Moment,
    /// When it was destroyed, as an officer said.
    pub deleted: Option<Moment>,
}

/// That a parcel was recalled, sent back, or fell to a limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Recall {
    /// By whom; the unit is `@time` for a limit.
    #[serde(flatten)]
    pub by: Signed,
    /// The code of the reason.
    pub reason: Option<String>,
    /// Until when deletion receipts are due.
    pub due: Option<Moment>,
}

/// A deletion receipt for one copy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Deletion {
    /// Who signed.
    #[serde(flatten)]
    pub by: Signed,
    /// 0: the vault's own; from 1: copies.
    pub copy: u32,
    /// When the copy was deleted, as the receipt says.
    pub deleted: Moment,
}

/// A step of the procedure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EventLine {
    /// The manual's word.
    pub event: String,
    /// By whom.
    #[serde(flatten)]
    pub by: Signed,
    /// What was offered.
    pub offer: Option<String>,
    /// The code of the reason.
    pub reason: Option<String>,
    /// The state that followed.
    pub state: String,
    /// The entry of the log.
    pub entry: u64,
    /// Whether its place in the log is proven.
    pub proven: bool,
}

/// The manual of a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Manual {
    /// Hash of the accord that holds it.
    pub accord: String,
    /// Its version.
    pub version: String,
    /// Who signed the accord.
    pub signed: Vec<String>,
}

/// That something stands in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proof {
    /// The index of its entry.
    pub entry: u64,
    /// Size of the checkpoint that the proof leads to.
    pub checkpoint: u64,
    /// The units that cosigned it.
    pub witnesses: Vec<String>,
}

/// Something that was disclosed: a parcel, or one unit's entries in a joint journal.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Disclosure {
    /// The overlap.
    pub overlap: String,
    /// `parcel`, `urgent` or `journal`.
    pub kind: String,
    /// Who disclosed.
    pub from: String,
    /// To whom.
    pub to: String,
    /// `given` or `received`, as the unit of the bundle sees it.
    pub direction: String,
    /// Hash of the package; `None` for a journal.
    pub package: Option<String>,
    /// What names the consent.
    pub consent: String,
    /// The two who consented.
    pub consents: Vec<Consent>,
    /// Who sealed; who wrote the first entry of a journal.
    pub sealed: Signed,
    /// Entries of the journal.
    pub entries: Option<u64>,
    /// The last entry of the journal.
    pub last_entry: Option<Moment>,
    /// Who accepted the conditions.
    pub conditions: Option<Signed>,
    /// Who signed the receipt.
    pub receipt: Option<Signed>,
    /// The purpose.
    pub purpose: Option<String>,
    /// The offence.
    pub offence: Option<String>,
    /// The legal basis.
    pub legal_basis: Option<String>,
    /// The magistrate's reference.
    pub reference: Option<String>,
    /// The threat to life, of an urgent one.
    pub threat: Option<String>,
    /// The fields, without values.
    pub fields: Vec<Fields>,
    /// Openings, where the unit of the bundle is the recipient.
    pub readings: Vec<Reading>,
    /// Copies, where the unit of the bundle is the recipient.
    pub copies: Vec<Copy>,
    /// Whether it was recalled.
    pub recall: Option<Recall>,
    /// Receipts for deleted copies.
    pub deletions: Vec<Deletion>,
    /// Who validated an urgent one.
    pub validation: Option<Signed>,
    /// How long after sealing, in seconds.
    pub validation_delay_s: Option<u64>,
    /// Accord and manual.
    pub manual: Manual,
    /// Everything that was done in the case.
    pub chain: Vec<EventLine>,
    /// The place of the sealing act in the log.
    pub proof: Option<Proof>,
    /// Whether the place of every act that it hangs on is proven.
    pub proven: bool,
}

/// Something of the other unit's that broke a guard of the parties.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Objection {
    /// The overlap.
    pub overlap: String,
    /// The entry of the log.
    pub entry: u64,
    /// The guard.
    pub code: String,
    /// Who let the unit go on; `None`: it stands.
    pub lifted: Option<Lifted>,
}

/// That an objection was lifted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Lifted {
    /// Who.
    #[serde(flatten)]
    pub by: Signed,
    /// Why, in the officer's words.
    pub why: String,
}

/// The numbers of matching with a peer: the unit's own word.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unit {
    /// The peer.
    pub unit: String,
    /// Whether its keys were verified by officers.
    pub verified: bool,
    /// Points evaluated for it in the epoch.
    pub evaluated: u64,
    /// At most.
    pub quota: u64,
    /// Own tokens that it evaluated.
    pub compared: u64,
    /// Overlaps with it.
    pub overlaps: u64,
}

/// What the audit saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Coverage {
    /// Size of the log at the last checkpoint that the unit accepted.
    pub log_size: u64,
    /// Checkpoints that verify.
    pub checkpoints: usize,
    /// Cases.
    pub cases: usize,
    /// Acts and limits in them.
    pub acts: usize,
    /// Certificates and revocations of officers.
    pub officer_entries: usize,
    /// Entries that are newer than the last checkpoint.
    pub without_proof: Vec<u64>,
    /// The epoch of the numbers below.
    pub epoch: Option<u32>,
    /// Matching.
    pub peers: Vec<Unit>,
}

/// A fingerprint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Key {
    /// A unit, or `@broker`.
    pub of: String,
    /// Of its public keys.
    pub fingerprint: String,
    /// The entry of the log from which other keys hold; `None`: these hold now.
    pub until: Option<u64>,
}
