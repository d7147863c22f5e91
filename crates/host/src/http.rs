//! Requests in: the HTTP/1.1 server in front of the application.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use restock_domain::trace;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::application::{Answer, Application, Response};
use crate::cache::random_hex;
use crate::host::stopped;

/// Connections open at one time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// Requests in progress at one time; further ones are answered 503.
const REQUESTS_MAX: usize = 768;
/// What a refused client is asked to wait.
const RETRY_AFTER_SECONDS: u32 = 1;
/// How long a client may take to send the head of a request, and to begin the next one on an open connection.
const HEAD_MS_MAX: u64 = 60_000;
/// The head of a request.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long to wait after a connection could not be accepted, for example for lack of file descriptors.
const ACCEPT_PAUSE_MS: u64 = 50;
/// The longest request id that is taken over from a client.
const REQUEST_ID_CHARS_MAX: usize = 128;

/// Carries a request's id in both directions.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A server that listens.
pub(crate) struct Server {
    listener: TcpListener,
    shared: Shared,
    stop: watch::Receiver<bool>,
}

#[derive(Clone)]
struct Shared {
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

/// Waits for what a server has in progress.
#[derive(Clone)]
pub(crate) struct Drain(Shared);

impl Drain {
    /// Waits until no connection is left.
    pub(crate) async fn wait(&self) {
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        // An error would mean that the semaphore is closed, which nobody does.
        let _ = self.0.connections.acquire_many(all).await;
    }
}

impl Server {
    /// Listens at `address`. `stop` turns true when no more connections shall be accepted.
    pub(crate) async fn bind(address: SocketAddr, stop: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                anyhow::anyhow!(
                    "{address} is in use: stop what listens there, or choose another address with --listen"
                )
            }
            _ => anyhow::Error::from(error).context(format!("listening at {address}")),
        })?;
        let shared = Shared {
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        };
        Ok(Self { listener, shared, stop })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.listener.local_addr().context("reading the address of the listener")
    }

    /// A handle for waiting until all is answered.
    pub(crate) fn drain(&self) -> Drain {
        Drain(self.shared.clone())
    }

    /// Accepts connections for the application until told to stop.
    pub(crate) async fn run(mut self, application: Arc<Application>) {
        loop {
            let Ok(permit) = Arc::clone(&self.shared.connections).acquire_owned().await else { return };
            let accepted = tokio::select! {
                () = stopped(&mut self.stop) => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, client)) => {
                    let connection = Arc::new(Served {
                        application: Arc::clone(&application),
                        requests: Arc::clone(&self.shared.requests),
                        client,
                    });
                    let stop = self.stop.clone();
                    tokio::spawn(async move {
                        serve(connection, stream, stop).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }
}

/// One connection's way to the application.
struct Served {
    application: Arc<Application>,
    requests: Arc<Semaphore>,
    client: SocketAddr,
}

async fn serve(connection: Arc<Served>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
    // Answers without a content length are written in two pieces, which Nagle's algorithm would hold back.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(move |request| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(connection.handle(request).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEAD_MS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .pipeline_flush(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let result = tokio::select! {
        result = serving.as_mut() => result,
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

impl Served {
    async fn handle(&self, request: http::Request<Incoming>) -> http::Response<WasiBody> {
        let start = Instant::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let id = request_id(request.headers().get(REQUEST_ID));
        let trace = trace_id(request.headers());
        let (component, mut response) = match Arc::clone(&self.requests).try_acquire_owned() {
            Ok(permit) => self.answer(request, &id, permit).await,
            Err(_) => (None, busy()),
        };
        response.headers_mut().insert(REQUEST_ID, id.clone());
        log(&method, &path, response.status(), start, component.as_deref(), &id, trace);
        response
    }

    async fn answer(
        &self,
        request: http::Request<Incoming>,
        id: &HeaderValue,
        permit: OwnedSemaphorePermit,
    ) -> (Option<String>, http::Response<WasiBody>) {
        let Some(request) = absolute(request, id) else { return (None, plain(StatusCode::BAD_REQUEST, "")) };
        match self.application.answer(request, self.client).await {
            Answer::NotFound => (None, plain(StatusCode::NOT_FOUND, "")),
            Answer::Own(text) => (None, plain(StatusCode::OK, text)),
            Answer::From(component, Ok(response)) => {
                let response = response.map(|body| Held { body, _permit: permit }.boxed_unsync());
                (Some(component), response)
            }
            Answer::From(component, Err(error)) => {
                let response = failed(&component, id, &error);
                (Some(component), response)
            }
        }
    }
}

/// The request as a component gets it: with an absolute address, its id, and without what concerns this connection.
fn absolute(mut request: http::Request<Incoming>, id: &HeaderValue) -> Option<http::Request<WasiBody>> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    let named: Option<Authority> = match request.headers().get(header::HOST) {
        Some(host) => Some(host.to_str().ok()?.parse().ok()?),
        None => None,
    };
    let authority = match (named, parts.authority.take()) {
        (Some(named), Some(authority)) if named != authority => return None,
        (Some(authority), _) | (None, Some(authority)) => authority,
        (None, None) => return None,
    };
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    parts.path_and_query.get_or_insert_with(|| http::uri::PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    request.headers_mut().remove(header::CONNECTION);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    Some(request.map(|body| body.map_err(Error::from).boxed_unsync()))
}

/// The client's id for the request if it is well formed, else a new one.
pub(crate) fn request_id(given: Option<&HeaderValue>) -> HeaderValue {
    let sound = |id: &&HeaderValue| {
        let id = id.as_bytes();
        (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
            && id.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b':'))
    };
    given.filter(sound).cloned().unwrap_or_else(|| {
        random_hex().ok().and_then(|id| id.parse().ok()).unwrap_or(HeaderValue::from_static("unknown"))
    })
}

/// The trace that a client says its request is part of, for the log. Components begin one themselves where there is none.
fn trace_id(headers: &HeaderMap) -> Option<trace::TraceId> {
    let mut values = headers.get_all(trace::TRACEPARENT).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    trace::Context::parse(only.to_str().ok()?).map(|step| step.trace())
}

/// The answer when a component gave none: empty, as on Spin; 503 where waiting may help.
fn failed(component: &str, id: &HeaderValue, error: &wasmtime::Error) -> http::Response<WasiBody> {
    let id = id.to_str().unwrap_or_default();
    if error.downcast_ref::<InstantiationError<()>>().is_some() {
        tracing::error!(component, request_id = id, "no instance could be started: {error:?}");
        return busy();
    }
    if error.downcast_ref::<ExpirationError>().is_some() {
        tracing::error!(component, request_id = id, "the component took too long");
    } else {
        tracing::error!(component, request_id = id, "the component failed: {error:?}");
    }
    plain(StatusCode::INTERNAL_SERVER_ERROR, "")
}

fn busy() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "");
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let body = Full::new(Bytes::from_static(text.as_bytes())).map_err(Error::from).boxed_unsync();
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    response
}

