//! The demo's shop: its goods, its customers, and what can be told of it while it trades.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use restock_sandbox::Logistics;
use serde_json::{Value, json};

use crate::cache::random_hex;
use crate::host::Host;

/// The pause between two customers.
const CUSTOMER_EVERY_MS: u64 = 900;
/// How long an answer may take.
const ANSWER_MS_MAX: u64 = 10_000;
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How often the shop is tried until it is ready.
const READY_ATTEMPTS_MAX: u32 = 100;
const READY_PAUSE_MS: u64 = 100;
/// The maker of everything in the demo.
const FACTORY: &str = "FF-500293";
/// Who pauses and resumes the advertisement of the first product.
const AD_MANAGER: &str = "ads@restock.example";
/// After how many other customers the bulk buyer comes again.
const BULK_EVERY: usize = 12;
/// How much the bulk buyer takes each time: far from enough for a VIP at once, and enough for one after a minute.
const BULK_UNITS: u32 = 30;

/// After how many goods that were bought one is sent back.
const SENT_BACK_EVERY: u32 = 10;
/// Returns that are looked at; the newest, and the most that a page has.
const RETURNS_SEEN_MAX: usize = 200;

/// A customer that the shop knows by name.
pub(super) struct Customer {
    id: &'static str,
    email: &'static str,
    pub(super) name: &'static str,
}

/// Who becomes a VIP.
pub(super) const BULK_BUYER: Customer =
    Customer { id: "demo-cafe", email: "cafe@customer.example", name: "햇살카페" };

pub(super) struct Product {
    pub(super) sku: &'static str,
    pub(super) name: &'static str,
    price: u64,
    opening_stock: u32,
    reorder_point: u32,
    order_up_to: u32,
}

/// What the shop sells. The first one is the one that customers want most.
pub(super) const PRODUCTS: [Product; 3] = [
    Product {
        sku: "CP-502101",
        name: "부산도너츠",
        price: 19_900,
        opening_stock: 3,
        reorder_point: 1,
        order_up_to: 8,
    },
    Product {
        sku: "CP-502102",
        name: "제주감귤칩",
        price: 8_500,
        opening_stock: 12,
        reorder_point: 4,
        order_up_to: 20,
    },
    Product {
        sku: "CP-502103",
        name: "강릉커피콩",
        price: 15_000,
        opening_stock: 40,
        reorder_point: 20,
        order_up_to: 80,
    },
];

/// Which of them the bulk buyer takes.
const BULK_WISH: usize = 2;

/// The order in which customers ask for the products.
const WISHES: [usize; 5] = [0, 0, 1, 0, 2];

pub(super) struct Shop {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    storefront: String,
    operator: String,
    /// Where parcels are handed in; nowhere, where the shop has a real partner.
    parcels: Option<String>,
}

