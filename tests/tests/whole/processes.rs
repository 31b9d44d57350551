//! Three processes, the link between them cut and the broker killed in between: nothing is lost, nothing happens twice
//! (R24, R25, R35). Through the commands that people use.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The folder of the binaries, built in the profile of this test.
pub(crate) fn binaries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().unwrap().parent().unwrap().to_owned();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "-p", "server", "-p", "client", "--bins"]);
        build.env("CARGO_TARGET_DIR", folder.parent().unwrap());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
        folder
    })
}

/// A link that can be cut: every connection through it dies, and new ones are refused until it is mended.
pub(crate) struct Link {
    address: String,
    to: Arc<AtomicU16>,
    pub(crate) cut: Arc<AtomicBool>,
}

impl Link {
    pub(crate) fn new() -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (to, cut) = (Arc::new(AtomicU16::new(0)), Arc::new(AtomicBool::new(false)));
        let (port, is_cut) = (to.clone(), cut.clone());
        std::thread::spawn(move || {
            for inbound in listener.incoming().flatten() {
                let Ok(outbound) = TcpStream::connect(("127.0.0.1", port.load(Ordering::SeqCst))) else { continue };
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                for (from, to) in [(&inbound, &outbound), (&outbound, &inbound)] {
                    carry(from.try_clone().unwrap(), to.try_clone().unwrap(), is_cut.clone());
                }
            }
        });
        Link { address, to, cut }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let _ = from.set_read_timeout(Some(Duration::from_millis(20)));
        let mut buffer = [0; 4096];
        while !cut.load(Ordering::SeqCst) {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) if to.write_all(&buffer[..n]).is_err() => break,
                Ok(_) => {}
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                }
                Err(_) => break,
            }
        }
        let _ = from.shutdown(std::net::Shutdown::Both);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}

pub(crate) struct Broker(Child);

impl Broker {
    pub(crate) fn serve(home: &Path, link: &Link) -> Broker {
        let mut command = Command::new(binaries().join("sutura-broker"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--home"]).arg(home);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse().unwrap();
        link.to.store(port, Ordering::SeqCst);
        Broker(child)
    }

    /// SIGKILL: no time for anything.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Unit {
    pub(crate) home: PathBuf,
}

impl Unit {
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("sutura"));
        command.arg("--home").arg(&self.home).arg("--json").args(args);
        let passphrase = self.home.with_extension("passphrase");
        command.env("SUTURA_PASSPHRASE_FILE", &passphrase).env("SUTURA_OFFICER_PASSPHRASE_FILE", &passphrase);
        command.env("LC_ALL", "C");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Value {
        let output = self.command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "sutura {args:?}: {error}");
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self, args: &[&str]) -> i32 {
        self.command(args).output().unwrap().status.code().unwrap()
    }
}

