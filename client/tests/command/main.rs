//! The commands of one unit's own machine, run as the released program is: init, import, explain, records, doctor.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

struct Unit {
    folder: tempfile::TempDir,
}

impl Unit {
    fn new() -> Unit {
        let folder = tempfile::tempdir().unwrap();
        let unit = Unit { folder };
        unit.passphrase("correct horse battery");
        unit
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn passphrase(&self, text: &str) {
        private(&self.path("passphrase"), text, 0o600);
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sutura"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("SUTURA_HOME", self.path("home"));
        command.env("SUTURA_PASSPHRASE_FILE", self.path("passphrase"));
        command
    }

    fn run(&self, line: &str) -> (i32, String, String) {
        told(self.command(line).output().unwrap())
    }

    fn ready() -> Unit {
        let unit = Unit::new();
        let (code, _, error) = unit.run("init --unit SN --weak-passphrase-hashing");
        assert_eq!(code, 0, "{error}");
        unit
    }

    fn file(&self, text: &str) {
        std::fs::write(self.path("register.csv"), text).unwrap();
    }
}

fn private(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn from_an_empty_folder_to_a_register() {
    let unit = Unit::ready();
    unit.file("record,phone,place\nA,+221771234567,Dakar\nB,12,Thies\n");
    let (code, out, error) = unit.run("import register.csv --dry-run");
    assert_eq!(code, 0, "{error}");
    assert!(out.contains("Nothing was changed") && out.contains("register.csv"), "{out}");
    let (code, out, _) = unit.run("import register.csv --country SN --json");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["added"], &report["fallen"]), (0, &1.into(), &1.into()));
    assert_eq!((&report["faults"][0]["line"], &report["faults"][0]["column"]), (&3.into(), &"phone".into()));

    let (code, out, _) = unit.run("records --json");
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &listed["listed"][0]["record"]), (0, &"A".into()));
    let (code, out, _) = unit.run("records A");
    assert!(code == 0 && out.contains("Dakar") && out.contains("+221771234567"), "{out}");
    let (code, out, error) = unit.run("explain --record A");
    assert!(code == 0 && out.contains("256") && out.contains("+221771234567"), "{out}{error}");
    let (code, out, _) = unit.run("explain");
    assert!(code == 0 && !out.contains("771234567"), "values are shown on demand only: {out}");
    let (code, out, error) = unit.run("doctor --json");
    let looks: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &looks["ok"]), (0, &true.into()), "{out}{error}");
    assert_eq!(unit.run("records Z").0, 1);
}

#[test]
fn exit_codes_and_what_is_said() {
    let unit = Unit::new();
    let (code, out, error) = unit.run("records");
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(error.contains("sutura init"), "{error}");
    assert_eq!(unit.run("init --unit SN --weak-passphrase-hashing").0, 0);
    let (code, _, error) = unit.run("init --unit SN");
    assert!(code == 1 && error.contains("already"), "{error}");

    unit.passphrase("wrong horse battery");
    let (code, out, error) = unit.run("records");
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(error.contains("does not open"), "{error}");
    let (code, _, error) = told(unit.command("records").env_remove("SUTURA_PASSPHRASE_FILE").output().unwrap());
    assert!(code == 3 && error.contains("SUTURA_PASSPHRASE_FILE"), "{error}");
    #[cfg(unix)]
    {
        private(&unit.path("passphrase"), "correct horse battery", 0o644);
        let (code, _, error) = unit.run("records");
        assert!(code == 3 && error.contains("chmod 600"), "{error}");
    }
    unit.passphrase("correct horse battery");

    for line in ["", "fly", "import", "records --after x", "init --unit no/name", "records --as-if", "init --unit"] {
        let (code, out, error) = unit.run(line);
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {error}");
        assert!(!error.is_empty());
    }
    unit.file("id,phone\n1,2\n");
    let (code, _, error) = unit.run("import register.csv");
    assert!(code == 1 && error.contains("id, phone"), "{error}");
    std::fs::write(unit.path("mapping.toml"), "[columns]\nhair = \"x\"").unwrap();
    let (code, _, error) = unit.run("import register.csv --mapping mapping.toml");
    assert!(code == 2 && error.contains("hair"), "{error}");
    unit.passphrase("short");
    assert_eq!(unit.run("init --home other --unit GM").0, 2);
    assert!(!unit.path("other").exists());
}

