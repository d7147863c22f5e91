//! `spin:redis` and the Redis triggers.
//!
//! Where no Redis is given the host is one for the only thing the application needs of it: a message published to a
//! channel reaches the triggers of that channel, at most once. Where one is given, everything goes there.

mod backlog;
mod remote;
#[cfg(test)]
mod tests;
mod trigger;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use url::Url;
use wasmtime::component::{Accessor, Resource};

use crate::application::Application;
use crate::bindings::imports::spin::redis::redis::{
    Connection, Error, Host, HostConnection, HostConnectionWithStore, RedisParameter, RedisResult,
};
use crate::guest::{Guest, Me};
use backlog::Backlog;
use remote::{Remote, other, type_error};

/// The variable that names the Redis; left at the manifest's default there is none.
const REDIS_URL: &str = "redis_url";
/// Connections a guest instance may have open at one time.
const CONNECTIONS_MAX: usize = 64;

/// A trigger with its templates filled.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) address: String,
    pub(crate) channel: String,
    pub(crate) component: String,
}

/// The host's side of Redis. Clones are the same.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "part of `Link`")]
pub struct Redis(Arc<Inner>);

struct Inner {
    /// The connections to a real Redis, where one is given.
    remote: Option<Remote>,
    /// What each trigger address has yet to handle, with the channels it listens to.
    backlogs: Mutex<Vec<(Vec<String>, Arc<Backlog>)>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Redis {
    /// A real Redis if `given`, the values of variables from outside the manifest, name one. Fails where what they name cannot be
    /// one; the error does not repeat it, because there can be a password in it.
    pub(crate) fn new(given: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let url = given.get(REDIS_URL).map(|url| url.trim()).filter(|url| !url.is_empty());
        if let Some(url) = url {
            check(url).with_context(|| format!("{REDIS_URL} cannot be used"))?;
        }
        let remote = url.map(|_| Remote::default());
        Ok(Self(Arc::new(Inner { remote, backlogs: Mutex::default(), workers: Mutex::default() })))
    }

    /// For the log: which of the two it is.
    pub(crate) fn kind(&self) -> &'static str {
        if self.0.remote.is_some() { "server" } else { "in-process" }
    }

    /// Whether the triggers can listen at their addresses.
    pub(crate) fn check(&self, subscriptions: &[Subscription]) -> anyhow::Result<()> {
        if self.0.remote.is_some() {
            for Subscription { address, component, .. } in subscriptions {
                check(address).with_context(|| {
                    format!(
                        "the Redis trigger of component `{component}` has no address that it could listen at: {REDIS_URL} must \
                         end with the host or the port, because each trigger adds its own number"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Starts listening for the triggers, one message after the other for each address.
    pub(crate) fn subscribe(
        &self,
        application: &Arc<Application>,
        subscriptions: Vec<Subscription>,
        stop: &watch::Receiver<bool>,
    ) {
        let mut addresses: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for Subscription { address, channel, component } in subscriptions {
            addresses.entry(address).or_default().entry(channel).or_default().push(component);
        }
        for (address, channels) in addresses {
            let backlog = Arc::new(Backlog::default());
            let names: Vec<String> = channels.keys().cloned().collect();
            let mut workers = lock(&self.0.workers);
            if self.0.remote.is_some() {
                let listen = trigger::listen(address, names, Arc::clone(&backlog), stop.clone());
                workers.push(tokio::spawn(listen));
            } else {
                lock(&self.0.backlogs).push((names, Arc::clone(&backlog)));
            }
            workers.push(tokio::spawn(trigger::work(
                Arc::clone(application),
                channels,
                backlog,
                stop.clone(),
            )));
        }
    }

    /// Waits until the messages in progress are handled, after the stop signal.
    pub(crate) async fn wait(&self) {
        let workers = std::mem::take(&mut *lock(&self.0.workers));
        for worker in workers {
            // A worker that panicked handles nothing any more.
            let _ = worker.await;
        }
    }

    /// Publishes in this process. Every address is the same server, and like there the database number plays no part.
    fn publish(&self, channel: &str, payload: &[u8]) {
        for (channels, backlog) in lock(&self.0.backlogs).iter() {
            if channels.iter().any(|name| name == channel) {
                backlog.push(channel, payload);
            }
        }
    }
}

/// What a guest instance has of Redis: room for its connections.
pub(crate) struct Use(Arc<Semaphore>);

impl Default for Use {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CONNECTIONS_MAX)))
    }
}

impl Use {
    /// Room for one connection, free again when it is dropped, however that comes about.
    fn room(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| Error::TooManyConnections)
    }
}

/// A guest's open connection. Clones are the same one.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the generated interfaces re-export it")]
pub struct Link {
    redis: Redis,
    address: Arc<str>,
    _room: Arc<OwnedSemaphorePermit>,
}

impl Link {
    async fn open(redis: Redis, address: String, room: OwnedSemaphorePermit) -> Result<Self, Error> {
        if let Some(remote) = &redis.0.remote {
            remote.connection(&address).await?;
        }
        Ok(Self { redis, address: address.into(), _room: Arc::new(room) })
    }

