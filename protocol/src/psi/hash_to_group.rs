//! Tokens to points: H1 (R11).
//!
//! ```text
//!   H1(x) = hash-to-ristretto255(HMAC-SHA-512(K, x)), domain tag = label ‖ hash of the context
//! ```
//!
//! with the suite `ristretto255_XMD:SHA-512_R255MAP_RO_` of RFC 9380, appendix B: expand_message_xmd to 64 bytes,
//! then the one-way map of RFC 9496. K inside means that nobody outside the pair can form a candidate point: not the
//! broker, and no later adversary who can take discrete logarithms and holds the whole transcript.
//!
//! Callers: [`super::request`]. *Not* curve25519-dalek's `hash_from_bytes`, which is another suite without a domain
//! tag.

use std::num::NonZero;

use hash2curve::{ExpandMsg, ExpandMsgXmd, Expander};
use hmac::Mac;
use lanes::Point;
use rayon::prelude::*;
use sha2::Sha512;
use sha2::digest::Update;
use sha2::digest::consts::U32;
use zeroize::{Zeroize, Zeroizing};

use super::{Context, PairSecret, SEQUENTIAL};
use crate::label;

/// A domain separation tag of RFC 9380: 1 to 255 bytes, so that it is never hashed itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainTag(Vec<u8>);

/// A domain tag of no or more than 255 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a domain tag has 1 to 255 bytes")]
pub struct BadDomainTag;

impl DomainTag {
    /// Any tag: for the vectors of the specifications.
    ///
    /// # Errors
    /// [`BadDomainTag`] if it is empty or longer than 255 bytes.
    pub fn new(tag: &[u8]) -> Result<Self, BadDomainTag> {
        if (1..=255).contains(&tag.len()) { Ok(DomainTag(tag.to_vec())) } else { Err(BadDomainTag) }
    }