#[test]
fn both_languages_and_help() {
    let unit = Unit::ready();
    let (code, out, error) = unit.run("--help");
    assert!(code == 0 && out.contains("import") && error.is_empty(), "{out}{error}");
    let (_, out, _) = unit.run("import --help");
    assert!(out.contains("Usage:") && out.contains("Example:\n  sutura import"), "{out}");
    let (_, out, _) = unit.run("import --help --lang fr");
    assert!(out.contains("Utilisation :") && out.contains("Exemple :"), "{out}");
    let (code, _, error) = told(unit.command("fly").env("LANG", "fr_SN.UTF-8").output().unwrap());
    assert!(code == 2 && error.contains("erreur : Il n'y a pas de commande fly"), "{error}");
    let (code, out, _) = unit.run("--version");
    assert!(code == 0 && out.starts_with("sutura "));
    assert!(!unit.run("records Z").2.contains('\u{1b}'), "no colours off a terminal");
}

#[test]
fn what_an_import_says_holds_no_value() {
    let unit = Unit::ready();
    unit.file("record,phone,email\nA,+221771234567,secret-but-wrong\n");
    let (_, out, error) = unit.run("import register.csv");
    assert!(out.contains("e-mail") && !out.contains("secret-but-wrong") && !error.contains("secret"), "{out}");
}

/// R35: an import that is killed at any moment has happened whole, or not at all; and the next one goes on.
#[test]
fn an_import_that_is_killed_leaves_all_or_nothing() {
    let unit = Unit::ready();
    let rows: String = (0..6000).map(|i| format!("R{i},+22177{:07}\n", 1_000_000 + i)).collect();
    unit.file(&format!("record,phone\n{rows}"));
    let mut seen = std::collections::BTreeSet::new();
    for milliseconds in [40, 120, 200, 300, 450, 700, 1000] {
        let mut command = unit.command("import register.csv");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        // SIGKILL; it may have ended already.
        let _ = child.kill();
        child.wait().unwrap();
        let (code, out, error) = unit.run("doctor --json");
        assert_eq!(code, 0, "{out}{error}");
        let (_, out, _) = unit.run("records --json --limit 1");
        let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
        seen.insert(listed["records"].as_u64().unwrap());
    }
    let (code, _, error) = unit.run("import register.csv");
    assert_eq!(code, 0, "{error}");
    assert!(seen.iter().all(|records| [0, 6000].contains(records)), "{seen:?}");
}

