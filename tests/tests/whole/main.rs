//! Tests over the whole, in one binary.

mod agents;
mod audited;
mod cases;
mod handover_killed;
mod handover_processes;
mod misbehaviours;
mod officers;
mod outcomes;
mod privacy;
mod processes;
