//! The story: founds, verifies, imports, matches, decides, tries each misbehaviour, and says what came of it.
//!
//! Caller: the binary. *Not here:* how each step is done.

use crate::audited;
use crate::broker_view;
use crate::in_process::{self, Account};
use crate::input::input;
use crate::misbehaviour;
use crate::options::Options;
use crate::page::Page;
use crate::played::Played;
use crate::processes;
use crate::registers::{Expected, Invented};
use crate::results::{BytesResult, Check, Found, Overlap, Phase, Results, UnitResult, join};
use crate::teller::Teller;
use anyhow::{Context, Result, bail};
use askama::Template;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

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
    // With registers that somebody brought there is nobody to decide: no officer of theirs sits here.
    let decide = invented.as_ref().filter(|_| !options.match_only);
    let account = if options.processes {
        processes::run(&options, &folder, &input, &teller).await?
    } else {
        in_process::run(&options, &folder, &input, decide, &teller).await?
    };
    let Account { found, broker, broker_view, log, mut phases, new_overlaps, played, audits } = account;

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
    let alarms = [
        "disputed",
        "disputed-by-peer",
        "match-disputed",
        "split-view",
        "over-quota",
        "refused",
        "rejected",
        "act-refused",
        "objection",
        "clock-ahead",
    ];
    let calm = found.iter().all(|f| f.events.iter().all(|event| !alarms.contains(&event.as_str())));
    checks.push(Check { name: "no unit raised an alarm".into(), ok: calm });
    checks.push(Check { name: "every unit witnessed the log".into(), ok: log.witnesses as usize == found.len() });
    if let Some(invented) = &invented {
        compare(invented, &overlaps, &mut checks);
    }
    tell_overlaps(&overlaps, new_overlaps, &teller);
    tell_outcomes(&played, &broker_view, &teller, &mut checks);
    if !audits.is_empty() {
        let ok = audited::shows(&audits, &played);
        checks.push(Check { name: "the audit of each unit's bundle shows every disclosure, and no other".into(), ok });
        let shown: usize = audits.iter().map(|one| one.report.disclosures.len()).sum();
        let mark = if ok { "✓" } else { "✗" };
        teller.say(
            &format!(
                "{mark} {} bundles audited offline: {} disclosures, each in both units' bundles",
                audits.len(),
                shown / 2
            ),
            &format!(
                "{mark} {} dossiers de preuves audités hors ligne : {} communications, chacune dans ceux des deux unités",
                audits.len(),
                shown / 2
            ),
        );
    }

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
        let file = write_page(&options, &results, &played, &broker_view)?;
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

fn compare(invented: &Invented, overlaps: &[Overlap], checks: &mut Vec<Check>) {
    let pick = |surfaced: bool| -> Expected {
        let side = |o: &Overlap, at: usize| (o.units[at].clone(), o.records[at].clone());
        overlaps.iter().filter(|o| o.surfaced == surfaced).map(|o| (side(o, 0), side(o, 1))).collect()
    };
    let ok = pick(true) == invented.surfaced;
    checks.push(Check { name: "officers see exactly the overlaps that were planted".into(), ok });
    let ok = pick(false).is_superset(&invented.below);
    checks.push(Check { name: "a name with a year of birth alone stays below the threshold".into(), ok });
}

fn tell_overlaps(overlaps: &[Overlap], new: Option<usize>, teller: &Teller) {
    let shown = overlaps.iter().filter(|overlap| overlap.surfaced).count();
    let below = overlaps.len() - shown;
    teller.say(
        &format!("{shown} overlaps shown to officers of both units, {below} below the threshold"),
        &format!("{shown} recoupements montrés aux officiers des deux unités, {below} sous le seuil"),
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

/// Each outcome, and that the broker has the same acts of it, and nothing beside them.
fn tell_outcomes(played: &[Played], broker: &broker_view::BrokerView, teller: &Teller, checks: &mut Vec<Check>) {
    for one in played {
        let (en, fr) = one.ending.story();
        let mark = if one.ok { "✓" } else { "✗" };
        teller.say(&format!("{mark} {en}"), &format!("{mark} {fr}"));
        checks.push(Check { name: one.ending.name().to_owned(), ok: one.ok });
    }
    if played.is_empty() {
        return;
    }
    let same = |one: &Played| {
        let seen = broker.cases.get(&one.handle).map(|case| case.events.iter());
        let acts = one.acts.iter().map(|act| (&act.unit, &act.event));
        seen.is_some_and(|seen| seen.map(|event| (&event.unit, &event.event)).eq(acts))
    };
    let ok = broker.cases.len() == played.len() && played.iter().all(same);
    checks.push(Check { name: "the broker refereed exactly the acts that both units read".into(), ok });
    let recalled = |one: &&Played| one.ending == crate::outcomes::Ending::Withdrawn;
    let gone = |one: &Played| broker.cases.get(&one.handle).is_some_and(|case| case.parts > 0 && case.parts_kept == 0);
    let ok = played.iter().filter(recalled).all(gone);
    checks.push(Check { name: "the broker destroyed the sealed parts of what was recalled".into(), ok });
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

fn write_page(
    options: &Options,
    results: &Results,
    played: &[Played],
    broker: &broker_view::BrokerView,
) -> Result<PathBuf> {
    let file = match (&options.page, &options.keep) {
        (Some(file), _) => file.clone(),
        (None, Some(folder)) => folder.join("exercise.html"),
        (None, None) => std::env::temp_dir().join("sutura-exercise.html"),
    };
    let units: Vec<(String, u64)> = results.units.iter().map(|unit| (unit.name.clone(), unit.records)).collect();
    let page =
        Page::new(&units, &results.overlaps, played, broker, &results.log, &results.checks, results.wall_seconds);
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
