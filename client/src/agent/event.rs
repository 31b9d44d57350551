//! What an agent tells its officers.
//!
//! Callers: `status` and `sync` show events; the agent only records them. *Not* an audit trail: that is the log.

use super::store::{Reader, Writer};
use protocol::envelope::Kind;
use protocol::message::{DisputeReason, RefusalReason};
use protocol::name::UnitName;
use protocol::overlap::Handle;
use zeroize::Zeroizing;

/// Something officers should know. The text for people is the commands' part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A unit joined, and is to be verified.
    Joined(UnitName),
    /// A unit's keys are not those seen before: nothing is exchanged with it until it is verified anew (R7).
    KeysChanged(UnitName),
    /// A unit was suspended, or left.
    Suspended(UnitName),
    /// An accord was proposed and waits for our signature.
    AccordProposed,
    /// An accord is in force.
    AccordInForce,
    /// This build normalises identifiers in another version than the accord says (R36).
    IdentifierVersion,
    /// A peer asked for more than the quota allows (R13).
    OverQuota(UnitName),
    /// A peer did not evaluate our request.
    NotEvaluated(UnitName, RefusalReason),
    /// We did not evaluate a peer's request.
    Refused(UnitName, RefusalReason),
    /// We dispute something, and evaluate nothing more for this peer until officers lift it.
    Disputed(UnitName, DisputeReason),
    /// A peer disputes something of ours.
    DisputedByPeer(UnitName, DisputeReason),
    /// The peer says that our leaf of a match does not verify.
    MatchDisputed(UnitName),
    /// A peer left matches unacknowledged for longer than the accord allows; evaluation for it is stopped (R18).
    Unacknowledged(UnitName),
    /// The broker showed two histories of the log, or one that does not hold what it accepted (R27).
    SplitView,
    /// A peer follows another history of the log than we do (R27).
    OtherHistory(UnitName),
    /// This vault is older than what the federation saw of it: restored from a backup (R35).
    Restored,
    /// The broker refused an envelope of ours for good: its kind, and the stable name of the refusal.
    Rejected(Kind, String),
    /// New overlaps with a peer: how many record pairs.
    Overlaps(UnitName, u64),
    /// A peer's officer acted in a case.
    Act(UnitName, Handle, String),
    /// A case is in another state.
    CaseMoved(UnitName, Handle, String),
    /// What came in a case is refused by the manual or the kernel: the event, and the rule. The broker let it pass.
    ActRefused(UnitName, String, &'static str),
    /// A peer's act waits, since officers have not verified its keys.
    ActHeld(UnitName, Handle),
    /// What the other side said breaks a guard of the parties: nothing more is given in this case until officers lift it.
    Objection(UnitName, Handle, &'static str),
    /// An act or a limit came ahead of this machine's clock.
    ClockAhead(UnitName, Handle),
    /// A parcel is here, whole and sealed.
    ParcelCame(UnitName, Handle),
    /// Content was destroyed: recalled, or overdue.
    ContentDestroyed(UnitName, Handle),
    /// A peer certified an officer, or revoked one (R30).
    PeerOfficer(UnitName),
}

impl Event {
    /// A stable name, for programs and for the language files.
    pub fn code(&self) -> &'static str {
        match self {
            Event::Joined(_) => "joined",
            Event::KeysChanged(_) => "keys-changed",
            Event::Suspended(_) => "suspended",
            Event::AccordProposed => "accord-proposed",
            Event::AccordInForce => "accord-in-force",
            Event::IdentifierVersion => "identifier-version",
            Event::OverQuota(_) => "over-quota",
            Event::NotEvaluated(..) => "not-evaluated",
            Event::Refused(..) => "refused",
            Event::Disputed(..) => "disputed",
            Event::DisputedByPeer(..) => "disputed-by-peer",
            Event::MatchDisputed(_) => "match-disputed",
            Event::Unacknowledged(_) => "unacknowledged",
            Event::SplitView => "split-view",
            Event::OtherHistory(_) => "other-history",
            Event::Restored => "restored",
            Event::Rejected(..) => "rejected",
            Event::Overlaps(..) => "overlaps",
            Event::Act(..) => "act",
            Event::CaseMoved(..) => "case-moved",
            Event::ActRefused(..) => "act-refused",
            Event::ActHeld(..) => "act-held",
            Event::Objection(..) => "objection",
            Event::ClockAhead(..) => "clock-ahead",
            Event::ParcelCame(..) => "parcel-came",
            Event::ContentDestroyed(..) => "content-destroyed",
            Event::PeerOfficer(_) => "peer-officer",
        }
    }

    /// The peer it is about, if there is one.
    pub fn peer(&self) -> Option<&UnitName> {
        match self {
            Event::Joined(p) | Event::KeysChanged(p) | Event::Suspended(p) | Event::OverQuota(p) => Some(p),
            Event::PeerOfficer(p) => Some(p),
            Event::NotEvaluated(p, _) | Event::Refused(p, _) => Some(p),
            Event::Disputed(p, _) | Event::DisputedByPeer(p, _) => Some(p),
            Event::OtherHistory(p) | Event::MatchDisputed(p) | Event::Unacknowledged(p) | Event::Overlaps(p, _) => {
                Some(p)
            }
            Event::Act(p, ..) | Event::CaseMoved(p, ..) | Event::ActRefused(p, ..) | Event::Objection(p, ..) => Some(p),
            Event::ClockAhead(p, _) | Event::ParcelCame(p, _) | Event::ContentDestroyed(p, _) => Some(p),
            Event::ActHeld(p, _) => Some(p),
            _ => None,
        }
    }

    /// A word more, for people and programs: the reason, or a number.
    pub fn detail(&self) -> String {
        match self {
            Event::NotEvaluated(_, reason) | Event::Refused(_, reason) => refusal_code(*reason).to_owned(),
            Event::Disputed(_, reason) | Event::DisputedByPeer(_, reason) => dispute_code(*reason).to_owned(),
            Event::Overlaps(_, count) => count.to_string(),
            Event::Rejected(kind, code) => format!("{kind:?}: {code}"),
            Event::Act(_, handle, what) | Event::CaseMoved(_, handle, what) => format!("{} {what}", short(handle)),
            Event::ActRefused(_, what, code) => format!("{what}: {code}"),
            Event::Objection(_, handle, code) => format!("{} {code}", short(handle)),
            Event::ClockAhead(_, handle) | Event::ParcelCame(_, handle) | Event::ContentDestroyed(_, handle) => {
                short(handle)
            }
            Event::ActHeld(_, handle) => short(handle),
            _ => String::new(),
        }
    }

    /// For the vault: moment, code, peer and detail, as they are shown again later.
    pub(super) fn to_bytes(&self, now_ms: u64) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new();
        w.u64(now_ms);
        w.bytes(self.code().as_bytes());
        w.bytes(self.peer().map_or("", UnitName::as_str).as_bytes());
        w.bytes(self.detail().as_bytes());
        w.finish()
    }
}

