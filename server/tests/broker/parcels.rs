//! Parts of sealed parcels: carried in order, whole, and no longer than needed (R31, R32).

use crate::desk::{A, B, DAY, Desk, HEAD, HOUR, LEGAL, SECOND_LEGAL, accord_text, parcel, part_from};
use crate::scene::{BEGIN, Scene};
use protocol::act::{Act, Content};
use protocol::codec::{Bytes, Hash};
use protocol::consent::ConsentKind;
use protocol::envelope::{Header, Kind, Role, UnverifiedEnvelope};
use protocol::message::{Head, ParcelPart};
use server::mail::FrameRefused;

on_each_store!(
    parts_come_in_order_and_whole,
    a_parcel_needs_its_act,
    a_recalled_parcel_is_destroyed,
    a_large_parcel_is_destroyed_by_and_by,
    a_case_at_its_end_keeps_nothing,
    thirty_days_are_the_longest,
    an_urgent_parcel_that_nobody_validates,
    a_pair_has_room_for_so_much,
);

/// What B finds of each part of A's that it was sent: its rows, or that they are destroyed.
async fn fetched(d: &Desk) -> Vec<Result<Vec<u8>, FrameRefused>> {
    let mut found = Vec::new();
    for item in d.s.mail(&d.units[B]).await {
        let unverified = UnverifiedEnvelope::decode(&item.envelope).unwrap();
        let key = d.units[A].keys.signing.public();
        let Ok(envelope) = unverified.verify(d.s.broker.federation(), &key) else { continue };
        if envelope.header().kind == Kind::ParcelPart {
            let first = d.s.broker.frames(&d.units[B].name, &envelope.hash(), 0, 1).await.unwrap();
            assert!(first.is_ok() || item.rows.is_none(), "destroyed in the mailbox too");
            found.push(first);
        }
    }
    found
}

async fn is_destroyed(d: &Desk, parts: usize) {
    let found = fetched(d).await;
    assert_eq!(found.len(), parts, "the envelopes stay");
    assert!(found.iter().all(|part| *part == Err(FrameRefused::Destroyed)), "{found:?}");
}

async fn is_there(d: &Desk, parts: usize) {
    let found = fetched(d).await;
    assert!(found.len() == parts && found.iter().all(Result::is_ok), "{} parts", found.len());
}

async fn parts_come_in_order_and_whole(s: Scene) {
    let mut d = Desk::new(s).await;
    let parts = [vec![1; 65_537], vec![2; 100], vec![3; 70_000]];
    let package = d.seal(&parts, BEGIN).await;
    let a = &d.units[A];
    d.s.refused(a, d.part(package, 0, &[]), BEGIN, "part-length").await;
    let mut long = d.part(package, 0, &vec![0; (1 << 20) + 17]);
    d.s.stage(a, &mut long, BEGIN).await;
    d.s.refused(a, long, BEGIN, "part-length").await;
    let head = ParcelPart { handle: d.handle, package, index: 0 };
    let header = Header { epoch: 0, accord: Hash::ZERO, ..a.header(Kind::ParcelPart, d.to(B), 0) };
    let by_officer = Header { role: Role::Officer, ..header.clone() };
    d.s.refused(a, a.seal(by_officer, head.to_bytes(), vec![1]), BEGIN, "sender-role").await;
    d.s.refused(a, a.seal(Header { epoch: 1, ..header }, head.to_bytes(), vec![1]), BEGIN, "epoch-kind").await;
    d.s.refused(a, d.part(package, 1, &parts[1]), BEGIN, "part-order").await;

    d.send_part(package, 0, &parts[0], BEGIN).await;
    d.s.refused(&d.units[A], d.part(package, 0, &parts[1]), BEGIN, "part-order").await;
    d.s.refused(&d.units[A], d.part(package, 2, &parts[1]), BEGIN, "part-order").await;
    d.send_part(package, 1, &parts[1], BEGIN).await;
    // The last one shows whether all of them are the ones that were sealed.
    let mut wrong = d.part(package, 2, &vec![4; 70_000]);
    d.s.stage(&d.units[A], &mut wrong, BEGIN).await;
    d.s.refused(&d.units[A], wrong, BEGIN, "part-root").await;
    d.s.refused(&d.units[A], d.part(package, 2, &[3; 60_000]), BEGIN, "part-root").await;
    d.send_part(package, 2, &parts[2], BEGIN).await;
    d.s.refused(&d.units[A], d.part(package, 3, &parts[1]), BEGIN, "part-complete").await;
    is_there(&d, 3).await;
    // A receipt destroys nothing: whoever lost its disk fetches again.
    d.does(B, LEGAL, "conditions", Content::Conditions(package), BEGIN).await;
    d.does(B, LEGAL, "receive", Content::Receipt(package), BEGIN).await;
    d.s.broker.tick(BEGIN + HOUR).await.unwrap();
    d.s.restart().await;
    is_there(&d, 3).await;
}

