//! The log in the store: appending, proofs, checkpoints, cosignatures (R26, R27).
//!
//! A `Writing` is one durable act of the broker: a transaction, the end of the log, and who has to be woken once it is
//! committed. Callers: whatever accepts or says something ([`crate::accept`], `speak`, [`crate::closing`]), and
//! the log's routes. *Not here:* the mathematics and the text formats (package `tlog`), and when a checkpoint is due.

mod nodes;

use crate::broker::Broker;
use crate::store::{Arg, Order, Result, StoreError, Tx};
use protocol::codec::{Bytes, Hash};
use protocol::mailbox::{MAX_INCLUSION, Proof, log_origin, witness_name};
use protocol::name::UnitName;
use std::collections::{BTreeSet, HashMap};
use tlog::{
    Checkpoint, ConsistencyPlan, Entry, Frontier, InclusionPlan, KeyName, Node, Place, SignedCheckpoint,
    UnverifiedCheckpoint, UnverifiedCosignature, UnverifiedFrontier, VerifierKey,
};

/// How many of the latest checkpoints still take cosignatures.
const COSIGNABLE: u64 = 128;

/// Why something asked of the log is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum LogRefused {
    /// Sizes or indices outside the log.
    #[error("the log has no such size or entry")]
    Range,
    /// More entries than one query may name.
    #[error("a query names at most {MAX_INCLUSION} entries")]
    TooMany,
    /// There is no checkpoint yet.
    #[error("the log has no checkpoint yet")]
    NoCheckpoint,
    /// The line is none, of another witness, or over none of the latest checkpoints.
    #[error("the cosignature is not one of this unit over one of the latest {COSIGNABLE} checkpoints")]
    Cosignature,
}

impl LogRefused {
    /// The stable name of this error.
    pub fn code(&self) -> &'static str {
        match self {
            LogRefused::Range => "log-range",
            LogRefused::TooMany => "log-query-too-large",
            LogRefused::NoCheckpoint => "log-no-checkpoint",
            LogRefused::Cosignature => "cosignature-refused",
        }
    }
}

/// What an operation on the log gives: a refusal is no failure.
pub type Answer<T> = std::result::Result<std::result::Result<T, LogRefused>, StoreError>;

/// One durable act: a transaction at the end of the log.
pub(crate) struct Writing {
    pub(crate) tx: Tx,
    frontier: Frontier,
    began: u64,
    nodes: Vec<Node>,
    accords: Version,
    mark: Option<Mark>,
    awake: BTreeSet<UnitName>,
}

/// The version of what was agreed on: as it is committed, and as this act sees it.
#[derive(Clone, Copy)]
struct Version {
    committed: u64,
    here: u64,
}

/// How an act stood at its mark.
struct Mark {
    frontier: Frontier,
    nodes: usize,
    accords: Version,
    awake: BTreeSet<UnitName>,
}

impl Writing {
    /// Number of entries, those of this act included: the index of the next one.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over them.
    pub(crate) fn root(&self) -> Hash {
        Bytes(self.frontier.root())
    }

    /// Appends an entry; its index.
    pub(crate) fn append(&mut self, hash: &Hash) -> Result<u64> {
        let index = self.frontier.size();
        let nodes = self.frontier.append(&Entry(hash.0)).map_err(|_| StoreError::Corrupt("the log is full"))?;
        self.nodes.extend(nodes);
        Ok(index)
    }

    /// The version of what was agreed on, and whether this act made it: then it may still be undone.
    pub(crate) fn accords(&self) -> (u64, bool) {
        (self.accords.here, self.accords.here != self.accords.committed)
    }

    /// What was agreed on has changed: accords, who signed them, or which epochs are closed. The version tells everybody.
    pub(crate) async fn accords_changed(&mut self) -> Result<()> {
        self.accords.here += 1;
        self.tx.run("UPDATE counter SET value = value + 1 WHERE name = 'accord'", &[]).await.map(drop)
    }

    /// `unit` has new mail once this is committed.
    pub(crate) fn wakes(&mut self, unit: UnitName) {
        self.awake.insert(unit);
    }

    /// From here on can be undone, without what came before.
    pub(crate) async fn mark(&mut self) -> Result<()> {
        self.mark = Some(Mark {
            frontier: self.frontier.clone(),
            nodes: self.nodes.len(),
            accords: self.accords,
            awake: self.awake.clone(),
        });
        self.tx.mark().await
    }

