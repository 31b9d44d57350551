//! Checkpoints: the log's size and root, signed by the broker, as c2sp.org/tlog-checkpoint states them.
//!
//! Called by the broker, which signs one after each tick, and by units, which verify what they are shown. A
//! [`SignedCheckpoint`] exists only after signing or verifying. It is *not* yet known to extend an older one: that is
//! for a [`Witness`](crate::Witness).

use crate::cosignature::{Cosigned, UnverifiedCosignature};
use crate::hash::{Entry, Hash, MAX_SIZE, empty_root};
use crate::note::key::{KeyName, VerifierKey};
use crate::note::{MAX_SIGNATURES, NoteError, SignatureLine, UnverifiedNote};
use crate::proof::{ConsistencyProof, InclusionProof, ProofError};
use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::SigningKey;

/// The longest text of a checkpoint, in bytes, without its signatures.
pub const MAX_CHECKPOINT_TEXT: usize = 4096;

/// Why a checkpoint is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// As a note, or for its signature.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Longer than [`MAX_CHECKPOINT_TEXT`].
    #[error("checkpoint: a text of {0} bytes is too long")]
    TooLong(usize),
    /// A line that a checkpoint cannot have there, from 1: 1 the origin, 2 the size, 3 the root, then extensions.
    #[error("checkpoint: line {0} is malformed or missing")]
    BadLine(usize),
    /// The size is above [`MAX_SIZE`].
    #[error("checkpoint: the size {0} is above the limit")]
    TooLarge(u64),
    /// A log without entries has another root than the empty tree's.
    #[error("checkpoint: an empty log has another root")]
    BadEmptyRoot,
    /// The origin is not the name of the key that signed it.
    #[error("checkpoint: the origin is not the name of the log's key")]
    OtherOrigin,
}

/// The size and root of a log, with its origin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    origin: KeyName,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

/// A checkpoint as it was received: nothing of it is to be believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnverifiedCheckpoint(UnverifiedNote);

/// A checkpoint that its log signed: made by signing or by verifying only. It keeps the cosignature lines that came
/// with it, which [`SignedCheckpoint::cosigned_by`] checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    log: VerifierKey,
    note: UnverifiedNote,
}

impl Checkpoint {
    /// A checkpoint of a log: its origin (the name of its key), size and root.
    ///
    /// # Errors
    /// [`CheckpointError::TooLarge`], [`CheckpointError::BadEmptyRoot`].
    pub fn new(origin: KeyName, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if size > MAX_SIZE {
            return Err(CheckpointError::TooLarge(size));
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::BadEmptyRoot);
        }
        Ok(Self { origin, size, root, extensions: Vec::new() })
    }

    /// The log's name.
    pub fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree of all entries.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// Lines behind the root that a log added: signed, but of no meaning here. Ours has none.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The text that is signed: origin, size in decimal, root in base64, extensions, each with a newline.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Signs the checkpoint as the log that its origin names. A log never signs two that do not extend each other.
    ///
    /// # Errors
    /// [`CheckpointError::OtherOrigin`] for a key under which no note verifies; never for one that was drawn at random.
    pub fn sign(self, key: &SigningKey) -> Result<SignedCheckpoint, CheckpointError> {
        let log =
            VerifierKey::log(self.origin.clone(), key.verifying_key()).map_err(|_| CheckpointError::OtherOrigin)?;
        let text = self.text();
        let signatures = vec![SignatureLine::sign(&text, &self.origin, key)];
        Ok(SignedCheckpoint { checkpoint: self, log, note: UnverifiedNote { text, signatures } })
    }

    /// Reads the text of a checkpoint.
    fn parse(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > MAX_CHECKPOINT_TEXT {
            return Err(CheckpointError::TooLong(text.len()));
        }
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let origin = lines.next().and_then(|line| KeyName::new(line).ok()).ok_or(CheckpointError::BadLine(1))?;
        let size = lines.next().and_then(decimal).ok_or(CheckpointError::BadLine(2))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok()?.try_into().ok());
        let mut checkpoint = Self::new(origin, size, root.ok_or(CheckpointError::BadLine(3))?)?;
        for (n, line) in lines.enumerate() {
            if line.is_empty() {
                return Err(CheckpointError::BadLine(n + 4));
            }
            checkpoint.extensions.push(line.to_owned());
        }
        Ok(checkpoint)
    }
}

impl UnverifiedCheckpoint {
    /// Parses a note; its text is looked at only once its signature is verified.
    ///
    /// # Errors
    /// [`CheckpointError::Note`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        Ok(Self(UnverifiedNote::parse(bytes)?))
    }

    /// Checks that the log signed it, and that it is a checkpoint of that log.
    ///
    /// # Errors
    /// All of [`CheckpointError`].
    pub fn verify(self, log: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
        self.0.check(log)?;
        let checkpoint = Checkpoint::parse(&self.0.text)?;
        if checkpoint.origin != *log.name() {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(SignedCheckpoint { checkpoint, log: log.clone(), note: self.0 })
    }
}

impl SignedCheckpoint {
    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The root of the tree of all entries.
    pub fn root(&self) -> &Hash {
        &self.checkpoint.root
    }

