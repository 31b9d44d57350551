//! One call over HTTP: sent, timed, repeated if that is harmless, and its answer read within a limit (R24, R34, R35).
//!
//! Every call of the mailbox may be repeated but the one that joins: an envelope, a frame or a cosignature that arrives
//! twice gives the same answer again. So a cut is answered by a pause and another try, until [`Patience`] ends.
//! Callers: the other files of this room. *Not here:* what is asked, and what the answer says.

use super::error::{BrokerError, Outage};
use super::problem;
use super::traffic::{Counters, Traffic};
use bytes::Bytes;
use protocol::codec;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode, Url};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEP_ALIVE_WAIT: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a client waits, and how often it tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// For a connection, handshake included.
    pub connecting: Duration,
    /// For the next piece of an answer, beyond the wait that was asked for. It covers sending the request, of which no
    /// piece is above 80 KiB: a link of 64 kbit/s needs 10 seconds for it.
    pub silence: Duration,
    /// Tries in all, at least 1.
    pub tries: u32,
    /// Before the second try; doubled before each further one, up to 10 seconds.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            connecting: Duration::from_secs(30),
            silence: Duration::from_secs(90),
            tries: 6,
            pause: Duration::from_millis(250),
        }
    }
}

/// What is asked.
pub(super) struct Call {
    pub method: Method,
    /// Path and query, made of numbers and hexadecimal only.
    pub path: String,
    pub body: Option<(Bytes, Media)>,
    /// What the answer is called in errors, and the most bytes it may have.
    pub answer: (&'static str, usize),
    /// How long the broker was asked to wait.
    pub wait: Duration,
    /// Whether it may be repeated when it may have arrived.
    pub repeatable: bool,
}

/// What a request's body is.
#[derive(Clone, Copy)]
pub(super) enum Media {
    Cbor,
    Frame,
    Text,
}

impl Call {
    pub(super) fn get(path: String, answer: (&'static str, usize)) -> Self {
        Call { method: Method::GET, path, body: None, answer, wait: Duration::ZERO, repeatable: true }
    }

    pub(super) fn post(path: &str, body: Vec<u8>, media: Media, answer: (&'static str, usize)) -> Self {
        let body = Some((Bytes::from(body), media));
        Call { method: Method::POST, path: path.to_owned(), body, answer, wait: Duration::ZERO, repeatable: true }
    }
}

/// A good answer, whole.
pub(super) struct Answer {
    pub bytes: Vec<u8>,
    what: &'static str,
}

impl Answer {
    /// The canonical message that it is.
    pub(super) fn decode<T>(&self) -> Result<T, BrokerError>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        codec::decode(&self.bytes).map_err(|_| BrokerError::Malformed(self.what))
    }

    /// The text that it is.
    pub(super) fn text(self) -> Result<String, BrokerError> {
        String::from_utf8(self.bytes).map_err(|_| BrokerError::Malformed(self.what))
    }
}

/// The HTTP client of one broker.
pub(super) struct Exchange {
    http: Client,
    base: Url,
    patience: Patience,
    counters: Counters,
}

/// A try that failed.
struct Setback {
    error: BrokerError,
    /// Whether the request may have reached the broker.
    sent: bool,
    /// When the broker asks to come back.
    after: Option<Duration>,
}

impl Exchange {
    pub(super) fn new(address: &str, tls: rustls::ClientConfig, patience: Patience) -> Result<Self, BrokerError> {
        let base = base_url(address).ok_or(BrokerError::Setup("the address is not host and port"))?;
        let http = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .http2_prior_knowledge()
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(KEEP_ALIVE_EVERY)
            .http2_keep_alive_timeout(KEEP_ALIVE_WAIT)
            .http2_keep_alive_while_idle(true)
            .connect_timeout(patience.connecting)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(|_| BrokerError::Setup("the HTTP client cannot be made"))?;
        Ok(Exchange { http, base, patience, counters: Counters::default() })
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.counters.read()
    }

