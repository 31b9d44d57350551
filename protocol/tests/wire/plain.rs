//! Every wire type as plain fields: what another implementation reads beside the bytes.
#![allow(dead_code, reason = "each test uses its own part")]

use protocol::Bytes;
use protocol::act::{Act, ActSignature, Content, Outcome, Statement};
use protocol::calendar::Start;
use protocol::codec::{self, CodecError};
use protocol::consent::{ConsentKind, ParcelHead, Terms};
use protocol::envelope::{Header, Kind, Role};
use protocol::identity::PublicKeys;
use protocol::mailbox::*;
use protocol::message::*;
use protocol::name::{Party, UnitName};
use protocol::officer::{Certificate, OfficerEntry, OfficerRole};
use serde_json::{Value, json};

/// Shows itself as plain JSON: numbers, texts, hexadecimal bytes, null, lists and objects.
pub(crate) trait Plain {
    fn plain(&self) -> Value;
}

impl<const N: usize> Plain for Bytes<N> {
    fn plain(&self) -> Value {
        hex::encode(self.0).into()
    }
}

impl Plain for Vec<u8> {
    fn plain(&self) -> Value {
        hex::encode(self).into()
    }
}

impl<T: Plain> Plain for Option<T> {
    fn plain(&self) -> Value {
        self.as_ref().map_or(Value::Null, Plain::plain)
    }
}

macro_rules! as_they_are {
    ($($t:ty),*) => {$(impl Plain for $t { fn plain(&self) -> Value { json!(self) } })*};
}
as_they_are!(u8, u32, u64, String);

macro_rules! as_text {
    ($($t:ty),*) => {$(impl Plain for $t { fn plain(&self) -> Value { self.as_str().into() } })*};
}
as_text!(UnitName, Party);

macro_rules! as_list {
    ($($t:ty),*) => {$(
        impl Plain for Vec<$t> {
            fn plain(&self) -> Value { self.iter().map(Plain::plain).collect() }
        }
    )*};
}
as_list!(Bytes<32>, u32, u64, Posted, Delivered, Proof);

/// Enumerations: by name in the fields, by number on the wire.
macro_rules! enumerations {
    ($($t:ident { $($variant:ident),* })*) => {
        $(impl Plain for $t { fn plain(&self) -> Value { format!("{self:?}").into() } })*

        /// The number of each name.
        pub(crate) fn numbers() -> Value {
            json!({$(stringify!($t): {$(stringify!($variant): number_of(&$t::$variant)),*}),*})
        }
    };
}
enumerations! {
    Role { Agent, Broker, Officer }
    Kind {
        Roster, AccordProposal, AccordSignature, Commitment, Contribution, Request, Count, Evaluation, Refusal, TagSet,
        Notice, Acknowledgement, Dispute, EpochClosed, Officer, Act, ParcelPart, Deadline
    }
    OfficerRole { Investigator, Contact, Head, LegalOfficer, Magistrate, Mentor }
    Outcome { Separate, Handover, Mutual, Joint }
    ConsentKind { Parcel, Urgent, Journal }
    Standing { Admitted, Suspended, Left }
    Size { Opening, Bulk, Small }
    RefusalReason { OverQuota, OtherSecret, BadPoint, Restored, Stopped, Size, IdentifierVersion }
    DisputeReason { UnknownTag, WrongConfirmation, WrongEvaluation, MissingCanary, WrongDigest, BadCommitment, WrongSets }
}

fn number_of<T: minicbor::Encode<()>>(value: &T) -> u8 {
    match codec::encode(value)[..] {
        [number @ 0..=23] => number,
        ref other => panic!("an enumeration takes one byte: {other:?}"),
    }
}

