//! `sutura`: one unit's side of a federation, on the command line.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(client::command::run(std::env::args_os()));
    // A thread that still waits for a passphrase or the network must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(exit.into())
}
