//! `sutura join`: asks the broker of an invite to let this unit in (R6).
//!
//! *Not here:* whom to trust: see `sutura peers verify`.

use super::{CommandError, Context, Exit};
use crate::broker::Patience;
use crate::membership::{Membership, MembershipError};
use crate::say;
use protocol::invite::Invite;
use serde_json::json;

/// `sutura join INVITE`
#[derive(clap::Args)]
pub struct Args {
    /// The invite.
    #[arg(value_name = "INVITE")]
    invite: String,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let invite: Invite = args.invite.parse().map_err(|_| CommandError::told(Exit::Usage, "error-invite", &[]))?;
    let vault = context.open_vault().await?;
    let federation = invite.federation.clone();
    let mut membership = Membership::load(&vault).await?;
    membership.join(&vault, invite, Patience::default()).await?;
    // The operator may have admitted the unit already.
    let admitted = match membership.complete(&vault, Patience::default()).await {
        Ok(()) => true,
        Err(MembershipError::NotAdmitted) => false,
        Err(error) => return Err(error.into()),
    };
    if context.json {
        context.give(&json!({ "federation": federation, "admitted": admitted }));
    } else {
        let key = if admitted { "join-admitted" } else { "join-waiting" };
        context.terminal.data(&say!(context.messages, key, federation = federation));
    }
    Ok(Exit::Done)
}
