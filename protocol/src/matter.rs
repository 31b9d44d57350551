//! The sealed matter of an act: what the other unit's officers read, and the broker does not (R2, R29, R33).
//!
//! Sealed under the case's key with a random nonce, padded to a few sizes; the act carries a salted commitment, so that
//! an audit can show the matter of an act and prove that it is what was signed. [`check`] holds the guards of the parties:
//! both units run it; where it fails, the receiving unit objects, and nothing is sealed for that case until its officers
//! have looked.
//!
//! Callers: agents, the audit. *Not here:* content. Matter holds names of fields, codes and short words about the
//! procedure; what is handed over travels in a parcel ([`crate::parcel`]), and an entry of a joint journal goes in only
//! with a consent of its own.

use crate::act::{Content, VerifiedAct};
use crate::codec::{self, Bytes, Hash};
use crate::consent::{ConsentGiven, ConsentKind};
use crate::label;
use crate::manual::{Asks, Manual, Transition};
use crate::officer::{NameOpening, Officers};
use crate::overlap::CaseKey;
use crate::package::{FieldLine, Openings, Purpose};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The longest note, and statement of a threat, in bytes.
pub const MAX_NOTE: usize = 1000;
/// The longest entry of a journal, in bytes.
pub const MAX_ENTRY: usize = 32_768;
/// Most fields named in an offer.
pub const MAX_FIELDS: usize = 256;
/// The sizes to which matter is padded, in bytes before sealing.
const SIZES: [usize; 4] = [2048, 8192, 32_768, 131_072];
const NONCE_LEN: usize = 24;
/// The longest sealed matter, in bytes.
pub const MAX_SEALED: usize = SIZES[3] + NONCE_LEN + 16;

/// That a copy was deleted: by whom, when.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub struct CopyReceipt {
    /// The package.
    #[n(0)]
    pub package: Hash,
    /// 0: the vault's own; from 1: the exported ones.
    #[n(1)]
    pub copy: u32,
    /// When it was deleted, in milliseconds since the Unix epoch.
    #[n(2)]
    pub at_ms: u64,
}

/// What is said beside the public part of an act. Only what the manual's step asks for is set.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Matter {
    #[n(0)]
    salt: Bytes<32>,
    /// The name of the officer who signs, under the certificate's commitment.
    #[n(1)]
    pub by: Option<NameOpening>,
    /// A code of the manual's reasons.
    #[n(2)]
    pub reason: Option<String>,
    /// A short word; at most [`MAX_NOTE`] bytes.
    #[n(3)]
    pub note: Option<String>,
    /// The fields that are offered or asked for.
    #[n(4)]
    pub fields: Vec<FieldLine>,
    /// The purpose.
    #[n(5)]
    pub purpose: Option<Purpose>,
    /// What opens the hashes of the consent that the act carries.
    #[n(6)]
    pub openings: Option<Openings>,
    /// The threat to life; at most [`MAX_NOTE`] bytes.
    #[n(7)]
    pub threat: Option<String>,
    /// What the legal officer attests, by the manual's codes.
    #[n(8)]
    pub attestations: Vec<String>,
    /// A receipt for each deleted copy.
    #[n(9)]
    pub copies: Vec<CopyReceipt>,
    #[n(10)]
    entry: Option<String>,
}

