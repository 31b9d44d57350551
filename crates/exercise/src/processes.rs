//! A federation of the released binaries: the broker and each unit a process of its own, so that each one's memory shows.
//!
//! Caller: the story, with --processes. Everything goes through the commands that an operator and officers use. *Not
//! here:* anything that a command cannot do.

use crate::broker_view;
use crate::federation::{PASSPHRASE, accord, children_seconds_cpu, peak_rss_mib, seconds_cpu};
use crate::in_process::{Account, PATIENCE};
use crate::input::Input;
use crate::options::Options;
use crate::results::{BrokerResult, Found, FoundOverlap, LogResult, Phase};
use crate::teller::Teller;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Where the two binaries lie: beside this one. Under cargo they are built first, in the same profile.
struct Binaries {
    broker: PathBuf,
    unit: PathBuf,
}

impl Binaries {
    async fn find(teller: &Teller) -> Result<Binaries> {
        let own = std::env::current_exe()?;
        let folder = own.parent().context("this program lies in a folder")?;
        if let Some(cargo) = std::env::var_os("CARGO") {
            teller.doing("building the two binaries", "construction des deux programmes");
            let mut build = Command::new(cargo);
            build.args(["build", "--quiet", "-p", "server", "-p", "client", "--bins"]);
            if folder.ends_with("release") {
                build.arg("--release");
            }
            ensure!(build.status().await?.success(), "the binaries cannot be built");
        }
        let found = Binaries { broker: folder.join("sutura-broker"), unit: folder.join("sutura") };
        for binary in [&found.broker, &found.unit] {
            ensure!(binary.exists(), "{} is missing: build it first", binary.display());
        }
        Ok(found)
    }
}

/// A unit's home, and the passphrase file that its commands read.
struct Home<'b> {
    name: String,
    folder: PathBuf,
    passphrase: PathBuf,
    binary: &'b Path,
}

impl Home<'_> {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.arg("--home").arg(&self.folder).arg("--json").args(args);
        command.env("SUTURA_PASSPHRASE_FILE", &self.passphrase).stdin(Stdio::null());
        command
    }

    /// Runs a command, looks at its memory meanwhile, and gives what it says to programs.
    async fn run_watched(&self, args: &[&str]) -> Result<(Value, f64)> {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (pid, mut peak) = (child.id().context("a running command")?, 0.0_f64);
        let ended = child.wait_with_output();
        tokio::pin!(ended);
        let output = loop {
            peak = peak.max(peak_rss_mib(pid).unwrap_or(0.0));
            tokio::select! {
                output = &mut ended => break output?,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        };
        Ok((heard(&format!("{}: sutura {}", self.name, args[0]), &output)?, peak))
    }

    /// Runs a command, and gives what it says to programs.
    async fn run(&self, args: &[&str]) -> Result<Value> {
        said(&format!("{}: sutura {}", self.name, args[0]), self.command(args)).await
    }
}

async fn said(what: &str, mut command: Command) -> Result<Value> {
    let output = command.output().await.with_context(|| format!("{what} does not start"))?;
    heard(what, &output)
}

