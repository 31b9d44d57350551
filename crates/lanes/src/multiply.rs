//! Multiplication by secret scalars: the cost that matters, in constant time.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use zeroize::{Zeroize, Zeroizing};

use crate::{Point, chunked};

/// `secret * P_i` for each point, in order.
pub fn multiply(points: &[Point], secret: &Scalar) -> Vec<Point> {
    chunked::fill(points.len(), Point(RistrettoPoint::identity()), |start, part| {
        for (point, place) in points[start..].iter().zip(part) {
            place.0 = point.0 * secret;
        }
    })
}

/// The canonical encodings of `secret * P_i`, in order.
///
/// The identity is encoded as 32 zero bytes, as RFC 9496 has it: a point or scalar that was zero shows in the result.
pub fn encode_multiplied(points: &[Point], secret: &Scalar) -> Vec<[u8; 32]> {
    let half = Zeroizing::new(secret.div_by_2());
    chunked::fill(points.len(), [0; 32], |start, part| {
        encode_doubled(points[start..start + part.len()].iter().map(|point| point.0 * *half), part);
    })
}

/// The canonical encodings of `secret_i * P_i`, in order: each point with its own scalar.
///
/// Points and secrets are taken in pairs; should one slice be longer, what has no partner is left out, and the result
/// is as long as the shorter one.
pub fn encode_multiplied_each(points: &[Point], secrets: &[Scalar]) -> Vec<[u8; 32]> {
    chunked::fill(points.len().min(secrets.len()), [0; 32], |start, part| {
        let pairs = points[start..].iter().zip(&secrets[start..]).take(part.len());
        let halves = pairs.map(|(point, secret)| point.0 * *Zeroizing::new(secret.div_by_2()));
        encode_doubled(halves, part);
    })
}

/// Encodes the double of each point, with one inversion for all of them; the points are zeroized afterwards.
fn encode_doubled(halves: impl Iterator<Item = RistrettoPoint>, encoded: &mut [[u8; 32]]) {
    let mut halves: Vec<RistrettoPoint> = halves.collect();
    for (place, compressed) in encoded.iter_mut().zip(RistrettoPoint::double_and_compress_batch(&halves)) {
        *place = compressed.to_bytes();
    }
    halves.zeroize();
}
