//! The two long exponentiations: a square root's, and the inverse.
//!
//! Both begin with the same 249 squarings and 10 products up to x^(2^250 - 1) (Bernstein's chain, 2006), which are most
//! of the cost of a decoding, an encoding or a map. One chain of squarings waits for its own results: N vectors at a
//! time fill the gaps.

use super::field::{self, Reduced, square};
use super::machine::{Kernel, Machine};

/// `x[i] = x[i]^(2^times)`, N vectors in turn: N chains of dependent squarings hide each other's latency.
pub(crate) struct SquareTimes<'a, M: Machine, const N: usize> {
    /// What is squared.
    pub(crate) x: &'a mut [Reduced<M>; N],
    /// How often.
    pub(crate) times: u32,
}

impl<M: Machine, const N: usize> Kernel<M> for SquareTimes<'_, M, N> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        for _ in 0..self.times {
            for x in self.x.iter_mut() {
                *x = square(m, *x);
            }
        }
    }
}

/// `x[i] = x[i] * y[i]`.
pub(crate) struct MultiplyAll<'a, M: Machine, const N: usize> {
    /// What is multiplied.
    pub(crate) x: &'a mut [Reduced<M>; N],
    /// By what.
    pub(crate) y: &'a [Reduced<M>; N],
}

impl<M: Machine, const N: usize> Kernel<M> for MultiplyAll<'_, M, N> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        for (x, y) in self.x.iter_mut().zip(self.y) {
            *x = field::multiply(m, *x, *y);
        }
    }
}

#[inline(always)]
fn square_times<M: Machine, const N: usize>(m: M, x: &mut [Reduced<M>; N], times: u32) {
    m.call(SquareTimes { x, times });
}

#[inline(always)]
fn multiply<M: Machine, const N: usize>(m: M, x: &mut [Reduced<M>; N], y: &[Reduced<M>; N]) {
    m.call(MultiplyAll { x, y });
}

/// `x^(2^250 - 1)` and `x^11`.
#[inline(always)]
fn up_to_250<M: Machine, const N: usize>(m: M, x: &[Reduced<M>; N]) -> ([Reduced<M>; N], [Reduced<M>; N]) {
    // each name is the exponent; ones_n is 2^n - 1
    let mut two = *x;
    square_times(m, &mut two, 1);
    let mut nine = two;
    square_times(m, &mut nine, 2);
    multiply(m, &mut nine, x);
    let mut eleven = nine;
    multiply(m, &mut eleven, &two);
    let mut ones_5 = eleven;
    square_times(m, &mut ones_5, 1);
    multiply(m, &mut ones_5, &nine);
    let mut ones_10 = ones_5;
    square_times(m, &mut ones_10, 5);
    multiply(m, &mut ones_10, &ones_5);
    let mut ones_20 = ones_10;
    square_times(m, &mut ones_20, 10);
    multiply(m, &mut ones_20, &ones_10);
    let mut ones_50 = ones_20;
    square_times(m, &mut ones_50, 20);
    multiply(m, &mut ones_50, &ones_20);
    square_times(m, &mut ones_50, 10);
    multiply(m, &mut ones_50, &ones_10);
    let mut ones_100 = ones_50;
    square_times(m, &mut ones_100, 50);
    multiply(m, &mut ones_100, &ones_50);
    let mut ones_250 = ones_100;
    square_times(m, &mut ones_250, 100);
    multiply(m, &mut ones_250, &ones_100);
    square_times(m, &mut ones_250, 50);
    multiply(m, &mut ones_250, &ones_50);
    (ones_250, eleven)
}

/// `x^((p - 5) / 8) = x^(2^252 - 3)`: the heart of a square root modulo p = 5 mod 8.
#[inline(always)]
pub(crate) fn root<M: Machine, const N: usize>(m: M, x: &[Reduced<M>; N]) -> [Reduced<M>; N] {
    let (mut power, _) = up_to_250(m, x);
    square_times(m, &mut power, 2);
    multiply(m, &mut power, x);
    power
}

/// `x^(p - 2) = x^(2^255 - 21)`: the inverse, and zero for zero (Fermat).
#[inline(always)]
pub(crate) fn inverse<M: Machine>(m: M, x: Reduced<M>) -> Reduced<M> {
    let (mut power, eleven) = up_to_250(m, &[x]);
    square_times(m, &mut power, 5);
    multiply(m, &mut power, &eleven);
    power[0]
}
