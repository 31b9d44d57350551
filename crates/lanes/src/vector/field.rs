//! Integers modulo p = 2^255 - 19, eight at a time: five limbs of 51 bits, in classes that say how full they are.
//!
//! # Classes
//!
//! The value of five limbs is the sum of `limb[i] * 2^(51 i)`; limbs may be fuller than 51 bits, and each class is a
//! type, so that a sum that was not carried can't be multiplied by mistake.
//!
//! | type | each limb is below | comes from | may be |
//! |---|---|---|---|
//! | [`Canonical`] | 2^51, and the value below p | [`freeze`] | compared, encoded, multiplied |
//! | [`Reduced`] | 2^51 + 2^17 (limb 0), 2^51 + 2^13 (others) | [`carry`] | added, multiplied, frozen |
//! | [`Multiplicand`] | 2^52 | [`Multiplicand::from`] a reduced one, or [`negated`] | multiplied |
//! | [`Wide`] | 2^63 | products, sums, differences | carried, and nothing else |
//!
//! The bounds are proved by running these functions over intervals (`interval`, in tests): every operation from its
//! classes of inputs, with all 2^64 wraps and all factors of 52 bits checked, gives its class of output.
//!
//! # Products
//!
//! `a * b` has 25 products of limbs. The instructions split each at bit 52 where the limbs split at 51, so the high
//! half of `a[i] * b[j]` belongs to `2^(51 (i + j) + 52)`: twice to limb `i + j + 1`. All high halves are summed first,
//! doubled once, and the low halves added on top. Limbs 5 to 8 fold down times 19, since 2^255 = 19 modulo p. Limb 9,
//! the high half of `a[4] * b[4]`, folds to limb 4 times 38: its doubling is in the factor. A squaring sums each mixed
//! product once and doubles. (Radix 2^51 and the fold: Bernstein, Curve25519, 2006; IFMA: Gueron and Krasnov, "Software
//! implementation of modular exponentiation, using advanced vector instructions architectures", 2012.)
//!
//! Nothing is carried inside a product. A difference of products is kept positive by a multiple of p in the start
//! values of the sums ([`product_above`], [`square_above`]), which costs nothing.

use super::machine::{Kernel, LANES, Machine};

/// 2^51 - 1: the bits of a limb that is not overfull.
pub(crate) const LIMB: u64 = (1 << 51) - 1;

/// Limbs below 2^51 whose value is below p: the only form of each number.
#[derive(Clone, Copy)]
pub(crate) struct Canonical<M: Machine>([M::Word; 5]);

/// Carried limbs, of some representative of the number.
#[derive(Clone, Copy)]
pub(crate) struct Reduced<M: Machine>([M::Word; 5]);

/// Limbs below 2^52: as full as a factor may be.
#[derive(Clone, Copy)]
pub(crate) struct Multiplicand<M: Machine>([M::Word; 5]);

/// Limbs that must be carried before anything else.
#[derive(Clone, Copy)]
pub(crate) struct Wide<M: Machine>([M::Word; 5]);

#[cfg(test)]
impl<M: Machine> Wide<M> {
    /// The limbs, to look at.
    pub(crate) fn limbs(self) -> [M::Word; 5] {
        self.0
    }
}

/// What may be multiplied.
pub(crate) trait Factor<M: Machine>: Copy {
    /// Its limbs, each below 2^52.
    fn limbs(self) -> [M::Word; 5];
}

impl<M: Machine> Factor<M> for Canonical<M> {
    #[inline(always)]
    fn limbs(self) -> [M::Word; 5] {
        self.0
    }
}

impl<M: Machine> Factor<M> for Reduced<M> {
    #[inline(always)]
    fn limbs(self) -> [M::Word; 5] {
        self.0
    }
}

impl<M: Machine> Factor<M> for Multiplicand<M> {
    #[inline(always)]
    fn limbs(self) -> [M::Word; 5] {
        self.0
    }
}

impl<M: Machine> From<Reduced<M>> for Multiplicand<M> {
    #[inline(always)]
    fn from(reduced: Reduced<M>) -> Self {
        Multiplicand(reduced.0)
    }
}

