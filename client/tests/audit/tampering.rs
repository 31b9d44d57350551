//! Every change is found: of the file by anybody, and of what it holds by the unit that signs it anew.

use crate::story::{GM, HEAD, INVESTIGATOR, LEGAL, SN, Story};
use client::audit::{Bundle, Logged, SignedBundle, verify};
use protocol::act::{Act, Content};
use protocol::body::{part_hash, root_of_hashes};
use protocol::envelope::{Header, UnverifiedEnvelope, seal_envelope};
use protocol::identity::SigningKey;
use protocol::matter::Matter;
use protocol::message::{Head, RosterEntry};
use protocol::officer::OfficerRole;
use protocol::{Bytes, codec};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::Rng;
use std::collections::BTreeMap;

struct Forger {
    rng: ChaCha20Rng,
    story: Story,
}

/// A change that an exporting unit can make; false: it would have changed nothing.
type Change = fn(&mut Forger, &mut Bundle) -> bool;

const CHANGES: &[(&str, Change)] = &[
    ("an act that a later one hangs on is left out", leave_out),
    ("two acts are swapped", swap_acts),
    ("two acts stand at each other's entries", swap_entries),
    ("an act stands at another entry", move_entry),
    ("a bit of an envelope", flip_envelope),
    ("a bit of an act", flip_head),
    ("a bit of an act of the exporting unit's, whose envelope it signs anew", forge_own_head),
    ("a header of the exporting unit's own, signed anew", forge_own_header),
    ("a hash of the sealed rows", flip_frame),
    ("the matter of an act is left out", drop_matter),
    ("a reason, a purpose, a field or a name in the matter", change_matter),
    ("an act of the other unit, forged with the own key", forge_theirs),
    ("a consent of the own unit, signed by an officer who did not", forge_consent),
    ("a receipt of the own unit, at another time", forge_receipt),
    ("an officer's entry that others hang on is left out", leave_out_officer),
    ("an officer of the own unit with another role, certified anew", forge_officer),
    ("a bit of an officer's entry", flip_officer),
    ("a bit of a proof", flip_proof),
    ("a proof of another entry", move_proof),
    ("a proof under another checkpoint", move_checkpoint),
    ("a proof is left out", drop_proof),
    ("a bit of a checkpoint's note", flip_note),
    ("a checkpoint with another root, with the own cosignature", forge_root),
    ("a bit of a reading", flip_reading),
    ("a reading of another officer, or with another reason", forge_reading),
    ("a bit of a lifting", flip_lifting),
    ("a lifting by another officer, of something else, or with another reason", forge_lifting),
    ("a word of the accord", change_accord),
    ("a signature under the accord is left out", leave_out_signature),
    ("a signature under the accord is made up", forge_signature),
    ("a member's key or title", change_member),
    ("a bit of what the broker said of a member", flip_roster),
    ("a member is left out", leave_out_member),
    ("the broker, the federation or the unit is another", change_identity),
    ("a case is another peer's, or of another overlap", change_case),
    ("an act is shown twice", repeat_act),
    ("an act of one case is shown in another", transplant),
];

#[test]
fn each_of_a_thousand_changed_bits_of_the_file_is_found() {
    let story = Story::whole();
    let file = story.bundle.clone().sign(&story.keys[GM].signing).encode();
    assert!(verify(&SignedBundle::decode(&file).unwrap()).verified, "without a change it verifies");
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut decoded = 0;
    for _ in 0..1000 {
        let bit = rng.next_u64() as usize % (file.len() * 8);
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(bundle) = SignedBundle::decode(&changed) {
            decoded += 1;
            assert!(!verify(&bundle).verified, "bit {bit}");
        }
    }
    assert!(decoded > 500, "most changes are found by verifying, not by decoding: {decoded}");
}

