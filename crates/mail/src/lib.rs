//! Email in the words of its providers: what is sent to Amazon SES, Resend and Mailpit, and what their answers mean.
//!
//! Pure: it builds requests and reads answers, and others carry them. Time and ids come in. The same mail is the same request at
//! every try, byte for byte but for SES's signature, because a provider with an idempotency key refuses another
//! request under the same key.

mod encoded_word;
mod mail;
mod mailbox;
mod mailpit;
mod outcome;
mod provider;
mod resend;
mod ses;
pub mod sigv4;

pub use mail::{ID_CHARACTERS_MAX, Mail};
pub use mailbox::{ADDRESS_BYTES_MAX, Mailbox};
pub use outcome::Outcome;
pub use provider::{Fault, Provider, Secret};
pub use resend::RESEND_ORIGIN;
pub use ses::ses_origin;