fn heard(what: &str, output: &std::process::Output) -> Result<Value> {
    if !output.status.success() {
        bail!("{what} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(serde_json::from_str(text.trim()).unwrap_or(Value::Null))
}

/// A unit that watches, and what it says of itself.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    last: Value,
}

impl Watching {
    fn start(home: &Home<'_>) -> Result<Watching> {
        let mut command = home.command(&["sync", "--watch"]);
        let log = std::fs::File::create(home.folder.join("watch.log"))?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().context("a pipe")?;
        Ok(Watching { child, lines: BufReader::new(stdout).lines(), last: Value::Null })
    }

    /// Reads on until the unit has taken in its register up to `serial`, and is settled.
    async fn until_settled(&mut self, serial: u64, most: Duration) -> Result<()> {
        let wait = async {
            let there = |last: &Value| last["register_serial"].as_u64().is_some_and(|taken| taken >= serial);
            while self.last["settled"] != Value::Bool(true) || !there(&self.last) {
                let line = self.lines.next_line().await?.context("the unit ended: see its watch.log")?;
                self.last = serde_json::from_str(&line).context("a line of JSON")?;
            }
            Ok(())
        };
        tokio::time::timeout(most, wait).await.context("the unit does not settle")?
    }

    async fn stop(mut self) -> Result<(Value, f64, f64)> {
        let pid = self.child.id().context("a running unit")?;
        let (cpu, peak) = (seconds_cpu(pid).unwrap_or(0.0), peak_rss_mib(pid).unwrap_or(0.0));
        terminate(pid).await?;
        self.child.wait().await?;
        Ok((self.last, cpu, peak))
    }
}

async fn terminate(pid: u32) -> Result<()> {
    let status = Command::new("kill").arg("-TERM").arg(pid.to_string()).status().await?;
    ensure!(status.success(), "process {pid} cannot be told to end");
    Ok(())
}

/// Runs it.
pub async fn run(options: &Options, folder: &Path, input: &Input, teller: &Teller) -> Result<Account> {
    let began = Instant::now();
    let binaries = Binaries::find(teller).await?;
    let broker_home = folder.join("broker");
    let broker_command = |args: &[&str]| {
        let mut command = Command::new(&binaries.broker);
        command.args(args).arg("--home").arg(&broker_home).stdin(Stdio::null());
        command
    };
    let mut init = broker_command(&["init", "--name", "Exercise"]);
    if let Some(url) = &options.database {
        init.args(["--database", url]);
    }
    said("sutura-broker init", init).await?;
    let log = std::fs::File::create(folder.join("broker.log"))?;
    let mut serve = broker_command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut broker = serve.stdout(Stdio::piped()).stderr(log).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(broker.stdout.take().context("a pipe")?).lines();
    let listening = lines.next_line().await?.context("the broker ended: see broker.log")?;
    let broker_pid = broker.id().context("a running broker")?;
    teller.say(
        &format!("The broker is process {broker_pid}: {listening}"),
        &format!("Le courtier est le processus {broker_pid} : {listening}"),
    );

    let mut homes = Vec::new();
    for (name, title, _) in &input.units {
        let home = folder.join("units").join(name);
        std::fs::create_dir_all(&home)?;
        let passphrase = home.join("passphrase");
        std::fs::write(&passphrase, PASSPHRASE)?;
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600))?;
        let home = Home { name: name.clone(), folder: home, passphrase, binary: &binaries.unit };
        home.run(&["init", "--unit", name, "--title", title, "--weak-passphrase-hashing"]).await?;
        let invite = said("sutura-broker invite", broker_command(&["invite", name, "--json"])).await?;
        let invite = invite["invite"].as_str().context("an invite")?.to_owned();
        home.run(&["join", &invite]).await?;
        said("sutura-broker admit", broker_command(&["admit", name])).await?;
        homes.push(home);
    }
    verify(&homes).await?;
    let founded = began.elapsed().as_secs_f64();
    teller.say("All units joined and verified each other", "Toutes les unités sont inscrites et vérifiées");

    agree(&homes, folder).await?;
    teller.say("All units signed the accord", "Toutes les unités ont signé l'accord");
    let importing = Instant::now();
    let mut imported = import(&homes, input, None).await?;
    let importing = importing.elapsed().as_secs_f64();
    teller.say("All registers are imported", "Tous les registres sont importés");

    let matching = Instant::now();
    let mut watching = homes.iter().map(Watching::start).collect::<Result<Vec<_>>>()?;
    for (unit, imported) in watching.iter_mut().zip(&imported) {
        unit.until_settled(imported.serial, PATIENCE).await?;
    }
    let matching = matching.elapsed().as_secs_f64();
    teller.say("Matching is through", "La comparaison est faite");

    let mut increment = None;
    let mut costs = None;
    let mut new_overlaps = None;
    if !input.then.is_empty() {
        let before = settled_overlaps(&watching);
        let at = Instant::now();
        let cpu = total_cpu(&watching, broker_pid);
        let further = import(&homes, input, Some(())).await?;
        for (unit, imported) in watching.iter_mut().zip(&further) {
            unit.until_settled(imported.serial, PATIENCE).await?;
        }
        increment = Some(at.elapsed().as_secs_f64());
        let imports: f64 = further.iter().map(|imported| imported.seconds_cpu).sum();
        costs = Some(total_cpu(&watching, broker_pid) - cpu + imports);
        imported.iter_mut().zip(&further).for_each(|(all, more)| all.seconds_cpu += more.seconds_cpu);
        new_overlaps = Some(settled_overlaps(&watching).saturating_sub(before) / 2);
    }
    let mut stopped = Vec::new();
    for unit in watching {
        stopped.push(unit.stop().await?);
    }
    // What one unit was told last may still lie in another's mailbox.
    for home in &homes {
        home.run(&["sync"]).await?;
    }

    let mut found = Vec::new();
    for (((last, cpu, peak), home), imported) in stopped.into_iter().zip(&homes).zip(&imported) {
        found.push(unit_found(home, &last, cpu + imported.seconds_cpu, peak.max(imported.peak_rss_mib)).await?);
    }
    let broker_cost = BrokerResult {
        seconds_cpu: seconds_cpu(broker_pid).unwrap_or(0.0),
        peak_rss_mib: peak_rss_mib(broker_pid).unwrap_or(0.0),
    };
    let status = said("sutura-broker status", broker_command(&["status", "--json"])).await?;
    if options.serve {
        teller.say("Still running. Ctrl-C ends it.", "Toujours en marche. Ctrl-C termine.");
        tokio::signal::ctrl_c().await?;
    }
    terminate(broker_pid).await?;
    broker.wait().await?;
    let broker_view = broker_view::look(&broker_home, options.database.as_deref()).await?;

    let (size, root) = found.first().map(|f| f.log.clone()).context("a unit")?;
    ensure!(status["log_size"].as_u64().is_some_and(|log| log >= size), "the broker's log is as long as a unit saw it");
    let witnesses = found.iter().filter(|f| f.log.0 > 0).count() as u64;
    let sum = |name: &str| found.iter().filter_map(|f| f.phases.get(name)).sum::<f64>();
    let mut phases = vec![("found", founded), ("import", importing)];
    phases.extend(["blind", "evaluate", "unblind"].map(|name| (name, sum(name))));
    phases.extend([("match", broker_cost.seconds_cpu), ("confirm", sum("confirm")), ("settle", matching)]);
    phases.extend(increment.map(|seconds| ("increment", seconds)));
    phases.extend(costs.map(|seconds| ("increment_cpu", seconds)));
    let phases = phases.into_iter().map(|(name, seconds)| Phase { name: name.to_owned(), seconds }).collect();
    let log = LogResult { size, root, witnesses };
    Ok(Account {
        found,
        broker: Some(broker_cost),
        broker_view,
        log,
        phases,
        new_overlaps,
        played: Vec::new(),
        audits: Vec::new(),
    })
}

