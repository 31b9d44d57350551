//! Records as they lie together: one value of the vault holds what happened under consecutive serials.
//!
//! Called by blocks.rs, which changes them, and by register.rs, which reads. Pure. *Not here:* which serial is given next; the
//! index from references.
//!
//! Block `n` holds the serials from `n * 128 + 1` to `n * 128 + 128`; a serial's block is known without looking.
//! Form: for each serial that is still there, in their order: place in the block (1) ‖ tag (1) ‖ by tag
//!
//! | tag | | |
//! |---|---|---|
//! | 1 | a record | lengths of both parts (4, 4) ‖ what the agent sees ‖ the rest |
//! | 2 | the record of another serial was removed | that serial (8) |
//! | 3 | a record whose rest is long and lies under `cells/<serial>` | length (4) ‖ what the agent sees |
//!
//! At the end 0xff, and zeros up to [`LEAST`], so that few records look like a few more.

use super::RegisterError;
use super::wiped::Wiped;
use zeroize::Zeroizing;

/// Serials of a block. A compromise: an edit rewrites a block, and each block costs as much as some ten records.
pub(super) const SERIALS: u64 = 128;

/// Rests longer than this lie alone, so that a block stays small whatever a file holds.
pub(super) const LONG: usize = 4096;

/// The smallest block: some forty telephone numbers. It fills one of the sizes that the vault's rows have.
const LEAST: usize = 4060;

const RECORD: u8 = 1;
const REMOVED: u8 = 2;
const APART: u8 = 3;
const END: u8 = 0xff;
const DAMAGED: RegisterError = RegisterError::Damaged("a block of records");

/// What stands under a serial.
pub(super) enum Entry<'a> {
    /// A record: what the agent sees, and the rest if it is here.
    Record(&'a [u8], Option<&'a [u8]>),
    /// The record of that serial is no more.
    Removed(u64),
}

/// The block of a serial (which begin with 1).
pub(super) fn number(serial: u64) -> u64 {
    serial.saturating_sub(1) / SERIALS
}

/// Where a block stands.
pub(super) fn key(number: u64) -> String {
    format!("record/{number}")
}

/// Where the long rest of a record stands.
pub(super) fn rest_key(serial: u64) -> String {
    format!("cells/{serial}")
}

/// A block being written.
pub(super) struct Block {
    pub(super) number: u64,
    bytes: Wiped,
}

impl Block {
    pub(super) fn new(number: u64) -> Block {
        Block { number, bytes: Wiped::with_capacity(16 << 10) }
    }

    /// Goes on with a block that was finished before.
    pub(super) fn resume(number: u64, value: &[u8]) -> Result<Block, RegisterError> {
        let mut block = Block::new(number);
        for entry in entries(number, value) {
            let (serial, entry) = entry?;
            block.push(serial, &entry);
        }
        Ok(block)
    }

    /// Adds what stands under the next serial.
    pub(super) fn push(&mut self, serial: u64, entry: &Entry<'_>) {
        let place = (serial.saturating_sub(1) % SERIALS) as u8;
        let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
        let out = &mut self.bytes;
        match entry {
            Entry::Record(seen, Some(rest)) => {
                out.extend(&[place, RECORD]);
                out.extend(&length(seen));
                out.extend(&length(rest));
                out.extend(seen);
                out.extend(rest);
            }
            Entry::Record(seen, None) => {
                out.extend(&[place, APART]);
                out.extend(&length(seen));
                out.extend(seen);
            }
            Entry::Removed(serial) => {
                out.extend(&[place, REMOVED]);
                out.extend(&serial.to_be_bytes());
            }
        }
    }

    /// What it holds so far.
    pub(super) fn entries(&self) -> Entries<'_> {
        entries(self.number, &self.bytes)
    }

    /// The value to be kept; None if nothing stands in it any more.
    pub(super) fn finish(&self) -> Option<Zeroizing<Vec<u8>>> {
        if self.bytes.is_empty() {
            return None;
        }
        let mut out = Wiped::with_capacity((self.bytes.len() + 1).max(LEAST));
        out.extend(&self.bytes);
        out.extend(&[END]);
        out.fill(LEAST);
        Some(out.into_inner())
    }
}

/// What a block holds, in the order of serials.
pub(super) fn entries(number: u64, value: &[u8]) -> Entries<'_> {
    Entries { number, rest: value }
}

/// See [`entries`].
pub(super) struct Entries<'a> {
    number: u64,
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*length) as usize)
    }

    fn read(&mut self) -> Option<(u64, Entry<'a>)> {
        let head = self.take(2)?;
        if u64::from(head[0]) >= SERIALS {
            return None;
        }
        let serial = self.number * SERIALS + 1 + u64::from(head[0]);
        let entry = match head[1] {
            RECORD => {
                let (seen, rest) = (self.length()?, self.length()?);
                Entry::Record(self.take(seen)?, Some(self.take(rest)?))
            }
            APART => {
                let seen = self.length()?;
                Entry::Record(self.take(seen)?, None)
            }
            REMOVED => Entry::Removed(u64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            _ => return None,
        };
        Some((serial, entry))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<(u64, Entry<'a>), RegisterError>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.rest.first(), None | Some(&END)) {
            return None;
        }
        let read = self.read();
        if read.is_none() {
            self.rest = &[];
        }
        Some(read.ok_or(DAMAGED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &[u8]) -> Vec<(u64, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        entries(3, value)
            .map(|entry| {
                let (serial, entry) = entry.unwrap();
                (
                    serial,
                    match entry {
                        Entry::Record(seen, rest) => format!("{} {:?}", text(seen), rest.map(text)),
                        Entry::Removed(serial) => format!("-{serial}"),
                    },
                )
            })
            .collect()
    }

    #[test]
    fn what_is_written_is_read_and_goes_on() {
        let mut block = Block::new(3);
        assert!(block.finish().is_none());
        block.push(385, &Entry::Record(b"one", Some(b"cells")));
        block.push(387, &Entry::Removed(9));
        let value = block.finish().unwrap();
        assert_eq!(value.len(), LEAST);
        let mut block = Block::resume(3, &value).unwrap();
        block.push(512, &Entry::Record(b"long", None));
        let expected = [(385, "one Some(\"cells\")"), (387, "-9"), (512, "long None")];
        assert_eq!(all(&block.finish().unwrap()), expected.map(|(serial, text)| (serial, text.to_owned())));
        assert_eq!((number(1), number(128), number(129), number(512)), (0, 0, 1, 3));
    }

    #[test]
    fn what_is_not_a_block_is_damaged() {
        for bytes in [&[0][..], &[0, 1, 0, 0], &[0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 1], &[0, 7], &[200, 2], &[0, 2, 1]] {
            assert!(entries(0, bytes).any(|entry| entry.is_err()), "{bytes:?}");
        }
    }
}
