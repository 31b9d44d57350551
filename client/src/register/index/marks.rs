//! The marks of 64 buckets in one row: who has them need not read a bucket to know that a reference is not in it.
//!
//! Called by the index, for its main level. *Not here:* what a mark is (bucket.rs).
//!
//! Form: for each bucket: count (2) ‖ marks (2 each); at the end, zeros.

use super::{DAMAGED, level};
use crate::register::RegisterError;
use std::ops::Range;
use zeroize::Zeroizing;

/// Buckets whose marks lie together.
const TOGETHER: u64 = 64;

/// Where the marks of a group stand.
pub(super) fn key(group: u64) -> String {
    format!("reference/marks/{group}")
}

/// The group of a bucket.
pub(super) fn group(address: u64) -> u64 {
    address / TOGETHER
}

/// How many groups there are of so many buckets.
pub(super) fn groups(buckets: u64) -> u64 {
    buckets.div_ceil(TOGETHER)
}

/// The buckets of a group, when there are so many in all.
pub(super) fn members(group: u64, buckets: u64) -> Range<usize> {
    (group * TOGETHER) as usize..((group + 1) * TOGETHER).min(buckets) as usize
}

/// What is written of a group. Its size depends on the number of buckets only, but for what chance hardly ever brings.
pub(super) fn encode<'a>(
    group: u64,
    buckets: u64,
    target: u64,
    marks: impl Iterator<Item = Option<&'a [u16]>>,
) -> Result<Zeroizing<Vec<u8>>, RegisterError> {
    let members = members(group, buckets);
    let average: u64 = members.clone().map(|at| level::average(at as u64, buckets, target)).sum();
    let length = 2 * (members.len() + level::room(average));
    let mut out = Zeroizing::new(Vec::with_capacity(length));
    for marks in marks {
        let marks = marks.ok_or(DAMAGED)?;
        out.extend_from_slice(&u16::try_from(marks.len()).map_err(|_| DAMAGED)?.to_be_bytes());
        marks.iter().for_each(|mark| out.extend_from_slice(&mark.to_be_bytes()));
    }
    let length = length.max(out.len());
    out.resize(length, 0);
    Ok(out)
}

/// The marks of so many buckets.
pub(super) fn decode(value: &[u8], members: usize) -> Result<Vec<Vec<u16>>, RegisterError> {
    let mut rest = value;
    let mut one = || {
        let (count, after) = rest.split_first_chunk::<2>()?;
        let (marks, after) = after.split_at_checked(2 * usize::from(u16::from_be_bytes(*count)))?;
        rest = after;
        Some(marks.chunks_exact(2).map(|mark| u16::from_be_bytes([mark[0], mark[1]])).collect())
    };
    (0..members).map(|_| one().ok_or(DAMAGED)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let marks: Vec<Vec<u16>> = (0..36).map(|at| (0..at).map(|mark| mark * 1000).collect()).collect();
        let written = encode(1, 100, 42, marks.iter().map(|marks| Some(marks.as_slice()))).unwrap();
        assert_eq!(written.len(), encode(1, 100, 42, marks.iter().map(|_| Some(&[][..]))).unwrap().len());
        assert_eq!(decode(&written, 36).unwrap(), marks);
        assert!(decode(&written[..200], 36).is_err());
        assert!(encode(1, 100, 42, marks.iter().map(|_| None)).is_err());
    }
}
