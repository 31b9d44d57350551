//! How a batch is cut: chunk lengths, and when more than one core is worth waking.

use rayon::prelude::*;

/// At most this many points run where they are: waking a core takes about as long as they do.
const SEQUENTIAL: usize = 32;

/// The longest chunk: what one core holds at a time. Past 256 points a shared inversion costs each of them next to
/// nothing, and the scratch space (some 700 bytes a point) stays within a core's own cache.
const LONGEST: usize = 256;

/// A whole number of vectors, of as many as take their square roots side by side.
const STEP: usize = 32;

/// The longest part of a sum. The fixed work of a part is that of some 400 points.
const LONGEST_SUM: usize = 1 << 15;

/// The length of a chunk for `points` points: equal shares that leave no core idle at the end.
fn length(points: usize) -> usize {
    if points <= SEQUENTIAL {
        return points.max(1);
    }
    points.div_ceil(4 * rayon::current_num_threads()).next_multiple_of(STEP).clamp(STEP, LONGEST)
}

/// The length of a part of a sum over `points` points.
pub(crate) fn sum_length(points: usize) -> usize {
    points.div_ceil(rayon::current_num_threads()).clamp(512, LONGEST_SUM)
}

/// Fills an array with `fill(start, part)`, where `part` begins at index `start` of it.
pub(crate) fn fill<T: Send>(filled: &mut [T], fill: impl Fn(usize, &mut [T]) + Sync + Send) {
    let chunk = length(filled.len());
    if filled.len() <= SEQUENTIAL {
        fill(0, filled);
    } else {
        filled.par_chunks_mut(chunk).enumerate().for_each(|(place, part)| fill(place * chunk, part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_at_every_length() {
        for points in (0..200).chain([1000, 4096, 4097]) {
            let mut filled = vec![0; points];
            fill(&mut filled, |start, part| {
                for (offset, place) in part.iter_mut().enumerate() {
                    *place = start + offset;
                }
            });
            assert_eq!(filled, (0..points).collect::<Vec<_>>());
        }
    }

    #[test]
    fn chunks_are_bounded() {
        for points in [0, 1, 31, 32, 33, 1 << 10, 1 << 20] {
            assert!((1..=LONGEST).contains(&length(points)), "{points}");
            assert!((512..=LONGEST_SUM).contains(&sum_length(points)), "{points}");
        }
    }
}
