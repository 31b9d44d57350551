//! The command line of the exercise.
//!
//! Caller: the binary. *Not here:* what the options do.

use clap::Parser;
use std::path::PathBuf;

/// Founds a federation on this machine with real parts, lets its units find their overlaps, and shows what the broker
/// saw of it. Exits with 0 only if all that should happen did.
#[derive(Parser, Clone, Debug, Default)]
#[command(
    name = "sutura-exercise",
    version,
    after_help = "Examples:
  cargo exercise
  cargo exercise --units registers --match-only --json results.json
  cargo exercise --units registers --processes --then more --keep /tmp/federation"
)]
pub struct Options {
    /// Real input: each NAME.csv in DIR is unit NAME's register; DIR/mapping.toml is optional. Overlaps stay confirmed:
    /// nobody is there to decide
    #[arg(long, value_name = "DIR")]
    pub units: Option<PathBuf>,
    /// When all has settled, import these further registers of the same units, and go on
    #[arg(long, value_name = "DIR")]
    pub then: Option<PathBuf>,
    /// The broker and each unit as a process of its own, so that each one's memory shows
    #[arg(long)]
    pub processes: bool,
    /// Seed of the invented registers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Records of each invented register
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub records: usize,
    /// Everything stays on disk: DIR/broker, DIR/units/NAME
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Stop when all overlaps are confirmed
    #[arg(long)]
    pub match_only: bool,
    /// Write the results for programs to FILE
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The broker on PostgreSQL: URL of an empty database
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Leave it running for hand work, and say how to reach each part
    #[arg(long)]
    pub serve: bool,
    /// Language of the story: fr or en (else as the environment says)
    #[arg(long, value_name = "LANG")]
    pub lang: Option<String>,
    /// Where the page goes (else beside the federation, or in the current folder)
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
}
