//! Connections to a real Redis, one for each address, shared by all guests.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, RedisError};
use tokio::sync::Mutex;

use crate::bindings::imports::spin::redis::redis::Error;

/// Addresses that may have a connection at one time.
const ADDRESSES_MAX: usize = 64;
/// How long a connection may take to come about.
pub(super) const CONNECT_MS_MAX: u64 = 3_000;
/// How long a command may take.
const RESPONSE_MS_MAX: u64 = 10_000;

#[derive(Default)]
pub(super) struct Remote(Mutex<HashMap<String, MultiplexedConnection>>);

impl Remote {
    /// The connection to `address`, made now if there is none.
    pub(super) async fn connection(&self, address: &str) -> Result<MultiplexedConnection, Error> {
        // Held while connecting, which is bounded: guests that come meanwhile want the same connection.
        let mut connections = self.0.lock().await;
        if let Some(connection) = connections.get(address) {
            return Ok(connection.clone());
        }
        if connections.len() >= ADDRESSES_MAX {
            return Err(Error::TooManyConnections);
        }
        let client = Client::open(address).map_err(|_| Error::InvalidAddress)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(CONNECT_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)));
        let connection = client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| other(&error))?;
        connections.insert(address.to_owned(), connection.clone());
        Ok(connection)
    }

    /// Runs one command. A connection that broke is forgotten, so that the next command makes a new one.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        address: &str,
        command: redis::Cmd,
    ) -> Result<T, Error> {
        let mut connection = self.connection(address).await?;
        match command.query_async(&mut connection).await {
            Ok(value) => Ok(value),
            Err(error) => {
                if error.is_unrecoverable_error() || error.is_io_error() {
                    self.0.lock().await.remove(address);
                }
                Err(other(&error))
            }
        }
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
