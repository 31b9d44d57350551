//! A handover through the commands that people use, in three processes, with SIGKILL at random moments of each step: the
//! provider, the recipient and the broker in turn. Nothing is lost, nothing happens twice (R25, R30 to R32, R35).

use crate::processes::{Broker, Link, Unit, broker, found, verify};
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Kills in each step before it is let through.
const KILLS: u64 = 3;

struct Table {
    home: std::path::PathBuf,
    link: Link,
    serving: Option<Broker>,
    /// GM, SN.
    units: Vec<Unit>,
    overlap: String,
    turn: u64,
    kills: u64,
}

impl Table {
    /// Both units do all that is due at once, and one of the three is killed in the middle of it.
    fn killed(&mut self) {
        self.turn += 1;
        let mut running: Vec<Child> = self
            .units
            .iter()
            .map(|unit| unit.command(&["sync"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
            .collect();
        // From before the vault is open to after the last envelope, in an order that meets every pair of them.
        std::thread::sleep(Duration::from_millis(4 + self.turn * 37 % 170));
        self.kills += 1;
        match self.turn % 3 {
            0 => {
                self.serving.take().unwrap().kill();
                self.serving = Some(Broker::serve(&self.home, &self.link));
            }
            which => running[which as usize - 1].kill().unwrap(),
        }
        for child in &mut running {
            child.wait().unwrap();
        }
    }

    fn shown(&self, unit: usize) -> Value {
        self.units[unit].run(&["overlap", &self.overlap])
    }

    /// Kills, and then calm rounds until both see `what`.
    fn until(&mut self, what: impl Fn(&Value) -> bool, told: &str) {
        for _ in 0..KILLS {
            self.killed();
        }
        let began = Instant::now();
        while !(0..2).all(|unit| what(&self.shown(unit))) {
            assert!(began.elapsed() < Duration::from_secs(60), "{told}: {:#}", self.shown(0));
            for unit in &self.units {
                // A unit may meet a broker that has just started again.
                unit.code(&["sync"]);
            }
        }
    }

    /// An officer's act, through kills, until both sides have it.
    fn act(&mut self, unit: usize, officer: &str, event: &str, more: &[&str]) {
        let before = self.shown(0)["acts"].as_u64().unwrap_or(0);
        let overlap = self.overlap.clone();
        let args = [&["overlap", &overlap, event, "--as", officer, "--yes"], more].concat();
        self.units[unit].run(&args);
        self.until(|shown| acts(shown) == before + 1, event);
    }
}

fn acts(shown: &Value) -> u64 {
    shown["acts"].as_u64().unwrap_or(0)
}

fn state(shown: &Value) -> &str {
    shown["state"].as_str().unwrap_or_default()
}

fn set_table(folder: &Path) -> Table {
    let home = folder.join("broker");
    broker(&home, &["init", "--name", "Killed"]);
    let link = Link::new();
    let serving = Some(Broker::serve(&home, &link));
    let units = found(folder, &link);
    verify(&units);
    for (unit, record) in units.iter().zip(["GM-1", "SN-7"]) {
        let file = folder.join(format!("{record}.csv"));
        std::fs::write(&file, format!("record,phone\n{record},+221771234567\n")).unwrap();
        unit.run(&["import", file.to_str().unwrap()]);
    }
    let accord = folder.join("accord.toml");
    std::fs::write(&accord, exercise::federation::accord().replace("delay = 2", "delay = 0")).unwrap();
    units[0].run(&["accord", "propose", accord.to_str().unwrap()]);
    units[0].run(&["sync"]);
    units[1].run(&["sync"]);
    units[1].run(&["accord", "sign"]);
    for unit in &units {
        for (name, role) in [("Head", "head"), ("Legal", "legal-officer"), ("Inv", "investigator")] {
            unit.run(&["officers", "add", name, "--role", role, "--weak-passphrase-hashing"]);
        }
        unit.run(&["sync"]);
    }
    let mut table = Table { home, link, serving, units, overlap: String::new(), turn: 0, kills: 0 };
    let began = Instant::now();
    let overlaps = |unit: &Unit| unit.run(&["overlaps"])["overlaps"].as_array().cloned().unwrap_or_default();
    while table.units.iter().any(|unit| overlaps(unit).is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(60), "no overlap");
        table.units.iter().for_each(|unit| {
            unit.code(&["sync"]);
        });
        std::thread::sleep(Duration::from_millis(100));
    }
    table.overlap = overlaps(&table.units[0])[0]["overlap"].as_str().unwrap().to_owned();
    table
}

#[test]
fn killed_anywhere_between_proposal_and_receipt_a_handover_happens_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut table = set_table(folder);
    let attached: Vec<u8> = (0..5_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(folder.join("scan.pdf"), &attached).unwrap();
    let item = "category = \"suspect\"\nhandling = [\"H1\"]\nsource = \"A\"\ninformation = \"1\"\nnature = \"fact\"\n";
    let package = format!(
        "[purpose]\ntext = \"find him\"\noffence = \"fraud\"\nlegal_basis = \"article 5\"\n\
         [[item]]\nname = \"phone\"\n{item}necessity = \"to call\"\nfield = \"phone\"\n\
         [[item]]\nname = \"scan\"\n{item}necessity = \"to see\"\nfile = \"scan.pdf\"\n"
    );
    std::fs::write(folder.join("package.toml"), package).unwrap();

    table.act(1, "Inv", "acknowledge", &[]);
    table.act(0, "Inv", "acknowledge", &[]);
    table.act(0, "Inv", "same", &[]);
    table.act(1, "Inv", "same", &[]);
    table.act(1, "Inv", "propose", &["--outcome", "handover", "--provider", "us", "--field", "phone", "--note", "one"]);
    table.act(0, "Head", "accept", &[]);
    let overlap = table.overlap.clone();
    let draft = table.units[1].run(&["overlap", &overlap, "pack", folder.join("package.toml").to_str().unwrap()]);
    let draft = draft["draft"].as_str().unwrap().to_owned();
    table.act(1, "Head", "consent", &["--package", &draft, "--until", "48h"]);
    table.act(1, "Legal", "consent", &["--attest", "all"]);

    // Sealing itself is killed, before it is let through: nothing was sent, and it begins anew.
    let seal = ["overlap", &overlap, "seal", "--as", "Head", "--yes"];
    for pause in [1, 20, 60, 90] {
        let mut sealing = table.units[1].command(&seal).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let _ = sealing.kill();
        sealing.wait().unwrap();
    }
    let sealed_meanwhile = table.units[1].code(&seal) != 0;
    table.until(|shown| state(shown) == "sealed", "sealed");
    for _ in 0..6 {
        table.killed();
    }
    // The provider shows its own parcel as given; the recipient, whether all parts came.
    table.until(|shown| shown["parcels"][0]["come"] == true || shown["parcels"][0]["given"] == true, "all parts");
    table.act(0, "Legal", "conditions", &[]);
    table.act(0, "Inv", "receive", &[]);
    table.until(|shown| state(shown) == "handed-over", "handed over");
    let copy = folder.join("copy");
    let read = ["overlap", &overlap, "read", "--as", "Inv", "--because", "to find him", "--yes", "--to"];
    table.units[0].run(&[&read[..], &[copy.to_str().unwrap()]].concat());
    let same = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.unwrap().path()).unwrap() == attached;
    assert!(std::fs::read_dir(&copy).unwrap().any(same), "the file came as it was");

    let (gm, sn) = (table.shown(0), table.shown(1));
    assert_eq!(gm["parcels"].as_array().unwrap().len(), 1, "one consent, one parcel");
    assert_eq!(acts(&gm), acts(&sn));
    assert_eq!(acts(&gm), 11, "each act once (sealing was killed after its act: {sealed_meanwhile})");
    for (unit, name) in table.units.iter().zip(["GM", "SN"]) {
        let events = unit.run(&["status"])["events"].as_array().unwrap().clone();
        let alarms =
            ["act-refused", "objection", "rejected", "disputed", "split-view", "clock-ahead", "unacknowledged"];
        let raised: Vec<&Value> = events.iter().filter(|e| alarms.contains(&e["event"].as_str().unwrap())).collect();
        assert!(raised.is_empty(), "{name}: {raised:?}");
        let audit = unit.run(&["audit"]);
        assert_eq!(audit["verified"], true, "{name}: {:#}", audit["findings"]);
        assert_eq!(audit["disclosures"].as_array().unwrap().len(), 1, "{name}");
    }
    assert!(table.kills > 30, "{} kills", table.kills);
}
