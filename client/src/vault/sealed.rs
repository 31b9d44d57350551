//! One row as it lies on the disk: index, namespace, sealed value, padded to a size that many rows share.
//!
//! Called by transaction.rs and vault.rs. *Not here:* SQL, and how many rows there are (padding.rs).
//!
//! Plain text of a value: one byte (1 real, 0 padding) ‖ length of the key (2) ‖ key ‖ length of the value (4) ‖ value ‖
//! zeros up to the bucket. The associated data names the table and both indices, so that a row moved to another place
//! does not open.

use super::VaultError;
use super::key::{NONCE, VaultKey};
use zeroize::Zeroizing;

/// The longest key.
pub(super) const MAX_KEY: usize = 512;
/// The largest value: 512 MiB.
pub(super) const MAX_VALUE: usize = 1 << 29;

const ROW: &[u8] = b"sutura/1 vault row";
const COLUMN_NAMESPACE: u8 = 1;
const COLUMN_KEY: u8 = 2;

/// The two indices of a row, in place of its names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) namespace: [u8; 16],
    pub(super) key: [u8; 16],
}

/// What a row held.
pub(super) enum Opened {
    Real { key: String, value: Zeroizing<Vec<u8>> },
    Padding,
}

/// Checks a key, and gives its namespace: all before the last `/`.
pub(super) fn namespace(key: &str) -> Result<&str, VaultError> {
    match key.rsplit_once('/') {
        Some((namespace, rest)) if !namespace.is_empty() && !rest.is_empty() => {
            if key.len() > MAX_KEY || key.contains('\0') { Err(VaultError::Key) } else { Ok(namespace) }
        }
        _ => Err(VaultError::Key),
    }
}

/// Where `key` lies.
pub(super) fn place(keys: &VaultKey, namespace: &str, key: &str) -> Place {
    Place { namespace: namespace_index(keys, namespace), key: keys.index(COLUMN_KEY, key) }
}

/// What stands in the namespace column.
pub(super) fn namespace_index(keys: &VaultKey, namespace: &str) -> [u8; 16] {
    keys.index(COLUMN_NAMESPACE, namespace)
}

/// Seals a value for its place; without a value, padding. `size` is [`bucket`] of its length, or larger.
pub(super) fn seal(
    keys: &VaultKey,
    place: &Place,
    key: &str,
    value: Option<&[u8]>,
    size: usize,
    nonce: &[u8],
) -> Result<Vec<u8>, VaultError> {
    let real = value.is_some();
    let value = value.unwrap_or_default();
    if value.len() > MAX_VALUE {
        return Err(VaultError::TooLarge);
    }
    // Room for all at once: the buffer holds plain text until it is sealed in place, and must not leave a copy behind.
    let length = size.max(overhead(key) + value.len());
    let mut out = Vec::with_capacity(NONCE + length + super::key::TAG);
    out.extend_from_slice(nonce);
    out.push(u8::from(real));
    out.extend_from_slice(&(key.len() as u16).to_be_bytes());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(value);
    out.resize(NONCE + length, 0);
    keys.seal(&context(place), &mut out)?;
    Ok(out)
}

/// Opens a row at its place. None: it was changed, or moved there from elsewhere.
pub(super) fn open(keys: &VaultKey, place: &Place, sealed: &[u8]) -> Option<Opened> {
    let mut text = keys.open(&context(place), sealed)?;
    let (&real, rest) = text.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    rest.get(..length)?;
    let key = std::str::from_utf8(key).ok()?.to_owned();
    if real == 0 {
        return Some(Opened::Padding);
    }
    // In place: the value may be large.
    let start = overhead(&key);
    text.copy_within(start..start + length, 0);
    text.truncate(length);
    Some(Opened::Real { key, value: text })
}

/// What a value of `length` bytes is padded to: steps of a half up to 64 KiB, then of an eighth.
pub(super) fn bucket(key: &str, length: usize) -> usize {
    let length = overhead(key) + length;
    let smallest = 128;
    if length <= smallest {
        return smallest;
    }
    let eighths = if length <= 65_536 { 2 } else { 8 };
    let below = (length - 1).ilog2();
    let step = (1_usize << below) / eighths;
    length.div_ceil(step) * step
}

fn overhead(key: &str) -> usize {
    1 + 2 + key.len() + 4
}

fn context(place: &Place) -> [u8; ROW.len() + 32] {
    let mut out = [0; ROW.len() + 32];
    out[..ROW.len()].copy_from_slice(ROW);
    out[ROW.len()..ROW.len() + 16].copy_from_slice(&place.namespace);
    out[ROW.len() + 16..].copy_from_slice(&place.key);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_few_and_large_enough() {
        for length in [0, 100, 121, 122, 200, 5000, 65_000, 70_000, 5_000_000] {
            let bucket = bucket("a/b", length);
            assert!(bucket >= length + overhead("a/b"));
            assert!(bucket <= 128 || bucket * 2 <= (length + overhead("a/b")) * 3, "{length} {bucket}");
        }
        let distinct: std::collections::BTreeSet<_> = (0..65_000).map(|length| bucket("a/b", length)).collect();
        assert!(distinct.len() < 24, "{}", distinct.len());
    }

    #[test]
    fn keys_have_a_namespace() {
        assert_eq!(namespace("record/1").ok(), Some("record"));
        assert_eq!(namespace("pair/SN/7").ok(), Some("pair/SN"));
        for bad in ["", "record", "/1", "record/", "a/\0b"] {
            assert!(namespace(bad).is_err(), "{bad:?}");
        }
    }
}
