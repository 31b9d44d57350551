//! Opening: from sealed parts to the manifest and the files' bytes, after a receipt (R30, R32).
//!
//! Callers: the client, part by part. *Not here:* the receipt and the conditions (in the token that
//! [`crate::consent::Ledger::opening_given`] makes), and storing what was opened.

use super::sealer::{check, check_kind};
use super::{
    MAX_PARTS, MAX_SEALED_PART, MIN_PLAIN, ParcelError, PartsRoot, ReceiverContext, TAG_LEN, associated, info, padded,
    part_count, part_len, shared_key,
};
use crate::codec::Hash;
use crate::consent::{OpeningGiven, ParcelHead, Terms, key_hash};
use crate::overlap::CaseKey;
use crate::package::{self, FilePlan, FileRoot, MAX_MANIFEST, Manifest, PackageError};
use crate::seal::SealingKey;
use hpke::aead::AeadTag;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, PskBundle};
use std::collections::VecDeque;
use zeroize::Zeroizing;

/// Something opened. It is content: it has no `Debug` and no `Clone`.
pub enum Piece {
    /// The manifest: before everything else, and once. It is exactly the one consented to.
    Manifest(Box<Manifest>),
    /// The next bytes of a file. Every file gives at least one piece, an empty one too.
    File {
        /// Number of the item in the manifest, from 0.
        item: usize,
        /// Where in the file.
        offset: u64,
        /// The bytes.
        bytes: Zeroizing<Vec<u8>>,
    },
}

/// How far the stream has come.
enum Stage {
    /// Length of the manifest and the manifest, as far as they came.
    Manifest(Zeroizing<Vec<u8>>),
    /// The files, and then the padding, of a plaintext of this length.
    Contents(u64),
}

/// Opens one parcel, in order.
///
/// Nothing of the content comes out before the manifest's hash was compared with the consent's. **A file's bytes come out
/// as they decrypt, before the whole is checked: nobody relies on them, or shows them to anybody, until
/// [`Opener::finish`] has succeeded.** After any error all further calls are refused; what came out is to be destroyed.
pub struct Opener {
    context: ReceiverContext,
    terms: Terms,
    parts: u32,
    expected_root: Hash,
    /// Number of the next part.
    index: u32,
    /// Bytes of plaintext so far.
    received: u64,
    stage: Stage,
    files: VecDeque<FilePlan>,
    file_root: FileRoot,
    root: PartsRoot,
    void: bool,
}

