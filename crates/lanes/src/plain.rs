//! The backend on every machine: curve25519-dalek, point by point, with the batch forms that it offers.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use zeroize::{Zeroize, Zeroizing};

use crate::Why;
use crate::backend::{Arithmetic, Multiples, Secrets};
use crate::point::Point;
use crate::vector::fixed::Window;

/// The backend `dalek`.
pub(crate) struct Plain;

impl Arithmetic for Plain {
    fn decode(&self, encoded: &[[u8; 32]], points: &mut [Point], refused: &mut [Option<Why>]) {
        for ((bytes, point), refused) in encoded.iter().zip(points).zip(refused) {
            let decoded = CompressedRistretto(*bytes).decompress();
            *refused = match decoded {
                Some(_) if *bytes == [0; 32] => Some(Why::Identity),
                Some(_) => None,
                None => Some(Why::NotCanonical),
            };
            *point = decoded.unwrap_or_default().into();
        }
    }

    fn multiply(&self, points: &[Point], secrets: Secrets, products: &mut [Point]) {
        for (place, (point, product)) in points.iter().zip(products).enumerate() {
            *product = point.with_dalek(|point| point * secrets.at(place)).into();
        }
    }

    fn encode(&self, points: &[Point], encoded: &mut [[u8; 32]]) {
        for (point, place) in points.iter().zip(encoded) {
            *place = point.with_dalek(|point| point.compress().to_bytes());
        }
    }

    /// Encodes doubles of halves, with one inversion for all; the halves are wiped.
    fn encode_multiplied(&self, points: &[Point], secrets: Secrets, encoded: &mut [[u8; 32]]) {
        let scalars = secrets.halved();
        let scalars = scalars.as_secrets();
        let half =
            |(place, point): (usize, &Point)| -> RistrettoPoint { point.with_dalek(|point| point * scalars.at(place)) };
        encode_doubled(points.iter().enumerate().map(half), encoded);
    }

    fn windows(&self, _: &RistrettoPoint) -> Box<[Window]> {
        Box::default()
    }

    fn encode_multiplied_plus(&self, points: &[Point], secret: &Scalar, plus: Multiples, encoded: &mut [[u8; 32]]) {
        let (half, table) = (Zeroizing::new(secret.div_by_2()), plus.base.table());
        let sums = points.iter().zip(plus.scalars).map(|(point, scalar)| {
            let scalar = Zeroizing::new(scalar.div_by_2());
            point.with_dalek(|point| point * *half) + table * &scalar
        });
        encode_doubled(sums, encoded);
    }

    fn encode_doubled_less(&self, points: &[Point], less: Multiples, encoded: &mut [[u8; 32]]) {
        let table = less.base.table();
        let differences =
            points.iter().zip(less.scalars).map(|(point, scalar)| point.with_dalek(|point| point - table * scalar));
        encode_doubled(differences, encoded);
    }

    fn map(&self, uniform: &[[u8; 64]], points: &mut [Point]) {
        for (bytes, point) in uniform.iter().zip(points) {
            *point = RistrettoPoint::from_uniform_bytes(bytes).into();
        }
    }

    fn sum_weighted_vartime(&self, points: &[Point], weights: &[u128]) -> RistrettoPoint {
        RistrettoPoint::vartime_multiscalar_mul(
            weights.iter().map(|&weight| Scalar::from(weight)),
            points.iter().map(|point| point.to_dalek()),
        )
    }
}

/// Encodes doubles, with one inversion for all; the points are wiped.
fn encode_doubled(points: impl ExactSizeIterator<Item = RistrettoPoint>, encoded: &mut [[u8; 32]]) {
    let mut halves: Vec<RistrettoPoint> = Vec::with_capacity(points.len());
    halves.extend(points);
    for (place, compressed) in encoded.iter_mut().zip(RistrettoPoint::double_and_compress_batch(&halves)) {
        *place = compressed.to_bytes();
    }
    halves.zeroize();
}
