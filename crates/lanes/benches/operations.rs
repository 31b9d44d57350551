//! Each operation at 4,096 points on all cores: `cargo bench -p lanes`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use curve25519_dalek::scalar::Scalar;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

const POINTS: usize = 4096;

fn operations(criterion: &mut Criterion) {
    let mut random = ChaCha20Rng::seed_from_u64(9496);
    let mut uniform = vec![[0; 64]; POINTS];
    uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
    let points = lanes::from_uniform(&uniform);
    let encoded = lanes::encode(&points);
    let secrets: Vec<Scalar> = (0..POINTS).map(|_| Scalar::random(&mut random)).collect();
    let weights: Vec<u128> = (0..POINTS).map(|_| u128::from(random.next_u64()) << 64 | 1).collect();

    let mut group = criterion.benchmark_group("lanes");
    group.throughput(Throughput::Elements(POINTS as u64)).sample_size(10);
    group.bench_function("decode", |b| b.iter(|| lanes::decode(black_box(&encoded))));
    group.bench_function("encode", |b| b.iter(|| lanes::encode(black_box(&points))));
    group.bench_function("multiply", |b| b.iter(|| lanes::multiply(black_box(&points), &secrets[0])));
    group.bench_function("encode_multiplied", |b| b.iter(|| lanes::encode_multiplied(black_box(&points), &secrets[0])));
    group.bench_function("encode_multiplied_each", |b| {
        b.iter(|| lanes::encode_multiplied_each(black_box(&points), &secrets))
    });
    group.bench_function("from_uniform", |b| b.iter(|| lanes::from_uniform(black_box(&uniform))));
    group.bench_function("sum_weighted_vartime", |b| {
        b.iter(|| lanes::sum_weighted_vartime(black_box(&points), &weights))
    });
    group.finish();
}

criterion_group!(benches, operations);
criterion_main!(benches);