#[test]
fn each_of_a_thousand_changes_by_the_unit_that_signs_the_bundle_is_found() {
    let story = Story::whole();
    let (bundle, key) = (story.bundle.clone(), copy(&story.keys[GM].signing));
    assert!(verify(&bundle.clone().sign(&key)).verified, "without a change it verifies");
    let before = codec::encode(&bundle);
    let mut forger = Forger { rng: ChaCha20Rng::seed_from_u64(2), story };
    let mut made: BTreeMap<&str, u32> = BTreeMap::new();
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..1000 {
        let (what, change) = CHANGES[round % CHANGES.len()];
        // Drawn again where the draw does not fit: a consent of the own unit is one act in twenty.
        let attempts = std::iter::repeat_with(|| {
            let mut changed = bundle.clone();
            (change(&mut forger, &mut changed) && codec::encode(&changed) != before).then_some(changed)
        });
        let changed = attempts.take(1000).flatten().next();
        let changed = changed.unwrap_or_else(|| panic!("{what} is never possible"));
        // As a file, since a bundle that does not decode is found too.
        if let Ok(signed) = SignedBundle::decode(&changed.sign(&key).encode()) {
            let report = verify(&signed);
            assert!(!report.verified, "not found: {what} (round {round})");
            *found.entry(report.findings[0].code.clone()).or_default() += 1;
        }
        *made.entry(what).or_default() += 1;
    }
    assert_eq!(made.len(), CHANGES.len(), "each kind of change was made: {made:?}");
    println!("{made:#?}\n{found:#?}");
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_secret(&key.expose_secret())
}

impl Forger {
    fn below(&mut self, end: usize) -> usize {
        self.rng.next_u64() as usize % end.max(1)
    }

    fn flip(&mut self, bytes: &mut [u8]) -> bool {
        let bit = self.below(bytes.len() * 8);
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        !bytes.is_empty()
    }

    fn case(&mut self, bundle: &Bundle) -> usize {
        self.below(bundle.cases.len())
    }

    fn act<'b>(&mut self, bundle: &'b mut Bundle) -> &'b mut Logged {
        let case = self.case(bundle);
        let at = self.below(bundle.cases[case].acts.len());
        &mut bundle.cases[case].acts[at]
    }

    /// Signs an envelope anew with the exporting unit's key, over another head or with another header.
    fn reseal(&self, logged: &mut Logged, head: Vec<u8>, change: impl FnOnce(&mut Header)) -> bool {
        let old = UnverifiedEnvelope::decode(&logged.envelope).unwrap();
        let (key, federation) = (&self.story.keys[GM].signing, self.story.federation);
        let Ok(old) = old.verify(&federation, &key.public()) else { return false };
        self.reseal_as(logged, old.header().clone(), head, change)
    }

    fn reseal_as(&self, logged: &mut Logged, header: Header, head: Vec<u8>, change: impl FnOnce(&mut Header)) -> bool {
        let key = &self.story.keys[GM].signing;
        let mut header = header;
        let rows = header.body_len - logged.head.len() as u64;
        change(&mut header);
        // The engine fills in length and root of a body; the rows are not at hand, so they are filled in here.
        let parts = std::iter::once(part_hash(&head)).chain(logged.frames.iter().copied());
        header.body_len = rows + head.len() as u64;
        header.body_root = root_of_hashes(parts);
        let encoded = codec::encode(&header);
        let signature = key.sign(protocol::label::ENVELOPE_SIGNATURE, &encoded);
        let mut wire = vec![0x82];
        minicbor::Encoder::new(&mut wire).bytes(&encoded).unwrap().bytes(&signature.0).unwrap();
        logged.envelope = wire;
        logged.head = head;
        true
    }

    fn own_act<'b>(&mut self, bundle: &'b mut Bundle) -> Option<(&'b mut Logged, Act)> {
        let own = self.story.units[GM].clone();
        let logged = self.act(bundle);
        let act = Act::from_bytes(&logged.head).ok().filter(|act| act.statement.unit == own)?;
        Some((logged, act))
    }
}

