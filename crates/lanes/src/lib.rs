//! Batches of ristretto255 points (RFC 9496): decode, multiply by secret scalars, encode, map from uniform
//! bytes, and sum under public weights.
//!
//! **Who calls it.** Only `protocol::psi`, whose every step is one of these batches over thousands of points.
//!
//! **What it is not.** No protocol: it hashes nothing, checks no proof and knows no unit. Not a general curve library
//! either: whoever wants one point at a time uses `curve25519-dalek`, which this package is tested against.
//!
//! # What all operations keep
//!
//! * Results stand in the order of their inputs, whatever the number of cores.
//! * Long batches are cut into chunks and run on the current rayon pool; a few dozen points are not worth waking
//!   another core. Scratch space is one chunk for each core, whatever the length of the batch.
//! * Nothing panics, whatever the input.
//! * Time and addresses do not depend on secret scalars or points, save where a name says `vartime`.
//! * Copies of secret scalars, tables of multiples and the unencoded products of secrets are zeroized. What the
//!   compiler spills of registers to the stack is beyond reach.
//!
//! # Backends
//!
//! | name | what | where |
//! |---|---|---|
//! | `avx512ifma` | eight points side by side in AVX-512 registers, 52-bit products | x86-64 with AVX-512 F, DQ, VL, IFMA |
//! | `dalek` | `curve25519-dalek` with its own best backend and its batch forms | everywhere |
//!
//! One is chosen at the first call, by what the processor has: see [`Choice`], and `SUTURA_LANES` there. A backend of
//! four lanes on AVX2 is left out: its kernels alone promise less than twice dalek's speed, and nobody has measured it
//! as a whole.
//!
//! # The batch forms
//!
//! One encoding costs an inverse square root: 254 squarings, about a sixth of a multiplication. Hamburg's and
//! de Valence's observation is that the encoding of a *doubled* point needs only an inversion, and inversions are
//! shared by a whole batch (Montgomery's trick: three products each). So [`encode_multiplied`] multiplies by
//! `secret / 2 mod l` and encodes the double: the same bytes, at less cost. The halving is exact because l is odd.
//! [`encode`] alone can't gain from it: halving a *point* is itself a multiplication.
//!
//! Secret multiples of one *public* point cost a seventh of a multiplication, by a table of its multiples
//! ([`FixedBase`]): [`encode_multiplied_plus`] blinds by adding one, [`encode_doubled_less`] takes it away again. The
//! latter gives the encoding of twice the difference, which is what there is without halving a point.
//!
//! References: RFC 9496; Henry de Valence et al., <https://ristretto.group>; Pippenger's bucket method as in
//! Bernstein, Doumen, Lange, Oosterwijk, "Faster batch forgery identification" (eprint 2012/549).

#![deny(unsafe_code)]

mod backend;
mod choice;
mod chunked;
mod decode;
mod fixed_base;
mod plain;
mod point;
mod run;
mod vector;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;

pub use backend::Backend;
pub use choice::{Because, Choice, VARIABLE, choice};
pub use decode::{Invalid, Why};
pub use fixed_base::FixedBase;
pub use point::Point;
pub use run::Run;

/// [`Run::decode`] on the chosen backend.
///
/// # Errors
/// The lowest index whose encoding is not canonical or is the identity, with the reason.
pub fn decode(encoded: &[[u8; 32]]) -> Result<Vec<Point>, Invalid> {
    Run::chosen().decode(encoded)
}

/// [`Run::decode_each`] on the chosen backend.
pub fn decode_each(encoded: &[[u8; 32]]) -> Vec<Result<Point, Why>> {
    Run::chosen().decode_each(encoded)
}

/// [`Run::encode`] on the chosen backend.
pub fn encode(points: &[Point]) -> Vec<[u8; 32]> {
    Run::chosen().encode(points)
}

/// [`Run::multiply`] on the chosen backend.
pub fn multiply(points: &[Point], secret: &Scalar) -> Vec<Point> {
    Run::chosen().multiply(points, secret)
}

/// [`Run::encode_multiplied`] on the chosen backend.
pub fn encode_multiplied(points: &[Point], secret: &Scalar) -> Vec<[u8; 32]> {
    Run::chosen().encode_multiplied(points, secret)
}

/// [`Run::encode_multiplied_each`] on the chosen backend.
pub fn encode_multiplied_each(points: &[Point], secrets: &[Scalar]) -> Vec<[u8; 32]> {
    Run::chosen().encode_multiplied_each(points, secrets)
}

/// [`Run::encode_multiplied_plus`] on the chosen backend.
pub fn encode_multiplied_plus(
    points: &[Point],
    secret: &Scalar,
    base: &FixedBase,
    scalars: &[Scalar],
) -> Vec<[u8; 32]> {
    Run::chosen().encode_multiplied_plus(points, secret, base, scalars)
}

/// [`Run::encode_doubled_less`] on the chosen backend.
pub fn encode_doubled_less(points: &[Point], base: &FixedBase, scalars: &[Scalar]) -> Vec<[u8; 32]> {
    Run::chosen().encode_doubled_less(points, base, scalars)
}

/// [`Run::decode_encode_multiplied`] on the chosen backend.
///
/// # Errors
/// As [`decode`].
pub fn decode_encode_multiplied(encoded: &[[u8; 32]], secret: &Scalar) -> Result<Vec<[u8; 32]>, Invalid> {
    Run::chosen().decode_encode_multiplied(encoded, secret)
}

/// [`Run::decode_encode_multiplied_each`] on the chosen backend.
///
/// # Errors
/// As [`decode`].
pub fn decode_encode_multiplied_each(encoded: &[[u8; 32]], secrets: &[Scalar]) -> Result<Vec<[u8; 32]>, Invalid> {
    Run::chosen().decode_encode_multiplied_each(encoded, secrets)
}

/// [`Run::from_uniform`] on the chosen backend.
pub fn from_uniform(bytes: &[[u8; 64]]) -> Vec<Point> {
    Run::chosen().from_uniform(bytes)
}

/// [`Run::sum_weighted_vartime`] on the chosen backend: public points and weights only.
pub fn sum_weighted_vartime(points: &[Point], weights: &[u128]) -> RistrettoPoint {
    Run::chosen().sum_weighted_vartime(points, weights)
}
