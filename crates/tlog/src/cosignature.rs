//! Cosignatures: a witness's word, with a time, that a checkpoint is consistent with all it saw before
//! (c2sp.org/tlog-cosignature, Ed25519, signature type 0x04).
//!
//! Made by [`Accepted::cosign`](crate::Accepted::cosign) only, so that no checkpoint is cosigned that a witness did not
//! check; verified by [`SignedCheckpoint`](crate::SignedCheckpoint). It is no statement about the envelopes in the log.
//!
//! The message is "cosignature/v1", a line with the time, and the whole text of the checkpoint; the signature line
//! holds the time in eight bytes, big-endian, before the 64 of Ed25519. The message does not name the witness: one key
//! must never serve two names.

use crate::note::key::{KeyName, SignatureType, VerifierKey};
use crate::note::{NoteError, SignatureLine};
use ed25519_dalek::{Signer, SigningKey};

/// A cosignature that was made here: a line to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosignature(SignatureLine);

/// A cosignature line as it was received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnverifiedCosignature(SignatureLine);

/// A verified cosignature: who stated it, and for which time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The witness.
    pub witness: KeyName,
    /// Seconds since 1970, by the witness's own clock.
    pub time: u64,
}

impl Cosignature {
    /// Signs the text of a checkpoint at a time in seconds since 1970.
    pub(crate) fn sign(text: &str, name: &KeyName, key: &SigningKey, time: u64) -> Result<Self, NoteError> {
        let time = in_range(time)?;
        let key_id = SignatureType::Ed25519Cosignature.key_id(name, &key.verifying_key());
        let signature = key.sign(message(text, time).as_bytes()).to_bytes();
        let signature = [&time.to_be_bytes()[..], &signature].concat();
        Ok(Self(SignatureLine { name: name.clone(), key_id, signature }))
    }

    /// The signature line, without a newline.
    pub fn line(&self) -> String {
        self.0.to_string()
    }
}

impl UnverifiedCosignature {
    /// Reads one signature line, with or without its newline.
    ///
    /// # Errors
    /// [`NoteError::BadSignatureLine`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        SignatureLine::parse(line).map(Self).ok_or(NoteError::BadSignatureLine(1))
    }

    /// The name that the line claims, by which to find the witness's key.
    pub fn claimed_name(&self) -> &KeyName {
        &self.0.name
    }

    pub(crate) fn from_line(line: SignatureLine) -> Self {
        Self(line)
    }

    pub(crate) fn into_line(self) -> SignatureLine {
        self.0
    }

    /// Checks the line against the text of a checkpoint.
    pub(crate) fn verify(&self, text: &str, witness: &VerifierKey) -> Result<Cosigned, NoteError> {
        witness.expect_type(SignatureType::Ed25519Cosignature)?;
        if !self.0.is_by(witness) {
            return Err(NoteError::NotSignedBy(witness.name().clone()));
        }
        let wrong = || NoteError::WrongSignature(witness.name().clone());
        let (time, signature) = self.0.signature.split_first_chunk::<8>().ok_or_else(wrong)?;
        let time = in_range(u64::from_be_bytes(*time))?;
        witness.check(message(text, time).as_bytes(), signature)?;
        Ok(Cosigned { witness: witness.name().clone(), time })
    }
}

fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn in_range(time: u64) -> Result<u64, NoteError> {
    if time >> 63 == 0 { Ok(time) } else { Err(NoteError::TimeOutOfRange(time)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, SignedCheckpoint};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn name(name: &str) -> KeyName {
        KeyName::new(name).unwrap()
    }

    fn checkpoint() -> SignedCheckpoint {
        Checkpoint::new(name("log"), 5, [3; 32]).unwrap().sign(&key(7)).unwrap()
    }

    fn received(line: &str) -> UnverifiedCosignature {
        UnverifiedCosignature::parse(line).unwrap()
    }

    #[test]
    fn the_framing_is_that_of_the_specification() {
        // c2sp.org/tlog-cosignature, the example: it publishes no key, but the time of its message
        let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        let line = received(line).into_line();
        assert_eq!((line.key_id, line.signature.len()), ([0x8d, 0x66, 0xcf, 0x3f], 72));
        assert_eq!(line.signature[..8], 1679315147u64.to_be_bytes());
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        assert_eq!(message(text, 1679315147), format!("cosignature/v1\ntime 1679315147\n{text}"));
    }

    #[test]
    fn a_cosignature_is_added_once_and_the_newer_stays() {
        let (mut checkpoint, witness) =
            (checkpoint(), VerifierKey::witness(name("w"), key(1).verifying_key()).unwrap());
        for time in [1000, 2000] {
            let line = Cosignature::sign(checkpoint.text(), &name("w"), &key(1), time).unwrap().line();
            let cosigned = checkpoint.add_cosignature(received(&line), &witness).unwrap();
            assert_eq!(cosigned, Cosigned { witness: name("w"), time });
            assert_eq!(checkpoint.cosigned_by(std::slice::from_ref(&witness)).unwrap(), [cosigned]);
            assert_eq!(checkpoint.to_note().lines().count(), 3 + 1 + 2);
        }
    }

    #[test]
    fn wrong_cosignatures_are_named_by_their_fault_and_change_nothing() {
        let (w, verifying) = (name("w"), key(1).verifying_key());
        let witness = VerifierKey::witness(w.clone(), verifying).unwrap();
        let mut signed = checkpoint();
        let before = signed.clone();
        let sign =
            |text: &str, name: &KeyName, seed| received(&Cosignature::sign(text, name, &key(seed), 9).unwrap().line());
        let good = sign(signed.text(), &w, 1);
        let other_text = sign("log\n6\nx\n", &w, 1);
        assert_eq!(signed.add_cosignature(other_text, &witness), Err(NoteError::WrongSignature(w.clone())));
        let mut other_time = good.clone();
        other_time.0.signature[7] ^= 1;
        assert_eq!(signed.add_cosignature(other_time, &witness), Err(NoteError::WrongSignature(w.clone())));
        let mut no_time = good.clone();
        no_time.0.signature[0] = 0x80;
        assert_eq!(signed.add_cosignature(no_time, &witness), Err(NoteError::TimeOutOfRange((1 << 63) | 9)));
        let mut short = good.clone();
        short.0.signature.truncate(7);
        assert_eq!(signed.add_cosignature(short, &witness), Err(NoteError::WrongSignature(w.clone())));
        let (other_name, other_key) = (sign(signed.text(), &name("v"), 1), sign(signed.text(), &w, 2));
        assert_eq!(signed.add_cosignature(other_name, &witness), Err(NoteError::NotSignedBy(w.clone())));
        assert_eq!(signed.add_cosignature(other_key, &witness), Err(NoteError::NotSignedBy(w.clone())));
        let log_key = VerifierKey::log(w.clone(), verifying).unwrap();
        let wrong_type = NoteError::WrongKeyType(SignatureType::Ed25519);
        assert_eq!(signed.add_cosignature(good.clone(), &log_key), Err(wrong_type));
        assert_eq!(signed, before);
        assert!(signed.add_cosignature(good, &witness).is_ok(), "the control is accepted");
        assert_eq!(Cosignature::sign("x", &w, &key(1), 1 << 63), Err(NoteError::TimeOutOfRange(1 << 63)));
    }

    #[test]
    fn a_note_signature_does_not_pass_for_a_cosignature() {
        let mut signed = checkpoint();
        let line = SignatureLine::sign(signed.text(), &name("w"), &key(1));
        let witness = VerifierKey::witness(name("w"), key(1).verifying_key()).unwrap();
        let relabelled = SignatureLine { key_id: witness.key_id(), ..line };
        let refused = signed.add_cosignature(UnverifiedCosignature(relabelled), &witness);
        assert_eq!(refused, Err(NoteError::WrongSignature(name("w"))));
    }

    #[test]
    fn lines_of_types_not_supported_yet_are_ignored() {
        let signed = checkpoint();
        let post_quantum = SignatureLine { name: name("w"), key_id: [6; 4], signature: vec![6; 8 + 2420] };
        let note = format!("{}{post_quantum}\n", signed.to_note());
        let read = crate::UnverifiedCheckpoint::parse(note.as_bytes()).unwrap().verify(signed.log()).unwrap();
        let witness = VerifierKey::witness(name("w"), key(1).verifying_key()).unwrap();
        assert_eq!(read.cosigned_by(&[witness]).unwrap(), []);
        assert_eq!(read.to_note(), note, "they are carried on");
    }
}
