//! Tests over the whole, in one binary.

mod agents;
mod misbehaviours;
mod privacy;
mod processes;
