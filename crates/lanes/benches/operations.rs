//! Each operation and backend at 4,096 points on all cores: `cargo bench -p lanes`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use lanes::{Backend, FixedBase, Run};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

const POINTS: usize = 4096;

fn operations(criterion: &mut Criterion) {
    let mut random = ChaCha20Rng::seed_from_u64(9496);
    let mut uniform = vec![[0; 64]; POINTS];
    uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
    let secrets: Vec<Scalar> = (0..POINTS).map(|_| Scalar::random(&mut random)).collect();
    let weights: Vec<u128> = (0..POINTS).map(|_| u128::from(random.next_u64()) << 64 | 1).collect();

    for backend in Backend::available() {
        let run = Run::on(backend);
        let encoded = run.encode(&run.from_uniform(&uniform));
        let points = run.decode(&encoded).unwrap_or_default();
        let (secret, base) = (&secrets[0], FixedBase::new(RISTRETTO_BASEPOINT_POINT));
        let mut group = criterion.benchmark_group(backend.name());
        group.throughput(Throughput::Elements(POINTS as u64)).sample_size(10);
        group.bench_function("decode", |b| b.iter(|| run.decode(black_box(&encoded))));
        group.bench_function("decode_each", |b| b.iter(|| run.decode_each(black_box(&encoded))));
        group.bench_function("encode", |b| b.iter(|| run.encode(black_box(&points))));
        group.bench_function("multiply", |b| b.iter(|| run.multiply(black_box(&points), secret)));
        group.bench_function("encode_multiplied", |b| b.iter(|| run.encode_multiplied(black_box(&points), secret)));
        group.bench_function("encode_multiplied_each", |b| {
            b.iter(|| run.encode_multiplied_each(black_box(&points), &secrets))
        });
        group.bench_function("encode_multiplied_plus", |b| {
            b.iter(|| run.encode_multiplied_plus(black_box(&points), secret, &base, &secrets))
        });
        group.bench_function("encode_doubled_less", |b| {
            b.iter(|| run.encode_doubled_less(black_box(&points), &base, &secrets))
        });
        group.bench_function("decode_encode_multiplied", |b| {
            b.iter(|| run.decode_encode_multiplied(black_box(&encoded), secret))
        });
        group.bench_function("decode_encode_multiplied_each", |b| {
            b.iter(|| run.decode_encode_multiplied_each(black_box(&encoded), &secrets))
        });
        group.bench_function("from_uniform", |b| b.iter(|| run.from_uniform(black_box(&uniform))));
        group.bench_function("sum_weighted_vartime", |b| {
            b.iter(|| run.sum_weighted_vartime(black_box(&points), &weights))
        });
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