    /// Keeps what was done since the mark, if one was set.
    pub(crate) async fn keep_mark(&mut self) -> Result<()> {
        match self.mark.take() {
            Some(_) => self.tx.keep_mark().await,
            None => Ok(()),
        }
    }

    /// Undoes what was done since the mark; all of it, if none was set: then this is another act, which has done nothing.
    pub(crate) async fn undo_to_mark(mut self, broker: &Broker) -> Result<Writing> {
        let Some(mark) = self.mark.take() else {
            self.tx.undo().await?;
            return broker.writing().await;
        };
        self.tx.undo_to_mark().await?;
        self.frontier = mark.frontier;
        self.nodes.truncate(mark.nodes);
        self.accords = mark.accords;
        self.awake = mark.awake;
        Ok(self)
    }

    /// Writes the new nodes and the log's head, commits, and wakes.
    pub(crate) async fn commit(mut self, broker: &Broker) -> Result<()> {
        if self.frontier.size() > self.began {
            nodes::write(&mut self.tx, &self.nodes).await?;
            // Compare and swap: two writers never append at one place.
            const HEAD: &str = "UPDATE log_head SET size = $1, frontier = $2, root = $3 WHERE id = 1 AND size = $4";
            let (edge, root) = (self.frontier.to_bytes(), self.frontier.root());
            let args = [self.frontier.size().into(), Arg::Blob(&edge), Arg::Blob(&root), self.began.into()];
            if self.tx.run(HEAD, &args).await? != 1 {
                return Err(StoreError::Corrupt("the log moved under a transaction"));
            }
        }
        self.tx.commit().await?;
        broker.mail().woken(&self.awake);
        Ok(())
    }
}

impl Broker {
    /// Begins an act at the end of the log.
    pub(crate) async fn writing(&self) -> Result<Writing> {
        let mut tx = self.store().write(Order::Log).await?;
        // What every act asks, in one look. Whatever changes it waits for the end of this act.
        const HEAD: &str =
            "SELECT h.size, h.frontier, h.root, c.value FROM log_head h JOIN counter c ON c.name = 'accord'
            WHERE h.id = 1";
        let mut head = tx.first(HEAD, &[]).await?.ok_or(StoreError::Corrupt("the log has no head"))?;
        let (size, edge, root, version) = (head.int(0)?, head.blob(1)?, head.bytes::<32>(2)?, head.int(3)?);
        let frontier = UnverifiedFrontier::decode(&edge)
            .and_then(|edge| edge.verify(size, &root.0))
            .map_err(|_| StoreError::Corrupt("the log's right edge is damaged"))?;
        let accords = Version { committed: version, here: version };
        Ok(Writing { tx, frontier, began: size, nodes: Vec::new(), accords, mark: None, awake: BTreeSet::new() })
    }

    /// Number of entries in the log.
    pub async fn log_size(&self) -> Result<u64> {
        let head = self.store().first("SELECT size FROM log_head WHERE id = 1", &[]).await?;
        head.ok_or(StoreError::Corrupt("the log has no head"))?.int(0)
    }

    /// Number of entries in the log, and the version of the roster: by both, what other processes did shows.
    pub(crate) async fn log_size_and_roster(&self) -> Result<(u64, u64)> {
        const SEEN: &str = "SELECT h.size, c.value FROM log_head h JOIN counter c ON c.name = 'roster' WHERE h.id = 1";
        let row = self.store().first(SEEN, &[]).await?;
        let mut row = row.ok_or(StoreError::Corrupt("the log has no head"))?;
        Ok((row.int(0)?, row.int(1)?))
    }

    fn origin(&self) -> Result<KeyName> {
        KeyName::new(&log_origin(self.federation())).map_err(|_| StoreError::Corrupt("the log's name"))
    }

    /// The key under which the log's checkpoints verify.
    pub fn log_key(&self) -> Result<VerifierKey> {
        VerifierKey::log(self.origin()?, self.signing().hazmat().verifying_key())
            .map_err(|_| StoreError::Corrupt("the broker's key"))
    }

