//! Signed notes: a text, a blank line, and signature lines, as C2SP's signed-note states them
//! (c2sp.org/signed-note).
//!
//! Called by [`UnverifiedCheckpoint`](crate::UnverifiedCheckpoint), and directly by whoever signs other short texts for
//! people. It is not an envelope (R23): what units say to each other is signed in `protocol`.
//!
//! A note is parsed into a type that gives nothing of its text away; verifying consumes it. Signature lines of unknown
//! keys are ignored, as the specification asks; a line that is no signature line spoils the note, and so does a second
//! line of the same key.

pub(crate) mod key;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use key::{KEY_ID_BYTES, KeyName, SignatureType, VerifierKey};

/// The longest note that is parsed, in bytes: fifty signatures of post-quantum size fit.
pub const MAX_NOTE: usize = 256 * 1024;

/// The most signature lines that a note may have.
pub const MAX_SIGNATURES: usize = 100;

/// The most bytes that a signature may have, with its key's identifier: ML-DSA-87 takes 4,627.
const MAX_SIGNATURE_BYTES: usize = 5 * 1024;

const LINE_START: &str = "\u{2014} ";

/// Why a note, or one of its signatures, is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// It is longer than [`MAX_NOTE`].
    #[error("note: {0} bytes are too many")]
    TooLong(usize),
    /// It is not UTF-8, or has a control character other than the newline.
    #[error("note: it is not plain text")]
    NotText,
    /// It has no text that ends with a newline, or no blank line before the signatures.
    #[error("note: no blank line parts the text from its signatures")]
    NoSignatures,
    /// It has more than [`MAX_SIGNATURES`].
    #[error("note: {0} signatures are too many")]
    TooManySignatures(usize),
    /// A line among the signatures is none, or its base64 is not the one encoding of its bytes.
    #[error("note: signature line {0} is malformed")]
    BadSignatureLine(usize),
    /// A second signature of the same key name and identifier.
    #[error("note: signature line {0} repeats a signer")]
    RepeatedSigner(usize),
    /// No signature line is by this key.
    #[error("note: it is not signed by {0}")]
    NotSignedBy(KeyName),
    /// A signature by this key does not verify.
    #[error("note: the signature of {0} is wrong")]
    WrongSignature(KeyName),
    /// The key's type is not the one that signs this.
    #[error("note: a key of type {:#04x} does not sign this", .0.byte())]
    WrongKeyType(SignatureType),
    /// A cosignature's time is above 2^63 − 1 seconds.
    #[error("note: the time {0} is out of range")]
    TimeOutOfRange(u64),
}

/// A note as it was received: nothing of it is to be believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnverifiedNote {
    pub(crate) text: String,
    pub(crate) signatures: Vec<SignatureLine>,
}

/// A note of which one signature was verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedNote {
    text: String,
}

/// One signature line: whose, and the bytes behind the key identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SignatureLine {
    pub(crate) name: KeyName,
    pub(crate) key_id: [u8; KEY_ID_BYTES],
    pub(crate) signature: Vec<u8>,
}

impl UnverifiedNote {
    /// Parses a note.
    ///
    /// # Errors
    /// [`NoteError`] from `TooLong` to `RepeatedSigner`.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if note.contains(|c: char| c != '\n' && c.is_ascii_control()) {
            return Err(NoteError::NotText);
        }
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let count = lines.split('\n').count();
        if count > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures(count));
        }
        let mut signatures: Vec<SignatureLine> = Vec::with_capacity(count);
        for (n, line) in lines.split('\n').enumerate() {
            let line = SignatureLine::parse(line).ok_or(NoteError::BadSignatureLine(n + 1))?;
            if signatures.iter().any(|other| other.same_signer(&line)) {
                return Err(NoteError::RepeatedSigner(n + 1));
            }
            signatures.push(line);
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// Checks that the key signed the note's text (signature type 0x01, strict Ed25519).
    ///
    /// # Errors
    /// [`NoteError::NotSignedBy`], [`NoteError::WrongSignature`], [`NoteError::WrongKeyType`].
    pub fn verify(self, key: &VerifierKey) -> Result<VerifiedNote, NoteError> {
        self.check(key)?;
        Ok(VerifiedNote { text: self.text })
    }

    /// The check of [`UnverifiedNote::verify`], for callers that keep the signature lines.
    pub(crate) fn check(&self, key: &VerifierKey) -> Result<(), NoteError> {
        key.expect_type(SignatureType::Ed25519)?;
        let line = self.signatures.iter().find(|line| line.is_by(key));
        let line = line.ok_or_else(|| NoteError::NotSignedBy(key.name().clone()))?;
        key.check(self.text.as_bytes(), &line.signature)
    }
}

