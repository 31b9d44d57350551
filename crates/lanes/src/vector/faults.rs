//! Tests: planted faults, each of which the checks must find.
//!
//! A faulty machine is the model with one thing wrong in it: an operation, or a constant. Found means that a result
//! differs from dalek's or that an assertion of the model fails. So a fault that a change could bring into a formula or
//! a machine does not pass the agreement tests by luck.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::thread::current;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::batch::Vectors;
use super::field::multiple_of_p;
use super::machine::{Kernel, LANES, Machine};
use super::model::Model;
use crate::backend::{Arithmetic, Multiples, Secrets};
use crate::fixed_base::FixedBase;
use crate::point::Point;

type Word = [u64; LANES];

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing: the control.
    None,
    /// A constant has its lowest bit turned.
    Constant(u64),
    /// A constant is one bit of 2^40 off.
    ConstantHigh(u64),
    /// What a limb gives on to the next is lost.
    DroppedCarry,
    /// Folding multiplies by one more.
    WrongFold(u64),
    /// The halves of a product are taken for each other.
    LowIsHigh,
    HighIsLow,
    /// A factor loses its 52nd bit, as if the limbs were strict.
    StrictFactor,
    /// A choice takes the other side.
    SwappedChoice,
    SwappedPick,
    /// A choice forgets the highest lane.
    ShortChoice,
    /// A digit is cut one place too high.
    DigitPlace,
    /// `a - b` is `a`, where `a` is a multiple of p, as in a negation that is forgotten.
    NoNegation,
    /// `a - b` has one too many.
    Borrow,
    /// Equality looks at 51 bits, or at 63.
    LooseEqual,
    /// A mask is not turned, or both is either.
    NotIsSame,
    BothIsEither,
    EitherIsBoth,
    /// A test of bits sees none.
    BlindMeet,
    /// Two rows of a transposition are swapped.
    Transposed,
    /// A shift to the left is one too many.
    LeftShift,
    /// Lane 5 reads lane 4.
    Lane,
    /// A look finds the entry beside the right one, or mistakes one half for the other, or knows of one half only.
    LookBeside,
    LookSwapped,
    LookHalf,
}

#[derive(Clone, Copy)]
struct Faulty(Fault);

impl Faulty {
    fn has(self, fault: Fault) -> bool {
        self.0 == fault
    }
}

/// The multiples of p that formulas subtract from have all ones in the middle.
fn is_multiple_of_p(limb: u64) -> bool {
    limb > 1 << 51 && (limb >> limb.trailing_zeros()).count_ones() >= 46
}

impl Machine for Faulty {
    type Word = Word;
    type Mask = u8;

    fn call<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    #[inline(never)]
    fn inlined<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn word(self, mut lanes: [u64; LANES]) -> Word {
        if self.has(Fault::Lane) {
            lanes[5] = lanes[4];
        }
        lanes
    }

    fn lanes(self, word: Word) -> [u64; LANES] {
        word
    }

    fn transpose(self, mut rows: [Word; LANES]) -> [Word; LANES] {
        if self.has(Fault::Transposed) {
            rows.swap(2, 3);
        }
        Model.transpose(rows)
    }

    #[inline(never)]
    fn splat(self, value: u64) -> Word {
        match self.0 {
            Fault::Constant(wrong) if wrong == value => Model.splat(value ^ 1),
            Fault::ConstantHigh(wrong) if wrong == value => Model.splat(value ^ 1 << 40),
            _ => Model.splat(value),
        }
    }

    fn add(self, a: Word, b: Word) -> Word {
        Model.add(a, b)
    }

    fn sub(self, a: Word, b: Word) -> Word {
        if self.has(Fault::NoNegation) && is_multiple_of_p(a[0]) {
            return b;
        }
        let difference = Model.sub(a, b);
        if self.has(Fault::Borrow) { difference.map(|lane| lane.wrapping_sub(1)) } else { difference }
    }

    fn add_low(self, sum: Word, a: Word, b: Word) -> Word {
        match self.0 {
            Fault::LowIsHigh => Model.add_high(sum, a, b),
            Fault::StrictFactor => Model.add_low(sum, a.map(|a| a & ((1 << 51) - 1)), b),
            Fault::WrongFold(19) if b == [19; LANES] => Model.add_low(sum, a, [20; LANES]),
            _ => Model.add_low(sum, a, b),
        }
    }

    fn add_high(self, sum: Word, a: Word, b: Word) -> Word {
        if self.has(Fault::HighIsLow) { Model.add_low(sum, a, b) } else { Model.add_high(sum, a, b) }
    }

    fn times(self, a: Word, factor: u64) -> Word {
        let wrong = self.0 == Fault::WrongFold(factor);
        Model.times(a, factor + u64::from(wrong))
    }

    fn right<const N: u32>(self, a: Word) -> Word {
        if N == 51 && self.has(Fault::DroppedCarry) { [0; LANES] } else { Model.right::<N>(a) }
    }

