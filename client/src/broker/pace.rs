//! How many frames travel at once: one on a poor link, several on a good one.
//!
//! Frames in flight hide the delay of a long link; but each one that a cut catches half-way is sent again, and on a slow
//! link they only wait for each other. So the number starts at one, grows while frames are quick, and falls back to one
//! as soon as one is slow: a slow link never sends more than one frame again (R24). Callers: `submit` and `fetch`.

use std::time::Duration;

const MOST: usize = 8;
const QUICK: Duration = Duration::from_secs(1);

/// The number of frames that may be in flight.
pub(super) struct Pace {
    at_once: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace { at_once: 1 }
    }

    pub(super) fn at_once(&self) -> usize {
        self.at_once
    }

    /// A frame took so long, repetitions included.
    pub(super) fn took(&mut self, time: Duration) {
        self.at_once = if time < QUICK { (self.at_once + 1).min(MOST) } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_link_carries_one_frame_a_quick_one_several() {
        let mut pace = Pace::new();
        assert_eq!(pace.at_once(), 1);
        for _ in 0..20 {
            pace.took(Duration::from_millis(50));
        }
        assert_eq!(pace.at_once(), MOST);
        pace.took(QUICK);
        assert_eq!(pace.at_once(), 1);
    }
}