/// The limbs of `p * 2^k`: a multiple of p whose every limb is close to 2^(51 + k).
pub(crate) const fn multiple_of_p(k: u32) -> [u64; 5] {
    [((1 << 51) - 19) << k, LIMB << k, LIMB << k, LIMB << k, LIMB << k]
}

impl<M: Machine> Reduced<M> {
    /// What each limb is below.
    pub(crate) const BOUNDS: [u64; 5] = {
        let other = (1 << 51) + (1 << 13);
        [(1 << 51) + (1 << 17), other, other, other, other]
    };

    /// Limbs that are in the class; the model and the intervals look.
    #[inline(always)]
    fn new(m: M, limbs: [M::Word; 5]) -> Self {
        for (limb, bound) in limbs.iter().zip(Self::BOUNDS) {
            m.expect_below(*limb, bound);
        }
        Reduced(limbs)
    }

    /// A constant in all lanes, by its limbs below 2^51.
    #[inline(always)]
    pub(crate) fn splat(m: M, limbs: [u64; 5]) -> Self {
        Reduced::new(m, splat(m, limbs))
    }

    /// Zero in all lanes.
    #[inline(always)]
    pub(crate) fn zero(m: M) -> Self {
        Reduced([m.splat(0); 5])
    }

    /// One in all lanes.
    #[inline(always)]
    pub(crate) fn one(m: M) -> Self {
        Reduced::splat(m, [1, 0, 0, 0, 0])
    }

    /// The same field element, one for each lane, from limbs that [`Self::store`] gave.
    #[inline(always)]
    pub(crate) fn load(m: M, lanes: [&[u64; 5]; LANES]) -> Self {
        let mut limbs = [m.splat(0); 5];
        for (i, limb) in limbs.iter_mut().enumerate() {
            let mut words = [0; LANES];
            for (word, lane) in words.iter_mut().zip(lanes) {
                *word = lane[i];
            }
            *limb = m.word(words);
        }
        Reduced::new(m, limbs)
    }

    /// The limbs of each lane: `[limb][lane]`.
    #[inline(always)]
    pub(crate) fn store(self, m: M) -> [[u64; LANES]; 5] {
        let [a, b, c, d, e] = self.0;
        [m.lanes(a), m.lanes(b), m.lanes(c), m.lanes(d), m.lanes(e)]
    }

    /// The same limbs in all lanes, from one lane that [`Self::store`] gave.
    #[inline(always)]
    pub(crate) fn broadcast(m: M, limbs: &[[u64; LANES]; 5], lane: usize) -> Self {
        Reduced::splat(m, [limbs[0][lane], limbs[1][lane], limbs[2][lane], limbs[3][lane], limbs[4][lane]])
    }

    /// Limbs that [`Self::words`] gave, and that may have been in memory meanwhile.
    #[inline(always)]
    pub(crate) fn from_words(m: M, words: [M::Word; 5]) -> Self {
        Reduced::new(m, words)
    }

    /// The limbs.
    #[inline(always)]
    pub(crate) fn words(self) -> [M::Word; 5] {
        self.0
    }

    /// The words behind it, to be wiped.
    pub(crate) fn words_mut(&mut self) -> &mut [M::Word; 5] {
        &mut self.0
    }
}

impl<M: Machine> Multiplicand<M> {
    /// Limbs that are in the class; the model and the intervals look.
    #[inline(always)]
    pub(crate) fn from_words(m: M, words: [M::Word; 5]) -> Self {
        for word in words {
            m.expect_below(word, 1 << 52);
        }
        Multiplicand(words)
    }

    /// The words behind it, to be wiped.
    pub(crate) fn words_mut(&mut self) -> &mut [M::Word; 5] {
        &mut self.0
    }
}

/// Each number in all lanes.
#[inline(always)]
fn splat<M: Machine>(m: M, limbs: [u64; 5]) -> [M::Word; 5] {
    let [a, b, c, d, e] = limbs;
    [m.splat(a), m.splat(b), m.splat(c), m.splat(d), m.splat(e)]
}

