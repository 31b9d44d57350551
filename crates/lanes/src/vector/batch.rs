//! Chunks of points through the vectors of eight: loading, the kernels in turn, storing, and wiping.
//!
//! A chunk that does not fill its last vector is filled up with the neutral element, whose results nobody reads.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, Zeroizing};

use super::decode::Decode;
use super::digits::{DIGITS, Digits};
use super::edwards::{Coordinates, Extended};
use super::encode::{Encode, EncodeDoubled};
use super::fixed::{self, AddMultiples, Window};
use super::machine::{Kernel, LANES, Machine};
use super::map::Map;
use super::multiply::{Multiply, Table};
use super::sum::{self, Sum};
use crate::Why;
use crate::backend::{Arithmetic, Multiples, Secrets};
use crate::plain::Plain;
use crate::point::{Form, Point};

/// Vectors whose square roots go side by side: four chains fill the latency of the multiplier.
const IN_FLIGHT: usize = 4;

/// The arithmetic of a machine of eight lanes.
pub(crate) struct Vectors<M: Machine>(pub(crate) M);

/// Reads points into vectors.
pub(crate) struct Load<'a, M: Machine> {
    points: &'a [Coordinates],
    vectors: &'a mut Vec<Extended<M>>,
}

impl<M: Machine> Kernel<M> for Load<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let (full, tail) = self.points.as_chunks::<LANES>();
        for eight in full {
            self.vectors.push(Extended::load(m, eight));
        }
        if !tail.is_empty() {
            let mut eight = [Coordinates::IDENTITY; LANES];
            eight[..tail.len()].copy_from_slice(tail);
            self.vectors.push(Extended::load(m, &eight));
            eight.zeroize();
        }
    }
}

/// Writes vectors to points, as many as there are places.
pub(crate) struct Store<'a, M: Machine> {
    vectors: &'a [Extended<M>],
    points: &'a mut [Point],
}

impl<M: Machine> Kernel<M> for Store<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let mut eight = [Coordinates::IDENTITY; LANES];
        for (vector, places) in self.vectors.iter().zip(self.points.chunks_mut(LANES)) {
            vector.store(m, &mut eight);
            for (place, coordinates) in places.iter_mut().zip(&eight) {
                *place = Point(Form::Lanes(*coordinates));
            }
        }
        eight.zeroize();
    }
}

/// Multiplies vectors by their secrets.
pub(crate) struct MultiplyVectors<'a, M: Machine> {
    vectors: &'a mut [Extended<M>],
    secrets: Secrets<'a>,
    /// How many digits of them count.
    places: usize,
}

impl<M: Machine> Kernel<M> for MultiplyVectors<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let mut table = Table::new(m);
        match self.secrets {
            Secrets::One(secret) => {
                let digits = Digits::of_one(m, secret);
                for points in self.vectors {
                    m.call(Multiply { points, digits: &digits, places: self.places, table: &mut table });
                }
            }
            Secrets::Each(secrets) => {
                for (points, secrets) in self.vectors.iter_mut().zip(secrets.chunks(LANES)) {
                    let mut eight = Zeroizing::new([Scalar::ZERO; LANES]);
                    eight[..secrets.len()].copy_from_slice(secrets);
                    let digits = Digits::of_each(m, &eight);
                    m.call(Multiply { points, digits: &digits, places: self.places, table: &mut table });
                }
            }
        }
    }
}

/// A single point of dalek's: to convert it would cost what the lanes save.
fn is_one_of_dalek(points: &[Point]) -> bool {
    points.len() == 1 && points[0].is_dalek()
}

/// Whole vectors of encodings and their places in the output.
fn copy_out(vectors: &[[[u8; 32]; LANES]], encoded: &mut [[u8; 32]]) {
    for (places, vector) in encoded.chunks_mut(LANES).zip(vectors) {
        places.copy_from_slice(&vector[..places.len()]);
    }
}

/// Runs a kernel over vectors, four in flight as long as there are four, then one by one.
macro_rules! in_flight {
    ($count:expr, |$start:ident, $n:ident| $body:expr) => {{
        let mut $start = 0;
        while $start < $count {
            if $count - $start >= IN_FLIGHT {
                const $n: usize = IN_FLIGHT;
                $body;
                $start += $n;
            } else {
                const $n: usize = 1;
                $body;
                $start += $n;
            }
        }
    }};
}

