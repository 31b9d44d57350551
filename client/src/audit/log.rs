//! What is in the log: checkpoints with their witnesses, proofs of inclusion, and the envelopes that they prove.
//!
//! That one checkpoint extends another is not proven here: that takes consistency proofs, which the exporting unit checked
//! when it cosigned (R27) and does not keep. What contradicts itself is found: two roots of one size, among checkpoints and
//! in what senders said of the log in their envelopes. Caller: `verify`. *Not here:* what an envelope says.

use super::bundle::{Bundle, KeptProof, Logged};
use super::members::Members;
use super::report::{Findings, Proof};
use crate::agent::{log_key, witness_key};
use protocol::Hash;
use protocol::body::{frame_count, part_hash, root_of_hashes};
use protocol::envelope::{Envelope, UnverifiedEnvelope};
use protocol::name::Party;
use std::collections::{BTreeMap, BTreeSet};
use tlog::{Entry, InclusionProof, SignedCheckpoint, UnverifiedCheckpoint};

/// An envelope whose signature, body and place in the log were looked at.
pub(super) struct Opened {
    pub entry: u64,
    pub envelope: Envelope,
    /// `None`: newer than the last checkpoint, or a finding.
    pub proof: Option<Proof>,
}

/// The log, as far as the bundle shows it.
pub(super) struct Log<'b> {
    bundle: &'b Bundle,
    checkpoints: BTreeMap<u64, (SignedCheckpoint, Vec<String>)>,
    proofs: BTreeMap<u64, &'b KeptProof>,
    used: BTreeSet<u64>,
    roots: BTreeMap<u64, Hash>,
    /// Entries, with where they stand.
    seen: BTreeMap<u64, (Party, u64, Hash, Hash)>,
    /// Entries below this should have been proven.
    witnessed: u64,
    unproven: Vec<u64>,
}

impl<'b> Log<'b> {
    /// Checks the checkpoints.
    pub fn check(bundle: &'b Bundle, members: &Members, findings: &mut Findings) -> Log<'b> {
        let mut log = Log {
            bundle,
            checkpoints: BTreeMap::new(),
            proofs: BTreeMap::new(),
            used: BTreeSet::new(),
            roots: BTreeMap::new(),
            seen: BTreeMap::new(),
            witnessed: bundle.log_size,
            unproven: Vec::new(),
        };
        log.note_root(bundle.log_size, bundle.log_root, "log", findings);
        for note in &bundle.checkpoints {
            let place = format!("checkpoint {}", note.size);
            let checked = check_note(bundle, members, note.text.as_bytes());
            match checked {
                Ok((checkpoint, _)) if checkpoint.size() != note.size => findings.add("checkpoint-size", place),
                Ok((checkpoint, witnesses)) => {
                    log.note_root(note.size, protocol::Bytes(*checkpoint.root()), &place, findings);
                    log.witnessed = log.witnessed.max(note.size);
                    if log.checkpoints.insert(note.size, (checkpoint, witnesses)).is_some() {
                        findings.add("checkpoint-twice", place);
                    }
                }
                Err(code) => findings.add(code, place),
            }
        }
        for proof in &bundle.proofs {
            if log.proofs.insert(proof.entry, proof).is_some() {
                findings.add("proof-twice", format!("entry {}", proof.entry));
            }
        }
        log
    }

    /// Verifies an envelope, its body and its place in the log.
    pub fn open(&mut self, members: &Members, logged: &Logged, place: &str, findings: &mut Findings) -> Option<Opened> {
        let envelope = match verified(members, logged) {
            Ok(envelope) => envelope,
            Err(code) => {
                findings.add(code, place.to_owned());
                return None;
            }
        };
        let header = envelope.header();
        self.note_root(header.log_size, header.log_root, place, findings);
        if header.sender.unit() == Some(&self.bundle.unit) {
            self.witnessed = self.witnessed.max(header.log_size);
        }
        // Nobody sends what refers to a log that already holds it.
        if header.log_size > logged.entry {
            findings.add("entry-before-its-checkpoint", place.to_owned());
        }
        let link = (header.sender.clone(), header.sequence, header.previous, envelope.hash());
        if self.seen.insert(logged.entry, link).is_some() {
            findings.add("entry-twice", place.to_owned());
        }
        let proof = match self.prove(logged.entry, &envelope) {
            Ok(Some(proof)) => Some(proof),
            Ok(None) => {
                self.unproven.push(logged.entry);
                None
            }
            Err(code) => {
                findings.add(code, place.to_owned());
                None
            }
        };
        Some(Opened { entry: logged.entry, envelope, proof })
    }

    /// What only shows when everything was opened; the entries without proof that are newer than the last checkpoint.
    pub fn finish(self, findings: &mut Findings) -> (Vec<u64>, usize) {
        let mut last: BTreeMap<Party, (u64, Hash)> = BTreeMap::new();
        for (entry, (sender, sequence, previous, hash)) in self.seen {
            let before = last.insert(sender, (sequence, hash));
            let broken = match before {
                Some((before, _)) if sequence <= before => true,
                Some((before, hash)) if sequence == before + 1 => previous != hash,
                _ => false,
            };
            if broken {
                findings.add("sender-chain", format!("entry {entry}"));
            }
        }
        for entry in self.proofs.keys().filter(|entry| !self.used.contains(entry)) {
            findings.add("proof-of-nothing", format!("entry {entry}"));
        }
        for entry in self.unproven.iter().filter(|entry| **entry < self.witnessed) {
            findings.add("proof-missing", format!("entry {entry}"));
        }
        let newer = self.unproven.into_iter().filter(|entry| *entry >= self.witnessed).collect();
        (newer, self.checkpoints.len())
    }

    fn prove(&mut self, entry: u64, envelope: &Envelope) -> Result<Option<Proof>, &'static str> {
        let Some(proof) = self.proofs.get(&entry) else { return Ok(None) };
        self.used.insert(entry);
        let (checkpoint, witnesses) = self.checkpoints.get(&proof.size).ok_or("proof-checkpoint")?;
        let path = InclusionProof::from_bytes(&proof.path).map_err(|_| "proof-wrong")?;
        checkpoint.verify_inclusion(entry, &Entry(envelope.hash().0), &path).map_err(|_| "proof-wrong")?;
        Ok(Some(Proof { entry, checkpoint: proof.size, witnesses: witnesses.clone() }))
    }