pub(crate) fn broker(home: &Path, args: &[&str]) -> Value {
    let mut command = Command::new(binaries().join("sutura-broker"));
    let output = command.args(args).arg("--json").arg("--home").arg(home).output().unwrap();
    assert!(output.status.success(), "sutura-broker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

pub(crate) fn found(folder: &Path, link: &Link) -> Vec<Unit> {
    let home = folder.join("broker");
    let mut units = Vec::new();
    for name in ["GM", "SN"] {
        let unit = Unit { home: folder.join(name) };
        let passphrase = unit.home.with_extension("passphrase");
        std::fs::write(&passphrase, "a passphrase of the test").unwrap();
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
        unit.run(&["init", "--unit", name, "--weak-passphrase-hashing"]);
        let invite = broker(&home, &["invite", name, "--address", &link.address]);
        unit.run(&["join", invite["invite"].as_str().unwrap()]);
        broker(&home, &["admit", name]);
        unit.run(&["sync"]);
        units.push(unit);
    }
    units
}

pub(crate) fn verify(units: &[Unit]) {
    for unit in units {
        unit.run(&["sync"]);
    }
    for (own, peer, name) in [(0, 1, "SN"), (1, 0, "GM")] {
        let own_name = if own == 0 { "GM" } else { "SN" };
        assert_eq!(units[own].code(&["peers", "verify", name]), 7, "not verified yet");
        assert_eq!(units[own].code(&["peers", "verify", name, "12345 67890"]), 7, "a wrong code");
        let peers = units[peer].run(&["peers"]);
        let code = peers["peers"].as_array().unwrap().iter().find(|p| p["unit"] == own_name).unwrap()["code"].clone();
        units[own].run(&["peers", "verify", name, code.as_str().unwrap()]);
    }
}

/// Two registers of 400 phones, 100 in common.
fn registers(folder: &Path) -> [PathBuf; 2] {
    [("GM", 0), ("SN", 300)].map(|(name, from)| {
        let file = folder.join(format!("{name}.csv"));
        let rows: String = (from..from + 400).map(|n| format!("{name}-{n},+22177{n:07}\n")).collect();
        std::fs::write(&file, format!("record,phone\n{rows}")).unwrap();
        file
    })
}

#[test]
fn a_cut_link_and_a_killed_broker_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let home = folder.join("broker");
    broker(&home, &["init", "--name", "Cut"]);
    let link = Link::new();
    let mut serving = Some(Broker::serve(&home, &link));
    let units = found(folder, &link);
    verify(&units);
    for (unit, file) in units.iter().zip(registers(folder)) {
        unit.run(&["import", file.to_str().unwrap()]);
    }
    let accord = folder.join("accord.toml");
    std::fs::write(&accord, exercise::federation::ACCORD.replace("delay = 2", "delay = 0")).unwrap();
    units[0].run(&["accord", "propose", accord.to_str().unwrap()]);
    units[0].run(&["sync"]);
    units[1].run(&["sync"]);
    units[1].run(&["accord", "sign"]);
    units[1].run(&["sync"]);

    let began = Instant::now();
    let mut faults = 0;
    let settled = |unit: &Unit| unit.run(&["status"])["settled"] == Value::Bool(true);
    let mut turn = 0u64;
    while !units.iter().all(settled) {
        if began.elapsed() > Duration::from_secs(180) {
            let states: Vec<Value> = units.iter().map(|unit| unit.run(&["status"])).collect();
            panic!("it does not settle after {turn} turns: {states:#?}");
        }
        turn += 1;
        let mut running: Vec<Child> = units
            .iter()
            .map(|unit| unit.command(&["sync"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
            .collect();
        if turn <= 12 {
            std::thread::sleep(Duration::from_millis(20 + 35 * (turn % 5)));
            faults += 1;
            match turn % 3 {
                0 => {
                    serving.take().unwrap().kill();
                    serving = Some(Broker::serve(&home, &link));
                }
                1 => {
                    link.cut.store(true, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(60));
                    link.cut.store(false, Ordering::SeqCst);
                }
                // A unit is killed in the middle of its work.
                _ => running[turn as usize / 3 % 2].kill().unwrap(),
            }
        }
        for child in &mut running {
            child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(150));
    }
    assert!(faults >= 6, "settled before the faults: {faults}");

    let mut sides = Vec::new();
    for unit in &units {
        let overlaps = unit.run(&["overlaps"]);
        assert_eq!(overlaps["below_threshold"], 0);
        let mut pairs: Vec<(String, String)> = overlaps["overlaps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| (o["overlap"].as_str().unwrap().to_owned(), o["record"].as_str().unwrap().to_owned()))
            .collect();
        pairs.sort();
        assert_eq!(pairs.len(), 100);
        sides.push(pairs);
        let status = unit.run(&["status"]);
        let alarms: Vec<&Value> = status["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| {
                !["joined", "accord-proposed", "accord-in-force", "overlaps"].contains(&e["event"].as_str().unwrap())
            })
            .collect();
        assert!(alarms.is_empty(), "{alarms:?}");
    }
    let number = |reference: &str| reference.split('-').next_back().unwrap().to_owned();
    for ((first, gm), (second, sn)) in sides[0].iter().zip(&sides[1]) {
        assert_eq!((first, number(gm)), (second, number(sn)), "the same two records on both sides");
    }
    drop(serving);
    assert_eq!(units[0].code(&["sync"]), 6, "an absent broker is told as such");
    assert_eq!(units[0].code(&["overlap", "zzzz"]), 1);
    assert_eq!(units[0].code(&["no-such-command"]), 2);
}
