//! A whole federation on one machine: the main job to try, and to train with.
//!
//! A broker on TLS sockets with its own database, units with vaults on disk, verification, accord, import, matching, each
//! outcome of the manual, and one attempt of each misbehaviour, shown as caught. Caller: the binary `sutura-exercise`; tests use parts of it.
//!
//! | what | module |
//! |---|---|
//! | command line | [`options`] |
//! | invented registers, and what must be found in them | [`registers`] |
//! | which registers are imported | [`input`] |
//! | a federation in this process | [`federation`], [`in_process`] |
//! | a federation of the released binaries | [`processes`] |
//! | what each unit found, joined and checked | [`results`] |
//! | what the broker saw | [`broker_view`] |
//! | officers, and how they talk about an overlap | [`officers`], [`talks`], [`handover`] |
//! | each outcome of the manual, played once, and shown | [`outcomes`], [`played`] |
//! | the audit of each unit's bundle, offline | [`audited`] |
//! | one attempt of each misbehaviour | [`misbehaviour`] |
//! | the story, and how it is told on the terminal | [`story`], [`teller`] |
//! | the page at its end | [`page`] |
//!
//! *Not* a simulation: everything here is real but the registers.

pub mod audited;
pub mod broker_view;
pub mod federation;
pub mod handover;
pub mod in_process;
pub mod input;
pub mod misbehaviour;
pub mod officers;
pub mod options;
pub mod outcomes;
pub mod page;
pub mod played;
pub mod processes;
pub mod registers;
pub mod results;
pub mod story;
pub mod talks;
pub mod teller;
