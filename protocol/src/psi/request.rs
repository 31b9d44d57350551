//! The request: one's own tokens as blinded points for one peer (R12).
//!
//! For each token `P = (k/2)·H1(x) + r·G` with a fresh random r: a uniform point, whatever the token, so it hides
//! perfectly. Padded with random points, which are uniform too, and shuffled.
//!
//! The blind is added, and not multiplied by, because multiples of a fixed point cost a seventh (`lanes::FixedBase`): the
//! peer's answer is `(k'·k/2)·H1(x) + r·K'` for its commitment K', and unblinding takes `r·K'` away. That is right only
//! for an answer whose proof holds under K', and no other is unblinded. Jarecki, Krawczyk and Xu, "On the (in)security
//! of the Diffie-Hellman oblivious PRF with multiplicative blinding" (PKC 2021), compare both kinds. The half comes
//! back when the difference is doubled, which its encoding wants anyway.
//!
//! Callers: the agent that asks. *Not here:* which tokens are due and how much padding a tick needs; the quota, which
//! the peer counts. What [`blind`] returns besides the points must be durable in the vault before the first byte
//! leaves: another request for the same tokens costs quota again.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;
use hashbrown::HashSet;
use lanes::FixedBase;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::hash_to_group::hash_to_group;
use super::{BadScalar, Context, EpochKey, PairSecret};

/// The most points in one request: proof, resumption and refusal are per request.
pub const MAX_POINTS: usize = 65_536;

/// The generator, with its multiples.
static GENERATOR: FixedBase = FixedBase::new(RISTRETTO_BASEPOINT_POINT);

/// r: what blinds one token in one request. A scalar other than zero. Destroyed once the answer is accepted.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Blind(Scalar);

impl Blind {
    /// A fresh one, uniform over 1 to l - 1.
    pub fn random(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        loop {
            let scalar = Scalar::random(rng);
            if scalar != Scalar::ZERO {
                return Blind(scalar);
            }
        }
    }

    /// From what the vault kept: 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`BadScalar`] if they are not below the group's order, or zero.
    pub fn from_secret(bytes: &[u8; 32]) -> Result<Self, BadScalar> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
        scalar.filter(|scalar| *scalar != Scalar::ZERO).map(Blind).ok_or(BadScalar)
    }

    /// The 32 bytes, little-endian, for the vault.
    pub fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.0
    }
}

/// A request as its sender holds it. Only `points` is sent.
pub struct Blinded {
    /// What is sent: encodings of points, real ones and padding, shuffled.
    pub points: Vec<[u8; 32]>,
    /// For each place in `points`: the index of its token, or `None` for padding. Secret, as the tokens are.
    pub order: Vec<Option<usize>>,
    /// For each token, in the tokens' order: its blind.
    pub blinds: Vec<Blind>,
}

/// Why no request can be made of these tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Neither tokens nor padding.
    #[error("a request has at least one point")]
    Empty,
    /// More points than [`MAX_POINTS`].
    #[error("{count} points are more than a request may have")]
    TooMany {
        /// Tokens and padding together.
        count: usize,
    },
    /// A token that stands before in the list: one token, one point.
    #[error("token {index} stands in the list before")]
    Repeated {
        /// The place of the later one.
        index: usize,
    },
}

