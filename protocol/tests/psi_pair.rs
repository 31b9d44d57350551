//! Two units of one pair, with all that an epoch gives them: what the other tests of matching start from.
#![allow(dead_code, reason = "each test uses its own part")]

use protocol::name::{Pair, UnitName};
use protocol::psi::{
    AnswerRefused, Blinded, Commitment, Context, Contribution, EpochKey, Evaluation, Leafed, PairSecret, Proof,
    Statement, Verified, blind, evaluate,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha512};

pub(crate) struct Side {
    pub(crate) name: UnitName,
    pub(crate) key: EpochKey,
}

pub(crate) struct TwoUnits {
    pub(crate) federation: [u8; 32],
    pub(crate) context: Context,
    pub(crate) contributions: [Contribution; 2],
    pub(crate) secret: PairSecret,
    pub(crate) gm: Side,
    pub(crate) sn: Side,
}

/// A request with its answer, as they travel.
pub(crate) struct Exchange {
    pub(crate) asked: Blinded,
    pub(crate) request: [u8; 32],
    pub(crate) answer: Vec<[u8; 32]>,
    pub(crate) root: [u8; 32],
    pub(crate) proof: Proof,
}

impl TwoUnits {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let side = |name: &str, rng: &mut ChaCha20Rng| Side { name: name.parse().unwrap(), key: EpochKey::random(rng) };
        let (gm, sn) = (side("GM", rng), side("SN", rng));
        let context = Context::new(Pair::new(&gm.name, &sn.name).unwrap(), 7, [0xac; 32]);
        let contributions = [Contribution::random(rng), Contribution::random(rng)];
        let federation = [0xfe; 32];
        let [first, second] = &contributions;
        let secret = PairSecret::derive(&context, &federation, (&gm.name, first), (&sn.name, second)).unwrap();
        TwoUnits { federation, context, contributions, secret, gm, sn }
    }

    /// A request of these tokens under `asker`, evaluated honestly under `evaluator`.
    pub(crate) fn exchange(
        &self,
        tokens: &[Vec<u8>],
        padding: usize,
        asker: &EpochKey,
        evaluator: &EpochKey,
        rng: &mut ChaCha20Rng,
    ) -> Exchange {
        let asked = blind(tokens, padding, asker, &self.secret, &self.context, rng).unwrap();
        let request = root(&asked.points);
        let evaluation: Evaluation = evaluate(&asked.points, evaluator).unwrap();
        let answer = evaluation.points().to_vec();
        let root = root(&answer);
        let statement = Statement { context: &self.context, request: &request, answer: &root };
        let proof = evaluation.prove(evaluator, &statement, rng);
        Exchange { asked, request, answer, root, proof }
    }

    /// What `asker` makes of its exchange with `peer`.
    pub(crate) fn finish(
        &self,
        exchange: &Exchange,
        tokens: &[Vec<u8>],
        peer: &Commitment,
    ) -> Result<Vec<Leafed>, AnswerRefused> {
        let verified = self.check(exchange, &exchange.answer, peer)?;
        Ok(verified.unblind(tokens, &self.secret).expect("the request's own tokens"))
    }

    /// Checks another answer to the same request, its root computed from what was received.
    pub(crate) fn check<'a>(
        &'a self,
        exchange: &'a Exchange,
        answer: &[[u8; 32]],
        peer: &'a Commitment,
    ) -> Result<Verified<'a>, AnswerRefused> {
        // leaked, since a Verified borrows its statement: a test is short
        let root: &'static [u8; 32] = Box::leak(Box::new(root(answer)));
        let statement = Statement { context: &self.context, request: &exchange.request, answer: root };
        Verified::check(&exchange.asked, answer, &exchange.proof, statement, peer)
    }
}

/// Stands for the root of a body: any collision-resistant hash of all rows in their order.
pub(crate) fn root(points: &[[u8; 32]]) -> [u8; 32] {
    Sha512::digest(points.as_flattened())[..32].try_into().unwrap()
}

pub(crate) fn tokens(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(|i| format!("phone\0+22177{i:07}").into_bytes()).collect()
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}
