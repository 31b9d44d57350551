//! The story on the terminal: founds, verifies, imports, matches, tries each misbehaviour, and says what came of it.
//!
//! Caller: the binary. *Not here:* how each step is done.

use crate::broker_view;
use crate::federation::{ACCORD, Served, Unit, agree, settle, verify_all};
use crate::misbehaviour;
use crate::options::Options;
use crate::page::Page;
use crate::processes;
use crate::registers::{Expected, Invented, UNITS, invent};
use crate::results::{BrokerResult, BytesResult, Check, Found, LogResult, Overlap, Phase, Results, UnitResult, join};
use anyhow::{Context, Result, bail};
use askama::Template;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that matching may take before the exercise gives up.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// The two languages of the story.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

/// Speaks to people, on standard error.
pub struct Teller {
    language: Language,
    bar: ProgressBar,
    began: Instant,
}

impl Teller {
    fn new(options: &Options) -> Teller {
        let asked = options.lang.clone();
        let from = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let language = asked
            .or_else(|| ["SUTURA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| from(name)))
            .is_some_and(|value| value.to_ascii_lowercase().starts_with("fr"));
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        let language = if language { Language::Fr } else { Language::En };
        Teller { language, bar, began: Instant::now() }
    }

    /// One of two texts.
    pub fn text<'t>(&self, en: &'t str, fr: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Fr => fr,
        }
    }

    /// A line that stays.
    pub fn say(&self, en: &str, fr: &str) {
        let line = format!("{:6.1} s  {}", self.began.elapsed().as_secs_f64(), self.text(en, fr));
        self.bar.suspend(|| anstream::eprintln!("{line}"));
    }

    /// What is being done, where a terminal can show it.
    pub fn doing(&self, en: &str, fr: &str) {
        self.bar.set_message(self.text(en, fr).to_owned());
        self.bar.tick();
    }
}

