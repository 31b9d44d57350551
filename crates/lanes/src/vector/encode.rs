//! Points to encodings: one by one with a root each (RFC 9496, section 4.3.2), or doubled with a shared inversion.
//!
//! **Doubled.** The encoding of 2P needs only an inversion: what is under the root is a square by construction
//! (Hamburg, "Decaf", eprint 2015/673; de Valence et al., <https://ristretto.group>, "batched double-and-encode"). All
//! vectors of a chunk share one inversion by Montgomery's trick: products of all before, one inverse, and back. Where a
//! factor is zero (the identity's coset), one stands in, and the result is made zero.

use zeroize::{Zeroize, Zeroizing};

use super::decode::{D, MINUS_ONE, SQRT_M1};
use super::edwards::Extended;
use super::field::{
    Canonical, Reduced, above, carry, choose, difference, freeze, is_negative, is_zero, multiply, negative, product,
    square, square_above, sum, wide_difference, wide_sum,
};
use super::machine::{Kernel, LANES, Machine};
use super::power::{inverse, root};

/// 1/sqrt(a - d), with a = -1.
pub(crate) const INVSQRT_A_MINUS_D: [u64; 5] =
    [278908739862762, 821645201101625, 8113234426968, 1777959178193151, 2118520810568447];

/// The bytes of the even one of `a` and `-a`.
#[inline(always)]
fn absolute_bytes<M: Machine>(m: M, a: Reduced<M>) -> [[u8; 32]; LANES] {
    let positive = freeze(m, a);
    let negative = freeze(m, negative(m, a));
    Canonical::choose(m, positive.negative(m), positive, negative).to_bytes(m)
}

/// What is kept from before the exponentiation for after it.
#[derive(Clone, Copy)]
struct Before<M: Machine> {
    u1: Reduced<M>,
    u2: Reduced<M>,
    /// `u1 * u2^2`, of which the inverse square root is wanted
    w: Reduced<M>,
    /// `w^3`
    w3: Reduced<M>,
}

/// Up to the exponentiation; the second result is its base, `w^7`.
#[inline(always)]
fn before<M: Machine>(m: M, p: &Extended<M>) -> (Before<M>, Reduced<M>) {
    let u1 = multiply(m, sum(m, p.z, p.y), difference(m, p.z, p.y));
    let u2 = multiply(m, p.x, p.y);
    let w = multiply(m, u1, square(m, u2));
    let w3 = multiply(m, square(m, w), w);
    let w7 = multiply(m, square(m, w3), w);
    (Before { u1, u2, w, w3 }, w7)
}

/// After the exponentiation. The sign of the root counts nowhere: it enters twice, or under the absolute value.
#[inline(always)]
fn after<M: Machine>(m: M, b: &Before<M>, p: &Extended<M>, power: Reduced<M>) -> [[u8; 32]; LANES] {
    let root_of_minus_one = Reduced::splat(m, SQRT_M1);
    let candidate = multiply(m, power, b.w3);
    let flipped = freeze(m, multiply(m, square(m, candidate), b.w)).is(m, MINUS_ONE);
    let inverse_root = choose(m, flipped, candidate, multiply(m, candidate, root_of_minus_one));
    let den1 = multiply(m, inverse_root, b.u1);
    let den2 = multiply(m, inverse_root, b.u2);
    let z_inverse = multiply(m, den1, multiply(m, den2, p.t));
    let rotate = is_negative(m, multiply(m, p.t, z_inverse));
    let x = choose(m, rotate, p.x, multiply(m, p.y, root_of_minus_one));
    let y = choose(m, rotate, p.y, multiply(m, p.x, root_of_minus_one));
    let den = choose(m, rotate, den2, multiply(m, den1, Reduced::splat(m, INVSQRT_A_MINUS_D)));
    let y = choose(m, is_negative(m, multiply(m, x, z_inverse)), y, negative(m, y));
    absolute_bytes(m, multiply(m, den, difference(m, p.z, y)))
}

/// Encodes N vectors of points.
pub(crate) struct Encode<'a, M: Machine, const N: usize> {
    /// What is encoded.
    pub(crate) points: &'a [Extended<M>; N],
    /// The encodings.
    pub(crate) encoded: &'a mut [[[u8; 32]; LANES]; N],
}

