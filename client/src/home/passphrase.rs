//! Passphrases from files. Prompts are the terminal's part.
//!
//! Called by command/context.rs for SUTURA_PASSPHRASE_FILE and SUTURA_OFFICER_PASSPHRASE_FILE. A passphrase never
//! stands in an argument or in a variable's value: other processes can read both.

use crate::vault::Passphrase;
use std::io::Read;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The longest passphrase file.
const MAX_BYTES: u64 = 4096;

/// Why a passphrase file is not used.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Everyone on the machine can read it.
    #[error("{} can be read by every user of this machine", .0.display())]
    WorldReadable(PathBuf),
    /// Nothing in its first line.
    #[error("{} holds no passphrase", .0.display())]
    Empty(PathBuf),
}

/// The first line of a file that not everyone can read.
pub fn from_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let fail = |error| PassphraseError::File { path: path.to_owned(), error };
    let mut file = std::fs::File::open(path).map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata().map_err(fail)?.permissions().mode() & 0o007 != 0 {
            return Err(PassphraseError::WorldReadable(path.to_owned()));
        }
    }
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize));
    file.by_ref().take(MAX_BYTES).read_to_string(&mut text).map_err(fail)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Passphrase::new(Zeroizing::new(line.to_owned()))),
        _ => Err(PassphraseError::Empty(path.to_owned())),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_first_line_of_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        assert!(matches!(from_file(&path), Err(PassphraseError::File { .. })));
        std::fs::write(&path, "a long one \r\nsecond line\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(from_file(&path), Err(PassphraseError::WorldReadable(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(from_file(&path).unwrap().expose_secret(), "a long one ");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(from_file(&path), Err(PassphraseError::Empty(_))));
    }
}
