//! `sutura import`: reads a register into the vault.
//!
//! Nothing leaves the machine. *Not here:* reading (import.rs).

use super::error::cause;
use super::{CommandError, Context, Exit, rules_in_force};
use crate::home::Work;
use crate::import::{ImportOptions, ImportReport, import_file};
use crate::mapping::Mapping;
use crate::register::Register;
use crate::say;
use identifier::Country;
use std::path::PathBuf;

/// Faults shown as a table; all are in --json.
const SHOWN: usize = 50;

/// `sutura import FILE`
#[derive(clap::Args)]
pub struct Args {
    /// The register.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the file names its columns.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The country of national numbers.
    #[arg(long, value_name = "SN")]
    country: Option<Country>,
    /// The sheet of a workbook.
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop at the first fault.
    #[arg(long)]
    strict: bool,
    /// The file is the whole register.
    #[arg(long)]
    replace: bool,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let mut mapping = match &args.mapping {
        Some(path) => Mapping::load(path)?,
        None => Mapping::default(),
    };
    mapping.defaults.country = args.country.or(mapping.defaults.country);
    let vault = context.open_vault().await?;
    let _lock = context.lock(Work::Register)?;
    let rules = rules_in_force(&vault).await?;
    let options = ImportOptions {
        mapping,
        rules,
        dry_run: args.dry_run,
        strict: args.strict,
        replace: args.replace,
        sheet: args.sheet,
    };
    let report = {
        let bar = context.terminal.progress(0, &context.messages.text("import-working"));
        import_file(&vault, &args.file, &options, &mut |progress| {
            bar.set_total(progress.of_bytes);
            bar.set(progress.bytes);
        })
        .await?
    };
    vault.scrub().await?;
    if context.json {
        // How far the register has come: what a watching agent says of itself once it has taken this in.
        let serial = Register::new(vault.clone()).counts().await?.last;
        let mut given = serde_json::to_value(&report).unwrap_or_default();
        given["register_serial"] = serial.into();
        context.give(&given);
    } else {
        show(&report, context);
    }
    let nothing = report.rows == 0 || report.fallen == report.rows;
    Ok(if nothing { Exit::Refused } else { Exit::Done })
}

fn show(report: &ImportReport, context: &Context) {
    let messages = &context.messages;
    if !report.faults.is_empty() {
        let rows = report.faults.iter().take(SHOWN).map(|fault| {
            let place = match fault.place {
                Some(place) => format!("{} ({place})", fault.column),
                None => fault.column.clone(),
            };
            let falls = if fault.row_falls { messages.text("import-row-falls") } else { String::new() };
            let why = format!("{}{falls}", cause(fault.reason, messages));
            vec![report.file.clone(), fault.line.to_string(), place, fault.value.to_string(), why]
        });
        context.show_table(&["column-file", "column-line", "column-column", "column-value", "column-reason"], rows);
        let all: u64 = report.reasons.values().sum();
        if all > SHOWN as u64 {
            context.tell("import-more-faults", &[("more", (all - SHOWN as u64).into())]);
        }
    }
    if !report.unknown_columns.is_empty() {
        context.tell("import-unknown-columns", &[("columns", report.unknown_columns.join(", ").into())]);
    }
    if report.windows_1252 > 0 {
        context.tell("import-windows-1252", &[("cells", report.windows_1252.into())]);
    }
    if report.protected > 0 {
        context.tell("import-protected", &[("records", report.protected.into())]);
    }
    if report.joined > 0 {
        context.tell("import-joined", &[("rows", report.joined.into())]);
    }
    if report.renormalised > 0 {
        context.tell("import-renormalised", &[("records", report.renormalised.into())]);
    }
    let done = if report.dry_run { "import-dry-run" } else { "import-done" };
    context.terminal.data(&say!(
        messages,
        done,
        rows = report.rows,
        added = report.added,
        changed = report.replaced + report.amended,
        unchanged = report.unchanged,
        removed = report.removed,
        fallen = report.fallen,
        seconds = format!("{:.1}", report.seconds)
    ));
}