/// Records: CBOR arrays of their fields in this order.
macro_rules! records {
    ($($t:ident { $($field:ident),* })*) => {
        $(impl Plain for $t {
            fn plain(&self) -> Value { json!({$(stringify!($field): self.$field.plain()),*}) }
        })*

        /// Every record and its fields, in the order of the wire.
        pub(crate) const RECORDS: &[(&str, &[&str])] = &[
            $((stringify!($t), &[$(stringify!($field)),*]),)*
            ("OfficerEntry", &["entry", "of"]),
        ];

        /// Decodes `bytes` as the record of this name, and encodes the result.
        pub(crate) fn decoded_again(record: &str, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
            match record {
                $(stringify!($t) => codec::decode::<$t>(bytes).map(|value| codec::encode(&value)),)*
                "OfficerEntry" => codec::decode::<OfficerEntry>(bytes).map(|value| codec::encode(&value)),
                other => panic!("no record is called {other}"),
            }
        }
    };
}
records! {
    Header {
        version, federation, accord, epoch, tick, sender, receiver, role, sequence, previous, kind, expires, log_size,
        log_root, body_len, body_root
    }
    Start { epoch, tick, at_ms }
    PublicKeys { signing, sealing }
    RosterEntry { unit, title, keys, standing, joined }
    AccordProposal { start }
    AccordSignature { accord }
    Commitment { point, possession, sealing }
    Contribution { sealed }
    Request { confirm, size, number }
    Count { request, total }
    Evaluation { request, proof }
    Refusal { request, reason }
    TagSet { peer, size, adds, removals, root }
    Notice { peer, position, low_sets, high_sets, matches, digest }
    Acknowledgement { digest, received }
    Dispute { about, reason, leaf }
    EpochClosed { closed }
    Certificate { number, role, key, name, possession }
    Act { statement, officer }
    Statement { federation, accord, handle, low, high, unit, round, number, event, at_ms, content, matter }
    ActSignature { number, signature, consent }
    Terms {
        kind, federation, accord, handle, provider, recipient, recipient_key, package, fields, purpose, handling,
        until_ms, nonce
    }
    ParcelHead { consent, package, parts, root, encapsulation }
    ParcelPart { handle, package, index }
    Deadline { handle, low, high, round, at_ms }
    Joining { token, entry, certificate_request }
    Joined { certificate }
    State { now_ms, sequence, previous, mailbox }
    Staged { missing }
    Submission { items }
    Posted { envelope, head, rows }
    Outcomes { entries, refused }
    Refused { code, detail }
    Delivery { items }
    Delivered { position, entry, envelope, head, rows, frames }
    Proof { path }
    InclusionQuery { size, entries }
    Proofs { proofs }
    LeafEvidence { envelope, head, head_path, parts, leaf, nonce, index, path }
}

/// What an act carries is a choice within its statement.
impl Plain for Content {
    fn plain(&self) -> Value {
        match self {
            Content::Nothing => json!({"content": 0, "of": []}),
            Content::Offer(outcome, provider) => json!({"content": 1, "of": [outcome.plain(), provider.plain()]}),
            Content::Consent(terms) => json!({"content": 2, "of": [terms.plain()]}),
            Content::Parcel(head) => json!({"content": 3, "of": [head.plain()]}),
            Content::Conditions(package) => json!({"content": 4, "of": [package.plain()]}),
            Content::Receipt(package) => json!({"content": 5, "of": [package.plain()]}),
            Content::Validation(package) => json!({"content": 6, "of": [package.plain()]}),
            Content::Recall => json!({"content": 7, "of": []}),
            Content::Deletion => json!({"content": 8, "of": []}),
            Content::Journal => json!({"content": 9, "of": []}),
        }
    }
}

/// The one record that is a choice: its number, then an array of what it is about.
impl Plain for OfficerEntry {
    fn plain(&self) -> Value {
        match self {
            OfficerEntry::Certified(certificate) => json!({"entry": 0, "of": [certificate.plain()]}),
            OfficerEntry::Revoked(number) => json!({"entry": 1, "of": [number]}),
        }
    }
}

/// The fields of a record, in the order of the wire.
pub(crate) fn fields_of(record: &str) -> &'static [&'static str] {
    RECORDS.iter().find(|(name, _)| *name == record).unwrap_or_else(|| panic!("no record is called {record}")).1
}
