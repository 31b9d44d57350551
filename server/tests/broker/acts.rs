//! Acts of officers: the broker referees with the engine of the units (R29, R30, R33). Each refusal has a control beside
//! it that is accepted, and changes nothing (R34).

use crate::desk::{
    A, B, DAY, Desk, HEAD, HOUR, INVESTIGATOR, LEGAL, LONGEST_MATTER, MATTER, MENTOR, SECOND_LEGAL, accord_text,
    certify, officer_key, parcel, posted, posted_in,
};
use crate::scene::{ACCORD, BEGIN, Scene};
use protocol::accord::Accord;
use protocol::act::{Act, Content, Outcome, Statement};
use protocol::calendar::Start;
use protocol::codec::{Bytes, Hash};
use protocol::consent::{ConsentKind, Terms};
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope};
use protocol::message::Head;
use protocol::name::Party;
use protocol::officer::{OfficerEntry, Officers};

on_each_store!(
    a_handover_from_the_first_act_to_the_receipt,
    the_act_and_its_envelope,
    officers_and_the_manual,
    consents,
    a_journal_outlives_no_consent,
    rounds_and_replays,
    strangers,
    accords_without_a_manual,
    a_case_stays_under_its_accord,
    sealed_matter_goes_when_its_case_has_ended,
);

async fn a_handover_from_the_first_act_to_the_receipt(s: Scene) {
    let mut d = Desk::new(s).await;
    assert_eq!(d.s.broker.status(BEGIN).await.unwrap().cases, 0);
    let parts = [vec![1; 100], vec![2; 200_000], vec![3; (1 << 20) + 16]];
    let package = d.seal(&parts, BEGIN).await;
    for (index, bytes) in parts.iter().enumerate() {
        d.send_part(package, index as u32, bytes, BEGIN).await;
    }
    d.may_not(B, HEAD, "receive", Content::Receipt(package), BEGIN, "parcel-not-open").await;
    d.does(B, LEGAL, "conditions", Content::Conditions(package), BEGIN).await;
    d.does(B, HEAD, "receive", Content::Receipt(package), BEGIN + HOUR).await;
    assert_eq!(d.state(), "handed-over");
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);

    let sender = d.units[A].keys.signing.public();
    let got = d.s.received(&d.units[B], Kind::ParcelPart, &sender).await;
    assert!(got.iter().map(|(_, body)| &body.rows).eq(&parts), "whole and in order");
    assert!(d.s.received(&d.units[A], Kind::ParcelPart, &sender).await.is_empty(), "to the recipient only");
    assert_eq!(d.s.broker.status(BEGIN).await.unwrap().cases, 1);
    // What the broker knew when it was stopped, it knows.
    d.s.restart().await;
    d.may_not(B, HEAD, "receive", Content::Receipt(package), BEGIN + HOUR, "parcel-not-open").await;
    d.does(B, HEAD, "close", Content::Nothing, BEGIN + HOUR).await;
}

