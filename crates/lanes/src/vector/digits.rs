//! Scalars cut for the multiplication: 64 signed digits of four bits, in each lane its own scalar or in all the same.
//!
//! Let S be the sum of 8 * 16^i over all 64 places. The nibbles of `k + S`, each less 8, are digits in [-8, 7] whose
//! weighted sum is k. `k + S` fits in 256 bits for k below 2^253, which every reduced scalar is (l < 2^252 + 2^125). So
//! recoding is one addition, and a digit is cut out where it is needed.

use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, Zeroizing};

use super::field::words;
use super::machine::{LANES, Machine};

/// Digits of a scalar, from the lowest (weight 1) to the highest (16^63).
pub(crate) const DIGITS: usize = 64;

/// What a digit is raised by, so that it is positive.
pub(crate) const RAISE: u64 = 8;

/// The raised scalars of eight lanes; wiped when dropped.
pub(crate) struct Digits<M: Machine>([M::Word; 4]);

/// `k + S`, in constant time.
fn raised(scalar: &Scalar) -> Zeroizing<[u8; 32]> {
    let mut raised = Zeroizing::new([0; 32]);
    let mut carry = 0;
    for (place, byte) in raised.iter_mut().zip(scalar.as_bytes()) {
        let sum = u16::from(*byte) + 0x88 + carry;
        *place = sum as u8;
        carry = sum >> 8;
    }
    raised
}

impl<M: Machine> Digits<M> {
    /// The same scalar in all lanes.
    #[inline(always)]
    pub(crate) fn of_one(m: M, scalar: &Scalar) -> Self {
        let raised = raised(scalar);
        Digits(words(m, [&raised; LANES]))
    }

    /// One scalar in each lane.
    #[inline(always)]
    pub(crate) fn of_each(m: M, scalars: &[Scalar; LANES]) -> Self {
        let [a, b, c, d, e, f, g, h] = scalars;
        let raised = [raised(a), raised(b), raised(c), raised(d), raised(e), raised(f), raised(g), raised(h)];
        let [a, b, c, d, e, f, g, h] = &raised;
        Digits(words(m, [a, b, c, d, e, f, g, h]))
    }

    /// The digit at a place, raised by [`RAISE`]: 0 to 15 for -8 to 7.
    #[inline(always)]
    pub(crate) fn at(&self, m: M, place: usize) -> M::Word {
        m.and(m.right_by(self.0[place / 16], (place % 16) as u32 * 4), m.splat(15))
    }
}

impl<M: Machine> Drop for Digits<M> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
