//! What all matching of one pair and epoch is bound to (R11, R36): version, suite, pair, epoch, accord.
//!
//! Callers: every other step. *Not* an envelope's header, which names a sender and a sequence besides.

use super::framed;
use crate::label;
use crate::name::Pair;

/// Version, suite, pair, epoch and the hash of the accord that was in force when the epoch opened. Two units whose
/// contexts differ in anything reach no common tag, and accept no proof of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    version: u8,
    suite: &'static str,
    pair: Pair,
    epoch: u64,
    accord: [u8; 32],
}

impl Context {
    /// The context of this version and suite for a pair and epoch. `accord` is the hash of the accord that was in
    /// force when the epoch opened.
    pub fn new(pair: Pair, epoch: u64, accord: [u8; 32]) -> Self {
        Context { version: label::VERSION, suite: label::SUITE, pair, epoch, accord }
    }

    /// The two units.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The epoch's number.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The hash of the accord.
    pub fn accord(&self) -> &[u8; 32] {
        &self.accord
    }

    /// All of it in 32 bytes: the first half of SHA-512 over label, version, suite, both units in the order of their
    /// names, epoch (8 bytes, big-endian) and accord, each with its length.
    pub fn hash(&self) -> [u8; 32] {
        let whole = framed::hash(
            label::CONTEXT,
            &[
                &[self.version],
                self.suite.as_bytes(),
                self.pair.low().as_str().as_bytes(),
                self.pair.high().as_str().as_bytes(),
                &self.epoch.to_be_bytes(),
                &self.accord,
            ],
        );
        let mut half = [0; 32];
        half.copy_from_slice(&whole[..32]);
        half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(a: &str, b: &str) -> Pair {
        Pair::new(&a.parse().unwrap(), &b.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_hash_depends_on_every_part_and_not_on_the_side() {
        let context = Context::new(pair("SN", "GM"), 7, [1; 32]);
        assert_eq!(context.hash(), Context::new(pair("GM", "SN"), 7, [1; 32]).hash());
        let others = [
            Context::new(pair("SN", "GN"), 7, [1; 32]),
            Context::new(pair("SN", "GM"), 8, [1; 32]),
            Context::new(pair("SN", "GM"), 7, [2; 32]),
            Context { version: label::VERSION + 1, ..context.clone() },
            Context { suite: "another", ..context.clone() },
        ];
        for other in others {
            assert_ne!(context.hash(), other.hash(), "{other:?}");
        }
    }
}
