//! Points a second on one core, for each operation and backend:
//! `cargo run --release -p lanes --example rate -- [--json]`.
//!
//! Backend `dalek` is curve25519-dalek, one point at a time (its own multiscalar multiplication for `proof_sum`);
//! `dalek-batch` is this package. Each figure is the median
//! of several rounds, in which the backends take turns.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use lanes::Point;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Points in a batch: as many as a whole page of a request.
const POINTS: usize = 4096;
/// Rounds for each figure; the median counts.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let json = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => return Err("usage: rate [--json]".into()),
    };
    let rows = rayon_of_one()?.install(|| measure(&Inputs::new()));
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| serde_json::json!({"backend": row.backend, "operation": row.operation, "points_per_second": row.rate.round()}))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!("{:<28}{:<14}{:>16}{:>10}", "operation", "backend", "points/s", "ratio");
        for pair in rows.chunks(2) {
            for row in pair {
                println!("{:<28}{:<14}{:>16.0}{:>10.2}", row.operation, row.backend, row.rate, row.rate / pair[0].rate);
            }
        }
    }
    Ok(())
}

/// Keeps the optimiser from leaving out a result that nobody reads.
fn keep<T>(result: T) {
    black_box(result);
}

/// One core, whatever the machine has.
fn rayon_of_one() -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(1).build()
}

struct Row {
    backend: &'static str,
    operation: &'static str,
    rate: f64,
}

struct Inputs {
    uniform: Vec<[u8; 64]>,
    encoded: Vec<[u8; 32]>,
    points: Vec<Point>,
    secrets: Vec<Scalar>,
    weights: Vec<u128>,
}

impl Inputs {
    fn new() -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(9496);
        let mut uniform = vec![[0; 64]; POINTS];
        uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
        let points = lanes::from_uniform(&uniform);
        let encoded = lanes::encode(&points);
        let secrets = (0..POINTS).map(|_| Scalar::random(&mut random)).collect();
        let weights =
            (0..POINTS).map(|_| u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())).collect();
        // points as decoded: what the protocol multiplies
        let points = lanes::decode(&encoded).unwrap_or(points);
        Inputs { uniform, encoded, points, secrets, weights }
    }
}

/// All rows, each operation's backends together: dalek first.
fn measure(inputs: &Inputs) -> Vec<Row> {
    let Inputs { uniform, encoded, points, secrets, weights } = inputs;
    let secret = &secrets[0];
    let plain = |bytes: &[u8; 32]| CompressedRistretto(*bytes).decompress().unwrap_or(RistrettoPoint::identity());
    let decoded = || lanes::decode(encoded).unwrap_or_default();
    let dalek = |point: &Point| RistrettoPoint::from(*point);
    type Job<'a> = Box<dyn Fn() + 'a>;
    let operations: Vec<(&'static str, Job, Job)> = vec![
        (
            "decode_multiply_encode",
            Box::new(|| encoded.iter().for_each(|bytes| keep((plain(bytes) * secret).compress()))),
            Box::new(|| keep(lanes::encode_multiplied(&decoded(), secret))),
        ),
        (
            "decode_multiply_each_encode",
            Box::new(|| {
                let pairs = encoded.iter().zip(secrets);
                pairs.for_each(|(bytes, secret)| keep((plain(bytes) * secret).compress()));
            }),
            Box::new(|| keep(lanes::encode_multiplied_each(&decoded(), secrets))),
        ),
        ("decode", Box::new(|| encoded.iter().for_each(|bytes| keep(plain(bytes)))), Box::new(|| keep(decoded()))),
        (
            "multiply",
            Box::new(|| points.iter().for_each(|point| keep(dalek(point) * secret))),
            Box::new(|| keep(lanes::multiply(points, secret))),
        ),
        (
            "encode",
            Box::new(|| points.iter().for_each(|point| keep(dalek(point).compress()))),
            Box::new(|| keep(lanes::encode(points))),
        ),
        (
            "one_way_map",
            Box::new(|| uniform.iter().for_each(|bytes| keep(RistrettoPoint::from_uniform_bytes(bytes)))),
            Box::new(|| keep(lanes::from_uniform(uniform))),
        ),
        (
            "proof_sum",
            Box::new(|| {
                let scalars = weights.iter().map(|weight| Scalar::from(*weight));
                black_box(RistrettoPoint::vartime_multiscalar_mul(scalars, points.iter().map(dalek)));
            }),
            Box::new(|| keep(lanes::sum_weighted_vartime(points, weights))),
        ),
    ];
    let mut rows = Vec::new();
    for (operation, dalek, batch) in operations {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            rates[0].push(rate(&dalek));
            rates[1].push(rate(&batch));
        }
        for (backend, mut rates) in ["dalek", "dalek-batch"].into_iter().zip(rates) {
            rates.sort_by(f64::total_cmp);
            rows.push(Row { backend, operation, rate: rates[rates.len() / 2] });
        }
    }
    rows
}

/// Points a second of one run over the batch, repeated to take at least a tenth of a second.
fn rate(job: &dyn Fn()) -> f64 {
    let start = Instant::now();
    let mut batches = 0.0;
    while start.elapsed().as_secs_f64() < 0.1 {
        job();
        batches += 1.0;
    }
    batches * POINTS as f64 / start.elapsed().as_secs_f64()
}
