//! The whole exchange in both directions: equal tokens meet, unequal do not, and an answer that is not wholly right is
//! refused before anything of it is used.

#[path = "psi_pair.rs"]
mod psi_pair;

use std::collections::{HashMap, HashSet};

use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use protocol::psi::{
    AnswerRefused, Blind, Blinded, Commitment, Confirmation, EpochKey, KeptState, Statement, Verified, evaluate,
};
use psi_pair::{TwoUnits, rng, tokens};

#[test]
fn equal_tokens_meet_and_confirm_each_other() {
    let mut rng = rng(1);
    let two = TwoUnits::new(&mut rng);
    let (of_gm, of_sn) = (tokens(0..60), tokens(40..100));
    let from_gm = two.exchange(&of_gm, 68, &two.gm.key, &two.sn.key, &mut rng);
    let from_sn = two.exchange(&of_sn, 4, &two.sn.key, &two.gm.key, &mut rng);
    let gm = two.finish(&from_gm, &of_gm, two.sn.key.commitment()).unwrap();
    let sn = two.finish(&from_sn, &of_sn, two.gm.key.commitment()).unwrap();

    let by_tag: HashMap<_, _> = sn.iter().zip(&of_sn).map(|(leaf, token)| (leaf.tag, (leaf, token))).collect();
    let mut met = 0;
    for (leaf, token) in gm.iter().zip(&of_gm) {
        if let Some((other, same)) = by_tag.get(&leaf.tag) {
            assert_eq!(token, *same);
            // each side checks the other's confirmation with its own key
            assert_eq!(Confirmation::new(&other.key, &two.sn.name).check(&leaf.key, &two.sn.name), Ok(()));
            assert_eq!(Confirmation::new(&leaf.key, &two.gm.name).check(&other.key, &two.gm.name), Ok(()));
            assert!(Confirmation::new(&leaf.key, &two.gm.name).check(&other.key, &two.sn.name).is_err());
            met += 1;
        }
    }
    assert_eq!(met, 20);
    assert_eq!(gm.iter().map(|leaf| leaf.tag).collect::<HashSet<_>>().len(), 60);
}

#[test]
fn another_epochs_keys_or_another_pairs_secret_lead_to_other_tags() {
    let mut rng = rng(2);
    let (two, other) = (TwoUnits::new(&mut rng), TwoUnits::new(&mut rng));
    let tokens = tokens(0..5);
    let mut tags = HashSet::new();
    for (asker, evaluator) in [(&two.gm, &two.sn), (&two.gm, &other.sn), (&other.gm, &two.sn)] {
        for units in [&two, &other] {
            let exchange = units.exchange(&tokens, 3, &asker.key, &evaluator.key, &mut rng);
            let leaves = units.finish(&exchange, &tokens, evaluator.key.commitment()).unwrap();
            tags.extend(leaves.iter().map(|leaf| leaf.tag));
        }
    }
    assert_eq!(tags.len(), 5 * 6);
}

#[test]
fn a_wrong_evaluation_of_any_single_point_is_found() {
    let mut rng = rng(3);
    let two = TwoUnits::new(&mut rng);
    let exchange = two.exchange(&tokens(0..20), 12, &two.gm.key, &two.sn.key, &mut rng);
    let peer = two.sn.key.commitment();
    // the positive control: the same path accepts the right answer
    assert!(two.check(&exchange, &exchange.answer, peer).is_ok());
    let wrong = evaluate(&exchange.asked.points, &EpochKey::random(&mut rng)).unwrap();
    for place in 0..32 {
        let mut answer = exchange.answer.clone();
        answer[place] = wrong.points()[place];
        assert_eq!(two.check(&exchange, &answer, peer).err(), Some(AnswerRefused::Proof), "{place}");
        let mut swapped = exchange.answer.clone();
        swapped.swap(place, (place + 1) % 32);
        assert_eq!(two.check(&exchange, &swapped, peer).err(), Some(AnswerRefused::Proof), "{place}");
    }
}

#[test]
fn a_root_that_was_only_claimed_does_not_help() {
    // a wrong answer under the root of the right one: who checks computes the root from what was received
    let mut rng = rng(4);
    let two = TwoUnits::new(&mut rng);
    let exchange = two.exchange(&tokens(0..4), 0, &two.gm.key, &two.sn.key, &mut rng);
    let mut answer = exchange.answer.clone();
    answer.swap(0, 1);
    let claimed = Statement { context: &two.context, request: &exchange.request, answer: &exchange.root };
    let refused = Verified::check(&exchange.asked, &answer, &exchange.proof, claimed, two.sn.key.commitment());
    assert_eq!(refused.err(), Some(AnswerRefused::Proof));
}

