//! Each misbehaviour of the exercise, tried alone against real parts, is caught (R13, R14, R18, R22, R27,
//! R29, R30, R33).
//!
//! The positive control of "caught" is the calm federation of `privacy.rs`, in which nobody raises an alarm; each misbehaviour
//! in a case brings its own: the honest act, sent the same way, passes.

use exercise::misbehaviour::Misbehaviour;

async fn caught(kind: Misbehaviour) {
    let folder = tempfile::tempdir().unwrap();
    assert!(kind.attempt(folder.path()).await.unwrap(), "{kind:?} was not caught");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_match_is_disputed_by_both_sides() {
    caught(Misbehaviour::InventedMatch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_matches_show_in_missing_canaries() {
    caught(Misbehaviour::DroppedMatches).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_substituted_unit_is_not_verified_and_gets_nothing() {
    caught(Misbehaviour::SubstitutedKey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fishing_stops_at_the_quota() {
    caught(Misbehaviour::Fishing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_evaluation_is_refused() {
    caught(Misbehaviour::WrongEvaluation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_log_is_refused_by_every_witness() {
    caught(Misbehaviour::RewrittenLog).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_without_consent_is_refused_by_broker_and_recipient() {
    caught(Misbehaviour::NoConsent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_over_another_package_does_not_count() {
    caught(Misbehaviour::OtherPackage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_officer_does_not_consent_twice() {
    caught(Misbehaviour::SameOfficer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_out_of_turn() {
    caught(Misbehaviour::OutOfTurn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_consent_does_not_count() {
    caught(Misbehaviour::LateConsent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_consent_does_not_count() {
    caught(Misbehaviour::ReplayedConsent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_advances_a_state_is_seen_by_both_units() {
    caught(Misbehaviour::OperatorAdvances).await;
}
