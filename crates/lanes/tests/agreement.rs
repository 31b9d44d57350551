//! Every operation against curve25519-dalek, one point at a time.

use curve25519_dalek::constants::{EIGHT_TORSION, RISTRETTO_BASEPOINT_POINT as G};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use lanes::{Backend, FixedBase, Invalid, Point, Run, Why};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Every length of a batch up to two vectors of 16 and one, and some on both sides of the chunks' ends.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=33).chain([63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 513, 1031])
}

fn random_points(random: &mut ChaCha20Rng, count: usize) -> Vec<RistrettoPoint> {
    (0..count).map(|_| RistrettoPoint::random(random)).collect()
}

fn scalars(random: &mut ChaCha20Rng) -> Vec<Scalar> {
    let top = Scalar::from_bytes_mod_order([0xff; 32]);
    let high_bit = Scalar::from(1u128 << 127) * Scalar::from(1u128 << 124);
    vec![Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Scalar::from(2u64), top, high_bit, Scalar::random(random)]
}

/// Each backend that this processor has, and the model, which has the formulas of the fastest on any processor.
fn backends() -> Vec<Run<'static>> {
    Backend::available().into_iter().chain([Backend::model()]).map(Run::on).collect()
}

fn lanes_of(points: &[RistrettoPoint]) -> Vec<Point> {
    points.iter().map(|point| Point::from(*point)).collect()
}

fn every_length_and_scalar(lanes: Run) {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let scalars = scalars(&mut random);
    let base = FixedBase::new(RistrettoPoint::random(&mut random));
    for length in lengths() {
        let points = random_points(&mut random, length);
        let batch = lanes_of(&points);
        let encoded: Vec<[u8; 32]> = points.iter().map(|point| point.compress().to_bytes()).collect();
        assert_eq!(lanes.encode(&batch), encoded);
        assert_eq!(lanes.decode(&encoded).unwrap(), batch);

        let secret = &scalars[length % scalars.len()];
        let multiplied: Vec<[u8; 32]> = points.iter().map(|point| (point * secret).compress().to_bytes()).collect();
        assert_eq!(lanes.encode_multiplied(&batch, secret), multiplied);
        assert_eq!(lanes.encode(&lanes.multiply(&batch, secret)), multiplied);

        let secrets: Vec<Scalar> = (0..length)
            .map(|i| if i % 3 == 0 { scalars[i / 3 % scalars.len()] } else { Scalar::random(&mut random) })
            .collect();
        let each: Vec<[u8; 32]> =
            points.iter().zip(&secrets).map(|(point, secret)| (point * secret).compress().to_bytes()).collect();
        assert_eq!(lanes.encode_multiplied_each(&batch, &secrets), each);

        let blinded = points.iter().zip(&secrets).map(|(point, s)| point * secret + base.point() * s);
        let blinded: Vec<[u8; 32]> = blinded.map(|point| point.compress().to_bytes()).collect();
        assert_eq!(lanes.encode_multiplied_plus(&batch, secret, &base, &secrets), blinded);
        let unblinded = points.iter().zip(&secrets).map(|(point, s)| point - base.point() * s);
        let unblinded: Vec<[u8; 32]> = unblinded.map(|point| (point + point).compress().to_bytes()).collect();
        assert_eq!(lanes.encode_doubled_less(&batch, &base, &secrets), unblinded);

        let mut uniform = vec![[0; 64]; length];
        uniform.iter_mut().for_each(|bytes| random.fill_bytes(bytes));
        let mapped: Vec<RistrettoPoint> = uniform.iter().map(RistrettoPoint::from_uniform_bytes).collect();
        assert_eq!(lanes.from_uniform(&uniform), lanes_of(&mapped));
    }
}

