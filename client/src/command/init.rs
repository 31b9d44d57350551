//! `sutura init`: makes a unit's home, its vault and its keys (R5).
//!
//! Nothing leaves the machine. *Not here:* joining a federation.

use super::context::PASSPHRASE_FILE;
use super::{CommandError, Context, Exit};
use crate::membership::found;
use crate::say;
use crate::vault::{Hashing, Vault, VaultError};
use getrandom::SysRng;
use protocol::name::UnitName;
use rand_core::{CryptoRng, UnwrapErr};
use serde_json::json;

/// The shortest passphrase that a new vault or officer takes, in characters.
pub(super) const SHORTEST: usize = 8;

/// `sutura init --unit NAME`
#[derive(clap::Args)]
pub struct Args {
    /// The unit's short name.
    #[arg(long, value_name = "NAME")]
    unit: UnitName,
    /// The unit's full title.
    #[arg(long, value_name = "TITLE")]
    title: Option<String>,
    /// For exercises: a passphrase that costs nothing to guess.
    #[arg(long)]
    weak_passphrase_hashing: bool,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let title = args.title.unwrap_or_else(|| args.unit.to_string());
    if title.is_empty() || title.len() > 200 {
        return Err(CommandError::told(Exit::Usage, "error-init-title", &[]));
    }
    let mut rng = UnwrapErr(SysRng);
    let vault = match vault(args.weak_passphrase_hashing, context, &mut rng).await? {
        Some(vault) => vault,
        None => return Err(VaultError::Exists(context.home.vault()).into()),
    };
    found(&vault, &args.unit, &title, &mut rng).await?;
    vault.scrub().await?;
    let home = context.home.path().display().to_string();
    if context.json {
        context.give(&json!({ "unit": args.unit.as_str(), "title": title, "home": home }));
    } else {
        let text = say!(context.messages, "init-done", unit = args.unit.as_str(), home = home);
        context.terminal.data(&text);
    }
    Ok(Exit::Done)
}

/// A vault without a unit: a new one, or one that an interrupted `init` left behind. None: it has its unit.
async fn vault(weak: bool, context: &Context, rng: &mut impl CryptoRng) -> Result<Option<Vault>, CommandError> {
    let path = context.home.vault();
    if path.exists() {
        let vault = context.open_vault().await?;
        return Ok(if vault.count("unit").await? == 0 { Some(vault) } else { None });
    }
    let passphrase = context.new_passphrase(PASSPHRASE_FILE, "passphrase-new")?;
    if passphrase.expose_secret().chars().count() < SHORTEST {
        return Err(CommandError::told(Exit::Usage, "error-init-short", &[("shortest", &SHORTEST.to_string())]));
    }
    let hashing = if weak { Hashing::WEAK_FOR_EXERCISES } else { Hashing::STRONG };
    if weak {
        context.tell("init-weak", &[]);
    }
    context.home.make()?;
    Ok(Some(Vault::create(&path, &passphrase, hashing, rng).await?))
}
