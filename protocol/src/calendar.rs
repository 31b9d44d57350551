//! Ticks and epochs: where a moment lies.
//!
//! A tick is a fixed slot of time; an epoch is a fixed number of ticks. An accord fixes both, from a first epoch on.
//! Callers: agents and the broker. *Not here:* a clock; every moment is an argument, in milliseconds since the Unix
//! epoch. Safety never depends on a clock: a wrong one makes a unit speak too early or too late, and it is refused.

use crate::codec::Hash;
use minicbor::{Decode, Encode};

/// From where an accord counts. Encoded in its proposal and covered by its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Start {
    /// The first epoch the accord rules, from 1.
    #[n(0)]
    pub epoch: u32,
    /// The first tick of that epoch.
    #[n(1)]
    pub tick: u64,
    /// When that tick begins, in milliseconds since the Unix epoch.
    #[n(2)]
    pub at_ms: u64,
}

/// Ticks and epochs under one accord.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// From where it counts.
    pub start: Start,
    /// Length of a tick, in milliseconds; at least 1.
    pub tick_ms: u64,
    /// Length of an epoch, in ticks; at least 1.
    pub epoch_ticks: u64,
    /// For how many ticks of the next epoch an epoch stays live; below `epoch_ticks`.
    pub grace_ticks: u64,
}

impl Calendar {
    /// The tick at `now_ms`; `None` before the start.
    pub fn tick_at(&self, now_ms: u64) -> Option<u64> {
        let since = now_ms.checked_sub(self.start.at_ms)?;
        self.start.tick.checked_add(since / self.tick_ms.max(1))
    }

    /// When `tick` begins, in milliseconds; saturating.
    pub fn begins_ms(&self, tick: u64) -> u64 {
        let ticks = tick.saturating_sub(self.start.tick);
        self.start.at_ms.saturating_add(ticks.saturating_mul(self.tick_ms.max(1)))
    }

    /// The epoch in which `tick` lies; `None` before the start.
    pub fn epoch_of(&self, tick: u64) -> Option<u32> {
        let epochs = tick.checked_sub(self.start.tick)? / self.epoch_ticks.max(1);
        self.start.epoch.checked_add(u32::try_from(epochs).ok()?)
    }

    /// The first tick of `epoch`; `None` before the start.
    pub fn first_tick(&self, epoch: u32) -> Option<u64> {
        let epochs = u64::from(epoch.checked_sub(self.start.epoch)?);
        self.start.tick.checked_add(epochs.checked_mul(self.epoch_ticks)?)
    }

    /// The last tick in which `epoch` is live: its own last one, and the grace after it.
    pub fn last_live_tick(&self, epoch: u32) -> Option<u64> {
        let end = self.first_tick(epoch)?.checked_add(self.epoch_ticks)?;
        end.checked_add(self.grace_ticks)?.checked_sub(1)
    }

    /// Whether envelopes of `epoch` are welcome at `tick`: it has begun, and is not closed.
    pub fn is_live(&self, epoch: u32, tick: u64) -> bool {
        self.first_tick(epoch).is_some_and(|first| first <= tick)
            && self.last_live_tick(epoch).is_some_and(|last| tick <= last)
    }
}

/// An epoch together with the accord that was in force when it opened: what every pair context names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenEpoch {
    /// The epoch's number.
    pub epoch: u32,
    /// Hash of the accord.
    pub accord: Hash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_two_epochs_are_live() {
        let start = Start { epoch: 1, tick: 0, at_ms: 1_000 };
        let calendar = Calendar { start, tick_ms: 10, epoch_ticks: 100, grace_ticks: 20 };
        assert_eq!(calendar.tick_at(999), None);
        assert_eq!(calendar.tick_at(1_000), Some(0));
        assert_eq!(calendar.tick_at(1_999), Some(99));
        assert_eq!(calendar.epoch_of(99), Some(1));
        assert_eq!(calendar.epoch_of(100), Some(2));
        assert_eq!(calendar.first_tick(2), Some(100));
        assert_eq!(calendar.begins_ms(100), 2_000);
        for tick in 0..1_000 {
            let live = (0..20).filter(|epoch| calendar.is_live(*epoch, tick)).count();
            assert!((1..=2).contains(&live), "tick {tick}: {live}");
        }
        assert!(calendar.is_live(1, 119) && !calendar.is_live(1, 120));
    }

    #[test]
    fn wild_numbers_do_not_overflow() {
        let start = Start { epoch: u32::MAX, tick: u64::MAX, at_ms: 0 };
        let calendar = Calendar { start, tick_ms: 1, epoch_ticks: u64::MAX, grace_ticks: u64::MAX - 1 };
        assert_eq!(calendar.tick_at(u64::MAX), None);
        assert_eq!(calendar.last_live_tick(u32::MAX), None);
        let _ = calendar.begins_ms(0);
    }
}
