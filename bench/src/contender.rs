//! A server under measurement: a process of its own, on a fresh database, on a free port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::books::Books;
use crate::cluster::Shop;
use crate::load::{Client, KEY, OPENING_STOCK, sku};
use crate::native;
use crate::pgbench::Protocol;
use crate::usage::Usage;

/// How long a server may take until it is ready. The first start compiles the components.
const START_SECONDS_MAX: u64 = 300;
/// Between two looks whether it is ready.
const LOOK_AGAIN_MS: u64 = 50;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Contender {
    /// Restock: components on the embedded host.
    Host,
    /// The baseline with a commit per order.
    Native,
    /// The baseline with shared commits; on SQLite only.
    NativeGrouped,
    /// No server at all: the statement by itself; on Postgres only.
    Pgbench,
    /// The same, parsed once.
    PgbenchPrepared,
}

impl Contender {
    /// Its line in the table.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Host => "restock (components on the host)",
            Self::Native => "native, one commit per order",
            Self::NativeGrouped => "native, shared commits",
            Self::Pgbench => "pgbench, extended protocol",
            Self::PgbenchPrepared => "pgbench, prepared statement",
        }
    }

    /// How it speaks to Postgres, where it is no server.
    pub(crate) fn pgbench(self) -> Option<Protocol> {
        match self {
            Self::Pgbench => Some(Protocol::Extended),
            Self::PgbenchPrepared => Some(Protocol::Prepared),
            Self::Host | Self::Native | Self::NativeGrouped => None,
        }
    }

    fn command(
        self,
        root: &Path,
        listen: SocketAddr,
        data: &Path,
        shop: Option<&Shop>,
        clients: u16,
    ) -> Result<Command> {
        if self == Self::Host {
            return Ok(host(root, listen, data, shop));
        }
        let mut command = this_program("native")?;
        command.arg("--listen").arg(listen.to_string());
        if let Some(shop) = shop {
            command.arg("postgres").arg("--url").arg(&shop.url);
            command.arg("--connections").arg(clients.to_string());
        } else {
            let group = if self == Self::NativeGrouped { clients } else { 1 };
            command.arg("sqlite").arg("--group").arg(group.to_string());
            command.arg("--migrations").arg(root.join("migrations/sqlite")).arg("--data").arg(data);
        }
        Ok(command)
    }
}

/// Restock as it ships, on the embedded host; on Postgres where it is given a shop there. No Redis: its doorbell stays inside.
pub(crate) fn host(root: &Path, listen: SocketAddr, data: &Path, shop: Option<&Shop>) -> Command {
    let mut command = Command::new(root.join("target/release/restock"));
    command.arg("up").arg("--manifest").arg(root.join("spin.toml"));
    for variable in ["STOREFRONT_KEYS", "VIEWER_KEYS", "OPERATOR_KEYS", "INTERNAL_KEYS"] {
        command.env(format!("SPIN_VARIABLE_{variable}"), KEY);
    }
    command
        .env("SPIN_VARIABLE_CALLBACK_SECRET", "bench-callback-secret-of-enough-length")
        .env("SPIN_VARIABLE_PUBLIC_URL", format!("http://{listen}"))
        // Nothing listens on the discard port; a run in which the factory is called has gone wrong anyway.
        .env("SPIN_VARIABLE_FACTORY_URL", "http://127.0.0.1:9");
    if let Some(shop) = shop {
        command
            .args(["--profile", "postgres"])
            .env("SPIN_VARIABLE_POSTGRES_URL", &shop.url)
            .env("SPIN_VARIABLE_CUSTOMERS_URL", &shop.customers_url);
    }
    command.arg("--listen").arg(listen.to_string()).arg("--data").arg(data);
    command
}

/// A baseline that is a part of this program.
pub(crate) fn this_program(part: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
    command.arg(part);
    Ok(command)
}

/// A folder on the disk of the checkout: one for temporary files may be memory, where durability costs nothing.
pub(crate) fn work(root: &Path) -> Result<PathBuf> {
    let work = root.join("target/bench");
    std::fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    Ok(work)
}

/// A running contender. Dropping it kills it and removes its data.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    process: Child,
    data: PathBuf,
    log: PathBuf,
}

impl Running {
    /// Starts a contender on a fresh folder below `work`, or on a fresh shop, and waits until it is ready to sell.
    pub(crate) async fn start(
        who: Contender,
        root: &Path,
        work: &Path,
        shop: Option<&Shop>,
        clients: u16,
    ) -> Result<Self> {
        let mut running =
            Self::spawn(who.title(), work, |listen, data| who.command(root, listen, data, shop, clients))?;
        running.ready().await?;
        if who == Contender::Host && shop.is_none() {
            running.stock_up(1).await?;
        }
        Ok(running)
    }

