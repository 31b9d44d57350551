//! Officers: certified, revoked, refused, and learnt by whoever comes later (R30).

use crate::scene::{Actor, BEGIN, Scene, unit};
use protocol::codec::{Bytes, Hash};
use protocol::envelope::{Header, Kind};
use protocol::message::Head;
use protocol::name::Party;
use protocol::officer::{Certificate, MAX_OFFICERS, NameOpening, OfficerEntry, OfficerKey, OfficerRole, Officers};

on_each_store!(
    officers_are_certified_once_and_revoked_once,
    an_entry_that_is_not_in_order_is_refused,
    a_unit_that_comes_later_learns_all_officers_in_order,
    a_unit_with_other_keys_has_no_officer_of_the_old_ones,
);

fn certificate(actor: &Actor, number: u32, seed: u8) -> Certificate {
    let name = NameOpening { name: format!("Officer {seed}"), salt: Bytes([seed; 32]) };
    let key = OfficerKey::from_secret(&[seed; 32]);
    Certificate::new(&actor.federation, &actor.name, number, OfficerRole::LegalOfficer, &name, &key)
}

fn certified(actor: &Actor, number: u32, seed: u8) -> OfficerEntry {
    OfficerEntry::Certified(certificate(actor, number, seed))
}

/// What a unit that folds its mailbox knows of the officers of `of`.
async fn learnt(s: &Scene, reader: &Actor, of: &Actor) -> Officers {
    let mut officers = Officers::default();
    for (envelope, body) in s.received(reader, Kind::Officer, &of.keys.signing.public()).await {
        assert_eq!((envelope.header().epoch, envelope.header().accord), (0, Hash::ZERO));
        let entry = OfficerEntry::from_bytes(&body.head).unwrap();
        officers.apply(s.broker.federation(), &of.name, &entry).unwrap();
    }
    officers
}

async fn officers_are_certified_once_and_revoked_once(mut s: Scene) {
    let (mut a, mut b) = (s.admitted("A").await, s.admitted("B").await);
    // Before any accord, and of two units the same number and even the same key.
    for (number, seed) in [(1, 1), (2, 2), (MAX_OFFICERS, 3)] {
        let posted = a.proclaim(&certified(&a, number, seed), vec![]);
        s.accepted(&mut a, posted, BEGIN).await;
    }
    let posted = b.proclaim(&certified(&b, 1, 1), vec![]);
    s.accepted(&mut b, posted, BEGIN).await;
    s.refused(&a, a.proclaim(&certified(&a, 1, 4), vec![]), BEGIN, "officer-number").await;
    s.refused(&a, a.proclaim(&certified(&a, 0, 4), vec![]), BEGIN, "officer-number").await;
    s.refused(&a, a.proclaim(&certified(&a, MAX_OFFICERS + 1, 4), vec![]), BEGIN, "officer-number").await;
    s.refused(&a, a.proclaim(&certified(&a, 4, 2), vec![]), BEGIN, "officer-key").await;
    s.refused(&a, a.proclaim(&OfficerEntry::Revoked(4), vec![]), BEGIN, "officer-unknown").await;
    let posted = a.proclaim(&OfficerEntry::Revoked(2), vec![]);
    s.accepted(&mut a, posted, BEGIN).await;
    // What was accepted is durable, and stands after a restart.
    s.restart().await;
    s.refused(&a, a.proclaim(&OfficerEntry::Revoked(2), vec![]), BEGIN, "officer-unknown").await;
    s.refused(&a, a.proclaim(&certified(&a, 2, 5), vec![]), BEGIN, "officer-number").await;
    s.refused(&a, a.proclaim(&certified(&a, 5, 2), vec![]), BEGIN, "officer-key").await;
    let known = learnt(&s, &b, &a).await;
    assert_eq!(known, learnt(&s, &a, &a).await, "one's own entries come back");
    assert_eq!(known.in_standing(&a.name, 1), Some(&certificate(&a, 1, 1)));
    assert!(known.in_standing(&a.name, 2).is_none() && known.get(&a.name, 2).is_some());
}

