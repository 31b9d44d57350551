//! `sutura sync`: all that is due: requests, evaluations, tag sets, notices, acknowledgements, checkpoints (R12 to R27).
//!
//! Once, or with `--watch` until it is stopped. *Not here:* what is due (the agent).

use super::error::broker_exit;
use super::{CommandError, Context, Exit};
use crate::agent::Event;
use crate::broker::Patience;
use crate::home::Work;
use crate::membership::MembershipError;
use crate::say;
use crate::session::{Session, SessionError, system_clock};
use serde_json::json;
use std::time::Duration;

/// The longest pause of a watching unit whose broker cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// `sutura sync [--watch]`
#[derive(clap::Args)]
pub struct Args {
    /// Goes on until it is stopped.
    #[arg(long)]
    watch: bool,
    /// Goes on until everything is compared.
    #[arg(long, conflicts_with = "watch")]
    until_settled: bool,
}

/// Runs it.
pub async fn run(args: Args, context: &Context) -> Result<Exit, CommandError> {
    let vault = context.open_vault().await?;
    let _lock = context.lock(Work::Agent)?;
    let mut session = Session::open(vault.clone(), system_clock()).await?;
    if args.watch || args.until_settled {
        return watch(&mut session, &args, context).await;
    }
    session.connect(Patience::default()).await?;
    let round = session.sync().await;
    tell(&mut session, context);
    let round = round?;
    vault.scrub().await?;
    if context.json {
        context.give(&progress(&session));
    } else {
        let (sent, received) = (round.sent, round.received);
        context.terminal.data(&say!(context.messages, "sync-done", sent = sent, received = received));
    }
    Ok(Exit::Done)
}

/// Rounds until the process is told to stop. A broker that is away is waited for; a log with two histories ends it.
async fn watch(session: &mut Session, args: &Args, context: &Context) -> Result<Exit, CommandError> {
    let mut pause = Duration::from_secs(1);
    let mut connected = false;
    let mut said = None;
    let mut stop = std::pin::pin!(stopped());
    loop {
        let round = async {
            if !connected {
                session.connect(Patience { tries: 1, ..Patience::default() }).await?;
            }
            let wait = session.until_next_tick();
            session.round(wait).await
        };
        let round = tokio::select! {
            round = round => round,
            () = &mut stop => return Ok(Exit::Done),
        };
        tell(session, context);
        match round {
            Ok(_) => {
                (connected, pause) = (true, Duration::from_secs(1));
                let settled = (session.agent().is_settled(), session.register_serial());
                if context.json && said != Some(settled) {
                    context.terminal.data(&progress(session).to_string());
                }
                said = Some(settled);
                if settled.0 && args.until_settled {
                    return Ok(Exit::Done);
                }
            }
            Err(error) if is_away(&error) => {
                context.tell("sync-waiting", &[("seconds", pause.as_secs().into())]);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(SessionError::NotNow { .. }) => tokio::time::sleep(pause).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether the broker is out of reach for now: what a watching unit waits for.
fn is_away(error: &SessionError) -> bool {
    match error {
        SessionError::Broker(error) | SessionError::Membership(MembershipError::Broker(error)) => {
            broker_exit(error) == Exit::Unreachable
        }
        SessionError::Membership(MembershipError::NotAdmitted) => true,
        _ => false,
    }
}

async fn stopped() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

/// What happened, for people; programs ask `status`.
fn tell(session: &mut Session, context: &Context) {
    for event in session.take_events() {
        context.terminal.message(&words(&event, context));
    }
}

/// An event in words.
pub(super) fn words(event: &Event, context: &Context) -> String {
    let peer = event.peer().map_or("", |peer| peer.as_str());
    let detail = super::overlap::words::detail(event.code(), &event.detail(), &context.messages);
    say!(context.messages, &format!("event-{}", event.code()), peer = peer, detail = detail)
}

/// Where the unit stands, for programs that watch it.
fn progress(session: &Session) -> serde_json::Value {
    let (view, timings, traffic) = (session.agent().view(), session.timings(), session.traffic());
    json!({
        "unit": view.unit.as_str(),
        "settled": session.agent().is_settled(),
        "tick": view.tick,
        "register_serial": session.register_serial(),
        "records": view.records,
        "tokens": view.tokens,
        "points_sent": view.points_sent,
        "points_evaluated": view.points_evaluated,
        "overlaps": session.agent().overlap_count(),
        "not_taken": session.not_taken(),
        "log": { "size": view.log_size, "root": view.log_root.to_string() },
        "phases": {
            "blind": timings.blind, "evaluate": timings.evaluate,
            "unblind": timings.unblind, "confirm": timings.confirm,
        },
        "bytes": { "sent": traffic.sent, "received": traffic.received },
    })
}
