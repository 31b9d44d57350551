//! Encodings to points: RFC 9496, section 4.3.1, eight at a time, N vectors in flight.
//!
//! The inverse square root there is of `v * u2^2`, so SQRT_RATIO_M1 (section 4.2) has u = 1 and its last step, the
//! absolute value, is left out: the root enters X only, whose absolute value is taken anyway, and Y twice, where its
//! sign cancels. Lanes whose encoding is no point are computed like all others, and become the neutral element.

use super::edwards::Extended;
use super::field::{
    Reduced, above, absolute, canonical, carry, choose, difference, freeze, is_negative, is_zero, multiply, negated,
    product, square, sum, wide_difference, widened, words,
};
use super::machine::{Kernel, LANES, Machine};
use super::power::root;

/// d = -121665/121666.
pub(crate) const D: [u64; 5] = [929955233495203, 466365720129213, 1662059464998953, 2033849074728123, 1442794654840575];

/// The even square root of -1.
pub(crate) const SQRT_M1: [u64; 5] =
    [1718705420411056, 234908883556509, 2233514472574048, 2117202627021982, 765476049583133];

/// p - 1.
pub(crate) const MINUS_ONE: [u64; 5] = [(1 << 51) - 20, (1 << 51) - 1, (1 << 51) - 1, (1 << 51) - 1, (1 << 51) - 1];

/// What is kept from before the exponentiation for after it.
#[derive(Clone, Copy)]
struct Before<M: Machine> {
    s: Reduced<M>,
    u1: Reduced<M>,
    u2: Reduced<M>,
    v: Reduced<M>,
    /// `v * u2^2`, of which the inverse square root is wanted
    w: Reduced<M>,
    /// `w^3`
    w3: Reduced<M>,
    canonical: M::Mask,
}

impl<M: Machine> Before<M> {
    /// Nothing yet.
    #[inline(always)]
    fn empty(m: M) -> Self {
        let zero = Reduced::zero(m);
        Before { s: zero, u1: zero, u2: zero, v: zero, w: zero, w3: zero, canonical: m.mask(0) }
    }
}

/// Up to the exponentiation; the second result is its base, `w^7`.
#[inline(always)]
fn before<M: Machine>(m: M, encoded: [&[u8; 32]; LANES]) -> (Before<M>, Reduced<M>) {
    let (s, canonical) = canonical(m, words(m, encoded));
    let canonical = m.both(canonical, m.not(is_negative(m, s)));
    let ss = square(m, s);
    let u1 = difference(m, Reduced::one(m), ss);
    let u2 = sum(m, Reduced::one(m), ss);
    let u2_squared = square(m, u2);
    // v = -(d u1^2) - u2^2
    let d_u1_squared = product(m, square(m, u1), Reduced::splat(m, D));
    let minus_u2_squared = widened(negated(m, u2_squared));
    let v = carry(m, wide_difference(m, above::<10, M>(m, minus_u2_squared), d_u1_squared));
    let w = multiply(m, v, u2_squared);
    let w3 = multiply(m, square(m, w), w);
    let w7 = multiply(m, square(m, w3), w);
    (Before { s, u1, u2, v, w, w3, canonical }, w7)
}

/// After the exponentiation, whose result is `power = w^(7 (p - 5) / 8)`.
#[inline(always)]
fn after<M: Machine>(m: M, b: &Before<M>, power: Reduced<M>) -> (Extended<M>, M::Mask) {
    let candidate = multiply(m, power, b.w3);
    let check = freeze(m, multiply(m, square(m, candidate), b.w));
    let correct = check.is(m, [1, 0, 0, 0, 0]);
    let flipped = check.is(m, MINUS_ONE);
    let inverse_root = choose(m, flipped, candidate, multiply(m, candidate, Reduced::splat(m, SQRT_M1)));
    let den_x = multiply(m, inverse_root, b.u2);
    let den_y = multiply(m, inverse_root, multiply(m, den_x, b.v));
    let x = absolute(m, multiply(m, sum(m, b.s, b.s), den_x));
    let y = multiply(m, b.u1, den_y);
    let t = multiply(m, x, y);
    let refused = m.either(is_negative(m, t), is_zero(m, y));
    let valid = m.both(m.both(b.canonical, m.either(correct, flipped)), m.not(refused));
    let identity = Extended::identity(m);
    let points = Extended {
        x: choose(m, valid, identity.x, x),
        y: choose(m, valid, identity.y, y),
        z: identity.z,
        t: choose(m, valid, identity.t, t),
    };
    (points, valid)
}

/// Decodes N vectors of encodings; a bit of the result for each lane that is an element, the identity included.
pub(crate) struct Decode<'a, M: Machine, const N: usize> {
    /// What is decoded.
    pub(crate) encoded: &'a [[[u8; 32]; LANES]; N],
    /// The points; the neutral element where there is none.
    pub(crate) points: &'a mut [Extended<M>; N],
}

impl<M: Machine, const N: usize> Kernel<M> for Decode<'_, M, N> {
    type Output = [u8; N];

    #[inline(always)]
    fn run(self, m: M) -> [u8; N] {
        let mut kept = [Before::empty(m); N];
        let mut bases = [Reduced::zero(m); N];
        for i in 0..N {
            (kept[i], bases[i]) = before(m, self.encoded[i].each_ref());
        }
        let powers = root(m, &bases);
        let mut valid = [0; N];
        for i in 0..N {
            let (points, lanes) = after(m, &kept[i], powers[i]);
            self.points[i] = points;
            valid[i] = m.bits(lanes);
        }
        valid
    }
}
