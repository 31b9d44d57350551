//! The one-way map from uniform bytes to points.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::traits::Identity;

use crate::{Point, chunked};

/// Maps each 64 uniform bytes to a point: the element derivation function of RFC 9496, section 4.3.4, which is also
/// the `map_to_curve` of RFC 9380's ristretto255 suite. Hashing to those 64 bytes is the caller's.
///
/// The result has one point for each input, in order. It can be the identity, for a choice of bytes that nobody
/// finds. The bytes may be secret.
pub fn from_uniform(bytes: &[[u8; 64]]) -> Vec<Point> {
    chunked::fill(bytes.len(), Point(RistrettoPoint::identity()), |start, part| {
        for (bytes, place) in bytes[start..].iter().zip(part) {
            place.0 = RistrettoPoint::from_uniform_bytes(bytes);
        }
    })
}