async fn the_act_and_its_envelope(s: Scene) {
    let mut d = Desk::new(s).await;
    let act = d.act(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN);
    let a = &d.units[A];
    let header = |role| Header { epoch: 0, accord: Hash::ZERO, role, ..a.header(Kind::Act, d.to(B), 0) };
    let seal = |header| a.seal(header, act.to_bytes(), vec![0; MATTER]);
    d.s.refused(a, seal(header(Role::Agent)), BEGIN, "sender-role").await;
    d.s.refused(a, seal(header(Role::Broker)), BEGIN, "sender-role").await;
    d.s.refused(a, seal(Header { epoch: 1, ..header(Role::Officer) }), BEGIN, "epoch-kind").await;
    d.s.refused(a, seal(Header { accord: d.s.accord, ..header(Role::Officer) }), BEGIN, "epoch-kind").await;
    d.s.refused(a, seal(Header { tick: 2, ..header(Role::Officer) }), BEGIN, "tick-ahead").await;
    for receiver in [Party::All, Party::Broker] {
        d.s.refused(a, seal(Header { receiver, ..header(Role::Officer) }), BEGIN, "receiver-kind").await;
    }
    for rows in [0, 1, MATTER - 1, MATTER + 1, 65_536] {
        d.s.refused(a, posted(a, d.other(A), &act, vec![0; rows]), BEGIN, "matter-length").await;
    }
    let count = protocol::message::Count { request: Bytes([1; 32]), total: 1 };
    let officer = Header { role: Role::Officer, ..a.header(Kind::Count, d.to(B), 0) };
    d.s.refused(a, a.seal(officer, count.to_bytes(), vec![]), BEGIN, "sender-role").await;

    let signed = |change: fn(&mut Statement)| {
        let mut statement = act.statement.clone();
        change(&mut statement);
        Act::sign(statement, INVESTIGATOR, &officer_key(&a.name, INVESTIGATOR))
    };
    let exchanged = signed(|said| std::mem::swap(&mut said.low, &mut said.high));
    d.refuses(A, &exchanged, BEGIN, "act-place").await;
    d.refuses(A, &signed(|said| said.unit = said.high.clone()), BEGIN, "act-place").await;
    d.refuses(A, &signed(|said| said.federation = Hash::ZERO), BEGIN, "act-place").await;
    d.refuses(A, &signed(|said| said.event = "Acknowledge!".into()), BEGIN, "act-event").await;
    d.refuses(A, &signed(|said| said.accord = Hash::ZERO), BEGIN, "not-party").await;
    d.refuses(A, &signed(|said| said.at_ms += 120_001), BEGIN, "case-time-ahead").await;
    d.refuses(A, &signed(|said| said.at_ms -= 24 * HOUR), BEGIN, "case-late").await;
    d.refuses(A, &signed(|said| said.number = 2), BEGIN, "case-number").await;
    d.refuses(A, &signed(|said| said.round = 1), BEGIN, "case-round").await;
    let mut forged = act.clone();
    forged.statement.event = "urgent".into();
    d.refuses(A, &forged, BEGIN, "act-signature").await;
    let by = |number| Act::sign(act.statement.clone(), number, &officer_key(&a.name, INVESTIGATOR));
    d.refuses(A, &by(HEAD), BEGIN, "act-signature").await;
    d.refuses(A, &by(77), BEGIN, "act-signature").await;
    // The unit's agent cannot do what is an officer's.
    d.refuses(A, &Act::of_agent(act.statement.clone()), BEGIN, "manual-role").await;
    assert_eq!(d.s.broker.status(BEGIN).await.unwrap().cases, 0, "no case was opened by what was refused");
    d.send(A, &act, BEGIN).await;
    // The longest matter travels in frames, which both units may fetch.
    let act = d.act(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN);
    let mut long = posted(&d.units[B], d.other(B), &act, vec![0; LONGEST_MATTER]);
    d.s.stage(&d.units[B], &mut long, BEGIN).await;
    d.s.accepted(&mut d.units[B], long, BEGIN).await;
    for who in [A, B] {
        let got = d.s.received(&d.units[who], Kind::Act, &d.units[B].keys.signing.public()).await;
        assert_eq!(got[0].1.rows.len(), LONGEST_MATTER);
    }
}