    async fn query<T: redis::FromRedisValue>(&self, command: redis::Cmd) -> Result<T, Error> {
        match &self.redis.0.remote {
            Some(remote) => remote.query(&self.address, command).await,
            None => Err(Error::Other("this command needs a Redis: set SPIN_VARIABLE_REDIS_URL".to_owned())),
        }
    }
}

/// Whether an address is one of Redis, and one that a permission can be given for.
fn check(address: &str) -> anyhow::Result<()> {
    let url = Url::parse(address).map_err(|_| anyhow::anyhow!("it is not a URL"))?;
    match url.scheme() {
        "redis" => {}
        "rediss" if url.port().is_some() => {}
        "rediss" => bail!("with rediss:// the port has to be given, because permissions know none for it"),
        _ => bail!("it must begin with redis:// or rediss://"),
    }
    anyhow::ensure!(url.host_str().is_some_and(|host| !host.is_empty()), "it has no host");
    redis::Client::open(address).map(drop).map_err(|_| anyhow::anyhow!("Redis knows no such address"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the component may talk to `address`; a denial is logged with the way to allow it.
fn allowed(guest: &Guest, address: &str) -> bool {
    let url = Url::parse(address)
        .ok()
        .filter(Url::has_host)
        .or_else(|| Url::parse(&format!("redis://{address}")).ok());
    let allowed = url.as_ref().is_some_and(|url| guest.runs.allowed.allows(url));
    if !allowed {
        let host = url.as_ref().and_then(Url::host_str).unwrap_or("that address").to_owned();
        tracing::error!(
            component = %guest.runs.component,
            "a connection to the Redis at {host} was denied: if it is wanted, add it to allowed_outbound_hosts of \
             [component.{}]",
            guest.runs.component
        );
    }
    allowed
}

fn link<T>(accessor: &Accessor<T, Me>, connection: &Resource<Connection>) -> wasmtime::Result<Link> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

type Done<T> = wasmtime::Result<Result<T, Error>>;

impl<T: Send> HostConnectionWithStore<T> for Me {
    async fn open(accessor: &Accessor<T, Self>, address: String) -> Done<Resource<Connection>> {
        let may = accessor.with(|mut access| {
            let guest = access.get();
            if !allowed(guest, &address) {
                return Err(Error::InvalidAddress);
            }
            Ok((guest.runs.redis.clone(), guest.redis.room()?))
        });
        let link = match may {
            Ok((redis, room)) => Link::open(redis, address, room).await,
            Err(error) => Err(error),
        };
        match link {
            Ok(link) => accessor.with(|mut access| Ok(Ok(access.get().table.push(link)?))),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> Done<()> {
        let link = link(accessor, &connection)?;
        if link.redis.0.remote.is_none() {
            link.redis.publish(&channel, &payload);
            return Ok(Ok(()));
        }
        let mut command = redis::cmd("PUBLISH");
        command.arg(channel).arg(payload);
        Ok(link.query::<i64>(command).await.map(|_| ()))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Done<Option<Vec<u8>>> {
        let mut command = redis::cmd("GET");
        command.arg(key);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> Done<()> {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn incr(accessor: &Accessor<T, Self>, connection: Resource<Connection>, key: String) -> Done<i64> {
        let mut command = redis::cmd("INCR");
        command.arg(key);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> Done<u32> {
        let mut command = redis::cmd("DEL");
        command.arg(keys);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Done<u32> {
        let mut command = redis::cmd("SADD");
        command.arg(key).arg(values);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> Done<Vec<String>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(key);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> Done<u32> {
        let mut command = redis::cmd("SREM");
        command.arg(key).arg(values);
        Ok(link(accessor, &connection)?.query(command).await)
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Done<Vec<RedisResult>> {
        let mut query = redis::cmd(&command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => query.arg(number),
                RedisParameter::Binary(bytes) => query.arg(bytes),
            };
        }
        let value: Result<redis::Value, Error> = link(accessor, &connection)?.query(query).await;
        Ok(value.and_then(|value| {
            let mut results = Vec::new();
            flatten(value, &mut results)?;
            Ok(results)
        }))
    }
}

/// A reply as the flat list that the interface has.
fn flatten(value: redis::Value, results: &mut Vec<RedisResult>) -> Result<(), Error> {
    use redis::Value;
    match value {
        Value::Nil => results.push(RedisResult::Nil),
        Value::Int(number) => results.push(RedisResult::Int64(number)),
        Value::Boolean(flag) => results.push(RedisResult::Int64(i64::from(flag))),
        Value::Okay => results.push(RedisResult::Status("OK".to_owned())),
        Value::SimpleString(text) => results.push(RedisResult::Status(text)),
        Value::BulkString(bytes) => results.push(RedisResult::Binary(bytes)),
        Value::Array(values) | Value::Set(values) => {
            for value in values {
                flatten(value, results)?;
            }
        }
        Value::Map(pairs) => {
            for (key, value) in pairs {
                flatten(key, results)?;
                flatten(value, results)?;
            }
        }
        Value::ServerError(error) => return Err(other(&error.into())),
        _ => return Err(type_error()),
    }
    Ok(())
}
