//! What SQLite does in its own way: a statement that writes tells no more than that it did, and what else there is to say another
//! one reads.
//!
//! So something can come in between the two. What was written stands in any case; where it is the second statement that says why
//! nothing was, it is asked for again or the caller is told to.

use std::collections::BTreeSet;

use restock_store::customers::{self, Buyer};
use restock_store::orders::{self, Asked, Placed};
use restock_store::partners::{self, Caller, Entered, Gate};
use restock_store::restock::catalog::Product;
use restock_store::restock::production::{Delivery, Receipt};
use restock_store::restock::returns::{Decision, Goods, Item, Replaying, Settling};
use restock_store::restock::stock::{Adjusting, Adjustment};
use restock_store::restock::types::Fault;
use restock_store::{
    Database, Engine, Row, Statements, Value, catalog, corrupt, millis, only, returns, stock,
};

use crate::connection::{CUSTOMERS, SHOP, Shared};

/// How often a delivery for a product looks for the right door while requests open and close.
const DOORS_TRIED_MAX: u32 = 4;
/// How often a decision is tried while others decide on the same goods.
const DECISIONS_TRIED_MAX: u32 = 4;

/// SQLite.
pub(crate) struct Sqlite;

impl Engine for Sqlite {
    type Database = Shared;

    const NAME: &'static str = "sqlite";
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

    /// No row: nothing was inserted. A used key comes first: prices can have changed since, and the first answer stands.
    async fn placed(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        asked: Asked,
    ) -> Result<Placed, Fault> {
        if let Some(row) = answer {
            return orders::found(row).map(Placed::Kept);
        }
        if let Some(key) = asked.idempotency_key
            && let Some(row) =
                database.read_one(include_str!("sql/order_get_by_key.sql"), vec![key.into()]).await?
        {
            return orders::found(row).map(Placed::Kept);
        }
        let mut unknown = Vec::new();
        let mut currencies = BTreeSet::new();
        for mut row in database.read(include_str!("sql/order_diagnose.sql"), vec![asked.items]).await? {
            let sku = row.text()?;
            match row.optional_text()? {
                Some(currency) => {
                    currencies.insert(currency);
                }
                None => unknown.push(sku),
            }
        }
        if !unknown.is_empty() {
            return Ok(Placed::UnknownSkus(unknown));
        }
        if currencies.len() > 1 {
            return Ok(Placed::MixedCurrencies);
        }
        // The catalogue changed between the two statements. Nothing was written; the client can ask again.
        Err(Fault::Unavailable("the products of the order were being changed".into()))
    }

    /// No row: nothing was inserted.
    async fn adjusted(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        adjustment: Adjustment,
    ) -> Result<Adjusting, Fault> {
        if let Some(row) = answer {
            return stock::movement(row).map(Adjusting::Adjusted);
        }
        if let Some(key) = adjustment.idempotency_key.as_deref()
            && let Some(mut row) =
                database.read_one(include_str!("sql/movement_get_by_key.sql"), vec![key.into()]).await?
        {
            let sku = row.text()?;
            return Ok(stock::repeated(&sku, stock::movement(row)?, &adjustment));
        }
        Ok(match stock::on_hand(database, adjustment.sku).await? {
            Some(on_hand) => Adjusting::WouldGoNegative(on_hand),
            None => Adjusting::UnknownSku,
        })
    }

    async fn receive(
        database: &impl Database<Engine = Self>,
        delivery: Delivery,
        quantity: i64,
        at: u64,
    ) -> Result<Option<Receipt>, Fault> {
        match delivery {
            Delivery::OfRequest(id) => {
                let parameters = vec![id.as_str().into(), quantity.into(), millis(at)];
                let rows = database.write_keyed(Self::SQL.production_receive, parameters).await?;
                receipt(database, id, rows.is_empty()).await
            }
            Delivery::OfProduct(sku) => receive_for_product(database, sku, quantity, at).await,
        }
    }

    /// The opening stock is booked by a trigger, after the row was answered.
    async fn defined(
        database: &impl Database<Engine = Self>,
        _answer: Row,
        sku: String,
    ) -> Result<Product, Fault> {
        catalog::product(&mut only(database.read(Self::SQL.product_get, vec![sku.into()]).await?)?)
    }

    /// No row: nothing was changed.
    async fn levels_set(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        levels: Vec<Value>,
    ) -> Result<bool, Fault> {
        Ok(answer.is_some()
            || database.read_one(include_str!("sql/product_has_levels.sql"), levels).await?.is_some())
    }

    /// No row: nobody was let through.
    async fn entered(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        caller: Caller,
    ) -> Result<Entered, Fault> {
        if let Some(mut row) = answer {
            return partners::pass(&mut row).map(Entered::Admitted);
        }
        let Caller { partner, now, slot_true_ms_max } = caller;
        let parameters = vec![partner.as_str().into(), millis(now), millis(slot_true_ms_max)];
        match database.read_one(include_str!("sql/partner_gate.sql"), parameters).await? {
            Some(row) => Gate::read(row).map(Entered::Shut),
            None => Err(partners::unknown(&partner)),
        }
    }

    /// The promotion is a trigger's, after the row was answered.
    async fn buyer(
        database: &impl Database<Engine = Self>,
        _answer: Row,
        customer_id: String,
    ) -> Result<Option<Buyer>, Fault> {
        customers::read(database, customer_id).await
    }

