//! The registers that a federation imports: invented, or brought by the user.
//!
//! Caller: the story; both kinds of federation read an [`Input`]. *Not here:* what is invented ([`crate::registers`]).

use crate::options::Options;
use crate::registers::{Invented, UNITS, invent};
use crate::teller::Teller;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Registers to be imported, in order of the units' names.
pub struct Input {
    /// Name, title, file.
    pub units: Vec<(String, String, PathBuf)>,
    /// How all of them name their columns.
    pub mapping: Option<PathBuf>,
    /// Further registers of the same units.
    pub then: BTreeMap<String, PathBuf>,
}

/// Invents the registers, or finds those that the options name.
pub fn input(options: &Options, folder: &Path, teller: &Teller) -> Result<(Input, Option<Invented>)> {
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
                &format!("Sept unités avec des registres inventés de {count} fiches chacun"),
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