    /// The key of the log that signed it.
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The text that the log and its witnesses signed.
    pub fn text(&self) -> &str {
        &self.note.text
    }

    /// The whole note: text, blank line, the log's signature and all others.
    pub fn to_note(&self) -> String {
        let mut note = format!("{}\n", self.note.text);
        for line in &self.note.signatures {
            note.push_str(&line.to_string());
            note.push('\n');
        }
        note
    }

    /// Checks that `entry` is leaf `index` (from 0) of this checkpoint's tree.
    ///
    /// # Errors
    /// As [`InclusionProof::verify`].
    pub fn verify_inclusion(&self, index: u64, entry: &Entry, proof: &InclusionProof) -> Result<(), ProofError> {
        proof.verify(self.size(), self.root(), index, entry)
    }

    /// Checks that this checkpoint's tree begins with that of an older one of the same log.
    ///
    /// # Errors
    /// As [`ConsistencyProof::verify`].
    pub fn verify_extends(&self, older: &Self, proof: &ConsistencyProof) -> Result<(), ProofError> {
        proof.verify((older.size(), older.root()), (self.size(), self.root()))
    }

    /// Adds a witness's cosignature once it is verified, in place of an older one of the same witness.
    ///
    /// # Errors
    /// [`NoteError::NotSignedBy`] if the line is of another key, [`NoteError::WrongSignature`],
    /// [`NoteError::WrongKeyType`], [`NoteError::TimeOutOfRange`], and [`NoteError::TooManySignatures`].
    pub fn add_cosignature(
        &mut self,
        cosignature: UnverifiedCosignature,
        witness: &VerifierKey,
    ) -> Result<Cosigned, NoteError> {
        let cosigned = cosignature.verify(self.text(), witness)?;
        let line = cosignature.into_line();
        let count = self.note.signatures.len();
        match self.note.signatures.iter_mut().find(|other| other.same_signer(&line)) {
            Some(older) => *older = line,
            None if count >= MAX_SIGNATURES => return Err(NoteError::TooManySignatures(count + 1)),
            None => self.note.signatures.push(line),
        }
        Ok(cosigned)
    }

    /// Which of these witnesses cosigned, and when. Lines of other keys are ignored; a wrong signature of a known
    /// witness spoils the whole, as the specification advises.
    ///
    /// # Errors
    /// [`NoteError::WrongSignature`], [`NoteError::WrongKeyType`], [`NoteError::TimeOutOfRange`].
    pub fn cosigned_by(&self, witnesses: &[VerifierKey]) -> Result<Vec<Cosigned>, NoteError> {
        let mut cosigned = Vec::new();
        for witness in witnesses {
            if let Some(line) = self.note.signatures.iter().find(|line| line.is_by(witness)) {
                cosigned.push(UnverifiedCosignature::from_line(line.clone()).verify(self.text(), witness)?);
            }
        }
        Ok(cosigned)
    }
}