impl<M: Machine, const N: usize> Kernel<M> for Encode<'_, M, N> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let zero = Reduced::zero(m);
        let mut kept = [Before { u1: zero, u2: zero, w: zero, w3: zero }; N];
        let mut bases = [zero; N];
        for i in 0..N {
            (kept[i], bases[i]) = before(m, &self.points[i]);
        }
        let powers = root(m, &bases);
        for i in 0..N {
            self.encoded[i] = after(m, &kept[i], &self.points[i], powers[i]);
        }
    }
}

/// What a doubled encoding keeps of one vector on the way to the inversion.
#[derive(Clone, Copy)]
struct Doubled<M: Machine> {
    e: Reduced<M>,
    f: Reduced<M>,
    g: Reduced<M>,
    h: Reduced<M>,
    /// `e f g h`, or one where that is zero
    divisor: Reduced<M>,
    /// The product of all divisors before this one
    product_before: Reduced<M>,
    /// The lanes where one stands in for zero
    zero: M::Mask,
}

impl<M: Machine> Doubled<M> {
    /// The coordinates of 2P over a common factor, x = e/f and y = g/h, and this vector's step of the product.
    #[inline(always)]
    fn new(m: M, p: &Extended<M>, product_before: Reduced<M>) -> Self {
        let xx = square_above::<0, M, _>(m, p.x);
        let yy = square_above::<0, M, _>(m, p.y);
        let zz = above::<10, M>(m, square_above::<0, M, _>(m, p.z));
        let dtt = product(m, square(m, p.t), Reduced::splat(m, D));
        let e = multiply(m, p.x, sum(m, p.y, p.y));
        let f = carry(m, wide_sum(m, zz, dtt));
        let g = carry(m, wide_sum(m, yy, xx));
        let h = carry(m, wide_difference(m, zz, dtt));
        let all = multiply(m, multiply(m, e, g), multiply(m, f, h));
        let zero = is_zero(m, all);
        Doubled { e, f, g, h, divisor: choose(m, zero, all, Reduced::one(m)), product_before, zero }
    }

    /// The encodings, by the inverse of the product of all divisors up to this one; and the inverse for the one before.
    #[inline(always)]
    fn finish(&self, m: M, inverse: Reduced<M>) -> ([[u8; 32]; LANES], Reduced<M>) {
        let own = multiply(m, inverse, self.product_before);
        let own = choose(m, self.zero, own, Reduced::zero(m));
        let eg = multiply(m, self.e, self.g);
        let fh = multiply(m, self.f, self.h);
        let z_inverse = multiply(m, eg, own);
        let t_inverse = multiply(m, fh, own);
        let rotate = is_negative(m, multiply(m, eg, z_inverse));
        let root_of_minus_one = Reduced::splat(m, SQRT_M1);
        let e = choose(m, rotate, self.e, self.g);
        let g = choose(m, rotate, self.g, negative(m, self.e));
        let h = choose(m, rotate, self.h, multiply(m, self.f, root_of_minus_one));
        let magic = choose(m, rotate, Reduced::splat(m, INVSQRT_A_MINUS_D), root_of_minus_one);
        let g = choose(m, is_negative(m, multiply(m, multiply(m, h, e), z_inverse)), g, negative(m, g));
        let s = multiply(m, difference(m, h, g), multiply(m, magic, multiply(m, g, t_inverse)));
        (absolute_bytes(m, s), multiply(m, inverse, self.divisor))
    }
}

impl<M: Machine> Zeroize for Doubled<M> {
    fn zeroize(&mut self) {
        let Doubled { e, f, g, h, divisor, product_before, .. } = self;
        for part in [e, f, g, h, divisor, product_before] {
            part.words_mut().zeroize();
        }
    }
}

/// Encodes the double of each point, with one inversion for all vectors. Both slices are equally long.
pub(crate) struct EncodeDoubled<'a, M: Machine> {
    /// The points, of which the doubles are encoded.
    pub(crate) points: &'a [Extended<M>],
    /// The encodings.
    pub(crate) encoded: &'a mut [[[u8; 32]; LANES]],
}

impl<M: Machine> Kernel<M> for EncodeDoubled<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let mut kept = Zeroizing::new(Vec::with_capacity(self.points.len()));
        let mut product = Reduced::one(m);
        for point in self.points {
            let doubled = Doubled::new(m, point, product);
            product = multiply(m, product, doubled.divisor);
            kept.push(doubled);
        }
        let mut inverse = inverse(m, product);
        for (doubled, encoded) in kept.iter().zip(self.encoded).rev() {
            (*encoded, inverse) = doubled.finish(m, inverse);
        }
    }
}
