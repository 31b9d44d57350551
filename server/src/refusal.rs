//! Why an envelope is refused: whose fault, then what (R34). Each has a stable name that docs and tests use.
//!
//! Callers: [`crate::accept`]. *Not here:* failures of the broker's own ([`crate::StoreError`]), and the refusals of
//! routes that take no envelope, which stand beside what they refuse.

use crate::agreement::AccordRefused;
use protocol::act::ActRefused;
use protocol::case::CaseRefused;
use protocol::envelope::EnvelopeError;
use protocol::officer::OfficerRefused;
use protocol::tagset::TagSetError;

/// Why an envelope is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum Refusal {
    /// As an envelope: form, federation, signature.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Its sender.
    #[error(transparent)]
    Sender(#[from] SenderRefused),
    /// Its place in the sender's chain.
    #[error(transparent)]
    Chain(#[from] ChainRefused),
    /// Its receiver.
    #[error(transparent)]
    Receiver(#[from] ReceiverRefused),
    /// Its epoch, tick or accord.
    #[error(transparent)]
    Moment(#[from] MomentRefused),
    /// Its body.
    #[error(transparent)]
    Body(#[from] BodyRefused),
    /// What a tag set says.
    #[error(transparent)]
    TagSet(#[from] TagSetError),
    /// What it says about an accord.
    #[error(transparent)]
    Accord(#[from] AccordRefused),
    /// What it says about an officer.
    #[error(transparent)]
    Officer(#[from] OfficerRefused),
    /// What an acknowledgement says.
    #[error(transparent)]
    Acknowledgement(#[from] AcknowledgementRefused),
    /// The form and the signatures of an act.
    #[error(transparent)]
    Act(#[from] ActRefused),
    /// What an act does: the manual or the consent kernel forbids it.
    #[error(transparent)]
    Case(#[from] CaseRefused),
    /// The accord whose manual would rule the case.
    #[error(transparent)]
    Manual(#[from] ManualRefused),
    /// A parcel.
    #[error(transparent)]
    Parcel(#[from] ParcelRefused),
    /// A part of a parcel.
    #[error(transparent)]
    Part(#[from] PartRefused),
}

impl Refusal {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Envelope(e) => e.code(),
            Refusal::Sender(e) => e.code(),
            Refusal::Chain(e) => e.code(),
            Refusal::Receiver(e) => e.code(),
            Refusal::Moment(e) => e.code(),
            Refusal::Body(e) => e.code(),
            Refusal::TagSet(e) => e.code(),
            Refusal::Accord(e) => e.code(),
            Refusal::Officer(e) => e.code(),
            Refusal::Acknowledgement(e) => e.code(),
            Refusal::Act(e) => e.code(),
            Refusal::Case(e) => e.code(),
            Refusal::Manual(e) => e.code(),
            Refusal::Parcel(e) => e.code(),
            Refusal::Part(e) => e.code(),
        }
    }
}

/// Gives each variant of a refusal its stable name.
macro_rules! codes {
    ($t:ident { $($variant:pat => $code:literal),* $(,)? }) => {
        impl $t {
            /// The stable name of this error.
            pub fn code(&self) -> &'static str {
                match self { $($variant => $code),* }
            }
        }
    };
}

/// Who sends.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum SenderRefused {
    /// Another sender than the unit that the connection's certificate names.
    #[error("the envelope's sender is not the unit that sends it")]
    Other,
    /// Not a member now.
    #[error("the sender is not admitted")]
    NotAdmitted,
    /// Not the agent, or not the officer, whose word this kind is.
    #[error("this is not said in this role")]
    Role,
    /// A kind that only the broker sends.
    #[error("only the broker sends this kind")]
    Kind,
}
codes!(SenderRefused {
    SenderRefused::Other => "sender-other",
    SenderRefused::NotAdmitted => "sender-not-admitted",
    SenderRefused::Role => "sender-role",
    SenderRefused::Kind => "sender-kind",
});

/// The sender's sequence (R24).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ChainRefused {
    /// A number that was taken by another envelope. It is kept as evidence.
    #[error("another envelope was accepted under this number; this one is kept as evidence")]
    Conflict,
    /// A number that is not the next.
    #[error("the next envelope has number {expected}")]
    Gap {
        /// The number that would be accepted.
        expected: u64,
    },
    /// It names another envelope before it than the one that was accepted.
    #[error("the envelope does not name the one that was accepted before it")]
    Previous,
    /// It came after it expired.
    #[error("the envelope has expired")]
    Expired,
}
codes!(ChainRefused {
    ChainRefused::Conflict => "sequence-conflict",
    ChainRefused::Gap { .. } => "sequence-gap",
    ChainRefused::Previous => "sequence-previous",
    ChainRefused::Expired => "envelope-expired",
});

/// To whom.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ReceiverRefused {
    /// A receiver that this kind does not go to.
    #[error("this kind does not go to this receiver")]
    Kind,
    /// The sender itself.
    #[error("a unit does not write to itself")]
    Oneself,
    /// Not a member now.
    #[error("the receiver is not admitted")]
    NotAdmitted,
    /// One of the two has not signed the accord of this epoch.
    #[error("both units must have signed the accord of this epoch")]
    NotParty,
}
codes!(ReceiverRefused {
    ReceiverRefused::Kind => "receiver-kind",
    ReceiverRefused::Oneself => "receiver-oneself",
    ReceiverRefused::NotAdmitted => "receiver-not-admitted",
    ReceiverRefused::NotParty => "not-party",
});

/// When.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum MomentRefused {
    /// A kind that belongs to no epoch names one, or the other way round.
    #[error("this kind does not go with this epoch")]
    Kind,
    /// No accord rules this epoch.
    #[error("no accord rules this epoch")]
    NoAccord,
    /// Another accord than the one of this epoch.
    #[error("the envelope names another accord than the one of its epoch")]
    Accord,
    /// The epoch has not begun.
    #[error("the epoch has not begun")]
    NotBegun,
    /// The epoch is closed.
    #[error("the epoch is closed")]
    Closed,
    /// A tick of another epoch.
    #[error("the tick lies outside the epoch")]
    TickOutside,
    /// A tick that is to come.
    #[error("the tick is still to come: look at the sender's clock")]
    TickAhead,
}
codes!(MomentRefused {
    MomentRefused::Kind => "epoch-kind",
    MomentRefused::NoAccord => "epoch-without-accord",
    MomentRefused::Accord => "accord-mismatch",
    MomentRefused::NotBegun => "epoch-not-begun",
    MomentRefused::Closed => "epoch-closed",
    MomentRefused::TickOutside => "tick-outside-epoch",
    MomentRefused::TickAhead => "tick-ahead",
});

/// The body.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum BodyRefused {
    /// The head is no message of this kind.
    #[error("the head is no message of this kind")]
    Head,
    /// The head is not in canonical form.
    #[error("the head is not in canonical form")]
    HeadNotCanonical,
    /// Frames are missing.
    #[error("the body is not complete: send the missing frames")]
    Incomplete,
    /// Rows that should travel in frames travel inline.
    #[error("rows of this length travel in frames")]
    NotInline,
    /// This kind has no rows.
    #[error("this kind has no rows")]
    UnexpectedRows,
    /// Not whole points, none, or too many.
    #[error("the rows are not 1 to 65536 points of 32 bytes")]
    Points,
    /// Not as long as sealed matter is.
    #[error("the rows are not as long as sealed matter is")]
    Matter,
    /// Nothing, or longer than a part may be.
    #[error("the rows are not 1 to 1048592 bytes of a sealed parcel")]
    Part,
}
codes!(BodyRefused {
    BodyRefused::Head => "head-malformed",
    BodyRefused::HeadNotCanonical => "head-not-canonical",
    BodyRefused::Incomplete => "body-incomplete",
    BodyRefused::NotInline => "body-not-inline",
    BodyRefused::UnexpectedRows => "rows-unexpected",
    BodyRefused::Points => "points-malformed",
    BodyRefused::Matter => "matter-length",
    BodyRefused::Part => "part-length",
});

/// An acknowledgement (R18).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum AcknowledgementRefused {
    /// No cut of this pair and epoch has this digest.
    #[error("no cut of this pair and epoch has this digest")]
    UnknownCut,
    /// This side has acknowledged this cut.
    #[error("this unit has acknowledged this cut already")]
    Repeated,
    /// Another length than the cut's matches give.
    #[error("the acknowledgement is not as long as the cut's matches require")]
    Length,
}
codes!(AcknowledgementRefused {
    AcknowledgementRefused::UnknownCut => "acknowledgement-unknown-cut",
    AcknowledgementRefused::Repeated => "acknowledgement-repeated",
    AcknowledgementRefused::Length => "acknowledgement-length",
});

/// The accord whose manual would rule a case (R29).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ManualRefused {
    /// None that is complete.
    #[error("no complete accord has this hash")]
    NoAccord,
    /// It holds no manual, or one that breaks a rule of manuals.
    #[error("the accord holds no manual that can be used")]
    NoManual,
}
codes!(ManualRefused {
    ManualRefused::NoAccord => "manual-without-accord",
    ManualRefused::NoManual => "manual-none",
});

/// A parcel, when it is sealed (R34).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum ParcelRefused {
    /// The parcels that are kept for this pair, and this one, have too many parts together.
    #[error("the parcels kept for these two units have too many parts together: wait, or withdraw one")]
    Storage,
}
codes!(ParcelRefused {
    ParcelRefused::Storage => "parcel-storage",
});

/// A part of a parcel (R31).
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PartRefused {
    /// No case of these two units has this handle.
    #[error("no case of these two units has this handle")]
    NoCase,
    /// The sender sealed no parcel of this package for the receiver.
    #[error("no parcel of this package was sealed for this receiver")]
    NoParcel,
    /// Recalled, deleted, or at the end of its time.
    #[error("the parcel was recalled, or is at the end of its time")]
    Ended,
    /// All of them were accepted.
    #[error("all parts of this parcel are there")]
    Complete,
    /// Parts come in order.
    #[error("the next part of this parcel has number {expected}")]
    Order {
        /// The number that would be accepted.
        expected: u64,
    },
    /// The parts are not those of the act that sealed them.
    #[error("the parts are not the ones that were sealed")]
    Root,
}
codes!(PartRefused {
    PartRefused::NoCase => "part-without-case",
    PartRefused::NoParcel => "part-without-parcel",
    PartRefused::Ended => "part-ended",
    PartRefused::Complete => "part-complete",
    PartRefused::Order { .. } => "part-order",
    PartRefused::Root => "part-root",
});
