//! Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2, eight at a time.
//!
//! Extended coordinates (X : Y : Z : T) with x = X/Z, y = Y/Z, T = XY/Z. The addition is complete: it has no special
//! cases, since a = -1 is a square and d is none. Formulas: Hisil, Wong, Carter, Dawson, "Twisted Edwards curves
//! revisited" (eprint 2008/522); in the Explicit-Formulas Database (Bernstein, Lange) `add-2008-hwcd-3` and
//! `dbl-2008-hwcd`, extended coordinates with a = -1. Both end in the same four products of E, F, G and H, of which the
//! one for T is left out where a doubling follows.

use zeroize::Zeroize;

use super::field::{
    Factor, Reduced, above, carry, difference, multiply, product, product_above, square_above, sum, wide_difference,
    wide_sum, widened,
};
use super::machine::{Kernel, LANES, Machine};

/// 2d.
pub(crate) const TWICE_D: [u64; 5] =
    [1859910466990425, 932731440258426, 1072319116312658, 1815898335770999, 633789495995903];

/// Eight points.
#[derive(Clone, Copy)]
pub(crate) struct Extended<M: Machine> {
    /// X
    pub(crate) x: Reduced<M>,
    /// Y
    pub(crate) y: Reduced<M>,
    /// Z
    pub(crate) z: Reduced<M>,
    /// T = XY/Z
    pub(crate) t: Reduced<M>,
}

/// Eight points, as the second operand of an addition. `T` is how full 2dT may be: negated without a carry, it is a
/// [`super::field::Multiplicand`].
#[derive(Clone, Copy)]
pub(crate) struct Cached<M: Machine, T = Reduced<M>> {
    /// Y + X
    pub(crate) sum: Reduced<M>,
    /// Y - X
    pub(crate) difference: Reduced<M>,
    /// 2Z
    pub(crate) z: Reduced<M>,
    /// 2dT
    pub(crate) t: T,
}

/// One point as limbs: what stands in memory between batches. Every limb is of the class `Reduced`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coordinates {
    x: [u64; 5],
    y: [u64; 5],
    z: [u64; 5],
    t: [u64; 5],
}

impl Coordinates {
    /// The neutral element.
    pub(crate) const IDENTITY: Self = Coordinates { x: [0; 5], y: [1, 0, 0, 0, 0], z: [1, 0, 0, 0, 0], t: [0; 5] };
}

impl Coordinates {
    /// From limbs of X, Y, Z and T, for tests.
    #[cfg(test)]
    pub(crate) fn of_limbs([x, y, z, t]: [[u64; 5]; 4]) -> Self {
        Coordinates { x, y, z, t }
    }

    /// Limbs of X, Y, Z and T, for tests.
    #[cfg(test)]
    pub(crate) fn limbs(&self) -> [[u64; 5]; 4] {
        [self.x, self.y, self.z, self.t]
    }

    /// Whether Z is one, as it is after decoding.
    pub(crate) fn is_affine(&self) -> bool {
        self.z == Self::IDENTITY.z
    }
}

impl Zeroize for Coordinates {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
        self.t.zeroize();
    }
}

impl<M: Machine> Extended<M> {
    /// The neutral element in all lanes.
    #[inline(always)]
    pub(crate) fn identity(m: M) -> Self {
        Extended { x: Reduced::zero(m), y: Reduced::one(m), z: Reduced::one(m), t: Reduced::zero(m) }
    }

    /// One point in each lane.
    #[inline(always)]
    pub(crate) fn load(m: M, points: &[Coordinates; LANES]) -> Self {
        let [a, b, c, d, e, f, g, h] = points;
        Extended {
            x: Reduced::load(m, [&a.x, &b.x, &c.x, &d.x, &e.x, &f.x, &g.x, &h.x]),
            y: Reduced::load(m, [&a.y, &b.y, &c.y, &d.y, &e.y, &f.y, &g.y, &h.y]),
            z: Reduced::load(m, [&a.z, &b.z, &c.z, &d.z, &e.z, &f.z, &g.z, &h.z]),
            t: Reduced::load(m, [&a.t, &b.t, &c.t, &d.t, &e.t, &f.t, &g.t, &h.t]),
        }
    }

    /// The points of the lanes.
    #[inline(always)]
    pub(crate) fn store(&self, m: M, points: &mut [Coordinates; LANES]) {
        let [first, second, third] = self.rows(m);
        for (lane, point) in points.iter_mut().enumerate() {
            let [x0, x1, x2, x3, x4, y0, y1, y2] = m.lanes(first[lane]);
            let [y3, y4, z0, z1, z2, z3, z4, t0] = m.lanes(second[lane]);
            let [t1, t2, t3, t4, _, _, _, _] = m.lanes(third[lane]);
            *point = Coordinates {
                x: [x0, x1, x2, x3, x4],
                y: [y0, y1, y2, y3, y4],
                z: [z0, z1, z2, z3, z4],
                t: [t0, t1, t2, t3, t4],
            };
        }
    }

    /// Each lane's point as three rows of eight numbers, the last half empty: `[row][lane]`.
    #[inline(always)]
    pub(crate) fn rows(&self, m: M) -> [[M::Word; LANES]; 3] {
        let [x0, x1, x2, x3, x4] = self.x.words();
        let [y0, y1, y2, y3, y4] = self.y.words();
        let [z0, z1, z2, z3, z4] = self.z.words();
        let [t0, t1, t2, t3, t4] = self.t.words();
        let none = m.splat(0);
        [
            m.transpose([x0, x1, x2, x3, x4, y0, y1, y2]),
            m.transpose([y3, y4, z0, z1, z2, z3, z4, t0]),
            m.transpose([t1, t2, t3, t4, none, none, none, none]),
        ]
    }

