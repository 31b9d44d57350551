//! What commands print on stdout: a table for people, JSON for programs.
//!
//! Caller: [`super`]. *Not here:* messages, which go to stderr.

use super::Speech;
use comfy_table::{Table, presets::NOTHING};
use protocol::invite::Invite;
use protocol::message::Standing;
use server::Status;
use server::membership::Unit;

pub fn invite(invite: &Invite, json: bool) {
    if json {
        let value = serde_json::json!({
            "invite": invite.to_string(), "unit": invite.unit.as_str(), "address": invite.address,
        });
        println!("{value}");
    } else {
        println!("{invite}");
    }
}

pub fn units(units: &[Unit], json: bool, speech: &Speech) {
    let standing = |unit: &Unit| match unit.standing {
        Some(Standing::Admitted) => "admitted",
        Some(Standing::Suspended) => "suspended",
        Some(Standing::Left) => "left",
        None => "waiting",
    };
    if json {
        let rows: Vec<_> = units
            .iter()
            .map(|unit| {
                serde_json::json!({
                    "name": unit.name.as_str(), "title": unit.title, "standing": standing(unit),
                    "sent": unit.sent, "received": unit.received,
                })
            })
            .collect();
        println!("{}", serde_json::Value::Array(rows));
        return;
    }
    if units.is_empty() {
        anstream::eprintln!("{}", speech.say("nobody", &[]));
        return;
    }
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["unit", "title", "standing", "sent", "received"].map(|name| speech.say(name, &[])));
    for unit in units {
        let standing = speech.say(&format!("standing-{}", standing(unit)), &[]);
        table.add_row([
            unit.name.to_string(),
            unit.title.clone(),
            standing,
            unit.sent.to_string(),
            unit.received.to_string(),
        ]);
    }
    println!("{table}");
}

pub fn status(status: &Status, json: bool, speech: &Speech) {
    if json {
        println!("{}", serde_json::to_string(status).unwrap_or_default());
        return;
    }
    let none = || speech.say("none", &[]);
    let (size, signed) = (status.log_size.to_string(), status.checkpoint_size.to_string());
    let rows = [
        ("status-federation", status.federation.clone()),
        ("status-id", status.federation_id.clone()),
        ("status-units", status.admitted.to_string()),
        ("status-waiting", status.waiting.to_string()),
        ("status-cases", status.cases.to_string()),
        ("status-log", speech.say("status-log-value", &[("size", &size), ("signed", &signed)])),
        ("status-witnesses", status.witnesses.to_string()),
        ("status-accord", status.accord.clone().unwrap_or_else(none)),
        ("status-epoch", status.epoch.map_or_else(none, |n| n.to_string())),
        ("status-tick", status.tick.map_or_else(none, |n| n.to_string())),
    ];
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (name, value) in rows {
        table.add_row([speech.say(name, &[]), value]);
    }
    println!("{table}");
}
