//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

/// Below the ports that systems give out by themselves, so that nobody is given a server's port while it is stopped.
const FIRST: u16 = 20_000;
/// How many ports there are to choose from.
const COUNT: u16 = 10_000;
/// How many of them are looked at before giving up.
const LOOKS_MAX: u16 = 1_000;

/// A port of 127.0.0.1 that nobody listens on. Another process may still be faster: whoever listens there has to try again.
pub(crate) fn free() -> Result<u16> {
    // Processes that start together begin at different places.
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let begin = (nanos / 1_000).wrapping_add(std::process::id().wrapping_mul(7919));
    let begin = u16::try_from(begin % u32::from(COUNT)).unwrap_or_default();
    for look in 0..LOOKS_MAX {
        let port = FIRST + (begin + look) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("none of {LOOKS_MAX} ports of 127.0.0.1 is free")
}
