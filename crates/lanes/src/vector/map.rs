//! Uniform bytes to points: RFC 9496, section 4.3.4, eight points at a time.
//!
//! Both 32-byte halves go through MAP side by side, as vectors of their own, and their points are added. MAP is
//! Elligator 2 for this curve (Bernstein, Hamburg, Krasnova, Lange, eprint 2013/325; Hamburg's form for Decaf and
//! Ristretto). The bytes may be secret: both sides of every case are computed.

use zeroize::Zeroize;

use super::decode::{D, SQRT_M1};
use super::edwards::{Add, Extended};
use super::field::{
    Reduced, absolute, choose, difference, is_negative, is_zero, low_255_bits, multiply, negative, square, sum, words,
};
use super::machine::{Kernel, LANES, Machine};
use super::power::root;

/// 1 - d^2.
pub(crate) const ONE_MINUS_D_SQUARED: [u64; 5] =
    [1136626929484150, 1998550399581263, 496427632559748, 118527312129759, 45110755273534];

/// (d - 1)^2.
pub(crate) const D_MINUS_ONE_SQUARED: [u64; 5] =
    [1507062230895904, 1572317787530805, 683053064812840, 317374165784489, 1572899562415810];

/// sqrt(a d - 1), with a = -1.
pub(crate) const SQRT_AD_MINUS_ONE: [u64; 5] =
    [2241493124984347, 425987919032274, 2207028919301688, 1220490630685848, 974799131293748];

/// What is kept from before the exponentiation for after it; names as in the RFC.
#[derive(Clone, Copy)]
struct Before<M: Machine> {
    t: Reduced<M>,
    r: Reduced<M>,
    u: Reduced<M>,
    v: Reduced<M>,
    /// `u v^3`
    uv3: Reduced<M>,
}

/// Up to the exponentiation; the second result is its base, `u v^7`.
#[inline(always)]
fn before<M: Machine>(m: M, t: Reduced<M>) -> (Before<M>, Reduced<M>) {
    let one = Reduced::one(m);
    let d = Reduced::splat(m, D);
    let r = multiply(m, square(m, t), Reduced::splat(m, SQRT_M1));
    let u = multiply(m, sum(m, r, one), Reduced::splat(m, ONE_MINUS_D_SQUARED));
    let minus_one_minus_rd = negative(m, sum(m, one, multiply(m, r, d)));
    let v = multiply(m, minus_one_minus_rd, sum(m, r, d));
    let v3 = multiply(m, square(m, v), v);
    let v7 = multiply(m, square(m, v3), v);
    (Before { t, r, u, v, uv3: multiply(m, u, v3) }, multiply(m, u, v7))
}

/// After the exponentiation.
#[inline(always)]
fn after<M: Machine>(m: M, b: &Before<M>, power: Reduced<M>) -> Extended<M> {
    let one = Reduced::one(m);
    let root_of_minus_one = Reduced::splat(m, SQRT_M1);
    // SQRT_RATIO_M1(u, v), RFC 9496 section 4.2
    let candidate = multiply(m, power, b.uv3);
    let check = multiply(m, square(m, candidate), b.v);
    let correct = is_zero(m, difference(m, check, b.u));
    let flipped = is_zero(m, sum(m, check, b.u));
    let flipped_i = is_zero(m, sum(m, check, multiply(m, b.u, root_of_minus_one)));
    let turned = multiply(m, candidate, root_of_minus_one);
    let s = absolute(m, choose(m, m.either(flipped, flipped_i), candidate, turned));
    let was_square = m.either(correct, flipped);

    let s_times_t = multiply(m, s, b.t);
    let s_prime = choose(m, is_negative(m, s_times_t), negative(m, s_times_t), s_times_t);
    let s = choose(m, was_square, s_prime, s);
    let c = choose(m, was_square, b.r, negative(m, one));
    let n = multiply(m, multiply(m, c, difference(m, b.r, one)), Reduced::splat(m, D_MINUS_ONE_SQUARED));
    let n = difference(m, n, b.v);
    let ss = square(m, s);
    let w0 = multiply(m, sum(m, s, s), b.v);
    let w1 = multiply(m, n, Reduced::splat(m, SQRT_AD_MINUS_ONE));
    let w2 = difference(m, one, ss);
    let w3 = sum(m, one, ss);
    Extended { x: multiply(m, w0, w3), y: multiply(m, w2, w1), z: multiply(m, w1, w3), t: multiply(m, w0, w2) }
}

/// Maps vectors of 64-byte strings; their halves are N vectors side by side, so there are N/2 of each.
pub(crate) struct Map<'a, M: Machine, const N: usize> {
    /// The strings.
    pub(crate) uniform: &'a [[[u8; 64]; LANES]],
    /// The points.
    pub(crate) points: &'a mut [Extended<M>],
}

/// One half of each string as a number: the first 32 bytes, or the second, of which the highest bit is dropped.
#[inline(always)]
fn half<M: Machine>(m: M, uniform: &[[u8; 64]; LANES], which: usize) -> Reduced<M> {
    let mut bytes = [[0; 32]; LANES];
    for (half, whole) in bytes.iter_mut().zip(uniform) {
        *half = whole.as_chunks::<32>().0[which];
    }
    let number = low_255_bits(m, words(m, bytes.each_ref()));
    bytes.zeroize();
    number
}

impl<M: Machine, const N: usize> Kernel<M> for Map<'_, M, N> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let zero = Reduced::zero(m);
        let mut kept = [Before { t: zero, r: zero, u: zero, v: zero, uv3: zero }; N];
        let mut bases = [zero; N];
        for i in 0..N {
            (kept[i], bases[i]) = before(m, half(m, &self.uniform[i / 2], i % 2));
        }
        let powers = root(m, &bases);
        for (i, point) in self.points.iter_mut().enumerate() {
            let second = after(m, &kept[2 * i + 1], powers[2 * i + 1]).cached(m);
            *point = after(m, &kept[2 * i], powers[2 * i]);
            m.call(Add::<_, _, true>(point, &second));
        }
    }
}
