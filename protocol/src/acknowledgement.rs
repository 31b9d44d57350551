//! Acknowledgements: what each side says of the matches of a cut, sealed to the peer, in fixed slots (R18).
//!
//! One ciphertext for each acknowledgement, under a key of the pair secret and with a random nonce; the number of slots
//! depends on the number of matches alone (which the broker knows), never on what they say. Canaries take a slot like
//! any match. Callers: agents. *Not here:* how confirmed matches become overlaps ([`crate::overlap`] and the client).

use crate::codec::{Bytes, Hash};
use crate::name::UnitName;
use crate::overlap::RecordNumber;
use crate::psi::PairSecret;
use crate::tagset::{TAG_LEN, Tag};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Most records of one unit that a slot names: a commoner token is not sent at all.
pub const MAX_RECORDS: usize = 8;
/// Length of a slot, in bytes: tag, verdict and count, eight numbers.
pub const SLOT_LEN: usize = TAG_LEN + 4 + 4 * MAX_RECORDS;
const NONCE_LEN: usize = 24;
const CODE_LEN: usize = 16;

/// What a slot says of a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The peer's leaf verified. Without numbers: confirmed, and withheld until officers release the record.
    Confirmed,
    /// The peer's leaf did not verify.
    Disputed,
    /// More numbers for a match of an earlier cut.
    Change,
}

/// One slot: a match and the records (numbers of this pair) that hold its token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Which match.
    pub tag: Tag,
    /// What is said of it.
    pub verdict: Verdict,
    /// At most [`MAX_RECORDS`].
    pub records: Vec<RecordNumber>,
}

/// Why an acknowledgement cannot be read or made.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum AcknowledgementError {
    /// Not sealed under this pair secret, by this sender, for this cut; or changed on the way.
    #[error("the acknowledgement does not open")]
    DoesNotOpen,
    /// A slot that is none.
    #[error("the acknowledgement is malformed")]
    Malformed,
    /// More slots than room.
    #[error("the acknowledgement has no room for its slots")]
    TooMany,
}

impl AcknowledgementError {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            AcknowledgementError::DoesNotOpen => "acknowledgement-does-not-open",
            AcknowledgementError::Malformed => "acknowledgement-malformed",
            AcknowledgementError::TooMany => "acknowledgement-too-many",
        }
    }
}

/// Number of slots for a cut with `matches`: its matches padded to a multiple of `unit`, and one `unit` more for changes.
pub fn slot_count(matches: usize, unit: usize) -> usize {
    let unit = unit.max(1);
    matches.div_ceil(unit).saturating_add(1).saturating_mul(unit)
}

/// Length of the rows of an acknowledgement of `slots` slots.
pub fn sealed_len(slots: usize) -> usize {
    NONCE_LEN + slots * SLOT_LEN + CODE_LEN
}

/// What an acknowledgement is bound to.
pub struct Context<'a> {
    /// Who acknowledges.
    pub sender: &'a UnitName,
    /// The epoch.
    pub epoch: u32,
    /// The digest of the cut.
    pub digest: &'a Hash,
}

impl Context<'_> {
    fn cipher(secret: &PairSecret) -> XChaCha20Poly1305 {
        let key = secret.acknowledgement_key();
        XChaCha20Poly1305::new(&Key::from(*key.expose_secret()))
    }

    fn additional(&self) -> Vec<u8> {
        [self.epoch.to_be_bytes().as_slice(), &self.digest.0, self.sender.as_str().as_bytes()].concat()
    }
}

/// Slots in the making: a first acknowledgement has one for each match, so they stand here once, and are sealed in place.
pub struct SlotWriter {
    /// Room for the nonce, then the slots.
    bytes: Zeroizing<Vec<u8>>,
}

impl SlotWriter {
    /// None yet, with room for `count` slots.
    pub fn new(count: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(sealed_len(count)));
        bytes.resize(NONCE_LEN, 0);
        SlotWriter { bytes }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        (self.bytes.len() - NONCE_LEN) / SLOT_LEN
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a slot.
    ///
    /// # Errors
    /// [`AcknowledgementError::TooMany`] records.
    pub fn push(&mut self, tag: &Tag, verdict: Verdict, records: &[RecordNumber]) -> Result<(), AcknowledgementError> {
        if records.len() > MAX_RECORDS {
            return Err(AcknowledgementError::TooMany);
        }
        let mut slot = [0; SLOT_LEN];
        slot[..TAG_LEN].copy_from_slice(&tag.0);
        slot[TAG_LEN] = match verdict {
            Verdict::Confirmed => 1,
            Verdict::Disputed => 2,
            Verdict::Change => 3,
        };
        slot[TAG_LEN + 1] = records.len() as u8;
        for (place, number) in slot[TAG_LEN + 4..].as_chunks_mut::<4>().0.iter_mut().zip(records) {
            *place = number.0.to_be_bytes();
        }
        self.bytes.extend_from_slice(&slot);
        Ok(())
    }