fn every_edge_scalar(lanes: Run) {
    let mut random = ChaCha20Rng::seed_from_u64(2);
    let mut points = random_points(&mut random, 40);
    points[0] = RistrettoPoint::identity();
    points[17] = G;
    points[39] = -G;
    let batch = lanes_of(&points);
    for secret in scalars(&mut random) {
        let expected: Vec<[u8; 32]> = points.iter().map(|point| (point * secret).compress().to_bytes()).collect();
        assert_eq!(lanes.encode_multiplied(&batch, &secret), expected);
        assert_eq!(lanes.encode_multiplied_each(&batch, &[secret; 40]), expected);
        // a base that is anything, the points and their negatives among it: sums that are zero, and doublings
        for base in [RistrettoPoint::identity(), G, -G, points[5]].map(FixedBase::new) {
            let sums: Vec<[u8; 32]> =
                points.iter().map(|point| (point * -secret + base.point() * secret).compress().to_bytes()).collect();
            assert_eq!(lanes.encode_multiplied_plus(&batch, &-secret, &base, &[secret; 40]), sums);
            let doubles = points.iter().map(|point| (point - base.point() * secret) * Scalar::from(2u64));
            let doubles: Vec<[u8; 32]> = doubles.map(|point| point.compress().to_bytes()).collect();
            assert_eq!(lanes.encode_doubled_less(&batch, &base, &[secret; 40]), doubles);
        }
    }
}

fn sums(lanes: Run) {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    let edges = [0, 1, u128::MAX, 1 << 127, 0x80, 0x7f, (1 << 127) - 1];
    for length in lengths().chain([4095, 4097, 9000]) {
        let points = random_points(&mut random, length);
        let weights: Vec<u128> = (0..length)
            .map(|i| {
                if i % 5 == 0 {
                    edges[i / 5 % edges.len()]
                } else {
                    u128::from(random.next_u64()) << 64 | u128::from(random.next_u64())
                }
            })
            .collect();
        let expected: RistrettoPoint = if length < 600 {
            points.iter().zip(&weights).map(|(point, weight)| point * Scalar::from(*weight)).sum()
        } else {
            // in halves, so that other chunks give the same sum
            let (a, b) = points.split_at(length / 2);
            let (v, w) = weights.split_at(length / 2);
            lanes.sum_weighted_vartime(&lanes_of(a), v) + lanes.sum_weighted_vartime(&lanes_of(b), w)
        };
        assert_eq!(lanes.sum_weighted_vartime(&lanes_of(&points), &weights), expected);
    }
}

fn unequal_lengths_pair_up_as_far_as_they_go(lanes: Run) {
    let batch = vec![Point::from(G); 50];
    assert_eq!(lanes.encode_multiplied_each(&batch, &[Scalar::ONE; 40]).len(), 40);
    assert_eq!(lanes.encode_multiplied_each(&batch[..3], &[Scalar::ONE; 40]).len(), 3);
    let base = FixedBase::new(G);
    for (points, scalars, pairs) in [(50, 40, 40), (3, 40, 3)] {
        let (points, scalars) = (&batch[..points], &vec![Scalar::ONE; scalars]);
        assert_eq!(lanes.encode_multiplied_plus(points, &Scalar::ONE, &base, scalars).len(), pairs);
        assert_eq!(lanes.encode_doubled_less(points, &base, scalars), vec![[0; 32]; pairs]);
    }
    assert_eq!(lanes.sum_weighted_vartime(&batch, &[1; 4]), G * Scalar::from(4u64));
    assert_eq!(lanes.sum_weighted_vartime(&batch, &[]), RistrettoPoint::identity());
}

fn the_first_bad_place_is_named_on_any_number_of_cores(lanes: Run) {
    let good = G.compress().to_bytes();
    let not_canonical = [0xff; 32];
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for (first, second) in [(0, 1), (5, 31), (32, 33), (100, 900), (255, 256), (998, 999)] {
                let mut batch = vec![good; 1000];
                batch[first] = not_canonical;
                batch[second] = [0; 32];
                assert_eq!(lanes.decode(&batch), Err(Invalid { index: first, why: Why::NotCanonical }));
                batch[first] = [0; 32];
                batch[second] = not_canonical;
                assert_eq!(lanes.decode(&batch), Err(Invalid { index: first, why: Why::Identity }));
            }
        });
    }
    let shown = Invalid { index: 3, why: Why::Identity }.to_string();
    assert_eq!(shown, "encoding 3 is the identity");
    assert_eq!(Invalid { index: 4, why: Why::NotCanonical }.to_string(), "encoding 4 is not canonical");
}

