//! Every domain label of the protocol, in one file (R23, R36).
//!
//! A label separates one use of a hash, a signature or a key derivation from every other. All of them carry the
//! protocol's version: two versions never mix by accident. Callers: every module of this package.
//!
//! *Not here:* the labels of other people's formats (C2SP notes and cosignatures live in package `tlog`).

/// The protocol's version, in every envelope and every context (R36).
pub const VERSION: u8 = 1;

/// The suite: group, hash and AEAD in use, in every context (R11, R36).
pub const SUITE: &str = "ristretto255-SHA512-HKDFSHA256-XChaCha20Poly1305-XWing";

// Envelopes and bodies (R23)
/// Signature over an envelope's header.
pub const ENVELOPE_SIGNATURE: &str = "sutura/1 envelope signature";
/// Hash of a signed envelope: the entry in the log, and the link of a sender's chain.
pub const ENVELOPE_HASH: &str = "sutura/1 envelope hash";

// Identity (R5 to R7)
/// Identifier of a federation: hash of its name and the broker's signing key.
pub const FEDERATION: &str = "sutura/1 federation";
/// Verification code of two units.
pub const VERIFICATION_CODE: &str = "sutura/1 verification code";
/// Proof that whoever joins holds the keys it names.
pub const JOIN: &str = "sutura/1 join";
/// Check of an invite's text.
pub const INVITE: &str = "sutura/1 invite";

// Accord
/// Hash of an accord: what every signed message is bound to.
pub const ACCORD: &str = "sutura/1 accord";

// Pair, epoch, secrets (R9, R10)
/// HPKE info of a sealed contribution.
pub const CONTRIBUTION: &str = "sutura/1 contribution";
/// Key derivation of the pair secret.
pub const PAIR_SECRET: &str = "sutura/1 pair secret";
/// Proof of possession of an epoch's scalar.
pub const POSSESSION: &str = "sutura/1 possession";
/// Nonce of the proof of possession (hedged).
pub const POSSESSION_NONCE: &str = "sutura/1 possession nonce";

// Matching (R11 to R15)
/// Beginning of the domain tag of hash-to-ristretto255. Short: with a context's hash behind it the tag has 43 bytes, the
/// most with which expand_message_xmd takes three blocks of SHA-512 for a token and not five.
pub const HASH_TO_GROUP: &str = "sutura/1 H1";
/// Hash of the context of a pair and epoch.
pub const CONTEXT: &str = "sutura/1 context";
/// HMAC by which a request shows which pair secret its sender holds.
pub const CONFIRM_SECRET: &str = "sutura/1 confirm";
/// Seed of the weights of an evaluation's proof.
pub const PROOF_SEED: &str = "sutura/1 proof seed";
/// One weight of an evaluation's proof.
pub const PROOF_WEIGHT: &str = "sutura/1 proof weight";
/// Challenge of an evaluation's proof.
pub const PROOF_CHALLENGE: &str = "sutura/1 proof challenge";
/// Nonce of an evaluation's proof (hedged).
pub const PROOF_NONCE: &str = "sutura/1 proof nonce";
/// Derivation of tag and match key.
pub const TAG: &str = "sutura/1 tag and match key";
/// Confirmation of a leaf, under its match key.
pub const CONFIRMATION: &str = "sutura/1 confirmation";
/// Canary tokens and their ticks, from the pair secret (R22).
pub const CANARY: &str = "sutura/1 canary";
/// Ticks at which canaries are released (R22).
pub const CANARY_TICK: &str = "sutura/1 canary tick";

// Tag sets, comparing, acknowledgements (R15 to R18)
/// Nonce that hides a leaf below the root of its tag set.
pub const LEAF_NONCE: &str = "sutura/1 leaf nonce";
/// A hidden leaf below the root of its tag set.
pub const LEAF: &str = "sutura/1 leaf";
/// Digest of the matches of one pair and tick.
pub const MATCHES: &str = "sutura/1 matches";
/// AEAD key of acknowledgements, from the pair secret.
pub const ACKNOWLEDGEMENT: &str = "sutura/1 acknowledgement";
/// Random handle of an overlap, from the pair secret.
pub const HANDLE: &str = "sutura/1 overlap handle";

