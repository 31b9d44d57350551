//! What is handed over: a package, as its manifest names it and as a consent is given over it (R29, R30).
//!
//! A [`Manifest`] holds the purpose and the items: fields with their values, and files by length and root. It carries a
//! random salt, so that none of its hashes can be guessed from a likely value. The salts of the fields, the purpose and
//! the handling codes are derived from it one way: an audit that opens one of the three opens neither the others nor the
//! package.
//!
//! Callers: the client that assembles a package and shows it before signature, [`crate::parcel`], the audit. *Not here:*
//! who consents ([`crate::consent`]), how a package is sealed ([`crate::parcel`]), and where the files lie.

mod file;
mod item;
mod opening;

pub use file::FileRoot;
pub use item::{
    Category, Content, ContentKind, FieldLine, HandlingCode, InformationCode, Item, Nature, NoSuchWord, SourceCode,
};
pub use opening::{FieldsOpening, HandlingLine, HandlingOpening, Openings, PurposeOpening};

use crate::codec::{Bytes, Hash};
use crate::consent::{ConsentKind, Terms};
use crate::label;
use crate::name::UnitName;
use crate::overlap::Handle;
use crate::parcel;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Most items of a package.
pub const MAX_ITEMS: usize = 256;
/// The longest encoded manifest, in bytes.
pub const MAX_MANIFEST: usize = 4 << 20;
/// The longest name of a field, in bytes.
pub const MAX_FIELD_NAME: usize = 64;
/// The longest text of an own restriction, in bytes.
pub const MAX_RESTRICTION: usize = 200;
/// The longest reason why a field is needed, in bytes.
pub const MAX_NECESSITY: usize = 500;
/// The longest text of a field, in bytes.
pub const MAX_TEXT: usize = 65_536;
/// The longest name of a file, in bytes.
pub const MAX_FILE_NAME: usize = 200;
/// The longest text of a purpose, in bytes.
pub const MAX_PURPOSE: usize = 1000;
/// The longest offence, legal basis or reference of a purpose, in bytes.
pub const MAX_PURPOSE_LINE: usize = 200;

/// Why a package is refused. A number is that of the item, from 0. No value is ever in an error.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum PackageError {
    /// No item, or more than [`MAX_ITEMS`].
    #[error("a package has 1 to 256 items")]
    Items,
    /// A field's name is empty, too long, or holds characters that steer a terminal.
    #[error("item {0}: a field's name is 1 to 64 bytes without control characters")]
    FieldName(usize),
    /// The handling codes are missing, not sorted, or stand twice.
    #[error("item {0}: the handling codes are missing, or not in order")]
    Handling(usize),
    /// H3 without its restriction, a restriction without H3, or one that is too long.
    #[error("item {0}: handling code H3, and no other, comes with a restriction of 1 to 200 bytes")]
    Restriction(usize),
    /// The reason why the field is needed is missing or too long.
    #[error("item {0}: the reason why the field is needed is 1 to 500 bytes")]
    Necessity(usize),
    /// The text is too long, or holds control characters.
    #[error("item {0}: a text is at most 65,536 bytes, without control characters but tabs and line ends")]
    Text(usize),
    /// The file's name is empty, too long, or could name another place.
    #[error("item {0}: a file's name is 1 to 200 bytes, and names no directory")]
    FileName(usize),
    /// A text of the purpose is missing or too long.
    #[error("the purpose, its offence or its legal basis is missing or too long")]
    Purpose,
    /// A unit hands nothing over to itself.
    #[error("provider and recipient are the same unit")]
    Parties,
    /// The manifest is above [`MAX_MANIFEST`], or the whole above [`parcel::MAX_PLAIN`].
    #[error("the package is too large")]
    TooLarge,
    /// The bytes are no manifest in its one canonical form.
    #[error("the bytes are no manifest")]
    Malformed,
}

