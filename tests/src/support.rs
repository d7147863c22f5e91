//! A shop to test with: the whole application, its factory, a client, and hands on the clock.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use restock_host::{Clock, Host, Options};
use restock_sandbox::{Factory, Logistics, Mail, Marketing, Slack};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::home::{Database, Home};
use crate::rows::Rows;

/// The keys of the test shop, one for each role.
pub(crate) const STOREFRONT: &str = "storefront-key";
pub(crate) const VIEWER: &str = "viewer-key";
pub(crate) const OPERATOR: &str = "operator-key";
pub(crate) const INTERNAL: &str = "internal-key";

/// Who is told of incidents, and who runs the advertisement.
pub(crate) const STOCK_MANAGER: &str = "stock@example.com";
pub(crate) const AD_MANAGER: &str = "ads@example.com";

/// The product most tests speak of, and its factory.
pub(crate) const SKU: &str = "CP-502101";
pub(crate) const FACTORY: &str = "FF-500293";

/// How long a condition may take to come true before a test fails. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// spin.toml with some of its text changed, in a folder of its own.
pub(crate) fn manifest(change: impl FnOnce(String) -> String) -> (PathBuf, TempDir) {
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("the manifest");
    let sources = root().join("target/wasm32-wasip2");
    let manifest = change(manifest.replace("target/wasm32-wasip2", &sources.to_string_lossy()));
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("spin.toml");
    fs::write(&path, manifest).expect("a manifest");
    (path, folder)
}

/// What the application is started with.
pub(crate) fn variables(factory_url: &str) -> BTreeMap<String, String> {
    [
        ("storefront_keys", STOREFRONT),
        ("viewer_keys", VIEWER),
        ("operator_keys", OPERATOR),
        ("internal_keys", INTERNAL),
        ("callback_secret", "a secret of the tests"),
        ("factory_url", factory_url),
        ("factory_rate_per_second", "1000"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// An HTTP answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body as JSON; null where it is none.
    pub(crate) json: Value,
}

impl Answer {
    /// Fails the test unless the answer has this status; hands on the JSON.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json
    }

    /// The JSON pointers of the fields that a problem document names.
    pub(crate) fn pointers(&self) -> Vec<String> {
        self.json["errors"]
            .as_array()
            .map(|errors| {
                errors.iter().filter_map(|error| error["pointer"].as_str().map(str::to_owned)).collect()
            })
            .unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A client of one application.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    http: HyperClient<HttpConnector, Full<Bytes>>,
}

impl Client {
    pub(crate) fn new(base: impl Into<String>) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), http }
    }

    /// Sends exactly this; an error means that no answer came.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Answer> {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(Full::new(body.into()))?).await?;
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: parts.status, headers: parts.headers, text, json })
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_send(method, path, headers, body).await.expect("the application answers")
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {key}"))], "").await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.json(Method::POST, key, path, body).await
    }

    pub(crate) async fn put(&self, key: &str, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, key, path, body).await
    }

    async fn json(&self, method: Method, key: &str, path: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {key}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string()).await
    }

    /// Places an order for one product.
    pub(crate) async fn order(&self, sku: &str, quantity: u64) -> Answer {
        self.post(STOREFRONT, "/v1/orders", order(&[(sku, quantity)])).await
    }

    /// Places an order under a key.
    pub(crate) async fn order_with_key(&self, key: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {STOREFRONT}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        self.send(Method::POST, "/v1/orders", &headers, body.to_string()).await
    }
}

/// The body of an order.
pub(crate) fn order(items: &[(&str, u64)]) -> Value {
    let items: Vec<_> =
        items.iter().map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity})).collect();
    json!({"customer": {"id": "c-1", "email": "c@example.com", "name": "A Customer"}, "items": items})
}

/// The same, willing to wait.
pub(crate) fn backorder(items: &[(&str, u64)]) -> Value {
    let mut body = order(items);
    body["if_short"] = json!("backorder");
    body
}

/// The body that defines a product.
pub(crate) fn definition(opening: u64, reorder_point: u64, order_up_to: u64) -> Value {
    json!({
        "name": "부산도너츠", "price": {"amount": 19900, "currency": "KRW"}, "factory_id": FACTORY,
        "reorder_point": reorder_point, "order_up_to": order_up_to, "opening_stock": opening,
    })
}

