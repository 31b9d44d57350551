//! Tests: the model equals the hardware limb for limb, on random limbs and on limbs at the bounds of their class.

#![cfg(target_arch = "x86_64")]

use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::decode::Decode;
use super::digits::{DIGITS, Digits};
use super::edwards::{Add, Coordinates, Double, Extended};
use super::encode::{Encode, EncodeDoubled};
use super::field::{Reduced, absolute, difference, freeze, multiply, negated, negative, square, sum};
use super::fixed::{AddMultiples, windows};
use super::ifma::Ifma;
use super::machine::{Kernel, LANES, Machine};
use super::map::Map;
use super::model::Model;
use super::multiply::{Multiply, Table};
use super::sum::{Sum, short};

/// Limbs of the class `Reduced`: at the lower end, at the upper, or anywhere between.
fn limbs(random: &mut ChaCha20Rng) -> [u64; 5] {
    Reduced::<Model>::BOUNDS.map(|bound| match random.next_u32() % 4 {
        0 => 0,
        1 => bound - 1,
        2 => bound - 1 - random.next_u64() % 64,
        _ => random.next_u64() % bound,
    })
}

fn points(random: &mut ChaCha20Rng) -> [Coordinates; LANES] {
    std::array::from_fn(|_| Coordinates::of_limbs(std::array::from_fn(|_| limbs(random))))
}

/// What a machine computes, limb by limb, on inputs that depend on the seed only.
type Transcript = fn(&mut ChaCha20Rng, Any) -> Vec<u64>;

/// Either machine.
#[derive(Clone, Copy)]
enum Any {
    Hardware(Ifma),
    Model,
}

/// One field operation after another, and their limbs.
struct Fields<'a>(&'a [[[u64; 5]; LANES]; 2]);

impl<M: Machine> Kernel<M> for Fields<'_> {
    type Output = Vec<u64>;

    #[inline(always)]
    fn run(self, m: M) -> Vec<u64> {
        let [a, b] = self.0.each_ref().map(|lanes| Reduced::load(m, lanes.each_ref()));
        let results = [
            multiply(m, a, b),
            square(m, a),
            sum(m, a, b),
            difference(m, a, b),
            negative(m, a),
            absolute(m, a),
            multiply(m, negated(m, a), b),
            multiply(m, freeze(m, a), b),
        ];
        let mut transcript: Vec<u64> =
            results.into_iter().flat_map(|result| result.store(m).into_iter().flatten()).collect();
        transcript.extend(freeze(m, a).to_bytes(m).into_iter().flatten().map(u64::from));
        transcript
    }
}

/// A point's limbs, by lane.
struct Limbs<'a, M: Machine>(&'a Extended<M>);

impl<M: Machine> Kernel<M> for Limbs<'_, M> {
    type Output = Vec<u64>;

    #[inline(always)]
    fn run(self, m: M) -> Vec<u64> {
        [self.0.x, self.0.y, self.0.z, self.0.t].iter().flat_map(|part| part.store(m).into_iter().flatten()).collect()
    }
}

/// Everything above the field.
fn above_the_field<M: Machine>(m: M, random: &mut ChaCha20Rng) -> Vec<u64> {
    let mut seen = Vec::new();
    let (one, two) = (points(random), points(random));
    let mut point = Extended::load(m, &one);
    let cached = Extended::load(m, &two).cached(m);
    m.call(Double::<_, false>(&mut point));
    seen.extend(m.call(Limbs(&point)));
    m.call(Double::<_, true>(&mut point));
    m.call(Add::<_, _, true>(&mut point, &cached));
    seen.extend(m.call(Limbs(&point)));
    let scalars: [Scalar; LANES] = std::array::from_fn(|_| Scalar::random(random));
    let (digits, mut table) = (Digits::of_each(m, &scalars), Table::new(m));
    m.call(Multiply { points: &mut point, digits: &digits, places: DIGITS, table: &mut table });
    seen.extend(m.call(Limbs(&point)));

    let multiples: Vec<Extended<M>> = (0..102).map(|_| Extended::load(m, &points(random))).collect();
    let table = windows(m, &multiples);
    m.call(AddMultiples { points: std::slice::from_mut(&mut point), scalars: &scalars, less: false, windows: &table });
    seen.extend(m.call(Limbs(&point)));

    let mut bytes = [[[0; 32]; LANES]; 4];
    let mut wide = [[[0; 64]; LANES]; 2];
    bytes.as_flattened_mut().iter_mut().for_each(|bytes| random.fill_bytes(bytes));
    wide.as_flattened_mut().iter_mut().for_each(|bytes| random.fill_bytes(bytes));
    let mut four = [Extended::identity(m); 4];
    let valid = m.call(Decode { encoded: &bytes, points: &mut four });
    seen.extend(valid.map(u64::from));
    m.call(Map::<_, 4> { uniform: &wide, points: &mut four[..2] });
    four[3] = point;
    seen.extend(four.iter().flat_map(|point| m.call(Limbs(point))));
    m.call(Encode { points: &four, encoded: &mut bytes });
    seen.extend(bytes.as_flattened().as_flattened().iter().map(|byte| u64::from(*byte)));
    m.call(EncodeDoubled { points: &four, encoded: &mut bytes });
    seen.extend(bytes.as_flattened().as_flattened().iter().map(|byte| u64::from(*byte)));

    let weights: [u128; LANES] =
        std::array::from_fn(|_| u128::from(random.next_u64()) << 64 | u128::from(random.next_u64()));
    let mut total = Sum::new(m);
    total.add(m, &one, &weights);
    let few = short(m, &mut four, &weights.repeat(4));
    for coordinates in [total.finish(m), few] {
        seen.extend(coordinates.limbs().into_iter().flatten());
    }
    seen
}

fn agree(transcript: Transcript, seeds: u64) {
    let Some(hardware) = Ifma::detect() else {
        eprintln!("NOT RUN: this processor has no AVX-512 IFMA");
        return;
    };
    for seed in 0..seeds {
        let of = |machine| transcript(&mut ChaCha20Rng::seed_from_u64(seed), machine);
        assert!(of(Any::Hardware(hardware)) == of(Any::Model), "seed {seed}");
    }
}

#[test]
fn of_field_operations() {
    fn inside(random: &mut ChaCha20Rng, machine: Any) -> Vec<u64> {
        let inputs = std::array::from_fn(|_| std::array::from_fn(|_| limbs(random)));
        match machine {
            Any::Hardware(m) => m.call(Fields(&inputs)),
            Any::Model => Model.call(Fields(&inputs)),
        }
    }
    agree(inside, 3000);
}

#[test]
fn of_everything_above() {
    fn inside(random: &mut ChaCha20Rng, machine: Any) -> Vec<u64> {
        match machine {
            Any::Hardware(m) => above_the_field(m, random),
            Any::Model => above_the_field(Model, random),
        }
    }
    agree(inside, 12);
}

#[test]
fn of_transposition() {
    if let Some(m) = Ifma::detect() {
        let rows: [[u64; LANES]; LANES] = std::array::from_fn(|i| std::array::from_fn(|j| (8 * i + j) as u64));
        assert_eq!(m.transpose(rows.map(|row| m.word(row))).map(|word| m.lanes(word)), Model.transpose(rows));
    }
}
