//! The application of a manifest, ready to run: its components compiled, its routes and permissions resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use http::{HeaderName, HeaderValue};
use wasmtime::Engine;
use wasmtime::component::{Component as Compiled, InstancePre, Linker};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::allow::AllowedHosts;
use crate::bindings::{imports, subscriber};
use crate::cache::compiled;
use crate::compose::compose;
use crate::engine::{engine, outside};
use crate::guest::{Guest, Me, Runs};
use crate::instance::Instances;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::outbound::Client;
use crate::postgres::Postgres;
use crate::redis::{Redis, Subscription};
use crate::route::{Match, Route, Router};
use crate::sqlite::Database;
use crate::variables::Template;

/// The prefix of paths that the host itself answers, as Spin does.
const WELL_KNOWN: &str = "/.well-known/spin/";
/// The host names under which components reach each other.
pub(crate) const CHAINING_SUFFIX: &str = ".spin.internal";

/// What the imports of a component begin with that uses SQLite.
const SQLITE: &str = "spin:sqlite/";

/// The address of the client in a call from inside, as Spin gives it.
pub(crate) const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A response of a component.
pub(crate) type Response = http::Response<WasiBody>;
/// A request to a component, with an absolute URI.
pub(crate) type Request = http::Request<WasiBody>;

pub(crate) struct Application {
    pub(crate) name: String,
    pub(crate) version: String,
    router: Router<String>,
    components: BTreeMap<String, Ready>,
    databases: BTreeMap<String, Arc<Database>>,
    ending: Arc<AtomicBool>,
}

/// A component ready to run.
struct Ready {
    engine: Engine,
    runs: Arc<Runs>,
    pre: InstancePre<Guest>,
    handler: Option<ProxyHandler<Instances>>,
}

/// What became of a request.
pub(crate) enum Answer {
    /// The component answered, or failed to.
    From(String, Result<Response, wasmtime::Error>),
    /// The host itself answers with this text.
    Own(&'static str),
    /// No route leads anywhere.
    NotFound,
}

impl Application {
    /// Makes everything ready. Blocks while components compile. Returns the Redis subscriptions with it.
    pub(crate) fn load(
        options: &Options,
        manifest: &Manifest,
        values: &BTreeMap<String, String>,
        client: &Client,
        redis: &Redis,
        postgres: &Postgres,
    ) -> anyhow::Result<(Arc<Self>, Vec<Subscription>)> {
        let engine = engine()?;
        let allowed = permissions(manifest, values)?;
        let subscriptions = subscriptions(manifest, values)?;
        let linker = linker(&engine)?;
        let this = Arc::new(OnceLock::new());
        let ending = Arc::new(AtomicBool::new(false));
        let triggered: BTreeSet<&String> = manifest
            .http
            .iter()
            .map(|trigger| &trigger.component)
            .chain(manifest.redis.iter().map(|trigger| &trigger.component))
            .collect();
        let mut components = BTreeMap::new();
        let mut databases = BTreeMap::new();
        for id in triggered {
            let component =
                manifest.components.get(id).with_context(|| format!("component `{id}` is not there"))?;
            let compiled = compiled(&engine, &options.cache, id, &compose(id, component)?)?;
            let runs = Arc::new(Runs {
                component: id.as_str().into(),
                variables: component
                    .variables
                    .iter()
                    .map(|(name, template)| {
                        Ok((name.clone(), template.fill(values).map_err(anyhow::Error::msg)?))
                    })
                    .collect::<anyhow::Result<_>>()?,
                environment: component.environment.clone().into_iter().collect(),
                databases: if imports_sqlite(&engine, &compiled) {
                    open(&mut databases, &options.data, &component.sqlite_databases)?
                } else {
                    BTreeMap::new()
                },
                allowed: allowed.get(id).cloned().unwrap_or_default(),
                clock: options.clock.clone(),
                client: client.clone(),
                redis: redis.clone(),
                postgres: postgres.clone(),
                application: Arc::clone(&this),
                ending: Arc::clone(&ending),
            });
            let ready = ready(&engine, &linker, &compiled, id, runs)?;
            if ready.handler.is_none() && manifest.http.iter().any(|trigger| &trigger.component == id) {
                anyhow::bail!(
                    "component `{id}` has an HTTP trigger but does not export wasi:http/handler@0.3.0"
                );
            }
            if manifest.redis.iter().any(|trigger| &trigger.component == id) {
                subscriber::SubscriberPre::new(ready.pre.clone()).map_err(outside).with_context(|| {
                    format!("component `{id}` has a Redis trigger but does not export spin:redis/inbound-redis@3.0.0")
                })?;
            }
            components.insert(id.clone(), ready);
        }
        let routes = manifest
            .http
            .iter()
            .filter_map(|trigger| Some((trigger.route.clone()?, trigger.component.clone())))
            .collect();
        let application = Arc::new(Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            router: Router::new(routes),
            components,
            databases,
            ending,
        });
        // Weak: an application that is its own owner would never end.
        let _ = this.set(Arc::downgrade(&application));
        Ok((application, subscriptions))
    }