async fn officers_and_the_manual(s: Scene) {
    let mut d = Desk::new(s).await;
    d.may_not(A, LEGAL, "acknowledge", Content::Nothing, BEGIN, "manual-role").await;
    d.may_not(A, INVESTIGATOR, "same", Content::Nothing, BEGIN, "manual-no-step").await;
    d.may_not(A, INVESTIGATOR, "acknowledge", Content::Recall, BEGIN, "manual-carries").await;
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN + 5).await;
    d.may_not(A, HEAD, "acknowledge", Content::Nothing, BEGIN + 5, "manual-repeated").await;
    let early = d.act(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN + 4);
    d.refuses(B, &early, BEGIN + 5, "case-time-back").await;
    // Whoever was revoked signs nothing more; the others do.
    let revoked = d.units[B].proclaim(&OfficerEntry::Revoked(INVESTIGATOR), vec![]);
    d.s.accepted(&mut d.units[B], revoked, BEGIN + 5).await;
    d.may_not(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN + 5, "act-signature").await;
    d.does(B, HEAD, "acknowledge", Content::Nothing, BEGIN + 5).await;
    for (who, officer) in [(A, INVESTIGATOR), (B, HEAD)] {
        d.does(who, officer, "same", Content::Nothing, BEGIN + 5).await;
    }
    let offer = |named: Option<usize>| Content::Offer(Outcome::Handover, named.map(|who| d.units[who].name.clone()));
    d.may_not(A, HEAD, "propose", offer(None), BEGIN + 5, "manual-guard").await;
    let offer = offer(Some(A));
    d.does(A, HEAD, "propose", offer, BEGIN + 5).await;
    d.may_not(A, HEAD, "accept", Content::Nothing, BEGIN + 5, "manual-guard").await;
    d.may_not(B, MENTOR, "accept", Content::Nothing, BEGIN + 5, "manual-role").await;
    d.does(B, HEAD, "accept", Content::Nothing, BEGIN + 5).await;
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
}

async fn consents(s: Scene) {
    let mut d = Desk::new(s).await;
    d.agree_on_handover(BEGIN).await;
    let terms = d.terms(ConsentKind::Parcel, 9, BEGIN + DAY);
    let consent = |terms: &Terms| Content::Consent(terms.clone());
    let parts = [vec![1; 10]];
    // Before, and without, consent.
    d.may_not(A, HEAD, "seal", parcel(&terms, &parts), BEGIN, "consent-none").await;
    let urgent = Terms { kind: ConsentKind::Urgent, ..terms.clone() };
    d.may_not(A, LEGAL, "consent", consent(&urgent), BEGIN, "manual-carries").await;
    d.may_not(A, MENTOR, "consent", consent(&terms), BEGIN, "consent-roles").await;
    d.may_not(A, INVESTIGATOR, "consent", consent(&terms), BEGIN, "manual-role").await;
    d.may_not(B, HEAD, "consent", consent(&terms), BEGIN, "consent-other-case").await;
    let other = Terms { handle: Bytes([1; 16]), ..terms.clone() };
    d.may_not(A, HEAD, "consent", consent(&other), BEGIN, "consent-other-case").await;
    let over = Terms { until_ms: BEGIN, ..terms.clone() };
    d.may_not(A, HEAD, "consent", consent(&over), BEGIN, "consent-expired").await;
    let far = Terms { until_ms: BEGIN + 31 * DAY, ..terms.clone() };
    d.may_not(A, HEAD, "consent", consent(&far), BEGIN, "consent-expired").await;
    let mut unsigned = d.act(A, HEAD, "consent", consent(&terms), BEGIN);
    unsigned.officer.as_mut().unwrap().consent = None;
    d.refuses(A, &unsigned, BEGIN, "act-consent").await;
    let mut forged = d.act(A, HEAD, "consent", consent(&terms), BEGIN);
    forged.officer.as_mut().unwrap().consent = Some(Bytes([1; 64]));
    d.refuses(A, &forged, BEGIN, "consent-signature").await;

    d.does(A, HEAD, "consent", consent(&terms), BEGIN).await;
    assert_eq!(d.state(), "consenting");
    d.may_not(A, HEAD, "consent", consent(&terms), BEGIN, "consent-same-officer").await;
    d.may_not(A, HEAD, "seal", parcel(&terms, &parts), BEGIN, "consent-incomplete").await;
    // Signed in time, and come after the expiry: the broker has a clock.
    let second = d.act(A, LEGAL, "consent", consent(&terms), BEGIN);
    d.refuses(A, &second, BEGIN + DAY, "consent-expired").await;
    d.send(A, &second, BEGIN + DAY - 1).await;
    assert_eq!(d.state(), "authorised");
    d.may_not(A, SECOND_LEGAL, "consent", consent(&terms), BEGIN, "consent-complete").await;
    let Content::Parcel(mut head) = parcel(&terms, &parts) else { unreachable!() };
    head.package = Bytes([8; 32]);
    d.may_not(A, HEAD, "seal", Content::Parcel(head), BEGIN, "consent-other-package").await;
    d.may_not(B, HEAD, "seal", parcel(&terms, &parts), BEGIN, "consent-not-provider").await;
    let seal = d.act(A, HEAD, "seal", parcel(&terms, &parts), BEGIN);
    d.refuses(A, &seal, BEGIN + DAY, "consent-expired").await;
    d.send(A, &seal, BEGIN + DAY - 1).await;
    d.may_not(A, HEAD, "seal", parcel(&terms, &parts), BEGIN, "consent-used").await;
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
}

