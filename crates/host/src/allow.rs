//! Which hosts a component may talk to: `allowed_outbound_hosts` with Spin's meaning.

use std::net::IpAddr;
use std::ops::Range;

use url::{Host, Url};

/// The hosts one component may talk to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllowedHosts(Vec<Allowed>);

/// One entry: `scheme://host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// `None` is any.
    scheme: Option<String>,
    host: AllowedHost,
    port: AllowedPort,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AllowedHost {
    Any,
    /// The application itself, for requests without an authority.
    Itself,
    /// Hosts whose name ends in this, which begins with a dot.
    Below(String),
    Exact(Host),
    Network(IpAddr, u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum AllowedPort {
    Any,
    Exact(u16),
    Range(Range<u16>),
}

impl AllowedHosts {
    /// Reads entries whose templates are filled. Entries that came out of a template empty are passed over, so that
    /// an endpoint can be left unset; every other fault is returned.
    pub(crate) fn parse<'a>(entries: impl IntoIterator<Item = (&'a str, bool)>) -> Result<Self, Vec<String>> {
        let (mut allowed, mut faults) = (Vec::new(), Vec::new());
        for (entry, templated) in entries {
            if templated && matches!(entry, "" | "http://" | "https://") {
                continue;
            }
            match Allowed::parse(entry) {
                Ok(entry) => allowed.push(entry),
                // What comes out of a variable is not repeated: it can hold a password.
                Err(_) if templated => faults.push(
                    "a variable must give <scheme>://<host>[:<port>], without user, password and path"
                        .to_owned(),
                ),
                Err(fault) => faults.push(format!("{entry:?}: {fault}")),
            }
        }
        if faults.is_empty() { Ok(Self(allowed)) } else { Err(faults) }
    }

    /// Whether `url`, an absolute address, may be talked to.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        // A scheme the URL standard does not know keeps its host as an opaque text.
        let host = match host {
            Host::Domain(domain) => Host::parse(domain).unwrap_or_else(|_| Host::Domain(domain.to_owned())),
            other => other.to_owned(),
        };
        let port = url.port().or_else(|| default_port(url.scheme()));
        self.0.iter().any(|allowed| {
            allowed.scheme.as_deref().is_none_or(|scheme| scheme == url.scheme())
                && allowed.host.allows(&host)
                && allowed.port.allows(port)
        })
    }

    /// Whether the application itself may be talked to by a request without an authority.
    pub(crate) fn allows_itself(&self) -> bool {
        self.0.iter().any(|allowed| {
            allowed.scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"))
                && matches!(allowed.host, AllowedHost::Any | AllowedHost::Itself)
        })
    }

    /// Whether an entry is for calls between components of the application.
    pub(crate) fn chains(&self) -> bool {
        self.0.iter().any(|allowed| match &allowed.host {
            AllowedHost::Exact(Host::Domain(domain)) => domain.ends_with(".spin.internal"),
            AllowedHost::Below(suffix) => suffix == ".spin.internal",
            _ => false,
        })
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Self, String> {
        let (scheme, rest) = entry.trim().split_once("://").ok_or(
            "must be <scheme>://<host>[:<port>]; each part may be '*', and '*://*:*' allows everything",
        )?;
        if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(char::is_alphabetic)) {
            return Err(format!("scheme {scheme:?} must consist of letters, or be '*'"));
        }
        // An IPv6 address or network without a port has colons of its own.
        let whole = AllowedHost::parse(rest).ok().filter(|_| rest.matches(':').count() != 1);
        let (host, port) = match (whole, rest.rsplit_once(':')) {
            (Some(host), _) => (host, ""),
            (None, None) => (AllowedHost::parse(rest)?, ""),
            (None, Some((host, port))) => {
                let (port, path) = port.split_once('/').unwrap_or((port, ""));
                if !path.is_empty() {
                    return Err("must not have a path".to_owned());
                }
                (AllowedHost::parse(host)?, port)
            }
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host,
            port: AllowedPort::parse(port, scheme)?,
        })
    }
}