/// Runs the exercise; whether all that should happen did.
pub async fn run(options: Options) -> Result<bool> {
    let began = Instant::now();
    let teller = Teller::new(&options);
    let temporary = tempfile::Builder::new().prefix("sutura-").tempdir()?;
    let folder = match &options.keep {
        Some(folder) => {
            if folder.join("broker").exists() || folder.join("units").exists() {
                bail!("{} holds a federation already: name an empty folder", folder.display());
            }
            std::fs::create_dir_all(folder)?;
            folder.clone()
        }
        None => temporary.path().to_owned(),
    };
    let mut checks = Vec::new();
    let (input, invented) = input(&options, &folder, &teller)?;
    let outcome = if options.processes {
        processes::run(&options, &folder, &input, &teller).await?
    } else {
        in_process(&options, &folder, &input, &teller).await?
    };
    let Outcome { found, broker, broker_view, log, mut phases, new_overlaps } = outcome;

    let overlaps = match join(&found) {
        Ok(overlaps) => {
            checks.push(Check { name: "both units of each pair hold the same overlaps".into(), ok: true });
            overlaps
        }
        Err(why) => {
            teller.say(&why, &why);
            checks.push(Check { name: "both units of each pair hold the same overlaps".into(), ok: false });
            Vec::new()
        }
    };
    checks.push(Check { name: "no envelope was refused".into(), ok: found.iter().all(|f| f.not_taken.is_empty()) });
    let alarms = ["disputed", "disputed-by-peer", "match-disputed", "split-view", "over-quota", "refused", "rejected"];
    let calm = found.iter().all(|f| f.events.iter().all(|event| !alarms.contains(&event.as_str())));
    checks.push(Check { name: "no unit raised an alarm".into(), ok: calm });
    checks.push(Check { name: "every unit witnessed the log".into(), ok: log.witnesses as usize == found.len() });
    if let Some(invented) = &invented {
        compare(invented, &overlaps, &mut checks);
    }
    tell_overlaps(&overlaps, new_overlaps, &teller);

    if !options.match_only && options.units.is_none() {
        let before = Instant::now();
        try_misbehaviours(&folder, &teller, &mut checks).await?;
        phases.push(Phase { name: "misbehaviours".into(), seconds: before.elapsed().as_secs_f64() });
    }

    let wall_seconds = began.elapsed().as_secs_f64();
    let results = Results {
        units: found.iter().map(unit_result).collect(),
        broker,
        overlaps,
        phases,
        wall_seconds,
        bytes: BytesResult {
            units_sent: found.iter().map(|f| f.traffic.0).sum(),
            units_received: found.iter().map(|f| f.traffic.1).sum(),
        },
        log,
        checks,
    };
    if let Some(file) = &options.json {
        let text = serde_json::to_string_pretty(&results)?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if !options.match_only {
        let file = write_page(&options, &results, &broker_view)?;
        let file = file.display();
        teller.say(&format!("The page: {file}"), &format!("La page : {file}"));
    }
    let ok = results.checks.iter().all(|check| check.ok);
    for check in results.checks.iter().filter(|check| !check.ok) {
        teller.say(&format!("FAILED: {}", check.name), &format!("ÉCHEC : {}", check.name));
    }
    if ok {
        let count = results.checks.len();
        teller.say(&format!("All {count} checks hold."), &format!("Les {count} vérifications sont satisfaites."));
    }
    Ok(ok)
}

/// Registers to be imported, in order of the units' names.
pub struct Input {
    /// Name, title, file.
    pub units: Vec<(String, String, PathBuf)>,
    /// How all of them name their columns.
    pub mapping: Option<PathBuf>,
    /// Further registers of the same units.
    pub then: BTreeMap<String, PathBuf>,
}

/// What a federation gives to the end of the story.
pub struct Outcome {
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
}

fn input(options: &Options, folder: &Path, teller: &Teller) -> Result<(Input, Option<Invented>)> {
    let mut input = Input { units: Vec::new(), mapping: None, then: BTreeMap::new() };
    let mut invented = None;
    match &options.units {
        None => {
            let registers = folder.join("registers");
            std::fs::create_dir_all(&registers)?;
            invented = Some(invent(&registers, options.seed, options.records)?);
            for (name, _, title) in UNITS {
                input.units.push((name.to_owned(), title.to_owned(), registers.join(format!("{name}.csv"))));
            }
            let count = options.records;
            teller.say(
                &format!("Seven units with invented registers of {count} records each"),
                &format!("Sept unités avec des registres inventés de {count} dossiers chacun"),
            );
        }
        Some(units) => {
            for (name, file) in registers(units)? {
                input.units.push((name.clone(), name, file));
            }
            if input.units.len() < 2 {
                bail!("{} must hold at least two registers, NAME.csv each", units.display());
            }
            input.mapping = Some(units.join("mapping.toml")).filter(|file| file.exists());
        }
    }
    if let Some(then) = &options.then {
        input.then = registers(then)?;
        let known: BTreeSet<&String> = input.units.iter().map(|(name, ..)| name).collect();
        if let Some(stranger) = input.then.keys().find(|name| !known.contains(name)) {
            bail!("{} holds a register of {stranger}, which is no unit of this federation", then.display());
        }
    }
    input.units.sort();
    Ok((input, invented))
}

fn registers(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut out = BTreeMap::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if let (true, Some(name)) = (is_csv, path.file_stem().and_then(|stem| stem.to_str())) {
            out.insert(name.to_owned(), path.clone());
        }
    }
    Ok(out)
}

async fn in_process(options: &Options, folder: &Path, input: &Input, teller: &Teller) -> Result<Outcome> {
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
    teller.say(&format!("{records} records imported"), &format!("{records} dossiers importés"));

    agree(&mut units, ACCORD).await?;
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
        let before: usize = units.iter().map(|unit| unit.session.agent().overlaps().count()).sum();
        let began = Instant::now();
        for unit in &units {
            if let Some(file) = input.then.get(unit.name.as_str()) {
                unit.import(file, input.mapping.as_deref()).await?;
            }
        }
        units = settle(units, PATIENCE, &mut watch).await?;
        increment = Some(began.elapsed().as_secs_f64());
        let after: usize = units.iter().map(|unit| unit.session.agent().overlaps().count()).sum();
        new_overlaps = Some((after - before) / 2);
    }
    if options.serve {
        serve_on(&served, folder, teller).await?;
    }

    let mut found = Vec::new();
    for unit in &mut units {
        unit.sync().await?;
        found.push(unit.found().await?);
    }
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
    let phases = phases.into_iter().map(|(name, seconds)| Phase { name: name.to_owned(), seconds }).collect();
    Ok(Outcome { found, broker: None, broker_view, log, phases, new_overlaps })
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