/// Limb by limb.
#[inline(always)]
fn added<M: Machine>(m: M, a: [M::Word; 5], b: [M::Word; 5]) -> [M::Word; 5] {
    [m.add(a[0], b[0]), m.add(a[1], b[1]), m.add(a[2], b[2]), m.add(a[3], b[3]), m.add(a[4], b[4])]
}

/// Limb by limb; none may be negative.
#[inline(always)]
fn subtracted<M: Machine>(m: M, a: [M::Word; 5], b: [M::Word; 5]) -> [M::Word; 5] {
    [m.sub(a[0], b[0]), m.sub(a[1], b[1]), m.sub(a[2], b[2]), m.sub(a[3], b[3]), m.sub(a[4], b[4])]
}

/// Limb by limb, by a mask.
#[inline(always)]
fn chosen<M: Machine>(m: M, mask: M::Mask, no: [M::Word; 5], yes: [M::Word; 5]) -> [M::Word; 5] {
    [
        m.choose(mask, no[0], yes[0]),
        m.choose(mask, no[1], yes[1]),
        m.choose(mask, no[2], yes[2]),
        m.choose(mask, no[3], yes[3]),
        m.choose(mask, no[4], yes[4]),
    ]
}

/// Limb by limb, by a spread mask.
#[inline(always)]
fn picked<M: Machine>(m: M, spread: M::Word, no: [M::Word; 5], yes: [M::Word; 5]) -> [M::Word; 5] {
    [
        m.pick(spread, no[0], yes[0]),
        m.pick(spread, no[1], yes[1]),
        m.pick(spread, no[2], yes[2]),
        m.pick(spread, no[3], yes[3]),
        m.pick(spread, no[4], yes[4]),
    ]
}

/// One parallel carry: each limb keeps 51 bits and gives the rest to the next; the last gives 19 times to the first.
///
/// A limb below 2^63 gives less than 2^12 on, so the first ends below 2^51 + 19 * 2^12 < 2^51 + 2^17.
#[inline(always)]
pub(crate) fn carry<M: Machine>(m: M, wide: Wide<M>) -> Reduced<M> {
    m.inlined(Carry(wide))
}

/// The body of [`carry`].
struct Carry<M: Machine>(Wide<M>);

impl<M: Machine> Kernel<M> for Carry<M> {
    type Output = Reduced<M>;

    #[inline(always)]
    fn run(self, m: M) -> Reduced<M> {
        let z = self.0.0;
        let limb = m.splat(LIMB);
        for word in z {
            m.expect_below(word, 1 << 63);
        }
        Reduced::new(
            m,
            [
                m.add_low(m.and(z[0], limb), m.right::<51>(z[4]), m.splat(19)),
                m.add(m.and(z[1], limb), m.right::<51>(z[0])),
                m.add(m.and(z[2], limb), m.right::<51>(z[1])),
                m.add(m.and(z[3], limb), m.right::<51>(z[2])),
                m.add(m.and(z[4], limb), m.right::<51>(z[3])),
            ],
        )
    }
}

/// Limbs 5 to 9 folded down on limbs 0 to 4 (see the module: 19, and 38 for the last).
#[inline(always)]
fn fold<M: Machine>(m: M, t: [M::Word; 10]) -> Wide<M> {
    Wide([
        m.add(t[0], m.times(t[5], 19)),
        m.add(t[1], m.times(t[6], 19)),
        m.add(t[2], m.times(t[7], 19)),
        m.add(t[3], m.times(t[8], 19)),
        m.add(t[4], m.times(t[9], 38)),
    ])
}

/// `a * b + p * 2^K` (and no offset if K is 0). The value is below 267 * 2^52 a limb before the offset.
#[inline(always)]
pub(crate) fn product_above<const K: u32, M: Machine, A: Factor<M>, B: Factor<M>>(m: M, a: A, b: B) -> Wide<M> {
    m.inlined(Product::<K, M>(a.limbs(), b.limbs()))
}

/// The body of [`product_above`].
struct Product<const K: u32, M: Machine>([M::Word; 5], [M::Word; 5]);

