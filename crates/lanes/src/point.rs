//! The point type of this package: an element of ristretto255, in whatever form the arithmetic wants it.

use curve25519_dalek::ristretto::RistrettoPoint;
use zeroize::Zeroize;

/// One element of the group ristretto255 (RFC 9496), ready for arithmetic.
///
/// Made by [`crate::decode`], [`crate::from_uniform`] or from a [`RistrettoPoint`]. Unlike what `decode` returns, a
/// point that was converted from a `RistrettoPoint` may be the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(pub(crate) RistrettoPoint);

impl From<RistrettoPoint> for Point {
    fn from(point: RistrettoPoint) -> Self {
        Point(point)
    }
}

impl From<Point> for RistrettoPoint {
    fn from(point: Point) -> Self {
        point.0
    }
}

impl Zeroize for Point {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