impl PackageError {
    /// The stable name of this error, as the docs and problem documents write it.
    pub fn code(&self) -> &'static str {
        match self {
            PackageError::Items => "package-items",
            PackageError::FieldName(_) => "package-field-name",
            PackageError::Handling(_) => "package-handling",
            PackageError::Restriction(_) => "package-restriction",
            PackageError::Necessity(_) => "package-necessity",
            PackageError::Text(_) => "package-text",
            PackageError::FileName(_) => "package-file-name",
            PackageError::Purpose => "package-purpose",
            PackageError::Parties => "package-parties",
            PackageError::TooLarge => "package-too-large",
            PackageError::Malformed => "package-malformed",
        }
    }
}

/// What the recipient may use a package for.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct Purpose {
    /// In words, 1 to [`MAX_PURPOSE`] bytes.
    #[n(0)]
    pub text: String,
    /// The offence under investigation, 1 to [`MAX_PURPOSE_LINE`] bytes.
    #[n(1)]
    pub offence: String,
    /// The legal basis, 1 to [`MAX_PURPOSE_LINE`] bytes.
    #[n(2)]
    pub legal_basis: String,
    /// The magistrate's reference, where there is one.
    #[n(3)]
    pub reference: Option<String>,
}

impl Purpose {
    /// Whether all texts are within their limits.
    ///
    /// # Errors
    /// [`PackageError::Purpose`].
    pub fn check(&self) -> Result<(), PackageError> {
        let lines = [Some(&self.offence), Some(&self.legal_basis), self.reference.as_ref()];
        let fits = item::is_text(&self.text, 1, MAX_PURPOSE)
            && lines.into_iter().flatten().all(|line| item::is_text(line, 1, MAX_PURPOSE_LINE));
        if fits { Ok(()) } else { Err(PackageError::Purpose) }
    }
}

/// A whole package but for the contents of its files.
///
/// It is content: it has no `Debug` and no `Clone`, and its values are wiped from memory when it is dropped. Bytes become
/// one by [`Manifest::decode`], which checks them.
#[derive(Encode, Decode)]
#[cbor(array)]
pub struct Manifest {
    /// 32 random bytes, fresh for each package.
    #[n(0)]
    pub salt: Bytes<32>,
    /// The federation.
    #[n(1)]
    pub federation: Hash,
    /// The overlap.
    #[n(2)]
    pub handle: Handle,
    /// Who discloses.
    #[n(3)]
    pub provider: UnitName,
    /// To whom.
    #[n(4)]
    pub recipient: UnitName,
    /// What for.
    #[n(5)]
    pub purpose: Purpose,
    /// The fields and files, 1 to [`MAX_ITEMS`].
    #[n(6)]
    pub items: Vec<Item>,
}

impl Manifest {
    /// Whether everything is within its limits. Whoever asks an officer to sign checks first; sealing checks again.
    ///
    /// # Errors
    /// [`PackageError`] names the first item that does not fit.
    pub fn check(&self) -> Result<(), PackageError> {
        if self.provider == self.recipient {
            return Err(PackageError::Parties);
        }
        if !(1..=MAX_ITEMS).contains(&self.items.len()) {
            return Err(PackageError::Items);
        }
        self.purpose.check()?;
        for (number, item) in self.items.iter().enumerate() {
            item.check(number)?;
        }
        match self.plain_len() {
            Some(whole) if whole <= parcel::MAX_PLAIN && self.encoded_len() <= MAX_MANIFEST => Ok(()),
            _ => Err(PackageError::TooLarge),
        }
    }

