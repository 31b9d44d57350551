//! Attacks on the batched proof that shaped it (R13), each shown to work against weaker weights, and refused by ours.

#[path = "psi_pair.rs"]
mod psi_pair;

use std::collections::HashMap;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use lanes::Point;
use protocol::psi::{AnswerRefused, EpochKey};
use psi_pair::{Exchange, TwoUnits, rng, tokens};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha512};

/// Elements of the attacked request.
const LISTS: usize = 64;
/// Candidate errors for each element.
const CANDIDATES: usize = 1 << 12;
/// Bits that each merge of two lists clears: about as many pairs remain as each list had.
const CLEARED: u32 = 12;

fn points(encoded: &[[u8; 32]]) -> Vec<RistrettoPoint> {
    lanes::decode(encoded).unwrap().into_iter().map(RistrettoPoint::from).collect()
}

fn encode(points: &[RistrettoPoint]) -> Vec<[u8; 32]> {
    lanes::encode(&points.iter().map(|point| Point::from(*point)).collect::<Vec<_>>())
}

fn scalar(key: &EpochKey) -> Scalar {
    Scalar::from_canonical_bytes(*key.expose_secret()).unwrap()
}

/// What a batched proof with these weights would prove: Σ w·Q = k·Σ w·P.
fn sums_agree(weights: &[Scalar], asked: &[RistrettoPoint], answered: &[RistrettoPoint], key: &EpochKey) -> bool {
    let sum = |points: &[RistrettoPoint]| weights.iter().zip(points).map(|(w, p)| w * p).sum::<RistrettoPoint>();
    sum(answered) == sum(asked) * scalar(key)
}

/// A request of `LISTS` points, answered honestly.
fn honest(rng: &mut ChaCha20Rng) -> (TwoUnits, Exchange) {
    let two = TwoUnits::new(rng);
    let exchange = two.exchange(&tokens(0..LISTS), 0, &two.gm.key, &two.sn.key, rng);
    (two, exchange)
}

/// A weight that hashes its own element only, as RFC 9497's do. 64 bits instead of 128, so that the attack takes
/// a second or two: with 1,024 elements, 128 bits take some 2^23 hashes, which is a minute.
fn weight_of_own_element(asked: &[u8; 32], answered: &[u8; 32]) -> u64 {
    let hash = Sha512::new().chain_update(b"weak").chain_update(asked).chain_update(answered).finalize();
    u64::from_le_bytes(hash[..8].try_into().unwrap())
}

#[test]
fn weights_must_depend_on_the_whole_request_and_answer() {
    let (two, exchange) = honest(&mut rng(40));
    let (asked, right) = (points(&exchange.asked.points), points(&exchange.answer));

    // For each element, errors e·G with small e; each makes a weight, and w·e is what it adds to the sum. Wagner's
    // tree finds one error for each element, so that all w·e together are zero.
    let mut lists: Vec<Vec<(i128, Vec<i16>)>> = Vec::new();
    for (place, point) in right.iter().enumerate() {
        let half = CANDIDATES as i16 / 2;
        let errors: Vec<i16> = (-half..=half).filter(|e| *e != 0).collect();
        let mut candidate = point - G * Scalar::from(CANDIDATES as u64 / 2 + 1);
        let candidates: Vec<RistrettoPoint> = errors
            .iter()
            .map(|&e| {
                // one step, or two across zero: no error is no attack
                candidate += if e == 1 { G + G } else { G };
                candidate
            })
            .collect();
        let adds = |e: i16, encoded: &[u8; 32]| {
            i128::from(weight_of_own_element(&exchange.asked.points[place], encoded)) * i128::from(e)
        };
        let encoded = encode(&candidates);
        lists.push(errors.iter().zip(&encoded).map(|(&e, encoded)| (adds(e, encoded), vec![e])).collect());
    }
    let mut bits = 0;
    while lists.len() > 2 {
        bits += CLEARED;
        lists = lists.chunks(2).map(|two| merged(&two[0], &two[1], (1 << bits) - 1)).collect();
    }
    let found = merged(&lists[0], &lists[1], -1);
    let errors = &found.first().expect("Wagner's tree finds a solution").1;
    assert!(errors.len() == LISTS && errors.iter().all(|e| *e != 0));

    let shifted = |e: i16| if e < 0 { -Scalar::from(e.unsigned_abs()) } else { Scalar::from(e.unsigned_abs()) };
    let forged: Vec<RistrettoPoint> = right.iter().zip(errors).map(|(point, &e)| point + G * shifted(e)).collect();
    let answer = encode(&forged);
    let weak: Vec<Scalar> =
        exchange.asked.points.iter().zip(&answer).map(|(p, q)| weight_of_own_element(p, q).into()).collect();
    // every single point is wrong, and the weak weights don't see it
    assert!(right.iter().zip(&forged).all(|(right, wrong)| right != wrong));
    assert!(sums_agree(&weak, &asked, &forged, &two.sn.key), "the attack on weak weights must work");
    // positive control of the check itself: one of the wrong points alone is seen even by weak weights
    let mut half = right.clone();
    half[0] = forged[0];
    assert!(!sums_agree(&weak, &asked, &half, &two.sn.key));

    // ours: the evaluator makes its best proof over the forged answer
    assert_eq!(prove_over(&two, &exchange, &answer, &mut rng(41)), Some(AnswerRefused::Proof));
    assert_eq!(prove_over(&two, &exchange, &exchange.answer, &mut rng(41)), None);
}

