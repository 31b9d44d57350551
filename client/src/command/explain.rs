//! `sutura explain`: what would leave this machine, what others would learn of it, and what never leaves.
//!
//! Read before anything is sent. *Not here:* sending. What each peer has been sent is `sutura status`.

use super::{CommandError, Context, Exit, accord_in_force, rules_of};
use crate::register::{Register, StoredToken};
use crate::say;
use crate::terminal::printable;
use identifier::{Kind, Rules};
use serde_json::{Value, json};

/// Opening requests and first tag sets are padded to a multiple of this (R12, R15).
const PADDED_TO: u64 = 256;

/// `sutura explain [--record REFERENCE]`
#[derive(clap::Args)]
pub struct Args {
    /// Shows the canonical forms of one of the unit's own records.
    #[arg(long, value_name = "REFERENCE")]
    record: Option<String>,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let register = Register::new(vault.clone());
    let accord = accord_in_force(&vault).await?;
    let terms = accord.as_ref().map(|accord| accord.terms());
    let rules = terms.map_or(Ok(Rules::default()), |terms| rules_of(&terms.identifiers))?;
    let current = register.is_under(&rules).await?;
    let counts = register.counts().await?;
    let tokens = counts.all_tokens();
    let padded = tokens.div_ceil(PADDED_TO) * PADDED_TO;
    let forms = match &args.record {
        None => None,
        Some(reference) => match register.by_reference(reference).await? {
            Some(full) => Some(full.record),
            None => {
                return Err(CommandError::told(Exit::Refused, "error-no-record", &[("record", &printable(reference))]));
            }
        },
    };
    if context.json {
        let by_kind: Vec<Value> = counts
            .tokens
            .iter()
            .map(|((kind, tier), count)| json!({ "kind": kind.name(), "tier": tier.to_string(), "tokens": count }))
            .collect();
        let record = forms.as_ref().map(|record| {
            let shown: Vec<Value> = record.tokens.iter().map(form).collect();
            json!({ "record": record.reference.as_str(), "restricted": record.restricted, "tokens": shown })
        });
        context.give(&json!({
            "records": counts.records, "restricted": counts.restricted, "tokens": tokens, "by_kind": by_kind,
            "padded_points": padded, "under_the_rules_in_force": current, "record": record,
            "points_per_request": terms.map(|terms| terms.requests.small),
            "leaves_per_tick": terms.map(|terms| terms.tag_sets.small),
            "guesses_allowed_per_peer_and_epoch": terms.map(|terms| terms.quota()),
        }));
        return Ok(Exit::Done);
    }
    let messages = &context.messages;
    let data = |text: String| context.terminal.data(&text);
    data(say!(messages, "explain-register", records = counts.records, restricted = counts.restricted, tokens = tokens));
    let kinds = counts.tokens.iter().map(|((kind, tier), count)| {
        vec![kind_name(*kind), tier.to_string(), count.to_string(), kind.guess_bits().to_string()]
    });
    context.show_table(&["column-kind", "column-tier", "column-tokens", "column-guess-bits"], kinds);
    for key in ["explain-leaves", "explain-peers", "explain-broker", "explain-never"] {
        data(String::new());
        data(say!(messages, key, tokens = tokens, padded = padded));
    }
    data(String::new());
    match terms {
        None => data(messages.text("explain-no-accord")),
        Some(terms) => data(say!(
            messages,
            "explain-accord",
            title = printable(&terms.title),
            points = terms.requests.small,
            every = terms.requests.every,
            leaves = terms.tag_sets.small,
            quota = terms.quota()
        )),
    }
    if !current {
        context.tell("explain-other-rules", &[]);
    }
    if let Some(record) = forms {
        data(String::new());
        data(say!(messages, "explain-record", record = printable(&record.reference)));
        let rows = record
            .tokens
            .iter()
            .map(|token| vec![kind_name(token.kind), token.tier.to_string(), token.expose_canonical().to_string()]);
        context.show_table(&["column-kind", "column-tier", "column-form"], rows);
    } else {
        context.tell("explain-hint", &[]);
    }
    Ok(Exit::Done)
}

fn form(token: &StoredToken) -> Value {
    json!({ "kind": token.kind.name(), "tier": token.tier.to_string(), "form": token.expose_canonical().as_str() })
}

fn kind_name(kind: Kind) -> String {
    kind.name().to_owned()
}