impl Shop {
    pub(super) fn new(host: &Host, logistics: &Logistics) -> anyhow::Result<Self> {
        let key = |name: &str| {
            let keys = host.variable(name).unwrap_or_default();
            keys.split_whitespace()
                .next()
                .map(str::to_owned)
                .with_context(|| format!("the variable {name} is empty"))
        };
        let ours = host.variable("logistics_url") == Some(logistics.url().as_str());
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build_http(),
            url: host.url(),
            storefront: key("storefront_keys")?,
            operator: key("operator_keys")?,
            parcels: ours.then(|| format!("{}/sandbox/returns", logistics.origin())),
        })
    }

    /// Registers the factory and the products, where that has not been done.
    pub(super) async fn open(&self) -> anyhow::Result<()> {
        self.wait_until_ready().await?;
        let factory = json!({ "name": "부산도너츠 공장", "manager_email": "factory@restock.example" });
        self.put(&format!("/v1/factories/{FACTORY}"), &factory).await?;
        for (index, product) in PRODUCTS.iter().enumerate() {
            let path = format!("/v1/products/{}", product.sku);
            let advertised = index == 0;
            let (status, known) = self.call(Method::GET, &path, &self.operator, None).await?;
            let has_manager = known.pointer("/ad/manager_email").is_some_and(Value::is_string);
            if status == StatusCode::OK && (has_manager || !advertised) {
                continue;
            }
            let mut body = json!({
                "name": product.name,
                "price": { "amount": product.price, "currency": "KRW" },
                "factory_id": FACTORY,
                "opening_stock": product.opening_stock,
                "reorder_point": product.reorder_point,
                "order_up_to": product.order_up_to,
                "policy": "manual",
            });
            if advertised && let Some(fields) = body.as_object_mut() {
                fields.insert("ad".to_owned(), json!({ "running": true, "manager_email": AD_MANAGER }));
            }
            self.put(&path, &body).await?;
        }
        Ok(())
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        for _ in 0..READY_ATTEMPTS_MAX {
            if let Ok((StatusCode::OK, _)) = self.call(Method::GET, "/readyz", &self.operator, None).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(READY_PAUSE_MS)).await;
        }
        anyhow::bail!("the shop does not become ready: see the log")
    }

    async fn put(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        let (status, answer) = self.call(Method::PUT, path, &self.operator, Some(body)).await?;
        ensure!(status.is_success(), "{path} answered {status}: {answer}");
        Ok(())
    }

    async fn call(
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

    /// Lets one customer after the other come and tells what becomes of it, until dropped.
    pub(super) async fn trade(self) {
        let mut story = Story::default();
        for customer in 0_usize.. {
            let Some(product) = WISHES.get(customer % WISHES.len()).and_then(|index| PRODUCTS.get(*index))
            else {
                return;
            };
            let id = random_hex().map(|random| format!("demo-{}", random.get(..8).unwrap_or_default()));
            match id {
                Ok(id) => self.serve(&mut story, product, 1, json!({ "id": id })).await,
                Err(error) => story.tell(format!("no customer came: {error:#}")),
            }
            if customer % BULK_EVERY == BULK_EVERY - 1
                && let Some(product) = PRODUCTS.get(BULK_WISH)
            {
                let Customer { id, email, name } = BULK_BUYER;
                story.tell(format!("{name} asks for {BULK_UNITS} {}", product.name));
                let customer = json!({ "id": id, "email": email, "name": name });
                self.serve(&mut story, product, BULK_UNITS, customer).await;
            }
            if let Err(error) = self.look(&mut story).await {
                story.tell(format!("the shop does not answer: {error:#}"));
            }
            tokio::time::sleep(Duration::from_millis(CUSTOMER_EVERY_MS)).await;
        }
    }

    async fn serve(&self, story: &mut Story, product: &Product, quantity: u32, customer: Value) {
        match self.buy(product, quantity, customer).await {
            Ok((status, order)) => {
                story.bought(product, quantity, status);
                if status == StatusCode::CREATED
                    && story.comes_back()
                    && let Err(error) = self.send_back(story, product, &order).await
                {
                    story.tell(format!("a parcel was not handed in: {error:#}"));
                }
            }
            Err(error) => story.tell(format!("a customer was not served: {error:#}")),
        }
    }

    /// What was bought is handed in as a return.
    async fn send_back(&self, story: &mut Story, product: &Product, order: &Value) -> anyhow::Result<()> {
        let Some(parcels) = &self.parcels else { return Ok(()) };
        let id = order.get("id").and_then(Value::as_str).context("an order without an id")?;
        let (_, end) = id.rsplit_once('-').unwrap_or_default();
        let parcel = json!({
            "order_number": id,
            "order_item_number": product.sku,
            "shipment_number": format!("SHP_{end}"),
        });
        let (status, answer) = self.call(Method::POST, parcels, "", Some(&parcel)).await?;
        ensure!(status.is_success(), "the logistics partner answered {status}: {answer}");
        story.tell(format!("{} is sent back by a customer: SHP_{end}", product.name));
        Ok(())
    }

    async fn buy(
        &self,
        product: &Product,
        quantity: u32,
        customer: Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let order = json!({
            "customer": customer,
            "items": [{ "sku": product.sku, "quantity": quantity }],
        });
        self.call(Method::POST, "/v1/orders", &self.storefront, Some(&order)).await
    }

    async fn look(&self, story: &mut Story) -> anyhow::Result<()> {
        for product in &PRODUCTS {
            let path = format!("/v1/products/{}", product.sku);
            let (status, answer) = self.call(Method::GET, &path, &self.operator, None).await?;
            ensure!(status == StatusCode::OK, "{path} answered {status}");
            let level = |name: &str| answer.get(name).and_then(Value::as_i64).unwrap_or_default();
            story.level(product, level("on_hand"), level("on_order"));
        }
        // Nobody who has not yet bought in bulk is known.
        let path = format!("/v1/customers/{}", BULK_BUYER.id);
        let (_, customer) = self.call(Method::GET, &path, &self.operator, None).await?;
        story.customer(&BULK_BUYER, customer.get("type") == Some(&json!("vip")));
        let path = format!("/v1/returns?limit={RETURNS_SEEN_MAX}");
        let (status, answer) = self.call(Method::GET, &path, &self.operator, None).await?;
        ensure!(status == StatusCode::OK, "{path} answered {status}");
        story.returns(answer.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default());
        Ok(())
    }
}