impl<const K: u32, M: Machine> Kernel<M> for Product<K, M> {
    type Output = Wide<M>;

    #[inline(always)]
    fn run(self, m: M) -> Wide<M> {
        let Product(a, b) = self;
        let mut t = [m.splat(0); 10];
        if K > 0 {
            // what stands in limbs 1 to 4 before the doubling counts twice
            t[0] = m.splat(multiple_of_p(K)[0]);
            t[1..5].copy_from_slice(&splat(m, multiple_of_p(K - 1))[1..]);
        }
        for i in 0..5 {
            for j in 0..5 {
                t[i + j + 1] = m.add_high(t[i + j + 1], a[i], b[j]);
            }
        }
        for double in &mut t[1..9] {
            *double = m.add(*double, *double);
        }
        for i in 0..5 {
            for j in 0..5 {
                t[i + j] = m.add_low(t[i + j], a[i], b[j]);
            }
        }
        fold(m, t)
    }
}

/// `a^2 + p * 2^K` (and no offset if K is 0): each mixed product once, doubled.
#[inline(always)]
pub(crate) fn square_above<const K: u32, M: Machine, A: Factor<M>>(m: M, a: A) -> Wide<M> {
    m.inlined(Square::<K, M>(a.limbs()))
}

/// The body of [`square_above`].
struct Square<const K: u32, M: Machine>([M::Word; 5]);

impl<const K: u32, M: Machine> Kernel<M> for Square<K, M> {
    type Output = Wide<M>;

    #[inline(always)]
    fn run(self, m: M) -> Wide<M> {
        let Square(a) = self;
        let mut t = [m.splat(0); 10];
        if K > 0 {
            // limb 1 is doubled once below, limbs 2 to 4 twice
            t[0] = m.splat(multiple_of_p(K)[0]);
            t[1] = m.splat(multiple_of_p(K - 1)[1]);
            t[2..5].copy_from_slice(&splat(m, multiple_of_p(K - 2))[2..]);
        }
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j + 1] = m.add_high(t[i + j + 1], a[i], a[j]);
            }
        }
        for double in &mut t[2..9] {
            *double = m.add(*double, *double);
        }
        for i in 0..5 {
            t[2 * i + 1] = m.add_high(t[2 * i + 1], a[i], a[i]);
        }
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j] = m.add_low(t[i + j], a[i], a[j]);
            }
        }
        for double in &mut t[1..9] {
            *double = m.add(*double, *double);
        }
        for i in 0..5 {
            t[2 * i] = m.add_low(t[2 * i], a[i], a[i]);
        }
        fold(m, t)
    }
}

/// `a * b`, to be carried.
#[inline(always)]
pub(crate) fn product<M: Machine, A: Factor<M>, B: Factor<M>>(m: M, a: A, b: B) -> Wide<M> {
    product_above::<0, M, A, B>(m, a, b)
}

/// `a * b`.
#[inline(always)]
pub(crate) fn multiply<M: Machine, A: Factor<M>, B: Factor<M>>(m: M, a: A, b: B) -> Reduced<M> {
    carry(m, product(m, a, b))
}

/// `a^2`.
#[inline(always)]
pub(crate) fn square<M: Machine, A: Factor<M>>(m: M, a: A) -> Reduced<M> {
    carry(m, square_above::<0, M, A>(m, a))
}

/// Sum of two that are not carried yet.
#[inline(always)]
pub(crate) fn wide_sum<M: Machine>(m: M, a: Wide<M>, b: Wide<M>) -> Wide<M> {
    Wide(added(m, a.0, b.0))
}

/// Difference of two that are not carried yet; `a` must stand above `b` in every limb.
#[inline(always)]
pub(crate) fn wide_difference<M: Machine>(m: M, a: Wide<M>, b: Wide<M>) -> Wide<M> {
    Wide(subtracted(m, a.0, b.0))
}

/// `a + p * 2^K`, so that a difference can follow.
#[inline(always)]
pub(crate) fn above<const K: u32, M: Machine>(m: M, a: Wide<M>) -> Wide<M> {
    Wide(added(m, a.0, splat(m, multiple_of_p(K))))
}

