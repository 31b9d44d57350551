//! How many frames travel at once, and how many of them in one call: one on a poor link, several on a good one.
//!
//! Frames in flight hide the delay of a long link; but each one that a cut catches half-way is sent again, and on a slow
//! link they only wait for each other. So the number starts at one, grows while frames are quick, and falls back to one
//! as soon as one is slow or lost: a slow link never sends more than one frame again (R24). What one body found out
//! about the link holds for the next. Callers: `submit` and `fetch`.

use protocol::mailbox::MAX_FRAMES;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MOST: usize = 8;
const QUICK: Duration = Duration::from_secs(1);

/// What is known of a link in one direction: how many frames it carries at once.
pub(super) struct Link(AtomicUsize);

impl Link {
    /// One of which nothing is known.
    pub(super) const fn new() -> Self {
        Link(AtomicUsize::new(1))
    }
}

/// The number of frames of one body that may be in flight, and that are.
pub(super) struct Pace<'a> {
    link: &'a Link,
    at_once: usize,
    flying: usize,
}

impl<'a> Pace<'a> {
    /// For one body, as quick as the link was last.
    pub(super) fn on(link: &'a Link) -> Self {
        Pace { link, at_once: link.0.load(Ordering::Relaxed).clamp(1, MOST), flying: 0 }
    }

    /// How many frames the next call may carry; 0: wait until one has landed.
    pub(super) fn next(&self) -> usize {
        match self.at_once - self.flying.min(self.at_once) {
            0 => 0,
            // Once a link has carried the most that may fly, calls carry several: each call costs both sides its own.
            MAX_FRAMES.. if self.at_once == MOST => MAX_FRAMES,
            _ if self.at_once == MOST => 0,
            _ => 1,
        }
    }

    /// A call with so many frames is on its way.
    pub(super) fn started(&mut self, frames: usize) {
        self.flying += frames;
    }

    /// A call with so many frames took so long, repetitions included.
    pub(super) fn took(&mut self, frames: usize, time: Duration) {
        self.flying -= frames.min(self.flying);
        self.at_once = if time < QUICK { (self.at_once + 1).min(MOST) } else { 1 };
        self.link.0.store(self.at_once, Ordering::Relaxed);
    }

    /// A call was lost: whatever comes next begins slowly.
    pub(super) fn lost(&self) {
        self.link.0.store(1, Ordering::Relaxed);
    }
}

/// The first of some ascending indices that follow each other, at most so many: first index and count.
pub(super) fn run<T: Copy + Into<u64>>(indices: &[T], most: usize) -> Option<(u64, usize)> {
    let first: u64 = (*indices.first()?).into();
    let together = (first..).zip(indices).take_while(|(expected, index)| *expected == (**index).into());
    Some((first, together.take(most).count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_link_carries_one_frame_a_quick_one_several() {
        let link = Link::new();
        let mut pace = Pace::on(&link);
        assert_eq!(pace.next(), 1);
        pace.started(1);
        assert_eq!(pace.next(), 0, "no other before the first has landed");
        for _ in 0..20 {
            pace.took(1, Duration::from_millis(50));
            pace.started(1);
        }
        pace.took(1, Duration::from_millis(50));
        assert_eq!(pace.next(), MAX_FRAMES);
        pace.started(4);
        assert_eq!(pace.next(), MAX_FRAMES);
        pace.started(4);
        assert_eq!(pace.next(), 0);
        pace.took(4, QUICK);
        assert_eq!(pace.next(), 0, "what flies still counts");
        pace.took(4, QUICK);
        assert_eq!(pace.next(), 1);
    }

    #[test]
    fn the_next_body_goes_as_the_last_one_did() {
        let link = Link::new();
        let mut pace = Pace::on(&link);
        for _ in 0..MOST {
            pace.started(1);
            pace.took(1, Duration::from_millis(50));
        }
        assert_eq!(Pace::on(&link).next(), MAX_FRAMES);
        pace.lost();
        assert_eq!(Pace::on(&link).next(), 1);
        pace.started(1);
        pace.took(1, Duration::from_millis(50));
        pace.took(1, QUICK);
        assert_eq!(Pace::on(&link).next(), 1, "a slow frame is remembered as well");
    }

    #[test]
    fn only_frames_that_follow_each_other_go_together() {
        assert_eq!(run::<u32>(&[], 4), None);
        assert_eq!(run(&[3_u32], 4), Some((3, 1)));
        assert_eq!(run(&[3_u32, 4, 5, 6, 7], 4), Some((3, 4)));
        assert_eq!(run(&[3_u32, 4, 6, 7], 4), Some((3, 2)));
        assert_eq!(run(&[3_u64, 4, 5], 1), Some((3, 1)));
    }
}
