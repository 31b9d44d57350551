//! Batches of ristretto255 points (RFC 9496): decode, multiply by a secret scalar, encode, map from uniform
//! bytes, and sum under public weights.
//!
//! **Who calls it.** Only `protocol::psi`, whose every step is one of these batches over thousands of points.
//!
//! **What it is not.** No protocol: it hashes nothing, checks no proof and knows no unit. Not a general curve library
//! either: whoever wants one point at a time uses `curve25519-dalek`, which this package stands on and is tested
//! against, one by one.
//!
//! # What all operations keep
//!
//! * Results stand in the order of their inputs, whatever the number of cores.
//! * Long batches are cut into chunks and run on the current rayon pool; below a few dozen points nothing is
//!   scheduled, since waking another core costs more than the arithmetic. Scratch space is one chunk for each core,
//!   whatever the length of the batch.
//! * Nothing panics, whatever the input.
//! * Time and addresses do not depend on secret scalars or points, save where a name says `vartime`.
//! * Copies of secret scalars and the unencoded products of secrets are zeroized.
//!
//! # The batch forms
//!
//! One encoding costs an inverse square root: 254 squarings, about a sixth of a multiplication. Hamburg's and
//! de Valence's observation is that the encoding of a *doubled* point needs only an inversion, and inversions are
//! shared by a whole batch (Montgomery's trick: three products each). So [`encode_multiplied`] multiplies by
//! `secret / 2 mod l` and encodes the double: the same bytes, at less cost. The halving is exact because l is odd.
//! [`encode`] alone can't gain from it: halving a *point* is itself a multiplication.
//!
//! References: RFC 9496; Henry de Valence et al., <https://ristretto.group>; Pippenger's bucket method as in
//! Bernstein, Doumen, Lange, Oosterwijk, "Faster batch forgery identification" (eprint 2012/549).

mod chunked;
mod decode;
mod encode;
mod map;
mod multiply;
mod point;
mod sum;

pub use decode::{Invalid, Why, decode};
pub use encode::encode;
pub use map::from_uniform;
pub use multiply::{encode_multiplied, encode_multiplied_each, multiply};
pub use point::Point;
pub use sum::sum_weighted_vartime;