    /// The tag of a pair and epoch: label ‖ the context's 32-byte hash, in which version and suite are. 43 bytes: each of
    /// the two hashes of expand_message_xmd then ends in its last block with room for the padding, and none to spare.
    pub fn of(context: &Context) -> Self {
        DomainTag([label::HASH_TO_GROUP.as_bytes(), &context.hash()].concat())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// H1 of each token, in order. The points are secret: who has them can test guesses.
pub fn hash_to_group<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    secret: &PairSecret,
    context: &Context,
) -> Zeroizing<Vec<Point>> {
    let keyed = secret.token_mac();
    let mut digests = Zeroizing::new(vec![[0; 64]; tokens.len()]);
    tokens.par_iter().with_min_len(SEQUENTIAL).zip(digests.par_iter_mut()).for_each(|(token, digest)| {
        let mut mac = keyed.clone();
        Update::update(&mut mac, token.as_ref());
        let mut code = mac.finalize().into_bytes();
        digest.copy_from_slice(&code);
        code.zeroize();
    });
    Zeroizing::new(hash_to_ristretto255(&digests, &DomainTag::of(context)))
}

/// hash-to-ristretto255 (RFC 9380, appendix B) of each message under a domain tag, in order.
pub fn hash_to_ristretto255<M: AsRef<[u8]> + Sync>(messages: &[M], tag: &DomainTag) -> Vec<Point> {
    let mut uniform = Zeroizing::new(vec![[0; 64]; messages.len()]);
    let pairs = messages.par_iter().with_min_len(SEQUENTIAL).zip(uniform.par_iter_mut());
    pairs.for_each(|(message, bytes)| expand(message.as_ref(), tag, bytes));
    lanes::from_uniform(&uniform)
}

/// expand_message_xmd with SHA-512 (RFC 9380, section 5.3.1), to N bytes: 64, and in tests what the vectors have.
fn expand<const N: usize>(message: &[u8], tag: &DomainTag, bytes: &mut [u8; N]) {
    const { assert!(N > 0 && N <= 128) };
    type Xmd = ExpandMsgXmd<Sha512>;
    let length = const { NonZero::new(N as u16).expect("asserted above") };
    let tag: [&[u8]; 1] = [tag.as_bytes()];
    // U32: the security level in bytes that the suite states
    let expander = <Xmd as ExpandMsg<U32>>::expand_message(&[message], &tag, length);
    let mut expander = expander.expect("N bytes are few enough, and a DomainTag is never empty");
    expander.fill_bytes(bytes).expect("N bytes were asked for");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;

    /// RFC 9380, appendix K.3: expand_message_xmd with SHA-512.
    #[test]
    fn expand_message_xmd_vectors() {
        let tag = DomainTag::new(b"QUUX-V01-CS02-with-expander-SHA512-256").unwrap();
        let short = [
            ("", "6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba"),
            ("abc", "0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc"),
            ("abcdef0123456789", "087e45a86e2939ee8b91100af1583c4938e0f5fc6c9db4b107b83346bc967f58"),
        ];
        for (message, expected) in short {
            let mut bytes = [0; 32];
            expand(message.as_bytes(), &tag, &mut bytes);
            assert_eq!(hex::encode(bytes), expected);
        }
        let mut bytes = [0; 128];
        expand(b"abc", &tag, &mut bytes);
        assert_eq!(
            hex::encode(bytes),
            "7f1dddd13c08b543f2e2037b14cefb255b44c83cc397c1786d975653e36a6b11bdd7732d8b38adb4a0edc26a0cef4bb4\
             5217135456e58fbca1703cd6032cb1347ee720b87972d63fbf232587043ed2901bce7f22610c0419751c065922b48843\
             1851041310ad659e4b23520e1772ab29dcdeb2002222a363f0c2b1c972b3efe1"
        );
    }

    #[test]
    fn tags_have_1_to_255_bytes() {
        assert_eq!(DomainTag::new(b""), Err(BadDomainTag));
        assert_eq!(DomainTag::new(&[1; 256]), Err(BadDomainTag));
        assert!(DomainTag::new(&[1; 255]).is_ok());
    }

    #[test]
    fn our_tag_has_the_context_and_costs_no_further_block() {
        let names = ("A".repeat(32), "B".repeat(32));
        let pair = Pair::new(&names.0.parse().unwrap(), &names.1.parse().unwrap()).unwrap();
        let context = Context::new(pair, u64::MAX, [9; 32]);
        let tag = DomainTag::of(&context);
        assert!(DomainTag::new(tag.as_bytes()).is_ok());
        assert!(tag.as_bytes().starts_with(b"sutura/"));
        assert!(tag.as_bytes().ends_with(&context.hash()));
        // RFC 9380, 5.3.1: after the block of zeros b_0 hashes 64 + 2 + 1 bytes and DST_prime, b_1 64 + 1 and DST_prime;
        // SHA-512 adds 17.
        let tag_prime = tag.as_bytes().len() + 1;
        assert_eq!((64 + 2 + 1 + tag_prime + 17).div_ceil(128), 1);
        assert_eq!((64 + 1 + tag_prime + 17).div_ceil(128), 1);
    }

    #[test]
    fn no_candidate_without_the_pair_secret() {
        let pair = Pair::new(&"GM".parse().unwrap(), &"SN".parse().unwrap()).unwrap();
        let (context, next) = (Context::new(pair.clone(), 1, [0; 32]), Context::new(pair, 2, [0; 32]));
        let secret = |byte| PairSecret::from_secret(&[byte; 64]);
        let usual = hash_to_group(&["token"], &secret(1), &context);
        assert_eq!(*usual, *hash_to_group(&["token"], &secret(1), &context));
        assert_ne!(*usual, *hash_to_group(&["token"], &secret(2), &context));
        assert_ne!(*usual, *hash_to_group(&["token"], &secret(1), &next));
        assert_ne!(*usual, *hash_to_group(&["tokem"], &secret(1), &context));
    }
}
