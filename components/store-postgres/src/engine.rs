//! What Postgres does in its own way: one statement tells all there is to say about what it did, or why it did nothing.

use restock_store::customers::{self, Buyer};
use restock_store::orders::{self, Asked, Placed};
use restock_store::partners::{self, Caller, Entered, Gate};
use restock_store::restock::catalog::Product;
use restock_store::restock::partners::Pass;
use restock_store::restock::production::{Delivery, Receipt};
use restock_store::restock::returns::{Decision, Replaying, Settling};
use restock_store::restock::stock::{Adjusting, Adjustment};
use restock_store::restock::types::Fault;
use restock_store::{
    Database, Engine, Row, Statements, Value, catalog, corrupt, millis, only, returns, stock,
};

use crate::connection::{CUSTOMERS, SHOP, Shared};

/// Postgres.
pub(crate) struct Postgres;

impl Engine for Postgres {
    type Database = Shared;

    const NAME: &'static str = "postgres";
    const SQL: &'static Statements = &restock_store::statements!();

    fn shop() -> &'static Shared {
        &SHOP
    }

    fn customers() -> &'static Shared {
        &CUSTOMERS
    }

    async fn schema_version() -> Result<u32, Fault> {
        SHOP.check().await
    }

    async fn placed(
        _: &impl Database<Engine = Self>,
        answer: Option<Row>,
        _: Asked,
    ) -> Result<Placed, Fault> {
        let mut row = told(answer)?;
        let outcome = row.text()?;
        let unknown: Option<Vec<String>> = row.optional_json()?;
        match outcome.as_str() {
            "recorded" => orders::found(row).map(Placed::Kept),
            "unknown-skus" => Ok(Placed::UnknownSkus(unknown.unwrap_or_default())),
            "mixed-currencies" => Ok(Placed::MixedCurrencies),
            other => Err(strange(other)),
        }
    }

    async fn adjusted(
        _: &impl Database<Engine = Self>,
        answer: Option<Row>,
        adjustment: Adjustment,
    ) -> Result<Adjusting, Fault> {
        let mut row = told(answer)?;
        let outcome = row.text()?;
        let (on_hand, sku) = (row.optional_integer()?, row.optional_text()?);
        match outcome.as_str() {
            "adjusted" => stock::movement(row).map(Adjusting::Adjusted),
            "key-used" => Ok(stock::repeated(&sku.unwrap_or_default(), stock::movement(row)?, &adjustment)),
            "would-go-negative" => Ok(Adjusting::WouldGoNegative(on_hand.unwrap_or_default())),
            "unknown-sku" => Ok(Adjusting::UnknownSku),
            other => Err(strange(other)),
        }
    }

    async fn receive(
        database: &impl Database<Engine = Self>,
        delivery: Delivery,
        quantity: i64,
        at: u64,
    ) -> Result<Option<Receipt>, Fault> {
        let rows = match delivery {
            Delivery::OfRequest(id) => {
                let parameters = vec![id.into(), quantity.into(), millis(at)];
                database.write_keyed(Self::SQL.production_receive, parameters).await?
            }
            // Not repeated by itself: what comes without a request has no number by which it is known again.
            Delivery::OfProduct(sku) => {
                let parameters = vec![sku.into(), quantity.into(), millis(at)];
                database.write(Self::SQL.production_receive_open, parameters).await?
            }
        };
        rows.into_iter()
            .next()
            .map(|mut row| {
                Ok(Receipt {
                    production_id: row.optional_text()?,
                    sku: row.text()?,
                    on_hand: row.integer()?,
                    repeated: row.flag()?,
                    traceparent: row.optional_text()?,
                })
            })
            .transpose()
    }

    async fn defined(_: &impl Database<Engine = Self>, mut answer: Row, _: String) -> Result<Product, Fault> {
        catalog::product(&mut answer)
    }

    async fn levels_set(
        _: &impl Database<Engine = Self>,
        answer: Option<Row>,
        _: Vec<Value>,
    ) -> Result<bool, Fault> {
        told(answer)?.flag()
    }

    async fn entered(
        _: &impl Database<Engine = Self>,
        answer: Option<Row>,
        caller: Caller,
    ) -> Result<Entered, Fault> {
        let Some(mut row) = answer else {
            return Err(partners::unknown(&caller.partner));
        };
        match (row.optional_text()?, row.optional_integer()?, row.optional_flag()?) {
            (Some(id), Some(start_at), Some(probe)) => Ok(Entered::Admitted(Pass { id, start_at, probe })),
            _ => Gate::read(row).map(Entered::Shut),
        }
    }

    async fn buyer(_: &impl Database<Engine = Self>, answer: Row, _: String) -> Result<Option<Buyer>, Fault> {
        if answer.is_absent() { Ok(None) } else { customers::buyer(answer).map(Some) }
    }

    async fn return_received(
        database: &impl Database<Engine = Self>,
        decision: Decision,
        sku: Option<String>,
        quantity: Option<i64>,
    ) -> Result<Settling, Fault> {
        let mut row = told(returns::try_to_receive(database, &decision, sku.as_ref(), quantity).await?)?;
        let outcome = row.text()?;
        let at_most = row.optional_integer()?;
        decided(&outcome, at_most, row)
    }

    async fn return_discarded(
        database: &impl Database<Engine = Self>,
        decision: Decision,
    ) -> Result<Settling, Fault> {
        let mut row = told(returns::try_to_discard(database, &decision).await?)?;
        let outcome = row.text()?;
        decided(&outcome, None, row)
    }

    async fn replayed(
        _: &impl Database<Engine = Self>,
        answer: Option<Row>,
        _: Vec<Value>,
    ) -> Result<Replaying, Fault> {
        let mut row = told(answer)?;
        let outcome = row.text()?;
        let entry = returns::entry(&mut row)?;
        match outcome.as_str() {
            "begun" => Ok(Replaying::Begun(entry)),
            "resumed" => Ok(Replaying::Resumed(entry)),
            "over" => Ok(Replaying::Over(entry)),
            other => Err(strange(other)),
        }
    }
}

/// What became of a decision on a return, whose columns come next in the row.
fn decided(outcome: &str, at_most: Option<i64>, mut row: Row) -> Result<Settling, Fault> {
    Ok(match outcome {
        "unknown-return" => Settling::UnknownReturn,
        "unknown-sku" => Settling::UnknownSku,
        "quantity-needed" => Settling::QuantityNeeded,
        "too-many" => Settling::TooMany(at_most.unwrap_or_default()),
        "settled" => Settling::Settled(returns::entry(&mut row)?),
        "repeated" => Settling::Repeated(returns::entry(&mut row)?),
        "otherwise" => Settling::Otherwise(returns::entry(&mut row)?),
        "too-early" => Settling::TooEarly(returns::entry(&mut row)?),
        "nothing-matches" => Settling::NothingMatches(returns::entry(&mut row)?),
        other => return Err(strange(other)),
    })
}

/// The row of a statement that always has one.
fn told(answer: Option<Row>) -> Result<Row, Fault> {
    answer.map_or_else(|| only(Vec::new()), Ok)
}

/// A function of a schema that this program does not know.
fn strange(outcome: &str) -> Fault {
    corrupt(format!("a statement came to the unknown outcome {outcome:?}"))
}