async fn a_journal_outlives_no_consent(s: Scene) {
    let mut d = Desk::new(s).await;
    for event in ["acknowledge", "same"] {
        for who in [A, B] {
            d.does(who, INVESTIGATOR, event, Content::Nothing, BEGIN).await;
        }
    }
    d.does(B, HEAD, "propose", Content::Offer(Outcome::Joint, None), BEGIN).await;
    d.does(A, HEAD, "accept", Content::Nothing, BEGIN).await;
    let of_a = d.terms(ConsentKind::Journal, 0, BEGIN + DAY);
    let of_b = Terms { provider: of_a.recipient.clone(), recipient: of_a.provider.clone(), ..of_a.clone() };
    for (who, terms) in [(A, of_a), (B, of_b)] {
        for officer in [HEAD, LEGAL] {
            d.does(who, officer, "consent", Content::Consent(terms.clone()), BEGIN).await;
        }
    }
    assert_eq!(d.state(), "joint");
    d.does(B, INVESTIGATOR, "journal", Content::Journal, BEGIN).await;
    let entry = d.act(A, INVESTIGATOR, "journal", Content::Journal, BEGIN);
    d.refuses(A, &entry, BEGIN + DAY, "consent-expired").await;
    d.send(A, &entry, BEGIN + DAY - 1).await;
    d.may_not(A, INVESTIGATOR, "journal", Content::Journal, BEGIN + DAY, "consent-expired").await;
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
}

