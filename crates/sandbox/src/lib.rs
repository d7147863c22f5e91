//! Stand-ins for other companies' systems, with faults on demand, for the demo, the tests and anyone who develops
//! against Restock without the real partners.
//!
//! [`Factory`] is the legacy factory: it takes production requests over plain HTTP, works slowly, reports once and
//! forgets everything when it stops. [`Mail`] answers like Amazon SES, Resend and Mailpit, [`Slack`] like an incoming
//! webhook, [`Marketing`] like a receiver of Standard Webhooks. [`Logistics`] lists returns, moves their parcels and
//! takes the results that are reported of them. All but the factory show what they hold on a page of their own. Each
//! stand-in is as careless, or as particular, as the system it stands for, because a polite one would hide the faults
//! that Restock exists to survive.
//!
//! All of them are started, turned, watched and stopped alike: [`StandIn`] has what they share.

mod control;
mod desk;
pub mod factory;
mod faults;
pub mod logistics;
pub mod mail;
pub mod marketing;
mod page;
mod panel;
mod serve;
pub mod slack;
mod stand_in;

pub use desk::{RequestSeen, Stats};
pub use factory::{Factory, Knobs};
pub use faults::{Busy, Garbage};
pub use logistics::Logistics;
pub use mail::Mail;
pub use marketing::Marketing;
pub use slack::Slack;
pub use stand_in::{StandIn, WAIT_SECONDS_MAX};
