//! How many rows a namespace shows: always a bucket, never the count.
//!
//! Called by transaction.rs. *Not here:* the sizes of rows (sealed.rs).
//!
//! A namespace with `n` values has `shown(n)` rows; the difference is padding, sealed like the rest and found again by its
//! number. The true count lies sealed in the namespace's folder, so that a row that was taken away is noticed.
//!
//! The index of the register asks [`shown`] for its own number of buckets, so that it needs no padding rows.

/// Rows that a namespace of `count` values shows: at least 16, then a multiple of an eighth of the power of two below.
pub(crate) fn shown(count: u64) -> u64 {
    match count {
        0 => 0,
        1..=16 => 16,
        _ => {
            let step = ((1_u64 << (count - 1).ilog2()) / 8).max(16);
            count.div_ceil(step) * step
        }
    }
}

/// Padding rows of a namespace of `count` values.
pub(super) fn rows(count: u64) -> u64 {
    shown(count) - count
}

/// The name of the padding row with that number. No real key has a zero byte.
pub(super) fn name(namespace: &str, number: u64) -> String {
    format!("{namespace}/\0{number}")
}

/// Padding rows are never larger than this, lest they take more room than what they hide.
pub(super) const LARGEST: usize = 1024;

/// The same, in a namespace whose number of rows is hidden although they are large.
pub(super) const LARGEST_FULL: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_the_count_and_grow_slowly() {
        let mut last = 0;
        for count in 0..20_000 {
            let rows = shown(count);
            assert!(rows >= count && rows >= last);
            assert!(count <= 128 || rows <= count + count / 8 + 1, "{count} {rows}");
            last = rows;
        }
        assert_eq!(shown(100_000), 106_496);
    }
}
