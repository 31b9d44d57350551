//! A unit's home: the folder with its vault, and who may work in it at a time.
//!
//! Called by commands and the exercise. *Not here:* what is in the vault, and who the unit is (membership.rs).
//!
//! | file | what |
//! |---|---|
//! | `vault.sqlite` (and `-wal`, `-shm`) | the vault |
//! | `agent.lock`, `register.lock` | empty; locked while a process works |

mod passphrase;

pub use passphrase::{PassphraseError, from_file};

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// No --home, no SUTURA_HOME, and the platform names no folder.
    #[error("this system names no data folder")]
    Nowhere,
    /// The folder cannot be made or read.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process works there.
    #[error("another sutura process works in {}", .0.display())]
    InUse(PathBuf),
}

/// What a process does alone. The two do not exclude each other: a watching agent picks up what is imported meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Speaks and acts for the unit: reads the agent's state, changes it, sends.
    Agent,
    /// Changes the register.
    Register,
}

/// The lock of some work. It ends with this value, or with the process.
pub struct Lock {
    _file: File,
}

/// A unit's folder.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// That folder.
    pub fn at(path: impl Into<PathBuf>) -> Home {
        Home { path: path.into() }
    }

    /// The folder that was asked for (`--home`, else SUTURA_HOME), else the platform's data folder.
    pub fn find(asked: Option<PathBuf>) -> Result<Home, HomeError> {
        let own = || directories::ProjectDirs::from("", "", "sutura").map(|dirs| dirs.data_dir().to_owned());
        asked.filter(|path| !path.as_os_str().is_empty()).or_else(own).map(Home::at).ok_or(HomeError::Nowhere)
    }

    /// Makes the folder, for its owner only.
    pub fn make(&self) -> Result<(), HomeError> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(|error| HomeError::File { path: self.path.clone(), error })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the vault is.
    pub fn vault(&self) -> PathBuf {
        self.path.join("vault.sqlite")
    }

    /// Takes the right to some work, if no other process has it.
    pub fn lock(&self, work: Work) -> Result<Lock, HomeError> {
        let path = self.path.join(match work {
            Work::Agent => "agent.lock",
            Work::Register => "register.lock",
        });
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| HomeError::File { path: path.clone(), error })?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(HomeError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(HomeError::File { path, error }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_for_each_work() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("unit"));
        home.make().unwrap();
        let agent = home.lock(Work::Agent).unwrap();
        assert!(matches!(home.lock(Work::Agent), Err(HomeError::InUse(_))));
        assert!(home.lock(Work::Register).is_ok());
        drop(agent);
        assert!(home.lock(Work::Agent).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("a/b"));
        home.make().unwrap();
        assert_eq!(std::fs::metadata(home.path()).unwrap().permissions().mode() & 0o077, 0);
    }
}