/// The beginning of a handle, as commands take it.
fn short(handle: &Handle) -> String {
    handle.to_string().chars().take(12).collect()
}

/// An event as the vault kept it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When, in milliseconds since the Unix epoch, by this machine's clock.
    pub at_ms: u64,
    /// [`Event::code`].
    pub code: String,
    /// The peer's name, or nothing.
    pub peer: String,
    /// [`Event::detail`].
    pub detail: String,
}

impl Told {
    /// Reads what the vault kept under `event/`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Told> {
        let mut r = Reader::new(bytes);
        Some(Told {
            at_ms: r.u64()?,
            code: r.text()?.to_owned(),
            peer: r.text()?.to_owned(),
            detail: r.text()?.to_owned(),
        })
    }
}

/// The stable name of a refusal.
pub fn refusal_code(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::OverQuota => "over-quota",
        RefusalReason::OtherSecret => "other-secret",
        RefusalReason::BadPoint => "bad-point",
        RefusalReason::Restored => "restored",
        RefusalReason::Stopped => "stopped",
        RefusalReason::Size => "size",
        RefusalReason::IdentifierVersion => "identifier-version",
    }
}

/// The stable name of a dispute.
pub fn dispute_code(reason: DisputeReason) -> &'static str {
    match reason {
        DisputeReason::UnknownTag => "unknown-tag",
        DisputeReason::WrongConfirmation => "wrong-confirmation",
        DisputeReason::WrongEvaluation => "wrong-evaluation",
        DisputeReason::MissingCanary => "missing-canary",
        DisputeReason::WrongDigest => "wrong-digest",
        DisputeReason::BadCommitment => "bad-commitment",
        DisputeReason::WrongSets => "wrong-sets",
    }
}
