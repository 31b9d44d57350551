//! Sums of points under public weights of 128 bits: Pippenger's buckets in lanes. **Variable time.**
//!
//! A weight has 16 windows of 8 bits, each a signed digit d in [-128, 127]; what the highest gives on counts 2^128.
//! For each window there are buckets 0 to 128, and a point goes, by sign, into bucket |d| of each of its windows (the
//! zeroth is read by nobody). In the end bucket b counts b times, by summing from the top. (Pippenger; Bernstein,
//! Doumen, Lange, Oosterwijk, eprint 2012/549.)
//!
//! **The lanes are windows.** Two vectors of eight windows take the same point, broadcast, and each lane has buckets of
//! its own: so no two lanes ever meet in one bucket, and all eight additions are one. A bucket lies in three rows of
//! eight numbers; eight lanes' rows are read, and turned in registers. All buckets, some 400 KB, stay in a core's
//! second-level cache, whatever the number of points.
//!
//! Short sums go another way: each point times its weight, in lanes, and one sum over all.

use super::digits::Digits;
use super::edwards::{Add, Cached, Coordinates, Double, Extended};
use super::field::{Multiplicand, Reduced, choose, choose_factor, negated};
use super::machine::{Kernel, LANES, Machine};
use super::multiply::{Multiply, Table};
use curve25519_dalek::scalar::Scalar;

/// Buckets of a window, the zeroth included.
const BUCKETS: usize = 129;

/// Vectors of windows.
const HALVES: usize = 2;

/// 128 in each window: raises all digits, so that they are cut as bytes.
const RAISE: u128 = u128::from_le_bytes([128; 16]);

/// Below this many points, buckets cost more than they save.
const SHORT: usize = 64;

/// Digits of four bits in a weight: the highest takes what the lower ones carry.
const WEIGHT_DIGITS: usize = 33;

/// Points whose coordinates are read at a time.
pub(crate) const STEP: usize = 256;

/// One bucket of one window: the limbs of X, Y, Z and T, and four numbers unused.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Bucket([[u64; LANES]; 3]);

impl Bucket {
    /// The neutral element.
    const EMPTY: Self = Bucket([[0, 0, 0, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0, 0, 0], [0; LANES]]);
}

/// The same bucket of eight windows.
type Row = [Bucket; LANES];

/// A sum that is being made.
pub(crate) struct Sum<M: Machine> {
    /// By half, then by bucket.
    rows: Vec<Row>,
    /// In each lane the sum of points whose weights' highest window gave on.
    carried: Extended<M>,
}

/// One row of each bucket, turned: a word for each number of the row.
#[inline(always)]
fn turned<M: Machine>(m: M, buckets: [&Bucket; LANES], row: usize) -> [M::Word; LANES] {
    let [a, b, c, d, e, f, g, h] = buckets;
    m.transpose([
        m.word(a.0[row]),
        m.word(b.0[row]),
        m.word(c.0[row]),
        m.word(d.0[row]),
        m.word(e.0[row]),
        m.word(f.0[row]),
        m.word(g.0[row]),
        m.word(h.0[row]),
    ])
}

/// Eight windows' buckets as points, one in each lane.
#[inline(always)]
fn read<M: Machine>(m: M, buckets: [&Bucket; LANES]) -> Extended<M> {
    let [x0, x1, x2, x3, x4, y0, y1, y2] = turned(m, buckets, 0);
    let [y3, y4, z0, z1, z2, z3, z4, t0] = turned(m, buckets, 1);
    let [t1, t2, t3, t4, _, _, _, _] = turned(m, buckets, 2);
    Extended {
        x: Reduced::from_words(m, [x0, x1, x2, x3, x4]),
        y: Reduced::from_words(m, [y0, y1, y2, y3, y4]),
        z: Reduced::from_words(m, [z0, z1, z2, z3, z4]),
        t: Reduced::from_words(m, [t0, t1, t2, t3, t4]),
    }
}

/// Limbs of eight points as second operands: what is broadcast.
struct Operands {
    sum: [[u64; LANES]; 5],
    difference: [[u64; LANES]; 5],
    z: [[u64; LANES]; 5],
    t: [[u64; LANES]; 5],
}

/// Adds one point, by its digits, to a bucket of each of eight windows.
struct AddToBuckets<'a, const AFFINE: bool> {
    rows: &'a mut [Row],
    operands: &'a Operands,
    /// Which of the eight points.
    lane: usize,
    /// Raised digits of the windows.
    digits: &'a [u8; LANES],
}

