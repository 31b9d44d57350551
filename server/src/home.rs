//! The broker's folder: everything it keeps stands under it.
//!
//! ```text
//! broker.toml        federation, database, host names
//! broker.sqlite      the store, unless it is on PostgreSQL
//! signing.key        the broker's Ed25519 seed, in hexadecimal (readable by its owner only)
//! authority.key      the key of its certificate authority, PEM (the same)
//! authority.pem      the authority's certificate: what invites fingerprint
//! address            where it listens, written by `serve`
//! ```
//!
//! Callers: the commands, and whoever founds a broker in-process. *Not here:* what certificates say
//! (`authority`).

use crate::authority::{Authority, AuthorityError};
use protocol::identity::SigningKey;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is written when a broker is founded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The federation's name, as people say it.
    pub federation: String,
    /// A PostgreSQL URL; without it, SQLite in the same folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Host names and addresses under which units reach the broker, besides `localhost` and 127.0.0.1.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A folder that holds a broker.
pub struct Home {
    folder: PathBuf,
    settings: Settings,
    signing: SigningKey,
    authority: Authority,
}

/// Why a folder is no broker's home, or cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is a broker already.
    #[error("{0} holds a broker already")]
    Taken(PathBuf),
    /// There is none.
    #[error("{0} holds no broker")]
    Empty(PathBuf),
    /// The federation's name is too long or empty.
    #[error("a federation's name is 1 to 100 bytes, without control characters")]
    Name,
    /// Not a PostgreSQL URL.
    #[error("a database is named by a URL that begins with postgres://")]
    Database,
    /// A secret key that others can read.
    #[error("{0} can be read by others")]
    Readable(PathBuf),
    /// A file that is not what it should be.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// The disk.
    #[error("{0}: {1}")]
    Disk(PathBuf, #[source] io::Error),
    /// The certificate authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Home {
    /// Founds a broker in `folder`: makes its keys and its authority.
    pub fn found(folder: &Path, settings: Settings, now_ms: u64) -> Result<Home, HomeError> {
        let name = &settings.federation;
        if !(1..=100).contains(&name.len()) || name.chars().any(char::is_control) {
            return Err(HomeError::Name);
        }
        if settings.database.as_deref().is_some_and(|url| !is_postgres(url)) {
            return Err(HomeError::Database);
        }
        if folder.join("broker.toml").exists() {
            return Err(HomeError::Taken(folder.to_owned()));
        }
        fs::create_dir_all(folder).map_err(|e| HomeError::Disk(folder.to_owned(), e))?;
        restrict(folder, 0o700)?;
        let signing = SigningKey::generate(&mut crate::random());
        write(&folder.join("signing.key"), Zeroizing::new(hex::encode(signing.expose_secret())).as_bytes(), 0o600)?;
        let authority = Authority::found(name, now_ms)?;
        write(&folder.join("authority.key"), authority.expose_secret_pem().as_bytes(), 0o600)?;
        write(&folder.join("authority.pem"), authority.certificate_pem().as_bytes(), 0o644)?;
        if settings.database.is_none() {
            // SQLite gives its other files the mode of this one.
            write(&folder.join("broker.sqlite"), b"", 0o600)?;
        }
        let text = toml::to_string(&settings).map_err(|_| HomeError::Name)?;
        // The URL of a database may hold a password. This file comes last: with it, the folder holds a broker.
        write(&folder.join("broker.toml"), text.as_bytes(), 0o600)?;
        Ok(Home { folder: folder.to_owned(), settings, signing, authority })
    }

    /// Opens the broker's home in `folder`.
    pub fn open(folder: &Path) -> Result<Home, HomeError> {
        let at = folder.join("broker.toml");
        if !at.exists() {
            return Err(HomeError::Empty(folder.to_owned()));
        }
        let settings: Settings = toml::from_str(&read(&at)?).map_err(|_| HomeError::Damaged(at))?;
        let at = folder.join("signing.key");
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(read_secret(&at)?.trim(), seed.as_mut()).map_err(|_| HomeError::Damaged(at))?;
        let key = read_secret(&folder.join("authority.key"))?;
        let authority = Authority::open(&key, &read(&folder.join("authority.pem"))?)?;
        let signing = SigningKey::from_secret(&seed);
        Ok(Home { folder: folder.to_owned(), settings, signing, authority })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was written when it was founded.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The file of the SQLite database.
    pub fn database_file(&self) -> PathBuf {
        self.folder.join("broker.sqlite")
    }

    /// Where the broker listens, as `serve` wrote it.
    pub fn address(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("address")).ok().map(|text| text.trim().to_owned())
    }

    /// Writes where the broker listens.
    pub fn write_address(&self, address: &str) -> Result<(), HomeError> {
        write(&self.folder.join("address"), format!("{address}\n").as_bytes(), 0o644)
    }

    pub(crate) fn into_keys(self) -> (SigningKey, Authority) {
        (self.signing, self.authority)
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn read(file: &Path) -> Result<String, HomeError> {
    fs::read_to_string(file).map_err(|e| HomeError::Disk(file.to_owned(), e))
}

fn read_secret(file: &Path) -> Result<Zeroizing<String>, HomeError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(file).map_err(|e| HomeError::Disk(file.to_owned(), e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(HomeError::Readable(file.to_owned()));
        }
    }
    read(file).map(Zeroizing::new)
}

fn restrict(path: &Path, mode: u32) -> Result<(), HomeError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| HomeError::Disk(path.to_owned(), e))?;
    }
    let _ = (path, mode);
    Ok(())
}

/// Writes a file whole or not at all: beside it, flushed, then renamed.
fn write(file: &Path, bytes: &[u8], mode: u32) -> Result<(), HomeError> {
    let beside = file.with_extension("new");
    let all = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        let mut out = options.open(&beside)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&beside, file)?;
        match file.parent() {
            Some(folder) => fs::File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    };
    let _ = mode;
    all().map_err(|e| HomeError::Disk(file.to_owned(), e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { federation: "test".into(), database: None, hosts: vec![] }
    }

    #[test]
    fn a_home_is_founded_once_and_opens_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::found(dir.path(), settings(), 0).unwrap();
        let again = Home::open(dir.path()).unwrap();
        assert_eq!(home.signing.public(), again.signing.public());
        assert_eq!(home.authority.fingerprint(), again.authority.fingerprint());
        assert!(matches!(Home::found(dir.path(), settings(), 0), Err(HomeError::Taken(_))));
        assert!(matches!(Home::open(&dir.path().join("elsewhere")), Err(HomeError::Empty(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        Home::found(dir.path(), settings(), 0).unwrap();
        restrict(&dir.path().join("signing.key"), 0o644).unwrap();
        assert!(matches!(Home::open(dir.path()), Err(HomeError::Readable(_))));
    }
}
