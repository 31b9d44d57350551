//! A list that grows block by block and never moves what it holds.
//!
//! For what there is one of for each token or overlap, by the million: a vector that doubles needs three times the room
//! while it moves, and leaves copies of secrets behind. Callers: [`super::holdings`], [`super::leaves`],
//! [`super::overlaps`]. *Not* a general container: rows are added at the end, and none is taken out.

/// Rows of one block.
const BLOCK: usize = 4096;

/// The list. A row is known by its place, which stays.
pub(super) struct Rows<T> {
    blocks: Vec<Vec<T>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Rows { blocks: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    /// Adds a row; its place.
    pub fn push(&mut self, row: T) -> u32 {
        let place = self.len();
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => last.push(row),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(row);
                self.blocks.push(block);
            }
        }
        // 2^32 rows of 16 bytes and more do not fit in the memory of any machine this runs on.
        place as u32
    }

    /// All rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flatten()
    }
}

impl<T> std::ops::Index<u32> for Rows<T> {
    type Output = T;

    fn index(&self, place: u32) -> &T {
        &self.blocks[place as usize / BLOCK][place as usize % BLOCK]
    }
}

impl<T> std::ops::IndexMut<u32> for Rows<T> {
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.blocks[place as usize / BLOCK][place as usize % BLOCK]
    }
}

/// A tick in the four bytes of a row: no calendar has 2^32 of them.
pub(super) fn tick_of(tick: u64) -> u32 {
    u32::try_from(tick).unwrap_or(u32::MAX)
}

/// Hashes numbers that nobody chooses (beginnings of hashes, random numbers, places) by one multiplication: for tables with
/// an entry for each token or record. Not for what a peer may choose.
#[derive(Default)]
pub(super) struct Spread(u64);

/// Builds [`Spread`].
pub(super) type Spreading = std::hash::BuildHasherDefault<Spread>;

impl std::hash::Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        // The golden ratio's 64 bits, as in Fibonacci hashing (Knuth, volume 3, 6.4); the table takes both ends.
        let mixed = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_where_they_are() {
        let mut rows = Rows::default();
        let first = rows.push(0_usize);
        let address = std::ptr::from_ref(&rows[first]);
        for n in 1..3 * BLOCK + 1 {
            assert_eq!(rows.push(n) as usize, n);
        }
        assert_eq!(std::ptr::from_ref(&rows[first]), address);
        assert_eq!(rows.len(), 3 * BLOCK + 1);
        assert!(rows.iter().copied().eq(0..rows.len()));
        rows[5000] = 7;
        assert_eq!(rows[5000], 7);
    }
}
