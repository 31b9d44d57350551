//! One change of the vault, as data: the agent core says what must be kept, the shell makes it durable.
//!
//! Made by the agent core and the register; consumed by [`Vault::apply`](super::Vault::apply). *Not here:* how a
//! change is sealed and written.

use zeroize::Zeroizing;

/// Something to keep, or to destroy. Keys are `namespace/rest`: everything before the last `/` is the namespace, the
/// unit of listing.
pub enum Change {
    /// Keeps `value` under `key`, in place of what was there.
    Put {
        /// Its name.
        key: String,
        /// What is kept; wiped from memory once it is sealed.
        value: Zeroizing<Vec<u8>>,
    },
    /// Destroys what is kept under `key`, if anything.
    Delete {
        /// Its name.
        key: String,
    },
}

impl Change {
    /// Keeps `value` under `key`.
    pub fn put(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Change {
        Change::Put { key: key.into(), value: Zeroizing::new(value.into()) }
    }

    /// Destroys what is kept under `key`.
    pub fn delete(key: impl Into<String>) -> Change {
        Change::Delete { key: key.into() }
    }

    /// The name of what changes.
    pub fn key(&self) -> &str {
        match self {
            Change::Put { key, .. } | Change::Delete { key } => key,
        }
    }
}

impl std::fmt::Debug for Change {
    /// Names the kind of change only: keys hold references, values hold everything else.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Change::Put { .. } => "Put(..)",
            Change::Delete { .. } => "Delete(..)",
        })
    }
}
