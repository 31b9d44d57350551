//! Acts: what officers do about an overlap, signed (R29 to R33).
//!
//! An act has a public part, which the broker referees by the overlap's handle, and sealed matter ([`crate::matter`]),
//! of which the public part carries a commitment. It is bound to its case, to the case's round (the number of times its
//! state has changed) and to its number among the unit's acts in that case: it counts once, in one state, or not at all.
//! An agent's own acts (deletion receipts) carry no officer's signature; the unit's envelope signs them.
//!
//! Callers: agents, the broker, the audit. *Not here:* whether an act is allowed ([`crate::case`]).

use crate::codec::{self, Bytes, Hash};
use crate::consent::{ParcelHead, Signer, Terms};
use crate::identity;
use crate::label;
use crate::name::UnitName;
use crate::officer::{OfficerKey, Officers};
use crate::overlap::Handle;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// The longest name of an event, in bytes.
pub const MAX_EVENT: usize = 32;

/// What an offer would lead to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Outcome {
    /// Each unit investigates for itself.
    #[n(0)]
    Separate,
    /// One unit hands data over to the other.
    #[n(1)]
    Handover,
    /// Each hands data over to the other.
    #[n(2)]
    Mutual,
    /// They work together.
    #[n(3)]
    Joint,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 4] = [Outcome::Separate, Outcome::Handover, Outcome::Mutual, Outcome::Joint];

    /// The stable name, as manuals and commands write it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Separate => "separate",
            Outcome::Handover => "handover",
            Outcome::Mutual => "mutual",
            Outcome::Joint => "joint",
        }
    }
}

/// A word that names no outcome.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("no such outcome: separate, handover, mutual or joint")]
pub struct NoSuchOutcome;

impl std::str::FromStr for Outcome {
    type Err = NoSuchOutcome;

    fn from_str(text: &str) -> Result<Self, NoSuchOutcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.name() == text).ok_or(NoSuchOutcome)
    }
}

/// What an act carries, beyond its event: exactly what the manual's transition says, or it is refused.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[expect(clippy::large_enum_variant, reason = "an act is read once; a box would only hide its terms")]
pub enum Content {
    /// Nothing.
    #[n(0)]
    Nothing,
    /// An offer, or a counter-offer.
    #[n(1)]
    Offer(#[n(0)] Outcome, #[n(1)] Option<UnitName>),
    /// One officer's signature under a consent.
    #[n(2)]
    Consent(#[n(0)] Terms),
    /// A parcel was sealed; its parts follow.
    #[n(3)]
    Parcel(#[n(0)] Box<ParcelHead>),
    /// The conditions of a package are accepted.
    #[n(4)]
    Conditions(#[n(0)] Hash),
    /// A package is opened.
    #[n(5)]
    Receipt(#[n(0)] Hash),
    /// An urgent package is validated.
    #[n(6)]
    Validation(#[n(0)] Hash),
    /// Consents are taken back, and what the unit gave or got is recalled or sent back.
    #[n(7)]
    Recall,
    /// Every copy of what was recalled is deleted.
    #[n(8)]
    Deletion,
    /// An entry in the joint journal.
    #[n(9)]
    Journal,
}

/// The public part of an act: what the officer signs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Statement {
    /// The federation.
    #[n(0)]
    pub federation: Hash,
    /// The accord whose manual rules the case.
    #[n(1)]
    pub accord: Hash,
    /// The overlap.
    #[n(2)]
    pub handle: Handle,
    /// The two units: low and high.
    #[n(3)]
    pub low: UnitName,
    /// The other one.
    #[n(4)]
    pub high: UnitName,
    /// Who acts.
    #[n(5)]
    pub unit: UnitName,
    /// The case's round.
    #[n(6)]
    pub round: u32,
    /// The number of this act among the unit's acts in the case, from 1.
    #[n(7)]
    pub number: u32,
    /// What is done, in the manual's word.
    #[n(8)]
    pub event: String,
    /// When, in milliseconds since the Unix epoch; never before the case's last act.
    #[n(9)]
    pub at_ms: u64,
    /// What it carries.
    #[n(10)]
    pub content: Content,
    /// Commitment to the sealed matter ([`crate::matter::Matter::commitment`]).
    #[n(11)]
    pub matter: Hash,
}

/// An officer's signature under an act; under a consent too, if the act carries one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct ActSignature {
    /// The officer's number.
    #[n(0)]
    pub number: u32,
    /// Over the statement.
    #[n(1)]
    pub signature: Bytes<64>,
    /// Over the consent's terms, under the label of their kind.
    #[n(2)]
    pub consent: Option<Bytes<64>>,
}

/// An act, as it is sent: the head of its envelope. Rows: the sealed matter.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Act {
    /// What is signed.
    #[n(0)]
    pub statement: Statement,
    /// By whom; `None`: by the unit's agent.
    #[n(1)]
    pub officer: Option<ActSignature>,
}

/// Why an act is refused for its form, before its meaning is looked at.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ActRefused {
    /// Of another federation, or about other units than sender and receiver.
    #[error("the act is about another case")]
    Place,
    /// An event's name that is none.
    #[error("the act's event is malformed")]
    Event,
    /// The officer is unknown or revoked, or did not sign.
    #[error("the act is not signed by an officer in standing")]
    Signature,
    /// A consent without the officer's signature under it, or a signature without a consent.
    #[error("the act's consent is not signed")]
    Consent,
}

impl ActRefused {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            ActRefused::Place => "act-place",
            ActRefused::Event => "act-event",
            ActRefused::Signature => "act-signature",
            ActRefused::Consent => "act-consent",
        }
    }
}