    /// Answers a request from outside or from the application itself, by its path.
    pub(crate) async fn answer(&self, mut request: Request, client: SocketAddr) -> Answer {
        let path = request.uri().path().to_owned();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return if name == "health" { Answer::Own("OK") } else { Answer::NotFound };
        }
        let Some((route, id, found)) = self.router.find(&path) else { return Answer::NotFound };
        describe(&mut request, route, &found, client);
        Answer::From(id.clone(), self.serve(id, request).await)
    }

    /// Answers a request that one component makes to another, which need not have a route.
    pub(crate) async fn chain(
        &self,
        id: &str,
        mut request: Request,
    ) -> Option<Result<Response, wasmtime::Error>> {
        self.components.get(id)?.handler.as_ref()?;
        let whole = Route::parse("/...").ok()?;
        let found = Match { rest: request.uri().path().to_owned(), named: Vec::new() };
        describe(&mut request, &whole, &found, CHAINED_CLIENT);
        Some(self.serve(id, request).await)
    }

    async fn serve(&self, id: &str, request: Request) -> Result<Response, wasmtime::Error> {
        match self.components.get(id).and_then(|ready| ready.handler.as_ref()) {
            Some(handler) => handler.handle((), request).await,
            None => Err(wasmtime::format_err!("component `{id}` does not serve HTTP")),
        }
    }

    /// Hands a Redis message to a fresh instance of a component and waits for it.
    pub(crate) async fn deliver(&self, id: &str, payload: Vec<u8>) -> anyhow::Result<()> {
        let ready = self.components.get(id).with_context(|| format!("component `{id}` is not there"))?;
        let mut store = Guest::store(&ready.engine, &ready.runs);
        let instance = ready.pre.instantiate_async(&mut store).await.map_err(outside)?;
        let subscriber = subscriber::Subscriber::new(&mut store, &instance).map_err(outside)?;
        store
            .run_concurrent(async |accessor| {
                subscriber.spin_redis_inbound_redis().call_handle_message(accessor, payload).await
            })
            .await
            .flatten()
            .map_err(outside)?
            .map_err(|error| anyhow::anyhow!("the handler answered: {error}"))
    }

    /// Announces that what still runs is going to be given up.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// The SQLite databases that are open.
    pub(crate) fn databases(&self) -> Vec<Arc<Database>> {
        self.databases.values().cloned().collect()
    }

    /// Leaves statements that wait for a database unrun.
    pub(crate) fn kill_databases(&self) {
        self.databases.values().for_each(|database| database.kill());
    }
}

/// What each component with a trigger may talk to. The error lists every fault.
fn permissions(
    manifest: &Manifest,
    values: &BTreeMap<String, String>,
) -> anyhow::Result<BTreeMap<String, Arc<AllowedHosts>>> {
    let mut faults = Vec::new();
    let mut allowed = BTreeMap::new();
    for (id, component) in &manifest.components {
        let mut entries = Vec::new();
        for template in &component.allowed_outbound_hosts {
            match template.fill(values) {
                Ok(entry) => entries.push((entry, template)),
                Err(fault) => faults.push(format!("component.{id}.allowed_outbound_hosts: {fault}")),
            }
        }
        let parsed = |entries: &[(String, &Template)]| {
            AllowedHosts::parse(
                entries.iter().map(|(entry, template)| (entry.as_str(), !template.is_literal())),
            )
        };
        match parsed(&entries) {
            Ok(hosts) => {
                if hosts.chains() && manifest.redis.iter().any(|trigger| &trigger.component == id) {
                    faults.push(format!(
                        "component.{id}.allowed_outbound_hosts: a component with a Redis trigger may not call \
                         *{CHAINING_SUFFIX}, which Spin offers to HTTP components only: use the application's own URL"
                    ));
                }
                allowed.insert(id.clone(), Arc::new(hosts));
            }
            // One by one, to say which variable gave each.
            Err(_) => {
                for entry in &entries {
                    let names: Vec<_> = entry.1.names().collect();
                    let found = parsed(std::slice::from_ref(entry)).err().unwrap_or_default();
                    faults.extend(found.into_iter().map(|fault| match names.as_slice() {
                        [] => format!("component.{id}.allowed_outbound_hosts: {fault}"),
                        names => {
                            format!("component.{id}.allowed_outbound_hosts, {}: {fault}", names.join(", "))
                        }
                    }));
                }
            }
        }
    }
    anyhow::ensure!(faults.is_empty(), "the manifest cannot be run:\n  - {}", faults.join("\n  - "));
    Ok(allowed)
}

