//! Points a second on one core, for each operation and backend:
//! `cargo run --release -p lanes --example rate -- [--json]`.
//!
//! Backend `dalek` is plain curve25519-dalek, one point at a time (its own multiscalar multiplication for
//! `proof_sum`); the others are this package's, by name: `dalek-batch` is its backend `dalek`. Each figure is the median
//! of several rounds, in which the backends take turns. What counts is the processor time of the one thread, where the
//! system tells it (Linux), so that ratios hold on a busy machine too.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use lanes::{Backend, FixedBase, Point, Run};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Points in a batch: as many as a whole page of a request.
const POINTS: usize = 4096;
/// Rounds for each figure; the median counts.
const ROUNDS: usize = 7;
/// Seconds of each round.
const SECONDS: f64 = 0.15;

fn main() -> Result<(), Box<dyn Error>> {
    let json = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--json" => true,
        _ => return Err("usage: rate [--json]".into()),
    };
    let rows = rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(measure);
    if json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                serde_json::json!({
                    "backend": row.backend,
                    "operation": row.operation,
                    "points_per_second": row.rate.round(),
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!("{:<28}{:<14}{:>16}{:>10}", "operation", "backend", "points/s", "ratio");
        for row in &rows {
            println!("{:<28}{:<14}{:>16.0}{:>10.2}", row.operation, row.backend, row.rate, row.ratio);
        }
    }
    Ok(())
}

/// One figure; the ratio is to plain dalek's.
struct Row {
    backend: &'static str,
    operation: &'static str,
    rate: f64,
    ratio: f64,
}

struct Inputs {
    uniform: Vec<[u8; 64]>,
    encoded: Vec<[u8; 32]>,
    decoded: Vec<RistrettoPoint>,
    secrets: Vec<Scalar>,
    weights: Vec<u128>,
    /// A public point that blinds are multiplied by, and dalek's table of it.
    base: FixedBase,
    table: RistrettoBasepointTable,
}

impl Inputs {
    fn new() -> Self {
        let mut random = ChaCha20Rng::seed_from_u64(9496);
        let mut uniform = vec![[0; 64]; POINTS];
        uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
        let decoded: Vec<RistrettoPoint> = uniform.iter().map(RistrettoPoint::from_uniform_bytes).collect();
        let encoded = decoded.iter().map(|point| point.compress().to_bytes()).collect();
        let secrets = (0..POINTS).map(|_| Scalar::random(&mut random)).collect();
        let weights =
            (0..POINTS).map(|_| u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())).collect();
        let (base, table) = (FixedBase::new(decoded[0]), RistrettoBasepointTable::create(&decoded[0]));
        Inputs { uniform, encoded, decoded, secrets, weights, base, table }
    }
}

const OPERATIONS: [&str; 9] = [
    "decode_multiply_encode",
    "decode_multiply_each_encode",
    "decode",
    "multiply",
    "encode",
    "one_way_map",
    "multiply_blind_encode",
    "unblind_encode",
    "proof_sum",
];

type Job<'a> = Box<dyn Fn() + 'a>;

/// Plain dalek, as somebody without this package would write it.
fn plain<'a>(operation: &str, inputs: &'a Inputs) -> Job<'a> {
    let Inputs { uniform, encoded, decoded, secrets, weights, table, .. } = inputs;
    let secret = &secrets[0];
    let decode = |bytes: &[u8; 32]| CompressedRistretto(*bytes).decompress().unwrap_or(RistrettoPoint::identity());
    match operation {
        "decode_multiply_encode" => {
            Box::new(move || encoded.iter().for_each(|bytes| keep((decode(bytes) * secret).compress())))
        }
        "decode_multiply_each_encode" => Box::new(move || {
            let pairs = encoded.iter().zip(secrets);
            pairs.for_each(|(bytes, secret)| keep((decode(bytes) * secret).compress()));
        }),
        "decode" => Box::new(move || encoded.iter().for_each(|bytes| keep(decode(bytes)))),
        "multiply" => Box::new(move || decoded.iter().for_each(|point| keep(point * secret))),
        "encode" => Box::new(move || decoded.iter().for_each(|point| keep(point.compress()))),
        "multiply_blind_encode" => Box::new(move || {
            let pairs = decoded.iter().zip(secrets);
            pairs.for_each(|(point, blind)| keep((point * secret + table * blind).compress()));
        }),
        "unblind_encode" => Box::new(move || {
            let pairs = decoded.iter().zip(secrets);
            pairs.for_each(|(point, blind)| keep((point - table * blind).compress()));
        }),
        "one_way_map" => {
            Box::new(move || uniform.iter().for_each(|bytes| keep(RistrettoPoint::from_uniform_bytes(bytes))))
        }
        _ => Box::new(move || {
            let scalars = weights.iter().map(|weight| Scalar::from(*weight));
            keep(RistrettoPoint::vartime_multiscalar_mul(scalars, decoded));
        }),
    }
}