impl<M: Machine, const AFFINE: bool> Kernel<M> for AddToBuckets<'_, AFFINE> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let AddToBuckets { rows, operands, lane, digits } = self;
        let mut negative = 0;
        let mut places = [0; LANES];
        for (window, (place, digit)) in places.iter_mut().zip(digits).enumerate() {
            *place = usize::from(digit.abs_diff(128));
            negative |= u8::from(*digit < 128) << window;
        }
        let negative = m.mask(negative);
        let sum = Reduced::broadcast(m, &operands.sum, lane);
        let difference = Reduced::broadcast(m, &operands.difference, lane);
        let t = Reduced::broadcast(m, &operands.t, lane);
        let point = Cached {
            sum: choose(m, negative, sum, difference),
            difference: choose(m, negative, difference, sum),
            z: Reduced::broadcast(m, &operands.z, lane),
            t: choose_factor(m, negative, Multiplicand::from(t), negated(m, t)),
        };
        let [a, b, c, d, e, f, g, h] = places;
        let read = read(
            m,
            [&rows[a][0], &rows[b][1], &rows[c][2], &rows[d][3], &rows[e][4], &rows[f][5], &rows[g][6], &rows[h][7]],
        );
        let [first, second, third] = read.plus::<AFFINE, _>(m, &point).rows(m);
        for window in 0..LANES {
            let bucket = &mut rows[places[window]][window];
            bucket.0 = [m.lanes(first[window]), m.lanes(second[window]), m.lanes(third[window])];
        }
    }
}

/// Eight points as second operands; and those in `carries` are added to the carried sum, lane by lane.
struct Prepare<'a, M: Machine> {
    points: &'a [Coordinates; LANES],
    carries: u8,
    carried: &'a mut Extended<M>,
}

impl<M: Machine> Kernel<M> for Prepare<'_, M> {
    type Output = Operands;

    #[inline(always)]
    fn run(self, m: M) -> Operands {
        let cached = Extended::load(m, self.points).cached(m);
        let nothing = Cached::identity(m);
        let mask = m.mask(self.carries);
        let some = Cached {
            sum: choose(m, mask, nothing.sum, cached.sum),
            difference: choose(m, mask, nothing.difference, cached.difference),
            z: choose(m, mask, nothing.z, cached.z),
            t: choose(m, mask, nothing.t, cached.t),
        };
        m.call(Add::<_, _, true>(self.carried, &some));
        Operands {
            sum: cached.sum.store(m),
            difference: cached.difference.store(m),
            z: cached.z.store(m),
            t: cached.t.store(m),
        }
    }
}

/// The sum of each window: bucket b counts b times.
struct Collect<'a> {
    /// The rows of one half.
    rows: &'a [Row],
}

impl<M: Machine> Kernel<M> for Collect<'_> {
    type Output = Extended<M>;

    #[inline(always)]
    fn run(self, m: M) -> Extended<M> {
        // once bucket b is in `from_here`, that is the sum of all buckets from b on, and it counts once more
        let (mut from_here, mut total) = (Extended::identity(m), Extended::identity(m));
        for row in self.rows[1..].iter().rev() {
            let bucket = read(m, row.each_ref()).cached(m);
            m.call(Add::<_, _, true>(&mut from_here, &bucket));
            let cached = from_here.cached(m);
            m.call(Add::<_, _, true>(&mut total, &cached));
        }
        total
    }
}

/// `point * 2^times + other`.
struct DoubleAndAdd<'a, M: Machine> {
    point: &'a mut Extended<M>,
    times: u32,
    other: &'a Extended<M>,
}

impl<M: Machine> Kernel<M> for DoubleAndAdd<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        for time in 0..self.times {
            if time + 1 == self.times {
                m.call(Double::<_, true>(self.point));
            } else {
                m.call(Double::<_, false>(self.point));
            }
        }
        let cached = self.other.cached(m);
        m.call(Add::<_, _, true>(self.point, &cached));
    }
}

/// The points of the lanes.
struct Lanes<'a, M: Machine>(&'a Extended<M>);

impl<M: Machine> Kernel<M> for Lanes<'_, M> {
    type Output = [Coordinates; LANES];

    #[inline(always)]
    fn run(self, m: M) -> [Coordinates; LANES] {
        let mut points = [Coordinates::IDENTITY; LANES];
        self.0.store(m, &mut points);
        points
    }
}

