//! A public point whose multiples are kept, so that many secret scalars are multiplied by it at a seventh of the
//! cost (two fifths in the backend `dalek`).
//!
//! Made by whoever blinds and unblinds (`protocol::psi`); used by [`crate::Run::encode_multiplied_plus`] and
//! [`crate::Run::encode_doubled_less`]. *Not here:* the arithmetic. Nothing in it is secret.

use std::fmt;
use std::sync::OnceLock;

use curve25519_dalek::ristretto::{RistrettoBasepointTable, RistrettoPoint};

use crate::backend::Arithmetic;
use crate::vector::fixed::Window;

/// A public point, and its multiples in the form of each backend that asked for them: some 100 KB, made in about a
/// millisecond at the first use.
pub struct FixedBase {
    base: RistrettoPoint,
    table: OnceLock<Box<RistrettoBasepointTable>>,
    windows: OnceLock<Box<[Window]>>,
}

impl FixedBase {
    /// For this point, which is public: time and memory show it.
    pub const fn new(base: RistrettoPoint) -> Self {
        FixedBase { base, table: OnceLock::new(), windows: OnceLock::new() }
    }

    /// The point.
    pub fn point(&self) -> &RistrettoPoint {
        &self.base
    }

    /// dalek's form of the multiples.
    pub(crate) fn table(&self) -> &RistrettoBasepointTable {
        self.table.get_or_init(|| Box::new(RistrettoBasepointTable::create(&self.base)))
    }

    /// The form of machines of lanes: the same numbers, whichever machine made them.
    pub(crate) fn windows(&self, arithmetic: &dyn Arithmetic) -> &[Window] {
        self.windows.get_or_init(|| arithmetic.windows(&self.base))
    }
}

impl fmt::Debug for FixedBase {
    /// The point's encoding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FixedBase").field(&self.base.compress()).finish()
    }
}