impl VerifiedNote {
    /// The signed text, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Signs a text as a note with one Ed25519 signature (type 0x01), and returns the whole note. The text ends with a
/// newline.
///
/// # Errors
/// [`NoteError::NotText`], [`NoteError::NoSignatures`], [`NoteError::TooLong`].
pub fn sign_note(text: &str, name: &KeyName, key: &SigningKey) -> Result<String, NoteError> {
    let body = text.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
    let note = format!("{body}\n\n{}\n", SignatureLine::sign(text, name, key));
    UnverifiedNote::parse(note.as_bytes()).map(|_| note)
}

impl SignatureLine {
    /// Signs a text with the note signature of type 0x01.
    pub(crate) fn sign(text: &str, name: &KeyName, key: &SigningKey) -> Self {
        let key_id = SignatureType::Ed25519.key_id(name, &key.verifying_key());
        Self { name: name.clone(), key_id, signature: key.sign(text.as_bytes()).to_bytes().to_vec() }
    }

    /// Reads "— name base64", without its newline.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        if encoded.len() > MAX_SIGNATURE_BYTES / 3 * 4 {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<KEY_ID_BYTES>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self { name: KeyName::new(name).ok()?, key_id: *key_id, signature: signature.to_vec() })
    }

    /// Whether the line claims to be by this key.
    pub(crate) fn is_by(&self, key: &VerifierKey) -> bool {
        self.key_id == key.key_id() && self.name == *key.name()
    }

    /// Whether two lines claim to be by one key.
    pub(crate) fn same_signer(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.name == other.name
    }
}