fn leave_out(f: &mut Forger, b: &mut Bundle) -> bool {
    let case = f.case(b);
    let acts = &mut b.cases[case].acts;
    let at = f.below(acts.len() - 1);
    if !something_hangs_on(acts, at) {
        return false;
    }
    let gone = acts.remove(at).entry;
    // Its proof too, as whoever hides it would do.
    b.proofs.retain(|proof| proof.entry != gone);
    true
}

/// Whether a later act has the next number of the same unit, or a later round. Of an act that moved nothing, and that its
/// unit did not follow up, nobody's later act says that it was there: see limits.rs.
fn something_hangs_on(acts: &[Logged], at: usize) -> bool {
    let said =
        |logged: &Logged| Act::from_bytes(&logged.head).ok().map(|act| (act.statement.unit, act.statement.round));
    let Some((unit, round)) = said(&acts[at]) else { return true };
    acts[at + 1..].iter().any(|later| said(later).is_none_or(|(by, later)| by == unit || later != round))
}

fn swap_acts(f: &mut Forger, b: &mut Bundle) -> bool {
    let case = f.case(b);
    let acts = &mut b.cases[case].acts;
    let at = f.below(acts.len() - 1);
    acts.swap(at, at + 1);
    true
}

fn swap_entries(f: &mut Forger, b: &mut Bundle) -> bool {
    let case = f.case(b);
    let acts = &mut b.cases[case].acts;
    let at = f.below(acts.len() - 1);
    acts.swap(at, at + 1);
    let entry = acts[at].entry;
    acts[at].entry = acts[at + 1].entry;
    acts[at + 1].entry = entry;
    true
}

fn move_entry(f: &mut Forger, b: &mut Bundle) -> bool {
    let by = 1 + f.below(3) as u64;
    let logged = f.act(b);
    let (old, new) = (logged.entry, logged.entry + by);
    logged.entry = new;
    for proof in b.proofs.iter_mut().filter(|proof| proof.entry == old) {
        proof.entry = new;
    }
    true
}

fn flip_envelope(f: &mut Forger, b: &mut Bundle) -> bool {
    let mut bytes = std::mem::take(&mut f.act(b).envelope);
    let done = f.flip(&mut bytes);
    for logged in b.cases.iter_mut().flat_map(|case| &mut case.acts).filter(|logged| logged.envelope.is_empty()) {
        logged.envelope = std::mem::take(&mut bytes);
    }
    done
}

fn flip_head(f: &mut Forger, b: &mut Bundle) -> bool {
    let (case, mut rng) = (f.case(b), ChaCha20Rng::seed_from_u64(f.rng.next_u64()));
    let at = f.below(b.cases[case].acts.len());
    let head = &mut b.cases[case].acts[at].head;
    let bit = rng.next_u64() as usize % (head.len() * 8);
    head[bit / 8] ^= 1 << (bit % 8);
    true
}

fn forge_own_head(f: &mut Forger, b: &mut Bundle) -> bool {
    let bit = f.rng.next_u64() as usize;
    let Some((logged, _)) = f.own_act(b) else { return false };
    let mut head = logged.head.clone();
    let bit = bit % (head.len() * 8);
    head[bit / 8] ^= 1 << (bit % 8);
    f.reseal(logged, head, |_| {})
}

fn forge_own_header(f: &mut Forger, b: &mut Bundle) -> bool {
    let which = f.below(4);
    let Some((logged, _)) = f.own_act(b) else { return false };
    let head = logged.head.clone();
    f.reseal(logged, head, |header| match which {
        0 => header.sequence += 1000,
        1 => header.tick += 1,
        2 => header.expires = 7,
        _ => header.epoch = 9,
    })
}

fn flip_frame(f: &mut Forger, b: &mut Bundle) -> bool {
    let bit = f.below(256);
    let Some(frame) = f.act(b).frames.first_mut() else { return false };
    frame.0[bit / 8] ^= 1 << (bit % 8);
    true
}

