//! The machine of intervals, for tests: each word is all that it could be, so one run of a formula speaks for all
//! inputs of its class.
//!
//! Every operation panics where some number of the interval would wrap, where a difference could be negative, and where
//! a factor could have more than 52 bits. Masks are unknown, so a choice joins both sides. What passes is proved for
//! all inputs: the formulas are the product's own, there is no second text of them.
//!
//! What it can't see: that a value is below p (see [`super::field::freeze`] for that argument), and which branch of a
//! choice is right; the agreement with dalek is for those.

use zeroize::Zeroize;

use super::decode::Decode;
use super::digits::Digits;
use super::edwards::{Add, Cached, Coordinates, Double, Extended};
use super::encode::{Encode, EncodeDoubled};
use super::field::{
    Multiplicand, Reduced, carry, difference, freeze, multiply, negated, negative, product, square, square_above, sum,
    widened,
};
use super::fixed::{AddMultiples, windows};
use super::machine::{Kernel, LANES, Machine};
use super::map::Map;
use super::multiply::{Multiply, Table};
use super::power::{inverse, root};
use super::sum::Sum;

/// All numbers from the first to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Between(u64, u64);

impl Zeroize for Between {
    fn zeroize(&mut self) {
        *self = Between(0, 0);
    }
}

/// The intervals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval;

/// The smallest interval that has both.
fn joined(a: Between, b: Between) -> Between {
    Between(a.0.min(b.0), a.1.max(b.1))
}

/// All numbers of as many bits as `n` has.
fn bits_of(n: u64) -> u64 {
    if n == 0 { 0 } else { u64::MAX >> n.leading_zeros() }
}

/// Both ends of a product of factors.
fn products(a: Between, b: Between) -> (u128, u128) {
    assert!(a.1 < 1 << 52 && b.1 < 1 << 52, "a factor may have more than 52 bits: {a:x?} * {b:x?}");
    (u128::from(a.0) * u128::from(b.0), u128::from(a.1) * u128::from(b.1))
}

impl Machine for Interval {
    type Word = Between;
    type Mask = ();

    fn call<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn inlined<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn word(self, lanes: [u64; LANES]) -> Between {
        lanes.into_iter().map(|lane| Between(lane, lane)).reduce(joined).unwrap()
    }

    /// Alternately both ends, so that what is read back has both.
    fn lanes(self, word: Between) -> [u64; LANES] {
        [word.0, word.1, word.0, word.1, word.0, word.1, word.0, word.1]
    }

    fn transpose(self, rows: [Between; LANES]) -> [Between; LANES] {
        [rows.into_iter().reduce(joined).unwrap(); LANES]
    }

    fn splat(self, value: u64) -> Between {
        Between(value, value)
    }

    fn add(self, a: Between, b: Between) -> Between {
        Between(a.0 + b.0, a.1.checked_add(b.1).expect("a sum may wrap"))
    }

    fn sub(self, a: Between, b: Between) -> Between {
        Between(a.0.checked_sub(b.1).expect("a difference may be negative"), a.1 - b.0)
    }

    fn add_low(self, sum: Between, a: Between, b: Between) -> Between {
        let (least, most) = products(a, b);
        let low = if most < 1 << 52 { Between(least as u64, most as u64) } else { Between(0, (1 << 52) - 1) };
        self.add(sum, low)
    }

    fn add_high(self, sum: Between, a: Between, b: Between) -> Between {
        let (least, most) = products(a, b);
        self.add(sum, Between((least >> 52) as u64, (most >> 52) as u64))
    }

    fn times(self, a: Between, factor: u64) -> Between {
        Between(a.0 * factor, a.1.checked_mul(factor).expect("a product may wrap"))
    }

    fn right<const N: u32>(self, a: Between) -> Between {
        Between(a.0 >> N, a.1 >> N)
    }

    fn left<const N: u32>(self, a: Between) -> Between {
        if a.1.leading_zeros() >= N { Between(a.0 << N, a.1 << N) } else { Between(0, u64::MAX << N) }
    }

    fn right_by(self, a: Between, bits: u32) -> Between {
        Between(a.0 >> bits, a.1 >> bits)
    }

    fn and(self, a: Between, b: Between) -> Between {
        if a.0 == a.1 && b.0 == b.1 { Between(a.0 & b.0, a.0 & b.0) } else { Between(0, a.1.min(b.1)) }
    }

    fn or(self, a: Between, b: Between) -> Between {
        Between(a.0.max(b.0), bits_of(a.1) | bits_of(b.1))
    }

    fn equal(self, _: Between, _: Between) {}

    fn meet(self, _: Between, _: Between) {}

    fn mask(self, _: u8) {}

    fn bits(self, (): ()) -> u8 {
        0b1010_0101
    }

    fn both(self, (): (), (): ()) {}

    fn either(self, (): (), (): ()) {}

    fn not(self, (): ()) {}

    fn choose(self, (): (), no: Between, yes: Between) -> Between {
        joined(no, yes)
    }

    fn spread(self, (): ()) -> Between {
        Between(0, u64::MAX)
    }

    fn pick(self, _: Between, no: Between, yes: Between) -> Between {
        joined(no, yes)
    }

    fn look(self, sixteen: [Between; 2], _: Between) -> Between {
        joined(sixteen[0], sixteen[1])
    }

    fn expect_below(self, word: Between, bound: u64) {
        assert!(word.1 < bound, "a limb may leave its class: {word:x?}, bound {bound:#x}");
    }
}

