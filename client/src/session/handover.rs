//! Packages over the vault: drafting, sealing, sending and opening, each in bounded memory (R30 to R32).
//!
//! | in the vault | what |
//! |---|---|
//! | `draft/HANDLE/ID` | a package that was put together: its manifest |
//! | `draftfile/HANDLE/ID/ITEM/CHUNK` | a chunk of one of its files |
//! | `out/…`, `in/…` | sealed parts ([`crate::agent::part_key`]) |
//! | `given/HANDLE/PACKAGE` | the manifest of what this unit has sealed |
//! | `reading/HANDLE/PACKAGE/NUMBER` | who read a package that came, when and why, signed |
//!
//! Callers: the commands and the exercise. *Not here:* whether it is allowed: sealing and opening take what only the
//! consent kernel makes.

use super::{Session, SessionError};
use crate::agent::{CaseworkError, HistoryEntry, Prospect, part_key};
use crate::vault::Change;
use protocol::act::{Act, Content};
use protocol::consent::ParcelHead;
use protocol::message::Head;
use protocol::name::UnitName;
use protocol::overlap::Handle;
use protocol::package::{FileRoot, Item, Manifest, PackageError, Purpose};
use protocol::parcel::{Opener, ParcelError, Piece, Sealer, Step};
use protocol::reading::SignedReading;
use protocol::{Bytes, Hash, package};
use rand_core::Rng;
use std::io::Read;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Bytes of a file in one value of the vault.
const CHUNK: usize = 1 << 20;

/// Why a package is not drafted, sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The case does not allow it.
    #[error(transparent)]
    Case(#[from] CaseworkError),
    /// The package is not one.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// It does not seal or open.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// Vault, broker, and the like.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A file that is to be attached, or written.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// No draft, parcel or part of this name.
    #[error("there is no such package here")]
    None,
}

impl From<crate::vault::VaultError> for HandoverError {
    fn from(error: crate::vault::VaultError) -> Self {
        HandoverError::Session(error.into())
    }
}

/// What an item of a draft holds.
pub enum DraftContent {
    /// Words.
    Text(String),
    /// A file, under the name that the recipient sees.
    File(PathBuf, String),
}

/// One item of a draft: the words of its line, and what it holds. The content of `line` is not looked at.
pub struct DraftItem {
    /// Everything of the item but its content.
    pub line: package::FieldLine,
    /// The content.
    pub content: DraftContent,
}

/// A package that was put together, and not sealed yet.
pub struct Draft {
    /// Its name in the vault.
    pub id: String,
    /// All of it but the bytes of files.
    pub manifest: Manifest,
}

