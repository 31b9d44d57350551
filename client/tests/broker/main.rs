//! A unit's connection to its broker, against a small broker over real TLS sockets and a link that can be cut.

mod answers;
mod fake;
mod frames;
mod joining;
mod link;
mod pinning;
