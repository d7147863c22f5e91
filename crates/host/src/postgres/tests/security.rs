//! TLS and passwords.

use super::*;