/// A backend of this package.
fn batch<'a>(operation: &str, run: Run<'static>, points: &'a [Point], inputs: &'a Inputs) -> Job<'a> {
    let Inputs { uniform, encoded, secrets, weights, base, .. } = inputs;
    let secret = &secrets[0];
    match operation {
        "decode_multiply_encode" => Box::new(move || keep(run.decode_encode_multiplied(encoded, secret))),
        "decode_multiply_each_encode" => Box::new(move || keep(run.decode_encode_multiplied_each(encoded, secrets))),
        "decode" => Box::new(move || keep(run.decode(encoded))),
        "multiply" => Box::new(move || keep(run.multiply(points, secret))),
        "encode" => Box::new(move || keep(run.encode(points))),
        "multiply_blind_encode" => Box::new(move || keep(run.encode_multiplied_plus(points, secret, base, secrets))),
        "unblind_encode" => Box::new(move || keep(run.encode_doubled_less(points, base, secrets))),
        "one_way_map" => Box::new(move || keep(run.from_uniform(uniform))),
        _ => Box::new(move || keep(run.sum_weighted_vartime(points, weights))),
    }
}

/// Keeps the optimiser from leaving out a result that nobody reads.
fn keep<T>(result: T) {
    black_box(result);
}

/// All rows, each operation's backends together: plain dalek first.
fn measure() -> Vec<Row> {
    let inputs = Inputs::new();
    let backends: Vec<(&str, Run, Vec<Point>)> = Backend::available()
        .into_iter()
        .rev()
        .map(|backend| {
            let name = if backend == Backend::dalek() { "dalek-batch" } else { backend.name() };
            let run = Run::on(backend);
            // points as decoded: what the protocol multiplies
            (name, run, run.decode(&inputs.encoded).unwrap_or_default())
        })
        .collect();
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        let mut jobs = vec![("dalek", plain(operation, &inputs))];
        jobs.extend(backends.iter().map(|(name, run, points)| (*name, batch(operation, *run, points, &inputs))));
        let mut rounds = vec![Vec::new(); jobs.len()];
        for _ in 0..ROUNDS {
            for (rates, (_, job)) in rounds.iter_mut().zip(&jobs) {
                rates.push(rate(job));
            }
        }
        let medians: Vec<f64> = rounds.into_iter().map(median).collect();
        for ((backend, _), rate) in jobs.iter().zip(&medians) {
            rows.push(Row { backend, operation, rate: *rate, ratio: rate / medians[0] });
        }
    }
    rows
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Points a second of one run over the batch, repeated for a while.
fn rate(job: &Job) -> f64 {
    let start = Clock::start();
    let mut batches = 0.0;
    loop {
        job();
        batches += 1.0;
        let seconds = start.seconds();
        if seconds >= SECONDS {
            return batches * POINTS as f64 / seconds;
        }
    }
}

/// The time of this thread on a processor; where the system does not tell it, the time that passes.
struct Clock(Option<f64>, Instant);

impl Clock {
    fn start() -> Self {
        Clock(on_processor(), Instant::now())
    }

    fn seconds(&self) -> f64 {
        match (self.0, on_processor()) {
            (Some(start), Some(now)) => now - start,
            _ => self.1.elapsed().as_secs_f64(),
        }
    }
}

/// Seconds that this thread has run.
fn on_processor() -> Option<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
}