/// Blinds tokens for one peer under one's own `key` of the epoch, with `padding` random points among them, in an order drawn anew.
///
/// # Errors
/// [`RequestError`], if there is nothing to send, too much, or a token twice.
pub fn blind<T: AsRef<[u8]> + Sync>(
    tokens: &[T],
    padding: usize,
    key: &EpochKey,
    secret: &PairSecret,
    context: &Context,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<Blinded, RequestError> {
    let count = tokens.len().saturating_add(padding);
    if count == 0 {
        return Err(RequestError::Empty);
    }
    if count > MAX_POINTS {
        return Err(RequestError::TooMany { count });
    }
    // Tokens are the unit's own: its quick hash need not withstand anyone.
    let mut seen = HashSet::with_capacity(tokens.len());
    if let Some(index) = tokens.iter().position(|token| !seen.insert(token.as_ref())) {
        return Err(RequestError::Repeated { index });
    }

    let blinds: Vec<Blind> = tokens.iter().map(|_| Blind::random(rng)).collect();
    let scalars = Zeroizing::new(blinds.iter().map(|blind| blind.0).collect::<Vec<Scalar>>());
    let half = Zeroizing::new(key.scalar().div_by_2());
    let hashed = hash_to_group(tokens, secret, context);
    let mut unshuffled = lanes::encode_multiplied_plus(&hashed, &half, &GENERATOR, &scalars);
    unshuffled.extend(random_points(padding, rng));

    let mut order: Vec<Option<usize>> = (0..count).map(|place| (place < tokens.len()).then_some(place)).collect();
    let mut points = unshuffled;
    // Fisher and Yates: each order equally likely
    for last in (1..count).rev() {
        let other = below(last + 1, rng);
        points.swap(last, other);
        order.swap(last, other);
    }
    Ok(Blinded { points, order, blinds })
}

/// Uniform points that nobody knows a logarithm of: the one-way map of random bytes.
fn random_points(count: usize, rng: &mut (impl CryptoRng + ?Sized)) -> Vec<[u8; 32]> {
    let mut uniform = vec![[0; 64]; count];
    uniform.iter_mut().for_each(|bytes| rng.fill_bytes(bytes));
    lanes::encode(&lanes::from_uniform(&uniform))
}

/// A number below `bound` (which is at least 1), each equally likely: draws from the incomplete last round are thrown
/// away.
fn below(bound: usize, rng: &mut (impl CryptoRng + ?Sized)) -> usize {
    let bound = bound as u64;
    let whole_rounds = u64::MAX - u64::MAX % bound;
    loop {
        let drawn = rng.next_u64();
        if drawn < whole_rounds {
            return (drawn % bound) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Pair;
    use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn context() -> Context {
        Context::new(Pair::new(&"GM".parse().unwrap(), &"SN".parse().unwrap()).unwrap(), 3, [7; 32])
    }

    #[test]
    fn each_place_holds_its_token_under_its_blind() {
        let mut rng = ChaCha20Rng::seed_from_u64(20);
        let secret = PairSecret::from_secret(&[5; 64]);
        let tokens: Vec<String> = (0..50).map(|i| format!("token {i}")).collect();
        let key = EpochKey::random(&mut rng);
        let blinded = blind(&tokens, 14, &key, &secret, &context(), &mut rng).unwrap();
        assert_eq!((blinded.points.len(), blinded.order.len(), blinded.blinds.len()), (64, 64, 50));
        assert_eq!(blinded.order.iter().flatten().collect::<HashSet<_>>().len(), 50);
        let hashed = hash_to_group(&tokens, &secret, &context());
        for (point, index) in blinded.points.iter().zip(&blinded.order) {
            if let Some(index) = *index {
                let blind = RistrettoPoint::mul_base(blinded.blinds[index].scalar());
                let point = CompressedRistretto(*point).decompress().unwrap() - blind;
                assert_eq!(point + point, RistrettoPoint::from(hashed[index]) * key.scalar());
            }
        }
        assert_ne!(blinded.order[..50], (0..50).map(Some).collect::<Vec<_>>());
        assert!(lanes::decode(&blinded.points).is_ok());
    }

    #[test]
    fn no_two_requests_share_a_point() {
        let mut rng = ChaCha20Rng::seed_from_u64(21);
        let secret = PairSecret::from_secret(&[5; 64]);
        let key = EpochKey::random(&mut rng);
        let mut request = || blind(&["a", "b"], 30, &key, &secret, &context(), &mut rng).unwrap().points;
        let (first, second) = (request(), request());
        assert!(first.iter().all(|point| !second.contains(point)));
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(22);
        let secret = PairSecret::from_secret(&[5; 64]);
        let key = EpochKey::random(&mut rng);
        let mut refused = |tokens: &[&str], padding| blind(tokens, padding, &key, &secret, &context(), &mut rng).err();
        assert_eq!(refused(&[], 0), Some(RequestError::Empty));
        assert_eq!(refused(&["a"], MAX_POINTS), Some(RequestError::TooMany { count: MAX_POINTS + 1 }));
        assert_eq!(refused(&["a"], usize::MAX), Some(RequestError::TooMany { count: usize::MAX }));
        assert_eq!(refused(&["a", "b", "a"], 1), Some(RequestError::Repeated { index: 2 }));
        assert_eq!(refused(&[], 3), None);
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut rng = ChaCha20Rng::seed_from_u64(23);
        let mut counts = [0u32; 5];
        for _ in 0..5000 {
            counts[below(5, &mut rng)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn blinds_come_back_from_the_vault() {
        let blind = Blind::random(&mut ChaCha20Rng::seed_from_u64(24));
        assert_eq!(Blind::from_secret(&blind.expose_secret()).unwrap().0, blind.0);
        assert_eq!(Blind::from_secret(&[0; 32]).err(), Some(BadScalar));
        assert_eq!(Blind::from_secret(&[0xff; 32]).err(), Some(BadScalar));
    }
}
