//! The story of a federation in this process: found, verify, import, agree, match, and decide.
//!
//! Caller: the story. *Not here:* the federation's parts ([`crate::federation`]), and what follows a match
//! ([`crate::outcomes`]).

use crate::audited::{self, Audited, audit_all};
use crate::broker_view;
use crate::federation::{Served, Unit, accord, agree, settle, verify_all};
use crate::input::Input;
use crate::options::Options;
use crate::outcomes::play_all;
use crate::played::Played;
use crate::registers::Invented;
use crate::results::{BrokerResult, Found, LogResult, Phase};
use crate::teller::Teller;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest that matching may take before the exercise gives up.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// What a federation gives to the end of the story.
pub struct Account {
    /// For each unit.
    pub found: Vec<Found>,
    /// The broker's cost, with --processes.
    pub broker: Option<BrokerResult>,
    /// What it saw.
    pub broker_view: broker_view::BrokerView,
    /// The log.
    pub log: LogResult,
    /// Where time went.
    pub phases: Vec<Phase>,
    /// Overlaps that the further registers brought.
    pub new_overlaps: Option<usize>,
    /// What followed matches.
    pub played: Vec<Played>,
    /// The audit of each unit, if anything was decided.
    pub audits: Vec<Audited>,
}

/// Runs it. `decide`: the invented registers, if outcomes are to be played on what was planted in them.
pub async fn run(
    options: &Options,
    folder: &Path,
    input: &Input,
    decide: Option<&Invented>,
    teller: &Teller,
) -> Result<Account> {
    let began = Instant::now();
    let broker_folder = folder.join("broker");
    let served = Served::start(&broker_folder, "Exercise", options.database.clone()).await?;
    teller.say(
        &format!("A broker listens on https://{}", served.address),
        &format!("Un courtier écoute sur https://{}", served.address),
    );
    let mut units = Vec::new();
    for (name, title, _) in &input.units {
        let home = folder.join("units").join(name);
        units.push(Unit::admitted(&home, name, title, &served).await?);
        teller.doing(&format!("{name} joins"), &format!("{name} s'inscrit"));
    }
    let pairs = verify_all(&mut units).await?;
    teller.say(
        &format!("{} units joined; {pairs} pairs compared their verification codes", units.len()),
        &format!("{} unités inscrites ; {pairs} paires ont comparé leurs codes de vérification", units.len()),
    );
    let founded = began.elapsed().as_secs_f64();

    let import = Instant::now();
    let mut records = 0;
    for (unit, (name, _, file)) in units.iter().zip(&input.units) {
        teller.doing(&format!("{name} imports"), &format!("{name} importe"));
        let report = unit.import(file, input.mapping.as_deref()).await.with_context(|| file.display().to_string())?;
        records += report.added;
        tell_faults(name, &report, teller);
    }
    let import = import.elapsed().as_secs_f64();
    teller.say(&format!("{records} records imported"), &format!("{records} fiches importées"));

    agree(&mut units, &accord()).await?;
    teller.say("All units signed the accord", "Toutes les unités ont signé l'accord");
    let matching = Instant::now();
    let mut watch = |settled: usize, of: usize| {
        teller
            .doing(&format!("matching: {settled} of {of} units settled"), &format!("comparaison : {settled} sur {of}"));
    };
    units = settle(units, PATIENCE, &mut watch).await?;
    let matching = matching.elapsed().as_secs_f64();
    teller.say(
        "Requests, evaluations, tag sets, notices and acknowledgements are through",
        "Demandes, évaluations, étiquettes, avis et accusés sont échangés",
    );

    let mut increment = None;
    let mut new_overlaps = None;
    if !input.then.is_empty() {
        let before: usize = units.iter().map(|unit| unit.session.agent().overlap_count()).sum();
        let began = Instant::now();
        for unit in &units {
            if let Some(file) = input.then.get(unit.name.as_str()) {
                unit.import(file, input.mapping.as_deref()).await?;
            }
        }
        units = settle(units, PATIENCE, &mut watch).await?;
        increment = Some(began.elapsed().as_secs_f64());
        let after: usize = units.iter().map(|unit| unit.session.agent().overlap_count()).sum();
        new_overlaps = Some((after - before) / 2);
    }
    let deciding = Instant::now();
    let played = match decide {
        Some(invented) => {
            teller.doing("officers decide", "les officiers décident");
            let played;
            (units, played) = play_all(units, invented, &folder.join("attachments")).await?;
            played
        }
        None => Vec::new(),
    };
    let deciding = decide.map(|_| deciding.elapsed().as_secs_f64());
    if options.serve {
        serve_on(&served, folder, teller).await?;
    }

    let mut found = Vec::new();
    for unit in &mut units {
        unit.sync().await?;
        found.push(unit.found().await?);
    }
    let audits = if played.is_empty() { Vec::new() } else { audit_all(&mut units).await? };
    audited::keep(&audits, &folder.join("audit"))?;
    let log = log_result(&served, &units).await?;
    let compare = served.broker.metrics().seconds_comparing();
    let broker_view = broker_view::look(&broker_folder, options.database.as_deref()).await?;
    drop(units);
    served.stop().await?;

    let sum = |name: &str| found.iter().filter_map(|f| f.phases.get(name)).sum::<f64>();
    let mut phases = vec![("found", founded), ("import", import)];
    phases.extend(["blind", "evaluate", "unblind"].map(|name| (name, sum(name))));
    phases.extend([("match", compare), ("confirm", sum("confirm")), ("settle", matching)]);
    phases.extend(increment.map(|seconds| ("increment", seconds)));
    phases.extend(deciding.map(|seconds| ("decide", seconds)));
    let phases = phases.into_iter().map(|(name, seconds)| Phase { name: name.to_owned(), seconds }).collect();
    Ok(Account { found, broker: None, broker_view, log, phases, new_overlaps, played, audits })
}

async fn log_result(served: &Served, units: &[Unit]) -> Result<LogResult> {
    let view = units.first().map(|unit| unit.session.agent().view()).context("a unit")?;
    let status = served.broker.status(server::now_ms()).await?;
    let witnesses = units.iter().filter(|unit| unit.session.agent().view().log_size > 0).count();
    anyhow::ensure!(status.log_size >= view.log_size, "the broker's log is at least as long as a unit saw it");
    Ok(LogResult { size: view.log_size, root: view.log_root.to_string(), witnesses: witnesses as u64 })
}

/// Bad cells of a register: how many, and where the first one is.
fn tell_faults(name: &str, report: &client::import::ImportReport, teller: &Teller) {
    if let Some(fault) = report.faults.first() {
        let (count, line, column) = (report.faults.len(), fault.line, &fault.column);
        teller.say(
            &format!("{name}: {count} cells to look at, the first in line {line}, column {column}"),
            &format!("{name} : {count} cellules à revoir, la première ligne {line}, colonne {column}"),
        );
    }
}

async fn serve_on(served: &Served, folder: &Path, teller: &Teller) -> Result<()> {
    let (address, folder) = (&served.address, folder.display());
    teller.say(
        &format!("Still running: broker https://{address}, units in {folder}/units (passphrase: exercise). Ctrl-C ends it."),
        &format!("Toujours en marche : courtier https://{address}, unités dans {folder}/units (phrase secrète : exercise). Ctrl-C termine."),
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}
