//! The operations on batches of any length: cut into chunks, on all cores, results in order.

use std::sync::atomic::{AtomicUsize, Ordering};

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

use crate::backend::{Arithmetic, Multiples, Secrets};
use crate::{Backend, FixedBase, Invalid, Point, Why, chunked};

/// How batches run: on which backend, and who watches. Its methods are the operations of this package; the free
/// functions of the same names are [`Run::chosen`]'s.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// let done = AtomicUsize::new(0);
/// let watch = |points| {
///     done.fetch_add(points, Relaxed);
/// };
/// let mapped = lanes::Run::chosen().watched(&watch).from_uniform(&[[7; 64]; 1000]);
/// assert_eq!((mapped.len(), done.load(Relaxed)), (1000, 1000));
/// ```
#[derive(Clone, Copy)]
pub struct Run<'a> {
    backend: Backend,
    watch: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> Run<'a> {
    /// On the backend of this process.
    pub fn chosen() -> Self {
        Self::on(Backend::chosen())
    }

    /// On a certain backend.
    pub fn on(backend: Backend) -> Self {
        Run { backend, watch: None }
    }

    /// Calls `watch` after each chunk, on whatever core, with the number of points that are done since the last call.
    /// Chunks are some hundreds of points; the numbers add up to the length of the batch.
    pub fn watched(self, watch: &'a (dyn Fn(usize) + Sync)) -> Self {
        Run { watch: Some(watch), ..self }
    }

    /// Decodes encodings of ristretto255 (RFC 9496, section 4.3.1), and refuses the identity.
    ///
    /// The result has one point for each encoding, in order. The time depends on whether encodings are valid, and on
    /// nothing else of them.
    ///
    /// # Errors
    /// The lowest index whose encoding is not canonical or is the identity, with the reason; the same on any number of
    /// cores. A batch that is refused was not always read to its end.
    pub fn decode(&self, encoded: &[[u8; 32]]) -> Result<Vec<Point>, Invalid> {
        let mut points = vec![Point::identity(); encoded.len()];
        let lowest = Lowest::new();
        self.fill(&mut points, |arithmetic, start, part| {
            let encoded = &encoded[start..start + part.len()];
            if start < lowest.bound() {
                let mut refused = vec![None; part.len()];
                arithmetic.decode(encoded, part, &mut refused);
                lowest.note(start, &refused);
            }
        });
        lowest.verdict(encoded).map_or(Ok(points), Err)
    }

    /// A verdict for each encoding, in order: the point, or why there is none.
    pub fn decode_each(&self, encoded: &[[u8; 32]]) -> Vec<Result<Point, Why>> {
        let mut verdicts = vec![Err(Why::NotCanonical); encoded.len()];
        self.fill(&mut verdicts, |arithmetic, start, part| {
            let mut points = vec![Point::identity(); part.len()];
            let mut refused = vec![None; part.len()];
            arithmetic.decode(&encoded[start..start + part.len()], &mut points, &mut refused);
            for ((verdict, point), refused) in part.iter_mut().zip(points).zip(refused) {
                *verdict = refused.map_or(Ok(point), Err);
            }
        });
        verdicts
    }

    /// The canonical encodings (RFC 9496, section 4.3.2), in order.
    pub fn encode(&self, points: &[Point]) -> Vec<[u8; 32]> {
        let mut encoded = vec![[0; 32]; points.len()];
        self.fill(&mut encoded, |arithmetic, start, part| {
            arithmetic.encode(&points[start..start + part.len()], part);
        });
        encoded
    }

    /// `secret * P_i` for each point, in order.
    pub fn multiply(&self, points: &[Point], secret: &Scalar) -> Vec<Point> {
        let mut products = vec![Point::identity(); points.len()];
        self.fill(&mut products, |arithmetic, start, part| {
            arithmetic.multiply(&points[start..start + part.len()], Secrets::One(secret), part);
        });
        products
    }

    /// The canonical encodings of `secret * P_i`, in order.
    ///
    /// The identity is encoded as 32 zero bytes, as RFC 9496 has it: a point or scalar that was zero shows in the
    /// result.
    pub fn encode_multiplied(&self, points: &[Point], secret: &Scalar) -> Vec<[u8; 32]> {
        let mut encoded = vec![[0; 32]; points.len()];
        self.fill(&mut encoded, |arithmetic, start, part| {
            arithmetic.encode_multiplied(&points[start..start + part.len()], Secrets::One(secret), part);
        });
        encoded
    }

    /// The canonical encodings of `secret_i * P_i`, in order: each point with its own scalar.
    ///
    /// Points and secrets are taken in pairs; should one slice be longer, what has no partner is left out, and the
    /// result is as long as the shorter one.
    pub fn encode_multiplied_each(&self, points: &[Point], secrets: &[Scalar]) -> Vec<[u8; 32]> {
        let mut encoded = vec![[0; 32]; points.len().min(secrets.len())];
        self.fill(&mut encoded, |arithmetic, start, part| {
            let range = start..start + part.len();
            arithmetic.encode_multiplied(&points[range.clone()], Secrets::Each(&secrets[range]), part);
        });
        encoded
    }

    /// The canonical encodings of `secret * P_i + scalar_i * B`, in order, where B is the public point of `base`; secret
    /// and scalars may be secret.
    ///
    /// Points and scalars are taken in pairs, as by [`Self::encode_multiplied_each`].
    pub fn encode_multiplied_plus(
        &self,
        points: &[Point],
        secret: &Scalar,
        base: &FixedBase,
        scalars: &[Scalar],
    ) -> Vec<[u8; 32]> {
        let mut encoded = vec![[0; 32]; points.len().min(scalars.len())];
        self.fill(&mut encoded, |arithmetic, start, part| {
            let range = start..start + part.len();
            let plus = Multiples { base, scalars: &scalars[range.clone()] };
            arithmetic.encode_multiplied_plus(&points[range], secret, plus, part);
        });
        encoded
    }

    /// The canonical encodings of `2 * (P_i - scalar_i * B)`, in order, where B is the public point of `base`; points
    /// and scalars may be secret. Doubled, because the encoding of a double costs no root (see the package).
    ///
    /// Points and scalars are taken in pairs, as by [`Self::encode_multiplied_each`].
    pub fn encode_doubled_less(&self, points: &[Point], base: &FixedBase, scalars: &[Scalar]) -> Vec<[u8; 32]> {
        let mut encoded = vec![[0; 32]; points.len().min(scalars.len())];
        self.fill(&mut encoded, |arithmetic, start, part| {
            let range = start..start + part.len();
            let less = Multiples { base, scalars: &scalars[range.clone()] };
            arithmetic.encode_doubled_less(&points[range], less, part);
        });
        encoded
    }

    /// [`Self::decode`] and [`Self::encode_multiplied`] in one pass, without the points in between in memory.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_encode_multiplied(&self, encoded: &[[u8; 32]], secret: &Scalar) -> Result<Vec<[u8; 32]>, Invalid> {
        self.decode_then_multiply(encoded, |_| Secrets::One(secret))
    }

    /// [`Self::decode`] and [`Self::encode_multiplied_each`] in one pass, without the points in between in memory.
    ///
    /// # Errors
    /// As [`Self::decode`], for the encodings that have a scalar.
    pub fn decode_encode_multiplied_each(
        &self,
        encoded: &[[u8; 32]],
        secrets: &[Scalar],
    ) -> Result<Vec<[u8; 32]>, Invalid> {
        let pairs = encoded.len().min(secrets.len());
        self.decode_then_multiply(&encoded[..pairs], |range| Secrets::Each(&secrets[range]))
    }

    /// The fused operations, chunk by chunk.
    fn decode_then_multiply<'s>(
        &self,
        encoded: &[[u8; 32]],
        secrets: impl Fn(std::ops::Range<usize>) -> Secrets<'s> + Sync + Send,
    ) -> Result<Vec<[u8; 32]>, Invalid> {
        let mut products = vec![[0; 32]; encoded.len()];
        let lowest = Lowest::new();
        self.fill(&mut products, |arithmetic, start, part| {
            if start < lowest.bound() {
                let range = start..start + part.len();
                let mut points = Zeroizing::new(vec![Point::identity(); part.len()]);
                let mut refused = vec![None; part.len()];
                arithmetic.decode(&encoded[range.clone()], &mut points, &mut refused);
                if !lowest.note(start, &refused) {
                    arithmetic.encode_multiplied(&points, secrets(range), part);
                }
            }
        });
        match lowest.verdict(encoded) {
            None => Ok(products),
            Some(invalid) => {
                products.zeroize();
                Err(invalid)
            }
        }
    }

    /// Maps each 64 uniform bytes to a point: the element derivation function of RFC 9496, section 4.3.4, which is
    /// also the `map_to_curve` of RFC 9380's ristretto255 suite. Hashing to those 64 bytes is the caller's.
    ///
    /// The result has one point for each input, in order. It can be the identity, for a choice of bytes that nobody
    /// finds. The bytes may be secret.
    pub fn from_uniform(&self, bytes: &[[u8; 64]]) -> Vec<Point> {
        let mut points = vec![Point::identity(); bytes.len()];
        self.fill(&mut points, |arithmetic, start, part| {
            arithmetic.map(&bytes[start..start + part.len()], part);
        });
        points
    }

    /// The sum of `weight_i * P_i`. Variable time: **public points and weights only**.
    ///
    /// Points and weights are taken in pairs; should one slice be longer, what has no partner is left out. The sum of
    /// nothing is the identity.
    pub fn sum_weighted_vartime(&self, points: &[Point], weights: &[u128]) -> RistrettoPoint {
        let pairs = points.len().min(weights.len());
        let (points, weights) = (&points[..pairs], &weights[..pairs]);
        let arithmetic = self.backend.arithmetic();
        let part = |(points, weights): (&[Point], &[u128])| {
            let sum = arithmetic.sum_weighted_vartime(points, weights);
            self.tell(points.len());
            sum
        };
        let length = chunked::sum_length(pairs);
        if pairs <= length {
            return part((points, weights));
        }
        let parts = points.par_chunks(length).zip(weights.par_chunks(length));
        parts.map(part).reduce(RistrettoPoint::identity, |a, b| a + b)
    }

    /// Fills an array with `fill(arithmetic, start, part)`, where `part` begins at index `start` of it.
    fn fill<T: Send>(&self, filled: &mut [T], fill: impl Fn(&dyn Arithmetic, usize, &mut [T]) + Sync + Send) {
        let arithmetic = self.backend.arithmetic();
        chunked::fill(filled, |start, part| {
            fill(arithmetic, start, part);
            self.tell(part.len());
        });
    }

    /// Tells the watcher, if there is one.
    fn tell(&self, points: usize) {
        if let Some(watch) = self.watch {
            watch(points);
        }
    }
}

/// The lowest place that was refused, over all cores.
struct Lowest(AtomicUsize);

impl Lowest {
    fn new() -> Self {
        Lowest(AtomicUsize::new(usize::MAX))
    }

    /// Nothing at or past this place matters any more.
    fn bound(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes in the verdicts of a chunk that begins at `start`; whether any was bad.
    fn note(&self, start: usize, refused: &[Option<Why>]) -> bool {
        let first = refused.iter().position(Option::is_some);
        if let Some(offset) = first {
            self.0.fetch_min(start + offset, Ordering::Relaxed);
        }
        first.is_some()
    }

    /// The lowest bad one of the batch, once all cores are done.
    fn verdict(&self, encoded: &[[u8; 32]]) -> Option<Invalid> {
        let index = self.bound();
        let bytes = encoded.get(index)?;
        let why = if *bytes == [0; 32] { Why::Identity } else { Why::NotCanonical };
        Some(Invalid { index, why })
    }
}
