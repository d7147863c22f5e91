//! Addresses of databases: what they name, and what of that a permission is for.

use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use url::Url;

use crate::allow::AllowedHosts;

/// The port where none is given.
const PORT: u16 = 5432;
/// Where an address leaves TCP keepalive at its default of two hours: after so long without a sign of life from the server it is
/// asked for one, again after each interval, and given up after so many.
const KEEPALIVE_IDLE_MS: u64 = 15_000;
const KEEPALIVE_INTERVAL_MS: u64 = 5_000;
const KEEPALIVE_RETRIES: u32 = 3;
/// Where an address does not say how long bytes may be on their way without the server having them.
const UNACKNOWLEDGED_MS_MAX: u64 = 20_000;
/// What tokio-postgres starts with.
const KEEPALIVE_IDLE_DEFAULT: Duration = Duration::from_secs(2 * 60 * 60);

/// An address that was read.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// The hosts that a connection may go to, as permissions name them.
    hosts: Vec<Url>,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?…`, or the form `host=… user=…`. The error repeats nothing of it.
    pub(super) fn parse(address: &str) -> Result<Self, String> {
        let mut config: Config = address.parse().map_err(|error: tokio_postgres::Error| {
            let text = super::fault::text(&error);
            // The names of options are the guest's, and what looks like one can be a piece of a password.
            match text.split_once("unknown option") {
                Some(_) => "invalid connection string: it has an unknown option".to_owned(),
                None if text.contains("sslmode") => {
                    format!("{text}: there are disable, prefer and require; whenever TLS is used the certificate is checked")
                }
                None => text,
            }
        })?;
        let hosts = hosts(&config)?;
        // TLS wants a name to check, and an address of a host is one.
        if config.get_hosts().is_empty() {
            for address in config.get_hostaddrs().to_vec() {
                config.host(address.to_string());
            }
        }
        if config.get_keepalives_idle() == KEEPALIVE_IDLE_DEFAULT {
            config
                .keepalives_idle(Duration::from_millis(KEEPALIVE_IDLE_MS))
                .keepalives_interval(Duration::from_millis(KEEPALIVE_INTERVAL_MS))
                .keepalives_retries(KEEPALIVE_RETRIES);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(Duration::from_millis(UNACKNOWLEDGED_MS_MAX));
        }
        Ok(Self { config, hosts })
    }

    /// Whether each of its hosts may be talked to; the error is the first that may not.
    pub(super) fn check(&self, allowed: &AllowedHosts) -> Result<(), String> {
        match self.hosts.iter().find(|host| !allowed.allows(host)) {
            None => Ok(()),
            Some(host) => Err(format!("address {host} is not permitted")),
        }
    }
}

/// The origin of an address with one host.
pub(crate) fn origin(address: &str) -> Option<String> {
    match Address::parse(address).ok()?.hosts.as_slice() {
        [host] => Some(format!("postgres://{}:{}", host.host_str()?, host.port().unwrap_or(PORT))),
        _ => None,
    }
}

/// Names and numbers alike: a number given beside a name is where the connection goes.
fn hosts(config: &Config) -> Result<Vec<Url>, String> {
    let mut hosts = Vec::new();
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
    for (index, host) in config.get_hosts().iter().enumerate() {
        match host {
            Host::Tcp(host) => hosts.push(url(host, port(index))?),
            #[cfg(unix)]
            Host::Unix(_) => return Err("a component cannot use Unix sockets".to_owned()),
        }
    }
    for (index, host) in config.get_hostaddrs().iter().enumerate() {
        hosts.push(url(&host.to_string(), port(index))?);
    }
    Ok(hosts)
}

fn url(host: &str, port: u16) -> Result<Url, String> {
    let host = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    };
    // A password that is not percent-encoded ends up as a piece of the host.
    let plain = !host.contains(['@', '/', '?', '#', '%', ' ']);
    Some(format!("postgres://{host}:{port}"))
        .filter(|_| plain)
        .and_then(|text| Url::parse(&text).ok())
        .filter(Url::has_host)
        .ok_or_else(|| "the host of the address cannot be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, allowed: &str) -> Result<(), String> {
        Address::parse(address)?.check(&AllowedHosts::parse([(allowed, false)]).unwrap())
    }

    #[test]
    fn every_host_that_a_connection_may_go_to_has_to_be_permitted() {
        check("postgres://u:p@db.example/shop", "postgres://db.example:5432").unwrap();
        check("postgresql://u:p@db.example:6432/shop", "postgres://db.example:6432").unwrap();
        check("host=db.example port=6432 user=u", "postgres://db.example:6432").unwrap();
        check("postgres://u@[::1]:5433/shop", "postgres://[::1]:5433").unwrap();
        check("postgres://u@a.example,b.example/shop", "postgres://*.example").unwrap();
        for (address, allowed) in [
            ("postgres://u:p@db.example/shop", "postgres://other.example"),
            ("postgres://u:p@db.example:6432/shop", "postgres://db.example"),
            ("postgres://u:p@a.example,b.example/shop", "postgres://a.example"),
            ("host=db.example hostaddr=10.0.0.1 user=u", "postgres://db.example"),
            ("hostaddr=10.0.0.1 user=u", "postgres://db.example"),
            ("host=/var/run/postgresql user=u", "*://*:*"),
        ] {
            check(address, allowed).expect_err(address);
        }
    }

    #[test]
    fn no_error_repeats_a_password() {
        for address in [
            "postgres://u:hunter2@db.example/shop",
            "postgres://u:pass@hunter2@db.example/shop",
            "postgres://u:hunter2@db.example:x/shop",
            "postgres://u:hunter2@db.example/shop?sslmode=hunter2",
            "host=db.example password=a hunter2=b",
            "host=db.example password='hunter2",
            "postgres://u:a?hunter2=b@db.example/shop",
        ] {
            let fault = check(address, "postgres://other.example").unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn a_mode_of_tls_that_is_not_there_is_explained() {
        let fault = Address::parse("postgres://u@db.example/shop?sslmode=verify-full").unwrap_err();
        assert!(fault.contains("sslmode") && fault.contains("require"), "{fault}");
    }

    #[test]
    fn the_origin_of_an_address_has_neither_user_nor_database() {
        let cases = [
            ("postgres://u:p@db.example/shop?sslmode=require", Some("postgres://db.example:5432")),
            ("postgresql://u:p@127.0.0.1:6432/shop", Some("postgres://127.0.0.1:6432")),
            ("host=db.example port=6432", Some("postgres://db.example:6432")),
            ("postgres://u@[::1]/shop", Some("postgres://[::1]:5432")),
            ("postgres://u@a.example,b.example/shop", None),
            ("", None),
            ("nonsense", None),
        ];
        for (address, expected) in cases {
            assert_eq!(origin(address).as_deref(), expected, "{address}");
        }
    }
}
