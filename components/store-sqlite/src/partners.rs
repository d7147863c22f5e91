//! The gate in front of another company's system.

use spin_sdk::sqlite::Value;

use crate::Store;
use crate::connection::SHOP;
use crate::database::Database;
use crate::restock::partners::{Admission, Circuit, Guest, Health, Hindrance, Limits, Pass, State};
use crate::restock::types::Fault;
use crate::row::{Row, corrupt, millis};

/// How far away a slot may be that a caller waits for with its pass in hand.
const SLOT_AHEAD_MS_MAX: u64 = 1_000;
/// How far away a slot can be at all: five minutes, for which a busy partner is left alone at most, and one by which the clocks of its
/// callers may differ.
const SLOT_TRUE_MS_MAX: u64 = 6 * 60 * 1_000;
/// When to come back for a pass that someone holds: calls mostly end long before their passes expire.
const HELD_PASS_WAIT_MS: u64 = 250;
/// Microseconds in a second.
const SECOND_US: u32 = 1_000_000;
/// How much longer one call may be on its way than another. So much longer than a second take the calls of a second, or the partner
/// could see one more of them than it allows.
const JITTER_US: u32 = 50_000;

impl Guest for Store {
    async fn enter(partner: String, limits: Limits, now: u64) -> Result<Admission, Fault> {
        enter(&SHOP, partner, limits, now).await
    }

    async fn leave(pass_id: String, health: Health, now: u64) -> Result<(), Fault> {
        leave(&SHOP, pass_id, health, now).await
    }

    async fn list(now: u64) -> Result<Vec<State>, Fault> {
        list(&SHOP, now).await
    }
}

/// Asks for leave to call.
pub(crate) async fn enter(
    database: &impl Database,
    partner: String,
    limits: Limits,
    now: u64,
) -> Result<Admission, Fault> {
    let spacing_us = (SECOND_US + JITTER_US).div_ceil(limits.rate_per_second.max(1));
    let concurrency = limits.concurrency.max(1);
    let parameters = vec![
        partner.as_str().into(),
        millis(now),
        spacing_us.into(),
        concurrency.into(),
        millis(limits.hold_ms),
        millis(SLOT_AHEAD_MS_MAX),
        millis(SLOT_TRUE_MS_MAX),
    ];
    let rows = database.write(include_str!("sql/partner_enter.sql"), parameters).await?;
    if let Some(mut row) = rows.into_iter().next() {
        return Ok(Admission::Admitted(Pass {
            id: row.text()?,
            start_at: row.integer()?,
            probe: row.flag()?,
        }));
    }
    let parameters = vec![partner.as_str().into(), millis(now), millis(SLOT_TRUE_MS_MAX)];
    match database.read_one(include_str!("sql/partner_gate.sql"), parameters).await? {
        Some(row) => Ok(Admission::Wait(Gate::read(row)?.wait(concurrency, now))),
        None => Err(corrupt(format!("there is no partner named {partner:?}"))),
    }
}

/// Gives a pass back.
pub(crate) async fn leave(
    database: &impl Database,
    pass_id: String,
    health: Health,
    now: u64,
) -> Result<(), Fault> {
    let (health, busy_until) = match health {
        Health::Well => ("well", Value::Null),
        Health::Failing => ("failing", Value::Null),
        Health::Busy(until) => ("well", millis(until)),
    };
    let parameters = vec![pass_id.into(), health.into(), millis(now), busy_until];
    database.write_keyed(include_str!("sql/partner_leave.sql"), parameters).await?;
    Ok(())
}

/// Reads all partners.
pub(crate) async fn list(database: &impl Database, now: u64) -> Result<Vec<State>, Fault> {
    let parameters = vec![millis(now), millis(SLOT_TRUE_MS_MAX)];
    let rows = database.read(include_str!("sql/partner_list.sql"), parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(State {
                partner: row.text()?,
                circuit: row.word(|word| match word {
                    "closed" => Some(Circuit::Closed),
                    "open" => Some(Circuit::Open),
                    "half-open" => Some(Circuit::HalfOpen),
                    _ => None,
                })?,
                failures: row.integer()?,
                failures_max: row.integer()?,
                opened_at: row.optional_integer()?,
                probe_at: row.optional_integer()?,
                next_slot_at: row.integer()?,
                in_flight: row.integer()?,
                calls_total: row.integer()?,
                failures_total: row.integer()?,
            })
        })
        .collect()
}

/// A gate that let nobody through.
struct Gate {
    failing: bool,
    probe_at: Option<u64>,
    next_slot_us: u64,
    in_use: u32,
    first_expiry: Option<u64>,
    probe_expiry: Option<u64>,
}

impl Gate {
    fn read(mut row: Row) -> Result<Self, Fault> {
        Ok(Self {
            failing: row.flag()?,
            probe_at: row.optional_integer()?,
            next_slot_us: row.integer()?,
            in_use: row.integer()?,
            first_expiry: row.optional_integer()?,
            probe_expiry: row.optional_integer()?,
        })
    }

    /// When to come back and why. A gate that opened since the refusal says "in a moment".
    fn wait(&self, concurrency: u32, now: u64) -> (u64, Hindrance) {
        let held = |expiry: Option<u64>| expiry.unwrap_or(now).clamp(now + 1, now + HELD_PASS_WAIT_MS);
        if self.failing && (self.probe_expiry.is_some() || self.probe_at.is_some_and(|at| at > now)) {
            let probe_at = self.probe_at.unwrap_or(now);
            return (probe_at.max(held(self.probe_expiry)), Hindrance::CircuitOpen);
        }
        if self.in_use >= concurrency {
            return (held(self.first_expiry), Hindrance::Concurrency);
        }
        let in_reach = self.next_slot_us.div_ceil(1_000).saturating_sub(SLOT_AHEAD_MS_MAX);
        (in_reach.max(now + 1), Hindrance::Rate)
    }
}