impl<M: Machine> Vectors<M> {
    /// Points as limbs, of whatever form they are; wiped when dropped.
    fn coordinates(&self, points: &[Point]) -> Zeroizing<Vec<Coordinates>> {
        let mut coordinates = Zeroizing::new(Vec::with_capacity(points.len()));
        let mut foreign = Vec::new();
        for (place, point) in points.iter().enumerate() {
            coordinates.push(match &point.0 {
                Form::Lanes(coordinates) => *coordinates,
                Form::Dalek(point) => {
                    foreign.push((place, point));
                    Coordinates::IDENTITY
                }
            });
        }
        if !foreign.is_empty() {
            self.convert(&foreign, &mut coordinates);
        }
        coordinates
    }

    /// Points as vectors; wiped when dropped.
    fn load(&self, points: &[Point]) -> Zeroizing<Vec<Extended<M>>> {
        let coordinates = self.coordinates(points);
        let mut vectors = Zeroizing::new(Vec::with_capacity(points.len().div_ceil(LANES)));
        self.0.call(Load { points: &coordinates, vectors: &mut vectors });
        vectors
    }

    /// Coordinates of dalek's points, which shows none of its own: through the encoding.
    fn convert(&self, foreign: &[(usize, &RistrettoPoint)], coordinates: &mut [Coordinates]) {
        let encoded: Zeroizing<Vec<[u8; 32]>> =
            Zeroizing::new(foreign.iter().map(|(_, point)| point.compress().to_bytes()).collect());
        let (vectors, _) = self.decode_vectors(&encoded);
        let mut eight = [Coordinates::IDENTITY; LANES];
        for (vector, places) in vectors.iter().zip(foreign.chunks(LANES)) {
            self.0.call(StoreOne { vector, eight: &mut eight });
            for ((place, _), from) in places.iter().zip(&eight) {
                coordinates[*place] = *from;
            }
        }
        eight.zeroize();
    }

    /// The doubles' encodings.
    fn encode_doubled(&self, vectors: &[Extended<M>], encoded: &mut [[u8; 32]]) {
        let mut bytes = Zeroizing::new(vec![[[0; 32]; LANES]; vectors.len()]);
        self.0.call(EncodeDoubled { points: vectors, encoded: &mut bytes });
        copy_out(&bytes, encoded);
    }

    /// Decoded vectors, and the lanes of each that are elements.
    fn decode_vectors(&self, encoded: &[[u8; 32]]) -> (Zeroizing<Vec<Extended<M>>>, Vec<u8>) {
        let count = encoded.len().div_ceil(LANES);
        let mut vectors = Zeroizing::new(vec![Extended::identity(self.0); count]);
        let mut valid = vec![0; count];
        in_flight!(count, |start, N| {
            let mut from = [[[0; 32]; LANES]; N];
            let end = encoded.len().min((start + N) * LANES);
            from.as_flattened_mut()[..end - start * LANES].copy_from_slice(&encoded[start * LANES..end]);
            if let Some(points) = vectors[start..].first_chunk_mut::<N>() {
                let lanes = self.0.call(Decode { encoded: &from, points });
                valid[start..start + N].copy_from_slice(&lanes);
            }
        });
        (vectors, valid)
    }
}

/// One vector to eight points.
struct StoreOne<'a, M: Machine> {
    vector: &'a Extended<M>,
    eight: &'a mut [Coordinates; LANES],
}

impl<M: Machine> Kernel<M> for StoreOne<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        self.vector.store(m, self.eight);
    }
}

impl<M: Machine> Arithmetic for Vectors<M> {
    fn decode(&self, encoded: &[[u8; 32]], points: &mut [Point], refused: &mut [Option<Why>]) {
        let (vectors, valid) = self.decode_vectors(encoded);
        self.0.call(Store { vectors: &vectors, points });
        for (place, (bytes, refused)) in encoded.iter().zip(refused).enumerate() {
            *refused = if valid[place / LANES] >> (place % LANES) & 1 == 0 {
                Some(Why::NotCanonical)
            } else if *bytes == [0; 32] {
                Some(Why::Identity)
            } else {
                None
            };
        }
    }

    fn multiply(&self, points: &[Point], secrets: Secrets, products: &mut [Point]) {
        if is_one_of_dalek(points) {
            return Plain.multiply(points, secrets, products);
        }
        let mut vectors = self.load(points);
        self.0.call(MultiplyVectors { vectors: &mut vectors, secrets, places: DIGITS });
        self.0.call(Store { vectors: &vectors, points: products });
    }

