//! Tests over the whole, in one binary.

mod agents;
mod cases;
mod misbehaviours;
mod officers;
mod privacy;
mod processes;
