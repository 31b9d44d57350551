//! Sealing: from a consent, a manifest and the files' bytes to sealed parts (R30, R31).
//!
//! Callers: the client, in a loop over [`Sealer::step`]. *Not here:* reading files and storing parts.

use super::{
    MAX_SEALED_PART, PART, ParcelError, PartsRoot, SenderContext, TAG_LEN, associated, info, padded, part_count,
    part_len, shared_key,
};
use crate::codec::{Bytes, Hash};
use crate::consent::{ConsentGiven, ConsentKind, ParcelHead, Terms, key_hash};
use crate::overlap::CaseKey;
use crate::package::{FilePlan, FileRoot, Manifest, PackageError};
use crate::seal::{ENCAPSULATION_LEN, PUBLIC_LEN};
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeS, PskBundle, Serializable};
use rand_core::CryptoRng;
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Bytes of a file that a [`Sealer`] needs next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Want {
    /// Number of the item in the manifest, from 0.
    pub item: usize,
    /// Where in the file.
    pub offset: u64,
    /// How many at most: 1 to [`PART`].
    pub len: usize,
}

/// What a [`Sealer`] does next.
#[derive(PartialEq, Eq, Debug)]
pub enum Step {
    /// Read these bytes, and [`Sealer::feed`] them, or the first of them.
    Read(Want),
    /// Store this sealed part.
    Part {
        /// Its number, from 0.
        index: u32,
        /// Its bytes, at most [`MAX_SEALED_PART`].
        sealed: Vec<u8>,
    },
    /// Everything is sealed: [`Sealer::finish`].
    Done,
}

/// Seals one parcel, once.
///
/// Until [`Sealer::finish`] nobody can open the parts: the encapsulation comes with the head, after every file was
/// checked against the manifest. After any error all further calls are refused and there is no head.
///
/// One consent makes one sealer:
/// ```
/// # use protocol::{Bytes, consent::ConsentGiven, overlap::CaseKey, package::Manifest, parcel::Sealer};
/// # use rand_core::CryptoRng;
/// fn once(given: ConsentGiven, of: &Manifest, to: &Bytes<1216>, case: &CaseKey, rng: &mut impl CryptoRng) {
///     let _ = Sealer::new(given, of, to, case, rng);
/// }
/// ```
/// And no second one:
/// ```compile_fail
/// # use protocol::{Bytes, consent::ConsentGiven, overlap::CaseKey, package::Manifest, parcel::Sealer};
/// # use rand_core::CryptoRng;
/// fn twice(given: ConsentGiven, of: &Manifest, to: &Bytes<1216>, case: &CaseKey, rng: &mut impl CryptoRng) {
///     let _ = Sealer::new(given, of, to, case, rng);
///     let _ = Sealer::new(given, of, to, case, rng);
/// }
/// ```
pub struct Sealer {
    context: SenderContext,
    encapsulation: Bytes<ENCAPSULATION_LEN>,
    consent: Hash,
    package: Hash,
    padded: u64,
    parts: u32,
    /// Number of the part being filled.
    index: u32,
    buffer: Zeroizing<Vec<u8>>,
    /// Length of the manifest and the manifest.
    opening: Zeroizing<Vec<u8>>,
    /// How much of it is in parts.
    opened: usize,
    files: VecDeque<FilePlan>,
    file_root: FileRoot,
    root: PartsRoot,
    void: bool,
}