#[test]
fn kept_state_that_does_not_fit_is_refused() {
    let mut rng = rng(5);
    let two = TwoUnits::new(&mut rng);
    let of_gm = tokens(0..6);
    let mut exchange = two.exchange(&of_gm, 2, &two.gm.key, &two.sn.key, &mut rng);
    let order = exchange.asked.order.clone();
    let real = order.iter().position(Option::is_some).unwrap();
    let padding = order.iter().position(Option::is_none).unwrap();
    let mut damaged = vec![order.clone(), order.clone(), order.clone(), order[..7].to_vec()];
    damaged[0][real] = Some(6);
    damaged[1][padding] = order[real];
    damaged[2][real] = None;
    let outcome = |exchange: &psi_pair::Exchange, tokens: &[Vec<u8>]| {
        let verified = two.check(exchange, &exchange.answer, two.sn.key.commitment()).unwrap();
        verified.unblind(tokens, &two.secret).err()
    };
    assert_eq!(outcome(&exchange, &of_gm), None);
    assert_eq!(outcome(&exchange, &of_gm[..5]), Some(KeptState));
    for order in damaged {
        exchange.asked.order = order;
        assert_eq!(outcome(&exchange, &of_gm), Some(KeptState));
    }
}

#[test]
fn the_vault_can_give_everything_back() {
    let mut rng = rng(6);
    let two = TwoUnits::new(&mut rng);
    let of_gm = tokens(0..6);
    let exchange = two.exchange(&of_gm, 2, &two.gm.key, &two.sn.key, &mut rng);
    let first = two.finish(&exchange, &of_gm, two.sn.key.commitment()).unwrap();
    let reopened = psi_pair::Exchange {
        asked: Blinded {
            points: exchange.asked.points.clone(),
            order: exchange.asked.order.clone(),
            blinds: exchange.asked.blinds.iter().map(|b| Blind::from_secret(&b.expose_secret()).unwrap()).collect(),
        },
        ..exchange
    };
    let peer = Commitment::reopen(two.sn.key.commitment().as_bytes()).unwrap();
    let second = two.finish(&reopened, &of_gm, &peer).unwrap();
    assert!(first.iter().zip(&second).all(|(a, b)| a.tag == b.tag && a.key.expose_secret() == b.key.expose_secret()));
}

#[test]
fn a_blinded_request_says_nothing_of_its_tokens() {
    // any request is a possible request for any tokens: for each point and token there is a blind that leads there; what
    // would be sent without one is not
    let mut rng = rng(7);
    let two = TwoUnits::new(&mut rng);
    let exchange = two.exchange(&tokens(0..10), 10, &two.gm.key, &two.sn.key, &mut rng);
    let points: HashSet<_> = exchange.asked.points.iter().collect();
    assert_eq!(points.len(), 20);
    let hashed = protocol::psi::hash_to_group::hash_to_group(&tokens(0..10), &two.secret, &two.context);
    let key = Option::<Scalar>::from(Scalar::from_canonical_bytes(*two.gm.key.expose_secret())).unwrap();
    for factor in [Scalar::ONE, key, key.div_by_2()] {
        let bare = lanes::encode_multiplied(&hashed, &factor);
        assert!(bare.iter().all(|candidate| !points.contains(candidate)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tags_are_equal_exactly_where_tokens_are(
        a in prop::collection::hash_set(prop::collection::vec(any::<u8>(), 0..6), 1..20),
        b in prop::collection::hash_set(prop::collection::vec(any::<u8>(), 0..6), 1..20),
        padding in 0..10usize, seed in any::<u64>(),
    ) {
        let mut rng = rng(seed);
        let two = TwoUnits::new(&mut rng);
        // some in common, whatever was drawn
        let a: Vec<Vec<u8>> = a.into_iter().collect();
        let b: Vec<Vec<u8>> = b.into_iter().chain(a.iter().take(3).cloned()).collect::<HashSet<_>>().into_iter().collect();
        let tags = |tokens: &[Vec<u8>], asker: &EpochKey, peer: &EpochKey, rng: &mut _| {
            let exchange = two.exchange(tokens, padding, asker, peer, rng);
            let leaves = two.finish(&exchange, tokens, peer.commitment()).unwrap();
            leaves.into_iter().map(|leaf| leaf.tag).collect::<Vec<_>>()
        };
        let of_a = tags(&a, &two.gm.key, &two.sn.key, &mut rng);
        let of_b = tags(&b, &two.sn.key, &two.gm.key, &mut rng);
        for (token_a, tag_a) in a.iter().zip(&of_a) {
            for (token_b, tag_b) in b.iter().zip(&of_b) {
                prop_assert_eq!(token_a == token_b, tag_a == tag_b);
            }
        }
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(place in 0..8usize, bit in 0..256usize, proof_bit in 0..512usize) {
        let mut rng = rng(9);
        let two = TwoUnits::new(&mut rng);
        let mut exchange = two.exchange(&tokens(0..5), 3, &two.gm.key, &two.sn.key, &mut rng);
        let peer = two.sn.key.commitment();
        let mut answer = exchange.answer.clone();
        answer[place][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(two.check(&exchange, &answer, peer).is_err());
        exchange.proof.0[proof_bit / 8] ^= 1 << (proof_bit % 8);
        prop_assert_eq!(two.check(&exchange, &exchange.answer, peer).err(), Some(AnswerRefused::Proof));
    }

    #[test]
    fn any_bytes_are_evaluated_or_refused(points in prop::collection::vec(any::<[u8; 32]>(), 0..4)) {
        let acceptable = !points.is_empty()
            && lanes::decode(&points).is_ok()
            && points.iter().collect::<HashSet<_>>().len() == points.len();
        prop_assert_eq!(evaluate(&points, &EpochKey::random(&mut rng(1))).is_ok(), acceptable);
    }
}