    fn left<const N: u32>(self, a: Word) -> Word {
        if self.has(Fault::LeftShift) { Model.left::<1>(Model.left::<N>(a)) } else { Model.left::<N>(a) }
    }

    fn right_by(self, a: Word, bits: u32) -> Word {
        Model.right_by(a, if self.has(Fault::DigitPlace) { (bits + 4) % 64 } else { bits })
    }

    fn and(self, a: Word, b: Word) -> Word {
        Model.and(a, b)
    }

    fn or(self, a: Word, b: Word) -> Word {
        Model.or(a, b)
    }

    fn equal(self, a: Word, b: Word) -> u8 {
        if self.has(Fault::LooseEqual) {
            return Model.equal(a.map(|a| a >> 1), b.map(|b| b >> 1));
        }
        Model.equal(a, b)
    }

    fn meet(self, a: Word, b: Word) -> u8 {
        if self.has(Fault::BlindMeet) { 0 } else { Model.meet(a, b) }
    }

    fn mask(self, bits: u8) -> u8 {
        bits
    }

    fn bits(self, mask: u8) -> u8 {
        mask
    }

    fn both(self, a: u8, b: u8) -> u8 {
        if self.has(Fault::BothIsEither) { a | b } else { a & b }
    }

    fn either(self, a: u8, b: u8) -> u8 {
        if self.has(Fault::EitherIsBoth) { a & b } else { a | b }
    }

    fn not(self, a: u8) -> u8 {
        if self.has(Fault::NotIsSame) { a } else { !a }
    }

    fn choose(self, mask: u8, no: Word, yes: Word) -> Word {
        match self.0 {
            Fault::SwappedChoice => Model.choose(mask, yes, no),
            Fault::ShortChoice => Model.choose(mask & 0x7f, no, yes),
            _ => Model.choose(mask, no, yes),
        }
    }

    fn spread(self, mask: u8) -> Word {
        Model.spread(mask)
    }

    fn pick(self, spread: Word, no: Word, yes: Word) -> Word {
        if self.has(Fault::SwappedPick) { Model.pick(spread, yes, no) } else { Model.pick(spread, no, yes) }
    }

    fn look(self, [low, high]: [Word; 2], place: Word) -> Word {
        match self.0 {
            Fault::LookBeside => Model.look([low, high], place.map(|place| place ^ 1)),
            Fault::LookSwapped => Model.look([high, low], place),
            Fault::LookHalf => Model.look([low, low], place),
            _ => Model.look([low, high], place),
        }
    }

    fn expect_below(self, word: Word, bound: u64) {
        Model.expect_below(word, bound);
    }
}

/// Points that are blinded: two vectors, the second of them not full.
const FEW: usize = 11;

/// Inputs, and what dalek makes of them.
struct Case {
    encoded: Vec<[u8; 32]>,
    accepted: Vec<bool>,
    secrets: Vec<Scalar>,
    products: Vec<[u8; 32]>,
    base: RistrettoPoint,
    blinded: Vec<[u8; 32]>,
    unblinded: Vec<[u8; 32]>,
    uniform: Vec<[u8; 64]>,
    mapped: Vec<[u8; 32]>,
    weights: Vec<u128>,
    sum: RistrettoPoint,
}