// Officers, acts, consent, parcels (R29 to R33)
/// An officer's proof that the key of a certificate is held.
pub const OFFICER: &str = "sutura/1 officer";
/// Commitment to an officer's name.
pub const OFFICER_NAME: &str = "sutura/1 officer name";
/// An officer's signature over an act.
pub const ACT: &str = "sutura/1 act";
/// Hash of an act: the link of a case's chain.
pub const ACT_HASH: &str = "sutura/1 act hash";
/// Commitment to the sealed matter of an act.
pub const MATTER: &str = "sutura/1 matter";
/// AEAD key of the matter of a case's acts.
pub const MATTER_KEY: &str = "sutura/1 matter key";
/// What names a consent.
pub const CONSENT_ID: &str = "sutura/1 consent id";
/// An officer's signature under a consent over one parcel.
pub const CONSENT: &str = "sutura/1 consent";
/// An officer's signature under an urgent consent.
pub const URGENT_CONSENT: &str = "sutura/1 urgent consent";
/// An officer's signature under a consent over a joint journal.
pub const JOURNAL_CONSENT: &str = "sutura/1 journal consent";
/// Secret of an overlap, from the pair secret of the epoch in which it arose.
pub const OVERLAP_SECRET: &str = "sutura/1 overlap secret";
/// Key of a case, from the overlap's secret and a match key (R31).
pub const CASE_KEY: &str = "sutura/1 case key";
/// Hash of a package.
pub const PACKAGE: &str = "sutura/1 package";
/// Salt and hash of a package's list of fields.
pub const PACKAGE_FIELDS: &str = "sutura/1 package fields";
/// Salt and hash of a package's purpose.
pub const PACKAGE_PURPOSE: &str = "sutura/1 package purpose";
/// Salt and hash of a package's handling codes.
pub const PACKAGE_HANDLING: &str = "sutura/1 package handling";
/// An officer's signature over a reading.
pub const READING: &str = "sutura/1 reading";
/// An officer's signature over a lifting.
pub const LIFTING: &str = "sutura/1 lifting";
/// HPKE info of a parcel.
pub const PARCEL: &str = "sutura/1 parcel";
/// HPKE pre-shared key of a parcel, from the case key.
pub const PARCEL_KEY: &str = "sutura/1 parcel key";

// Audit
/// A unit's signature over the bundle that it exports for an audit.
pub const AUDIT_BUNDLE: &str = "sutura/1 audit bundle";
/// Fingerprint of a member's keys, for comparing over another channel.
pub const FINGERPRINT: &str = "sutura/1 fingerprint";

/// All labels, for the test that no two are equal or one the prefix of another with nothing between.
pub const ALL: &[&str] = &[
    ENVELOPE_SIGNATURE,
    ENVELOPE_HASH,
    FEDERATION,
    VERIFICATION_CODE,
    JOIN,
    INVITE,
    ACCORD,
    CONTRIBUTION,
    PAIR_SECRET,
    POSSESSION,
    POSSESSION_NONCE,
    HASH_TO_GROUP,
    CONTEXT,
    CONFIRM_SECRET,
    PROOF_SEED,
    PROOF_WEIGHT,
    PROOF_CHALLENGE,
    PROOF_NONCE,
    TAG,
    CONFIRMATION,
    CANARY,
    CANARY_TICK,
    LEAF_NONCE,
    LEAF,
    MATCHES,
    ACKNOWLEDGEMENT,
    HANDLE,
    OFFICER,
    OFFICER_NAME,
    ACT,
    ACT_HASH,
    MATTER,
    MATTER_KEY,
    CONSENT_ID,
    CONSENT,
    URGENT_CONSENT,
    JOURNAL_CONSENT,
    OVERLAP_SECRET,
    CASE_KEY,
    PACKAGE,
    PACKAGE_FIELDS,
    PACKAGE_PURPOSE,
    PACKAGE_HANDLING,
    READING,
    LIFTING,
    PARCEL,
    PARCEL_KEY,
    AUDIT_BUNDLE,
    FINGERPRINT,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_distinct_and_carry_the_version() {
        for (i, a) in ALL.iter().enumerate() {
            assert!(a.starts_with("sutura/1 "), "{a}");
            assert!(ALL[i + 1..].iter().all(|b| a != b), "{a} stands twice");
        }
    }
}
