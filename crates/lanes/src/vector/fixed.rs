//! Secret scalars times one public point, added to eight points: what a blind costs.
//!
//! The public point's multiples are made once, so that nothing is doubled: a window of five bits, 51 additions. Its
//! digits are odd, from -31 to 31, so that sixteen entries are all there are and zero needs none (the signed form of
//! Hedabou, Pinel, Bénéteau, "Countermeasures for preventing comb method against SCA attacks", ISPEC 2005). Let
//!
//! ```text
//!   R = (2^255 - 1) / 2 mod l        k + R mod l = Σ d_j·32^j, with digits d_j from 0 to 31
//! ```
//!
//! Then `k·B = Σ (2 d_j - 31)·32^j·(B/2)`, since `Σ 31·32^j` over all 51 places is `2^255 - 1`. The halves are exact: l
//! is odd.
//!
//! The entries are the same in all lanes, so a lane looks its own up by a permutation between registers
//! ([`Machine::look`]): whole windows are read, in the same order whatever the digits. Entries are affine (Z = 1, as
//! decoding leaves it), which saves each addition a product.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::{Zeroize, Zeroizing};

use super::edwards::{Cached, Extended};
use super::field::{Multiplicand, Reduced, choose, choose_factor, negated};
use super::machine::{Kernel, LANES, Machine};

/// Windows of five bits: 255 bits, and scalars have 253.
const WINDOWS: usize = 51;

/// Entries of a window: the odd multiples 1 to 31.
const ENTRIES: usize = 16;

/// Windows in one word of raised scalars: 60 of its bits.
const IN_A_WORD: usize = 12;

/// What a digit is at least, if its entry is not negated.
const POSITIVE: u64 = 16;

/// One coordinate of sixteen entries: `[entries 0 to 7, entries 8 to 15][limb]`.
type Sixteen = [[[u64; LANES]; 5]; 2];

/// The odd multiples of one window's point, as second operands of additions.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct Window {
    /// Y + X
    sum: Sixteen,
    /// Y - X
    difference: Sixteen,
    /// 2dT
    t: Sixteen,
}

/// The encodings from which [`windows`] makes a table for a public point: sixteen for each window.
pub(crate) fn encoded_multiples(base: &RistrettoPoint) -> Vec<[u8; 32]> {
    let quarter = Scalar::ONE.div_by_2().div_by_2();
    let mut halves = Vec::with_capacity(WINDOWS * ENTRIES);
    // half of the window's point B/2 * 32^j: the encodings are those of the doubles
    let mut half = base * quarter;
    for _ in 0..WINDOWS {
        let step = half + half;
        let mut odd = half;
        for _ in 0..ENTRIES {
            halves.push(odd);
            odd += step;
        }
        // 33 times the half, less one of it
        half = odd - half;
    }
    RistrettoPoint::double_and_compress_batch(&halves).iter().map(|encoded| encoded.to_bytes()).collect()
}

/// The table, of decoded multiples: two vectors for each window. All of it is public.
pub(crate) fn windows<M: Machine>(m: M, multiples: &[Extended<M>]) -> Box<[Window]> {
    m.call(Windows { multiples })
}

struct Windows<'a, M: Machine> {
    multiples: &'a [Extended<M>],
}

impl<M: Machine> Kernel<M> for Windows<'_, M> {
    type Output = Box<[Window]>;

    #[inline(always)]
    fn run(self, m: M) -> Box<[Window]> {
        let mut windows = Vec::with_capacity(WINDOWS);
        let (pairs, _) = self.multiples.as_chunks::<2>();
        for [low, high] in pairs {
            let (low, high) = (low.cached(m), high.cached(m));
            windows.push(Window {
                sum: [low.sum.store(m), high.sum.store(m)],
                difference: [low.difference.store(m), high.difference.store(m)],
                t: [low.t.store(m), high.t.store(m)],
            });
        }
        windows.into_boxed_slice()
    }
}

/// The raised scalars of eight lanes, 60 bits in a word; wiped when dropped.
struct Fives<M: Machine>([M::Word; 5]);

/// R of the module, least significant byte first; the test derives it.
const RAISE: [u8; 32] = [
    0x42, 0x9a, 0xa3, 0xba, 0x23, 0xa5, 0xbf, 0xcb, 0x11, 0x5b, 0x9d, 0xc5, 0x74, 0x95, 0xf3, 0xb6, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07,
];