fn drop_matter(f: &mut Forger, b: &mut Bundle) -> bool {
    f.act(b).matter.take().is_some()
}

fn change_matter(f: &mut Forger, b: &mut Bundle) -> bool {
    let which = f.below(6);
    let Some(matter) = f.act(b).matter.as_mut() else { return false };
    match which {
        0 => matter.reason = Some("no-legal-basis".to_owned()),
        1 => match matter.openings.as_mut() {
            Some(openings) => openings.purpose.purpose.offence = "theft".to_owned(),
            None => return false,
        },
        2 => match matter.openings.as_mut() {
            Some(openings) => openings.fields.lines.truncate(1),
            None => return false,
        },
        3 => match matter.by.as_mut() {
            Some(by) => by.name = "Somebody Else".to_owned(),
            None => return false,
        },
        4 => match matter.attestations.pop() {
            Some(_) => {}
            None => return false,
        },
        _ => match matter.copies.last_mut() {
            Some(copy) => copy.at_ms += 1,
            None => return false,
        },
    }
    true
}

fn forge_theirs(f: &mut Forger, b: &mut Bundle) -> bool {
    let theirs = f.story.units[SN].clone();
    let (federation, key) = (f.story.federation, f.story.keys[SN].signing.public());
    let logged = f.act(b);
    let envelope = UnverifiedEnvelope::decode(&logged.envelope).unwrap().verify(&federation, &key);
    let (Ok(envelope), Ok(act)) = (envelope, Act::from_bytes(&logged.head)) else { return false };
    assert_eq!(act.statement.unit, theirs);
    let head = logged.head.clone();
    f.reseal_as(logged, envelope.header().clone(), head, |header| header.tick += 1)
}

fn forge_consent(f: &mut Forger, b: &mut Bundle) -> bool {
    let by = [INVESTIGATOR, HEAD, LEGAL][f.below(3)];
    let Some((logged, act)) = f.own_act(b) else { return false };
    if !matches!(act.statement.content, Content::Consent(_)) || act.officer.as_ref().is_some_and(|o| o.number == by) {
        return false;
    }
    // Even with the key of an officer of its own: the log has another act.
    let person = &f.story.people[&(GM, by)];
    let mut statement = act.statement;
    let mut matter = logged.matter.clone().unwrap();
    matter.by = Some(person.name.clone());
    statement.matter = matter.commitment();
    logged.matter = Some(matter);
    let head = Act::sign(statement, by, &person.key).to_bytes();
    f.reseal(logged, head, |_| {})
}

fn forge_receipt(f: &mut Forger, b: &mut Bundle) -> bool {
    let Some((logged, act)) = f.own_act(b) else { return false };
    let mut statement = act.statement;
    let carries = matches!(
        statement.content,
        Content::Receipt(_) | Content::Conditions(_) | Content::Validation(_) | Content::Deletion
    );
    if !carries {
        return false;
    }
    statement.at_ms += 1;
    let forged = match act.officer {
        Some(officer) => Act::sign(statement, officer.number, &f.story.people[&(GM, officer.number)].key),
        None => Act::of_agent(statement),
    };
    f.reseal(logged, forged.to_bytes(), |_| {})
}

fn leave_out_officer(f: &mut Forger, b: &mut Bundle) -> bool {
    // Whoever signed something somewhere: all but the legal officer of SN who did nothing, and the revocation.
    let signed: Vec<(String, u32)> = b
        .cases
        .iter()
        .flat_map(|case| &case.acts)
        .filter_map(|logged| Act::from_bytes(&logged.head).ok())
        .filter_map(|act| Some((act.statement.unit.to_string(), act.officer?.number)))
        .collect();
    let at = f.below(b.officers.len() - 1);
    let number = at as u32 % 4 + 1;
    let unit = if at < 4 { "SN" } else { "GM" };
    if !signed.contains(&(unit.to_owned(), number)) {
        return false;
    }
    let gone = b.officers.remove(at).entry;
    b.proofs.retain(|proof| proof.entry != gone);
    true
}

