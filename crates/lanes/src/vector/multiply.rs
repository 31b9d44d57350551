//! Eight points times secret scalars, each lane its own: the cost that matters.
//!
//! A window of four bits, signed: the multiples P to 8P in a table, 64 digits, 252 doublings and 64 additions. A digit
//! selects by reading the *whole* table and keeping, by masks, one entry; its sign swaps two coordinates and negates a
//! third, by masks. No jump and no address depends on a digit. A wider window was measured and gains nothing: the
//! longer scan costs what the saved additions bring.

use zeroize::Zeroize;

use super::digits::{Digits, RAISE};
use super::edwards::{Add, Cached, Double, Extended};
use super::field::{Multiplicand, Reduced, choose, choose_factor, negated, pick};
use super::machine::{Kernel, Machine};

/// Entries of the table: P to 8P.
const ENTRIES: usize = 8;

/// The table of a multiplication, kept between vectors of a chunk; wiped when dropped.
pub(crate) struct Table<M: Machine>([Cached<M>; ENTRIES]);

impl<M: Machine> Table<M> {
    /// With nothing in it.
    #[inline(always)]
    pub(crate) fn new(m: M) -> Self {
        Table([Cached::identity(m); ENTRIES])
    }

    /// The multiples of these points.
    #[inline(always)]
    fn fill(&mut self, m: M, point: &Extended<M>) {
        let mut multiple = *point;
        self.0[0] = point.cached(m);
        m.call(Double::<M, true>(&mut multiple));
        self.0[1] = multiple.cached(m);
        for entry in 2..ENTRIES {
            let (filled, rest) = self.0.split_at_mut(entry);
            m.call(Add::<_, _, true>(&mut multiple, &filled[0]));
            rest[0] = multiple.cached(m);
        }
    }
}

/// Wipes a selected entry.
fn wipe<M: Machine>(chosen: &mut Chosen<M>) {
    for part in [&mut chosen.sum, &mut chosen.difference, &mut chosen.z] {
        part.words_mut().zeroize();
    }
    chosen.t.words_mut().zeroize();
}

impl<M: Machine> Drop for Table<M> {
    fn drop(&mut self) {
        for entry in &mut self.0 {
            entry.zeroize();
        }
    }
}

/// A selected entry: its 2dT may be negated.
type Chosen<M> = Cached<M, Multiplicand<M>>;

/// Puts into `chosen`, in each lane, the multiple that the lane's digit says.
pub(crate) struct Select<'a, M: Machine> {
    chosen: &'a mut Chosen<M>,
    table: &'a Table<M>,
    /// Raised digits, see [`Digits::at`].
    digit: M::Word,
}

impl<M: Machine> Kernel<M> for Select<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        // bit 3 of a raised digit is clear where the digit is negative; 8 + |digit| without wrapping
        let positive = m.meet(self.digit, m.splat(RAISE));
        let size = m.choose(positive, m.sub(m.splat(2 * RAISE), self.digit), self.digit);
        let mut found = Cached::identity(m);
        let mut t = Reduced::zero(m);
        for (entry, multiple) in self.table.0.iter().enumerate() {
            let here = m.spread(m.equal(size, m.splat(RAISE + 1 + entry as u64)));
            found.sum = pick(m, here, found.sum, multiple.sum);
            found.difference = pick(m, here, found.difference, multiple.difference);
            found.z = pick(m, here, found.z, multiple.z);
            t = pick(m, here, t, multiple.t);
        }
        // -P is (Y - X, Y + X, 2Z, -2dT)
        *self.chosen = Cached {
            sum: choose(m, positive, found.difference, found.sum),
            difference: choose(m, positive, found.sum, found.difference),
            z: found.z,
            t: choose_factor(m, positive, negated(m, t), Multiplicand::from(t)),
        };
    }
}

/// Each lane's point times its scalar, T of the result included.
pub(crate) struct Multiply<'a, M: Machine> {
    /// The points, and then the products.
    pub(crate) points: &'a mut Extended<M>,
    /// The scalars.
    pub(crate) digits: &'a Digits<M>,
    /// How many digits count: [`super::digits::DIGITS`], or fewer where it is public that those above are zero.
    pub(crate) places: usize,
    /// Room for the table.
    pub(crate) table: &'a mut Table<M>,
}

impl<M: Machine> Kernel<M> for Multiply<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run(self, m: M) {
        let Multiply { points, digits, places, table } = self;
        table.fill(m, points);
        let Cached { sum, difference, z, t } = Cached::identity(m);
        let mut chosen = Cached { sum, difference, z, t: Multiplicand::from(t) };
        *points = Extended::identity(m);
        for place in (0..places).rev() {
            if place != places - 1 {
                for _ in 0..3 {
                    m.call(Double::<_, false>(points));
                }
                m.call(Double::<M, true>(points));
            }
            m.call(Select { chosen: &mut chosen, table, digit: digits.at(m, place) });
            if place != 0 {
                m.call(Add::<_, _, false>(points, &chosen));
            } else {
                m.call(Add::<_, _, true>(points, &chosen));
            }
        }
        wipe(&mut chosen);
    }
}
