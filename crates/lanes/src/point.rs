//! The point type of this package: an element of ristretto255, in whatever form the arithmetic wants it.

use std::fmt;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::traits::Identity;
use zeroize::Zeroize;

use crate::backend::Backend;
use crate::vector::edwards::Coordinates;

/// One element of the group ristretto255 (RFC 9496), ready for arithmetic.
///
/// Made by [`crate::decode`], [`crate::from_uniform`] or from a [`RistrettoPoint`]. Unlike what `decode` returns, a
/// point that was converted from a `RistrettoPoint` may be the identity.
///
/// Each backend has a form of its own, and the operations of a backend return points in it. Any operation takes any
/// point; one of another form is first encoded and decoded, which costs some 8 µs. Conversions from and to
/// [`RistrettoPoint`] can cost as much, so they are for single points, not for batches.
#[derive(Clone, Copy)]
pub struct Point(pub(crate) Form);

/// How a point is held.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// By curve25519-dalek.
    Dalek(RistrettoPoint),
    /// In limbs.
    Lanes(Coordinates),
}

impl Point {
    /// The neutral element.
    pub(crate) fn identity() -> Self {
        Point(Form::Dalek(RistrettoPoint::identity()))
    }

    /// Whether it is held by dalek.
    pub(crate) fn is_dalek(&self) -> bool {
        matches!(self.0, Form::Dalek(_))
    }

    /// dalek's form of it.
    pub(crate) fn to_dalek(self) -> RistrettoPoint {
        self.with_dalek(|point| *point)
    }

    /// Something of dalek's form of it, which is not copied if it is there.
    #[inline]
    pub(crate) fn with_dalek<T>(&self, of: impl FnOnce(&RistrettoPoint) -> T) -> T {
        match &self.0 {
            Form::Dalek(point) => of(point),
            Form::Lanes(_) => of(&self.through_encoding()),
        }
    }

    /// dalek's form of a point in limbs.
    fn through_encoding(&self) -> RistrettoPoint {
        let mut encoded = [[0; 32]];
        Backend::of_lanes().arithmetic().encode(&[*self], &mut encoded);
        // the encoding of an element always decodes
        CompressedRistretto(encoded[0]).decompress().unwrap_or_default()
    }
}

impl PartialEq for Point {
    /// Whether both are the same element, in constant time for points of the same form.
    fn eq(&self, other: &Self) -> bool {
        self.to_dalek() == other.to_dalek()
    }
}

impl Eq for Point {}

impl fmt::Debug for Point {
    /// The encoding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Point").field(&self.to_dalek().compress()).finish()
    }
}

impl From<RistrettoPoint> for Point {
    fn from(point: RistrettoPoint) -> Self {
        Point(Form::Dalek(point))
    }
}

impl From<Point> for RistrettoPoint {
    fn from(point: Point) -> Self {
        point.to_dalek()
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        match &mut self.0 {
            Form::Dalek(point) => point.zeroize(),
            Form::Lanes(coordinates) => coordinates.zeroize(),
        }
    }
}
