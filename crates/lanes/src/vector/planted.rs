//! Tests: multiplications that leak on purpose, so that the checks of constant time can show that they see a leak.

use super::digits::{DIGITS, Digits};
use super::edwards::{Add, Cached, Double, Extended};
use super::field::sum;
use super::machine::{Kernel, Machine};

/// Adds to one coordinate what it reads by address: the first lane's digit is an index.
pub(crate) struct ByAddress<'a, M: Machine> {
    pub(crate) chosen: &'a mut Cached<M>,
    pub(crate) table: &'a [Cached<M>; 16],
    pub(crate) digit: M::Word,
}

impl<M: Machine> Kernel<M> for ByAddress<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let entry = &self.table[m.lanes(self.digit)[0] as usize % 16];
        self.chosen.sum = sum(m, self.chosen.sum, entry.sum);
    }
}

/// Adds only where some lane's digit is not zero: a jump.
pub(crate) struct ByJump<'a, M: Machine> {
    pub(crate) point: &'a mut Extended<M>,
    pub(crate) other: &'a Cached<M>,
    pub(crate) digit: M::Word,
}

impl<M: Machine> Kernel<M> for ByJump<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        if m.bits(m.equal(self.digit, m.splat(8))) != u8::MAX {
            m.call(Add::<_, _, true>(self.point, self.other));
        }
    }
}

/// A multiplication of a kind, which leaves out the additions of zero.
pub(crate) struct Skipping<'a, M: Machine> {
    pub(crate) points: &'a mut Extended<M>,
    pub(crate) digits: &'a Digits<M>,
}

impl<M: Machine> Kernel<M> for Skipping<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let other = self.points.cached(m);
        for place in 0..DIGITS {
            for _ in 0..4 {
                m.call(Double::<_, true>(self.points));
            }
            m.call(ByJump { point: self.points, other: &other, digit: self.digits.at(m, place) });
        }
    }
}
