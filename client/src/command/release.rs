//! `sutura release`: officers let peers know of a restricted record (R17).
//!
//! *Not here:* anything of the record itself: only that its tokens met becomes known.

use super::{CommandError, Context, Exit};
use crate::home::Work;
use crate::say;
use crate::session::{Session, system_clock};
use crate::terminal::printable;
use getrandom::SysRng;
use rand_core::UnwrapErr;

/// `sutura release REFERENCE`
#[derive(clap::Args)]
pub struct Args {
    /// The record.
    #[arg(value_name = "REFERENCE")]
    reference: String,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let _lock = context.lock(Work::Agent)?;
    let mut session = Session::open(vault, system_clock()).await?;
    let shown = printable(&args.reference);
    let Some(name) = session.name_of(args.reference.trim()) else {
        return Err(CommandError::told(Exit::Refused, "error-no-record", &[("record", &shown)]));
    };
    session.act(|agent, now| agent.release_record(name, now, &mut UnwrapErr(SysRng))).await?;
    context.terminal.data(&say!(context.messages, "release-done", record = shown));
    Ok(Exit::Done)
}
