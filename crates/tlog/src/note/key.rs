//! Names and public keys of those who sign notes, and the text form in which people configure them.
//!
//! Called by whoever trusts a log or a witness. It holds no secret: signing takes a `SigningKey` by reference, and its
//! owner keeps it.
//!
//! A verifier key is `name+identifier+base64(type ‖ public key)`; the identifier is the first four bytes of
//! SHA-256(name ‖ newline ‖ type ‖ public key), in eight hexadecimal digits (c2sp.org/signed-note). It is a label that
//! finds a line, and proves nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

pub(crate) const KEY_ID_BYTES: usize = 4;

/// The longest name of a key, in bytes.
const MAX_NAME: usize = 255;

/// The longest verifier key that is read: a name and an ML-DSA-87 key in base64 fit.
const MAX_VERIFIER_KEY: usize = 4096;

/// Why a name or a verifier key is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, longer than 255 bytes, or has a space, a plus or a control character.
    #[error("key name: empty, too long, or with a space, a plus or a control character")]
    BadName,
    /// Not `name+identifier+base64`.
    #[error("verifier key: not of the form name+identifier+base64")]
    Malformed,
    /// The identifier is not that of the name and key.
    #[error("verifier key: the identifier belongs to another name or key")]
    WrongIdentifier,
    /// The signature type is known or unknown, but not supported.
    #[error("verifier key: signatures of type {:#04x} are not supported", .0.byte())]
    Unsupported(SignatureType),
    /// The bytes are no Ed25519 key, or one of small order, under which a signature proves nothing.
    #[error("verifier key: not a sound Ed25519 key")]
    BadKey,
}

/// The name of a key: what a signature line begins with. A log's is its origin.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeyName(String);

/// How a key signs: the byte that its identifier hashes, assigned in c2sp.org/signed-note.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignatureType {
    /// 0x01: Ed25519 over the note's text.
    Ed25519,
    /// 0x04: a timestamped Ed25519 cosignature of a checkpoint.
    Ed25519Cosignature,
    /// 0x06: a timestamped ML-DSA-44 cosignature of a checkpoint. Known, not yet supported: its lines are ignored.
    MlDsa44Cosignature,
    /// Any other type: its lines are ignored.
    Other(u8),
}

/// The public key of a log (type 0x01) or of a witness (type 0x04), with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: KeyName,
    signature_type: SignatureType,
    key: VerifyingKey,
    key_id: [u8; KEY_ID_BYTES],
}

impl KeyName {
    /// Checks a name: 1 to 255 bytes without spaces, plus signs or control characters.
    ///
    /// # Errors
    /// [`KeyError::BadName`].
    pub fn new(name: &str) -> Result<Self, KeyError> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > MAX_NAME || name.contains(bad) {
            return Err(KeyError::BadName);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl SignatureType {
    /// The type that a byte stands for.
    pub fn from_byte(byte: u8) -> Self {
        match byte {
            0x01 => Self::Ed25519,
            0x04 => Self::Ed25519Cosignature,
            0x06 => Self::MlDsa44Cosignature,
            other => Self::Other(other),
        }
    }

    /// The byte that stands for the type.
    pub fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ed25519Cosignature => 0x04,
            Self::MlDsa44Cosignature => 0x06,
            Self::Other(byte) => byte,
        }
    }

    pub(crate) fn key_id(self, name: &KeyName, key: &VerifyingKey) -> [u8; KEY_ID_BYTES] {
        let hash = Sha256::new()
            .chain_update(name.as_str())
            .chain_update([b'\n', self.byte()])
            .chain_update(key.as_bytes())
            .finalize();
        let [a, b, c, d, ..]: [u8; 32] = hash.into();
        [a, b, c, d]
    }
}

impl VerifierKey {
    /// A key with its name and what it signs.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for a type that is not Ed25519's; [`KeyError::BadKey`] for a key of small order.
    pub fn new(name: KeyName, signature_type: SignatureType, key: VerifyingKey) -> Result<Self, KeyError> {
        match signature_type {
            SignatureType::Ed25519 | SignatureType::Ed25519Cosignature => {}
            SignatureType::MlDsa44Cosignature | SignatureType::Other(_) => {
                return Err(KeyError::Unsupported(signature_type));
            }
        }
        if key.is_weak() {
            return Err(KeyError::BadKey);
        }
        let key_id = signature_type.key_id(&name, &key);
        Ok(Self { name, signature_type, key, key_id })
    }

    /// The key of a log: signature type 0x01.
    ///
    /// # Errors
    /// [`KeyError::BadKey`].
    pub fn log(name: KeyName, key: VerifyingKey) -> Result<Self, KeyError> {
        Self::new(name, SignatureType::Ed25519, key)
    }

