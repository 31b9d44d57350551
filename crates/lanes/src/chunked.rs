//! How a batch is cut: chunk lengths, and when more than one core is worth waking.

use rayon::prelude::*;

/// Below this many points a batch runs where it is: a multiplication takes some 20 µs, waking a core about as long.
pub(crate) const SEQUENTIAL: usize = 32;

/// The longest chunk: what one core holds at a time. Past 128 points a shared inversion costs each of them
/// next to nothing, and the scratch space (some 400 bytes a point) stays within a core's own cache.
const LONGEST: usize = 256;

/// The length of a chunk for `points` points: equal shares that leave no core idle at the end.
pub(crate) fn length(points: usize) -> usize {
    if points <= SEQUENTIAL {
        return points.max(1);
    }
    points.div_ceil(4 * rayon::current_num_threads()).clamp(16, LONGEST)
}

/// Fills an array with `fill(start, part)`, where `part` begins at index `start` of the result. Order is kept.
pub(crate) fn fill<T, F>(points: usize, empty: T, fill: F) -> Vec<T>
where
    T: Clone + Send,
    F: Fn(usize, &mut [T]) + Sync + Send,
{
    let mut filled = vec![empty; points];
    let chunk = length(points);
    if points <= SEQUENTIAL {
        fill(0, &mut filled);
    } else {
        filled.par_chunks_mut(chunk).enumerate().for_each(|(place, part)| fill(place * chunk, part));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_at_every_length() {
        for points in (0..200).chain([1000, 4096, 4097]) {
            let filled = fill(points, 0, |start, part| {
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
        }
    }
}