/// All pairs of two lists whose sum is zero under `mask`.
fn merged(left: &[(i128, Vec<i16>)], right: &[(i128, Vec<i16>)], mask: i128) -> Vec<(i128, Vec<i16>)> {
    let mut by_bits: HashMap<i128, Vec<usize>> = HashMap::new();
    for (place, (sum, _)) in left.iter().enumerate() {
        by_bits.entry(sum & mask).or_default().push(place);
    }
    let mut pairs = Vec::new();
    for (sum, errors) in right {
        for &place in by_bits.get(&(sum.wrapping_neg() & mask)).into_iter().flatten() {
            pairs.push((left[place].0 + sum, [left[place].1.as_slice(), errors].concat()));
        }
    }
    pairs.truncate(2 * CANDIDATES);
    pairs
}

/// What the asker says to `answer`, with the proof that the holder of the key can make over it.
fn prove_over(
    two: &TwoUnits,
    exchange: &Exchange,
    answer: &[[u8; 32]],
    rng: &mut ChaCha20Rng,
) -> Option<AnswerRefused> {
    let root = psi_pair::root(answer);
    let statement = protocol::psi::Statement { context: &two.context, request: &exchange.request, answer: &root };
    let evaluation = protocol::psi::evaluate(&exchange.asked.points, &two.sn.key).unwrap();
    let proof = evaluation.prove(&two.sn.key, &statement, rng);
    protocol::psi::Verified::check(&exchange.asked, answer, &proof, statement, two.sn.key.commitment()).err()
}

#[test]
fn weights_must_not_be_known_before_the_answer() {
    // Weights over the request only: two errors that cancel are one division away, whatever the weights' length.
    let (two, exchange) = honest(&mut rng(42));
    let (asked, right) = (points(&exchange.asked.points), points(&exchange.answer));
    let weights: Vec<Scalar> = (0..LISTS as u64)
        .map(|place| {
            let hash = Sha512::new().chain_update(exchange.request).chain_update(place.to_be_bytes()).finalize();
            Scalar::from_bytes_mod_order_wide(&hash.into())
        })
        .collect();
    let mut forged = right.clone();
    forged[0] += G;
    forged[1] -= G * (weights[0] * weights[1].invert());
    assert!(sums_agree(&weights, &asked, &forged, &two.sn.key), "the attack on weak weights must work");
    assert_eq!(prove_over(&two, &exchange, &encode(&forged), &mut rng(43)), Some(AnswerRefused::Proof));
}

#[test]
fn equal_weights_do_not_see_a_permutation() {
    let (two, exchange) = honest(&mut rng(44));
    let (asked, mut forged) = (points(&exchange.asked.points), points(&exchange.answer));
    forged.rotate_left(1);
    assert!(sums_agree(&[Scalar::ONE; LISTS], &asked, &forged, &two.sn.key), "the attack on weak weights must work");
    assert_eq!(prove_over(&two, &exchange, &encode(&forged), &mut rng(45)), Some(AnswerRefused::Proof));
}
