//! Decoding with a verdict: bytes that a peer sent become points, or the first bad place is named.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::traits::Identity;
use rayon::prelude::*;
use thiserror::Error;

use crate::{Point, chunked};

/// Why an encoding is no acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not the canonical encoding of any element (RFC 9496, section 4.3.1).
    NotCanonical,
    /// The canonical encoding of the identity (32 zero bytes): a group element, but none that a peer may send.
    Identity,
}

/// The first encoding of a batch that is no acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("encoding {index} is {}", match .why { Why::NotCanonical => "not canonical", Why::Identity => "the identity" })]
pub struct Invalid {
    /// Its place in the batch, from 0: always the lowest bad one.
    pub index: usize,
    /// What is wrong with it.
    pub why: Why,
}

/// Decodes encodings of ristretto255 (RFC 9496, section 4.3.1), and refuses the identity.
///
/// The result has one point for each encoding, in order. The time depends on whether encodings are valid, and on
/// nothing else of them.
///
/// # Errors
/// The lowest index whose encoding is not canonical or is the identity, with the reason; the same on any number of
/// cores.
pub fn decode(encoded: &[[u8; 32]]) -> Result<Vec<Point>, Invalid> {
    let mut points = vec![Point(RistrettoPoint::identity()); encoded.len()];
    if encoded.len() <= chunked::SEQUENTIAL {
        decode_part(0, encoded, &mut points).map_or(Ok(points), Err)
    } else {
        let chunk = chunked::length(encoded.len());
        let parts = encoded.par_chunks(chunk).zip(points.par_chunks_mut(chunk)).enumerate();
        let bad = parts.find_map_first(|(place, (from, to))| decode_part(place * chunk, from, to));
        bad.map_or(Ok(points), Err)
    }
}

/// Decodes one chunk that begins at `start`; the first bad encoding, if there is one.
fn decode_part(start: usize, encoded: &[[u8; 32]], points: &mut [Point]) -> Option<Invalid> {
    encoded.iter().zip(points).enumerate().find_map(|(offset, (from, to))| {
        let why = match CompressedRistretto(*from).decompress() {
            Some(_) if *from == [0; 32] => Why::Identity,
            Some(point) => {
                to.0 = point;
                return None;
            }
            None => Why::NotCanonical,
        };
        Some(Invalid { index: start + offset, why })
    })
}
