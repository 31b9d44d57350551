//! Weighted sums of public points, for batched proofs.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use rayon::prelude::*;

use crate::Point;

/// Points in one call of the bucket method. Longer saves little (128 buckets are summed for each 8 bits of a weight),
/// and a chunk's tables take some 250 bytes a point.
const CHUNK: usize = 4096;

/// The sum of `weight_i * P_i`, by Pippenger's bucket method. Variable time: **public points and weights only**.
///
/// Points and weights are taken in pairs; should one slice be longer, what has no partner is left out. The sum of
/// nothing is the identity.
pub fn sum_weighted_vartime(points: &[Point], weights: &[u128]) -> RistrettoPoint {
    let pairs = points.len().min(weights.len());
    let chunk = pairs.div_ceil(rayon::current_num_threads()).clamp(512, CHUNK);
    let (points, weights) = (&points[..pairs], &weights[..pairs]);
    if pairs <= chunk {
        return sum_part(points, weights);
    }
    let parts = points.par_chunks(chunk).zip(weights.par_chunks(chunk));
    parts.map(|(points, weights)| sum_part(points, weights)).reduce(RistrettoPoint::identity, |a, b| a + b)
}

/// One call of the bucket method, for a chunk.
fn sum_part(points: &[Point], weights: &[u128]) -> RistrettoPoint {
    RistrettoPoint::vartime_multiscalar_mul(
        weights.iter().map(|&weight| Scalar::from(weight)),
        points.iter().map(|point| point.0),
    )
}