    /// Signs the log as it stands at the end of `writing`, if nobody has; its size.
    pub(crate) async fn sign_checkpoint(&self, writing: &mut Writing, now_ms: u64) -> Result<u64> {
        let (size, root) = (writing.size(), writing.root());
        let signed = Checkpoint::new(self.origin()?, size, root.0)
            .and_then(|checkpoint| checkpoint.sign(self.signing().hazmat()))
            .map_err(|_| StoreError::Corrupt("the log's size"))?;
        const KEEP: &str = "INSERT INTO checkpoint (size, root, note, at_ms) VALUES ($1, $2, $3, $4)
            ON CONFLICT (size) DO NOTHING";
        let note = signed.to_note();
        writing.tx.run(KEEP, &[size.into(), (&root).into(), note.as_str().into(), now_ms.into()]).await?;
        Ok(size)
    }

    /// The latest checkpoint with all cosignatures, as a note (R27).
    pub async fn checkpoint(&self) -> Answer<String> {
        const LATEST: &str = "SELECT k.note, c.line, c.unit, u.signing
            FROM checkpoint k LEFT JOIN cosignature c ON c.size = k.size LEFT JOIN unit u ON u.name = c.unit
            WHERE k.size = (SELECT max(size) FROM checkpoint) ORDER BY c.unit";
        let mut rows = self.store().all(LATEST, &[]).await?;
        let Some(first) = rows.first_mut() else { return Ok(Err(LogRefused::NoCheckpoint)) };
        let mut signed = verified(&first.text(0)?, &self.log_key()?)?;
        for mut row in rows {
            // Without a cosignature there is one row all the same.
            let Some(key) = row.maybe_blob(3)? else { continue };
            let (line, unit) = (row.text(1)?, row.parsed::<UnitName>(2)?);
            let key = Bytes::from_slice(&key).ok_or(StoreError::Corrupt("a unit's key"))?;
            // A line under a key that was replaced since is left out.
            if let (Ok(line), Some(witness)) =
                (UnverifiedCosignature::parse(&line), witness(self.federation(), &unit, &key))
            {
                let _ = signed.add_cosignature(line, &witness);
            }
        }
        Ok(Ok(signed.to_note()))
    }

    /// Takes a unit's cosignature of one of the latest checkpoints.
    pub async fn add_cosignature(&self, unit: &UnitName, line: &str) -> Answer<()> {
        let refused = Ok(Err(LogRefused::Cosignature));
        let Ok(parsed) = UnverifiedCosignature::parse(line.trim_end()) else { return refused };
        if parsed.claimed_name().as_str() != witness_name(self.federation(), unit) {
            return refused;
        }
        let key = self.store().first("SELECT signing FROM unit WHERE name = $1", &[unit.as_str().into()]).await?;
        let Some(mut key) = key else { return refused };
        let Some(witness) = witness(self.federation(), unit, &key.bytes(0)?) else { return refused };
        let log = self.log_key()?;
        // Nearly always it is over one of the very latest.
        for latest in [4, COSIGNABLE] {
            const LATEST: &str = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT $1";
            for mut row in self.store().all(LATEST, &[latest.into()]).await? {
                let (size, note) = (row.int(0)?, row.text(1)?);
                if verified(&note, &log)?.add_cosignature(parsed.clone(), &witness).is_ok() {
                    const KEEP: &str = "INSERT INTO cosignature (size, unit, line) VALUES ($1, $2, $3)
                        ON CONFLICT (size, unit) DO UPDATE SET line = excluded.line";
                    self.store().run(KEEP, &[size.into(), unit.as_str().into(), line.trim_end().into()]).await?;
                    return Ok(Ok(()));
                }
            }
        }
        refused
    }

    /// The proof that the first `to` entries begin with the first `from`.
    pub async fn consistency(&self, from: u64, to: u64) -> Answer<Proof> {
        if to > self.log_size().await? {
            return Ok(Err(LogRefused::Range));
        }
        let Ok(plan) = ConsistencyPlan::new(from, to) else { return Ok(Err(LogRefused::Range)) };
        let hashes = nodes::read(self.store(), plan.places()).await?;
        match plan.prove(&hashes) {
            Ok(proof) => Ok(Ok(Proof { path: proof.hashes().iter().map(|hash| Bytes(*hash)).collect() })),
            Err(_) => Ok(Err(LogRefused::Range)),
        }
    }

