//! Plain encoding of points that are already there.

use crate::{Point, chunked};

/// The canonical encodings (RFC 9496, section 4.3.2), in order.
pub fn encode(points: &[Point]) -> Vec<[u8; 32]> {
    chunked::fill(points.len(), [0; 32], |start, part| {
        for (point, place) in points[start..].iter().zip(part) {
            *place = point.0.compress().to_bytes();
        }
    })
}
