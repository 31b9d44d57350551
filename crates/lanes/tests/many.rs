//! A million random points through each backend, each compared with curve25519-dalek one point at a time.
//!
//! With `CI` set it is a million, else some ten thousand. The expected values are dalek's own functions on single points
//! (`from_uniform_bytes`, `compress`, `decompress`, `*`); so the backend `dalek`, which stands on the same functions, is
//! checked in its batch forms (halved scalars, shared inversion, order, chunks), not in its field arithmetic. The
//! model, which is slow, takes a few thousand points, with its assertions.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use lanes::{Backend, FixedBase, Run};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

/// Points that are compared at a time.
const CHUNK: usize = 8192;

/// One chunk through all backends.
fn compare(seed: u64, count: usize, backends: &[Backend]) {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut uniform = vec![[0; 64]; count];
    uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
    let secrets: Vec<Scalar> = (0..count).map(|_| Scalar::random(&mut random)).collect();
    let weights: Vec<u128> =
        secrets.iter().map(|s| u128::from_le_bytes(*s.as_bytes().first_chunk().unwrap())).collect();
    let points: Vec<RistrettoPoint> = uniform.iter().map(RistrettoPoint::from_uniform_bytes).collect();
    let encoded: Vec<[u8; 32]> = points.iter().map(|point| point.compress().to_bytes()).collect();
    let products: Vec<[u8; 32]> =
        points.iter().zip(&secrets).map(|(point, secret)| (point * secret).compress().to_bytes()).collect();
    let base = &FixedBase::new(points[0] + points[1]);
    let shared: Vec<RistrettoPoint> = points.iter().map(|point| point * secrets[0]).collect();
    let blinds: Vec<[u8; 32]> = shared
        .iter()
        .zip(&secrets)
        .map(|(point, secret)| (point + base.point() * secret).compress().to_bytes())
        .collect();
    let doubles: Vec<[u8; 32]> = shared.iter().map(|point| (point + point).compress().to_bytes()).collect();
    let mut sums = Vec::new();
    for backend in backends {
        let run = Run::on(*backend);
        let mapped = run.from_uniform(&uniform);
        assert!(run.encode(&mapped) == encoded, "{backend}: map or encode, seed {seed}");
        let decoded = run.decode(&encoded).unwrap();
        assert!(run.encode_multiplied_each(&decoded, &secrets) == products, "{backend}: multiply, seed {seed}");
        let blinded = run.encode_multiplied_plus(&decoded, &secrets[0], base, &secrets);
        assert!(blinded == blinds, "{backend}: multiply and add, seed {seed}");
        let unblinded = run.encode_doubled_less(&run.decode(&blinded).unwrap(), base, &secrets);
        assert!(unblinded == doubles, "{backend}: take away, seed {seed}");
        sums.push(run.sum_weighted_vartime(&decoded, &weights));
    }
    assert!(sums.iter().all(|sum| *sum == sums[0]), "sums, seed {seed}");
}

#[test]
fn points_agree() {
    let points = if std::env::var_os("CI").is_some() { 1_000_000 } else { 2 * CHUNK };
    (0..points.div_ceil(CHUNK) as u64).into_par_iter().for_each(|seed| compare(seed, CHUNK, &Backend::available()));
}

#[test]
fn points_agree_on_the_model() {
    (0..4).into_par_iter().for_each(|seed| compare(1 << 32 | seed, 1000, &[Backend::dalek(), Backend::model()]));
}