impl std::fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(f, "{LINE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl VerifierKey {
    pub(crate) fn expect_type(&self, expected: SignatureType) -> Result<(), NoteError> {
        if self.signature_type() == expected { Ok(()) } else { Err(NoteError::WrongKeyType(self.signature_type())) }
    }

    /// Checks an Ed25519 signature over a message, strictly: canonical, and by no key of small order.
    pub(crate) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), NoteError> {
        let wrong = || NoteError::WrongSignature(self.name().clone());
        let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| wrong())?;
        self.public_key().verify_strict(message, &signature).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// c2sp.org/signed-note, the example at its end: key, text, signature.
    const SPEC_KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const SPEC_NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    /// golang.org/x/mod, package sumdb/note: the example of its documentation, with the private key.
    const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_TEXT: &str =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const GO_LINE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn go_signing_key() -> SigningKey {
        let bytes = STANDARD.decode(GO_SEED).unwrap();
        assert_eq!(bytes[0], 1, "the type of the signature");
        SigningKey::from_bytes(bytes[1..].try_into().unwrap())
    }

    fn parse(note: &str) -> Result<UnverifiedNote, NoteError> {
        UnverifiedNote::parse(note.as_bytes())
    }

    #[test]
    fn the_example_of_the_specification_verifies_and_a_changed_one_does_not() {
        let key = VerifierKey::parse(SPEC_KEY).unwrap();
        assert_eq!(parse(SPEC_NOTE).unwrap().verify(&key).unwrap().text(), "This is an example message.\n");
        let changed = parse(&SPEC_NOTE.replace("an example", "no example")).unwrap();
        assert_eq!(changed.verify(&key), Err(NoteError::WrongSignature(key.name().clone())));
    }

    #[test]
    fn the_go_example_is_reproduced_to_the_byte() {
        let (name, key) = (KeyName::new("PeterNeumann").unwrap(), go_signing_key());
        let note = sign_note(GO_TEXT, &name, &key).unwrap();
        assert_eq!(note, format!("{GO_TEXT}\n{GO_LINE}"));
        let verifier = VerifierKey::parse(GO_KEY).unwrap();
        assert_eq!(verifier, VerifierKey::new(name, SignatureType::Ed25519, key.verifying_key()).unwrap());
        assert_eq!(parse(&note).unwrap().verify(&verifier).unwrap().text(), GO_TEXT);
    }

    #[test]
    fn a_text_with_empty_lines_ends_at_the_last() {
        let (name, key) = (KeyName::new("PeterNeumann").unwrap(), go_signing_key());
        let text = "one\n\n\ntwo\n";
        let note = parse(&sign_note(text, &name, &key).unwrap()).unwrap();
        assert_eq!(note.verify(&VerifierKey::parse(GO_KEY).unwrap()).unwrap().text(), text);
    }

    #[test]
    fn signatures_of_unknown_keys_are_ignored_but_not_believed() {
        let unknown = SPEC_NOTE.lines().last().unwrap();
        let note = format!("{GO_TEXT}\n{unknown}\n{GO_LINE}");
        assert!(parse(&note).unwrap().verify(&VerifierKey::parse(GO_KEY).unwrap()).is_ok());
        let other = VerifierKey::parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop").unwrap();
        assert_eq!(parse(&note).unwrap().verify(&other), Err(NoteError::NotSignedBy(other.name().clone())));
        // the same name with another key: another identifier, so another signer
        let same_name =
            VerifierKey::new(KeyName::new("PeterNeumann").unwrap(), SignatureType::Ed25519, other.public_key());
        assert!(matches!(parse(&note).unwrap().verify(&same_name.unwrap()), Err(NoteError::NotSignedBy(_))));
    }

    #[test]
    fn malformed_notes_are_named_by_their_fault() {
        let line = GO_LINE.trim_end();
        let cases = [
            (String::new(), NoteError::NoSignatures),
            ("text\n".into(), NoteError::NoSignatures),
            (format!("text\n{line}\n"), NoteError::NoSignatures),
            (format!("text\n\n{line}"), NoteError::NoSignatures),
            ("text\n\n".into(), NoteError::NoSignatures),
            ("text\n\n\n".into(), NoteError::NoSignatures),
            (format!("\n{line}\n"), NoteError::NoSignatures),
            (format!("text\r\n\n{line}\n"), NoteError::NotText),
            (format!("te\tt\n\n{line}\n"), NoteError::NotText),
            (format!("text\n\n{line}\n{line}\n"), NoteError::RepeatedSigner(2)),
            (format!("text\n\n{line}\nx\n"), NoteError::BadSignatureLine(2)),
            (format!("text\n\n{}\n", line.replace('\u{2014}', "-")), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{}\n", line.replace("PeterNeumann", "Peter+Neumann")), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{}\n", line.replace("PeterNeumann ", " ")), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{}\n", line.replace("PeterNeumann", "Peter\u{a0}N")), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{line} \n"), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{}\n", line.replace("nAM=", "nAN=")), NoteError::BadSignatureLine(1)),
            (format!("text\n\n{}\n", line.replace("nAM=", "nAM")), NoteError::BadSignatureLine(1)),
            ("text\n\n\u{2014} name AAAA\n".into(), NoteError::BadSignatureLine(1)),
            ("text\n\n\u{2014} name AAAAAA==\n".into(), NoteError::BadSignatureLine(1)),
        ];
        for (note, fault) in cases {
            assert_eq!(parse(&note), Err(fault), "{note:?}");
        }
        assert_eq!(UnverifiedNote::parse(b"te\xfft\n\n"), Err(NoteError::NotText));
        assert_eq!(UnverifiedNote::parse(&vec![b'a'; MAX_NOTE + 1]), Err(NoteError::TooLong(MAX_NOTE + 1)));
        let many = |n: usize| (0..n).map(|n| format!("\u{2014} n{n} AAAAAAA=\n")).collect::<String>();
        assert!(parse(&format!("text\n\n{}", many(MAX_SIGNATURES))).is_ok());
        let too_many = NoteError::TooManySignatures(MAX_SIGNATURES + 1);
        assert_eq!(parse(&format!("text\n\n{}", many(MAX_SIGNATURES + 1))), Err(too_many));
    }

    #[test]
    fn texts_that_make_no_note_are_not_signed() {
        let (name, key) = (KeyName::new("PeterNeumann").unwrap(), go_signing_key());
        assert_eq!(sign_note("no newline", &name, &key), Err(NoteError::NoSignatures));
        assert_eq!(sign_note("a bell\u{7}\n", &name, &key), Err(NoteError::NotText));
        assert!(matches!(sign_note(&"x\n".repeat(MAX_NOTE), &name, &key), Err(NoteError::TooLong(_))));
    }

    #[test]
    fn a_signature_that_is_not_64_bytes_is_wrong() {
        let key = VerifierKey::parse(GO_KEY).unwrap();
        for bytes in [4 + 1, 4 + 63, 4 + 65, 4 + 72] {
            let mut signature = vec![0; bytes];
            signature[..4].copy_from_slice(&key.key_id());
            let note = format!("{GO_TEXT}\n\u{2014} PeterNeumann {}\n", STANDARD.encode(signature));
            assert_eq!(parse(&note).unwrap().verify(&key), Err(NoteError::WrongSignature(key.name().clone())));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = UnverifiedNote::parse(&bytes);
        }

        #[test]
        fn a_note_with_any_byte_changed_is_refused(place in 0usize..260, byte in any::<u8>()) {
            let (mut note, key) = (format!("{GO_TEXT}\n{GO_LINE}").into_bytes(), VerifierKey::parse(GO_KEY).unwrap());
            let place = place % note.len();
            prop_assume!(note[place] != byte);
            note[place] = byte;
            prop_assert!(UnverifiedNote::parse(&note).and_then(|note| note.verify(&key)).is_err());
        }
    }
}