impl Opener {
    /// Takes up the parcel of `head`, and uses the permission up.
    ///
    /// # Errors
    /// [`ParcelError`] says what does not fit. A wrong case key shows itself at the first part only.
    pub fn new(
        given: OpeningGiven,
        head: &ParcelHead,
        key: &SealingKey,
        case_key: &CaseKey,
    ) -> Result<Opener, ParcelError> {
        let terms = given.terms();
        check_kind(terms)?;
        if !given.is_for(head) {
            return Err(ParcelError::OtherParcel);
        }
        if !(1..=MAX_PARTS).contains(&head.parts) {
            return Err(ParcelError::Length);
        }
        if key_hash(&key.public().0) != terms.recipient_key {
            return Err(ParcelError::RecipientKey);
        }
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&head.encapsulation.0);
        let encapsulated = encapsulated.map_err(|_| ParcelError::DoesNotOpen)?;
        let shared = shared_key(case_key, terms);
        // The only error is an empty key or identifier: both have fixed lengths.
        let bundle = PskBundle::new(shared.as_ref(), &terms.handle.0).map_err(|_| ParcelError::DoesNotOpen)?;
        let context = hpke::setup_receiver(&OpModeR::Psk(bundle), &key.0, &encapsulated, &info(terms)?)
            .map_err(|_| ParcelError::DoesNotOpen)?;
        Ok(Opener {
            context,
            terms: terms.clone(),
            parts: head.parts,
            expected_root: head.root,
            index: 0,
            received: 0,
            stage: Stage::Manifest(Zeroizing::new(Vec::new())),
            files: VecDeque::new(),
            file_root: FileRoot::new(),
            root: PartsRoot::new(),
            void: false,
        })
    }

    /// Opens the next part: what is in it, in order. It can be nothing, while a long manifest comes.
    ///
    /// # Errors
    /// [`ParcelError`]; nothing of this part comes out, and all is void.
    pub fn part(&mut self, sealed: &[u8]) -> Result<Vec<Piece>, ParcelError> {
        if self.void {
            return Err(ParcelError::Void);
        }
        self.take(sealed).inspect_err(|_| self.void = true)
    }

    /// Whether the parcel is whole: all parts, files and padding as the manifest and the head say. Only now it counts.
    ///
    /// # Errors
    /// [`ParcelError::Unfinished`], [`ParcelError::Void`], or [`ParcelError::OtherParcel`] if the parts are not those of
    /// the head.
    pub fn finish(self) -> Result<(), ParcelError> {
        if self.void {
            return Err(ParcelError::Void);
        }
        let Stage::Contents(plain_len) = self.stage else { return Err(ParcelError::Unfinished) };
        if self.index != self.parts || !self.files.is_empty() || self.received != padded(plain_len) {
            return Err(ParcelError::Unfinished);
        }
        if self.root.finish() != self.expected_root {
            return Err(ParcelError::OtherParcel);
        }
        Ok(())
    }

    fn take(&mut self, sealed: &[u8]) -> Result<Vec<Piece>, ParcelError> {
        let last = self.index + 1 == self.parts;
        // All parts but the last are full; the first holds the smallest bucket at least.
        let least = if self.index == 0 { MIN_PLAIN as usize + TAG_LEN } else { TAG_LEN + 1 };
        let fits =
            if last { (least..=MAX_SEALED_PART).contains(&sealed.len()) } else { sealed.len() == MAX_SEALED_PART };
        if self.index >= self.parts || !fits {
            return Err(ParcelError::Length);
        }
        let (body, tag) = sealed.split_at(sealed.len() - TAG_LEN);
        let tag = AeadTag::from_bytes(tag).map_err(|_| ParcelError::Length)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let aad = associated(self.index, self.parts);
        let opened = self.context.open_inout_detached(plain.as_mut_slice().into(), &aad, &tag);
        opened.map_err(|_| ParcelError::DoesNotOpen)?;

        let mut out = Vec::new();
        let mut rest = plain.as_slice();
        if let Stage::Manifest(gathered) = &mut self.stage {
            rest = gather(gathered, rest)?;
            if let Some(manifest) = whole_manifest(gathered, &self.terms)? {
                let plain_len = manifest.plain_len().ok_or(PackageError::TooLarge)?;
                self.files = manifest.files().collect();
                self.stage = Stage::Contents(plain_len);
                out.push(Piece::Manifest(Box::new(manifest)));
                self.end_full_files(&mut out)?;
            }
        }
        if let Stage::Contents(plain_len) = self.stage {
            let whole = padded(plain_len);
            if part_count(whole) != Some(self.parts) || part_len(whole, self.index) != plain.len() {
                return Err(ParcelError::Length);
            }
            self.contents(rest, &mut out)?;
        }
        self.received += plain.len() as u64;
        self.index += 1;
        self.root.push(sealed);
        Ok(out)
    }

    /// The bytes after the manifest: files, then zeros.
    fn contents(&mut self, mut rest: &[u8], out: &mut Vec<Piece>) -> Result<(), ParcelError> {
        while let Some(file) = self.files.front().filter(|_| !rest.is_empty()).copied() {
            let offset = self.file_root.length();
            let len = (file.length - offset).min(rest.len() as u64) as usize;
            let (now, after) = rest.split_at(len);
            self.file_root.update(now);
            out.push(Piece::File { item: file.item, offset, bytes: Zeroizing::new(now.to_vec()) });
            rest = after;
            if self.file_root.length() == file.length {
                self.end_file(file)?;
                self.end_full_files(out)?;
            }
        }
        // Zeros only: padding carries nothing past the two officers.
        if rest.iter().any(|byte| *byte != 0) { Err(ParcelError::Padding) } else { Ok(()) }
    }

    /// Empty files that are next: a piece for each.
    fn end_full_files(&mut self, out: &mut Vec<Piece>) -> Result<(), ParcelError> {
        while let Some(file) = self.files.front().filter(|file| file.length == 0).copied() {
            out.push(Piece::File { item: file.item, offset: 0, bytes: Zeroizing::new(Vec::new()) });
            self.end_file(file)?;
        }
        Ok(())
    }

    fn end_file(&mut self, file: FilePlan) -> Result<(), ParcelError> {
        if std::mem::take(&mut self.file_root).finish() != (file.length, file.root) {
            return Err(ParcelError::File(file.item));
        }
        self.files.pop_front();
        Ok(())
    }
}

/// Moves what belongs to the manifest from `rest` to `gathered`; gives what follows it.
fn gather<'a>(gathered: &mut Zeroizing<Vec<u8>>, rest: &'a [u8]) -> Result<&'a [u8], ParcelError> {
    // The first part holds the length whole, so only it comes here with nothing gathered.
    if gathered.is_empty() {
        let length = manifest_len(rest).ok_or(ParcelError::Length)?;
        if length == 0 || length > MAX_MANIFEST {
            return Err(PackageError::TooLarge.into());
        }
        // Of the exact size from the start: a vector that grows leaves its content behind in memory.
        gathered.reserve_exact(4 + length);
    }
    let whole = 4 + manifest_len(gathered).or_else(|| manifest_len(rest)).ok_or(ParcelError::Length)?;
    let (now, after) = rest.split_at((whole - gathered.len()).min(rest.len()));
    gathered.extend_from_slice(now);
    Ok(after)
}

fn manifest_len(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize)
}

/// The manifest, once it is whole and exactly the one consented to. Nothing is decoded before its hash agrees.
fn whole_manifest(gathered: &[u8], terms: &Terms) -> Result<Option<Manifest>, ParcelError> {
    let length = manifest_len(gathered).ok_or(ParcelError::Length)?;
    let encoded = &gathered[4..];
    if encoded.len() < length {
        return Ok(None);
    }
    if package::hash_of_encoded(encoded) != terms.package {
        return Err(ParcelError::OtherPackage);
    }
    let manifest = Manifest::decode(encoded)?;
    check(terms, &manifest)?;
    Ok(Some(manifest))
}

/// What a test changes to play a recipient of other terms.
#[cfg(test)]
impl Opener {
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }
    pub(super) fn terms_mut(&mut self) -> &mut Terms {
        &mut self.terms
    }
    pub(super) fn replace_context(&mut self, context: ReceiverContext) {
        self.context = context;
    }
    pub(super) fn expect_parts(&mut self, parts: u32) {
        self.parts = parts;
    }
}