/// `bytes + k` as a number of 256 bits.
fn plus(mut bytes: [u8; 32], k: i32) -> [u8; 32] {
    let mut carry = k;
    for byte in &mut bytes {
        let sum = i32::from(*byte) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    bytes
}

/// Encodings at every edge: small, p and 2^255 and 2^256 give or take, powers of two and p less them, highest bits,
/// multiples of the generator, and the coordinates of the points of small order.
fn edges() -> Vec<[u8; 32]> {
    let p = {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xed, 0x7f);
        bytes
    };
    let power = |bit: usize| {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        bytes
    };
    let mut edges = Vec::new();
    for k in -300..300 {
        edges.extend([plus([0; 32], k), plus(p, k), plus(power(255), k)]);
    }
    for bit in 0..256 {
        for k in -3..4 {
            let up = plus(power(bit), k);
            // p less 2^bit, less k: as p + not(2^bit) + 1
            let mut down = plus(p, -k);
            let mut borrow = 0;
            for (byte, other) in down.iter_mut().zip(power(bit)) {
                let difference = i32::from(*byte) - i32::from(other) + borrow;
                (*byte, borrow) = (difference as u8, difference >> 8);
            }
            edges.extend([up, down]);
        }
    }
    let mut multiple = RistrettoPoint::identity();
    for _ in 0..64 {
        let encoding = multiple.compress().to_bytes();
        let mut high = encoding;
        high[31] |= 0x80;
        edges.extend([encoding, high, plus(encoding, 1), plus(encoding, -1), encoding.map(|byte| !byte)]);
        multiple += G;
    }
    edges.extend(EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    edges.extend(EIGHT_TORSION.map(|point| point.to_montgomery().to_bytes()));
    edges
}

/// Every verdict of `decode_each` and every product, at each lane in turn.
fn edge_encodings(lanes: Run) {
    let edges = edges();
    let scalars = scalars(&mut ChaCha20Rng::seed_from_u64(5));
    let mut accepted = Vec::new();
    for shift in [0, 3] {
        let verdicts = lanes.decode_each(&edges[shift..]);
        assert_eq!(verdicts.len(), edges.len() - shift);
        for (bytes, verdict) in edges[shift..].iter().zip(verdicts) {
            match (CompressedRistretto(*bytes).decompress(), verdict) {
                (None, Err(Why::NotCanonical)) => {}
                (Some(_), Err(Why::Identity)) => assert_eq!(*bytes, [0; 32]),
                (Some(point), Ok(own)) => accepted.push((*bytes, point, own)),
                (_, verdict) => panic!("{bytes:x?}: {verdict:?}"),
            }
        }
    }
    assert!(accepted.len() > 300, "{}", accepted.len());
    let points: Vec<Point> = accepted.iter().map(|(_, _, own)| *own).collect();
    assert!(lanes.encode(&points).iter().eq(accepted.iter().map(|(bytes, _, _)| bytes)));
    for secret in scalars {
        let products = lanes.encode_multiplied(&points, &secret);
        assert!(
            products.iter().zip(&accepted).all(|(own, (_, point, _))| *own == (point * secret).compress().to_bytes())
        );
    }
}

/// The map at every pair of a few edges, as numbers of 255 bits with and without the highest bit.
fn edges_of_the_map(lanes: Run) {
    let numbers: Vec<[u8; 32]> = edges().into_iter().step_by(67).chain([[0; 32], [0xff; 32]]).collect();
    let uniform: Vec<[u8; 64]> = numbers
        .iter()
        .flat_map(|first| numbers.iter().map(|second| [*first, *second].as_flattened().try_into().unwrap()))
        .collect();
    let expected: Vec<[u8; 32]> =
        uniform.iter().map(|bytes| RistrettoPoint::from_uniform_bytes(bytes).compress().to_bytes()).collect();
    assert!(lanes.encode(&lanes.from_uniform(&uniform)) == expected);
}

/// The fused forms, what is told of their progress, and points of another backend's form.
fn fused_watched_and_mixed(lanes: Run) {
    let mut random = ChaCha20Rng::seed_from_u64(6);
    let theirs = random_points(&mut random, 700);
    let encoded: Vec<[u8; 32]> = theirs.iter().map(|point| point.compress().to_bytes()).collect();
    let secrets: Vec<Scalar> = (0..700).map(|_| Scalar::random(&mut random)).collect();
    let products: Vec<[u8; 32]> =
        theirs.iter().zip(&secrets).map(|(point, secret)| (point * secret).compress().to_bytes()).collect();
    let by_one: Vec<[u8; 32]> = theirs.iter().map(|point| (point * secrets[0]).compress().to_bytes()).collect();
    let told = std::sync::atomic::AtomicUsize::new(0);
    let watch = |points| {
        told.fetch_add(points, std::sync::atomic::Ordering::Relaxed);
    };
    let watched = lanes.watched(&watch);
    assert_eq!(watched.decode_encode_multiplied_each(&encoded, &secrets).unwrap(), products);
    assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), 700);
    assert_eq!(watched.decode_encode_multiplied(&encoded, &secrets[0]).unwrap(), by_one);
    assert_eq!(lanes.decode_encode_multiplied_each(&encoded, &secrets[..9]).unwrap(), products[..9]);
    let mut bad = encoded.clone();
    (bad[400], bad[650]) = ([0; 32], [0xff; 32]);
    let refused = Invalid { index: 400, why: Why::Identity };
    assert_eq!(lanes.decode_encode_multiplied(&bad, &secrets[0]), Err(refused));
    assert_eq!(lanes.decode_encode_multiplied_each(&bad, &secrets), Err(refused));
    assert_eq!(lanes.decode_encode_multiplied_each(&bad, &secrets[..400]).unwrap(), products[..400]);

    for other in backends() {
        let mut mixed = other.decode(&encoded).unwrap();
        mixed.iter_mut().zip(&theirs).step_by(3).for_each(|(point, dalek)| *point = Point::from(*dalek));
        let weights: Vec<u128> = (0..700).map(|i| u128::MAX / (i + 1)).collect();
        let sum: RistrettoPoint =
            theirs.iter().zip(&weights).map(|(point, weight)| point * Scalar::from(*weight)).sum();
        assert_eq!(lanes.encode(&mixed), encoded);
        assert_eq!(lanes.encode_multiplied_each(&mixed, &secrets), products);
        assert_eq!(lanes.encode_multiplied(&mixed[..1], &secrets[0]), products[..1]);
        assert_eq!(lanes.sum_weighted_vartime(&mixed, &weights), sum);
        assert_eq!(lanes.encode(&lanes.multiply(&mixed, &secrets[0])), by_one);
    }
}

