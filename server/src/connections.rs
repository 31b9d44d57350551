//! Live connections: how many there are, whose they are, and closing them (R8).
//!
//! A certificate is checked once, in the handshake; standing can change at any moment. So each connection knows its unit
//! from the first request on, each request looks at the unit's standing, and suspension closes the streams under it,
//! long polls included. Callers: [`crate::serve`] and [`crate::http`]. *Not here:* TLS.

use crate::metrics::Metrics;
use axum::http::Request;
use axum_server::accept::Accept;
use protocol::name::UnitName;
use std::collections::{BTreeSet, HashMap};
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections of one unit at a time.
const MAX_OF_ONE_UNIT: usize = 32;

/// All connections of a listener.
pub(crate) struct Connections {
    live: Mutex<HashMap<u64, Weak<Connection>>>,
    next: AtomicU64,
    permits: Arc<Semaphore>,
    broker: crate::Broker,
}

/// One connection.
pub(crate) struct Connection {
    id: u64,
    unit: OnceLock<UnitName>,
    closed: AtomicBool,
    waker: Mutex<Option<Waker>>,
    all: Weak<Connections>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Ends it: the next read or write fails, and whoever waits for one is woken.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
    }

    fn is_closed(&self, cx: &Context<'_>) -> bool {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        self.closed.load(Ordering::SeqCst)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(all) = self.all.upgrade() {
            all.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
            all.metrics().disconnected();
        }
    }
}

impl Connections {
    pub(crate) fn new(broker: crate::Broker, most: usize) -> Arc<Connections> {
        let permits = Arc::new(Semaphore::new(most));
        Arc::new(Connections { live: Mutex::default(), next: AtomicU64::new(0), permits, broker })
    }

    fn metrics(&self) -> &Metrics {
        self.broker.metrics()
    }

    fn open(self: &Arc<Self>) -> Option<Arc<Connection>> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection {
            id,
            unit: OnceLock::new(),
            closed: AtomicBool::new(false),
            waker: Mutex::default(),
            all: Arc::downgrade(self),
            _permit: permit,
        });
        self.live.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::downgrade(&connection));
        self.metrics().connected();
        Some(connection)
    }

    /// This connection is `unit`'s. `false` if the unit has too many.
    pub(crate) fn belongs(&self, connection: &Connection, unit: &UnitName) -> bool {
        if connection.unit.get() == Some(unit) {
            return true;
        }
        let others = self.alive();
        let count = others.iter().filter(|other| other.unit.get() == Some(unit)).count();
        count < MAX_OF_ONE_UNIT && connection.unit.set(unit.clone()).is_ok()
    }

    fn alive(&self) -> Vec<Arc<Connection>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade).collect()
    }

    /// Closes the connections of all units that are not in `admitted`.
    pub(crate) fn close_others(&self, admitted: &BTreeSet<UnitName>) {
        for connection in self.alive() {
            if connection.unit.get().is_some_and(|unit| !admitted.contains(unit)) {
                connection.close();
            }
        }
    }
}

/// Counts and wraps what the listener accepts, before TLS.
#[derive(Clone)]
pub(crate) struct Gate(pub(crate) Arc<Connections>);

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Guarded;
    type Service = Tagged<S>;
    type Future = Ready<io::Result<(Guarded, Tagged<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Some(connection) = self.0.open() else {
            return ready(Err(io::Error::other("too many connections")));
        };
        // Small answers should not wait for more.
        let _ = stream.set_nodelay(true);
        ready(Ok((Guarded { stream, connection: connection.clone() }, Tagged { service, connection })))
    }
}

/// A stream that can be closed from elsewhere.
pub(crate) struct Guarded {
    stream: TcpStream,
    connection: Arc<Connection>,
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed by the broker")
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.connection.is_closed(cx) {
            return Poll::Ready(Err(closed()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.connection.is_closed(cx) {
            return Poll::Ready(Err(closed()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A service whose requests carry their connection.
#[derive(Clone)]
pub(crate) struct Tagged<S> {
    service: S,
    connection: Arc<Connection>,
}

impl<S, B> tower::Service<Request<B>> for Tagged<S>
where
    S: tower::Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.extensions_mut().insert(self.connection.clone());
        self.service.call(request)
    }
}