    /// The canonical bytes, which are content like the manifest itself.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Of the exact size from the start: a vector that grows leaves its content behind in memory.
        let mut out = Zeroizing::new(Vec::with_capacity(self.encoded_len()));
        // Writing into a Vec has no error, and our Encode impls return none of their own.
        let _ = minicbor::encode(self, &mut *out);
        out
    }

    /// From canonical bytes, checked.
    ///
    /// # Errors
    /// [`PackageError::Malformed`], or what [`Manifest::check`] refuses.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, PackageError> {
        if bytes.len() > MAX_MANIFEST {
            return Err(PackageError::TooLarge);
        }
        let manifest: Manifest = minicbor::decode(bytes).map_err(|_| PackageError::Malformed)?;
        if manifest.encode().as_slice() != bytes {
            return Err(PackageError::Malformed);
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// Every item without its value: what officers, and later an audit, may see of it.
    pub fn field_lines(&self) -> Vec<FieldLine> {
        self.items.iter().map(Item::line).collect()
    }

    /// What a consent is given over: the hash of everything, values and files included.
    pub fn package_hash(&self) -> Hash {
        let mut sink = HashSink(labelled(label::PACKAGE));
        // Hashing has no error: see `encode`.
        let _ = minicbor::encode(self, &mut sink);
        Bytes(sink.0.finalize().into())
    }

    /// What can be shown to an auditor of fields, purpose and handling codes. No value is in it.
    pub fn openings(&self) -> Openings {
        Openings::of(self)
    }

    /// The terms of a consent over exactly this package. Check the package first ([`Manifest::check`]).
    ///
    /// Only [`ConsentKind::Parcel`] and [`ConsentKind::Urgent`] can be sealed; a journal's terms are over no package.
    pub fn terms(
        &self,
        kind: ConsentKind,
        accord: &Hash,
        recipient_key: Hash,
        until_ms: u64,
        nonce: Bytes<16>,
    ) -> Terms {
        let openings = self.openings();
        Terms {
            kind,
            federation: self.federation,
            accord: *accord,
            handle: self.handle,
            provider: self.provider.clone(),
            recipient: self.recipient.clone(),
            recipient_key,
            package: self.package_hash(),
            fields: openings.fields.hash(),
            purpose: openings.purpose.hash(),
            handling: openings.handling.hash(),
            until_ms,
            nonce,
        }
    }

    /// Whether `terms` are over exactly this package: the package itself, and each list that officers were shown.
    pub fn is_of(&self, terms: &Terms) -> bool {
        self.package_hash() == terms.package && self.openings().are_of(terms)
    }

    /// Length of the canonical bytes.
    pub fn encoded_len(&self) -> usize {
        let mut sink = CountSink(0);
        // Counting has no error: see `encode`.
        let _ = minicbor::encode(self, &mut sink);
        sink.0
    }

    /// Length of everything that is sealed, before padding; `None` if it is beyond counting.
    pub(crate) fn plain_len(&self) -> Option<u64> {
        self.files().try_fold(4 + self.encoded_len() as u64, |sum, file| sum.checked_add(file.length))
    }

    /// The files, in the order of the items.
    pub(crate) fn files(&self) -> impl Iterator<Item = FilePlan> {
        self.items.iter().enumerate().filter_map(|(item, one)| match &one.content {
            Content::File { length, root, .. } => Some(FilePlan { item, length: *length, root: *root }),
            Content::Text(_) => None,
        })
    }
}

/// What sealing and opening know of a file: all but its name.
#[derive(Clone, Copy)]
pub(crate) struct FilePlan {
    pub(crate) item: usize,
    pub(crate) length: u64,
    pub(crate) root: Hash,
}

/// [`Manifest::package_hash`] of a manifest that came as bytes: compared before anything is decoded.
pub(crate) fn hash_of_encoded(manifest: &[u8]) -> Hash {
    Bytes(labelled(label::PACKAGE).chain_update(manifest).finalize().into())
}

/// A hash that has taken `label ‖ 0`.
fn labelled(label: &str) -> Sha256 {
    Sha256::new().chain_update(label).chain_update([0])
}

/// Hashes what is encoded, so that no copy of a value lies in memory.
struct HashSink(Sha256);

impl minicbor::encode::Write for HashSink {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.update(bytes);
        Ok(())
    }
}

/// Counts what is encoded.
struct CountSink(usize);

impl minicbor::encode::Write for CountSink {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
