//! `sutura audit`: verifies what was disclosed, offline, and says it: from the unit's own home, or from an exported bundle.
//!
//! *Not here:* the verification ([`crate::audit`]), and the wording of the report (`text`).

mod text;

use super::{CommandError, Context, Exit};
use crate::audit::{self, Finding, MAX_FILE, Report, SignedBundle};
use crate::session::{Session, system_clock};
use crate::terminal::printable;
use protocol::overlap::Handle;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// `sutura audit`
#[derive(clap::Args)]
pub struct Args {
    /// Writes the bundle for an auditor.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Reads a bundle; no home is needed.
    #[arg(long, value_name = "FILE", conflicts_with = "export")]
    bundle: Option<PathBuf>,
    /// One overlap only.
    #[arg(long, value_name = "ID")]
    overlap: Option<String>,
    /// A fingerprint that must be there.
    #[arg(long, value_name = "FINGERPRINT")]
    trust: Vec<String>,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let signed = match &args.bundle {
        Some(path) => match read(path)? {
            Ok(signed) => signed,
            Err(error) => {
                let variables = [("path", printable(&path.display().to_string())), ("code", error.code().to_owned())];
                let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
                return Err(CommandError::told(Exit::VerificationFailed, "error-bundle", &variables));
            }
        },
        None => from_home(args.overlap.as_deref(), context).await?,
    };
    let mut report = audit::verify(&signed);
    for wanted in &args.trust {
        let same = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
        let wanted = same(wanted);
        if !report.keys.iter().any(|key| same(&key.fingerprint) == wanted) {
            report.findings.push(Finding { code: "key-not-trusted".to_owned(), place: wanted });
            report.verified = false;
        }
    }
    if let (Some(id), true) = (&args.overlap, args.bundle.is_some()) {
        only(&mut report, id)?;
    }
    if let Some(path) = &args.export {
        write(path, &signed.encode())?;
        context.tell("audit-exported", &[("path", path.display().to_string().into())]);
    }
    if context.json {
        context.give(&report);
    } else {
        context.terminal.data(&text::write(&report, &context.messages));
    }
    Ok(if report.verified { Exit::Done } else { Exit::VerificationFailed })
}

async fn from_home(overlap: Option<&str>, context: &Context) -> Result<SignedBundle, CommandError> {
    let vault = context.open_vault().await?;
    let clock = system_clock();
    let now_ms = clock();
    let session = Session::open(vault.clone(), clock).await?;
    let handle = match overlap {
        None => None,
        Some(id) => {
            let known = session.agent().cases().map(|(_, case)| *case.handle());
            let found: Vec<Handle> = known.filter(|handle| begins(&handle.to_string(), id)).collect();
            let [handle] = found[..] else { return Err(no_overlap(id)) };
            Some(handle)
        }
    };
    Ok(audit::gather(&vault, &session, handle.as_ref(), now_ms).await?)
}

/// Shows the disclosures of one overlap; what does not verify, and what must be looked at, is shown of all.
fn only(report: &mut Report, id: &str) -> Result<(), CommandError> {
    if !report.disclosures.iter().any(|disclosure| begins(&disclosure.overlap, id)) {
        return Err(no_overlap(id));
    }
    report.disclosures.retain(|disclosure| begins(&disclosure.overlap, id));
    Ok(())
}

fn begins(handle: &str, id: &str) -> bool {
    id.len() >= 4 && handle.starts_with(&id.to_ascii_lowercase())
}

fn no_overlap(id: &str) -> CommandError {
    CommandError::told(Exit::Refused, "error-no-overlap", &[("id", &printable(id))])
}

fn file(path: &Path, error: &std::io::Error) -> CommandError {
    let (path, why) = (path.display().to_string(), error.to_string());
    CommandError::told(Exit::Refused, "error-file", &[("path", &path), ("why", &why)])
}

fn read(path: &Path) -> Result<Result<SignedBundle, audit::BundleError>, CommandError> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(|error| file(path, &error))?;
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| file(path, &error))?;
    if bytes.len() as u64 > MAX_FILE {
        return Ok(Err(audit::BundleError::Malformed));
    }
    Ok(SignedBundle::decode(&bytes))
}

/// A new file, for this user only: what officers said is nobody else's business. An older one is never overwritten.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut out| {
        out.write_all(bytes)?;
        out.sync_all()
    });
    written.map_err(|error| file(path, &error))
}
