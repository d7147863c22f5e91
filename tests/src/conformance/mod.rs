//! What the interface `restock:domain` promises, held against every store.
//!
//! The store is the built component. It runs on the embedded host's own implementation of what it imports, on real databases
//! of its own, and is called through its exports and nothing else; only where a test is about a damaged or a foreign database
//! does it reach around the store. Nothing here knows how a store works, so each engine passes the same tests: a new one is
//! a variant of [`store::Engine`] and a line in [`on_every_engine`].
//!
//! Where a promise is about one engine, its file says so: `plans` and `migrations`.
//!
//! One file per interface (the queue has a second one for its operators; of returns, the collections, the goods and what operators
//! decide have files of their own), one for what happens between instances, and some for random histories beside a model.

/// Makes a test for every engine of each of these functions.
macro_rules! on_every_engine {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::conformance::store::Engine::Sqlite).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test($crate::conformance::store::Engine::Postgres).await;
                }
            )*
        }
    };
}

mod any_history;
mod bindings;
mod cluster;
mod parcels;
mod shop;
mod store;

mod ads;
mod alerts;
mod catalog;
mod collections;
mod customers;
mod deaths;
mod history_of_advertisements;
mod history_of_incidents;
mod history_of_levels;
mod history_of_messages;
mod history_of_returns;
mod history_of_stock;
mod history_of_traces;
mod insight;
mod letters;
mod lists;
mod migrations;
mod operators;
mod ops;
mod orders;
mod partners;
mod plans;
mod production;
mod queue;
mod replays;
mod returned_goods;
mod returns;
mod stock;
mod together;
mod traces;