    fn encode(&self, points: &[Point], encoded: &mut [[u8; 32]]) {
        if points.iter().any(Point::is_dalek) {
            // to convert one would be to encode it
            let own: Zeroizing<Vec<Point>> = Zeroizing::new(points.iter().filter(|p| !p.is_dalek()).copied().collect());
            let mut own_encoded = Zeroizing::new(vec![[0; 32]; own.len()]);
            self.encode(&own, &mut own_encoded);
            let mut own_encoded = own_encoded.iter();
            for (point, place) in points.iter().zip(encoded) {
                *place = match &point.0 {
                    Form::Dalek(point) => point.compress().to_bytes(),
                    Form::Lanes(_) => own_encoded.next().copied().unwrap_or_default(),
                };
            }
            return;
        }
        let vectors = self.load(points);
        let mut bytes = Zeroizing::new(vec![[[0; 32]; LANES]; vectors.len()]);
        in_flight!(vectors.len(), |start, N| {
            if let (Some(points), Some(encoded)) =
                (vectors[start..].first_chunk::<N>(), bytes[start..].first_chunk_mut::<N>())
            {
                self.0.call(Encode { points, encoded });
            }
        });
        copy_out(&bytes, encoded);
    }

    fn encode_multiplied(&self, points: &[Point], secrets: Secrets, encoded: &mut [[u8; 32]]) {
        if is_one_of_dalek(points) {
            return Plain.encode_multiplied(points, secrets, encoded);
        }
        let mut vectors = self.load(points);
        let halves = secrets.halved();
        self.0.call(MultiplyVectors { vectors: &mut vectors, secrets: halves.as_secrets(), places: DIGITS });
        self.encode_doubled(&vectors, encoded);
    }

    fn windows(&self, base: &RistrettoPoint) -> Box<[Window]> {
        let (multiples, _) = self.decode_vectors(&fixed::encoded_multiples(base));
        fixed::windows(self.0, &multiples)
    }

    fn encode_multiplied_plus(&self, points: &[Point], secret: &Scalar, plus: Multiples, encoded: &mut [[u8; 32]]) {
        let mut vectors = self.load(points);
        let half = Zeroizing::new(secret.div_by_2());
        self.0.call(MultiplyVectors { vectors: &mut vectors, secrets: Secrets::One(&half), places: DIGITS });
        let halves: Zeroizing<Vec<Scalar>> = Zeroizing::new(plus.scalars.iter().map(Scalar::div_by_2).collect());
        let windows = plus.base.windows(self);
        self.0.call(AddMultiples { points: &mut vectors, scalars: &halves, less: false, windows });
        self.encode_doubled(&vectors, encoded);
    }

    fn encode_doubled_less(&self, points: &[Point], less: Multiples, encoded: &mut [[u8; 32]]) {
        let (mut vectors, windows) = (self.load(points), less.base.windows(self));
        self.0.call(AddMultiples { points: &mut vectors, scalars: less.scalars, less: true, windows });
        self.encode_doubled(&vectors, encoded);
    }

    fn map(&self, uniform: &[[u8; 64]], points: &mut [Point]) {
        let mut vectors = Zeroizing::new([Extended::identity(self.0); 2]);
        let mut padded = Zeroizing::new([[[0; 64]; LANES]; 2]);
        for (from, to) in uniform.chunks(2 * LANES).zip(points.chunks_mut(2 * LANES)) {
            padded.as_flattened_mut()[..from.len()].copy_from_slice(from);
            if from.len() > LANES {
                self.0.call(Map::<_, 4> { uniform: &*padded, points: &mut *vectors });
            } else {
                self.0.call(Map::<_, 2> { uniform: &padded[..1], points: &mut vectors[..1] });
            }
            self.0.call(Store { vectors: &*vectors, points: to });
        }
    }

    fn sum_weighted_vartime(&self, points: &[Point], weights: &[u128]) -> RistrettoPoint {
        if points.iter().any(Point::is_dalek) {
            // converting costs more than adding
            let (theirs, own): (Vec<_>, Vec<_>) =
                points.iter().copied().zip(weights.iter().copied()).partition(|(point, _)| point.is_dalek());
            let ((theirs, their_weights), (own, own_weights)): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) =
                (theirs.into_iter().unzip(), own.into_iter().unzip());
            let theirs = Plain.sum_weighted_vartime(&theirs, &their_weights);
            return if own.is_empty() { theirs } else { theirs + self.sum_weighted_vartime(&own, &own_weights) };
        }
        let sum = if sum::is_short(points.len()) {
            sum::short(self.0, &mut self.load(points), weights)
        } else {
            let mut sum = Sum::new(self.0);
            for (points, weights) in points.chunks(sum::STEP).zip(weights.chunks(sum::STEP)) {
                sum.add(self.0, &self.coordinates(points), weights);
            }
            sum.finish(self.0)
        };
        Point(Form::Lanes(sum)).to_dalek()
    }
}