fn forge_officer(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = 4 + f.below(4);
    let number = at as u32 - 3;
    let person = &f.story.people[&(GM, number)];
    let unit = f.story.units[GM].clone();
    let role = if number == HEAD { OfficerRole::LegalOfficer } else { OfficerRole::Head };
    let certificate =
        protocol::officer::Certificate::new(&f.story.federation, &unit, number, role, &person.name, &person.key);
    let head = protocol::officer::OfficerEntry::Certified(certificate).to_bytes();
    f.reseal(&mut b.officers[at], head, |_| {})
}

fn flip_officer(f: &mut Forger, b: &mut Bundle) -> bool {
    let (at, which) = (f.below(b.officers.len()), f.below(2));
    let logged = &mut b.officers[at];
    if which == 0 { f.flip(&mut logged.head) } else { f.flip(&mut logged.envelope) }
}

fn flip_proof(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.proofs.len());
    f.flip(&mut b.proofs[at].path)
}

fn move_proof(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.proofs.len());
    b.proofs[at].entry += 1 + f.below(5) as u64;
    true
}

fn move_checkpoint(f: &mut Forger, b: &mut Bundle) -> bool {
    let (at, to) = (f.below(b.proofs.len()), f.below(b.checkpoints.len()));
    let size = b.checkpoints[to].size;
    std::mem::replace(&mut b.proofs[at].size, size) != size
}

fn drop_proof(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.proofs.len());
    b.proofs.remove(at);
    true
}

fn flip_note(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.checkpoints.len());
    let mut bytes = std::mem::take(&mut b.checkpoints[at].text).into_bytes();
    f.flip(&mut bytes);
    match String::from_utf8(bytes) {
        Ok(text) => b.checkpoints[at].text = text,
        // No text at all: left empty.
        Err(_) => return true,
    }
    true
}

/// The exporting unit cannot sign as the log; what it can sign is its own cosignature under a text of its own.
fn forge_root(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.checkpoints.len());
    let note = &b.checkpoints[at].text;
    let mut lines: Vec<&str> = note.lines().collect();
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    lines[2] = other;
    b.checkpoints[at].text = format!("{}\n", lines.join("\n"));
    true
}

fn flip_reading(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.readings.len());
    let mut bytes = codec::encode(&b.readings[at]);
    f.flip(&mut bytes);
    match codec::decode(&bytes) {
        Ok(reading) => b.readings[at] = reading,
        Err(_) => return false,
    }
    true
}

fn forge_reading(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(b.readings.len());
    match f.below(3) {
        0 => b.readings[at].reading.officer = HEAD,
        1 => b.readings[at].reading.why = "another reason".to_owned(),
        _ => b.readings[at].reading.package = Bytes([4; 32]),
    }
    true
}

fn flip_lifting(f: &mut Forger, b: &mut Bundle) -> bool {
    let mut bytes = codec::encode(&b.liftings[0]);
    f.flip(&mut bytes);
    match codec::decode(&bytes) {
        Ok(lifting) => b.liftings[0] = lifting,
        Err(_) => return false,
    }
    true
}

fn forge_lifting(f: &mut Forger, b: &mut Bundle) -> bool {
    let lifting = &mut b.liftings[0].lifting;
    match f.below(3) {
        0 => lifting.officer = HEAD,
        1 => lifting.why = "another reason".to_owned(),
        _ => lifting.objections[0].entry += 1,
    }
    true
}

fn change_accord(f: &mut Forger, b: &mut Bundle) -> bool {
    match f.below(3) {
        0 => b.accords[0].text.push('\n'),
        1 => {
            let head = &mut b.accords[0].proposal.head;
            return f.flip(head);
        }
        _ => b.accords.clear(),
    }
    true
}

