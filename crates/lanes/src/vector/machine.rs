//! What a machine of eight lanes must do: the few operations that all formulas are written in.
//!
//! A machine is a value of no size. Having one proves that its operations may be used here: the one of AVX-512 is made
//! only where the processor was asked. The formulas are generic over it, so there is one text of them, whether they
//! run on registers, on plain integers with assertions, or on intervals.

use zeroize::Zeroize;

/// The number of lanes, and so of points in a vector.
pub(crate) const LANES: usize = 8;

/// Eight lanes of 64 bits.
///
/// # What the formulas owe
/// * Sums, differences and products stay within 64 bits: [`Self::add`], [`Self::sub`], [`Self::add_low`],
///   [`Self::add_high`] and [`Self::times`] never wrap.
/// * A factor of [`Self::add_low`] or [`Self::add_high`] is below 2^52: the hardware reads no more bits of it.
///
/// The model asserts both, and the intervals prove them.
pub(crate) trait Machine: Copy + Send + Sync + 'static {
    /// One number in each lane.
    type Word: Copy + Send + Sync + Zeroize + 'static;
    /// One bit for each lane.
    type Mask: Copy;

    /// Runs a kernel with this machine's instructions switched on, as a function of its own.
    fn call<K: Kernel<Self>>(self, kernel: K) -> K::Output;

    /// Runs a small kernel as a part of the one that it stands in. The model makes it a function of its own as well:
    /// inlined, its code would be a hundred times as long.
    fn inlined<K: Kernel<Self>>(self, kernel: K) -> K::Output;

    /// A word of these lanes.
    fn word(self, lanes: [u64; LANES]) -> Self::Word;
    /// The lanes of a word.
    fn lanes(self, word: Self::Word) -> [u64; LANES];
    /// Eight words as rows of a square, turned: word i of the result has lane i of each.
    fn transpose(self, rows: [Self::Word; LANES]) -> [Self::Word; LANES];
    /// The same number in each lane.
    fn splat(self, value: u64) -> Self::Word;

    /// `a + b`.
    fn add(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `a - b`, where `a >= b`.
    fn sub(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `sum + (a * b mod 2^52)`.
    fn add_low(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `sum + floor(a * b / 2^52)`.
    fn add_high(self, sum: Self::Word, a: Self::Word, b: Self::Word) -> Self::Word;
    /// `a * factor`, for a small factor.
    fn times(self, a: Self::Word, factor: u64) -> Self::Word;

    /// `floor(a / 2^N)`.
    fn right<const N: u32>(self, a: Self::Word) -> Self::Word;
    /// `a * 2^N mod 2^64`: bits may fall off the end.
    fn left<const N: u32>(self, a: Self::Word) -> Self::Word;
    /// `floor(a / 2^bits)`, where `bits` is public and below 64.
    fn right_by(self, a: Self::Word, bits: u32) -> Self::Word;
    /// Each bit of both.
    fn and(self, a: Self::Word, b: Self::Word) -> Self::Word;
    /// Each bit of either.
    fn or(self, a: Self::Word, b: Self::Word) -> Self::Word;

    /// The lanes where `a` and `b` are equal.
    fn equal(self, a: Self::Word, b: Self::Word) -> Self::Mask;
    /// The lanes where `a` and `b` have a bit in common.
    fn meet(self, a: Self::Word, b: Self::Word) -> Self::Mask;
    /// Lanes by the bits of a byte: lane 0 is the lowest.
    fn mask(self, bits: u8) -> Self::Mask;
    /// The lanes of a mask as the bits of a byte.
    fn bits(self, mask: Self::Mask) -> u8;
    /// The lanes of both.
    fn both(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// The lanes of either.
    fn either(self, a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// The other lanes.
    fn not(self, a: Self::Mask) -> Self::Mask;

    /// In each lane `yes` where the mask has it, else `no`. The mask may be secret.
    fn choose(self, mask: Self::Mask, no: Self::Word, yes: Self::Word) -> Self::Word;
    /// A mask as a word: all bits of a lane, or none. What comes of it is hidden from the optimiser, so that no use of
    /// it can become a jump or a load that is left out.
    fn spread(self, mask: Self::Mask) -> Self::Word;
    /// [`Self::choose`] by a spread mask, bit by bit: `no` and `yes` are both read whole.
    fn pick(self, spread: Self::Word, no: Self::Word, yes: Self::Word) -> Self::Word;

    /// In each lane, one of sixteen numbers: lane `place mod 16` of the two words in a row. The place may be secret.
    fn look(self, sixteen: [Self::Word; 2], place: Self::Word) -> Self::Word;

    /// States that each lane is below `bound`. The machines that look are the model and the intervals.
    fn expect_below(self, word: Self::Word, bound: u64);
}

/// A function over words that is compiled once for each machine, with that machine's instructions switched on.
///
/// Everything inside is `inline(always)`; a kernel is where inlining ends. It is a struct of arguments rather than a
/// closure: the body of a closure is a function of its own, which the compiler builds without those instructions.
pub(crate) trait Kernel<M: Machine> {
    /// What it returns.
    type Output;
    /// The body: always `#[inline(always)]`.
    fn run(self, m: M) -> Self::Output;
}