impl Session {
    /// Puts a package together, and copies its files into the vault.
    ///
    /// # Errors
    /// [`HandoverError`]; nothing is kept.
    pub async fn draft(
        &mut self,
        prospect: &Prospect,
        purpose: Purpose,
        items: Vec<DraftItem>,
    ) -> Result<Draft, HandoverError> {
        let handle = *prospect.case.handle();
        let (mut id, mut salt) = ([0; 16], [0; 32]);
        self.rng.fill_bytes(&mut id);
        self.rng.fill_bytes(&mut salt);
        let id = hex(&id);
        let mut packed = Vec::with_capacity(items.len());
        let mut kept = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            let content = match item.content {
                DraftContent::Text(text) => package::Content::Text(text),
                DraftContent::File(path, name) => {
                    let stored = self.keep_file(&format!("draftfile/{handle}/{id}/{at}"), &path, &mut kept).await;
                    match stored {
                        Ok((length, root)) => package::Content::File { name, length, root },
                        Err(why) => {
                            self.vault.apply(&kept).await?;
                            return Err(HandoverError::File { path, why });
                        }
                    }
                }
            };
            let line = item.line;
            packed.push(Item {
                name: line.name,
                category: line.category,
                handling: line.handling,
                restriction: line.restriction,
                source: line.source,
                information: line.information,
                nature: line.nature,
                necessity: line.necessity,
                content,
            });
        }
        let manifest = Manifest {
            salt: Bytes(salt),
            federation: *prospect.case.federation(),
            handle,
            provider: self.agent.view().unit,
            recipient: prospect.peer.clone(),
            purpose,
            items: packed,
        };
        if let Err(error) = manifest.check() {
            self.vault.apply(&kept).await?;
            return Err(error.into());
        }
        self.vault.apply(&[Change::put(format!("draft/{handle}/{id}"), manifest.encode().to_vec())]).await?;
        Ok(Draft { id, manifest })
    }

    /// Copies a file into the vault, chunk by chunk; its length and root. `undo` grows by what would take it out again.
    async fn keep_file(
        &self,
        prefix: &str,
        path: &std::path::Path,
        undo: &mut Vec<Change>,
    ) -> std::io::Result<(u64, Hash)> {
        let mut file = std::fs::File::open(path)?;
        let mut root = FileRoot::new();
        let mut buffer = Zeroizing::new(vec![0; CHUNK]);
        for index in 0u64.. {
            let mut filled = 0;
            while filled < CHUNK {
                match file.read(&mut buffer[filled..])? {
                    0 => break,
                    n => filled += n,
                }
            }
            if filled == 0 {
                break;
            }
            root.update(&buffer[..filled]);
            let key = format!("{prefix}/{index:08}");
            undo.push(Change::delete(key.clone()));
            let put = [Change::put(key, buffer[..filled].to_vec())];
            self.vault.apply(&put).await.map_err(std::io::Error::other)?;
            if filled < CHUNK {
                break;
            }
        }
        Ok(root.finish())
    }

    /// All drafts of a case.
    ///
    /// # Errors
    /// The vault's.
    pub async fn drafts(&self, handle: &Handle) -> Result<Vec<Draft>, HandoverError> {
        let prefix = format!("draft/{handle}/");
        let mut out = Vec::new();
        for (key, bytes) in self.vault.list(&prefix).await? {
            let id = key.rsplit('/').next().unwrap_or_default().to_owned();
            out.push(Draft { id, manifest: Manifest::decode(&bytes)? });
        }
        Ok(out)
    }

    /// Deletes a draft, its files included. A consent over it that was not used leads nowhere from then on.
    ///
    /// # Errors
    /// The vault's.
    pub async fn forget_draft(&mut self, draft: &Draft) -> Result<(), HandoverError> {
        let (handle, id) = (draft.manifest.handle, &draft.id);
        let mut changes = vec![Change::delete(format!("draft/{handle}/{id}"))];
        for (at, item) in draft.manifest.items.iter().enumerate() {
            if let package::Content::File { length, .. } = &item.content {
                let chunks = length.div_ceil(CHUNK as u64);
                let key = |chunk| format!("draftfile/{handle}/{id}/{at}/{chunk:08}");
                changes.extend((0..chunks).map(|chunk| Change::delete(key(chunk))));
            }
        }
        Ok(self.vault.apply(&changes).await?)
    }

    /// Keeps what an officer signed before reading a package: `reading/HANDLE/PACKAGE/NUMBER`, for the audit.
    ///
    /// # Errors
    /// The vault's.
    pub async fn keep_reading(&mut self, signed: &SignedReading) -> Result<(), SessionError> {
        let prefix = format!("reading/{}/{}/", signed.reading.handle, signed.reading.package);
        let number = self.vault.list(&prefix).await?.len();
        let value = protocol::codec::encode(signed);
        Ok(self.vault.apply(&[Change::put(format!("{prefix}{number:04}"), value)]).await?)
    }

    /// Seals the draft that a complete consent is over, part by part into the vault; what the sealing act carries.
    ///
    /// Done again after a crash, it begins anew: nothing was sent before the act.
    ///
    /// # Errors
    /// [`HandoverError`] says what is missing.
    pub async fn seal(&mut self, handle: &Handle, consent: &Hash) -> Result<ParcelHead, HandoverError> {
        let now = (self.clock)();
        let peer = self.agent.prospect(handle, now)?.peer;
        let key = self.agent.sealing_key_of(&peer).ok_or(CaseworkError::NotVerified)?;
        let drafts = self.drafts(handle).await?;
        let (mut sealer, draft) = {
            let (given, case_key) = self.agent.consent_given(handle, consent, now)?;
            let package = given.terms().package;
            let draft = drafts.into_iter().find(|draft| draft.manifest.package_hash() == package);
            let draft = draft.ok_or(HandoverError::None)?;
            (Sealer::new(given, &draft.manifest, &key, case_key, &mut self.rng)?, draft)
        };
        let package = draft.manifest.package_hash();
        loop {
            match sealer.step()? {
                Step::Read(want) => {
                    let chunk = want.offset / CHUNK as u64;
                    let name = format!("draftfile/{handle}/{}/{}/{chunk:08}", draft.id, want.item);
                    let bytes = self.vault.get(&name).await?.ok_or(HandoverError::None)?;
                    let from = (want.offset % CHUNK as u64) as usize;
                    let left = bytes.get(from..).unwrap_or_default();
                    sealer.feed(&left[..left.len().min(want.len)])?;
                }
                Step::Part { index, sealed } => {
                    let key = part_key("out", &peer, handle, &package, index);
                    self.vault.apply(&[Change::put(key, sealed)]).await?;
                }
                Step::Done => break,
            }
        }
        let given = Change::put(format!("given/{handle}/{package}"), draft.manifest.encode().to_vec());
        self.vault.apply(&[given]).await?;
        Ok(sealer.finish()?)
    }

    /// Sends the parts of sealed parcels whose turn it is.
    pub(super) async fn send_parts(&mut self) -> Result<u64, SessionError> {
        let mut sent = 0;
        loop {
            let due = self.agent.due_parts();
            if due.is_empty() {
                return Ok(sent);
            }
            for part in due {
                let now = (self.clock)();
                let Some(rows) = self.vault.get(&part.key()).await? else {
                    return Err(crate::agent::restore::Damaged(part.key()).into());
                };
                // Recalled meanwhile: then it is not sent.
                let _ = self.agent.send_part(&part, rows.to_vec(), now);
                self.commit().await?;
                sent += self.send().await?;
            }
        }
    }

    /// Destroys what the vault keeps of cases that have ended: drafts, and packages that were given.
    pub(super) async fn sweep(&mut self) -> Result<(), SessionError> {
        for handle in self.agent.ended() {
            // A draft that cannot be read stays: the doctor finds it.
            for draft in self.drafts(&handle).await.unwrap_or_default() {
                let _ = self.forget_draft(&draft).await;
            }
            let given = self.vault.list(&format!("given/{handle}/")).await?;
            let changes: Vec<Change> = given.into_iter().map(|(key, _)| Change::delete(key)).collect();
            self.vault.apply(&changes).await?;
            self.agent.swept(&handle);
            self.commit().await?;
        }
        Ok(())
    }

    /// Opens a package that came: hands out its manifest, then the bytes of its files. Nothing is to be relied on before
    /// this returns without an error.
    ///
    /// # Errors
    /// [`HandoverError`] says what is missing.
    pub async fn open_package(
        &self,
        handle: &Handle,
        package: &Hash,
        sink: &mut (dyn FnMut(Piece) -> std::io::Result<()> + Send),
    ) -> Result<(), HandoverError> {
        let now = (self.clock)();
        let peer = self.agent.prospect(handle, now)?.peer;
        let head = self.parcel_head(&peer, handle, package).await?;
        let mut opener = {
            let (given, case_key, sealing) = self.agent.opening_given(handle, package, now)?;
            Opener::new(given, &head, sealing, case_key)?
        };
        for index in 0..head.parts {
            let key = part_key("in", &peer, handle, package, index);
            let part = self.vault.get(&key).await?.ok_or(HandoverError::None)?;
            for piece in opener.part(&part)? {
                sink(piece).map_err(|why| HandoverError::File { path: PathBuf::new(), why })?;
            }
        }
        Ok(opener.finish()?)
    }

    /// Every act and limit of a case, in order.
    ///
    /// # Errors
    /// The vault's.
    pub async fn history(&self, peer: &UnitName, handle: &Handle) -> Result<Vec<HistoryEntry>, SessionError> {
        let listed = self.vault.list(&format!("act/{peer}/{handle}/")).await?;
        let read = |(key, bytes): (String, Zeroizing<Vec<u8>>)| {
            HistoryEntry::from_bytes(&bytes).ok_or(crate::agent::restore::Damaged(key).into())
        };
        listed.into_iter().map(read).collect()
    }

    async fn parcel_head(&self, peer: &UnitName, handle: &Handle, package: &Hash) -> Result<ParcelHead, HandoverError> {
        for entry in self.history(peer, handle).await? {
            if let Ok(Act { statement, .. }) = Act::from_bytes(&entry.head)
                && let Content::Parcel(head) = statement.content
                && head.package == *package
            {
                return Ok(*head);
            }
        }
        Err(HandoverError::None)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
