//! What is said between the units of a federation and its broker, by whom, and in which order.
//!
//! Everything here is pure: no disk, no network, no clock and no random source of its own. Time is an argument
//! (milliseconds since the Unix epoch), randomness is an argument (a [`rand_core::CryptoRng`]), so that a whole
//! federation can run inside a simulation.
//!
//! The rules cited as R1, R2, … are those of `docs/PROTOCOL.md`.
//!
//! *Not here:* what an identifier is (package `identifier`; this package begins with a token, which is bytes), how
//! envelopes travel (packages `server` and `client`), and where anything is stored.
//!
//! | step | module |
//! |---|---|
//! | names, keys, verification codes | [`name`], [`identity`] |
//! | accord, roster, calendar | [`accord`], [`roster`], [`calendar`] |
//! | envelopes and bodies | [`envelope`], [`body`], [`message`] |
//! | pair secrets and matching | [`seal`], [`psi`] |
//! | tag sets, comparing, confirming | [`tagset`], [`compare`], [`acknowledgement`], [`overlap`] |
//! | the guess budget | [`quota`] |
//! | officers, acts, the manual, cases | [`officer`], [`act`], [`matter`], [`manual`], [`case`] |
//! | consent, packages, parcels | [`consent`], [`package`], [`parcel`], [`reading`], [`lifting`] |
//! | joining | [`invite`] |
//! | what travels over HTTP | [`mailbox`] |

pub mod accord;
pub mod acknowledgement;
pub mod act;
pub mod body;
pub mod calendar;
pub mod case;
pub mod codec;
pub mod compare;
pub mod consent;
pub mod envelope;
pub mod identity;
pub mod invite;
pub mod label;
pub mod lifting;
pub mod mailbox;
pub mod manual;
pub mod matter;
pub mod message;
pub mod name;
pub mod officer;
pub mod overlap;
pub mod package;
pub mod parcel;
pub mod psi;
pub mod quota;
pub mod reading;
pub mod roster;
pub mod seal;
pub mod tagset;

pub use codec::{Bytes, Hash};