/// `a + b`.
#[inline(always)]
pub(crate) fn sum<M: Machine>(m: M, a: Reduced<M>, b: Reduced<M>) -> Reduced<M> {
    carry(m, Wide(added(m, a.0, b.0)))
}

/// `a - b`, through `a + 4p - b`.
#[inline(always)]
pub(crate) fn difference<M: Machine>(m: M, a: Reduced<M>, b: Reduced<M>) -> Reduced<M> {
    carry(m, wide_difference(m, above::<2, M>(m, Wide(a.0)), Wide(b.0)))
}

/// `2p - a`: below 2^52 a limb, so it may be a factor without a carry.
#[inline(always)]
pub(crate) fn negated<M: Machine>(m: M, a: Reduced<M>) -> Multiplicand<M> {
    Multiplicand::from_words(m, subtracted(m, splat(m, multiple_of_p(1)), a.0))
}

/// `-a`, carried.
#[inline(always)]
pub(crate) fn negative<M: Machine>(m: M, a: Reduced<M>) -> Reduced<M> {
    carry(m, Wide(negated(m, a).0))
}

/// Not carried yet, and nothing more to be said of it.
#[inline(always)]
pub(crate) fn widened<M: Machine, A: Factor<M>>(a: A) -> Wide<M> {
    Wide(a.limbs())
}

/// `yes` where the mask has the lane, else `no`. The mask may be secret.
#[inline(always)]
pub(crate) fn choose<M: Machine>(m: M, mask: M::Mask, no: Reduced<M>, yes: Reduced<M>) -> Reduced<M> {
    Reduced(chosen(m, mask, no.0, yes.0))
}

/// The same for factors.
#[inline(always)]
pub(crate) fn choose_factor<M: Machine>(
    m: M,
    mask: M::Mask,
    no: Multiplicand<M>,
    yes: Multiplicand<M>,
) -> Multiplicand<M> {
    Multiplicand(chosen(m, mask, no.0, yes.0))
}

/// `yes` where the spread mask has the lane, else `no`: both are read whole.
#[inline(always)]
pub(crate) fn pick<M: Machine>(m: M, spread: M::Word, no: Reduced<M>, yes: Reduced<M>) -> Reduced<M> {
    Reduced(picked(m, spread, no.0, yes.0))
}

/// The only form of a number: its value in `[0, p)`.
///
/// The value v of reduced limbs is below 2^255 + 2^222, so it is below 2p, and `q = floor((v + 19) / 2^255)` is 1 if
/// v >= p, else 0. `v - q p = v + 19 q - 2^255 q`: add `19 q`, carry along, and drop what goes past bit 255.
#[inline(always)]
pub(crate) fn freeze<M: Machine>(m: M, a: Reduced<M>) -> Canonical<M> {
    m.inlined(Freeze(a))
}

/// The body of [`freeze`].
struct Freeze<M: Machine>(Reduced<M>);

impl<M: Machine> Kernel<M> for Freeze<M> {
    type Output = Canonical<M>;

    #[inline(always)]
    fn run(self, m: M) -> Canonical<M> {
        let limb = m.splat(LIMB);
        let mut z = self.0.0;
        let mut q = m.right::<51>(m.add(z[0], m.splat(19)));
        for word in &z[1..] {
            q = m.right::<51>(m.add(*word, q));
        }
        z[0] = m.add_low(z[0], q, m.splat(19));
        for i in 0..4 {
            z[i + 1] = m.add(z[i + 1], m.right::<51>(z[i]));
            z[i] = m.and(z[i], limb);
        }
        z[4] = m.and(z[4], limb);
        for word in z {
            m.expect_below(word, 1 << 51);
        }
        Canonical(z)
    }
}

impl<M: Machine> Canonical<M> {
    /// The lanes that are odd: the negative ones, as RFC 9496 (section 3.1) says it.
    #[inline(always)]
    pub(crate) fn negative(self, m: M) -> M::Mask {
        m.meet(self.0[0], m.splat(1))
    }

