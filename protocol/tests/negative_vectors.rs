//! Negative vectors: what must be refused, each named after its fault and with the stable name of its error, in JSON
//! that any language reads (`tests/vectors/negative`). R10, R13 and R14 are among the vectors of matching.
//!
//! Each file is made again and compared with what is stored (`SUTURA_BLESS=1` writes it); then every case is run from its
//! JSON alone, and so is its control: the untouched original, which must be accepted. And no bytes whatever make a
//! decoder panic.

#[path = "negative/accord.rs"]
mod accord;
#[path = "negative/acknowledgements.rs"]
mod acknowledgements;
#[path = "negative/acts.rs"]
mod acts;
#[path = "negative/arbitrary_bytes.rs"]
mod arbitrary_bytes;
#[path = "negative/envelopes.rs"]
mod envelopes;
#[path = "wire/examples.rs"]
mod examples;
#[path = "wire/federation.rs"]
mod federation;
#[path = "negative/forgery.rs"]
mod forgery;
#[path = "negative/membership.rs"]
mod membership;
#[path = "negative/mutation.rs"]
mod mutation;
#[path = "negative/officers.rs"]
mod officers;
#[path = "wire/plain.rs"]
mod plain;
#[path = "negative/records.rs"]
mod records;
#[path = "wire/stored.rs"]
mod stored;
#[path = "negative/tag_sets.rs"]
mod tag_sets;
