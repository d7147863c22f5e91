//! `spin:postgres` on a pool for each address.
//!
//! Guests open connections and run statements as on Spin. What is faster is invisible to them: a connection is cleaned when it
//! comes back and not when it is lent, and what it has prepared stays prepared. Reading order: `pool` (lending), `connection`
//! (statements and answers), `watch` (how it is known that a connection is fit for somebody else).

mod address;
mod connection;
mod fault;
mod parameter;
mod pool;
mod range;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio::sync::Mutex as AsyncMutex;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

pub(crate) use address::origin;

use crate::bindings::imports::spin::postgres::postgres::Column;
use crate::bindings::imports::spin::postgres::postgres::{
    Connection as GuestConnection, ConnectionBuilder, Error, Host, HostConnection, HostConnectionBuilder,
    HostConnectionBuilderWithStore, HostConnectionWithStore, ParameterValue, Row, RowSet,
};
use crate::guest::{Guest, Me};
use address::Address;
use connection::Answer;
use parameter::parameters;
use pool::{Lent, Pool, lock};
use tls::Root;

/// Addresses that have a pool at one time, as on Spin.
const ADDRESSES_MAX: usize = 16;
/// Builders a guest instance may have at one time.
const BUILDERS_MAX: usize = 64;
/// A certificate that a guest trusts may be this long.
const CERTIFICATE_BYTES_MAX: usize = 1024 * 1024;

/// The host's side of Postgres: the pools that all guests share. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Postgres(Arc<Mutex<HashMap<Key, Arc<Pool>>>>);

/// The address and the certificates to trust.
type Key = (String, Option<String>);

impl Postgres {
    /// The pool for an address, which a component with the permissions of `guest` may use.
    fn pool(&self, guest: &Guest, key: Key) -> Result<Arc<Pool>, String> {
        if let Some(pool) = lock(&self.0).get(&key) {
            return denied(guest, pool.check(&guest.runs.allowed)).map(|()| Arc::clone(pool));
        }
        let address = Address::parse(&key.0)?;
        denied(guest, address.check(&guest.runs.allowed))?;
        let root = key.1.as_deref().map(Root::read).transpose()?;
        let pool = Pool::new(address, root.as_ref())?;
        let mut pools = lock(&self.0);
        if pools.len() >= ADDRESSES_MAX && !pools.contains_key(&key) {
            let unused =
                pools.iter().find(|(_, pool)| Arc::strong_count(pool) == 1).map(|(key, _)| key.clone());
            let unused = unused.ok_or_else(|| format!("more than {ADDRESSES_MAX} databases are in use"))?;
            pools.remove(&unused);
        }
        Ok(Arc::clone(pools.entry(key).or_insert(pool)))
    }

    /// Closes all connections in order.
    pub(crate) async fn stop(&self) {
        let pools: Vec<_> = lock(&self.0).drain().map(|(_, pool)| pool).collect();
        futures::future::join_all(pools.iter().map(|pool| pool.stop())).await;
    }

    /// Drops all connections at once.
    pub(crate) fn kill(&self) {
        for (_, pool) in lock(&self.0).drain() {
            pool.kill();
        }
    }
}

/// A denial is logged with the way to allow it.
fn denied(guest: &Guest, check: Result<(), String>) -> Result<(), String> {
    if let Err(fault) = &check {
        tracing::error!(
            component = %guest.runs.component,
            "a connection to Postgres was denied: {fault}; if it is wanted, add the address to allowed_outbound_hosts \
             of [component.{}]",
            guest.runs.component
        );
    }
    check
}

/// What a guest instance has of Postgres.
#[derive(Default)]
pub(crate) struct Use {
    builders: usize,
    /// The pool that was used last: most instances use one.
    last: Option<(Key, Arc<Pool>)>,
}

impl Use {
    fn last(&self, address: &str, root: Option<&str>) -> Option<Arc<Pool>> {
        let ((last, last_root), pool) = self.last.as_ref()?;
        (last == address && last_root.as_deref() == root).then(|| Arc::clone(pool))
    }
}

/// A guest's open connection. Clones are the same one.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the generated interfaces re-export it")]
pub struct Session(Arc<AsyncMutex<Lent>>);

impl Session {
    async fn query(&self, sql: &str, values: &[ParameterValue]) -> Result<Answer, Error> {
        let parameters = parameters(values).map_err(|fault| Error::BadParameter(format!("{fault:#}")))?;
        let mut lent = self.0.lock().await;
        lent.connection().ok_or_else(lost)?.query(sql, &parameters).await
    }

    async fn execute(&self, sql: &str, values: &[ParameterValue]) -> Result<u64, Error> {
        let parameters =
            parameters(values).map_err(|fault| Error::ValueConversionFailed(format!("{fault:#}")))?;
        let mut lent = self.0.lock().await;
        lent.connection().ok_or_else(lost)?.execute(sql, &parameters).await
    }
}

