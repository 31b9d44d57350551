//! The default exercise, in process: each outcome of the manual leaves its overlaps in the state it should, and what the
//! results say to programs is what happened (R29 to R33).

use exercise::options::Options;
use exercise::outcomes::Ending;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_is_played_once_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (keep, json) = (folder.path().join("kept"), folder.path().join("results.json"));
    let options =
        Options { seed: 3, records: 12, keep: Some(keep.clone()), json: Some(json.clone()), ..Options::default() };
    assert!(exercise::story::run(options).await.unwrap(), "all checks hold");

    let results: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let overlaps = results["overlaps"].as_array().unwrap();
    for ending in Ending::ALL {
        let mut units = ending.units();
        units.sort_unstable();
        let state =
            |overlap: &&Value| overlap["units"] == serde_json::json!(units) && overlap["state"] == ending.state();
        assert_eq!(overlaps.iter().filter(state).count(), 1, "{ending:?}");
        let check = |check: &&Value| check["name"] == ending.name();
        assert_eq!(results["checks"].as_array().unwrap().iter().filter(check).count(), 1, "{ending:?}");
    }
    let decided = overlaps.iter().filter(|overlap| overlap["state"] != "confirmed").count();
    assert_eq!(decided, Ending::ALL.len(), "nobody decided anything else");

    let page = std::fs::read_to_string(keep.join("exercise.html")).unwrap();
    for ending in Ending::ALL {
        let (en, fr) = ending.story();
        let on_page = |text: &str| page.contains(text) || page.contains(&text.replace('\'', "&#39;"));
        assert!(on_page(en) && on_page(fr), "{ending:?} is told on the page");
    }
    assert!(page.contains("jeopardises-investigation"), "what both units read is on the page");
}

/// The positive control of the above: under `--match-only` nobody decides, and the states say so.
#[tokio::test(flavor = "multi_thread")]
async fn with_match_only_nobody_decides() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("results.json");
    let options = Options { records: 12, match_only: true, json: Some(json.clone()), ..Options::default() };
    assert!(exercise::story::run(options).await.unwrap());
    let results: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let overlaps = results["overlaps"].as_array().unwrap();
    assert!(!overlaps.is_empty() && overlaps.iter().all(|overlap| overlap["state"] == "confirmed"));
}
