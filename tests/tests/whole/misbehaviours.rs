//! Each misbehaviour of the exercise, tried alone against real parts, is caught (R13, R14, R18, R22, R27).
//!
//! The positive control of "caught" is the calm federation of `privacy.rs`, in which nobody raises an alarm.

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
