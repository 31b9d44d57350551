//! The vectors of RFC 9496, appendix A, through the batch operations.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT as G;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use lanes::{Invalid, Point, Run, Why};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/rfc9496.json")).unwrap()
}

fn bytes<const N: usize>(hex: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(hex.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn multiples_of_the_generator(lanes: Run) {
    let multiples: Vec<[u8; 32]> =
        vectors()["multiples_of_the_generator"].as_array().unwrap().iter().map(bytes).collect();
    assert_eq!(multiples.len(), 16);
    let points: Vec<Point> = (0..16u64).map(|i| (Scalar::from(i) * G).into()).collect();
    assert_eq!(lanes.encode(&points), multiples);
    assert_eq!(lanes.encode_multiplied(&points, &Scalar::ONE), multiples);
    let (generators, scalars): (Vec<Point>, Vec<Scalar>) =
        (0..16u64).map(|i| (Point::from(G), Scalar::from(i))).unzip();
    assert_eq!(lanes.encode_multiplied_each(&generators, &scalars), multiples);
    // the zeroth is the identity, which decode refuses by name
    assert_eq!(lanes.decode(&multiples), Err(Invalid { index: 0, why: Why::Identity }));
    assert_eq!(lanes.decode(&multiples[1..]).unwrap(), points[1..]);
}

fn bad_encodings(lanes: Run) {
    let vectors = vectors();
    let groups = vectors["bad_encodings"].as_object().unwrap();
    let bad: Vec<[u8; 32]> = groups.values().flat_map(|group| group.as_array().unwrap().iter().map(bytes)).collect();
    assert_eq!(bad.len(), 29);
    for encoding in &bad {
        for place in [0, 7, 31, 32, 300] {
            let mut batch = vec![G.compress().to_bytes(); 400];
            batch[place] = *encoding;
            let refused = Err(Invalid { index: place, why: Why::NotCanonical });
            assert_eq!(lanes.decode(&batch), refused);
            assert_eq!(lanes.decode(&batch[..=place]), refused);
        }
    }
}

fn one_way_map(lanes: Run) {
    let vectors = vectors();
    let pairs = vectors["one_way_map"].as_array().unwrap();
    assert_eq!(pairs.len(), 11);
    let inputs: Vec<[u8; 64]> = pairs.iter().map(|pair| bytes(&pair["input"])).collect();
    let outputs: Vec<[u8; 32]> = pairs.iter().map(|pair| bytes(&pair["output"])).collect();
    assert_eq!(lanes.encode(&lanes.from_uniform(&inputs)), outputs);
}

#[test]
fn points_convert_both_ways() {
    let point = RistrettoPoint::from(Point::from(G));
    assert_eq!(point, G);
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

on_each_backend!(multiples_of_the_generator, bad_encodings, one_way_map);