fn subscriptions(
    manifest: &Manifest,
    values: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<Subscription>> {
    let fill = |template: &Template| template.fill(values).map_err(anyhow::Error::msg);
    manifest
        .redis
        .iter()
        .map(|trigger| {
            Ok(Subscription {
                address: fill(&trigger.address)?,
                channel: fill(&trigger.channel)?,
                component: trigger.component.clone(),
            })
        })
        .collect()
}

/// Everything this host offers to guests.
pub(crate) fn linker(engine: &Engine) -> anyhow::Result<Linker<Guest>> {
    let mut linker: Linker<Guest> = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(outside)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker).map_err(outside)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker).map_err(outside)?;
    imports::Imports::add_to_linker::<_, Me>(&mut linker, |guest| guest).map_err(outside)?;
    Ok(linker)
}

/// Whether a component with what is composed into it uses SQLite. One that does not gets no files, whatever the manifest permits:
/// the same manifest is for stores elsewhere.
pub(crate) fn imports_sqlite(engine: &Engine, compiled: &Compiled) -> bool {
    compiled.component_type().imports(engine).any(|(name, _)| name.starts_with(SQLITE))
}

/// The databases with these labels, opened where no other component did.
fn open(
    databases: &mut BTreeMap<String, Arc<Database>>,
    data: &Path,
    labels: &[String],
) -> anyhow::Result<BTreeMap<String, Arc<Database>>> {
    let folder = std::path::absolute(data.join("sqlite")).context("the data folder has no absolute path")?;
    for label in labels {
        if !databases.contains_key(label) {
            databases.insert(label.clone(), Database::open(&folder.join(format!("{label}.db")))?);
        }
    }
    let listed = databases.iter().filter(|(label, _)| labels.contains(label));
    Ok(listed.map(|(label, database)| (label.clone(), Arc::clone(database))).collect())
}

fn ready(
    engine: &Engine,
    linker: &Linker<Guest>,
    compiled: &Compiled,
    id: &str,
    runs: Arc<Runs>,
) -> anyhow::Result<Ready> {
    let serves = compiled.component_type().exports(engine).any(|(name, _)| name == "wasi:http/handler@0.3.0");
    let pre = linker.instantiate_pre(compiled).map_err(outside).with_context(|| {
        format!("component `{id}` imports what this host does not offer: run the application with `spin up`")
    })?;
    let handler =
        serves.then(|| ProxyHandler::new(Instances::new(engine.clone(), pre.clone(), Arc::clone(&runs))));
    Ok(Ready { engine: engine.clone(), runs, pre, handler })
}

/// Adds the headers by which Spin tells a component how it was reached. They come after headers of the same name that
/// the client sent, so the last one is the host's.
fn describe(request: &mut Request, route: &Route, found: &Match<'_>, client: SocketAddr) {
    let url = request.uri().to_string();
    let mut headers = vec![
        ("spin-path-info".to_owned(), found.rest.clone()),
        ("spin-full-url".to_owned(), url),
        ("spin-matched-route".to_owned(), route.raw().to_owned()),
        ("spin-base-path".to_owned(), "/".to_owned()),
        ("spin-raw-component-route".to_owned(), route.raw().to_owned()),
        ("spin-component-route".to_owned(), route.prefix().to_owned()),
        ("spin-client-addr".to_owned(), client.to_string()),
    ];
    headers.extend(found.named.iter().map(|(name, value)| {
        (format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-")), (*value).to_owned())
    }));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            request.headers_mut().append(name, value);
        }
    }
}