    /// Starts what `command` says, with an address and a fresh folder below `work` of its own.
    pub(crate) fn spawn(
        title: &str,
        work: &Path,
        command: impl FnOnce(SocketAddr, &Path) -> Result<Command>,
    ) -> Result<Self> {
        let data = work.join(format!("data-{}", std::process::id()));
        let log = work.join("server.log");
        if data.exists() {
            std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        }
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let addr = free_port()?;
        let process = begin(title, command(addr, &data)?, &log)?;
        Ok(Self { addr, process, data, log })
    }

    /// Ends it, lets `change` work on its data, and starts what `command` says on them.
    pub(crate) async fn changed(
        &mut self,
        title: &str,
        change: impl FnOnce(&Path) -> Result<()>,
        command: impl FnOnce(SocketAddr, &Path) -> Result<Command>,
    ) -> Result<()> {
        self.process.kill().await.context("cannot kill the server")?;
        tokio::task::block_in_place(|| change(&self.data))?;
        self.addr = free_port()?;
        self.process = begin(title, command(self.addr, &self.data)?, &self.log)?;
        self.ready().await
    }

    /// What `who` wrote down so far.
    pub(crate) async fn books(&self, who: Contender, shop: Option<&Shop>) -> Result<Books> {
        match (who, shop) {
            (_, Some(shop)) => Books::postgres(&shop.url).await,
            (Contender::Host, None) => Books::sqlite(&self.data.join("sqlite/default.db")),
            (_, None) => Books::sqlite(&self.data.join(native::FILE)),
        }
    }

    /// Fails where it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.process.try_wait() {
            Ok(Some(status)) => bail!("the server ended ({status}): see {}", self.log.display()),
            _ => Ok(()),
        }
    }

    /// What it has used so far; none where the system does not say.
    pub(crate) fn usage(&self) -> Option<Usage> {
        Usage::of(self.process.id()?)
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(START_SECONDS_MAX);
        while Instant::now() < give_up {
            self.still_runs()?;
            if let Ok(mut client) = Client::connect(self.addr).await
                && let Ok((StatusCode::OK, _)) = client.call(Method::GET, "/readyz", Bytes::new()).await
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await;
        }
        bail!("the server was not ready within {START_SECONDS_MAX} s: see {}", self.log.display())
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Puts so many products on the shelves of Restock.
    pub(crate) async fn stock_up(&self, products: u32) -> Result<()> {
        let mut client = Client::connect(self.addr).await?;
        let factory = json!({"name": "bench", "manager_email": "bench@example.com"});
        let product = json!({
            "name": "bench", "price": {"amount": 100, "currency": "KRW"}, "factory_id": "BENCH-F",
            "reorder_point": 0, "order_up_to": 1, "policy": "manual", "opening_stock": OPENING_STOCK,
        });
        let products = (1..=products).map(|number| (format!("/v1/products/{}", sku(number)), &product));
        for (path, body) in std::iter::once(("/v1/factories/BENCH-F".to_owned(), &factory)).chain(products) {
            let (status, answer) = client.call(Method::PUT, &path, body.to_string().into()).await?;
            if !status.is_success() {
                bail!("PUT {path} was answered {status}: {}", String::from_utf8_lossy(&answer));
            }
        }
        Ok(())
    }

    /// What Restock answers to a question.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let mut client = Client::connect(self.addr).await?;
        let (status, answer) = client.call(Method::GET, path, Bytes::new()).await?;
        if !status.is_success() {
            bail!("{path} was answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Whether Restock's own audit finds everything in order.
    pub(crate) async fn audit_ok(&self) -> Result<bool> {
        Ok(self.get("/v1/audit").await?.get("ok") == Some(&Value::Bool(true)))
    }

    /// Kills it, waits for its end and removes its data.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("cannot kill the server")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process is killed by its own drop. What is left of its files goes with `cargo clean`.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// Starts a server that talks into a file of its own.
fn begin(title: &str, mut command: Command, log: &Path) -> Result<Child> {
    let words = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(words.try_clone()?)
        .stderr(words)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {title}: run `cargo xtask build` first"))
}

fn free_port() -> Result<SocketAddr> {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    probe.local_addr().context("the free port has no number")
}
