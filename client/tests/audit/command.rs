//! `sutura audit --bundle`, as an auditor runs it: no home, no passphrase.

use crate::story::{GM, Story};
use std::path::Path;
use std::process::{Command, Stdio};

fn audit(folder: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sutura"));
    command.args(["audit", "--home", "nowhere"]).args(line.split_whitespace()).current_dir(folder);
    let output = command.env_clear().stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn folder(story: &Story) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = story.bundle.clone().sign(&story.keys[GM].signing).encode();
    std::fs::write(folder.path().join("good"), &file).unwrap();
    let mut changed = file.clone();
    changed[file.len() / 2] ^= 1;
    std::fs::write(folder.path().join("changed"), changed).unwrap();
    std::fs::write(folder.path().join("cut"), &file[..file.len() / 2]).unwrap();
    folder
}

#[test]
fn an_auditor_needs_the_bundle_only() {
    let story = Story::calm();
    let folder = folder(&story);
    let (code, out, error) = audit(folder.path(), "--bundle good");
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    for told in ["Disclosure 1 of 5: SN to GM, data handed over", "field: phone, suspect, H1 H2, B2", "VERIFIED."] {
        assert!(out.contains(told), "{told} in {out}");
    }
    assert!(!out.contains('['), "a message or a code without words: {out}");
    let (code, out, _) = audit(folder.path(), "--bundle good --lang fr");
    assert_eq!(code, 0);
    assert!(out.contains("VÉRIFIÉ.") && out.contains("conditions acceptées"), "{out}");
    let (code, out, _) = audit(folder.path(), "--bundle good --json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    assert_eq!(report["disclosures"][0]["receipt"]["name"], "Officer 1 1");
    assert!(report["disclosures"][0]["sealed"]["at"]["utc"].as_str().unwrap().ends_with("UTC"));
    let overlap = report["disclosures"][3]["overlap"].as_str().unwrap();
    let (code, out, _) = audit(folder.path(), &format!("--bundle good --json --overlap {}", &overlap[..8]));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, report["disclosures"].as_array().unwrap().len()), (0, 2), "both units' journals");
}

#[test]
fn a_lifted_objection_is_told_in_words() {
    let folder = folder(&Story::whole());
    let (code, out, _) = audit(folder.path(), "--bundle good");
    assert_eq!(code, 0, "{out}");
    for told in
        ["VERIFIED, WITH EXCEPTIONS.", "What the unit objected to:", "lifted by GM 3 Officer 1 3 (legal-officer)"]
    {
        assert!(out.contains(told), "{told} in {out}");
    }
    let (_, out, _) = audit(folder.path(), "--bundle good --lang fr");
    assert!(out.contains("Les objections de l'unité :") && out.contains("levée par GM 3"), "{out}");
}

#[test]
fn what_does_not_verify_ends_with_five() {
    let story = Story::whole();
    let folder = folder(&story);
    for file in ["changed", "cut"] {
        let (code, out, error) = audit(folder.path(), &format!("--bundle {file}"));
        assert_eq!(code, 5, "{out}{error}");
    }
    let (_, out, _) = audit(folder.path(), "--bundle good --json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let fingerprint = report["keys"][0]["fingerprint"].as_str().unwrap().replace(' ', "");
    assert_eq!(audit(folder.path(), &format!("--bundle good --trust {fingerprint}")).0, 0);
    let (code, out, _) = audit(folder.path(), "--bundle good --trust 00112233");
    assert_eq!(code, 5);
    assert!(out.contains("No key has this fingerprint") && out.contains("NOT VERIFIED"), "{out}");
    let (code, _, error) = audit(folder.path(), "--bundle missing");
    assert_eq!(code, 1, "{error}");
}
