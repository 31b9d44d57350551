//! Each step of matching at 4,096 points, on all cores: `cargo bench -p protocol --bench psi`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::name::Pair;
use protocol::psi::hash_to_group::hash_to_group;
use protocol::psi::{Confirmation, Context, EpochKey, PairSecret, Statement, Verified, blind, evaluate};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const POINTS: usize = 4096;

fn steps(criterion: &mut Criterion) {
    let mut rng = ChaCha20Rng::seed_from_u64(4096);
    let (gm, sn) = ("GM".parse().expect("a name"), "SN".parse().expect("a name"));
    let context = Context::new(Pair::new(&gm, &sn).expect("two names"), 1, [0; 32]);
    let secret = PairSecret::from_secret(&[1; 64]);
    let (own, peer) = (EpochKey::random(&mut rng), EpochKey::random(&mut rng));
    let tokens: Vec<String> = (0..POINTS).map(|i| format!("phone +22177{i:07}")).collect();
    let (request, root) = ([2; 32], [3; 32]);
    let statement = Statement { context: &context, request: &request, answer: &root };

    let asked = blind(&tokens, 0, &own, &secret, &context, &mut rng).expect("a request");
    let evaluation = evaluate(&asked.points, &peer).expect("an evaluation");
    let proof = evaluation.prove(&peer, &statement, &mut rng);
    let check = || Verified::check(&asked, evaluation.points(), &proof, statement, peer.commitment()).expect("holds");
    let verified = check();
    let leaves = verified.unblind(&tokens, &secret).expect("leaves");

    let mut group = criterion.benchmark_group("psi");
    group.throughput(Throughput::Elements(POINTS as u64)).sample_size(10);
    group.bench_function("hash_to_group", |b| b.iter(|| hash_to_group(black_box(&tokens), &secret, &context)));
    group.bench_function("blind", |b| b.iter(|| blind(black_box(&tokens), 0, &own, &secret, &context, &mut rng)));
    group.bench_function("evaluate", |b| b.iter(|| evaluate(black_box(&asked.points), &peer)));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    group.bench_function("prove", |b| b.iter(|| evaluation.prove(&peer, black_box(&statement), &mut rng)));
    group.bench_function("check_answer", |b| b.iter(check));
    group.bench_function("unblind", |b| b.iter(|| verified.unblind(black_box(&tokens), &secret)));
    group.bench_function("confirm", |b| {
        b.iter(|| leaves.iter().map(|leaf| Confirmation::new(black_box(&leaf.key), &gm)).collect::<Vec<_>>())
    });
    group.finish();
}

criterion_group!(benches, steps);
criterion_main!(benches);