/// The longest segment of a path that the log shows whole, bytes.
const SHOWN_SEGMENT_BYTES_MAX: usize = 64;
/// How much of a longer one it shows: as much as an id.
const SHOWN_BEGINNING_BYTES: usize = 36;

/// A path as the log may show it. A segment that is longer than any name can be a capability, and who reads the log must
/// not be able to use it; its beginning tells what it is for.
fn shown(path: &str) -> String {
    let cut = |segment: &str| match segment.get(..SHOWN_BEGINNING_BYTES) {
        Some(beginning) if segment.len() > SHOWN_SEGMENT_BYTES_MAX => format!("{beginning}…"),
        None if segment.len() > SHOWN_SEGMENT_BYTES_MAX => "…".to_owned(),
        _ => segment.to_owned(),
    };
    path.split('/').map(cut).collect::<Vec<_>>().join("/")
}

/// One line for each request. Headers, bodies and the query are none of the log's business.
fn log(
    method: &Method,
    path: &str,
    status: StatusCode,
    start: Instant,
    component: Option<&str>,
    id: &HeaderValue,
    trace: Option<trace::TraceId>,
) {
    tracing::info!(
        target: "restock::request",
        method = method.as_str(),
        path = shown(path),
        status = status.as_u16(),
        ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        component = component.unwrap_or("-"),
        request_id = id.to_str().unwrap_or_default(),
        trace = trace.map(tracing::field::display),
    );
}

/// A response body that keeps its request counted until it is sent.
struct Held {
    body: WasiBody,
    _permit: OwnedSemaphorePermit,
}

impl Body for Held {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_request_id_is_kept_and_any_other_is_replaced() {
        let good = HeaderValue::from_static("order-7_a.b:c");
        assert_eq!(request_id(Some(&good)), good);
        let long = HeaderValue::from_str(&"a".repeat(REQUEST_ID_CHARS_MAX + 1)).unwrap();
        for bad in [HeaderValue::from_static(""), HeaderValue::from_static("a b"), long] {
            let id = request_id(Some(&bad));
            assert_ne!(id, bad);
            assert_eq!(id.len(), 32);
        }
        assert_ne!(request_id(None), request_id(None));
    }

    #[test]
    fn the_trace_of_a_request_is_logged_where_it_brings_one_that_is_well_formed() {
        let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let traced = |values: &[&'static str]| {
            let header = |value: &&'static str| {
                (HeaderName::from_static(trace::TRACEPARENT), HeaderValue::from_static(value))
            };
            trace_id(&values.iter().map(header).collect()).map(|trace| trace.to_string())
        };
        assert_eq!(traced(&[context]).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for values in [&[][..], &["nonsense"], &[context, context]] {
            assert_eq!(traced(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_capability_in_a_path_is_not_shown() {
        let id = "01a1fded-21e0-7e72-99c0-2ee0fe6d686c";
        let path = format!("/v1/factory/callbacks/{id}.{}", "5e".repeat(32));
        assert_eq!(shown(&path), format!("/v1/factory/callbacks/{id}…"));
        assert_eq!(shown("/v1/products/CP-502101"), "/v1/products/CP-502101");
        assert_eq!(shown(&format!("/{}", "é".repeat(40))), format!("/{}…", "é".repeat(18)));
    }
}
