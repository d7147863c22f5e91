//! Requests that guests make: permissions first, then the application itself, then the network.

use std::error::Error as _;
use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Sleep;
use tower_service::Service;
use url::Url;
use wasmtime_wasi_http::handler::InstantiationError;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::application::{Answer, CHAINED_CLIENT, CHAINING_SUFFIX};
use crate::guest::Runs;

/// How long a connection may take to come about where the guest sets no limit.
const CONNECT_MS_DEFAULT: u64 = 10_000;
/// How long the first and each further byte may take where the guest sets no limit, as on Spin.
const BYTES_MS_DEFAULT: u64 = 600_000;
/// How long an idle connection is kept for the next request: less than the usual server keeps it.
const IDLE_MS_MAX: u64 = 15_000;
/// Idle connections kept per host.
const IDLE_CONNECTIONS_MAX: usize = 32;

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// Makes requests over the network, reusing connections. Redirects are the guest's business.
#[derive(Clone)]
pub(crate) struct Client(legacy::Client<Connector, WasiBody>);

impl Client {
    pub(crate) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Self(
            legacy::Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_millis(IDLE_MS_MAX))
                .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
                .build(Connector(tls)),
        )
    }

    async fn send(&self, request: http::Request<WasiBody>, options: RequestOptions) -> Sent {
        let connect = options.connect_timeout.unwrap_or(Duration::from_millis(CONNECT_MS_DEFAULT));
        let first = options.first_byte_timeout.unwrap_or(Duration::from_millis(BYTES_MS_DEFAULT));
        let between = options.between_bytes_timeout.unwrap_or(Duration::from_millis(BYTES_MS_DEFAULT));
        let response = CONNECT_LIMIT
            .scope(connect, tokio::time::timeout(connect.saturating_add(first), self.0.request(request)))
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?
            .map_err(|error| cause(&error))?;
        let response = response.map(|body| {
            let limited = Limited { body, limit: between, sleep: Box::pin(tokio::time::sleep(between)) };
            limited.boxed_unsync()
        });
        Ok((response, Box::new(async { Ok(()) })))
    }
}

tokio::task_local! {
    /// How long the connection of the request that is being sent may take to come about.
    static CONNECT_LIMIT: Duration;
}

/// Connects within the limit of the request that asks for the connection.
#[derive(Clone)]
struct Connector(HttpsConnector<HttpConnector>);

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let limit =
            CONNECT_LIMIT.try_with(|limit| *limit).unwrap_or(Duration::from_millis(CONNECT_MS_DEFAULT));
        let connection = self.0.call(uri);
        Box::pin(async move {
            tokio::time::timeout(limit, connection)
                .await
                .map_err(|_| std::io::Error::from(ErrorKind::TimedOut))?
        })
    }
}

/// What a failed request is called in wasi:http.
fn cause(error: &legacy::Error) -> Error {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<std::io::Error>() {
            let text = inner.to_string();
            return match inner.kind() {
                ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                ErrorKind::TimedOut => Error::ConnectionTimeout,
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                    Error::ConnectionTerminated
                }
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Error::DestinationUnavailable,
                ErrorKind::InvalidData | ErrorKind::InvalidInput => Error::TlsProtocolError,
                _ if text.contains("lookup") || text.contains("resolve") => {
                    Error::DnsError { rcode: Some("address not available".to_owned()), info_code: None }
                }
                _ => Error::InternalError(Some(text)),
            };
        }
        if let Some(inner) = inner.downcast_ref::<hyper::Error>() {
            if inner.is_incomplete_message() || inner.is_canceled() {
                return Error::ConnectionTerminated;
            }
            if inner.is_parse() {
                return Error::HttpProtocolError;
            }
        }
        source = inner.source();
    }
    if error.is_connect() { Error::ConnectionRefused } else { Error::HttpProtocolError }
}

/// A response body whose pieces may not take longer than a limit.
struct Limited {
    body: hyper::body::Incoming,
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                let deadline = tokio::time::Instant::now() + self.limit;
                self.sleep.as_mut().reset(deadline);
                Poll::Ready(frame.map(|frame| frame.map_err(Error::from)))
            }
            Poll::Pending => self.sleep.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The way out for the requests of one guest instance.
pub(crate) struct Outbound {
    runs: Arc<Runs>,
}

impl Outbound {
    pub(crate) fn new(runs: &Arc<Runs>) -> Self {
        Self { runs: Arc::clone(runs) }
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        // What the guest made of the response is of no use to the host.
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let runs = Arc::clone(&self.runs);
        Box::new(async move {
            match target(&runs, request.uri()) {
                Target::Denied => Err(Error::HttpRequestDenied),
                Target::Network => runs.client.clone().send(request, options.unwrap_or_default()).await,
                Target::Component(id) => chain(&runs, Some(&id), request).await,
                Target::Itself => chain(&runs, None, request).await,
            }
        })
    }
}

enum Target {
    Denied,
    Network,
    /// A component of the application, whatever its routes.
    Component(String),
    /// The application, by its routes.
    Itself,
}

fn target(runs: &Runs, uri: &Uri) -> Target {
    let Some(authority) = uri.authority().map(http::uri::Authority::as_str) else {
        return if runs.allowed.allows_itself() { Target::Itself } else { denied(runs, "http", "self") };
    };
    let scheme = uri.scheme_str().unwrap_or("https");
    let Ok(url) = Url::parse(&format!("{scheme}://{authority}")) else {
        return denied(runs, scheme, authority);
    };
    if !runs.allowed.allows(&url) {
        return denied(runs, scheme, authority);
    }
    let host = uri.host().unwrap_or_default();
    match host.strip_suffix(CHAINING_SUFFIX) {
        Some(id) if !id.contains('.') => Target::Component(id.to_owned()),
        _ => Target::Network,
    }
}

fn denied(runs: &Runs, scheme: &str, authority: &str) -> Target {
    tracing::error!(
        component = %runs.component,
        "a request to {scheme}://{authority} was denied: if it is wanted, add \"{scheme}://{authority}\" to \
         allowed_outbound_hosts of [component.{}]",
        runs.component
    );
    Target::Denied
}

async fn chain(runs: &Runs, id: Option<&str>, mut request: http::Request<WasiBody>) -> Sent {
    request.headers_mut().remove(http::header::HOST);
    let application =
        runs.application.get().and_then(std::sync::Weak::upgrade).ok_or(Error::DestinationUnavailable)?;
    let result = match id {
        Some(id) => application.chain(id, request).await.ok_or(Error::DestinationNotFound)?,
        None => match application.answer(request, CHAINED_CLIENT).await {
            Answer::From(_, result) => result,
            Answer::Own(_) | Answer::NotFound => return Err(Error::DestinationNotFound),
        },
    };
    match result {
        Ok(response) => Ok((response, Box::new(async { Ok(()) }))),
        Err(error) => {
            tracing::error!(component = %runs.component, "a call to another component failed: {error:?}");
            Err(match error.downcast_ref::<InstantiationError<()>>() {
                Some(_) => Error::DestinationUnavailable,
                None => Error::InternalError(Some("the component failed".to_owned())),
            })
        }
    }
}
