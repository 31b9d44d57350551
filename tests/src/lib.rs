//! What the tests over the whole share. Imported by nobody else.
//!
//! [`simulation`] runs a federation of real agents in one thread under a mock clock, with a post office in place of the
//! broker; the tests in `tests/whole/` also use the real broker, over sockets.

pub mod simulation;
