//! From the vault of a unit to the same report: what the agent keeps is enough.

use crate::story::{BEGIN, GM, HOUR, Story};
use client::agent::HistoryEntry;
use client::audit::{Logged, gather, verify};
use client::session::Session;
use client::vault::{Change, Hashing, Passphrase, Vault};
use protocol::Hash;
use protocol::act::{Act, Content};
use protocol::codec;
use protocol::invite::Invite;
use protocol::matter::Matter;
use protocol::message::{Head, RosterEntry};
use std::sync::Arc;

/// Values in the vault's own writing: one after the other.
#[derive(Default)]
struct Values(Vec<u8>);

impl Values {
    fn number(mut self, n: u64) -> Self {
        minicbor::Encoder::new(&mut self.0).u64(n).unwrap();
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        minicbor::Encoder::new(&mut self.0).bytes(bytes).unwrap();
        self
    }
}

fn kept(logged: &Logged) -> Vec<u8> {
    // The vault has the matter of a journal's entry too. It is content: were it in the bundle, that would be a finding.
    let journal = Act::from_bytes(&logged.head).is_ok_and(|act| act.statement.content == Content::Journal);
    let matter = match journal {
        true => Some(Matter::new(&mut rand_core::UnwrapErr(getrandom::SysRng))),
        false => logged.matter.clone(),
    };
    let (entry, envelope, head) = (logged.entry, logged.envelope.clone(), logged.head.clone());
    HistoryEntry { entry, envelope, head, frames: logged.frames.clone(), matter }.to_bytes().to_vec()
}

/// What the agent of the second unit would have in its vault after this story.
fn vault_of(story: &Story) -> Vec<Change> {
    let (bundle, own) = (&story.bundle, &story.keys[GM]);
    let invite = Invite {
        federation: bundle.federation.clone(),
        broker: bundle.broker,
        address: "localhost:1".to_owned(),
        authority: Hash::ZERO,
        unit: bundle.unit.clone(),
        token: Hash::ZERO,
    };
    let tls = client::broker::TlsIdentity::generate().unwrap();
    let mut changes = vec![
        Change::put("unit/name", bundle.unit.as_str()),
        Change::put("unit/title", "Unit GM"),
        Change::put("unit/signing-key", own.signing.expose_secret().to_vec()),
        Change::put("unit/sealing-key", own.sealing.expose_secret().to_vec()),
        Change::put("unit/tls-key", tls.expose_secret().to_vec()),
        Change::put("unit/invite", codec::encode(&invite)),
    ];
    let mut put = |key: String, value: Vec<u8>| changes.push(Change::put(key, value));
    for logged in &bundle.roster {
        let entry = RosterEntry::from_bytes(&logged.head).unwrap();
        put(format!("roster/{}", entry.unit), logged.head.clone());
        put(format!("rosterlog/{:020}", logged.entry), kept(logged));
    }
    let (accord, agreed) = (&story.accord, &bundle.accords[0]);
    let mut values = Values::default().number(accord.start().epoch.into()).number(accord.start().tick);
    values = values.number(accord.start().at_ms).bytes(accord.text().as_bytes()).number(1);
    for _ in 0..2 {
        values = values.number(2).bytes(b"GM").bytes(b"SN");
    }
    put("accord/000000".to_owned(), values.0);
    for logged in agreed.signatures.iter().chain([&agreed.proposal]) {
        put(format!("accordlog/{}/{:020}", accord.hash(), logged.entry), kept(logged));
    }
    for (case, running) in bundle.cases.iter().zip(&story.cases) {
        for (number, act) in case.acts.iter().enumerate() {
            put(format!("act/{}/{}/{number:06}", case.peer, case.handle), kept(act));
        }
        let file = Values::default().bytes(&codec::encode(&running.case)).bytes(&[5; 32]).number(0).number(0);
        let mut file = file.number(case.acts.len() as u64).number(0).number(0);
        let copies: Vec<_> = bundle.copies.iter().filter(|copy| copy.handle == case.handle).collect();
        file = file.number(copies.len() as u64);
        for copy in copies {
            file = file.bytes(&copy.package.0).number(copy.number.into()).number(copy.officer.into());
            file = file.number(copy.at_ms).number(1).number(copy.deleted_ms.unwrap());
        }
        file = file.number(0); // not ended
        put(format!("case/{}/{}", case.peer, case.handle), file.0);
    }
    for logged in &bundle.officers {
        put(format!("officerlog/SN/{:020}", logged.entry), kept(logged));
    }
    for proof in &bundle.proofs {
        put(format!("proof/{:020}", proof.entry), Values::default().number(proof.size).bytes(&proof.path).0);
    }
    for note in &bundle.checkpoints {
        put(format!("checkpoint/{:020}", note.size), note.text.clone().into_bytes());
    }
    for (number, reading) in bundle.readings.iter().enumerate() {
        let (handle, package) = (reading.reading.handle, reading.reading.package);
        put(format!("reading/{handle}/{package}/{number:04}"), codec::encode(reading));
    }
    for signed in &bundle.liftings {
        let (handle, first) = (signed.lifting.handle, signed.lifting.objections[0].entry);
        put(format!("lifting/{handle}/{first:020}"), codec::encode(signed));
    }
    changes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_of_a_unit_gives_the_same_report() {
    let story = Story::whole();
    let folder = tempfile::tempdir().unwrap();
    let passphrase = Passphrase::new("correct horse battery".to_owned().into());
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let path = folder.path().join("vault");
    let vault = Vault::create(&path, &passphrase, Hashing::WEAK_FOR_EXERCISES, &mut rng).await.unwrap();
    vault.apply(&vault_of(&story)).await.unwrap();
    let now = BEGIN + 40 * 24 * HOUR;
    let session = Session::open(vault.clone(), Arc::new(move || now)).await.unwrap();
    let signed = gather(&vault, &session, None, now).await.unwrap();
    let (ours, theirs) = (verify(&signed), verify(&story.bundle.clone().sign(&story.keys[GM].signing)));
    assert_eq!(ours.findings, []);
    assert_eq!(ours.exceptions, theirs.exceptions);
    assert_eq!(ours.objections, theirs.objections);
    assert_eq!(ours.objections.len(), 1);
    assert_eq!(ours.disclosures.len(), 5);
    for disclosure in &ours.disclosures {
        assert!(theirs.disclosures.contains(disclosure), "{disclosure:#?}");
    }
    let handle = story.bundle.cases[0].handle;
    let one = gather(&vault, &session, Some(&handle), now).await.unwrap();
    assert_eq!(verify(&one).disclosures.len(), 1);
    assert_eq!(verify(&one).findings, []);
}
