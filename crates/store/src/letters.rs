//! The ledger of letters: which provider has which.

use crate::Store;
use crate::database::Database;
use crate::engine::Engine;
use crate::restock::letters::{Guest, Posting, Standing};
use crate::restock::types::Fault;
use crate::row::{corrupt, millis};

impl<E: Engine> Guest for Store<E> {
    async fn look(id: String) -> Result<Standing, Fault> {
        look(E::shop(), id).await
    }

    async fn entrust(id: String, provider: String, content: String, now: u64) -> Result<bool, Fault> {
        entrust(E::shop(), id, provider, content, now).await
    }

    async fn release(id: String, provider: String) -> Result<(), Fault> {
        release(E::shop(), id, provider).await
    }

    async fn sent(id: String, provider: String, provider_ref: String, now: u64) -> Result<(), Fault> {
        sent(E::shop(), id, provider, provider_ref, now).await
    }
}

/// Reads where a letter is.
pub async fn look(database: &impl Database, id: String) -> Result<Standing, Fault> {
    let Some(mut row) = database.read_one(database.sql().letter_get, vec![id.into()]).await? else {
        return Ok(Standing::Unsent);
    };
    let (state, provider, content) = (row.text()?, row.text()?, row.text()?);
    let (sent_at, offers) = (row.optional_integer()?, row.integer()?);
    match (state.as_str(), sent_at) {
        ("released", _) => Ok(Standing::Unsent),
        ("entrusted", _) => Ok(Standing::Entrusted(Posting { provider, content, offers })),
        ("sent", Some(at)) => Ok(Standing::Sent(at)),
        (other, _) => Err(corrupt(format!("a letter is in the unknown state {other:?}"))),
    }
}

/// Gives a letter to a provider.
pub async fn entrust(
    database: &impl Database,
    id: String,
    provider: String,
    content: String,
    now: u64,
) -> Result<bool, Fault> {
    let parameters = vec![id.into(), provider.into(), content.into(), millis(now)];
    let rows = database.write_keyed(database.sql().letter_entrust, parameters).await?;
    Ok(!rows.is_empty())
}

/// Takes a letter back that was surely not sent.
pub async fn release(database: &impl Database, id: String, provider: String) -> Result<(), Fault> {
    let parameters = vec![id.into(), provider.into()];
    database.write_keyed(database.sql().letter_release, parameters).await?;
    Ok(())
}

/// Notes that a letter was sent.
pub async fn sent(
    database: &impl Database,
    id: String,
    provider: String,
    provider_ref: String,
    now: u64,
) -> Result<(), Fault> {
    let parameters = vec![id.into(), provider.into(), provider_ref.into(), millis(now)];
    database.write_keyed(database.sql().letter_sent, parameters).await?;
    Ok(())
}