async fn an_entry_that_is_not_in_order_is_refused(mut s: Scene) {
    let [mut a, b] = s.agreed(["A", "B"]).await;
    let entry = certified(&a, 1, 1);
    let forged = |change: &dyn Fn(&mut Certificate)| {
        let mut certificate = certificate(&a, 1, 1);
        change(&mut certificate);
        a.proclaim(&OfficerEntry::Certified(certificate), vec![])
    };
    s.refused(&a, forged(&|c| c.role = OfficerRole::Head), BEGIN, "officer-possession").await;
    s.refused(&a, forged(&|c| c.key = Bytes([9; 32])), BEGIN, "officer-possession").await;
    s.refused(&a, forged(&|c| c.name = Bytes([9; 32])), BEGIN, "officer-possession").await;
    s.refused(&a, a.proclaim(&certified(&b, 1, 1), vec![]), BEGIN, "officer-possession").await;
    s.refused(&a, a.proclaim(&entry, vec![1]), BEGIN, "rows-unexpected").await;
    let outside = |receiver| Header { epoch: 0, accord: Hash::ZERO, ..a.header(Kind::Officer, receiver, 0) };
    let sealed = |header| a.seal(header, entry.to_bytes(), vec![]);
    s.refused(&a, sealed(outside(unit("B"))), BEGIN, "receiver-kind").await;
    s.refused(&a, sealed(outside(Party::Broker)), BEGIN, "receiver-kind").await;
    s.refused(&a, sealed(a.header(Kind::Officer, Party::All, 0)), BEGIN, "epoch-kind").await;
    s.refused(&a, sealed(Header { tick: 9, ..outside(Party::All) }), BEGIN, "tick-ahead").await;
    s.refused(&a, a.seal(outside(Party::All), vec![0x80], vec![]), BEGIN, "head-malformed").await;
    let longer = vec![0x82, 1, 0x81, 0x18, 1];
    s.refused(&a, a.seal(outside(Party::All), longer, vec![]), BEGIN, "head-not-canonical").await;
    let posted = a.proclaim(&entry, vec![]);
    s.accepted(&mut a, posted, BEGIN).await;
    // Two entries of one submission see each other: the second is refused, the first stands.
    let first = a.proclaim(&certified(&a, 2, 2), vec![]);
    let mut ahead = s.actor("A");
    (ahead.sequence, ahead.previous) = (a.sequence, a.previous);
    ahead.advance(&first);
    let second = ahead.proclaim(&certified(&a, 2, 3), vec![]);
    let outcomes = s.broker.accept(&a.name, vec![first, second], BEGIN).await.unwrap();
    assert_eq!((outcomes.entries.len(), outcomes.refused.unwrap().code.as_str()), (1, "officer-number"));
    s.broker.suspend(&b.name, BEGIN).await.unwrap();
    s.refused(&b, b.proclaim(&certified(&b, 1, 1), vec![]), BEGIN, "sender-not-admitted").await;
}

async fn a_unit_that_comes_later_learns_all_officers_in_order(s: Scene) {
    let (mut a, b) = (s.admitted("A").await, s.admitted("B").await);
    s.broker.suspend(&b.name, BEGIN).await.unwrap();
    for entry in [certified(&a, 1, 1), certified(&a, 2, 2), OfficerEntry::Revoked(1)] {
        let posted = a.proclaim(&entry, vec![]);
        s.accepted(&mut a, posted, BEGIN).await;
    }
    let late = s.admitted("L").await;
    let known = learnt(&s, &late, &a).await;
    assert!(known.in_standing(&a.name, 1).is_none() && known.in_standing(&a.name, 2).is_some());
    // Whoever was suspended meanwhile gets them too, once.
    s.broker.admit(&b.name, BEGIN).await.unwrap();
    assert_eq!(learnt(&s, &b, &a).await, known);
    assert_eq!(learnt(&s, &a, &a).await, known);
}

/// A broker that substitutes a unit's keys for a while (R7) leaves no officer behind.
async fn a_unit_with_other_keys_has_no_officer_of_the_old_ones(s: Scene) {
    let mut a = s.admitted("A").await;
    let posted = a.proclaim(&certified(&a, 1, 1), vec![]);
    s.accepted(&mut a, posted, BEGIN).await;
    // Suspended and taken back: the same keys, the same officers.
    s.broker.suspend(&a.name, BEGIN).await.unwrap();
    s.broker.admit(&a.name, BEGIN).await.unwrap();
    s.refused(&a, a.proclaim(&certified(&a, 1, 2), vec![]), BEGIN, "officer-number").await;
    let mut again = s.actor("A");
    again.keys = s.actor("B").keys;
    (again.sequence, again.previous) = (a.sequence, a.previous);
    let invite = s.broker.invite(&again.name, "localhost:1", BEGIN).await.unwrap();
    s.broker.join(&s.joining(&again, invite.token), BEGIN).await.unwrap();
    s.broker.admit(&again.name, BEGIN).await.unwrap();
    s.refused(&again, again.proclaim(&OfficerEntry::Revoked(1), vec![]), BEGIN, "officer-unknown").await;
    s.refused(&again, again.proclaim(&certified(&again, 1, 3), vec![]), BEGIN, "officer-number").await;
    let posted = again.proclaim(&certified(&again, 2, 3), vec![]);
    s.accepted(&mut again, posted, BEGIN).await;
}