    fn note_root(&mut self, size: u64, root: Hash, place: &str, findings: &mut Findings) {
        if size > 0 && *self.roots.entry(size).or_insert(root) != root {
            findings.add("two-histories", place.to_owned());
        }
    }
}

/// A note with the log's signature, and whose every other line is a member's cosignature: the exporting unit's among them.
fn check_note(
    bundle: &Bundle,
    members: &Members,
    note: &[u8],
) -> Result<(SignedCheckpoint, Vec<String>), &'static str> {
    let log = log_key(&members.federation, &members.broker).ok_or("checkpoint-signature")?;
    let checkpoint = UnverifiedCheckpoint::parse(note).map_err(|_| "checkpoint-malformed")?;
    let checkpoint = checkpoint.verify(&log).map_err(|_| "checkpoint-signature")?;
    let mut witnesses = Vec::new();
    for unit in members.units() {
        let (mut cosigned, mut broken) = (false, false);
        for keys in members.witnessing(unit, checkpoint.size()) {
            let key = witness_key(&members.federation, unit, &keys.signing).ok_or("checkpoint-cosignature")?;
            match checkpoint.cosigned_by(&[key]) {
                Ok(found) => cosigned |= !found.is_empty(),
                Err(_) => broken = true,
            }
        }
        if cosigned {
            witnesses.push(unit.to_string());
        } else if broken {
            return Err("checkpoint-cosignature");
        }
    }
    if !witnesses.iter().any(|unit| unit == bundle.unit.as_str()) {
        return Err("checkpoint-not-witnessed");
    }
    // The specification lets readers ignore unknown lines; the agent keeps none, so that one here was put in later.
    let text = checkpoint.to_note();
    let lines = text.rsplit_once("\n\n").map_or(0, |(_, lines)| lines.lines().count());
    if lines != witnesses.len() + 1 || text.as_bytes() != note {
        return Err("checkpoint-cosignature");
    }
    Ok((checkpoint, witnesses))
}

/// Signature, federation and body. The rows are not at hand: their number of frames must fit their length.
pub(super) fn verified(members: &Members, logged: &Logged) -> Result<Envelope, &'static str> {
    let unverified = UnverifiedEnvelope::decode(&logged.envelope).map_err(|e| e.code())?;
    let key = members.signing(unverified.unverified_sender(), logged.entry).ok_or("sender-unknown")?;
    let envelope = unverified.verify(&members.federation, &key).map_err(|e| e.code())?;
    let header = envelope.header();
    let rows = header.body_len.checked_sub(logged.head.len() as u64).ok_or("envelope-body")?;
    let parts = std::iter::once(part_hash(&logged.head)).chain(logged.frames.iter().copied());
    if frame_count(rows) != logged.frames.len() as u64 || root_of_hashes(parts) != header.body_root {
        return Err("envelope-body");
    }
    Ok(envelope)
}