/// The definition of a product whose advertisement runs.
pub(crate) fn advertised(opening: u64, reorder_point: u64, order_up_to: u64) -> Value {
    let mut body = definition(opening, reorder_point, order_up_to);
    body["ad"] = json!({"running": true, "manager_email": AD_MANAGER});
    body
}

/// The other companies around a shop, beside its factory.
pub(crate) struct World {
    pub(crate) mail: Mail,
    pub(crate) fallback: Mail,
    pub(crate) slack: Slack,
    pub(crate) marketing: Marketing,
    pub(crate) logistics: Logistics,
}

impl World {
    pub(crate) async fn start() -> Self {
        let listen = || ([127, 0, 0, 1], 0).into();
        let world = Self {
            mail: Mail::start(listen()).await.expect("the mail starts"),
            fallback: Mail::start(listen()).await.expect("the other mail starts"),
            slack: Slack::start(listen()).await.expect("the chat starts"),
            marketing: Marketing::start(listen()).await.expect("the marketing system starts"),
            logistics: Logistics::start(listen()).await.expect("the logistics partner starts"),
        };
        // The clock of the shop is moved by hand, that of the marketing system is not.
        world.marketing.turn(|knobs| knobs.tolerance_seconds = None).expect("a knob turns");
        world
    }

    /// The variables of a shop in this world: everything configured, mail at a provider that recognises repetitions. Returns
    /// are collected only where a test is about them: see [`Shop::with_returns`].
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for (name, value) in [
            ("stock_manager_email", STOCK_MANAGER.to_owned()),
            // Goods are late only where a test is about that.
            ("production_due_seconds", "86400".to_owned()),
            ("mail_provider", "resend".to_owned()),
            ("mail_from", "Shop <shop@example.com>".to_owned()),
            ("mail_url", self.mail.url()),
            ("mail_key", "re_test".to_owned()),
            ("mail_rate_per_second", "1000".to_owned()),
            ("slack_webhook_url", self.slack.webhook_url()),
            ("marketing_url", self.marketing.hook_url()),
            ("marketing_secret", Marketing::SECRET.to_owned()),
            ("logistics_url", self.logistics.url()),
            ("logistics_token", Logistics::TOKEN.to_owned()),
            ("logistics_rate_per_second", "10000".to_owned()),
            ("logistics_concurrency", "32".to_owned()),
            ("returns_every_seconds", "0".to_owned()),
        ] {
            variables.insert(name.to_owned(), value);
        }
        variables
    }
}

/// The whole application with its factory. Dropping it stops both.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) factory: Factory,
    pub(crate) clock: Clock,
    pub(crate) host: Host,
    options: Options,
    world: Option<World>,
    // Last: it goes after what stands on it.
    pub(crate) home: Home,
}

