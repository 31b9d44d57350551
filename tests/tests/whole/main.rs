//! Tests over the whole, in one binary.

mod agents;
mod misbehaviours;
mod officers;
mod privacy;
mod processes;
