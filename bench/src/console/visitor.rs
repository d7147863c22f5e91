//! Somebody who looks at the console: signed in, on a connection of their own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::load::{Client, KEY, Manner};

/// The largest page that is read.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The longest wait for an answer; that of an audit among them.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// How often a page that is open asks for the part that changes, and how.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
const PART_HEADER: &str = "x-restock-part";
/// The page that is for programs.
const METRICS: &str = "/metrics";

/// A session.
#[derive(Clone)]
pub(crate) struct Visitor {
    addr: SocketAddr,
    /// As the browser sends it.
    cookie: String,
}

/// A connection with the session's cookie.
pub(crate) struct Browser {
    client: Client,
    cookie: String,
}

/// A page as it was seen.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) bytes: usize,
    /// From the first byte sent to the last byte read.
    pub(crate) took: Duration,
}

impl Visitor {
    /// Signs in as somebody fills in the form.
    pub(crate) async fn sign_in(addr: SocketAddr) -> Result<Self> {
        let mut client = connect(addr).await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri("/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, format!("http://{addr}"))
            .body(Full::new(Bytes::from(format!("key={KEY}"))))?;
        let answer = client.send(request).await?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next());
        ensure!(answer.status().is_redirection(), "signing in was answered {}", answer.status());
        Ok(Self { addr, cookie: cookie.context("signing in began no session")?.to_owned() })
    }

    pub(crate) async fn connect(&self) -> Result<Browser> {
        Ok(Browser { client: connect(self.addr).await?, cookie: self.cookie.clone() })
    }
}

async fn connect(addr: SocketAddr) -> Result<Client> {
    let manner = Manner { answer_max: ANSWER_MAX, answer_bytes_max: PAGE_BYTES_MAX, ..Manner::default() };
    Client::connect_as(addr, manner).await
}

impl Browser {
    /// Opens a page.
    pub(crate) async fn look(&mut self, path: &str) -> Result<Seen> {
        // Programs ask for the metrics, with a key.
        let request = Request::get(path);
        if path == METRICS {
            return self.get(request.header(header::AUTHORIZATION, format!("Bearer {KEY}"))).await;
        }
        self.get(request.header(header::COOKIE, &self.cookie)).await
    }

    /// Asks an open page for what may have changed, as the console's script does.
    async fn refresh(&mut self, path: &str) -> Result<Seen> {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.get(request.header(PART_HEADER, "main")).await
    }

    async fn get(&mut self, request: http::request::Builder) -> Result<Seen> {
        let request = request
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_LANGUAGE, "en")
            .body(Full::new(Bytes::new()))?;
        let sent = Instant::now();
        let answer = self.client.send(request).await?;
        Ok(Seen { status: answer.status(), bytes: answer.body().len(), took: sent.elapsed() })
    }
}

/// Open overviews.
pub(crate) struct Watchers {
    close: watch::Sender<()>,
    open: JoinSet<Result<u64>>,
}

impl Watchers {
    /// Opens so many, not all at the same moment.
    pub(crate) async fn open(visitor: &Visitor, count: u16) -> Result<Self> {
        let (close, closed) = watch::channel(());
        let mut open = JoinSet::new();
        for number in 0..count {
            let mut browser = visitor.connect().await?;
            let mut closed = closed.clone();
            let first = REFRESH_EVERY.mul_f64(f64::from(number) / f64::from(count));
            open.spawn(async move {
                let mut refreshes = 0;
                let mut wait = first;
                loop {
                    tokio::select! {
                        _ = closed.changed() => return Ok(refreshes),
                        () = tokio::time::sleep(wait) => {}
                    }
                    let seen = browser.refresh("/").await?;
                    ensure!(seen.status.is_success(), "the overview was answered {}", seen.status);
                    refreshes += 1;
                    wait = REFRESH_EVERY;
                }
            });
        }
        Ok(Self { close, open })
    }

    /// Closes them; how often they were refreshed.
    pub(crate) async fn close(mut self) -> Result<u64> {
        drop(self.close);
        let mut refreshes = 0;
        while let Some(one) = self.open.join_next().await {
            refreshes += one.context("an overview was lost")??;
        }
        Ok(refreshes)
    }
}