fn compare(invented: &Invented, overlaps: &[Overlap], checks: &mut Vec<Check>) {
    let pick = |surfaced: bool| -> Expected {
        let side = |o: &Overlap, at: usize| (o.units[at].clone(), o.records[at].clone());
        overlaps.iter().filter(|o| o.surfaced == surfaced).map(|o| (side(o, 0), side(o, 1))).collect()
    };
    let ok = pick(true) == invented.surfaced;
    checks.push(Check { name: "officers see exactly the overlaps that were planted".into(), ok });
    let ok = pick(false) == invented.below;
    checks.push(Check { name: "a name with a birth date alone stays below the threshold".into(), ok });
}

fn tell_overlaps(overlaps: &[Overlap], new: Option<usize>, teller: &Teller) {
    let shown = overlaps.iter().filter(|overlap| overlap.surfaced).count();
    let below = overlaps.len() - shown;
    teller.say(
        &format!("{shown} overlaps shown to officers of both units, {below} below the threshold"),
        &format!("{shown} recoupements montrés aux agents des deux unités, {below} sous le seuil"),
    );
    if let Some(new) = new {
        teller.say(&format!("of these, {new} through the further registers"), &format!("dont {new} par les ajouts"));
    }
    for overlap in overlaps.iter().filter(|overlap| overlap.surfaced).take(5) {
        let ([a, b], [first, second]) = (&overlap.units, &overlap.records);
        let line = format!("  {a} {first}  ~  {b} {second}  ({})", overlap.kinds.join(", "));
        teller.say(&line, &line);
    }
}

async fn try_misbehaviours(folder: &Path, teller: &Teller, checks: &mut Vec<Check>) -> Result<()> {
    let base = folder.join("misbehaviours");
    let mut tasks = tokio::task::JoinSet::new();
    for kind in misbehaviour::ALL {
        let own = base.join(format!("{kind:?}"));
        std::fs::create_dir_all(&own)?;
        tasks.spawn(async move { (kind, kind.attempt(&own).await) });
    }
    let mut done = BTreeMap::new();
    while let Some(finished) = tasks.join_next().await {
        let (kind, result) = finished?;
        teller.doing(kind.name(), kind.name());
        done.insert(kind.name(), (kind, result));
    }
    for kind in misbehaviour::ALL {
        let Some((_, result)) = done.remove(kind.name()) else { continue };
        let (en, fr) = kind.story();
        let ok = match result {
            Ok(caught) => caught,
            Err(error) => {
                teller.say(&format!("{}: {error:#}", kind.name()), &format!("{} : {error:#}", kind.name()));
                false
            }
        };
        let mark = if ok { "✓" } else { "✗" };
        teller.say(&format!("{mark} {en}"), &format!("{mark} {fr}"));
        checks.push(Check { name: kind.name().to_owned(), ok });
    }
    Ok(())
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

fn write_page(options: &Options, results: &Results, broker: &broker_view::BrokerView) -> Result<PathBuf> {
    let file = match (&options.page, &options.keep) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => folder.join("exercise.html"),
        (None, None) => std::env::temp_dir().join("sutura-exercise.html"),
    };
    let units: Vec<(String, u64)> = results.units.iter().map(|unit| (unit.name.clone(), unit.records)).collect();
    let page = Page::new(&units, &results.overlaps, broker, &results.log, &results.checks, results.wall_seconds);
    std::fs::write(&file, page.render()?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn unit_result(found: &Found) -> UnitResult {
    UnitResult {
        name: found.name.clone(),
        records: found.records,
        tokens: found.tokens,
        points_sent: found.points_sent,
        points_evaluated: found.points_evaluated,
        seconds_cpu: found.seconds_cpu,
        peak_rss_mib: found.peak_rss_mib,
    }
}