async fn a_parcel_needs_its_act(s: Scene) {
    let mut d = Desk::new(s).await;
    let package = Bytes([9; 32]);
    d.s.refused(&d.units[A], d.part(package, 0, &[1]), BEGIN, "part-without-case").await;
    d.agree_on_handover(BEGIN).await;
    d.s.refused(&d.units[A], d.part(package, 0, &[1]), BEGIN, "part-without-parcel").await;
    let terms = d.consent(9, BEGIN).await;
    d.s.refused(&d.units[A], d.part(package, 0, &[1]), BEGIN, "part-without-parcel").await;
    d.does(A, HEAD, "seal", parcel(&terms, &[vec![1], vec![2]]), BEGIN).await;
    d.s.refused(&d.units[A], d.part(Bytes([8; 32]), 0, &[1]), BEGIN, "part-without-parcel").await;
    let head = |handle| ParcelPart { handle, package, index: 0 };
    let from_b = part_from(&d.units[B], &d.units[A].name, head(d.handle), &[1]);
    d.s.refused(&d.units[B], from_b, BEGIN, "part-without-parcel").await;
    let elsewhere = part_from(&d.units[A], &d.units[B].name, head(Bytes([1; 16])), &[1]);
    d.s.refused(&d.units[A], elsewhere, BEGIN, "part-without-case").await;
    let c = d.s.admitted("C").await;
    let from_c = part_from(&c, &d.units[B].name, head(d.handle), &[1]);
    d.s.refused(&c, from_c, BEGIN, "part-without-case").await;
    // The limit of the state has passed, and the broker has not yet said so.
    d.s.refused(&d.units[A], d.part(package, 0, &[1]), BEGIN + 3 * DAY, "case-late").await;
    d.send_part(package, 0, &[1], BEGIN).await;
    is_there(&d, 1).await;
}

async fn a_recalled_parcel_is_destroyed(s: Scene) {
    let mut d = Desk::new(s).await;
    let parts = [vec![1; 100], vec![2; 100_000], vec![3]];
    let package = d.seal(&parts, BEGIN).await;
    d.send_part(package, 0, &parts[0], BEGIN).await;
    d.send_part(package, 1, &parts[1], BEGIN).await;
    is_there(&d, 2).await;
    d.does(A, HEAD, "withdraw", Content::Recall, BEGIN + 1).await;
    is_destroyed(&d, 2).await;
    d.s.refused(&d.units[A], d.part(package, 2, &parts[2]), BEGIN + 1, "part-ended").await;
    let deleted = Act::of_agent(d.statement(B, "deleted", Content::Deletion, BEGIN + 1));
    d.send(B, &deleted, BEGIN + 1).await;
    assert_eq!(d.state(), "closed");
    assert_eq!(Some(d.agree_in_both_mailboxes().await), d.case);
    is_destroyed(&d, 2).await;
}

async fn a_large_parcel_is_destroyed_by_and_by(s: Scene) {
    let mut d = Desk::new(s).await;
    let parts = vec![vec![7; 10]; 70];
    let package = d.seal(&parts, BEGIN).await;
    for (index, bytes) in parts.iter().enumerate() {
        d.send_part(package, index as u32, bytes, BEGIN).await;
    }
    d.does(B, LEGAL, "withdraw", Content::Recall, BEGIN).await;
    let gone = |found: Vec<Result<_, FrameRefused>>| found.into_iter().filter(Result::is_err).count();
    assert_eq!(gone(fetched(&d).await), 64, "in one transaction");
    d.s.restart().await;
    d.s.broker.tick(BEGIN).await.unwrap();
    is_destroyed(&d, 70).await;
}

async fn a_case_at_its_end_keeps_nothing(s: Scene) {
    // An end that comes before the parcel's own.
    let (from, to) = ("id = \"closed\"\nlimit = \"30d\"", "id = \"closed\"\nlimit = \"2d\"");
    let text = accord_text();
    assert!(text.contains(from));
    let mut d = Desk::under(s, &text.replace(from, to)).await;
    let parts = [vec![1; 100_000]];
    let package = d.seal(&parts, BEGIN).await;
    d.send_part(package, 0, &parts[0], BEGIN).await;
    d.does(B, LEGAL, "conditions", Content::Conditions(package), BEGIN).await;
    d.does(B, LEGAL, "receive", Content::Receipt(package), BEGIN).await;
    for who in [A, B] {
        d.does(who, HEAD, "close", Content::Nothing, BEGIN).await;
    }
    assert_eq!(d.state(), "closed");
    let end = BEGIN + 2 * DAY;
    assert_eq!(d.s.broker.tick(end - 1).await.unwrap().deadlines, 0);
    is_there(&d, 1).await;
    assert_eq!(d.s.broker.tick(end).await.unwrap().deadlines, 1);
    is_destroyed(&d, 1).await;
    assert_eq!(d.s.broker.status(end).await.unwrap().cases, 0);
}