/// Every reduced number.
fn any() -> Reduced<Interval> {
    Reduced::from_words(Interval, Reduced::<Interval>::BOUNDS.map(|bound| Between(0, bound - 1)))
}

/// All points, of any reduced limbs.
fn any_points() -> Extended<Interval> {
    Extended { x: any(), y: any(), z: any(), t: any() }
}

const M: Interval = Interval;

// `Reduced::new` asserts the class of every result: what returns is proved.

#[test]
fn the_field_keeps_its_classes() {
    multiply(M, any(), any());
    square(M, any());
    sum(M, any(), any());
    difference(M, any(), any());
    negative(M, any());
    freeze(M, any());
    // factors as full as they may be
    let full: Multiplicand<Interval> = Multiplicand::from_words(M, [Between(0, (1 << 52) - 1); 5]);
    multiply(M, full, full);
    square(M, full);
    multiply(M, negated(M, any()), negated(M, any()));
    // all that a carry may be given
    carry(M, widened::<_, Reduced<_>>(any()));
    inverse(M, any());
    root(M, &[any()]);
}

#[test]
fn points_keep_their_classes() {
    let cached = any_points().cached(M);
    M.call(Double::<_, false>(&mut any_points()));
    M.call(Double::<_, true>(&mut any_points()));
    M.call(Add::<_, _, false>(&mut any_points(), &cached));
    let turned = Cached { sum: cached.sum, difference: cached.difference, z: cached.z, t: negated(M, any()) };
    M.call(Add::<_, _, true>(&mut any_points(), &turned));
    any_points().plus::<true, _>(M, &turned);
}

#[test]
fn multiplication_keeps_its_classes() {
    let mut points = any_points();
    let digits = Digits::of_each(
        M,
        &[curve25519_dalek::Scalar::ZERO, -curve25519_dalek::Scalar::ONE].repeat(4).try_into().unwrap(),
    );
    M.call(Multiply { points: &mut points, digits: &digits, places: 64, table: &mut Table::new(M) });
}

#[test]
fn multiples_of_a_public_point_keep_their_classes() {
    let table = windows(M, &[any_points(); 102]);
    let scalars = [curve25519_dalek::Scalar::ZERO, -curve25519_dalek::Scalar::ONE].repeat(4);
    M.call(AddMultiples { points: &mut [any_points()], scalars: &scalars, less: false, windows: &table });
}

#[test]
fn decoding_encoding_and_mapping_keep_their_classes() {
    // words that stand for all words: both ends in turn, see `lanes`
    let ends: [[u8; 32]; LANES] = std::array::from_fn(|lane| [if lane % 2 == 0 { 0 } else { 0xff }; 32]);
    let mut points = [any_points(); 4];
    M.call(Decode { encoded: &[ends; 4], points: &mut points });
    let mut encoded = [[[0; 32]; LANES]; 4];
    M.call(Encode { points: &[any_points(); 4], encoded: &mut encoded });
    M.call(EncodeDoubled { points: &[any_points(); 4], encoded: &mut encoded });
    let wide: [[u8; 64]; LANES] = std::array::from_fn(|lane| [if lane % 2 == 0 { 0 } else { 0xff }; 64]);
    M.call(Map::<_, 4> { uniform: &[wide; 2], points: &mut [any_points(); 2] });
}

#[test]
fn sums_keep_their_classes() {
    let bounds = Reduced::<Interval>::BOUNDS.map(|bound| bound - 1);
    let widest = Coordinates::of_limbs([bounds; 4]);
    let least = Coordinates::of_limbs([[0; 5]; 4]);
    let mut sum = Sum::new(M);
    for weights in [[0, u128::MAX], [1, 1 << 127], [u128::MAX / 3, 0x80]] {
        sum.add(M, &[least, widest].repeat(4), &weights.repeat(4));
    }
    sum.finish(M);
}

/// A planted fault for each kind of proof: without it, what is proved above would be worth little.
mod planted {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::field::{Factor, wide_difference, wide_sum};
    use super::*;

    /// Runs what must panic, with these words.
    fn fails<T: std::fmt::Debug>(with: &str, job: impl FnOnce() -> T) {
        let caught = catch_unwind(AssertUnwindSafe(|| drop(Box::new(job())))).expect_err("the fault was not seen");
        let text = caught.downcast_ref::<String>().map(String::as_str).or(caught.downcast_ref::<&str>().copied());
        assert!(text.unwrap().contains(with), "{text:?}");
    }

    #[test]
    fn are_seen() {
        let full = || Multiplicand::from_words(M, [Between(0, (1 << 52) - 1); 5]);
        fails("52 bits", || M.add_low(Between(0, 0), Between(0, 1 << 52), Between(0, 1)));
        fails("class", || Multiplicand::from_words(M, [Between(0, 1 << 52); 5]).limbs());
        // no offset at all, and one that is too small: 2^7 p is 64 * 2^52 a limb, a square nearly twice that
        fails("negative", || wide_difference(M, product(M, any(), any()), product(M, any(), any())).limbs());
        fails("negative", || {
            wide_difference(M, square_above::<7, _, _>(M, any()), square_above::<0, _, _>(M, any())).limbs()
        });
        // the sum of eight of the fullest products has no room for a carry
        fails("class", || {
            let mut wide = product(M, full(), full());
            for _ in 0..3 {
                wide = wide_sum(M, wide, wide);
            }
            carry(M, wide).limbs()
        });
        // what was not carried is no factor
        fails("class", || Reduced::from_words(M, any().limbs().map(|limb| M.add(limb, limb))).limbs());
    }
}