    /// The key of a witness: signature type 0x04.
    ///
    /// # Errors
    /// [`KeyError::BadKey`].
    pub fn witness(name: KeyName, key: VerifyingKey) -> Result<Self, KeyError> {
        Self::new(name, SignatureType::Ed25519Cosignature, key)
    }

    /// Reads `name+identifier+base64(type ‖ public key)`.
    ///
    /// # Errors
    /// All of [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_VERIFIER_KEY {
            return Err(KeyError::Malformed);
        }
        let mut parts = text.splitn(3, '+'); // base64 may have a plus of its own
        let (Some(name), Some(key_id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Malformed);
        };
        let name = KeyName::new(name)?;
        let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if key_id.len() != 2 * KEY_ID_BYTES || !key_id.chars().all(is_hex) {
            return Err(KeyError::Malformed);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::Malformed)?;
        let (type_byte, key) = bytes.split_first().ok_or(KeyError::Malformed)?;
        let signature_type = SignatureType::from_byte(*type_byte);
        if matches!(signature_type, SignatureType::MlDsa44Cosignature | SignatureType::Other(_)) {
            return Err(KeyError::Unsupported(signature_type));
        }
        let key = <&[u8; 32]>::try_from(key).map_err(|_| KeyError::BadKey)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| KeyError::BadKey)?;
        let verifier = Self::new(name, signature_type, key)?;
        if verifier.hex_key_id() != key_id {
            return Err(KeyError::WrongIdentifier);
        }
        Ok(verifier)
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What the key signs.
    pub fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The Ed25519 public key.
    pub fn public_key(&self) -> VerifyingKey {
        self.key
    }

    /// The four bytes that find this key's lines in a note.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    fn hex_key_id(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.key_id))
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&[self.signature_type.byte()][..], self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, self.hex_key_id(), STANDARD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Keys in use: c2sp.org/signed-note; golang.org/x/mod, sumdb/note; transparency-dev/formats, note (type 0x04).
    const KEYS: [(&str, SignatureType); 5] = [
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", SignatureType::Ed25519),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", SignatureType::Ed25519),
        ("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop", SignatureType::Ed25519),
        ("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6", SignatureType::Ed25519),
        ("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2", SignatureType::Ed25519Cosignature),
    ];

    #[test]
    fn keys_in_use_are_read_and_written_back() {
        for (text, signature_type) in KEYS {
            let key = VerifierKey::parse(text).unwrap();
            assert_eq!((key.to_string().as_str(), key.signature_type()), (text, signature_type));
        }
    }

    #[test]
    fn malformed_keys_are_named_by_their_fault() {
        let encoded = |type_byte: u8, key: &[u8]| STANDARD.encode([&[type_byte], key].concat());
        let weak = encoded(1, &{
            let mut identity = [0; 32];
            identity[0] = 1;
            identity
        });
        let cases = [
            ("", KeyError::Malformed),
            ("name", KeyError::Malformed),
            ("name+00000000", KeyError::Malformed),
            ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::BadName),
            ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::BadName),
            ("other+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::WrongIdentifier),
            ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::WrongIdentifier),
            ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Malformed),
            ("example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", KeyError::Malformed),
            ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k=", KeyError::Malformed),
            ("example.com/foo+530d903a+", KeyError::Malformed),
            ("example.com/foo+530d903a+AQ==", KeyError::BadKey),
            (
                &format!("name+00000000+{}", encoded(6, &[0; 1312])),
                KeyError::Unsupported(SignatureType::MlDsa44Cosignature),
            ),
            (&format!("name+00000000+{}", encoded(0xfb, &[0; 32])), KeyError::Unsupported(SignatureType::Other(0xfb))),
            (&format!("name+00000000+{}", encoded(1, &[2; 32])), KeyError::BadKey),
            (&format!("name+00000000+{weak}"), KeyError::BadKey),
            (&"x".repeat(MAX_VERIFIER_KEY + 1), KeyError::Malformed),
        ];
        for (text, fault) in cases {
            assert_eq!(VerifierKey::parse(text), Err(fault), "{text}");
        }
        assert_eq!(KeyName::new(&"x".repeat(MAX_NAME + 1)), Err(KeyError::BadName));
        assert!(KeyName::new(&"x".repeat(MAX_NAME)).is_ok());
    }

    #[test]
    fn types_go_through_their_bytes() {
        for byte in 0..=255 {
            assert_eq!(SignatureType::from_byte(byte).byte(), byte);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,120}", tail in "[+/A-Za-z0-9=]{0,60}") {
            let _ = VerifierKey::parse(&text);
            if let Ok(key) = VerifierKey::parse(&format!("name+00000000+{tail}")) {
                prop_assert_eq!(key.hex_key_id(), "00000000");
            }
        }
    }
}
