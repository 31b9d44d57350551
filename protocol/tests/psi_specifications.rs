//! The specifications' own vectors, and a second implementation: RFC 9497 (OPRF and VOPRF over ristretto255 with
//! SHA-512, appendix A.1), which stands on RFC 9380 and RFC 9496; and the `voprf` crate.

use curve25519_dalek::scalar::Scalar;
use lanes::Point;
use proptest::prelude::*;
use protocol::psi::hash_to_group::{DomainTag, hash_to_ristretto255};
use protocol::psi::{EpochKey, evaluate};
use sha2::{Digest, Sha512};
use voprf::{OprfServer, Ristretto255};

/// `HashToGroup-` ‖ contextString, with the mode's byte (RFC 9497, sections 3.1 and 4.1).
fn domain_tag(mode: u8) -> DomainTag {
    DomainTag::new(&[b"HashToGroup-OPRFV1-".as_slice(), &[mode], b"-ristretto255-SHA512"].concat()).unwrap()
}

fn blinded(input: &[u8], blind: &Scalar, mode: u8) -> [u8; 32] {
    lanes::encode_multiplied(&hash_to_ristretto255(&[input], &domain_tag(mode)), blind)[0]
}

/// Unblind and Finalize (RFC 9497, section 3.3.1).
fn finalize(input: &[u8], blind: &Scalar, evaluated: [u8; 32]) -> [u8; 64] {
    let points: Vec<Point> = lanes::decode(&[evaluated]).unwrap();
    let unblinded = lanes::encode_multiplied_each(&points, &[blind.invert()])[0];
    let mut hash = Sha512::new();
    for part in [input, &unblinded] {
        hash.update((part.len() as u16).to_be_bytes());
        hash.update(part);
    }
    hash.update(b"Finalize");
    hash.finalize().into()
}

fn scalar(hex: &str) -> Scalar {
    Scalar::from_canonical_bytes(bytes(hex)).unwrap()
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";

#[test]
fn oprf_vectors() {
    // A.1.1.1 and A.1.1.2
    let key =
        EpochKey::from_secret(&bytes("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e")).unwrap();
    let vectors = [
        (
            "00",
            "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
            "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
            "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3\
             ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
        ),
        (
            "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
            "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
            "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
            "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4\
             f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
        ),
    ];
    for (input, blinded_element, evaluation_element, output) in vectors {
        let (input, blind) = (hex::decode(input).unwrap(), scalar(BLIND));
        let asked = blinded(&input, &blind, 0);
        assert_eq!(hex::encode(asked), blinded_element);
        let evaluation = evaluate(&[asked], &key).unwrap();
        assert_eq!(hex::encode(evaluation.points()[0]), evaluation_element);
        assert_eq!(hex::encode(finalize(&input, &blind, evaluation.points()[0])), output);
    }
}

#[test]
fn voprf_vectors_as_far_as_the_proof() {
    // A.1.2.3: two elements; the proof is another (ours binds the whole exchange), the commitment is theirs
    let key =
        EpochKey::from_secret(&bytes("e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909")).unwrap();
    assert_eq!(
        hex::encode(key.commitment().as_bytes()),
        "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
    );
    let blinds = [scalar(BLIND), scalar("222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e")];
    let asked = [blinded(&[0], &blinds[0], 1), blinded(&[0x5a; 17], &blinds[1], 1)];
    assert_eq!(
        asked.map(hex::encode),
        [
            "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654"
        ]
    );
    assert_eq!(
        evaluate(&asked, &key).unwrap().points().iter().map(hex::encode).collect::<Vec<_>>(),
        [
            "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_voprf_crate_agrees(
        input in prop::collection::vec(any::<u8>(), 0..200), key in any::<[u8; 32]>(), blind in any::<[u8; 32]>(),
    ) {
        let (key, blind) = (Scalar::from_bytes_mod_order(key), Scalar::from_bytes_mod_order(blind));
        prop_assume!(key != Scalar::ZERO && blind != Scalar::ZERO);
        let theirs = OprfServer::<Ristretto255>::new_with_key(key.as_bytes()).unwrap();
        let asked = blinded(&input, &blind, 0);
        let ours = evaluate(&[asked], &EpochKey::from_secret(key.as_bytes()).unwrap()).unwrap();
        // their evaluation of our blinded element is ours, and both finish at what they compute directly
        let element = voprf::BlindedElement::<Ristretto255>::deserialize(&asked).unwrap();
        let evaluated = theirs.blind_evaluate(&element).serialize();
        prop_assert_eq!(&evaluated[..], &ours.points()[0][..]);
        let direct = theirs.evaluate(&input).unwrap();
        let finished = finalize(&input, &blind, ours.points()[0]);
        prop_assert_eq!(&direct[..], &finished[..]);
    }
}
