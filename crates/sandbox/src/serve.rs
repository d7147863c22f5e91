//! The connections of a stand-in.
//!
//! Not `axum::serve`: a partner that is down closes a connection without an answer, and only the loop that owns the
//! connection can do that.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections at one time; the next one waits to be accepted.
const CONNECTIONS_MAX: usize = 1024;
/// How long a connection may be silent before its next request.
const IDLE_SECONDS_MAX: u64 = 300;
/// The wait after an `accept` that failed, which is mostly for want of file descriptors.
const ACCEPT_AGAIN_MS: u64 = 50;

/// In a response's extensions: do not send it, close the connection.
#[derive(Clone)]
pub(crate) struct NoAnswer;

/// Serves until it is aborted; its connections end with it.
pub(crate) async fn serve(name: &'static str, listener: TcpListener, router: Router) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the {name} cannot accept");
                tokio::time::sleep(Duration::from_millis(ACCEPT_AGAIN_MS)).await;
                continue;
            }
        };
        // Without it an answer in two writes waits for a delayed acknowledgement. Only speed is lost if it fails.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        while connections.try_join_next().is_some() {}
        connections.spawn(async move {
            let _permit = permit;
            let service = service_fn(move |request| answer(router.clone(), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(IDLE_SECONDS_MAX))
                .serve_connection(TokioIo::new(stream), service);
            // Also the ordinary end of a connection that was closed on purpose.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, &'static str> {
    let answer: Result<Response, Infallible> = TowerToHyperService::new(router).call(request).await;
    match answer {
        Ok(response) if response.extensions().get::<NoAnswer>().is_some() => Err("closed on purpose"),
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
