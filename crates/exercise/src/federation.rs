//! A federation in this process: the real broker behind TLS on loopback, real vaults on disk, one task for each unit.
//!
//! Callers: the story, the misbehaviours, and tests. *Not here:* what the units find ([`crate::results`]).

use crate::results::{Found, overlaps_of};
use anyhow::{Context, Result, bail};
use client::broker::Patience;
use client::import::{ImportOptions, ImportReport, import_file};
use client::mapping::Mapping;
use client::membership::{Membership, found};
use client::session::{Session, system_clock};
use client::vault::{Hashing, Passphrase, Vault};
use identifier::{Country, Rules};
use protocol::name::UnitName;
use server::{Broker, Home, Settings};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Every vault of the exercise opens with this: its registers are invented, or copies the user brought.
pub const PASSPHRASE: &str = "exercise";

/// The accord of the exercise, without a manual: under it units match, and nothing follows.
pub const ACCORD: &str = include_str!("accord.toml");

/// The accord of the exercise, with the manual that ships with Sutura.
pub fn accord() -> String {
    format!("{ACCORD}\n{}", protocol::manual::DEFAULT)
}

/// A broker that serves on loopback.
pub struct Served {
    /// The broker itself.
    pub broker: Broker,
    /// Its folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub address: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), server::serve::ServeError>>,
}

impl Served {
    /// Founds a broker in `folder` and serves it on a free port.
    pub async fn start(folder: &Path, name: &str, database: Option<String>) -> Result<Served> {
        let settings = Settings { federation: name.to_owned(), database, hosts: Vec::new() };
        let home = Home::found(folder, settings, server::now_ms())?;
        Self::serve(home, folder).await
    }

    /// Serves a broker that was founded before.
    pub async fn again(folder: &Path) -> Result<Served> {
        Self::serve(Home::open(folder)?, folder).await
    }

    async fn serve(home: Home, folder: &Path) -> Result<Served> {
        let broker = Broker::open(home).await?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?.to_string();
        let (stop, mut stopping) = watch::channel(false);
        let shutdown = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let task = tokio::spawn(server::serve::serve(broker.clone(), listener, system_clock(), shutdown));
        Ok(Served { broker, folder: folder.to_owned(), address, stop, task })
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<()> {
        let _ = self.stop.send(true);
        self.task.await??;
        self.broker.close().await;
        Ok(())
    }
}

/// A unit that was founded and admitted.
pub struct Unit {
    /// Its name.
    pub name: UnitName,
    /// Its folder.
    pub folder: PathBuf,
    /// Its vault.
    pub vault: Vault,
    /// At work.
    pub session: Session,
    /// What officers were told so far.
    pub events: Vec<client::agent::Event>,
}

/// Patience on loopback: a broker that does not answer is a fault, and is to be seen at once.
pub fn patience() -> Patience {
    Patience { tries: 2, ..Patience::default() }
}

impl Unit {
    /// Founds a unit, lets it join and has it admitted.
    pub async fn admitted(folder: &Path, name: &str, title: &str, served: &Served) -> Result<Unit> {
        let name: UnitName = name.parse().with_context(|| format!("{name} is no name for a unit"))?;
        std::fs::create_dir_all(folder)?;
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let path = folder.join("vault.sqlite");
        let vault = Vault::create(&path, &passphrase, Hashing::WEAK_FOR_EXERCISES, &mut rng).await?;
        found(&vault, &name, title, &mut rng).await?;
        let invite = served.broker.invite(&name, &served.address, server::now_ms()).await?;
        let mut membership = Membership::load(&vault).await?;
        membership.join(&vault, invite, patience()).await?;
        served.broker.admit(&name, server::now_ms()).await?;
        let session = Self::connect(&vault).await?;
        Ok(Unit { name, folder: folder.to_owned(), vault, session, events: Vec::new() })
    }

    async fn connect(vault: &Vault) -> Result<Session> {
        let mut session = Session::open(vault.clone(), system_clock()).await?;
        session.connect(patience()).await?;
        Ok(session)
    }

    /// Starts the unit again from its vault, as after a crash.
    pub async fn restart(&mut self) -> Result<()> {
        self.session = Self::connect(&self.vault).await?;
        Ok(())
    }

    /// The broker has moved: the unit goes on under its new address.
    pub async fn moved(&mut self, address: &str) -> Result<()> {
        Membership::load(&self.vault).await?.broker_moved(&self.vault, address).await?;
        self.restart().await
    }

    /// All that is due now.
    pub async fn sync(&mut self) -> Result<()> {
        let result = self.session.sync().await;
        self.events.extend(self.session.take_events());
        result?;
        Ok(())
    }

    /// One round.
    pub async fn round(&mut self, wait: Duration) -> Result<()> {
        let result = self.session.round(wait).await;
        self.events.extend(self.session.take_events());
        result?;
        Ok(())
    }

    /// Imports a register. A unit whose name begins with a country's code writes national numbers of that country.
    pub async fn import(&self, file: &Path, mapping: Option<&Path>) -> Result<ImportReport> {
        let mut mapping = match mapping {
            Some(path) => Mapping::load(path)?,
            None => Mapping::default(),
        };
        let own = self.name.as_str().split('-').next().and_then(|code| code.parse::<Country>().ok());
        mapping.defaults.country = mapping.defaults.country.or(own);
        let options = ImportOptions { mapping, ..ImportOptions::default() };
        Ok(import_file(&self.vault, file, &options, &mut |_| {}).await?)
    }

