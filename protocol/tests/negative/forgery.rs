//! Signatures that a careless verification of Ed25519 accepts: the attacks of "Taming the many EdDSAs". Each is checked
//! to be one: the equation holds, and only the strict rules refuse it.

use crate::mutation::array;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::{EdwardsPoint, Scalar};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use protocol::identity::SigningKey;
use protocol::{Bytes, codec, label};
use sha2::{Digest, Sha512};

/// The group's order l, little-endian.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The header's bytes inside an envelope.
pub(crate) fn header_encoding(envelope: &[u8]) -> Vec<u8> {
    let mut decoder = minicbor::Decoder::new(envelope);
    decoder.array().unwrap();
    decoder.bytes().unwrap().to_vec()
}

/// An envelope over whatever header, rightly signed.
pub(crate) fn resigned(header: &[u8], key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(label::ENVELOPE_SIGNATURE, header);
    array(&[&codec::encode(&minicbor::bytes::ByteVec::from(header.to_vec())), &codec::encode(&signature)])
}

fn message(header: &[u8]) -> Vec<u8> {
    [label::ENVELOPE_SIGNATURE.as_bytes(), &[0], header].concat()
}

/// The same signature with s + l for s.
pub(crate) fn unreduced(signature: &Bytes<64>) -> Bytes<64> {
    let mut out = *signature;
    let mut carry = 0;
    for (byte, add) in out.0[32..].iter_mut().zip(hex::decode(ORDER).unwrap()) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    let reduced = |half: &[u8]| Scalar::from_bytes_mod_order(half.try_into().unwrap());
    assert_eq!(reduced(&out.0[32..]), reduced(&signature.0[32..]));
    out
}

/// A signature by the key's owner whose R is the identity: s = k·a.
pub(crate) fn small_order_r(key: &SigningKey, header: &[u8]) -> Bytes<64> {
    let wide: [u8; 64] = Sha512::digest(*key.expose_secret()).into();
    let mut half: [u8; 32] = wide[..32].try_into().unwrap();
    half[0] &= 248;
    half[31] = (half[31] & 127) | 64;
    let r = EIGHT_TORSION[0].compress();
    let k = Sha512::new().chain_update(r.0).chain_update(key.public().0).chain_update(message(header)).finalize();
    let s = Scalar::from_bytes_mod_order_wide(&k.into()) * Scalar::from_bytes_mod_order(half);
    let signature = [r.0, s.to_bytes()].concat();
    assert!(leniently(&key.public(), header, &signature));
    Bytes::from_slice(&signature).unwrap()
}

/// For each of the eight points of small order as a key, a signature that nobody needs a secret for: R = s·G, tried
/// until the challenge kills the key.
pub(crate) fn sealed_by_small_order_key(header: &[u8]) -> Vec<(Bytes<32>, Bytes<64>)> {
    let forge = |point: &EdwardsPoint| {
        let key = Bytes(point.compress().0);
        let tries = (1u64..).map(|n| {
            let s = Scalar::from(n);
            [EdwardsPoint::mul_base(&s).compress().0, s.to_bytes()].concat()
        });
        let signature = tries.take(1000).find(|signature| leniently(&key, header, signature)).unwrap();
        (key, Bytes::from_slice(&signature).unwrap())
    };
    EIGHT_TORSION.iter().map(forge).collect()
}

/// Whether the equation holds, without the strict rules.
fn leniently(key: &Bytes<32>, header: &[u8], signature: &[u8]) -> bool {
    let signature = Signature::from_slice(signature).unwrap();
    VerifyingKey::from_bytes(&key.0).unwrap().verify(&message(header), &signature).is_ok()
}
