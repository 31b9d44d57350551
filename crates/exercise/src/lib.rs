//! A whole federation on one machine: the main job to try, and to train with.
//!
//! A broker on TLS sockets with its own database, units with vaults on disk, verification, accord, import, matching,
//! and one attempt of each misbehaviour, shown as caught. Caller: the binary `sutura-exercise`; tests use parts of it.
//!
//! | what | module |
//! |---|---|
//! | command line | [`options`] |
//! | invented registers, and what must be found in them | [`registers`] |
//! | a federation in this process | [`federation`] |
//! | a federation of the released binaries | [`processes`] |
//! | what each unit found, joined and checked | [`results`] |
//! | what the broker saw | [`broker_view`] |
//! | one attempt of each misbehaviour | [`misbehaviour`] |
//! | the story on the terminal | [`story`] |
//! | the page at its end | [`page`] |
//!
//! *Not* a simulation: everything here is real but the registers.

pub mod broker_view;
pub mod federation;
pub mod misbehaviour;
pub mod options;
pub mod page;
pub mod processes;
pub mod registers;
pub mod results;
pub mod story;