async fn thirty_days_are_the_longest(s: Scene) {
    let mut d = Desk::new(s).await;
    let parts = [vec![1; 100_000], vec![2]];
    let package = d.seal(&parts, BEGIN).await;
    d.send_part(package, 0, &parts[0], BEGIN).await;
    d.does(B, LEGAL, "conditions", Content::Conditions(package), BEGIN).await;
    d.does(B, LEGAL, "receive", Content::Receipt(package), BEGIN).await;
    assert_eq!(d.state(), "handed-over");
    let end = BEGIN + 30 * DAY;
    d.s.broker.tick(end - 1).await.unwrap();
    is_there(&d, 1).await;
    d.s.refused(&d.units[A], d.part(package, 1, &parts[1]), end, "part-ended").await;
    assert_eq!(d.s.broker.tick(end).await.unwrap().deadlines, 0, "the case goes on");
    is_destroyed(&d, 1).await;
    d.does(A, LEGAL, "withdraw", Content::Recall, end).await;
}

/// A manual may wait longer; the kernel does not (R30).
async fn an_urgent_parcel_that_nobody_validates(s: Scene) {
    let (from, to) = ("id = \"urgent-sealed\"\nlimit = \"24h\"", "id = \"urgent-sealed\"\nlimit = \"48h\"");
    let text = accord_text();
    assert!(text.contains(from));
    let mut d = Desk::under(s, &text.replace(from, to)).await;
    d.does(A, HEAD, "urgent", Content::Nothing, BEGIN).await;
    let terms = d.terms(ConsentKind::Urgent, 9, BEGIN + DAY);
    d.does(A, HEAD, "urgent-consent", Content::Consent(terms.clone()), BEGIN).await;
    d.does(A, LEGAL, "urgent-consent", Content::Consent(terms.clone()), BEGIN).await;
    let parts = [vec![1; 10], vec![2; 10]];
    d.does(A, HEAD, "seal", parcel(&terms, &parts), BEGIN).await;
    d.send_part(terms.package, 0, &parts[0], BEGIN).await;
    let validation = || Content::Validation(terms.package);
    d.may_not(A, LEGAL, "validate", validation(), BEGIN, "validation-took-part").await;
    d.s.broker.tick(BEGIN + DAY - 1).await.unwrap();
    is_there(&d, 1).await;
    let in_time = d.act(A, SECOND_LEGAL, "validate", validation(), BEGIN + DAY - 1);
    // Dated back: the broker has a clock.
    d.refuses(A, &in_time, BEGIN + DAY, "parcel-not-open").await;
    d.s.refused(&d.units[A], d.part(terms.package, 1, &parts[1]), BEGIN + DAY, "part-ended").await;
    d.s.broker.tick(BEGIN + DAY).await.unwrap();
    is_destroyed(&d, 1).await;
    assert_eq!(d.state(), "urgent-sealed");
    // The control: accepted a moment before; and then the parcel has its thirty days.
    d.send(A, &in_time, BEGIN + DAY - 1).await;
    d.send_part(terms.package, 1, &parts[1], BEGIN + 2 * DAY).await;
}

/// R34: what is kept for a pair is bounded, and a parcel that would not fit is refused before its consent is used up.
async fn a_pair_has_room_for_so_much(s: Scene) {
    let mut d = Desk::new(s).await;
    let largest = vec![vec![1]; 4096];
    let mut cases = Vec::new();
    for number in 1..=4 {
        (d.handle, d.case) = (Bytes([number; 16]), None);
        d.agree_on_handover(BEGIN).await;
        let terms = d.consent(number, BEGIN).await;
        d.does(A, HEAD, "seal", parcel(&terms, &largest), BEGIN).await;
        cases.push((d.handle, d.case.clone()));
    }
    (d.handle, d.case) = (Bytes([5; 16]), None);
    d.agree_on_handover(BEGIN).await;
    let terms = d.consent(5, BEGIN).await;
    let full = parcel(&terms, &largest);
    // Not a part of the four has come; all of them may.
    d.may_not(A, HEAD, "seal", parcel(&terms, &[vec![1]]), BEGIN, "parcel-storage").await;
    let fifth = (d.handle, d.case.clone());
    // A recall makes room at once, and no more of it than there was.
    (d.handle, d.case) = cases.remove(1);
    d.does(B, LEGAL, "withdraw", Content::Recall, BEGIN).await;
    (d.handle, d.case) = fifth;
    d.does(A, HEAD, "seal", full, BEGIN).await;
    (d.handle, d.case) = (Bytes([6; 16]), None);
    d.agree_on_handover(BEGIN).await;
    let terms = d.consent(6, BEGIN).await;
    d.may_not(A, HEAD, "seal", parcel(&terms, &[vec![1]]), BEGIN, "parcel-storage").await;
    // What nobody receives is recalled when its time has passed.
    d.s.broker.tick(BEGIN + 3 * DAY).await.unwrap();
    (d.handle, d.case) = (Bytes([7; 16]), None);
    d.agree_on_handover(BEGIN + 3 * DAY).await;
    let terms = d.consent(7, BEGIN + 3 * DAY).await;
    d.does(A, HEAD, "seal", parcel(&terms, &largest), BEGIN + 3 * DAY).await;
}
