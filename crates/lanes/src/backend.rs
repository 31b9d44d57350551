//! The arithmetic behind the operations: which there are, and what each must do for a chunk of points.

use std::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use crate::Why;
use crate::fixed_base::FixedBase;
use crate::plain::Plain;
use crate::point::Point;
#[cfg(target_arch = "x86_64")]
use crate::vector::ifma::Ifma;
use crate::vector::{batch::Vectors, fixed::Window, model::Model};

/// Secret scalars of a chunk: one for all points, or one for each.
#[derive(Clone, Copy)]
pub(crate) enum Secrets<'a> {
    /// The same for all.
    One(&'a Scalar),
    /// As many as there are points.
    Each(&'a [Scalar]),
}

/// Scalars that are wiped when dropped.
pub(crate) enum Halves {
    /// The same for all.
    One(Zeroizing<Scalar>),
    /// As many as there are points.
    Each(Zeroizing<Vec<Scalar>>),
}

impl Secrets<'_> {
    /// Each `secret / 2 mod l`: the encoding of a double undoes the halving.
    pub(crate) fn halved(self) -> Halves {
        match self {
            Secrets::One(secret) => Halves::One(Zeroizing::new(secret.div_by_2())),
            Secrets::Each(secrets) => {
                let mut halves = Zeroizing::new(Vec::with_capacity(secrets.len()));
                halves.extend(secrets.iter().map(Scalar::div_by_2));
                Halves::Each(halves)
            }
        }
    }

    /// The secret for a place of the chunk.
    pub(crate) fn at(&self, place: usize) -> &Scalar {
        match self {
            Secrets::One(secret) => secret,
            Secrets::Each(secrets) => &secrets[place],
        }
    }
}

impl Halves {
    /// To be multiplied by.
    pub(crate) fn as_secrets(&self) -> Secrets<'_> {
        match self {
            Halves::One(secret) => Secrets::One(secret),
            Halves::Each(secrets) => Secrets::Each(secrets),
        }
    }
}

/// Multiples of a public point, a secret scalar for each place of a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Multiples<'a> {
    /// The point B.
    pub(crate) base: &'a FixedBase,
    /// As many as there are points.
    pub(crate) scalars: &'a [Scalar],
}

/// What a backend does for one chunk. Inputs and outputs are equally long.
pub(crate) trait Arithmetic: Sync {
    /// Decodes, with a verdict for each: a refused place's point is the identity.
    fn decode(&self, encoded: &[[u8; 32]], points: &mut [Point], refused: &mut [Option<Why>]);
    /// `secret * P`.
    fn multiply(&self, points: &[Point], secrets: Secrets, products: &mut [Point]);
    /// Canonical encodings.
    fn encode(&self, points: &[Point], encoded: &mut [[u8; 32]]);
    /// Canonical encodings of `secret * P`.
    fn encode_multiplied(&self, points: &[Point], secrets: Secrets, encoded: &mut [[u8; 32]]);
    /// The multiples of a public point that [`FixedBase`] keeps; none where the backend has another form of them.
    fn windows(&self, base: &RistrettoPoint) -> Box<[Window]>;
    /// Canonical encodings of `secret * P + scalar * B`.
    fn encode_multiplied_plus(&self, points: &[Point], secret: &Scalar, plus: Multiples, encoded: &mut [[u8; 32]]);
    /// Canonical encodings of `2 * (P - scalar * B)`.
    fn encode_doubled_less(&self, points: &[Point], less: Multiples, encoded: &mut [[u8; 32]]);
    /// The one-way map.
    fn map(&self, uniform: &[[u8; 64]], points: &mut [Point]);
    /// The sum of `weight * P`, in variable time.
    fn sum_weighted_vartime(&self, points: &[Point], weights: &[u128]) -> RistrettoPoint;
}

/// One way of computing. There is a value of this type only for what this processor can do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Backend(Kind);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dalek,
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma(Ifma),
    Model,
}

impl Backend {
    /// curve25519-dalek with this package's batch forms: on every machine.
    pub const fn dalek() -> Self {
        Backend(Kind::Dalek)
    }

    /// Eight points side by side in AVX-512 registers, if this processor has AVX-512 F, DQ, VL and IFMA.
    pub fn avx512ifma() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return Ifma::detect().map(|detected| Backend(Kind::Avx512Ifma(detected)));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// The formulas of `avx512ifma` in plain Rust: on every machine, slow, with every bound asserted where debug
    /// assertions are on. For tests; never chosen.
    pub const fn model() -> Self {
        Backend(Kind::Model)
    }

    /// Whatever computes in limbs here, to convert what a machine of lanes made.
    pub(crate) fn of_lanes() -> Self {
        Self::avx512ifma().unwrap_or(Self::model())
    }

    /// What may be chosen on this processor, the fastest first. `dalek` is always there, and last.
    pub fn available() -> Vec<Self> {
        Self::avx512ifma().into_iter().chain([Self::dalek()]).collect()
    }

    /// The one that the operations of this package use: see [`crate::Choice`].
    pub fn chosen() -> Self {
        crate::choice::choice().backend
    }

    /// `dalek` or `avx512ifma` (or `model`).
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Dalek => "dalek",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Ifma(_) => "avx512ifma",
            Kind::Model => "model",
        }
    }

    /// Its arithmetic.
    pub(crate) fn arithmetic(self) -> &'static dyn Arithmetic {
        match self.0 {
            Kind::Dalek => &Plain,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Ifma(detected) => detected.arithmetic(),
            Kind::Model => &Vectors(Model),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
