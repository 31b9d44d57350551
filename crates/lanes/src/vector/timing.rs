//! Tests: the time of a multiplication, or of a multiple of a public point, does not tell the scalar, measured on the
//! real path, the cutting into digits included (the method of dudect: Reparaz, Balasch, Verbauwhede, eprint 2016/1123).
//!
//! Two classes of scalars, one fixed and one random, take turns at random; Welch's t compares the mean times of the
//! lower nine tenths of all samples. |t| below 4.5 is what one wants to see on an idle machine. Here others compile
//! meanwhile, so the bound is loose and the best of some tries counts; the planted leak must stand far beyond it in
//! every try. What is strict is `disassembly`.

#![cfg(target_arch = "x86_64")]

use std::hint::black_box;
use std::time::Instant;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::batch::Vectors;
use super::digits::{DIGITS, Digits};
use super::edwards::Extended;
use super::fixed::AddMultiples;
use super::ifma::Ifma;
use super::machine::{LANES, Machine};
use super::multiply::{Multiply, Table};
use super::planted::Skipping;
use crate::backend::Arithmetic;

/// A measured job, on points and a scalar.
type Job<'a> = &'a mut dyn FnMut(&mut Extended<Ifma>, &Scalar);

/// Samples of both classes together.
const SAMPLES: usize = 6000;

/// What the multiplication stays below in some try even on a busy machine, and the planted leak is far above.
const LOOSE: f64 = 12.0;

/// Welch's t of two samples.
fn welch(samples: &[Vec<f64>; 2]) -> f64 {
    let [(n, mean, variance), (other_n, other_mean, other_variance)] = samples.each_ref().map(|times| {
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        (n, mean, times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0))
    });
    (mean - other_mean) / (variance / n + other_variance / other_n).sqrt()
}

/// |t| between a fixed scalar and random ones.
fn measure(m: Ifma, fixed: &Scalar, seed: u64, job: Job) -> f64 {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..SAMPLES {
        let class = (random.next_u32() & 1) as usize;
        let scalar = [*fixed, Scalar::random(&mut random)][class];
        let mut points = Extended::identity(m);
        let start = Instant::now();
        job(black_box(&mut points), black_box(&scalar));
        times[class].push(start.elapsed().as_nanos() as f64);
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let cut = all[all.len() * 9 / 10];
    welch(&times.map(|times| times.into_iter().filter(|time| *time < cut).collect())).abs()
}

#[test]
fn the_scalar_does_not_show() {
    let Some(m) = Ifma::detect() else {
        eprintln!("NOT RUN: this processor has no AVX-512 IFMA");
        return;
    };
    let mut table = Table::new(m);
    let mut multiply = |points: &mut Extended<Ifma>, scalar: &Scalar| {
        let digits = Digits::of_one(m, scalar);
        m.call(Multiply { points, digits: &digits, places: DIGITS, table: &mut table });
    };
    let windows = Vectors(m).windows(&RISTRETTO_BASEPOINT_POINT);
    let mut add = |points: &mut Extended<Ifma>, scalar: &Scalar| {
        let (points, scalars) = (std::slice::from_mut(points), [*scalar; LANES]);
        m.call(AddMultiples { points, scalars: &scalars, less: false, windows: &windows });
    };
    let sevens = Scalar::from_bytes_mod_order([0x77; 32]);
    for (name, fixed) in [("zero", Scalar::ZERO), ("one", Scalar::ONE), ("sevens", sevens), ("l - 1", -Scalar::ONE)] {
        let jobs: [(&str, Job); 2] = [("multiply", &mut multiply), ("add a multiple", &mut add)];
        for (what, job) in jobs {
            let mut tries = Vec::new();
            while tries.len() < 5 && tries.iter().all(|t| *t >= LOOSE) {
                tries.push(measure(m, &fixed, tries.len() as u64, &mut *job));
            }
            println!("{what}, {name}: |t| {tries:.1?}");
            assert!(tries.iter().any(|t| *t < LOOSE), "{what}, {name}: |t| {tries:.1?}");
        }
    }
    let mut skipping = |points: &mut Extended<Ifma>, scalar: &Scalar| {
        let digits = Digits::of_one(m, scalar);
        m.call(Skipping { points, digits: &digits });
    };
    let leak = measure(m, &Scalar::ZERO, 0, &mut skipping);
    println!("planted leak: |t| {leak:.1}");
    assert!(leak > 5.0 * LOOSE, "a planted leak was not seen: |t| {leak:.1}");
}