/// An act whose signatures were verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedAct<'a> {
    act: &'a Act,
    signer: Option<Signer>,
}

impl Act {
    /// Signs as an officer.
    pub fn sign(statement: Statement, number: u32, key: &OfficerKey) -> Act {
        let consent = match &statement.content {
            Content::Consent(terms) => Some(terms.sign(key)),
            _ => None,
        };
        let signature = key.sign(label::ACT, &codec::encode(&statement));
        Act { statement, officer: Some(ActSignature { number, signature, consent }) }
    }

    /// An act of the unit's agent.
    pub fn of_agent(statement: Statement) -> Act {
        Act { statement, officer: None }
    }

    /// The link of the case's chain after `before`.
    pub fn link(&self, before: &Hash) -> Hash {
        let mut h = Sha256::new();
        h.update(label::ACT_HASH.as_bytes());
        h.update([0]);
        h.update(before.0);
        h.update(codec::encode(self));
        Bytes(h.finalize().into())
    }

    /// Verifies form and signatures. `sender` is whoever the envelope's signature names.
    ///
    /// # Errors
    /// [`ActRefused`].
    pub fn verify(
        &self,
        federation: &Hash,
        sender: &UnitName,
        officers: &Officers,
    ) -> Result<VerifiedAct<'_>, ActRefused> {
        let said = &self.statement;
        let is_party = said.unit == said.low || said.unit == said.high;
        if said.federation != *federation || said.unit != *sender || said.low >= said.high || !is_party {
            return Err(ActRefused::Place);
        }
        if !is_event(&said.event) {
            return Err(ActRefused::Event);
        }
        let carries_consent = matches!(said.content, Content::Consent(_));
        let Some(signed) = &self.officer else {
            if carries_consent {
                return Err(ActRefused::Consent);
            }
            return Ok(VerifiedAct { act: self, signer: None });
        };
        if carries_consent != signed.consent.is_some() {
            return Err(ActRefused::Consent);
        }
        let certificate = officers.in_standing(sender, signed.number).ok_or(ActRefused::Signature)?;
        if !identity::verify(&certificate.key, label::ACT, &codec::encode(said), &signed.signature) {
            return Err(ActRefused::Signature);
        }
        let signer = Signer { unit: sender.clone(), number: signed.number, role: certificate.role };
        Ok(VerifiedAct { act: self, signer: Some(signer) })
    }
}

impl VerifiedAct<'_> {
    /// The act.
    pub fn act(&self) -> &Act {
        self.act
    }

    /// What was signed.
    pub fn statement(&self) -> &Statement {
        &self.act.statement
    }

    /// Who signed; `None`: the unit's agent.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// The officer's signature under the consent that the act carries.
    pub(crate) fn consent_signature(&self) -> Option<&Bytes<64>> {
        self.act.officer.as_ref()?.consent.as_ref()
    }
}

/// Whether `text` is the name of an event: lower-case letters and hyphens.
pub fn is_event(text: &str) -> bool {
    (1..=MAX_EVENT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}