/// CPU time of the broker and all units so far.
fn total_cpu(watching: &[Watching], broker: u32) -> f64 {
    let units = watching.iter().filter_map(|unit| unit.child.id()).filter_map(seconds_cpu).sum::<f64>();
    units + seconds_cpu(broker).unwrap_or(0.0)
}

fn settled_overlaps(watching: &[Watching]) -> usize {
    watching.iter().filter_map(|unit| unit.last["overlaps"].as_u64()).sum::<u64>() as usize
}

/// Officers read each other their codes, and mark each other verified (R7).
async fn verify(homes: &[Home<'_>]) -> Result<()> {
    for home in homes {
        home.run(&["sync"]).await?;
    }
    for home in homes {
        for peer in homes.iter().filter(|peer| peer.name != home.name) {
            let theirs = peer.run(&["peers"]).await?;
            let theirs = theirs["peers"].as_array().context("a list of peers")?;
            let code = theirs.iter().find(|p| p["unit"] == home.name.as_str()).and_then(|p| p["code"].as_str());
            let code = code.with_context(|| format!("{} knows {}", peer.name, home.name))?;
            home.run(&["peers", "verify", &peer.name, code]).await?;
        }
    }
    Ok(())
}

async fn agree(homes: &[Home<'_>], folder: &Path) -> Result<()> {
    let text = folder.join("accord.toml");
    std::fs::write(&text, accord())?;
    let text = text.display().to_string();
    homes[0].run(&["accord", "propose", &text]).await?;
    homes[0].run(&["sync"]).await?;
    for home in &homes[1..] {
        home.run(&["sync"]).await?;
        home.run(&["accord", "sign"]).await?;
        home.run(&["sync"]).await?;
    }
    Ok(())
}

/// What an import came to, in a process of its own.
#[derive(Default)]
struct Imported {
    /// How far the register has come.
    serial: u64,
    seconds_cpu: f64,
    peak_rss_mib: f64,
}

/// Imports a register for each unit that has one.
async fn import(homes: &[Home<'_>], input: &Input, then: Option<()>) -> Result<Vec<Imported>> {
    let mut imports = Vec::with_capacity(homes.len());
    for home in homes {
        let file = match then {
            Some(()) => input.then.get(&home.name).cloned(),
            None => input.units.iter().find(|(name, ..)| *name == home.name).map(|(_, _, file)| file.clone()),
        };
        let Some(file) = file.map(|file| file.display().to_string()) else {
            imports.push(Imported::default());
            continue;
        };
        let mut args = vec!["import", &file];
        let mapping = input.mapping.as_ref().map(|mapping| mapping.display().to_string());
        if let Some(mapping) = &mapping {
            args.extend(["--mapping", mapping]);
        }
        let country = home.name.split('-').next().filter(|code| code.parse::<identifier::Country>().is_ok());
        if let (Some(country), None) = (country, &mapping) {
            args.extend(["--country", country]);
        }
        // One import after the other, and nothing else ends meanwhile: what our children took in all has grown by this one.
        let before = children_seconds_cpu();
        let (report, peak_rss_mib) = home.run_watched(&args).await?;
        imports.push(Imported {
            serial: report["register_serial"].as_u64().context("the register's serial")?,
            seconds_cpu: children_seconds_cpu() - before,
            peak_rss_mib,
        });
    }
    Ok(imports)
}

async fn unit_found(home: &Home<'_>, last: &Value, cpu: f64, peak: f64) -> Result<Found> {
    let status = home.run(&["status"]).await?;
    let overlaps = home.command(&["overlaps", "--all"]).output().await?;
    let overlaps: Value = serde_json::from_slice(&overlaps.stdout).context("overlaps as JSON")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let found = overlaps["overlaps"].as_array().context("a list of overlaps")?.iter().map(|o| FoundOverlap {
        peer: text(&o["peer"]),
        reference: text(&o["record"]),
        handle: text(&o["overlap"]),
        tier: text(&o["tier"]),
        kinds: o["kinds"].as_array().into_iter().flatten().map(text).collect(),
        surfaced: o["surfaced"].as_bool().unwrap_or(false),
        state: None,
    });
    let phases = last["phases"].as_object().into_iter().flatten();
    let events = status["events"].as_array().into_iter().flatten().map(|event| text(&event["event"]));
    let not_taken = last["not_taken"].as_object().into_iter().flatten();
    Ok(Found {
        name: home.name.clone(),
        records: number(&status["records"]),
        tokens: number(&status["tokens"]),
        points_sent: number(&last["points_sent"]),
        points_evaluated: number(&last["points_evaluated"]),
        seconds_cpu: cpu,
        peak_rss_mib: peak,
        overlaps: found.collect(),
        phases: phases.map(|(name, seconds)| (name.clone(), seconds.as_f64().unwrap_or(0.0))).collect(),
        traffic: (number(&last["bytes"]["sent"]), number(&last["bytes"]["received"])),
        events: events.collect(),
        not_taken: not_taken.map(|(code, n)| (code.clone(), number(n))).collect(),
        log: (number(&status["log"]["size"]), text(&status["log"]["root"])),
    })
}
