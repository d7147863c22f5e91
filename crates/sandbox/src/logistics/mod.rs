//! The logistics partner: lists returns, tells how far a shipment is, and takes the results of those that are back.
//!
//! Every call below [`BASE`] needs `Authorization: Bearer` with [`Logistics::TOKEN`] and is answered 401 without it.
//!
//! | path | meaning |
//! | --- | --- |
//! | `GET {BASE}/returns` | every return it holds, in one answer |
//! | `GET {BASE}/tracking?shipment_number=…` | the statuses of a shipment so far, newest last; none: not known |
//! | `POST {BASE}/results` | the result of a return; `{"data":{"result":false}}` where it knows of no such return |
//! | `GET /` | totals, the newest returns and their statuses, for people |
//! | `GET /sandbox/returns` | the returns it holds, see [`ReturnSeen`] |
//! | `PUT /sandbox/returns` | `{"count":n}`: holds the first n returns and nothing else |
//! | `POST /sandbox/returns` | `{"count":n}`: n further ones; or one with the fields of [`Return`] |
//! | `GET /sandbox/reported` | those that were reported, and how often |
//! | `GET /sandbox/statuses` | how many shipments have which status |
//! | `POST /sandbox/advance` | moves all shipments one status on, or `{"shipment_number":…}` that one |
//! | `POST /sandbox/deliver` | delivers all of them |
//! | `GET /sandbox/requests` | the last requests, whatever became of them |
//! | `GET /sandbox/stats` | counts since the start, see [`Stats`] |
//! | `GET`, `PUT`, `PATCH /sandbox/knobs` | see [`Knobs`] |
//!
//! It starts with no returns, and nothing moves until somebody moves it or `status_every_ms` is turned. It never checks
//! whether a result is true: it takes the report of a shipment that is still on its way, and counts it.

mod holdings;
mod knobs;
mod routes;
mod state;

use std::collections::BTreeMap;

pub use crate::faults::{Busy, Garbage};
pub use crate::stand_in::StandIn;
pub use holdings::{RETURNS_MAX, Return, ReturnSeen};
pub use knobs::{Call, Flaw, FlawKind, Knobs};
pub use state::{Calls, RequestSeen, Stats};

use state::State;

/// The path that the partner's calls are below.
pub const BASE: &str = "/api/external/data";

/// A running logistics partner. [`Logistics::url`] is what the variable `logistics_url` wants, [`BASE`] included;
/// [`Logistics::origin`] is what `/` and `/sandbox` are below.
pub type Logistics = StandIn<State>;

impl StandIn<State> {
    /// The token that it asks for, as the variable `logistics_token` wants it.
    pub const TOKEN: &'static str = "lg_sandbox";

    /// Holds the first `count` returns of [`Return::nth`] and nothing else; what was reported before is forgotten, but
    /// stays in the counts. Fails, changing nothing, beyond [`RETURNS_MAX`].
    pub fn set_returns(&self, count: usize) -> anyhow::Result<()> {
        self.partner.set_returns(count).map_err(anyhow::Error::msg)
    }

    /// Adds the next `count` returns of [`Return::nth`]. Fails, changing nothing, beyond [`RETURNS_MAX`].
    pub fn add_returns(&self, count: usize) -> anyhow::Result<()> {
        self.partner.add_returns(count).map_err(anyhow::Error::msg)
    }

    /// Adds one return; several may share a shipment. Fails where it is there already, or beyond [`RETURNS_MAX`].
    pub fn add_return(&self, wish: Return) -> anyhow::Result<()> {
        self.partner.add_return(wish).map_err(anyhow::Error::msg)
    }

    /// Moves every shipment one status on.
    pub fn advance(&self) {
        self.partner.advance();
    }

    /// Moves one shipment one status on; false where there is none of this number.
    pub fn advance_shipment(&self, shipment_number: &str) -> bool {
        self.partner.advance_shipment(shipment_number)
    }

    /// Moves every shipment to the end of its way.
    pub fn deliver_all(&self) {
        self.partner.deliver_all();
    }

    /// How many shipments have which status; every status is there, also with none.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<&'static str, usize> {
        self.partner.statuses()
    }

    /// The returns it holds, oldest first.
    #[must_use]
    pub fn returns(&self) -> Vec<ReturnSeen> {
        self.partner.returns(|_| true)
    }

    /// Those of them that were reported, however often, oldest return first.
    #[must_use]
    pub fn reported(&self) -> Vec<ReturnSeen> {
        self.partner.returns(|seen| seen.times > 0)
    }

    /// The last requests, oldest first, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.partner.requests()
    }
}
