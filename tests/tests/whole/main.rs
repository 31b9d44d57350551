//! Tests over the whole, in one binary.

mod agents;
mod cases;
mod handover_killed;
mod misbehaviours;
mod officers;
mod outcomes;
mod privacy;
mod processes;
