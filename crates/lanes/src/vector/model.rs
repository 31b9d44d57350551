//! The machine in plain Rust: the same formulas on arrays of eight numbers, on any processor and under Miri.
//!
//! Where debug assertions are on, every operation asserts that nothing wraps, that every factor is below 2^52, and that
//! every limb keeps its class. Its results are equal to the hardware's limb for limb; `equality` in the tests compares
//! them. It is slow, and no backend that is chosen: it is what the fast one is checked against.

use super::machine::{Kernel, LANES, Machine};

/// The model; there is nothing to detect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model;

/// The 52 bits that the hardware reads of a factor.
const FACTOR: u64 = (1 << 52) - 1;

/// A word by a function of each lane.
#[inline]
fn lanes(of: impl Fn(usize) -> u64) -> [u64; LANES] {
    std::array::from_fn(of)
}

/// The product of two factors, as the hardware takes them.
#[inline]
fn product(a: u64, b: u64) -> u128 {
    debug_assert!(a <= FACTOR && b <= FACTOR, "a factor has more than 52 bits: {a:#x} * {b:#x}");
    u128::from(a & FACTOR) * u128::from(b & FACTOR)
}

/// The sum, as the hardware takes it, asserted not to wrap.
#[inline]
fn sum(a: u64, b: u64) -> u64 {
    debug_assert!(a.checked_add(b).is_some(), "a sum wraps: {a:#x} + {b:#x}");
    a.wrapping_add(b)
}

/// A mask by a predicate of each lane.
#[inline]
fn mask(of: impl Fn(usize) -> bool) -> u8 {
    (0..LANES).fold(0, |bits, lane| bits | u8::from(of(lane)) << lane)
}

impl Machine for Model {
    type Word = [u64; LANES];
    type Mask = u8;

    #[inline(never)]
    fn call<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(never)]
    fn inlined<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(never)]
    fn word(self, lanes: [u64; LANES]) -> Self::Word {
        lanes
    }

    #[inline(never)]
    fn lanes(self, word: Self::Word) -> [u64; LANES] {
        word
    }

    #[inline(never)]
    fn transpose(self, rows: [Self::Word; LANES]) -> [Self::Word; LANES] {
        std::array::from_fn(|row| lanes(|lane| rows[lane][row]))
    }

    #[inline(never)]
    fn splat(self, value: u64) -> Self::Word {
        [value; LANES]
    }

    #[inline(never)]
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word {
        lanes(|i| sum(a[i], b[i]))
    }

    #[inline(never)]
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word {
        debug_assert!((0..LANES).all(|i| a[i] >= b[i]), "a difference is negative: {a:#x?} - {b:#x?}");
        lanes(|i| a[i].wrapping_sub(b[i]))
    }

    #[inline(never)]
    fn add_low(self, to: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        lanes(|i| sum(to[i], (product(a[i], b[i]) & u128::from(FACTOR)) as u64))
    }

    #[inline(never)]
    fn add_high(self, to: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word {
        lanes(|i| sum(to[i], (product(a[i], b[i]) >> 52) as u64))
    }

    #[inline(never)]
    fn times(self, a: Self::Word, factor: u64) -> Self::Word {
        debug_assert!(a.iter().all(|a| a.checked_mul(factor).is_some()), "a product wraps: {a:#x?} * {factor}");
        lanes(|i| a[i].wrapping_mul(factor))
    }

    #[inline(never)]
    fn right<const N: u32>(self, a: Self::Word) -> Self::Word {
        lanes(|i| a[i] >> N)
    }

    #[inline(never)]
    fn left<const N: u32>(self, a: Self::Word) -> Self::Word {
        lanes(|i| a[i] << N)
    }

    #[inline(never)]
    fn right_by(self, a: Self::Word, bits: u32) -> Self::Word {
        lanes(|i| a[i] >> bits)
    }

    #[inline(never)]
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word {
        lanes(|i| a[i] & b[i])
    }

    #[inline(never)]
    fn or(self, a: Self::Word, b: Self::Word) -> Self::Word {
        lanes(|i| a[i] | b[i])
    }

    #[inline(never)]
    fn equal(self, a: Self::Word, b: Self::Word) -> u8 {
        mask(|i| a[i] == b[i])
    }

    #[inline(never)]
    fn meet(self, a: Self::Word, b: Self::Word) -> u8 {
        mask(|i| a[i] & b[i] != 0)
    }

    #[inline(never)]
    fn mask(self, bits: u8) -> u8 {
        bits
    }

    #[inline(never)]
    fn bits(self, mask: u8) -> u8 {
        mask
    }

    #[inline(never)]
    fn both(self, a: u8, b: u8) -> u8 {
        a & b
    }

    #[inline(never)]
    fn either(self, a: u8, b: u8) -> u8 {
        a | b
    }

    #[inline(never)]
    fn not(self, a: u8) -> u8 {
        !a
    }

    #[inline(never)]
    fn choose(self, mask: u8, no: Self::Word, yes: Self::Word) -> Self::Word {
        let spread = self.spread(mask);
        self.pick(spread, no, yes)
    }

    #[inline(never)]
    fn spread(self, mask: u8) -> Self::Word {
        lanes(|i| u64::from(mask >> i & 1).wrapping_neg())
    }

    #[inline(never)]
    fn pick(self, spread: Self::Word, no: Self::Word, yes: Self::Word) -> Self::Word {
        debug_assert!(spread.iter().all(|&lane| lane == 0 || lane == u64::MAX), "no spread mask: {spread:#x?}");
        lanes(|i| no[i] & !spread[i] | yes[i] & spread[i])
    }

    /// Goes through all sixteen.
    #[inline(never)]
    fn look(self, sixteen: [Self::Word; 2], place: Self::Word) -> Self::Word {
        let numbers = sixteen.as_flattened().iter().enumerate();
        numbers.fold([0; LANES], |found, (here, number)| {
            let spread = self.spread(self.equal(place.map(|place| place & 15), [here as u64; LANES]));
            self.pick(spread, found, [*number; LANES])
        })
    }

    #[inline(never)]
    fn expect_below(self, word: Self::Word, bound: u64) {
        debug_assert!(word.iter().all(|&lane| lane < bound), "a limb leaves its class: {word:#x?}, bound {bound:#x}");
    }
}