    /// Makes a call, again and again while that is harmless and may help.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, BrokerError> {
        let mut pause = self.patience.pause;
        let mut left = self.patience.tries.max(1);
        loop {
            left -= 1;
            let setback = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(setback) => setback,
            };
            let may_help = matches!(setback.error, BrokerError::Unreachable(_));
            if left == 0 || !may_help || (setback.sent && !call.repeatable) {
                return Err(setback.error);
            }
            tracing::debug!(path = call.path, error = %setback.error, "trying again");
            sleep(setback.after.unwrap_or_else(|| jittered(pause)).min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(&self, call: &Call) -> Result<Answer, Setback> {
        let silence = || Setback { error: BrokerError::Unreachable(Outage::Silence), sent: true, after: None };
        let request = self.request(call).map_err(|error| Setback { error, sent: false, after: None })?;
        let mut response = timeout(self.patience.silence.saturating_add(call.wait), request.send())
            .await
            .map_err(|_| silence())?
            .map_err(|error| Setback::from_http(&error))?;
        let status = response.status();
        let (what, limit) = if status.is_success() { call.answer } else { ("problem", problem::MAX_PROBLEM) };
        let too_large = || Setback { error: BrokerError::TooLarge(what), sent: true, after: None };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        loop {
            let next = timeout(self.patience.silence, response.chunk()).await.map_err(|_| silence())?;
            let Some(chunk) = next.map_err(|error| Setback { sent: true, ..Setback::from_http(&error) })? else {
                break;
            };
            self.counters.received(chunk.len());
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(Answer { bytes, what })
        } else {
            Err(Setback::from_status(status, response.headers(), &bytes))
        }
    }

    fn request(&self, call: &Call) -> Result<reqwest::RequestBuilder, BrokerError> {
        let url = self.base.join(&call.path).map_err(|_| BrokerError::Unsendable("no such path"))?;
        let request = self.http.request(call.method.clone(), url);
        Ok(match &call.body {
            None => request,
            Some((body, media)) => {
                self.counters.sent(body.len());
                request.header(CONTENT_TYPE, media.name()).body(body.clone())
            }
        })
    }
}

impl Media {
    fn name(self) -> &'static str {
        match self {
            Media::Cbor => "application/cbor",
            Media::Frame => "application/octet-stream",
            Media::Text => "text/plain; charset=utf-8",
        }
    }
}

impl Setback {
    fn from_http(error: &reqwest::Error) -> Self {
        Setback { error: BrokerError::from_http(error), sent: !error.is_connect(), after: None }
    }

    fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let error = match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => BrokerError::Unreachable(Outage::Busy(status.as_u16())),
            _ => problem::refusal(status.as_u16(), body),
        };
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Setback { error, sent: true, after: seconds.map(Duration::from_secs) }
    }
}

/// Half of `pause`, and a random part of the other half: units that were cut off together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX);
    pause / 2 + (pause / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// `https://host:port/`, if `address` is host and port and nothing else.
fn base_url(address: &str) -> Option<Url> {
    let fits = !address.is_empty() && address.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b));
    if !fits {
        return None;
    }
    let url = Url::parse(&format!("https://{address}/")).ok()?;
    url.host().is_some().then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_and_nothing_else() {
        for good in ["127.0.0.1:7443", "[::1]:7443", "broker.example:7443", "broker.example"] {
            assert!(base_url(good).is_some(), "{good}");
        }
        for bad in
            ["", "a b:1", "host:99999", "user@host:1", "host:1/path", "host?x", "http://host", "[::1:7443", "é:1"]
        {
            assert!(base_url(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_pause_is_never_longer_than_it_says_nor_shorter_than_half() {
        let pause = Duration::from_millis(800);
        for _ in 0..100 {
            assert!((pause / 2..=pause).contains(&jittered(pause)));
        }
    }
}
