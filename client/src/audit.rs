//! The audit: shows, without the broker and without the vault, what was disclosed, to whom, why, and on whose consent (R33).
//!
//! | file | what |
//! |---|---|
//! | `bundle` | everything that verification needs, signed by the unit that exports it; nothing secret, no values |
//! | `gather` | makes a bundle from a unit's vault |
//! | [`verify()`] | a pure function: bundle → [`Report`] |
//! | `members`, `log`, `fold` | its three steps: whose keys, what is in the log, what the acts led to |
//! | `accords` | who signed which accord, and when it was in force |
//! | `disclosures`, `objections`, `exceptions` | what the report says of it |
//!
//! A *finding* is something that does not verify: then nothing that hangs on it is to be believed. An *exception* verifies,
//! and is something that a legal officer must look at.
//!
//! What no bundle can show, since a unit exports its own: that it leaves out the end of a case, a unit's last act in a case
//! if it moved nothing (an entry in a journal), whole cases, readings, cosignatures of others, officers who signed nothing,
//! and revocations of officers who signed nothing after. Copies, objections to what
//! no act shows, and the numbers of matching are the exporting unit's word; so is that no later accord was in force. The other unit's bundle shows the same acts: an
//! auditor asks for both, and compares the fingerprints of the keys with what the units say over another channel.
//!
//! Callers: `sutura audit`, the exercise. *Not here:* the words (language files), and any trust in who made the bundle.

mod accords;
mod bundle;
mod disclosures;
mod exceptions;
mod fold;
mod gather;
mod log;
mod members;
mod objections;
mod report;
mod verify;

pub use bundle::{
    AgreedAccord, Bundle, BundleError, CaseHistory, KeptCopy, KeptProof, Logged, MAX_FILE, Note, PeerNumbers,
    SignedBundle,
};
pub use exceptions::EXCEPTIONS;
pub use gather::gather;
pub use report::{
    Consent, Copy, Coverage, Deletion, Disclosure, EventLine, Exception, Fields, Finding, Key, Lifted, Manual, Moment,
    Objection, Proof, Reading, Recall, Report, Signed, Unit,
};
pub use verify::verify;
