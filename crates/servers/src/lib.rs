//! Private Postgres clusters, Redis servers and browsers, for whoever needs real ones that it may stop, kill and throw away:
//! tests and benches.
//!
//! A server keeps everything in a temporary folder, listens on 127.0.0.1 and nowhere else, and ends with its value; it also
//! ends when the process that started it dies in any other way. Where a cluster is handed in through the environment
//! ([`POSTGRES_VARIABLE`]), [`any_postgres`] uses that one: a run of many test processes needs one, not one each. A Redis is
//! never shared: publish and subscribe know no databases, so it would ring in all of them.
//!
//! All functions block.

mod chromedriver;
mod databases;
mod port;
mod postgres;
mod process;
mod redis;

pub use chromedriver::ChromeDriver;
pub use databases::{Databases, POSTGRES_VARIABLE, SharedPostgres, any_postgres, rows};
pub use postgres::{Postgres, Settings, Stop};
pub use redis::Redis;
