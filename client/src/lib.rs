//! Package client.

pub mod agent;
pub mod audit;
pub mod broker;
pub mod command;
pub mod home;
pub mod import;
pub mod language;
pub mod mapping;
pub mod membership;
pub mod officers;
pub mod register;
pub mod session;
pub mod terminal;
pub mod vault;