impl Sealer {
    /// Checks that `manifest` is exactly what was consented to, and uses the consent up.
    ///
    /// # Errors
    /// [`ParcelError`] says in what manifest, key and consent differ; nothing was sealed.
    pub fn new(
        given: ConsentGiven,
        manifest: &Manifest,
        recipient_key: &Bytes<PUBLIC_LEN>,
        case_key: &CaseKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Sealer, ParcelError> {
        let terms = given.terms();
        check(terms, manifest)?;
        if key_hash(&recipient_key.0) != terms.recipient_key {
            return Err(ParcelError::RecipientKey);
        }
        let plain_len = manifest.plain_len().ok_or(PackageError::TooLarge)?;
        let padded = padded(plain_len);
        let parts = part_count(padded).ok_or(PackageError::TooLarge)?;

        let to = <XWing as Kem>::PublicKey::from_bytes(&recipient_key.0).map_err(|_| ParcelError::RecipientKey)?;
        let shared = shared_key(case_key, terms);
        // The only error is an empty key or identifier: both have fixed lengths.
        let bundle = PskBundle::new(shared.as_ref(), &terms.handle.0).map_err(|_| ParcelError::RecipientKey)?;
        let mode = OpModeS::Psk(bundle);
        let (encapsulated, context): (<XWing as Kem>::EncappedKey, SenderContext) =
            hpke::setup_sender_with_rng(&mode, &to, &info(terms)?, rng).map_err(|_| ParcelError::RecipientKey)?;
        let mut encapsulation = [0; ENCAPSULATION_LEN];
        encapsulated.write_exact(&mut encapsulation);

        let encoded = manifest.encode();
        let length = u32::try_from(encoded.len()).map_err(|_| PackageError::TooLarge)?;
        let mut opening = Zeroizing::new(Vec::with_capacity(4 + encoded.len()));
        opening.extend_from_slice(&length.to_be_bytes());
        opening.extend_from_slice(&encoded);
        let mut sealer = Sealer {
            context,
            encapsulation: Bytes(encapsulation),
            consent: terms.id(),
            package: terms.package,
            padded,
            parts,
            index: 0,
            buffer: fresh_buffer(),
            opening,
            opened: 0,
            files: manifest.files().collect(),
            file_root: FileRoot::new(),
            root: PartsRoot::new(),
            void: false,
        };
        sealer.end_full_files()?;
        Ok(sealer)
    }

    /// Number of parts there will be.
    pub fn parts(&self) -> u32 {
        self.parts
    }

    /// Length of all sealed parts together, in bytes.
    pub fn sealed_len(&self) -> u64 {
        self.padded + u64::from(self.parts) * TAG_LEN as u64
    }

    /// What is to be done next. Asked twice without an answer, it wants the same bytes again.
    ///
    /// # Errors
    /// [`ParcelError::Void`] after an error.
    pub fn step(&mut self) -> Result<Step, ParcelError> {
        if self.void {
            return Err(ParcelError::Void);
        }
        while self.index < self.parts {
            let space = part_len(self.padded, self.index) - self.buffer.len();
            if space == 0 {
                return self.seal_part().inspect_err(|_| self.void = true);
            }
            let left = &self.opening[self.opened..];
            if !left.is_empty() {
                let now = &left[..left.len().min(space)];
                self.buffer.extend_from_slice(now);
                self.opened += now.len();
            } else if let Some(want) = self.want(space) {
                return Ok(Step::Read(want));
            } else {
                let filled = self.buffer.len() + space;
                self.buffer.resize(filled, 0);
            }
        }
        Ok(Step::Done)
    }

    /// The bytes that the last [`Step::Read`] asked for, or the first of them.
    ///
    /// # Errors
    /// [`ParcelError::File`] if the file ended too early (no bytes) or is not the one in the manifest,
    /// [`ParcelError::Unasked`], [`ParcelError::Void`]. All is void then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ParcelError> {
        if self.void {
            return Err(ParcelError::Void);
        }
        self.take(bytes).inspect_err(|_| self.void = true)
    }

    /// The public part of the parcel, once [`Step::Done`] came.
    ///
    /// # Errors
    /// [`ParcelError::Unfinished`], or [`ParcelError::Void`].
    pub fn finish(self) -> Result<ParcelHead, ParcelError> {
        if self.void {
            return Err(ParcelError::Void);
        }
        if self.index < self.parts {
            return Err(ParcelError::Unfinished);
        }
        Ok(ParcelHead {
            consent: self.consent,
            package: self.package,
            parts: self.parts,
            root: self.root.finish(),
            encapsulation: self.encapsulation,
        })
    }