/// One point in lane 0, nothing in the others.
struct Alone(Coordinates);

impl<M: Machine> Kernel<M> for Alone {
    type Output = Extended<M>;

    #[inline(always)]
    fn run(self, m: M) -> Extended<M> {
        let mut points = [Coordinates::IDENTITY; LANES];
        points[0] = self.0;
        Extended::load(m, &points)
    }
}

/// `lane 0 + 2^shift * (lane 1 + 2^shift * (lane 2 + ...))`, in lane 0.
fn across<M: Machine>(m: M, point: &Extended<M>, shift: u32) -> Extended<M> {
    let mut total = Extended::identity(m);
    for lane in m.call(Lanes(point)).into_iter().rev() {
        let other = m.call(Alone(lane));
        m.call(DoubleAndAdd { point: &mut total, times: shift, other: &other });
    }
    total
}

impl<M: Machine> Sum<M> {
    /// Of nothing.
    pub(crate) fn new(m: M) -> Self {
        Sum { rows: vec![[Bucket::EMPTY; LANES]; HALVES * BUCKETS], carried: Extended::identity(m) }
    }

    /// Adds `weight * point` for each pair.
    pub(crate) fn add(&mut self, m: M, points: &[Coordinates], weights: &[u128]) {
        for (points, weights) in points.chunks(LANES).zip(weights.chunks(LANES)) {
            let mut eight = [Coordinates::IDENTITY; LANES];
            eight[..points.len()].copy_from_slice(points);
            let mut digits = [[0; 16]; LANES];
            let mut carries = 0;
            for (lane, (weight, digits)) in weights.iter().zip(&mut digits).enumerate() {
                let (raised, carry) = weight.overflowing_add(RAISE);
                *digits = raised.to_le_bytes();
                carries |= u8::from(carry) << lane;
            }
            let operands = m.call(Prepare { points: &eight, carries, carried: &mut self.carried });
            let affine = points.iter().all(Coordinates::is_affine);
            for (lane, digits) in digits[..points.len()].iter().enumerate() {
                for (rows, digits) in self.rows.chunks_mut(BUCKETS).zip(digits.as_chunks::<LANES>().0) {
                    if affine {
                        m.call(AddToBuckets::<true> { rows, operands: &operands, lane, digits });
                    } else {
                        m.call(AddToBuckets::<false> { rows, operands: &operands, lane, digits });
                    }
                }
            }
        }
    }

    /// The sum.
    pub(crate) fn finish(self, m: M) -> Coordinates {
        // lane by lane: 2^64 * (2^64 * carried + windows 8 to 15) + windows 0 to 7
        let mut total = across(m, &self.carried, 0);
        for rows in self.rows.chunks(BUCKETS).rev() {
            let windows = m.call(Collect { rows });
            m.call(DoubleAndAdd { point: &mut total, times: 64, other: &windows });
        }
        let total = across(m, &total, 8);
        let [first, ..] = m.call(Lanes(&total));
        first
    }
}

/// Each vector times its weights, and all added up.
struct MultiplyAndAdd<'a, M: Machine> {
    vectors: &'a mut [Extended<M>],
    weights: &'a [u128],
}

impl<M: Machine> Kernel<M> for MultiplyAndAdd<'_, M> {
    type Output = Extended<M>;

    #[inline(always)]
    fn run(self, m: M) -> Extended<M> {
        let mut table = Table::new(m);
        let mut total = Extended::identity(m);
        for (points, weights) in self.vectors.iter_mut().zip(self.weights.chunks(LANES)) {
            let mut eight = [Scalar::ZERO; LANES];
            for (scalar, weight) in eight.iter_mut().zip(weights) {
                *scalar = Scalar::from(*weight);
            }
            let digits = Digits::of_each(m, &eight);
            m.call(Multiply { points, digits: &digits, places: WEIGHT_DIGITS, table: &mut table });
            let cached = points.cached(m);
            m.call(Add::<_, _, true>(&mut total, &cached));
        }
        total
    }
}

/// Whether so many points are summed without buckets.
pub(crate) fn is_short(points: usize) -> bool {
    points < SHORT
}

/// The sum of few points.
pub(crate) fn short<M: Machine>(m: M, vectors: &mut [Extended<M>], weights: &[u128]) -> Coordinates {
    let total = m.call(MultiplyAndAdd { vectors, weights });
    let [first, ..] = m.call(Lanes(&across(m, &total, 0)));
    first
}
