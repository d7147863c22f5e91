//! The legacy factory: `POST /api/manufactures` starts a job, five slow stages later one POST to the job's
//! `CallbackUrl` reports the goods.
//!
//! True to the original it does not authenticate, validate, remember, repeat or recognise a request it has already
//! had. Everything else is under `/sandbox`, for people and tests:
//!
//! | path | meaning |
//! | --- | --- |
//! | `GET /sandbox/knobs` | the faults that are switched on, see [`Knobs`] |
//! | `PUT /sandbox/knobs` | replaces them all; what is left out takes its default |
//! | `PATCH /sandbox/knobs` | changes only what is named |
//! | `POST /sandbox/forget` | loses every job in progress, as a restart would; `{"forgotten":n}` |
//! | `POST /sandbox/finish` | completes all jobs, or `{"id":…}` one, now; answers when the callbacks have been answered |
//! | `GET /sandbox/jobs` | the jobs in progress |
//! | `GET /sandbox/requests` | the production requests, oldest first |
//! | `GET /sandbox/callbacks` | the callbacks sent and what was answered |
//! | `GET /sandbox/stats` | counts since the start |

mod callback;
mod knobs;
mod routes;
mod state;

use uuid::Uuid;

pub use crate::faults::{Busy, Garbage};
pub use crate::stand_in::{StandIn, WAIT_SECONDS_MAX};
pub use knobs::{CallbackShape, Knobs, Partial};
pub use state::{CallbackSeen, JobSeen, RequestSeen, Stats};

use state::State;

/// A running factory; its URL is what the variable `factory_url` wants. Dropping it stops it and loses its jobs.
pub type Factory = StandIn<State>;

impl StandIn<State> {
    /// Loses every job in progress, as a restart of the real factory does; answers how many.
    pub fn forget(&self) -> usize {
        self.partner.forget()
    }

    /// Completes one job, or all of them, without waiting for the stages; answers when every callback has been
    /// answered or has failed. An unknown id completes nothing.
    pub async fn finish(&self, id: Option<Uuid>) -> Vec<CallbackSeen> {
        self.partner.finish(id).await
    }

    /// The jobs in progress, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobSeen> {
        self.partner.jobs()
    }

    /// The production requests received, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.partner.requests()
    }

    /// The callbacks sent, in the order in which they were answered.
    #[must_use]
    pub fn callbacks(&self) -> Vec<CallbackSeen> {
        self.partner.callbacks()
    }
}
