//! Connections to a real Redis, one for each address, shared by all guests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError};
use tokio::sync::Mutex;

use crate::bindings::imports::spin::redis::redis::Error;

/// Addresses that may have a connection at one time.
const ADDRESSES_MAX: usize = 64;
/// How long a connection may take to come about.
pub(super) const CONNECT_MS_MAX: u64 = 3_000;
/// How long a command may take.
const RESPONSE_MS_MAX: u64 = 10_000;
/// After how long without a byte a server is asked whether it is still there, how often then, and how long nothing that was sent
/// may be confirmed. A machine that goes without a good-bye is missed in no other way.
const SILENCE_MS_MAX: u64 = 15_000;
const PROBE_MS: u64 = 5_000;
const PROBES_MAX: u32 = 3;
const UNCONFIRMED_MS_MAX: u64 = 30_000;

#[derive(Default)]
pub(super) struct Remote(Mutex<HashMap<String, Kept>>);

/// A connection, and whether somebody has reason to doubt it.
#[derive(Clone)]
pub(super) struct Kept {
    connection: MultiplexedConnection,
    doubted: Arc<AtomicBool>,
}

/// Doubts a connection when it goes, unless it was told that all is well. So does a command that nobody waits for any more: its
/// guest may have gone because there was no answer.
struct Doubt<'a>(Option<&'a AtomicBool>);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(doubted) = self.0 {
            doubted.store(true, Ordering::Relaxed);
        }
    }
}

/// What connects to `address`, and finds out when the other side has gone without a word.
pub(super) fn client(address: &str) -> redis::RedisResult<Client> {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_millis(SILENCE_MS_MAX))
        .with_interval(Duration::from_millis(PROBE_MS))
        .with_retries(PROBES_MAX);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_millis(UNCONFIRMED_MS_MAX));
    Client::open(address.into_connection_info()?.set_tcp_settings(settings))
}

impl Remote {
    /// The connection to `address`, made now if there is none that works.
    pub(super) async fn connection(&self, address: &str) -> Result<Kept, Error> {
        // Held while connecting, which is bounded: guests that come meanwhile want the same connection.
        let mut connections = self.0.lock().await;
        let kept = connections.get(address).filter(|kept| !kept.doubted.load(Ordering::Relaxed));
        if let Some(kept) = kept {
            return Ok(kept.clone());
        }
        connections.retain(|_, kept| !kept.doubted.load(Ordering::Relaxed));
        if connections.len() >= ADDRESSES_MAX {
            return Err(Error::TooManyConnections);
        }
        let client = client(address).map_err(|_| Error::InvalidAddress)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(CONNECT_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| other(&error))?;
        let kept = Kept { connection, doubted: Arc::default() };
        connections.insert(address.to_owned(), kept.clone());
        Ok(kept)
    }

    /// Runs one command. A connection that broke, or whose answer nobody waited for, is forgotten: the next command makes a new
    /// one.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        address: &str,
        command: redis::Cmd,
    ) -> Result<T, Error> {
        let Kept { mut connection, doubted } = self.connection(address).await?;
        let mut doubt = Doubt(Some(&doubted));
        let result = command.query_async(&mut connection).await;
        if !result.as_ref().is_err_and(|error| error.is_unrecoverable_error() || error.is_io_error()) {
            doubt.0 = None;
        }
        result.map_err(|error| other(&error))
    }
}

/// The interface's error for one of the client's.
pub(super) fn other(error: &RedisError) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedReturnType => Error::TypeError,
        _ => Error::Other(error.to_string()),
    }
}

/// The error for a value that the interface has no form for.
pub(super) fn type_error() -> Error {
    Error::TypeError
}