/// A decimal number in its one form: digits only, no leading zero.
fn decimal(line: &str) -> Option<u64> {
    let canonical = line == "0" || !line.starts_with('0');
    let digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { line.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::sign_note;
    use proptest::prelude::*;

    /// A checkpoint of a log in operation with the keys of that log and of one of its witnesses: size 1,432,088,532 of
    /// arche2025h1.staging.ct.transparency.dev, as in the tests of the library tlog-scales. Its lines: a type 0x05
    /// signature, the log's Ed25519 note signature, and four Ed25519 cosignatures.
    pub(crate) const REAL: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\u{2014} arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\u{2014} arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\u{2014} transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\u{2014} witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\u{2014} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n\u{2014} witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";
    const REAL_LOG: &str =
        "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
    const REAL_WITNESSES: [&str; 4] = [
        "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    ];

    fn log_key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn origin() -> KeyName {
        KeyName::new("example.org/log").unwrap()
    }

    fn verifier() -> VerifierKey {
        VerifierKey::log(origin(), log_key().verifying_key()).unwrap()
    }

    fn signed(text: &str) -> Result<SignedCheckpoint, CheckpointError> {
        let note = sign_note(text, &origin(), &log_key()).unwrap();
        UnverifiedCheckpoint::parse(note.as_bytes())?.verify(&verifier())
    }

    #[test]
    fn a_checkpoint_of_a_log_in_operation_verifies_with_all_its_witnesses() {
        let log = VerifierKey::parse(REAL_LOG).unwrap();
        let checkpoint = UnverifiedCheckpoint::parse(REAL.as_bytes()).unwrap().verify(&log).unwrap();
        assert_eq!(checkpoint.size(), 1_432_088_532);
        assert_eq!(checkpoint.to_note(), REAL);
        let witnesses = REAL_WITNESSES.map(|key| VerifierKey::parse(key).unwrap());
        let cosigned = checkpoint.cosigned_by(&witnesses).unwrap();
        assert_eq!(cosigned.len(), 4);
        assert!(cosigned.iter().all(|cosigned| cosigned.time == 0x6a12_2120));
        let tampered = REAL.replace("1432088532", "1432088533");
        let tampered = UnverifiedCheckpoint::parse(tampered.as_bytes()).unwrap().verify(&log);
        assert_eq!(tampered, Err(NoteError::WrongSignature(log.name().clone()).into()));
    }

    #[test]
    fn the_text_is_that_of_the_specification() {
        // c2sp.org/tlog-checkpoint, the example
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let checkpoint = Checkpoint::parse(text).unwrap();
        assert_eq!((checkpoint.size(), checkpoint.text().as_str()), (20852163, text));
        assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    }

    #[test]
    fn what_a_log_signs_verifies_and_goes_through_its_note() {
        let signed = Checkpoint::new(origin(), 5, [3; 32]).unwrap().sign(&log_key()).unwrap();
        let read = UnverifiedCheckpoint::parse(signed.to_note().as_bytes()).unwrap().verify(&verifier()).unwrap();
        assert_eq!(read, signed);
    }

    #[test]
    fn extensions_are_kept_and_signed() {
        let root = STANDARD.encode([3; 32]);
        let checkpoint = signed(&format!("example.org/log\n5\n{root}\nmore\nand more\n")).unwrap();
        assert_eq!(checkpoint.checkpoint().extensions(), ["more", "and more"]);
        let altered = checkpoint.to_note().replace("and more", "and less");
        assert!(UnverifiedCheckpoint::parse(altered.as_bytes()).unwrap().verify(&verifier()).is_err());
    }

    #[test]
    fn malformed_checkpoints_are_named_by_their_fault_though_signed() {
        let root = STANDARD.encode([3; 32]);
        let empty = STANDARD.encode(empty_root());
        assert!(signed(&format!("example.org/log\n0\n{empty}\n")).is_ok());
        assert!(signed(&format!("example.org/log\n{MAX_SIZE}\n{root}\n")).is_ok());
        let large = MAX_SIZE + 1;
        let cases = [
            ("\n5\nx\n".to_owned(), CheckpointError::BadLine(1)),
            (format!("example.org log\n5\n{root}\n"), CheckpointError::BadLine(1)),
            ("example.org/log\n".into(), CheckpointError::BadLine(2)),
            (format!("example.org/log\n05\n{root}\n"), CheckpointError::BadLine(2)),
            (format!("example.org/log\n+5\n{root}\n"), CheckpointError::BadLine(2)),
            (format!("example.org/log\n-5\n{root}\n"), CheckpointError::BadLine(2)),
            (format!("example.org/log\n5 \n{root}\n"), CheckpointError::BadLine(2)),
            (format!("example.org/log\n\u{0665}\n{root}\n"), CheckpointError::BadLine(2)),
            (format!("example.org/log\n18446744073709551616\n{root}\n"), CheckpointError::BadLine(2)),
            ("example.org/log\n5\n".into(), CheckpointError::BadLine(3)),
            (format!("example.org/log\n5\n{}\n", STANDARD.encode([3; 31])), CheckpointError::BadLine(3)),
            (format!("example.org/log\n5\n{}\n", STANDARD.encode([3; 33])), CheckpointError::BadLine(3)),
            (format!("example.org/log\n5\n{}\n", &root[..43]), CheckpointError::BadLine(3)),
            (format!("example.org/log\n5\n{root}\nx\n\ny\n"), CheckpointError::BadLine(5)),
            (format!("example.org/log\n5\n{root}\n\n"), CheckpointError::BadLine(4)),
            (format!("example.org/log\n{large}\n{root}\n"), CheckpointError::TooLarge(large)),
            (format!("example.org/log\n0\n{root}\n"), CheckpointError::BadEmptyRoot),
            (format!("example.org/other\n5\n{root}\n"), CheckpointError::OtherOrigin),
        ];
        for (text, fault) in cases {
            assert_eq!(signed(&text), Err(fault), "{text:?}");
        }
        let long = format!("example.org/log\n5\n{root}\n{}\n", "x".repeat(MAX_CHECKPOINT_TEXT));
        assert_eq!(signed(&long), Err(CheckpointError::TooLong(long.len())));
    }

    #[test]
    fn a_witness_key_is_no_log_key() {
        let note = Checkpoint::new(origin(), 5, [3; 32]).unwrap().sign(&log_key()).unwrap().to_note();
        let witness = VerifierKey::witness(origin(), log_key().verifying_key()).unwrap();
        let refused = UnverifiedCheckpoint::parse(note.as_bytes()).unwrap().verify(&witness);
        assert_eq!(refused, Err(NoteError::WrongKeyType(witness.signature_type()).into()));
    }

    proptest! {
        #[test]
        fn no_signed_text_makes_the_parser_panic(text in "[ -~\n]{0,120}", size in "[0-9+ -]{0,22}", root in "[A-Za-z0-9+/=]{0,48}") {
            let _ = Checkpoint::parse(&format!("{text}\n"));
            if let Ok(read) = Checkpoint::parse(&format!("origin\n{size}\n{root}\n")) {
                prop_assert_eq!(read.text(), format!("origin\n{size}\n{root}\n"));
            }
        }
    }
}