async fn rounds_and_replays(s: Scene) {
    let mut d = Desk::new(s).await;
    let first = d.act(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN);
    let same = posted(&d.units[A], d.other(A), &first, vec![0; MATTER]);
    let entry = d.send(A, &first, BEGIN).await;
    // The very same envelope has the same answer; the act in another envelope counts no second time.
    let again = d.s.broker.accept(&d.units[A].name, vec![same], BEGIN).await.unwrap();
    assert_eq!((again.entries, again.refused), (vec![entry], None));
    d.refuses(A, &first, BEGIN, "case-number").await;
    let stale = d.act(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN);
    d.does(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;
    d.refuses(A, &stale, BEGIN, "case-round").await;
    d.refuses(A, &first, BEGIN, "case-round").await;
    d.does(A, INVESTIGATOR, "unsure", Content::Nothing, BEGIN).await;
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
}

async fn strangers(mut s: Scene) {
    let text = accord_text();
    let [a, b, mut c] = s.agreed_on(&text, ["A", "B", "C"]).await;
    let mut officers = Officers::default();
    certify(&s, &mut c, &mut officers).await;
    let late = s.admitted("L").await;
    let accord = Accord::new(&text, Start { epoch: 1, tick: 0, at_ms: BEGIN }).unwrap();
    let manual = protocol::manual::Manual::read(&accord.terms().manual).unwrap();
    let mut d = Desk { s, units: [a, b], handle: Bytes([0x77; 16]), officers, manual, case: None };
    for who in [A, B] {
        certify(&d.s, &mut d.units[who], &mut d.officers).await;
    }
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;

    let (base, key, name_of_a) = (
        d.statement(B, "acknowledge", Content::Nothing, BEGIN),
        officer_key(&c.name, INVESTIGATOR),
        d.units[A].name.clone(),
    );
    let of_c = |low: &str, high: &str, handle: u8| {
        let (low, high) = (low.parse().unwrap(), high.parse().unwrap());
        let said = Statement { low, high, unit: c.name.clone(), handle: Bytes([handle; 16]), ..base.clone() };
        Act::sign(said, INVESTIGATOR, &key)
    };
    let from_c = |act: &Act| posted(&c, &name_of_a, act, vec![0; MATTER]);
    d.s.refused(&c, from_c(&of_c("A", "B", 0x77)), BEGIN, "act-place").await;
    d.s.refused(&c, from_c(&of_c("A", "C", 0x77)), BEGIN, "case-place").await;
    // L is admitted, and has not signed the accord.
    let said = Statement { high: late.name.clone(), ..d.statement(A, "acknowledge", Content::Nothing, BEGIN) };
    let said = Statement { handle: Bytes([1; 16]), number: 1, ..said };
    let to_l = Act::sign(said.clone(), INVESTIGATOR, &officer_key(&d.units[A].name, INVESTIGATOR));
    d.s.refused(&d.units[A], posted(&d.units[A], &late.name, &to_l, vec![0; MATTER]), BEGIN, "not-party").await;
    let from_l = Act::of_agent(Statement { unit: late.name.clone(), ..said });
    d.s.refused(&late, posted(&late, &d.units[A].name, &from_l, vec![0; MATTER]), BEGIN, "not-party").await;
    // B is put out, and comes back.
    d.s.broker.suspend(&d.units[B].name, BEGIN).await.unwrap();
    let act = d.act(A, INVESTIGATOR, "urgent", Content::Nothing, BEGIN);
    d.refuses(A, &act, BEGIN, "receiver-not-admitted").await;
    d.s.broker.admit(&d.units[B].name, BEGIN).await.unwrap();
    d.does(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;
    d.agree_in_both_mailboxes().await;
    // C has cases of its own.
    let posted = from_c(&of_c("A", "C", 0x78));
    d.s.accepted(&mut c, posted, BEGIN).await;
    assert_eq!(d.s.broker.status(BEGIN).await.unwrap().cases, 2);
}

async fn accords_without_a_manual(mut s: Scene) {
    let [mut a, mut b, c] = s.agreed(["A", "B", "C"]).await;
    let mut officers = Officers::default();
    certify(&s, &mut a, &mut officers).await;
    let said = Statement {
        federation: *s.broker.federation(),
        accord: s.accord,
        handle: Bytes([1; 16]),
        low: a.name.clone(),
        high: b.name.clone(),
        unit: a.name.clone(),
        round: 0,
        number: 1,
        event: "acknowledge".into(),
        at_ms: BEGIN,
        content: Content::Nothing,
        matter: Hash::ZERO,
    };
    let under = |a: &crate::scene::Actor, accord| {
        let said = Statement { accord, ..said.clone() };
        posted(a, &b.name, &Act::sign(said, INVESTIGATOR, &officer_key(&a.name, INVESTIGATOR)), vec![0; MATTER])
    };
    s.refused(&a, under(&a, s.accord), BEGIN, "manual-none").await;
    // An amendment with a manual rules nothing before all have signed it, and one whose manual breaks a rule never.
    let start = Start { epoch: 2, tick: 100, at_ms: BEGIN + 100_000 };
    let text = format!("{ACCORD}\n{}", protocol::manual::DEFAULT);
    let amended = Accord::new(&text, start).unwrap().hash();
    let proposal = a.propose(&text, start);
    s.accepted(&mut a, proposal, BEGIN).await;
    let mut others = [c];
    let signature = a.sign_accord(&amended);
    s.accepted(&mut a, signature, BEGIN).await;
    let signature = b.sign_accord(&amended);
    s.accepted(&mut b, signature, BEGIN).await;
    let under = |a: &crate::scene::Actor, accord| {
        let said = Statement { accord, ..said.clone() };
        posted(a, &b.name, &Act::sign(said, INVESTIGATOR, &officer_key(&a.name, INVESTIGATOR)), vec![0; MATTER])
    };
    s.refused(&a, under(&a, amended), BEGIN, "manual-without-accord").await;
    let signature = others[0].sign_accord(&amended);
    s.accepted(&mut others[0], signature, BEGIN).await;
    let posted = under(&a, amended);
    s.refused(&a, posted.clone(), BEGIN, "case-accord").await;
    // By the header's tick, which is what the units go by, it is not in force either.
    s.refused(&a, posted, BEGIN + 100_000, "case-accord").await;
    let in_force = Statement { accord: amended, ..said.clone() };
    let act = Act::sign(in_force, INVESTIGATOR, &officer_key(&a.name, INVESTIGATOR));
    let posted = posted_in(100, &a, &b.name, &act, vec![0; MATTER]);
    s.accepted(&mut a, posted, BEGIN + 100_000).await;
    assert_eq!(ACCORD.matches("manual").count(), 0);
}

async fn a_case_stays_under_its_accord(s: Scene) {
    let mut d = Desk::new(s).await;
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;
    let start = Start { epoch: 2, tick: 100, at_ms: BEGIN + 100 * HOUR };
    let text = accord_text().replace("slots = 16", "slots = 32");
    let amended = Accord::new(&text, start).unwrap().hash();
    let proposal = d.units[A].propose(&text, start);
    d.s.accepted(&mut d.units[A], proposal, BEGIN).await;
    for who in [A, B] {
        let signature = d.units[who].sign_accord(&amended);
        d.s.accepted(&mut d.units[who], signature, BEGIN).await;
    }
    let under = |d: &Desk, accord, handle| {
        let said = Statement { accord, handle, ..d.statement(B, "acknowledge", Content::Nothing, BEGIN) };
        Act::sign(said, INVESTIGATOR, &officer_key(&d.units[B].name, INVESTIGATOR))
    };
    let act = under(&d, amended, d.handle);
    d.refuses(B, &act, BEGIN, "case-place").await;
    // Whatever the clock says: its manual is not the case's.
    d.refuses(B, &act, BEGIN + DAY, "case-place").await;
    let act = under(&d, d.s.accord, d.handle);
    d.send(B, &act, BEGIN).await;
    let elsewhere = Statement { round: 0, ..under(&d, amended, Bytes([1; 16])).statement };
    let act = Act::sign(
        Statement { number: 1, at_ms: BEGIN + 100 * HOUR, ..elsewhere },
        INVESTIGATOR,
        &officer_key(d.other(A), INVESTIGATOR),
    );
    let begins = BEGIN + 100 * HOUR;
    let said_in = |d: &Desk, tick| posted_in(tick, &d.units[B], d.other(B), &act, vec![0; MATTER]);
    // A case is opened under the accord in force, and this one is not yet: by the broker's clock, or by the header's tick,
    // which is what the units go by.
    d.s.refused(&d.units[B], said_in(&d, 0), BEGIN, "case-accord").await;
    d.s.refused(&d.units[B], said_in(&d, 99), begins, "case-accord").await;
    d.s.refused(&d.units[B], said_in(&d, 100), begins - 1, "case-accord").await;
    let posted = said_in(&d, 100);
    d.s.accepted(&mut d.units[B], posted, begins).await;
}

/// R31: and not before both units have every act, so that both fold the same case; what was signed still verifies.
async fn sealed_matter_goes_when_its_case_has_ended(s: Scene) {
    let (from, to) = ("id = \"closed\"\nlimit = \"30d\"", "id = \"closed\"\nlimit = \"2d\"");
    let mut d = Desk::under(s, &accord_text().replace(from, to)).await;
    d.does(A, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN).await;
    let act = d.act(B, INVESTIGATOR, "acknowledge", Content::Nothing, BEGIN);
    let mut long = posted(&d.units[B], d.other(B), &act, vec![0; LONGEST_MATTER]);
    d.s.stage(&d.units[B], &mut long, BEGIN).await;
    d.s.accepted(&mut d.units[B], long, BEGIN).await;
    let said = Statement { round: 1, number: 2, ..d.statement(A, "different", Content::Nothing, BEGIN) };
    let act = Act::sign(said, INVESTIGATOR, &officer_key(&d.units[A].name, INVESTIGATOR));
    let last = posted(&d.units[A], d.other(A), &act, vec![0; MATTER]);
    d.s.accepted(&mut d.units[A], last, BEGIN).await;

    let acts = |mail: Vec<protocol::mailbox::Delivered>| -> Vec<protocol::mailbox::Delivered> {
        mail.into_iter().filter(|item| Act::from_bytes(&item.head).is_ok()).collect()
    };
    let destroyed = |mail: &[protocol::mailbox::Delivered]| mail.iter().filter(|item| item.frames.is_some()).count();
    let (a, b) = (d.units[A].name.clone(), d.units[B].name.clone());
    let whole = d.s.mail(&d.units[B]).await;
    let end = whole.last().unwrap().position;
    let last_act = acts(whole).last().unwrap().position;
    // Both have everything, and the case goes on: nothing is destroyed.
    for unit in [&a, &b] {
        d.s.broker.fetch_waiting(unit, end, 1, std::time::Duration::ZERO).await.unwrap();
    }
    d.s.broker.tick(BEGIN + 1).await.unwrap();
    assert_eq!(destroyed(&acts(d.s.mail(&d.units[B]).await)), 0);
    // It ends, and nobody has said that it has the acts: not since this broker came up.
    d.s.restart().await;
    for days in [30, 32] {
        d.s.broker.tick(BEGIN + days * DAY).await.unwrap();
    }
    assert_eq!(d.s.broker.status(BEGIN + 32 * DAY).await.unwrap().cases, 0, "the case has ended");
    d.s.broker.fetch_waiting(&a, end, 1, std::time::Duration::ZERO).await.unwrap();
    d.s.broker.fetch_waiting(&b, last_act - 1, 1, std::time::Duration::ZERO).await.unwrap();
    d.s.broker.tick(BEGIN + 32 * DAY).await.unwrap();
    assert_eq!(destroyed(&acts(d.s.mail(&d.units[B]).await)), 0, "B lacks the last one");
    d.s.broker.fetch_waiting(&b, last_act, 1, std::time::Duration::ZERO).await.unwrap();
    d.s.broker.tick(BEGIN + 32 * DAY).await.unwrap();
    for who in [A, B] {
        let acts = acts(d.s.mail(&d.units[who]).await);
        assert_eq!((acts.len(), destroyed(&acts)), (3, 3));
        for item in acts {
            assert_eq!(item.rows, None);
            let unverified = UnverifiedEnvelope::decode(&item.envelope).unwrap();
            let sender = d.units.iter().find(|one| unverified.unverified_sender().unit() == Some(&one.name)).unwrap();
            let envelope = unverified.verify(d.s.broker.federation(), &sender.keys.signing.public()).unwrap();
            assert_eq!(envelope.check_head(&item.head, item.frames.as_deref().unwrap()), Ok(()));
            assert_eq!(envelope.check_head(&item.head, &[]), Err(protocol::envelope::EnvelopeError::Body));
            let frame = d.s.broker.frames(&d.units[who].name, &envelope.hash(), 0, 1).await.unwrap();
            assert_eq!(frame, Err(server::mail::FrameRefused::Destroyed));
        }
    }
}