    async fn return_received(
        database: &impl Database<Engine = Self>,
        decision: Decision,
        sku: Option<String>,
        quantity: Option<i64>,
    ) -> Result<Settling, Fault> {
        for _ in 0..DECISIONS_TRIED_MAX {
            if let Some(mut row) =
                returns::try_to_receive(database, &decision, sku.as_ref(), quantity).await?
            {
                return Ok(Settling::Settled(returns::entry(&mut row)?));
            }
            let Some(entry) = returns::get(database, decision.return_id.clone()).await? else {
                return Ok(Settling::UnknownReturn);
            };
            match entry.goods {
                Goods::Pending => return Ok(Settling::TooEarly(entry)),
                Goods::Discarded => return Ok(Settling::Otherwise(entry)),
                Goods::Received => {
                    let same = |item: &Item| {
                        sku.as_ref().is_none_or(|sku| item.sku == *sku)
                            && quantity.is_none_or(|quantity| item.quantity == quantity)
                    };
                    let by_operator = !entry.settled_by.is_empty();
                    let repeated = by_operator && entry.received.as_ref().is_some_and(same);
                    return Ok(if repeated { Settling::Repeated(entry) } else { Settling::Otherwise(entry) });
                }
                Goods::NotOurs | Goods::Left | Goods::Waiting => {}
            }
            if let Some(sku) = &sku
                && stock::on_hand(database, sku.clone()).await?.is_none()
            {
                return Ok(Settling::UnknownSku);
            }
            let parameters = vec![decision.return_id.as_str().into(), sku.clone().into()];
            let left = database.read_one(include_str!("sql/return_settling.sql"), parameters).await?;
            let left: Option<i64> = left.map(|mut row| row.integer()).transpose()?;
            match (left, quantity) {
                (None, _) if sku.is_none() => return Ok(Settling::NothingMatches(entry)),
                (None, None) => return Ok(Settling::QuantityNeeded),
                (_, Some(quantity)) if quantity < 1 => return Ok(Settling::QuantityNeeded),
                (Some(left), Some(quantity)) if quantity > left => return Ok(Settling::TooMany(left)),
                (Some(0), None) => return Ok(Settling::TooMany(0)),
                // It could be carried out now: somebody else's decision came in between.
                _ => {}
            }
        }
        Err(Fault::Unavailable(
            "returns of the same order are received too fast to decide on this one".into(),
        ))
    }

    async fn return_discarded(
        database: &impl Database<Engine = Self>,
        decision: Decision,
    ) -> Result<Settling, Fault> {
        for _ in 0..DECISIONS_TRIED_MAX {
            if let Some(mut row) = returns::try_to_discard(database, &decision).await? {
                return Ok(Settling::Settled(returns::entry(&mut row)?));
            }
            let Some(entry) = returns::get(database, decision.return_id.clone()).await? else {
                return Ok(Settling::UnknownReturn);
            };
            match entry.goods {
                Goods::Pending => return Ok(Settling::TooEarly(entry)),
                Goods::Discarded => return Ok(Settling::Repeated(entry)),
                Goods::Received => return Ok(Settling::Otherwise(entry)),
                // It was reported in between.
                Goods::NotOurs | Goods::Left | Goods::Waiting => {}
            }
        }
        Err(Fault::Unavailable("the return changes too fast to decide on it".into()))
    }

    /// No row: there was nothing left to follow.
    async fn replayed(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        item: Vec<Value>,
    ) -> Result<Replaying, Fault> {
        let begun = answer.map(|mut row| Ok::<_, Fault>(row.text()? == "begun")).transpose()?;
        let entry = database
            .read_one(include_str!("sql/return_get_by_item.sql"), item)
            .await?
            .map(|mut row| returns::entry(&mut row))
            .transpose()?
            .ok_or_else(|| corrupt("a return that was replayed is not there"))?;
        Ok(match begun {
            Some(true) => Replaying::Begun(entry),
            Some(false) => Replaying::Resumed(entry),
            None => Replaying::Over(entry),
        })
    }
}

/// Books goods for whichever request is open, or for none. Each door is one statement that looks before it writes, so
/// at most one of them takes the goods, whoever opens or closes a request in between.
async fn receive_for_product(
    database: &impl Database<Engine = Sqlite>,
    sku: String,
    quantity: i64,
    at: u64,
) -> Result<Option<Receipt>, Fault> {
    for _ in 0..DOORS_TRIED_MAX {
        let parameters = vec![sku.as_str().into(), quantity.into(), millis(at)];
        let open = database.write(Sqlite::SQL.production_receive_open, parameters.clone()).await?;
        if let Some(mut row) = open.into_iter().next() {
            return receipt(database, row.text()?, false).await;
        }
        let booked = database.write(include_str!("sql/stock_receive.sql"), parameters).await?;
        let Some(on_hand) = stock::on_hand(database, sku.clone()).await? else {
            return Ok(None);
        };
        if !booked.is_empty() {
            return Ok(Some(Receipt {
                production_id: None,
                sku,
                on_hand,
                repeated: false,
                traceparent: None,
            }));
        }
    }
    Err(Fault::Unavailable("requests for the product open and close too fast to book its goods".into()))
}

/// What the report of a received request is answered with: the number that its first report got.
async fn receipt(
    database: &impl Database<Engine = Sqlite>,
    id: String,
    repeated: bool,
) -> Result<Option<Receipt>, Fault> {
    let row = database.read_one(include_str!("sql/production_receipt.sql"), vec![id.as_str().into()]).await?;
    let Some(mut row) = row else {
        return Ok(None);
    };
    let sku = row.text()?;
    let on_hand = row
        .optional_integer()?
        .ok_or_else(|| corrupt(format!("production {id} was received and has no level to show for it")))?;
    Ok(Some(Receipt { production_id: Some(id), sku, on_hand, repeated, traceparent: row.optional_text()? }))
}