impl AllowedHost {
    fn parse(host: &str) -> Result<Self, String> {
        let host = host.trim();
        if host == "*" {
            return Ok(Self::Any);
        }
        if host == "self" || host == "self.alt" {
            return Ok(Self::Itself);
        }
        if let Some((address, bits)) = host.split_once('/')
            && let Ok(address) = address.parse::<IpAddr>()
            && !bits.is_empty()
        {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= most);
            return bits
                .map(|bits| Self::Network(address, bits))
                .ok_or_else(|| format!("{host:?} is not a network"));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("must not have a path".to_owned());
        }
        if let Ok(IpAddr::V6(address)) = host.parse() {
            return Ok(Self::Exact(Host::Ipv6(address)));
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => Ok(Self::Below(format!(".{domain}"))),
                _ => Err(format!("{host:?}: behind '*.' a domain must follow")),
            };
        }
        if host.contains(['*', '{', '}']) {
            return Err(format!("{host:?}: '*' may only stand alone or as the first label"));
        }
        Host::parse(host).map(Self::Exact).map_err(|error| format!("host {host:?}: {error}"))
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Itself, _) => false,
            (Self::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Below(_), _) => false,
            (Self::Exact(exact), host) => exact == host,
            (Self::Network(network, bits), Host::Ipv4(address)) => {
                contains(*network, *bits, IpAddr::V4(*address))
            }
            (Self::Network(network, bits), Host::Ipv6(address)) => {
                contains(*network, *bits, IpAddr::V6(*address))
            }
            (Self::Network(..), Host::Domain(_)) => false,
        }
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    }
}

impl AllowedPort {
    fn parse(port: &str, scheme: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u16>().map_err(|_| format!("port {port:?} is not a number"));
        match port {
            "" => default_port(scheme)
                .map(Self::Exact)
                .ok_or_else(|| format!("scheme {scheme:?} has no usual port: add one, or ':*'")),
            "*" => Ok(Self::Any),
            _ => match port.split_once("..") {
                Some((first, end)) => Ok(Self::Range(number(first)?..number(end)?)),
                None => number(port).map(Self::Exact),
            },
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Exact(exact), Some(port)) => *exact == port,
            (Self::Range(range), Some(port)) => range.contains(&port),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "http" => 80,
        "https" => 443,
        "redis" => 6379,
        "postgres" => 5432,
        "mysql" => 3306,
        "mqtt" => 1883,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, url: &str) -> bool {
        AllowedHosts::parse([(entry, false)]).unwrap().allows(&Url::parse(url).unwrap())
    }

    #[test]
    fn scheme_host_and_port_must_all_agree() {
        assert!(allows("http://a.example", "http://a.example/path"));
        assert!(!allows("http://a.example", "https://a.example"));
        assert!(!allows("http://a.example", "http://a.example:8080"));
        assert!(!allows("http://a.example", "http://b.example"));
        assert!(allows("https://a.example", "https://a.example:443"));
        assert!(allows("http://127.0.0.1:9000", "http://127.0.0.1:9000"));
        assert!(allows("redis://localhost:6379", "redis://localhost:6379/1"));
        assert!(allows("redis://127.0.0.1:6379", "redis://127.0.0.1/1"));
    }

    #[test]
    fn wildcards_stand_for_a_whole_part() {
        assert!(allows("*://*:*", "ftp://a.example:1"));
        assert!(allows("http://*:80", "http://a.example"));
        assert!(allows("http://*.example:8080", "http://a.b.example:8080"));
        assert!(!allows("http://*.example", "http://example"));
        assert!(allows("http://*.spin.internal", "http://sales.spin.internal"));
    }

    #[test]
    fn ranges_leave_out_their_end_and_networks_contain_their_addresses() {
        assert!(allows("http://a.example:8000..8010", "http://a.example:8009"));
        assert!(!allows("http://a.example:8000..8010", "http://a.example:8010"));
        assert!(allows("http://10.0.0.0/8:80", "http://10.9.8.7"));
        assert!(allows("http://10.0.0.0/8", "http://10.9.8.7"));
        assert!(!allows("http://10.0.0.0/8", "http://11.0.0.1"));
        assert!(allows("http://[::1]:80", "http://[::1]/"));
        assert!(!allows("http://0.0.0.0/0", "http://a.example"));
    }

    #[test]
    fn the_application_itself_is_a_host_of_its_own_kind() {
        let hosts = AllowedHosts::parse([("http://self", false)]).unwrap();
        assert!(hosts.allows_itself());
        assert!(!hosts.allows(&Url::parse("http://self/").unwrap()));
        assert!(AllowedHosts::parse([("http://*.spin.internal", false)]).unwrap().chains());
    }

    #[test]
    fn faults_are_all_reported_and_unset_templates_are_not_faults() {
        let faults = AllowedHosts::parse([
            ("a.example", false),
            ("http://", false),
            ("http://x/y", false),
            ("*://a", false),
        ])
        .unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(AllowedHosts::parse([("", true), ("http://", true)]).unwrap().0.is_empty());
        let faults = AllowedHosts::parse([("redis://:hunter2@cache:6379", true)]).unwrap_err();
        assert!(!faults.join("").contains("hunter2"), "{faults:?}");
    }
}