/// 32 bytes that are often near an edge of the encoding: small, near p, near 2^255, or a valid point with a bit flipped.
fn encodings() -> impl Strategy<Value = [u8; 32]> {
    let near_p = any::<u8>().prop_map(|low| {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        bytes[31] = 0x7f;
        bytes
    });
    let small = any::<u8>().prop_map(|low| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    });
    let flipped = (any::<u64>(), 0..256usize).prop_map(|(scalar, bit)| {
        let mut bytes = (Scalar::from(scalar) * G).compress().to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    let valid = any::<u64>().prop_map(|scalar| (Scalar::from(scalar) * G).compress().to_bytes());
    prop_oneof![any::<[u8; 32]>(), near_p, small, flipped, valid]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn decoding_agrees_on_any_bytes(bytes in encodings()) {
        let dalek = CompressedRistretto(bytes).decompress();
        for lanes in backends() {
        match lanes.decode(&[bytes]) {
            Ok(points) => prop_assert_eq!(Some(RistrettoPoint::from(points[0])), dalek),
            Err(Invalid { why: Why::Identity, .. }) => prop_assert_eq!(bytes, [0; 32]),
            Err(Invalid { why: Why::NotCanonical, .. }) => prop_assert_eq!(dalek, None),
        }
        }
    }
}

/// Each case on each backend; the one of AVX-512 says so where it can't run.
macro_rules! on_each_backend {
    ($($case:ident),* $(,)?) => {
        mod dalek {
            $(#[test] fn $case() { super::$case(lanes::Run::on(lanes::Backend::dalek())); })*
        }
        mod avx512ifma {
            $(#[test] fn $case() {
                match lanes::Backend::avx512ifma() {
                    Some(backend) => super::$case(lanes::Run::on(backend)),
                    None => eprintln!("NOT RUN: this processor has no AVX-512 IFMA"),
                }
            })*
        }
        mod model {
            $(#[test] fn $case() { super::$case(lanes::Run::on(lanes::Backend::model())); })*
        }
    };
}

on_each_backend!(
    every_length_and_scalar,
    every_edge_scalar,
    sums,
    unequal_lengths_pair_up_as_far_as_they_go,
    edge_encodings,
    edges_of_the_map,
    fused_watched_and_mixed,
    the_first_bad_place_is_named_on_any_number_of_cores
);
