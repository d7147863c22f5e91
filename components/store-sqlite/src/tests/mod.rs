//! The operations on SQLite itself: the same statements, migrations and decoding, without a component around them.

mod gate;
mod ledger;
mod migrations;
mod orders;
mod plans;
mod production;
mod properties;
mod queues;
mod shop;