    /// What it found, and what it cost.
    pub async fn found(&self) -> Result<Found> {
        let view = self.session.agent().view();
        let timings = self.session.timings();
        let phases = [
            ("blind", timings.blind),
            ("evaluate", timings.evaluate),
            ("unblind", timings.unblind),
            ("confirm", timings.confirm),
        ];
        let traffic = self.session.traffic();
        Ok(Found {
            name: self.name.to_string(),
            records: view.records as u64,
            tokens: view.tokens as u64,
            points_sent: view.points_sent,
            points_evaluated: view.points_evaluated,
            seconds_cpu: phases.iter().map(|(_, seconds)| seconds).sum(),
            peak_rss_mib: peak_rss_mib(std::process::id()).unwrap_or(0.0),
            overlaps: overlaps_of(&self.session, &Rules::default()).await?,
            phases: phases.iter().map(|(name, seconds)| ((*name).to_owned(), *seconds)).collect(),
            traffic: (traffic.sent, traffic.received),
            events: self.events.iter().map(|event| event.code().to_owned()).collect(),
            not_taken: self.session.not_taken().iter().map(|(code, n)| ((*code).to_owned(), *n)).collect(),
            log: (view.log_size, view.log_root.to_string()),
        })
    }
}

/// Officers of every two units compare their verification codes, and mark each other verified (R7).
pub async fn verify_all(units: &mut [Unit]) -> Result<usize> {
    for unit in units.iter_mut() {
        unit.sync().await?;
    }
    let codes = |units: &[Unit], at: usize, peer: &UnitName| {
        let view = units[at].session.agent().view();
        view.peers.into_iter().find(|p| p.name == *peer).map(|p| p.code)
    };
    let mut pairs = 0;
    for first in 0..units.len() {
        for second in first + 1..units.len() {
            let (a, b) = (units[first].name.clone(), units[second].name.clone());
            let (ours, theirs) = (codes(units, first, &b), codes(units, second, &a));
            if ours.is_none() || ours != theirs {
                bail!("{a} and {b} see different verification codes");
            }
            units[first].session.act(|agent, _| agent.mark_verified(&b)).await??;
            units[second].session.act(|agent, _| agent.mark_verified(&a)).await??;
            pairs += 1;
        }
    }
    Ok(pairs)
}

/// The first unit proposes the accord, all sign it.
pub async fn agree(units: &mut [Unit], text: &str) -> Result<protocol::Hash> {
    let hash = units[0].session.act(|agent, now| agent.propose(text, now)).await??;
    units[0].sync().await?;
    for unit in units.iter_mut().skip(1) {
        unit.sync().await?;
        unit.session.act(|agent, now| agent.sign_accord(&hash, now)).await??;
        unit.sync().await?;
    }
    for unit in units.iter_mut() {
        unit.sync().await?;
    }
    Ok(hash)
}

/// Lets all units work side by side until all are settled, or the time is up.
pub async fn settle(units: Vec<Unit>, most: Duration, progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<Unit>> {
    let (stop, stopping) = watch::channel(false);
    let count = units.len();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel::<(usize, bool)>();
    let tasks: Vec<JoinHandle<Result<Unit>>> = units
        .into_iter()
        .enumerate()
        .map(|(at, unit)| tokio::spawn(work(at, unit, stopping.clone(), tell.clone())))
        .collect();
    drop(tell);
    let began = Instant::now();
    let mut settled = vec![false; count];
    let mut late = false;
    while !settled.iter().all(|s| *s) {
        let left = most.saturating_sub(began.elapsed());
        match tokio::time::timeout(left, told.recv()).await {
            Ok(Some((at, is_settled))) => settled[at] = is_settled,
            Ok(None) => break,
            Err(_) => {
                late = true;
                break;
            }
        }
        progress(settled.iter().filter(|s| **s).count(), count);
    }
    let _ = stop.send(true);
    let mut out = Vec::with_capacity(count);
    for task in tasks {
        out.push(task.await??);
    }
    if late {
        bail!("the units did not settle within {} s", most.as_secs());
    }
    Ok(out)
}

async fn work(
    at: usize,
    mut unit: Unit,
    stopping: watch::Receiver<bool>,
    tell: tokio::sync::mpsc::UnboundedSender<(usize, bool)>,
) -> Result<Unit> {
    while !*stopping.borrow() {
        let wait = unit.session.until_next_tick();
        unit.round(wait).await.with_context(|| format!("unit {}", unit.name))?;
        if tell.send((at, unit.session.agent().is_settled())).is_err() {
            break;
        }
    }
    Ok(unit)
}

/// The peak resident memory of a process, in MiB, as Linux tells it.
pub fn peak_rss_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// CPU time of a process so far, in seconds, as Linux tells it.
pub fn seconds_cpu(pid: u32) -> Option<f64> {
    seconds_of(&pid.to_string(), 11)
}

/// CPU time of all processes that this one started and that have ended.
pub fn children_seconds_cpu() -> f64 {
    seconds_of("self", 13).unwrap_or(0.0)
}

/// User and system time, which stand beside each other from `field` after the process's name.
fn seconds_of(pid: &str, field: usize) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(field)?.parse::<f64>().ok()? + fields.get(field + 1)?.parse::<f64>().ok()?;
    // USER_HZ is 100 on every Linux that Rust supports.
    Some(ticks / 100.0)
}
