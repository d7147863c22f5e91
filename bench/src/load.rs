//! Clients, and the load that many of them make: a keep-alive connection each, the next order as soon as the last is answered.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Units of each product at the start: more than any run can sell, so that no order is turned down and nothing is reordered.
pub(crate) const OPENING_STOCK: i64 = 1_000_000_000;
/// The key of every role.
pub(crate) const KEY: &str = "bench-key";

/// An answer that takes longer ends the measurement.
const ANSWER_SECONDS_MAX: u64 = 30;
/// The part of an answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Three digits of a latency between a microsecond and a minute.
pub(crate) const LATENCY_US_MAX: u64 = 60_000_000;

/// What is sold, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basket {
    /// Each order is for one unit of any of so many products, by chance.
    pub(crate) products: u32,
    /// And comes from any of so many customers.
    pub(crate) customers: u32,
}

/// How hard, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) basket: Basket,
    /// Each with a connection of its own, on which it sends the next order as soon as the last is answered.
    pub(crate) clients: u16,
    /// Before the measurement: caches fill and pools grow.
    pub(crate) warmup: Duration,
    pub(crate) lasts: Duration,
}

/// What was measured of one contender in one round.
pub(crate) struct Measured {
    /// Orders answered 201 after the warm-up.
    pub(crate) orders: u64,
    /// Orders answered 201 in all.
    pub(crate) accepted: u64,
    /// From the end of the warm-up to the last answer.
    pub(crate) elapsed: Duration,
    /// Microseconds from the first byte sent to the last byte read.
    pub(crate) latency_us: Histogram<u64>,
}

/// One connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    manner: Manner,
}

/// How a client behaves.
#[derive(Clone)]
pub(crate) struct Manner {
    pub(crate) key: String,
    /// After so long there is no answer.
    pub(crate) answer_max: Duration,
    pub(crate) answer_bytes_max: usize,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            key: KEY.to_owned(),
            answer_max: Duration::from_secs(ANSWER_SECONDS_MAX),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Result<Self> {
        Self::connect_as(addr, Manner::default()).await
    }

    pub(crate) async fn connect_as(addr: SocketAddr, manner: Manner) -> Result<Self> {
        let stream = TcpStream::connect(addr).await.with_context(|| format!("cannot connect to {addr}"))?;
        stream.set_nodelay(true).context("cannot switch off Nagle's algorithm")?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Its failure is the failure of the request that waits for it.
        tokio::spawn(connection);
        Ok(Self { sender, host: addr.to_string(), manner })
    }

    /// Sends a request and reads the whole answer. After a failure the connection is of no more use.
    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.manner.key));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let answer = self.send(request.body(Full::new(body))?).await?;
        Ok((answer.status(), answer.into_body()))
    }

    /// Sends a request to this server, with the headers that it has, and reads the whole answer.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        request.headers_mut().insert(header::HOST, HeaderValue::try_from(&self.host)?);
        let path = request.uri().to_string();
        let exchange = async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            match Limited::new(body, self.manner.answer_bytes_max).collect().await {
                Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
                Err(error) => bail!("the answer could not be read: {error}"),
            }
        };
        tokio::time::timeout(self.manner.answer_max, exchange)
            .await
            .with_context(|| format!("no answer to {path} within {:?}", self.manner.answer_max))?
    }
}

/// The name of the nth product, from 1.
pub(crate) fn sku(number: u32) -> String {
    format!("BENCH-{number}")
}

impl Basket {
    /// One product and one customer.
    pub(crate) const ONE: Self = Self { products: 1, customers: 1 };

    /// An order of one unit, as a storefront sends it.
    pub(crate) fn order(self) -> Bytes {
        let customer = format!("customer-{}", fastrand::u32(1..=self.customers));
        let sku = sku(fastrand::u32(1..=self.products));
        json!({"customer": {"id": customer}, "items": [{"sku": sku, "quantity": 1}]}).to_string().into()
    }
}

/// Sells over HTTP.
///
/// Any answer other than 201 ends it with an error: numbers of a server that refuses are worth nothing.
pub(crate) async fn run(addr: SocketAddr, load: &Load) -> Result<Measured> {
    let begin = Instant::now() + load.warmup;
    let mut clients = JoinSet::new();
    for _ in 0..load.clients {
        let client = Client::connect(addr).await?;
        clients.spawn(shop(client, load.basket, begin, begin + load.lasts));
    }
    let mut total = Measured::none()?;
    while let Some(one) = clients.join_next().await {
        let one = one.context("a client was lost")??;
        total.orders += one.orders;
        total.accepted += one.accepted;
        total.elapsed = total.elapsed.max(one.elapsed);
        total.latency_us.add(one.latency_us)?;
    }
    Ok(total)
}

async fn shop(mut client: Client, basket: Basket, begin: Instant, end: Instant) -> Result<Measured> {
    let mut measured = Measured::none()?;
    let mut now = Instant::now();
    while now < end {
        let order = basket.order();
        let sent = Instant::now();
        let (status, body) = client.call(Method::POST, "/v1/orders", order).await?;
        now = Instant::now();
        if status != StatusCode::CREATED {
            bail!("an order was answered {status} instead of 201: {}", String::from_utf8_lossy(&body));
        }
        measured.count(sent.checked_duration_since(begin), now - sent);
    }
    Ok(measured)
}

impl Measured {
    pub(crate) fn none() -> Result<Self> {
        let latency_us = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        Ok(Self { orders: 0, accepted: 0, elapsed: Duration::ZERO, latency_us })
    }

    /// An order that was accepted; it was sent so long after the warm-up, or within it.
    pub(crate) fn count(&mut self, sent: Option<Duration>, latency: Duration) {
        self.accepted += 1;
        if let Some(sent) = sent {
            self.orders += 1;
            self.elapsed = self.elapsed.max(sent + latency);
            self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }
}