    /// As the second operand of additions.
    #[inline(always)]
    pub(crate) fn cached(&self, m: M) -> Cached<M> {
        Cached {
            sum: sum(m, self.y, self.x),
            difference: difference(m, self.y, self.x),
            z: sum(m, self.z, self.z),
            t: multiply(m, self.t, Reduced::splat(m, TWICE_D)),
        }
    }
}

impl<M: Machine> Zeroize for Extended<M> {
    fn zeroize(&mut self) {
        for part in [&mut self.x, &mut self.y, &mut self.z, &mut self.t] {
            part.words_mut().zeroize();
        }
    }
}

impl<M: Machine> Cached<M> {
    /// The neutral element in all lanes.
    #[inline(always)]
    pub(crate) fn identity(m: M) -> Self {
        let one = Reduced::one(m);
        Cached { sum: one, difference: one, z: Reduced::splat(m, [2, 0, 0, 0, 0]), t: Reduced::zero(m) }
    }
}

impl<M: Machine> Zeroize for Cached<M> {
    fn zeroize(&mut self) {
        for part in [&mut self.sum, &mut self.difference, &mut self.z, &mut self.t] {
            part.words_mut().zeroize();
        }
    }
}

/// E, F, G and H of either formula: the point is (EF : GH : FG : EH).
struct Halfway<M: Machine> {
    e: Reduced<M>,
    f: Reduced<M>,
    g: Reduced<M>,
    h: Reduced<M>,
}

impl<M: Machine> Halfway<M> {
    /// The four products, or the three without T.
    #[inline(always)]
    fn finish<const T: bool>(&self, m: M, point: &mut Extended<M>) {
        point.x = multiply(m, self.e, self.f);
        point.y = multiply(m, self.g, self.h);
        point.z = multiply(m, self.f, self.g);
        if T {
            point.t = multiply(m, self.e, self.h);
        }
    }
}

/// `2P`, of which T is read nowhere. All four of E, F, G and H are the negatives of those in the database: the same
/// point.
///
/// The offsets 2^9 p and 2^10 p keep each difference positive: a square of reduced limbs is below 125 * 2^52 a limb.
#[inline(always)]
fn doubled<M: Machine>(m: M, p: &Extended<M>) -> Halfway<M> {
    let xx = square_above::<0, M, _>(m, p.x);
    let yy = square_above::<9, M, _>(m, p.y);
    let zz = square_above::<9, M, _>(m, p.z);
    let xy = square_above::<10, M, _>(m, sum(m, p.x, p.y));
    let g = wide_difference(m, yy, xx);
    let h = wide_sum(m, xx, yy);
    let e = wide_difference(m, xy, h); // 2XY
    let f = wide_difference(m, wide_sum(m, zz, zz), g); // 2Z^2 - (Y^2 - X^2)
    Halfway { e: carry(m, e), f: carry(m, f), g: carry(m, g), h: carry(m, h) }
}

/// `P + Q`, where T of P counts. If Z of Q is known to be 1, its product is a sum.
#[inline(always)]
fn added<const AFFINE: bool, M: Machine, F: Factor<M>>(m: M, p: &Extended<M>, q: &Cached<M, F>) -> Halfway<M> {
    let a = product(m, difference(m, p.y, p.x), q.difference);
    let b = product_above::<10, M, _, _>(m, sum(m, p.y, p.x), q.sum);
    let c = product(m, p.t, q.t);
    let d = if AFFINE {
        above::<10, M>(m, wide_sum(m, widened(p.z), widened(p.z)))
    } else {
        product_above::<10, M, _, _>(m, p.z, q.z)
    };
    Halfway {
        e: carry(m, wide_difference(m, b, a)),
        f: carry(m, wide_difference(m, d, c)),
        g: carry(m, wide_sum(m, d, c)),
        h: carry(m, wide_sum(m, b, a)),
    }
}

impl<M: Machine> Extended<M> {
    /// `P + Q` inside a kernel.
    #[inline(always)]
    pub(crate) fn plus<const AFFINE: bool, F: Factor<M>>(&self, m: M, other: &Cached<M, F>) -> Self {
        let mut result = *self;
        added::<AFFINE, M, F>(m, self, other).finish::<true>(m, &mut result);
        result
    }
}

/// `P = 2P`; T of the result is left as it was where the constant says so.
pub(crate) struct Double<'a, M: Machine, const T: bool>(pub(crate) &'a mut Extended<M>);

impl<M: Machine, const T: bool> Kernel<M> for Double<'_, M, T> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        doubled(m, self.0).finish::<T>(m, self.0);
    }
}

/// `P = P + Q`; T of the result is left as it was where the constant says so.
pub(crate) struct Add<'a, M: Machine, F, const T: bool>(pub(crate) &'a mut Extended<M>, pub(crate) &'a Cached<M, F>);

impl<M: Machine, F: Factor<M>, const T: bool> Kernel<M> for Add<'_, M, F, T> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        added::<false, M, F>(m, self.0, self.1).finish::<T>(m, self.0);
    }
}
