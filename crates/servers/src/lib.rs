//! Private Postgres clusters and Redis servers, for whoever needs real ones that it may stop, kill and throw away: tests and
//! benches.
//!
//! A server keeps everything in a temporary folder, listens on 127.0.0.1 and nowhere else, and ends with its value; it also
//! ends when the process that started it dies in any other way. Where a server is handed in through the environment
//! ([`POSTGRES_VARIABLE`], [`REDIS_VARIABLE`]), [`any_postgres`] and [`any_redis`] use that one: a run of many test processes
//! needs one cluster, not one each.
//!
//! All functions block.

mod databases;
mod port;
mod postgres;
mod process;
mod redis;

pub use databases::{Databases, POSTGRES_VARIABLE, SharedPostgres, any_postgres, rows};
pub use postgres::{Postgres, Settings, Stop};
pub use redis::{REDIS_VARIABLE, Redis, SharedRedis, any_redis};