    /// The proofs that `entries` stand in the tree of the first `size`.
    pub async fn inclusion(&self, size: u64, entries: &[u64]) -> Answer<Vec<Proof>> {
        if entries.len() > MAX_INCLUSION {
            return Ok(Err(LogRefused::TooMany));
        }
        if size > self.log_size().await? {
            return Ok(Err(LogRefused::Range));
        }
        let plans = entries.iter().map(|entry| InclusionPlan::new(size, *entry)).collect::<Result<Vec<_>, _>>();
        let Ok(plans) = plans else { return Ok(Err(LogRefused::Range)) };
        // Paths of neighbours share most of their nodes: each is read once.
        let places: BTreeSet<Place> = plans.iter().flat_map(InclusionPlan::places).copied().collect();
        let places: Vec<Place> = places.into_iter().collect();
        let hashes = nodes::read(self.store(), &places).await?;
        let nodes: HashMap<Place, tlog::Hash> = places.into_iter().zip(hashes).collect();
        let mut proofs = Vec::with_capacity(plans.len());
        for plan in plans {
            let hashes: Vec<tlog::Hash> = plan.places().iter().filter_map(|place| nodes.get(place).copied()).collect();
            let Ok(proof) = plan.prove(&hashes) else { return Ok(Err(LogRefused::Range)) };
            proofs.push(Proof { path: proof.hashes().iter().map(|hash| Bytes(*hash)).collect() });
        }
        Ok(Ok(proofs))
    }

    /// The right edge of the tree of the first `size` entries, as [`Frontier::to_bytes`] writes it.
    pub async fn frontier(&self, size: u64) -> Answer<Vec<u8>> {
        if size > self.log_size().await? {
            return Ok(Err(LogRefused::Range));
        }
        let hashes = nodes::read(self.store(), &Frontier::places(size)).await?;
        Ok(Ok([size.to_be_bytes().as_slice(), hashes.as_flattened()].concat()))
    }
}

/// A checkpoint of this log, as it is stored.
fn verified(note: &str, log: &VerifierKey) -> Result<SignedCheckpoint> {
    let damaged = |_| StoreError::Corrupt("a checkpoint is damaged");
    UnverifiedCheckpoint::parse(note.as_bytes()).and_then(|note| note.verify(log)).map_err(damaged)
}

/// A unit's key as a witness: its name, and the key it signs envelopes with.
fn witness(federation: &Hash, unit: &UnitName, key: &Bytes<32>) -> Option<VerifierKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key.0).ok()?;
    VerifierKey::witness(KeyName::new(&witness_name(federation, unit)).ok()?, key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::{Home, Settings};

    /// No refusal comes after an envelope has its entry; whoever adds one relies on this.
    #[tokio::test]
    async fn what_is_undone_leaves_the_log_as_it_was_at_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { federation: "test".into(), database: None, hosts: vec![] };
        let broker = Broker::open(Home::found(folder.path(), settings, 0).unwrap()).await.unwrap();
        let mut writing = broker.writing().await.unwrap();
        let began = writing.size();
        writing.append(&Bytes([1; 32])).unwrap();
        let root = writing.root();
        writing.mark().await.unwrap();
        writing.append(&Bytes([2; 32])).unwrap();
        writing.accords_changed().await.unwrap();
        let mut writing = writing.undo_to_mark(&broker).await.unwrap();
        assert_eq!((writing.size(), writing.root(), writing.accords().1), (began + 1, root, false));
        writing.append(&Bytes([3; 32])).unwrap();
        let (size, root) = (writing.size(), writing.root());
        writing.commit(&broker).await.unwrap();

        // What is stored, node by node, is what was appended.
        let again = broker.writing().await.unwrap();
        assert_eq!((again.size(), again.root(), again.accords()), (size, root, (0, false)));
        let mut expected = Frontier::default();
        let entries = [[1; 32], [3; 32]];
        let nodes: Vec<Node> = entries.iter().flat_map(|entry| expected.append(&Entry(*entry)).unwrap()).collect();
        let places: Vec<Place> = nodes.iter().map(|node| node.place).collect();
        let hashes: Vec<tlog::Hash> = nodes.iter().map(|node| node.hash).collect();
        assert_eq!(nodes::read(broker.store(), &places).await.unwrap(), hashes);
    }
}