    /// The lanes that equal a constant, by its limbs in canonical form.
    #[inline(always)]
    pub(crate) fn is(self, m: M, constant: [u64; 5]) -> M::Mask {
        self.same_limbs(m, splat(m, constant))
    }

    /// The lanes whose limbs are these.
    #[inline(always)]
    fn same_limbs(self, m: M, limbs: [M::Word; 5]) -> M::Mask {
        let mut equal = m.mask(u8::MAX);
        for (own, other) in self.0.iter().zip(&limbs) {
            equal = m.both(equal, m.equal(*own, *other));
        }
        equal
    }

    /// `yes` where the mask has the lane, else `no`. The mask may be secret.
    #[inline(always)]
    pub(crate) fn choose(m: M, mask: M::Mask, no: Self, yes: Self) -> Self {
        Canonical(chosen(m, mask, no.0, yes.0))
    }

    /// The 32 bytes of each lane, least significant first.
    #[inline(always)]
    pub(crate) fn to_bytes(self, m: M) -> [[u8; 32]; LANES] {
        let z = self.0;
        let words = [
            m.lanes(m.or(z[0], m.left::<51>(z[1]))),
            m.lanes(m.or(m.right::<13>(z[1]), m.left::<38>(z[2]))),
            m.lanes(m.or(m.right::<26>(z[2]), m.left::<25>(z[3]))),
            m.lanes(m.or(m.right::<39>(z[3]), m.left::<12>(z[4]))),
        ];
        let mut bytes = [[0; 32]; LANES];
        for (lane, bytes) in bytes.iter_mut().enumerate() {
            for (word, place) in words.iter().zip(bytes.chunks_exact_mut(8)) {
                place.copy_from_slice(&word[lane].to_le_bytes());
            }
        }
        bytes
    }
}

/// The lanes that are zero.
#[inline(always)]
pub(crate) fn is_zero<M: Machine>(m: M, a: Reduced<M>) -> M::Mask {
    freeze(m, a).is(m, [0; 5])
}

/// The lanes that are odd in canonical form.
#[inline(always)]
pub(crate) fn is_negative<M: Machine>(m: M, a: Reduced<M>) -> M::Mask {
    freeze(m, a).negative(m)
}

/// The one of `a` and `-a` that is even in canonical form.
#[inline(always)]
pub(crate) fn absolute<M: Machine>(m: M, a: Reduced<M>) -> Reduced<M> {
    choose(m, is_negative(m, a), a, negative(m, a))
}

/// 32 bytes for each lane, least significant first, as four words.
#[inline(always)]
pub(crate) fn words<M: Machine>(m: M, bytes: [&[u8; 32]; LANES]) -> [M::Word; 4] {
    let mut words = [[0; LANES]; 4];
    for (lane, bytes) in bytes.iter().enumerate() {
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            word[lane] = u64::from_le_bytes(*bytes);
        }
    }
    let [a, b, c, d] = words;
    [m.word(a), m.word(b), m.word(c), m.word(d)]
}

/// The number that the low 255 bits of each lane's words say; it may be p or above.
#[inline(always)]
pub(crate) fn low_255_bits<M: Machine>(m: M, w: [M::Word; 4]) -> Reduced<M> {
    let limb = m.splat(LIMB);
    Reduced::new(
        m,
        [
            m.and(w[0], limb),
            m.and(m.or(m.right::<51>(w[0]), m.left::<13>(w[1])), limb),
            m.and(m.or(m.right::<38>(w[1]), m.left::<26>(w[2])), limb),
            m.and(m.or(m.right::<25>(w[2]), m.left::<39>(w[3])), limb),
            m.and(m.right::<12>(w[3]), limb),
        ],
    )
}

/// The number that each lane's words say, and the lanes where it is canonical: below p, and no bit above.
#[inline(always)]
pub(crate) fn canonical<M: Machine>(m: M, words: [M::Word; 4]) -> (Reduced<M>, M::Mask) {
    let number = low_255_bits(m, words);
    let below_p = freeze(m, number).same_limbs(m, number.0);
    let high_bit = m.meet(words[3], m.splat(1 << 63));
    (number, m.both(below_p, m.not(high_bit)))
}