fn leave_out_signature(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(2);
    let gone = b.accords[0].signatures.remove(at).entry;
    b.proofs.retain(|proof| proof.entry != gone);
    true
}

/// The exporting unit signs the accord twice, the second time in the place of the other.
fn forge_signature(f: &mut Forger, b: &mut Bundle) -> bool {
    let [theirs, ours] = &mut b.accords[0].signatures[..] else { return false };
    let own = UnverifiedEnvelope::decode(&ours.envelope).unwrap();
    let own = own.verify(&f.story.federation, &f.story.keys[GM].signing.public()).unwrap();
    let head = theirs.head.clone();
    f.reseal_as(theirs, own.header().clone(), head, |header| header.sequence += 1000)
}

fn change_member(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(2);
    let mut entry = RosterEntry::from_bytes(&b.roster[at].head).unwrap();
    match f.below(4) {
        0 => entry.title.push('x'),
        1 => entry.keys.signing.0[3] ^= 1,
        2 => entry.keys.sealing.0[3] ^= 1,
        _ => entry.joined.0[3] ^= 1,
    }
    b.roster[at].head = entry.to_bytes();
    true
}

fn flip_roster(f: &mut Forger, b: &mut Bundle) -> bool {
    let (at, which) = (f.below(b.roster.len()), f.below(2));
    let logged = &mut b.roster[at];
    if which == 0 { f.flip(&mut logged.head) } else { f.flip(&mut logged.envelope) }
}

fn leave_out_member(f: &mut Forger, b: &mut Bundle) -> bool {
    let at = f.below(2);
    let gone = b.roster.remove(at).entry;
    b.proofs.retain(|proof| proof.entry != gone);
    true
}

fn change_identity(f: &mut Forger, b: &mut Bundle) -> bool {
    match f.below(3) {
        0 => b.federation.push('x'),
        1 => b.broker = f.story.keys[GM].signing.public(),
        _ => b.unit = f.story.units[SN].clone(),
    }
    true
}

fn change_case(f: &mut Forger, b: &mut Bundle) -> bool {
    let case = f.case(b);
    match f.below(2) {
        0 => b.cases[case].peer = "ML".parse().unwrap(),
        _ => b.cases[case].handle.0[2] ^= 1,
    }
    true
}

fn repeat_act(f: &mut Forger, b: &mut Bundle) -> bool {
    let case = f.case(b);
    let at = f.below(b.cases[case].acts.len());
    let again = b.cases[case].acts[at].clone();
    b.cases[case].acts.insert(at, again);
    true
}

fn transplant(f: &mut Forger, b: &mut Bundle) -> bool {
    let (from, to) = (f.case(b), f.case(b));
    let at = f.below(b.cases[from].acts.len());
    let act = b.cases[from].acts.remove(at);
    b.cases[to].acts.push(act);
    b.cases[to].acts.sort_by_key(|act| act.entry);
    from != to
}

#[test]
fn an_envelope_that_is_forged_here_would_verify_but_for_the_log() {
    // The forger above is worth something: without the log, its work is as good as the engine's.
    let story = Story::whole();
    let forger = Forger { rng: ChaCha20Rng::seed_from_u64(3), story };
    let mut logged = forger.story.bundle.officers[5].clone();
    let head = logged.head.clone();
    assert!(forger.reseal(&mut logged, head, |header| header.tick += 1));
    let key = forger.story.keys[GM].signing.public();
    let envelope = UnverifiedEnvelope::decode(&logged.envelope).unwrap();
    let envelope = envelope.verify(&forger.story.federation, &key).unwrap();
    let body = protocol::body::Body::head_only(logged.head.clone());
    assert_eq!(envelope.check_body(&body), Ok(()));
    let engine = seal_envelope(envelope.header().clone(), &body, &forger.story.keys[GM].signing);
    assert_eq!(engine.as_bytes(), logged.envelope);
    let _: Option<Matter> = logged.matter;
}
