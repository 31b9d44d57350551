//! Numbers from a seed: the same on every machine. Not for secrets.

/// How much more often the first of a list are drawn.
#[derive(Clone, Copy)]
pub enum Spread {
    /// About as names are.
    Usual,
    /// The first one in five or six times, as the commonest names of one town.
    Steep,
    /// All alike.
    Even,
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to, without, `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// True in so many of a thousand cases.
    pub fn happens(&mut self, of_thousand: usize) -> bool {
        self.below(1000) < of_thousand
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// One of `n`, the first ones more often.
    pub fn ranked(&mut self, n: usize, spread: Spread) -> usize {
        let weights = (0..n).map(|rank| match spread {
            Spread::Usual => 10_000 / (rank as u64 + 8),
            Spread::Steep => 100_000 / (rank as u64 + 1),
            Spread::Even => 1,
        });
        let mut left = self.next() % weights.clone().sum::<u64>().max(1);
        for (rank, weight) in weights.enumerate() {
            if left < weight {
                return rank;
            }
            left -= weight;
        }
        0
    }

    /// So many digits.
    pub fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    /// The numbers from 0 to `n` in another order.
    pub fn shuffled(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for place in (1..n).rev() {
            order.swap(place, self.below(place + 1));
        }
        order
    }
}