/// What was told last, so that only news are told.
#[derive(Default)]
struct Story {
    last: String,
    levels: BTreeMap<&'static str, (i64, i64)>,
    sold_out: BTreeMap<&'static str, u32>,
    vip: bool,
    bought: u32,
    returns: Option<Returns>,
}

/// How far the newest returns are.
#[derive(PartialEq, Eq)]
struct Returns {
    under_way: usize,
    reported: usize,
    waiting: usize,
}

impl Story {
    fn tell(&mut self, line: String) {
        if line != self.last {
            println!("  {line}");
            self.last = line;
        }
    }

    fn bought(&mut self, product: &Product, quantity: u32, status: StatusCode) {
        match status {
            StatusCode::CREATED => {
                self.sold_out.remove(product.sku);
            }
            StatusCode::CONFLICT if quantity > 1 => {
                self.tell(format!("{}: fewer than {quantity} left, nothing is sold", product.name));
            }
            StatusCode::CONFLICT => {
                let turned_away = self.sold_out.entry(product.sku).or_default();
                *turned_away += 1;
                if *turned_away == 1 {
                    self.tell(format!("{} is sold out: a customer is turned away", product.name));
                }
            }
            status => self.tell(format!("an order for {} was answered {status}", product.name)),
        }
    }

    /// Whether what was just bought comes back.
    fn comes_back(&mut self) -> bool {
        self.bought += 1;
        self.bought.is_multiple_of(SENT_BACK_EVERY)
    }

    fn returns(&mut self, seen: &[Value]) {
        let count = |field: &str, value: &str| {
            seen.iter().filter(|one| one.get(field).and_then(Value::as_str) == Some(value)).count()
        };
        let reported = count("status", "reported");
        let now = Returns { under_way: seen.len() - reported, reported, waiting: count("goods", "waiting") };
        if !seen.is_empty() && self.returns.as_ref() != Some(&now) {
            let Returns { under_way, reported, waiting } = now;
            self.tell(format!(
                "returns: {under_way} under way, {reported} back and reported, {waiting} wait for your decision"
            ));
            self.returns = Some(now);
        }
    }

    fn customer(&mut self, customer: &Customer, vip: bool) {
        if vip && !self.vip {
            self.tell(format!("{} is a VIP now", customer.name));
        }
        self.vip = vip;
    }

    fn level(&mut self, product: &'static Product, on_hand: i64, on_order: i64) {
        let Some((was_on_hand, was_on_order)) = self.levels.insert(product.sku, (on_hand, on_order)) else {
            self.tell(format!("{}: {on_hand} on the shelf", product.name));
            return;
        };
        if on_order > was_on_order {
            self.tell(format!("{}: the factory is asked for {} more", product.name, on_order - was_on_order));
        }
        if on_hand > was_on_hand {
            self.tell(format!("{}: refilled, {on_hand} on the shelf", product.name));
        } else if on_hand < was_on_hand {
            self.tell(format!("{}: sold, {on_hand} left", product.name));
        }
    }
}