    /// Seals the slots, padded to `count`, into the rows of an acknowledgement.
    ///
    /// # Errors
    /// [`AcknowledgementError::TooMany`] slots for that.
    pub fn seal(
        mut self,
        secret: &PairSecret,
        context: &Context<'_>,
        count: usize,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, AcknowledgementError> {
        if self.len() > count {
            return Err(AcknowledgementError::TooMany);
        }
        self.bytes.resize(NONCE_LEN + count * SLOT_LEN, 0);
        let (nonce, slots) = self.bytes.split_at_mut(NONCE_LEN);
        rng.fill_bytes(nonce);
        let nonce = XNonce::try_from(&*nonce).map_err(|_| AcknowledgementError::Malformed)?;
        let code = Context::cipher(secret)
            .encrypt_inout_detached(&nonce, &context.additional(), slots.into())
            .map_err(|_| AcknowledgementError::TooMany)?;
        self.bytes.extend_from_slice(&code);
        // Nothing of it is plain any more.
        Ok(std::mem::take(&mut *self.bytes))
    }
}

/// The slots of an acknowledgement that opened, padding left out.
pub struct SlotReader {
    plain: Zeroizing<Vec<u8>>,
}

impl SlotReader {
    /// Opens what [`SlotWriter::seal`] sealed, in place, and looks at every slot.
    ///
    /// # Errors
    /// [`AcknowledgementError::DoesNotOpen`] or `Malformed`.
    pub fn open(secret: &PairSecret, context: &Context<'_>, rows: Vec<u8>) -> Result<Self, AcknowledgementError> {
        const DOES_NOT_OPEN: AcknowledgementError = AcknowledgementError::DoesNotOpen;
        let mut plain = Zeroizing::new(rows);
        let (nonce, sealed) = plain.split_first_chunk_mut::<NONCE_LEN>().ok_or(DOES_NOT_OPEN)?;
        let (sealed, code) = sealed.split_last_chunk_mut::<CODE_LEN>().ok_or(DOES_NOT_OPEN)?;
        Context::cipher(secret)
            .decrypt_inout_detached(&XNonce::from(*nonce), &context.additional(), sealed.into(), &(*code).into())
            .map_err(|_| DOES_NOT_OPEN)?;
        let (slots, rest) = opened(&plain).as_chunks::<SLOT_LEN>();
        if !rest.is_empty() {
            return Err(AcknowledgementError::Malformed);
        }
        slots.iter().try_for_each(|slot| read_slot(slot).map(drop))?;
        Ok(SlotReader { plain })
    }

    /// The slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        opened(&self.plain).as_chunks::<SLOT_LEN>().0.iter().filter_map(|slot| read_slot(slot).ok().flatten())
    }
}

/// Seals `slots`, padded to `count`, into the rows of an acknowledgement.
///
/// # Errors
/// [`AcknowledgementError::TooMany`] slots, or records of one.
pub fn seal(
    secret: &PairSecret,
    context: &Context<'_>,
    slots: &[Slot],
    count: usize,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, AcknowledgementError> {
    let mut writer = SlotWriter::new(count);
    for Slot { tag, verdict, records } in slots {
        writer.push(tag, *verdict, records)?;
    }
    writer.seal(secret, context, count, rng)
}

/// Opens what [`seal`] sealed; padding slots are left out.
///
/// # Errors
/// As [`SlotReader::open`].
pub fn open(secret: &PairSecret, context: &Context<'_>, rows: &[u8]) -> Result<Vec<Slot>, AcknowledgementError> {
    Ok(SlotReader::open(secret, context, rows.to_vec())?.slots().collect())
}

/// What stands between the nonce and the code.
fn opened(rows: &[u8]) -> &[u8] {
    let end = rows.len().saturating_sub(CODE_LEN).max(NONCE_LEN.min(rows.len()));
    &rows[NONCE_LEN.min(rows.len())..end]
}

fn read_slot(bytes: &[u8; SLOT_LEN]) -> Result<Option<Slot>, AcknowledgementError> {
    let (tag, rest) = bytes.split_at(TAG_LEN);
    let (verdict, count) = (rest[0], usize::from(rest[1]));
    let verdict = match verdict {
        0 if bytes.iter().all(|b| *b == 0) => return Ok(None),
        1 => Verdict::Confirmed,
        2 => Verdict::Disputed,
        3 => Verdict::Change,
        _ => return Err(AcknowledgementError::Malformed),
    };
    if count > MAX_RECORDS || rest[2..4] != [0, 0] {
        return Err(AcknowledgementError::Malformed);
    }
    let (numbers, _) = rest[4..].as_chunks::<4>();
    let (used, unused) = numbers.split_at(count);
    if unused.iter().any(|n| *n != [0; 4]) {
        return Err(AcknowledgementError::Malformed);
    }
    let records = used.iter().map(|n| RecordNumber(u32::from_be_bytes(*n))).collect();
    let tag = Bytes::from_slice(tag).ok_or(AcknowledgementError::Malformed)?;
    Ok(Some(Slot { tag, verdict, records }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn it_opens_for_its_own_cut_and_sender_and_its_size_tells_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let secret = PairSecret::from_secret(&[7; 64]);
        let (sn, gm): (UnitName, UnitName) = ("SN".parse().unwrap(), "GM".parse().unwrap());
        let digest = Bytes([1; 32]);
        let context = Context { sender: &sn, epoch: 1, digest: &digest };
        let slots = vec![
            Slot { tag: Bytes([1; 16]), verdict: Verdict::Confirmed, records: vec![RecordNumber(5), RecordNumber(6)] },
            Slot { tag: Bytes([2; 16]), verdict: Verdict::Change, records: vec![] },
        ];
        let count = slot_count(1, 16);
        let rows = seal(&secret, &context, &slots, count, &mut rng).unwrap();
        assert_eq!(rows.len(), sealed_len(32));
        assert_eq!(seal(&secret, &context, &[], count, &mut rng).unwrap().len(), rows.len());
        assert_eq!(open(&secret, &context, &rows), Ok(slots.clone()));
        let reflected = Context { sender: &gm, ..context };
        assert_eq!(open(&secret, &reflected, &rows), Err(AcknowledgementError::DoesNotOpen));
        let other = Bytes([2; 32]);
        let replayed = Context { sender: &sn, epoch: 1, digest: &other };
        assert_eq!(open(&secret, &replayed, &rows), Err(AcknowledgementError::DoesNotOpen));
        assert_eq!(seal(&secret, &replayed, &slots, 1, &mut rng), Err(AcknowledgementError::TooMany));
    }
}