/// Why matter does not open, or is not what it should be.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum MatterRefused {
    /// Not sealed under this key for this act, or changed on the way.
    #[error("the sealed matter does not open")]
    DoesNotOpen,
    /// The broker says that it has destroyed it, as it does once a case has ended.
    #[error("the sealed matter was destroyed")]
    Destroyed,
    /// Not in canonical form.
    #[error("the sealed matter is malformed")]
    Malformed,
    /// Other matter than the act's commitment says.
    #[error("the matter is not the one that was signed")]
    Commitment,
    /// The officer's name does not open the certificate's commitment, or is missing.
    #[error("the officer's name is not the one that the unit certified")]
    Name,
    /// Something that the manual asks for is missing, or longer than allowed, or a code that the manual does not have.
    #[error("the manual asks for {0}")]
    Asks(&'static str),
    /// The openings are not those of the consent.
    #[error("what the consent is over was not shown")]
    Openings,
    /// An urgent consent over more than the manual's least fields.
    #[error("an urgent consent is over the least fields only")]
    UrgentFields,
    /// Too long for the largest size.
    #[error("the matter is too long")]
    TooLong,
    /// A journal entry without a consent for it.
    #[error("an entry in the journal needs the unit's consent")]
    Consent,
}

impl MatterRefused {
    /// The stable name of this error, as the docs write it.
    pub fn code(&self) -> &'static str {
        match self {
            MatterRefused::DoesNotOpen => "matter-does-not-open",
            MatterRefused::Destroyed => "matter-destroyed",
            MatterRefused::Malformed => "matter-malformed",
            MatterRefused::Commitment => "matter-commitment",
            MatterRefused::Name => "matter-name",
            MatterRefused::Asks(_) => "matter-asks",
            MatterRefused::Openings => "matter-openings",
            MatterRefused::UrgentFields => "matter-urgent-fields",
            MatterRefused::TooLong => "matter-too-long",
            MatterRefused::Consent => "matter-consent",
        }
    }
}