    /// The next bytes of the first file that is not whole, at most `space`.
    fn want(&self, space: usize) -> Option<Want> {
        let file = self.files.front()?;
        let offset = self.file_root.length();
        Some(Want { item: file.item, offset, len: (file.length - offset).min(space as u64) as usize })
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), ParcelError> {
        if self.opened < self.opening.len() || self.index >= self.parts {
            return Err(ParcelError::Unasked);
        }
        let space = part_len(self.padded, self.index) - self.buffer.len();
        let want = self.want(space).filter(|want| bytes.len() <= want.len).ok_or(ParcelError::Unasked)?;
        if bytes.is_empty() && want.len > 0 {
            return Err(ParcelError::File(want.item));
        }
        self.buffer.extend_from_slice(bytes);
        self.file_root.update(bytes);
        self.end_full_files()
    }

    /// Compares every file that is whole with the manifest: the current one, and empty ones after it.
    fn end_full_files(&mut self) -> Result<(), ParcelError> {
        while let Some(file) = self.files.front().filter(|file| file.length == self.file_root.length()).copied() {
            if std::mem::take(&mut self.file_root).finish() != (file.length, file.root) {
                return Err(ParcelError::File(file.item));
            }
            self.files.pop_front();
        }
        Ok(())
    }

    /// Seals the full buffer in place: the plaintext is gone.
    fn seal_part(&mut self) -> Result<Step, ParcelError> {
        let aad = associated(self.index, self.parts);
        let tag = self.context.seal_inout_detached(self.buffer.as_mut_slice().into(), &aad);
        // The only errors are more than 2^64 messages, or one above 256 GiB.
        let tag = tag.map_err(|_| ParcelError::Length)?;
        let mut sealed = std::mem::replace(&mut *self.buffer, Vec::with_capacity(MAX_SEALED_PART));
        let end = sealed.len();
        sealed.resize(end + TAG_LEN, 0);
        tag.write_exact(&mut sealed[end..]);
        self.root.push(&sealed);
        let index = self.index;
        self.index += 1;
        Ok(Step::Part { index, sealed })
    }
}

/// Room for a part and its tag, so that it never grows and leaves nothing behind in memory.
fn fresh_buffer() -> Zeroizing<Vec<u8>> {
    const { assert!(MAX_SEALED_PART == PART + TAG_LEN) };
    Zeroizing::new(Vec::with_capacity(MAX_SEALED_PART))
}

/// Whether `terms` are over exactly `manifest`.
pub(super) fn check(terms: &Terms, manifest: &Manifest) -> Result<(), ParcelError> {
    check_kind(terms)?;
    let same_case = manifest.federation == terms.federation
        && manifest.handle == terms.handle
        && manifest.provider == terms.provider
        && manifest.recipient == terms.recipient;
    if !same_case {
        return Err(ParcelError::OtherCase);
    }
    if !manifest.is_of(terms) {
        return Err(ParcelError::OtherPackage);
    }
    manifest.check()?;
    Ok(())
}

/// Parcels have two kinds of consent; a journal's is none of them.
pub(super) fn check_kind(terms: &Terms) -> Result<(), ParcelError> {
    match terms.kind {
        ConsentKind::Parcel | ConsentKind::Urgent => Ok(()),
        ConsentKind::Journal => Err(ParcelError::Kind),
    }
}

/// What a test changes to play a hostile provider.
#[cfg(test)]
impl Sealer {
    pub(super) fn tamper_manifest(&mut self, change: impl FnOnce(&mut [u8])) {
        change(&mut self.opening);
    }
    pub(super) fn tamper_padded(&mut self, more: u64) {
        self.padded += more;
        self.parts = part_count(self.padded).unwrap();
    }
    /// These bytes in place of all files.
    pub(super) fn tamper_contents(&mut self, bytes: &[u8]) {
        self.files.clear();
        self.opening.extend_from_slice(bytes);
    }
}
