//! `sutura records`: the unit's own register, on the unit's own screen.
//!
//! *Not here:* anything of other units.

use super::{CommandError, Context, Exit};
use crate::register::{Register, StoredRecord};
use crate::terminal::printable;
use serde_json::json;
use std::collections::BTreeMap;

/// `sutura records [REFERENCE]`
#[derive(clap::Args)]
pub struct Args {
    /// One record.
    #[arg(value_name = "REFERENCE")]
    reference: Option<String>,
    /// From which number on.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// How many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let register = Register::new(vault);
    match args.reference {
        Some(reference) => one(&register, &reference, context).await,
        None => some(&register, args.after, args.limit, context).await,
    }
}

async fn some(register: &Register, after: u64, limit: usize, context: &Context) -> Result<Exit, CommandError> {
    let counts = register.counts().await?;
    let mut records: Vec<StoredRecord> = Vec::new();
    let mut last = after;
    loop {
        let change = register.load_some_after(last, limit.saturating_sub(records.len()).max(1)).await?;
        last = change.last;
        records.extend(change.added);
        if !change.more || records.len() >= limit {
            break;
        }
    }
    records.truncate(limit);
    let next = if records.len() == limit { records.last().map(|record| record.serial) } else { None };
    if context.json {
        let listed: Vec<_> = records
            .iter()
            .map(|record| {
                let (reference, restricted) = (record.reference.as_str(), record.restricted);
                json!({ "number": record.serial, "record": reference, "restricted": restricted, "tokens": kinds(record) })
            })
            .collect();
        context.give(&json!({ "records": counts.records, "listed": listed, "next": next }));
        return Ok(Exit::Done);
    }
    let rows = records.iter().map(|record| {
        let kinds: Vec<String> = kinds(record).iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let (number, reference) = (record.serial.to_string(), record.reference.to_string());
        vec![number, reference, context.yes_or_no(record.restricted), kinds.join(", ")]
    });
    context.show_table(&["column-number", "column-record", "column-restricted", "column-tokens"], rows);
    context.tell("records-of", &[("shown", records.len().into()), ("records", counts.records.into())]);
    if let Some(next) = next {
        context.tell("records-next", &[("next", next.into())]);
    }
    Ok(Exit::Done)
}

async fn one(register: &Register, reference: &str, context: &Context) -> Result<Exit, CommandError> {
    let Some(full) = register.by_reference(reference).await? else {
        return Err(CommandError::told(Exit::Refused, "error-no-record", &[("record", &printable(reference))]));
    };
    let record = &full.record;
    if context.json {
        let cells: Vec<_> = full.cells.iter().map(|cell| json!([cell.column, cell.text.as_str()])).collect();
        let tokens: Vec<_> = record
            .tokens
            .iter()
            .map(|token| {
                let (kind, tier) = (token.kind.name(), token.tier.to_string());
                json!({ "kind": kind, "tier": tier, "form": token.expose_canonical().as_str() })
            })
            .collect();
        context.give(&json!({
            "number": record.serial, "record": record.reference.as_str(), "restricted": record.restricted,
            "cells": cells, "tokens": tokens,
        }));
        return Ok(Exit::Done);
    }
    let cells = full.cells.iter().map(|cell| vec![cell.column.clone(), cell.text.to_string()]);
    context.show_table(&["column-column", "column-text"], cells);
    context.terminal.data("");
    let tokens = record
        .tokens
        .iter()
        .map(|token| vec![token.kind.to_string(), token.tier.to_string(), token.expose_canonical().to_string()]);
    context.show_table(&["column-kind", "column-tier", "column-form"], tokens);
    Ok(Exit::Done)
}

fn kinds(record: &StoredRecord) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    for token in &record.tokens {
        *kinds.entry(token.kind.name()).or_default() += 1;
    }
    kinds
}
