//! Eight points side by side: the arithmetic of this package's own, over any machine of eight 64-bit lanes.
//!
//! Read in this order:
//!
//! * [`machine`]: what a machine of eight lanes must do. Three do it: [`ifma`] (AVX-512 registers, the only unsafe
//!   code of the package), [`model`] (plain Rust, which asserts that nothing wraps), and, in tests, `interval`
//!   (which knows of each limb only between which bounds it lies, and so proves the bounds over these very formulas).
//! * [`field`]: integers modulo p = 2^255 - 19, in three classes of limbs; [`power`]: the two long exponentiations.
//! * [`edwards`]: points and their sums; [`digits`]: scalars cut for the multiplication; [`multiply`];
//!   [`fixed`]: multiples of one public point.
//! * [`decode`], [`encode`], [`map`]: ristretto255 on top (RFC 9496); [`sum`]: public weighted sums.
//! * [`batch`]: chunks of points of any number through the vectors of eight.
//!
//! What it is not: it schedules nothing, and its results are the caller's to order. It reads no input that was not
//! cut into chunks before.

pub(crate) mod batch;
pub(crate) mod decode;
pub(crate) mod digits;
#[cfg(test)]
mod disassembly;
pub(crate) mod edwards;
pub(crate) mod encode;
#[cfg(test)]
mod equality;
#[cfg(test)]
mod faults;
pub(crate) mod field;
pub(crate) mod fixed;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the only place: one instruction each, and one boundary (see the module)
pub(crate) mod ifma;
#[cfg(test)]
mod interval;
pub(crate) mod machine;
pub(crate) mod map;
pub(crate) mod model;
pub(crate) mod multiply;
#[cfg(test)]
mod planted;
pub(crate) mod power;
pub(crate) mod sum;
#[cfg(test)]
mod timing;
