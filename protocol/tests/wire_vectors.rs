//! Byte-exact vectors of every wire type, in JSON that any language reads (`tests/vectors/wire`).
//!
//! Each file is made again from fixed seeds and compared byte for byte with what is stored (`SUTURA_BLESS=1` writes it);
//! then what is stored is read back, verified and opened from its JSON alone. And whatever value a type can have, it
//! survives being encoded.

#[path = "wire/envelopes.rs"]
mod envelopes;
#[path = "wire/examples.rs"]
mod examples;
#[path = "wire/federation.rs"]
mod federation;
#[path = "wire/matching.rs"]
mod matching;
#[path = "wire/membership.rs"]
mod membership;
#[path = "wire/messages.rs"]
mod messages;
#[path = "wire/plain.rs"]
mod plain;
#[path = "wire/round_trip.rs"]
mod round_trip;
#[path = "wire/sealed.rs"]
mod sealed;
#[path = "wire/stored.rs"]
mod stored;