impl<M: Machine> Fives<M> {
    /// Of scalars that are raised already.
    #[inline(always)]
    fn of_each(m: M, raised: &[Scalar; LANES]) -> Self {
        let mut words = Zeroizing::new([[0; LANES]; 5]);
        for (lane, scalar) in raised.iter().enumerate() {
            let bytes = Zeroizing::new(scalar.to_bytes());
            let (numbers, _) = bytes.as_chunks::<8>();
            let mut four = Zeroizing::new([0; 4]);
            for (number, bytes) in four.iter_mut().zip(numbers) {
                *number = u64::from_le_bytes(*bytes);
            }
            let [a, b, c, d] = *four;
            words[0][lane] = a;
            words[1][lane] = a >> 60 | b << 4;
            words[2][lane] = b >> 56 | c << 8;
            words[3][lane] = c >> 52 | d << 12;
            words[4][lane] = d >> 48;
        }
        let [a, b, c, d, e] = *words;
        Fives([m.word(a), m.word(b), m.word(c), m.word(d), m.word(e)])
    }

    /// The digit at a place, from 0 to 31.
    #[inline(always)]
    fn at(&self, m: M, place: usize) -> M::Word {
        m.and(m.right_by(self.0[place / IN_A_WORD], (place % IN_A_WORD) as u32 * 5), m.splat(31))
    }
}

impl<M: Machine> Drop for Fives<M> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Looks one coordinate of each lane's entry up.
#[inline(always)]
fn look<M: Machine>(m: M, [low, high]: &Sixteen, place: M::Word) -> Reduced<M> {
    let mut limbs = [m.splat(0); 5];
    for (limb, (low, high)) in limbs.iter_mut().zip(low.iter().zip(high)) {
        *limb = m.look([m.word(*low), m.word(*high)], place);
    }
    Reduced::from_words(m, limbs)
}

/// Adds to each lane's point the entry that its digit says.
pub(crate) struct AddEntry<'a, M: Machine> {
    points: &'a mut Extended<M>,
    window: &'a Window,
    /// From 0 to 31.
    digit: M::Word,
}

impl<M: Machine> Kernel<M> for AddEntry<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let AddEntry { points, window, digit } = self;
        let positive = m.meet(digit, m.splat(POSITIVE));
        // 2d - 31 is the entry d - 16, or less the entry 15 - d; both modulo 16
        let place = m.choose(positive, m.sub(m.splat(31), digit), digit);
        let (sum, difference, t) =
            (look(m, &window.sum, place), look(m, &window.difference, place), look(m, &window.t, place));
        // -P is (Y - X, Y + X, 2Z, -2dT)
        let chosen = Cached {
            sum: choose(m, positive, difference, sum),
            difference: choose(m, positive, sum, difference),
            z: Reduced::zero(m), // not read: Z is one
            t: choose_factor(m, positive, negated(m, t), Multiplicand::from(t)),
        };
        *points = points.plus::<true, _>(m, &chosen);
    }
}

/// Adds to each lane's point its scalar times the public point of the table, or takes it away; T included.
pub(crate) struct AddMultiples<'a, M: Machine> {
    /// The points, and then the sums.
    pub(crate) points: &'a mut [Extended<M>],
    /// A scalar for each lane of each vector; where there are fewer, any.
    pub(crate) scalars: &'a [Scalar],
    /// Whether to take away.
    pub(crate) less: bool,
    /// The table.
    pub(crate) windows: &'a [Window],
}

impl<M: Machine> Kernel<M> for AddMultiples<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let raise = Scalar::from_bytes_mod_order(RAISE);
        for (points, scalars) in self.points.iter_mut().zip(self.scalars.chunks(LANES)) {
            let mut raised = Zeroizing::new([raise; LANES]);
            for (raised, scalar) in raised.iter_mut().zip(scalars) {
                *raised = if self.less { raise - scalar } else { raise + scalar };
            }
            let digits = Fives::of_each(m, &raised);
            for (place, window) in self.windows.iter().enumerate().take(WINDOWS) {
                m.call(AddEntry { points, window, digit: digits.at(m, place) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_is_what_the_module_says() {
        let ones = Scalar::from_bytes_mod_order({
            let mut bytes = [0xff; 32];
            bytes[31] = 0x7f;
            bytes
        });
        assert_eq!(RAISE, ones.div_by_2().to_bytes());
    }
}
