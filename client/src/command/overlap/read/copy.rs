//! A copy of an opened package: written into a hidden folder beside its place, and moved there when it is whole.
//!
//! Names of files are this program's own: what the sender calls a file stands in `fields.json` only. Folder and files are
//! for their owner alone. *Not here:* noting the copy, which comes before.

use super::super::pack::{item_json, purpose_json};
use crate::command::{CommandError, Exit};
use crate::terminal::printable;
use protocol::package::{Content, Manifest};
use protocol::parcel::Piece;
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

/// Endings that help to open a file and run nothing; any other becomes `bin`.
const ENDINGS: [&str; 14] =
    ["pdf", "txt", "csv", "json", "jpg", "jpeg", "png", "tif", "wav", "mp3", "mp4", "xlsx", "docx", "odt"];

/// A copy on its way. Dropped before its end, it is gone.
pub struct Copying {
    hidden: PathBuf,
    place: PathBuf,
    manifest: Option<Box<Manifest>>,
    file: Option<(usize, File)>,
    files: usize,
    is_done: bool,
}

impl Copying {
    /// Makes the hidden folder.
    pub fn begin(place: &Path) -> Result<Copying> {
        let name = place.file_name().ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        let hidden = place.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&hidden)?;
        let place = place.to_owned();
        Ok(Copying { hidden, place, manifest: None, file: None, files: 0, is_done: false })
    }

    /// The next piece.
    pub fn take(&mut self, piece: Piece) -> Result<()> {
        match piece {
            Piece::Manifest(manifest) => self.manifest = Some(manifest),
            Piece::File { item, bytes, .. } => {
                if self.file.as_ref().is_none_or(|(open, _)| *open != item) {
                    let name = self.name(item).ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
                    self.file = Some((item, new_file(&self.hidden.join(name))?));
                    self.files += 1;
                }
                if let Some((_, file)) = &mut self.file {
                    file.write_all(&bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The package has proved right: writes `fields.json`, and makes the copy visible. How many files there are beside it.
    pub fn finish(mut self, mut head: Value) -> Result<usize> {
        let manifest = self.manifest.take().ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
        let items: Vec<Value> = manifest
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let mut value = item_json(item);
                if let Content::File { name, .. } = &item.content {
                    value["file"] = json!(own_name(at, name));
                }
                value
            })
            .collect();
        head["purpose"] = purpose_json(&manifest.purpose);
        head["items"] = json!(items);
        let mut file = new_file(&self.hidden.join("fields.json"))?;
        serde_json::to_writer_pretty(&mut file, &head)?;
        file.sync_all()?;
        if self.place.symlink_metadata().is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        std::fs::rename(&self.hidden, &self.place)?;
        self.is_done = true;
        Ok(self.files)
    }

    fn name(&self, item: usize) -> Option<String> {
        match &self.manifest.as_ref()?.items.get(item)?.content {
            Content::File { name, .. } => Some(own_name(item, name)),
            Content::Text(_) => None,
        }
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        if !self.is_done {
            // What cannot be removed now stays hidden, and noted as a copy.
            let _ = std::fs::remove_dir_all(&self.hidden);
        }
    }
}

/// The number of the item, and an ending that runs nothing.
fn own_name(item: usize, theirs: &str) -> String {
    let ending = theirs.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let ending = ENDINGS.iter().find(|known| **known == ending).copied().unwrap_or("bin");
    format!("{:03}.{ending}", item + 1)
}

fn new_file(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The copy could not be written.
pub fn failed(folder: &Path, error: &Error) -> CommandError {
    let (path, why) = (printable(&folder.display().to_string()), error.to_string());
    CommandError::told(Exit::Refused, "error-file", &[("path", &path), ("why", &why)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::package::{Category, HandlingCode, InformationCode, Item, Nature, Purpose, SourceCode};
    use protocol::{Bytes, Hash};

    fn manifest(names: &[&str]) -> Box<Manifest> {
        let item = |name: &&str| Item {
            name: "scan".to_owned(),
            category: Category::Suspect,
            handling: vec![HandlingCode::H1],
            restriction: None,
            source: SourceCode::A,
            information: InformationCode::One,
            nature: Nature::Fact,
            necessity: "n".to_owned(),
            content: Content::File { name: (*name).to_owned(), length: 2, root: Hash::ZERO },
        };
        let text = |text: &str| text.to_owned();
        Box::new(Manifest {
            salt: Bytes([1; 32]),
            federation: Hash::ZERO,
            handle: Bytes([2; 16]),
            provider: "SN".parse().unwrap(),
            recipient: "GM".parse().unwrap(),
            purpose: Purpose { text: text("t"), offence: text("o"), legal_basis: text("l"), reference: None },
            items: names.iter().map(item).collect(),
        })
    }

    fn piece(item: usize, offset: u64, bytes: &[u8]) -> Piece {
        Piece::File { item, offset, bytes: bytes.to_vec().into() }
    }

    #[test]
    fn a_copy_has_names_of_our_own_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("copy");
        let mut copying = Copying::begin(&place).unwrap();
        copying.take(Piece::Manifest(manifest(&["..\u{2024}evil.exe", "photo.JPG"]))).unwrap();
        copying.take(piece(0, 0, b"ab")).unwrap();
        copying.take(piece(1, 0, b"c")).unwrap();
        copying.take(piece(1, 1, b"d")).unwrap();
        assert!(!place.exists(), "not before the end");
        assert_eq!(copying.finish(json!({ "overlap": "x" })).unwrap(), 2);
        assert_eq!(std::fs::read(place.join("001.bin")).unwrap(), b"ab");
        assert_eq!(std::fs::read(place.join("002.jpg")).unwrap(), b"cd");
        let fields: Value = serde_json::from_slice(&std::fs::read(place.join("fields.json")).unwrap()).unwrap();
        assert_eq!(
            (&fields["items"][1]["sent_as"], &fields["items"][1]["file"]),
            (&json!("photo.JPG"), &json!("002.jpg"))
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&place), mode(&place.join("001.bin"))), (0o700, 0o600));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("copy");
        let mut copying = Copying::begin(&place).unwrap();
        copying.take(Piece::Manifest(manifest(&["a.pdf"]))).unwrap();
        copying.take(piece(0, 0, b"ab")).unwrap();
        drop(copying);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let copying = Copying::begin(&place).unwrap();
        assert!(copying.finish(json!({})).is_err(), "no manifest, no copy");
        assert!(Copying::begin(Path::new("/")).is_err());
    }
}
