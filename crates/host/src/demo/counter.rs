//! The counter of the demo's shop: its public HTTP interface, as its customers, operators and partners use it.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::{Value, json};

use super::goods::{AD_MANAGER, Customer, FACTORIES, FACTORY_MANAGER, PRODUCTS, Product};
use crate::host::Host;

/// How long an answer may take.
const ANSWER_MS_MAX: u64 = 10_000;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How often the shop is tried until it is ready.
const READY_ATTEMPTS_MAX: u32 = 100;
const READY_PAUSE_MS: u64 = 100;
/// How often it is looked whether a queue is worked off, and the pause between two looks.
const SETTLED_LOOKS_MAX: u32 = 200;
const SETTLED_PAUSE_MS: u64 = 10;

/// An order of one product.
pub(super) struct Wish<'a> {
    pub(super) customer: &'a Customer,
    /// Which of those of this name it is; none: the only one.
    pub(super) namesake: Option<u32>,
    pub(super) product: &'a Product,
    pub(super) quantity: u32,
    /// Whether the customer waits where there is not enough.
    pub(super) waits: bool,
}

/// The shop as its customers and operators reach it.
pub(super) struct Counter {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    storefront: String,
    operator: String,
    internal: String,
}

impl Counter {
    pub(super) fn new(host: &Host) -> anyhow::Result<Self> {
        let key = |name: &str| {
            let keys = host.variable(name).unwrap_or_default();
            keys.split_whitespace()
                .next()
                .map(str::to_owned)
                .with_context(|| format!("the variable {name} is empty"))
        };
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build_http(),
            url: host.url(),
            storefront: key("storefront_keys")?,
            operator: key("operator_keys")?,
            internal: key("internal_keys")?,
        })
    }

    pub(super) async fn wait_until_ready(&self) -> anyhow::Result<()> {
        for _ in 0..READY_ATTEMPTS_MAX {
            if let Ok((StatusCode::OK, _)) = self.call(Method::GET, "/readyz", &self.operator, None).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(READY_PAUSE_MS)).await;
        }
        anyhow::bail!("the shop does not become ready: see the log")
    }

    /// Whether the shop sells anything yet.
    pub(super) async fn is_new(&self) -> anyhow::Result<bool> {
        let products = self.read("/v1/products?limit=1").await?;
        Ok(items(&products).is_empty())
    }

    /// Registers the factories and those products that are not known.
    pub(super) async fn stock(&self) -> anyhow::Result<()> {
        for (id, name) in FACTORIES {
            let factory = json!({ "name": name, "manager_email": FACTORY_MANAGER });
            self.put(&format!("/v1/factories/{id}"), &factory).await?;
        }
        for product in &PRODUCTS {
            let path = format!("/v1/products/{}", product.sku);
            let (status, known) = self.call(Method::GET, &path, &self.operator, None).await?;
            let has_manager = known.pointer("/ad/manager_email").is_some_and(Value::is_string);
            if status == StatusCode::OK && (has_manager || !product.advertised) {
                continue;
            }
            let mut body = json!({
                "name": product.name,
                "price": { "amount": product.price, "currency": "KRW" },
                "factory_id": FACTORIES.get(product.factory).map(|(id, _)| id),
                "opening_stock": product.opening_stock(),
                "reorder_point": product.reorder_point,
                "order_up_to": product.order_up_to,
                "policy": if product.auto { "auto" } else { "manual" },
            });
            if product.advertised
                && let Some(fields) = body.as_object_mut()
            {
                fields.insert("ad".to_owned(), json!({ "running": true, "manager_email": AD_MANAGER }));
            }
            self.put(&path, &body).await?;
        }
        Ok(())
    }

    /// Places an order; answers what became of it.
    pub(super) async fn buy(&self, wish: &Wish<'_>) -> anyhow::Result<(StatusCode, Value)> {
        let Wish { customer: Customer { id, email, name }, namesake, product, quantity, waits } = wish;
        let (id, email) = match namesake {
            Some(number) => (format!("{id}-{number}"), format!("{number}.{email}")),
            None => ((*id).to_owned(), (*email).to_owned()),
        };
        let order = json!({
            "customer": { "id": id, "email": email, "name": name },
            "items": [{ "sku": product.sku, "quantity": quantity }],
            "if_short": if *waits { "backorder" } else { "reject" },
        });
        self.call(Method::POST, "/v1/orders", &self.storefront, Some(&order)).await
    }

    /// The product as operators see it.
    pub(super) async fn product(&self, product: &Product) -> anyhow::Result<Value> {
        self.read(&format!("/v1/products/{}", product.sku)).await
    }

    /// Does what an operator does.
    pub(super) async fn operate(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.call(Method::POST, path, &self.operator, Some(body)).await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// Waits until nothing of a queue is due or in work; says whether that came about.
    pub(super) async fn settles(&self, queue: &str) -> anyhow::Result<bool> {
        for _ in 0..SETTLED_LOOKS_MAX {
            let status = self.read(&format!("/v1/queues/{queue}")).await?;
            let count = |name: &str| status.get(name).and_then(Value::as_u64);
            if count("ready") == Some(0) && count("leased") == Some(0) {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(SETTLED_PAUSE_MS)).await;
        }
        Ok(false)
    }

    /// Reads what an operator may read.
    pub(super) async fn read(&self, path: &str) -> anyhow::Result<Value> {
        let (status, answer) = self.call(Method::GET, path, &self.operator, None).await?;
        ensure!(status == StatusCode::OK, "{path} answered {status}: {answer}");
        Ok(answer)
    }

    /// Does what time has made necessary.
    pub(super) async fn tick(&self) -> anyhow::Result<()> {
        let path = "/internal/tick";
        let (status, answer) = self.call(Method::POST, path, &self.internal, Some(&json!({}))).await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(())
    }

    async fn put(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let (status, answer) = self.call(Method::PUT, path, &self.operator, Some(body)).await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(())
    }

    /// Sends a request to a path of the shop, or to the address of a partner.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let mut request =
            Request::builder().method(method).uri(uri).header(header::AUTHORIZATION, format!("Bearer {key}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let answered = async {
            let response = self.client.request(request.body(Full::new(body.into()))?).await?;
            let (parts, body) = response.into_parts();
            let bytes = Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|error| anyhow::anyhow!("reading the answer of {path}: {error}"))?
                .to_bytes();
            anyhow::Ok((parts.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
        };
        tokio::time::timeout(Duration::from_millis(ANSWER_MS_MAX), answered)
            .await
            .with_context(|| format!("{path} gave no answer"))?
    }
}

/// The items of a list.
pub(super) fn items(list: &Value) -> &[Value] {
    list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