impl Shop {
    /// A shop with one factory, whose jobs wait to be finished by the test, and no products.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// The same, with a chance to change the options first.
    pub(crate) async fn open_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::open_in(Home::new(), change).await
    }

    /// The same, in a place of the test's choice.
    pub(crate) async fn open_in(home: Home, change: impl FnOnce(&mut Options)) -> Self {
        let factory = Factory::start(([127, 0, 0, 1], 0).into()).await.expect("the factory starts");
        factory.turn(|knobs| knobs.stage_ms = None).expect("a knob turns");
        let clock = Clock::manual(SystemTime::now());
        let mut options = home.options();
        options.clock = clock.clone();
        options.variables.extend(variables(&factory.url()));
        change(&mut options);
        let host = Host::start(options.clone()).await.expect("the application starts");
        let client = Client::new(host.url());
        let shop = Self { client, factory, clock, home, host, options, world: None };
        let name = json!({"name": "부산도너츠 공장", "manager_email": "factory@example.com"});
        shop.client.put(OPERATOR, &format!("/v1/factories/{FACTORY}"), name).await.expect(201);
        shop
    }

    /// A shop whose operators and factory are expected in a network that the tests are not in.
    pub(crate) async fn open_elsewhere() -> Self {
        let factory = Factory::start(([127, 0, 0, 1], 0).into()).await.expect("the factory starts");
        let home = Home::new();
        let mut options = home.options();
        options.variables.extend(variables(&factory.url()));
        for name in ["operator_networks", "callback_networks"] {
            options.variables.insert(name.into(), "10.0.0.0/8".into());
        }
        let host = Host::start(options.clone()).await.expect("the application starts");
        Self {
            client: Client::new(host.url()),
            factory,
            clock: Clock::system(),
            home,
            host,
            options,
            world: None,
        }
    }

    /// A shop with [`SKU`] on its shelf.
    pub(crate) async fn with_product(opening: u64, reorder_point: u64, order_up_to: u64) -> Self {
        let shop = Self::open().await;
        shop.define(SKU, opening, reorder_point, order_up_to).await;
        shop
    }

    pub(crate) async fn define(&self, sku: &str, opening: u64, reorder_point: u64, order_up_to: u64) {
        let body = definition(opening, reorder_point, order_up_to);
        self.client.put(OPERATOR, &format!("/v1/products/{sku}"), body).await.expect(201);
    }

    /// Tries to start an application; says why it did not start.
    pub(crate) async fn try_open(change: impl FnOnce(&mut Options)) -> Result<(), String> {
        let home = Home::new();
        let mut options = home.options();
        options.variables.extend(variables("http://127.0.0.1:9"));
        change(&mut options);
        let host = Host::start(options).await.map_err(|error| format!("{error:#}"))?;
        host.stop().await.map_err(|error| format!("{error:#}"))
    }

    /// A shop in a world with mail, chat and marketing.
    pub(crate) async fn connected() -> Self {
        Self::connected_with(|_, _| {}).await
    }

    /// The same, with a chance to change the variables first.
    pub(crate) async fn connected_with(change: impl FnOnce(&mut BTreeMap<String, String>, &World)) -> Self {
        Self::connected_as(|options, world| change(&mut options.variables, world)).await
    }

    /// The same, with a chance to change all options.
    pub(crate) async fn connected_as(change: impl FnOnce(&mut Options, &World)) -> Self {
        Self::connected_in(Home::new(), change).await
    }

    /// The same, in a place of the test's choice.
    pub(crate) async fn connected_in(home: Home, change: impl FnOnce(&mut Options, &World)) -> Self {
        let world = World::start().await;
        let mut shop = Self::open_in(home, |options| {
            options.variables.extend(world.variables());
            change(options, &world);
        })
        .await;
        shop.world = Some(world);
        shop
    }

    /// A connected shop that collects returns every minute of its clock, with a chance to change the variables and the
    /// world first.
    pub(crate) async fn with_returns(change: impl FnOnce(&mut BTreeMap<String, String>, &World)) -> Self {
        Self::connected_with(|variables, world| {
            variables.insert("returns_every_seconds".into(), "60".into());
            change(variables, world);
        })
        .await
    }

    pub(crate) fn world(&self) -> &World {
        self.world.as_ref().expect("a connected shop")
    }

    /// Stops the application and starts it again on the same data.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(async || {}).await
    }

    /// The same, with something in between.
    pub(crate) async fn restart_after(self, meanwhile: impl AsyncFnOnce()) -> Self {
        let Self { factory, clock, home, host, options, world, .. } = self;
        let addr = host.addr();
        host.stop().await.expect("the application stops");
        meanwhile().await;
        Self::start_again(addr, factory, clock, home, options, world).await
    }

    /// The same, with other variables from then on.
    pub(crate) async fn restart_with(mut self, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        change(&mut self.options.variables);
        self.restart().await
    }

    /// Kills the application as a power cut would, and starts it again on the same data.
    pub(crate) async fn kill(self) -> Self {
        let Self { factory, clock, home, host, options, world, .. } = self;
        let addr = host.addr();
        host.kill();
        Self::start_again(addr, factory, clock, home, options, world).await
    }

    async fn start_again(
        addr: SocketAddr,
        factory: Factory,
        clock: Clock,
        home: Home,
        mut options: Options,
        world: Option<World>,
    ) -> Self {
        // The factory reports to the address it was given before.
        options.listen = addr;
        // A killed application gives its address back in a moment.
        let host =
            eventually("the application starts again", || async { Host::start(options.clone()).await.ok() })
                .await;
        Self { client: Client::new(host.url()), factory, clock, home, host, options, world }
    }

    /// The product as an operator sees it.
    pub(crate) async fn product(&self, sku: &str) -> Value {
        self.client.get(OPERATOR, &format!("/v1/products/{sku}")).await.expect(200)
    }

    pub(crate) async fn on_hand(&self, sku: &str) -> i64 {
        self.product(sku).await["on_hand"].as_i64().expect("a level")
    }

    /// All production requests, newest first.
    pub(crate) async fn production(&self) -> Vec<Value> {
        items(self.client.get(VIEWER, "/v1/production").await.expect(200))
    }

    /// The only production request.
    pub(crate) async fn only_production(&self) -> Value {
        let mut all = self.production().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn queue(&self) -> Value {
        self.queue_of("replenishment").await
    }

    pub(crate) async fn queue_of(&self, queue: &str) -> Value {
        self.client.get(VIEWER, &format!("/v1/queues/{queue}")).await.expect(200)
    }

    pub(crate) async fn tick(&self) -> Value {
        self.client.post(INTERNAL, "/internal/tick", json!({})).await.expect(200)
    }

    pub(crate) async fn drain(&self) -> Value {
        self.drain_of("replenishment").await
    }

    pub(crate) async fn drain_of(&self, queue: &str) -> Value {
        self.client.post(INTERNAL, &format!("/internal/{queue}/drain"), json!({})).await.expect(200)
    }

    /// Works off the queue of replenishment until nothing waits in it.
    pub(crate) async fn settle(&self) {
        self.settle_queues(&["replenishment"]).await;
    }

    /// Works off every queue until nothing waits in any.
    pub(crate) async fn settle_all(&self) {
        self.settle_queues(&["replenishment", "ad-control", "loyalty", "returns", "alerts"]).await;
    }

    /// Works off queues until nothing waits in them, moving the clock past every backoff.
    pub(crate) async fn settle_queues(&self, names: &[&str]) {
        for _ in 0..60 {
            for name in names {
                self.drain_of(name).await;
            }
            let mut waiting = 0;
            for queue in self.rest().await {
                let counts = names.iter().any(|name| queue["queue"] == *name);
                waiting += if counts { queue["ready"].as_u64().expect("a count") } else { 0 };
            }
            if waiting == 0 {
                return;
            }
            self.pass(31).await;
        }
        panic!("the queues never became empty: {}", self.client.get(VIEWER, "/v1/queues").await.text);
    }

    /// Waits until no worker holds a lease, and shows the queues.
    pub(crate) async fn rest(&self) -> Vec<Value> {
        eventually("every worker comes back", || async {
            let queues = items(self.client.get(VIEWER, "/v1/queues").await.expect(200));
            queues.iter().all(|queue| queue["leased"] == 0).then_some(queues)
        })
        .await
    }

    /// Lets so many seconds pass, and the application notice. The clock stands while a worker holds a lease: moved, it would
    /// take the lease from a worker that is well.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.rest().await;
        self.clock.advance(Duration::from_secs(seconds));
        self.tick().await;
    }

    /// A queue's dead letters, newest first.
    pub(crate) async fn buried(&self, queue: &str) -> Vec<Value> {
        items(self.client.get(VIEWER, &format!("/v1/queues/{queue}/buried")).await.expect(200))
    }

    /// Sends all dead letters of a queue on their way again.
    pub(crate) async fn redrive(&self, queue: &str) -> Value {
        let path = format!("/v1/queues/{queue}/redrive");
        self.client.post(OPERATOR, &path, json!({"all": true})).await.expect(200)
    }

    /// Waits for the factory's `n`th accepted job, then completes all its jobs. Every callback must have been answered.
    pub(crate) async fn finish_jobs(&self, n: u64) {
        self.factory.wait_until(|stats| stats.accepted >= n).await.expect("the factory is asked");
        self.factory.finish(None).await;
    }

    /// Fails the test unless the audit finds nothing.
    pub(crate) async fn audit(&self) {
        let report = self.client.get(VIEWER, "/v1/audit").await.expect(200);
        assert_eq!(report["ok"], true, "{report}");
        assert!(report["products_checked"].as_u64() > Some(0), "{report}");
    }

    /// The shop's rows, around the application.
    pub(crate) fn rows(&self) -> Rows {
        self.home.rows(Database::Shop)
    }

    /// The rows of its customers, likewise.
    pub(crate) fn customer_rows(&self) -> Rows {
        self.home.rows(Database::Customers)
    }
}

/// The items of a list.
pub(crate) fn items(list: Value) -> Vec<Value> {
    list["items"].as_array().expect("a list").clone()
}

/// Asks until the answer is the one waited for; fails after a minute.
pub(crate) async fn eventually<F: Future<Output = Option<T>>, T>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}