impl Matter {
    /// Empty matter, with a fresh salt.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        Matter {
            salt: Bytes(salt),
            by: None,
            reason: None,
            note: None,
            fields: Vec::new(),
            purpose: None,
            openings: None,
            threat: None,
            attestations: Vec::new(),
            copies: Vec::new(),
            entry: None,
        }
    }

    /// Puts an entry of the journal in: only with the unit's verified consent to its entries.
    ///
    /// # Errors
    /// [`MatterRefused::Consent`]: a consent of another kind. [`MatterRefused::TooLong`].
    pub fn write_entry(&mut self, given: &ConsentGiven, entry: String) -> Result<(), MatterRefused> {
        if given.terms().kind != ConsentKind::Journal {
            return Err(MatterRefused::Consent);
        }
        if entry.len() > MAX_ENTRY {
            return Err(MatterRefused::TooLong);
        }
        self.entry = Some(entry);
        Ok(())
    }

    /// The entry of the journal.
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// What the act carries of it.
    pub fn commitment(&self) -> Hash {
        let mut h = Sha256::new();
        h.update(label::MATTER.as_bytes());
        h.update([0]);
        h.update(codec::encode(self));
        Bytes(h.finalize().into())
    }

    /// Seals it for the act with this commitment.
    ///
    /// # Errors
    /// [`MatterRefused::TooLong`].
    pub fn seal(&self, key: &CaseKey, rng: &mut impl CryptoRng) -> Result<Vec<u8>, MatterRefused> {
        let mut plain = Zeroizing::new(codec::encode(self));
        // ISO/IEC 7816-4 padding: one bit, then zeros.
        plain.push(0x80);
        let size = SIZES.into_iter().find(|size| *size >= plain.len()).ok_or(MatterRefused::TooLong)?;
        plain.resize(size, 0);
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let payload = Payload { msg: &plain, aad: &self.commitment().0 };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload).map_err(|_| MatterRefused::TooLong)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens the rows of an act with this commitment.
    ///
    /// # Errors
    /// [`MatterRefused`]: it does not open, is malformed, or is not what was signed.
    pub fn open(key: &CaseKey, commitment: &Hash, rows: &[u8]) -> Result<Matter, MatterRefused> {
        let (nonce, sealed) = rows.split_first_chunk::<NONCE_LEN>().ok_or(MatterRefused::DoesNotOpen)?;
        let payload = Payload { msg: sealed, aad: &commitment.0 };
        let plain = cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| MatterRefused::DoesNotOpen)?;
        let plain = Zeroizing::new(plain);
        if !SIZES.contains(&plain.len()) {
            return Err(MatterRefused::Malformed);
        }
        let end = plain.iter().rposition(|byte| *byte != 0).filter(|at| plain[*at] == 0x80);
        let matter = Matter::from_bytes(&plain[..end.ok_or(MatterRefused::Malformed)?])?;
        if matter.commitment() == *commitment { Ok(matter) } else { Err(MatterRefused::Commitment) }
    }

    /// The canonical bytes, for the vault and for an audit.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(codec::encode(self))
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`MatterRefused::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Matter, MatterRefused> {
        codec::decode(bytes).map_err(|_| MatterRefused::Malformed)
    }
}

fn cipher(key: &CaseKey) -> XChaCha20Poly1305 {
    let key = key.subkey(label::MATTER_KEY, &[]);
    XChaCha20Poly1305::new(&Key::from(*key))
}

/// Whether rows of this length can be sealed matter: what the broker can check.
pub fn is_sealed_len(len: u64) -> bool {
    SIZES.iter().any(|size| (size + NONCE_LEN + 16) as u64 == len)
}

/// The guards of the parties: whether the matter of an act holds all that the manual's step asks for, and no more.
///
/// # Errors
/// [`MatterRefused`] names what is missing.
pub fn check(
    manual: &Manual,
    step: &Transition,
    act: &VerifiedAct<'_>,
    matter: &Matter,
    officers: &Officers,
) -> Result<(), MatterRefused> {
    let said = act.statement();
    if matter.commitment() != said.matter {
        return Err(MatterRefused::Commitment);
    }
    match (act.signer(), &matter.by) {
        (None, None) => {}
        (Some(signer), Some(name)) => {
            let officer = officers.get(signer.unit(), signer.number()).ok_or(MatterRefused::Name)?;
            if officer.certificate.name != name.commitment() {
                return Err(MatterRefused::Name);
            }
        }
        _ => return Err(MatterRefused::Name),
    }
    let is_short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= MAX_NOTE);
    if !is_short(&matter.note) || !is_short(&matter.threat) {
        return Err(MatterRefused::TooLong);
    }
    if matter.fields.len() > MAX_FIELDS {
        return Err(MatterRefused::TooLong);
    }
    if matter.reason.as_ref().is_some_and(|reason| !manual.reasons().contains(reason)) {
        return Err(MatterRefused::Asks("a reason by its code"));
    }
    for ask in &step.asks {
        let (is_there, what) = match ask {
            Asks::Reason => (matter.reason.is_some(), "a reason by its code"),
            Asks::Threat => (matter.threat.as_ref().is_some_and(|text| !text.trim().is_empty()), "the threat to life"),
            // To work apart needs no field.
            Asks::Fields => (!matter.fields.is_empty() || !names_data(&said.content), "the list of fields"),
            Asks::Purpose => (matter.purpose.as_ref().is_some_and(|p| p.check().is_ok()), "the purpose"),
            Asks::Attestations => {
                // The legal officer attests; the head, who signs beside, need not.
                let legal = act.signer().is_some_and(|s| s.role() == crate::officer::OfficerRole::LegalOfficer);
                let all = manual.attestations().iter().all(|code| matter.attestations.contains(code));
                (!legal || all, "every attestation, from the legal officer")
            }
        };
        if !is_there {
            return Err(MatterRefused::Asks(what));
        }
    }
    match &said.content {
        Content::Consent(terms) => {
            let openings = matter.openings.as_ref().ok_or(MatterRefused::Openings)?;
            if !openings.are_of(terms) {
                return Err(MatterRefused::Openings);
            }
            let least = |line: &FieldLine| manual.urgent_fields().contains(&line.name);
            if terms.kind == ConsentKind::Urgent && !openings.fields.lines.iter().all(least) {
                return Err(MatterRefused::UrgentFields);
            }
        }
        Content::Deletion if matter.copies.is_empty() => return Err(MatterRefused::Asks("a receipt for each copy")),
        _ => {}
    }
    if matter.entry.is_some() != (said.content == Content::Journal) {
        return Err(MatterRefused::Asks("an entry in the journal, and there only"));
    }
    Ok(())
}

fn names_data(content: &Content) -> bool {
    !matches!(content, Content::Offer(crate::act::Outcome::Separate | crate::act::Outcome::Joint, _))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::{Act, Outcome, Statement};
    use crate::manual::DEFAULT;
    use crate::name::UnitName;
    use crate::officer::{Certificate, OfficerEntry, OfficerKey, OfficerRole};
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const FEDERATION: Hash = Bytes([1; 32]);

    fn case_key(byte: u8) -> CaseKey {
        CaseKey::from_secret(&[byte; 32])
    }

    #[test]
    fn matter_opens_under_its_key_and_for_its_act_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let mut matter = Matter::new(&mut rng);
        matter.note = Some("a word".to_owned());
        let (key, commitment) = (case_key(1), matter.commitment());
        let sealed = matter.seal(&key, &mut rng).unwrap();
        assert!(Matter::open(&key, &commitment, &sealed).unwrap() == matter);
        assert_ne!(sealed, matter.seal(&key, &mut rng).unwrap(), "a nonce of its own each time");
        let fails = |key: &CaseKey, commitment: &Hash, rows: &[u8]| Matter::open(key, commitment, rows).err();
        assert_eq!(fails(&case_key(2), &commitment, &sealed), Some(MatterRefused::DoesNotOpen));
        assert_eq!(fails(&key, &Hash::ZERO, &sealed), Some(MatterRefused::DoesNotOpen));
        for at in [0, NONCE_LEN, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(fails(&key, &commitment, &changed), Some(MatterRefused::DoesNotOpen));
        }
        for len in [0, NONCE_LEN - 1, sealed.len() - 1] {
            assert_eq!(fails(&key, &commitment, &sealed[..len]), Some(MatterRefused::DoesNotOpen));
        }
        let other = Matter::new(&mut rng);
        assert_ne!(other.commitment(), Matter::new(&mut rng).commitment(), "a salt of its own each time");
        assert!(Matter::from_bytes(&matter.to_bytes()).unwrap() == matter);
        assert_eq!(Matter::from_bytes(b"\x00").err(), Some(MatterRefused::Malformed));
    }

    #[test]
    fn what_is_padded_wrongly_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let matter = Matter::new(&mut rng);
        let (key, commitment) = (case_key(1), matter.commitment());
        let open = |plain: &[u8]| {
            let payload = Payload { msg: plain, aad: &commitment.0 };
            let sealed = cipher(&key).encrypt(&XNonce::from([9; NONCE_LEN]), payload).unwrap();
            Matter::open(&key, &commitment, &[&[9; NONCE_LEN], &sealed[..]].concat()).err()
        };
        let mut plain = codec::encode(&matter);
        plain.push(0x80);
        assert_eq!(open(&plain), Some(MatterRefused::Malformed), "not one of the sizes");
        plain.resize(SIZES[0], 0);
        assert_eq!(open(&plain), None);
        assert_eq!(open(&[0; SIZES[0]]), Some(MatterRefused::Malformed), "no end");
        plain[SIZES[0] - 1] = 0x80;
        assert_eq!(open(&plain), Some(MatterRefused::Malformed), "not canonical");
        let mut other = codec::encode(&Matter::new(&mut rng));
        other.push(0x80);
        other.resize(SIZES[0], 0);
        assert_eq!(open(&other), Some(MatterRefused::Commitment));
    }

    #[test]
    fn matter_has_one_of_four_lengths() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let key = case_key(1);
        let mut matter = Matter::new(&mut rng);
        let empty = codec::encode(&matter).len();
        let mut seen = std::collections::BTreeSet::new();
        for len in [0, 100, 1000, 5000, 30_000, 130_000] {
            matter.note = Some("x".repeat(len));
            let sealed = matter.seal(&key, &mut rng).unwrap();
            assert!(is_sealed_len(sealed.len() as u64) && sealed.len() <= MAX_SEALED);
            assert!(Matter::open(&key, &matter.commitment(), &sealed).unwrap() == matter);
            seen.insert(sealed.len());
        }
        assert_eq!(seen.len(), 4);
        assert!(!is_sealed_len(SIZES[0] as u64) && !is_sealed_len(0));
        // Exactly full, with room for the one byte that ends it; and one byte more.
        let overhead = codec::encode(&matter).len() - 130_000 - empty;
        matter.note = Some("x".repeat(SIZES[3] - 1 - empty - overhead));
        assert_eq!(codec::encode(&matter).len(), SIZES[3] - 1);
        assert_eq!(matter.seal(&key, &mut rng).unwrap().len(), MAX_SEALED);
        matter.note = Some("x".repeat(SIZES[3] - empty - overhead));
        assert_eq!(matter.seal(&key, &mut rng), Err(MatterRefused::TooLong));
    }

    /// Signs an act with this matter, and checks it as an officer of this role against a step that asks for this.
    fn judge(
        role: OfficerRole,
        asks: &[Asks],
        content: Content,
        change: impl Fn(&mut Matter, &Manual),
    ) -> Result<(), MatterRefused> {
        let table: toml::Table = toml::from_str(DEFAULT).unwrap();
        let manual = Manual::read(table["manual"].as_table().unwrap()).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let (low, high): (UnitName, UnitName) = ("A".parse().unwrap(), "B".parse().unwrap());
        let (key, name) = (OfficerKey::generate(&mut rng), NameOpening::new("A. Diop", &mut rng).unwrap());
        let mut officers = Officers::default();
        let certificate = Certificate::new(&FEDERATION, &low, 1, role, &name, &key);
        officers.apply(&FEDERATION, &low, &OfficerEntry::Certified(certificate)).unwrap();
        let mut matter = Matter::new(&mut rng);
        matter.by = Some(name);
        change(&mut matter, &manual);
        let statement = Statement {
            federation: FEDERATION,
            accord: Hash::ZERO,
            handle: Bytes::ZERO,
            low: low.clone(),
            high,
            unit: low.clone(),
            round: 0,
            number: 1,
            event: "refuse".to_owned(),
            at_ms: 0,
            content,
            matter: matter.commitment(),
        };
        let act = Act::sign(statement, 1, &key);
        let verified = act.verify(&FEDERATION, &low, &officers).unwrap();
        let step = Transition { asks: asks.to_vec(), ..manual.transitions()[0].clone() };
        let mut other = matter.clone();
        other.salt = Bytes::ZERO;
        assert_eq!(check(&manual, &step, &verified, &other, &officers), Err(MatterRefused::Commitment));
        check(&manual, &step, &verified, &matter, &officers)
    }

    #[test]
    fn each_thing_that_a_step_asks_for_is_there() {
        use OfficerRole::{Head, LegalOfficer};
        let nothing = || Content::Nothing;
        let reason = |code: &'static str| move |matter: &mut Matter, _: &Manual| matter.reason = Some(code.to_owned());
        assert_eq!(judge(Head, &[], nothing(), |_, _| {}), Ok(()));
        assert!(judge(Head, &[Asks::Reason], nothing(), |_, _| {}).is_err());
        assert_eq!(judge(Head, &[Asks::Reason], nothing(), reason("magistrate-denied")), Ok(()));
        assert!(judge(Head, &[Asks::Reason], nothing(), reason("because")).is_err());
        assert!(judge(Head, &[], nothing(), reason("because")).is_err());
        let threat = |text: &'static str| move |matter: &mut Matter, _: &Manual| matter.threat = Some(text.to_owned());
        assert!(judge(Head, &[Asks::Threat], nothing(), |_, _| {}).is_err());
        assert!(judge(Head, &[Asks::Threat], nothing(), threat("  ")).is_err());
        assert_eq!(judge(Head, &[Asks::Threat], nothing(), threat("a life")), Ok(()));
        let phone = || FieldLine {
            name: "phone".to_owned(),
            category: crate::package::Category::Suspect,
            handling: vec![crate::package::HandlingCode::H1],
            restriction: None,
            source: crate::package::SourceCode::B,
            information: crate::package::InformationCode::Two,
            nature: crate::package::Nature::Fact,
            necessity: "to ask the operator".to_owned(),
            kind: crate::package::ContentKind::Text,
        };
        let line = |matter: &mut Matter, _: &Manual| matter.fields = vec![phone()];
        let offer = |outcome| Content::Offer(outcome, None);
        assert!(judge(Head, &[Asks::Fields], offer(Outcome::Mutual), |_, _| {}).is_err());
        assert_eq!(judge(Head, &[Asks::Fields], offer(Outcome::Mutual), line), Ok(()));
        assert_eq!(judge(Head, &[Asks::Fields], offer(Outcome::Separate), |_, _| {}), Ok(()));
        assert_eq!(judge(Head, &[Asks::Fields], offer(Outcome::Joint), |_, _| {}), Ok(()));
        let all = |matter: &mut Matter, manual: &Manual| matter.attestations = manual.attestations().to_vec();
        let most = |matter: &mut Matter, manual: &Manual| matter.attestations = manual.attestations()[1..].to_vec();
        assert!(judge(LegalOfficer, &[Asks::Attestations], nothing(), most).is_err());
        assert_eq!(judge(LegalOfficer, &[Asks::Attestations], nothing(), all), Ok(()));
        assert_eq!(judge(Head, &[Asks::Attestations], nothing(), |_, _| {}), Ok(()), "the legal officer attests");
        assert!(judge(Head, &[Asks::Purpose], nothing(), |_, _| {}).is_err());
    }

    #[test]
    fn names_lengths_and_copies_are_checked() {
        use OfficerRole::Head;
        let judge = |content, change: fn(&mut Matter, &Manual)| judge(Head, &[], content, change);
        assert_eq!(judge(Content::Nothing, |matter, _| matter.by = None), Err(MatterRefused::Name));
        let renamed = |matter: &mut Matter, _: &Manual| {
            matter.by = NameOpening::new("B. Sow", &mut ChaCha20Rng::seed_from_u64(9));
        };
        assert_eq!(judge(Content::Nothing, renamed), Err(MatterRefused::Name));
        assert_eq!(judge(Content::Nothing, |matter, _| matter.note = Some("x".repeat(MAX_NOTE))), Ok(()));
        let long = |matter: &mut Matter, _: &Manual| matter.note = Some("x".repeat(MAX_NOTE + 1));
        assert_eq!(judge(Content::Nothing, long), Err(MatterRefused::TooLong));
        let long = |matter: &mut Matter, _: &Manual| matter.threat = Some("x".repeat(MAX_NOTE + 1));
        assert_eq!(judge(Content::Nothing, long), Err(MatterRefused::TooLong));
        assert!(judge(Content::Deletion, |_, _| {}).is_err());
        let copy = |matter: &mut Matter, _: &Manual| {
            matter.copies = vec![CopyReceipt { package: Hash::ZERO, copy: 0, at_ms: 1 }];
        };
        assert_eq!(judge(Content::Deletion, copy), Ok(()));
        assert!(judge(Content::Journal, |_, _| {}).is_err());
        let entry = |matter: &mut Matter, _: &Manual| matter.entry = Some("seen".to_owned());
        assert_eq!(judge(Content::Journal, entry), Ok(()));
        assert!(judge(Content::Nothing, entry).is_err(), "an entry in the journal only");
    }
}
