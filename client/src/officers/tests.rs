//! An officer's key opens under the officer's own passphrase, and under nothing else.

use super::*;
use crate::membership::found;
use protocol::invite::Invite;
use protocol::officer::{OfficerEntry, Officers};
use protocol::{Bytes, Hash};

const WEAK: Hashing = Hashing::WEAK_FOR_EXERCISES;

fn rng() -> impl CryptoRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::from(text.to_owned())
}

/// A unit that has an invite, and the federation's identity.
async fn unit(folder: &tempfile::TempDir) -> (Vault, Hash) {
    let vault =
        Vault::create(&folder.path().join("vault"), &passphrase("the vault's"), WEAK, &mut rng()).await.unwrap();
    found(&vault, &"SN".parse().unwrap(), "Senegal", &mut rng()).await.unwrap();
    let invite = Invite {
        federation: "test".into(),
        broker: Bytes([1; 32]),
        address: "localhost:1".into(),
        authority: Bytes([2; 32]),
        unit: "SN".parse().unwrap(),
        token: Bytes([3; 32]),
    };
    vault.apply(&[Change::put("unit/invite", codec::encode(&invite))]).await.unwrap();
    (vault, federation_id("test", &Bytes([1; 32])))
}

/// What the agent writes when an entry comes back through the mailbox.
async fn logged_as(vault: &Vault, certificate: &Certificate, revoked: Option<u64>) {
    let value = crate::agent::written_officer(5, revoked, certificate);
    vault.apply(&[Change::Put { key: format!("officer/SN/{}", certificate.number), value }]).await.unwrap();
}

#[tokio::test]
async fn a_key_opens_under_its_officers_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, federation) = unit(&folder).await;
    let own = passphrase("Awa's own words");
    let awa = create(&vault, "Awa Diop", OfficerRole::Head, &own, WEAK, &mut rng()).await.unwrap();
    let other = passphrase("Binta's own words");
    let binta = create(&vault, "Binta Sy", OfficerRole::LegalOfficer, &other, WEAK, &mut rng()).await.unwrap();
    assert_eq!((awa.number, binta.number), (1, 2));
    let (mut officers, sn) = (Officers::default(), "SN".parse().unwrap());
    for certificate in [&awa, &binta] {
        let entry = OfficerEntry::Certified(certificate.clone());
        assert_eq!(officers.apply(&federation, &sn, &entry), Ok(()), "what was made is what all accept");
    }
    for who in ["Awa Diop", "1"] {
        let unlocked = unlock(&vault, who, &own).await.unwrap();
        assert_eq!((unlocked.number, unlocked.role), (1, OfficerRole::Head));
        assert_eq!((unlocked.key.public(), unlocked.name.commitment()), (awa.key, awa.name));
        for wrong in [&other, &passphrase("the vault's"), &passphrase("")] {
            assert!(matches!(unlock(&vault, who, wrong).await, Err(OfficerError::Locked)));
        }
    }
    assert!(matches!(unlock(&vault, "3", &own).await, Err(OfficerError::Unknown)));
    // One officer's record in the other's place, as somebody with the vault's passphrase could put it.
    let moved = vault.get("officer-key/2").await.unwrap().unwrap();
    let mut moved: Kept = codec::decode(&moved).unwrap();
    moved.number = 1;
    vault.apply(&[Change::put("officer-key/1", codec::encode(&moved))]).await.unwrap();
    assert!(matches!(unlock(&vault, "1", &other).await, Err(OfficerError::Locked)));
}

#[tokio::test]
async fn names_are_unique_among_those_in_standing_and_numbers_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let (vault, _) = unit(&folder).await;
    let own = passphrase("own words");
    let make = async |name: &str| create(&vault, name, OfficerRole::Head, &own, WEAK, &mut rng()).await;
    let first = make("Awa").await.unwrap();
    let standing = async || find(&vault, "Awa").await.map(|own| (own.number, own.standing)).unwrap();
    assert_eq!(standing().await, (1, OwnStanding::Waiting));
    assert!(matches!(make("Awa").await, Err(OfficerError::Taken)));
    logged_as(&vault, &first, None).await;
    assert_eq!(standing().await, (1, OwnStanding::InStanding));
    assert!(matches!(make("Awa").await, Err(OfficerError::Taken)));
    logged_as(&vault, &first, Some(9)).await;
    assert_eq!(standing().await, (1, OwnStanding::Revoked));
    assert!(matches!(unlock(&vault, "Awa", &own).await, Err(OfficerError::Revoked)));
    assert_eq!(make("Awa").await.unwrap().number, 2);
    assert_eq!(standing().await, (2, OwnStanding::Waiting), "of two of one name, the one who is not revoked");
    assert_eq!(unlock(&vault, "Awa", &own).await.unwrap().number, 2);
    forget(&vault, 2).await.unwrap();
    assert_eq!(standing().await, (1, OwnStanding::Revoked));
    for bad in ["", " Awa", "12", "A\u{1b}[2J", &"x".repeat(101)] {
        assert!(matches!(make(bad).await, Err(OfficerError::Name)), "{bad:?}");
    }
}