/// R30: officers have passphrases of their own; a unit that is in no federation has no officers yet.
#[test]
fn officers_need_a_federation_and_a_passphrase_of_their_own() {
    let unit = Unit::ready();
    let officer = |line: &str| {
        let mut command = unit.command(line);
        told(command.env("SUTURA_OFFICER_PASSPHRASE_FILE", unit.path("officer")).output().unwrap())
    };
    private(&unit.path("officer"), "Awa's own words", 0o600);
    let (code, out, error) = officer("officers add Awa --role head --weak-passphrase-hashing");
    assert!(code == 1 && out.is_empty() && error.contains("sutura join"), "{error}");
    invited(&unit);
    let (code, out, error) = officer("officers list");
    assert!(code == 1 && out.is_empty() && error.contains("sutura officers add"), "{error}");
    let (code, _, error) = unit.run("officers add Awa --role head --weak-passphrase-hashing");
    assert!(code == 3 && error.contains("SUTURA_OFFICER_PASSPHRASE_FILE"), "{error}");
    let (code, _, error) = officer("officers add 12 --role head --weak-passphrase-hashing");
    assert!(code == 2 && error.contains("name"), "{error}");
    let (code, _, error) = officer("officers add Awa --role boss");
    assert!(code == 2 && error.contains("boss"), "{error}");

    let (code, out, error) = officer("officers add Awa --role legal-officer --weak-passphrase-hashing --json");
    let made: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
    assert_eq!((code, &made["number"], &made["role"]), (0, &1.into(), &"legal-officer".into()), "{error}");
    let (code, _, error) = officer("officers add Awa --role head --weak-passphrase-hashing --lang fr");
    assert!(code == 1 && error.contains("porte déjà ce nom"), "{error}");
    let (code, out, _) = unit.run("officers list --json");
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    let own = &listed["own"][0];
    assert_eq!(
        (code, &own["name"], &own["standing"], &own["accepted"]),
        (0, &"Awa".into(), &"waiting".into(), &false.into())
    );
    let (code, out, error) = unit.run("officers list --lang fr");
    assert!(code == 0 && out.contains("juriste") && error.contains("sutura sync"), "{out}{error}");
    // Nothing was sent yet: the log can still come to know the officer, so nothing is destroyed.
    let (code, _, error) = unit.run("officers revoke Awa");
    assert!(code == 1 && error.contains("sutura sync"), "{error}");
    let (code, _, error) = unit.run("officers revoke Binta");
    assert!(code == 1 && error.contains("no such officer"), "{error}");
    private(&unit.path("officer"), "short", 0o600);
    assert_eq!(officer("officers add Binta --role head").0, 2);
    let (_, out, _) = unit.run("officers add --help");
    assert!(out.contains("legal-officer") && out.contains("Example:"), "{out}");
}

/// The unit has an invite of a broker that is not there.
fn invited(unit: &Unit) {
    let invite = protocol::invite::Invite {
        federation: "test".into(),
        broker: protocol::Bytes(*b"\x3d\x40\x17\xc3\xe8\x43\x89\x5a\x92\xb7\x0a\xa7\x4d\x1b\x7e\xbc\x9c\x98\x2c\xcf\x2e\xc4\x96\x8c\xc0\xcd\x55\xf1\x2a\xf4\x66\x0c"),
        address: "127.0.0.1:1".into(),
        authority: protocol::Bytes([2; 32]),
        unit: "SN".parse().unwrap(),
        token: protocol::Bytes([3; 32]),
    };
    let (code, _, error) = unit.run(&format!("join {invite}"));
    assert_eq!(code, 6, "{error}");
}

#[test]
fn acts_are_said_in_one_grammar_and_refused_with_their_codes() {
    let unit = Unit::ready();
    let (code, out, error) = unit.run("accord template");
    assert!(code == 0 && error.is_empty(), "{error}");
    let accord: toml::Table = out.parse().unwrap();
    assert!(accord.contains_key("manual") && accord.contains_key("ticks"));
    for line in [
        "overlap",
        "overlap 3f9a propose --outcome theft",
        "overlap 3f9a consent --until soon",
        "overlap 3f9a pack",
        "overlap 3f9a acknowledge package.toml",
        "overlap 3f9a history --as Diop",
        "overlap 3f9a journal --entry a --entry-file b",
        "overlap 3f9a --yes",
    ] {
        let (code, out, error) = unit.run(line);
        assert_eq!((code, out.as_str()), (2, ""), "{line}: {error}");
        assert!(!error.contains('['), "{line}: {error}");
    }
    let (code, _, error) = unit.run("overlap 3f9a acknowledge --as Diop --yes");
    assert!(code == 1 && error.contains("sutura join"), "{error}");
    let (_, out, _) = unit.run("overlap --help --lang fr");
    assert!(out.contains("--all-copies-destroyed") && out.contains("officier qui signe"), "{out}");
}
