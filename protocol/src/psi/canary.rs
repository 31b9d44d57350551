//! Canaries: tokens that both units of a pair plant, and that must meet (R22).
//!
//! Both draw the same from K, so that nothing is said about them on the wire; a broker that drops matches drops some
//! of them too, since it can't tell them apart.
//!
//! Callers: the agent, which mixes them with its tokens and watches for their matches. Canaries never reach officers.
//! *Not here:* what follows from one that is missing.

use hmac::Mac;
use zeroize::Zeroizing;

use super::{PairSecret, framed, pair_secret};
use crate::label;

/// One canary of a pair and epoch.
pub struct Canary {
    /// Its token: bytes that begin with a label which no identifier's token has. Secret, as K is.
    pub token: Zeroizing<Vec<u8>>,
    /// When it is planted: ticks after the epoch's first, below the window.
    pub tick: u64,
}

/// The `count` canaries of a pair secret, spread over `window` ticks.
///
/// The window is cut into `count` equal parts and each canary has a tick drawn from its own part: the ages of
/// canaries are spread as evenly as they can be, and no two share a tick while the window has as many ticks as there
/// are canaries. Without a window (0) all are at tick 0.
pub fn canaries(secret: &PairSecret, count: u32, window: u64) -> Vec<Canary> {
    (0..count).map(|index| Canary { token: token(secret, index), tick: tick(secret, index, count, window) }).collect()
}

/// The token of canary `index`: the label, and 32 pseudorandom bytes.
fn token(secret: &PairSecret, index: u32) -> Zeroizing<Vec<u8>> {
    let drawn = draw(secret, label::CANARY, index);
    Zeroizing::new(framed::bytes(label::CANARY, &[&drawn[..32]]))
}

/// The tick of canary `index`, within its part of the window.
fn tick(secret: &PairSecret, index: u32, count: u32, window: u64) -> u64 {
    let bound = |part: u32| (u128::from(window) * u128::from(part) / u128::from(count.max(1))) as u64;
    let (from, to) = (bound(index), bound(index + 1));
    let drawn = draw(secret, label::CANARY_TICK, index);
    let mut number = [0; 16];
    number.copy_from_slice(&drawn[..16]);
    // 128 bits modulo at most 64: as good as uniform. An empty part (fewer ticks than canaries) has its start only
    let offset = u128::from_be_bytes(number) % u128::from((to - from).max(1));
    from + offset as u64
}

/// 64 pseudorandom bytes from K, a label and an index.
fn draw(secret: &PairSecret, label: &'static str, index: u32) -> Zeroizing<[u8; 64]> {
    let key = secret.subkey(label);
    let mut mac = pair_secret::keyed(key.expose_secret());
    framed::absorb(&mut mac, label, &[&index.to_be_bytes()]);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn both_units_draw_the_same_and_no_other_pair_does() {
        let draw = |secret: u8| canaries(&PairSecret::from_secret(&[secret; 64]), 8, 1000);
        for (one, same) in draw(1).iter().zip(&draw(1)) {
            assert_eq!((&one.token, one.tick), (&same.token, same.tick));
        }
        let tokens: HashSet<_> = draw(1).into_iter().chain(draw(2)).map(|canary| canary.token.to_vec()).collect();
        assert_eq!(tokens.len(), 16);
    }

    #[test]
    fn each_has_a_tick_of_its_own_within_the_window() {
        for (count, window) in [(1, 1), (8, 8), (8, 9), (8, 1000), (3, u64::MAX), (0, 5)] {
            let canaries = canaries(&PairSecret::from_secret(&[3; 64]), count, window);
            let ticks: Vec<u64> = canaries.iter().map(|canary| canary.tick).collect();
            assert_eq!(ticks.len(), count as usize);
            assert!(ticks.iter().all(|tick| *tick < window), "{count} in {window}: {ticks:?}");
            assert!(ticks.is_sorted_by(|a, b| a < b), "{count} in {window}: {ticks:?}");
        }
    }

    #[test]
    fn a_window_that_is_too_short_is_no_fault() {
        for window in [0, 1, 2] {
            let canaries = canaries(&PairSecret::from_secret(&[3; 64]), 5, window);
            assert!(canaries.iter().all(|canary| canary.tick < window.max(1)));
        }
    }
}
