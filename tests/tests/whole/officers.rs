//! Officers in federations of real agents: all learn them, and nobody forgets them.

use client::agent::Event;
use protocol::identity::UnitKeys;
use protocol::name::UnitName;
use protocol::officer::{Certificate, NameOpening, OfficerKey, OfficerRefused, OfficerRole};
use protocol::roster::join_entry;
use tests::simulation::Federation;

/// A certificate for the next officer of a unit.
fn certificate(f: &mut Federation, unit: &str, number: u32) -> Certificate {
    let (federation, name): (_, UnitName) = (f.id(), unit.parse().unwrap());
    let (key, opening) = (OfficerKey::generate(&mut f.rng), NameOpening::new("A. Officer", &mut f.rng).unwrap());
    Certificate::new(&federation, &name, number, OfficerRole::LegalOfficer, &opening, &key)
}

fn certify(f: &mut Federation, unit: &str, number: u32) -> Certificate {
    let certificate = certificate(f, unit, number);
    let now = f.now_ms;
    f.unit(unit).agent.certify(certificate.clone(), now).unwrap();
    f.pump();
    certificate
}

#[test]
fn all_learn_officers_and_their_revocation_and_keep_them_over_restarts() {
    let mut f = Federation::founded(&["GM", "ML", "SN"], 11);
    let sn: UnitName = "SN".parse().unwrap();
    let first = certify(&mut f, "SN", 1);
    let second = certify(&mut f, "SN", 2);
    let now = f.now_ms;
    f.unit("SN").agent.revoke_officer(1, now).unwrap();
    f.pump();
    f.join("BF");
    let all = ["BF", "GM", "ML", "SN"];
    let known = f.unit("SN").agent.officers().clone();
    let entries = f.unit("SN").agent.officer_entries(&sn, 1).unwrap();
    assert!(entries.1.unwrap() > entries.0);
    for restarted in [false, true] {
        for name in all {
            if restarted {
                f.restart(name);
            }
            let agent = &f.unit(name).agent;
            assert_eq!(agent.officers(), &known, "{name}");
            assert_eq!(agent.officers().get(&sn, 1).map(|officer| &officer.certificate), Some(&first));
            assert_eq!(agent.officers().in_standing(&sn, 1), None);
            assert_eq!(agent.officers().in_standing(&sn, 2), Some(&second));
            assert_eq!(agent.officer_entries(&sn, 1), Some(entries), "{name}");
        }
    }
    assert!(f.units.values().all(|unit| unit.not_taken.is_empty()));
    let told = |f: &mut Federation, name: &str| f.unit(name).events.contains(&Event::PeerOfficer(sn.clone()));
    assert!(told(&mut f, "GM") && told(&mut f, "BF") && !told(&mut f, "SN"), "peers' officers only");
}

#[test]
fn what_all_would_refuse_is_not_even_sent() {
    let mut f = Federation::founded(&["GM", "SN"], 12);
    certify(&mut f, "SN", 1);
    let (now, sent) = (f.now_ms, f.seen.len());
    let (taken, stranger) = (certificate(&mut f, "SN", 1), certificate(&mut f, "GM", 2));
    let agent = &mut f.unit("SN").agent;
    assert_eq!(agent.certify(taken, now), Err(OfficerRefused::Number));
    assert_eq!(agent.certify(stranger, now), Err(OfficerRefused::Possession));
    assert_eq!(agent.revoke_officer(2, now), Err(OfficerRefused::Unknown));
    agent.revoke_officer(1, now).unwrap();
    f.pump();
    assert_eq!(f.unit("SN").agent.revoke_officer(1, now), Err(OfficerRefused::Unknown));
    f.pump();
    assert_eq!(f.seen.len(), sent + 1);
}

/// A certificate that a unit's machine was killed over is sent after the restart, once.
#[test]
fn a_certificate_survives_a_kill_before_it_is_sent() {
    let mut f = Federation::founded(&["GM", "SN"], 13);
    let certificate = certificate(&mut f, "SN", 1);
    let now = f.now_ms;
    let unit = f.unit("SN");
    unit.agent.certify(certificate.clone(), now).unwrap();
    unit.commit();
    f.restart("SN");
    f.pump();
    let sn: UnitName = "SN".parse().unwrap();
    for name in ["GM", "SN"] {
        assert_eq!(f.unit(name).agent.officers().in_standing(&sn, 1), Some(&certificate), "{name}");
        assert_eq!(f.unit(name).not_taken, []);
    }
}

/// R7: whoever substitutes a unit's keys for a while leaves no officer behind whom the unit never certified.
#[test]
fn officers_of_other_keys_sign_no_more() {
    let mut f = Federation::founded(&["GM", "SN"], 14);
    let sn: UnitName = "SN".parse().unwrap();
    certify(&mut f, "SN", 1);
    assert!(f.unit("GM").agent.officers().in_standing(&sn, 1).is_some());
    let keys = UnitKeys::generate(&mut f.rng);
    let entry = join_entry(&f.id(), sn.clone(), "Unit SN".to_owned(), &keys);
    f.roster(entry);
    f.pump();
    f.restart("GM");
    let agent = &f.unit("GM").agent;
    assert_eq!(agent.officers().in_standing(&sn, 1), None);
    assert!(agent.officers().get(&sn, 1).is_some());
}
