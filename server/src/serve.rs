//! The broker behind TLS: listener, limits, ticks, and an orderly end.
//!
//! Listener, clock and the signal to stop are arguments, so that a whole federation can run in one process. Callers: the
//! command `serve`, tests and the exercise. *Not here:* routes ([`crate::http`]).

use crate::agreement::members;
use crate::authority::AuthorityError;
use crate::broker::Broker;
use crate::connections::{Connections, Gate};
use crate::http::{self, Clock, Served, Turns};
use crate::store::StoreError;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const HANDSHAKE: Duration = Duration::from_secs(10);
const FIRST_REQUEST: Duration = Duration::from_secs(15);
const HEADERS: Duration = Duration::from_secs(30);
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const MAX_STREAMS: u32 = 64;
const MAX_HEADERS: u32 = 16_384;
/// How long requests under way may take to end.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often the store is asked what other processes changed, and the longest sleep between ticks.
const LOOK: Duration = Duration::from_millis(250);

/// Why serving ended, or could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket.
    #[error("the listener failed: {0}")]
    Listener(#[from] io::Error),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] AuthorityError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What may be set beside the necessary.
#[derive(Default)]
pub struct Options {
    /// A listener for health, metrics and the OpenAPI document, in plain HTTP: loopback only.
    pub local: Option<TcpListener>,
    /// Most connections at a time; 0: 800.
    pub max_connections: usize,
}

/// Serves until `shutdown` is done, then lets requests end.
pub async fn serve(
    broker: Broker,
    listener: TcpListener,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    serve_with(broker, listener, clock, Options::default(), shutdown).await
}

/// As [`serve`], with options.
pub async fn serve_with(
    broker: Broker,
    listener: TcpListener,
    clock: Clock,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let most = if options.max_connections == 0 { 800 } else { options.max_connections };
    let connections = Connections::new(broker.clone(), most);
    let (stop, stopping) = watch::channel(false);
    let served = Served {
        broker: broker.clone(),
        clock: clock.clone(),
        connections: connections.clone(),
        stopping: stopping.clone(),
        turns: Turns::default(),
    };
    let config = broker.authority().server_config(&hosts(&broker, &listener))?;
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(config)))
        .handshake_timeout(HANDSHAKE)
        .acceptor(Gate(connections.clone()));
    let handle = Handle::<SocketAddr>::new();
    let metrics = broker.clone();
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .handle(handle.clone())
        .first_request_timeout(FIRST_REQUEST)
        .accept_error_handler(move |_: Option<&SocketAddr>, _| metrics.metrics().handshake_failed());
    let builder = server.http_builder();
    builder.http1().header_read_timeout(HEADERS).max_buf_size(65_536);
    builder
        .http2()
        .adaptive_window(true)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);

    let ticking = tokio::spawn(tick_on(broker.clone(), clock, stopping.clone()));
    let looking = tokio::spawn(look_around(broker.clone(), connections, stopping.clone()));
    let local = match options.local {
        Some(listener) => {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let router = http::local_router(served.clone());
            let mut stopping = stopping;
            Some(tokio::spawn(async move {
                let stop = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
                axum::serve(listener, router).with_graceful_shutdown(stop).await
            }))
        }
        None => None,
    };
    let ending = handle.clone();
    let stopper = tokio::spawn(async move {
        shutdown.await;
        tracing::info!("stopping");
        let _ = stop.send(true);
        ending.graceful_shutdown(Some(FAREWELL));
    });
    let result = server.serve(http::router(served).into_make_service()).await;
    stopper.abort();
    ticking.abort();
    looking.abort();
    if let Some(local) = local {
        local.abort();
    }
    // Whatever they were in the middle of is undone, or done: transactions are whole.
    let _ = (ticking.await, looking.await);
    Ok(result?)
}

/// Under which names and addresses the certificate is good.
fn hosts(broker: &Broker, listener: &TcpListener) -> Vec<String> {
    let mut hosts = broker.settings().hosts.clone();
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    if let Ok(address) = listener.local_addr()
        && !address.ip().is_unspecified()
    {
        hosts.push(address.ip().to_string());
    }
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Calls what is due, again and again.
async fn tick_on(broker: Broker, clock: Clock, mut stopping: watch::Receiver<bool>) {
    loop {
        let now = clock();
        let pause = match broker.tick(now).await {
            Ok(done) => {
                let until = done.next_ms.map_or(LOOK, |next| Duration::from_millis(next.saturating_sub(clock())));
                until.clamp(Duration::from_millis(5), LOOK)
            }
            Err(error) => {
                tracing::error!(%error, "closing a tick failed; it is tried again");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}

/// Sees what other processes on the same database did: mail to deliver, units to cut off.
async fn look_around(broker: Broker, connections: Arc<Connections>, mut stopping: watch::Receiver<bool>) {
    let (mut size, mut roster) = (None, None);
    loop {
        let seen: Result<(), StoreError> = async {
            let (log, version) = broker.log_size_and_roster().await?;
            if size.replace(log) != Some(log) {
                broker.mail().wake_all();
            }
            if roster.replace(version) != Some(version) {
                connections.close_others(&members(&mut broker.store()).await?);
            }
            Ok(())
        }
        .await;
        if let Err(error) = seen {
            tracing::error!(%error, "the store does not answer");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
    }
}
