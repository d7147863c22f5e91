//! The operations on SQLite itself: the same statements, migrations and decoding, without a component around them.

mod advertisements;
mod bulk_buyers;
mod customers;
mod gate;
mod incident_histories;
mod incidents;
mod ledger;
mod letters;
mod migrations;
mod operators;
mod orders;
mod plans;
mod production;
mod properties;
mod queues;
mod return_decisions;
mod return_histories;
mod returns;
mod shop;