fn lost() -> Error {
    Error::ConnectionFailed("no connection found".to_owned())
}

/// A guest's connection that is not open yet.
#[allow(unreachable_pub, reason = "the generated interfaces re-export it")]
pub struct Builder {
    address: String,
    root: Option<String>,
}

type Opened = Result<Resource<GuestConnection>, Error>;
type Done<T> = wasmtime::Result<Result<T, Error>>;
type Streamed = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

fn pool(guest: &mut Guest, address: String, root: Option<String>) -> Result<Arc<Pool>, String> {
    if let Some(pool) = guest.postgres.last(&address, root.as_deref()) {
        return Ok(pool);
    }
    let key = (address, root);
    let pool = guest.runs.postgres.pool(guest, key.clone())?;
    guest.postgres.last = Some((key, Arc::clone(&pool)));
    Ok(pool)
}

async fn lend(pool: Result<Arc<Pool>, String>) -> Result<Session, Error> {
    let lent = async { pool?.lend().await }.await.map_err(Error::ConnectionFailed)?;
    Ok(Session(Arc::new(AsyncMutex::new(lent))))
}

async fn open<T>(
    accessor: &Accessor<T, Me>,
    address: String,
    root: Option<String>,
) -> wasmtime::Result<Opened> {
    let pool = accessor.with(|mut access| pool(access.get(), address, root));
    match lend(pool).await {
        Ok(session) => accessor.with(|mut access| Ok(Ok(access.get().table.push(session)?))),
        Err(error) => Ok(Err(error)),
    }
}

fn session<T>(
    accessor: &Accessor<T, Me>,
    connection: &Resource<GuestConnection>,
) -> wasmtime::Result<Session> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, address: String) -> wasmtime::Result<Opened> {
        match lend(pool(self, address, None)).await {
            Ok(session) => Ok(Ok(self.table.push(session)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn query(
        &mut self,
        connection: Resource<GuestConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Done<RowSet> {
        let session = self.table.get(&connection)?.clone();
        Ok(match session.query(&statement, &parameters).await {
            Ok(Answer { columns, rows, fault: None }) => Ok(RowSet { columns, rows }),
            Ok(Answer { fault: Some(fault), .. }) | Err(fault) => Err(fault),
        })
    }

    async fn execute(
        &mut self,
        connection: Resource<GuestConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Done<u64> {
        let session = self.table.get(&connection)?.clone();
        Ok(session.execute(&statement, &parameters).await)
    }

    async fn drop(&mut self, connection: Resource<GuestConnection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> HostConnectionWithStore<T> for Me {
    async fn open_async(accessor: &Accessor<T, Self>, address: String) -> wasmtime::Result<Opened> {
        open(accessor, address, None).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<GuestConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Done<Streamed> {
        let session = session(accessor, &connection)?;
        let Answer { columns, rows, fault } = match session.query(&statement, &parameters).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let result = fault.map_or(Ok(()), Err);
            let result =
                FutureReader::new(&mut access, async move { Ok::<_, wasmtime::Error>(result) }.boxed())?;
            Ok(Ok((columns, rows, result)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<GuestConnection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Done<u64> {
        let session = session(accessor, &connection)?;
        Ok(session.execute(&statement, &parameters).await)
    }
}

impl HostConnectionBuilder for Guest {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        if self.postgres.builders >= BUILDERS_MAX {
            return Err(wasmtime::format_err!("more than {BUILDERS_MAX} connection builders at one time"));
        }
        self.postgres.builders += 1;
        Ok(self.table.push(Builder { address, root: None })?)
    }

    async fn set_ca_root(&mut self, builder: Resource<ConnectionBuilder>, certificate: String) -> Done<()> {
        let builder = self.table.get_mut(&builder)?;
        if certificate.len() > CERTIFICATE_BYTES_MAX {
            let fault = format!("invalid root certificate: it has more than {CERTIFICATE_BYTES_MAX} bytes");
            return Ok(Err(Error::Other(fault)));
        }
        if let Err(fault) = Root::read(&certificate) {
            return Ok(Err(Error::Other(format!("invalid root certificate: {fault}"))));
        }
        builder.root = Some(certificate);
        Ok(Ok(()))
    }

    async fn build(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<Opened> {
        let Builder { address, root } = self.table.get(&builder)?;
        let (address, root) = (address.clone(), root.clone());
        match lend(pool(self, address, root)).await {
            Ok(session) => Ok(Ok(self.table.push(session)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        self.postgres.builders = self.postgres.builders.saturating_sub(1);
        Ok(())
    }
}

impl<T: Send> HostConnectionBuilderWithStore<T> for Me {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Opened> {
        let built = accessor.with(|mut access| -> wasmtime::Result<_> {
            let Builder { address, root } = access.get().table.get(&builder)?;
            Ok((address.clone(), root.clone()))
        });
        let (address, root) = built?;
        open(accessor, address, root).await
    }
}
