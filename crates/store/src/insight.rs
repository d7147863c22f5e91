//! Numbers for people who watch and for monitoring systems.

use crate::Store;
use crate::engine::Engine;
use crate::history::stock_history;
use crate::restock::insight::{
    Cover, Guest, Level, Minute, OrderTotals, ProductionTotals, ShopTotals, StockTotals,
};
use crate::restock::types::Fault;

impl<E: Engine> Guest for Store<E> {
    async fn orders_by_minute(_since: u64) -> Result<Vec<Minute>, Fault> {
        Ok(Vec::new())
    }

    async fn at_risk(_limit: u32, _now: u64) -> Result<Vec<Cover>, Fault> {
        Ok(Vec::new())
    }

    async fn cover_of(_sku: String, _now: u64) -> Result<Option<Cover>, Fault> {
        Ok(None)
    }

    async fn stock_history(sku: String, since: u64, samples: u32) -> Result<Option<Vec<Level>>, Fault> {
        stock_history(E::shop(), sku, since, samples).await
    }

    async fn totals() -> Result<ShopTotals, Fault> {
        Ok(ShopTotals {
            stock: StockTotals { products: 0, depleted: 0, low: 0, on_hand: 0, on_order: 0, backordered: 0 },
            orders: OrderTotals { accepted: 0, backordered: 0, rejected: 0, waiting: 0 },
            production: ProductionTotals {
                planned: 0,
                requested: 0,
                overdue: 0,
                failed: 0,
                received: 0,
                cancelled: 0,
                lead_times: Vec::new(),
                lead_time_ms_sum: 0,
            },
            incidents_open: 0,
            ticked_at: None,
        })
    }
}