impl Case {
    fn new() -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(4);
        let points: Vec<RistrettoPoint> = (0..64).map(|_| RistrettoPoint::random(&mut random)).collect();
        let secrets: Vec<Scalar> = (0..64).map(|_| Scalar::random(&mut random)).collect();
        let weights: Vec<u128> =
            (0..64).map(|_| u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())).collect();
        let mut uniform = vec![[0; 64]; 24];
        uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
        let mut encoded: Vec<[u8; 32]> = points.iter().map(|point| point.compress().to_bytes()).collect();
        // beside good ones: a canonical string that is no point, one above p, odd ones, a high bit
        for i in 0..8 {
            let mut bad = encoded[i];
            bad[i] ^= 2;
            encoded.push(bad);
            let mut odd = encoded[i];
            odd[0] ^= 1;
            encoded.push(odd);
            let mut high = encoded[i];
            high[31] ^= 0x80;
            encoded.push(high);
            let mut above_p = [0xff; 32];
            (above_p[0], above_p[31]) = (0xed + 2 * i as u8, 0x7f);
            encoded.push(above_p);
        }
        let accepted = encoded.iter().map(|bytes| CompressedRistretto(*bytes).decompress().is_some()).collect();
        let products = points.iter().zip(&secrets).map(|(point, s)| (point * s).compress().to_bytes()).collect();
        // few, since the faults are many
        let (base, few) = (points[63], points[..FEW].iter().zip(&secrets));
        let blinded = few.clone().map(|(point, s)| (point * secrets[63] + base * s).compress().to_bytes()).collect();
        let unblinded = few
            .map(|(point, s)| {
                let difference = point - base * s;
                (difference + difference).compress().to_bytes()
            })
            .collect();
        let mapped = uniform.iter().map(|b| RistrettoPoint::from_uniform_bytes(b).compress().to_bytes()).collect();
        let sum = points.iter().zip(&weights).map(|(point, weight)| point * Scalar::from(*weight)).sum();
        Case { encoded, accepted, secrets, products, base, blinded, unblinded, uniform, mapped, weights, sum }
    }

    /// Whether a machine gives what dalek gives, on every operation.
    fn holds(&self, fault: Fault) -> bool {
        let run = || {
            let vectors = Vectors(Faulty(fault));
            let count = self.encoded.len();
            let mut points = vec![Point::identity(); count];
            let mut refused = vec![None; count];
            vectors.decode(&self.encoded, &mut points, &mut refused);
            if refused.iter().zip(&self.accepted).any(|(refused, accepted)| refused.is_none() != *accepted) {
                return false;
            }
            let points = &points[..self.products.len()];
            let mut encoded = vec![[0; 32]; points.len()];
            vectors.encode(points, &mut encoded);
            if encoded[..] != self.encoded[..points.len()] {
                return false;
            }
            vectors.encode_multiplied(points, Secrets::Each(&self.secrets), &mut encoded);
            if encoded != self.products {
                return false;
            }
            let (few, base) = (&points[..FEW], FixedBase::new(self.base));
            let multiples = Multiples { base: &base, scalars: &self.secrets[..FEW] };
            let mut encoded = vec![[0; 32]; FEW];
            vectors.encode_multiplied_plus(few, &self.secrets[63], multiples, &mut encoded);
            if encoded != self.blinded {
                return false;
            }
            vectors.encode_doubled_less(few, multiples, &mut encoded);
            if encoded != self.unblinded {
                return false;
            }
            let mut mapped = vec![Point::identity(); self.uniform.len()];
            vectors.map(&self.uniform, &mut mapped);
            let mut encoded = vec![[0; 32]; mapped.len()];
            vectors.encode(&mapped, &mut encoded);
            if encoded != self.mapped {
                return false;
            }
            // with buckets, and without
            let sums = [64, 24].map(|count| vectors.sum_weighted_vartime(&points[..count], &self.weights[..count]));
            let half: RistrettoPoint = points[..24]
                .iter()
                .zip(&self.weights)
                .map(|(point, weight)| point.to_dalek() * Scalar::from(*weight))
                .sum();
            sums == [self.sum, half]
        };
        catch_unwind(AssertUnwindSafe(run)).unwrap_or(false)
    }
}

/// The limbs of all constants of the formulas.
fn constants() -> Vec<u64> {
    let tables = [
        super::decode::D,
        super::decode::SQRT_M1,
        super::decode::MINUS_ONE,
        super::edwards::TWICE_D,
        super::encode::INVSQRT_A_MINUS_D,
        super::map::ONE_MINUS_D_SQUARED,
        super::map::D_MINUS_ONE_SQUARED,
        super::map::SQRT_AD_MINUS_ONE,
    ];
    let mut constants = tables.as_flattened().to_vec();
    for k in [1, 2, 9, 10] {
        constants.extend(multiple_of_p(k));
    }
    // where limbs are doubled on the way, offsets start at a half or a quarter, but never for limb 0
    for k in [7, 8] {
        constants.extend(&multiple_of_p(k)[1..]);
    }
    constants.sort_unstable();
    constants.dedup();
    constants
}

#[test]
fn each_is_found() {
    let case = Case::new();
    // assertions are expected to fail here, and in no other thread
    let (own, hook) = (current().id(), take_hook());
    set_hook(Box::new(move |info| {
        if current().id() != own {
            hook(info)
        }
    }));
    let control = case.holds(Fault::None);
    let mut faults = vec![
        Fault::DroppedCarry,
        Fault::WrongFold(19),
        Fault::WrongFold(38),
        Fault::LowIsHigh,
        Fault::HighIsLow,
        Fault::StrictFactor,
        Fault::SwappedChoice,
        Fault::SwappedPick,
        Fault::ShortChoice,
        Fault::DigitPlace,
        Fault::NoNegation,
        Fault::Borrow,
        Fault::LooseEqual,
        Fault::NotIsSame,
        Fault::BothIsEither,
        Fault::EitherIsBoth,
        Fault::BlindMeet,
        Fault::Transposed,
        Fault::LeftShift,
        Fault::Lane,
        Fault::LookBeside,
        Fault::LookSwapped,
        Fault::LookHalf,
        Fault::Constant(31),
        Fault::Constant(super::field::LIMB),
        Fault::Constant(19),
        Fault::Constant(1),
        Fault::Constant(2),
        Fault::Constant(8),
        Fault::Constant(15),
        Fault::Constant(16),
        Fault::Constant(1 << 63),
    ];
    faults.extend(constants().into_iter().flat_map(|value| [Fault::Constant(value), Fault::ConstantHigh(value)]));
    let missed: Vec<Fault> = faults.iter().copied().filter(|fault| case.holds(*fault)).collect();
    assert!(control, "the machine without a fault fails");
    assert!(missed.is_empty(), "{} of {} faults were not found: {missed:x?}", missed.len(), faults.len());
}
